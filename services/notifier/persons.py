"""Who counts as a person: the accounts of the board, and the people of the table of routes. Both may hold alarms, under
their name or as they are called; who works at the machine itself is `cli:<login>`, who may act but is given nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from psycopg import AsyncConnection

from services.notifier.routes import Routes

AT_THE_MACHINE = "cli:"


class NoPerson(Exception):
    """Nobody of that name may do it; the message says why and who can."""


async def require(conn: AsyncConnection, routes: Routes, name: str, unit: str) -> None:
    """Refuse, as `NoPerson`, a name that is nobody's who can see to an alarm of this unit."""
    whys = [why for (why,) in await (await conn.execute(_WHYS, {"name": name, "unit": unit})).fetchall()]
    if why := refusal(whys, routes, name):
        raise NoPerson(why)


def refusal(whys: Sequence[str | None], routes: Routes, name: str) -> str | None:
    """Why a name may not hold an alarm; None: it may. `whys`: of each account that is called so. Who cannot by account
    cannot by the table either."""
    if whys:
        return None if None in whys else f"{name} {whys[0]}; `ioc people list` shows who can see to it"
    wanted = _plain(name)
    if any(wanted in (_plain(key), _plain(person.name)) for key, person in routes.people.items()):
        return None
    return (
        f"there is no person {name!r}: name an account of the board (`ioc people list`) "
        f"or one of the table of routes ({', '.join(routes.people) or 'it is empty'})"
    )


_WHYS = """
SELECT why_no_holder(p.disabled, p.role, p.units, p.sees, %(unit)s)
FROM person_called c JOIN person p USING (name) WHERE c.called = plain_name(%(name)s) ORDER BY p.name
"""


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
