"""Which tables a report has.

Everything that a report shows is in these tables (or is one of `Report`'s few counts), and every number
in them has passed the disclosure policy. Nothing after this module sees a true count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from complaintnlp.counting import Counted, Policy, counted_cases
from complaintnlp.counting.counts import estimates, publish
from complaintnlp.counting.prevalence import Errors
from complaintnlp.counting.suppress import Hidden, protect
from complaintnlp.counting.tagged import COUNTED, NOT_RECORDED, RESERVED
from complaintnlp.counting.tally import NONE, Tally, tally
from complaintnlp.errors import InputError
from complaintnlp.report.filters import Removed
from complaintnlp.report.words import clean, heading, inside, listed, theme_label, unique

YEAR = "financial_year"
OVERALL, TOGETHER, OUTCOME = "overall", "themes_together", "outcome"
OTHER = "any other combination"
OUTCOMES = ("upheld", "partly_upheld", "not_upheld", "resolved_early", "open", "withdrawn")
NONE_LABEL = "None of these themes"
STATUSES = ("classified", "no_theme", "review", "empty", "too_long")
_AND = "; "
_RESERVED = {"table", *RESERVED}
_ALL_COMBINATIONS_TO = 4
"""Themes up to which every combination is listed, raised or not: 4 themes have 15."""
_COMBINATIONS = 15
_TOTAL, _REPEATS, _REVIEW = "rows in all", "repeated rows", "cases for review"


@dataclass(frozen=True)
class Table:
    """One table of a report.

    Attributes:
        name: in `counts.csv`: `overall`, a grouping column, `themes_together` or `outcome`.
        title: for people.
        caption: how to read it, in plain language.
        by: the grouping columns.
        data: what `tabulate` returned.
        notes: what a reader of this table must know.
    """

    name: str
    title: str
    caption: str
    by: tuple[str, ...]
    data: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What all files of a report are written from.

    Attributes:
        title: for people.
        rules: the disclosure policy that every number has passed.
        themes: the label of each theme id, in the taxonomy's order.
        models: the names of the models that tagged the cases.
        tables: in the order in which they are shown.
        crossed: all grouping columns at once, for `counts.csv` alone; None where there is but one.
        rows: how many rows of the input have each status.
        total: how many rows the input has.
        repeats: how many rows were put together with an earlier row of the same case.
        review: how many counted cases are marked for review.
        removed: what filters took away before anything was counted.
        quotes: example passages of each theme id, masked; empty unless they were asked for.

    Of the five before the last each is, or holds, None where the policy suppresses them.
    """

    title: str
    rules: Policy
    themes: Mapping[str, str]
    models: tuple[str, ...]
    tables: tuple[Table, ...]
    crossed: Table | None
    rows: Mapping[str, int | None]
    total: int | None
    repeats: int | None
    review: int | None
    removed: tuple[Removed, ...] = ()
    quotes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def table(self, name: str) -> Table | None:
        """The table of that name, if the report has it."""
        return next((table for table in self.tables if table.name == name), None)


@dataclass(frozen=True)
class Figure:
    """One number as it may be shown: None where there is only the symbol."""

    count: int | None
    denominator: int | None
    value: float | None
    low: float | None
    high: float | None
    symbol: str


Figures = Mapping[tuple[str, str], Figure]
"""The figures of one group, by (theme, measure)."""

_Draft = tuple[Tally, Callable[[pd.DataFrame], Table]]
"""True counts, and how what may be shown of them becomes a table."""


