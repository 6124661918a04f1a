"""Bad input never holds up good: whatever an emitter's credential may write, what others say goes on into the log."""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, TypeVar, cast

import nats.errors
import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from support import wait_until_idle

from infra.local.servers import Instance
from schemas.envelope import MAX_EVENT_BYTES, Invalid
from schemas.streams import AGGREGATOR, EVENTS, NEVER, QUARANTINE
from services.aggregator.aside import Aside
from services.aggregator.validate import HEAD_BYTES, Refused, digest
from services.centre.prepare import settings_of
from services.kit import bus, pull, quarantine, store

T = TypeVar("T")
Ioc = Callable[..., subprocess.CompletedProcess[str]]
UNIT = "phuong_chon_thanh"
REPORTS = f"ioc.events.{UNIT}.field.report.received"
NUMBERS = count(1)
RUBBISH = b"\xffrubbish"
NOT_UTF8 = Invalid("not_utf8", "byte 0 is not UTF-8")
BROKEN_HEADERS = {
    "too short to be headers": b"xx",
    "the first line alone": b"NATS/1.0",
    "a status that is none": b"NATS/1.0 \xff\xff\xff\r\n\r\n",
    "the broker's own words": b"NATS/1.0 404 No Messages\r\n\r\n",
    "a header that looks like them": b"NATS/1.0\r\nStatus: 409\r\nDescription: Message Size Exceeds MaxBytes\r\n\r\n",
    "names of nothing": b"NATS/1.0\r\n: :\r\n::\r\n\r\n",
    "the broker's notes": b"NATS/1.0\r\nNats-Time-Stamp: x\r\nNats-Sequence: y\r\nNats-Stream: z\r\n\r\n",
}


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    try:
        centre.start_services(["aggregator"])
        yield centre
    finally:
        centre.stop_process("aggregator")


def report() -> dict[str, Any]:
    code = f"PA-BAD-{next(NUMBERS)}"
    return {
        "specversion": "1.0",
        "id": f"{code}/1",
        "source": "/test/bad",
        "type": "vn.ioc.report.received.v1",
        "time": "2026-11-02T08:00:00+07:00",
        "unit": UNIT,
        "data": {"code": code, "channel": "app", "category": "road"},
    }


