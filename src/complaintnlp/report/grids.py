"""Tables as people read them: one row a group, one column a theme.

The workbook spreads a share over several cells, the page writes it as one; both are drawn from here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from complaintnlp.counting.tally import ALL, NONE
from complaintnlp.counting.trend import FEW_POINTS
from complaintnlp.report.shapes import (
    CROSSWALK,
    ESTIMATES,
    FINDINGS,
    FUNNEL,
    NONE_LABEL,
    OUTCOME,
    OVERALL,
    RARE,
    RATES,
    RECURRENCE,
    SEVERITY,
    SUBTHEMES,
    TOGETHER,
    TREND,
    UNSURE,
    Figure,
    Report,
    Table,
    figures,
    group_names,
)
from complaintnlp.report.tables import combination_label
from complaintnlp.report.views import signal_words
from complaintnlp.report.words import heading

_RATE = "Upheld rate"


@dataclass(frozen=True)
class Column:
    """A column of counts, of words or, where it has a `share`, of shares or rates with their intervals.

    Attributes:
        label: its header.
        top, bottom, share: headers for a share's numerator, denominator and value where each has a column of
            its own. No `top` or `bottom` where another column of the table holds it, or there is none.
        rate: whether the value is a rate and no share.
        words: whether it holds words.
    """

    label: str
    top: str = ""
    bottom: str = ""
    share: str = ""
    rate: bool = False
    words: bool = False


@dataclass(frozen=True)
class Row:
    """A group and its figures or words, one a column; None where there is none."""

    label: str
    figures: tuple[Figure | str | None, ...]


@dataclass(frozen=True)
class Grid:
    """A table in rows and columns; `first` is the header of the labels."""

    first: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def grid(table: Table, report: Report) -> Grid:
    """The table in rows and columns."""
    return _LAYOUTS.get(table.kind, _groups)(table, report)


def all_themes(report: Report) -> dict[str, str]:
    """The labels of all cases, each theme, and no theme."""
    return {ALL: "All complaints", **report.themes, NONE: NONE_LABEL}


def _overall(table: Table, report: Report) -> Grid:
    return _themes("Theme", all_themes(report), table)


def _together(table: Table, report: Report) -> Grid:
    keys = [theme for theme, measure in figures(table)[""] if measure == "share"]
    labels = {key: combination_label(key, report.themes) for key in keys}
    return _themes("Themes", {ALL: "All complaints", **labels}, table)


def _categories(table: Table, _: Report) -> Grid:
    first = "Failing" if table.kind == SUBTHEMES else "Category"
    none = {} if table.kind == SUBTHEMES else {NONE: "None"}
    return _themes(first, {ALL: "All complaints", **table.labels, **none}, table)


def _themes(first: str, labels: Mapping[str, str], table: Table) -> Grid:
    found = figures(table)[""]
    measures = {measure for theme, measure in found if theme in labels}
    columns = [Column("Share of complaints", "Complaints", share="Share of complaints")]
    if table.kind != OVERALL:
        measures.discard("rate")
    optional = {
        "estimated_share": Column("Corrected for the model’s error", share="Corrected share"),
        "rate": Column(f"Rate {table.unit}", share=f"Rate {table.unit}", rate=True),
        "upheld_rate": _upheld_rate(),
    }
    shown = {measure: column for measure, column in optional.items() if measure in measures}
    rows = [
        Row(
            label,
            (
                found.get((theme, "share")) or _whole(found[theme, "cases"]),
                *(found.get((theme, measure)) for measure in shown),
            ),
        )
        for theme, label in labels.items()
    ]
    return Grid(first, (*columns, *shown.values()), tuple(rows))


def _parts(table: Table, report: Report) -> Grid:
    """Of the cases of each theme, the shares of each finding or of each severity."""
    parts = {
        FINDINGS: {"finding_raised": "Raised", "finding_upheld": "Upheld", "finding_not_upheld": "Not upheld"},
        SEVERITY: {"severity_low": "Low", "severity_medium": "Medium", "severity_high": "High"},
    }[table.kind]
    found = figures(table)[""]
    whole = "With a finding" if table.kind == FINDINGS else "Graded"
    labels = {theme: label for theme, label in all_themes(report).items() if (theme, next(iter(parts))) in found}
    # The denominator once, with the first part.
    columns = [
        Column(label, label, "" if place else whole, f"{label}: share") for place, label in enumerate(parts.values())
    ]
    rows = [Row(label, tuple(found[theme, part] for part in parts)) for theme, label in labels.items()]
    return Grid("Theme", tuple(columns), tuple(rows))


def _groups(table: Table, report: Report) -> Grid:
    groups = figures(table)
    themes = {**report.themes, NONE: NONE_LABEL}
    rated = any((ALL, "upheld_rate") in found for found in groups.values())
    columns = [Column("Complaints"), Column("Mentions")]
    columns += [Column(label, f"{label}: complaints", share=f"{label}: share") for label in themes.values()]
    columns += [_upheld_rate()] if rated else []
    rows = [
        Row(
            name,
            (
                found[ALL, "cases"],
                found[ALL, "mentions"],
                *(found[theme, "share"] for theme in themes),
                *([found.get((ALL, "upheld_rate"))] if rated else []),
            ),
        )
        for name, found in groups.items()
    ]
    return Grid(heading(table.by[0]), tuple(columns), tuple(rows))


def _estimates(table: Table, report: Report) -> Grid:
    columns = [Column("Complaints"), *(Column(label, share=f"{label}: share") for label in report.themes.values())]
    rows = [
        Row(name, (found[ALL, "cases"], *(found.get((theme, "estimated_share")) for theme in report.themes)))
        for name, found in figures(table).items()
    ]
    return Grid(heading(table.by[0]), tuple(columns), tuple(rows))


def _rates(table: Table, report: Report) -> Grid:
    themes = {ALL: "All complaints", **report.themes}
    columns = [
        Column(label, f"{label}: number", "" if place else "Exposure", f"{label}: rate", rate=True)
        for place, label in enumerate(themes.values())
    ]
    rows = [Row(name, tuple(found.get((theme, "rate")) for theme in themes)) for name, found in figures(table).items()]
    return Grid(heading(table.by[0]), tuple(columns), tuple(rows))


def _trend(table: Table, report: Report) -> Grid:
    assert table.derived is not None
    (period,) = table.by
    themes = {ALL: "All complaints", **report.themes}
    signals: dict[str, list[str]] = {}
    for when, theme, signal in zip(*(table.derived[name] for name in (period, "theme", "signal")), strict=True):
        if signal:
            signals.setdefault(when, []).append(f"{themes[theme]}: {signal_words(signal)}")
    columns = [*(Column(label) for label in themes.values()), Column("Signals", words=True)]
    rows = [
        Row(when, (*(found[theme, "cases"] for theme in themes), "; ".join(signals.get(when, ["None"]))))
        for when, found in figures(table).items()
    ]
    return Grid(heading(period), tuple(columns), tuple(rows))


def _rare(table: Table, _: Report) -> Grid:
    assert table.derived is not None
    rows = []
    for theme, part in table.derived.groupby("theme", sort=False):
        days = [part["centre"].iloc[0], part["upper"].iloc[0], part["gap"].iloc[-1]]
        figures = [Figure(round(float(count)), None, None, None, None, "") for count in (len(part) + 1, *days)]
        longer = part[part["signal"] != ""]
        told = [f"{gap:.0f} days to {when}" for gap, when in zip(longer["gap"], longer["received"], strict=True)]
        told += [f"Under {FEW_POINTS} gaps"] if part["few"].iloc[0] else []
        rows.append(Row(table.labels[str(theme)], (*figures, "; ".join(told) or "None")))
    texts = ("Complaints", "Mean days between", "Limit in days", "Latest gap in days")
    return Grid("Failing", (*map(Column, texts), Column("Signals", words=True)), tuple(rows))


def _funnel(table: Table, report: Report) -> Grid:
    assert table.derived is not None
    found = {
        (theme, measure): dict(zip(group_names(part[table.by[0]]), map(_where, part["signal"]), strict=True))
        for (theme, measure), part in table.derived.groupby(["theme", "measure"], sort=False)
    }
    shown = {(theme, "share"): label for theme, label in report.themes.items()}
    shown |= {(ALL, "upheld_rate"): _RATE} if any(measure == "upheld_rate" for _, measure in found) else {}
    groups = figures(table)
    cases = {name: figure[ALL, "cases"] for name, figure in groups.items()}

    def hidden(key: tuple[str, str], name: str) -> bool:
        figure = groups[name].get(key)
        return figure is not None and figure.symbol == "[c]"

    columns = [Column("Complaints"), *(Column(label, words=True) for label in shown.values())]
    rows = [
        Row(name, (count, *(found.get(key, {}).get(name, "[c]" if hidden(key, name) else "[z]") for key in shown)))
        for name, count in cases.items()
    ]
    return Grid(heading(table.by[0]), tuple(columns), tuple(rows))


def _where(signal: str) -> str:
    """A signal of a funnel for people."""
    return _sentence_case(signal) or "Inside"


def _returns(table: Table, report: Report) -> Grid:
    assert table.derived is not None
    unit = next((name for name in table.derived.columns[: len(table.by)] if name in table.by), None)
    groups = group_names(table.derived[unit]) if unit else ["All complaints"] * len(table.derived)
    severe = bool((table.data["measure"] == "severity_high").any())
    found: dict[str, dict[str, str]] = {}
    for group, row in zip(groups, table.derived.to_dict("records"), strict=True):
        told = [_told_again(row), f"Number: {row['number']}", *([f"High severity: {row['severe']}"] if severe else [])]
        found.setdefault(group, {})[str(row["theme"])] = ". ".join(told) + "."
    columns = [Column(label, words=True) for label in report.themes.values()]
    rows = [Row(group, tuple(themes.get(theme, "[z]") for theme in report.themes)) for group, themes in found.items()]
    return Grid("Complaints" if unit is None else heading(unit), tuple(columns), tuple(rows))


def _told_again(row: Mapping[Hashable, Any]) -> str:
    if row["upheld_first"] == "":
        return "Never upheld"
    since = f" after {row['upheld_first']}"
    if row["upheld_again"] == "yes":
        return "Upheld again" + since
    hidden = "[c]" in (row["upheld_again"], row["raised_again"])
    if row["raised_again"] == "yes":
        return f"Raised again{since}" + (", upheld [c]" if hidden else ", not upheld")
    return ("[c]" if hidden else "Not again") + since


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _outcomes(table: Table, report: Report) -> Grid:
    groups, rates = figures(table), figures(report.tables[0])[""]
    rated = (ALL, "upheld_rate") in rates
    columns = [*(Column(heading(name)) for name in groups), *([_upheld_rate()] if rated else [])]
    rows = []
    for theme, label in all_themes(report).items():
        rate = [rates.get((theme, "upheld_rate"))] if rated else []
        rows.append(Row(label, (*(found[theme, "cases"] for found in groups.values()), *rate)))
    return Grid("Theme", tuple(columns), tuple(rows))


def _unsure(table: Table, report: Report) -> Grid:
    groups = figures(table)
    labels = {"no": "Sure", "yes": "For review"}
    shown = {labels[name]: found for name, found in groups.items()}
    rows = [
        Row(label, tuple(found[theme, "cases"] for found in shown.values()))
        for theme, label in all_themes(report).items()
    ]
    return Grid("Theme", tuple(Column(name) for name in shown), tuple(rows))


def _upheld_rate() -> Column:
    return Column(_RATE, "Upheld or partly upheld", "Resolved", _RATE)


def _whole(cases: Figure) -> Figure:
    """All cases as a share of themselves."""
    return replace(cases, denominator=cases.count, value=1.0 if cases.count else None)


_LAYOUTS: Mapping[str, Callable[[Table, Report], Grid]] = {
    OVERALL: _overall,
    SUBTHEMES: _categories,
    CROSSWALK: _categories,
    TOGETHER: _together,
    FINDINGS: _parts,
    SEVERITY: _parts,
    ESTIMATES: _estimates,
    RATES: _rates,
    TREND: _trend,
    RARE: _rare,
    FUNNEL: _funnel,
    RECURRENCE: _returns,
    OUTCOME: _outcomes,
    UNSURE: _unsure,
}
"""How each kind is laid out; the others as groups."""
