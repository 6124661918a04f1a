"""Targets on a real centre: set by unit and days, in force for those below, replaced and taken back; figures are held
against them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from support import command, output_of

from dashboards import sql
from dashboards.queries import fill
from infra.local.servers import Instance
from schemas.indicators import CATALOGUE
from schemas.indicators.metric import TARGET
from schemas.registry import parse
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.board.access import Account
from services.board.pages.targets.setting import Refused, Wish, checked
from services.centre.prepare import settings_of
from services.exporter.figures import figures
from services.kit import clock, store
from services.readings import Period, read
from services.readings.period import window

PLACE, BELOW, FIGURE = "dong_nai", "xa_phu_nghia", "overdue_share"
DAYS = ("--from", "1/2026", "--to", "12/2026")


def sent(centre: Instance) -> list[str]:
    """What lies there to be sent is stored, as the board and the aggregator would do; the types, in their order."""
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        lying = "DELETE FROM outbox WHERE subject LIKE 'ioc.events.%' RETURNING id, body"
        bodies = [bytes(body) for _, body in sorted(conn.execute(lying).fetchall())]

    kept(centre, bodies)
    return [json.loads(body)["type"] for body in bodies]


def kept(centre: Instance, bodies: list[bytes]) -> None:
    """Events are stored, one after the other."""
    now = datetime.now(UTC)

    async def run() -> None:
        async with store.pool(settings_of(centre, "cli"), "aggregator", size=3, configure=staging.make) as pool:
            for body in bodies:
                await EventStore(pool).store([Incoming(parse(body, now), now)])

    asyncio.run(run())


def aims(centre: Instance, *units: str | None) -> list[Decimal | None]:
    """The target of the figure this month, of units."""
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        conn.autocommit = True
        period = Period(date(2026, 11, 1), date(2026, 11, 30), clock.now())
        return [read(conn, CATALOGUE[FIGURE], unit, period)[0].target for unit in units]


def test_a_target_holds_for_a_unit_and_those_below_until_it_is_taken_back(centre: Instance) -> None:
    own = CATALOGUE[FIGURE].target
    ask = command
    assert aims(centre, PLACE, BELOW, None) == [own] * 3
    for value, unit in (("2,5", PLACE), ("1", BELOW), ("1.5", BELOW)):
        done = ask(centre, "targets", "set", FIGURE, value, "--unit", unit, *DAYS, "--user", "hoa")
        assert done.exit_code == 0, done.output
        types = sent(centre)
    assert [t.split(".")[3] for t in types] == ["target_retracted", "target_set"], "of the same days it is replaced"
    assert aims(centre, PLACE, BELOW, None) == [Decimal("2.5"), Decimal("1.5"), Decimal("2.5")]
    assert FIGURE in output_of(centre, "targets", "list")
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        conn.autocommit = True
        early = Period(date(2025, 12, 1), date(2025, 12, 31), clock.now())
        before = Period(date(2026, 11, 1), date(2026, 11, 30), datetime(2026, 1, 1, tzinfo=UTC))
        assert [read(conn, CATALOGUE[FIGURE], PLACE, p)[0].target for p in (early, before)] == [own, own]
    for unit in (BELOW, PLACE):
        assert (
            ask(centre, "targets", "back", FIGURE, "--unit", unit, "--from", "1/2026", "--user", "hoa").exit_code == 0
        )
        assert sent(centre) == ["vn.ioc.indicator.target_retracted.v1"]
    assert aims(centre, PLACE, BELOW, None) == [own] * 3
    assert "no target of" in ask(centre, "targets", "back", FIGURE, "--unit", PLACE, "--from", "1/2026").output
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        rows = conn.execute("SELECT action FROM audit WHERE by = 'cli:hoa' AND action LIKE 'target.%'").fetchall()
    assert len(rows) == 5


def test_who_shows_or_watches_a_figure_follows_its_target(centre: Instance) -> None:
    """Board, report, the metric that rules compare with, and Grafana's panels: before, while it holds, and after."""

    def seen() -> set[float]:
        with store.connect(settings_of(centre, "test"), "reader") as conn:
            conn.autocommit = True
            now = clock.now()
            (reading,) = read(conn, CATALOGUE[FIGURE], PLACE, window("month", now))
            metric = figures(conn, now)[TARGET][FIGURE, PLACE]
        with store.connect(settings_of(centre, "cli"), "grafana") as conn:
            day = (now - timedelta(hours=1), now)
            panels = [
                conn.execute(fill(query, *day, unit=PLACE)).fetchall()[-1][-1]
                for query in (sql.aim(CATALOGUE[FIGURE]), sql.aim_by_day(CATALOGUE[FIGURE]))
            ]
        return {round(value, 6) for value in (float(reading.target or 0) / 100, metric, *panels)}

    data = {"code": "H99.82-261101-0001", "promised_at": "2026-12-31T10:00:00Z"}
    began = {"specversion": "1.0", "id": "of-targets", "source": "/late", "type": "vn.ioc.dossier.accepted.v1",
             "time": datetime(2026, 11, 9, 3, tzinfo=UTC).isoformat(), "unit": PLACE, "data": data}  # fmt: skip
    kept(centre, [json.dumps(began).encode()])
    own = CATALOGUE[FIGURE].target
    assert own and seen() == {float(own) / 100}
    done = command(centre, "targets", "set", FIGURE, "2,5", "--unit", PLACE, *DAYS, "--user", "hoa")
    assert done.exit_code == 0 and sent(centre)
    assert seen() == {0.025}
    back = command(centre, "targets", "back", FIGURE, "--unit", PLACE, "--from", "1/2026", "--user", "hoa")
    assert back.exit_code == 0 and sent(centre)
    assert seen() == {float(own) / 100}


def test_what_cannot_be_a_target_is_refused_with_a_reason() -> None:
    now = clock.now()
    wish = Wish(FIGURE, PLACE, date(2026, 1, 1), date(2026, 12, 31), Decimal(2))
    lan = Account("lan", "", "supervisor", (BELOW,))
    wrong = (
        (Account("a", "", "operator"), wish, "forbidden"), (lan, wish, "forbidden"),
        (Account("a", "", "supervisor"), wish._replace(value=Decimal(101)), "target_bad_value"),
        (Account("a", "", "supervisor"), wish._replace(last=date(2025, 1, 1)), "target_bad_days"),
        (Account("a", "", "supervisor"), wish._replace(indicator="visits"), "target_no_figure"),
        (Account("a", "", "supervisor"), wish._replace(unit="binh_phuoc"), "target_no_unit"),
    )  # fmt: skip
    for account, one, said in wrong:
        with pytest.raises(Refused, match=said):
            checked(account, one, now)
    assert checked(lan, wish._replace(unit=BELOW), now)
