"""Accounts on a real centre: made and changed by the administrator alone, by page or command, and every deed noted."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import AsyncConnection, Rollback
from visitors import PASSWORD, Browser, add_account, admin_of, board, csrf, entered, on_board

from infra.local.servers import Instance
from services.board.access import Account
from services.board.auth import audit
from services.board.ui.words import WORDS
from services.centre.demo import ACCOUNTS, make_accounts
from services.centre.prepare import settings_of
from services.cli.app import main
from services.kit import bus


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of the centre, with an account of each role but the administrator's."""
    add_account(centre, "lan", "viewer")
    add_account(centre, "minh", "operator")
    add_account(centre, "hoa", "supervisor")
    with board(centre) as address:
        yield address


@pytest.fixture(scope="module")
def admin(centre: Instance, home: str) -> Browser:
    return admin_of(centre, home)


@pytest.mark.parametrize("name", ["lan", "minh", "hoa"])
def test_accounts_are_the_admins_alone_also_by_direct_request(home: str, name: str) -> None:
    browser = entered(home, name)
    assert browser.get("/people").status_code == 403
    assert browser.get("/people/").status_code == 403
    assert browser.http.get("/people", headers={"host": "127.0.0.1/sources?"}).status_code in (400, 403)
    answer = browser.post("/people/add", name="x1", role="admin", password=PASSWORD, csrf=browser.csrf())
    assert answer.status_code == 403
    assert "/people" not in re.findall(r'href=\\?"([^"\\]+)', browser.get("/sources").text)


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
    assert not first.is_in()  # what it may has changed
    second = entered(home, "binh.1")
    assert change("password", name="binh.1", password="another-long-one") == "saved"
    assert not second.is_in()
    assert Browser(home).log_in("binh.1", "another-long-one").status_code == 303
    assert change("disable", name="binh.1") == "saved"
    assert Browser(home).log_in("binh.1", "another-long-one").status_code == 401
    assert change("disable", name="admin") == "last_admin"
    assert change("change", name="admin", full_name="", role="viewer", units="") == "last_admin"
    assert admin.is_in()


# --- an administrator of some units ---

WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
CHIEF, MEMBER, OUTSIDER = "accounts-chief", "accounts-member", "accounts-outsider"


@pytest.fixture(scope="module")
def chief(centre: Instance, home: str) -> Browser:
    """The administrator of one ward, in which there is an account; another ward has one too."""
    add_account(centre, CHIEF, "admin", units=(WARD,))
    add_account(centre, MEMBER, "operator", units=(WARD,))
    add_account(centre, OUTSIDER, "operator", units=(OTHER,))
    return entered(home, CHIEF)


@pytest.fixture(scope="module")
def change(chief: Browser) -> Callable[..., str]:
    """Posts to the page of accounts as that administrator; what the page is to say of it."""

    def post(what: str, name: str, **told: str) -> str:
        answer = chief.post(f"/people/{what}", csrf=csrf(chief.http), name=name, **told)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].partition("said=")[2]

    return post


def known(centre: Instance) -> list[Any]:
    with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
        query = "SELECT name, full_name, role, units, password, disabled FROM account ORDER BY name"
        return conn.execute(query).fetchall()


NEW = {"full_name": "", "role": "admin", "password": PASSWORD}


@pytest.mark.parametrize(
    ("what", "name", "told", "said"),
    [
        ("change", CHIEF, {"role": "admin", "units": ""}, "beyond_units"),
        ("change", CHIEF, {"role": "admin", "units": f"{WARD}; {OTHER}"}, "beyond_units"),
        ("change", CHIEF, {"role": "admin", "units": "dong_nai"}, "beyond_units"),
        ("change", MEMBER, {"role": "operator", "units": ""}, "beyond_units"),
        ("change", MEMBER, {"role": "operator", "units": OTHER}, "beyond_units"),
        ("change", OUTSIDER, {"role": "operator", "units": WARD}, "no_account"),
        ("change", "admin", {"role": "viewer", "units": WARD}, "no_account"),
        ("password", "admin", {"password": "a-brand-new-secret"}, "no_account"),
        ("password", OUTSIDER, {"password": "a-brand-new-secret"}, "no_account"),
        ("disable", "admin", {}, "no_account"),
        ("disable", OUTSIDER, {}, "no_account"),
        ("enable", OUTSIDER, {}, "no_account"),
        ("add", "accounts-new", {**NEW, "units": ""}, "beyond_units"),
        ("add", "accounts-new", {**NEW, "units": OTHER}, "beyond_units"),
    ],
)
def test_what_lies_outside_their_units_is_not_a_bounded_administrators(
    centre: Instance, change: Callable[..., str], what: str, name: str, told: dict[str, str], said: str
) -> None:
    before = known(centre)
    assert change(what, name, **told) == said
    assert known(centre) == before


def test_what_lies_within_their_units_is_theirs(change: Callable[..., str], chief: Browser, home: str) -> None:
    assert change("add", "accounts-new", **{**NEW, "units": "Phường Chơn Thành"}) == "saved"
    assert change("change", "accounts-new", role="viewer", units=WARD) == "saved"
    assert change("password", "accounts-new", password="another-long-one") == "saved"
    assert Browser(home).log_in("accounts-new", "another-long-one").status_code == 303
    assert change("disable", "accounts-new") == "saved"
    assert Browser(home).log_in("accounts-new", "another-long-one").status_code == 401
    assert change("enable", "accounts-new") == "saved"
    assert change("change", MEMBER, role="supervisor", units=WARD) == "saved"
    assert chief.is_in()


