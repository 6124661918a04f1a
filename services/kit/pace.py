"""How fast one visitor may speak: so much at once, and then so much a second; who is faster waits, or is
told to."""

from __future__ import annotations

import asyncio

KEPT = 10_000


class Pace:
    """At most `burst` messages at once and `rate` a second, of each visitor by name."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._ahead = rate, burst / rate
        self._full: dict[str, float] = {}  # when it may say a burst again

    async def take(self, visitor: str) -> None:
        """Return when the visitor may say one more."""
        await asyncio.sleep(self._count(visitor))

    def early(self, visitor: str) -> float:
        """Seconds until the visitor may say one more; 0: it may now, and that is counted."""
        before = self._full.get(visitor)
        if wait := self._count(visitor):
            self._full[visitor] = before or 0.0
        return wait

    def _count(self, visitor: str) -> float:
        now = asyncio.get_running_loop().time()
        if len(self._full) > KEPT:
            self._full = {name: full for name, full in self._full.items() if full > now}
        full = self._full[visitor] = max(self._full.get(visitor, now), now) + 1 / self._rate
        return max(full - now - self._ahead, 0.0)
