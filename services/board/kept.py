"""Answers that many readers share: each is asked for once, by the first, and again when it has grown old."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 16


class Kept(Generic[T]):
    """The latest answers by what was asked; the least used give way. After an error the next who comes asks again."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to `key`, from `ask` where none is fresh."""
        async with self._one_at_a_time:
            since, answer = self._answers.get(key, (-self._seconds, None))
            if answer is None or time.monotonic() - since > self._seconds:
                answer = await ask()
                self._answers[key] = time.monotonic(), answer
                if len(self._answers) > MOST:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
            return answer
