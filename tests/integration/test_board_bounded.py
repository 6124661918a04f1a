"""What a reader of few units finds however much of others there is, and that what is not read is said: on a real
database, in transactions that are rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb

from infra.local.servers import Instance
from schemas.fold import Fact
from services.board.access import PUBLIC, Account
from services.board.live.active_alarms import EACH, active_alarms
from services.board.pages.changes import changes_data
from services.board.pages.map import map_query
from services.board.pages.map.map_query import MapFilter
from services.board.pages.quality import quality
from services.centre.prepare import settings_of
from services.kit.facts import pack

WARD, OTHER = "xa_dong_tam", "phuong_minh_hung"
"""No other test speaks of the ward."""
BOUNDED = Account("binh", "", "viewer", (WARD,))
EVERYBODY = Account("an", "", "viewer")
NOW = datetime.now(UTC)


@pytest.fixture
def conn(centre: Instance) -> Iterator[psycopg.Connection]:
    """The owner's connection; nothing of what is done on it stays."""
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as owner:
        yield owner
        owner.rollback()


def late(conn: psycopg.Connection, unit: str, number: int, sources: int, days: float) -> None:
    """Events of a unit that were recorded two days after they happened, so many days ago."""
    conn.execute(
        """
        INSERT INTO event (time, key, type, unit, origin, shiftdays, source, id, recorded, data)
        SELECT %(at)s - interval '2 days', gen_random_uuid(), 'vn.ioc.dossier.rated.v1', %(unit)s, 'real', 0,
            '/test/late/' || n %% %(sources)s, 'late-' || n, %(at)s + n * interval '1 millisecond', '{}'
        FROM generate_series(1, %(number)s) n
        """,
        {"at": NOW - timedelta(days=days), "unit": unit, "number": number, "sources": sources},
    )


def test_a_small_ward_finds_its_late_records_and_the_whole_counts_them_all(conn: psycopg.Connection) -> None:
    before = quality.look_into(conn, NOW)
    late(conn, OTHER, 1000, 250, days=1)
    late(conn, WARD, 3, 1, days=2)
    every = quality.look_into(conn, NOW)
    assert sum(d.number for d in every.late or ()) - sum(d.number for d in before.late or ()) == 1003
    shown = every.seen_by(BOUNDED)
    assert [d.number for d in shown.late or () if d.source.startswith("/test/late")] == [3]
    assert len([r for r in shown.last if r.source.startswith("/test/late")]) == 3
    latest = every.seen_by(EVERYBODY).last
    assert len(latest) == quality.LAST and [r.recorded for r in latest] == sorted(
        (r.recorded for r in latest), reverse=True
    )


def ring(conn: psycopg.Connection, unit: str, number: int, ago: timedelta, case: bool) -> None:
    """Alarms that nobody has."""
    told = [unit, f"ring-{unit}-{case}-", "PA-" if case else None, NOW - ago, number]
    conn.execute(
        """
        INSERT INTO alarm (way, unit, originator, entity, kind, raised_at, refreshed_at, since, type, severity, system,
            origin, vi, en, do_vi, do_en, dashboard)
        SELECT 'event', told.unit, told.about || n, told.entity || n, told.entity || 'x', told.at, told.at, told.at,
            'TestRings', 'critical', 'field', 'real', '', '', '', '', ''
        FROM generate_series(1, %s) n,
            (SELECT %s::text, %s::text, %s::text, %s::timestamptz) told(unit, about, entity, at)
        """,
        [number, *told[:4]],
    )


@pytest.mark.parametrize("case", [True, False], ids=["cases", "others"])
def test_a_small_ward_hears_its_own_alarms_however_many_ring_elsewhere(conn: psycopg.Connection, case: bool) -> None:
    ring(conn, OTHER, 300, timedelta(hours=-1), case)  # before whatever else rings in this centre
    ring(conn, WARD, 2, timedelta(days=3), case)
    ringing = active_alarms(conn, 1)
    own = [bell for bell in ringing.seen_by(BOUNDED) if bell.type == "TestRings"]
    assert [bell.unit for bell in own] == [WARD, WARD]
    assert len([bell for bell in ringing.newest if bell.type == "TestRings" and bell.unit == OTHER]) == EACH


