"""What people come to the board for, each in at most so many clicks from the wall, and by the keyboard alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from browser.conftest import Command
from browser.test_search import ended
from playwright.sync_api import Locator, Page, expect

from infra.local.servers import Instance
from schemas.registry import SYSTEMS
from services.board.ui.words import WORDS

Visit = Callable[..., Page]
Begin = Callable[[str], "Clicks"]
PATIENCE_MS = 60_000
"""A board that has just begun, on a busy machine, says that it is busy first; how soon a page comes is no task's."""
MOST_TABS = 400
OFFICER, PHONE = "Cán bộ thử", "0271 3000 001"


class Clicks:
    """A visit that begins at the wall, and how many clicks it took; `keys`: by the keyboard alone."""

    def __init__(self, page: Page, keys: bool) -> None:
        self.page, self.number, self.keys = page, 0, keys

    def on(self, what: Locator) -> None:
        """One more."""
        self.number += 1
        if not self.keys:
            return what.click()
        self._reach(what)
        if what.evaluate("e => e.nodeName") != "INPUT":
            self.page.keyboard.press("Enter")

    def write(self, what: Locator, text: str) -> None:
        """Into a field, and send it."""
        if self.keys:
            self._reach(what)
        else:
            what.focus()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def _reach(self, what: Locator) -> None:
        """By the tabulator, and it is seen where one is."""
        expect(what).to_be_visible()
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if what.evaluate("e => e === document.activeElement"):
                break
        else:
            raise AssertionError(f"{MOST_TABS} tabs do not reach {what}")
        assert what.evaluate("e => getComputedStyle(e).outlineStyle") != "none"

    def tile(self, system: str) -> None:
        """Into a system."""
        self.on(self.page.locator(f".tile[href^='/system/{system}']"))
        expect(self.page.locator("h1")).to_have_text(SYSTEMS[system][1])
        expect(self.page.locator(".busy")).to_have_count(0, timeout=PATIENCE_MS)


@pytest.fixture(params=[False, True], ids=["mouse", "keyboard"])
def begin(visit: Visit, request: pytest.FixtureRequest) -> Begin:
    """Somebody at the wall."""
    return lambda name: Clicks(visit("/", name), request.param)


@contextmanager
def contact(page: Page, unit: str) -> Iterator[None]:
    """The unit has somebody to call meanwhile."""

    def keep(line: str) -> None:
        page.goto("/contacts")
        form = page.locator('form[action="/contacts/units"]')
        form.locator("textarea").fill(line)
        form.get_by_role("button").click()
        expect(page.get_by_role("status").first).to_be_visible()

    keep(f"{unit}; {OFFICER}; {PHONE}")
    try:
        yield
    finally:
        keep(unit)


def most_overdue(page: Page) -> Locator:
    """The first row of the units on a system's page."""
    panel = page.locator("section.panel", has=page.get_by_role("heading", name=WORDS["broken_down"][0], exact=True))
    return panel.locator("tbody tr").first


def test_the_most_overdue_unit_its_cases_how_late_whom_to_call_and_assign(
    visit: Visit, begin: Begin, command: Command
) -> None:
    readings = json.loads(command("query", "dossiers_open_overdue", "--by", "unit", "--format", "json"))["readings"]
    most = max(float(r["value"] or 0) for r in readings)
    clicks = begin("minh.vo")
    clicks.tile("procedures")
    row = most_overdue(clicks.page)
    name = row.locator("th a").first.inner_text()
    assert re.sub(r"\D", "", row.locator("td").first.inner_text()) == f"{most:.0f}" and clicks.number == 1
    with contact(visit("/contacts", "admin"), name):
        clicks.on(row.get_by_role("link", name=f"{WORDS['see_overdue_dossier'][0]}: {name}"))
        rows = clicks.page.locator("table.rows tbody tr")
        expect(rows.first).to_contain_text(name)
        assert clicks.number == 2 and set(rows.locator("td:nth-child(5)").all_inner_texts()) == {name}
        clicks.on(rows.first.locator("td:nth-child(2) a"))
        expect(clicks.page.locator("main")).to_contain_text(WORDS["late"][0])
        expect(clicks.page.locator("main a[href^='tel:']")).to_have_text(PHONE)
        assert clicks.number == 3
        clicks.on(clicks.page.locator("summary", has_text=WORDS["do_assign"][0]))
        assignee = clicks.page.locator('form[action="/worklist/do/assign"] [name=assignee]')
        clicks.write(assignee, "truc.le")
        expect(clicks.page.locator("[data-said] li").first).to_contain_text("✓")
        assert clicks.number == 4


