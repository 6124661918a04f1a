"""Deeds while something is away: nothing is done twice or forgotten, and nothing is claimed that is not known."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from alarms import event, eventually, now, query, send, wait_until_told
from roads import Road, road_to
from support import board_beside, free_port, liar, wait_until_idle
from visitors import Browser, add_account, entered

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.calendar import WorkCalendar, local_day
from schemas.envelope import Event
from schemas.field import ReportReceived
from schemas.procedures import DossierAccepted, DossierExtended
from services.board.pages.alarms.alarms_data import rows
from services.board.pages.worklist.worklist_data import items
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit import bus, store

WARD = "phuong_chon_thanh"
STOPPED, DEAF, SIMULATED, ELSEWHERE, WITHOUT, NEW, LIED = (f"H98.77-260101-{number}" for number in range(7001, 7008))
REPORT, TWIN, MASTER, FAR = (f"PA-DEEDS-{number}" for number in range(1, 5))
SERVICES = ("aggregator", "deadlines", "notifier", "board")
PROMISED = now() - timedelta(days=2)
WAYS = {
    "nats_url": "nats://127.0.0.1:{}",
    "notifier_door": "http://127.0.0.1:{}",
    "database_url": "postgresql://127.0.0.1:{}/ioc",
}
OF_AN_EARLIER_STAGE = """
INSERT INTO alarm OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(a, jsonb_build_object(
    'id', nextval(pg_get_serial_sequence('alarm', 'id')), 'originator', a.originator || '/receive'))).*
FROM alarm a WHERE entity = %s RETURNING id
"""
"""Earlier versions raised an alarm for each stage of a report; these go on until it ends."""
DAY = WorkCalendar.base().add_working_days(local_day(now()), 8)


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of the centre with its alarms; dossiers and a report are overdue."""
    try:
        centre.start_services(SERVICES)
        wait_until_told(centre)
        for code in (WITHOUT, SIMULATED, DEAF, STOPPED):
            send(centre, late(code, "simulated" if code == SIMULATED else "real"))
        told = {"category": "road", "priority": "urgent", "channel": "app"}
        send(centre, event(ReportReceived(code=REPORT, **told), WARD, now() - timedelta(hours=9)))
        add_account(centre, "deeds-operator", "operator")
        add_account(centre, "deeds-supervisor", "supervisor")
        eventually(lambda: all(free_alarms(centre, code) for code in (REPORT, WITHOUT)), True)
        assert owned(centre, OF_AN_EARLIER_STAGE, REPORT) != []
        yield f"http://127.0.0.1:{centre.ports['board']}"
    finally:
        for service in reversed(SERVICES):
            centre.stop_process(service)


@pytest.fixture(scope="module")
def operator(home: str) -> Browser:
    return entered(home, "deeds-operator")


def late(code: str, origin: str = "real") -> Event:
    """A dossier that is overdue; all are due at one moment."""
    promised = {"promised_at": PROMISED, "field": "justice", "procedure": "2.000815"}
    return event(DossierAccepted(code=code, **promised), WARD, now() - timedelta(days=9), origin=origin)


def do(browser: Browser, path: str, *items: str, **fields: str) -> Any:
    """What the page's script is told of a deed."""
    answer = browser.http.post(path, data={"csrf": browser.csrf(), "item": list(items), **fields})
    return answer.json()


def extend(browser: Browser, code: str, day: date = DAY) -> Any:
    told = do(browser, "/worklist/do/extend", f"dossier:{code}", day=day.isoformat(), note="Chờ cơ quan phối hợp")
    return told | told["rows"][0]


def free_alarms(centre: Instance, code: str) -> list[int]:
    sql = "SELECT id FROM alarm WHERE entity = %s AND acknowledged_at IS NULL AND cleared_at IS NULL ORDER BY id"
    return [id for (id,) in query(centre, sql, code)]


def owned(centre: Instance, sql: str, *values: Any) -> list[Any]:
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        return conn.execute(sql, values).fetchall()


def noted(centre: Instance, subject: str, action: str) -> list[dict[str, Any]]:
    sql = "SELECT detail FROM audit WHERE subject = %s AND action = %s ORDER BY id"
    return [detail for (detail,) in owned(centre, sql, subject, action)]


