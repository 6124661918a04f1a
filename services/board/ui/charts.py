"""Small drawings: series of values as SVG, without a library and without a script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Literal

from schemas.text.numbers import exact
from services.board.ui.markup import Html, tag
from services.board.ui.words import Language

WIDTH, HEIGHT = 300, 48
CHART_WIDTH, CHART_HEIGHT, LEFT, BOTTOM, TOP = 560, 190, 52, 22, 8
LABELS = 8
"""About so many labels fit below a chart."""
Kind = Literal["now", "then"]
"""The period that a chart is about, and the one that it is compared with."""


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


@dataclass(frozen=True)
class Step:
    """One step of a chart: the label below it, its value, that of the same step of the compared period, and what who
    points at it is told."""

    label: str
    now: Decimal | None
    then: Decimal | None
    text: str


def bars(steps: Sequence[Step], title: str, language: Language, aim: Decimal | None = None) -> Html:
    """Values as bars from zero, the compared ones as empty boxes around them; missing is no bar, and says so.

    Empty where no value is known.
    """
    known = [v for step in steps for v in (step.now, step.then) if v is not None]
    if not known:
        return Html("")
    scale = _Scale([float(v) for v in (*known, aim) if v is not None])
    width = (CHART_WIDTH - LEFT) / len(steps)
    every = max(1, len(steps) // LABELS)
    drawn = [
        *scale.lines(language),
        *(_step(LEFT + i * width, width, step, scale) for i, step in enumerate(steps)),
        *(_label(LEFT + (i + 0.5) * width, step.label) for i, step in enumerate(steps) if i % every == 0),
        *([] if aim is None else [_level(scale.y(float(aim)), "aim")]),
    ]
    box = {"viewBox": f"0 0 {CHART_WIDTH} {CHART_HEIGHT}"}
    return tag("svg", *drawn, class_="chart", role="img", aria_label=title, **box)


def sample(kind: Kind) -> Html:
    """A bar of its kind, for a legend."""
    inside = tag("rect", class_=kind, x="1", y="1", width="8", height="10")
    return tag("svg", inside, viewBox="0 0 10 12", class_="chart sample", aria_hidden="true")


class _Scale:
    """From values to heights, with a few round lines."""

    def __init__(self, values: Sequence[float]) -> None:
        self._low, high = min(*values, 0.0), max(*values, 0.0)
        self._high = high if high > self._low else self._low + 1
        span = self._high - self._low
        size = 10 ** math.floor(math.log10(span / 3))
        self._step: float = next(m * size for m in (1, 2, 5, 10) if span / (m * size) <= 4)

    def y(self, value: float) -> float:
        """The height of a value."""
        return TOP + (self._high - value) / (self._high - self._low) * (CHART_HEIGHT - TOP - BOTTOM)

    def lines(self, language: Language) -> Iterator[Html]:
        """Lines at round values."""
        value = math.ceil(self._low / self._step) * self._step
        while value <= self._high:
            yield _level(self.y(value))
            yield tag("text", _number(value, language), x=LEFT - 5, y=f"{self.y(value) + 4:.1f}", text_anchor="end")
            value += self._step


def _level(y: float, kind: str | None = None) -> Html:
    return tag("line", class_=kind, x1=LEFT, x2=CHART_WIDTH, y1=f"{y:.1f}", y2=f"{y:.1f}")


def _label(x: float, text: str) -> Html:
    return tag("text", text, x=f"{x:.1f}", y=CHART_HEIGHT - 6, text_anchor="middle")


def _step(x: float, width: float, step: Step, scale: _Scale) -> Html:
    """The box of the compared value, and the bar of the value before it; half as wide, so that both are seen."""
    drawn = []
    if step.then is not None:
        drawn.append(_bar("then", x + width * 0.08, width * 0.84, step.then, scale))
    if step.now is None:
        drawn.append(tag("text", "·", class_="none", x=f"{x + width / 2:.1f}", y=CHART_HEIGHT - BOTTOM - 3))
    else:
        drawn.append(_bar("now", x + width * 0.22, width * 0.56, step.now, scale))
    return tag("g", tag("title", step.text), *drawn)


def _bar(kind: Kind, x: float, width: float, value: Decimal, scale: _Scale) -> Html:
    top, foot = scale.y(max(float(value), 0)), scale.y(min(float(value), 0))
    place = {"x": f"{x:.1f}", "y": f"{top:.1f}", "width": f"{width:.1f}", "height": f"{max(foot - top, 0.8):.1f}"}
    return tag("rect", class_=kind, **place)


def _number(value: float, language: Language) -> str:
    digits = Decimal(f"{value:g}")
    return exact(digits, language)
