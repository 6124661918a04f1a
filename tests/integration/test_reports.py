"""The report of November 2024, made from its events: every published cell, the identities of II.06, the same figures
as `ioc query` gives."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from read_back import hold_content
from support import command, output_of

from infra.local import fonts
from infra.local.paths import home
from infra.local.servers import Instance
from schemas import units
from schemas.indicators import CATALOGUE
from services.centre.prepare import settings_of
from services.kit import store
from services.readings import sheet
from services.reports import as_json, making
from services.reports.content import Figure, Report, Table, text_of
from services.simulator import november_2024

TABLES = Path(november_2024.__file__).parent / "tables"
OFFICE = Path(__file__).parents[2] / "services/reports/report.toml"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The words of an office whose months of the hotline close on day 23, as Bình Phước's did."""
    text = OFFICE.read_text(encoding="utf-8").replace("# closes = 23 ", "closes = 23 ")
    text = text.replace('tables = ["findings"]', 'tables = ["findings"]\ncloses = 23')
    file = tmp_path_factory.mktemp("office") / "report.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def november(published: Instance, office: Path) -> Report:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IOC_REPORT_TEXTS", str(office))
        return as_json.read(output_of(published, "report", "11/2024", "--format", "json").encode())


def printed(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(report: Report, code: str) -> Table:
    return next(table for table in report.tables if table.code == code)


def by_name(table: Table) -> dict[str, tuple[Any, ...]]:
    """The name in a row's second column -> what stands behind it: numbers, texts, None for a dash."""
    return {str(row[1]): tuple(c.value if isinstance(c, Figure) else c for c in row[2:]) for row in table.all_rows}


def name(unit: str) -> str:
    return units.on(unit, date(2024, 11, 30)).name_vi


def number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def test_payments_in_all_cells_of_month_and_year_so_far(november: Report) -> None:
    rows = printed("online_payment_by_district")
    columns = ("tax_txn_month", "tax_vnd_month", "fee_txn_month", "fee_vnd_month")
    for code in ("payments", "payments_year"):
        found = by_name(table(november, code))
        for row in rows:
            assert found[name(row["unit_code"])][:4] == tuple(Decimal(row[c]) for c in columns)
        assert found["Tổng số"] == (4_884, 14_937_656_323, 10_213, 1_912_706_930, 15_097, 16_850_363_253)
        assert len(found) == len(rows) + 1
    assert table(november, "payments_year").notes == ("Số liệu chỉ có từ ngày 01/11/2024.",)


def test_online_services_of_27_units_with_54_flags_and_their_means(november: Report) -> None:
    found = by_name(table(november, "online_services"))
    for row in printed("online_services_by_unit"):
        services, dossiers = row["pct_online_services_with_dossiers"], row["pct_dossiers_handled_online"]
        flags = ["Đạt" if row[flag] == "1" else "Chưa đạt" for flag in ("meets_target_80", "meets_target_50")]
        assert found[name(row["unit_code"])] == (Decimal(services), flags[0], Decimal(dossiers), flags[1])
    assert found["Bình quân các đơn vị"] == (Decimal("98.61"), "", Decimal("80.78"), "")
    assert len(found) == 28


def test_software_of_33_units_with_sums_and_means(november: Report) -> None:
    found = by_name(table(november, "software"))
    rows = printed("egov_software_usage_by_unit")
    for row in rows:
        assert found[name(row["unit_code"])] == tuple(number(row[column]) for column in list(row)[3:]), row["unit_code"]
    assert found["Tổng số (bình quân với tỷ lệ)"] == tuple(
        map(Decimal, ("92", "4849", "90.85", "100", "4760", "86.76"))
    )
    assert len(found) == len(rows) + 1


def test_certified_copies_the_hotline_and_resolution_02(november: Report) -> None:
    (copies,), (hotline,) = printed("e_certification_summary"), printed("hotline_1022_period")
    assert [values[0] for values in by_name(table(november, "certified_copies")).values()] == [
        int(text) for text in list(copies.values())[2:]
    ]
    assert [values[0] for values in by_name(table(november, "hotline")).values()] == [
        int(text) for text in list(hotline.values())[2:]
    ]
    targets = list(by_name(table(november, "resolution_02")).values())
    expected = [
        (number(row["target_2024_pct"]), number(row["achieved_10m2024_pct"]), row["reached_at_10m"])
        for row in printed("nq02_2024_targets")
    ]
    told = {"1": "Đạt", "0": "Chưa đạt", "": ""}
    assert targets == [(target, value, told[reached]) for target, value, reached in expected]


def test_each_system_has_at_most_one_chart_of_the_figure_in_its_table(november: Report) -> None:
    charts = {chart.code: chart for chart in november.charts}
    assert len(charts) == len(november.charts) and "chart_procedures" in charts
    received = charts["chart_procedures"]
    assert len(received.bars) == 30 and received.bars[0].label == "01/11" and not received.before
    values = [bar.now for bar in received.bars if bar.now is not None]
    assert sum(values) == by_name(table(november, "system_procedures"))[received.title][1]


def test_programmes_that_were_told_of_november(november: Report) -> None:
    shown = {row for t in november.tables if t.code.startswith("system_") for row in by_name(t).items()}
    values = {values[1] for _, values in shown}
    told = [row for row in printed("programme_figures") if row["period_end"].startswith("2024-11")]
    assert told and all(Decimal(row["value"]) in values for row in told)


def test_points_of_index_766_are_told_of_what_is_known(november: Report) -> None:
    found = table(november, "index766")
    names = {str(row[1]): row[4:] for row in found.all_rows}
    assert [c.value for c in names["Tổng số (của 62 điểm có số liệu)"] if isinstance(c, Figure)][1] == 100
    assert any("trên 62 điểm có thể đạt" in note for note in found.notes)
    assert "TIẾN ĐỘ GIẢI QUYẾT" in names and "SỐ HÓA HỒ SƠ (của 14 điểm có số liệu)" in names
    total = text_of(names["Tổng số (của 62 điểm có số liệu)"][0])
    groups = {str(row[1]): tuple(map(text_of, row[2:])) for row in table(november, "index766_groups").all_rows}
    assert groups["Tổng số (của 62 điểm có số liệu)"] == (total, total, "100")


def test_findings_are_the_known_mistakes_and_no_others(november: Report) -> None:
    rows = [row[2:5] for row in table(november, "findings").rows]
    assert [(where, text_of(left), text_of(right)) for where, left, right in rows] == [
        ("Tỉnh Bình Phước", "5.122", "5.121"), ("Toàn địa bàn", "290", "288"),
        ("Thành phố Đồng Xoài", "1.674", "1.733"), ("Văn phòng UBND tỉnh", "1.377", "1.674"),
    ]  # fmt: skip


def test_ii06_holds_its_identities_for_every_unit_and_field(november: Report) -> None:
    for code, rows in (("ii06_by_unit", 27), ("ii06_by_field", 20)):
        sheet = table(november, code)
        assert len(sheet.rows) >= rows
        for row in sheet.all_rows:
            c = dict(enumerate((cell.value for cell in row[2:] if isinstance(cell, Figure)), start=3))
            assert None not in c.values() and len(c) == 11
            assert c[3] == c[4] + c[5] + c[6] == c[7] + c[11], row  # type: ignore[operator]
            assert c[7] == c[8] + c[9] + c[10] and c[11] == c[12] + c[13], row  # type: ignore[operator]
        for place in range(2, 13):
            column = [row[place].value for row in sheet.all_rows]  # type: ignore[union-attr]
            assert sum(column[:-1]) == column[-1], place  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["unit", "field"])
