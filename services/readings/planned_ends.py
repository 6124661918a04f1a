"""When dossiers would end, as a question names them: by code, by a table, or by when they are due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

from psycopg import Connection

from schemas.calendar import local_day
from schemas.text import dates, files, moments
from services.readings.whatif import closing, open_dossiers


def planned_ends(
    conn: Connection,
    unit: str | None,
    now: datetime,
    codes: Iterable[str],
    due: date | None = None,
    table: Path | None = None,
    on: date | None = None,
) -> dict[str, datetime]:
    """Dossier -> when it ends: `codes`, those in a `table` (columns dossier and day), and those of the unit due from
    today to `due`; `on` that day, else each on the day it is due, or today. ValueError says what cannot be."""
    ends = {code: closing(on) if on else None for code in codes}
    if table:
        ends |= {code: closing(day) for code, day in _listed(table)}
    if due:
        for d in open_dossiers(conn, unit):
            if d.due and local_day(now) <= local_day(d.due) <= due:
                ends[d.id] = closing(on) if on else None
    if not ends:
        raise ValueError("no dossier is named: name some, or say --due D or --file FILE")
    promised = {d.id: d.due for d in open_dossiers(conn, unit, list(ends))}
    return {code: _end(code, at, promised.get(code), now) for code, at in ends.items()}


def _end(code: str, at: datetime | None, promised: datetime | None, now: datetime) -> datetime:
    day = local_day(at) if at else max(local_day(promised or now), local_day(now))
    if day < local_day(now):
        raise ValueError(f"{code}: {dates.day(day)} is over; what was done then is told by an event")
    return max(closing(day), now)


def _listed(file: Path) -> Iterator[tuple[str, date]]:
    for number, row in files.rows(files.lines(files.read(file)), str(file), ("dossier", "day")):
        try:
            yield row["dossier"], moments.read(row["day"]).day()
        except moments.NoMoment as wrong:
            raise ValueError(f"{file}, row {number}, column day: {wrong}") from None
