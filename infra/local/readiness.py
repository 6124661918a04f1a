"""Whether a process really serves: it is asked in its own protocol, not merely found running."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import psycopg

from infra.loopback import DIRECT

A = TypeVar("A")
B = TypeVar("B")


def answers(address: str, seconds: float = 2.0) -> bool:
    """Whether an HTTP address answers 200."""
    try:
        with DIRECT.open(address, timeout=seconds) as response:
            return bool(response.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def serves_queries(conninfo: str, seconds: int = 2) -> bool:
    """Whether the database behind `conninfo` answers a query."""
    try:
        with psycopg.connect(conninfo, connect_timeout=seconds) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def starved(pid: int | None) -> float:
    """The seconds in which a running process wanted a processor and others had it: no fault of its own. 0 where the
    kernel does not tell."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        waits = [int((thread / "schedstat").read_text().split()[1]) for thread in threads]
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(waits, default=0) / 1e9


def at_once(ask: Callable[[A], B], things: Sequence[A], seconds: float, silent: Callable[[A], B]) -> list[B]:
    """What each thing answers, all asked at the same time; `silent` for one that has not answered within `seconds`, or
    could not. What hangs keeps neither the others nor the process. Raises what one raises that may not ask."""
    answers: dict[int, B] = {}
    forbidden: list[PermissionError] = []

    def one(number: int) -> None:
        try:
            answers[number] = ask(things[number])
        except PermissionError as error:
            forbidden.append(error)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(len(things))]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if forbidden:
        raise forbidden[0]
    return [answers[number] if number in answers else silent(thing) for number, thing in enumerate(things)]
