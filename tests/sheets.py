"""Workbooks as offices send them, written by other programs than the one that reads them: XLSX, XLS, ODS and CSV."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter
import xlwt

Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column, from 0."""


@dataclass(frozen=True)
class Formula:
    """A formula, with the value that was stored for it, if one was."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Percent:
    """A fraction that is shown in percent."""

    fraction: float


@dataclass(frozen=True)
class Raised:
    """A text with the mark of a footnote behind it, which stands raised."""

    text: str
    mark: str


@dataclass
class Page:
    """A sheet: cells by row, what is merged, which rows and columns are hidden."""

    rows: Sequence[Sequence[Any]]
    merged: Sequence[Merge] = ()
    hidden: Sequence[int] = ()
    name: str = "Sheet1"
    invisible: bool = field(default=False)
    hidden_columns: Sequence[int] = ()


def xlsx(*pages: Page, **options: Any) -> bytes:
    """By XlsxWriter."""
    box = io.BytesIO()
    with xlsxwriter.Workbook(box, options) as book:
        share, day = book.add_format({"num_format": "0%"}), book.add_format({"num_format": "dd/mm/yyyy"})
        above = book.add_format({"font_script": 1})
        for page in pages:
            sheet = book.add_worksheet(page.name)
            for number in page.hidden:
                sheet.set_row(number, None, None, {"hidden": True})
            for place in page.hidden_columns:
                sheet.set_column(place, place, None, None, {"hidden": True})
            for merge in page.merged:
                sheet.merge_range(*merge, "")
            for number, row in enumerate(page.rows):
                for place, value in enumerate(row):
                    if isinstance(value, Raised):
                        sheet.write_rich_string(number, place, value.text, above, value.mark)
                    else:
                        _write_xlsx(sheet, number, place, value, share, day)
            if page.invisible:
                sheet.hide()
    return box.getvalue()


def _write_xlsx(sheet: Any, row: int, column: int, value: Any, share: Any, day: Any) -> None:
    match value:
        case None | "":
            return
        case Formula(text, stored):
            sheet.write_formula(row, column, text, None, "" if stored is None else stored)
        case Percent(fraction):
            sheet.write_number(row, column, fraction, share)
        case date():
            sheet.write_datetime(row, column, datetime.combine(value, time()), day)
        case str():
            sheet.write_string(row, column, value)
        case _:
            sheet.write(row, column, value)


def xls(*pages: Page) -> bytes:
    """By xlwt, which stores no results of formulas."""
    book, box = xlwt.Workbook(), io.BytesIO()
    day, share = xlwt.easyxf(num_format_str="dd/mm/yyyy"), xlwt.easyxf(num_format_str="0%")
    above = xlwt.easyfont("escapement superscript")
    for page in pages:
        sheet = book.add_sheet(page.name)
        covered = {(r, c) for a, b, y, z in page.merged for r in range(a, y + 1) for c in range(b, z + 1)}
        for a, b, y, z in page.merged:
            sheet.write_merge(a, y, b, z, page.rows[a][b])
        for number, row in enumerate(page.rows):
            for place, value in enumerate(row):
                if value is None or value == "" or (number, place) in covered:
                    continue
                if isinstance(value, Formula):
                    sheet.write(number, place, xlwt.Formula(value.text.lstrip("=")))
                elif isinstance(value, Percent):
                    sheet.write(number, place, value.fraction, share)
                elif isinstance(value, Raised):
                    sheet.write_rich_text(number, place, (value.text, (value.mark, above)))
                else:
                    sheet.write(number, place, value, day if isinstance(value, date) else xlwt.Style.default_style)
        for number in page.hidden:
            sheet.row(number).hidden = True
        for place in page.hidden_columns:
            sheet.col(place).hidden = True
        if page.invisible:
            sheet.visibility = 1
    book.save(box)
    return box.getvalue()


_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_RAISED = (
    '<style:style style:name="T1" style:family="text"><style:text-properties style:text-position="super 58%"/>'
    "</style:style>"
)
_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
)


def ods(*pages: Page) -> bytes:
    """By hand, as the format's specification has it."""
    tables = "".join(_table(page) for page in pages)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES} office:version="1.2">'
        f"<office:automatic-styles>{_RAISED}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    entry = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest manifest:version="1.2" '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        + entry.format("/", _ODS) + entry.format("content.xml", "text/xml") + "</manifest:manifest>"
    )  # fmt: skip
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        archive.writestr("mimetype", _ODS)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return box.getvalue()


def _table(page: Page) -> str:
    rows = []
    for number, row in enumerate(page.rows):
        shown = ' table:visibility="collapse"' if number in page.hidden else ""
        spans = {(a, b): (y - a + 1, z - b + 1) for a, b, y, z in page.merged}
        cells = "".join(_cell(value, spans.get((number, place))) for place, value in enumerate(row))
        rows.append(f"<table:table-row{shown}>{cells}</table:table-row>")
    last = max(page.hidden_columns, default=-1) + 1
    hidden = ' table:visibility="collapse"'
    columns = (f"<table:table-column{hidden if n in page.hidden_columns else ''}/>" for n in range(last))
    return f"<table:table table:name={quoteattr(page.name)}>{''.join(columns)}{''.join(rows)}</table:table>"


def _cell(value: Any, span: tuple[int, int] | None = None) -> str:
    if span:
        wide = f'table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"'
        return _cell(value).replace("<table:table-cell", f"<table:table-cell {wide}", 1)
    match value:
        case None | "":
            return "<table:table-cell/>"
        case Formula(text, None):
            return f"<table:table-cell table:formula={quoteattr('of:' + text)}/>"
        case Formula(text, stored):
            number = f'office:value-type="float" office:value="{stored}"'
            return f"<table:table-cell table:formula={quoteattr('of:' + text)} {number}/>"
        case Percent(fraction):
            return f'<table:table-cell office:value-type="percentage" office:value="{fraction}"/>'
        case Raised(text, mark):
            span_of = f'{escape(text)}<text:span text:style-name="T1">{escape(mark)}</text:span>'
            return f'<table:table-cell office:value-type="string"><text:p>{span_of}</text:p></table:table-cell>'
        case date():
            return f'<table:table-cell office:value-type="date" office:date-value="{value:%Y-%m-%d}"/>'
        case int() | float():
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'


def text_table(page: Page, separator: str = ";", encoding: str = "utf-8-sig") -> bytes:
    """As Excel saves a sheet as text: every line as wide as the widest, decimals with a comma."""
    width, box = max(map(len, page.rows)), io.StringIO()
    writer = csv.writer(box, delimiter=separator, lineterminator="\r\n")
    for row in page.rows:
        writer.writerow([*map(_text, row), *[""] * (width - len(row))])
    return box.getvalue().encode(encoding)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case Formula(_, stored):
            return "" if stored is None else _text(stored)
        case Percent(fraction):
            return f"{Decimal(str(fraction)) * 100:f}%".replace(".", ",")
        case date():
            return f"{value:%d/%m/%Y}"
        case float():
            return f"{value:.15g}".replace(".", ",")
    return str(value)


FORMATS: dict[str, Callable[[Page], bytes]] = {"xlsx": xlsx, "xls": xls, "ods": ods, "csv": text_table}