def test_how_the_half_per_cent_of_the_published_month_is_known(begin: Begin) -> None:
    clicks = begin("truc.le")
    clicks.tile("procedures")
    clicks.on(clicks.page.locator(".published tbody td:nth-child(2) a").first)
    expect(clicks.page.locator(".title")).to_contain_text("Bình Phước")
    clicks.on(clicks.page.locator('main a.how[href*="/figure/overdue_share?"]'))
    expect(clicks.page.locator("main .huge")).to_contain_text("0,50 %")
    expect(clicks.page.locator(".formula").first).to_be_visible()
    expect(clicks.page.locator(".said-figure")).to_contain_text(WORDS["figure_ratio"][0].format(1, 200))
    assert clicks.number <= 3


def test_how_a_published_figure_is_known(begin: Begin) -> None:
    clicks = begin("truc.le")
    clicks.tile("field")
    clicks.on(clicks.page.locator(".published tbody a").first)
    expect(clicks.page.locator("main .huge")).to_have_text("290")
    expect(clicks.page.locator(".formula").first).to_be_visible()
    expect(clicks.page.locator(".said-figure")).to_contain_text("290")
    assert clicks.number <= 3


def test_this_month_against_the_last_for_one_ward(begin: Begin) -> None:
    clicks = begin("truc.le")
    clicks.tile("procedures")
    ward = most_overdue(clicks.page).locator("th a").first
    name = ward.inner_text()
    clicks.on(ward)
    expect(clicks.page.locator(".title")).to_contain_text(name)
    row = clicks.page.locator("main tr", has=clicks.page.locator('a[href*="/figure/dossiers_received?"]'))
    for head in ("value", "before"):  # on the first of a month a change may be none
        expect(row.locator(f'td[data-head="{WORDS[head][0]}"]')).to_have_text(re.compile(r"\S"))
    expect(row.locator(f'td[data-head="{WORDS["change"][0]}"]')).to_have_count(1)
    assert clicks.number <= 3


def test_what_changed_and_what_is_wrong_with_the_published_report_are_one_click_away(begin: Begin) -> None:
    clicks = begin("truc.le")
    clicks.on(clicks.page.get_by_role("link", name=WORDS["changes_yesterday"][0], exact=True))
    expect(clicks.page.locator("main .counts a")).to_have_count(5)
    clicks = begin("truc.le")
    clicks.on(clicks.page.get_by_role("navigation").get_by_role("link", name=WORDS["quality"][0], exact=True))
    findings = clicks.page.locator("main section.panel").first
    name = WORDS["quality_findings"][0].partition(" (")[0]
    expect(findings.locator("h2")).to_contain_text(name, timeout=PATIENCE_MS)
    expect(findings.locator("tbody tr").first).to_be_visible()
    for mistake in (("5.122", "5.121"), ("1022", "2"), ("1.674", "1.733"), ("1.377", "1.674")):
        row = findings.locator("tbody tr")
        for printed in mistake:
            row = row.filter(has_text=printed)
        expect(row.first).to_be_visible()


def test_a_finished_dossier_is_one_click_and_its_code(begin: Begin, watched: Instance) -> None:
    code = ended(watched, True)
    clicks = begin("truc.le")
    clicks.on(clicks.page.locator("[data-finder]"))
    clicks.page.keyboard.type(code.lower())
    clicks.page.keyboard.press("Enter")
    expect(clicks.page).to_have_url(re.compile(f"/worklist/dossier/{code}$"))
    assert clicks.number == 1
