"""Targets as they were set: which is in force for a figure of a unit in a period, as of a moment."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from schemas import units
from schemas.economy import Stated
from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Statement
from services.readings import statements
from services.readings.period import Period


class Target(NamedTuple):
    """A target that was set for a figure of the catalogue, for a unit with all below it and the days from `first` to
    `last`; `key`: the event that set it."""

    indicator: str
    unit: str
    first: date
    last: date
    value: Decimal
    key: str


def settable() -> list[str]:
    """The codes of the figures that a target can be set for: those that are counted, of which it is known whether more
    or less is better. What is stated has its plan stated beside it, as a figure of its own."""
    return [code for code, i in CATALOGUE.items() if i.better and not isinstance(i.formula, Statement)]


def targets(conn: Connection, period: Period) -> list[Target]:
    """Every target of figures of the catalogue that is known as of the period's moment, whatever days it is for."""
    known, found = set(settable()), statements.all_stated(conn, "target", period.as_of)
    return [target for code, one in found if code in known and (target := _target(code, one))]


def _target(code: str, one: Stated) -> Target | None:
    value = one.part("target")
    return None if value is None else Target(code, one.unit, one.first, one.last, value, one.key)


def in_force(found: list[Target], code: str, unit: str | None, day: date) -> Decimal | None:
    """The target of a figure on a day: the unit's own, else that of the nearest unit above it; of several the one that
    began last. The whole locality (None) has those of a unit that is in no other."""
    chain = [unit, *(above.code for above in units.ancestors(unit))] if unit else None
    fitting = [t for t in found if t.indicator == code and t.first <= day <= t.last]
    if chain is None:
        own = [t for t in fitting if not units.ancestors(t.unit)]
        return max(own, key=lambda t: t.first).value if own else None
    for place in chain:
        if own := [t for t in fitting if t.unit == place]:
            return max(own, key=lambda t: t.first).value
    return None
