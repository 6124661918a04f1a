"""The number that the link of a figure carries, with the board's seal: it goes on being shown whatever is recorded
later of the time before, and nobody can put another into an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from services.board.ui.periods import PeriodChoice
from services.readings.explain import Explanation


class Carried(NamedTuple):
    """What the address of a figure's page says of its number."""

    shown: str = ""
    seal: str = ""


@dataclass(frozen=True)
class Sealed:
    """The number that a figure's links carry; `carried`: the address of this page has it already."""

    value: Decimal
    seal: str
    carried: bool

    def address(self, chosen: PeriodChoice, of: Explanation) -> str:
        """The link that carries it."""
        shown = {"unit": of.unit, "shown": str(self.value), "seal": self.seal}
        return chosen.as_seen(of.period.as_of).address(f"/figure/{of.reading.indicator.code}", **shown)


def sealed(conn: Connection, of: Explanation, carried: Carried) -> Sealed | None:
    """The number that an address carries, if the seal is the board's own for this figure, else the one that is read."""
    if carried.seal and carried.seal == _seal(conn, of, carried.shown):
        return Sealed(Decimal(carried.shown), carried.seal, True)
    value = of.reading.value
    return None if value is None else Sealed(value, _seal(conn, of, str(value)), False)


def _seal(conn: Connection, of: Explanation, shown: str) -> str:
    period = of.period
    days = (period.first, period.last, period.open_start, period.as_of.astimezone(UTC).isoformat())
    said = " ".join(map(str, (of.reading.indicator.code, of.unit, *days, shown)))
    ((seal,),) = conn.execute("SELECT link_seal(%s)", [said]).fetchall()
    return str(seal)
