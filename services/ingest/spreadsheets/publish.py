"""Events of forms onto the broker, once all that was sent before is stored."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable

from schemas.envelope import Event
from services.ingest.stream import Counts, Tell, send
from services.kit import bus, imports
from services.kit.settings import Settings


async def settled(settings: Settings) -> None:
    """As `imports.settled`, on a connection of its own. Raises `Unavailable`."""
    async with bus.connected(settings, "import") as client:
        await imports.settled(client.jetstream())


def publish(settings: Settings, events: Iterable[Event], counts: Counts, tell: Tell) -> None:
    """Send the events as `ioc emit` does a file of them. Raises `Unavailable`."""
    with tempfile.TemporaryFile() as file:
        for event in events:
            file.write(event.to_json() + b"\n")
        file.flush()
        file.seek(0)
        asyncio.run(send(settings, file.fileno(), counts, tell))
