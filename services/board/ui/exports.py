"""Rows as files for office programs: CSV that Excel opens with Vietnamese intact, and XLSX. No cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import xlsxwriter

Cell = str | int | Decimal
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that office programs would compute."""
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_AS_THEY_ARE = {"in_memory": True, "constant_memory": True, "strings_to_urls": False, "strings_to_formulas": False}


def harmless(cell: Cell) -> Cell:
    """A text that would be taken as a formula gets an apostrophe before it, as one types it by hand."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a mark at the beginning, by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """One sheet with a bold head that stays in view."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _AS_THEY_ARE) as book:
        sheet = book.add_worksheet(title[:31])
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, heads, book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, [_writable(cell) for cell in row])
    return out.getvalue()


def _writable(value: Cell) -> Cell:
    """One odd character must not cost the whole file."""
    return _UNWRITABLE.sub("", value) if isinstance(value, str) else value
