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


SUBTHEMES = ("d", "e")
FINDINGS = ("raised", "not_upheld", "upheld")

cases = st.lists(
    st.fixed_dictionaries(
        {
            "organisation": st.sampled_from(["X", "Y", "Z"]),
            "themes": st.sets(st.sampled_from(THEMES)).map(lambda s: "; ".join(sorted(s))),
            "subthemes": st.sets(st.sampled_from(SUBTHEMES)).map(lambda s: "; ".join(sorted(s))),
            "findings": st.dictionaries(st.sampled_from(THEMES), st.sampled_from(FINDINGS)).map(
                lambda found: "; ".join(f"{theme}: {finding}" for theme, finding in found.items())
            ),
            "severity": st.sampled_from(["low", "Medium", "HIGH", "", None, "unsure"]),
            "outcome": st.sampled_from(["upheld", "Partially upheld", "not_upheld", "open", None]),
            "status": st.sampled_from(["classified", "no_theme", "review", "empty", "too_long"]),
        }
    ),
    min_size=1,
    max_size=60,
)


def obvious(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], tuple[int, int | None]]:
    """Count and denominator of each (organisation, theme, measure), written without a thought of speed."""
    found: dict[tuple[str, str, str], tuple[int, int | None]] = {}
    rows = [row for row in rows if row["status"] not in ("empty", "too_long")]
    dated = any(row["outcome"] for row in rows)
    details = sorted({part for row in rows for part in row["subthemes"].split("; ") if part})
    for organisation in {row["organisation"] for row in rows}:
        group = [row for row in rows if row["organisation"] == organisation]
        mentions = sum(len(row["themes"].split("; ")) for row in group if row["themes"])
        found[organisation, "all", "mentions"] = (mentions, None)
        for theme in ("all", *THEMES, "none", *details):
            raising = []
            for row in group:
                ids = row["themes"].split("; ") + row["subthemes"].split("; ")
                if theme == "all" or theme in ids or (theme == "none" and not row["themes"]):
                    raising.append(row)
            found[organisation, theme, "cases"] = (len(raising), None)
            if theme != "all":
                found[organisation, theme, "share"] = (len(raising), len(group))
            resolved = [row for row in raising if row["outcome"] in ("upheld", "Partially upheld", "not_upheld")]
            upheld = [row for row in resolved if row["outcome"] != "not_upheld"]
            if dated:
                found[organisation, theme, "upheld_rate"] = (len(upheld), len(resolved))
            graded = [(row["severity"] or "").lower() for row in raising]
            graded = [grade for grade in graded if grade in ("low", "medium", "high")]
            for grade in ("low", "medium", "high"):
                found[organisation, theme, f"severity_{grade}"] = (graded.count(grade), len(graded))
            if theme in THEMES:
                parts = [part for row in raising for part in row["findings"].split("; ")]
                own = [part.split(": ")[1] for part in parts if part.startswith(theme)]
                for finding in FINDINGS:
                    found[organisation, theme, f"finding_{finding}"] = (own.count(finding), len(own))
    return found


@given(cases)
@settings(deadline=None, max_examples=60)
def test_agrees_with_a_slow_obvious_count(rows: list[dict[str, Any]]) -> None:
    table = cn.count_themes(tagged(rows), by=["organisation"])
    found = {
        (row["organisation"], row["theme"], row["measure"]): (
            row["count"],
            None if pd.isna(row["denominator"]) else row["denominator"],
        )
        for row in table.to_dict("records")
    }
    assert found == obvious(rows)
    assert len(found) == len(table)
    shares = table[table["denominator"] > 0]
    assert (shares["low_998"] <= shares["low"]).all()
    assert (shares["low"] <= shares["value"]).all()
    assert (shares["value"] <= shares["high"]).all()
    assert (shares["high"] <= shares["high_998"]).all()
    assert set(table.loc[table["denominator"] == 0, "symbol"]) <= {"[z]"}


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
    whole = cn.count_themes(tagged(rows)).set_index(["theme", "measure"])
    parts = cn.count_themes(tagged(rows), by="organisation").groupby(["theme", "measure"], sort=False)
    for name in ("count", "denominator"):
        sums = parts[name].sum()
        assert {key: sums.get(key, 0) for key in whole.index} == whole[name].fillna(0).to_dict()


@given(cases)
@settings(deadline=None, max_examples=30)
def test_parts_of_one_denominator_add_up_to_it(rows: list[dict[str, Any]]) -> None:
    table = cn.count_themes(tagged(rows), by="organisation")
    for kind in ("finding_", "severity_"):
        part = table[table["measure"].str.startswith(kind)].groupby(["organisation", "theme"])
        assert (part["count"].sum() == part["denominator"].max()).all()
        assert (part["denominator"].nunique() <= 1).all()


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


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("financial_year", ["2015-16", "2016-17", "Not recorded"]),
        ("quarter", ["2015-16 Q4", "2016-17 Q1", "2016-17 Q3", "Not recorded"]),
        ("month", ["2016-03", "2016-04", "2016-12", "Not recorded"]),
    ],
)
def test_periods_come_from_the_received_date(by: str, groups: list[str]) -> None:
    days = ["31/03/2016", "2016-04-01", "31 Dec 2016", "soon"]
    table = cn.count_themes(tagged([{"Date received": day} for day in days]), by=by)
    assert list(dict.fromkeys(table[by])) == groups


