"""One emitter sends rubbish without end while the quarantine is full: others are answered, and nothing of theirs is
lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.servers import Instance
from schemas.streams import EVENTS, QUARANTINE
from services.cli.prepare import prepare, settings_of
from services.kit import bus, store

UNIT = "phuong_chon_thanh"
RATE, SECONDS = 5000, 8
GROWTH = 40 * 2**20
"""Twice what is allowed, as other tests take the machine's time meanwhile and batches are larger then."""


@pytest.fixture(scope="module")
def flooded(new_instance: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    """A centre of this module's own, whose stream is filled with rubbish."""
    running = new_instance(open_folder / "flood")
    try:
        running.start(["nats", "timescaledb"])
        prepare(running)
        running.start_services(["aggregator", "emitters"])
        yield running
    finally:
        running.stop()


async def _limit(centre: Instance, size: int) -> None:
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        js = client.jetstream()
        config = (await js.stream_info(QUARANTINE.name)).config
        config.max_bytes = size
        await js.update_stream(config)


async def _rubbish(centre: Instance, ending: threading.Event) -> int:
    """`RATE` messages in every second until told to stop; how many."""
    settings = settings_of(centre, "cli").model_copy(update={"user": "emitter_field"})
    subject, sent, begun = f"ioc.events.{UNIT}.field.report.received", 0, time.monotonic()
    async with bus.connected(settings, "flood") as client:
        while not ending.is_set():
            while sent < (time.monotonic() - begun) * RATE and not ending.is_set():
                await client.publish(subject, b"\xffrubbish " * 50)
                sent += 1
            await asyncio.sleep(0.01)
        await client.flush()
    return sent


async def _stored(centre: Instance) -> int:
    """How many messages of the flood the broker has taken."""
    async with bus.connected(settings_of(centre, "monitor"), "test") as client:
        subject = f"ioc.events.{UNIT}.field.report.received"
        state = (await client.jetstream().stream_info(EVENTS.name, subjects_filter=subject)).state
        return sum((state.subjects or {}).values())


@contextmanager
def flood(centre: Instance) -> Iterator[list[int]]:
    """Inside, an emitter sends as fast as it may; afterwards the list holds how many it sent."""
    ending, sent = threading.Event(), list[int]()
    thread = threading.Thread(target=lambda: sent.append(asyncio.run(_rubbish(centre, ending))))
    thread.start()
    try:
        yield sent
    finally:
        ending.set()
        thread.join(60)


def payment(number: int) -> dict[str, Any]:
    return {
        "transaction": f"FLOOD-{number}",
        "kind": "fee",
        "amount": 5000,
        "method": "card",
        "unit": UNIT,
        "paid_at": "2026-11-02T08:00:00+07:00",
    }


def resident(centre: Instance, service: str) -> int:
    """Bytes that a service has in memory."""
    status = Path(f"/proc/{centre.pid(service)}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def test_a_flood_into_a_full_quarantine_costs_others_nothing(flooded: Instance) -> None:
    asyncio.run(_limit(flooded, 1))
    address = f"http://127.0.0.1:{flooded.ports['emitters']}/payments"
    headers = {"Authorization": f"Bearer {flooded.password('emitter_payments')}"}
    took, busy = list[float](), 0
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as door:
        assert door.post(address, json=payment(0)).status_code == 202
        with flood(flooded) as sent:
            time.sleep(2)  # once warm
            before = resident(flooded, "aggregator")
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                began = time.monotonic()
                while door.post(address, json=payment(len(took) + 1)).status_code != 202:
                    busy += 1  # nothing was taken; the same is sent again
                took.append(time.monotonic() - began)
                time.sleep(0.02)
            grown = resident(flooded, "aggregator") - before
    p99 = sorted(took)[len(took) * 99 // 100]
    words = f"{sent[0]} of rubbish; {len(took)} payments, {busy} x 503, p99 {p99:.3f} s"
    print(f"{words}; {grown / 2**20:.1f} MB grown")
    assert grown <= GROWTH
    wait(flooded, "SELECT count(*) FROM event WHERE id LIKE 'FLOOD-%'", len(took) + 1)
    wait(flooded, "SELECT count(*) FROM refused", asyncio.run(_stored(flooded)))


def wait(centre: Instance, sql: str, wanted: int) -> None:
    end = time.monotonic() + 120
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        conn.autocommit = True
        while (found := (conn.execute(sql.encode()).fetchone() or (0,))[0]) != wanted:
            assert time.monotonic() < end, f"{found} of {wanted}"
            time.sleep(0.2)
