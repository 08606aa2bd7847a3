"""Countable cases -> the tidy table of themed counts.

The rule is KO41a's: a case counts once in the total and once under every theme that it raises. So the
shares of the themes add up to more than 1, and each share says of how many *cases*.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from complaintnlp.cases import as_table
from complaintnlp.counting.crosswalk import Crosswalk, cross, find_crosswalk
from complaintnlp.counting.disclosure import SUPPRESSED, Policy, policy
from complaintnlp.counting.exposure import Exposure, exposures
from complaintnlp.counting.intervals import byar, wilson
from complaintnlp.counting.prevalence import BINS, Errors, bins, errors_for, estimate, tagged_by
from complaintnlp.counting.suppress import Hidden, protect
from complaintnlp.counting.tagged import Counted, counted_cases, names
from complaintnlp.counting.tally import ALL, WHOLES, Cell, Group, Tally, members_of, tally
from complaintnlp.errors import InputError

NOT_APPLICABLE = "[z]"
NOT_AVAILABLE = "[x]"
UNRELIABLE = "[u]"
RATIOS: Mapping[str, tuple[str, str]] = {
    "upheld_rate": ("upheld", "resolved"),
    **{part: (part, whole) for whole, parts in WHOLES.items() for part in parts},
}
"""Measures that are one quantity of a theme over another of the same theme."""
FIGURES = ("count", "denominator", "value", "low", "high", "low_998", "high_998", "symbol")

More = Callable[[Group, str, Mapping[Cell, int | None]], Iterable[dict[str, Any]]]
"""Makes further rows of a group and a theme from the group's counts as shown."""


