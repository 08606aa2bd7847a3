"""Tables of counts -> whether things change, and whether they are repeated.

Each function takes a table of `count_themes` that has a period (`month`, `quarter`, `financial_year`) among its
groups, and returns a tidy table. Figures that a policy suppressed stay unknown here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from complaintnlp.counting.tagged import NOT_RECORDED, PERIODS, RESERVED
from complaintnlp.errors import InputError

FEW_POINTS = 12
"""Points under which the limits of a control chart are not to be relied on (NHS England, Making Data Count)."""
RUN = 7
_CHANGE_POINTS = 4
"""Periods under which nothing is said of a rise or fall: not even a perfect one would be beyond chance."""


@dataclass(frozen=True)
class Limits:
    """The centre line and the limits of a control chart."""

    centre: float
    lower: float
    upper: float


def xmr_limits(values: Sequence[float]) -> Limits:
    """Limits of an XmR chart: mean +/- 2.66 x the mean moving range.

    Source: Wheeler (1993), Understanding Variation; NHS England, Making Data Count. What is missing (nan) has
    no moving range with its neighbours. No lower limit is below 0, for counts and shares can't be.

    >>> xmr_limits([10, 12, 11, 13, 9])
    Limits(centre=11.0, lower=5.015, upper=16.985)
    """
    known = np.asarray(values, float)
    ranges = np.abs(np.diff(known))
    ranges = ranges[np.isfinite(ranges)]
    if not len(ranges):
        return Limits(math.nan, math.nan, math.nan)
    centre, reach = float(np.nanmean(known)), 2.66 * float(ranges.mean())
    return Limits(centre, max(centre - reach, 0.0), centre + reach)


def signals(values: Sequence[float], limits: Limits, reach: float) -> list[tuple[str, ...]]:
    """Which signals of special cause each point is part of.

    Args:
        values: in order of time; nan where not known, which ends every run.
        limits: of the chart.
        reach: from the centre to a limit, before any cut at 0.

    Returns:
        For each point some of `outside` (the limits), `shift` (7 on one side of the centre), `trend` (7 in a
        row that rise, or fall), `near_limit` (2 of 3 in the outer third on one side). Source: NHS England,
        Making Data Count.
    """
    known = np.asarray(values, float)
    found: list[list[str]] = [[] for _ in known]

    def mark(places: Iterable[int], signal: str) -> None:
        for place in places:
            if signal not in found[place]:
                found[place].append(signal)

    mark(np.flatnonzero((known < limits.lower) | (known > limits.upper)), "outside")
    for sign in (1, -1):
        side = sign * (known - limits.centre)
        for start in range(len(known) - RUN + 1):
            window = range(start, start + RUN)
            if (side[window] > 0).all():
                mark(window, "shift")
            if (np.diff(sign * known[window]) > 0).all():
                mark(window, "trend")
        outer = side > 2 / 3 * reach
        for start in range(len(known) - 2):
            if reach > 0 and outer[start : start + 3].sum() >= 2:
                mark((p for p in range(start, start + 3) if outer[p]), "near_limit")
    return [tuple(names) for names in found]


def control_chart(table: pd.DataFrame, measure: str = "cases") -> pd.DataFrame:
    """XmR charts of a measure over time, one for each theme and group.

    Args:
        table: of `count_themes`, by a period and any other columns.
        measure: which of its measures.

    Returns:
        One row a (group, theme, period), in order of time, with the columns of `by`, `theme`, `value`,
        `centre`, `lower`, `upper`, `signal` (joined by `; `) and `few` (under 12 points: do not rely on the
        limits). Periods between the first and the last of the table that a group lacks count 0 cases, and
        their shares are missing. Cases without a date are left out.

    Raises:
        InputError: when no period is among the groups, or the measure is not in the table.
    """
    period, others = _groups(table)
    rows: list[dict[str, Any]] = []
    for names, series in _series(table, measure, period, others):
        limits = xmr_limits(series.to_list())
        found = signals(series.to_list(), limits, limits.upper - limits.centre)
        few = int(series.notna().sum()) < FEW_POINTS
        for (when, value), signal in zip(series.items(), found, strict=True):
            line = {"centre": limits.centre, "lower": limits.lower, "upper": limits.upper}
            rows.append({**names, period: when, "value": value, **line, "signal": "; ".join(signal), "few": few})
    columns = [*others, "theme", period, "value", "centre", "lower", "upper", "signal", "few"]
    return pd.DataFrame(rows, columns=columns)


def g_chart(days: Iterable[date]) -> pd.DataFrame:
    """The days between events, for a theme too rare to be counted by the month.

    The limits are mean + 3 x sqrt(mean x (mean + 1)) and 0, as of geometric gaps. Source: Benneyan (2001),
    Health Care Management Science 4:305-318, with the mean estimated.

    Args:
        days: when each case was received, in any order.

    Returns:
        One row an event from the second on: `received`, `gap` (days since the one before), `centre`,
        `upper`, `signal` (`outside` where the gap is longer than the limit: the theme has become rarer) and
        `few`.
    """
    ordered = sorted(days)
    gaps = np.array([(later - earlier).days for earlier, later in pairwise(ordered)], float)
    centre = float(gaps.mean()) if len(gaps) else math.nan
    upper = centre + 3 * math.sqrt(centre * (centre + 1))
    signal = np.where(gaps > upper, "outside", "")
    return pd.DataFrame(
        {"received": ordered[1:], "gap": gaps, "centre": centre, "upper": upper, "signal": signal}
    ).assign(few=len(gaps) < FEW_POINTS)


def recurrence(table: pd.DataFrame) -> pd.DataFrame:
    """Whether failings come back after they were upheld, and whether their number and severity fall.

    Args:
        table: of `count_themes`, by a period and, say, `organisation`. Upheld is the outcome of a case that
            raises the theme, where cases have outcomes, else what the text says was found of it (a letter of
            complaint, unlike a decision, seldom says).

    Returns:
        One row a (group, theme), with `upheld_first` (the period; blank if never), `raised_again` and
        `upheld_again` (in a later period: `yes`, `no`, or `[c]` where that hangs on a suppressed figure, and
        `[z]` if it was never upheld), `number` (of cases that raise it) and `severe` (share of high
        severity): `falls`, `rises`, `no clear change` (Kendall's tau, two-sided p of .05), or `too few` periods.
    """
    period, others = _groups(table)
    upheld = "upheld_rate" if (table["measure"] == "upheld_rate").any() else "finding_upheld"
    figures = {
        kind: {tuple(names.values()): series for names, series in _series(table, measure, period, others, column)}
        for kind, measure, column in (
            ("cases", "cases", "count"),
            ("upheld", upheld, "count"),
            ("severe", "severity_high", "value"),
        )
        if (table["measure"] == measure).any()
    }
    rows = []
    for key, cases in figures["cases"].items():
        names = dict(zip([*others, "theme"], key, strict=True))
        decided = figures.get("upheld", {}).get(key, pd.Series(dtype=float))
        first = next((place for place, count in enumerate(decided) if count > 0), None)
        severe = figures.get("severe", {}).get(key, pd.Series(dtype=float))
        rows.append(
            {
                **names,
                "upheld_first": "" if first is None else decided.index[first],
                "raised_again": "[z]" if first is None else _again(cases.to_list()[first + 1 :]),
                "upheld_again": "[z]" if first is None else _again(decided.to_list()[first + 1 :]),
                "number": change(cases.to_list()),
                "severe": change(severe.to_list()),
            }
        )
    columns = [*others, "theme", "upheld_first", "raised_again", "upheld_again", "number", "severe"]
    return pd.DataFrame(rows, columns=columns)


def change(values: Sequence[float]) -> str:
    """Whether a series falls or rises over time, by Kendall's tau; see `recurrence`.

    >>> change([9, 7, 6, 4, 3, 1]), change([1, 2, 1, 2, 1, 2]), change([3, 1])
    ('falls', 'no clear change', 'too few')
    """
    known = [(place, value) for place, value in enumerate(values) if not math.isnan(value)]
    if len(known) < _CHANGE_POINTS:
        return "too few"
    if len({value for _, value in known}) == 1:
        return "no clear change"
    tau, p = kendalltau(*zip(*known, strict=True))
    return "no clear change" if p >= 0.05 else "falls" if tau < 0 else "rises"


def _again(later: Sequence[float]) -> str:
    if any(count > 0 for count in later):
        return "yes"
    return "[c]" if any(math.isnan(count) for count in later) else "no"


def _groups(table: pd.DataFrame) -> tuple[str, list[str]]:
    by = [str(name) for name in table.columns if name not in RESERVED]
    period = next((name for name in by if name in PERIODS), None)
    if period is None:
        raise InputError(f"the table has no period; count by one of {', '.join(PERIODS)}")
    return period, [name for name in by if name != period]


def _series(
    table: pd.DataFrame, measure: str, period: str, others: Sequence[str], column: str = "value"
) -> Iterator[tuple[dict[str, Any], pd.Series[float]]]:
    """Each group and theme with its figures in order of time, without gaps."""
    if not (table["measure"] == measure).any():
        raise InputError(f"the table has no measure {measure!r}; it has {', '.join(dict.fromkeys(table['measure']))}")
    table = table[(table["measure"] == measure) & (table[period] != NOT_RECORDED)]
    if table.empty:
        return
    whens = _between(period, str(table[period].min()), str(table[period].max()))
    absent = 0.0 if measure == "cases" or column == "count" else math.nan
    for key, part in table.groupby([*others, "theme"], sort=False):
        series = part.set_index(period)[column].astype("Float64").astype(float)
        yield dict(zip([*others, "theme"], key, strict=True)), series.reindex(whens, fill_value=absent)


def _between(period: str, first: str, last: str) -> list[str]:
    """All periods of a kind from one to another, as they are written."""
    years = range(int(first[:4]), int(last[:4]) + 2) if (first[:4] + last[:4]).isdigit() else range(0)
    names = dict.fromkeys(str(PERIODS[period](date(year, month, 1))) for year in years for month in range(1, 13))
    if not {first, last} <= set(names):
        raise InputError(
            f"the column {period!r} has periods of another kind; rename it, and count_themes makes ours from the dates"
        )
    return [name for name in names if first <= name <= last]
