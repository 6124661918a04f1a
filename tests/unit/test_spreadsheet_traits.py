"""Every habit of those who fill in forms, each with the exact value that is read or the question that is asked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sheets import FORMATS, Formula, Page, Percent, Raised, ods, text_table, xls, xlsx

from services.ingest.spreadsheets import events, reading, titles, workbook
from services.ingest.spreadsheets.form import Form, Question, Said, shown
from services.ingest.spreadsheets.template import templates

NOW = datetime(2026, 11, 29, tzinfo=UTC)
TITLES = (
    ["UBND TỈNH BÌNH PHƯỚC", "", "", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
    ["SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "", "", "Bình Phước, ngày 30 tháng 11 năm 2024"],
    ["TÌNH HÌNH THANH TOÁN TRỰC TUYẾN"],
    ["Tháng 11 năm 2024"],
)
HEAD = (
    ["STT", "Đơn vị", "Thanh toán trực tuyến", "", "", ""],
    ["", "", "Nghĩa vụ tài chính (NVTC)", "", "Phí, lệ phí", ""],
    ["", "", "Số giao dịch", "Số tiền (đồng)", "Số giao dịch", "Số tiền (đồng)"],
    ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
)
MERGED = [(4, 0, 6, 0), (4, 1, 6, 1), (4, 2, 4, 5), (5, 2, 5, 3), (5, 4, 5, 5)]
HEADS_OF_ONE_ROW = ("Số giao dịch NVTC", "Số tiền NVTC", "Số giao dịch phí, lệ phí", "Số tiền phí, lệ phí")
FIRST = len(TITLES) + len(HEAD)
"""The first row of figures, from 0."""
ROW = [1, "Thành phố Đồng Xoài", 595, 3886775354, 2050, 632500000]


def page(*rows: Sequence[Any], hidden: Sequence[int] = (), above: Sequence[Sequence[Any]] = TITLES) -> Page:
    return Page([*above, *HEAD, *rows], MERGED if above is TITLES else [], hidden)


def read(raw: bytes, name: str | None = None, **said: Any) -> Form:
    sheets = reading.modern(workbook.read(raw, "a file"))
    template = templates()[name] if name else reading.recognise(sheets, "a file")
    return reading.read(sheets, template, Said(**said), "a file")


def values(form: Form, number: int = 0) -> list[str]:
    return [shown(form.rows[number].values[name]) for name in ("unit_code", *FIGURES)]


FIGURES = ("tax_txn_month", "tax_vnd_month", "fee_txn_month", "fee_vnd_month")


def cell_of(value: Any, column: int = 2, **said: Any) -> tuple[str, list[Question]]:
    """What a cell is read as in a column of counts (2) or of đồng (3), and what is asked of it."""
    row = list(ROW)
    row[column] = value
    form = read(xlsx(page(row)), **said)
    return shown(form.rows[0].values[FIGURES[column - 2]]), form.questions


def asked(value: Any, column: int = 2) -> Question:
    text, questions = cell_of(value, column)
    assert text == "" and len(questions) == 1
    return questions[0]


# --- where the table is ---


@pytest.mark.parametrize("kind", FORMATS)
def test_three_rows_of_merged_headers_with_titles_above_and_numbers_below(kind: str) -> None:
    form = read(FORMATS[kind](page(ROW)))
    assert (form.template.name, form.questions) == ("online_payment", [])
    assert form.tabs[0].span == (date(2024, 11, 1), date(2024, 11, 30))
    assert form.tabs[0].titles.signed == date(2024, 11, 30)
    assert values(form) == ["dong_xoai", "595", "3886775354", "2050", "632500000"]
    assert form.rows[0].number == FIRST + 1


@pytest.mark.parametrize("kind", FORMATS)
def test_headings_blank_rows_totals_notes_and_signatures_are_left_out_with_the_reason(kind: str) -> None:
    rows = (
        ["I", "Các thị xã, thành phố"],
        ROW,
        [],
        ["II", "Các huyện"],
        [2, "Huyện Bù Đăng", 474, 1725433012, 1035, 28029030],
        ["Tổng cộng", "", 1069, 5612208366, 3085, 660529030],
        ["(*) Ghi chú: số liệu tính đến 17 giờ ngày 30/11"],
        ["", "", "", "", "Bình Phước, ngày 30 tháng 11 năm 2024"],
        ["", "NGƯỜI LẬP BIỂU", "", "", "GIÁM ĐỐC"],
        ["", "Nguyễn Văn A", "", "", "Trần Thị B"],
    )
    form = read(FORMATS[kind](page(*rows)))
    assert [row.unit for row in form.rows] == ["dong_xoai", "bu_dang"]
    assert form.questions == []
    assert [(skipped.row - FIRST, skipped.why) for skipped in form.skipped] == [
        (1, "text without figures"),
        (3, "blank"),
        (4, "text without figures"),
        (6, "total row"),
        (7, "note"),
        (8, "text without figures"),
        (9, "text without figures"),
        (10, "text without figures"),
    ]
    assert [(check.column, check.says, check.warning) for check in form.totals] == [
        ("tax_txn_month", "1069", None),
        ("tax_vnd_month", "5612208366", None),
        ("fee_txn_month", "3085", None),
        ("fee_vnd_month", "660529030", None),
    ]


def test_a_subtotal_of_a_section_is_no_unit() -> None:
    form = read(xlsx(page(["I", "Các thị xã", 595, 1, 2, 3], ROW)))
    assert [row.unit for row in form.rows] == ["dong_xoai"]
    assert form.skipped[0].why == "section subtotal" and form.questions == []


def test_a_total_that_is_not_the_sum_is_a_warning() -> None:
    form = read(xlsx(page(ROW, ["Tổng cộng", "", 596, 3886775354, 2050, 632500000])))
    assert [check.warning for check in form.totals if check.warning] == [
        "C10: the total of tax_txn_month is 596, the sum of its rows 595"
    ]
    assert form.questions == []


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_a_total_whose_formula_has_no_stored_value_is_shown_beside_the_sum(write: Any) -> None:
    total = ["Tổng cộng", "", Formula("=SUM(C9:C9)"), 3886775354, Formula("=SUM(E9:E9)", 2050), 632500000]
    form = read(write(page(ROW, total)))
    assert form.questions == []
    assert [(check.says, check.sum, check.warning) for check in form.totals][:3] == [
        ("a formula without a value", "595", None),
        ("3886775354", "3886775354", None),
        ("a formula without a value" if write is xls else "2050", "2050", None),  # xlwt stores none
    ]


def test_a_zero_that_a_program_stored_without_calculating_is_no_value() -> None:
    """XlsxWriter stores 0 for a formula and has it calculated when the file is opened."""
    form = read(xlsx(page(ROW, ["Tổng cộng", "", Formula("=SUM(C9:C9)", 0)])))
    assert [(check.says, check.warning) for check in form.totals] == [("a formula without a value", None)]


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_a_figure_whose_formula_has_no_stored_value_is_asked_for_and_not_missing(write: Any) -> None:
    form = read(write(page([*ROW[:2], Formula("=A1+A2"), *ROW[3:]])))
    assert [(question.cell, question.question) for question in form.questions] == [
        ("C9", "tax_txn_month (Nghĩa vụ tài chính > Số giao dịch): it is a formula whose result is not stored; open "
         "the file in Excel or LibreOffice and save it"),
    ]  # fmt: skip


@pytest.mark.parametrize("write", [xlsx, xls, ods])
@pytest.mark.parametrize(("answer", "units"), [("read", ["dong_xoai", "bu_dang"]), ("skip", ["dong_xoai"])])
def test_hidden_rows_with_figures_are_asked_about_once(write: Any, answer: str, units: list[str]) -> None:
    raw = write(page(ROW, [2, "Huyện Bù Đăng", 1, 2, 3, 4], hidden=[FIRST + 1]))
    (question,) = read(raw).questions
    assert (question.sheet, question.cell, question.choices) == ("Sheet1", "A10", ("read", "skip"))
    assert question.question == "hidden rows have figures (10): are they part of the form?"
    form = read(raw, answers={("Sheet1", "A10"): answer})
    assert [row.unit for row in form.rows] == units and form.questions == []
    assert [skipped.why for skipped in form.skipped] == (["hidden row"] if answer == "skip" else [])


@pytest.mark.parametrize("write", [xlsx, xls])
def test_a_hidden_sheet_and_one_without_a_table_are_left_out(write: Any) -> None:
    other = Page([["Ghi chú"], ["Không có số liệu"]], name="Khác")
    secret = Page(page(ROW).rows, name="Cũ", invisible=True)
    form = read(write(page(ROW), other, secret))
    assert len(form.rows) == 1
    assert [(skipped.sheet, skipped.why) for skipped in form.skipped] == [
        ("Khác", "no table of this form"),
        ("Cũ", "hidden sheet"),
    ]


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_a_unit_that_is_merged_over_several_rows_stands_beside_each_and_a_figure_counts_once(write: Any) -> None:
    rows = [["Trường, lớp tháng 10 năm 2025"],
            ["Đơn vị", "Cấp học", "Số trường", "Số lớp", "Số học sinh", "Số giáo viên"],
            ["Phường Chơn Thành", "Tiểu học", 5, 120, 4012, 180],
            ["", "THCS", "", 64, 2400, 130]]  # fmt: skip
    form = read(write(Page(rows, [(2, 0, 3, 0), (2, 2, 3, 2)])))
    assert [(row.unit, shown(row.values["level"]), shown(row.values["schools"])) for row in form.rows] == [
        ("phuong_chon_thanh", "primary", "5"),
        ("phuong_chon_thanh", "lower_secondary", ""),
    ]
    assert form.questions == []


# --- numbers ---

COMMA = "the comma may be between thousands or before decimals, of millions perhaps"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.234", "1234"),
        ("15.000", "15000"),
        ("2.050,0", "2050"),
        (" 5119 ", "5119"),
        ("\u00a05119", "5119"),
        ("1 234", "1234"),
        ("-", "0"),
        ("–", "0"),
        (0, "0"),
        ("0", "0"),
        ("", ""),
        (None, ""),
        (5119.0, "5119"),
    ],
)
def test_a_count_is_read_however_it_is_written_and_an_empty_cell_is_missing(value: Any, text: str) -> None:
    assert cell_of(value) == (text, [])


@pytest.mark.parametrize(
    ("value", "column", "says", "why", "choices"),
    [
        ("100%", 2, "100%", "it is a share in a column of counts", ("100",)),
        (Percent(1), 2, "1", "it is a share in a column of counts", ()),
        ("2,05", 3, "2,05", "it is no whole number", ("2050000", "2050000000")),
        ("15,000", 3, "15,000", COMMA, ("15000", "15", "15000000")),
        ("15,500", 3, "15,500", COMMA, ("15500", "15500000")),
        (2.05, 3, "2.05", "it is no whole number", ("2050000", "2050000000")),
        ("2.050,5", 2, "2.050,5", "it is no whole number", ()),
        ("15,000", 2, "15,000", "its mark may be between thousands or before decimals", ("15000", "15")),
        (-3, 2, "-3", "it is less than nothing", ("3",)),
        ("chưa có", 2, "chưa có", "it is no number", ()),
        (date(2024, 5, 1), 2, "01/05/2024", "it is a day or a time", ()),
        (True, 2, "True", "it is true or false", ()),
        ("0912345678", 2, "[phone]", "it begins with a zero, as a code or a phone number does", ()),
        ("079123456789", 3, "[citizen number]", "it begins with a zero, as a code or a phone number does", ()),
        (10**9, 2, "1000000000", "it is more than can be meant", ()),
    ],
)
def test_what_is_ambiguous_is_asked_by_sheet_and_cell_and_never_guessed(
    value: Any, column: int, says: str, why: str, choices: tuple[str, ...]
) -> None:
    question = asked(value, column)
    assert (question.sheet, question.cell, question.says) == ("Sheet1", f"{'ABCD'[column]}9", says)
    assert question.question.endswith(f": {why}") and question.choices == choices


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_a_share_in_a_column_of_counts_is_asked_about_in_every_format(write: Any) -> None:
    (question,) = read(write(page([*ROW[:2], Percent(1), *ROW[3:]]))).questions
    assert (question.cell, question.says) == ("C9", "1")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, "½", "٣", "1e5", "#DIV/0!", "9" * 50, "\x00"])
def test_what_no_form_should_hold_is_asked_about_too(value: Any) -> None:
    sheet = workbook.Sheet("Sheet1", [*map(list, TITLES), *map(list, HEAD), [*ROW[:2], value, *ROW[3:]]])
    form = reading.read([sheet], templates()["online_payment"], Said(), "a file")
    assert [question.cell for question in form.questions] == ["C9"]


@pytest.mark.parametrize(
    "title",
    [
        "Tháng 13 năm 2024",
        "Năm 9999",
        "Từ ngày 30/2/2024 đến ngày 31/2/2024",
        "Quý V năm 2024",
        "Tuần 45 năm 2024",
        "Tháng 10, 11 năm 2024",
        "Năm học 2024-2025",
    ],
)
def test_a_period_that_cannot_be_is_none(title: str) -> None:
    form = read(xlsx(page(ROW, above=[[title]])), "online_payment")
    assert "the titles name none" in form.questions[0].question


def test_an_answer_stands_in_for_the_cell() -> None:
    answers = {("Sheet1", "D9"): "2050000"}
    assert cell_of("2,05", 3, answers=answers) == ("2050000", [])
    assert cell_of("2,05", 3, answers={("Sheet1", "D9"): "missing"}) == ("", [])
    text, (question,) = cell_of("2,05", 3, answers={("Sheet1", "D9"): "2,05"})
    assert text == "" and question.says == "2,05"


def test_money_is_counted_in_what_the_titles_or_the_header_say() -> None:
    above = [*TITLES[:3], ["Tháng 11 năm 2024", "", "", "Đơn vị tính: triệu đồng"]]
    rows = [[*row] for row in HEAD]
    rows[2] = ["", "", "Số giao dịch", "Số tiền", "Số giao dịch", "Số tiền (tỷ đồng)"]
    form = read(xlsx(Page([*above, *rows, [1, "Huyện Bù Đăng", 474, "1.725,5", 1035, 0.5]])))
    assert values(form) == ["bu_dang", "474", "1725500000", "1035", "500000000"]
    form = read(xlsx(Page([*above, *rows, [1, "Huyện Bù Đăng", 474, "1.725", 1035, 0.5]])))
    assert form.questions[0].choices == ("1725", "1.725")


SERVICES = (
    ["Dịch vụ công trực tuyến, tính đến ngày 23/11/2024"],
    ["Đơn vị", "Tỷ lệ DVC trực tuyến có phát sinh hồ sơ (%)", "Đạt 80%", "Tỷ lệ hồ sơ trực tuyến", "Đạt 50%"],
)


def shares(*rows: Sequence[Any], write: Any = xlsx, **said: Any) -> Form:
    return read(write(Page([*SERVICES, *rows])), **said)


@pytest.mark.parametrize("write", [xls, ods])
def test_shares_are_read_with_and_without_their_sign_and_from_fractions_shown_in_percent(write: Any) -> None:
    form = shares(["Sở Công Thương", "96,3", "Đạt", "57.6", "Chưa đạt"], ["Sở Nội vụ", "100%", "x", Percent(0.971), ""])
    assert [shown(value) for value in form.rows[0].values.values()] == ["so_ct", "96.3", "1", "57.6", "0"]
    assert [shown(value) for value in form.rows[1].values.values()] == ["so_nv", "100", "", "97.1", ""]
    assert [(question.cell, question.says) for question in form.questions] == [("C4", "x")]
    form = shares(["Sở Nội vụ", 100, 1, Percent(0.971), "Đạt"], write=write)
    assert [shown(value) for value in form.rows[0].values.values()] == ["so_nv", "100", "1", "97.1", "1"]


@pytest.mark.parametrize(("answer", "text"), [("fraction", "98"), ("percent", "0.98")])
def test_a_share_up_to_one_is_asked_about_once_a_column(answer: str, text: str) -> None:
    rows = (["Sở Công Thương", 0.98, 1, 57.6, 1], ["Sở Nội vụ", 0.5, 1, 90, 1])
    (question,) = shares(*rows).questions
    assert (question.cell, question.choices) == ("B2", ("fraction", "percent"))
    form = shares(*rows, answers={("Sheet1", "B2"): answer})
    assert form.questions == [] and shown(form.rows[0].values["pct_online_services_with_dossiers"]) == text


# --- days ---


def days(value: Any, write: Any = xlsx) -> tuple[str, list[Question]]:
    rows = [["Tổng đài 1022 trên địa bàn tỉnh Bình Phước"],
            ["Từ ngày", "Đến ngày", "Tiếp nhận", "Đã xử lý", "Đang xử lý", "Trả lời trực tiếp", "Chuyển cơ quan xử lý"],
            [date(2024, 10, 23), value, 290, 280, 10, 254, 34]]  # fmt: skip
    form = read(write(Page(rows)))
    return shown(form.rows[0].values["period_end"]), form.questions


@pytest.mark.parametrize("value", [date(2024, 11, 23), 45619, "45619", "23/11/2024", "23-11-2024", "2024-11-23"])
def test_a_day_is_a_real_one_a_serial_number_or_a_text(value: Any) -> None:
    assert days(value) == ("2024-11-23", [])


@pytest.mark.parametrize("write", [xls, ods])
def test_a_real_day_is_one_in_every_format(write: Any) -> None:
    assert days(date(2024, 11, 23), write) == ("2024-11-23", [])


def test_a_row_without_its_day_is_asked_about() -> None:
    rows = [["Tổng đài 1022"], ["Đến ngày", "Tiếp nhận", "Đã xử lý", "Đang xử lý", "Trả lời trực tiếp",
            "Chuyển cơ quan xử lý"], ["", 290, 280, 10, 254, 34]]  # fmt: skip
    form = read(xlsx(Page(rows)), unit="binh_phuoc")
    found = [one for one in events.drafts(form, None, NOW) if isinstance(one, Question)]
    assert len(found) == 5 and {one.cell for one in found} == {"A3"}


def test_a_day_that_cannot_be_is_asked_about() -> None:
    text, (question,) = days("11/13/2024")
    assert (text, question.cell, question.says) == ("", "B3", "11/13/2024")
    assert "there is no month 13, and the day stands before the month" in question.question
    assert question.choices == ("13/11/2024",)
    assert days("12/5/24")[1][0].says == "12/5/24"


def test_the_period_is_asked_for_where_the_titles_name_none_or_several() -> None:
    none = read(xlsx(page(ROW, above=[["Thanh toán trực tuyến"]])), "online_payment")
    assert [(q.cell, q.choices) for q in none.questions] == [("A1", ())]
    assert "the titles name none: say it with --period" in none.questions[0].question
    several = read(xlsx(page(ROW, above=[["Tháng 11 năm 2024"], ["Tháng 10 năm 2024"]])), "online_payment")
    assert several.questions[0].choices == ("01/11/2024 – 30/11/2024", "01/10/2024 – 31/10/2024")
    named = page(ROW, above=[["Thanh toán trực tuyến"]])
    named.name = "Tháng 10.2024"
    offered = read(xlsx(named), "online_payment").questions
    assert [q.choices for q in offered] == [("01/10/2024 – 31/10/2024",)], "a sheet's name is offered, never taken"
    span = titles.span("11/2024")
    assert read(xlsx(page(ROW, above=[["x"]])), "online_payment", span=span).questions == []
    answered = read(xlsx(page(ROW, above=[["x"]])), "online_payment", answers={("Sheet1", "A1"): "11/2024"})
    assert answered.questions == [] and answered.tabs[0].span == span


# --- names ---


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Thành phố Đồng Xoài", "dong_xoai"),
        ("UBND thành phố Đồng Xoài", "dong_xoai"),
        ("Ủy ban nhân dân TP. Đồng Xoài", "dong_xoai"),
        ("dong xoai", "dong_xoai"),
        ("1. TX Chơn Thành", "chon_thanh"),
        ("Huyện Chơn Thành (*)", "chon_thanh"),
        (unicodedata.normalize("NFD", "Thành phố Đồng Xoài"), "dong_xoai"),
        ("Thµnh phè §ång Xoµi", "dong_xoai"),
        ("Thaønh phoá Ñoàng Xoaøi", "dong_xoai"),
    ],
)
def test_a_unit_is_found_by_its_name_however_it_is_typed(name: str, code: str) -> None:
    form = read(xlsx(page([1, name, *ROW[2:]])))
    assert [row.unit for row in form.rows] == [code] and form.questions == []


def test_a_unit_that_is_none_is_asked_about_with_the_nearest() -> None:
    form = read(xlsx(page([1, "Huyện Đồng Phúc", *ROW[2:]])))
    (question,) = form.questions
    assert (question.cell, question.says) == ("B9", "Huyện Đồng Phúc")
    assert question.question == "unit_code (Đơn vị): no such unit" and "dong_phu" in question.choices
    assert read(xlsx(page([1, "Huyện Đồng Phúc", *ROW[2:]])), answers={("Sheet1", "B9"): "dong_phu"}).questions == []


def test_a_name_of_several_units_is_asked_about() -> None:
    form = read(xlsx(page([1, "Tân Thành", *ROW[2:]])))
    (question,) = form.questions
    assert question.question.endswith("several units are called so")
    assert {"dong_xoai_tan_thanh"} < set(question.choices)


def test_a_row_with_figures_and_no_unit_is_asked_about() -> None:
    (question,) = read(xlsx(page(ROW, [2, "", 1, 2, 3, 4]))).questions
    assert question.cell == "B10" and question.question.endswith("the row has figures and names no unit")


def test_headers_in_old_fonts_are_known() -> None:
    head = (["STT", "§¬n vÞ", "NghÜa vô tµi chÝnh", "", "PhÝ, lÖ phÝ", ""],
            ["", "", "Sè giao dÞch", "Sè tiÒn", "Sè giao dÞch", "Sè tiÒn"])  # fmt: skip
    form = read(xlsx(Page([["Th¸ng 11 n¨m 2024"], *head, ROW])))
    assert values(form) == ["dong_xoai", "595", "3886775354", "2050", "632500000"] and form.questions == []


# --- persons ---


def test_columns_of_persons_are_dropped_and_counted_and_nothing_of_them_is_kept() -> None:
    head = [
        [*row, *more] for row, more in zip(HEAD, (["Người liên hệ", "Điện thoại", "Ghi chú"], [], [], []), strict=True)
    ]
    rows = [[*ROW, "Nguyễn Văn A", "0912345678", ""],
            [2, "Huyện Bù Đăng", 1, 2, 3, 4, "Trần Thị B", "", "gọi 0987654321"]]  # fmt: skip
    form = read(xlsx(Page([*TITLES, *head, *rows])))
    assert [(dropped.column, dropped.why, dropped.cells) for dropped in form.dropped] == [
        ("G", "personal data by its header", 2),
        ("H", "personal data by its header", 1),
        ("I", "personal data: a phone number", 1),
    ]
    assert form.questions == [] and "Nguyễn" not in repr(form.rows) and "0912345678" not in repr(form.rows)


def test_a_personal_number_within_a_cell_is_never_printed_back() -> None:
    form = read(xlsx(page([1, "Huyện Bù Đăng, ông A 0912 345 678", *ROW[2:]])))
    assert form.questions[0].says == "Huyện Bù Đăng, ông A [phone]"
    assert "345" not in repr(form.questions)


# --- other files ---


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_tables_of_text_are_read_whatever_they_were_saved_as(separator: str, encoding: str) -> None:
    form = read(text_table(page(ROW), separator, encoding))
    assert values(form) == ["dong_xoai", "595", "3886775354", "2050", "632500000"] and form.questions == []


def test_code_page_1258_and_the_ansi_text_of_an_old_font_are_read() -> None:
    def page_1258(text: str) -> bytes:
        """As Windows does: letters that the page has, and tones behind them."""
        found = b""
        for letter in text:
            try:
                found += letter.encode("cp1258")
            except UnicodeEncodeError:
                loose = unicodedata.normalize("NFD", letter)
                tone = next(mark for mark in loose if mark in "\u0300\u0301\u0303\u0309\u0323")
                found += unicodedata.normalize("NFC", loose.replace(tone, "")).encode("cp1258") + tone.encode("cp1258")
        return found

    text = text_table(page(ROW), ";", "utf-8").decode()
    assert values(read(page_1258(text)))[0] == "dong_xoai"
    old = (
        "Th¸ng 11 n¨m 2024;;\r\n§¬n vÞ;Sè giao dÞch NVTC;Sè tiÒn NVTC;Sè giao dÞch phÝ, lÖ phÝ;Sè tiÒn phÝ, lÖ phÝ\r\n"
    )
    old += "Thµnh phè §ång Xoµi;595;3.886.775.354;2.050;632.500.000\r\n"
    form = read(old.encode("cp1252"))
    assert values(form) == ["dong_xoai", "595", "3886775354", "2050", "632500000"] and form.questions == []


# --- columns that are not known ---


def test_a_column_under_another_header_is_asked_about_and_answered() -> None:
    head = ["Đơn vị", "GD thuế", "Số tiền NVTC", "Số giao dịch phí, lệ phí", "Số tiền phí, lệ phí"]
    raw = xlsx(Page([["Tháng 11 năm 2024"], head, ROW[1:]]))
    with pytest.raises(reading.NoForm, match=r"none of the forms .*online_payment.*: say which it is meant to be"):
        read(raw)
    (question,) = read(raw, "online_payment").questions
    assert (question.cell, question.says, question.choices) == ("B2", "GD thuế", ("tax_txn_month", "ignore"))
    form = read(raw, "online_payment", answers={("Sheet1", "B2"): "tax_txn_month"})
    assert values(form) == ["dong_xoai", "595", "3886775354", "2050", "632500000"] and form.questions == []


def test_a_form_that_lacks_columns_says_which() -> None:
    raw = xlsx(Page([["Tháng 11 năm 2024"], ["Đơn vị", "Số tiền NVTC"], ["Đồng Xoài", 1]]))
    with pytest.raises(reading.NoForm, match="lacks columns of online_payment: tax_txn_month \\(headed"):
        read(raw, "online_payment")


@pytest.mark.parametrize("name", [None, "online_payment"])
def test_a_table_whose_units_stand_beside_each_other_says_where_and_what_to_do(name: str | None) -> None:
    figures = zip(HEADS_OF_ONE_ROW, ROW[2:], [33, 2000, 7, 900], strict=True)
    rows = [["Tháng 11 năm 2024"], ["Chỉ tiêu", "Đồng Xoài", "Thị xã Chơn Thành"], *map(list, figures)]
    with pytest.raises(reading.NoForm, match=r"from Sheet1!B2 on \('Đồng Xoài'\), .* Transpose"):
        read(xlsx(Page(rows)), name)


def test_two_columns_of_units_are_no_units_beside_each_other() -> None:
    titles = ["UBND tỉnh Bình Phước", "", "", "UBND thị xã Chơn Thành"]
    rows = [titles, ["Số", "Phường", "Thuộc", "Lượt"], [1, "Phường Chơn Thành", "Thị xã Chơn Thành", 5]]
    with pytest.raises(reading.NoForm, match="none of the forms"):
        read(xlsx(Page(rows)))


def test_indicators_of_several_units_beside_each_other_are_not_asked_about_column_by_column() -> None:
    head = ["STT", "Chỉ tiêu", "ĐVT", "Đồng Xoài", "Thị xã Chơn Thành"]
    raw = xlsx(Page([["Tháng 11 năm 2024"], head, [1, "Thu ngân sách nhà nước", "tỷ đồng", 5, 3]]))
    with pytest.raises(reading.NoForm, match=r"from Sheet1!D2 on .* a row for each of them"):
        read(raw, "economy")
    chosen = {("Sheet1", "D2"): "actual", ("Sheet1", "E2"): "ignore"}
    assert [q.cell for q in read(raw, "economy", answers=chosen, unit="dong_xoai").questions] == []


def test_two_columns_under_one_header_are_asked_about() -> None:
    head = [
        "Đơn vị",
        "Số giao dịch NVTC",
        "Số giao dịch NVTC",
        "Số tiền NVTC",
        "Số giao dịch phí, lệ phí",
        "Số tiền phí, lệ phí",
    ]
    raw = xlsx(Page([["Tháng 11 năm 2024"], head, ["Đồng Xoài", 595, 600, 3886775354, 2050, 632500000]]))
    (question,) = read(raw).questions
    assert (question.cell, question.choices) == ("C2", ("tax_txn_month", "ignore"))
    assert values(read(raw, answers={("Sheet1", "C2"): "ignore"}))[1] == "595"
    assert values(read(raw, answers={("Sheet1", "C2"): "tax_txn_month"}))[1] == "600"


# --- events ---


def test_a_unit_that_stands_twice_is_asked_about() -> None:
    form = read(xlsx(page(ROW, [2, "Đồng Xoài", 1, 2, 3, 4])))
    found = list(events.drafts(form, None, NOW))
    questions = [one for one in found if isinstance(one, Question)]
    assert len(found) == 8 and len(questions) == 4
    assert questions[0].question == "the same is said in Sheet1, row 9: which one counts? Correct the file"


def test_a_unit_that_was_none_then_is_asked_about() -> None:
    form = read(xlsx(page([1, "Phường Bình Phước", *ROW[2:]])))
    first = next(events.drafts(form, None, NOW))
    assert isinstance(first, Question) and "phuong_binh_phuoc is not valid on 2024-11-30" in first.question


def test_the_same_rows_give_the_same_events_in_every_format() -> None:
    found = [events.drafts(read(write(page(ROW))), None, NOW) for write in FORMATS.values()]
    ids = [[one.event().digest for one in some if isinstance(one, events.Draft)] for some in found]
    assert len(ids[0]) == 4 and ids.count(ids[0]) == len(FORMATS)


# --- what a reader sees and a program does not ---


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_the_raised_mark_of_a_footnote_is_no_digit(write: Any) -> None:
    row = [1, "Thành phố Đồng Xoài", Raised("595", "1"), 3886775354, "2050", 632500000]
    form = read(write(page(row, [2, Raised("Huyện Bù Đăng", "2"), 474, 1, 2, 3])))
    assert [(question.cell, question.says) for question in form.questions] == [
        (f"C{FIRST + 1}", "5951"),
        (f"B{FIRST + 2}", "Huyện Bù Đăng2"),
    ]
    cell = ("Sheet1", f"C{FIRST + 1}")
    assert values(read(write(page(row)), answers={cell: "595"}))[1] == "595"


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_a_hidden_column_is_asked_about(write: Any) -> None:
    hidden = Page([*TITLES, *HEAD, ROW], [], hidden_columns=[4])
    form = read(write(hidden))
    cell = f"E{FIRST}"
    assert [(question.cell, question.choices) for question in form.questions] == [(cell, ("read", "skip"))]
    for answer, fees in (("read", "2050"), ("skip", "")):
        form = read(write(hidden), answers={("Sheet1", cell): answer})
        assert form.questions == []
        assert shown(form.rows[0].values.get("fee_txn_month")) == fees


def test_headers_that_come_again_below_begin_no_other_table() -> None:
    more = [2, "Huyện Bù Đăng", 474, 1725433012, 1035, 28029030]
    again = read(xlsx(Page([*TITLES, *HEAD[:3], ROW, *HEAD[:3], more])))
    assert [row.unit for row in again.rows] == ["dong_xoai", "bu_dang"] and again.questions == []
    second = read(xlsx(Page([*TITLES, *HEAD[:3], ROW, ["Lũy kế từ đầu năm"], *HEAD[:3], [*ROW[:2], 5950, 1, 2, 3]])))
    found = list(events.drafts(second, None, NOW))
    assert len([one for one in found if isinstance(one, Question) and "the same is said" in one.question]) == 4


def test_totals_between_the_rows_are_those_of_their_part() -> None:
    rows = (
        ROW,
        ["", "Cộng các thành phố", 595, 3886775354, 2050, 632500000],
        [2, "Huyện Bù Đăng", 474, 1, 2, 3],
        [3, "Huyện Hớn Quản", 1, 1, 2, 3],
        ["", "Cộng khối huyện", 476, 2, 4, 6],
        ["", "TỔNG CỘNG (I+II)", 1070, 3886775356, 2054, 632500006],
    )
    form = read(xlsx(page(*rows)))
    assert [row.unit for row in form.rows] == ["dong_xoai", "bu_dang", "hon_quan"] and form.questions == []
    assert [skipped.why for skipped in form.skipped] == ["total row"] * 3
    assert [check.cell for check in form.totals if check.warning] == [f"C{FIRST + 5}"]


def test_a_share_is_no_count_of_communes() -> None:
    rows = [["SỐ LIỆU CHƯƠNG TRÌNH"], ["Đơn vị: Tỉnh Bình Phước"], ["Chỉ tiêu", "Kết quả", "Tính đến ngày"]]
    for share in ("95%", Percent(0.95)):
        form = read(xlsx(Page([*rows, ["Xã đạt chuẩn nông thôn mới", share, "15/11/2024"]])), "programmes")
        assert [question.cell for question in form.questions] == ["B4"]
