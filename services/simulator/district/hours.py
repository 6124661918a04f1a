"""When things happen: the shape of a day in half hours, of the week, of the year with Tết and school holidays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from schemas.calendar import VN, WorkCalendar

SLOT = timedelta(minutes=30)
SLOTS_A_DAY = 48
CALENDAR = WorkCalendar.base()

Day = Callable[[date], bool]


def _working(day: date) -> bool:
    return CALENDAR.is_working_day(day)


def _holiday(day: date) -> bool:
    """A public holiday or a day off for it; the worst of them is Tết."""
    return CALENDAR.name_of(day) is not None and not _working(day)


def _school(day: date) -> bool:
    return _working(day) and day.month not in (6, 7, 8)


def _first_of_week(day: date) -> bool:
    """The week's first working day."""
    return _working(day) and CALENDAR.add_working_days(day, -1).isocalendar()[:2] != day.isocalendar()[:2]


def _before_holidays(day: date) -> bool:
    return _first_of_week(day) and next_holiday(day) is not None


@cache
def next_holiday(day: date) -> date | None:
    """The next day off within three weeks that would be worked in another week."""
    following = (day + timedelta(days=n) for n in range(1, 22))
    return next((d for d in following if d.weekday() < 5 and not _working(d)), None)


@dataclass(frozen=True)
class Hours:
    """The weight of each half hour (by its start, `HH:MM`), and what is left of it on weekends and holidays.

    `on` names the days on which it happens at all; the others are without.
    """

    slots: Mapping[str, float]
    weekend: float = 0
    holiday: float = 0
    on: Day | None = None

    def weight(self, start: datetime) -> float:
        """The weight of the half hour that begins at a local moment."""
        of_slot = _by_number(self)[start.hour * 2 + start.minute // 30]
        return of_slot * _of_day(self, start.date()) if of_slot else 0.0

    def week(self) -> float:
        """The weights of an ordinary week, added."""
        return sum(self.slots.values()) * (5 + 2 * self.weekend)

    def __hash__(self) -> int:
        return id(self)


@cache
def _by_number(hours: Hours) -> tuple[float, ...]:
    found = [0.0] * SLOTS_A_DAY
    for text, weight in hours.slots.items():
        found[int(text[:2]) * 2 + (text[3:] == "30")] = weight
    return tuple(found)


@cache
def _of_day(hours: Hours, day: date) -> float:
    if hours.on is not None:
        return float(hours.on(day))
    return 1.0 if _working(day) else hours.holiday if _holiday(day) else hours.weekend


def slot_start(t: datetime) -> datetime:
    """The local half hour that a moment lies in."""
    local = t.astimezone(VN)
    return local.replace(minute=local.minute // 30 * 30, second=0, microsecond=0)


def _every_half_hour(weights: str) -> dict[str, float]:
    """24 digits, the weight of both halves of each hour."""
    return {f"{hour:02d}:{half}": float(w) for hour, w in enumerate(weights) for half in ("00", "30") if w != "0"}


_OFFICE = {"07:00": 3, "07:30": 6, "08:00": 9, "08:30": 9, "09:00": 9, "09:30": 8, "10:00": 7, "10:30": 5, "11:00": 3,
           "13:30": 6, "14:00": 8, "14:30": 8, "15:00": 7, "15:30": 5, "16:00": 3, "16:30": 1}  # fmt: skip

HOURS: dict[str, Hours] = {
    # The counter opens and closes, and has its lunch.
    "counter": Hours(_OFFICE),
    # Online people file at work too, and after supper.
    "online": Hours(
        {
            **_OFFICE,
            "12:00": 2,
            "12:30": 2,
            "17:30": 2,
            "19:00": 3,
            "19:30": 4,
            "20:00": 4,
            "20:30": 4,
            "21:00": 3,
            "21:30": 2,
            "22:00": 1,
        },
        weekend=0.3,
        holiday=0.08,
    ),
    "people": Hours(_every_half_hour("000001247776456777665421"), weekend=0.75, holiday=0.35),
    "machines": Hours(_every_half_hour("222222345666656666544333"), weekend=0.8, holiday=0.7),
    "school": Hours({"07:00": 6, "07:30": 10, "08:00": 3}, on=_school),
    # What is told once for a day or an hour, at its own time.
    "every_hour": Hours({f"{hour:02d}:30": 1 for hour in range(24)}, weekend=1, holiday=1),
    "evening": Hours({"17:00": 1}, weekend=1, holiday=1),
    "office_evening": Hours({"16:30": 1}),
    "school_evening": Hours({"16:00": 1}, on=_school),
    "week_begins": Hours({"08:00": 1}, on=_first_of_week),
    "holiday_ahead": Hours({"09:00": 1}, on=_before_holidays),
}
"""name -> when it happens."""
