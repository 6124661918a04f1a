"""The servers of one machine, run for real: locked doors, healing, and stopping what was started and nothing else."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nats
import psycopg
import pytest
from support import hanging

from infra.local import orphans
from infra.local.paths import CHECKOUT, run_as
from infra.local.processes import SERVERS
from infra.local.servers import Instance, NotReady
from infra.timescaledb.roles import DATABASE, ROLES, ensure_database_and_roles

LISTENING = "0A"
REFUSAL_ROUNDS = 10


@pytest.fixture
def fresh(
    open_folder: Path, new_instance: Callable[[Path], Instance], request: pytest.FixtureRequest
) -> Iterator[Instance]:
    """An instance that nothing was started in yet, in a folder with a space in its path."""
    made = new_instance(open_folder / f"a centre {abs(hash(request.node.nodeid)) % 10**8}")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def prepared(instance: Instance) -> Instance:
    ensure_database_and_roles(instance.superuser_conninfo, instance.password)
    return instance


def conninfo(instance: Instance, user: str, password: str, database: str = DATABASE) -> str:
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=instance.ports["timescaledb"], dbname=database, user=user, password=password
    )


# --- the database ---


def test_timescaledb_is_installed_in_the_database(prepared: Instance) -> None:
    as_superuser = conninfo(prepared, "postgres", prepared.password("postgres"))
    with psycopg.connect(as_superuser) as connection:
        version = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
        settings = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
    assert version is not None
    assert int(version[0].split(".")[0]) >= 2
    assert settings["server_encoding"] == "UTF8"
    assert settings["synchronous_commit"] == "on"
    assert settings["unix_socket_directories"] == ""


def test_preparing_twice_changes_nothing(prepared: Instance) -> None:
    ensure_database_and_roles(prepared.superuser_conninfo, prepared.password)
    with psycopg.connect(conninfo(prepared, ROLES[0], prepared.password(ROLES[0]))) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (ROLES[0],)


@pytest.mark.parametrize("user", ["postgres", *ROLES])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_no_one_enters_without_the_right_password(prepared: Instance, user: str, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(conninfo(prepared, user, password))


@pytest.mark.parametrize("role", ROLES)
def test_roles_are_confined_to_the_database_ioc(prepared: Instance, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(conninfo(prepared, role, prepared.password(role), database="postgres"))


@pytest.mark.parametrize("role", ["ioc_aggregator", "ioc_deadlines", "ioc_reader"])
@pytest.mark.parametrize(
    "statement", ["CREATE TABLE t ()", "CREATE ROLE r", "CREATE SCHEMA s", "COPY (SELECT 1) TO PROGRAM 'true'"]
)
def test_roles_of_services_make_and_run_nothing(prepared: Instance, role: str, statement: str) -> None:
    with (
        psycopg.connect(conninfo(prepared, role, prepared.password(role))) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_the_database_runs_without_roots_rights(prepared: Instance) -> None:
    pid = prepared.pid("timescaledb")
    assert Path(f"/proc/{pid}").stat().st_uid == run_as().pw_uid != 0


# --- the broker ---

SPEAKING = [
    ("aggregator", "ioc.quarantine.x", True),
    ("aggregator", "ioc.alerts.audit.login", False),
    ("notifier", "ioc.alerts.audit.login", False),
    ("cli", "ioc.alerts.audit.login", False),
    ("emitter_procedures", "ioc.events.u1.procedures.dossier.overdue", False),
    ("emitter_field", "ioc.events.u1.field.report.overdue", False),
    ("aggregator", "ioc.events.u1.procedures.dossier.submitted", False),
    ("aggregator", "$JS.API.STREAM.DELETE.EVENTS", False),
    ("aggregator", "$JS.API.CONSUMER.CREATE.EVENTS.another", False),
    ("deadlines", "ioc.events.u1.procedures.dossier.overdue", True),
    ("deadlines", "ioc.events.u1.field.report.overdue", True),
    ("deadlines", "ioc.events.u1.procedures.dossier.resolved", False),
    ("emitter_procedures", "ioc.events.u1.procedures.dossier.submitted", True),
    ("emitter_procedures", "ioc.events.u1.procedures.payment.made", False),
    ("emitter_payments", "ioc.events.u1.procedures.payment.made", True),
    ("emitter_payments", "ioc.events.u1.procedures.dossier.submitted", False),
    ("emitter_field", "ioc.events.u1.field.report.received", True),
    ("emitter_field", "ioc.quarantine.x", False),
    ("cli", "ioc.events.u1.health.beds.reported", True),
    ("cli", "$JS.API.STREAM.MSG.DELETE.QUARANTINE", True),
    ("cli", "$JS.API.STREAM.MSG.DELETE.EVENTS", False),
    ("cli", "$JS.API.STREAM.PURGE.EVENTS", False),
    ("monitor", "$JS.API.STREAM.INFO.EVENTS", True),
    ("monitor", "ioc.events.u1.health.beds.reported", False),
    ("admin", "$JS.API.STREAM.CREATE.EVENTS", True),
    ("admin", "ioc.events.u1.health.beds.reported", False),
]


async def refusals(instance: Instance, user: str, publish: str = "", subscribe: str = "") -> list[str]:
    """What the broker says against publishing or subscribing as `user`."""
    told: list[str] = []

    async def remember(problem: Exception) -> None:
        told.append(str(problem).lower())

    client = await nats.connect(
        instance.nats_url,
        user=user,
        password=instance.password(user),
        error_cb=remember,
        inbox_prefix=b"_INBOX_" + user.encode(),
    )
    if subscribe:
        await client.subscribe(subscribe)
    if publish:
        await client.publish(publish, b"")
    await client.flush()
    # The refusal may follow the answer to the flush.
    for _ in range(REFUSAL_ROUNDS):
        if told:
            break
        await asyncio.sleep(0.02)
    await client.close()
    return told


@pytest.mark.parametrize(("user", "subject", "allowed"), SPEAKING)
def test_users_say_only_what_they_may(instance: Instance, user: str, subject: str, allowed: bool) -> None:
    told = asyncio.run(refusals(instance, user, publish=subject))
    assert any("permissions violation" in line for line in told) != allowed


def test_no_one_hears_anothers_answers(instance: Instance) -> None:
    assert asyncio.run(refusals(instance, "monitor", subscribe="_INBOX_cli.>"))
    assert asyncio.run(refusals(instance, "monitor", subscribe="ioc.events.>"))
    assert not asyncio.run(refusals(instance, "monitor", subscribe="_INBOX_monitor.>"))


@pytest.mark.parametrize("options", [{}, {"user": "admin", "pass": "wrong"}, {"user": "stranger", "pass": "x"}])
def test_the_broker_refuses_strangers(instance: Instance, options: dict[str, str]) -> None:
    """At once, or, as nobody is there who knows the keys, when the time for a log-in is over."""
    with socket.create_connection(("127.0.0.1", instance.ports["nats"]), timeout=30) as stranger:
        stranger.sendall(f"CONNECT {json.dumps(options)}\r\nPUB ioc.events.x 1\r\nx\r\nPING\r\n".encode())
        said = b"".join(iter(lambda: stranger.recv(4096), b""))
    assert b"-ERR 'Authorization Violation'" in said
    assert b"PONG" not in said


# --- doors and secrets ---


def listening_addresses(pid: int) -> set[str]:
    """The hexadecimal addresses on which a process listens."""
    inodes = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1].split(":")[0] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in inodes}


def test_everything_listens_on_loopback_alone(instance: Instance) -> None:
    supervisor = int((instance.data / "run" / "supervisord.pid").read_text())
    for pid in (supervisor, instance.pid("nats"), instance.pid("timescaledb")):
        assert pid is not None
        assert listening_addresses(pid) == {"0100007F"}


def test_secrets_are_closed_to_others(instance: Instance) -> None:
    private = [*instance.secrets.iterdir(), instance.data / "nats/server.conf", instance.data / "run/supervisord.conf"]
    assert stat.S_IMODE(instance.secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    assert len({file.read_text() for file in instance.secrets.iterdir()}) == len(list(instance.secrets.iterdir()))


def test_logs_are_for_owner_and_group_alone(fresh: Instance) -> None:
    before = os.umask(0)
    try:
        fresh.start(["alertmanager"])
    finally:
        os.umask(before)
    logs = fresh.data / "logs"
    assert stat.S_IMODE(logs.stat().st_mode) == 0o750
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in logs.iterdir()} == {
        "alertmanager.log": 0o640,
        "supervisor.log": 0o640,
    }


# --- starting, healing, stopping ---


def test_starting_again_keeps_what_runs(instance: Instance) -> None:
    before = [instance.pid(name) for name in ("nats", "timescaledb")]
    instance.start(["nats", "timescaledb"])
    assert [instance.pid(name) for name in ("nats", "timescaledb")] == before


@pytest.mark.parametrize("mask", [0o027, 0o077])
def test_the_database_starts_whatever_the_callers_umask(
    open_folder: Path, new_instance: Callable[[Path], Instance], mask: int
) -> None:
    narrow = new_instance(open_folder / f"narrow-{mask:o}")
    before = os.umask(mask)
    try:
        narrow.start(["timescaledb"])
        assert narrow.is_ready("timescaledb")
        assert {stat.S_IMODE(file.stat().st_mode) for file in narrow.secrets.iterdir()} == {0o600}
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
        narrow.stop()


def test_a_crashed_server_comes_back(fresh: Instance) -> None:
    fresh.start(["nats"])
    crashed = fresh.kill("nats", signal.SIGKILL)
    assert orphans.wait_gone(crashed, 5)
    fresh.wait_ready("nats", 15)
    assert fresh.pid("nats") not in (None, crashed)


def test_a_stopped_server_stays_down_until_started(fresh: Instance) -> None:
    fresh.start(["nats"])
    fresh.stop_process("nats")
    assert fresh.pid("nats") is None
    with pytest.raises(NotReady, match="nats is not ready"):
        fresh.wait_ready("nats", 0.2)
    fresh.start_process("nats")
    fresh.wait_ready("nats", 15)


def test_a_killed_supervisor_and_a_crashed_database_are_healed(fresh: Instance) -> None:
    half = fresh.data / "timescaledb" / "cluster.new"
    half.mkdir(parents=True)
    (half / "leftover").touch()
    fresh.start(["nats", "timescaledb"])
    with psycopg.connect(fresh.superuser_conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    supervisor = int((fresh.data / "run" / "supervisord.pid").read_text())
    orphan, database = fresh.pid("nats"), fresh.pid("timescaledb")
    assert orphan and database
    os.kill(supervisor, signal.SIGKILL)
    os.kill(database, signal.SIGKILL)
    assert orphans.wait_gone(supervisor, 5)
    assert orphans.is_alive(orphan)

    said: list[str] = []
    fresh.start(["nats", "timescaledb"], said.append)

    assert not orphans.is_alive(orphan)
    assert any(f"process {orphan}" in line for line in said)
    with psycopg.connect(fresh.superuser_conninfo) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_stopping_after_a_crash_ends_all_of_it_and_nothing_else(fresh: Instance) -> None:
    fresh.start(["nats"])
    pid = fresh.pid("nats")
    # Reads our data and names it in its arguments, but was not started by us.
    with subprocess.Popen(
        ["tail", "-f", str(fresh.data / "nats" / "server.conf")], stdout=subprocess.DEVNULL
    ) as bystander:
        os.kill(int((fresh.data / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
        fresh.stop()
        assert bystander.poll() is None
        bystander.terminate()
    assert pid is not None
    assert not orphans.is_alive(pid)
    fresh.stop()  # harmless when there is nothing to stop


def test_stopping_leaves_another_instance_alone(instance: Instance, fresh: Instance) -> None:
    fresh.start(["nats"])
    fresh.stop()
    assert fresh.processes() == []
    assert instance.is_ready("nats")
    assert instance.is_ready("timescaledb")


def test_a_taken_port_is_replaced_and_said(fresh: Instance) -> None:
    wanted = fresh.ports["nats"]
    said: list[str] = []
    with socket.create_server(("127.0.0.1", wanted)):
        fresh.start(["nats"], said.append)
    assert fresh.ports["nats"] != wanted
    assert any(str(wanted) in line and str(fresh.ports["nats"]) in line for line in said)
    assert fresh.nats_url.endswith(str(fresh.ports["nats"]))


def test_an_operators_own_broker_is_used_instead(fresh: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_NATS_URL", "nats://me:secret@127.0.0.1:4999")
    fresh.start(["nats"])
    assert fresh.processes() == []
    assert fresh.env("aggregator")["IOC_NATS_URL"] == "nats://me:secret@127.0.0.1:4999"


def test_a_server_that_can_not_start_shows_the_end_of_its_log(fresh: Instance) -> None:
    fresh.start(["nats"])
    fresh.stop_process("nats")
    (fresh.data / "nats" / "server.conf").write_text("no_such_setting: 1")
    fresh.start_process("nats")
    with pytest.raises(NotReady, match="no_such_setting"):
        fresh.wait_ready("nats", 3)


def test_an_unknown_process_is_refused_by_name(fresh: Instance) -> None:
    with pytest.raises(KeyError, match="no process named natz; there are nats"):
        fresh.start(["natz"])


# --- watching ---


@pytest.mark.parametrize("hung", ["alertmanager", "supervisor"])
def test_what_hangs_is_named_and_not_waited_for(
    open_folder: Path, new_instance: Callable[[Path], Instance], hung: str
) -> None:
    own_home = new_instance(open_folder / f"hung-{hung}")
    try:
        own_home.start(["alertmanager"])
        pid = own_home.pid(hung) or int((own_home.data / "run" / "supervisord.pid").read_text())
        env = {**os.environ, "IOC_HOME": str(open_folder), "IOC_INSTANCE": own_home.data.name}
        with hanging(pid):
            command = [sys.executable, "-m", "services.cli", "status"]
            done = subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        assert "not ready" in done.stdout if hung == "alertmanager" else "the supervisor did not answer" in done.stdout
    finally:
        own_home.stop()


def wait_for_jobs(port: int) -> set[str]:
    """The jobs that Prometheus scrapes; it learns of them a moment after it is ready."""
    jobs: set[str] = set()
    deadline = time.monotonic() + 15
    while not jobs and time.monotonic() < deadline:
        time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets") as answer:
            jobs = {target["labels"]["job"] for target in json.load(answer)["data"]["activeTargets"]}
    return jobs


def test_prometheus_and_alertmanager_run_with_valid_configuration(fresh: Instance) -> None:
    fresh.start(["prometheus", "alertmanager"])
    programs = fresh.programs(["prometheus", "alertmanager", "nats"])
    for check in (
        [programs["promtool"], "check", "config", fresh.data / "prometheus/prometheus.yml"],
        [programs["amtool"], "check-config", fresh.data / "alertmanager/alertmanager.yml"],
    ):
        subprocess.run(check, check=True, capture_output=True)
    assert wait_for_jobs(fresh.ports["prometheus"]) == {"prometheus", "alertmanager", "services"}
    assert {state.name for state in fresh.processes() if state.ready} == {"prometheus", "alertmanager"}
    for name in ("prometheus", "alertmanager"):
        assert listening_addresses(fresh.pid(name) or 0) == {"0100007F"}


def test_the_brokers_configuration_is_valid(instance: Instance) -> None:
    program = instance.programs(["nats"])["nats-server"]
    subprocess.run([program, "-t", "-c", instance.data / "nats/server.conf"], check=True, capture_output=True)


def test_states_tell_what_a_status_page_needs(instance: Instance) -> None:
    states = {state.name: state for state in instance.processes() if state.kind == "server"}
    assert {"nats", "timescaledb"} <= set(states) <= set(SERVERS)  # another test may have started others
    both = [states[name] for name in ("nats", "timescaledb")]
    assert all(state.ready and state.state == "running" and state.log.exists() for state in both)
    assert states["nats"].port == instance.ports["nats"]