def test_a_report_that_is_late_in_three_ways_rings_once_with_the_units_others(conn: psycopg.Connection) -> None:
    ways = [("PA-1", "route", "warning"), ("PA-1", "accept", "warning"), ("PA-1", "resolve", "critical"),
            ("PA-2", "route", "warning")]  # fmt: skip
    for number, (code, stage, severity) in enumerate(ways):
        conn.execute(
            """
            INSERT INTO alarm (way, unit, originator, entity, kind, stage, raised_at, refreshed_at, since, type,
                severity, system, origin, vi, en, do_vi, do_en, dashboard)
            VALUES ('event', %s, %s, %s, 'report', %s, %s, %s, %s, 'TestRings', %s, 'field', 'real', %s, '', '', '', '')
            """,
            [WARD, f"ways-{number}", code, stage, *[NOW] * 3, severity, f"Quá hạn {stage}"],
        )
    rings = [bell for bell in active_alarms(conn, 1).seen_by(BOUNDED) if bell.type == "TestRings"]
    assert [(bell.severity, bell.vi, bell.number) for bell in rings] == [("critical", "Quá hạn", 2)]
    changed = changes_data.read(conn, NOW - timedelta(hours=1), NOW).seen_by(BOUNDED).alarms
    raised = [(a.severity, a.vi, a.number, a.standing) for a in changed if a.type == "TestRings"]
    assert raised == [("critical", "Quá hạn", 2, 2)], "as the list of alarms has it"


def stands(conn: psycopg.Connection, kind: str, unit: str, number: int) -> None:
    opened = NOW - timedelta(hours=1)
    state = {"layer": "school"} if kind == "feature" else {"category": "road"}
    place = {"feature": "x", **state, "name": "Trường", "latitude": 11.4, "longitude": 106.6}
    facts = [pack(Fact(opened, "0" * 32, "feature.upserted", unit, "real", place))]
    conn.execute(
        """
        INSERT INTO entity (kind, id, version, unit, origin, status, opened_at, due_at, state, facts)
        SELECT %s, 'stands-' || %s || n, 1, %s, 'real', 'routed', %s, NULL, %s, %s FROM generate_series(1, %s) n
        """,
        [kind, unit, unit, opened, Jsonb(state), Jsonb(facts), number],
    )


def test_of_too_much_for_the_map_reports_are_read_and_the_rest_is_counted(conn: psycopg.Connection) -> None:
    here, kinds = map_query.present(conn), ("report", "feature")
    assert not here.unread
    stands(conn, "feature", WARD, 30)
    stands(conn, "report", OTHER, 27)
    stands(conn, "report", WARD, 3)  # the last in order
    every = {kind: 30 + sum(s.kind == kind for s in here.items) for kind in kinds}
    cut = map_query.present(conn, most=20)
    assert [sum(s.kind == kind for s in cut.items) for kind in kinds] == [20, 20]
    assert cut.more(MapFilter(), EVERYBODY) == every["report"] + every["feature"] - 40
    assert cut.more(MapFilter(layers=frozenset({"reports"})), PUBLIC) == every["report"] - 20
    assert cut.more(MapFilter(category="road"), EVERYBODY) == every["report"] - 20
    assert cut.more(MapFilter(layers=frozenset({"school"})), EVERYBODY) == every["feature"] - 20
    assert cut.more(MapFilter(layers=frozenset({"reports"})), BOUNDED) == 3


def test_of_a_past_moment_too_what_is_not_read_is_counted(conn: psycopg.Connection) -> None:
    stands(conn, "feature", WARD, 3)
    conn.execute("UPDATE entity SET ended_at = %s WHERE id LIKE 'stands-%%'", [NOW])
    moment = NOW - timedelta(minutes=30)
    whole = map_query.past(conn, moment)
    assert not whole.unread and [s.unit for s in whole.items if s.id.startswith("stands-")] == [WARD] * 3
    cut = map_query.past(conn, moment, most=1)
    features = sum(s.kind == "feature" for s in whole.items)
    assert [s.id for s in cut.items if s.kind == "feature"] == ["stands-" + WARD + "1"]
    assert cut.more(MapFilter(layers=frozenset({"school"})), EVERYBODY) == features - 1
