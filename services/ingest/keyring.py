"""The keys that open this door, as the database had them a moment ago; without a database those last seen go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from psycopg_pool import AsyncConnectionPool

from services.ingest.limits import Limits
from services.kit import clock, store
from services.kit.errors import Unavailable
from services.kit.keys import SECRET, Key, all_keys, derived, digest

log = logging.getLogger(__name__)
LOOK_SECONDS, NOTE_SECONDS = 2.0, 30.0
Ends = Callable[[str], Awaitable[None]]


class Keyring:
    """Who holds which key. `bytes_a_second`: what one key may send, whatever its number of events; `master`: what the
    secrets of keys that sign are made of."""

    def __init__(self, pool: AsyncConnectionPool, bytes_a_second: float, master: str | None = None) -> None:
        self._pool, self._bytes, self._master = pool, bytes_a_second, master
        self._keys: dict[str, Key] | None = None
        self._by_digest: dict[str, Key] = {}
        self._limits: dict[str, tuple[float, Limits]] = {}
        self._seen: set[str] = set()
        self._ending: set[str] = set()

    async def follow(self, ended: Ends) -> None:
        """Keep up with the database for ever. `ended` is told the name of each key of which a secret ended early, again
        and again while it raises `Unavailable`."""
        noted = clock.now()
        while True:
            try:
                await self._look()
                await self._end(ended)
                if (clock.now() - noted).total_seconds() >= NOTE_SECONDS:
                    noted = clock.now()
                    await self._note(noted)
            except store.OUTAGE as error:
                log.warning("keys: the database does not answer, those last seen go on: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    def holder(self, secret: str) -> tuple[Key, datetime] | None:
        """Whose secret it is, and until when it opens; None: nobody's, or that of a key that signs. `Unavailable` until
        keys were seen once."""
        if not SECRET.fullmatch(secret):
            return None
        self._require_seen()
        known = digest(secret)
        key = self._by_digest.get(known)
        until = key.opened_by(known, clock.now()) if key else None
        if key is None or until is None or key.signed:
            return None
        self._seen.add(key.bounds.name)
        return key, until

    def signing(self, name: str) -> tuple[Key, list[bytes]] | None:
        """A key that signs, and its secrets that live; None: there is no such key, or nothing to make them of.
        `Unavailable` until keys were seen once."""
        self._require_seen()
        key, now = (self._keys or {}).get(name), clock.now()
        if key is None or not key.signed or self._master is None:
            return None
        living = [salt for known, salt in key.salts.items() if key.opened_by(known, now)]
        return key, [derived(self._master, salt).encode() for salt in living]

    def shown(self, key: Key) -> None:
        """Note that a key was used."""
        self._seen.add(key.bounds.name)

    def _require_seen(self) -> None:
        if self._keys is None:
            raise Unavailable("the database has not been seen yet, and with it no key")

    @property
    def is_empty(self) -> bool:
        """Whether there is no key, as far as is known."""
        return not self._keys

    def named(self, name: str) -> Key | None:
        """The key of a name, whether it lives or not: the broker knows who may speak in it."""
        key = (self._keys or {}).get(name)
        if key:
            self._seen.add(name)
        return key

    def limits(self, key: Key) -> Limits:
        """How much is left of what a key may send."""
        rate, limits = self._limits.get(key.bounds.name, (0.0, None))
        if limits is None or rate != key.rate:
            limits = Limits(key.rate, self._bytes)
            self._limits[key.bounds.name] = key.rate, limits
        return limits

    async def _look(self) -> None:
        async with self._pool.connection() as conn:
            self.know(await all_keys(conn))

    def know(self, found: Iterable[Key]) -> None:
        """Go by these keys from now on."""
        keys = {key.bounds.name: key for key in found}
        before, self._keys = self._keys or {}, keys
        self._by_digest = {secret: key for key in keys.values() for secret in key.secrets}
        now = clock.now()
        self._ending |= {name for name, key in before.items() if _ended_early(key, keys.get(name), now)}

    async def _end(self, ended: Ends) -> None:
        """Tell of each key whose secret ended early, until that was heard."""
        for name in sorted(self._ending):
            try:
                await ended(name)
            except Unavailable as error:
                log.warning("key %s: its connections go on for now: %s", name, error)
            else:
                self._ending.discard(name)

    async def _note(self, now: datetime) -> None:
        seen, self._seen = self._seen, set()
        if seen:
            async with self._pool.connection() as conn:
                await conn.execute("SELECT note_key_use(%s, %s)", [sorted(seen), now])


def _ended_early(before: Key, after: Key | None, now: datetime) -> bool:
    """Whether a secret opens the key for less long than was told when it was shown."""
    for secret in before.secrets:
        until = before.opened_by(secret, now)
        if until and (after is None or (after.opened_by(secret, now) or now) < until):
            return True
    return False
