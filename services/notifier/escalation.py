"""Who is to be told of an alarm by now, and when to look again: pure functions of alarm, table, calendar and clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple

from schemas.calendar import AFTERNOON, MORNING, VN, WorkCalendar
from services.notifier.alarm import Alarm
from services.notifier.routes import Route, Routes, When

Occasion = Literal["raised", "escalated", "deadline", "reopened", "cleared"]
OPENS, CLOSES = MORNING[0], AFTERNOON[1]
"""Working hours for messages: a midday break is no reason to be silent."""
_DAY = {"working": timedelta(hours=CLOSES.hour - OPENS.hour), "off": timedelta(hours=24 - CLOSES.hour + OPENS.hour)}
TICK = timedelta(microseconds=1)
IN_TIME = timedelta(minutes=1)
"""So much later a message may be sent and still count as sent when it was due."""
RETRY = timedelta(seconds=5)
"""When to look again for what should have been sent by now."""


class PreviousNotification(NamedTuple):
    """What was planned for an alarm before: a row of the table `notification`. `repeat`: it was perhaps received;
    `read_at`: when it was sent, or first tried in vain."""

    occasion: str
    person: str
    digest: bool
    state: str
    repeat: bool
    due_at: datetime | None = None
    read_at: datetime | None = None


class PlannedNotification(NamedTuple):
    """A person is to be told of an alarm. `occasion` is unique for the alarm: what happened, by which route's step."""

    alarm: int
    occasion: str
    person: str
    digest: bool
    due_at: datetime


class NotificationPlan(NamedTuple):
    """What follows for an alarm now. `passed`: its deadline has. `next_at`: when to look again; None: not again."""

    planned: list[PlannedNotification]
    passed: bool
    next_at: datetime | None


def plan(
    alarm: Alarm, sent: Sequence[PreviousNotification], routes: Routes, calendar: WorkCalendar, now: datetime
) -> NotificationPlan:
    """What follows for an alarm at `now`, given what was planned for it before."""
    if alarm.cleared_at:
        return NotificationPlan(_farewells(alarm, sent, routes, calendar, now), False, None)
    if alarm.acknowledged_at is None:
        return _escalation(alarm, sent, routes, calendar, now)
    waits = alarm.deadline is not None and alarm.deadline > alarm.since
    passed = waits and alarm.deadline is not None and alarm.deadline <= now
    return NotificationPlan([], passed, now if passed else alarm.deadline if waits else None)


def _escalation(
    alarm: Alarm, sent: Sequence[PreviousNotification], routes: Routes, calendar: WorkCalendar, now: datetime
) -> NotificationPlan:
    """The next step of each route, once its time has come and its hours have begun."""
    planned: list[PlannedNotification] = []
    ahead: list[datetime] = []
    for route in routes.routes:
        if route.takes(alarm):
            found, next_look = _of_route(alarm, route, sent, routes, calendar, now)
            planned += found
            ahead += [next_look] if next_look else []
    return NotificationPlan(planned, False, min(ahead, default=None))


def _of_route(
    alarm: Alarm,
    route: Route,
    sent: Sequence[PreviousNotification],
    routes: Routes,
    calendar: WorkCalendar,
    now: datetime,
) -> tuple[list[PlannedNotification], datetime | None]:
    """Who is told now by a route, and when to look again. A step waits until the one before it could be read, and then
    for so much time in which it could have been answered."""
    since = alarm.since
    for number, step in enumerate(route.steps):
        due, occasion = _due(route, number, since, calendar), _occasion(alarm, route, number)
        rows = [row for row in sent if row.occasion == occasion]
        if not rows and due > now:
            return [], due
        if not rows:
            at, digest = _sent_at(route, route.hours(step), due, now, calendar), route.digest is not None
            persons = routes.persons(step.to, now)
            return [PlannedNotification(alarm.id, occasion, p, digest, at) for p in persons], _next_look(
                route, number, at, calendar, now
            )
        read = _read(rows, due)
        if read is None:
            sent_by = max(row.due_at or due for row in rows)
            return [], _next_look(route, number, sent_by, calendar, now)
        since = read
    return [], None


def _due(route: Route, number: int, since: datetime, calendar: WorkCalendar) -> datetime:
    """When a step is told if the one before it was read at `since` (of the first: if the alarm was raised then)."""
    step, when = route.steps[number], route.hours(route.steps[number])
    before = route.steps[number - 1].after if number else timedelta()
    return reached(when, since, max(_worth(when, step.after) - _worth(when, before), timedelta()), calendar)


def _next_look(route: Route, number: int, read: datetime, calendar: WorkCalendar, now: datetime) -> datetime | None:
    """When to look for the step after this one, if this one is read at `read`."""
    return max(_due(route, number + 1, read, calendar), now + RETRY) if number + 1 < len(route.steps) else None


