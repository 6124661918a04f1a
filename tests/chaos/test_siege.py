"""All at once: the quarantine is full, one emitter publishes 5,000 messages a second, strangers pour heads and bodies
without end into the emitters' door and keep hundreds of half-sent heads. Others are answered, no service grows, and
nothing that was acknowledged is lost. The long form, which has the machine to itself, also asks how soon."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import nats
from chaos.faults import limit
from chaos.proof import Row, quarantined
from chaos.stage import SERVERS, Stage

from schemas.procedures import ProcedurePublished
from schemas.registry import make
from services.kit import bus, clock

WARD = "phuong_chon_thanh"
FLOODED = f"ioc.events.{WARD}.field.report.received"
FLOOD, TICK, ANSWER_SECONDS = 5000, 0.02, 3
"""Messages a second of the emitter that has been taken over."""
CLIENTS, PAUSE = 4, 0.05
HALF_SENT, HEAD, BODY, MIB = 300, 40, 300, 2**20
GROWTH = 20 * MIB
CONNECTED_SECONDS = 60.0
SERVICES = ("aggregator", "emitters")


class Honest:
    """What others send meanwhile: payments over HTTP, procedures by the broker; how long each waited for its answer."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.over, self.numbers = stage, threading.Event(), count()
        self.payments: list[str] = []
        self.procedures: list[str] = []
        self.delays: list[float] = []

    def pay(self) -> None:
        """Until it is over."""
        instance = self.stage.instance
        address = f"http://127.0.0.1:{instance.ports['emitters']}"
        head = {"Authorization": f"Bearer {instance.password('emitter_payments')}"}
        with httpx.Client(base_url=address, headers=head, timeout=30) as client:
            while not self.over.wait(PAUSE):
                words = {"transaction": f"BL-{next(self.numbers)}", "kind": "fee", "amount": 1000, "method": "cash"}
                words |= {"unit": WARD, "paid_at": clock.now().isoformat()}
                began = time.monotonic()
                answer = self._post(client, words)
                self.delays.append(time.monotonic() - began)
                assert answer.status_code == 202, answer.text
                self.payments.append(str(words["transaction"]))

    def _post(self, client: httpx.Client, words: dict[str, object]) -> httpx.Response:
        """The door may end a connection, then the same is sent again, as every sender does."""
        while True:
            with suppress(httpx.TransportError):
                return client.post("/payments", json=words)

    async def publish(self) -> None:
        """Likewise."""
        async with bus.connected(self.stage.settings("emitter_procedures"), "honest") as client:
            while not self.over.is_set():
                number = next(self.numbers)
                data = ProcedurePublished(procedure=f"2.{number:06}", field="justice", online_level="full")
                event = make(data, source="/honest", id=f"{number}", time=clock.now(), unit=WARD)
                began = time.monotonic()
                await bus.publish(client.jetstream(), event, within=30)
                self.delays.append(time.monotonic() - began)
                self.procedures.append(event.id)
                await asyncio.sleep(PAUSE)


