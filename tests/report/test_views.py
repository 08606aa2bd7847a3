from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from complaintnlp.cases import as_table, with_roles
from complaintnlp.cli import main
from complaintnlp.counting import policy, read_crosswalk
from complaintnlp.counting.exposure import read_exposure
from complaintnlp.errors import InputError
from complaintnlp.report import write_report
from complaintnlp.report.grids import grid
from complaintnlp.report.shapes import Report, figures
from complaintnlp.report.tables import Wanted, build
from complaintnlp.report.verify import verify_report
from complaintnlp.report.views import signals_told

Tagged = Callable[..., pd.DataFrame]


@pytest.fixture
def detailed(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases with subthemes, findings and severity."""
    cases.insert(5, "subthemes", ["medication" if "care_failure" in themes else "" for themes in cases["themes"]])
    cases.insert(6, "findings", ["; ".join(f"{t}: upheld" for t in row.split("; ") if t) for row in cases["themes"]])
    return cases.assign(Severity=["Low", "Medium", "High", ""] * 30)


def built(frame: pd.DataFrame, *by: str, disclosure: str = "none", **wanted: object) -> Report:
    table = with_roles(as_table(frame), required=())
    return build(table, by, policy(disclosure), "Title", wanted=Wanted(**wanted))  # type: ignore[arg-type]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "counts.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_asked_first_comes_first(detailed: pd.DataFrame) -> None:
    report = built(detailed, "organisation", crosswalks=tuple(read_crosswalk().values()))
    kinds = [table.kind for table in report.tables]
    assert kinds[:3] == ["overall", "subthemes", "themes_together"]
    assert kinds[-6:] == ["recurrence", "outcome", "findings", "severity", "crosswalk", "crosswalk"]
    assert kinds.index("trend") < kinds.index("recurrence")


def test_subthemes_findings_and_severity_are_shown_with_the_figures_of_all_cases(detailed: pd.DataFrame) -> None:
    report = built(detailed)
    for name, columns in (("subthemes", 2), ("findings", 3), ("severity", 3)):
        table = report.table(name)
        assert table is not None
        cells = grid(table, report)
        assert cells.rows
        assert len(cells.columns) == columns
    subthemes = report.table("subthemes")
    assert subthemes is not None
    shown = {row.label: row.figures[0] for row in grid(subthemes, report).rows}
    assert shown["Medication (care failure)"] == figures(report.tables[0])[""]["care_failure", "share"]


def test_a_crosswalk_counts_categories_and_names_those_that_nothing_leads_to(detailed: pd.DataFrame) -> None:
    table = built(detailed, crosswalks=(read_crosswalk()["ko41a"],)).table("ko41a")
    assert table is not None
    assert figures(table)[""]["prescribing", "cases"].count == 72
    assert "mortuary" in table.notes[1]
    assert "mortuary" not in table.labels


@pytest.mark.parametrize("size", [3, 6, 40])
def test_a_category_does_not_give_away_the_subtheme_that_it_equals(tagged: Tagged, size: int) -> None:
    frame = tagged([("care_failure",)] * 60)
    frame.insert(5, "subthemes", ["medication"] * size + ["record_keeping"] * (60 - size))
    report = built(frame, disclosure="under5", crosswalks=tuple(read_crosswalk().values()))
    found = {table.name: figures(table)[""] for table in report.tables if not table.by}
    category, subtheme = found["ko41a"]["prescribing", "cases"].count, found["overall"]["medication", "cases"].count
    assert category == subtheme
    assert size > 3 or category is None


def test_rates_are_of_exposure_added_up_over_what_a_table_does_not_name(cases: pd.DataFrame) -> None:
    pairs = [(name, f"{year}-{year - 1999}") for name in ("North", "South") for year in (2015, 2016, 2017, 2018)]
    data = pd.DataFrame(pairs, columns=["organisation", "financial_year"]).assign(bed_days=[100] * len(pairs))
    exposure = read_exposure(data, ["organisation"])
    report = built(cases, "organisation", exposure=exposure, per=10)
    rates = report.table("organisation rates")
    assert rates is not None
    # 2015-16 has no complaint and is left out.
    assert figures(rates)["North"]["all", "rate"].denominator == 300
    assert figures(rates)["North"]["all", "rate"].value == pytest.approx(80 * 10 / 300)
    whole = figures(report.tables[0])[""]["all", "rate"]
    assert (whole.count, whole.denominator) == (120, 600)


def test_exposure_that_lacks_a_group_with_complaints_gives_no_rate(cases: pd.DataFrame) -> None:
    exposure = read_exposure([{"organisation": "North", "contacts": "1,000"}], ["organisation"])
    report = built(cases, "organisation", exposure=exposure)
    assert ("all", "rate") not in figures(report.tables[0])[""] or figures(report.tables[0])[""]["all", "rate"].symbol
    rates = report.table("organisation rates")
    assert rates is not None
    assert figures(rates)["South"]["all", "rate"].symbol == "[x]"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([{"organisation": "A", "x": "1", "y": "2"}], "one column of numbers"),
        ([{"organisation": "A", "x": "many"}], "row 1, column 'x': 'many'; give a whole number"),
        ([{"organisation": "A", "x": "1.5"}], "whole number"),
        ([{"organisation": "A", "x": "1"}, {"organisation": "A ", "x": "2"}], "is there twice, again in row 2"),
    ],
)
def test_exposure_that_does_not_fit_is_refused(data: list[dict[str, str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_exposure(data, ["organisation"])


def test_a_trend_tells_its_signals_in_words(tagged: Tagged) -> None:
    months = [f"01/{month:02d}/2016" for month in range(4, 13) for _ in range(5 if month < 12 else 60)]
    table = built(tagged([("communication",)] * len(months), received=months)).table("trend")
    assert table is not None
    assert "Outside a limit in 2016-12" in signals_told(table)["communication"]
    assert "under 12 months" in table.notes[0]


def test_a_trend_under_a_policy_has_gaps_and_no_dates_of_single_complaints(cases: pd.DataFrame) -> None:
    report = built(cases, disclosure="under5")
    table = report.table("trend")
    assert table is not None
    assert table.derived is not None
    hidden = {when for when, found in figures(table).items() if found["all", "cases"].symbol}
    shown = table.derived[table.derived["theme"] == "all"].set_index("month")["value"]
    assert shown[[when for when in hidden if when in shown]].isna().all()
    assert report.table("rare") is None
    assert "dates of single complaints" in table.notes[-1]


def test_rare_failings_have_the_days_between_them(tagged: Tagged) -> None:
    days = [f"{1 + n % 28:02d}/{1 + n % 12:02d}/2016" for n in range(60)]
    themes = [("communication",)] * 57 + [("care_failure",)] * 3
    report = built(tagged(themes, received=days))
    table = report.table("rare")
    assert table is not None
    assert [row.label for row in grid(table, report).rows] == ["Care failure"]


def test_recurrence_says_what_came_back(tagged: Tagged) -> None:
    frame = tagged(
        [("communication",)] * 3 + [("care_failure",)],
        ward=["A", "A", "B", "B"],
        received=["01/05/2015", "01/05/2016", "01/05/2015", "01/05/2016"],
        Outcome=["Upheld", "Upheld", "Upheld", "Not upheld"],
    )
    report = built(frame, "ward")
    table = report.table("recurrence")
    assert table is not None
    told = {row.label: str(row.figures[2]) for row in grid(table, report).rows}
    assert told["A"].startswith("Upheld again after 2015-16")
    assert told["B"].startswith("Not again after 2015-16")


def test_what_is_crossed_too_finely_is_left_out_in_words(tagged: Tagged) -> None:
    frame = tagged(
        [("communication",)] * 300,
        ward=[f"W{n % 25}" for n in range(300)],
        received=[f"01/05/{2014 + n % 3}" for n in range(300)],
        Outcome=["Upheld"] * 300,
    )
    report = built(frame, "ward", "financial_year", disclosure="under5")
    table = report.table("recurrence")
    assert table is not None
    assert table.by == ("financial_year",)
    assert table.notes[0].startswith("Not asked of each ward")
    assert report.unseen == ()
    wards = report.table("ward")
    assert wards is not None
    assert "not in counts.csv" in wards.notes[-1]


def test_notes_stand_under_their_table_as_text(cases: pd.DataFrame, tmp_path: Path) -> None:
    folder = write_report(cases, tmp_path, notes={"overall": "=1+1 <b>bold</b>\x00"})
    page = (folder / "report.html").read_text("utf-8")
    assert "=1+1 &lt;b&gt;bold&lt;/b&gt;\ufffd" in page
    with pytest.raises(InputError, match="a note to 'nowhere': the report has no such table; it has 'overall'"):
        write_report(cases, tmp_path, notes={"nowhere": "x"})


def test_all_options_are_verified_from_the_manifest(detailed: pd.DataFrame, tmp_path: Path) -> None:
    tagged, exposure = tmp_path / "tagged.csv", tmp_path / "days.csv"
    detailed.to_csv(tagged, index=False)
    exposure.write_text("organisation,bed_days\nNorth,1000\nSouth,2000\n")
    walk = tmp_path / "own.toml"
    walk.write_text('[own]\nunassigned="o"\n[own.categories]\no="Other"\nm="Drugs"\n[own.subthemes]\nmedication="m"\n')
    options = ["--by", "organisation", "--exposure", str(exposure), "--crosswalk", "hcat", str(walk)]
    options += ["--trend", "quarter", "--note", "overall=Without others", "--per", "100"]
    assert main(["report", str(tagged), "--out", str(tmp_path / "report"), *options]) == 0
    assert verify_report(tmp_path / "report", tagged).same
    tables = {row["table"] for row in rows(tmp_path / "report")}
    assert {"overall", "hcat", "own", "trend", "organisation", "recurrence"} <= tables
    measures = {row["measure"] for row in rows(tmp_path / "report")}
    assert {"rate", "cases_limits", "upheld_again", "finding_upheld", "severity_high"} <= measures
