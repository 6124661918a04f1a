"""A simulated district sent by hand: as it happens, or as many messages in every second as are wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from services.kit import bus
from services.kit.clock import now
from services.kit.patience import teller
from services.kit.settings import Settings
from services.simulator.district import Plan, Sending
from services.simulator.district.hours import slot_start
from services.simulator.district.plan import LEAST_RATE

TICK_SECONDS = 0.1
BATCH = 2000
PACED_DAYS = 3
"""So many simulated days are spread over a paced run, so that everything that takes hours or days is in it."""


def as_it_happens(plan: Plan, span: timedelta) -> Iterator[tuple[Sending, float]]:
    """Each message of the span, and how many seconds from now it is due."""
    begun = now()
    return ((sending, (sending.at - begun).total_seconds()) for sending in plan.sendings(plan.start + span))


def paced(seed: int, start: datetime | None, rate: float, count: int) -> Iterator[tuple[Sending, float]]:
    """`count` messages, `rate` in every second, whenever they are meant for; without a `start` from days ago on.

    ValueError where `start` is none that a district can begin at.
    """
    days = timedelta(days=PACED_DAYS)
    first = start or slot_start(now() - 3 * days).replace(hour=0, minute=0)
    plan = Plan(seed, first, min(max(count / days.total_seconds(), LEAST_RATE), 5000.0))
    return ((sending, n / rate) for n, sending in enumerate(islice(plan.sendings(now()), count)))


async def send(
    settings: Settings, due: Iterable[tuple[Sending, float]], advance: Callable[[int], None], say: Callable[[str], None]
) -> tuple[int, float]:
    """Send each message so many seconds after the start, or as soon as the broker can; (sent, seconds)."""
    begun, sent = time.monotonic(), 0
    ready: list[Sending] = []
    async with bus.connected(settings, "simulate") as client:
        js = client.jetstream()

        async def flush() -> None:
            nonlocal sent
            messages = (bus.Outgoing(s.subject, s.raw) for s in ready)
            sent += await bus.publish_raw(js, messages, on_wait=teller(say, sent))
            ready.clear()
            advance(sent)

        for sending, at in due:
            ahead = at - (time.monotonic() - begun)
            if len(ready) >= BATCH or (ready and ahead > 0):
                await flush()
            if ahead > 0:
                await asyncio.sleep(max(ahead, TICK_SECONDS))
            ready.append(sending)
        await flush()
    return sent, time.monotonic() - begun
