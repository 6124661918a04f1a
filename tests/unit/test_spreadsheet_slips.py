"""Slips that leave a workbook looking sound: a formula's error, a copied sheet whose title is of another month, a title
spread over cells, what stands beside the table."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import xlwt
from sheets import Page, ods, xls, xlsx

from schemas.text import numbers
from services.ingest.spreadsheets import cells, events, reading, workbook
from services.ingest.spreadsheets.events import Draft
from services.ingest.spreadsheets.form import Form, Question, Said, shown
from services.ingest.spreadsheets.names import Names
from services.ingest.spreadsheets.template import templates
from services.ingest.spreadsheets.words import unmarked

NOW = datetime(2026, 11, 29, tzinfo=UTC)
TITLE = ["TÌNH HÌNH THANH TOÁN TRỰC TUYẾN THÁNG 11 NĂM 2024"]
HEAD = (
    ["STT", "Đơn vị", "Nghĩa vụ tài chính", "", "Phí, lệ phí", ""],
    ["", "", "Số giao dịch", "Số tiền", "Số giao dịch", "Số tiền"],
)
XOAI = [1, "Thành phố Đồng Xoài", 595, 3886775354, 2050, 632500000]
LONG = [2, "Thị xã Bình Long", 125, 187772831, 1234, 13364000]


def read(raw: bytes, answers: dict[str, str] | None = None, sheet: str = "Sheet1") -> Form:
    """The form, with all its questions."""
    sheets = reading.modern(workbook.read(raw, "a file"))
    said = Said({(sheet, cell): text for cell, text in (answers or {}).items()})
    form = reading.read(sheets, templates()["online_payment"], said, "a file")
    form.questions = list(dict.fromkeys([*form.questions, *_found(form, Question)]))
    return form


def _found(form: Form, kind: type[Any]) -> list[Any]:
    return [one for one in events.drafts(form, None, NOW) if isinstance(one, kind)]


def table(*rows: list[Any], above: Any = (TITLE,), **page: Any) -> Page:
    return Page([*above, *HEAD, *rows], **page)


def asked(form: Form) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(question.cell, question.says, question.choices) for question in form.questions]


# --- errors of formulas ---


def rezipped(raw: bytes, name: str, was: bytes, now: bytes) -> bytes:
    """A box with something else in one of its files."""
    box = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(box, "w") as made:
        for each in source.namelist():
            assert each != name or was in source.read(each)
            made.writestr(each, source.read(each).replace(was, now) if each == name else source.read(each))
    return box.getvalue()


def xlsx_error(error: str, stored: bool = True) -> bytes:
    value = f"<v>{error}</v>" if stored else ""
    cell = f'<c r="C4" t="e"><f>{error}</f>{value}</c>'.encode()
    return rezipped(xlsx(table(XOAI)), "xl/worksheets/sheet1.xml", b'<c r="C4"><v>595</v></c>', cell)


def ods_error(kind: str) -> bytes:
    """As LibreOffice writes it: a text, or in old files a number."""
    found = f'<table:table-cell table:formula="of:=[.A1]/0" {kind} calcext:value-type="error"><text:p>#DIV/0!</text:p>'
    raw = ods(table(XOAI))
    raw = rezipped(raw, "content.xml", b'office:version="1.2">', b'office:version="1.2" xmlns:calcext="urn:calcext">')
    was = b'<table:table-cell office:value-type="float" office:value="595"/>'
    return rezipped(raw, "content.xml", was, f"{found}</table:table-cell>".encode())


def xls_error(error: str) -> bytes:
    book, box = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("Sheet1")
    rows: list[list[Any]] = [TITLE, *HEAD, XOAI]
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if value == 595:
                sheet.row(number).set_cell_error(place, error)
            elif value != "":
                sheet.write(number, place, value)
    book.save(box)
    return box.getvalue()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        *((xlsx_error(error), error) for error in ("#DIV/0!", "#REF!", "#N/A", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")),
        (xlsx_error("#REF!", stored=False), "#ERROR"),
        (ods_error('office:value-type="string" office:string-value=""'), "#DIV/0!"),
        (ods_error('office:value-type="float" office:value="0"'), "#DIV/0!"),
        *((xls_error(error), error) for error in ("#DIV/0!", "#REF!", "#NUM!")),
    ],
)
def test_an_error_of_a_formula_is_asked_about_and_neither_missing_nor_0(raw: bytes, says: str) -> None:
    form = read(raw)
    assert asked(form) == [("C4", says, ())] and len(_found(form, Draft)) == 3
    assert len(_found(read(raw, {"C4": "595"}), Draft)) == 4


@pytest.mark.parametrize("formula", ["<f>A1+A2</f>", "<f>A1+A2</f><v/>", '<f t="shared" si="0"/>'])
def test_a_formula_without_a_result_is_asked_about_whoever_wrote_it(formula: str) -> None:
    cell = f'<c r="C4">{formula}</c>'.encode()
    raw = rezipped(xlsx(table(XOAI)), "xl/worksheets/sheet1.xml", b'<c r="C4"><v>595</v></c>', cell)
    (question,) = read(raw).questions
    assert question.cell == "C4" and "a formula whose result is not stored" in question.question


@pytest.mark.parametrize(
    ("was", "now", "cell"),
    [
        (b'<row r="4"', b'<row r="4" ht="0" customHeight="1"', "A4"),
        (b"<sheetData>", b'<cols><col min="5" max="5" width="0" customWidth="1"/></cols><sheetData>', "E3"),
    ],
)
def test_what_is_drawn_so_small_that_nobody_sees_it_is_hidden(was: bytes, now: bytes, cell: str) -> None:
    form = read(rezipped(xlsx(table(XOAI)), "xl/worksheets/sheet1.xml", was, now))
    assert [(place, choices) for place, _, choices in asked(form)] == [(cell, ("read", "skip"))]


def test_a_row_of_errors_alone_is_asked_about() -> None:
    cells = "".join(f'<c r="{letter}4" t="e"><f>A1/0</f><v>#DIV/0!</v></c>' for letter in "CDEF")
    was = "".join(f'<c r="{letter}4"><v>7</v></c>' for letter in "CDEF")
    raw = rezipped(xlsx(table([1, "Đồng Xoài", 7, 7, 7, 7])), "xl/worksheets/sheet1.xml", was.encode(), cells.encode())
    assert [cell for cell, _, _ in asked(read(raw))] == ["C4", "D4", "E4", "F4"]


def test_a_total_that_is_an_error_is_said_and_asks_nothing() -> None:
    total = ["Tổng cộng", "", 777, 3886775354, 2050, 632500000]
    error = b'<c r="C5" t="e"><f>C4/0</f><v>#DIV/0!</v></c>'
    raw = rezipped(xlsx(table(XOAI, total)), "xl/worksheets/sheet1.xml", b'<c r="C5"><v>777</v></c>', error)
    form = read(raw)
    assert form.questions == []
    assert [check.warning for check in form.totals if check.warning] == [
        "C5: the total of tax_txn_month is no number for certain"
    ]


# --- what a sheet is called, and what its title says ---

YEAR = ["THANH TOÁN TRỰC TUYẾN NĂM 2024"]
BOTH = ("01/11/2024 – 30/11/2024", "01/10/2024 – 31/10/2024")
WHOLE = ("01/01/2024 – 31/12/2024", "01/10/2024 – 31/10/2024")


@pytest.mark.parametrize(
    ("name", "title", "choices"),
    [
        ("T10", TITLE, BOTH),
        ("Tháng 10", TITLE, BOTH),
        ("thang10", TITLE, BOTH),
        ("T.10", TITLE, BOTH),
        ("Thg 10", TITLE, BOTH),
        ("TH 10", TITLE, None),
        ("T10-2024", TITLE, BOTH),
        ("Tháng 10.2024", TITLE, BOTH),
        ("10.2024", TITLE, BOTH),
        ("T11.2023", TITLE, (BOTH[0], "01/11/2023 – 30/11/2023")),
        ("T10", YEAR, WHOLE),
        ("Quý III", YEAR, (WHOLE[0], "01/07/2024 – 30/09/2024")),
        ("Q3", YEAR, (WHOLE[0], "01/07/2024 – 30/09/2024")),
        ("T12", YEAR, (WHOLE[0], "01/12/2024 – 31/12/2024")),
        ("T11", TITLE, None),
        ("T11.2024", TITLE, None),
        ("Q4", TITLE, None),
        ("Biểu 10", TITLE, None),
        ("10", TITLE, None),
        ("T13", TITLE, None),
        ("Sheet1 (2)", YEAR, None),
        ("2024", YEAR, None),
        ("T11", ["Thanh toán trực tuyến từ ngày 15/10/2024 đến ngày 14/11/2024"], None),
        ("T10", ["Thanh toán trực tuyến 10 tháng năm 2024"], None),
        ("Tháng 6", ["Thanh toán trực tuyến 6 tháng đầu năm 2024"], None),
    ],
)
def test_a_sheet_that_is_called_by_other_days_than_its_title_is_asked_about(
    name: str, title: list[str], choices: tuple[str, ...] | None
) -> None:
    raw = xlsx(table(XOAI, above=(title,), name=name))
    form = read(raw, sheet=name)
    if choices is None:
        assert form.questions == []
        return
    assert asked(form) == [("A1", title[0], choices)] and _found(form, Draft) == []
    assert f"called {name!r}" in form.questions[0].question
    for choice in choices:
        answered = read(raw, {"A1": choice}, sheet=name)
        assert answered.questions == [] and len(_found(answered, Draft)) == 4


def test_sheets_of_a_year_each_by_its_own_title_are_read() -> None:
    pages = [table(XOAI, above=([f"THANH TOÁN THÁNG {month} NĂM 2024"],), name=f"T{month}") for month in (9, 10, 11)]
    form = read(xlsx(*pages))
    assert form.questions == [] and [tab.span[0].month for tab in form.tabs if tab.span] == [9, 10, 11]


# --- titles over several cells ---


@pytest.mark.parametrize(
    ("row", "days"),
    [
        (["Tháng", "11", "năm", "2024"], "2024-11-01 2024-11-30"),
        (["Tháng", 11, "năm", 2024], "2024-11-01 2024-11-30"),
        (["Tháng", "", 11.0, "", "năm", 2024], "2024-11-01 2024-11-30"),
        (["Quý", "IV", "năm", 2024], "2024-10-01 2024-12-31"),
        (["Từ ngày", date(2024, 11, 1), "đến ngày", date(2024, 11, 30)], "2024-11-01 2024-11-30"),
        (["Từ ngày:", "1/11/2024", "Đến ngày:", "30/11/2024"], "2024-11-01 2024-11-30"),
        (["Kỳ báo cáo:", "", "11/2024"], "2024-11-01 2024-11-30"),
        (["Năm", 2024], "2024-01-01 2024-12-31"),
        (["Tháng", date(2024, 11, 1)], None),
        (["Tháng", 13, "năm", 2024], None),
        (["Tháng", "", "năm", 2024], None),
        ([2024, "hộ"], None),
    ],
)
def test_a_title_that_is_spread_over_cells_names_what_they_name_together(row: list[Any], days: str | None) -> None:
    form = read(xlsx(table(XOAI, above=(["THANH TOÁN TRỰC TUYẾN"], row))))
    (tab,) = form.tabs
    assert (tab.span and f"{tab.span[0]} {tab.span[1]}") == days
    assert [question.cell for question in form.questions] == ([] if days else ["A1"])


@pytest.mark.parametrize("row", [["ĐVT:", "Triệu đồng"], ["Đơn vị tính:", "", "triệu đồng"], ["", "ĐVT", "tr.đ"]])
def test_a_unit_of_money_beside_its_label_counts(row: list[str]) -> None:
    form = read(xlsx(table([1, "Đồng Xoài", 5, 6, 7, 8], above=(TITLE, row))))
    assert form.questions == [] and shown(form.rows[0].values["tax_vnd_month"]) == "6000000"


# --- what stands beside the table ---


def test_cells_beside_the_table_that_no_header_names_are_counted() -> None:
    rows = [[*XOAI, "", "Nguyễn Văn A", "gọi 0912345678"], [*LONG, "", "", "số cũ"]]
    below = [["", "", "", "", "", "", "", "GIÁM ĐỐC"]]
    form = read(xlsx(table(*rows, *below)))
    assert [(one.column, one.why, one.cells) for one in form.dropped] == [
        ("H", "no header", 1),
        ("I", "personal data: a phone number", 2),
    ]
    assert form.questions == [] and "0912345678" not in repr(form.rows)


def test_a_column_of_line_numbers_without_a_header_is_no_column_that_was_dropped() -> None:
    head = [["", *row[1:]] for row in HEAD]
    assert read(xlsx(Page([TITLE, *head, XOAI, LONG]))).dropped == []


# --- cells ---

HOTLINE = (
    ["Tổng đài 1022 trên địa bàn tỉnh Bình Phước"],
    ["Từ ngày", "Đến ngày", "Tiếp nhận", "Đã xử lý", "Đang xử lý", "Trả lời trực tiếp", "Chuyển cơ quan xử lý"],
)


def hotline(end: Any, write: Callable[..., bytes] = xlsx) -> Form:
    page = Page([*HOTLINE, [date(2024, 10, 23), end, 290, 280, 10, 256, 34]])
    sheets = reading.modern(workbook.read(write(page), "a file"))
    form = reading.read(sheets, templates()["hotline_1022"], Said(), "a file")
    form.questions += _found(form, Question)
    return form


@pytest.mark.parametrize("end", ["2024-11-23 00:00:00", "23/11/2024 17:00", "17h00 ngày 23/11/2024"])
def test_a_moment_is_of_its_day(end: str) -> None:
    form = hotline(end)
    assert form.questions == [] and shown(form.rows[0].values["period_end"]) == "2024-11-23"


@pytest.mark.parametrize("write", [xlsx, xls, ods])
@pytest.mark.parametrize("end", ["11/23/2024", "23/11/24", "23-Nov-2024", "31/11/2024", "hết tháng"])
def test_a_day_that_is_none_is_asked_about_once(end: str, write: Callable[..., bytes]) -> None:
    assert [(question.cell, question.says) for question in hotline(end, write).questions] == [("B3", end)]


@pytest.mark.parametrize("text", ["1'234", "1’234", "1'234'567,5", "1’234.50"])
def test_an_apostrophe_may_stand_between_thousands(text: str) -> None:
    assert numbers.read(text) == numbers.read(text.replace("'", " ").replace("’", " "))


def test_a_row_of_means_is_no_total_that_does_not_add_up() -> None:
    form = read(xlsx(table(XOAI, LONG, ["", "Bình quân", 360, 2037274092, 1642, 322932000])))
    assert form.questions == [] and [check.warning for check in form.totals if check.warning] == []
    assert [skipped.why for skipped in form.skipped] == ["total row"]


# --- names in a list ---

MARKS = ("1. ", "1) ", "1.2. ", "1.2) ", "II. ", "iv) ", "a) ", "đ) ", "- ", "+ ", "• ")


@pytest.mark.parametrize("mark", MARKS)
def test_a_name_that_is_listed_under_a_number_is_that_name(mark: str) -> None:
    names = Names(templates()["economy"], date(2024, 11, 30))
    assert names.unit(f"{mark}Thị xã Chơn Thành") == "chon_thanh"
    assert names.indicator(f"{mark}Thu ngân sách nhà nước") == "budget_revenue"
    level = templates()["education"].column("level")
    assert cells.understand(level, cells.Seen(f"{mark}Mầm non")) == "kindergarten"


@pytest.mark.parametrize("text", ["X. Minh Hưng", "x. Minh Hưng", "P. Hưng Long", "H. Bù Đăng", "q. 1", "Thu (1)", "-"])
def test_what_a_unit_is_abbreviated_by_is_no_number_of_a_list(text: str) -> None:
    assert unmarked(text) == text
