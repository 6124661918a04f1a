"""Storing a batch of accepted events: one transaction for log, state, series and freshness; effectively once by the
key table.

Locks are taken in one order (keys, entities, points, rollups; sorted within each), so that several aggregators can
share the work.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from schemas.calendar_history import CalendarHistory
from schemas.envelope import EntityRef, Event
from schemas.fold import Fact, in_order
from services.aggregator import rollups, staging
from services.aggregator.entity_folds import entity_lines
from services.aggregator.folding import NEW, Change, StoredEntity, change, earliest, facts_of
from services.aggregator.rollups import SeriesIds
from services.kit.facts import BEGINNING, calendars_of, read_calendars, read_horizon, unpack

REMEMBERED = 4_000
"""Entities kept in memory, some 4 KB each."""
ERASED = UUID(int=0)
"""The digest of what was erased: whatever comes under its source and id is not stored again."""


class Incoming(NamedTuple):
    """An accepted event and when the broker had it on disk."""

    event: Event
    recorded: datetime


@dataclass
class Stored:
    """What became of a batch: positions (indices into it) that were new, met again, in conflict with what is stored,
    erased before, or about a time before the horizon."""

    new: list[int] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    horizon: datetime = BEGINNING


class ConcurrentUpdate(OperationalError):
    """Another aggregator stored one of the new entities first; the batch is simply done again."""


class Calendar:
    """The calendar history and the horizon as last read, kept while their version stands."""

    def __init__(self) -> None:
        self.version = -1
        self.history = CalendarHistory()
        self.horizon = BEGINNING

    async def refresh(self, conn: AsyncConnection, changing: bool) -> CalendarHistory:
        """Lock the version (shared, or alone when this batch changes the calendar) and read the history if it is
        newer."""
        row = await (await conn.execute(_CALENDAR_LOCK[changing])).fetchone()
        assert row is not None
        if row[0] != self.version:
            self.history = await read_calendars(conn)
            self.horizon = await read_horizon(conn)
            self.version = row[0]
        return self.history


_CALENDAR_LOCK = ("SELECT version FROM calendar_version FOR SHARE", "SELECT version FROM calendar_version FOR UPDATE")


class EntityCache:
    """The entities changed last, so that what was folded a moment ago is not read and folded again.

    Only what is committed is kept, and it is used only while the stored version is the same.
    """

    def __init__(self) -> None:
        self._cached: OrderedDict[EntityRef, StoredEntity] = OrderedDict()
        self._calendars = CalendarHistory()

    async def hold(
        self, conn: AsyncConnection, refs: Iterable[EntityRef], calendars: CalendarHistory
    ) -> dict[EntityRef, StoredEntity]:
        """Lock the entities, those to be made by their names, and tell what is stored of each."""
        if calendars is not self._calendars:
            self._cached.clear()
            self._calendars = calendars
        versions = await _lock(conn, sorted(refs))
        known = {ref: self._cached[ref] for ref, version in versions.items() if self._knows(ref, version)}
        unknown = [ref for ref in versions if ref not in known]
        read = await _read(conn, unknown) if unknown else {}
        return known | {ref: stored._replace(version=versions[ref]) for ref, stored in read.items()}

    def keep(self, changes: Iterable[Change]) -> None:
        """Remember what a committed batch made of its entities."""
        for c in changes:
            self._cached[c.ref] = c.stored
            self._cached.move_to_end(c.ref)
        while len(self._cached) > REMEMBERED:
            self._cached.popitem(last=False)

    def _knows(self, ref: EntityRef, version: int) -> bool:
        stored = self._cached.get(ref)
        return stored is not None and stored.version == version


async def _lock(conn: AsyncConnection, refs: Sequence[EntityRef]) -> dict[EntityRef, int]:
    versions = await _look_up(conn, _LOCK, refs)
    if missing := [ref for ref in refs if ref not in versions]:
        # Another aggregator may be about to store one of these: whoever claims its name first does.
        await _look_up(conn, _CLAIM, missing)
        versions |= await _look_up(conn, _LOCK, missing)
    return versions


async def _read(conn: AsyncConnection, refs: Sequence[EntityRef]) -> dict[EntityRef, StoredEntity]:
    """The facts of entities, with those of the further cases under one number; the versions are not told."""
    found = await _stored(conn, refs)
    number = {EntityRef(ref.kind, id): ref for ref, (_, cases) in found.items() for id in cases}
    facts = {ref: packed for ref, (packed, _) in found.items()}
    for case, (packed, _) in (await _stored(conn, list(number)) if number else {}).items():
        facts[number[case]] = [*facts[number[case]], *packed]
    return {
        ref: StoredEntity(0, in_order(map(unpack, facts[ref])), cases=tuple(cases)) for ref, (_, cases) in found.items()
    }


async def _stored(conn: AsyncConnection, refs: Sequence[EntityRef]) -> dict[EntityRef, tuple[list[Any], list[str]]]:
    rows = await (await conn.execute(_FACTS, ([r.kind for r in refs], [r.id for r in refs]))).fetchall()
    return {EntityRef(kind, id): (facts, cases or []) for kind, id, facts, cases in rows}


async def _look_up(conn: AsyncConnection, query: str, refs: Sequence[EntityRef]) -> dict[EntityRef, Any]:
    rows = await (await conn.execute(query, ([r.kind for r in refs], [r.id for r in refs]))).fetchall()
    return {EntityRef(kind, id): value for kind, id, value in rows}


class CommitOrder:
    """A lock that is taken half-way through a transaction and given back after its end."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock, self._mine = lock, False

    async def take(self) -> None:
        """Wait for the batch before."""
        self._mine = await self._lock.acquire()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self._mine:
            self._lock.release()


