"""Erasing a case or an event in the database, on request: the log, the state and all that names the number keep what
figures are made of, and nothing of a person.

No point may come, go or move by it: what is folded of the facts that are left is compared before anything is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from schemas.calendar_history import CalendarHistory
from schemas.envelope import EntityRef
from schemas.erasing import BY_EVENT, NUMBERED, alias_of, erased, letters, pattern_of
from schemas.fold import Fact, Folded, in_order
from schemas.procedures.dossier import portals_told
from schemas.registry import DATA_TYPES
from services.aggregator.event_store import ERASED, EntityCache, write_entities
from services.aggregator.folding import Change, StoredEntity, fold
from services.kit.facts import read_calendars


class NotErasable(Exception):
    """What is asked for cannot be erased; the message says why, and what can be done."""


class Target(NamedTuple):
    """What is to be erased: all of a case by kind and number, or, without a kind, the event with this key (hex)."""

    kind: str | None
    number: str


class Erasure(NamedTuple):
    """A row of the table of that name; `alias`: what stands for the number of a whole case; `wanted`: the number, or
    the event's key, until the broker has erased it too."""

    id: UUID
    at: datetime
    by: str
    reason: str
    kind: str | None
    alias: str | None
    digest: str
    wanted: str | None
    done_at: datetime | None


@dataclass(frozen=True)
class Concerned:
    """What an erasure is about: the events as they lie in the log, and the entities with a fact of any of them."""

    target: Target
    keys: frozenset[str]
    events: Sequence[dict[str, Any]]
    entities: dict[EntityRef, StoredEntity]
    calendars: CalendarHistory

    @cached_property
    def _portals(self) -> dict[str, str]:
        """The form of a dossier's code may tell its portal, and its alias would not: then its events say it."""
        kind, number = self.target
        return portals_told(number, self.entities[EntityRef(kind, number)].facts) if kind == "dossier" else {}

    def left(self, key: str, event: str, fields: dict[str, Any], alias: str) -> dict[str, Any]:
        """What stays of the fields of an event."""
        told = {"portal": self._portals[key]} if key in self._portals else {}
        return erased(told | fields, BY_EVENT[event], self.target.kind, self.target.number, alias)

    @property
    def others(self) -> list[EntityRef]:
        """What these events tell of besides, which stays as it is, but for what it holds of them."""
        return sorted(ref for ref in self.entities if ref != (self.target.kind, self.target.number))


async def concerned(conn: AsyncConnection, target: Target, over: bool = True) -> Concerned:
    """Find what a target is, in a transaction: until its end nothing is stored beside it. `NotErasable` where it is
    not known, or a case that is not `over`."""
    await conn.execute("UPDATE calendar_version SET version = version + 1")
    calendars, cache = await read_calendars(conn), EntityCache()
    own = EntityRef(target.kind or "", target.number)
    if target.kind and target.kind not in NUMBERED:
        raise NotErasable(f"{target.kind} bears no number; one of {', '.join(sorted(NUMBERED))} does")
    stored = await cache.hold(conn, [own], calendars) if target.kind else {}
    if target.kind and own not in stored:
        raise NotErasable(f"no {target.kind} {target.number} is stored, or it was erased; see `ioc erase list`")
    if over:
        await _require_ended(conn, own, stored.get(own))
    keys = frozenset(fact.key for fact in stored[own].facts) if target.kind else frozenset({target.number})
    events = await _events(conn, keys)
    if not keys or not (events or target.kind):
        raise NotErasable(
            "no such event is stored; a message that lies in the quarantine is erased by its number there"
        )
    refs = {ref for e in events for ref in DATA_TYPES[e["type"]].touched(e["unit"], e["data"])} - {own}
    return Concerned(target, keys, events, stored | await cache.hold(conn, refs, calendars), calendars)


async def _require_ended(conn: AsyncConnection, own: EntityRef, stored: StoredEntity | None) -> None:
    ids = [own.id, *(stored.cases if stored else ())]
    row = await (await conn.execute(_OPEN, [own.kind, ids])).fetchone()
    if row and row[0]:
        raise NotErasable(f"{own.kind} {own.id} is not over: what is still to come of it could not be told to be its")


async def _events(conn: AsyncConnection, keys: frozenset[str]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(_EVENTS, [[UUID(key) for key in keys]])).fetchall()


async def erase(conn: AsyncConnection, found: Concerned, erasure: Erasure) -> None:
    """Write what is left, and that it was erased. `NotErasable` where a figure would move; nothing is written then."""
    target, alias = found.target, erasure.alias or ""
    await write_entities(conn, [_rewritten(found, ref, alias) for ref in sorted(found.entities)])
    events = ((e["key"].hex, DATA_TYPES[e["type"]].event, e["data"]) for e in found.events)
    left = [Jsonb(found.left(key, event, fields, alias)) for key, event, fields in events]
    places = [e["time"] for e in found.events], [e["key"] for e in found.events]
    await conn.execute(_NO_LIMIT)
    await conn.execute(_LEAVE, [*places, [f"erased.{letters(16)}" for _ in left], left])
    await conn.execute("UPDATE event_key SET digest = %s WHERE key = ANY(%s)", [ERASED, places[1]])
    await note(conn, erasure, [UUID(key) for key in found.keys])
    if target.kind:
        await _rename(conn, target.number, alias)


async def note(conn: AsyncConnection, erasure: Erasure, keys: Sequence[UUID]) -> None:
    """Note an erasure and what it is about."""
    await conn.execute(_NOTE, list(erasure))
    await note_events(conn, erasure.id, keys)


