"""Targets as they were set: which is in force for a figure of a unit in a period, as of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from schemas.economy import Stated
from schemas.indicators import CATALOGUE
from schemas.indicators.metric import ALL
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
    """The codes of the figures that a target can be set for."""
    return [code for code, indicator in CATALOGUE.items() if indicator.settable]


def targets(conn: Connection, period: Period) -> list[Target]:
    """Every target of figures of the catalogue that is known as of the period's moment, whatever days it is for."""
    known, found = set(settable()), statements.all_stated(conn, "target", period.as_of)
    return [target for code, one in found if code in known and (target := _target(code, one))]


def _target(code: str, one: Stated) -> Target | None:
    value = one.part("target")
    return None if value is None else Target(code, one.unit, one.first, one.last, value, one.key)


def in_force(
    conn: Connection, codes: Iterable[str], units: Iterable[str | None], days: Iterable[date], known: datetime
) -> dict[tuple[str, str | None, date], Decimal]:
    """(figure, unit, day) -> its target as it was set by a moment, where one is in force: the unit's own, else that of
    the nearest unit above it. The whole locality (None) has those of a unit that is in no other."""
    places = [unit or ALL for unit in units]
    found = conn.execute(_IN_FORCE, (list(codes), places, list(days), known)).fetchall()
    return {(code, None if place == ALL else place, day): value for code, place, day, value in found}


_IN_FORCE = "SELECT indicator, place, day, target FROM figure_targets(%s, %s, %s, %s)"
