"""A server falls under an open wall: the page says so, shows no wrong number meanwhile, and recovers by itself."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import pytest
from browser.deeds import count, emit_report, vietnamese
from playwright.sync_api import Page, expect
from support import hanging

from infra.local.servers import Instance
from services.board.ui.words import WORDS

Visit = Callable[..., Page]
SAID = {"nats": "broker", "timescaledb": "database", "board": "cut_off"}
SAYS_MS, RECOVERS_MS = 3000, 5000
PATIENCE_MS = 15_000
"""A machine busy with other tests may take its time once: the spans hold if one of two tries holds them."""
FIELD = '.tile [data-figure="reports_received"]'
STEADY = ("reports_received", "pupils", "map_features", "enterprises_new", "budget_revenue_of_plan", "attendance_share")
"""Figures of the wall that time alone does not move; empty while the page has none."""
CUT_OFF = (
    "WebSocket",
    "ERR_CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)",
    "ERR_EMPTY_RESPONSE",
    "ERR_CONTENT_LENGTH_MISMATCH",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
)
"""What a browser says of a server that falls before, at or amid an answer."""
NOTES = """codes => {
  const look = () => {
    const tiles = codes.map(code => document.querySelector(`.tile [data-figure="${code}"]`)?.innerText ?? "");
    const said = [...document.querySelectorAll(".trouble")].filter(e => e.checkVisibility()).map(e => e.innerText);
    const notes = JSON.parse(localStorage.notes ?? "[]"), last = notes.at(-1);
    if (JSON.stringify([tiles, said]) === JSON.stringify(last?.slice(1))) return;
    localStorage.notes = JSON.stringify([...notes, [Date.now(), tiles, said]]);
  };
  setInterval(look, 40);
}"""

HAS_SAID = (
    "words => JSON.parse(localStorage.notes ?? '[]').some(([, , said]) => said.some(text => text.includes(words)))"
)
"""Whether the page has said so since it takes notes."""


class Note(NamedTuple):
    """What the page showed from a moment on (ms): those figures, and what it said of troubles."""

    at: float
    tiles: list[str]
    said: list[str]


@pytest.fixture
def wall(visit: Visit, heard: Any) -> Iterator[Page]:
    """An open wall that takes down what it shows, also when it is loaded anew."""
    heard.expected += CUT_OFF
    page = visit("/", "truc.le")
    page.add_init_script(f"document.addEventListener('DOMContentLoaded', () => ({NOTES})({json.dumps(STEADY)}))")
    page.evaluate("localStorage.removeItem('notes')")
    page.reload()
    expect(page.locator(FIELD)).to_have_text(re.compile(r"\d"))
    expect(page.locator(".trouble:visible")).to_have_count(0)
    yield page


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_it_says_so_and_recovers(wall: Page, watched: Instance, name: str, how: str) -> None:
    said, well = _spans(wall, watched, name, how)
    if said >= SAYS_MS or well >= RECOVERS_MS:
        said, well = _spans(wall, watched, name, how)
    assert said < SAYS_MS and well < RECOVERS_MS


def _spans(wall: Page, watched: Instance, name: str, how: str) -> tuple[float, float]:
    """Let it fall and come back: how long until the page said so, and until it was well again after that (ms)."""
    wall.evaluate("localStorage.removeItem('notes')")
    before = count(wall.locator(FIELD).inner_text())
    wall.wait_for_timeout(200)
    down = time.time() * 1000
    if how == "killed":  # and started again by the supervisor, so soon that a look now and then may miss the words
        watched.kill(name, signal.SIGKILL)
        wall.wait_for_function(HAS_SAID, arg=WORDS[SAID[name]][0], timeout=PATIENCE_MS)
    else:
        watched.stop_process(name)
        down = time.time() * 1000
        wall.wait_for_function(HAS_SAID, arg=WORDS[SAID[name]][0], timeout=PATIENCE_MS)
        wall.wait_for_timeout(1500)
        watched.start_process(name)
    watched.wait_ready(name)
    back = time.time() * 1000
    expect(wall.locator(".trouble:visible")).to_have_count(0, timeout=PATIENCE_MS)
    watched.wait_ready("aggregator")
    emit_report(watched)
    expect(wall.locator(FIELD)).to_have_text(vietnamese(before + 1))
    notes = [Note(*note) for note in json.loads(wall.evaluate("localStorage.notes"))]
    said = [note.at for note in notes if any(WORDS[SAID[name]][0] in text for text in note.said)]
    well = [note.at for note in notes if note.at > said[-1] and not note.said]
    print(f"{name} {how}: said after {said[0] - down:.0f} ms, well {well[0] - back:.0f} ms after its return")
    old = next(note.tiles for note in notes if note.tiles)
    new = [vietnamese(before + 1) if tile == vietnamese(before) else tile for tile in old]
    for shown, *rest in zip(old, new, *(note.tiles for note in notes if note.tiles), strict=True):
        after, *seen = rest
        told = [text for text, _ in groupby(text for text in seen if text not in ("", "–"))]
        assert told in ([shown], [shown, after]), "from old to new, and nothing else between"
    return said[0] - down, well[0] - back


def test_a_board_that_stands_still_is_told_too(wall: Page, watched: Instance) -> None:
    pid = watched.pid("board")
    with hanging(pid or 0):
        expect(wall.locator(".trouble:visible")).to_contain_text(WORDS["cut_off"][0])
    assert watched.pid("board") == pid
    expect(wall.locator(".trouble:visible")).to_have_count(0, timeout=PATIENCE_MS)
