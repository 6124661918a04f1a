"""A batch of a durable consumer: fetched, bounded by messages and by bytes so that it fills no memory, and kept while
it is in work."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from services.kit.bus import OUTAGE

log = logging.getLogger(__name__)
MOST_BYTES = 4 * 2**20
"""A batch of ordinary events has two thirds of that."""
GRACE = 0.05
"""Seconds for which a fetch waits beyond its time for the broker to end it."""
IDLE_SECONDS = 2.0
"""Where nothing came the broker is asked for one message and for so long, instead of again and again for many: that
one wakes the reader at once, and the rest is asked for then."""
LATE = 1.0
"""Seconds after its time when a request of which nothing was heard is taken for lost."""
STAY_MINE_EVERY = 2.0
"""Seconds between "still working on it" to the broker, well below any consumer's ack_wait."""
Reader = JetStreamContext.PullSubscription


async def fetch(reader: Reader, batch: int, seconds: float, most: int = MOST_BYTES) -> list[Msg]:
    """Up to `batch` messages of about `most` bytes together, or what came within `seconds`.

    `nats.errors.TimeoutError` where nothing came. A message that is larger than `most` comes alone. One request is open
    at a time: what a second one brought would lie about, and be given out again.
    """
    ends = time.monotonic() + seconds
    request = _open.setdefault(reader, _Request())
    if not request.is_open():
        if request.idle:
            await _ask(reader, request, 1, IDLE_SECONDS, {})
        else:
            await _ask(reader, request, batch, seconds, {"max_bytes": most})
    found = await _gather(reader, request, batch, most, ends + GRACE)
    if not found and request.too_large:
        await _ask(reader, request, 1, 1.0, {})
        found = await _gather(reader, request, 1, sys.maxsize, time.monotonic() + 1 + GRACE)
    request.idle = not found
    if not found:
        await asyncio.sleep(max(ends - time.monotonic(), 0))  # a consumer that is gone answers at once, and for ever
        raise nats.errors.TimeoutError
    return found


class _Request:
    """What the broker was asked for and may still send. `idle`: the last fetch found nothing."""

    def __init__(self) -> None:
        self.left, self.until, self.too_large, self.idle = 0, 0.0, False, False

    def is_open(self) -> bool:
        return self.left > 0 and time.monotonic() < self.until + LATE


_open: WeakKeyDictionary[Reader, _Request] = WeakKeyDictionary()


@asynccontextmanager
async def in_work(messages: list[Msg], every: float = STAY_MINE_EVERY) -> AsyncIterator[None]:
    """Inside, the broker is told again and again that the messages are in work, however long an attempt takes."""
    telling = asyncio.create_task(_tell(messages, every))
    try:
        yield
    finally:
        telling.cancel()


async def acknowledge(messages: list[Msg]) -> None:
    """Acknowledge messages of one connection. Raises what nats-py raises for the first of them."""
    if messages:
        await messages[0].ack()
        await _say(messages[1:], b"")


async def _say(messages: list[Msg], word: bytes) -> None:
    """One word to the broker about each message, in one piece of writing where there is a connection."""
    client = messages[0]._client if messages else None
    if client is None or not client.is_connected:
        for message in messages:
            await message._client.publish(message.reply, word)
        return
    end = b" %d\r\n%b\r\n" % (len(word), word)
    await client._send_command(b"".join([b"PUB " + message.reply.encode() + end for message in messages]))
    await client._flush_pending()


def recorded(message: Msg) -> datetime:
    """When the broker had it on disk; what `message.metadata` says, without the rest of it."""
    words = message.reply.split(".")
    if len(words) != _WORDS or words[:2] != ["$JS", "ACK"]:
        return message.metadata.timestamp
    return datetime.fromtimestamp(int(words[-2]) / 1_000_000_000.0, UTC)


_WORDS = 9
"""`$JS.ACK.<stream>.<consumer>.<delivered>.<stream's number>.<consumer's number>.<time>.<pending>`"""


async def _tell(messages: list[Msg], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            await _say(messages, Msg.Ack.Progress)
        except OUTAGE:
            log.warning("the broker does not hear that %d messages are in work", len(messages))


async def _ask(reader: Reader, request: _Request, batch: int, seconds: float, more: dict[str, int]) -> None:
    request.left, request.until, request.too_large = batch, time.monotonic() + seconds, False
    fields = {"batch": batch, "expires": int(seconds * 1e9), **more}
    await reader._nc.publish(reader._nms, json.dumps(fields).encode(), reader._deliver)


async def _gather(reader: Reader, request: _Request, batch: int, most: int, ends: float) -> list[Msg]:
    """Collect until there is enough, the request is over, or the time."""
    found: list[Msg] = []
    size = 0
    while len(found) < batch and size < most:
        message = await _next(reader, ends if request.is_open() else 0)
        if message is None:
            break
        if message.reply:
            found.append(message)
            size += len(message.data)
            request.left -= 1
        else:  # a word of the broker; a header that looks like one is anybody's to write
            request.left, request.too_large = 0, "MaxBytes" in str(message.headers)
    return found


async def _next(reader: Reader, ends: float) -> Msg | None:
    """The next message that has arrived, without the task and the timer that `next_msg` makes for each; else one that
    comes until then."""
    queue = reader._sub._pending_queue
    if not queue.empty():
        message: Msg = queue.get_nowait()
        reader._sub._pending_size -= len(message.data)
        return message
    left = ends - time.monotonic()
    if left <= 0:
        return None
    try:
        return await reader._sub.next_msg(timeout=left)
    except TimeoutError:
        return None
