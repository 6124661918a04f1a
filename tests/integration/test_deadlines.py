"""Deadlines on real servers: each notice exactly once, whoever looks, however often, and whatever was down."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra.local.servers import Instance
from schemas.calendar import VN, WorkCalendar
from schemas.envelope import Event, EventData
from schemas.field import ReportReceived
from schemas.procedures import (
    DossierAccepted,
    DossierExtended,
    DossierResolved,
    DossierSupplementReceived,
    DossierSupplementRequested,
)
from schemas.registry import make
from services.centre.prepare import settings_of
from services.deadlines.worklist import OWED, START
from services.kit import bus, store

UNIT = "phuong_chon_thanh"
NUMBERS = count(1)
Row = tuple[str, str, str, str, int]


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    try:
        centre.start_services(["aggregator", "deadlines"])
        yield centre
    finally:
        for service in ("deadlines", "aggregator"):
            centre.stop_process(service)


def new_code() -> str:
    return f"H99.97-261101-{next(NUMBERS):04}"


def now() -> datetime:
    return datetime.now(UTC)


def event(data: EventData, at: datetime, unit: str = UNIT, **attributes: Any) -> Event:
    return make(data, source="/test/deadlines", id=f"{data.code}/{at.isoformat()}", time=at, unit=unit, **attributes)  # type: ignore[attr-defined]


def accepted(code: str, at: datetime, promised: datetime, **attributes: Any) -> Event:
    return event(DossierAccepted(code=code, promised_at=promised), at, **attributes)


def send(centre: Instance, *events: Event) -> None:
    async def publish() -> None:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            await bus.publish_many(client.jetstream(), events)

    asyncio.run(publish())


def query(centre: Instance, sql: str, *values: Any) -> list[Any]:
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        return conn.execute(sql, values).fetchall()


def told(centre: Instance, code: str) -> list[Row]:
    """Type, stage, unit, origin and shift of the stored notices about a code, in their order."""
    sql = (
        "SELECT type, id, unit, origin, shiftdays FROM event "
        "WHERE source = '/deadlines' AND id LIKE %s ORDER BY time, id"
    )
    return [(type, id.rpartition("/")[2], *rest) for type, id, *rest in query(centre, sql, f"{code}/%")]


def eventually(look: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + 30
    while (found := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == wanted


def notices_in_stream(centre: Instance) -> int:
    async def ask() -> int:
        async with bus.connected(settings_of(centre, "monitor"), "test") as client:
            state = (await client.jetstream().stream_info("EVENTS", subjects_filter="ioc.events.>")).state
            last = ("due_soon", "overdue")
            return sum(n for subject, n in (state.subjects or {}).items() if subject.rpartition(".")[2] in last)

    return asyncio.run(ask())


def overdue(unit: str = UNIT, origin: str = "real", shift: int = 0) -> Row:
    return ("vn.ioc.dossier.overdue.v1", "overdue", unit, origin, shift)


def test_every_stage_is_told_once_and_what_is_done_or_waits_is_left_alone(running: Instance) -> None:
    today = now().astimezone(VN)
    tonight = today.replace(hour=23, minute=59, second=59, microsecond=0)
    day_after = WorkCalendar.base().add_working_days(today.date(), 2)
    soon = datetime(day_after.year, day_after.month, day_after.day, 17, tzinfo=VN)
    start, late = now() - timedelta(days=30), now() - timedelta(days=10)
    codes = [new_code() for _ in range(6)]
    send(
        running,
        accepted(codes[0], start, late),
        accepted(codes[1], start, tonight),
        accepted(codes[2], start, soon),
        accepted(codes[3], start, now() + timedelta(days=60)),
        accepted(codes[4], start, late),
        event(DossierResolved(code=codes[4]), late + timedelta(days=2)),
        accepted(codes[5], start, late),
        event(DossierSupplementRequested(code=codes[5]), start + timedelta(days=1)),
    )
    due_soon = "vn.ioc.dossier.due_soon.v1"
    wanted = [[overdue()], [(due_soon, "today", UNIT, "real", 0)], [(due_soon, "soon", UNIT, "real", 0)], [], [], []]
    eventually(lambda: [told(running, code) for code in codes], wanted)
    send(running, event(DossierSupplementReceived(code=codes[5]), start + timedelta(days=2)))
    eventually(lambda: told(running, codes[5]), [overdue()])


def test_an_extension_is_a_new_promise_with_notices_of_its_own(running: Instance) -> None:
    code, start = new_code(), now() - timedelta(days=30)
    send(running, accepted(code, start, start + timedelta(days=10)))
    eventually(lambda: told(running, code), [overdue()])
    extended = DossierExtended(code=code, promised_at=start + timedelta(days=20))
    send(running, event(extended, start + timedelta(days=11)))
    eventually(lambda: told(running, code), [overdue(), overdue()])
    eventually(lambda: query(running, "SELECT notice_at FROM entity WHERE id = %s", code), [(None,)])


def test_every_service_level_of_a_report_is_told_once(running: Instance) -> None:
    code = f"PA-D{next(NUMBERS):04}"
    received = ReportReceived(code=code, channel="app", category="waste", priority="urgent")
    send(running, event(received, now() - timedelta(minutes=61)))
    kind = "vn.ioc.report.overdue.v1"
    eventually(lambda: told(running, code), [(kind, "route", UNIT, "real", 0), (kind, "accept", UNIT, "real", 0)])


def test_a_shifted_dossier_and_one_whose_unit_has_ended_are_told_too(running: Instance) -> None:
    shift, (shifted, orphan) = 7 * 104, (new_code(), new_code())
    before = datetime(2024, 11, 4, 2, 0, tzinfo=UTC)
    then = before + timedelta(days=shift)
    june = datetime(2025, 6, 20, 2, 0, tzinfo=UTC)
    attributes = {"unit": "chon_thanh", "origin": "shifted", "shiftdays": shift}
    send(
        running,
        accepted(shifted, then, then + timedelta(days=3), **attributes),
        accepted(orphan, june, june + timedelta(days=20), unit="chon_thanh"),
    )
    eventually(lambda: told(running, shifted), [overdue("chon_thanh", "shifted", shift)])
    eventually(lambda: told(running, orphan), [overdue("dong_nai")])


def test_two_services_that_look_again_and_again_tell_each_notice_once(running: Instance, tmp_path: Path) -> None:
    start, codes = now() - timedelta(days=30), [new_code() for _ in range(700)]  # more than a page
    logs = [tmp_path / "one.log", tmp_path / "other.log"]

    def told_by_each() -> list[int]:
        return [log.read_text().count(" dossier.overdue ") for log in logs]  # the codes are masked there

    running.stop_process("deadlines")
    try:
        send(running, *(accepted(code, start, start + timedelta(days=5)) for code in codes))
        eventually(lambda: query(running, "SELECT count(*) FROM entity WHERE id = ANY(%s)", codes), [(700,)])
        running.stop_process("aggregator")  # so that every row stays listed, and both find all of them
        before = notices_in_stream(running)
        command = [sys.executable, "-m", "services.deadlines"]
        both = [subprocess.Popen(command, env=running.env("deadlines"), stderr=log.open("w")) for log in logs]
        try:
            eventually(told_by_each, [700, 700])
            time.sleep(2)  # they look again
        finally:
            for service in both:
                service.terminate()
                service.wait(10)
        assert told_by_each() == [700, 700]
        assert notices_in_stream(running) == before + 2 * 700  # each has said it; the log has it once
    finally:
        for name in ("aggregator", "deadlines"):
            running.start_process(name)
            running.wait_ready(name)
    sql = "SELECT count(*) FROM event WHERE source = '/deadlines' AND split_part(id, '/', 1) = ANY(%s)"
    eventually(lambda: query(running, sql, codes), [(700,)])


def test_an_outage_of_broker_or_database_is_waited_out(running: Instance) -> None:
    pid, code, start = running.pid("deadlines"), new_code(), now() - timedelta(days=30)
    health = f"http://127.0.0.1:{running.ports['health_deadlines']}/health"
    for server in ("nats", "timescaledb"):
        running.stop_process(server)
        try:
            eventually(lambda: httpx.get(f"{health}/ready").status_code, 503)
            assert httpx.get(f"{health}/live").status_code == 200
        finally:
            running.start_process(server)
            running.wait_ready(server, 30)
    send(running, accepted(code, start, start + timedelta(days=5)))
    eventually(lambda: told(running, code), [overdue()])
    assert running.pid("deadlines") == pid


def test_what_is_owed_is_found_by_index(centre: Instance) -> None:
    """As the role that looks, among some thousand rows of which few are owed; nothing of it is kept."""
    with psycopg.connect(settings_of(centre, "deadlines").database("owner")) as conn:
        conn.execute(
            "INSERT INTO entity SELECT 'dossier', 'many-' || n, 1, %s, 'real', 'accepted', now(), now(), NULL, "
            "CASE WHEN n %% 100 = 0 THEN now() - interval '1 day' WHEN n %% 3 = 0 THEN now() + interval '9 days' END, "
            "'{}', '[]' FROM generate_series(1, 5000) n",
            (UNIT,),
        )
        conn.execute("ANALYZE entity")
        rows = conn.execute("EXPLAIN " + OWED, START | {"now": now()}).fetchall()
        conn.rollback()
    plan = "\n".join(row[0] for row in rows)
    assert "entity_notice" in plan and "Seq Scan on entity" not in plan
