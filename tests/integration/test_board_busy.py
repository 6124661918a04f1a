"""A board whose database stands still or is away gives every page at once, with what it knew last; and whatever is
asked wrongly is answered by a page of its own."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from alarms import eventually
from support import hanging
from visitors import BUSY, HTML, Browser, admin_of, board

from bench.pages import burning
from infra.local.servers import Instance
from services.board.live.patience import LEFT_SECONDS, SECONDS
from services.board.ui.page_layout import navigation_entries
from services.board.ui.words import WORDS

FIGURES = ("/?span=year", "/system/field", "/figure/reports_received", "/worklist", "/alarms", "/quality", "/brief",
           "/index766", "/sources", "/handover", "/figure/reports_received/cases")  # fmt: skip
"""Pages of figures and lists: what was read last stands there, with its age."""
ONES = ("/worklist/dossier/none", "/alarms/1", "/search?text=PA-0001", "/reports/1", "/imports/1")
"""Pages of one thing: their name stands there, and the way to ask again."""
PAGES = tuple(dict.fromkeys((*FIGURES, *ONES, *(path for _, path, _ in navigation_entries()))))
PATIENCE = SECONDS + LEFT_SECONDS + 2.4
"""What a page takes at most: its patience, and as much again as a busy machine may need. Without it the wait was for
the database to be given up: 5 s and more."""
READERS = 4
"""So many look at once: what one of them waits for keeps no other."""
SAID = [WORDS["busy"], WORDS["try_again"]]


@pytest.fixture(scope="module")
def reader(centre: Instance) -> Iterator[Browser]:
    """An administrator who has seen every page."""
    centre.start_services(["aggregator"])
    try:
        with board(centre) as home:
            browser = admin_of(centre, home)
            eventually(lambda: WORDS["database"][0] in browser.get("/").text, False)  # it has just been started
            for path in PAGES:
                browser.get(path)
            yield browser
    finally:
        centre.stop_process("aggregator")


@contextmanager
def standing_still(centre: Instance) -> Iterator[None]:
    """No process of the database does anything."""
    postmaster = centre.pid("timescaledb") or 0
    children = [int(c) for c in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    try:
        with hanging(postmaster):
            for child in children:
                os.kill(child, signal.SIGSTOP)
            yield
    finally:
        for child in children:
            os.kill(child, signal.SIGCONT)


@contextmanager
def gone(centre: Instance) -> Iterator[None]:
    """There is no database."""
    centre.stop_process("timescaledb")
    try:
        yield
    finally:
        centre.start_process("timescaledb")
        centre.wait_ready("timescaledb", 30)


def once(browser: Browser, path: str) -> httpx.Response:
    """A page as it comes."""
    return httpx.get(browser.home + path, cookies=browser.http.cookies, headers=HTML, timeout=60)


def at_once(browser: Browser, path: str) -> httpx.Response:
    """A page as it comes, within what a reader waits."""
    began = time.monotonic()
    answer = once(browser, path)
    assert time.monotonic() - began < PATIENCE, path
    return answer


@pytest.mark.parametrize("away", [standing_still, gone])
def test_every_page_stands_at_once_with_what_was_known(
    centre: Instance, reader: Browser, away: Callable[[Instance], object]
) -> None:
    known = {path: figures(reader.get(path).text) for path in FIGURES}
    assert known["/handover"]
    with away(centre):
        time.sleep(16)  # what was read before is the newest no more
        with ThreadPoolExecutor(READERS) as readers:
            shown = dict(zip(PAGES, readers.map(partial(at_once, reader), PAGES), strict=True))
    assert {path: page.status_code for path, page in shown.items() if page.status_code != 200} == {}
    for path, page in shown.items():
        assert "<h1" in page.text and "<nav" in page.text, path
        if BUSY in page.content:
            assert all(vi in page.text for vi, _ in SAID), path
    for path in FIGURES:
        page = shown[path]
        assert figures(page.text) == known[path], path
        if BUSY in page.content:
            assert re.search(r"Số liệu gần nhất: \d\d/\d\d/\d{4} \d\d:\d\d \(\d+ (giây|phút) trước\)", page.text), path
    aged = [path for path in FIGURES if BUSY in shown[path].content]
    assert len(aged) >= 5, aged
    assert WORDS["handover_past"][0] in shown["/handover"].text, "also what a page has below what is counted"
    assert all(BUSY in shown[path].content for path in ONES)
    for path in PAGES:
        assert BUSY not in reader.get(path).content, "it comes back by itself"


def test_while_others_take_the_processor_every_page_stands_with_what_was_known(reader: Browser) -> None:
    """How soon is held by `ioc bench pages`, on a machine that does nothing else."""
    known = {path: figures(reader.get(path).text) for path in FIGURES}
    with burning(4):
        time.sleep(16)  # what was read before is the newest no more
        shown = {path: once(reader, path) for path in PAGES}
    assert {path: page.status_code for path, page in shown.items() if page.status_code >= 500} == {}
    for path in set(PAGES) - set(ONES):  # of which there are none
        assert "<h1" in shown[path].text and "<nav" in shown[path].text, path
    assert {path: figures(shown[path].text) for path in FIGURES} == known


def figures(text: str) -> list[str]:
    """The rows of a page's tables, and its counts."""
    return re.findall(r'<th scope="row">.*?</th>|<strong[^>]*>[\d.]+</strong>', text)


WRONG = (
    ("/nothing", 404), ("/figure/none", 404), ("/system/none", 404), ("/system/field?unit=none", 404),
    ("/alarms/none", 400), ("/?span=none", 400), ("/?month=2026-99", 400), ("/static/none.js", 404),
    ("/worklist/export.exe", 404), ("/people/add", 405), ("/search?text=%00", 400), ("/alarms/" + "9" * 30, 404),
    ("/login/none", 404), ("/docs", 404), ("/openapi.json", 404),
)  # fmt: skip


@pytest.mark.parametrize(("path", "status"), WRONG)
def test_a_wrong_address_gives_a_page_of_ours_in_both_languages(reader: Browser, path: str, status: int) -> None:
    answer = reader.get(path)
    assert answer.status_code == status
    assert answer.text.startswith("<!doctype html>") and 'lang="vi"' in answer.text and 'lang="en"' in answer.text


def test_what_is_posted_wrongly_is_answered_by_a_page_too(reader: Browser) -> None:
    reader.http.headers["x-csrf"] = reader.csrf()
    personal = reader.post("/worklist/saved", name="0912345678", query="")
    large = reader.post("/worklist/saved", name="a" * 300_000, query="")
    strange = reader.http.post("/people/add", headers={"origin": "http://elsewhere.example"})
    for answer, status, word in ((personal, 422, "note_personal"), (large, 413, "content_too_large"),
                                 (strange, 403, "another_site")):  # fmt: skip
        assert answer.status_code == status
        assert all(text in answer.text for text in WORDS[word]), word
