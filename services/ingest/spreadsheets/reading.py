"""Sheets read by a template into a `Form`. Whatever can be read in two ways is asked for at its cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from schemas import personal, units
from schemas.text import old_fonts
from services.ingest.spreadsheets import cells, headers, measures, rows, sums, tables, titles
from services.ingest.spreadsheets.cells import MISSING, Meaning, Seen, text_of
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.form import (
    SKIP,
    Dropped,
    Form,
    NoForm,
    Question,
    Row,
    Said,
    Skipped,
    Tab,
    masked,
)
from services.ingest.spreadsheets.headers import Header
from services.ingest.spreadsheets.names import Names, measure_of
from services.ingest.spreadsheets.template import FIGURES, NAMING, ROW_PERIOD, Column, Template, templates
from services.ingest.spreadsheets.titles import Span, Titles
from services.ingest.spreadsheets.words import bare
from services.ingest.spreadsheets.workbook import Cell, Sheet, Value, letters

IGNORE, READ, PERCENT, FRACTION = "ignore", "read", "percent", "fraction"
"""What is answered to questions that are not about one figure."""
PERIOD_CELL, UNIT_CELL = "A1", "B1"
"""Where the form's period and unit are asked for."""
_PERSONAL = re.compile(
    r"\b(?:ho va ten|ho ten|ten (?:cong dan|nguoi|chu|benh nhan|hoc sinh)|nguoi (?:nop|dai dien|lien he|phu trach|lap"
    r"|dan|yeu cau|tiep nhan)|can bo phu trach|dau moi|dien thoai|sdt|dt lien he|so dt|cccd|cmnd|can cuoc|dinh danh"
    r"|ho chieu|email|e mail|thu dien tu|dia chi|ngay sinh|nam sinh|bien so|so tai khoan|zalo)\b"
)
_ANSWERED_AWAY, _OTHER_TABLE = "left out as answered", "row of another table"
_PART_OF_YEAR = re.compile(r"\bthang\b|\bquy\b|\d")
_SMALL = re.compile(r"\s*(?:1|1[.,]0+|0[.,]\d*[1-9]\d*)\s*")


def modern(sheets: list[Sheet]) -> list[Sheet]:
    """The sheets with all texts in composed Unicode, whatever font they were typed in."""
    for sheet in sheets:
        for row in sheet.rows:
            for place, value in enumerate(row):
                if isinstance(value, str) and not value.isascii():
                    row[place] = old_fonts.modern(value)
    return sheets


def recognise(sheets: Sequence[Sheet], file: str) -> Template:
    """The one template whose required columns a sheet has; of several the one that the titles name. Raises `NoForm`."""
    fits = {name: tabs for name, template in templates().items() if (tabs := _complete(sheets, template))}
    if len(fits) > 1:
        titled = [name for name, tabs in fits.items() if _is_titled(templates()[name], tabs)]
        fits = {name: fits[name] for name in titled} or fits
    if len(fits) == 1:
        return templates()[next(iter(fits))]
    if fits:
        raise NoForm(f"{file} may be {' or '.join(fits)}: say which with --as")
    _check_turned(sheets)
    raise NoForm(f"{file} is none of the forms {', '.join(templates())}: say which it is meant to be with --as")


def _complete(sheets: Sequence[Sheet], template: Template) -> list[tuple[Sheet, Header]]:
    tabs = ((sheet, headers.find(sheet, template)) for sheet in sheets if not sheet.hidden)
    return [(sheet, header) for sheet, header in tabs if header and not header.missing(template)]


def _is_titled(template: Template, tabs: Iterable[tuple[Sheet, Header]]) -> bool:
    lines = [bare(line) for sheet, header in tabs for line in _lines(sheet.rows[: header.first])]
    return any(bare(words) in line for words in template.title for line in lines)


def read(sheets: Sequence[Sheet], template: Template, said: Said, file: str) -> Form:
    """The form that the sheets are. Raises `NoForm` where no sheet has its columns."""
    form = Form(template)
    for sheet in sheets:
        if sheet.hidden:
            form.skipped.append(Skipped(sheet.name, 1, "hidden sheet"))
        elif header := headers.find(sheet, template):
            table: _Reading | None = _Reading(form, sheet, header, said)
            while table:
                table = table.read()
        elif sheet.rows:
            form.skipped.append(Skipped(sheet.name, 1, "no table of this form"))
    if not form.tabs:
        _check_turned(sheets)
        wanted = ", ".join(column.headers[0] for column in template.columns if column.required)
        raise NoForm(f"{file} has no table with the columns of {template.name}: {wanted}")
    return form


