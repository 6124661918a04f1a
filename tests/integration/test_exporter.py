"""The exporter as a service on real servers: its figures are the readings', what is missing has no sample, outages make
figures vanish, and no restart resets a counter."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import httpx
import psycopg
import pytest
from chaos.disk import small_disk
from click.testing import CliRunner, Result
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from support import home_in, wait_until_idle
from today import of_today

from infra.local import configure
from infra.local.servers import Instance
from schemas import education, field, gis, health, types, units
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.metric import ALL, WINDOWS, class_metric, metric, periods, scale
from schemas.registry import SYSTEMS
from schemas.streams import EVENTS, STREAMS
from services.centre.prepare import broker_settings, settings_of
from services.cli.app import main
from services.exporter import broker
from services.exporter.catalogue import metrics
from services.exporter.collector import LAST_SUCCESS, Rounds
from services.exporter.database import Database
from services.kit import bus, clock, store, streams
from services.kit.errors import Unavailable
from services.kit.health import Health
from services.readings import read
from services.readings.period import window
from services.simulator.district import Plan

EVERY = 0.5
Key = tuple[str, frozenset[tuple[str, str]]]
Scraped = dict[Key, float]


@pytest.fixture(scope="module")
def exported(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    """An empty centre whose exporter looks twice a second."""
    folder = home_in(open_folder, "exporter")
    running = new_centre(folder / "main")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IOC_EXPORTER_SECONDS", str(EVERY))
        try:
            running.start(["nats", "timescaledb"])
            running.start_services(["aggregator", "exporter"])
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="module")
def empty(exported: Instance) -> Scraped:
    """What is given out before the first event."""
    return scrape(exported)


@pytest.fixture(scope="module")
def district(exported: Instance, empty: Scraped) -> Instance:
    """The same centre after two days of a district's life."""
    now = clock.now()
    publish(exported, Plan(5, now - timedelta(days=2), 0.1), now)
    send(exported, map(bus.outgoing, of_today(now)))
    return exported


def publish(centre: Instance, plan: Plan, until: datetime, since: datetime | None = None) -> None:
    """Send what a district sends, and wait until it is stored."""
    send(centre, (bus.Outgoing(s.subject, s.raw) for s in plan.sendings(until, since)))


def send(centre: Instance, messages: Iterable[bus.Outgoing]) -> None:
    """Send messages as the simulator, and wait until they are stored."""

    async def publish() -> None:
        async with bus.connected(settings_of(centre, "simulator"), "test") as client:
            await bus.publish_raw(client.jetstream(), messages)

    asyncio.run(publish())
    wait_until_idle(centre)


def page(centre: Instance) -> str:
    answer = httpx.get(f"http://127.0.0.1:{centre.ports['health_exporter']}/metrics", timeout=5)
    assert answer.status_code == 200
    return answer.text


def parsed(text: str) -> Scraped:
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    found = {(s.name, frozenset(s.labels.items())): s.value for s in samples if s.name in NAMES}
    assert len(found) == len([s for s in samples if s.name in NAMES]), "a sample is given out twice"
    return found


def scrape(centre: Instance) -> Scraped:
    return parsed(page(centre))


NAMES = {m.name for m in metrics()}
FIGURES = {metric(i) for i in CATALOGUE.values()} | {class_metric(i) for i in CATALOGUE.values() if i.classes}


