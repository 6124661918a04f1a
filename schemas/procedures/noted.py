"""What is noted of dossiers and payments beside their figures: see `schemas.notes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas import units
from schemas.fold import Fact, Folded, Note
from schemas.notes import Noted, shown_steps
from schemas.procedures.dossier import LIFE_RANK, fold_dossier

_NO_STATUS = frozenset(
    {"dossier.due_soon", "dossier.overdue", "dossier.rated", "dossier.extended", "dossier.synchronised"}
)
_IN_VAIN = frozenset({"refused", "withdrawn", "stopped"})
_ENDS = frozenset({"dossier.resolved", *(f"dossier.{end}" for end in _IN_VAIN)})
_is_status = shown_steps(LIFE_RANK.keys() - _NO_STATUS - _ENDS)


def _shows(fact: Fact, first: bool, under_way: bool, folded: Folded) -> bool:
    """Its steps are its status; a notice is owed no more once it is told, if the stage that it names is on then."""
    if fact.event in ("dossier.due_soon", "dossier.overdue"):
        stage = ("stage", fact.data.get("stage", "overdue"))
        pressing = (p for p in folded.points if p.measure == "dossiers_pressing" and stage in p.labels)
        return sum(p.value for p in pressing if p.time <= fact.time) > 0
    return _is_status(fact, first, under_way, folded) or (first and fact.event == "dossier.returned")


def note_payments(facts: Sequence[Fact], folded: Folded) -> Iterator[Note]:
    """Payments for a dossier that had ended without a result."""
    if folded.status in _IN_VAIN and folded.ended_at:
        for fact in facts:
            if fact.event == "payment.made" and fact.time > folded.ended_at:
                yield Note("paid_in_vain", fact.key, fact.time, fact.unit, {"status": [folded.status, "paid"]})


def note_refunds(facts: Sequence[Fact], folded: Folded) -> Iterator[Note]:
    """Refunds that go beyond what was paid, all together; that precede it; that another unit gave."""
    made = next((f for f in facts if f.event == "payment.made"), None)
    given = 0
    for fact in facts if made else ():
        if made is None or fact.event != "payment.refunded":
            continue
        given += fact.data["amount"]
        if given > made.data["amount"]:
            yield Note("over_refunded", fact.key, fact.time, fact.unit, {"amount": [made.data["amount"], given]})
        if fact.time < made.time:
            yield Note("refunded_before", fact.key, fact.time, fact.unit)
        if fact.unit != made.unit and made.unit not in units.scope(fact.unit):
            yield Note("refunded_elsewhere", fact.key, fact.time, fact.unit, {"unit": [made.unit, fact.unit]})


noted_dossier = Noted(
    fold_dossier,
    opens="dossier.submitted",
    ends=_ENDS | {"dossier.returned"},
    beside=lambda id, fact: fact.event == "payment.made",
    rank=LIFE_RANK,
    shows=_shows,
    checks=(note_payments,),
)
