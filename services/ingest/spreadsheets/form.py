"""What is read of a workbook: its rows, what has to be asked, what was left out and why, and whether it adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas import personal
from schemas.text import numbers
from services.ingest.spreadsheets.cells import Meaning, text_of
from services.ingest.spreadsheets.headers import Header
from services.ingest.spreadsheets.template import NAMING, Template
from services.ingest.spreadsheets.titles import Span, Titles
from services.ingest.spreadsheets.workbook import Cell, Sheet, Value

LONGEST = 80
"""Letters of a cell that are shown in a question."""
SKIP = "skip"
"""The answer that a row, or what is hidden, is not to be read."""


Columns = Mapping[str, Mapping[str, str]]
"""The mark of a form's header -> the letters of a column -> what was answered for it before."""


@dataclass(frozen=True)
class Question:
    """What a person has to decide, at a cell; `says`: what stands there, with personal data masked."""

    sheet: str
    cell: str
    says: str
    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A row that gives no figures, counted from 1."""

    sheet: str
    row: int
    why: str


@dataclass(frozen=True)
class Dropped:
    """A column that was not read, and how many of its cells had something in them."""

    sheet: str
    column: str
    why: str
    cells: int


@dataclass(frozen=True)
class Check:
    """A sum of the sheet's own beside ours; `warning` where they differ."""

    sheet: str
    cell: str
    column: str
    says: str
    sum: str
    warning: str | None = None


@dataclass
class Row:
    """A row as read: canonical column -> meaning. `number` counts from 1; `unit` and `indicator` are codes."""

    sheet: str
    number: int
    values: dict[str, Meaning]
    unit: str | None = None
    indicator: str | None = None
    tab: Tab | None = field(default=None, repr=False, compare=False)

    def cell(self, column: str) -> Cell:
        """The cell of a column; the row's first where the form has no such column."""
        place = self.tab.header.columns.get(column, 0) if self.tab else 0
        return Cell(self.number - 1, place)

    @property
    def named_at(self) -> Cell | None:
        """Where it says what it is of; None where the form has no such column."""
        columns = self.tab.header.columns if self.tab else {}
        kinds = self.tab.template.columns if self.tab else ()
        return next((self.cell(one.name) for one in kinds if one.kind in NAMING and one.name in columns), None)


@dataclass
class Tab:
    """A sheet of the form: where its table is, and what its titles say."""

    sheet: Sheet
    header: Header
    titles: Titles
    template: Template
    span: Span | None = None

    def heads(self, column: str) -> list[str]:
        """The headers of a column, the lowest first; none where the sheet has it not."""
        place = self.header.columns.get(column)
        rows = range(self.header.end - 1, self.header.first - 1, -1) if place is not None else ()
        return [text for row in rows if isinstance(text := self.sheet.value(Cell(row, place or 0)), str) and text]

    def header_cell(self, place: int) -> Cell:
        """The lowest of a column's headers."""
        found = [Cell(row, place) for row in range(self.header.first, self.header.end)]
        return next((cell for cell in reversed(found) if self.sheet.value(cell) != ""), found[0])


@dataclass
class Form:
    """All that was read of a workbook."""

    template: Template
    tabs: list[Tab] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    totals: list[Check] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)
    """The answers that were asked for."""
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """What was answered of columns now, to be remembered."""


@dataclass(frozen=True)
class Said:
    """What a person says beside the file: answers by (sheet, cell), the period, the unit."""

    answers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    columns: Columns = field(default_factory=dict)
    span: Span | None = None
    unit: str | None = None


class NoForm(ValueError):
    """The workbook is none of the forms, or of several; the message names them."""


def masked(value: Value) -> str:
    """A cell's text as it may be shown: cut, and without personal data."""
    return personal.mask(text_of(value))[:LONGEST]


def shown(value: Meaning) -> str:
    """A meaning as canonical text; empty where the cell says nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Decimal):
        return numbers.plain(value)
    return value.isoformat() if isinstance(value, date) else personal.mask(value)
