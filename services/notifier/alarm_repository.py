"""The tables of alarms: every statement that writes or reads them. One writer at a time, so steps are numbered in the
order in which they are committed, and what is looked up is still so when it is written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row, namedtuple_row
from psycopg_pool import AsyncConnectionPool

from services.kit.facts import unpack
from services.notifier.alarm import OURSELVES, RANKS, Alarm, Happened, Key, Raise, Severity, dashboard, rise
from services.notifier.domain import State
from services.notifier.escalation import PlannedNotification, PreviousNotification
from services.notifier.webhook import ResolvedAlert

WRITING = 7_101_024
PAGE = 500


@asynccontextmanager
async def writing(pool: AsyncConnectionPool) -> AsyncIterator[AsyncConnection]:
    """A transaction that alone may write; raises what `store.OUTAGE` lists."""
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (WRITING,))
        yield conn


async def raise_all(conn: AsyncConnection, raised: Iterable[Raise], now: datetime) -> list[Raise]:
    """Raise alarms, refresh those that are active; returns the new ones. An event that was heard before is passed by:
    an alarm about the same due time stands in the table, active or not, or about a later stage of the same case."""
    wanted: dict[Any, Raise] = {}
    for one in raised:
        known = wanted.get(_unique(one))
        if known is None or not (rise(one, known) or _is_earlier(one, known.due_at)):
            wanted[_unique(one)] = one
    stored = await _stored(conn, wanted.values())
    heard = {(_unique(h), h.due_at) for h in stored if h.due_at is not None}
    latest = dict(sorted(heard, key=lambda told: told[1]))
    active = {_unique(h): h for h in stored if h.cleared_at is None and _unique(h) in wanted}
    risen = {key for key, h in active.items() if rise(h, wanted[key])}
    missed = [r for r in wanted.values() if _unique(r) in risen or (_unique(r), r.due_at) not in heard]
    missed = [r for r in missed if not _is_earlier(r, latest.get(_unique(r)))]
    fresh = [r for r in missed if _unique(r) not in active]
    numbers = await _rows(conn, _INSERT, [r._asdict() for r in fresh], now=now)
    await note(conn, now, [Happened(row.id, "raised") for row in numbers])
    await _refresh(conn, [(active[_unique(r)], r) for r in missed if _unique(r) in active], now)
    return fresh


def _unique(alarm: Any) -> tuple[str, str, str | None]:
    """No two active alarms have the same."""
    return alarm.originator, alarm.type, alarm.office


def _is_earlier(one: Raise, due_at: datetime | None) -> bool:
    """Whether it is about a stage that was due before another of the same case."""
    return bool(one.stage and one.due_at and due_at and one.due_at < due_at)


async def _stored(conn: AsyncConnection, raised: Iterable[Raise]) -> list[Any]:
    names = ("originator", "type", "due_at", "stage")
    return await _rows(conn, _HELD, [{name: getattr(r, name) for name in names} for r in raised])


async def _refresh(conn: AsyncConnection, pairs: Sequence[tuple[Any, Raise]], now: datetime) -> None:
    """Only what changed is a step of the history; severity and level rise and never fall while the alarm is active."""
    rows, steps, reopened = [], [], []
    for stored, one in pairs:
        rises = rise(stored, one)
        grave = one if rises else stored
        own = {"id": stored.id, "severity": grave.severity, "level": grave.level or one.level, "rises": bool(rises)}
        goes_on = RANKS[one.severity] >= RANKS[stored.severity]
        rows.append(one._asdict() | own | {"goes_on": goes_on})
        changes = [f"{rises[0]} → {rises[1]}"] if rises else []
        changes += [f"due {one.due_at}"] * (one.due_at != stored.due_at)
        if changes:
            steps.append(Happened(stored.id, "refreshed", OURSELVES, ", ".join(changes)))
        if rises and stored.acknowledged_by:
            why = f"{rises[1]} is above {rises[0]}, which {stored.acknowledged_by} had acknowledged"
            reopened.append((stored.id, why))
    await _rows(conn, _REFRESH, rows, now=now)
    await note(conn, now, steps)
    await reopen(conn, reopened, now)


async def reopen(conn: AsyncConnection, alarms: Sequence[tuple[int, str]], now: datetime) -> None:
    """End the acknowledgement of alarms, each for its reason: their escalation begins anew. Who has it stays so."""
    if alarms:
        await conn.execute(_REOPEN, {"ids": [id for id, _ in alarms], "now": now})
        await note(conn, now, [Happened(id, "reopened", OURSELVES, why) for id, why in alarms])


async def hand_on(conn: AsyncConnection, alarms: Sequence[Watched], now: datetime) -> None:
    """Give alarms to the unit that has the case now: its people are told from the beginning."""
    moved = [(a, a.handler) for a in alarms if a.handler]
    await _rows(conn, _HAND_ON, [{"id": a.id, "unit": to, "dashboard": dashboard(a.system, to)} for a, to in moved])
    await reopen(conn, [(a.id, f"handed on: {a.unit} → {to}") for a, to in moved], now)


async def orphans(conn: AsyncConnection, stored: bool = True) -> dict[int, str]:
    """Active alarm -> who has it and why they can see to it no more; only those whose escalation that holds back, or
    all."""
    sql = """
    SELECT o.alarm, o.person || ', who had it, ' || o.why FROM alarm_orphan o JOIN alarm a ON a.id = o.alarm
    WHERE a.acknowledged_at IS NOT NULL OR NOT %s
    """
    return dict(await (await conn.execute(sql, (stored,))).fetchall())


async def end(conn: AsyncConnection, overs: Iterable[ResolvedAlert], now: datetime) -> None:
    """Note that alerts are said to be over, for their active alarms; not for one graver than the alert was."""
    gravest = {o.key: o.severity for o in sorted(overs, key=lambda o: RANKS[o.severity])}
    found = await _rows(conn, _ACTIVE, [key._asdict() for key in gravest])
    await mark_ended(conn, [d.id for d in found if RANKS[d.severity] <= RANKS[gravest[Key(d.originator, d.type)]]], now)


async def mark_ended(conn: AsyncConnection, ids: Sequence[int], at: datetime) -> None:
    """These are said to be over since."""
    if ids:
        await conn.execute("UPDATE alarm SET ended_at = %s WHERE id = ANY(%s)", (at, list(ids)))


async def go_on(conn: AsyncConnection, ids: Iterable[int], now: datetime) -> None:
    """These were heard of by asking: they are not doubtful any more, and need not be asked for again soon."""
    await conn.execute("UPDATE alarm SET ended_at = NULL, refreshed_at = %s WHERE id = ANY(%s)", (now, list(ids)))


async def clear(conn: AsyncConnection, ids: Sequence[int], now: datetime, by: str, why: str) -> None:
    """Clear those of the alarms that are active."""
    if not ids:
        return
    cursor = await conn.execute(_CLEAR, {"ids": list(ids), "now": now, "by": by})
    await note(conn, now, [Happened(id, "cleared", by, why) for (id,) in await cursor.fetchall()])


async def note(conn: AsyncConnection, now: datetime, steps: Iterable[Happened]) -> None:
    """Add steps to the history."""
    await _rows(conn, _NOTE, [step._asdict() for step in steps], now=now)


async def get(conn: AsyncConnection, id: int) -> Alarm | None:
    """One alarm."""
    async with conn.cursor(row_factory=class_row(Alarm)) as cursor:
        return await (await cursor.execute("SELECT * FROM alarm WHERE id = %s", (id,))).fetchone()


async def open_dossier(conn: AsyncConnection, id: str) -> tuple[str, str] | None:
    """Unit and origin of a dossier that has not ended; None for another."""
    return await (await conn.execute(_OPEN_DOSSIER, (id,))).fetchone()


async def active_id(conn: AsyncConnection, key: Key) -> int:
    """The active alarm of that name; KeyError without one."""
    for row in await _rows(conn, _ACTIVE, [key._asdict()]):
        return int(row.id)
    raise KeyError(key)


async def update(conn: AsyncConnection, id: int, **columns: Any) -> None:
    """Set columns of one alarm; the names are ours."""
    assert columns.keys() <= set(Alarm._fields), columns
    sets = ", ".join(f"{name} = %({name})s" for name in columns)
    await conn.execute(f"UPDATE alarm SET {sets} WHERE id = %(id)s", columns | {"id": id})  # noqa: S608


# --- domain alarms and the things they are about ---


class Watched(NamedTuple):
    """An active alarm about an entity, raised for `unit`; `version` and `handler`, the unit that has it now, are the
    entity's, None where it is not folded."""

    id: int
    kind: str
    entity: str
    stage: str | None
    due_at: datetime
    refreshed_at: datetime
    unit: str
    system: str
    version: int | None
    handler: str | None


