"""`ioc bench growth`: the processor time of an event, as ever more events are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from statistics import median
from typing import Any

from bench import load_data, query, scale_data
from bench.centre import Say
from bench.consumer_run import Program, measure_run
from bench.options import Options
from bench.result import Row
from infra.local.servers import Instance
from schemas.streams import EVENTS
from services.centre.prepare import settings_of
from services.kit import bus

SIZES = (10, 100, 400)
"""Times what is folded one by one."""
FRESH = 30_000
"""So many new events come in at each size, in each of its rounds."""
ROWS = (
    Row("events", "events stored, the largest size", "events"),
    Row("small_us", "processor time an event at a fortieth of it: service, database, broker", "µs"),
    Row("middle_us", "at a quarter of it", "µs"),
    Row("large_us", "at the largest size", "µs"),
    Row("growth", "large to small", "×", at_most=1.15),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Microseconds at each size."""
    base = options.count(20_000_000, 400_000) // SIZES[-1]
    say(f"folding {base:,} events")
    asyncio.run(query.fold(instance, query.mixed(base)))
    series, steps, stored = count(1), list[dict[str, Any]](), 1
    for size in SIZES:
        say(f"storing {size * base:,} events")
        with scale_data.hurried(instance) as conn:
            if stored == 1:
                scale_data.keep_base(conn)
            scale_data.scale(conn, [query.copy_of(number) for number in range(stored, size)])
            stored = size
            ((events,),) = conn.execute("SELECT count(*) FROM event").fetchall()
        took = asyncio.run(_came_in(instance, series, options))
        steps.append({"events": events, "us": median(sum(of.values()) for of in took), "rounds": took})
        say(f"{events:,} events: {steps[-1]['us']:.0f} µs")
    small, middle, large = (step["us"] for step in steps)
    named = {"small_us": small, "middle_us": middle, "large_us": large, "growth": round(large / small, 3)}
    return {"events": steps[-1]["events"], **named, "steps": steps}


async def _came_in(instance: Instance, series: Iterator[int], options: Options) -> list[dict[str, float]]:
    """Who -> µs of a core for each event that comes in, round by round; after one that warms up."""
    rounds, amount = list[dict[str, float]](), 3000 if options.quick else FRESH
    for _ in range(options.rounds(3) + 1):
        async with bus.connected(settings_of(instance, "cli"), "bench") as client:
            sent = await load_data.publish(client.jetstream(), load_data.messages(amount, next(series)))
        async with bus.connected(settings_of(instance, "admin"), "bench") as client:
            js = client.jetstream()
            before = (await js.stream_info(EVENTS.name)).state.messages - sent
            run = await measure_run(js, instance, [Program.of("services.aggregator")], sent, before)
        rounds.append(run.cpu_per_thousand())
    return rounds[1:]
