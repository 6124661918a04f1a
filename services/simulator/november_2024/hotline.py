"""The messages to hotline 1022 from 23 October to 23 November: answered at once, forwarded, or neither, as counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Literal, NamedTuple

from schemas import field as f
from schemas import units
from schemas.calendar import WorkCalendar
from schemas.envelope import Event, EventData
from services.simulator.november_2024.moments import moment
from services.simulator.november_2024.offers import PROFILES, seeded
from services.simulator.november_2024.shift import Shift
from services.simulator.november_2024.statements import PROVINCE
from services.simulator.november_2024.tables import period, rows

Way = Literal["answered", "neither", "handled", "open"]
_CATEGORIES: tuple[f.Category, ...] = (
    "procedure", "procedure", "procedure", "procedure", "road", "road", "lighting", "waste", "waste", "water",
    "construction", "environment", "security", "health", "other",
)  # fmt: skip
_NEVER_LATE = timedelta(days=9)
"""What is forwarded is done within five working days, so it came at least so long before the period's end."""


class Message(NamedTuple):
    """One message and which way it goes."""

    received: datetime
    way: Way


def hotline_events(shift: Shift) -> Iterator[Event]:
    """Each message's events in order, the messages by time of receipt."""
    rng = seeded("hotline")
    for serial, message in enumerate(_messages(rng), start=1):
        code = _code(serial, shift)
        for time, data in _steps(code, message, rng):
            yield shift.event(data, id=f"{code}-{data.event.rpartition('.')[2]}", time=time, unit=PROVINCE)


def open_messages(shift: Shift) -> Iterator[str]:
    """The codes of the messages that are left open."""
    for serial, message in enumerate(_messages(seeded("hotline")), start=1):
        if message.way == "open":
            yield _code(serial, shift)


def _code(serial: int, shift: Shift) -> str:
    return f"PA-1022.{serial:04d}-{shift.tag}"


def _messages(rng: Random) -> list[Message]:
    """As many of each way as the row says; those in neither group are what its groups leave of the processed ones."""
    (row,) = rows("hotline_1022_period")
    processed, answered, in_progress = (int(row[c]) for c in ("processed", "answered_directly", "in_progress"))
    handled = int(row["forwarded_to_agencies"]) - in_progress
    counts: dict[Way, int] = {
        "answered": answered, "handled": handled, "neither": processed - answered - handled, "open": in_progress,
    }  # fmt: skip
    messages = [Message(_received(way, period(row), rng), way) for way, count in counts.items() for _ in range(count)]
    return sorted(messages, key=lambda m: m.received)


def _received(way: Way, span: tuple[date, date], rng: Random) -> datetime:
    first, last = span
    if way == "handled":
        last -= _NEVER_LATE
    elif way == "open":
        # Accepted before the period ends on a Saturday, and not late by then.
        first, last = last - timedelta(days=3), last - timedelta(days=2)
    day = first + timedelta(days=rng.randint(0, (last - first).days))
    return moment(day, "weekend" if day.weekday() >= 5 else "online", rng)


def _steps(code: str, message: Message, rng: Random) -> Iterator[tuple[datetime, EventData]]:
    received, way = message
    minute = timedelta(minutes=1)
    category = rng.choice(_CATEGORIES)
    if way in ("answered", "neither"):
        yield received, f.ReportReceived(code=code, channel="hotline_1022", category=category)
        done = f.ReportResolved(code=code, handling="answered" if way == "answered" else None)
        yield received + rng.randint(2, 13) * minute, done
        return
    to_unit = rng.choice(PROFILES).unit
    wards = sorted(unit.code for unit in units.children(to_unit))
    ward = rng.choice(wards) if wards else None
    yield received, f.ReportReceived(code=code, channel="hotline_1022", category=category, ward=ward)
    yield received + rng.randint(1, 5) * minute, f.ReportVerified(code=code)
    yield received + rng.randint(6, 13) * minute, f.ReportRouted(code=code, to_unit=to_unit)
    calendar = WorkCalendar.base()
    accepted = calendar.add_working_time(received + 15 * minute, rng.randint(10, 200) * minute)
    yield accepted, f.ReportAccepted(code=code)
    if way == "handled":
        yield (
            calendar.add_working_time(accepted, rng.randint(200, 1900) * minute),
            f.ReportResolved(code=code, handling="handled"),
        )
