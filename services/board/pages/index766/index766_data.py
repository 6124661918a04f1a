"""What the page of index 766 shows: how a unit stands, what costs it points, and which dossiers gain the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from psycopg import Connection

from schemas import units
from schemas.calendar import local_day, month_end
from schemas.index766.scoring import ranked_as
from services.board.access import Account
from services.board.ui.pagination import PAGE
from services.board.ui.periods import SO_FAR, PeriodChoice
from services.kit import clock
from services.readings.forecast import Forecast
from services.readings.index766 import UnitIndex, unit_index, unit_indices
from services.readings.index766_dossiers import CostlyDossiers, Day, costly
from services.readings.period import Period
from services.readings.whatif import Shortest, shortest, until

PATH = "/index766"
DAYS = 30
"""So many days are looked back."""
Rules = Literal["portal", "decree"]


@dataclass(frozen=True)
class Choice:
    """What a reader looks at: a unit ("" for the whole locality), by which rules, and a component opened, of whose
    dossiers a page is shown."""

    unit: str
    rules: Rules
    component: str = ""
    period: PeriodChoice = SO_FAR
    page: int = 1

    @property
    def others(self) -> dict[str, str | None]:
        """What its address says besides the period."""
        return {"unit": self.unit, "rules": None if self.rules == "portal" else self.rules}

    def path(self, **other: str | None) -> str:
        """The address of the same with something else chosen."""
        return self.period.address(PATH, **self.others | other)

    def ongoing(self, now: datetime) -> bool:
        """Whether it is of now, so that something can be done about it."""
        return self.period.as_of is None and self.period.period(now).last >= local_day(now)


@dataclass(frozen=True)
class Stand:
    """How things stand: the unit, how many are ranked with it, those below it (the best first), and what the reader may
    see of its dossiers."""

    period: Period
    own: UnitIndex
    peers: int
    below: Sequence[UnitIndex]
    gains: Shortest | None
    costly: CostlyDossiers | None


@dataclass(frozen=True)
class Course:
    """The last days, and the month's end."""

    days: Sequence[Day]
    ahead: Forecast | None


def all_units(conn: Connection, choice: Choice) -> list[UnitIndex]:
    """All units, ranked."""
    return unit_indices(conn, choice.rules, None, choice.period.period(clock.now()))


def stand(conn: Connection, choice: Choice, everyone: Sequence[UnitIndex], cases: bool, now: datetime) -> Stand:
    """Read all that changes with each event. Dossiers are those of one unit alone."""
    unit, period = choice.unit or None, choice.period.period(now)
    own = unit_index(conn, choice.rules, unit, period)
    own = replace(own, rank=next((u.rank for u in everyone if u.unit == unit), None))
    peers = sum(1 for u in everyone if u.rank and ranked_as(u.level) == ranked_as(own.level))
    below = everyone if unit is None else []
    if unit and units.children(unit):
        below = [u for u in unit_indices(conn, choice.rules, unit, period) if u.unit != unit]
    if not (cases and unit):
        return Stand(period, own, peers, below, None, None)
    ahead = until(month_end(local_day(now)))
    gains = shortest(conn, choice.rules, unit, ahead, now) if choice.ongoing(now) else None
    if not choice.component:
        return Stand(period, own, peers, below, gains, None)
    listed = costly(conn, choice.rules, choice.component, unit, period, PAGE, choice.page)
    return Stand(period, own, peers, below, gains, listed)


def may_see(account: Account, unit: str) -> bool:
    """Whether the dossiers of a unit are theirs to see."""
    return account.may("cases") and bool(unit) and account.sees(unit)
