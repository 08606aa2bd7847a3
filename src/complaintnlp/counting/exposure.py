"""What groups are exposed to: bed days, contacts, list sizes. The denominators of rates."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

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


def _pairs(table: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple[Hashable, ...], Any]]:
    rest = [name for name in table.columns if name not in by]
    if len(rest) != 1 or len(table.columns) != len(by) + 1 or not pd.api.types.is_numeric_dtype(table[rest[0]]):
        raise InputError(
            f"exposure: give the columns {', '.join(map(repr, by))} and one of numbers; "
            f"found {', '.join(map(repr, table.columns))}"
        )
    groups = zip(*(table[name] for name in by), strict=True) if by else [()] * len(table)
    return list(zip(groups, table[rest[0]], strict=True))
