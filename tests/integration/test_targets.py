"""Targets on a real centre: set by unit and days, in force for those below, replaced and taken back; figures are held
against them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
from support import command, output_of

from infra.local.servers import Instance
from schemas.indicators import CATALOGUE
from schemas.registry import parse
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.board.access import Account
from services.board.pages.targets.setting import Refused, Wish, checked
from services.centre.prepare import settings_of
from services.kit import clock, store
from services.readings import Period, read

PLACE, BELOW, FIGURE = "dong_nai", "xa_phu_nghia", "overdue_share"
DAYS = ("--from", "1/2026", "--to", "12/2026")


def sent(centre: Instance) -> list[str]:
    """What lies there to be sent is stored, as the board and the aggregator would do; the types, in their order."""
    now = datetime.now(UTC)
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        sql = "DELETE FROM outbox WHERE subject LIKE 'ioc.events.%' RETURNING id, body"
        bodies = [bytes(body) for _, body in sorted(conn.execute(sql).fetchall())]

    async def run() -> None:
        async with store.pool(settings_of(centre, "cli"), "aggregator", size=3, configure=staging.make) as pool:
            for body in bodies:
                await EventStore(pool).store([Incoming(parse(body, now), now)])

    asyncio.run(run())
    return [json.loads(body)["type"] for body in bodies]


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
