"""Small drawings: series of values as SVG, without a library and without a script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from services.board.markup import Html, tag

WIDTH, HEIGHT = 300, 48
CHART_WIDTH, CHART_HEIGHT, LEFT, BOTTOM, TOP = 560, 190, 52, 22, 8
LABELS = 8
"""About so many labels fit below a chart."""


def sparkline(values: Sequence[Decimal | None]) -> Html:
    """Values in order of time as a line; what is missing is a gap, not a zero."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return Html("")
    low, high = min(*known, Decimal(0)), max(known)
    spread, step = (high - low) or Decimal(1), WIDTH / max(len(values) - 1, 1)
    points = [
        None if v is None else (i * step, HEIGHT - 3 - float((v - low) / spread) * (HEIGHT - 6))
        for i, v in enumerate(values)
    ]
    runs = [[p for p in run if p] for present, run in groupby(points, lambda p: p is not None) if present]
    box = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "preserveAspectRatio": "none"}
    return tag("svg", *map(_line, runs), class_="spark", aria_hidden="true", **box)


def _line(points: Sequence[tuple[float, float]]) -> Html:
    if len(points) == 1:
        x, y = points[0]
        return tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=2)
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))


def bars(
    labels: Sequence[str],
    values: Sequence[Decimal | None],
    texts: Sequence[str],
    title: str,
    aim: Decimal | None = None,
) -> Html:
    """Values as bars from zero, each with its text for who points at it; missing is no bar, and says so."""
    known = [v for v in (*values, aim) if v is not None]
    if not known:
        return Html("")
    scale = _Scale(float(min(*known, Decimal(0))), float(max(*known, Decimal(0))))
    step = (CHART_WIDTH - LEFT) / max(len(values), 1)
    every = max(1, len(values) // LABELS)
    drawn = [
        *scale.lines(),
        *(_bar(LEFT + i * step, step, v, t, scale) for i, (v, t) in enumerate(zip(values, texts, strict=True))),
        *(_label(LEFT + (i + 0.5) * step, text) for i, text in enumerate(labels) if i % every == 0),
        *([] if aim is None else [_level(scale.y(float(aim)), "aim")]),
    ]
    box = {"viewBox": f"0 0 {CHART_WIDTH} {CHART_HEIGHT}"}
    return tag("svg", *drawn, class_="chart", role="img", aria_label=title, **box)


class _Scale:
    """From values to heights, with a few round lines."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high if high > low else low + 1
        span = self._high - self._low
        size = 10 ** math.floor(math.log10(span / 3))
        self._step: float = next(m * size for m in (1, 2, 5, 10) if span / (m * size) <= 4)

    def y(self, value: float) -> float:
        """The height of a value."""
        return TOP + (self._high - value) / (self._high - self._low) * (CHART_HEIGHT - TOP - BOTTOM)

    def lines(self) -> Iterator[Html]:
        """Lines at round values."""
        value = math.ceil(self._low / self._step) * self._step
        while value <= self._high:
            yield _level(self.y(value))
            yield tag("text", _short(value), x=LEFT - 5, y=f"{self.y(value) + 4:.1f}", text_anchor="end")
            value += self._step


def _level(y: float, kind: str | None = None) -> Html:
    return tag("line", class_=kind, x1=LEFT, x2=CHART_WIDTH, y1=f"{y:.1f}", y2=f"{y:.1f}")


def _label(x: float, text: str) -> Html:
    return tag("text", text, x=f"{x:.1f}", y=CHART_HEIGHT - 6, text_anchor="middle")


def _bar(x: float, step: float, value: Decimal | None, text: str, scale: _Scale) -> Html:
    said = tag("title", text)
    if value is None:
        return tag("text", "·", said, class_="none", x=f"{x + step / 2:.1f}", y=CHART_HEIGHT - BOTTOM - 3)
    top, foot = scale.y(max(float(value), 0)), scale.y(min(float(value), 0))
    place = {"x": f"{x + step * 0.12:.1f}", "y": f"{top:.1f}"}
    return tag("rect", said, width=f"{step * 0.76:.1f}", height=f"{max(foot - top, 0.8):.1f}", **place)


def _short(value: float) -> str:
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{sign}"
    return f"{value:g}"
