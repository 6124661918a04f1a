"""What the readings must say: the simulator's books as of a moment, and the readings held against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from schemas.calendar import local_day
from schemas.indicators import CATALOGUE
from services.readings import Period, read
from services.readings.read import round_half_up
from services.simulator.district.expected_totals import AREA, Books, Figures
from services.simulator.district.geography import WARDS
from services.simulator.district.plan import Kind, Plan

SOURCES = "/simulator/"
"""With this every source of a simulated district begins."""


@dataclass(frozen=True)
class Truth:
    """What a plan means by all it sends in [start, until): counts of messages, and figures by (indicator, unit).

    The unit is a ward's code, or "" for the whole district. A figure that is not there is 0.
    """

    plan: Plan
    until: datetime
    events: int
    repeats: int
    refused: int
    figures: Figures

    def keys(self) -> Iterator[tuple[str, str]]:
        """(source, id) of every meant event, in the order of sending; made anew each time."""
        for sending in self.plan.sendings(self.until):
            if sending.event and sending.kind == "meant":
                yield sending.event.source, sending.event.id


class Line(NamedTuple):
    """One figure as it is meant and as it is read; equal when they are printed alike."""

    indicator: str
    unit: str
    expected: Decimal
    read: Decimal

    @property
    def same(self) -> bool:
        """Whether a reader sees what was meant."""
        decimals = CATALOGUE[self.indicator].decimals
        return round_half_up(self.expected, decimals) == round_half_up(self.read, decimals)


def expected(plan: Plan, until: datetime) -> Truth:
    """Go through all that the plan sends before `until` and keep books of it."""
    totals, kinds = Books(), Counter[Kind]()
    for sending in plan.sendings(until):
        kinds[sending.kind] += 1
        if sending.event and sending.kind == "meant":
            totals.tell(sending.event)
    return Truth(plan, until, kinds["meant"], kinds["repeat"], kinds["refused"], totals.figures(until))


def comparison(conn: Connection, truth: Truth) -> list[Line]:
    """Every figure of the truth beside the reading as of `until`: by ward, and for the whole where nothing else is
    counted in."""
    period = Period.of(truth.until, local_day(truth.plan.start))
    lines: list[Line] = []
    for code in dict.fromkeys(indicator for indicator, _ in truth.figures):
        found = {r.group: r for r in read(conn, CATALOGUE[code], None, period, by="unit")}
        (whole,) = read(conn, CATALOGUE[code], None, period)
        if whole.origins <= {"simulated"} and found.keys() <= {ward.unit for ward in WARDS}:
            found[AREA] = whole
        for unit in (AREA, *(ward.unit for ward in WARDS)):
            expected = truth.figures.get((code, unit), Decimal(0))
            if unit in found or (unit and expected):
                value = found[unit].value if unit in found else None
                lines.append(Line(code, unit, expected, value or Decimal(0)))
    return lines


def stored(conn: Connection) -> int:
    """How many simulated events the log holds."""
    row = conn.execute(
        "SELECT coalesce(sum(events), 0) FROM source WHERE starts_with(source, %s)", [SOURCES]
    ).fetchone()
    return int(row[0]) if row else 0


def differences(conn: Connection, truth: Truth) -> list[str]:
    """Where log and readings are not what was meant, in words; empty if they are."""
    found = [
        f"{line.indicator} of {line.unit or 'the whole district'}: meant {line.expected}, read {line.read}"
        for line in comparison(conn, truth)
        if not line.same
    ]
    stored_count = stored(conn)
    return (
        [f"events: meant {truth.events}, the log holds {stored_count}"] if stored_count != truth.events else []
    ) + found
