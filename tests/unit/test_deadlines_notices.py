"""Notices are pure: of the stored state and the clock, whoever computes them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event, EventData, check_event
from schemas.field import ReportReceived, ReportRouted, fold_report
from schemas.fold import Fact, Folded, in_order
from schemas.procedures import DossierAccepted, DossierSupplementReceived, DossierSupplementRequested
from schemas.procedures.dossier import fold_dossier
from schemas.units import heir
from services.deadlines.notices import Owed, notices

CODE = "H99.99-260302-0001"
CALENDARS = CalendarHistory()
ACCEPTED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 9:00
PROMISED = datetime(2026, 3, 13, 10, 0, tzinfo=UTC)  # a Friday, 17:00
VN = timedelta(hours=7)


def fact(time: datetime, data: EventData, unit: str = "phuong_chon_thanh", shiftdays: int = 0) -> Fact:
    fields = data.model_dump(mode="json", exclude_none=True)
    origin = "shifted" if shiftdays else "real"
    return Fact(time, f"{time.isoformat()}{data.event}", data.event, unit, origin, fields, shiftdays)


def accepted(**changed: Any) -> Fact:
    return fact(ACCEPTED, DossierAccepted(code=CODE, promised_at=PROMISED), **changed)


def owed(kind: str, id: str, folded: Folded) -> Owed:
    assert folded.notice_at and folded.due_at
    return Owed(kind, id, folded.unit, folded.origin, folded.notice_at, folded.due_at, folded.state)


def dossier(*facts: Fact) -> Folded:
    return fold_dossier(CODE, in_order(facts), CALENDARS)


def told(facts: Sequence[Fact], now: datetime) -> list[Event]:
    """What is published for a dossier with these facts, each checked as at the door."""
    events = notices(owed("dossier", CODE, dossier(*facts)), now)
    for event in events:
        check_event(event, now)
    return events


@pytest.mark.parametrize(
    ("now", "event", "stage", "since"),
    [
        (datetime(2026, 3, 9, 17, 0, tzinfo=UTC), "dossier.due_soon", "soon", datetime(2026, 3, 10)),
        (datetime(2026, 3, 12, 17, 0, tzinfo=UTC), "dossier.due_soon", "today", datetime(2026, 3, 13)),
        (datetime(2026, 3, 13, 17, 0, tzinfo=UTC), "dossier.overdue", "overdue", datetime(2026, 3, 14)),
        (datetime(2026, 9, 1, 0, 0, tzinfo=UTC), "dossier.overdue", "overdue", datetime(2026, 3, 14)),
    ],
)
def test_a_stage_is_told_with_the_moment_it_began(now: datetime, event: str, stage: str, since: datetime) -> None:
    (notice,) = told([accepted()], now)
    assert (notice.data.event, notice.id) == (event, f"{CODE}/2026-03-13T10:00:00+00:00/{stage}")
    assert notice.time == since.replace(tzinfo=UTC) - VN
    assert notice.source == "/deadlines" and notice.unit == "phuong_chon_thanh"


def test_before_its_first_stage_a_dossier_is_owed_nothing() -> None:
    assert told([accepted()], datetime(2026, 3, 9, 16, 59, tzinfo=UTC)) == []


def test_a_promise_made_within_a_stage_is_not_told_before_it_was_made() -> None:
    hurried = fact(ACCEPTED, DossierAccepted(code=CODE, promised_at=ACCEPTED + timedelta(hours=3)))
    (notice,) = told([hurried], ACCEPTED + timedelta(minutes=1))
    assert notice.time == ACCEPTED


def test_what_began_behind_the_horizon_is_told_as_of_there() -> None:
    horizon, row = datetime(2026, 8, 1, tzinfo=UTC), owed("dossier", CODE, dossier(accepted()))
    now = datetime(2026, 9, 1, tzinfo=UTC)
    [event] = notices(row._replace(horizon=horizon), now)
    check_event(event, now)
    assert (event.data.event, event.time) == ("dossier.overdue", horizon)
    assert [event.id] == [one.id for one in notices(row, now)], "it is the same notice"


def test_the_same_notice_is_the_same_event_whenever_it_is_computed() -> None:
    soon, later = (told([accepted()], PROMISED + timedelta(days=n))[0] for n in (1, 300))
    assert soon.digest == later.digest


def test_a_told_stage_is_owed_no_more_and_a_moved_date_is_owed_anew() -> None:
    now = datetime(2026, 4, 1, tzinfo=UTC)
    (notice,) = told([accepted()], now)
    said = fact(notice.time, notice.data)
    assert dossier(accepted(), said).notice_at is None
    asked = fact(ACCEPTED + timedelta(days=1), DossierSupplementRequested(code=CODE))
    assert dossier(accepted(), said, asked).notice_at is None
    came = fact(ACCEPTED + timedelta(days=8), DossierSupplementReceived(code=CODE))
    (moved,) = told([accepted(), said, asked, came], now)
    assert moved.fields["promised_at"] == "2026-03-20T10:00:00Z"


def test_a_shifted_dossier_gets_shifted_notices_in_the_unit_of_its_day() -> None:
    shift = 7 * 60
    (notice,) = told([accepted(unit="chon_thanh", shiftdays=shift)], datetime(2026, 4, 1, tzinfo=UTC))
    assert (notice.unit, notice.origin, notice.shiftdays) == ("chon_thanh", "shifted", shift)


@pytest.mark.parametrize(
    ("unit", "day", "answers"),
    [
        ("chon_thanh", date(2025, 6, 30), "chon_thanh"),
        ("chon_thanh", date(2025, 7, 1), "dong_nai"),
        ("chon_thanh_hung_long", date(2025, 7, 1), "phuong_chon_thanh"),
        ("so_tp", date(2026, 1, 1), "dong_nai"),
        ("phuong_chon_thanh", date(2026, 1, 1), "phuong_chon_thanh"),
        ("dong_nai", date(2020, 1, 1), "dong_nai"),
    ],
)
def test_somebody_answers_for_the_open_cases_of_a_unit_that_ended(unit: str, day: date, answers: str) -> None:
    assert heir(unit, day) == answers


def test_a_report_is_owed_each_service_level_that_was_not_kept() -> None:
    code, start = "PA-1", datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    received = fact(start, ReportReceived(code=code, channel="app", category="waste", priority="urgent"))
    folded = fold_report(code, [received], CALENDARS)
    late = start + timedelta(minutes=90)
    first, second = notices(owed("report", code, folded), late)
    assert (first.id, first.time) == (f"{code}/2026-03-02T02:15:00+00:00/route", start + timedelta(minutes=15))
    assert second.fields == {"code": code, "stage": "accept", "due_at": "2026-03-02T03:00:00Z"}
    routed = fact(start + timedelta(minutes=5), ReportRouted(code=code, to_unit="phuong_chon_thanh"))
    kept = fold_report(code, [received, routed], CALENDARS)
    assert [n.fields["stage"] for n in notices(owed("report", code, kept), late)] == ["accept"]
