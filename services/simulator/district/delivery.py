"""From happening to sending: seconds on the wire, senders that come late, repeat themselves, or fall silent and then
send all they kept."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

from schemas.calendar import VN
from services.simulator.district.rng import Dice
from services.simulator.district.workflows import Cohort

LATE_PERCENT = 4
LATE_MINUTES = (4, 12, 35, 90, 180, 360)
REPEATED_PERCENT = 1.5
REPEATED_SECONDS = (2, 20, 90, 700, 2400, 9000)
SILENT_PERCENT = 30
_CATCH_UP = 50
"""So many times as fast as it happened is sent what was kept."""


class Silence(NamedTuple):
    """A source says nothing from `start` to `stop`; by `level` it has sent all that it kept."""

    start: datetime
    stop: datetime
    level: datetime


@cache
def silence(seed: int, source: str, day: date) -> Silence | None:
    """When a source is silent on a local day, if it is: 20 to 60 minutes."""
    dice = Dice(f"{seed}/silence/{source}/{day}")
    if not dice.happens(0, SILENT_PERCENT):
        return None
    start = datetime.combine(day, time(7), VN) + timedelta(minutes=dice.between(1, 0, 840))
    length = timedelta(minutes=dice.between(2, 20, 60))
    return Silence(start, start + length, start + length * _CATCH_UP / (_CATCH_UP - 1))


def sent_at(seed: int, source: str, ready: datetime) -> datetime:
    """When a source sends what it is ready to send at a moment: then, or after its silence, in the same order."""
    quiet = silence(seed, source, ready.date())
    if quiet is None or not quiet.start <= ready < quiet.level:
        return ready
    return quiet.stop + (ready - quiet.start) / _CATCH_UP


def delay(cohort: Cohort, door: str) -> timedelta:
    """How long a cohort's events are on their way by a door: seconds, for a few of them hours."""
    dice = Dice(f"{cohort.name}/way/{door}")
    wire = timedelta(milliseconds=dice.between(0, 200, 9000))
    return wire + timedelta(minutes=dice.pick(1, LATE_MINUTES)) if dice.happens(2, LATE_PERCENT) else wire


def repetition(cohort: Cohort, step: int) -> timedelta | None:
    """How long after a step of a cohort is sent it is sent again, if it is."""
    dice = Dice(f"{cohort.name}/again/{step}")
    return timedelta(seconds=dice.pick(1, REPEATED_SECONDS)) if dice.happens(0, REPEATED_PERCENT) else None
