"""`ioc import` on real servers: what a workbook says is read as figures, once however often it is sent; what was
corrected in it is a new vintage."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from sheets import Page, ods, xlsx
from support import command, output_of, wait_until_idle
from visitors import Browser, add_account, board, entered

from infra.local.servers import Instance
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit import store
from services.simulator.november_2024.tables import rows

COLUMNS = ("tax_txn_month", "tax_vnd_month", "fee_txn_month", "fee_vnd_month")
HEAD = ["Đơn vị", "Số giao dịch NVTC", "Số tiền NVTC", "Số giao dịch phí, lệ phí", "Số tiền phí, lệ phí"]


@pytest.fixture(scope="module")
def storing(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    running = new_centre(open_folder / "importing" / "main")
    try:
        running.start(["nats", "timescaledb"])
        running.start_services(["aggregator"])
        yield running
    finally:
        running.stop()


def imported(centre: Instance, file: Path, *options: str) -> str:
    """What the command says that it did."""
    done = command(centre, "import", str(file), *options)
    assert done.exit_code == 0, done.output
    wait_until_idle(centre)
    return done.stderr.strip().splitlines()[0]


def figure(centre: Instance, indicator: str, *options: str) -> Decimal | None:
    found = json.loads(output_of(centre, "query", indicator, "--format", "json", *options))["readings"]
    (reading,) = found
    return None if reading["value"] is None else Decimal(str(reading["value"]))


def payments(changed: dict[str, Any] | None = None) -> Page:
    table = [
        [row["unit_name_as_printed"], *(int(row[name]) for name in COLUMNS)]
        for row in rows("online_payment_by_district")
    ]
    for row in table:
        if changed and row[0] in changed:
            row[1] = changed[row[0]]
    return Page([["Thanh toán trực tuyến tháng 11 năm 2024"], HEAD, *table])


def test_published_payments_come_back_to_the_dong_and_a_second_import_adds_nothing(
    storing: Instance, tmp_path: Path
) -> None:
    file, again = tmp_path / "tt-11.xlsx", tmp_path / "tt-11.ods"
    file.write_bytes(xlsx(payments()))
    again.write_bytes(ods(payments()))
    assert imported(storing, file) == "sent 44, of them 0 corrections; 0 were known"
    november = ("--from", "11/2024", "--to", "11/2024")
    totals = {"tax_count": 4884, "tax_amount": 14937656323, "fee_count": 10213, "fee_amount": 1912706930}
    for what, total in totals.items():
        assert figure(storing, f"reported_payments_online_{what}", *november) == total
    assert figure(storing, "reported_payments_online_fee_count", "--unit", "Huyện Lộc Ninh", *november) == 2656
    assert imported(storing, file) == imported(storing, again) == "sent 0, of them 0 corrections; 44 were known"
    assert figure(storing, "reported_payments_online_tax_count", *november) == 4884


def test_a_corrected_cell_is_a_new_vintage_and_the_one_before_stays_readable(storing: Instance, tmp_path: Path) -> None:
    def services(share: float, day: str) -> Path:
        file = tmp_path / "dvc.xlsx"
        head = ["Đơn vị", "Tỷ lệ DVC trực tuyến có phát sinh hồ sơ", "Tỷ lệ hồ sơ trực tuyến"]
        signed = ["", "", f"Chơn Thành, {day}"]
        rows_of = [["Phường Chơn Thành", share, 61.5], ["Xã Nha Bích", 90, 70]]
        file.write_bytes(xlsx(Page([["Dịch vụ công trực tuyến tháng 10 năm 2025"], head, *rows_of, [], signed])))
        return file

    share, october = "reported_online_service_share", ("--from", "10/2025", "--to", "10/2025")
    of = (share, "--unit", "phuong_chon_thanh", *october)
    first = services(80.5, "ngày 02 tháng 11 năm 2025")
    assert imported(storing, first) == "sent 4, of them 0 corrections; 0 were known"
    assert figure(storing, *of) == Decimal("80.5")
    assert figure(storing, share, *october) == Decimal("85.25"), "the mean of the units"
    second = services(88.25, "ngày 10 tháng 11 năm 2025")
    assert imported(storing, second) == "sent 1, of them 1 corrections; 3 were known"
    assert imported(storing, second) == "sent 0, of them 0 corrections; 4 were known"
    assert figure(storing, *of) == Decimal("88.25")
    assert figure(storing, *of, "--as-of", "09/11/2025") == Decimal("80.5")
    assert figure(storing, *of, "--as-of", "10/11/2025") == Decimal("88.25")
    assert figure(storing, *of, "--as-of", "31/10/2025") is None


def test_with_a_question_open_nothing_is_stored(storing: Instance, tmp_path: Path) -> None:
    file = tmp_path / "tt.xlsx"
    page = payments({"Huyện Bù Đốp": "100%"})
    file.write_bytes(xlsx(Page([["Thanh toán trực tuyến tháng 10 năm 2024"], *page.rows[1:]])))
    done = command(storing, "import", str(file))
    assert done.exit_code == 1 and "1 question is open: nothing was sent" in done.stderr
    october = ("--from", "10/2024", "--to", "10/2024")
    assert figure(storing, "reported_payments_online_fee_count", *october) is None
    assert imported(storing, file, "--answer", "Sheet1!B7=100").startswith("sent 44,")
    assert figure(storing, "reported_payments_online_tax_count", "--unit", "bu_dop", *october) == 100


def test_a_column_that_was_explained_once_is_known_from_then_on(storing: Instance, tmp_path: Path) -> None:
    def november(day: str, meetings: int) -> Path:
        file = tmp_path / "phan-mem.xlsx"
        head = ["Đơn vị", "Họp không giấy", "Số cuộc họp không giấy lũy kế", "Tỷ lệ văn bản ký số"]
        file.write_bytes(xlsx(Page([[f"Tính đến ngày {day}"], head, ["Phường Chơn Thành", meetings, 40, 98]])))
        return file

    asked = command(storing, "import", str(november("31/10/2025", 3)), "--as", "software")
    assert "? Sheet1!B2 says 'Họp không giấy'" in asked.stdout and asked.exit_code == 1
    answer = ("--as", "software", "--answer", "Sheet1!B2=paperless_meetings_period")
    assert imported(storing, november("31/10/2025", 3), *answer).startswith("sent 3,")
    assert imported(storing, november("30/11/2025", 4), "--as", "software").startswith("sent 3,")
    assert figure(storing, "paperless_meetings", "--from", "11/2025", "--to", "11/2025") == 4


def number_of(centre: Instance) -> str:
    """Of the import that was made last."""
    return str(json.loads(output_of(centre, "imports", "list", "--format", "json"))[0]["id"])


def taken_back(centre: Instance, number: str) -> str:
    said = command(centre, "imports", "take-back", number, "--user", "lan")
    assert said.exit_code == 0, said.output
    wait_until_idle(centre)
    return said.stderr.strip()


def test_an_import_is_taken_back_as_a_whole_and_can_be_made_again(storing: Instance, tmp_path: Path) -> None:
    def file_of(month: str, changed: dict[str, Any] | None = None) -> Path:
        file = tmp_path / "tt.xlsx"
        file.write_bytes(xlsx(Page([[f"Thanh toán trực tuyến tháng {month} năm 2024"], *payments(changed).rows[1:]])))
        return file

    of = ("reported_payments_online_tax_count", "--from", "9/2024", "--to", "9/2024")
    own = ("--unit", "Huyện Bù Đốp")
    imported(storing, file_of("9"))
    first, before = number_of(storing), (figure(storing, *of), figure(storing, *of, *own))
    assert None not in before
    assert imported(storing, file_of("9", {"Huyện Bù Đốp": 777})) == "sent 1, of them 1 corrections; 43 were known"
    second = number_of(storing)
    assert figure(storing, *of, *own) == 777
    assert taken_back(storing, second).endswith("taken back; 43 stay, for another import states them too")
    assert (figure(storing, *of), figure(storing, *of, *own)) == before
    assert imported(storing, file_of("9")) == "sent 0, of them 0 corrections; 44 were known"
    third = number_of(storing)
    assert taken_back(storing, first).endswith("; 44 stay, for another import states them too")
    assert (figure(storing, *of), figure(storing, *of, *own)) == before, "the third import states them too"
    assert taken_back(storing, third) == "44 figures of tt.xlsx were taken back"
    assert figure(storing, *of) is None and figure(storing, *of, *own) is None
    assert figure(storing, *of, *own, "--as-of", "01/12/2024") == 777, "it was known then"
    assert taken_back(storing, third).startswith("0 figures"), "a second time changes nothing"
    assert imported(storing, file_of("9")) == "sent 44, of them 0 corrections; 0 were known"
    assert (figure(storing, *of), figure(storing, *of, *own)) == before
    done = command(storing, "rebuild", "--check")
    assert done.exit_code == 0, done.output


def test_who_imported_what_is_in_the_audit(storing: Instance, tmp_path: Path) -> None:
    file = tmp_path / "tt-8.xlsx"
    file.write_bytes(xlsx(Page([["Thanh toán trực tuyến tháng 8 năm 2024"], *payments().rows[1:]])))
    imported(storing, file, "--user", "hoa")
    number = number_of(storing)
    taken_back(storing, number)
    with store.connect(settings_of(storing, "cli"), "owner") as conn:
        rows = conn.execute(
            "SELECT by, action, detail FROM audit WHERE subject = %s AND action LIKE 'import.%%' ORDER BY id", [number]
        ).fetchall()
    digest = blake2b(file.read_bytes(), digest_size=16).hexdigest()
    said = {"file": "tt-8.xlsx", "digest": digest, "template": "online_payment", "new": 44, "revised": 0, "known": 0}
    assert rows == [("cli:hoa", "import.made", said), ("cli:lan", "import.taken_back", said)]
    (one, *_) = json.loads(output_of(storing, "imports", "list", "--format", "json"))
    assert (one["by"], one["taken_back_by"], one["systems"]) == ("cli:hoa", "cli:lan", ["economy"])
    assert "taken back" in output_of(storing, "imports", "list")
    assert command(storing, "imports", "take-back", "999999").exit_code == 1


# --- on the board ---

CLERK, WARD_CLERK, VIEWER = "nhap-lieu", "nhap-lieu-phuong", "chi-xem"


@pytest.fixture(scope="module")
def home(storing: Instance) -> Iterator[str]:
    add_account(storing, CLERK, "operator")
    add_account(storing, WARD_CLERK, "operator", units=("phuong_chon_thanh",))
    add_account(storing, VIEWER, "viewer")
    with board(storing) as address:
        yield address


def uploaded(browser: Browser, name: str, body: bytes) -> str:
    """The page of a workbook's draft."""
    answer = browser.http.post(f"/imports/file?name={name}", content=body, headers={"x-csrf": browser.csrf()})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["next"])


