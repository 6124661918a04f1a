"""The plan: all that the district sends, in the order of sending, made when its time comes and the same each time.

Each half hour begins the cohorts of all courses in all wards; every step of a cohort is a stream that lies in order,
and a heap merges the streams. Nothing is remembered but the streams begun and not ended, so memory does not grow with
the rate, and to start in the middle needs only the cohorts that are not over by then.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import count
from typing import Literal

from schemas.calendar import VN, local_day
from schemas.envelope import Event
from schemas.registry import make
from services.simulator.district import delivery
from services.simulator.district.geography import FIRST_DAY, WARDS, Ward, wards
from services.simulator.district.hours import HOURS, SLOT, slot_start
from services.simulator.district.rng import Dice, minute
from services.simulator.district.tables import COURSES
from services.simulator.district.workflows import Cohort, Step, Workflow

Kind = Literal["meant", "repeat", "refused"]
LEAST_RATE, HIGHEST_RATE = 0.05, 5000.0
WEEK = 7 * 86_400
BURST_PERCENT, BURST = 1.0, 6.0
"""One half hour in a hundred, a system of a ward has so many times its usual work."""
_WITH_BURSTS = 1 + (BURST - 1) * BURST_PERCENT / 100


@dataclass(frozen=True, slots=True)
class Sending:
    """One message as it leaves its source at `at`. `event` is None where the bytes are no valid event.

    kind: `meant` for an event sent for the first time; `repeat` for the same bytes again; `refused` for what must end
    in the quarantine.
    """

    at: datetime
    event: Event | None
    raw: bytes
    subject: str
    kind: Kind

    @property
    def message_id(self) -> str:
        """The content's digest as text."""
        return self.event.message_id if self.event else blake2b(self.raw, digest_size=16).hexdigest()


class Stream:
    """One step of all lives of a cohort, as it is sent once (or again): moments in order, events when asked for."""

    __slots__ = ("cohort", "delay", "kind", "next", "seed", "source", "step", "step_number")

    def __init__(self, seed: int, cohort: Cohort, number: int, delay: timedelta, kind: Kind) -> None:
        self.seed, self.cohort, self.delay, self.kind = seed, cohort, delay, kind
        self.step_number, self.step = number, cohort.course.steps[number]
        self.source = cohort.course.source(self.step)
        self.next = 0

    def at(self, life: int) -> datetime:
        """When the event of a life is sent."""
        ready = self.cohort.life(life).at(self.step) + self.delay
        return delivery.sent_at(self.seed, self.source, ready)

    def skip_to(self, moment: datetime, born: datetime) -> None:
        """Leave out what is sent before a moment, and the lives that began before `born`."""
        cohort, lives = self.cohort, range(self.cohort.size)
        if cohort.start >= moment:
            return
        unborn = bisect_left(lives, born, key=lambda n: cohort.life(n).began) if cohort.start < born else 0
        over = self.at(lives[-1]) < moment
        self.next = cohort.size if over else max(bisect_left(lives, moment, key=self.at), unborn)

    def sending(self, at: datetime) -> Sending:
        """The next message of the stream, which leaves at `at`."""
        life = self.cohort.life(self.next)
        time, unit = life.at(self.step), self.cohort.ward.unit
        made = self.step.make(life, time)
        if isinstance(made, bytes):
            subject = f"ioc.events.{unit}.social.mention.aggregated"
            return Sending(at, None, made, subject, "refused")
        id = f"{life.code('EV')}-{self.step_number}"
        event = make(made, source=self.source, id=id, time=time, unit=unit, origin="simulated")
        return Sending(at, event, event.to_json(), event.subject, self.kind)