def count_themes(
    tagged: Any,
    by: Iterable[str] = (),
    *,
    disclosure: str = "none",
    crosswalk: str | Crosswalk | None = None,
    error: Any = None,
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
        crosswalk: `ko41a` or `hcat`, or one read by `counting.read_crosswalk`: count its categories instead of
            themes, from the subthemes of the tagged rows.
        error: the model that tagged the cases, its folder, or the `facts` of its manifest, for shares corrected
            for its error.
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
          `severity_medium` and `severity_high` (over graded cases); with `error`, `estimated_share` of themes
          and subthemes (corrected for what the model misses and raises wrongly; see `prevalence`); with
          `exposure`, `rate`;
        * `count`, `denominator`: whole numbers, missing where not shown or not applicable;
        * `value`: the count, count / denominator, or count x `per` / exposure;
        * `low`, `high`, `low_998`, `high_998`: its 95 % and 99.8 % interval: Wilson's for shares, Byar's
          for rates, of the profile likelihood for estimated shares;
        * `symbol`: `[c]` where the policy suppresses it, `[z]` where the denominator is 0, `[x]` where no
          exposure was given for the group, else empty.

    Raises:
        InputError: when `tagged` has no `themes` column, a column of `by` is not there, the exposure does not
            fit it, or a crosswalk is asked for and there are no subthemes.
    """
    columns = tuple(names(by))
    known = None if exposure is None else exposures(exposure, columns)
    table = as_table(tagged)
    errors = None if error is None else errors_for(error, tagged_by(table))
    counted = counted_cases(table, columns)
    if crosswalk is not None:
        if errors is not None:
            raise InputError("a model's error is known for themes and not for categories; leave error or crosswalk out")
        counted = cross(counted, find_crosswalk(crosswalk))
    return tabulate(counted, columns, policy(disclosure), errors, known, per)


def tabulate(
    counted: Counted,
    by: Sequence[str],
    rules: Policy,
    errors: Mapping[str, Errors] | None = None,
    exposure: Mapping[Group, int] | None = None,
    per: int = 1000,
) -> pd.DataFrame:
    """The table that `count_themes` returns, from cases already reduced."""
    # The totals are published somewhere too, or can be asked for.
    margins = [(), *((name,) for name in by if len(by) > 1)] if by else []
    tallies = [
        *(tally(counted, some) for some in margins),
        tally(counted, by, (exposure or ()) if rules.zero_shown else ()),
    ]
    more = [] if errors is None else [estimates(counted, by, rules, errors)]
    more += [] if exposure is None else [partial(rates, exposure, per)]
    return publish(tallies[-1], rules, protect(tallies, rules)[-1], more)


def publish(counts: Tally, rules: Policy, hidden: Hidden, more: Iterable[More] = ()) -> pd.DataFrame:
    """The tidy table of what a policy lets through, less the hidden cells; see `count_themes`.

    Args:
        counts: the true counts.
        rules: the disclosure policy.
        hidden: what `protect` hides of them.
        more: what makes further measures of the counts that are shown.
    """
    rows = []
    for group, cells in counts.groups.items():
        named = dict(zip(counts.by, group, strict=True))
        shown = {cell: None if (group, cell) in hidden else rules.show(count) for cell, count in cells.items()}
        for theme in counts.themes:
            made = [*_measures(theme, shown), *(row for make in more for row in make(group, theme, shown))]
            rows += [{**named, "theme": theme, **row} for row in made]
    table = pd.DataFrame(rows, columns=[*counts.by, "theme", "measure", *FIGURES])
    kinds = {name: "Int64" if name in ("count", "denominator") else "float64" for name in FIGURES[:-1]}
    return table.astype(kinds)


def estimates(counted: Counted, by: Sequence[str], rules: Policy, errors: Mapping[str, Errors]) -> More:
    """What makes the measure `estimated_share` of a table's counts; for `publish`."""
    binned = {}
    # Under a policy estimates too are made of the counts that it lets through, and of nothing else.
    if rules.exact:
        members = members_of(counted.cases, by)
        for theme in set(errors).intersection(counted.themes):
            probability = counted.cases["counted_probability_" + theme].to_numpy(float)
            for group, places in members.items():
                if np.isfinite(probability[places]).all():
                    binned[group, theme] = np.bincount(bins(probability[places]), minlength=BINS)

    def make(group: Group, theme: str, shown: Mapping[Cell, int | None]) -> Iterator[dict[str, Any]]:
        if theme not in errors:
            return
        top, cases = shown[theme, "cases"], shown[ALL, "cases"]
        if top is None or cases is None:
            yield _row("estimated_share", symbol=SUPPRESSED)
            return
        error = errors[theme]
        known = np.array(error.positives, float), np.array(error.negatives, float)
        new = binned.get((group, theme))
        if new is None or len(new) != len(error.positives):
            known, new = error.by_decision(), np.array([max(cases - top, 0), top])
        found = estimate(new, *known)
        if found is None:
            yield _row("estimated_share", None, cases, symbol=UNRELIABLE)
        else:
            bounds = (found.low, found.high, found.low_998, found.high_998)
            yield _row("estimated_share", None, cases, found.share, bounds)

    return make


def _measures(theme: str, shown: Mapping[Cell, int | None]) -> Iterator[dict[str, Any]]:
    yield _count("cases", shown[theme, "cases"])
    if (theme, "mentions") in shown:
        yield _count("mentions", shown[ALL, "mentions"])
    if theme != ALL:
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


def rates(
    exposure: Mapping[Group, int], per: int, group: Group, theme: str, shown: Mapping[Cell, int | None]
) -> Iterator[dict[str, Any]]:
    """The measure `rate` of a group and a theme; with its first two arguments given, for `publish`."""
    count, exposed = shown[theme, "cases"], exposure.get(group)
    if count is None:
        yield _row("rate", symbol=SUPPRESSED)
    elif not exposed:
        yield _row("rate", count, exposed, symbol=NOT_AVAILABLE if exposed is None else NOT_APPLICABLE)
    else:
        bounds = tuple(bound * per / exposed for bound in (*byar(count), *byar(count, 0.998)))
        yield _row("rate", count, exposed, count * per / exposed, bounds)


def _row(
    measure: str,
    count: int | None = None,
    denominator: int | None = None,
    value: float = math.nan,
    bounds: Sequence[float] = (math.nan,) * 4,
    symbol: str = "",
) -> dict[str, Any]:
    return {"measure": measure, **dict(zip(FIGURES, (count, denominator, value, *bounds, symbol), strict=True))}
