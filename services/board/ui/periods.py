"""The periods a reader chooses from, as they stand in an address, cut into steps, and the same before."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from schemas.calendar import local_day, month_end
from schemas.text import moments
from services.readings import Period

Span = Literal["day", "week", "month", "year"]
Against = Literal["previous", "year"]
Step = Literal["hour", "day", "month"]
SPANS: tuple[Span, ...] = ("day", "week", "month", "year")
MOST_DAYS = 62
"""So many days are drawn one by one, more by months."""


class BadPeriod(ValueError):
    """An address names no period that can be read."""


@dataclass(frozen=True)
class PeriodChoice:
    """What an address asks for: a span up to the moment, or a `month` (its first day), or the `days` from and to; as of
    the moment `as_of`, None: now."""

    span: Span = "month"
    month: date | None = None
    days: tuple[date, date] | None = None
    as_of: datetime | None = None

    @classmethod
    def parse(cls, params: Mapping[str, str], today: date) -> PeriodChoice:
        """`span`, `month`, `first` and `last`, `as_of` of an address or a form; days go before a month, a month before
        a span, and of one day alone the other is its month's first, or today. Raises `BadPeriod`."""
        span = next((s for s in SPANS if s == params.get("span", "month")), None)
        if span is None:
            raise BadPeriod(params["span"])
        named = {key: _written(text) for key in ("month", "first", "last", "as_of") if (text := params.get(key))}
        try:
            month = named["month"].days()[0].replace(day=1) if "month" in named else None
            ends = {key: named[key].days()[place] for place, key in enumerate(("first", "last")) if key in named}
        except moments.NoMoment as wrong:
            raise BadPeriod(str(wrong)) from wrong
        last = ends.get("last", max(today, ends.get("first", today)))
        days = (ends.get("first", last.replace(day=1)), last) if ends else None
        as_of = named["as_of"].end if "as_of" in named else None
        return cls("month" if days or month else span, None if days else month, days and _in_order(*days), as_of)

    def period(self, now: datetime) -> Period:
        """The period, as seen from `now` where no moment was chosen."""
        moment = self.as_of or now
        if self.days:
            return Period(*self.days, moment)
        if self.month:
            return Period(self.month, month_end(self.month), moment, open_start=True)
        return period_of(self.span, today(moment), moment)

    def before(self, period: Period, against: Against = "previous") -> Period:
        """The same stretch of the period before, or of the year before: as much of it as is over of this `period`.

        It is seen as of the same time of its last day, so that a morning is held against a morning.
        """
        last = max(min(period.last, local_day(period.as_of)), period.first)
        first, end = self._earlier(period.first, last, against)
        return replace(period, first=first, last=end, as_of=period.as_of - (last - end))

    def _earlier(self, first: date, last: date, against: Against) -> tuple[date, date]:
        """A month goes before a month, a year before a year, so many days before days."""
        if against == "year" or self.span == "year":
            return _years(first, -1), _years(last, -1)
        month = self.span == "month" and not self.days
        if month or (first.day == 1 and last == month_end(first)):
            start = months_from(first, -1)
            return start, month_end(start) if last == month_end(last) else _in_month(start, last.day)
        days = last - first + timedelta(days=1)
        return first - days, last - days

    @property
    def whole(self) -> bool:
        """Whether it is of more than a day."""
        return self.days[0] < self.days[1] if self.days else self.span != "day"

    def as_seen(self, moment: datetime) -> PeriodChoice:
        """The same that stays what it is: as of the moment."""
        return replace(self, as_of=self.as_of or moment)

    def shifted(self, now: datetime, months: int) -> PeriodChoice:
        """The whole month so many months from that of `now`."""
        return PeriodChoice(month=months_from(today(self.as_of or now), months), as_of=self.as_of)

    @property
    def params(self) -> dict[str, str]:
        """Its part of an address; nothing for the month so far, as of now."""
        chosen: dict[str, str] = {"span": self.span} if self.span != "month" else {}
        if self.month:
            chosen = {"month": f"{self.month:%Y-%m}"}
        if self.days:
            chosen = {"first": self.days[0].isoformat(), "last": self.days[1].isoformat()}
        return chosen | ({"as_of": self.as_of.isoformat()} if self.as_of else {})

    def address(self, path: str, **others: str | None) -> str:
        """`path` for this period, with other parameters before it; what is None is left out."""
        query = urlencode({key: value for key, value in others.items() if value is not None} | self.params)
        return f"{path}?{query}" if query else path


SO_FAR = PeriodChoice()
"""The month so far: what is shown where nothing was chosen."""


def _written(text: str) -> moments.Written:
    try:
        return moments.read(text)
    except moments.NoMoment as wrong:
        raise BadPeriod(text) from wrong


def _in_order(one: date, other: date) -> tuple[date, date]:
    return min(one, other), max(one, other)


def period_of(span: Span, last: date, as_of: datetime) -> Period:
    """The span that ends with the local day `last`: that day, seven days, the month or the year so far.

    The month is what the wall shows, and what is asked for without a first day: levels and statements in it may be
    older.
    """
    first = {
        "day": last,
        "week": last - timedelta(days=6),
        "month": last.replace(day=1),
        "year": last.replace(month=1, day=1),
    }[span]
    return Period(first, last, as_of, open_start=span == "month")


def step_of(period: Period) -> Step:
    """What a chart of the period has a bar for."""
    days = (period.last - period.first).days
    return "month" if days > MOST_DAYS else "day" if days else "hour"


def _years(day: date, years: int) -> date:
    return _in_month(day.replace(year=day.year + years, day=1), day.day)


def _in_month(first: date, day: int) -> date:
    return first.replace(day=min(day, monthrange(first.year, first.month)[1]))


def months_from(day: date, months: int) -> date:
    """The first day of the month so many months from that of a day."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def today(as_of: datetime) -> date:
    """The local day of an instant."""
    return local_day(as_of)
