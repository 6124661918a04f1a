"""Events that the centre has not got yet, on this disk: SQLite, synced with every event."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class OutboxFailed(OSError):
    """The disk does not take an event; it was not kept, and is not sent."""


class Waiting(NamedTuple):
    """An event that waits: its place in the row, and itself as it travels."""

    number: int
    body: str


class Outbox:
    """A file of events in the order in which they came; several threads and processes may use it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._file = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.executescript(_TABLES)
        except sqlite3.Error as error:
            raise OutboxFailed(f"{path}: {error}; name a file on a disk that takes it") from error

    def put(self, body: str) -> None:
        """Keep an event; when this returns it outlives a cut of power. `OutboxFailed` where the disk does not."""
        with self._lock:
            try:
                self._file.execute("INSERT INTO waiting (body) VALUES (?)", [body])
            except sqlite3.Error as error:
                raise OutboxFailed(f"the outbox takes nothing: {error}") from error

    def first(self, number: int) -> list[Waiting]:
        """The events that wait longest."""
        with self._lock:
            rows = self._file.execute("SELECT number, body FROM waiting ORDER BY number LIMIT ?", [number])
            return [Waiting(*row) for row in rows]

    def done(self, accepted: Iterable[int], refused: Iterable[tuple[int, str]]) -> None:
        """These wait no more: the centre has them, or will never take them, with why."""
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            for number, why in refused:
                self._file.execute(_REFUSE, {"number": number, "why": why})
            gone = [*accepted, *(number for number, _ in refused)]
            self._file.executemany("DELETE FROM waiting WHERE number = ?", ([number] for number in gone))
            self._file.execute("COMMIT")

    def waiting(self) -> int:
        """How many events wait."""
        with self._lock:
            return int(self._file.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def refused(self) -> list[tuple[str, str]]:
        """(event, why) of all that was refused."""
        with self._lock:
            return [(body, why) for body, why in self._file.execute("SELECT body, why FROM refused ORDER BY number")]

    def close(self) -> None:
        """Nothing more is done with the file."""
        with self._lock:
            self._file.close()


_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refused (number INTEGER PRIMARY KEY, body TEXT NOT NULL, why TEXT NOT NULL);
"""
_REFUSE = """
INSERT OR REPLACE INTO refused (number, body, why) SELECT number, body, :why FROM waiting WHERE number = :number
"""
