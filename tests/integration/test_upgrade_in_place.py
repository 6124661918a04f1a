"""A checkout that changed under a running centre: `ioc up` brings all of it to what the checkout says now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import nats
import psycopg
import pytest

from infra.local import cluster, configure, processes, renew, servers
from infra.local.servers import Instance
from infra.nats import cluster as broker
from infra.nats import users
from infra.timescaledb.roles import ensure_database_and_roles
from schemas.streams import MOST_BYTES
from services.centre.prepare import prepare, settings_of
from services.kit import bus

STARTED = ("nats", "timescaledb", "prometheus")
SERVICES = ("deadlines", "upkeep")
RETIRED = replace(processes.BY_NAME["upkeep"], name="retired", ports={"health_retired": 8199})


@contextmanager
def earlier_version(templates: Path) -> Iterator[None]:
    """As another version would have it: fewer users and rights, other templates, ports and processes, other code."""
    nats_conf = (broker.FOLDER / "server.conf").read_text()
    (templates / "server.conf").write_text(nats_conf.replace("max_payload: 512KB", "max_payload: 3MB"))
    for name in ("postgresql.conf", "pg_hba.conf"):
        (templates / name).write_text((cluster.CONFIGURATION / name).read_text())
    with (templates / "postgresql.conf").open("a") as file:
        file.write("work_mem = 9MB\nmax_connections = 41\n")
    rows = (*(row for row in processes.PROCESSES if row.name != "board"), RETIRED)
    earlier = {user: subjects for user, subjects in users.PUBLISH.items() if user != "board"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broker, "FOLDER", templates)
        patch.setattr(cluster, "CONFIGURATION", templates)
        patch.setattr(users, "PUBLISH", earlier | {"cli": ("ioc.events.>",)})
        patch.setattr(servers, "PROCESSES", rows)
        patch.setattr(configure, "PROCESSES", rows)
        patch.setitem(processes.BY_NAME, "retired", RETIRED)
        patch.setattr(servers, "CREDENTIALS", tuple(name for name in servers.CREDENTIALS if name != "ioc_board"))
        patch.setattr(renew, "code", lambda: "earlier")
        yield


@pytest.fixture(scope="module")
def upgraded(
    new_instance: Callable[[Path], Instance], open_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Instance, dict[str, int | None], list[str]]]:
    """A centre that another version started, after today's start; the processes of before, and what the start said."""
    instance, said = new_instance(open_folder / "in place"), list[str]()
    try:
        prepare_earlier(instance, tmp_path_factory.mktemp("templates"))
        before = {name: instance.pid(name) for name in (*STARTED, *SERVICES, "retired")}
        instance.start(STARTED, said.append)
        prepare(instance)
        instance.start_services(SERVICES, said.append)
        yield instance, before, said
    finally:
        instance.stop()


def prepare_earlier(instance: Instance, templates: Path) -> None:
    """The servers, and two services that run whether or not the database is prepared."""
    with earlier_version(templates):
        instance.start(STARTED)
        prepare_roles(instance)
        instance._supervise([*(processes.BY_NAME[name] for name in SERVICES), RETIRED])
        for name in (*SERVICES, "retired"):
            instance.start_process(name)
        assert instance.pid("retired")


def prepare_roles(instance: Instance) -> None:
    """The board's password is another than today's."""

    def password_of(role: str) -> str:
        return "earlier" if role == "ioc_board" else instance.password(role)

    ensure_database_and_roles(instance.superuser_conninfo, password_of)


Upgraded = tuple[Instance, dict[str, int | None], list[str]]


def test_the_brokers_new_users_and_rights_hold(upgraded: Upgraded) -> None:
    """It has to be started anew, as the list of who is no key's holder is read at a start alone."""
    instance, _, said = upgraded
    assert any("nats is started anew" in line for line in said)

    async def ask(user: str) -> int:
        async with bus.connected(settings_of(instance, user), "test") as client:
            assert len(await client.jetstream().streams_info()) > 0
            return client.max_payload

    assert asyncio.run(ask("admin")) == MOST_BYTES
    asyncio.run(_connects(instance, "board"))
    asyncio.run(_connects(instance, "cli"))


