"""Programs that speak Open311 GeoReport v2, as they meet the centre: real HTTP, broker and database."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from xml.etree import ElementTree

import httpx
import psycopg
import pytest
from holders import Holder, holding, is_stored
from support import free_port, output_of, serving, wait_until_idle
from visitors import Browser, add_account, board, entered

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.centre.prepare import settings_of

WARD, OTHER = "phuong_chon_thanh", "phuong_binh_long"
NUMBERS = count(int(time.time()) % 10_000 * 100)


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, "aggregator", "emitters"):
        yield centre


@pytest.fixture(scope="module")
def holder(running: Instance) -> Iterator[Holder]:
    """Reports in one ward."""
    with holding(running, "--system", "field", "--units", WARD, "--rate", "500") as holder:
        yield holder


@pytest.fixture(scope="module")
def city(running: Instance) -> Iterator[Holder]:
    """Reports everywhere."""
    with holding(running, "--system", "field", "--rate", "500") as holder:
        yield holder


def number() -> str:
    return f"PA-9{next(NUMBERS)}"


def event(holder: Holder, code: str, name: str, unit: str = WARD, days: float = 1, **data: Any) -> None:
    """What becomes of a report, told by the same key as an event."""
    said = {
        "specversion": "1.0",
        "id": f"{code}/{name}",
        "source": holder.source,
        "type": f"vn.ioc.report.{name}.v1",
        "time": (datetime.now(UTC) - timedelta(days=days)).isoformat(),
        "unit": unit,
        "data": {"code": code, **data},
    }
    answer = holder.send(said)
    assert answer.status_code == 202, answer.text


def received(holder: Holder, unit: str = WARD, days: float = 1, **data: Any) -> str:
    code = number()
    event(holder, code, "received", unit, days, channel="app", **{"category": "lighting"} | data)
    return code


def get(holder: Holder, path: str, **said: Any) -> httpx.Response:
    return holder.door.get(f"/open311/v2/{path}", params=said)


def ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {one["service_request_id"] for one in answer.json()}


def problem(answer: httpx.Response) -> tuple[int, str]:
    (said,) = answer.json()
    assert said["code"] == answer.status_code
    return said["code"], said["description"]


# --- what may be reported ---


def test_who_has_no_key_finds_the_way_in_and_what_may_be_reported(running: Instance) -> None:
    home = f"http://127.0.0.1:{running.ports['emitters']}/open311"
    (endpoint,) = httpx.get(f"{home}/discovery.json").json()["endpoints"]
    assert endpoint["url"] == f"{home}/v2" and "text/xml" in endpoint["formats"][1]
    services = httpx.get(f"{endpoint['url']}/services.json").json()
    assert {"road", "lighting", "waste"} <= {one["service_code"] for one in services}
    tree = ElementTree.fromstring(httpx.get(f"{endpoint['url']}/services.xml", params={"locale": "en"}).content)
    assert tree.findtext("service[2]/service_name") == "Lighting"
    definition = httpx.get(f"{endpoint['url']}/services/road.json").json()
    assert [one["code"] for one in definition["attributes"]] == ["priority", "channel", "client_id"]
    for path, names in (("services/dragons", "service_code"), ("services", "jurisdiction_id")):
        answer = httpx.get(f"{endpoint['url']}/{path}.xml", params={"jurisdiction_id": "nowhere"})
        assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/xml")
        said = ElementTree.fromstring(answer.content)
        assert said.findtext("error/code") == "404" and "jurisdiction_id" in (said.findtext("error/description") or "")
        assert names in problem(httpx.get(f"{endpoint['url']}/{path}.json", params=_only(names)))[1]
    assert problem(httpx.get(f"{endpoint['url']}/services.yaml"))[0] == 404


def _only(name: str) -> dict[str, str]:
    return {name: "nowhere"} if name == "jurisdiction_id" else {}


PHOTO = "https://anh.example.org/2026/den-hong.jpg"


def test_a_photo_is_seen_by_who_is_logged_in_and_told_by_no_answer(running: Instance, holder: Holder) -> None:
    answer = post(holder, media_url=PHOTO)
    assert answer.status_code == 200 and answer.json()[0]["service_notice"] is None
    id = answer.json()[0]["service_request_id"]
    wait_until_idle(running)
    assert PHOTO not in get(holder, f"requests/{id}.json", extensions="true").text
    add_account(running, "photo-ward", "viewer", units=(WARD,))
    add_account(running, "photo-other", "viewer", units=(OTHER,))
    with board(running) as home:
        assert f'href="{PHOTO}"' in entered(home, "photo-ward").get(f"/worklist/report/{id}").text
        assert entered(home, "photo-other").get(f"/worklist/report/{id}").status_code == 404
        assert PHOTO not in Browser(home).get(f"/worklist/report/{id}").text
    event(holder, id, "resolved", days=0, handling="handled")
    wait_until_idle(running)
    output_of(running, "erase", "case", "report", id, "--reason", "thư 12/2026", "--yes")
    owner = settings_of(running, "cli").database("owner")
    with psycopg.connect(owner) as conn:
        assert conn.execute("SELECT count(*) FROM report_photo WHERE report = %s", [id]).fetchone() == (0,)


# --- what became of reports ---


def test_a_list_is_narrowed_by_service_status_period_and_unit(running: Instance, holder: Holder, city: Holder) -> None:
    before = ids(get(city, "requests.json"))
    received(holder, latitude=11.4123456, longitude=106.6543219)
    done = received(holder, category="water")
    event(holder, done, "resolved", days=0.5, handling="handled")
    received(city, unit=OTHER)
    received(holder, days=120)
    wait_until_idle(running)
    new = [one for one in get(city, "requests.json").json() if one["service_request_id"] not in before]
    assert [one["status"] for one in new].count("closed") == 1 and len(new) == 3
    closed = next(one for one in new if one["status"] == "closed")
    assert (closed["service_code"], closed["status_notes"]) == ("water", "đã trả kết quả")
    place = next(one for one in new if one["lat"])
    assert (place["lat"], place["long"], place["service_name"]) == (11.412, 106.654, "Chiếu sáng")
    assert not {"description", "address", "media_url"} & {name for name, value in place.items() if value}
    assert closed["service_request_id"] in ids(get(city, "requests.json", status="closed", service_code="water"))
    assert closed["service_request_id"] not in ids(get(city, "requests.json", status="open"))
    assert closed["service_request_id"] not in ids(get(city, "requests.json", service_code="road,waste"))
    own, theirs = ids(get(holder, "requests.json")), ids(get(city, "requests.json", jurisdiction_id=OTHER))
    assert len({one["service_request_id"] for one in new} & own) == 2 and not own & theirs
    old = (datetime.now(UTC) - timedelta(days=121)).isoformat()
    assert len(ids(get(city, "requests.json", start_date=old)) - own - theirs) >= 1
    assert problem(get(holder, "requests.json", jurisdiction_id=OTHER))[0] == 403


def test_a_report_is_found_by_its_id_which_is_no_number_of_an_office(
    running: Instance, holder: Holder, city: Holder
) -> None:
    before = ids(get(holder, "requests.json"))
    code = received(holder)
    received(city, unit=OTHER)
    wait_until_idle(running)
    (id,) = ids(get(holder, "requests.json")) - before
    assert id.startswith("PA-") and code not in id
    (one,) = get(holder, f"requests/{id}.json", extensions="true").json()
    assert one["extended_attributes"] == {"channel": "app", "priority": "normal", "unit": WARD, "origin": "real"}
    tree = ElementTree.fromstring(get(holder, f"requests/{id}.xml").content)
    assert tree.tag == "service_requests" and tree.findtext("request/service_request_id") == id
    assert get(holder, f"tokens/{id}.json").json() == [{"service_request_id": id, "token": id}]
    assert ids(get(holder, "requests.json", service_request_id=f"{id},PA-260101-000000000000")) == {id}
    alien = min(ids(get(city, "requests.json", jurisdiction_id=OTHER)))
    for unseen in (code, "PA-••••", alien):
        assert problem(get(holder, f"requests/{unseen}.json"))[0] == 404
        assert problem(get(holder, f"tokens/{unseen}.json"))[0] == 404


def _ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def test_who_has_no_key_of_the_system_sees_no_report(running: Instance, holder: Holder) -> None:
    address = f"http://127.0.0.1:{running.ports['emitters']}/open311/v2/requests.json"
    clinic = Holder(running, "--system", "health")
    for said in ({}, {"api_key": "iock_" + "x" * 43}, {"api_key": clinic.secret}):
        answer = httpx.get(address, params=said)
        assert problem(answer)[0] == 403 and "api_key" in problem(answer)[1]
    assert httpx.get(address, params={"api_key": holder.secret}).status_code == 200
    clinic.said("revoke", clinic.name)


def test_a_key_asks_no_more_than_it_may(running: Instance) -> None:
    slow = Holder(running, "--system", "field", "--rate", "0.02")
    first, second = (get(slow, "requests.json", start_date=_ago(minutes=1)) for _ in range(2))
    assert first.status_code == 200
    assert problem(second)[0] == 429 and 1 <= int(second.headers["Retry-After"]) <= 50
    slow.said("revoke", slow.name)


# --- a report comes in ---


def post(holder: Holder, form: str = "json", mark: str = "", **said: str) -> httpx.Response:
    fields = {"service_code": "lighting", "lat": "11.41", "long": "106.61", "api_key": holder.secret} | said
    headers = {"Authorization": "", **({"Idempotency-Key": mark} if mark else {})}
    return holder.door.post(f"/open311/v2/requests.{form}", data=fields, headers=headers)


def given(answer: httpx.Response) -> tuple[str, str | None]:
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()
    return one["service_request_id"], one["service_notice"]


def test_a_report_is_taken_counted_and_told_as_it_goes_on(running: Instance, holder: Holder) -> None:
    id, notice = given(post(holder, lat="11.5", long="106.7", **{"attribute[priority]": "urgent"}))
    assert notice is None
    assert is_stored(running, {"source": holder.source, "id": f"{id}/received"})
    wait_until_idle(running)
    (one,) = get(holder, f"requests/{id}.json", extensions="true").json()
    assert (one["service_request_id"], one["status"], one["status_notes"]) == (id, "open", "mới tiếp nhận")
    assert one["extended_attributes"]["priority"] == "urgent" and one["agency_responsible"] == "Phường Chơn Thành"
    event(holder, id, "resolved", days=0)
    wait_until_idle(running)
    (one,) = get(holder, "requests.json", service_request_id=id).json()
    assert (one["status"], one["status_notes"]) == ("closed", "đã trả kết quả")


def test_what_is_of_a_person_is_nowhere_afterwards(running: Instance, holder: Holder) -> None:
    secrets = {"first_name": "Trương", "last_name": "Tam", "phone": "0987654321", "email": "tam@example.vn"}
    words = "Đèn hỏng từ tuần trước, xin gọi 0987 654 321"
    answer = post(holder, description=words, address_string="12 Nguyễn Huệ", locale="en", **secrets)
    id, notice = given(answer)
    assert notice and "description is not kept" in notice and "personal data" in notice and "address" in notice
    assert is_stored(running, {"source": holder.source, "id": f"{id}/received"})
    with psycopg.connect(settings_of(running, "cli").database("reader"), autocommit=True) as conn:
        rows = conn.execute("SELECT data::text FROM event WHERE id = %s", [f"{id}/received"]).fetchall()
    kept = str(rows) + running.log("emitters").read_text() + running.log("aggregator").read_text() + answer.text
    assert not [said for said in (*secrets.values(), words, "Nguyễn Huệ", "0987 654 321") if said in kept]
    metrics = httpx.get(f"http://127.0.0.1:{running.ports['health_emitters']}/metrics").text
    assert 'ioc_emitter_dropped_total{emitter="open311",field="phone"}' in metrics


def test_sent_again_it_is_one_report_only_with_a_mark(running: Instance, holder: Holder) -> None:
    once = given(post(holder, mark="m-1"))[0]
    assert given(post(holder, mark="m-1"))[0] == once
    assert given(post(holder, **{"attribute[client_id]": "m-1"}))[0] == once
    others = {given(post(holder, mark="m-1", service_code="road"))[0], given(post(holder, mark="m-2"))[0]}
    others |= {given(post(holder))[0], given(post(holder))[0]}
    assert len(others - {once}) == 4
    assert is_stored(running, {"source": holder.source, "id": f"{once}/received"})
    wait_until_idle(running)
    running.stop_process("emitters")
    running.start_services(["emitters"])
    holder.until_opened()
    assert given(post(holder, mark="m-1"))[0] == once
    wait_until_idle(running)
    with psycopg.connect(settings_of(running, "cli").database("reader"), autocommit=True) as conn:
        rows = conn.execute(
            "SELECT FROM event WHERE source = %s AND id LIKE %s", [holder.source, f"{once}%"]
        ).fetchall()
    assert len(rows) == 1


def test_what_is_open_nearby_is_named(running: Instance, holder: Holder, ioc: Callable[..., Any]) -> None:
    made_up = {
        "specversion": "1.0", "id": number(), "source": "/test/open311", "type": "vn.ioc.report.received.v1",
        "time": _ago(hours=1), "unit": WARD, "origin": "simulated",
        "data": {"code": number(), "channel": "app", "category": "waste", "latitude": 11.6, "longitude": 106.8},
    }  # fmt: skip
    assert "sent 1" in ioc("emit", "-", input=json.dumps(made_up)).stdout
    first, _ = given(post(holder, lat="11.6", long="106.8", service_code="waste"))
    far, _ = given(post(holder, lat="11.603", long="106.8", service_code="waste"))
    wait_until_idle(running)
    near = {"lat": "11.6004", "long": "106.8003"}
    answer = post(holder, service_code="waste", **near)
    id, notice = given(answer)
    assert notice and first in notice and far not in notice and id not in notice
    assert answer.json()[0]["extended_attributes"] == {"possible_duplicates": [first]}
    other = post(holder, service_code="road", **near)
    assert given(other)[1] is None and "extended_attributes" not in other.json()[0]


def test_a_report_that_is_joined_to_another_leads_there_and_counts_apart(
    running: Instance, holder: Holder, ioc: Callable[..., Any]
) -> None:
    def figures() -> dict[str, int]:
        codes = ("received", "in_progress", "duplicate", "duplicates_waiting", "resolved")
        read = (ioc("query", f"reports_{code}", "--unit", WARD, "--format", "json").stdout for code in codes)
        return {code: int(json.loads(one)["readings"][0]["value"] or 0) for code, one in zip(codes, read, strict=True)}

    master = received(holder, days=0.01)
    wait_until_idle(running)
    before = figures()
    id, _ = given(post(holder, lat="11.7", long="106.9"))
    event(holder, id, "refused", days=0, reason="duplicate", duplicate_of=master)
    wait_until_idle(running)
    (joined,) = get(holder, f"requests/{id}.json", locale="en", extensions="true").json()
    assert (joined["status"], joined["status_notes"]) == ("closed", "duplicate")
    leads = joined["extended_attributes"]["duplicate_of"]
    assert leads in joined["service_notice"] and master not in str(joined)
    assert get(holder, f"requests/{leads}.json").json()[0]["status"] == "open"
    moved = {code: number - before[code] for code, number in figures().items()}
    assert moved == {"received": 1, "in_progress": 0, "duplicate": 1, "duplicates_waiting": 1, "resolved": 0}
    event(holder, master, "resolved", days=0, handling="handled")
    wait_until_idle(running)
    moved = {code: number - before[code] for code, number in figures().items()}
    assert moved == {"received": 1, "in_progress": -1, "duplicate": 1, "duplicates_waiting": 0, "resolved": 1}


@pytest.mark.parametrize(
    ("said", "status", "names"),
    [
        ({"api_key": ""}, 403, "api_key"),
        ({"jurisdiction_id": OTHER}, 403, "unit"),
        ({"jurisdiction_id": "nowhere"}, 404, "jurisdiction_id"),
        ({"service_code": "dragons"}, 404, "service_code"),
        ({"service_code": ""}, 400, "service_code"),
        ({"lat": "51.5", "long": "0.1"}, 400, "latitude"),
        ({"lat": "", "long": ""}, 400, "lat and long"),
        ({"colour": "red"}, 400, "colour"),
        ({"description": "x" * 70_000}, 413, "65,536"),
    ],
)
def test_a_report_that_cannot_be_taken_is_refused_with_its_reason(
    holder: Holder, said: dict[str, str], status: int, names: str
) -> None:
    answer = post(holder, **said)
    assert answer.status_code == status, answer.text
    assert names in answer.json()[0]["description"]
    tree = ElementTree.fromstring(post(holder, "xml", **said).content)
    assert tree.tag == "errors" and tree.findtext("error/code") == str(status)


def test_a_photo_that_is_uploaded_is_refused(holder: Holder) -> None:
    answer = holder.door.post("/open311/v2/requests.json", data={"lat": "1"}, files={"media": b"\xff\xd8"})
    assert problem(answer)[0] == 400 and "media_url" in problem(answer)[1]


def test_a_key_of_several_units_names_the_one(running: Instance, city: Holder) -> None:
    assert "jurisdiction_id" in problem(post(city))[1]
    id, _ = given(post(city, jurisdiction_id=OTHER))
    assert is_stored(running, {"source": city.source, "id": f"{id}/received"})
    wait_until_idle(running)
    assert id in ids(get(city, "requests.json", jurisdiction_id=OTHER))


# --- a centre that shows reports to everybody, and one without its database ---


@contextmanager
def emitters_beside(running: Instance, **variables: str) -> Iterator[str]:
    """The address of a process of its own for those who have keys, with other settings."""
    port, health = free_port(), free_port()
    env = running.env("emitters") | {"IOC_EMITTERS_PORT": str(port), "IOC_HEALTH_PORT": str(health)} | variables
    beside = subprocess.Popen([sys.executable, "-m", "services.ingest", "keys"], env=env, cwd=CHECKOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            until(lambda: client.get(f"{address}/open311/v2/requests.json").status_code != 503)
        yield address
    finally:
        beside.terminate()
        beside.wait(timeout=15)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_where_the_operator_says_so_everybody_reads_and_nobody_writes(running: Instance, holder: Holder) -> None:
    id, _ = given(post(holder))
    wait_until_idle(running)
    with emitters_beside(running, IOC_OPEN311_PUBLIC="true") as address:
        assert id in ids(httpx.get(f"{address}/open311/v2/requests.json"))
        assert problem(httpx.post(f"{address}/open311/v2/requests.json", data={"lat": "1"}))[0] == 403
        assert ElementTree.fromstring(httpx.get(f"{address}/open311/v2/requests/{id}.xml").content).tag


def test_while_the_database_is_away_reports_are_taken_and_questions_put_off(running: Instance) -> None:
    own = Holder(running, "--system", "field", "--units", WARD)
    running.stop_process("timescaledb")
    try:
        answer = get(own, "requests.json")
        assert problem(answer)[0] == 503 and int(answer.headers["Retry-After"]) >= 1
        id, _ = given(post(own, mark="m-9"))
    finally:
        running.start_process("timescaledb")
        running.wait_ready("timescaledb", 30)
    assert is_stored(running, {"source": own.source, "id": f"{id}/received"})
