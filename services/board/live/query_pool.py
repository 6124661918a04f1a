"""How pages read the database: each question within one snapshot, in a few threads of their own, and not for ever, so
that no reader can keep the board from the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from psycopg import Connection
from psycopg.errors import QueryCanceled, TransactionTimeout

from services.kit import store
from services.kit.settings import Settings
from services.readings.memo import snapshot

T = TypeVar("T")
log = logging.getLogger("board")
Ask = Callable[[Connection], T]
THREADS, WAITING = 4, 60
"""So many questions are asked at a time, and so many more wait for their turn."""
STATEMENT_SECONDS, QUESTION_SECONDS = 10.0, 20.0
"""How long one statement may take, and all of a question: less than a page waits to be built."""


class TooMuch(Exception):
    """There is more to read than can be read now; said to the reader as `too_much`."""


class QueryPool:
    """`await reading(ask)`: what `ask` finds on a connection, in one snapshot. Raises `TooMuch`, or an outage."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._threads = ThreadPoolExecutor(THREADS, "reader")
        self._asked = set[Future[Any]]()

    async def __call__(self, ask: Ask[T]) -> T:
        """See the class."""
        self._asked = {asked for asked in self._asked if not asked.done()}  # who went away may have left it running
        if len(self._asked) >= THREADS + WAITING:
            raise TooMuch(f"{len(self._asked)} questions wait already")
        asked = self._threads.submit(self._read, ask)
        self._asked.add(asked)
        return await asyncio.wrap_future(asked)

    def _read(self, ask: Ask[T]) -> T:
        with store.connect(self.settings, "reader") as conn:
            conn.autocommit = True
            began = time.monotonic()
            try:
                with snapshot(conn):
                    _limit(conn)
                    return ask(conn)
            except (TransactionTimeout, *store.OUTAGE) as error:
                # Between two statements the server just hangs up when the time is over.
                if not isinstance(error, QueryCanceled) and time.monotonic() - began < QUESTION_SECONDS:
                    raise
                log.warning("too much to read: %s", error)
                raise TooMuch(str(error)) from error


def _limit(conn: Connection) -> None:
    statement, question = (round(1000 * seconds) for seconds in (STATEMENT_SECONDS, QUESTION_SECONDS))
    conn.execute(f"SET LOCAL statement_timeout = {statement}; SET LOCAL transaction_timeout = {question}")
