"""Accounts and sessions in the database: passwords checked by argon2, sessions known by the digest of their token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg import AsyncConnection

from services.board.access import Account

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
"""A session ends when nobody used it for `IDLE`, and in any case after `LONGEST`."""
_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


@dataclass(frozen=True)
class Session:
    """One browser that is logged in."""

    account: Account
    csrf: str


async def check(conn: AsyncConnection, name: str, password: str) -> Account | None:
    """The account, if that is its password. An unknown name takes as long as a wrong password."""
    row = await (await conn.execute(_ACCOUNT, [name])).fetchone()
    try:
        _hasher.verify((row and row[4]) or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return None
    return _account(row) if row and row[4] else None


async def by_subject(conn: AsyncConnection, subject: str) -> Account | None:
    """The account of an identity at the OpenID provider."""
    row = await (await conn.execute(_SUBJECT, [subject])).fetchone()
    return _account(row) if row else None


def _account(row: tuple) -> Account:  # type: ignore[type-arg]
    name, full_name, role, units, _ = row
    return Account(name, full_name, role, tuple(units))


async def open_session(conn: AsyncConnection, account: Account, now: datetime) -> str:
    """Begin a session; returns the token, which is kept nowhere but in the browser."""
    token = secrets.token_urlsafe(32)
    await conn.execute("DELETE FROM board_session WHERE seen_at < %s OR created_at < %s", [now - IDLE, now - LONGEST])
    await conn.execute(_OPEN, [digest(token), account.name, secrets.token_urlsafe(24), now, now])
    return token


async def find_session(conn: AsyncConnection, token: str, now: datetime) -> Session | None:
    """The session of a token, if it lives; being asked for keeps it alive."""
    row = await (await conn.execute(_FIND, [now, digest(token), now - IDLE, now - LONGEST])).fetchone()
    return Session(_account((*row[:4], None)), row[4]) if row else None


async def close_session(conn: AsyncConnection, token: str) -> None:
    """End a session."""
    await conn.execute("DELETE FROM board_session WHERE token = %s", [digest(token)])


def digest(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode()).hexdigest()


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(password)


_ACCOUNT = "SELECT name, full_name, role, units, password FROM account WHERE name = %s AND NOT disabled"
_SUBJECT = "SELECT name, full_name, role, units, password FROM account WHERE subject = %s AND NOT disabled"
_OPEN = "INSERT INTO board_session (token, account, csrf, created_at, seen_at) VALUES (%s, %s, %s, %s, %s)"
_FIND = """
UPDATE board_session s SET seen_at = %s FROM account a
WHERE s.token = %s AND s.seen_at >= %s AND s.created_at >= %s AND a.name = s.account AND NOT a.disabled
RETURNING a.name, a.full_name, a.role, a.units, s.csrf
"""
