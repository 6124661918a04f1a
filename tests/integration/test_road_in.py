"""The road in beneath the events: lines for COPY as the database reads them, a real broker fetched from and told."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sysconfig
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import nats
import nats.errors
import pytest
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, ConsumerInfo
from psycopg import AsyncConnection

from infra.local.servers import Instance
from services.aggregator import staging
from services.centre.prepare import settings_of
from services.kit import pull

T = TypeVar("T")
TEXTS = ("", "a", "Phường", "a\\b", "\\N", "\\.", "tab\tnew\nline\rback", '"', "{a,b}", "\x01\x7f\u2028\u00a0", "\\")
COUNT = 60
LEFT = set(range(COUNT // 2 + 1, COUNT + 1))


def test_the_database_reads_a_line_as_it_was_meant(centre: Instance) -> None:
    moments = (None, datetime(2026, 11, 2, 1, 2, 3, 456, tzinfo=UTC))
    rows = [(text, {text: [text]}, [text, text], moment) for text in TEXTS for moment in moments]

    async def copied() -> list[Any]:
        async with await AsyncConnection.connect(settings_of(centre, "cli").database("aggregator")) as conn:
            await conn.execute("CREATE TEMP TABLE lines (a text, b jsonb, c text[], d timestamptz, e text)")
            await staging.fill(conn, "COPY lines FROM STDIN", map(line, rows))
            return await (await conn.execute("SELECT a, b, c, d FROM lines WHERE e IS NULL")).fetchall()

    assert asyncio.run(copied()) == rows


def line(row: tuple[Any, ...]) -> str:
    text, value, texts, moment = row
    spelled = staging.escaped(json.dumps(value, ensure_ascii=False))
    words = (staging.escaped(text), spelled, staging.array(texts), staging.moment(moment), staging.NULL)
    return "\t".join(words) + "\n"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[int, Callable[[], None]]]:
    """A broker of this test's own: its port, and what kills it and starts it anew."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "conf").write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{tmp_path}/s" }}\n')
    command = [f"{sysconfig.get_path('scripts')}/nats-server", "-c", f"{tmp_path}/conf"]
    running = [subprocess.Popen(command, stderr=subprocess.DEVNULL)]

    def again() -> None:
        running[0].kill()
        running[0].wait(20)
        running[0] = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    yield port, again
    running[0].terminate()
    running[0].wait(20)


