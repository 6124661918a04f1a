"""What waits to be done: dossiers due or overdue, reports beyond their level, each with the alarms about it.

The list is read as a whole and shared by all who look; who sees which rows of it is decided where it is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from schemas import cases
from schemas.calendar import WorkCalendar
from schemas.offices import case_id, number_of
from schemas.procedures.dossier import WARN_WORKING_DAYS
from services.kit.facts import stored_calendars
from services.readings.memo import snapshot

AHEAD = timedelta(days=WARN_WORKING_DAYS + 30)
"""Further ahead nothing can be due within the days of warning, whatever holidays lie between."""
STAGES = ("overdue", "today", "soon", "resolve", "accept", "route")
"""The gravest first: of dossiers, then of reports."""


class AlarmOf(NamedTuple):
    """An alarm about a case that is not cleared; moments are aware."""

    id: int
    kind: str
    entity: str
    stage: str | None
    type: str
    severity: str
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assignee: str | None
    deadline: datetime | None
    office: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One case to be worked off. `group`: its field or category; `due`: the promise, or the level that was not kept."""

    kind: str
    id: str
    unit: str
    origin: str
    status: str
    stage: str
    due: datetime
    opened: datetime
    procedure: str
    group: str
    channel: str
    waiting: bool
    extended: bool
    alarms: tuple[AlarmOf, ...]
    late: cases.Lateness | None = None
    procedure_name: str = ""

    @property
    def number(self) -> str:
        """What people call it."""
        return number_of(self.id)

    @property
    def key(self) -> str:
        """What names it in an address."""
        return f"{self.kind}:{self.id}"

    @property
    def assignees(self) -> tuple[str, ...]:
        """To whom its alarms are given, each once; empty: to nobody."""
        return tuple(dict.fromkeys(a.assignee for a in self.alarms if a.assignee))

    @property
    def handling(self) -> str:
        """How its alarms stand: the one that most needs somebody."""
        if not self.alarms:
            return "quiet"
        if any(a.acknowledged_at is None for a in self.alarms):
            return "open"
        return "assigned" if self.assignees else "acknowledged"


class Row(NamedTuple):
    """An open dossier or report as it is folded."""

    kind: str
    id: str
    unit: str
    origin: str
    status: str
    opened_at: datetime
    due_at: datetime | None
    state: dict[str, Any]
    extended: bool
    cases: list[str] | None = None
    facts: list[list[Any]] | None = None
    procedure_name: str | None = None


def items(conn: Connection, now: datetime) -> list[Item]:
    """All that waits at `now`, the longest overdue first; many are due at the same hour, and keep one order too."""
    with snapshot(conn):
        alarms, calendar = _alarms(conn), stored_calendars(conn).at(now)
        with conn.cursor(row_factory=class_row(Row)) as cursor:
            rows = cursor.execute(_ROWS, {"now": now, "until": now + AHEAD}).fetchall()
    found = (_item(row, now, calendar, _about(row, alarms)) for row in rows)
    return sorted((item for item in found if item), key=lambda item: (item.due, item.kind, item.id))


def item(conn: Connection, kind: str, id: str, now: datetime) -> Item | None:
    """One case as the list shows it; None where it does not wait, or is not known."""
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        row = cursor.execute(_ONE, {"kind": kind, "id": id}).fetchone()
    return _item(row, now, stored_calendars(conn).at(now), _about(row, _alarms(conn, id))) if row else None


def _item(row: Row, now: datetime, calendar: WorkCalendar, alarms: Sequence[AlarmOf]) -> Item | None:
    """A dossier waits from the first stage on, a report from the first level on that it did not meet."""
    reached = cases.reached(row.state, now)
    if not reached:
        return None
    stage, begun = reached[-1]
    due, state = row.due_at if row.kind == "dossier" else begun, row.state
    assert due is not None
    return Item(
        row.kind, row.id, row.unit, row.origin, row.status, stage, due, row.opened_at, state.get("procedure", ""),
        state.get("field") or state.get("category") or "none", state.get("channel", "counter"),
        bool(state.get("waiting")), row.extended, tuple(alarms), cases.lateness(due, now, calendar),
        row.procedure_name or "",
    )  # fmt: skip


def _alarms(conn: Connection, entity: str | None = None) -> dict[tuple[str, str], tuple[AlarmOf, ...]]:
    found = defaultdict[tuple[str, str], list[AlarmOf]](list)
    with conn.cursor(row_factory=class_row(AlarmOf)) as cursor:
        for alarm in cursor.execute(_ALARMS, {"number": number_of(entity) if entity else None}):
            found[alarm.kind, alarm.entity].append(alarm)
    return {about: tuple(alarms) for about, alarms in found.items()}


def _about(row: Row, alarms: Mapping[tuple[str, str], Sequence[AlarmOf]]) -> list[AlarmOf]:
    """The alarms about a case, and not about another office's of the same number."""
    of_number = alarms.get((row.kind, number_of(row.id)), ())
    further = {case_id(a.entity, a.office) for a in of_number if a.office}.intersection([*(row.cases or ()), row.id])
    ids = [case_id(a.entity, a.office) if a.office else a.entity for a in of_number]
    return [a for a, id in zip(of_number, ids, strict=True) if row.id == (id if id in further else a.entity)]


SELECTED = """
SELECT kind, id, unit, origin, status, opened_at, due_at, state,
kind = 'dossier' AND jsonb_path_exists(facts, 'strict $[*] ? (@[2] == "dossier.extended")') AS extended, cases,
(SELECT name FROM procedure_name p WHERE p.code = state ->> 'procedure') AS procedure_name
"""
"""What a `Row` is made of, but for its facts."""
_OPEN = f"{SELECTED} FROM entity WHERE ended_at IS NULL AND opened_at IS NOT NULL"
_ROWS = f"""{_OPEN} AND opened_at <= %(now)s AND (kind = 'report' OR kind = 'dossier' AND due_at < %(until)s)"""
_ONE = f"""{_OPEN} AND kind = %(kind)s AND id = %(id)s AND kind IN ('dossier', 'report')"""
_ALARMS = """
SELECT id, kind, entity, stage, type, severity, raised_at, acknowledged_at, acknowledged_by, assignee, deadline, office
FROM alarm WHERE cleared_at IS NULL AND entity IS NOT NULL
    AND (%(number)s::text IS NULL OR entity = %(number)s)
ORDER BY id
"""
