"""What people decide about cases: noted in the audit and laid down as an event, together or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import Event, Invalid, check_event
from services.board.access import Account
from services.board.auth import audit
from services.board.live import outbox
from services.board.pages.actions.alarm_client import Outcome
from services.kit import clock, store

SOURCE = "/board"
"""Who speaks in these events."""


class Decision(NamedTuple):
    """What was decided about a row of a list (`key`), and how that is told once it is done; the audit's row is `action`
    about `subject`."""

    key: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    event: Event
    done: Outcome


async def lay_down(
    pool: AsyncConnectionPool,
    by: Account,
    decided: Decision,
    barred: Callable[[AsyncConnection], Awaitable[str | None]],
) -> Outcome:
    """Note it and lay down its event, which is sent once the broker takes it. `barred`: why not after all, as a word of
    the board, asked while nobody else decides about that row."""
    key, event, noted = decided.key, decided.event, False
    try:
        check_event(event, clock.now())
        async with pool.connection() as conn, conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            if why := await barred(conn):
                return Outcome(key, False, why)
            await audit.note(conn, by, decided.action, decided.subject, decided.detail)
            await outbox.put(conn, event.subject, event.to_json(), event.message_id)
            noted = True
    except store.OUTAGE:
        return Outcome(key, False, "unknown" if noted else "store_away")
    except Invalid as invalid:
        return Outcome(key, False, "not_done", str(invalid))
    return decided.done
