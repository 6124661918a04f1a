"""The periods a reader chooses from, cut into the steps of a chart, and the same period before."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

from schemas.calendar import local_day
from services.readings import Period

Span = Literal["day", "week", "month", "year"]
Against = Literal["previous", "year"]
SPANS: tuple[Span, ...] = ("day", "week", "month", "year")
STEPS: dict[Span, Literal["hour", "day", "month"]] = {"day": "hour", "week": "day", "month": "day", "year": "month"}


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


def before(span: Span, period: Period, against: Against) -> Period:
    """The same stretch of the period before, or of the year before: as much of it as is over of this one.

    It is seen as of the same time of its last day, so that a morning is held against a morning.
    """
    first, last = _earlier(span, period, against)
    return replace(period, first=first, last=last, as_of=period.as_of - (period.last - last))


def _earlier(span: Span, period: Period, against: Against) -> tuple[date, date]:
    if against == "year" or span == "year":
        return _years(period.first, -1), _years(period.last, -1)
    if span == "month":
        first = (period.first - timedelta(days=1)).replace(day=1)
        return first, _in_month(first, period.last.day)
    days = timedelta(days=7 if span == "week" else 1)
    return period.first - days, period.last - days


def _years(day: date, years: int) -> date:
    return _in_month(day.replace(year=day.year + years, day=1), day.day)


def _in_month(first: date, day: int) -> date:
    return first.replace(day=min(day, monthrange(first.year, first.month)[1]))


def today(as_of: datetime) -> date:
    """The local day of an instant."""
    return local_day(as_of)
