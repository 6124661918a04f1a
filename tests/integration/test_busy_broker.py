"""A broker that has too much to write says so to whoever comes then; nothing is lost by it, and all gets through."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from nats.js.api import DiscardPolicy

from schemas.contracts import samples
from schemas.registry import parse
from services.kit import bus, clock

SUBJECT = "ioc.events.phuong_chon_thanh.field.report.received"
MANY = 3000


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A broker of this test's own that lets a hundred messages wait."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    limits = "max_buffered_msgs: 100, sync_interval: always"
    (tmp_path / "conf").write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{tmp_path}/s", {limits} }}\n')
    server = Path(sysconfig.get_path("scripts")) / "nats-server"
    broker = subprocess.Popen([server, "-c", tmp_path / "conf"], stderr=subprocess.DEVNULL)
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        broker.terminate()
        broker.wait(20)


async def _published(address: str) -> tuple[int, int, int]:
    """How many were acknowledged in bulk and one by one, and how many the stream holds."""
    client = await nats.connect(address, max_reconnect_attempts=60, reconnect_time_wait=0.2)
    js = client.jetstream()
    await js.add_stream(name="EVENTS", subjects=["ioc.events.>"], discard=DiscardPolicy.NEW)
    bulk = await bus.publish_raw(js, (bus.Outgoing(SUBJECT, str(n).encode()) for n in range(MANY)))
    text = samples()["vn.ioc.report.received.v1"]["samples/report.received.v1.json"]
    event = parse(text.encode(), clock.now())
    single = await asyncio.gather(*(bus.publish(js, event, within=30) for _ in range(200)))
    held = (await js.stream_info("EVENTS")).state.messages
    await client.close()
    return bulk, len(single), held


def test_what_is_turned_away_is_sent_again_until_it_is_taken(address: str) -> None:
    assert asyncio.run(_published(address)) == (MANY, 200, MANY + 200)
