"""Tagged rows -> distinct, countable cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from complaintnlp.cases import as_table, financial_year, parse_date, parse_outcome, split_themes, with_roles
from complaintnlp.errors import InputError
from complaintnlp.files import first_row
from complaintnlp.taxonomy import Taxonomy

NOT_RECORDED = "Not recorded"
COUNTED = ("classified", "no_theme", "review")
RESERVED = frozenset(
    ["theme", "measure", "count", "denominator", "value", "low", "high", "low_998", "high_998", "symbol"]
)
# Of the several rows of one case the last named here holds: what was decided outweighs what was only said.
FINDINGS = ("raised", "not_upheld", "upheld")
SEVERITIES = ("low", "medium", "high")


@dataclass(frozen=True)
class Counted:
    """The cases that a table counts: those with a status in `COUNTED`, one row a `case_id`.

    Attributes:
        cases: the grouping columns, `status`, `outcome`, one boolean column `p_<id>` for each theme and
            subtheme, and `counted_probability_<theme>`; and where the rows have them `counted_severity`, and
            `counted_finding_<theme>`: places in `SEVERITIES` and `FINDINGS` that start at 1, with 0 for none.
        themes: the theme ids, in the taxonomy's order.
        subthemes: the subtheme ids, in the taxonomy's order; empty where the rows have no `subthemes`.
    """

    cases: pd.DataFrame
    themes: tuple[str, ...]
    subthemes: tuple[str, ...] = ()


def counted_cases(tagged: Any, by: Iterable[str] = ()) -> Counted:
    """Reduce tagged rows to distinct, countable cases; see `count_themes` for the arguments."""
    table = with_roles(as_table(tagged), required=())
    missing = [name for name in ("themes", "status") if name not in table.column_names]
    if missing:
        raise InputError(
            f"the cases have no {missing[0]!r} column; tag them first with classify_cases or `complaintnlp classify`"
        )
    groups = names(by)
    for name in groups:
        table = _with_period(name, table)
        _check_group(name, table)
    themes = _themes(table.column_names)
    optional = ("case_id", "outcome", "findings", "subthemes")
    keep = dict.fromkeys([*groups, "themes", "status", *(n for n in optional if n in table.column_names)])
    frame = table.select([*keep]).to_pandas()
    frame["outcome"] = (
        [None if blank(cell) else parse_outcome(cell) for cell in frame["outcome"]] if "outcome" in frame else None
    )
    how: dict[str, str] = {}
    for theme in themes:
        frame["counted_probability_" + theme] = pd.to_numeric(table["p_" + theme].to_pandas(), errors="coerce")
        how["counted_probability_" + theme] = "max"
    severity = next((name for name in table.column_names if name.strip().casefold() == "severity"), None)
    if severity is not None:
        grades = [_place(cell, SEVERITIES) for cell in table[severity].to_pylist()]
        # Grouping by severity keeps the export's own words.
        frame["counted_severity"], how["counted_severity"] = grades, "max"
    if "findings" in frame:
        parsed = _findings(frame.pop("findings"), first_row(table.schema))
        for theme in themes:
            frame["counted_finding_" + theme] = [row.get(theme, 0) for row in parsed]
            how["counted_finding_" + theme] = "max"
    frame = frame[frame["status"].isin(COUNTED)].reset_index(drop=True)
    subthemes: tuple[str, ...] = ()
    if "subthemes" in frame:
        details = [frozenset(split_themes(cell)) for cell in frame["subthemes"]]
        subthemes = _subthemes(details, themes)
        frame = _flagged(frame, details, subthemes)
    raised = [frozenset(split_themes(cell)) for cell in frame["themes"]]
    frame = _flagged(frame, raised, themes)
    how |= {"p_" + label: "max" for label in (*themes, *subthemes)}
    frame = _merge_repeats(frame, how)
    for name in groups:
        frame[name] = [NOT_RECORDED if blank(value) else value for value in frame[name]]
    return Counted(frame, themes, subthemes)


def quarter(day: date | None) -> str | None:
    """The quarter of the British financial year.

    >>> quarter(date(2016, 4, 1)), quarter(date(2017, 3, 31))
    ('2016-17 Q1', '2016-17 Q4')
    """
    return None if day is None else f"{financial_year(day)} Q{(day.month - 4) % 12 // 3 + 1}"


def month(day: date | None) -> str | None:
    """The month, written so that it sorts.

    >>> month(date(2016, 4, 1))
    '2016-04'
    """
    return None if day is None else f"{day:%Y-%m}"


PERIODS: Mapping[str, Callable[[date | None], str | None]] = {
    "financial_year": financial_year,
    "quarter": quarter,
    "month": month,
}
"""Grouping columns made from the received date, where the export has no column of that name."""


def blank(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def names(by: Iterable[str]) -> list[str]:
    """Grouping columns, once each."""
    return [by] if isinstance(by, str) else list(dict.fromkeys(by))


def _with_period(name: str, table: pa.Table) -> pa.Table:
    if name in table.column_names or name not in PERIODS:
        return table
    if "received" not in table.column_names:
        raise InputError(
            f"can't group by {name!r}: no column of the dates received was found; name it `received`. "
            f"The columns are: {', '.join(table.column_names)}"
        )
    days = (parse_date(cell) for cell in table["received"].to_pylist())
    return table.append_column(name, pa.array(map(PERIODS[name], days), pa.string()))


def _check_group(name: str, table: pa.Table) -> None:
    if name not in table.column_names:
        raise InputError(f"can't group by {name!r}; the columns are: {', '.join(table.column_names)}")
    if name in RESERVED:
        raise InputError(f"can't group by {name!r}: the table of counts has a column of that name; rename it first")
    if pa.types.is_nested(table.schema.field(name).type):
        raise InputError(f"can't group by {name!r}: its cells are lists or records, not single values")


def _themes(columns: Sequence[str]) -> tuple[str, ...]:
    """The ids in the names of the columns that tagging added, which stand between `themes` and `evidence`."""
    added = columns[columns.index("themes") :]
    added = added[: added.index("evidence")] if "evidence" in added else added
    return tuple(name.removeprefix("p_") for name in added if name.startswith("p_") and name != "p_")


def _subthemes(details: Iterable[frozenset[str]], themes: Sequence[str]) -> tuple[str, ...]:
    """All of the package's taxonomy, so that one raised by nobody counts 0; in its order, others after them."""
    found = frozenset().union(*details)
    taxonomy = Taxonomy.default()
    known = taxonomy.subtheme_ids if taxonomy.ids == tuple(themes) else ()
    return (*known, *sorted(found.difference(known, themes)))


