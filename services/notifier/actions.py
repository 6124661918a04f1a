"""What people do about alarms: acknowledge, assign, comment, close. Each is a step of the history with a name to it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from psycopg import AsyncConnection
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from schemas.codes import masked
from schemas.envelope import Invalid, refuse_personal
from schemas.personal import OF_STAFF
from schemas.text import moments
from schemas.text.dates import day_and_time
from services.notifier import alarm_repository, domain
from services.notifier.alarm import Alarm, Happened


def _of_staff(name: str) -> str:
    """An account's name may be an e-mail address, and nothing else that is personal."""
    return _free(name, OF_STAFF)


def _free(text: str, allowed: Collection[str] = ()) -> str:
    try:
        refuse_personal("this", text, allowed)
    except Invalid as personal:
        raise ValueError(personal.reason) from None
    return text


_NAME = StringConstraints(min_length=1, max_length=80, strip_whitespace=True, pattern=r"^\P{Cc}+$")
Who = Annotated[str, _NAME, AfterValidator(_of_staff)]
Words = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True), AfterValidator(_free)]


class NotFound(Exception):
    """There is no such alarm."""


class Conflict(Exception):
    """The alarm stands so that this cannot be done; the message says how it stands."""


class Act(BaseModel):
    """Who does it, and a word about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: Who
    note: Words = ""


class Comment(Act):
    """A comment is a word that is not empty."""

    note: Annotated[Words, Field(min_length=1)]


class Close(Comment):
    """Why an alarm is closed by hand is kept."""


def _deadline(value: Any) -> Any:
    return moments.read(value).end if isinstance(value, str) else value


class Assign(Act):
    """Who has to see to it, and until when: after that the escalation goes on."""

    assignee: Who
    deadline: Annotated[AwareDatetime, BeforeValidator(_deadline)] | None = None


async def acknowledge(conn: AsyncConnection, id: int, act: Act, now: datetime) -> Alarm:
    """Someone takes notice, and the escalation stops; they take it over from who can see to it no more. The same
    again by the same user changes nothing."""
    alarm = await _active(conn, id)
    if alarm.acknowledged_at and alarm.acknowledged_by != act.user:
        raise Conflict(
            f"alarm {id} was acknowledged by {alarm.acknowledged_by} at {day_and_time(alarm.acknowledged_at)}; "
            "comment on it, or assign it"
        )
    if not alarm.acknowledged_at:
        gone = {"assignee": None, "deadline": None} if id in await alarm_repository.orphans(conn, stored=False) else {}
        await alarm_repository.update(conn, id, acknowledged_at=now, acknowledged_by=act.user, next_at=now, **gone)
        await alarm_repository.note(conn, now, [Happened(id, "acknowledged", act.user, act.note)])
    return await _one(conn, id)


async def assign(conn: AsyncConnection, id: int, act: Assign, now: datetime) -> Alarm:
    """Give it to someone, which acknowledges it too."""
    alarm = await _active(conn, id)
    if act.deadline and act.deadline <= now:
        raise Conflict(f"the deadline {act.deadline.isoformat()} has passed already; name a later one")
    await alarm_repository.update(
        conn,
        id,
        assignee=act.assignee,
        deadline=act.deadline,
        acknowledged_at=alarm.acknowledged_at or now,
        acknowledged_by=alarm.acknowledged_by or act.user,
        next_at=now,
    )
    until = f" until {act.deadline.isoformat()}" if act.deadline else ""
    what = f"to {act.assignee}{until}" + (f": {act.note}" if act.note else "")
    await alarm_repository.note(conn, now, [Happened(id, "assigned", act.user, what)])
    return await _one(conn, id)


async def assign_dossier(conn: AsyncConnection, dossier: str, act: Assign, now: datetime) -> Alarm:
    """Give an open dossier to someone that no alarm is about yet: there is one from then on, until it ends."""
    case = await alarm_repository.open_dossier(conn, dossier)
    if case is None:
        raise NotFound(f"there is no open dossier {masked(dossier)}")
    raised = domain.work(dossier, *case, now)
    await alarm_repository.raise_all(conn, [raised], now)
    return await assign(conn, await alarm_repository.active_id(conn, raised.key), act, now)


async def comment(conn: AsyncConnection, id: int, act: Comment, now: datetime) -> Alarm:
    """Add a word to its history, also when it is over."""
    alarm = await _one(conn, id)
    await alarm_repository.note(conn, now, [Happened(id, "commented", act.user, act.note)])
    return alarm


async def close(conn: AsyncConnection, id: int, act: Close, now: datetime) -> Alarm:
    """Clear it by hand. An alert that goes on firing raises a new one; an event is not heard twice."""
    await _active(conn, id)
    await alarm_repository.clear(conn, [id], now, act.user, act.note)
    return await _one(conn, id)


async def _one(conn: AsyncConnection, id: int) -> Alarm:
    if alarm := await alarm_repository.get(conn, id):
        return alarm
    raise NotFound(f"there is no alarm {id}; `ioc alarms list --all` shows them")


async def _active(conn: AsyncConnection, id: int) -> Alarm:
    alarm = await _one(conn, id)
    if alarm.cleared_at:
        raise Conflict(f"alarm {id} was cleared by {alarm.cleared_by} at {day_and_time(alarm.cleared_at)}")
    return alarm
