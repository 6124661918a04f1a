"""A report goes from hand to hand: who has it open, late and resolved, and what becomes of its duplicates. All moments
are of November 2026, local; the 24th is a day off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas import cases, registry
from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.field import ReportRefused
from schemas.fold import Fact, Folded, in_order, instant
from schemas.report import fold_report

A, B, C = "phuong_chon_thanh", "phuong_minh_hung", "xa_nha_bich"
CODE = "PA-1022.1"
FAR = datetime(2027, 6, 1, tzinfo=VN)
COUNTED = ("reports_received", "reports_handed", "reports_open", "reports_resolved", "reports_reopened")


def at(day: int, hour: float = 9) -> datetime:
    return datetime(2026, 11, day, tzinfo=VN) + timedelta(hours=hour)


def step(name: str, day: int, hour: float = 9, unit: str = A, **data: Any) -> Fact:
    time = at(day, hour)
    told = {"code": CODE, **data}
    return Fact(time, f"{name} {time.isoformat()} {unit} {told}", f"report.{name}", unit, "real", told)


def received(day: int = 9, hour: float = 9, unit: str = A) -> Fact:
    return step("received", day, hour, unit, channel="app", category="road", priority="normal")


def routed(to: str, day: int, hour: float = 9, unit: str = A) -> Fact:
    return step("routed", day, hour, unit, to_unit=to)


def duplicate(day: int, code: str = "PA-1022.2", unit: str = A) -> Fact:
    return step("refused", day, 9, unit, code=code, reason="duplicate", duplicate_of=CODE)


def fold(*life: Fact) -> Folded:
    return fold_report(CODE, in_order(life), CalendarHistory())


def count(life: Sequence[Fact], measure: str, unit: str | None = None, until: datetime = FAR, **labels: str) -> int:
    points = [p for p in fold(*life).points if p.measure == measure and p.time <= until and unit in (None, p.unit)]
    return sum(int(p.value) for p in points if labels.items() <= dict(p.labels).items())


def by_unit(life: Sequence[Fact], measure: str, until: datetime = FAR, **labels: str) -> dict[str, int]:
    found = {unit: count(life, measure, unit, until, **labels) for unit in (A, B, C)}
    return {unit: number for unit, number in found.items() if number}


def test_who_it_is_routed_to_has_it_with_a_clock_of_its_own() -> None:
    life = [received(), routed(B, 9, 9.1)]
    folded = fold(*life)
    assert (folded.unit, folded.state["received_by"], folded.due_at) == (B, A, at(16, 9.1))
    assert [(stage, instant(due)) for stage, due in folded.state[cases.STATE]] == [
        ("accept", at(9, 9.1) + timedelta(hours=6)),
        ("resolve", at(16, 9.1)),
    ]
    assert by_unit(life, "reports_received") == {A: 1}
    assert by_unit(life, "reports_open") == {B: 1}
    assert by_unit(life, "reports_late", at(30)) == {B: 2}
    assert by_unit([*life, step("resolved", 23, 9, B)], "reports_resolved", outcome="late") == {B: 1}


def test_the_first_keeps_its_own_clock() -> None:
    late = [received(), routed(B, 17)]
    assert by_unit(late, "reports_late", at(16, 8.9), stage="resolve") == {}
    assert by_unit(late, "reports_late", at(16, 10), stage="resolve") == {A: 1}
    assert by_unit(late, "reports_late", at(17)) == {}
    assert by_unit(late, "reports_late", at(20), stage="accept") == {B: 1}
    assert count([*late, step("resolved", 18, 9, B)], "reports_resolved", B, outcome="in_time") == 1


def test_a_chain_and_the_way_back() -> None:
    life = [received(), routed(B, 10), routed(C, 11, unit=B), routed(A, 12, unit=C)]
    assert [by_unit(life, "reports_open", at(day, 10)) for day in (9, 10, 11, 12)] == [{A: 1}, {B: 1}, {C: 1}, {A: 1}]
    assert by_unit(life, "reports_routed") == {A: 1}
    assert fold(*life).unit == A
    assert by_unit([*life, step("resolved", 13)], "reports_resolved") == {A: 1}


def test_routed_to_itself_is_no_handing_over() -> None:
    life = [received(), routed(A, 10)]
    assert fold(*life).due_at == fold(received()).due_at
    assert by_unit(life, "reports_handed") == {}


def test_routed_before_it_was_received_it_begins_with_the_other_unit() -> None:
    life = [routed(B, 9, 8.5), received()]
    assert by_unit(life, "reports_open") == {B: 1}
    assert fold(*life).due_at == at(16)


@pytest.mark.parametrize("poster", [A, B])
def test_the_centre_may_post_for_the_unit_that_has_it(poster: str) -> None:
    life = [received(), routed(B, 9, 9.1), step("accepted", 9, 10, poster), step("resolved", 12, 9, poster)]
    assert by_unit(life, "reports_resolved") == {B: 1}
    assert by_unit(life, "report_minutes").keys() == {B}
    assert by_unit([*life, step("rated", 13, 9, poster, score=5)], "report_ratings") == {B: 5}


def test_a_unit_that_takes_it_unasked_has_it() -> None:
    assert fold(received(), step("accepted", 9, 10, C)).unit == C


def test_reopened_it_is_with_who_resolved_it() -> None:
    life = [received(), routed(B, 10), step("resolved", 11, 9, B), step("reopened", 12)]
    assert by_unit(life, "reports_open") == {B: 1}
    assert by_unit(life, "reports_reopened") == {B: 1}
    assert [stage for stage, _ in fold(*life).state[cases.STATE]] == ["route", "accept", "resolve"]


def test_an_heir_takes_over_the_clock_as_well() -> None:
    opened = datetime(2025, 6, 27, 9, tzinfo=VN)
    first = received(unit="chon_thanh_minh_hung")._replace(time=opened)
    life = [first, step("resolved", 1, 9, B)._replace(time=opened + timedelta(days=20))]
    assert by_unit(life, "reports_resolved", outcome="late") == {B: 1}
    assert count(life, "reports_open", "chon_thanh_minh_hung") == 0


STEPS = st.builds(
    lambda name, hours, unit, to: step(name, 9, hours, unit, to_unit=to, reason="other"),
    st.sampled_from(["verified", "routed", "routed", "accepted", "resolved", "refused", "reopened"]),
    st.integers(6, 24 * 12), st.sampled_from([A, B, C]), st.sampled_from([A, B, C]),
)  # fmt: skip


@given(st.lists(STEPS, max_size=8))
@examples(60)
def test_every_unit_balances_at_every_moment(steps: list[Fact]) -> None:
    """Received + reopened + taken over = done + open; open in one hand at most, and late there alone."""
    life = [received(), *steps]
    for moment in sorted({f.time for f in life}):
        for unit in (A, B, C):
            came, handed, open_, done, again = (count(life, name, unit, moment) for name in COUNTED)
            assert came + again + handed == done + open_
            assert 0 <= count(life, "reports_late", unit, moment, stage="resolve") <= open_ <= 1
        assert count(life, "reports_handed", until=moment) == 0
        assert count(life, "reports_waiting", until=moment) <= count(life, "reports_open", until=moment) <= 1


def test_a_refused_report_is_none_that_was_resolved() -> None:
    life = [received(), step("refused", 9, 10, reason="not_true")]
    assert count(life, "reports_resolved", handling="refused") == 1
    assert count(life, "report_minutes") == 0
    back = [*life, step("reopened", 10), step("resolved", 11, handling="handled")]
    assert count(back, "reports_resolved", handling="handled") == 1
    assert count(back, "report_minutes") == 24 * 60


@pytest.mark.parametrize("end", [step("resolved", 20), step("refused", 20, reason="not_true")])
def test_a_duplicate_waits_for_the_end_of_the_report_it_repeats(end: Fact) -> None:
    life = [received(), duplicate(10), duplicate(11, "PA-1022.3"), end]
    assert [count(life, "reports_duplicates", until=at(day, 10)) for day in (9, 10, 11, 19, 20)] == [0, 1, 2, 2, 0]
    assert count(life, "reports_resolved") == 1, "the refusals are the other reports' own"
    assert fold(*life).state["duplicates"] == 2
    assert count([*life, duplicate(25, "PA-1022.4")], "reports_duplicates") == 0, "the answer is there already"


def test_a_duplicate_that_is_told_twice_is_one() -> None:
    life = [received(), duplicate(10), duplicate(11)]
    assert (count(life, "reports_duplicates"), fold(*life).state["duplicates"]) == (1, 1)
    assert registry.FOLDS["report"](CODE, in_order(life), CalendarHistory()).notes == [], "it is noted of the duplicate"
    assert count([*life, duplicate(12, unit=B)], "reports_duplicates") == 2, "another office's number is another report"


def test_a_duplicate_of_a_report_that_was_reopened_waits_for_its_next_end() -> None:
    life = [received(), step("resolved", 10), step("reopened", 11), duplicate(12)]
    assert count(life, "reports_duplicates") == 1
    assert [count([*life, step("resolved", 13)], "reports_duplicates", until=at(day)) for day in (12, 13)] == [1, 0]
    answered = [received(), step("resolved", 10), duplicate(11), step("reopened", 12)]
    assert count(answered, "reports_duplicates") == 0, "it had its answer"


@pytest.mark.parametrize("late", [step("verified", 12), step("accepted", 12)])
def test_what_is_told_after_the_end_is_not_its_status(late: Fact) -> None:
    folded = registry.FOLDS["report"](CODE, in_order([received(), step("resolved", 10), late]), CalendarHistory())
    assert (folded.status, [note.code for note in folded.notes]) == ("resolved", ["superseded"])
    assert fold(step("resolved", 8), received()).status == "resolved"
    assert fold(step("accepted", 8), received()).status == "accepted"


def test_a_duplicate_of_a_duplicate_is_named_and_goes_on_waiting() -> None:
    refused = step("refused", 12, reason="duplicate", duplicate_of="PA-1022.9")
    life = [received(), duplicate(10), refused]
    assert count(life, "reports_duplicates") == 1
    assert [code for code, *_ in fold(*life).state["findings"]] == ["duplicate_of_duplicate"]
    assert fold(*life).state["duplicate_of"] == "PA-1022.9"


def test_a_report_that_is_reopened_repeats_nothing_until_it_is_joined_again() -> None:
    joined = step("refused", 10, reason="duplicate", duplicate_of="PA-1022.8")
    again = step("refused", 12, reason="duplicate", duplicate_of="PA-1022.9")
    life = [received(), joined, step("reopened", 11)]
    assert "duplicate_of" not in fold(*life).state
    assert fold(*life, again).state["duplicate_of"] == "PA-1022.9"


def test_a_duplicate_of_what_never_came_has_no_beginning() -> None:
    assert fold(duplicate(10)).opened_at is None


def test_only_a_duplicate_repeats_another_report() -> None:
    assert ReportRefused(code=CODE, reason="duplicate", duplicate_of="PA-1").touched(
        A, {"code": CODE, "duplicate_of": "PA-1"}
    )
    for wrong in ({"reason": "not_true", "duplicate_of": "PA-1"}, {"reason": "duplicate", "duplicate_of": CODE}):
        with pytest.raises(ValidationError):
            ReportRefused(code=CODE, **wrong)
