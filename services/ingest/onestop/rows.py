"""The rows of a one-stop system's export: a table (CSV, XLSX, ODS), or objects in JSON, one a line or as one array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest
from typing import Any

from schemas.envelope import MAX_EVENT_BYTES, Event, Invalid
from schemas.json_members import Pairs, as_written
from schemas.text import files
from services.ingest.event_files import Splitter
from services.ingest.onestop.events import Told, told
from services.ingest.onestop.snapshot import NEEDED, allowed, column, read
from services.ingest.spreadsheets import workbook
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


def rows(raw: bytes, name: str) -> Iterator[tuple[int, bytes | Row]]:
    """Each row with its line: of a table its cells, of JSON the text of an object. `Unreadable` where it is neither."""
    if raw.removeprefix(files.BOM).lstrip()[:1] in (b"{", b"["):
        splitter = Splitter(MAX_EVENT_BYTES)
        yield from splitter.feed(raw)
        yield from splitter.close()
        return
    try:
        sheets = [sheet for sheet in workbook.read(raw, name) if not sheet.hidden]
    except workbook.NoWorkbook as wrong:
        raise files.Unreadable(str(wrong)) from None
    for sheet in sheets:
        for at, heads in enumerate(sheet.rows[:MOST_ABOVE]):
            if {column(str(head)) for head in heads}.issuperset(NEEDED):
                yield from _table(sheet, at)
                return
    raise files.Unreadable(
        f"{name}: none of the first {MOST_ABOVE} rows names the columns {', '.join(NEEDED)}, as the national portal "
        "calls them. Nothing was sent"
    )


def _table(sheet: workbook.Sheet, at: int) -> Iterator[tuple[int, Row]]:
    """The rows below the headings, by their number in the sheet; what has no heading is dropped as well."""
    heads = [str(head) for head in sheet.rows[at]]
    for line, cells in enumerate(sheet.rows[at + 1 :], start=at + 2):
        if any(cell != "" for cell in cells):
            yield line, list(zip_longest(heads, cells, fillvalue=""))


def events(
    raw: bytes, name: str, source: str, now: datetime, counts: Counts, tell: Tell, dropped: Counter[str]
) -> Iterator[Event]:
    """The events of a file, row by row. `tell` hears of each row that is refused, and at the end once of each status
    that no date goes with."""
    undated = Counter[str]()
    for line, row in rows(raw, name):
        try:
            found = understand(object_row(row) if isinstance(row, bytes) else row, source, now, dropped)
        except Invalid as invalid:
            counts.read += 1
            counts.rejected += 1
            tell(f"row {line}: {invalid.code}: {invalid.reason}")
            continue
        if found.undated:
            undated[found.undated] += 1
        for event in found.events:
            counts.read += 1
            yield event
    for why, number in sorted(undated.items()):
        tell(f"{number:,} rows with {why}")
