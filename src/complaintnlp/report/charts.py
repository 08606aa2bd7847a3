"""Where the marks of the page's charts lie. The page's template draws them.

A chart sees only what may be shown: a suppressed figure has no bar and no point, and its place holds the symbol.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from complaintnlp.counting.trend import Limits
from complaintnlp.report.notes import figure_text
from complaintnlp.report.shapes import Figure
from complaintnlp.report.words import percent, short

_LETTER = 7.6
"""Width of a letter of the charts' type, in the units of the drawing; on the safe side."""
_LINE, _ROW = 15, 44
_LEFT, _SIDE = 46, 18
"""Left of a trend is its axis; elsewhere there must be room for half of "100 %"."""
_PLOT, _TOP, _FLOOR = 340, 14, 172
_ACROSS = _PLOT - _LEFT - _SIDE
"""Of plots against limits: width, edges, and the room between them."""


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


@dataclass(frozen=True)
class Mark:
    """A point; `style` is a class of the page's style sheet, which gives a signal another shape, not only a colour."""

    x: float
    y: float
    style: str


@dataclass(frozen=True)
class Curve:
    """A line through points."""

    points: str
    style: str


@dataclass(frozen=True)
class Funnel:
    """Where all groups together lie, and how much more than by chance they differ."""

    target: float
    dispersion: float


@dataclass(frozen=True)
class Plot:
    """Points against limits: an XmR or g chart, or a funnel."""

    title: str
    description: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    width: int = _PLOT
    height: int = _FLOOR + 28


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


def run_chart(title: str, values: Mapping[str, float], limits: Limits, signals: Sequence[str], told: str) -> Plot:
    """An XmR or g chart: values in order of time, their mean and limits.

    Args:
        title: what is shown.
        values: by time; nan leaves a gap.
        limits: drawn where they are known; a lower one of 0 is the axis.
        signals: of each value, blank for none.
        told: the text alternative.
    """
    axis = _Axis(max((v for v in (*values.values(), limits.upper) if math.isfinite(v)), default=1.0))
    step = _ACROSS / max(len(values), 1)
    points = []
    for place, value in enumerate(values.values()):
        points.append(
            Point(round(_LEFT + step * (place + 0.5), 1), "", axis.at(value) if math.isfinite(value) else None)
        )
    marks = tuple(
        Mark(point.x, point.y, "signal" if signal else "dot")
        for point, signal in zip(points, signals, strict=True)
        if point.y is not None
    )
    curves = [Curve(line, "line") for line in _lines(points)]
    for value, style in ((limits.centre, "mean"), (limits.upper, "limit"), (limits.lower, "limit")):
        if math.isfinite(value) and (value > 0 or style == "mean"):
            curves.append(Curve(f"{_LEFT},{axis.at(value)} {_PLOT - _SIDE},{axis.at(value)}", style))
    # As many times as there is room for are named; the table names all.
    every = max(math.ceil(11 * _LETTER / step), 1)
    across = tuple(Tick(point.x, when) for point, when in zip(points, values, strict=True))[every // 2 :: every]
    return Plot(title, told, across, axis.ticks(lambda value: f"{value:,.0f}"), tuple(curves), marks)


def funnel_chart(
    title: str, sizes: Sequence[int], shares: Sequence[float], signals: Sequence[str], funnel: Funnel, told: str
) -> Plot:
    """A funnel plot of shares by size; the arguments are those of `run_chart`, with the denominators for times."""
    axis = _Axis(min(max(shares, default=1.0) * 1.15, 1.0), 1.0)
    most = _Axis(max(sizes, default=1))

    def along(size: float) -> float:
        return round(_LEFT + _ACROSS * size / most.top, 1)

    curves = [Curve(f"{_LEFT},{axis.at(funnel.target)} {_PLOT - _SIDE},{axis.at(funnel.target)}", "mean")]
    # Limits bend at small sizes: the steps are finer there.
    grid = [most.top * (n / 60) ** 2 for n in range(3, 61)]
    for confidence, style in ((0.95, "limit inner"), (0.998, "limit")):
        for sign in (1, -1):
            z = sign * NormalDist().inv_cdf(0.5 + confidence / 2)
            spread = funnel.dispersion * funnel.target * (1 - funnel.target)
            ends = ((size, funnel.target + z * math.sqrt(spread / size)) for size in grid)
            line = " ".join(f"{along(size)},{axis.at(end)}" for size, end in ends if 0 <= end <= axis.top)
            curves += [Curve(line, style)] if " " in line else []
    marks = tuple(
        Mark(along(size), axis.at(share), "signal" if "99.8" in signal else "dot")
        for size, share, signal in zip(sizes, shares, signals, strict=True)
    )
    across = tuple(Tick(along(size), f"{size:,.0f}") for size in most.steps)
    return Plot(title, told, across, axis.ticks(percent), tuple(curves), marks)


class _Axis:
    """From 0 to a round number that holds all values."""

    def __init__(self, highest: float, most: float = math.inf) -> None:
        step: float = 10.0 ** math.floor(math.log10(max(highest, 1e-9)))
        step = next(part * step for part in (0.2, 0.5, 1, 2) if highest <= 5 * part * step + 1e-9)
        if math.isinf(most):
            step = max(step, 1)
        self.top = min(math.ceil(highest / step - 1e-9) * step, most) or step
        self.steps = [step * n for n in range(math.floor(self.top / step + 1e-9) + 1)]

    def at(self, value: float) -> float:
        return round(_FLOOR - (_FLOOR - _TOP) * min(max(value, 0), self.top) / self.top, 1)

    def ticks(self, say: Callable[[float], str]) -> tuple[Tick, ...]:
        return tuple(Tick(self.at(value), say(value)) for value in self.steps)


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
