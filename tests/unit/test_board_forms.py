"""What a form about rows may ask for, which alarms it is about, and what is said of the outcome."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from schemas.calendar_history import CalendarHistory
from services.board.access import Account
from services.board.auth.middleware import fields_of, items_of, unavailable
from services.board.pages.actions.alarm_client import (
    ActionName,
    Alarm,
    Answer,
    InvalidInput,
    aimed,
    body_of,
    moment_of,
    outcome_of,
)
from services.board.pages.worklist import apology
from services.board.pages.worklist.apology import Dossier
from services.board.ui.words import WORDS
from services.notifier.actions import Assign

NOW = datetime(2026, 3, 11, 3, tzinfo=UTC)  # Wednesday, 10:00 in Viet Nam
OPERATOR = Account("an", "An", "operator", ("phuong_chon_thanh",))
CALENDARS = CalendarHistory()


def extended(**other: Any) -> Dossier:
    told: dict[str, Any] = {"ended_at": None, "state": {}, "extended": False, "due_at": NOW - timedelta(days=2)}
    told |= {"id": "H10-260301-0001", "unit": "phuong_chon_thanh", "origin": "real", "opened_at": NOW}
    return Dossier(**{**told, **other})


@pytest.mark.parametrize(
    ("held", "day", "why"),
    [
        (extended(), date(2026, 3, 16), None),
        (None, date(2026, 3, 16), "not_open"),
        (extended(ended_at=NOW), date(2026, 3, 16), "not_open"),
        (extended(due_at=None), date(2026, 3, 16), "no_promise"),
        (extended(extended=True), date(2026, 3, 16), "extended_before"),
        (extended(state={"waiting": True}), date(2026, 3, 16), "awaits_papers"),
        (extended(), date(2026, 3, 14), "no_working_day"),
        (extended(due_at=NOW + timedelta(days=9)), date(2026, 3, 16), "day_not_later"),
        (extended(), date(2027, 6, 1), "day_too_far"),
        (extended(), date(2127, 6, 1), "day_too_far"),
    ],
)
def test_a_new_date_is_a_later_working_day_and_given_once(held: Dossier | None, day: date, why: str | None) -> None:
    assert apology.refusal(held, day, NOW, CALENDARS) == why


def test_a_second_attempt_is_the_same_event() -> None:
    first = apology.event_of(extended(), date(2026, 3, 16), NOW)
    second = apology.event_of(extended(), date(2026, 3, 17), NOW + timedelta(minutes=1))
    assert (first.source, first.id) == (second.source, second.id)
    assert first.digest != second.digest  # so the aggregator does not take the other date for the same
    assert first.fields["promised_at"].startswith("2026-03-16T10:00:00")
    moved = apology.event_of(extended(origin="shifted", state={"shiftdays": 364}), date(2026, 3, 16), NOW)
    assert (moved.origin, moved.shiftdays) == ("shifted", 364)


@pytest.mark.parametrize(
    ("day", "reason", "why"),
    [
        ("2026-03-16", "gọi 0912 345 678", "note_personal"),
        ("2026-03-16", "  ", "reason_missing"),
        ("2026-03-11", "chờ xác minh", "day_past"),
        ("16/03", "chờ xác minh", "bad_day"),
        ("2026-03-16", "chờ xác\x00 minh", "odd_characters"),
    ],
)
def test_what_cannot_stand_on_the_form_is_refused(day: str, reason: str, why: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        apology.wish(day, reason, NOW)
    assert wrong.value.key == why


@pytest.mark.parametrize(
    ("deed", "told", "why"),
    [
        ("comment", {"note": " "}, "note_empty"),
        ("close", {}, "note_empty"),
        ("comment", {"note": "x" * 401}, "note_too_long"),
        ("acknowledge", {"note": "an.nguyen@example.vn"}, "note_personal"),
        ("assign", {"assignee": ""}, "assignee_missing"),
        ("assign", {"assignee": "Phòng\x0b A"}, "odd_characters"),
        ("assign", {"assignee": "An 0912 345 678"}, "note_personal"),
        ("comment", {"note": "đã nhắc\x1b"}, "odd_characters"),
        ("assign", {"assignee": "A", "deadline": "2026-03-11T09:59"}, "deadline_past"),
        ("assign", {"assignee": "A", "deadline": "tomorrow"}, "bad_moment"),
    ],
)
def test_a_form_that_is_not_in_order_is_not_sent(deed: ActionName, told: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        body_of(deed, told, OPERATOR, NOW)
    assert wrong.value.key == why


@pytest.mark.parametrize(
    ("body", "several", "meant"),
    [
        (b"assignee=binh&note=", "", {"assignee": "binh", "note": ""}),
        (b"assignee=binh&item=a&item=b", "item", {"assignee": "binh", "item": "a"}),
        (b"assignee=binh&assignee=chi", "", None),
        (b"assignee=binh&assignee=binh", "item", None),
        (b"assignee=binh&%61ssignee=", "item", None),
        (b"item=a&item=b", "", None),
    ],
)
def test_a_field_that_is_given_twice_is_refused(body: bytes, several: str, meant: dict[str, str] | None) -> None:
    if meant is not None:
        assert fields_of(body, several) == meant
        return
    with pytest.raises(HTTPException) as wrong:
        fields_of(body, several)
    assert (wrong.value.status_code, wrong.value.detail) == (422, "given_twice") and "given_twice" in WORDS


def test_what_is_chosen_in_a_list_is_chosen_once() -> None:
    assert items_of(b"item=b&item=a&note=x&item=b") == ["b", "a"]


@pytest.mark.parametrize(
    ("deed", "holders", "meant"),
    [
        ("acknowledge", ["an", None, "binh", None], [1, 3]),
        ("acknowledge", ["an", "an"], []),
        ("assign", [None, "binh"], [0, 1]),
        ("comment", ["an", None, None], [1]),
        ("comment", ["an"], [0]),
    ],
)
def test_a_deed_is_about_the_alarms_that_need_it(deed: ActionName, holders: list[str | None], meant: list[int]) -> None:
    assert aimed(deed, [Alarm(id, holder) for id, holder in enumerate(holders)]) == meant


@pytest.mark.parametrize(
    ("states", "done", "said"),
    [
        (["done", "done"], True, "done_assign"),
        (["done", "refused"], True, "done_in_part"),
        (["done", "away"], True, "done_in_part"),
        (["refused", "away"], False, "not_done"),
        (["away"], False, "notifier_away"),
        (["done", "unknown"], False, "unknown"),
    ],
)
def test_what_is_not_known_is_not_claimed(states: list[Any], done: bool, said: str) -> None:
    assert outcome_of("assign", "dossier:A", [Answer(state) for state in states])[1:3] == (done, said)


def test_the_notifier_takes_no_name_that_cannot_be_read() -> None:
    assert Assign(user="an", assignee=" Phòng Kinh tế ").assignee == "Phòng Kinh tế"
    with pytest.raises(ValidationError):
        Assign(user="an", assignee="Phòng\x0b A")


def test_a_deadline_is_a_local_moment() -> None:
    body = body_of("assign", {"assignee": " Phòng A ", "deadline": "2026-03-11T17:00"}, OPERATOR, NOW)
    assert body == {"user": "an", "note": "", "assignee": "Phòng A", "deadline": "2026-03-11T17:00:00+07:00"}
    assert moment_of("") is None


def test_what_cannot_be_had_is_answered_to_a_pages_connection_too() -> None:
    answer = unavailable(HTTPConnection({"type": "websocket", "path": "/alarms/7", "headers": []}))
    assert answer.status_code == 503
