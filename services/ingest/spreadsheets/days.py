"""The days that a table is about, and those of a row that names its own."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

from services.ingest.spreadsheets import titles
from services.ingest.spreadsheets.asking import Asking
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.form import masked
from services.ingest.spreadsheets.titles import PERIOD_CELL, Span
from services.ingest.spreadsheets.words import bare
from services.ingest.spreadsheets.workbook import Cell

_PART_OF_YEAR = re.compile(r"\bthang\b|\bquy\b|\d")


def settle(table: Asking) -> Span | None:
    """The days that the form is about: as said, else as its title says, else asked for."""
    said, named = table.said.span, table.tab.titles.spans
    if table.header.has_days:
        return said or (named[0] if len(named) == 1 else None)
    spans = [said] if said else _narrowed(table, named)
    first = all(tab.sheet.name != table.sheet.name for tab in table.form.tabs[:-1])
    try:
        answer = None if said or (len(spans) == 1 and not first) else table.answer(PERIOD_CELL)
        if answer:
            said = titles.span(answer)
            spans = [said]
    except ValueError as wrong:
        table.ask(PERIOD_CELL, answer or "", str(wrong))
        return None
    if why := _why_not(table, spans, called := titles.called(table.sheet.name, _year(spans)), said is None and first):
        _ask(table, why, spans, called)
        return None
    return spans[0]


def _year(spans: list[Span]) -> int:
    """The year that they are of; 0 where there is none, or several."""
    years = {day.year for span in spans for day in span}
    return years.pop() if len(years) == 1 else 0


def _why_not(table: Asking, spans: list[Span], called: Span | None, by_title: bool) -> str:
    """Why it is not certain that these are the days that a table is about; `by_title`: they are those of the titles of
    the first table of the sheet."""
    if len(spans) != 1:
        return "the titles name several" if spans else "the titles name none"
    (first, last), of_year = spans[0], spans[0] == titles.span(str(spans[0][1].year))
    if table.template.of == "day" and first != last:
        return f"its figures are of one day, and {titles.written(spans[0])} are more"
    if by_title and called and called != spans[0] and (of_year or not called[0] <= last <= called[1]):
        return f"the sheet is called {masked(table.sheet.name)!r}, and its title names {titles.written(spans[0])}"
    return ""


def _ask(table: Asking, why: str, spans: list[Span], called: Span | None) -> None:
    of_day = table.template.of == "day"
    question = f"which {'day' if of_day else 'period'} is it about? {why}: say it with --period"
    own = [called] if called else titles.read([table.sheet.name]).spans
    offered = [*spans, *(own if len(spans) < 2 else ())]
    choices = [titles.written(one) for one in offered if not of_day or one[0] == one[1]]
    table.ask(PERIOD_CELL, table.sheet.value(Cell(0, 0)), question, choices)


def _narrowed(table: Asking, spans: list[Span]) -> list[Span]:
    """`Tháng 11 và 11 tháng` of a form that has a column of the year so far is of the month; what is as of a day is of
    that day and of no stretch that ends on it."""
    to_date = any(column.span == "to_date" for column, _ in table.columns)
    if to_date and len(spans) == 2 and spans[0][1] == spans[1][1]:
        year, month = sorted(spans)
        return [month] if year[0] == date(year[1].year, 1, 1) else spans
    stock = table.template.of == "day" or not table.template.column("period_end").implied
    return [one for one in spans if one[0] == one[1]] or spans if stock else spans


def of_row(table: Asking, text: str, place: int) -> Span:
    """The days that a row is about: as its cell says, in the year of the titles where it says none. Raises `Doubt`."""
    years = {day.year for span in ([table.tab.span] if table.tab.span else table.tab.titles.spans) for day in span}
    text = f"{table.header.paths[place][-1]} {text}" if text.isdecimal() and len(text) <= 2 else text
    dated = [f"{text} năm {year}" for year in years if len(years) == 1 and _PART_OF_YEAR.search(bare(text))]
    several = map(_span_of, (text, *dated))
    if not (found := next(filter(None, several), None)):
        raise Doubt("it names no days for certain: write 10/2024, quý 4/2024 or a day")
    if table.template.of == "day" and found[0] != found[1]:
        raise Doubt("its figures are of one day, and it names more")
    return found


def _span_of(text: str) -> Span | None:
    with suppress(ValueError):
        return titles.span(text)
    return None
