"""What several test modules do to a running centre."""

from __future__ import annotations

import asyncio
import time

from infra.local.servers import Instance
from schemas.streams import AGGREGATOR
from services.cli.prepare import settings_of
from services.kit import bus


async def _consumer(centre: Instance) -> tuple[int, int]:
    async with bus.connected(settings_of(centre, "monitor"), "test") as client:
        info = await client.jetstream().consumer_info(AGGREGATOR.stream, AGGREGATOR.name)
        return info.num_pending or 0, info.num_ack_pending or 0


def wait_until_idle(centre: Instance, seconds: float = 90) -> None:
    """Until the aggregator has acknowledged every message of the stream."""
    end = time.monotonic() + seconds
    while (left := asyncio.run(_consumer(centre))) != (0, 0):
        assert time.monotonic() < end, f"still waiting and in hand: {left}; {centre.log_tail('aggregator', 20)}"
        time.sleep(0.2)
