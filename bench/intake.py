"""`ioc bench intake`: what the doors take from those who have a key, in batches and one by one; a large workbook."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Iterator
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from psycopg import AsyncConnection

from bench import senders, workbooks
from bench.centre import Say
from bench.machine import cpu_seconds
from bench.options import Options
from bench.result import Row
from infra.local.servers import Instance
from schemas.keys import Bounds
from services.board.access import Account
from services.board.auth import keys
from services.centre.prepare import settings_of
from services.ingest.cloudevents import BATCH, ONE
from services.kit import bus

HOLDERS = ("mot-key", "hai-key", "ba-key", "bon-key")
"""One key may send 5,000 events a second; four of them do not meet that bound."""
SIZE, ABREAST = 500, 16
EVEN_SECONDS, QUICK_SECONDS = 15, 3
BESIDE_RATE = 50
UNIT, FACILITIES = "phuong_chon_thanh", 1000
ROWS = (
    Row("batch_rate", f"in batches of {SIZE}, each event acknowledged on disk", "events/s", at_least=5000),
    Row("batch_door_ms", "of a core for 1,000 events in batches: the doors", "ms"),
    Row("batch_broker_ms", "the broker meanwhile", "ms"),
    Row("batch_again", "batches sent again, as the broker did not answer in time", "batches", at_most=0),
    Row("one_rate", f"one by one, {ABREAST} senders", "events/s", at_least=1500),
    Row("one_door_ms", "of a core for 1,000 events one by one: the doors", "ms"),
    Row("one_broker_ms", "the broker meanwhile", "ms"),
    Row("half_p50_ms", "from due to answered at half of that rate, median", "ms"),
    Row("half_p99_ms", "99 of 100 at half of that rate", "ms", at_most=50),
    Row("flood_rate", "asked for at once by one key, in batches: as much as it gets answered", "events/s"),
    Row("beside_p99_ms", f"99 of 100 of another key's {BESIDE_RATE} events a second meanwhile", "ms", at_most=1000),
    Row("broker_rate", "baseline: the same events straight to the broker, by a program of the centre", "events/s"),
    Row("versus_broker", "in batches to the baseline", "×"),
    Row("workbook_rows", "a workbook to read", "rows"),
    Row("workbook_s", "its dry run", "s", at_most=10),
    Row("workbook_cpu_s", "of a core for it", "s"),
    Row("workbook_mib", "memory for it, highest", "MiB", at_most=300),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Events per second and what they take of a core, delays at half of that load, and the dry run."""
    instance.start_services(["emitters"])
    figures = asyncio.run(_run(instance, options, say))
    rows = 2_000 if options.quick else 50_000
    say(f"reading a workbook of {rows:,} rows")
    return figures | _workbook(instance.data.parent, rows)


