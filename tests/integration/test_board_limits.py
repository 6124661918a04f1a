"""No reader can keep the board from the others: what is too much is said, on the page or by its status."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from alarms import eventually
from support import board_beside
from visitors import BUSY, HTML, Browser, add_account, entered
from websockets.exceptions import InvalidStatus

from infra.local.servers import Instance
from schemas.indicators import CATALOGUE
from services.board.auth.middleware import FILES, LARGEST_FORM
from services.board.live import query_pool
from services.board.live.query_pool import THREADS, WAITING, QueryPool, TooMuch
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of

HASTY = """
from services.board.auth import middleware
from services.board.live import query_pool
query_pool.STATEMENT_SECONDS = 1.0
middleware.MOST_SOCKETS = 20
from services.board.app import main
main()
"""
"""The board, with less patience, and for fewer pages."""
TOO_MUCH, DATABASE = WORDS["too_much"][0], WORDS["database"][0]
COUNTED = [code for code, i in CATALOGUE.items() if i.system == "field"][: 3 * THREADS]
PLACE = {"type": "Point", "coordinates": [106.6, 11.4]}


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    add_account(centre, "limits-viewer", "viewer")
    try:
        centre.start_services(["aggregator"])
        with board_beside(centre, "-c", HASTY, IOC_BOARD_PUBLIC="true") as address:
            yield address
    finally:
        centre.stop_process("aggregator")


@contextmanager
def held(centre: Instance, table: str) -> Iterator[None]:
    """Nobody can read a table meanwhile."""
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        conn.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def test_who_asks_for_too_much_is_told_and_everybody_elses_figures_go_on(centre: Instance, home: str) -> None:
    def opened(code: str) -> httpx.Response:
        return httpx.get(f"{home}/figure/{code}", headers=HTML, timeout=20)

    eventually(lambda: DATABASE in Browser(home).get("/").text, False)  # it has just been started
    with held(centre, "event_key"), ThreadPoolExecutor(len(COUNTED)) as many:
        waiting = {many.submit(opened, code) for code in COUNTED}
        told, walls = [], []
        while waiting:
            walls.append(Browser(home).get("/").text)
            done, waiting = wait(waiting, timeout=0.3)
            told += [answer.result() for answer in done]
    assert [(page.status_code, TOO_MUCH in page.text or BUSY in page.content) for page in told] == [(200, True)] * len(
        COUNTED
    )
    assert [DATABASE in wall for wall in walls] == [False] * len(walls), "the database did answer"
    assert TOO_MUCH not in Browser(home).get(f"/figure/{COUNTED[0]}").text


def test_an_open_figure_follows_what_is_stored(centre: Instance, home: str, ioc: Callable[..., object]) -> None:
    browser = entered(home, "limits-viewer")
    assert "/test/limits" not in browser.get("/figure/reports_received").text
    report = {"code": "PA-95001", "channel": "app", "category": "lighting", "priority": "normal"}
    event = {"specversion": "1.0", "id": "limits", "source": "/test/limits", "type": "vn.ioc.report.received.v1",
             "time": datetime.now(UTC).isoformat(), "unit": "xa_tan_khai", "data": report}  # fmt: skip
    with browser.socket(browser.page("/figure/reports_received")) as made:
        ioc("emit", "-", input=json.dumps(event))
        end = time.monotonic() + 40
        while "/test/limits" not in str(made.recv(end - time.monotonic())):
            pass


def test_a_question_is_answered_from_one_moment(centre: Instance) -> None:
    count = "SELECT count(*) FROM calendar_version"

    def asked(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
        before = conn.execute(count).fetchall()
        with psycopg.connect(settings_of(centre, "cli").database("owner")) as owner:
            owner.execute("INSERT INTO calendar_version VALUES (-1)")
        return [*before, *conn.execute(count).fetchall()]

    try:
        before, after = asyncio.run(QueryPool(settings_of(centre, "board"))(asked))
        assert before == after
    finally:
        with psycopg.connect(settings_of(centre, "cli").database("owner")) as owner:
            assert owner.execute("DELETE FROM calendar_version WHERE version = -1").rowcount == 1


@pytest.mark.parametrize("asked", ["SELECT pg_sleep(0.05)", "SELECT pg_sleep(60)", "SELECT 1"])
def test_a_question_of_many_parts_has_its_time_too(
    centre: Instance, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(query_pool, "STATEMENT_SECONDS", 0.3)
    monkeypatch.setattr(query_pool, "QUESTION_SECONDS", 1.0)

    def ask(conn: psycopg.Connection) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            conn.execute(asked)  # type: ignore[call-overload]

    with pytest.raises(TooMuch):
        asyncio.run(QueryPool(settings_of(centre, "board"))(ask))


def test_no_more_questions_wait_than_can_be_answered_soon(centre: Instance) -> None:
    def ask(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
        return conn.execute("SELECT count(*) FROM event_key").fetchall()

    async def several() -> list[object]:
        reading = QueryPool(settings_of(centre, "board"))
        with held(centre, "event_key"):
            some = [asyncio.create_task(reading(ask)) for _ in range(THREADS + WAITING)]
            await asyncio.sleep(0)
            with pytest.raises(TooMuch, match="wait already"):
                await reading(ask)
        return [*await asyncio.gather(*some), await reading(ask)]

    assert len(asyncio.run(several())) == THREADS + WAITING + 1


@pytest.mark.parametrize("path", ["/login", "/worklist/saved"])
def test_no_body_is_read_that_is_larger_than_a_form_can_be(home: str, path: str) -> None:
    browser = entered(home, "limits-viewer")
    head = {"x-csrf": browser.csrf(), "content-type": "application/x-www-form-urlencoded"}
    for whole in (b"a" * (LARGEST_FORM + 1), (b"a" * 2**16 for _ in range(16))):
        assert browser.http.post(path, content=whole, headers=head).status_code == 413


@pytest.mark.parametrize("path", FILES)
def test_a_file_of_shapes_may_be_larger(home: str, path: str) -> None:
    browser = entered(home, "limits-viewer")
    large = json.dumps(PLACE).encode() + b" " * LARGEST_FORM
    answer = browser.http.post(f"{path}?name=a", content=large, headers={"x-csrf": browser.csrf()})
    assert answer.status_code == (200 if path.endswith("check") else 403)


def test_a_stranger_has_so_many_pages_open_and_no_more(home: str) -> None:
    member, stranger = entered(home, "limits-viewer"), Browser(home)
    with ExitStack() as open_ones:
        page = stranger.page()
        for _ in range(20):
            open_ones.enter_context(stranger.socket(page))
        with pytest.raises(InvalidStatus, match="503"), stranger.socket(page):
            pass
        assert stranger.get("/login").status_code == 200
        assert member.is_served(member.page()), "who has a session is not shut out by strangers"
    assert stranger.is_served(page)
