"""What the database holds, as metrics: bytes, chunks and their reach, the horizon, and how far replicas are behind."""

from __future__ import annotations

import logging
from typing import Any

from psycopg import AsyncConnection

from services.kit import metrics

log = logging.getLogger(__name__)


async def measure(conn: AsyncConnection) -> None:
    """Set the gauges from the catalogue of the database; reads no rows."""
    for table, size in await _rows(conn, _TABLES):
        metrics.TABLE_BYTES.labels(table).set(size)
    for table, size, chunks, oldest, newest in await _rows(conn, _HYPERTABLES):
        metrics.TABLE_BYTES.labels(table).set(size)
        metrics.TABLE_CHUNKS.labels(table).set(chunks)
        metrics.TABLE_OLDEST.labels(table).set(oldest or 0)
        metrics.TABLE_NEWEST.labels(table).set(newest or 0)
    for (horizon,) in await _rows(conn, "SELECT extract(epoch FROM nullif(time, '-infinity')) FROM horizon"):
        metrics.HORIZON.set(horizon or 0)
    metrics.REPLICA_BEHIND.clear()
    for slot, usable, behind in await _rows(conn, _REPLICAS):
        metrics.REPLICA_BEHIND.labels(slot).set(behind if usable else float("inf"))
        if not usable:
            log.warning("replica %s was away too long and cannot follow; `ioc up --replica` makes it anew", slot)


async def _rows(conn: AsyncConnection, query: str) -> list[tuple[Any, ...]]:
    return await (await conn.execute(query)).fetchall()


_TABLES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relnamespace = 'public'::regnamespace
    AND relname IN ('entity', 'event_key', 'rollup_month', 'rollup_unit_month', 'series', 'source')
"""
_HYPERTABLES = """
SELECT h.hypertable_name, hypertable_size(format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass),
       count(range_end), extract(epoch FROM min(range_start)), extract(epoch FROM max(range_end))
FROM timescaledb_information.hypertables h
LEFT JOIN timescaledb_information.chunks c USING (hypertable_schema, hypertable_name)
WHERE h.hypertable_schema = 'public' GROUP BY h.hypertable_schema, h.hypertable_name
"""
_REPLICAS = """
SELECT slot_name, wal_status <> 'lost', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)
FROM pg_replication_slots WHERE slot_type = 'physical'
"""
