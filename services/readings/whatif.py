"""What if: the index of units after dossiers end on given days, and the shortest list of dossiers that gains so much.

Nothing is guessed of what else happens: both scores are as of the end of the period, in which due dates pass and nobody
does anything (`before`), or does these and nothing more (`after`). A dossier that ends is folded again with that event.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from psycopg import Connection

from schemas import units as administrative
from schemas.calendar import VN, local_day
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Labels, Point, in_order
from schemas.index766 import scoring
from schemas.index766.scoring import CountPair
from schemas.indicators.formula import Combine, Distinct, Formula, Leaf, Score, Statement, Stock, Sum, Where, leaves
from schemas.registry import FOLDS
from services.kit.facts import stored_calendars, unpack
from services.readings.evaluate import ComponentCount, UnitCounts
from services.readings.index766 import UnitIndex, score_of, total_of, unit_index, unit_indices
from services.readings.period import Period, last_moment
from services.readings.reasons import Reason

CLOSING = time(17)
"""When a day's dossiers end, if nothing else is said."""
NEXT_POINTS = (Decimal("0.1"), Decimal("0.5"), Decimal(1))
"""The gains for which the shortest list is told."""


class OpenDossier(NamedTuple):
    """A dossier that has not ended, as it is folded now."""

    id: str
    unit: str
    origin: str
    due: datetime | None
    facts: list[Fact]


class NotOpen(ValueError):
    """A dossier is none, has ended, or belongs to another unit; the message names it."""


class Move(NamedTuple):
    """By how much a component's numerator and denominator change."""

    numerator: Decimal
    denominator: Decimal


Moves = Mapping[str, Move]
"""Metric -> its move; components that stay as they are are absent."""


@dataclass(frozen=True)
class Ended:
    """A dossier that would end at a moment, and what that moves in its unit's counts."""

    dossier: OpenDossier
    at: datetime
    moves: Moves


@dataclass(frozen=True)
class WhatIf:
    """The index of a unit at the end of a period if nobody does anything, and `after` if these dossiers end."""

    period: Period
    before: UnitIndex
    after: UnitIndex
    ended: tuple[Ended, ...]

    @property
    def gain(self) -> Decimal:
        """The points that it brings, of the components that are known."""
        return self.after.score.points - self.before.score.points


@dataclass(frozen=True)
class Shortest:
    """The dossiers of a unit in the order in which they are worth ending, each with the points gained up to it; and
    `enough`: how many of them gain each of the asked points, None where all of them do not."""

    what_if: WhatIf
    gained: tuple[Decimal, ...]
    enough: Mapping[Decimal, int | None] = field(default_factory=dict)


def closing(day: date) -> datetime:
    """The moment at which a local day's work ends."""
    return datetime.combine(day, CLOSING, VN)


def until(day: date) -> Period:
    """The month so far on a local day, as of its end."""
    return Period(day.replace(day=1), day, last_moment(day))


def what_if(
    conn: Connection,
    rules: str,
    unit: str | None,
    ends: Mapping[str, datetime],
    period: Period,
    electronic: bool = True,
) -> WhatIf:
    """The index of a unit (None: the whole locality) after dossiers, by code, end at given moments of the period.

    `electronic`: their results are issued as signed files, else on paper. NotOpen where one cannot end.
    """
    every = {d.id: d for d in open_dossiers(conn, unit, list(ends))}
    if strange := [code for code in ends if code not in every]:
        raise NotOpen(f"{strange[0]} is no open dossier{f' of {unit}' if unit else ''}")
    before = unit_index(conn, rules, unit, period)
    found = ended(
        [(every[code], at) for code, at in ends.items()], total_of(rules), period, stored_calendars(conn), electronic
    )
    return _what_if(period, before, found)


def shortest(
    conn: Connection,
    rules: str,
    unit: str | None,
    period: Period,
    now: datetime,
    wanted: Sequence[Decimal] = NEXT_POINTS,
    electronic: bool = True,
) -> Shortest:
    """The open dossiers of a unit that are worth ending by the end of the period, the worth most first."""
    before = unit_index(conn, rules, unit, period)
    return shortest_of(before, period, _candidates(conn, rules, unit, period, now, electronic), wanted)


