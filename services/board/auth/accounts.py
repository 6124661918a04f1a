"""Accounts in the database: passwords checked by argon2, rows changed together with a note in the audit."""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import LiteralString, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg import AsyncConnection
from psycopg.rows import class_row

from schemas.personal import OF_STAFF, find, mask
from schemas.text import collation
from services.board.access import GIVEN, ROLES, Account, Grant, Role
from services.board.auth import audit
from services.board.ui.words import word
from services.kit import clock

SHORTEST, LONGEST_PASSWORD = 10, 200
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_hasher = PasswordHasher()
_few_at_once = asyncio.Semaphore(2)
"""Each check takes 64 MiB for a moment: a crowd at the log-in waits in line."""


class Refused(ValueError):
    """A change that is not made; `key` is the word that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(word(key, "en"))
        self.key = key


class Row(NamedTuple):
    """An account as the list of accounts shows it."""

    name: str
    full_name: str
    role: Role
    units: list[str]
    has_password: bool
    subject: str | None
    by_groups: bool
    disabled: bool
    created_at: datetime
    seen_at: datetime | None

    @property
    def account(self) -> Account:
        """Who that is."""
        return Account(self.name, self.full_name, self.role, tuple(self.units))


def plain(name: str) -> str:
    """A name as it is kept, however it was typed."""
    return unicodedata.normalize("NFC", name).strip().lower()


class Candidate(NamedTuple):
    """What a name at the log-in stands for; `kept`: of its password, None where it may not enter with one."""

    account: Account | None
    kept: str | None


async def candidate(conn: AsyncConnection, name: str) -> Candidate:
    """Who wants to enter as `name`, which may be anything that was typed."""
    row = await _get(conn, name) if NAME.fullmatch(name) else None
    kept = await _password(conn, name) if row and not row.disabled else None
    return Candidate(row.account if row else None, kept)


async def is_password(kept: str | None, password: str) -> bool:
    """Whether that is the password; where there is none the answer takes as long. To be asked without a connection in
    hand, since it is slow and many may wait for it."""
    try:
        async with _few_at_once:
            nobody = await asyncio.to_thread(_nobody)
            return await asyncio.to_thread(_is_one_of, _forms(password), kept or nobody) and kept is not None
    except InvalidHashError:
        return False


@cache
def _nobody() -> str:
    """What a password is held against that nobody has. It takes as long to make as a check: not while the module loads,
    but at the first log-in of all, whoever that is."""
    return _hasher.hash("nobody has this password")


def _forms(password: str) -> list[str]:
    """A password in the one form that is kept; and as typed, which is what older hashes were made of."""
    return list(dict.fromkeys((_composed(password), password, unicodedata.normalize("NFD", password))))


def _composed(password: str) -> str:
    """Keyboards and systems write an accented letter in two ways."""
    return unicodedata.normalize("NFC", password)


def _is_one_of(forms: list[str], kept: str) -> bool:
    for form in forms:
        try:
            return _hasher.verify(kept, form)
        except VerificationError:
            continue
    return False


async def all_accounts(conn: AsyncConnection) -> list[Row]:
    """All accounts: those that may enter first, then by name."""
    async with conn.cursor(row_factory=class_row(Row)) as cursor:
        found = await (await cursor.execute(_SELECT)).fetchall()
    return sorted(found, key=lambda row: (row.disabled, collation.key(row.name)))


async def able(conn: AsyncConnection, over: Iterable[str]) -> list[Row]:
    """The accounts that may act on alarms and are bounded to no units, or to one of those `over` the alarm's own."""
    roles = [role for role in GIVEN if Account("", "", role).may("acknowledge")]
    async with conn.cursor(row_factory=class_row(Row)) as cursor:
        return await (await cursor.execute(_ABLE, [roles, sorted(over)])).fetchall()


