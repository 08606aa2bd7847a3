from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import complaintnlp as cn
from complaintnlp.counting import counted_cases
from complaintnlp.errors import InputError

THEMES = ("a", "b", "c")


def tagged(rows: list[dict[str, Any]]) -> pd.DataFrame:
    blank = {"status": "classified", "themes": "", **{f"p_{t}": 0.5 for t in THEMES}}
    return pd.DataFrame([{**blank, **row} for row in rows])


cases = st.lists(
    st.fixed_dictionaries(
        {
            "organisation": st.sampled_from(["X", "Y", "Z"]),
            "themes": st.sets(st.sampled_from(THEMES)).map(lambda s: "; ".join(sorted(s))),
            "outcome": st.sampled_from(["upheld", "Partially upheld", "not_upheld", "open", None]),
            "status": st.sampled_from(["classified", "no_theme", "review", "empty", "too_long"]),
        }
    ),
    min_size=1,
    max_size=60,
)


@given(cases)
@settings(deadline=None, max_examples=60)
def test_agrees_with_a_slow_obvious_count(rows: list[dict[str, Any]]) -> None:
    table = cn.count_themes(tagged(rows), by=["organisation"])
    read = [row for row in rows if row["status"] not in ("empty", "too_long")]
    for organisation in "XYZ":
        group = [row for row in read if row["organisation"] == organisation]
        part = table[table["organisation"] == organisation]
        assert bool(len(part)) == bool(group)
        if not group:
            continue
        for theme in THEMES:
            raising = [row for row in group if theme in row["themes"]]
            share = part[(part["theme"] == theme) & (part["measure"] == "share")].iloc[0]
            assert (share["count"], share["denominator"]) == (len(raising), len(group))
            assert share["low"] <= share["value"] <= share["high"]
            resolved = [row for row in raising if row["outcome"] in ("upheld", "Partially upheld", "not_upheld")]
            upheld = [row for row in resolved if row["outcome"] != "not_upheld"]
            rate = part[(part["theme"] == theme) & (part["measure"] == "upheld_rate")]
            if len(rate):
                assert (rate.iloc[0]["count"], rate.iloc[0]["denominator"]) == (len(upheld), len(resolved))
        total = part[part["theme"] == "all"].set_index("measure")["count"]
        assert total["cases"] == len(group)
        assert total["mentions"] == sum(len([t for t in THEMES if t in row["themes"]]) for row in group)


@given(cases, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_order_does_not_matter(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    first, second = (cn.count_themes(tagged(r), by=["organisation"]) for r in (rows, shuffled))
    pd.testing.assert_frame_equal(first, second)


@given(cases)
@settings(deadline=None, max_examples=30)
def test_groups_add_up_to_the_whole(rows: list[dict[str, Any]]) -> None:
    whole = cn.count_themes(tagged(rows)).query("measure == 'cases'").set_index("theme")["value"]
    parts = cn.count_themes(tagged(rows), by="organisation").query("measure == 'cases'").groupby("theme")["value"].sum()
    assert all(parts.get(theme, 0) == count for theme, count in whole.items())


def test_a_case_counts_once_however_many_rows_it_has() -> None:
    counted = counted_cases(
        tagged(
            [
                {"case_id": "1", "themes": "a", "outcome": "Upheld"},
                {"case_id": "1", "themes": "b", "outcome": ""},
                {"case_id": "", "themes": "a"},
                {"case_id": "", "themes": "a", "status": "empty"},
            ]
        )
    )
    assert len(counted.cases) == 2
    assert [bool(counted.cases.loc[0, f"p_{theme}"]) for theme in "abc"] == [True, True, False]
    assert counted.cases.loc[0, "outcome"] == "upheld"


def test_upheld_rate_is_over_resolved_cases() -> None:
    rows = [
        {"themes": "a", "outcome": o} for o in ("Upheld", "Not upheld", "Open", "Withdrawn", "Resolved informally", "")
    ]
    table = cn.count_themes(tagged(rows))
    rate = table[(table["theme"] == "a") & (table["measure"] == "upheld_rate")].iloc[0]
    assert (rate["count"], rate["denominator"], rate["value"]) == (1, 2, 0.5)


def test_blank_groups_are_named() -> None:
    table = cn.count_themes(
        tagged([{"organisation": None}, {"organisation": " "}, {"organisation": "X"}]), by="organisation"
    )
    assert set(table["organisation"]) == {"Not recorded", "X"}


def test_under_a_policy_nothing_tells_a_suppressed_count() -> None:
    rows = [{"themes": "a" if i < 3 else "b", "outcome": "Upheld"} for i in range(43)]
    table = cn.count_themes(tagged(rows), disclosure="nhs_hes")
    hidden = table[table["symbol"] == "[c]"]
    assert set(hidden["theme"]) == {"a"}
    assert hidden[["count", "denominator", "value", "low", "high"]].isna().all(axis=None)
    shown = table[(table["theme"] == "b") & (table["measure"] == "share")].iloc[0]
    assert (shown["count"], shown["denominator"]) == (40, 45)


def test_what_can_not_be_counted_is_said() -> None:
    with pytest.raises(InputError, match="no 'themes' column"):
        cn.count_themes([{"text": "a"}])
    with pytest.raises(InputError, match="can't group by 'ward'"):
        cn.count_themes(tagged([{}]), by="ward")
    with pytest.raises(InputError, match="rename"):
        cn.count_themes(tagged([{"count": 1}]), by="count")
    with pytest.raises(InputError, match="lists or records"):
        cn.count_themes(tagged([{"ward": ["a"]}]), by="ward")


def test_a_column_of_the_export_that_looks_like_a_theme_is_none() -> None:
    frame = tagged([{"themes": "a"}])
    frame.insert(0, "p_number", "07")
    assert set(cn.count_themes(frame)["theme"]) == {"all", "a", "b", "c", "none"}


def test_no_cases_at_all() -> None:
    table = cn.count_themes(tagged([{"status": "empty"}]))
    assert table.query("measure == 'cases'")["count"].tolist() == [0, 0, 0, 0, 0]
