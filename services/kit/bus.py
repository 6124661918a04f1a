"""The broker: connecting as a credential, and publishing events that are on disk when acknowledged."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from itertools import islice
from secrets import token_hex
from typing import Any, NamedTuple

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import Header, PubAck
from nats.js.errors import APIError, NoStreamResponseError

from schemas.envelope import Event
from schemas.keys import subject_of
from schemas.text import files
from services.kit import patches
from services.kit.errors import Unavailable, fatal
from services.kit.settings import Settings

log = logging.getLogger(__name__)
patches.nats_py()
PUBLISH_TIMEOUT = 5.0
PATIENCE = 60.0
"""Seconds within which the broker acknowledges what is in flight, also while it takes in a bulk."""
BATCH = 100
"""Messages that the broker writes to disk at a stroke: a batch is all there or not at all, and answered as one. They
are fewer than the broker lets wait to be written (`max_buffered_msgs`), so that others find room beside a bulk."""
LOOK_SECONDS, PAUSE_SECONDS, BUSY_SECONDS = 1.0, 0.1, 0.005
LOST_SECONDS = 10.0
"""After so long without any answer, then twice as long and so on, what is in flight is sent again: a node of a cluster
that dies takes with it what it had not answered, while the connection to another one holds."""
OUTAGE = (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError, OSError)
"""What a broker that cannot answer, or does not take something, raises."""
BUSY = 429
"""The broker's answer when too many messages wait to be written: it has not taken this one."""
CONTENT_TYPE = "application/cloudevents+json"


def connection_options(settings: Settings, name: str) -> dict[str, Any]:
    """Options for a NATS connection as `settings.user`: own inbox, reconnecting for ever."""

    tls = _tls(settings)

    async def on_error(error: Exception) -> None:
        if isinstance(error, ssl.SSLError) and tls:
            _trust(tls["tls"], settings)  # its certificate may be a new one
        log.warning("broker: %s", error)

    return {
        **tls,
        "servers": settings.nats_servers,
        "name": name,
        "inbox_prefix": f"_INBOX_{settings.user}".encode(),
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.5,
        "error_cb": on_error,
        **settings.nats(),
    }


def _tls(settings: Settings) -> dict[str, Any]:
    """Whom a connection by `tls://…` trusts: whom this machine does, and the setting's certificates; or the broker's
    own certificate alone, under any name."""
    if not any(server.startswith("tls://") for server in settings.nats_servers):
        return {}
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if settings.nats_certificate else ssl.create_default_context()
    _trust(trusted, settings)
    return {"tls": trusted}


def _trust(trusted: ssl.SSLContext, settings: Settings) -> None:
    if settings.nats_certificate:
        # The first of the file alone: those who signed it have signed others too.
        own, end, _ = files.read(settings.nats_certificate).partition("-----END CERTIFICATE-----")
        trusted.check_hostname = False
        trusted.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        trusted.load_verify_locations(cadata=own + end)
    elif settings.tls_ca:
        trusted.load_verify_locations(settings.tls_ca)


@asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncIterator[Client]:
    """A connection for a command that ends; `Unavailable` where no broker answers."""

    client: Client | None = None

    async def on_error(error: Exception) -> None:
        if client is None and isinstance(error, ssl.SSLError | patches.NoTls):
            raise error  # nats-py would try for ever
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
        address = ", ".join(server.rpartition("@")[2] for server in settings.nats_servers)
        raise Unavailable(
            f"no broker at {address}: {error or type(error).__name__}; `ioc status` shows what runs"
        ) from None
    client.options["max_reconnect_attempts"] = -1  # from here on whoever waits says how long
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def attached(
    settings: Settings, name: str, on_lost: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Client]:
    """A connection for a service: made in the background, healed for ever; see `require`. `on_lost`: when it breaks.

    While it is down nothing is buffered: an event that could not be sent is not sent later behind the sender's back.
    """
    client = Client()
    options = connection_options(settings, name) | {"disconnected_cb": on_lost, "pending_size": 0}
    connecting = asyncio.create_task(client.connect(**options))
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


Waiting = Callable[[int, float], None]


class Outgoing(NamedTuple):
    """A message as it goes to the broker. `once`: see `private_id`; an event has none, the key table knows it again."""

    subject: str
    raw: bytes
    once: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The message's headers."""
        return {"content-type": CONTENT_TYPE} | ({"Nats-Msg-Id": self.once} if self.once else {})


def private_id(settings: Settings, text: str) -> str:
    """The id under which this credential alone can store a message once: nobody else can say it first, and so have the
    broker drop ours as a repetition."""
    key = (settings.nats().get("password") or settings.nats_servers[0]).encode()[:64]
    return blake2b(text.encode(), key=key, digest_size=16).hexdigest()


