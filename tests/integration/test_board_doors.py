"""The board's doors on a real centre: who comes in, who is turned away, what is noted, and what survives an outage."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from support import wait_until_idle
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from infra.local.layout import CHECKOUT
from infra.local.servers import Instance
from services.board import accounts
from services.board.access import Account, Role
from services.board.doors import COOKIE
from services.board.login import PAIR
from services.cli.demo import ACCOUNTS, make_accounts
from services.cli.prepare import settings_of
from services.kit import bus

Ioc = Callable[..., subprocess.CompletedProcess[str]]
PASSWORD = "mot-mat-khau-du-dai"
HTML = {"accept": "text/html"}


class Browser:
    """A browser without a screen: its cookies, its Origin."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.http = httpx.Client(base_url=home, headers={**HTML, "origin": home}, timeout=20)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data=fields)

    def log_in(self, name: str, password: str = PASSWORD, target: str = "/") -> httpx.Response:
        return self.post("/login", name=name, password=password, next=target)

    def csrf(self) -> str:
        found = re.search(r'name=\\\\?"csrf\\\\?" value=\\\\?"([\w-]+)', self.get("/system/health").text)
        assert found
        return found[1]

    def page(self, path: str = "/") -> str:
        """Open a page; the id by which NiceGUI knows it."""
        found = re.search(r"'client_id': '([0-9a-f-]{36})'", self.get(path).text)
        assert found
        return found[1]

    @contextmanager
    def socket(self, page: str, origin: str | None = None) -> Iterator[ClientConnection]:
        """The connection of a page, as its script makes it."""
        query = {"client_id": page, "next_message_id": "0", "implicit_handshake": "true", "document_id": "d",
                 "tab_id": "t", "EIO": "4", "transport": "websocket"}  # fmt: skip
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        address = f"{self.home.replace('http', 'ws', 1)}/_nicegui_ws/socket.io/?{urlencode(query)}"
        with connect(
            address, origin=origin or self.home, additional_headers={"Cookie": cookies}, open_timeout=20
        ) as made:
            assert str(made.recv(20)).startswith("0{")
            made.send("40")
            yield made

    def is_served(self, page: str) -> bool:
        with self.socket(page) as made:
            return str(made.recv(20)).startswith("40")


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of the centre, where the account of `PEOPLE` can enter."""
    centre.start_services(["aggregator", "board"])
    yield f"http://127.0.0.1:{centre.ports['board']}"
    centre.stop_process("board")
    centre.stop_process("aggregator")


@pytest.fixture(scope="module")
def admin(centre: Instance, home: str) -> Browser:
    browser = Browser(home)
    assert browser.log_in("admin", centre.password("board_admin")).status_code == 303
    return browser


Make = Callable[..., None]


@pytest.fixture(scope="module")
def make(centre: Instance) -> Make:
    """Makes an account that enters with `PASSWORD`, or as a subject of the provider's."""

    async def add(name: str, role: Role, subject: str) -> None:
        url = settings_of(centre, "cli").database("board")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            by = Account("cli:test", "", "admin")
            await accounts.add(conn, by, Account(name, f"Người {name}", role), None if subject else PASSWORD, subject)

    return lambda name, role, subject="": asyncio.run(add(name, role, subject))


@pytest.fixture(scope="module")
def listed(centre: Instance) -> Callable[[str], list[Any]]:
    """The accounts whose name begins so: (role, units, whether it follows groups)."""

    def rows(begin: str) -> list[Any]:
        with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
            query = "SELECT role, units, by_groups FROM account WHERE name LIKE %s ORDER BY name"
            return conn.execute(query, [f"{begin}%"]).fetchall()

    return rows


@pytest.fixture(scope="module")
def people(make: Make, home: str) -> None:
    """Accounts that these tests share."""
    make("lan", "viewer")
    make("minh", "operator")
    make("hoa", "supervisor")


def entered(home: str, name: str) -> Browser:
    browser = Browser(home)
    assert browser.log_in(name).status_code == 303
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


# --- at the door ---


