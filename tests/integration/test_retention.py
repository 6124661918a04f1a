"""Retention on a real centre with a load spread over years: figures of whole days stay, the log's proof goes on."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alarms import eventually
from prometheus_client import REGISTRY
from psycopg import AsyncConnection
from support import wait_until_idle
from test_aggregator import disagreements, publish, quarantined, sample, sql, wire

from infra.local.servers import Instance
from schemas.calendar import VN
from schemas.envelope import Event
from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Median
from schemas.registry import parse
from services.aggregator import rebuild
from services.centre.prepare import settings_of
from services.kit import clock, store
from services.readings import Period, read
from services.upkeep.compression import BEGINNING, compress
from services.upkeep.measure import measure
from services.upkeep.retention import Forgotten, next_horizon, retain
from services.upkeep.retention_rules import LEAST_DAYS, STATE_KINDS

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
YEARS = 1600 * DAY
MERGER = datetime(2025, 6, 30, 17, tzinfo=UTC)

LIVES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "dossier": (
        ("dossier.submitted", {}),
        ("dossier.accepted", {"promised_at": None, "limit_days": 5}),
        ("dossier.supplement_requested", {}),
        ("dossier.supplement_received", {}),
        ("dossier.resolved", {}),
        ("dossier.rated", {}),
    ),
    "report": (
        ("report.received", {}),
        ("report.routed", {}),
        ("report.resolved", {}),
        ("report.reopened", {}),
        ("report.resolved", {}),
    ),
    "payment": (("payment.made", {"dossier": None}), ("payment.refunded", {})),
    "alert": (("alert.raised", {}), ("alert.acknowledged", {}), ("alert.closed", {})),
    "feature": (("feature.upserted", {}), ("feature.retired", {})),
    "visits": (("visits.reported", {}),) * 2,
    "service": (("procedure.published", {"offered": True}), ("procedure.published", {"offered": False})),
    "statistic": (("indicator.reported", {}),),
}
IDS = {"dossier": "code", "report": "code", "payment": "transaction", "alert": "code", "feature": "feature"}


@pytest.fixture(scope="module")
def centre(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    """A centre with years of data, folded, whose upkeep may forget what is as old as can be forgotten."""
    running = new_centre(open_folder / "years")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IOC_RETENTION_DAYS", str(LEAST_DAYS))
        try:
            running.start(["nats", "timescaledb"])
            publish(running, wire(years()))
            running.start_services(["aggregator"])
            wait_until_idle(running)
            yield running
        finally:
            running.stop()


def years() -> list[Event]:
    """Lives of all kinds, begun at any time of the years; some go on for hundreds of days, some never end."""
    chance = random.Random(20)
    return [event for n in range(700) for event in life(chance, n)]


def life(chance: random.Random, n: int) -> Iterator[Event]:
    kind = chance.choice(sorted(LIVES))
    at, pace = NOW - YEARS * chance.random(), chance.choice([DAY / 50, 2 * DAY, 40 * DAY, 300 * DAY])
    begun, steps = at, LIVES[kind][: chance.randint(1, len(LIVES[kind]))]
    for step, (name, fields) in enumerate(steps):
        if at < NOW - DAY:
            yield told(name, at, f"{n}/{step}", fields | about(kind, n, step, begun))
        at += pace * chance.random()


def about(kind: str, n: int, step: int, begun: datetime) -> dict[str, Any]:
    """The fields that name the entity, in the words of its kind."""
    day = begun.astimezone(VN).date()
    if kind == "dossier":
        return {"code": f"H99.12-{day:%y%m%d}-{n:05}"}
    if kind == "visits":
        return {"day": day.isoformat(), "revision": step, "facility": f"tram_{n}", "visits": 100 + n, "insured": 50}
    if kind == "service":
        return {"procedure": f"2.{n:06}"}
    if kind == "statistic":
        return {"period_start": (day - 40 * DAY).isoformat(), "period_end": (day - 10 * DAY).isoformat()}
    return {IDS[kind]: f"TXN-X{n}"}


def told(name: str, at: datetime, id: str, fields: dict[str, Any]) -> Event:
    """The golden sample of an event with another time, id and fields (None: taken out)."""
    body = sample(name)
    unit = "chon_thanh" if at < MERGER else "phuong_chon_thanh"
    body |= {"id": f"years/{id}", "time": at.isoformat(), "unit": unit}
    body["data"] = {k: v for k, v in (body["data"] | fields).items() if v is not None and not is_unit(v)}
    if name == "report.routed":
        body["data"]["to_unit"] = unit
    return parse(json.dumps(body).encode(), NOW)


def is_unit(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("chon_thanh", "minh_hung"))


Figures = dict[tuple[str, str, date, date], tuple[Decimal | None, str | None]]


def figures(centre: Instance) -> Figures:
    """Every figure that is of sums over whole days of all the years, as of the end of their last day."""
    found: Figures = {}
    first = (NOW - YEARS).astimezone(VN).date()
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        for start, days in ((0, 300), (600, 1), (0, 1598)):
            one, last = first + start * DAY, first + (start + days) * DAY
            as_of = datetime.combine(last + DAY, datetime.min.time(), VN) - timedelta(microseconds=1)
            period = Period(one, last, as_of.astimezone(UTC))
            for indicator in (i for i in CATALOGUE.values() if not isinstance(i.formula, Median)):
                for r in read(conn, indicator, None, period):
                    found[indicator.code, r.group, one, last] = (r.value, r.reason)
    return found


def medians(centre: Instance) -> list[tuple[str, Decimal | None, str | None]]:
    """Figures of single cases over days that are behind every horizon: they cannot be known any more."""
    first = (NOW - YEARS).astimezone(VN).date()
    asked = [one for one in CATALOGUE.values() if isinstance(one.formula, Median)]
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        period = Period(first, first + 300 * DAY, NOW)
        return [(one.code, r.value, r.reason) for one in asked for r in read(conn, one, None, period)]


def upkeep(centre: Instance, work: Callable[[AsyncConnection], Any]) -> Any:
    """Do something as the role of the upkeep."""

    async def run() -> Any:
        conninfo = settings_of(centre, "cli").database("upkeep")
        async with await AsyncConnection.connect(conninfo, autocommit=True, options=store.SESSION) as conn:
            return await work(conn)

    return asyncio.run(run())


async def retained(conn: AsyncConnection) -> list[Forgotten]:
    return [gone async for gone in retain(conn, NOW - 900 * DAY)]


def bytes_of(centre: Instance) -> int:
    tables = ("event", "point")
    return sum(sql(centre, "SELECT hypertable_size(%s::regclass)", table)[0][0] for table in tables)


def horizon(centre: Instance) -> datetime:
    found: datetime = sql(centre, "SELECT time FROM horizon")[0][0]
    return found


def test_forgetting_changes_no_figure_of_whole_days_at_any_step(centre: Instance) -> None:
    """Each step is committed alone, as if the job had been killed after it: the proof holds in between."""
    before, size = figures(centre), bytes_of(centre)
    assert sum(value not in (None, 0) for value, _ in before.values()) > 100
    edge = upkeep(centre, lambda conn: next_horizon(conn, NOW - LEAST_DAYS * DAY))
    assert edge.astimezone(VN).hour == 0
    for step in (
        "SELECT move_horizon(%(edge)s)",
        "SELECT forget_log()",
        "SELECT forget_entities(%(kept)s)",
        "SELECT forget_series()",
    ):
        upkeep(centre, lambda conn, step=step: conn.execute(step, {"edge": edge, "kept": list(STATE_KINDS)}))
        assert disagreements(centre) == [], step
    done: list[Forgotten] = upkeep(centre, retained)
    assert sum(gone.events for gone in done) > 100
    assert sum(gone.entities for gone in done) > 50
    assert NOW - 932 * DAY < horizon(centre) <= NOW - 900 * DAY
    assert disagreements(centre) == []
    assert figures(centre) == before
    assert bytes_of(centre) < size * 0.8
    for code, value, reason in medians(centre):
        assert value is None, code
        assert str(reason) == "of that period sums alone are kept, no single cases"


def test_nothing_lies_before_the_horizon_but_days_and_state(centre: Instance) -> None:
    edge = horizon(centre)
    for table, column in (("event", "time"), ("event_key", "time"), ("point", "time")):
        oldest = sql(centre, f"SELECT min({column}) FROM {table}")[0][0]
        assert edge <= oldest < edge + 31 * DAY, table
    assert sql(centre, "SELECT min(bucket) < %s FROM rollup_day", edge) == [(True,)]
    left = sql(centre, "SELECT kind, ended_at FROM entity WHERE (facts -> -1 ->> 0)::timestamptz < %s", edge)
    assert {"dossier", "report", "feature", "service", "statistic"} <= {kind for kind, _ in left}
    assert all(ended is None for kind, ended in left if kind not in STATE_KINDS)


def test_a_rebuild_after_retention_gives_the_same_rows(centre: Instance) -> None:
    before = figures(centre)
    rows = sql(centre, "SELECT * FROM source ORDER BY 1, 2")
    rebuild.rebuild(settings_of(centre, "cli").database("owner"), lambda *_: None)
    assert disagreements(centre) == []
    assert figures(centre) == before
    assert sql(centre, "SELECT * FROM source ORDER BY 1, 2") == rows


def test_what_would_change_a_forgotten_day_is_set_aside_with_the_reason(centre: Instance) -> None:
    before, stored = figures(centre), sql(centre, "SELECT count(*) FROM event")
    old = horizon(centre) - timedelta(minutes=1)
    forgotten = next(e for e in years() if e.time < old)
    day = old.astimezone(VN).date().isoformat()
    late = told("payment.made", old, "late", {"transaction": "TXN-LATE", "dossier": None})
    revised = told("visits.reported", NOW - DAY, "revised", {"day": day, "revision": 9})
    publish(centre, wire([forgotten, late, revised]))
    wait_until_idle(centre)
    found = quarantined(centre)
    assert [code for code, _, _ in found] == ["impossible_time"] * 3
    assert {body for _, _, body in found} == {e.to_json() for e in (forgotten, late, revised)}
    assert all(horizon(centre).isoformat() in reason for _, reason, _ in found)
    assert sql(centre, "SELECT count(*) FROM event") == stored
    assert figures(centre) == before


def test_hours_of_a_forgotten_day_are_refused_not_guessed(centre: Instance) -> None:
    day = (horizon(centre) - 100 * DAY).astimezone(VN).date()
    noon = datetime.combine(day, datetime.min.time(), VN).astimezone(UTC) + timedelta(hours=12)
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        whole, half = (
            read(conn, CATALOGUE["dossiers_received"], None, Period(day - 300 * DAY, day, as_of))[0]
            for as_of in (noon + 12 * timedelta(hours=1) - timedelta(microseconds=1), noon)
        )
    assert whole.value
    assert half.value is None
    assert "whole days alone are kept" in str(half.reason)


def test_what_is_late_since_before_the_horizon_is_told_of(centre: Instance) -> None:
    late = "SELECT count(*) FROM entity WHERE notice_at <= %s"
    before, edge = figures(centre), horizon(centre)
    assert sql(centre, late, edge)[0][0] > 0
    centre.start_services(["deadlines"])
    try:
        eventually(lambda: sql(centre, late, NOW)[0][0], 0, 60)
    finally:
        centre.stop_process("deadlines")
    wait_until_idle(centre)
    told_of = sql(centre, "SELECT min(time) FROM event WHERE source = '/deadlines'")[0][0]
    assert told_of == edge, "as of the first moment that can still be told of"
    assert disagreements(centre) == []
    assert figures(centre) == before


def test_what_is_open_from_before_the_horizon_goes_on(centre: Instance) -> None:
    """A dossier filed before it is resolved after all, a retired feature comes back, a day off is announced."""
    before, edge = figures(centre), horizon(centre)
    old = sql(
        centre,
        "SELECT id FROM entity WHERE kind = 'dossier' AND ended_at IS NULL AND opened_at < %s"
        " AND (facts -> -1 ->> 0)::timestamptz < %s",
        *(edge, edge),
    )
    assert old
    at = NOW - timedelta(hours=3)
    news = [told("dossier.resolved", at, f"after/{code}", {"code": code}) for (code,) in old]
    swap = {"day": NOW.date().isoformat(), "working": False, "name": "Nghỉ bão"}
    publish(centre, wire([*news, told("calendar.changed", at, "swap", swap)]))
    wait_until_idle(centre)
    assert sql(centre, "SELECT count(*) FROM entity WHERE id = ANY(%s) AND ended_at = %s", [c for (c,) in old], at) == [
        (len(old),)
    ]
    assert disagreements(centre) == []
    # Only what was as of before today is asked for: nothing of it moved.
    assert figures(centre) == before


def test_a_killed_upkeep_is_done_again_while_events_come_in(centre: Instance) -> None:
    before = figures(centre)
    chance = random.Random(3)
    centre.start_services(["upkeep"])
    for n in range(4):
        publish(centre, wire([told("payment.made", NOW - DAY * 3, f"busy/{n}/{i}", paid(n, i)) for i in range(200)]))
        while not centre.pid("upkeep"):
            time.sleep(0.05)
        time.sleep(chance.uniform(0.3, 1.2))
        centre.kill("upkeep", signal.SIGKILL)
    centre.wait_ready("upkeep", 30)
    wait_until_idle(centre)
    end = time.monotonic() + 20
    cutoff = clock.now() - LEAST_DAYS * DAY
    while upkeep(centre, lambda conn: next_horizon(conn, cutoff)):
        assert time.monotonic() < end, centre.log_tail("upkeep")
        time.sleep(0.2)
    assert sql(centre, "SELECT count(*) FROM event WHERE id LIKE 'years/busy/%%'") == [(800,)]
    assert disagreements(centre) == []
    # The busy ones are of three days ago, the figures end two days ago at the latest.
    kept = {place: value for place, value in before.items() if place[3] < (NOW - 4 * DAY).date()}
    assert {place: value for place, value in figures(centre).items() if place in kept} == kept


def paid(n: int, i: int) -> dict[str, Any]:
    return {"transaction": f"TXN-BUSY-{n}-{i}", "dossier": None}


def test_what_is_kept_is_measured(centre: Instance) -> None:
    upkeep(centre, measure)
    value = REGISTRY.get_sample_value
    assert value("ioc_upkeep_horizon_timestamp_seconds") == horizon(centre).timestamp()
    chunks = sql(centre, "SELECT count(*), min(range_start) FROM timescaledb_information.chunks"
                         " WHERE hypertable_name = 'event'")[0]  # fmt: skip
    assert value("ioc_upkeep_table_chunks", {"table": "event"}) == chunks[0]
    assert value("ioc_upkeep_table_oldest_timestamp_seconds", {"table": "event"}) == chunks[1].timestamp()
    for table in (
        "event",
        "event_key",
        "entity",
        "point",
        "rollup_day",
        "rollup_month",
        "rollup_unit_month",
        "series",
        "source",
    ):
        assert (value("ioc_upkeep_table_bytes", {"table": table}) or 0) > 8192, table


def test_the_upkeep_may_call_its_functions_and_nothing_else(centre: Instance) -> None:
    conninfo = settings_of(centre, "cli").database("upkeep")
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for forbidden in (
            "DELETE FROM event",
            "SELECT FROM entity",
            "UPDATE horizon SET time = now()",
            "SELECT drop_chunks('event', older_than => now())",
            "SELECT forget_rows('event', 'time', now())",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(forbidden)  # type: ignore[call-overload]
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="400 days"):
            conn.execute("SELECT move_horizon(now())")
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="midnight in Viet Nam"):
            conn.execute("SELECT move_horizon('2020-01-01 00:00+00')")
    with (
        psycopg.connect(settings_of(centre, "cli").database("aggregator")) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("SELECT forget_log()")


def test_the_apache_edition_passes_compression_by_and_knows_its_words(centre: Instance) -> None:
    """The community edition is not on every machine; the other refuses by licence only what it can read."""
    assert upkeep(centre, compressed) == 0
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        if conn.execute("SHOW timescaledb.license").fetchone() != ("apache",):
            pytest.skip("only of interest on the Apache edition")
        row = conn.execute("SELECT prosrc FROM pg_proc WHERE proname = 'compress_log'").fetchone()
        assert row is not None
        statement = row[0][row[0].index("ALTER TABLE") : row[0].index("END IF;", row[0].index("ALTER TABLE"))]
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="license"):
            conn.execute(statement)
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            conn.execute(statement.replace("compress_orderby", "compress_disorderby"))


async def compressed(conn: AsyncConnection) -> int:
    return await compress(conn, clock.now())


def test_a_chunk_that_took_in_late_events_is_taken_again_and_each_once_a_round(centre: Instance) -> None:
    """The states that the community edition gives chunks, given here by hand and taken back."""
    begins = [datetime(2001, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7, 9)]
    conn = psycopg.connect(centre.superuser_conninfo, dbname="ioc")
    with conn.transaction(force_rollback=True):
        for begin in begins:
            conn.execute(_A_ROW, (begin,))
        chunks: dict[str, datetime] = dict(conn.execute(_CHUNKS).fetchall())
        assert len(chunks) == len(begins)
        # In columns · in columns with rows beside them · in rows · frozen · in columns, out of order
        for name, status in zip(chunks, (1, 9, 0, 5, 3), strict=True):
            conn.execute(_STATUS, (status, name))
        taken, since, until = [], BEGINNING, datetime(2002, 1, 1, tzinfo=UTC)
        while (row := conn.execute(_NEXT, (until, since)).fetchone()) and (since := row[0]):
            taken.append(since)
        assert taken == [list(chunks.values())[place] for place in (1, 2, 4)]
    conn.close()


_A_ROW = """
INSERT INTO event (time, key, type, unit, origin, shiftdays, source, id, recorded, data)
VALUES (%s, gen_random_uuid(), '', '', '', 0, '', '', now(), '{}')
"""
_CHUNKS = """
SELECT chunk_name, range_start FROM timescaledb_information.chunks
WHERE hypertable_name = 'event' AND range_end < '2002-01-01' ORDER BY range_start
"""
_STATUS = "UPDATE _timescaledb_catalog.chunk SET status = %s WHERE id = split_part(%s, '_', 4)::integer"
_NEXT = "SELECT begins FROM log_chunk_in_rows(%s, %s)"


def test_nothing_but_the_table_of_keys_makes_the_log_unique(centre: Instance) -> None:
    """A unique index would open compressed batches for every late event; the plain one serves look-ups by key."""
    uniques = (
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND indrelid IN (SELECT 'event'::regclass"
    )
    assert sql(centre, f"{uniques} UNION SELECT show_chunks('event'))") == []
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        conn.execute("SET enable_seqscan = off")
        plan = conn.execute(_LOOK_UP).fetchall()
    assert "event_time_key" in str(plan)


_LOOK_UP = """
EXPLAIN SELECT e.source FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
WHERE k.key = '00000000-0000-0000-0000-000000000000'
"""
