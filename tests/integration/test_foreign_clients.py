"""Clients that nobody here wrote, as their own documentation uses them: what they send is taken, and what is answered
they understand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
import schemathesis
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import conversion
from cloudevents.v1.http import CloudEvent as OldCloudEvent
from georeport import GeoReport
from holders import Holder, holding, is_stored
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from support import serving, wait_until_idle
from test_open311 import emitters_beside

from infra.local.servers import Instance
from schemas.registry import SYSTEMS

WARD = "phuong_chon_thanh"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, "aggregator", "emitters"):
        yield centre


@pytest.fixture(scope="module")
def holder(running: Instance) -> Iterator[Holder]:
    with holding(running, "--system", "health", "--system", "field", "--units", WARD, "--rate", "500") as holder:
        yield holder


# --- CloudEvents' SDK ---


def of_today(attributes: dict[str, Any], data: dict[str, Any], binary: bool) -> tuple[dict[str, str], bytes]:
    message = (to_binary_event if binary else to_structured_event)(CloudEvent(attributes, data))
    return message.headers, message.body


def of_before(attributes: dict[str, Any], data: dict[str, Any], binary: bool) -> tuple[dict[str, str], bytes]:
    attributes = attributes | {"time": attributes["time"].isoformat()}
    return (conversion.to_binary if binary else conversion.to_structured)(OldCloudEvent(attributes, data))


@pytest.mark.parametrize("media", [None, "application/json", "application/vnd.clinic.visits+json; charset=utf-8"])
@pytest.mark.parametrize("binary", [False, True], ids=["structured", "binary"])
@pytest.mark.parametrize("sdk", [of_today, of_before])
def test_what_the_sdk_of_cloudevents_sends_is_stored(
    running: Instance, holder: Holder, sdk: Any, binary: bool, media: str | None
) -> None:
    number = next(NUMBERS)
    attributes = {
        "id": f"sdk-{number}",
        "source": f"{holder.source}/tr%E1%BA%A1m" if sdk is of_today else holder.source,  # the older one encodes none
        "type": "vn.ioc.visits.reported.v1",
        "time": datetime.now(UTC) - timedelta(hours=1),
        "unit": WARD,
        **({"datacontenttype": media} if media else {}),
    }
    data = {"facility": f"tram_sdk_{number}", "day": "2026-11-20", "visits": 41, "insured": 38}
    headers, body = sdk(attributes, data, binary)
    answer = httpx.post(f"{holder.door.base_url}/events", headers={**holder.door.headers, **headers}, content=body)
    assert answer.status_code == 202, answer.text
    assert is_stored(running, attributes)


# --- a client of Open311 ---


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_client_of_open311_reads_what_was_reported(running: Instance, holder: Holder, form: str) -> None:
    with emitters_beside(running, IOC_OPEN311_PUBLIC="true") as address:  # this client shows no key
        city = GeoReport(f"{address}/open311/v2", jurisdiction=WARD, api_key=holder.secret, output_format=form)
        services = {one["service_code"]: one for one in city.get_service_list()}
        assert services["lighting"]["service_name"] == "Chiếu sáng"
        assert city.get_service_definition("road")["service_code"] == "road"
        said = {"service_code": "lighting", "lat": "11.51", "long": "106.71", "api_key": city.api_key}
        (given,) = httpx.post(f"{city.root_address}/requests.json", data=said).json()
        id = given["service_request_id"]
        assert is_stored(running, {"source": holder.source, "id": f"{id}/received"})
        wait_until_idle(running)
        report = city.get_service_request(id)
        assert (report["service_request_id"], report["status"]) == (id, "open")
        assert (float(report["lat"]), float(report["long"])) == (11.51, 106.71)
        since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        found = city.get_service_requests(start_date=since, status="open")
        several = found if isinstance(found, list) else [found]  # of one element in XML it makes no list
        assert id in [one["service_request_id"] for one in several]


# --- who asks what the description says ---

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
OF_KEYS = {"cloudevents", "open311", "onestop"}


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_description_names(running: Instance, mode: GenerationMode) -> None:
    """To what fits the description and to what does not: its status, its form and its headers, and never a 5xx."""
    every = Holder(running, *(f"--system={name}" for name in SYSTEMS), "--rate", "5000")
    described = schemathesis.openapi.from_url(f"{every.door.base_url}/openapi.json")
    for operation in (found.ok() for found in described.get_all_operations()):
        (tag,) = operation.tags
        ask(operation, mode, every.secret if tag in OF_KEYS else running.password(f"emitter_{tag}"))
    every.door.close()
    every.said("revoke", every.name)


def ask(operation: schemathesis.APIOperation, mode: GenerationMode, token: str) -> None:
    """Twenty questions, the same each time."""

    @settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    one()
