"""The board on a phone and on paper: nothing runs out of the screen, targets are large enough for a thumb, and what is
printed is dark on white, with nothing on it that one would press."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from schemas.calendar import WorkCalendar
from schemas.registry import SYSTEMS
from services.board.ui.words import WORDS

Visit = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
PAPER = {"width": 718, "height": 1000}
"""A4 upright with a browser's margins."""
PATHS = "/", "/system/procedures", "/figure/overdue_share", "/worklist", "/changes", "/alarms", "/map"
SMALLEST = 24
OUT = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """() => [...document.querySelectorAll('main .panel, main figure, main article, main dl, main table')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.outerHTML.slice(0, 120))"""
TARGETS = """() => [...document.querySelectorAll('a, button, input, select, summary')]
  .filter(e => e.type !== 'hidden' && e.checkVisibility({visibilityProperty: true}))
  .map(e => [e, (e.type === 'checkbox' && e.closest('label') || e).getBoundingClientRect()])"""
PRESSED = "nav, button, form, input, select, textarea, summary:not(.group > summary), [role=button]"
"""What paper cannot do; the name of a group of figures is a heading there."""
SEEN = "all => all.filter(e => e.checkVisibility({visibilityProperty: true})).map(e => e.outerHTML.slice(0, 120))"
PALE = """() => {
  const shade = (colour) => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number); return 0.21 * r + 0.72 * g + 0.07 * b; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  for (let text; (text = walker.nextNode());) {
    const e = text.parentElement, style = getComputedStyle(e);
    if (!text.data.trim() || e.closest('script, style') || !e.checkVisibility({visibilityProperty: true})) continue;
    let ground = null;
    for (let p = e; p; p = p.parentElement) {
      const colour = getComputedStyle(p).backgroundColor;
      if (!/, 0\\)$/.test(colour) && colour !== 'transparent') { ground ??= colour; }
    }
    const ink = e.closest('svg') ? style.fill : style.color;
    if (shade(ink) > 110 || shade(ground ?? 'rgb(255, 255, 255)') < 240) found.push([text.data.trim().slice(0, 40), ink, ground]);
  }
  return found;
}"""  # noqa: E501


TINY = """least => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  for (let text; (text = walker.nextNode());) {
    const e = text.parentElement, svg = e.closest('svg');
    if (!text.data.trim() || e.closest('script, style, title')) continue;
    if (!e.checkVisibility({visibilityProperty: true})) continue;
    const size = parseFloat(getComputedStyle(e).fontSize) * (svg ? e.getScreenCTM().a : 1);
    if (size < least) found.push([text.data.trim().slice(0, 40), size]);
  }
  return found;
}"""
"""What is written in letters smaller than so many pixels."""
SEVEN_POINTS = 6.95 / 0.75


