"""What the morning brief tells, as figures: how index 766 stood at the end of yesterday, how it moved, and of what it
is known that it is not whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from psycopg import Connection

from schemas import units as administrative
from schemas.calendar import local_day
from schemas.index766.rules import rule_set
from schemas.index766.scoring import ComponentScore, ranked_as
from schemas.registry import DATA_TYPES
from services.kit.facts import stored_calendars
from services.readings.index766 import UnitIndex, unit_index, unit_indices
from services.readings.index766_dossiers import Day, compared_by, course, moved, same_rules
from services.readings.memo import memoised, snapshot
from services.readings.period import Period, midnight
from services.readings.sources import sources
from services.readings.whatif import until

SYSTEM = "procedures"
WEEK = 7
FELL = Decimal("0.5")
"""Who lost so many points in a day is named first."""
FALLING_DAYS = 3
MOST = {"department": 3, "commune": 10}
"""So many units of each kind are named."""
WEAKEST = 2
DAY = timedelta(days=1)
Obstacle = Literal["first_day", "other_rules", "unknown"]
"""Why two days are not compared."""


@dataclass(frozen=True)
class Watched:
    """A unit to be looked at: its points at the end of yesterday, by how much they moved in that day (None: the days
    cannot be compared), and on how many dossiers its share on time rests."""

    unit: str
    points: Decimal
    change: Decimal | None
    base: Decimal | None


@dataclass(frozen=True)
class BriefData:
    """The brief of a unit (None: the whole locality) on the morning of a day."""

    unit: str | None
    as_of: datetime
    yesterday: date
    own: UnitIndex
    change: Decimal | None
    obstacle: Obstacle | None
    rank: int | None
    peers: int
    week: Sequence[Day]
    weakest: Sequence[ComponentScore]
    watched: Mapping[str, Sequence[Watched]]
    """`department` and `commune` -> the units of that kind to be looked at, the gravest first."""
    falling: Sequence[str]
    empty: Sequence[date]
    silent: int
    silent_since: datetime | None

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be missing of the days that are told of."""
        return not (self.empty or self.silent)


def brief_data(conn: Connection, rules: str, unit: str | None, as_of: datetime) -> BriefData:
    """All of it, from one snapshot. NoRules where yesterday has no such rule set."""
    yesterday = local_day(as_of) - DAY
    with snapshot(conn):
        conn = memoised(conn)
        empty = _empty_days(conn, unit, yesterday)
        own, before = (unit_index(conn, rules, unit, until(day)) for day in (yesterday, yesterday - DAY))
        change = moved(own, before)
        obstacle = obstacle_of(rules, yesterday, empty) or ("unknown" if change is None else None)
        below = _below(conn, rules, unit, yesterday, empty)
        days = course(conn, rules, unit, yesterday, WEEK, compared_by(conn, rules, unit, yesterday))
        rank, peers = _rank(conn, rules, unit, yesterday)
        stale = [s for s in sources(conn, as_of) if s.system == SYSTEM and s.stale]
    return BriefData(
        unit, as_of, yesterday, own,
        None if obstacle else change, obstacle,
        rank, peers,
        [Day(d.day, None) if d.day in empty else d for d in days],
        weakest(own), to_watch(below), falling(below), empty,
        len(stale), min((s.last_recorded for s in stale), default=None),
    )  # fmt: skip


def obstacle_of(rules: str, day: date, empty: Collection[date]) -> Obstacle | None:
    """Why a day is not held against the one before: months begin anew, rules differ, and of a day without data nothing
    is known."""
    if day in empty or day - DAY in empty:
        return "unknown"
    if day.day == 1:
        return "first_day"
    return None if same_rules(rule_set(rules, day), day - DAY) else "other_rules"