def test_ii06_holds_its_identities_on_each_day_and_in_each_week_of_the_scenario(published: Instance, by: str) -> None:
    columns = [CATALOGUE[f"ii06_{number:02}"] for number in range(3, 14)]
    tried = 0
    with store.connect(settings_of(published, "cli"), "reader") as conn:
        for day, days in product(range(30), (1, 7)):
            first = date(2024, 11, 1) + timedelta(days=day)
            period = making.period_of(first, first + timedelta(days=days - 1))
            for row in zip(*sheet(conn, columns, None, period, by, aligned=True), strict=True):
                c = {number: reading.value for number, reading in enumerate(row, start=3)}
                for whole, parts in ((3, (4, 5, 6)), (7, (8, 9, 10)), (11, (12, 13)), (3, (7, 11))):
                    values = [c[part] for part in parts]
                    if c[whole] is not None and None not in values:
                        tried += 1
                        assert c[whole] == sum(v for v in values if v is not None), (first, days, row[0].group)
                assert c[11] is not None and c[12] is not None and c[13] is not None, (first, days, row[0].group)
    assert tried > 60 * 20 * 2


def test_the_list_of_overdue_dossiers_is_as_long_as_the_figure_and_masked(november: Report) -> None:
    annex = table(november, "overdue")
    open_late = table(november, "ii06_by_unit").total[-1]
    assert isinstance(open_late, Figure) and len(annex.rows) == open_late.value and november.sections[-1].annex
    assert all("••••" in str(row[1]) for row in annex.rows)
    late = [row[5].value for row in annex.rows if isinstance(row[5], Figure)]
    assert late == sorted(late, reverse=True) and late[-1] and late[-1] >= 1