def test_a_column_of_the_export_outranks_a_period_and_no_dates_are_said() -> None:
    assert set(cn.count_themes(tagged([{"month": "May", "received": "2016-04-01"}]), by="month")["month"]) == {"May"}
    with pytest.raises(InputError, match="no column of the dates received"):
        cn.count_themes(tagged([{}]), by="quarter")


def test_findings_and_severity_of_repeats_are_the_gravest_in_any_order() -> None:
    rows = [
        {"case_id": 1, "themes": "a", "findings": "a: upheld", "severity": "high"},
        {"case_id": 1, "themes": "a", "findings": "a: raised", "severity": "low"},
    ]
    for order in (rows, rows[::-1]):
        table = cn.count_themes(tagged(order)).set_index(["theme", "measure"])["count"]
        assert table["a", "finding_upheld"] == table["a", "severity_high"] == 1
        assert table["a", "finding_raised"] == table["a", "severity_low"] == 0


def test_a_bad_finding_is_told_by_its_row_and_not_by_its_words() -> None:
    with pytest.raises(InputError, match="row 3, column 'findings'") as error:
        cn.count_themes(tagged([{"findings": "a: raised"}, {"findings": "Mrs Jones: shouted"}]))
    assert "Jones" not in str(error.value)


def test_all_subthemes_of_the_taxonomy_are_counted_and_in_no_mention() -> None:
    ids = cn.Taxonomy.default().ids
    row = {"status": "classified", "themes": ids[1], "subthemes": "medication; record_keeping; home_made"}
    table = cn.count_themes([{**row, **{f"p_{theme}": 0.5 for theme in ids}}])
    themes = list(dict.fromkeys(table["theme"]))
    assert themes == ["all", *ids, "none", *cn.Taxonomy.default().subtheme_ids, "home_made"]
    counts = table.set_index(["theme", "measure"])["count"]
    assert counts["medication", "cases"] == counts["home_made", "cases"] == counts["all", "mentions"] == 1
    assert counts["listening", "cases"] == 0


def test_rates_are_over_exposure_with_byars_interval() -> None:
    rows = [{"organisation": "X", "themes": "a"}] * 10 + [{"organisation": "Y"}] * 2
    table = cn.count_themes(tagged(rows), by="organisation", exposure={"X": 5000, "Z": 700})
    rates = table[table["measure"] == "rate"].set_index(["organisation", "theme"])
    assert list(dict.fromkeys(table["organisation"])) == ["X", "Y", "Z"]
    one = rates.xs(("X", "a"))
    # Breslow and Day (1987), table 2.11: 10 observed, 0.479 to 1.839 of it.
    assert (one["count"], one["denominator"], one["value"]) == (10, 5000, 2.0)
    assert (one["low"], one["high"]) == pytest.approx((2 * 0.479, 2 * 1.839), abs=0.001)
    assert one["low_998"] < one["low"]
    assert rates.loc[("Y", "a"), "symbol"] == "[x]"
    assert (rates.loc[("Z", "a"), "value"], rates.loc[("Z", "a"), "low"]) == (0, 0)
    frame = pd.DataFrame({"organisation": ["X", "Z"], "bed_days": [5000, 700]})
    pd.testing.assert_frame_equal(table, cn.count_themes(tagged(rows), by="organisation", exposure=frame))
    overall = cn.count_themes(tagged(rows), exposure=24_000, per=100).set_index(["theme", "measure"])
    assert overall.loc[("all", "rate"), "value"] == 0.05


def test_a_rate_goes_with_its_suppressed_count() -> None:
    rows = [{"themes": "a"}] * 3 + [{"themes": "b"}] * 40
    table = cn.count_themes(tagged(rows), exposure=1000, disclosure="nhs_hes").set_index(["theme", "measure"])
    assert table.loc[("a", "rate"), "symbol"] == "[c]"
    assert table.loc[("a", "rate"), ["count", "denominator", "value", "low", "high_998"]].isna().all()
    assert table.loc[("all", "rate"), "value"] == 45


def test_a_column_that_is_called_p_and_no_more_is_no_theme() -> None:
    frame = pd.DataFrame({"themes": ["a"], "p_a": [0.9], "p_": [0.5], "status": ["classified"]})
    assert set(cn.count_themes(frame)["theme"]) == {"all", "a", "none"}
