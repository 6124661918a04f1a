"""A shift is handed over with what was open and a note, seen by who may see it, and taken over once."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest
from alarms import alarm, closed, event, notifying, now, opened, post, query, send
from psycopg import AsyncConnection
from support import wait_until_idle
from visitors import Browser, add_account, board, entered, on_board

from infra.local.servers import Instance
from schemas.procedures import DossierAccepted
from schemas.text.dates import day_and_time
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.notifier.routes import load

WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
ROUTES = """
[people.an]
name = "Lãnh đạo trực An"
channels = [{ url = "json://127.0.0.1:1" }]
[people.chi]
name = "Cán bộ Chi"
channels = [{ url = "json://127.0.0.1:1" }]
[rotas.on_call]
people = ["an", "chi"]
"""
NOTE = "Mạng ở Minh Hưng: nhà cung cấp hẹn 15 giờ.\nĐã gọi Một cửa."


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of a centre with an overdue dossier and two critical incidents in one ward, and its people."""
    late = DossierAccepted(code="H98.73-260101-0001", field="justice", promised_at=now() - timedelta(days=2))
    with notifying(centre, ROUTES):
        send(
            centre,
            event(late, WARD, now() - timedelta(days=9)),
            opened("SC-HANDOVER", WARD, "critical"),
            opened("SC-HELD", WARD, "critical"),
        )
        for name in ("SC-HANDOVER", "SC-HELD"):
            alarm(centre, f"incident:{name}")
        add_account(centre, "handover-first", "operator")
        add_account(centre, "handover-next", "operator")
        add_account(centre, "handover-ward", "operator", units=(OTHER,))
        add_account(centre, "handover-viewer", "viewer")
        with board(centre) as address:
            yield address
        send(centre, closed("SC-HANDOVER", WARD), closed("SC-HELD", WARD))
        wait_until_idle(centre)


def page(browser: Browser) -> str:
    return html.unescape(browser.get("/handover").text)


def handed(browser: Browser, note: str = NOTE) -> str:
    """What the page says after a shift was to be handed over."""
    answer = browser.post("/handover", note=note, csrf=browser.csrf())
    return page(browser) if answer.status_code == 303 else str(answer.status_code)


def numbers(text: str) -> dict[str, int]:
    """What is open by the page's first list of it."""
    words = {key: WORDS[f"handover_{key}"][0] for key in ("critical", "warning", "overdue", "today")}
    plain = re.sub("<[^>]*>", "", text)
    return {key: int(re.search(rf"(\d+) {word}", plain)[1]) for key, word in words.items()}  # type: ignore[index]


def test_a_shift_is_handed_over_with_what_is_open_and_taken_once(centre: Instance, home: str) -> None:
    first, second, viewer = (entered(home, f"handover-{name}") for name in ("first", "next", "viewer"))
    held = alarm(centre, "incident:SC-HELD")
    assert post(centre, f"/alarms/{held}/acknowledge", {"user": "handover-first", "note": ""}).status_code == 200
    free = query(
        centre,
        "SELECT count(*) FROM alarm WHERE cleared_at IS NULL AND severity = 'critical' AND acknowledged_by IS NULL "
        "AND assignee IS NULL",
    )[0][0]
    shown = handed(first)
    assert WORDS["handover_kept"][0] in shown
    assert numbers(shown)["critical"] == free >= 1 and numbers(shown)["overdue"] >= 1
    assert f"/alarms/{held}" in shown and WORDS["handover_take"][0] not in shown, "one's own is taken by another"
    seen = page(second)
    assert NOTE in seen and f"/alarms/{held}" in seen and WORDS["handover_take"][0] in seen
    assert NOTE in page(viewer) and 'name="note"' in seen and 'name="note"' not in page(viewer)
    (number,) = re.findall(r'action="/handover/(\d+)/take"', seen)
    assert first.post(f"/handover/{number}/take", csrf=first.csrf()).status_code == 303
    assert WORDS["handover_not_taken"][0] in page(first)
    assert viewer.post(f"/handover/{number}/take", csrf=viewer.csrf()).status_code == 403
    assert second.post(f"/handover/{number}/take", csrf=second.csrf()).status_code == 303
    assert WORDS["handover_taken"][0] in page(second)
    assert "handover-next" in page(first)
    assert second.post(f"/handover/{number}/take", csrf=second.csrf()).status_code == 303
    assert WORDS["handover_not_taken"][0] in page(second)
    assert audited(centre) == [("shift.hand_over", "handover-first"), ("shift.take_over", "handover-next")]


def audited(centre: Instance) -> list[tuple[str, str]]:
    """(action, by whom) of all that was done about shifts."""

    async def read(conn: AsyncConnection) -> list[tuple[str, str]]:
        noted = await conn.execute("SELECT action, by FROM audit WHERE starts_with(action, 'shift.') ORDER BY id")
        return await noted.fetchall()

    return on_board(centre, read)


def test_who_is_bounded_to_units_sees_and_counts_theirs_alone(home: str) -> None:
    first, ward = entered(home, "handover-first"), entered(home, "handover-ward")
    handed(first, "Chỉ người trực toàn địa bàn đọc.")
    seen = handed(ward, "Của phường Minh Hưng.")
    assert "Của phường Minh Hưng." in seen and "toàn địa bàn đọc" not in seen
    theirs, all_of_it = numbers(seen), numbers(page(first))
    assert theirs["overdue"] < all_of_it["overdue"] and theirs["critical"] < all_of_it["critical"]
    assert "Của phường Minh Hưng." in page(first)


@pytest.mark.parametrize(
    "note, said",
    [("", "note_empty"), ("  \n ", "note_empty"), ("x" * 2001, "handover_note_long"),
     ("Gọi bà Lan 0912 345 678", "note_personal"), ("CCCD 070185001234 đến nộp lại", "note_personal")],
)  # fmt: skip
def test_a_note_that_cannot_be_kept_is_refused_with_why(home: str, note: str, said: str) -> None:
    first = entered(home, "handover-first")
    before = page(first).count("handover-first")
    shown = handed(first, note)
    assert WORDS[said][0][:40] in shown and shown.count("handover-first") == before


def test_who_is_on_call_stands_there_with_who_comes_next(centre: Instance, home: str) -> None:
    turn = load(centre.data / "routes.toml").rotas["on_call"].turn(now())
    names = {"an": "Lãnh đạo trực An", "chi": "Cán bộ Chi"}
    shown = page(entered(home, "handover-viewer"))
    assert names[turn.person] in shown
    assert WORDS["on_call_until"][0].format(day_and_time(turn.until), names[turn.then]) in shown
    centre.stop_process("notifier")
    try:
        assert WORDS["on_call_unknown"][0] in page(entered(home, "handover-viewer"))
    finally:
        centre.start_services(["notifier"])


def test_what_takes_longer_to_count_than_a_page_waits_stands_there_a_little_later(centre: Instance, home: str) -> None:
    first = entered(home, "handover-first")
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        for _ in range(2):
            with conn.transaction():
                conn.execute("LOCK TABLE alarm IN ACCESS EXCLUSIVE MODE")
                shown = page(first)
                time.sleep(1)
            time.sleep(1)  # what was asked for is counted by now
    assert numbers(shown)["critical"] >= 1


def test_the_notifiers_answer_needs_its_token(centre: Instance, home: str) -> None:
    address = f"http://127.0.0.1:{centre.ports['notifier']}/on_call"
    assert httpx.get(address).status_code == 401
    told = httpx.get(address, headers={"Authorization": f"Bearer {centre.password('alarms')}"})
    assert [one["rota"] for one in json.loads(told.text)] == ["on_call"]
