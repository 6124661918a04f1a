"""`ioc bench memory`: what the aggregator holds in memory while a million events wait, and whether it grows."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from nats.js import JetStreamContext

from bench import load_data
from bench.centre import Say, relaxed_broker
from bench.consumer_run import acknowledged, process
from bench.machine import resident_mib
from bench.options import Options
from bench.result import Row
from infra.local.servers import Instance
from schemas.streams import AGGREGATOR
from services.centre.prepare import settings_of
from services.kit import bus

LOOK_EVERY = 0.5
WATCHED_SECONDS = 150
WARM = 0.2
"""The share of the looks that is left out of the trend: modules load, caches of series fill."""

ROWS = (
    Row("events", "events waiting at the start", "events"),
    Row("handled", "of them handled while it was watched", "events"),
    Row("peak_mib", "memory of the aggregator, highest", "MiB", at_most=220),
    Row("median_mib", "memory of the aggregator, median", "MiB"),
    Row("growth_mib", "growth for every 100,000 events, once warm", "MiB", at_most=2),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Fill the stream, start the aggregator, look at its memory until all is handled or the time is over."""
    return asyncio.run(_run(instance, options, say))


async def _run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    count = options.count(1_000_000, 20_000)
    say(f"publishing {count:,} events, with a broker that need not flush each")
    with relaxed_broker(instance):
        async with bus.connected(settings_of(instance, "cli"), "bench") as client:
            waiting = await load_data.publish(client.jetstream(), load_data.stream(count))
    say(f"the aggregator starts before {waiting:,} events")
    async with bus.connected(settings_of(instance, "admin"), "bench") as client:
        with process(instance, "services.aggregator") as aggregator:
            samples = await _sample(client.jetstream(), aggregator.pid, 20 if options.quick else WATCHED_SECONDS)
    return _figures(waiting, samples)


Sample = tuple[float, int, float]
"""(seconds, events handled, MiB)."""


async def _sample(js: JetStreamContext, pid: int, seconds: float) -> list[Sample]:
    total = (await js.stream_info(AGGREGATOR.stream)).state.messages
    begin, samples, done = time.monotonic(), list[Sample](), 0
    while done < total and (passed := time.monotonic() - begin) < seconds:
        await asyncio.sleep(LOOK_EVERY)
        done = await acknowledged(js, total)
        samples.append((round(passed, 1), done, round(resident_mib(pid), 1)))
    return samples


def _figures(waiting: int, samples: list[Sample]) -> dict[str, Any]:
    warm = samples[int(WARM * len(samples)) :]
    handled, memory = [sample[1] for sample in warm], [sample[2] for sample in warm]
    slope = statistics.linear_regression(handled, memory).slope
    return {
        "events": waiting,
        "handled": samples[-1][1],
        "peak_mib": max(sample[2] for sample in samples),
        "median_mib": statistics.median(memory),
        "growth_mib": round(slope * 100_000, 2),
        "looks": samples[:: max(len(samples) // 150, 1)],
    }
