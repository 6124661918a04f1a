"""A provider of identities before a board of a real centre: whom it lets in, what is refused, and the way out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from provider import Provider, person, providing
from support import board_beside
from visitors import Browser, add_account, admin_of

from infra.local.servers import Instance
from services.board.auth.middleware import COOKIE
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of

GROUPS = {"van-phong": "supervisor", "mot-cua": "operator phuong_chon_thanh"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture(scope="module")
def home(centre: Instance, provider: Provider) -> Iterator[str]:
    """A board that lets in whom the provider knows."""
    with board_beside(centre, IOC_OIDC_ISSUER=provider.issuer, IOC_OIDC_GROUPS=json.dumps(GROUPS)) as address:
        yield address


@pytest.fixture(scope="module")
def listed(centre: Instance) -> Callable[[str], list[Any]]:
    """The accounts whose name begins so: (role, units, whether it follows groups)."""

    def rows(begin: str) -> list[Any]:
        with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
            query = "SELECT role, units, by_groups FROM account WHERE name LIKE %s ORDER BY name"
            return conn.execute(query, [f"{begin}%"]).fetchall()

    return rows


def through(provider: Provider, browser: Browser, target: str = "/") -> httpx.Response:
    """To the provider and back again."""
    left = browser.get(f"/oidc/login?next={target}")
    assert left.status_code == 302, left.text
    return browser.get(provider.approve(left.headers["location"]))


def left(browser: Browser) -> httpx.Response:
    return browser.post("/logout", csrf=browser.csrf())


def test_a_group_at_the_provider_opens_the_board_with_its_role(
    provider: Provider, home: str, listed: Callable[[str], list[Any]]
) -> None:
    provider.person = person("oanh", "mot-cua", "another")
    browser = Browser(home)
    answer = through(provider, browser, "/sources")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources")
    assert "Người oanh" in browser.get("/sources").text
    assert browser.get("/people").status_code == 403
    assert listed("oanh") == [("operator", ["phuong_chon_thanh"], True)]
    provider.person = person("oanh", "van-phong")
    assert through(provider, Browser(home)).status_code == 303
    assert listed("oanh") == [("supervisor", [], True)]


def test_an_account_that_is_there_is_never_taken_over_by_its_name(
    provider: Provider, home: str, listed: Callable[[str], list[Any]]
) -> None:
    provider.person = person("another", "van-phong", preferred_username="admin")
    assert through(provider, Browser(home)).status_code == 303
    assert listed("admin") == [("admin", [], False), ("supervisor", [], True)]


def test_an_identity_entered_by_hand_needs_no_group(centre: Instance, provider: Provider, home: str) -> None:
    provider.person = person("phuc")
    assert through(provider, Browser(home)).status_code == 403
    add_account(centre, "phuc", "viewer", f"{provider.issuer} phuc")
    assert through(provider, Browser(home)).status_code == 303
    assert Browser(home).log_in("phuc", "").status_code == 401
    admin = admin_of(centre, home)
    assert admin.post("/people/disable", name="phuc", csrf=admin.csrf()).status_code == 303
    assert through(provider, Browser(home)).status_code == 403


def test_an_account_follows_its_groups_until_its_rights_are_changed_by_hand(
    centre: Instance, provider: Provider, home: str, listed: Callable[[str], list[Any]]
) -> None:
    def change(**told: str) -> None:
        saved = admin.post("/people/change", csrf=admin.csrf(), name="yen", full_name="Trần Thị Yến", **told)
        assert saved.headers["location"].endswith("=saved")

    def way_in() -> str:
        row = next(row for row in html.unescape(admin.get("/people").text).split("<tr>") if ">yen<" in row)
        return next(key for key in ("way_groups", "way_oidc", "way_password") if f">{WORDS[key][0]}<" in row)

    admin = admin_of(centre, home)
    provider.person = person("yen", "mot-cua")
    assert through(provider, Browser(home)).status_code == 303
    change(role="operator", units="Phường Chơn Thành")
    assert listed("yen") == [("operator", ["phuong_chon_thanh"], True)]
    assert way_in() == "way_groups" and WORDS["way_groups_hint"][0] in admin.get("/people").text
    provider.person = person("yen")
    assert through(provider, Browser(home)).status_code == 403
    change(role="viewer", units="Phường Chơn Thành")
    assert listed("yen") == [("viewer", ["phuong_chon_thanh"], False)]
    assert way_in() == "way_oidc"
    assert through(provider, Browser(home)).status_code == 303


def test_without_a_group_nobody_enters_not_even_once_more(provider: Provider, home: str) -> None:
    provider.person = person("quy", "van-phong")
    assert through(provider, Browser(home)).status_code == 303
    provider.person = person("quy", "another")
    refused = through(provider, Browser(home))
    assert refused.status_code == 403
    assert "chưa được cấp quyền" in refused.text


@pytest.mark.parametrize("wrong", ["state", "nonce", "audience", "age", "signature", "unsigned"])
def test_what_the_provider_did_not_say_to_this_browser_is_refused(provider: Provider, home: str, wrong: str) -> None:
    provider.person, provider.wrong = person("rang", "van-phong"), wrong
    browser = Browser(home)
    try:
        answer = through(provider, browser)
    finally:
        provider.wrong = ""
    assert answer.status_code == 401
    assert COOKIE not in browser.http.cookies


def test_an_answer_for_one_browser_is_of_no_use_in_another(provider: Provider, home: str) -> None:
    provider.person = person("rang", "van-phong")
    left = Browser(home).get("/oidc/login")
    stolen = Browser(home)
    assert stolen.get(provider.approve(left.headers["location"])).status_code == 401
    assert COOKIE not in stolen.http.cookies


def test_the_way_out_ends_the_session_at_the_provider_too(provider: Provider, home: str) -> None:
    provider.person = person("son", "van-phong")
    browser = Browser(home)
    assert through(provider, browser).status_code == 303
    answer = left(browser)
    assert (answer.status_code, browser.get("/").status_code) == (200, 303)
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    onward = html.unescape(re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)[0])
    assert onward.startswith(f"{provider.issuer}/end?")
    assert httpx.get(onward).headers["location"] == f"{home}/login"
    hints = {"client_id": "ioc", "logout_hint": "son", "post_logout_redirect_uri": f"{home}/login"}
    assert provider.ended == [hints]


def test_who_came_with_a_password_leaves_no_provider(centre: Instance, provider: Provider, home: str) -> None:
    provider.person = person("tuan", "van-phong")
    browser = Browser(home)
    assert through(provider, browser).status_code == 303
    add_account(centre, "uyen", "viewer")
    assert browser.log_in("uyen").status_code == 303
    assert left(browser).headers["location"] == "/login"


def test_only_who_went_to_the_provider_leaves_a_note_of_having_failed(
    centre: Instance, provider: Provider, home: str
) -> None:
    def failures() -> int:
        with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
            found = conn.execute("SELECT count(*) FROM audit WHERE action = 'login.failed'").fetchone()
        return int(found[0]) if found else 0

    before = failures()
    assert Browser(home).get("/oidc/back?code=a&state=b").status_code == 401
    assert failures() == before
    provider.person, provider.wrong = person("vy", "van-phong"), "nonce"
    try:
        assert through(provider, Browser(home)).status_code == 401
    finally:
        provider.wrong = ""
    assert failures() == before + 1
