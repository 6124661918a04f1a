"""The page of accounts, worked by keyboard alone: who is let in sees their units, who is shut out is out at once, and
all of it is noted; and the way out by which one leaves the provider of identities too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from browser.deeds import tab_to
from playwright.sync_api import Page, expect
from provider import person, providing
from support import board_beside

from infra.local.servers import Instance
from services.board.access import Account
from services.board.ui.words import WORDS, unit_name

Visit = Callable[..., Page]
NAME, PASSWORD, WARD = "khanh.do", "mot-mat-khau-rieng", "phuong_chon_thanh"
ADD, DISABLE = '[action="/people/add"]', '[action="/people/disable"]'


def typed(page: Page, selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.type(text)


@pytest.fixture
def newcomer(visit: Visit) -> Page:
    """Who was given an account for one ward, at the worklist in a browser of their own; made by keyboard."""
    admin = visit("/people", "admin")
    typed(admin, f"{ADD} [name=name]", NAME)
    typed(admin, f"{ADD} [name=full_name]", "Đỗ Khánh")
    typed(admin, f"{ADD} [name=role]", WORDS["right_operator"][0])
    typed(admin, f"{ADD} [name=units]", "Phường Chơn Thành")
    typed(admin, f"{ADD} [name=password]", PASSWORD)
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("status")).to_have_text(WORDS["saved"][0])
    page = visit("/worklist")
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/worklist$"))
    return page


def test_who_is_let_in_sees_their_units_and_is_out_at_once_when_shut_out(visit: Visit, newcomer: Page) -> None:
    own = {unit_name(code, "vi") for code in Account(NAME, "", "operator", (WARD,)).scope()}
    shown = newcomer.locator("select[name=unit] option:not([value=''])")
    expect(shown.first).to_be_attached()
    assert set(shown.all_inner_texts()) <= own
    assert newcomer.request.get("/people").status == 403
    admin = visit("/people", "admin")
    row = admin.locator("tr", has=admin.get_by_role("rowheader", name=NAME, exact=True))
    expect(row).to_contain_text(WORDS["right_operator"][0])
    expect(row).to_contain_text(unit_name(WARD, "vi"))
    tab_to(admin, f'tr:has(input[value="{NAME}"]) summary')
    admin.keyboard.press("Enter")
    tab_to(admin, f'form{DISABLE}:has(input[value="{NAME}"]) button')
    admin.keyboard.press("Enter")
    expect(newcomer).to_have_url(re.compile("/login.next=%2Fworklist"))
    expect(row).to_contain_text(WORDS["disabled"][0])
    rows = admin.locator("section:last-of-type tbody tr").all_inner_texts()
    deeds = [f"admin {WORDS[key][0]} {NAME}" for key in ("deed_account.disabled", "deed_account.added")]
    assert [deed for text in rows if (deed := " ".join(text.split("\t")[1:4])) in deeds] == deeds


def test_the_way_out_leads_by_the_provider_back_to_the_log_in(visit: Visit, watched: Instance, heard: Any) -> None:
    with providing() as provider:
        provider.person = person("thao.bui", "van-phong")
        groups = json.dumps({"van-phong": "supervisor"})
        with board_beside(watched, IOC_OIDC_ISSUER=provider.issuer, IOC_OIDC_GROUPS=groups) as address:
            page = visit("/login?next=/sources", at=address)
            page.get_by_role("link", name=WORDS["log_in_oidc"][0]).click()
            expect(page).to_have_url(f"{address}/sources")
            page.get_by_role("button", name=WORDS["log_out"][0]).click()
            expect(page).to_have_url(f"{address}/login")
            assert [ended["logout_hint"] for ended in provider.ended] == ["thao.bui"]
            page.goto("/")
            expect(page.locator("[name=password]")).to_be_visible()
