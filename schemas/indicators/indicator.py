"""What the catalogue says of one figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from schemas.indicators.formula import Formula, Statement


@dataclass(frozen=True)
class Indicator:
    """One figure: code, names in both languages, formula, unit of measurement, and what is good.

    `decimals` is for printing alone, half up. `target` is compared with the printed value, as published tables do.
    `headline`: shown first on the system's boards. `classes`: the label by which boards also break it down. `windows`:
    the periods besides its own for which it is watched, see `schemas.indicators.metric`. `working`: its minutes are of
    working time, of which a day has eight hours. `beyond`: per cents that may be more than 100 or less than 0: of a plan,
    of the year before, of beds.
    """

    code: str
    vi: str
    en: str
    formula: Formula
    unit: str
    decimals: int = 0
    target: Decimal | None = None
    better: Literal["higher", "lower"] | None = None
    headline: bool = field(default=False, kw_only=True)
    classes: str = field(default="", kw_only=True)
    windows: tuple[str, ...] = field(default=(), kw_only=True)
    working: bool = field(default=False, kw_only=True)
    beyond: bool = field(default=False, kw_only=True)
    system: str = field(default="", kw_only=True)

    @property
    def settable(self) -> bool:
        """Whether a target can be set for it: it is counted, and known whether more or less is better. What is stated
        has its plan stated beside it, as a figure of its own."""
        return self.better is not None and not isinstance(self.formula, Statement)

    @property
    def is_share(self) -> bool:
        """Whether it is a part of a whole in per cent; who aims at more than the whole has none."""
        return self.unit == "%" and not self.beyond and (self.target is None or 0 <= self.target <= 100)

    def is_possible(self, value: Decimal) -> bool:
        """Whether the figure can be so as it is printed."""
        return self.bounds is None or self.bounds[0] <= value <= self.bounds[1]

    @property
    def bounds(self) -> tuple[Decimal, Decimal] | None:
        """The least and the most that the figure can be: a share lies within 0 and 100 %."""
        return (Decimal(0), Decimal(100)) if self.is_share else None

    @property
    def bound(self) -> Literal["≤", "≥"]:
        """How a value stands to the target that it meets."""
        return "≤" if self.better == "lower" else "≥"


def rows(system: str, *indicators: Indicator) -> tuple[Indicator, ...]:
    """The indicators of one system."""
    return tuple(Indicator(**{**vars(i), "system": system}) for i in indicators)