class EventStore:
    """Stores batches. The pool's connections are in autocommit mode, prepared by `staging.make`.

    Two batches may be stored at a time, on two connections: the log of one is written while the other is folded. They
    fold in turn, since neighbours in the stream tell of the same entities.
    """

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool, self._series, self._calendar = pool, SeriesIds(pool), Calendar()
        self._recent, self._folding = EntityCache(), asyncio.Lock()

    async def store(self, batch: Sequence[Incoming]) -> Stored:
        """Store what is new; all of it or, on any error, nothing."""
        changes: list[Change] = []
        async with CommitOrder(self._folding) as turn:
            async with self._pool.connection() as conn, conn.transaction():
                changing = any(i.event.data.event == "calendar.changed" for i in batch)
                before = await self._calendar.refresh(conn, changing)
                stored = await _admit(conn, batch, self._calendar.horizon)
                if stored.new:
                    await turn.take()
                    changes = await self._fold(conn, [batch[i] for i in stored.new], before)
            self._recent.keep(changes)
        return stored

    async def _fold(self, conn: AsyncConnection, new: Sequence[Incoming], before: CalendarHistory) -> list[Change]:
        touched: dict[EntityRef, list[Fact]] = defaultdict(list)
        for incoming in new:
            for ref, fact in facts_of(incoming.event).items():
                touched[ref].append(fact)
        after = await _calendar_after(conn, touched, before)
        stored = await self._recent.hold(conn, touched, after)
        found = (change(ref, stored.get(ref, NEW), facts, before, after) for ref, facts in sorted(touched.items()))
        changes = [c for c in found if c]
        await write_entities(conn, changes)
        # Points before the horizon are gone, and their days stand: only what lies after it moves.
        since = self._calendar.horizon
        removed = [p for c in changes for p in c.removed if p.time >= since]
        added = [p for c in changes for p in c.added if p.time >= since]
        if removed or added:
            ids = await self._series.of((*removed, *added))
            await rollups.apply(conn, ids, removed, added)
        await _note_sources(conn, new)
        return changes


async def _admit(conn: AsyncConnection, batch: Sequence[Incoming], horizon: datetime) -> Stored:
    """Write the log; the key table says what is new."""
    behind: set[int] = set()
    if horizon > BEGINNING:
        behind = {i for i, incoming in enumerate(batch) if earliest(incoming.event) < horizon}
    stored = Stored(forgotten=sorted(behind), horizon=horizon)
    first: dict[UUID, int] = {}
    for i, incoming in enumerate(batch):
        if i not in behind:
            first.setdefault(incoming.event.key, i)
    await staging.fill(conn, _COPY_EVENTS, (_log_line(batch[i]) for i in first.values()))
    fresh = {row[0] for row in await (await conn.execute(_KEYS)).fetchall()}
    known = [key for key in first if key not in fresh]
    digests: dict[UUID, UUID] = {}
    if known:
        digests = dict(await (await conn.execute(_DIGESTS, (known,))).fetchall())
        await conn.execute(_FORGET, (known,))
    await conn.execute(_LOG)
    for i, incoming in enumerate(batch):
        event = incoming.event
        if i in behind:
            continue
        if event.key in fresh and first[event.key] == i:
            stored.new.append(i)
        elif digests.get(event.key) == ERASED:
            stored.erased.append(i)
        elif event.digest == digests.get(event.key, batch[first[event.key]].event.digest):
            stored.duplicates.append(i)
        else:
            stored.conflicts.append(i)
    return stored


def _log_line(incoming: Incoming) -> str:
    e = incoming.event
    head = f"{e.time.isoformat()}\t{e.key.hex}\t{e.type}\t{e.unit}\t{e.origin}\t{e.shiftdays}"
    names = f"{staging.escaped(e.source)}\t{staging.escaped(e.id)}"
    return f"{head}\t{names}\t{incoming.recorded.isoformat()}\t{staging.escaped(e.data_json)}\t{e.digest.hex}\n"


