"""Where the marks of the page's charts lie. The page's template draws them.

A chart sees only what may be shown: a suppressed figure has no bar and no point, and its place holds the symbol.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from complaintnlp.report.notes import figure_text
from complaintnlp.report.tables import Figure
from complaintnlp.report.words import percent, short

_LETTER = 7.6
"""Width of a letter of the charts' type, in the units of the drawing; on the safe side."""
_LINE, _ROW = 15, 44
_LEFT, _SIDE = 46, 18
"""Left of a trend is its axis; elsewhere there must be room for half of "100 %"."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Bar:
    """A bar with its interval; `width` is None where there is nothing to draw."""

    label: str
    text: str
    top: float
    width: float | None = None
    low: float = 0
    high: float = 0


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars of shares, each under its label; `side` is the margin left and right."""

    title: str
    description: str
    width: int
    height: int
    side: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Point:
    """A share at a time; `y` is None where there is only a symbol."""

    x: float
    text: str
    y: float | None = None
    low: float = 0
    high: float = 0


@dataclass(frozen=True)
class TrendChart:
    """Shares over time, with intervals."""

    title: str
    description: str
    width: int
    height: int
    points: tuple[Point, ...]
    lines: tuple[str, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


def bar_chart(title: str, shares: Mapping[str, Figure], scale: float, *, width: int) -> BarChart:
    """A chart of shares, drawn in the order given.

    Args:
        title: what is shown.
        shares: by label.
        scale: the share at the right edge, from `top_of`, so that charts side by side can be compared.
        width: of the drawing; it is scaled to its place on the page.
    """
    room = width - 2 * _SIDE
    bars = []
    for place, (label, figure) in enumerate(shares.items()):
        text = figure_text(figure)
        label = short(label, int((room - _LETTER * len(text)) / _LETTER))
        bar = Bar(label, text, place * _ROW)
        if figure.value is not None and figure.low is not None and figure.high is not None:
            places = (round(room * share / scale, 1) for share in (figure.value, figure.low, figure.high))
            bar = Bar(label, text, place * _ROW, *places)
        bars.append(bar)
    ticks = tuple(Tick(round(room * share / scale, 1), percent(share)) for share in _steps(scale))
    return BarChart(title, _described(shares.items()), width, len(bars) * _ROW + 2 * _LINE, _SIDE, tuple(bars), ticks)


def trend_chart(title: str, shares: Mapping[str, Figure], scale: float) -> TrendChart:
    """A chart of one theme's share, year by year; the arguments are those of `bar_chart`."""
    width, height, top = 340, 190, 16
    floor = height - 26
    step = (width - _LEFT - _SIDE) / max(len(shares), 1)

    def level(share: float) -> float:
        return round(floor - (floor - top) * share / scale, 1)

    points = []
    for place, figure in enumerate(shares.values()):
        x = round(_LEFT + step * (place + 0.5), 1)
        point = Point(x, figure_text(figure))
        if figure.value is not None and figure.low is not None and figure.high is not None:
            point = Point(x, figure_text(figure), level(figure.value), level(figure.low), level(figure.high))
        points.append(point)
    # As many years as there is room for are named; the table names all.
    every = max(math.ceil(8 * _LETTER / step), 1)
    across = [Tick(point.x, short(year, 8)) for point, year in zip(points, shares, strict=True)][::every]
    up = [Tick(level(share), percent(share)) for share in _steps(scale)]
    return TrendChart(
        title,
        _described(shares.items()),
        width,
        height,
        tuple(points),
        tuple(_lines(points)),
        tuple(across),
        tuple(up),
    )


def top_of(shares: Iterable[Figure]) -> float:
    """The end of an axis that holds all intervals: a whole 20 %, or 10 % for small shares."""
    highest = max((figure.high for figure in shares if figure.high is not None), default=1.0)
    step = 0.1 if highest <= 0.3 else 0.2
    # 1e-9: 0.6 / 0.2 is a little more than 3.
    return max(min(math.ceil(highest / step - 1e-9) * step, 1.0), step)


def _steps(scale: float) -> list[float]:
    step = 0.05 if scale <= 0.1 + 1e-9 else 0.1 if scale <= 0.3 + 1e-9 else 0.2
    return [step * n for n in range(round(scale / step) + 1)]


def _lines(points: Iterable[Point]) -> Iterable[str]:
    """Polylines through neighbours; a gap where a figure is not shown."""
    run: list[Point] = []
    for point in [*points, Point(0, "")]:
        if point.y is not None:
            run.append(point)
            continue
        if len(run) > 1:
            yield " ".join(f"{p.x},{p.y}" for p in run)
        run = []


def _described(shares: Iterable[tuple[str, Figure]]) -> str:
    return "; ".join(f"{label}: {figure_text(figure)}" for label, figure in shares) + "."