async def watched(conn: AsyncConnection) -> list[Watched]:
    """The active alarms about entities."""
    async with conn.cursor(row_factory=class_row(Watched)) as cursor:
        return await (await cursor.execute(_WATCHED)).fetchall()


async def states(conn: AsyncConnection, entities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], State]:
    """The folded states of (kind, id)."""
    found = await _rows(conn, _STATES, [{"kind": kind, "id": id} for kind, id in entities])
    return {
        (r.kind, r.id): State(r.version, r.ended_at, r.due_at, r.state, [unpack(fact) for fact in r.facts])
        for r in found
    }


class Doubtful(NamedTuple):
    """An active alarm of a rule that may be over; `ended_at` None: nobody said so, but it was not heard for long."""

    id: int
    originator: str
    type: str
    severity: Severity
    ended_at: datetime | None


async def doubtful(conn: AsyncConnection, ended_by: datetime, unheard_since: datetime) -> list[Doubtful]:
    """The active alarms of rules that were said to be over by then, and those that were not refreshed since."""
    async with conn.cursor(row_factory=class_row(Doubtful)) as cursor:
        return await (await cursor.execute(_DOUBTFUL, (ended_by, unheard_since))).fetchall()


async def active_own(conn: AsyncConnection) -> dict[Key, tuple[int, datetime]]:
    """Our own alarms that are active: their number, and when they were raised."""
    sql = "SELECT originator, type, id, raised_at FROM alarm WHERE cleared_at IS NULL AND way = 'own'"
    found = await (await conn.execute(sql)).fetchall()
    return {Key(originator, type): (id, raised_at) for originator, type, id, raised_at in found}


