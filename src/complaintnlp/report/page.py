"""The report as one html page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import jinja2

from complaintnlp.counting.tagged import NOT_RECORDED
from complaintnlp.counting.tally import ALL
from complaintnlp.counting.trend import Limits
from complaintnlp.report.charts import (
    BarChart,
    Funnel,
    Plot,
    TrendChart,
    bar_chart,
    funnel_chart,
    run_chart,
    top_of,
    trend_chart,
)
from complaintnlp.report.grids import Column, grid
from complaintnlp.report.notes import (
    QUOTED,
    SYMBOLS,
    count_text,
    figure_text,
    largest_first,
    left_out,
    method,
    points,
    rate_text,
    summary,
)
from complaintnlp.report.shapes import (
    CROSSWALK,
    FUNNEL,
    GROUPS,
    OVERALL,
    RARE,
    SUBTHEMES,
    TOGETHER,
    TREND,
    YEAR,
    Figure,
    Report,
    Table,
    figures,
    group_names,
)
from complaintnlp.report.views import signals_told
from complaintnlp.report.words import NBSP, between, listed, percent, unique

_WIDE, _NARROW = 560, 340
_PANELS, _TILES, _BESIDE = 12, 4, 3
_GAPS = 6
_BARRED = (OVERALL, SUBTHEMES, TOGETHER, CROSSWALK)
_KEYS = {
    TREND: "Solid line: the mean. Dashed lines: limits of chance. Orange diamonds: part of a signal.",
    RARE: "Each point is a complaint and its height the days since the one before. Solid line: the mean. Dashed line: "
    "the limit. Orange diamonds: longer than chance explains.",
    FUNNEL: "Each point is a group of complaints: further right the larger. Solid line: all together. Dotted lines: "
    "95 % limits. Dashed lines: 99.8 % limits. Orange diamonds: outside these.",
}
_CHARTED = 12
"""Groups beyond which a chart says less than its table."""


@dataclass(frozen=True)
class _Section:
    """A table of the page, with its charts: one in two sizes, or one for each theme."""

    number: int
    table: Table
    headers: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, tuple[tuple[str, str, bool], ...]], ...]
    sizes: tuple[BarChart, ...]
    panels: tuple[BarChart, ...]
    trends: tuple[TrendChart, ...]
    plots: tuple[Plot, ...]

    @property
    def beside(self) -> bool:
        """Whether the table is narrow enough to stand beside its chart."""
        return bool(self.sizes) and len(self.headers) <= _BESIDE


def write_page(path: Path, report: Report) -> None:
    """Write the page to `path`."""
    html = _template().render(
        report=report,
        summary=summary(report),
        points=points(report),
        keys=_KEYS,
        tiles=_tiles(report),
        sections=[_section(number, table, report) for number, table in enumerate(report.tables, 1)],
        quotes={label: report.quotes[theme] for theme, label in report.themes.items() if report.quotes.get(theme)},
        quoted=" ".join(QUOTED),
        left_out=left_out(report),
        method=method(report),
        symbols=SYMBOLS,
        version=version("complaintnlp"),
    )
    path.write_text(html, encoding="utf-8", newline="\n")


@cache
def _template() -> jinja2.Template:
    # select_autoescape goes by the file's ending and would not see html in `.jinja`.
    loader = jinja2.PackageLoader("complaintnlp.report", ".")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.jinja")


def _section(place: int, table: Table, report: Report) -> _Section:
    cells = grid(table, report)
    rows = tuple(
        (row.label, tuple(_cell(c, f) for c, f in zip(cells.columns, row.figures, strict=True))) for row in cells.rows
    )
    headers = ((cells.first, True), *((column.label, column.words) for column in cells.columns))
    plots = {TREND: _runs, RARE: _gaps, FUNNEL: _funnels}.get(table.kind)
    return _Section(
        place,
        table,
        headers,
        rows,
        _bars(table, report),
        _group_bars(table, report),
        _trends(table, report),
        plots(table, report) if plots else (),
    )


def _cell(column: Column, figure: Figure | str | None) -> tuple[str, str, bool]:
    """A cell's figure; for a share or rate, the smaller line below it: 120 of 412; and whether it holds words."""
    told = rate_text(figure) if column.rate else figure_text(figure)
    if not column.share or not isinstance(figure, Figure) or figure.symbol or figure.count is None:
        return told, "", column.words
    if figure.denominator is None:
        return told, "", False
    word = "in" if column.rate else "of"
    return told, f"{count_text(figure.count)} {word} {count_text(figure.denominator)}", False


def _bars(table: Table, report: Report) -> tuple[BarChart, ...]:
    if table.kind not in _BARRED:
        return ()
    shares = {row.label: row.figures[0] for row in grid(table, report).rows[1:]}
    shown = {label: figure for label, figure in shares.items() if isinstance(figure, Figure)}
    if table.kind == SUBTHEMES:
        # The table beside it says of which theme each is; here there is no room.
        plain = unique(label.partition(" (")[0] for label in shown)
        shown = dict(zip(plain, shown.values(), strict=True))
    scale = top_of(shown.values())
    # Twice, because a drawing made for a wide page can't be read on a telephone; the style sheet shows one.
    return tuple(bar_chart(table.title, largest_first(shown), scale, width=width) for width in (_WIDE, _NARROW))


