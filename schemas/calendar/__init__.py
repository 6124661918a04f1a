"""Working time of public offices: working days, opening hours and the due dates that follow from them.

The days come from the `holidays` library (Vietnam, with its swapped Saturdays) and from `overrides.csv`, which wins.
Time is counted in working time: 8 hours on a working day, 7:00-11:30 and 13:30-17:00 at UTC+7. Moments are aware
datetimes of any zone (a naive one is a ValueError), results are in VN; days are local dates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple, cast, get_args

from schemas.text import files, moments
from schemas.zone import VN as VN

YEARS = range(1999, 2100)  # trusted lunar dates; events begin in 2000, and warnings three working days before
ANNOUNCED_THROUGH = 2026  # the government announces each year's days in the autumn before; later ones are computed
MORNING = (time(7), time(11, 30))
AFTERNOON = (time(13, 30), time(17))

Status = Literal["official", "estimated", "check"]

_HOUR = 3_600_000_000  # microseconds, the unit of all counting below: exact, and fast as plain integers
_OPEN, _NOON, _REOPEN, _CLOSE = 7 * _HOUR, 11 * _HOUR + _HOUR // 2, 13 * _HOUR + _HOUR // 2, 17 * _HOUR
_MORNING = _NOON - _OPEN
_DAY = _MORNING + _CLOSE - _REOPEN
_ANCHOR_YEAR = 2020  # working days are numbered from its first day; earlier ones have negative numbers
_ANCHOR = datetime(_ANCHOR_YEAR, 1, 1, tzinfo=VN)
_ANCHOR_DAY = _ANCHOR.toordinal()
_MICROSECOND = timedelta(microseconds=1)

WORKING_DAY = timedelta(microseconds=_DAY)


@dataclass(frozen=True, slots=True)
class DayChange:
    """An announced change of one day: off for a working day, or worked in exchange; `announced` is the moment of it."""

    day: date
    working: bool
    name: str
    announced: datetime

    def __post_init__(self) -> None:
        _aware(self.announced)


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit of a procedure: working days of 8 hours and working hours, together more than nothing."""

    days: int = 0
    hours: int = 0

    def __post_init__(self) -> None:
        if self.days < 0 or self.hours < 0 or self.days + self.hours == 0:
            raise ValueError(f"a limit needs working days or hours above 0, not {self.days} and {self.hours}")

    @property
    def working_time(self) -> timedelta:
        """The limit in working time, 8 hours a day."""
        return self.days * WORKING_DAY + timedelta(hours=self.hours)


class Day(NamedTuple):
    """What makes a day special: worked or off, why, and how sure that is."""

    working: bool
    name: str
    status: Status


class _Year(NamedTuple):
    first: int  # ordinal of 1 January
    before: tuple[int, ...]  # per day of the year, and one more: the number of the next working day from its start on
    days: tuple[int, ...]  # ordinals of the working days


