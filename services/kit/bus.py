"""The broker: connecting as a credential, the declared streams made real, and publishing events that are on disk when
acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, PubAck, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from schemas.envelope import Event
from schemas.streams import CONSUMERS, STREAMS, Consumer, Stream
from services.kit.errors import Unavailable, fatal
from services.kit.settings import Settings

log = logging.getLogger(__name__)
PUBLISH_TIMEOUT = 5.0
IN_FLIGHT = 2000


def connection_options(settings: Settings, name: str) -> dict[str, Any]:
    """Options for a NATS connection as `settings.user`: own inbox, reconnecting for ever."""

    async def on_error(error: Exception) -> None:
        log.warning("broker: %s", error)

    return {
        "servers": [settings.nats_url],
        "name": name,
        "inbox_prefix": f"_INBOX_{settings.user}".encode(),
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.5,
        "error_cb": on_error,
        **settings.nats(),
    }


@asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncIterator[Client]:
    """A connection for a command that ends; `Unavailable` where no broker answers."""

    async def on_error(error: Exception) -> None:
        if not isinstance(error, OSError):  # that nobody answers is said once, at the end
            log.warning("broker: %s", error)

    options = {
        **connection_options(settings, name),
        "error_cb": on_error,
        "allow_reconnect": True,
        "connect_timeout": 3,
        "max_reconnect_attempts": 10,
    }
    try:
        client = await nats.connect(**options)
    except (OSError, nats.errors.Error, TimeoutError) as error:
        address = settings.nats_url.rpartition("@")[2]
        raise Unavailable(
            f"no broker at {address}: {error or type(error).__name__}; `ioc status` shows what runs"
        ) from None
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def attached(settings: Settings, name: str) -> AsyncIterator[Client]:
    """A connection for a service: made in the background, healed for ever; see `require`.

    While it is down nothing is buffered: an event that could not be sent is not sent later behind the sender's back.
    """
    client = Client()
    connecting = asyncio.create_task(client.connect(**connection_options(settings, name), pending_size=0))
    connecting.add_done_callback(_heard)
    try:
        yield client
    finally:
        connecting.cancel()
        await client.close()


def _heard(connecting: asyncio.Task[None]) -> None:
    if not connecting.cancelled() and (error := connecting.exception()):
        fatal(log, "cannot connect to the broker", error)


def require(client: Client) -> None:
    """`Unavailable` while an attached connection is down; stops the process where it will never come back."""
    if client.is_closed:
        fatal(log, f"the broker ended the connection for good: {client.last_error}")
    if not client.is_connected:
        raise Unavailable("no connection to the broker")


def stream_config(stream: Stream, disk: int) -> StreamConfig:
    """The JetStream configuration of a declared stream on a broker with `disk` bytes of storage."""
    return StreamConfig(
        name=stream.name,
        description=stream.purpose,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,  # a full stream refuses the emitter; it never drops what it acknowledged
        max_age=stream.max_age.total_seconds(),
        max_bytes=int(disk * stream.max_share),
        duplicate_window=stream.dedupe.total_seconds(),
        allow_direct=True,
    )


def consumer_config(consumer: Consumer, start_after: int = 0) -> ConsumerConfig:
    """The JetStream configuration of a declared consumer; `start_after`: the sequence that is known to be done."""
    from nats.js.api import DeliverPolicy

    start: dict[str, Any] = {"deliver_policy": DeliverPolicy.ALL}
    if start_after:
        start = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": start_after + 1}
    return ConsumerConfig(
        durable_name=consumer.name,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=consumer.ack_wait.total_seconds(),
        max_deliver=-1,
        max_ack_pending=consumer.max_ack_pending,
        **start,
    )


async def ensure_streams(js: JetStreamContext, say: Callable[[str], None] = log.info) -> None:
    """Make the declared streams and consumers real; what exists already is brought up to the declaration."""
    account = await js.account_info()
    disk = account.limits.max_storage if account.limits.max_storage > 0 else 10 * 2**30
    for stream in STREAMS:
        wanted = stream_config(stream, disk)
        try:
            held = (await js.stream_info(stream.name)).config
        except NotFoundError:
            await js.add_stream(wanted)
            say(f"stream {stream.name} created")
            continue
        if (held.subjects, held.max_age, held.max_bytes) != (wanted.subjects, wanted.max_age, wanted.max_bytes):
            await js.update_stream(wanted)
            say(f"stream {stream.name} updated")
    for consumer in CONSUMERS:
        await ensure_consumer(js, consumer)


async def ensure_consumer(js: JetStreamContext, consumer: Consumer, start_after: int = 0) -> bool:
    """Make a consumer if it is not there; True if it had to be made."""
    try:
        await js.consumer_info(consumer.stream, consumer.name)
        return False
    except NotFoundError:
        await js.add_consumer(consumer.stream, consumer_config(consumer, start_after))
        return True


def headers(event: Event) -> dict[str, str]:
    """The headers of a published event: its id is its content, so a repetition is dropped by the broker."""
    return {"Nats-Msg-Id": event.message_id, "content-type": "application/cloudevents+json"}


async def publish(
    js: JetStreamContext, event: Event, within: float = PUBLISH_TIMEOUT, message_id: str | None = None
) -> PubAck:
    """Publish one event and wait until it is on disk. `Unavailable` if that cannot be said in `within` seconds.

    `message_id` is for an event that must be delivered although the broker may remember the same content.
    """
    head = headers(event) | ({"Nats-Msg-Id": message_id} if message_id else {})
    try:
        return await js.publish(event.subject, event.to_json(), timeout=within, headers=head)
    except (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError, OSError) as error:
        raise Unavailable(f"the broker has not acknowledged {event.id}: {error or type(error).__name__}") from error


async def publish_many(
    js: JetStreamContext, events: Iterable[Event], on_progress: Callable[[int], None] = lambda done: None
) -> tuple[int, int]:
    """Publish events with many in flight; returns (acknowledged, of them already known). Raises `Unavailable`."""
    done = known = 0
    window: list[asyncio.Future[PubAck]] = []
    for event in events:
        try:
            window.append(await js.publish_async(event.subject, event.to_json(), headers=headers(event)))
        except (nats.errors.Error, OSError) as error:
            raise Unavailable(_cut_short(done, error)) from error
        if len(window) >= IN_FLIGHT:
            # The older half is waited for while the newer is on its way: the broker never runs dry.
            done, known = await _settle(window, IN_FLIGHT // 2, done, known)
            on_progress(done)
    done, known = await _settle(window, len(window), done, known)
    on_progress(done)
    return done, known


async def _settle(window: list[asyncio.Future[PubAck]], count: int, done: int, known: int) -> tuple[int, int]:
    """Wait for the first `count` acknowledgements and take them out of the window."""
    try:
        acks = await asyncio.wait_for(asyncio.gather(*window[:count]), timeout=60)
    except (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError, OSError) as error:
        raise Unavailable(_cut_short(done, error)) from error
    del window[:count]
    return done + len(acks), known + sum(bool(ack.duplicate) for ack in acks)


def _cut_short(done: int, error: BaseException) -> str:
    return f"the broker acknowledged {done} events, then not: {error or type(error).__name__}; run again"
