"""How long a source may be silent before it counts as stale: in working time where offices send, in plain time where
machines do, and never where a source speaks only when something happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from schemas.calendar import VN, Limit
from schemas.calendar_history import CalendarHistory

Allowed: TypeAlias = Limit | timedelta | None
"""Working time, plain time, or None for a source whose silence means nothing."""


@dataclass(frozen=True)
class Rhythm:
    """The silence that is `allowed` to a source of `system` whose path has the word `door` (empty: to any other).

    `rests`: sent by schools, which have nothing to tell in the summer.
    """

    system: str
    door: str
    allowed: Allowed
    rests: bool = False


_OWN = {door: Rhythm("", door, None) for door in ("deadlines", "board")}
"""Our own services speak when something falls due, or somebody acts; whether they live is asked of them."""

RHYTHMS = (
    # A ward's counter is never a whole day without a dossier; results and ratings come in less evenly.
    Rhythm("procedures", "", Limit(days=2)),
    Rhythm("procedures", "one_stop", Limit(hours=6)),
    Rhythm("procedures", "portal", Limit(days=1)),
    Rhythm("procedures", "payments", Limit(days=1)),
    Rhythm("procedures", "ratings", Limit(days=3)),
    # Statistics come by the month, a few working days after it has ended; the finance office tells every week.
    Rhythm("economy", "", Limit(days=27)),
    Rhythm("economy", "finance", Limit(days=7)),
    # Schools tell every school day; at Tết they are closed a few days longer than the offices.
    Rhythm("education", "", Limit(days=7), rests=True),
    Rhythm("education", "schools", Limit(days=3), rests=True),
    # Facilities report every evening, weekends and holidays too; cases come when they come.
    Rhythm("health", "", Limit(days=5)),
    Rhythm("health", "clinics", timedelta(hours=36)),
    Rhythm("health", "hospitals", timedelta(hours=36)),
    Rhythm("health", "vneid", timedelta(hours=36)),
    Rhythm("health", "cdc", timedelta(days=14)),
    Rhythm("health", "laboratory", timedelta(days=14)),
    # Maps are drawn when something was built.
    Rhythm("gis", "", Limit(days=20)),
    Rhythm("gis", "map", Limit(days=5)),
    # Sensors never sleep, but a probe speaks only when a service goes down or comes back.
    Rhythm("security", "", Limit(days=3)),
    Rhythm("security", "sensors", timedelta(hours=6)),
    Rhythm("security", "antivirus", Limit(days=3)),
    Rhythm("security", "probes", None),
    # The hotline is staffed day and night, and quiet only after midnight.
    Rhythm("field", "", Limit(days=2)),
    Rhythm("field", "hotline_1022", timedelta(hours=12)),
    Rhythm("field", "app", timedelta(hours=24)),
    # The listening platform counts every hour, day and night; forums sleep.
    Rhythm("social", "", timedelta(hours=24)),
    Rhythm("social", "listening", timedelta(hours=3)),
)
"""By system: what holds for all its sources, then what holds for some."""

SUMMER = ((6, 1), (9, 5))
"""(month, day): from the first day of the school holidays to the opening of the school year."""


def rhythm(source: str, system: str) -> Rhythm:
    """The row for a source: that of a word in its path, else that of its system."""
    words = source.strip("/").split("/")
    fitting = [row for row in RHYTHMS if row.system == system and (not row.door or row.door in words)]
    # The system's own row stands first, so the last that fits is the finest.
    return next((row for door, row in _OWN.items() if door in words), fitting[-1])


def allowed(source: str, system: str) -> Allowed:
    """The longest silence of a source that is still nothing to ask about."""
    return rhythm(source, system).allowed


def is_stale(source: str, system: str, last_recorded: datetime, now: datetime, calendars: CalendarHistory) -> bool:
    """Whether nothing has been recorded of a source for longer than its rhythm allows; moments are aware."""
    row = rhythm(source, system)
    since = max(last_recorded, _summer_ends(now)) if row.rests else last_recorded
    match row.allowed:
        case Limit() as limit:
            return calendars.at(now).working_time_between(since, now) > limit.working_time
        case timedelta() as span:
            return now - since > span
    return False


def _summer_ends(now: datetime) -> datetime:
    """The end of the last school holidays that have begun by `now`; ahead while they last."""
    local = now.astimezone(VN)
    year = local.year if (local.month, local.day) >= SUMMER[0] else local.year - 1
    return datetime(year, *SUMMER[1], tzinfo=VN)
