"""Tables as people read them: one row a group, one column a theme.

The workbook spreads a share over several cells, the page writes it as one; both are drawn from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from complaintnlp.counting.tally import ALL, NONE
from complaintnlp.report.tables import (
    NONE_LABEL,
    OUTCOME,
    TOGETHER,
    Figure,
    Figures,
    Report,
    Table,
    combination_label,
    figures,
)
from complaintnlp.report.words import heading

_RATE = "Upheld rate"


@dataclass(frozen=True)
class Column:
    """A column of counts or, where it has a `share`, of shares with their intervals.

    Attributes:
        label: its header.
        top, bottom, share: headers for a share's numerator, denominator and value where each has a column of
            its own. No `bottom` where another column of the table holds it.
    """

    label: str
    top: str = ""
    bottom: str = ""
    share: str = ""


@dataclass(frozen=True)
class Row:
    """A group and its figures, one a column; None where there is none."""

    label: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True)
class Grid:
    """A table in rows and columns; `first` is the header of the labels."""

    first: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def grid(table: Table, report: Report) -> Grid:
    """The table in rows and columns."""
    if table.name == OUTCOME:
        return _outcomes(table, report)
    groups = figures(table)
    if table.by:
        return _groups(heading(table.by[0]), groups, report)
    if table.name == TOGETHER:
        keys = [theme for theme, measure in groups[""] if measure == "share"]
        labels = {key: combination_label(key, report.themes) for key in keys}
        return _themes("Themes", {ALL: "All complaints", **labels}, groups[""])
    return _themes("Theme", all_themes(report), groups[""])


def all_themes(report: Report) -> dict[str, str]:
    """The labels of all cases, each theme, and no theme."""
    return {ALL: "All complaints", **report.themes, NONE: NONE_LABEL}


def _themes(first: str, labels: Mapping[str, str], found: Figures) -> Grid:
    columns = [Column("Share of complaints", "Complaints", share="Share of complaints")]
    rated = any(measure == "upheld_rate" for _, measure in found)
    rows = [
        Row(label, (found.get((theme, "share")) or _whole(found[theme, "cases"]), *_rate(found, theme, rated)))
        for theme, label in labels.items()
    ]
    return Grid(first, (*columns, *_rate_column(rated)), tuple(rows))


def _groups(first: str, groups: Mapping[str, Figures], report: Report) -> Grid:
    themes = {**report.themes, NONE: NONE_LABEL}
    rated = any((ALL, "upheld_rate") in found for found in groups.values())
    columns = [Column("Complaints"), Column("Mentions")]
    columns += [Column(label, f"{label}: complaints", share=f"{label}: share") for label in themes.values()]
    rows = [
        Row(
            name,
            (
                found[ALL, "cases"],
                found[ALL, "mentions"],
                *(found[theme, "share"] for theme in themes),
                *_rate(found, ALL, rated),
            ),
        )
        for name, found in groups.items()
    ]
    return Grid(first, (*columns, *_rate_column(rated)), tuple(rows))


def _outcomes(table: Table, report: Report) -> Grid:
    groups, rates = figures(table), figures(report.tables[0])[""]
    rated = (ALL, "upheld_rate") in rates
    rows = [
        Row(label, (*(found[theme, "cases"] for found in groups.values()), *_rate(rates, theme, rated)))
        for theme, label in all_themes(report).items()
    ]
    return Grid("Theme", (*(Column(heading(name)) for name in groups), *_rate_column(rated)), tuple(rows))


def _rate_column(rated: bool) -> tuple[Column, ...]:
    return (Column(_RATE, "Upheld or partly upheld", "Resolved", _RATE),) if rated else ()


def _rate(found: Figures, theme: str, rated: bool) -> tuple[Figure | None, ...]:
    return (found.get((theme, "upheld_rate")),) if rated else ()


def _whole(cases: Figure) -> Figure:
    """All cases as a share of themselves."""
    return replace(cases, denominator=cases.count, value=1.0 if cases.count else None)
