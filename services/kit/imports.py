"""Imports of workbooks: what one adds to what is known, who made it, and how it is taken back as a whole.

An import states events: those that it sends, and those that were there already and say the same. Taken back, each of
them is retracted that an import sent and no other import states. So figures are as if it had never been.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

from nats.js import JetStreamContext
from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from schemas import personal, units
from schemas.calendar import local_day
from schemas.economy import IndicatorReported, IndicatorRevised
from schemas.envelope import EntityRef, Event, EventData
from schemas.fold import Fact, day_start
from schemas.registry import DATA_TYPES, make, parse
from schemas.retraction import DailyRetraction, Retraction, in_letters, is_retraction, retractions
from schemas.streams import AGGREGATOR
from schemas.zone import VN
from services.kit import streams
from services.kit.errors import Unavailable
from services.kit.facts import unpack

SOURCE = "/spreadsheets/"
AT_ONCE = 5000
PATIENCE = timedelta(seconds=20)
INSTANT = timedelta(seconds=1)
BESIDE = frozenset({"revision", "document"})
"""What may differ though the same is said."""


def hasher(raw: bytes = b"") -> blake2b:
    """What makes the digest of a file from its bytes, as they come."""
    return blake2b(raw, digest_size=16)


def digest(raw: bytes) -> str:
    """What tells one file from another without keeping it: BLAKE2b, 16 bytes in hexadecimal."""
    return hasher(raw).hexdigest()


def midnight(day: date) -> datetime:
    """The first moment of a local day."""
    return datetime.combine(day, time(), VN)


def event_of(template: str, unit: str, at: datetime, data: EventData) -> Event:
    """An event of a form, its id made of all that it says."""
    said = "\n".join((data.event, unit, at.isoformat(), data.model_dump_json(exclude_none=True)))
    id = in_letters(blake2b(said.encode(), digest_size=12).hexdigest())
    return make(data, source=SOURCE + template, id=f"{data.event}-{unit}-{id}", time=at, unit=unit)


# --- what it adds ---


class Stated(NamedTuple):
    """One thing that a workbook says: its event, and the fact that was in force before, if one was. The event is to be
    sent unless the fact says the same.

    `outdated`: the fact says the same and is in force no more, for what this very file said was corrected since."""

    event: Event
    before: Fact | None
    known: bool
    outdated: bool = False

    @property
    def key(self) -> str:
        """The key of the event that states it."""
        return self.before.key if self.known and self.before else self.event.key.hex


@dataclass
class Plan:
    """All that a workbook says, beside what is known."""

    stated: list[Stated] = field(default_factory=list)
    content: str = ""
    """What tells from others all that it says, however the file was saved."""

    @property
    def events(self) -> list[Event]:
        """What is to be sent."""
        return [one.event for one in self.stated if not one.known]

    @property
    def revised(self) -> int:
        """How many of them correct what was in force."""
        return sum(one.before is not None and not one.known for one in self.stated)

    @property
    def known(self) -> int:
        """How much of it is known already."""
        return sum(one.known for one in self.stated)

    @property
    def outdated(self) -> int:
        """How much of that was said by this very file and has been corrected since."""
        return sum(one.outdated for one in self.stated)

    @property
    def summary(self) -> Summary:
        """What is noted of it as a whole."""
        events = [one.event for one in self.stated]
        units_of = sorted({event.unit for event in events})
        systems = sorted({event.data.system for event in events})
        new = len(events) - self.revised - self.known
        return Summary(units_of, systems, new, self.revised, self.known, self.content)

    def lines(self) -> Iterator[Line]:
        """What is noted of each thing that it says."""
        for one in self.stated:
            yield Line(*one.event.touches[0], one.key, not one.known)


class Summary(NamedTuple):
    """Whose figures a workbook has, in which systems; how many are new, corrected, and known already."""

    units: list[str]
    systems: list[str]
    new: int
    revised: int
    known: int
    content: str | None = None


class Line(NamedTuple):
    """A thing that a workbook says: the entity, the event that states it, and whether that is to be sent."""

    kind: str
    entity: str
    key: str
    sent: bool


def plan(conn: Connection, events: Iterable[Event], now: datetime, digest: str) -> Plan:
    """What the events of the file with this digest add to what is stored. Raises `envelope.Invalid` for what could not
    be accepted."""
    said = list(events)
    found = Plan(content=_content(said))
    rest = iter(said)
    own = frozenset(key.hex for (key,) in conn.execute(_OF_FILE, [digest, found.content]))
    while some := list(islice(rest, AT_ONCE)):
        facts = _stored(conn, [ref for event in some for ref in event.touches])
        found.stated += (_stated(event, facts, local_day(now), own) for event in some)
    for event in found.events:
        parse(event.to_json(), now)
    return found


def _content(events: Iterable[Event]) -> str:
    return digest(b"".join(sorted(event.key.bytes for event in events)))


def _stored(conn: Connection, refs: Sequence[EntityRef]) -> dict[EntityRef, list[Fact]]:
    values = {"kinds": [ref.kind for ref in refs], "ids": [ref.id for ref in refs]}
    rows = conn.execute(_STORED, values).fetchall()
    return {EntityRef(kind, id): [unpack(fact) for fact in facts] for kind, id, facts in rows}


def _stated(
    event: Event, stored: Mapping[EntityRef, list[Fact]], today: date, own: Collection[str] = frozenset()
) -> Stated:
    """`own`: the keys of what imports of the same file state, in whatever bytes. What was corrected since stays
    corrected: to have it as the file says, the correction is taken back."""
    facts = [fact for ref in event.touches for fact in stored.get(ref, ())]
    reports, gone = [fact for fact in facts if not is_retraction(fact.event)], retractions(facts)
    if not reports:
        return Stated(event, None, known=False)
    standing = [fact for fact in reports if fact.key not in gone]
    before = max(standing, key=_rank) if standing else None
    same = [fact for fact in standing if _said(fact.data) == _said(event.fields)]
    if before in same:
        return Stated(event, before, known=True)
    if earlier := next((fact for fact in same if fact.key in own), None):
        return Stated(event, earlier, known=True, outdated=True)
    return Stated(_revision(event, reports, gone.values(), today), before, known=False)


def _rank(fact: Fact) -> tuple[int, datetime, str]:
    return fact.data.get("revision", 0), fact.time, fact.key


def _revision(event: Event, reports: Sequence[Fact], gone: Iterable[datetime], today: date) -> Event:
    """What is said now, after all that was said and taken back: by the report's own day where that is later, else
    today. Of a unit that was no more when the last was taken back, just after the last report."""
    last = max(reports, key=_rank)
    since = max((last.time, *gone))
    days = (local_day(event.time), today)
    later = (midnight(day) for day in days if midnight(day) > since and units.valid_at(event.unit, day))
    at = next(later, since + INSTANT)
    if not units.valid_at(event.unit, local_day(at)):
        at = last.time + INSTANT
    number, data = last.data.get("revision", 0) + 1, event.data
    if isinstance(data, IndicatorReported):
        data = IndicatorRevised(**{**dict(data), "revision": number})
    elif "revision" in type(data).model_fields:
        data = data.model_copy(update={"revision": number})
    return event_of(event.source.removeprefix(SOURCE), event.unit, at, data)


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of an event's fields; numbers are equal however they are spelled."""
    return {name: as_number(value) for name, value in fields.items() if name not in BESIDE}


