"""`ioc bench deadlines`: a million open dossiers, and how soon after its moment the one that turns overdue is told.

Dossiers turn overdue at midnight. So as not to wait for it, the promise of some is moved by SQL to yesterday and their
moment to one of the next minute; what then finds, tells and folds them are the services themselves.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from psycopg import Connection

from bench.centre import Say
from bench.consumer_run import drained, process
from bench.machine import cpu_seconds
from bench.options import Options
from bench.result import Row
from bench.scale_data import hurried
from infra.local.servers import Instance
from schemas.envelope import Event
from schemas.procedures import DossierAccepted, DossierSubmitted
from schemas.registry import make
from services.centre.prepare import settings_of
from services.kit import bus, clock, store

FOLDED = 2000
"""Dossiers that the aggregator folds from events; all others are their copies."""
WATCHED, BURST, WINDOW_SECONDS = 30, 5000, 60.0
UNITS = ("phuong_chon_thanh", "phuong_minh_hung", "xa_nha_bich", "phuong_binh_long")

ROWS = (
    Row("open", "open dossiers", "dossiers"),
    Row("told", "of them turned overdue at moments of their own, and told", "dossiers"),
    Row("median_s", "from its moment to told (on disk in the broker), median", "s"),
    Row("max_s", "from its moment to told, slowest", "s", at_most=2),
    Row("cpu_percent", "of a core: the service and its database session", "%", at_most=10),
    Row("service_cpu_percent", "of a core: the service alone", "%"),
    Row("burst", "turned overdue at one moment", "dossiers"),
    Row("burst_s", "from that moment until the last of them is told", "s"),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Delays in seconds, and the share of a core that looking takes."""
    count = options.count(1_000_000, 20_000)
    with process(instance, "services.aggregator"):
        asyncio.run(_send(instance, FOLDED))
        say(f"copying to {count:,} open dossiers")
        with hurried(instance) as conn:
            conn.execute("SELECT setseed(0.5)")
            conn.execute(_COPIES, {"copies": max(count // FOLDED - 1, 1)})
        with process(instance, "services.deadlines", "deadlines") as deadlines, _owner(instance) as conn:
            _wait_until_connected(conn)
            say(f"{WATCHED} of them turn overdue within {WINDOW_SECONDS:.0f} s")
            used, delays = _watch_some(conn, deadlines.pid, 15.0 if options.quick else WINDOW_SECONDS)
            say(f"{BURST:,} of them turn overdue at once")
            burst = _watch_burst(conn, min(BURST, count // 4))
            row = conn.execute("SELECT count(*) FROM entity WHERE kind = 'dossier' AND ended_at IS NULL").fetchone()
    return {
        "open": row[0] if row else 0,
        "told": len(delays),
        "median_s": round(median(delays), 2),
        "max_s": round(max(delays), 2),
        "cpu_percent": round(100 * sum(used), 1),
        "service_cpu_percent": round(100 * used[0], 1),
        "burst": len(burst),
        "burst_s": round(max(burst), 2),
        "delays": sorted(round(delay, 3) for delay in delays),
    }


async def _send(instance: Instance, count: int) -> None:
    async with bus.connected(settings_of(instance, "cli"), "bench") as client:
        await bus.publish_many(client.jetstream(), _opened(count))
    async with bus.connected(settings_of(instance, "admin"), "bench") as client:
        await drained(client.jetstream())


def _opened(count: int) -> Iterator[Event]:
    """Filed online and accepted yesterday, promised for a day in the next months."""
    dice, at = random.Random(7), clock.now() - timedelta(days=1)
    for number in range(count):
        code = f"H99.97-{at:%y%m%d}-{number:04}"
        about: dict[str, Any] = {"source": "/bench", "unit": dice.choice(UNITS), "origin": "simulated"}
        filed = DossierSubmitted(
            code=code, procedure="2.000815", field="chung_thuc", channel="online", online_level="full"
        )
        promised = at + timedelta(days=dice.randrange(15, 90))
        yield make(filed, id=f"{code}/1", time=at, **about)
        yield make(
            DossierAccepted(code=code, promised_at=promised), id=f"{code}/2", time=at + timedelta(hours=1), **about
        )


def _owner(instance: Instance) -> Connection:
    conn = store.connect(settings_of(instance, "cli"), "owner")
    conn.autocommit = True
    return conn


def _watch_some(conn: Connection, pid: int, seconds: float) -> tuple[list[float], list[float]]:
    """(share of a core of the service and of its session, the delays in seconds)."""
    dice, begin = random.Random(11), clock.now() + timedelta(seconds=2)
    moments = [begin + timedelta(seconds=dice.uniform(0, seconds - 5)) for _ in range(WATCHED)]
    moment_of = _turn_overdue(conn, moments)
    pids = [pid, *_sessions(conn)]
    before, since = [cpu_seconds(one) for one in pids], time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - since
    used = [(cpu_seconds(one) - was) / passed for one, was in zip(pids, before, strict=True)]
    return used, _delays(conn, moment_of)


def _watch_burst(conn: Connection, count: int) -> list[float]:
    return _delays(conn, _turn_overdue(conn, [clock.now() + timedelta(seconds=3)] * count))


def _turn_overdue(conn: Connection, moments: Sequence[datetime]) -> dict[str, datetime]:
    """Let some open dossiers turn overdue at these moments; code -> moment."""
    values = {"moments": list(moments), "due": clock.now() - timedelta(days=1)}
    return dict(conn.execute(_TURN_OVERDUE, values).fetchall())


def _delays(conn: Connection, moments: dict[str, datetime], patience: float = 60) -> list[float]:
    """Seconds from each dossier's moment to its notice on disk; TimeoutError where one is not told at all."""
    until = time.monotonic() + patience
    while True:
        notified: dict[str, datetime] = dict(conn.execute(_TOLD, (list(moments),)).fetchall())
        if len(notified) == len(moments):
            return [(notified[code] - moment).total_seconds() for code, moment in moments.items()]
        if time.monotonic() > until:
            raise TimeoutError(f"{len(moments) - len(notified)} of {len(moments)} overdue dossiers were not told")
        time.sleep(0.5)


def _wait_until_connected(conn: Connection) -> None:
    until = time.monotonic() + 30
    while not _sessions(conn):
        if time.monotonic() > until:
            raise TimeoutError("the deadlines service does not enter the database")
        time.sleep(0.2)
    time.sleep(5)  # its modules are loaded, its first look is done


def _sessions(conn: Connection) -> list[int]:
    rows = conn.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'ioc_deadlines' ORDER BY 1").fetchall()
    return [pid for (pid,) in rows]


_COPIES = """
INSERT INTO entity (kind, id, version, unit, origin, status, opened_at, due_at, ended_at, notice_at, state, facts)
SELECT kind, id || lpad(n::text, 4, '0'), version, unit, origin, status, opened_at, due_at + later, ended_at,
       notice_at + later, state, facts
FROM (SELECT e.*, n, make_interval(secs => floor(random() * 86400 * 20)) AS later
      FROM entity e, generate_series(1, %(copies)s) n WHERE kind = 'dossier') x
"""
_TURN_OVERDUE = """
WITH moment AS (SELECT * FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS t(at, n)),
     chosen AS (
        SELECT id, row_number() OVER () AS n FROM entity
        WHERE kind = 'dossier' AND notice_at > now() + interval '1 day'
        LIMIT (SELECT count(*) FROM moment))
UPDATE entity e SET due_at = %(due)s, notice_at = moment.at,
    state = state || jsonb_build_object('stages', jsonb_build_array(jsonb_build_array('overdue', to_jsonb(moment.at))))
FROM chosen JOIN moment USING (n) WHERE e.kind = 'dossier' AND e.id = chosen.id
RETURNING e.id, e.notice_at
"""
_TOLD = """
SELECT data ->> 'code', recorded FROM event
WHERE type = 'vn.ioc.dossier.overdue.v1' AND data ->> 'code' = ANY(%s)
"""
