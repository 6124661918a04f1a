"""What a sheet of XLSX or ODS says beside its values: hidden rows, shares shown in percent, formulas without a value.

Only the few elements that tell it are looked at, as the file streams by; nothing is built of it.
"""

from __future__ import annotations

import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple
from xml.parsers import expat

from services.ingest.spreadsheets.limits import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED, TooLarge

MACROS = "{name} carries macros: save it as XLSX without them, then import it"
_SAVE = "open it in Excel or LibreOffice and save it as XLSX"
DAMAGED = f"is damaged or no workbook ({{}}); {_SAVE}"
_BUILT_IN_PERCENT = {9, 10}
_CHUNK = 1 << 16
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, expat.ExpatError, NotImplementedError, RuntimeError,
    EOFError, LookupError, ValueError, OSError,
)  # fmt: skip
"""What reading a box whose bytes are twisted ends in."""


class NoMarks(ValueError):
    """The box is no workbook; the message goes on behind the file's name."""


@dataclass
class Marks:
    """Rows from 0, and (row, column) from 0."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    raised: set[tuple[int, int]] = field(default_factory=set)
    """Texts of which a part stands raised, as the mark of a footnote does."""
    percent: set[tuple[int, int]] = field(default_factory=set)
    unstored: set[tuple[int, int]] = field(default_factory=set)
    date1904: bool = False
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    """Of an ODS; of the others calamine tells it."""


class _Box(NamedTuple):
    archive: zipfile.ZipFile
    names: set[str]


def read(raw: bytes) -> dict[str, Marks]:
    """Sheet -> its marks. Raises `NoMarks`, `TooLarge`."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            return _read(_Box(archive, set(archive.namelist())))
    except (NoMarks, TooLarge):
        raise
    except _DAMAGED as wrong:
        raise NoMarks(DAMAGED.format(wrong)) from None


def _read(box: _Box) -> dict[str, Marks]:
    size = sum(info.file_size for info in box.archive.infolist())
    if size > MOST_UNPACKED:
        raise NoMarks(f"unpacks to {size // 2**20:,} MB, more than a workbook of tables has; send its parts")
    if any(name.lower().endswith("vbaproject.bin") for name in box.names):
        raise NoMarks(MACROS.format(name="").strip())
    if "xl/workbook.xml" in box.names:
        return dict(_xlsx(box))
    if "xl/workbook.bin" in box.names:
        raise NoMarks(f"is an XLSB; {_SAVE}")
    if "content.xml" in box.names and box.archive.read("mimetype").startswith(b"application/vnd.oasis.opendocument.s"):
        if b"manifest:encryption-data" in box.archive.read("META-INF/manifest.xml"):
            raise NoMarks("is locked with a password: save it without one, then import it")
        return _ods(box)
    if "word/document.xml" in box.names:
        raise NoMarks("is a Word document and no workbook")
    raise NoMarks(f"is a ZIP file without sheets and no workbook; {_SAVE}")


Start = Callable[[str, Any], None]


def _parse(box: _Box, name: str, start: Start, end: Callable[[str], None] | None = None) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, found: start(tag.rpartition(":")[2], found)
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    _feed(box, name, parser)


def _feed(box: _Box, name: str, parser: Any) -> None:
    with box.archive.open(name) as file:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


# --- XLSX ---


def _xlsx(box: _Box) -> Iterator[tuple[str, Marks]]:
    sheets: dict[str, str] = {}
    about = {"date1904": False, "recalculated": False}

    def workbook(tag: str, found: dict[str, str]) -> None:
        if tag == "sheet":
            id = next((value for key, value in found.items() if key.rpartition(":")[2] == "id"), "")
            sheets[id] = found.get("name", "")
        elif tag == "workbookPr":
            about["date1904"] = found.get("date1904", "0") in ("1", "true")
        elif tag == "calcPr":
            about["recalculated"] = found.get("fullCalcOnLoad", "0") in ("1", "true")

    _parse(box, "xl/workbook.xml", workbook)
    percent, raised = _percent_styles(box), _raised_texts(box)
    for id, path in _targets(box).items():
        if id in sheets and path in box.names and "/worksheets/" in path:
            seen = Marks(date1904=about["date1904"])
            yield sheets[id], _sheet(box, path, _Styles(percent, raised, about["recalculated"]), seen, sheets[id])


