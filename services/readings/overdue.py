"""The dossiers that were overdue and open at a moment, as their facts up to then tell it; numbers are masked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from psycopg import Connection

from schemas import cases, units
from schemas.calendar import local_day
from schemas.codes import masked
from schemas.offices import number_of
from schemas.registry import FOLDS
from services.kit.facts import stored_calendars, unpack


class OverdueDossier(NamedTuple):
    """An open dossier beyond its promised day: whose, of which field, `days` of the calendar beyond it."""

    code: str
    unit: str
    field: str
    promised: date
    days: int


def overdue_dossiers(conn: Connection, unit: str | None, as_of: datetime) -> list[OverdueDossier]:
    """Those of a unit with all below it (None: all), the longest overdue first.

    As long as their dossiers are kept they are as many as `dossiers_open_overdue` counts.
    """
    scope, today = None if unit is None else units.scope(unit), local_day(as_of)
    found = (each for each in _overdue(conn, as_of, today) if scope is None or each.unit in scope)
    return sorted(found, key=lambda each: (each.promised, each.unit, each.field, each.code))


def _overdue(conn: Connection, as_of: datetime, today: date) -> Iterator[OverdueDossier]:
    known = stored_calendars(conn)
    for id, packed in conn.execute(_OPEN, {"as_of": as_of}).fetchall():
        facts = [fact for fact in map(unpack, packed) if fact.time <= as_of]
        folded = FOLDS["dossier"](number_of(id), facts, known)
        stages = cases.reached(folded.state, as_of)
        if folded.due_at and stages and stages[-1][0] == "overdue":
            promised = local_day(folded.due_at)
            field = folded.state.get("field") or "none"
            yield OverdueDossier(masked(id), folded.unit, field, promised, (today - promised).days)


# Open at that moment; what was due later and heard of no more since is not overdue.
_OPEN = """
SELECT id, facts FROM entity
WHERE kind = 'dossier' AND opened_at <= %(as_of)s AND (ended_at IS NULL OR ended_at > %(as_of)s)
    AND (due_at <= %(as_of)s OR (facts -> -1 ->> 0)::timestamptz > %(as_of)s)
"""