def _flagged(frame: pd.DataFrame, raised: Sequence[frozenset[str]], labels: Sequence[str]) -> pd.DataFrame:
    flags = np.array([[label in row for label in labels] for row in raised], bool).reshape(len(frame), len(labels))
    return pd.concat(
        [frame, pd.DataFrame(flags, columns=["p_" + label for label in labels], index=frame.index)], axis=1
    )


def _findings(cells: Iterable[Any], top: int) -> list[dict[str, int]]:
    rows = []
    for row, cell in enumerate(cells, top):
        found: dict[str, int] = {}
        for part in "" if blank(cell) else str(cell).split(";"):
            theme, _, finding = (piece.strip() for piece in part.rpartition(":"))
            if part.strip() and finding not in FINDINGS:
                raise InputError(
                    f"row {row}, column 'findings': not a finding; write `theme: finding` with ; between them, "
                    f"where a finding is one of {', '.join(FINDINGS)}"
                )
            found[theme] = _place(finding, FINDINGS)
        rows.append(found)
    return rows


def _place(cell: Any, scale: Sequence[str]) -> int:
    text = "" if cell is None else str(cell).strip().casefold()
    return scale.index(text) + 1 if text in scale else 0


def _merge_repeats(frame: pd.DataFrame, how: Mapping[str, str]) -> pd.DataFrame:
    if "case_id" not in frame:
        return frame
    # A row with no id is a case of its own.
    key = [f"row {i}" if blank(v) else f"id {v}" for i, v in enumerate(frame["case_id"])]
    if len(set(key)) == len(key):
        return frame
    # "last" skips blanks: a follow-up without an outcome does not undo one.
    rules: Mapping[Any, Any] = {name: how.get(name, "last" if name == "outcome" else "first") for name in frame.columns}
    return frame.groupby(key, sort=False).agg(rules).reset_index(drop=True)
