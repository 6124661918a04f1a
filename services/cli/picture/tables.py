"""Panels of rows: tables with aligned numbers, as many rows as have room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.cli.picture.draw import EDGE, LINE, TEXT, Box, cut, nothing, rect, rule, sign, width, write
from services.cli.picture.fields import MUTED, Properties, Shown, properties, shown, threshold, title
from services.cli.picture.frames import Column, Frame, Json, transformed

ROW = 24.0
SIZE = 12.0
PAD = 20.0


@dataclass(frozen=True)
class _Cells:
    """A column of a table as it is drawn."""

    name: str
    cells: tuple[Shown, ...]
    numbers: tuple[float | None, ...]
    said: Properties

    @property
    def right(self) -> bool:
        return any(number is not None for number in self.numbers) and not self.said.get("mappings")

    @property
    def kind(self) -> str:
        return str((self.said.get("custom.cellOptions") or {}).get("type", "auto"))

    @property
    def wanted(self) -> float:
        widest = max((width(cell.text, SIZE) for cell in self.cells), default=0)
        return max(widest + (16 if self.kind == "color-text" else 0), width(self.name, 11.5, bold=True)) + PAD


def table(panel: Json, frames: Sequence[Frame], box: Box, language: str) -> str:
    """As many rows as have room; how many have not is said in the last line."""
    frame = next(iter(transformed(list(frames), panel.get("transformations", ()))), None)
    if frame is None or not frame.rows():
        return nothing(box, shown(None, properties(panel, "A", ""), language).text)
    columns = [c for c in (_cells(panel, frame.ref, column, language) for column in frame.columns) if c]
    count = len(frame.rows())
    fits = int((box.h - ROW - 6) // ROW)
    shown_rows = count if count <= fits else max(fits - 1, 0)
    parts, x = [rule(box.x, box.y + ROW, box.right, box.y + ROW, EDGE)], box.x + 4
    for column, room in zip(columns, rooms([c.wanted for c in columns], box.w - 8), strict=True):
        parts += _column(column, Box(x, box.y, room, box.h), shown_rows)
        x += room
    for row in range(1, shown_rows):
        y = box.y + ROW * (row + 1)
        parts.append(rule(box.x + 12, y, box.right - 12, y))
    if shown_rows < count:
        left = count - shown_rows
        more = f"… và {left} dòng nữa" if language == "vi" else f"… and {left} more rows"
        parts.append(write(box.x + 14, box.y + ROW * (shown_rows + 1) + 16, more, 11, MUTED))
    return "".join(parts)


def _cells(panel: Json, ref: str, column: Column, language: str) -> _Cells | None:
    said = properties(panel, ref, column.name)
    if said.get("custom.hidden"):
        return None
    # A cell without a value is marked; the words for it belong to panels that have nothing at all.
    plain = {name: value for name, value in said.items() if name != "noValue"}
    cells = tuple(shown(value, plain, language) for value in column.values)
    numbers = tuple(value if isinstance(value, float) else None for value in column.values)
    return _Cells(title(said, column.name), cells, numbers, said)


def rooms(wanted: Sequence[float], whole: float) -> list[float]:
    """The widths of columns that fill `whole`: narrow ones get what they want, the widest give way first."""
    if sum(wanted) <= whole:
        spare = (whole - sum(wanted)) / max(len(wanted), 1)
        return [w + spare for w in wanted]
    limit, left, open_ = whole / len(wanted), whole, sorted(wanted)
    while open_ and open_[0] <= left / len(open_):
        left -= open_.pop(0)
    limit = left / len(open_) if open_ else limit
    return [min(w, limit) for w in wanted]


def _column(column: _Cells, box: Box, rows: int) -> Iterator[str]:
    room = box.w - PAD + 8
    end, anchor = (box.right - 10, "end") if column.right else (box.x + 10, "start")
    yield write(end, box.y + 16, cut(column.name, room, 11.5, bold=True), 11.5, MUTED, anchor, bold=True)
    most = max((abs(n) for n in column.numbers if n is not None), default=0) or 1
    for row in range(rows):
        cell, number = column.cells[row], column.numbers[row]
        y = box.y + ROW * (row + 1)
        if column.kind == "gauge" and number is not None:
            yield _gauge(cell, abs(number) / most, Box(box.x + 8, y, box.w - 18, ROW), column.said, number)
            continue
        coloured = column.kind == "color-text" or cell.missing
        text = cut(cell.text, room - (14 if column.kind == "color-text" else 0), SIZE)
        if column.kind == "color-text" and cell.sign == "alert":
            at = end - width(text, SIZE) - 9 if column.right else end + 4
            yield sign("alert", at, y + ROW / 2, 9)
        shift = 13 if column.kind == "color-text" and not column.right and cell.sign == "alert" else 0
        yield write(end + shift, y + 16, text, SIZE, cell.colour if coloured else TEXT, anchor)


def _gauge(cell: Shown, share: float, box: Box, said: Properties, number: float) -> str:
    values = width(cell.text, SIZE) + 10
    track = Box(box.x, box.y + 8, max(box.w - values - 12, 10), 9)
    bar = Box(track.x, track.y, track.w * share, 9)
    text = write(box.right, box.y + 16, cell.text, SIZE, threshold(number, said), "end")
    return rect(track, LINE, radius=2) + rect(bar, threshold(number, said), radius=2) + text
