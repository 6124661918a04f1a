"""Random histories of dossiers: report II.06 adds up in every unit and field, whatever the days; what ending dossiers
would bring is what it brings once they have ended. No server is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import cycle

from chance import examples
from chance_worlds import START, UNITS, dossiers, told
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event
from schemas.fold import Fact, Point, in_order
from schemas.index766.rules import rule_set
from schemas.index766.scoring import CountPair
from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Distinct, Formula, Statement, leaves
from schemas.registry import FOLDS
from services.readings.evaluate import ComponentCount
from services.readings.index766 import score_of, total_of
from services.readings.period import Period
from services.readings.whatif import OpenDossier, amount, ended, points_of

NONE = CalendarHistory()
FIRST, LAST = date(2024, 10, 25), date(2024, 12, 31)
AFTER = Period(date(2024, 12, 1), LAST, datetime(2024, 12, 31, 16, tzinfo=UTC))
SLOW = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
KINDS = ("justice", "land")
COLUMNS = {number: CATALOGUE[f"ii06_{number:02}"].formula for number in range(3, 14)}
LIVES = st.lists(st.integers(1, 9000), min_size=1, max_size=4, unique=True).flatmap(
    lambda numbers: st.tuples(*(dossiers(number=number) for number in numbers))
)


def facts_of(life: Iterable[Event]) -> list[Fact]:
    return [Fact(e.time, e.key.hex, e.data.event, e.unit, e.origin, e.fields) for e in life]


def as_kinds(facts: Iterable[Fact], kinds: Sequence[str]) -> Iterator[Fact]:
    """A life that is told of one field after the other, each time it is filed or accepted."""
    after = cycle(kinds)
    for fact in facts:
        filed = fact.event in ("dossier.submitted", "dossier.accepted")
        yield fact._replace(data={**fact.data, "field": next(after)}) if filed else fact


def folded(id: str, facts: Iterable[Fact]) -> list[Point]:
    return FOLDS["dossier"](id, in_order(facts), NONE).points


def id_of(life: Sequence[Event]) -> str:
    return str(life[0].fields["code"])


@examples(6, long=1000, **SLOW)
@given(
    LIVES,
    st.lists(st.sampled_from(KINDS), min_size=4, max_size=4),
    st.integers(0, 60),
    st.integers(0, 40),
    st.integers(0, 10),
)
def test_report_ii06_adds_up_in_every_unit_and_field(
    lives: tuple[list[Event], ...], kinds: list[str], first: int, length: int, early: int
) -> None:
    """Also where a dossier is accepted by another unit, or as one of another field, in the next period."""
    start = FIRST + timedelta(days=first)
    last = start + timedelta(days=length)
    as_of = datetime(last.year, last.month, last.day, 16, tzinfo=UTC) - timedelta(days=early, hours=early)
    period = Period(start, last, max(as_of, Period(start, last, as_of).start))
    every = [point for life in lives for point in folded(id_of(life), as_kinds(facts_of(life), kinds))]
    for unit in (None, *UNITS):
        for field in (None, *KINDS):
            some = [p for p in every if unit in (None, p.unit) and field in (None, dict(p.labels).get("field"))]
            sums = points_of(some, period)
            c = {number: amount(formula, sums, period) for number, formula in COLUMNS.items()}
            assert c[3] == c[4] + c[5] + c[6] == c[7] + c[11], (unit, field, c)
            assert c[7] == c[8] + c[9] + c[10] and c[11] == c[12] + c[13], (unit, field, c)
            # A stop that is resolved after all, or a dossier that another unit accepts, is corrected at that moment, so
            # what came and ended in a period may be below 0; what is open never is.
            assert min(c[6], c[11], c[12], c[13]) >= 0, (unit, field, c)


@examples(40, long=1000, **SLOW)
@given(LIVES, st.integers(0, 90 * 24))
def test_what_happens_later_changes_nothing_of_what_was(lives: tuple[list[Event], ...], hours: int) -> None:
    """So the report of a period that is made today is the one that was made at its end, and what was recorded since."""
    end = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(hours=hours)
    for life in lives:
        every = facts_of(life)
        known = [fact for fact in every if fact.time <= end]
        then = folded(id_of(life), known) if known else []
        assert told_by(end, folded(id_of(life), every)) == told_by(end, then)


def told_by(end: datetime, points: Iterable[Point]) -> Mapping[tuple[str, object, datetime], int]:
    """What points up to a moment add up to, series by series and instant by instant."""
    sums = Counter[tuple[str, object, datetime]]()
    for p in points:
        if p.time <= end:
            sums[p.measure, (p.unit, p.origin, p.labels), p.time] += p.value
    return {key: value for key, value in sums.items() if value}


# --- what if ---

COUNTS: dict[str, tuple[Formula, Formula]] = {
    metric: pair
    for metric, pair in total_of("portal").counts.items()
    if not any(isinstance(leaf, Distinct | Statement) for part in pair for leaf in leaves(part))
}
Counts = Mapping[str, tuple[Decimal, Decimal]]


def counted(points: Iterable[Point]) -> Counts:
    """metric -> numerator and denominator over points."""
    sums = points_of(points, AFTER)
    return {m: (amount(above, sums, AFTER), amount(below, sums, AFTER)) for m, (above, below) in COUNTS.items()}


def points(counts: Counts) -> Decimal:
    """Of what is counted: a component is not where corrections of earlier months outweigh what came."""
    some = {m: pair for m, pair in counts.items() if min(pair) >= 0}
    given = {m: ComponentCount(CountPair(*pair), None, frozenset()) for m, pair in some.items()}
    return score_of(rule_set("portal", LAST), "chon_thanh", given).points


@examples(6, long=1000, **SLOW)
@given(LIVES, st.lists(st.none() | st.integers(0, 30 * 24), min_size=4, max_size=4), st.booleans())
def test_what_ending_dossiers_would_bring_is_what_it_brings(
    lives: tuple[list[Event], ...], hours: list[int | None], electronic: bool
) -> None:
    """Some of those that are open, each at a moment of its own."""
    now = max(START, max(max(e.time for e in life) for life in lives)) + timedelta(hours=1)
    stand = {id_of(life): facts_of(life) for life in lives}
    states = {id: FOLDS["dossier"](id, in_order(facts), NONE) for id, facts in stand.items()}
    unended = [
        OpenDossier(id, states[id].unit, states[id].origin, states[id].due_at, facts)
        for id, facts in stand.items()
        if states[id].opened_at and not states[id].ended_at
    ]
    before = counted(p for id, facts in stand.items() for p in folded(id, facts))
    ends = [(d, now + timedelta(hours=n)) for d, n in zip(unended, hours, strict=False) if n is not None]
    moves = [one.moves for one in ended(ends, total_of("portal"), AFTER, NONE, electronic)]
    foretold = {
        m: (
            above + sum((one[m].numerator for one in moves if m in one), Decimal(0)),
            below + sum((one[m].denominator for one in moves if m in one), Decimal(0)),
        )
        for m, (above, below) in before.items()
    }
    for number, (d, at) in enumerate(ends):
        fields = {"code": d.id, "paper_result": True, "electronic_result": electronic}
        stand[d.id] = [*d.facts, *facts_of([told("dossier.resolved", at, d.unit, number, **fields)])]
    after = counted(p for id, facts in stand.items() for p in folded(id, facts))
    assert after == foretold
    assert points(after) == points(foretold)
