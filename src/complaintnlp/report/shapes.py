"""What a report is made of: tables whose every number has passed the disclosure policy, and a few counts.

Nothing from here on sees a true count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from complaintnlp.counting import Policy
from complaintnlp.report.filters import Removed
from complaintnlp.report.words import clean, unique

YEAR = "financial_year"
OVERALL, TOGETHER, OUTCOME = "overall", "themes_together", "outcome"
SUBTHEMES, FINDINGS, SEVERITY, CROSSWALK = "subthemes", "findings", "severity", "crosswalk"
GROUPS, ESTIMATES, RATES, FUNNEL = "groups", "estimated_share", "rates", "funnel"
TREND, RARE, RECURRENCE, UNSURE = "trend", "rare", "recurrence", "unsure"
NONE_LABEL = "None of these themes"


@dataclass(frozen=True)
class Table:
    """One table of a report.

    Attributes:
        name: in `counts.csv`, and what a footnote is addressed to.
        title: for people.
        caption: how to read it, in plain language.
        by: the grouping columns.
        data: what `publish` returned.
        kind: what it tells, which says how it is laid out: one of the constants above.
        notes: what a reader of this table must know.
        derived: what was made of the data: limits, signals, recurrence. None where there is nothing of the kind.
        labels: the names of its categories, where these are not the report's themes.
        unit: what a rate is per, for people; blank where there is none.
    """

    name: str
    title: str
    caption: str
    by: tuple[str, ...]
    data: pd.DataFrame
    kind: str
    notes: tuple[str, ...] = ()
    derived: pd.DataFrame | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True)
class Report:
    """What all files of a report are written from.

    Attributes:
        title: for people.
        rules: the disclosure policy that every number has passed.
        themes: the label of each theme id, in the taxonomy's order.
        models: the names of the models that tagged the cases.
        tables: in the order in which they are shown.
        unseen: tables of several columns crossed, for `counts.csv` alone.
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
    unseen: tuple[Table, ...]
    rows: Mapping[str, int | None]
    total: int | None
    repeats: int | None
    review: int | None
    removed: tuple[Removed, ...] = ()
    quotes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def table(self, name: str) -> Table | None:
        """The table of that name, if the report has it."""
        return next((table for table in self.tables if table.name == name), None)

    def of_kind(self, kind: str) -> Table | None:
        """The first table of that kind, if the report has one."""
        return next((table for table in self.tables if table.kind == kind), None)


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


def figures(table: Table) -> Mapping[str, Figures]:
    """The figures of each group, in the table's order; a table without groups has one, named ""."""
    columns = ("theme", "measure", "count", "denominator", "value", "low", "high", "symbol")
    groups = group_names(table.data[table.by[0]]) if table.by else [""] * len(table.data)
    found: dict[str, dict[tuple[str, str], Figure]] = {}
    for group, *row in zip(groups, *(table.data[column] for column in columns), strict=True):
        theme, measure, cases, denominator, value, low, high, symbol = row
        found.setdefault(group, {})[theme, measure] = Figure(
            _whole(cases), _whole(denominator), _share(value), _share(low), _share(high), symbol
        )
    return found


def group_names(values: pd.Series[Any]) -> list[str]:
    """Each group's value for people; two that read the same once they are printable stay two groups."""
    different = list(dict.fromkeys(values))
    names = dict(zip(different, unique(map(clean, different)), strict=True))
    return [names[value] for value in values]


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _share(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
