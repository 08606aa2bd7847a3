"""What groups are exposed to: bed days, contacts, list sizes. The denominators of rates."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from complaintnlp.cases import as_table
from complaintnlp.counting.tagged import PERIODS, blank
from complaintnlp.errors import InputError

Exposure = pd.DataFrame | Mapping[Any, int] | int


def exposures(exposure: Exposure, by: Sequence[str]) -> dict[tuple[Hashable, ...], int]:
    """The exposure of each group.

    Args:
        exposure: a DataFrame with the columns of `by` and one of whole numbers; a mapping from a group (its
            value, or a tuple of values where `by` has several columns) to a number; a number without `by`.
        by: the grouping columns.

    Raises:
        InputError: when columns or groups do not fit `by`, a group is there twice, or a number is missing,
            negative or not whole.
    """
    if isinstance(exposure, pd.DataFrame):
        pairs = _pairs(exposure, by)
    elif isinstance(exposure, Mapping):
        pairs = [(key if isinstance(key, tuple) else (key,), number) for key, number in exposure.items()]
    else:
        pairs = [((), exposure)]
    found: dict[tuple[Hashable, ...], int] = {}
    for group, number in pairs:
        if len(group) != len(by):
            raise InputError(
                f"exposure: a group of {len(group)} values where by names {len(by)} columns; give one value a column"
            )
        if group in found:
            raise InputError(f"exposure: the group {group!r} is there twice; add its numbers up")
        if pd.isna(number) or number < 0 or number != int(number):
            raise InputError(f"exposure: {number!r} for the group {group!r}; give a whole number, 0 or more")
        found[group] = int(number)
    return found


@dataclass(frozen=True)
class Exposed:
    """What the finest groups are exposed to, from which that of wider ones is added up.

    Attributes:
        by: the grouping columns.
        measure: the name of what was counted, such as `bed_days`.
        numbers: of each group, its values as text.
    """

    by: tuple[str, ...]
    measure: str
    numbers: Mapping[tuple[str, ...], int]

    def records(self) -> list[dict[str, Any]]:
        """One record a group, from which `read_exposure` makes the same."""
        return [{**dict(zip(self.by, key, strict=True)), self.measure: n} for key, n in self.numbers.items()]

    def during(self, periods: Mapping[str, Collection[str]]) -> Exposed:
        """Without what lies in other periods than these, by the name of their column."""
        places = [(self.by.index(name), some) for name, some in periods.items() if name in self.by]
        kept = {key: n for key, n in self.numbers.items() if all(key[place] in some for place, some in places)}
        return Exposed(self.by, self.measure, kept)

    def of(self, by: Sequence[str]) -> dict[tuple[str, ...], int] | None:
        """The exposure of each group of some of the columns, all others added up; None where they are not some."""
        if not set(by) <= set(self.by):
            return None
        places = [self.by.index(name) for name in by]
        found: dict[tuple[str, ...], int] = {}
        for key, number in self.numbers.items():
            group = tuple(key[place] for place in places)
            found[group] = found.get(group, 0) + number
        return found


def read_exposure(source: Any, columns: Collection[str]) -> Exposed:
    """Exposure from a table: a file, a DataFrame or records.

    Args:
        source: columns of the cases (or `financial_year`, `quarter`, `month`), such as `organisation`, and one column
            of whole numbers, such as `bed_days`.
        columns: of the cases.

    Raises:
        InputError: when the columns are others, a group is there twice, or a number is missing, negative or not whole.
    """
    name = Path(source).name if isinstance(source, (str, Path)) else "exposure"
    table = as_table(source)
    by = tuple(column for column in table.column_names if column in columns or column in PERIODS)
    rest = [column for column in table.column_names if column not in by]
    if not by or len(rest) != 1:
        raise InputError(
            f"{name}: needs columns of the cases to tell groups apart, such as organisation, and one column of "
            f"numbers, such as bed_days; found {', '.join(map(repr, table.column_names))}"
        )
    numbers: dict[tuple[str, ...], int] = {}
    rows = zip(*(table[column].to_pylist() for column in (*by, *rest)), strict=True)
    for place, (*group, cell) in enumerate(rows, 1):
        key = tuple("" if blank(value) else str(value).strip() for value in group)
        if key in numbers:
            raise InputError(f"{name}: {', '.join(key)} is there twice, again in row {place}; add its numbers up")
        numbers[key] = _number(cell, f"{name}, row {place}, column {rest[0]!r}")
    return Exposed(by, rest[0], numbers)


def _number(cell: Any, where: str) -> int:
    try:
        number = float(str(cell).replace(",", ""))
    except ValueError:
        number = -1
    if not number >= 0 or number != number // 1:
        raise InputError(f"{where}: {cell!r}; give a whole number, 0 or more")
    return int(number)


def _pairs(table: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple[Hashable, ...], Any]]:
    rest = [name for name in table.columns if name not in by]
    if len(rest) != 1 or len(table.columns) != len(by) + 1 or not pd.api.types.is_numeric_dtype(table[rest[0]]):
        raise InputError(
            f"exposure: give the columns {', '.join(map(repr, by))} and one of numbers; "
            f"found {', '.join(map(repr, table.columns))}"
        )
    groups = zip(*(table[name] for name in by), strict=True) if by else [()] * len(table)
    return list(zip(groups, table[rest[0]], strict=True))
