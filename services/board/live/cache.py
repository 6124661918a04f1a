"""Answers that many readers share: each is asked for once, by the first, and again when it has grown old."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
MOST, SHARE = 16, 5
"""So many answers are kept, each for so many times what it took at least: who looks often must not keep the board
busy."""


class _Answer(Generic[T]):
    """An answer from the moment it is asked for; `until`: how long it is the newest."""

    def __init__(self, ask: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._began, self._seconds = time.monotonic(), seconds
        self.until = math.inf
        self.given = asyncio.ensure_future(ask())
        self.given.add_done_callback(self._done)

    def _done(self, given: asyncio.Future[T]) -> None:
        now = time.monotonic()
        failed = given.cancelled() or given.exception() is not None
        self.until = now if failed else now + max(self._seconds, SHARE * (now - self._began))


class SharedCache(Generic[T]):
    """The latest answers by what was asked; the least used give way.

    Nobody waits for the answer to another question. An error is told to all who waited for that answer; the next who
    comes asks again.
    """

    def __init__(self, seconds: float, most: int = MOST) -> None:
        self._seconds, self._most = seconds, most
        self._answers: OrderedDict[Hashable, _Answer[T]] = OrderedDict()

    def clear(self) -> None:
        """What was answered so far has changed: the next who comes asks again."""
        self._answers.clear()

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to `key`, from `ask` where none is fresh."""
        cached = self._answers.get(key)
        if cached is None or time.monotonic() >= cached.until:
            cached = self._answers[key] = _Answer(ask, self._seconds)
        self._answers.move_to_end(key)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return await asyncio.shield(cached.given)  # who goes away leaves it to the others who wait
