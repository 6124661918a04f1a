"""Two sources of events that are not real. Scenarios (`SCENARIOS`, by name): published figures expanded into events
that give the figures back. And `district`: a district that lives, sent by this service as time goes on, together with
what a loaded scenario's units do after its end.

A scenario is a module that offers what `Scenario` lists; `END` is its last local day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Protocol, cast

from schemas.envelope import Event
from services.simulator import november_2024


class Scenario(Protocol):
    """What every scenario module offers."""

    TITLE: str
    END: date

    def count_estimate(self) -> int:
        """About how many events it has, within one in a hundred."""

    def shift_for(self, until: date) -> int:
        """By how many whole weeks to shift it so that it ends as late as possible, but not after `until`."""

    def events(self, shift_weeks: int = 0) -> Iterator[Event]:
        """Its events, made one by one, the same ones each time."""


SCENARIOS: dict[str, Scenario] = {"november-2024": cast(Scenario, november_2024)}
