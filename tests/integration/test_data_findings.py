"""Findings about data on a real centre: what is looked for, and the rows beside: seen, taken, resolved, open anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from infra.local.servers import Instance
from schemas.calendar import VN, local_day
from schemas.indicators import CATALOGUE
from schemas.registry import parse
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.board.access import Account
from services.board.pages.quality.finding_rows import Deed, act, keep
from services.board.pages.quality.quality import look_into
from services.centre.prepare import settings_of
from services.kit import clock, store
from services.readings import Period, findings, sources
from services.readings import read as read_figure
from services.readings.finding import Finding, Handling
from services.reports import making
from services.reports.content import Table, text_of
from services.reports.tables import TABLES
from services.reports.texts import read
from tests.support import output_of

HERE, OTHER = "xa_phu_rieng", "xa_phu_trung"
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)
NUMBER, FOUR_HOURS = count(1), timedelta(hours=4)
SUPERVISOR = Account("minh", "Minh", "supervisor")


def told(centre: Instance, *events: dict[str, Any]) -> None:
    """Events become known now."""
    now = datetime.now(UTC)
    incoming = [Incoming(parse(json.dumps(raw).encode(), now), now) for raw in events]

    async def run() -> None:
        async with store.pool(settings_of(centre, "cli"), "aggregator", size=3, configure=staging.make) as pool:
            await EventStore(pool).store(incoming)

    asyncio.run(run())


def event(type: str, at: datetime, data: dict[str, Any], unit: str = HERE) -> dict[str, Any]:
    return {"specversion": "1.0", "id": f"data-finding-{next(NUMBER)}", "source": "/late",
            "type": f"vn.ioc.{type}.v1", "time": at.isoformat(), "unit": unit, "data": data}  # fmt: skip


def reported(indicator: str, value: str, unit: str = HERE, revision: int = 0, **said: str) -> dict[str, Any]:
    data = {"indicator": indicator, "period_start": str(FIRST), "period_end": str(LAST), "value": value} | said
    more = {"revision": revision} if revision else {}
    at = datetime(2026, 10, 2, 3 + revision, tzinfo=UTC)
    return event(f"indicator.{'revised' if revision else 'reported'}", at, data | more, unit)


def two_of_one_service(unit: str) -> list[dict[str, Any]]:
    """A unit offers one service online, and has dossiers of two."""
    offered, other = "1.004227", "1.004228"
    about = {"channel": "online", "online_level": "full", "limit_days": 90}
    service = {"procedure": offered, "field": "land", "online_level": "full"}
    filed = [{"code": f"H99.82-261101-{number:04}", **about} for number in (11, 12)]
    return [
        event("procedure.published", clock.now() - timedelta(days=9), service, unit),
        event("dossier.accepted", clock.now(), filed[0] | {"procedure": offered}, unit),
        event("dossier.accepted", clock.now(), filed[1] | {"procedure": other}, unit),
    ]


def ii06(unit: str, *columns: int) -> list[dict[str, Any]]:
    """Columns 3 to 13 of report II.06 as a unit reports them."""
    return [reported(f"reported_ii06_{place:02}", str(value), unit) for place, value in enumerate(columns, start=3)]


@pytest.fixture(scope="module")
def wrong(centre: Instance) -> Instance:
    """A month of which two units report the same eleven numbers, which do not add up; a share above 100; and an end
    that is told after the due date."""
    columns = (100, 50, 30, 19, 90, 40, 41, 9, 10, 7, 3)  # 3 is 99 by its parts
    end = clock.now() - timedelta(days=6)
    promised = (end + timedelta(days=2)).isoformat()
    code = "H99.81-261101-0001"
    september = datetime(2026, 9, 9, 3, tzinfo=UTC)
    told(
        centre,
        event("dossier.accepted", september, {"code": "H99.81-260909-0001", "promised_at": "2026-12-31T10:00:00Z"}),
        *ii06(HERE, *columns), *ii06(OTHER, *columns), reported("documents_signed_pct", "104.5"),
        reported("project_06_tasks_done", "9", OTHER, total="8"), reported("new_rural_communes_standard", "7", OTHER),
        reported("industrial_index", "107.1"), *two_of_one_service(OTHER),
        event("dossier.accepted", end - timedelta(days=9), {"code": code, "promised_at": promised}),
        event("dossier.resolved", end, {"code": code}),
        *(event("dossier.accepted", end, {"code": "H81-261101-0005", "limit_days": 90}, u) for u in (HERE, OTHER)),
    )  # fmt: skip
    past = f"{code[:-1]}8"  # of a demo's past, all of which comes at once
    told(centre, *(each | {"origin": "simulated", "source": "/lived"} for each in (
        event("dossier.accepted", end - timedelta(days=9), {"code": past, "promised_at": promised}),
        event("dossier.resolved", end, {"code": past}),
    )))  # fmt: skip
    for acceptances in back_dated(end):
        told(centre, *acceptances)
    return centre


def back_dated(end: datetime) -> Iterator[list[dict[str, Any]]]:
    """Acceptances with another promise, told together, then what is told after them: before the one, on time for
    another, with the same date for a third. And letters of apology: dated before it was overdue, and after."""
    before, beside, again, late, later = (f"H99.81-261101-{number:04}" for number in range(2, 7))
    day = timedelta(days=1)

    def promised(step: str, code: str, at: datetime, until: datetime) -> dict[str, Any]:
        return event(f"dossier.{step}", at, {"code": code, "promised_at": until.isoformat()})

    yield [promised("accepted", code, end, end + 20 * day) for code in (before, beside, again)]
    overdue = end + day
    for code in (late, later):
        yield [promised("accepted", code, end - day, end), promised("overdue", code, overdue, end)]
    yield [
        promised("accepted", before, end - day, end + 5 * day),
        promised("accepted", beside, clock.now(), end + 30 * day),
        promised("accepted", again, end - day, end + 20 * day),
        promised("extended", late, overdue - day, end + 20 * day),
        promised("extended", later, overdue + day, end + 20 * day),
    ]


@pytest.fixture(autouse=True)
def cleared(centre: Instance) -> Iterator[None]:
    """No row is left for other tests."""
    yield
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        conn.execute("DELETE FROM finding")


def found(centre: Instance, as_of: datetime | None = None) -> list[Finding]:
    with reading(centre) as conn:
        return [f for f in findings(conn, as_of or clock.now()) if f.unit in (HERE, OTHER)]


@contextmanager
def reading(centre: Instance) -> Iterator[psycopg.Connection]:
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        conn.autocommit = True
        yield conn


def as_board(centre: Instance, *work: Callable[[AsyncConnection], Awaitable[Any]]) -> list[Any]:
    """Do it in the board's database, one after the other."""

    async def run() -> list[Any]:
        conninfo = settings_of(centre, "test").database("board")
        async with await AsyncConnection.connect(conninfo, autocommit=True) as conn:
            return [await one(conn) for one in work]

    return asyncio.run(run())


