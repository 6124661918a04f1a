"""The rows of a one-stop system's export: a table (CSV, XLSX, ODS), or objects in JSON, one a line or as one array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, zip_longest
from typing import Any

from schemas.envelope import MAX_EVENT_BYTES, Event, Invalid
from schemas.json_members import Pairs, as_written
from schemas.text import files
from services.ingest.event_files import Splitter
from services.ingest.onestop.events import Told, told
from services.ingest.onestop.snapshot import MOMENTS, NEEDED, allowed, column, read
from services.ingest.spreadsheets import workbook
from services.ingest.spreadsheets.cells import serial
from services.ingest.spreadsheets.reading import modern
from services.ingest.stream import Counts, Tell

Row = Iterable[tuple[str, Any]]
MOST_ABOVE = 20
"""So many rows of titles may stand above the headings."""


def understand(row: Row, source: str, now: datetime, dropped: Counter[str]) -> Told:
    """The events of one row; `dropped` counts the cells that are on no allow-list. `Invalid` with all that is wrong."""
    cells, others = allowed(row)
    dropped.update(others)
    return told(read(cells, now), source, now)


def object_row(record: bytes) -> Row:
    """A JSON object as a row; `Invalid` where it is none."""
    try:
        value = as_written(record)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, Pairs):
        raise Invalid("not_json", "a dossier is a JSON object with the portal's fields")
    return value


def rows(raw: bytes, name: str, tell: Tell) -> Iterator[tuple[str, bytes | Row]]:
    """Each row with its place: of a table its cells, of JSON the text of an object. `Unreadable` where it is neither;
    `tell` hears of a sheet that is not read."""
    if raw.removeprefix(files.BOM).lstrip()[:1] in (b"{", b"["):
        splitter = Splitter(MAX_EVENT_BYTES)
        yield from ((f"row {line}", record) for line, record in chain(splitter.feed(raw), splitter.close()))
        return
    try:
        sheets = modern(workbook.read(raw, name))
    except workbook.NoWorkbook as wrong:
        raise files.Unreadable(str(wrong)) from None
    tables = [(sheet, at) for sheet in sheets if (at := _headings(sheet)) is not None]
    for sheet, at in tables:
        if sheet.hidden:
            tell(f"the sheet {sheet.name!r} is hidden: not read; show it, or send it by itself")
        else:
            yield from _table(sheet, at, f"{sheet.name}, " if len(tables) > 1 else "")
    if any(not sheet.hidden for sheet, _ in tables):
        return
    raise files.Unreadable(
        f"{name}: none of the first {MOST_ABOVE} rows names the columns {', '.join(NEEDED)}, as the national portal "
        "calls them. Nothing was sent"
    )


def _headings(sheet: workbook.Sheet) -> int | None:
    """The row of a sheet that names the columns, from 0."""
    above = enumerate(sheet.rows[:MOST_ABOVE])
    return next((at for at, heads in above if {column(str(head)) for head in heads}.issuperset(NEEDED)), None)


def _table(sheet: workbook.Sheet, at: int, where: str) -> Iterator[tuple[str, Row]]:
    """The rows below the headings, by their number in the sheet; what has no heading is dropped as well."""
    heads = [str(head) for head in sheet.rows[at]]
    for line, values in enumerate(sheet.rows[at + 1 :], start=at + 2):
        if any(value != "" for value in values):
            row = zip_longest(heads, values, fillvalue="")
            yield f"{where}row {line}", [(head, _dated(head, value, sheet.marks.date1904)) for head, value in row]


def _dated(head: str, value: workbook.Value, date1904: bool) -> workbook.Value:
    """A cell; in a column of moments what stands there as a workbook counts days is the moment that it shows."""
    if column(head) in MOMENTS and isinstance(value, int | float):
        return serial(float(value), date1904) or value
    return value


def events(
    raw: bytes, name: str, source: str, now: datetime, counts: Counts, tell: Tell, dropped: Counter[str]
) -> Iterator[Event]:
    """The events of a file, row by row. `tell` hears of each row that is refused, and at the end once of each status
    that no date goes with."""
    undated = Counter[str]()
    for where, row in rows(raw, name, tell):
        try:
            found = understand(object_row(row) if isinstance(row, bytes) else row, source, now, dropped)
        except Invalid as invalid:
            counts.read += 1
            counts.rejected += 1
            tell(f"{where}: {invalid.code}: {invalid.reason}")
            continue
        if found.undated:
            undated[found.undated] += 1
        for event in found.events:
            counts.read += 1
            yield event
    for why, number in sorted(undated.items()):
        tell(f"{number:,} rows with {why}")
