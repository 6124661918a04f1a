"""The folds of a payment, of a procedure on offer in a unit, and of a changed calendar day."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, Labels, Point, as_known, in_order, label


def fold_payment(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """A payment counts once, when first made; a refund counts by itself and takes nothing back from the payment."""
    made = next((f for f in facts if f.event == "payment.made"), None)
    return as_known(_fold_payment, facts, [made] if made else [])


def _fold_payment(facts: Sequence[Fact]) -> Folded:
    made = next((f for f in facts if f.event == "payment.made"), None)
    head = made or facts[0]
    folded = Folded(head.unit, head.origin, "made" if made else "refunded", state=dict(head.data))
    kind = made.data["kind"] if made else "unknown"
    for fact in facts:
        if fact.event == "payment.refunded":
            folded.status = "refunded"
            folded.points.append(_point("refunds", fact, (("kind", kind),), fact.data["amount"]))
    if made:
        folded.opened_at = folded.ended_at = made.time
        labels = (("kind", kind), ("method", made.data["method"]))
        folded.points.append(_point("payments", made, labels, made.data["amount"]))
    return folded


def fold_service(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """Steps of the stock of procedures on offer: each publication replaces the one before."""
    ordered = in_order(facts)
    last = ordered[-1]
    folded = Folded(last.unit, last.origin, "offered" if last.data["offered"] else "withdrawn", state=dict(last.data))
    folded.opened_at = ordered[0].time
    current: Labels | None = None
    for fact in ordered:
        now = _offer(fact)
        if current != now:
            folded.points += [_point("services_offered", fact, current, -1)] if current else []
            folded.points += [_point("services_offered", fact, now, 1)] if now else []
        current = now
        if fact.data["offered"]:
            quality = (("complete", label(fact.data["complete"])), ("in_time", label(fact.data["in_time"])))
            folded.points.append(_point("procedures_published", fact, quality, 1))
    return folded


def fold_calendar_day(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """A changed day has no figure of its own; its changes are read by the folds of dossiers and reports."""
    last = in_order(facts)[-1]
    return Folded(last.unit, last.origin, "announced", opened_at=facts[0].time, state=dict(last.data))


def _offer(fact: Fact) -> Labels | None:
    if not fact.data["offered"]:
        return None
    return (("fee", label(fact.data["has_fee"])), ("level", fact.data["online_level"]))


def _point(measure: str, fact: Fact, labels: Labels, value: int) -> Point:
    return Point(measure, fact.unit, fact.origin, labels, fact.time, fact.key, value)
