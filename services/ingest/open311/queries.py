"""Which reports are asked for, read from the words of GeoReport v2. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas import units
from schemas.keys import Bounds
from schemas.text import moments
from schemas.zone import VN
from services.ingest.open311 import catalogue
from services.ingest.router import Refused

MOST, LONGEST = 1000, timedelta(days=90)
"""So many reports are listed, and so long a time is looked at."""
MOST_IDS = 50
STATUSES = ("open", "closed")
_ID = re.compile(r"[A-Z0-9_.\-]{0,62}?(\d{6})-[A-Z0-9]{12,16}")


@dataclass(frozen=True)
class Query:
    """Reports received from `since` until before `until`; an empty tuple leaves out nothing."""

    since: datetime
    until: datetime
    categories: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()


def query(said: Mapping[str, str], now: datetime) -> Query:
    """What a list is asked for: by itself the last 90 days. `Refused` where it cannot be meant."""
    first, last = _moment("start_date", said), _moment("end_date", said, end=True)
    until = last or (min(now, first + LONGEST) if first else now)
    since = first or until - LONGEST
    if since > until:
        raise Refused(400, "bad_query", "start_date: lies after end_date, or ahead")
    if until - since > LONGEST:
        raise Refused(400, "bad_query", f"start_date and end_date: at most {LONGEST.days} days lie between them")
    return Query(since, until + timedelta(microseconds=1), _categories(said), _statuses(said))


def ids(text: str) -> tuple[str, ...]:
    """The ids in a list with commas."""
    found = _listed(text)
    if len(found) > MOST_IDS:
        raise Refused(400, "bad_query", f"service_request_id: {len(found)} of them; ask for at most {MOST_IDS}")
    return found


def day_of(id: str) -> datetime | None:
    """The local midnight that begins the day of a report's id; None where it is no id of ours."""
    found = _ID.fullmatch(id)
    try:
        return datetime.strptime(found[1], "%y%m%d").replace(tzinfo=VN) if found else None
    except ValueError:
        return None


def scope(jurisdiction: str, bounds: Bounds | None) -> list[str] | None:
    """The units whose reports are shown: those of a jurisdiction, of a key, of both; None: all. `Refused` where the
    jurisdiction is unknown or not the key's."""
    own = bounds.scope if bounds else frozenset[str]()
    if not jurisdiction:
        return sorted(own) if own else None
    wanted = units.scope(known(jurisdiction))
    if own and not wanted & own:
        raise Refused(403, "not_yours", f"jurisdiction_id: the key reports {', '.join(bounds.units if bounds else ())}")
    return sorted(wanted & own if own else wanted)


def known(jurisdiction: str) -> str:
    """The code of a unit that there is; `Refused` where there is none."""
    try:
        return units.get(jurisdiction).code
    except units.UnknownUnit:
        raise Refused(404, "unknown", "jurisdiction_id: no such unit; it is a unit's code (`ioc units`)") from None


def service(code: str) -> str:
    """The code of a service that there is."""
    if code not in catalogue.CODES:
        raise Refused(404, "unknown", f"service_code: no such service; there are {', '.join(catalogue.CODES)}")
    return code


def _categories(said: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(service(code) for code in _listed(said.get("service_code", "")))


def _statuses(said: Mapping[str, str]) -> tuple[str, ...]:
    found = _listed(said.get("status", ""))
    if strangers := set(found) - set(STATUSES):
        raise Refused(400, "bad_query", f"status: {len(strangers)} unknown; there are {', '.join(STATUSES)}")
    return found


def _listed(text: str) -> tuple[str, ...]:
    parts: Iterable[str] = (part.strip() for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _moment(name: str, said: Mapping[str, str], end: bool = False) -> datetime | None:
    if not (text := said.get(name, "").strip()):
        return None
    try:
        # A plus sign that was not escaped came as a space.
        found = moments.read(re.sub(r"(?<=\d) (?=\d\d:?\d\d$)", "+", text))
        return found.end if end else found.first
    except moments.NoMoment as wrong:
        raise Refused(400, "bad_query", f"{name}: {wrong}") from None