def wait_for(holds: Callable[[], Any], seconds: float = 40) -> Any:
    """Until `holds` gives something true, which is returned."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it has not come to that"
        time.sleep(0.1)
    return found


def when(centre: Instance, holds: Callable[[Scraped], object]) -> Scraped:
    """What is given out as soon as that `holds`."""

    def look() -> Scraped | None:
        found = scrape(centre)
        return found if holds(found) else None

    found: Scraped = wait_for(look)
    return found


def names(found: Scraped) -> set[str]:
    return {name for name, _ in found}


def value(found: Scraped, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def key(name: str, **labels: str) -> Key:
    return name, frozenset(labels.items())


def looked(centre: Instance) -> tuple[datetime, Scraped]:
    """One look of a fresh exporter: the moment as of which it looked, and all that it would give out."""

    async def look() -> Rounds:
        settings = settings_of(centre, "exporter").model_copy(update={"data": centre.data})
        async with bus.attached(settings, "test") as client:
            rounds = Rounds(settings, client, Health("test"))
            await rounds.look_at_database()
            rounds.close()
        return rounds

    rounds = asyncio.run(look())
    registered = CollectorRegistry()
    registered.register(rounds.snapshot)
    found = parsed(generate_latest(registered).decode())
    now = found[key(LAST_SUCCESS)]
    return datetime.fromtimestamp(now, tz=clock.now().tzinfo), found


# --- figures ---


def test_without_an_event_no_figure_is_given_out(empty: Scraped) -> None:
    assert names(empty) & FIGURES == set(), "nothing is known, so nothing is 0"
    assert value(empty, "ioc_database_up") == 1
    assert {dict(labels)["unit"] for name, labels in empty if name == "ioc_unit_info"} == {
        u.code for u in units.every()
    }


def test_all_samples_are_the_readings_and_a_missing_value_has_none(district: Instance) -> None:
    now, found = looked(district)
    expected: Scraped = {}
    with store.connect(settings_of(district, "cli"), "reader") as conn:
        for i in CATALOGUE.values():
            for name in periods(i):
                asked = window(name, now)
                for r in [*read(conn, i, None, asked), *read(conn, i, None, asked, "unit")]:
                    if r.value is not None:
                        expected[key(metric(i), unit=r.group or ALL, period=name)] = float(r.value * scale(i))
                for r in read(conn, i, None, asked, i.classes) if i.classes else []:
                    if r.value is not None:
                        expected[key(class_metric(i), **{i.classes: r.group, "period": name})] = float(r.value)
    figures = {k: v for k, v in found.items() if k[0] in FIGURES}
    assert figures == expected
    assert len(names(figures)) > 60 and len(figures) > 500
    missing = {metric(i) for i in CATALOGUE.values()} - names(figures)
    assert metric(CATALOGUE["project_06_tasks_done"]) in missing


@pytest.mark.parametrize("by", [None, "unit"])
def test_ioc_query_says_the_same(district: Instance, by: str | None) -> None:
    now, found = looked(district)
    environment = {"IOC_HOME": str(district.data.parent), "IOC_INSTANCE": "main"}
    compared = 0
    for system in SYSTEMS:
        arguments = ["query", system, "--format", "json", "--as-of", now.isoformat(), *(("--by", by) if by else ())]
        done = CliRunner().invoke(main, arguments, env=environment)
        assert done.exit_code == 0, done.output
        for row in json.loads(done.stdout)["readings"]:
            i = CATALOGUE[row["indicator"]]
            sample = value(found, metric(i), unit=row["unit"] if by else ALL, period=periods(i)[0])
            assert sample == (None if row["exact"] is None else in_base_units(i, row["exact"])), (row, sample)
            compared += sample is not None
    assert compared > 60


def in_base_units(indicator: Indicator, exact: str) -> Any:
    return pytest.approx(float(Decimal(exact) * scale(indicator)), rel=1e-12)


CLASSES: dict[str, Any] = {
    "channel": types.Channel, "level": education.Level, "disease": health.Disease, "layer": gis.Layer,
    "severity": types.Severity, "category": field.Category,
}  # fmt: skip
"""Labels that are closed by their type; payments' kinds and mentions' tones are told from their events below."""


def test_labels_are_closed_and_hold_no_ids(district: Instance) -> None:
    found = scrape(district)
    labels_of = {m.name: set(m.labels) for m in metrics()}
    allowed = {name: set(get_args(kind)) for name, kind in CLASSES.items()} | {
        "kind": {"tax", "fee"},
        "tone": {"positive", "neutral", "negative"},
        "period": set(WINDOWS),
        "unit": {u.code for u in units.every()} | {ALL},
        "system": set(SYSTEMS),
        "origin": {"real", "simulated", "shifted"},
        "stream": {s.name for s in STREAMS},
    }
    for name, labels in found:
        assert {label for label, _ in labels} == labels_of[name], name
        if name != "ioc_unit_info":
            assert {(k, v) for k, v in labels if k in allowed and v not in allowed[k]} == set(), name
    # As many sources as the database knows, whose paths name doors and units, never a case.
    with store.connect(settings_of(district, "cli"), "reader") as conn:
        stored = conn.execute("SELECT system, source, events FROM source").fetchall()
    assert {(s, x): float(n) for s, x, n in stored} == {
        (dict(labels)["system"], dict(labels)["source"]): v
        for (name, labels), v in found.items()
        if name == "ioc_events_total"
    }


def test_freshness_is_told_of_every_source_and_a_silent_one_is_stale(district: Instance) -> None:
    source = {"system": "procedures", "source": "/simulator/procedures/one_stop", "origin": "simulated"}
    when(district, lambda s: value(s, "ioc_source_stale", **source) == 0)
    owner = settings_of(district, "cli").database("owner")
    with psycopg.connect(owner) as conn:
        before = conn.execute(_SILENCE, (source["source"],)).fetchone()
    assert before
    try:
        found = when(district, lambda s: value(s, "ioc_source_stale", **source))
        recorded = value(found, "ioc_source_last_recorded_timestamp_seconds", **source)
        assert recorded == pytest.approx(before[0].timestamp() - 30 * 86_400, abs=1)
        environment = {"IOC_HOME": str(district.data.parent), "IOC_INSTANCE": "main"}
        status = CliRunner().invoke(main, ["status"], env=environment).stdout
        assert [line for line in status.splitlines() if "STALE" in line and "one_stop" in line]
    finally:
        with psycopg.connect(owner) as conn:
            conn.execute("UPDATE source SET last_recorded = %s WHERE source = %s", (before[0], source["source"]))


def test_a_source_that_has_ended_is_not_waited_for_until_it_speaks_again(district: Instance) -> None:
    name = "/simulator/procedures/one_stop"
    source = {"system": "procedures", "source": name, "origin": "simulated"}
    environment = {"IOC_HOME": str(district.data.parent), "IOC_INSTANCE": "main"}

    def sources(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["sources", *arguments], env=environment)

    def freshness(found: Scraped) -> tuple[float | None, float | None]:
        return value(found, "ioc_source_stale", **source), value(found, "ioc_source_awaited", **source)

    owner = settings_of(district, "cli").database("owner")
    with psycopg.connect(owner) as conn:
        before = conn.execute(_SILENCE, (name,)).fetchone()
    assert before
    try:
        when(district, lambda s: freshness(s) == (1, 1))
        assert sources("end", "/nobody", "--why", "x").exit_code == 1
        assert sources("end", name, "--why", "đã thay phần mềm", "--user", "lan").exit_code == 0
        when(district, lambda s: freshness(s) == (0, 0))
        (told,) = (line for line in sources("list").stdout.splitlines() if name in line)
        assert "ended, says lan on" in told and "đã thay phần mềm" in told and "STALE" not in told
        (listed,) = (s for s in json.loads(sources("list", "--format", "json").stdout) if s["source"] == name)
        assert listed["ended"]["by"] == "lan" and listed["stale"] is False and listed["allowed"] is None
        # Taken back by hand; and, said again, by an event that is recorded later.
        assert [sources("resume", name).exit_code for _ in range(2)] == [0, 1]
        when(district, lambda s: freshness(s) == (1, 1))
        assert sources("end", name, "--why", "x").exit_code == 0
        with psycopg.connect(owner) as conn:
            conn.execute("UPDATE source SET last_recorded = now() WHERE source = %s", [name])
        when(district, lambda s: freshness(s) == (0, 1))
    finally:
        with psycopg.connect(owner) as conn:
            conn.execute("UPDATE source SET last_recorded = %s WHERE source = %s", (before[0], name))
            conn.execute("DELETE FROM source_end")


_SILENCE = """
UPDATE source SET last_recorded = last_recorded - interval '30 days' WHERE source = %s
RETURNING last_recorded + interval '30 days'
"""


def test_a_rebuild_check_is_recorded_and_given_out(district: Instance) -> None:
    assert value(scrape(district), "ioc_rebuild_check_differences") is None, "never checked is not 0 differences"
    environment = {"IOC_HOME": str(district.data.parent), "IOC_INSTANCE": "main"}
    began = time.time()
    assert CliRunner().invoke(main, ["rebuild", "--check"], env=environment).exit_code == 0
    found = when(district, lambda s: value(s, "ioc_rebuild_check_timestamp_seconds"))
    assert value(found, "ioc_rebuild_check_differences") == 0
    assert (value(found, "ioc_rebuild_check_timestamp_seconds") or 0) >= began
    with psycopg.connect(settings_of(district, "cli").database("owner")) as conn:
        broken = conn.execute("UPDATE rollup_month SET sum = sum + 1 WHERE ctid = (SELECT min(ctid) FROM rollup_month)")
        assert broken.rowcount == 1
    assert CliRunner().invoke(main, ["rebuild", "--check"], env=environment).exit_code == 1
    when(district, lambda s: value(s, "ioc_rebuild_check_differences") == 2)
    assert CliRunner().invoke(main, ["rebuild"], env=environment).exit_code == 0
    when(district, lambda s: value(s, "ioc_rebuild_check_differences") == 0)


# --- outages ---


def test_a_stopped_database_makes_figures_vanish_while_the_exporter_lives(district: Instance) -> None:
    port = district.ports["health_exporter"]
    before = scrape(district)
    assert names(before) & FIGURES
    district.stop_process("timescaledb")
    try:
        found = when(district, lambda s: not names(s) & FIGURES)
        assert value(found, "ioc_database_up") == 0
        assert value(found, "ioc_nats_up") == 1
        assert value(found, LAST_SUCCESS) >= before[key(LAST_SUCCESS)] > 0  # type: ignore[operator]
        assert not names(found) & {"ioc_events_total", "ioc_source_stale", "ioc_findings"}
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
        ready = httpx.get(f"http://127.0.0.1:{port}/health/ready")
        assert ready.status_code == 503 and ready.json()["problem"].startswith("database: ")
    finally:
        district.start_process("timescaledb")
    found = when(district, lambda s: names(s) & FIGURES)
    assert value(found, "ioc_database_up") == 1


def test_a_database_that_does_not_answer_is_given_up_and_asked_again(district: Instance) -> None:
    async def look() -> list[Any]:
        database = Database(settings_of(district, "exporter"), patience=0.5)
        with pytest.raises(Unavailable, match="not answered within"):
            await database.look_up(lambda conn: conn.execute("SELECT pg_sleep(30)").fetchall())
        found: list[Any] = await database.look_up(lambda conn: conn.execute("SELECT 1").fetchall())
        database.close()
        return found

    began = time.monotonic()
    assert asyncio.run(look()) == [(1,)]
    assert time.monotonic() - began < 5


# --- the broker ---


def test_a_waiting_message_is_told_with_its_age(district: Instance) -> None:
    reader = {"stream": EVENTS.name, "consumer": "aggregator"}
    when(district, lambda s: value(s, "ioc_nats_consumer_behind_seconds", **reader) == 0)
    district.stop_process("aggregator")
    try:
        now = clock.now()
        sent = time.time()
        plan = Plan(6, now - timedelta(days=2), 0.1)

        async def send() -> None:
            async with bus.connected(settings_of(district, "simulator"), "test") as client:
                two = [s.event for s in plan.sendings(now) if s.event][:2]
                for event in two:
                    await bus.publish(client.jetstream(), event)
                    await asyncio.sleep(1)

        asyncio.run(send())
        found = when(district, lambda s: value(s, "ioc_nats_consumer_pending_messages", **reader) == 2)
        behind = value(found, "ioc_nats_consumer_behind_seconds", **reader)
        assert behind is not None and 1 < behind <= time.time() - sent, "the age of the older one"
        stored = value(found, "ioc_nats_stream_stored_total", stream=EVENTS.name)
        assert stored == value(found, "ioc_nats_stream_messages", stream=EVENTS.name)
    finally:
        district.start_process("aggregator")
    when(district, lambda s: value(s, "ioc_nats_consumer_behind_seconds", **reader) == 0)


def test_the_exporter_may_ask_and_nothing_else(district: Instance) -> None:
    async def refused(subject: str) -> bool:
        async with bus.connected(settings_of(district, "exporter"), "test") as client:
            try:
                await client.request(subject, b"{}", timeout=0.5)
            except Exception:
                return True
            return False

    for subject in (
        "ioc.events.x.field.report.received",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$JS.API.STREAM.PURGE.EVENTS",
    ):
        assert asyncio.run(refused(subject)), subject
    assert not asyncio.run(refused("$JS.API.STREAM.INFO.EVENTS"))


def test_a_broker_that_writes_no_more_says_so_until_it_is_started_anew(
    new_instance: Callable[[Path], Instance], open_folder: Path
) -> None:
    """After a full disk: other streams still write and every question is answered, so only the health check tells."""
    centre = new_instance(open_folder / "full")
    monitor = f"http://127.0.0.1:{centre.ports['nats_monitor']}"

    async def ensure() -> None:
        async with bus.connected(settings_of(centre, "admin"), "test") as client:
            await streams.ensure_streams(client.jetstream(), broker_settings(centre))

    async def taken(subject: str, size: int) -> bool:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            try:
                await client.jetstream().publish(subject, b"x" * size, timeout=1)
            except Exception:
                return False
            return True

    centre.start(["nats"])
    centre.stop()
    try:
        with small_disk(centre.data / "nats" / "streams", 24 * 2**20, lambda: centre.pid("nats")) as disk:
            centre.start(["nats"])
            asyncio.run(ensure())
            assert asyncio.run(taken("ioc.events.test", 1000))
            assert broker.writable(monitor) is True
            disk.fill()
            wait_for(lambda: not asyncio.run(taken("ioc.events.test", 100_000)))
            disk.free()
            assert broker.writable(monitor) is False
            assert asyncio.run(taken("ioc.alerts.quarantine.discarded", 10)), "another stream still writes"
            assert not asyncio.run(taken("ioc.events.test", 10)), "room again, and yet nothing is taken"
            assert broker.writable(monitor) is False
            centre.stop_process("nats")
            assert broker.writable(monitor) is None
            centre.start_process("nats")
            centre.wait_ready("nats")
            assert broker.writable(monitor) is True
            assert asyncio.run(taken("ioc.events.test", 10))
            centre.stop()
    finally:
        centre.stop()


# --- counters ---


class Watch:
    """Prometheus, which scrapes exporter and aggregator of a centre several times a second."""

    def __init__(self, centre: Instance) -> None:
        self.centre = centre
        centre.start(["prometheus"])
        ports = {"exporter": "health_exporter", "aggregator": "health_aggregator"}
        configure.prometheus(centre.data, centre.ports, ports, interval="250ms")
        centre.kill("prometheus", signal.SIGHUP)

    def query(self, text: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query, at a moment or now."""
        asked = {"query": text} | ({"time": f"{at:.3f}"} if at else {})
        answer = httpx.get(f"http://127.0.0.1:{self.centre.ports['prometheus']}/api/v1/query", params=asked, timeout=5)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def number(self, text: str, at: float | None = None) -> float | None:
        """The one number that a query gives; None where it gives nothing."""
        found = self.query(text, at)
        return float(found[0]["value"][1]) if found else None