class Siege(NamedTuple):
    """What is done to a centre, from a process of its own."""

    broker: str
    door: int
    password: str
    seconds: float
    strangers: bool

    def lay(self) -> tuple[int, int, int]:
        """How many messages of the flood were sent, of how many the broker said that it has them, and how many heads
        and bodies the door took to their end."""
        over = threading.Event()
        with ThreadPoolExecutor(4) as threads:
            pouring = [threads.submit(self._pour, *what, over) for what in self._poured()]
            half = threads.submit(self._half_sent, over)
            try:
                sent, acknowledged = asyncio.run(self._flood())
            finally:
                over.set()
            half.result()
            return sent, acknowledged, sum(one.result() for one in pouring)

    async def _flood(self) -> tuple[int, int]:
        acks = list[asyncio.Future[Any]]()
        client = await nats.connect(
            self.broker, user="emitter_field", password=self.password, inbox_prefix=b"_INBOX_emitter_field"
        )
        js, began, first = client.jetstream(publish_async_max_pending=10**6), time.monotonic(), time.time_ns()
        while (passed := time.monotonic() - began) < self.seconds:
            while len(acks) < passed * FLOOD:
                acks.append(await js.publish_async(FLOODED, b"rubbish %d %d" % (first, len(acks))))
            await asyncio.sleep(TICK)
        await asyncio.wait(acks, timeout=ANSWER_SECONDS)  # of most the broker says nothing at all
        await client.close()
        return len(acks), sum(ack.done() and not ack.cancelled() and not ack.exception() for ack in acks)

    def _poured(self) -> Iterator[tuple[bytes, int]]:
        if not self.strangers:
            return
        body = f"POST /field/reports HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY * MIB}\r\n"
        yield b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", HEAD * MIB
        yield f"{body}\r\n".encode(), BODY * MIB
        yield f"{body}Authorization: Bearer {self.password}\r\n\r\n".encode(), BODY * MIB

    def _pour(self, begin: bytes, size: int, over: threading.Event) -> int:
        """Send so many bytes again and again, each time until the door hangs up; how often it took all of them."""
        taken, part = 0, b"a" * 2**16
        while not over.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.door), CONNECTED_SECONDS) as stranger:
                stranger.sendall(begin)
                for _ in range(size // len(part)):
                    stranger.sendall(part)
                taken += 1
            over.wait(0.1)
        return taken

    def _half_sent(self, over: threading.Event) -> None:
        """So many connections at a time that have sent half a head."""
        with ExitStack() as held:
            for _ in range(HALF_SENT if self.strangers else 0):
                with suppress(OSError):
                    one = held.enter_context(socket.create_connection(("127.0.0.1", self.door), CONNECTED_SECONDS))
                    one.sendall(b"GET / HTTP/1.1\r\nHost:")
            over.wait()


def memory(stage: Stage, service: str) -> int:
    """Bytes that a service holds."""
    status = Path(f"/proc/{stage.instance.pid(service)}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def sent_by(stage: Stage, source: str) -> list[str]:
    return [id for (id,) in stage.sql("SELECT id FROM event WHERE source = %s", source)]


def p99(delays: list[float]) -> float:
    """Of a hundred the one before the slowest."""
    return sorted(delays)[math.ceil(0.99 * len(delays)) - 1]


def play(stage: Stage, honest: Honest, seconds: float, strangers: bool) -> tuple[int, int]:
    """Honest ones and the flood for so long, with strangers or without; what became of the flood."""
    instance, siege = stage.instance, ProcessPoolExecutor(1, get_context("spawn"))
    enemy = Siege(stage.nats_url, instance.ports["emitters"], instance.password("emitter_field"), seconds, strangers)
    honest.over.clear()
    with siege, ThreadPoolExecutor(CLIENTS + 1) as threads:
        senders = [threads.submit(honest.pay) for _ in range(CLIENTS)]
        senders.append(threads.submit(asyncio.run, honest.publish()))
        try:
            sent, acknowledged, taken = siege.submit(enemy.lay).result()
        finally:
            honest.over.set()
        for sender in senders:
            sender.result()
    assert not taken, "a door took all of it"
    return sent, acknowledged


def test_whatever_is_done_to_the_centre_others_are_answered(
    new_stage: Callable[[str, int], Stage], report: Callable[[Row], None], minutes: float
) -> None:
    began, seconds = time.monotonic(), 60 if minutes else 4
    stage = new_stage("siege", 0)
    with stage.ending:
        stage.start(*SERVERS, *SERVICES)
        honest = Honest(stage)
        before = asyncio.run(limit(stage, {"QUARANTINE": 1}))
        warm = play(stage, honest, 2, strangers=False)  # a service has its size after the first batches
        stage.wait_until_idle()
        alone = p99(honest.delays)
        held = {name: (stage.instance.pid(name), memory(stage, name)) for name in SERVICES}
        honest.delays.clear()
        flooded = play(stage, honest, seconds, strangers=True)
        grown = {name: memory(stage, name) - size for name, (_, size) in held.items()}
        assert {name: stage.instance.pid(name) for name in SERVICES} == {name: pid for name, (pid, _) in held.items()}
        slowest = p99(honest.delays)
        stage.wait_until_idle()
        asyncio.run(limit(stage, before))
        stage.wait_for(lambda: not stage.sql("SELECT FROM refused LIMIT 1"), 300, "what waits is not brought in")
        lost = {*honest.payments} - {id.removesuffix("/made") for id in sent_by(stage, f"/payments/{WARD}")}
        lost |= {*honest.procedures} - {*sent_by(stage, "/honest")}
        aside = quarantined(stage)
    taken = warm[1] + flooded[1]
    sent = sum((warm[0], flooded[0], len(honest.payments), len(honest.procedures)))
    print(
        f"{len(honest.delays)} answers, p99 {slowest:.3f} s (alone {alone:.3f}), {flooded} of the flood, grown {grown}"
    )
    report(Row("siege", sent, sent - warm[0] - flooded[0], 0, len(aside), len(lost), 0, time.monotonic() - began))
    assert not lost and sum(map(len, aside.values())) >= taken
    assert len(honest.delays) > CLIENTS and (not minutes or slowest <= 1.0), f"p99 {slowest:.2f} s"
    assert all(grown[name] <= GROWTH for name in SERVICES), grown
