"""`ioc backup`: database and broker saved into a folder while everything goes on working."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


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
    from services.centre.backup import save
    from services.cli.chosen import chosen_instance, chosen_settings
    from services.cli.terminal import bar
    from services.kit.clock import now

    with speaking():
        instance = chosen_instance()
        target = (folder or instance.data / "backups" / f"{now():%Y%m%dT%H%M%SZ}").absolute()
        started = time.monotonic()
        manifest = save(chosen_settings("admin"), target, started, bar)
    seconds = time.monotonic() - started
    events, waiting = manifest.database.tables["event"].rows, manifest.streams["EVENTS"].state["messages"]
    click.echo(
        f"{target}\n{events:,} events in the database, {waiting:,} in the broker: "
        f"{manifest.bytes / 1e6:,.1f} MB in {seconds:.1f} s"
    )


@contextmanager
def speaking() -> Iterator[None]:
    """Turn what can go wrong with a backup into a message that says what to do."""
    import psycopg

    from infra.backups import BadBackup
    from infra.nats.backup import StreamFailed
    from services.centre.restore import HoldsData
    from services.cli.chosen import as_messages, explained

    try:
        with explained(), as_messages(BadBackup, StreamFailed, FileExistsError):
            yield
    except HoldsData as data:
        raise click.ClickException(f"{data}; say --replace if that is meant") from None
    except psycopg.Error as problem:
        raise click.ClickException(f"the database: {problem}; `ioc status` shows what runs") from problem
    except FileNotFoundError as problem:
        raise click.ClickException(f"there is no {problem.filename}; was this centre ever started?") from problem
