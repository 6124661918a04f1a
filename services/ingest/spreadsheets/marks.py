"""What a sheet of XLSX or ODS says beside its values: hidden rows, shares shown in percent, formulas without a value or
with an error for one.

Only the few elements that tell it are looked at, as the file streams by; nothing is built of it.
"""

from __future__ import annotations

import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple
from xml.parsers import expat

from services.ingest.spreadsheets import ods_marks
from services.ingest.spreadsheets.box import ERROR, Box, Marks, NoMarks, check_area, feed, parse
from services.ingest.spreadsheets.limits import MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED, TooLarge

MACROS = "{name} carries macros: save it as XLSX without them, then import it"
_SAVE = "open it in Excel or LibreOffice and save it as XLSX"
DAMAGED = f"is damaged or no workbook ({{}}); {_SAVE}"
_BUILT_IN_PERCENT = {9, 10}
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, expat.ExpatError, NotImplementedError, RuntimeError,
    EOFError, LookupError, ValueError, OSError,
)  # fmt: skip
"""What reading a box whose bytes are twisted ends in."""


def read(raw: bytes) -> dict[str, Marks]:
    """Sheet -> its marks. Raises `NoMarks`, `TooLarge`."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            return _read(Box(archive, set(archive.namelist())))
    except (NoMarks, TooLarge):
        raise
    except _DAMAGED as wrong:
        raise NoMarks(DAMAGED.format(wrong)) from None


def _read(box: Box) -> dict[str, Marks]:
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
        return ods_marks.read(box)
    if "word/document.xml" in box.names:
        raise NoMarks("is a Word document and no workbook")
    raise NoMarks(f"is a ZIP file without sheets and no workbook; {_SAVE}")


# --- XLSX ---


def _xlsx(box: Box) -> Iterator[tuple[str, Marks]]:
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

    parse(box, "xl/workbook.xml", workbook)
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


def _sheet(box: Box, path: str, styles: _Styles, marks: Marks, name: str) -> Marks:
    parser = expat.ParserCreate()
    seen = _XlsxSheet(parser, styles, marks, name)
    plain: dict[str, str] = {}

    def start(tag: str, has: dict[str, str]) -> None:
        seen.start(plain.get(tag) or plain.setdefault(tag, tag.rpartition(":")[2]), has)

    parser.StartElementHandler = start
    feed(box, path, parser)
    seen.close()
    return marks


def _targets(box: Box) -> dict[str, str]:
    found: dict[str, str] = {}

    def relation(tag: str, has: dict[str, str]) -> None:
        if tag == "Relationship":
            target = has.get("Target", "")
            found[has.get("Id", "")] = target.lstrip("/") if target[:1] == "/" else posixpath.join("xl", target)

    parse(box, "xl/_rels/workbook.xml.rels", relation)
    return found


def shows_percent(format: str) -> bool:
    """Whether a number's format shows a fraction as percent: not where the sign is but a text of it."""
    return "%" in re.sub(r'"[^"]*"|\\.', "", format)


def _percent_styles(box: Box) -> set[str]:
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
        parse(box, "xl/styles.xml", start, end=end)
    return styles


def _raised_texts(box: Box) -> set[str]:
    """The numbers of the shared texts of which a part stands raised."""
    found, at = set[str](), [-1]

    def start(tag: str, has: dict[str, str]) -> None:
        if tag == "si":
            at[0] += 1
        elif tag == "vertAlign" and has.get("val") == "superscript":
            found.add(str(at[0]))

    if "xl/sharedStrings.xml" in box.names and b"superscript" in box.archive.read("xl/sharedStrings.xml"):
        parse(box, "xl/sharedStrings.xml", start)
    return found


class _XlsxSheet:
    """Follows the rows and cells of one sheet. A cell is judged when the next one begins."""

    def __init__(self, parser: Any, styles: _Styles, marks: Marks, name: str) -> None:
        self.marks, self._name, self._parser = marks, name, parser
        self._percent, self._raised, self._recalculated = styles
        self._row = self._column = -1
        self._widest = 0
        self._place: str | None = None
        self._formula = self._shared = self._error = False
        self._value = ""

    def start(self, tag: str, has: dict[str, str]) -> None:
        """An element begins."""
        if tag == "c":
            self._judge()
            self._column, self._value = self._column + 1, ""
            self._place = has.get("r")
            self._shared = bool(self._raised) and has.get("t") == "s"
            self._error = has.get("t") == "e"
            if self._percent and has.get("s") in self._percent:
                self.marks.percent.add((self._row, self._at()))
        elif tag == "v":
            self._check_place()
            if self._formula or self._shared or self._error:
                self._parser.CharacterDataHandler = self._text
        elif tag == "col":
            if _is_hidden(has, "width"):
                last = min(int(has["max"]), MOST_COLUMNS)
                self.marks.hidden_columns.update(range(int(has["min"]) - 1, last))
        elif tag == "vertAlign":
            if has.get("val") == "superscript":
                self.marks.raised.add((self._row, self._at()))
        elif tag == "row":
            self._next_row(has)
        elif tag == "f":
            self._formula = True
        else:
            self._parser.CharacterDataHandler = None

    def close(self) -> None:
        """The sheet ends."""
        self._judge()

    def _next_row(self, has: dict[str, str]) -> None:
        self._judge()
        self._row = int(has["r"]) - 1 if "r" in has else self._row + 1
        self._column = -1
        if _is_hidden(has, "ht"):
            self.marks.hidden_rows.add(self._row)

    def _check_place(self) -> None:
        """A stray cell far away would have calamine allocate all that lies between."""
        if self._row >= MOST_ROWS:
            raise TooLarge(self._row + 1, self._name)
        if self._place is None or self._place[1:2].isalpha():  # the others are the first 26
            self._widest = max(self._widest, self._at() + 1)
            if self._widest > MOST_COLUMNS:
                raise NoMarks(f"has a cell in column {self._widest} of the sheet {self._name!r}: delete what is there")
        check_area(self._row + 1, self._widest, self._name)

    def _text(self, text: str) -> None:
        self._value += text

    def _judge(self) -> None:
        if not (self._formula or self._shared or self._error):
            return
        if self._error:
            self.marks.errors[self._row, self._at()] = self._value.strip() or ERROR
        elif self._shared and self._value.strip() in self._raised:
            self.marks.raised.add((self._row, self._at()))
        elif self._formula and (not self._value.strip() or (self._recalculated and self._value.strip() == "0")):
            self.marks.unstored.add((self._row, self._at()))
        self._formula = self._shared = self._error = False
        self._parser.CharacterDataHandler = None

    def _at(self) -> int:
        if self._place:
            self._column = _number(self._place.rstrip("0123456789"))
        return self._column


def _is_hidden(has: dict[str, str], size: str) -> bool:
    """Whether a row or a column is hidden, or drawn so small that it is."""
    return has.get("hidden", "0") in ("1", "true") or has.get(size) in ("0", "0.0")


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
