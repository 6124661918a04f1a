"""What decree 30/2020/NĐ-CP prescribes of every administrative document, in millimetres and points."""

from __future__ import annotations

from services.reports.content import Figure, Table

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
TOP, BOTTOM, LEFT, RIGHT = 20, 20, 30, 15
"""Margins: 20-25 above and below, 30-35 left, 15-20 right."""
PAGE = (210, 297)
WIDTH = PAGE[0] - LEFT - RIGHT
HEAD = (70, WIDTH - 70)
"""The widths of the head's halves: who issues the document, and the nation."""
CAPITAL, LETTER, MOTTO_LETTERS = 2.85, 2.3, 4.3
"""How wide a bold capital of 13 points and a bold letter of 14 are on the average, and the motto for each point of its
size."""
TEXT = 13
"""Text is 13 or 14; what stands in tables may be smaller, see `size`."""
FEW, SIZES, SIZES_OF_MANY = 10, (10.0, 9.0, 8.0), (9.0, 8.5, 8.0, 7.5, 7.0)
"""So many columns are few; and the sizes of a table's text, of few and of many, the first in which it finds room."""
CHART = 150
"""The width of a chart."""
LEAST, POINT = 20, 0.353
"""Millimetres that the widest column keeps, and of a point."""
BOLD_CAPITAL = 0.67
"""How wide one is for each point of its size, at most."""
INDENT = 10
"""Of a paragraph's first line: 10 to 12.7."""


def issuer_rule(issuer: str) -> float:
    """The length of the rule below the issuing body: a third to a half of its longest line."""
    return _rule(HEAD[0], CAPITAL, issuer)


def subject_rule(subject: str) -> float:
    """The same below the subject."""
    return _rule(WIDTH, LETTER, subject)


def _rule(room: float, letter: float, text: str) -> float:
    return round(0.42 * min(room, letter * max(map(len, text.splitlines()), default=0)), 1)


def motto_rule(size: float) -> float:
    """The length of the rule below the motto: as wide as it is."""
    return MOTTO_LETTERS * size


def widths(table: Table) -> list[float]:
    """The widths of a table's columns in millimetres: as they are told, narrowed where the page is, and so wide that
    each number has room, at the cost of the widest column."""
    return [round(width, 2) for width in _narrowed(_grown(table, size(table)))]


def _grown(table: Table, size: float) -> list[float]:
    """The widths that a size of text asks for, which the page may not have."""
    told = _narrowed([column.width for column in table.columns])
    grown = [max(width, _room(table, place, size)) for place, width in enumerate(told)]
    excess, widest = max(sum(grown) - WIDTH, 0), grown.index(max(grown))
    grown[widest] -= min(excess, max(grown[widest] - LEAST, 0))
    return grown


def _narrowed(widths: list[float]) -> list[float]:
    return [width * min(1, WIDTH / sum(widths)) for width in widths]


def _room(table: Table, place: int, size: float) -> float:
    """The width that the numbers of a column need in a size of text, and a heading that is an abbreviation."""
    texts = [cell.text for row in table.all_rows if isinstance(cell := row[place], Figure)]
    digits = max((sum(0.25 if mark in ".," else 0.5 for mark in text) for text in texts), default=0.0)
    head = table.columns[place].head
    return 2 * inset(table) + max(digits, BOLD_CAPITAL * len(head) if head.isupper() else 0) * size * POINT


def size(table: Table) -> float:
    """The size of a table's text in points: smaller where it has many columns, and where its numbers are long."""
    sizes = SIZES if len(table.columns) <= FEW else SIZES_OF_MANY
    return next((each for each in sizes if sum(_grown(table, each)) <= WIDTH + 0.01), sizes[-1])


def inset(table: Table) -> float:
    """The room left and right in its cells, in millimetres."""
    return 1.2 if len(table.columns) <= FEW else 0.8
