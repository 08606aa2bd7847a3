"""Countable cases -> the true counts of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from complaintnlp.counting.tagged import FINDINGS, SEVERITIES, Counted

ALL = "all"
NONE = "none"
ROWS = "rows"
"""The quantity of a table that counts rows of the input, and not cases."""
RESOLVED = ("upheld", "partly_upheld", "not_upheld")
UPHELD = ("upheld", "partly_upheld")
UPHELD_OF: Mapping[str, tuple[str, ...]] = {"upheld": UPHELD, "resolved": RESOLVED}
"""The outcomes that each quantity counts."""
WHOLES: Mapping[str, tuple[str, ...]] = {
    "found": tuple(f"finding_{finding}" for finding in FINDINGS),
    "graded": tuple(f"severity_{grade}" for grade in SEVERITIES),
}
"""Quantities that are the sum of others."""

Cell = tuple[str, str]
"""A theme id, `all` or `none`; and a quantity: `cases`, `mentions`, those of `UPHELD_OF` and those of `WHOLES`; or a
kind of rows and `ROWS`."""
Group = tuple[Any, ...]
"""The values of the grouping columns."""


@dataclass(frozen=True)
class Tally:
    """The true counts of one table: nothing of it may be shown before a policy has seen it.

    Attributes:
        by: the grouping columns.
        raised: the themes.
        subthemes: counted too, but in no mention.
        groups: the counts of each group, in the table's order.
        exact: whether each case is under one theme only, which is a combination, `a; b`, or `none`.
        parts: where the themes are categories of a crosswalk, the subthemes that lead to each; the one that also takes
            cases without such a subtheme has none.
        above: the themes that every case with a subtheme raises too.
    """

    by: tuple[str, ...]
    raised: tuple[str, ...]
    subthemes: tuple[str, ...]
    groups: Mapping[Group, Mapping[Cell, int]]
    exact: bool = False
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def themes(self) -> tuple[str, ...]:
        """All that a group has rows for, in their order."""
        return (ALL, *self.raised, NONE, *self.subthemes)

    def only(self, *quantities: str, exact: bool = False) -> Tally:
        """The table of these quantities alone."""
        groups = {
            group: {cell: count for cell, count in cells.items() if cell[1] in quantities}
            for group, cells in self.groups.items()
        }
        return replace(self, groups=groups, exact=exact)


def tally(counted: Counted, by: Sequence[str], groups: Iterable[Group] = ()) -> Tally:
    """Count every quantity in every group; those of `groups` are there even if they have no cases."""
    frame = counted.cases
    flags = _flags(counted)
    masks, findings = _masks(frame, by), _findings(counted)
    members = members_of(frame, by)
    absent = [group for group in groups if group not in members]
    if absent:
        members |= {group: np.arange(0) for group in absent}
        members = {group: members[group] for group in _ordered(members)}
    themes = (ALL, *counted.themes, NONE, *counted.subthemes)
    found: dict[Group, dict[Cell, int]] = {}
    for group, rows in members.items():
        part = flags[rows]
        cells = {
            (theme, quantity): int(count)
            for quantity, mask in masks.items()
            for theme, count in zip(themes, part[mask[rows]].sum(axis=0), strict=True)
        }
        cells[ALL, "mentions"] = sum(cells[theme, "cases"] for theme in counted.themes)
        cells |= {cell: int(mask[rows].sum()) for cell, mask in findings.items()}
        found[group] = cells
    return Tally(tuple(by), counted.themes, counted.subthemes, found, above=_above(counted, themes, flags))


def _above(counted: Counted, labels: Sequence[str], flags: NDArray[np.bool_]) -> dict[str, tuple[str, ...]]:
    place = {label: n for n, label in enumerate(labels)}
    return {
        name: tuple(t for t in counted.themes if not (flags[:, place[name]] & ~flags[:, place[t]]).any())
        for name in counted.subthemes
        # Of one that nobody raises that would be so of all themes.
        if flags[:, place[name]].any()
    }


def members_of(frame: pd.DataFrame, by: Sequence[str]) -> dict[Group, NDArray[np.intp]]:
    """The places of each group's cases, by group in the table's order."""
    places = pd.Series(np.arange(len(frame)), index=frame.index)
    if not by:
        return {(): places.to_numpy()}
    split = places.groupby([frame[name] for name in by], sort=True, dropna=False)
    return {key if isinstance(key, tuple) else (key,): part.to_numpy() for key, part in split}


def _flags(counted: Counted) -> NDArray[np.bool_]:
    """Who counts under `all`, each theme, `none`, each subtheme; shape (cases, 2 + themes + subthemes)."""

    def raised(labels: Sequence[str]) -> NDArray[np.bool_]:
        return counted.cases[["p_" + label for label in labels]].to_numpy(bool)

    themes = raised(counted.themes)
    everyone = np.ones((len(themes), 1), bool)
    return np.concatenate(
        [everyone, themes, ~themes.any(axis=1, keepdims=True), raised(counted.subthemes)],
        axis=1,
    )


def _masks(cases: pd.DataFrame, by: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Who counts towards each quantity that a whole case has."""
    masks = {"cases": np.ones(len(cases), bool)}
    # Asked of all cases, not of each group: that a group has no resolved case is a count too. Upheld of those upheld
    # says nothing.
    if "outcome" not in by and cases["outcome"].notna().any():
        masks["upheld"] = cases["outcome"].isin(UPHELD).to_numpy(bool)
        masks["resolved"] = cases["outcome"].isin(RESOLVED).to_numpy(bool)
    if "counted_severity" in cases:
        grade = cases["counted_severity"].to_numpy(int)
        masks |= {f"severity_{name}": grade == place for place, name in enumerate(SEVERITIES, 1)}
        masks["graded"] = grade > 0
    return masks


def _findings(counted: Counted) -> dict[Cell, NDArray[np.bool_]]:
    """Who counts towards each quantity that a case has theme by theme."""
    masks: dict[Cell, NDArray[np.bool_]] = {}
    for theme in counted.themes:
        if "counted_finding_" + theme in counted.cases:
            raised = counted.cases["p_" + theme].to_numpy(bool)
            found = np.where(raised, counted.cases["counted_finding_" + theme].to_numpy(int), 0)
            masks |= {(theme, f"finding_{name}"): found == place for place, name in enumerate(FINDINGS, 1)}
            masks[theme, "found"] = found > 0
    return masks


def _ordered(groups: Iterable[Group]) -> list[Group]:
    try:
        return sorted(groups)
    except TypeError:
        return sorted(groups, key=lambda group: [str(value) for value in group])
