"""Keys for those who send events from outside: made, rotated and taken back, each with a note in the audit."""

from __future__ import annotations

import secrets
from datetime import timedelta

from psycopg import AsyncConnection

from schemas.keys import Bounds, problem
from services.board.access import Account
from services.board.auth import audit
from services.kit import clock
from services.kit.keys import Key, all_keys, derived, digest

LONGEST_DAYS, LONGEST_OVERLAP, HIGHEST_RATE = 800, timedelta(days=30), 5000


class Refused(ValueError):
    """A change that is not made, and why in both languages."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi, self.en = vi, en


async def create(
    conn: AsyncConnection, by: Account, bounds: Bounds, rate: float, days: int, master: str | None = None
) -> str:
    """Make a key, and return its secret: it is kept nowhere. With a `master` its secret is made of that, and the key
    signs its requests. `Refused` for words that no key can have."""
    if why := problem(bounds.name, bounds.source, bounds.systems):
        raise Refused(*why)
    if not by.covers(bounds.units):
        raise Refused("khóa vượt ra ngoài các đơn vị của bạn", "the key would speak for units beyond your own")
    if not (1 <= days <= LONGEST_DAYS and 0 < rate <= HIGHEST_RATE):
        raise Refused(
            f"khóa có hạn 1 đến {LONGEST_DAYS} ngày, gửi nhiều nhất {HIGHEST_RATE} sự kiện mỗi giây",
            f"a key lives 1 to {LONGEST_DAYS} days and sends at most {HIGHEST_RATE:,} events a second",
        )
    now = clock.now()
    async with conn.transaction():
        await conn.execute("LOCK TABLE emitter_key IN SHARE ROW EXCLUSIVE MODE")
        for other in await all_keys(conn):
            _check_apart(other.bounds, bounds)
        values = [bounds.name, bounds.source, list(bounds.systems), list(bounds.units), rate, now]
        await conn.execute(_INSERT, [*values, now + timedelta(days=days), master is not None])
        detail = {"source": bounds.source, "systems": list(bounds.systems), "units": list(bounds.units)}
        await audit.note(
            conn, by, "key.created", bounds.name, {**detail, "rate": rate, "days": days, "signed": bool(master)}
        )
        return await _new_secret(conn, bounds.name, master)


def _check_apart(other: Bounds, new: Bounds) -> None:
    if other.name == new.name:
        raise Refused(f"đã có khóa {new.name}, kể cả khóa đã thu hồi", f"there is a key {new.name}, or was one")
    if other.owns(new.source) or new.owns(other.source):
        taken = other.source, other.name
        raise Refused("nguồn {} là của khóa {}".format(*taken), "the source {} belongs to the key {}".format(*taken))


async def rotate(conn: AsyncConnection, by: Account, name: str, overlap: timedelta, master: str | None = None) -> str:
    """Give a key another secret, and return it; those of before open it for `overlap` more, at most two at a time. One
    that signs needs the `master`."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        most = LONGEST_OVERLAP.days
        raise Refused(f"mã cũ còn dùng được 0 đến {most} ngày", f"the secret of before may go on for 0 to {most} days")
    async with conn.transaction():
        key = await _living(conn, by, name)
        if key.signed and master is None:
            raise Refused(
                "khóa này ký từng yêu cầu; đổi mã bằng `ioc keys rotate` trên máy chủ",
                "this key signs its requests; rotate it with `ioc keys rotate` on the centre's machine",
            )
        now = clock.now()
        living = sorted((until, secret) for secret, until in key.secrets.items() if until > now)
        await conn.execute(_DROP, [name, [secret for _, secret in living[-1:]]])
        await conn.execute(_SHORTEN, [now + overlap, name])
        await audit.note(conn, by, "key.rotated", name, {"overlap_hours": overlap / timedelta(hours=1)})
        return await _new_secret(conn, name, master if key.signed else None)


async def revoke(conn: AsyncConnection, by: Account, name: str) -> None:
    """Take a key back: it opens nothing from now on, and what it sent stays."""
    async with conn.transaction():
        await _living(conn, by, name)
        await conn.execute("UPDATE emitter_key SET revoked_at = %s WHERE name = %s", [clock.now(), name])
        await conn.execute("DELETE FROM emitter_secret WHERE key = %s", [name])
        await audit.note(conn, by, "key.revoked", name)


async def within(conn: AsyncConnection, account: Account) -> list[Key]:
    """The keys of units that an account covers, by name."""
    return [key for key in await all_keys(conn) if account.covers(key.bounds.units)]


async def _living(conn: AsyncConnection, by: Account, name: str) -> Key:
    await conn.execute("SELECT FROM emitter_key WHERE name = %s FOR UPDATE", [name])
    found = [key for key in await within(conn, by) if key.bounds.name == name]
    if not found:
        raise Refused(f"không có khóa {name}", f"there is no key {name}; `ioc keys list` shows them")
    if found[0].revoked_at:
        raise Refused(
            f"khóa {name} đã bị thu hồi; hãy tạo khóa mới với tên khác",
            f"the key {name} was taken back; make another one under another name",
        )
    return found[0]


async def _new_secret(conn: AsyncConnection, name: str, master: str | None) -> str:
    salt = secrets.token_urlsafe(32)
    secret = derived(master, salt) if master else f"iock_{salt}"
    await conn.execute(_ADD, [digest(secret), name, clock.now(), salt if master else None])
    return secret


_INSERT = """
INSERT INTO emitter_key (name, source, systems, units, rate, created_at, expires_at, signed)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_ADD = """
WITH given(digest, key, now, salt) AS (VALUES (%s, %s, %s::timestamptz, %s))
INSERT INTO emitter_secret (digest, key, created_at, expires_at, salt)
SELECT g.digest, k.name, g.now, k.expires_at, g.salt FROM given g JOIN emitter_key k ON k.name = g.key
"""
_DROP = "DELETE FROM emitter_secret WHERE key = %s AND digest <> ALL(%s)"
_SHORTEN = "UPDATE emitter_secret SET expires_at = least(expires_at, %s) WHERE key = %s"
