from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from attack_disclosure import invented
from complaintnlp.report import write_report
from complaintnlp.report.charts import bar_chart, top_of, trend_chart
from complaintnlp.report.shapes import Figure
from complaintnlp.report.words import NBSP, percent

Tagged = Callable[..., pd.DataFrame]

VOID = {"meta", "link", "br", "img", "input", "hr"}
SHARE = Figure(30, 100, 0.3, 0.219, 0.396, "")
HIDDEN = Figure(None, None, None, None, None, "[c]")


class Page(HTMLParser):
    """What a page holds: elements with their attributes, text, and whether every element is closed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.source = (folder / "report.html").read_text("utf-8")
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_page_is_well_formed_and_needs_nothing_else(cases: pd.DataFrame, tmp_path: Path) -> None:
    page = Page(write_report(cases, tmp_path, by=["organisation"]))
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert "//" not in (value or "")
    assert "url(" not in page.source
    assert "@import" not in page.source


def test_the_page_can_be_read_without_eyes_or_mouse(cases: pd.DataFrame, tmp_path: Path) -> None:
    page = Page(write_report(cases, tmp_path, by=["organisation"]))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"] == "en-GB"
    assert page.all("a")[0]["href"] == "#main"
    for tag in ("main", "nav", "header", "footer", "h1"):
        assert len(page.all(tag)) == 1
    assert len(page.all("caption")) == len(page.all("table")) == 7
    assert {th["scope"] for th in page.all("th")} == {"col", "row"}
    assert len(page.all("svg")) == len(page.all("title")) - 1 == len(page.all("desc")) > 5
    for _, attributes in page.elements:
        for reference in (attributes.get("aria-labelledby") or "").split():
            assert reference in ids
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids


def test_the_findings_come_first(cases: pd.DataFrame, tmp_path: Path) -> None:
    page = Page(write_report(cases, tmp_path, title="Our complaints"))
    assert page.source.index("120 complaints were read") < page.source.index("<table>")
    assert "<h1>Our complaints</h1>" in page.source
    assert "default 1.0" in page.text
    assert "KO41a" in page.text
    assert "a sentence that must not be printed" not in page.source


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_text_of_the_export_is_escaped(tagged: Tagged, tmp_path: Path, name: str) -> None:
    frame = tagged([("care_failure",)] * 4, ["care_failure", name], **{name: [name, "b", "c", "d"]})
    frame["model"] = name
    frame.loc[3, "status"] = name
    page = Page(write_report(frame, tmp_path, by=[name], title=name))
    assert page.open == []
    assert not {"script", "img"} & {tag for tag, _ in page.elements}
    assert name in page.text


def test_long_and_unprintable_names_fit(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([()] * 2, ward=["n" * 300, "a\x00b\u202e"])
    page = Page(write_report(frame, tmp_path, by=["ward"]))
    assert "n" * 300 in page.text
    assert "a\ufffdb\ufffd" in page.text
    assert "\x00" not in page.source


def test_a_funnel_without_a_shown_figure_says_so(tmp_path: Path) -> None:
    folder = write_report(invented(61), tmp_path, by=["ward"], disclosure="under5")
    assert "lies outside the 99.8" in Page(folder).text


@pytest.mark.parametrize("count", [0, 1])
def test_a_page_of_no_case_or_one(tagged: Tagged, tmp_path: Path, count: int) -> None:
    page = Page(write_report(tagged([("communication",)] * count, ward=["A"] * count), tmp_path, by=["ward"]))
    said = "1 complaint was read." if count else "There were no complaints to count."
    assert said in page.text


def test_a_page_without_themes(tagged: Tagged, tmp_path: Path) -> None:
    assert "3 complaints were read." in Page(write_report(tagged([()] * 3, []), tmp_path)).text


def test_a_suppressed_bar_is_only_its_symbol() -> None:
    chart = bar_chart("t", {"A": SHARE, "B": HIDDEN}, 0.4, width=340)
    assert chart.bars[0].width is not None
    assert (chart.bars[1].text, chart.bars[1].width, chart.bars[1].low, chart.bars[1].high) == ("[c]", None, 0, 0)
    assert chart.description == f"A: 30{NBSP}% (22{NBSP}to{NBSP}40); B: [c]."


def test_a_suppressed_year_leaves_a_gap() -> None:
    shares = {"2016-17": SHARE, "2017-18": SHARE, "2018-19": HIDDEN, "2019-20": SHARE}
    chart = trend_chart("t", shares, 0.4)
    assert [point.y is None for point in chart.points] == [False, False, True, False]
    assert len(chart.lines) == 1
    assert len(chart.lines[0].split()) == 2


@pytest.mark.parametrize(("high", "top"), [(0.05, 0.1), (0.3, 0.3), (0.31, 0.4), (0.6, 0.6), (1.0, 1.0)])
def test_an_axis_ends_above_all_intervals(high: float, top: float) -> None:
    assert top_of([Figure(1, 2, high, 0, high, ""), HIDDEN]) == pytest.approx(top)


def test_an_axis_of_nothing_is_a_whole() -> None:
    assert top_of([HIDDEN]) == 1


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0"), (0.001, "<1"), (0.005, "1"), (0.5, "50"), (0.996, ">99"), (1, "100")]
)
def test_per_cent_is_never_nought_or_all_unless_it_is(share: float, text: str) -> None:
    assert percent(share) == f"{text}{NBSP}%"
