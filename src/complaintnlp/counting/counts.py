"""Tagged cases -> the tidy table of themed counts.

The rule is KO41a's: a case counts once in the total and once under every theme that it raises. So the
shares of the themes add up to more than 1, and each share says of how many *cases*.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from complaintnlp.cases import as_table, parse_outcome, split_themes, with_roles
from complaintnlp.counting.disclosure import SUPPRESSED, Policy, policy
from complaintnlp.counting.intervals import wilson
from complaintnlp.errors import InputError

ALL = "all"
NONE = "none"
NOT_APPLICABLE = "[z]"
NOT_RECORDED = "Not recorded"
COUNTED = ("classified", "no_theme", "review")
RESOLVED = ("upheld", "partly_upheld", "not_upheld")
UPHELD = ("upheld", "partly_upheld")
MEASURES = ("cases", "mentions", "share", "upheld_rate")


@dataclass(frozen=True)
class Counted:
    """The cases that a table counts, and what was left out.

    Attributes:
        cases: one row a case: the grouping columns, `outcome`, and one boolean column a theme.
        themes: the theme ids, in the taxonomy's order.
        notes: what was left out or put together, and why, one sentence each.
    """

    cases: pd.DataFrame
    themes: tuple[str, ...]
    notes: tuple[str, ...]


def count_themes(tagged: Any, by: Iterable[str] = (), *, disclosure: str = "none") -> pd.DataFrame:
    """Count cases and themes, overall or by any columns.

    Args:
        tagged: tagged cases: what `classify_cases` returns, or a DataFrame, Arrow table or file of it.
        by: grouping columns: any column of the export, or `organisation`, `outcome`, `financial_year`
            (1 April to 31 March, from the received date).
        disclosure: the policy for small counts: `none`, `nhs_hes` or `opensafely`.

    Returns:
        A tidy table, one row a (group, theme, measure), with the columns of `by`, then

        * `theme`: a theme id, `all` (every case) or `none` (cases that raise no theme);
        * `measure`: `cases` (that raise it), `mentions` (`all` only: cases summed over themes), `share` (of the
          group's cases), `upheld_rate` (upheld or partly upheld, over *resolved* cases);
        * `count`, `denominator`: whole numbers, missing where not shown or not applicable;
        * `value`: the count, or count / denominator; `low`, `high`: its 95 % Wilson interval;
        * `symbol`: `[c]` where the policy suppresses it, `[z]` where the denominator is 0, else empty.

    Raises:
        InputError: when `tagged` has no `themes` column, or a column of `by` is not there.
    """
    return tabulate(counted_cases(tagged, by), tuple(_names(by)), policy(disclosure))


def counted_cases(tagged: Any, by: Iterable[str] = ()) -> Counted:
    """Reduce tagged rows to distinct, countable cases; see `count_themes` for the arguments."""
    table = with_roles(as_table(tagged), required=())
    missing = [name for name in ("themes", "status") if name not in table.column_names]
    if missing:
        raise InputError(
            f"the cases have no {missing[0]!r} column; tag them first with classify_cases or `complaintnlp classify`"
        )
    groups = _names(by)
    for name in groups:
        if name not in table.column_names:
            raise InputError(f"can't group by {name!r}; the columns are: {', '.join(table.column_names)}")
    themes = tuple(n.removeprefix("p_") for n in table.column_names if n.startswith("p_"))
    keep = [*dict.fromkeys([*groups, "themes", "status"])]
    keep += [name for name in ("case_id", "outcome") if name in table.column_names and name not in keep]
    frame = table.select(keep).to_pandas()
    outcomes = frame["outcome"] if "outcome" in frame else [None] * len(frame)
    # pandas holds a blank as nan, whose text would be an outcome of its own.
    frame["outcome"] = pd.Series([None if _blank(v) else parse_outcome(v) for v in outcomes], dtype=object)
    notes = []
    countable = frame["status"].isin(COUNTED)
    for status, count in frame.loc[~countable, "status"].value_counts(sort=False).sort_index().items():
        notes.append(f"{_rows(count)} left out: status {status!r}, so no themes could be read.")
    frame = frame[countable].reset_index(drop=True)
    raised = [frozenset(split_themes(cell)) for cell in frame["themes"]]
    for theme in themes:
        frame["p_" + theme] = [theme in row for row in raised]
    frame, merged = _merge_repeats(frame, ["p_" + theme for theme in themes])
    if merged:
        notes.append(
            f"{_rows(merged)} put together with an earlier row of the same case_id: a case counts once, "
            "under every theme of its rows."
        )
    for name in groups:
        frame[name] = [NOT_RECORDED if _blank(value) else value for value in frame[name]]
    return Counted(frame, themes, tuple(notes))


def tabulate(counted: Counted, by: Sequence[str], rules: Policy) -> pd.DataFrame:
    """The table that `count_themes` returns, from cases already reduced."""
    frame = counted.cases
    groups: Iterable[tuple[Any, pd.DataFrame]] = (
        frame.groupby(list(by), sort=True, dropna=False) if by else [((), frame)]
    )
    rows = []
    for key, members in groups:
        named = dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
        rows += [{**named, **row} for row in _measures(members, counted.themes, rules)]
    columns = [*by, "theme", "measure", "count", "denominator", "value", "low", "high", "symbol"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(
        {"count": "Int64", "denominator": "Int64", "value": "float64", "low": "float64", "high": "float64"}
    )


def _measures(cases: pd.DataFrame, themes: Sequence[str], rules: Policy) -> Iterable[dict[str, Any]]:
    everyone = pd.Series(True, index=cases.index)
    flags: dict[str, pd.Series[bool]] = {theme: cases["p_" + theme].astype(bool) for theme in themes}
    unthemed = ~pd.concat(list(flags.values()), axis=1).any(axis=1) if flags else everyone
    resolved, upheld = cases["outcome"].isin(RESOLVED), cases["outcome"].isin(UPHELD)
    mentions = sum(int(flag.sum()) for flag in flags.values())
    for theme, flag in {ALL: everyone, **flags, NONE: unthemed}.items():
        yield _count(theme, "cases", int(flag.sum()), rules)
        if theme == ALL:
            # Three themes and 10 mentions would say of a suppressed number of cases that it is 4 or more.
            yield _count(theme, "mentions", mentions, rules, hidden=rules.show(len(cases)) is None)
        else:
            yield _ratio(theme, "share", int(flag.sum()), len(cases), rules)
        if resolved.any():
            yield _ratio(theme, "upheld_rate", int((flag & upheld).sum()), int((flag & resolved).sum()), rules)


def _count(theme: str, measure: str, count: int, rules: Policy, *, hidden: bool = False) -> dict[str, Any]:
    shown = None if hidden else rules.show(count)
    symbol = SUPPRESSED if shown is None else ""
    value = math.nan if shown is None else float(shown)
    return _row(theme, measure, shown, None, value, (math.nan, math.nan), symbol)


def _ratio(theme: str, measure: str, count: int, denominator: int, rules: Policy) -> dict[str, Any]:
    top, bottom = rules.show(count), rules.show(denominator)
    nothing = (math.nan, math.nan)
    if top is None or bottom is None:
        # The denominator goes with it: beside a suppressed count it may not narrow what the count can be.
        return _row(theme, measure, None, None, math.nan, nothing, SUPPRESSED)
    if bottom == 0:
        return _row(theme, measure, top, bottom, math.nan, nothing, NOT_APPLICABLE)
    top = min(top, bottom)
    return _row(theme, measure, top, bottom, top / bottom, wilson(top, bottom), "")


def _row(
    theme: str,
    measure: str,
    count: int | None,
    denominator: int | None,
    value: float,
    interval: tuple[float, float],
    symbol: str,
) -> dict[str, Any]:
    return {
        "theme": theme,
        "measure": measure,
        "count": count,
        "denominator": denominator,
        "value": value,
        "low": interval[0],
        "high": interval[1],
        "symbol": symbol,
    }


def _merge_repeats(frame: pd.DataFrame, flags: Sequence[str]) -> tuple[pd.DataFrame, int]:
    if "case_id" not in frame:
        return frame, 0
    # A row with no id is a case of its own.
    key = [f"id {v}" if not _blank(v) else f"row {i}" for i, v in enumerate(frame["case_id"])]
    if len(set(key)) == len(key):
        return frame, 0
    how: Mapping[str, Any] = {
        name: "max" if name in flags else "last" if name == "outcome" else "first" for name in frame.columns
    }
    # "last" of outcome skips blanks: a follow-up without a decision does not undo one.
    merged = frame.groupby(key, sort=False).agg(how).reset_index(drop=True)
    return merged, len(frame) - len(merged)


def _blank(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _names(by: Iterable[str]) -> list[str]:
    return [by] if isinstance(by, str) else list(dict.fromkeys(by))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