@dataclass(frozen=True)
class WorkCalendar:
    """The working calendar with the changes announced so far; immutable, equal to another with the same changes."""

    changes: tuple[DayChange, ...] = ()
    _years: dict[int, _Year] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    @cache
    def base() -> "WorkCalendar":
        """The calendar of the library and the table of overrides, without further changes; always the same object."""
        return WorkCalendar()

    def with_changes(self, changes: Iterable[DayChange]) -> "WorkCalendar":
        """This calendar with further changes, whatever their order: for each day the last announced holds."""
        ordered = sorted({*self.changes, *changes}, key=lambda c: (c.announced, c.working, c.name))
        latest = {change.day: change for change in ordered}
        return WorkCalendar(tuple(latest[day] for day in sorted(latest)))

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on that local day."""
        year = self._year(day.year)
        index = day.toordinal() - year.first
        return year.before[index] != year.before[index + 1]

    def special(self, day: date) -> Day | None:
        """What is special about the day, None for a plain working day or weekend."""
        change = next((change for change in self.changes if change.day == day), None)
        return Day(change.working, change.name, "official") if change else _special_days(day.year).get(day)

    def name_of(self, day: date) -> str | None:
        """The holiday, the swapped day off or the Saturday worked for it, in Vietnamese; None for any other day."""
        special = self.special(day)
        return special.name if special else None

    def next_opening(self, t: datetime) -> datetime:
        """`t` itself if an office is open then, else the start of the next session; a session excludes its end."""
        local = _local(t)
        if self.is_working_day(local.date()):
            clock = local.time()
            for opening, closing in (MORNING, AFTERNOON):
                if clock < closing:
                    return local if clock >= opening else datetime.combine(local, opening, VN)
        year = self._year(local.year)
        following = self._working_day(year.before[local.toordinal() - year.first + 1], local.year)
        return _moment(following, _OPEN)

    def add_working_time(self, t: datetime, span: timedelta) -> datetime:
        """The moment at which `span` of working time has passed since the next opening from `t` on.

        It lies within a session; a span that is used up exactly at closing ends there (17:00), not at the next
        opening. No span at all gives the next opening. ValueError if `span` is negative.
        """
        amount = span // _MICROSECOND
        if amount <= 0:
            if amount < 0:
                raise ValueError(f"working time can only be added forward, not {span}")
            return self.next_opening(t)
        # One microsecond back, so that the end of a session is found in it and not at the next opening.
        number, rest = divmod(self._worked_until(t) + amount - 1, _DAY)
        rest += 1
        clock = _OPEN + rest if rest <= _MORNING else _REOPEN - _MORNING + rest
        return _moment(self._working_day(number, t.year), clock)

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from `start` to `end`; zero if `end` is not later."""
        amount = self._worked_until(end) - self._worked_until(start)
        return timedelta(microseconds=amount) if amount > 0 else timedelta()

    def add_working_days(self, day: date, n: int) -> date:
        """The n-th working day after `day`, for a negative n before it; `day` itself for 0. `day` may be a day off."""
        if n == 0:
            return day
        year = self._year(day.year)
        index = day.toordinal() - year.first
        number = year.before[index + 1] + n - 1 if n > 0 else year.before[index] + n
        return date.fromordinal(self._working_day(number, day.year))

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days `end` is after `start`, negative if before; undoes `add_working_days`."""
        if end < start:
            return self._days_before(end) - self._days_before(start)
        return self._days_before(end + timedelta(days=1)) - self._days_before(start + timedelta(days=1))

    def due_at(self, received: datetime, limit: Limit) -> datetime:
        """The promised time: the limit in working time, a day being 8 hours, from the next opening on.

        Received on Monday at 9:00 with one day: Tuesday at 9:00. Received after closing: the whole of the next
        working day, until 17:00.
        """
        return self.add_working_time(received, limit.working_time)

    def _worked_until(self, t: datetime) -> int:
        """Working microseconds from the anchor to `t`."""
        if t.tzinfo is not VN:
            t = _local(t)
        year = self._years.get(t.year) or self._year(t.year)
        index = t.toordinal() - year.first
        number = year.before[index]
        if year.before[index + 1] == number:
            return number * _DAY
        clock = ((t.hour * 60 + t.minute) * 60 + t.second) * 1_000_000 + t.microsecond
        if clock < _NOON:
            return number * _DAY + (clock - _OPEN if clock > _OPEN else 0)
        if clock < _REOPEN:
            return number * _DAY + _MORNING
        return number * _DAY + (_MORNING + clock - _REOPEN if clock < _CLOSE else _DAY)

    def _days_before(self, day: date) -> int:
        year = self._year(day.year)
        return year.before[day.toordinal() - year.first]

    def _working_day(self, number: int, near: int) -> int:
        """The ordinal of the working day with that number, sought from the year `near` on."""
        year = self._years.get(near) or self._year(near)
        while number < year.before[0]:
            near -= 1
            year = self._year(near)
        while number >= year.before[-1]:
            near += 1
            year = self._year(near)
        return year.days[number - year.before[0]]

    def _year(self, number: int) -> _Year:
        """The table of a year, made when first needed; its numbering starts where its neighbour's ends."""
        year = self._years.get(number)
        if year:
            return year
        if number not in YEARS:
            raise ValueError(f"no working calendar for the year {number}, only for {YEARS[0]}-{YEARS[-1]}")
        step = 1 if number > _ANCHOR_YEAR else -1
        for missing in range(_ANCHOR_YEAR, number + step, step):
            if missing not in self._years:
                self._years[missing] = self._make_year(missing)
        return self._years[number]

    def _make_year(self, number: int) -> _Year:
        first, following = date(number, 1, 1).toordinal(), date(number + 1, 1, 1).toordinal()
        working = {day.toordinal(): special.working for day, special in _special_days(number).items()}
        working |= {change.day.toordinal(): change.working for change in self.changes if change.day.year == number}
        days = tuple(day for day in range(first, following) if working.get(day, (day - 1) % 7 < 5))
        if number > _ANCHOR_YEAR:
            count = self._years[number - 1].before[-1]
        else:
            count = 0 if number == _ANCHOR_YEAR else self._years[number + 1].before[0] - len(days)
        before, worked = [count], set(days)
        for day in range(first, following):
            before.append(before[-1] + (day in worked))
        return _Year(first, tuple(before), days)


def local_day(t: datetime) -> date:
    """The local date of an aware moment."""
    return _local(t).date()


def month_end(day: date) -> date:
    """The last day of its month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@cache
def _special_days(year: int) -> Mapping[date, Day]:
    """The special days of a year: those of the library, then the overrides."""
    import holidays  # a tenth of a second, and many commands never ask for a working day

    status: Status = "official" if year <= ANNOUNCED_THROUGH else "estimated"
    table = holidays.country_holidays("VN", years=year, language="vi")
    days = {day: Day(False, name, status) for day, name in table.items() if day.year == year}
    days |= {day: Day(True, "Ngày làm bù", status) for day in table.weekend_workdays if day.year == year}
    return days | {day: special for day, special in _overrides().items() if day.year == year}


@cache
def _overrides() -> Mapping[date, Day]:
    text = resources.files(__package__).joinpath("overrides.csv").read_text(encoding="utf-8")
    return read_overrides(files.lines(text))


def read_overrides(lines: Iterable[str]) -> dict[date, Day]:
    """The days of a table in the form of `overrides.csv`; ValueError names the row that is wrong."""
    days: dict[date, Day] = {}
    for number, row in files.rows(lines, "overrides.csv", ("day", "working", "name_vi", "status")):
        try:
            day, working = moments.read(row["day"]).day(), {"0": False, "1": True}[row["working"]]
        except (KeyError, ValueError) as wrong:
            raise ValueError(f"overrides.csv, row {number}: a date and 0 or 1 are needed, not {row}") from wrong
        if row["status"] not in get_args(Status) or day in days:
            raise ValueError(f"overrides.csv, row {number}: {day} is given twice or its status is unknown")
        days[day] = Day(working, row["name_vi"], cast(Status, row["status"]))
    return days


def _aware(t: datetime) -> None:
    if t.utcoffset() is None:
        raise ValueError(f"{t.isoformat()} has no time zone; give an aware datetime, e.g. with tzinfo=VN")


def _local(t: datetime) -> datetime:
    _aware(t)
    return t.astimezone(VN)


def _moment(day: int, clock: int) -> datetime:
    return _ANCHOR + timedelta(day - _ANCHOR_DAY, 0, clock)