class _Styles(NamedTuple):
    """Of a whole workbook: styles shown in percent, texts of which a part is raised, whether results are to be made."""

    percent: set[str]
    raised: set[str]
    recalculated: bool


def _sheet(box: _Box, path: str, styles: _Styles, marks: Marks, name: str) -> Marks:
    parser = expat.ParserCreate()
    seen = _XlsxSheet(parser, styles, marks, name)
    plain: dict[str, str] = {}

    def start(tag: str, has: dict[str, str]) -> None:
        seen.start(plain.get(tag) or plain.setdefault(tag, tag.rpartition(":")[2]), has)

    parser.StartElementHandler = start
    _feed(box, path, parser)
    seen.close()
    return marks


def _targets(box: _Box) -> dict[str, str]:
    found: dict[str, str] = {}

    def relation(tag: str, has: dict[str, str]) -> None:
        if tag == "Relationship":
            target = has.get("Target", "")
            found[has.get("Id", "")] = target.lstrip("/") if target[:1] == "/" else posixpath.join("xl", target)

    _parse(box, "xl/_rels/workbook.xml.rels", relation)
    return found


def shows_percent(format: str) -> bool:
    """Whether a number's format shows a fraction as percent: not where the sign is but a text of it."""
    return "%" in re.sub(r'"[^"]*"|\\.', "", format)


def _percent_styles(box: _Box) -> set[str]:
    """The numbers of the cell styles that show a fraction as percent."""
    formats, styles, within = set(_BUILT_IN_PERCENT), set[str](), [False, 0]

    def start(tag: str, has: dict[str, str]) -> None:
        if tag == "numFmt" and shows_percent(has.get("formatCode", "")):
            formats.add(int(has["numFmtId"]))
        elif tag == "cellXfs":
            within[0] = True
        elif tag == "xf" and within[0]:
            if int(has.get("numFmtId", 0)) in formats:
                styles.add(str(within[1]))
            within[1] += 1

    def end(tag: str) -> None:
        if tag == "cellXfs":
            within[0] = False

    if "xl/styles.xml" in box.names:
        _parse(box, "xl/styles.xml", start, end=end)
    return styles


def _raised_texts(box: _Box) -> set[str]:
    """The numbers of the shared texts of which a part stands raised."""
    found, at = set[str](), [-1]

    def start(tag: str, has: dict[str, str]) -> None:
        if tag == "si":
            at[0] += 1
        elif tag == "vertAlign" and has.get("val") == "superscript":
            found.add(str(at[0]))

    if "xl/sharedStrings.xml" in box.names and b"superscript" in box.archive.read("xl/sharedStrings.xml"):
        _parse(box, "xl/sharedStrings.xml", start)
    return found


class _XlsxSheet:
    """Follows the rows and cells of one sheet. A cell is judged when the next one begins."""

    def __init__(self, parser: Any, styles: _Styles, marks: Marks, name: str) -> None:
        self.marks, self._name, self._parser = marks, name, parser
        self._percent, self._raised, self._recalculated = styles
        self._row = self._column = -1
        self._widest = 0
        self._place: str | None = None
        self._formula = self._shared = False
        self._value = ""

    def start(self, tag: str, has: dict[str, str]) -> None:
        """An element begins."""
        if tag == "c":
            if self._formula or self._shared:
                self._judge()
            self._column += 1
            self._place = has.get("r")
            self._shared = bool(self._raised) and has.get("t") == "s"
            if self._percent and has.get("s") in self._percent:
                self.marks.percent.add((self._row, self._at()))
        elif tag == "v":
            self._check_place()
            if self._shared:
                self._parser.CharacterDataHandler = self._text
        elif tag == "col":
            if has.get("hidden", "0") in ("1", "true"):
                last = min(int(has["max"]), MOST_COLUMNS)
                self.marks.hidden_columns.update(range(int(has["min"]) - 1, last))
        elif tag == "vertAlign":
            if has.get("val") == "superscript":
                self.marks.raised.add((self._row, self._at()))
        elif tag == "row":
            self._next_row(has)
        elif tag == "f":
            self._formula, self._value = True, ""
            self._parser.CharacterDataHandler = self._text
        else:
            self._parser.CharacterDataHandler = None

    def close(self) -> None:
        """The sheet ends."""
        if self._formula or self._shared:
            self._judge()

    def _next_row(self, has: dict[str, str]) -> None:
        if self._formula or self._shared:
            self._judge()
        self._row = int(has["r"]) - 1 if "r" in has else self._row + 1
        self._column = -1
        if has.get("hidden", "0") in ("1", "true"):
            self.marks.hidden_rows.add(self._row)

    def _check_place(self) -> None:
        """A stray cell far away would have calamine allocate all that lies between."""
        self._value = ""
        if self._row >= MOST_ROWS:
            raise TooLarge(self._row + 1, self._name)
        if self._place is None or self._place[1:2].isalpha():  # the others are the first 26
            self._widest = max(self._widest, self._at() + 1)
            if self._widest > MOST_COLUMNS:
                raise NoMarks(f"has a cell in column {self._widest} of the sheet {self._name!r}: delete what is there")
        _check_area(self._row + 1, self._widest, self._name)

    def _text(self, text: str) -> None:
        self._value += text

    def _judge(self) -> None:
        if self._shared and self._value.strip() in self._raised:
            self.marks.raised.add((self._row, self._at()))
        elif self._formula and (not self._value.strip() or (self._recalculated and self._value.strip() == "0")):
            self.marks.unstored.add((self._row, self._at()))
        self._formula = self._shared = False
        self._parser.CharacterDataHandler = None

    def _at(self) -> int:
        if self._place:
            self._column = _number(self._place.rstrip("0123456789"))
        return self._column


