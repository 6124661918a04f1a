"""`ioc restore`: a backup back into a centre; what the broker holds beyond the database's position is read again."""

from __future__ import annotations

from pathlib import Path

import click

from schemas.text.dates import day_and_time
from services.cli.backup import speaking


@click.command(
    epilog="\b\nExamples:\n  ioc restore /mnt/backups/2026-03-01\n"
    "  ioc restore /mnt/backups/2026-03-01 --only database --replace\n\n"
    "Cut short, it is run again with the same words and goes on."
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice(["database", "broker"]), help="Leave the other as it is.")
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
    from services.centre.restore import BROKER, DATABASE, bring_back, services_stopped
    from services.cli.chosen import chosen_instance
    from services.cli.terminal import TERMINAL, bar, say

    with speaking():
        manifest = backups.read(folder)
        require_known(manifest.database)
        with bar("checking") as update:
            backups.verify(folder, manifest, lambda done: update(done, manifest.bytes))
        instance = chosen_instance()
        parts = [only] if only else [DATABASE, BROKER]
        with services_stopped(instance, say):
            bring_back(instance, folder, manifest, parts, replace, TERMINAL)
    say("services that ran before run again; `ioc up` starts the whole centre")
    click.echo(f"restored as of {day_and_time(manifest.taken_at, seconds=True)}: {' and '.join(parts)}")
