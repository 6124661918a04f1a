"""Bars and lines as SVG: pictures in a report, and charts on the board's pages, whose styles go over the colours
here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from schemas.text.numbers import exact
from services.reports.content import Bar, Chart, Figure

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 190, 52, 22, 8, 14
LABELS = 12
"""At most so many labels stand below a chart."""
FONTS = "Liberation Serif, Tinos, Times New Roman, Libertinus Serif, serif"
Kind = Literal["now", "then"]
"""The period that a chart is about, and the one that it is compared with."""
_LOOKS: dict[str, dict[str, str]] = {
    "now": {"fill": "#1f4e79"},
    "then": {"fill": "none", "stroke": "#6b6b6b"},
    "line now": {"fill": "none", "stroke": "#1f4e79", "stroke-width": "2"},
    "line then": {"fill": "none", "stroke": "#6b6b6b", "stroke-dasharray": "4 4"},
    "level": {"stroke": "#cccccc"},
    "aim": {"stroke": "#c0504d", "stroke-dasharray": "5 4", "stroke-width": "1.5"},
}


@dataclass(frozen=True)
class Step:
    """One step of a chart: the label below it, its value, that of the same step of the compared period, and what who
    points at it is told."""

    label: str
    now: Decimal | None
    then: Decimal | None
    text: str


def bars(
    steps: Sequence[Step],
    title: str,
    language: Literal["vi", "en"] = "vi",
    aim: Decimal | None = None,
    joined: bool = False,
) -> Element | None:
    """Values as bars from zero, the compared ones as empty boxes around them; missing is no bar, and says so. `joined`:
    of shares and levels, which no step has for itself, as points on a line, the compared ones on a broken one.

    None where no value is known.
    """
    known = [v for step in steps for v in (step.now, step.then) if v is not None]
    if not known:
        return None
    scale = _Scale([float(v) for v in (*known, aim) if v is not None])
    box = {"viewBox": f"0 0 {WIDTH + RIGHT} {HEIGHT}", "class": "chart", "role": "img", "aria-label": title}
    chart = Element("svg", box | {"font-size": "12"})
    width = (WIDTH - LEFT) / len(steps)
    every = math.ceil(len(steps) / LABELS)
    for value in scale.values():
        _level(chart, scale.y(value))
        _text(chart, exact(Decimal(f"{value:g}"), language), LEFT - 5, scale.y(value) + 4, "end")
    for kind, values in (("then", [s.then for s in steps]), ("now", [s.now for s in steps])) if joined else ():
        _lines(chart, f"line {kind}", [LEFT + (i + 0.5) * width for i in range(len(steps))], values, scale)
    for i, step in enumerate(steps):
        _step(chart, LEFT + i * width, width, step, scale, joined)
    for i, step in enumerate(steps):
        if i % every == 0:
            _text(chart, step.label, LEFT + (i + 0.5) * width, HEIGHT - 6, "middle")
    if aim is not None:
        _level(chart, scale.y(float(aim)), "aim")
    return chart


def of_chart(chart: Chart) -> Element:
    """A chart of a report, as an element of a page."""
    steps = [Step(b.label, b.now, b.before, _told(chart, b)) for b in chart.bars]
    drawn = bars(steps, chart.spoken, "vi", chart.aim)
    assert drawn is not None
    return drawn


def _told(chart: Chart, bar: Bar) -> str:
    values = ((chart.now, bar.now), *([(chart.before, bar.before)] if chart.before else []))
    said = (f"{name}: {Figure(value, chart.decimals).text}" for name, value in values)
    return f"{bar.label} · {' · '.join(said)}"


def of_report(chart: Chart) -> str:
    """A chart of a report as a file of its own."""
    drawn = of_chart(chart)
    drawn.attrib |= {"xmlns": "http://www.w3.org/2000/svg", "font-family": FONTS}
    return tostring(drawn, encoding="unicode")


class _Scale:
    """From values to heights, with a few round values, the lowest and the highest among them."""

    def __init__(self, values: Sequence[float]) -> None:
        low, high = min(*values, 0.0), max(*values, 0.0)
        span = high - low or 4.0
        size = 10 ** math.floor(math.log10(span / 3))
        step: float = next(m * size for m in (1, 2, 5, 10) if span / (m * size) <= 5)
        self._step = max(step, 1.0) if all(map(float.is_integer, values)) else step
        self._low: float = math.floor(round(low / self._step, 6)) * self._step
        self._high: float = self._low + max(math.ceil(round((high - self._low) / self._step, 6)), 1) * self._step

    def y(self, value: float) -> float:
        """The height of a value."""
        return TOP + (self._high - value) / (self._high - self._low) * (HEIGHT - TOP - BOTTOM)

    def values(self) -> Iterator[float]:
        """Round values."""
        return (self._low + n * self._step for n in range(round((self._high - self._low) / self._step) + 1))


def _level(chart: Element, y: float, kind: str = "") -> None:
    place = {"x1": str(LEFT), "x2": str(WIDTH), "y1": f"{y:.1f}", "y2": f"{y:.1f}"}
    SubElement(chart, "line", ({"class": kind} if kind else {}) | place | _LOOKS[kind or "level"])


def _text(chart: Element, text: str, x: float, y: float, anchor: str) -> None:
    SubElement(chart, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}).text = text


def _lines(chart: Element, kind: str, places: Sequence[float], values: Sequence[Decimal | None], scale: _Scale) -> None:
    """A line through the values; what is missing is a gap in it, and a compared value that stands alone a ring."""
    points = [None if v is None else (f"{x:.1f}", f"{scale.y(float(v)):.1f}")
              for x, v in zip(places, values, strict=True)]  # fmt: skip
    for known, run in groupby(points, lambda point: point is not None):
        if not known:
            continue
        first, *others = filter(None, run)
        if others:
            line = {"points": " ".join(map(",".join, (first, *others))), "class": kind}
            SubElement(chart, "polyline", line | _LOOKS[kind])
        elif kind == "line then":
            ring = {"cx": first[0], "cy": first[1], "r": "4", "class": "then"}
            SubElement(chart, "circle", ring | _LOOKS["then"])


def _step(chart: Element, x: float, width: float, step: Step, scale: _Scale, joined: bool) -> None:
    """The box of the compared value, and the bar of the value before it; half as wide, so that both are seen. Of a line
    the point, and all its height to point at."""
    group = SubElement(chart, "g")
    SubElement(group, "title").text = step.text
    if joined:
        place = {"x": f"{x:.1f}", "width": f"{width:.1f}", "y": str(TOP), "height": str(HEIGHT - TOP - BOTTOM)}
        SubElement(group, "rect", {**place, "class": "step", "fill": "none", "pointer-events": "all"})
    elif step.then is not None:
        _bar(group, "then", x + width * 0.08, width * 0.84, step.then, scale)
    if step.now is None:
        _text(group, "·", x + width / 2, HEIGHT - BOTTOM - 3, "middle")
        group[-1].set("class", "none")
    elif joined:
        point = {"cx": f"{x + width / 2:.1f}", "cy": f"{scale.y(float(step.now)):.1f}", "r": "3"}
        SubElement(group, "circle", {**point, **_LOOKS["now"], "class": "now"})
    else:
        _bar(group, "now", x + width * 0.22, width * 0.56, step.now, scale)


def _bar(group: Element, kind: Kind, x: float, width: float, value: Decimal, scale: _Scale) -> None:
    top, foot = scale.y(max(float(value), 0)), scale.y(min(float(value), 0))
    place = {"x": f"{x:.1f}", "y": f"{top:.1f}", "width": f"{width:.1f}", "height": f"{max(foot - top, 0.8):.1f}"}
    SubElement(group, "rect", {**place, **_LOOKS[kind], "class": kind})
