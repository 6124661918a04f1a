"""Which report may be joined to which, and how the page of a report shows those that may be the same matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from schemas.fold import Fact
from services.board.access import Account
from services.board.live.poller import Poller
from services.board.pages.worklist.cases import Case, render
from services.board.pages.worklist.joining import Alike, Report, event_of, refusal
from services.board.pages.worklist.worklist_data import Row
from services.board.ui.live_page import PageContext
from services.board.ui.words import WORDS

NOW = datetime(2026, 11, 10, 2, tzinfo=UTC)
WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
OPERATOR, BOUNDED = Account("an", "", "operator"), Account("an", "", "operator", (WARD,))


def report(id: str = "PA-1", unit: str = WARD, ended: bool = False, origin: str = "real", **state: Any) -> Report:
    cases = state.pop("cases", None)
    return Report(id, unit, origin, NOW if ended else None, state, [], cases)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (report(), report("PA-2"), None),
        (report(), report("PA-2", OTHER, ended=True), None),
        (None, report("PA-2"), "report_not_open"),
        (report(ended=True), report("PA-2"), "report_not_open"),
        (report(), None, "join_unknown"),
        (report(), report(), "join_itself"),
        (report(), report("PA-2", origin="simulated"), "join_other_origin"),
        (report(), report("PA-2", duplicate_of="PA-3"), "join_chain"),
        (report(duplicates=1), report("PA-2"), "join_has_others"),
        (report(office=WARD, cases=["PA-1@xa_nha_bich"]), report("PA-2"), None),
        (report(office=OTHER, cases=["PA-1@xa_nha_bich"]), report("PA-2"), "join_ambiguous"),
        (report(f"PA-1@{OTHER}", office=OTHER), report("PA-2"), "join_ambiguous"),
    ],
)
def test_a_report_is_joined_where_the_count_stays_true(one: Report | None, other: Report | None, why: str) -> None:
    assert refusal(one, other, OPERATOR) == why
    assert why is None or why in WORDS


def test_a_report_is_joined_only_to_one_that_its_operator_sees() -> None:
    assert refusal(report(), report("PA-2", OTHER), BOUNDED) == "join_unknown"
    assert refusal(report(), report("PA-2"), BOUNDED) is None


def test_the_event_is_told_by_the_unit_that_has_it_and_names_both_by_their_numbers() -> None:
    event = event_of(report(f"PA-1@{WARD}"), report(f"PA-2@{WARD}"), NOW)
    assert (event.fields, event.unit) == ({"code": "PA-1", "reason": "duplicate", "duplicate_of": "PA-2"}, WARD)
    assert (
        event_of(report(), report("PA-2"), NOW + timedelta(seconds=1)).id != event_of(report(), report("PA-2"), NOW).id
    )


def page(account: Account, facts: tuple[Fact, ...] = (), status: str = "received", **state: Any) -> str:
    row = Row("report", "PA-1", WARD, "real", status, NOW, NOW, state, False)
    near = [Alike("PA-2", WARD, "received", NOW, 0, 41.4), Alike("PA-3", OTHER, "routed", NOW, 2, 80.0)]
    return str(render(PageContext(account, "vi", cast(Poller, None)), Case(row, None, None, facts, (), alike=near)))


def test_what_may_be_the_same_is_shown_to_who_sees_it_with_a_way_to_join() -> None:
    shown = page(OPERATOR)
    assert "41 m" in shown and "/worklist/report/PA-3" in shown and shown.count("/worklist/do/join") == 2
    assert "PA-2" in page(BOUNDED) and "PA-3" not in page(BOUNDED)
    viewer = page(Account("an", "", "viewer"))
    assert "PA-2" in viewer and "/worklist/do/join" not in viewer


def test_what_was_joined_to_a_report_is_no_step_of_its_own() -> None:
    received = Fact(NOW, "a", "report.received", WARD, "real", {"code": "PA-1"})
    said = {"code": "PA-9", "reason": "duplicate", "duplicate_of": "PA-1"}
    joined = Fact(NOW + timedelta(hours=1), "b", "report.refused", WARD, "real", said)
    shown = page(OPERATOR, (received, joined))
    assert "/worklist/report/PA-9" in shown and WORDS["report_joined"][0] in shown
    assert "từ chối" not in shown


def test_a_report_that_was_joined_leads_to_the_other() -> None:
    shown = page(OPERATOR, status="refused", duplicate_of="PA-7")
    assert 'href="/worklist/report/PA-7"' in shown and "trùng phản ánh khác" in shown
