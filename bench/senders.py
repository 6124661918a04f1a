"""Programs that post to the doors: connections that are kept, with as little work of their own as HTTP allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

MOST_TRIES, AGAIN_SECONDS = 20, 0.2


def request(secret: str, kind: str, body: bytes) -> bytes:
    """A POST of events, as it goes over the line."""
    head = f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, whole: bytes) -> int:
    """The status that a request is answered with."""
    writer.write(whole)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(b" ", 2)[1])


async def status(port: int, whole: bytes) -> int:
    """What one request is answered with, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = await _post(reader, writer, whole)
    writer.close()
    return answer


async def post_all(port: int, requests: Sequence[bytes], abreast: int) -> tuple[float, int]:
    """Post all, so many at a time, as fast as they are answered; the seconds it took, and how many were sent again."""
    rest, again = iter(requests), 0

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        nonlocal again
        for whole in rest:
            again += await _until_taken(reader, writer, whole)
        writer.close()

    begin = time.monotonic()
    await asyncio.gather(*(sender() for _ in range(abreast)))
    return time.monotonic() - begin, again


async def post_evenly(port: int, requests: Iterable[bytes], rate: float, abreast: int) -> list[float]:
    """Post so many a second by a timetable; seconds from when each was due until it was answered."""
    begin = time.monotonic() + 0.1
    due = iter(enumerate(requests))
    delays: list[float] = []

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, whole in due:
            moment = begin + number / rate
            await asyncio.sleep(moment - time.monotonic())
            await _until_taken(reader, writer, whole)
            delays.append(time.monotonic() - moment)
        writer.close()

    await asyncio.gather(*(sender() for _ in range(abreast)))
    return delays


async def flood(port: int, whole: bytes, abreast: int, seconds: float) -> int:
    """Post the same for so long, so many at a time, whatever is answered; how many were."""
    end, answered = time.monotonic() + seconds, 0

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        nonlocal answered
        while time.monotonic() < end:
            await _post(reader, writer, whole)
            answered += 1
        writer.close()

    await asyncio.gather(*(sender() for _ in range(abreast)))
    return answered


async def _until_taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, whole: bytes) -> int:
    """Post it, again where the broker is too busy to answer in time, as a sender does; how often it was sent again.
    Raises where it is refused."""
    for again in range(MOST_TRIES):
        answered = await _post(reader, writer, whole)
        if answered == 202:
            return again
        if answered != 503:
            raise RuntimeError(f"a post was answered with {answered}")
        await asyncio.sleep(AGAIN_SECONDS)
    raise RuntimeError(f"a post was answered with 503 {MOST_TRIES} times")
