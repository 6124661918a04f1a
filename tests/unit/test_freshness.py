"""How long sources may be silent: by their habits, the office calendar and the school year."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from schemas.calendar import VN, DayChange, Limit
from schemas.calendar_history import CalendarHistory
from schemas.freshness import RHYTHMS, allowed, is_stale, rhythm
from schemas.registry import SYSTEMS

CALENDARS = CalendarHistory()
COUNTER, PAYMENTS = "/simulator/procedures/one_stop", "/payments/phuong_chon_thanh"
SCHOOLS, HOTLINE, SENSORS = "/education/schools", "/field/hotline_1022", "/security/sensors"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VN)


@pytest.mark.parametrize(
    ("source", "system", "last", "now", "stale"),
    [
        # Six working hours: Friday 15:00 until Monday 10:30; a weekend between them is no silence.
        (COUNTER, "procedures", "2026-03-06T15:00", "2026-03-09T10:59", False),
        (COUNTER, "procedures", "2026-03-06T15:00", "2026-03-09T11:01", True),
        # A working day for the payment platform, wherever it stands in the path.
        (PAYMENTS, "procedures", "2026-03-05T08:00", "2026-03-06T08:00", False),
        (PAYMENTS, "procedures", "2026-03-05T08:00", "2026-03-06T08:01", True),
        ("/simulator/procedures/payments", "procedures", "2026-03-05T08:00", "2026-03-06T08:01", True),
        # Tết 2026: offices are closed from 14 to 22 February.
        (PAYMENTS, "procedures", "2026-02-13T16:00", "2026-02-23T14:29", False),
        (PAYMENTS, "procedures", "2026-02-13T16:00", "2026-02-24T14:31", True),
        # Machines and people on duty have no weekend.
        (SENSORS, "security", "2026-03-08T01:00", "2026-03-08T07:00", False),
        (SENSORS, "security", "2026-03-08T01:00", "2026-03-08T07:01", True),
        (HOTLINE, "field", "2026-03-07T20:00", "2026-03-08T08:01", True),
        # Schools: in the term, in the summer, and when the year should have begun.
        (SCHOOLS, "education", "2026-03-03T07:00", "2026-03-06T07:00", False),
        (SCHOOLS, "education", "2026-03-03T07:00", "2026-03-06T07:01", True),
        (SCHOOLS, "education", "2026-05-29T07:30", "2026-08-31T09:00", False),
        (SCHOOLS, "education", "2026-05-29T07:30", "2026-09-09T17:00", False),
        (SCHOOLS, "education", "2026-05-29T07:30", "2026-09-10T07:01", True),
        (SCHOOLS, "education", "2025-12-01T07:30", "2026-01-15T07:30", True),
        # Who speaks only when something happens, and our own service.
        ("/security/probes", "security", "2020-01-01T00:00", "2026-03-08T07:01", False),
        ("/deadlines", "procedures", "2020-01-01T00:00", "2026-03-08T07:01", False),
        # An unknown word: the habit of the system.
        ("/somebody/new", "procedures", "2026-03-04T08:00", "2026-03-06T08:01", True),
        ("/somebody/new", "economy", "2026-02-27T16:00", "2026-03-31T09:00", False),
    ],
)
def test_a_source_is_stale_when_it_is_silent_for_longer_than_its_habit(
    source: str, system: str, last: str, now: str, stale: bool
) -> None:
    assert is_stale(source, system, at(last), at(now), CALENDARS) is stale


def test_an_announced_day_off_is_no_silence() -> None:
    last, now = at("2026-03-05T08:00"), at("2026-03-06T09:00")
    off = DayChange(date(2026, 3, 6), False, "Nghỉ bù", at("2026-03-01T08:00"))
    assert is_stale(PAYMENTS, "procedures", last, now, CALENDARS)
    assert not is_stale(PAYMENTS, "procedures", last, now, CalendarHistory([off]))


def test_every_system_has_a_habit_and_finer_rows_come_after_it() -> None:
    for system in SYSTEMS:
        doors = [row.door for row in RHYTHMS if row.system == system]
        assert doors[0] == "" and len(set(doors)) == len(doors), system
    assert {row.system for row in RHYTHMS} == set(SYSTEMS)


def test_a_word_is_a_whole_part_of_the_path() -> None:
    assert rhythm("/simulator/field/app", "field").door == "app"
    assert rhythm("/field/apprentice", "field").door == ""
    assert allowed("/simulator/social/listening", "social") == timedelta(hours=3)
    assert allowed("/simulator/gis/survey", "gis") == Limit(days=20)
