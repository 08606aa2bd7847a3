from __future__ import annotations

import math
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import complaintnlp as cn
from complaintnlp.counting.trend import (
    Limits,
    change,
    control_chart,
    g_chart,
    recurrence,
    signals,
    xmr_limits,
)
from complaintnlp.errors import InputError

NAN = math.nan


def found(values: list[float]) -> list[tuple[str, ...]]:
    limits = xmr_limits(values)
    return signals(values, limits, limits.upper - limits.centre)


def test_limits_worked_by_hand() -> None:
    # Moving ranges 2, 1, 2, 4: mean 2.25; 2.66 x 2.25 = 5.985.
    limits = xmr_limits([10, 12, 11, 13, 9])
    assert (limits.centre, limits.lower, limits.upper) == pytest.approx((11, 5.015, 16.985))
    # 3 and 5 have no range between them; 1 and 3, 5 and 9 have: mean 3. The lower limit is cut at 0.
    limits = xmr_limits([1, 3, NAN, 5, 9])
    assert (limits.centre, limits.lower, limits.upper) == pytest.approx((4.5, 0, 4.5 + 2.66 * 3))
    assert math.isnan(xmr_limits([4]).upper)


def test_a_point_outside() -> None:
    values = [10.0, 11, 10, 9, 10, 11, 10, 9, 10, 30, 10, 11]
    assert [p for p, names in enumerate(found(values)) if "outside" in names] == [9]


@pytest.mark.parametrize(("low", "marked"), [(7, 7), (6, 0)])
def test_seven_on_one_side_are_a_shift_and_six_are_not(low: int, marked: int) -> None:
    values = [4.0, 20, 4, 20] + [11.0] * low + [30.0]
    assert sum("shift" in names for names in found(values)) == marked


def test_seven_that_rise_are_a_trend_and_a_gap_ends_it() -> None:
    assert ["trend" in names for names in found([5, 1, 2, 3, 4, 5, 6, 7, 3])] == [False] + [True] * 7 + [False]
    assert not any("trend" in names for names in found([1, 2, 3, 4, NAN, 5, 6, 7]))
    assert not any("trend" in names for names in found([1, 2, 3, 4, 4, 5, 6]))
    assert all("trend" in names for names in found([7, 6, 5, 4, 3, 2, 1]))


def test_two_of_three_in_the_outer_third() -> None:
    limits = Limits(10, 4, 16)
    named = signals([10, 15, 10, 14.5, 10, 5, 15, 10, 10], limits, 6)
    assert [p for p, names in enumerate(named) if "near_limit" in names] == [1, 3]


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40), st.integers(1, 9))
def test_scale_changes_no_signal(values: list[int], by: int) -> None:
    one, other = found([float(v) for v in values]), found([float(v * by) for v in values])
    # A point on a limit may fall on either side by rounding; the runs are exact.
    keep = [[tuple(set(n) & {"trend"}) for n in names] for names in (one, other)]
    assert keep[0] == keep[1]


def tagged(rows: list[tuple[str, str, str, str]], severity: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["organisation", "received", "themes", "severity"])
    frame["p_a"], frame["status"] = 0.5, "classified"
    return frame if severity else frame.drop(columns="severity")


def test_a_month_without_a_case_counts_none() -> None:
    rows = [("X", f"2016-{m:02d}-03", "a", "low") for m in (4, 4, 5, 9)] + [("Y", "soon", "a", "low")]
    chart = control_chart(cn.count_themes(tagged(rows), by=["organisation", "month"]))
    part = chart[(chart["organisation"] == "X") & (chart["theme"] == "a")]
    assert part["month"].tolist() == ["2016-04", "2016-05", "2016-06", "2016-07", "2016-08", "2016-09"]
    assert part["value"].tolist() == [2, 1, 0, 0, 0, 1]
    assert part["centre"].iloc[0] == pytest.approx(4 / 6)
    assert part["few"].all()
    assert "Y" not in set(chart["organisation"])
    shares = control_chart(cn.count_themes(tagged(rows), by=["organisation", "month"]), "share")
    assert shares[shares["theme"] == "a"]["value"].isna().sum() == 3


