"""The published tables of November 2024, as workbooks with all that officials do to them: the figures come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sheets import FORMATS, Formula, Page

from schemas.economy import RENAMED
from services.ingest.spreadsheets import events, reading, workbook
from services.ingest.spreadsheets.form import Form, Question, Said, shown
from services.simulator.november_2024.statements import PROVINCE
from services.simulator.november_2024.tables import rows

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ABOVE = (
    ["UBND TỈNH BÌNH PHƯỚC", "", "", "", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
    ["SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "", "", "", "Độc lập - Tự do - Hạnh phúc"],
    ["(Kèm theo Báo cáo số 10/BC-STTTT ngày 30/11/2024 của Sở Thông tin và Truyền thông)"],
)
BELOW = (
    [],
    ["(*) Ghi chú: số liệu do các đơn vị báo cáo"],
    ["", "", "", "", "Bình Phước, ngày 30 tháng 11 năm 2024"],
    ["", "NGƯỜI LẬP BIỂU", "", "", "GIÁM ĐỐC"],
)


def read(page: Page, kind: str, **said: Any) -> tuple[Form, list[events.Draft]]:
    """The form of a page and its events; nothing may be asked."""
    sheets = reading.modern(workbook.read(FORMATS[kind](page), "a file"))
    form = reading.read(sheets, reading.recognise(sheets, "a file"), Said(**said), "a file")
    found = list(events.drafts(form, None, NOW))
    assert [*form.questions, *(one for one in found if isinstance(one, Question))] == []
    return form, [one for one in found if isinstance(one, events.Draft)]


def plain(number: str) -> str:
    """Without idle zeros, which a number in a workbook has not."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def as_text(number: str) -> str:
    """As a number is typed as text: thousands with points, decimals with a comma."""
    whole, _, decimals = number.partition(".")
    return f"{int(whole):,}".replace(",", ".") + (f",{decimals}" if decimals else "")


def mixed(text: str, place: int) -> Any:
    """A figure as a number, as a text, as a stroke for zero: by its place, as several hands fill in a form."""
    if not text:
        return ""
    if text == "0" and place % 2:
        return "-"
    return [as_text(text), f" {text} ".replace(".", ","), float(text)][place % 3] if place % 4 else float(text)


