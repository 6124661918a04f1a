"""Lives of dossiers, payments and reports by chance, and questions about them: strategies for the readings' test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from plain_readings import DAY, TICK, Question, local_day, midnight

from schemas.envelope import Event
from schemas.registry import DATA_TYPES, make

START = datetime(2024, 10, 27, 17, tzinfo=UTC)
UNITS = ("chon_thanh", "chon_thanh_minh_hung", "chon_thanh_nha_bich", "bu_gia_map", "so_tp")
ASKED = (None, "binh_phuoc", "dong_nai", "chon_thanh", "chon_thanh_minh_hung", "bu_gia_map", "so_tp", "hon_quan")


def told(name: str, at: datetime, unit: str, number: int, **fields: Any) -> Event:
    attributes = {key: fields.pop(key) for key in ("origin", "shiftdays") if key in fields}
    data = DATA_TYPES[f"vn.ioc.{name}.v1"].model_validate(fields, strict=False)
    return make(data, source="/test/readings", id=f"{name}/{number}/{at.isoformat()}", time=at, unit=unit, **attributes)


gaps = st.sampled_from([timedelta(minutes=15), timedelta(hours=2), DAY, 2 * DAY, 5 * DAY, None])
"""Between two steps; None: until the next local midnight, exactly."""


def after(t: datetime, gap: timedelta | None) -> datetime:
    return midnight(local_day(t) + DAY) if gap is None else t + gap


@st.composite
def dossiers(draw: st.DrawFn, number: int) -> list[Event]:
    """One dossier's life, mostly as it should be; some are accepted before they are filed, or resolved after a stop."""
    begin = draw(st.sampled_from([("submitted", "accepted"), ("accepted",), ("submitted",), ("accepted", "submitted")]))
    middle = draw(st.lists(st.sampled_from(MIDDLE), max_size=4))
    ends: list[tuple[str, ...]] = [(), (), ("resolved",), ("resolved", "returned", "extended"), ("stopped", "resolved")]
    end = draw(st.sampled_from([*ends, ("refused",), ("stopped", "extended", "returned"), ("returned", "resolved")]))
    at = after(START + draw(st.integers(0, 24 * 30)) * timedelta(hours=1), draw(gaps))
    unit, events = draw(st.sampled_from(UNITS)), []
    for step in (*begin, *middle, *end):
        if step == "accepted":
            unit = draw(st.sampled_from([unit, unit, draw(st.sampled_from(UNITS))]))
        fields = FIELDS[step](at, draw) if step in FIELDS else {}
        events.append(told(f"dossier.{step}", at, unit, number, code=f"H99.12-241101-{number:04}", **fields))
        at = after(at, draw(gaps))
    return events


MIDDLE = (
    "supplement_requested", "supplement_requested", "supplement_received", "extended", "payment_requested", "stopped",
    "processing_started", "accepted",
)  # fmt: skip


def evening(at: datetime, draw: st.DrawFn) -> dict[str, Any]:
    """A promised date: closing time of some day ahead."""
    day = local_day(at) + draw(st.integers(1, 9)) * DAY
    return {"promised_at": (midnight(day) + timedelta(hours=17)).isoformat()}


def limit(at: datetime, draw: st.DrawFn) -> dict[str, Any]:
    return {draw(st.sampled_from(["limit_days", "limit_hours"])): draw(st.integers(1, 9))}


FIELDS: dict[str, Callable[[datetime, st.DrawFn], dict[str, Any]]] = {
    "submitted": lambda at, draw: {
        "procedure": "2.000815", "field": "justice", "channel": draw(st.sampled_from(["online", "post", "counter"])),
    },
    "accepted": lambda at, draw: draw(st.sampled_from([evening, limit]))(at, draw),
    "extended": evening,
    "payment_requested": lambda at, draw: {"kind": "fee", "amount": 50_000},
    "refused": lambda at, draw: {"reason": "not_complete"},
    "stopped": lambda at, draw: {"reason": "not_complete"},
}  # fmt: skip


@st.composite
def payments(draw: st.DrawFn, number: int) -> list[Event]:
    at, unit = START + draw(st.integers(0, 24 * 30)) * timedelta(hours=1), draw(st.sampled_from(UNITS))
    paid = {"kind": draw(st.sampled_from(["tax", "fee"])), "amount": draw(st.integers(1, 10**9)), "method": "portal"}
    made = told("payment.made", at, unit, number, transaction=f"TXN-{number}", **paid)
    refund = {"transaction": f"TXN-{number}", "amount": draw(st.integers(1, 10**6))}
    back = told("payment.refunded", after(at, draw(gaps)), unit, number, **refund)
    return [made, back] if draw(st.booleans()) else [made]


@st.composite
def reports(draw: st.DrawFn, number: int) -> list[Event]:
    at, unit = START + draw(st.integers(0, 24 * 30)) * timedelta(hours=1), draw(st.sampled_from(UNITS))
    about = {"channel": "app", "category": "road", "priority": draw(st.sampled_from(["urgent", "normal"]))}
    events = [told("report.received", at, unit, number, code=f"PA-{number}", **about)]
    steps = {"routed": {"to_unit": unit}, "accepted": {}, "resolved": {}, "refused": {"reason": "x"}, "reopened": {}}
    for step in draw(st.lists(st.sampled_from(sorted(steps)), max_size=6)):
        at = after(at, draw(gaps))
        events.append(told(f"report.{step}", at, unit, number, code=f"PA-{number}", **steps[step]))
    return events


@st.composite
def worlds(draw: st.DrawFn) -> list[Event]:
    kinds = draw(st.lists(st.sampled_from([dossiers, dossiers, dossiers, payments, reports]), min_size=4, max_size=14))
    return [event for number, kind in enumerate(kinds) for event in draw(kind(number))]


@st.composite
def questions(draw: st.DrawFn, events: list[Event]) -> Question:
    """Days around the events, as of the moment of one, just before it, of a midnight, long ago or long after."""
    first = local_day(START) + draw(st.integers(-3, 45)) * DAY
    at = draw(st.sampled_from(sorted({e.time for e in events})))
    moments = [at, at - TICK, midnight(local_day(at)), midnight(local_day(at)) - TICK, at + timedelta(hours=1)]
    as_of = draw(st.sampled_from([*moments, datetime(2001, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)]))
    return Question(draw(st.sampled_from(ASKED)), first, first + draw(st.integers(0, 45)) * DAY, as_of)