Source = tuple[str, str]


def stored(centre: Instance) -> dict[Source, int]:
    """(system, source) -> events in the database."""
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        rows = conn.execute("SELECT system, source, events FROM source").fetchall()
    return {(system, source): events for system, source, events in rows}


def by_source(found: list[dict[str, Any]]) -> dict[Source, float]:
    return {(s["metric"]["system"], s["metric"]["source"]): float(s["value"][1]) for s in found}


def test_increase_over_killed_exporter_and_aggregator_is_the_true_increase(district: Instance) -> None:
    """`increase()` guesses what lies between the edges of its range and the samples next to them; over a range that
    begins and ends with a sample there is nothing to guess, so it must be the true increase of every source. (Of a
    source that was never heard of before, Prometheus sees no increase by its first sample.)"""
    watch, before = Watch(district), stored(district)
    wait_for(lambda: by_source(watch.query("ioc_events_total")) == before, 60)
    begin = time.time()
    now = clock.now()
    half = now - timedelta(hours=6)
    plan = Plan(7, now - timedelta(hours=12), 0.1)
    time.sleep(0.5)
    publish(district, plan, half)
    killed = {service: district.kill(service, signal.SIGKILL) for service in ("aggregator", "exporter")}
    publish(district, plan, now, half)
    district.wait_ready("exporter", 60)
    after = stored(district)
    wait_for(lambda: by_source(watch.query("ioc_events_total")) == after, 60)
    end = time.time()
    truth = {source: after[source] - number for source, number in before.items()}
    assert sum(truth.values()) > 300

    samples = watch.query(f"ioc_events_total[{round((end - begin) * 1000)}ms]", end)
    times = sorted({round(float(t), 3) for series in samples for t, _ in series["values"]})
    span, last = f"{round((times[-1] - times[0]) * 1000)}ms", times[-1]
    increase = by_source(watch.query(f"increase(ioc_events_total[{span}])", last))
    assert {source: increase[source] for source in before} == truth
    assert watch.number(f"sum(resets(ioc_events_total[{span}]))", last) == 0
    assert max(b - a for a, b in pairwise(times)) > 0.5, "the exporter was never away"
    assert {district.pid(service) for service in killed} & set(killed.values()) == set()
