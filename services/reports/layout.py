"""What decree 30/2020/NĐ-CP prescribes of every administrative document, in millimetres and points."""

from __future__ import annotations

from services.reports.content import Table

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
TOP, BOTTOM, LEFT, RIGHT = 20, 20, 30, 15
"""Margins: 20-25 above and below, 30-35 left, 15-20 right."""
PAGE = (210, 297)
WIDTH = PAGE[0] - LEFT - RIGHT
TEXT = 13
"""Text is 13 or 14; what stands in tables may be smaller, see `size`."""
CHART = 150
"""The width of a chart."""
INDENT = 10
"""Of a paragraph's first line: 10 to 12.7."""


def widths(table: Table) -> list[float]:
    """The widths of a table's columns in millimetres: as they are told, narrowed where the page is."""
    told = [column.width for column in table.columns]
    return [round(width * min(1, WIDTH / sum(told)), 2) for width in told]


def size(table: Table) -> float:
    """The size of a table's text in points: of many columns it is smaller, so that six digits find room."""
    return 10 if len(table.columns) <= 10 else 9


def inset(table: Table) -> float:
    """The room left and right in its cells, in millimetres."""
    return 1.2 if len(table.columns) <= 10 else 0.8
