"""The table of faults: how each sets its stage, and what it does while the load runs.

Every fault shows by an assertion of its own that it was felt; what must be true afterwards is the same for all.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from chaos import cluster, poison
from chaos.clock import SteppedClock
from chaos.disk import family, small_disk
from chaos.proof import quarantined
from chaos.proxy import slow_road
from chaos.stage import PATIENCE, SERVERS, SERVICES, Stage

from infra.local.ports import LOOPBACK, free_port
from schemas.streams import AGGREGATOR
from services.kit import bus

KILLS = 20
MEGABYTE = 2**20


@dataclass(frozen=True)
class Fault:
    """`strike` runs under `rate` messages per second, on the stage that `set_up` has made."""

    strike: Callable[[Stage], None]
    set_up: Callable[[Stage], None] = Stage.start
    rate: float = 300.0


# --- processes killed ---


def storm(*victims: str) -> Callable[[Stage], None]:
    """SIGKILL for each victim twenty times, at moments of its own, while the others may be down as well."""

    def strike(stage: Stage) -> None:
        seeds = [stage.random.random() for _ in victims]
        with ThreadPoolExecutor(len(victims)) as threads:
            done = [threads.submit(_kill_often, stage, *pair) for pair in zip(victims, seeds, strict=True)]
            for job in done:
                job.result()

    return strike


def _kill_often(stage: Stage, victim: str, seed: float) -> None:
    chance = random.Random(seed)
    for _ in range(KILLS):
        stage.instance.wait_ready(victim, 60)
        # The supervisor lets one that dies within its first second wait; a service takes longer to be ready.
        time.sleep(chance.uniform(0.1, 0.8) if victim in SERVICES else chance.uniform(0.9, 1.5))
        stage.instance.kill(victim)
        # Until the supervisor has noticed; else the dead would be found ready once more.
        time.sleep(0.2)
    stage.instance.wait_ready(victim, 60)


# --- servers away, frozen, cut off, slow ---


def broker_away(stage: Stage) -> None:
    time.sleep(2)
    stage.instance.stop_process("nats")
    time.sleep(stage.seconds(6, 60))
    stage.instance.start_process("nats")
    stage.instance.wait_ready("nats")
    assert stage.load.retries, "the load has not missed the broker"


def database_frozen(stage: Stage) -> None:
    time.sleep(2)
    head = stage.instance.pid("timescaledb") or 0
    os.kill(head, signal.SIGSTOP)  # first, so that it starts no other process meanwhile
    frozen = family(head)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(stage.seconds(6, 60))
    assert stage.consumer().num_ack_pending, "the aggregator has not missed the database"
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)


def connections_cut(stage: Stage) -> None:
    cut, end = 0, time.monotonic() + stage.seconds(6, 60)
    with psycopg.connect(stage.instance.superuser_conninfo, autocommit=True) as server:
        while time.monotonic() < end or cut < KILLS // 2:
            cut += len(server.execute(_CUT).fetchall())
            time.sleep(stage.random.uniform(0.05, 0.4))
            assert time.monotonic() < end + 60, f"{cut} connections in all: the services do not come back"


_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN ('ioc aggregator', 'ioc deadlines')
"""


def behind_slow_roads(stage: Stage) -> None:
    """Services that reach broker and database over lines of 50 ms and 2 Mbit/s."""
    stage.start(*SERVERS)
    places = stage.instance
    roads = [stage.ending.enter_context(slow_road(places.ports[name], 0.05, MEGABYTE / 4)) for name in SERVERS]
    broker, database = roads
    for service in SERVICES:
        stage.run(
            service,
            IOC_NATS_URL=f"nats://{LOOPBACK}:{broker}",
            IOC_DATABASE_URL=f"postgresql://{LOOPBACK}:{database}/ioc",
        )


def slow_network(stage: Stage) -> None:
    time.sleep(stage.seconds(6, 60))


# --- no room ---


def on_small_disk(server: str, folder: str, size: int) -> Callable[[Stage], None]:
    """Everything runs, with this folder of the server on a disk of so many bytes."""

    def set_up(stage: Stage) -> None:
        # The disk goes after the servers: what is entered last is left first.
        stage.ending.pop_all().close()
        disk = small_disk(stage.instance.data / folder, size, lambda: stage.instance.pid(server))
        stage.disk = stage.ending.enter_context(disk)
        stage.ending.callback(stage.instance.stop)
        stage.start()

    return set_up


def database_disk_full(stage: Stage) -> None:
    _disk_full(stage)
    stage.instance.wait_ready("timescaledb", 60)
    assert re.search("No space left on device|File too large", stage.log("timescaledb"))


def broker_disk_full(stage: Stage) -> None:
    _disk_full(stage)
    # NATS 2.15 writes no more to a stream that once had no room, and says so in its health: an operator restarts it.
    stage.instance.stop_process("nats")
    stage.instance.start_process("nats")
    stage.instance.wait_ready("nats")
    assert stage.load.retries, "the broker has acknowledged what it had no room for"


def _disk_full(stage: Stage) -> None:
    time.sleep(2)
    stage.disk.fill()
    time.sleep(stage.seconds(6, 60))
    stage.disk.free()


def streams_full(stage: Stage) -> None:
    """Neither the log of events nor the quarantine takes more, then both do again."""
    time.sleep(2)
    before = asyncio.run(limit(stage, {"EVENTS": 1, "QUARANTINE": 1}))
    time.sleep(stage.seconds(5, 60))
    assert stage.load.retries, "the full stream has acknowledged more"
    asyncio.run(limit(stage, {"EVENTS": before["EVENTS"]}))
    time.sleep(stage.seconds(3, 30))
    asyncio.run(limit(stage, before))


