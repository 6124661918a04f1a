"""What titles, headers and measures say: the days that figures are about, and how many of what is counted one is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest
from sheets import Page, xlsx

from services.ingest.spreadsheets import events, measures, reading, titles, workbook
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.form import Question, Said
from services.ingest.spreadsheets.template import templates

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ABOVE = (["TÌNH HÌNH KINH TẾ - XÃ HỘI"], ["Tháng 11 năm 2024"], ["Đơn vị: Thị xã Chơn Thành"])
HEAD = ["STT", "Chỉ tiêu", "ĐVT", "Kế hoạch năm 2024", "Thực hiện tháng 11", "Lũy kế"]


@pytest.mark.parametrize(
    ("title", "days"),
    [
        ("Tình hình KT-XH tháng 11 và 11 tháng năm 2024", "01/01/2024 – 30/11/2024 | 01/11/2024 – 30/11/2024"),
        ("Tháng 11, 11 tháng 2024", "01/01/2024 – 30/11/2024 | 01/11/2024 – 30/11/2024"),
        ("Quý III và 9 tháng năm 2024", "01/01/2024 – 30/09/2024 | 01/07/2024 – 30/09/2024"),
        ("tháng 10 và tháng 11 năm 2024", "01/10/2024 – 31/10/2024 | 01/11/2024 – 30/11/2024"),
        ("Năm 2024 (tính đến 30/11/2024)", "30/11/2024 | 01/11/2024 – 30/11/2024 | 01/01/2024 – 30/11/2024"),
        ("Lũy kế đến 30/11/2024", "30/11/2024 | 01/11/2024 – 30/11/2024 | 01/01/2024 – 30/11/2024"),
        ("từ tháng 9 đến tháng 11/2024", "01/09/2024 – 30/11/2024"),
        ("Từ tháng 11/2023 đến tháng 02/2024", "01/11/2023 – 29/02/2024"),
        ("tháng 9-11/2024", "01/09/2024 – 30/11/2024"),
        ("Từ ngày 01 đến ngày 30 tháng 11 năm 2024", "01/11/2024 – 30/11/2024"),
        ("từ 01-30/11/2024", "01/11/2024 – 30/11/2024"),
        ("Số liệu tính từ đầu năm đến 30/11/2024", "01/01/2024 – 30/11/2024"),
        ("6 tháng đầu năm, năm 2024", "01/01/2024 – 30/06/2024"),
        ("nửa đầu năm 2024", "01/01/2024 – 30/06/2024"),
        ("quý tư năm 2024", "01/10/2024 – 31/12/2024"),
        ("tháng mười một năm 2024", "01/11/2024 – 30/11/2024"),
        ("Tháng XI năm 2024", "01/11/2024 – 30/11/2024"),
        ("Quý IV-2024", "01/10/2024 – 31/12/2024"),
        ("Tháng 11 (năm 2024)", "01/11/2024 – 30/11/2024"),
        ("Tháng 11 - 2024", "01/11/2024 – 30/11/2024"),
        ("Tháng 11, kế hoạch năm 2025", ""),
        ("Chín tháng năm 2024", ""),
        ("Tháng 13 năm 2024", ""),
        ("Tuần 45 năm 2024", ""),
        ("Từ ngày 15 tháng 10 đến ngày 14 tháng 11 năm 2024", "15/10/2024 – 14/11/2024"),
        ("Tính đến ngày 23/11/2024", "23/11/2024"),
        ("Tháng 11/2024; lũy kế từ đầu năm đến 30/11/2024", "01/01/2024 – 30/11/2024 | 01/11/2024 – 30/11/2024"),
        ("Lũy kế đến hết tháng 11 năm 2024", "01/11/2024 – 30/11/2024 | 01/01/2024 – 30/11/2024"),
        ("Năm 2023, 2024", "01/01/2023 – 31/12/2023 | 01/01/2024 – 31/12/2024"),
        ("15 ngày đầu tháng 11 năm 2024", ""),
        ("Kỳ 1 tháng 11 năm 2024", ""),
        ("Giai đoạn 2021-2025", ""),
        ("Năm 2024 và kế hoạch năm 2025", "01/01/2024 – 31/12/2024 | 01/01/2025 – 31/12/2025"),
    ],
)
def test_days_of_a_title_are_those_it_names_all_of_them_or_none(title: str, days: str) -> None:
    assert " | ".join(titles.written(span) for span in titles.read([title]).spans) == days


def test_a_period_that_is_said_is_one() -> None:
    assert titles.written(titles.span("tháng 11/2024")) == "01/11/2024 – 30/11/2024"
    with pytest.raises(ValueError, match="several periods"):
        titles.span("tháng 11 và 11 tháng năm 2024")


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("Đơn vị tính: 1.000.000 đồng", 10**6), ("ĐVT: 1000đ", 1000), ("1 000 đồng", 1000), ("1,000 VNĐ", 1000),
        ("Số tiền (triệu VNĐ)", 10**6), ("(tr.đ)", 10**6), ("trđ", 10**6), ("Triệuđồng", 10**6), ("(tỷ)", 10**9),
        ("tỉ đồng", 10**9), ("tỷ VND", 10**9), ("nghìn tỷ đồng", 10**12), ("trăm triệu đồng", 10**8),
        ("10⁶ đồng", 10**6), ("10^3 đ", 1000), ("ĐVT: giao dịch, đồng", 1), ("(đ)", 1), ("Tỷ đồng/năm", 10**9),
        ("million VND", 10**6),
        ("Hợp đồng", None), ("Hội đồng nhân dân", None), ("Doanh thu hoạt động", None), ("Đơn vị: Đồng Xoài", None),
        ("tỷ lệ", None), ("Phí, lệ phí", None),
    ],
)  # fmt: skip
def test_a_unit_of_money_is_its_multiple_however_it_is_written(text: str, scale: int | None) -> None:
    assert measures.money(text) == scale


@pytest.mark.parametrize("text", ["Số tiền (trệu đồng)", "(triệu USD)", "ĐVT: đồng và triệu đồng"])
def test_a_unit_of_money_that_is_not_understood_is_no_đồng(text: str) -> None:
    with pytest.raises(Doubt):
        measures.money(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("nghìn người", ("", 1000)), ("1.000 tấn", ("", 1000)), ("triệu kWh", ("", 10**6)), ("tỷ lệ", ("", 1)),
     ("ngân hàng", ("", 1)), ("trạm", ("", 1)), ("%", ("%", 1)), ("tỷ đồng", ("VND", 10**9))],
)  # fmt: skip
def test_a_measure_is_a_multiple_of_what_is_counted(text: str, meant: tuple[str, int]) -> None:
    assert measures.read(text) == meant


def economy(row: Sequence[Any], head: Sequence[str] = HEAD, *titled: str, **said: Any) -> tuple[list[str], list[str]]:
    """The figures that a row gives, as `indicator days figure`, and the cells that are asked about."""
    page = Page([*ABOVE, *([text] for text in titled), head, row])
    form = reading.read(workbook.read(xlsx(page), "a file"), templates()["economy"], Said(**said), "a file")
    given, asked = [], [question.cell for question in form.questions]
    for draft in events.drafts(form, None, NOW):
        if isinstance(draft, Question):
            asked.append(draft.cell)
        else:
            data = draft.data.model_dump()
            figure = data.get("value") or data["target"]
            given.append(f"{data['period_start']:%d/%m} – {data['period_end']:%d/%m} {figure.normalize():f}")
    return given, sorted(set(asked))


BILLIONS = ["01/01 – 31/12 1000000000000", "01/11 – 30/11 90000000000", "01/01 – 30/11 1500000000000"]
REVENUE = "Thu ngân sách nhà nước"
NO_MEASURE = [each for each in HEAD if each != "ĐVT"]


def test_money_is_counted_as_the_row_its_name_the_header_or_a_title_says() -> None:
    for measure in ("Tỷ đồng", "tỉ đồng", "tỷ VNĐ", "1.000.000.000 đ", "tỷ"):
        assert economy([1, REVENUE, measure, 1000, 90, 1500]) == (BILLIONS, []), measure
    assert economy([1, f"{REVENUE} (tỷ đồng)", 1000, 90, 1500], NO_MEASURE) == (BILLIONS, [])
    headed = [*NO_MEASURE[:2], *(f"{each} (tỷ đồng)" for each in NO_MEASURE[2:])]
    assert economy([1, REVENUE, 1000, 90, 1500], headed) == (BILLIONS, [])
    assert economy([1, REVENUE, 1000, 90, 1500], NO_MEASURE, "Đơn vị tính: tỷ đồng") == (BILLIONS, [])


def test_money_of_which_nothing_says_how_it_is_counted_is_asked_about() -> None:
    assert economy([1, REVENUE, 1000, 90, 1500], NO_MEASURE) == ([], ["B5"])
    assert economy([1, REVENUE, "", 1000, 90, 1500]) == ([], ["C5"])
    assert economy([1, REVENUE, "", 1000, 90, 1500], answers={("Sheet1", "C5"): "tỷ đồng"}) == (BILLIONS, [])
    assert economy([1, REVENUE, "triệu USD", 1000, 90, 1500]) == ([], ["C5"])


def test_thousands_of_persons_are_thousands() -> None:
    given, asked = economy([1, "Lượt người được tập huấn chuyển đổi số", "nghìn người", 2, 0.5, "1,25"])
    assert (given, asked) == (["01/01 – 31/12 2000", "01/11 – 30/11 500", "01/01 – 30/11 1250"], [])


def test_a_title_of_the_month_and_the_months_so_far_gives_each_column_its_own() -> None:
    assert economy([1, REVENUE, "tỷ đồng", 1000, 90, 1500], HEAD, "Tháng 11 và 11 tháng năm 2024") == (BILLIONS, [])


@pytest.mark.parametrize("header", ["Thực hiện tháng 10", "Thực hiện tháng 11/2023"])
def test_a_column_of_another_month_than_the_titles_is_asked_about(header: str) -> None:
    head = [*HEAD[:4], header, "Lũy kế 11 tháng"]
    assert economy([1, REVENUE, "tỷ đồng", 1000, 90, 1500], head) == (BILLIONS, ["E4"])
    assert economy([1, REVENUE, "tỷ đồng", 1000, 90, 1500], head, answers={("Sheet1", "E4"): "read"})[1] == []


def test_the_months_so_far_of_another_month_are_asked_about() -> None:
    assert economy([1, REVENUE, "tỷ đồng", 1000, 90, 1500], [*HEAD[:5], "Thực hiện 10 tháng"])[1] == ["F4"]


@pytest.mark.parametrize("figure", ["90¹", "90②", "1½"])
def test_a_mark_of_a_footnote_is_no_figure(figure: str) -> None:
    assert economy([1, REVENUE, "tỷ đồng", 1000, figure, 1500])[1] == ["E5"]


def test_a_column_that_was_chosen_brings_its_own_months() -> None:
    above = [["NGHỊ QUYẾT 02/NQ-CP"], ["10 tháng năm 2024"], ["Đơn vị: Thị xã Chơn Thành"]]
    head = ["Chỉ tiêu", "Chỉ tiêu năm 2024", "Kết quả 9 tháng năm 2024", "Kết quả 10 tháng năm 2024"]
    sheets = workbook.read(xlsx(Page([*above, head, ["Mức độ hài lòng", 90, 85, 86]])), "a file")
    template = templates()["resolution_02"]
    said = Said(answers={("Sheet1", "D4"): "achieved_10m2024_pct"})
    found = list(events.drafts(reading.read(sheets, template, said, "a file"), None, NOW))
    [result] = [one.data for one in found if not isinstance(one, Question) and one.data.event == "indicator.reported"]
    assert (str(result.value), f"{result.period_end:%d/%m}") == ("86", "31/10")


@pytest.mark.parametrize("word", ["tr. ", "1.000 ", "nghìn tỷ ", "thang 1 ", "tháng 11 và "])
def test_a_cell_full_of_words_is_read_in_no_time(word: str) -> None:
    before = process_time()
    measures.money(word * 8000)
    titles.read([word * 8000])
    assert process_time() - before < 2  # it was a quarter of a minute
