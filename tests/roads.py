"""A road to a server that loses what the server answers: a TCP proxy on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

CHUNK = 64 * 1024


@dataclass
class Road:
    """What becomes of answers: they `pass`, are lost (`lose`) while the connection stands, or `cut` it; bytes `lost` so
    far. What is asked always passes; once it holds the `trap`, answers are cut.
    """

    port: int = 0
    answers: Literal["pass", "lose", "cut"] = "pass"
    lost: int = 0
    trap: bytes = b""


@contextmanager
def road_to(port: int) -> Iterator[Road]:
    """A road to 127.0.0.1:`port`; what becomes of answers may be changed while it is used."""
    road, loop = Road(), asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="road", daemon=True).start()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_ask(road, reader, back), _answer(road, there, writer))

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(accept, "127.0.0.1", 0), loop).result(10)
    road.port = server.sockets[0].getsockname()[1]
    try:
        yield road
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)


async def _ask(road: Road, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(CHUNK):
            if road.trap and road.trap in data:
                road.answers = "cut"
            target.write(data)
            await target.drain()
    target.close()


async def _answer(road: Road, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(CHUNK):
            if road.answers == "pass":
                target.write(data)
                await target.drain()
                continue
            road.lost += len(data)
            if road.answers == "cut":
                break
    target.close()
