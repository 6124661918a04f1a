"""System 2, socio-economic: statistics that others compute, kept as stated, with every revision, and their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.calendar_history import CalendarHistory
from schemas.daily import not_begun
from schemas.envelope import EventData
from schemas.fold import Fact, Fold, Folded, Measure
from schemas.notes import Revised
from schemas.retraction import RETRACTED, Retraction, is_retraction, retractions
from schemas.types import Day, Number, Revision, Slug

SYSTEM = "economy"
PUBLISHED_AHEAD = timedelta(days=1)
"""A report on a period may appear on the period's last day, or on the eve of it."""
Document = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-ZĐ][0-9A-Za-zĐđ./\-]{0,59}$"),
    Field(description="number of the official document that says so"),
]
"""The number of an official document: `312/BC-UBND`."""


class Period(EventData, system=SYSTEM):
    """What is said of an indicator is said of a period, both its days included."""

    indicator: Slug = Field(description="code of the indicator (`ioc indicators`)")
    period_start: Day = Field(description="first day of the period")
    period_end: Day = Field(description="last day of the period")

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.period_start > self.period_end:
            raise ValueError(f"period_start ({self.period_start}) lies after period_end ({self.period_end})")
        return self


class Statement(Period, entities={"statistic": ("indicator", "unit", "period_start", "period_end", "basis")}):
    """A value, the total it is a part of, or the reporter's own judgement; `basis`: in which part of the report."""

    basis: Literal["table", "text"] = Field(
        "table", description="part of the report that states it: its table or its text"
    )
    value: Number | None = Field(None, description="the figure, in the indicator's unit")
    total: Number | None = Field(None, description="the whole that `value` is a part of, where there is one")
    reached: bool | None = Field(None, description="the reporter's own judgement: the target is met")
    document: Document | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value is None and self.reached is None:
            raise ValueError("at least one of value and reached is needed")
        return self

    def about(self) -> date | None:
        """The last day of its period."""
        return self.period_end

    def contradiction(self, time: datetime) -> str | None:
        """The period must be over when its figure is published."""
        return not_begun("data.period_end", self.period_end, time, PUBLISHED_AHEAD)


class IndicatorReported(Statement, event="indicator.reported"):
    """A statistic of a period was published; the event's time is the publication."""

    revision: Revision = 0


class IndicatorRevised(Statement, event="indicator.revised"):
    """A published statistic was corrected; the figures stated before stay readable as of their day."""

    revision: Annotated[Revision, Field(ge=1)]


class IndicatorTargetSet(
    Period, event="indicator.target_set", entities={"target": ("indicator", "unit", "period_start", "period_end")}
):
    """A target was set for a period: to reach at least, or to stay at most."""

    target: Number = Field(description="what is to be reached, in the indicator's unit")
    direction: Literal["at_least", "at_most"] = Field(
        "at_least", description="the target is to be reached at least, or not to be exceeded"
    )
    document: Document | None = None
    revision: Revision | None = None


class IndicatorRetracted(
    Retraction,
    Period,
    event="indicator.retracted",
    entities={"statistic": ("indicator", "of_unit", "period_start", "period_end", "basis")},
):
    """A published statistic was taken back: it counts no more, and what was stated before it is in force again."""

    basis: Literal["table", "text"] = Field(
        "table", description="part of the report that stated it: its table or its text"
    )


class IndicatorTargetRetracted(
    Retraction,
    Period,
    event="indicator.target_retracted",
    entities={"target": ("indicator", "of_unit", "period_start", "period_end")},
):
    """A target was taken back: it counts no more, and the one that was set before it is in force again."""


EVENTS: tuple[type[EventData], ...] = (
    IndicatorReported, IndicatorRevised, IndicatorTargetSet, IndicatorRetracted, IndicatorTargetRetracted,
)  # fmt: skip

RENAMED = {
    f"dti_2024_{rest}": f"dti_{rest}"
    for rest in ("departments_good", "departments_fair", "departments_average", "districts_good", "districts_fair")
}
"""Codes with a year in them, under which statistics were stated -> their codes now: the period tells the year."""

MEASURES: tuple[Measure, ...] = ()
"""None: these figures are stated, not counted; readings take them from the vintages."""


@dataclass(frozen=True)
class Vintages:
    """Fold of statements about one period: the state is the latest, and `vintages` lists all that was ever stated.

    A vintage is {time, revision, key, and those of `fields` that were stated}, by (revision, time, key); one that was
    taken back has `until` besides. As of a moment the last vintage counts with `time` up to then that was not taken
    back by then. Adds no points.
    """

    fields: tuple[str, ...]

    def __call__(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        """See `schemas.fold.Fold`."""
        reports = (fact for fact in facts if not is_retraction(fact.event))
        ordered = sorted(reports, key=lambda f: (f.data.get("revision", 0), f.time, f.key))
        until = retractions(facts)
        standing = [fact for fact in ordered if fact.key not in until]
        last = (standing or ordered)[-1]
        indicator = RENAMED.get(last.data["indicator"], last.data["indicator"])
        vintages = [self._vintage(fact, until.get(fact.key)) for fact in ordered]
        folded = Folded(last.unit, last.origin, RETRACTED, state={**last.data, "indicator": indicator})
        folded.state["vintages"] = vintages
        if standing:
            times = [fact.time for fact in standing]
            folded.status = last.event.rpartition(".")[2]
            folded.opened_at, folded.ended_at = min(times), max(times)
        return folded

    def _vintage(self, fact: Fact, until: datetime | None) -> dict[str, Any]:
        stated = {name: fact.data[name] for name in self.fields if name in fact.data}
        said = {"time": fact.time.isoformat(), "revision": fact.data.get("revision", 0), "key": fact.key, **stated}
        return said | ({"until": until.isoformat()} if until else {})


fold_statistic = Vintages(("value", "total", "reached"))
fold_target = Vintages(("target", "direction"))

FOLDS: dict[str, Fold] = {
    "statistic": Revised(fold_statistic, tells_past=True),
    "target": Revised(fold_target, tells_past=True),
}


class Stated(NamedTuple):
    """One statement as known at a moment: whose, for which days, by which part of the report, and what it says."""

    unit: str
    first: date
    last: date
    basis: str
    origin: str
    key: str
    said: dict[str, Any]

    def part(self, name: str) -> Decimal | None:
        """The value of a part; see `formula.Statement`."""
        if name == "ratio":
            value, total = self.part("value"), self.part("total")
            return value / total * 100 if value is not None and total else None
        number = self.said.get(name)
        return None if number is None else Decimal(int(number)) if isinstance(number, bool) else Decimal(str(number))
