"""The law that no accepted event is without effect, asked of a database."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, in_order
from schemas.notes import Noted, shown
from schemas.registry import FOLDS
from schemas.sources import NOTICES
from services.kit.facts import calendars_of, unpack


def unexplained(conn: Connection) -> list[tuple[str, str, str]]:
    """(kind, id, key) of the stored events that neither move a figure, nor are noted, nor wait for a beginning, nor
    changed what was shown of their case at their own moment. The centre's own notices say what is shown already."""
    packed = conn.execute("SELECT facts FROM entity WHERE kind = 'calendar'").fetchall()
    calendars = calendars_of(unpack(fact) for (facts,) in packed for fact in facts)
    silent = conn.execute(_SILENT, (list(NOTICES),)).fetchall()
    return [
        (kind, id, key)
        for kind, id, key, facts in silent
        if not _was_shown(kind, id, key, [unpack(f) for f in facts], calendars)
    ]


def _was_shown(kind: str, id: str, key: str, facts: list[Fact], calendars: CalendarHistory) -> bool:
    fold: Any = FOLDS[kind]
    noted = getattr(fold, "fold", fold)
    ordered = in_order(facts, getattr(noted, "rank", None))
    (place,) = (n for n, fact in enumerate(ordered) if fact.key == key)
    if isinstance(noted, Noted) and noted.beside(id, ordered[place]):
        return True  # its own entity is asked: there it counts, is noted, or waits for a beginning
    before, after = (shown(fold, id, ordered[:known], calendars) for known in (place, place + 1))
    return before != after or any(p.key == key for p in fold(id, in_order(facts), calendars).points)


_SILENT = """
SELECT e.kind, e.id, fact ->> 1, e.facts FROM entity e, jsonb_array_elements(e.facts) fact
WHERE (e.opened_at IS NOT NULL OR e.status = 'ambiguous') AND fact ->> 2 <> ALL (%s)
    AND NOT EXISTS (SELECT FROM point p WHERE p.key = (fact ->> 1)::uuid)
    AND NOT EXISTS (SELECT FROM entity n, jsonb_array_elements(n.notes) note WHERE note ->> 'key' = fact ->> 1)
"""
