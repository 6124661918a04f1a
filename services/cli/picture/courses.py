"""Panels over time: lines and bars on scales with round numbers, and gaps where nothing is known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from schemas.calendar import VN
from services.cli.picture.draw import LINE, Box, circle, cut, nothing, polygon, polyline, rect, rule, width, write
from services.cli.picture.fields import MUTED, PALETTE, Properties, colour, figure, properties, shown, threshold, title
from services.cli.picture.frames import Frame, Json

Span = tuple[datetime, datetime]
MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800)
STEPS = [timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 180, 360, 720)] + [
    timedelta(days=d) for d in (1, 2, 5, 7, 14, 30, 91, 182, 365)
]


@dataclass(frozen=True)
class Line:
    """One series: name, colour, points in time order; None where there is no value."""

    name: str
    colour: str
    points: tuple[tuple[datetime, float | None], ...]
    said: Properties


def course(panel: Json, frames: Sequence[Frame], box: Box, language: str, span: Span) -> str:
    """All series of the panel in one plot."""
    lines = list(_lines(panel, frames))
    known = [v for line in lines for _, v in line.points if v is not None]
    if not known:
        return nothing(box, shown(None, properties(panel, "A", ""), language).text)
    said = lines[0].said
    hidden = said.get("custom.axisPlacement") == "hidden"
    below = 0 if not panel["options"]["legend"]["showLegend"] else 22
    bars = said.get("custom.drawStyle") == "bars"
    low, high, ticks = scale(known, bars, str(said.get("unit")))
    labels = [figure(tick, {**said, "decimals": digits(ticks, said)}, language) for tick in ticks]
    left = 8 if hidden else 18 + max(width(label, 10.5) for label in labels)
    plot = box.inner(left, 6, 14, (6 if hidden else 24) + below)
    parts = [] if hidden else [_grid(plot, ticks, labels, low, high), _clock(plot, span)]
    parts += [_aim(panel, plot, low, high)]
    for line in lines:
        parts += _bars(line, plot, span, low, high) if bars else _stroke(line, plot, span, low, high)
    if below:
        parts.append(_legend(lines, Box(box.x + 14, box.bottom - 20, box.w - 28, 18)))
    return "".join(parts)


def _lines(panel: Json, frames: Sequence[Frame]) -> Iterator[Line]:
    place = 0
    for frame in frames:
        for column in frame.figures:
            said = properties(panel, frame.ref, column.name)
            points = tuple(
                (t, v if isinstance(v, float) else None)
                for t, v in zip(frame.times, column.values, strict=True)
                if isinstance(t, datetime)
            )
            yield Line(title(said, column.name), _colour(said, points, place), points, said)
            place += 1


def _colour(said: Properties, points: Sequence[tuple[datetime, float | None]], place: int) -> str:
    how: dict[str, Any] = said.get("color") or {}
    if how.get("fixedColor"):
        return colour(how["fixedColor"])
    if how.get("mode") == "thresholds":
        last = next((v for _, v in reversed(points) if v is not None), 0.0)
        return threshold(last, said)
    return PALETTE[place % len(PALETTE)]


def scale(values: Sequence[float], whole: bool, unit: str = "") -> tuple[float, float, list[float]]:
    """(lowest, highest, round ticks between) of an axis that shows the values; from 0 where `whole`, or where 0 is
    near. Seconds go by minutes and hours."""
    low, high = min(values), max(values)
    if whole or 0 < low < (high - low) * 2:
        low = min(low, 0.0)
    if low == high:
        low, high = min(low, 0.0), max(high, 0.0) or 1.0
    tenth = 10 ** math.floor(math.log10((high - low) / 3))
    steps = MINUTES if unit == "s" and high - low > 10 else tuple(tenth * factor for factor in (1, 2, 2.5, 5, 10))
    step = next((step for step in steps if (high - low) / step <= 4), steps[-1])
    bottom, top = math.floor(low / step) * step, math.ceil(high / step - 1e-9) * step
    return bottom, top, [bottom + i * step for i in range(round((top - bottom) / step) + 1)]


def digits(ticks: Sequence[float], said: Properties) -> int | None:
    """As many decimals as tell the ticks apart; None for units that are scaled."""
    if said.get("unit") in ("s", "bytes"):
        return None
    factor = 100 if said.get("unit") == "percentunit" else 1
    return next((d for d in range(6) if all(abs(round(t * factor, d) - t * factor) < 1e-9 * factor for t in ticks)), 6)


def _y(plot: Box, value: float, low: float, high: float) -> float:
    return plot.bottom - (value - low) / (high - low) * plot.h


def _x(plot: Box, t: datetime, span: Span) -> float:
    return plot.x + (t - span[0]) / (span[1] - span[0]) * plot.w


def _grid(plot: Box, ticks: Sequence[float], labels: Sequence[str], low: float, high: float) -> str:
    parts = []
    for tick, label in zip(ticks, labels, strict=True):
        y = _y(plot, tick, low, high)
        parts.append(rule(plot.x, y, plot.right, y) + write(plot.x - 7, y + 3.5, label, 10.5, MUTED, "end"))
    return "".join(parts)


def _clock(plot: Box, span: Span) -> str:
    """Local times below the plot, as many as have room."""
    wanted = (span[1] - span[0]) / max(plot.w / 72, 1)
    step = next((s for s in STEPS if s >= wanted), STEPS[-1])
    midnight = span[0].astimezone(VN).replace(hour=0, minute=0, second=0, microsecond=0)
    count = math.ceil((span[1] - midnight) / step)
    times = [t for t in (midnight + i * step for i in range(count + 1)) if span[0] <= t <= span[1]]
    pattern = "%H:%M" if step < timedelta(days=1) else "%d/%m"
    labels = [(_x(plot, t, span), t.strftime(pattern)) for t in times]
    fitting = [(x, label) for x, label in labels if plot.x + 8 <= x <= plot.right - 6]
    return "".join(write(x, plot.bottom + 16, label, 10.5, MUTED, "middle") for x, label in fitting)


def _aim(panel: Json, plot: Box, low: float, high: float) -> str:
    """The target, where the panel draws its thresholds and it is within the scale."""
    config = panel["fieldConfig"]["defaults"]
    if ((config.get("custom") or {}).get("thresholdsStyle") or {}).get("mode") != "dashed":
        return ""
    steps = [step for step in config["thresholds"]["steps"] if step.get("value") is not None]
    parts = []
    for step in steps:
        if low <= step["value"] <= high:
            y = _y(plot, step["value"], low, high)
            parts.append(rule(plot.x, y, plot.right, y, colour(step["color"]), "6 5"))
    return "".join(parts)


def stretches(points: Sequence[tuple[datetime, float | None]]) -> list[list[tuple[datetime, float]]]:
    """The points without gaps: a line is broken where a value is missing."""
    found: list[list[tuple[datetime, float]]] = [[]]
    for t, value in points:
        if value is None:
            found.append([])
        else:
            found[-1].append((t, value))
    return [stretch for stretch in found if stretch]


def _stroke(line: Line, plot: Box, span: Span, low: float, high: float) -> Iterator[str]:
    stepped = line.said.get("custom.lineInterpolation") == "stepAfter"
    opacity = float(line.said.get("custom.fillOpacity", 0)) / 100
    dotted = line.said.get("custom.showPoints") != "never"
    for stretch in stretches(line.points):
        points = [(_x(plot, t, span), _y(plot, v, low, high)) for t, v in stretch]
        if stepped:
            points = [p for a, b in pairwise(points) for p in (a, (b[0], a[1]))] + points[-1:]
        if opacity and len(points) > 1:
            yield polygon([(points[0][0], plot.bottom), *points, (points[-1][0], plot.bottom)], line.colour, opacity)
        if len(points) > 1:
            yield polyline(points, line.colour)
        if len(points) == 1 or (dotted and len(line.points) <= 60):
            yield from (circle(x, y, 2.2, line.colour) for x, y in points)


def _bars(line: Line, plot: Box, span: Span, low: float, high: float) -> Iterator[str]:
    times = [t for t, _ in line.points]
    apart = min((b - a for a, b in pairwise(times)), default=span[1] - span[0])
    room = max(plot.w * (apart / (span[1] - span[0])) * 0.72, 1.5)
    zero = _y(plot, max(low, 0.0), low, high)
    for t, value in line.points:
        if value is not None:
            x, y = _x(plot, t, span), _y(plot, value, low, high)
            bar = Box(max(x, plot.x), min(y, zero), min(room, plot.right - x), abs(zero - y))
            yield rect(bar, line.colour, radius=1, opacity=0.85)


def _legend(lines: Sequence[Line], box: Box) -> str:
    """Names beside their colours in one line; how many had no room."""
    parts, x = [rule(box.x - 14, box.y - 2, box.right + 14, box.y - 2, LINE)], box.x
    for place, line in enumerate(lines):
        name = cut(line.name, 220, 11)
        if x + width(name, 11) + 24 > box.right - 40:
            parts.append(write(box.right, box.y + 13, f"+{len(lines) - place}", 11, MUTED, "end"))
            break
        parts.append(rect(Box(x, box.y + 8, 12, 3), line.colour, radius=1))
        parts.append(write(x + 17, box.y + 13, name, 11, MUTED))
        x += width(name, 11) + 36
    return "".join(parts)