def _read(rows: Sequence[PreviousNotification], due: datetime) -> datetime | None:
    """When the first of them could read it; None: nobody could yet. Who is in the table no more never will."""
    known = (row for row in rows if row.read_at or row.due_at is None or row.state == "dropped")
    return min((_read_by(row, due) for row in known), default=None)


def _read_by(row: PreviousNotification, due: datetime) -> datetime:
    """What was sent in time counts from when it was due, so that one digest follows another by whole days."""
    planned = row.due_at or due
    return planned if row.read_at is None or row.read_at - planned <= IN_TIME else row.read_at


def _sent_at(route: Route, when: When, due: datetime, now: datetime, calendar: WorkCalendar) -> datetime:
    """When a step that is due is told: now, or with the digest that was next when it fell due, or is by now."""
    if route.digest is None:
        return now
    at = digest_at(route, when, due - TICK, calendar)
    return at if at >= now - IN_TIME else digest_at(route, when, now, calendar)


def _occasion(alarm: Alarm, route: Route, number: int) -> str:
    """`raised:<route>/0`, `escalated:<route>/1`; in a later round `deadline:<route>/0@<since>`, or
    `reopened:…` where an acknowledgement ended in another way."""
    again = alarm.since != alarm.raised_at
    begun: Occasion = "raised" if not again else "deadline" if alarm.since == alarm.deadline else "reopened"
    what: Occasion = "escalated" if number else begun
    return f"{what}:{route.name}/{number}" + (f"@{alarm.since.isoformat()}" if again else "")


def occasion_of(text: str) -> Occasion:
    """What happened, of an occasion as it lies in the table."""
    found: Occasion = text.partition(":")[0]  # type: ignore[assignment]
    return found


def _farewells(
    alarm: Alarm, sent: Sequence[PreviousNotification], routes: Routes, calendar: WorkCalendar, now: datetime
) -> list[PlannedNotification]:
    """Who was told, or may have been, hears once that it is over; in a digest who heard of it in digests alone."""
    heard = [row for row in sent if row.state in ("sending", "sent") or row.repeat]
    if any(occasion_of(row.occasion) == "cleared" for row in sent):
        return []
    by_name = {route.name: route for route in routes.routes}
    planned = []
    for person in dict.fromkeys(row.person for row in heard):
        rows = [row for row in heard if row.person == person]
        route = by_name.get(rows[0].occasion.partition(":")[2].partition("/")[0])
        digest = all(row.digest for row in rows) and route is not None
        at = digest_at(route, route.when, now, calendar) if digest and route else now
        planned.append(PlannedNotification(alarm.id, "cleared", person, digest, at))
    return planned


def reached(when: When, start: datetime, left: timedelta, calendar: WorkCalendar) -> datetime:
    """The first moment within the hours after `left` of them has passed since `start`."""
    if when == "always":
        return start + left
    moment = _within(when, start, calendar)
    while (window := _closing(when, moment, calendar) - moment) <= left:
        left -= window
        moment = _within(when, moment + window, calendar)
    return moment + left


def _worth(when: When, span: timedelta) -> timedelta:
    """How much of the hours a length of time means: two days are two working days, or two nights."""
    return span if when == "always" else span.days * _DAY[when] + timedelta(seconds=span.seconds)


def _closing(when: When, moment: datetime, calendar: WorkCalendar) -> datetime:
    """When the hours end that a moment lies in."""
    if when == "off":
        return calendar.next_opening(moment)
    return datetime.combine(moment.astimezone(VN).date(), CLOSES, VN)


def _within(when: When, moment: datetime, calendar: WorkCalendar) -> datetime:
    """The first moment from this one on that lies within the hours."""
    local = moment.astimezone(VN)
    works = calendar.is_working_day(local.date()) and OPENS <= local.time() < CLOSES
    if when == "always" or works == (when == "working"):
        return moment
    if when == "off":
        return datetime.combine(local.date(), CLOSES, VN)
    return calendar.next_opening(moment)


def digest_at(route: Route, when: When, now: datetime, calendar: WorkCalendar) -> datetime:
    """When what is due now is said: now, or with the route's next digest, within the hours."""
    if route.digest is None:
        return now
    midnight = datetime.combine(now.astimezone(VN).date(), time(), VN)
    if isinstance(route.digest, timedelta):
        at = midnight + ((now - midnight) // route.digest + 1) * route.digest
    else:
        at = min(moment for moment in _clocks(midnight, route.digest) if moment > now)
    return _within(when, at, calendar)


def _clocks(midnight: datetime, clocks: Iterable[time]) -> list[datetime]:
    return [datetime.combine((midnight + timedelta(days=day)).date(), clock, VN) for day in (0, 1) for clock in clocks]
