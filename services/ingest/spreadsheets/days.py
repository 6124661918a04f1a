"""The days that a table is about, and those of a row that names its own."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

from services.ingest.spreadsheets import titles
from services.ingest.spreadsheets.asking import Asking
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.titles import PERIOD_CELL, Span
from services.ingest.spreadsheets.words import bare
from services.ingest.spreadsheets.workbook import Cell

_PART_OF_YEAR = re.compile(r"\bthang\b|\bquy\b|\d")


def settle(table: Asking) -> Span | None:
    """The days that the form is about: as said, else as its title says, else asked for."""
    said, named = table.said.span, table.tab.titles.spans
    if table.header.has_days:
        return said or (named[0] if len(named) == 1 else None)
    answer = None if said else table.answer(PERIOD_CELL)
    try:
        said = titles.span(answer) if answer else said
    except ValueError as wrong:
        table.ask(PERIOD_CELL, answer or "", str(wrong))
        return None
    of_day = table.template.of == "day"
    spans = [said] if said else _narrowed(table, named)
    if len(spans) == 1 and (not of_day or spans[0][0] == spans[0][1]):
        return spans[0]
    why = "the titles name several" if spans else "the titles name none"
    if len(spans) == 1:
        why = f"its figures are of one day, and {titles.written(spans[0])} are more"
    question = f"which {'day' if of_day else 'period'} is it about? {why}: say it with --period"
    offered = spans if len(spans) > 1 else titles.read([table.sheet.name]).spans
    choices = [titles.written(one) for one in offered if not of_day or one[0] == one[1]]
    table.ask(PERIOD_CELL, table.sheet.value(Cell(0, 0)), question, choices)
    return None


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
