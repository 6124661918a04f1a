"""What the rows of a table say, cell by cell; whatever can be read in two ways is asked for at its cell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from services.ingest.spreadsheets import cells, days, measures
from services.ingest.spreadsheets.asking import Asking
from services.ingest.spreadsheets.cells import MISSING, Meaning, Seen, text_of
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.form import SKIP, Row
from services.ingest.spreadsheets.names import Names, measure_of
from services.ingest.spreadsheets.template import FIGURES, NAMING, ROW_PERIOD, Column
from services.ingest.spreadsheets.titles import UNIT_CELL
from services.ingest.spreadsheets.workbook import Cell

PERCENT, FRACTION = "percent", "fraction"
"""What is answered of a column of shares up to 1."""
_SMALL = re.compile(r"\s*(?:1|1[.,]0+|0[.,]\d*[1-9]\d*)\s*")


@dataclass
class Figures:
    """Reads the rows of a table whose columns and days are settled."""

    table: Asking
    names: Names
    unit: str | None = None
    """The unit of all rows, where they name none."""
    unit_above: str | None = None
    """The unit of the last row that named one."""
    fractions: set[str] = field(default_factory=set)
    scales: dict[str, int] = field(default_factory=dict)

    def settle(self) -> None:
        """Find what holds for all rows: their unit, what shares up to 1 mean, in what money is counted."""
        self._settle_unit()
        self._settle_fractions()
        self.scales = {column.name: self._scale(column) for column, _ in self.table.columns}

    def _settle_unit(self) -> None:
        table = self.table
        if any(column.kind == "unit" for column, _ in table.columns):
            return
        found = [table.said.unit] if table.said.unit else table.tab.titles.units
        answer = table.answer(UNIT_CELL) if len(found) != 1 else found[0]
        why = "the titles name several" if found else "the titles name none"
        try:
            self.unit = self.names.unit(answer) if answer else None
        except Doubt as doubt:
            why = doubt.why
        if not self.unit:
            question = f"which unit is it of? {why}: say it with --unit"
            table.ask(UNIT_CELL, table.sheet.value(Cell(0, 1)), question, found)

    def _settle_fractions(self) -> None:
        """A share of 0.98 may be 98 % or less than one: asked once a column, unless its cells are shown in percent."""
        table = self.table
        for column, place in table.columns:
            numbers = range(table.header.end, len(table.sheet.rows))
            if column.kind != "share" or not any(self._is_small(Cell(number, place)) for number in numbers):
                continue
            answer = table.chosen(table.tab.header_cell(place), FRACTION, PERCENT)
            if answer == FRACTION:
                self.fractions.add(column.name)
            elif answer != PERCENT:
                table.doubtful.add(column.name)
                question = f"{column.name} has shares up to 1: is 1 the whole ({FRACTION}), or one percent ({PERCENT})?"
                table.ask_header(place, question, (FRACTION, PERCENT))

    def _is_small(self, cell: Cell) -> bool:
        value = self.table.sheet.value(cell)
        if isinstance(value, str):
            return _SMALL.fullmatch(value) is not None
        return isinstance(value, int | float) and 0 < value <= 1 and cell not in self.table.sheet.marks.percent

    def _scale(self, column: Column) -> int:
        """How many đồng one is in a column of money, as its header says, else the titles, else one; of a column of
        counts, how many of what is counted."""
        table = self.table
        if column.kind == "count":
            return measures.many(*table.tab.heads(column.name))
        if column.kind != "money":
            return 1
        try:
            return measures.first_money(*table.tab.heads(column.name), "; ".join(table.tab.titles.measured)) or 1
        except Doubt as doubt:
            place = table.header.columns[column.name]
            answer = table.answer(table.tab.header_cell(place))
            if answer and (scale := measures.money(answer)):
                return scale
            table.doubtful.add(column.name)
            table.ask_header(place, f"{column.titled}: {doubt.why}", map(str, doubt.choices))
            return 1

    # --- rows ---

    def is_named(self, number: int) -> bool:
        """Whether a row names a unit or an indicator that is known."""
        for column, place in self.table.columns:
            text = self.table.sheet.value(Cell(number, place))
            try:
                if column.kind == "unit" and text_of(text):
                    return bool(self.names.unit(text_of(text)))
                if column.kind == "indicator" and text_of(text):
                    return bool(self.names.indicator(text_of(text)))
            except Doubt:
                return False
        return False

    def is_skipped(self, number: int) -> bool:
        """Whether it was answered, at what a row is of, that the row is not to be read."""
        cells_of = [Cell(number, place) for column, place in self.table.columns if column.kind in NAMING]
        return bool(self.table.said.answers) and any(self.table.answer_of(cell) == SKIP for cell in cells_of)

    def row(self, number: int) -> Row:
        """The row of that number, from 0."""
        row = Row(self.table.sheet.name, number + 1, {}, self.unit, tab=self.table.tab)
        for column, place in self.table.columns:
            row.values[column.name] = self._meaning(column, Cell(number, place), row)
        return row

    def _meaning(self, column: Column, cell: Cell, row: Row) -> Meaning:
        answer = self.table.answer_of(cell)
        value = self.table.sheet.value(cell) if answer is None else answer
        try:
            if column.kind in NAMING:
                return self._named(column, cell, row, "" if value == MISSING else text_of(value))
            return cells.answered(column, answer) if answer is not None else self._figure(column, cell, row)
        except Doubt as doubt:
            self.table.doubtful.add(column.name)
            choices = [*doubt.choices, *(cells.swapped(value) if column.kind == "date" else ())]
            choices += [SKIP] if column.kind in NAMING else []
            self.table.ask(cell, value, f"{column.titled}: {doubt.why}", choices)
            return None

    def _named(self, column: Column, cell: Cell, row: Row, text: str) -> Meaning:
        """What a row is of, by the text of one of its cells. Raises `Doubt`."""
        if column.kind == "unit":
            row.unit = self.names.unit(_needed(text, "unit", *filter(None, [self.unit_above])))
            self.unit_above = row.unit
            return row.unit
        if column.kind == "indicator":
            row.indicator = self.names.indicator(_needed(text, "indicator"))
            return row.indicator
        if column.kind == "period":
            span = days.of_row(self.table, _needed(text, column.name), cell.column)
            row.values.update(zip(ROW_PERIOD, span, strict=True))
            return text
        return cells.understand(column, Seen(_needed(text, column.name, *column.meanings)))

    def _figure(self, column: Column, cell: Cell, row: Row) -> Meaning:
        seen = self.seen(column, cell)
        if column.kind == "number" and cells.is_share(seen) and row.indicator and measure_of(row.indicator) != "%":
            raise cells.no_share(seen)
        meaning = cells.understand(column, seen)
        if column.kind == "number" and isinstance(meaning, Decimal) and self._may_be_whole(cell, row, column):
            raise Doubt("a share up to 1: of 1 as the whole, or one percent?", meaning * 100, meaning)
        return meaning

    def _may_be_whole(self, cell: Cell, row: Row, column: Column) -> bool:
        """Whether a statistic in percent may be written as a fraction: nothing in its row or header says `%`."""
        if not (self._is_small(cell) and row.indicator and measure_of(row.indicator) == "%"):
            return False
        places = [place for one, place in self.table.columns if one.kind not in FIGURES]
        said = [self.table.sheet.value(Cell(cell.row, place)) for place in places]
        return "%" not in " ".join(map(text_of, (*said, *self.table.tab.heads(column.name))))

    def seen(self, column: Column, cell: Cell) -> Seen:
        """A cell with all that is known of it beside its value."""
        marks = self.table.sheet.marks
        fraction = column.name in self.fractions and self._is_small(cell)
        return Seen(
            self.table.sheet.value(cell), cell in marks.percent, cell in marks.unstored, self.scales[column.name],
            fraction, marks.date1904, cell in marks.raised,
        )  # fmt: skip


def _needed(text: str, what: str, *choices: str) -> str:
    if not text:
        raise Doubt(f"the row has figures and names no {what}", *choices)
    return text
