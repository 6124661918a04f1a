"""Whose number it is and what is told twice: no accepted event is without effect, whatever was numbered by whom."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas import contracts, registry
from schemas.calendar_history import CalendarHistory
from schemas.contracts.json_schemas import event_schema
from schemas.envelope import EntityRef
from schemas.fold import Fact, Folded, in_order
from schemas.notes import NOTES, shown
from schemas.offices import ByOffice
from services.aggregator.folding import NEW, change, entity_rows, fold

A, B, DISTRICT, ELSEWHERE = "chon_thanh_minh_hung", "chon_thanh_nha_bich", "chon_thanh", "so_tp"
UNITS = (A, A, B, B, DISTRICT, ELSEWHERE)
START = datetime(2024, 11, 4, 1, tzinfo=UTC)
CALENDAR = CalendarHistory()
SAMPLES = {name: json.loads(next(iter(texts.values())))["data"] for name, texts in contracts.samples().items()}
NAMES = {data.event: name for name, data in registry.DATA_TYPES.items()}
IDS = {kind: fields for data in registry.DATA_TYPES.values() for kind, fields in data.entities.items()}
KINDS = sorted(registry.FOLDS)


def variants(event: str) -> list[dict[str, Any]]:
    """The sample's data, and what differs from it in one field that is no part of an identity."""
    name, found = NAMES[event], [dict(SAMPLES[NAMES[event]])]
    fixed = {field for fields in registry.DATA_TYPES[name].entities.values() for field in fields} | {"shiftdays"}
    for field, spec in event_schema(name)["properties"]["data"]["properties"].items():
        if field not in fixed:
            found += ({**found[0], field: value} for value in others(found[0].get(field), spec))
    return [data for data in found if valid(name, data)]


def others(value: Any, spec: dict[str, Any]) -> Iterator[Any]:
    if field_of_units(spec):
        yield from (A, B)
    yield from (choice for choice in spec.get("enum", ()) if choice != value)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (max(value - 1, 0), value + 1)


def field_of_units(spec: dict[str, Any]) -> bool:
    return any("{1,39}" in part.get("pattern", "") for part in (spec, *spec.get("anyOf", ())))


def valid(name: str, data: dict[str, Any]) -> bool:
    try:
        registry.DATA_TYPES[name].model_validate_json(json.dumps(data))
    except ValidationError:
        return False
    return True


def stored(event: str, data: dict[str, Any]) -> dict[str, Any]:
    """The data as a fact keeps it."""
    model = registry.DATA_TYPES[NAMES[event]].model_validate_json(json.dumps(data))
    return model.model_dump(mode="json", exclude_none=True)


MENU = {
    kind: [
        (data.event, stored(data.event, some))
        for data in registry.DATA_TYPES.values()
        if kind in data.entities
        for some in variants(data.event)[:6]
    ]
    for kind in KINDS
}


@st.composite
def histories(draw: st.DrawFn, kind: str, most: int = 8) -> list[Fact]:
    """What several units say under one number, at few moments."""
    facts = []
    for number in range(draw(st.integers(1, most))):
        event, data = draw(st.sampled_from(MENU[kind]))
        unit = draw(st.sampled_from(UNITS)) if "unit" not in IDS[kind] else A
        at = START + timedelta(hours=draw(st.integers(0, 8)) * 12)
        facts.append(Fact(at, f"{number:032x}", event, unit, "real", data))
    return facts


def folded_of(kind: str, facts: Sequence[Fact]) -> Folded:
    return fold(EntityRef(kind, "X-1"), in_order(facts), CALENDAR)


def cases_of(folded: Folded) -> list[Folded]:
    return [folded, *folded.cases.values()]


def without_effect(kind: str, facts: Sequence[Fact]) -> set[str]:
    """Keys of the facts that neither bear a point, nor changed what was shown at their moment, nor are noted, nor wait
    for a beginning. (What a later fact tells of whose case it was is corrected in that fact's name.)"""
    folded, known = folded_of(kind, facts), {f.key for f in facts if (kind, f.event) == ("dossier", "payment.made")}
    known |= {p.key for p in folded.points} | {n.key for case in cases_of(folded) for n in case.notes}
    for _, id, case, its in entity_rows(EntityRef(kind, "X-1"), in_order(facts), folded):
        if case.opened_at is None and case.status != "ambiguous":
            known |= {f.key for f in its}
        known |= {p.key for p in registry.FOLDS[kind](id, its, CALENDAR).points}
        known |= {f.key for f in shown_by(kind, id, in_order(its, rank_of(kind)))}
    return {f.key for f in facts} - known


