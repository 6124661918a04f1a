"""All that an account may see is found from any page by a few letters without marks, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
from playwright.sync_api import Page, expect

from infra.local.servers import Instance
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of

Visit = Callable[..., Page]
WARD = "phuong_chon_thanh"
ENDED = """
SELECT id FROM entity
WHERE kind = 'dossier' AND ended_at IS NOT NULL AND (unit = %(unit)s) = %(own)s ORDER BY id LIMIT 1
"""


def ended(centre: Instance, own: bool) -> str:
    with psycopg.connect(settings_of(centre, "cli").database("reader"), autocommit=True) as conn:
        row = conn.execute(ENDED, {"unit": WARD, "own": own}).fetchone()
    assert row
    return str(row[0])


def look(page: Page, text: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_finished_dossier_is_found_by_its_code_from_the_wall_by_those_who_may_see_it(
    visit: Visit, watched: Instance
) -> None:
    code, other = ended(watched, True), ended(watched, False)
    page = visit("/", "lan.tran")
    look(page, code.lower())
    expect(page).to_have_url(re.compile(f"/worklist/dossier/{code}$"))
    look(page, other)
    expect(page.locator("main")).to_contain_text(WORDS["search_none"][0])


def test_units_figures_and_pages_are_found_without_marks(visit: Visit) -> None:
    page = visit("/worklist", "truc.le")
    for text, name, target in (
        ("chon thanh", "Phường Chơn Thành", f"/system/procedures?unit={WARD}"),
        ("ty le qua han", "Tỷ lệ hồ sơ quá hạn", "/figure/overdue_share"),
        ("chat luong", WORDS["quality"][0], "/quality"),
        ("phan anh hien", "Phản ánh hiện trường", "/system/field"),
    ):
        look(page, text)
        found = page.locator("main").get_by_role("link", name=name, exact=True)
        assert found.first.get_attribute("href") == target
