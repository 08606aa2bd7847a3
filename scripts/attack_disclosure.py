"""An attacker who has the folder of a report tries to work out the counts that it suppresses.

`python scripts/attack_disclosure.py --policy under5 --tables 1000` writes that many reports on invented cases, with
small counts, zeros and lone groups in plenty, attacks each, and prints how many fell.

He is written apart from the package's own protection, and is stronger. He reads every file: counts.csv, the workbook's
cells, the page's tables, the texts beside its charts and the lengths of their bars, the manifest. Of a share without
its counts he tries which counts give it and its interval. What he read he holds against a cube of all that a case can
be (ward x year x outcome x combination of themes), and looks for a suppressed count that is one number in every fit.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from complaintnlp.counting import POLICIES, Crosswalk, Policy, control_chart, funnel, recurrence
from complaintnlp.counting.intervals import wilson
from complaintnlp.report import write_report

THEMES = ("a", "b")
COMBINATIONS = ((), ("a",), ("b",), ("a", "b"))
OUTCOMES = ("upheld", "partly_upheld", "not_upheld", "open", "withdrawn", "resolved_early", "other", "not_recorded")
WARDS = ("N", "S", "W")
MONTHS = {
    "2016-05": ("2016-17 Q1", "2016-17"),
    "2016-09": ("2016-17 Q2", "2016-17"),
    "2017-06": ("2017-18 Q1", "2017-18"),
}
"""Their quarters and financial years."""
FINDINGS = ("raised", "upheld", "not_upheld")
SEVERITIES = ("low", "medium", "high")
SUBTHEMES = {"a1": "a", "a2": "a", "b1": "b"}
PER = 1000
CROSSWALK = Crosswalk("own", {"x": "X", "y": "Y", "z": "Z"}, {"a1": "x", "a2": "y", "b1": "y"}, "z")
BED_DAYS = {"N": 61000, "S": 3700, "W": 999}
_CASES = [*itertools.product(WARDS, MONTHS, ("no", "yes"), COMBINATIONS)]
DETAILS: dict[str, dict[tuple[str, ...], list[tuple[str, ...]]]] = {
    "severity": {themes: [(), *((grade,) for grade in SEVERITIES)] for themes in COMBINATIONS},
    "findings": {
        themes: [
            tuple(f"{theme}: {found}" for theme, found in zip(themes, each, strict=True) if found)
            for each in itertools.product(("", *FINDINGS), repeat=len(themes))
        ]
        for themes in COMBINATIONS
    },
    "subthemes": {
        themes: [
            tuple(itertools.compress(below, each))
            for below in [[name for name, theme in SUBTHEMES.items() if theme in themes]]
            for each in itertools.product((0, 1), repeat=len(below))
        ]
        for themes in COMBINATIONS
    },
}
"""What else a case can have, by its themes. A report has one kind, or outcomes: together they would be too many."""
CUBE = [
    *((ward, month, outcome, review, themes, ()) for ward, month, review, themes in _CASES for outcome in OUTCOMES),
    *(
        (ward, month, "not_recorded", review, themes, detail)
        for ward, month, review, themes in _CASES
        for kind in DETAILS.values()
        for detail in kind[themes]
        if detail
    ),
]
"""What a case can be: ward, month, outcome, for review or not, themes, and details."""
ROWS = ("empty", "repeat", "too_long")
"""Rows that the manifest counts: without text, of a case that was there before, with too much text."""
QUANTITIES = {
    "cases": set(OUTCOMES),
    "upheld": {"upheld", "partly_upheld"},
    "resolved": {"upheld", "partly_upheld", "not_upheld"},
}
RATIOS = {
    "share": ("cases", "cases"),
    "upheld_rate": ("upheld", "resolved"),
    **{f"finding_{found}": (f"finding_{found}", "found") for found in FINDINGS},
    **{f"severity_{grade}": (f"severity_{grade}", "graded") for grade in SEVERITIES},
}
COLUMNS = ("ward", "month", "quarter", "financial_year", "outcome", "for_review")
MOST = 300
"""Cases in an invented report, at most."""

Group = tuple[tuple[str, str], ...]
"""Columns and what they hold."""
Sum = tuple[float, ...]
"""How often each place of the cube, and each kind of row, is in a figure."""


@dataclass(frozen=True)
class Figure:
    """One figure as read from a file: a count or a share, or a symbol in the place of one.

    Attributes:
        top: what it counts.
        bottom: what it is a share of, if it is one.
        count, denominator: None where the file does not say.
        share: value, lower and upper 95 % limit, with how far each may be off; empty where the file does not say.
        hidden: whether there is only a symbol.
        target: whether the symbol stands for the count itself, and not for a share of which one part is suppressed.
    """

    name: str
    top: Sum
    bottom: Sum | None = None
    count: float | None = None
    denominator: float | None = None
    share: tuple[tuple[float, float], ...] = ()
    hidden: bool = False
    target: bool = False


@dataclass
class Knowledge:
    """What the attacker knows.

    Attributes:
        bounds: the least and the most that a sum can be.
        ratios: sums that are 0 or more, which shares without counts tell.
        targets: suppressed figures by their sums.
    """

    bounds: dict[Sum, tuple[float, float]] = field(default_factory=dict)
    ratios: list[Sum] = field(default_factory=list)
    targets: dict[Sum, str] = field(default_factory=dict)

    def learn(self, what: Sum, low: float, high: float) -> None:
        """Narrow what a sum can be."""
        before = self.bounds.get(what, (-np.inf, np.inf))
        self.bounds[what] = max(before[0], low), min(before[1], high)


def kind_of(seed: int) -> str:
    """What an invented report has beside themes: outcomes, for two in five, or one kind of detail."""
    return ("outcome", "severity", "outcome", "findings", "subthemes")[seed % 5]


def invented(seed: int) -> pd.DataFrame:
    """Tagged cases in a few lumps, so that small counts, zeros and lone groups are many."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    kind = kind_of(seed)
    lumps = []
    for _ in range(dice.randint(3, 14)):
        ward, month, themes = dice.choice(WARDS), dice.choice([*MONTHS]), dice.choice(COMBINATIONS)
        outcome = dice.choice(OUTCOMES[:4]) if kind == "outcome" else "not_recorded"
        detail = () if kind == "outcome" else dice.choice(DETAILS[kind][themes])
        lumps.append(((ward, month, outcome, themes, detail), dice.choice([1, 2, 3, 6, 9, 25])))
    atoms = [atom for atom, size in lumps for _ in range(size)]
    statuses = ["classified" if themes else "no_theme" for *_, themes, _ in atoms]
    unsure = dice.choice([0, 0.1, 0.4])
    statuses = ["review" if dice.random() < unsure else status for status in statuses]
    ids = [*range(len(atoms))]
    for _ in range(dice.choice([0, 0, 2, 8])):
        # A second row of a case adds nothing to it.
        place = dice.randrange(len(ids))
        if statuses[place] == "classified":
            atoms, ids, statuses = [*atoms, atoms[place]], [*ids, ids[place]], [*statuses, "classified"]
    for _ in range(dice.choice([0, 0, 1, 3, 12])):
        atoms, ids, statuses = [*atoms, atoms[0]], [*ids, len(ids) + 1000], [*statuses, "empty"]
    outcomes = {"outcome": [outcome for _, _, outcome, *_ in atoms]}
    details = {kind: ["; ".join(detail) for *_, detail in atoms]}
    return pd.DataFrame(
        {
            "case_id": ids,
            "ward": [ward for ward, *_ in atoms],
            "received": [f"{month}-01" for _, month, *_ in atoms],
            **(outcomes if kind == "outcome" else details if kind == "severity" else {}),
            "themes": ["; ".join(themes) for *_, themes, _ in atoms],
            **(details if kind in ("subthemes", "findings") else {}),
            "p_a": 0.5,
            "p_b": 0.5,
            "status": statuses,
        }
    )


