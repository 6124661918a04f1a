"""The wall: eight tiles with data, moved by an event within a second, and the way from a tile to the ground of a
figure, by mouse and by keyboard, in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.conftest import WARD, Command
from browser.deeds import count, emit_report, tab_to, vietnamese
from chaos.clock import SteppedClock
from playwright.sync_api import Page, expect
from support import board_beside

from infra.local.paths import home
from infra.local.servers import Instance
from schemas.indicators import CATALOGUE
from schemas.indicators.label_texts import source_name
from schemas.registry import SYSTEMS
from services.board.ui.words import WORDS

Visit = Callable[..., Page]
SILENCE_SECONDS = 4 * 3600
GENEROUS_MS = 8000
"""What a test allows on a busy machine; `ioc bench board` holds the figure itself."""
READ_FROM_FIVE_METRES = 34
"""Pixels of a letter's height on a screen of 55 inches with 1080 rows: 22 mm."""
CUT = """() => [...document.querySelectorAll('.tile, .tile :is(h2, .main, .what, .moved, .foot, dt, dd, span)')]
  .filter(e => e.clientWidth && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 2))
  .map(e => e.outerHTML.slice(0, 200))"""
NOTED = """figure => {
  window.noted = [];
  const shown = `[data-figure="${figure}"]`, tile = document.querySelector(`.tile:has(${shown})`);
  new MutationObserver(() => window.noted.push([Date.now(), tile.querySelector(shown).innerText]))
    .observe(tile, {subtree: true, childList: true, characterData: true});
}"""


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160)], ids=["full HD", "4K"])
def test_eight_tiles_with_data_and_nothing_to_scroll(visit: Visit, size: tuple[int, int]) -> None:
    page = visit("/", "truc.le", viewport={"width": size[0], "height": size[1]})
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(len(SYSTEMS))
    for tile, (_, vi, _) in zip(tiles.all(), SYSTEMS.values(), strict=True):
        expect(tile.locator("h2")).to_contain_text(vi)
        expect(tile.locator(".main")).to_have_text(re.compile(r"\d"))
        box = tile.bounding_box()
        assert box and box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1]
    assert page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [
        size[1],
        size[0],
    ]
    expect(page.locator(".origin")).to_contain_text("mô phỏng")
    rows = tiles.locator("dt span, dd span")
    sizes = rows.evaluate_all("all => all.map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert len(sizes) == 2 * 2 * len(SYSTEMS) and min(sizes) >= READ_FROM_FIVE_METRES * size[1] / 1080
    assert page.evaluate(CUT) == []


def test_the_pages_turn_by_themselves_until_they_are_stopped(visit: Visit) -> None:
    page = visit("/?rotate=5", "truc.le")
    page.wait_for_url("**/map")
    page.wait_for_url("**/worklist")
    page.keyboard.press("r")
    assert page.evaluate("[document.body.classList.contains('rotates'), sessionStorage.rotate ?? null]") == [
        False,
        None,
    ]
    page.goto("/")
    assert not page.evaluate("document.body.classList.contains('rotates')")


def test_an_event_changes_its_tile_at_once(visit: Visit, watched: Instance) -> None:
    page = visit("/", "truc.le")
    main = page.locator('.tile [data-figure="reports_received"]')
    expect(main).to_have_text(re.compile(r"\d"))
    page.evaluate(NOTED, "reports_received")
    shown = main.inner_text()
    before, acknowledged = count(shown), emit_report(watched)
    page.wait_for_function("shown => window.noted.some(([, text]) => text !== shown)", arg=shown)
    moment = next(at for at, text in page.evaluate("window.noted") if count(text) == before + 1)
    print(f"shown {moment - acknowledged:.0f} ms after `ioc emit` had the acknowledgement")
    assert moment - acknowledged < GENEROUS_MS
    expect(main).to_have_text(vietnamese(before + 1))


def test_a_silent_source_greys_its_tile_and_is_named(visit: Visit, watched: Instance, tmp_path: Path) -> None:
    """What listens to the media tells every hour: a board whose clock is ahead finds it silent, the others do not."""
    ahead = SteppedClock(tmp_path / "ahead", home() / "runtime")
    ahead.step(SILENCE_SECONDS)
    stale = re.compile(r"\bstale\b")
    with board_beside(watched, IOC_BOARD_PUBLIC="true", **ahead.variables) as address:
        tile = visit("/", at=address).locator('.tile[href="/system/social"]')
        expect(tile).to_have_class(stale, timeout=60_000)  # a board that has just begun reads one system after another
        name = source_name("/simulator/social/listening", "vi")
        expect(tile.locator(".foot")).to_contain_text(f"{WORDS['stale'][0]}: {name}")
        tile.page.close()  # before its board: it would look for it
    tile = visit("/", "truc.le").locator('.tile[href="/system/social"]')
    expect(tile.locator(".main")).to_have_text(re.compile(r"\d"))
    expect(tile).not_to_have_class(stale)


def test_from_a_tile_to_a_unit_and_to_the_ground_of_its_figure(visit: Visit) -> None:
    page = visit("/", "truc.le")
    page.click('.tile[href="/system/procedures"]')
    expect(page.locator("h1")).to_have_text(SYSTEMS["procedures"][1])
    unit = page.locator('main section:not(.published) table a[href*="unit="]').first
    name = unit.inner_text()
    unit.click()
    expect(page.locator(".title")).to_contain_text(name)
    row = page.locator("main tr", has=page.locator('a[href*="/figure/dossiers_received?"]'))
    value = row.locator("td").first.inner_text().split()
    row.locator("a.how").click()
    expect(page.locator("h1")).to_have_text(CATALOGUE["dossiers_received"].vi)
    assert page.locator(".huge").inner_text().split()[0] == value[0]
    expect(page.locator(".title")).to_contain_text(name)
    for key in ("formula", "sources", "findings"):
        expect(page.locator("h2", has_text=WORDS[key][0])).to_be_visible()
    expect(page.locator("section [title^='/simulator']").first).to_be_visible()


def test_who_is_bounded_to_a_unit_begins_at_its_own_wall(visit: Visit, command: Command) -> None:
    page, field = visit("/", "lan.tran"), '[data-figure="reports_received"]'
    heading = page.locator(".heading")
    shown = heading.locator("> .period > summary")
    expect(shown).to_contain_text("Phường Chơn Thành")
    expect(page.locator(f".tile {field}")).to_have_text(re.compile(r"\d"))
    (told,) = json.loads(command("query", "reports_received", "--unit", WARD, "--format", "json"))["readings"]
    own = int(told["value"])
    assert own
    expect(page.locator(f".tile {field}")).to_have_text(vietnamese(own), timeout=30_000)
    shown.click()
    heading.get_by_role("link", exact=True, name=WORDS["period_last_month"][0]).click()
    expect(shown).to_contain_text("Phường Chơn Thành")
    shown.click()
    heading.get_by_role("link", exact=True, name=WORDS["whole"][0]).click()
    shown.click()
    heading.get_by_role("link", exact=True, name=WORDS["period_this_month"][0]).click()
    expect(page).to_have_url(re.compile(r"/\?unit=$"))
    expect(shown).to_contain_text(WORDS["whole"][0])
    expect(page.locator(f".tile {field}")).to_have_text(visit("/", "truc.le").locator(f".tile {field}").inner_text())
    assert count(page.locator(f".tile {field}").inner_text()) > own
    page.goto("/")
    page.click('.tile[href="/system/procedures?unit=phuong_chon_thanh"]')
    expect(page.locator(".title")).to_contain_text("Phường Chơn Thành")


def test_english_at_a_click_and_for_the_next_pages(visit: Visit) -> None:
    page = visit("/system/health", "truc.le")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text(SYSTEMS["health"][2])
    page.goto("/system/field")
    expect(page.locator("h1")).to_have_text(SYSTEMS["field"][2])
    page.goto("/")
    expect(page.locator(".tile h2").first).to_contain_text(SYSTEMS["procedures"][2])
    page.goto("/system/field")
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.locator("h1")).to_have_text(SYSTEMS["field"][1])


def test_by_keyboard_alone_from_the_wall_to_an_explanation(visit: Visit) -> None:
    page = visit("/", "truc.le")
    expect(page.locator(".tile").last).to_be_visible()
    tab_to(page, '.tile[href="/system/procedures"]')
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(SYSTEMS["procedures"][1])
    tab_to(page, "a.how")
    page.keyboard.press("Enter")
    expect(page.locator(".formula").first).to_be_visible()
