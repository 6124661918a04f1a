"""How long a page waits for what it shows, and of when that is where the newest does not come in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from services.board.live.query_pool import TooMuch
from services.kit import store

T = TypeVar("T")
SECONDS, LEFT_SECONDS = 1.2, 0.2
"""How long a page waits for the newest; and how much longer for what has nothing older to give."""
BUSY = (TooMuch, *store.OUTAGE)
"""What says that there is no answer now: too much to read, an outage, or `TimeoutError`, which is an `OSError`."""


@dataclass
class Patience:
    """Until when a page waits, by the loop's clock; `of`: of when the oldest is that it was given instead of the
    newest, None: all is the newest."""

    until: float
    of: datetime | None = None

    @classmethod
    def begins(cls) -> Patience:
        """That of a page which is asked for now."""
        return cls(asyncio.get_running_loop().time() + SECONDS)


PATIENCE: ContextVar[Patience | None] = ContextVar("patience", default=None)
"""That of the page which asks here; None: who asks waits for as long as it takes."""


@dataclass(frozen=True)
class Known(Generic[T]):
    """An answer, and the moment it was asked for."""

    answer: T
    at: datetime


async def newest(coming: Awaitable[T], known: Known[T] | None) -> T:
    """The answer that is coming, or after the page's patience the one that is `known`. Raises what `BUSY` lists where
    there is neither."""
    patience = PATIENCE.get()
    if patience is None or known is None:
        return await coming
    try:
        async with asyncio.timeout_at(patience.until):
            return await coming
    except BUSY:
        patience.of = min(patience.of or known.at, known.at)
        return known.answer


async def in_patience(work: Awaitable[T]) -> T:
    """What comes of `work`; `TimeoutError` where that takes longer than the page waits."""
    patience = PATIENCE.get()
    async with asyncio.timeout_at(patience.until + LEFT_SECONDS if patience else None):
        return await work
