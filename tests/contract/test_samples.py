"""What was once published as a sample is accepted for ever, and shows every field."""

import json
from collections import defaultdict

import pytest

from schemas import contracts, registry
from schemas.calendar_history import CalendarHistory
from schemas.envelope import EntityRef, Event
from schemas.fold import Fact, in_order
from services.kit import clock

SAMPLES = {path: text for group in contracts.samples().values() for path, text in group.items()}
EVENTS = {path: registry.parse(text.encode(), clock.now()) for path, text in SAMPLES.items()}


def fact(event: Event) -> Fact:
    return Fact(event.time, event.key.hex, event.data.event, event.unit, event.origin, event.fields)


def stories() -> dict[EntityRef, list[Fact]]:
    """The samples, gathered to the entities that they tell about."""
    found = defaultdict(list)
    for event in EVENTS.values():
        for entity in event.touches:
            found[entity].append(fact(event))
    return {entity: in_order(facts) for entity, facts in found.items()}


def test_all_samples_are_accepted_and_every_type_has_one() -> None:
    assert contracts.unaccepted(SAMPLES, clock.now()) == []


def test_a_refused_or_missing_sample_is_named() -> None:
    path = "samples/payment.made.v1.json"
    spoilt = {**SAMPLES, path: SAMPLES[path].replace('"qr_code"', '"barter"')}
    lines = contracts.unaccepted(spoilt, clock.now())
    assert [line.partition(":")[0] for line in lines] == [path, path]
    assert "data.method" in lines[0] and "missing" in lines[1]


@pytest.mark.parametrize("name", registry.DATA_TYPES)
def test_the_samples_of_a_type_show_all_its_fields(name: str) -> None:
    shown = {field for text in contracts.samples()[name].values() for field in json.loads(text)["data"]}
    assert shown == set(registry.DATA_TYPES[name].model_fields)


@pytest.mark.parametrize("path", SAMPLES)
def test_a_sample_travels_unchanged(path: str) -> None:
    event = EVENTS[path]
    again = registry.parse(event.to_json(), clock.now(), event.subject)
    assert (again, again.key, again.digest) == (event, event.key, event.digest)


def test_samples_have_identities_of_their_own() -> None:
    assert len({event.key for event in EVENTS.values()}) == len(EVENTS)


@pytest.mark.parametrize("entity", stories(), ids=lambda e: f"{e.kind}-{e.id}")
def test_points_are_of_declared_measures_with_exactly_their_labels(entity: EntityRef) -> None:
    folded = registry.FOLDS[entity.kind](entity.id, stories()[entity], CalendarHistory())
    for point in folded.points:
        assert tuple(name for name, _ in point.labels) == registry.MEASURES[point.measure].labels
        assert all(isinstance(value, str) for _, value in point.labels)


def test_every_kind_of_entity_and_every_measure_is_met_by_the_samples() -> None:
    met = {
        point.measure
        for entity, facts in stories().items()
        for point in registry.FOLDS[entity.kind](entity.id, facts, CalendarHistory()).points
    }
    assert {entity.kind for entity in stories()} == set(registry.FOLDS)
    assert met == set(registry.MEASURES)


def test_names_are_unique_over_all_systems() -> None:
    modules = [module for module, *_ in registry.SYSTEMS.values()]
    assert len(registry.DATA_TYPES) == sum(len(module.EVENTS) for module in modules)
    assert len(registry.MEASURES) == sum(len(module.MEASURES) for module in modules)
    assert len(registry.FOLDS) == sum(len(module.FOLDS) for module in modules)


def test_every_event_touches_only_kinds_that_have_a_fold() -> None:
    for data in registry.DATA_TYPES.values():
        assert set(data.entities) <= set(registry.FOLDS), data.event