def test_what_is_wrong_in_data_is_found_with_its_weight_and_evidence(wrong: Instance) -> None:
    some = {(f.code, f.unit): f for f in found(wrong)}
    sum_of_3 = some["ii06_received", HERE]
    assert (sum_of_3.left, sum_of_3.right, sum_of_3.severity) == (100, 99, "critical")
    assert {("ii06_resolved", HERE), ("ii06_open", HERE), ("ii06_balance", HERE)}.isdisjoint(some)
    assert some["impossible_share", HERE].left == 104.5 and some["impossible_share", HERE].severity == "critical"
    assert ("copied_row", OTHER) in some and ("copied_row", HERE) not in some
    late = some["back_dated_end", HERE]
    assert late.events == 1 and late.evidence and late.severity == "warning"
    with reading(wrong) as conn:
        seen = look_into(conn, clock.now())
    assert {"/late"} <= {d.source for d in seen.late or ()} and "/lived" not in {d.source for d in seen.late or ()}
    assert [e.id[-4:] for e in seen.ends or () if e.id.startswith("H99.81-261101")] == ["0001"]
    promised = some["back_dated_promise", HERE]
    assert (promised.events, len(promised.evidence), promised.severity) == (2, 2, "warning")
    elsewhere = [f for f in found(wrong) if f.code == "accepted_elsewhere"]
    assert [(len(f.evidence), f.severity, "H81-26••••" in f.vi) for f in elsewhere] == [(1, "warning", True)]
    differs = [f for f in found(wrong) if f.code == "reported_differs" and f.unit == HERE]
    assert {(f.what, f.left) for f in differs} >= {("ii06_03", 100), ("ii06_07", 90)}
    keys = [f.key for f in found(wrong)]
    assert len(set(keys)) == len(keys)
    tomorrow = replace(sum_of_3, last=LAST + timedelta(days=1))
    assert tomorrow.key != sum_of_3.key
    assert replace(tomorrow, unit=None).key == replace(sum_of_3, unit=None).key, "what is counted goes on"


