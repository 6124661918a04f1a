"""What several test modules do to a running centre."""

from __future__ import annotations

import asyncio
import socket
import time

from infra.local.servers import Instance
from schemas.streams import AGGREGATOR
from services.cli.prepare import settings_of
from services.kit import bus


async def _left(centre: Instance) -> int:
    async with bus.connected(settings_of(centre, "monitor"), "test") as client:
        return await bus.unacknowledged(client.jetstream(), AGGREGATOR)


def wait_until_idle(centre: Instance, seconds: float = 90) -> None:
    """Until the aggregator has acknowledged every message of the stream."""
    end = time.monotonic() + seconds
    while left := asyncio.run(_left(centre)):
        assert time.monotonic() < end, f"{left} messages wait; {centre.log_tail('aggregator', 20)}"
        time.sleep(0.2)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
