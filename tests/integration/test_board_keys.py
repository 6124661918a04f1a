"""The board's page of keys: an administrator's alone, a secret shown once, within the administrator's own units."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from visitors import Browser, add_account, admin_of, board, csrf, entered

from infra.local.servers import Instance
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit.keys import digest

WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
NAMES = (f"khoa-{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in count())
SECRET = re.compile(r"iock_[A-Za-z0-9_-]{43}")
CHIEF, OPERATOR = "keys-chief", "keys-operator"


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    add_account(centre, CHIEF, "admin", units=(WARD,))
    add_account(centre, OPERATOR, "supervisor")
    with board(centre) as address:
        yield address


@pytest.fixture(scope="module")
def admin(centre: Instance, home: str) -> Browser:
    return admin_of(centre, home)


def change(browser: Browser, what: str, **fields: str) -> str:
    """Posts to the page; what it says then."""
    answer = browser.post(f"/keys/{what}", csrf=csrf(browser.http), **fields)
    assert answer.status_code == 303, answer.text
    return html.unescape(browser.get("/keys").text)


def kept(centre: Instance, name: str) -> list[str]:
    """The digests of a key's secrets."""
    with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
        return [row[0] for row in conn.execute("SELECT digest FROM emitter_secret WHERE key = %s", [name]).fetchall()]


def test_a_key_is_made_rotated_and_taken_back_and_each_secret_is_shown_once(centre: Instance, admin: Browser) -> None:
    name = next(NAMES)
    page = change(admin, "create", name=name, system_health="on", units="Phường Chơn Thành", days="30", rate="5")
    first = SECRET.search(page)
    assert first and kept(centre, name) == [digest(first[0])]
    assert WORDS["key_create_done"][0].format(name) in page
    again = html.unescape(admin.get("/keys").text)
    assert name in again and not SECRET.search(again)
    second = SECRET.search(change(admin, "rotate", name=name))
    assert second and set(kept(centre, name)) == {digest(first[0]), digest(second[0])}
    assert WORDS["key_rotating"][0] in admin.get("/keys").text
    assert WORDS["key_revoke_done"][0].format(name) in change(admin, "revoke", name=name)
    assert kept(centre, name) == []


def test_when_a_key_was_used_last_stands_in_its_row(centre: Instance, admin: Browser) -> None:
    used, unused = next(NAMES), next(NAMES)
    for name in (used, unused):
        change(admin, "create", name=name, system_health="on")
    with psycopg.connect(settings_of(centre, "emitters").database("emitters")) as conn:
        conn.execute("SELECT note_key_use(%s, now() - interval '3 hours')", [[used]])
    page = html.unescape(admin.get("/keys").text)
    rows = {name: next(row for row in page.split("<tr") if f">{name}<" in row) for name in (used, unused)}
    assert "3 giờ trước" in rows[used] and "trước" not in rows[unused].partition("<details")[0]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "A"}, "tên khóa gồm"),
        ({}, "không có hệ thống"),
        ({"system_health": "on", "units": "Phường Trên Mây"}, WORDS["bad_unit"][0]),
        ({"system_health": "on", "source": "/payments"}, "là của chính trung tâm"),
        ({"system_health": "on", "days": "0"}, "khóa có hạn"),
        ({"system_health": "on", "rate": "nhiều"}, "không phải là số"),
        ({"name": "so-0912345678", "system_health": "on"}, "số cá nhân"),
    ],
)
def test_what_no_key_can_be_is_told_and_nothing_is_made(
    centre: Instance, admin: Browser, fields: dict[str, str], says: str
) -> None:
    name = fields.get("name", next(NAMES))
    page = change(admin, "create", **{"name": name, **fields})
    assert says in page
    assert not SECRET.search(page)
    assert kept(centre, name) == []


def test_keys_are_the_administrators_alone(home: str, admin: Browser) -> None:
    browser = entered(home, OPERATOR)
    assert browser.get("/keys").status_code == 403
    answer = browser.post("/keys/create", name=next(NAMES), system_health="on", csrf=csrf(browser.http))
    assert answer.status_code == 403
    assert admin.post("/keys/nothing", csrf=csrf(admin.http)).status_code == 404


def test_who_administers_a_ward_gives_keys_of_that_ward_alone(centre: Instance, home: str, admin: Browser) -> None:
    chief, own, others, alien = entered(home, CHIEF), next(NAMES), next(NAMES), next(NAMES)
    change(admin, "create", name=alien, system_health="on", units=OTHER)
    assert SECRET.search(change(chief, "create", name=own, system_health="on", units=WARD))
    for beyond in ({"units": OTHER}, {"units": ""}):
        page = change(chief, "create", name=others, system_health="on", **beyond)
        assert "vượt ra ngoài các đơn vị" in page and not SECRET.search(page)
    page = chief.get("/keys").text
    assert own in page and alien not in page
    before = kept(centre, alien)
    for what in ("rotate", "revoke"):
        assert f"không có khóa {alien}" in change(chief, what, name=alien)
    assert kept(centre, alien) == before and before
