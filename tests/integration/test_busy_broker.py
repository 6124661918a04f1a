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
from nats.js.api import DiscardPolicy, Header

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
    limits = "max_buffered_msgs: 100, sync_interval: always, limits { batch { max_inflight_per_stream: 20 } }"
    (tmp_path / "conf").write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{tmp_path}/s", {limits} }}\n')
    server = Path(sysconfig.get_path("scripts")) / "nats-server"
    broker = subprocess.Popen([server, "-c", tmp_path / "conf"], stderr=subprocess.DEVNULL)
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        broker.terminate()
        broker.wait(20)


async def _published(address: str, batches: bool) -> tuple[int, int, int]:
    """How many were acknowledged in bulk and one by one, and how many the stream holds."""
    client = await nats.connect(address, max_reconnect_attempts=60, reconnect_time_wait=0.2)
    js = client.jetstream()
    await js.add_stream(name="EVENTS", subjects=["ioc.events.>"], discard=DiscardPolicy.NEW, allow_atomic=batches)
    bulk = await bus.publish_raw(js, (bus.Outgoing(SUBJECT, str(n).encode()) for n in range(MANY)))
    text = samples()["vn.ioc.report.received.v1"]["samples/report.received.v1.json"]
    event = parse(text.encode(), clock.now())
    single = await asyncio.gather(*(bus.publish(js, event, within=30) for _ in range(200)))
    held = (await js.stream_info("EVENTS")).state.messages
    await client.close()
    return bulk, len(single), held


@pytest.mark.parametrize("batches", [True, False], ids=["in batches", "one by one, by a stream of an earlier version"])
def test_what_is_turned_away_is_sent_again_until_it_is_taken(address: str, batches: bool) -> None:
    assert asyncio.run(_published(address, batches)) == (MANY, 200, MANY + 200)


async def _one_too_large(address: str) -> tuple[int, int]:
    """How many are said to be stored when one of many is too large for the stream, and how many are."""
    client = await nats.connect(address)
    js = client.jetstream()
    await js.add_stream(name="EVENTS", subjects=["ioc.events.>"], allow_atomic=True, max_msg_size=1000)
    messages = [bus.Outgoing(SUBJECT, b"x" * (2000 if n == 120 else 10)) for n in range(MANY)]
    with pytest.raises(bus.CutShort, match="message size exceeds") as cut:
        await bus.publish_raw(js, messages)
    held = (await js.stream_info("EVENTS")).state.messages
    await client.close()
    return cut.value.done, held


def test_a_batch_with_one_bad_message_is_stored_but_for_that_one(address: str) -> None:
    said, held = asyncio.run(_one_too_large(address))
    assert 100 <= said <= held < MANY
    assert held >= 119, "all that was sent before the bad one"


async def _mixed_once(address: str) -> list[int]:
    """How many are stored after messages that are stored once were sent, sent again, and sent beside others."""
    client = await nats.connect(address)
    js = client.jetstream()
    await js.add_stream(name="EVENTS", subjects=["ioc.events.>"], allow_atomic=True)
    once = [bus.Outgoing(SUBJECT, b"once", f"id-{n}") for n in range(70)]
    counts = []
    for messages in (once, once, [*once, bus.Outgoing(SUBJECT, b"other")]):
        await bus.publish_raw(js, messages)
        counts.append((await js.stream_info("EVENTS")).state.messages)
    await client.close()
    return counts


def test_what_is_stored_once_is_stored_once_in_bulk_too(address: str) -> None:
    assert asyncio.run(_mixed_once(address)) == [70, 70, 71]


async def _beside_begun(address: str) -> int:
    """How many messages of a bulk are stored while somebody has begun as many batches as may be, and ends none."""
    client = await nats.connect(address)
    js = client.jetstream()
    await js.add_stream(name="EVENTS", subjects=["ioc.events.>"], allow_atomic=True)
    for n in range(40):
        headers = {Header.BATCH_ID: f"begun-{n}", Header.BATCH_SEQUENCE: "1"}
        await client.publish(SUBJECT, b"begun", headers=headers)
    await bus.publish_raw(js, (bus.Outgoing(SUBJECT, str(n).encode()) for n in range(1000)))
    held = (await js.stream_info("EVENTS")).state.messages
    await client.close()
    return held


def test_batches_that_are_begun_and_never_ended_hold_up_nobody(address: str) -> None:
    assert asyncio.run(_beside_begun(address)) == 1000