def test_nothing_is_shown_without_a_log_in(home: str) -> None:
    stranger = Browser(home)
    asked = stranger.get("/system/health?unit=phuong_chon_thanh")
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        "/login?next=%2Fsystem%2Fhealth%3Funit%3Dphuong_chon_thanh",
    )
    for path in ("/", "/people", "/figure/disease_cases", "/worklist", "/nothing", "/_nicegui/auto/static/x"):
        assert httpx.get(home + path).status_code == 401, path
    assert stranger.post("/people/add", name="x").status_code == 401
    assert stranger.post("/_nicegui/client/x/upload/1").status_code == 401
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
    assert "unsafe" not in httpx.get(home + "/login").headers["content-security-policy"]


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(people: None, home: str) -> None:
    browser = Browser(home)
    answer = browser.log_in("lan", target="/system/health?span=day")
    assert answer.headers["location"] == "/system/health?span=day"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert is_in(browser)
    by_proxy = {"x-forwarded-proto": "https", "origin": home}
    secure = httpx.post(f"{home}/login", data={"name": "lan", "password": PASSWORD}, headers=by_proxy)
    assert "secure" in secure.headers["set-cookie"].lower()
    assert "strict-transport-security" in secure.headers
    assert browser.log_in("lan", target="//evil.vn").headers["location"] == "/"


def test_the_session_before_ends_with_a_new_log_in_and_with_the_log_out(people: None, home: str) -> None:
    browser = entered(home, "lan")
    before = browser.http.cookies[COOKIE]
    browser.log_in("lan")
    assert httpx.get(home, cookies={COOKIE: before}).status_code == 401
    now = browser.http.cookies[COOKIE]
    assert browser.post("/logout", csrf=browser.csrf()).status_code == 303
    assert httpx.get(home, cookies={COOKIE: now}).status_code == 401


def test_an_unknown_name_and_a_wrong_password_look_and_take_the_same(people: None, home: str) -> None:
    def tried(name: str) -> tuple[int, str, float]:
        begun = time.perf_counter()
        answer = Browser(home).log_in(name, "not the password")
        return answer.status_code, answer.text, time.perf_counter() - begun

    known, unknown = [[tried(name) for _ in range(3)] for name in ("hoa", "nobody-here")]
    assert {each[:2] for each in known + unknown} == {(401, known[0][1])}
    assert "mật khẩu không đúng" in known[0][1]
    assert min(t for *_, t in unknown) > 0.5 * min(t for *_, t in known)


def test_passwords_cannot_be_tried_for_ever(make: Make, home: str) -> None:
    make("thu", "viewer")
    browser = Browser(home)
    assert [browser.log_in("thu", "wrong").status_code for _ in range(PAIR + 1)] == [401] * PAIR + [429]
    assert browser.log_in(" THU ").status_code == 429


# --- forms ---


def test_a_change_needs_this_sessions_token_and_this_boards_page(people: None, admin: Browser, home: str) -> None:
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


@pytest.mark.parametrize("name", ["lan", "minh", "hoa"])
def test_accounts_are_the_admins_alone_also_by_direct_request(people: None, home: str, name: str) -> None:
    browser = entered(home, name)
    assert browser.get("/people").status_code == 403
    assert browser.get("/people/").status_code == 403
    answer = browser.post("/people/add", name="x1", role="admin", password=PASSWORD, csrf=browser.csrf())
    assert answer.status_code == 403
    assert "/people" not in re.findall(r'href=\\?"([^"\\]+)', browser.get("/system/health").text)