def test_the_head_is_the_provinces_of_that_day_and_sentences_have_the_figures(november: Report) -> None:
    assert november.head.issuer.splitlines() == ["ỦY BAN NHÂN DÂN", "TỈNH BÌNH PHƯỚC"]
    assert november.head.dated == "Bình Phước, ngày 30 tháng 11 năm 2024"
    texts = [block.text for section in november.sections for block in section.blocks if block.kind == "paragraph"]
    assert any("15.097 giao dịch thanh toán trực tuyến với tổng số tiền 16.850.363.253 đồng" in text for text in texts)
    assert any("Tổng đài 1022 tiếp nhận 290 tin, đã xử lý 280 tin, đang xử lý 10 tin" in text for text in texts)
    assert not any("So với kỳ trước" in text for text in texts), "October is not covered by data"


def test_a_unit_alone_has_the_same_figures_as_its_row(published: Instance, november: Report) -> None:
    raw = output_of(published, "report", "11/2024", "--unit", "chon_thanh", "--format", "json")
    own = as_json.read(raw.encode())
    assert own.head.issuer.splitlines()[1] == "THỊ XÃ CHƠN THÀNH"
    assert (
        by_name(table(own, "ii06_by_unit"))["Tổng số"] == by_name(table(november, "ii06_by_unit"))["Thị xã Chơn Thành"]
    )


def test_who_reports_on_what_is_no_more_is_there_on_its_day(published: Instance) -> None:
    def head(*asked: str) -> tuple[str, ...]:
        made = as_json.read(output_of(published, "report", *asked, "--format", "json").encode())
        return made.head.issuer.replace("\n", " "), made.head.number.strip(), made.head.subject, *made.signature.office

    assert head("11/2024", "--unit", "so_gddt")[:2] == ("SỞ GIÁO DỤC VÀ ĐÀO TẠO", "/BC-SGDĐT")
    assert head("11/2024", "--unit", "so_gddt")[-1] == "GIÁM ĐỐC"
    issuer, symbol, subject, *office = head("11/2024", "--unit", "chon_thanh", "--as-of", "2026-11-29")
    assert (issuer, symbol) == ("ỦY BAN NHÂN DÂN THÀNH PHỐ ĐỒNG NAI", "/BC-UBND")
    assert subject.endswith("tháng 11 năm 2024 của Thị xã Chơn Thành") and office[-1] == "CHỦ TỊCH"
    assert head("2025")[0] == "ỦY BAN NHÂN DÂN TỈNH ĐỒNG NAI", "of the year in which the provinces were merged"


def test_of_a_month_without_data_nothing_is_0_and_no_table_is_empty(published: Instance) -> None:
    """Nobody has sent anything of December 2024; what was open goes on and becomes overdue."""
    made = as_json.read(output_of(published, "report", "12/2024", "--format", "json").encode())
    assert made.head.issuer.endswith("TỈNH BÌNH PHƯỚC")
    fields = by_name(table(made, "ii06_by_field"))
    for row in fields.values():
        assert row[:3] == (None, None, None) and row[4:8] == (None,) * 4 and row[3] == row[8] == row[9] + row[10]
    assert fields["Tổng số"][3] == 9_812
    assert {"payments", "software", "online_services"}.isdisjoint(t.code for t in made.tables)
    assert all(t.rows for t in made.tables)