async def was_told(conn: AsyncConnection, person: str, since: datetime) -> bool:
    """Whether a message reached the person since."""
    sql = """
    SELECT FROM notification WHERE person = %(person)s AND sent_at > %(since)s
    UNION ALL SELECT FROM brief WHERE person = %(person)s AND sent_at > %(since)s LIMIT 1
    """
    return bool(await (await conn.execute(sql, {"person": person, "since": since})).fetchall())


# --- escalation ---


async def look_at_all(conn: AsyncConnection, now: datetime) -> None:
    """Have every active alarm looked at: the table of routes may be another than before."""
    await conn.execute("UPDATE alarm SET next_at = %s WHERE cleared_at IS NULL", (now,))


async def due(conn: AsyncConnection, now: datetime) -> list[tuple[Alarm, list[PreviousNotification]]]:
    """Alarms to be looked at, at most a page, each with what was planned for it before."""
    async with conn.cursor(row_factory=class_row(Alarm)) as cursor:
        sql = "SELECT * FROM alarm WHERE next_at <= %s ORDER BY next_at, id LIMIT %s"
        alarms = await (await cursor.execute(sql, (now, PAGE))).fetchall()
    sent: dict[int, list[PreviousNotification]] = {alarm.id: [] for alarm in alarms}
    sql = """
    SELECT alarm, occasion, person, digest, state, repeat, due_at, least(sent_at, failed_at) FROM notification
    WHERE alarm = ANY(%s) ORDER BY id
    """
    for id, *row in await (await conn.execute(sql, (list(sent),))).fetchall():
        sent[id].append(PreviousNotification(*row))
    return [(alarm, sent[alarm.id]) for alarm in alarms]


async def enter(conn: AsyncConnection, planned: Iterable[PlannedNotification]) -> None:
    """Plan notifications; one that is planned already stays as it is."""
    await _rows(conn, _PLAN, [row._asdict() for row in planned])


async def look_again(conn: AsyncConnection, times: dict[int, datetime | None]) -> None:
    """When to look at alarms again."""
    await _rows(conn, _LOOK_AGAIN, [{"id": id, "next_at": at} for id, at in times.items()])


# --- the history as events, and figures ---


async def unpublished(conn: AsyncConnection) -> list[dict[str, Any]]:
    """The next page of steps after the last one that the broker has, each with what its alarm is about, as JSON."""
    return [step for (step,) in await (await conn.execute(_UNPUBLISHED, (PAGE,))).fetchall()]


async def published(conn: AsyncConnection, step: int) -> None:
    """The broker has all steps up to this one."""
    await conn.execute("UPDATE alarm_published SET step = %s WHERE step < %s", (step, step))