@cache
def places(theme: str, quantity: str, group: Group = ()) -> Sum:
    """The sum that a figure is: of a theme id, `all`, `none` or, after a `=`, exactly these themes."""
    inside = []
    for ward, month, outcome, review, themes, detail in CUBE:
        of_theme = _counts(theme, quantity, themes, detail)
        counted = outcome in QUANTITIES.get(quantity, OUTCOMES)
        named = dict(zip(COLUMNS, (ward, month, *MONTHS[month], outcome, review), strict=True))
        inside.append(float(of_theme if counted and all(named[n] == value for n, value in group) else 0))
    return (*inside, *(0.0 for _ in ROWS))


def _counts(theme: str, quantity: str, themes: tuple[str, ...], detail: tuple[str, ...]) -> int:
    """How often a case with these themes and details counts towards a quantity of a theme or category."""
    mapped = {CROSSWALK.subthemes[name] for name in detail if name in SUBTHEMES}
    if quantity == "mentions":
        return len(themes)
    kind, _, part = quantity.partition("_")
    if kind in ("finding", "found"):
        return int(any(f"{theme}: {found}" in detail for found in ([part] if part else FINDINGS)))
    if (kind == "severity" and part not in detail) or (kind == "graded" and not set(SEVERITIES) & set(detail)):
        return 0
    if theme.startswith("="):
        return int(theme == "=" + "; ".join(themes))
    special = {"all": True, "none": not themes, "z": bool(themes) and not mapped}
    return int(special.get(theme, theme in themes or theme in detail or theme in mapped))


def rows_of(kind: str) -> Sum:
    """The sum that a number of rows is, by its name in the manifest."""

    def cases(theme: str, review: str = "") -> NDArray[np.float64]:
        return np.array(places(theme, "cases", (("for_review", review),) if review else ()))

    alone = {name: np.array([0.0] * len(CUBE) + [float(name == other) for other in ROWS]) for name in ROWS}
    sums = {
        "all": cases("all") + sum(alone.values()),
        "repeats": alone["repeat"],
        "empty": alone["empty"],
        "review": cases("all", "yes"),
        "no_theme": cases("none", "no"),
        "classified": cases("all", "no") - cases("none", "no") + alone["repeat"],
        "too_long": alone["too_long"],
    }
    return tuple(sums[kind].tolist())


# Reading. Every table, column and label must be known: what is new to a report must be taught to the attacker.