def test_other_forms_have_the_same_figures(published: Instance, november: Report) -> None:
    def form(name: str) -> Report:
        return as_json.read(output_of(published, "report", "11/2024", "--as", name, "--format", "json").encode())

    alone, meeting = form("ii06"), form("meeting")
    assert alone.tables == (table(november, "ii06_by_field"),) and "II.06a/VPCP/KSTT" in alone.head.subject
    assert meeting.head.title == "BÁO CÁO NHANH" and meeting.head.issuer == november.head.issuer
    assert [t.code for t in meeting.tables] == ["headlines", "index766_groups"]
    assert table(meeting, "index766_groups") == table(november, "index766_groups")
    rows, own = by_name(table(november, "system_procedures")), by_name(table(meeting, "headlines"))
    assert len(own) > 5 and all(rows[name] == row for name, row in own.items() if name in rows)
    refused = command(published, "report", "--list", "--as", "ii06")
    assert refused.exit_code == 2 and "--as is about a PERIOD" in refused.output
    assert "no form 'ii6'" in command(published, "report", "11/2024", "--as", "ii6").output


def test_a_unit_has_one_page_for_a_meeting(published: Instance, tmp_path: Path) -> None:
    file = tmp_path / "meeting.pdf"
    output_of(published, "report", "11/2024", "--as", "meeting", "--unit", "chon_thanh", "-o", str(file))
    (page,) = PdfReader(file).pages
    assert "CHỦ TỊCH" in page.extract_text()


@pytest.mark.parametrize(
    "asked",
    [("11/2024",), ("11/2024", "--unit", "chon_thanh"), ("2024",), ("11/2024", "--as", "ii06"),
     ("11/2024", "--as", "meeting", "--unit", "chon_thanh")],
)  # fmt: skip
def test_every_format_has_all_rows_in_their_order(published: Instance, asked: tuple[str, ...]) -> None:
    made = as_json.read(output_of(published, "report", *asked, "--format", "json").encode())
    hold_content(made, fonts.provide(home() / "runtime", print))


def test_days_before_the_rules_of_index_766_have_a_report(published: Instance) -> None:
    made = as_json.read(output_of(published, "report", "05/2022", "--format", "json").encode())
    assert made.tables == () and len(made.sections) == 11


def test_the_report_has_the_figures_of_query(published: Instance, november: Report) -> None:
    ask = partial(output_of, published, "query", "--from", "2024-11-01", "--to", "2024-11-30", "--as-of", "2024-11-30")
    told = json.loads(ask("procedures", "--format", "json"))["readings"]
    values = {r["indicator"]: r["value"] for r in told}
    rows = by_name(table(november, "system_procedures"))
    assert rows["Hồ sơ tiếp nhận"][1] == Decimal(values["dossiers_received"])
    assert rows["Tỷ lệ hồ sơ quá hạn"][1] == Decimal(values["overdue_share"])
    assert rows["Hồ sơ tiếp nhận"][2] is None, "October is not covered by data"
    assert rows["Thủ tục cung cấp DVC trực tuyến"][1:4] == (540, 540, 0)


def test_a_report_that_cannot_be_made_says_why(
    published: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "does not say which format" in command(published, "report", "11/2024", "-o", "report.odt").output
    assert "no date" in command(published, "report", "13/2024").output
    wrong = tmp_path / "report.toml"
    wrong.write_text(OFFICE.read_text(encoding="utf-8").replace("{ii06_03}", "{ii06_3}"), encoding="utf-8")
    monkeypatch.setenv("IOC_REPORT_TEXTS", str(wrong))
    said = command(published, "report", "11/2024").output
    assert "no indicator 'ii06_3'" in said and "ii06_03" in said and "Kết quả giải quyết" in said


# --- the morning brief ---


def test_a_brief_of_november_compares_what_can_be_compared_in_1200_characters(published: Instance) -> None:
    ask = partial(output_of, published, "brief", "--as-of")
    whole, english = ask("2024-11-20 06:30"), ask("2024-11-20 06:30", "--language", "en")
    town = ask("2024-11-20 06:30", "--unit", "chon_thanh")
    for text in (whole, english, town):
        assert len(text.strip()) <= 1200 and "20/11/2024" in text.splitlines()[0]
        assert "19/11/2024 (chưa chốt)" in text or "19/11/2024 (not final)" in text
    assert "giảm 0,09 so với hôm trước (phần tính từ hồ sơ)." in town
    assert "0.05 more than the day before (of what dossiers count)." in english
    assert "13/11 54,84; " in whole and "10.901/36.244 (30,08 %)" in whole and "chưa đầy đủ" not in whole
    assert "ngày đầu tháng nên không so với hôm trước" in ask("2024-11-02 06:30")
