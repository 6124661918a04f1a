"""A durable consumer, the same in every service that has one: a batch is kept while it is in work, tried until it can
be stored, acknowledged after the commit; how far it has come is noted, and one that vanished is made anew there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError
from psycopg_pool import AsyncConnectionPool

from schemas.streams import Consumer
from services.kit import bus, metrics, position, pull, store
from services.kit.errors import Unavailable
from services.kit.health import Health

log = logging.getLogger(__name__)
PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0)
"""Seconds before a batch is tried again, the last of them for ever."""
AGAIN = 20
"""So often at most what ran against another's work is tried anew."""
OUTAGE = (*store.OUTAGE, *bus.OUTAGE, Unavailable)
"""What passes: the database or the broker does not answer."""

T = TypeVar("T")
Clashes = tuple[type[Exception], ...]


class DurableConsumer:
    """One reader of the declared `consumer`. `health` is told what it waits for; `alive`, that it does so."""

    def __init__(
        self,
        consumer: Consumer,
        pool: AsyncConnectionPool,
        health: Health,
        alive: Callable[[], None] = lambda: None,
        counts: metrics.Reading | None = None,
    ) -> None:
        self._consumer, self._pool, self._health = consumer, pool, health
        self._alive, self._counts = alive, counts

    async def listen(self, client: Client, work: Callable[[list[Msg]], Awaitable[None]], seconds: float) -> None:
        """For ever: bind, fetch, handle. A batch that is not full waits for more for so many `seconds`."""
        reader: pull.Reader | None = None
        while True:
            try:
                bus.require(client)
                if reader is None:
                    js = client.jetstream()
                    reader = await js.pull_subscribe_bind(self._consumer.name, self._consumer.stream)
                messages = await pull.fetch(reader, self._consumer.batch, seconds)
            except TimeoutError:
                continue  # nothing came
            except (*bus.OUTAGE, Unavailable) as error:
                log.warning("listening waits: %s: %s", type(error).__name__, error)
                await asyncio.sleep(PAUSES[2])
                continue
            await self.handle(messages, lambda messages=messages: self.insist(messages, lambda: work(messages)))  # type: ignore[misc]

    async def handle(self, messages: list[Msg], work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, at whose end all is committed, then acknowledge. What the broker does not hear of that comes
        again, and is known again."""
        async with pull.in_work(messages):
            await work()
        try:
            await pull.acknowledge(messages)
        except bus.OUTAGE as error:
            log.warning("%d messages stored, not acknowledged: %s", len(messages), error)

    async def insist(self, messages: list[Msg], attempt: Callable[[], Awaitable[T]], clashes: Clashes = ()) -> T:
        """Try until broker and database can; the batch is kept. What `clashes` is tried `AGAIN` times, then raised."""
        tries = 0
        while True:
            try:
                result = await attempt()
                self._health.ready()
                return result
            except clashes:
                tries += 1
                if tries > AGAIN:
                    raise
            except OUTAGE as error:
                tries += 1
                self._wait(messages, error)
            self._alive()
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES)) - 1])

    def _wait(self, messages: list[Msg], error: Exception) -> None:
        self._health.not_ready(f"waiting: {type(error).__name__}: {error}".strip())
        log.warning("kept %d messages, trying again: %s %s", len(messages), type(error).__name__, error)
        if self._counts:
            self._counts.retries.inc()

    async def follow(
        self, js: Callable[[], JetStreamContext], every: float, noted: Callable[[ConsumerInfo], None]
    ) -> None:
        """For ever: note how far it is, and make it anew where it has vanished. `js` raises `Unavailable` while there
        is no connection; `noted` is told the consumer's state."""
        while True:
            await asyncio.sleep(every)
            try:
                noted(await position.note(js(), self._pool, self._consumer))
            except NotFoundError:
                await self.place(js)
            except OUTAGE as error:
                self._health.not_ready(f"{type(error).__name__}: {error}")

    async def place(self, js: Callable[[], JetStreamContext]) -> None:
        """Make it where it is missing, after what is noted, whatever it takes: nodes that have just come up still
        choose who leads it."""
        while True:
            try:
                if (start := await position.place(js(), self._pool, self._consumer)) is not None:
                    log.error("the consumer %s was missing; made anew after message %d", self._consumer.name, start)
                    if self._counts:
                        self._counts.recreated.inc()
                return
            except OUTAGE as error:
                why = f"{type(error).__name__}: {error}"
                self._health.not_ready(f"the broker does not tell of the consumer: {why}")
                await asyncio.sleep(PAUSES[1])