def shortest_by_unit(
    conn: Connection,
    rules: str,
    root: str | None,
    period: Period,
    now: datetime,
    wanted: Sequence[Decimal] = NEXT_POINTS,
    electronic: bool = True,
) -> list[Shortest]:
    """`shortest` for each unit below another (None: below the province), the best first, as `unit_indices` has them."""
    rows = defaultdict[str, list[Ended]](list)
    for one in _candidates(conn, rules, root, period, now, electronic):
        rows[administrative.row_unit(one.dossier.unit, root)].append(one)
    return [shortest_of(b, period, rows[b.unit], wanted) for b in unit_indices(conn, rules, root, period)]


def _candidates(
    conn: Connection, rules: str, unit: str | None, period: Period, now: datetime, electronic: bool
) -> list[Ended]:
    pairs = [(d, best_end(d.due, now, period)) for d in open_dossiers(conn, unit)] if now < period.as_of else []
    return ended(pairs, total_of(rules), period, stored_calendars(conn), electronic)


def best_end(due: datetime | None, now: datetime, period: Period) -> datetime:
    """By when a dossier should end: on the day it is due, or if that has passed by the end of the period."""
    if due is None or local_day(due) < local_day(now):
        return period.as_of
    return min(max(closing(local_day(due)), now), period.as_of)


def open_dossiers(conn: Connection, unit: str | None, codes: Collection[str] | None = None) -> list[OpenDossier]:
    """The open dossiers of a unit with all below it, or those with these codes, the soonest due first."""
    units = None if unit is None else sorted(administrative.scope(unit))
    values = {"units": units, "codes": None if codes is None else list(codes)}
    rows = conn.execute(_OPEN, values).fetchall()
    return [OpenDossier(id, of, origin, due, [unpack(fact) for fact in facts]) for id, of, origin, due, facts in rows]


# --- pure from here on ---


def ended(
    dossiers: Iterable[tuple[OpenDossier, datetime]],
    formula: Score,
    period: Period,
    calendars: CalendarHistory,
    electronic: bool = True,
) -> list[Ended]:
    """Each dossier with what its end at a moment moves."""
    measures = {m: {_measure(leaf) for part in pair for leaf in leaves(part)} for m, pair in formula.counts.items()}
    found = []
    for d, at in dossiers:
        changed = _changed(d, at, period, calendars, electronic)
        moved = {series.measure for series in changed}
        pairs = {m: pair for m, pair in formula.counts.items() if not moved.isdisjoint(measures[m])}
        moves = {m: Move(*(amount(part, changed, period) for part in pair)) for m, pair in pairs.items()}
        found.append(Ended(d, at, {metric: move for metric, move in moves.items() if any(move)}))
    return sorted(found, key=lambda one: (one.at, one.dossier.id))


def _measure(leaf: Leaf) -> str:
    return "" if isinstance(leaf, Statement) else leaf.measure


def end_of(dossier: OpenDossier, at: datetime, electronic: bool) -> Fact:
    """The event by which it ends."""
    data = {"code": dossier.id, "paper_result": True, "electronic_result": electronic}
    return Fact(at, "what-if", "dossier.resolved", dossier.unit, dossier.origin, data)


def _changed(
    d: OpenDossier, at: datetime, period: Period, calendars: CalendarHistory, electronic: bool
) -> Mapping[Series, Decimal]:
    """What its points add up to with that event, less what they do without it, up to the end of the period."""
    fold, changes = FOLDS["dossier"], Counter[Series]()
    for sign, facts in ((1, [*d.facts, end_of(d, at, electronic)]), (-1, d.facts)):
        for series, value in points_of(fold(d.id, in_order(facts), calendars).points, period).items():
            changes[series] += sign * value  # type: ignore[assignment]
    return {series: Decimal(value) for series, value in changes.items() if value}


def points_of(points: Iterable[Point], period: Period) -> Mapping[Series, Decimal]:
    """What points up to the end of a period add up to."""
    sums = defaultdict[Series, Decimal](Decimal)
    for point in points:
        if point.time < period.stop:
            sums[Series(point.measure, point.labels, point.time)] += point.value
    return sums


class Series(NamedTuple):
    """What points are told apart by here."""

    measure: str
    labels: Labels
    time: datetime


def amount(formula: Formula, changed: Mapping[Series, Decimal], period: Period) -> Decimal:
    """What a formula gives over the points of dossiers, or by how much it changes with points that came and went."""
    match formula:
        case Sum(measure, where, "sum"):
            return _sum(changed, measure, where, period.start, period.stop)
        case Stock(measure, where, at):
            return _sum(changed, measure, where, None, period.stop if at == "end" else period.start)
        case Combine(plus, minus):
            return sum((amount(term, changed, period) for term in plus), Decimal(0)) - sum(
                (amount(term, changed, period) for term in minus), Decimal(0)
            )
        case Statement():
            return Decimal(0)
        case Distinct(measure, _, where) if not _sum(changed, measure, where, None, period.stop):
            return Decimal(0)
    raise TypeError(f"the end of a dossier changes {formula}")