async def _connects(instance: Instance, user: str) -> None:
    prefix = f"_INBOX_{user}".encode()
    client = await nats.connect(
        instance.nats_url, user=user, password=instance.password(user), allow_reconnect=False, inbox_prefix=prefix
    )
    await client.request("$JS.API.STREAM.INFO.EVENTS", b"", timeout=30)
    await client.close()


def test_settings_of_the_database_hold_also_those_that_need_a_start(upgraded: Upgraded) -> None:
    instance, before, said = upgraded
    with psycopg.connect(instance.superuser_conninfo) as conn:
        found = conn.execute("SELECT current_setting('work_mem'), current_setting('max_connections')").fetchone()
    assert found == ("16MB", "60")
    assert instance.pid("timescaledb") != before["timescaledb"]
    assert any("timescaledb is started anew" in line for line in said)
    with psycopg.connect(settings_of(instance, "cli").database("board")) as conn:
        assert conn.execute("SELECT current_user").fetchone() == ("ioc_board",)


def test_services_run_todays_code_and_what_exists_no_more_is_stopped(upgraded: Upgraded) -> None:
    instance, before, _ = upgraded
    for name in SERVICES:  # one that waits for its database may be between two tries: then nothing is said of it
        pid = instance.pid(name)
        assert pid
        assert pid != before[name]
        assert f"CODE_DIGEST={renew.code()}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    assert {state.name for state in instance.processes()} == {*STARTED, *SERVICES}
    assert not Path(f"/proc/{before['retired']}").exists()
    assert all(state.ready for state in instance.processes())


def test_a_right_that_changes_holds_without_a_restart_of_the_broker(
    upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, _, _ = upgraded
    before, said = instance.pid("nats"), list[str]()
    monkeypatch.setitem(users.PUBLISH, "monitor", (*users.PUBLISH["monitor"], "ioc.events.>"))
    instance.start(["nats"], said.append)
    assert (instance.pid("nats"), said) == (before, [])

    async def publish() -> int:
        async with bus.connected(settings_of(instance, "monitor"), "test") as client:
            return (await client.jetstream().publish("ioc.events.x", b"?", timeout=30)).seq

    assert asyncio.run(publish()) > 0
    monkeypatch.undo()
    instance.start(["nats"])


def test_a_start_without_a_change_restarts_nothing(upgraded: Upgraded) -> None:
    instance, _, _ = upgraded
    said: list[str] = []
    before = {name: instance.pid(name) for name in (*STARTED, *SERVICES)}
    instance.start(STARTED, said.append)
    instance.start_services(SERVICES, said.append)
    assert {name: instance.pid(name) for name in before} == before
    assert said == []


def test_a_setting_that_the_operator_changes_is_taken_over(upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one service alone; the other is not asked to start."""
    instance, _, _ = upgraded
    before = {name: instance.pid(name) for name in SERVICES}
    monkeypatch.setenv("IOC_RETENTION_DAYS", "5000")
    instance.start_services(["upkeep"])
    pid = instance.pid("upkeep")
    assert pid != before["upkeep"]
    assert b"IOC_RETENTION_DAYS=5000" in Path(f"/proc/{pid}/environ").read_bytes()
    assert instance.pid("deadlines") == before["deadlines"]


def test_what_the_broker_takes_at_a_start_alone_starts_it_anew(upgraded: Upgraded) -> None:
    """The messages are still there."""
    instance, _, said = upgraded
    (instance.data / "nats" / "max_file_store").write_text(str(3 * 1024**3))
    before = instance.pid("nats")
    with pytest.MonkeyPatch.context() as patch:
        text = (broker.FOLDER / "server.conf").read_text()
        folder = instance.data / "templates"
        folder.mkdir()
        (folder / "server.conf").write_text(text.replace("sync_interval: always", "sync_interval: 1s"))
        patch.setattr(broker, "FOLDER", folder)
        instance.start(["nats"], said.append)
    assert instance.pid("nats") != before
    asyncio.run(_connects(instance, "board"))
    assert any("nats is started anew" in line for line in said)


def test_a_digest_of_code_is_of_names_and_contents(tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_text("x")
    first = renew.digest(files)
    files[0].rename(tmp_path / "c.py")
    assert renew.digest([tmp_path / "c.py", files[1]]) != first
    (tmp_path / "c.py").rename(files[0])
    assert renew.digest(files) == first
    files[1].write_text("y")
    assert renew.digest(files) != first
