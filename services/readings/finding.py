"""What a finding is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


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

    @property
    def missing(self) -> Decimal:
        """left − right."""
        return self.left - self.right
