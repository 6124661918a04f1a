"""What axe-core finds on the main pages, in both lights: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]
PAGES = (
    "/",
    "/system/procedures",
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


@pytest.mark.parametrize("light", ["dark", "light"])
def test_nothing_serious_on_the_main_pages(visit: Visit, light: str) -> None:
    page = visit("/login", "admin")
    page.evaluate("light => localStorage.setItem('ioc-theme', light)", light)
    found = {path: problem for path in PAGES if (problem := serious(page, path))}
    assert found == {}


def serious(page: Page, path: str) -> list[str]:
    """What is grave on a page: rule, help, and the first elements that break it."""
    answer = page.goto(path)
    assert answer and answer.ok, path
    expect(page.locator("main:not(.q-page)")).to_be_visible()
    expect(page.locator(":not(.head) > h1, .wall h1").first).to_be_visible()
    violations = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {v['help']}: " + " | ".join(n["html"][:160] + str(n["any"][:1])[:200] for n in v["nodes"][:3])
        for v in violations
        if v["impact"] in GRAVE
    ]
