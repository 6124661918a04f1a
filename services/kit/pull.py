"""A batch of a durable consumer: fetched, bounded by messages and by bytes so that it fills no memory, and kept while
it is in work."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from services.kit.bus import OUTAGE

log = logging.getLogger(__name__)
MOST_BYTES = 4 * 2**20
"""A batch of ordinary events has a quarter of that."""
GRACE = 0.05
"""Seconds for which the end of a request is waited for beyond its time."""
STAY_MINE_EVERY = 2.0
"""Seconds between "still working on it" to the broker, well below any consumer's ack_wait."""
Reader = JetStreamContext.PullSubscription


async def fetch(reader: Reader, batch: int, seconds: float, most: int = MOST_BYTES) -> list[Msg]:
    """Up to `batch` messages of at most `most` bytes together, or what came within `seconds`.

    `nats.errors.TimeoutError` where nothing came. A message that is larger than `most` comes alone.
    """
    ends = time.monotonic() + seconds
    found = _waiting(reader)
    if not found:
        await _ask(reader, {"batch": batch, "expires": int(seconds * 1e9), "max_bytes": most})
    too_large = await _gather(reader, found, batch, ends + GRACE)
    if not found and too_large:
        await _ask(reader, {"batch": 1, "expires": int(1e9)})
        await _gather(reader, found, 1, time.monotonic() + 1 + GRACE)
    if not found:
        await asyncio.sleep(max(ends - time.monotonic(), 0))  # a consumer that is gone answers at once, and for ever
        raise nats.errors.TimeoutError
    return found


@asynccontextmanager
async def in_work(messages: list[Msg], every: float = STAY_MINE_EVERY) -> AsyncIterator[None]:
    """Inside, the broker is told again and again that the messages are in work, however long an attempt takes."""
    telling = asyncio.create_task(_tell(messages, every))
    try:
        yield
    finally:
        telling.cancel()


async def _tell(messages: list[Msg], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            for message in messages:
                await message.in_progress()
        except OUTAGE:
            log.warning("the broker does not hear that %d messages are in work", len(messages))


async def _ask(reader: Reader, request: dict[str, Any]) -> None:
    await reader._nc.publish(reader._nms, json.dumps(request).encode(), reader._deliver)


def _waiting(reader: Reader) -> list[Msg]:
    """What an earlier request brought after its time."""
    found: list[Msg] = []
    while (message := _next(reader)) is not None:
        if message.reply:
            found.append(message)
    return found


def _next(reader: Reader) -> Msg | None:
    """A message that has arrived: without the task and the timer that `next_msg` makes for each."""
    queue = reader._sub._pending_queue
    if queue.empty():
        return None
    message: Msg = queue.get_nowait()
    reader._sub._pending_size -= len(message.data)
    return message


async def _gather(reader: Reader, found: list[Msg], batch: int, ends: float) -> bool:
    """Collect until the request is over; whether it was because the next message is too large."""
    while len(found) < batch and (left := ends - time.monotonic()) > 0:
        message = _next(reader)
        if message is None:
            try:
                message = await reader._sub.next_msg(timeout=left)
            except TimeoutError:
                return False
        if not message.reply:  # a word of the broker; a header that looks like one is anybody's to write
            return "MaxBytes" in str(message.headers)
        found.append(message)
    return False