def form_rows(table: str, columns: Sequence[str]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for number, row in enumerate(rows(table)):
        if number in (0, 16):
            found.append(
                ["I" if number == 0 else "II", "Sở, ban, ngành" if number == 0 else "Huyện, thị xã, thành phố"]
            )
        name = row["unit_name_as_printed"]
        found.append([number + 1, name, *(mixed(row[column], number + place) for place, column in enumerate(columns))])
    return found


def printed(table: str, columns: Sequence[str]) -> list[list[str]]:
    return [[row["unit_code"], *(row[column] for column in columns)] for row in rows(table)]


def values(form: Form, columns: Sequence[str]) -> list[list[str]]:
    return [[shown(row.values[name]) for name in ("unit_code", *columns)] for row in form.rows]


def total(drafts: Sequence[events.Draft], indicator: str) -> Decimal:
    return sum(stated(drafts, indicator), Decimal(0))


def stated(drafts: Sequence[events.Draft], indicator: str) -> list[Decimal]:
    said = [draft.data for draft in drafts if getattr(draft.data, "indicator", "") == indicator]
    return [value for data in said if (value := getattr(data, "value", None)) is not None]


PAID = ("tax_txn_month", "tax_vnd_month", "fee_txn_month", "fee_vnd_month")


@pytest.mark.parametrize("kind", FORMATS)
def test_payments_come_back_to_the_dong(kind: str) -> None:
    sums = [sum(int(row[column]) for row in rows("online_payment_by_district")) for column in PAID]
    page = Page(
        [
            *ABOVE,
            ["TÌNH HÌNH THANH TOÁN TRỰC TUYẾN THÁNG 11 NĂM 2024"],
            ["STT", "Huyện, thị xã, thành phố", "Nghĩa vụ tài chính (NVTC)", "", "Phí, lệ phí", ""],
            ["", "", "Số giao dịch", "Số tiền (đồng)", "Số giao dịch", "Số tiền (đồng)"],
            ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
            *([n, row["unit_name_as_printed"], *(mixed(row[column], n + place) for place, column in enumerate(PAID))]
              for n, row in enumerate(rows("online_payment_by_district"), start=1)),
            ["Tổng cộng", "", *map(float, sums)],
            *BELOW,
        ],
        [(4, 0, 5, 0), (4, 1, 5, 1), (4, 2, 4, 3), (4, 4, 4, 5)],
    )  # fmt: skip
    form, drafts = read(page, kind)
    assert values(form, PAID) == printed("online_payment_by_district", PAID)
    assert [check.warning for check in form.totals] == [None] * 4
    assert len(drafts) == 44
    sums_of_events = [total(drafts, f"reported_payments_online_{what}") for what in
                      ("tax_count", "tax_amount", "fee_count", "fee_amount")]  # fmt: skip
    assert sums_of_events == [4884, 14937656323, 10213, 1912706930]
    first = drafts[0].event()
    assert first.fields["document"] == "10/BC-STTTT"
    assert first.time == datetime(2024, 11, 29, 17, tzinfo=UTC), "published on the day of the report, local"


SOFTWARE = (
    "paperless_meetings_period", "paperless_meetings_cumulative", "pct_documents_digitally_signed",
    "pct_documents_handled_online", "antivirus_installs", "pct_staff_using_official_email",
)  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
def test_software_comes_back_with_its_sums_and_means_and_a_blank_stays_missing(kind: str) -> None:
    page = Page(
        [
            *ABOVE,
            ["TÌNH HÌNH SỬ DỤNG PHẦN MỀM"],
            ["(Từ ngày 23/10/2024 đến ngày 23/11/2024)"],
            ["STT", "Đơn vị", "Phòng họp không giấy", "", "Văn bản", "", "Phần mềm diệt vi rút", "Thư điện tử công vụ"],
            ["", "", "Số cuộc họp trong kỳ", "Lũy kế", "Tỷ lệ ký số (%)", "Tỷ lệ xử lý trên môi trường mạng (%)",
             "Số máy cài", "Tỷ lệ sử dụng (%)"],
            *form_rows("egov_software_usage_by_unit", SOFTWARE),
            ["", "Tổng cộng", 92, Formula("=SUM(D8:D42)", 4849), 90.85, 100, 4760, 86.76],
            *BELOW,
        ],
        [(5, 0, 6, 0), (5, 1, 6, 1), (5, 2, 5, 3), (5, 4, 5, 5)],
    )  # fmt: skip
    form, drafts = read(page, kind)
    assert values(form, SOFTWARE) == printed("egov_software_usage_by_unit", SOFTWARE)
    assert [check.warning for check in form.totals] == [None] * 6
    assert (total(drafts, "paperless_meetings"), total(drafts, "paperless_meetings_total")) == (92, 4849)
    means = [stated(drafts, f"{what}_pct") for what in ("documents_signed", "documents_online", "official_email")]
    assert [(len(some), round(sum(some) / len(some), 2)) for some in means] == [
        (33, Decimal("90.85")), (33, 100), (33, Decimal("86.76")),
    ]  # fmt: skip
    installs = [draft.data.model_dump()["installs"] for draft in drafts if draft.data.event == "antivirus.reported"]
    assert (len(installs), sum(installs)) == (32, 4760)


SERVICES = ("pct_online_services_with_dossiers", "meets_target_80", "pct_dossiers_handled_online", "meets_target_50")


@pytest.mark.parametrize("kind", FORMATS)
def test_online_services_come_back_with_their_flags(kind: str) -> None:
    verdict = {"1": "Đạt", "0": "Không đạt"}
    page = Page(
        [
            *ABOVE,
            ["KẾT QUẢ CUNG CẤP DỊCH VỤ CÔNG TRỰC TUYẾN"],
            ["(Tính đến ngày 23/11/2024)"],
            ["STT", "Đơn vị", "Dịch vụ công trực tuyến có phát sinh hồ sơ", "", "Hồ sơ xử lý trực tuyến", ""],
            ["", "", "Tỷ lệ (%)", "Đạt", "Tỷ lệ (%)", "Đạt"],
            *([n, row["unit_name_as_printed"], float(row[SERVICES[0]]), verdict[row[SERVICES[1]]],
               row[SERVICES[2]].replace(".", ",") + "%", verdict[row[SERVICES[3]]]]
              for n, row in enumerate(rows("online_services_by_unit"), start=1)),
            ["", "Bình quân", 98.61, "", "81%", ""],
            *BELOW,
        ]
    )  # fmt: skip
    form, drafts = read(page, kind)
    assert values(form, SERVICES) == printed("online_services_by_unit", SERVICES)
    assert [check.warning for check in form.totals] == [None, None]
    means = [stated(drafts, f"reported_online_{what}_share") for what in ("service", "dossier")]
    assert [(len(some), round(sum(some) / len(some), 2)) for some in means] == [
        (27, Decimal("98.61")), (27, Decimal("80.78")),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
def test_certified_copies_and_the_one_that_is_missing(kind: str) -> None:
    (row,) = rows("e_certification_summary")
    columns = [name for name in row if not name.startswith("period")]
    page = Page(
        [
            ["Kết quả chứng thực bản sao điện tử trên địa bàn tỉnh Bình Phước"],
            ["Từ ngày 23 tháng 10 năm 2024 đến ngày 23 tháng 11 năm 2024"],
            ["Tiếp nhận", "", "", "Đã giải quyết", "", "", "Đang giải quyết", "", ""],
            ["Tổng số", "Kỳ trước chuyển sang", "Tiếp nhận mới", "Tổng số", "Trước và đúng hạn", "Quá hạn", "Tổng số",
             "Chưa đến hạn", "Quá hạn"],
            ["(1)=(2)+(3)", "(2)", "(3)", "(4)=(5)+(6)", "(5)", "(6)", "(7)=(8)+(9)", "(8)", "(9)"],
            [as_text(row[column]) if row[column] != "0" else "-" for column in columns],
        ]
    )  # fmt: skip
    form, drafts = read(page, kind)
    assert [shown(form.rows[0].values[column]) for column in columns] == [row[column] for column in columns]
    assert {draft.unit for draft in drafts} == {PROVINCE} and len(drafts) == 9
    assert [check.warning for check in form.totals if check.warning] == [
        "row 6: received_total = resolved_total + in_progress_total: 5122 is not 5119 + 2 = 5121"
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_hotline_and_the_two_messages_in_neither_group(kind: str) -> None:
    (row,) = rows("hotline_1022_period")
    columns = [name for name in row if not name.startswith("period")]
    page = Page(
        [
            ["Tổng đài 1022, từ 23/10 đến 23/11/2024"],
            ["Số tin tiếp nhận", "Đã xử lý", "Đang xử lý", "Trả lời trực tiếp", "Chuyển cơ quan xử lý"],
            [int(row[column]) for column in columns],
        ]
    )
    form, drafts = read(page, kind, unit=PROVINCE)
    assert [shown(form.rows[0].values[column]) for column in columns] == [row[column] for column in columns]
    assert stated(drafts, "reported_hotline_received") == [290] and len(drafts) == 5
    assert [check.warning for check in form.totals if check.warning] == [
        "row 3: received = answered_directly + forwarded_to_agencies: 290 is not 254 + 34 = 288"
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_targets_of_resolution_02_each_over_its_own_days(kind: str) -> None:
    page = Page(
        [
            ["Chỉ tiêu Nghị quyết 02/NQ-CP năm 2024 trên địa bàn tỉnh Bình Phước"],
            ["STT", "Chỉ tiêu", "Chỉ tiêu năm 2024", "Kết quả 10 tháng năm 2024", "Kết quả năm 2024", "Đánh giá"],
            *([n, row["indicator_vi"], mixed(row["target_2024_pct"], n), mixed(row["achieved_10m2024_pct"], n + 1),
               mixed(row["achieved_year2024_pct"], n + 2), "Đạt" if row["reached_at_10m"] == "1" else "Chưa đạt"]
              for n, row in enumerate(rows("nq02_2024_targets"), start=1)),
        ]
    )  # fmt: skip
    form, drafts = read(page, kind)
    columns = ("target_2024_pct", "achieved_10m2024_pct", "achieved_year2024_pct")
    assert [[shown(row.values[name]) for name in ("indicator", *columns)] for row in form.rows] == [
        [f"nq02_{row['indicator_code']}", *(row[column] for column in columns)] for row in rows("nq02_2024_targets")
    ]
    said = [
        draft.data.model_dump(mode="json")
        for draft in drafts
        if getattr(draft.data, "indicator", "") == "nq02_data_reuse"
    ]
    assert [(one.get("target") or one["value"], one["period_start"], one["period_end"]) for one in said] == [
        ("50", "2024-01-01", "2024-12-31"),
        ("75", "2024-01-01", "2024-10-31"),
        ("76.4", "2024-01-01", "2024-12-31"),
    ]
    assert len(drafts) == 24


@pytest.mark.parametrize("kind", FORMATS)
def test_figures_of_programmes_with_their_wholes_and_days(kind: str) -> None:
    tables = [*rows("programme_figures"), *rows("document_figures")]
    page = Page(
        [
            ["Số liệu các chương trình, đề án của tỉnh Bình Phước"],
            ["STT", "Chỉ tiêu", "Kết quả", "Tổng số", "Tính đến ngày"],
            *([n, row["indicator_vi"], float(row["value"]), float(row["total"]) if row["total"] else "",
               datetime.fromisoformat(row["period_end"]).date()] for n, row in enumerate(tables, start=1)),
        ]
    )  # fmt: skip
    form, drafts = read(page, kind, unit=PROVINCE)
    columns = ("indicator", "value", "total", "period_end")
    assert [[shown(row.values[name]) for name in columns] for row in form.rows] == [
        [
            RENAMED.get(code := f"{row['programme']}_{row['indicator_code']}", code),
            *(plain(row[name]) for name in columns[1:]),
        ]
        for row in tables
    ]
    assert len(drafts) == len(tables) == 53
