"""Readers of the stream in processes of their own, timed from outside by what the broker says is acknowledged."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Self

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from bench.machine import cpu_seconds, tree_cpu_seconds
from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.streams import AGGREGATOR
from services.kit import streams

LOOK_EVERY = 0.03
PATIENCE_SECONDS = 60.0
WARM = 0.05
"""The share of messages that a reader may take to warm up before it is timed."""


class Stuck(Exception):
    """A reader makes no progress; the message holds the end of its log."""


@dataclass(frozen=True)
class ConsumerRun:
    """What was acknowledged when: (seconds since the first look, messages), rising; and what it took.

    `cpu`: who (reader, database, broker) -> seconds of a core, from warm to the goal.
    """

    seen: tuple[tuple[float, int], ...]
    cpu: dict[str, float] = field(default_factory=dict)

    def rate(self) -> float:
        """Messages per second from warm to the end; the start of a process is not in it."""
        begin, end = self._begin(), self.seen[-1]
        if end == begin:
            raise ValueError("too few messages to measure a rate")
        return (end[1] - begin[1]) / (end[0] - begin[0])

    def cpu_per_thousand(self) -> dict[str, float]:
        """Milliseconds of a core for a thousand messages."""
        thousands = (self.seen[-1][1] - self._begin()[1]) / 1000
        return {who: round(1000 * seconds / thousands, 1) for who, seconds in self.cpu.items()}

    def _begin(self) -> tuple[float, int]:
        return next(sample for sample in self.seen if sample[1] >= max(1, WARM * self.seen[-1][1]))


class Program(NamedTuple):
    """What reads: its name in the logs, its command, and its own part of the environment."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def of(cls, module: str) -> Self:
        """`python -m module`."""
        return cls(module.rpartition(".")[2], (sys.executable, "-m", module))


@contextmanager
def process(instance: Instance, what: str | Program, user: str = "aggregator") -> Iterator[subprocess.Popen[bytes]]:
    """A program, or a module of ours, with a credential; stopped at the end."""
    program = Program.of(what) if isinstance(what, str) else what
    log = instance.data / "logs" / f"{program.name}.log"
    env = os.environ | instance.env(user) | dict(program.env)
    with log.open("ab") as out:
        running = subprocess.Popen(program.command, cwd=CHECKOUT, env=env, stdout=out, stderr=out)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


async def renew_consumer(js: JetStreamContext, make: bool = True) -> None:
    """Put the consumer back to the beginning of the stream; without `make` it is left to the reader to make it."""
    with suppress(NotFoundError):
        await js.delete_consumer(AGGREGATOR.stream, AGGREGATOR.name)
    if make:
        await streams.ensure_consumer(js, AGGREGATOR)


async def drained(js: JetStreamContext) -> None:
    """Wait until the aggregator has done with all messages; raises `Stuck`."""
    until = time.monotonic() + PATIENCE_SECONDS
    total = (await js.stream_info(AGGREGATOR.stream)).state.messages
    while await acknowledged(js, total) < total:
        if time.monotonic() > until:
            raise Stuck(f"the aggregator has not done with {total:,} messages in {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(LOOK_EVERY)


async def measure_run(js: JetStreamContext, instance: Instance, programs: Sequence[Program], goal: int) -> ConsumerRun:
    """Start the readers and watch until `goal` messages are acknowledged; raises `Stuck`."""
    total = (await js.stream_info(AGGREGATOR.stream)).state.messages
    with ExitStack() as stack:
        started = [stack.enter_context(process(instance, program)) for program in programs]
        readers = [one.pid for one in started]
        seen: list[tuple[float, int]] = [(0.0, 0)]
        begin = moved = time.monotonic()
        used: dict[str, float] = {}
        while seen[-1][1] < goal:
            await asyncio.sleep(LOOK_EVERY)
            done = await acknowledged(js, total)
            now = time.monotonic()
            if done > seen[-1][1]:
                seen.append((now - begin, done))
                moved = now
                used = used or (_cpu(instance, readers) if done >= WARM * goal else {})
            if now - moved > PATIENCE_SECONDS or any(one.poll() is not None for one in started):
                names = list(dict.fromkeys(program.name for program in programs))
                logs = "\n".join(map(instance.log_tail, names))
                raise Stuck(f"{', '.join(names)} stopped at {seen[-1][1]:,} of {goal:,}:\n{logs}")
        after = _cpu(instance, readers)
    return ConsumerRun(tuple(seen), {who: after[who] - before for who, before in used.items()})


def _cpu(instance: Instance, readers: Sequence[int]) -> dict[str, float]:
    servers = {"database": instance.pid("timescaledb"), "broker": instance.pid("nats")}
    took = {"reader": sum(cpu_seconds(pid) for pid in readers)}
    return took | {who: tree_cpu_seconds(pid) for who, pid in servers.items() if pid}


async def acknowledged(js: JetStreamContext, total: int) -> int:
    """How many of the `total` messages in the stream the aggregator's consumer has done with."""
    try:
        info = await js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)
    except NotFoundError:
        return 0
    return total - (info.num_pending or 0) - (info.num_ack_pending or 0)
