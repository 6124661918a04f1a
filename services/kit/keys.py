"""The keys of those who send events from outside, as the database has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from psycopg import AsyncConnection

from schemas.keys import Bounds

SECRET = re.compile(r"iock_[A-Za-z0-9_-]{43}")
"""What a key's secret looks like; 256 bits of chance, so a plain digest of it gives nothing away."""


@dataclass(frozen=True)
class Key:
    """A key. `rate`: events per second; `secrets`: digest -> until when that one opens it, as long as it lives."""

    bounds: Bounds
    rate: float
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    seen_at: datetime | None
    secrets: dict[str, datetime]

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


async def all_keys(conn: AsyncConnection) -> list[Key]:
    """All keys, by name, also those that opened something once."""
    rows = await (await conn.execute(_KEYS)).fetchall()
    return [_key(*row) for row in rows]


def _key(
    name: str, source: str, systems: list[str], units: list[str], rate: float, created_at: datetime,
    expires_at: datetime, revoked_at: datetime | None, seen_at: datetime | None, digests: list[str],
    ends: list[datetime],
) -> Key:  # fmt: skip
    bounds = Bounds(name, source, tuple(systems), tuple(units))
    return Key(bounds, rate, created_at, expires_at, revoked_at, seen_at, dict(zip(digests, ends, strict=True)))


_KEYS = """
SELECT k.name, k.source, k.systems, k.units, k.rate, k.created_at, k.expires_at, k.revoked_at, k.seen_at,
    coalesce(array_agg(s.digest) FILTER (WHERE s.digest IS NOT NULL), '{}'),
    coalesce(array_agg(s.expires_at) FILTER (WHERE s.digest IS NOT NULL), '{}')
FROM emitter_key k LEFT JOIN emitter_secret s ON s.key = k.name GROUP BY k.name ORDER BY k.name
"""
