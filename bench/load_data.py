"""Messages as in life: events of all families in the order of their sending, each dossier's among all others'."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from nats.js import JetStreamContext
from nats.js.api import PubAck

from schemas.calendar import VN
from schemas.envelope import Event
from services.kit import bus
from services.simulator import SCENARIOS
from services.simulator.district import Plan

SCENARIO = SCENARIOS["november-2024"]
START = datetime(2025, 7, 7, tzinfo=VN)
RATE = 0.1
"""Events per second of the district's own time: a batch of 1,000 is what happens in three hours."""


class Message(NamedTuple):
    """What a sender gives to the broker."""

    time: datetime
    subject: str
    message_id: str
    raw: bytes


def messages(count: int, series: int = 0) -> list[Message]:
    """`count` messages of a simulated district, the same ones each time; another `series` has others."""
    plan = Plan(series + 1, START, RATE)
    wanted = (s for s in plan.sendings(START + timedelta(weeks=50)) if s.event is not None and s.kind == "meant")
    return [Message(s.at, s.subject, s.message_id, s.raw) for s in islice(wanted, count)]


def published(weeks: int, share: float = 1.0, system: str = "") -> list[Message]:
    """Messages of the published month, moved by `weeks`, in the order of their times.

    Less than a `share` of 1 leaves out whole lives; `system` leaves out what belongs to another one.
    """
    limit = int(share * 2**32)
    events = (e for e in SCENARIO.events(weeks) if system in ("", e.data.system) and crc32(_whose(e).encode()) < limit)
    return sorted(Message(e.time, e.subject, e.message_id, e.to_json()) for e in events)


def stream(count: int) -> Iterator[Message]:
    """`count` messages for a test of size, made while they are sent: the published month again and again, moved."""
    months = range(-(-count // SCENARIO.count_estimate()) + 1)
    return islice((message for month in months for message in published(5 * month)), count)


def _whose(event: Event) -> str:
    """The dossier that the event belongs to, or what else it tells about."""
    touched = dict(event.touches)
    return touched.get("dossier") or next(iter(touched.values()))


def send(js: JetStreamContext, message: Message) -> asyncio.Task[PubAck]:
    """Hand one message to the broker; the task is done when it is on disk there."""
    return asyncio.ensure_future(bus.deliver(js, bus.Outgoing(message.subject, message.raw), bus.PATIENCE))


async def publish(js: JetStreamContext, sent: Iterable[Message]) -> int:
    """Publish with many in flight; returns how many messages the broker has on disk."""
    return await bus.publish_raw(js, (bus.Outgoing(message.subject, message.raw) for message in sent))
