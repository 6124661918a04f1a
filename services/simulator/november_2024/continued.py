"""The scenario goes on: after its end its units finish what they left open, and new dossiers come at its pace.

All of it is made up, and says so. Moments are those of the shifted scenario, so from its end on holidays are the real
ones. Nothing lies before the end, so no published figure moves. The same events each time, wherever one begins.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, count
from random import Random
from typing import NamedTuple

from schemas import field as f
from schemas.calendar import VN, WORKING_DAY
from schemas.envelope import Event, EventData
from schemas.types import Channel
from services.simulator.november_2024 import moments
from services.simulator.november_2024.dossiers import (
    BY_POST,
    CALENDAR,
    PAID_ONLINE,
    SUPPLEMENTS,
    Dossier,
    Due,
    after,
    course,
    dossiers,
    obligations,
    weights,
)
from services.simulator.november_2024.hotline import open_messages
from services.simulator.november_2024.life import life, over, overdue_counts
from services.simulator.november_2024.moments import CLOSE
from services.simulator.november_2024.offers import PROFILES, Obligation, Offer, Profile, cells, offers, seeded
from services.simulator.november_2024.shift import Continuation
from services.simulator.november_2024.statements import PROVINCE

LATE_PERMILLE = 6.7
"""Of the dossiers promised for a day: as many as keep the number of overdue ones where the scenario left it."""
LATE_DAYS = (2, 3, 4, 5, 6)
LONGEST = timedelta(days=75)
"""A span after which a dossier is over, with the longest limit, the latest end, holidays and ratings."""
_AMOUNTS: dict[Obligation, tuple[int, ...]] = {
    "tax": (400, 900, 1_500, 2_200, 3_400, 9_900),
    "fee": (20, 20, 50, 50, 100, 150, 900),
}
"""Thousands of đồng: means as published."""


class Step(NamedTuple):
    """What happens next, and of whom it is told."""

    time: datetime
    number: int
    id: str
    unit: str
    data: EventData


class Quota:
    """How many of a group are late: the parts that are not whole are carried on, so that few groups have many."""

    def __init__(self) -> None:
        self._owed = 0.5

    def of(self, size: int) -> int:
        """The next group's."""
        self._owed += size * LATE_PERMILLE / 1000
        whole = int(self._owed)
        self._owed -= whole
        return whole


def continued(weeks: int, since: datetime) -> Iterator[Event]:
    """All that happens from `since` and from the scenario's end on, in order of time, for ever."""
    made = Continuation(weeks)
    close = CLOSE + made.days
    begin = max(since, close)
    numbers, waiting = count(), list[Step]()
    if begin < close + LONGEST:
        _add(waiting, (*_tail(made, begin, numbers), *_messages(made, numbers)), begin)
    day = max(close, begin - LONGEST).date()
    while True:
        _add(waiting, _of_day(made, day, begin, numbers), begin)
        day += timedelta(days=1)
        midnight = datetime.combine(day, time(), VN)
        while waiting and waiting[0].time < midnight:
            step = heapq.heappop(waiting)
            yield made.event(step.data, id=step.id, time=step.time - made.days, unit=step.unit)


def _add(waiting: list[Step], steps: Iterable[Step], begin: datetime) -> None:
    for step in steps:
        if step.time >= begin:
            heapq.heappush(waiting, step)


def _tail(made: Continuation, begin: datetime, numbers: Iterator[int]) -> Iterator[Step]:
    """What the scenario left open, finished as it would have been; some of it late."""
    quotas: dict[date, Quota] = defaultdict(Quota)
    for number, (profile, overdue) in enumerate(zip(PROFILES, overdue_counts(), strict=True), start=1):
        planned, _ = dossiers(profile, overdue)
        _delay(planned, made, quotas)
        for serial, dossier in enumerate(planned, start=1):
            if dossier.ended < CLOSE:
                continue
            code = made.dossier_code(number, dossier.submitted.date(), serial)
            transaction = f"TXN-{number:02d}D{serial:04d}-{made.tag}"
            yield from _steps(profile, code, transaction, _moved(dossier, made), begin, numbers)


def _delay(planned: Iterable[Dossier], made: Continuation, quotas: dict[date, Quota]) -> None:
    """Let some of those that are promised for a working day after the end be late."""
    promised: dict[date, list[Dossier]] = defaultdict(list)
    for dossier in planned:
        if dossier.promised and dossier.promised.date() >= moments.END:
            promised[dossier.promised.date()].append(dossier)
    for day, due in sorted(promised.items()):
        if CALENDAR.is_working_day(day + made.days):
            able = [d for d in due if _may_be_late(d) and d.ended >= CLOSE]
            for dossier in able[: quotas[day].of(len(due))]:
                _be_late(dossier, made)


def _may_be_late(dossier: Dossier) -> bool:
    """One whose clock nothing stops."""
    return dossier.end == "resolved" and not dossier.due and not dossier.supplement


def _be_late(dossier: Dossier, made: Continuation) -> None:
    assert dossier.promised is not None
    days = seeded(f"late/{dossier.submitted.isoformat()}").choice(LATE_DAYS)
    ended = CALENDAR.add_working_time(dossier.promised + made.days, days * WORKING_DAY)
    dossier.ended = ended - made.days


