"""Who counts as a person: the accounts of the board, and the people of the table of routes. Both may hold alarms, under
their name or as they are called; who works at the machine itself is `cli:<login>`, who may act but is given nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

from schemas import units
from services.notifier.routes import Routes

AT_THE_MACHINE = "cli:"
MAY_ACT = frozenset({"operator", "supervisor", "admin"})
"""The roles that may acknowledge an alarm on the board."""


class NoPerson(Exception):
    """Nobody of that name may do it; the message says why and who can."""


class Account(NamedTuple):
    """An account of the board, as the view `person` has it. `units`: those it is bounded to; empty: all."""

    name: str
    full_name: str
    role: str
    units: list[str]
    disabled: bool

    def why_not(self, unit: str) -> str | None:
        """Why it can see to nothing of a unit; None: it can."""
        if self.disabled:
            return "is disabled"
        if self.role not in MAY_ACT:
            return f"is a {self.role} and acts on no alarms"
        if self.units and not any(unit in units.scope(code) for code in self.units):
            return f"sees {', '.join(self.units)} alone, and it is about {unit}"
        return None


async def require(conn: AsyncConnection, routes: Routes, name: str, unit: str) -> None:
    """Refuse, as `NoPerson`, a name that is nobody's who can see to an alarm of this unit."""
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        accounts = await (await cursor.execute("SELECT * FROM person")).fetchall()
    if why := refusal(accounts, routes, name, unit):
        raise NoPerson(why)


def refusal(accounts: Iterable[Account], routes: Routes, name: str, unit: str) -> str | None:
    """Why a name may not hold an alarm of a unit; None: it may. A disabled account is disabled in the table too."""
    wanted, every = _plain(name), list(accounts)
    called = [a for a in every if wanted == _plain(a.name)] or [a for a in every if wanted == _plain(a.full_name)]
    whys = [account.why_not(unit) for account in called]
    if called:
        return None if None in whys else f"{name} {whys[0]}; `ioc people list` shows who can see to it"
    if any(wanted in (_plain(key), _plain(person.name)) for key, person in routes.people.items()):
        return None
    return (
        f"there is no person {name!r}: name an account of the board (`ioc people list`) "
        f"or one of the table of routes ({', '.join(routes.people) or 'it is empty'})"
    )


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
