"""The next step is told after time in which the one before it could have been answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from test_notifier_plan import alarm, table

from schemas.calendar import VN, WorkCalendar
from services.notifier.alarm import Alarm
from services.notifier.escalation import PreviousNotification, plan
from services.notifier.routes import Routes

CALENDAR = WorkCalendar.base()
TWO_DAYS: dict[str, Any] = {"when": "working", "steps": [{"to": ["an"]}, {"after": "2d", "to": ["binh"]}]}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VN)


def lived(one: Alarm, routes: Routes, awake: datetime, delay: timedelta = timedelta(seconds=3)) -> dict[str, datetime]:
    """Person -> when they were told, if the notifier runs from `awake` on and each message takes `delay`."""
    rows: list[tuple[PreviousNotification, datetime]] = []
    now: datetime | None = awake
    for _ in range(200):
        if now is None:
            break
        told = [row._replace(state="sent", read_at=at) if at <= now else row for row, at in rows]
        found = plan(one, told, routes, CALENDAR, now)
        assert found.next_at is None or found.next_at > now
        for p in found.planned:
            rows.append(
                (PreviousNotification(p.occasion, p.person, p.digest, "planned", False, p.due_at), p.due_at + delay)
            )
        now = found.next_at
    return {row.person: at - delay for row, at in rows}


@pytest.mark.parametrize(
    ("raised", "first", "second"),
    [
        ("2026-11-21 00:00", "2026-11-23 07:00", "2026-11-26 07:00"),  # a Saturday; the 24th is a holiday
        ("2027-02-06 00:00", "2027-02-11 07:00", "2027-02-15 07:00"),  # Tết 2027
        ("2026-03-02 09:00", "2026-03-02 09:00", "2026-03-04 09:00"),
        ("2026-03-02 12:00", "2026-03-02 12:00", "2026-03-04 12:00"),  # midday
        ("2026-03-06 16:59", "2026-03-06 16:59", "2026-03-10 16:59"),
        ("2026-03-06 17:00", "2026-03-09 07:00", "2026-03-11 07:00"),
        ("2026-01-09 16:00", "2026-01-09 16:00", "2026-01-12 16:00"),  # Saturday the 10th is worked
    ],
)
def test_two_days_are_two_working_days_after_the_first_was_told(raised: str, first: str, second: str) -> None:
    one = alarm(raised_at=at(raised))
    assert lived(one, table(TWO_DAYS), at(raised)) == {"an": at(first), "binh": at(second)}


def test_minutes_go_on_at_the_next_opening() -> None:
    routes = table({"when": "working", "steps": [{"to": ["an"]}, {"after": "15m", "to": ["binh"]}]})
    told = lived(alarm(raised_at=at("2026-03-06 16:50")), routes, at("2026-03-06 16:50"))
    assert told == {"an": at("2026-03-06 16:50"), "binh": at("2026-03-09 07:05")}


def test_the_digest_counts_from_when_it_was_sent() -> None:
    routes = table({**TWO_DAYS, "digest": ["08:00", "13:30"]})
    told = lived(alarm(raised_at=at("2026-03-07 00:00")), routes, at("2026-03-07 00:00"))
    assert told == {"an": at("2026-03-09 08:00"), "binh": at("2026-03-11 08:00")}
    once = table({**TWO_DAYS, "digest": ["08:00"]})
    told = lived(alarm(raised_at=at("2026-03-05 17:30")), once, at("2026-03-05 17:30"))
    assert told == {"an": at("2026-03-06 08:00"), "binh": at("2026-03-10 08:00")}


@pytest.mark.parametrize("when", ["working", "off", "always"])
def test_after_an_outage_the_steps_do_not_come_at_once(when: str) -> None:
    steps = [{"to": ["an"]}, {"after": "1h", "to": ["binh"]}, {"after": "3h", "to": ["chi"]}]
    routes, wednesday = (
        table({"when": when, "steps": steps}),
        at("2026-03-04 17:00" if when == "off" else "2026-03-04 09:00"),
    )
    told = lived(alarm(raised_at=at("2026-03-01 08:00")), routes, wednesday)
    assert told["an"] == wednesday
    assert told["binh"] == wednesday + timedelta(hours=1)
    assert told["chi"] == wednesday + timedelta(hours=3)


def test_a_message_that_waits_for_its_sender_holds_back_the_next_step() -> None:
    routes = table({"steps": [{"to": ["an"]}, {"after": "15m", "to": ["binh"]}]})
    raised = at("2026-03-02 09:00")
    told = lived(alarm(raised_at=raised), routes, raised, delay=timedelta(minutes=10))
    assert told["binh"] == raised + timedelta(minutes=25)


def test_who_cannot_be_reached_holds_back_nobody() -> None:
    routes, raised = table({"steps": [{"to": ["an"]}, {"after": "15m", "to": ["binh"]}]}), at("2026-03-02 09:00")
    row = PreviousNotification("raised:r0/0", "an", False, "planned", False, raised)
    late = raised + timedelta(hours=1)
    tried, dropped = row._replace(read_at=raised + timedelta(minutes=1)), row._replace(state="dropped")
    for known, people in ((row, []), (tried, ["binh"]), (dropped, ["binh"])):
        assert [p.person for p in plan(alarm(raised_at=raised), [known], routes, CALENDAR, late).planned] == people


def test_a_step_may_have_hours_of_its_own() -> None:
    steps = [{"to": ["an"]}, {"after": "2h", "to": ["binh"], "when": "always"}]
    routes, raised = table({"when": "working", "steps": steps}), at("2026-03-06 16:00")
    assert lived(alarm(raised_at=raised), routes, raised) == {"an": raised, "binh": at("2026-03-06 18:00")}
    steps = [{"to": ["an"]}, {"after": "2h", "to": ["binh"], "when": "working"}]
    told = lived(alarm(raised_at=raised), table({"steps": steps}), raised)
    assert told == {"an": raised, "binh": at("2026-03-09 08:00")}


def test_nights_are_counted_as_nights() -> None:
    routes, raised = table({**TWO_DAYS, "when": "off"}), at("2026-03-02 18:00")
    assert lived(alarm(raised_at=raised), routes, raised) == {"an": raised, "binh": at("2026-03-04 18:00")}


def test_a_deadline_that_passes_on_a_saturday_begins_anew_on_monday() -> None:
    saturday = at("2026-03-07 00:00")
    one = alarm(raised_at=at("2026-03-02 09:00"), since=saturday)
    assert lived(one, table(TWO_DAYS), saturday) == {"an": at("2026-03-09 07:00"), "binh": at("2026-03-11 07:00")}
