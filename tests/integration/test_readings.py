"""Readings against figures worked out from the events alone, whatever the unit, the period and the moment asked for."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chance import examples
from chance_worlds import ASKED, START, questions, told, worlds
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plain_readings import CODES, FLOWS, Question, World, figures

from infra.local.servers import Instance
from schemas import units as administrative
from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event
from schemas.indicators import CATALOGUE
from schemas.registry import FOLDS
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.board.live.poller import Tile, tile_of
from services.centre.prepare import settings_of
from services.kit import store
from services.kit.facts import unpack
from services.kit.settings import Settings
from services.readings import Period, Reading, explain, findings, read, sheet
from services.readings.index766 import total_of, unit_index, unit_indices
from services.readings.index766_dossiers import costly, of_dossiers
from services.readings.lines import explanation_lines
from services.readings.overdue import overdue_dossiers
from services.readings.whatif import amount, open_dossiers, points_of, until, what_if


@pytest.fixture(scope="module")
def database(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Settings]:
    """A database of this module's own: it is emptied again and again."""
    running = new_centre(open_folder / "readings")
    try:
        running.start(["nats", "timescaledb"])
        yield settings_of(running, "admin")
    finally:
        running.stop()


ROLLUPS = "rollup_day, rollup_month, rollup_unit_month"


def fill(database: Settings, events: Iterable[Event], seed: str = "") -> None:
    """Store these events and no others, in an order and in batches of chance."""
    with psycopg.connect(database.database("owner")) as conn:
        conn.execute(f"TRUNCATE event_key, event, entity, point, source, {ROLLUPS}")
    add(database, events, seed)


def add(database: Settings, events: Iterable[Event], seed: str = "") -> None:
    """Store these events too, in an order and in batches of chance."""
    batches: list[list[Incoming]] = [[], [], []]
    for event in events:
        random.Random(seed + event.id).choice(batches).append(Incoming(event, event.time))

    async def run() -> None:
        async with store.pool(database, "aggregator", size=3, configure=staging.make) as pool:
            ledger = EventStore(pool)
            for batch in batches:
                await ledger.store(batch)

    asyncio.run(run())


@pytest.fixture(scope="module")
def reader(database: Settings) -> Iterator[psycopg.Connection]:
    with store.connect(database, "reader") as conn:
        conn.autocommit = True
        yield conn


def chance(examples: int) -> settings:
    health = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    phases = [Phase.explicit, Phase.generate]  # without shrinking: every step of it would fill a database
    return settings(max_examples=examples, deadline=None, derandomize=True, phases=phases, suppress_health_check=health)


def answers(reader: psycopg.Connection, code: str, q: Question, by: str | None = None) -> dict[str, Decimal | None]:
    return values(read(reader, CATALOGUE[code], q.unit, Period(q.first, q.last, q.as_of), by))


def answers_together(reader: psycopg.Connection, codes: Sequence[str], q: Question) -> dict[str, Decimal | None]:
    found = sheet(reader, [CATALOGUE[code] for code in codes], q.unit, Period(q.first, q.last, q.as_of))
    return {code: values(readings)[""] for code, readings in zip(codes, found, strict=True)}


def values(found: list[Reading]) -> dict[str, Decimal | None]:
    assert all((r.value is None) == bool(r.reason) for r in found), "a figure that is missing says why, no other does"
    return {r.group: r.value for r in found}


@chance(50)
@given(data=st.data())
def test_figures_are_those_of_the_events(database: Settings, reader: psycopg.Connection, data: st.DataObject) -> None:
    events = data.draw(worlds())
    fill(database, events)
    for number in range(6):
        q = data.draw(questions(events))
        expected = figures(World(events), q)
        assert answers_together(reader, CODES, q) == expected, q
        if not number:
            assert {code: answers(reader, code, q)[""] for code in CODES} == expected, q
        hold_identities(expected)
        moment = min(q.as_of, Period(q.first, q.last, q.as_of).stop - timedelta(microseconds=1))
        listed = overdue_dossiers(reader, q.unit, moment, 1000)
        assert expected["ii06_13"] in (None, len(listed)), q
        assert overdue_dossiers(reader, q.unit, moment, 2) == listed[:2]


def hold_identities(f: dict[str, Decimal | None]) -> None:
    """The columns of II.06, wherever all of them are known."""
    column = {int(code[-2:]): value for code, value in f.items() if code.startswith("ii06_")}
    for whole, parts in ((3, (4, 5, 6)), (3, (7, 11)), (7, (8, 9, 10)), (11, (12, 13))):
        numbers = [column[n] for n in (whole, *parts)]
        if None not in numbers:
            assert numbers[0] == sum(n for n in numbers[1:] if n is not None), (whole, parts)


