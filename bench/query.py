"""`ioc bench query`: figures over a year, as they are asked for, against the number of stored events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import psycopg

from bench import load_data, scale_data
from bench.centre import Say, empty_tables
from bench.consumer_run import Program, measure_run, renew_consumer
from bench.options import Options
from bench.result import Row
from bench.scale_data import Copy
from infra.local.servers import Instance
from schemas import units
from schemas.calendar import VN
from schemas.indicators import CATALOGUE, find
from schemas.registry import SYSTEMS
from services.centre.prepare import settings_of
from services.kit import bus, store
from services.readings import Period, read, sheet

SHARE = 0.01
"""A hundredth of all events is folded one by one, the rest are its copies."""
YEAR = Period(date(2025, 7, 1), date(2026, 6, 30), datetime(2026, 6, 30, 15, tzinfo=VN))
"""To an hour of the last day, as it is asked for in life: whole days come from rollups, the last hours from points."""
UNITS = [unit.code for unit in (*units.at(date(2024, 11, 1)), *units.at(date(2025, 7, 1)))]
PATIENCE_SECONDS, LEAST_ROUNDS = 10.0, 5
HEADLINES = ("dossiers_received", "overdue_share", "payments_amount")
ROWS = (
    Row("events", "events stored, the large size", "events"),
    Row("small_p95", "headline figures over a year, a tenth of it, p95", "ms"),
    Row("p50", "headline figures over a year, p50", "ms"),
    Row("p95", "headline figures over a year, p95", "ms", at_most=50),
    Row("growth", "large to small", "×", at_most=1.5),
    Row("system_ms", "all figures of a system at once, the slowest system", "ms", at_most=120),
    Row("bytes_per_event", "disk for each event, all tables and indexes", "bytes"),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Times in ms at each size, and what the tables take."""
    largest = options.count(5_000_000, 20_000)
    base = max(int(SHARE * largest), 2000)
    say(f"folding {base:,} events")
    asyncio.run(fold(instance, mixed(base)))
    steps = [_step(instance, size, base, options, say) for size in (1, 10, 100)]
    say("all figures of each system")
    with store.connect(settings_of(instance, "cli"), "reader") as conn:
        systems = {system: _system(conn, system, options.rounds(5)) for system in SYSTEMS}
    return _figures(steps, systems)


def mixed(count: int) -> list[load_data.Message]:
    """Half of it a simulated district, half the published month of a province, moved to the same weeks."""
    half = count // 2
    month = load_data.published(36, share=half / load_data.SCENARIO.count_estimate())
    return load_data.messages(count - half) + month


async def fold(instance: Instance, messages: Sequence[load_data.Message]) -> None:
    """Send the messages and wait until the aggregator has stored them."""
    async with bus.connected(settings_of(instance, "cli"), "bench") as client:
        await load_data.publish(client.jetstream(), messages)
    async with bus.connected(settings_of(instance, "admin"), "bench") as client:
        js = client.jetstream()
        empty_tables(instance)
        await renew_consumer(js)
        count = (await js.stream_info("EVENTS")).state.messages
        await measure_run(js, instance, [Program.of("services.aggregator")], count)


def _step(instance: Instance, size: int, base: int, options: Options, say: Say) -> dict[str, Any]:
    """Grow what is stored to `size` times the base and ask."""
    say(f"storing {size * base:,} events")
    with scale_data.hurried(instance) as conn:
        if size == 1:
            scale_data.keep_base(conn)
        else:
            scale_data.scale(conn, [copy_of(number) for number in range(size // 10, size)])
        row = conn.execute("SELECT count(*) FROM event").fetchone()
    with store.connect(settings_of(instance, "cli"), "reader") as conn:
        timed = headlines(conn, (None, "unit"), options.rounds(40))
        taken = scale_data.sizes(conn)
    p50, p95 = worst(timed, "p50"), worst(timed, "p95")
    say(f"{row[0] if row else 0:,} events: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    return {"events": row[0] if row else 0, "p50": p50, "p95": p95, "figures": timed, "bytes": taken}


def copy_of(number: int) -> Copy:
    """A copy some weeks later, its units the same: five and 52 have no common divisor, so all weeks fill evenly."""
    return Copy(number, 7 * (5 * number % 52), {unit: unit for unit in UNITS})


def headlines(conn: psycopg.Connection, bys: Sequence[str | None], rounds: int) -> dict[str, dict[str, float]]:
    """figure -> how long it takes, for each headline figure, whole or by unit."""
    questions = {f"{code} by {by}" if by else code: _question(conn, code, by) for by in bys for code in HEADLINES}
    return {name: timing(question, rounds) for name, question in questions.items()}


def worst(timed: Mapping[str, Mapping[str, float]], quantile: str) -> float:
    """The slowest figure's quantile."""
    return max(one[quantile] for one in timed.values())


def _question(conn: psycopg.Connection, code: str, by: str | None) -> Callable[[], object]:
    return lambda: [read(conn, one, None, YEAR, by) for one in find(code)]


def timing(question: Callable[[], object], rounds: int) -> dict[str, float]:
    """p50, p95 and the slowest of many answers in ms, after two that warm up; fewer where they take long."""
    until = time.monotonic() + PATIENCE_SECONDS
    _ms(question), _ms(question)
    took = sorted(_ms(question) for n in range(rounds) if n < LEAST_ROUNDS or time.monotonic() < until)
    return {"p50": took[len(took) // 2], "p95": took[int(0.95 * (len(took) - 1))], "max": took[-1]}


def _ms(question: Callable[[], object]) -> float:
    begin = time.perf_counter()
    question()
    return round(1000 * (time.perf_counter() - begin), 2)


def _system(conn: psycopg.Connection, system: str, rounds: int) -> float:
    """All figures of a system over the year, whole, as a board asks for them: median in ms."""
    questions = [indicator for indicator in CATALOGUE.values() if indicator.system == system]
    return timing(lambda: sheet(conn, questions, None, YEAR), rounds)["p50"]


def _figures(steps: Sequence[dict[str, Any]], systems: dict[str, float]) -> dict[str, Any]:
    small, large = steps[-2:]
    return {
        "events": large["events"],
        "small_p95": small["p95"],
        "p50": large["p50"],
        "p95": large["p95"],
        "growth": round(large["p95"] / small["p95"], 2),
        "system_ms": max(systems.values()),
        "bytes_per_event": round(sum(large["bytes"].values()) / large["events"]),
        "systems": systems,
        "steps": steps,
    }
