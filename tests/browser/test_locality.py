"""The locality's own name and emblem stand on every page, at the log-in and on paper, and the wall still fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from browser.test_wall import CUT
from playwright.sync_api import Page, expect
from support import board_beside

from infra.local.servers import Instance

Visit = Callable[..., Page]
PLACE = "Phường Chơn Thành"
EMBLEM = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4" fill="#c22"/></svg>'
LOADED = "image => image.complete && image.naturalWidth > 0 && image.checkVisibility()"


def stands(page: Page) -> None:
    expect(page.locator(".locality")).to_have_text(PLACE)
    expect(page.locator(".locality")).to_be_visible()
    assert page.locator("img.emblem").evaluate(LOADED)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_name_and_emblem_stand_on_wall_pages_log_in_and_paper(
    visit: Visit, watched: Instance, tmp_path: Path, language: str
) -> None:
    emblem = tmp_path / "emblem.svg"
    emblem.write_text(EMBLEM)
    with board_beside(watched, IOC_BOARD_PLACE=PLACE, IOC_BOARD_EMBLEM=str(emblem)) as home:
        stands(visit(f"/login?lang={language}", at=home))
        page = visit(f"/?lang={language}", "truc.le", at=home)
        stands(page)
        expect(page.locator(".tile .main").last).to_have_text(re.compile(r"\d"))
        assert page.evaluate("document.documentElement.scrollHeight") == 1080
        assert page.evaluate(CUT) == []
        page.goto("/worklist")
        stands(page)
        page.emulate_media(media="print")
        for path in ("/worklist", "/"):
            page.goto(path)
            stands(page)
        answer = httpx.get(home + str(page.locator("img.emblem").get_attribute("src")), trust_env=False)
        assert answer.text == EMBLEM and answer.headers["content-type"].startswith("image/svg+xml")
        assert "sandbox" in answer.headers["content-security-policy"]
        page.close()