def _check_turned(sheets: Iterable[Sheet]) -> None:
    """Raises `NoForm` where units stand beside each other above figures, as no form has them."""
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[: headers.LATEST]):
            beside = [cell for place in range(len(row)) if _heads_figures(sheet, cell := Cell(number, place))]
            if len(beside) > 1:
                where, says = f"{sheet.name}!{beside[0].name}", masked(sheet.value(beside[0]))
                raise NoForm(
                    f"units stand beside each other from {where} on ({says!r}), and a form has a row for each of them: "
                    "swap rows and columns (copy the table, Paste Special, Transpose) and send that"
                )


def _heads_figures(sheet: Sheet, cell: Cell) -> bool:
    """Whether a cell names a unit and what comes next below it is a number."""
    numbers = range(cell.row + 1, cell.row + headers.LATEST)
    below = (text_of(sheet.value(Cell(number, cell.column))) for number in numbers)
    return _is_unit(sheet.value(cell)) and next(filter(None, below), "")[:1].isdigit()


def _is_unit(value: Value) -> bool:
    with suppress(units.UnknownUnit):
        return isinstance(value, str) and bool(value) and bool(titles.unit(value))
    return False


def _lines(several: Iterable[Sequence[Value]]) -> list[str]:
    return [text_of(cell) for row in several for cell in row if isinstance(cell, str) and cell.strip()]


