"""What people decide about cases: noted in the audit and laid down as an event, together or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas import units
from schemas.calendar import local_day
from schemas.envelope import Event, EventData, Invalid, check_event
from schemas.keys import subject_of
from schemas.registry import make
from services.board.access import Account
from services.board.auth import audit
from services.board.live import outbox
from services.board.pages.actions.alarm_client import Outcome
from services.kit import clock, store

SOURCE = "/board"
"""Who speaks in these events."""


class Folded(Protocol):
    """A case as it is folded, as far as an event about it depends on that."""

    @property
    def unit(self) -> str:
        """Its unit."""

    @property
    def origin(self) -> str:
        """Real, simulated or moved in time."""

    @property
    def state(self) -> dict[str, Any]:
        """What its events made of it."""


def event_about(case: Folded, data: EventData, id: str, now: datetime) -> Event:
    """What is said now about a case: of its origin, as moved in time as it is, by the unit that its unit has become."""
    shift = case.state.get("shiftdays", 0)
    unit = units.heir(case.unit, local_day(now - timedelta(days=shift)))
    return make(data, source=SOURCE, id=id, time=now, unit=unit, origin=case.origin, shiftdays=shift)


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
            await outbox.put(conn, subject_of(event), event.to_json(), event.message_id)
            noted = True
    except store.OUTAGE:
        return Outcome(key, False, "unknown" if noted else "store_away")
    except Invalid as invalid:
        return Outcome(key, False, "not_done", str(invalid))
    return decided.done
