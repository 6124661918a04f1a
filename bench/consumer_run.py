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
WARM, LATEST = 0.05, 0.7
"""The shares of its messages between which a reader is taken to be warm, and timed from there."""


class Stuck(Exception):
    """A reader makes no progress; the message holds the end of its log."""


Sample = tuple[float, int]
"""Seconds since the reader was started, and the messages that are acknowledged."""


@dataclass(frozen=True)
class ConsumerRun:
    """What was acknowledged between two looks, and what it took.

    `cpu`: who (reader, database, broker) -> seconds of a core between the two.
    """

    begin: Sample
    end: Sample
    cpu: dict[str, float] = field(default_factory=dict)

    def rate(self) -> float:
        """Messages per second."""
        return (self.end[1] - self.begin[1]) / (self.end[0] - self.begin[0])

    def cpu_per_thousand(self) -> dict[str, float]:
        """Milliseconds of a core for a thousand messages."""
        thousands = (self.end[1] - self.begin[1]) / 1000
        return {who: round(1000 * seconds / thousands, 1) for who, seconds in self.cpu.items()}


def begins_at(done: int, goal: int) -> bool:
    """Whether a reader that is seen with so many of its messages done for the first time is timed from there.

    One that has nearly ended when it is first seen warm is not: what is left may be less than a clock tells, so it is
    timed from its start, with what the start of its process costs.
    """
    return WARM * goal <= done <= LATEST * goal


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


async def measure_run(
    js: JetStreamContext, instance: Instance, programs: Sequence[Program], goal: int, before: int = 0
) -> ConsumerRun:
    """Start the readers and watch until `goal` messages are acknowledged beside those of `before`; raises `Stuck`."""
    total = (await js.stream_info(AGGREGATOR.stream)).state.messages
    with ExitStack() as stack:
        started = [stack.enter_context(process(instance, program)) for program in programs]
        readers = [one.pid for one in started]
        first = moved = time.monotonic()
        begin: Sample = (0.0, 0)
        last, used = begin, _cpu(instance, readers)
        while last[1] < goal:
            await asyncio.sleep(LOOK_EVERY)
            # Before it is asked how much is done: on a busy machine a reader may end while the answer comes.
            earlier = None if begin[1] else _cpu(instance, readers)
            done = await acknowledged(js, total) - before
            now = time.monotonic()
            if done > last[1]:
                last, moved = (now - first, done), now
                if earlier and begins_at(done, goal):
                    begin, used = last, earlier
            if now - moved > PATIENCE_SECONDS or any(one.poll() is not None for one in started):
                names = list(dict.fromkeys(program.name for program in programs))
                logs = "\n".join(map(instance.log_tail, names))
                raise Stuck(f"{', '.join(names)} stopped at {last[1]:,} of {goal:,}:\n{logs}")
        after = _cpu(instance, readers)
    return ConsumerRun(begin, last, {who: after[who] - took for who, took in used.items()})


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