def _moved(dossier: Dossier, made: Continuation) -> Dossier:
    """The dossier with its moments as they are now. Who is overdue at the end is worked on when offices are open."""
    days, due, waited = made.days, dossier.due, dossier.supplement
    ended = dossier.ended + days
    if dossier.promised and dossier.promised.date() < moments.END:
        left = CALENDAR.working_time_between(CLOSE, dossier.ended)
        ended = CALENDAR.add_working_time(CLOSE + days, left)
    return replace(
        dossier,
        submitted=dossier.submitted + days,
        ended=ended,
        accepted=dossier.accepted and dossier.accepted + days,
        promised=dossier.promised and dossier.promised + days,
        supplement=waited and (waited[0] + days, waited[1] + days),
        due=due and replace(due, requested=due.requested + days, paid=due.paid and due.paid + days),
    )


def _steps(
    profile: Profile, code: str, transaction: str, dossier: Dossier, begin: datetime, numbers: Iterator[int]
) -> Iterator[Step]:
    """The steps of a dossier; none where all lie before the beginning."""
    if dossier.ended < begin and over(dossier) < begin:
        return
    for name, at, data in life(code, transaction, dossier, timedelta(), seeded(f"continued/{code}")):
        yield Step(at, next(numbers), name if name == transaction else f"{code}-{name}", profile.unit, data)


def _messages(made: Continuation, numbers: Iterator[int]) -> Iterator[Step]:
    """The hotline's open messages are answered in the first hours that are worked."""
    for place, code in enumerate(open_messages(made)):
        at = CALENDAR.add_working_time(CLOSE + made.days, timedelta(minutes=30 + 20 * place))
        data = f.ReportResolved(code=code, handling="handled")
        yield Step(at, next(numbers), f"{code}-resolved", PROVINCE, data)


def _of_day(made: Continuation, day: date, begin: datetime, numbers: Iterator[int]) -> Iterator[Step]:
    """All steps of the dossiers that are filed on a local day."""
    quota = Quota()
    for number, profile in enumerate(PROFILES, start=1):
        rng = seeded(f"continued/{profile.unit}/{day.isoformat()}")
        filed = sorted(_filed(profile, day, rng), key=lambda d: d.submitted)
        able = [d for d in filed if _may_be_late(d)]
        for dossier in rng.sample(able, min(quota.of(len(filed)), len(able))):
            _be_late(dossier, Continuation())
        for serial, dossier in enumerate(filed, start=1):
            code = f"H99.{number:02d}-{day:%y%m%d}-{serial:04d}"
            transaction = f"TXN-{number:02d}D{day:%y%m%d}S{serial:04d}-{made.tag}"
            yield from _steps(profile, code, transaction, dossier, begin, numbers)


def _filed(profile: Profile, day: date, rng: Random) -> Iterator[Dossier]:
    """A unit's new dossiers of a day, as many as on such a day of November."""
    used, wanted = _used(profile)
    shape = day.weekday() if CALENDAR.is_working_day(day) else max(day.weekday(), 5)
    for door in ("online", "counter"):
        for _ in range(int(_pace(profile, door) * moments.WEEK[door][shape] + rng.random())):
            filed = moments.moment(day, "weekend" if shape >= 5 else door, rng)
            dossier = course(_channel(door, rng), filed, rng.choices(used, cum_weights=wanted)[0], rng)
            _oblige(profile, dossier, rng)
            yield dossier


def _channel(door: str, rng: Random) -> Channel:
    return "online" if door == "online" else "post" if rng.randrange(100) < BY_POST else "counter"


@cache
def _used(profile: Profile) -> tuple[tuple[Offer, ...], tuple[float, ...]]:
    """The procedures that are asked for, and how much: sums of their weights."""
    used = offers(profile)[: profile.used]
    return used, tuple(accumulate(weights(used, profile)))


@cache
def _pace(profile: Profile, door: str) -> float:
    """Dossiers for each weight of a day."""
    _, to_23rd, rest = cells(profile)
    online, received = to_23rd.online + rest.online, to_23rd.received + rest.received
    days = (moments.END - moments.FIRST_DAY).days + 1
    month = sum(moments.WEEK[door][(moments.FIRST_DAY + timedelta(days=n)).weekday()] for n in range(days))
    return (online if door == "online" else received - online) / month


def _oblige(profile: Profile, dossier: Dossier, rng: Random) -> None:
    """A tax or fee to pay, or papers to wait for, about as often as in the scenario; nobody is late for it."""
    if dossier.end != "resolved" or not dossier.accepted:
        return
    kind, span = (
        dossier.offer.obligation,
        CALENDAR.working_time_between(dossier.accepted, dossier.ended).total_seconds(),
    )
    if kind and rng.random() < 0.78 and span > 1800:
        requested = after(dossier.accepted, span * rng.randrange(5, 40) / 100)
        paid = after(requested, span * rng.randrange(5, 50) / 100)
        online = kind in obligations(profile) and rng.randrange(100) < PAID_ONLINE
        dossier.due = Due(kind, rng.choice(_AMOUNTS[kind]) * 1000, requested, paid if online else None)
    elif dossier.offer.limit >= 5 and rng.randrange(100) < SUPPLEMENTS:
        requested = after(dossier.accepted, span * rng.randrange(10, 30) / 100)
        dossier.supplement = requested, after(requested, span * rng.randrange(20, 45) / 100)
