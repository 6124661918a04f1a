"""A report that is taken back: figures are as if it had never been told, and the past is as it was known then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas import contracts, registry
from schemas.calendar_history import CalendarHistory
from schemas.envelope import EntityRef
from schemas.fold import Fact, Folded, in_order
from schemas.keys import Bounds
from schemas.retraction import RETRACTED, in_letters
from schemas.sources import RETRACTIONS
from services.aggregator.folding import earliest, fold
from services.kit import clock

START = datetime(2024, 12, 2, 1, tzinfo=UTC)
UNIT = "chon_thanh"
KINDS = {
    "statistic": ("indicator.reported", "indicator.retracted"),
    "target": ("indicator.target_set", "indicator.target_retracted"),
    "roster": ("roster.reported", "roster.retracted"),
    "visits": ("visits.reported", "visits.retracted"),
    "beds": ("beds.reported", "beds.retracted"),
    "health_record": ("health_record.linked", "health_record.retracted"),
    "antivirus": ("antivirus.reported", "antivirus.retracted"),
}


def sample(event: str) -> dict[str, Any]:
    texts = contracts.samples()[f"vn.ioc.{event}.v1"]
    data: dict[str, Any] = json.loads(next(iter(texts.values())))["data"]
    return data


def report(kind: str, number: int, day: int, **changed: Any) -> Fact:
    """The report as the sample has it, with what is changed in it."""
    event = KINDS[kind][0]
    return Fact(START + timedelta(days=day), f"{number:032x}", event, UNIT, "real", {**sample(event), **changed})


def taken_back(kind: str, number: int, day: int, back: int) -> Fact:
    data = {**sample(KINDS[kind][1]), "report": in_letters(f"{back:032x}")}
    return Fact(START + timedelta(days=day), f"{number:032x}", KINDS[kind][1], UNIT, "real", data)


def folded(kind: str, *facts: Fact) -> Folded:
    return fold(EntityRef(kind, "X-1"), in_order(facts), CalendarHistory())


def notes(folded: Folded) -> list[tuple[str, int]]:
    return [(note.code, int(note.key, 16)) for note in folded.notes]


def known_at(folded: Folded, day: float) -> Sequence[str]:
    """The values of the vintages that are in force at a moment, the one that counts last."""
    from services.readings.statements import _is_known

    return [v["value"] for v in folded.state["vintages"] if _is_known(v, START + timedelta(days=day))]


def test_each_report_that_a_form_can_give_can_be_taken_back() -> None:
    for reported, retracted in KINDS.values():
        one, other = (registry.DATA_TYPES[f"vn.ioc.{event}.v1"] for event in (reported, retracted))
        told, back = sample(reported), sample(retracted)
        assert one.touched(UNIT, told) == other.touched("phuong_chon_thanh", {**told, **back, "of_unit": UNIT})


@pytest.mark.parametrize("kind", KINDS)
def test_without_another_report_there_is_none_left(kind: str) -> None:
    gone = folded(kind, report(kind, 1, 0), taken_back(kind, 2, 1, back=1))
    assert (gone.status, gone.opened_at, gone.points) == (RETRACTED, None, [])
    assert notes(gone) == [(RETRACTED, 1)]
    again = folded(kind, report(kind, 1, 0), taken_back(kind, 2, 1, back=1), report(kind, 3, 2, revision=1))
    assert again.opened_at is not None
    assert again.points == folded(kind, report(kind, 3, 2, revision=1)).points


@pytest.mark.parametrize("kind", ["roster", "visits", "beds", "health_record", "antivirus"])
def test_the_report_before_counts_again(kind: str) -> None:
    field = {"roster": "pupils", "visits": "visits", "beds": "beds", "health_record": "linked", "antivirus": "installs"}
    first, second = report(kind, 1, 0), report(kind, 2, 1, **{field[kind]: 200, "revision": 1, "insured": 1})
    both = folded(kind, first, second, taken_back(kind, 3, 2, back=2))
    assert both.points == folded(kind, first).points != folded(kind, first, second).points
    assert both.state[RETRACTED] == 1 and notes(both) == [(RETRACTED, 2)]
    assert folded(kind, first, second, taken_back(kind, 3, 2, back=1)).points == folded(kind, first, second).points


def test_a_vintage_that_was_taken_back_is_known_until_then() -> None:
    first, second = report("statistic", 1, 0, value="10"), report("statistic", 2, 4, value="20", revision=1)
    found = folded("statistic", first, second, taken_back("statistic", 3, 6, back=2))
    assert [known_at(found, day) for day in (-1, 1, 5, 6, 9)] == [[], ["10"], ["10", "20"], ["10"], ["10"]]
    assert found.state["value"] == "10" and found.status == "reported"
    none = folded("statistic", first, taken_back("statistic", 3, 6, back=1))
    assert (known_at(none, 5), known_at(none, 6)) == (["10"], [])


@pytest.mark.parametrize("kind", ["statistic", "visits"])
def test_what_takes_nothing_back_is_noted(kind: str) -> None:
    told = report(kind, 1, 4)
    early, of_none = taken_back(kind, 2, 4, back=1), taken_back(kind, 3, 5, back=77)
    found = folded(kind, told, early, of_none)
    assert found.points == folded(kind, told).points and found.opened_at is not None
    assert notes(found) == [("superseded", 2), ("superseded", 3)]
    twice = folded(kind, told, taken_back(kind, 2, 5, back=1), taken_back(kind, 3, 6, back=1))
    assert notes(twice) == [(RETRACTED, 1), ("repeated", 3)]
    alone = folded(kind, of_none)
    assert (alone.status, alone.opened_at) == ("awaited", None), "it waits for its report, as every step does"


def test_only_the_centres_own_hand_takes_back() -> None:
    assert {event for _, event in KINDS.values()} == set(RETRACTIONS)
    assert all(RETRACTIONS[n] in registry_events() for n in range(len(RETRACTIONS)))
    key = Bounds("tram-y-te", "/tram-y-te", ("health",), ())
    text = next(iter(contracts.samples()["vn.ioc.visits.retracted.v1"].values()))
    event = registry.parse(json.dumps({**json.loads(text), "source": "/tram-y-te"}).encode(), clock.now())
    assert key.refusal(event) is not None
    assert "ioc.events.*.health.visits.retracted.tram-y-te" in key.withheld()
    assert earliest(event) == datetime(2024, 11, 4, 17, tzinfo=UTC), "it moves the figures of the report's own day"


def registry_events() -> set[str]:
    return {data.event for data in registry.DATA_TYPES.values()}
