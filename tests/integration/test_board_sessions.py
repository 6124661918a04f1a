"""The board's doors on a real centre: who comes in, who is turned away, what an open page may hear, and what survives
an outage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher
from visitors import HTML, PASSWORD, Browser, add_account, admin_of, board, entered, on_board, shut_out
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from infra.local.servers import Instance
from services.board.auth import accounts
from services.board.auth.login import PAIR
from services.board.auth.middleware import COOKIE
from services.board.auth.sessions import IDLE, LONGEST
from services.board.ui.live_page import ENDED
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit.keys import digest


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of the centre, which three people may enter besides the administrator."""
    add_account(centre, "lan", "viewer")
    add_account(centre, "hoa", "supervisor")
    with board(centre) as address:
        yield address


@pytest.fixture(scope="module")
def admin(centre: Instance, home: str) -> Browser:
    return admin_of(centre, home)


# --- at the door ---


def test_nothing_is_shown_without_a_log_in(home: str) -> None:
    stranger = Browser(home)
    asked = stranger.get("/system/health?unit=phuong_chon_thanh")
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        "/login?next=%2Fsystem%2Fhealth%3Funit%3Dphuong_chon_thanh",
    )
    for path in ("/", "/people", "/figure/disease_cases", "/worklist", "/nothing"):
        assert httpx.get(home + path).status_code == 401, path
    assert stranger.post("/people/add", name="x").status_code == 401
    assert stranger.get("/static/board.css").status_code == 200


def test_every_answer_tells_the_browser_what_it_may_do_with_it(admin: Browser, home: str) -> None:
    answers = [httpx.get(home + path, headers=HTML) for path in ("/", "/login", "/static/board.css", "/nothing")]
    answers += [admin.get("/"), admin.get("/people"), admin.get("/nothing"), httpx.post(home + "/login")]
    for answer in answers:
        told = answer.headers
        assert "frame-ancestors 'none'" in told["content-security-policy"], answer.url
        assert (told["x-content-type-options"], told["referrer-policy"]) == ("nosniff", "same-origin")
        assert "http:" not in told["content-security-policy"]
        assert "server" not in told
        assert answer.url.path.startswith("/static/") or told["cache-control"] == "no-store"
    assert "unsafe" not in httpx.get(home + "/login").headers["content-security-policy"]


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(home: str) -> None:
    browser = Browser(home)
    answer = browser.log_in("lan", target="/system/health?span=day")
    assert answer.headers["location"] == "/system/health?span=day"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert f"max-age={400 * 86_400}" in cookie  # as long as browsers keep one: a wall may need it that long
    assert browser.is_in()
    by_proxy = {"x-forwarded-proto": "https", "origin": home}
    secure = httpx.post(f"{home}/login", data={"name": "lan", "password": PASSWORD}, headers=by_proxy)
    assert "secure" in secure.headers["set-cookie"].lower()
    assert "strict-transport-security" in secure.headers
    assert browser.log_in("lan", target="//evil.vn").headers["location"] == "/"


def test_the_session_before_ends_with_a_new_log_in_and_with_the_log_out(home: str) -> None:
    browser = entered(home, "lan")
    before = browser.http.cookies[COOKIE]
    browser.log_in("lan")
    assert httpx.get(home, cookies={COOKIE: before}).status_code == 401
    now = browser.http.cookies[COOKIE]
    assert browser.post("/logout", csrf=browser.csrf()).status_code == 303
    assert httpx.get(home, cookies={COOKIE: now}).status_code == 401


def test_an_unknown_name_and_a_wrong_password_look_the_same(home: str) -> None:
    known, unknown = (Browser(home).log_in(name, "not the password") for name in ("hoa", "nobody-here"))
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert known.status_code == 401 and "mật khẩu không đúng" in known.text