def shown_by(kind: str, id: str, ordered: Sequence[Fact]) -> Iterator[Fact]:
    """The facts of a case with which it was shown otherwise than before, when nothing later was known."""
    before = None
    for place, fact in enumerate(ordered):
        now = shown(registry.FOLDS[kind], id, ordered[: place + 1], CALENDAR)
        if now != before:
            yield fact
        before = now


def rank_of(kind: str) -> dict[str, int] | None:
    fold_of = registry.FOLDS[kind]
    inner = fold_of.fold if isinstance(fold_of, ByOffice) else fold_of
    return getattr(inner, "rank", None)


@pytest.mark.parametrize("kind", KINDS)
@examples(20, derandomize=True)
@given(data=st.data())
def test_no_accepted_event_is_without_effect(kind: str, data: st.DataObject) -> None:
    facts = data.draw(histories(kind))
    assert not without_effect(kind, facts)


@pytest.mark.parametrize("kind", KINDS)
@examples(12, derandomize=True)
@given(data=st.data())
def test_any_order_and_split_gives_the_same_rows(kind: str, data: st.DataObject) -> None:
    facts = data.draw(histories(kind))
    ref, some = EntityRef(kind, "X-1"), data.draw(st.permutations(facts + facts[:2]))
    cut = data.draw(st.integers(0, len(some)))
    held, rows, points = NEW, dict[str, Any](), set[Any]()
    for batch in (some[:cut], some[cut:]):
        if batch and (step := change(ref, held, batch, CALENDAR, CALENDAR)):
            for id in step.gone:
                del rows[id]
            rows |= {row[1]: row[2:] for row in entity_rows(ref, step.facts, step.folded)}
            assert set(step.removed) <= points and not set(step.added) & points
            points = points - set(step.removed) | set(step.added)
            held = step.stored
    whole = folded_of(kind, facts)
    assert points == set(whole.points)
    assert comparable(rows) == comparable({row[1]: row[2:] for row in entity_rows(ref, in_order(facts), whole)})
    assert sorted(f.key for _, its in rows.values() for f in its) == sorted({f.key for f in facts})


def comparable(rows: dict[str, Any]) -> dict[str, Any]:
    """Rows as they are stored: of a case its state, its notes, its facts."""
    return {
        id: (
            f.unit,
            f.status,
            f.opened_at,
            f.due_at,
            f.ended_at,
            f.notice_at,
            f.state,
            f.notes,
            list(f.cases),
            in_order(its),
        )
        for id, (f, its) in rows.items()
    }


OFFICES = sorted(registry.BY_OFFICE)


@pytest.mark.parametrize("kind", OFFICES)
@examples(20, derandomize=True)
@given(data=st.data())
def test_figures_up_to_a_moment_follow_from_what_had_happened_by_then(kind: str, data: st.DataObject) -> None:
    facts = data.draw(histories(kind))
    whole = folded_of(kind, facts).points
    for moment in sorted({f.time for f in facts}):
        past = folded_of(kind, [f for f in facts if f.time <= moment]).points
        assert sums(whole, moment) == sums(past, moment)


def sums(points: Sequence[Any], until: datetime) -> dict[Any, Any]:
    found: Counter[Any] = Counter()
    for point in points:
        if point.time <= until:
            found[point[:4]] += point.value
    return {series: value for series, value in found.items() if value}


@pytest.mark.parametrize("kind", OFFICES)
def test_two_offices_with_one_number_are_counted_apart(kind: str) -> None:
    """Each exactly as if the other were not."""
    opens = registry.FOLDS[kind].opens  # type: ignore[attr-defined]
    steps = [event for event, data in dict(MENU[kind]).items() if event != opens] if kind != "feature" else []
    data = dict(reversed(MENU[kind]))
    mine = [told(event, hours, A, data[event]) for hours, event in enumerate([opens, *steps])]
    theirs = [told(event, 30 + hours, B, data[event]) for hours, event in enumerate([opens, *steps])]
    both = folded_of(kind, [*mine, *theirs])
    apart = folded_of(kind, mine), folded_of(kind, theirs)
    assert sorted(both.points) == sorted(p for one in apart for p in one.points)
    assert {case.state["office"] for case in cases_of(both)} == {A, B} and list(both.cases) == [f"X-1@{B}"]
    assert [case.status for case in cases_of(both)] == [one.status for one in apart]


def told(event: str, hours: float, unit: str, data: dict[str, Any] | None = None, **fields: Any) -> Fact:
    data = {**(data if data is not None else MENU_OF[event]), **fields}
    at = START + timedelta(hours=hours)
    return Fact(at, f"{event}/{hours}/{unit}", event, unit, "real", data)