async def note_events(conn: AsyncConnection, id: UUID, keys: Sequence[UUID]) -> None:
    """Note that these events were erased by it."""
    await conn.execute(_NOTE_EVENTS, [id, list(keys)])


def begun(found: Concerned, at: datetime, by: str, reason: str) -> Erasure:
    """A new erasure of what was found. Its digest stands for what is erased and does not tell it."""
    digest = blake2b(b"".join(sorted(e["digest"].bytes for e in found.events)), digest_size=16).hexdigest()
    alias = alias_of(found.target.number) if found.target.kind else None
    return Erasure(uuid4(), at, by, reason, found.target.kind, alias, digest, found.target.number, None)


def _rewritten(found: Concerned, ref: EntityRef, alias: str) -> Change:
    """The entity's next version; it bears the alias where it is the case that is erased."""
    target, stored = found.target, found.entities[ref]
    facts = in_order(_left(found, fact, alias) if fact.key in found.keys else fact for fact in stored.facts)
    renamed = EntityRef(ref.kind, alias) if ref == (target.kind, target.number) else ref
    before, after = fold(ref, stored.facts, found.calendars), fold(renamed, facts, found.calendars)
    if _counted(before) != _counted(after):
        raise NotErasable(f"{ref.kind} {ref.id} would count otherwise without what is to be erased; nothing was done")
    gone = [id for id in (ref.id, *stored.cases) if id not in (renamed.id, *after.cases)]
    return Change(renamed, stored.version, facts, after, [], [], gone)


def _left(found: Concerned, fact: Fact, alias: str) -> Fact:
    return fact._replace(data=found.left(fact.key, fact.event, fact.data, alias))


def _counted(folded: Folded) -> tuple[Any, ...]:
    times = folded.opened_at, folded.due_at, folded.ended_at, folded.notice_at
    return folded.unit, folded.origin, folded.status, *times, sorted(map(repr, folded.points))


async def _rename(conn: AsyncConnection, number: str, alias: str) -> None:
    """The number in alarms, audit, filters and what waits to be published."""
    values = {"of": pattern_of(number), "by": alias}
    for table, column in _TEXTS:
        await conn.execute(_RENAME.format(table=Identifier(table), column=Identifier(column)), values)
    for query in _RENAME_WITHIN:
        await conn.execute(query, values)
    await conn.execute("DELETE FROM report_photo WHERE report = %s", [number])


async def known(conn: AsyncConnection, keys: Sequence[UUID], kind: str | None) -> Target | None:
    """What an erasure of these events is about, by those of them that are stored; None where none is."""
    for e in await _events(conn, frozenset(key.hex for key in keys)):
        touched = DATA_TYPES[e["type"]].touched(e["unit"], e["data"])
        return Target(kind, next(r.id for r in touched if r.kind == kind)) if kind else Target(None, e["key"].hex)
    return None


async def keys_of(conn: AsyncConnection, id: UUID) -> list[UUID]:
    """The events that an erasure was about."""
    rows = await (await conn.execute("SELECT key FROM erasure_event WHERE erasure = %s", [id])).fetchall()
    return [key for (key,) in rows]


async def all_erasures(conn: AsyncConnection) -> list[Erasure]:
    """All that was erased, in this order."""
    async with conn.cursor(row_factory=class_row(Erasure)) as cursor:
        return await (await cursor.execute("SELECT * FROM erasure ORDER BY at, id")).fetchall()


async def done(conn: AsyncConnection, id: UUID, at: datetime) -> None:
    """The broker holds nothing of it any more: the number is forgotten."""
    await conn.execute("UPDATE erasure SET wanted = NULL, done_at = %s WHERE id = %s", [at, id])


_OPEN = """
SELECT bool_or(opened_at IS NOT NULL AND ended_at IS NULL) FROM entity WHERE kind = %s AND id = ANY(%s)
"""
_EVENTS = """
SELECT e.*, k.digest FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
WHERE k.key = ANY(%s) ORDER BY e.time, e.key
"""
_NO_LIMIT = "SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"
_LEAVE = """
UPDATE event e SET id = t.id, data = t.data
FROM unnest(%s::timestamptz[], %s::uuid[], %s::text[], %s::jsonb[]) t(time, key, id, data)
WHERE e.time = t.time AND e.key = t.key
"""
_NOTE = "INSERT INTO erasure VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_NOTE_EVENTS = """
INSERT INTO erasure_event SELECT key, %s FROM unnest(%s::uuid[]) key
ON CONFLICT (key) DO UPDATE SET erasure = excluded.erasure
"""
_TEXTS = (
    ("alarm", "originator"), ("alarm", "entity"), ("alarm", "vi"), ("alarm", "en"), ("alarm_step", "note"),
    ("audit", "subject"), ("saved_filter", "query"), ("import_event", "entity"), ("finding", "key"),
    ("finding", "vi"), ("finding", "en"), ("finding", "sides"), ("finding_step", "note"),
)  # fmt: skip
_RENAME = SQL("UPDATE {table} SET {column} = regexp_replace({column}, %(of)s, %(by)s, 'g') WHERE {column} ~ %(of)s")
_RENAME_WITHIN = (
    "UPDATE audit SET detail = regexp_replace(detail::text, %(of)s, %(by)s, 'g')::jsonb WHERE detail::text ~ %(of)s",
    """
    UPDATE outbox SET body = convert_to(regexp_replace(convert_from(body, 'UTF8'), %(of)s, %(by)s, 'g'), 'UTF8')
    WHERE convert_from(body, 'UTF8') ~ %(of)s
    """,
)
