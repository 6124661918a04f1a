"""What a finding is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Literal

from schemas.indicators import CATALOGUE
from schemas.indicators.checks import rests_on
from schemas.indicators.formula import Leaf

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""The gravest first."""
GRAVE: dict[str, Severity] = {
    "ii06_received": "critical", "ii06_resolved": "critical", "ii06_open": "critical", "ii06_balance": "critical",
    "impossible_share": "critical", "reported_differs": "warning", "back_dated_end": "warning",
    "back_dated_promise": "warning",
    "contradiction": "warning", "repromised": "warning", "extended_again": "warning", "contradicted": "warning",
    "over_refunded": "warning", "refunded_before": "warning", "paid_in_vain": "warning",
}  # fmt: skip
"""Code -> how grave it is; sums that disagree are warnings, what is not named is information."""


@dataclass(frozen=True)
class Handling:
    """What has become of a finding: since when it is seen, who took it when, who resolved it when, and how (`note`)."""

    first_seen: datetime | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    note: str | None = None


UNSEEN = Handling()


@dataclass(frozen=True)
class Finding:
    """Two figures that should agree: `left` and `right` differ by `missing` (left − right) of `what`.

    One about single events, which has `events`, says how many, and compares nothing: they are its left side.
    `figures`: the indicators that rest on anything of what was compared.
    """

    code: str
    vi: str
    en: str
    unit: str | None
    first: date | None
    last: date | None
    left: Decimal
    right: Decimal
    what: str
    figures: frozenset[str] = frozenset()
    evidence: tuple[str, ...] = ()
    events: int | None = None
    handling: Handling = UNSEEN

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return GRAVE.get(self.code, "info" if self.events is not None else "warning")

    @property
    def key(self) -> str:
        """What tells it from others, whatever its numbers are by now: what is compared, where, of which days. What is
        counted of the whole locality goes on from day to day, so its last day does not matter."""
        last = self.last if self.unit else None
        about = (self.code, self.unit or "", str(self.first or ""), str(last or ""), self.what)
        case = self.evidence[:1] if self.what == "case" else ()
        return blake2b("\n".join((*about, *case)).encode(), digest_size=12).hexdigest()

    @property
    def missing(self) -> Decimal:
        """left − right."""
        return self.left - self.right


def resting_on(compared: Iterable[Leaf]) -> frozenset[str]:
    """The codes of the figures that rest on anything of what was compared."""
    some = tuple(compared)
    return frozenset(code for code, indicator in CATALOGUE.items() if rests_on(indicator.formula, some))
