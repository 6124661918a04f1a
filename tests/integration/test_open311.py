"""Programs that speak Open311 GeoReport v2, as they meet the centre: real HTTP, broker and database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from holders import Holder
from support import wait_until_idle

from infra.local.servers import Instance

WARD, OTHER = "phuong_chon_thanh", "phuong_binh_long"
NUMBERS = count(int(time.time()) % 10_000 * 100)


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    try:
        centre.start_services(["aggregator", "emitters"])
        yield centre
    finally:
        for name in ("emitters", "aggregator"):
            centre.stop_process(name)


@pytest.fixture(scope="module")
def holder(running: Instance) -> Iterator[Holder]:
    """Reports in one ward."""
    holder = Holder(running, "--system", "field", "--units", WARD, "--rate", "500")
    yield holder
    holder.door.close()
    holder.said("revoke", holder.name)


@pytest.fixture(scope="module")
def city(running: Instance) -> Iterator[Holder]:
    """Reports everywhere."""
    holder = Holder(running, "--system", "field", "--rate", "500")
    yield holder
    holder.door.close()
    holder.said("revoke", holder.name)


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
