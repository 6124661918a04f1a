"""A report as a tree of content: the head of decree 30/2020, sections of paragraphs and tables, the signature.

Every writer sets this tree and nothing else, so a number is the same in each format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from schemas.text import dates, numbers

MISSING = "–"
"""Stands where a figure has no value."""
BLANK_LINE = ("", "", "", "")
"""Room for a hand and a seal."""


@dataclass(frozen=True)
class Figure:
    """A number as it is printed: `value` rounded to `decimals`, or None with the `reason`."""

    value: Decimal | None
    decimals: int = 0
    reason: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """`1.234,5`, or a dash."""
        return MISSING if self.value is None else numbers.grouped(self.value, self.decimals)


Cell = str | Figure


def text_of(cell: Cell) -> str:
    """What stands in a cell."""
    return cell.text if isinstance(cell, Figure) else cell


@dataclass(frozen=True)
class Column:
    """A column: its head, its width in millimetres, and how its cells stand.

    `group`: a head over this column and its neighbours of the same group. `number`: as `(3)`, below the head. `parts`:
    the numbers of the columns (from 0) whose sum it is in every row.
    """

    head: str
    width: float
    align: Literal["left", "center", "right"] = "right"
    group: str = ""
    number: str = ""
    parts: tuple[int, ...] = ()


class HeadCell(NamedTuple):
    """A cell of a table's head: its first column, how many columns it goes across and how many rows down."""

    text: str
    column: int
    across: int = 1
    down: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of running text."""

    text: str
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True)
class Table:
    """A table; `total` is a last row about all, with an empty cell where there is none. `notes` stand below."""

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    notes: tuple[str, ...] = ()
    kind: Literal["table"] = "table"

    @property
    def all_rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows with the total."""
        return (*self.rows, self.total) if self.total else self.rows

    @property
    def head_rows(self) -> tuple[tuple[HeadCell, ...], ...]:
        """The rows of the head: groups and heads, and below them the numbers of the columns where they have any."""
        places = tuple(enumerate(self.columns))
        heads: list[tuple[HeadCell, ...]] = [tuple(HeadCell(c.head, place) for place, c in places)]
        if any(column.group for column in self.columns):
            heads = [tuple(self._groups()), tuple(HeadCell(c.head, place) for place, c in places if c.group)]
        if any(column.number for column in self.columns):
            heads.append(tuple(HeadCell(c.number, place) for place, c in places))
        return tuple(heads)

    def _groups(self) -> Iterator[HeadCell]:
        for group, some in groupby(enumerate(self.columns), lambda placed: placed[1].group):
            placed = list(some)
            if group:
                yield HeadCell(group, placed[0][0], across=len(placed))
            else:
                yield from (HeadCell(column.head, place, down=2) for place, column in placed)


class Bar(NamedTuple):
    """A bar of a chart, and the value of the same place in the period before."""

    label: str
    now: Decimal | None
    before: Decimal | None = None


@dataclass(frozen=True)
class Chart:
    """A picture of one figure, step by step or unit by unit. `measured`: what its values count; `now`, `before`: what
    the two periods are called, the latter "" where nothing is compared; `aim`: the target, where there is one."""

    code: str
    title: str
    measured: str
    now: str
    before: str
    bars: tuple[Bar, ...]
    decimals: int = 0
    aim: Decimal | None = None
    kind: Literal["chart"] = "chart"

    @property
    def name(self) -> str:
        """Its title with what its values count."""
        return f"Biểu đồ: {self.title} ({self.measured})"

    @property
    def legend(self) -> str:
        """What its bars, boxes and lines are."""
        said = [f"Cột đậm: {self.now}"]
        said += [f"khung: {self.before}"] if self.before else []
        said += [f"đường nét đứt: mục tiêu {numbers.exact(self.aim)}"] if self.aim is not None else []
        return f"{'; '.join(said)}."

    @property
    def spoken(self) -> str:
        """What it shows, for who does not see it."""
        known = [bar for bar in self.bars if bar.now is not None]
        low, high = (pick(known, key=lambda bar: bar.now or 0) for pick in (min, max))
        ends = (f"{what} {self._text(bar.now)} ({bar.label})" for what, bar in (("thấp nhất", low), ("cao nhất", high)))
        return f"{self.name}, {self.now}: {len(known)} cột, {', '.join(ends)}. {self.legend}"

    @property
    def table(self) -> Table:
        """Its values."""
        heads = (self.now, self.before) if self.before else (self.now,)
        columns = (Column("STT", 9, "center"), Column("", 40, "left"), *(Column(head, 30) for head in heads))
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (str(n), bar.label, *(Figure(value, self.decimals) for value in (bar.now, bar.before)[: len(heads)]))
            for n, bar in enumerate(self.bars, start=1)
        )
        return Table(self.code, self.name, columns, rows)

    def _text(self, value: Decimal | None) -> str:
        return Figure(value, self.decimals).text


Block = Annotated[Paragraph | Table | Chart, Field(discriminator="kind")]


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it. An `annex` begins a page behind the signature."""

    title: str
    blocks: tuple[Block, ...]
    annex: bool = False


@dataclass(frozen=True)
class Head:
    """The head of an administrative document: who issues it, its number and symbol, place and date, subject."""

    superior: str
    issuer: str
    number: str
    place: str
    day: date
    subject: str
    title: str = "BÁO CÁO"

    @property
    def numbered(self) -> str:
        """`Số: 12/BC-UBND`."""
        return f"Số: {self.number}"

    @property
    def dated(self) -> str:
        """`Chơn Thành, ngày 05 tháng 02 năm 2026`: days below 10 and months 1 and 2 with a leading zero."""
        return f"{self.place}, {dates.in_words(self.day)}"


@dataclass(frozen=True)
class Signature:
    """Who signs, and to whom it goes."""

    office: tuple[str, ...]
    name: str
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A report of a unit (None: the whole locality) over local days, as of a moment."""

    unit: str | None
    first: date
    last: date
    as_of: datetime
    head: Head
    sections: tuple[Section, ...]
    signature: Signature
    origins: tuple[str, ...] = field(default=())

    @property
    def data_note(self) -> str:
        """What must be said of data that are not real; empty where they are."""
        return f"({', '.join(self.origins)})" if self.origins else ""

    @property
    def headed(self) -> tuple[tuple[str, Section], ...]:
        """The sections before the signature with their numbered headings, then the annexes."""
        own = [section for section in self.sections if not section.annex]
        annexes = [section for section in self.sections if section.annex]
        numbered = ((f"{roman(n)}. {section.title}", section) for n, section in enumerate(own, start=1))
        return (*numbered, *((f"Phụ lục. {section.title}", section) for section in annexes))

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in their order."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Table))

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts, in their order."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Chart))


def roman(number: int) -> str:
    """`XIV`: headings are numbered so."""
    text = ""
    for value, letters in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        text += letters * (number // value)
        number %= value
    return text


REPORT: TypeAdapter[Report] = TypeAdapter(Report)
"""Turns a report into JSON values and back."""