async def _calendar_after(
    conn: AsyncConnection, touched: dict[EntityRef, list[Fact]], before: CalendarHistory
) -> CalendarHistory:
    """With announced changes in the batch: the new history, and all that was open at the announcement is touched
    too."""
    news = [fact for ref, facts in touched.items() if ref.kind == "calendar" for fact in facts]
    if not news:
        return before
    since = min(fact.time for fact in news)
    for ref in await (await conn.execute(_OPEN_SINCE, (since,))).fetchall():
        touched.setdefault(EntityRef(*ref), [])
    await conn.execute("UPDATE calendar_version SET version = version + 1")
    stored = await (await conn.execute("SELECT facts FROM entity WHERE kind = 'calendar'")).fetchall()
    return calendars_of([*news, *(unpack(packed) for (facts,) in stored for packed in facts)])


async def write_entities(conn: AsyncConnection, changes: list[Change]) -> None:
    """Store the next versions of entities, whose rows are locked; `ConcurrentUpdate` where one is stored already."""
    if not changes:
        return
    if gone := [(c.ref.kind, id) for c in changes for id in c.gone]:
        await conn.execute(_GONE, [list(column) for column in zip(*gone, strict=True)])
    lines = [line for c in changes for line in entity_lines(c.ref, c.version + 1, c.facts, c.folded)]
    await staging.fill(conn, _COPY_ENTITIES, lines)
    written = await conn.execute(_ENTITIES)
    if written.rowcount != len(lines):
        raise ConcurrentUpdate("another aggregator stored one of these entities first")


async def _note_sources(conn: AsyncConnection, new: Sequence[Incoming]) -> None:
    seen: dict[tuple[str, str], list[Any]] = {}
    for event, recorded in new:
        row = seen.setdefault((event.source, event.data.system), [0, event.time, recorded])
        row[:] = [row[0] + 1, max(row[1], event.time), max(row[2], recorded)]
    rows = [(*names, *values) for names, values in sorted(seen.items())]
    await conn.execute(_SOURCES, [list(column) for column in zip(*rows, strict=True)])


_COPY_EVENTS = f"COPY new_event ({staging.EVENT}, digest) FROM STDIN"
_KEYS = """
INSERT INTO event_key (key, digest, time) SELECT key, digest, time FROM new_event ORDER BY key
ON CONFLICT DO NOTHING RETURNING key
"""
_FORGET = "DELETE FROM new_event WHERE key = ANY(%b::uuid[])"
_LOG = f"INSERT INTO event ({staging.EVENT}) SELECT {staging.EVENT} FROM new_event"
_DIGESTS = "SELECT key, digest FROM event_key WHERE key = ANY(%b::uuid[])"
_OPEN_SINCE = """
SELECT DISTINCT kind, split_part(id, '@', 1) FROM entity
WHERE kind IN ('dossier', 'report') AND (ended_at IS NULL OR ended_at >= %s)
"""
_LOCK = """
SELECT kind, id, version FROM entity JOIN unnest(%b::text[], %b::text[]) AS t(kind, id) USING (kind, id)
ORDER BY kind, id FOR UPDATE OF entity
"""
_CLAIM = """
SELECT kind, id, pg_advisory_xact_lock(hashtextextended(kind || id, 0)) FROM (
    SELECT * FROM unnest(%b::text[], %b::text[]) AS t(kind, id) ORDER BY kind, id) t
"""
_FACTS = """
SELECT kind, id, facts, cases FROM entity JOIN unnest(%b::text[], %b::text[]) AS t(kind, id) USING (kind, id)
"""
_GONE = """
DELETE FROM entity e USING unnest(%b::text[], %b::text[]) AS t(kind, id) WHERE e.kind = t.kind AND e.id = t.id
"""
_COPY_ENTITIES = f"COPY new_entity ({staging.ENTITY}) FROM STDIN"
_ENTITIES = f"""
INSERT INTO entity ({staging.ENTITY}) SELECT {staging.ENTITY} FROM new_entity ORDER BY kind, id
ON CONFLICT (kind, id) DO UPDATE SET
    version = excluded.version, unit = excluded.unit, origin = excluded.origin, status = excluded.status,
    opened_at = excluded.opened_at,
    due_at = excluded.due_at, ended_at = excluded.ended_at, notice_at = excluded.notice_at,
    state = excluded.state, facts = excluded.facts, notes = excluded.notes, cases = excluded.cases
WHERE entity.version = excluded.version - 1
"""
_SOURCES = """
INSERT INTO source AS s
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::timestamptz[], %b::timestamptz[])
ON CONFLICT (source, system) DO UPDATE SET events = s.events + excluded.events,
    last_time = greatest(s.last_time, excluded.last_time),
    last_recorded = greatest(s.last_recorded, excluded.last_recorded)
"""
