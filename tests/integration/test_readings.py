"""Readings against figures worked out from the events alone, whatever the unit, the period and the moment asked for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plain_readings import CODES, DAY, FLOWS, TICK, Question, World, figures, local_day, midnight

from infra.local.servers import Instance
from schemas.envelope import Event
from schemas.indicators import CATALOGUE
from schemas.registry import DATA_TYPES, make
from services.aggregator.ledger import Incoming, Ledger
from services.cli.prepare import prepare, settings_of
from services.kit import store
from services.kit.settings import Settings
from services.readings import Period, Reading, read
from services.readings.evaluate import row_unit

START = datetime(2024, 10, 27, 17, tzinfo=UTC)
UNITS = ("chon_thanh", "chon_thanh_minh_hung", "chon_thanh_nha_bich", "bu_gia_map", "so_tp")
ASKED = (None, "binh_phuoc", "dong_nai", "chon_thanh", "chon_thanh_minh_hung", "bu_gia_map", "so_tp", "hon_quan")


@pytest.fixture(scope="module")
def database(new_instance: Callable[[Path], Instance], open_folder: Path) -> Iterator[Settings]:
    """A database of this module's own: it is emptied again and again."""
    running = new_instance(open_folder / "readings")
    try:
        running.start(["nats", "timescaledb"])
        prepare(running)
        yield settings_of(running, "admin")
    finally:
        running.stop()


def told(name: str, at: datetime, unit: str, number: int, **fields: Any) -> Event:
    attributes = {key: fields.pop(key) for key in ("origin", "shiftdays") if key in fields}
    data = DATA_TYPES[f"vn.ioc.{name}.v1"].model_validate(fields, strict=False)
    return make(data, source="/test/readings", id=f"{name}/{number}/{at.isoformat()}", time=at, unit=unit, **attributes)


def fill(database: Settings, events: Iterable[Event]) -> None:
    """Store these events and no others, in an order and in batches of chance."""
    batches: list[list[Incoming]] = [[], [], []]
    for event in events:
        random.Random(event.id).choice(batches).append(Incoming(event, event.time))
    with psycopg.connect(database.database("owner")) as conn:
        conn.execute("TRUNCATE event_key, event, entity, point, rollup_hour, rollup_day, source")

    async def run() -> None:
        async with store.pool(database, "aggregator") as pool:
            ledger = Ledger(pool)
            for batch in batches:
                await ledger.store(batch)

    asyncio.run(run())


@pytest.fixture(scope="module")
def reader(database: Settings) -> Iterator[psycopg.Connection]:
    with store.connect(database, "reader") as conn:
        conn.autocommit = True
        yield conn


# --- worlds of chance ---

gaps = st.sampled_from([timedelta(minutes=15), timedelta(hours=3), DAY, 2 * DAY, 5 * DAY, None])
"""Between two steps; None: until the next local midnight, exactly."""


def after(t: datetime, gap: timedelta | None) -> datetime:
    return midnight(local_day(t) + DAY) if gap is None else t + gap


@st.composite
def dossiers(draw: st.DrawFn, number: int) -> list[Event]:
    """One dossier's life, mostly as it should be; some are accepted before they are filed, or resolved after a stop."""
    begin = draw(st.sampled_from([("submitted", "accepted"), ("accepted",), ("submitted",), ("accepted", "submitted")]))
    middle = draw(st.lists(st.sampled_from(["supplement_requested", "supplement_received", "extended"]), max_size=3))
    ends: list[tuple[str, ...]] = [(), (), ("resolved",), ("resolved", "returned", "extended"), ("stopped", "resolved")]
    end = draw(st.sampled_from([*ends, ("refused",), ("stopped", "extended", "returned"), ("returned", "resolved")]))
    at = after(START + draw(st.integers(0, 24 * 30)) * timedelta(hours=1), draw(gaps))
    unit, events = draw(st.sampled_from(UNITS)), []
    for step in (*begin, *middle, *end):
        fields = FIELDS.get(step, lambda at, draw: {})(at, draw)
        events.append(told(f"dossier.{step}", at, unit, number, code=f"H99.12-241101-{number:04}", **fields))
        at = after(at, draw(gaps))
    return events


def evening(at: datetime, draw: st.DrawFn) -> dict[str, Any]:
    """A promised date: closing time of some day ahead."""
    day = local_day(at) + draw(st.integers(1, 9)) * DAY
    return {"promised_at": (midnight(day) + timedelta(hours=17)).isoformat()}


def limit(at: datetime, draw: st.DrawFn) -> dict[str, Any]:
    return {draw(st.sampled_from(["limit_days", "limit_hours"])): draw(st.integers(1, 9))}


FIELDS: dict[str, Callable[[datetime, st.DrawFn], dict[str, Any]]] = {
    "submitted": lambda at, draw: {
        "procedure": "2.000815", "field": "justice", "channel": draw(st.sampled_from(["online", "post", "counter"])),
    },
    "accepted": lambda at, draw: draw(st.sampled_from([evening, limit]))(at, draw),
    "extended": evening,
    "refused": lambda at, draw: {"reason": "not_complete"},
    "stopped": lambda at, draw: {"reason": "not_complete"},
}  # fmt: skip