def _check_area(rows: int, columns: int, sheet: str) -> None:
    if rows * columns > MOST_CELLS:
        far = f"reaches to row {rows:,} and column {columns} in the sheet {sheet!r}"
        raise NoMarks(f"{far}, over {MOST_CELLS:,} cells: delete what lies far away")


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


# --- ODS ---


def _ods(box: _Box) -> dict[str, Marks]:
    found: dict[str, Marks] = {}
    at = {"row": 0, "column": 0, "rows": 1, "widest": 0, "columns": 0}
    marks, name = Marks(), ""
    raised, style = set[str](), ""

    def start(tag: str, has: dict[str, str]) -> None:
        nonlocal marks, name, style
        has = {key.rpartition(":")[2]: value for key, value in has.items()}
        if tag == "table":
            name = has.get("name", "")
            marks = found.setdefault(name, Marks())
            at.update(row=0, widest=0, columns=0)
        elif tag == "table-column":
            repeated = int(has.get("number-columns-repeated", 1))
            if has.get("visibility", "visible") != "visible":
                marks.hidden_columns.update(range(at["columns"], min(at["columns"] + repeated, MOST_COLUMNS)))
            at["columns"] += repeated
        elif tag == "style":
            style = has.get("name", "")
        elif tag == "text-properties" and has.get("text-position", "").startswith("super"):
            raised.add(style)
        elif tag == "span" and has.get("style-name") in raised:
            marks.raised.add((at["row"], at["column"] - 1))
        elif tag == "table-row":
            at.update(column=0, rows=int(has.get("number-rows-repeated", 1)))
            if has.get("visibility", "visible") != "visible" and at["rows"] <= MOST_ROWS:
                marks.hidden_rows.update(range(at["row"], at["row"] + at["rows"]))
        elif tag in ("table-cell", "covered-table-cell"):
            cell(has)

    def cell(has: dict[str, str]) -> None:
        width = int(has.get("number-columns-repeated", 1))
        if "value-type" in has and (at["row"] + at["rows"] > MOST_ROWS or at["column"] + width > MOST_COLUMNS):
            raise TooLarge(at["row"] + at["rows"])
        if "value-type" in has:
            at["widest"] = max(at["widest"], at["column"] + width)
            _check_area(at["row"] + at["rows"], at["widest"], name)
        places = [(at["row"], at["column"] + step) for step in range(min(width, MOST_COLUMNS))]
        if has.get("value-type") == "percentage":
            marks.percent.update(places)
        if (high := int(has.get("number-rows-spanned", 1))) > 1:
            corner = at["row"] + high - 1, at["column"] + int(has.get("number-columns-spanned", 1)) - 1
            marks.merged.append(((at["row"], at["column"]), corner))
        if "formula" in has and not has.get("value-type"):
            marks.unstored.update(places)
        at["column"] += width

    def end(tag: str) -> None:
        if tag == "table-row":
            at["row"] += at["rows"]

    _parse(box, "content.xml", start, end=end)
    return found
