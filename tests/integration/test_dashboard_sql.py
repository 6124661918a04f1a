"""What Grafana asks the database is what readings say: every figure of the catalogue, by day, month, unit and class."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from dashboards import sql
from dashboards.queries import fill
from dashboards.texts import clock_of
from infra.local.servers import Instance
from infra.timescaledb import units as unit_tables
from infra.timescaledb.migrate import migrate
from schemas import units
from schemas.calendar import VN
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.formula import Combine, Sum
from schemas.indicators.metric import metric, periods, scale
from schemas.registry import SYSTEMS
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.board.access import Account
from services.board.api import answers
from services.board.api.questions import Question
from services.centre.prepare import settings_of
from services.exporter import figures as exported
from services.kit import store
from services.kit.settings import Settings
from services.readings import Period, explain, read
from services.readings.memo import memoised
from services.readings.period import midnight
from services.simulator.district import Plan

Figures = dict[str, float | None]
DAY = timedelta(days=1)
MOST_BLOCKS = 80_000
"""Of 8 kB, in memory or not: about 0.2 s of one quiet processor."""
EXPLAINED = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)"
WARD = "phuong_chon_thanh"
SCHOOL_DAYS = datetime(2025, 10, 6, tzinfo=VN)
NOVEMBER = (date(2024, 10, 23), date(2024, 12, 3))
"""All of the published month, with parts of the months beside it."""


@pytest.fixture(scope="module")
def boards(published: Instance) -> Iterator[psycopg.Connection]:
    """The published month as Grafana enters it."""
    with store.connect(settings_of(published, "cli"), "grafana") as conn:
        conn.autocommit = True
        yield conn


@pytest.fixture(scope="module")
def reader(published: Instance) -> Iterator[psycopg.Connection]:
    with store.connect(settings_of(published, "cli"), "reader") as conn:
        conn.autocommit = True
        yield conn


@pytest.fixture(scope="module")
def district(centre: Instance) -> Iterator[psycopg.Connection]:
    """Two school days and the last hours of a simulated district, in a database of its own: systems that November
    lacks, deadlines that lie ahead, and a present day."""
    name = "dashboard_sql"
    with psycopg.connect(centre.superuser_conninfo, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(Identifier(name)))
    url = f"postgresql://postgres:{centre.password('postgres')}@127.0.0.1:{centre.ports['timescaledb']}/{name}"
    try:
        migrate(url)
        unit_tables.fill(url)
        asyncio.run(_store(Settings(database_url=url)))
        with psycopg.connect(url, options=store.SESSION) as conn:
            yield conn
    finally:
        with psycopg.connect(centre.superuser_conninfo, autocommit=True) as server:
            server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


async def _store(settings: Settings) -> None:
    now = datetime.now(UTC)
    async with store.pool(settings, "aggregator", size=3, configure=staging.make) as pool:
        ledger = EventStore(pool)
        for plan, until in ((Plan(4, SCHOOL_DAYS, 0.1), SCHOOL_DAYS + 2 * DAY), (Plan(5, now - 0.7 * DAY, 0.1), now)):
            meant = [Incoming(s.event, s.at) for s in plan.sendings(until) if s.event and s.kind == "meant"]
            for begin in range(0, len(meant), 2000):
                await ledger.store(meant[begin : begin + 2000])


# --- the same figure twice ---


class Asked:
    """One question put to both: an indicator over local days, for a unit (None: all)."""

    def __init__(self, indicator: Indicator, unit: str | None, first: date, last: date) -> None:
        self.indicator, self.unit, self.first, self.last = indicator, unit, first, last
        # Of levels a single value is the one in force, however old.
        self.level = periods(indicator)[0] == "now"

    def queries(self) -> dict[str, str]:
        """breakdown -> the dashboards' query."""
        asked = {"": sql.total, "day": sql.history, "month": lambda i: sql.history(i, "month"), "unit": sql.ranked}
        if self.indicator.classes:
            asked[self.indicator.classes] = sql.by_class
        return {by: query(self.indicator) for by, query in asked.items()}

    def filled(self, query: str, compare: str = "none") -> str:
        """The query as Grafana sends it: a range that begins and ends somewhere in the first and the last day."""
        start, end = midnight(self.first) + timedelta(hours=9), midnight(self.last) + timedelta(hours=20)
        return fill(query, start, end, unit=self.unit or "all", compare=compare)

    def said(self, conn: psycopg.Connection, by: str, as_of: datetime) -> Figures:
        """What readings say, in base units; durations in hours or working days."""
        period = Period(self.first, self.last, as_of, self.level and by not in ("day", "month"))
        found = read(conn, self.indicator, self.unit, period, by or None)
        clock = clock_of(self.indicator)
        factor = 1 / (Decimal(clock.length // timedelta(minutes=1))) if clock else scale(self.indicator)
        return {r.group: None if r.value is None else float(r.value * factor) for r in found}

    def __repr__(self) -> str:
        return f"{self.indicator.code} of {self.unit or 'all'}, {self.first} to {self.last}"


def shown(by: str, rows: list[tuple[Any, ...]]) -> Figures:
    """The rows of a dashboard's query by the names that readings give to groups."""
    if by in ("day", "month"):
        form = "%Y-%m-%d" if by == "day" else "%Y-%m"
        return {start.astimezone(VN).strftime(form): value for start, value in rows}
    return {"" if by == "" else row[0]: row[-1] for row in rows}


def assert_same(got: Figures, said: Figures, what: object) -> None:
    """Equal wherever readings have a value, NULL where they have none, and no row more or less."""
    assert got.keys() == said.keys(), what
    for group, value in said.items():
        assert got[group] == (None if value is None else pytest.approx(value, rel=1e-12, abs=1e-12)), (what, group)


IN_SQL = [indicator for indicator in CATALOGUE.values() if sql.has_sql(indicator)]
HEADLINES = [indicator for indicator in IN_SQL if indicator.headline]


@pytest.mark.parametrize(
    ("unit", "indicators", "known"),
    [(None, IN_SQL, 4500), ("chon_thanh", IN_SQL, 2000), ("dong_nai", HEADLINES, 500)],
    ids=["everything", "a district", "what it was merged into"],
)
def test_the_published_month_is_shown_as_it_is_read(
    boards: psycopg.Connection, reader: psycopg.Connection, unit: str | None, indicators: list[Indicator], known: int
) -> None:
    assert (
        compared(boards, memoised(reader), [Asked(i, unit, *NOVEMBER) for i in indicators], datetime.now(UTC)) > known
    )


def compared(
    boards: psycopg.Connection, reader: psycopg.Connection, questions: Iterable[Asked], as_of: datetime
) -> int:
    """Hold both answers to each question against each other; the number of values that are known."""
    known = 0
    for asked in questions:
        for by, query in asked.queries().items():
            said = asked.said(reader, by, as_of)
            assert_same(shown(by, boards.execute(asked.filled(query)).fetchall()), said, (asked, by))
            known += sum(value is not None for value in said.values())
    return known


def test_by_class_a_part_without_data_is_missing_as_it_is_read(
    boards: psycopg.Connection, reader: psycopg.Connection
) -> None:
    """Of a month after the last data nobody knows what came in, of no channel, though something was carried over."""
    received = replace(CATALOGUE["ii06_03"], classes="channel")
    for days, known in ((NOVEMBER, True), ((date(2026, 1, 1), date(2026, 1, 31)), False)):
        asked = Asked(received, None, *days)
        said = asked.said(reader, "channel", datetime.now(UTC))
        assert said and {value is not None for value in said.values()} == {known}
        assert_same(shown("channel", boards.execute(asked.filled(sql.by_class(received))).fetchall()), said, asked)


@pytest.mark.parametrize("since", [SCHOOL_DAYS.date(), None], ids=["school days", "now"])
def test_a_simulated_district_is_shown_as_it_is_read(district: psycopg.Connection, since: date | None) -> None:
    with district.transaction():  # one moment is `now` for both
        now, reader = moment(district), memoised(district)
        first = since or now.astimezone(VN).date() - DAY
        for system in SYSTEMS:
            figures = [i for i in IN_SQL if i.system == system]
            known = compared(district, reader, [Asked(i, None, first, first + DAY) for i in figures], now)
            assert known > 10 or not since, system
        assert compared(district, reader, [Asked(i, WARD, first, first + DAY) for i in HEADLINES], now) > 10


def moment(conn: psycopg.Connection) -> datetime:
    """What `now` is in the transaction."""
    row = conn.execute("SELECT now()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_any_days_as_of_any_moment(district: psycopg.Connection, seed: int) -> None:
    """With the moment fixed that the functions take to be now."""
    chance = random.Random(seed)
    now = datetime.now(UTC)
    for indicator in chance.sample(sorted(IN_SQL, key=lambda i: i.code), 60):
        as_of = now - timedelta(minutes=chance.randrange(-3 * 1440, 3 * 1440))
        first = now.astimezone(VN).date() + chance.randrange(-70, 2) * DAY
        unit = chance.choice([None, "dong_nai", WARD, "phuong_minh_hung"])
        asked = Asked(indicator, unit, first, first + chance.randrange(0, 75) * DAY)
        for by, query in asked.queries().items():
            said = asked.said(district, by, as_of)
            if asked.first > as_of.astimezone(VN).date() and set(said.values()) <= {None}:
                said = {}  # a range that has not begun is no row, and readings say why
            rows = district.execute(pinned(asked, query, as_of)).fetchall()
            assert_same(shown(by, rows), said, (asked, by, as_of))


def pinned(asked: Asked, query: str, as_of: datetime) -> str:
    fixed = (
        f"SELECT '{asked.unit or 'all'}'::text AS root, '{asked.first}'::date AS first, '{asked.last}'::date AS last, "
        f"'{as_of.isoformat()}'::timestamptz AS known"
    )
    text, number = re.subn(r"SELECT \* FROM figure_asked\(.*?'none'\)", fixed, query)
    assert number == 1
    return text


@pytest.mark.parametrize("compare", ["previous", "year"])
def test_what_is_compared_with_is_as_many_days_before(
    boards: psycopg.Connection, reader: psycopg.Connection, compare: str
) -> None:
    first, last = (date(2024, 11, 20), date(2024, 11, 25))
    then = (date(2024, 11, 14), date(2024, 11, 19))
    if compare == "year":
        first, last, then = date(2025, 11, 4), date(2025, 11, 20), (date(2024, 11, 4), date(2024, 11, 20))
    for code in (
        "dossiers_received",
        "overdue_share",
        "payments_amount",
        "nq02_satisfaction",
        "online_service_share_mean",
    ):
        asked = Asked(CATALOGUE[code], None, first, last)
        before = Asked(CATALOGUE[code], None, *then)
        rows = boards.execute(asked.filled(sql.before(asked.indicator), compare)).fetchall()
        assert_same(shown("", rows), before.said(reader, "", datetime.now(UTC)), (asked, compare))
        assert boards.execute(asked.filled(sql.before(asked.indicator), "something else")).fetchall() == []


def test_the_present_day_is_compared_up_to_the_same_moment(district: psycopg.Connection) -> None:
    with district.transaction():
        now = moment(district)
        today = now.astimezone(VN).date()
        for code in ("dossiers_received", "visits", "mentions", "security_alerts_open", "attendance_share"):
            asked = Asked(CATALOGUE[code], None, today, today)
            before = Asked(CATALOGUE[code], None, today - DAY, today - DAY)
            rows = district.execute(asked.filled(sql.before(asked.indicator), "previous")).fetchall()
            assert_same(shown("", rows), before.said(district, "", now - DAY), asked)


def test_ranked_begins_with_the_worst_and_ends_with_those_unknown(boards: psycopg.Connection) -> None:
    for code, sign in (("online_dossier_share", 1), ("overdue_share", -1)):
        for language in ("vi", "en"):
            query = Asked(CATALOGUE[code], None, *NOVEMBER).filled(sql.ranked(CATALOGUE[code], language))  # type: ignore[arg-type]
            rows = boards.execute(query).fetchall()
            values = [value for *_, value in rows]
            known = [value for value in values if value is not None]
            assert known == sorted(known, key=lambda v: sign * v)
            assert values == known + [None] * (len(values) - len(known))
            assert all(name == getattr(units.get(code), f"name_{language}") for code, name, _ in rows)


def test_no_query_touches_more_than_a_board_waits_for(boards: psycopg.Connection) -> None:
    """Blocks, as seconds say how busy the machine is; `ioc bench` measures those."""
    for indicator in IN_SQL:
        asked = Asked(indicator, None, *NOVEMBER)
        for by, query in asked.queries().items():
            told = boards.execute(f"{EXPLAINED} {asked.filled(query)}").fetchone()
            plan = told[0][0]["Plan"] if told else {}
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= MOST_BLOCKS, (asked, by)


# --- lists ---

STAGES = {
    ("overdue",): "dossiers_open_overdue",
    ("today",): "dossiers_due_today",
    ("today", "soon"): "dossiers_due_soon",
    ("overdue", "today", "soon", "open"): "dossiers_in_progress",
}


def test_the_list_of_dossiers_has_as_many_as_the_figures(district: psycopg.Connection) -> None:
    for stages, code in STAGES.items():
        with district.transaction():
            query = "SELECT count(*) FROM dossier_list WHERE stage = ANY (%s)"
            listed, said = district.execute(query, [list(stages)]).fetchone(), said_now(district, code)
        assert listed == (said,), code
    assert said and said > 20


def test_the_list_of_reports_has_as_many_late_ones_as_the_figures(district: psycopg.Connection) -> None:
    stages = {"resolve": "reports_overdue", "route": "reports_unrouted_late", "accept": "reports_unaccepted_late"}
    for stage, code in stages.items():
        with district.transaction():
            query = "SELECT count(*) FROM report_list WHERE %s = ANY (late_stages)"
            assert district.execute(query, [stage]).fetchone() == (said_now(district, code),), code


def said_now(conn: psycopg.Connection, code: str) -> float | None:
    """What readings say of all units at the transaction's moment."""
    today = moment(conn).astimezone(VN).date()
    return Asked(CATALOGUE[code], None, today, today).said(conn, "", moment(conn))[""]


def test_lists_lead_to_no_file(
    boards: psycopg.Connection, reader: psycopg.Connection, district: psycopg.Connection
) -> None:
    """No word in them is the id of anything; a dossier's unit and year are left."""
    for conn, owner in ((boards, reader), (district, district)):
        ids = {id for (id,) in owner.execute("SELECT id FROM entity WHERE kind IN ('dossier', 'report')")}
        for view in ("dossier_list", "report_list", "feature_list"):
            rows = conn.execute(SQL("SELECT * FROM {} LIMIT 5000").format(Identifier(view))).fetchall()
            assert not ids & {str(cell) for row in rows for cell in row}, view
    codes = {code for (code,) in boards.execute("SELECT DISTINCT code FROM dossier_list")}
    assert all(re.fullmatch(r"[A-Z]\d{2}(\.\d+)*-2\d••••-••••", code) for code in codes), codes
    places = district.execute("SELECT latitude FROM report_list WHERE latitude IS NOT NULL").fetchall()
    assert places and all(latitude == round(latitude, 3) for (latitude,) in places)


@pytest.mark.parametrize("table", ["entity", "event", "event_key", "alarm", "notification"])
def test_grafana_cannot_read_what_lies_behind(boards: psycopg.Connection, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        boards.execute(SQL("SELECT * FROM {} LIMIT 1").format(Identifier(table)))


def test_grafana_changes_nothing(boards: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        boards.execute("DELETE FROM unit")
    for statement in (
        "DELETE FROM unit",
        "UPDATE series SET unit = 'x'",
        "CREATE TABLE t ()",
        "CREATE TEMP TABLE t ()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), boards.transaction():
            boards.execute("SET TRANSACTION READ WRITE")  # which any role may say: its rights must do
            boards.execute(statement.encode())


# --- units ---


def test_the_tables_of_units_are_those_of_the_schemas_and_are_written_once(centre: Instance) -> None:
    url = settings_of(centre, "cli").database("owner")
    with psycopg.connect(url, autocommit=True) as conn:
        assert unit_tables.fill(url) is False
        held = dict(conn.execute("SELECT code, above FROM unit").fetchall())
        assert held == {u.code: [a.code for a in units.ancestors(u.code)] for u in units.every()}
        scope = conn.execute("SELECT unit, row FROM unit_scope WHERE root = 'phuong_chon_thanh'").fetchall()
        assert set(scope) == {(c, units.row_unit(c, "phuong_chon_thanh")) for c in units.scope("phuong_chon_thanh")}
        conn.execute("DELETE FROM unit_scope WHERE root = 'all' AND unit = 'so_tp'")
        conn.execute("UPDATE unit SET name_vi = 'x' WHERE code = 'so_tp'")
        assert unit_tables.fill(url) is True
        assert conn.execute("SELECT row FROM unit_scope WHERE root = 'all' AND unit = 'so_tp'").fetchone() == ("so_tp",)
        assert conn.execute("SELECT name_vi FROM unit WHERE code = 'so_tp'").fetchone() == (units.get("so_tp").name_vi,)


# --- one place ---


def test_a_formula_that_is_changed_changes_everywhere(
    boards: psycopg.Connection, reader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Query, explain, API, exporter and panel show another figure as soon as the catalogue has another formula."""
    code = "dossiers_received"
    before = everywhere(boards, reader, code)
    formula = Combine((Sum("dossiers_received"), Sum("dossiers_ended", {"outcome": ("overdue",)})))
    monkeypatch.setitem(CATALOGUE, code, replace(CATALOGUE[code], formula=formula))
    late = read(reader, CATALOGUE["ii06_10"], None, MONTH)[0].value
    assert late and set(before.values()) == {before["query"]}
    assert set(everywhere(boards, reader, code).values()) == {before["query"] + float(late)}


MONTH = Period.of(datetime(2024, 12, 1, tzinfo=VN) - timedelta(microseconds=1))


def everywhere(boards: psycopg.Connection, reader: psycopg.Connection, code: str) -> dict[str, float]:
    """What each way of asking says of a figure of November."""
    indicator = CATALOGUE[code]
    question = Question((indicator,), None, MONTH, None, lasting=True)
    explained = explain(reader, indicator, None, MONTH)
    with pytest.MonkeyPatch.context() as alone:
        alone.setattr(exported, "CATALOGUE", {code: indicator})
        samples = exported.figures(reader, MONTH.as_of)
    panel = Asked(indicator, None, MONTH.first, MONTH.last).filled(sql.total(indicator))
    found = {
        "query": read(reader, indicator, None, MONTH)[0].value,
        "explain": explained.reading.value,
        "its first part": explained.parts[0].value,
        "API": answers.figures(reader, Account("x", "", "admin"), question, "").figures[0].value,
        "exporter": samples[metric(indicator)]["all", "month"],
        "panel": boards.execute(panel).fetchall()[0][0],
    }
    return {way: float(value) for way, value in found.items() if value is not None}
