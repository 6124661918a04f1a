"""What a unit reports once for a whole day, and may correct: the base of such events in all systems."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import ClassVar, Self

from pydantic import Field, model_validator

from schemas.calendar import VN
from schemas.envelope import EventData
from schemas.types import Day, Revision


class Daily(EventData):
    """A report about one local day; of several the highest `revision` counts."""

    parts: ClassVar[dict[str, str]] = {}
    """A field -> the field that it is a part of, and so can't exceed."""

    day: Day = Field(description="local day that the report is about")
    revision: Revision = 0

    @model_validator(mode="after")
    def _parts_within_wholes(self) -> Self:
        for part, whole in self.parts.items():
            least, most = getattr(self, part), getattr(self, whole)
            if most is not None and least > most:
                raise ValueError(f"{part} ({least}) is more than {whole} ({most})")
        return self

    def about(self) -> date | None:
        """Its day."""
        return self.day

    def contradiction(self, time: datetime) -> str | None:
        """The day must have begun."""
        return not_begun("data.day", self.day, time)


def not_over(where: str, due: datetime, time: datetime) -> str | None:
    """Why nothing can be overdue at `time` (aware) that is due later; else None."""
    late = due > time
    return (
        f"{where}: {due.isoformat()} lies after the event's time {time.isoformat()}: it is not overdue"
        if late
        else None
    )


def not_begun(where: str, day: date, time: datetime, ahead: timedelta = timedelta()) -> str | None:
    """Why nothing can be reported at `time` (aware) about a day that begins later than `ahead` from then; else None."""
    late = day > (time + ahead).astimezone(VN).date()
    return f"{where}: {day.isoformat()} lies after the event's time {time.isoformat()}" if late else None
