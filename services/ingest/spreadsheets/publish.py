"""Forms into the centre: what is known stays, what differs from what was said before is a new vintage."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from psycopg import Connection

from schemas import units
from schemas.calendar import local_day
from schemas.economy import IndicatorReported, IndicatorRevised
from schemas.envelope import EntityRef, Event
from schemas.fold import Fact
from schemas.registry import parse
from schemas.streams import AGGREGATOR
from services.ingest.spreadsheets.events import Draft, event_of, midnight
from services.ingest.stream import Counts, Tell, send
from services.kit import bus
from services.kit.errors import Unavailable
from services.kit.facts import unpack
from services.kit.settings import Settings

AT_ONCE = 5000
PATIENCE = timedelta(seconds=20)
_BESIDE = frozenset({"revision", "document"})
"""What may differ though the same is said."""


@dataclass
class Plan:
    """What is to be sent; how many of it are corrections, and how many were known already."""

    events: list[Event]
    revised: int = 0
    known: int = 0


async def settled(settings: Settings) -> None:
    """Wait until all that was sent before is stored, so that what is known can be asked for. Raises `Unavailable`."""
    async with bus.connected(settings, "import") as client:
        js = client.jetstream()
        last = (await js.stream_info(AGGREGATOR.stream)).state.last_seq
        end = asyncio.get_running_loop().time() + PATIENCE.total_seconds()
        while True:
            floor = (await js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)).ack_floor
            if (done := floor.stream_seq if floor else 0) >= last:
                return
            if asyncio.get_running_loop().time() > end:
                raise Unavailable(
                    f"{last - done:,} events that were sent before are not stored yet: import it again later"
                )
            await asyncio.sleep(0.2)


def plan(conn: Connection, drafts: Iterable[Draft], now: datetime) -> Plan:
    """What the drafts add to what is stored. Raises `envelope.Invalid` for what could not be accepted."""
    found = Plan([])
    rest = iter(drafts)
    while some := list(islice(rest, AT_ONCE)):
        pairs = [(draft, draft.event()) for draft in some]
        facts = _stored(conn, [ref for _, event in pairs for ref in event.touches])
        for draft, event in pairs:
            before = [fact for ref in event.touches for fact in facts.get(ref, ())]
            _add(found, draft, event, before, local_day(now))
    for event in found.events:
        parse(event.to_json(), now)
    return found


def publish(settings: Settings, events: Iterable[Event], counts: Counts, tell: Tell) -> None:
    """Send the events as `ioc emit` does a file of them. Raises `Unavailable`."""
    with tempfile.TemporaryFile() as file:
        for event in events:
            file.write(event.to_json() + b"\n")
        file.flush()
        file.seek(0)
        asyncio.run(send(settings, file.fileno(), counts, tell))


def _stored(conn: Connection, refs: Sequence[EntityRef]) -> Mapping[EntityRef, list[Fact]]:
    values = {"kinds": [ref.kind for ref in refs], "ids": [ref.id for ref in refs]}
    rows = conn.execute(_STORED, values).fetchall()
    return {EntityRef(kind, id): [unpack(fact) for fact in facts] for kind, id, facts in rows}


_STORED = """
SELECT kind, id, facts FROM entity
WHERE (kind, id) IN (SELECT * FROM unnest(%(kinds)s::text[], %(ids)s::text[]))
"""


def _add(found: Plan, draft: Draft, event: Event, before: Sequence[Fact], today: date) -> None:
    if not before:
        found.events.append(event)
        return
    last = max(before, key=lambda fact: (fact.data.get("revision", 0), fact.time, fact.key))
    if _said(event.fields) == _said(last.data):
        found.known += 1
        return
    found.revised += 1
    found.events.append(_revision(draft, last, today))


def _revision(draft: Draft, last: Fact, today: date) -> Event:
    """What is said now, after what was said last: by the report's own day where that is later, else today."""
    days = (draft.day, today)
    later = (midnight(day) for day in days if midnight(day) > last.time and units.valid_at(draft.unit, day))
    at = next(later, last.time + timedelta(seconds=1))
    number = last.data.get("revision", 0) + 1
    data = draft.data
    if isinstance(data, IndicatorReported):
        data = IndicatorRevised(**{**dict(data), "revision": number})
    elif "revision" in type(data).model_fields:
        data = data.model_copy(update={"revision": number})
    return event_of(draft.template, draft.unit, at, data)


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of an event's fields; numbers are equal however they are spelled."""
    return dict(_spelled(fields))


def _spelled(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if name not in _BESIDE:
            try:
                yield name, Decimal(value) if isinstance(value, str) else value
            except InvalidOperation:
                yield name, value
