"""What the reader of workbooks asks has Vietnamese words on the board, and no word of a command in either language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.board.pages.imports.phrases import PHRASES, said
from services.board.ui.words import WORDS
from services.ingest import spreadsheets
from services.ingest.spreadsheets.template import templates

SOURCES = "\n".join(file.read_text("utf-8") for file in Path(spreadsheets.__file__).parent.glob("*.py"))
DOUBTS = sorted(set(re.findall(r'Doubt\(\s*"([^"]+)"', SOURCES)))
ASKED = (
    ("tax_vnd_month (Nghĩa vụ tài chính > Số tiền): it is no whole number",
     "Nghĩa vụ tài chính – Số tiền: không phải số nguyên"),
    ("which period is it about? the titles name none: say it with --period",
     "số liệu của kỳ nào? (tiêu đề không ghi); hãy ghi ở ô «Kỳ số liệu»"),
    ("which unit is it of? the titles name several: say it with --unit",
     "số liệu của đơn vị nào? (tiêu đề ghi nhiều); hãy ghi ở ô «Đơn vị»"),
    ("Sheet1: C20: the total of tax_txn_month is 4885, the sum of its rows 4884",
     "Sheet1, ô C20: tổng của tax_txn_month ghi 4885, cộng các dòng được 4884"),
    ("tt.xlsx is none of the forms economy, health: say which it is meant to be with --as",
     "tt.xlsx không khớp biểu mẫu nào: hãy chọn biểu mẫu"),
    ("units stand beside each other from Sheet1!B2 on ('Đồng Xoài'), and a form has a row for each of them: swap them",
     "các đơn vị nằm ở hàng ngang, từ ô Sheet1!B2 («Đồng Xoài»), còn biểu mẫu ghi mỗi đơn vị một dòng: hãy chuyển cột "
     "thành dòng (chép bảng, dán đặc biệt, chọn Transpose) rồi gửi lại"),
    ("hidden rows have figures (4, 7): are they part of the form?",
     "các dòng ẩn có số liệu (4, 7): có tính vào biểu không?"),
)  # fmt: skip


@pytest.mark.parametrize("doubt", DOUBTS)
def test_each_doubt_has_vietnamese_words(doubt: str) -> None:
    assert len(DOUBTS) > 10
    assert said(doubt, "vi") != doubt
    assert said(doubt, "en") == doubt


@pytest.mark.parametrize(("english", "vietnamese"), ASKED)
def test_questions_are_asked_as_the_page_answers_them(english: str, vietnamese: str) -> None:
    assert said(english, "vi") == vietnamese
    assert "--" not in said(english, "en")


def test_what_has_no_words_is_left_as_it_is() -> None:
    assert said("something else", "vi") == "something else"
    assert [vi for pattern, vi in PHRASES if max(map(int, re.findall(r"\\(\d)", vi)), default=0) > pattern.groups] == []


def test_each_form_is_called_on_the_board_as_in_its_template() -> None:
    forms = {f"form_{name}": (form.vi, form.en) for name, form in templates().items()}
    assert forms == {key: WORDS[key] for key in WORDS if key.startswith("form_")}
