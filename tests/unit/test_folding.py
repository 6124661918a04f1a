"""The incremental road (batches of facts joined to what is held) against one fold of all facts: any order, repetition
and split."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import DayChange
from schemas.calendar_history import CalendarHistory
from schemas.envelope import EntityRef
from schemas.fold import Fact, Point
from services.aggregator.folding import NEW, StoredEntity, change, fold

START = datetime(2024, 11, 4, 1, tzinfo=UTC)
REF = EntityRef("dossier", "H99.12-241104-0001")
CHANGED = CalendarHistory([DayChange(datetime(2024, 11, 8).date(), False, "Nghỉ bão", START + timedelta(days=2))])


def moments() -> st.SearchStrategy[datetime]:
    # Few enough hours that events fall on one instant, and on local midnights, again and again.
    return st.integers(0, 24 * 12).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Any set of events of one dossier, sensible or not."""
    later = draw(moments()) + timedelta(days=1)
    code: dict[str, Any] = {"code": REF.id}
    promise = code | {
        "components": 3,
        "digitised_components": 2,
        "reused_components": 1,
        "store_components": 0,
        "identity_verified": True,
    }
    menu: list[tuple[str, dict[str, Any]]] = [
        (
            "dossier.submitted",
            code | {"procedure": "2.000815", "field": "justice", "channel": "online", "online_level": "full"},
        ),
        ("dossier.accepted", promise | {"promised_at": later.isoformat()}),
        ("dossier.accepted", promise | {"limit_days": 3}),
        ("dossier.supplement_requested", code | {"reason": "missing_papers"}),
        ("dossier.supplement_received", code),
        ("dossier.extended", code | {"promised_at": (later + timedelta(days=3)).isoformat(), "reason": "apology"}),
        ("dossier.payment_requested", code | {"kind": "fee", "amount": 5000}),
        (
            "payment.made",
            {"dossier": REF.id, "transaction": "TXN-1", "kind": "fee", "amount": 5000, "method": "portal"},
        ),
        ("dossier.resolved", code | {"paper_result": True, "electronic_result": True}),
        ("dossier.returned", code | {"channel": "counter"}),
        ("dossier.stopped", code | {"reason": "other"}),
        ("dossier.withdrawn", code),
        ("dossier.rated", code | {"score": 5}),
        ("dossier.due_soon", code | {"promised_at": later.isoformat(), "stage": "soon"}),
        ("dossier.overdue", code | {"promised_at": later.isoformat()}),
    ]
    chosen = draw(st.lists(st.sampled_from(menu), min_size=1, max_size=9))
    return [
        Fact(draw(moments()), f"{i:032x}", event, "chon_thanh", "real", data) for i, (event, data) in enumerate(chosen)
    ]


def lived(batches: list[list[Fact]], calendars: CalendarHistory) -> tuple[StoredEntity, set[Point], Any]:
    """The entity after the batches came one by one, with the points that were inserted and deleted on the way."""
    held, points, state = NEW, set[Point](), None
    for batch in batches:
        if (step := change(REF, held, batch, calendars, calendars)) is None:
            continue
        assert set(step.removed) <= points
        assert not set(step.added) & points
        points = (points - set(step.removed)) | set(step.added)
        held, state = StoredEntity(step.version + 1, tuple(step.facts)), step.folded
    return held, points, state


@given(facts(), st.data(), st.sampled_from([CalendarHistory(), CHANGED]))
@examples(100)
def test_any_order_repetition_and_split_gives_one_state(
    some: list[Fact], data: st.DataObject, calendars: CalendarHistory
) -> None:
    shuffled = data.draw(st.permutations(some + data.draw(st.lists(st.sampled_from(some), max_size=5))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    held, points, state = lived(batches, calendars)
    whole = fold(REF, some, calendars)
    assert {f.key for f in held.facts} == {f.key for f in some}
    assert points == set(whole.points)
    assert (state.state, state.status, state.due_at, state.ended_at, state.notice_at) == (
        whole.state, whole.status, whole.due_at, whole.ended_at, whole.notice_at,
    )  # fmt: skip


@given(facts())
@examples(80)
def test_a_changed_calendar_replaces_exactly_the_points_it_moves(some: list[Fact]) -> None:
    held, points, _ = lived([some], CalendarHistory())
    step = change(REF, held, (), CalendarHistory(), CHANGED)
    assert step is not None
    assert (points - set(step.removed)) | set(step.added) == set(fold(REF, some, CHANGED).points)


@given(facts())
@examples(80)
def test_report_ii06_balances_whatever_happened(some: list[Fact]) -> None:
    """Received = ended + in progress, and never more overdue than in progress, at the end of any day."""
    points = fold(REF, some, CalendarHistory()).points
    for day in range(25):
        until = START + timedelta(days=day)
        sums = {
            m: sum(p.value for p in points if p.measure == m and p.time <= until)
            for m in ("dossiers_received", "dossiers_ended")
        }
        overdue = sum(
            p.value
            for p in points
            if p.measure == "dossiers_pressing" and ("stage", "overdue") in p.labels and p.time <= until
        )
        assert sums["dossiers_received"] in (0, 1)
        assert 0 <= sums["dossiers_ended"] <= sums["dossiers_received"]
        assert 0 <= overdue <= sums["dossiers_received"] - sums["dossiers_ended"]


def test_what_cancels_itself_out_leaves_no_point() -> None:
    """Returned, and resolved two days later with the same outcome: the correction takes back and adds the same."""
    code = {"code": REF.id}
    returned, resolved = START + timedelta(days=2), START + timedelta(days=4)
    about = {"procedure": "2.000815", "field": "justice", "channel": "online", "online_level": "full"}
    some = [
        Fact(START, "a", "dossier.submitted", "chon_thanh", "real", code | about),
        Fact(returned, "b", "dossier.returned", "chon_thanh", "real", code | {"channel": "counter"}),
        Fact(
            resolved, "c", "dossier.resolved", "chon_thanh", "real",
            code | {"paper_result": False, "electronic_result": False},
        ),
    ]  # fmt: skip
    ended = [p for p in fold(REF, some, CalendarHistory()).points if p.measure == "dossiers_ended"]
    assert [(p.time, p.value) for p in ended] == [(returned, 1)]
