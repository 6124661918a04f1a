"""Who may do what: roles, the units they are bounded to, and what a screen without login may show. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from schemas import units

Role = Literal["public", "viewer", "operator", "supervisor", "admin"]
Action = Literal["cases", "acknowledge", "comment", "extend", "assign", "close", "resubmit", "accounts"]
ROLES: tuple[Role, ...] = get_args(Role)
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

    def scope(self) -> frozenset[str]:
        """The codes of all units they are bounded to, followed across mergers; empty: all."""
        return frozenset().union(*(units.scope(root) for root in self.units))


PUBLIC = Account("", "", "public")
"""A screen without login."""