def as_number(value: Any) -> Any:
    """A field's value, a number that is written as a text as a number: however it is spelled, it is the same."""
    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value


# --- who made it ---


class Import(NamedTuple):
    """An import as it is listed; `new`, `revised` and `known`: how many figures it added, corrected and said again."""

    id: int
    at: datetime
    by: str
    file: str
    digest: str
    template: str
    units: list[str]
    systems: list[str]
    new: int
    revised: int
    known: int
    taken_back_at: datetime | None = None
    taken_back_by: str | None = None

    def detail(self) -> dict[str, Any]:
        """What the audit says of it: no cell's content."""
        counts = {"new": self.new, "revised": self.revised, "known": self.known}
        of_one = {"unit": self.units[0]} if len(self.units) == 1 else {}
        return {"file": self.file, "digest": self.digest, "template": self.template, **counts, **of_one}


class File(NamedTuple):
    """A workbook: its name, its digest, and the form that it is."""

    name: str
    digest: str
    template: str


async def note(
    conn: AsyncConnection, by: str, file: File, summary: Summary, lines: Iterable[Line], now: datetime
) -> Import:
    """Note an import, before any of it is sent."""
    values = (now, by, personal.mask(file.name), file.digest, file.template, *summary)
    async with conn.cursor(row_factory=class_row(Import)) as cursor:
        noted = await (await cursor.execute(_NOTE, values)).fetchone()
    assert noted is not None
    async with conn.cursor().copy(_COPY) as copy:
        for line in lines:
            await copy.write_row((noted.id, *line))
    return noted


async def settled(js: JetStreamContext, patience: timedelta = PATIENCE) -> None:
    """Wait until all that was sent before is stored, so that what is known can be asked for. Raises `Unavailable`."""
    if left := await streams.caught_up(js, AGGREGATOR, patience.total_seconds()):
        raise Unavailable(f"{left:,} events that were sent before are not stored yet: import it again later")


