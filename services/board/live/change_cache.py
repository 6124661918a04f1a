"""What is read as a whole, and again when it has changed: at most once a second, for all who share it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
OLDEST_SECONDS, PAUSE_SECONDS, SHARE = 15.0, 1.0, 5
"""An answer is no older than the first, also when nothing tells of a change: time alone makes things overdue. Between
two readings there is the second, or so many times what one takes: a long list must not keep the board busy."""

_NEVER = object()


class ChangeCache(Generic[T]):
    """The latest answer of `ask`, and the `mark` of the moment it belongs to."""

    def __init__(self, ask: Callable[[], Awaitable[T]], mark: Callable[[], Hashable]) -> None:
        self._ask, self._mark = ask, mark
        self._cached: tuple[Hashable, float, T] | None = None
        self._next = 0.0
        self._one_at_a_time = asyncio.Lock()

    def fresh(self) -> T | None:
        """The answer, if it is the newest."""
        if self._cached is None:
            return None
        mark, at, answer = self._cached
        return answer if mark == self._mark() and time.monotonic() - at < OLDEST_SECONDS else None

    def forget(self) -> None:
        """Something was changed here: who asks next does not get what was read before."""
        if self._cached:
            self._cached = _NEVER, *self._cached[1:]

    async def at_hand(self) -> T:
        """An answer without delay: what was read last, if that is not old."""
        if self._cached and self._cached[0] is not _NEVER and time.monotonic() - self._cached[1] < OLDEST_SECONDS:
            return self._cached[2]
        return await self.get()

    async def get(self) -> T:
        """The answer that belongs to the mark of now, or to a later one."""
        async with self._one_at_a_time:
            if (answer := self.fresh()) is not None:
                return answer
            await asyncio.sleep(max(self._next - time.monotonic(), 0))
            mark, at = self._mark(), time.monotonic()
            try:
                answer = await self._ask()
            finally:  # what fails is no lighter
                self._next = at + max(PAUSE_SECONDS, SHARE * (time.monotonic() - at))
            self._cached = mark, at, answer
            return answer
