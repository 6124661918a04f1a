"""`ioc backup`: database and broker into a folder, of moments that fit together, while everything goes on working."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nats.aio.client import Client

    from infra.backups import Database, Draft, Manifest, Stream
    from services.kit.settings import Settings


@click.command(
    epilog="\b\nExamples:\n  ioc backup\n  ioc backup /mnt/backups/$(date +%F)\n\n"
    "Keep it on another disk than the centre's; `ioc restore` brings it back."
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def backup(folder: Path | None) -> None:
    """Save the centre into FOLDER, which must not exist yet (default: backups/<UTC time> in the centre's data folder).

    Database and broker are saved as they are, while events go on coming in. The folder appears when all of it is on
    disk; a backup that is cut short leaves none.
    """
    from services.cli.lifecycle import chosen_instance
    from services.cli.prepare import settings_of
    from services.kit.clock import now

    with speaking():
        instance = chosen_instance()
        target = (folder or instance.data / "backups" / f"{now():%Y%m%dT%H%M%SZ}").absolute()
        started = time.monotonic()
        manifest = save(settings_of(instance, "admin"), target, started)
    seconds = time.monotonic() - started
    events, waiting = manifest.database.tables["event"].rows, manifest.streams["EVENTS"].state["messages"]
    click.echo(
        f"{target}\n{events:,} events in the database, {waiting:,} in the broker: "
        f"{manifest.bytes / 1e6:,.1f} MB in {seconds:.1f} s"
    )


def save(settings: Settings, target: Path, started: float) -> Manifest:
    """Write a backup to `target` and note it in the database; raises what the parts raise, leaving no folder then."""
    from infra import backups
    from infra.timescaledb import backup as database

    owner = settings.database("owner")
    with backups.drafting(target) as draft:
        with bars("database") as show:
            saved = database.dump(owner, draft, lambda what, done, of: show(done, of))
        manifest = asyncio.run(_save_broker(settings, saved, draft))
        draft.finish(manifest)
    database.note(owner, target, manifest.bytes, time.monotonic() - started)
    return manifest


async def _save_broker(settings: Settings, saved: Database, draft: Draft) -> Manifest:
    """The streams, after the database: what it does not hold yet must be in them."""
    from infra import backups
    from infra.nats.backup import StreamFailed, time_of
    from schemas.streams import CONSUMERS, EVENTS, STREAMS
    from services.kit import bus, clock

    async with bus.connected(settings, "backup") as client:
        marks = {c.name: await time_of(client, c.stream, saved.positions.get(c.name, 0)) for c in CONSUMERS}
        # EVENTS last: the later, the more that was acknowledged is in it.
        names = [s.name for s in STREAMS if s is not EVENTS]
        streams = {name: await _save_stream(client, name, draft) for name in names}
        taken_at = clock.now()
        streams[EVENTS.name] = await _save_stream(client, EVENTS.name, draft)
    for consumer in CONSUMERS:
        last, position = streams[consumer.stream].state["last_seq"], saved.positions.get(consumer.name, 0)
        if last < position:
            raise StreamFailed(f"{consumer.stream} ends at {last}, the database has read up to {position}: not its own")
    return backups.Manifest(taken_at=taken_at, database=saved, marks=marks, streams=streams, files=draft.files)


async def _save_stream(client: Client, name: str, draft: Draft) -> Stream:
    from infra.backups import Stream
    from infra.nats.backup import snapshot

    with bars(name) as show, draft.file(f"{name}.stream") as file:
        answer = await snapshot(client, name, file, lambda done: show(done, None))
    return Stream(file=f"{name}.stream", **answer)


@contextmanager
def bars(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar where standard error is a terminal; gives the function to tell (done, of how many)."""
    import sys

    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total and max(total, done))
        done = progress.tasks[0].completed
        progress.update(task, total=max(done, 1), completed=max(done, 1))


@contextmanager
def speaking() -> Iterator[None]:
    """Turn what can go wrong with a backup into a message that says what to do."""
    import psycopg

    from infra.backups import BadBackup
    from infra.nats.backup import StreamFailed
    from services.cli.lifecycle import explained

    try:
        with explained():
            yield
    except (BadBackup, StreamFailed, FileExistsError) as problem:
        raise click.ClickException(str(problem)) from problem
    except psycopg.Error as problem:
        raise click.ClickException(f"the database: {problem}; `ioc status` shows what runs") from problem
    except FileNotFoundError as problem:
        raise click.ClickException(f"there is no {problem.filename}; was this centre ever started?") from problem
