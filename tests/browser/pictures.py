"""Takes the pictures of the README and of `docs/` anew, from a running demo: what a page looks like there is what it
looks like now.

    ./ioc demo && ./ioc test --help    # the second brings the tools of the tests
    PYTHONPATH=.:tests .venv/bin/python tests/browser/pictures.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from conftest import ARGUMENTS, libatomic
from playwright.sync_api import Page, sync_playwright

from infra.local.paths import CHECKOUT, home
from infra.local.provision import provide
from infra.local.servers import Instance

PATIENCE = 180_000.0
"""Milliseconds that a busy machine may take for a page: what it said meanwhile is no picture of it."""
FOLDER = CHECKOUT / "docs" / "board"


class Picture(NamedTuple):
    """A page as somebody sees it; `follow`: a link on it to go on by, as CSS."""

    name: str
    path: str
    width: int = 1366
    height: int = 900
    language: str = "vi"
    follow: str = ""


PICTURES = (
    Picture("wall", "/", 1920, 1080),
    Picture("system", "/system/procedures?span=week"),
    Picture("figure", "/figure/overdue_share?span=week"),
    Picture("worklist", "/worklist"),
    Picture("case", "/worklist", follow="main a[href*='/worklist/dossier']"),
    Picture("map", "/map"),
    Picture("alarms", "/alarms", language="en"),
    Picture("quality", "/quality"),
    Picture("changes", "/changes", language="en"),
    Picture("index766", "/index766?span=year"),
    Picture("phone", "/", 390, 844),
)


def take(page: Page, address: str, picture: Picture) -> None:
    """One picture, once the page shows what it has."""
    page.set_viewport_size({"width": picture.width, "height": picture.height})
    page.context.add_cookies([{"name": "ioc_lang", "value": picture.language, "url": address}])
    page.goto(address + picture.path, wait_until="load")
    if picture.follow:
        page.locator(picture.follow).first.click()
    page.wait_for_load_state("load")
    page.locator(".busy").first.wait_for(state="detached", timeout=PATIENCE)
    page.wait_for_timeout(1500)  # charts and the map draw themselves
    page.screenshot(path=FOLDER / f"{picture.name}.png")


def main() -> None:
    """All of them, or those that are named."""
    demo = Instance(home() / "demo")
    address = f"http://127.0.0.1:{demo.ports['board']}"
    runtime = (home() / "runtime").resolve()
    program = provide(runtime, {"chromium"}, print)["chromium"]
    fonts = {"FONTCONFIG_SYSROOT": str(runtime / "chromium")} if program.is_relative_to(runtime) else {}
    with libatomic(runtime / "chromium"), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS), env={**os.environ, **fonts, "NO_PROXY": "127.0.0.1"}
        )
        page = browser.new_page()
        page.goto(f"{address}/login")
        page.fill("input[name=name]", "admin")
        page.fill("input[name=password]", demo.password("board_admin"))
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/")
        for picture in PICTURES:
            if not sys.argv[1:] or picture.name in sys.argv[1:]:
                take(page, address, picture)
                print(Path("docs/board") / f"{picture.name}.png")
        browser.close()


if __name__ == "__main__":
    main()
