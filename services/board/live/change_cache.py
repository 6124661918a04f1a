"""What is read as a whole, and again when it has changed: at most once a second, for all who share it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from services.board.live.cache import rest_seconds
from services.board.live.patience import PATIENCE, Known, newest
from services.kit import clock

T = TypeVar("T")
OLDEST_SECONDS, PAUSE_SECONDS = 15.0, 1.0
"""An answer is no older than the first, also when nothing tells of a change: time alone makes things overdue. From one
reading's begin to the next there is the second at least, and `rest_seconds` after a long one."""

_NEVER = object()


class ChangeCache(Generic[T]):
    """The latest answer of `ask`, and the `mark` of the moment it belongs to."""

    def __init__(self, ask: Callable[[], Awaitable[T]], mark: Callable[[], Hashable]) -> None:
        self._ask, self._mark = ask, mark
        self._cached: tuple[Hashable, float, Known[T]] | None = None
        self._reading: asyncio.Task[T] | None = None
        self._next = 0.0

    def fresh(self) -> T | None:
        """The answer, if it is the newest."""
        if self._cached is None:
            return None
        mark, at, known = self._cached
        return known.answer if mark == self._mark() and time.monotonic() - at < OLDEST_SECONDS else None

    def forget(self) -> None:
        """Something was changed here: who asks next does not get what was read before, nor waits for its turn."""
        self._next = 0.0
        if self._cached:
            self._cached = _NEVER, *self._cached[1:]

    async def at_hand(self) -> T:
        """An answer without delay: what was read last, if that is not old."""
        if self._cached and self._cached[0] is not _NEVER and time.monotonic() - self._cached[1] < OLDEST_SECONDS:
            return self._cached[2].answer
        return await self.get()

    async def get(self) -> T:
        """The answer that belongs to the mark of now, or to a later one. A page whose patience is over is given the
        answer before."""
        known = self._cached[2] if self._cached else None
        return await newest(self._newest(), known)

    async def _newest(self) -> T:
        """Wait for the reading that began before, then share the next."""
        if self._reading and not self._reading.done():
            await asyncio.wait({self._reading})
        if (answer := self.fresh()) is not None:
            return answer
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> T:
        PATIENCE.set(None)
        await asyncio.sleep(max(self._next - time.monotonic(), 0))
        mark, at, moment = self._mark(), time.monotonic(), clock.now()
        try:
            answer = await self._ask()
        finally:  # what fails is no lighter
            ended = time.monotonic()
            self._next = max(at + PAUSE_SECONDS, ended + rest_seconds(ended - at))
        self._cached = mark, at, Known(answer, moment)
        return answer
