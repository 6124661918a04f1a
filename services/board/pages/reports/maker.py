"""Reports are made, verified and written by a process of their own (`python -m services.reports`), so that a large one
neither keeps the board waiting nor takes its memory; what is kept is kept here, with its audit."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import date
from typing import Any

from psycopg import AsyncConnection

from services.board.access import Account
from services.board.auth import audit
from services.board.live import worker
from services.reports import issues
from services.reports.issues import Kept
from services.reports.making import Made

log = logging.getLogger("board")
MAKER = "services.reports"
AT_ONCE, SECONDS = 2, 150.0
"""Reports in work at a time, and for how long."""
Answer = dict[str, Any]


class NotMade(Exception):
    """The process ended without what was asked for; the message says what a person can mend, if it is known."""


class Maker:
    """Starts the processes, few at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def make(self, unit: str | None, first: date, last: date, number: str = "", form: str = "") -> Made:
        """A report of these days in one of its forms, as it is now. Raises `NotMade`."""
        days = {"first": first.isoformat(), "last": last.isoformat()}
        asked = {"unit": unit, **days, "number": number, "form": form}
        return Made.of(json.loads(await self._ask({"make": asked})))

    async def verify(self, id: int) -> Answer:
        """What differs of an issue today. Raises `NotMade`."""
        found: Answer = json.loads(await self._ask({"verify": id}))
        return found

    async def write(self, id: int, form: str) -> bytes:
        """An issue in one of the formats. Raises `NotMade`."""
        return await self._ask({"write": id, "form": form})

    async def _ask(self, asked: Answer) -> bytes:
        async with self._turns:
            try:
                ended, said = await worker.answered(MAKER, asked, SECONDS)
            except TimeoutError:
                raise NotMade("it takes too long: ask for fewer days") from None
        if ended == 0:
            return said
        try:
            problem = str(json.loads(said)["problem"])
        except (ValueError, KeyError):
            problem = ""
        log.warning("a report was not made: the process ended with %s: %s", ended, problem)
        raise NotMade(problem)


async def keep(conn: AsyncConnection, account: Account, made: Made) -> Kept:
    """Keep a report as an issue, with its audit, in one transaction."""
    async with conn.transaction():
        kept = await issues.keep(conn, made.report, made.texts, made.inputs, made.at, account.name)
        if kept.new:
            about = {"unit": kept.issue.unit, "form": kept.issue.form}
            detail = {"first": str(kept.issue.first), "last": str(kept.issue.last), "hash": kept.issue.hash}
            detail |= {name: value for name, value in about.items() if value}
            await audit.note(conn, account, "report.issued", str(kept.issue.id), detail)
    return kept
