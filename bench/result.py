"""What a benchmark gives back: its figures, each held against its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.paths import CHECKOUT

RESULTS = CHECKOUT / "docs" / "benchmarks" / "results.json"


@dataclass(frozen=True)
class Row:
    """One figure: its key in the result, what it is, its unit of measurement, and its target if it has one."""

    key: str
    what: str
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.at_least is not None:
            return value >= self.at_least
        return None if self.at_most is None else value <= self.at_most

    @property
    def target(self) -> str:
        """The target in words; empty without one."""
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return "" if self.at_most is None else f"≤ {self.at_most:,g}"


def targets(rows: Sequence[Row], figures: Mapping[str, Any]) -> dict[str, Any]:
    """key -> value, target and whether it is met, for the rows that have one and were measured."""
    measured = {row: figures[row.key] for row in rows if row.target and figures.get(row.key) is not None}
    return {row.key: {"value": value, "target": row.target, "met": row.met(value)} for row, value in measured.items()}