def test_a_share_of_more_than_all_is_found_as_stated_by_its_parts_and_as_counted(wrong: Instance) -> None:
    shares = {(f.what, f.unit): f for f in found(wrong) if f.code == "impossible_share"}
    assert {key: f.left for key, f in shares.items()} == {
        ("documents_signed_pct", HERE): Decimal("104.5"),
        ("project_06_tasks_done_pct", OTHER): Decimal("112.5"),
        ("online_service_share", OTHER): 200,
    }
    assert all(f.right == 100 and f.severity == "critical" for f in shares.values())
    with reading(wrong) as conn:
        (share,) = read_figure(conn, CATALOGUE["online_service_share"], OTHER, Period.of(clock.now()))
    assert (share.value, share.target, share.met) == (200, 80, None), "not reached, nor missed"


def test_a_finding_is_seen_taken_resolved_and_open_anew_when_its_numbers_change(wrong: Instance) -> None:
    first = found(wrong)
    (one,) = [f for f in first if (f.code, f.unit) == ("ii06_received", HERE)]
    began = clock.now()

    def doing(account: Account, deed: Deed, note: str = "") -> Callable[[AsyncConnection], Awaitable[bool]]:
        return lambda conn: act(conn, account, one.key, deed, note)

    elsewhere = Account("lan", "Lan", "supervisor", (OTHER,))
    done = as_board(
        wrong, lambda conn: keep(conn, first, began), lambda conn: keep(conn, first, clock.now()),
        doing(elsewhere, "take"), doing(SUPERVISOR, "take"), doing(SUPERVISOR, "resolve", "đơn vị gửi lại"),
    )  # fmt: skip
    assert done[2:] == [False, True, True], "who does not see the unit takes nothing"
    row = kept(wrong)[one.key]
    assert (row.first_seen, row.taken_by, row.resolved_by, row.note) == (began, "minh", "minh", "đơn vị gửi lại")
    as_board(wrong, lambda conn: keep(conn, first, clock.now()))
    assert kept(wrong)[one.key] == row, "it stays resolved while nothing is new"
    assert kept(wrong, began)[one.key] == Handling(first_seen=began), "as it was"

    told(wrong, reported("reported_ii06_03", "101", revision=1))
    second = found(wrong)
    as_board(wrong, lambda conn: keep(conn, second, clock.now()))
    row = kept(wrong)[one.key]
    assert (row.first_seen, row.taken_by, row.resolved_by) == (began, "minh", None), "101 is not 99 either"
    told(wrong, reported("reported_ii06_03", "99", revision=2))
    as_board(wrong, lambda conn: keep(conn, found(wrong), clock.now()))
    assert one.key not in kept(wrong), "gone"
    sql = "SELECT action FROM audit WHERE subject = %s ORDER BY id"
    with psycopg.connect(settings_of(wrong, "cli").database("owner")) as conn:
        assert [a for (a,) in conn.execute(sql, [one.key])] == ["finding.take", "finding.resolve"]


