"""Who is told of an alarm, and when: routes, hours, rotas, escalation, digests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import VN, WorkCalendar
from services.notifier.alarm import Alarm
from services.notifier.escalation import PlannedNotification, PreviousNotification, plan
from services.notifier.routes import Routes

CALENDAR = WorkCalendar.base()
MONDAY = datetime(2026, 3, 2, 9, tzinfo=VN)
PEOPLE = {name: {"name": name.title(), "channels": [{"url": f"json://x/{name}"}]} for name in ("an", "binh", "chi")}


def alarm(**changes: Any) -> Alarm:
    at = changes.pop("raised_at", MONDAY)
    values = dict.fromkeys(Alarm._fields) | {
        "id": 1, "way": "event", "originator": "dossier:H99.1-260301-0001", "type": "DossierOverdue", "times": 1,
        "severity": "warning", "system": "procedures", "unit": "phuong_chon_thanh", "origin": "real", "vi": "Quá hạn",
        "en": "Overdue", "do_vi": "", "do_en": "", "dashboard": "/d/x",
        "raised_at": at, "refreshed_at": at, "since": at,
    }  # fmt: skip
    return Alarm(**(values | changes))


def table(*routes: dict[str, Any], **more: Any) -> Routes:
    named = [{"name": f"r{number}", **route} for number, route in enumerate(routes)]
    return Routes.model_validate({"people": PEOPLE, "routes": named, **more})


def told(planned: list[PlannedNotification], state: str = "sent") -> list[PreviousNotification]:
    return [
        PreviousNotification(row.occasion, row.person, row.digest, state, False, row.due_at, row.due_at)
        for row in planned
    ]


def people(one: Alarm, routes: Routes, now: datetime, before: list[PreviousNotification] | None = None) -> list[str]:
    return [row.person for row in plan(one, before or [], routes, CALENDAR, now).planned]


NOW_TO_AN: dict[str, Any] = {"steps": [{"to": ["an"]}]}


def test_every_route_that_fits_applies_and_no_other() -> None:
    fits = [
        NOW_TO_AN, {**NOW_TO_AN, "systems": ["procedures"]}, {**NOW_TO_AN, "units": ["dong_nai"]},
        {**NOW_TO_AN, "severities": ["critical", "warning"]}, {**NOW_TO_AN, "types": ["DossierOverdue"]},
    ]  # fmt: skip
    others = [
        {**NOW_TO_AN, "systems": ["field"]}, {**NOW_TO_AN, "units": ["phuong_dong_xoai"]},
        {**NOW_TO_AN, "severities": ["critical"]}, {**NOW_TO_AN, "types": ["ReportOverdue"]},
    ]  # fmt: skip
    found = plan(alarm(), [], table(*fits, *others), CALENDAR, MONDAY)
    assert [row.occasion for row in found.planned] == [f"raised:r{number}/0" for number in range(len(fits))]
    assert people(alarm(unit="all"), table({**NOW_TO_AN, "units": ["dong_nai"]}), MONDAY) == []


def test_the_next_step_is_due_when_nobody_took_it() -> None:
    routes = table({"steps": [{"to": ["an"]}, {"after": "15m", "to": ["binh", "an"]}]})
    first = plan(alarm(), [], routes, CALENDAR, MONDAY)
    assert ([row.person for row in first.planned], first.next_at) == (["an"], MONDAY + timedelta(minutes=15))
    early = plan(alarm(), told(first.planned), routes, CALENDAR, MONDAY + timedelta(minutes=14))
    assert (early.planned, early.next_at) == ([], MONDAY + timedelta(minutes=15))
    late = plan(alarm(), told(first.planned), routes, CALENDAR, MONDAY + timedelta(hours=3))
    assert [(row.person, row.occasion) for row in late.planned] == [
        ("binh", "escalated:r0/1"),
        ("an", "escalated:r0/1"),
    ]
    taken = alarm(acknowledged_at=MONDAY, acknowledged_by="an")
    assert plan(taken, told(first.planned), routes, CALENDAR, MONDAY + timedelta(hours=3)) == ([], False, None)


def test_a_deadline_that_passes_begins_anew_and_only_once() -> None:
    deadline = MONDAY + timedelta(hours=2)
    given_to = alarm(acknowledged_at=MONDAY, assignee="An", deadline=deadline)
    assert plan(given_to, [], table(NOW_TO_AN), CALENDAR, MONDAY) == ([], False, deadline)
    assert plan(given_to, [], table(NOW_TO_AN), CALENDAR, deadline).passed
    again = given_to._replace(acknowledged_at=None, since=deadline)
    before = told(plan(alarm(), [], table(NOW_TO_AN), CALENDAR, MONDAY).planned)
    [row] = plan(again, before, table(NOW_TO_AN), CALENDAR, deadline).planned
    assert row.occasion.startswith("deadline:r0/0@")
    assert plan(again._replace(acknowledged_at=deadline), before, table(NOW_TO_AN), CALENDAR, deadline).next_at is None


def test_what_falls_due_outside_the_hours_waits_for_them() -> None:
    midnight = datetime(2026, 3, 7, tzinfo=VN)  # a Saturday
    opening, closing = datetime(2026, 3, 9, 7, tzinfo=VN), datetime(2026, 3, 2, 17, tzinfo=VN)
    working = table({**NOW_TO_AN, "when": "working"})
    assert plan(alarm(raised_at=midnight), [], working, CALENDAR, midnight) == ([], False, opening)
    assert people(alarm(raised_at=midnight), working, opening) == ["an"]
    off = table({**NOW_TO_AN, "when": "off"})
    assert plan(alarm(), [], off, CALENDAR, MONDAY) == ([], False, closing)
    assert people(alarm(), off, closing) == ["an"]
    assert people(alarm(), working, MONDAY.replace(hour=12)) == ["an"]  # nobody is asleep at midday


def test_the_one_on_call_when_it_falls_due_is_told() -> None:
    rotas = {"duty": {"people": ["an", "binh"], "handover": "Mon 07:00", "start": "2026-03-04"}}
    routes = table({"steps": [{"to": ["duty"]}]}, rotas=rotas)
    turns = {MONDAY.replace(hour=6): "binh", MONDAY.replace(hour=7): "an", MONDAY + timedelta(days=7): "binh"}
    for moment, name in turns.items():
        assert people(alarm(raised_at=moment), routes, moment) == [name]
    before = told(plan(alarm(), [], routes, CALENDAR, MONDAY).planned)
    assert people(alarm(), routes, MONDAY + timedelta(days=8), before) == []  # a handover is no news


def test_small_ones_wait_for_the_digest() -> None:
    by_hour, by_clock = table({**NOW_TO_AN, "digest": "1h"}), table({**NOW_TO_AN, "digest": ["08:00", "13:30"]})
    at = MONDAY.replace(minute=20)
    [row] = plan(alarm(), [], by_hour, CALENDAR, at).planned
    assert (row.digest, row.due_at) == (True, MONDAY.replace(hour=10))
    [row] = plan(alarm(), [], by_clock, CALENDAR, at).planned
    assert row.due_at == MONDAY.replace(hour=13, minute=30)
    [row] = plan(alarm(), [], by_clock, CALENDAR, at.replace(hour=14)).planned
    assert row.due_at == MONDAY.replace(day=3, hour=8)
    evening = table({**NOW_TO_AN, "when": "working", "digest": "8h"})
    [row] = plan(alarm(), [], evening, CALENDAR, MONDAY.replace(hour=16, minute=30)).planned
    assert row.due_at == datetime(2026, 3, 3, 7, tzinfo=VN)


def test_who_was_told_hears_once_that_it_is_over() -> None:
    over = alarm(cleared_at=MONDAY)
    before = [
        PreviousNotification("raised:r0/0", "an", False, "sent", False),
        PreviousNotification("escalated:r0/1", "an", False, "sent", False),
        PreviousNotification("raised:r0/0", "binh", False, "sending", False),
        PreviousNotification("raised:r0/0", "chi", False, "planned", False),
    ]
    found = plan(over, before, table(NOW_TO_AN), CALENDAR, MONDAY)
    assert [(row.person, row.occasion) for row in found.planned] == [("an", "cleared"), ("binh", "cleared")]
    assert plan(over, before + told(found.planned, "planned"), table(NOW_TO_AN), CALENDAR, MONDAY).planned == []
    small = [PreviousNotification("raised:r0/0", "an", True, "sent", False)]
    [row] = plan(over, small, table({**NOW_TO_AN, "digest": "1h"}), CALENDAR, MONDAY).planned
    assert (row.digest, row.due_at) == (True, MONDAY + timedelta(hours=1))


@pytest.mark.parametrize("state", ["planned", "dropped"])
def test_who_perhaps_received_it_hears_that_it_is_over(state: str) -> None:
    before = [
        PreviousNotification("raised:r0/0", "an", False, state, True),
        PreviousNotification("raised:r0/0", "binh", False, state, False),
    ]
    assert people(alarm(cleared_at=MONDAY), table(NOW_TO_AN), MONDAY, before) == ["an"]


MOMENTS = st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=12).map(sorted)
AFTERS = st.lists(st.integers(0, 24 * 60), min_size=1, max_size=4, unique=True).map(sorted)


@given(MOMENTS, AFTERS, st.sampled_from(["working", "off", "always"]))
def test_however_often_it_is_looked_at_each_step_is_planned_once_and_never_early(
    moments: list[int], afters: list[int], when: str
) -> None:
    routes = table({"when": when, "steps": [{"after": f"{after}m", "to": ["an", "binh"]} for after in afters]})
    start = MONDAY.astimezone(UTC)
    one, known, wake = alarm(raised_at=start), [], start
    for minutes in moments:
        now = start + timedelta(minutes=minutes)
        found = plan(one, told(known), routes, CALENDAR, now)
        if found.planned:
            assert wake is not None and wake <= now  # it was said before when to look again
        for row in found.planned:
            assert now >= start + timedelta(minutes=afters[int(row.occasion.partition("/")[2])])
        known += found.planned
        assert found.next_at is None or found.next_at > now
        wake = found.next_at
    assert len({(row.occasion, row.person) for row in known}) == len(known)
    while wake:
        found = plan(one, told(known), routes, CALENDAR, wake)
        known, wake = known + found.planned, found.next_at
    assert len(known) == 2 * len(afters)
