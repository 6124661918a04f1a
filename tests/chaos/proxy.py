"""A slow road to a server: a TCP proxy on loopback with latency and little bandwidth, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 16 * 1024


@contextmanager
def slow_road(port: int, latency: float, bandwidth: float) -> Iterator[int]:
    """The port of a proxy to 127.0.0.1:`port`; each way takes `latency` seconds and carries `bandwidth` bytes/s."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="slow road", daemon=True).start()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, back, latency, bandwidth), _carry(there, writer, latency, bandwidth))

    opening = asyncio.run_coroutine_threadsafe(asyncio.start_server(accept, "127.0.0.1", 0), loop)
    server = opening.result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, latency: float, bandwidth: float) -> None:
    """Chunks wait for their turn on the line, then for the latency; several may be on their way at once."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
    arriving = asyncio.create_task(_arrive(under_way, target))
    with suppress(OSError):
        while data := await source.read(CHUNK):
            await asyncio.sleep(len(data) / bandwidth)
            await under_way.put((asyncio.get_running_loop().time() + latency, data))
    await under_way.put((0.0, b""))
    await arriving


async def _arrive(under_way: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while (item := await under_way.get())[1]:
            await asyncio.sleep(item[0] - asyncio.get_running_loop().time())
            target.write(item[1])
            await target.drain()
    target.close()
