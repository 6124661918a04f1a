"""Who may do what: roles, the units they are bounded to, and what a screen without login may show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeVar, get_args

from schemas import units
from schemas.indicators import Indicator
from services.readings import Reading
from services.readings.reasons import Reason

T = TypeVar("T", int, Decimal)
Role = Literal["public", "viewer", "operator", "supervisor", "admin"]
Action = Literal[
    "cases", "acknowledge", "comment", "extend", "join", "assign", "close", "resubmit", "accounts", "outlines",
    "import", "report", "target",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
GIVEN: tuple[Role, ...] = ROLES[1:]
"""The roles that an account can have."""
NEEDS: dict[Action, Role] = {
    "cases": "viewer",
    "acknowledge": "operator",
    "comment": "operator",
    "extend": "operator",
    "join": "operator",
    "import": "operator",
    "report": "operator",
    "assign": "supervisor",
    "close": "supervisor",
    "resubmit": "supervisor",
    "target": "supervisor",
    "accounts": "admin",
    "outlines": "admin",
}
"""action -> the least role that may do it; each role may do what those before it may."""
OF_ALL: frozenset[Action] = frozenset({"outlines"})
"""What changes the whole centre: nobody may who is bounded to units."""
SMALL = 5
"""In steps of this a screen without login tells counts of people who are ill or who complained."""
_COUNTED = ("case", "report", "message", "outbreak")


@dataclass(frozen=True)
class Account:
    """Who looks. `units`: the units whose cases they see, with all below them; empty: all."""

    name: str
    full_name: str
    role: Role
    units: tuple[str, ...] = ()

    def may(self, action: Action) -> bool:
        """Whether the role allows it."""
        return ROLES.index(self.role) >= ROLES.index(NEEDS[action]) and not (self.units and action in OF_ALL)

    def sees(self, unit: str) -> bool:
        """Whether cases of this unit are theirs to see. A unit that is not known is nobody's but an unbounded one's."""
        return self.role != "public" and (not self.units or unit in self.scope())

    def hears(self, unit: str, of_case: bool) -> bool:
        """Whether an alarm of this unit is theirs to see: those of their units; of the whole locality (`all`), where it
        is about no case, everyone's who may see cases."""
        return self.may("cases") and (self.sees(unit) or (unit == "all" and not of_case))

    def covers(self, bounds: Sequence[str]) -> bool:
        """Whether who is bounded to these units sees no more than they do; empty bounds are only within empty ones."""
        return not self.units or (bool(bounds) and self.scope().issuperset(bounds))

    def scope(self) -> frozenset[str]:
        """The codes of all units they are bounded to, followed across mergers; empty: all."""
        return frozenset().union(*(units.scope(root) for root in self.units))


PUBLIC = Account("", "", "public")
"""A screen without login."""


@dataclass(frozen=True)
class Grant:
    """A role, and the units it is bounded to; empty: all."""

    role: Role
    units: tuple[str, ...] = ()


def grant_of(text: str) -> Grant:
    """`operator phuong_chon_thanh xa_nha_bich` as a grant; raises `ValueError` for no role, or an unknown unit."""
    role, *places = text.split()
    given = next((r for r in GIVEN if r == role), None)
    if given is None:
        raise ValueError(f"{role!r} is no role; there are {', '.join(GIVEN)}")
    try:
        return Grant(given, tuple(units.get(place).code for place in places))
    except units.UnknownUnit as unknown:
        raise ValueError(str(unknown)) from None


def strongest(grants: Iterable[Grant]) -> Grant | None:
    """What someone with all these grants has: the highest role, in the units for which it was given, never in others
    for which a lower one was. None for no grant."""
    granted = list(grants)
    if not granted:
        return None
    role = max((grant.role for grant in granted), key=ROLES.index)
    bounds = [grant.units for grant in granted if grant.role == role]
    return Grant(role, () if () in bounds else tuple(sorted({unit for bound in bounds for unit in bound})))


def is_sensitive(indicator: Indicator) -> bool:
    """Whether it counts people who are ill or who complained."""
    return indicator.system == "field" or indicator.code.startswith(("disease_", "outbreak"))


def coarse(number: T) -> T | None:
    """A count as a screen without login shows it: rounded down to a multiple of `SMALL`; None: fewer than that.

    One rule for every unit, class and period, so that whatever is left of two or three counts stays a span of several.
    """
    return number - number % SMALL if number >= SMALL else None


def covered(reading: Reading, whole: bool) -> Reading:
    """A reading as a screen without login shows it. `whole`: it is of the whole locality, over more than a day.

    Of the ill and the complaining it shows coarse counts, and shares and means of the whole locality alone where they
    rest on enough, rounded down as well: with the exact share one could tell the count.
    """
    counted, value = reading.indicator.unit in _COUNTED, reading.value
    if not is_sensitive(reading.indicator) or (counted and value is None):
        return reading
    enough = counted or (whole and not reading.group and (reading.base or 0) >= SMALL)
    if value is None or not enough or (counted and value < SMALL):
        return replace(reading, value=None, reason=FEW, base=None)
    return replace(reading, value=value - value % SMALL, base=None)


FEW = Reason("few")


def is_few(reading: Reading) -> bool:
    """Whether it is not told for being too small."""
    return reading.reason == FEW
