"""How late a case is, by the calendar and by working days, from the promise to its end."""

from __future__ import annotations

from datetime import datetime

from schemas.calendar import VN, WorkCalendar
from schemas.cases import Lateness, lateness

FRIDAY = datetime(2026, 11, 27, 16, 0, tzinfo=VN)
ENDS = {
    datetime(2026, 11, 27, 15, 0, tzinfo=VN): None,
    FRIDAY: None,
    datetime(2026, 11, 27, 16, 30, tzinfo=VN): Lateness(0, 0),
    datetime(2026, 11, 29, 9, 0, tzinfo=VN): Lateness(2, 0),
    datetime(2026, 12, 1, 9, 0, tzinfo=VN): Lateness(4, 2),
}


def test_a_weekend_is_late_by_the_calendar_alone() -> None:
    found = {end: lateness(FRIDAY, end, WorkCalendar.base()) for end in ENDS}
    assert found == ENDS
    assert lateness(None, FRIDAY, WorkCalendar.base()) is None, "nothing was promised"
