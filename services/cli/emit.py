"""`ioc emit`: events from a file or a pipe, each validated alone and published, however many there are."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import click

if TYPE_CHECKING:
    from nats.js import JetStreamContext

    from schemas.envelope import Event
    from services.cli.records import Record
    from services.kit.settings import Settings

CHUNK = 1024 * 1024
PATIENCE_SECONDS = 20.0
"""How long the broker may acknowledge nothing at all; a slow one is waited for."""

Tell = Callable[[str], None]


class CutShort(click.ClickException):
    """The broker stopped answering: the same can be sent again."""

    exit_code = 75


@dataclass
class Counts:
    """What became of the records so far."""

    read: int = 0
    sent: int = 0
    rejected: int = 0


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
    from services.centre.prepare import settings_of
    from services.cli.chosen import chosen_instance, explained
    from services.kit.errors import Unavailable

    counts = Counts()
    with explained(), _display(file) as (on_bytes, tell):
        try:
            asyncio.run(send(settings_of(chosen_instance(), "cli"), file.fileno(), counts, tell, on_bytes))
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


async def send(
    settings: Settings, source: int, counts: Counts, tell: Tell, on_bytes: Callable[[int], None] = lambda size: None
) -> None:
    """Publish what can be read from the file descriptor `source` until its end, keeping `counts`.

    `tell` gets a line for each rejected record, `on_bytes` how much was read. Raises `Unavailable`.
    """
    from schemas.envelope import MAX_EVENT_BYTES
    from schemas.text import files
    from services.cli.records import Splitter
    from services.kit import bus

    splitter = Splitter(MAX_EVENT_BYTES)
    async with bus.connected(settings, "emit") as client:
        js = client.jetstream()
        begun = False
        while chunk := await _read(source):
            if not begun and (wide := files.wide_encoding(chunk)):
                raise click.ClickException(f"the events are saved as {wide}; {files.SAVE}. Nothing was sent")
            begun = True
            await _publish(js, splitter.feed(chunk), counts, tell)
            on_bytes(len(chunk))
        await _publish(js, splitter.close(), counts, tell)


async def _read(source: int) -> bytes:
    """What there is to read now, waiting for something without keeping the broker waiting; nothing at the end."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(source, readable.set)
    except PermissionError:  # a regular file is always readable
        return os.read(source, CHUNK)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(source)
    return os.read(source, CHUNK)


async def _publish(js: JetStreamContext, records: Iterable[Record], counts: Counts, tell: Tell) -> None:
    from services.kit import bus
    from services.kit.patience import teller

    before = counts.sent

    def on_progress(done: int) -> None:
        counts.sent = before + done

    on_wait = teller(tell, before)
    try:
        await bus.publish_many(js, _accepted(records, counts, tell), on_progress, PATIENCE_SECONDS, on_wait)
    except bus.CutShort as cut:
        counts.sent = before + cut.done
        raise


def _accepted(records: Iterable[Record], counts: Counts, tell: Tell) -> Iterator[Event]:
    from schemas.envelope import Invalid
    from schemas.registry import parse
    from services.kit import clock

    for line, raw in records:
        counts.read += 1
        try:
            yield parse(raw, clock.now())
        except Invalid as invalid:
            counts.rejected += 1
            tell(f"line {line}: {invalid.code}: {_why(raw) or invalid.reason}")


def _why(raw: bytes) -> str:
    """What is wrong with the bytes themselves, or nothing."""
    from schemas.text import files

    try:
        files.decode(raw, "the record")
    except files.Unreadable as wrong:
        return str(wrong)
    return ""


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
