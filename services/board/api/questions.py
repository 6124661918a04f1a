"""What a program asks, in the words of the `ioc` command, and what it means for the account that asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas import indicators, units
from schemas.calendar import local_day
from schemas.indicators import Indicator, UnknownIndicator
from schemas.registry import SYSTEMS
from schemas.text import moments
from schemas.units import UnknownUnit
from services.board.access import Account, is_sensitive
from services.board.auth.problems import Problem
from services.kit import clock
from services.readings import Period

MOST_GROUPS = {"hour": 31, "day": 400, "month": 3660}
"""by -> so many days a period may have."""

Text = Annotated[str | None, Field(max_length=200)]


class Query(BaseModel):
    """Parameters of any question; one that is not known is refused, since without it another figure would be told."""

    model_config = ConfigDict(extra="forbid")
    format: Literal["json", "csv"] | None = Field(None, description="instead of the header Accept")


class FindingsQuery(Query):
    """Of which unit, of which days, as of when."""

    unit: Text = Field(
        None, description="a unit by code or name, with all below it; none: the whole locality", examples=["dong_xoai"]
    )
    first: Text = Field(None, alias="from", description="the first day or month", examples=["2024-11-01"])
    last: Text = Field(None, alias="to", description="the last day or month, included", examples=["30/11/2024"])
    as_of: Text = Field(
        None,
        description="what was so at that moment, by event time; none: now",
        examples=["2024-11-15T10:30"],
    )


class ExplainQuery(FindingsQuery):
    """As of findings, and a month in short."""

    month: Text = Field(None, description="the first to the last day of a month", examples=["2024-11"])


class FigureQuery(ExplainQuery):
    """As of an explanation, and what a row is of."""

    by: Text = Field(
        None, description="one row for each `unit`, `hour`, `day`, `month`, or class such as `field`", examples=["unit"]
    )


class IndicatorsQuery(Query):
    """Of which system."""

    system: Text = Field(None, description=f"one of {', '.join(SYSTEMS)}; none: all")


class UnitsQuery(Query):
    """Of which day."""

    date: Text = Field(None, description="the units of that day; none: today")


@dataclass(frozen=True)
class Question:
    """A question that may be answered. `indicators`: one, or those of a sheet; `lasting`: it names its moment, so time
    alone does not change the answer."""

    indicators: tuple[Indicator, ...]
    unit: str | None
    period: Period
    by: str | None
    lasting: bool

    @property
    def whole(self) -> bool:
        """Whether it is of the whole locality, over more than a day."""
        return self.unit is None and self.period.first < self.period.last


def question_of(account: Account, indicator: str, query: ExplainQuery) -> Question:
    """What `account` asks of an indicator or sheet; raises `Problem`."""
    known, now = _indicators(indicator), clock.now()
    as_of = moment_of(query.as_of, "as_of", now)
    first, last = days_of(query.first, query.last, query.month)
    try:
        period = Period.of(as_of, first, last)
    except ValueError as wrong:
        raise Problem(422, str(wrong), "from") from None
    by = query.by if isinstance(query, FigureQuery) else None
    unit = unit_of(account, query.unit, period.last)
    days = (period.last - period.first).days + 1
    if days > (most := MOST_GROUPS.get(by or "", days)):
        raise Problem(422, f"by {by} a period may have {most} days, and this has {days}", "by", "ask for a part of it")
    if query.as_of and not account.may("cases") and any(map(is_sensitive, known)):
        raise Problem(403, "without log-in these figures are told as of now", "as_of", "leave it out")
    return Question(known, unit, period, by, query.as_of is not None and as_of <= now)


def _indicators(name: str) -> tuple[Indicator, ...]:
    try:
        return tuple(indicators.find(name))
    except UnknownIndicator as unknown:
        message = str(unknown).partition(" (`ioc")[0]
        raise Problem(404, message, "indicator", "/api/indicators lists all") from None


def unit_of(account: Account, text: str | None, day: date | None = None) -> str | None:
    """The code of a unit named by code or name; `Problem` for one that is not theirs to ask for."""
    try:
        code = None if text is None else units.find(text, day).code
    except UnknownUnit as unknown:
        raise Problem(422, str(unknown), "unit", "/api/units lists all") from None
    if account.units and (code is None or code not in account.scope()):
        scope = f"the unit {code}" if code else "the whole locality"
        own = ", ".join(account.units)
        raise Problem(403, f"{scope} is not among what this account sees", "unit", f"ask for {own}, or what lies below")
    return code


def days_of(first: str | None, last: str | None, month: str | None = None) -> tuple[date | None, date | None]:
    """The days of a period, from its bounds or from its month."""
    if month is not None and (first or last):
        raise Problem(422, "`month` says the whole period", "month", "leave out `from` and `to`, or `month`")
    start = _written(month or first, "month" if month else "from")
    end = _written(month or last, "month" if month else "to")
    try:
        if month and start and start.kind != "month":
            raise moments.NoMoment(month, f"is a {start.kind}, and a month is needed")
        return start.days()[0] if start else None, end.days()[1] if end else None
    except moments.NoMoment as wrong:
        raise Problem(422, str(wrong), "month" if month else "from") from None


def moment_of(text: str | None, where: str, now: datetime) -> datetime:
    """The last instant of what is written; nothing: now."""
    written = _written(text, where)
    return written.end.astimezone(UTC) if written else now


def day_of(text: str | None, where: str) -> date:
    """A day; nothing: today."""
    try:
        return written.day() if (written := _written(text, where)) else local_day(clock.now())
    except moments.NoMoment as wrong:
        raise Problem(422, str(wrong), where) from None


def _written(text: str | None, where: str) -> moments.Written | None:
    try:
        return None if text is None else moments.read(text, local_day(clock.now()))
    except moments.NoMoment as wrong:
        raise Problem(422, str(wrong), where) from None


def system_of(text: str | None) -> Sequence[Indicator]:
    """The indicators of a system; nothing: all."""
    if text is not None and text not in SYSTEMS:
        raise Problem(422, f"no system {text!r}; there are {', '.join(SYSTEMS)}", "system")
    return [i for i in indicators.CATALOGUE.values() if text in (None, i.system)]
