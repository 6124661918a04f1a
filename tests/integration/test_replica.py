"""The replica for readers: figures from it, without the primary, after it was killed, and when it was away too long."""

from __future__ import annotations

import asyncio
import math
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY
from support import board_beside, wait_until_idle
from test_aggregator import changed, event_of, publish, sample, wire

from infra.local import replica
from infra.local.servers import Instance
from schemas.envelope import Event
from schemas.indicators import CATALOGUE
from schemas.registry import parse
from schemas.text.dates import clock_time
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit import store
from services.readings import Period, read
from services.upkeep.measure import measure

DAY = datetime(2024, 11, 13, tzinfo=UTC).date()
AS_OF = datetime(2024, 11, 13, 16, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def centre(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    """A centre with a replica, made while its primary was at work."""
    running = new_centre(open_folder / "replicated")
    try:
        running.start(["nats", "timescaledb"])
        publish(running, wire(payments("before", 200)))
        running.start_services(["aggregator"])
        running.start_replica()
        wait_until_idle(running)
        yield running
    finally:
        running.stop()


def payments(name: str, count: int) -> list[Event]:
    """Payments of one đồng each, on one day."""
    template = event_of(sample("payment.made"))
    fields = {"data__amount": 1, "data__kind": "fee"}
    return [
        parse(
            changed(template, id=f"{name}/{i}", data__transaction=f"TXN-{name.upper()}-{i}", **fields),
            datetime.now(UTC),
        )
        for i in range(count)
    ]


def figure(centre: Instance) -> Decimal | None:
    """How much was paid in fees that day, and by whom it was told is checked too: by a standby."""
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        assert conn.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        return read(conn, CATALOGUE["payments_fee_amount"], None, Period(DAY, DAY, AS_OF))[0].value


def cut_off(centre: Instance) -> datetime | None:
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        return store.cut_off_since(conn)


def stopped(home: str) -> str:
    """Since when, as the wall says, the figures stand still; empty: they do not."""
    page = httpx.get(home, headers={"accept": "text/html"}, timeout=20).raise_for_status().text
    found = re.search(rf"{WORDS['database'][0]} (\d\d:\d\d:\d\d)", page)
    return found[1] if found else ""


def eventually(home: str, said: str) -> None:
    end = time.monotonic() + 30
    while (found := stopped(home)) != said:
        assert time.monotonic() < end, f"{found!r} instead of {said!r}"
        time.sleep(0.1)


def wait_for(centre: Instance, amount: int, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while (found := figure(centre)) != amount:
        assert time.monotonic() < end, f"{found} instead of {amount} after {seconds} s"
        time.sleep(0.02)


def behind(centre: Instance) -> float:
    """How many bytes the upkeep says that the replica is behind."""

    async def look() -> None:
        conninfo = settings_of(centre, "cli").database("upkeep")
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
            await measure(conn)

    asyncio.run(look())
    found = REGISTRY.get_sample_value("ioc_upkeep_replica_behind_bytes", {"slot": "ioc_replica"})
    assert found is not None
    return found


def superuser(centre: Instance, query: str) -> Any:
    with psycopg.connect(centre.superuser_conninfo, autocommit=True) as conn:
        done = conn.execute(query)  # type: ignore[call-overload]
        return done.fetchall() if done.description else None


def test_an_event_is_read_from_the_replica(centre: Instance) -> None:
    wait_for(centre, 200)
    publish(centre, wire(payments("news", 1)))
    wait_for(centre, 201)


def test_services_and_commands_are_told_of_the_replica(centre: Instance) -> None:
    url = f"postgresql://127.0.0.1:{centre.ports['timescaledb_replica']},127.0.0.1:{centre.ports['timescaledb']}/ioc"
    assert centre.env("deadlines")["IOC_READER_URL"] == url
    assert settings_of(centre, "cli").database("owner").endswith(f"@127.0.0.1:{centre.ports['timescaledb']}/ioc")


def test_a_replica_takes_no_writes_and_no_stranger_may_copy(centre: Instance) -> None:
    with (
        store.connect(settings_of(centre, "cli"), "reader") as conn,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        conn.execute("CREATE TEMP TABLE x (y int)")
    program = centre.programs(["timescaledb"])["pg_basebackup"]
    for role in ("ioc_reader", "ioc_owner", "postgres"):
        refused = subprocess.run(
            [program, "-h", "127.0.0.1", "-p", str(centre.ports["timescaledb"]), "-U", role, "-D", "/nonexistent/x"],
            env={"PGPASSWORD": centre.password(role), "LC_ALL": "C"},
            capture_output=True,
            text=True,
        )
        assert refused.returncode, role
        assert "no pg_hba.conf entry for replication connection" in refused.stderr, role


def test_without_the_primary_figures_are_still_read_and_the_board_says_how_old_they_are(centre: Instance) -> None:
    centre.stop_process("aggregator")
    with board_beside(centre, IOC_BOARD_PUBLIC="true") as home:
        eventually(home, "")
        centre.stop_process("timescaledb")
        assert figure(centre) == 201
        since = cut_off(centre)
        assert since
        eventually(home, clock_time(since))
        centre.start_process("timescaledb")
        centre.wait_ready("timescaledb", 30)
        eventually(home, "")
    centre.start_process("aggregator")
    centre.wait_ready("aggregator", 30)
    publish(centre, wire(payments("back", 1)))
    wait_for(centre, 202)
    assert not cut_off(centre)


def test_a_killed_primary_is_followed_again(centre: Instance) -> None:
    centre.kill("timescaledb", signal.SIGKILL)
    assert figure(centre) == 202
    centre.wait_ready("timescaledb", 60)
    publish(centre, wire(payments("again", 1)))
    wait_for(centre, 203)


def test_a_replica_killed_under_load_catches_up_and_the_primary_answers_meanwhile(centre: Instance) -> None:
    publish(centre, wire(payments("load", 2000)))
    centre.kill("timescaledb_replica", signal.SIGKILL)
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    publish(centre, wire(payments("more", 2000)))
    centre.wait_ready("timescaledb_replica", 30)
    wait_until_idle(centre)
    wait_for(centre, 4203)


def test_a_replica_away_for_too_long_is_told_of_and_copied_anew(centre: Instance) -> None:
    centre.stop_process("timescaledb_replica")
    superuser(centre, "ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")
    superuser(centre, "SELECT pg_reload_conf()")
    publish(centre, wire(payments("missed", 50)))
    wait_until_idle(centre)
    for _ in range(4):
        superuser(centre, "CREATE TABLE filler AS SELECT generate_series(1, 1000); DROP TABLE filler")
        superuser(centre, "SELECT pg_switch_wal()")
    superuser(centre, "CHECKPOINT")
    superuser(centre, "ALTER SYSTEM RESET max_slot_wal_keep_size")
    superuser(centre, "SELECT pg_reload_conf()")
    assert superuser(centre, "SELECT wal_status FROM pg_replication_slots") == [("lost",)]
    assert behind(centre) == math.inf
    centre.start_process("timescaledb_replica")
    centre.wait_ready("timescaledb_replica", 30)
    assert figure(centre) == 4203  # it still tells what it knew
    said: list[str] = []
    centre.start_replica(said.append)
    assert [line for line in said if "away too long" in line]
    wait_for(centre, 4253)
    assert replica.is_lost(centre.superuser_conninfo) is False
    assert behind(centre) < 2**24
    said.clear()
    centre.start_replica(said.append)
    assert said == []