def shown(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer and answer.ok, path
    expect(page.locator("main")).to_be_visible()


def test_on_a_phone_nothing_runs_out_of_the_screen_and_a_thumb_hits_everything(visit: Visit) -> None:
    page = visit("/login", "truc.le", viewport=PHONE)
    small = f"({TARGETS})().filter(([, r]) => Math.min(r.width, r.height) < {SMALLEST}).map(([e]) => e.outerHTML)"
    for path in PATHS:
        shown(page, path)
        if path == "/map":
            expect(page.locator("#map-list table")).to_be_visible()
        for summary in page.locator("main .tools summary").all():  # forms that open below a list too
            summary.click()
            assert page.evaluate(OUT) == 0, path
        assert page.evaluate(OUT) == 0, path
        assert page.evaluate(CUT) == [], path
        assert page.evaluate(f"({TARGETS})().length") > 5
        assert page.evaluate(small) == [], path


def test_the_wall_of_a_phone_has_its_tiles_one_below_the_other(visit: Visit) -> None:
    page = visit("/", "truc.le", viewport=PHONE)
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(len(SYSTEMS))
    expect(tiles.last.locator(".main")).to_have_text(re.compile(r"\d"))
    boxes = [tile.bounding_box() for tile in tiles.all()]
    assert all(box and box["width"] > 0.9 * PHONE["width"] for box in boxes)
    tops = [box["y"] for box in boxes if box]
    assert all(below - above > 100 for above, below in pairwise(tops))
    sizes = page.locator(".tile :is(dt span, dd span, .what, h2 span)").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert len(sizes) > 40 and min(sizes) >= 12


def test_worklist_and_system_are_printed_dark_on_white_and_whole(visit: Visit) -> None:
    page = visit("/login", "truc.le", viewport=PAPER)
    page.emulate_media(media="print")
    for path in ("/worklist", "/system/procedures", "/figure/overdue_share", "/alarms", "/quality", "/index766"):
        shown(page, path)
        expect(page.locator("main table").first).to_be_visible()
        on_paper(page, path)
    page.evaluate("document.cookie = 'ioc_theme=light; path=/'")
    shown(page, "/worklist")
    on_paper(page, "/worklist, light")


def test_the_wall_is_printed_on_one_page_with_its_period(visit: Visit) -> None:
    page = visit("/", "truc.le")
    expect(page.locator(".tile .main").last).to_have_text(re.compile(r"\d"))
    period = page.locator(".bar .period.over > summary").inner_text()
    (sheet,) = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    text = " ".join(sheet.extract_text().split())
    assert period in text and all(name in text for _, name, _ in SYSTEMS.values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_is_printed_on_one_page_that_can_be_read(visit: Visit, system: str) -> None:
    page = visit(f"/system/{system}", "truc.le", viewport=PAPER)
    expect(page.locator("main .charts figure").first).to_be_visible(timeout=60_000)
    expect(page.locator(".busy")).to_have_count(0, timeout=60_000)
    (sheet,) = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    text = " ".join(sheet.extract_text().split())
    assert SYSTEMS[system][1] in text and WORDS["broken_down"][0] in text
    page.emulate_media(media="print")
    assert page.evaluate(TINY, SEVEN_POINTS) == []
    assert page.evaluate(CUT) == []


def on_paper(page: Page, what: str) -> None:
    assert page.locator(PRESSED).evaluate_all(SEEN) == [], what
    assert page.evaluate(PALE) == [], what
    assert page.evaluate(OUT) == 0, what
    assert page.evaluate(CUT) == [], what


def test_an_apology_is_promised_on_the_worklist_and_its_letter_printed(visit: Visit) -> None:
    page = visit("/worklist?kind=dossier", "truc.le")
    box = page.locator("tr", has_not_text=WORDS["extended"][0]).locator("input[name=item]").first
    code = (box.get_attribute("value") or "").partition(":")[2]
    box.check()
    page.locator("summary", has_text=WORDS["do_extend"][0]).click()
    form = page.locator('form[action="/worklist/do/extend"]')
    form.locator("[name=day]").fill(a_working_day().isoformat())
    form.locator("[name=note]").fill("chờ ý kiến cơ quan phối hợp")
    form.locator("button").click()
    expect(page.locator("[data-said] li")).to_contain_text("✓")
    with page.expect_popup() as opened:
        page.get_by_role("link", name=WORDS["print_letters"][0]).click()
    letter = opened.value
    letter.set_viewport_size(PAPER)
    expect(letter.get_by_role("button", name=WORDS["print"][0])).to_be_visible()
    letter.emulate_media(media="print")
    expect(letter.locator("article")).to_have_count(1)
    expect(letter.locator("article")).to_contain_text(code)
    on_paper(letter, "letter")
    page.goto(f"/worklist/dossier/{code}")
    expect(page.get_by_role("link", name=WORDS["print_letters"][0])).to_be_visible()


def a_working_day() -> date:
    """The first one after a week."""
    days = (date.today() + timedelta(days=n) for n in range(7, 30))
    return next(day for day in days if WorkCalendar.base().is_working_day(day))
