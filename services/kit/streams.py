"""The declared streams and consumers made real, and how far a consumer is behind its stream."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    ConsumerInfo,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamSource,
)
from nats.js.errors import NotFoundError

from schemas.streams import CONSUMERS, MOST_BYTES, NEVER, QUARANTINE, STREAMS, Consumer, Stream
from services.kit.settings import Settings

log = logging.getLogger(__name__)
LAG_SECONDS, LOOK_SECONDS = 0.1, 0.2


def stream_config(stream: Stream, disk: int, replicas: int = 1, kept: timedelta | None = None) -> StreamConfig:
    """The JetStream configuration of a declared stream, kept by `replicas` nodes with `disk` bytes of storage each, for
    as long as declared or `kept`."""
    return StreamConfig(
        name=stream.name,
        description=stream.purpose,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,  # a full stream refuses the emitter; it never drops what it acknowledged
        max_age=(kept or stream.max_age).total_seconds(),
        max_bytes=int(disk * stream.max_share),
        max_msg_size=MOST_BYTES,
        # nats-server 2.15 knows no other way to a stream that drops nothing as a repetition than a source.
        duplicate_window=stream.dedupe.total_seconds() if stream.dedupe else 0,
        sources=None if stream.dedupe else [StreamSource(name=QUARANTINE.name, filter_subject=NEVER)],
        allow_direct=True,
        allow_atomic=True,  # what is sent in bulk is written a batch at a time
        num_replicas=replicas,
    )


def consumer_config(consumer: Consumer, start_after: int = 0) -> ConsumerConfig:
    """The JetStream configuration of a declared consumer; `start_after`: the sequence that is known to be done."""
    start: dict[str, Any] = {"deliver_policy": DeliverPolicy.ALL}
    if start_after:
        start = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": start_after + 1}
    return ConsumerConfig(
        durable_name=consumer.name,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=consumer.ack_wait.total_seconds(),
        max_deliver=-1,
        max_ack_pending=consumer.max_ack_pending,
        filter_subjects=list(consumer.subjects) or None,
        **start,
    )


async def ensure_streams(
    js: JetStreamContext,
    settings: Settings,
    say: Callable[[str], None] = log.info,
    positions: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Make the declared streams and consumers real; what exists already is brought up to the declaration.

    `positions`: up to which message each consumer has done all, if one has to be made anew.
    """
    account = await js.account_info()
    disk = account.limits.max_storage if account.limits.max_storage > 0 else settings.nats_storage
    for stream in STREAMS:
        days = settings.stream_days.get(stream.name)  # type: ignore[call-overload]
        wanted = stream_config(stream, disk, settings.replicas, timedelta(days=days) if days else None)
        try:
            config = (await js.stream_info(stream.name)).config
        except NotFoundError:
            await js.add_stream(wanted)
            say(f"stream {stream.name} created")
            continue
        # A start that knows of fewer nodes takes no copy away.
        wanted.num_replicas = max(settings.replicas, config.num_replicas or 1)
        if _declared(config) != _declared(wanted):
            await js.update_stream(wanted)
            say(f"stream {stream.name} updated")
    for consumer in CONSUMERS:
        last = (await js.stream_info(consumer.stream)).state.last_seq
        await ensure_consumer(js, consumer, start_after(positions.get(consumer.name, 0), last))


def start_after(noted: int, last: int) -> int:
    """After which message a consumer begins; a number beyond the `last` is of a stream that is no more."""
    return noted if noted <= last else 0


def _declared(config: StreamConfig) -> tuple[object, ...]:
    """What an update of the declaration may change."""
    sources = [(source.name, source.filter_subject) for source in config.sources or ()]
    limits = config.max_age, config.max_bytes, config.max_msg_size, config.num_replicas, config.duplicate_window or 0
    return config.subjects, *limits, sources, bool(config.allow_atomic)


async def ensure_consumer(js: JetStreamContext, consumer: Consumer, start_after: int = 0) -> bool:
    """Make a consumer if it is not there; True if it had to be made."""
    try:
        await js.consumer_info(consumer.stream, consumer.name)
        return False
    except NotFoundError:
        await js.add_consumer(consumer.stream, consumer_config(consumer, start_after))
        return True


async def done_through(js: JetStreamContext, consumer: Consumer) -> int:
    """Up to which message of its stream all is acknowledged.

    The consumer's own counts lag behind the stream for a moment after a message was stored; but nobody acknowledges
    what was erased at the stream's end, and where messages were erased the counts are asked, a moment later.
    """
    state = (await js.stream_info(consumer.stream)).state
    info = await js.consumer_info(consumer.stream, consumer.name)
    if _floor(info) < state.last_seq and state.num_deleted and not (info.num_pending or info.num_ack_pending):
        await asyncio.sleep(LAG_SECONDS)
        info = await js.consumer_info(consumer.stream, consumer.name)
        if not (info.num_pending or info.num_ack_pending):
            return max(state.last_seq, _floor(info))
    return _floor(info)


def _floor(info: ConsumerInfo) -> int:
    return info.ack_floor.stream_seq if info.ack_floor else 0


async def caught_up(js: JetStreamContext, consumer: Consumer, seconds: float) -> int:
    """Wait until a consumer has acknowledged what its stream holds by now, but no longer; how many are left of that."""
    last = (await js.stream_info(consumer.stream)).state.last_seq
    end = time.monotonic() + seconds
    while True:
        left = last - await done_through(js, consumer)
        if left <= 0 or time.monotonic() > end:
            return max(left, 0)
        await asyncio.sleep(LOOK_SECONDS)


async def unacknowledged(js: JetStreamContext, consumer: Consumer) -> int:
    """How many messages lie after the last one up to which all are acknowledged."""
    last = (await js.stream_info(consumer.stream)).state.last_seq
    return max(last - await done_through(js, consumer), 0)
