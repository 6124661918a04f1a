"""The keys of those who send events from outside, as the database has them."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from psycopg import AsyncConnection

from schemas.keys import Bounds

SECRET = re.compile(r"iock_[A-Za-z0-9_-]{43}")
"""What a key's secret looks like; 256 bits of chance, so a plain digest of it gives nothing away."""
SIGNING = "signing"
"""The credential from which the secrets of keys that sign are made."""


@dataclass(frozen=True)
class Key:
    """A key. `rate`: events per second; `secrets`: digest -> until when that one opens it, as long as it lives. One
    that is `signed` opens nothing by a secret that is shown; `salts`: digest -> what that secret is made of."""

    bounds: Bounds
    rate: float
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    seen_at: datetime | None
    secrets: dict[str, datetime]
    signed: bool = False
    salts: dict[str, str] = field(default_factory=dict)

    def opened_by(self, digest: str, now: datetime) -> datetime | None:
        """Until when a secret opens the key, as things stand; None: it does not."""
        until = min(self.secrets.get(digest, now), self.expires_at)
        return until if until > now and self.revoked_at is None else None

    def state(self, now: datetime) -> str:
        """`active`, `rotating` while two secrets open it, `expired` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        living = [digest for digest in self.secrets if self.opened_by(digest, now)]
        return ("expired", "active", "rotating")[min(len(living), 2)]


def digest(secret: str) -> str:
    """What is kept of a secret, a token, or whatever else opens something."""
    return sha256(secret.encode()).hexdigest()


def derived(master: str, salt: str) -> str:
    """The secret of a key that signs."""
    made = hmac.digest(master.encode(), salt.encode(), "sha256")
    return f"iock_{urlsafe_b64encode(made).rstrip(b'=').decode()}"


async def all_keys(conn: AsyncConnection) -> list[Key]:
    """All keys, by name, also those that opened something once."""
    rows = await (await conn.execute(_KEYS)).fetchall()
    return [_key(*row) for row in rows]


def _key(
    name: str, source: str, systems: list[str], units: list[str], rate: float, created_at: datetime,
    expires_at: datetime, revoked_at: datetime | None, seen_at: datetime | None, signed: bool, digests: list[str],
    ends: list[datetime], salts: list[str],
) -> Key:  # fmt: skip
    bounds, times = Bounds(name, source, tuple(systems), tuple(units)), (created_at, expires_at, revoked_at, seen_at)
    until = dict(zip(digests, ends, strict=True))
    return Key(bounds, rate, *times, until, signed, dict(zip(digests, salts, strict=True)) if signed else {})


_KEYS = """
SELECT k.name, k.source, k.systems, k.units, k.rate, k.created_at, k.expires_at, k.revoked_at, k.seen_at,
    k.signed, coalesce(array_agg(s.digest) FILTER (WHERE s.digest IS NOT NULL), '{}'),
    coalesce(array_agg(s.expires_at) FILTER (WHERE s.digest IS NOT NULL), '{}'),
    coalesce(array_agg(coalesce(s.salt, '')) FILTER (WHERE s.digest IS NOT NULL), '{}')
FROM emitter_key k LEFT JOIN emitter_secret s ON s.key = k.name GROUP BY k.name ORDER BY k.name
"""
