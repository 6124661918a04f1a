"""A table while it is read: its columns, the questions about it, and what is answered to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.ingest.spreadsheets.form import Form, Question, Said, Tab, masked
from services.ingest.spreadsheets.headers import Header
from services.ingest.spreadsheets.template import FIGURES, Column, Template
from services.ingest.spreadsheets.workbook import Cell, Sheet, Value

IGNORE, READ = "ignore", "read"
"""What is answered to questions that are not about one figure."""


@dataclass
class Asking:
    """A table of a form. `doubtful`: columns with an open question, so that what they add up to says nothing;
    `hidden_at`: where hidden rows are asked about, as what is answered there is not about the cell."""

    form: Form
    tab: Tab
    said: Said
    columns: list[tuple[Column, int]] = field(default_factory=list)
    """The form's columns with their places in the sheet."""
    doubtful: set[str] = field(default_factory=set)
    hidden_at: Cell | None = None

    @property
    def sheet(self) -> Sheet:
        """The sheet, as far down as its table reaches."""
        return self.tab.sheet

    @property
    def header(self) -> Header:
        """The table's header."""
        return self.tab.header

    @property
    def template(self) -> Template:
        """The form that it is read by."""
        return self.tab.template

    @property
    def figures(self) -> list[int]:
        """The places of its columns of figures."""
        return [place for column, place in self.columns if column.kind in FIGURES]

    def find_columns(self) -> None:
        """Take the columns that the header has now."""
        found = self.header.columns
        self.columns = [(one, found[one.name]) for one in self.template.columns if one.name in found]

    def answer(self, cell: Cell | str) -> str | None:
        """What is answered at a cell."""
        name = cell if isinstance(cell, str) else cell.name
        answer = self.said.answers.get((self.sheet.name, name))
        if answer is not None:
            self.form.used.add((self.sheet.name, name))
        return answer

    def answer_of(self, cell: Cell) -> str | None:
        """What is answered about a cell of a row."""
        return self.answer(cell) if self.said.answers and cell != self.hidden_at else None

    def chosen(self, cell: Cell, *choices: str) -> str | None:
        """Which of the choices is answered at a cell that may be asked several things: `read, fraction`."""
        said = [word.strip() for word in (self.answer(cell) or "").split(",")]
        return next((choice for choice in choices if choice in said), None)

    def ask(self, cell: Cell | str, value: Value, question: str, choices: Iterable[str] = ()) -> None:
        """Ask about a cell in which `value` stands."""
        name = cell if isinstance(cell, str) else cell.name
        asked = Question(self.sheet.name, name, masked(value), question, tuple(dict.fromkeys(choices)))
        self.form.questions.append(asked)

    def ask_header(self, place: int, question: str, choices: Iterable[str]) -> None:
        """Ask about a column at its header."""
        cell = self.tab.header_cell(place)
        self.ask(cell, self.sheet.value(cell), question, choices)
