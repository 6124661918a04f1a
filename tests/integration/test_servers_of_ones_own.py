"""A centre on a broker and a database that the operator runs: IOC_NATS_URL and IOC_DATABASE_URL."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from infra.local import ports, readiness
from infra.local.servers import Instance
from schemas.contracts import samples
from services.centre.prepare import prepare
from services.cli.app import main


@pytest.fixture
def broker(open_folder: Path, instance: Instance) -> Iterator[str]:
    """A plain nats-server with one user; its address."""
    port = ports.free_port(14_222, ())
    program = instance.programs(["nats"])["nats-server"]
    command = [
        program,
        "-a",
        "127.0.0.1",
        "-p",
        str(port),
        "-js",
        "-sd",
        open_folder / "their-nats",
        "--user",
        "u",
        "--pass",
        "p",
    ]
    process = subprocess.Popen([str(part) for part in command], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while ports.is_free(port):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        yield f"nats://u:p@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def database(instance: Instance) -> Iterator[str]:
    """A database with the extension and one user of its own; its address."""
    with psycopg.connect(instance.superuser_conninfo, autocommit=True) as server:
        server.execute("CREATE ROLE theirs LOGIN PASSWORD 'secret'")
        server.execute("CREATE DATABASE theirs OWNER theirs")
        yield f"postgresql://theirs:secret@127.0.0.1:{instance.ports['timescaledb']}/theirs"
        server.execute(sql.SQL("DROP DATABASE theirs WITH (FORCE)"))
        server.execute("DROP ROLE theirs")


def test_the_centre_works_on_servers_that_are_there(
    broker: str,
    database: str,
    new_instance: Callable[[Path], Instance],
    instance: Instance,
    open_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with psycopg.connect(instance.superuser_conninfo, dbname="theirs", autocommit=True) as their_database:
        their_database.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    monkeypatch.setenv("IOC_NATS_URL", broker)
    monkeypatch.setenv("IOC_DATABASE_URL", database)
    home = open_folder / "theirs"
    centre = new_instance(home / "main")
    monkeypatch.setenv("IOC_HOME", str(home))
    try:
        centre.start(["nats", "timescaledb"])
        prepare(centre)
        centre.start_services(["aggregator"])
        assert {p.name for p in centre.processes() if p.state == "running"} == {"aggregator"}
        sample = samples()["vn.ioc.payment.made.v1"]["samples/payment.made.v1.json"]
        (home / "first.jsonl").write_text(sample.replace("\n", ""))
        sent = CliRunner().invoke(main, ["--instance", "main", "emit", str(home / "first.jsonl")])
        assert sent.exit_code == 0, sent.output
        end = time.monotonic() + 15
        while True:
            with psycopg.connect(database) as conn:
                if conn.execute("SELECT count(*) FROM event").fetchone() == (1,):
                    break
            assert time.monotonic() < end, centre.log_tail("aggregator", 20)
            time.sleep(0.2)
        for command in (("backup", str(home / "saved")), ("restore", str(home / "saved"), "--replace")):
            done = CliRunner().invoke(main, ["--instance", "main", *command])
            assert done.exit_code == 0, done.output
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT count(*) FROM event").fetchone() == (1,)
    finally:
        centre.stop()
    assert readiness.serves_queries(database)
