"""Workbooks of offices that keep to no form: rows of nothing, several tables in a sheet, months side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sheets import Page, Percent, xlsx

from schemas.units import find
from services.board.pages.imports.drafts import Draft as Upload
from services.board.pages.imports.imports_page import answered
from services.ingest.spreadsheets import events, reading, titles, workbook
from services.ingest.spreadsheets.events import Draft
from services.ingest.spreadsheets.form import Form, Question, Said, shown
from services.ingest.spreadsheets.template import templates

NOW = datetime(2026, 11, 29, tzinfo=UTC)
HEAD = (
    ["STT", "Đơn vị", "Nghĩa vụ tài chính", "", "Phí, lệ phí", ""],
    ["", "", "Số giao dịch", "Số tiền (đồng)", "Số giao dịch", "Số tiền (đồng)"],
)
NOVEMBER = (["TÌNH HÌNH THANH TOÁN TRỰC TUYẾN THÁNG 11 NĂM 2024"], *HEAD)
XOAI = [1, "Thành phố Đồng Xoài", 595, 3886775354, 2050, 632500000]
LONG = [2, "Thị xã Bình Long", 125, 187772831, 1234, 13364000]


def read(*rows: Any, name: str | None = None, answers: Mapping[str, str] | None = None, **page: Any) -> Form:
    """The form of rows, with all its questions; `events` below has what it gives."""
    sheets = reading.modern(workbook.read(xlsx(Page(rows, **page)), "a file"))
    template = templates()[name] if name else reading.recognise(sheets, "a file")
    said = Said({("Sheet1", cell): text for cell, text in (answers or {}).items()})
    form = reading.read(sheets, template, said, "a file")
    form.questions += [one for one in events.drafts(form, None, NOW) if isinstance(one, Question)]
    form.questions[:] = dict.fromkeys(form.questions)
    return form


def drafts(form: Form) -> list[Draft]:
    return [one for one in events.drafts(form, None, NOW) if isinstance(one, Draft)]


def asked(form: Form) -> dict[str, tuple[str, ...]]:
    """The cells that are asked about, with the choices."""
    return {question.cell: question.choices for question in form.questions}


# --- what a row is of ---


@pytest.mark.parametrize("label", ["CỘNG TOÀN TỈNH", "T.CỘNG", "Khối huyện", "Trong đó: khu vực đô thị", ""])
def test_a_row_that_is_of_no_unit_can_be_left_out(label: str) -> None:
    rows = [*NOVEMBER, XOAI, ["A", label, 595, 3886775354, 2050, 632500000], LONG]
    form = read(*rows)
    if form.questions:
        assert list(asked(form)) == ["B5"] and "skip" in asked(form)["B5"]
        form = read(*rows, answers={"B5": "skip"})
        assert [(skipped.row, skipped.why) for skipped in form.skipped] == [(5, "left out as answered")]
    assert form.questions == [] and [row.unit for row in form.rows] == ["dong_xoai", "binh_long"]


def test_of_a_row_that_stands_twice_one_can_be_left_out() -> None:
    rows = [*NOVEMBER, XOAI, XOAI]
    assert asked(read(*rows)) == {"B5": ("skip",)}
    form = read(*rows, answers={"B5": "skip"})
    assert form.questions == [] and len(drafts(form)) == 4


def test_a_row_without_a_unit_may_be_of_the_one_above() -> None:
    assert asked(read(*NOVEMBER, XOAI, ["", "", 1, 2, 3, 4])) == {"B5": ("dong_xoai", "skip")}


SCHOOLS = (
    ["Trường, lớp, học sinh tính đến ngày 30/9/2024"],
    ["Đơn vị", "Cấp học", "Số trường", "Số lớp", "Số học sinh", "Số giáo viên"],
)


@pytest.mark.parametrize("level", ["Bậc mẫu giáo", ""])
def test_figures_of_no_level_are_asked_about_with_the_levels_and_never_lost(level: str) -> None:
    row = ["Thị xã Chơn Thành", level, 3, 30, 900, 60]
    choices = ("kindergarten", "primary", "lower_secondary", "upper_secondary", "continuing", "skip")
    assert asked(read(*SCHOOLS, row)) == {"B3": choices}
    form = read(*SCHOOLS, row, answers={"B3": "kindergarten"})
    assert form.questions == [] and len(drafts(form)) == 1


def test_figures_of_no_facility_are_asked_about_and_never_lost() -> None:
    head = ["Đơn vị", "Cơ sở", "Lượt khám", "Lượt khám BHYT"]
    assert asked(read(["Khám chữa bệnh ngày 15/10/2024"], head, ["Thị xã Chơn Thành", "", 10, 9])) == {"B3": ("skip",)}


def test_hidden_rows_are_answered_also_where_units_stand_in_the_first_column() -> None:
    rows = [[cell for place, cell in enumerate(row) if place] for row in (*HEAD, XOAI, LONG)]
    hidden = {"hidden": [4]}
    assert asked(read(*NOVEMBER[:1], *rows, **hidden)) == {"A5": ("read", "skip")}
    for answer, units in (("read", ["dong_xoai", "binh_long"]), ("skip", ["dong_xoai"])):
        form = read(*NOVEMBER[:1], *rows, answers={"A5": answer}, **hidden)
        assert form.questions == [] and [row.unit for row in form.rows] == units


def test_in_january_the_month_and_the_months_so_far_are_one_statement_or_a_question() -> None:
    head = ["Chỉ tiêu", "ĐVT", "Thực hiện tháng 1", "Lũy kế"]
    titles = (["KT-XH THÁNG 1 NĂM 2024"], ["Đơn vị: Thị xã Chơn Thành"], head)
    form = read(*titles, ["Thu ngân sách nhà nước", "tỷ đồng", 10, 10])
    assert form.questions == [] and len(drafts(form)) == 1
    other = ["Thu ngân sách nhà nước", "tỷ đồng", 10, 12]
    assert asked(read(*titles, other)) == {"D4": ("missing",)}
    assert read(*titles, other, answers={"D4": "missing"}).questions == []


# --- several tables in a sheet ---


OCTOBER = ["THANH TOÁN TRỰC TUYẾN THÁNG 10 NĂM 2024"]


def test_tables_of_two_months_in_a_sheet_each_have_their_own_days() -> None:
    form = read(*NOVEMBER, XOAI, LONG, ["Tổng cộng", "", 720, 4074548185, 3284, 645864000], [],
                ["ĐỊA BÀN TỈNH"], OCTOBER, *HEAD, [1, "Huyện Hớn Quản", 5, 6, 7, 8])  # fmt: skip
    assert form.questions == [] and not any(check.warning for check in form.totals)
    days = {(draft.unit, draft.data.model_dump()["period_start"].month) for draft in drafts(form)}
    assert days == {("dong_xoai", 11), ("binh_long", 11), ("hon_quan", 10)}


def test_a_table_below_is_read_by_its_own_headers() -> None:
    order = [0, 1, 4, 5, 2, 3]
    head = [["STT", "Đơn vị", "Phí, lệ phí", "", "Nghĩa vụ tài chính", ""], HEAD[1]]
    form = read(*NOVEMBER, XOAI, ["Khối thị xã"], *head, [LONG[place] for place in order])
    assert form.questions == []
    assert [shown(form.rows[1].values[name]) for name in ("tax_txn_month", "fee_vnd_month")] == ["125", "13364000"]


@pytest.mark.parametrize(("answer", "units"), [("skip", ["dong_xoai"]), ("read", ["dong_xoai", "binh_long"])])
def test_another_table_below_is_asked_about_and_never_read_as_this_one(answer: str, units: list[str]) -> None:
    rows = [*NOVEMBER, XOAI, [], ["TỔNG ĐÀI 1022"], ["STT", "Đơn vị", "Tiếp nhận", "Đã xử lý"], LONG[:4]]
    assert asked(read(*rows)) == {"A7": ("read", "skip")}
    form = read(*rows, answers={"A7": answer})
    assert form.questions == [] and [row.unit for row in form.rows] == units


def test_a_heading_of_other_days_is_asked_about() -> None:
    rows = [*NOVEMBER, XOAI, ["Số liệu tháng 10/2024"], LONG]
    assert asked(read(*rows)) == {"A5": ("read", "skip")}
    assert read(*NOVEMBER, XOAI, ["Số liệu tháng 11/2024"], LONG).questions == []


# --- what headers say ---


def test_months_side_by_side_are_asked_about_and_never_read_as_the_year() -> None:
    title = ["THANH TOÁN TRỰC TUYẾN NĂM 2024"]
    months = [[*HEAD[0][:2], "Tháng 10", "", "", ""], ["", "", *HEAD[0][2:]], HEAD[1]]
    rows = [title, *months, XOAI]
    assert asked(read(*rows)) == {f"{column}4": ("read",) for column in "CDEF"}
    form = read(["THANH TOÁN TRỰC TUYẾN THÁNG 10 NĂM 2024"], *rows[1:])
    assert form.questions == [] and len(drafts(form)) == 4


TITLES = (
    ["TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC"],
    ["Kỳ báo cáo: Quý IV năm 2024 (từ ngày 15/9/2024 đến ngày 14/12/2024)"],
)
II06 = (
    ["STT", "Lĩnh vực, đơn vị", "Số lượng hồ sơ tiếp nhận", "", "", "", "Số lượng hồ sơ đã giải quyết", "", "", "",
     "Số lượng hồ sơ đang giải quyết", "", ""],
    ["", "", "Tổng số", "Trong kỳ", "", "Từ kỳ trước", "Tổng số", "Trước hạn", "Đúng hạn", "Quá hạn", "Tổng số",
     "Trong hạn", "Quá hạn"],
    ["", "", "", "Trực tuyến", "Trực tiếp, dịch vụ bưu chính", "", "", "", "", "", "", "", ""],
    ["(1)", "(2)", "(3)=(4)+(5)+(6)", "(4)", "(5)", "(6)", "(7)=(8)+(9)+(10)", "(8)", "(9)", "(10)", "(11)=(12)+(13)",
     "(12)", "(13)"],
)  # fmt: skip


def test_report_ii06_is_read_as_the_circular_prints_it() -> None:
    figures = [100, 60, 30, 10, 80, 50, 25, 5, 20, 18, 2]
    form = read(*TITLES, *II06, [1, "Thị xã Chơn Thành", *figures])
    assert form.template.name == "ii06" and form.questions == []
    assert [shown(form.rows[0].values[f"ii06_{number:02}"]) for number in range(3, 14)] == list(map(str, figures))


LITTLE = ["Thành phố Đồng Xoài", 595, 38, 2050, 632500000]


def test_what_was_answered_of_a_column_in_millions_is_not_remembered_for_one_in_thousands_of_millions() -> None:
    marks = set[str]()
    for money in ("triệu đồng", "tỷ đồng", "tỷ đồng"):
        head = ["Đơn vị", "GD thuế", f"Số tiền NVTC ({money})", "Số giao dịch phí, lệ phí", "Số tiền phí, lệ phí"]
        form = read(["Tháng 11 năm 2024"], head, LITTLE, name="online_payment", answers={"B2": "tax_txn_month"})
        assert form.questions == []
        marks |= form.columns.keys()
        remembered = replace(Said(), columns=form.columns)
        again = reading.read(form_sheets(head), form.template, remembered, "a file")
        assert again.questions == []
    assert len(marks) == 2


def form_sheets(head: list[str]) -> list[workbook.Sheet]:
    return reading.modern(workbook.read(xlsx(Page([["Tháng 11 năm 2024"], head, LITTLE])), "a file"))


ECONOMY = (["TÌNH HÌNH KINH TẾ - XÃ HỘI THÁNG 11 NĂM 2024"], ["Đơn vị: Thị xã Chơn Thành"])
REVENUE = ["Thu ngân sách nhà nước", "tỷ đồng"]


@pytest.mark.parametrize(
    ("heads", "read_as"),
    [
        (["Thực hiện tháng 10/2024", "Ước thực hiện tháng 11/2024", "Lũy kế 11 tháng năm 2024"], ["2", "3"]),
        (["Ước TH tháng 11", "Thực hiện 11 tháng năm 2023", "Ước thực hiện 11 tháng năm 2024"], ["1", "3"]),
        (["Thực hiện 11 tháng năm 2024", "Thực hiện 11 tháng năm 2023", "Thực hiện tháng 11 năm 2024"], ["3", "1"]),
        (["Lũy kế đến hết tháng 11/2024", "So với cùng kỳ (%)", "So với kế hoạch (%)"], ["", "1"]),
    ],
)
def test_of_columns_headed_alike_those_of_the_forms_own_months_are_read(heads: list[str], read_as: list[str]) -> None:
    form = read(*ECONOMY, ["Chỉ tiêu", "ĐVT", *heads], [*REVENUE, 1, 2, 3])
    assert form.questions == []
    assert [shown(form.rows[0].values.get(name)) for name in ("actual", "cumulative")] == read_as


def test_of_columns_headed_alike_of_no_months_or_of_others_it_is_asked() -> None:
    head = ["Chỉ tiêu", "ĐVT", "Thực hiện tháng 9", "Thực hiện tháng 10"]
    assert asked(read(*ECONOMY, head, [*REVENUE, 1, 2])) == {"C3": ("read",), "D3": ("actual", "ignore")}


def test_a_report_of_the_months_so_far_alone_is_one() -> None:
    form = read(["KT-XH 6 tháng đầu năm 2024"], ECONOMY[1], ["Chỉ tiêu", "ĐVT", "Thực hiện 6 tháng"], [*REVENUE, 500])
    (draft,) = drafts(form)
    said = draft.data.model_dump(mode="json")
    assert (said["period_start"], said["period_end"], said["value"]) == ("2024-01-01", "2024-06-30", "500000000000")


# --- what rows and titles say of days ---

CALLS = ["Tiếp nhận", "Đã xử lý", "Đang xử lý", "Trả lời trực tiếp", "Chuyển cơ quan xử lý"]
HOTLINE = (["TỔNG ĐÀI 1022 NĂM 2024"], ["Đơn vị: Tỉnh Bình Phước"])


@pytest.mark.parametrize(
    ("head", "cell", "days"),
    [
        ("Tháng", "Tháng 10", "2024-10-01 2024-10-31"),
        ("Tháng", 10, "2024-10-01 2024-10-31"),
        ("Tháng", "10/2023", "2023-10-01 2023-10-31"),
        ("Kỳ báo cáo", "Quý III", "2024-07-01 2024-09-30"),
        ("Quý", 3, "2024-07-01 2024-09-30"),
        ("Ngày", date(2024, 10, 5), "2024-10-05 2024-10-05"),
        ("Thời gian", "Từ 23/9/2024 đến 23/10/2024", "2024-09-23 2024-10-23"),
    ],
)
def test_a_row_may_be_of_days_of_its_own(head: str, cell: Any, days: str) -> None:
    form = read(*HOTLINE, [head, *CALLS], [cell, 290, 280, 10, 256, 34], ["Cộng", 290, 280, 10, 256, 34])
    said = drafts(form)[0].data.model_dump(mode="json")
    assert form.questions == [] and f"{said['period_start']} {said['period_end']}" == days


@pytest.mark.parametrize("cell", ["Lũy kế", "", "13"])
def test_a_row_of_no_days_is_asked_about_and_never_of_the_whole_year(cell: str) -> None:
    rows = [*HOTLINE, ["Tháng", *CALLS], ["Tháng 10", 290, 280, 10, 256, 34], [cell, 300, 280, 20, 260, 40]]
    assert "A5" in asked(read(*rows))
    assert read(*rows, answers={"A5": "11/2024"}).questions == []
    assert len(drafts(read(*rows, answers={"A5": "skip"}))) == 5


@pytest.mark.parametrize(
    ("title", "month"),
    [("Biểu số 06 tháng 11 năm 2024", 11), ("Phụ lục 02 tháng 10 năm 2024", 10), ("Biểu II.06 tháng 9 năm 2024", 9)],
)
def test_the_number_of_a_form_is_no_day_of_the_month(title: str, month: int) -> None:
    form = read([title], *HEAD, XOAI)
    assert form.tabs[0].span == titles.span(f"{month}/2024")


def test_hours_of_a_day_and_the_quarter_of_ii06_are_read() -> None:
    assert read(["Từ 0h ngày 23/10/2024 đến 24h00 ngày 23/11/2024"], *HEAD, XOAI).questions == []
    assert read(["Biểu II.06 Quý IV năm 2024"], *II06, [1, "Thị xã Chơn Thành", *range(11)]).tabs[0].span


@pytest.mark.parametrize("label", ["CỘNG TOÀN TỈNH", "Tổng số toàn tỉnh", "T.CỘNG", "Total", "Cả tỉnh"])
def test_a_total_is_none_of_the_rows_whatever_it_is_called(label: str) -> None:
    form = read(*NOVEMBER, XOAI, ["", label, *XOAI[2:]])
    assert form.questions == [] and [skipped.why for skipped in form.skipped] == ["total row"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("Sở TTTT", "so_tttt"), ("SỞ GDĐT", "so_gddt"), ("Sở LĐTBXH", "so_ldtbxh"), ("so vhttdl", "so_vhttdl")],
)
def test_an_office_is_found_by_its_letters_without_the_marks_between_them(name: str, code: str) -> None:
    assert find(name, date(2024, 11, 30)).code == code


# --- several questions at one cell ---

SHARES = (
    ["DỊCH VỤ CÔNG TRỰC TUYẾN"],
    ["Số liệu đến ngày 23/11/2024"],
    ["Đơn vị", "Tỷ lệ DVCTT có phát sinh hồ sơ", "Tỷ lệ hồ sơ trực tuyến"],
)


def test_what_is_asked_at_one_header_is_answered_side_by_side() -> None:
    rows, hidden = [*SHARES, ["Sở Tư pháp", 0.98, 96.3]], {"hidden_columns": [1]}
    form = read(*rows, **hidden)
    assert [(question.cell, question.choices) for question in form.questions] == [
        ("B3", ("read", "skip")),
        ("B3", ("fraction", "percent")),
    ]
    form = read(*rows, answers={"B3": "read, fraction"}, **hidden)
    assert form.questions == [] and shown(form.rows[0].values["pct_online_services_with_dossiers"]) == "98"


def test_the_board_puts_answers_to_one_header_side_by_side_and_else_the_later_counts() -> None:
    at = {"sheet": "Sheet1", "cell": "B3"}
    draft = Upload("1", "s", "a.xlsx", NOW, TemporaryDirectory(), said={"questions": [at, at]})
    with draft.folder:
        fields = {"at_0": "Sheet1!B3", "answer_0": "read", "at_1": "Sheet1!B3", "answer_1": "fraction"}
        answered(draft, fields)
        assert draft.answers == {("Sheet1", "B3"): "read, fraction"}
        draft.said, draft.answers = {"questions": [at]}, {("Sheet1", "B3"): "khoảng 5"}
        answered(draft, {"at_0": "Sheet1!B3", "other_0": "5"})
        assert draft.answers == {("Sheet1", "B3"): "5"}


# --- shares ---


@pytest.mark.parametrize(
    ("head", "cell", "choices"),
    [("Kết quả", 0.985, ("98.5", "0.985")), ("Kết quả", "0,985", ("98.5", "0.985")), ("Kết quả (%)", 0.985, None),
     ("Kết quả", Percent(0.985), None), ("Kết quả", 98.5, None)],
)  # fmt: skip
def test_a_statistic_in_percent_up_to_1_is_asked_about_unless_something_says_percent(
    head: str, cell: Any, choices: tuple[str, ...] | None
) -> None:
    above = (["SỐ LIỆU CHƯƠNG TRÌNH"], ["Đơn vị: Tỉnh Bình Phước"], ["Nội dung", head, "Tính đến ngày"])
    rows = [*above, ["Tỷ lệ thủ tục cung cấp trên các Cổng dịch vụ công", cell, "15/11/2024"]]
    assert asked(read(*rows, name="programmes")) == ({"B4": choices} if choices else {})
    assert read(*rows, name="programmes", answers={"B4": "98.5"}).questions == []
