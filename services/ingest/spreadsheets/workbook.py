"""A workbook's bytes as sheets of cells: XLSX, XLS, ODS by calamine, CSV by the house's own reading of tables.

What calamine does not tell (hidden rows, percent formats, formulas without a value) is told by `marks`, and of XLS by
`xls_marks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from schemas.text import files
from services.ingest.spreadsheets import marks, xls_marks
from services.ingest.spreadsheets.box import Marks, NoMarks
from services.ingest.spreadsheets.limits import (
    MOST_BYTES,
    MOST_LINES,
    MOST_ROWS,
    TooLarge,
)

Value = str | int | float | bool | date | datetime | time | timedelta
"""What calamine gives; the empty text is an empty cell."""
Area = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last row and column of a merged cell."""
CSV = "CSV"
"""What the one sheet of a CSV file is called."""
_OLE = b"\xd0\xcf\x11\xe0"
_NO_WORKBOOK = (
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "an RTF text"),
    (b"\x1f\x8b", "a GZIP file"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_HTML = ("<html", "<!doctype html", "<table", "<?xml")
_SAVE = "open it in Excel or LibreOffice and save it as XLSX"


class NoWorkbook(ValueError):
    """The file is no workbook that can be read; the message says what it is and what to do."""


class Cell(NamedTuple):
    """A place in a sheet, from 0."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """`D7`."""
        return f"{letters(self.column)}{self.row + 1}"


@dataclass
class Sheet:
    """A sheet's cells by row and column from 0, the first row the sheet's first."""

    name: str
    rows: list[list[Value]]
    hidden: bool = False
    marks: Marks = field(default_factory=Marks)
    merged: list[Area] = field(default_factory=list)

    def fill_down(self, first: int) -> None:
        """Give all rows of a merged cell its text, from the row `first` on: a unit's name that stands beside several.
        A figure stays where it is, as it would count several times."""
        for (top, place), (bottom, _) in self.merged:
            text = self.value(Cell(top, place))
            if top < first or not isinstance(text, str):
                continue
            for row in self.rows[top + 1 : bottom + 1]:
                if place < len(row) and row[place] == "":
                    row[place] = text

    def value(self, cell: Cell) -> Value:
        """What stands in a cell; the empty text where the sheet does not reach."""
        row = self.rows[cell.row] if cell.row < len(self.rows) else ()
        return row[cell.column] if cell.column < len(row) else ""


def letters(column: int) -> str:
    """The letters of a column: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def read_file(file: Path) -> list[Sheet]:
    """As `read`, of a file that is not read further than a workbook may reach."""
    with file.open("rb") as source:
        return read(source.read(MOST_BYTES + 1), file.name)


def read(raw: bytes, name: str) -> list[Sheet]:
    """The sheets of a file. Raises `NoWorkbook` (with its name) where it is none, is locked, empty or too large."""
    if not raw.strip(b"\0\r\n\t \xef\xbb\xbf"):
        raise NoWorkbook(f"{name} is empty")
    if len(raw) > MOST_BYTES:
        raise NoWorkbook(f"{name} is larger than {MOST_BYTES // 2**20} MB; send its parts, one by one")
    if kind := next((kind for mark, kind in _NO_WORKBOOK if raw.startswith(mark)), None):
        raise NoWorkbook(f"{name} is {kind} and no workbook")
    try:
        sheets = _packed(raw, name) if raw.startswith((b"PK", _OLE)) else [_csv(raw, name)]
    except TooLarge as large:
        raise NoWorkbook(f"{name}: {large}") from None
    except files.Unreadable as wrong:
        raise NoWorkbook(str(wrong)) from None
    if not any(sheet.rows for sheet in sheets):
        raise NoWorkbook(f"{name} has no cell with anything in it")
    return sheets


def _csv(raw: bytes, name: str) -> Sheet:
    if (count := max(raw.count(b"\n"), raw.count(b"\r"))) > MOST_LINES:
        raise TooLarge(count)
    text = files.decode_any(raw, name)
    if text.lstrip().lower().startswith(_HTML):
        raise NoWorkbook(f"{name} is a page of HTML or XML under the name of a workbook; {_SAVE}")
    rows: list[list[Value]] = [list(row) for row in files.cells(text, name)]
    if len(rows) > MOST_ROWS:
        raise TooLarge(len(rows))
    return Sheet(CSV, rows if any(any(row) for row in rows) else [])


def _packed(raw: bytes, name: str) -> list[Sheet]:
    if raw.startswith(_OLE):
        _check_ole(raw, name)
    try:
        seen = xls_marks.read(raw) if raw.startswith(_OLE) else marks.read(raw)
    except NoMarks as wrong:
        raise NoWorkbook(f"{name} {wrong}") from None
    try:
        with CalamineWorkbook.from_filelike(BytesIO(raw)) as book:
            return list(_sheets(book, seen))
    except PasswordError:
        raise NoWorkbook(_locked(name)) from None
    except CalamineError as wrong:
        raise NoWorkbook(_damaged(name, str(wrong))) from None
    except BaseException as wrong:
        # What Rust did not expect is no Exception, and its type cannot be imported.
        if type(wrong).__name__ != "PanicException":
            raise
        raise NoWorkbook(_damaged(name, str(wrong))) from None


def _sheets(book: CalamineWorkbook, seen: dict[str, Marks]) -> Iterator[Sheet]:
    for about in book.sheets_metadata:
        if about.typ != SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_name(about.name)
        if sheet.total_height > MOST_ROWS:
            raise TooLarge(sheet.total_height, about.name)
        hidden = about.visible != SheetVisibleEnum.Visible
        rows = sheet.to_python(skip_empty_area=False)
        known = seen.get(about.name) or Marks()
        for (row, column), error in known.errors.items():
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = error
        yield Sheet(about.name, rows, hidden, known, sheet.merged_cell_ranges or known.merged)


def _check_ole(raw: bytes, name: str) -> None:
    """An old XLS, or a box around something else, told by the names within."""
    if _wide("EncryptedPackage") in raw:
        raise NoWorkbook(_locked(name))
    if _wide("_VBA_PROJECT") in raw:
        raise NoWorkbook(marks.MACROS.format(name=name))
    if _wide("WordDocument") in raw:
        raise NoWorkbook(f"{name} is a Word document and no workbook")


def _damaged(name: str, why: str) -> str:
    return f"{name} {marks.DAMAGED.format(why)}"


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def _locked(name: str) -> str:
    return f"{name} is locked with a password: save it without one, then import it"