def on_broker(port: int, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """What comes of work on a stream of `COUNT` messages, whose consumer gives out anew what is not acknowledged in
    two seconds."""

    async def connected() -> T:
        address = f"nats://127.0.0.1:{port}"
        client = await nats.connect(address, max_reconnect_attempts=100, reconnect_time_wait=0.1)
        js = client.jetstream()
        await js.add_stream(name="ROAD", subjects=["road.*"])
        await js.add_consumer("ROAD", ConsumerConfig(durable_name="reader", ack_wait=2.0, max_ack_pending=1000))
        for number in range(COUNT if not (await js.stream_info("ROAD")).state.messages else 0):
            await js.publish(f"road.{number}", body(number), headers={"Number": str(number)})
        try:
            return await work(js)
        finally:
            await client.close()

    return asyncio.run(connected())


def body(number: int) -> bytes:
    """Larger than what is read from the socket at a stroke, so that messages and their heads are split anywhere."""
    return b"HMSG road.1 1 2 3\r\n" * (number * 37)


def test_what_is_in_work_is_not_given_out_anew_and_what_is_acknowledged_is_done(broker: tuple[int, Any]) -> None:
    async def work(js: JetStreamContext) -> Any:
        reader = await js.pull_subscribe_bind("reader", "ROAD")
        messages = await pull.fetch(reader, COUNT, 1.0)  # all there are, so that none of the two seconds is waited away
        assert [message.headers for message in messages] == [{"Number": str(number)} for number in range(COUNT)]
        assert [message.data for message in messages] == [body(number) for number in range(COUNT)]
        assert [pull.recorded(message) for message in messages] == [m.metadata.timestamp for m in messages]
        async with pull.in_work(messages, every=0.2):
            with pytest.raises(nats.errors.TimeoutError):
                await pull.fetch(reader, 1000, 3.5)
        await pull.acknowledge(messages)
        return await acknowledged(js)

    info = on_broker(broker[0], work)
    assert (info.num_ack_pending, info.num_pending, info.num_redelivered) == (0, 0, 0)
    assert info.ack_floor.stream_seq == COUNT


async def acknowledged(js: JetStreamContext) -> ConsumerInfo:
    """The consumer, once the broker has come to all that it was told: it answers first."""
    for _ in range(400):
        info = await js.consumer_info("ROAD", "reader")
        if not info.num_ack_pending:
            break
        await asyncio.sleep(0.05)
    return info


def test_a_fetch_ends_when_the_consumer_goes_and_finds_the_one_that_comes(broker: tuple[int, Any]) -> None:
    async def work(js: JetStreamContext) -> list[int]:
        reader = await js.pull_subscribe_bind("reader", "ROAD")
        await pull.acknowledge(await pull.fetch(reader, 1000, 1.0))
        waiting, began = asyncio.create_task(pull.fetch(reader, 1000, 1.0)), time.monotonic()
        await asyncio.sleep(0.2)
        await js.delete_consumer("ROAD", "reader")
        for _ in range(2):  # the one that waits, and the next one, of which nobody knows
            with pytest.raises(nats.errors.TimeoutError):
                await waiting
            waiting = asyncio.create_task(pull.fetch(reader, 1000, 1.0))
        assert time.monotonic() - began > 1.9  # nobody spins
        with pytest.raises(nats.errors.TimeoutError):
            await waiting
        await js.add_consumer("ROAD", ConsumerConfig(durable_name="reader"))
        found = await pull.fetch(reader, 1000, 3.0)
        while len(found) < COUNT:
            found += await pull.fetch(reader, 1000, 1.0)
        return [message.metadata.sequence.stream for message in found]

    assert on_broker(broker[0], work) == list(range(1, COUNT + 1))


def test_what_was_not_acknowledged_before_a_broker_died_comes_again(broker: tuple[int, Any]) -> None:
    async def work(js: JetStreamContext) -> set[int]:
        reader = await js.pull_subscribe_bind("reader", "ROAD")
        messages = await pull.fetch(reader, 1000, 1.0)
        broker[1]()
        while js._nc.is_connected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await pull.acknowledge(messages[: COUNT // 2])  # kept until there is a connection
        seen: set[int] = set()
        until = time.monotonic() + 20
        while not seen >= LEFT and time.monotonic() < until:
            try:
                again = await pull.fetch(reader, 1000, 1.0)
            except (nats.errors.Error, OSError):
                continue
            await pull.acknowledge(again)
            seen |= {message.metadata.sequence.stream for message in again}
        return seen

    assert on_broker(broker[0], work) >= LEFT


def test_who_waits_asks_seldom_and_is_woken_at_once(broker: tuple[int, Any]) -> None:
    async def work(js: JetStreamContext) -> None:
        reader = await js.pull_subscribe_bind("reader", "ROAD")
        await pull.acknowledge(await pull.fetch(reader, 1000, 1.0))
        asked = js._nc.stats["out_msgs"]
        for _ in range(15):
            with pytest.raises(nats.errors.TimeoutError):
                await pull.fetch(reader, 1000, 0.1)
        assert js._nc.stats["out_msgs"] - asked <= 3
        began, waiting = time.monotonic(), asyncio.create_task(pull.fetch(reader, 1000, 1.5))
        for number in range(5):
            await js.publish(f"road.{number}", b"{}")
        found = await waiting
        assert time.monotonic() - began < 1.4
        while len(found) < 5:
            found += await pull.fetch(reader, 1000, 1.0)
        assert [message.metadata.num_delivered for message in found] == [1] * 5

    on_broker(broker[0], work)


def test_what_cannot_be_acknowledged_is_said(broker: tuple[int, Any]) -> None:
    async def work(js: JetStreamContext) -> None:
        reader = await js.pull_subscribe_bind("reader", "ROAD")
        messages = await pull.fetch(reader, 1000, 1.0)
        await js._nc.close()
        with pytest.raises(nats.errors.ConnectionClosedError):
            await pull.acknowledge(messages)

    on_broker(broker[0], work)
