"""The emitters as a source system meets them: real HTTP, a real broker, and the broker stopped."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from support import hanging

from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import bus, store

NUMBERS = count(int(time.time()) % 1000 * 100)
UNIT = "phuong_chon_thanh"


def at(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def dossier() -> dict[str, Any]:
    code = f"H99.98-261101-{next(NUMBERS):06}"
    return {"code": code, "status": 1, "at": at(hours=1), "unit": UNIT, "procedure": "2.000815", "field": "chung_thuc"}


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    try:
        centre.start_services(["emitters"])
        yield centre
    finally:
        centre.stop_process("emitters")


@pytest.fixture
def door(running: Instance) -> Iterator[httpx.Client]:
    """Speaks as the procedures system."""
    with httpx.Client(base_url=f"http://127.0.0.1:{running.ports['emitters']}", timeout=20) as client:
        client.headers["Authorization"] = f"Bearer {running.password('emitter_procedures')}"
        yield client


def stored(centre: Instance, subject: str) -> int:
    """How many messages the stream of events holds under a subject."""

    async def ask() -> int:
        async with bus.connected(settings_of(centre, "monitor"), "test") as client:
            state = (await client.jetstream().stream_info("EVENTS", subjects_filter=subject)).state
            return sum((state.subjects or {}).values())

    return asyncio.run(ask())


def test_a_dossier_is_accepted_when_it_is_on_disk_and_known_when_told_again(
    running: Instance, door: httpx.Client
) -> None:
    words, subject = dossier(), f"ioc.events.{UNIT}.procedures.dossier.submitted"
    before = stored(running, subject)
    first, again = (door.post("/procedures/dossiers", json=words) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    body = first.json()
    assert body | {"stream_sequence": 0} == {
        "id": f"{words['code']}/1/{words['at']}",
        "type": "vn.ioc.dossier.submitted.v1",
        "subject": subject,
        "stream_sequence": 0,
        "known": False,
    }
    assert again.json() == body | {"known": True}
    assert stored(running, subject) == before + 1


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        (
            "payments",
            "/payments",
            {"transaction": "TXN-9001", "kind": "fee", "amount": 5000, "method": "card", "unit": UNIT, "paid_at": at()},
        ),
        (
            "field",
            "/field/reports",
            {"code": "PA-9001", "reported_at": at(), "unit": UNIT, "channel": "app", "category": "waste"},
        ),
    ],
)
def test_each_system_has_a_door_and_a_key_of_its_own(
    running: Instance, door: httpx.Client, name: str, path: str, words: dict[str, Any]
) -> None:
    assert door.post(path, json=words).status_code == 401
    key = {"Authorization": f"Bearer {running.password(f'emitter_{name}')}"}
    assert door.post(path, json=words, headers=key).status_code == 202


@pytest.mark.parametrize("key", [None, "Bearer wrong", "Bearer", "Basic eDp5", "Bearer \u00e9"])
def test_without_the_key_nothing_is_read(door: httpx.Client, key: str | None) -> None:
    del door.headers["Authorization"]
    headers = {"Authorization": key.encode()} if key else {}
    answer = door.post("/procedures/dossiers", content=b"{", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "emitter_procedures" in answer.json()["reasons"][0]


def test_wrong_words_are_answered_with_every_reason(door: httpx.Client) -> None:
    answer = door.post("/procedures/dossiers", json=dossier() | {"status": 12, "phone": "0912345678"})
    assert answer.status_code == 422
    assert answer.json() == {
        "code": "bad_words",
        "reasons": ["status: Input should be 1, 2, 3, 4, 5, 6, 7, 8, 9 or 10", "phone: is not expected here"],
    }


def test_broken_json_is_answered_400(door: httpx.Client) -> None:
    answer = door.post("/procedures/dossiers", content=b'{"code": ')
    assert (answer.status_code, answer.json()["code"]) == (400, "not_json")


@pytest.mark.parametrize("size", [257 * 1024, 5 * 2**20])
def test_a_body_that_is_too_large_is_answered_413(door: httpx.Client, size: int) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b" " * 65536 for _ in range(size // 65536 + 1))

    for content in (b" " * size, chunks()):
        answer = door.post("/procedures/dossiers", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert door.post("/procedures/dossiers", json=dossier()).status_code == 202


def test_a_sender_who_hangs_up_does_no_harm(running: Instance, door: httpx.Client) -> None:
    before = len(running.log("emitters").read_text())
    with socket.create_connection(("127.0.0.1", running.ports["emitters"])) as caller:
        key = running.password("emitter_procedures")
        head = ("POST /procedures/dossiers HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", "Content-Length: 99")
        caller.sendall("\r\n".join((*head, "", "{")).encode())
    assert door.post("/procedures/dossiers", json=dossier()).status_code == 202
    assert "Traceback" not in running.log("emitters").read_text()[before:]


def test_the_doors_are_documented_without_help_from_elsewhere(door: httpx.Client) -> None:
    documented = door.get("/openapi.json").json()
    status = documented["paths"]["/procedures/dossiers"]["post"]
    words = status["requestBody"]["content"]["application/json"]["schema"]
    assert {"code", "status", "at", "unit"} == set(words["required"])
    assert {"202", "401", "413", "422", "503"} <= set(status["responses"])
    rating = documented["paths"]["/procedures/dossiers/{code}/rating"]["post"]
    assert [p["name"] for p in rating["parameters"]] == ["code"]
    assert door.get("/docs").status_code == 404


def test_what_happens_at_the_door_is_counted(running: Instance, door: httpx.Client) -> None:
    door.post("/procedures/dossiers", json=dossier())
    door.post("/procedures/dossiers", json={})
    told = httpx.get(f"http://127.0.0.1:{running.ports['health_emitters']}/metrics").text
    assert 'ioc_emitter_events_total{emitter="procedures",result="stored"}' in told
    assert 'ioc_emitter_refused_total{code="bad_words",emitter="procedures"}' in told


def withdrawn() -> dict[str, Any]:
    return {key: value for key, value in dossier().items() if key not in ("procedure", "field")} | {"status": 7}


def refused_for_now(door: httpx.Client, words: dict[str, Any]) -> None:
    asked = time.monotonic()
    answer = door.post("/procedures/dossiers", json=words)
    assert time.monotonic() - asked < 2 * bus.PUBLISH_TIMEOUT
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), answer.text
    assert answer.json()["code"] == "unavailable"


def test_without_the_broker_the_answer_is_503_and_nothing_is_half_done(running: Instance, door: httpx.Client) -> None:
    words, subject = withdrawn(), f"ioc.events.{UNIT}.procedures.dossier.withdrawn"
    before = stored(running, subject)
    running.stop_process("nats")
    try:
        for _ in range(3):
            refused_for_now(door, words)
        time.sleep(1)
        health = httpx.get(f"http://127.0.0.1:{running.ports['health_emitters']}/health/ready")
        assert (health.status_code, health.json()["problem"]) == (503, "no connection to the broker")
    finally:
        running.start_process("nats")
        running.wait_ready("nats", 20)
        running.wait_ready("emitters", 20)
    time.sleep(1)  # whatever might still be sent behind our back has come by then
    assert stored(running, subject) == before
    answer = door.post("/procedures/dossiers", json=words)
    assert (answer.status_code, answer.json()["known"]) == (202, False)
    assert stored(running, subject) == before + 1


def test_a_broker_that_hangs_gets_the_event_once_however_often_it_is_sent(
    running: Instance, door: httpx.Client
) -> None:
    words, subject = withdrawn(), f"ioc.events.{UNIT}.procedures.dossier.withdrawn"
    before = stored(running, subject)
    with hanging(running.pid("nats") or 0):
        refused_for_now(door, words)
    # It lay in the broker's socket and is taken now, and comes once more: the same event, which the log takes once.
    again = door.post("/procedures/dossiers", json=words)
    assert (again.status_code, again.json()["known"]) == (202, False)
    assert before + 1 <= stored(running, subject) <= before + 2
    known = door.post("/procedures/dossiers", json=words)
    assert known.json() == again.json() | {"known": True}
    running.start_services(["aggregator"])
    try:
        sql, name = "SELECT count(*) FROM event WHERE id LIKE %s", f"{words['code']}/%"
        with store.connect(settings_of(running, "cli"), "reader") as conn:
            conn.autocommit, end = True, time.monotonic() + 60
            while (found := conn.execute(sql, [name]).fetchall()) != [(1,)]:
                assert time.monotonic() < end, found
                time.sleep(0.2)
    finally:
        running.stop_process("aggregator")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_one_emitter_alone_starts_before_the_broker_and_says_so(centre: Instance) -> None:
    port, health = free_port(), free_port()
    env = centre.env("emitters") | {"IOC_EMITTERS_PORT": str(port), "IOC_HEALTH_PORT": str(health)}
    env["IOC_NATS_URL"] = "nats://127.0.0.1:1"
    alone = subprocess.Popen([sys.executable, "-m", "services.ingest", "field"], env=env, stderr=subprocess.PIPE)
    try:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=8))
        assert set(client.get("/openapi.json").json()["paths"]) == {
            "/field/reports",
            "/field/reports/{code}/steps",
            "/field/reports/{code}/rating",
        }
        key = {"Authorization": f"Bearer {centre.password('emitter_field')}"}
        report = {"code": "PA-9002", "reported_at": at(), "unit": UNIT, "channel": "app", "category": "waste"}
        assert client.post("/field/reports", json=report, headers=key).status_code == 503
        assert httpx.get(f"http://127.0.0.1:{health}/health/live").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{health}/health/ready").status_code == 503
    finally:
        alone.terminate()
        assert b"Traceback" not in alone.communicate(timeout=15)[1]


@pytest.mark.parametrize(
    ("secrets", "arguments", "why"),
    [("", [], "there is no token for emitter_procedures"), ("", ["taxes"], "no emitter taxes; there are procedures")],
)
def test_a_door_that_cannot_be_locked_does_not_open(secrets: str, arguments: list[str], why: str) -> None:
    command = [sys.executable, "-m", "services.ingest", *arguments]
    done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and why in done.stderr and "Traceback" not in done.stderr


def test_the_key_is_not_in_the_log(running: Instance) -> None:
    assert running.password("emitter_procedures") not in running.log("emitters").read_text()
