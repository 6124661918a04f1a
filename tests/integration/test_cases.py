"""Cases as offices live them, told by the systems' own words over HTTP, and what the centre makes of them: paused and
resumed, promised again, handed on, repeated. All moments are of November 2026, local; the 24th is a day off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from psycopg.rows import class_row
from support import serving

from infra.local.servers import Instance
from schemas.calendar import VN
from schemas.indicators import CATALOGUE
from services.board.pages.worklist import worklist_data
from services.centre.prepare import settings_of
from services.kit import clock
from services.readings import Period, findings, read

A, B = "xa_tan_quan", "xa_nha_bich"
NUMBERS = count(700_001)
Post = Callable[..., None]


class Stored(NamedTuple):
    """An entity as folded."""

    unit: str
    status: str
    due_at: datetime | None
    ended_at: datetime | None
    state: dict[str, Any]


def at(day: int, hour: float = 9) -> datetime:
    return datetime(2026, 11, day, tzinfo=VN) + timedelta(hours=hour)


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, "aggregator", "emitters"):
        yield centre


@pytest.fixture
def reader(running: Instance) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings_of(running, "cli").database("reader"), autocommit=True) as conn:
        yield conn


@pytest.fixture
def post(running: Instance) -> Iterator[Post]:
    """Tells the emitters something as one of the source systems."""
    with httpx.Client(base_url=f"http://127.0.0.1:{running.ports['emitters']}", timeout=60) as client:

        def tell(path: str, moment: datetime, unit: str = A, **words: Any) -> None:
            system = path.split("/")[1]
            when = {"/field/reports": "reported_at", "/payments": "paid_at"}.get(path, "at")
            headers = {"Authorization": f"Bearer {running.password(f'emitter_{system}')}"}
            body = {when: moment.isoformat(), "unit": unit, **words}
            answer = client.post(path, json=body, headers=headers)
            assert answer.status_code == 202, answer.text

        yield tell


def dossier(post: Post, *steps: tuple[int, datetime, dict[str, Any]]) -> str:
    """A dossier's statuses in the portal's numbers; its code."""
    code = f"H99.98-261101-{next(NUMBERS):06}"
    for status, moment, words in steps:
        post("/procedures/dossiers", moment, **({"code": code, "status": status} | words))
    return code


def stored(conn: psycopg.Connection, kind: str, code: str, facts: int) -> Stored:
    """The entity once it holds so many facts."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with conn.cursor(row_factory=class_row(Stored)) as cursor:
            row = cursor.execute(_STORED, {"kind": kind, "code": code, "facts": facts}).fetchone()
        if row:
            return row
        time.sleep(0.3)
    raise AssertionError(f"{kind} {code} never had {facts} facts")


_STORED = """
SELECT unit, status, due_at, ended_at, state FROM entity
WHERE kind = %(kind)s AND id LIKE '%%' || %(code)s AND jsonb_array_length(facts) = %(facts)s
"""


def figure(conn: psycopg.Connection, code: str, unit: str, as_of: datetime) -> int:
    found = read(conn, CATALOGUE[code], unit, Period(date(2026, 11, 1), date(2026, 11, 30), as_of))[0].value
    return int(found or 0)


LIMIT = {"limit_days": 3}
FEE = {"kind": "fee", "amount": 50_000}


def test_a_paused_dossier_goes_on_and_lapses(post: Post, reader: psycopg.Connection) -> None:
    before = [figure(reader, "dossiers_open_overdue", A, moment) for moment in (at(20, 23), at(21, 1))]
    code = dossier(post, (2, at(16), LIMIT), (8, at(17), {"reason": "other"}), (4, at(18), {}))
    found = stored(reader, "dossier", code, 3)
    assert (found.status, found.due_at, found.ended_at) == ("processing_started", at(20), None)
    after = [figure(reader, "dossiers_open_overdue", A, moment) for moment in (at(20, 23), at(21, 1))]
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 1]


