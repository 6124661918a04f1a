"""Field reports (phản ánh hiện trường) and the 1022 hotline: a report comes in, is routed, resolved and rated."""

from __future__ import annotations

from typing import Literal

from schemas.envelope import Event, EventData
from schemas.field import (
    Category,
    ReportAccepted,
    ReportRated,
    ReportReceived,
    ReportRefused,
    ReportReopened,
    ReportResolved,
    ReportRouted,
    ReportVerified,
)
from schemas.types import Instant, Latitude, Longitude, Place, Priority, Reference, Slug, UnitCode
from services.ingest.router import Emitter, Post, Words, compose

NAME = "field"

STEPS: dict[str, type[EventData]] = {
    "verified": ReportVerified,
    "refused": ReportRefused,
    "routed": ReportRouted,
    "accepted": ReportAccepted,
    "resolved": ReportResolved,
    "reopened": ReportReopened,
}


class Report(Words):
    """A citizen's report came in. The reporter is not named; `place` is a public place in words."""

    code: Reference
    reported_at: Instant
    unit: UnitCode
    channel: Literal["hotline_1022", "app", "web", "zalo", "officer"]
    category: Category
    priority: Priority = "normal"
    ward: UnitCode | None = None
    place: Place | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Step(Words):
    """A report went a step on. `to_unit` is for `routed`, `reason` for `refused` (with `duplicate_of` where it is
    `duplicate`), `handling` for `resolved`."""

    step: Literal["verified", "refused", "routed", "accepted", "resolved", "reopened"]
    at: Instant
    unit: UnitCode
    to_unit: UnitCode | None = None
    reason: Slug | None = None
    duplicate_of: Reference | None = None
    handling: Literal["answered", "handled"] | None = None


class Rating(Words):
    """The citizen's verdict, 1 (worst) to 5."""

    at: Instant
    unit: UnitCode
    score: int


def report(words: Report) -> Event:
    """A report came in."""
    data = ReportReceived(**words.model_dump(exclude={"reported_at", "unit"}))
    return compose(NAME, f"{words.code}/received", words.reported_at, words.unit, data)


def step(words: Step, code: str) -> Event:
    """A report was verified, refused, routed, accepted, resolved or reopened."""
    fields = {"code": code} | words.model_dump(exclude={"step", "at", "unit"}, exclude_none=True)
    data = STEPS[words.step](**fields)
    id = "/".join((code, words.step, words.at.isoformat(), *([words.to_unit] if words.to_unit else [])))
    return compose(NAME, id, words.at, words.unit, data)


def rating(words: Rating, code: str) -> Event:
    """The citizen rated the handling of a report."""
    data = ReportRated(code=code, score=words.score)
    return compose(NAME, f"{code}/rating/{words.at.isoformat()}", words.at, words.unit, data)


EMITTER = Emitter(
    NAME,
    (
        Post("/field/reports", Report, report),
        Post("/field/reports/{code}/steps", Step, step),
        Post("/field/reports/{code}/rating", Rating, rating),
    ),
)