@examples(25, derandomize=True, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_if_is_what_comes_to_be(database: Settings, reader: psycopg.Connection, data: st.DataObject) -> None:
    """The score after ends that are thought of, and after the same ends were told."""
    fill(database, data.draw(worlds()))
    unit, electronic = data.draw(st.sampled_from(ASKED)), data.draw(st.booleans())
    period = until(date(2024, 11, 1) + data.draw(st.integers(0, 60)) * timedelta(days=1))
    chosen = [d for d in open_dossiers(reader, unit) if data.draw(st.booleans())]
    ends = {d.id: START + data.draw(st.integers(0, 24 * 60)) * timedelta(hours=1) for d in chosen}
    thought = what_if(reader, "portal", unit, ends, period, electronic)
    result = {"paper_result": True, "electronic_result": electronic}
    add(database, [told("dossier.resolved", ends[d.id], d.unit, n, code=d.id, **result) for n, d in enumerate(chosen)])
    now = unit_index(reader, "portal", unit, period)
    known = [metric for metric, count in thought.before.counts.items() if count.count]
    assert {m: now.counts[m].count for m in known} == {m: thought.after.counts[m].count for m in known}
    if now.score.missing == thought.after.score.missing:
        assert now.score == thought.after.score


@chance(15)
@given(data=st.data())
def test_no_order_of_arrival_changes_a_score(
    database: Settings, reader: psycopg.Connection, data: st.DataObject
) -> None:
    events = data.draw(worlds())
    period = until(date(2024, 11, 1) + data.draw(st.integers(0, 60)) * timedelta(days=1))
    found = []
    for seed in ("", "again"):
        fill(database, data.draw(st.permutations(events)), seed)
        found.append([unit_indices(reader, rules, None, period) for rules in ("portal", "decree")])
    assert found[0] == found[1] and found[0][0]


COMPONENTS = [metric for metric, pair in total_of("portal").counts.items() if of_dossiers(pair)]


@chance(15)
@given(data=st.data())
def test_the_dossiers_that_cost_a_component_points_are_those_of_which_its_numerator_lacks_something(
    database: Settings, reader: psycopg.Connection, data: st.DataObject
) -> None:
    """Each dossier folded by itself, and all of them asked at once."""
    events = data.draw(worlds())
    fill(database, events)
    q = data.draw(questions(events))
    period, units = Period(q.first, q.last, q.as_of), None if q.unit is None else administrative.scope(q.unit)
    known = [
        (id, FOLDS["dossier"](id, [unpack(fact) for fact in facts], CalendarHistory()).points)
        for id, unit, facts in reader.execute(_DOSSIERS).fetchall() if units is None or unit in units
    ]  # fmt: skip
    for metric in COMPONENTS:
        expected = []
        for id, points in known:
            own = points_of([p for p in points if units is None or p.unit in units], period)
            numerator, denominator = (amount(part, own, period) for part in total_of("portal").counts[metric])
            expected += [id] if numerator < denominator else []
        found = costly(reader, "portal", metric, q.unit, period, 100)
        assert ([d.id for d in found.listed], found.number) == (expected, len(expected)), (metric, q)
        for page in range(1, len(expected) + 3):
            last = min(page, max(len(expected), 1))
            one = costly(reader, "portal", metric, q.unit, period, 1, page)
            assert one == (found.number, found.listed[last - 1 : last])


def test_a_dossier_that_was_accepted_before_it_was_filed_costs_points_from_then_on(
    database: Settings, reader: psycopg.Connection
) -> None:
    code = "H99.12-241101-9998"
    accepted = told("dossier.accepted", at(1), "chon_thanh", 1, code=code, limit_hours=4)
    fill(database, [accepted, told("dossier.submitted", at(20), "chon_thanh", 2, code=code, procedure="2.000815",
                                   field="justice", channel="online", online_level="none")])  # fmt: skip
    until_the_10th = Period(date(2024, 11, 1), date(2024, 11, 10), NEVER)
    assert [d.id for d in costly(reader, "portal", "ON_TIME", None, until_the_10th, 50).listed] == [code]


_DOSSIERS = "SELECT id, unit, facts FROM entity WHERE kind = 'dossier' ORDER BY due_at NULLS LAST, id"


def test_of_many_dossiers_the_last_one_that_costs_points_is_listed(
    database: Settings, reader: psycopg.Connection
) -> None:
    online = [filed(n, at(5), "chon_thanh") for n in range(2100)]
    fill(database, [*online, filed(9999, at(5), "chon_thanh", "counter")])
    found = costly(reader, "portal", "ONLINE_DOSSIERS", None, Period(*NOVEMBER, NEVER), 50)
    assert (found.number, [d.id for d in found.listed]) == (1, ["H99.12-241101-9999"])


@chance(12)
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


@chance(12)
@given(data=st.data())
def test_a_past_moment_knows_nothing_of_what_came_later(
    database: Settings, reader: psycopg.Connection, data: st.DataObject
) -> None:
    """All figures as of a moment, with all events stored, and with only those stored that had happened by then."""
    events = data.draw(worlds())
    q = data.draw(questions(events))
    period = Period(q.first, q.last, q.as_of)

    def everything() -> list[Reading]:
        asked = (sheet(reader, CATALOGUE.values(), q.unit, period, by) for by in (None, "unit"))
        return [reading for found in asked for readings in found for reading in readings]

    fill(database, events)
    later = everything()
    fill(database, [e for e in events if e.time <= q.as_of])
    assert later == everything()


# --- cases ---

NOVEMBER = (date(2024, 11, 1), date(2024, 11, 30))
NEVER = datetime(2030, 1, 1, tzinfo=UTC)


def at(day: int, hour: int = 2, month: int = 11, year: int = 2024) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def paid(number: int, time: datetime, unit: str, kind: str = "fee", amount: int = 1000, **attributes: Any) -> Event:
    fields = {"transaction": f"TXN-{number}", "kind": kind, "amount": amount, "method": "portal"}
    return told("payment.made", time, unit, number, **fields, **attributes)


def filed(
    number: int, time: datetime, unit: str, channel: str = "online", procedure: str = "2.000815", field: str = "justice"
) -> Event:
    about = {"procedure": procedure, "field": field, "channel": channel, "online_level": "full"}
    return told("dossier.submitted", time, unit, number, code=f"H99.12-241101-{number:04}", **about)


def offered(number: int, unit: str, procedure: str) -> Event:
    about = {"procedure": procedure, "field": "justice", "online_level": "full"}
    return told("procedure.published", at(1, month=10), unit, number, **about)


def stated(
    number: int, time: datetime, value: int, revision: int = 0, unit: str = "binh_phuoc", month: int = 11, **more: str
) -> Event:
    name = "indicator.revised" if revision else "indicator.reported"
    days = {"period_start": f"2024-{month}-01", "period_end": f"2024-{month}-{30 if month == 11 else 31}"}
    about = {"indicator": "ecert_received", "value": str(value), "revision": revision, **days, **more}
    return told(name, time, unit, number, **about)


def asked(
    reader: psycopg.Connection, code: str, unit: str | None, days: tuple[date, date] = NOVEMBER, as_of: datetime = NEVER
) -> Reading:
    return read(reader, CATALOGUE[code], unit, Period(*days, as_of))[0]


def test_missing_is_not_zero_and_zero_is_zero(database: Settings, reader: psycopg.Connection) -> None:
    fill(database, [paid(1, at(5), "bu_gia_map"), paid(2, at(20), "bu_gia_map"), filed(3, at(5), "chon_thanh")])
    day = date(2024, 11, 10)
    assert asked(reader, "payments_fee_count", "bu_gia_map").value == 2
    assert asked(reader, "payments_tax_count", "bu_gia_map").value == 0, "it reports payments, none of them a tax"
    assert asked(reader, "payments_fee_count", "bu_gia_map", (day, day)).value == 0, "between two payments"
    assert asked(reader, "payments_fee_count", "chon_thanh").value is None, "dossiers tell nothing of payments"
    assert asked(reader, "payments_fee_count", "hon_quan").reason == "no event of this kind has ever come from here"
    october = (date(2024, 10, 1), date(2024, 10, 31))
    assert asked(reader, "payments_fee_count", "bu_gia_map", october).reason == "no data before 05/11/2024"
    december = (date(2024, 12, 1), date(2024, 12, 31))
    assert asked(reader, "payments_fee_count", "bu_gia_map", december).reason == "no data after 20/11/2024"
    ahead = explain(reader, CATALOGUE["dossiers_in_progress"], "chon_thanh", Period(*december, at(30)))
    assert (ahead.reading.reason, ahead.events) == ("the period begins only after that moment", 0)


def test_a_share_without_a_known_denominator_is_missing(database: Settings, reader: psycopg.Connection) -> None:
    fill(database, [filed(1, at(5), "chon_thanh", "counter"), offered(2, "so_tp", "2.000815")])
    assert asked(reader, "on_time_share", "chon_thanh").reason == "the denominator is 0"
    assert asked(reader, "on_time_share", "hon_quan").value is None
    assert asked(reader, "online_service_share", "so_tp").value is None, "nothing ever came in: that is not 0 %"
    rows = read(reader, CATALOGUE["online_service_share"], None, Period(*NOVEMBER, NEVER), "unit")
    assert {r.group: r.value for r in rows}["so_tp"] is None, "by unit neither"


def test_by_a_label_a_part_that_is_not_known_is_missing_and_one_that_is_known_is_zero(
    database: Settings, reader: psycopg.Connection
) -> None:
    """As in the whole: what came in a month of which nobody told is known of no field, though some were open."""
    fill(database, [filed(1, at(5), "chon_thanh"), filed(2, at(8), "chon_thanh", "counter", field="land")])
    december, november = Period(date(2024, 12, 1), date(2024, 12, 31), NEVER), Period(*NOVEMBER, NEVER)
    for code, carried in (("ii06_06", 1), ("ii06_03", None)):
        rows = read(reader, CATALOGUE[code], None, december, "field")
        assert {r.group: r.value for r in rows} == {"justice": carried, "land": carried}
        assert {r.reason for r in rows} == {read(reader, CATALOGUE[code], None, december)[0].reason}
    assert rows[0].reason == "no data after 08/11/2024"
    columns = sheet(reader, [CATALOGUE[f"ii06_{n:02}"] for n in (3, 4, 5, 10)], None, november, "field", aligned=True)
    assert [{r.group: r.value for r in column} for column in columns] == [
        {"justice": 1, "land": 1}, {"justice": 1, "land": 0}, {"justice": 0, "land": 1}, {"justice": 0, "land": 0}
    ]  # fmt: skip
    shares = [read(reader, CATALOGUE["overdue_share"], None, period, "field") for period in (november, december)]
    assert [{r.group: r.value for r in share} for share in shares] == [
        {"justice": 0, "land": 0}, {"justice": None, "land": None}
    ]  # fmt: skip
    assert {r.reason for r in shares[1]} == {"denominator: no data after 08/11/2024"}


def test_services_count_once_for_each_unit_and_means_are_of_units(
    database: Settings, reader: psycopg.Connection
) -> None:
    used = [filed(1, at(5), "chon_thanh"), filed(2, at(6), "chon_thanh"), filed(3, at(6), "bu_gia_map")]
    more = [filed(4, at(9), "bu_gia_map", procedure="1.000001"), filed(5, at(9), "chon_thanh", "counter")]
    offers = [offered(6, "chon_thanh", "2.000815"), offered(7, "chon_thanh", "1.000001")]
    offers += [offered(8, "bu_gia_map", "2.000815"), offered(9, "bu_gia_map", "1.000001")]
    fill(database, [*used, *more, *offers])
    assert asked(reader, "services_online_used", "binh_phuoc").value == 3
    assert asked(reader, "online_service_share", "binh_phuoc").value == 75
    assert asked(reader, "online_service_share", "chon_thanh").value == 50
    assert asked(reader, "online_service_share_mean", "binh_phuoc").value == 75
    assert asked(reader, "online_dossier_share", "binh_phuoc").value == 80
    assert asked(reader, "online_dossier_share_mean", "binh_phuoc").printed == Decimal("83.33")


def test_a_statement_is_read_in_the_revision_known_at_the_moment(
    database: Settings, reader: psycopg.Connection
) -> None:
    fill(database, [stated(1, at(30), 100), stated(1, at(5, month=12), 120, 1), stated(2, at(30), 7, month=10)])
    before = at(5, month=12) - timedelta(microseconds=1)
    assert asked(reader, "ecert_received", "binh_phuoc", as_of=before).value == 100
    assert asked(reader, "ecert_received", "binh_phuoc", as_of=at(5, month=12)).value == 120
    assert asked(reader, "ecert_received", "binh_phuoc", as_of=at(29)).value is None
    october = (date(2024, 10, 1), date(2024, 10, 31))
    assert asked(reader, "ecert_received", "binh_phuoc", october).value == 7
    assert asked(reader, "ecert_received", "chon_thanh").reason == "not reported for this period"


def test_statements_of_several_units_are_not_added_unasked(database: Settings, reader: psycopg.Connection) -> None:
    fill(database, [stated(1, at(30), 100, unit="chon_thanh"), stated(2, at(30), 50, unit="bu_gia_map")])
    assert asked(reader, "ecert_received", None).value is None
    fill(database, [stated(1, at(30), 100, unit="chon_thanh"), stated(2, at(30), 150, unit="binh_phuoc")])
    assert asked(reader, "ecert_received", None).value == 150, "the province speaks for those below it"


def test_a_series_is_followed_across_the_merger_of_2025(database: Settings, reader: psycopg.Connection) -> None:
    before = [paid(1, at(5), "chon_thanh"), paid(2, at(6), "chon_thanh_minh_hung"), paid(3, at(6), "so_tp")]
    fill(database, [*before, paid(4, at(3, month=7, year=2025), "phuong_minh_hung")])
    both = (date(2024, 11, 1), date(2025, 7, 31))
    assert asked(reader, "payments_count", "dong_nai", both).value == 4
    assert asked(reader, "payments_count", "binh_phuoc", both).value == 3
    assert asked(reader, "payments_count", "phuong_minh_hung", both).value == 2, "its only predecessor comes with it"
    assert asked(reader, "payments_count", "chon_thanh", both).value == 2
    assert asked(reader, "payments_count", "xa_nha_bich", both).value is None, "a district that was split is nobody's"
    rows = read(reader, CATALOGUE["payments_count"], "dong_nai", Period(*both, NEVER), "unit")
    assert {r.group: r.value for r in rows} == {"binh_phuoc": 3, "phuong_minh_hung": 1}


def test_figures_name_the_origins_of_their_data(database: Settings, reader: psycopg.Connection) -> None:
    shifted = paid(3, at(20), "so_tp", origin="shifted", shiftdays=7)
    fill(database, [paid(1, at(5), "chon_thanh"), paid(2, at(6), "bu_gia_map", origin="simulated"), shifted])
    assert asked(reader, "payments_count", None).origins == {"real", "simulated", "shifted"}
    assert asked(reader, "payments_count", "chon_thanh").origins == {"real"}
    assert asked(reader, "payments_count", None, as_of=at(6)).origins == {"real", "simulated"}


def test_a_level_is_the_last_one_reported(database: Settings, reader: psycopg.Connection) -> None:
    beds = [(1, 5, "east", 40), (2, 7, "east", 30), (3, 6, "west", 10)]
    events = [
        told("beds.reported", at(d), "chon_thanh", n, facility=house, day=f"2024-11-{d:02}", beds=number, occupied=1)
        for n, d, house, number in beds
    ]
    fill(database, events)
    day = date(2024, 11, 6)
    assert asked(reader, "beds", "chon_thanh").value == 40, "30 in the east, 10 in the west"
    assert asked(reader, "beds", "chon_thanh", as_of=at(6)).value == 50
    assert asked(reader, "beds", "chon_thanh", as_of=at(7)).value == 40
    assert asked(reader, "beds_free", "chon_thanh").value == 38
    assert asked(reader, "beds", "chon_thanh", (day, day)).value == 10
    later = (date(2024, 11, 8), date(2024, 11, 30))
    assert asked(reader, "beds", "chon_thanh", later).reason == "not reported in the period"


def test_an_hour_of_the_same_day_that_is_still_to_come_does_not_count(
    database: Settings, reader: psycopg.Connection
) -> None:
    about = {"source": "facebook", "topic": "land", "tone": "neutral", "day": "2024-11-05"}
    fill(database, [told("mention.aggregated", at(5, 12), "chon_thanh", n, hour=n, count=n, **about) for n in (8, 15)])
    assert asked(reader, "mentions", "chon_thanh", as_of=at(5, 2)).value == 8
    assert asked(reader, "mentions", "chon_thanh", as_of=at(5, 8)).value == 23


def test_the_hours_of_a_day_add_up_to_it_and_end_with_the_moment(
    database: Settings, reader: psycopg.Connection
) -> None:
    fill(database, [paid(n, at(5, hour), "chon_thanh") for n, hour in enumerate((0, 1, 1, 9), 1)])
    day, count = date(2024, 11, 5), CATALOGUE["payments_count"]
    whole = read(reader, count, "chon_thanh", Period(day, day, NEVER), "hour")
    assert [r.group for r in whole] == [f"2024-11-05T{hour:02}" for hour in range(24)]
    here = {r.group[-2:]: r.value for r in whole if r.value}
    assert here == {"07": 1, "08": 2, "16": 1}, "seven hours later than in Greenwich"
    assert sum(r.value or 0 for r in whole) == read(reader, count, "chon_thanh", Period(day, day, NEVER))[0].value
    so_far = read(reader, count, "chon_thanh", Period(day, day, at(5, 1)), "hour")
    assert [(r.group[-2:], r.value) for r in so_far][-2:] == [("07", 1), ("08", 2)]


def worked(n: int, minutes: int, unit: str = "chon_thanh", then: tuple[str, ...] = ("resolved",)) -> list[Event]:
    """A dossier accepted on a Monday at 7:00 that ends, or is stopped and goes on, after some minutes of work."""
    start = datetime(2024, 11, 4, tzinfo=UTC)
    fields = {"accepted": {"limit_days": 9}, "stopped": {"reason": "other"}}
    steps = [
        ("accepted", start),
        *((step, start + timedelta(minutes=minutes * (i + 1))) for i, step in enumerate(then)),
    ]
    return [
        told(f"dossier.{step}", time, unit, n, code=f"H99.12-241104-{n:04}", **fields.get(step, {}))
        for step, time in steps
    ]


def test_a_median_is_the_middle_one_and_what_was_taken_back_does_not_count(
    database: Settings, reader: psycopg.Connection
) -> None:
    spans = enumerate((30, 60, 240, 200), start=1)
    others = worked(5, 10, "bu_gia_map") + worked(6, 20, then=("stopped", "processing_started"))
    fill(database, [*(event for n, minutes in spans for event in worked(n, minutes)), *others])
    november = Period(date(2024, 11, 1), date(2024, 11, 30), NEVER)
    median = CATALOGUE["processing_time_median"]
    assert read(reader, median, "chon_thanh", november)[0].value == 130
    assert read(reader, median, None, november)[0].value == 60
    by_unit = {r.group: r.value for r in read(reader, median, None, november, "unit")}
    assert by_unit == {"chon_thanh": 130, "bu_gia_map": 10}
    stopped = Period(date(2024, 11, 1), date(2024, 11, 30), datetime(2024, 11, 4, 0, 20, tzinfo=UTC))
    assert read(reader, median, "chon_thanh", stopped)[0].value == 20, "an end, as it was known then"
    december = Period(date(2024, 12, 1), date(2024, 12, 31), NEVER)
    assert read(reader, median, "chon_thanh", december)[0].value is None
    assert explain(reader, median, "chon_thanh", november).events == 6


def test_the_hotline_balances_over_any_days(database: Settings, reader: psycopg.Connection) -> None:
    """A report left over from before and one that was reopened are no finding; one that was resolved in no way is."""
    received = {"channel": "hotline_1022", "category": "road", "priority": "normal"}
    lives = {1: ["resolved"], 2: ["routed", "resolved", "reopened", "routed"], 3: [], 4: ["refused"]}
    fields = {"resolved": {"handling": "handled"}, "routed": {"to_unit": "so_tp"}, "refused": {"reason": "x"}}
    events = [told("report.received", at(1), "chon_thanh", n, code=f"PA-{n}", **received) for n in lives]
    events += [
        told(f"report.{step}", at(4 + day), "chon_thanh", n, code=f"PA-{n}", **fields.get(step, {}))
        for n, steps in lives.items()
        for day, step in enumerate(steps)
    ]
    fill(database, events)
    for first in (date(2024, 11, 1), date(2024, 11, 4), date(2024, 11, 6)):
        every = findings(reader, NEVER, first, date(2024, 11, 30))
        found = {f.code: f.missing for f in every if f.code != "silent_source"}  # by then nothing came for long
        assert found == ({"hotline_groups": 1} if first < date(2024, 11, 6) else {}), first


def test_what_was_published_does_not_add_up_in_its_own_days(database: Settings, reader: psycopg.Connection) -> None:
    """Three came in the published days, one of which was resolved in no way; what came after balances by itself."""
    received = {"channel": "hotline_1022", "category": "road", "priority": "normal"}
    events = [told("report.received", at(day), "chon_thanh", day, code=f"PA-{day}", **received) for day in (1, 2, 3, 9)]
    events.append(told("report.resolved", at(4), "chon_thanh", 1, code="PA-1", handling="handled"))
    days = {"period_start": "2024-11-01", "period_end": "2024-11-05"}
    events.append(stated(1, at(6), 3, indicator="reported_hotline_received", **days))
    fill(database, events)
    (found,) = [f for f in findings(reader, NEVER) if f.code == "hotline_groups"]
    assert (found.first, found.last, found.left, found.right) == (date(2024, 11, 1), date(2024, 11, 5), 3, 2)
    (whole,) = [f for f in findings(reader, NEVER, date(2024, 11, 1), date(2024, 11, 30)) if f.code == "hotline_groups"]
    assert (whole.left, whole.right) == (4, 3), "of days that are asked for it is told as they are"


def test_findings_are_those_of_the_moment(database: Settings, reader: psycopg.Connection) -> None:
    """The table said 100 and the text 90, until the text was corrected."""
    later = at(5, month=12)
    corrected = stated(2, later, 100, 1, basis="text")
    fill(database, [stated(1, at(30), 100), stated(2, at(30), 90, basis="text"), corrected])
    before = findings(reader, later - timedelta(days=1))
    assert [(f.code, f.left, f.right) for f in before] == [("contradiction", 100, 90)]
    assert findings(reader, later) == []


class Busy(psycopg.Connection):
    """A connection beside which something is stored before every question that it asks."""

    meanwhile: Callable[[], None] | None = None

    def execute(self, *question: Any, **options: Any) -> psycopg.Cursor:
        if self.meanwhile:
            self.meanwhile()
        return super().execute(*question, **options)


def test_no_finding_mixes_what_was_so_at_different_moments(database: Settings, reader: psycopg.Connection) -> None:
    """While the two sides are read reports come in: in neither side, or in both."""
    reports = (
        told("report.received", at(1), "chon_thanh", n, code=f"PA-{n}", channel="hotline_1022", category="road",
             priority="normal")
        for n in itertools.count()
    )  # fmt: skip
    fill(database, [next(reports)])

    async def add() -> None:
        async with store.pool(database, "aggregator", configure=staging.make) as pool:
            event = next(reports)
            await EventStore(pool).store([Incoming(event, event.time)])

    with Busy.connect(database.database("reader"), autocommit=True) as busy:
        busy.meanwhile = lambda: asyncio.run(add())
        assert findings(busy, NEVER) == []
    assert (asked(reader, "reports_received", "chon_thanh").value or 0) > 10, "reports did come in meanwhile"


def test_a_finding_names_the_figures_that_rest_on_what_disagrees(
    database: Settings, reader: psycopg.Connection
) -> None:
    received = {"channel": "hotline_1022", "category": "road", "priority": "normal"}
    both = [stated(1, at(30), 100), stated(2, at(30), 90, basis="text")]
    resolved = told("report.resolved", at(2), "chon_thanh", 1, code="PA-1")
    stray = told("dossier.withdrawn", at(2), "chon_thanh", 2, code="H99-241101-00002")
    fill(database, [told("report.received", at(1), "chon_thanh", 1, code="PA-1", **received), resolved, stray, *both])
    figures = {f.code: f.figures for f in findings(reader, NEVER)}
    assert set(figures) == {"hotline_groups", "orphan_dossier", "contradiction"}
    assert figures["hotline_groups"] >= {"reports_received", "hotline_forwarded", "reports_in_time_share"}
    assert figures["orphan_dossier"] >= {"dossiers_received", "overdue_share", "ii06_03"}
    assert not figures["hotline_groups"] & figures["orphan_dossier"]
    assert figures["contradiction"] == {"ecert_received"}


def test_a_tile_is_of_one_moment(database: Settings, reader: psycopg.Connection) -> None:
    """While a tile is read reports come in, its figures and its days are all those before one of them."""
    now = at(20, 8)
    reports = (
        told(
            "report.received",
            at(20),
            "chon_thanh",
            n,
            code=f"PA-{n}",
            channel="app",
            category="road",
            priority="normal",
        )
        for n in itertools.count()
    )
    fill(database, [next(reports)])
    moments: list[Tile] = []

    async def store_one() -> None:
        async with store.pool(database, "aggregator", configure=staging.make) as pool:
            event = next(reports)
            await EventStore(pool).store([Incoming(event, event.time)])

    def one_more() -> None:
        if len(moments) < 6:
            asyncio.run(store_one())
            moments.append(tile_of(reader, "field", None, Period.of(now), Period.of(now - timedelta(days=31))))

    with Busy.connect(database.database("reader"), autocommit=True) as busy:
        busy.meanwhile = one_more
        assert tile_of(busy, "field", None, Period.of(now), Period.of(now - timedelta(days=31))) in moments
    assert len({tile.readings[-1].value for tile in moments}) == len(moments) > 1, "each has one report more"


def report(n: int, when: datetime) -> Event:
    said = {"code": f"PA-{n}", "channel": "app", "category": "road", "priority": "normal"}
    return told("report.received", when, "chon_thanh", n, **said)


def test_a_tile_says_what_its_leading_figure_was_where_its_sources_tell_of_it(
    database: Settings, reader: psycopg.Connection
) -> None:
    """Two reports that are late in November; of October is known what happened from its 20th day on."""

    events = [report(0, at(20, month=10)), report(1, at(2)), report(2, at(3))]
    fill(database, [*events, told("report.resolved", at(25, month=10), "chon_thanh", 3, code="PA-0")])
    now = Period.of(at(20, 8))
    of_october = Period(date(2024, 10, 1), date(2024, 10, 20), at(20, 8, month=10))
    assert tile_of(reader, "field", None, now, of_october).before is None
    since_then = Period(date(2024, 10, 21), date(2024, 10, 31), at(31, 8, month=10))
    tile = tile_of(reader, "field", None, now, since_then)
    assert (tile.main.indicator.code, tile.main.value) == ("reports_overdue", 2)
    assert tile.before == read(reader, tile.main.indicator, None, since_then)[0] and tile.before.value == 0
    assert tile_of(reader, "field", None, now, since_then, tile) == tile


def test_a_tile_shows_the_month_before_until_the_new_one_has_figures(
    database: Settings, reader: psycopg.Connection
) -> None:
    """In its first hours; what stands at a moment is as of now, and a chosen month is what it is."""

    of_october = [report(n, at(n, month=10)) for n in (2, 3, 4)]
    fill(database, of_october)
    begun, before = at(1, 1), Period(date(2024, 10, 1), date(2024, 10, 1), at(1, 1, month=10))

    def seen(moment: datetime, so_far: bool = True) -> tuple[Tile, dict[str, Any]]:
        tile = tile_of(reader, "field", None, Period.of(moment), before, so_far=so_far)
        return tile, {r.indicator.code: r.value for r in tile.readings}

    tile, values = seen(begun)
    assert (values["reports_received"], tile.month) == (3, date(2024, 10, 1)) and "reports_received" in tile.earlier
    assert values["reports_overdue"] == 3 and "reports_overdue" not in tile.earlier
    assert seen(begun, so_far=False)[1]["reports_received"] is None
    fill(database, [*of_october, report(5, at(1))])
    tile, values = seen(at(1, 12))
    assert values["reports_received"] == 1 and "reports_received" not in tile.earlier


def opened(
    reader: psycopg.Connection, code: str, as_of: datetime = NEVER, since: date | None = None
) -> tuple[Decimal | None, int, list[str], bool]:
    """What is told of a figure of Chơn Thành: value, number of events, the days of the sample, `history`; the command
    says the same."""
    shown = explain(reader, CATALOGUE[code], "chon_thanh", Period.of(as_of, since))
    days = [f"{e.type.split('.')[-2]} {e.time.day}" for e in shown.sample]
    told = f"  events   {shown.events}{' that have ever moved it' * shown.history}"
    assert any(line.startswith(told) for line in explanation_lines(shown))
    assert len(days) == min(shown.events, 5)
    return shown.reading.value, shown.events, days, shown.history


def test_a_level_rests_on_the_reports_of_its_last_day_alone(database: Settings, reader: psycopg.Connection) -> None:
    reports = [("east", 5), ("east", 6), ("east", 7), ("west", 5), ("west", 6)]
    fill(
        database,
        [
            told(
                "beds.reported", at(d), "chon_thanh", n, facility=house, day=f"2024-11-{d:02}", beds=10 * d, occupied=d
            )
            for n, (house, d) in enumerate(reports)
        ],
    )
    assert opened(reader, "beds") == (130, 2, ["reported 6", "reported 7"], False)
    assert opened(reader, "beds_free") == (117, 2, ["reported 6", "reported 7"], False), "one report says both"
    assert opened(reader, "bed_occupancy", at(6)) == (10, 2, ["reported 6", "reported 6"], False)
    assert opened(reader, "beds", at(30), date(2024, 11, 7)) == (70, 1, ["reported 7"], False)
    assert opened(reader, "beds", at(30), date(2024, 11, 8)) == (None, 0, [], False)


def test_a_stock_rests_on_what_is_open(database: Settings, reader: psycopg.Connection) -> None:
    received = {"channel": "app", "category": "road", "priority": "normal"}
    lives = {1: ["resolved"], 2: ["resolved", "reopened"], 3: [], 4: ["routed"], 5: ["refused"]}
    fields = {"resolved": {"handling": "handled"}, "routed": {"to_unit": "so_tp"}, "refused": {"reason": "x"}}
    events = [told("report.received", at(n), "chon_thanh", n, code=f"PA-{n}", **received) for n in lives]
    events += [
        told(f"report.{step}", at(10 + day), "chon_thanh", n, code=f"PA-{n}", **fields.get(step, {}))
        for n, steps in lives.items()
        for day, step in enumerate(steps)
    ]
    raised = {"severity": "high", "category": "malware"}
    events += [told("alert.raised", at(n), "chon_thanh", n, code=f"CB-{n}", **raised) for n in (1, 2)]
    events += [told("alert.closed", at(3), "chon_thanh", 1, code="CB-1")]
    events += [filed(n, at(3 + n), "chon_thanh") for n in (1, 2)]
    events += [told("dossier.refused", at(6), "chon_thanh", 1, code="H99.12-241101-0001", reason="x")]
    fill(database, events)
    still = ["received 2", "received 3", "resolved 10", "reopened 11"]
    assert opened(reader, "reports_in_progress") == (2, 4, still, False), "the fourth was handed on"
    assert opened(reader, "reports_waiting") == (2, 4, still, False)
    assert opened(reader, "dossiers_in_progress") == (1, 1, ["submitted 5"], False)
    assert opened(reader, "security_alerts_open") == (1, 1, ["raised 2"], False)
    assert opened(reader, "reports_in_progress", at(9))[:2] == (5, 5), "open then, some closed since"
    assert opened(reader, "reports_in_progress", at(9))[3]
    assert opened(reader, "reports_in_progress", at(5, month=12), date(2024, 12, 1))[1:] == (4, still, False)


class Narrow(psycopg.Connection):
    """A connection that knows how many rows came over it at most."""

    most = 0

    def execute(self, *question: Any, **options: Any) -> psycopg.Cursor:
        answer = super().execute(*question, **options)
        self.most = max(self.most, answer.rowcount)
        return answer


MANY = """
CREATE TEMP TABLE made AS
SELECT gen_random_uuid() AS key, '2024-11-03 02:00+00'::timestamptz + g * interval '1 second' AS time, g
FROM generate_series(1, 20000) g;
INSERT INTO series (measure, unit, origin, labels)
VALUES ('reports_received', 'chon_thanh', 'real', '{"channel": "x"}');
INSERT INTO point SELECT s.id, time, key, 1 FROM made, series s WHERE s.labels = '{"channel": "x"}';
INSERT INTO event_key SELECT key, key, time FROM made;
INSERT INTO event
SELECT time, key, 'vn.ioc.report.received.v1', 'chon_thanh', 'real', 0, CASE g WHEN 777 THEN '/rare' ELSE '/many' END,
    'PA-' || g, time, '{}' FROM made;
INSERT INTO source SELECT source, 'field', count(*), max(time), max(time) FROM event GROUP BY source;
"""


def test_a_figure_over_many_events_is_opened_without_fetching_them(database: Settings) -> None:
    fill(database, [])
    with psycopg.connect(database.database("owner")) as conn:
        conn.execute(MANY)
    with Narrow.connect(database.database("reader"), autocommit=True) as narrow:
        shown = explain(narrow, CATALOGUE["reports_received"], None, Period(at(1).date(), at(20).date(), at(20)), 7)
    assert (shown.events, len(shown.sample)) == (20_000, 7)
    assert [(s.source, s.events) for s in shown.sources] == [("/many", 19_999), ("/rare", 1)]
    assert narrow.most < 100