def test_a_payment_awaited_stops_the_clock(post: Post, reader: psycopg.Connection) -> None:
    code = dossier(post, (2, at(9), LIMIT), (6, at(10), FEE))
    paid = {"transaction": f"TXN-{code[-6:]}", "method": "cash", "dossier": code, **FEE}
    post("/payments", at(20), **paid)
    post("/procedures/dossiers", at(21), code=code, status=9)
    found = stored(reader, "dossier", code, 4)
    assert (found.due_at, found.ended_at) == (at(25), at(21))
    assert found.state["waits"] == [["payment", "2026-11-10T02:00:00+00:00", "2026-11-20T02:00:00+00:00"]]


@pytest.mark.parametrize("between", [(5, {}), (6, FEE), (8, {"reason": "other"})])
def test_every_way_out_of_processing_and_back_is_a_wait(
    post: Post, reader: psycopg.Connection, between: tuple[int, dict[str, Any]]
) -> None:
    status, words = between
    code = dossier(post, (2, at(9), LIMIT), (4, at(9, 10), {}), (status, at(10), words), (4, at(12), {}))
    assert stored(reader, "dossier", code, 4).due_at == at(16)


def test_a_date_promised_again_is_seen_and_moves_nothing(post: Post, reader: psycopg.Connection) -> None:
    before = figure(reader, "dossiers_repromised", A, at(27))
    again = {"promised_at": at(27, 17).isoformat()}
    code = dossier(post, (2, at(9), LIMIT), (2, at(18), again))
    found = stored(reader, "dossier", code, 2)
    assert found.due_at == at(12)
    assert figure(reader, "dossiers_repromised", A, at(27)) == before + 1
    named = [
        f for f in findings(reader, clock.now()) if f.code == "repromised" and any(code in id for id in f.evidence)
    ]
    assert [f.unit for f in named] == [A]
    assert "12/11/2026" in named[0].vi
    assert "27/11/2026" in named[0].en
    assert code not in named[0].vi


def test_a_report_is_with_whom_it_was_routed_to(post: Post, reader: psycopg.Connection) -> None:
    code = f"PA-98.{next(NUMBERS)}"
    post("/field/reports", at(9), code=code, channel="app", category="road")
    post(f"/field/reports/{code}/steps", at(9, 9.1), step="routed", to_unit=B)
    found = stored(reader, "report", code, 2)
    assert (found.unit, found.state["received_by"], found.due_at) == (B, A, at(16, 9.1))
    waits = {item.id: item for item in worklist_data.items(reader, clock.now()) if code in item.id}
    assert [(item.unit, item.stage) for item in waits.values()] == [(B, "resolve")]


def test_refused_duplicates_are_no_resolved_reports(post: Post, reader: psycopg.Connection) -> None:
    codes = ("reports_resolved", "reports_refused", "reports_duplicate", "reports_duplicates_waiting")
    before = [figure(reader, code, A, at(27)) for code in codes]
    master, *others = (f"PA-98.{next(NUMBERS)}" for _ in range(4))
    for code in (master, *others):
        post("/field/reports", at(2), code=code, channel="app", category="road")
    for code in others:
        words = {"step": "refused", "reason": "duplicate", "duplicate_of": master}
        post(f"/field/reports/{code}/steps", at(3), **words)
    assert stored(reader, "report", master, 4).state["duplicates"] == 3
    assert figure(reader, "reports_duplicates_waiting", A, at(10)) - before[3] == 3
    post(f"/field/reports/{master}/steps", at(25), step="resolved", handling="handled")
    stored(reader, "report", master, 5)
    after = [figure(reader, code, A, at(27)) for code in codes]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 3, 3, 0]


def test_the_first_moment_there_is_can_be_accepted(post: Post, reader: psycopg.Connection) -> None:
    first = datetime(2000, 1, 1, 9, tzinfo=VN)
    code = f"H99.98-000101-{next(NUMBERS):06}"
    post("/procedures/dossiers", first, "chon_thanh", code=code, status=2, limit_days=1)
    assert stored(reader, "dossier", code, 1).due_at == datetime(2000, 1, 4, 17, tzinfo=VN)