async def publish(js: JetStreamContext, event: Event, within: float = PUBLISH_TIMEOUT, by: str | None = None) -> PubAck:
    """Publish one event, in the name of the key `by` if of one, and wait until it is on disk. `Unavailable` if that
    cannot be said in `within` seconds."""
    try:
        return await deliver(js, outgoing(event, by), within)
    except OUTAGE as error:
        raise unacknowledged(event, error) from error


def outgoing(event: Event, by: str | None = None) -> Outgoing:
    """An event as it is published, in the name of the key `by` if of one."""
    return Outgoing(subject_of(event, by), event.to_json())


def unacknowledged(event: Event, error: BaseException) -> Unavailable:
    """That it cannot be said whether an event is on disk."""
    return Unavailable(f"the broker has not acknowledged {event.id}: {error or type(error).__name__}")


async def deliver(js: JetStreamContext, message: Outgoing, within: float = PUBLISH_TIMEOUT) -> PubAck:
    """Publish one message, again and again where too many wait to be written. Raises what `OUTAGE` lists."""
    return await _deliver_batch(js, (message,), within)


async def deliver_together(
    js: JetStreamContext, messages: Sequence[Outgoing], within: float = PUBLISH_TIMEOUT
) -> list[int | BaseException]:
    """Publish messages of one stream as one, so that the broker syncs and answers once; where it does not take them so,
    each by itself. The number of each in the stream, or why it has none: what `OUTAGE` lists."""
    try:
        last = await _deliver_batch(js, messages, within)
        return [last.seq - len(messages) + number for number in range(1, len(messages) + 1)]
    except (APIError, _NoBatch) as refused:  # it refuses one of them, or knows no batches
        if len(messages) == 1:
            return [refused]
        acks = await asyncio.gather(*(deliver(js, each, within) for each in messages), return_exceptions=True)
        return [ack.seq if isinstance(ack, PubAck) else ack for ack in acks]
    except OUTAGE as error:
        return [error] * len(messages)


async def _deliver_batch(js: JetStreamContext, messages: Sequence[Outgoing], within: float) -> PubAck:
    async with asyncio.timeout(within):
        while True:
            last, headers = await _all_but_the_last(js, messages)
            try:
                ack = await js.publish(last.subject, last.raw, timeout=within, headers=headers)
            except APIError as refusal:
                if refusal.code != BUSY:
                    raise
                await asyncio.sleep(BUSY_SECONDS)
            else:
                if len(messages) > 1 and ack.batch_size != len(messages):
                    raise _NoBatch
                return ack


class _NoBatch(Exception):
    """The broker answered for the last message alone."""


async def publish_many(
    js: JetStreamContext,
    events: Iterable[Event],
    on_progress: Callable[[int], None] = lambda done: None,
    within: float = PATIENCE,
    on_wait: Waiting = lambda done, seconds: None,
    by: str | None = None,
) -> int:
    """Publish events with many in flight, in the name of the key `by` if of one; returns how many were acknowledged,
    which is all. See `publish_raw`."""
    messages = (outgoing(event, by) for event in events)
    return await publish_raw(js, messages, on_progress, within, on_wait)


async def publish_raw(
    js: JetStreamContext,
    messages: Iterable[Outgoing],
    on_progress: Callable[[int], None] = lambda done: None,
    within: float = PATIENCE,
    on_wait: Waiting = lambda done, seconds: None,
) -> int:
    """As `publish_many`, for messages as they are.

    `CutShort` when the broker refuses one, or has acknowledged none for `within` seconds; until then a slow one is
    waited for, and one that was lost and found is sent again what it may not have got. `on_wait` is told how many are
    acknowledged, and for how many seconds there was no other.
    """
    flight = _Flight(js, within, on_wait)
    rest = iter(messages)
    try:
        while part := tuple(islice(rest, BATCH)):
            # What was sent before is waited for when this part is made, so that making and writing overlap.
            await flight.land()
            on_progress(flight.done)
            await flight.send(part)
        await flight.land()
    except OUTAGE as error:
        raise CutShort(flight.acknowledged, error) from error
    finally:
        flight.give_up()
    on_progress(flight.done)
    return flight.done


class CutShort(Unavailable):
    """The broker stopped in the middle; `done` messages are on its disk, perhaps more."""

    def __init__(self, done: int, why: BaseException) -> None:
        super().__init__(f"the broker acknowledged {done} events, then not: {why or type(why).__name__}; run again")
        self.done = done


class _Shipment(NamedTuple):
    """Messages that are answered as one."""

    messages: tuple[Outgoing, ...]
    answer: asyncio.Future[PubAck]

    @property
    def error(self) -> BaseException | None:
        """Why it was not taken, if that was said."""
        return self.answer.exception() if self.answer.done() and not self.answer.cancelled() else None

    @property
    def is_busy(self) -> bool:
        """The broker had too much to write, or nobody to write it: a cluster between two leaders."""
        error = self.error
        return isinstance(error, NoStreamResponseError) or (isinstance(error, APIError) and error.code == BUSY)

    @property
    def is_taken(self) -> bool:
        """All of it is on disk. A broker that knows no batches, before 2.12, answers for the last message alone."""
        if not self.answer.done() or self.answer.cancelled() or self.error:
            return False
        return len(self.messages) == 1 or self.answer.result().batch_size == len(self.messages)


