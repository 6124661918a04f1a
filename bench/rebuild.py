"""`ioc bench rebuild`: the published month brought in live, folded anew, saved and brought back; its log and disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from bench import load_data, scale_data
from bench.centre import Say
from bench.options import Options
from bench.result import Row
from infra import backups
from infra.local.servers import Instance
from services.aggregator import rebuild
from services.centre import demo
from services.centre.backup import save
from services.centre.prepare import settings_of
from services.centre.restore import BROKER, DATABASE, bring_back
from services.kit import bus, store
from services.kit.settings import Settings

ROWS = (
    Row("events", "events of the published month", "events"),
    Row("live_rate", "brought in live: sent, and folded meanwhile", "events/s"),
    Row("wal_bytes", "write-ahead log for each event", "bytes", at_most=1900),
    Row("disk_bytes", "disk for each event, all tables and indexes", "bytes", at_most=1000),
    Row("check_rate", "folded anew and compared (`ioc rebuild --check`)", "events/s"),
    Row("rebuild_rate", "folded anew in place of what was there (`ioc rebuild`)", "events/s", at_least=15_000),
    Row("backup_rate", "saved (`ioc backup`)", "events/s"),
    Row("restore_rate", "brought back (`ioc restore`)", "events/s", at_least=15_000),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Events a second by each road, and bytes an event."""
    cli, admin = settings_of(instance, "cli"), settings_of(instance, "admin")
    owner = cli.database("owner")
    whole = load_data.SCENARIO.count_estimate()
    month = load_data.published(0, share=options.count(whole, 6000) / whole)
    say(f"bringing in the published month, {len(month):,} events")
    instance.start_services(["aggregator"])
    wal, began = _wal(instance), time.monotonic()
    events = asyncio.run(_sent(cli, month))
    demo.wait_stored(cli)
    live, written = time.monotonic() - began, _wal(instance) - wal
    instance.stop_process("aggregator")
    with store.connect(cli, "owner") as conn:
        conn.autocommit = True
        scale_data.settle(conn)
        disk = sum(scale_data.sizes(conn).values())
    folder = instance.data / "backup"
    roads: dict[str, Callable[[], object]] = {
        "check": lambda: _agreed(owner),
        "rebuild": lambda: rebuild.rebuild(owner, _silent),
        "backup": lambda: save(admin, folder, time.monotonic()),
        "restore": lambda: bring_back(instance, folder, backups.read(folder), [DATABASE, BROKER], replace=True),
    }
    seconds = {"live": live}
    for name, road in roads.items():
        say(f"{name}: {events:,} events")
        began = time.monotonic()
        road()
        seconds[name] = time.monotonic() - began
    return {
        "events": events,
        "wal_bytes": round(written / events),
        "disk_bytes": round(disk / events),
        **{f"{name}_rate": round(events / took) for name, took in seconds.items()},
        "seconds": {name: round(took, 1) for name, took in seconds.items()},
    }


async def _sent(settings: Settings, month: Sequence[load_data.Message]) -> int:
    async with bus.connected(settings, "bench") as client:
        return await load_data.publish(client.jetstream(), month)


def _agreed(owner: str) -> None:
    if differences := rebuild.check(owner, _silent):
        raise RuntimeError(f"live rows and log disagree: {differences}")


def _silent(what: str, done: int, total: int) -> None: ...


def _wal(instance: Instance) -> int:
    """Bytes of write-ahead log so far."""
    with psycopg.connect(instance.superuser_conninfo) as conn:
        return int(conn.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')").fetchall()[0][0])
