"""As of any past moment: what a fold says up to a moment rests on the facts up to that moment, and on no later one."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
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


DATA: dict[str, Callable[[datetime, Any], dict[str, Any]]] = {
    "dossier.submitted": lambda t, draw: {
        "procedure": "2.000815", "field": "justice", "channel": draw(st.sampled_from(["online", "post"])), "online_level": "full",
    },
    "dossier.accepted": _accepted,
    "dossier.extended": lambda t, draw: _promise(t, draw(st.integers(0, 14))),
    "dossier.resolved": lambda t, draw: {"paper_result": draw(st.booleans()), "electronic_result": draw(st.booleans())},
    "dossier.rated": lambda t, draw: {"score": draw(st.integers(1, 5))},
    "payment.made": lambda t, draw: {"kind": draw(st.sampled_from(["tax", "fee"])), "amount": draw(st.integers(0, 9)), "method": draw(st.sampled_from(["cash", "card"]))},
    "payment.refunded": lambda t, draw: {"amount": draw(st.integers(0, 9))},
    "report.received": lambda t, draw: {
        "channel": draw(st.sampled_from(["app", "web"])), "category": "road", "priority": draw(st.sampled_from(["urgent", "normal"])),
    },
    "report.routed": lambda t, draw: {"to_unit": "chon_thanh"},
    "report.resolved": lambda t, draw: draw(st.sampled_from([{}, {"handling": "answered"}, {"handling": "handled"}])),
    "report.rated": lambda t, draw: {"score": draw(st.integers(1, 5))},
    "procedure.published": lambda t, draw: {
        "offered": draw(st.booleans()), "has_fee": draw(st.booleans()), "complete": True, "in_time": True,
        "online_level": draw(st.sampled_from(["none", "partial", "full"])),
    },
    "alert.raised": lambda t, draw: {"severity": draw(st.sampled_from(["low", "high"]))},
}  # fmt: skip
STEPS = {
    "dossier": [
        *(f"dossier.{step}" for step in (
            "submitted", "accepted", "accepted", "refused", "processing_started", "supplement_requested",
            "supplement_received", "payment_requested", "withdrawn", "stopped", "extended", "resolved", "returned",
            "rated", "synchronised")),
        "payment.made",
    ],
    "report": [f"report.{step}" for step in (
        "received", "received", "verified", "refused", "routed", "accepted", "resolved", "resolved", "reopened", "rated")],
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
@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_points_up_to_a_moment_follow_from_the_facts_up_to_it(kind: str, data: st.DataObject) -> None:
    facts, announced = data.draw(lives(kind)), data.draw(changes)
    assert_told_by_its_past(kind, facts, announced)
