"""The report's tables in long form, for further analysis."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from complaintnlp.counting.counts import FIGURES
from complaintnlp.files.write import neutral
from complaintnlp.report.tables import Report, Table
from complaintnlp.report.words import clean

_WHOLE = ("cases", "mentions")


def write_counts(path: Path, report: Report) -> None:
    """Write `counts.csv` to `path`: a column `table`, the grouping columns, then those of `count_themes`."""
    tables = [*report.tables, *([report.crossed] if report.crossed else [])]
    groups = list(dict.fromkeys(name for table in tables for name in table.by))
    columns = ["theme", "measure", *FIGURES]
    # The byte order mark tells Excel that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["table", *map(cell, groups), *columns])
        for table in tables:
            writer.writerows(_rows(table, groups))


def _rows(table: Table, groups: list[str]) -> Iterator[list[str]]:
    for row in table.data.to_dict("records"):
        names = [cell(row[name]) if name in table.by else "" for name in groups]
        figures = [_figure(row, name) for name in FIGURES[:-1]]
        yield [cell(table.name), *names, cell(row["theme"]), row["measure"], *figures, row["symbol"]]


def _figure(row: dict[Any, Any], name: str) -> str:
    value = row[name]
    if not pd.isna(value):
        return str(int(value)) if name in ("count", "denominator") or row["measure"] in _WHOLE else f"{value:.6f}"
    # A count has no denominator and no interval: those cells are empty, not suppressed.
    applies = row["measure"] not in _WHOLE or name in ("count", "value")
    return str(row["symbol"]) if applies else ""


def cell(value: Any) -> str:
    """A name from the export as `counts.csv` writes it."""
    return neutral(clean(value))
