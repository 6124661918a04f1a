"""The six systems beside dossiers and reports: what their events refuse, and what their folds make of any facts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from chance import examples
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas import contracts, registry
from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.contracts.json_schemas import event_schema
from schemas.envelope import EventData, Invalid
from schemas.fold import Fact, Folded, in_order
from schemas.retraction import is_retraction

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SIX = ("economy", "education", "health", "gis", "security", "social")
SAMPLES = {name: json.loads(next(iter(texts.values()))) for name, texts in contracts.samples().items()}
DATA = {name: event_schema(name)["properties"]["data"]["properties"] for name in registry.DATA_TYPES}
BY_EVENT = {data.event: (name, data) for name, data in registry.DATA_TYPES.items()}


def refusal(event: dict[str, Any]) -> Invalid:
    with pytest.raises(Invalid) as caught:
        registry.parse(json.dumps(event).encode(), NOW)
    return caught.value


def sample(event: str, **data: Any) -> dict[str, Any]:
    """The golden sample of an event with some fields replaced; None takes a field away."""
    found = SAMPLES[BY_EVENT[event][0]]
    fields = {**found["data"], **data}
    return {**found, "data": {name: value for name, value in fields.items() if value is not None}}


# What the door refuses


@pytest.mark.parametrize(
    ("event", "fields", "code", "says"),
    [
        ("indicator.reported", {"period_end": "2024-12-01"}, "impossible_time", "data.period_end: 2024-12-01"),
        ("indicator.revised", {"period_end": "2024-12-31"}, "impossible_time", "data.period_end: 2024-12-31"),
        ("indicator.reported", {"period_start": "2024-12-01"}, "bad_value", "period_start (2024-12-01) lies after"),
        ("indicator.reported", {"value": None, "reached": None}, "bad_value", "at least one of value and reached"),
        ("indicator.revised", {"revision": 0}, "bad_value", "data.revision"),
        ("indicator.target_set", {"direction": "about"}, "bad_value", "data.direction"),
        ("attendance.reported", {"day": "2024-11-06"}, "impossible_time", "data.day: 2024-11-06"),
        ("attendance.reported", {"day": "0001-01-01"}, "bad_value", "data.day"),
        ("attendance.reported", {"present": 843}, "bad_value", "present (843) is more than enrolled (842)"),
        ("exam.published", {"passed": 1047}, "bad_value", "passed (1047) is more than candidates (1046)"),
        ("school_fee.reported", {"cashless_amount": 186500001}, "bad_value", "is more than amount"),
        ("school_fee.reported", {"amount": -1}, "bad_value", "data.amount"),
        ("visits.reported", {"insured": 419}, "bad_value", "insured (419) is more than visits (418)"),
        ("beds.reported", {"beds": 1.5}, "bad_value", "data.beds"),
        ("disease.notified", {"disease": "hiccups"}, "bad_value", "data.disease"),
        ("disease.notified", {"patient": "An"}, "extra_field", "data.patient"),
        ("health_record.linked", {"day": "2024-11-12"}, "impossible_time", "data.day"),
        ("feature.upserted", {"latitude": 106.6, "longitude": 11.4}, "bad_value", "data.latitude"),
        ("antivirus.reported", {"installs": 237}, "bad_value", "installs (237) is more than machines (236)"),
        ("service.down", {"outage": None}, "missing_field", "data.outage"),
        ("mention.aggregated", {"hour": 11}, "impossible_time", "data.hour: 11"),
        ("mention.aggregated", {"hour": 24}, "bad_value", "data.hour"),
        ("topic.spiked", {"day": "2024-11-06", "hour": 0}, "impossible_time", "data.day"),
    ],
)
def test_what_is_refused_and_why(event: str, fields: dict[str, Any], code: str, says: str) -> None:
    refused = refusal(sample(event, **fields))
    assert refused.code == code and says in refused.reason


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("indicator.reported", {"period_end": "2024-11-30"}),  # published on its eve
        ("indicator.reported", {"value": "134894000000", "total": "1132893000000.5"}),  # no citizen numbers
        ("indicator.reported", {"value": None}),
        ("beds.reported", {"occupied": 151}),  # more patients than beds
        ("antivirus.reported", {"installs": 900, "machines": None}),
        ("mention.aggregated", {"hour": 10}),  # the hour that has begun
    ],
)
def test_what_is_accepted_though_it_looks_odd(event: str, fields: dict[str, Any]) -> None:
    registry.parse(json.dumps(sample(event, **fields)).encode(), NOW)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-07:00"])
def test_a_moment_that_does_not_exist_in_utc_is_refused(time: str) -> None:
    assert refusal({**sample("feature.retired"), "time": time}).code == "bad_value"
    assert refusal(sample("dossier.extended", promised_at=time)).code == "bad_value"


def texts(fields: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """The fields that take text, and whether any text."""
    for name, spec in fields.items():
        branches = spec.get("anyOf", [spec])
        numeric = any(branch.get("type") == "number" for branch in branches)
        for branch in branches:
            if branch.get("type") == "string" and not numeric and not {"enum", "const", "format"} & set(branch):
                yield name, "pattern" not in branch


PERSONAL = ("038094012345", "038 094 012 345", "0912345678", "+84 912 345 678", "0912.345.678", "an.nguyen@example.vn")
DISGUISED = ("a038094012345", "t0912345678", "AB-038094012345", "AB-0912345678")
TEXT_FIELDS = [(name, field, free) for name, fields in DATA.items() for field, free in texts(fields)]


def put(name: str, field: str, text: str) -> str:
    """Why a sample with this text in a field is refused."""
    event = SAMPLES[name]
    return refusal({**event, "data": {**event["data"], field: text}}).code


def test_no_field_takes_personal_data() -> None:
    wrong = []
    for name, field, free in TEXT_FIELDS:
        if free:
            texts = (*PERSONAL, *(f"Liên hệ {text} trước 17 giờ" for text in PERSONAL))
            wrong += [(name, field, text) for text in texts if put(name, field, text) != "personal_data"]
        else:
            registers_own = field in ("code", "dossier", "procedure", "transaction")
            texts = (*PERSONAL, *(() if registers_own else DISGUISED))
            refused = ("personal_data", "bad_value")
            wrong += [(name, field, text) for text in texts if put(name, field, text) not in refused]
    assert len(TEXT_FIELDS) > 50
    assert wrong == []


def test_no_attribute_takes_personal_data() -> None:
    wrong = [
        (name, attribute, text)
        for name in registry.DATA_TYPES
        for attribute in ("id", "source")
        for text in ("038094012345", "0912345678", "an@example.vn")
        if refusal({**SAMPLES[name], attribute: f"x.{text}"}).code != "personal_data"
    ]
    assert wrong == []


def test_fields_that_are_not_on_the_list_are_refused() -> None:
    assert [n for n in registry.DATA_TYPES if put(n, "full_name", "x") != "extra_field"] == []
    assert [n for n in registry.DATA_TYPES if refusal({**SAMPLES[n], "phone": "x"}).code != "extra_field"] == []


# What the folds make of any set of facts


def form(spec: dict[str, Any], example: Any) -> st.SearchStrategy[Any]:
    """Values of a field, from its JSON Schema; of a text with a pattern of its own the example."""
    if "anyOf" in spec:
        return st.one_of(*(form(branch, example) for branch in spec["anyOf"] if branch != {"type": "string"}))
    if "enum" in spec:
        return st.sampled_from(spec["enum"])
    match spec["type"], spec.get("format"):
        case "null", _:
            return st.none()
        case "boolean", _:
            return st.booleans()
        case "integer", _:
            return st.integers(spec["minimum"], min(spec.get("maximum", 99), 99))
        case "number", _:
            return st.integers(int(spec["minimum"]), int(spec["maximum"]))
        case _, "date":
            return st.dates(datetime(2000, 1, 1).date(), datetime(2026, 1, 1).date()).map(str)
        case _:
            slug = spec.get("pattern", "").startswith("^[a-z]")
            return st.sampled_from(("school", "health", "land")) if slug else st.just(example)


IDS = {kind: fields for data in registry.DATA_TYPES.values() for kind, fields in data.entities.items()}
KINDS = sorted(kind for slug in SIX for kind in registry.SYSTEMS[slug][0].FOLDS)
TIMES = [datetime(2025, 3, 1, tzinfo=UTC) + timedelta(minutes=m) for m in (0, 1, 90, 1500, 100000)]


@st.composite
def facts_of(draw: st.DrawFn, kind: str) -> list[Fact]:
    """Facts of one entity: any of its events, at few moments so that ties are common."""
    types = [data for data in registry.DATA_TYPES.values() if kind in data.entities]
    return [draw(one_fact(kind, types)) for _ in range(draw(st.integers(1, 6)))]


@st.composite
def one_fact(draw: st.DrawFn, kind: str, types: list[type[EventData]]) -> Fact:
    data = draw(st.sampled_from(types))
    name, _ = BY_EVENT[data.event]
    shown = SAMPLES[name]["data"]
    fields = {field: draw(form(spec, shown[field])) for field, spec in DATA[name].items()}
    kept = {*IDS[kind], "period_start", "period_end"} & set(shown)
    fields |= {field: shown[field] for field in kept}
    for part, whole in getattr(data, "parts", {}).items():
        fields[part] = min(fields[part], fields[whole]) if fields[whole] is not None else fields[part]
    if kind == "statistic" and fields.get("value", 0) is None:
        fields["reached"] = fields["reached"] is not False
    valid = data.model_validate_json(json.dumps(fields))
    key = draw(st.uuids()).hex
    return Fact(
        draw(st.sampled_from(TIMES)),
        key,
        data.event,
        "chon_thanh",
        "real",
        valid.model_dump(mode="json", exclude_none=True),
    )


def fold(kind: str, facts: list[Fact]) -> Folded:
    """As the aggregator folds: repetitions fall away by key, the rest is put in order."""
    return registry.FOLDS[kind]("id", in_order({f.key: f for f in facts}.values()), CalendarHistory())


@pytest.mark.parametrize("kind", KINDS)
@examples(15)
@given(st.data())
def test_a_fold_depends_on_the_set_of_facts_alone(kind: str, data: st.DataObject) -> None:
    facts = data.draw(facts_of(kind))
    again = data.draw(st.permutations(facts + data.draw(st.lists(st.sampled_from(facts), max_size=3))))
    folded = fold(kind, facts)
    assert fold(kind, again) == folded
    keys = {f.key for f in facts}
    for point in folded.points:
        assert tuple(name for name, _ in point.labels) == registry.MEASURES[point.measure].labels
        assert point.key in keys and isinstance(point.value, int | Decimal)
    json.dumps(folded.state)


LIFECYCLES = ("alert", "crisis", "disease", "incident", "outage", "outbreak")


@pytest.mark.parametrize("kind", LIFECYCLES)
@examples(15)
@given(st.data())
def test_a_life_opens_and_closes_once_at_most(kind: str, data: st.DataObject) -> None:
    facts = data.draw(facts_of(kind))
    fold_of = registry.FOLDS[kind].fold.fold  # type: ignore[attr-defined]
    opens = [f for f in facts if f.event == fold_of.opens]
    folded = fold(kind, facts)
    counts = {p.measure: 0 for p in folded.points}
    for point in folded.points:
        counts[point.measure] += 1
        assert point.time >= min(f.time for f in opens) and point.value >= 0
    assert set(counts.values()) <= {1} and bool(counts) == bool(opens)
    closed = any(f.event == fold_of.closes for f in facts)
    assert (folded.ended_at is not None) == bool(opens and closed)


@examples(30)
@given(facts_of("feature"))
def test_a_feature_is_at_one_place_or_none(facts: list[Fact]) -> None:
    folded = fold("feature", facts)
    assert sum(p.value for p in folded.points) == (folded.status == "present")
    stock: dict[Any, int | Decimal] = {}
    for point in folded.points:
        stock[point.unit, point.labels] = stock.get((point.unit, point.labels), 0) + point.value
    assert set(stock.values()) <= {0, 1}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(LIFECYCLES) - {"feature", "device", "target"}))
@examples(15)
@given(st.data())
def test_the_highest_revision_counts_whenever_it_came(kind: str, data: st.DataObject) -> None:
    facts = [fact for fact in data.draw(facts_of(kind)) if not is_retraction(fact.event)]
    assume(facts)
    state = fold(kind, facts).state
    assert state["revision"] == max(f.data["revision"] for f in facts)
    newest = max(f.time for f in facts if f.data["revision"] == state["revision"])
    assert any(f.time == newest and f.data.items() <= state.items() for f in facts)


# Some figures by hand


def story(*events: tuple[str, str, dict[str, Any]]) -> list[Fact]:
    """(event, local time, fields put over the sample's) -> facts."""
    return [
        Fact(
            datetime.fromisoformat(f"{time}+07:00"),
            f"{i:032x}",
            event,
            "chon_thanh",
            "real",
            sample(event, **fields)["data"],
        )
        for i, (event, time, fields) in enumerate(events)
    ]


def figures(folded: Folded) -> list[tuple[str, str, int | Decimal]]:
    return [(p.measure, f"{p.time.astimezone(VN):%Y-%m-%d %H:%M}", p.value) for p in folded.points]


def test_a_day_is_counted_at_its_local_midnight_and_a_correction_replaces_it() -> None:
    facts = story(
        ("visits.reported", "2024-11-06T08:00", {"revision": 1, "visits": 420}),
        ("visits.reported", "2024-11-07T08:00", {"revision": 0, "visits": 418}),
    )
    assert figures(fold("visits", facts)) == [
        ("visits", "2024-11-05 00:00", 420),
        ("visits_insured", "2024-11-05 00:00", 371),
    ]


def test_mentions_are_counted_at_their_hour() -> None:
    assert figures(fold("mention", story(("mention.aggregated", "2024-11-05T10:02", {})))) == [
        ("mentions", "2024-11-05 09:00", 37)
    ]


def test_a_field_that_was_not_reported_adds_nothing() -> None:
    facts = story(("antivirus.reported", "2024-11-05T09:00", {"machines": None}))
    assert figures(fold("antivirus", facts)) == [("antivirus_installs", "2024-11-05 00:00", 212)]


def test_antivirus_coverage_is_a_share_of_the_machines_that_were_reported() -> None:
    both = figures(fold("antivirus", story(("antivirus.reported", "2024-11-05T09:00", {}))))
    assert ("antivirus_covered", "2024-11-05 00:00", 212) in both
    assert ("antivirus_machines", "2024-11-05 00:00", 236) in both


def test_an_alert_that_was_closed_before_it_was_raised_took_no_time() -> None:
    facts = story(("alert.raised", "2024-11-05T08:00", {}), ("alert.closed", "2024-11-05T07:59", {}))
    assert figures(fold("alert", facts)) == [
        ("security_alerts", "2024-11-05 08:00", 1),
        ("security_alerts_closed", "2024-11-05 08:00", 1),
        ("alert_close_minutes", "2024-11-05 08:00", 0),
    ]


def test_an_outage_is_measured_in_whole_minutes_from_its_first_report() -> None:
    facts = story(
        ("service.down", "2024-11-09T22:00:00", {}),
        ("service.down", "2024-11-09T22:30:00", {}),
        ("service.up", "2024-11-09T23:18:59", {}),
    )
    assert figures(fold("outage", facts))[-1] == ("outage_minutes", "2024-11-09 23:18", 78)


def test_a_feature_that_changes_its_layer_leaves_one_and_enters_the_other() -> None:
    facts = story(
        ("feature.upserted", "2024-11-01T08:00", {"layer": "camera"}),
        ("feature.upserted", "2024-11-02T08:00", {"name": "Ngã tư mới"}),
        ("feature.upserted", "2024-11-03T08:00", {"layer": "sensor"}),
        ("feature.retired", "2024-11-04T08:00", {}),
    )
    steps = [(p.time.day, dict(p.labels)["layer"], p.value) for p in fold("feature", facts).points]
    assert steps == [(1, "camera", 1), (3, "camera", -1), (3, "sensor", 1), (4, "sensor", -1)]


def test_a_statistic_keeps_all_its_vintages_and_adds_no_points() -> None:
    facts = story(
        ("indicator.revised", "2024-12-16T09:30", {"value": "815102.5", "revision": 1}),
        ("indicator.reported", "2024-11-29T16:00", {"value": "812450.75", "reached": None}),
    )
    folded = fold("statistic", facts)
    assert folded.points == [] and folded.status == "revised"
    assert folded.state["value"] == "815102.5"
    assert [(v["revision"], v["value"], v.get("reached")) for v in folded.state["vintages"]] == [
        (0, "812450.75", None),
        (1, "815102.5", False),
    ]


def test_the_same_period_in_table_and_text_is_two_statistics() -> None:
    events = [sample("indicator.reported", basis=basis) for basis in ("table", "text")]
    ids = {registry.parse(json.dumps(event).encode(), NOW).touches[0].id for event in events}
    assert ids == {f"budget_revenue|chon_thanh|2024-01-01|2024-11-30|{basis}" for basis in ("table", "text")}
