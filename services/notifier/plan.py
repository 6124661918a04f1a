"""Who is to be told of an alarm by now, and when to look again: pure functions of alarm, table, calendar and clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple

from schemas.calendar import AFTERNOON, MORNING, VN, WorkCalendar
from services.notifier.alarm import Alarm
from services.notifier.routes import Route, Routes

When = Literal["working", "off", "always"]
Occasion = Literal["raised", "escalated", "deadline", "cleared"]
OPENS, CLOSES = MORNING[0], AFTERNOON[1]
"""Working hours for messages: a midday break is no reason to be silent."""


class Told(NamedTuple):
    """What was planned for an alarm before: a row of the table `notification`. `repeat`: it was perhaps received."""

    occasion: str
    person: str
    digest: bool
    state: str
    repeat: bool


class Planned(NamedTuple):
    """A person is to be told of an alarm. `occasion` is unique for the alarm: what happened, by which route's step."""

    alarm: int
    occasion: str
    person: str
    digest: bool
    due_at: datetime


class Plan(NamedTuple):
    """What follows for an alarm now. `passed`: its deadline has. `next_at`: when to look again; None: not again."""

    planned: list[Planned]
    passed: bool
    next_at: datetime | None


def plan(alarm: Alarm, told: Sequence[Told], routes: Routes, calendar: WorkCalendar, now: datetime) -> Plan:
    """What follows for an alarm at `now`, given what was planned for it before."""
    if alarm.cleared_at:
        return Plan(_farewells(alarm, told, routes, calendar, now), False, None)
    if alarm.acknowledged_at is None:
        return _escalation(alarm, told, routes, calendar, now)
    waits = alarm.deadline is not None and alarm.deadline > alarm.since
    passed = waits and alarm.deadline is not None and alarm.deadline <= now
    return Plan([], passed, now if passed else alarm.deadline if waits else None)


def _escalation(alarm: Alarm, told: Sequence[Told], routes: Routes, calendar: WorkCalendar, now: datetime) -> Plan:
    """Each step of each route, once its time has come and its hours have begun."""
    known = {row.occasion for row in told}
    planned: list[Planned] = []
    ahead: list[datetime] = []
    for route in routes.routes:
        if not route.takes(alarm):
            continue
        for number, step in enumerate(route.steps):
            occasion = _occasion(alarm, route, number)
            if occasion in known:
                continue
            due = _within(route.when, max(alarm.since + step.after, now), calendar)
            if due > now:
                ahead.append(due)
                continue
            at = digest_at(route, now, calendar)
            persons = routes.persons(step.to, now)
            planned += [Planned(alarm.id, occasion, p, route.digest is not None, at) for p in persons]
    return Plan(planned, False, min(ahead, default=None))


def _occasion(alarm: Alarm, route: Route, number: int) -> str:
    """`raised:<route>/0`, `escalated:<route>/1`; in the round after a deadline `deadline:<route>/0@<deadline>`."""
    again = alarm.since != alarm.raised_at
    what: Occasion = "escalated" if number else "deadline" if again else "raised"
    return f"{what}:{route.name}/{number}" + (f"@{alarm.since.isoformat()}" if again else "")


def occasion_of(text: str) -> Occasion:
    """What happened, of an occasion as it lies in the table."""
    found: Occasion = text.partition(":")[0]  # type: ignore[assignment]
    return found


def _farewells(
    alarm: Alarm, told: Sequence[Told], routes: Routes, calendar: WorkCalendar, now: datetime
) -> list[Planned]:
    """Who was told, or may have been, hears once that it is over; in a digest who heard of it in digests alone."""
    heard = [row for row in told if row.state in ("sending", "sent") or row.repeat]
    if any(occasion_of(row.occasion) == "cleared" for row in told):
        return []
    by_name = {route.name: route for route in routes.routes}
    planned = []
    for person in dict.fromkeys(row.person for row in heard):
        rows = [row for row in heard if row.person == person]
        route = by_name.get(rows[0].occasion.partition(":")[2].partition("/")[0])
        digest = all(row.digest for row in rows) and route is not None
        at = digest_at(route, now, calendar) if digest and route else now
        planned.append(Planned(alarm.id, "cleared", person, digest, at))
    return planned


def _within(when: When, moment: datetime, calendar: WorkCalendar) -> datetime:
    """The first moment from this one on that lies within the hours."""
    local = moment.astimezone(VN)
    works = calendar.is_working_day(local.date()) and OPENS <= local.time() < CLOSES
    if when == "always" or works == (when == "working"):
        return moment
    if when == "off":
        return datetime.combine(local.date(), CLOSES, VN)
    return calendar.next_opening(moment)


def digest_at(route: Route, now: datetime, calendar: WorkCalendar) -> datetime:
    """When what is due now is said: now, or with the route's next digest, within its hours."""
    if route.digest is None:
        return now
    midnight = datetime.combine(now.astimezone(VN).date(), time(), VN)
    if isinstance(route.digest, timedelta):
        at = midnight + ((now - midnight) // route.digest + 1) * route.digest
    else:
        at = min(moment for moment in _clocks(midnight, route.digest) if moment > now)
    return _within(route.when, at, calendar)


def _clocks(midnight: datetime, clocks: Iterable[time]) -> list[datetime]:
    return [datetime.combine((midnight + timedelta(days=day)).date(), clock, VN) for day in (0, 1) for clock in clocks]
