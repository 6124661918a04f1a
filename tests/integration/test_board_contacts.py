"""A case says whom to call about it and what its procedure is called, as administrators keep it."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import timedelta

import pytest
from alarms import event, eventually, now, send
from support import wait_until_idle
from visitors import Browser, add_account, admin_of, board, entered, shut_out

from infra.local.servers import Instance
from schemas.procedures import DossierAccepted
from services.board.ui.words import WORDS, unit_name

WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
CASE, CODE = "H98.71-260101-0001", "2.000815"
UNITS = f"Phường Chơn Thành; Nguyễn Văn An, Phó Chủ tịch; 0271 3666 777\n{OTHER}\tTrần Thị Bình\t(0271) 3666-778"


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of a centre with a late dossier, an administrator of one ward and a viewer."""
    try:
        centre.start_services(["aggregator"])
        late = DossierAccepted(code=CASE, field="justice", procedure=CODE, promised_at=now() - timedelta(days=2))
        send(centre, event(late, WARD, now() - timedelta(days=9)))
        wait_until_idle(centre)
        add_account(centre, "contacts-ward", "admin", units=(OTHER,))
        add_account(centre, "contacts-viewer", "viewer")
        with board(centre) as address:
            yield address
        shut_out(centre, "contacts-ward")
    finally:
        centre.stop_process("aggregator")


def kept(browser: Browser, what: str, lines: str) -> str:
    """What the page says after these lines were to be kept."""
    answer = browser.post(f"/contacts/{what}", lines=lines, csrf=browser.csrf())
    return html.unescape(browser.get("/contacts").text) if answer.status_code == 303 else str(answer.status_code)


def case(browser: Browser) -> str:
    return html.unescape(browser.get(f"/worklist/dossier/{CASE}").text)


def test_a_case_says_whom_to_call_and_what_its_procedure_is_called(centre: Instance, home: str) -> None:
    admin, viewer = admin_of(centre, home), entered(home, "contacts-viewer")
    assert WORDS["contact_none"][0] in case(viewer)
    assert WORDS["contacts_kept"][0].format(2) in kept(admin, "units", UNITS)
    assert WORDS["contacts_kept"][0].format(1) in kept(admin, "procedures", f"{CODE}; Chứng thực bản sao")
    shown = case(viewer)
    assert "Nguyễn Văn An, Phó Chủ tịch" in shown and 'href="tel:02713666777"' in shown
    assert f"Chứng thực bản sao · {CODE}" in shown
    # The list is shared, and read anew when something came or some time is over.
    eventually(lambda: "Chứng thực bản sao" in html.unescape(viewer.get("/worklist").text), True)
    assert f";{CODE};Chứng thực bản sao;" in viewer.get("/worklist/export.csv").text.replace(",", ";")
    assert "Trần Thị Bình" in viewer.get("/contacts").text
    assert WORDS["deed_contact.set"][0] in html.unescape(admin.get("/people").text)
    kept(admin, "units", "Phường Chơn Thành")
    kept(admin, "procedures", CODE)
    assert WORDS["contact_none"][0] in case(viewer) and "Chứng thực bản sao" not in case(viewer)


def test_the_unit_above_answers_for_one_without_a_contact(centre: Instance, home: str) -> None:
    admin = admin_of(centre, home)
    kept(admin, "units", "dong_nai; Văn phòng; 0251 3822 501")
    shown = case(admin)
    assert "Văn phòng" in shown and f"({unit_name('dong_nai', 'vi')})" in shown
    kept(admin, "units", "dong_nai")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("Phường Không Có; A; 0271 3666 777", "contacts_no_unit"),
        ("Phường Minh Hưng; Trần Thị Bình; gọi sau", "contacts_bad_line"),
        ("Phường Minh Hưng; ; 0271 3666 777", "contacts_bad_line"),
        ("Phường Minh Hưng; A; 0271 3666 777; thừa", "contacts_bad_line"),
    ],
)
def test_of_lines_with_a_wrong_one_none_is_kept(centre: Instance, home: str, line: str, word: str) -> None:
    admin = admin_of(centre, home)
    before = admin.get("/contacts").text.count("tel:")
    assert WORDS[word][0].partition("«")[0] in kept(
        admin, "units", f"Phường Chơn Thành; Lê Văn C; 0271 3666 779\n{line}"
    )
    assert admin.get("/contacts").text.count("tel:") == before


def test_who_may_not_keeps_nothing(home: str) -> None:
    ward, viewer = entered(home, "contacts-ward"), entered(home, "contacts-viewer")
    assert WORDS["contacts_no_unit"][0].partition("«")[0] in kept(
        ward, "units", "Phường Chơn Thành; A B; 0271 3666 777"
    )
    assert WORDS["contacts_kept"][0].format(1) in kept(ward, "units", "Phường Minh Hưng; A B; 0271 3666 777")
    assert kept(ward, "procedures", f"{CODE}; Tên") == "403"
    assert kept(viewer, "units", UNITS) == "403"
    assert kept(viewer, "none", UNITS) == "404"
    kept(ward, "units", "Phường Minh Hưng")
