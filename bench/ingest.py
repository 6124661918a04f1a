"""`ioc bench ingest`: a full stream read to its end, by the aggregator, by two of them, and by its baselines."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from statistics import median
from typing import Any

import psycopg
from nats.js import JetStreamContext

from bench import compiled, load_data, naive, pipe
from bench.centre import Say, empty_tables
from bench.consumer_run import ConsumerRun, Program, measure_run, renew_consumer
from bench.options import Options
from bench.result import Row
from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import bus

ONE = Program.of("services.aggregator")
READERS: dict[str, tuple[Program, ...]] = {
    "pipe": (Program.of("bench.pipe"),),
    "rate": (ONE,),
    "two": (ONE, ONE),
    "naive": (Program.of("bench.naive"),),
}
"""Who reads, in the order of each round; a small program in Go as well, where it can be built."""
ROWS = (
    Row("rate", "one aggregator", "events/s", at_least=11_000),
    Row("naive_rate", "baseline: a handler per message, an insert each", "events/s"),
    Row("pipe_rate", "baseline: the bare pipe, fetch and COPY", "events/s"),
    Row("two_rate", "two aggregators at once", "events/s"),
    Row("reader_ms", "one aggregator, of a core for 1,000 events: the service", "ms"),
    Row("database_ms", "the database meanwhile", "ms"),
    Row("broker_ms", "the broker meanwhile", "ms"),
    Row("versus_naive", "one aggregator to the handler per message", "×", at_least=10),
    Row("versus_pipe", "one aggregator to the bare pipe", "×", at_least=0.6),
    Row("versus_one", "two aggregators to one", "×", at_least=1),
    Row("go_rate", "baseline: a small program in Go", "events/s"),
    Row("cpu_us_per_event", "processor time an event: service, database and broker", "µs", at_most=100),
    Row("go_us_per_event", "the same for the program in Go", "µs"),
    Row("versus_go", "one aggregator to the program in Go, by processor time", "×", at_most=3.2),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """The figures: messages per second of each reader, the median of its rounds, and their ratios."""
    return asyncio.run(_run(instance, options, say))


async def _run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    count = options.count(60_000, 12_000)
    say(f"publishing {count:,} events")
    sent = load_data.messages(count)
    async with bus.connected(settings_of(instance, "cli"), "bench") as client:
        stored = await load_data.publish(client.jetstream(), sent)
    runs: dict[str, list[ConsumerRun]] = defaultdict(list)
    go = compiled.program(instance, say)
    readers = READERS | ({"go": (go,)} if go else {})
    async with bus.connected(settings_of(instance, "admin"), "bench") as client:
        for round_ in range(options.rounds(3)):
            for name, programs in readers.items():
                runs[name].append(await _timed(client.jetstream(), instance, name, programs, stored))
                say(f"round {round_ + 1}, {name}: {runs[name][-1].rate():,.0f} events/s")
    return _figures(stored, runs)


async def _timed(
    js: JetStreamContext, instance: Instance, name: str, programs: tuple[Program, ...], stored: int
) -> ConsumerRun:
    """One reader, from an empty database to the end of the stream (the slow one to a part of it)."""
    goal = min(stored, max(stored // 6, 1000)) if name == "naive" else stored
    _make_tables(instance)
    empty_tables(instance)
    # The handler per message is pushed its messages, as FastStream does by default, so it makes its own consumer.
    await renew_consumer(js, make=name != "naive")
    course = await measure_run(js, instance, programs, goal)
    _check(instance, name, goal)
    return course


def _make_tables(instance: Instance) -> None:
    with psycopg.connect(settings_of(instance, "cli").database("owner")) as conn:
        conn.execute("DROP TABLE IF EXISTS bench_pipe, bench_naive, bench_go, bench_go_hour")
        for baseline in (pipe, naive, compiled):
            conn.execute(baseline.TABLE)


_STORED = {
    "pipe": "SELECT count(*) FROM bench_pipe",
    "naive": "SELECT count(*) FROM bench_naive",
    "rate": "SELECT count(*) FROM event",
    "two": "SELECT count(*) FROM event",
    "go": "SELECT sum(count) FROM bench_go_hour",
}


def _check(instance: Instance, name: str, goal: int) -> None:
    """A rate counts only if all that was acknowledged is stored."""
    with psycopg.connect(settings_of(instance, "cli").database("owner")) as conn:
        row = conn.execute(_STORED[name]).fetchone()
    if row is None or row[0] < goal:
        raise RuntimeError(f"{name}: {goal:,} events acknowledged, {row[0] if row else 0:,} stored")


def _figures(stored: int, runs: dict[str, list[ConsumerRun]]) -> dict[str, Any]:
    rates = {name: [course.rate() for course in of] for name, of in runs.items()}
    rate, naive_rate, pipe_rate, two = (median(rates[name]) for name in ("rate", "naive", "pipe", "two"))
    cpu = {name: _middle([course.cpu_per_thousand() for course in of]) for name, of in runs.items()}
    whole = {name: round(sum(of.values()), 1) for name, of in cpu.items()}
    return {
        "events": stored,
        "rounds": len(rates["rate"]),
        "rate": round(rate),
        "naive_rate": round(naive_rate),
        "pipe_rate": round(pipe_rate),
        "two_rate": round(two),
        "versus_naive": round(rate / naive_rate, 2),
        "versus_pipe": round(rate / pipe_rate, 3),
        "versus_one": round(two / rate, 3),
        **{f"{who}_ms": took for who, took in cpu["rate"].items()},
        "cpu_us_per_event": whole["rate"],
        "go_rate": round(median(rates["go"])) if "go" in rates else None,
        "go_us_per_event": whole.get("go"),
        "versus_go": round(whole["rate"] / whole["go"], 2) if whole.get("go") else None,
        "cpu_ms_per_1000": cpu,
        "rounds_of": {name: [round(r) for r in of] for name, of in rates.items()},
    }


def _middle(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {who: median(one[who] for one in rounds) for who in rounds[0]}
