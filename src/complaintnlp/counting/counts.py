"""Countable cases -> the tidy table of themed counts.

The rule is KO41a's: a case counts once in the total and once under every theme that it raises. So the
shares of the themes add up to more than 1, and each share says of how many *cases*.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from complaintnlp.counting.disclosure import SUPPRESSED, Policy, policy
from complaintnlp.counting.exposure import Exposure, exposures
from complaintnlp.counting.intervals import byar, wilson
from complaintnlp.counting.tagged import FINDINGS, SEVERITIES, Counted, counted_cases, names

ALL = "all"
NONE = "none"
NOT_APPLICABLE = "[z]"
NOT_AVAILABLE = "[x]"
RESOLVED = ("upheld", "partly_upheld", "not_upheld")
UPHELD = ("upheld", "partly_upheld")
RATIOS: Mapping[str, tuple[str, str]] = {
    "upheld_rate": ("upheld", "resolved"),
    **{f"finding_{finding}": (f"finding_{finding}", "found") for finding in FINDINGS},
    **{f"severity_{grade}": (f"severity_{grade}", "graded") for grade in SEVERITIES},
}
"""Measures that are one quantity of a theme over another of the same theme."""
FIGURES = ("count", "denominator", "value", "low", "high", "low_998", "high_998", "symbol")

Cell = tuple[str, str]
"""A theme id, `all` or `none`; and a quantity: `cases`, `mentions`, `upheld`, `resolved` and those in `RATIOS`."""
Group = tuple[Any, ...]
"""The values of the grouping columns."""


@dataclass(frozen=True)
class Tally:
    """The true counts of one table: nothing of it may be shown before a policy has seen it.

    Attributes:
        by: the grouping columns.
        themes: `all`, the themes, `none`, the subthemes: the order of the rows.
        groups: the counts of each group, in the table's order.
    """

    by: tuple[str, ...]
    themes: tuple[str, ...]
    groups: Mapping[Group, Mapping[Cell, int]]


def count_themes(
    tagged: Any,
    by: Iterable[str] = (),
    *,
    disclosure: str = "none",
    exposure: Exposure | None = None,
    per: int = 1000,
) -> pd.DataFrame:
    """Count cases and themes, overall or by any columns.

    Args:
        tagged: tagged cases: what `classify_cases` returns, or a DataFrame, Arrow table or file of it.
        by: grouping columns: any column of the export, or `organisation`, `outcome`, or, from the received
            date, `financial_year` (1 April to 31 March, `2016-17`), its `quarter` (`2016-17 Q1`) or the
            `month` (`2016-04`).
        disclosure: the policy for small counts, by its name in `counting.POLICIES`.
        exposure: what each group was exposed to, such as bed days, for rates: a DataFrame with the columns
            of `by` and one of whole numbers, or a mapping from group to number. Without `by`, a number.
        per: rates are per this much exposure.

    Returns:
        A tidy table, one row a (group, theme, measure), with the columns of `by`, then

        * `theme`: a theme id, `all` (every case), `none` (cases that raise no theme), or a subtheme id where
          the tagged rows have a column `subthemes`;
        * `measure`: `cases` (that raise it), `mentions` (`all` only: cases summed over themes), `share` (of the
          group's cases), `upheld_rate` (upheld or partly upheld, over *resolved* cases); for themes, where
          the rows have `findings`, `finding_raised`, `finding_not_upheld` and `finding_upheld` (what the text
          says of the theme, over cases with a finding on it); where they have `severity`, `severity_low`,
          `severity_medium` and `severity_high` (over graded cases); with `exposure`, `rate`;
        * `count`, `denominator`: whole numbers, missing where not shown or not applicable;
        * `value`: the count, count / denominator, or count x `per` / exposure;
        * `low`, `high`, `low_998`, `high_998`: its 95 % and 99.8 % interval, Wilson's for shares and Byar's
          for rates;
        * `symbol`: `[c]` where the policy suppresses it, `[z]` where the denominator is 0, `[x]` where no
          exposure was given for the group, else empty.

    Raises:
        InputError: when `tagged` has no `themes` column, a column of `by` is not there, or the exposure does
            not fit it.
    """
    columns = tuple(names(by))
    counted = counted_cases(tagged, columns)
    known = None if exposure is None else exposures(exposure, columns)
    return publish(tally(counted, columns, known or ()), policy(disclosure), known, per)


def tabulate(counted: Counted, by: Sequence[str], rules: Policy) -> pd.DataFrame:
    """The table that `count_themes` returns, from cases already reduced."""
    return publish(tally(counted, by), rules)


def tally(counted: Counted, by: Sequence[str], groups: Iterable[Group] = ()) -> Tally:
    """Count every quantity in every group; those of `groups` are there even if they have no cases."""
    frame = counted.cases
    themes = (ALL, *counted.themes, NONE, *counted.subthemes)
    flags = _flags(counted)
    masks, findings = _masks(frame), _findings(counted)
    members: dict[Group, NDArray[np.intp]] = {(): np.arange(len(frame))}
    if by:
        places = pd.Series(np.arange(len(frame)), index=frame.index)
        split = places.groupby([frame[name] for name in by], sort=True, dropna=False)
        members = {key if isinstance(key, tuple) else (key,): part.to_numpy() for key, part in split}
    absent = [group for group in groups if group not in members]
    if absent:
        members |= {group: np.arange(0) for group in absent}
        members = {group: members[group] for group in _ordered(members)}
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
    return Tally(tuple(by), themes, found)


def publish(
    counts: Tally,
    rules: Policy,
    exposure: Mapping[Group, int] | None = None,
    per: int = 1000,
) -> pd.DataFrame:
    """The tidy table of what a policy lets through; see `count_themes`."""
    rows = []
    for group, cells in counts.groups.items():
        named = dict(zip(counts.by, group, strict=True))
        shown = {cell: rules.show(count) for cell, count in cells.items()}
        if shown[ALL, "cases"] is None:
            # Three themes and 10 mentions would say of a suppressed number of cases that it is 4 or more.
            shown[ALL, "mentions"] = None
        for theme in counts.themes:
            for row in _measures(theme, shown):
                rows.append({**named, "theme": theme, **row})
            if exposure is not None:
                rows.append({**named, "theme": theme, **_rate(shown[theme, "cases"], exposure.get(group), per)})
    table = pd.DataFrame(rows, columns=[*counts.by, "theme", "measure", *FIGURES])
    kinds = {name: "Int64" if name in ("count", "denominator") else "float64" for name in FIGURES[:-1]}
    return table.astype(kinds)


def _measures(theme: str, shown: Mapping[Cell, int | None]) -> Iterator[dict[str, Any]]:
    yield _count("cases", shown[theme, "cases"])
    if theme == ALL:
        yield _count("mentions", shown[ALL, "mentions"])
    else:
        yield _ratio("share", shown[theme, "cases"], shown[ALL, "cases"])
    for measure, (top, bottom) in RATIOS.items():
        if (theme, top) in shown:
            yield _ratio(measure, shown[theme, top], shown[theme, bottom])


def _count(measure: str, shown: int | None) -> dict[str, Any]:
    value = math.nan if shown is None else float(shown)
    return _row(measure, shown, None, value, symbol=SUPPRESSED if shown is None else "")


def _ratio(measure: str, top: int | None, bottom: int | None) -> dict[str, Any]:
    if top is None or bottom is None:
        # The denominator goes with it: beside a suppressed count it may not narrow what the count can be.
        return _row(measure, symbol=SUPPRESSED)
    if bottom == 0:
        return _row(measure, top, bottom, symbol=NOT_APPLICABLE)
    # Rounding may have lifted the part over the whole.
    top = min(top, bottom)
    return _row(measure, top, bottom, top / bottom, (*wilson(top, bottom), *wilson(top, bottom, 0.998)))


def _rate(count: int | None, exposure: int | None, per: int) -> dict[str, Any]:
    if count is None:
        return _row("rate", symbol=SUPPRESSED)
    if not exposure:
        return _row("rate", count, exposure, symbol=NOT_AVAILABLE if exposure is None else NOT_APPLICABLE)
    bounds = tuple(bound * per / exposure for bound in (*byar(count), *byar(count, 0.998)))
    return _row("rate", count, exposure, count * per / exposure, bounds)


def _row(
    measure: str,
    count: int | None = None,
    denominator: int | None = None,
    value: float = math.nan,
    bounds: Sequence[float] = (math.nan,) * 4,
    symbol: str = "",
) -> dict[str, Any]:
    return {"measure": measure, **dict(zip(FIGURES, (count, denominator, value, *bounds, symbol), strict=True))}


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


def _masks(cases: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Who counts towards each quantity that a whole case has."""
    masks = {"cases": np.ones(len(cases), bool)}
    # Asked of all cases, not of each group: that a group has no resolved case is a count too.
    if cases["outcome"].notna().any():
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
