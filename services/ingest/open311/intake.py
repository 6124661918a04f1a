"""What a program posted, on its way to the broker: the same road as that of CloudEvents."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import datetime

from schemas.calendar import local_day
from schemas.field import ReportReceived
from schemas.registry import type_name
from services.ingest.cloudevents import Door
from services.ingest.open311.reports import Reports
from services.ingest.open311.submissions import Submission, number
from services.ingest.router import within
from services.kit import clock
from services.kit.errors import Unavailable

MOST = 20_000
"""So many sendings are remembered, with the moment at which they came first."""


class Intake:
    """Gives each report its number, and publishes it."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._recent: OrderedDict[bytes, tuple[str, datetime]] = OrderedDict()

    async def take(self, report: Submission, door: Door) -> str:
        """The report's number, once it is on disk; of one that came before under its mark, the number it has.

        `Refused` with why not.
        """
        within("events", door.limits.events, 1)
        seed = report.seed(door.key.bounds.name)
        now = clock.now()
        code, time = self._recent.get(seed) or (number(local_day(now), seed), now)
        if report.mark and seed not in self._recent:
            if await self._is_there(code):
                return code
            code, time = self._recent.setdefault(seed, (code, time))
            if len(self._recent) > MOST:
                self._recent.popitem(last=False)
        await door.take(_event(report, code, time, door.key.bounds.source))
        return code

    async def _is_there(self, code: str) -> bool:
        """Whether the database has it; without a database what is remembered must do."""
        try:
            return bool(await self._reports.named([code], None))
        except Unavailable:
            return False


def _event(report: Submission, code: str, time: datetime, source: str) -> bytes:
    event = {
        "specversion": "1.0",
        "id": f"{code}/received",
        "source": source,
        "type": type_name(ReportReceived),
        "time": time.isoformat(),
        "unit": report.unit,
        "data": {"code": code, **report.data},
    }
    return json.dumps(event, ensure_ascii=False).encode()
