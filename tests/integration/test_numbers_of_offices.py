"""Two offices with one number, and what is said twice, on real servers: figures, rows, alarms, findings, rebuild."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from shown import unexplained

from infra.local.servers import Instance
from schemas.envelope import Event
from schemas.indicators import CATALOGUE
from schemas.registry import BY_OFFICE, DATA_TYPES, make
from services.aggregator import rebuild, staging
from services.aggregator.event_store import EventStore, Incoming
from services.board.pages.worklist import worklist_data
from services.board.pages.worklist.cases import case
from services.centre.prepare import settings_of
from services.deadlines.notices import notices
from services.deadlines.worklist import pages
from services.ingest import payments
from services.kit import store
from services.kit.settings import Settings
from services.notifier import alarm_repository, domain
from services.readings import Period, explain, findings, read

A, B, DISTRICT, ELSEWHERE = "chon_thanh_minh_hung", "chon_thanh_nha_bich", "chon_thanh", "so_tp"
START = datetime(2024, 11, 4, 1, tzinfo=UTC)
LATER = START + timedelta(days=60)
PAID = {"transaction": "BL-000777", "kind": "fee", "amount": 15000, "method": "cash"}
REPORT = {"code": "PA-777", "channel": "app", "category": "road", "priority": "urgent"}


@pytest.fixture(scope="module")
def database(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Settings]:
    """A database of this module's own: it is emptied again and again."""
    running = new_centre(open_folder / "identity")
    try:
        running.start(["nats", "timescaledb"])
        yield settings_of(running, "admin")
    finally:
        running.stop()


@pytest.fixture
def empty(database: Settings) -> Settings:
    with psycopg.connect(database.database("owner")) as conn:
        conn.execute("TRUNCATE event_key, event, entity, point, source, alarm")
        conn.execute("TRUNCATE rollup_day, rollup_month, rollup_unit_month")
    return database


@pytest.fixture(scope="module")
def reader(database: Settings) -> Iterator[psycopg.Connection]:
    with store.connect(database, "reader") as conn:
        conn.autocommit = True
        yield conn


def told(name: str, hours: float, unit: str, fields: dict[str, Any], number: int = 0) -> Event:
    data = DATA_TYPES[f"vn.ioc.{name}.v1"].model_validate(fields, strict=False)
    at = START + timedelta(hours=hours)
    return make(data, source=f"/test/{unit}", id=f"{name}/{hours}/{number}", time=at, unit=unit)


def keep(database: Settings, events: Iterable[Event], batches: int = 1, seed: int = 1) -> None:
    """Store events in an order and in batches of chance, each batch by an aggregator that remembers nothing."""
    some = list(events)
    random.Random(seed).shuffle(some)

    async def run() -> None:
        async with store.pool(database, "aggregator", size=3, configure=staging.make) as pool:
            for number in range(batches):
                await EventStore(pool).store([Incoming(e, e.time) for e in some[number::batches]])

    asyncio.run(run())


def agree(database: Settings) -> None:
    """What lives is what the log gives, and a rebuild changes no row."""
    assert rebuild.check(database.database("owner"), lambda *_: None) == []


def figure(reader: psycopg.Connection, code: str, unit: str | None = None) -> Decimal | None:
    return read(reader, CATALOGUE[code], unit, Period(date(2024, 11, 1), date(2024, 12, 31), LATER))[0].value


def rows(reader: psycopg.Connection, kind: str) -> dict[str, tuple[str, str]]:
    found = reader.execute("SELECT id, unit, status FROM entity WHERE kind = %s ORDER BY id", (kind,)).fetchall()
    return {id: (unit, status) for id, unit, status in found}


def found(reader: psycopg.Connection, unit: str | None = None) -> list[tuple[str, str | None, int]]:
    return [(f.code, f.unit, int(f.left)) for f in findings(reader, LATER) if unit in (None, f.unit)]


