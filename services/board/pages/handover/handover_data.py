"""What one shift leaves to the next: who had it, what was open, what they have to say, and who took it over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from services.board.access import Account
from services.board.auth import audit
from services.board.pages.actions.alarm_client import InvalidInput, impersonal
from services.board.pages.worklist.worklist import visible
from services.board.pages.worklist.worklist_data import items
from services.kit import clock

LONGEST_NOTE = 2000
MOST = 50
"""So many of the latest are shown, and so many alarms of one hand are named."""


class Held(BaseModel):
    """An alarm that is in somebody's hands."""

    id: int
    unit: str
    vi: str
    en: str


class Open(BaseModel):
    """What is open: alarms that nobody has, cases by stage, and the alarms (the oldest first) that one person has."""

    critical: int
    warning: int
    overdue: int
    today: int
    held: list[Held]


class Handover(BaseModel):
    """A shift that was handed over. `units`: what who had it is bounded to; empty: all."""

    id: int
    at: datetime
    by: str
    units: list[str]
    note: str
    open: Open
    taken_at: datetime | None
    taken_by: str | None


def open_of(conn: Connection, account: Account, now: datetime) -> Open:
    """What is open of the units that an account sees."""
    with conn.cursor(row_factory=class_row(_Alarm)) as cursor:
        rows = [a for a in cursor.execute(_ALARMS).fetchall() if account.hears(a.unit, of_case=a.of_case)]
    free = [row.severity for row in rows if row.acknowledged_by is None and row.assignee is None]
    held = [row for row in rows if account.name in (row.acknowledged_by, row.assignee)]
    stages = [one.stage for one in visible(items(conn, now), account)]
    return Open(
        critical=free.count("critical"),
        warning=free.count("warning"),
        overdue=len([stage for stage in stages if stage not in ("today", "soon")]),
        today=stages.count("today"),
        held=[Held(id=row.id, unit=row.unit, vi=row.vi, en=row.en) for row in held[:MOST]],
    )


async def hand_over(conn: AsyncConnection, account: Account, note: str, found: Open) -> None:
    """Keep that an account hands its shift over; raises `InvalidInput`."""
    text = "\n".join(" ".join(line.split()) for line in note.splitlines()).strip()
    if not text or len(text) > LONGEST_NOTE:
        raise InvalidInput("handover_note_long" if text else "note_empty")
    impersonal("note", text)
    values = {"at": clock.now(), "by": account.name, "units": list(account.units), "note": text,
              "open": Jsonb(found.model_dump())}  # fmt: skip
    async with conn.transaction():
        row = await (await conn.execute(_KEEP, values)).fetchone()
        assert row is not None
        await audit.note(conn, account, "shift.hand_over", str(row[0]))


async def take_over(conn: AsyncConnection, account: Account, id: int) -> bool:
    """Note that an account has taken a shift over; False where somebody has, where it is their own, or not theirs to
    see."""
    async with conn.transaction():
        values = {"id": id, "by": account.name, "at": clock.now(), "scope": _scope(account)}
        taken = (await conn.execute(_TAKE, values)).rowcount == 1
        if taken:
            await audit.note(conn, account, "shift.take_over", str(id))
    return taken


async def latest(conn: AsyncConnection, account: Account) -> Sequence[Handover]:
    """The latest shifts that were handed over by those who see no more than the account does; the newest first."""
    async with conn.cursor(row_factory=class_row(Handover)) as cursor:
        return await (await cursor.execute(_LATEST, {"scope": _scope(account), "most": MOST})).fetchall()


def _scope(account: Account) -> list[str] | None:
    """The units that an account is bounded to; None: none."""
    return sorted(account.scope()) if account.units else None


class _Alarm(NamedTuple):
    id: int
    severity: str
    unit: str
    vi: str
    en: str
    of_case: bool
    acknowledged_by: str | None
    assignee: str | None


_ALARMS = """
SELECT id, severity, unit, vi, en, entity IS NOT NULL AS of_case, acknowledged_by, assignee
FROM alarm WHERE cleared_at IS NULL AND severity <> 'info' ORDER BY id
"""
_KEEP = """
INSERT INTO shift_handover (at, by, units, note, open) VALUES (%(at)s, %(by)s, %(units)s, %(note)s, %(open)s)
RETURNING id
"""
_SEEN = SQL("(%(scope)s::text[] IS NULL OR (units <> '{}' AND units <@ %(scope)s::text[]))")
_TAKE = SQL("""
UPDATE shift_handover SET taken_at = %(at)s, taken_by = %(by)s
WHERE id = %(id)s AND taken_at IS NULL AND by <> %(by)s AND {seen}
""").format(seen=_SEEN)
_LATEST = SQL("""
SELECT id, at, by, units, note, open, taken_at, taken_by FROM shift_handover
WHERE {seen} ORDER BY id DESC LIMIT %(most)s
""").format(seen=_SEEN)
