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
import pyarrow as pa

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
RESERVED = frozenset(["theme", "measure", "count", "denominator", "value", "low", "high", "symbol"])


@dataclass(frozen=True)
class Counted:
    """The cases that a table counts: those with a status in `COUNTED`, one row a `case_id`.

    Attributes:
        cases: the grouping columns, `status`, `outcome`, and one boolean column `p_<theme>` a theme.
        themes: the theme ids, in the taxonomy's order.
    """

    cases: pd.DataFrame
    themes: tuple[str, ...]


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
        _check_group(name, table)
    themes = _themes(table.column_names)
    keep = [*dict.fromkeys([*groups, "themes", "status"])]
    keep += [name for name in ("case_id", "outcome") if name in table.column_names and name not in keep]
    frame = table.select(keep).to_pandas()
    frame["outcome"] = (
        [None if _blank(cell) else parse_outcome(cell) for cell in frame["outcome"]] if "outcome" in frame else None
    )
    frame = frame[frame["status"].isin(COUNTED)].reset_index(drop=True)
    raised = [frozenset(split_themes(cell)) for cell in frame["themes"]]
    for theme in themes:
        frame["p_" + theme] = [theme in row for row in raised]
    frame = _merge_repeats(frame, ["p_" + theme for theme in themes])
    for name in groups:
        frame[name] = [NOT_RECORDED if _blank(value) else value for value in frame[name]]
    return Counted(frame, themes)


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


def _themes(columns: Sequence[str]) -> tuple[str, ...]:
    """The ids in the names of the columns that tagging added, which stand between `themes` and `evidence`."""
    added = columns[columns.index("themes") :]
    added = added[: added.index("evidence")] if "evidence" in added else added
    return tuple(name.removeprefix("p_") for name in added if name.startswith("p_"))


def _check_group(name: str, table: pa.Table) -> None:
    if name not in table.column_names:
        raise InputError(f"can't group by {name!r}; the columns are: {', '.join(table.column_names)}")
    if name in RESERVED:
        raise InputError(f"can't group by {name!r}: the table of counts has a column of that name; rename it first")
    if pa.types.is_nested(table.schema.field(name).type):
        raise InputError(f"can't group by {name!r}: its cells are lists or records, not single values")


def _merge_repeats(frame: pd.DataFrame, flags: Sequence[str]) -> pd.DataFrame:
    if "case_id" not in frame:
        return frame
    # A row with no id is a case of its own.
    key = [f"row {i}" if _blank(v) else f"id {v}" for i, v in enumerate(frame["case_id"])]
    if len(set(key)) == len(key):
        return frame
    # "last" skips blanks: a follow-up without an outcome does not undo one.
    how: Mapping[str, Any] = {
        name: "max" if name in flags else "last" if name == "outcome" else "first" for name in frame.columns
    }
    return frame.groupby(key, sort=False).agg(how).reset_index(drop=True)


def _blank(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _names(by: Iterable[str]) -> list[str]:
    return [by] if isinstance(by, str) else list(dict.fromkeys(by))
