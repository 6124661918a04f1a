"""What the bus tells as an event, or why it is none: by its words, and by whose source is whose, as the database had it
a moment ago. Whoever acts on events asks here, so that nobody acts on what is not stored."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from datetime import datetime

from nats.aio.msg import Msg
from nats.js.api import Header
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import Event, Invalid, refuse_personal
from schemas.keys import CENTRE, Bounds, Owners, parted
from schemas.registry import parse
from services.kit import pull, store

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0


class Ownership:
    """The sources of all keys, also of those that were taken back: what bears their names stays theirs."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._rows: list[tuple[str, str, list[str], list[str]]] | None = None
        self._since: datetime | None = None
        self._owners = Owners()

    async def knowing(self, messages: Iterable[Msg]) -> Owners:
        """As it was seen last, or now, where none was seen, or a key by which one of these came was not known then;
        raises what `store.OUTAGE` lists."""
        names = {by for message in messages if (by := parted(message.subject)[1])}
        if self._rows is None or not names <= self._owners.names | {CENTRE}:
            await self.look()
        return self._owners

    async def look(self) -> None:
        """See how it is now; raises what `store.OUTAGE` lists."""
        async with self._pool.connection() as conn:
            rows = await (await conn.execute(_KEYS)).fetchall()
            if self._since is None:
                ((self._since,),) = await (await conn.execute(_SINCE)).fetchall()
        if self._rows != rows:
            self._rows = rows
            bounds = (Bounds(name, source, tuple(systems), tuple(units)) for name, source, systems, units in rows)
            self._owners = Owners(bounds, self._since)

    async def follow(self) -> None:
        """Keep up for ever; while the database does not answer nothing is stored either."""
        while True:
            try:
                await self.look()
            except store.OUTAGE as error:
                log.warning("whose source is whose cannot be seen: %s", error)
            await asyncio.sleep(LOOK_SECONDS)


def event_of(message: Msg, now: datetime, owners: Owners) -> Event:
    """The event that a message tells, if it may; `Invalid` with why it is none."""
    subject, by = parted(message.subject)
    event = parse(message.data, now, subject)
    check_headers(message)
    if why := owners.trespass(event, by, pull.recorded(message)):
        raise Invalid("not_yours", why)
    return event


def check_headers(message: Msg) -> None:
    """`Invalid` where a header holds what looks personal."""
    for name, value in (message.headers or {}).items():
        if not _OF_CONTENT.fullmatch(value) and not (name == Header.BATCH_SEQUENCE and _PLACE.fullmatch(value)):
            refuse_personal("headers", f"{name}: {value}")


_PLACE = re.compile(r"\d{1,6}")
"""A message's place in a batch of ours: too short for a number of a person."""
_OF_CONTENT = re.compile(r"[0-9a-f]{32}(?:-\d{1,19})?|application/cloudevents\+json")
"""What our own publishers write into headers."""
_KEYS = "SELECT name, source, systems, units FROM emitter_key ORDER BY name"
_SINCE = "SELECT applied_at FROM schema_migration WHERE name = '0094_centre_alone'"
