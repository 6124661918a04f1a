"""Chance without a state: a few bytes for every name, always the same ones, so that any moment can be made alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_WHOLE = 1 << 16


def minute(moment: datetime) -> str:
    """A local moment as it stands in names."""
    return moment.isoformat()[:16]


class Dice:
    """32 throws that follow from a name alone; each is asked for by its place, so that none depends on another."""

    __slots__ = ("_bytes",)

    def __init__(self, name: str) -> None:
        self._bytes = blake2b(name.encode(), digest_size=64).digest()

    def unit(self, place: int) -> float:
        """A number in [0, 1), in steps of 1/65536."""
        return (self._bytes[2 * place] << 8 | self._bytes[2 * place + 1]) / _WHOLE

    def pick(self, place: int, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.unit(place) * len(options))]

    def between(self, place: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included; at most 65,536 different ones."""
        return low + int(self.unit(place) * (high - low + 1))

    def happens(self, place: int, percent: float) -> bool:
        """True in so many of a hundred cases."""
        return self.unit(place) * 100 < percent
