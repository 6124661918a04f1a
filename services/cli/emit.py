"""`ioc emit`: events from a file or a pipe, each validated alone and published, however many there are."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import click

if TYPE_CHECKING:
    from services.ingest.stream import Counts, Tell


class CutShort(click.ClickException):
    """The broker stopped answering: the same can be sent again."""

    exit_code = 75


@click.command(
    epilog="\b\nExamples:\n  ioc emit events.jsonl\n  ioc emit - < events.json\n  my-program | ioc emit\n\n"
    "Sending the same file again is harmless: what is there already is recognised."
)
@click.argument("file", type=click.File("rb"), default="-")
def emit(file: BinaryIO) -> None:
    """Send events: CloudEvents in JSON, one per line or as one array, from FILE or standard input.

    Each is validated alone. What is rejected is named on standard error with its line and reason, and makes the exit
    status 1; the others are sent. Status 75: the broker stopped answering, send the same again.
    """
    from schemas.text.files import Unreadable
    from services.centre.prepare import settings_of
    from services.cli.chosen import chosen_instance, explained
    from services.ingest.stream import Counts, send
    from services.kit.errors import Unavailable

    counts = Counts()
    with explained(), _display(file) as (on_bytes, tell):
        try:
            asyncio.run(send(settings_of(chosen_instance(), "cli"), file.fileno(), counts, tell, on_bytes))
        except Unreadable as wrong:
            raise click.ClickException(str(wrong)) from None
        except Unavailable as problem:
            raise _cut_short(problem, counts) from None
    click.echo(f"read {counts.read:,}, sent {counts.sent:,}, rejected {counts.rejected:,}")
    if counts.rejected:
        raise SystemExit(1)


def _cut_short(problem: Exception, counts: Counts) -> CutShort:
    left = counts.read - counts.rejected - counts.sent
    again = f"{counts.sent:,} events were acknowledged; send the same again, what is there already is recognised"
    if left:
        again += f"\nof {left:,} more that were read it is not known; what follows them was not read"
    return CutShort(f"{problem}\n{again}" if counts.read else str(problem))


@contextmanager
def _display(file: BinaryIO) -> Iterator[tuple[Callable[[int], None], Tell]]:
    """Functions that show progress (a bar, where standard error is a terminal) and a line of text above it."""
    if not sys.stderr.isatty():
        yield lambda size: None, lambda text: click.echo(text, err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns: tuple[Any, ...] = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=os.fstat(file.fileno()).st_size or None)
        tell = lambda text: progress.console.print(text, markup=False, highlight=False, soft_wrap=True)  # noqa: E731
        yield lambda size: progress.advance(task, size), tell