def kept(centre: Instance, as_of: datetime | None = None) -> dict[str, Handling]:
    return {f.key: f.handling for f in found(centre, as_of)}


def annex(centre: Instance, as_of: datetime) -> Table:
    with reading(centre) as conn:
        made = making.make(conn, read(None, TABLES), HERE, Period.of(as_of, FIRST, LAST))
    (table,) = (table for table in made.report.tables if table.code == "findings")
    return table


def test_command_api_and_annex_tell_what_the_page_does(wrong: Instance) -> None:
    """All of them: how grave, which events, since when it is seen, who has it; a report as of its own moment."""
    before, began = found(wrong), clock.now()
    (share,) = [f for f in before if (f.code, f.unit) == ("impossible_share", HERE)]
    take = partial(act, account=SUPERVISOR, key=share.key, deed="take", note="")
    as_board(wrong, lambda conn: keep(conn, before, began), lambda conn: take(conn))
    told = json.loads(output_of(wrong, "findings", "--unit", HERE, "--format", "json"))
    assert {f["code"] for f in told} >= {"impossible_share", "reported_differs", "back_dated_end"}
    (one,) = [f for f in told if f["code"] == "impossible_share"]
    assert (one["severity"], one["taken_by"], one["resolved_by"]) == ("critical", "minh", None)
    assert datetime.fromisoformat(one["first_seen"]) == began
    assert "taken" in (words := output_of(wrong, "findings", "--unit", HERE)) and "(critical)" in words

    rows = {text_of(row[1]): row for row in annex(wrong, clock.now()).rows}
    (row,) = [row for name, row in rows.items() if "104,5" in name]
    assert row[5] == "Nghiêm trọng" and "nhận kiểm tra" in str(row[6]) and "(minh)" in str(row[6])
    (late,) = [name for name in rows if "sau khi hạn đã qua" in name]
    assert "[" in late and "data-finding" in late
    assert all("minh" not in str(row[6]) for row in annex(wrong, began).rows), "not taken yet"
    assert annex(wrong, began) == annex(wrong, began)


def test_what_is_told_of_sources_is_as_of_what_had_come_by_then(wrong: Instance) -> None:
    """Later events of a source do not end its silence of before, nor does it then exist before it sent."""
    with reading(wrong) as conn:
        (now,) = [s for s in sources.sources(conn, clock.now()) if (s.system, s.source) == ("economy", "/late")]
        assert [s for s in sources.sources(conn, now.last_recorded - timedelta(days=30)) if s.source == "/late"] == []


def test_who_is_silent_and_when_nothing_came_of_a_source_is_found(wrong: Instance) -> None:
    """A platform that tells every hour, and did not for half a day."""
    now, platform = clock.now(), "/data-finding/listening"
    about = {"source": "forum", "topic": "land", "tone": "neutral", "count": 1}
    moments = [now - timedelta(hours=half, minutes=n) for half in (12, 0) for n in range(1, 7)]
    told(wrong, *(
        event("mention.aggregated", at, {**about, "day": str(local_day(at)), "hour": at.astimezone(VN).hour})
        | {"source": platform}
        for at in moments
    ))  # fmt: skip
    with reading(wrong) as conn:
        some = {at: [f for f in findings(conn, at) if platform in f.what] for at in (now, clock.now() + FOUR_HOURS)}
    (gap,), later = some.values()
    days = local_day(moments[0]), local_day(moments[-1])
    assert (gap.code, gap.severity, (gap.first, gap.last)) == ("gap", "info", days)
    assert [f.code for f in later] == ["silent_source", "gap"], "it may be silent for three hours"
