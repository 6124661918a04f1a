"""Sheets read by a template into a `Form`: which form it is, where its tables are, and which of their rows count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from schemas.text import old_fonts
from services.ingest.spreadsheets import columns, days, headers, rows, sums, tables, titles, turned
from services.ingest.spreadsheets.asking import READ, Asking
from services.ingest.spreadsheets.cells import text_of
from services.ingest.spreadsheets.figures import Figures
from services.ingest.spreadsheets.form import SKIP, Form, NoForm, Row, Said, Skipped, Tab
from services.ingest.spreadsheets.headers import Header
from services.ingest.spreadsheets.names import Names
from services.ingest.spreadsheets.template import NUMBERS, Template, templates
from services.ingest.spreadsheets.titles import Titles
from services.ingest.spreadsheets.words import bare
from services.ingest.spreadsheets.workbook import Cell, Sheet

_ANSWERED_AWAY, _OTHER_TABLE = "left out as answered", "row of another table"


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
    turned.check(sheets)
    raise NoForm(f"{file} is none of the forms {', '.join(templates())}: say which it is meant to be with --as")


def _complete(sheets: Sequence[Sheet], template: Template) -> list[tuple[Sheet, Header]]:
    tabs = ((sheet, headers.find(sheet, template)) for sheet in sheets if not sheet.hidden)
    return [(sheet, header) for sheet, header in tabs if header and not header.missing(template)]


def _is_titled(template: Template, tabs: Iterable[tuple[Sheet, Header]]) -> bool:
    lines = [bare(line) for sheet, header in tabs for line in titles.lines(sheet.rows[: header.first])]
    return any(bare(words) in line for words in template.title for line in lines)


def read(sheets: Sequence[Sheet], template: Template, said: Said, file: str) -> Form:
    """The form that the sheets are. Raises `NoForm` where no sheet has its columns."""
    form = Form(template)
    for sheet in sheets:
        if sheet.hidden:
            form.skipped.append(Skipped(sheet.name, 1, "hidden sheet"))
        elif header := headers.find(sheet, template):
            place: _Place | None = _Place(0, header)
            while place:
                tab = Tab(replace(sheet), place.header, Titles(), template)
                place = _Reading(Asking(form, tab, said), place).read()
        elif sheet.rows:
            form.skipped.append(Skipped(sheet.name, 1, "no table of this form"))
    if not form.tabs:
        turned.check(sheets)
        wanted = ", ".join(column.headers[0] for column in template.columns if column.required)
        raise NoForm(f"{file} has no table with the columns of {template.name}: {wanted}")
    return form


@dataclass
class _Place:
    """Where a table of a sheet is: the row at which its titles begin, its header, and the titles of the table above,
    for what its own do not say."""

    begins: int
    header: Header
    above: Titles | None = None


@dataclass
class _Reading:
    """Reads one table of a sheet into the form."""

    table: Asking
    place: _Place

    def read(self) -> _Place | None:
        """The table's rows, questions and checks; where the next table of the form in the sheet is."""
        table, tab, form = self.table, self.table.tab, self.table.form
        form.tabs.append(tab)
        if not columns.settle(table):
            return None
        tab.sheet.fill_down(tab.header.end)
        table.find_columns()
        self._read_titles()
        tab.span = days.settle(table)
        columns.settle_twins(table)
        table.find_columns()
        columns.settle_hidden(table)
        after = self._cut()
        self.figures = Figures(table, Names(form.template, tab.span[1] if tab.span else None))
        if tab.span:
            columns.check_months(table, tab.span)
        layout = self._layout()
        columns.drop(table, layout.last)
        self.figures.settle()
        self._read_rows(layout)
        return after

    def _layout(self) -> rows.Layout:
        header = self.table.header
        return rows.Layout(self.table.sheet, header.end, header.numbering, self.table.figures)

    def _read_titles(self) -> None:
        tab = self.table.tab
        below = titles.lines(tab.sheet.rows[self._layout().last + 1 :])
        tab.titles = titles.read(titles.lines(tab.sheet.rows[self.place.begins : tab.header.first]), below)
        if self.place.above:
            tab.titles.complete(self.place.above)

    def _cut(self) -> _Place | None:
        """Leave to another reading what belongs to the next table of the sheet."""
        tab = self.table.tab
        if not (found := tables.next_table(tab, self._layout())):
            return None
        tab.sheet = replace(tab.sheet, rows=tab.sheet.rows[: found[0]])
        return _Place(*found, tab.titles)

    def _read_rows(self, layout: rows.Layout) -> None:
        table, form, sheet = self.table, self.table.form, self.table.sheet
        hidden = self._reads_hidden(layout)
        read: list[Row] = []
        elsewhere = False
        parts: dict[int, list[Row]] = {}
        """Of each row of totals the rows since the one above it."""
        for number in range(table.header.end, len(sheet.rows)):
            why = layout.why_not(number, self.figures.is_named)
            if why == rows.TEXT and tables.is_break(table.tab, layout, number):
                elsewhere = not self._is_of_the_form(number)
            if elsewhere and why not in ("blank", rows.TEXT):
                why = _OTHER_TABLE
            if why == rows.TOTAL:
                parts[number] = read[sum(map(len, parts.values())) :]
            if why is None and not hidden and number in sheet.marks.hidden_rows:
                why = "hidden row"
            if why is None and self.figures.is_skipped(number):
                why = _ANSWERED_AWAY
            if why is None:
                read.append(self.figures.row(number))
            else:
                form.skipped.append(Skipped(sheet.name, number + 1, why))
        form.rows += read
        form.totals += [check for row in read for check in sums.within(form.template, row)]
        self._check_totals(layout, read, parts)

    def _check_totals(self, layout: rows.Layout, read: list[Row], parts: dict[int, list[Row]]) -> None:
        table = self.table
        if any(column.kind == "indicator" for column, _ in table.columns):
            return
        for number, part in parts.items():
            kinds = ("share",) if layout.is_of_means(number) else NUMBERS
            for column, place in ((one, place) for one, place in table.columns if one.kind in kinds):
                seen = self.figures.seen(column, cell := Cell(number, place))
                if column.name not in table.doubtful and (check := sums.over((read, part), column, cell, seen)):
                    table.form.totals.append(check)

    def _is_of_the_form(self, number: int) -> bool:
        """Whether the rows below a break belong to the table above it."""
        row = self.table.sheet.rows[number]
        cell = Cell(number, next(place for place, value in enumerate(row) if text_of(value)))
        answer = self.table.answer(cell)
        if answer not in (READ, SKIP):
            question = "another table seems to begin here: are the rows below it part of the form?"
            self.table.ask(cell, self.table.sheet.value(cell), question, (READ, SKIP))
        return answer == READ

    def _reads_hidden(self, layout: rows.Layout) -> bool:
        """Whether hidden rows are read."""
        table = self.table
        found = [n for n in sorted(table.sheet.marks.hidden_rows) if n >= layout.first and layout.has_figures(n)]
        found = [n for n in found if layout.why_not(n, self.figures.is_named) is None]
        if not found:
            return True
        table.hidden_at = cell = Cell(found[0], 0)
        answer = table.answer(cell)
        if answer not in (READ, SKIP):
            named = ", ".join(str(n + 1) for n in found[:10]) + (" …" if len(found) > 10 else "")
            question = f"hidden rows have figures ({named}): are they part of the form?"
            table.ask(cell, table.sheet.value(cell), question, (READ, SKIP))
        return answer == READ