def test_two_wards_with_one_receipt_are_two_payments(empty: Settings, reader: psycopg.Connection) -> None:
    keep(empty, [told("payment.made", 0, A, PAID), told("payment.made", 1, B, {**PAID, "amount": 40000})], 2)
    assert [figure(reader, "payments_amount", unit) for unit in (None, A, B)] == [55000, 15000, 40000]
    assert rows(reader, "payment") == {"BL-000777": (A, "made"), f"BL-000777@{B}": (B, "made")}
    opened = explain(reader, CATALOGUE["payments_amount"], B, Period(date(2024, 11, 1), date(2024, 12, 31), LATER))
    assert opened.reading.reason is None and [e.unit for e in opened.sample] == [B]
    assert found(reader) == []
    agree(empty)


def test_an_office_that_contradicts_itself_is_seen(empty: Settings, reader: psycopg.Connection) -> None:
    other = told("payment.made", 2, A, {**PAID, "amount": 40000})
    keep(empty, [told("payment.made", 0, A, PAID), told("payment.made", 1, A, PAID), other], 3)
    assert figure(reader, "payments_amount") == 15000
    conflict, repeat = findings(reader, LATER)
    assert (conflict.code, conflict.unit, conflict.evidence) == ("contradicted", A, (other.id,))
    assert "15000 ≠ 40000" in conflict.vi and "15000 ≠ 40000" in conflict.en
    assert (repeat.code, repeat.unit, int(repeat.left)) == ("repeated", A, 1)
    assert "payments_amount" in conflict.figures
    assert findings(reader, START) == [], "nothing was said twice then"
    agree(empty)


def test_rows_follow_whoever_used_the_number_first(empty: Settings, reader: psycopg.Connection) -> None:
    """The earlier one is heard of later: the row of the number becomes its, and what was nobody's finds its case."""
    keep(empty, [told("payment.made", 5, B, PAID)])
    keep(empty, [told("payment.refunded", 6, ELSEWHERE, {"transaction": "BL-000777", "amount": 1})])
    assert rows(reader, "payment") == {"BL-000777": (B, "refunded")}
    keep(empty, [told("payment.made", 0, A, PAID)])
    assert rows(reader, "payment") == {
        "BL-000777": (A, "made"), "BL-000777@": (ELSEWHERE, "ambiguous"), f"BL-000777@{B}": (B, "made"),
    }  # fmt: skip
    assert figure(reader, "payments_amount") == 30000
    agree(empty)
    keep(empty, [told("payment.made", 1, ELSEWHERE, PAID)])
    assert set(rows(reader, "payment")) == {"BL-000777", f"BL-000777@{B}", f"BL-000777@{ELSEWHERE}"}
    agree(empty)
    rebuild.rebuild(empty.database("owner"), lambda *_: None)
    keep(empty, [told("payment.refunded", 9, B, {"transaction": "BL-000777", "amount": 15000})])
    assert rows(reader, "payment")[f"BL-000777@{B}"] == (B, "refunded")
    agree(empty)


def owed(database: Settings, now: datetime) -> list[Event]:
    async def look() -> list[Event]:
        async with store.pool(database, "deadlines") as pool:
            return [e async for page in pages(pool, now) for row in page for e in notices(row, now)]

    return asyncio.run(look())


def notified(database: Settings, what: Callable[[AsyncConnectionPool], Any]) -> Any:
    async def run() -> Any:
        async with store.pool(database, "notifier") as pool:
            return await what(pool)

    return asyncio.run(run())


