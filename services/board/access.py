"""Who may do what: roles, the units they are bounded to, and what a screen without login may show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, get_args

from schemas import units
from schemas.indicators import Indicator
from services.readings import Reading
from services.readings.reasons import Reason

Role = Literal["public", "viewer", "operator", "supervisor", "admin"]
Action = Literal["cases", "acknowledge", "comment", "extend", "assign", "close", "resubmit", "accounts"]
ROLES: tuple[Role, ...] = get_args(Role)
GIVEN: tuple[Role, ...] = ROLES[1:]
"""The roles that an account can have."""
NEEDS: dict[Action, Role] = {
    "cases": "viewer",
    "acknowledge": "operator",
    "comment": "operator",
    "extend": "operator",
    "assign": "supervisor",
    "close": "supervisor",
    "resubmit": "supervisor",
    "accounts": "admin",
}
"""action -> the least role that may do it; each role may do what those before it may."""
SMALL = 5
"""Counts below this are not shown on a screen without login where they are about few people in one unit."""
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
        return ROLES.index(self.role) >= ROLES.index(NEEDS[action])

    def sees(self, unit: str) -> bool:
        """Whether cases of this unit are theirs to see. A unit that is not known is nobody's but an unbounded one's."""
        return self.role != "public" and (not self.units or unit in self.scope())

    def hears(self, unit: str, of_case: bool) -> bool:
        """Whether an alarm of this unit is theirs to see: those of their units; of the whole locality (`all`), where it
        is about no case, everyone's who may see cases."""
        return self.may("cases") and (self.sees(unit) or (unit == "all" and not of_case))

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
    held = list(grants)
    if not held:
        return None
    role = max((grant.role for grant in held), key=ROLES.index)
    bounds = [grant.units for grant in held if grant.role == role]
    return Grant(role, () if () in bounds else tuple(sorted({unit for bound in bounds for unit in bound})))


def is_sensitive(indicator: Indicator) -> bool:
    """Whether it counts people who are ill or who complained."""
    return indicator.system == "field" or indicator.code.startswith(("disease_", "outbreak"))


def suppressed(reading: Reading, unit: str | None) -> bool:
    """Whether a screen without login hides a reading of a unit (None: of the whole locality, which hides nothing).

    Of the ill and the complaining in one unit it shows no count below `SMALL` but 0, and no share or mean, which would
    tell of a few people without saying of how few.
    """
    if unit is None or reading.value is None or not is_sensitive(reading.indicator):
        return False
    return reading.indicator.unit not in _COUNTED or 0 < abs(reading.value) < SMALL


def covered(hidden: Set[int], parts: Sequence[Decimal | int | None]) -> Set[int]:
    """The places of the parts of a whole that are not shown where `hidden` must not be: where it is one alone the next
    smallest is hidden too, else it would be the whole less all others."""
    shown = [place for place, part in enumerate(parts) if place not in hidden and part]
    if len(hidden) != 1 or not shown:
        return hidden
    return hidden | {min(shown, key=lambda place: abs(Decimal(parts[place] or 0)))}


def veiled(readings: Sequence[Reading], few: bool) -> tuple[Reading, ...]:
    """The parts of a breakdown as a screen without login shows them. `few`: each is about few people, in one unit or
    of one class.

    """
    few_ones = {i for i, r in enumerate(readings) if few and suppressed(r, r.group)}
    hidden = covered(few_ones, [r.value for r in readings])
    return tuple(replace(r, value=None, reason=FEW) if i in hidden else r for i, r in enumerate(readings))


FEW = Reason("few")
