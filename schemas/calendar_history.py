"""Which working calendar was known when: announced swaps move only what was still open when they were announced."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from schemas.calendar import DayChange, WorkCalendar


class CalendarHistory:
    """The base calendar and every announced change. Immutable; equal for the same set of changes in any order."""

    def __init__(self, changes: Iterable[DayChange] = ()) -> None:
        self._changes = sorted(set(changes), key=lambda c: (c.announced, c.day, c.working, c.name))
        self._announced = [c.announced for c in self._changes]
        self._calendars = [WorkCalendar.base()]

    def at(self, t: datetime) -> WorkCalendar:
        """The calendar as announced up to and including `t`."""
        known = bisect_right(self._announced, t)
        while len(self._calendars) <= known:
            self._calendars.append(self._calendars[0].with_changes(self._changes[: len(self._calendars)]))
        return self._calendars[known]

    def announcements(self, after: datetime, until: datetime) -> list[datetime]:
        """The instants in (after, until] at which a change was announced."""
        if not self._announced:
            return []
        found = self._announced[bisect_right(self._announced, after) : bisect_right(self._announced, until)]
        return sorted(set(found))

    @property
    def changes(self) -> list[DayChange]:
        """All changes, by announcement."""
        return list(self._changes)
