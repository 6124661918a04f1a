"""A running centre saved into a folder: the database, then the broker, while everything goes on working."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from nats.aio.client import Client

from infra import backups
from infra.backups import BackupWriter, Database, Manifest, Stream
from infra.nats.backup import StreamFailed, snapshot, time_of
from infra.timescaledb import backup as database
from schemas.streams import CONSUMERS, EVENTS, STREAMS
from services.centre.reporter import SILENT, Bar
from services.kit import bus, clock
from services.kit.settings import Settings


def save(settings: Settings, target: Path, started: float, bar: Bar = SILENT.bar) -> Manifest:
    """Write a backup to `target` and note it in the database; raises what the parts raise, leaving no folder then.

    `started` is a moment of the monotonic clock: from there on the noted duration counts.
    """
    owner = settings.database("owner")
    with backups.drafting(target) as draft:
        with bar("database") as update:
            saved = database.dump(owner, draft, lambda what, done, of: update(done, of))
        manifest = asyncio.run(_save_broker(settings, saved, draft, bar))
        draft.finish(manifest)
    database.note(owner, target, manifest.bytes, time.monotonic() - started)
    return manifest


async def _save_broker(settings: Settings, saved: Database, draft: BackupWriter, bar: Bar) -> Manifest:
    """The streams, after the database: what it does not hold yet must be in them."""
    async with bus.connected(settings, "backup") as client:
        marks = {c.name: await time_of(client, c.stream, saved.positions.get(c.name, 0)) for c in CONSUMERS}
        # EVENTS last: the later, the more that was acknowledged is in it.
        names = [s.name for s in STREAMS if s is not EVENTS]
        streams = {name: await _save_stream(client, name, draft, bar) for name in names}
        taken_at = clock.now()
        streams[EVENTS.name] = await _save_stream(client, EVENTS.name, draft, bar)
    for consumer in CONSUMERS:
        last, position = streams[consumer.stream].state["last_seq"], saved.positions.get(consumer.name, 0)
        if last < position:
            raise StreamFailed(f"{consumer.stream} ends at {last}, the database has read up to {position}: not its own")
    return Manifest(taken_at=taken_at, database=saved, marks=marks, streams=streams, files=draft.files)


async def _save_stream(client: Client, name: str, draft: BackupWriter, bar: Bar) -> Stream:
    with bar(name) as update, draft.file(f"{name}.stream") as file:
        answer = await snapshot(client, name, file, update)
    return Stream(file=f"{name}.stream", **answer)
