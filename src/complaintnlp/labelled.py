"""Labelled cases, however they come -> texts, labels and spans to train and evaluate on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from complaintnlp.cases import RowProblem, as_table, find_roles, split_themes
from complaintnlp.errors import InputError
from complaintnlp.files import read_json
from complaintnlp.taxonomy import Taxonomy, Theme

_THEME_COLUMNS = ("themes", "theme", "labels", "label", "tags", "raised")
_TRUE = frozenset(["1", "1.0", "true", "yes", "y", "x"])
_FALSE = frozenset(["", "0", "0.0", "false", "no", "n"])
_GROUP_COLUMNS = ("batch", "organisation")

Span = tuple[int, int, str]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Labelled cases.

    Attributes:
        taxonomy: the themes, in the order of the columns of `labels`.
        ids: one a case.
        texts: the narratives.
        labels: shape (cases, themes), 0 or 1.
        spans: for each case, evidence as (start, end, theme id), or None where nobody marked any.
        groups: what must not be split between training and test: the writing batch or the organisation; may be "".
        kinds: for each case, what sort of test it is, in a challenge file; else "".
    """

    taxonomy: Taxonomy
    ids: list[str]
    texts: list[str]
    labels: NDArray[np.int8]
    spans: list[tuple[Span, ...] | None]
    groups: list[str]
    kinds: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: Iterable[int]) -> Labelled:
        """The cases at these places."""
        chosen = list(places)
        return Labelled(
            self.taxonomy,
            [self.ids[i] for i in chosen],
            [self.texts[i] for i in chosen],
            self.labels[chosen],
            [self.spans[i] for i in chosen],
            [self.groups[i] for i in chosen],
            [self.kinds[i] for i in chosen],
        )

    def joined(self, other: Labelled) -> Labelled:
        """These cases, then the others, which must have the same themes."""
        if self.taxonomy.ids != other.taxonomy.ids:
            raise InputError(
                f"the themes differ: {', '.join(self.taxonomy.ids)} here, {', '.join(other.taxonomy.ids)} there"
            )
        return Labelled(
            self.taxonomy,
            self.ids + other.ids,
            self.texts + other.texts,
            np.concatenate([self.labels, other.labels]),
            self.spans + other.spans,
            self.groups + other.groups,
            self.kinds + other.kinds,
        )


