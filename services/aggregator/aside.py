"""What is refused goes aside and holds up nothing: into the quarantine, or, while that takes nothing, into a note of
where it lies in the stream, from which it is brought in later."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import REASONS, Invalid
from schemas.keys import parted
from schemas.registry import parse
from schemas.streams import EVENTS
from services.aggregator.validate import Kept, Refused, digest, kept, quarantine
from services.kit import clock, store
from services.kit.bus import OUTAGE

log = logging.getLogger(__name__)
PAUSES = (0.2, 1.0)
"""Seconds before the second and the third try to lay something into the quarantine."""
LOOK_SECONDS = 5.0
PAGE = 200


class Aside:
    """The way aside of one aggregator."""

    def __init__(self, js: JetStreamContext, pool: AsyncConnectionPool) -> None:
        self._js, self._pool = js, pool
        self._closed, self._taking = False, asyncio.Lock()

    async def take(self, refused: list[Refused]) -> None:
        """Lay messages into the quarantine; those that it does not take are noted. Raises what the database raises."""
        async with self._taking:  # what came first lies there first
            left = refused if self._closed else await self._lay(refused)
            if left:
                await self._note(left)

    async def _lay(self, refused: list[Refused]) -> list[Refused]:
        """What the quarantine has not taken after a few tries."""
        # In a thread, since the worst take a second each: others go on, and nobody's answer is late for it.
        left = await self._try([(one, await asyncio.to_thread(kept, one)) for one in refused])
        for pause in PAUSES:
            if left:
                await asyncio.sleep(pause)
                left = await self._try(left)
        if left:
            self._closed = True
            log.error("the quarantine takes nothing: %d messages are noted, and brought in later", len(left))
        return [one for one, _ in left]

    async def _try(self, read: list[tuple[Refused, Kept]]) -> list[tuple[Refused, Kept]]:
        results = await asyncio.gather(*(quarantine(self._js, one) for _, one in read), return_exceptions=True)
        for problem in results:
            if isinstance(problem, BaseException) and not isinstance(problem, OUTAGE):
                raise problem
        return [one for one, problem in zip(read, results, strict=True) if problem is not None]

    async def _note(self, refused: list[Refused]) -> None:
        columns = [list(column) for column in zip(*map(_row, refused), strict=True)]
        async with self._pool.connection() as conn:
            await conn.execute(_NOTE, columns)

    async def bring_in(self) -> None:
        """For ever: lay what was noted into the quarantine, the oldest first, as soon as it takes something."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                while await self._bring_page():
                    pass
            except (*store.OUTAGE, *OUTAGE) as error:
                log.warning("what was noted waits: %s: %s", type(error).__name__, error)

    async def _bring_page(self) -> bool:
        """Bring in a page; whether there may be more."""
        async with self._pool.connection() as conn, conn.transaction():
            rows = await (await conn.execute(_NEXT, [PAGE])).fetchall()
            for seq, recorded, code in rows:
                await quarantine(self._js, await asyncio.to_thread(kept, await self._as_stored(seq, recorded, code)))
                await conn.execute("DELETE FROM refused WHERE seq = %s AND recorded = %s", [seq, recorded])
        if self._closed:
            log.info("the quarantine takes messages again")
        self._closed = False
        return len(rows) == PAGE

    async def _as_stored(self, seq: int, recorded: datetime, code: str) -> Refused:
        """The message as it lies in the stream, with its reason; without a body where it lies there no more."""
        try:
            kept = await self._js.get_msg(EVENTS.name, seq, direct=False)
        except NotFoundError:
            kept = None
        if kept is None or kept.time is None or abs((kept.time - recorded).total_seconds()) > 1:
            return Refused(_message("ioc.events.gone", seq, recorded, b""), Invalid(code, "gone from the stream"))
        return Refused(_message(kept.subject or "", seq, recorded, kept.data or b"", kept.headers), _reason(kept, code))


def _reason(kept: RawStreamMsg, code: str) -> Invalid:
    try:
        parse(kept.data or b"", clock.now(), parted(kept.subject or "")[0])
    except Invalid as invalid:
        return invalid
    return Invalid(code, REASONS[code])


def _message(subject: str, seq: int, recorded: datetime, data: bytes, headers: dict[str, str] | None = None) -> Msg:
    """A message as the consumer would give it."""
    reply = f"$JS.ACK.{EVENTS.name}.aggregator.1.{seq}.0.{int(recorded.timestamp() * 1e6) * 1000}.0"
    return Msg(_client=None, subject=subject, reply=reply, data=data, headers=headers)  # type: ignore[arg-type]


def _row(refused: Refused) -> tuple[int, datetime, str, int, str]:
    message, invalid = refused
    meta = message.metadata
    return meta.sequence.stream, meta.timestamp, invalid.code, len(message.data), digest(message.data)


_NOTE = """
INSERT INTO refused (seq, recorded, code, size, digest)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::bigint[], %s::text[]) ON CONFLICT DO NOTHING
"""
_NEXT = "SELECT seq, recorded, code FROM refused ORDER BY seq LIMIT %s FOR UPDATE SKIP LOCKED"
