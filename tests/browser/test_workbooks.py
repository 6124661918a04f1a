"""A workbook on the board, as a clerk sees it: uploaded, questioned, confirmed, seen as a figure and on the wall, taken
back, gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from browser.test_accessibility import violations
from browser.test_legible import COLUMN, ILLEGIBLE
from playwright.sync_api import Page, expect
from sheets import Page as Sheet
from sheets import xlsx

from schemas.calendar import local_day
from schemas.indicators import CATALOGUE
from services.board.ui.words import WORDS
from services.kit import clock

Visit = Callable[..., Page]
CODE = "reported_payments_online_tax_count"
WARD, ELSEWHERE = "phuong_chon_thanh", "xa_nhon_trach"
WARDS = ("Phường Chơn Thành", "Phường Minh Hưng")
HEAD = ["Đơn vị", "Số giao dịch NVTC", "Số tiền NVTC", "Số giao dịch phí, lệ phí", "Số tiền phí, lệ phí", "Điện thoại"]
WIDTHS = (1366, 1920, 3840, 390)


def of_this_month() -> bytes:
    """A table as a ward's office sends it: one figure nobody can read for certain, a total, a signature, a phone."""
    today = local_day(clock.now())
    first = today.replace(day=1)
    rows = [[ward, n * 111, n * 5_000_000, n * 7, n * 90_000, "0912 345 678"] for n, ward in enumerate(WARDS, 1)]
    rows[0][2] = "2,05"
    return xlsx(Sheet([
        [f"THANH TOÁN TRỰC TUYẾN từ ngày {first:%d/%m/%Y} đến ngày {today:%d/%m/%Y}"],
        HEAD, *rows, ["Tổng cộng", 333, None, 21, 270_000], [], ["(*) Ghi chú: số liệu tạm tính"],
    ]))  # fmt: skip


def economy_of_this_month() -> bytes:
    """A unit's socio-economic table, with a figure of those that the wall shows."""
    today = local_day(clock.now())
    return xlsx(Sheet([
        [f"TÌNH HÌNH KINH TẾ - XÃ HỘI từ ngày {today.replace(day=1):%d/%m/%Y} đến ngày {today:%d/%m/%Y}"],
        ["Đơn vị báo cáo: Phường Nhơn Trạch"],
        ["TT", "Chỉ tiêu", "ĐVT", "Thực hiện trong tháng"],
        [1, "Doanh nghiệp thành lập mới", "doanh nghiệp", 4711],
    ]))  # fmt: skip


def words(key: str) -> str:
    return WORDS[key][0]


def pictured(page: Page, name: str) -> None:
    """All of it can be read at any width, and axe finds nothing grave; with IOC_PICTURES the pages are kept there to be
    looked at."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 2160 if width == 3840 else 900})
        assert page.evaluate(ILLEGIBLE, COLUMN) == [], f"{name} at {width}"
        if folder := os.environ.get("IOC_PICTURES"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1366, "height": 900})
    assert violations(page) == [], name


def test_a_workbook_is_uploaded_questioned_confirmed_seen_and_taken_back(visit: Visit) -> None:
    page = visit("/imports", "truc.le")
    pictured(page, "1-list")
    file = {"name": "tt-thang-nay.xlsx", "mimeType": "application/octet-stream", "buffer": of_this_month()}
    page.locator("#import-file").set_input_files(files=[file])  # type: ignore[list-item]
    expect(page.get_by_role("heading", name=words("import_questions").format(1))).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text("Sheet1!C3")
    pictured(page, "2-asked")
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name=words("import_answer")).click()
    expect(page.get_by_role("button", name=words("import_confirm"))).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text(words("import_difference").format(8, 0, 0))
    expect(page.locator("main")).not_to_contain_text("0912")
    pictured(page, "3-ready")
    page.get_by_role("button", name=words("import_confirm")).click()
    expect(page.get_by_text(words("import_arrived"))).to_be_visible(timeout=60_000)
    pictured(page, "4-sent")
    made = page.url
    system = visit(f"/system/procedures?unit={WARD}", "truc.le")
    system.locator(".group", has_text=CATALOGUE[CODE].vi).locator("summary").click()
    row = system.locator("tr", has=system.get_by_role("rowheader", name=CATALOGUE[CODE].vi))
    expect(row.first).to_contain_text("111", timeout=60_000)
    page.goto(made)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=words("import_take_back")).click()
    expect(page.get_by_text(words("import_taken_back"))).to_be_visible(timeout=60_000)
    pictured(page, "5-taken-back")
    expect(row.first).not_to_contain_text("111", timeout=60_000)
    page.goto("/imports")
    expect(page.get_by_role("link", name="tt-thang-nay.xlsx").first).to_be_visible()
    pictured(page, "6-list-after")


def test_what_a_workbook_says_stands_on_the_wall_until_it_is_taken_back(visit: Visit) -> None:
    page, wall = visit("/imports", "truc.le"), visit(f"/?unit={ELSEWHERE}", "truc.le")
    figure = wall.locator('.tile[href^="/system/economy"] [data-figure="enterprises_new"]')
    expect(figure).to_have_text("–")
    file = {"name": "kt-xh-thang-nay.xlsx", "mimeType": "application/octet-stream", "buffer": economy_of_this_month()}
    page.locator("#import-file").set_input_files(files=[file])  # type: ignore[list-item]
    page.get_by_role("button", name=words("import_confirm")).click(timeout=60_000)
    expect(page.get_by_text(words("import_arrived"))).to_be_visible(timeout=60_000)
    expect(figure).to_have_text("4.711", timeout=60_000)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=words("import_take_back")).click()
    expect(page.get_by_text(words("import_taken_back"))).to_be_visible(timeout=60_000)
    expect(figure).to_have_text("–", timeout=60_000)