async def add(conn: AsyncConnection, by: Account, new: Account, password: str | None, subject: str = "") -> None:
    """Make an account that enters with a password, or as an identity (`issuer subject`) at the OpenID provider.

    Who is bounded to units administers what lies within them: here and below, `Refused` for what does not.
    """
    _require(by.covers(new.units), "beyond_units")
    _require(NAME.fullmatch(new.name) and not find(new.name), "bad_name")
    _require(not find(new.full_name, OF_STAFF), "note_personal")
    _require_role(new.role)
    kept = await hashed(new.name, password) if password is not None else None
    values = [
        new.name,
        new.full_name.strip() or new.name,
        new.role,
        list(new.units),
        kept,
        subject or None,
        clock.now(),
    ]
    async with conn.transaction():
        _require((await conn.execute(_INSERT, values)).rowcount, "name_taken")
        await audit.note(conn, by, "account.added", new.name, {"role": new.role, "units": list(new.units)})


async def change(conn: AsyncConnection, by: Account, new: Account) -> None:
    """Give an account another full name, role or units. Its sessions end: what they may has changed.

    One that followed groups at the OpenID provider does so no more once it has another role or other units.
    """
    _require(by.covers(new.units), "beyond_units")
    _require_role(new.role)
    _require(not find(new.full_name, OF_STAFF), "note_personal")
    async with conn.transaction():
        before = await _administered(conn, by, new.name)
        detail = {"name": new.name, "full_name": new.full_name.strip() or new.name}
        await conn.execute(_CHANGE, {**detail, "role": new.role, "units": list(new.units)})
        await _end_sessions(conn, new.name)
        await _require_admin(conn, before)
        await audit.note(conn, by, "account.changed", new.name, {"role": new.role, "units": list(new.units)})


async def set_password(conn: AsyncConnection, by: Account, name: str, password: str) -> None:
    """Give an account another password. Its sessions end."""
    kept = await hashed(name, password)
    async with conn.transaction():
        await _administered(conn, by, name)
        await conn.execute("UPDATE account SET password = %s WHERE name = %s", [kept, name])
        await _end_sessions(conn, name)
        await audit.note(conn, by, "account.password", name)


async def set_disabled(conn: AsyncConnection, by: Account, name: str, disabled: bool) -> None:
    """Shut an account out, and end its sessions; or let it in again."""
    async with conn.transaction():
        before = await _administered(conn, by, name)
        await conn.execute("UPDATE account SET disabled = %s WHERE name = %s", [disabled, name])
        if disabled:
            await _end_sessions(conn, name)
            await _require_admin(conn, before)
        await audit.note(conn, by, "account.disabled" if disabled else "account.enabled", name)


async def held_by(conn: AsyncConnection, name: str) -> list[int]:
    """The active alarms that an account was given, or has acknowledged, and can see to no more."""
    found = await conn.execute("SELECT alarm FROM alarm_orphan WHERE person = %s ORDER BY alarm", [name])
    return [alarm for (alarm,) in await found.fetchall()]


def suggested(people: Iterable[Row], unit: str, held: Mapping[str, int]) -> Row | None:
    """Who had better be given an alarm of a unit: of those who may act on it one who is bounded to units, then of the
    least role, then with the fewest alarms, of which `held` says how many each has."""
    able = (p for p in people if not p.disabled and p.account.may("acknowledge") and p.account.sees(unit))
    return min(able, key=lambda p: (not p.units, ROLES.index(p.role), held.get(p.name, 0), p.name), default=None)


async def admit(conn: AsyncConnection, subject: str, name: str, full_name: str, grant: Grant | None) -> Account | None:
    """The account of an identity at the OpenID provider; None: it may not enter.

    One made by hand enters with the role it was given by hand. All others need a `grant` each time, which makes or
    brings up to date their account; `name` is what they would like to be called here.
    """
    full_name = mask(full_name, OF_STAFF)
    async with conn.transaction():
        row = await _row_where(conn, _WITH_SUBJECT, subject)
        if row and (row.disabled or not (grant or not row.by_groups)):
            return None
        if row and not row.by_groups:
            return row.account
        if grant is None:
            return None
        called = row.name if row else await _free_name(conn, name, subject)
        values = [called, full_name or called, grant.role, list(grant.units), subject, clock.now()]
        await conn.execute(_ADMIT, values)
        account = Account(called, full_name or called, grant.role, grant.units)
        if row is None or row.account != account:
            detail = {"role": grant.role, "units": list(grant.units)}
            if row and (row.role, tuple(row.units)) != (grant.role, grant.units):
                await _end_sessions(conn, called)
            await audit.note(conn, account, "account.changed" if row else "account.added", called, detail)
        return account


