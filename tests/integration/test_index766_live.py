"""Index 766 from the events of a unit: what the command counts is what was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chance_worlds import told
from support import command, output_of

from infra.local.servers import Instance
from schemas.envelope import Event
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.centre.prepare import settings_of
from services.kit import store

UNIT, NOVEMBER = "xa_dak_o", ("--from", "11/2026", "--to", "11/2026", "--as-of", "30/11/2026")
PUBLICATION = ("PUBLISH_ON_TIME", "PUBLIC_UPDATE_ON_TIME", "PUBLIC_CONTENT_FULL")
EVENTS_COUNT = {
    "DOSSIER_SYNC": ("2", "4", "3.00"),
    "ONLINE_OFFERED_FULL": ("3", "5", "1.50"),
    "ONLINE_SERVICES_WITH_DOSSIERS": ("1", "3", "1.33"),
    "ONLINE_DOSSIERS": ("1", "4", "3.00"),
    "PAYMENT_DOSSIERS_ONLINE": ("1", "2", "3.00"),
    "ORIGINAL_RESULT_AVAILABLE": ("1", "3", "2.00"),
    "REUSED_DIGITIZED_DATA": ("3", "4", "1.88"),
    "SYNCED_WITH_DVCQG_PERSONAL_STORAGE": ("1", "4", "1.00"),
    "CITIZEN_DATA_CONNECTED_DOSSIER": ("2", "4", "1.00"),
}
"""metric -> numerator, denominator and points of the events below."""


def at(day: int, hour: int = 2) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def events() -> Iterator[Event]:
    numbers = iter(range(9_760_001, 9_770_000))

    def tell(name: str, day: int, hour: int = 2, **fields: Any) -> Event:
        return told(name, at(day, hour), UNIT, next(numbers), **fields)

    for n, level in enumerate(("full", "full", "partial", "none", "none")):
        yield tell("procedure.published", 1, procedure=f"1.00000{n}", field="justice", online_level=level)
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
    assert (unit["total"], unit["complete"], unit["given_maximum"], len(unit["missing"])) == (None, False, "38", 12)


def test_a_file_gives_what_events_do_not_count(filled: Instance, tmp_path: Path) -> None:
    missing = live(filled)["units"][0]["missing"]
    rest, province = tmp_path / "rest.csv", tmp_path / "province.csv"
    rows = [f"{metric},1,1" for metric in missing if metric not in PUBLICATION]
    rest.write_text("\n".join(["metric,numerator,denominator", *rows]), encoding="utf-8")
    rows = [f"{metric},1,2" for metric in PUBLICATION]
    province.write_text("\n".join(["metric,numerator,denominator", *rows]), encoding="utf-8")
    (unit,) = live(filled, "--with", str(rest), "--province", str(province))["units"]
    assert (unit["total"], unit["complete"]) == ("73.71", True)  # 17.71 + 50 + half of 12
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
    assert reasons["DOSSIER_SYNC"] and reasons["ON_TIME"] is None
    assert command(filled, "index766", "live").exit_code == 2
