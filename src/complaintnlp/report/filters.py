"""Rows that a report is to leave out, or to be about alone, counted for its footnotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from complaintnlp.errors import InputError
from complaintnlp.report.words import clean, heading, short

Filter = Mapping[str, str | Iterable[str]]
"""From a column to a value, or to several of which any will do."""


@dataclass(frozen=True)
class Removed:
    """What one filter took away.

    Attributes:
        reason: for people, such as `Ward is not “North”`.
        rows: how many rows; None where the disclosure policy suppresses it.
    """

    reason: str
    rows: int | None


def filtered(table: pa.Table, only: Filter | None, exclude: Filter | None) -> tuple[pa.Table, tuple[Removed, ...]]:
    """The rows that pass all filters, and what each filter removed of those that passed the ones before it.

    Args:
        table: tagged rows.
        only: rows with another value in one of these columns are removed.
        exclude: rows with one of these values are removed, after `only`.

    Raises:
        InputError: when a column is not there.
    """
    removed = []
    for wanted, keeps in ((only, True), (exclude, False)):
        for column, values in (wanted or {}).items():
            chosen = [clean(value) for value in ([values] if isinstance(values, str) else values)]
            if column not in table.column_names:
                raise InputError(
                    f"can't filter by {column!r}: there is no such column; the columns are: "
                    f"{', '.join(table.column_names)}"
                )
            mask = pa.array([(_text(value) in chosen) == keeps for value in table[column].to_pylist()], pa.bool_())
            before, table = table.num_rows, table.filter(mask)
            named = " or ".join(f"“{short(value, 80)}”" if value else "blank" for value in chosen)
            reason = f"{heading(column)} is {'not ' if keeps else ''}{named}"
            removed.append(Removed(reason, before - table.num_rows))
    return table, tuple(removed)


def parse_filters(arguments: Iterable[str], option: str) -> dict[str, list[str]]:
    """`COLUMN=VALUE` arguments as a filter; several for one column are alternatives.

    Raises:
        InputError: for an argument without `=`.

    >>> parse_filters(["Ward=North", "Ward=South", "Grade="], "--only")
    {'Ward': ['North', 'South'], 'Grade': ['']}
    """
    found: dict[str, list[str]] = {}
    for argument in arguments:
        column, equals, value = argument.partition("=")
        if not equals or not column:
            raise InputError(f"{option} {argument}: write it as COLUMN=VALUE, such as {option} organisation=North")
        found.setdefault(column, []).append(value)
    return found


def _text(value: Any) -> str:
    return "" if value is None or value != value else clean(value)
