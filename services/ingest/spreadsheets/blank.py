"""An empty workbook of a form, to be filled in: its headers, the names of units, and cells that take what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import xlsxwriter

from schemas import units
from services.ingest.spreadsheets.template import Column, Template

ROWS = 200
"""Rows that are ready to be filled in."""
UNITS = "Đơn vị"
PERIOD = "Kỳ báo cáo:"
"""Beside it the period is written, as in a title."""
_TOP = 3
_LEAST_WIDTH, _WIDTH = 14, 34
_KINDS: dict[str, dict[str, Any]] = {
    "count": {"validate": "integer", "criteria": ">=", "value": 0},
    "money": {"validate": "integer", "criteria": ">=", "value": 0},
    "share": {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100},
    "number": {"validate": "decimal", "criteria": ">=", "value": -1e15},
    "date": {"validate": "date", "criteria": ">=", "value": date(2000, 1, 1)},
    "yes_no": {"validate": "list", "source": ["Đạt", "Không đạt"]},
}
_MEANT = {
    "count": "Số nguyên; 0 nếu không có, để trống nếu không có số liệu",
    "money": "Số tiền bằng đồng, số nguyên",
    "share": "Phần trăm, từ 0 đến 100",
    "number": "Một số",
    "date": "Một ngày",
    "yes_no": "Đạt hoặc Không đạt",
    "unit": "Chọn tên đơn vị trong danh sách",
    "choice": "Chọn trong danh sách",
}


def write(template: Template, file: Path, today: date) -> None:
    """Write the workbook; its units are those of `today`."""
    with xlsxwriter.Workbook(file) as book:
        sheet, listed = book.add_worksheet("Biểu"), book.add_worksheet(UNITS)
        names = [unit.name_vi for unit in units.at(today)]
        listed.write_column(0, 0, names)
        listed.set_column(0, 0, _WIDTH)
        sheet.write(0, 0, f"{template.vi.upper()}", book.add_format({"bold": True}))
        sheet.write(1, 0, PERIOD)
        sheet.write_blank(1, 2, None, book.add_format({"num_format": "@", "bottom": 1}))
        columns = [column for column in template.columns if _is_asked(column)]
        first = _write_headers(sheet, columns, today, book.add_format(_HEAD))
        sheet.freeze_panes(first, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _WIDTH if place == 0 else _LEAST_WIDTH)
            if rule := _rule(column, len(names)):
                sheet.data_validation(first, place, first + ROWS - 1, place, rule)


_HEAD = {"bold": True, "border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"}


def _is_asked(column: Column) -> bool:
    """Columns of days that any form may have, and of units where the form has one of its own, are left out."""
    return not column.implied and (column.required or column.kind != "unit")


def _write_headers(sheet: Any, columns: Sequence[Column], today: date, head: Any) -> int:
    """Headers above each other, merged as on paper; the row below them."""
    paths = [_header(column, today).split(" > ") for column in columns]
    depth = max(map(len, paths))
    for level in range(depth):
        place = 0
        for _, group in groupby(paths, key=lambda path: tuple(path[: level + 1])):
            same = list(group)
            last = place + len(same) - 1
            if level < len(same[0]):
                bottom = depth - 1 if level == len(same[0]) - 1 else level
                _write(sheet, (_TOP + level, place, _TOP + bottom, last), same[0][level], head)
            place = last + 1
    return _TOP + depth


def _header(column: Column, today: date) -> str:
    return column.headers[0].replace("{year}", str(today.year)).replace("{months}", str(today.month))


def _write(sheet: Any, area: tuple[int, int, int, int], text: str, head: Any) -> None:
    if area[:2] == area[2:]:
        sheet.write(*area[:2], text, head)
    else:
        sheet.merge_range(*area, text, head)


def _rule(column: Column, known: int) -> dict[str, Any] | None:
    rule: dict[str, Any]
    if column.kind == "unit":
        rule = {"validate": "list", "source": f"='{UNITS}'!$A$1:$A${known}"}
    elif column.kind == "choice":
        rule = {"validate": "list", "source": list(dict.fromkeys(column.choices))}
    else:
        rule = dict(_KINDS.get(column.kind, {}))
    meant = _MEANT.get(column.kind, "")
    return {**rule, "error_title": "Không hợp lệ", "error_message": meant, "input_message": meant} if rule else None