def _sum(
    changed: Mapping[Series, Decimal], measure: str, where: Where, start: datetime | None, stop: datetime
) -> Decimal:
    return sum(
        (
            value
            for series, value in changed.items()
            if series.measure == measure
            and (start is None or start <= series.time)
            and series.time < stop
            and all(dict(series.labels).get(label, "none") in allowed for label, allowed in where.items())
        ),
        Decimal(0),
    )


def _what_if(period: Period, before: UnitIndex, found: Sequence[Ended]) -> WhatIf:
    moves = defaultdict[str, list[Move]](list)
    for one in found:
        for metric, move in one.moves.items():
            moves[metric].append(move)
    after = {m: _moved(c, moves[m]) if m in moves else c for m, c in before.counts.items()}
    return WhatIf(period, before, _with(before, after), tuple(found))


def _with(index: UnitIndex, counts: UnitCounts) -> UnitIndex:
    return replace(index, counts=counts, score=score_of(index.score.rules, index.unit, counts), rank=None)


def _moved(count: ComponentCount, moves: Iterable[Move]) -> ComponentCount:
    """A count after moves; what is not known stays so, and what falls below 0 is not counted."""
    if count.count is None:
        return count
    pair = _pair(_sum_of([Move(count.count.numerator, count.count.denominator), *moves]))
    return replace(count, count=pair, reason=None if pair else Reason("not_counted"))


def shortest_of(before: UnitIndex, period: Period, found: Sequence[Ended], wanted: Sequence[Decimal]) -> Shortest:
    chosen, gained = list[Ended](), list[Decimal]()
    enough: dict[Decimal, int | None] = dict.fromkeys(wanted)
    for one, gain in _best_first(before, found):
        chosen.append(one)
        gained.append(gain)
        enough |= {points: len(chosen) for points, number in enough.items() if number is None and gain >= points}
        if None not in enough.values():
            break
    return Shortest(_what_if(period, before, chosen), tuple(gained), enough)


def _best_first(before: UnitIndex, found: Sequence[Ended]) -> Iterator[tuple[Ended, Decimal]]:
    """Those that gain anything with the points gained so far, the one that gains most next always first; of equal ones
    the soonest due."""
    alike = defaultdict[_Kind, list[Ended]](list)
    for one in reversed(found):
        alike[tuple(sorted(one.moves.items()))].append(one)
    known = ((m, c.count) for m, c in before.counts.items() if c.count is not None)
    counts = {m: Move(count.numerator, count.denominator) for m, count in known}
    components = before.score.rules.components

    def exact(metric: str, count: Move) -> Fraction:
        pair = _pair(count)
        return scoring.exact(components[metric], pair) if pair else Fraction(0)

    def worth(kind: _Kind) -> Fraction:
        some = ((m, counts[m], _sum_of([counts[m], move])) for m, move in kind if m in counts)
        return sum((exact(m, after) - exact(m, count) for m, count, after in some), Fraction(0))

    def rounded(kind: Iterable[str]) -> Decimal:
        return sum((scoring.half_up(exact(m, counts[m])) for m in kind if m in counts), Decimal(0))

    gained = Decimal(0)
    while alike:
        most, kind = max((worth(kind), kind) for kind in alike)
        if most <= 0:
            return
        metrics = [metric for metric, _ in kind]
        gained -= rounded(metrics)
        counts |= {m: _sum_of([counts[m], move]) for m, move in kind if m in counts}
        gained += rounded(metrics)
        yield alike[kind].pop(), gained
        if not alike[kind]:
            del alike[kind]


_Kind = tuple[tuple[str, Move], ...]
"""What alike dossiers move: the moves of each component."""


def _sum_of(moves: Sequence[Move]) -> Move:
    return Move(*(sum(sides, Decimal(0)) for sides in zip(*moves, strict=True)))


def _pair(count: Move) -> CountPair | None:
    """What counts; None where corrections of earlier months outweigh what came."""
    return CountPair(*count) if min(count) >= 0 else None


_OPEN = """
SELECT id, unit, origin, due_at, facts FROM entity
WHERE kind = 'dossier' AND ended_at IS NULL AND opened_at IS NOT NULL
    AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) AND (%(codes)s::text[] IS NULL OR id = ANY(%(codes)s))
ORDER BY due_at NULLS LAST, id
"""
