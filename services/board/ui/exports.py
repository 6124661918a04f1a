"""Rows as files for office programs: CSV that Excel opens with Vietnamese intact, and XLSX. No cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

import xlsxwriter
from starlette.responses import Response

from schemas.text.dates import day_and_time
from schemas.text.files import harmless
from schemas.zone import VN
from services.board.ui.markup import Html, link
from services.board.ui.pagination import ListQuery

Cell = str | int | Decimal | datetime
"""A moment is aware: of a sheet it is a date in the time of Viet Nam, which can be sorted and reckoned with."""
MIME = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_AS_THEY_ARE = {
    "in_memory": True, "constant_memory": True, "strings_to_urls": False, "strings_to_formulas": False,
    "default_date_format": "dd/mm/yyyy hh:mm",
}  # fmt: skip
_DATE_WIDTH = 16


def _written(cell: Cell) -> Cell:
    """A text that is no formula; a moment is written for people."""
    if isinstance(cell, datetime):
        return day_and_time(cell)
    return harmless(cell) if isinstance(cell, str) else cell


def as_file(kind: str, title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The rows as `csv` or `xlsx`."""
    return as_csv(heads, rows) if kind == "csv" else as_xlsx(title, heads, rows)


def links(query: ListQuery, path: str) -> Iterator[Html]:
    """The ways to the list asked for as files."""
    for kind in MIME:
        yield link(query.address(f"{path}.{kind}"), kind.upper(), class_="plain", download="")


def download(content: bytes, kind: str, name: str) -> Response:
    """The answer that gives a file, which nobody keeps on the way."""
    head = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}.{kind}", "cache-control": "no-store"}
    return Response(content, media_type=MIME[kind], headers=head)


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a mark at the beginning, by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """One sheet with a bold head that stays in view."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _AS_THEY_ARE) as book:
        sheet = book.add_worksheet(title[:31])
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heads) - 1, _DATE_WIDTH)
        sheet.write_row(0, 0, heads, book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, [_writable(cell) for cell in row])
    return out.getvalue()


def _writable(value: Cell) -> Cell:
    """One odd character must not cost the whole file."""
    if isinstance(value, datetime):
        return value.astimezone(VN).replace(tzinfo=None)
    return _UNWRITABLE.sub("", value) if isinstance(value, str) else value
