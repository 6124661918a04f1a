"""`ioc import` as people and programs run it: what it prints, what it asks, how it ends. Nothing is sent here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sheets import Page, text_table, xlsx
from test_spreadsheet_traits import FIRST, HEAD, ROW, page

from services.cli.app import main
from services.ingest.spreadsheets import headers, reading, workbook
from services.ingest.spreadsheets.template import templates


def run(file: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["import", str(file), "--dry-run", *options])


def saved(folder: Path, raw: bytes, name: str = "tt-11.xlsx") -> Path:
    file = folder / name
    file.write_bytes(raw)
    return file


def printed(file: Path, *options: str) -> Any:
    return json.loads(run(file, "--format", "json", *options).stdout)


def test_a_dry_run_in_json_is_one_object_with_all_that_was_read(tmp_path: Path) -> None:
    rows = (ROW, ["Tổng cộng", "", 600, 3886775354, 2050, 632500000])
    file = saved(tmp_path, xlsx(page(*rows)))
    done = run(file, "--format", "json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert list(found) == [
        "file", "template", "period", "sheets", "rows", "questions", "skipped", "dropped", "events", "totals",
    ]  # fmt: skip
    assert found["file"] == "tt-11.xlsx" and found["template"] == "online_payment" and found["sheets"] == ["Sheet1"]
    assert found["period"] == {"start": "2024-11-01", "end": "2024-11-30"}
    values = {"unit_code": "dong_xoai", "tax_txn_month": "595", "tax_vnd_month": "3886775354",
              "fee_txn_month": "2050", "fee_vnd_month": "632500000"}  # fmt: skip
    assert found["rows"] == [{"sheet": "Sheet1", "row": FIRST + 1, "values": values}]
    assert found["events"] == 4 and found["questions"] == [] and found["dropped"] == []
    assert found["skipped"] == [{"sheet": "Sheet1", "row": FIRST + 2, "why": "total row"}]
    warning = "C10: the total of tax_txn_month is 600, the sum of its rows 595"
    assert found["totals"][0] == {
        "sheet": "Sheet1", "cell": "C10", "column": "tax_txn_month", "says": "600", "sum": "595", "warning": warning,
    }  # fmt: skip
    assert f"does not add up: Sheet1, {warning}" in run(file).stdout


def test_questions_end_with_status_one_and_their_answers_with_none(tmp_path: Path) -> None:
    file = saved(tmp_path, xlsx(page([*ROW[:3], "2,05", *ROW[4:]])))
    done = run(file)
    assert done.exit_code == 1
    assert "? Sheet1!D9 says '2,05'" in done.stdout and "it could be: 2050000, 2050000000" in done.stdout
    assert "answer: --answer 'Sheet1!D9=2050000'" in done.stdout and "1 question is open" in done.stderr
    assert printed(file)["questions"] == [
        {
            "sheet": "Sheet1",
            "cell": "D9",
            "says": "2,05",
            "question": "tax_vnd_month (Nghĩa vụ tài chính > Số tiền): it is no whole number",
            "choices": ["2050000", "2050000000"],
        }
    ]
    found = printed(file, "--answer", "Sheet1!D9=2050000")
    assert found["rows"][0]["values"]["tax_vnd_month"] == "2050000" and found["questions"] == []
    answers = saved(tmp_path, "# của Sở\n\n'Sheet1'!D9 = 2050000\n".encode(), "answers.txt")
    assert run(file, "--answers", str(answers)).exit_code == 0


def test_with_a_question_open_nothing_is_sent(tmp_path: Path) -> None:
    file = saved(tmp_path, xlsx(page([*ROW[:3], "2,05", *ROW[4:]])))
    done = CliRunner().invoke(main, ["import", str(file)], env={"IOC_HOME": str(tmp_path / "none")})
    assert done.exit_code == 1 and "1 question is open: nothing was sent" in done.stderr


def test_what_is_said_wrong_is_refused(tmp_path: Path) -> None:
    file = saved(tmp_path, xlsx(page(ROW)))
    assert "is not of the form SHEET!CELL=VALUE" in run(file, "--answer", "D9").stderr
    assert "nothing is asked at Sheet1!Z99" in run(file, "--answer", "Sheet1!Z99=1").stderr
    assert "no template 'x'; there are: e_certification, economy" in run(file, "--as", "x").stderr
    assert "names no period; write 11/2024" in run(file, "--period", "hôm qua").stderr
    assert "no unit 'Sao Hỏa'" in run(file, "--unit", "Sao Hỏa").stderr
    assert run(tmp_path / "none.xlsx").exit_code == 2
    assert "is empty" in run(saved(tmp_path, b"", "a.xlsx")).stderr
    assert "has no table with the columns of ii06" in run(saved(tmp_path, xlsx(Page([["a"]]))), "--as", "ii06").stderr


def test_a_form_that_may_be_two_is_told_apart_by_its_title_or_not_at_all(tmp_path: Path) -> None:
    head = ["Chỉ tiêu", "Đơn vị tính", "Kết quả", "Thực hiện"]
    row = ["Thu ngân sách nhà nước", "tỷ đồng", "", "2,5"]
    file = saved(tmp_path, xlsx(Page([["Tháng 11 năm 2024"], head, row])))
    assert "may be economy or programmes: say which with --as" in run(file).stderr
    file = saved(tmp_path, xlsx(Page([["Tình hình kinh tế - xã hội tháng 11 năm 2024"], head, row])))
    found = printed(file, "--unit", "Bình Phước")
    assert found["template"] == "economy" and found["events"] == 1


def test_the_days_of_a_row_stand_for_the_period_and_the_period_may_be_said(tmp_path: Path) -> None:
    file = saved(tmp_path, text_table(Page([HEAD[0], *HEAD[1:], ROW])), "tt.csv")
    assert printed(file)["questions"][0]["cell"] == "A1"
    for period in ("11/2024", "tháng 11 năm 2024", "01/11/2024 - 30/11/2024", "2024-11"):
        assert printed(file, "--period", period)["period"] == {"start": "2024-11-01", "end": "2024-11-30"}


def test_what_was_answered_before_is_taken_from_the_centres_folder(tmp_path: Path) -> None:
    head = ["Đơn vị", "GD thuế", "Số tiền NVTC", "Số giao dịch phí, lệ phí", "Số tiền phí, lệ phí"]
    file = saved(tmp_path, xlsx(Page([["Tháng 11 năm 2024"], head, ROW[1:]])))
    sheets = reading.modern(workbook.read_file(file))
    header = headers.find(sheets[0], templates()["online_payment"])
    assert header
    memory = tmp_path / "home" / "main" / "workbooks.json"
    memory.parent.mkdir(parents=True)
    memory.write_text(json.dumps({header.mark(templates()["online_payment"]): {"B": "tax_txn_month"}}))
    command = ["import", str(file), "--as", "online_payment", "--dry-run"]
    env = {"IOC_HOME": str(tmp_path / "home"), "IOC_INSTANCE": "main"}
    assert CliRunner().invoke(main, command, env=env).exit_code == 0
    assert CliRunner().invoke(main, command, env={**env, "IOC_INSTANCE": "other"}).exit_code == 1
    memory.write_text("{")
    damaged = CliRunner().invoke(main, command, env=env)
    assert damaged.exit_code == 1 and "workbooks.json is damaged" in damaged.stderr


# --- the other forms ---


II06 = Page(
    [
        ["BIỂU SỐ II.06/VPCP/KSTT: KẾT QUẢ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH"],
        ["Kỳ báo cáo: Quý III năm 2025 (từ ngày 15/6/2025 đến ngày 14/9/2025)"],
        ["STT", "Đơn vị", "Số hồ sơ tiếp nhận", "", "", "", "Số hồ sơ đã giải quyết", "", "", "",
         "Số hồ sơ đang giải quyết", "", ""],
        ["", "", "Tổng số", "Trong kỳ", "", "Từ kỳ trước", "Tổng số", "Trước hạn", "Đúng hạn", "Quá hạn", "Tổng số",
         "Trong hạn", "Quá hạn"],
        ["", "", "", "Trực tuyến", "Trực tiếp, dịch vụ bưu chính", "", "", "", "", "", "", "", ""],
        ["(1)", "(2)", "(3)=(4)+(5)+(6)", "(4)", "(5)", "(6)", "(7)=(8)+(9)+(10)", "(8)", "(9)", "(10)",
         "(11)=(12)+(13)", "(12)", "(13)"],
        [1, "Phường Chơn Thành", "1.234", 1000, 200, 34, 1200, 1100, 90, 10, 34, 30, 4],
        [2, "Xã Nha Bích", 100, 60, 30, 10, 90, 80, 5, 5, 10, "-", 9],
        ["", "Tổng cộng", "1.334", 1060, 230, 44, 1290, 1180, 95, 15, 44, 30, 13],
    ]
)  # fmt: skip


def test_report_ii06_with_its_thirteen_columns(tmp_path: Path) -> None:
    found = printed(saved(tmp_path, xlsx(II06)))
    assert found["template"] == "ii06" and found["questions"] == [] and found["events"] == 22
    assert found["period"] == {"start": "2025-06-15", "end": "2025-09-14"}
    assert list(found["rows"][0]["values"].values()) == [
        "phuong_chon_thanh", "1234", "1000", "200", "34", "1200", "1100", "90", "10", "34", "30", "4",
    ]  # fmt: skip
    assert [total["warning"] for total in found["totals"] if total["warning"]] == [
        "row 8: ii06_11 = ii06_12 + ii06_13: 10 is not 0 + 9 = 9"
    ]


def test_socio_economic_figures_with_plans_and_what_has_added_up(tmp_path: Path) -> None:
    rows = [
        ["TÌNH HÌNH KINH TẾ - XÃ HỘI THÁNG 9 NĂM 2025"],
        ["Đơn vị báo cáo: Phường Chơn Thành"],
        ["TT", "Chỉ tiêu", "ĐVT", "Kế hoạch năm 2025", "Thực hiện tháng 9/2025", "Luỹ kế 9 tháng"],
        [1, "Thu ngân sách nhà nước", "tỷ đồng", 50, "4,25", 38.5],
        [2, "Doanh nghiệp thành lập mới", "doanh nghiệp", 120, 9, 101],
        [3, "Tỷ lệ hộ nghèo", "%", "", "0,42", ""],
        [4, "Giá trị sản xuất", "tấn", "", 7, ""],
        [5, "Sản lượng điều", "tấn", "", 7, ""],
    ]
    found = printed(saved(tmp_path, xlsx(Page(rows))))
    assert (found["template"], found["events"]) == ("economy", 7)
    assert [(question["cell"], question["says"]) for question in found["questions"]] == [
        ("B8", "Sản lượng điều"),
        ("C7", "tấn"),
    ]
    assert (
        found["questions"][1]["question"]
        == "the figure of production_value is counted in VND, not in this: correct the file"
    )


def test_schools_and_health(tmp_path: Path) -> None:
    schools = [["Số trường, lớp tính đến ngày 15/10/2025"],
               ["Đơn vị", "Cấp học", "Số trường", "Số lớp", "Số học sinh", "Số giáo viên"],
               ["Phường Chơn Thành", "Tiểu học", 5, 120, "4.012", 180],
               ["Phường Chơn Thành", "THCS", 3, 64, 2400, ""]]  # fmt: skip
    found = printed(saved(tmp_path, xlsx(Page(schools))))
    assert (found["template"], found["events"]) == ("education", 1)
    assert found["rows"][0]["values"]["level"] == "primary"
    assert [(question["cell"], question["choices"]) for question in found["questions"]] == [("F4", ["0"])]
    health = [["Khám chữa bệnh ngày 15/10/2025"],
              ["Đơn vị", "Cơ sở", "Lượt khám", "Lượt khám BHYT", "Giường bệnh", "Giường đang sử dụng"],
              ["Phường Chơn Thành", "Trung tâm Y tế Chơn Thành", 210, 190, 120, 97],
              ["Phường Chơn Thành", "Trạm Y tế Hưng Long", 10, 19, "", ""]]  # fmt: skip
    found = printed(saved(tmp_path, xlsx(Page(health))))
    assert (found["template"], found["events"]) == ("health", 2)
    assert found["rows"][0]["values"]["facility"] == "trung_tam_y_te_chon_thanh"
    assert "insured (19) is more than visits (10)" in found["questions"][0]["question"]
    health[0] = ["Khám chữa bệnh tháng 10/2025"]
    asked = printed(saved(tmp_path, xlsx(Page(health))))["questions"][0]["question"]
    assert "which day is it about? its figures are of one day, and 01/10/2025 – 31/10/2025 are more" in asked


@pytest.mark.parametrize("name", templates())
def test_each_form_is_recognised_by_its_own_headers(name: str, tmp_path: Path) -> None:
    heads = [
        column.headers[0].replace("{year}", "2024").replace("{months}", "10") for column in templates()[name].columns
    ]
    depth = max(head.count(" > ") for head in heads) + 1
    steps = [[""] * (depth - 1 - head.count(" > ")) + head.split(" > ") for head in heads]
    rows = [[step[level] for step in steps] for level in range(depth)]
    file = saved(tmp_path, xlsx(Page([[templates()[name].title[0]], *rows, ["x"] * len(heads)])))
    assert printed(file)["template"] == name


def test_one_cell_is_asked_about_once_and_its_answer_may_be_words(tmp_path: Path) -> None:
    head = ["Chỉ tiêu", "ĐVT", "Kế hoạch năm 2024", "Thực hiện tháng 11", "Lũy kế"]
    above = [["KT-XH tháng 11 và 11 tháng năm 2024"], ["Đơn vị: Thị xã Chơn Thành"]]
    file = saved(tmp_path, xlsx(Page([*above, head, ["Thu ngân sách nhà nước", "", 1000, 90, 1500]])))
    assert [question["cell"] for question in printed(file)["questions"]] == ["B4"]
    answered = printed(file, "--answer", "Sheet1!B4=tỷ đồng")
    assert (answered["questions"], answered["events"]) == ([], 3)