async def _free_name(conn: AsyncConnection, wanted: str, subject: str) -> str:
    """The wanted name if it can be had: an account that is there already is never taken over."""
    mark = sha256(subject.encode()).hexdigest()[:8]
    name = re.sub(r"[^a-z0-9._-]", "", plain(wanted).partition("@")[0])[:30]
    if not NAME.fullmatch(name) or find(name):
        return f"oidc-{mark}"
    return f"{name}-{mark}" if await _get(conn, name) else name


async def hashed(name: str, password: str) -> str:
    """What is kept of a password; `Refused` for a bad one."""
    password = _composed(password)
    named = len(name) > 3 and name in password.lower()
    good = SHORTEST <= len(password) <= LONGEST_PASSWORD and not named
    _require(good, "bad_password")
    return await asyncio.to_thread(_hasher.hash, password)


def generated() -> str:
    """A password that can be read out and typed."""
    return "-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(5)) for _ in range(4))


async def _get(conn: AsyncConnection, name: str) -> Row | None:
    return await _row_where(conn, _NAMED, name)


async def _row_where(conn: AsyncConnection, query: LiteralString, value: str) -> Row | None:
    async with conn.cursor(row_factory=class_row(Row)) as cursor:
        return await (await cursor.execute(query, [value])).fetchone()


async def get(conn: AsyncConnection, name: str) -> Account:
    """Who an account is; `Refused` where there is none."""
    return (await _one(conn, name)).account


async def subject_of(conn: AsyncConnection, name: str) -> str:
    """The identity (`issuer subject`) of an account at the OpenID provider; empty: it has none."""
    return (await _one(conn, name)).subject or ""


async def _one(conn: AsyncConnection, name: str) -> Row:
    row = await _get(conn, name)
    if row is None:
        raise Refused("no_account")
    return row


async def _administered(conn: AsyncConnection, by: Account, name: str) -> Row:
    """An account that `by` is about to change, which stays as it is until then. One that is not theirs to administer
    they are not told of."""
    row = await _row_where(conn, f"{_NAMED} FOR UPDATE", name)
    if row is None or not by.covers(row.units):
        raise Refused("no_account")
    return row


async def _password(conn: AsyncConnection, name: str) -> str | None:
    row = await (await conn.execute("SELECT password FROM account WHERE name = %s", [name])).fetchone()
    return row[0] if row else None


async def _end_sessions(conn: AsyncConnection, name: str) -> None:
    await conn.execute("DELETE FROM board_session WHERE account = %s", [name])


async def _require_admin(conn: AsyncConnection, before: Row) -> None:
    """Where an admin of the whole locality was changed, one must remain. Two that shut each other out at once are one
    after the other here."""
    if before.role == "admin" and not before.units:
        _require(await (await conn.execute(_ADMINS)).fetchall(), "last_admin")


def _require_role(role: str) -> None:
    _require(role in GIVEN, "bad_role")


def _require(good: object | Sequence[object], problem: str) -> None:
    if not good:
        raise Refused(problem)


_SELECT = """
SELECT name, full_name, role, units, password IS NOT NULL AS has_password, subject, by_groups, disabled, created_at,
       seen_at
FROM account
"""
_NAMED = f"{_SELECT} WHERE name = %s"
_ABLE = f"{_SELECT} WHERE NOT disabled AND role = ANY (%s) AND (units = '{{}}' OR units && %s)"
_WITH_SUBJECT = f"{_SELECT} WHERE subject = %s FOR UPDATE"
_INSERT = """
INSERT INTO account (name, full_name, role, units, password, subject, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_CHANGE = """
UPDATE account SET full_name = %(full_name)s, role = %(role)s, units = %(units)s,
    by_groups = by_groups AND role = %(role)s AND units @> %(units)s AND units <@ %(units)s
WHERE name = %(name)s
"""
_ADMIT = """
INSERT INTO account (name, full_name, role, units, subject, by_groups, created_at) VALUES (%s, %s, %s, %s, %s, true, %s)
ON CONFLICT (subject) DO UPDATE SET full_name = excluded.full_name, role = excluded.role, units = excluded.units
"""
_ADMINS = "SELECT name FROM account WHERE role = 'admin' AND units = '{}' AND NOT disabled ORDER BY name FOR UPDATE"
