"""Index 766 from the events of a unit: what the command counts is what was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chance_worlds import told
from support import command, output_of

from infra.local.servers import Instance
from schemas import units
from schemas.calendar import local_day
from schemas.envelope import Event
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.centre.prepare import settings_of
from services.kit import clock, store
from services.reports.brief_data import brief_data

UNIT, NOVEMBER = "xa_dak_o", ("--from", "11/2026", "--to", "11/2026", "--as-of", "30/11/2026")
AHEAD, OTHER = "xa_phu_nghia", "xa_tan_loi"
PUBLICATION = ("PUBLISH_ON_TIME", "PUBLIC_UPDATE_ON_TIME", "PUBLIC_CONTENT_FULL")
EVENTS_COUNT = {
    "DOSSIER_SYNC": ("2", "4", "3.00"),
    "ON_TIME": ("3", "4", "15.00"),
    "ONLINE_OFFERED_FULL": ("3", "5", "1.50"),
    "ONLINE_SERVICES_WITH_DOSSIERS": ("1", "3", "1.33"),
    "ONLINE_DOSSIERS": ("1", "4", "3.00"),
    "PAYMENT_PROCEDURES_OFFERED": ("1", "2", "1.25"),
    "PAYMENT_PROCEDURES_USED": ("1", "2", "1.25"),
    "PAYMENT_DOSSIERS_ONLINE": ("1", "2", "3.00"),
    "ORIGINAL_RESULT_AVAILABLE": ("1", "3", "2.00"),
    "REUSED_DIGITIZED_DATA": ("3", "4", "1.88"),
    "SYNCED_WITH_DVCQG_PERSONAL_STORAGE": ("1", "4", "1.00"),
    "CITIZEN_DATA_CONNECTED_DOSSIER": ("2", "4", "1.00"),
    "DOSSIER_RECEIVING_SATISFACTION": ("2", "4", "3.33"),
}
"""metric -> numerator, denominator and points of the events below."""


def at(day: int, hour: int = 2) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def events() -> Iterator[Event]:
    numbers = iter(range(9_760_001, 9_770_000))

    def tell(name: str, day: int, hour: int = 2, **fields: Any) -> Event:
        return told(name, at(day, hour), UNIT, next(numbers), **fields)

    yield told("procedure.published", at(1), OTHER, next(numbers), procedure="1.000000", field="justice",
               online_level="full", has_fee=False)  # fmt: skip
    for n, level in enumerate(("full", "full", "partial", "none", "none")):
        yield tell(
            "procedure.published", 1, procedure=f"1.00000{n}", field="justice", online_level=level, has_fee=n < 2
        )
    for n in range(4):
        code = f"H99.76-261102-{n:04}"
        about = {"procedure": "1.000000", "field": "justice", "online_level": "full"}
        papers = {"components": 2, "reused_components": int(n < 3), "store_components": int(n < 1)}
        channel = "online" if n == 0 else "counter"
        promise = {"promised_at": at(20).isoformat(), "identity_verified": n < 2}
        yield tell("dossier.accepted", 2, code=code, channel=channel, **about, **papers, **promise)
        if n < 2:
            yield tell("dossier.payment_requested", 3, code=code, kind="fee", amount=10_000)
            method = "portal" if n == 0 else "cash"
            paid = {"transaction": f"TXN-766-{n}", "kind": "fee", "amount": 10_000, "method": method, "dossier": code}
            yield tell("payment.made", 4, **paid)
            yield tell("dossier.synchronised", 5, code=code)
        if n < 3:
            yield tell("dossier.resolved", 6, code=code, paper_result=True, electronic_result=n == 0)
        if n < 1:
            yield tell("dossier.rated", 7, code=code, score=1)


@pytest.fixture(scope="module")
def filled(centre: Instance) -> Instance:
    async def run() -> None:
        async with store.pool(settings_of(centre, "admin"), "aggregator", size=3, configure=staging.make) as pool:
            await EventStore(pool).store([Incoming(event, event.time) for event in events()])

    asyncio.run(run())
    return centre


def live(centre: Instance, *arguments: str) -> dict[str, Any]:
    answer = output_of(centre, "index766", "live", "--unit", UNIT, *NOVEMBER, "--format", "json", *arguments)
    return json.loads(answer)  # type: ignore[no-any-return]


def test_what_events_count_is_scored_and_the_rest_is_missing(filled: Instance) -> None:
    answer = live(filled)
    assert (answer["from"], answer["to"]) == ("2026-11-01", "2026-11-30")
    (unit,) = answer["units"]
    counted = {
        c["metric"]: (c["numerator"], c["denominator"], c["points"])
        for c in unit["components"]
        if c["flags"] != ["missing"]
    }
    assert counted == EVENTS_COUNT
    assert (unit["total"], unit["complete"], unit["given_maximum"], len(unit["missing"])) == (None, False, "68", 8)


def test_a_file_gives_what_events_do_not_count(filled: Instance, tmp_path: Path) -> None:
    missing = live(filled)["units"][0]["missing"]
    rest, province = tmp_path / "rest.csv", tmp_path / "province.csv"
    rows = [f"{metric},1,1" for metric in missing if metric not in PUBLICATION]
    rest.write_text("\n".join(["metric,numerator,denominator", *rows]), encoding="utf-8")
    rows = [f"{metric},1,2" for metric in PUBLICATION]
    province.write_text("\n".join(["metric,numerator,denominator", *rows]), encoding="utf-8")
    (unit,) = live(filled, "--with", str(rest), "--province", str(province))["units"]
    assert (unit["total"], unit["complete"]) == ("64.54", True)  # 17.71 + 15 + 2.50 + 3.33 + 20 + half of 12
    rest.write_text("metric,numerator,denominator\nDOSSIER_SYNC,1,1\n", encoding="utf-8")
    refused = command(filled, "index766", "live", "--unit", UNIT, "--with", str(rest))
    assert refused.exit_code == 1 and "rest.csv has DOSSIER_SYNC, which the events count" in refused.output


def test_people_see_of_when_and_of_what_it_is(filled: Instance) -> None:
    shown = output_of(filled, "index766", "live", "--unit", UNIT, *NOVEMBER)
    assert "01/11/2026 – 30/11/2026, as of 30/11/2026 23:59" in shown and "is not over" not in shown
    early = output_of(filled, "index766", "live", "--unit", UNIT, "--as-of", "15/11/2026")
    assert "01/11/2026 – 15/11/2026" in early
    whole = output_of(
        filled, "index766", "live", "--unit", UNIT, "--from", "11/2026", "--to", "11/2026", "--as-of", "15/11/2026"
    )
    assert "the period is not over" in whole
    before = live(filled, "--from", "10/2026", "--to", "10/2026", "--as-of", "30/11/2026")["units"][0]
    reasons = {c["metric"]: c["reason"] for c in before["components"]}
    assert reasons["DOSSIER_SYNC"] and reasons["PUBLISH_ON_TIME"] == "not reported for this period"
    assert command(filled, "index766", "live", "--with", __file__).exit_code == 2


DECEMBER = ("H99.76-261201-0001", "H99.76-261201-0002")


@pytest.fixture(scope="module")
def ahead(filled: Instance) -> tuple[str, str]:
    """Two open dossiers in another unit, asked for supplements twice, which only a result puts right."""
    begun = clock.now() - timedelta(hours=1)
    due = (begun + timedelta(days=60)).isoformat()
    numbers = iter(range(9_770_001, 9_770_010))

    async def run() -> None:
        tell = [told("dossier.accepted", begun, AHEAD, next(numbers), code=code, promised_at=due) for code in DECEMBER]
        for minutes in (1, 2):
            at = begun + timedelta(minutes=minutes)
            tell += [told("dossier.supplement_requested", at, AHEAD, next(numbers), code=code) for code in DECEMBER]
        async with store.pool(settings_of(filled, "admin"), "aggregator", size=3, configure=staging.make) as pool:
            await EventStore(pool).store([Incoming(event, event.time) for event in tell])

    asyncio.run(run())
    return DECEMBER


def told_of(centre: Instance, *arguments: str) -> dict[str, Any]:
    return json.loads(output_of(centre, "index766", *arguments, "--format", "json"))  # type: ignore[no-any-return]


def test_what_if_and_the_shortest_list_agree(filled: Instance, ahead: tuple[str, str], tmp_path: Path) -> None:
    today = local_day(clock.now())
    until = ("--until", today.isoformat())
    (unit,) = told_of(filled, "shortest", "--unit", AHEAD, *until)["units"]
    assert {row["dossier"] for row in unit["dossiers"]} <= set(ahead) and unit["enough"]["1"] is not None
    table = tmp_path / "list.csv"
    table.write_text(output_of(filled, "index766", "shortest", "--unit", AHEAD, *until, "--format", "csv"))
    by_file = told_of(filled, "whatif", "--unit", AHEAD, "--file", str(table), *until)
    assert (by_file["gain"], by_file["after"]) == (unit["gain"], unit["after"])
    last = (today + timedelta(days=99)).isoformat()
    due = told_of(filled, "whatif", "--unit", AHEAD, "--due", last, "--on", today.isoformat(), *until)
    assert {row["dossier"] for row in due["dossiers"]} == set(ahead)
    assert Decimal(due["gain"]) >= Decimal(unit["gain"])
    shown = output_of(filled, "index766", "whatif", ahead[0], "--unit", AHEAD, "--on", today.isoformat(), *until)
    assert "if nobody acts" in shown and "after 1 dossier: +" in shown and "ON_TIME: 0/2 → 1/2" in shown


def test_what_cannot_end_is_refused(filled: Instance, ahead: tuple[str, str]) -> None:
    for arguments, why in (
        ((), "no dossier is named"),
        (("H99.76-261201-9999",), "is no open dossier"),
        ((ahead[0], "--unit", UNIT), "is no open dossier of xa_dak_o"),
        ((ahead[0], "--on", "2026-01-01"), "01/01/2026 is over"),
    ):
        refused = command(filled, "index766", "whatif", *arguments)
        assert refused.exit_code == 1 and why in refused.output, arguments


def test_without_earlier_months_there_is_no_forecast(filled: Instance, ahead: tuple[str, str]) -> None:
    answer = told_of(filled, "forecast", "--unit", AHEAD)
    assert (answer["expected"], answer["low"], answer["past"]) == (None, None, [])
    assert "no forecast" in output_of(filled, "index766", "forecast", "--unit", AHEAD)


@pytest.mark.parametrize("yesterday", range(2, 9))
def test_a_brief_holds_a_day_against_the_one_before_as_its_line_of_days_does(filled: Instance, yesterday: int) -> None:
    """Also on a day on which something is counted for the first time."""
    with store.connect(settings_of(filled, "cli"), "reader") as conn:
        found = brief_data(conn, "portal", UNIT, at(yesterday + 1, 1))
    before, last = (day.points for day in found.week[-2:])
    assert found.change == (None if found.obstacle or before is None or last is None else last - before)
    assert (found.change is None) == (found.obstacle is not None)
    compared = {at(yesterday - back).date() for back in (0, 1)}
    assert yesterday < 3 or found.obstacle == ("unknown" if compared & {*found.empty} else None)


def test_all_units_are_told_beside_each_other(filled: Instance) -> None:
    answer = json.loads(output_of(filled, "index766", "live", *NOVEMBER, "--format", "json"))
    (own,) = (unit for unit in answer["units"] if unit["unit"] == UNIT)
    bases = {c["metric"]: c["basis"] for c in own["components"]}
    assert {metric for metric, basis in bases.items() if basis == "counted"} == EVENTS_COUNT.keys()
    shown = output_of(filled, "index766", "live", *NOVEMBER)
    assert units.get(UNIT).name_vi in shown and "01/11/2026 – 30/11/2026" in shown
    assert "PETITION_PROCESSING_ON_TIME: missing of" in shown