class _Flight:
    """Shipments on their way, in their order."""

    def __init__(self, js: JetStreamContext, within: float, on_wait: Waiting) -> None:
        self._js, self._within, self._on_wait = js, within, on_wait
        self._window: list[_Shipment] = []
        self._connections = self._connected()
        self._heard = time.monotonic()
        self._lost_after = LOST_SECONDS
        self.done = 0

    @property
    def acknowledged(self) -> int:
        """All messages of which it is known that they are on disk."""
        return self.done + sum(len(shipment.messages) for shipment in self._window if shipment.is_taken)

    async def send(self, messages: tuple[Outgoing, ...]) -> None:
        """Send messages as one, or, where some must be stored once, each alone; waits while there is no connection."""
        while not self._js._nc.is_connected:
            await self._pause(self.acknowledged)
        if any(message.once for message in messages):
            self._window += [await self._shipped((message,)) for message in messages]
        else:
            self._window.append(await self._shipped(messages))

    async def _shipped(self, messages: tuple[Outgoing, ...]) -> _Shipment:
        """Send messages as one; the answer to the last is that of all."""
        last, headers = await _all_but_the_last(self._js, messages)
        answer = await self._js.publish_async(last.subject, last.raw, headers=headers)
        return _Shipment(messages, answer)

    async def land(self) -> None:
        """Wait until all is on disk."""
        while self._count():
            before = self.acknowledged
            await asyncio.wait([self._window[0].answer], timeout=LOOK_SECONDS)
            await self._send_again()
            if self.acknowledged == before:
                await self._pause(before)

    def _count(self) -> int:
        """Strike off the oldest that are taken; how many shipments are still on their way."""
        while self._window and self._window[0].is_taken:
            self.done += len(self._window.pop(0).messages)
            self._heard, self._lost_after = time.monotonic(), LOST_SECONDS
        return len(self._window)

    async def _send_again(self) -> None:
        """What was turned away for the moment or may have got lost; a batch that is refused, or not known as one, goes
        message by message, which tells the bad one. Raises why a single message is refused."""
        # What is sent again may be there all the same: it is known again by its key.
        lost = self._connected() != self._connections
        self._connections = self._connected()
        if time.monotonic() - self._heard > self._lost_after:
            lost, self._lost_after = True, self._lost_after * 2
        window, self._window = self._window, []
        try:
            while window:
                shipment = window[0]
                self._window += await self._followed(shipment, lost)
                del window[0]
        finally:
            self._window += window

    async def _followed(self, shipment: _Shipment, lost: bool) -> list[_Shipment]:
        if shipment.is_busy or (lost and not shipment.answer.done()):
            shipment.answer.cancel()
            return [await self._shipped(shipment.messages)]
        if shipment.is_taken or not shipment.answer.done():
            return [shipment]
        if (error := shipment.error) and (len(shipment.messages) == 1 or not isinstance(error, APIError)):
            raise error
        return [await self._shipped((message,)) for message in shipment.messages]

    async def _pause(self, acknowledged: int) -> None:
        silent = time.monotonic() - self._heard
        if silent > self._within:
            raise TimeoutError(f"nothing for {silent:.0f} s")
        if silent >= LOOK_SECONDS:
            self._on_wait(acknowledged, silent)
        await asyncio.sleep(PAUSE_SECONDS)

    def _connected(self) -> int:
        return self._js._nc.stats["reconnects"]

    def give_up(self) -> None:
        """nats-py lets a few thousand be in flight at a time; one that is never answered would count for ever."""
        for shipment in self._window:
            shipment.answer.cancel()


async def _all_but_the_last(js: JetStreamContext, messages: Sequence[Outgoing]) -> tuple[Outgoing, dict[str, str]]:
    """Send what goes as one but for its last message; that, and the headers with which it commits all."""
    *before, (last, commit) = zip(messages, _batch_headers(len(messages)), strict=True)
    for message, batch in before:
        await js._nc.publish(message.subject, message.raw, headers=message.headers | batch)
    return last, last.headers | commit


def _batch_headers(size: int) -> list[dict[str, str]]:
    """What makes so many messages one batch, of a name that nobody else can guess; the last commits it. One is none."""
    if size == 1:
        return [{}]
    name = token_hex(16)
    headers: list[dict[str, str]] = [
        {Header.BATCH_ID: name, Header.BATCH_SEQUENCE: str(number)} for number in range(1, size + 1)
    ]
    headers[-1][Header.BATCH_COMMIT] = "1"
    return headers
