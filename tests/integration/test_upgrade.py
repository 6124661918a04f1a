"""Upgrades of a living system: data of the previous version under today's code, and migrations while events come in."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from previous_version import LEFT, LIVED, dossiers, figures, publish
from psycopg.conninfo import make_conninfo
from support import wait_until_idle

from infra import backups
from infra.local.servers import Instance
from infra.nats import backup as broker
from infra.timescaledb import backup as database
from infra.timescaledb import migrate
from infra.timescaledb.roles import ensure_database_and_roles, grant_rights
from schemas.codes import masked
from schemas.envelope import Event
from schemas.streams import AGGREGATOR
from services.aggregator import rebuild
from services.centre.prepare import prepare, settings_of
from services.kit import bus

PREVIOUS = Path(__file__).parent / "data" / "version_0001"
NEW_ROOMS = """
ALTER TABLE event ADD COLUMN note text DEFAULT '';
ALTER TABLE entity ADD COLUMN note text DEFAULT '';
CREATE INDEX event_note ON event (note, time);
CREATE INDEX entity_note ON entity (note);
"""


@pytest.fixture(scope="module")
def upgraded(new_instance: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    """A centre as the previous version left it, with its consumer and messages that it had not read."""
    instance = new_instance(open_folder / "upgraded")
    try:
        instance.start(["nats", "timescaledb"])
        ensure_database_and_roles(instance.superuser_conninfo, instance.password)
        manifest = backups.read(PREVIOUS)
        backups.verify(PREVIOUS, manifest)
        database.restore(owner(instance), manifest.database, PREVIOUS, lambda *_: None)
        asyncio.run(_restore_streams(instance, manifest))
        yield instance
    finally:
        instance.stop()


async def _restore_streams(instance: Instance, manifest: backups.Manifest) -> None:
    async with bus.connected(settings_of(instance, "admin"), "test") as client:
        for name, stream in manifest.streams.items():
            with (PREVIOUS / stream.file).open("rb") as file:
                config = stream.config | {"max_bytes": -1}
                await broker.restore(client, name, config, stream.state, file, lambda done: None)


def owner(instance: Instance) -> str:
    return settings_of(instance, "cli").database("owner")


def sql(instance: Instance, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(owner(instance), autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def count(instance: Instance) -> int:
    return int(sql(instance, "SELECT count(*) FROM event")[0][0])


def waiting(instance: Instance) -> int:
    async def ask() -> int:
        async with bus.connected(settings_of(instance, "monitor"), "test") as client:
            return (await client.jetstream().consumer_info(AGGREGATOR.stream, AGGREGATOR.name)).num_pending or 0

    return asyncio.run(ask())


def disagreements(instance: Instance) -> list[Any]:
    return rebuild.check(owner(instance), lambda *_: None)


CHANGED = {
    "processing_time_mean chon_thanh": "3850",
    **{f"processing_time_mean {unit}": f"{Decimal(67_041) / 55:f}" for unit in ("", "binh_phuoc")},
}
"""What is counted otherwise since: while a payment is awaited nobody works on a dossier."""


def test_a_system_of_the_previous_version_lives_on(upgraded: Instance) -> None:
    """Its figures are the same, what it had not read is read, new events are counted, and the log agrees."""
    stored = backups.read(PREVIOUS).database.tables["event"].rows
    assert sql(upgraded, "SELECT name FROM schema_migration") == [("0001_log_state_series",)]
    assert count(upgraded) == stored > LIVED
    assert waiting(upgraded) == LEFT

    prepare(upgraded)
    known = sorted(migrate.available())
    assert [name for (name,) in sql(upgraded, "SELECT name FROM schema_migration ORDER BY 1")] == known
    assert sql(upgraded, "SELECT version FROM fold_version") == [(rebuild.fold_version(),)]
    assert disagreements(upgraded) == []
    before = json.loads((PREVIOUS / "figures.json").read_text())
    after = figures(settings_of(upgraded, "cli").database("reader"))
    assert {name: after.get(name) for name in before} == before | CHANGED
    assert sum(value is not None for value in before.values()) > 100

    upgraded.start_services(["aggregator"])
    wait_until_idle(upgraded)
    assert count(upgraded) == stored + LEFT
    publish(upgraded, dossiers(LIVED, LIVED + LEFT + 100))
    wait_until_idle(upgraded)
    assert count(upgraded) == stored + LEFT + 100
    assert disagreements(upgraded) == []


DEFINED = """
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proacl::text FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT c.relname, pg_get_viewdef(c.oid), c.relacl::text FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1
"""
"""(name, definition, rights) of every function and view."""


def test_a_fresh_database_and_an_upgraded_one_have_the_same_functions_and_views(upgraded: Instance) -> None:
    with psycopg.connect(upgraded.superuser_conninfo, autocommit=True) as server:
        server.execute("CREATE DATABASE fresh OWNER ioc_owner TEMPLATE template0 LOCALE 'C.UTF-8'")
    with psycopg.connect(make_conninfo(upgraded.superuser_conninfo, dbname="fresh"), autocommit=True) as server:
        server.execute("CREATE EXTENSION timescaledb")
    fresh = make_conninfo(owner(upgraded), dbname="fresh")
    migrate.migrate(fresh)
    grant_rights(fresh)
    with psycopg.connect(fresh) as conn:
        wanted = conn.execute(DEFINED).fetchall()
    assert sql(upgraded, DEFINED) == wanted and len(wanted) > 25
    assert {name for name, *_ in wanted if "(" not in name} == set(database.made("VIEW"))


def test_functions_of_another_text_are_made_anew_and_keep_their_rights(upgraded: Instance) -> None:
    wanted = sql(upgraded, DEFINED)
    with psycopg.connect(owner(upgraded), autocommit=True) as conn:
        conn.execute("CREATE OR REPLACE FUNCTION masked(code text) RETURNS text LANGUAGE sql AS 'SELECT code'")
        assert migrate.migrate(owner(upgraded)) == [] and sql(upgraded, DEFINED) != wanted  # the text is the same
        conn.execute("CREATE OR REPLACE FUNCTION definitions() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $$$$'")
    assert migrate.migrate(owner(upgraded)) == []
    assert sql(upgraded, DEFINED) == wanted


def test_the_database_masks_as_the_schemas_do(upgraded: Instance) -> None:
    codes = [
        "H57.25.25-241104-0001", "000.12.34.H10-241120-12345678", "H57-241104-0001@phuong_chon_thanh", "PA-95001",
        "PA-123456-789", "PA-X1-241104-0001", "TXN-9", "SC-Z@phuong_chon_thanh", "95001", "", "pa-95001", "PA-",
    ]  # fmt: skip
    with psycopg.connect(owner(upgraded)) as conn:
        found = conn.execute("SELECT code, masked(code) FROM unnest(%s::text[]) code", [codes]).fetchall()
    assert found == [(code, masked(code)) for code in codes]


@contextmanager
def load(instance: Instance, events: list[Event]) -> Iterator[None]:
    """Send the events, some hundred a second, while the block runs, and the rest of them at its end."""
    over = threading.Event()

    def send() -> None:
        for start in range(0, len(events), 40):
            publish(instance, events[start : start + 40])
            over.wait(0.1)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_migration_under_load_loses_nothing_and_a_second_start_does_no_harm(
    upgraded: Instance, tmp_path: Path
) -> None:
    """Columns and indexes come to tables in use; two starts race for it."""
    (tmp_path / "9001_rooms.sql").write_text(NEW_ROOMS)
    before, applied, problems = count(upgraded), [], []

    def start() -> None:
        try:
            applied.extend(migrate.migrate(owner(upgraded), folders=(migrate.MIGRATIONS, tmp_path)))
            prepare(upgraded)
        except Exception as problem:
            problems.append(problem)

    with load(upgraded, dossiers(1000, 4000)):
        time.sleep(1)
        starts = [threading.Thread(target=start) for _ in range(2)]
        for thread in starts:
            thread.start()
        for thread in starts:
            thread.join()
        assert waiting(upgraded) > 0 or count(upgraded) > before
        time.sleep(1)
    assert problems == [], traceback.format_exception(problems[0])
    assert applied == ["9001_rooms"]
    wait_until_idle(upgraded)
    assert count(upgraded) == before + 3000
    assert disagreements(upgraded) == []


def test_a_migration_gives_way_to_who_holds_a_table_and_names_him(upgraded: Instance, tmp_path: Path) -> None:
    """A long reader is in the way. Events are stored all the while; in the end nothing of the migration is done."""
    (tmp_path / "9001_rooms.sql").write_text(NEW_ROOMS)
    (tmp_path / "9002_late.sql").write_text("ALTER TABLE entity ADD COLUMN late integer")
    folders = (migrate.MIGRATIONS, tmp_path)
    with psycopg.connect(owner(upgraded), application_name="a long report") as reader:
        reader.execute("SELECT count(*) FROM entity")
        told: list[str] = []

        def attempt() -> None:
            with pytest.raises(migrate.Blocked) as blocked:
                migrate.migrate(owner(upgraded), folders=folders, patience=5)
            told.append(str(blocked.value))

        thread = threading.Thread(target=attempt)
        thread.start()
        before = count(upgraded)
        publish(upgraded, dossiers(5000, 5100))
        wait_until_idle(upgraded, 8)
        assert count(upgraded) == before + 100
        assert thread.is_alive(), "the events were stored while the migration was still trying"
        thread.join()
    assert "9002_late" in told[0]
    assert "a long report" in told[0]
    assert migrate.migrate(owner(upgraded), folders=folders) == ["9002_late"]


def test_rights_that_a_version_no_longer_gives_are_taken_back(upgraded: Instance) -> None:
    """Also on the chunks of the log; those of today stay."""
    prepare(upgraded)
    with psycopg.connect(owner(upgraded), autocommit=True) as conn:
        conn.execute("GRANT UPDATE, DELETE ON event, fold_version TO ioc_reader")
        conn.execute("GRANT EXECUTE ON FUNCTION forget_log TO ioc_board")
    grant_rights(owner(upgraded))
    kept = "SELECT has_table_privilege('ioc_reader', c, 'SELECT') FROM show_chunks('event') c"
    given = "SELECT has_table_privilege('ioc_reader', c, 'DELETE') FROM show_chunks('event') c"
    assert set(sql(upgraded, kept)) == {(True,)}
    assert set(sql(upgraded, given)) == {(False,)}
    assert sql(upgraded, "SELECT has_table_privilege('ioc_reader', 'fold_version', 'UPDATE')") == [(False,)]
    assert sql(upgraded, "SELECT has_function_privilege('ioc_board', 'forget_log()', 'EXECUTE')") == [(False,)]
    assert sql(upgraded, "SELECT has_function_privilege('ioc_upkeep', 'forget_log()', 'EXECUTE')") == [(True,)]
