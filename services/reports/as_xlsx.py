"""A report as a workbook: a sheet with its text and one for each table; totals are formulas with stored values."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from services.readings.read import round_half_up
from services.reports.content import Cell, Chart, Figure, Paragraph, Report, Table
from services.reports.layout import MOTTO, NATION

CHARTS = "Biểu đồ"
COLOURS = ("#1F4E79", "#A6A6A6")
"""Of the period, and of the one before."""
FONT = {"font_name": "Times New Roman", "font_size": 11}
A4 = 9
TEXT_WIDTH, LINE, TEXT_SCALE = 90, 15.5, 75
"""So many letters the text's column has, how high a line of it is, in points (not every program finds it itself), and
its scale in per cent where it is printed."""
SCALE, PAGE_ROWS, CHART_ROWS = 55, 56, 17
"""In per cent, so that a chart stands beside its values on a page lying down; its rows, and those of a chart."""
_OPTIONS = {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False}


def write(report: Report) -> bytes:
    """The same report gives the same bytes."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        made = report.as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        title = f"{report.head.title} {report.head.subject}"
        book.set_properties({"title": title, "created": made, "author": ""})
        formats = Formats(book)
        _text(book, formats, report)
        for number, table in enumerate(report.tables, start=1):
            _table(book.add_worksheet(f"{number} {table.code}"[:31]), formats, table)
        if report.charts:
            _charts(book, formats, report.charts)
    return out.getvalue()


