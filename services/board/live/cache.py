"""Answers that many readers share: each is asked for once, by the first, and again when it has grown old."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from services.board.live.patience import PATIENCE, Known, newest
from services.kit import clock

T = TypeVar("T")
MOST, SHARE, LONGEST_REST_SECONDS = 32, 5, 15.0
"""So many answers are kept; each for so many times what it took at least, since who looks often must not keep the board
busy; and for no longer than that after it came: what took a minute because the database stood still is not heavy."""


def rest_seconds(took: float) -> float:
    """How long nobody asks again after an answer that took so many seconds."""
    return min(SHARE * took, LONGEST_REST_SECONDS)


class _Question(Generic[T]):
    """What was asked. `coming`: its answer from the moment it is asked for, which is the newest for this `mark` and
    until then; `known`: the last that came."""

    def __init__(self) -> None:
        self.coming: asyncio.Task[T] | None = None
        self.known: Known[T] | None = None
        self.mark: Hashable = None
        self.until = 0.0

    def ask(self, ask: Callable[[], Awaitable[T]], seconds: float) -> asyncio.Task[T]:
        """Ask for the answer now."""
        self.until, self.coming = math.inf, asyncio.create_task(_unhurried(ask))
        self.coming.add_done_callback(partial(self._came, clock.now(), time.monotonic(), seconds))
        return self.coming

    def _came(self, at: datetime, began: float, seconds: float, coming: asyncio.Task[T]) -> None:
        now = time.monotonic()
        failed = coming.cancelled() or coming.exception() is not None
        if not failed and (self.known is None or self.known.at <= at):
            self.known = Known(coming.result(), at)
        if coming is self.coming:
            self.until = now if failed else now + max(seconds, rest_seconds(now - began))


async def _unhurried(ask: Callable[[], Awaitable[T]]) -> T:
    """What is shared is not hurried by the patience of the page that asked first."""
    PATIENCE.set(None)
    return await ask()


class SharedCache(Generic[T]):
    """The latest answers by what was asked; the least used give way.

    Nobody waits for the answer to another question. An error is told to all who waited for that answer; the next who
    comes asks again. A page whose patience is over is given the answer before (`patience.newest`).
    """

    def __init__(self, seconds: float, most: int = MOST) -> None:
        self._seconds, self._most = seconds, most
        self._questions: OrderedDict[Hashable, _Question[T]] = OrderedDict()

    def clear(self) -> None:
        """What was answered so far has changed: the next who comes asks again."""
        for question in self._questions.values():
            question.coming = None

    def at_hand(self, key: Hashable) -> T | None:
        """The last answer to `key`, without a question; None where there is none."""
        question = self._questions.get(key)
        return question.known.answer if question and question.known else None

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]], mark: Hashable = None) -> T:
        """The answer to `key`, from `ask` where none is fresh; of another `mark` none is."""
        question = self._questions.setdefault(key, _Question())
        coming = question.coming
        if coming is None or question.mark != mark or time.monotonic() >= question.until:
            question.mark, coming = mark, question.ask(ask, self._seconds)
        self._questions.move_to_end(key)
        if len(self._questions) > self._most:
            self._questions.popitem(last=False)
        # Who goes away leaves it to the others who wait.
        return await newest(asyncio.shield(coming), question.known)
