"""A careful emitter in a thread of its own: many messages in flight, each sent again until the broker has acknowledged
it. It remembers what it meant, so that log and quarantine can be held against it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError

from services.kit import bus, clock
from services.kit.settings import Settings
from services.simulator.district import Plan, Sending

OUTAGE = (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError, OSError)
IN_FLIGHT = 1000
TICK = 0.05
AGAIN_AFTER = 1.0
SPOILED = 100
"""One message in so many is sent once more with a byte too many."""


def spoiled(sending: Sending) -> Sending:
    """The message with a byte that makes it unreadable: it belongs in the quarantine."""
    return replace(sending, event=None, raw=sending.raw + b"!", kind="refused")


class Load:
    """Sends `plan` at `rate` messages per second from `start` to `finish`; rate 0: only what `send` is given.

    `meant` are the (source, id) of the events that must be in the log, `refused` the bodies that must lie in the
    quarantine, each as often as it was given; `sent` counts messages handed to the broker, `retries` those it did not
    acknowledge in time, and `repeated` how often each was handed over once more: the broker may have it so many times
    too often.
    """

    def __init__(self, settings: Settings, plan: Plan, rate: float) -> None:
        self.meant: set[tuple[str, str]] = set()
        self.refused, self.repeated = Counter[bytes](), Counter[bytes]()
        self.sent = self.retries = 0
        self.plan = plan
        self._planned = 0
        self._abandoned = False
        self._settings, self._rate = settings, rate
        self._coming = plan.sendings(clock.now())
        self._ahead = next(self._coming)
        self._ending = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1, "load")
        self._running: Future[None]
        self._jobs: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._js: JetStreamContext

    def start(self) -> None:
        """Begin; returns when the first message may be sent."""
        self._running = self._thread.submit(self._loop.run_until_complete, self._run())
        assert self._ready.wait(60), "the load finds no broker"

    def finish(self, seconds: float = 180) -> None:
        """Take no more from the plan, and wait until all is acknowledged; `TimeoutError` if it is not by then."""
        self._ending.set()
        self._running.result(seconds)

    def abandon(self) -> None:
        """Stop at once, whatever is on its way: the fault has failed."""
        self._ending.set()
        self._abandoned = True

    def take(self, count: int) -> list[Sending]:
        """The next sendings of the plan; those of one moment stay together, so a few more may come."""
        taken: list[Sending] = []
        while len(taken) < count or (taken and self._ahead.at == taken[-1].at):
            taken.append(self._ahead)
            self._ahead = next(self._coming)
        return taken

    def _due(self, count: int) -> Iterator[Sending]:
        """The next of the plan, each hundredth followed by a copy that must be refused."""
        for sending in self.take(count):
            self._planned += 1
            yield sending
            if self._planned % SPOILED == 0:
                yield spoiled(sending)

    @property
    def until(self) -> datetime:
        """The moment of the plan before which all was sent."""
        return self._ahead.at

    def send(self, sendings: list[Sending]) -> None:
        """Send these in their order and wait until all are acknowledged. For another thread than the load's."""
        asyncio.run_coroutine_threadsafe(self._together(sendings), self._loop).result(120)

    async def _together(self, sendings: list[Sending]) -> None:
        await asyncio.gather(*(self._deliver(sending) for sending in sendings))

    async def _run(self) -> None:
        async with bus.attached(self._settings, "chaos") as client:
            while not client.is_connected:  # noqa: ASYNC110
                await asyncio.sleep(TICK)
            self._js = client.jetstream()
            self._ready.set()
            owed = 0.0
            while not self._ending.is_set():
                owed = min(owed + self._rate * TICK, self._rate) if len(self._jobs) < IN_FLIGHT else 0.0
                for sending in self._due(int(owed)):
                    owed -= 1
                    self._begin(sending)
                await asyncio.sleep(TICK)
            while self._jobs:
                await asyncio.wait(self._jobs)

    def _begin(self, sending: Sending) -> None:
        job = asyncio.create_task(self._deliver(sending))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _deliver(self, sending: Sending) -> None:
        self._remember(sending)
        while True:
            self.sent += 1
            with suppress(*OUTAGE):
                await self._js.publish(sending.subject, sending.raw, timeout=2)
                return
            if self._abandoned:
                return
            self.retries += 1
            self.repeated[sending.raw] += 1
            await asyncio.sleep(AGAIN_AFTER)

    def _remember(self, sending: Sending) -> None:
        if sending.event and sending.kind == "meant":
            self.meant.add((sending.event.source, sending.event.id))
        if sending.kind == "refused":
            self.refused[sending.raw] += 1
