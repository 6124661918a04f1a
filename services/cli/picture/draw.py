"""Pieces of SVG as text: escaped, aligned, cut to the room they have. Nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from services.cli.picture.fields import ALERT, CALM, COLOURS, MUTED

GROUND, PANEL, EDGE, LINE = "#0d1117", "#161b22", "#2b323c", "#262d37"
TEXT = COLOURS["text"]
FONT = "Inter, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
_NARROW, _WIDE = set("iljtfrI.,:;'|!()[]/ ·–-"), set("mwMWĐ@%—ƠỜỢ")


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    w: float
    h: float

    def inner(self, left: float, top: float, right: float | None = None, bottom: float | None = None) -> Box:
        """The box without margins; right and bottom are as left and top where not said."""
        right, bottom = left if right is None else right, top if bottom is None else bottom
        return Box(self.x + left, self.y + top, max(self.w - left - right, 0), max(self.h - top - bottom, 0))

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.h


def width(text: str, size: float, bold: bool = False) -> float:
    """About how wide a text is in a usual sans-serif font, in pixels."""
    units = sum(0.32 if c in _NARROW else 0.86 if c in _WIDE else 0.7 if c.isupper() else 0.55 for c in text)
    return units * size * (1.06 if bold else 1)


def cut(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, or as much of it as has room, with an ellipsis."""
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, room: float, size: float, most: int) -> list[str]:
    """The text in at most so many lines, cut in the last."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        line = [words.pop(0)]
        while words and (len(lines) == most - 1 or width(" ".join([*line, words[0]]), size) <= room):
            line.append(words.pop(0))
        lines.append(cut(" ".join(line), room, size))
    return lines


def halves(text: str) -> list[str]:
    """The text in two lines about as long as each other; one where it is a single word."""
    words = text.split()
    cuts = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    return list(min(cuts, key=lambda pair: max(width(part, 1) for part in pair))) if cuts else [text]


def fitting(text: str, room: float, largest: float, smallest: float) -> float:
    """The largest size of letters in which a bold text has room."""
    return max(min(largest, room / max(width(text, 1, bold=True), 0.1)), smallest)


def write(
    x: float, y: float, text: str, size: float = 12, fill: str = TEXT, anchor: str = "start", bold: bool = False
) -> str:
    """A line of text whose baseline is at `y`."""
    weight = ' font-weight="600"' if bold else ""
    where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:.4g}" text-anchor="{anchor}"{weight} fill="{fill}"'
    return f"<text {where}>{escape(text)}</text>"


def rect(box: Box, fill: str, edge: str = "none", radius: float = 0, opacity: float = 1) -> str:
    """A rectangle."""
    faint = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    size = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.w:.1f}" height="{box.h:.1f}" rx="{radius:g}"'
    return f'<rect {size} fill="{fill}"{faint} stroke="{edge}"/>'


def rule(x1: float, y1: float, x2: float, y2: float, colour: str = LINE, dashes: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashed}/>'


def polyline(points: Iterable[tuple[float, float]], colour: str, thick: float = 1.5) -> str:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{thick:g}" stroke-linejoin="round"/>'


def polygon(points: Iterable[tuple[float, float]], fill: str, opacity: float = 1) -> str:
    """A filled shape."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{path}" fill="{fill}" fill-opacity="{opacity:.2f}"/>'


def circle(x: float, y: float, radius: float, fill: str, opacity: float = 1) -> str:
    """A dot."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" fill-opacity="{opacity:.2f}"/>'


def sign(kind: str, x: float, y: float, size: float) -> str:
    """What a colour says, as a shape with its middle at (x, y): a triangle to look at, a tick where all is well."""
    r = size / 2
    if kind == "alert":
        mark = rule(x, y - r * 0.25, x, y + r * 0.35, GROUND)
        return polygon([(x, y - r), (x + r, y + r * 0.8), (x - r, y + r * 0.8)], ALERT) + mark
    return polyline([(x - r * 0.8, y), (x - r * 0.2, y + r * 0.6), (x + r * 0.9, y - r * 0.7)], CALM, 2)


def nothing(box: Box, text: str) -> str:
    """Words in the middle of a panel that has nothing to draw."""
    return write(box.x + box.w / 2, box.y + box.h / 2 + 4, cut(text, box.w, 13), 13, MUTED, "middle")


def framed(number: int, box: Box, title: str, body: str) -> str:
    """A panel: its ground, its title, and its body cut at the edges."""
    clip = f"panel-{number}"
    return (
        f"<clipPath id={quoteattr(clip)}>{rect(box, TEXT, radius=6)}</clipPath>"
        f"{rect(box, PANEL, EDGE, 6)}<g clip-path={quoteattr(f'url(#{clip})')}>"
        f"{write(box.x + 12, box.y + 21, cut(title, box.w - 24, 13, bold=True), 13, TEXT, bold=True)}{body}</g>\n"
    )
