"""What the door refuses of any event type: units that are none, half a place, members named twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from schemas import contracts, registry
from schemas.envelope import COORDINATES, Invalid
from schemas.json_members import DEEPEST, as_written, repeated, written
from schemas.masking import masked
from schemas.types import UnitCode
from schemas.unit_fields import named, unit_fields
from services.ingest import field, payments, router
from services.ingest.onestop.rows import object_row

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SAMPLES = {name: json.loads(next(iter(texts.values()))) for name, texts in contracts.samples().items()}
WITH_UNITS = [
    (name, place.path[0]) for name, data in registry.DATA_TYPES.items() for place in unit_fields(data) if place.path
]
WITH_PLACES = [n for n, data in registry.DATA_TYPES.items() if set(COORDINATES) <= set(data.model_fields)]


def refusal(text: str) -> Invalid:
    with pytest.raises(Invalid) as caught:
        registry.parse(text.encode(), NOW)
    return caught.value


def changed(name: str, /, **data: Any) -> str:
    sample = SAMPLES[name]
    fields = {**sample["data"], **data}
    return json.dumps({**sample, "data": {k: v for k, v in fields.items() if v is not None}})


def test_every_field_called_a_ward_or_a_unit_is_known_as_one() -> None:
    names = {
        (name, field)
        for name, data in registry.DATA_TYPES.items()
        for field in data.model_fields
        if "ward" in field or "unit" in field
    }
    assert names == {place for place in WITH_UNITS if place[1] != "office"} and len(names) >= 5


@pytest.mark.parametrize(("name", "field"), WITH_UNITS)
def test_a_field_that_names_a_unit_names_a_known_one(name: str, field: str) -> None:
    refused = refusal(changed(name, **{field: "no_such_ward"}))
    assert refused.code == "wrong_unit" and refused.reason.startswith(f"data.{field}: no unit 'no_such_ward'")


@pytest.mark.parametrize(("name", "field"), [place for place in WITH_UNITS if place[1] not in ("office", "of_unit")])
def test_a_field_that_names_a_unit_names_one_of_that_day(name: str, field: str) -> None:
    """`chon_thanh` was a town until 30 June 2025."""
    event = {**json.loads(changed(name, **{field: "chon_thanh"})), "unit": "dong_nai"}
    event |= {"time": "2025-07-02T08:00:00+07:00"}
    refused = refusal(json.dumps(event))
    assert refused.code == "wrong_unit" and refused.reason.startswith(f"data.{field}: chon_thanh is not valid on 2025")
    # What was shifted is looked at on the day on which it happened.
    registry.parse(json.dumps({**event, "origin": "shifted", "shiftdays": 364, "unit": "binh_phuoc"}).encode(), NOW)


@pytest.mark.parametrize("name", [name for name, field in WITH_UNITS if field == "ward"])
@pytest.mark.parametrize(
    ("ward", "level"),
    [("so_gtvt", "department"), ("binh_phuoc", "province"), ("chon_thanh", ""), ("chon_thanh_minh_hung", "")],
)
def test_a_ward_is_no_department_and_no_province(name: str, ward: str, level: str) -> None:
    event = {**json.loads(changed(name, ward=ward)), "unit": "binh_phuoc", "time": "2025-06-20T08:00:00+07:00"}
    if level:
        refused = refusal(json.dumps(event))
        assert (refused.code, refused.reason) == (
            "wrong_unit",
            f"data.ward: {ward} is a {level}; name a ward or commune",
        )
    else:
        registry.parse(json.dumps(event).encode(), NOW)


def test_a_report_may_be_handed_to_a_department() -> None:
    (name,) = (name for name, field in WITH_UNITS if field == "to_unit")
    event = {**json.loads(changed(name, to_unit="so_gtvt")), "unit": "binh_phuoc", "time": "2025-06-20T08:00:00+07:00"}
    registry.parse(json.dumps(event).encode(), NOW)


class Inner(BaseModel):
    place: UnitCode | None = None


class Outer(BaseModel):
    units: list[UnitCode]
    inner: Inner
    by_name: dict[str, list[Inner]]


def test_units_are_found_however_deep() -> None:
    value = {"units": ["a1", "b1"], "inner": {"place": "c1"}, "by_name": {"x": [{"place": "d1"}, {}]}}
    found = [place for at in unit_fields(Outer) for place in named(value, at.path)]
    assert found == [(".units.0", "a1"), (".units.1", "b1"), (".inner.place", "c1"), (".by_name.x.0.place", "d1")]


@pytest.mark.parametrize("name", WITH_PLACES)
@pytest.mark.parametrize("absent", COORDINATES)
def test_a_place_is_both_coordinates_or_none(name: str, absent: str) -> None:
    both = {"latitude": 11.4, "longitude": 106.6}
    refused = refusal(changed(name, **{**both, absent: None}))
    assert refused.code == "missing_field" and f"data.{absent}" in refused.reason
    registry.parse(changed(name, **both).encode(), NOW)


PAYMENT = (
    '{"specversion":"1.0","id":"a","source":"/x","type":"vn.ioc.payment.made.v1","time":"2025-01-01T00:00:00Z",'
    '"unit":"binh_phuoc","data":{"transaction":"BL-1","kind":"fee","amount":1000,"method":"cash"}}'
)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"amount":1000', '"amount":1000,"amount":9000', "data.amount"),
        ('"amount":1000', '"amount":1000 , "amount" \n:\t1000', "data.amount"),
        ('"amount":1000', r'"amount":1000,"\u0061mount":9000', "data.amount"),
        ('"id":"a"', '"id":"a","id":"b"', "id"),
        ('"data":{', '"data":{"transaction":"BL-2","kind":"tax","amount":1,"method":"cash"},"data":{', "data"),
        ('"unit":"binh_phuoc"', '"unit":"binh_phuoc","unit":"chon_thanh"', "unit"),
        ('"type"', '"type":"vn.ioc.payment.refunded.v1","type"', "type"),
    ],
)
def test_a_member_named_twice_is_refused_with_its_place(old: str, new: str, where: str) -> None:
    registry.parse(PAYMENT.encode(), NOW)
    refused = refusal(PAYMENT.replace(old, new, 1))
    assert (refused.code, refused.reason) == ("bad_value", f"{where}: is given twice in one object; send it once")


@pytest.mark.parametrize("figures", ["1780272000", "1780272000.5", "+1780272000", "1780272000000", r"\u0031780272000"])
@pytest.mark.parametrize(
    ("name", "field"),
    [("vn.ioc.dossier.accepted.v1", "promised_at"), ("vn.ioc.visits.reported.v1", "day"),
     ("vn.ioc.calendar.changed.v1", "day"), ("vn.ioc.report.overdue.v1", "due_at"), ("vn.ioc.payment.made.v1", "time")],
)  # fmt: skip
def test_figures_alone_are_no_moment(name: str, field: str, figures: str) -> None:
    """They would pass for the seconds since 1970."""
    text = json.dumps({**SAMPLES[name], "time": "@"}) if field == "time" else changed(name, **{field: "@"})
    assert refusal(text.replace('"@"', f'"{figures}"')).code == "bad_value"
    words = '{"amount": 1, "unit": "chon_thanh", "refunded_at": "@"}'.replace("@", figures)
    with pytest.raises(router.Refused) as refused:
        router.understand(payments.EMITTER.posts[1], words.encode(), {"transaction": "BL-1"}, NOW)
    assert refused.value.status == 422 and refused.value.problem.reasons[0].startswith("refunded_at: ")


@pytest.mark.parametrize(("event", "field"), [("dossier.overdue", "promised_at"), ("report.overdue", "due_at")])
def test_nothing_is_overdue_before_it_is_due(event: str, field: str) -> None:
    """It would be owed no notice any more."""
    name = f"vn.ioc.{event}.v1"
    at_once, later = SAMPLES[name]["time"], "2026-05-31T17:00:00+07:00"
    assert registry.parse(changed(name, **{field: at_once}).encode(), NOW)
    refused = refusal(changed(name, **{field: later}))
    assert refused.code == "impossible_time" and refused.reason.startswith(f"data.{field}: ")


@pytest.mark.parametrize("text", ["[]", "[{}]", "null", '"x"', "5"])
def test_what_is_no_object_is_called_so(text: str) -> None:
    assert refusal(text).code == "not_json"


def test_texts_that_look_like_members_are_no_members() -> None:
    text = changed("vn.ioc.feature.upserted.v1", name='a":b, " : x')
    assert registry.parse(text.encode(), NOW).fields["name"] == 'a":b, " : x'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a":[{"b":1,"b":2}]}', "a.0.b"),
        ('[{"a":1},{"a":{"x":1,"x":{}}}]', "1.a.x"),
        ('{"a":1,"a":1}', "a"),
        ('[{"a":1},{"a":{"x":1,"y":{"a":2}}}]', None),
    ],
)
def test_members_are_looked_at_in_every_object(text: str, where: str | None) -> None:
    assert repeated(text.encode(), 0) == where


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", r'"\ud800"', "[" * 5000 + "]" * 5000, '{"a":' * 999]
)
def test_numbers_that_are_none_and_texts_that_are_none_are_refused(value: str) -> None:
    for name, number in (("vn.ioc.indicator.reported.v1", "value"), ("vn.ioc.feature.upserted.v1", "latitude")):
        text = changed(name, **{number: "@"}).replace('"@"', value)
        assert refusal(text).code in ("bad_value", "not_json", "not_utf8")
    assert refusal(PAYMENT.replace("1000", value)).code in ("bad_value", "not_json", "not_utf8")


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}"), ('{"a":[', "]}"), ('[1,{"b":2,"a":', "}]")])
def test_what_is_nested_deeper_than_any_event_is_refused_before_a_parser_refuses_it(opens: str, closes: str) -> None:
    """Python's own parser reads these, and the functions that walk through them call themselves."""

    def nested(times: int) -> str:
        return opens * times + "1" + closes * times

    most = DEEPEST // (opens.count("[") + opens.count("{"))
    assert written(as_written(nested(most))) == nested(most)
    for times in (most + 1, 2 * most, 4 * most):
        json.loads(nested(times))
        with pytest.raises(ValueError, match="deeper than 100"):
            as_written(nested(times))
        with pytest.raises(Invalid, match="a dossier is a JSON object"):
            object_row(f'{{"MaHoSo": {nested(times)}}}'.encode())
        assert b"0912345678" not in (masked(nested(times).replace("1", '"0912345678"', 1).encode()) or b"0912345678")


