"""What every benchmark may be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`events`: the size of the load, `minutes`: how long it goes on where it does, each None for the benchmark's own;
    `quick`: small and once, only to see it work."""

    events: int | None = None
    quick: bool = False
    minutes: float | None = None

    def count(self, usual: int, quick: int) -> int:
        """The size of the load."""
        return self.events or (quick if self.quick else usual)

    def rounds(self, usual: int) -> int:
        """How often a measurement is repeated."""
        return 1 if self.quick else usual
