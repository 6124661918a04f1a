"""Accounts on a real centre: made and changed by the administrator alone, by page or command, and every deed noted."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from visitors import PASSWORD, Browser, add_account, admin_of, board, entered

from infra.local.servers import Instance
from services.cli.app import main
from services.cli.demo import ACCOUNTS, make_accounts
from services.cli.prepare import settings_of
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


def test_every_action_is_published_once_also_after_an_outage_of_the_broker(centre: Instance, home: str) -> None:
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