def test_each_ward_has_its_own_overdue_report_and_alarm(empty: Settings, reader: psycopg.Connection) -> None:
    keep(empty, [told("report.received", 0, A, REPORT), told("report.received", 1, B, REPORT)], 2)
    now = START + timedelta(days=1)
    said = owed(empty, now)
    assert {(e.unit, e.fields["office"], e.fields["code"]) for e in said} == {(u, u, "PA-777") for u in (A, B)}
    assert len({e.key for e in said}) == len(said) == 6
    keep(empty, said)
    assert owed(empty, now) == [], "what was said is owed no more"
    raised = [one for e in said if (one := domain.to_raise(e))]

    async def rise(pool: AsyncConnectionPool) -> None:
        """In the order in which the stages were due for one ward, in the other order for the other, and all again."""
        one_by_one = sorted(raised, key=lambda one: (one.due_at or now).timestamp() * (1 if one.unit == A else -1))
        for batch in ([one] for one in one_by_one):
            async with alarm_repository.writing(pool) as conn:
                await alarm_repository.raise_all(conn, batch, now)
        async with alarm_repository.writing(pool) as conn:
            await alarm_repository.raise_all(conn, raised, now)

    notified(empty, rise)
    items = worklist_data.items(reader, now)
    assert [(i.number, i.unit, [(a.office, a.stage) for a in i.alarms]) for i in items] == [
        ("PA-777", unit, [(unit, "resolve")]) for unit in (A, B)
    ], "late at every stage it has one alarm, about the last"
    for unit, item, steps in zip((A, B), items, (3, 1), strict=True):
        shown = case(reader, "report", f"PA-777@{unit}")
        assert shown and shown.row.id == item.id and len(shown.steps) == steps
    masked = reader.execute("SELECT DISTINCT originator FROM alarm_list WHERE type = 'ReportOverdue'").fetchall()
    assert all("777" not in name and A not in name for (name,) in masked)
    keep(empty, [told("report.resolved", 30, B, {"code": "PA-777", "handling": "handled"})])

    async def clear(pool: AsyncConnectionPool) -> None:
        async with alarm_repository.writing(pool) as conn:
            watched = await alarm_repository.watched(conn)
            states = await alarm_repository.states(conn, {(w.kind, w.entity) for w in watched})
            over = [w.id for w in watched if domain.is_over(w.kind, w.stage, w.due_at, states[w.kind, w.entity], LATER)]
            await alarm_repository.clear(conn, over, LATER, "test", "over")

    notified(empty, clear)
    left = reader.execute("SELECT DISTINCT unit FROM alarm WHERE cleared_at IS NULL").fetchall()
    assert left == [(A,)], "what the one resolved is not done by the other"
    agree(empty)


def test_an_incident_of_another_office_is_another_alarm(empty: Settings) -> None:
    """Also where the first of that number is over, and the other is not folded yet."""
    about = {"code": "SC-1", "severity": "high", "category": "malware"}
    first, second = told("incident.opened", 0, A, about), told("incident.opened", 5, B, about)
    keep(empty, [first, told("incident.closed", 1, A, {"code": "SC-1"})])
    mine, theirs = (domain.to_raise(e) for e in (first, second))
    assert mine and theirs and mine.case != theirs.case

    async def states(pool: AsyncConnectionPool) -> Any:
        async with pool.connection() as conn:
            return await alarm_repository.states(conn, [one.case for one in (mine, theirs)])

    assert set(notified(empty, states)) == {("incident", f"SC-1@{A}")}
    keep(empty, [second])
    known = notified(empty, states)
    assert [known["incident", f"SC-1@{unit}"].ended_at is None for unit in (A, B)] == [False, True]


def test_refunds_that_do_not_add_up_are_counted_and_found(empty: Settings, reader: psycopg.Connection) -> None:
    back = {"transaction": "BL-000777", "amount": 1_000_000}
    never = told("payment.refunded", 3, B, {"transaction": "BL-9", "amount": 7})
    keep(empty, [told("payment.made", 0, A, PAID), told("payment.refunded", 1, A, back), never])
    assert figure(reader, "refunds_amount") == 1_000_007
    assert found(reader) == [("over_refunded", A, 1), ("orphan_payment", B, 1)]
    agree(empty)


def test_two_refunds_of_one_moment_and_two_amounts_are_a_conflict(empty: Settings, reader: psycopg.Connection) -> None:
    """As the payment platform posts them; told again in another offset the first is a duplicate."""

    def posted(amount: int, hour: int = 8, offset: str = "+07:00") -> Event:
        words = {"amount": amount, "unit": A, "refunded_at": f"2024-11-05T{hour:02}:00:00{offset}"}
        return payments.refund(payments.Refund.model_validate_json(json.dumps(words)), "BL-000777")

    async def became(*some: Event) -> tuple[list[int], list[int], list[int]]:
        async with store.pool(empty, "aggregator", size=3, configure=staging.make) as pool:
            stored = await EventStore(pool).store([Incoming(e, e.time) for e in some])
            return stored.new, stored.duplicates, stored.conflicts

    paid = told("payment.made", 0, A, PAID)
    assert asyncio.run(became(paid, posted(8000), posted(5000), posted(8000, 1, "Z"))) == ([0, 1], [3], [2])
    assert asyncio.run(became(posted(5000), posted(8000))) == ([], [1], [0])
    assert figure(reader, "refunds_amount") == 8000 and found(reader) == []
    agree(empty)


