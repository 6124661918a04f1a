"""Alarms about cases of one unit and matter are one row of the list, with its members inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.field import ReportOverdue
from schemas.registry import make
from services.board.access import Account
from services.board.live.poller import Poller
from services.board.pages.alarms.alarm_groups import grouped, numbers
from services.board.pages.alarms.alarms import LISTING, listed, render, types_of
from services.board.pages.alarms.alarms_data import Row
from services.board.pages.contacts.contacts_data import Contact
from services.board.ui.live_page import PageContext
from services.board.ui.periods import SO_FAR
from services.board.ui.timeline import OURSELVES, history
from services.board.ui.timeline import Step as TimelineStep
from services.kit.settings import Settings
from services.notifier.domain import to_raise

NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)


def overdue(id: int, unit: str = "phuong_chon_thanh", **changes: Any) -> Row:
    told: dict[str, Any] = dict.fromkeys(Row._fields) | {
        "id": id, "status": "active", "severity": "warning", "system": "procedures", "unit": unit,
        "type": "DossierOverdue", "kind": "dossier", "entity": f"H99.1-260301-{id:04}", "originator": "dossier:x",
        "origin": "real", "vi": "Hồ sơ quá hạn", "en": "Dossier overdue", "raised_at": NOW - timedelta(minutes=id),
    }  # fmt: skip
    return Row(**(told | changes))


def shown(*rows: Row, **asked: str) -> list[list[int]]:
    return [[row.id for row in group.members] for group in grouped(rows, LISTING.parse("/alarms", asked))]


def test_a_units_cases_of_one_matter_are_one_row() -> None:
    other = overdue(3, "phuong_minh_hung")
    assert shown(overdue(1), other, overdue(2)) == [[1, 2], [3]]
    assert shown(overdue(1), overdue(2, vi="Phản ánh quá hạn", type="ReportOverdue")) == [[1], [2]]
    assert shown(overdue(1), overdue(2, origin="simulated")) == [[1], [2]]
    assert shown(overdue(1), overdue(2, status="acknowledged", acknowledged_by="an")) == [[1], [2]]


def test_a_report_that_is_late_in_three_ways_is_one_case_of_one_alarm_which_is_as_grave_as_the_gravest() -> None:
    stages = [("chuyển xử lý", "warning"), ("tiếp nhận xử lý", "warning"), ("trả kết quả", "critical")]
    report = {"type": "ReportOverdue", "kind": "report"}
    late = [overdue(id, **report, entity="PA-1", vi=f"Phản ánh quá hạn: {what}", severity=how)
            for id, (what, how) in enumerate(stages, 1)]  # fmt: skip
    query = LISTING.parse("/alarms", {})
    [group] = grouped([*late, overdue(4, **report, entity="PA-2", vi=late[0].vi)], query)
    assert (group.item, group.cases, group.gravest.id) == ("alarm:1.2.3.4", 2, 3)
    context = PageContext(Account("an", "", "operator"), "vi", Poller(Settings(), SO_FAR.before))
    page = listed(context, query, [*late])
    assert "Phản ánh quá hạn: 1<" in page and page.count("nghiêm trọng") == 1 and "chuyển xử lý" not in page


def test_what_is_about_no_case_stays_by_itself_and_so_does_what_was_looked_for() -> None:
    rules = [overdue(id, kind=None, entity=None) for id in (1, 2)]
    assert shown(*rules) == [[1], [2]]
    assert shown(overdue(1), overdue(2), type="DossierOverdue") == [[1], [2]]
    assert shown(overdue(1), overdue(2), text="H99") == [[1], [2]]


def test_a_group_names_its_cases_and_is_acted_on_as_a_whole() -> None:
    [group] = grouped([overdue(id) for id in range(1, 9)], LISTING.parse("/alarms", {}))
    assert group.about.startswith("H99.1-260301-0001, ") and group.about.endswith(", …")
    assert group.item == "alarm:1.2.3.4.5.6.7.8"
    assert numbers(group.item) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert numbers("alarm:x") == [0] and numbers("alarm:1.x") == [1, 0]


def test_a_type_of_alarms_is_called_by_the_words_that_its_texts_share() -> None:
    late = [overdue(n, type="ReportOverdue", vi=f"Phản ánh quá hạn: {what}", en=f"Report {what}")
            for n, what in enumerate(("chuyển xử lý", "trả kết quả"))]  # fmt: skip
    assert types_of([overdue(3), *late], "vi") == {
        "DossierOverdue": "Hồ sơ quá hạn",
        "ReportOverdue": "Phản ánh quá hạn",
    }
    assert types_of([overdue(1, en="One"), overdue(2, en="Other")], "en") == {"DossierOverdue": "One"}


def test_reports_that_are_late_in_several_ways_are_called_alike_in_both_languages() -> None:
    data = [ReportOverdue(code="PA-1", stage=stage, due_at=NOW) for stage in ("route", "accept", "resolve")]
    late = [make(one, source="/test", id=one.stage, time=NOW, unit="phuong_chon_thanh") for one in data]
    raised = [one for event in late if (one := to_raise(event))]
    rows = [overdue(n, type=one.type, vi=one.vi, en=one.en) for n, one in enumerate(raised)]
    assert len(rows) == 3 and types_of(rows, "vi") == {"ReportOverdue": "Phản ánh hiện trường quá hạn"}
    assert types_of(rows, "en") == {"ReportOverdue": "Field report overdue"}


def test_an_alarm_of_a_unit_says_whom_to_call_there() -> None:
    def page(row: Row, contact: Contact | None) -> str:
        context = PageContext(Account("an", "", "operator"), "vi", Poller(Settings(), SO_FAR.before))
        return render(context, row, [], Settings(), contact)

    given = overdue(1, originator="dossier:H99", times=1)
    told = page(given, Contact("phuong_chon_thanh", "Bà Lan", "0271 3666 777", "admin"))
    assert "Bà Lan" in told and 'href="tel:02713666777"' in told
    assert 'href="/system/procedures?unit=phuong_chon_thanh"' in told
    assert "Liên hệ đơn vị" not in page(given._replace(unit="all"), None)


@pytest.mark.parametrize(
    ("note", "by", "step", "vi", "en"),
    [
        ("due 2026-11-30 02:00:00+00:00", OURSELVES, "refreshed", "hạn 30/11/2026 09:00", "due 30/11/2026 09:00"),
        ("warning → critical", OURSELVES, "refreshed", "cảnh báo → nghiêm trọng", "warning → critical"),
        ("handed on: phuong_chon_thanh → phuong_minh_hung", OURSELVES, "reopened",
         "chuyển đơn vị: Phường Chơn Thành → Phường Minh Hưng", "handed on: Chon Thanh Ward → Minh Hung Ward"),
        ("what it was about is done", OURSELVES, "cleared", "việc đã xử lý xong", "what it was about is done"),
        ("to an until 2026-12-01T10:00:00+07:00: to it", "truc", "assigned",
         "cho an, đến 01/12/2026 10:00: to it", "to an until 01/12/2026 10:00: to it"),
        ("due critical: resolved", "truc", "cleared", "due critical: resolved", "due critical: resolved"),
    ],
)  # fmt: skip
def test_what_the_notifier_noted_is_said_in_both_languages(note: str, by: str, step: str, vi: str, en: str) -> None:
    for language, said in (("vi", vi), ("en", en)):
        context = PageContext(Account("an", "", "operator"), language, Poller(Settings(), SO_FAR.before))
        assert f": {said}</li>" in history(context, [TimelineStep(1, NOW, step, by, note)])
