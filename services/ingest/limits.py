"""How much one credential may send: a bucket of events and one of bytes, which fill by the second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

BURST_SECONDS = 10
ABREAST = 2
"""Requests with many events of one credential that are in work at a time."""


class Bucket:
    """Room for `BURST_SECONDS` of what flows in at `rate` per second."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._free, self._since = rate * BURST_SECONDS, clock()

    def take(self, amount: float) -> float:
        """Take so much; 0, or the seconds until there is enough, and then nothing is taken.

        What is larger than the whole bucket is let through when it is full.
        """
        if not (lacking := self.lacks(amount)):
            self._free -= amount
        return lacking

    def lacks(self, amount: float) -> float:
        """The seconds until there is so much; 0: there is. Nothing is taken."""
        now = self._clock()
        full = self._rate * BURST_SECONDS
        self._free, self._since = min(full, self._free + (now - self._since) * self._rate), now
        return max(min(amount, full) - self._free, 0.0) / self._rate

    def wait(self, amount: float) -> float:
        """Take so much whether it is there or not; the seconds to wait until it would have been."""
        if not (lacking := self.take(amount)):
            return 0.0
        self._free -= amount
        return lacking


class Limits:
    """The two buckets of one credential, and the turns of its requests that tell many events at once: who sends many of
    these abreast waits for itself, and nobody else does."""

    def __init__(self, events: float, size: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.events, self.bytes = Bucket(events, clock), Bucket(size, clock)
        self.turns = asyncio.Semaphore(ABREAST)
