"""Entities folded whole, one after the other, into lines for COPY: here, or by two processes where there are many."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from schemas.calendar_history import CalendarHistory
from schemas.envelope import EntityRef
from schemas.fold import Fact, Folded, Labels, Point, in_order
from schemas.procedures import office_rules
from services.aggregator import staging
from services.aggregator.folding import entity_rows, fold, notes_json
from services.kit.facts import pack, unpack
from services.kit.settings import Settings

MANY = 50_000
"""Facts from which on processes are worth their start."""
PROCESSES = 2


class Entity(NamedTuple):
    """What an entity is folded from: its facts as the JSON that `pack` gives, in any order."""

    ref: EntityRef
    facts: list[str]


class Lines(NamedTuple):
    """What some entities are folded into, in COPY's text format: rows of `staging.ENTITY`; points as number of the
    series, time, key, value; the series met for the first time as number, measure, unit, origin, labels."""

    entities: str
    points: str
    series: str
    facts: int


class EntityFolder:
    """Folds entities. It numbers series as it meets them; no two processes give one number."""

    def __init__(self, calendars: CalendarHistory) -> None:
        self._calendars = calendars
        self._numbers: dict[tuple[str, str, str, Labels], int] = {}
        self._new: list[str] = []
        self._first = os.getpid() << 32

    def fold(self, entities: Iterable[Entity]) -> Lines:
        """All of them."""
        rows: list[str] = []
        points: list[str] = []
        count = 0
        for ref, packed in entities:
            facts = in_order(unpack(from_json(fact)) for fact in packed)
            folded = fold(ref, facts, self._calendars)
            rows += entity_lines(ref, 1, facts, folded)
            points += map(self._point, folded.points)
            count += len(facts)
        series, self._new = "".join(self._new), []
        return Lines("".join(rows), "".join(points), series, count)

    def _point(self, p: Point) -> str:
        return f"{self._number(p)}\t{p.time.isoformat()}\t{p.key}\t{p.value}\n"

    def _number(self, p: Point) -> int:
        number = self._numbers.get(p[:4])
        if number is None:
            number = self._numbers[p[:4]] = self._first + len(self._numbers)
            self._new.append(f"{number}\t{p.measure}\t{p.unit}\t{p.origin}\t{_json(dict(p.labels))}\n")
        return number


def entity_lines(ref: EntityRef, version: int, facts: list[Fact], folded: Folded) -> Iterator[str]:
    """The rows that keep an entity, as lines of `staging.ENTITY`."""
    for kind, id, f, its in entity_rows(ref, facts, folded):
        times = "\t".join(map(staging.moment, (f.opened_at, f.due_at, f.ended_at, f.notice_at)))
        head = f"{kind}\t{staging.escaped(id)}\t{version}\t{f.unit}\t{f.origin}\t{f.status}\t{times}"
        noted = _json(notes_json(f.notes)) if f.notes else staging.NULL
        cases = staging.array(f.cases) if f.cases else staging.NULL
        yield f"{head}\t{_json(f.state)}\t{_json([pack(fact) for fact in its])}\t{noted}\t{cases}\n"


def _json(value: Any) -> str:
    return staging.escaped(to_json(value).decode())


def folded(chunks: Iterable[list[Entity]], calendars: CalendarHistory, many: bool) -> Iterator[Lines]:
    """Chunks of entities, folded in their order; few are under way at a time."""
    if not many:
        yield from map(EntityFolder(calendars).fold, chunks)
        return
    settled = (calendars.changes, office_rules())
    # Not forked: the parent has threads and a connection to the database.
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), _begin, settled) as pool:
        waiting: deque[Future[Lines]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_fold, chunk))
            if len(waiting) > 2 * PROCESSES:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_folders: list[EntityFolder] = []
"""The one of a process that folds."""


def _begin(changes: list[Any], rules: bytes) -> None:
    Settings()  # which takes in the office's tables of units and of rules
    if office_rules() != rules:
        raise RuntimeError("the office's rules are not those of the process that asks")
    _folders.append(EntityFolder(CalendarHistory(changes)))


def _fold(chunk: list[Entity]) -> Lines:
    return _folders[0].fold(chunk)
