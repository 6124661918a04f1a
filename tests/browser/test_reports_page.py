"""The page of reports: one is made, seen, downloaded in each format, and verified; who may not make one only reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

import psycopg
import pytest
from playwright.sync_api import Page, expect
from test_workbooks import pictured

from infra.local import fonts
from infra.local.paths import home
from infra.local.servers import Instance
from schemas.calendar import local_day
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit import clock

Visit = Callable[..., Page]
WARD = "phuong_minh_hung"
BEGINS = {"docx": b"PK", "xlsx": b"PK", "pdf": b"%PDF", "json": b"{"}


def word(key: str) -> str:
    return WORDS[key][0]


@pytest.fixture(scope="module")
def month(watched: Instance) -> Iterator[date]:
    """The month that goes on; the font of a PDF is fetched where this machine has none. No issue is left."""
    fonts.provide(home() / "runtime")
    yield local_day(clock.now())
    with psycopg.connect(settings_of(watched, "cli").database("owner"), autocommit=True) as conn:
        conn.execute("DELETE FROM report_issue")


def test_a_report_is_made_previewed_downloaded_and_verified(visit: Visit, month: date) -> None:
    page = visit("/reports", "truc.le")
    pictured(page, "reports-1-list")
    page.locator("select[name=unit]").select_option(WARD)
    page.locator("input[name=month]").fill(f"{month:%Y-%m}")
    page.get_by_role("button", name=word("report_make")).click(timeout=90_000)
    expect(page.get_by_text(word("report_was_made"))).to_be_visible(timeout=60_000)
    preview = page.frame_locator("iframe.preview")
    expect(preview.locator("h1")).to_have_text("BÁO CÁO", timeout=30_000)
    expect(preview.locator("#ii06_by_unit")).to_be_visible()
    pictured(page, "reports-2-issue")
    for kind, begins in BEGINS.items():
        with page.expect_download(timeout=60_000) as got:
            page.get_by_role("link", name=kind.upper()).click()
        assert got.value.path().read_bytes().startswith(begins), kind
    page.get_by_role("button", name=word("report_verify")).click(timeout=90_000)
    expect(page.get_by_role("status").filter(has_text=word("report_holds")[:16])).to_be_visible(timeout=60_000)
    number = page.url.rpartition("/")[2]

    lan = visit("/reports", "lan.tran")  # she sees another ward, and makes none
    assert not lan.locator("form[action='/reports/make']").count()
    assert not lan.locator(f"a[href='/reports/{number}']").count()
    assert lan.request.get(f"/reports/{number}/file/json").status == 404


def test_a_report_of_a_quarter_and_a_year_is_made(visit: Visit, month: date) -> None:
    asked = (("quarter", f"{month.year}-01", "quý I năm"), ("year", f"{month.year - 1}-12", f"năm {month.year - 1}"))
    for span, within, named in asked:
        page = visit("/reports", "truc.le")
        page.locator("select[name=unit]").select_option(WARD)
        page.locator("select[name=span]").select_option(span)
        page.locator("input[name=month]").fill(within)
        page.get_by_role("button", name=word("report_make")).click(timeout=90_000)
        expect(page.get_by_text(word("report_was_made"))).to_be_visible(timeout=60_000)
        expect(page.frame_locator("iframe.preview").get_by_text(re.compile(f"chuyển đổi số {named}"))).to_be_visible()


def test_another_form_is_made_and_listed_by_its_name(visit: Visit, month: date) -> None:
    page = visit("/reports", "truc.le")
    page.locator("select[name=unit]").select_option(WARD)
    page.locator("select[name=form]").select_option("ii06")
    page.locator("input[name=month]").fill(f"{month:%Y-%m}")
    page.get_by_role("button", name=word("report_make")).click(timeout=90_000)
    expect(page.get_by_text(word("report_was_made"))).to_be_visible(timeout=60_000)
    preview = page.frame_locator("iframe.preview")
    expect(preview.locator("#ii06_by_field")).to_be_visible(timeout=30_000)
    expect(preview.locator("#ii06_by_unit")).to_have_count(0)
    expect(page.locator("dl.pairs")).to_contain_text("Biểu số II.06a/VPCP/KSTT")
    number = page.url.rpartition("/")[2]
    page.goto(page.url.rpartition("/")[0])
    row = page.get_by_role("row").filter(has=page.locator(f"a[href='/reports/{number}']"))
    expect(row).to_contain_text("Biểu số II.06a/VPCP/KSTT")


def test_the_morning_brief_has_a_page(visit: Visit) -> None:
    page = visit(f"/brief?unit={WARD}", "truc.le")
    expect(page.locator("h1")).to_contain_text("BẢN TIN SÁNG")
    assert len(page.locator("section.brief").inner_text()) <= 1300
    pictured(page, "brief")
    page.goto(f"/brief?unit={WARD}&lang=en")
    expect(page.locator("h1")).to_contain_text("MORNING BRIEF")


def test_a_target_is_set_and_taken_back(visit: Visit) -> None:
    page = visit("/targets", "minh.vo")
    page.locator("select[name=indicator]").select_option("overdue_share")
    page.locator("select[name=unit]").select_option(WARD)
    page.locator("input[name=value]").fill("2,5")
    page.get_by_role("button", name=word("target_set")).click()
    expect(page.get_by_text(word("target_was_set"))).to_be_visible()
    row = page.locator("tr", has_text="2,5")
    for _ in range(30):  # until the event is stored
        page.goto("/targets")
        if row.count():
            break
        page.wait_for_timeout(1000)
    pictured(page, "targets")
    row.get_by_role("button", name=word("target_back")).click()
    expect(page.get_by_text(word("target_was_back"))).to_be_visible()
    assert not visit("/targets", "lan.tran").locator("form[action='/targets/set']").count()


def test_a_finding_is_taken_and_resolved_on_the_page_of_data_quality(visit: Visit) -> None:
    page = visit("/quality", "minh.vo")
    take = page.get_by_role("button", name=word("finding_take")).first
    expect(take).to_be_visible(timeout=120_000)  # all are looked at once a minute
    pictured(page, "quality")
    take.click()
    expect(page.get_by_text(word("said_finding_take"))).to_be_visible()
    mine = page.locator("tr", has_text=word("finding_taken").split("{}")[1].strip()).first
    expect(mine).to_contain_text("minh.vo")
    mine.locator("summary").click()
    mine.locator("input[name=note]").fill("đơn vị gửi lại số liệu")
    mine.get_by_role("button", name=word("finding_resolve")).click()
    expect(page.get_by_text(word("said_finding_resolve"))).to_be_visible()
    expect(page.locator("tr", has_text="đơn vị gửi lại số liệu")).to_be_visible()
