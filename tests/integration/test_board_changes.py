"""What changed since a moment, case by case, for whoever may see it; and the way there from the wall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import psycopg
import pytest
from alarms import event, eventually, now, send
from support import board_beside, wait_until_idle
from visitors import HTML, Browser, add_account, board, entered

from infra.local.servers import Instance
from schemas.procedures import DossierAccepted, DossierResolved
from services.centre.prepare import settings_of

WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
REPORT = """
INSERT INTO report_issue (unit, first, last, as_of, made_at, made_by, inputs, hash, content, texts, form)
VALUES (%s, %s, %s, %s, %s, 'changes', '', '', '{}', '{}', '')
"""
LATE, ELSEWHERE, OLD, DONE = (f"H98.70-260101-000{n}" for n in range(1, 5))


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of a centre where two dossiers are late for two days, one for a month, and one has ended just now."""
    try:
        centre.start_services(["aggregator"])
        for code, unit, days in ((LATE, WARD, 2), (ELSEWHERE, OTHER, 2), (OLD, WARD, 30), (DONE, WARD, -20)):
            about = {"field": "justice", "procedure": "2.000815", "promised_at": now() - timedelta(days=days)}
            send(centre, event(DossierAccepted(code=code, **about), unit, now() - timedelta(days=max(days, 0) + 9)))
        send(centre, event(DossierResolved(code=DONE), WARD, now() - timedelta(seconds=1)))
        wait_until_idle(centre)
        add_account(centre, "changes-all", "viewer")
        add_account(centre, "changes-ward", "viewer", units=(WARD,))
        with board(centre) as address:
            yield address
    finally:
        centre.stop_process("aggregator")


def codes(browser: Browser, query: str) -> set[str]:
    answer = browser.get(f"/changes?{query}")
    assert answer.status_code == 200
    return set(re.findall(r"/worklist/dossier/(H98\.70-[\d-]+)", answer.text))


def test_each_change_opens_to_its_cases(home: str) -> None:
    browser, at = entered(home, "changes-all"), f"{now() - timedelta(days=12):%Y-%m-%dT%H:%M}"
    assert codes(browser, "since=week&what=overdue") == {LATE, ELSEWHERE}
    assert codes(browser, f"since={at}&what=new") >= {LATE, ELSEWHERE, DONE}
    assert not codes(browser, "since=week&what=new") & {LATE, ELSEWHERE, OLD, DONE}
    hour = quote((now() - timedelta(hours=1)).isoformat(timespec="seconds"))
    assert codes(browser, f"since={hour}&what=ended") == {DONE}
    assert codes(browser, f"since=week&what=overdue&unit={OTHER}") == {ELSEWHERE}
    assert codes(browser, f"since={at}") >= {LATE, ELSEWHERE, DONE}


def test_who_sees_one_ward_sees_its_changes_alone(home: str) -> None:
    bounded = entered(home, "changes-ward")
    assert codes(bounded, "since=week&what=overdue") == {LATE}
    assert codes(bounded, f"since=week&what=overdue&unit={OTHER}") == set()


@pytest.fixture
def reported(centre: Instance) -> Iterator[None]:
    """Of the whole locality there is a report of an hour ago, of the ward one of three days ago."""
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        for unit, at in ((None, now() - timedelta(hours=1)), (WARD, now() - timedelta(days=3))):
            conn.execute(REPORT, [unit, at.date(), at.date(), at, at])
        yield
        conn.execute("DELETE FROM report_issue WHERE made_by = 'changes'")


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize(("name", "late"), [("changes-all", set()), ("changes-ward", {LATE})])
def test_what_changed_since_the_last_report_of_ones_units_is_one_step_away(
    home: str, name: str, late: set[str]
) -> None:
    browser = entered(home, name)
    at = f"{now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}"  # nobody has asked for it before
    found = re.search(r'href="/changes\?(since=[^"]*)">Xem từ báo cáo', browser.get(f"/changes?since={at}").text)
    assert found
    assert codes(browser, found[1].replace("&amp;", "&") + "&what=overdue") == late


@pytest.mark.parametrize("since", ["none", "2026-13-01", "1999-01-01", "2999-01-01"])
def test_a_moment_that_cannot_be_read_or_lies_too_far_is_said(home: str, since: str) -> None:
    answer = entered(home, "changes-all").get(f"/changes?since={since}")
    assert answer.status_code == 400 and "<!doctype html>" in answer.text


def test_the_wall_leads_there_in_one_step_with_the_numbers(centre: Instance, home: str) -> None:
    browser = entered(home, "changes-all")
    browser.get("/changes")
    page = browser.page("/")
    with browser.socket(page) as made:
        eventually(lambda: "/changes?since=yesterday&amp;what=ended" in made.recv(20), True)
    with board_beside(centre, IOC_BOARD_PUBLIC="true") as public:
        assert "/changes" not in httpx.get(public, headers=HTML, timeout=20).text
        assert httpx.get(f"{public}/changes", headers=HTML, timeout=20).status_code == 303