_TABLES = {
    "Complaints that raise each theme": "overall",
    "Themes raised together": "themes_together",
    "Themes by financial year": "financial_year",
    "Themes by ward": "ward",
    "Outcome by theme": "outcome",
    "Is it changing?": "trend",
    "Has the same failing come back?": "recurrence",
    "Failings in more detail": "subthemes",
    "What the texts say was found": "findings",
    "How severe the complaints are": "severity",
    "Categories of Own": "own",
    "Rates by ward": "rates",
    "What the model is unsure of": "for_review",
    "What stands out by ward": "funnel",
}
_DERIVED = ("cases_limits", "upheld_first", "upheld_again", "raised_again", "number", "severe")
"""Measures that are made of the figures of their table as these are shown."""
_WORDS = "Has the same failing come back?"
"""A table of words."""
_LABELS = {
    **{"All complaints": "all", "A": "a", "B": "b", "None of these themes": "none", "None": "none"},
    **{name.capitalize(): name for name in (*SUBTHEMES, *CROSSWALK.categories)},
}
_PARTS = {
    "findings": {"Raised": "finding_raised", "Upheld": "finding_upheld", "Not upheld": "finding_not_upheld"},
    "severity": {grade.capitalize(): f"severity_{grade}" for grade in SEVERITIES},
}
_PART_WHOLES = {"With a finding": "found", "Graded": "graded"}
_EXACT = {"A only": "=a", "B only": "=b", "A and b": "=a; b", "None of these themes": "none", "All complaints": "all"}
_WHOLE = "of how many"
"""The denominator of a suppressed share."""
_LEFT, _RIGHT = 46, 322
"""The ends of the axis of time in a chart of points."""
_OF_ALL = ("overall", "themes_together", "subthemes", "own")
"""Tables of all complaints, one row a theme."""
_OF_SHARES = ("lower 95 % limit", "upper 95 % limit", "share")
_REVIEW_LABELS = {"Sure": "no", "For review": "yes"}
_OUTCOME_LABELS = {outcome.capitalize().replace("_", " "): outcome for outcome in OUTCOMES}


def read_counts(folder: Path) -> Iterator[Figure]:
    """The figures of counts.csv."""
    for row in _csv_rows(folder):
        group = _group(row)
        theme = row["theme"]
        if row["measure"] in _DERIVED:
            continue
        told = f"counts.csv {row['table']} {group} {theme} {row['measure']}"
        if row["table"] == "themes_together" and theme not in ("all", "none"):
            theme = "=" + theme
        if row["measure"] == "rate":
            yield _rate(told, theme, group, [row["count"], row["denominator"], row["value"]], 5e-7)
            continue
        # A funnel's low and high are its limits, and no interval.
        measure = row["measure"].removesuffix("_funnel")
        top, bottom = RATIOS.get(measure, (measure, None))
        yield Figure(
            told,
            places(theme, top, group),
            None if bottom is None else places("all" if measure == "share" else theme, bottom, group),
            _number(row["count"]),
            _number(row["denominator"]),
            _shares([row["value"], row["low"], row["high"]], 5e-7) if row["measure"] in RATIOS else (),
            row["symbol"] == "[c]",
            row["symbol"] == "[c]" and measure != "share",
        )


def _rated(name: str, label: str, subject: str) -> tuple[str, Group]:
    """Of what theme and group a cell in a table of rates, or in that of all complaints, gives the rate."""
    return (_LABELS[subject], (("ward", label),)) if name == "rates" else (_LABELS[label], ())


def _rate(told: str, theme: str, group: Group, cells: Sequence[str], off: float) -> Figure:
    """A rate tells a count: it is so many per so much exposure, which the manifest tells."""
    count, _, value = map(_number, cells)
    exposed = BED_DAYS[group[0][1]] if group else sum(BED_DAYS.values())
    if value is not None and off * exposed / PER < 0.5:
        made = round(value * exposed / PER)
        assert count in (None, made), told
        count = made
    return Figure(told, places(theme, "cases", group), count=count, hidden="[c]" in cells)


def read_workbook(folder: Path) -> Iterator[Figure]:
    """The figures of report.xlsx."""
    for sheet in openpyxl.load_workbook(folder / "report.xlsx"):
        if not sheet.title.startswith("Table_"):
            continue
        title = str(sheet["A1"].value).partition(": ")[2]
        name = _TABLES[title]
        (table,) = sheet.tables.values()
        headers, *rows = ([str(cell.value).replace("\xa0", " ") for cell in row] for row in sheet[table.ref])
        for label, *cells in rows:
            if name == "recurrence":
                for header, cell in zip(headers[1:], cells, strict=True):
                    _check_words(_csv_rows(folder), label, header, cell)
            elif label != "There are no complaints to count.":
                yield from _workbook_row(name, label, headers[1:], cells)


def _check_words(rows: Sequence[Mapping[str, str]], ward: str, theme: str, cell: str) -> None:
    """Words on recurrence say no more than counts.csv does; what this says `check_derived` looks at."""
    told = {row["measure"]: row["signal"] for row in rows if (row["ward"], row["theme"]) == (ward, _LABELS[theme])}
    first, upheld, raised = told["upheld_first"], told["upheld_again"], told["raised_again"]
    hidden = "[c]" in (upheld, raised)
    expected = (
        "Never upheld"
        if not first
        else f"Upheld again after {first}"
        if upheld == "yes"
        else f"Raised again after {first}, {'upheld [c]' if hidden else 'not upheld'}"
        if raised == "yes"
        else f"{'[c]' if hidden else 'Not again'} after {first}"
    )
    assert cell.startswith(expected), (ward, theme, cell)


