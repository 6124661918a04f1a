"""The table of routes, what raises an alarm, when it is over, and the Watchdog."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from nats.aio.msg import Msg

from schemas.calendar_history import CalendarHistory
from schemas.contracts import samples
from schemas.fold import Fact
from schemas.keys import Bounds, Owners, parted, subject_by
from schemas.procedures.dossier import fold_dossier
from schemas.registry import event_models, parse
from schemas.sources import NOTICES
from schemas.streams import NOTIFIER
from services.aggregator.validate import admit
from services.notifier.alarm import RANKS, RUNBOOKS
from services.notifier.domain import KINDS, State, is_over, to_raise
from services.notifier.event_consumer import _understood
from services.notifier.routes import BadRoutes, load
from services.notifier.watchdog import SILENT, Watchdog
from services.notifier.webhook import Payload, active, understand

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
EXAMPLE = Path(__file__).resolve().parents[2] / "services" / "notifier" / "routes.example.toml"


def test_the_example_is_in_order() -> None:
    table = load(EXAMPLE)
    assert [route.name for route in table.routes] == ["critical", "dossiers", "platform"]
    assert load(None).routes == ()


PEOPLE = '[people]\nan = { name = "An", channels = [{ url = "json://x" }] }\n'
ROUTE = f'{PEOPLE}[[routes]]\nname = "r"\nsteps = [{{ to = ["an"] }}]\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[people]\nan == 1\n", "line 2"),
        ('[people]\nan = { name = "An", channels = [] }', "people.an.channels"),
        ('[people]\nan = { name = "An", channels = [{ }] }', "people.an.channels.0: give either url, or url_file"),
        (ROUTE.replace('"an"]', '"bo"]'), "the route r names bo, which is not there; known: an"),
        (f'{ROUTE}units = ["nowhere"]', "routes.0.units.0: no unit 'nowhere'"),
        (f'{ROUTE}systems = ["field", "x"]', "routes.0.systems.1: 'x' is no system"),
        (f'{ROUTE}digest = "often"', "'often' is no length of time; write 90s"),
        (f'{ROUTE}colour = "red"', "routes.0.colour"),
        (f"{ROUTE}{ROUTE.removeprefix(PEOPLE)}", "r is given twice"),
        (ROUTE.replace('[{ to = ["an"] }]', '[{ to = ["an"] }, { to = ["an"] }]'), "longer than the one's before"),
        (f'{PEOPLE}[rotas]\nduty = {{ people = ["an"], handover = "Moon 7" }}', "rotas.duty.handover"),
        (f'{PEOPLE}[rotas]\nduty = {{ people = ["x"] }}', "rotas.duty.people names x"),
    ],
)
def test_a_wrong_table_says_where_and_what(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(text)
    with pytest.raises(BadRoutes) as wrong:
        load(file)
    assert says in str(wrong.value) and str(file) in str(wrong.value)


def test_a_secret_stays_in_its_file(tmp_path: Path) -> None:
    channel = load(EXAMPLE).people["an"].channels[0]
    (tmp_path / "an_telegram").write_text("tgram://bot/chat\n")
    assert channel.address(tmp_path) == "tgram://bot/chat"
    with pytest.raises(FileNotFoundError):
        channel.address(None)


def test_the_consumer_hears_exactly_what_raises_an_alarm() -> None:
    heard = {f"{model.model_fields['data'].annotation.system}.{name}" for name, model in _raising()}  # type: ignore[union-attr]
    subjects = [parted(subject) for subject in NOTIFIER.subjects]
    assert {own.removeprefix("ioc.events.*.") for own, by in subjects if by is None} == heard
    by_keys = {name for name in heard if not name.endswith(NOTICES)}
    assert {own.removeprefix("ioc.events.*.") for own, by in subjects if by == "*"} == by_keys


def _raising() -> list[tuple[str, Any]]:
    events = {model.model_fields["data"].annotation.event: model for model in event_models().values()}  # type: ignore[union-attr]
    return [(name, events[name]) for name in KINDS]


def test_every_sample_that_raises_an_alarm_becomes_one_with_its_texts() -> None:
    found = []
    for named in samples().values():
        for text in named.values():
            event = parse(text if isinstance(text, bytes) else text.encode(), NOW + 3650 * DAY)
            if one := to_raise(event):
                found.append(event.data.event)
                assert one.kind and one.entity and one.due_at and one.originator.startswith(f"{one.kind}:{one.entity}")
                assert "{" not in one.vi + one.en + one.do_vi + one.do_en
    assert set(found) == set(KINDS)


def test_every_alarm_has_a_runbook() -> None:
    types = {kind.type for kind in KINDS.values()} | {"AlertingSilent", "DossierAssigned", "NotificationFailing"}
    assert types == RUNBOOKS.keys()
    assert [name for name in RUNBOOKS.values() if not (FOLDER / f"{name}.md").exists()] == []


def state(
    ended: datetime | None = None, due: datetime | None = None, facts: tuple[Fact, ...] = (), **known: Any
) -> State:
    return State(1, ended, due, known, list(facts))


def accepted(due: datetime, asked: datetime | None = None) -> State:
    """A dossier with this promise, as it is stored; papers may have been asked for."""
    life = [Fact(NOW - 9 * DAY, "a", "dossier.accepted", "u", "real", {"promised_at": due.isoformat()})]
    if asked:
        life.append(Fact(asked, "b", "dossier.supplement_requested", "u", "real", {}))
    stored = fold_dossier("D", life, CalendarHistory())
    return state(stored.ended_at, stored.due_at, tuple(life), **stored.state)


def test_a_dossier_is_over_when_it_ended_or_its_promise_moved() -> None:
    due = NOW - 3 * DAY
    assert not is_over("dossier", None, due, accepted(due), NOW)
    assert is_over("dossier", None, due, accepted(due)._replace(ended_at=NOW), NOW)
    assert is_over("dossier", None, due, accepted(NOW + DAY), NOW)
    assert is_over("dossier", None, due, accepted(due, asked=due - DAY), NOW)
    assert not is_over("dossier", None, due, accepted(due, asked=NOW - DAY), NOW)
    assert not is_over("dossier", None, due, state(), NOW)  # known by its notice alone


def fact(event: str, hours: int) -> Fact:
    return Fact(NOW + timedelta(hours=hours), str(hours), f"report.{event}", "u", "real", {})


def test_a_report_is_over_for_a_stage_when_that_was_reached_in_its_stretch() -> None:
    received, due = fact("received", 0), NOW + timedelta(hours=1)
    open_ = state(facts=(received, fact("verified", 2)))
    assert not is_over("report", "route", due, open_, NOW)
    routed = state(facts=(received, fact("routed", 2)))
    assert is_over("report", "route", due, routed, NOW) and not is_over("report", "accept", due, routed, NOW)
    resolved = (received, fact("resolved", 5), fact("reopened", 8))
    assert is_over("report", "accept", due, state(facts=resolved), NOW)
    assert not is_over("report", "accept", NOW + timedelta(hours=9), state(facts=resolved), NOW)
    assert is_over("incident", None, due, state(ended=NOW), NOW) and not is_over("crisis", None, due, state(), NOW)


def payload(status: str = "firing", **labels: str) -> Payload:
    one = {"status": status, "labels": labels, "annotations": {"summary": "Trouble"}}
    return Payload.model_validate({"version": "4", "alerts": [one], "receiver": "x"})


def test_an_alert_of_anyones_rules_becomes_an_alarm() -> None:
    [one] = understand(payload(alertname="DiskFull", severity="page", folder="/a", instance="b")).raised
    assert (one.originator, one.type, one.severity, one.system, one.unit) == (
        "folder=/a,instance=b", "DiskFull", "warning", "platform", "all",
    )  # fmt: skip
    assert (one.vi, one.origin, one.dashboard) == ("Trouble", "real", "/d/ioc-platform?var-unit=all")
    assert understand(payload(alertname="Watchdog", severity="info")) == ([], [], True)
    assert understand(payload("resolved", alertname="Watchdog", severity="info")) == ([], [], False)
    assert understand(payload(alertname="DiskFull")).watchdog is None


def test_what_goes_on_is_known_by_the_same_key_whether_it_is_told_or_not() -> None:
    labels = {"alertname": "DiskFull", "system": "platform", "folder": "/a"}
    listed = [{"labels": labels | {"severity": s}, "status": {"state": "suppressed"}} for s in ("critical", "warning")]
    [alarm] = understand(payload(**labels)).raised
    assert active(json.dumps(listed).encode()) == {alarm.key: RANKS["critical"]}
    assert active(b"[]") == {}
    with pytest.raises(ValueError, match="labels"):
        active(b'[{"status": {}}]')


def test_a_silent_watchdog_is_noticed() -> None:
    dog = Watchdog(NOW)
    assert not dog.is_silent(NOW + SILENT) and dog.is_silent(NOW + SILENT + MINUTE)
    dog.hear(NOW + DAY)
    assert not dog.is_silent(NOW + DAY + SILENT) and dog.is_silent(NOW + DAY + SILENT + MINUTE)


def test_an_end_is_believed_once_the_road_was_open_for_so_long_after_it() -> None:
    settling = timedelta(seconds=90)
    dog = Watchdog(NOW - DAY)  # it was another process that heard it before
    assert dog.believed(settling) is None and dog.believed(timedelta()) is None
    dog.hear(NOW)
    dog.hear(NOW + MINUTE)
    assert dog.believed(settling) is None
    dog.hear(NOW + 2 * MINUTE)
    assert dog.believed(settling) == NOW + 2 * MINUTE - settling
    assert dog.believed(timedelta()) == NOW + 2 * MINUTE


@pytest.mark.parametrize("said", [True, False])
def test_a_road_that_was_broken_is_open_from_when_the_watchdog_is_heard_again(said: bool) -> None:
    dog, back = Watchdog(NOW), NOW + MINUTE if said else NOW + SILENT + MINUTE
    dog.hear(NOW)
    if said:
        dog.end()
    for after in range(3):
        assert dog.believed(2 * MINUTE) is None
        dog.hear(back + after * MINUTE)
    assert dog.believed(2 * MINUTE) == back


def told(source: str, by: str | None = None, headers: dict[str, str] | None = None) -> Msg:
    said = {
        "specversion": "1.0", "id": "SC-1", "source": source, "type": "vn.ioc.incident.opened.v1",
        "time": NOW.isoformat(), "unit": "phuong_chon_thanh",
        "data": {"code": "SC-26.0001", "severity": "critical", "category": "malware"},
    }  # fmt: skip
    subject = subject_by("ioc.events.phuong_chon_thanh.security.incident.opened", by)
    reply = f"$JS.ACK.EVENTS.notifier.1.7.7.{int(NOW.timestamp() * 1e9)}.0"
    return Msg(_client=cast(Any, None), subject=subject, reply=reply, data=json.dumps(said).encode(), headers=headers)


@pytest.mark.parametrize(
    ("message", "raises"),
    [
        (told("/soc", "soc"), True),
        (told("/soc/tram", "soc"), True),
        (told("/nobody"), True),
        (told("/soc"), False),
        (told("/soc", "ward"), False),
        (told("/ward", "ward"), False),
        (told("/soc", "a-key-that-never-was"), False),
        (told("/board"), False),
        (told("/soc", "soc", {"X-Note": "gọi 0912345678"}), False),
    ],
)
def test_nobody_is_told_of_what_the_aggregator_refuses(message: Msg, raises: bool) -> None:
    """An incident under another's source, or beyond the key that it came by, is stored nowhere."""
    keys = [
        Bounds("soc", "/soc", ("security",), ("phuong_chon_thanh",)),
        Bounds("ward", "/ward", ("security",), ("phuong_minh_hung",)),
    ]
    owners = Owners(keys)
    assert (_understood(message, owners, NOW) is not None) == raises
    assert (admit([message], NOW, owners)[0] != []) == raises