def on_broker(centre: Instance, user: str, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    async def connected() -> T:
        settings = settings_of(centre, "cli").model_copy(update={"user": user})
        async with bus.connected(settings, "test") as client:
            return await work(client.jetstream())

    return asyncio.run(connected())


def publish(centre: Instance, *bodies: bytes) -> list[int]:
    """Their numbers in the stream."""

    async def each(js: JetStreamContext) -> list[int]:
        return [(await js.publish(REPORTS, body, timeout=20)).seq for body in bodies]

    return on_broker(centre, "emitter_field", each)


def rows(centre: Instance, sql: str, *values: Any) -> list[Any]:
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        return conn.execute(sql, values).fetchall()


def wait(done: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 90
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def arrives(centre: Instance) -> None:
    """A good event goes into the log."""
    good = report()
    publish(centre, json.dumps(good).encode())
    wait(lambda: rows(centre, "SELECT FROM event WHERE id = %s", good["id"]), "the good one does not arrive")


def aside(centre: Instance, seqs: list[int]) -> list[tuple[dict[str, str], bytes]]:
    """The messages of these numbers that lie in the quarantine: headers and body."""

    async def look(js: JetStreamContext) -> list[tuple[dict[str, str], bytes]]:
        state = (await js.stream_info(QUARANTINE.name)).state
        found = []
        for seq in range(state.first_seq, state.last_seq + 1):
            try:
                message = await js.get_msg(QUARANTINE.name, seq)
            except NotFoundError:  # it was discarded
                continue
            if int((message.headers or {}).get("Ioc-Sequence", 0)) in seqs:
                found.append((message.headers or {}, message.data or b""))
        return found

    return on_broker(centre, "admin", look)


def send_raw(centre: Instance, headers: bytes, body: bytes) -> None:
    """As a client of one's own making would."""

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", centre.ports["nats"])
        login = {"user": "emitter_field", "pass": centre.password("emitter_field"), "verbose": False, "headers": True}
        writer.write(b"CONNECT " + json.dumps(login).encode() + b"\r\n")
        size = len(headers) + len(body)
        writer.write(f"HPUB {REPORTS} {len(headers)} {size}\r\n".encode() + headers + body + b"\r\nPING\r\n")
        async with asyncio.timeout(20):
            while (await reader.readline()) != b"PONG\r\n":
                pass
        writer.close()

    asyncio.run(send())


@pytest.mark.parametrize("kind", BROKEN_HEADERS)
def test_headers_that_are_none_hold_up_nobody(running: Instance, kind: str) -> None:
    body = RUBBISH + str(next(NUMBERS)).encode()
    send_raw(running, BROKEN_HEADERS[kind], body)
    arrives(running)
    last = on_broker(running, "admin", lambda js: js.stream_info(EVENTS.name)).state.last_seq
    wait(lambda: [b for _, b in aside(running, list(range(max(last - 10, 1), last + 1))) if b == body], kind)


def test_of_what_is_too_large_the_head_is_kept_and_where_the_rest_lies(running: Instance) -> None:
    body = "ấ".encode() * (MAX_EVENT_BYTES // 3 + 100)
    seqs = publish(running, body)
    arrives(running)
    wait(lambda: aside(running, seqs), "nothing is set aside")
    ((headers, kept),) = aside(running, seqs)
    assert headers["Ioc-Code"] == "too_large"
    assert (headers["Ioc-Size"], headers["Ioc-Digest"]) == (str(len(body)), digest(body))
    assert HEAD_BYTES - 3 <= len(kept) <= HEAD_BYTES and kept.decode() == "ấ" * (HEAD_BYTES // 3)


def test_who_sends_more_than_any_message_may_have_is_told_at_once(running: Instance) -> None:
    with pytest.raises(nats.errors.MaxPayloadError):
        publish(running, b"x" * (600 * 1024))
    arrives(running)


def test_an_answer_of_the_broker_that_was_sent_into_the_stream_is_rubbish_like_any_other(running: Instance) -> None:
    """A publisher names any subject for the answer; it cannot choose what the answer says."""

    async def answered_elsewhere(js: JetStreamContext) -> None:
        await js._nc.publish(REPORTS, RUBBISH, reply=f"ioc.events.{UNIT}.procedures.payment.made")
        await js._nc.flush()

    on_broker(running, "emitter_field", answered_elsewhere)
    arrives(running)
    last = on_broker(running, "admin", lambda js: js.stream_info(EVENTS.name)).state.last_seq
    near = list(range(max(last - 10, 1), last + 1))
    wait(lambda: [b for _, b in aside(running, near) if b.startswith(b'{"stream":"EVENTS"')], "not refused")


@pytest.mark.parametrize(
    "call",
    ["STREAM.PURGE.EVENTS", "STREAM.MSG.DELETE.EVENTS", "STREAM.DELETE.EVENTS", "CONSUMER.DELETE.EVENTS.aggregator"],
)
def test_an_answer_of_the_broker_calls_nothing(running: Instance, call: str) -> None:
    """`{"stream": …, "seq": …}` would be a request to purge, if the broker took its own answers for requests."""

    async def messages(js: JetStreamContext) -> int:
        await js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)
        return int((await js.stream_info(EVENTS.name)).state.messages)

    async def answered_by_call(js: JetStreamContext) -> None:
        await js._nc.publish(REPORTS, RUBBISH, reply=f"$JS.API.{call}")
        await js._nc.flush()

    before = on_broker(running, "admin", messages)
    on_broker(running, "emitter_field", answered_by_call)
    wait(lambda: on_broker(running, "admin", messages) == before + 1, "the message is not there, or others are not")
    arrives(running)
    assert on_broker(running, "admin", messages) == before + 2


@pytest.mark.parametrize("reply", ["ioc.quarantine.field", "ioc.quarantine.x", NEVER])
def test_an_answer_of_the_broker_in_the_quarantine_is_listed_and_discarded_like_any_other(
    running: Instance, ioc: Ioc, reply: str
) -> None:
    """It has no headers, and is known by its content; what lies under `NEVER` goes into the stream of events too."""

    async def answered_there(js: JetStreamContext) -> None:
        await js._nc.publish(REPORTS, RUBBISH, reply=reply)
        await js._nc.flush()

    async def answers(js: JetStreamContext) -> list[int]:
        found = []
        for one in await quarantine.listed(js):
            if (await quarantine.get(js, one.seq))[1].data.startswith(b'{"stream":"EVENTS"'):
                found.append(one.seq)
        return found

    before = set(on_broker(running, "cli", answers))
    on_broker(running, "emitter_field", answered_there)
    more = 2 if reply == NEVER else 1
    wait(lambda: len(set(on_broker(running, "cli", answers)) - before) == more, "it does not lie there")
    arrives(running)
    seqs = [str(seq) for seq in sorted(set(on_broker(running, "cli", answers)) - before)]
    assert len(seqs) == more
    listed = ioc("quarantine", "list", "--limit", "1000").stdout
    assert all(re.search(rf"^ *{seq}  ", listed, re.MULTILINE) for seq in seqs)
    assert '"stream": "EVENTS"' in ioc("quarantine", "show", seqs[0]).stdout
    again = ioc("quarantine", "resubmit", seqs[0], "--user", "x")
    assert again.returncode == 1 and "stays" in again.stderr
    assert ioc("quarantine", "discard", *seqs, "--reason", "an answer", "--user", "x").returncode == 0
    assert set(on_broker(running, "cli", answers)) == before


@contextmanager
def quarantine_full(centre: Instance) -> Iterator[None]:
    """Inside, the quarantine takes nothing more."""

    async def limit(js: JetStreamContext, size: int) -> int:
        config = (await js.stream_info(QUARANTINE.name)).config
        before, config.max_bytes = config.max_bytes or -1, size
        await js.update_stream(config)
        return before

    before = on_broker(centre, "admin", lambda js: limit(js, 1))
    try:
        yield
    finally:
        on_broker(centre, "admin", lambda js: limit(js, before))


def test_a_full_quarantine_stops_nobody_and_what_waits_outside_is_brought_in(running: Instance, ioc: Ioc) -> None:
    outside = "SELECT seq, code, size FROM refused ORDER BY seq"
    with quarantine_full(running):
        bodies = [RUBBISH + str(next(NUMBERS)).encode() for _ in range(300)]
        seqs = publish(running, *bodies)
        arrives(running)
        wait(lambda: len(rows(running, outside)) == 300, "they are not noted")
        assert rows(running, outside) == [(s, "not_utf8", len(b)) for s, b in zip(seqs, bodies, strict=True)]
        listed = ioc("quarantine", "list", "--limit", "1")
        assert "300 more wait outside, since the quarantine takes nothing (not_utf8 300)" in listed.stderr
        began = time.monotonic()
        arrives(running)  # once it is known to be full, nobody waits for it
        assert time.monotonic() - began < 60
    wait(lambda: not rows(running, outside), "they are not brought in")
    assert sorted(body for _, body in aside(running, seqs)) == sorted(bodies)
    assert "wait outside" not in ioc("quarantine", "list", "--limit", "1").stderr


def test_what_is_personal_waits_in_the_stream_until_it_is_brought_in_or_erased(running: Instance, ioc: Ioc) -> None:
    """docs/privacy.md says so: while the quarantine takes nothing there is no place for its masked copy."""
    number = f"09{random.randrange(10**8):08}"
    bodies = [json.dumps(report() | {"subject": number}).encode() for _ in range(2)]

    async def clear(js: JetStreamContext) -> list[int]:
        found = []
        for seq in seqs:
            with suppress(NotFoundError):
                found += [seq] if number.encode() in ((await js.get_msg(EVENTS.name, seq)).data or b"") else []
        return found

    with quarantine_full(running):
        seqs = publish(running, *bodies)
        wait(lambda: len(rows(running, "SELECT FROM refused WHERE seq = ANY (%s)", seqs)) == 2, "not noted")
        assert on_broker(running, "admin", clear) == seqs
        erased = ioc("erase", "message", "EVENTS", str(seqs[0]), "--reason", "letter 1", "--yes", "--user", "x")
        assert erased.returncode == 0, erased.stderr
        assert on_broker(running, "admin", clear) == seqs[1:]
    wait(lambda: not rows(running, "SELECT FROM refused"), "not brought in")
    assert on_broker(running, "admin", clear) == []
    found = dict(zip(seqs, sorted(aside(running, seqs), key=lambda one: int(one[0]["Ioc-Sequence"])), strict=True))
    assert found[seqs[0]][1] == b"" and b"[phone]" in found[seqs[1]][1]


def test_what_was_erased_meanwhile_is_still_told_of(running: Instance) -> None:
    with quarantine_full(running):
        (seq,) = publish(running, RUBBISH + b"erased")
        wait(lambda: rows(running, "SELECT FROM refused WHERE seq = %s", seq), "not noted")
        with store.connect(settings_of(running, "cli"), "owner") as conn:
            conn.execute("UPDATE refused SET recorded = recorded - interval '1 day' WHERE seq = %s", [seq])
    wait(lambda: not rows(running, "SELECT FROM refused"), "not brought in")
    ((headers, body),) = aside(running, [seq])
    assert (body, headers["Ioc-Code"]) == (b"", "not_utf8") and "gone from the stream" in headers["Ioc-Reason"]


def test_a_batch_is_bounded_by_its_bytes(running: Instance) -> None:
    async def fetched(js: JetStreamContext) -> list[list[int]]:
        reader = await js.pull_subscribe_bind(AGGREGATOR.name, AGGREGATOR.stream)
        batches: list[list[int]] = []
        messages: list[Msg] = []
        while sum(map(len, batches)) < len(bodies):
            batch = await pull.fetch(reader, AGGREGATOR.batch, 1.0)
            batches.append([len(message.data) for message in batch])
            messages += batch
        for message in messages:
            await message.nak()
        return batches

    running.stop_process("aggregator")
    try:
        bodies = [RUBBISH + b" " * 250_000] * 40
        publish(running, *bodies)
        batches = on_broker(running, "aggregator", fetched)
    finally:
        running.start_process("aggregator")
        running.wait_ready("aggregator")
    assert len(batches) >= 3 and max(map(sum, batches)) <= pull.MOST_BYTES + len(bodies[0])
    arrives(running)


def test_what_takes_long_to_read_goes_into_the_quarantine_as_anything_does(running: Instance) -> None:
    running.stop_process("aggregator")  # they come in one batch
    try:
        seqs = publish(running, *[b"\xff" + b"+84 " * 60_000] * 8)
    finally:
        running.start_process("aggregator")
    wait_until_idle(running)
    assert rows(running, "SELECT FROM refused") == [] and len(aside(running, seqs)) == len(seqs), "no answer was late"


def test_while_one_that_takes_long_is_read_others_are_answered(running: Instance) -> None:
    async def moments(js: JetStreamContext) -> int:
        """How often the loop looks round, every 10 ms at the most, while they are laid aside."""
        reader = await js.pull_subscribe_bind(AGGREGATOR.name, AGGREGATOR.stream)
        messages = await pull.fetch(reader, len(seqs), 5.0)
        laying = asyncio.create_task(Aside(js, cast(Any, None)).take([Refused(m, NOT_UTF8) for m in messages]))
        looked = 0
        while not laying.done():
            await asyncio.sleep(0.01)
            looked += 1
        await laying
        for message in messages:
            await message.ack()
        return looked

    running.stop_process("aggregator")
    try:
        seqs = publish(running, *[b"\xff" + b"0.1." * 60_000] * 3)
        looked = on_broker(running, "aggregator", moments)
    finally:
        running.start_process("aggregator")
        running.wait_ready("aggregator")
    assert looked > 10 * len(seqs) and len(aside(running, seqs)) == len(seqs)


def test_a_batch_that_takes_longer_than_the_broker_waits_is_not_given_out_again(running: Instance) -> None:
    def given(js: JetStreamContext) -> Awaitable[Any]:
        return js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)

    arrives(running)
    wait(lambda: not on_broker(running, "admin", given).num_ack_pending, "something is in work")
    before = on_broker(running, "admin", given).delivered.consumer_seq
    good = report()
    with store.connect(settings_of(running, "cli"), "owner") as conn:
        conn.execute("LOCK TABLE event_key IN ACCESS EXCLUSIVE MODE")
        publish(running, json.dumps(good).encode())
        time.sleep(AGGREGATOR.ack_wait.total_seconds() + 4)
        assert on_broker(running, "admin", given).delivered.consumer_seq == before + 1
    wait(lambda: rows(running, "SELECT FROM event WHERE id = %s", good["id"]), "it does not arrive")
    assert on_broker(running, "admin", given).delivered.consumer_seq == before + 1
