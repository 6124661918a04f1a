"""What became of findings: since when each is seen, who took it, how it was resolved, as of any moment.

The board writes the steps; a finding that was resolved and has other numbers, or comes again, is open anew.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from psycopg import Connection

from services.readings.finding import UNSEEN, Handling


def handled(conn: Connection, as_of: datetime) -> dict[str, Handling]:
    """key of a finding -> what had become of it by a moment."""
    found: dict[str, Handling] = {}
    for key, at, step, by, note in conn.execute(_STEPS, (as_of,)).fetchall():
        found[key] = _after(found.get(key, UNSEEN), at, step, by, note)
    return found


def _after(one: Handling, at: datetime, step: str, by: str, note: str | None) -> Handling:
    match step:
        case "taken":
            return replace(one, taken_by=by, taken_at=at, note=note or one.note)
        case "resolved":
            return replace(one, resolved_by=by, resolved_at=at, note=note or one.note)
    return replace(one, first_seen=one.first_seen or at, resolved_by=None, resolved_at=None)


_STEPS = "SELECT finding, at, step, by, note FROM finding_step WHERE at <= %s ORDER BY id"