def build(
    table: pa.Table,
    by: Sequence[str],
    rules: Policy,
    title: str,
    errors: Mapping[str, Errors] | None = None,
    removed: Sequence[Removed] = (),
) -> Report:
    """Count everything that a report shows.

    Args:
        table: tagged rows, with the columns that `with_roles` adds.
        by: grouping columns.
        rules: the disclosure policy.
        title: for people.
        errors: of the model, for shares corrected for them.
        removed: what filters took away before.

    Raises:
        InputError: when the rows are not tagged, or a column of `by` can't be grouped by.
    """
    _check_groups(table, by)
    year = YEAR in table.column_names and YEAR not in by and _any(table, YEAR)
    outcome = "outcome" in table.column_names and "outcome" not in by and _any(table, "outcome")
    extra = [name for name, wanted in ((YEAR, year), ("outcome", outcome)) if wanted]
    counted = counted_cases(table, [*by, *extra])
    statuses = _statuses(table)
    labels = dict(zip(counted.themes, unique(map(theme_label, counted.themes)), strict=True))

    drafts = [_overall(counted), _together(counted, rules)]
    drafts += [_grouped(counted, (name,)) for name in ([YEAR] if year else [])]
    drafts += [_grouped(counted, (name,)) for name in by]
    drafts += [_outcomes(counted, rules)] if outcome else []
    drafts += [_grouped(counted, tuple(by))] if len(by) > 1 else []
    # All at once: a count that one table hides may follow from another.
    hidden = protect([counts for counts, _ in drafts], rules)
    tables = []
    for (counts, finish), some in zip(drafts, hidden, strict=True):
        by_case = not counts.exact and OUTCOME not in counts.by
        more = [estimates(counted, counts.by, rules, errors)] if errors and by_case else []
        tables.append(finish(publish(counts, rules, some, more)))
    crossed = tables.pop() if len(by) > 1 else None
    rows = {
        **statuses,
        _TOTAL: table.num_rows + sum(one.rows or 0 for one in removed),
        _REPEATS: sum(statuses[status] for status in COUNTED) - len(counted.cases),
        _REVIEW: int((counted.cases["status"] == "review").sum()),
    }
    filters = {f"filter {one.reason}": one.rows or 0 for one in removed}
    shown = _shown_rows({**rows, **filters}, rules, hidden[0])
    return Report(
        title=title,
        rules=rules,
        themes=labels,
        models=_models(table),
        tables=tuple(tables),
        crossed=crossed,
        rows={status: shown[status] for status in statuses},
        total=shown[_TOTAL],
        repeats=shown[_REPEATS],
        review=shown[_REVIEW],
        removed=tuple(Removed(one.reason, shown[f"filter {one.reason}"]) for one in removed),
    )


def figures(table: Table) -> Mapping[str, Figures]:
    """The figures of each group, in the table's order; a table without groups has one, named ""."""
    columns = ("theme", "measure", "count", "denominator", "value", "low", "high", "symbol")
    groups = _group_names(table.data[table.by[0]]) if table.by else [""] * len(table.data)
    found: dict[str, dict[tuple[str, str], Figure]] = {}
    for group, *row in zip(groups, *(table.data[column] for column in columns), strict=True):
        theme, measure, cases, denominator, value, low, high, symbol = row
        found.setdefault(group, {})[theme, measure] = Figure(
            _whole(cases), _whole(denominator), _share(value), _share(low), _share(high), symbol
        )
    return found


def combination_label(key: str, labels: Mapping[str, str]) -> str:
    """The name of a combination of themes, as the table of themes raised together lists them."""
    if key in (NONE, OTHER):
        return {NONE: NONE_LABEL, OTHER: heading(OTHER)}[key]
    parts = [labels[theme] for theme in key.split(_AND)]
    return f"{parts[0]} only" if len(parts) == 1 else listed([parts[0], *map(inside, parts[1:])])


def _check_groups(table: pa.Table, by: Sequence[str]) -> None:
    for name in by:
        if name in _RESERVED:
            raise InputError(f"can't group by {name!r}: the table of counts has a column of that name; rename yours")
        if name in table.column_names and pa.types.is_nested(table.schema.field(name).type):
            raise InputError(f"can't group by {name!r}: its cells are lists or records, not single values")


def _shown_rows(rows: Mapping[str, int], rules: Policy, hidden: Hidden) -> dict[str, int | None]:
    """Counts of rows as they may be shown."""
    if rules.secondary:
        # They add up to each other and to the cases: all or none. No rows left out are no complaint to protect.
        safe = not hidden and not any(count and rules.show(count) is None for count in rows.values())
        return {name: count if safe else None for name, count in rows.items()}
    return {name: rules.show(count) for name, count in rows.items()}


def _overall(counted: Counted) -> _Draft:
    return tally(counted, ()), lambda data: Table(
        OVERALL,
        "Complaints that raise each theme",
        "A complaint counts once under every theme that it raises, so the shares can add to more than 100 %.",
        (),
        data,
    )


def _grouped(counted: Counted, by: tuple[str, ...]) -> _Draft:
    name = listed([inside(heading(column)) for column in by])
    notes: dict[tuple[str, ...], tuple[str, ...]] = {
        (YEAR,): ("A financial year runs from 1 April to 31 March. The first and the last may not be complete.",),
        ("organisation",): (
            "Organisations differ in size, in services and in how they record complaints: a difference is a "
            "question to ask, not a verdict.",
        ),
    }
    return tally(counted, by), lambda data: Table(
        "; ".join(by),
        f"Themes by {name}",
        f"Shares are of the complaints in each row ({name}), with 95 % intervals.",
        by,
        _last(data, by[0]),
        notes.get(by, ()),
    )