def test_the_page_of_accounts_makes_and_changes_them(admin: Browser, home: str) -> None:
    def change(what: str, **told: str) -> str:
        answer = admin.post(f"/people/{what}", csrf=admin.csrf(), **told)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].partition("said=")[2]

    new = {"name": "Bình.1", "full_name": "<b>Bình</b>", "role": "operator", "units": "Phường Chơn Thành"}
    assert change("add", **new, password=PASSWORD) == "bad_name"
    new["name"] = "binh.1"
    assert change("add", **new, password="short") == "bad_password"
    assert change("add", **{**new, "units": "no such place"}, password=PASSWORD) == "bad_unit"
    assert change("add", **{**new, "role": "public"}, password=PASSWORD) == "bad_role"
    assert change("add", **new, password=PASSWORD) == "saved"
    assert change("add", **new, password=PASSWORD) == "name_taken"
    page = admin.get("/people").text
    assert "binh.1" in page
    assert "<b>Bình" not in page
    first = entered(home, "binh.1")
    assert change("change", **{**new, "role": "viewer"}) == "saved"
    assert not is_in(first)  # what it may has changed
    second = entered(home, "binh.1")
    assert change("password", name="binh.1", password="another-long-one") == "saved"
    assert not is_in(second)
    assert Browser(home).log_in("binh.1", "another-long-one").status_code == 303
    assert change("disable", name="binh.1") == "saved"
    assert Browser(home).log_in("binh.1", "another-long-one").status_code == 401
    assert change("disable", name="admin") == "last_admin"
    assert change("change", name="admin", full_name="", role="viewer", units="") == "last_admin"
    assert is_in(admin)


def test_the_command_does_the_same(ioc: Ioc, home: str) -> None:
    made = ioc("people", "add", "dung", "--role", "operator", "--units", "Phường Chơn Thành", "--generate")
    assert made.returncode == 0, made.stderr
    password = made.stdout.strip()
    browser = Browser(home)
    assert browser.log_in("dung", password).status_code == 303
    assert ioc("people", "units", "dung", "--all").returncode == 0
    assert not is_in(browser)
    table = ioc("people", "list").stdout
    assert re.search(r"^dung +dung +operator +all +password +\S.* active *$", table, re.MULTILINE)
    assert password not in table
    last = ioc("people", "disable", "admin")
    assert (last.returncode, "one administrator" in last.stderr) == (1, True)


def test_the_demo_has_an_account_for_each_way_of_working(centre: Instance, home: str) -> None:
    for _ in range(2):
        make_accounts(centre)
    assert set(ACCOUNTS) == {"truc_ban", "lanh_dao_van_phong", "lanh_dao"}
    for name in ACCOUNTS:
        assert Browser(home).log_in(name, centre.password(f"board_{name}")).status_code == 303
        assert (centre.secrets / f"board_{name}").stat().st_mode & 0o077 == 0


# --- open pages ---


def test_a_pages_connection_is_for_the_session_it_was_given_to(people: None, admin: Browser, home: str) -> None:
    page = admin.page("/people")
    stranger, other = Browser(home), entered(home, "hoa")
    assert not stranger.is_served(page)
    assert not other.is_served(page)
    assert not other.is_served("00000000-0000-4000-8000-000000000000")
    with pytest.raises(InvalidStatus, match="403"), admin.socket(page, origin="https://evil.vn"):
        pass
    assert admin.is_served(page)


def test_open_pages_of_an_account_that_is_shut_out_end(admin: Browser, make: Make, home: str) -> None:
    make("tam", "viewer")
    browser = entered(home, "tam")
    page = browser.page("/system/health")
    with browser.socket(page) as made:
        assert str(made.recv(20)).startswith("40")
        assert admin.post("/people/disable", name="tam", csrf=admin.csrf()).status_code == 303
        shut = time.monotonic()
        while not (said := str(made.recv(10))).startswith('42["open"'):
            made.send("3")
        assert "/login?next=%2Fsystem%2Fhealth" in said
        assert time.monotonic() - shut < 5
    assert not browser.is_served(page)


# --- the audit ---


async def _published(centre: Instance) -> list[dict[str, Any]]:
    """All that the audit has on the stream, in its order."""
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        js = client.jetstream()
        state = (await js.stream_info("ALERTS")).state
        found = []
        for seq in range(state.first_seq, state.last_seq + 1):
            message = await js.get_msg("ALERTS", seq)
            if str(message.subject).startswith("ioc.alerts.audit."):
                found.append({**json.loads(message.data or b""), "subject_": message.subject})
        return found


