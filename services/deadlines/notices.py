"""Which notices an entity is owed: pure functions of its stored state and the clock.

A notice is the same event whoever computes it and whenever: its id names the due date and the stage, its time is the
moment the stage began (or the horizon, where that is later). So two services, or one that was restarted, publish it
twice without harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from schemas import cases, units
from schemas.calendar import local_day
from schemas.envelope import Event, EventData
from schemas.field import ReportOverdue
from schemas.fold import instant
from schemas.offices import number_of
from schemas.procedures import DossierDueSoon, DossierOverdue
from schemas.registry import make

SOURCE = "/deadlines"


class Owed(NamedTuple):
    """An entity whose next notice is owed since `notice_at`. `horizon`: before it nothing is accepted any more; None
    where all is kept."""

    kind: str
    id: str
    unit: str
    origin: str
    notice_at: datetime
    due_at: datetime
    state: dict[str, Any]
    horizon: datetime | None = None


class Notice(NamedTuple):
    """One notice: what is due when, the stage reached, and since when."""

    stage: str
    due: datetime
    since: datetime
    data: EventData


def notices(owed: Owed, now: datetime) -> list[Event]:
    """The notices that an entity is owed at `now`."""
    return [_event(owed, notice) for notice in _NOTICES[owed.kind](owed, now)]


def _dossier(owed: Owed, now: datetime) -> Iterator[Notice]:
    """The stage that the promised date has reached; one that was slept through is not told any more."""
    reached = cases.reached(owed.state, now)
    if not reached:
        return
    (stage, began), due = reached[-1], owed.due_at
    data = (
        DossierOverdue(code=owed.id, promised_at=due)
        if stage == "overdue"
        else DossierDueSoon.model_validate({"code": owed.id, "promised_at": due, "stage": stage})
    )
    yield Notice(stage, due, began, data)


def _report(owed: Owed, now: datetime) -> Iterator[Notice]:
    """Every service level of the open report that was not kept."""
    for stage, text in owed.state["owed"]:
        if (due := instant(text)) <= now:
            data = ReportOverdue(code=number_of(owed.id), stage=stage, due_at=due, office=owed.state.get("office"))
            yield Notice(stage, due, due, data)


_NOTICES: dict[str, Callable[[Owed, datetime], Iterator[Notice]]] = {
    "dossier": _dossier,
    "report": _report,
}


def _speaker(owed: Owed, at: datetime) -> str:
    return units.heir(owed.unit, local_day(at - timedelta(days=owed.state.get("shiftdays", 0))))


def _case(owed: Owed) -> str:
    """The number, and whose case it is where several offices have given it."""
    return "/".join([number_of(owed.id), *([owed.state["office"]] if "office" in owed.state else [])])


def _event(owed: Owed, notice: Notice) -> Event:
    """What began behind the horizon is told as of there: who has been late for years is told of all the same."""
    since = max(notice.since, owed.horizon or notice.since)
    return make(
        notice.data,
        source=SOURCE,
        id=f"{_case(owed)}/{notice.due.astimezone(UTC).isoformat()}/{notice.stage}",
        time=since,
        unit=_speaker(owed, since),
        origin=owed.origin,
        shiftdays=owed.state.get("shiftdays", 0),
    )