def _workbook_row(name: str, label: str, headers: Sequence[str], cells: Sequence[str]) -> Iterator[Figure]:
    shares: dict[tuple[str, str], list[str]] = {}
    for header, cell in zip(headers, cells, strict=True):
        if header == "Signals" or (name == "funnel" and header != "Complaints"):
            continue
        if name in ("trend", "for_review", "funnel"):
            yield _plain("report.xlsx", name, label, header, cell)
            continue
        subject, _, part = header.partition(": ")
        if name in _PARTS:
            measure = _PART_WHOLES.get(subject) or _PARTS[name][subject]
            if part:
                shares.setdefault((_LABELS[label], measure), []).append(cell)
            else:
                told = f"report.xlsx {name} {label} {header}"
                yield Figure(told, places(_LABELS[label], measure), count=_number(cell), hidden=cell == "[c]")
            continue
        if name == "rates" or subject.startswith("Rate per"):
            if subject != "Exposure" and part in ("number", "rate", ""):
                rated = _rated(name, label, subject)
                found = [cell, "", ""] if part == "number" else ["", "", cell]
                yield _rate(f"report.xlsx {name} {label} {header}", *rated, found, 1e-9)
            continue
        if part in _OF_SHARES or header in ("Share of complaints", "Upheld rate"):
            measure = "upheld_rate" if subject == "Upheld rate" else "share"
            theme, group = _where(name, label, subject if part == "share" or subject in _LABELS else "")
            shares.setdefault((theme, measure), []).append(cell)
            continue
        yield _count(name, label, header, cell)
    for (theme, measure), limits in shares.items():
        group = () if name in ("outcome", *_PARTS) else _where(name, label, "")[1]
        yield _ratio(f"report.xlsx {name} {label}", theme, measure, group, _shares(limits, 1e-9), "[c]" in limits)


def _count(name: str, label: str, header: str, cell: str) -> Figure:
    """A count of the workbook that has a column of its own."""
    subject, _, part = header.partition(": ")
    known = {"Mentions": "mentions", "Upheld or partly upheld": "upheld", "Resolved": "resolved"}
    assert part == "complaints" or header in (*known, *_OUTCOME_LABELS, "Complaints"), header
    theme, group = _where(name, label, subject if part == "complaints" or subject in _OUTCOME_LABELS else "")
    quantity = known.get(header, "cases")
    if name == "outcome" and quantity in ("upheld", "resolved"):
        group = ()
    told = f"report.xlsx {name} {label} {header}"
    return Figure(told, places(theme, quantity, group), count=_number(cell), hidden=cell == "[c]")


def _plain(file: str, name: str, label: str, header: str, cell: str) -> Figure:
    """A count: of a month and a theme, of a theme and whether it is for review, of a ward."""
    if name == "for_review":
        top = places(_LABELS[label], "cases", ((name, _REVIEW_LABELS[header]),))
    elif name == "funnel":
        top = places("all", "cases", (("ward", label),))
    else:
        top = places(_LABELS[header], "cases", (("quarter" if "Q" in label else "month", label),))
    hidden = cell == "[c]"
    return Figure(f"{file} {name} {label} {header}", top, count=_number(cell), hidden=hidden, target=hidden)


def _where(name: str, label: str, subject: str) -> tuple[str, Group]:
    """Theme and group of a cell, by its row's label and what its column is of, if that is a theme or an outcome."""
    if name in _OF_ALL:
        return (_EXACT if name == "themes_together" else _LABELS)[label], ()
    if name == "outcome":
        return _LABELS[label], ((("outcome", _OUTCOME_LABELS[subject]),) if subject else ())
    return _LABELS[subject] if subject else "all", ((name, label),)


def read_page(folder: Path) -> Iterator[Figure]:
    """The figures of report.html: of its tables, of the texts beside its charts, and of what the charts draw."""
    page = _Page()
    page.feed((folder / "report.html").read_text("utf-8").replace("\xa0", " "))
    rows_of_csv = _csv_rows(folder)
    for title, headers, rows in page.tables:
        for label, *cells in rows:
            for header, cell in zip(headers[1:], cells, strict=True):
                if title == _WORDS:
                    _check_words(rows_of_csv, label, header, cell)
                else:
                    yield from _page_cell(_TABLES[title], label, header, cell)
    for number, chart in page.charts:
        name = _TABLES[page.tables[number - 1][0]]
        yield from _drawn(name, chart, rows_of_csv)
        if name not in ("trend", "funnel"):
            yield from _chart(name, chart)


