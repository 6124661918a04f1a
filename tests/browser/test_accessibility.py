"""What axe-core finds on every page, in both lights and on a phone: nothing moderate, serious or critical."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from schemas.registry import SYSTEMS

Visit = Callable[..., Page]
PAGES = (
    "/",
    *(f"/system/{slug}" for slug in SYSTEMS),
    "/figure/overdue_share",
    "/figure/dossiers_open_overdue/cases",
    "/worklist",
    "/changes",
    "/map",
    "/alarms",
    "/quality",
    "/search?text=chon+thanh",
    "/index766",
    "/index766?unit=phuong_chon_thanh",
    "/sources",
    "/targets",
    "/reports",
    "/imports",
    "/brief",
    "/contacts",
    "/handover",
    "/people",
    "/keys",
    "/login",
)
LISTS = ("/worklist", "/alarms")
"""Of these the first that stands there is opened too."""
GRAVE = ("moderate", "serious", "critical")
LIGHT = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
"""Light changes colours alone."""
LOADED_MS = 60_000
SHORTER = """() => {
  for (const body of document.querySelectorAll("tbody")) [...body.rows].slice(20).forEach((row) => row.remove());
}"""
"""Rows of a table are alike. axe holds the page for seconds where there are hundreds: so long that it would take its
connection for lost, and grey what it shows."""


@pytest.mark.parametrize("path", PAGES)
def test_nothing_serious_on_a_page_in_both_lights(visit: Visit, path: str) -> None:
    assert serious(visit("/login", "admin"), path) == []


def test_nothing_serious_on_the_page_of_a_case_and_of_an_alarm(visit: Visit) -> None:
    page = visit("/login", "admin")
    assert {path: problems for path in opened(page) if (problems := serious(page, path))} == {}


def test_nothing_serious_on_a_phones_wall(visit: Visit) -> None:
    page = visit("/login", "truc.le", viewport={"width": 390, "height": 844})
    assert serious(page, "/") == []


def test_the_log_in_has_the_light_that_its_browser_remembers(visit: Visit) -> None:
    page = visit("/system/health", "truc.le")
    for light in (True, False):
        page.locator("[data-theme-switch]").click()
        page.goto("/login")
        expect(page.locator("body")).to_have_class("enter light" if light else "enter")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert all(int(part) > 200 if light else int(part) < 60 for part in re.findall(r"\d+", ground)), ground
        page.goto("/system/health")
        expect(page.locator("body.light")).to_have_count(1 if light else 0)


MOVING = """() => {
  const moves = (s) => s.animationName !== "none" || s.transitionDuration !== "0s" || s.scrollBehavior !== "auto";
  document.querySelectorAll("main [data-figure]").forEach((figure) => figure.classList.add("flash"));
  return [...document.querySelectorAll("*")].filter((e) => moves(getComputedStyle(e))).length;
}"""
"""How many elements move, or would where a figure changes."""


def test_nothing_moves_for_whoever_asked_for_less_motion(visit: Visit) -> None:
    assert visit("/", "truc.le").evaluate(MOVING) >= 8
    page = visit("/login", "truc.le", reduced_motion="reduce")
    for path in ("/", "/system/procedures", "/figure/overdue_share", "/worklist", "/map", "/alarms", "/quality"):
        page.goto(path)
        expect(page.locator("main")).to_be_visible()
        assert page.evaluate(MOVING) == 0, path


def opened(page: Page) -> list[str]:
    """The first that stands in each of the lists: the pages of a case and of an alarm."""
    found = []
    for path in LISTS:
        page.goto(path)
        found.append(page.locator(f"main td a[href^='{path}/']").first.get_attribute("href") or "")
    return found


def shown(page: Page, path: str) -> None:
    """Open a page, and wait until it is whole."""
    answer = page.goto(path)
    assert answer and answer.ok, path
    expect(page.locator("main")).to_be_visible()
    expect(page.locator(".busy")).to_have_count(0, timeout=LOADED_MS)


def serious(page: Page, path: str) -> list[str]:
    """What is grave on a page: rule, help, and the first elements that break it."""
    shown(page, path)
    page.evaluate(SHORTER)
    return violations(page)


def violations(page: Page) -> list[str]:
    """The same of a page as it stands."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    page.evaluate("document.body.classList.toggle('light')")
    found += Axe().run(page, options=LIGHT).response["violations"]
    page.evaluate("document.body.classList.toggle('light')")
    return [
        f"{v['id']}: {v['help']}: " + " | ".join(n["html"][:160] + str(n["any"][:1])[:200] for n in v["nodes"][:3])
        for v in found
        if v["impact"] in GRAVE
    ]
