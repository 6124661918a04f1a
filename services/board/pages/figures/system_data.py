"""What the page of a system shows: all its figures for a period and for the compared one, step by step, and broken
down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from psycopg import Connection

from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.label_texts import labels
from services.board.live.wall_figures import FIGURES
from services.board.ui.periods import SO_FAR, Against, PeriodChoice, step_of
from services.readings import Period, Reading, read, sheet
from services.readings.coverage import data_since
from services.readings.memo import memoised


@dataclass(frozen=True)
class Choice:
    """What the reader chose to see of a system. `ranked`, `by`: the figure that is broken down, and by what."""

    system: str
    unit: str | None = None
    period: PeriodChoice = SO_FAR
    against: Against = "previous"
    ranked: str = ""
    by: str = ""

    def figure(self, code: str) -> str:
        """The address that opens a figure for the unit and period chosen."""
        return self.period.address(f"/figure/{code}", unit=self.unit)

    @property
    def others(self) -> dict[str, str | None]:
        """What its address says besides the period."""
        against = None if self.against == "previous" else self.against
        return {"unit": self.unit, "against": against, "ranked": self.ranked or None, "by": self.by or None}

    def path(self, **other: str | None) -> str:
        """The address of this page, with something else chosen."""
        return self.period.address(f"/system/{self.system}", **self.others | other)

    def periods(self, now: datetime) -> tuple[Period, Period]:
        """The period, and the one that it is compared with."""
        period = self.period.period(now)
        return period, self.period.before(period, self.against)

    def broken_down(self) -> tuple[Indicator, str]:
        """The figure and what it is broken down by: the first of each where the address names none that there is."""
        heads = headlines(self.system)
        indicator = next((i for i in heads if i.code == self.ranked), heads[0])
        return indicator, self.by if self.by in dimensions(indicator) else dimensions(indicator)[0]


@dataclass(frozen=True)
class Figures:
    """A system's figures of a period: of all indicators, and of the headline ones step by step. `since`: of a period
    that is compared with, by indicator, from which day on its sources tell of it; None: from none."""

    period: Period
    values: tuple[Reading, ...]
    steps: tuple[tuple[Reading, ...], ...]
    since: Mapping[str, date | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """The chosen figure broken down, and those that are always shown by class."""

    chosen: tuple[Reading, ...]
    classes: tuple[tuple[Reading, ...], ...]


@dataclass(frozen=True)
class Content:
    """All that a system's page shows: the period, what it is compared with, and the break-downs."""

    now: Figures
    then: Figures
    parts: Parts


def indicators(system: str) -> tuple[Indicator, ...]:
    """The system's indicators, in the order of the catalogue."""
    return tuple(i for i in CATALOGUE.values() if i.system == system)


def headlines(system: str) -> tuple[Indicator, ...]:
    """Those that are shown first: what the wall shows in its order, then the others."""
    wall = FIGURES[system]
    heads = (i for i in indicators(system) if i.headline)
    return tuple(sorted(heads, key=lambda i: wall.index(i) if i in wall else len(wall)))


def dimensions(indicator: Indicator) -> tuple[str, ...]:
    """What a figure can be broken down by, besides time: units, and the labels of its measures."""
    return ("unit", *labels(indicator.formula))


def read_figures(conn: Connection, choice: Choice, period: Period) -> Figures:
    """What the page shows of a period."""
    values = sheet(conn, indicators(choice.system), choice.unit, period)
    steps = sheet(conn, headlines(choice.system), choice.unit, period, step_of(period))
    return Figures(period, tuple(each[0] for each in values), tuple(map(tuple, steps)))


def read_compared(conn: Connection, choice: Choice, period: Period) -> Figures:
    """The same of the period that is compared with, and which of it may be: what its sources covered."""
    shared = memoised(conn)
    found = read_figures(shared, choice, period)
    told = (r.indicator for r in found.values if r.value is not None)
    return replace(found, since={i.code: data_since(shared, i, choice.unit, period) for i in told})


def read_parts(conn: Connection, choice: Choice, period: Period) -> Parts:
    """What the page shows broken down."""
    chosen = choice.broken_down()
    by_class = [(i, i.classes) for i in indicators(choice.system) if i.classes]
    shown = (chosen, *(each for each in by_class if each != chosen))
    first, *classes = (tuple(read(conn, indicator, choice.unit, period, by)) for indicator, by in shown)
    return Parts(first, tuple(classes))


def ranked(parts: Iterable[Reading]) -> list[Reading]:
    """A figure broken down, the worst first; those without data at the end."""

    def place(r: Reading) -> tuple[bool, Decimal]:
        value = r.value or Decimal()
        return r.value is None, value if r.indicator.better == "higher" else -value

    return sorted(parts, key=place)
