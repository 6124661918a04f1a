"""Events from a file or a pipe, each validated alone and published, however many there are."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from nats.js import JetStreamContext

from schemas.envelope import MAX_EVENT_BYTES, Event, Invalid
from schemas.keys import Bounds
from schemas.registry import parse
from schemas.text import files
from services.ingest.event_files import Record, Splitter
from services.kit import bus, clock
from services.kit.patience import teller
from services.kit.settings import Settings

CHUNK = 1024 * 1024
PATIENCE_SECONDS = 20.0
"""How long the broker may acknowledge nothing at all; a slow one is waited for."""

Tell = Callable[[str], None]


@dataclass
class Counts:
    """What became of the records so far."""

    read: int = 0
    sent: int = 0
    rejected: int = 0


async def send(
    settings: Settings,
    source: int,
    counts: Counts,
    tell: Tell,
    on_bytes: Callable[[int], None] = lambda size: None,
    key: Bounds | None = None,
) -> None:
    """Publish what can be read from the file descriptor `source` until its end, keeping `counts`; in the name of a key,
    if of one.

    `tell` gets a line for each rejected record, `on_bytes` how much was read. Raises `Unavailable`, and
    `files.Unreadable` before anything is sent.
    """
    splitter = Splitter(MAX_EVENT_BYTES)
    async with bus.connected(settings, "emit") as client:
        js = client.jetstream()
        begun = False
        while chunk := await _read(source):
            if not begun and (kind := files.packed(chunk) or files.wide_encoding(chunk)):
                raise files.Unreadable(f"the events are saved as {kind}; {files.SAVE}. Nothing was sent")
            begun = True
            await _publish(js, _accepted(splitter.feed(chunk), counts, tell), counts, tell, key)
            on_bytes(len(chunk))
        await _publish(js, _accepted(splitter.close(), counts, tell), counts, tell, key)


async def send_events(
    settings: Settings, events: Iterable[Event], counts: Counts, tell: Tell, key: Bounds | None = None
) -> None:
    """Publish events that whoever makes them counts as read, in the name of a key, if of one. Raises `Unavailable`."""
    async with bus.connected(settings, "emit") as client:
        await _publish(client.jetstream(), events, counts, tell, key)


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


async def _publish(
    js: JetStreamContext, events: Iterable[Event], counts: Counts, tell: Tell, key: Bounds | None
) -> None:
    before = counts.sent
    if key:
        events = _within(key, events, counts, tell)

    def on_progress(done: int) -> None:
        counts.sent = before + done

    on_wait = teller(tell, before)
    try:
        by = key.name if key else None
        await bus.publish_many(js, events, on_progress, PATIENCE_SECONDS, on_wait, by)
    except bus.CutShort as cut:
        counts.sent = before + cut.done
        raise


def _within(key: Bounds, events: Iterable[Event], counts: Counts, tell: Tell) -> Iterator[Event]:
    for event in events:
        if why := key.refusal(event):
            counts.rejected += 1
            tell(f"{event.id}: not_yours: {why}")
        else:
            yield event


def _accepted(records: Iterable[Record], counts: Counts, tell: Tell) -> Iterator[Event]:
    for line, raw in records:
        counts.read += 1
        try:
            yield parse(raw, clock.now())
        except Invalid as invalid:
            counts.rejected += 1
            tell(f"line {line}: {invalid.code}: {_why(raw) or invalid.reason}")


def _why(raw: bytes) -> str:
    """What is wrong with the bytes themselves, or nothing."""
    try:
        files.decode(raw, "the record")
    except files.Unreadable as wrong:
        return str(wrong)
    return ""