WORDS = {
    payments.EMITTER.posts[0]: '{"transaction":"BL-1","kind":"fee","amount":1000,"method":"cash","unit":"binh_phuoc",'
    '"paid_at":"2025-01-01T00:00:00Z"}',
    field.EMITTER.posts[0]: '{"code":"PA-1","reported_at":"2025-01-01T00:00:00Z","unit":"binh_phuoc","channel":"app",'
    '"category":"road"}',
}
PAY, REPORT = WORDS


@pytest.mark.parametrize(
    ("post", "more", "says"),
    [
        (PAY, '"amount":9000', "amount: is given twice"),
        (PAY, r'"\u0061mount":9000', "amount: is given twice"),
        (REPORT, '"unit":"chon_thanh"', "unit: is given twice"),
        (REPORT, '"latitude":11.4', "longitude: is missing beside data.latitude"),
        (REPORT, '"longitude":106.6', "latitude: is missing beside data.longitude"),
        (REPORT, '"ward":"no_such_ward"', "ward: no unit"),
    ],
)
def test_the_same_holds_for_what_is_posted(post: router.Post, more: str, says: str) -> None:
    router.understand(post, WORDS[post].encode(), {}, NOW)
    with pytest.raises(router.Refused) as caught:
        router.understand(post, WORDS[post].replace("{", "{" + more + ",", 1).encode(), {}, NOW)
    assert caught.value.status == 422 and says in " ".join(caught.value.problem.reasons)


