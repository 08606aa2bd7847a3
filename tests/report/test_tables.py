from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest

from complaintnlp.cases import as_table, with_roles
from complaintnlp.counting import count_themes, policy
from complaintnlp.errors import InputError
from complaintnlp.report.grids import grid
from complaintnlp.report.notes import left_out, summary
from complaintnlp.report.shapes import Report, figures
from complaintnlp.report.tables import build
from complaintnlp.report.words import NBSP

Tagged = Callable[..., pd.DataFrame]


def built(frame: pd.DataFrame | pa.Table, *by: str, disclosure: str = "none") -> Report:
    return build(with_roles(as_table(frame), required=()), by, policy(disclosure), "Title")


def test_a_report_has_a_table_for_all_each_group_years_and_outcomes(cases: pd.DataFrame) -> None:
    report = built(cases, "organisation")
    assert [table.name for table in report.tables] == [
        "overall",
        "themes_together",
        "financial_year",
        "trend",
        "organisation",
        "recurrence",
        "outcome",
    ]
    assert report.unseen == ()


def test_no_group_and_no_dates_leave_two_tables(tagged: Tagged) -> None:
    assert [table.name for table in built(tagged([("communication",)])).tables] == [
        "overall",
        "themes_together",
    ]


def test_a_year_asked_for_is_shown_once_and_several_groups_are_crossed(cases: pd.DataFrame) -> None:
    report = built(cases, "financial_year", "organisation")
    assert [table.name for table in report.tables].count("financial_year") == 1
    assert [table.by for table in report.unseen] == [("financial_year", "organisation")]


def test_tables_say_what_count_themes_says(cases: pd.DataFrame) -> None:
    """Under a policy a report hides more: its tables are seen together."""
    table = built(cases, "organisation").table("organisation")
    assert table is not None
    pd.testing.assert_frame_equal(table.data, count_themes(cases, ["organisation"]))


def test_combinations_partition_the_cases(cases: pd.DataFrame) -> None:
    table = built(cases).table("themes_together")
    assert table is not None
    counts = table.data[(table.data["measure"] == "cases") & (table.data["theme"] != "all")].set_index("theme")["count"]
    assert counts.sum() == 120
    assert counts["care_failure"] == 24
    assert counts["care_failure; communication"] == 24
    assert counts["investigation_quality; communication"] == 0
    assert counts["none"] == 24


def test_many_themes_list_only_combinations_that_the_policy_lets_through(tagged: Tagged) -> None:
    ids = [f"t{n}" for n in range(6)]
    frame = tagged([("t0", "t1")] * 20 + [("t2",)] * 3 + [("t3",)] * 10 + [()] * 9, ids)
    table = built(frame, disclosure="nhs_hes").table("themes_together")
    assert table is not None
    shown = table.data[table.data["measure"] == "cases"].set_index("theme")["symbol"].to_dict()
    assert shown == {"all": "", "t0; t1": "", "t3": "", "any other combination": "[c]", "none": ""}


def test_unknown_outcomes_are_one_group_and_blank_ones_are_not_recorded(cases: pd.DataFrame) -> None:
    table = built(cases).table("outcome")
    assert table is not None
    groups = figures(table)
    assert list(groups) == ["upheld", "partly_upheld", "not_upheld", "open", "other", "not_recorded"]
    assert groups["other"]["all", "cases"].count == 20
    assert groups["not_recorded"]["all", "cases"].count == 20


def test_groups_that_read_the_same_stay_apart(tagged: Tagged) -> None:
    report = built(tagged([("communication",)] * 3, ward=["A\tB", "A B", "a b"]), "ward")
    table = report.table("ward")
    assert table is not None
    assert list(figures(table)) == ["A B", "A B (2)", "a b (3)"]


def test_cases_without_a_group_come_last(tagged: Tagged) -> None:
    table = built(tagged([()] * 3, ward=["Z", None, "A"]), "ward").table("ward")
    assert table is not None
    assert list(figures(table)) == ["A", "Z", "Not recorded"]


@pytest.mark.parametrize("name", ["theme", "count", "table"])
def test_a_group_named_as_a_column_of_counts_is_refused(tagged: Tagged, name: str) -> None:
    with pytest.raises(InputError, match="rename"):
        built(tagged([()], **{name: ["x"]}), name)


def test_a_group_of_lists_is_refused(tagged: Tagged) -> None:
    with pytest.raises(InputError, match="single values"):
        built(tagged([()], tags=[["a", "b"]]), "tags")


def test_left_out_says_what_and_why(tagged: Tagged) -> None:
    frame = tagged([("communication",)] * 4)
    frame["status"] = ["classified", "empty", None, "broken"]
    frame = pd.concat([frame, frame.iloc[:1]])
    sentences = left_out(built(frame))
    assert sentences == [
        "1 row was left out: no text.",
        "1 row was left out: not classified (no status).",
        "1 row was left out: status “broken”, so no themes could be read.",
        "1 row was put together with an earlier row of the same case: a case counts once, under every theme of "
        "its rows.",
    ]


def test_the_summary_is_in_plain_sentences(cases: pd.DataFrame) -> None:
    sentences = summary(built(cases))
    assert sentences[0] == "120 complaints were read, received from 2016-17 to 2018-19."
    assert sentences[1].startswith(f"Care failure was raised in 60{NBSP}% (51{NBSP}to{NBSP}68), ")


def test_zero_cases_and_a_suppressed_total_have_a_summary(tagged: Tagged) -> None:
    assert summary(built(tagged([]))) == ["There were no complaints to count."]
    assert "too small to publish" in summary(built(tagged([()] * 3), disclosure="nhs_hes"))[0]


def test_each_row_of_a_grid_has_a_figure_for_each_column(cases: pd.DataFrame) -> None:
    report = built(cases, "organisation")
    for table in report.tables:
        cells = grid(table, report)
        assert cells.rows
        assert {len(row.figures) for row in cells.rows} == {len(cells.columns)}
