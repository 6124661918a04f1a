"""Panels of single values: figures with their names, bars by class, and plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from services.cli.picture.draw import (
    LINE,
    TEXT,
    Box,
    cut,
    fitting,
    nothing,
    rect,
    sign,
    width,
    wrapped,
    write,
)
from services.cli.picture.fields import MUTED, Shown, properties, shown, title
from services.cli.picture.frames import Frame, Json

Item = tuple[str, Shown, float | None]
"""A name, its last value as it is shown, and as a number."""


def items(panel: Json, frames: Sequence[Frame], language: str) -> Iterator[Item]:
    """The last value of each series, in the queries' order; a query without an answer is an item without a value."""
    for target in panel.get("targets", ()):
        answered = [frame for frame in frames if frame.ref == target["refId"]]
        for frame in answered:
            for column in frame.figures:
                said = properties(panel, frame.ref, column.name)
                last = column.values[-1] if column.values else None
                value = last if isinstance(last, float) else None
                yield title(said, column.name), shown(last, said, language), value
        if not answered:
            said = properties(panel, target["refId"], "")
            yield title(said, ""), shown(None, said, language), None


def stat(panel: Json, frames: Sequence[Frame], box: Box, language: str) -> str:
    """One value large, or several with their names below one another or in two columns."""
    options, found = panel["options"], list(items(panel, frames, language))
    if options.get("textMode") == "name":
        return _chips([(name, said, value) for name, said, value in found if not said.missing], panel, box, language)
    with_names = options.get("textMode") == "value_and_name"
    if len(found) == 1:
        return _large(found[0], box, with_names)
    if options.get("orientation") == "horizontal":
        return "".join(_line(item, part) for item, part in zip(found, _grid(box, len(found), 1), strict=True))
    columns = _columns(len(found), box)
    return "".join(_small(item, part) for item, part in zip(found, _grid(box, len(found), columns), strict=True))


def _columns(count: int, box: Box) -> int:
    """As few as let every value have its height, at least two where there is room beside."""
    lines = max(int(box.h // 46), 1)
    return max(math.ceil(count / lines), 2 if count > 2 and box.w > 260 else 1)


def _grid(box: Box, count: int, columns: int) -> list[Box]:
    lines = math.ceil(count / columns)
    w, h = box.w / columns, box.h / lines
    return [Box(box.x + i % columns * w, box.y + i // columns * h, w, h) for i in range(count)]


def _large(item: Item, box: Box, with_name: bool) -> str:
    name, said, _ = item
    if said.missing:
        return nothing(box, said.text)
    size = fitting(said.text, box.w - 60, min(38, box.h * 0.5), 11)
    low = 14 if with_name and name else 0
    y = box.y + box.h / 2 + size * 0.36 - low / 2
    x = box.x + box.w / 2
    mark = sign(said.sign, x - width(said.text, size, bold=True) / 2 - size * 0.55, y - size * 0.36, size * 0.5)
    below = write(x, y + 20, cut(name, box.w - 16, 12), 12, MUTED, "middle") if low else ""
    return (mark if said.sign else "") + write(x, y, said.text, size, said.colour, "middle", bold=True) + below


def _line(item: Item, box: Box) -> str:
    """A name at the left, its value at the right."""
    name, said, _ = item
    middle = box.y + box.h / 2
    size = 13.0 if said.missing else fitting(said.text, max(box.w - 48 - width(name, 12), box.w * 0.45), 24, 12)
    value = write(box.right - 14, middle + size * 0.36, said.text, size, said.colour, "end", not said.missing)
    room = box.w - 36 - width(said.text, size, bold=not said.missing)
    return value + write(box.x + 14, middle + 4, cut(name, room, 12), 12, MUTED)


def _small(item: Item, box: Box) -> str:
    """A value with its name below it, in at most two lines."""
    name, said, _ = item
    x, room = box.x + 14, box.w - 22
    size = 13.0 if said.missing else fitting(said.text, room - 22, min(23, box.h * 0.42), 11)
    y = box.y + size + 3
    shift = size * 0.75 if said.sign else 0
    mark = sign(said.sign, x + size * 0.28, y - size * 0.36, size * 0.56) if said.sign else ""
    lines = wrapped(name, room, 11, 2 if box.h >= size + 30 else 1)
    names = "".join(write(x, y + 15 + 12.5 * i, line, 11, MUTED) for i, line in enumerate(lines))
    return mark + write(x + shift, y, said.text, size, said.colour, bold=not said.missing) + names


def _chips(found: Sequence[Item], panel: Json, box: Box, language: str) -> str:
    """Names alone, each on a ground of its colour."""
    if not found:
        return nothing(box, shown(None, properties(panel, "A", ""), language).text)
    parts = []
    for (name, said, _), place in zip(found, _grid(box.inner(8, 2, 8, 8), len(found), len(found)), strict=True):
        chip = place.inner(3, 1)
        size = fitting(name, chip.w - 16, 15, 10)
        parts.append(rect(chip, said.colour, radius=4))
        at = chip.x + chip.w / 2, chip.y + chip.h / 2 + size * 0.36
        parts.append(write(*at, cut(name, chip.w - 12, size, bold=True), size, "#ffffff", "middle", bold=True))
    return "".join(parts)


def bars(panel: Json, frames: Sequence[Frame], box: Box, language: str) -> str:
    """A bar for each class: name, bar from 0, value. Classes without room are counted in the last line."""
    found = [item for item in items(panel, frames, language) if item[2] is not None]
    if not found:
        return nothing(box, shown(None, properties(panel, "A", ""), language).text)
    fits = max(int((box.h - 8) // 22), 1)
    left_over = len(found) - fits
    found = found[:fits] if left_over <= 0 else found[: fits - 1]
    names = min(max(width(name, 12) for name, _, _ in found) + 6, box.w * 0.42)
    values = max(width(said.text, 12, bold=True) for _, said, _ in found) + 10
    # A share is of the whole, as Grafana has it; anything else is of the greatest.
    shares = panel["fieldConfig"]["defaults"].get("unit") == "percentunit"
    most = max(1.0 if shares else 0.0, *(abs(value or 0) for _, _, value in found)) or 1
    parts, height = [], min((box.h - 8) / (len(found) + (left_over > 0)), 34)
    for place, (name, said, value) in enumerate(found):
        y = box.y + 4 + place * height
        track = Box(box.x + 14 + names, y + height / 2 - 6, box.w - 28 - names - values, 12)
        parts.append(write(track.x - 8, y + height / 2 + 4, cut(name, names - 6, 12), 12, TEXT, "end"))
        parts.append(rect(track, LINE, radius=2))
        parts.append(rect(Box(track.x, track.y, track.w * abs(value or 0) / most, 12), said.colour, radius=2))
        parts.append(write(box.right - 14, y + height / 2 + 4, said.text, 12, said.colour, "end", bold=True))
    if left_over > 0:
        more = f"… và {left_over + 1} nữa" if language == "vi" else f"… and {left_over + 1} more"
        parts.append(write(box.x + 14, box.bottom - 10, more, 11, MUTED))
    return "".join(parts)


def words(panel: Json, frames: Sequence[Frame], box: Box, language: str) -> str:
    """A panel of text, as it is written."""
    said = [line for line in str(panel["options"].get("content", "")).splitlines() if line.strip()]
    lines = [part for line in said for part in wrapped(line.lstrip("#* "), box.w - 28, 12, 6)]
    return "".join(write(box.x + 14, box.y + 18 + 17 * i, line) for i, line in enumerate(lines[: int(box.h // 17)]))
