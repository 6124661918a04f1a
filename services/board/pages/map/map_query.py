"""What stands on the map: features and open field reports, now or as of a past moment, gathered in clusters."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from psycopg import Connection

from schemas import units
from schemas.fold import Folded
from schemas.registry import FOLDS
from services.board.access import Account, coarse
from services.kit.facts import stored_calendars, unpack

Kind = Literal["report", "feature"]
CELL = 60
"""Pixels: what lies closer together than about this becomes one cluster."""
NEAREST, PUBLIC_ZOOM = 18, 12
"""The largest zoom; and the one in whose cells, over 2 km wide, passers-by see reports however far they zoom: counts of
larger and smaller cells would tell what is left out of either."""
HIDDEN_LAYERS = frozenset({"camera", "sensor", "police"})
"""What protects the locality is not laid out to passers-by."""
MOST = 20_000
"""No more reports than this are read, and no more features."""
KINDS: tuple[Kind, ...] = ("report", "feature")


@dataclass(frozen=True, slots=True)
class MapItem:
    """A feature or an open report. `group`: its layer or category; no place is known where the coordinates are None."""

    kind: Kind
    id: str
    group: str
    name: str
    unit: str
    status: str
    since: datetime
    due: datetime | None
    latitude: float | None
    longitude: float | None

    def overdue(self, moment: datetime) -> bool:
        """Whether its due time had passed."""
        return self.due is not None and self.due < moment


@dataclass(frozen=True)
class MapFilter:
    """What the reader wants to see; empty: all. `at`: a past moment; None: now, for as long as the page is open."""

    layers: frozenset[str] = frozenset()
    category: str = ""
    status: str = ""
    overdue: bool = False
    unit: str = ""
    at: datetime | None = None


class Bounds(NamedTuple):
    """Degrees."""

    west: float
    south: float
    east: float
    north: float


class Cluster(NamedTuple):
    """Spots of one kind in one cell, with the middle of their places (of the cell, where that must do)."""

    kind: Kind
    latitude: float
    longitude: float
    number: int
    overdue: int
    items: Sequence[MapItem]


@dataclass(frozen=True)
class MapContent:
    """What stands there, as far as it was read, and how much more there is: (kind, unit) -> number."""

    items: Sequence[MapItem]
    unread: Mapping[tuple[Kind, str], int]

    def more(self, map_filter: MapFilter, account: Account) -> int:
        """How many of those that this account may know of were not read, of the kinds and units asked for."""
        scope, layers = units.scope(map_filter.unit) if map_filter.unit else None, map_filter.layers
        wanted = {
            "report": not layers or "reports" in layers,
            "feature": not (map_filter.category or map_filter.status or map_filter.overdue)
            and (not layers or layers != {"reports"}),
        }
        return sum(
            number
            for (kind, unit), number in self.unread.items()
            if wanted[kind] and (scope is None or unit in scope)
            if kind == "feature" or account.role == "public" or account.sees(unit)
        )


def present(conn: Connection, most: int = MOST) -> MapContent:
    """What stands there now: as the folds have left it; of too many, the reports that are due first."""
    found: list[MapItem] = []
    unread: dict[tuple[Kind, str], int] = {}
    for kind in KINDS:
        values = {"kind": kind, "most": most}
        some = [_spot(kind, *row) for row in conn.execute(_PRESENT, values).fetchall()]
        if len(some) == most:
            unread |= _left(kind, conn.execute(_PRESENT_COUNT, values).fetchall(), Counter(s.unit for s in some))
        found += some
    return MapContent(found, unread)


def past(conn: Connection, moment: datetime, most: int = MOST) -> MapContent:
    """What stood there at a moment: every entity folded anew from what had happened up to then; of too many, those
    that came last."""
    known = stored_calendars(conn)
    found: list[MapItem] = []
    unread: dict[tuple[Kind, str], int] = {}
    for kind in KINDS:
        values = {"kind": kind, "most": most, "moment": moment}
        rows = conn.execute(_PAST, values).fetchall()
        if len(rows) == most:
            unread |= _left(kind, conn.execute(_PAST_COUNT, values).fetchall(), Counter(unit for _, unit, _ in rows))
        for id, _, packed in rows:
            folded: Folded = FOLDS[kind](id, [f for f in map(unpack, packed) if f.time <= moment], known)
            if folded.opened_at and folded.ended_at is None:
                state = (folded.unit, folded.status, folded.opened_at, folded.due_at, folded.state)
                found.append(_spot(kind, id, *state))
    return MapContent(found, unread)


def _left(kind: Kind, all: Iterable[tuple[str, int]], read: Mapping[str, int]) -> dict[tuple[Kind, str], int]:
    return {(kind, unit): left for unit, number in all if (left := number - read.get(unit, 0))}


def _spot(
    kind: Kind, id: str, unit: str, status: str, opened: datetime, due: datetime | None, state: dict[str, Any]
) -> MapItem:
    group = state["layer" if kind == "feature" else "category"]
    name, at = state.get("name", ""), (state.get("latitude"), state.get("longitude"))
    if None in at:
        at = (None, None)
    return MapItem(kind, id, group, name, unit, status, opened, due, *at)


def chosen(items: Iterable[MapItem], map_filter: MapFilter, account: Account, moment: datetime) -> Iterator[MapItem]:
    """The spots asked for, of those that the account may know of."""
    scope = units.scope(map_filter.unit) if map_filter.unit else None
    public = account.role == "public"
    about_reports = bool(map_filter.category or map_filter.status or map_filter.overdue)
    for item in items:
        report = item.kind == "report"
        if map_filter.layers and ("reports" if report else item.group) not in map_filter.layers:
            continue
        if scope is not None and item.unit not in scope:
            continue
        if not report:
            if not about_reports and not (public and item.group in HIDDEN_LAYERS):
                yield item
        elif _fits(item, map_filter, moment) and (public or account.sees(item.unit)):
            yield item


def _fits(item: MapItem, map_filter: MapFilter, moment: datetime) -> bool:
    return (
        map_filter.category in ("", item.group)
        and map_filter.status in ("", item.status)
        and (not map_filter.overdue or item.overdue(moment))
    )


def clusters(items: Iterable[MapItem], zoom: int, moment: datetime, public: bool = False) -> list[Cluster]:
    """The spots that have a place, gathered by a grid that stands fast however the view is moved.

    `public`: reports in wide cells alone, at the middle of the cell, by coarse counts.
    """
    cells: dict[tuple[Kind, int, int, int], list[MapItem]] = defaultdict(list)
    for item in items:
        if item.latitude is None or item.longitude is None:
            continue
        level = PUBLIC_ZOOM if public and item.kind == "report" else zoom
        x, y = pixels(item.latitude, item.longitude, level)
        cells[item.kind, level, int(x // CELL), int(y // CELL)].append(item)
    found = (_cluster(cell, inside, moment, public) for cell, inside in cells.items())
    # What is drawn last lies above the rest: reports are what people look for.
    return sorted((cluster for cluster in found if cluster), key=lambda cluster: cluster.kind == "report")


def _cluster(cell: tuple[Kind, int, int, int], items: list[MapItem], moment: datetime, public: bool) -> Cluster | None:
    kind, level, x, y = cell
    if public and kind == "report":
        middle = degrees((x + 0.5) * CELL, (y + 0.5) * CELL, level)
        number = coarse(len(items))
        return Cluster(kind, *middle, number, 0, ()) if number else None
    latitude = sum(s.latitude or 0 for s in items) / len(items)
    longitude = sum(s.longitude or 0 for s in items) / len(items)
    return Cluster(kind, latitude, longitude, len(items), sum(s.overdue(moment) for s in items), items)


def within(cluster: Cluster, bounds: Bounds) -> bool:
    """Whether it lies in view."""
    return bounds.west <= cluster.longitude <= bounds.east and bounds.south <= cluster.latitude <= bounds.north


def pixels(latitude: float, longitude: float, zoom: int) -> tuple[float, float]:
    """Where a place lies on the map of the world at a zoom, in pixels from its north-west corner (Web Mercator)."""
    size = 256 * 2**zoom
    sine = math.sin(math.radians(latitude))
    return (longitude / 360 + 0.5) * size, (0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * size


def degrees(x: float, y: float, zoom: int) -> tuple[float, float]:
    """(latitude, longitude) of a pixel: the way back."""
    size = 256 * 2**zoom
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / size)))), (x / size - 0.5) * 360


_STANDS = "FROM entity WHERE kind = %(kind)s AND ended_at IS NULL AND opened_at IS NOT NULL"
_PRESENT = f"SELECT id, unit, status, opened_at, due_at, state {_STANDS} ORDER BY due_at, id LIMIT %(most)s"
_PRESENT_COUNT = f"SELECT unit, count(*) {_STANDS} GROUP BY unit"
_STOOD = """
FROM entity WHERE kind = %(kind)s AND opened_at <= %(moment)s AND (ended_at IS NULL OR ended_at > %(moment)s)
"""
_PAST = f"SELECT id, unit, facts {_STOOD} ORDER BY opened_at DESC, id LIMIT %(most)s"
_PAST_COUNT = f"SELECT unit, count(*) {_STOOD} GROUP BY unit"
