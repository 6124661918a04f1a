"""The audit: every action is a row, written with the action itself, and published on the stream of alarms after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from schemas.personal import OF_STAFF, mask
from services.board.access import Account
from services.kit import clock, imports
from services.kit.imports import File, Import, Line, Summary

ADDRESS: ContextVar[str] = ContextVar("address", default="")
"""From where the request came that is being answered, or whose page is being acted on."""


class AuditRow(NamedTuple):
    """A row of the audit: who did what to what, when, from where."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    detail: dict[str, Any]
    address: str


async def note(
    conn: AsyncConnection, account: Account, action: str, subject: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """Note that `account` did `action` (`a_z.a_z`) to `subject`; in the transaction of the action, if it has one.

    What is noted is published when the broker answers; no password, no token and no name of a citizen belongs here. Of
    a deed that is about a case, `detail` has its `unit`.
    """
    masked_detail = {
        name: mask(text, OF_STAFF) if isinstance(text, str) else text for name, text in (detail or {}).items()
    }
    values = [clock.now(), account.name, action, mask(subject, OF_STAFF), Jsonb(masked_detail), ADDRESS.get()]
    await conn.execute(_NOTE, values)


async def import_made(
    conn: AsyncConnection, by: Account, file: File, summary: Summary, lines: Iterable[Line], now: datetime
) -> Import:
    """Note an import and who made it, in the transaction of the caller, before any of it is sent."""
    noted = await imports.note(conn, by.name, file, summary, lines, now)
    await note(conn, by, "import.made", str(noted.id), noted.detail())
    return noted


async def import_taken_back(conn: AsyncConnection, by: Account, id: int, now: datetime) -> bool:
    """Note that an import is taken back and by whom, in the transaction of the caller; False where it was before, or
    never was."""
    noted = await imports.take_back(conn, id, by.name, now)
    if noted:
        await note(conn, by, "import.taken_back", str(id), noted.detail())
    return noted is not None


async def latest(conn: AsyncConnection, subject: str | None = None, limit: int = 50) -> list[AuditRow]:
    """What was done last, to `subject` or at all; the newest first."""
    async with conn.cursor(row_factory=class_row(AuditRow)) as cursor:
        return await (await cursor.execute(_LATEST, {"subject": subject, "limit": limit})).fetchall()


async def within(conn: AsyncConnection, codes: Iterable[str], names: Iterable[str], limit: int = 50) -> list[AuditRow]:
    """What was done last to cases of these units and to these accounts; the newest first. What is about the whole
    centre, or about nobody knows what, is not among it."""
    async with conn.cursor(row_factory=class_row(AuditRow)) as cursor:
        bounds = {"codes": list(codes), "names": list(names), "limit": limit}
        return await (await cursor.execute(_WITHIN, bounds)).fetchall()


_NOTE = """
WITH noted AS (
    INSERT INTO audit (at, by, action, subject, detail, address) VALUES (%s, %s, %s, %s, %s, %s) RETURNING *
)
INSERT INTO outbox (subject, message_id, body)
SELECT 'ioc.alerts.audit.' || action, 'audit-' || id || '-' || extract(epoch FROM at),
    convert_to(to_jsonb(noted)::text, 'UTF8')
FROM noted
"""
_LATEST = """
SELECT id, at, by, action, subject, detail, address FROM audit
WHERE %(subject)s::text IS NULL OR subject = %(subject)s ORDER BY id DESC LIMIT %(limit)s
"""
_WITHIN = """
SELECT id, at, by, action, subject, detail, address FROM audit
WHERE CASE WHEN split_part(action, '.', 1) IN ('account', 'login', 'logout')
    THEN coalesce(nullif(subject, ''), by) = ANY(%(names)s) ELSE detail ->> 'unit' = ANY(%(codes)s) END
ORDER BY id DESC LIMIT %(limit)s
"""
