"""Panels of rows: tables with aligned numbers, as many rows as have room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.cli.picture.draw import EDGE, LINE, TEXT, Box, cut, halves, nothing, rect, rule, sign, width, write
from services.cli.picture.fields import MUTED, Properties, Shown, properties, shown, title
from services.cli.picture.frames import Column, Frame, Json, transformed

ROW = 24.0
SIZE = 12.0
PAD = 18.0
LEAST = 70.0
"""Pixels that a column of words keeps while others stay whole."""


@dataclass(frozen=True)
class _Cells:
    """A column of a table as it is drawn."""

    name: str
    cells: tuple[Shown, ...]
    numbers: tuple[float | None, ...]
    soft: bool  # words, which may be cut; no numbers nor moments
    said: Properties

    @property
    def right(self) -> bool:
        return any(number is not None for number in self.numbers) and not self.said.get("mappings")

    @property
    def kind(self) -> str:
        return str((self.said.get("custom.cellOptions") or {}).get("type", "auto"))

    def wanted(self, heads: int) -> float:
        """Pixels for all of it, its name in so many lines."""
        names = halves(self.name) if heads == 2 else [self.name]
        widest = max((width(cell.text, SIZE) for cell in self.cells), default=0)
        mark = 16 if self.kind == "color-text" else 60 if self.kind == "gauge" else 0
        return max(widest + mark, *(width(name, 11.5, bold=True) for name in names)) + PAD


def table(panel: Json, frames: Sequence[Frame], box: Box, language: str) -> str:
    """As many rows as have room; how many have not is said in the last line."""
    frame = next(iter(transformed(list(frames), panel.get("transformations", ()))), None)
    if frame is None or not frame.rows():
        return nothing(box, shown(None, properties(panel, "A", ""), language).text)
    columns = [c for c in (_cells(panel, frame.ref, column, language) for column in frame.columns) if c]
    heads = 1 if sum(column.wanted(1) for column in columns) <= box.w - 8 else 2
    top = ROW if heads == 1 else ROW + 13
    count = len(frame.rows())
    fits = int((box.h - top - 6) // ROW)
    rows = count if count <= fits else max(fits - 1, 0)
    widths = rooms([c.wanted(heads) for c in columns], [c.soft for c in columns], box.w - 8)
    parts, x = [rule(box.x, box.y + top, box.right, box.y + top, EDGE)], box.x + 4
    for column, room in zip(columns, widths, strict=True):
        parts += _head(column, Box(x, box.y, room, top), heads)
        parts += _column(column, Box(x, box.y + top, room, box.h - top), rows)
        x += room
    for row in range(1, rows):
        y = box.y + top + ROW * row
        parts.append(rule(box.x + 12, y, box.right - 12, y))
    if rows < count:
        left = count - rows
        more = f"… và {left} dòng nữa" if language == "vi" else f"… and {left} more rows"
        parts.append(write(box.x + 14, box.y + top + ROW * rows + 16, more, 11, MUTED))
    return "".join(parts)


def _cells(panel: Json, ref: str, column: Column, language: str) -> _Cells | None:
    said = properties(panel, ref, column.name)
    if said.get("custom.hidden"):
        return None
    # A cell without a value is marked; the words for it belong to panels that have nothing at all.
    plain = {name: value for name, value in said.items() if name != "noValue"}
    cells = tuple(shown(value, plain, language) for value in column.values)
    numbers = tuple(value if isinstance(value, float) else None for value in column.values)
    soft = any(isinstance(value, str) for value in column.values) and not said.get("mappings")
    return _Cells(title(said, column.name), cells, numbers, soft, said)


def rooms(wanted: Sequence[float], soft: Sequence[bool], whole: float) -> list[float]:
    """The widths of columns that fill `whole`: what is too much is taken from the widest, of the soft ones if that
    will do."""
    if sum(wanted) <= whole:
        spare = (whole - sum(wanted)) / max(len(wanted), 1)
        return [w + spare for w in wanted]
    hard = sum(w for w, gives in zip(wanted, soft, strict=True) if not gives)
    giving = soft if whole - hard >= LEAST * sum(soft) and any(soft) else [True] * len(wanted)
    left = whole - sum(w for w, gives in zip(wanted, giving, strict=True) if not gives)
    open_ = sorted(w for w, gives in zip(wanted, giving, strict=True) if gives)
    while open_[0] <= left / len(open_):
        left -= open_.pop(0)
    limit = left / len(open_)
    return [min(w, limit) if gives else w for w, gives in zip(wanted, giving, strict=True)]


def _side(column: _Cells, box: Box) -> tuple[float, str]:
    """Where texts are anchored: numbers at the right, words at the left."""
    return (box.right - 10, "end") if column.right else (box.x + 10, "start")


def _head(column: _Cells, box: Box, heads: int) -> Iterator[str]:
    x, anchor = _side(column, box)
    room = box.w - PAD + 6
    single = heads == 1 or width(column.name, 11.5, bold=True) <= room
    lines = [column.name] if single else halves(column.name)
    for place, line in enumerate(lines):
        y = box.bottom - 8 - 13 * (len(lines) - 1 - place)
        yield write(x, y, cut(line, room, 11.5, bold=True), 11.5, MUTED, anchor, bold=True)


def _column(column: _Cells, box: Box, rows: int) -> Iterator[str]:
    x, anchor = _side(column, box)
    coloured = column.kind == "color-text"
    most = max((abs(n) for n in column.numbers if n is not None), default=0) or 1
    values = max((width(cell.text, SIZE) for cell in column.cells), default=0) + 12
    for row in range(rows):
        cell, number = column.cells[row], column.numbers[row]
        line = Box(box.x + 8, box.y + ROW * row, box.w - 18, ROW)
        if column.kind == "gauge" and number is not None:
            yield _gauge(cell, abs(number) / most, line, values)
            continue
        text, shift = cut(cell.text, box.w - PAD + 8 - (14 if coloured else 0), SIZE), 0.0
        if coloured and cell.sign == "alert":
            yield sign("alert", x - width(text, SIZE) - 9 if column.right else x + 4, line.y + ROW / 2, 9)
            shift = 0 if column.right else 13
        yield write(x + shift, line.y + 16, text, SIZE, cell.colour if coloured or cell.missing else TEXT, anchor)


def _gauge(cell: Shown, share: float, line: Box, values: float) -> str:
    track = Box(line.x, line.y + 8, max(line.w - values, 10), 9)
    bar = Box(track.x, track.y, track.w * share, 9)
    text = write(line.right, line.y + 16, cell.text, SIZE, cell.colour, "end")
    return rect(track, LINE, radius=2) + rect(bar, cell.colour, radius=2) + text
