"""What a row of a sheet is: figures, a total, a heading, a note, a signature or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.ingest.spreadsheets.cells import is_figure, text_of
from services.ingest.spreadsheets.words import bare
from services.ingest.spreadsheets.workbook import Cell, Sheet, Value

TOTAL, TEXT = "total row", "text without figures"
_TOTAL = re.compile(
    r"tổng cộng\b.*|tổng số|(?:tổng|cộng)(?: (?:các|khối|cụm|nhóm|mục|phần|chung|[ivx]+|\d+)\b.*)?"
    r"|(?:(?:tổng số|tổng|cộng|chung) )?(?:toàn|cả) (?:tỉnh|huyện|thị xã|thành phố|xã|phường|ngành)"
    r"|t cộng|(?:grand )?total|(?:bình quân|trung bình)\b.*"
    r"|tong cong|tong so"
)
_MEAN = re.compile(r"(?:bình quân|trung bình)\b.*")
_ROMAN = re.compile(r"[IVX]+\.?")
_NOTE = ("(*)", "*", "(1)")
_NOTE_WORDS = ("ghi chu", "luu y")


@dataclass(frozen=True)
class Layout:
    """A sheet's table: it begins at row `first`, and has its figures in the columns `figures`."""

    sheet: Sheet
    first: int
    numbering: int | None
    figures: Sequence[int]

    @cached_property
    def last(self) -> int:
        """The last row with figures; what stands below it are notes and signatures."""
        numbers = range(len(self.sheet.rows) - 1, self.first - 1, -1)
        return next((number for number in numbers if self.has_figures(number)), self.first)

    def has_figures(self, number: int) -> bool:
        """Whether a column of figures has a number there, or a formula."""
        found = [Cell(number, place) for place in self.figures]
        return any(_is_figure(self.sheet.value(cell)) or cell in self.sheet.marks.unstored for cell in found)

    def why_not(self, number: int, is_named: Callable[[int], bool]) -> str | None:
        """Why a row gives no figures; None if it does. `is_named`: whether a unit or an indicator is named there."""
        row = self.sheet.rows[number]
        if not any(text_of(value) for value in row) and not self.has_figures(number):
            return "blank"
        if any(_TOTAL.fullmatch(_words(label)) for label in self._labels(row)):
            return TOTAL
        if not self.has_figures(number):
            return self._why_text(row, is_named(number))
        mark = self.sheet.value(Cell(number, self.numbering)) if self.numbering is not None else ""
        if isinstance(mark, str) and _ROMAN.fullmatch(mark.strip()) and not is_named(number):
            return "section subtotal"
        return None

    def is_of_means(self, number: int) -> bool:
        """Whether a row of totals has the means of the rows, and not their sums."""
        return any(_MEAN.fullmatch(_words(label)) for label in self._labels(self.sheet.rows[number]))

    def _why_text(self, row: Sequence[Value], named: bool) -> str | None:
        """A row of a unit with words where figures should be is asked about."""
        if named and any(place < len(row) and text_of(row[place]) for place in self.figures):
            return None
        first = next((text_of(value) for value in row if text_of(value)), "")
        if first.startswith(_NOTE) or bare(first).startswith(_NOTE_WORDS):
            return "note"
        return "no figures" if named else TEXT

    def _labels(self, row: Sequence[Value]) -> Iterator[str]:
        for place, value in enumerate(row):
            if place not in self.figures and isinstance(value, str) and value.strip():
                yield value


def _is_figure(value: Value) -> bool:
    return value != "" and is_figure(value)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