MENU_OF = {event: data for kind in KINDS for event, data in reversed(MENU[kind])}


def status(folded: Folded) -> dict[str, str]:
    return {
        case.state.get("office", case.unit if case.status != "ambiguous" else ""): case.status
        for case in cases_of(folded)
    }


def test_a_step_belongs_to_the_case_in_hand() -> None:
    """Two wards use one number; the one hands its report on, and on again."""
    both = [told("report.received", 0, A), told("report.received", 1, B)]
    life = [*both, told("report.routed", 2, A, to_unit=DISTRICT), told("report.routed", 3, DISTRICT, to_unit=ELSEWHERE)]
    assert status(folded_of("report", [*life, told("report.resolved", 4, ELSEWHERE)])) == {A: "resolved", B: "received"}
    assert status(folded_of("report", [*life, told("report.resolved", 4, B)])) == {A: "routed", B: "resolved"}


def test_whose_a_step_is_may_be_unknown() -> None:
    both = [told("alert.raised", 0, A), told("alert.raised", 1, B), told("alert.closed", 2, ELSEWHERE)]
    folded = folded_of("alert", both)
    assert status(folded) == {A: "raised", B: "raised", "": "ambiguous"}
    assert [(n.code, n.unit) for n in folded.cases["X-1@"].notes] == [("ambiguous", ELSEWHERE)]
    # The only one there is is meant, whoever tells.
    assert status(folded_of("alert", [both[0], both[2]])) == {A: "closed"}


def test_who_stands_above_or_comes_after_speaks_for_an_office() -> None:
    """The district for its only ward with that number; the ward of 2025 for the commune that it was."""
    outside = [told("alert.raised", 0, A), told("alert.raised", 1, ELSEWHERE)]
    assert status(folded_of("alert", [*outside, told("alert.closed", 2, DISTRICT)])) == {
        A: "closed",
        ELSEWHERE: "raised",
    }


def test_what_was_meant_is_known_by_a_later_fact_from_then_on() -> None:
    """A step of the second office, told before its own beginning: until then it seemed to be of the first."""
    facts = [told("alert.raised", 0, A), told("alert.closed", 10, B), told("alert.raised", 20, B)]
    closed = [
        (p.unit, p.time, p.value) for p in folded_of("alert", facts).points if p.measure == "security_alerts_closed"
    ]
    ten, twenty = (START + timedelta(hours=hours) for hours in (10, 20))
    assert sorted(closed) == sorted([(A, ten, 1), (A, twenty, -1), (B, twenty, 1)])


def test_a_notice_names_the_office_whose_case_it_is_about() -> None:
    facts = [told("report.received", 0, A), told("report.received", 1, B)]
    owed = folded_of("report", facts).cases[f"X-1@{B}"].state["owed"]
    stage, due = owed[0]
    notice = told("report.overdue", 3, ELSEWHERE, stage=stage, due_at=due, office=B)
    after = folded_of("report", [*facts, notice])
    assert [stage, due] not in after.cases[f"X-1@{B}"].state["owed"]
    assert after.state["owed"] == folded_of("report", facts).state["owed"]


def notes(kind: str, *facts: Fact) -> list[tuple[str, str, Any]]:
    return [(n.code, n.key.rpartition("/")[2], n.said) for case in cases_of(folded_of(kind, facts)) for n in case.notes]


def test_notices_that_a_late_history_overtook_contradict_nothing() -> None:
    """Told while only the beginning was known; each stage's own, so they do not speak of one thing."""
    late = [told("report.received", 0, A), told("report.accepted", 0.1, A), told("report.resolved", 0.2, A)]
    owed = folded_of("report", late[:1]).state["owed"]
    hours = [(datetime.fromisoformat(due) - START) / timedelta(hours=1) for _, due in owed]
    notices = [told("report.overdue", at, A, {"code": "X-1", "stage": stage, "due_at": due})
               for at, (stage, due) in zip(hours, owed, strict=True)]  # fmt: skip
    assert [code for code, _, _ in notes("report", *late, *notices)] == ["superseded"] * 3 and len(owed) == 3
    assert notes("report", late[0], *notices) == []


PAID: dict[str, Any] = {"transaction": "X-1", "kind": "fee", "amount": 15000, "method": "cash"}
BACK: dict[str, Any] = {"transaction": "X-1", "amount": 15000, "reason": "other"}


