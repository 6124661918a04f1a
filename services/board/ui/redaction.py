"""What a screen without login shows of what a page has read: no event, and no exact count of people.

It is taken out of the data before anything is drawn, so that no part of a page can forget it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from schemas.indicators import Indicator
from services.board.access import FEW, Account, coarse, covered, is_sensitive
from services.board.ui.live_page import PageContext
from services.board.ui.words import Language, count, word
from services.readings import Reading
from services.readings.explain import Explanation
from services.readings.explain import Source as Behind
from services.readings.finding import Finding
from services.readings.sources import Source

T = TypeVar("T")


def shown_to(account: Account, read: T, whole: bool) -> T:
    """What `account` may see of something made of readings and sources (dataclasses, dicts, lists, tuples). `whole`: it
    is of the whole locality, over more than a day."""
    return read if account.may("cases") else _covered(read, whole)


def of_when(context: PageContext, shown: Iterable[Indicator]) -> PageContext:
    """The same page, and as of now where it tells of people to whom no case is shown: between two moments there may be
    one of them."""
    if context.account.may("cases") or not any(map(is_sensitive, shown)):
        return context
    return replace(context, chosen=replace(context.chosen, as_of=None))


def count_for(account: Account, number: int, language: Language) -> str:
    """How many reports or events there are, as `account` is told."""
    shown = number if account.may("cases") else coarse(number)
    return word("few", language) if shown is None else count(shown, language)


def findings_for(account: Account, found: Iterable[Finding]) -> list[Finding]:
    """Those about the account's units. What is told of the whole locality is told to all, to who is bounded to units
    without its events."""
    shown = (f for f in found if f.unit is None or account.sees(f.unit))
    return [replace(f, evidence=()) if f.unit is None and account.units else f for f in shown]


def _covered(read: Any, whole: bool) -> Any:
    if isinstance(read, Reading):
        return covered(read, whole)
    if isinstance(read, Explanation):
        return _explained(read, whole)
    if isinstance(read, Source):
        # Of five minutes: by whole ones per minute events are rounded as everywhere.
        return replace(read, events=coarse(read.events) or 0, per_minute=float(int(read.per_minute)))
    if isinstance(read, Behind):
        return replace(read, events=coarse(read.events) or 0)
    if isinstance(read, dict):
        return {key: _covered(value, whole) for key, value in read.items()}
    if isinstance(read, tuple | list):
        return type(read)(_covered(each, whole) for each in read)
    if is_dataclass(read) and not isinstance(read, type):
        return replace(read, **{f.name: _covered(getattr(read, f.name), whole) for f in fields(read) if f.init})
    return read


def _explained(read: Explanation, whole: bool) -> Explanation:
    """A figure opened: without its events, and of people without its parts, nor the sources that would tell few from
    none."""
    reading, sources = covered(read.reading, whole), _covered(read.sources, whole)
    shown = replace(read, reading=reading, sources=sources, events=0, sample=[])
    if not is_sensitive(reading.indicator):
        return shown
    parts = [replace(part, value=None, reason=FEW) for part in read.parts]
    return replace(shown, parts=parts, sources=[] if reading.value is None else sources)
