"""Making a report as it is now, with what has to be kept of it as an issue, and making an issue again to verify it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from schemas.text import dates
from services.kit import clock
from services.readings import Period
from services.readings.memo import snapshot
from services.readings.period import last_moment
from services.reports import issues, monthly
from services.reports.content import REPORT, Report
from services.reports.issues import Issue
from services.reports.texts import Texts


@dataclass(frozen=True)
class Made:
    """A report, the words that it was made with, the fingerprint of its inputs, and when it was made."""

    report: Report
    texts: Texts
    inputs: str
    at: datetime

    def values(self) -> dict[str, Any]:
        """As JSON values, for another process."""
        return {
            "report": REPORT.dump_python(self.report, mode="json"), "texts": self.texts.model_dump(mode="json"),
            "inputs": self.inputs, "at": self.at.isoformat(),
        }  # fmt: skip

    @classmethod
    def of(cls, values: dict[str, Any]) -> Made:
        """What `values` says."""
        texts = Texts.model_validate(values["texts"])
        at = datetime.fromisoformat(values["at"])
        return cls(REPORT.validate_python(values["report"]), texts, values["inputs"], at)


@dataclass(frozen=True)
class Verdict:
    """An issue and the same made again. `same_inputs`: whether no other events are known of its time than were then."""

    issue: Issue
    again: Report
    same_inputs: bool

    @property
    def holds(self) -> bool:
        """Whether it says the same."""
        return self.issue.report == self.again


def period_of(first: date, last: date, as_of: datetime | None = None) -> Period:
    """The days of a report as of a moment, by itself that of their end, or now. ValueError if they are in the wrong
    order, or had not begun then."""
    period = Period.of(as_of or min(last_moment(last), clock.now()), first, last)
    if not period.begun:
        raise ValueError(f"the period begins on {dates.day(first)}, after {dates.day_and_time(period.as_of)}")
    return period


def make(conn: Connection, texts: Texts, unit: str | None, period: Period, number: str = "") -> Made:
    """The report as the database has it at one moment."""
    with snapshot(conn):
        report = monthly.report(conn, texts, unit, period, number)
        return Made(report, texts, issues.inputs_of(conn, report.as_of), clock.now())


def verify(conn: Connection, issue: Issue) -> Verdict:
    """An issue made again by its own words, as of its own moment."""
    period = Period.of(issue.as_of, issue.first, issue.last)
    made = make(conn, issue.words, issue.unit, period, issue.number)
    return Verdict(issue, made.report, made.inputs == issue.inputs)
