"""After the scenario's end its units go on: made up and marked so, in order, the same each time, and nothing before."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

import pytest

from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event
from schemas.fold import Fact
from schemas.procedures.dossier import fold_dossier
from schemas.registry import parse
from services.simulator import november_2024
from services.simulator.november_2024 import continued

WEEKS = 103
CLOSE = november_2024.CLOSE + timedelta(weeks=WEEKS)
"""A Sunday; the Tuesday after it, 24 November 2026, is a day off."""


@pytest.fixture(scope="module")
def days() -> list[Event]:
    """A Sunday, a Monday and a day off."""
    return list(takewhile(lambda e: e.time < CLOSE + timedelta(days=3), continued(WEEKS, CLOSE)))


def test_it_begins_with_the_end_and_goes_on_in_order(days: list[Event]) -> None:
    assert len(days) > 10_000
    assert min(e.time for e in days) >= CLOSE
    assert all(a.time <= b.time for a, b in pairwise(days))


def test_every_event_is_accepted_is_made_up_and_has_an_id_of_its_own(days: list[Event]) -> None:
    for event in days[::7]:
        assert parse(event.to_json(), event.time).digest == event.digest
    assert {(e.origin, e.shiftdays) for e in days} == {("simulated", 7 * WEEKS)}
    assert len({e.key for e in days}) == len(days)


def test_a_part_is_the_part_of_the_whole(days: list[Event]) -> None:
    since = CLOSE + timedelta(days=1, hours=10, minutes=17)
    part = list(takewhile(lambda e: e.time < CLOSE + timedelta(days=3), continued(WEEKS, since)))
    assert [e.digest for e in part] == [e.digest for e in days if e.time >= since]


def test_nothing_is_filed_at_the_counter_on_a_day_off(days: list[Event]) -> None:
    counter = [e for e in days if e.data.event == "dossier.submitted" and e.fields["channel"] != "online"]
    assert {e.time.astimezone(VN).date() for e in counter} == {(CLOSE + timedelta(days=1)).date()}


def test_what_the_scenario_left_open_is_finished_and_its_own_points_stay(days: list[Event]) -> None:
    later: dict[str, list[Event]] = defaultdict(list)
    for event in days:
        if "code" in event.fields:
            later[event.fields["code"]].append(event)
    before: dict[str, list[Event]] = defaultdict(list)
    for event in november_2024.events(WEEKS):
        if (code := vars(event.data).get("code")) in later:
            before[code].append(event)
    finished = [code for code in before if any(e.data.event == "dossier.resolved" for e in later[code])]
    assert len(finished) > 3000
    assert all(e.origin == "shifted" for events in before.values() for e in events)
    for code in finished[::20]:
        alone, whole = points(code, before[code]), points(code, [*before[code], *later[code]])
        assert [p for p in whole if p.time < CLOSE] == [p for p in alone if p.time < CLOSE]


def points(code: str, events: list[Event]) -> list[object]:
    facts = [Fact(e.time, e.key.hex, e.data.event, e.unit, e.origin, e.fields, e.shiftdays) for e in events]
    folded = fold_dossier(code, sorted(facts), CalendarHistory())
    return sorted(folded.points)


def test_a_year_later_it_still_goes_on() -> None:
    since = datetime(2027, 11, 8, 2, tzinfo=UTC)
    hour = list(takewhile(lambda e: e.time < since + timedelta(hours=1), continued(WEEKS, since)))
    assert len(hour) > 500
