"""As of any past moment: what a fold says up to a moment rests on the facts up to that moment, and on no later one."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import DayChange
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Point, in_order
from schemas.registry import FOLDS

MONDAY = datetime(2024, 11, 4, 1, tzinfo=UTC)
UNITS = ("chon_thanh", "dong_xoai")

moments = st.one_of(
    st.integers(0, 30 * 24 * 4).map(lambda quarter: MONDAY + timedelta(minutes=15 * quarter)),
    st.integers(0, 30).map(lambda day: datetime(2024, 11, 4, 17, tzinfo=UTC) + timedelta(days=day)),
    st.sampled_from([MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=1, microseconds=1)]),
)
changes = st.lists(
    st.builds(
        DayChange, st.dates(date(2024, 11, 4), date(2024, 12, 10)), st.booleans(), st.sampled_from(["x", "y"]), moments
    ),
    max_size=4,
)


def _accepted(time: datetime, draw: Any) -> dict[str, Any]:
    deadline: dict[str, Any] = draw(
        st.one_of(
            st.builds(lambda n: {"limit_days": n}, st.integers(1, 12)),
            st.builds(lambda n: {"limit_hours": n}, st.integers(1, 20)),
            st.builds(_promise, st.just(time), st.integers(0, 14)),
        )
    )
    flags = ("digitised_components", "reused_components", "store_components", "identity_verified")
    told = {"channel": draw(st.sampled_from(["counter", "online"])), "field": "land", "online_level": "full"}
    return {
        **deadline,
        **{flag: draw(st.sampled_from([0, 1])) for flag in flags},
        **(told if draw(st.booleans()) else {}),
    }


def _promise(time: datetime, days: int) -> dict[str, Any]:
    return {"promised_at": (time + timedelta(days=days, hours=3)).isoformat()}


def _one_of(**choices: list[Any]) -> Callable[[datetime, Any], dict[str, Any]]:
    return lambda time, draw: {name: draw(st.sampled_from(values)) for name, values in choices.items()}


YES_NO = [True, False]
DATA: dict[str, Callable[[datetime, Any], dict[str, Any]]] = {
    "dossier.submitted": _one_of(
        procedure=["2.000815"], field=["justice"], channel=["online", "post"], online_level=["full", "none"]
    ),
    "dossier.accepted": _accepted,
    "dossier.extended": lambda time, draw: _promise(time, draw(st.integers(0, 14))),
    "dossier.resolved": _one_of(paper_result=YES_NO, electronic_result=YES_NO),
    "dossier.rated": _one_of(score=[1, 3, 5]),
    "payment.made": _one_of(kind=["tax", "fee"], amount=[0, 7], method=["cash", "card"]),
    "payment.refunded": _one_of(amount=[0, 7]),
    "report.received": _one_of(channel=["app", "web"], category=["road"], priority=["urgent", "normal"]),
    "report.routed": _one_of(to_unit=["chon_thanh"]),
    "report.resolved": _one_of(handling=["answered", "handled", None]),
    "report.rated": _one_of(score=[1, 3, 5]),
    "procedure.published": _one_of(
        offered=YES_NO, has_fee=YES_NO, complete=[True], in_time=[True], online_level=["none", "partial", "full"]
    ),
    "alert.raised": _one_of(severity=["low", "high"]),
}
STEPS = {
    "dossier": [
        *(f"dossier.{step}" for step in (
            "submitted", "accepted", "accepted", "refused", "processing_started", "supplement_requested",
            "supplement_received", "payment_requested", "withdrawn", "stopped", "extended", "resolved", "returned",
            "rated", "synchronised")),
        "payment.made",
    ],
    "report": [f"report.{step}" for step in (
        "received", "received", "verified", "refused", "routed", "accepted", "resolved", "resolved", "reopened",
        "rated")],
    "payment": ["payment.made", "payment.refunded"],
    "service": ["procedure.published"],
    "alert": ["alert.raised", "alert.acknowledged", "alert.closed"],
}  # fmt: skip


@st.composite
def lives(draw: st.DrawFn, kind: str) -> list[Fact]:
    """Facts in any order of life, several at one moment, told by two units."""
    facts = []
    for number in range(draw(st.integers(1, 10))):
        event, time = draw(st.sampled_from(STEPS[kind])), draw(moments)
        data = DATA.get(event, lambda t, draw: {})(time, draw)
        facts.append(Fact(time, f"{number:032x}", event, draw(st.sampled_from(UNITS)), "real", data))
    return facts


def sums(points: Sequence[Point], until: datetime) -> dict[Any, Any]:
    """Series -> sum of the points up to and with `until`, without the series that come to 0."""
    found: Counter[Any] = Counter()
    for point in points:
        if point.time <= until:
            found[point.measure, point.unit, point.origin, tuple(sorted(point.labels))] += point.value
    return {series: total for series, total in found.items() if total}


def points_of(kind: str, facts: Sequence[Fact], announced: Sequence[DayChange]) -> list[Point]:
    return FOLDS[kind]("x", in_order(facts), CalendarHistory(announced)).points if facts else []


def assert_told_by_its_past(kind: str, facts: Sequence[Fact], announced: Sequence[DayChange]) -> None:
    whole = points_of(kind, facts, announced)
    tick = timedelta(microseconds=1)
    for known in sorted({f.time for f in facts} | {c.announced for c in announced} | {p.time for p in whole}):
        for moment in (known, known - tick):
            before = [f for f in facts if f.time <= moment]
            past = points_of(kind, before, [c for c in announced if c.announced <= moment])
            assert sums(whole, moment) == sums(past, moment), f"as of {moment}"


@pytest.mark.parametrize("kind", STEPS)
@examples(80, derandomize=True)
@given(data=st.data())
def test_points_up_to_a_moment_follow_from_the_facts_up_to_it(kind: str, data: st.DataObject) -> None:
    facts, announced = data.draw(lives(kind)), data.draw(changes)
    assert_told_by_its_past(kind, facts, announced)


def step(event: str, day: int, **data: Any) -> Fact:
    """What happened on the day-th day from Monday 4 November, at 8:00."""
    return Fact(MONDAY + timedelta(days=day), f"{day:032x}", event, "chon_thanh", "real", data)


def resolved(day: int) -> Fact:
    return step("dossier.resolved", day, paper_result=True, electronic_result=False)


def told(kind: str, measure: str, facts: Sequence[Fact], day: int) -> dict[str, Any]:
    """The values of a measure at the end of a day, by the last label."""
    found = sums(points_of(kind, facts, []), MONDAY + timedelta(days=day, hours=1))
    return {labels[-1][1]: value for (name, _, _, labels), value in found.items() if name == measure}


def test_a_stopped_dossier_that_is_resolved_after_all_is_corrected_then() -> None:
    life = [step("dossier.accepted", 0, limit_days=3), step("dossier.stopped", 1, reason="x"), resolved(8)]
    assert told("dossier", "dossiers_ended", life, 7) == {"stopped": 1}, "so it was, as of then"
    assert told("dossier", "dossiers_ended", life, 8) == {"resolved": 1}
    assert told("dossier", "dossiers_processed", life, 8) == {"none": 1}


def test_an_extension_after_the_end_makes_a_late_end_no_better() -> None:
    life = [step("dossier.accepted", 0, limit_days=1), resolved(3)]
    life.append(step("dossier.extended", 4, promised_at=(MONDAY + timedelta(days=9)).isoformat()))
    ended = [p for p in points_of("dossier", life, []) if p.measure == "dossiers_ended"]
    assert [dict(p.labels)["outcome"] for p in ended] == ["overdue"]


def test_a_wait_outside_of_working_time_leaves_the_promise_as_it_was() -> None:
    """Promised for a Friday at closing time; supplements asked for and brought on the Saturday before."""
    friday = datetime(2024, 11, 15, 10, tzinfo=UTC)
    life = [step("dossier.accepted", 0, promised_at=friday.isoformat()), step("dossier.supplement_requested", 5)]
    back = step("dossier.supplement_received", 5)._replace(time=MONDAY + timedelta(days=5, hours=2), key="f" * 32)
    assert FOLDS["dossier"]("x", in_order([*life, back]), CalendarHistory()).due_at == friday


def test_an_announcement_that_does_not_concern_a_promise_leaves_it_as_it_was() -> None:
    midnight = datetime(2024, 11, 15, 16, 59, tzinfo=UTC)
    elsewhere = DayChange(date(2024, 12, 2), False, "x", MONDAY + timedelta(days=1))
    life = [step("dossier.accepted", 0, promised_at=midnight.isoformat())]
    assert FOLDS["dossier"]("x", life, CalendarHistory([elsewhere])).due_at == midnight


def test_every_resolution_of_a_reopened_report_counts_when_it_happens() -> None:
    life = [step("report.received", 0, channel="app", category="road", priority="normal")]
    life += [step("report.resolved", 1), step("report.reopened", 10), step("report.resolved", 11)]
    measures = ("reports_resolved", "reports_open", "reports_reopened")
    counted = [tuple(sum(told("report", m, life, day).values()) for m in measures) for day in (1, 10, 11)]
    assert counted == [(1, 0, 0), (1, 1, 1), (2, 0, 1)]
