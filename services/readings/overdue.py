"""The dossiers that were overdue and open at a moment, as their facts up to then tell it; numbers are masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL

from schemas import cases, units
from schemas.calendar import local_day
from schemas.calendar_history import CalendarHistory
from schemas.codes import masked
from schemas.offices import number_of
from schemas.procedures.clock import MATTERS
from schemas.registry import FOLDS
from services.kit.facts import stored_calendars, unpack

PAGE = 500
"""So many more than are wanted are looked at once: the clock of some stands."""


class OverdueDossier(NamedTuple):
    """An open dossier beyond its promised day: whose, of which field, `days` of the calendar beyond it."""

    code: str
    unit: str
    field: str
    promised: date
    days: int


def overdue_dossiers(conn: Connection, unit: str | None, as_of: datetime, most: int) -> list[OverdueDossier]:
    """Those of a unit with all below it (None: all), the longest overdue first, at most so many.

    As long as their dossiers are kept there are as many as `dossiers_open_overdue` counts.
    """
    known, scope = stored_calendars(conn), None if unit is None else units.scope(unit)
    announced = any(change.announced > as_of for change in known.changes)
    values = {"as_of": as_of, "moving": sorted(MATTERS), "announced": announced, "page": most + PAGE}
    # What was moved since is due by its facts of then, so all of it is looked at; what was not is due as its row says.
    found = list(_overdue(conn.execute(_MOVED, values).fetchall(), as_of, known, scope))
    place = {"due": _BEGINNING, "id": "", "units": None if scope is None else sorted(scope)}
    while rows := conn.execute(_STANDING, values | place).fetchall():
        found += _overdue(((id, facts) for id, _, facts in rows), as_of, known, scope)
        found.sort(key=lambda each: (each.promised, each.unit, each.field, each.code))
        place |= {"id": rows[-1][0], "due": rows[-1][1]}
        if len(found) >= most and found[most - 1].promised < local_day(rows[-1][1]):
            break
    return found[:most]


Rows = Iterable[tuple[str, list[Any]]]


def _overdue(
    rows: Rows, as_of: datetime, known: CalendarHistory, scope: frozenset[str] | None
) -> Iterator[OverdueDossier]:
    today = local_day(as_of)
    for id, packed in rows:
        facts = [fact for fact in map(unpack, packed) if fact.time <= as_of]
        folded = FOLDS["dossier"](number_of(id), facts, known)
        stages = cases.reached(folded.state, as_of)
        if not folded.due_at or not stages or stages[-1][0] != "overdue" or (scope and folded.unit not in scope):
            continue
        promised, field = local_day(folded.due_at), folded.state.get("field") or "none"
        yield OverdueDossier(masked(id), folded.unit, field, promised, (today - promised).days)


_BEGINNING = datetime.min.replace(tzinfo=UTC)
_OPEN = SQL("kind = 'dossier' AND opened_at <= %(as_of)s AND (ended_at IS NULL OR ended_at > %(as_of)s)")
_SINCE = SQL("""
(facts -> -1 ->> 0)::timestamptz > %(as_of)s AND (%(announced)s OR EXISTS (
    SELECT FROM jsonb_array_elements(facts) fact
    WHERE fact ->> 2 = ANY (%(moving)s) AND (fact ->> 0)::timestamptz > %(as_of)s))
""")
_MOVED = SQL("SELECT id, facts FROM entity WHERE {opened} AND {since}").format(opened=_OPEN, since=_SINCE)
_STANDING = SQL("""
SELECT id, due_at, facts FROM entity
WHERE {opened} AND due_at <= %(as_of)s AND (due_at, id) > (%(due)s, %(id)s)
    AND (%(units)s::text[] IS NULL OR unit = ANY (%(units)s)) AND NOT ({since})
ORDER BY due_at, id LIMIT %(page)s
""").format(opened=_OPEN, since=_SINCE)
