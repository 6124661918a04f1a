"""Whom to call about a unit's cases, and what procedures are called: tables that administrators keep, a line each."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

from schemas import units
from schemas.personal import find
from services.board.access import Account
from services.board.auth import audit
from services.kit import clock

PHONE = re.compile(r"(?:\+|\()?\d[\d .()/-]{4,30}")
CODE = re.compile(r"[\w.-]{3,40}", re.ASCII)
LONGEST = 160
MOST_LINES = 5_000


class Refused(ValueError):
    """A line cannot be kept; the message is a word of the board, `line` says which it is."""

    def __init__(self, key: str, line: str) -> None:
        super().__init__(key)
        self.key, self.line = key, line[:80]


class Contact(NamedTuple):
    """Who answers for the late cases of a unit, and at which phone."""

    unit: str
    officer: str
    phone: str
    changed_by: str


async def all_contacts(conn: AsyncConnection) -> list[Contact]:
    """Every contact."""
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return await (await cursor.execute(_CONTACTS)).fetchall()


async def contact_of(conn: AsyncConnection, unit: str) -> Contact | None:
    """The contact of a unit, else of the nearest above it."""
    above = [unit, *(one.code for one in units.ancestors(unit))]
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        known = await (await cursor.execute(f"{_CONTACTS} WHERE unit = ANY(%s)", [above])).fetchall()
    return min(known, key=lambda contact: above.index(contact.unit), default=None)


async def procedure_names(conn: AsyncConnection) -> dict[str, str]:
    """Code -> name, of all procedures."""
    return dict(await (await conn.execute(_NAMES)).fetchall())


async def put_contacts(conn: AsyncConnection, account: Account, text: str) -> int:
    """Keep the lines `unit; officer; phone`; without officer and phone a unit has none any more. Gives how many; raises
    `Refused`, and then none is kept."""
    return await _put(conn, account, text, 3, _contact)


async def put_procedures(conn: AsyncConnection, account: Account, text: str) -> int:
    """Keep the lines `code; name`; without a name a procedure has none any more. As `put_contacts`."""
    return await _put(conn, account, text, 2, _procedure)


Keep = Callable[[AsyncConnection, Account, list[str], str], Awaitable[None]]


async def _put(conn: AsyncConnection, account: Account, text: str, columns: int, keep: Keep) -> int:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise Refused("contacts_many", lines[MOST_LINES])
    async with conn.transaction():
        for line in lines:
            parts = [" ".join(part.split()) for part in re.split(r"[;\t]", line)]
            if len(parts) > columns or any(len(part) > LONGEST for part in parts):
                raise Refused("contacts_bad_line", line)
            await keep(conn, account, [*parts, *[""] * (columns - len(parts))], line)
    return len(lines)


async def _contact(conn: AsyncConnection, account: Account, parts: list[str], line: str) -> None:
    name, officer, phone = parts
    try:
        unit = units.find(name).code
    except (units.UnknownUnit, units.AmbiguousUnit):
        raise Refused("contacts_no_unit", line) from None
    if not account.sees(unit):
        raise Refused("contacts_no_unit", line)
    if (officer or phone) and not (officer and PHONE.fullmatch(phone)):
        raise Refused("contacts_bad_line", line)
    await _keep(conn, account, "contact", unit, _CONTACT if officer else _NO_CONTACT, [unit, officer, phone])


async def _procedure(conn: AsyncConnection, account: Account, parts: list[str], line: str) -> None:
    code, name = parts
    if not CODE.fullmatch(code) or find(name):
        raise Refused("contacts_bad_line", line)
    await _keep(conn, account, "procedure", code, _NAME if name else _NO_NAME, [code, name])


async def _keep(conn: AsyncConnection, account: Account, what: str, key: str, sql: str, values: Iterable[str]) -> None:
    names = ("key", "first", "second")
    await conn.execute(sql, dict(zip(names, values, strict=False)) | {"at": clock.now(), "by": account.name})
    await audit.note(conn, account, f"{what}.set", key, {"unit": key} if what == "contact" else {})


_CONTACTS = "SELECT unit, officer, phone, changed_by FROM unit_contact"
_CONTACT = """
INSERT INTO unit_contact (unit, officer, phone, changed_at, changed_by)
VALUES (%(key)s, %(first)s, %(second)s, %(at)s, %(by)s)
ON CONFLICT (unit) DO UPDATE SET officer = excluded.officer, phone = excluded.phone,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by
"""
_NO_CONTACT = "DELETE FROM unit_contact WHERE unit = %(key)s"
_NAMES = "SELECT code, name FROM procedure_name ORDER BY code"
_NAME = """
INSERT INTO procedure_name (code, name, changed_at, changed_by) VALUES (%(key)s, %(first)s, %(at)s, %(by)s)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by
"""
_NO_NAME = "DELETE FROM procedure_name WHERE code = %(key)s"