LAST, NEXT = "2025-06-30", "2025-07-01"
"""The commune's last day, and the first of the ward in its place."""


@pytest.mark.parametrize(
    ("name", "said", "taken"),
    [
        ("visits.reported", {"day": LAST}, True),
        ("visits.reported", {"day": LAST, "revision": 1}, True),
        ("antivirus.reported", {"day": LAST}, True),
        ("indicator.reported", {"period_start": "2025-04-01", "period_end": LAST}, True),
        ("indicator.revised", {"period_start": "2025-01-01", "period_end": LAST}, True),
        ("mention.aggregated", {"day": LAST, "hour": 23}, True),
        ("visits.reported", {"day": NEXT}, False),
        ("indicator.reported", {"period_start": "2025-01-01", "period_end": NEXT}, False),
        ("indicator.target_set", {"period_start": "2025-01-01", "period_end": LAST}, False),
        ("dossier.withdrawn", {}, False),
    ],
)
def test_the_last_day_of_a_unit_is_told_when_there_is_another_in_its_place(
    name: str, said: dict[str, Any], taken: bool
) -> None:
    text = json.loads(changed(f"vn.ioc.{name}.v1", **said))
    text |= {"unit": "chon_thanh_minh_hung", "time": f"{NEXT}T08:00:00+07:00"}
    if taken:
        assert registry.parse(json.dumps(text).encode(), NOW).unit == "chon_thanh_minh_hung"
    else:
        refused = refusal(json.dumps(text))
        assert (refused.code, refused.reason) == ("wrong_unit", f"unit: chon_thanh_minh_hung is not valid on {NEXT}")
