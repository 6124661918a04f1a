"""The page of a case tells in words why its clock stood, what was promised again and who had it before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, cast

import pytest

from schemas.fold import Fact
from services.board.access import Account
from services.board.live.poller import Poller
from services.board.pages.worklist.cases import Case, render
from services.board.pages.worklist.worklist_data import Row
from services.board.ui.live_page import PageContext
from services.board.ui.timeline import Step

AT = datetime(2026, 11, 10, 2, tzinfo=UTC)


def shown(language: Literal["vi", "en"], kind: str = "dossier", **state: Any) -> str:
    row = Row(kind, "H99.12-261109-0001", "phuong_chon_thanh", "real", "accepted", AT, AT, state, [], False)
    look = PageContext(Account("an", "", "operator"), language, cast(Poller, None))
    return str(render(look, Case(row, None, None, (), ())))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", ("Thời hạn tạm dừng", "chờ công dân nộp tiền: từ", "tạm dừng xử lý: ")),
        ("en", ("The clock stood", "payment awaited: since", "processing paused: ")),
    ],
)
def test_waits_are_told_with_their_reasons(language: Literal["vi", "en"], words: tuple[str, ...]) -> None:
    later = datetime(2026, 11, 12, 2, tzinfo=UTC).isoformat()
    page = shown(language, waits=[["pause", AT.isoformat(), later], ["payment", later, None]])
    assert [word for word in words if word not in page] == []
    assert "12/11" in page


def test_a_date_promised_again_is_told_as_such() -> None:
    page = shown("vi", promised=datetime(2026, 11, 25, 10, tzinfo=UTC).isoformat())
    assert "Ngày hẹn báo lại" in page
    assert "25/11" in page
    assert "không có thư xin lỗi" in page


def test_who_received_a_report_and_what_it_repeats_is_told() -> None:
    page = shown("vi", "report", received_by="phuong_minh_hung", duplicate_of="PA-9", duplicates=3)
    assert [word for word in ("Phường Minh Hưng", "PA-9", "Phản ánh trùng kèm theo") if word not in page] == []


def test_what_the_centre_told_of_a_case_says_which_time_was_not_kept_and_is_no_step() -> None:
    def fact(event: str, hour: int, **data: str) -> Fact:
        return Fact(AT.replace(hour=hour), f"{event}-{hour}", event, "phuong_chon_thanh", "real", data)

    facts = (fact("report.received", 2), fact("report.verified", 3), fact("report.overdue", 4, stage="route"),
             fact("report.overdue", 5, stage="resolve"))  # fmt: skip
    row = Row("report", "PA-1", "phuong_chon_thanh", "real", "verified", AT, AT, {}, [], False)
    steps = (Step(1, AT, "raised", "notifier", "", "accept"),)
    page = render(
        PageContext(Account("an", "", "operator"), "vi", cast(Poller, None)), Case(row, None, None, facts, steps)
    )
    assert "đã xác minh từ 10/11/2026 10:00" in page
    assert ">quá hạn chuyển xử lý<" in page and ">quá hạn trả kết quả<" in page
    assert "phát sinh cảnh báo (quá hạn tiếp nhận xử lý)" in page


def test_a_plain_case_has_none_of_it() -> None:
    page = shown("vi")
    assert [word for word in ("tạm dừng", "hẹn báo lại", "trùng") if word in page] == []
