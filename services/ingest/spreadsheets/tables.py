"""Where, below a table, another one begins: under other headers, or of other days."""

from __future__ import annotations

from itertools import islice

from services.ingest.spreadsheets import headers, titles
from services.ingest.spreadsheets.cells import text_of
from services.ingest.spreadsheets.form import Tab
from services.ingest.spreadsheets.headers import LEAST, Header
from services.ingest.spreadsheets.rows import TEXT, Layout
from services.ingest.spreadsheets.workbook import Cell

MOST_BREAKS = 100
"""Places of a sheet that are looked at for another table."""


def is_break(tab: Tab, layout: Layout, number: int) -> bool:
    """Whether a row of text above figures is no heading within the table: it is headed otherwise, or names other days
    than the titles."""
    return number < layout.last and (_is_headed_otherwise(tab, layout, number) or bool(_other_days(tab, number)))


def _is_headed_otherwise(tab: Tab, layout: Layout, number: int) -> bool:
    found = {place: headers.heading(tab.sheet.value(Cell(number, place))) for place in layout.figures}
    return sum(text != "" and text not in tab.header.paths[place] for place, text in found.items()) >= LEAST


def _other_days(tab: Tab, number: int) -> list[titles.Span]:
    if tab.span is None or tab.header.has_days:
        return []
    named = titles.read([text_of(value) for value in tab.sheet.rows[number] if isinstance(value, str) and value]).spans
    return [] if tab.span in named else named


def next_table(tab: Tab, layout: Layout) -> tuple[int, Header] | None:
    """The next table of the same form in the sheet, with titles of its own or its columns in another order: where its
    titles begin, and its header."""
    below = range(layout.first, layout.last)
    texts = (n for n in below if not layout.has_figures(n) and layout.why_not(n, lambda _: False) == TEXT)
    breaks = islice((number for number in texts if is_break(tab, layout, number)), MOST_BREAKS)
    return next(filter(None, (_table_at(tab, layout, number) for number in breaks)), None)


def _table_at(tab: Tab, layout: Layout, number: int) -> tuple[int, Header] | None:
    above = (row for row in range(number, layout.first - 1, -1) if layout.has_figures(row))
    first = next(above, layout.first - 1) + 1
    found = headers.find(tab.sheet, tab.template, first)
    if found is None or found.missing(tab.template) or any(map(layout.has_figures, range(first, found.first))):
        return None
    days = any(_other_days(tab, row) for row in range(first, found.first))
    return (first, found) if days or found.columns != tab.header.columns else None
