"""Days, moments and lengths of time as options of a command, read by the house's parsers in `schemas.text`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeVar

import click

T = TypeVar("T")
Edge = Literal["first", "last"]


class _Written(click.ParamType[T]):
    """What a person writes, read by `read`, whose ValueError says what is wrong; other values are taken as they are."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Text -> what is meant."""
        try:
            return self.read(value.strip()) if isinstance(value, str) else value
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)

    def read(self, text: str) -> T:
        """Text -> what is meant; ValueError."""
        raise NotImplementedError


class Day(_Written[date]):
    """A local day; with an edge also a month, of which that day is meant."""

    name = "day"

    def __init__(self, edge: Edge | None = None) -> None:
        self.edge = edge

    def read(self, text: str) -> date:
        """Text -> local day."""
        from schemas.text import moments

        written = moments.read(text, today())
        return written.days()[self.edge == "last"] if self.edge else written.day()


class Moment(_Written[datetime]):
    """An instant; of a day or month its first or last instant is meant. Without an offset it is local."""

    name = "moment"

    def __init__(self, edge: Edge) -> None:
        self.edge = edge

    def read(self, text: str) -> datetime:
        """Text -> aware instant (UTC)."""
        from schemas.text import moments

        written = moments.read(text, today())
        return (written.end if self.edge == "last" else written.first).astimezone(UTC)


class Span(_Written[timedelta]):
    """A span of time: a number and s, m, h or d."""

    name = "span"

    def read(self, text: str) -> timedelta:
        """`90s` -> timedelta."""
        from schemas.text import durations

        return durations.read(text)


class Days(_Written[tuple[date, date]]):
    """A month, a quarter, half a year, a year, a day, or two of days and months with `..` between them."""

    name = "period"

    def read(self, text: str) -> tuple[date, date]:
        """Text -> first and last local day."""
        from schemas.text import moments

        first, between, last = text.partition("..")
        try:
            return moments.read(first).days()[0], moments.read(last if between else first).days()[1]
        except moments.NoMoment:
            if days := None if between else _days_in_words(text):
                return days
            raise


def _days_in_words(text: str) -> tuple[date, date] | None:
    """`quý IV/2024` -> its days; None for words of no period."""
    from schemas.questions import periods, words
    from schemas.text.moments import NoMoment

    try:
        rest, days = periods.take(words.tokens(text), today())
    except NoMoment:
        return None
    return None if rest or days is None or days.until else (days.first, days.last)


def today() -> date:
    """The local day that it is."""
    from schemas.calendar import local_day
    from services.kit import clock

    return local_day(clock.now())
