"""Whose source is whose, as the database had it a moment ago: a message does not tell which key it came by."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from psycopg_pool import AsyncConnectionPool

from schemas.keys import CENTRE, Bounds, Owners
from services.kit import store

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0


class Ownership:
    """The sources of all keys, also of those that were taken back: what bears their names stays theirs."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._rows: list[tuple[str, str, list[str], list[str]]] = []
        self._since: datetime | None = None
        self._owners = Owners()

    async def knowing(self, names: frozenset[str]) -> Owners:
        """As it was seen last, or now, where one of these keys was not known then; raises what `store.OUTAGE` lists."""
        if not names <= self._owners.names | {CENTRE}:
            await self.look()
        return self._owners

    async def look(self) -> None:
        """See how it is now; raises what `store.OUTAGE` lists."""
        async with self._pool.connection() as conn:
            rows = await (await conn.execute(_KEYS)).fetchall()
            ((since,),) = await (await conn.execute(_SINCE)).fetchall()
        if (rows, since) != (self._rows, self._since):
            self._rows, self._since = rows, since
            self._owners = Owners((Bounds(name, source, tuple(s), tuple(u)) for name, source, s, u in rows), since)

    async def follow(self) -> None:
        """Keep up for ever; while the database does not answer nothing is stored either."""
        while True:
            try:
                await self.look()
            except store.OUTAGE as error:
                log.warning("whose source is whose cannot be seen: %s", error)
            await asyncio.sleep(LOOK_SECONDS)


_KEYS = "SELECT name, source, systems, units FROM emitter_key ORDER BY name"
_SINCE = "SELECT applied_at FROM schema_migration WHERE name = '0094_centre_alone'"
