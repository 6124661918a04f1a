"""Reports as the database lets this door see them: the view `open311_request`, in which no number finds a file again
and no word is a citizen's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from schemas import units
from schemas.calendar import local_day
from schemas.indicators.label_texts import LIFE, OTHERS, Language, Text
from schemas.report import ALIKE_DAYS, ALIKE_METRES
from services.ingest.open311 import catalogue
from services.ingest.open311.documents import Extended, ServiceRequest, written
from services.ingest.open311.queries import MOST, Query, day_of
from services.ingest.open311.submissions import Submission
from services.kit import clock, store
from services.kit.errors import Unavailable

ROUNDED_METRES = 50.0
"""What rounding adds to a distance."""
SECONDS = 5.0
"""How long a program waits for the database."""
MOST_FOR_A_HINT = 1.0
_ORIGINS = {
    "simulated": Text("Dữ liệu mô phỏng, không phải phản ánh thật", "Simulated: no real report"),
    "shifted": Text("Dữ liệu chuyển ngày", "Shifted in time"),
}

_JOINED = Text(
    "Cùng một việc với phản ánh {}: kết quả xem ở phản ánh đó.",
    "The same matter as report {}: its result is told there.",
)


class Row(NamedTuple):
    """A report as the view has it."""

    id: str
    category: str
    channel: str
    priority: str
    status: str
    unit: str
    received_by: str
    origin: str
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime
    latitude: float | None
    longitude: float | None
    duplicate_of: str | None


class Reports:
    """Asks the database, one question at a time, so that the keys of the same pool are never kept waiting."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool, self._turn = pool, asyncio.Lock()

    async def listed(self, query: Query, scope: list[str] | None) -> list[Row]:
        """The reports of a query, the latest first; `Unavailable` while the database is away."""
        asked = {
            "since": query.since,
            "until": query.until,
            "categories": list(query.categories) or None,
            "open": query.statuses == ("open",) if len(query.statuses) == 1 else None,
            "scope": scope,
            "most": MOST,
        }
        return await self._rows(_LISTED, asked)

    async def named(self, ids: Sequence[str], scope: list[str] | None) -> list[Row]:
        """The reports with these ids, in the order of receipt; ids of none are passed by."""
        days = sorted({day for id in ids if (day := day_of(id))})
        return await self._rows(_NAMED, {"days": days, "ids": list(ids), "scope": scope}) if days else []

    async def alike(self, id: str, report: Submission, scope: list[str] | None) -> list[str]:
        """The ids of open reports of the same kind and about the same place, the nearest first; none while the database
        is away."""
        where = {name: report.data.get(name) for name in ("latitude", "longitude")}
        if None in where.values():
            return []
        asked = {
            **where, "category": report.data["category"], "since": clock.now() - ALIKE_DAYS, "scope": scope, "id": id,
            "metres": ALIKE_METRES + ROUNDED_METRES,
        }  # fmt: skip
        try:
            return [row.id for row in await self._rows(_ALIKE, asked, MOST_FOR_A_HINT)]
        except Unavailable:
            return []

    async def keep_photo(self, id: str, address: str) -> None:
        """Keep where a photo of a report lies; `Unavailable` while the database is away."""
        async with self._asking(SECONDS) as conn:
            await conn.execute(_KEEP_PHOTO, {"report": id, "address": address, "at": clock.now()})

    async def _rows(self, statement: str, asked: dict[str, Any], seconds: float = SECONDS) -> list[Row]:
        async with self._asking(seconds) as conn:
            cursor = conn.cursor(row_factory=class_row(Row))
            return await (await cursor.execute(statement.encode(), asked)).fetchall()

    @asynccontextmanager
    async def _asking(self, seconds: float) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(seconds), self._turn, self._pool.connection() as conn:
                yield conn
        except store.OUTAGE as error:
            raise Unavailable(f"the database does not answer ({type(error).__name__})") from None


_KEEP_PHOTO = """
INSERT INTO report_photo (report, address, at) VALUES (%(report)s, %(address)s, %(at)s) ON CONFLICT DO NOTHING
"""
_LISTED = """
SELECT r.* FROM open311_request r
WHERE r.opened_at >= %(since)s AND r.opened_at < %(until)s
    AND (%(scope)s::text[] IS NULL OR r.unit = ANY (%(scope)s) OR r.received_by = ANY (%(scope)s))
    AND (%(categories)s::text[] IS NULL OR r.category = ANY (%(categories)s))
    AND (%(open)s::boolean IS NULL OR (r.ended_at IS NULL) = %(open)s)
ORDER BY r.opened_at DESC LIMIT %(most)s
"""
_NAMED = """
SELECT r.* FROM unnest(%(days)s::timestamptz[]) d(day)
    JOIN open311_request r ON r.opened_at >= d.day AND r.opened_at < d.day + interval '1 day'
WHERE r.id = ANY (%(ids)s)
    AND (%(scope)s::text[] IS NULL OR r.unit = ANY (%(scope)s) OR r.received_by = ANY (%(scope)s))
ORDER BY r.opened_at, r.id
"""
_ALIKE = """
SELECT r.* FROM open311_request r,
    metres_between(r.latitude, r.longitude, %(latitude)s, %(longitude)s) d(metres)
WHERE r.opened_at >= %(since)s AND r.ended_at IS NULL AND r.origin = 'real'
    AND r.category = %(category)s AND r.id <> %(id)s
    AND (%(scope)s::text[] IS NULL OR r.unit = ANY (%(scope)s) OR r.received_by = ANY (%(scope)s))
    AND d.metres <= %(metres)s
ORDER BY d.metres, r.opened_at LIMIT 3
"""


def told(row: Row, language: Language, extended: bool = False) -> ServiceRequest:
    """A report in the words of the standard."""
    said = {
        "service_request_id": row.id,
        "status": "closed" if row.ended_at else "open",
        "status_notes": (OTHERS["handling"]["duplicate"] if row.duplicate_of else LIFE[f"report.{row.status}"]).said(
            language
        ),
        "service_name": catalogue.name(row.category, language),
        "service_code": row.category,
        "agency_responsible": _unit_name(row.unit, language),
        "service_notice": " ".join(_notices(row, language)) or None,
        "requested_datetime": written(row.opened_at),
        "updated_datetime": written(row.ended_at or row.updated_at),
        "expected_datetime": written(row.due_at),
        "lat": row.latitude,
        "long": row.longitude,
    }
    if not extended:
        return ServiceRequest.model_validate(said)
    more = {"channel": row.channel, "priority": row.priority, "unit": row.unit, "origin": row.origin}
    more |= {"duplicate_of": row.duplicate_of} if row.duplicate_of else {}
    return Extended.model_validate(said | {"extended_attributes": more})


def _notices(row: Row, language: Language) -> Iterator[str]:
    if row.origin in _ORIGINS:
        yield _ORIGINS[row.origin].said(language)
    if row.duplicate_of:
        yield _JOINED.said(language).format(row.duplicate_of)


def _unit_name(code: str, language: Language) -> str:
    try:
        unit = units.on(code, local_day(clock.now()))
    except units.UnknownUnit:
        return code
    return unit.name_vi if language == "vi" else unit.name_en
