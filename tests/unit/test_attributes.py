"""Attributes that the standard knows and no figure needs: taken, looked at, dropped; what cannot be taken is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from schemas import attributes, contracts, registry
from schemas.contracts.json_schemas import event_schema
from schemas.envelope import Invalid

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SAMPLES = {name: json.loads(next(iter(texts.values()))) for name, texts in contracts.samples().items()}
SAMPLE = SAMPLES["vn.ioc.report.received.v1"]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
GOOD: dict[attributes.Kind, Any] = {
    "text": "Hồ sơ 12", "uri": "https://ioc.example.vn/lược-đồ".encode("ascii", "ignore").decode(),
    "time": "2026-05-01T07:00:00+07:00", "integer": 30, "boolean": True, "trace": TRACE,
}  # fmt: skip
BAD: dict[attributes.Kind, list[Any]] = {
    "text": ["", 1, {}, ["x"], "x" * 2001, "a\x00", "a\u200bb"], "uri": ["", "a b", 1, "đường"],
    "time": ["2026-05-01", "2026-05-01T07:00:00", 20260501, "mai"], "integer": [1.5, "30", 2**31, True, 10**12],
    "boolean": ["true", 1], "trace": ["00-xyz", "", 1],
}  # fmt: skip


def parsed(**more: Any) -> Any:
    return registry.parse(json.dumps({**SAMPLE, **more}).encode(), NOW)


def refusal(**more: Any) -> Invalid:
    with pytest.raises(Invalid) as refused:
        parsed(**more)
    return refused.value


@pytest.mark.parametrize("name", attributes.DROPPED)
def test_an_event_is_the_same_with_and_without_an_attribute(name: str) -> None:
    plain, kind = parsed(), attributes.DROPPED[name]
    for value in (GOOD[kind], None):
        event = parsed(**{name: value})
        assert (event.digest, event.key, event.to_json()) == (plain.digest, plain.key, plain.to_json())
    assert all(refusal(**{name: value}).code == "bad_value" for value in BAD[kind])
    assert refusal(**{name: BAD[kind][0]}).reason.startswith(f"{name}: is no ")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_event_may_carry_all_of_them_at_once(name: str) -> None:
    event = SAMPLES[name]
    more = {attribute: GOOD[kind] for attribute, kind in attributes.DROPPED.items()}
    raw = json.dumps({**more, "datacontenttype": "application/json; charset=utf-8", **event}).encode()
    assert registry.parse(raw, NOW).digest == registry.parse(json.dumps(event).encode(), NOW).digest
    jsonschema.validate({**event, **more}, event_schema(name))


def test_numbers_stay_as_they_were_written() -> None:
    sample = SAMPLES["vn.ioc.indicator.reported.v1"]
    for written in ("12.50", "1e3", "100000000000.000001"):
        raw = json.dumps({**sample, "data": {**sample["data"], "value": 0}}).replace(
            '"value": 0', f'"value": {written}'
        )
        with_it = raw[:-1] + f', "traceparent": "{TRACE}"}}'
        try:
            plain: object = registry.parse(raw.encode(), NOW).digest
        except Invalid as invalid:
            plain = invalid.code
        try:
            traced: object = registry.parse(with_it.encode(), NOW).digest
        except Invalid as invalid:
            traced = invalid.code
        assert plain == traced


@pytest.mark.parametrize("name", [n for n, kind in attributes.DROPPED.items() if kind in ("text", "uri")])
def test_none_of_them_may_hold_personal_data(name: str) -> None:
    refused = refusal(**{name: "tel:0912345678"})
    assert refused.code == "personal_data" and refused.reason.startswith(f"{name}: holds a phone number")


@pytest.mark.parametrize(
    "media",
    ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON",
     'application/json; charset="utf-8"', "application/cloudevents+json", "application/problem+json; v=1", None],
)  # fmt: skip
def test_json_may_be_called_json_in_every_way(media: str | None) -> None:
    event = parsed(datacontenttype=media)
    assert event.digest == parsed().digest and b'"datacontenttype":"application/json"' in event.to_json()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"datacontenttype": "text/xml"}, "datacontenttype: data is JSON here"),
        ({"datacontenttype": "application/json; charset=windows-1258"}, "datacontenttype: events are UTF-8"),
        ({"datacontenttype": 1}, "datacontenttype: data is JSON here"),
        ({"data_base64": "e30="}, "data_base64: data is JSON here: send it as `data`"),
        ({"dataref": "https://x.example/1"}, "dataref: data must be inside the event"),
        ({"colour": "red"}, "colour: "),
        ({"traceParent": TRACE}, "traceParent: "),
        ({"subject": "x", "colour": "red"}, "colour: "),
    ],
)
def test_what_cannot_be_taken_is_named(more: dict[str, Any], says: str) -> None:
    assert says in refusal(**more).reason


@pytest.mark.parametrize("name", sorted({*attributes.OPTIONAL, *attributes.REFUSED}))
def test_an_attribute_that_is_null_is_not_set(name: str) -> None:
    assert parsed(**{name: None}).digest == parsed().digest


@pytest.mark.parametrize("name", ["id", "source", "type", "time", "unit", "data", "colour"])
def test_a_needed_attribute_that_is_null_and_an_unknown_one_are_refused(name: str) -> None:
    assert refusal(**{name: None}).reason.startswith(f"{name}: ")


def test_an_attribute_that_is_given_twice_is_refused() -> None:
    raw = json.dumps(SAMPLE)[:-1] + ', "subject": "a", "subject": "b"}'
    with pytest.raises(Invalid, match="subject: is given twice"):
        registry.parse(raw.encode(), NOW)


def test_an_event_as_the_sdk_of_the_standard_writes_it_is_accepted() -> None:
    # What cloudevents 2.2 for Python makes of these attributes: the standard's first, times with their offset, ASCII.
    head = {name: SAMPLE[name] for name in ("specversion", "id", "source", "type", "time")}
    more = {"datacontenttype": "application/json; charset=utf-8", "unit": SAMPLE["unit"], "subject": "reports/12"}
    tail = {"dataschema": "urn:x", "traceparent": TRACE, "data": SAMPLE["data"]}
    assert registry.parse(json.dumps({**head, **more, **tail}).encode(), NOW).digest == parsed().digest


def test_of_an_attribute_that_is_given_many_times_no_text_is_looked_at() -> None:
    """A look takes long for some texts, and an event that names one twice is refused whatever they say."""
    looked: list[str] = []
    once = json.dumps({**SAMPLE, "subject": "a", "dataschema": "b"})
    attributes.without(once.encode(), lambda name, _: looked.append(name))
    assert looked == ["subject", "dataschema"]
    many = once[:-1] + ', "subject": "0.1.0.1"' * 1000 + "}"
    with pytest.raises(attributes.Malformed, match="subject: is given twice in one object; send it once"):
        attributes.without(many.encode(), lambda name, _: looked.append(name))
    assert looked == ["subject", "dataschema"]