@pytest.mark.parametrize("name", ["hoa", "nobody-here", "what no name can be", "gone", "elsewhere"])
def test_a_hash_of_the_same_cost_is_checked_whoever_wants_to_enter(
    centre: Instance, home: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def verify(self: PasswordHasher, kept: str, password: str) -> bool:
        checked.append(kept.split("$")[:4])  # the kind and its costs; salt and hash follow
        return bool(real(self, kept, password))

    add_account(centre, "elsewhere", "viewer", "https://id.example.vn elsewhere")
    if name == "gone":
        add_account(centre, name, "viewer")
        shut_out(centre, name)
    real, checked = PasswordHasher.verify, list[list[str]]()
    monkeypatch.setattr(PasswordHasher, "verify", verify)
    found = on_board(centre, lambda conn: accounts.candidate(conn, name))
    assert on_board(centre, lambda _: accounts.is_password(found.kept, "not the password")) is False
    with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
        row = conn.execute("SELECT password FROM account WHERE name = 'hoa'").fetchone()
    assert row and checked == [row[0].split("$")[:4]]


def aged(centre: Instance, browser: Browser, column: str, ago: timedelta) -> Browser:
    """A browser whose session is so much older."""
    query = f"UPDATE board_session SET {column} = {column} - %s WHERE token = %s"
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        assert conn.execute(query, [ago, digest(browser.http.cookies[COOKIE])]).rowcount == 1  # type: ignore[call-overload]
    return browser


def test_a_viewers_session_lasts_while_it_is_used_and_any_others_a_month(centre: Instance, home: str) -> None:
    wall, other = (aged(centre, entered(home, name), "created_at", LONGEST) for name in ("lan", "hoa"))
    entered(home, "hoa")  # what has ended is taken away with each log-in
    assert (wall.is_in(), other.is_in()) == (True, False)
    assert not aged(centre, wall, "seen_at", IDLE).is_in()


@pytest.mark.parametrize(
    "path",
    [
        "/worklist/dossier/%00", "/worklist/apology?code=a%00b", "/worklist?item=dossier:%00", "/figure/%00?unit=x",
        "/login?next=%00", "/oidc/back?code=%00", "/map/data?layer=%00", "/%00",
    ],
)  # fmt: skip
def test_an_address_with_what_no_table_holds_is_refused(admin: Browser, path: str) -> None:
    is_refused(admin.get(path))


@pytest.mark.parametrize(
    "path", ["/worklist/saved", "/people/add", "/alarms/do/comment", "/login", "/map/outlines/remove"]
)
def test_a_form_with_what_no_table_holds_is_refused(admin: Browser, path: str) -> None:
    told = {"name": "a\0b", "item": "dossier:\0", "note": "\0"}
    is_refused(admin.post(path, **told, csrf=admin.csrf()))
    head = {"x-csrf": admin.csrf()}
    is_refused(admin.http.post(path, content=b"name=a\0b", headers=head))


def test_a_form_that_comes_in_parts_is_no_way_around_it(admin: Browser) -> None:
    parts, head = (part for part in (b"name=a%", b"0", b"0b")), {"x-csrf": admin.csrf()}
    is_refused(admin.http.post("/worklist/saved", content=parts, headers=head))


def test_a_file_whose_name_no_table_holds_is_refused(admin: Browser) -> None:
    head = {"x-csrf": admin.csrf()}
    for path in ("/map/outlines", "/map/outlines/check"):
        is_refused(admin.http.post(f"{path}?name=a%00", content=b"{}", headers=head))


def is_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 400
    assert WORDS["odd_characters"][0] in answer.text and WORDS["odd_characters"][1] in answer.text


def test_passwords_cannot_be_tried_for_ever(centre: Instance, home: str) -> None:
    add_account(centre, "thu", "viewer")
    browser = Browser(home)
    assert [browser.log_in("thu", "wrong").status_code for _ in range(PAIR + 1)] == [401] * PAIR + [429]
    assert browser.log_in(" THU ").status_code == 429


def test_a_change_needs_this_sessions_token_and_this_boards_page(admin: Browser, home: str) -> None:
    other = entered(home, "hoa").csrf()
    told = {"name": "lan", "full_name": "Người khác", "role": "viewer", "units": ""}
    assert admin.post("/people/change", **told).status_code == 403
    assert admin.post("/people/change", **told, csrf=other).status_code == 403
    own = {**told, "csrf": admin.csrf()}
    evil = admin.http.post("/people/change", data=own, headers={"origin": "https://evil.vn"})
    assert evil.status_code == 403
    nowhere = httpx.post(f"{home}/people/change", data=own, cookies=dict(admin.http.cookies))
    assert nowhere.status_code == 403
    as_json = admin.http.post("/people/change", json=own)
    assert as_json.status_code == 403
    assert "Người khác" not in admin.get("/people").text
    assert admin.http.post("/login", data=own, headers={"origin": "https://evil.vn"}).status_code == 403


# --- open pages ---


def test_a_pages_connection_is_for_the_session_it_was_given_to(admin: Browser, home: str) -> None:
    page = admin.page("/people")
    stranger, other = Browser(home), entered(home, "hoa")
    assert not stranger.is_served(page)
    assert not other.is_served(page)
    assert not other.is_served(page._replace(path="/sources"))
    assert not admin.is_served(page._replace(path="/nothing"))
    with pytest.raises(InvalidStatus, match="403"), admin.socket(page, origin="https://evil.vn"):
        pass
    assert admin.is_served(page)


def test_open_pages_of_an_account_that_is_shut_out_end(centre: Instance, admin: Browser, home: str) -> None:
    add_account(centre, "tam", "viewer")
    browser = entered(home, "tam")
    page = browser.page("/sources")
    with browser.socket(page) as made:
        assert admin.post("/people/disable", name="tam", csrf=admin.csrf()).status_code == 303
        shut = time.monotonic()
        with pytest.raises(ConnectionClosed):
            while time.monotonic() - shut < 15:
                made.recv(15)
        assert made.close_code == ENDED
    assert browser.get("/sources").headers["location"] == "/login?next=%2Fsources"
    assert not browser.is_served(page)


# --- outages ---


def test_an_outage_of_the_database_throws_nobody_out(centre: Instance, home: str) -> None:
    browser = entered(home, "hoa")
    page = browser.page()
    with browser.socket(page) as made:
        open_page = threading.Thread(target=_stays, args=(made,), daemon=True)
        open_page.start()
        centre.stop_process("timescaledb")
        try:
            assert browser.is_in()
            assert browser.is_served(page)
            new = Browser(home).log_in("hoa")
            assert new.status_code == 503
            assert "The database does not answer" in new.text
            assert "Cơ sở dữ liệu" in new.text
            assert '<meta http-equiv="refresh"' in new.text
            assert httpx.get(home, cookies={COOKIE: "unknown"}, timeout=20).status_code == 503
        finally:
            centre.start_process("timescaledb")
            centre.wait_ready("timescaledb", 30)
        end = time.monotonic() + 15
        while Browser(home).log_in("hoa").status_code != 303:
            assert time.monotonic() < end
        assert browser.is_in()
        assert open_page.is_alive()


def _stays(page: ClientConnection) -> None:
    """Listens, as a page does that is open, until it is cut off."""
    for _ in page:
        pass
