"""Dossiers as a one-stop system has them, pushed with a key of the system `procedures`: one object or an array of up to
1,000, with the national portal's fields.

Each snapshot is answered alone and becomes the events that its own dates prove; the same snapshot again changes
nothing. Fields beside those of the portal (names, numbers, addresses, free text) are dropped unread and counted.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from schemas.envelope import MAX_EVENT_BYTES, Invalid
from services.ingest.cloudevents import (
    LARGEST_BATCH,
    MOST_IN_BATCH,
    Answer,
    Answers,
    Door,
    PublishBy,
    answer_of,
    answered,
    body_of,
    described,
    elements,
    noted,
    opened_by_key,
)
from services.ingest.keyring import Keyring
from services.ingest.onestop.events import Told
from services.ingest.onestop.rows import object_row, understand
from services.ingest.onestop.snapshot import COLUMNS, NEEDED
from services.ingest.router import Refused, has_room, within
from services.kit import clock, metrics

PATH = "/onestop/dossiers"


class DossierAnswer(Answer):
    """What became of one snapshot: how many events it made, whether all of them were there already (`known`), and what
    it says without a date, or against its status, so that it was not told (`undated`)."""

    events: int = 0
    undated: str | None = None


class DossierAnswers(Answers):
    """What became of the snapshots, and how many cells of which columns were dropped."""

    items: list[DossierAnswer]  # type: ignore[assignment]
    dropped: dict[str, int]


def router(keyring: Keyring, publish: PublishBy) -> APIRouter:
    """The one path, opened by a key's secret."""
    routes = APIRouter(tags=["onestop"])

    routes.add_api_route(
        PATH,
        opened_by_key(keyring, publish, _dossiers),
        name="dossiers",
        methods=["POST"],
        status_code=202,
        response_model=DossierAnswers,
        responses=described(DossierAnswers, example=_answered(EXAMPLE)),
        description=__doc__,
        openapi_extra=_documented(),
    )
    return routes


async def _dossiers(door: Door, request: Request) -> JSONResponse:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "unknown_form", f"Content-Type: {kind or 'none'}; send dossiers as application/json")
    body = await body_of(door, request, LARGEST_BATCH)
    has_room("events", door.limits.events, 1)
    async with door.limits.turns:
        return await _taken(door, _records(body))


async def _taken(door: Door, records: list[bytes]) -> JSONResponse:
    dropped, found = Counter[str](), list[Told | Refused]()
    for raw in records:
        found.append(_understood(door, raw, dropped))
        await asyncio.sleep(0)  # others are answered meanwhile
    for column, number in dropped.items():
        metrics.DROPPED.labels("onestop", column).inc(number)
    within("events", door.limits.events, sum(len(one.events) if isinstance(one, Told) else 1 for one in found))

    async def answer(at: int, one: Told | Refused) -> DossierAnswer:
        try:
            if isinstance(one, Refused):
                raise one
            stored = [await door.put(event) for event in one.events]
        except Refused as refused:
            return DossierAnswer(at=at, **noted(refused))
        known = all(event.known for event in stored)
        return DossierAnswer(at=at, status=202, known=known, events=len(stored), undated=one.undated)

    items = [item async for item in answered(enumerate(found), answer)]
    accepted = sum(item.status == 202 for item in items)
    counts = dict(sorted(dropped.items()))
    return answer_of(DossierAnswers(accepted=accepted, refused=len(items) - accepted, items=items, dropped=counts))


def _records(body: bytes) -> list[bytes]:
    """Each dossier as it is written."""
    return [body[: MAX_EVENT_BYTES + 1]] if body.lstrip().startswith(b"{") else elements(body)


def _understood(door: Door, raw: bytes, dropped: Counter[str]) -> Told | Refused:
    """The events of one snapshot, all of which are this key's to say; or why none is taken."""
    try:
        found = understand(object_row(raw), door.key.bounds.source, clock.now(), dropped)
        for event in found.events:
            door.check(event)
    except Invalid as invalid:
        return Refused(422, invalid.code, invalid.reason)
    except Refused as refused:
        return refused
    return found


def _documented() -> dict[str, Any]:
    """What OpenAPI can't see, as bodies are read here."""
    dossier = {
        "type": "object",
        "required": list(NEEDED),
        "properties": {name: {"type": "string"} for name in COLUMNS},
        "example": EXAMPLE,
    }
    several = {"type": "array", "maxItems": MOST_IN_BATCH, "items": dossier}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": [dossier, several]}}}}
    }


def _answered(dossier: dict[str, str]) -> dict[str, Any]:
    """What is answered to one that is taken."""
    told = understand(object_row(json.dumps(dossier).encode()), "/mot-cua", clock.now(), Counter())
    item = DossierAnswer(at=0, status=202, known=False, events=len(told.events), undated=told.undated)
    return DossierAnswers(accepted=1, refused=0, items=[item], dropped={}).model_dump(exclude_none=True)


EXAMPLE = {
    "MaHoSo": "H19.99-261109-0001",
    "MaTTHC": "2.000815",
    "TenLinhVuc": "Chứng thực",
    "KenhThucHien": "2",
    "NgayTiepNhan": "09/11/2026 09:00",
    "NgayHenTra": "12/11/2026 17:00",
    "TrangThaiHoSo": "9",
    "NgayKetThucXuLy": "12/11/2026 10:30",
    "DonViXuLy": "Phường Chơn Thành",
}
"""A dossier as a one-stop system may push it."""