def test_what_is_suppressed_stays_unknown() -> None:
    rows = [("X", f"2016-{m:02d}-03", "a", "") for m in (4, 5, 6, 7) for _ in range(3 if m == 6 else 20)]
    chart = control_chart(cn.count_themes(tagged(rows), by="quarter", disclosure="nhs_hes"))
    assert chart["quarter"].unique().tolist() == ["2016-17 Q1", "2016-17 Q2"]
    months = control_chart(cn.count_themes(tagged(rows), by="month", disclosure="nhs_hes"))
    assert months[months["theme"] == "a"]["value"].isna().tolist() == [False, False, True, False]


def test_twelve_points_are_enough() -> None:
    rows = [("X", f"{2004 + y}-06-03", "a", "") for y in range(12)]
    table = cn.count_themes(tagged(rows), by="financial_year")
    assert not control_chart(table)["few"].any()
    assert control_chart(table[table["financial_year"] != "2004-05"])["few"].all()


def test_bad_tables_are_refused() -> None:
    table = cn.count_themes(tagged([("X", "2016-04-03", "a", "")]), by="organisation")
    with pytest.raises(InputError, match="no period"):
        control_chart(table)
    table = cn.count_themes(tagged([("X", "2016-04-03", "a", "")]), by="month")
    with pytest.raises(InputError, match="no measure 'rate'; it has cases, mentions"):
        control_chart(table, "rate")
    with pytest.raises(InputError, match="another kind"):
        control_chart(table.assign(month="May"))


def test_days_between_rare_events() -> None:
    start = date(2016, 4, 1)
    chart = g_chart([start, start + timedelta(30), start + timedelta(10), start + timedelta(60)])
    assert chart["gap"].tolist() == [10, 20, 30]
    # 20 + 3 x sqrt(20 x 21) = 81.48
    assert chart["upper"].iloc[0] == pytest.approx(81.482, abs=0.001)
    assert chart["few"].all()
    long = g_chart([start + timedelta(d) for d in (*range(15), 200)])
    assert long["signal"].tolist() == [""] * 14 + ["outside"]
    assert g_chart([start]).empty


def test_failings_that_come_back() -> None:
    rows = []
    for organisation, upheld in (("Again", (2014, 2016)), ("Once", (2014,)), ("Never", ())):
        for year in range(2013, 2019):
            for n in range(8 - (year - 2013)):
                finding = "a: upheld" if n == 0 and year in upheld else "a: raised"
                if organisation == "Once" and year > 2014:
                    continue
                rows.append((organisation, f"{year}-06-01", "a", "low" if n else "high", finding))
    frame = tagged([row[:4] for row in rows]).assign(findings=[row[4] for row in rows])
    told = recurrence(cn.count_themes(frame, by=["organisation", "financial_year"]))
    told = told[told["theme"] == "a"].set_index("organisation")
    assert told.index.tolist() == ["Again", "Never", "Once"]
    assert told["upheld_first"].tolist() == ["2014-15", "", "2014-15"]
    assert told["raised_again"].tolist() == ["yes", "[z]", "no"]
    assert told["upheld_again"].tolist() == ["yes", "[z]", "no"]
    assert told["number"].tolist() == ["falls", "falls", "falls"]
    assert told["severe"].tolist() == ["rises", "rises", "too few"]


def test_without_findings_the_outcome_says_what_was_upheld_and_a_symbol_stays_one() -> None:
    frame = tagged([("X", f"{year}-06-01", "a", "") for year in (2014, 2015, 2016) for _ in range(20)], severity=False)
    frame["outcome"] = ["Upheld"] * 20 + ["Not upheld"] * 18 + ["Upheld"] * 2 + ["Not upheld"] * 20
    plain, hidden = (
        recurrence(cn.count_themes(frame, by=["organisation", "financial_year"], disclosure=name))
        for name in ("none", "nhs_hes")
    )
    assert plain[plain["theme"] == "a"][["upheld_again", "severe"]].to_numpy().tolist() == [["yes", "too few"]]
    assert hidden[hidden["theme"] == "a"]["upheld_again"].tolist() == ["[c]"]


def test_change_is_symmetric() -> None:
    assert change([1, 2, 3, 4, 5]) == "rises"
    assert change([5, 4, NAN, 3, 2, 1]) == "falls"
    assert change([2, 2, 2, 2]) == "no clear change"
