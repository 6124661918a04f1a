"""Backup, destroy, restore, while events keep coming: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from nats.js.errors import NotFoundError
from support import home_in, wait_until_idle
from visitors import add_account, board, entered

from infra import backups
from infra.local.paths import CHECKOUT, SetupError
from infra.local.servers import Instance
from infra.timescaledb import backup as database
from infra.timescaledb import migrate
from services.aggregator import rebuild
from services.centre.prepare import RESTORING, broker_settings, prepare, settings_of
from services.cli.app import main
from services.kit import bus, streams
from services.simulator.district import Plan, Sending, truth

BURST = 25
READER = "reader.of.links"
BAD = [b"{", b'{"type": "vn.ioc.dossier.submitted.v9"}', b"not json at all"]


class Emitter:
    """A source system: sends its messages in order, and again what was not acknowledged."""

    def __init__(self, sendings: list[Sending]) -> None:
        self.left = list(sendings)
        self.acknowledged: list[tuple[Sending, float]] = []

    async def send(self, centre: Instance, count: int, pause: float = 0.0, stop: threading.Event | None = None) -> None:
        async with bus.connected(settings_of(centre, "cli"), "emitter") as client:
            js = client.jetstream()
            while self.left and count > 0 and not (stop and stop.is_set()):
                some = self.left[:BURST]
                await asyncio.gather(*[js.publish(s.subject, s.raw, timeout=5) for s in some])
                self.acknowledged += [(sending, time.time()) for sending in some]
                del self.left[:BURST]
                count -= len(some)
                await asyncio.sleep(pause)

    def keys(self, before: float = float("inf")) -> set[UUID]:
        """The keys of the events that were acknowledged before a moment."""
        return {s.event.key for s, at in self.acknowledged if s.event and s.kind != "refused" and at < before}

    def refused(self) -> list[bytes]:
        """The bodies sent that must lie in the quarantine."""
        return [sending.raw for sending, _ in self.acknowledged if sending.kind == "refused"]

    @contextmanager
    def sending(self, centre: Instance) -> Iterator[None]:
        """Go on sending, some 250 events a second, while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self.send(centre, 10**6, 0.1, stop)))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


