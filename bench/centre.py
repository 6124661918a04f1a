"""A centre of the benchmarks' own: fresh servers in a temporary folder beside the real state, so on the same disk."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import psycopg
from psycopg.sql import SQL, Identifier

from infra.local import paths, ports
from infra.local.processes import DEFAULT_PORTS, external
from infra.local.servers import Instance
from services.centre.prepare import prepare, settings_of

Say = Callable[[str], None]
FOLDED = (
    "event_key",
    "event",
    "entity",
    "series",
    "point",
    "rollup_day",
    "rollup_month",
    "rollup_unit_month",
    "source",
    "position",
)


@contextmanager
def fresh_centre(say: Say) -> Iterator[Instance]:
    """Broker and database, empty, prepared, on free ports; gone afterwards with all they held."""
    if any(map(external, ("nats", "timescaledb"))):
        raise click.ClickException("a benchmark fills and empties its servers: unset IOC_NATS_URL and IOC_DATABASE_URL")
    paths.home().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=paths.home()))
    folder.chmod(0o755)  # PostgreSQL's account must pass through
    instance = Instance(folder / "centre", paths.home() / "runtime")
    try:
        _free_ports(instance.data)
        say("starting a broker and a database of the benchmark's own")
        instance.start(["nats", "timescaledb"])
        prepare(instance)
        yield instance
    finally:
        instance.stop()
        shutil.rmtree(folder, ignore_errors=True)


def empty_tables(instance: Instance) -> None:
    """Nothing is stored any more, and no earlier run's dirty pages are left for the next one to write."""
    with psycopg.connect(settings_of(instance, "cli").database("owner"), autocommit=True) as conn:
        conn.execute(SQL("TRUNCATE {}").format(SQL(", ").join(map(Identifier, FOLDED))))
    with psycopg.connect(instance.superuser_conninfo, autocommit=True) as conn:
        conn.execute("CHECKPOINT")


@contextmanager
def relaxed_broker(instance: Instance) -> Iterator[None]:
    """Meanwhile the broker flushes once a second, so that a large stream is filled in a minute; then as declared."""
    file = instance.data / "nats" / "server.conf"
    declared = file.read_text()
    _restart_broker(instance, declared.replace("sync_interval: always", 'sync_interval: "1s"'))
    yield
    _restart_broker(instance, declared)


def _restart_broker(instance: Instance, configuration: str) -> None:
    instance.stop_process("nats")
    (instance.data / "nats" / "server.conf").write_text(configuration)
    instance.start_process("nats")
    instance.wait_ready("nats")


def _free_ports(data: Path) -> None:
    data.mkdir()
    # Below the range that the kernel hands out for outgoing connections, far from a running centre's.
    base = random.randrange(12000, 30000)
    settled, _ = ports.settle({}, {name: base + offset for offset, name in enumerate(DEFAULT_PORTS)})
    ports.save(data / "ports.json", settled)
