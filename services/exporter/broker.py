"""How full the broker's streams are, how far their readers are behind, and whether it still writes."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import APIError, NotFoundError

from schemas.streams import CONSUMERS, STREAMS, Consumer, Stream
from services.exporter.snapshot import Samples
from services.kit import bus
from services.kit.errors import Unavailable

log = logging.getLogger(__name__)
OUTAGE = (APIError, nats.errors.Error, TimeoutError, OSError)
HEALTH_SECONDS = 3.0
# Monitoring must not go through a proxy that the operator's environment names.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
Values = dict[str, float]
"""Name of a metric -> value, of one stream or consumer."""


async def measure(client: Client, now: datetime) -> Samples:
    """Streams and consumers as declared. `Unavailable` where the broker does not answer."""
    bus.require(client)
    js = client.jetstream()
    samples: Samples = {}
    try:
        await js.account_info()
        for stream in STREAMS:
            _add(samples, (stream.name,), await _if_found(lambda stream=stream: _stream(js, stream)))  # type: ignore[misc]
        for consumer in CONSUMERS:
            key = (consumer.stream, consumer.name)
            _add(samples, key, await _if_found(lambda consumer=consumer: _consumer(js, consumer, now)))  # type: ignore[misc]
    except OUTAGE as error:
        raise Unavailable(f"{type(error).__name__}: {error}".strip()) from error
    return samples


def _add(samples: Samples, labels: tuple[str, ...], values: Values) -> None:
    for name, value in values.items():
        samples.setdefault(name, {})[labels] = value


async def _if_found(ask: Callable[[], Awaitable[Values]]) -> Values:
    """Nothing of what is not there: a stream before the first start, a consumer that is being made anew."""
    try:
        return await ask()
    except NotFoundError:
        return {}


async def _stream(js: JetStreamContext, stream: Stream) -> Values:
    info = await js.stream_info(stream.name)
    values: Values = {
        "ioc_nats_stream_messages": info.state.messages,
        "ioc_nats_stream_bytes": info.state.bytes,
        "ioc_nats_stream_stored_total": info.state.last_seq,
    }
    if (limit := info.config.max_bytes or 0) > 0:
        values["ioc_nats_stream_limit_bytes"] = limit
    return values


async def _consumer(js: JetStreamContext, consumer: Consumer, now: datetime) -> Values:
    info = await js.consumer_info(consumer.stream, consumer.name)
    return {
        "ioc_nats_consumer_pending_messages": info.num_pending or 0,
        "ioc_nats_consumer_unacknowledged_messages": info.num_ack_pending or 0,
        "ioc_nats_consumer_redelivered_messages": info.num_redelivered or 0,
        "ioc_nats_consumer_behind_seconds": await _behind(js, info, now),
    }


async def _behind(js: JetStreamContext, info: ConsumerInfo, now: datetime) -> float:
    """Seconds since the oldest message came that lies after the last one up to which all are acknowledged."""
    first = (info.ack_floor.stream_seq if info.ack_floor else 0) + 1
    ages = [0.0]
    for subject in info.config.filter_subjects or [info.config.filter_subject or ">"]:
        try:
            oldest = await js.get_msg(info.stream_name, seq=first, subject=subject, direct=True, next=True)
        except (NotFoundError, ValueError, LookupError):  # headers are anybody's to write
            continue
        if oldest.time:
            ages.append((now - oldest.time).total_seconds())
    return max(ages)


def users(monitors: str) -> Samples:
    """What each credential holds and sends, as the nodes' monitoring ports tell; nothing of a node that is away.

    The broker has no limit for one user, so that one could take all its connections: here it is seen.
    """
    backlog: Counter[tuple[str]] = Counter()
    sent: Counter[tuple[str]] = Counter()
    limits = []
    for monitor in monitors.split(","):
        if answer := _fetched(f"{monitor.rstrip('/')}/connz?auth=true&limit=10000"):
            for one in answer.get("connections") or ():
                name = (str(one.get("authorized_user", "")),)
                backlog[name] += 1
                sent[name] += int(one.get("in_msgs", 0))
        if answer := _fetched(f"{monitor.rstrip('/')}/varz"):
            limits.append(float(answer.get("max_connections", 0)))
    found: Samples = {
        "ioc_nats_user_connections": {name: float(count) for name, count in backlog.items()},
        "ioc_nats_user_messages_total": {name: float(count) for name, count in sent.items()},
    }
    return found | ({"ioc_nats_connections_limit": {(): sum(limits)}} if limits else {})


def _fetched(address: str) -> dict[str, Any]:
    try:
        with _DIRECT.open(address, timeout=HEALTH_SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except (OSError, ValueError):
        return {}


def writable(monitors: str) -> bool | None:
    """Whether every node's own health check is content; None where no node answers.

    A stream whose disk was full takes nothing more until its server is started anew, however much room there is by
    then. It goes on answering all questions, other streams still write, and publishers only hear nothing: the health
    check is the one place where the server says so.
    """
    answers = [answer for monitor in monitors.split(",") if (answer := _healthy(monitor)) is not None]
    return all(answers) if answers else None


def _healthy(monitor: str) -> bool | None:
    try:
        with _DIRECT.open(f"{monitor.rstrip('/')}/healthz", timeout=HEALTH_SECONDS) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as refused:
        log.warning("the broker's health check: %s", _error(refused.read()))
        return False
    except (OSError, ValueError):
        return None


def _error(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, LookupError, TypeError):
        return body.decode(errors="replace")
