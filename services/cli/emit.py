"""`ioc emit`: events from a file or a pipe, each validated alone and published, however many there are."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    from schemas.keys import Bounds
    from services.ingest.stream import Counts, Tell
    from services.kit.settings import Settings


class CutShort(click.ClickException):
    """The broker stopped answering: the same can be sent again."""

    exit_code = 75


@click.command(
    epilog="\b\nExamples:\n  ioc emit events.jsonl\n  ioc emit - < events.json\n  my-program | ioc emit\n"
    "  ioc emit --as onestop ho-so.csv\n  ioc emit --key tram-y-te visits.jsonl\n\n"
    "Sending the same file again is harmless: what is there already is recognised."
)
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--as", "form", type=click.Choice(["events", "onestop"]), default="events",
    help="What FILE holds; `onestop`: dossiers as a one-stop system exports them, CSV, XLSX or JSON with the national "
    "portal's columns (docs/onestop.md).",
)  # fmt: skip
@click.option(
    "--key", default=None, help="In the name of this key (`ioc keys list`), whose source nobody else may speak as."
)
def emit(file: BinaryIO, form: str, key: str | None) -> None:
    """Send events: CloudEvents in JSON, one per line or as one array, from FILE or standard input.

    Each is validated alone. What is rejected is named on standard error with its line and reason, and makes the exit
    status 1; the others are sent. Status 75: the broker stopped answering, send the same again.
    """
    from schemas.text.files import Unreadable
    from services.cli.chosen import as_messages, chosen_settings, explained
    from services.cli.terminal import bar, tell
    from services.ingest.stream import Counts, send
    from services.kit.errors import Unavailable

    bounds = _bounds(key) if key else None
    counts, dropped, done = Counts(), Counter[str](), 0
    size = os.fstat(file.fileno()).st_size or None if sys.stderr.isatty() else None

    def on_bytes(more: int) -> None:
        nonlocal done
        update(done := done + more)

    with explained(), as_messages(Unreadable), bar("", size, of_bytes=True) as update:
        try:
            if form == "onestop":
                _send_export(chosen_settings(), file, bounds, counts, tell, dropped)
            else:
                asyncio.run(send(chosen_settings(), file.fileno(), counts, tell, on_bytes, bounds))
        except Unavailable as problem:
            raise _cut_short(problem, counts) from None
    click.echo(f"read {counts.read:,}, sent {counts.sent:,}, rejected {counts.rejected:,}")
    if dropped:
        click.echo("dropped unread: " + ", ".join(f"{name} {number:,}" for name, number in sorted(dropped.items())))
    if counts.rejected:
        raise SystemExit(1)


def _send_export(
    settings: Settings, file: BinaryIO, key: Bounds | None, counts: Counts, tell: Tell, dropped: Counter[str]
) -> None:
    from services.ingest.onestop.events import SOURCE
    from services.ingest.onestop.rows import events
    from services.ingest.stream import send_events
    from services.kit import clock

    source = key.source if key else SOURCE
    exported = events(file.read(), file.name, source, clock.now(), counts, tell, dropped)
    asyncio.run(send_events(settings, exported, counts, tell, key))


def _bounds(name: str) -> Bounds:
    from services.cli.board_database import run
    from services.kit.keys import all_keys

    bounds = {key.bounds.name: key.bounds for key in run(all_keys)}
    if name not in bounds:
        raise click.ClickException(f"there is no key {name!r}; `ioc keys list` shows them")
    return bounds[name]


def _cut_short(problem: Exception, counts: Counts) -> CutShort:
    left = counts.read - counts.rejected - counts.sent
    again = f"{counts.sent:,} events were acknowledged; send the same again, what is there already is recognised"
    if left:
        again += f"\nof {left:,} more that were read it is not known; what follows them was not read"
    return CutShort(f"{problem}\n{again}" if counts.read else str(problem))
