"""Small drawings: series of values as SVG, without a library and without a script."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from xml.etree.ElementTree import tostring

from services.board.ui.markup import Html, tag
from services.board.ui.words import Language
from services.reports import drawing
from services.reports.drawing import Kind, Step

__all__ = ["Step", "bars", "sample", "sparkline"]
WIDTH, HEIGHT, FEWEST = 300, 48, 4


def sparkline(values: Sequence[Decimal | None]) -> Html:
    """Values in order of time as a line; what is missing is a gap, not a zero. Of a few values there is none."""
    known = [v for v in values if v is not None]
    if len(known) < FEWEST:
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
    steps: Sequence[Step], title: str, language: Language, aim: Decimal | None = None, joined: bool = False
) -> Html:
    """As `drawing.bars`, within a page; empty where no value is known."""
    drawn = drawing.bars(steps, title, language, aim, joined)
    return Html("" if drawn is None else tostring(drawn, encoding="unicode", method="html"))


def sample(kind: Kind, joined: bool = False) -> Html:
    """A bar of its kind, or a line, for a legend."""
    inside = tag("rect", class_=kind, x="1", y="1", width="8", height="10")
    if joined:
        inside = tag("polyline", class_=f"line {kind}", points="0,6 10,6")
    return tag("svg", inside, viewBox="0 0 10 12", class_="chart sample", aria_hidden="true")