def _last(data: pd.DataFrame, name: str) -> pd.DataFrame:
    """With what is not recorded at the end, where a reader looks for it, not between N and O."""
    last = data[name].map(lambda value: isinstance(value, str) and value == NOT_RECORDED).astype(bool)
    return pd.concat([data[~last], data[last]], ignore_index=True)


def _together(counted: Counted, rules: Policy) -> _Draft:
    """Cases by the exact combination of themes: each combination is counted as if it were a theme."""
    flags = counted.cases[["p_" + theme for theme in counted.themes]].to_numpy(bool)
    keys = [_AND.join(t for t, raised in zip(counted.themes, row, strict=True) if raised) for row in flags]
    listed_all = len(counted.themes) <= _ALL_COMBINATIONS_TO
    chosen = _combinations(counted.themes) if listed_all else _frequent(keys, counted.themes, rules)
    frame = pd.DataFrame({"outcome": None}, index=counted.cases.index)
    columns = {"p_" + key: [key == found for found in keys] for key in chosen}
    if not listed_all:
        columns["p_" + OTHER] = [bool(found) and found not in chosen for found in keys]
        chosen = (*chosen, OTHER)
    frame = pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
    counts = tally(Counted(frame, chosen), ()).only("cases", exact=True)
    notes = () if listed_all else (f"At most the {_COMBINATIONS} most frequent combinations are listed.",)
    return counts, lambda data: Table(
        TOGETHER,
        "Themes raised together",
        "Each complaint is in one row only: that of exactly the themes it raises.",
        (),
        data,
        notes,
    )


def _combinations(themes: Sequence[str]) -> tuple[str, ...]:
    sizes = range(1, len(themes) + 1)
    return tuple(_AND.join(some) for size in sizes for some in combinations(themes, size))


def _frequent(keys: Sequence[str], themes: Sequence[str], rules: Policy) -> tuple[str, ...]:
    # Chosen and put in order by the counts that may be shown, so that neither tells more than they do. Where one is
    # hidden for another's sake, its place between its neighbours would tell of it.
    place = {theme: index for index, theme in enumerate(themes)}
    shown = {key: rules.show(cases) for key, cases in Counter(keys).items() if key}
    order = sorted(
        (0 if rules.secondary else -count, len(key.split(_AND)), [place[theme] for theme in key.split(_AND)], key)
        for key, count in shown.items()
        if count
    )
    return tuple(key for *_, key in order[:_COMBINATIONS])


def _outcomes(counted: Counted, rules: Policy) -> _Draft:
    known = {NOT_RECORDED: "not_recorded", **{outcome: outcome for outcome in OUTCOMES}}
    # What is none of the library's outcomes is free text from the export: one group, not one each.
    outcome = [known.get(str(value), "other") for value in counted.cases["outcome"]]
    order = [*OUTCOMES, "other", "not_recorded"]
    # Under a policy all are listed: one that was not would be known to have no case.
    groups = [] if rules.exact else [(name,) for name in order]
    counts = tally(Counted(counted.cases.assign(outcome=outcome), counted.themes), ("outcome",), groups)
    counts = replace(counts, groups={(name,): counts.groups[name,] for name in order if (name,) in counts.groups})
    # The rates per theme are in the overall table.
    return counts.only("cases", "mentions"), lambda data: Table(
        OUTCOME,
        "Outcome by theme",
        "What the organisations decided about the complaints that raise each theme.",
        ("outcome",),
        data,
        (
            "Upheld rate: cases upheld or partly upheld, of those resolved (upheld, partly upheld or not "
            "upheld). It is of the whole complaint, which may raise other themes too.",
        ),
    )


def _statuses(table: pa.Table) -> dict[str, int]:
    found = Counter("" if status is None else str(status) for status in table["status"].to_pylist())
    return {status: found[status] for status in (*STATUSES, *sorted(set(found) - set(STATUSES)))}


def _models(table: pa.Table) -> tuple[str, ...]:
    if "model" not in table.column_names:
        return ()
    names = pc.unique(table["model"]).to_pylist()
    return tuple(sorted({clean(name) for name in names if name is not None and clean(name)}))


def _any(table: pa.Table, name: str) -> bool:
    return any(value is not None and str(value).strip() for value in table[name].to_pylist())


def _group_names(values: pd.Series[Any]) -> list[str]:
    """Each group's value for people; two that read the same once they are printable stay two groups."""
    different = list(dict.fromkeys(values))
    names = dict(zip(different, unique(map(clean, different)), strict=True))
    return [names[value] for value in values]


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _share(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