@st.composite
def payments(draw: st.DrawFn, number: int) -> list[Event]:
    at, unit = START + draw(st.integers(0, 24 * 30)) * timedelta(hours=1), draw(st.sampled_from(UNITS))
    paid = {"kind": draw(st.sampled_from(["tax", "fee"])), "amount": draw(st.integers(1, 10**9)), "method": "portal"}
    made = told("payment.made", at, unit, number, transaction=f"TXN-{number}", **paid)
    refund = {"transaction": f"TXN-{number}", "amount": draw(st.integers(1, 10**6))}
    back = told("payment.refunded", after(at, draw(gaps)), unit, number, **refund)
    return [made, back] if draw(st.booleans()) else [made]


@st.composite
def reports(draw: st.DrawFn, number: int) -> list[Event]:
    at, unit = START + draw(st.integers(0, 24 * 30)) * timedelta(hours=1), draw(st.sampled_from(UNITS))
    about = {"channel": "app", "category": "road", "priority": draw(st.sampled_from(["urgent", "normal"]))}
    events = [told("report.received", at, unit, number, code=f"PA-{number}", **about)]
    steps = {"routed": {"to_unit": unit}, "accepted": {}, "resolved": {}, "refused": {"reason": "x"}, "reopened": {}}
    for step in draw(st.lists(st.sampled_from(sorted(steps)), max_size=6)):
        at = after(at, draw(gaps))
        events.append(told(f"report.{step}", at, unit, number, code=f"PA-{number}", **steps[step]))
    return events


@st.composite
def worlds(draw: st.DrawFn) -> list[Event]:
    kinds = draw(st.lists(st.sampled_from([dossiers, dossiers, dossiers, payments, reports]), min_size=4, max_size=14))
    return [event for number, kind in enumerate(kinds) for event in draw(kind(number))]


@st.composite
def questions(draw: st.DrawFn, events: list[Event]) -> Question:
    """Days around the events, as of the moment of one, just before it, of a midnight, long ago or long after."""
    first = local_day(START) + draw(st.integers(-3, 45)) * DAY
    at = draw(st.sampled_from(sorted({e.time for e in events})))
    moments = [at, at - TICK, midnight(local_day(at)), midnight(local_day(at)) - TICK, at + timedelta(hours=1)]
    as_of = draw(st.sampled_from([*moments, datetime(2001, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)]))
    return Question(draw(st.sampled_from(ASKED)), first, first + draw(st.integers(0, 45)) * DAY, as_of)


def chance(examples: int) -> settings:
    health = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    phases = [Phase.explicit, Phase.generate]  # without shrinking: every step of it would fill a database
    return settings(max_examples=examples, deadline=None, derandomize=True, phases=phases, suppress_health_check=health)


def answers(reader: psycopg.Connection, code: str, q: Question, by: str | None = None) -> dict[str, Decimal | None]:
    found = read(reader, CATALOGUE[code], q.unit, Period(q.first, q.last, q.as_of), by)
    assert all((r.value is None) == bool(r.reason) for r in found), "a figure that is missing says why, no other does"
    return {r.group: r.value for r in found}


@chance(20)
@given(data=st.data())
def test_figures_are_those_of_the_events(database: Settings, reader: psycopg.Connection, data: st.DataObject) -> None:
    events = data.draw(worlds())
    fill(database, events)
    for _ in range(6):
        q = data.draw(questions(events))
        expected = figures(World(events), q)
        assert {code: answers(reader, code, q)[""] for code in CODES} == expected, q
        hold_identities(expected)


def hold_identities(f: dict[str, Decimal | None]) -> None:
    """The columns of II.06, wherever all of them are known."""
    column = {int(code[-2:]): value for code, value in f.items() if code.startswith("ii06_")}
    for whole, parts in ((3, (4, 5, 6)), (3, (7, 11)), (7, (8, 9, 10)), (11, (12, 13))):
        numbers = [column[n] for n in (whole, *parts)]
        if None not in numbers:
            assert numbers[0] == sum(n for n in numbers[1:] if n is not None), (whole, parts)


@chance(6)
@given(data=st.data())
def test_parts_add_up_to_the_whole(database: Settings, reader: psycopg.Connection, data: st.DataObject) -> None:
    events = data.draw(worlds())
    fill(database, events)
    world, q = World(events), data.draw(questions(events))
    whole = figures(world, q)
    for code in FLOWS:
        for by in ("unit", "day", "month"):
            assert sum(n or 0 for n in answers(reader, code, q, by).values()) == (whole[code] or 0), (code, by, q)
        for unit, number in answers(reader, code, q, "unit").items():
            if unit != q.unit:
                assert number == figures(world, q._replace(unit=unit))[code], (code, unit, q)


@chance(6)
@given(data=st.data())
def test_a_past_moment_knows_nothing_of_what_came_later(
    database: Settings, reader: psycopg.Connection, data: st.DataObject
) -> None:
    """All figures as of a moment, with all events stored, and with only those stored that had happened by then."""
    events = data.draw(worlds())
    q = data.draw(questions(events))
    period = Period(q.first, q.last, q.as_of)

    def everything() -> list[Reading]:
        return [r for i in CATALOGUE.values() for by in (None, "unit") for r in read(reader, i, q.unit, period, by)]

    fill(database, events)
    later = everything()
    fill(database, [e for e in events if e.time <= q.as_of])
    assert later == everything()
