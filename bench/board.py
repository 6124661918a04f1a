"""`ioc bench board`: from an event to the eye, with fifty walls open and a hundred events a second.

Three of the walls are pages in a real Chromium; the others are clients that speak the pages' own protocol over
connections of their own: the board cannot tell them apart, and one machine bears them all. The sender keeps its
timetable whatever happens, and the time counts from the timetable.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from bench import clients, load_data
from bench.centre import Say
from bench.machine import cpu_seconds, resident_mib
from bench.options import Options
from bench.result import Row
from infra.local import provision
from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import bus, clock
from services.simulator.district import Plan

RATE, PAGES, REAL = 100, 50, 3
MINUTES, WARM_SECONDS = 2.0, 20.0
EVERY = 10
"""Of the looks at the memory, one a second, so many are kept as one."""
LIVED, LIVES = timedelta(days=3), timedelta(days=8)
COUNTED = "report.received"
"""Each event of this kind moves the figure of the wall that is looked at by one, so that the figure tells which of
them are shown."""
ROWS = (
    Row("pages", "walls open", "pages"),
    Row("real", "of them in a real browser", "pages"),
    Row("sent", "events sent, at an even rate", "events"),
    Row("shown_p50", "from an event to the wall, median", "ms"),
    Row("shown_p95", "95 of 100", "ms", at_most=1500),
    Row("shown_max", "slowest", "ms"),
    Row("real_p95", "95 of 100, in the real browser", "ms", at_most=1500),
    Row("cpu", "the board's share of one core", "%", at_most=60),
    Row("memory_mib", "memory of the board, median", "MiB", at_most=200),
    Row("growth_mib", "growth in ten minutes, once warm", "MiB", at_most=20),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Fill a centre, open the walls, send, and look at the board beside it."""
    if not find_spec("playwright"):
        raise click.ClickException("this benchmark needs playwright, which `./ioc test --help` installs")
    chromium = provision.provide(instance.runtime, {"chromium"}, say)["chromium"]
    instance.start_services(["aggregator", "deadlines", "board"])
    return asyncio.run(_run(instance, chromium, options, say))


async def _run(instance: Instance, chromium: Path, options: Options, say: Say) -> dict[str, Any]:
    pages, seconds = (6, 8.0) if options.quick else (PAGES, 60 * (options.minutes or MINUTES))
    warm = WARM_SECONDS / 10 if options.quick else WARM_SECONDS
    async with bus.connected(settings_of(instance, "simulator"), "bench") as client:
        js = client.jetstream()
        say(f"filling the centre: {await load_data.publish(js, _lived(LIVED, 0.1)):,} events")
        address, pid = f"http://127.0.0.1:{instance.ports['board']}", instance.pid("board")
        assert pid is not None
        async with clients.opened(address, instance.password("board_admin"), chromium, pages, REAL) as open_walls:
            base = await open_walls.settled()
            say(f"{pages} walls are open; sending {RATE} events/s for {seconds / 60:.1f} minutes")
            load = asyncio.create_task(_send(js, warm + seconds))
            await asyncio.sleep(warm)
            looks, used = await _sample(pid, seconds)
            sent, due = await load
            await open_walls.reach(base + len(due))
            late = {wall: _late(shown, base, due) for wall, shown in open_walls.shown().items()}
    figures = {"pages": pages, "real": REAL, "sent": sent, "minutes": round(seconds / 60, 1), "cpu": round(100 * used)}
    return figures | _latencies(late) | _memory(looks)


def _lived(ago: timedelta, rate: float) -> Iterator[load_data.Message]:
    plan = Plan(1, clock.now() - ago, rate)
    for s in plan.sendings(clock.now()):
        if s.event is not None and s.kind == "meant":
            yield load_data.Message(s.at, s.subject, s.message_id, s.raw)


async def _send(js: Any, seconds: float) -> tuple[int, list[float]]:
    """Send what a district of some days sends, as happening now: how many, and when each counted one was due."""
    plan = Plan(2, clock.now() - LIVES, 2.0)
    events = (s.event for s in plan.sendings(clock.now()) if s.event is not None and s.kind == "meant")
    begin, counted, acknowledged = time.time(), list[float](), list[Any]()
    number = 0
    for number, event in enumerate(itertools.islice(events, int(RATE * seconds))):
        due = begin + number / RATE
        await asyncio.sleep(max(due - time.time(), 0))
        moved = event.model_copy(update={"time": clock.now()})
        message = load_data.Message(moved.time, moved.subject, moved.message_id, moved.to_json())
        acknowledged.append(load_data.send(js, message))
        if moved.data.event == COUNTED:
            counted.append(due)
    await asyncio.gather(*acknowledged)
    return number + 1, counted


Sample = tuple[float, float]
"""(seconds, MiB)."""


async def _sample(pid: int, seconds: float) -> tuple[list[Sample], float]:
    """The board's memory in every second, and the share of a core it took."""
    begin, before, looks = time.monotonic(), cpu_seconds(pid), list[Sample]()
    while (passed := time.monotonic() - begin) < seconds:
        looks.append((round(passed, 1), round(resident_mib(pid), 1)))
        await asyncio.sleep(1)
    return looks, (cpu_seconds(pid) - before) / passed


def _late(shown: Sequence[clients.Shown], base: int, due: Sequence[float]) -> list[float]:
    """ms from when each counted event was due until a wall showed a figure that has it in it."""
    figures = [figure for _, figure in shown]
    return [1000 * (shown[bisect_left(figures, base + n)][0] - moment) for n, moment in enumerate(due, 1)]


def _latencies(late: dict[str, list[float]]) -> dict[str, Any]:
    every = sorted(itertools.chain.from_iterable(late.values()))
    real = sorted(itertools.chain.from_iterable(ms for wall, ms in late.items() if wall.startswith("real")))
    figures = {f"shown_{name}": every[int(q * (len(every) - 1))] for name, q in (("p50", 0.5), ("p95", 0.95))}
    figures |= {"shown_max": every[-1], "real_p95": real[int(0.95 * (len(real) - 1))]}
    steps = [round(every[int(q / 100 * (len(every) - 1))]) for q in range(101)]
    return {name: round(ms) for name, ms in figures.items()} | {"percentiles": steps, "looked": len(every)}


def _memory(looks: Sequence[Sample]) -> dict[str, Any]:
    memory = [mib for _, mib in looks]
    slope = statistics.linear_regression([at for at, _ in looks], memory).slope
    return {"memory_mib": statistics.median(memory), "growth_mib": round(600 * slope, 1), "looks": list(looks[::EVERY])}
