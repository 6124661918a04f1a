"""What an open case has reached: one rule for worklists, notices, alarms and, as `stages_reached` in SQL, for lists.

The fold alone knows calendars, promises and what stops a clock. It writes into the state of an open dossier or report
the stages that lie before it, each with the moment it begins: of a dossier `soon`, `today` and `overdue`, of a report
the service levels that are not met yet. Whoever reads them needs a clock and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from schemas.calendar import WorkCalendar, local_day
from schemas.fold import instant

STATE = "stages"


def stages_json(stages: Iterable[tuple[str, datetime]]) -> list[list[str]]:
    """Stages as they lie in a state: [name, moment], in their order."""
    return [[name, begins.isoformat()] for name, begins in stages]


def reached(state: Mapping[str, Any], now: datetime) -> list[tuple[str, datetime]]:
    """The stages of a case that have begun by `now`, the present one last; none while its clock stands."""
    begun = ((name, instant(begins)) for name, begins in state.get(STATE, ()))
    return [(name, begins) for name, begins in begun if begins <= now]


class Lateness(NamedTuple):
    """By how many local days something is late, and how many working days lie among them; 0: later the same day."""

    days: int
    working: int


def lateness(due: datetime | None, end: datetime, calendar: WorkCalendar) -> Lateness | None:
    """How late `end` (now, while there is none) is after what was promised; None where it is not, or nothing was."""
    if due is None or end <= due:
        return None
    promised, day = local_day(due), local_day(end)
    return Lateness((day - promised).days, calendar.working_days_between(promised, day))