class Formats:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, object], ...], Any] = {}

    def of(self, **wishes: object) -> Any:
        """The format with these properties."""
        key = tuple(sorted(wishes.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({**FONT, **wishes})
        return self._made[key]


def _text(book: Any, formats: Formats, report: Report) -> None:
    sheet = book.add_worksheet("Báo cáo")
    sheet.set_column(0, 0, TEXT_WIDTH)
    sheet.set_paper(A4)
    sheet.set_print_scale(TEXT_SCALE)
    for number, (text, wishes) in enumerate(_lines(report)):
        sheet.write_string(number, 0, text, formats.of(text_wrap=True, valign="top", **wishes))
        sheet.set_row(number, LINE * max(1, -(-len(text) // TEXT_WIDTH)))


def _lines(report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    head = report.head
    middle: dict[str, Any] = {"align": "center"}
    bold: dict[str, Any] = {"bold": True}
    yield NATION, {**middle, **bold}
    yield MOTTO, {**middle, **bold}
    if head.superior:
        yield " ".join(head.superior.split("\n")), {}
    yield " ".join(head.issuer.split("\n")), bold
    yield head.numbered, {}
    yield head.dated, {"italic": True, **middle}
    yield head.title, {**middle, **bold}
    yield head.subject, {**middle, **bold}
    if report.origins:
        yield report.data_note, {"italic": True, **middle}
    sheets = {table.code: number for number, table in enumerate(report.tables, start=1)}
    for title, section in report.headed:
        yield title, bold
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield block.text, {}
            elif isinstance(block, Chart):
                yield f"{block.name}, ở trang «{CHARTS}»", {"italic": True}
            else:
                yield f"Bảng {sheets[block.code]}: {block.title}", {"italic": True}
    for line in (*report.signature.office, report.signature.name):
        yield line, {**middle, **bold}
    yield "Nơi nhận:", {"italic": True, **bold}
    yield from ((line, {}) for line in report.signature.recipients)


def _table(sheet: Any, formats: Formats, table: Table) -> None:
    sheet.write_string(0, 0, table.title, formats.of(bold=True))
    head = formats.of(bold=True, border=1, align="center", valign="vcenter", text_wrap=True)
    for number, names in enumerate(table.head_rows, start=1):
        for name in names:
            if name.across > 1 or name.down > 1:
                end = number + name.down - 1, name.column + name.across - 1
                sheet.merge_range(number, name.column, *end, name.text, head)
            else:
                sheet.write_string(number, name.column, name.text, head)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, column.width / 1.9)
    first = len(table.head_rows) + 1
    sheet.freeze_panes(first, 2)
    sheet.repeat_rows(1, first - 1)
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    for number, row in enumerate(table.all_rows, start=first):
        for place, cell in enumerate(row):
            wishes = {"border": 1, "align": table.columns[place].align, "bold": row is table.total}
            formula = _formula(table, row, number, place, first)
            _write(sheet, formats, number, place, cell, formula, wishes)
    for number, note in enumerate(table.notes, start=first + len(table.all_rows)):
        sheet.write_string(number, 0, note, formats.of(italic=True))


def _charts(book: Any, formats: Formats, charts: Sequence[Chart]) -> None:
    """All charts on one sheet, each beside its values, so that it changes with them."""
    sheet, row, breaks = book.add_worksheet(CHARTS), 0, [0]
    sheet.set_column(0, 2, 22)
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.set_print_scale(SCALE)
    for chart in charts:
        table = chart.table
        height = max(len(table.rows) + 4, CHART_ROWS)
        if row + height > breaks[-1] + PAGE_ROWS:
            breaks.append(row)
        names = [column.head for column in table.columns[2:]]
        sheet.write_string(row, 0, chart.name, formats.of(bold=True))
        for place, name in enumerate(("", *names)):
            sheet.write_string(row + 1, place, name, formats.of(bold=True, border=1, text_wrap=True))
        for number, (_, label, *values) in enumerate(table.rows, start=row + 2):
            for place, cell in enumerate((label, *values)):
                _write(sheet, formats, number, place, cell, None, {"border": 1, "align": "right" if place else "left"})
        first, last = row + 2, row + 1 + len(table.rows)
        drawn = book.add_chart({"type": "column"})
        for place, name in enumerate(names, start=1):
            drawn.add_series({
                "name": name, "categories": [CHARTS, first, 0, last, 0], "values": [CHARTS, first, place, last, place],
                "fill": {"color": COLOURS[place - 1]},
            })  # fmt: skip
        drawn.set_title({"name": chart.name, "name_font": {"size": 11}})
        drawn.set_legend({"position": "bottom"})
        drawn.set_size({"width": 760, "height": 300})
        sheet.insert_chart(row, 4, drawn, {"description": chart.spoken})
        row += height
    sheet.set_h_pagebreaks([place for place in breaks if place])


def _write(
    sheet: Any, formats: Formats, row: int, column: int, cell: Cell, formula: str | None, wishes: dict[str, Any]
) -> None:
    if not isinstance(cell, Figure) or cell.value is None:
        sheet.write_string(row, column, cell.text if isinstance(cell, Figure) else cell, formats.of(**wishes))
        return
    shown = "#,##0" + (f".{'0' * cell.decimals}" if cell.decimals else "")
    style, value = formats.of(**wishes, num_format=shown), _number(cell.value)
    if formula:
        sheet.write_formula(row, column, formula, style, value)
    else:
        sheet.write_number(row, column, value, style)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _formula(table: Table, row: tuple[Cell, ...], number: int, place: int, first: int) -> str | None:
    """What gives a cell's value from others of the table; None where it is no sum of them."""
    cell = row[place]
    if not isinstance(cell, Figure) or cell.value is None:
        return None
    value, parts = cell.value, table.columns[place].parts
    if (
        parts
        and row is not table.total
        and value == sum((_value(row[part]) or Decimal(0) for part in parts), Decimal(0))
    ):
        return "=" + "+".join(xl_rowcol_to_cell(number, part) for part in parts)
    if row is table.total and table.rows:
        end = xl_rowcol_to_cell(first + len(table.rows) - 1, place)
        column, decimals = f"{xl_rowcol_to_cell(first, place)}:{end}", cell.decimals
        values = [each for other in table.rows if (each := _value(other[place])) is not None]
        if value == sum(values):
            return f"=SUM({column})"
        if values and value == round_half_up(sum(values, Decimal(0)) / len(values), decimals):
            return f"=ROUND(AVERAGE({column}),{decimals})"
    return None


def _value(cell: Cell) -> Decimal | None:
    return cell.value if isinstance(cell, Figure) else None