class World:
    """What the tests share: a simulated district, what it sends, the centre of the moment, and its backups."""

    def __init__(self, folder: Path, make: Callable[[Path], Instance]) -> None:
        self.folder, self._make = folder, make
        self.plan = Plan(seed=5, start=datetime(2025, 11, 10, 2, tzinfo=UTC), rate=1.0)
        self.sendings = list(islice(self.plan.sendings(self.plan.start + timedelta(days=1)), 9000))
        self.emitter = Emitter(self.sendings)
        self.centre = self.new_centre("first")
        self.link = self.linked = ""

    def new_centre(self, name: str) -> Instance:
        self.centre = self._make(self.folder / name)
        self.centre.start(["nats", "timescaledb"])
        return self.centre

    def command(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """The `ioc` command against the centre of the moment."""
        env = {**os.environ, "IOC_HOME": str(self.folder), "IOC_INSTANCE": self.centre.data.name}
        command = [sys.executable, "-m", "services.cli", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=env, cwd=CHECKOUT, stdout=pipe, stderr=pipe, text=True, **options)

    def ioc(self, *arguments: str, **options: Any) -> tuple[int, str]:
        """Its exit status and all that it says."""
        process = self.command(*arguments, **options)
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err

    def done(self, *arguments: str) -> str:
        status, said = self.ioc(*arguments)
        assert status == 0, said
        return said

    def stored(self) -> list[UUID]:
        """The keys of all events in the log, as often as they are there."""
        return [key for (key,) in self.sql("SELECT key FROM event")]

    def copy_link(self) -> None:
        """Copy the link of a figure as the board gives it, and keep what is shown there."""
        add_account(self.centre, READER, "viewer")
        with board(self.centre) as home:
            page = entered(home, READER).get("/figure/dossiers_received?first=2025-11-01&last=2025-11-30").text
        found = re.search(r'href="(/figure/dossiers_received\?[^"]*as_of=[^"]*)"', page)
        assert found
        self.link = html.unescape(found[1])
        self.linked = self.shown()

    def shown(self, but: str = "$") -> str:
        """The figure that the link shows, or would without a part of it."""
        with board(self.centre) as home:
            page = entered(home, READER).get(re.sub(but, "", self.link)).text
        found = re.search(r'class="huge[^>]*>([^<]*)<', page)
        assert found
        return found[1]

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(settings_of(self.centre, "cli").database("reader")) as conn:
            return conn.execute(query.encode()).fetchall()

    def quarantined(self) -> list[bytes]:
        async def read() -> list[bytes]:
            async with bus.connected(settings_of(self.centre, "cli"), "test") as client:
                js = client.jetstream()
                state = (await js.stream_info("QUARANTINE")).state
                found = []
                for number in range(state.first_seq, state.last_seq + 1) if state.messages else ():
                    with suppress(NotFoundError):
                        found.append((await js.get_msg("QUARANTINE", number)).data or b"")
                return found

        return asyncio.run(read())

    def publish_raw(self, bodies: list[bytes]) -> None:
        async def publish() -> None:
            async with bus.connected(settings_of(self.centre, "cli"), "test") as client:
                for body in bodies:
                    await client.jetstream().publish("ioc.events.x.procedures.dossier.submitted", body)

        asyncio.run(publish())

    def disagreements(self) -> list[Any]:
        return rebuild.check(settings_of(self.centre, "cli").database("owner"), lambda *_: None)

    def assert_holds_exactly(self, keys: set[UUID]) -> None:
        """All these events, each once, and figures that are their fold."""
        wait_until_idle(self.centre)
        stored = self.stored()
        assert len(stored) == len(set(stored))
        assert set(stored) == keys
        assert self.disagreements() == []

    def assert_figures_are_true(self) -> None:
        """What the readings say is what the district meant, as of the moment up to which it has sent everything."""
        while self.emitter.acknowledged[-1][0].at == self.emitter.left[0].at:
            asyncio.run(self.emitter.send(self.centre, 1))
        wait_until_idle(self.centre)
        until = self.emitter.left[0].at
        with psycopg.connect(settings_of(self.centre, "cli").database("reader"), options="-c timezone=GMT") as conn:
            assert truth.differences(conn, truth.expected(self.plan, until)) == []


@pytest.fixture(scope="module")
def world(new_instance: Callable[[Path], Instance], open_folder: Path) -> Iterator[World]:
    made = World(home_in(open_folder, "backup"), new_instance)
    try:
        prepare(made.centre)
        made.centre.start_services(["aggregator"])
        yield made
    finally:
        made.centre.stop()


@pytest.fixture(scope="module")
def first(world: World) -> Path:
    """A backup that was taken while events came in, of a centre that was destroyed and restored since."""
    folder = world.folder / "backups" / "first"
    world.publish_raw(BAD[:2])
    with world.emitter.sending(world.centre):
        time.sleep(3)
        world.publish_raw(BAD[2:])
        said = world.done("backup", str(folder))
        time.sleep(0.5)
    assert "events in the database" in said
    world.centre.stop()
    shutil.rmtree(world.centre.data)
    world.new_centre("second")
    world.done("restore", str(folder))
    world.centre.start_services(["aggregator"])
    return folder


def test_a_destroyed_centre_comes_back_with_all_that_was_acknowledged(world: World, first: Path) -> None:
    """The broker had more than the database when the backup was taken; both together hold every acknowledged event.
    What was sent later is sent again by its source, some of it twice."""
    taken_at = backups.read(first).taken_at.timestamp()
    before = world.emitter.keys(taken_at)
    wait_until_idle(world.centre)
    assert len(before) > 200
    assert before <= set(world.stored())
    assert len(world.stored()) == len(set(world.stored()))

    lost = [sending for sending, at in world.emitter.acknowledged if at >= taken_at]
    again = [sending for sending in world.sendings[:200] if sending.event and sending.kind != "refused"]
    asyncio.run(Emitter([*lost, *again]).send(world.centre, 10**6))
    asyncio.run(world.emitter.send(world.centre, 300))
    world.assert_holds_exactly(world.emitter.keys())
    world.assert_figures_are_true()
    assert sorted(world.quarantined()) == sorted([*BAD, *world.emitter.refused()])


@pytest.fixture(scope="module")
def second(world: World, first: Path) -> Path:
    """A backup after which more was sent, some of it bad, and all of it stored."""
    folder = world.folder / "backups" / "second"
    wait_until_idle(world.centre)
    end = time.monotonic() + 10
    while world.sql("SELECT coalesce(max(seq), 0) FROM position") < [(BURST,)]:  # it is noted every other second
        assert time.monotonic() < end
        time.sleep(0.1)
    world.copy_link()
    world.done("backup", str(folder))
    asyncio.run(world.emitter.send(world.centre, 400))
    world.publish_raw([b"bad after the second backup"])
    wait_until_idle(world.centre)
    assert world.shown() == world.linked, "whatever came since of the time before"
    assert world.shown(but="&seal=[^&]*") != world.linked, "it did come"
    return folder


def test_a_centre_with_data_is_replaced_only_when_that_is_said(world: World, second: Path) -> None:
    stored = set(world.stored())
    status, said = world.ioc("restore", str(second))
    assert status != 0
    assert "--replace" in said
    assert set(world.stored()) == stored
    assert world.centre.is_ready("aggregator")


def test_a_restored_database_reads_the_tail_from_the_broker_that_survived(world: World, second: Path) -> None:
    saved = backups.read(second).database.tables["event"].rows
    assert saved < len(world.stored())
    said = world.done("restore", str(second), "--only", "database", "--replace")
    assert "reads on after message" in said
    assert "aggregator reads on after message 0" not in said
    world.assert_holds_exactly(world.emitter.keys())
    world.assert_figures_are_true()
    assert len(world.quarantined()) == len(BAD) + 1 + len(world.emitter.refused())


def test_new_series_go_on_after_the_restored_numbers(world: World, second: Path) -> None:
    with psycopg.connect(settings_of(world.centre, "cli").database("owner")) as conn:
        row = conn.execute("SELECT max(id), nextval(pg_get_serial_sequence('series', 'id')) FROM series").fetchone()
    assert row is not None
    assert row[1] > row[0] > 1


def test_a_destroyed_broker_comes_back_and_its_reader_loses_nothing(world: World, second: Path) -> None:
    """The restored stream counts on from where the backup ended, below what the database had read."""
    known = world.emitter.keys()
    world.centre.stop_process("aggregator")
    world.centre.stop_process("nats")
    shutil.rmtree(world.centre.data / "nats" / "streams")
    world.centre.start_process("nats")
    world.centre.wait_ready("nats", 30)
    world.done("restore", str(second), "--only", "broker")
    world.centre.start_services(["aggregator"])
    asyncio.run(world.emitter.send(world.centre, 300))
    world.assert_holds_exactly(known | world.emitter.keys())
    with urllib.request.urlopen(f"http://127.0.0.1:{world.centre.ports['nats_monitor']}/jsz") as answer:
        assert json.load(answer)["config"]["sync_always"], "it has each message on disk again before it goes on"


def test_a_stream_that_is_not_the_backups_own_is_read_from_its_beginning(world: World, second: Path) -> None:
    """It has more messages than the position saved, yet they are others: the number alone would skip them."""
    world.centre.stop_process("aggregator")
    elsewhere = Emitter(world.sendings[6000 : 6000 + backups.read(second).database.positions["aggregator"] + 200])

    async def replace_stream() -> None:
        async with bus.connected(settings_of(world.centre, "admin"), "test") as client:
            await client.jetstream().delete_stream("EVENTS")
            await streams.ensure_streams(client.jetstream(), broker_settings(world.centre))

    asyncio.run(replace_stream())
    asyncio.run(elsewhere.send(world.centre, 10**6))
    said = world.done("restore", str(second), "--only", "database", "--replace")
    assert "after message 0" in said
    world.centre.start_services(["aggregator"])
    wait_until_idle(world.centre)
    assert elsewhere.keys() <= set(world.stored())
    assert world.disagreements() == []


def test_a_restore_that_is_killed_is_simply_run_again(world: World, second: Path) -> None:
    journal = world.centre.data / RESTORING
    for part in ('"done": []', '"database"'):
        running = world.command("restore", str(second), "--replace")
        while running.poll() is None and not (journal.exists() and part in journal.read_text()):
            time.sleep(0.005)
        running.kill()
        running.communicate()
        assert journal.exists()
        with pytest.raises(SetupError, match="cut short"):
            prepare(world.centre)
    world.done("restore", str(second))
    assert not journal.exists()
    world.centre.start_services(["aggregator"])
    wait_until_idle(world.centre)
    manifest = backups.read(second)
    stored = world.stored()
    assert world.emitter.keys(manifest.taken_at.timestamp()) == set(stored)
    assert len(stored) == len(set(stored))
    assert world.disagreements() == []
    assert int(world.linked.replace(".", "")) > 10
    assert world.shown() == world.linked, "a copied link shows the same figure on a restored backup"


def _flip(folder: Path) -> None:
    body = bytearray((folder / "event.gz").read_bytes())
    body[len(body) // 2] ^= 1
    (folder / "event.gz").write_bytes(body)


def _edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((folder / backups.MANIFEST).read_text())
    change(manifest)
    (folder / backups.MANIFEST).write_text(json.dumps(manifest))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (_flip, "event.gz is damaged"),
    "a shortened file": (lambda f: os.truncate(f / "EVENTS.stream", 100), "EVENTS.stream is damaged: 100 bytes"),
    "a missing file": (lambda f: (f / "point.gz").unlink(), "point.gz is missing"),
    "no manifest": (lambda f: (f / backups.MANIFEST).unlink(), "is no backup"),
    "half a manifest": (lambda f: os.truncate(f / backups.MANIFEST, 500), "manifest.json is damaged"),
    "a newer format": (lambda f: _edit(f, lambda m: m.update(format=99, streams="other")), "use a newer version"),
    "a newer schema": (
        lambda f: _edit(f, lambda m: m["database"]["migrations"].append("9999_later")),
        "made by a newer version: it has 9999_later",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_backup_that_cannot_be_trusted_is_refused(world: World, second: Path, damage: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(second, copy)
    change, complaint = DAMAGE[damage]
    change(copy)
    environment = {"IOC_HOME": str(world.folder), "IOC_INSTANCE": world.centre.data.name}
    answer = CliRunner().invoke(main, ["restore", str(copy), "--replace"], env=environment)
    assert answer.exit_code == 1
    assert complaint in answer.output
    assert not (world.centre.data / RESTORING).exists()


def test_a_full_disk_is_said_and_leaves_nothing_that_looks_whole(world: World, second: Path, tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    status, said = world.ioc("backup", str(tmp_path / "new"), preexec_fn=small_files)
    assert status != 0
    assert "the disk is full" in said
    assert list(tmp_path.iterdir()) == []


def test_a_backup_overwrites_nothing(world: World, second: Path) -> None:
    kept = (second / backups.MANIFEST).read_bytes()
    status, said = world.ioc("backup", str(second))
    assert status != 0
    assert "exists already" in said
    assert (second / backups.MANIFEST).read_bytes() == kept


def test_the_last_good_backup_is_known(world: World, second: Path) -> None:
    folder = world.folder / "backups" / "third"
    before = world.sql("SELECT now()")[0][0]
    world.done("backup", str(folder))
    name, size, age = world.sql("SELECT folder, bytes, finished_at FROM backup ORDER BY finished_at DESC LIMIT 1")[0]
    assert (name, size) == (str(folder), backups.read(folder).bytes)
    assert age >= before


def alerts(centre: Instance) -> int:
    async def ask() -> int:
        async with bus.connected(settings_of(centre, "admin"), "test") as client:
            return (await client.jetstream().stream_info("ALERTS")).state.messages

    return asyncio.run(ask())


def test_a_centre_that_was_only_started_is_empty(world: World, second: Path) -> None:
    """It has told of its own first account already. What a person does makes it a centre with data."""
    world.centre.stop()
    centre = world.new_centre("started")
    prepare(centre)
    centre.start_services(["board"])
    end = time.monotonic() + 60
    while not alerts(centre):
        assert time.monotonic() < end
        time.sleep(0.2)
    world.done("restore", str(second))
    assert len(world.stored()) == backups.read(second).database.tables["event"].rows
    assert centre.is_ready("board")


def test_an_account_that_a_person_made_is_replaced_only_when_that_is_said(world: World, second: Path) -> None:
    world.centre.stop()
    centre = world.new_centre("peopled")
    prepare(centre)
    added = world.command("people", "add", "lan", "--role", "viewer", stdin=subprocess.PIPE)
    assert "lan" in added.communicate("mot-mat-khau-de-thu\n", timeout=60)[0]
    for part in ((), ("--only", "database")):
        status, said = world.ioc("restore", str(second), *part)
        assert status != 0
        assert "the database would be replaced; say --replace" in said
    assert not (centre.data / RESTORING).exists()


def test_a_restore_starts_what_is_down_and_leaves_it_down(world: World, second: Path) -> None:
    """Also where nothing was ever started, and after a try that another backup's restore left half done."""
    world.centre.stop()
    world.centre = world._make(world.folder / "never")
    world.done("restore", str(second))
    assert not world.centre.is_running()
    world.centre.start(["nats", "timescaledb"])
    (world.centre.data / RESTORING).write_text(json.dumps({"key": "of another backup", "done": ["database"]}))
    status, said = world.ioc("restore", str(second))
    assert status != 0
    assert "--replace" in said
    world.done("restore", str(second), "--replace")
    assert len(world.stored()) == backups.read(second).database.tables["event"].rows


def test_folders_that_cannot_be_written_or_read_are_named(world: World, second: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file / "below", Path("/proc/backup")):
        status, said = world.ioc("backup", str(folder))
        assert status == 1, said
        assert str(folder.parent) in said
        assert "Traceback" not in said


def test_all_that_migrations_make_is_known_to_the_backup(centre: Instance) -> None:
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        tables = {name for (name,) in conn.execute(OUR_TABLES, ("{r,p,m,f}",))}
        views = {name for (name,) in conn.execute(OUR_TABLES, ("{v}",))}
        functions = {name for (name,) in conn.execute(OUR_FUNCTIONS)}
        collations = {name for (name,) in conn.execute(OUR_COLLATIONS)}
    texts = (file.read_text() for file in migrate.available().values())
    dropped = {name for text in texts for name in re.findall(r"^DROP (?:TABLE|FUNCTION) (\w+)", text, re.MULTILINE)}
    assert tables - {"schema_migration"} == set(database.made("TABLE")) - dropped
    assert views == set(database.made("VIEW"))
    assert functions == set(database.made("FUNCTION")) - (dropped - functions)
    assert collations == set(database.made("COLLATION"))


OUR_TABLES = """
SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = ANY (%s)
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
OUR_FUNCTIONS = """
SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
OUR_COLLATIONS = "SELECT collname FROM pg_collation WHERE collnamespace = 'public'::regnamespace"
