"""The pages that are open: each holds a connection, and belongs to the session that opened it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Container, Iterator
from contextlib import contextmanager


class Connections:
    """Who has a page open, and the way to end it."""

    def __init__(self) -> None:
        self._open: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def opened(self, session: str) -> Iterator[asyncio.Event]:
        """A page of a session is open meanwhile; the event says that it must end."""
        ended = asyncio.Event()
        self._open[session].add(ended)
        try:
            yield ended
        finally:
            self._open[session].discard(ended)
            if not self._open[session]:
                del self._open[session]

    def sessions(self) -> set[str]:
        """The sessions that have a page open; pages without one are nobody's."""
        return set(self._open) - {""}

    def end(self, sessions: Container[str]) -> None:
        """End the open pages of these sessions."""
        for session, pages in self._open.items():
            if session in sessions:
                for ended in pages:
                    ended.set()
