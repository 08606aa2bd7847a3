"""The report as one html page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import jinja2

from complaintnlp.counting.tagged import NOT_RECORDED
from complaintnlp.counting.tally import ALL
from complaintnlp.report.charts import BarChart, TrendChart, bar_chart, top_of, trend_chart
from complaintnlp.report.grids import Column, grid
from complaintnlp.report.notes import QUOTED, SYMBOLS, count_text, figure_text, largest_first, left_out, method, summary
from complaintnlp.report.tables import OUTCOME, YEAR, Figure, Report, Table, figures
from complaintnlp.report.words import between, percent

_WIDE, _NARROW = 560, 340
_PANELS, _TILES = 12, 4
_CHARTED = 40
"""Groups beyond which a chart says less than its table."""


@dataclass(frozen=True)
class _Section:
    """A table of the page, with its charts: one in two sizes, or one for each theme."""

    number: int
    table: Table
    headers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    sizes: tuple[BarChart, ...]
    panels: tuple[BarChart, ...]
    trends: tuple[TrendChart, ...]


def write_page(path: Path, report: Report) -> None:
    """Write the page to `path`."""
    html = _template().render(
        report=report,
        summary=summary(report),
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
    headers = (cells.first, *(column.label for column in cells.columns))
    return _Section(
        place, table, headers, rows, _bars(table, report), _group_bars(table, report), _trends(table, report)
    )


def _cell(column: Column, figure: Figure | None) -> tuple[str, str]:
    """A cell's figure and, for a share, the smaller line below it: 120 of 412."""
    if not column.share or figure is None or figure.symbol:
        return figure_text(figure), ""
    of = "" if figure.denominator is None else f"{count_text(figure.count)} of {count_text(figure.denominator)}"
    return figure_text(figure), of


def _bars(table: Table, report: Report) -> tuple[BarChart, ...]:
    if table.by:
        return ()
    shares = {row.label: row.figures[0] for row in grid(table, report).rows[1:]}
    shown = {label: figure for label, figure in shares.items() if figure is not None}
    scale = top_of(shown.values())
    # Twice, because a drawing made for a wide page can't be read on a telephone; the style sheet shows one.
    return tuple(bar_chart(table.title, largest_first(shown), scale, width=width) for width in (_WIDE, _NARROW))


def _group_bars(table: Table, report: Report) -> tuple[BarChart, ...]:
    """A chart for each theme, of the groups in the order of the table."""
    groups = figures(table)
    if table.by in ((), (YEAR,)) or table.name == OUTCOME:
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
    if table.by != (YEAR,) or len(years) < 2 or len(report.themes) > _PANELS:
        return ()
    charted = {
        label: {year: found[theme, "share"] for year, found in years.items()} for theme, label in report.themes.items()
    }
    scale = top_of(figure for shares in charted.values() for figure in shares.values())
    return tuple(trend_chart(label, shares, scale) for label, shares in charted.items())


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