async def counts(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(system, severity, active alarms)."""
    sql = "SELECT system, severity, count(*) FROM alarm WHERE cleared_at IS NULL GROUP BY 1, 2"
    return await (await conn.execute(sql)).fetchall()


async def _rows(conn: AsyncConnection, sql: str, rows: Sequence[dict[str, Any]], **values: Any) -> list[Any]:
    """Run a statement over a batch of rows, given to it as JSON; nothing for none."""
    if not rows:
        return []
    text = json.dumps(rows, default=datetime.isoformat)
    async with conn.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(sql, values | {"rows": text})
        return await cursor.fetchall() if cursor.description else []


_INSERT = """
INSERT INTO alarm (way, originator, type, severity, system, unit, origin, vi, en, do_vi, do_en, dashboard,
                   kind, entity, stage, due_at, office, level, raised_at, refreshed_at, since, next_at)
SELECT way, originator, type, severity, system, unit, origin, vi, en, do_vi, do_en, dashboard,
       kind, entity, stage, due_at, office, level, %(now)s, %(now)s, %(now)s, %(now)s
FROM jsonb_to_recordset(%(rows)s) AS r (
    way text, originator text, type text, severity text, system text, unit text, origin text, vi text, en text,
    do_vi text, do_en text, dashboard text, kind text, entity text, stage text, due_at timestamptz,
    office text, level text)
RETURNING id
"""
_HELD = """
SELECT a.id, a.originator, a.type, a.severity, a.due_at, a.cleared_at, a.acknowledged_by, a.office, a.level
FROM jsonb_to_recordset(%(rows)s) AS r (originator text, type text, due_at timestamptz, stage text)
JOIN alarm a USING (originator, type)
WHERE a.cleared_at IS NULL OR a.due_at = r.due_at OR (r.stage IS NOT NULL AND a.due_at > r.due_at)
"""
_ACTIVE = """
SELECT a.id, originator, type, a.severity FROM jsonb_to_recordset(%(rows)s) AS r (originator text, type text)
JOIN alarm a USING (originator, type) WHERE a.cleared_at IS NULL
"""
_OPEN_DOSSIER = """
SELECT unit, origin FROM entity WHERE kind = 'dossier' AND id = %s AND opened_at IS NOT NULL AND ended_at IS NULL
"""
_REFRESH = """
UPDATE alarm a SET refreshed_at = %(now)s, times = times + 1, severity = r.severity, level = r.level,
    vi = r.vi, en = r.en, do_vi = r.do_vi, do_en = r.do_en, stage = r.stage, due_at = r.due_at,
    next_at = CASE WHEN r.rises THEN %(now)s ELSE a.next_at END,
    ended_at = CASE WHEN r.goes_on THEN NULL ELSE a.ended_at END
FROM jsonb_to_recordset(%(rows)s) AS r (
    id bigint, severity text, level text, vi text, en text, do_vi text, do_en text, stage text, due_at timestamptz,
    rises boolean, goes_on boolean)
WHERE a.id = r.id
"""
_REOPEN = """
UPDATE alarm SET acknowledged_at = NULL, acknowledged_by = NULL, since = %(now)s, next_at = %(now)s
WHERE id = ANY(%(ids)s) AND cleared_at IS NULL
"""
_HAND_ON = """
UPDATE alarm a SET unit = r.unit, dashboard = r.dashboard
FROM jsonb_to_recordset(%(rows)s) AS r (id bigint, unit text, dashboard text) WHERE a.id = r.id
"""
_DOUBTFUL = """
SELECT id, originator, type, severity, ended_at FROM alarm WHERE cleared_at IS NULL AND way = 'rule'
    AND (ended_at <= %s OR (ended_at IS NULL AND refreshed_at < %s))
"""
_CLEAR = """
UPDATE alarm SET cleared_at = %(now)s, cleared_by = %(by)s, next_at = %(now)s
WHERE id = ANY(%(ids)s) AND cleared_at IS NULL RETURNING id
"""
_NOTE = """
INSERT INTO alarm_step (alarm, at, step, by, note) SELECT alarm, %(now)s, step, by, note
FROM jsonb_to_recordset(%(rows)s) AS r (alarm bigint, step text, by text, note text)
"""
_WATCHED = """
SELECT a.id, a.kind, concat_ws('@', a.entity, a.office) AS entity, a.stage, a.due_at, a.refreshed_at, a.unit, a.system,
    e.version, e.unit AS handler
FROM alarm a LEFT JOIN case_row(a.kind, concat_ws('@', a.entity, a.office)) e ON true
WHERE a.cleared_at IS NULL AND a.entity IS NOT NULL
"""
_STATES = """
SELECT r.kind, r.id, version, ended_at, due_at, state, CASE WHEN r.kind = 'report' THEN facts ELSE '[]' END AS facts
FROM jsonb_to_recordset(%(rows)s) AS r (kind text, id text), case_row(r.kind, r.id) e
"""
_PLAN = """
INSERT INTO notification (alarm, occasion, person, digest, due_at, try_at)
SELECT alarm, occasion, person, digest, due_at, due_at FROM jsonb_to_recordset(%(rows)s) AS r (
    alarm bigint, occasion text, person text, digest boolean, due_at timestamptz)
ON CONFLICT DO NOTHING
"""
_UNPUBLISHED = """
SELECT to_jsonb(s) || jsonb_build_object('system', a.system, 'unit', a.unit, 'severity', a.severity, 'type', a.type,
       'originator', a.originator, 'origin', a.origin)
FROM alarm_step s JOIN alarm a ON a.id = s.alarm
WHERE s.id > (SELECT step FROM alarm_published) ORDER BY s.id LIMIT %s
"""
_LOOK_AGAIN = """
UPDATE alarm a SET next_at = r.next_at FROM jsonb_to_recordset(%(rows)s) AS r (id bigint, next_at timestamptz)
WHERE a.id = r.id
"""