def test_a_bounded_administrator_is_no_last_one(change: Callable[..., str], admin: Browser) -> None:
    assert admin.post("/people/disable", name="admin", csrf=admin.csrf()).headers["location"].endswith("=last_admin")
    assert admin.is_in()


def test_a_bounded_administrator_sees_their_units_accounts_and_deeds(chief: Browser, admin: Browser, home: str) -> None:
    entered(home, OUTSIDER)
    entered(home, MEMBER)
    every, own = admin.get("/people").text, chief.get("/people").text
    assert {CHIEF, MEMBER, OUTSIDER, "lan"} <= set(listed(every))
    assert {CHIEF, MEMBER} <= set(listed(own))
    assert not {OUTSIDER, "lan", "admin"} & set(listed(own))
    assert MEMBER in own and OUTSIDER not in own  # nor in the audit
    assert WORDS["right_units_hint"][0] in every and WORDS["right_units_hint"][0] not in own


def listed(page: str) -> list[str]:
    """The accounts that a page of accounts can change."""
    return re.findall(r'name=\\?"name\\?" value=\\?"([\w.-]+)', html.unescape(page))


def test_the_audit_of_some_units_is_about_their_cases_and_accounts_alone(centre: Instance) -> None:
    inside = [("alarm.close", "dossier:1", {"unit": WARD}), ("account.password", MEMBER, {}), ("logout", "", {})]
    outside = [
        ("alarm.close", "dossier:2", {"unit": OTHER}), ("alarm.close", "alarm:3", {"unit": "all"}),
        ("quarantine.discard", "4", {}), ("map.outline_put", MEMBER, {}), ("account.password", OUTSIDER, {}),
        ("account.changed", "admin", {}),
    ]  # fmt: skip
    by, strange = Account(MEMBER, "", "admin", (WARD,)), Account(OUTSIDER, "", "operator", (OTHER,))
    found: list[audit.AuditRow] = []

    async def see(conn: AsyncConnection) -> None:
        async with conn.transaction():
            for action, subject, detail in [*inside, *outside]:
                await audit.note(conn, by, action, subject, detail)
            for action in ("logout", "login.failed"):
                await audit.note(conn, strange, action)
            found.extend(await audit.within(conn, by.scope(), [MEMBER], len(inside) + 1))
            raise Rollback

    on_board(centre, see)
    seen = [(deed.action, deed.subject, deed.detail) for deed in reversed(found)]
    assert seen[-len(inside) :] == inside


def test_what_everybody_sees_on_the_map_is_not_a_bounded_administrators_to_change(chief: Browser) -> None:
    head = {"x-csrf": csrf(chief.http)}
    put = chief.http.post(
        "/map/outlines?name=a", content='{"type": "Point", "coordinates": [106.6, 11.4]}', headers=head
    )
    assert (put.status_code, chief.http.post("/map/outlines/remove", headers=head).status_code) == (403, 403)
    assert "/map/outlines/check" in chief.get("/map").text
    assert WORDS["outlines_all"][0] not in chief.get("/map").text


@pytest.fixture
def command(centre: Instance) -> Callable[..., Result]:
    """Runs the `ioc` command against the centre."""
    env = {"IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    return lambda *arguments: CliRunner().invoke(main, ["people", *arguments], env=env)


def test_the_command_does_the_same(command: Callable[..., Result], home: str) -> None:
    made = command("add", "dung", "--role", "operator", "--units", "Phường Chơn Thành", "--generate")
    assert made.exit_code == 0, made.output
    password = made.stdout.strip()
    browser = entered(home, "dung", password)
    assert command("units", "dung", "--all").exit_code == 0
    assert not browser.is_in()
    table = command("list").stdout
    assert re.search(r"^dung +dung +operator +all +password +\S.* active *$", table, re.MULTILINE)
    assert password not in table
    last = command("disable", "admin")
    assert (last.exit_code, "one administrator" in last.output) == (1, True)


def test_the_demo_has_an_account_for_each_way_of_working(centre: Instance, home: str) -> None:
    for _ in range(2):
        make_accounts(centre)
    assert set(ACCOUNTS) == {"truc_ban", "lanh_dao_van_phong", "lanh_dao"}
    for name in ACCOUNTS:
        assert Browser(home).log_in(name, centre.password(f"board_{name}")).status_code == 303
        assert (centre.secrets / f"board_{name}").stat().st_mode & 0o077 == 0
    with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
        gone = conn.execute("DELETE FROM unit_contact WHERE changed_by = 'cli:demo'").rowcount
    assert gone == 2, "and says whom to call; others who share this centre have their own"


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
    end = time.monotonic() + 60
    while not enough(found := asyncio.run(_published(centre))) and time.monotonic() < end:
        time.sleep(0.2)
    assert enough(found), found[-5:]
    return found


def test_every_action_is_published_once_also_after_an_outage_of_the_broker(centre: Instance, home: str) -> None:
    centre.stop_process("nats")
    try:
        browser = Browser(home)
        assert browser.log_in("minh", "a typo").status_code == 401
        assert browser.log_in("a name that may be a password", "x").status_code == 401
        assert browser.log_in("minh").status_code == 303
        assert browser.post("/logout", csrf=browser.csrf()).status_code == 303
    finally:
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
