"""`ioc bench latency`: from the moment an event should have been sent to the moment it can be read, against load.

The sender keeps its timetable whatever happens (an open loop), and the time counts from the timetable: a system that
stands still cannot hide it by being asked less.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import psycopg
from nats.js import JetStreamContext

from bench import load_data
from bench.centre import Say
from bench.consumer_run import process
from bench.options import Options
from bench.result import Row
from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import bus

LOADS = (50, 100, 250, 500, 1000, 2000, 4000, 8000)
SHARE_OF_SUSTAINED = 0.8
LOOK_EVERY = 0.005
PATIENCE_SECONDS = 60.0
COUNT = "SELECT coalesce(sum(events), 0)::bigint FROM source"
"""Events are stored in the order of the stream, so how many are readable tells which. One transaction moves this
number, the log, the state and the figures."""

ROWS = (
    Row("sustained", "sustained, sending and storing at once", "events/s"),
    Row("p50_at_500", "median at 500 events/s", "ms"),
    Row("p99_at_500", "99 of 100 at 500 events/s", "ms", at_most=150),
    Row("max_at_500", "slowest at 500 events/s", "ms"),
    Row("p50_at_80", "median at 80 % of the sustained rate", "ms"),
    Row("p99_at_80", "99 of 100 at 80 % of the sustained rate", "ms", at_most=3000),
    Row("max_at_80", "slowest at 80 % of the sustained rate", "ms"),
)
Looks = list[tuple[float, int]]
"""(moment, events readable), rising."""


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Latencies in ms at each load, the last of them 80 % of what was sustained."""
    with process(instance, "services.aggregator"):
        return asyncio.run(_run(instance, options, say))


async def _run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    flood, seconds = options.count(40_000, 6_000), 4 if options.quick else 15
    say(f"sending {flood:,} events")
    waiting = iter(load_data.messages(flood + 1000))
    async with bus.connected(settings_of(instance, "cli"), "bench") as client:
        meter = Meter(client.jetstream(), settings_of(instance, "cli").database("reader"))
        await meter.warm_up(list(islice(waiting, 1000)))
        sustained = await meter.flood(list(islice(waiting, flood)))
        say(f"sustained {sustained:,.0f} events/s")
        top = SHARE_OF_SUSTAINED * sustained
        rates = [float(load) for load in LOADS if load < top] + [top]
        steps, waiting = [], iter(load_data.messages(int(sum(rates) * seconds), series=1))
        for rate in rates:
            steps.append(await meter.step(list(islice(waiting, int(rate * seconds))), rate))
            say("{rate:,.0f} events/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {max:.0f} ms".format(**steps[-1]))
    return {"sustained": round(sustained), **_headlines(steps), "steps": steps}


def _headlines(steps: Sequence[dict[str, float]]) -> dict[str, float]:
    at = {"500": next((step for step in steps if step["rate"] == 500), None), "80": steps[-1]}
    return {f"{q}_at_{name}": step[q] for name, step in at.items() if step for q in ("p50", "p99", "max")}


class Meter:
    """Sends by a timetable and watches the database beside it."""

    def __init__(self, js: JetStreamContext, conninfo: str) -> None:
        self._js, self._conninfo, self._stored = js, conninfo, 0

    async def warm_up(self, messages: Sequence[load_data.Message]) -> None:
        """Wait until the aggregator works."""
        await self._measure(messages, [time.monotonic()] * len(messages))

    async def flood(self, messages: Sequence[load_data.Message]) -> float:
        """Send as fast as the broker takes it: events per second from the first sent to the last readable."""
        begin = time.monotonic()
        looks = await self._measure(messages, [begin] * len(messages))
        return len(messages) / (looks[-1][0] - begin)

    async def step(self, messages: Sequence[load_data.Message], rate: float) -> dict[str, float]:
        """Send at an even rate (events per second); latencies in ms."""
        begin, base = time.monotonic() + 0.05, self._stored
        due = [begin + i / rate for i in range(len(messages))]
        looks = await self._measure(messages, due)
        counts = [count - base for _, count in looks]
        late = sorted(1000 * (looks[bisect_left(counts, i + 1)][0] - moment) for i, moment in enumerate(due))
        quantiles = {name: late[int(q * (len(late) - 1))] for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
        figures = {"rate": rate, **quantiles, "max": late[-1]}
        return {name: round(value, 1) for name, value in figures.items()} | {"events": len(late)}

    async def _measure(self, messages: Sequence[load_data.Message], due: Sequence[float]) -> Looks:
        watching = asyncio.create_task(self._poll(self._stored + len(messages)))
        await _send(self._js, messages, due)
        looks = await watching
        self._stored += len(messages)
        return looks

    async def _poll(self, goal: int) -> Looks:
        looks: Looks = []
        moved = time.monotonic()
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as conn:
            while not looks or looks[-1][1] < goal:
                row = await (await conn.execute(COUNT)).fetchone()
                now = time.monotonic()
                if row and (not looks or row[0] > looks[-1][1]):
                    looks.append((now, row[0]))
                    moved = now
                if now - moved > PATIENCE_SECONDS:
                    raise TimeoutError(f"{looks[-1][1]:,} of {goal:,} events can be read, and no more come")
                await asyncio.sleep(LOOK_EVERY)
        return looks


async def _send(js: JetStreamContext, messages: Sequence[load_data.Message], due: Sequence[float]) -> None:
    """Each message at its moment, or at once where that is over, until the broker has all on disk."""
    acknowledged = []
    for group in _groups(due):
        await asyncio.sleep(max(due[group.start] - time.monotonic(), 0))
        for i in group:
            acknowledged.append(load_data.send(js, messages[i]))
    await asyncio.gather(*acknowledged)


def _groups(due: Sequence[float], within: float = 0.002) -> Iterator[range]:
    """Neighbours that are due within two milliseconds go together: a timer that is finer is busy with itself."""
    start = 0
    for i in range(1, len(due) + 1):
        if i == len(due) or due[i] - due[start] > within:
            yield range(start, i)
            start = i
