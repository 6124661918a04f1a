"""What a screen without login shows of what a page has read: no event, and no small count of people in one unit.

It is taken out of the data before anything is drawn, so that no part of a page can forget it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from services.board.access import FEW, Account, is_sensitive, suppressed, veiled
from services.readings import Reading
from services.readings.explain import Explanation

T = TypeVar("T")


def shown_to(account: Account, read: T, unit: str | None) -> T:
    """What `account` may see of something made of readings (dataclasses, sequences) for a unit, None: of the whole
    locality."""
    return read if account.may("cases") else _covered(read, unit)


def _covered(read: Any, unit: str | None) -> Any:
    if isinstance(read, Reading):
        return replace(read, value=None, reason=FEW) if suppressed(read, unit) else read
    if isinstance(read, Explanation):
        return _explained(read)
    if isinstance(read, dict):
        return {key: _covered(value, unit) for key, value in read.items()}
    if isinstance(read, tuple) and hasattr(read, "_fields"):
        return type(read)(*(_covered(each, unit) for each in read))
    if isinstance(read, tuple | list):
        return _several(read, unit)
    if is_dataclass(read) and not isinstance(read, type):
        return replace(read, **{f.name: _covered(getattr(read, f.name), unit) for f in fields(read) if f.init})
    return read


def _several(read: Sequence[Any], unit: str | None) -> Sequence[Any]:
    if not read or not all(isinstance(each, Reading) for each in read):
        return type(read)(_covered(each, unit) for each in read)  # type: ignore[call-arg]
    if len({each.indicator.code for each in read}) > 1:
        return type(read)(_covered(each, unit) for each in read)  # type: ignore[call-arg]
    # Days and months of the whole locality are about many; units and classes, and whatever is of one unit, about few.
    days = all(each.group[:1].isdigit() for each in read)
    return type(read)(veiled(read, few=unit is not None or not days))  # type: ignore[call-arg]


def _explained(read: Explanation) -> Explanation:
    """A figure opened: without its events, and of few people without its parts."""
    few = read.unit is not None and is_sensitive(read.reading.indicator)
    parts = [replace(part, value=None, reason=FEW) for part in read.parts] if few else read.parts
    reading = _covered(read.reading, read.unit)
    return replace(read, reading=reading, parts=parts, events=0 if few else read.events, sample=[])
