"""GeoReport v2 without servers: how documents are written, and what a list is asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from starlette.requests import Request

from schemas.keys import Bounds
from schemas.zone import VN
from services.ingest.keyring import Keyring
from services.ingest.open311 import catalogue, queries
from services.ingest.open311.documents import Given, GivenAlike, Problem, render, written
from services.ingest.open311.reports import Row, told
from services.ingest.open311.router import ANONYMOUS_RATE, Doorkeeper, language_of
from services.ingest.router import Refused
from services.kit import store
from services.kit.settings import Settings

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
WARD, OTHER = "phuong_chon_thanh", "phuong_binh_long"
ROW = Row(
    "PA-261124-0A1B2C3D4E5F", "lighting", "app", "normal", "routed", WARD, WARD, "real",
    NOW - timedelta(days=1), NOW + timedelta(days=4), None, NOW - timedelta(hours=2), 11.412, 106.653, None,
)  # fmt: skip


def xml(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)


def refusal(**said: str) -> Refused:
    with pytest.raises(Refused) as caught:
        queries.query(said, NOW)
    return caught.value


def test_a_list_of_services_is_the_same_in_both_forms() -> None:
    services: list[Any] = list(catalogue.services("vi"))
    plain = json.loads(render(services, "services", "json"))
    root = xml(render(services, "services", "xml"))
    assert root.tag == "services" and {part.tag for part in root} == {"service"}
    assert [{field.tag: field.text for field in part} for part in root] == [
        {name: {True: "true", False: "false"}.get(value, value) for name, value in one.items()} for one in plain
    ]
    assert plain[1]["service_code"] == "lighting" and plain[1]["service_name"] == "Chiếu sáng"
    assert catalogue.services("en")[1].service_name == "Lighting"


def test_a_definition_lists_its_attributes_and_their_values() -> None:
    root = xml(render(catalogue.definition("road", "en"), "service_definition", "xml"))
    assert root.tag == "service_definition" and root.findtext("service_code") == "road"
    priority = root.find("attributes/attribute")
    assert priority is not None and priority.findtext("code") == "priority"
    assert [value.findtext("key") for value in priority.findall("values/value")] == ["urgent", "normal"]
    assert [field.findtext("required") for field in root.iter("attribute")] == ["false"] * 3


def test_a_report_is_told_in_the_words_of_the_standard() -> None:
    plain = json.loads(render([told(ROW, "en")], "service_requests", "json"))[0]
    assert plain["service_request_id"] == ROW.id
    assert (plain["status"], plain["status_notes"], plain["service_name"]) == ("open", "routed", "Lighting")
    assert plain["requested_datetime"] == "2026-11-24T10:00:00+07:00"
    assert plain["updated_datetime"] == "2026-11-25T08:00:00+07:00"
    assert (plain["lat"], plain["long"], plain["description"], plain["media_url"]) == (11.412, 106.653, None, None)
    assert "extended_attributes" not in plain
    root = xml(render([told(ROW, "vi", extended=True)], "service_requests", "xml"))
    assert root.findtext("request/extended_attributes/unit") == WARD
    assert root.find("request/description") is not None and root.findtext("request/description") == ""


def test_a_report_that_was_joined_to_another_says_where_its_result_is_told() -> None:
    joined = ROW._replace(status="refused", ended_at=NOW, duplicate_of="PA-261124-BCDFGHJKLMNPQRST")
    root = xml(render([told(joined, "en", extended=True)], "service_requests", "xml"))
    assert (root.findtext("request/status"), root.findtext("request/status_notes")) == ("closed", "duplicate")
    assert "PA-261124-BCDFGHJKLMNPQRST" in (root.findtext("request/service_notice") or "")
    assert root.findtext("request/extended_attributes/duplicate_of") == "PA-261124-BCDFGHJKLMNPQRST"


def test_what_may_be_the_same_is_an_attribute_that_others_pass_by() -> None:
    more: dict[str, Any] = {"extended_attributes": {"possible_duplicates": ["PA-1", "PA-2"]}}
    alike = GivenAlike(service_request_id="PA-3", service_notice=None, **more)
    plain = json.loads(render([Given(service_request_id="PA-3", service_notice=None)], "service_requests", "json"))
    assert json.loads(render([alike], "service_requests", "json")) == [plain[0] | more]
    root = xml(render([alike], "service_requests", "xml"))
    path = "request/extended_attributes/possible_duplicates/service_request_id"
    assert [one.text for one in root.findall(path)] == ["PA-1", "PA-2"]


def test_a_report_that_ended_is_closed_since_then() -> None:
    ended = ROW._replace(status="resolved", ended_at=NOW - timedelta(hours=3))
    request = told(ended, "vi")
    assert (request.status, request.status_notes) == ("closed", "đã trả kết quả")
    assert request.updated_datetime == written(NOW - timedelta(hours=3))


def test_a_report_that_is_not_real_says_so() -> None:
    assert told(ROW, "en").service_notice is None
    assert "no real report" in (told(ROW._replace(origin="simulated"), "en").service_notice or "")


def test_nothing_that_is_said_breaks_the_xml() -> None:
    said = 'a <b> & "c" \x00\x1b\ud800 ]]> ế'
    root = xml(render([Problem(code=400, description=said)], "errors", "xml"))
    assert root.findtext("error/code") == "400"
    assert root.findtext("error/description") == 'a <b> & "c" \ufffd\ufffd\ufffd ]]> ế'


def test_without_a_period_the_last_ninety_days_are_meant() -> None:
    asked = queries.query({}, NOW)
    assert asked.until - asked.since == timedelta(days=90, microseconds=1) and asked.until > NOW


@pytest.mark.parametrize(
    ("said", "since", "until"),
    [
        ({"start_date": "2026-11-20"}, datetime(2026, 11, 20, tzinfo=VN), NOW),
        ({"start_date": "2026-01-01T00:00:00Z"}, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        ({"end_date": "2026-05-01T00:00:00 07:00"}, datetime(2026, 1, 31, tzinfo=VN), datetime(2026, 5, 1, tzinfo=VN)),
    ],
)
def test_a_period_that_is_open_at_one_side_is_ninety_days_at_most(
    said: dict[str, str], since: datetime, until: datetime
) -> None:
    asked = queries.query(said, NOW)
    assert (asked.since, asked.until - timedelta(microseconds=1)) == (since, until)


@pytest.mark.parametrize(
    ("said", "status", "names"),
    [
        ({"start_date": "2026-01-01", "end_date": "2026-06-01"}, 400, "at most 90 days"),
        ({"start_date": "2026-11-20", "end_date": "2026-11-01"}, 400, "start_date"),
        ({"start_date": "2027-11-20"}, 400, "start_date"),
        ({"end_date": "11/13/2026"}, 400, "end_date"),
        ({"status": "pending"}, 400, "status"),
        ({"service_code": "road,dragons"}, 404, "service_code"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_name(said: dict[str, str], status: int, names: str) -> None:
    refused = refusal(**said)
    assert refused.status == status and names in refused.problem.reasons[0]


def test_services_and_statuses_are_lists_with_commas() -> None:
    asked = queries.query({"service_code": "road, lighting", "status": "open"}, NOW)
    assert (asked.categories, asked.statuses) == (("road", "lighting"), ("open",))


def test_an_id_tells_its_day() -> None:
    assert queries.day_of(ROW.id) == datetime(2026, 11, 24, tzinfo=VN)
    assert [queries.day_of(id) for id in ("PA-••••", "PA-269999-0A1B2C3D4E5F", "'; DROP TABLE entity", "")] == [
        None
    ] * 4
    with pytest.raises(Refused):
        queries.ids(",".join(map(str, range(51))))


def test_whose_reports_are_shown_follows_from_the_key_and_the_jurisdiction() -> None:
    key = Bounds("k", "/k", ("field",), (WARD,))
    assert queries.scope("", None) is None
    assert WARD in (queries.scope("", key) or []) and OTHER not in (queries.scope("", key) or [])
    assert queries.scope(OTHER, None) and queries.scope(WARD, key) == queries.scope("", key)
    for jurisdiction, status in ((OTHER, 403), ("nowhere", 404)):
        with pytest.raises(Refused) as caught:
            queries.scope(jurisdiction, key)
        assert caught.value.status == status


def request(**headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})


def test_all_who_need_no_key_share_a_bound_and_where_one_is_needed_nobody_enters_without() -> None:
    keyring = Keyring(store.pool(Settings(), "emitters"), 1e6)
    public, shut = Doorkeeper(keyring, True), Doorkeeper(keyring, False)
    asked = 0
    with pytest.raises(Refused) as caught:
        while asked < ANONYMOUS_RATE * 60:
            assert public.reader(request()) is None
            asked += 1
    assert caught.value.status == 429 and caught.value.headers and asked >= ANONYMOUS_RATE * 10
    with pytest.raises(Refused) as caught:
        shut.reader(request())
    assert caught.value.status == 403 and "api_key" in caught.value.problem.reasons[0]


@pytest.mark.parametrize(
    ("accepts", "said", "language"),
    [("", {}, "vi"), ("en-GB,en;q=0.9", {}, "en"), ("vi", {"locale": "en"}, "en"), ("en", {"locale": "vi"}, "vi")],
)
def test_words_are_vietnamese_unless_english_is_asked_for(accepts: str, said: dict[str, str], language: str) -> None:
    assert language_of(request(**{"accept-language": accepts}), said) == language