def _page_cell(name: str, label: str, header: str, cell: str) -> Iterator[Figure]:
    if header == "Signals" or (name == "funnel" and header != "Complaints"):
        return
    if name in ("trend", "for_review", "funnel"):
        yield _plain("report.html", name, label, header, cell)
        return
    told = f"report.html {name} {label} {header}"
    of = re.search(r"([\d,]+) of ([\d,]+)$", cell)
    if name in _PARTS:
        found = _ratio(told, _LABELS[label], _PARTS[name][header], (), _percents(cell), cell == "[c]")
        yield replace(found, count=_number(of[1]), denominator=_number(of[2])) if of else found
        return
    if name == "rates" or header.startswith("Rate per"):
        rated = _rated(name, label, header)
        shown = re.match(r"([\d,.]+) \(", cell)
        own = re.search(r"([\d,]+) in [\d,]+$", cell)
        digits = len(shown[1].partition(".")[2]) if shown else 0
        cells = [own[1] if own else "", "", shown[1] if shown else cell]
        yield _rate(told, *rated, cells, 0.51 * 10**-digits)
        return
    rate = header == "Upheld rate"
    of_row = rate or header in ("Complaints", "Mentions", "Share of complaints")
    theme, group = _where(name, label, "" if of_row else header)
    if rate or header == "Share of complaints" or header in _LABELS:
        group = () if name == "outcome" else group
        found = _ratio(told, theme, "upheld_rate" if rate else "share", group, _percents(cell), cell == "[c]")
        whole = re.fullmatch(r"[\d,]+", cell)
        count, denominator = (_number(of[1]), _number(of[2])) if of else (_number(cell) if whole else None, None)
        yield replace(found, count=count, denominator=denominator)
    else:
        quantity = "mentions" if header == "Mentions" else "cases"
        hidden = cell == "[c]"
        yield Figure(told, places(theme, quantity, group), count=_number(cell), hidden=hidden, target=hidden)


def _chart(name: str, chart: _Chart) -> Iterator[Figure]:
    labelled = re.findall(r"(.*?): (\[\w\]|[^;]*?)(?:; |\.$)", chart.description)
    across = chart.ticks[-1][0] / _percent(chart.ticks[-1][1]) if chart.ticks else 0
    for place, (label, text) in enumerate(labelled):
        if name in _OF_ALL:
            theme, group = _where(name, label, "")
        else:
            theme, group = _LABELS[chart.title], ((name, label),)
        yield _ratio(f"report.html chart of {name} {label}", theme, "share", group, _percents(text), text == "[c]")
        if place < len(chart.marks) and chart.marks[place]:
            drawn = tuple((at / across, 0.06 / across) for at in chart.marks[place])
            yield _ratio(f"report.html bar of {name} {label}", theme, "share", group, drawn, False)


def _drawn(name: str, chart: _Chart, rows: Sequence[Mapping[str, str]]) -> Iterator[Figure]:
    """What the heights of points tell, and in a funnel how far right they lie."""
    if not chart.points:
        return
    told = f"report.html points of {name} {chart.title}"
    if name == "funnel":
        measure = "upheld_rate" if chart.title.startswith("Upheld rate") else "share"
        theme = "all" if measure == "upheld_rate" else _LABELS[chart.title]
        wards = [row["ward"] for row in rows if row["measure"] == f"{measure}_funnel" and row["theme"] == theme]
        for ward, (x, y) in zip(wards, chart.points, strict=True):
            size, _ = _read(chart.across, x)
            found = _ratio(f"{told} {ward}", theme, measure, (("ward", ward),), (_read(chart.up, y),), False)
            yield replace(found, denominator=round(size))
        return
    # Each point stands in the middle of its part of the axis, which the gaps between them share.
    column = (
        "financial_year"
        if name == "financial_year"
        else "quarter"
        if any("Q" in t for _, t in chart.across)
        else "month"
    )
    kind = "share" if name == "financial_year" else "cases_limits"
    whens = [*dict.fromkeys(row[column] for row in rows if (row["table"], row["measure"]) == (name, kind))]
    for x, y in chart.points:
        when = whens[int((x - _LEFT) / (_RIGHT - _LEFT) * len(whens))]
        value, off = _read(chart.up, y)
        theme, group = _LABELS[chart.title], ((column, when),)
        if name == "financial_year":
            yield _ratio(f"{told} {when}", theme, "share", group, ((value, off),), False)
        else:
            assert off < 0.5
            yield Figure(f"{told} {when}", places(theme, "cases", group), count=round(value))


def _read(axis: Sequence[tuple[float, str]], at: float) -> tuple[float, float]:
    """The value at a place of an axis, and how far it may be off."""
    (start, _), (end, text) = axis[0], axis[-1]
    top, slack = (_percent(text), 0.0051) if text.endswith("%") else (float(text.replace(",", "")), 0.0)
    part = (at - start) / (end - start)
    return top * part, abs(top * 0.21 / (end - start)) + slack * part


@dataclass
class _Chart:
    """What is drawn.

    Attributes:
        ticks, marks: of bars: the axis, and for each bar its length and the ends of its interval.
        across, up: axes of points, as places and texts.
        points: as drawn.
    """

    title: str = ""
    description: str = ""
    ticks: list[tuple[float, str]] = field(default_factory=list)
    marks: list[list[float]] = field(default_factory=list)
    across: list[tuple[float, str]] = field(default_factory=list)
    up: list[tuple[float, str]] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)