def test_a_rebuild_waits_for_who_reads_one_table_after_another(empty: Settings, reader: psycopg.Connection) -> None:
    """As after an upgrade, when the board and the exporter of before go on."""
    keep(empty, [told("payment.made", 0, A, PAID)])
    waits = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    with ThreadPoolExecutor(1) as threads, psycopg.connect(empty.database("reader")) as page:
        page.execute("SELECT FROM source")
        done = threads.submit(rebuild.rebuild, empty.database("owner"), lambda *_: None)
        for _ in range(2000):
            if done.done() or reader.execute(waits).fetchone():
                break
            time.sleep(0.01)
        assert page.execute("SELECT count(*) FROM entity").fetchone() == (1,) and not done.done()
        page.rollback()
        done.result(60)
    assert figure(reader, "payments_amount") == 15000
    agree(empty)


def test_very_many_repetitions_are_one_finding(empty: Settings, reader: psycopg.Connection) -> None:
    keep(empty, [told("payment.made", n / 1000, A, PAID, n) for n in range(1500)], 2)
    (one,) = (f for f in findings(reader, LATER) if f.unit)
    assert (one.code, one.left, len(one.evidence)) == ("repeated", 1499, 20)
    assert figure(reader, "payments_amount") == 15000


def test_cases_of_one_number_are_forgotten_together(empty: Settings, reader: psycopg.Connection) -> None:
    other = told("payment.made", 0, A, {**PAID, "transaction": "BL-8"}, 1)
    keep(empty, [told("payment.made", 0, A, PAID), told("payment.made", 24 * 40, B, PAID), other])
    with psycopg.connect(empty.database("owner")) as conn:
        conn.execute("UPDATE horizon SET time = %s", (START + timedelta(days=20),))
        conn.execute("SELECT forget_entities('{}')")
        assert set(rows(conn, "payment")) == {"BL-000777", f"BL-000777@{B}"}
        conn.execute("UPDATE horizon SET time = %s", (START + timedelta(days=50),))
        conn.execute("SELECT forget_entities('{}')")
        assert rows(conn, "payment") == {}
        conn.rollback()


def shuffled(seed: int) -> list[Event]:
    """Every kind that offices number for themselves, in three units with few numbers; steps in no order."""
    chance = random.Random(seed)
    types = [data for data in DATA_TYPES.values() if BY_OFFICE & data.entities.keys()]
    samples = _samples()
    events = []
    for number in range(160):
        name = chance.choice(types)
        fields = dict(samples[name.event])
        for field in next(iter(name.entities.values())):
            fields[field] = f"BL-{chance.randint(1, 2)}"
        fields.pop("dossier", None)
        unit = chance.choice((A, A, B, B, DISTRICT, ELSEWHERE))
        if "to_unit" in fields:
            fields["to_unit"] = chance.choice((A, B, DISTRICT))
        if "ward" in fields:
            fields["ward"] = chance.choice((A, B))
        fields.pop("office", None)
        events.append(told(name.event, chance.randint(0, 40) * 6, unit, fields, number))
    return events


def _samples() -> dict[str, dict[str, Any]]:
    from schemas.contracts import samples

    return {DATA_TYPES[name].event: json.loads(next(iter(texts.values())))["data"] for name, texts in samples().items()}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_in_whatever_order_rows_are_those_of_the_log(
    empty: Settings, reader: psycopg.Connection, seed: int
) -> None:
    events = shuffled(seed)
    keep(empty, events, 7, seed)
    agree(empty)
    kept = reader.execute("SELECT fact ->> 1 FROM entity, jsonb_array_elements(facts) fact").fetchall()
    assert sorted(key for (key,) in kept) == sorted(e.key.hex for e in events for _ in e.touches), "each is kept once"
    assert unexplained(reader) == []