async def listed(conn: AsyncConnection, limit: int = 100) -> list[Import]:
    """The imports made last, the latest first."""
    async with conn.cursor(row_factory=class_row(Import)) as cursor:
        return await (await cursor.execute(_LISTED, [limit])).fetchall()


async def get(conn: AsyncConnection, id: int) -> Import | None:
    """An import, or None where there is none of that number."""
    async with conn.cursor(row_factory=class_row(Import)) as cursor:
        return await (await cursor.execute(_GET, [id])).fetchone()


async def take_back(conn: AsyncConnection, id: int, by: str, now: datetime) -> Import | None:
    """Note that an import is taken back; None where it was before, or never was."""
    async with conn.cursor(row_factory=class_row(Import)) as cursor:
        return await (await cursor.execute(_TAKE_BACK, [now, by, id])).fetchone()


# --- what takes it back ---


class Undoing(NamedTuple):
    """The events that take an import back, and how many of its figures stay: another import states them too, or their
    days lie behind the horizon."""

    events: list[Event]
    shared: int
    past: int


_RETRACTIONS = {kind: data for data in DATA_TYPES.values() if issubclass(data, Retraction) for kind in data.entities}


def undoing(conn: Connection, taken: Import, at: datetime) -> Undoing:
    """What takes back `at` a moment all that an import states; what was taken back by then is left out."""
    shared = conn.execute(_SHARED, {"import": taken.id}).fetchone()
    horizon = conn.execute("SELECT nullif(time, '-infinity') FROM horizon").fetchone()
    found = Undoing([], shared[0] if shared else 0, 0)
    past, rest = 0, iter(conn.execute(_OWN, {"import": taken.id}).fetchall())
    while some := list(islice(rest, AT_ONCE)):
        facts = _stored(conn, [EntityRef(kind, id) for kind, id, _ in some])
        for kind, id, key in some:
            those = facts.get(EntityRef(kind, id), [])
            fact = next((fact for fact in those if fact.key == key.hex), None)
            if fact and fact.key not in retractions(those):
                event = _retraction(_RETRACTIONS[kind], fact, taken.template, at)
                if horizon and horizon[0] and _moves(event) < horizon[0]:
                    past += 1
                else:
                    found.events.append(event)
    return found._replace(past=past)


def _moves(event: Event) -> datetime:
    """The first moment whose figures it moves."""
    data = event.data
    return day_start(data.day.isoformat()) if isinstance(data, DailyRetraction) else event.time


def _retraction(kind: type[EventData], fact: Fact, template: str, at: datetime) -> Event:
    said = {name: fact.data[name] for name in kind.model_fields if name in fact.data}
    data = kind.model_validate({**said, "of_unit": fact.unit, "report": in_letters(fact.key)}, strict=False)
    at = max(at, fact.time + INSTANT)
    return event_of(template, units.heir(fact.unit, local_day(at)), at, data)


_COLUMNS = "id, at, by, file, digest, template, units, systems, new, revised, known, taken_back_at, taken_back_by"
_STORED = """
SELECT kind, id, facts FROM entity
WHERE (kind, id) IN (SELECT * FROM unnest(%(kinds)s::text[], %(ids)s::text[]))
"""
_OF_FILE = """
SELECT e.key FROM import_event e JOIN import i ON i.id = e.import
WHERE (i.digest = %s OR i.content = %s) AND i.taken_back_at IS NULL
"""
_NOTE = f"""
INSERT INTO import (at, by, file, digest, template, units, systems, new, revised, known, content)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}
"""
_COPY = "COPY import_event (import, kind, entity, key, sent) FROM STDIN"
_LISTED = f"SELECT {_COLUMNS} FROM import ORDER BY id DESC LIMIT %s"
_GET = f"SELECT {_COLUMNS} FROM import WHERE id = %s"
_TAKE_BACK = f"""
UPDATE import SET taken_back_at = %s, taken_back_by = %s WHERE id = %s AND taken_back_at IS NULL RETURNING {_COLUMNS}
"""
# What an import has for its own: an import sent it, and no other that stands states it.
_IS_SHARED = """EXISTS (
    SELECT FROM import_event o JOIN import i ON i.id = o.import
    WHERE o.key = e.key AND o.import <> e.import AND i.taken_back_at IS NULL)"""
_SHARED = f"SELECT count(*) FROM import_event e WHERE e.import = %(import)s AND {_IS_SHARED}"
_OWN = f"""
SELECT e.kind, e.entity, e.key FROM import_event e WHERE e.import = %(import)s AND NOT {_IS_SHARED}
    AND EXISTS (SELECT FROM import_event s WHERE s.key = e.key AND s.sent)
ORDER BY e.kind, e.entity, e.key
"""
