"""`ioc restore`: a backup back into a centre; what the broker holds beyond the database's position is read again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.cli.backup import bars, speaking

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.api import StreamState

    from infra.backups import Manifest
    from infra.local.servers import Instance
    from services.kit.settings import Settings

DATABASE, BROKER = "database", "broker"
STARTS = ("cli:prepare", "cli:demo", "notifier", "")
"""Who writes of a start alone: no person."""
LOOKED_AT = 1000


@click.command(
    epilog="\b\nExamples:\n  ioc restore /mnt/backups/2026-03-01\n"
    "  ioc restore /mnt/backups/2026-03-01 --only database --replace\n\n"
    "Cut short, it is run again with the same words and goes on."
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice([DATABASE, BROKER]), help="Leave the other as it is.")
@click.option(
    "--replace", is_flag=True, help="Throw away what the centre has now: events, alarms, accounts, what people did."
)
def restore(folder: Path, only: str | None, replace: bool) -> None:
    """Bring the backup in FOLDER back into the chosen centre, which may be down, or just started and empty.

    A centre that holds an event, or anything that a person did there, is replaced only where --replace says so. The
    backup is checked first. Services are stopped meanwhile and started again if they ran; they read what came
    after the backup from the broker, if it still has it, and meet what is stored already as duplicates.
    """
    from infra import backups
    from infra.timescaledb.backup import require_known
    from services.cli.lifecycle import chosen_instance, say

    with speaking():
        manifest = backups.read(folder)
        require_known(manifest.database)
        with bars("checking") as show:
            backups.verify(folder, manifest, lambda done: show(done, manifest.bytes))
        instance = chosen_instance()
        parts = [only] if only else [DATABASE, BROKER]
        with _services_stopped(instance):
            bring_back(instance, folder, manifest, parts, replace)
    say("services that ran before run again; `ioc up` starts the whole centre")
    click.echo(f"restored as of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC: {' and '.join(parts)}")


@contextmanager
def _services_stopped(instance: Instance) -> Iterator[None]:
    """Servers running and services stopped inside; afterwards what ran before runs again, and no more.

    They are left stopped where the restore was cut short between the old centre and the new one.
    """
    from infra.local.processes import SERVICES
    from services.cli.lifecycle import say
    from services.cli.prepare import RESTORING

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


def bring_back(instance: Instance, folder: Path, manifest: Manifest, parts: list[str], replace: bool) -> None:
    """Restore the parts into running servers that no service uses, then prepare them as a start would.

    `ClickException` where there is data and `replace` is not said. Parts done by an earlier, interrupted try of the
    same backup are left as they are: since then they may have taken in something new.
    """
    from infra.local.processes import external
    from infra.timescaledb.migrate import migrate
    from infra.timescaledb.roles import ensure_database_and_roles
    from services.cli.lifecycle import say
    from services.cli.prepare import RESTORING, prepare, settings_of

    if not external("timescaledb"):
        ensure_database_and_roles(instance.superuser_conninfo, instance.password)
    settings = settings_of(instance, "admin")
    journal = Journal(instance.data / RESTORING, f"{manifest.taken_at.isoformat()} {' '.join(parts)}")
    if not replace and not journal.begun:
        asyncio.run(_require_empty(settings, parts))
    journal.begin()
    if DATABASE not in parts:
        migrate(settings.database("owner"))  # a broker alone may be brought to a database that is new
    elif DATABASE not in journal.done:
        _restore_database(settings, folder, manifest)
        journal.note(DATABASE)
    asyncio.run(_restore_broker(settings, folder, manifest, parts, journal))
    journal.end()
    prepare(instance, say)


class Journal:
    """What a restore has done so far, so that one cut short goes on where it was. `key` names backup and parts."""

    def __init__(self, file: Path, key: str) -> None:
        self._file, self._key = file, key
        held: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        self.begun = held.get("key") == key
        self.done: list[str] = held["done"] if self.begun else []

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
        fresh.write_text(json.dumps({"key": self._key, "done": self.done}) + "\n")
        fresh.replace(self._file)


async def _require_empty(settings: Settings, parts: list[str]) -> None:
    """`ClickException` where something would be lost. What a start writes of itself (its first account, alarms that
    nobody has touched) is nothing: every start writes it again."""
    from infra.timescaledb.backup import holds_data
    from services.kit import bus

    full = ["the database"] if DATABASE in parts and holds_data(settings.database("owner"), STARTS) else []
    if BROKER in parts:
        async with bus.connected(settings, "restore") as client:
            full += [f"the stream {name}" for name in await _streams_with_data(client)]
    if full:
        raise click.ClickException(f"{' and '.join(full)} would be replaced; say --replace if that is meant")


async def _streams_with_data(client: Client) -> list[str]:
    from schemas.streams import ALERTS, STREAMS

    states = {stream.config.name: stream.state for stream in await client.jetstream().streams_info()}
    full = [stream.name for stream in STREAMS if stream.name in states and states[stream.name].messages]
    if ALERTS.name in full and not await _has_deeds(client, states[ALERTS.name]):
        full.remove(ALERTS.name)
    return full


async def _has_deeds(client: Client, state: StreamState) -> bool:
    """Whether the stream of alarms holds what a person did; no start says so much that it need be read to a far end."""
    from nats.js.errors import NotFoundError

    from schemas.streams import ALERTS

    if state.messages > LOOKED_AT:
        return True
    js = client.jetstream()
    for seq in range(state.first_seq, state.last_seq + 1):
        with suppress(NotFoundError):
            told = json.loads((await js.get_msg(ALERTS.name, seq)).data or b"{}")
            if told.get("by", told.get("who")) not in STARTS:
                return True
    return False


def _restore_database(settings: Settings, folder: Path, manifest: Manifest) -> None:
    from infra.timescaledb import backup as database

    with bars("database") as show:
        owner = settings.database("owner")
        database.restore(owner, manifest.database, folder, lambda what, done, of: show(done, of))


async def _restore_broker(
    settings: Settings, folder: Path, manifest: Manifest, parts: list[str], journal: Journal
) -> None:
    """The streams where they are asked for, and in any case consumers that go on after what the database holds."""
    from services.cli.catch_up import catch_up
    from services.cli.lifecycle import say
    from services.kit import bus

    async with bus.connected(settings, "restore") as client:
        for name in manifest.streams if BROKER in parts else ():
            if name not in journal.done:
                await _restore_stream(client, settings, folder, manifest, name)
                journal.note(name)
        for consumer, start in (await catch_up(client, settings, manifest, BROKER in parts)).items():
            say(f"{consumer} reads on after message {start:,}")


async def _restore_stream(client: Client, settings: Settings, folder: Path, manifest: Manifest, name: str) -> None:
    from infra.nats import backup as broker

    stream = manifest.streams[name]
    # Its share of this broker's disk is declared afterwards, as at every start.
    config = stream.config | {"max_bytes": -1, "num_replicas": settings.replicas}
    await broker.remove(client, name)
    with bars(name) as show, (folder / stream.file).open("rb") as file:
        size = manifest.files[stream.file].bytes
        await broker.restore(client, name, config, stream.state, file, lambda done: show(done, size))
