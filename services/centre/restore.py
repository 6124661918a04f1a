"""A backup back into a centre; what the broker holds beyond the database's position is read again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from nats.aio.client import Client
from nats.js.api import StreamState
from nats.js.errors import NotFoundError

from infra.backups import Manifest
from infra.local.processes import SERVICES, external
from infra.local.servers import Instance
from infra.nats import backup as broker
from infra.timescaledb import backup as database
from infra.timescaledb.migrate import migrate
from infra.timescaledb.roles import ensure_database_and_roles
from schemas.streams import ALERTS, STREAMS
from services.centre import erase
from services.centre.prepare import RESTORING, prepare, settings_of
from services.centre.replay import replay
from services.centre.reporter import SILENT, Bar, Reporter, Say
from services.kit import bus
from services.kit.settings import Settings

DATABASE, BROKER = "database", "broker"
STARTS = ("cli:prepare", "cli:demo", "notifier", "")
"""Who writes of a start alone: no person."""
LOOKED_AT = 1000


class HoldsData(Exception):
    """The centre holds what a restore would throw away, and that was not said to be meant."""


@contextmanager
def services_stopped(instance: Instance, say: Say = SILENT.say) -> Iterator[None]:
    """Servers running and services stopped inside; afterwards what ran before runs again, and no more.

    They are left stopped where the restore was cut short between the old centre and the new one.
    """
    was_running = instance.is_running()
    ran = [p.name for p in instance.processes() if p.name in SERVICES and p.pid]
    instance.start(["nats", "timescaledb"], say)
    try:
        for name in reversed(ran):
            say(f"stopping {name}")
            instance.stop_process(name)
        yield
    finally:
        if not was_running:
            instance.stop()
        elif not (instance.data / RESTORING).exists():
            instance.start_services(ran, say)


def bring_back(
    instance: Instance, folder: Path, manifest: Manifest, parts: list[str], replace: bool, reporter: Reporter = SILENT
) -> None:
    """Restore the parts into running servers that no service uses, then prepare them as a start would.

    `HoldsData` where there is data and `replace` is not said. Parts done by an earlier, interrupted try of the
    same backup are left as they are: since then they may have taken in something new.
    """
    if not external("timescaledb"):
        ensure_database_and_roles(instance.superuser_conninfo, instance.password)
    settings = settings_of(instance, "admin")
    journal = Journal(instance.data / RESTORING, f"{manifest.taken_at.isoformat()} {' '.join(parts)}")
    if not replace and not journal.begun:
        asyncio.run(_require_empty(settings, parts))
    if not journal.begun:
        journal.carried = _erasures(settings)
    journal.begin()
    if DATABASE not in parts:
        migrate(settings.database("owner"))  # a broker alone may be brought to a database that is new
    elif DATABASE not in journal.done:
        _restore_database(settings, folder, manifest, reporter.bar)
        journal.note(DATABASE)
    if BROKER in parts:
        asyncio.run(_restore_streams(settings, folder, manifest, journal, reporter.bar))
    asyncio.run(_read_on(settings, manifest, BROKER in parts, reporter.say))
    if journal.carried:
        migrate(settings.database("owner"))
        asyncio.run(erase.apply(settings, journal.carried))
        reporter.say(f"erased again what was erased on request, {len(journal.carried):,} times")
    journal.end()
    prepare(instance, reporter.say)


def _erasures(settings: Settings) -> list[erase.Carried]:
    """What this centre was asked to erase, before it is replaced; nothing where no database of ours is."""
    try:
        return asyncio.run(erase.carried(settings))
    except psycopg.OperationalError:
        return []


class Journal:
    """What a restore has done so far, so that one cut short goes on where it was. `key` names backup and parts.
    `carried`: what the centre of before was asked to erase, which the backup may not know of."""

    def __init__(self, file: Path, key: str) -> None:
        self._file, self._key = file, key
        state: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        self.begun = state.get("key") == key
        self.done: list[str] = state["done"] if self.begun else []
        self.carried = [erase.Carried(*one) for one in state.get("erasures", ())]

    def begin(self) -> None:
        """From now on the centre is neither the old nor the new one."""
        self._write()

    def note(self, part: str) -> None:
        """`part` is restored."""
        self.done.append(part)
        self._write()

    def end(self) -> None:
        """All of it is restored."""
        self._file.unlink(missing_ok=True)

    def _write(self) -> None:
        fresh = self._file.with_suffix(".tmp")
        fresh.write_text(json.dumps({"key": self._key, "done": self.done, "erasures": self.carried}) + "\n")
        fresh.replace(self._file)


async def _require_empty(settings: Settings, parts: list[str]) -> None:
    """`HoldsData` where something would be lost. What a start writes of itself (its first account, alarms that
    nobody has touched) is nothing: every start writes it again."""
    full = ["the database"] if DATABASE in parts and database.holds_data(settings.database("owner"), STARTS) else []
    if BROKER in parts:
        async with bus.connected(settings, "restore") as client:
            full += [f"the stream {name}" for name in await _streams_with_data(client)]
    if full:
        raise HoldsData(f"{' and '.join(full)} would be replaced")


async def _streams_with_data(client: Client) -> list[str]:
    states = {stream.config.name: stream.state for stream in await client.jetstream().streams_info()}
    full = [stream.name for stream in STREAMS if stream.name in states and states[stream.name].messages]
    if ALERTS.name in full and not await _has_deeds(client, states[ALERTS.name]):
        full.remove(ALERTS.name)
    return full


async def _has_deeds(client: Client, state: StreamState) -> bool:
    """Whether the stream of alarms holds what a person did; no start says so much that it need be read to a far end."""
    if state.messages > LOOKED_AT:
        return True
    js = client.jetstream()
    for seq in range(state.first_seq, state.last_seq + 1):
        with suppress(NotFoundError):
            event = json.loads((await js.get_msg(ALERTS.name, seq)).data or b"{}")
            if event.get("by", event.get("who")) not in STARTS:
                return True
    return False


def _restore_database(settings: Settings, folder: Path, manifest: Manifest, bar: Bar) -> None:
    with bar("database") as update:
        owner = settings.database("owner")
        database.restore(owner, manifest.database, folder, lambda what, done, of: update(done, of))


async def _restore_streams(settings: Settings, folder: Path, manifest: Manifest, journal: Journal, bar: Bar) -> None:
    async with bus.connected(settings, "restore") as client:
        for name in manifest.streams:
            if name not in journal.done:
                await _restore_stream(client, settings, folder, manifest, name, bar)
                journal.note(name)


async def _read_on(settings: Settings, manifest: Manifest, restored: bool, say: Say) -> None:
    """Consumers that go on after what the database holds."""
    async with bus.connected(settings, "restore") as client:
        for consumer, start in (await replay(client, settings, manifest, restored)).items():
            say(f"{consumer} reads on after message {start:,}")


async def _restore_stream(
    client: Client, settings: Settings, folder: Path, manifest: Manifest, name: str, bar: Bar
) -> None:
    stream = manifest.streams[name]
    # Its share of this broker's disk is declared afterwards, as at every start.
    config = stream.config | {"max_bytes": -1, "num_replicas": settings.replicas}
    await broker.remove(client, name)
    with bar(name) as update, (folder / stream.file).open("rb") as file:
        size = manifest.files[stream.file].bytes
        await broker.restore(client, name, config, stream.state, file, lambda done: update(done, size))
