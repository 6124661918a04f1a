"""The events that a snapshot proves by its own dates; pure, and with no memory of other snapshots.

An event's id is made of the dossier's code, the status, the moment and a digest of what else it says. So a snapshot
that comes again makes the same events, in whatever order several come they make the same set, and what was changed
from one to the next (a promise, an end) is another event: the fold of dossiers keeps both and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from schemas import units
from schemas.calendar import local_day
from schemas.envelope import Event, EventData, check_bytes, check_event
from schemas.procedures import DossierSupplementReceived
from schemas.registry import make
from services.ingest.onestop.snapshot import Snapshot
from services.ingest.procedures import STATUSES

SOURCE = "/onestop"
"""Who speaks where no key names its own source."""
NOT_TOLD = "not_told"
"""Why a dossier was refused or stopped: that is free text in an export, and dropped."""
_LATER = ("portal",)
"""Fields that events got later: without one an event has the id that it had before there was such a field."""
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


class Told(NamedTuple):
    """The events of a snapshot, and what of it makes none (`undated`: a status without a date, a refusal of a dossier
    that was received): that is told to the sender and not made up."""

    events: list[Event]
    undated: str | None


class _Step(NamedTuple):
    status: int
    at: datetime
    data: EventData


def told(snapshot: Snapshot, source: str, now: datetime) -> Told:
    """The events that a snapshot proves, each checked as every event is; `Invalid` with why."""
    events = [_event(step, snapshot, source) for step in _steps(snapshot)]
    for event in events:
        check_bytes(event.to_json())
        check_event(event, now)
    return Told(events, "; ".join(_not_told(snapshot)) or None)


def _steps(it: Snapshot) -> Iterator[_Step]:
    yield _beginning(it)
    if it.asked:
        yield _step(it, 5, it.asked)
    if it.answered:
        yield _Step(4, it.answered, DossierSupplementReceived(code=it.code))
    if it.ended and it.status not in (3, 7, 8, 9):
        yield _step(it, 9, it.ended)
    if it.returned and it.status not in (*_UNTOLD["NgayTra"][1], 10):
        yield _step(it, 10, it.returned)
    if it.status > 2 and (at := _reached(it)) and (it.status, at) != (5, it.asked):
        yield _step(it, it.status, at)


def _beginning(it: Snapshot) -> _Step:
    """It was accepted with a promise; or filed, if it is not accepted or has no promise."""
    words = {"procedure": it.procedure, "field": it.field, "channel": it.channel, "online_level": it.level}
    words["portal"] = it.portal
    if it.status not in (1, 3) and it.promised:
        return _Step(2, it.received, _data(it, 2, promised_at=it.promised, **words))
    words |= {"channel": it.channel or "counter", "online_level": it.level or "none"}
    return _Step(1, it.received, _data(it, 1, **words))


def _step(it: Snapshot, status: int, at: datetime) -> _Step:
    words: dict[int, dict[str, str]] = {
        3: {"reason": NOT_TOLD},
        6: {"kind": "tax"},
        8: {"reason": NOT_TOLD},
        10: {"channel": it.returned_by},
    }
    return _Step(status, at, _data(it, status, **words.get(status, {})))


def _data(it: Snapshot, status: int, **words: Any) -> EventData:
    return STATUSES[status].model_validate({"code": it.code, **words})


def _reached(it: Snapshot) -> datetime | None:
    """When it came to its status, by the date that is that status' own, else as it says."""
    asked = it.asked if it.asked and not (it.answered and it.answered >= it.asked) else None
    own = {3: it.refused or it.ended, 5: asked, 7: it.ended, 8: it.ended, 9: it.ended, 10: it.returned}
    return own.get(it.status) or it.reached


_OWN = {
    3: "NgayTuChoi",
    5: "NgayYeuCauBoSung",
    7: "NgayKetThucXuLy",
    8: "NgayKetThucXuLy",
    9: "NgayKetThucXuLy",
    10: "NgayTra",
}


_UNTOLD: dict[str, tuple[Callable[[Snapshot], datetime | None], Collection[int], str]] = {
    "NgayTuChoi": (lambda it: it.refused, STATUSES.keys() - {3}, "only 3 is a refusal"),
    "NgayTra": (lambda it: it.returned, (3, 7, 8), "it has no result that is handed over"),
    "NgayHenTra": (lambda it: it.promised, (1, 3), "it was not received, so nothing was promised"),
}
"""Columns -> what they say, the statuses beside which that makes no event, and why."""


def _not_told(it: Snapshot) -> Iterator[str]:
    if it.status > 2 and not _reached(it) and not (it.status == 4 and it.answered):
        where = " or ".join((*([_OWN[it.status]] if it.status in _OWN else []), "ThoiDiemXuLy"))
        yield f"TrangThaiHoSo {it.status}: no date says when, so it is not told; give {where}"
    for name, (moment, statuses, why) in _UNTOLD.items():
        if moment(it) and it.status in statuses:
            yield f"{name}: is not told while TrangThaiHoSo is {it.status}, as {why}; leave it empty"


def _event(step: _Step, it: Snapshot, source: str) -> Event:
    day = local_day(step.at)
    unit = units.heir(it.unit, day) if local_day(it.received) < day else it.unit
    unsaid = {name for name in _LATER if getattr(step.data, name, None) is None}
    data = step.data.model_dump_json(exclude=unsaid)
    said = blake2b(f"{unit} {step.data.event} {data}".encode(), digest_size=5).hexdigest()
    moment = step.at.astimezone(UTC).isoformat()
    id = f"{it.code}/{step.status}/{moment}/{said.translate(_LETTERS)}"
    return make(step.data, source=source, id=id, time=step.at, unit=unit)
