"""The report's tables in long form, for further analysis."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from complaintnlp.counting.counts import FIGURES
from complaintnlp.files.write import neutral
from complaintnlp.report.shapes import (
    ESTIMATES,
    FINDINGS,
    FUNNEL,
    RARE,
    RATES,
    RECURRENCE,
    SEVERITY,
    SUBTHEMES,
    TREND,
    Report,
    Table,
)
from complaintnlp.report.words import clean

_WHOLE = ("cases", "mentions")


def write_counts(path: Path, report: Report) -> None:
    """Write `counts.csv` to `path`: a column `table`, the grouping columns, those of `count_themes`, and `signal`."""
    tables = [*report.tables, *report.unseen]
    groups = list(dict.fromkeys(name for table in tables for name in table.by))
    # The byte order mark tells Excel that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["table", *map(cell, groups), "theme", "measure", *FIGURES, "signal"])
        for table in tables:
            for row in _rows(table):
                names = [cell(row[name]) if name in row else "" for name in groups]
                figures = [_figure(row, name) for name in FIGURES[:-1]]
                told = [row.get("symbol", ""), row.get("signal", "")]
                writer.writerow([cell(table.name), *names, cell(row["theme"]), row["measure"], *figures, *told])


def _rows(table: Table) -> Iterator[dict[Any, Any]]:
    """What a table says and none before it has said."""
    if table.kind not in _VIEWS:
        yield from table.data.to_dict("records")
    if table.derived is not None:
        make = _DERIVED[table.kind]
        for row in table.derived.to_dict("records"):
            yield from make(row)


def _limits(row: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    yield {**row, "measure": "cases_limits", "value": row["centre"], "low": row["lower"], "high": row["upper"]}


def _gap(row: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    yield {**row, "measure": "days_between", "value": row["gap"], "high": row["upper"]}


def _funnel(row: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    yield {**row, "measure": f"{row['measure']}_funnel"}


def _returns(row: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    for measure in ("upheld_first", "upheld_again", "raised_again", "number", "severe"):
        yield {**row, "measure": measure, "signal": row[measure]}


_VIEWS = frozenset([SUBTHEMES, FINDINGS, SEVERITY, ESTIMATES, RATES, FUNNEL, RARE])
"""Kinds of tables whose data are those of another."""
_DERIVED: Mapping[str, Callable[[dict[Any, Any]], Iterator[dict[Any, Any]]]] = {
    TREND: _limits,
    RARE: _gap,
    FUNNEL: _funnel,
    RECURRENCE: _returns,
}


def _figure(row: dict[Any, Any], name: str) -> str:
    value = row.get(name)
    if not pd.isna(value):
        return str(int(value)) if name in ("count", "denominator") or row["measure"] in _WHOLE else f"{value:.6f}"
    # A count has no denominator and no interval: those cells are empty, not suppressed.
    applies = row["measure"] not in _WHOLE or name in ("count", "value")
    return str(row.get("symbol", "")) if applies else ""


def cell(value: Any) -> str:
    """A name from the export as `counts.csv` writes it."""
    return neutral(clean(value))