def published(centre: Instance, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    end = time.monotonic() + 15
    while not enough(found := asyncio.run(_published(centre))) and time.monotonic() < end:
        time.sleep(0.2)
    assert enough(found), found[-5:]
    return found


def test_every_action_is_published_once_also_after_an_outage_of_the_broker(
    centre: Instance, people: None, home: str
) -> None:
    centre.stop_process("nats")
    browser = Browser(home)
    assert browser.log_in("minh", "a typo").status_code == 401
    assert browser.log_in("a name that may be a password", "x").status_code == 401
    assert browser.log_in("minh").status_code == 303
    assert browser.post("/logout", csrf=browser.csrf()).status_code == 303
    centre.start_process("nats")
    centre.wait_ready("nats", 20)
    with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
        noted = {id for (id,) in conn.execute("SELECT id FROM audit")}
    found = published(centre, lambda deeds: {deed["id"] for deed in deeds} >= noted)
    ids = [deed["id"] for deed in found]
    assert len(ids) == len(set(ids))
    last = [(d["subject_"].removeprefix("ioc.alerts.audit."), d["by"], d["subject"]) for d in found][-4:]
    assert last == [("login.failed", "", "minh"), ("login.failed", "", ""), ("login", "minh", "minh"),
                    ("logout", "minh", "")]  # fmt: skip
    assert {d["address"] for d in found if d["action"] == "login"} == {"127.0.0.1"}
    assert {"cli:prepare", "cli:test"} <= {d["by"] for d in found if d["action"] == "account.added"}
    said = json.dumps(found, ensure_ascii=False)
    assert not [secret for secret in (PASSWORD, "a typo", "may be a password", "argon2") if secret in said]


def test_the_board_may_add_to_the_audit_and_never_change_it(centre: Instance) -> None:
    with psycopg.connect(settings_of(centre, "cli").database("board"), autocommit=True) as conn:
        for deed in ("UPDATE audit SET by = 'x'", "DELETE FROM audit", "DELETE FROM account", "TRUNCATE audit"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(deed)


# --- outages ---


def test_an_outage_of_the_database_throws_nobody_out(centre: Instance, people: None, home: str) -> None:
    browser = entered(home, "hoa")
    page = browser.page()
    with browser.socket(page) as made:
        assert str(made.recv(20)).startswith("40")
        open_page = threading.Thread(target=_stays, args=(made,), daemon=True)
        open_page.start()
        centre.stop_process("timescaledb")
        try:
            assert is_in(browser)
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
        end = time.monotonic() + 5
        while Browser(home).log_in("hoa").status_code != 303:
            assert time.monotonic() < end
        assert is_in(browser)
        assert open_page.is_alive()


def _stays(page: ClientConnection) -> None:
    """Answers the board's pings, as a page does that is open, until it is cut off."""
    for said in page:
        if said == "2":
            page.send("3")


# --- a provider of identities, and a screen without log-in ---


class Provider:
    """A tiny OpenID provider on loopback: whoever is sent there is `person`, unless something is made wrong."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.person: dict[str, Any] = {}
        self.wrong = ""
        self._key, self._other = (RSAKey.generate_key(2048, {"kid": "one"}) for _ in range(2))
        self._asked: dict[str, dict[str, str]] = {}
        self._server = uvicorn.Server(uvicorn.Config(self._app(), port=port, log_level="critical"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)

    def approve(self, address: str) -> str:
        """A person agrees; where their browser is sent then."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        code = f"code{len(self._asked)}"
        self._asked[code] = asked
        state = "another" if self.wrong == "state" else asked["state"]
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': state})}"

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def about() -> dict[str, Any]:
            return {
                "issuer": "https://another.vn" if self.wrong == "issuer" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return {"keys": [self._key.as_dict(private=False)]}

        @app.post("/token")
        async def token(request: Request) -> dict[str, Any]:
            told = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            asked = self._asked.pop(told["code"])
            assert told["redirect_uri"] == asked["redirect_uri"]
            assert _challenge(told["code_verifier"]) == asked["code_challenge"]
            return {"access_token": "a", "token_type": "Bearer", "id_token": self._signed(asked["nonce"])}

        return app

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "another" if self.wrong == "audience" else "ioc",
            "iat": now,
            "exp": now - 3600 if self.wrong == "age" else now + 60,
            "nonce": "another" if self.wrong == "nonce" else nonce,
            **self.person,
        }
        if self.wrong == "unsigned":
            head = jwt.encode({"alg": "RS256"}, claims, self._key).split(".")
            return f"eyJhbGciOiJub25lIn0.{head[1]}."
        key = self._other if self.wrong == "signature" else self._key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


def _challenge(verifier: str) -> str:
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


@pytest.fixture(scope="module")
def provider(centre: Instance) -> Iterator[Provider]:
    made = Provider(max(centre.ports.values()) + 1)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def public(centre: Instance, home: str, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A second board of the same centre: figures without log-in, and accounts from the provider."""
    port = max(centre.ports.values()) + 2
    variables = {
        "IOC_BOARD_PORT": str(port),
        "IOC_BOARD_PUBLIC": "true",
        "IOC_OIDC_ISSUER": provider.issuer,
        "IOC_OIDC_GROUPS": json.dumps({"van-phong": "supervisor", "mot-cua": "operator phuong_chon_thanh"}),
    }
    command = [sys.executable, "-m", "services.board"]
    log = tmp_path_factory.mktemp("board") / "log"
    with log.open("wb") as file:
        running = subprocess.Popen(
            command, env={**os.environ, **centre.env("board"), **variables}, cwd=CHECKOUT, stdout=file, stderr=file
        )
        try:
            _wait(f"http://127.0.0.1:{port}/login", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(15)


def _wait(address: str, log: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def through(provider: Provider, browser: Browser, target: str = "/") -> httpx.Response:
    """To the provider and back again."""
    left = browser.get(f"/oidc/login?next={target}")
    assert left.status_code == 302, left.text
    return browser.get(provider.approve(left.headers["location"]))


def person(sub: str, *groups: str, **more: str) -> dict[str, Any]:
    return {"sub": sub, "name": f"Người {sub}", "preferred_username": sub, "groups": list(groups), **more}


def test_a_group_at_the_provider_opens_the_board_with_its_role(
    provider: Provider, public: str, listed: Callable[[str], list[Any]]
) -> None:
    provider.person = person("oanh", "mot-cua", "another")
    browser = Browser(public)
    answer = through(provider, browser, "/system/health")
    assert (answer.status_code, answer.headers["location"]) == (303, "/system/health")
    assert "Người oanh" in browser.get("/system/health").text
    assert browser.get("/people").status_code == 403
    assert listed("oanh") == [("operator", ["phuong_chon_thanh"], True)]
    provider.person = person("oanh", "van-phong")
    assert through(provider, Browser(public)).status_code == 303
    assert listed("oanh") == [("supervisor", [], True)]


def test_an_account_that_is_there_is_never_taken_over_by_its_name(
    provider: Provider, public: str, listed: Callable[[str], list[Any]]
) -> None:
    provider.person = person("another", "van-phong", preferred_username="admin")
    assert through(provider, Browser(public)).status_code == 303
    assert listed("admin") == [("admin", [], False), ("supervisor", [], True)]


def test_an_identity_entered_by_hand_needs_no_group(
    provider: Provider, public: str, make: Make, admin: Browser
) -> None:
    provider.person = person("phuc")
    assert through(provider, Browser(public)).status_code == 403
    make("phuc", "viewer", f"{provider.issuer} phuc")
    assert through(provider, Browser(public)).status_code == 303
    assert Browser(public).log_in("phuc", "").status_code == 401
    assert admin.post("/people/disable", name="phuc", csrf=admin.csrf()).status_code == 303
    assert through(provider, Browser(public)).status_code == 403


def test_without_a_group_nobody_enters_not_even_once_more(provider: Provider, public: str) -> None:
    provider.person = person("quy", "van-phong")
    assert through(provider, Browser(public)).status_code == 303
    provider.person = person("quy", "another")
    refused = through(provider, Browser(public))
    assert refused.status_code == 403
    assert "chưa được cấp quyền" in refused.text


@pytest.mark.parametrize("wrong", ["state", "nonce", "audience", "age", "signature", "unsigned"])
def test_what_the_provider_did_not_say_to_this_browser_is_refused(provider: Provider, public: str, wrong: str) -> None:
    provider.person, provider.wrong = person("rang", "van-phong"), wrong
    browser = Browser(public)
    try:
        answer = through(provider, browser)
    finally:
        provider.wrong = ""
    assert answer.status_code == 401
    assert COOKIE not in browser.http.cookies


def test_an_answer_for_one_browser_is_of_no_use_in_another(provider: Provider, public: str) -> None:
    provider.person = person("rang", "van-phong")
    left = Browser(public).get("/oidc/login")
    stolen = Browser(public)
    assert stolen.get(provider.approve(left.headers["location"])).status_code == 401
    assert COOKIE not in stolen.http.cookies


WARD, OTHER = "xa_tan_khai", "xa_dong_phu"
CODE = "H99.77-261101-00042"


@pytest.fixture(scope="module")
def data(centre: Instance, public: str, ioc: Ioc) -> None:
    """One dossier, three cases of a disease in a ward, and seven in another."""
    now = datetime.now(UTC) - timedelta(minutes=5)

    def event(type: str, id: str, unit: str, **data: Any) -> dict[str, Any]:
        return {"specversion": "1.0", "id": id, "source": "/test/public", "type": f"vn.ioc.{type}.v1",
                "time": now.isoformat(), "unit": unit, "data": data}  # fmt: skip

    cases = [(WARD, i) for i in range(3)] + [(OTHER, i) for i in range(3, 10)]
    events = [event("disease.notified", f"CB-77.{i:04}", unit, case=f"CB-77.{i:04}", disease="mpox", ward=unit)
              for unit, i in cases]  # fmt: skip
    events.append(
        event("dossier.submitted", CODE, WARD, code=CODE, procedure="2.000815", field="land", channel="online")
    )
    sent = ioc("emit", "-", input="\n".join(map(json.dumps, events)))
    assert sent.returncode == 0, sent.stdout + sent.stderr
    wait_until_idle(centre)


def test_a_screen_without_log_in_shows_figures_and_nothing_that_leads_to_a_case(
    data: None, admin: Browser, public: str
) -> None:
    screen = Browser(public)
    asked = [f"/system/{slug}{unit}" for slug in ("procedures", "health", "field") for unit in ("", f"?unit={WARD}")]
    asked += [f"/figure/{code}{unit}" for code in ("disease_cases", "dossiers_received", "reports_received")
              for unit in ("", f"?unit={WARD}", f"?unit={OTHER}")]  # fmt: skip
    for path in ("/", "/map", "/sources", *asked):
        text = screen.get(path).text
        assert "CB-77" not in text, path
        assert "H99.77" not in text, path
        assert not re.search(r"\b(Người lan|Quản trị|oanh)\b", text), path
    for path in ("/people", "/worklist", "/alarms", "/quality"):
        assert screen.get(path).headers["location"].startswith("/login"), path
    assert screen.post("/people/add", name="x").status_code == 401
    own = admin.page("/people")
    assert not screen.is_served(own)
    assert screen.is_served(screen.page("/system/health"))
    assert "CB-" in admin.get(f"/figure/disease_cases?unit={WARD}").text  # for those who may see cases, masked


def figure_of(browser: Browser, unit: str) -> str:
    """What the page of a figure says in large letters."""
    text = browser.get(f"/figure/disease_cases?unit={unit}").text.replace('\\"', '"')
    found = re.search(r'class="huge[^>]*>([^<]*)<', unescape(text))
    assert found
    return found[1].strip(" ●▲✓")


def test_a_screen_without_log_in_shows_no_small_count_of_people(data: None, admin: Browser, public: str) -> None:
    screen = Browser(public)
    assert (figure_of(admin, WARD), figure_of(admin, OTHER)) == ("3", "7")
    assert (figure_of(screen, WARD), figure_of(screen, OTHER)) == ("–", "7")
    ranked = unescape(screen.get("/system/health?ranked=disease_cases").text)
    assert "a small number" in unescape(screen.get(f"/figure/disease_cases?unit={WARD}&lang=en").text)
    assert "Xã Tân Khai" in ranked