def _empty_days(conn: Connection, unit: str | None, last: date) -> list[date]:
    """The working days of the last week on which nothing happened at all: there are no data of them."""
    first, units = last - (WEEK - 1) * DAY, administrative.scope(unit) if unit else None
    types = [name for name, data in DATA_TYPES.items() if data.system == SYSTEM]
    values = {"start": midnight(first), "stop": midnight(last + DAY), "units": units and sorted(units), "types": types}
    known = {day for (day,) in conn.execute(_DAYS, values).fetchall()}
    calendar = stored_calendars(conn).at(midnight(last + DAY))
    week = [first + back * DAY for back in range(WEEK)]
    return [day for day in week if day not in known and calendar.is_working_day(day)]


def _rank(conn: Connection, rules: str, unit: str | None, day: date) -> tuple[int | None, int]:
    """The rank of a unit among its like, and how many of them are ranked."""
    if unit is None:
        return None, 0
    everyone = unit_indices(conn, rules, None, until(day))
    level = ranked_as(administrative.on(unit, day).level)
    peers = sum(1 for u in everyone if u.rank and ranked_as(u.level) == level)
    return next((u.rank for u in everyone if u.unit == unit), None), peers


def weakest(own: UnitIndex) -> list[ComponentScore]:
    """The components that cost most, the most first."""
    given = [c for c in own.score.components if c.points is not None and c.count and c.count.denominator]
    lossy = [c for c in given if _lost(c) > 0]
    return sorted(lossy, key=_lost, reverse=True)[:WEAKEST]


def _lost(one: ComponentScore) -> Decimal:
    return one.component.maximum - (one.points or Decimal(0))


Days = Sequence[Mapping[str, UnitIndex]]
"""unit -> its index, at the end of each of the last days that can be compared; yesterday first."""


def _below(conn: Connection, rules: str, root: str | None, day: date, empty: Collection[date]) -> Days:
    """The units below one."""
    days: list[dict[str, UnitIndex]] = []
    if root and not administrative.children(root):
        return days
    for back in range(FALLING_DAYS + 1):
        found = unit_indices(conn, rules, root, until(day - back * DAY))
        days.append({u.unit: u for u in found if u.unit != root})
        if obstacle_of(rules, day - back * DAY, empty):
            break
    return days


def _moves(days: Days, unit: str) -> Iterator[Decimal]:
    """How a unit moved in each of the days, yesterday first, as far as that is known."""
    for after, before in pairwise(days):
        if unit not in after or unit not in before or (by := moved(after[unit], before[unit])) is None:
            return
        yield by


def falling(days: Days) -> list[str]:
    """Who lost points on each of the last days."""
    found = {unit: list(_moves(days, unit)) for unit in (days[0] if days else ())}
    return [u for u, moves in found.items() if len(moves) == FALLING_DAYS and all(by < 0 for by in moves)]


def to_watch(days: Days) -> dict[str, list[Watched]]:
    """Who fell by half a point or more, most first; then who has less than half of the points, weakest first."""
    found: dict[str, list[tuple[tuple[int, Decimal], Watched]]] = {kind: [] for kind in MOST}
    for unit, index in (days[0] if days else {}).items():
        change, score = next(_moves(days, unit), None), index.score
        fell = change is not None and change <= -FELL
        if fell or score.points * 2 < score.scored:
            order = (0, change or Decimal(0)) if fell else (1, score.points / score.scored)
            kind = "department" if index.level == "department" else "commune"
            found[kind].append((order, Watched(unit, score.points, change, _base(index))))
    return {
        kind: [one for _, one in sorted(some, key=lambda placed: placed[0])][: MOST[kind]]
        for kind, some in found.items()
    }


def _base(index: UnitIndex) -> Decimal | None:
    count = index.counts["ON_TIME"].count if "ON_TIME" in index.counts else None
    return count.denominator if count else None


def yesterday_of(data: BriefData) -> Period:
    """The day that the brief tells of, as it was known at its end."""
    return Period(data.yesterday, data.yesterday, until(data.yesterday).as_of)


_DAYS = """
SELECT DISTINCT (time AT TIME ZONE 'GMT' + interval '7 hours')::date FROM event
WHERE time >= %(start)s AND time < %(stop)s AND type = ANY(%(types)s)
    AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))
"""
