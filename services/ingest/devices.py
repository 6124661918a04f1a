"""Devices of those who have a key, by MQTT through the broker: a state that is repeated is no event, a change is one.

The broker answers a device before anybody has looked at what it said, so devices repeat their state, and what was not
taken now is taken then. What was taken lies in the database with its event, which is sent until it is acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import FUTURE_TOLERANCE, Event
from schemas.gis import DeviceStateChanged, Kind, State
from schemas.keys import EVERY_DEVICE, subject_by
from schemas.registry import make
from schemas.streams import RETAINED, SESSIONS
from schemas.types import Count, Instant
from services.ingest.keyring import Keyring
from services.ingest.router import Post, Refused, Words, understand, within
from services.kit import bus, clock, metrics, outbox, store
from services.kit.errors import Unavailable
from services.kit.keys import Key

log = logging.getLogger(__name__)
NAME = "devices"
LARGEST = 4096
ROUND_SECONDS, AGAIN_SECONDS, CONNECT_SECONDS = 10.0, 3.0, 0.2
MOST_WAITING, MOST_BYTES_WAITING = 10_000, 16 * 2**20
PURGE = "$JS.API.STREAM.PURGE."
MOST_SESSIONS = 10_000
"""So many of the latest sessions the broker keeps on disk. Who comes back to one that is gone is put off once."""


class Heartbeat(Words):
    """What a device says of itself. `at`: since when, by its own clock; without it, when it was heard."""

    kind: Kind
    state: State
    counter: Count | None = None
    at: Instant | None = None


class Topic(NamedTuple):
    """Where a device speaks."""

    unit: str
    device: str
    key: str


def topic(subject: str) -> Topic:
    """What a subject of the broker names; it spells the points of an MQTT topic as `//`."""
    *_, unit, device, key = subject.split(".")
    return Topic(unit, device.replace("//", "."), key)


def change(words: Heartbeat, unit: str, device: str, key: Key, heard: datetime) -> Event:
    """The event of a device's state. A clock that is a little ahead is not believed; one far ahead is refused."""
    at = words.at or heard
    time = min(at, heard) if at <= heard + FUTURE_TOLERANCE else at
    data = DeviceStateChanged(device=device, kind=words.kind, state=words.state, counter=words.counter)
    count = "" if words.counter is None else f"/{words.counter}"
    id = f"{unit}/{device}/{time.isoformat()}/{words.kind}/{words.state}{count}"
    return make(data, source=key.bounds.source, id=id, time=time, unit=unit)


_POST = Post("", Heartbeat, change)


