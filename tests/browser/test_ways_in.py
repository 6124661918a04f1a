"""Who comes in, and what they may see: the log-in in a browser, rights and bounds by page and by direct request."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from browser.conftest import PEOPLE
from playwright.sync_api import Page, expect

from infra.local.servers import Instance
from services.board.access import Account
from services.board.ui.page_layout import navigation_entries
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of

Visit = Callable[..., Page]
WARD = "phuong_chon_thanh"


def enter(page: Page, name: str, password: str) -> None:
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")


def test_a_wrong_password_and_then_the_page_that_was_asked_for(
    visit: Visit, people: dict[str, str], heard: Any
) -> None:
    heard.expected.append("401")
    page = visit("/system/health?span=week")
    expect(page).to_have_url(re.compile("/login.next=%2Fsystem%2Fhealth"))
    enter(page, "truc.le", "not the password")
    expect(page.get_by_role("alert")).to_have_text(WORDS["wrong_password"][0])
    enter(page, "truc.le", people["truc.le"])
    expect(page).to_have_url(re.compile("/system/health.span=week$"))
    expect(page.locator(".reader")).to_contain_text(WORDS["log_out"][0])
    page.get_by_role("button", name=WORDS["log_out"][0]).click()
    expect(page).to_have_url(re.compile("/login$"))
    page.goto("/")
    expect(page.locator("[name=password]")).to_be_visible()


def test_the_way_back_never_leads_to_another_site(visit: Visit, people: dict[str, str], address: str) -> None:
    page = visit("/login?next=https%3A%2F%2Fexample.org%2F")
    enter(page, "truc.le", people["truc.le"])
    expect(page).to_have_url(f"{address}/")


@pytest.mark.parametrize("name", ["lan.tran", "truc.le", "minh.vo"])
def test_each_role_finds_the_pages_it_may_see_and_no_other(
    visit: Visit, address: str, sessions: dict[str, str], name: str
) -> None:
    page = visit("/system/field", name)
    account = Account(name, "", PEOPLE[name][0])
    paths = {path for _, path, action in navigation_entries() if action is None or account.may(action)}
    assert {"/worklist", "/quality"} <= paths and "/people" not in paths
    found = page.locator("header nav :is(a, form)").evaluate_all(
        "ways => ways.map(w => new URL(w.href || w.action).pathname)"
    )
    assert set(found) == paths
    with asking(address, sessions[name]) as client:
        for page_of_admins, change in (("/people", "add"), ("/keys", "create")):
            assert client.get(page_of_admins).status_code == 403
            assert client.post(f"{page_of_admins}/{change}", data={"name": "x"}).status_code == 403


def test_nobody_gets_anything_without_a_session(address: str) -> None:
    with asking(address, "") as client:
        for _, path, _ in navigation_entries():
            assert client.get(path).status_code == 401
        page = client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 303 and page.headers["location"] == "/login?next=%2F"


def test_a_bounded_account_sees_no_case_of_another_unit(
    visit: Visit, address: str, sessions: dict[str, str], watched: Instance
) -> None:
    with psycopg.connect(settings_of(watched, "cli").database("reader")) as conn:
        rows = conn.execute("SELECT id, unit FROM entity WHERE kind = 'dossier' ORDER BY id DESC LIMIT 4000").fetchall()
    lan = Account("lan.tran", "", "viewer", (WARD,))
    foreign = [code for code, unit in rows if not lan.sees(unit)]
    assert foreign
    page = visit("/figure/dossiers_received", "lan.tran")
    expect(page.locator(".formula").first).to_be_visible()
    shown = page.content()
    assert not [code for code in foreign if code in shown]


@pytest.mark.parametrize(("path", "name"), [("/", "truc.le"), ("/map", "truc.le"), ("/login", "")])
def test_a_page_whose_styles_are_not_found_says_why(visit: Visit, heard: Any, path: str, name: str) -> None:
    heard.expected.append("ERR_FAILED")
    page = visit(path, name)
    expect(page.locator(".unstyled")).to_be_hidden()
    page.route("**/*.css", lambda route: route.abort())
    page.reload()
    expect(page.locator(".unstyled")).to_be_visible()
    expect(page.locator(".unstyled")).to_contain_text("IOC_BOARD_URL")


def test_what_there_is_not_is_not_found(visit: Visit, heard: Any) -> None:
    heard.expected.append("404")
    page = visit("/system/weather", "truc.le")
    for path in ("/system/weather", "/figure/luck", "/system/field?unit=atlantis"):
        answer = page.goto(path)
        assert answer and answer.status == 404
        expect(page.locator("main")).to_contain_text(WORDS["not_found"][0])


def asking(address: str, token: str) -> httpx.Client:
    cookies = {"ioc_session": token} if token else {}
    return httpx.Client(base_url=address, cookies=cookies, headers={"origin": address}, trust_env=False)