async def _run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    amount = options.count(20_000, 2000)
    load = _Load(instance.ports["emitters"], await _made(instance))
    await load.opened()
    found: dict[str, list[float]] = defaultdict(list)
    for round_ in range(options.rounds(3)):
        for name, figures in (
            ("batch", await _timed(instance, load.batches(amount), amount)),
            ("one", await _timed(instance, load.ones(amount // 4), amount // 4)),
        ):
            for key, value in figures.items():
                found[f"{name}_{key}"].append(value)
        found["broker_rate"].append(amount / await _straight(instance, load, amount))
        say(f"round {round_ + 1}: " + ", ".join(f"{key} {values[-1]:,.0f}" for key, values in found.items()))
    middle = {key: median(values) for key, values in found.items()}
    rate, seconds = middle["one_rate"] / 2, QUICK_SECONDS if options.quick else EVEN_SECONDS
    delays = await load.evenly(rate, seconds)
    say("one key floods the door")
    flooded, beside = await load.beside_a_flood(seconds)
    return {
        "events": amount,
        **{key: round(value, 1) for key, value in middle.items()},
        "half_p50_ms": round(1000 * median(delays), 2),
        "half_p99_ms": round(1000 * quantiles(delays, n=100)[98], 2),
        "flood_rate": round(flooded),
        "beside_p99_ms": round(1000 * quantiles(beside, n=100)[98], 2),
        "versus_broker": round(middle["batch_rate"] / middle["broker_rate"], 3),
        "rounds_of": {key: [round(value, 1) for value in values] for key, values in found.items()},
    }


async def _made(instance: Instance) -> dict[str, str]:
    """The keys and their secrets."""
    address = settings_of(instance, "cli").database("board")
    async with await AsyncConnection.connect(address, autocommit=True) as conn:
        by = Account("cli:bench", "", "admin")
        return {
            name: await keys.create(conn, by, Bounds(name, f"/{name}", ("health",)), keys.HIGHEST_RATE, 1)
            for name in HOLDERS
        }


class _Load:
    """Visits of clinics, each another event, told by the keys in turn."""

    def __init__(self, port: int, secrets: dict[str, str]) -> None:
        self._port, self._secrets, self._numbers = port, secrets, count()

    def events(self, source: str, amount: int) -> Iterator[bytes]:
        """So many events that were never told before."""
        for number in islice(self._numbers, amount):
            day = date(2025, 8, 1) + timedelta(days=number // FACILITIES)
            data = {"facility": f"tram_{number % FACILITIES}", "day": str(day), "visits": 41, "insured": 38}
            event = {"specversion": "1.0", "id": f"v-{number}", "source": source, "type": "vn.ioc.visits.reported.v1"}
            yield json.dumps(event | {"time": f"{day}T17:00:00+07:00", "unit": UNIT, "data": data}).encode()

    def batches(self, amount: int) -> Awaitable[tuple[float, int]]:
        """Post so many in batches; the seconds it takes, and how many requests were sent again."""
        size = min(SIZE, amount // len(self._secrets))
        requests = [
            senders.request(secret, BATCH, b"[" + b",".join(self.events(f"/{name}", size)) + b"]")
            for _ in range(amount // size // len(self._secrets))
            for name, secret in self._secrets.items()
        ]
        return senders.post_all(self._port, requests, len(self._secrets))

    def ones(self, amount: int) -> Awaitable[tuple[float, int]]:
        """Post so many one by one; likewise."""
        return senders.post_all(self._port, self._requests(amount), ABREAST)

    def evenly(self, rate: float, seconds: float) -> Awaitable[list[float]]:
        """Post at an even rate; the delay of each in seconds."""
        return senders.post_evenly(self._port, self._requests(int(rate * seconds)), rate, 4 * ABREAST)

    async def beside_a_flood(self, seconds: float) -> tuple[float, list[float]]:
        """What one key asks for in a second, as much as is answered with anything, and meanwhile the delays of another
        that keeps within its rate."""
        (flooding, secret), (name, other), *_ = self._secrets.items()
        body = b"[" + b",".join(self.events(f"/{flooding}", SIZE)) + b"]"
        batch = senders.request(secret, BATCH, body)
        ones = [senders.request(other, ONE, one) for one in self.events(f"/{name}", int(BESIDE_RATE * seconds))]
        flood = asyncio.create_task(senders.flood(self._port, batch, ABREAST, seconds))
        delays = await senders.post_evenly(self._port, ones, BESIDE_RATE, ABREAST)
        return await flood * SIZE / seconds, delays

    async def opened(self) -> None:
        """The doors look for keys every two seconds."""
        end = time.monotonic() + 30
        for one in self._requests(len(self._secrets)):
            while await senders.status(self._port, one) == 401:
                if time.monotonic() > end:
                    raise RuntimeError("the keys open nothing")
                await asyncio.sleep(0.2)

    def _requests(self, amount: int) -> list[bytes]:
        shares = [
            [senders.request(secret, ONE, event) for event in self.events(f"/{name}", amount // len(self._secrets))]
            for name, secret in self._secrets.items()
        ]
        return [one for turn in zip(*shares, strict=True) for one in turn]


async def _timed(instance: Instance, posting: Awaitable[tuple[float, int]], amount: int) -> dict[str, float]:
    """The rate, milliseconds of a core for a thousand events, and how many requests were sent again."""
    pids = {"door": instance.pid("emitters") or 0, "broker": instance.pid("nats") or 0}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    seconds, again = await posting
    used = {f"{name}_ms": 1e6 * (cpu_seconds(pid) - before[name]) / amount for name, pid in pids.items()}
    return {"rate": amount / seconds, "again": again} | used


async def _straight(instance: Instance, load: _Load, amount: int) -> float:
    """Seconds that a program of the centre takes to publish as many."""
    subject = f"ioc.events.{UNIT}.health.visits.reported"
    messages = [bus.Outgoing(subject, event) for event in load.events("/bench", amount)]
    async with bus.connected(settings_of(instance, "cli"), "bench") as client:
        begin = time.monotonic()
        await bus.publish_raw(client.jetstream(), messages)
        return time.monotonic() - begin


def _workbook(folder: Path, rows: int) -> dict[str, float]:
    file = folder / "visits.xlsx"
    workbooks.write(file, rows)
    took = workbooks.dry_run(file, folder)
    if f"{rows:,} rows" not in took.said:
        raise RuntimeError(f"the workbook was not read: {took.said}")
    return {
        "workbook_rows": rows,
        "workbook_s": round(took.seconds, 2),
        "workbook_cpu_s": round(took.cpu, 2),
        "workbook_mib": round(took.mib, 1),
    }
