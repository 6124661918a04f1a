"""What can happen, as data: a course is a row with its steps; a cohort is all lives of one course that begin in one
ward in one half hour; a life is one of them.

The moments of a cohort's lives lie in the order of their numbers, for every step. So a step of a whole cohort is one
sorted stream, made when its time comes: what is kept in memory does not grow with the number of lives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from schemas.envelope import EventData
from services.simulator.district.geography import Ward
from services.simulator.district.hours import CALENDAR, SLOT
from services.simulator.district.rng import Dice, minute

_SPREAD = 30
"""What would happen to a whole half hour's filings at one moment (the next opening) takes a minute."""


class Step(NamedTuple):
    """One event of a life: how it is made (bytes: as a careless source would), when, and by which door it is told.

    It happens `worked` working minutes after the life began, and `plus` ordinary minutes later.
    """

    make: Callable[[Life, datetime], EventData | bytes]
    worked: float = 0
    plus: float = 0
    door: str = ""


@dataclass(frozen=True)
class Workflow:
    """One way things go. `often`: lives of it among all that grow with the rate; or `fixed`: so many at each of its
    half hours in every unit, whatever the rate (`only`: in that unit); or `at_first`: so many in every unit in the
    plan's first whole half hour. `limit` (working days) and `way` (a channel) are for its makers. Its steps lie in the
    order of time."""

    name: str
    system: str
    hours: str
    steps: tuple[Step, ...]
    often: float = 0
    fixed: float = 0
    at_first: int = 0
    only: str = ""
    limit: int = 0
    way: str = ""
    door: str = "main"
    repeats: bool = True

    def source(self, step: Step) -> str:
        """The CloudEvents source that tells of the step."""
        return f"/simulator/{self.system}/{step.door or self.door}"

    @cached_property
    def longest(self) -> timedelta:
        """A span after which every life of it is over, holidays and waits between offices' hours included."""
        worked, plus = max(s.worked for s in self.steps), max(s.plus for s in self.steps)
        return timedelta(days=worked / 480 * 1.5 + (14 if worked else 0) + 2, minutes=plus)


class Cohort:
    """The `size` lives of a course that begin in `ward` in the half hour from `start`. `tag` names the plan."""

    __slots__ = ("course", "dice", "name", "number", "pace", "size", "start", "tag", "ward")

    def __init__(self, tag: str, seed: int, course: Workflow, number: int, ward: Ward, start: datetime) -> None:
        self.tag, self.course, self.number, self.ward, self.start = tag, course, number, ward, start
        self.name = f"{seed}/{course.name}/{ward.unit}/{minute(start)}"
        self.dice = Dice(self.name)
        self.pace = 0.92 + 0.08 * self.dice.unit(0)
        self.size = 0

    def life(self, number: int) -> Life:
        """Its life of that number, from 0."""
        return Life(self, number)


class Life:
    """One dossier, report, alert …: when it began, what it is called, and its own throws of the dice."""

    __slots__ = ("began", "cohort", "dice", "number")

    def __init__(self, cohort: Cohort, number: int) -> None:
        self.cohort, self.number = cohort, number
        self.dice = Dice(f"{cohort.name}/{number}")
        self.began = cohort.start + SLOT * ((number + self.dice.unit(0)) / cohort.size)

    def at(self, step: Step) -> datetime:
        """When a step of it happens, to the millisecond."""
        cohort, t = self.cohort, self.began
        if step.worked:
            t = CALENDAR.add_working_time(t, timedelta(minutes=step.worked * cohort.pace))
            t += (self.began - cohort.start) / _SPREAD
        if step.plus:
            t += timedelta(minutes=step.plus * cohort.pace)
        return t.replace(microsecond=t.microsecond // 1000 * 1000)

    def code(self, letters: str) -> str:
        """Its number in a register: `PA-T3F2A1-D251120-U05S17C03N000012`. The letters keep digits from looking like a
        telephone number."""
        c = self.cohort
        slot = c.start.hour * 2 + c.start.minute // 30
        day = f"{c.start:%y%m%d}"
        return f"{letters}-T{c.tag}-D{day}-U{c.ward.number:02d}S{slot:02d}C{c.number:02d}N{self.number:06d}"

    def dossier_code(self) -> str:
        """The code on a dossier's receipt; its unit is plainly invented."""
        c = self.cohort
        slot, plan = c.start.hour * 2 + c.start.minute // 30, int(c.tag, 16) % 10**6
        serial = c.ward.number * 100 + c.number
        return f"H99.{plan // 1000}.{plan % 1000}.{serial}-{c.start:%y%m%d}-{self.number * 48 + slot:06d}"


def utc(t: datetime) -> datetime:
    """The same moment in UTC."""
    return t.astimezone(UTC)
