"""`ioc compose`: what the centre in containers needs beside its services, as steps that `docker-compose.yml` runs."""

from __future__ import annotations

from pathlib import Path

import click

CONFIGURATION = Path("/etc/ioc")
BACKUPS = Path("/backups")
KEPT = 14


@click.group(epilog="\b\nExample:\n  ioc compose secrets secrets\n\nThe other steps are run by `docker compose up`.")
def compose() -> None:
    """Steps of a centre in containers: passwords, configuration, database and streams, the demo's data, backups."""


@compose.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def secrets(folder: Path) -> None:
    """Make the passwords that are missing in FOLDER, one file each; those that are there stay as they are.

    Run it before the first start, and again after an upgrade, which may know more services.
    """
    from infra.docker.configuration import make_secrets

    click.echo(f"{len(make_secrets(folder))} passwords in {folder.resolve()}")


@compose.command()
@click.argument("folder", type=click.Path(path_type=Path), default=CONFIGURATION)
def configure(folder: Path) -> None:
    """Write the configuration of broker, Prometheus and Alertmanager into FOLDER."""
    from infra.docker.configuration import write
    from services.kit.settings import Settings

    settings = Settings()
    if settings.secrets is None:
        raise click.ClickException("IOC_SECRETS must name the folder of the passwords")
    write(folder, settings.nats_storage, lambda name: settings.password(name) or "")
    click.echo(f"configuration written into {folder}")


@compose.command()
def prepare() -> None:
    """Make or repair database, roles, tables and streams; harmless when repeated."""
    from services.centre.prepare import prepare as make_ready
    from services.cli.chosen import chosen_instance, explained
    from services.cli.terminal import say

    with explained():
        make_ready(chosen_instance(), say)
    click.echo("database and streams are ready")


@compose.command()
def demo() -> None:
    """Load the demo's data, once."""
    from services.centre.demo import load_once, wait_stored
    from services.cli.chosen import chosen_instance, chosen_settings, explained
    from services.cli.terminal import TERMINAL

    with explained():
        weeks = load_once(chosen_instance(), TERMINAL)
        wait_stored(chosen_settings(), TERMINAL.bar)
    click.echo(f"loaded; shifted by {weeks} weeks")


@compose.command()
@click.argument("folder", type=click.Path(path_type=Path), default=BACKUPS)
@click.option("--hours", default=24.0, show_default=True, help="Between two backups.")
@click.option("--keep", default=KEPT, show_default=True, help="How many; older ones are removed.")
def backups(folder: Path, hours: float, keep: int) -> None:
    """Save the centre into FOLDER again and again, for ever. A backup that fails is tried again in ten minutes."""
    from services.centre.routine import save_for_ever

    save_for_ever(folder, hours, keep)
