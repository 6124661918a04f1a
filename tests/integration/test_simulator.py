"""A simulated district on real servers: every figure is read as it was meant, and a killed simulator loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support import wait_until_idle

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.calendar import VN
from schemas.registry import SYSTEMS
from services.centre.prepare import settings_of
from services.kit import bus, clock, store
from services.readings.sources import sources
from services.simulator import progress
from services.simulator.district import Plan, truth


@pytest.fixture(scope="module")
def district(open_folder: Path, new_centre: Callable[[Path], Instance]) -> Iterator[Instance]:
    """A centre of its own, since what others sent would be counted in."""
    own = new_centre(open_folder / "district")
    try:
        own.start(["nats", "timescaledb"])
        own.start_services(["aggregator"])
        yield own
    finally:
        own.stop()


def launched(centre: Instance, start: datetime) -> subprocess.Popen[bytes]:
    """The service, as the supervisor starts it."""
    values = {"IOC_SIMULATOR_START": start.isoformat(), "IOC_SIMULATOR_RATE": "0.1", "IOC_SIMULATOR_SEED": "5"}
    env = {**os.environ, **centre.env("simulator"), **values}
    return subprocess.Popen([sys.executable, "-m", "services.simulator"], env=env, cwd=CHECKOUT)


def wait_sent(centre: Instance, moment: datetime) -> None:
    """Until the simulator has sent all before a moment."""
    deadline = time.monotonic() + 30
    while not ((held := progress.load(centre.data)) and held.until >= moment):
        assert time.monotonic() < deadline, f"not at {moment}: {held}"
        time.sleep(0.02)


def quarantined(centre: Instance) -> int:
    async def ask() -> int:
        async with bus.connected(settings_of(centre, "monitor"), "test") as client:
            return (await client.jetstream().stream_info("QUARANTINE")).state.messages

    return asyncio.run(ask())


def told(centre: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The `ioc` command, against this centre."""
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    command = [sys.executable, "-m", "services.cli", *arguments]
    return subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)


def test_a_killed_simulator_has_sent_everything_once(district: Instance) -> None:
    start = (clock.now().astimezone(VN) - timedelta(days=2)).replace(hour=7, minute=13)
    killed = launched(district, start)
    wait_sent(district, start + timedelta(hours=4))
    killed.kill()
    killed.wait()
    again = launched(district, start)
    wait_sent(district, clock.now())
    again.send_signal(signal.SIGTERM)
    assert again.wait(20) == 0
    wait_until_idle(district)
    held = progress.load(district.data)
    assert held is not None
    meant = truth.expected(held.plan, held.until)
    with store.connect(settings_of(district, "cli"), "reader") as conn:
        stored = conn.execute("SELECT source, id, origin FROM event").fetchall()
        assert truth.differences(conn, meant) == []
    assert len(stored) == meant.events > 500
    assert {(source, id) for source, id, _ in stored} == set(meant.keys())
    assert {origin for *_, origin in stored} == {"simulated"}
    assert quarantined(district) == meant.refused


def test_the_check_says_so_and_notices_what_is_not_so(district: Instance) -> None:
    said = told(district, "simulate", "--check")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "SIMULATED" in said.stdout
    with store.connect(settings_of(district, "cli"), "owner") as conn:
        falsified = """
            UPDATE rollup_day SET sum = sum + %s WHERE (bucket, series) IN (
                SELECT bucket, series FROM rollup_day JOIN series ON id = series
                WHERE measure = 'mentions' ORDER BY bucket, series LIMIT 1)"""
        assert conn.execute(falsified, [1]).rowcount == 1
        conn.commit()
        assert told(district, "simulate", "--check").returncode == 1
        conn.execute(falsified, [-1])


def test_after_any_minute_is_read_what_was_meant(district: Instance) -> None:
    """Over a weekend prolonged by a holiday, far before what the other tests have sent."""
    plan = Plan(8, datetime(2026, 4, 24, 14, 0, tzinfo=VN), 0.1)
    sent = plan.start
    for moment in ("2026-04-24T15:07:31", "2026-04-24T17:02:11", "2026-04-28T10:15"):
        until = datetime.fromisoformat(moment).replace(tzinfo=VN)
        publish(district, plan, sent, until)
        sent = until
        wait_until_idle(district)
        with store.connect(settings_of(district, "cli"), "reader") as conn:
            lines = truth.comparison(conn, truth.expected(plan, until))
        assert [line for line in lines if not line.same] == []
        assert len({line.indicator for line in lines if line.expected}) >= 25


def test_by_hand_it_sends_at_the_pace_asked_for(district: Instance) -> None:
    said = told(district, "simulate", "--rate", "150", "--for", "2s", "--paced", "--seed", "77")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("sent 300 messages in ")
    assert float(said.stdout.split()[4]) >= 1.9


def test_the_status_tells_rates_and_freshness_and_that_it_is_simulated(district: Instance) -> None:
    start = (clock.now() - timedelta(minutes=2)).isoformat()
    assert told(district, "simulate", "--rate", "50", "--for", "119s", "--start", start).returncode == 0
    wait_until_idle(district)
    with store.connect(settings_of(district, "cli"), "reader") as conn:
        found = sources(conn, clock.now())
        held = dict(conn.execute("SELECT source, events FROM source").fetchall())
    assert {s.source: s.events for s in found} == held
    assert {s.origin for s in found} == {"simulated"}
    assert {s.system for s in found} == set(SYSTEMS)
    assert any(s.per_minute > 0 for s in found)
    listed = json.loads(told(district, "status", "--json").stdout)["sources"]
    assert {row["source"] for row in listed} == set(held)
    assert "SIMULATED" in told(district, "status").stdout


def publish(centre: Instance, plan: Plan, since: datetime, until: datetime) -> None:
    async def send() -> None:
        async with bus.connected(settings_of(centre, "simulator"), "test") as client:
            messages = (bus.Outgoing(s.subject, s.raw) for s in plan.sendings(until, since))
            await bus.publish_raw(client.jetstream(), messages)

    asyncio.run(send())
