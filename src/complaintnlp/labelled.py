"""Labelled cases, however they come -> texts, labels and spans to train and evaluate on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

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


class Span(NamedTuple):
    """Marked evidence: character offsets, the theme and, where they were marked, subtheme and finding (else "")."""

    start: int
    end: int
    theme: str
    subtheme: str = ""
    finding: str = ""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Labelled cases.

    Attributes:
        taxonomy: the themes, in the order of the columns of `labels`.
        ids: one a case.
        texts: the narratives.
        labels: shape (cases, themes), 0 or 1.
        details: shape (cases, subthemes), 0 or 1; -1 where a theme is raised and nobody said which of its subthemes.
        spans: for each case its evidence, or None where nobody marked any.
        groups: what must not be split between training and test: the writing batch or the organisation; may be "".
        kinds: for each case, what sort of test it is, in a challenge file; else "".
    """

    taxonomy: Taxonomy
    ids: list[str]
    texts: list[str]
    labels: NDArray[np.int8]
    details: NDArray[np.int8]
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
            self.details[chosen],
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
            np.concatenate([self.details, other.details]),
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
            and doccano write. Subthemes may stand among the themes, in a column `subthemes`, or in columns of 1 and 0.
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
    else:
        taken = set(roles.values())
        found = list(themes) or [c for c in columns if c not in taken and _is_flag([row.get(c) for row in rows])]
        flags = {name: np.array([_flag(row.get(name)) for row in rows], dtype=np.int8) for name in found}
        if taxonomy is None:
            flags = {n: f for n, f in flags.items() if f.sum() >= max(1, min_cases) and _fold(n) not in dropped}
            taxonomy = _named(list(flags))
        else:
            flags = _known(flags, taxonomy, columns)
        raised = [tuple(name for name, flag in flags.items() if flag[i]) for i in range(len(rows))]
    labels = _marked(raised, taxonomy, cell or "themes", dropped)
    if "subthemes" in columns:
        labels |= _marked([split_themes(row.get("subthemes")) for row in rows], taxonomy, "subthemes", dropped)
    labels, details = _by_level(labels, taxonomy)
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
        details,
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


def _marked(raised: Sequence[tuple[str, ...]], taxonomy: Taxonomy, column: str, dropped: set[str]) -> NDArray[np.int8]:
    """The names as 0 and 1, shape (rows, themes and then subthemes)."""
    places = _places(taxonomy)
    labels = np.zeros((len(raised), len(taxonomy.ids) + len(taxonomy.subtheme_ids)), dtype=np.int8)
    for row, names in enumerate(raised):
        for name in names:
            if _fold(name) in places:
                labels[row, places[_fold(name)]] = 1
            elif _fold(name) not in dropped:
                raise InputError(
                    f"row {row + 2}, column {column!r}: a theme that is not in the taxonomy (its themes are "
                    f"{', '.join(taxonomy.ids)}); correct it, or give a taxonomy that has it"
                )
    return labels


def _by_level(labels: NDArray[np.int8], taxonomy: Taxonomy) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Themes, each raised where a subtheme of it is; and subthemes, unknown where only the theme was named."""
    themes, details = labels[:, : len(taxonomy.ids)], labels[:, len(taxonomy.ids) :]
    for i, of_theme in enumerate(taxonomy.subtheme_places):
        named = details[:, of_theme].any(axis=1)
        details[themes[:, i].astype(bool) & ~named, of_theme] = -1
        themes[named, i] = 1
    return themes, details


def _places(taxonomy: Taxonomy) -> dict[str, int]:
    """The column of each theme and subtheme, by id and by label; of like names the first counts, ids before labels."""
    entries = [taxonomy[identifier] for identifier in taxonomy.label_ids]
    by_label = {_fold(entry.label): i for i, entry in reversed(list(enumerate(entries)))}
    return by_label | {_fold(entry.id): i for i, entry in enumerate(entries)}


def _known(
    flags: Mapping[str, NDArray[np.int8]], taxonomy: Taxonomy, columns: Sequence[str]
) -> dict[str, NDArray[np.int8]]:
    """The columns of 0 and 1 that are named for a theme or a subtheme."""
    places = _places(taxonomy)
    known = {name: flag for name, flag in flags.items() if _fold(name) in places}
    if not known:
        raise InputError(
            f"the labelled cases have no labels: no column 'themes', and none named for a theme "
            f"({', '.join(taxonomy.ids)}). The columns are: {', '.join(map(repr, columns))}"
        )
    return known


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
    theme_of = {sub.id: theme.id for theme in taxonomy.themes for sub in theme.subthemes}
    spans = []
    for span in cell:
        name = span.get("theme") or span.get("label")
        subtheme = name if name in theme_of else span.get("subtheme") or ""
        theme = theme_of.get(name, name)
        if theme in taxonomy.ids:
            spans.append(Span(int(span["start"]), int(span["end"]), theme, subtheme, span.get("finding") or ""))
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
