"""What axe-core finds on the main pages, in both lights: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]
PAGES = (
    "/",
    "/system/health",
    "/figure/overdue_share",
    "/worklist",
    "/map",
    "/alarms",
    "/quality",
    "/sources",
    "/people",
    "/login",
)
GRAVE = ("serious", "critical")


LIGHT = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
"""Light changes colours alone."""


def test_nothing_serious_on_the_main_pages_in_both_lights(visit: Visit) -> None:
    page = visit("/login", "admin")
    assert {path: problems for path in PAGES if (problems := serious(page, path))} == {}


def serious(page: Page, path: str) -> list[str]:
    """What is grave on a page: rule, help, and the first elements that break it."""
    answer = page.goto(path)
    assert answer and answer.ok, path
    expect(page.locator("main:not(.q-page)")).to_be_visible()
    violations = Axe().run(page).response["violations"]
    page.evaluate("document.body.classList.toggle('light')")
    violations += Axe().run(page, options=LIGHT).response["violations"]
    return [
        f"{v['id']}: {v['help']}: " + " | ".join(n["html"][:160] + str(n["any"][:1])[:200] for n in v["nodes"][:3])
        for v in violations
        if v["impact"] in GRAVE
    ]