class Devices:
    """Hears devices and publishes how they change. `require` gives the connection to the broker, or `Unavailable`."""

    def __init__(self, keyring: Keyring, pool: AsyncConnectionPool, require: Callable[[], Client]) -> None:
        self._keyring, self._pool, self._require = keyring, pool, require
        self._news = asyncio.Event()
        self._heard = False

    async def serve(self) -> None:
        """Hear and publish for ever; an outage is waited out."""
        await self._subscribe()
        while True:
            try:
                client = self._require()
                await self._publish(client)
                await self._forget(client)
            except (*store.OUTAGE, nats.errors.Error, Unavailable) as error:
                log.warning("devices: what is to be published waits: %s: %s", type(error).__name__, error)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _subscribe(self) -> None:
        """From the first connection on, however often it heals."""
        while True:
            try:
                await self._require().subscribe(
                    EVERY_DEVICE,
                    queue=NAME,
                    cb=self._hear,
                    pending_msgs_limit=MOST_WAITING,
                    pending_bytes_limit=MOST_BYTES_WAITING,
                )
                return
            except (nats.errors.Error, Unavailable):
                await asyncio.sleep(CONNECT_SECONDS)

    async def _hear(self, message: Msg) -> None:
        self._heard = True
        try:
            event, key = self.understood(message.subject, message.data, clock.now())
            if await self._lay_down(event, key):
                self._news.set()
        except Refused as refused:
            metrics.REFUSED.labels(NAME, refused.problem.code).inc()
            log.info("devices: refused: %s", refused.problem.code)
        except store.OUTAGE as error:
            metrics.REFUSED.labels(NAME, "unavailable").inc()
            log.warning("devices: not taken, until it is said again: %s", type(error).__name__)

    def understood(self, subject: str, body: bytes, heard: datetime) -> tuple[Event, str]:
        """What a device said as an event, and in whose name. `Refused` with why."""
        unit, device, name = topic(subject)
        key = self._keyring.named(name)
        if key is None:
            raise Refused(403, "not_yours", "the topic ends with no key's name")
        limits = self._keyring.limits(key)
        within("events", limits.events, 1)
        within("bytes", limits.bytes, len(body))
        if len(body) > LARGEST:
            raise Refused(413, "too_large", f"a device may say {LARGEST:,} bytes")
        event = understand(_POST, body, {"unit": unit, "device": device, "key": key, "heard": heard}, heard)
        if why := key.bounds.refusal(event):
            raise Refused(403, "not_yours", why)
        return event, name

    async def _lay_down(self, event: Event, by: str) -> bool:
        """Whether it was a change: then it is remembered, and its event will be published."""
        said = {"unit": event.unit, "at": event.time, "counter": None, **event.fields}
        message = {"subject": subject_by(event.subject, by), "body": event.to_json()}
        async with self._pool.connection() as conn:
            return bool((await conn.execute(_CHANGED, said | message)).rowcount)

    async def _publish(self, client: Client) -> None:
        self._news.clear()
        while await send(self._pool, client) == outbox.PAGE:
            pass

    async def _forget(self, client: Client) -> None:
        """What devices asked to be retained lies with the broker unseen; nobody may hear it, and it is thrown away. Of
        their sessions, which who only connects has too, the latest stay."""
        heard, self._heard = self._heard, False
        try:
            if heard:
                await client.request(PURGE + RETAINED, b"", timeout=bus.PUBLISH_TIMEOUT)
            await client.request(PURGE + SESSIONS, b'{"keep": %d}' % MOST_SESSIONS, timeout=bus.PUBLISH_TIMEOUT)
        except (nats.errors.Error, TimeoutError) as error:
            self._heard = heard
            raise Unavailable(f"the broker does not throw away what devices left there: {error!r}") from None


async def send(pool: AsyncConnectionPool, client: Client) -> int:
    """Publish the next page of what lies there, see `services.kit.outbox.send`."""

    def message(row: Sequence[Any]) -> bus.Outgoing:
        _, subject, body = row
        return bus.Outgoing(subject, bytes(body))

    delete = "DELETE FROM device_outbox WHERE id = ANY(%s)"
    sent = await outbox.send(pool, client.jetstream(), _NEXT, (), delete, message)
    metrics.EMITTED.labels(NAME, "stored").inc(sent)
    return sent


# What repeats is only read; what is older than what is known is no news.
_CHANGED = """
WITH news AS (
    INSERT INTO device_state AS d (unit, device, kind, state, counter, at)
    SELECT %(unit)s, %(device)s, %(kind)s, %(state)s, %(counter)s::integer, %(at)s
    WHERE NOT EXISTS (
        SELECT FROM device_state k WHERE k.unit = %(unit)s AND k.device = %(device)s AND (k.at > %(at)s
            OR (k.kind = %(kind)s AND k.state = %(state)s
                AND coalesce(k.counter = %(counter)s::integer, true))))
    ON CONFLICT (unit, device) DO UPDATE
    SET kind = excluded.kind, state = excluded.state, counter = coalesce(excluded.counter, d.counter), at = excluded.at
    RETURNING 1
)
INSERT INTO device_outbox (subject, body) SELECT %(subject)s, %(body)s FROM news
"""
_NEXT = "SELECT id, subject, body FROM device_outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