@dataclass(frozen=True)
class Plan:
    """A district's life from `start` on, at `rate` events per second: the mean over an ordinary week.

    The first weeks have fewer, since what takes weeks has to begin first. ValueError for a rate outside 0.05 to 5,000,
    a naive start, or one before the wards existed.
    """

    seed: int
    start: datetime
    rate: float

    def __post_init__(self) -> None:
        if not LEAST_RATE <= self.rate <= HIGHEST_RATE:
            raise ValueError(f"a rate of {self.rate} events/s; it must lie between {LEAST_RATE} and {HIGHEST_RATE:.0f}")
        if self.start.tzinfo is None:
            raise ValueError(f"the start {self.start.isoformat()} has no time zone; add +07:00")
        if local_day(self.start) < FIRST_DAY:
            raise ValueError(f"the start {local_day(self.start)} lies before {FIRST_DAY}, when the wards were founded")

    @cached_property
    def tag(self) -> str:
        """Six letters in every id, so that two plans never give one id to two events."""
        name = f"{self.seed}/{self.start.astimezone(VN).isoformat()}/{self.rate}"
        return blake2b(name.encode(), digest_size=3).hexdigest().upper()

    def sendings(self, until: datetime, since: datetime | None = None) -> Iterator[Sending]:
        """All messages sent in [start, until), or [since, until), in order of `at`; the same each time.

        Events happen from the start on. An interrupted sender goes on with `since`: what it has sent before is left
        out without being made.
        """
        for at, stream in self.streams(until, since):
            yield stream.sending(at)

    def streams(self, until: datetime, since: datetime | None = None) -> Iterator[tuple[datetime, Stream]]:
        """(moment, the stream whose next message leaves then), in order; see `sendings`."""
        begin = max(since or self.start, self.start)
        waiting: list[tuple[datetime, int, Stream]] = []
        order, opened = count(), begin
        slots = self._slots(begin)
        while True:
            while opened < until and (not waiting or waiting[0][0] >= opened):
                opened, streams = next(slots)
                for stream in streams:
                    stream.skip_to(begin, self.start)
                    _wait(waiting, next(order), stream)
            if not waiting or waiting[0][0] >= until:
                return
            at, number, stream = heapq.heappop(waiting)
            yield at, stream
            stream.next += 1
            _wait(waiting, number, stream)

    def _slots(self, begin: datetime) -> Iterator[tuple[datetime, list[Stream]]]:
        """(the end of a half hour, the streams that it begins), for ever; the first one holds all that may not be over
        at `begin`."""
        now = slot_start(begin)
        earlier: list[Stream] = []
        for course in COURSES:
            slot = max(slot_start(begin - course.longest - _LONGEST_DELAY), slot_start(self.start))
            while slot < now:
                earlier += self._begin(slot, (course,))
                slot += SLOT
        yield now, earlier
        while True:
            yield now + SLOT, self._begin(now, COURSES)
            now += SLOT

    def _begin(self, slot: datetime, workflows: tuple[Workflow, ...]) -> list[Stream]:
        begun = []
        for course in workflows:
            weight = HOURS[course.hours].weight(slot)
            if weight:
                for ward in wards(slot.date()):
                    begun += self._cohort(course, weight, ward, slot)
        return begun

    def _cohort(self, course: Workflow, weight: float, ward: Ward, slot: datetime) -> list[Stream]:
        if course.only not in ("", ward.unit):
            return []
        if course.at_first and not slot - SLOT < self.start <= slot:
            return []
        lives = (
            course.at_first
            or course.fixed * weight
            or self._often[course.name] * weight * ward.share * _burst(self.seed, course.system, ward.unit, slot)
        )
        cohort = Cohort(self.tag, self.seed, course, _NUMBERS[course.name], ward, slot)
        cohort.size = int(lives + cohort.dice.unit(5))
        if not cohort.size:
            return []
        return [stream for number, step in enumerate(course.steps) for stream in self._streams(cohort, number, step)]

    def _streams(self, cohort: Cohort, number: int, step: Step) -> Iterator[Stream]:
        way = delivery.delay(cohort, step.door)
        yield Stream(self.seed, cohort, number, way, "meant")
        again = delivery.repetition(cohort, number)
        if again and cohort.course.repeats:
            yield Stream(self.seed, cohort, number, way + again, "repeat")

    @cached_property
    def _often(self) -> dict[str, float]:
        """Course -> lives per weight of a half hour and percent of a ward."""
        growing = sum(course.often * len(course.steps) for course in COURSES)
        fixed = sum(_fixed_events(course) for course in COURSES)
        events = max(self.rate * WEEK - fixed, 0)
        return {c.name: events / growing * c.often / HOURS[c.hours].week() / 100 for c in COURSES}


def _fixed_events(course: Workflow) -> float:
    """Events a week of what does not grow with the rate."""
    wards = 1 if course.only else len(WARDS)
    return course.fixed * len(course.steps) * HOURS[course.hours].week() * wards


@lru_cache(1024)
def _burst(seed: int, system: str, unit: str, slot: datetime) -> float:
    """How many times its usual work a system of a ward has in a half hour, the same for all its courses."""
    dice = Dice(f"{seed}/burst/{system}/{unit}/{minute(slot)}")
    return (BURST if dice.happens(0, BURST_PERCENT) else 1.0) / _WITH_BURSTS


def _wait(waiting: list[tuple[datetime, int, Stream]], number: int, stream: Stream) -> None:
    if stream.next < stream.cohort.size:
        heapq.heappush(waiting, (stream.at(stream.next), number, stream))


_NUMBERS = {course.name: number for number, course in enumerate(COURSES)}
_LONGEST_DELAY = timedelta(days=1)
"""Late, silent and repeated together."""
