"""What an emitter had acknowledged a moment ago: told again, it is answered from here and is not sent again.

The broker is not asked whether it knows an event: it believes ids, and anyone who may publish can choose them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

SECONDS, MOST = 300.0, 20_000
ABREAST = 1000
"""How far the numbers of events that are sent at the same time lie apart, at the most."""


class Memory:
    """The stream's sequence of each event (by the digest of its content) that this process saw acknowledged."""

    def __init__(self, seconds: float = SECONDS, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: OrderedDict[UUID, tuple[int, float]] = OrderedDict()
        self._last = 0

    def sequence(self, digest: UUID) -> int | None:
        """Where the event is in the stream; None where that is not known any more."""
        seq, since = self._kept.get(digest, (0, 0.0))
        return seq if seq and self._clock() - since < self._seconds else None

    def keep(self, digest: UUID, seq: int) -> None:
        """The broker has just acknowledged the event. A sequence that falls tells of a stream that was made anew."""
        if seq < self._last - ABREAST:
            self._kept.clear()
        self._last = seq
        self._kept[digest] = seq, self._clock()
        self._kept.move_to_end(digest)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """The connection was lost: whatever the broker has become meanwhile, it is asked again."""
        self._kept.clear()