@dataclass
class _Reading:
    """Reads one sheet into the form."""

    form: Form
    sheet: Sheet
    header: Header
    said: Said
    begins: int = 0
    """The row at which its titles begin."""
    above: Titles | None = None
    """The titles of the table above, for what its own do not say."""
    unit: str | None = None
    """The unit of all rows, where they name none."""
    fractions: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    """Columns with an open question: what they add up to says nothing."""
    unit_above: str | None = None
    """The unit of the last row that named one."""
    hidden_at: Cell | None = None
    """Where hidden rows are asked about: what is answered there is not about the cell."""

    def read(self) -> _Reading | None:
        """The table's rows, questions and checks; the next table of the form in the sheet, where one is."""
        self.tab = Tab(self.sheet, self.header, Titles(), self.form.template)
        self.form.tabs.append(self.tab)
        if not self._settle_columns():
            return None
        template, header = self.form.template, self.header
        self.sheet.fill_down(header.end)
        self._find_columns()
        layout = rows.Layout(self.sheet, header.end, header.numbering, self.figures)
        below = _lines(self.sheet.rows[layout.last + 1 :])
        self.tab.titles = titles.read(_lines(self.sheet.rows[self.begins : header.first]), below)
        if self.above:
            self.tab.titles.complete(self.above)
        self.tab.span = self._settle_span()
        self._settle_twins()
        self._find_columns()
        self._settle_hidden_columns()
        after = self._cut(layout)
        layout = rows.Layout(self.sheet, header.end, header.numbering, self.figures)
        self.names = Names(template, self.tab.span[1] if self.tab.span else None)
        if self.tab.span:
            self._check_months(self.tab.span)
        self._drop_columns()
        self._settle_unit()
        self._settle_fractions()
        self.scales = {column.name: self._scale(column) for column, _ in self.columns}
        self._read_rows(layout, self._settle_hidden(layout))
        return after

    def _cut(self, layout: rows.Layout) -> _Reading | None:
        """Leave to another reading what belongs to the next table of the sheet."""
        if not (found := tables.next_table(self.tab, layout)):
            return None
        begins, header = found
        after = _Reading(self.form, self.sheet, header, self.said, begins, self.tab.titles)
        self.sheet = self.tab.sheet = replace(self.sheet, rows=self.sheet.rows[:begins])
        return after

    def _read_rows(self, layout: rows.Layout, hidden: bool) -> None:
        read: list[Row] = []
        elsewhere = False
        parts: dict[int, list[Row]] = {}
        """Of each row of totals the rows since the one above it."""
        for number in range(self.header.end, len(self.sheet.rows)):
            why = layout.why_not(number, self._is_named)
            if why == rows.TEXT and tables.is_break(self.tab, layout, number):
                elsewhere = not self._is_of_the_form(number)
            if elsewhere and why not in ("blank", rows.TEXT):
                why = _OTHER_TABLE
            if why == rows.TOTAL:
                parts[number] = read[sum(map(len, parts.values())) :]
            if why is None and not hidden and number in self.sheet.marks.hidden_rows:
                why = "hidden row"
            if why is None and self._is_skipped(number):
                why = _ANSWERED_AWAY
            if why is None:
                read.append(self._row(number))
            else:
                self.form.skipped.append(Skipped(self.sheet.name, number + 1, why))
        self.form.rows += read
        self.form.totals += [check for row in read for check in sums.within(self.form.template, row)]
        if not any(column.kind == "indicator" for column, _ in self.columns):
            found = [(part, column, Cell(n, place)) for n, part in parts.items() for column, place in self.columns]
            self.form.totals += (
                check
                for part, column, cell in found
                if column.name not in self.doubtful
                and (check := sums.over((read, part), column, cell, self._seen(column, cell)))
            )

    # --- questions ---

    def _answer(self, cell: Cell | str) -> str | None:
        name = cell if isinstance(cell, str) else cell.name
        answer = self.said.answers.get((self.sheet.name, name))
        if answer is not None:
            self.form.used.add((self.sheet.name, name))
        return answer

    def _chosen(self, cell: Cell, *choices: str) -> str | None:
        """Which of the choices is answered at a cell that may be asked several things: `read, fraction`."""
        said = [word.strip() for word in (self._answer(cell) or "").split(",")]
        return next((choice for choice in choices if choice in said), None)

    def _ask(self, cell: Cell | str, value: Value, question: str, choices: Iterable[str] = ()) -> None:
        name = cell if isinstance(cell, str) else cell.name
        asked = Question(self.sheet.name, name, masked(value), question, tuple(dict.fromkeys(choices)))
        self.form.questions.append(asked)

    def _settle_columns(self) -> bool:
        """Columns that are not known by their headers are taken as answered, or asked about if some are missing."""
        header, template = self.header, self.form.template
        known = {column.name for column in template.columns}
        for place in (*header.unknown, *header.twice):
            cell, answer = self._header_cell(place), self._answer_of_column(place)
            if answer is not None and answer in known:
                header.choose(template.column(answer), place)
            elif answer not in (None, IGNORE) and cell.name not in (PERIOD_CELL, UNIT_CELL):
                self._ask(cell, self.sheet.value(cell), f"the form has no column {answer!r}", (*sorted(known), IGNORE))
        if missing := header.missing(template):
            self._ask_for_columns(missing)
        return not missing

    def _is_of_the_form(self, number: int) -> bool:
        """Whether the rows below a break belong to the table above it."""
        row = self.sheet.rows[number]
        cell = Cell(number, next(place for place, value in enumerate(row) if text_of(value)))
        answer = self._answer(cell)
        if answer not in (READ, SKIP):
            question = "another table seems to begin here: are the rows below it part of the form?"
            self._ask(cell, self.sheet.value(cell), question, (READ, SKIP))
        return answer == READ

    def _answer_of_column(self, place: int) -> str | None:
        """What is answered for a column, now or when this header was met before."""
        mark, column = self.header.mark(self.form.template), letters(place)
        cell = self._header_cell(place)
        answer = self._chosen(cell, IGNORE, *(known.name for known in self.form.template.columns)) or self._answer(cell)
        if answer is None:
            return self.said.columns.get(mark, {}).get(column)
        if answer == IGNORE or any(answer == known.name for known in self.form.template.columns):
            self.form.columns.setdefault(mark, {})[column] = answer
        return answer

    def _ask_for_columns(self, missing: list[str]) -> None:
        free = [place for place in self.header.unknown if self._answer_of_column(place) is None]
        if len(free) > 1 and all(_is_unit(self.sheet.value(self._header_cell(place))) for place in free):
            _check_turned([self.sheet])
        for place in free:
            cell = self._header_cell(place)
            question = f"which column is this? Not found yet: {', '.join(missing)}"
            self._ask(cell, self.sheet.value(cell), question, (*missing, IGNORE))
        if not free and not self.form.questions:
            wanted = {name: self.form.template.column(name).headers for name in missing}
            said = "; ".join(f"{name} (headed {' or '.join(map(repr, heads[:2]))})" for name, heads in wanted.items())
            raise NoForm(f"the sheet {self.sheet.name!r} lacks columns of {self.form.template.name}: {said}")

    def _header_cell(self, place: int) -> Cell:
        """The lowest of a column's headers."""
        found = [Cell(row, place) for row in range(self.header.first, self.header.end)]
        return next((cell for cell in reversed(found) if self.sheet.value(cell) != ""), found[0])

    def _settle_span(self) -> Span | None:
        """The days that the form is about: as said, else as its title says, else asked for."""
        if self.header.has_days:
            own = self.tab.titles.spans
            return self.said.span or (own[0] if len(own) == 1 else None)
        answer = None if self.said.span else self._answer(PERIOD_CELL)
        try:
            said = titles.span(answer) if answer else self.said.span
        except ValueError as wrong:
            self._ask(PERIOD_CELL, answer or "", str(wrong))
            return None
        of_day = self.form.template.of == "day"
        spans = [said] if said else self._narrowed(self.tab.titles.spans)
        if len(spans) == 1 and (not of_day or spans[0][0] == spans[0][1]):
            return spans[0]
        why = "the titles name several" if spans else "the titles name none"
        if len(spans) == 1:
            why = f"its figures are of one day, and {titles.written(spans[0])} are more"
        question = f"which {'day' if of_day else 'period'} is it about? {why}: say it with --period"
        offered = spans if len(spans) > 1 else titles.read([self.sheet.name]).spans
        choices = [titles.written(one) for one in offered if not of_day or one[0] == one[1]]
        self._ask(PERIOD_CELL, self.sheet.value(Cell(0, 0)), question, choices)
        return None

    def _narrowed(self, spans: list[Span]) -> list[Span]:
        """`Tháng 11 và 11 tháng` of a form that has a column of the year so far is of the month; what is as of a day
        is of that day and of no stretch that ends on it."""
        to_date = any(column.span == "to_date" for column, _ in self.columns)
        if to_date and len(spans) == 2 and spans[0][1] == spans[1][1]:
            year, month = sorted(spans)
            return [month] if year[0] == date(year[1].year, 1, 1) else spans
        stock = self.form.template.of == "day" or not self.form.template.column("period_end").implied
        return [one for one in spans if one[0] == one[1]] or spans if stock else spans

    def _check_months(self, span: Span) -> None:
        """A column whose header names another month or year than the titles is asked about."""
        for column, place in self.columns:
            cell = self._header_cell(place)
            if self._is_of_others(column, place, span) and not self._chosen(cell, READ):
                self.doubtful.add(column.name)
                question = f"its header names other months than {titles.written(span)}: is it of these days?"
                self._ask(cell, self.sheet.value(cell), question, (READ,))

    def _is_of_others(self, column: Column, place: int, span: Span) -> bool:
        """Whether a column's headers name months or a year that are not those of a span."""
        path = self.header.paths[place]
        headed = {**headers.months(path), **headers.named(path, column)}
        days = {"form": span, "to_date": span[1:], "year": span[1:]}.get(column.span, ())
        parts = [(name, own) for day in days for name, own in (("months", day.month), ("year", day.year))]
        return any(headed.get(name, own) != own for name, own in parts if (column.span, name) != ("year", "months"))

    def _settle_twins(self) -> None:
        """Of two columns that are headed alike the one of the form's months is meant; else it is asked which one."""
        for place, name in sorted(self.header.twice.items()):
            chosen, column = self.header.columns[name], self.form.template.column(name)
            if place == chosen or self._answer_of_column(place) is not None:
                continue
            span = self.tab.span
            of_others = [span is not None and self._is_of_others(column, one, span) for one in (chosen, place)]
            if of_others == [True, False]:
                self.header.choose(column, place)
                self.header.twice[chosen] = name
            elif of_others != [False, True]:
                cell = self._header_cell(place)
                question = f"two columns are headed like {name}: which one is this?"
                self._ask(cell, self.sheet.value(cell), question, (name, IGNORE))

    def _find_columns(self) -> None:
        found = self.header.columns
        self.columns = [(one, found[one.name]) for one in self.form.template.columns if one.name in found]
        self.figures = [place for column, place in self.columns if column.kind in FIGURES]

    def _settle_unit(self) -> None:
        if any(column.kind == "unit" for column, _ in self.columns):
            return
        found = [self.said.unit] if self.said.unit else self.tab.titles.units
        answer = self._answer(UNIT_CELL) if len(found) != 1 else found[0]
        why = "the titles name several" if found else "the titles name none"
        try:
            self.unit = self.names.unit(answer) if answer else None
        except Doubt as doubt:
            why = doubt.why
        if not self.unit:
            question = f"which unit is it of? {why}: say it with --unit"
            self._ask(UNIT_CELL, self.sheet.value(Cell(0, 1)), question, found)

    def _settle_fractions(self) -> None:
        """A share of 0.98 may be 98 % or less than one: asked once a column, unless its cells are shown in percent."""
        for column, place in self.columns:
            numbers = range(self.header.end, len(self.sheet.rows))
            if column.kind != "share" or not any(self._is_small(Cell(number, place)) for number in numbers):
                continue
            cell = self._header_cell(place)
            answer = self._chosen(cell, FRACTION, PERCENT)
            if answer == FRACTION:
                self.fractions.add(column.name)
            elif answer != PERCENT:
                self.doubtful.add(column.name)
                question = f"{column.name} has shares up to 1: is 1 the whole ({FRACTION}), or one percent ({PERCENT})?"
                self._ask(cell, self.sheet.value(cell), question, (FRACTION, PERCENT))

    def _is_small(self, cell: Cell) -> bool:
        value = self.sheet.value(cell)
        if isinstance(value, str):
            return _SMALL.fullmatch(value) is not None
        return isinstance(value, int | float) and 0 < value <= 1 and cell not in self.sheet.marks.percent

    def _settle_hidden_columns(self) -> None:
        """A column that is hidden is asked about, and taken for none of the form's if it is to be skipped."""
        for column, place in list(self.columns):
            if place not in self.sheet.marks.hidden_columns:
                continue
            cell = self._header_cell(place)
            answer = self._chosen(cell, SKIP, READ)
            if answer == SKIP:
                self.columns.remove((column, place))
            elif answer != READ:
                self.doubtful.add(column.name)
                self._ask(cell, self.sheet.value(cell), "the column is hidden: is it part of the form?", (READ, SKIP))

    def _settle_hidden(self, layout: rows.Layout) -> bool:
        """Whether hidden rows are read."""
        found = [n for n in sorted(self.sheet.marks.hidden_rows) if n >= self.header.end and layout.has_figures(n)]
        found = [n for n in found if layout.why_not(n, self._is_named) is None]
        if not found:
            return True
        self.hidden_at = cell = Cell(found[0], 0)
        answer = self._answer(cell)
        if answer not in (READ, SKIP):
            named = ", ".join(str(n + 1) for n in found[:10]) + (" …" if len(found) > 10 else "")
            question = f"hidden rows have figures ({named}): are they part of the form?"
            self._ask(cell, self.sheet.value(cell), question, (READ, SKIP))
        return answer == READ

    # --- columns and rows ---

    def _drop_columns(self) -> None:
        for place in (*self.header.unknown, *self.header.twice):
            if place in self.header.columns.values():
                continue
            texts = [text for number in range(self.header.end, len(self.sheet.rows))
                     if (text := text_of(self.sheet.value(Cell(number, place))))]  # fmt: skip
            if texts:
                why = _why_dropped(" ".join(self.header.paths[place]), texts)
                self.form.dropped.append(Dropped(self.sheet.name, letters(place), why, len(texts)))

    def _is_named(self, number: int) -> bool:
        """Whether a row names a unit or an indicator that is known."""
        for column, place in self.columns:
            text = self.sheet.value(Cell(number, place))
            try:
                if column.kind == "unit" and text_of(text):
                    return bool(self.names.unit(text_of(text)))
                if column.kind == "indicator" and text_of(text):
                    return bool(self.names.indicator(text_of(text)))
            except Doubt:
                return False
        return False

    def _is_skipped(self, number: int) -> bool:
        """Whether it was answered, at what a row is of, that the row is not to be read."""
        cells_of = [Cell(number, place) for column, place in self.columns if column.kind in NAMING]
        return bool(self.said.answers) and any(self._answer_of(cell) == SKIP for cell in cells_of)

    def _answer_of(self, cell: Cell) -> str | None:
        return self._answer(cell) if self.said.answers and cell != self.hidden_at else None

    def _row(self, number: int) -> Row:
        row = Row(self.sheet.name, number + 1, {}, self.unit, tab=self.tab)
        for column, place in self.columns:
            row.values[column.name] = self._meaning(column, Cell(number, place), row)
        return row

    def _meaning(self, column: Column, cell: Cell, row: Row) -> Meaning:
        answer = self._answer_of(cell)
        value = self.sheet.value(cell) if answer is None else answer
        try:
            if column.kind == "unit":
                row.unit = self.names.unit(_needed(text_of(value), "unit", *filter(None, [self.unit_above])))
                self.unit_above = row.unit
                return row.unit
            if column.kind == "indicator":
                row.indicator = self.names.indicator(_needed(text_of(value), "indicator"))
                return row.indicator
            if column.kind == "period":
                days = self._days(_needed(text_of(value), column.name), place=cell.column)
                row.values.update(zip(ROW_PERIOD, days, strict=True))
                return text_of(value)
            if column.kind in NAMING:
                text = "" if value == MISSING else text_of(value)
                return cells.understand(column, Seen(_needed(text, column.name, *column.meanings)))
            if answer is not None:
                return cells.answered(column, answer)
            seen = self._seen(column, cell)
            if column.kind == "number" and cells.is_share(seen) and row.indicator and measure_of(row.indicator) != "%":
                raise cells.no_share(seen)
            meaning = cells.understand(column, seen)
            if column.kind == "number" and isinstance(meaning, Decimal) and self._may_be_whole(column, cell, row):
                raise Doubt("a share up to 1: of 1 as the whole, or one percent?", meaning * 100, meaning)
            return meaning
        except Doubt as doubt:
            self.doubtful.add(column.name)
            choices = [*doubt.choices, *(cells.swapped(value) if column.kind == "date" else ())]
            choices += [SKIP] if column.kind in NAMING else []
            self._ask(cell, value, f"{column.titled}: {doubt.why}", choices)
            return None

    def _may_be_whole(self, column: Column, cell: Cell, row: Row) -> bool:
        """Whether a statistic in percent may be written as a fraction: nothing in its row or header says `%`."""
        if not (self._is_small(cell) and row.indicator and measure_of(row.indicator) == "%"):
            return False
        said = [self.sheet.value(Cell(cell.row, place)) for one, place in self.columns if one.kind not in FIGURES]
        return "%" not in " ".join(map(text_of, (*said, *self.tab.heads(column.name))))

    def _days(self, text: str, place: int) -> Span:
        """The days that a row is about: as its cell says, in the year of the titles where it says none."""
        years = {day.year for span in ([self.tab.span] if self.tab.span else self.tab.titles.spans) for day in span}
        text = f"{self.header.paths[place][-1]} {text}" if text.isdecimal() and len(text) <= 2 else text
        dated = [f"{text} năm {year}" for year in years if len(years) == 1 and _PART_OF_YEAR.search(bare(text))]
        several = map(_span_of, (text, *dated))
        if not (found := next(filter(None, several), None)):
            raise Doubt("it names no days for certain: write 10/2024, quý 4/2024 or a day")
        if self.form.template.of == "day" and found[0] != found[1]:
            raise Doubt("its figures are of one day, and it names more")
        return found

    def _seen(self, column: Column, cell: Cell) -> Seen:
        marks = self.sheet.marks
        fraction = column.name in self.fractions and self._is_small(cell)
        value = self.sheet.value(cell)
        return Seen(
            value, cell in marks.percent, cell in marks.unstored, self.scales[column.name], fraction, marks.date1904,
            cell in marks.raised,
        )  # fmt: skip

    def _scale(self, column: Column) -> int:
        """How many đồng one is in a column of money, as its header says, else the titles, else one; of a column of
        counts, how many of what is counted."""
        place = self.header.columns[column.name]
        if column.kind == "count":
            return measures.many(*self.tab.heads(column.name))
        if column.kind != "money":
            return 1
        try:
            return measures.first_money(*self.tab.heads(column.name), "; ".join(self.tab.titles.measured)) or 1
        except Doubt as doubt:
            cell = self._header_cell(place)
            answer = self._answer(cell)
            if answer and (scale := measures.money(answer)):
                return scale
            self.doubtful.add(column.name)
            self._ask(cell, self.sheet.value(cell), f"{column.titled}: {doubt.why}", map(str, doubt.choices))
            return 1


def _span_of(text: str) -> Span | None:
    with suppress(ValueError):
        return titles.span(text)
    return None


def _needed(text: str, what: str, *choices: str) -> str:
    if not text:
        raise Doubt(f"the row has figures and names no {what}", *choices)
    return text


def _why_dropped(header: str, texts: Sequence[str]) -> str:
    if _PERSONAL.search(header):
        return "personal data by its header"
    kinds = {found.what for text in texts for found in personal.find(text)}
    return f"personal data: {', '.join(sorted(kinds))}" if kinds else "not a column of the form"
