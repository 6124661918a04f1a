"""Where the simulator is: what it sends and how far it has sent it, in one small file that is whole at every moment."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from services.simulator.district import Plan

FILE = "simulator.json"
LOADED = "scenario.loaded"
"""The file beside its progress that says by how many weeks the scenario is shifted which goes on here."""


@dataclass(frozen=True)
class Progress:
    """A plan, by how many weeks the scenario is shifted that goes on beside it (None: none does), and the moment before
    which all their messages are acknowledged. Times are ISO, with their offset."""

    seed: int
    start: str
    rate: float
    sent_until: str
    weeks: int | None = None

    @classmethod
    def of(cls, plan: Plan, sent_until: datetime, weeks: int | None = None) -> Progress:
        """What is to be remembered."""
        return cls(plan.seed, plan.start.isoformat(), plan.rate, sent_until.isoformat(), weeks)

    @property
    def plan(self) -> Plan:
        """The plan that is being sent."""
        return Plan(self.seed, datetime.fromisoformat(self.start), self.rate)

    @property
    def until(self) -> datetime:
        """All that the plan sends before this moment is on the broker's disk."""
        return datetime.fromisoformat(self.sent_until)

    def reached(self, moment: datetime) -> Progress:
        """The same plan, sent up to a later moment."""
        return replace(self, sent_until=moment.isoformat())

    def save(self, folder: Path) -> None:
        """Write it in place of the one before; a reader finds the one or the other."""
        beside = folder / f"{FILE}.new"
        with beside.open("w") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / FILE)


def load(folder: Path) -> Progress | None:
    """What was saved in the folder; None where nothing was."""
    file = folder / FILE
    return Progress(**json.loads(file.read_text())) if file.exists() else None


def loaded_weeks(folder: Path) -> int | None:
    """By how many weeks the scenario is shifted that was loaded here; None where none was."""
    file = folder / LOADED
    return int(file.read_text()) if file.exists() else None
