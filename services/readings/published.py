"""What units published of figures that the centre counts too: for the same units and days, and whether they agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from schemas import units
from schemas.economy import Stated
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.as_reported import PREFIX
from schemas.indicators.formula import Statement
from services.readings import statements
from services.readings.evaluate import Scope
from services.readings.memo import memoised
from services.readings.period import Period
from services.readings.read import Reading, read, round_half_up


class Cell(NamedTuple):
    """What one unit published, and what is counted of it; `counted` is None where there is nothing to count."""

    unit: str
    stated: Decimal
    counted: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether the count, rounded as the unit printed its figure, is that figure."""
        digits = max(-int(self.stated.as_tuple().exponent), 0)
        return self.counted is not None and round_half_up(self.counted, digits) == self.stated


@dataclass(frozen=True)
class Published:
    """A figure as units published it for the days `first` to `last`, cell by cell beside the count of the same days.

    `stated` and `counted` are of all these units together, by the rule of the published table (sum, or mean of units);
    `counted` is None where one of them has no count.
    """

    indicator: Indicator
    first: date
    last: date
    stated: Decimal
    counted: Decimal | None
    cells: tuple[Cell, ...]
    origins: frozenset[str]

    @property
    def unlike(self) -> tuple[Cell, ...]:
        """The cells that do not agree."""
        return tuple(cell for cell in self.cells if not cell.agrees)


def published(conn: Connection, indicators: Iterable[Indicator], unit: str | None, as_of: datetime) -> list[Published]:
    """Of each indicator that units report too: the latest period they published, where there is one."""
    shared = memoised(conn)
    return [found for indicator in indicators for found in _of(shared, indicator, unit, as_of)]


def _of(conn: Connection, counted: Indicator, unit: str | None, as_of: datetime) -> Iterator[Published]:
    reported = CATALOGUE.get(PREFIX + counted.code)
    if reported is None or not isinstance(reported.formula, Statement):
        return
    latest = Period(date.min, as_of.date(), as_of, open_start=True)
    stated = statements.current(conn, reported.formula, Scope.of(unit, latest).units, latest)
    if not stated:
        return
    first, last = max(((s.first, s.last) for s in stated.values()), key=lambda days: (days[1], days[0]))
    same = {s.unit: s for s in stated.values() if (s.first, s.last) == (first, last)}
    counts = _counts(conn, counted, unit, Period(first, last, as_of), same)
    cells = tuple(_cell(s, reported.formula, counts[code]) for code, s in same.items())
    mean = len(cells) if reported.formula.over_units == "mean" else 1
    known = [cell.counted for cell in cells if cell.counted is not None]
    total = sum(known, Decimal()) / mean if len(known) == len(cells) else None
    origins = frozenset({s.origin for s in same.values()}).union(*(r.origins for r in counts.values()))
    yield Published(counted, first, last, sum((c.stated for c in cells), Decimal()) / mean, total, cells, origins)


def _cell(stated: Stated, formula: Statement, count: Reading) -> Cell:
    value = stated.part(formula.part)
    assert value is not None
    return Cell(stated.unit, value, count.value)


def _counts(
    conn: Connection, counted: Indicator, unit: str | None, period: Period, stated: Mapping[str, Stated]
) -> dict[str, Reading]:
    """unit -> its count, all at once where they are many and have nobody below them."""
    alone = [code for code in stated if not units.children(code)]
    found = {r.group: r for r in read(conn, counted, unit, period, "unit")} if len(alone) > 1 else {}
    return {
        code: found[code] if code in alone and code in found else read(conn, counted, code, period)[0]
        for code in stated
    }