@pytest.mark.parametrize(
    ("kind", "facts", "expected"),
    [
        ("payment", [("payment.made", 0, A, PAID), ("payment.made", 1, A, PAID)], [("repeated", A, None)]),
        (
            "payment",
            [("payment.made", 0, A, PAID), ("payment.made", 1, A, {**PAID, "amount": 40000})],
            [("contradicted", A, {"amount": [15000, 40000]})],
        ),
        ("payment", [("payment.made", 0, A, PAID), ("payment.made", 1, B, {**PAID, "amount": 40000})], []),
        ("payment", [("payment.made", 0, A, PAID), ("payment.refunded", 1, A, BACK)], []),
        (
            "payment",
            [("payment.made", 0, A, PAID), ("payment.refunded", 1, A, {**BACK, "amount": 1_000_000})],
            [("over_refunded", A, {"amount": [15000, 1_000_000]})],
        ),
        (
            "payment",
            [("payment.made", 0, A, PAID), *(("payment.refunded", h, A, {**BACK, "amount": 8000}) for h in (1, 2))],
            [("over_refunded", A, {"amount": [15000, 16000]})],
        ),
        ("payment", [("payment.refunded", 0, A, BACK), ("payment.made", 1, A, PAID)], [("refunded_before", A, None)]),
        (
            "payment",
            [("payment.made", 0, A, PAID), ("payment.refunded", 1, B, BACK)],
            [("refunded_elsewhere", B, {"unit": [A, B]})],
        ),
        ("payment", [("payment.made", 0, A, PAID), ("payment.refunded", 1, DISTRICT, BACK)], []),
        (
            "report",
            [("report.received", 0, A), ("report.verified", 1, A), ("report.verified", 2, A)],
            [("repeated", A, None)],
        ),
        ("disease", [("disease.notified", 0, A), ("disease.confirmed", 1, ELSEWHERE)], []),
        (
            "disease",
            [
                ("disease.notified", 0, A),
                ("disease.closed", 1, A, {"case": "X-1", "outcome": "recovered"}),
                ("disease.closed", 2, A, {"case": "X-1", "outcome": "died"}),
            ],
            [("contradicted", A, {"outcome": ["recovered", "died"]})],
        ),
    ],
)
def test_what_is_noted(kind: str, facts: list[Any], expected: list[Any]) -> None:
    assert notes(kind, *(told(*fact) for fact in facts)) == expected


@pytest.mark.parametrize(("end", "noted"), [("withdrawn", True), ("refused", True), ("resolved", False)])
def test_a_payment_for_a_dossier_that_ended_without_a_result(end: str, noted: bool) -> None:
    life = [told("dossier.accepted", 0, A), told(f"dossier.{end}", 10, A), told("payment.made", 20, A)]
    assert notes("dossier", *life) == ([("paid_in_vain", A, {"status": [end, "paid"]})] if noted else [])


def attendance(hours: float, present: int, revision: int = 0) -> Fact:
    return told("attendance.reported", hours, A, present=present, revision=revision)


def test_a_report_of_one_revision_says_one_thing() -> None:
    assert notes("attendance", attendance(0, 700), attendance(1, 700)) == [("repeated", A, None)]
    assert notes("attendance", attendance(0, 700), attendance(1, 800)) == [("contradicted", A, {"present": [800, 700]})]
    assert notes("attendance", attendance(0, 700), attendance(1, 800, 1)) == [], "a correction says that it is one"
    assert notes("attendance", attendance(0, 800, 1), attendance(1, 700)) == [("superseded", A, None)]


@pytest.mark.parametrize("again", ["1000.0", "1E+3", "1000.000000"])
def test_a_number_spelled_otherwise_is_the_same_number(again: str) -> None:
    first, second = (told("indicator.reported", hours, A, value=value) for hours, value in ((0, "1000"), (1, again)))
    assert notes("statistic", first, second) == [("repeated", A, None)]
    other = told("indicator.reported", 2, A, value="1000.5")
    assert ("contradicted", A, {"value": ["1000.5", again]}) in notes("statistic", second, other)


def test_very_many_repetitions_are_noted_one_by_one_in_no_time() -> None:
    facts = [told("alert.raised", 0, A), *(told("alert.acknowledged", 1 + n / 1000, A) for n in range(5000))]
    assert Counter(code for code, *_ in notes("alert", *facts)) == {"repeated": 4999}
    facts = [told("report.received", 0, A), *(told("report.rated", 1 + n / 1000, A, score=5) for n in range(2000))]
    assert notes("report", *facts) == []


def test_what_may_be_noted_has_words() -> None:
    from services.readings.noted import CODES
    from services.readings.noted import KINDS as NAMED

    assert set(NOTES) <= set(CODES) and set(NAMED) == set(registry.FOLDS)
