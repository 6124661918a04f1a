"""One batch from hand to acknowledged, whatever happens meanwhile: an outage is waited out, a poison message is found
and set aside."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import psycopg
from nats.aio.msg import Msg

from schemas.envelope import Invalid
from schemas.keys import Owners
from services.aggregator.event_store import ConcurrentUpdate, Incoming, Stored
from services.aggregator.folding import earliest
from services.aggregator.rollups import Disagreement
from services.aggregator.validate import Refused, admit
from services.kit import clock, metrics
from services.kit.consumer import DurableConsumer

log = logging.getLogger(__name__)
CLASHES = (ConcurrentUpdate, Disagreement)
"""What passes when it is tried anew, since another aggregator was at the same rows."""

Store = Callable[[list[Incoming]], Awaitable[Stored]]


class BatchLimiter:
    """Batches in work, `at_most` at a time: while the database stores one, the next is fetched and validated."""

    def __init__(self, work: Callable[[list[Msg]], Awaitable[None]], at_most: int = 2) -> None:
        self._work, self._at_most = work, at_most
        self._busy: set[asyncio.Task[None]] = set()

    async def take(self, messages: list[Msg]) -> None:
        """Begin with a batch; returns when there is room for the next, so that none lies about unattended."""
        self._busy.add(asyncio.ensure_future(self._work(messages)))
        while len(self._busy) >= self._at_most:
            _, self._busy = await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)

    async def finish(self, within: float) -> None:
        """Wait for what is in work; what is not done by then comes again from the broker."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=within)


class Batches:
    """Handles batches of `durable`. `store` stores a list of accepted events in one transaction, `set_aside` takes
    refused ones, `owners` tells whose source is whose, of what these came by at least, `erase` takes a message out of
    the stream of which the like was erased on request."""

    def __init__(
        self,
        durable: DurableConsumer,
        store: Store,
        set_aside: Callable[[list[Refused]], Awaitable[None]],
        owners: Callable[[list[Msg]], Awaitable[Owners]],
        erase: Callable[[Msg], Awaitable[None]],
    ) -> None:
        self._durable, self._store, self._aside, self._owners = durable, store, set_aside, owners
        self._erase = erase

    async def handle(self, messages: list[Msg]) -> None:
        """Store or set aside every message of the batch, then acknowledge all of them."""
        started = time.monotonic()
        await self._durable.handle(messages, lambda: self._work(messages))
        metrics.BATCH_SECONDS.observe(time.monotonic() - started)

    async def _work(self, messages: list[Msg]) -> None:
        owners = await self._durable.insist(messages, lambda: self._owners(messages))
        accepted, refused = admit(messages, clock.now(), owners)
        refused += await self._persist(accepted)
        if refused:
            await self._durable.insist(messages, lambda: self._aside(refused), CLASHES)

    async def _persist(self, accepted: list[tuple[Msg, Incoming]]) -> list[Refused]:
        """Store; returns what turned out not to be storable. One bad event never fails the others: halves are tried
        alone."""
        if not accepted:
            return []
        try:
            batch = [message for message, _ in accepted]
            stored = await self._durable.insist(batch, lambda: self._store([i for _, i in accepted]), CLASHES)
        except (
            psycopg.DataError,
            psycopg.IntegrityError,
            ValueError,
            LookupError,
            TypeError,
            ArithmeticError,
        ) as error:
            if len(accepted) == 1:
                log.exception("cannot be stored: %s", accepted[0][1].event.id)
                return [Refused(accepted[0][0], Invalid("unstorable", f"{type(error).__name__} while storing it"))]
            middle = len(accepted) // 2
            return [*await self._persist(accepted[:middle]), *await self._persist(accepted[middle:])]
        self._count(accepted, stored)
        for message in (accepted[i][0] for i in stored.erased):
            await self._durable.insist([message], lambda message=message: self._erase(message))  # type: ignore[misc]
        clash = Invalid("conflict", "the same source and id are stored with other content; give it an id of its own")
        refused = [Refused(accepted[i][0], clash) for i in stored.conflicts]
        return refused + [Refused(*_forgotten(*accepted[i], stored.horizon)) for i in stored.forgotten]

    def _count(self, accepted: list[tuple[Msg, Incoming]], stored: Stored) -> None:
        metrics.EVENTS_DUPLICATE.inc(len(stored.duplicates) + len(stored.erased))
        for i in stored.new:
            metrics.EVENTS_STORED.labels(accepted[i][1].event.data.system).inc()


def _forgotten(message: Msg, incoming: Incoming, horizon: datetime) -> tuple[Msg, Invalid]:
    since = earliest(incoming.event).isoformat()
    why = f"what happened by {since} can change no figure any more: before {horizon.isoformat()} days alone are kept"
    return message, Invalid("impossible_time", why)
