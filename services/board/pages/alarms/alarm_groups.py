"""Alarms about cases of one unit and matter as one row of the list, with its members inside: each case keeps an alarm
of its own, so that it is told, taken and closed by itself, and none is missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.board.pages.alarms.alarms_data import SEVERITIES, Row
from services.board.ui.pagination import ListQuery

NAMED = 5
"""So many of its cases a group names."""


class Group(NamedTuple):
    """Alike alarms, the newest first; alone, an alarm of no case or one that was looked for."""

    members: tuple[Row, ...]

    @property
    def head(self) -> Row:
        """The newest."""
        return self.members[0]

    @property
    def gravest(self) -> Row:
        """The newest of those that are gravest."""
        return min(self.members, key=lambda row: SEVERITIES.index(row.severity))

    @property
    def cases(self) -> int:
        """Of how many cases it tells: one may be late in several ways."""
        return len({row.case or row.id for row in self.members})

    @property
    def item(self) -> str:
        """What all of it is called where something is done about it: `alarm:7`, `alarm:7.9.12`."""
        return "alarm:" + ".".join(str(row.id) for row in self.members)

    @property
    def about(self) -> str:
        """Its cases by code, the first few."""
        codes = list(dict.fromkeys(row.about for row in self.members))
        return ", ".join(codes[:NAMED]) + (", …" if len(codes) > NAMED else "")


def grouped(rows: Iterable[Row], query: ListQuery) -> Sequence[Group]:
    """The rows as groups, in the order of their first ones; where a type or a text was asked for, each by itself."""
    apart = bool(query.text or "type" in query.filters)
    groups: dict[object, list[Row]] = {}
    for row in rows:
        matter = (row.unit, row.type, row.origin, row.status, row.assignee or row.acknowledged_by)
        groups.setdefault(row.id if apart or row.case is None else matter, []).append(row)
    return [Group(tuple(members)) for members in groups.values()]


def numbers(item: str) -> list[int]:
    """The alarms of an `item`; number 0, which no alarm has, where it is none."""
    parts = item.removeprefix("alarm:").split(".")
    return [int(p) if p.isascii() and p.isdigit() and len(p) < 18 else 0 for p in parts]
