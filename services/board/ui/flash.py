"""What a page tells once: how something ended that was posted, to the session that posted it and to no other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 200


class FlashMessages(Generic[T]):
    """What waits to be told, by whom it is for; of too many that nobody comes for, the oldest give way."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, T] = OrderedDict()

    def put(self, key: Hashable, what: T) -> None:
        """Tell it the next time that `key` comes."""
        self._waiting[key] = what
        self._waiting.move_to_end(key)
        if len(self._waiting) > MOST:
            self._waiting.popitem(last=False)

    def take(self, key: Hashable) -> T | None:
        """What waits for `key`, for the last time."""
        return self._waiting.pop(key, None)
