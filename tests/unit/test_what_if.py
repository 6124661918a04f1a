"""What ending dossiers would bring: what moves, the shortest list, and that no order of events matters."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations

from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact
from schemas.index766.rules import rule_set
from schemas.index766.scoring import CountPair
from services.readings.evaluate import ComponentCount
from services.readings.index766 import UnitIndex, score_of, total_of
from services.readings.whatif import Ended, Move, OpenDossier, best_end, closing, ended, shortest_of, until

UNIT = "phuong_chon_thanh"
PERIOD = until(date(2026, 11, 30))
RULES = rule_set("portal", PERIOD.last)
IN_TIME, RESULTS, LIKED = "ON_TIME", "ORIGINAL_RESULT_AVAILABLE", "DOSSIER_RECEIVING_SATISFACTION"
ONE, NONE = Decimal(1), Decimal(0)


def at(day: int, hour: int = 9, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=VN)


def fact(event: str, day: int, **data: object) -> Fact:
    return Fact(at(day), f"{event} {day}", f"dossier.{event}", UNIT, "real", data)


def accepted(day: int, due: datetime) -> Fact:
    return fact("accepted", day, promised_at=due.isoformat(), digitised_components=0)


def dossier(*life: Fact, number: int = 1) -> OpenDossier:
    return OpenDossier(f"H10.12-261109-{number:04}", UNIT, "real", None, list(life))


def moves(life: Sequence[Fact], end: datetime, electronic: bool = True) -> Mapping[str, Move]:
    (found,) = ended([(dossier(*life), end)], total_of("portal"), PERIOD, CalendarHistory(), electronic)
    return found.moves


DUE_26 = (accepted(20, at(26, 17)),)


def test_done_before_it_is_overdue_it_is_in_time_at_the_end() -> None:
    in_time = {IN_TIME: Move(ONE, NONE), LIKED: Move(ONE, NONE), RESULTS: Move(ONE, ONE)}
    assert moves(DUE_26, at(26)) == in_time
    assert moves(DUE_26, at(26), electronic=False) == {**in_time, RESULTS: Move(NONE, ONE)}
    assert moves(DUE_26, at(27)) == {RESULTS: Move(ONE, ONE)}, "overdue it stays, open or ended"
    assert moves(DUE_26, at(1, month=12)) == {}, "beyond the period"


def test_done_early_what_is_due_later_brings_its_result_alone() -> None:
    assert moves((accepted(20, at(20, month=12)),), at(26)) == {RESULTS: Move(ONE, ONE)}


def test_asked_for_supplements_twice_a_result_puts_it_right() -> None:
    life = (accepted(2, at(9)), fact("supplement_requested", 3), fact("supplement_requested", 4))
    assert moves(life, at(26))[IN_TIME] == Move(ONE, NONE)


def test_a_dislike_takes_the_satisfaction_back() -> None:
    life = (*DUE_26, fact("rated", 21, score=1))
    assert moves(life, at(26)) == {IN_TIME: Move(ONE, NONE), RESULTS: Move(ONE, ONE)}


def test_the_best_day_is_the_day_it_is_due() -> None:
    now = at(25, 20)
    assert best_end(closing(date(2026, 11, 27)), now, PERIOD) == closing(date(2026, 11, 27))
    assert best_end(at(25, 11), now, PERIOD) == now, "today, after closing"
    assert best_end(at(24), now, PERIOD) == best_end(None, now, PERIOD) == PERIOD.as_of
    assert best_end(at(9, month=12), now, PERIOD) == PERIOD.as_of


@examples(30)
@given(st.permutations(range(6)), st.integers(2, 28))
def test_no_order_of_events_changes_what_an_end_moves(order: list[int], day: int) -> None:
    life = (
        accepted(2, at(12, 17)), fact("supplement_requested", 3), fact("supplement_received", 4),
        fact("supplement_requested", 5), fact("supplement_received", 6), fact("rated", 7, score=2),
    )  # fmt: skip
    assert moves([life[n] for n in order], at(day, 16)) == moves(life, at(day, 16))


# --- the shortest list ---


def index(**counts: tuple[int, int]) -> UnitIndex:
    pairs = {m: ComponentCount(CountPair(Decimal(n), Decimal(d)), None, frozenset()) for m, (n, d) in counts.items()}
    return UnitIndex(UNIT, "commune", score_of(RULES, UNIT, pairs), pairs)


def some(kinds: Sequence[int]) -> list[Ended]:
    """Ends of three kinds: 0 is in time and has a result, 1 was asked again and disliked, on paper, 2 has a result."""
    alike = (
        {IN_TIME: Move(ONE, NONE), LIKED: Move(ONE, NONE), RESULTS: Move(ONE, ONE)},
        {IN_TIME: Move(ONE, NONE), RESULTS: Move(NONE, ONE)},
        {RESULTS: Move(ONE, ONE)},
    )
    return [Ended(dossier(number=n), at(26), alike[kind]) for n, kind in enumerate(kinds)]


def gain(before: UnitIndex, chosen: Sequence[Ended]) -> Decimal:
    pairs = {metric: count.count for metric, count in before.counts.items() if count.count}
    for one in chosen:
        for metric, move in one.moves.items():
            numerator, denominator = pairs[metric].numerator, pairs[metric].denominator
            pairs[metric] = CountPair(numerator + move.numerator, denominator + move.denominator)
    after = {metric: ComponentCount(pair, None, frozenset()) for metric, pair in pairs.items()}
    return score_of(RULES, UNIT, after).points - before.score.points


@examples(40)
@given(st.lists(st.integers(0, 2), max_size=7), st.integers(10, 400), st.integers(0, 30))
def test_no_shorter_list_gains_as_much(kinds: list[int], base: int, late: int) -> None:
    good = max(base - len(kinds) - late, 0)
    before = index(**{IN_TIME: (good, base), LIKED: (good, base), RESULTS: (base // 3, base // 2)})
    every, wanted = some(kinds), [Decimal("0.1"), Decimal("0.5"), Decimal(1)]
    found = shortest_of(before, PERIOD, every, wanted)
    chosen = found.what_if.ended
    assert [gain(before, chosen[: n + 1]) for n in range(len(chosen))] == list(found.gained)
    for points in wanted:
        best = [max(gain(before, some) for some in combinations(every, n)) for n in range(len(every) + 1)]
        least = next((n for n, most in enumerate(best) if most >= points), None)
        number = found.enough[points]
        assert number == least or best[least or 0] - points < Decimal("0.03"), "but for what rounding gives away"


def test_of_what_gains_alike_the_soonest_due_comes_first_and_what_gains_nothing_is_left_out() -> None:
    before = index(**{IN_TIME: (0, 100), LIKED: (0, 100), RESULTS: (10, 10)})
    found = shortest_of(before, PERIOD, some([2, 0, 0]), [Decimal("0.2"), Decimal(9)])
    assert [one.dossier.id[-1] for one in found.what_if.ended] == ["1", "2"]
    assert found.gained == (Decimal("0.27"), Decimal("0.53")) and found.enough == {Decimal("0.2"): 1, Decimal(9): None}


def test_what_is_not_known_stays_so() -> None:
    found = shortest_of(index(**{IN_TIME: (0, 100)}), PERIOD, some([0]), [Decimal("0.1")])
    assert found.gained == (Decimal("0.20"),) and found.what_if.after.score.total is None


def test_ten_times_the_dossiers_take_about_ten_times_as_long() -> None:
    """And not a hundred times, as if each were held against each; `ioc bench reports` measures the seconds."""
    life = [accepted(20, at(26, 17)), fact("processing_started", 21)]
    before = index(**{IN_TIME: (8000, 10000), LIKED: (8000, 10000), RESULTS: (100, 1000)})

    def spent(dossiers: int) -> float:
        many = [(dossier(*life, number=n), at(25)) for n in range(dossiers)]
        start = time.process_time()
        found = ended(many, total_of("portal"), PERIOD, CalendarHistory())
        assert len(shortest_of(before, PERIOD, found, [Decimal(90)]).gained) == dossiers
        return time.process_time() - start

    assert min(spent(1000) for _ in range(3)) <= 30 * min(spent(100) for _ in range(3))


def test_what_ends_take_back_may_outweigh_what_came_and_is_then_not_counted() -> None:
    """A correction of an earlier month: no count is below 0, and of two ends the order is the same."""
    back, forth = ({IN_TIME: Move(by, NONE), RESULTS: Move(ONE, ONE)} for by in (-ONE, ONE))
    before = index(ON_TIME=(0, 500), ORIGINAL_RESULT_AVAILABLE=(0, 9))
    alone = shortest_of(before, PERIOD, [Ended(dossier(), at(26), back)], [ONE])
    assert alone.what_if.after.counts[IN_TIME].count is None and IN_TIME in alone.what_if.after.score.missing
    assert alone.gained == (alone.what_if.gain,) and alone.what_if.gain > 0
    for first, second in ((back, forth), (forth, back)):
        both = [Ended(dossier(number=n), at(26), some) for n, some in enumerate((first, second))]
        found = shortest_of(before, PERIOD, both, [Decimal(10)])
        assert found.what_if.after.counts[IN_TIME].count == CountPair(NONE, Decimal(500))
        assert found.gained[-1] == found.what_if.gain
