"""What the door accepts can be folded and stored: events of every kind made from their published schemas, with the
extremes of every field, alone and several about one thing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from chance import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from schemas.calendar import DayChange
from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event, Invalid
from schemas.registry import parse
from services.aggregator.folding import NEW, change, earliest, facts_of

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
LAST = NOW + timedelta(hours=2)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
FOLDER = Path(__file__).resolve().parents[2] / "schemas/contracts/events"
SCHEMAS = {file.name.removesuffix(".schema.json"): json.loads(file.read_text()) for file in FOLDER.glob("*.json")}
DAYS = [
    date(1999, 12, 31),
    date(2000, 1, 1),
    date(2000, 1, 3),
    date(2026, 11, 28),
    date(2099, 12, 31),
    date(9999, 12, 31),
]
MOMENTS = [
    FIRST, FIRST + timedelta(days=2), datetime(2025, 6, 30, 16, 59, 59, tzinfo=UTC), NOW - timedelta(days=30), NOW,
    LAST, LAST + timedelta(days=366), datetime(2099, 12, 31, 23, tzinfo=UTC), datetime(9999, 12, 31, 16, tzinfo=UTC),
]  # fmt: skip
UNITS = ["phuong_chon_thanh", "chon_thanh", "dong_nai", "binh_phuoc"]
CALENDARS = [CalendarHistory(), CalendarHistory([DayChange(date(2000, 1, 4), False, "x", FIRST + timedelta(hours=9))])]


def value_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A JSON value that fits a schema, its limits above all."""
    if options := schema.get("anyOf"):
        return st.one_of([value_of(one) for one in options])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    return MAKE[schema["type"]](schema)


def _text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    if schema.get("format") == "date":
        return st.sampled_from(DAYS).map(date.isoformat)
    if schema.get("format") == "date-time":
        return st.sampled_from(MOMENTS).map(datetime.isoformat)
    if pattern := schema.get("pattern"):
        return st.from_regex(pattern, fullmatch=True)
    return st.text("aZ0 ờ", min_size=schema.get("minLength", 1), max_size=min(schema.get("maxLength", 9), 30))


def _number(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    low, high, step = schema["minimum"], schema["maximum"], schema.get("multipleOf", 1)
    return st.sampled_from(sorted({low, high, *(n for n in (0, step, 7, 12) if low <= n <= high)}))


MAKE: dict[str, Callable[[dict[str, Any]], st.SearchStrategy[Any]]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": lambda schema: st.booleans(),
    "null": lambda schema: st.none(),
    "object": lambda schema: st.fixed_dictionaries(
        {name: value_of(schema["properties"][name]) for name in schema.get("required", [])},
        optional={n: value_of(s) for n, s in schema["properties"].items() if n not in schema.get("required", [])},
    ),
}


@cache
def body_of(name: str) -> st.SearchStrategy[Any]:
    """A strategy takes longer to make than its examples."""
    return value_of(SCHEMAS[name])


@st.composite
def message(draw: st.DrawFn, name: str, fixed: dict[str, Any]) -> bytes:
    body = draw(body_of(name))
    body |= {"source": "/test", "id": draw(st.uuids()).hex, "unit": draw(st.sampled_from(UNITS)), "origin": "real"}
    body |= {"shiftdays": 0, "type": SCHEMAS[name]["x-ioc"]["type"], "time": draw(st.sampled_from(MOMENTS)).isoformat()}
    body["data"] = {k: v for k, v in (body["data"] | fixed).items() if v is not None}
    return json.dumps(body).encode()


def accepted(raw: bytes) -> Event | None:
    try:
        return parse(raw, NOW)
    except Invalid:
        return None


def assert_storable(events: list[Event]) -> None:
    """Every entity folds, one event after the other and all at once, into what a row of the database holds."""
    for calendars in CALENDARS:
        for ref in dict.fromkeys(ref for event in events for ref in event.touches):
            facts = [facts_of(event)[ref] for event in events if ref in event.touches]
            changed = change(ref, NEW, facts, calendars, calendars)
            assert changed is not None
            folded = changed.folded
            json.dumps(folded.state)
            moments = (folded.opened_at, folded.due_at, folded.ended_at, folded.notice_at)
            for moment in [*(m for m in moments if m), *(p.time for p in folded.points)]:
                assert FIRST - timedelta(days=1) <= moment < datetime(2100, 1, 1, tzinfo=UTC), ref
            assert all(-(10**30) < p.value < 10**30 for p in folded.points)
    for event in events:
        assert earliest(event) <= event.time


@pytest.mark.parametrize("name", sorted(SCHEMAS))
@examples(12, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data())
def test_an_event_that_is_accepted_can_be_folded(name: str, data: st.DataObject) -> None:
    if event := accepted(data.draw(message(name, {}))):
        assert_storable([event])


LIVES = {
    "dossier": {"code": "H99.12-241101-0001", "dossier": "H99.12-241101-0001"},
    "report": {"code": "PA-1"},
    "payment": {"transaction": "TXN-1"},
}
KINDS = {kind: [name for name in sorted(SCHEMAS) if kind in SCHEMAS[name]["x-ioc"]["entities"]] for kind in LIVES}


@pytest.mark.parametrize("kind", LIVES)
@examples(40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_life_that_is_accepted_can_be_folded(kind: str, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(KINDS[kind]), min_size=2, max_size=6))
    fixed = LIVES[kind]
    said = [{k: v for k, v in fixed.items() if k in SCHEMAS[n]["properties"]["data"]["properties"]} for n in names]
    raws = [data.draw(message(name, own)) for name, own in zip(names, said, strict=True)]
    if events := [event for raw in raws if (event := accepted(raw))]:
        assert_storable(events)


@pytest.mark.parametrize("limit", [{"limit_days": 1}, {"limit_days": 260}, {"limit_hours": 2080}])
@pytest.mark.parametrize("time", [FIRST, FIRST + timedelta(days=2), LAST])
def test_the_first_and_the_last_acceptance_are_stored(time: datetime, limit: dict[str, int]) -> None:
    """So is what waits from the first moment to the last."""
    steps: list[tuple[str, datetime, dict[str, Any]]] = [
        ("dossier.accepted", time, limit), ("dossier.supplement_requested", time, {}),
        ("dossier.supplement_received", LAST, {}),
    ]  # fmt: skip
    events = [accepted(raw_of(name, at, data)) for name, at, data in steps]
    assert_storable([event for event in events if event])
    assert all(events)


def raw_of(name: str, at: datetime, data: dict[str, Any]) -> bytes:
    unit = "binh_phuoc" if at.year < 2025 else "dong_nai"
    body = {"specversion": "1.0", "id": f"{name}/{at.isoformat()}", "source": "/test", "type": f"vn.ioc.{name}.v1"}
    told = {"code": "H99.12-241101-0001", **data}
    return json.dumps({**body, "time": at.isoformat(), "unit": unit, "data": told}).encode()
