"""Periods of local days, and the exact instants they cover as of a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from schemas.calendar import VN
from schemas.text import dates

TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Period:
    """Local days `first` to `last`, both included, known as of the instant `as_of` (event time).

    `open_start`: the caller named no first day, so that levels and statements may be older than the period.
    """

    first: date
    last: date
    as_of: datetime
    open_start: bool = False

    @classmethod
    def of(cls, as_of: datetime, first: date | None = None, last: date | None = None) -> Period:
        """Defaults: from the first of the month, to the day of `as_of`. ValueError if they are in the wrong order."""
        today = as_of.astimezone(VN).date()
        end = last or today
        start = first or min(end, today).replace(day=1)
        if start > end:
            raise ValueError(f"the period ends ({end}) before it begins ({start})")
        return cls(start, end, as_of, first is None)

    @cached_property
    def start(self) -> datetime:
        """The first instant (UTC)."""
        return midnight(self.first)

    @cached_property
    def stop(self) -> datetime:
        """The first instant that no longer counts (UTC): the end of the last day, or just after `as_of`."""
        return max(min(midnight(self.last + timedelta(days=1)), self.as_of + TICK), self.start)

    @property
    def written(self) -> str:
        """Its days as they are written for people."""
        return dates.days(self.first, self.last)

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen in it: at `as_of` its last day had ended."""
        return midnight(self.last + timedelta(days=1)) <= self.as_of + TICK

    @property
    def begun(self) -> bool:
        """Whether its first day had begun at `as_of`."""
        return self.start <= self.as_of

    def hours(self) -> Iterator[Hour]:
        """The hours of the period's days up to `as_of`, one by one."""
        for day in self.days():
            for hour in range(24):
                if day.start + timedelta(hours=hour) <= self.as_of:
                    yield Hour(day.first, day.first, self.as_of, hour=hour)

    def days(self) -> Iterator[Period]:
        """The period's days up to `as_of`, one by one."""
        day = self.first
        while day <= self.last and midnight(day) <= self.as_of:
            yield Period(day, day, self.as_of)
            day += timedelta(days=1)

    def months(self) -> Iterator[Period]:
        """The period's months (or parts of them) up to `as_of`."""
        first = self.first
        while first <= self.last and midnight(first) <= self.as_of:
            following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
            yield Period(first, min(following - timedelta(days=1), self.last), self.as_of)
            first = following


@dataclass(frozen=True)
class Hour(Period):
    """One hour, 0 to 23, of a local day; what is told of whole days is told of each of its hours."""

    hour: int = 0

    @cached_property
    def start(self) -> datetime:
        """The first instant (UTC)."""
        return midnight(self.first) + timedelta(hours=self.hour)

    @cached_property
    def stop(self) -> datetime:
        """The first instant that no longer counts (UTC)."""
        return max(min(self.start + timedelta(hours=1), self.as_of + TICK), self.start)


def window(name: str, as_of: datetime) -> Period:
    """The period that a label of `schemas.indicators.metric.WINDOWS` stands for; KeyError for another name."""
    if name in ("now", "month"):
        return Period.of(as_of)
    first, last = _DAYS[name]
    today = as_of.astimezone(VN).date()
    return Period(today - timedelta(days=first), today - timedelta(days=last), as_of)


_DAYS = {"today": (0, 0), "week": (6, 0), "week_before": (13, 7)}
"""How many days ago a window begins and ends."""


def last_moment(day: date) -> datetime:
    """The last moment of a local day (UTC)."""
    return midnight(day + timedelta(days=1)) - TICK


def midnight(day: date) -> datetime:
    """The local midnight that begins a day (UTC)."""
    return datetime.combine(day, time(), VN).astimezone(UTC)


def next_midnight(t: datetime) -> datetime:
    """The first local midnight at or after an instant (UTC)."""
    day = midnight(t.astimezone(VN).date())
    return day if day == t else day + timedelta(days=1)


def last_midnight(t: datetime) -> datetime:
    """The last local midnight at or before an instant (UTC)."""
    return midnight(t.astimezone(VN).date())
