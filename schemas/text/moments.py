"""Days, months and moments as people write them, in one parser for every command and form.

Days stand before months. A moment without an offset is local. What could mean two things is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from typing import Literal

from schemas.zone import VN

Kind = Literal["month", "day", "moment"]
YEARS = range(1900, 2101)
EXAMPLES = "write a day as 28/11/2026 or 2026-11-28, a month as 11/2026, a time as 28/11/2026 14:30"
TICK = timedelta(microseconds=1)
LONGEST = 80
"""Letters of a text that is read at all: each form of a fault is looked for from each of them."""

_DAYS = (
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})",
    r"(?P<year>[0-9]{4})/(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})",
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
    r"(?P<day>[0-9]{1,2})(?P<mark>[/.-])(?P<month>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4})",
    r"(?P<day>[0-9]{1,2})\s+tháng\s+(?P<month>[0-9]{1,2})(?:\s+năm\s+|/)(?P<year>[0-9]{4})",
    r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})",
)
_MONTHS = (
    r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})",
    r"(?:tháng\s+)?(?P<month>[0-9]{1,2})[-/](?P<year>[0-9]{4})",
    r"tháng\s+(?P<month>[0-9]{1,2})\s+năm\s+(?P<year>[0-9]{4})",
)
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?",
    r"(?P<hour>[0-9]{1,2})h(?P<minute>[0-9]{2})?",
    r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?",
)
_OFFSET = r"\s?(?P<offset>z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_TABLE: tuple[tuple[Kind, list[str]], ...] = (
    ("month", list(_MONTHS)),
    ("day", [f"(?:ngày\\s+)?{day}" for day in _DAYS]),
    ("moment", [f"(?:ngày\\s+)?{day}(?:t|,?\\s+){clock}{_OFFSET}" for day in _DAYS for clock in _CLOCK]),
    ("moment", [f"{clock},?\\s+(?:ngày\\s+)?{day}" for clock in _CLOCK[:2] for day in _DAYS]),
)
_FAULTS = (
    (r".*[^\W\d_]+/[a-z_]+", "a zone is written as an offset such as +07:00"),
    (r".*[0-9]\s*(utc|gmt|ict|am|pm|sa|ch)\b.*", "a time is written from 00:00 to 23:59, a zone as +07:00"),
    (r".*[0-9]{9,}.*|.*\b[0-9]{5,7}\b.*", "a year has four digits"),
    (r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{1,3}", "a year has four digits"),
    (r"[0-9]{4}-?w.*|[0-9]{4}-[0-9]{3}", "weeks and numbered days are not read"),
    (r"[0-9]{1,2}:.*|[0-9]{1,2}h[0-9]*", "a time needs its day"),
)  # fmt: skip


class NoMoment(ValueError):
    """The text names no day, month or moment; the message says what is wrong and how to write one."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} {why}; {EXAMPLES}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Written:
    """What a text names: from the instant `first` to the last instant `end` (aware; the same for a moment)."""

    text: str
    kind: Kind
    first: datetime
    end: datetime

    def day(self) -> date:
        """The day that is named; `NoMoment` for a month or a moment."""
        if self.kind != "day":
            raise NoMoment(self.text, f"is a {self.kind}, and a day is needed")
        return self.first.date()

    def days(self) -> tuple[date, date]:
        """The first and the last day of the day or month; `NoMoment` for a moment."""
        if self.kind == "moment":
            raise NoMoment(self.text, "is a moment, and a day or month is needed")
        return self.first.date(), self.end.date()


def read(text: str, today: date | None = None) -> Written:
    """The day, month or moment that `text` names; a day without a year is of the year of `today`, if that is given."""
    text = text.strip()
    if len(text) > LONGEST:
        raise NoMoment(f"{text[:LONGEST]}…", f"is no date: it has more than {LONGEST} letters")
    plain = unicodedata.normalize("NFC", text).lower()
    if any(letter.isdigit() and not letter.isascii() for letter in plain):
        raise NoMoment(text, "has digits other than 0-9")
    for kind, form in _forms():
        if found := form.fullmatch(plain):
            return _written(text, kind, {key: value for key, value in found.groupdict().items() if value}, today)
    why = next((f": {why}" for fault, why in _FAULTS if re.fullmatch(fault, plain)), "")
    raise NoMoment(text, f"is no date{why}")


@cache
def _forms() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Compiled when the first date is read: most processes read none."""
    return tuple((kind, re.compile(form)) for kind, forms in _TABLE for form in forms)


def instant(value: object) -> object:
    """For fields of models: a text as the first instant that it names, anything else as it is."""
    return read(value).first if isinstance(value, str) else value


def _written(text: str, kind: Kind, parts: Mapping[str, str], today: date | None) -> Written:
    first = datetime.combine(_date(text, parts, today), time(), VN)
    if kind == "moment":
        moment = _moment(text, first, parts)
        return Written(text, kind, moment, moment)
    after = (first + timedelta(days=31)).replace(day=1) if kind == "month" else first + timedelta(days=1)
    return Written(text, kind, first, after - TICK)


def _date(text: str, parts: Mapping[str, str], today: date | None) -> date:
    if "year" not in parts and today is None:
        raise NoMoment(text, "is no date: its year is missing")
    year, month, day = (int(parts.get(part) or default) for part, default in _defaults(today))
    if year not in YEARS:
        raise NoMoment(text, f"is no date: the year {year} is not within {YEARS[0]}-{YEARS[-1]}")
    if not 1 <= month <= 12:
        raise NoMoment(text, f"is no date: there is no month {month}, and the day stands before the month")
    try:
        return date(year, month, day)
    except ValueError:
        raise NoMoment(text, f"is no date: month {month}/{year} has no day {day}") from None


def _defaults(today: date | None) -> tuple[tuple[str, int], ...]:
    return ("year", today.year if today else 0), ("month", 1), ("day", 1)


def _moment(text: str, day: datetime, parts: Mapping[str, str]) -> datetime:
    hour, minute, second = (int(parts.get(part, 0)) for part in ("hour", "minute", "second"))
    if hour > 23:
        raise NoMoment(text, "is no moment: a day ends at 23:59, and 24:00 is 00:00 of the next")
    try:
        clock = time(hour, minute, second, int(parts.get("fraction", "0").ljust(6, "0")[:6]), _zone(parts))
    except ValueError:
        raise NoMoment(text, "is no moment: there is no such minute, second or zone") from None
    return datetime.combine(day, clock)


def _zone(parts: Mapping[str, str]) -> timezone:
    offset = parts.get("offset")
    if offset is None:
        return VN
    if offset == "z":
        return UTC
    minutes = int(offset[3:].removeprefix(":") or 0)
    shift = timedelta(hours=int(offset[1:3]), minutes=minutes)
    if minutes > 59 or shift > timedelta(hours=14):
        raise ValueError(offset)
    return timezone(-shift if offset[0] == "-" else shift)