async def limit(stage: Stage, most: dict[str, int]) -> dict[str, int]:
    """Set how many bytes streams may hold; what they might before."""
    before = {}
    async with bus.connected(stage.settings("admin"), "chaos") as client:
        js = client.jetstream()
        for name, size in most.items():
            config = (await js.stream_info(name)).config
            before[name] = config.max_bytes or -1
            config.max_bytes = size
            await js.update_stream(config)
    return before


# --- things that vanish, clocks that jump ---


def consumer_deleted(stage: Stage) -> None:
    for _ in range(3):
        time.sleep(stage.seconds(2, 20))
        created = stage.consumer().created
        asyncio.run(_delete_consumer(stage))
        stage.wait_for(lambda: stage.consumer().created != created, PATIENCE, "the consumer stays away")  # noqa: B023


async def _delete_consumer(stage: Stage) -> None:
    async with bus.connected(stage.settings("admin"), "chaos") as client:
        await client.jetstream().delete_consumer(AGGREGATOR.stream, AGGREGATOR.name)


HOUR = 3600


def with_stepped_clock(stage: Stage) -> None:
    stage.start(*SERVERS)
    stage.clock = SteppedClock(stage.instance.data / "clock", stage.instance.runtime)
    for service in SERVICES:
        stage.run(service, **stage.clock.variables)


def clock_stepped(stage: Stage) -> None:
    """An hour ahead and an hour behind an event of now is still accepted; three hours behind it is not any more."""
    for hours in (1, 0, -1):
        stage.clock.step(hours * HOUR)
        time.sleep(stage.seconds(2, 15))
        stage.load.send([poison.event_of_now(f"clock/{hours}")])
        stage.wait_for(lambda: bool(stage.sql(_STORED, f"clock/{hours}")), PATIENCE, "refused for its time")  # noqa: B023
    stage.clock.step(-3 * HOUR)
    sending = poison.refused(poison.event_of_now("clock/too-far"))
    stage.load.send([sending])
    stage.wait_for(lambda: sending.raw in quarantined(stage), PATIENCE, "the clock is not stepped")
    stage.clock.step(0)


_STORED = "SELECT FROM event WHERE id = %s"


# --- two at once ---


def with_two_aggregators(stage: Stage) -> None:
    stage.start()
    stage.second_port = free_port(max(stage.instance.ports.values()), ())
    stage.second = stage.run("aggregator", IOC_HEALTH_PORT=str(stage.second_port))


def two_aggregators(stage: Stage) -> None:
    """Both work; a stranger's transactions lock rows in the other order; one is killed, with messages in hand."""
    stage.wait_for(lambda: stage.counted(_COUNTED, stage.second_port) > 0, PATIENCE, "the second gets nothing to do")
    for remaining in range(int(stage.seconds(7, 2 * KILLS)), 0, -1):
        _cross(stage)
        if remaining == KILLS // 4:
            stage.second.kill()
            stage.second.wait()
    ((deadlocks,),) = stage.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'ioc'")
    assert deadlocks, "nobody was in anybody's way"
    assert "deadlock detected" in stage.log("aggregator"), "no aggregator was the victim"


_COUNTED = "ioc_aggregator_events_stored_total"


def _cross(stage: Stage) -> None:
    """Lock the last row that a batch will want, wait until a batch stands before it, then want its first."""
    with psycopg.connect(stage.settings("cli").database("owner")) as conn:
        rows = conn.execute(_SOURCES).fetchall()
        conn.execute(_LOCK, rows[-1])
        time.sleep(0.6)
        try:
            for row in rows[:-1]:
                conn.execute(_LOCK, row)
        except psycopg.errors.DeadlockDetected:
            conn.rollback()


_SOURCES = "SELECT source, system FROM source ORDER BY source, system"
_LOCK = "SELECT FROM source WHERE (source, system) = (%s, %s) FOR UPDATE"

FAULTS: dict[str, Fault] = {
    "kill aggregator, deadlines": Fault(storm("aggregator", "deadlines")),
    "kill NATS, TimescaleDB": Fault(storm("nats", "timescaledb")),
    "broker away": Fault(broker_away),
    "database frozen": Fault(database_frozen),
    "connections cut": Fault(connections_cut),
    "disk full: database": Fault(database_disk_full, on_small_disk("timescaledb", "timescaledb", 192 * MEGABYTE)),
    "disk full: broker": Fault(broker_disk_full, on_small_disk("nats", "nats/streams", 24 * MEGABYTE)),
    "streams full": Fault(streams_full),
    "consumer deleted": Fault(consumer_deleted),
    "clock stepped by an hour": Fault(clock_stepped, with_stepped_clock),
    "slow network": Fault(slow_network, behind_slow_roads, rate=100),
    "poison at every position": Fault(poison.at_every_position, poison.without_notices, rate=0),
    "two aggregators, deadlocks": Fault(two_aggregators, with_two_aggregators),
    "one of three brokers killed": Fault(cluster.node_killed, cluster.on_three_nodes),
}
STORMS: dict[str, Fault] = {f"kill {victim}": Fault(storm(victim), rate=800) for victim in (*SERVICES, *SERVERS)}
"""In the long form each victim has a storm to itself, again and again until the time is over."""
