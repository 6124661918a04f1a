"""The page of index 766: from all units to a dossier that costs points, and the shortest list given as work."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from deeds import emit_all
from playwright.sync_api import Page, expect

from infra.local.servers import Instance
from schemas.calendar import VN
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit import clock

Visit = Callable[..., Page]
WARD, OTHER = "phuong_minh_hung", "phuong_chon_thanh"
CODES = ("H99.76-261101-0001", "H99.76-261101-0002")
MAIN = "main"


@pytest.fixture(scope="module")
def asked_again(watched: Instance) -> tuple[str, str]:
    """Two dossiers of a ward, asked for supplements twice: no alarm is about them, and a result gains points."""
    begun = clock.now() - timedelta(hours=1)
    due = (begun + timedelta(days=40)).isoformat()
    events = []
    for n, code in enumerate(CODES):
        steps = [("accepted", begun, {"promised_at": due})]
        steps += [("supplement_requested", begun + timedelta(minutes=m), {}) for m in (1, 2)]
        events += [_event(f"{n}-{m}", step, at, code, data) for m, (step, at, data) in enumerate(steps)]
    emit_all(watched, *events)
    eventually_stored(watched)
    return CODES


def eventually_stored(centre: Instance) -> None:
    """Until the last of them is counted: while a browser is open nothing can wait for the broker here."""
    with psycopg.connect(settings_of(centre, "cli").database("reader"), autocommit=True) as conn:
        for _ in range(300):
            rows = conn.execute("SELECT count(*) FROM entity WHERE id = ANY(%s)", [list(CODES)]).fetchone()
            if rows == (len(CODES),):
                return
            time.sleep(0.1)
    raise AssertionError("the dossiers are not stored")


def _event(id: str, step: str, at: datetime, code: str, data: dict[str, str]) -> dict[str, Any]:
    head = {"specversion": "1.0", "source": "/test/index766", "type": f"vn.ioc.dossier.{step}.v1", "unit": WARD}
    return {**head, "id": id, "time": at.isoformat(), "data": {"code": code, **data}}


def test_the_index_opens_to_a_dossier(visit: Visit, asked_again: tuple[str, str]) -> None:
    page = visit("/index766", "minh.vo")
    units = page.locator("section", has_text=WORDS["index766_units"][0].partition("{} ")[2])
    units.locator(f'a[href="/index766?unit={WARD}"]').click()
    expect(page.locator("h1")).to_contain_text("Minh Hưng")
    expect(page.locator("section h2")).to_have_count(9, timeout=60_000)  # six groups, the list, course and forecast
    page.locator('a[href*="component=ON_TIME"]').click()
    listed = page.locator("section", has_text=WORDS["index766_behind"][0].partition("{} ")[2])
    expect(listed).to_contain_text(WORDS["index766_still_open"][0])
    expect(listed).not_to_contain_text(asked_again[0])
    listed.locator(f'a[href="/worklist/dossier/{asked_again[0]}"]').click()
    expect(page.locator("h1")).to_contain_text(asked_again[0])


def test_the_shortest_list_is_given_as_work(visit: Visit, asked_again: tuple[str, str]) -> None:
    page = visit(f"/index766?unit={WARD}", "minh.vo")
    box = page.locator("input[name=item]").first
    key = box.get_attribute("value")
    assert key
    box.check()
    page.locator("summary", has_text=WORDS["do_assign"][0]).click()
    form = page.locator('form[action="/worklist/do/assign"]')
    tomorrow = clock.now().astimezone(VN) + timedelta(days=1)
    form.locator("[name=assignee]").fill("truc.le")
    form.locator("[name=deadline]").fill(f"{tomorrow:%Y-%m-%dT%H:%M}")
    form.locator("button").click()
    expect(page.locator("[data-said] li").first).to_contain_text("✓")
    page.goto(f"/worklist/dossier/{key.partition(':')[2]}")
    expect(page.locator(MAIN)).to_contain_text("truc.le")


def test_who_sees_no_cases_sees_scores_alone(visit: Visit, asked_again: tuple[str, str]) -> None:
    lan = visit(f"/index766?unit={WARD}", "lan.tran")
    expect(lan.locator("h1")).to_contain_text("Minh Hưng")
    expect(lan.locator("section h2").first).to_be_visible()
    assert lan.locator("input[name=item]").count() == 0
    assert lan.request.get(f"/index766/list.csv?unit={WARD}").status == 404
    own = lan.request.get(f"/index766/list.csv?unit={OTHER}")
    assert own.status == 200 and own.text().lstrip("\ufeff").startswith("unit,dossier,day,gained")
    lan.goto("/index766")
    expect(lan.locator("h1")).to_contain_text("Chơn Thành")  # the units they are bounded to come first
    assert not lan.locator('form[action="/worklist/do/assign"]').count()
    lan.locator('a[href="/index766?unit="]').click()
    expect(lan.locator("h1")).to_contain_text(WORDS["whole"][0])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_it_is_read_on_a_phone(visit: Visit, asked_again: tuple[str, str], language: str) -> None:
    page = visit(f"/index766?unit={WARD}&lang={language}", "minh.vo", viewport={"width": 390, "height": 844})
    expect(page.locator("section h2").first).to_have_text(WORDS["index766_gain"][language == "en"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
