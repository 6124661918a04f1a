"""Reports read back by readers that had no part in writing them."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from pypdf import PageObject, PdfReader
from python_calamine import CalamineWorkbook

from services.reports.content import MISSING, Figure, Paragraph, Report, Table, text_of
from services.reports.formats import write

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MM = 72 / 25.4
Rows = list[list[str]]


def words(text: str) -> str:
    """Without the spaces, which a reader of PDF guesses."""
    return re.sub(r"\s", "", unicodedata.normalize("NFC", text))


def rows_of(table: Table) -> Rows:
    """The rows of a table as they are printed."""
    return [[text_of(cell) for cell in row] for row in table.all_rows]


def docx_rows(raw: bytes) -> list[Rows]:
    """The rows of each table whose head repeats, without the head."""
    document = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(raw)).read("word/document.xml"))
    found = []
    for table in document.iter(f"{W}tbl"):
        rows, heads = table.findall(f"{W}tr"), len(list(table.iter(f"{W}tblHeader")))
        cells = [[_text(cell) for cell in row.findall(f"{W}tc")] for row in rows]
        found += [cells[heads:]] if heads else []
    return found


def _text(cell: ElementTree.Element) -> str:
    return "".join(text.text or "" for text in cell.iter(f"{W}t"))


def xlsx_rows(raw: bytes, report: Report) -> list[Rows]:
    """The stored values of each table's sheet, its numbers printed as those of the report are."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    found = []
    for place, table in enumerate(report.tables, start=1):
        rows = book.get_sheet_by_index(place).to_python(skip_empty_area=False)[1 + len(table.head_rows) :]
        values = zip(table.all_rows, rows, strict=False)
        found.append([[_printed(*pair) for pair in zip(cells, row, strict=True)] for cells, row in values])
    return found


def _printed(cell: str | Figure, value: Any) -> str:
    if isinstance(cell, str) or value == MISSING:
        return str(value)
    return Figure(Decimal(repr(value)).quantize(Decimal(1).scaleb(-cell.decimals)), cell.decimals).text


def html_rows(raw: bytes) -> list[Rows]:
    """The rows of each table's body."""
    page = raw.decode().partition("\n")[2].replace('<meta charset="utf-8">', "")
    root = ElementTree.fromstring(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    bodies = ([row.findall("td") for row in table.iter("tr")] for table in root.iter("table"))
    return [[["".join(cell.itertext()) for cell in row] for row in body if row] for body in bodies]


def hold_content(report: Report, fonts: Path) -> None:
    """Every cell, sentence, title and note stands in every format, row by row; those of a PDF on pages as the decree
    has them, with the head of a table on each page that has rows of it."""
    raw = {form: write(report, form, lambda: fonts) for form in ("docx", "xlsx", "html", "pdf")}
    expected = [rows_of(table) for table in report.tables]
    assert docx_rows(raw["docx"]) == expected
    assert xlsx_rows(raw["xlsx"], report) == expected
    assert html_rows(raw["html"]) == expected
    document = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(raw["docx"])).read("word/document.xml"))
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw["xlsx"]))
    sheets = (book.get_sheet_by_index(place).to_python() for place in range(len(book.sheet_names)))
    pages = list(PdfReader(io.BytesIO(raw["pdf"])).pages)
    texts = {
        "docx": _text(document),
        "xlsx": "".join(str(cell) for rows in sheets for row in rows for cell in row),
        "html": raw["html"].decode(),
        "pdf": "".join(page.extract_text() for page in pages),
    }
    for form, text in texts.items():
        assert unicodedata.is_normalized("NFC", text), form
        assert [line for line in _lines(report) if words(line) not in words(text)] == [], form
    hold_layout(pages)
    hold_tables([words(page.extract_text()) for page in pages], report)


def _lines(report: Report) -> Iterator[str]:
    for section in report.sections:
        yield section.title
        yield from (block.text for block in section.blocks if isinstance(block, Paragraph))
    for table in report.tables:
        yield from (table.title, *table.notes)


def hold_tables(pages: list[str], report: Report) -> None:
    """The rows of all tables stand on the pages in their order, each undivided, and the head above them."""
    page = place = 0
    for table in report.tables:
        head = words("".join(cell.text for cell in table.head_rows[-1]))
        for row in rows_of(table):
            text = words("".join(row))
            while (found := pages[page].find(text, place)) < 0:
                page, place = page + 1, 0
                assert page < len(pages), f"{table.code}: {row} is nowhere behind the row before"
            place = found + len(text)
            assert head in pages[page][:found], f"{table.code}: page {page + 1} has no head"


class Placed(NamedTuple):
    """A piece of text on a page of a PDF: where it begins, in points from the lower left, and its size."""

    text: str
    x: float
    y: float
    size: float


def placed(page: PageObject) -> list[Placed]:
    """The pieces of text of a page."""
    found: list[Placed] = []

    def visit(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            found.append(Placed(text.strip(), tm[4] * cm[0] + cm[4], tm[5] * cm[3] + cm[5], size))

    page.extract_text(visitor_text=visit)
    return found


def hold_layout(pages: list[PageObject]) -> None:
    """A4 within the margins of the decree, numbered above from page 2 on, and no line over another."""
    for number, page in enumerate(pages, start=1):
        assert [round(float(side) / MM) for side in page.mediabox[2:]] == [210, 297]
        pieces = placed(page)
        above = [(one.text, one.size) for one in pieces if one.y > (297 - 20) * MM]
        assert above == ([] if number == 1 else [(str(number), 13)])
        body = [one for one in pieces if one.y <= (297 - 20) * MM]
        assert min(one.x for one in body) >= 30 * MM - 0.5 and max(one.x for one in body) <= (210 - 15) * MM
        assert min(one.y for one in body) >= 20 * MM - 0.5
        lines = sorted((round(one.x), one.y, one.size) for one in body)
        for (x, low, _), (other, high, size) in pairwise(lines):
            apart = x != other or high - low < 0.1 or high - low > 0.7 * size
            assert apart, f"page {number}: a line at {x}, {low} has another over it at {high}"
