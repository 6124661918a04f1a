"""Taking a report back: nothing is erased, a later event says that an earlier one counts no more from then on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.envelope import EventData
from schemas.fold import Fact
from schemas.types import Day, OfficeCode

RETRACTED = "retracted"
"""How the events end that take one back, and the status of what has no report any more."""
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def in_letters(key: str) -> str:
    """An event's key (32 hexadecimal digits) without a digit: it could pass for a phone number."""
    return key.translate(_LETTERS)


class Retraction(EventData):
    """What names the report that is taken back. `of_unit` is a part of what the report was about: the unit of the
    envelope is the one that takes it back, which may be its heir."""

    of_unit: Annotated[OfficeCode, Field(description="the unit that the report was of, which may be no more")]
    report: Annotated[
        str,
        StringConstraints(pattern=r"^[a-p]{32}$"),
        Field(description="the key of the event that is taken back, its digits 0-9 written g-p"),
    ]


class DailyRetraction(Retraction):
    """Of a report about one local day."""

    day: Day = Field(description="local day that the report is about")


def is_retraction(event: str) -> bool:
    """Whether an event (`entity.event`) takes another one back."""
    return event.endswith(RETRACTED)


def retractions(facts: Iterable[Fact]) -> dict[str, datetime]:
    """key of a report -> since when it counts no more. What does not come after its report takes nothing back."""
    told = list(facts)
    reports = {in_letters(fact.key): fact for fact in told if not is_retraction(fact.event)}
    found: dict[str, datetime] = {}
    for fact in told:
        report = reports.get(fact.data["report"]) if is_retraction(fact.event) else None
        if report and fact.time > report.time:
            found[report.key] = min(fact.time, found.get(report.key, fact.time))
    return found
