"""Two people at the worklist: what one does the other sees without asking for it; what one may not do is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from deeds import emit_all
from playwright.sync_api import Page, expect

from infra.local.servers import Instance
from schemas.calendar import VN
from services.board.access import Account
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit import clock

Visit = Callable[..., Page]
WARD = "phuong_chon_thanh"
OPEN = "/worklist?handling=open"


def do(page: Page, deed: str, **fields: str) -> None:
    """Send the form of a deed, and wait to be told that it is done."""
    send(page, deed, **fields)
    expect(page.locator("[data-said] li").first).to_contain_text("✓")


def send(page: Page, deed: str, **fields: str) -> None:
    """Open the form of a deed, fill it in and send it."""
    form = page.locator(f'form[action="/worklist/do/{deed}"]')
    if not form.is_visible():
        page.locator("summary", has_text=WORDS[f"do_{deed}"][0]).click()
    for name, value in fields.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button").click()


def test_acknowledged_and_assigned_by_one_and_seen_by_the_other(visit: Visit) -> None:
    minh = visit(OPEN, "minh.vo")
    box = minh.locator("input[name=item]").first
    key = box.get_attribute("value")
    assert key
    other = visit(f"/worklist?q={key.partition(':')[2]}", "truc.le")
    row = other.locator("tr", has=other.locator(f'input[value="{key}"]'))
    expect(row).to_contain_text(WORDS["handling_open"][0])
    box.check()
    do(minh, "acknowledge")
    expect(row).to_contain_text(WORDS["handling_acknowledged"][0])
    expect(row).to_contain_text("minh.vo")
    minh.goto(f"/worklist?q={key.partition(':')[2]}")
    minh.locator(f'input[value="{key}"]').check()
    tomorrow = clock.now().astimezone(VN) + timedelta(days=1)
    do(minh, "assign", assignee="truc.le", deadline=f"{tomorrow:%Y-%m-%dT%H:%M}")
    expect(row).to_contain_text(WORDS["handling_assigned"][0])
    expect(row).to_contain_text("truc.le")
    expect(row).to_contain_text(f"{tomorrow:%d/%m/%Y %H:%M}")
    expect(other.locator('form[action="/worklist/do/assign"]')).to_have_count(0)
    row.locator("a").first.click()
    expect(other.locator("main")).to_contain_text("minh.vo")


def test_a_report_is_joined_to_one_nearby_from_its_page(visit: Visit, watched: Instance) -> None:
    first, second = (f"PA-NEAR-{time.time_ns()}-{n}" for n in (1, 2))
    for code in (first, second):
        data = {"code": code, "channel": "app", "category": "lighting", "latitude": 11.4321, "longitude": 106.6543}
        head = {"specversion": "1.0", "id": code, "source": "/test/browser", "type": "vn.ioc.report.received.v1"}
        emit_all(watched, {**head, "unit": WARD, "time": clock.now().isoformat(), "data": data})
    page, end = visit("/worklist", "truc.le"), time.monotonic() + 60
    while any(page.request.get(f"/worklist/report/{code}").status != 200 for code in (first, second)):
        assert time.monotonic() < end
    page.goto(f"/worklist/report/{first}")
    near = page.locator("tr", has=page.get_by_role("link", name=second))
    expect(near).to_contain_text("0 m")
    near.get_by_role("button").click()
    expect(page.locator("[data-said] li").first).to_contain_text("✓")
    expect(page.locator("main")).to_contain_text(WORDS["case_duplicate_of"][0])
    page.get_by_role("link", name=second).first.click()
    expect(page.locator("main")).to_contain_text(WORDS["report_joined"][0])


def test_what_has_left_the_list_is_not_acted_upon(visit: Visit, heard: Any) -> None:
    minh, truc = visit(OPEN, "minh.vo"), visit(OPEN, "truc.le")
    key = minh.locator("input[name=item]").first.get_attribute("value")
    assert key
    minh.goto(f"{OPEN}&text={key.partition(':')[2]}")
    minh.locator(f'input[value="{key}"]').check()
    expect(minh.locator("[data-chosen]")).to_have_text(WORDS["chosen"][0].format(1))
    truc.locator(f'input[value="{key}"]').check()
    do(truc, "acknowledge")
    expect(minh.locator("p.none")).to_be_visible()
    expect(minh.locator("[data-chosen]")).to_have_text(WORDS["chosen"][0].format(0))
    heard.expected.append("422")
    send(minh, "comment", note="đã nhắc")
    expect(minh.locator("[data-said]")).to_have_text(WORDS["none_chosen"][0])


def test_without_an_answer_nothing_is_claimed(visit: Visit, heard: Any) -> None:
    page = visit(OPEN, "truc.le")
    page.locator("input[name=item]").first.check()
    form = page.locator('form[action="/worklist/do/comment"]')
    page.locator("summary", has_text=WORDS["do_comment"][0]).click()
    form.locator("[name=note]").fill("đã nhắc")
    heard.expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    form.locator("button").click()
    expect(page.locator("[data-said]")).to_have_text(WORDS["board_away"][0])


@pytest.mark.parametrize(
    ("name", "deed", "status"),
    [("lan.tran", "acknowledge", 403), ("truc.le", "assign", 403), ("minh.vo", "resubmit", 404)],
)
def test_what_a_role_may_not_do_is_refused_to_direct_requests(
    visit: Visit, watched: Instance, name: str, deed: str, status: int
) -> None:
    page = visit("/worklist", name)
    token = page.locator("input[name=csrf]").first.get_attribute("value")
    form = {"csrf": token, "item": f"dossier:{a_dossier(watched, inside=True)}", "assignee": "lan"}
    answer = page.request.post(f"/worklist/do/{deed}", form=form, headers={"origin": origin(page)})
    assert answer.status == status
    assert page.request.post(f"/worklist/do/{deed}", form={**form, "csrf": ""}).status == 403


def test_cases_of_other_units_are_there_for_nobody_bounded(visit: Visit, watched: Instance) -> None:
    page = visit("/worklist", "lan.tran")
    expect(page.locator("main h1")).to_be_visible()
    foreign, own = (a_dossier(watched, inside=inside) for inside in (False, True))
    assert page.request.get(f"/worklist/dossier/{own}").status == 200
    refused = page.request.get(f"/worklist/dossier/{foreign}")
    assert refused.status == 404 and foreign not in refused.text()
    exported = page.request.get("/worklist/export.csv").text()
    assert not set(units_of(watched, exported)) - Account("lan.tran", "", "viewer", (WARD,)).scope()


def a_dossier(centre: Instance, inside: bool) -> str:
    """One of the ward's own, or of another unit."""
    scope = list(Account("", "", "viewer", (WARD,)).scope())
    with psycopg.connect(settings_of(centre, "cli").database("reader")) as conn:
        found = conn.execute(
            "SELECT id FROM entity WHERE kind = 'dossier' AND opened_at IS NOT NULL AND (unit = ANY(%s)) = %s LIMIT 1",
            [scope, inside],
        ).fetchone()
    assert found
    return str(found[0])


def units_of(centre: Instance, text: str) -> list[str]:
    """The units of all cases that are named in a text."""
    with psycopg.connect(settings_of(centre, "cli").database("reader")) as conn:
        rows = conn.execute("SELECT id, unit FROM entity WHERE kind IN ('dossier', 'report')").fetchall()
    return [unit for id, unit in rows if id in text]


def origin(page: Page) -> str:
    return str(httpx.URL(page.url).copy_with(raw_path=b"/")).rstrip("/")
