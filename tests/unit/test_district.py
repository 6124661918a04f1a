"""The simulated district: the same each time, alive by the clock and the calendar, valid where it means to be."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import islice, pairwise

import pytest

from schemas.calendar import VN, local_day
from schemas.envelope import Invalid
from schemas.registry import DATA_TYPES, SYSTEMS, parse
from schemas.retraction import is_retraction
from services.simulator.district import Plan, Sending, delivery
from services.simulator.district.geography import WARDS
from services.simulator.district.hours import HOURS
from services.simulator.district.plan import LEAST_RATE
from services.simulator.district.tables import COURSES
from services.simulator.district.truth import expected
from services.simulator.district.workflows import Cohort

MONDAY = datetime(2026, 3, 2, tzinfo=VN)
FRIDAY = MONDAY + timedelta(days=4)
END = FRIDAY + timedelta(days=4)
BY_OTHERS = {"dossier.due_soon", "dossier.overdue", "report.overdue", "device.state_changed"}
"""What services tell, and devices themselves."""


@pytest.fixture(scope="module")
def days() -> list[Sending]:
    """A Friday, a weekend and a Monday."""
    return list(Plan(3, FRIDAY, 0.1).sendings(END))


def bytes_of(sendings: list[Sending]) -> list[tuple[datetime, bytes, str, str, str]]:
    return [(s.at, s.raw, s.subject, s.message_id, s.kind) for s in sendings]


def test_one_seed_gives_the_same_bytes_and_another_does_not() -> None:
    until = MONDAY + timedelta(hours=10)
    first = bytes_of(list(Plan(3, MONDAY, 0.2).sendings(until)))
    assert bytes_of(list(Plan(3, MONDAY, 0.2).sendings(until))) == first
    other = {raw for _, raw, *_ in bytes_of(list(Plan(4, MONDAY, 0.2).sendings(until)))}
    assert not other & {raw for _, raw, *_ in first}


def test_a_part_is_the_part_of_the_whole(days: list[Sending]) -> None:
    since, until = FRIDAY + timedelta(days=3, hours=9, minutes=17), FRIDAY + timedelta(days=3, hours=14)
    part = list(Plan(3, FRIDAY, 0.1).sendings(until, since))
    assert bytes_of(part) == bytes_of([s for s in days if since <= s.at < until])
    assert len(part) > 500


def test_it_is_sent_in_order_and_nothing_is_known_before_it_happens(days: list[Sending]) -> None:
    assert all(a.at <= b.at for a, b in pairwise(days))
    assert all(FRIDAY <= s.event.time <= s.at for s in days if s.event)


def test_a_start_in_the_middle_of_a_half_hour_begins_no_earlier() -> None:
    start = MONDAY + timedelta(hours=9, minutes=17, seconds=31)
    events = [s.event for s in Plan(3, start, 5).sendings(start + timedelta(minutes=40)) if s.event]
    assert min(e.time for e in events) >= start
    begun = {e.fields["code"] for e in events if e.data.event == "dossier.submitted"}
    in_order = {e.fields["code"] for e in events if e.data.event == "dossier.accepted"}
    assert in_order <= begun


@pytest.mark.parametrize("start", [MONDAY, MONDAY + timedelta(hours=9, minutes=17)])
def test_online_services_that_are_used_are_offered(start: datetime) -> None:
    """Their share is a share, never more than the whole."""
    events = [s.event for s in Plan(3, start, 0.1).sendings(start + timedelta(days=4)) if s.event]
    services: dict[tuple[str, str], dict[str, object]] = {}
    for event in sorted((e for e in events if e.data.event == "procedure.published"), key=lambda e: e.time):
        services[event.unit, event.fields["procedure"]] = event.fields
    used = {(e.unit, e.fields["procedure"]) for e in events
            if e.data.event == "dossier.submitted" and e.fields["online_level"] != "none"}  # fmt: skip
    assert len(used) > 2 * len(WARDS) and {unit for unit, _ in services} == {ward.unit for ward in WARDS}
    assert not [one for one in used if not services.get(one, {}).get("offered")]


def test_what_is_meant_is_accepted_and_what_is_careless_is_refused(days: list[Sending]) -> None:
    reasons = set()
    for s in days:
        if s.event is None:
            assert s.kind == "refused"
            with pytest.raises(Invalid) as refused:
                parse(s.raw, s.at, s.subject)
            reasons.add(refused.value.code)
        else:
            assert parse(s.raw, s.at, s.subject).digest.hex == s.message_id
    assert reasons == {"not_json", "unknown_type", "bad_value", "missing_field", "wrong_unit"}


def test_every_event_says_that_it_is_simulated_and_has_an_id_of_its_own(days: list[Sending]) -> None:
    meant = [s.event for s in days if s.event and s.kind == "meant"]
    assert {e.origin for e in meant} == {"simulated"}
    assert len({e.key for e in meant}) == len(meant)
    assert {e.source.split("/")[2] for e in meant} == set(SYSTEMS)


def test_a_repetition_is_of_something_sent_before(days: list[Sending]) -> None:
    sent: set[str] = set()
    repeats = 0
    for s in days:
        assert (s.message_id in sent) == (s.kind == "repeat")
        sent.add(s.message_id)
        repeats += s.kind == "repeat"
    assert 0.005 < repeats / len(days) < 0.03


def test_every_type_of_event_occurs() -> None:
    before_tet = datetime(2026, 1, 26, tzinfo=VN)
    plan = Plan(1, before_tet, LEAST_RATE)
    met: set[tuple[str, int]] = set()
    seen: set[str] = set()
    for at, stream in plan.streams(before_tet + timedelta(days=31)):
        step = stream.cohort.course.name, stream.step_number
        if step not in met and (event := stream.sending(at).event):
            met.add(step)
            seen.add(event.data.event)
    told = {data.event for data in DATA_TYPES.values() if not is_retraction(data.event)}
    assert told - seen == BY_OTHERS


def test_the_rate_is_met_once_all_lives_go_on() -> None:
    since = MONDAY + timedelta(days=28)
    plan = Plan(6, MONDAY, 0.2)
    sent = Counter(stream.kind for _, stream in plan.streams(since + timedelta(days=7), since))
    assert 0.18 < sent["meant"] / (7 * 86_400) < 0.22


def counted(plan: Plan, since: datetime, days: int) -> Counter[date]:
    """Dossiers filed, by day."""
    found: Counter[date] = Counter()
    for _, stream in plan.streams(since + timedelta(days=days), since):
        if stream.kind == "meant" and stream.cohort.course.name.startswith("dossier") and stream.step_number == 0:
            found[local_day(stream.cohort.start)] += 1
    return found


def test_weekends_are_quiet_and_tet_is_quieter() -> None:
    start = datetime(2026, 2, 8, tzinfo=VN)
    filed = counted(Plan(2, start, 0.2), start, 10)
    sunday, monday, tet = date(2026, 2, 8), date(2026, 2, 9), date(2026, 2, 17)
    assert filed[monday] > 4 * filed[sunday] > 0
    assert filed[sunday] > 1.5 * filed[tet]


def test_the_counter_has_its_lunch_and_its_closing_time(days: list[Sending]) -> None:
    filed = [
        s.event.time.astimezone(VN)
        for s in days
        if s.event and s.event.data.event == "dossier.submitted" and s.event.fields["channel"] == "counter"
    ]
    assert len(filed) > 200
    minutes = [t.hour * 60 + t.minute for t in filed]
    assert all(7 * 60 <= m < 11 * 60 + 30 or 13 * 60 + 30 <= m < 17 * 60 for m in minutes)
    assert all(t.weekday() < 5 for t in filed)


def test_some_come_late_and_a_silent_source_sends_what_it_kept(days: list[Sending]) -> None:
    waits = [(s.at - s.event.time).total_seconds() for s in days if s.event and s.kind == "meant"]
    assert 0.01 < sum(w > 180 for w in waits) / len(waits) < 0.15
    source = "/simulator/procedures/one_stop"
    quiet = next(q for n in range(4) if (q := delivery.silence(3, source, (FRIDAY + timedelta(days=n)).date())))
    sent = [s.at for s in days if s.event and s.event.source == source]
    assert not [at for at in sent if quiet.start <= at < quiet.stop]
    assert timedelta(minutes=20) <= quiet.stop - quiet.start <= timedelta(minutes=60)
    assert [at for at in sent if quiet.stop <= at < quiet.level]


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_the_steps_of_a_course_follow_each_other(course: object) -> None:
    from services.simulator.district.workflows import Workflow

    assert isinstance(course, Workflow)
    hours = HOURS[course.hours]
    slots = [MONDAY + timedelta(days=d, minutes=30 * n) for d in (0, 2, 6) for n in range(48)]
    for slot in [s for s in slots if hours.weight(s)][:40]:
        cohort = Cohort("ABC123", 1, course, 1, WARDS[0], slot)
        cohort.size = 3
        lives = [cohort.life(n) for n in range(3)]
        for life in lives:
            times = [life.at(step) for step in course.steps]
            assert times == sorted(times)
            assert times[-1] - cohort.start < course.longest
        for step in course.steps:
            assert [life.at(step) for life in lives] == sorted(life.at(step) for life in lives)


def test_memory_does_not_grow_with_the_rate() -> None:
    def peak(rate: float) -> int:
        """Bytes held for 4,000 messages from nine o'clock of a Monday on."""
        tracemalloc.start()
        for _ in islice(Plan(5, MONDAY + timedelta(hours=9), rate).sendings(END), 4000):
            pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    peak(1)  # what is imported and cached
    slow, fast = peak(5), peak(5000)
    assert fast < 2 * slow
    assert fast < 20_000_000


def test_the_books_count_every_message_once(days: list[Sending]) -> None:
    truth = expected(Plan(3, FRIDAY, 0.1), END)
    kinds = Counter(s.kind for s in days)
    assert (truth.events, truth.repeats, truth.refused) == (kinds["meant"], kinds["repeat"], kinds["refused"])
    assert len(list(truth.keys())) == truth.events
    assert len({indicator for indicator, _ in truth.figures}) >= 25
    by_unit = sum(v for (i, unit), v in truth.figures.items() if i == "payments_amount" and unit)
    assert by_unit == truth.figures["payments_amount", ""] > 0


@pytest.mark.parametrize(
    ("start", "rate", "reason"),
    [
        (MONDAY, 0.01, "rate"),
        (MONDAY, 6000, "rate"),
        (MONDAY.replace(tzinfo=None), 1, "time zone"),
        (datetime(2025, 6, 30, tzinfo=VN), 1, "founded"),
    ],
)
def test_an_impossible_plan_says_why(start: datetime, rate: float, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Plan(1, start, rate)