def _group_bars(table: Table, report: Report) -> tuple[BarChart, ...]:
    """A chart for each theme, of the groups in the order of the table."""
    groups = figures(table)
    if table.kind != GROUPS or table.by == (YEAR,):
        return ()
    if not 1 < len(groups) <= _CHARTED or len(report.themes) > _PANELS:
        return ()
    charted = {
        label: {name: found[theme, "share"] for name, found in groups.items()} for theme, label in report.themes.items()
    }
    scale = top_of(figure for shares in charted.values() for figure in shares.values())
    return tuple(bar_chart(label, shares, scale, width=_NARROW) for label, shares in charted.items())


def _trends(table: Table, report: Report) -> tuple[TrendChart, ...]:
    """A chart for each theme, of the years in order; cases without a date are in the table alone."""
    years = {year: found for year, found in figures(table).items() if year != NOT_RECORDED}
    if table.kind != GROUPS or table.by != (YEAR,) or len(years) < 2 or len(report.themes) > _PANELS:
        return ()
    charted = {
        label: {year: found[theme, "share"] for year, found in years.items()} for theme, label in report.themes.items()
    }
    scale = top_of(figure for shares in charted.values() for figure in shares.values())
    return tuple(trend_chart(label, shares, scale) for label, shares in charted.items())


def _runs(table: Table, report: Report) -> tuple[Plot, ...]:
    """An XmR chart for all complaints and for each theme."""
    assert table.derived is not None
    if len(report.themes) >= _PANELS:
        return ()
    charts, told = [], signals_told(table)
    for theme, label in {ALL: "All complaints", **report.themes}.items():
        chart = table.derived[table.derived["theme"] == theme]
        if chart.empty or chart["centre"].isna().all():
            continue  # no two neighbours are shown
        values = dict(zip(chart[table.by[0]], chart["value"].astype(float), strict=True))
        limits = Limits(*(float(chart[name].iloc[0]) for name in ("centre", "lower", "upper")))
        text = told.get(theme, "No figures to show.")
        charts.append(run_chart(label, values, limits, list(chart["signal"]), text))
    return tuple(charts)


def _gaps(table: Table, _: Report) -> tuple[Plot, ...]:
    """A g chart for a few."""
    assert table.derived is not None
    charts = []
    # Those with the most gaps tell the most.
    for theme, part in sorted(table.derived.groupby("theme", sort=False), key=lambda pair: -len(pair[1]))[:_GAPS]:
        limits = Limits(float(part["centre"].iloc[0]), 0.0, float(part["upper"].iloc[0]))
        values = dict(zip(map(str, part["received"]), part["gap"].astype(float), strict=True))
        label = table.labels[str(theme)]
        text = f"{len(part)} gaps, {limits.centre:.0f} days on average; limit {limits.upper:.0f} days."
        # Two on one day are two marks.
        unlike = dict(zip(unique(values), values.values(), strict=True))
        charts.append(run_chart(label, unlike, limits, list(part["signal"])[: len(unlike)], text))
    return tuple(charts)


def _funnels(table: Table, report: Report) -> tuple[Plot, ...]:
    """A funnel for each theme, and one for the upheld rate."""
    assert table.derived is not None
    if len(report.themes) >= _PANELS:
        return ()
    charts = []
    for (theme, measure), part in table.derived.groupby(["theme", "measure"], sort=False):
        label = "Upheld rate, of those resolved" if measure == "upheld_rate" else report.themes[str(theme)]
        funnel = Funnel(float(part["target"].iloc[0]), float(part["dispersion"].iloc[0]))
        out = [
            f"{name} {signal}"
            for name, signal in zip(group_names(part[table.by[0]]), part["signal"], strict=True)
            if "99.8" in signal
        ]
        told = f"All together {percent(funnel.target)}; outside the 99.8{NBSP}% limits: {listed(out) or 'none'}."
        sizes, shares = list(map(int, part["denominator"])), list(map(float, part["value"]))
        charts.append(funnel_chart(label, sizes, shares, list(part["signal"]), funnel, told))
    return tuple(charts)


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """The largest figures of the page: the figure, what it is, its interval."""
    overall = figures(report.tables[0])[""]
    tiles = [(figure_text(overall[ALL, "cases"]), "complaints read", "")]
    shares = largest_first({label: overall[theme, "share"] for theme, label in report.themes.items()})
    for label, share in list(shares.items())[:_TILES]:
        if share.value is None or share.low is None or share.high is None:
            tiles.append((figure_text(share), label, ""))
        else:
            tiles.append((percent(share.value), label, f"{between(share.low, share.high)} (95 % interval)"))
    return tiles