class _Page(HTMLParser):
    """Tables as title, headers, rows; charts by the number of their section."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[str], list[list[str]]]] = []
        self.charts: list[tuple[int, _Chart]] = []
        self.section = 0
        self.words: list[str] = []
        self.at = 0.0
        self.upright: float | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words = self.words if tag in ("small", "span", "div") else []
        found = {name: value or "" for name, value in attrs}
        if tag == "section":
            number = re.fullmatch(r"table-(\d+)", found.get("id", ""))
            self.section = int(number[1]) if number else 0
        elif tag == "svg":
            self.charts.append((self.section, _Chart()))
        elif tag == "table":
            self.tables.append(("", [], []))
        elif tag == "tr":
            self.tables[-1][2].append([])
        elif tag == "text":
            self.kind, self.at = found.get("class", ""), float(found["x"])
            # Beside an upright axis a text stands 4 below its tick.
            self.upright = float(found["y"]) - 4 if found.get("text-anchor") == "end" else None
        elif tag == "circle":
            self.charts[-1][1].points.append((float(found["cx"]), float(found["cy"])))
        elif tag == "path" and found.get("class") == "signal":
            x, y = re.findall(r"[\d.]+", found["d"])[:2]
            self.charts[-1][1].points.append((float(x), float(y) + 5.5))
        elif tag == "rect":
            self.charts[-1][1].marks[-1].append(float(found["width"]))
        elif tag == "path" and self.charts[-1][1].marks:
            # A bar's interval; a trend's stands upright, and its text says the same.
            ends = re.match(r"M([\d.]+) [\d.]+H([\d.]+)", found["d"])
            self.charts[-1][1].marks[-1] += [float(end) for end in ends.groups()] if ends else []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self.words).split())
        if tag == "caption":
            known = [one for one in (*_TABLES, _WORDS) if re.match(rf"Table \d+: {re.escape(one)}", text)]
            assert known, f"a table that the attacker was not taught to read: {text}"
            self.tables[-1] = (known[0], *self.tables[-1][1:])
        elif tag in ("th", "td"):
            self.tables[-1][2][-1].append(text)
        elif tag == "thead":
            self.tables[-1] = (self.tables[-1][0], self.tables[-1][2].pop(), [])
        elif tag in ("title", "desc") and self.charts:
            setattr(self.charts[-1][1], "title" if tag == "title" else "description", text)
        elif tag == "text":
            self._text(text)

    def _text(self, text: str) -> None:
        chart = self.charts[-1][1]
        if self.kind == "axis":
            if self.upright is not None:
                chart.up.append((self.upright, text))
            else:
                chart.across.append((self.at, text))
                chart.ticks += [(self.at, text)] if text.endswith("%") else []
        elif not self.kind:
            chart.marks.append([])


def _csv_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "counts.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _group(row: Mapping[str, str]) -> Group:
    return tuple((name, row[name]) for name in COLUMNS if row.get(name))


def _ratio(name: str, theme: str, measure: str, group: Group, share: Any, hidden: bool) -> Figure:
    top, bottom = RATIOS[measure]
    whole = places("all" if measure == "share" else theme, bottom, group)
    return Figure(name, places(theme, top, group), whole, share=share, hidden=hidden)


def _number(cell: str) -> float | None:
    cell = cell.replace(",", "")
    return float(cell) if re.fullmatch(r"-?\d+(\.\d+)?", cell) else None


def _shares(cells: Sequence[str], off: float) -> tuple[tuple[float, float], ...]:
    found = [_number(cell) for cell in cells]
    return tuple((one, off) for one in found if one is not None) if None not in found else ()


def _percents(text: str) -> tuple[tuple[float, float], ...]:
    found = re.match(r"([<>]?\d+) %(?: \(([<>]?\d+) to ([<>]?\d+)\))?", text)
    ends = [one for one in found.groups() if one] if found else []
    return tuple((_percent(one), 0.0101 if one[0] in "<>" else 0.00501) for one in ends)


def _percent(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text)) / 100


def check_derived(folder: Path) -> None:
    """Limits, funnels and recurrence tell no more than the figures shown, for they can be made of these."""
    table = pd.DataFrame(_csv_rows(folder))
    for column in ("count", "denominator", "value", "low", "high", "low_998", "high_998"):
        table[column] = pd.to_numeric(table[column], errors="coerce")
    # In counts.csv shares are rounded to six places.
    table["value"] = (table["count"] / table["denominator"]).where(table["denominator"] > 0, table["value"])

    def part(name: str, *measures: str) -> pd.DataFrame:
        rows = table[(table["table"] == name) & table["measure"].isin(measures)]
        groups = [column for column in COLUMNS if column in rows and (rows[column] != "").any()]
        return rows[[*groups, "theme", "measure", "count", "denominator", "value"]]

    limits = table[table["measure"] == "cases_limits"]
    if len(limits):
        made = control_chart(part("trend", "cases").query("theme in ('all', 'a', 'b')"))
        shown = limits[["value", "low", "high"]].to_numpy(float)
        np.testing.assert_allclose(made[["centre", "lower", "upper"]].to_numpy(float), shown, atol=1e-6)
        assert list(made["signal"]) == list(limits["signal"])
    funnels = table[table["table"] == "ward funnel"]
    for (theme, measure), rows in funnels.groupby(["theme", "measure"]):
        own = str(measure).removesuffix("_funnel")
        made = funnel(part("ward", own).query(f"theme == {theme!r}"), own)
        ends = ["low", "high", "low_998", "high_998"]
        np.testing.assert_allclose(made[ends].to_numpy(float), rows[ends].to_numpy(float), atol=1e-6)
        assert list(made["signal"]) == list(rows["signal"])
    kept = part("recurrence", "cases", "share", *RATIOS)
    if len(kept):
        made = recurrence(kept[kept["theme"].isin(THEMES)])
        for measure in _DERIVED[1:]:
            told = table[(table["table"] == "recurrence") & (table["measure"] == measure)]["signal"]
            assert list(made[measure]) == list(told), measure


def read_manifest(folder: Path) -> Iterator[Figure]:
    """The numbers of rows in manifest.json."""
    rows = json.loads((folder / "manifest.json").read_text("utf-8"))["rows"]
    for name, shown in {**rows.pop("by_status"), **rows}.items():
        hidden, alone = shown == "[c]", name in ("empty", "too_long", "repeats")
        told = f"manifest.json {name}"
        yield Figure(told, rows_of(name), count=_number(str(shown)), hidden=hidden, target=hidden and alone)


Reader = Callable[[Path], Iterable[Figure]]
READERS: tuple[Reader, ...] = (read_counts, read_workbook, read_page, read_manifest)

# Reasoning.


def known(folder: Path, rules: Policy, readers: Sequence[Reader] = READERS) -> Knowledge:
    """Everything that the files of a folder say."""
    mind = Knowledge()
    found = [figure for read in readers for figure in read(folder)]
    for figure in found:
        _learn_counts(mind, figure, rules)
    for figure in found:
        if figure.share and figure.bottom is not None:
            _learn_share(mind, figure)
    _learn_groups(mind, folder)
    return mind


def _learn_counts(mind: Knowledge, figure: Figure, rules: Policy) -> None:
    if figure.hidden:
        # No figure beside the symbol, and no interval either.
        assert (figure.count, figure.denominator, figure.share) == (None, None, ()), figure.name
        if figure.target:
            mind.targets[figure.top] = figure.name
            if figure.bottom is not None:
                mind.targets.setdefault(figure.bottom, f"{figure.name}: {_WHOLE}")
        return
    if figure.denominator is not None and figure.bottom is not None:
        mind.learn(figure.bottom, *rules.range(int(figure.denominator)))
    if figure.count is not None:
        low, high = rules.range(int(figure.count))
        # A part that was rounded over its whole is shown as the whole.
        capped = rules.round_to > 1 and figure.count == figure.denominator
        mind.learn(figure.top, low, np.inf if capped else high)


def _learn_share(mind: Knowledge, figure: Figure) -> None:
    assert figure.bottom is not None
    exact = all(low == high for low, high in (mind.bounds.get(one, (0, 1)) for one in (figure.top, figure.bottom)))
    rounded = figure.top in mind.bounds and figure.bottom in mind.bounds
    if exact or rounded:
        return  # it was computed of these
    (value, off), top, bottom = figure.share[0], np.array(figure.top), np.array(figure.bottom)
    mind.ratios += [tuple(top - (value - off) * bottom), tuple((value + off) * bottom - top)]
    fits = _fits(figure.share)
    if fits:
        for what, some in zip((figure.top, figure.bottom), zip(*fits, strict=True), strict=True):
            mind.learn(what, min(some), max(some))


@cache
def _fits(share: tuple[tuple[float, float], ...]) -> list[tuple[int, int]]:
    """Counts and denominators that give a share with this interval."""

    def fit(count: int, whole: int) -> bool:
        made = (count / whole, *wilson(count, whole))
        return all(abs(one - shown) <= off for one, (shown, off) in zip(made, share, strict=False))

    return [(count, whole) for whole in range(1, MOST) for count in range(whole + 1) if fit(count, whole)]


def _learn_groups(mind: Knowledge, folder: Path) -> None:
    """A group is listed because it has a case, and one without a case is not; of outcomes all are listed."""
    listed: dict[str, set[Group]] = {}
    themes: dict[str, set[str]] = {}
    for row in _csv_rows(folder):
        if row["measure"] in _DERIVED or row["table"] == "ward funnel":
            continue
        themes.setdefault(row["table"], set()).add(row["theme"])
        listed.setdefault(row["table"], set()).add(_group(row))
    for name in SUBTHEMES:
        if themes["overall"] & set(SUBTHEMES) and name not in themes["overall"]:
            mind.learn(places(name, "cases"), 0, 0)
    manifest = folder / "manifest.json"
    options = json.loads(manifest.read_text("utf-8"))["options"] if manifest.exists() else {}
    for groups in listed.values():
        columns = [name for name, _ in next(iter(groups))]
        domain = {
            "ward": WARDS,
            "month": MONTHS,
            "quarter": sorted({quarter for quarter, _ in MONTHS.values()}),
            "financial_year": sorted({year for _, year in MONTHS.values()}),
        }
        if columns in (["outcome"], ["for_review"]):
            assert len(groups) == {"outcome": len(OUTCOMES), "for_review": 2}[columns[0]]
            continue
        if columns == ["ward"] and len(groups) == len(WARDS) and "exposure" in options:
            continue  # all may be, for their exposure
        for values in itertools.product(*(domain[name] for name in columns)):
            group = tuple(zip(columns, values, strict=True))
            if columns:
                mind.learn(places("all", "cases", group), int(group in groups), np.inf if group in groups else 0)


def recovered(mind: Knowledge) -> list[tuple[str, int]]:
    """The suppressed figures that can be but one number, and that number."""
    if not mind.targets:
        return []
    rows = np.array([*mind.bounds, *mind.ratios, *mind.targets])
    # Places that no figure tells apart are one.
    rows = np.unique(rows, axis=1)
    matrix, targets = np.split(rows, [-len(mind.targets)])
    low = np.array([*(low for low, _ in mind.bounds.values()), *(-1e-9 for _ in mind.ratios)])
    high = np.array([*(high for _, high in mind.bounds.values()), *(np.inf for _ in mind.ratios)])
    held = LinearConstraint(csr_array(matrix), low, high) if len(matrix) else ()
    least, most = np.full(len(targets), np.inf), np.full(len(targets), -np.inf)

    def look(weights: NDArray[np.float64]) -> None:
        found = milp(weights, constraints=held, integrality=np.ones(rows.shape[1]), bounds=Bounds(0, 1000))
        assert found.x is not None, found.message
        values = targets @ found.x.round()
        np.minimum(least, values, out=least)
        np.maximum(most, values, out=most)

    # Most targets move when the attacker looks in a few random directions; the others he looks at one by one.
    dice = np.random.default_rng(0)
    for _ in range(3):
        weights = dice.normal(size=len(targets)) * (least >= most)
        for sign in (1, -1):
            look(sign * weights @ targets)
    for place, target in enumerate(targets):
        for sign in (1, -1):
            if least[place] == most[place]:
                look(sign * target)
    return [(name, int(n)) for name, n, m in zip(mind.targets.values(), least, most, strict=True) if n == m]


def told_what_is_small(mind: Knowledge, tagged: pd.DataFrame, rules: Policy) -> None:
    """Tell the attacker of every suppressed figure that is suppressed for its size that it is, which no file says."""
    truth = np.array(_truth(tagged))
    for target in mind.targets:
        count = int(truth @ np.array(target))
        if rules.show(count) is None:
            mind.learn(target, *rules.range(None))


def _truth(tagged: pd.DataFrame) -> list[int]:
    """How many cases of a report are in each place of the cube, and rows of each kind."""
    read = tagged[tagged["status"] != "empty"]
    cases = read.drop_duplicates("case_id")
    found: Counter[Any] = Counter()
    for row in cases.to_dict("records"):
        themes, detail = (
            tuple(str(row.get(name, "")).split("; ")) if row.get(name, "") else ()
            for name in ("themes", next((kind for kind in DETAILS if kind in row), ""))
        )
        review = "yes" if row["status"] == "review" else "no"
        found[row["ward"], row["received"][:7], row.get("outcome", "not_recorded"), review, themes, detail] += 1
    assert set(found) <= set(CUBE)
    return [*(found[place] for place in CUBE), len(tagged) - len(read), len(read) - len(cases), 0]


def attack(seed: int, rules: Policy, folder: Path) -> list[tuple[str, int]]:
    """Write a report on invented cases into a folder, and what the attacker recovers of it."""
    tagged = invented(seed)
    # Every fourth crosses two columns, every third has rates, every other a trend by quarter.
    write_report(
        tagged,
        folder,
        ["ward", "financial_year"] if seed % 4 == 3 else ["ward"],
        disclosure=rules.name,
        trend="quarter" if seed % 2 else "month",
        exposure=pd.DataFrame({"ward": [*BED_DAYS], "bed_days": [*BED_DAYS.values()]}) if seed % 3 == 0 else None,
        per=PER,
        crosswalk=[CROSSWALK] if "subthemes" in tagged and tagged["subthemes"].any() else [],
    )
    check_derived(folder)
    mind = known(folder, rules)
    told_what_is_small(mind, tagged, rules)
    return secrets(recovered(mind), rules)


def secrets(found: Sequence[tuple[str, int]], rules: Policy) -> list[tuple[str, int]]:
    """Less what is no secret: a share is suppressed if one of its counts is, and the other may be one to show."""
    return [
        (name, count) for name, count in found if rules.show(count) is None or (count and not name.endswith(_WHOLE))
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Attack many reports and print what fell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", default="under5", choices=[name for name in POLICIES if name != "none"])
    parser.add_argument("--tables", type=int, default=1000, help="reports to attack (default: 1000)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first (default: 0)")
    parser.add_argument("--show", action="store_true", help="print every count that was recovered")
    args = parser.parse_args(argv)
    fallen, counts = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(args.first, args.first + args.tables):
            found = attack(seed, POLICIES[args.policy], Path(folder))
            fallen, counts = fallen + bool(found), counts + len(found)
            if args.show and found:
                print(f"{seed}: {found}", flush=True)
    print(f"{args.policy}: {fallen} of {args.tables:,} reports gave a suppressed count away, {counts:,} counts in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
