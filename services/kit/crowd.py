"""The open connections of one door: how many there may be, how long one may keep it waiting, and who goes when it is
full."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from typing import Protocol

from services.kit.addresses import place_of

SWEEP_SECONDS = 1.0
MOST, PER_ADDRESS = 800, 200
"""Connections in all and from one address; a proxy's and this machine's own may be all there are."""
MOST_HELD = 8 * 2**20
"""Bytes of requests that are not answered yet, of all connections together."""
OTHERS = 300
"""Files and connections that a process needs besides."""
STALLED_SECONDS, STALLED_BYTES = 30.0, 32 * 1024
HELD_UP_SECONDS = 30.0
"""So long a connection may still bring nothing once the door, which read no further for a while, reads on."""
LITTLE = 64 * 1024
"""Of more than `LITTLE` that is written to it, who has taken no `STALLED_BYTES` for so long does not read."""


class Guest(Protocol):
    """A connection. `waits`: the moments since when and until when it may keep the door waiting; None: the door is at
    work for it. `held`: bytes of its request that lie in memory."""

    transport: asyncio.Transport
    address: str
    waits: tuple[float, float] | None
    reserved: int

    def is_held_up(self) -> bool:
        """Whether it would send on, and the door does not take it yet."""
        ...


class Crowd:
    """Who is connected to a door. When it is full, who has kept it waiting longest makes room for who comes.

    `trusted`: addresses that stand for many people, as proxies do, and so may have as many connections as there are.
    """

    def __init__(self, trusted: Container[object], most: int = MOST) -> None:
        self._trusted, self._most = trusted, min(most, _files() - OTHERS)
        self._guests: dict[Guest, tuple[float, int]] = {}  # since when how much is left to be written
        self._sweeping: asyncio.TimerHandle | None = None
        self._reserved = 0

    def admit(self, guest: Guest) -> bool:
        """Whether there is a place for this connection; False: it is to be closed."""
        self._prune()
        neighbours = [] if guest.address in self._trusted else list(self._of(guest.address))
        full = len(self._guests) >= self._most
        if (len(neighbours) >= PER_ADDRESS and not _evict(neighbours)) or (full and not _evict(self._guests)):
            return False
        self._guests[guest] = (_now(), 0)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        return True

    def leave(self, guest: Guest) -> None:
        """It is connected no more."""
        self._reserved -= guest.reserved
        guest.reserved = 0
        self._guests.pop(guest, None)

    def hold(self, guest: Guest, size: int) -> None:
        """So much of its request lies in memory now; where all together have too much, who keeps the door waiting
        longest with some goes, or else this one."""
        self._reserved += size - guest.reserved
        guest.reserved = size
        if self._reserved > MOST_HELD:
            gone = _evict(other for other in self._guests if other.reserved) or guest
            gone.transport.abort()
            self._reserved -= gone.reserved
            gone.reserved = 0

    def _of(self, address: str) -> Iterator[Guest]:
        return (guest for guest in self._guests if place_of(guest.address) == place_of(address))

    def _prune(self) -> None:
        for guest in [guest for guest in self._guests if _gone(guest)]:
            del self._guests[guest]

    def _sweep(self) -> None:
        """Drop whose time is over, and who does not read."""
        self._prune()
        now = _now()
        for guest in list(self._guests):
            if guest.waits is not None and guest.is_held_up():
                guest.waits = guest.waits[0], max(guest.waits[1], now + HELD_UP_SECONDS)
            if (guest.waits is not None and now > guest.waits[1]) or now - self._moved(guest, now) > STALLED_SECONDS:
                guest.transport.abort()
        loop = asyncio.get_running_loop()
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep) if self._guests else None

    def _moved(self, guest: Guest, now: float) -> float:
        """When it last took something of what is written to it, or there was little left to take."""
        since, before = self._guests[guest]
        left = guest.transport.get_write_buffer_size()
        since = now if left < LITTLE or left <= before - STALLED_BYTES else since
        self._guests[guest] = since, left if since == now else max(left, before)
        return since


def waiting(seconds: float) -> tuple[float, float]:
    """Since now, and for so long at most."""
    return _now(), _now() + seconds


def _now() -> float:
    return asyncio.get_running_loop().time()


def _gone(guest: Guest) -> bool:
    return guest.transport.is_closing() and not guest.transport.get_write_buffer_size()


def _evict(guests: Iterable[Guest]) -> Guest | None:
    """Drop the one that has kept the door waiting longest; None: all of them are being served."""
    late = {guest.waits[0]: guest for guest in guests if guest.waits and not guest.transport.is_closing()}
    if not late:
        return None
    late[min(late)].transport.abort()
    return late[min(late)]


def _files() -> int:
    """How many files this process may open, as many as it may at most (within reason)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + OTHERS if hard == resource.RLIM_INFINITY else min(hard, MOST + OTHERS)
    with suppress(OSError, ValueError):
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], OTHERS + 100)