def read_labelled(
    source: Any,
    taxonomy: Taxonomy | None = None,
    *,
    text: str | None = None,
    id: str | None = None,
    themes: Sequence[str] = (),
    drop: Sequence[str] = (),
    min_cases: int = 1,
    problems: list[RowProblem] | None = None,
) -> Labelled:
    """Read labelled cases.

    Args:
        source: a file or table as for `read_cases`, with either one column a theme (1 or 0, blank is 0), or a
            column `themes` (ids with `;`, `,` or `|` between, or a list); or the JSON that Label Studio, Prodigy
            and doccano write.
        taxonomy: the themes to look for, by id or label. Without it they are taken from the data: the
            package's own where the ids are its, else as they come.
        text, id: the columns to use, where the usual names are not found.
        themes: the columns that are themes, where that is not plain from their being 0 or 1.
        drop: themes to leave out, by id, label or column name.
        min_cases: themes with fewer cases are left out (only where no taxonomy is given).
        problems: rows that were left out, and why, are appended here.

    Raises:
        InputError: when no labels, or no text, can be found.
    """
    problems = [] if problems is None else problems
    rows = [_flat(row) for row in _rows(source, problems)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    roles = find_roles(columns, {"text": text, "case_id": id}, name="the labelled cases")
    if not rows:
        raise InputError("the labelled cases have no rows; give at least two")
    dropped = {_fold(name) for name in drop}
    cell = next((name for name in _THEME_COLUMNS if name in columns and not themes), None)
    if cell is not None:
        raised = [split_themes(row.get(cell)) for row in rows]
        taxonomy = taxonomy or _taxonomy_of(raised, dropped, min_cases)
        labels = _from_cells(raised, taxonomy, cell, dropped)
    else:
        taken = set(roles.values())
        found = list(themes) or [c for c in columns if c not in taken and _is_flag([row.get(c) for row in rows])]
        taxonomy, labels = _from_flags(rows, found, taxonomy, dropped, min_cases, columns)
    spans = [_spans(row.get("spans"), taxonomy) for row in rows]
    group = next((name for name in _GROUP_COLUMNS if name in columns), None)
    kept = []
    for place, row in enumerate(rows):
        if isinstance(row.get(roles["text"]), str) and row[roles["text"]].strip():
            kept.append(place)
        else:
            problems.append(RowProblem(place + 2, roles["text"], "no text; the row is left out"))
    identifiers = [row.get(roles.get("case_id", "")) for row in rows]
    return Labelled(
        taxonomy,
        [str(identifier) if identifier is not None else f"row {i + 2}" for i, identifier in enumerate(identifiers)],
        [str(row.get(roles["text"]) or "") for row in rows],
        labels,
        spans,
        [str(row.get(group) or "") if group else "" for row in rows],
        [str(row.get("challenge") or "") for row in rows],
    ).take(kept)


def _rows(source: Any, problems: list[RowProblem]) -> list[dict[str, Any]]:
    if (
        isinstance(source, (str, Path))
        and Path(source).suffix.lower() in (".json", ".jsonl")
        and Path(source).is_file()
    ):
        # As JSON, not as a table: doccano mixes numbers and texts in one list, which fits no column.
        return [row for _, row in read_json(Path(source), lambda *args: problems.append(RowProblem(*args)))]
    return list(as_table(source, problems).to_pylist())


def _from_cells(
    raised: Sequence[tuple[str, ...]], taxonomy: Taxonomy, column: str, dropped: set[str]
) -> NDArray[np.int8]:
    place = {_fold(s.id): i for i, theme in enumerate(taxonomy.themes) for s in (theme, *theme.subthemes)}
    place |= {_fold(s.label): i for i, theme in enumerate(taxonomy.themes) for s in (theme, *theme.subthemes)}
    labels = np.zeros((len(raised), len(taxonomy.themes)), dtype=np.int8)
    for row, names in enumerate(raised):
        for name in names:
            if _fold(name) in place:
                labels[row, place[_fold(name)]] = 1
            elif _fold(name) not in dropped:
                raise InputError(
                    f"row {row + 2}, column {column!r}: a theme that is not in the taxonomy (its themes are "
                    f"{', '.join(taxonomy.ids)}); correct it, or give a taxonomy that has it"
                )
    return labels


def _from_flags(
    rows: Sequence[Mapping[str, Any]],
    found: Sequence[str],
    taxonomy: Taxonomy | None,
    dropped: set[str],
    min_cases: int,
    columns: Sequence[str],
) -> tuple[Taxonomy, NDArray[np.int8]]:
    flags = {name: np.array([_flag(row.get(name)) for row in rows], dtype=np.int8) for name in found}
    if taxonomy is None:
        flags = {n: f for n, f in flags.items() if f.sum() >= max(1, min_cases) and _fold(n) not in dropped}
        taxonomy = _named(list(flags))
        chosen = list(flags.values())
    else:
        by_name = {_fold(name): flag for name, flag in flags.items()}
        empty = np.zeros(len(rows), dtype=np.int8)
        names = [(_fold(theme.id), _fold(theme.label)) for theme in taxonomy.themes]
        if not any(name in by_name for both in names for name in both):
            raise InputError(
                f"the labelled cases have no labels: no column 'themes', and none named for a theme "
                f"({', '.join(taxonomy.ids)}). The columns are: {', '.join(map(repr, columns))}"
            )
        chosen = [by_name.get(by_id, by_name.get(by_label, empty)) for by_id, by_label in names]
    return taxonomy, np.stack(chosen, axis=1)


def _named(names: Sequence[str]) -> Taxonomy:
    """The package's taxonomy where the names are its themes, else one of these names."""
    if not names:
        raise InputError(
            "the labelled cases have no labels: neither a column 'themes' nor columns of 0 and 1; add one, or name "
            "the columns with themes= (--themes)"
        )
    default = Taxonomy.default()
    if {_fold(name) for name in names} <= {_fold(i) for i in default.ids}:
        return default
    used: Counter[str] = Counter()
    themes = []
    for name in names:
        identifier = "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "theme"
        used[identifier] += 1
        themes.append(Theme(identifier if used[identifier] == 1 else f"{identifier}_{used[identifier]}", name))
    return Taxonomy("custom", "1", tuple(themes))


def _taxonomy_of(raised: Sequence[tuple[str, ...]], dropped: set[str], min_cases: int) -> Taxonomy:
    default = Taxonomy.default()
    counts = Counter(name for names in raised for name in dict.fromkeys(names))
    if {_fold(name) for name in counts} <= {_fold(i) for i in (*default.ids, *default.subtheme_ids)}:
        return default
    kept = [n for n, count in sorted(counts.items()) if count >= min_cases and _fold(n) not in dropped]
    dropped |= {_fold(name) for name in counts if name not in kept}
    return _named(kept)


def _spans(cell: Any, taxonomy: Taxonomy) -> tuple[Span, ...] | None:
    if not isinstance(cell, Iterable) or isinstance(cell, (str, bytes)):
        return None
    spans = []
    for span in cell:
        theme = span.get("theme") or span.get("label")
        if theme in taxonomy.ids:
            spans.append((int(span["start"]), int(span["end"]), str(theme)))
    return tuple(spans)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of Label Studio, Prodigy or doccano as `text`, `themes`, `spans`; any other as it is."""
    if isinstance(row.get("data"), Mapping) and "annotations" in row:
        results = [r for a in row["annotations"] or () for r in (a or {}).get("result") or ()]
        values = [r.get("value") or {} for r in results]
        marked = [v for v in values if v.get("start") is not None]
        return {
            **row["data"],
            "case_id": row["data"].get("case_id", row.get("id")),
            "themes": [c for v in values for c in v.get("choices") or ()]
            + [x for v in marked for x in v.get("labels") or ()],
            "spans": [
                {"start": v["start"], "end": v["end"], "theme": x} for v in marked for x in v.get("labels") or ()
            ],
        }
    if "answer" in row and ("accept" in row or "options" in row):
        accepted = row.get("accept") or () if row["answer"] == "accept" else ()
        return {**row, "themes": list(accepted), "text": row["text"] if row["answer"] == "accept" else None}
    label = row.get("label", row.get("labels"))
    if isinstance(label, list) and label and isinstance(label[0], (list, tuple)):
        return {
            **row,
            "themes": [str(one[2]) for one in label],
            "spans": [{"start": one[0], "end": one[1], "theme": one[2]} for one in label],
        }
    return dict(row)


def _is_flag(cells: Sequence[Any]) -> bool:
    seen = {"" if cell is None else str(cell).strip().lower() for cell in cells}
    return bool(seen & _TRUE) and seen <= (_TRUE | _FALSE)


def _flag(cell: Any) -> bool:
    return cell is not None and str(cell).strip().lower() in _TRUE


def _fold(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