def stored(centre: Instance, code: str) -> list[Any]:
    """The new dates that the database holds for a dossier."""
    sql = "SELECT data->>'promised_at' FROM event WHERE source = '/board' AND id = %s"
    return [promised for (promised,) in query(centre, sql, f"{code}/extended")]


def waiting(centre: Instance) -> int:
    """How many events the broker has not acknowledged."""
    return int(owned(centre, "SELECT count(*) FROM outbox WHERE starts_with(subject, 'ioc.events.')")[0][0])


def quarantined(centre: Instance) -> int:
    async def count() -> int:
        async with bus.connected(settings_of(centre, "monitor"), "test") as client:
            return (await client.jetstream().stream_info("QUARANTINE")).state.messages

    return asyncio.run(count())


def letter(browser: Browser, code: str) -> str:
    answer = browser.get(f"/worklist/apology?code={code}")
    assert answer.status_code == 200
    return answer.text


@contextmanager
def board_by(centre: Instance, **roads: Road) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A board with roads of its own, each named by the setting that leads there; whoever likes kills it."""
    there = {f"IOC_{name.upper()}": WAYS[name].format(road.port) for name, road in roads.items()}
    env, port = {**os.environ, **centre.env("board"), **there}, free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "services.board"], cwd=CHECKOUT, env={**env, "IOC_BOARD_PORT": str(port)}
    ) as running:
        try:
            eventually(lambda: served(f"http://127.0.0.1:{port}/login"), True)
            yield f"http://127.0.0.1:{port}", running
        finally:
            running.kill()


def served(address: str) -> bool:
    try:
        return httpx.get(address, timeout=20, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_row_of_several_alarms_is_acknowledged_also_where_one_is_taken(
    centre: Instance, home: str, operator: Browser
) -> None:
    supervisor, taken, *free = entered(home, "deeds-supervisor"), *free_alarms(centre, REPORT)
    assert do(supervisor, "/alarms/do/acknowledge", f"alarm:{taken}")["rows"][0]["done"]
    row = do(operator, "/worklist/do/acknowledge", f"report:{REPORT}")["rows"][0]
    assert (row["done"], row["said"]) == (True, WORDS["done_acknowledge"][0])
    holders = dict(query(centre, "SELECT id, acknowledged_by FROM alarm WHERE entity = %s", REPORT))
    assert holders == {taken: "deeds-supervisor", **dict.fromkeys(free, "deeds-operator")}
    told = noted(centre, f"report:{REPORT}", "alarm.acknowledge")
    assert [(each["alarms"], each["unit"]) for each in told] == [(free, WARD)]
    again = do(operator, "/worklist/do/acknowledge", f"report:{REPORT}")["rows"][0]
    assert (again["done"], again["said"]) == (False, WORDS["held_already"][0])
    both = {"deeds-operator", "deeds-supervisor"}
    eventually(lambda: both <= set(re.findall(r"deeds-\w+", operator.get(f"/worklist?text={REPORT}").text)), True)


def test_a_comment_on_a_row_is_written_once(centre: Instance, operator: Browser) -> None:
    assert do(operator, "/worklist/do/comment", f"report:{REPORT}", note="đã gọi đơn vị")["rows"][0]["done"]
    sql = (
        "SELECT count(*) FROM alarm_step s JOIN alarm a ON a.id = s.alarm WHERE entity = %s AND note = 'đã gọi đơn vị'"
    )
    assert query(centre, sql, REPORT) == [(1,)]


def test_cases_that_are_due_at_one_hour_keep_one_order(centre: Instance, home: str) -> None:
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        conn.autocommit = True
        mine = [i.id for i in items(conn, now()) if i.id.startswith("H98.77")]
        raised = [(r.raised_at, r.id) for r in rows(conn, now()) if r.severity == "warning" and r.status == "active"]
    assert mine == sorted([STOPPED, DEAF, SIMULATED, WITHOUT])
    assert len(raised) > 1 and raised == sorted(raised, reverse=True)


def test_of_too_many_alarms_those_that_somebody_has_are_left_out(centre: Instance, operator: Browser) -> None:
    send(centre, late(NEW))
    eventually(lambda: bool(free_alarms(centre, NEW)), True)
    assert do(operator, "/worklist/do/acknowledge", f"dossier:{NEW}")["rows"][0]["done"]
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        every = rows(conn, now())
        active = [r.id for r in every if r.status == "active"]
        cut = rows(conn, now(), most=len(active))
    assert len(active) < len(every)
    assert [r.id for r in cut[:-1]] == active
    assert cut[-1].id not in active


def test_an_answer_that_was_lost_is_not_taken_for_a_refusal(centre: Instance, home: str) -> None:
    with road_to(centre.ports["notifier"]) as road, board_by(centre, notifier_door=road) as (address, _):
        browser = entered(address, "deeds-operator")
        road.answers = "cut"
        keys = [f"dossier:{WITHOUT}", f"dossier:{STOPPED}"]
        first, second = do(browser, "/worklist/do/acknowledge", *keys)["rows"]
    assert road.lost > 0
    assert (first["done"], first["said"]) == (False, WORDS["unknown"][0])
    assert (second["done"], second["said"]) == (False, WORDS["not_tried"][0])
    assert free_alarms(centre, WITHOUT) == []
    assert [told.get("outcome") for told in noted(centre, keys[0], "alarm.acknowledge")] == [
        None,
        {str(id): "unknown" for (id,) in query(centre, "SELECT id FROM alarm WHERE entity = %s", WITHOUT)},
    ]
    assert noted(centre, keys[1], "alarm.acknowledge") == []


def test_another_program_in_the_notifiers_place_does_nothing_and_tells_nothing(centre: Instance, home: str) -> None:
    send(centre, late(LIED))
    eventually(lambda: bool(free_alarms(centre, LIED)), True)
    free, port, until = free_alarms(centre, LIED), free_port(), now() + timedelta(hours=8)
    on_call = [{"rota": "x", "person": "thief", "until": until.isoformat(), "then": "thief"}]
    lies = {"/on_call": json.dumps(on_call).encode(), "/": b"{}"}
    with liar(port, lies), board_beside(centre, IOC_NOTIFIER_DOOR=f"http://127.0.0.1:{port}") as address:
        supervisor = entered(address, "deeds-supervisor")
        for deed, fields in (
            ("acknowledge", {}),
            ("assign", {"assignee": "deeds-operator"}),
            ("comment", {"note": "x"}),
        ):
            row = do(supervisor, f"/worklist/do/{deed}", f"dossier:{LIED}", **fields)["rows"][0]
            assert (row["done"], row["said"]) == (False, WORDS["notifier_away"][0]), deed
            assert noted(centre, f"dossier:{LIED}", f"alarm.{deed}") == []
        shown = supervisor.get("/handover").text
        assert "thief" not in shown and WORDS["on_call_unknown"][0] in shown
    assert free_alarms(centre, LIED) == free


def test_a_new_date_survives_a_stopped_broker_and_a_killed_board(centre: Instance, operator: Browser) -> None:
    centre.stop_process("nats")
    try:
        told = extend(operator, STOPPED)
        assert (told["done"], told["said"]) == (True, WORDS["done_extend_later"][0])
        assert not extend(operator, STOPPED, DAY + timedelta(days=7))["done"]
        assert f"ngày {DAY:%d} tháng {DAY:%m} năm {DAY.year}" in letter(operator, STOPPED)
        centre.kill("board", signal.SIGKILL)
    finally:
        centre.start_process("nats")
    eventually(lambda: [day[:10] for day in stored(centre, STOPPED)], [DAY.isoformat()])
    eventually(lambda: waiting(centre), 0)
    centre.wait_ready("board")
    assert STOPPED in letter(operator, STOPPED)


def test_a_report_is_joined_to_one_nearby_once_though_the_broker_is_away(centre: Instance, operator: Browser) -> None:
    there = {"latitude": 11.41, "longitude": 106.61}
    about = {"category": "water", "priority": "normal", "channel": "app"}
    for code, where in ((TWIN, there), (MASTER, there), (FAR, {**there, "latitude": 11.42})):
        send(centre, event(ReportReceived(code=code, **about, **where), WARD, now() - timedelta(minutes=5)))
    wait_until_idle(centre)
    centre.wait_ready("board")
    page = operator.get(f"/worklist/report/{TWIN}").text
    assert f"/worklist/report/{MASTER}" in page and f"/worklist/report/{FAR}" not in page
    centre.stop_process("nats")
    try:
        joins = [do(operator, "/worklist/do/join", f"report:{TWIN}", into=into)["rows"][0] for into in (MASTER, FAR)]
    finally:
        centre.start_process("nats")
    assert [(told["done"], told["said"]) for told in joins] == [
        (True, WORDS["done_join_later"][0]), (False, WORDS["joined_before"][0]),
    ]  # fmt: skip
    eventually(lambda: waiting(centre), 0)
    sql = "SELECT data, unit FROM event WHERE source = '/board' AND type = 'vn.ioc.report.refused.v1'"
    told = {"code": TWIN, "reason": "duplicate", "duplicate_of": MASTER}
    eventually(lambda: query(centre, sql), [(told, WARD)])
    wait_until_idle(centre)
    assert [row["into"] for row in noted(centre, TWIN, "report.joined")] == [MASTER]
    assert f"/worklist/report/{TWIN}" in operator.get(f"/worklist/report/{MASTER}").text
    again = do(operator, "/worklist/do/join", f"report:{TWIN}", f"dossier:{STOPPED}", into=FAR)["rows"]
    assert [row["said"] for row in again] == [WORDS["report_not_open"][0], WORDS["no_report"][0]]


def test_an_event_whose_acknowledgement_was_lost_is_sent_again_as_it_was(centre: Instance, home: str) -> None:
    before = quarantined(centre)
    centre.stop_process("board")
    try:
        with road_to(centre.ports["nats"]) as road, board_by(centre, nats_url=road) as (address, running):
            browser = entered(address, "deeds-operator")
            eventually(lambda: WORDS["broker"][0] in browser.get("/").text, False)
            road.answers = "lose"
            assert extend(browser, DEAF)["done"]
            eventually(lambda: len(stored(centre, DEAF)), 1)
            assert not extend(browser, DEAF, DAY + timedelta(days=7))["done"]
            assert (waiting(centre), road.lost > 0) == (1, True)
            running.kill()
    finally:
        centre.start_process("board")
    eventually(lambda: waiting(centre), 0)
    wait_until_idle(centre)
    assert [day[:10] for day in stored(centre, DEAF)] == [DAY.isoformat()]
    assert quarantined(centre) == before


def test_the_letter_of_a_simulated_dossier_says_so(centre: Instance, operator: Browser) -> None:
    centre.wait_ready("board")
    assert extend(operator, SIMULATED)["done"]
    mark = f"{WORDS['simulated'][0]} – KHÔNG CÓ GIÁ TRỊ PHÁP LÝ"
    assert mark in letter(operator, SIMULATED)
    assert mark not in letter(operator, DEAF)


def test_a_letter_is_offered_only_where_the_board_wrote_one(centre: Instance, operator: Browser) -> None:
    new_date = event(DossierExtended(code=ELSEWHERE, promised_at=now() + timedelta(days=40)), WARD, now())
    send(centre, late(ELSEWHERE), new_date)
    wait_until_idle(centre)
    page = operator.get(f"/worklist/dossier/{ELSEWHERE}")
    assert page.status_code == 200
    assert "apology" not in page.text
    assert f"/worklist/apology?code={SIMULATED}" in operator.get(f"/worklist/dossier/{SIMULATED}").text


def test_a_database_that_is_lost_on_the_way_leaves_each_row_its_outcome(centre: Instance, home: str) -> None:
    keys = [f"dossier:{code}" for code in (WITHOUT, NEW, DEAF)]
    with road_to(centre.ports["timescaledb"]) as road, board_by(centre, database_url=road) as (address, _):
        browser, road.trap = entered(address, "deeds-operator"), f"{NEW}/extended".encode()
        told = do(browser, "/worklist/do/extend", *keys, day=DAY.isoformat(), note="Chờ cơ quan phối hợp")["rows"]
    assert [row["done"] for row in told] == [True, False, False]
    assert [row["said"] for row in told[1:]] == [WORDS["store_away"][0], WORDS["not_tried"][0]]
    assert (len(noted(centre, WITHOUT, "dossier.extended")), noted(centre, NEW, "dossier.extended")) == (1, [])
    eventually(lambda: len(stored(centre, WITHOUT)), 1)