def text_of(browser: Browser, path: str) -> str:
    return html.unescape(browser.get(path).text)


def posted(browser: Browser, path: str, **fields: str) -> str:
    """Where a form leads."""
    answer = browser.post(path, csrf=browser.csrf(), **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_a_clerk_uploads_answers_confirms_and_takes_back(storing: Instance, home: str) -> None:
    clerk = entered(home, CLERK)
    page = payments({"Huyện Bù Đốp": "100%"})
    book = xlsx(Page([["Thanh toán trực tuyến tháng 7 năm 2024"], *page.rows[1:]]))
    draft = uploaded(clerk, "tt-7.xlsx", book)
    asked = text_of(clerk, draft)
    assert "Sheet1!B7" in asked and "ghi theo tỷ lệ % trong cột số lượng" in asked
    assert posted(clerk, f"{draft}/send") == draft, "with a question open nothing is sent"
    assert WORDS["import_changed"][0] in text_of(clerk, draft)
    posted(clerk, f"{draft}/read", at_0="Sheet1!B7", other_0="100")
    ready = text_of(clerk, draft)
    assert WORDS["import_difference"][0].format(44, 0, 0) in ready and WORDS["import_confirm"][0] in ready
    place = posted(clerk, f"{draft}/send")
    wait_until_idle(storing)
    of = ("reported_payments_online_tax_count", "--unit", "bu_dop", "--from", "7/2024", "--to", "7/2024")
    wait_for(lambda: figure(storing, *of) == 100)
    assert "/figure/reported_payments_online_tax_count" in text_of(clerk, place)
    assert posted(clerk, f"{place}/take-back") == place
    assert WORDS["import_not_sure"][0] in text_of(clerk, place)
    assert figure(storing, *of) == 100
    posted(clerk, f"{place}/take-back", sure="yes")
    assert WORDS["import_taken_back"][0] in text_of(clerk, place)
    wait_for(lambda: figure(storing, *of) is None)
    assert "tt-7.xlsx" in text_of(clerk, "/imports")


def test_a_column_explained_on_the_board_is_known_to_the_account_and_a_correction_says_from_what_to_what(
    home: str,
) -> None:
    def book(day: str, meetings: int) -> bytes:
        head = ["Đơn vị", "Họp không giấy", "Số cuộc họp không giấy lũy kế", "Tỷ lệ văn bản ký số"]
        return xlsx(Page([[f"Tính đến ngày {day}"], head, ["Phường Chơn Thành", meetings, 40, 98]]))

    def opened(browser: Browser, body: bytes) -> str:
        draft = uploaded(browser, "phan-mem.xlsx", body)
        posted(browser, f"{draft}/read", template="software")
        return draft

    clerk, other = entered(home, CLERK), entered(home, WARD_CLERK)
    first = opened(clerk, book("31/08/2025", 3))
    assert "Sheet1!B2" in text_of(clerk, first) and WORDS["import_confirm"][0] not in text_of(clerk, first)
    posted(clerk, f"{first}/read", template="software", at_0="Sheet1!B2", other_0="paperless_meetings_period")
    place = posted(clerk, f"{first}/send")
    wait_for(lambda: WORDS["import_arrived"][0] in text_of(clerk, place))
    assert WORDS["import_confirm"][0] in text_of(clerk, opened(clerk, book("30/09/2025", 4))), "nothing is asked again"
    assert "Sheet1!B2" in text_of(other, opened(other, book("30/09/2025", 4))), (
        "what a column means is one's own to say"
    )
    corrected = text_of(clerk, opened(clerk, book("31/08/2025", 5)))
    assert WORDS["import_difference"][0].format(0, 1, 2) in corrected
    row = re.sub("<[^>]*>", " ", corrected.partition(WORDS["import_now"][0])[2])
    assert re.search(r"\b3 +5\b", row), row


def test_an_old_file_sent_again_leaves_its_correction_in_force_until_that_is_taken_back(
    storing: Instance, home: str, tmp_path: Path
) -> None:
    def file_of(name: str, changed: dict[str, Any] | None = None) -> Path:
        file = tmp_path / name
        file.write_bytes(xlsx(Page([["Thanh toán trực tuyến tháng 5 năm 2024"], *payments(changed).rows[1:]])))
        return file

    of = ("reported_payments_online_tax_count", "--unit", "bu_dop", "--from", "5/2024", "--to", "5/2024")
    old, corrected = file_of("tt-5.xlsx"), file_of("tt-5-dinh-chinh.xlsx", {"Huyện Bù Đốp": 777})
    imported(storing, old)
    before = figure(storing, *of)
    assert imported(storing, corrected).startswith("sent 1, of them 1 corrections")
    correction = number_of(storing)
    again = command(storing, "import", str(old))
    assert "sent 0, of them 0 corrections; 44 were known" in again.stderr and "1 of them this file said" in again.stderr
    wait_until_idle(storing)
    assert figure(storing, *of) == 777
    saved = tmp_path / "tt-5-luu-lai.ods"
    above, head, *table = [["Thanh toán trực tuyến tháng 5 năm 2024"], *payments().rows[1:]]
    saved.write_bytes(ods(Page([["UBND TỈNH BÌNH PHƯỚC"], above, head, *reversed(table)])))
    anew = command(storing, "import", str(saved))
    assert "sent 0, of them 0 corrections; 44 were known" in anew.stderr and "1 of them this file said" in anew.stderr
    wait_until_idle(storing)
    assert figure(storing, *of) == 777 and taken_back(storing, number_of(storing)).startswith("0 figures")
    clerk = entered(home, CLERK)
    shown = text_of(clerk, uploaded(clerk, "tt-5.xlsx", old.read_bytes()))
    assert WORDS["import_difference"][0].format(0, 0, 44) in shown and WORDS["import_outdated"][0].format(1) in shown
    other = file_of("tt-5-lai.xlsx", {"Huyện Bù Đốp": 778})
    assert imported(storing, other).startswith("sent 1, of them 1 corrections")
    assert taken_back(storing, number_of(storing)).startswith("1 figures")
    assert taken_back(storing, correction).startswith("1 figures")
    assert figure(storing, *of) == before, "what it said before counts again"


def test_the_page_is_bounded_and_a_bad_file_is_told(home: str) -> None:
    clerk, bounded = entered(home, CLERK), entered(home, WARD_CLERK)
    assert entered(home, VIEWER).get("/imports").status_code == 403
    book = xlsx(Page([["Thanh toán trực tuyến tháng 6 năm 2024"], *payments().rows[1:]]))
    draft = uploaded(bounded, "tt-6.xlsx", book)
    assert "ngoài phạm vi của bạn" in text_of(bounded, draft)
    assert posted(bounded, f"{draft}/send") == draft
    assert "tt-7.xlsx" not in text_of(bounded, "/imports")
    assert WORDS["import_gone"][0] in text_of(clerk, draft), "a draft is its session's"
    assert clerk.http.post("/imports/file?name=x.xlsx", content=book).status_code == 403
    assert "không phải bảng tính" in text_of(clerk, uploaded(clerk, "bao-cao.pdf", b"%PDF-1.7 ..."))
    large = clerk.http.post(
        "/imports/file?name=x.xlsx", content=(b"\0" * 2**20 for _ in range(65)), headers={"x-csrf": clerk.csrf()}
    )
    assert large.status_code == 413


def wait_for(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.3)
