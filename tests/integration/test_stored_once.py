"""What is acknowledged is in the stream, whatever ids others choose; what is told twice is stored once, and what is
owed comes although an enemy has the credential of an emitter."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from nats.js.api import PubAck, StreamConfig
from nats.js.errors import NotFoundError

from infra.local.configure import broker_storage
from infra.local.servers import Instance
from schemas.envelope import Event
from schemas.field import ReportReceived
from schemas.health import VisitsReported
from schemas.keys import subject_of
from schemas.procedures import DossierAccepted, DossierExtended
from schemas.registry import make
from schemas.streams import ALERTS, EVENTS, STREAMS
from services.centre.prepare import settings_of
from services.deadlines.app import AGAIN_SECONDS, Said, poll
from services.kit import bus, clock, store, streams
from services.kit.imports import event_of, midnight

UNIT = "phuong_chon_thanh"
NUMBERS = count(1)
PAYMENTS = f"ioc.events.{UNIT}.procedures.payment.made"
OVERDUE = "ioc.events.*.procedures.dossier.overdue"
REPORTS = f"ioc.events.{UNIT}.field.report.received"


def publish(centre: Instance, user: str, subject: str, raw: bytes, **headers: str) -> PubAck:
    """What the broker answers to a raw client of that credential."""

    async def send() -> PubAck:
        async with bus.connected(settings_of(centre, "cli").model_copy(update={"user": user}), "test") as client:
            return await client.jetstream().publish(subject, raw, timeout=20, headers=headers or None)

    return asyncio.run(send())


def payment(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"BL-{number}/made",
        "source": f"/payments/{UNIT}",
        "type": "vn.ioc.payment.made.v1",
        "time": "2026-11-02T08:00:00+07:00",
        "unit": UNIT,
        "data": {"transaction": f"BL-{number}", "kind": "fee", "amount": 15000, "method": "cash"},
    }


def query(centre: Instance, sql: str, *values: Any) -> list[Any]:
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        return conn.execute(sql, values).fetchall()


def wait_for_log(centre: Instance, id: str, rows: int = 1) -> None:
    end = time.monotonic() + 90
    while len(query(centre, "SELECT FROM event WHERE id LIKE %s", id)) != rows:
        assert time.monotonic() < end, id
        time.sleep(0.2)


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    try:
        centre.start_services(["aggregator", "deadlines"])
        yield centre
    finally:
        for service in ("deadlines", "aggregator"):
            centre.stop_process(service)


def test_sources_that_number_their_messages_alike_lose_nothing_of_each_other(centre: Instance) -> None:
    acks = [
        publish(centre, user, subject, b"{", **{"Nats-Msg-Id": "1"})
        for user, subject in (
            ("emitter_payments", PAYMENTS),
            ("emitter_field", REPORTS),
            ("emitter_payments", PAYMENTS),
        )
    ]
    assert [ack.duplicate for ack in acks] == [None] * 3
    assert len({ack.seq for ack in acks}) == 3


def test_rubbish_under_the_id_of_a_coming_payment_hides_nothing(running: Instance) -> None:
    coming = payment(next(NUMBERS) + 70_000)
    event = make_event(coming)
    publish(running, "emitter_field", REPORTS, b"rubbish", **{"Nats-Msg-Id": event.message_id})
    publish(running, "emitter_payments", PAYMENTS, json.dumps(coming).encode(), **{"Nats-Msg-Id": event.message_id})
    wait_for_log(running, coming["id"])


def test_nobody_takes_a_key_of_a_payments_door_by_an_event_of_another_kind(running: Instance) -> None:
    coming = payment(next(NUMBERS) + 80_000)
    thief = coming | {
        "type": "vn.ioc.report.received.v1",
        "data": {"code": f"PA-THIEF-{next(NUMBERS)}", "channel": "app", "category": "road"},
    }
    publish(running, "emitter_field", REPORTS, json.dumps(thief).encode())
    publish(running, "emitter_payments", PAYMENTS, json.dumps(coming).encode())
    wait_for_log(running, coming["id"])
    assert query(running, "SELECT type FROM event WHERE id = %s", coming["id"]) == [("vn.ioc.payment.made.v1",)]


def test_nobody_takes_a_key_of_a_coming_import_by_an_event_of_another_kind(running: Instance) -> None:
    day = date(2026, 11, 2)
    said = VisitsReported(facility=f"tram_{next(NUMBERS)}_stored_once", day=day, visits=0, insured=0)
    coming = event_of("health", UNIT, midnight(day) + timedelta(hours=17), said)
    thief = payment(next(NUMBERS)) | {
        "id": coming.id,
        "source": coming.source,
        "type": "vn.ioc.report.received.v1",
        "data": {"code": f"PA-THIEF-{next(NUMBERS)}", "channel": "app", "category": "road"},
    }
    publish(running, "emitter_field", REPORTS, json.dumps(thief).encode())
    publish(running, "cli", coming.subject, coming.to_json())
    wait_for_log(running, coming.id)
    assert query(running, "SELECT type FROM event WHERE id = %s", coming.id) == [("vn.ioc.visits.reported.v1",)]


def test_nobody_speaks_as_the_board_with_the_credential_of_an_emitter(running: Instance) -> None:
    """A letter of apology has one id, which anybody can foretell."""
    code, told = overdue_dossier()
    publish(running, "cli", told.subject, told.to_json())

    def letter(days: int) -> Event:
        data = DossierExtended(code=code, promised_at=clock.now() + timedelta(days=days))
        return make(data, source="/board", id=f"{code}/extended", time=clock.now(), unit=UNIT)

    false, true = letter(9), letter(3)
    publish(running, "emitter_procedures", false.subject, false.to_json())
    publish(running, "board", subject_of(true), true.to_json())
    wait_for_log(running, true.id)
    ((data,),) = query(running, "SELECT data FROM event WHERE id = %s", true.id)
    assert datetime.fromisoformat(data["promised_at"]) == true.data.promised_at  # type: ignore[attr-defined]


def make_event(body: dict[str, Any]) -> Event:
    from schemas.registry import parse

    return parse(json.dumps(body).encode(), clock.now())


async def _window(centre: Instance, seconds: float | None) -> StreamConfig:
    """The stream of events as it was made before, or brought up to the declaration; its configuration then."""
    settings = settings_of(centre, "admin")
    async with bus.connected(settings, "test") as client:
        js = client.jetstream()
        if seconds is None:
            room = broker_storage(centre.data) or settings.nats_storage
            await streams.ensure_streams(js, settings.model_copy(update={"nats_storage": room}))
        else:
            config = (await js.stream_info(EVENTS.name)).config
            config.duplicate_window, config.sources = seconds, None
            await js.update_stream(config)
        return (await js.stream_info(EVENTS.name)).config


def test_a_stream_with_the_window_of_before_is_brought_up_in_place(centre: Instance) -> None:
    assert asyncio.run(_window(centre, 600)).duplicate_window == 600
    head = {"Nats-Msg-Id": f"before-{next(NUMBERS)}"}
    first, dropped = (publish(centre, "emitter_payments", PAYMENTS, b"{", **head) for _ in range(2))
    assert dropped.duplicate and dropped.seq == first.seq
    assert not asyncio.run(_window(centre, None)).duplicate_window
    end = time.monotonic() + 30
    # The broker forgets the ids in its own time.
    while (again := publish(centre, "emitter_payments", PAYMENTS, b"{", **head)).duplicate:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert again.seq > first.seq
    assert not asyncio.run(_window(centre, None)).duplicate_window  # and stays so


def test_a_stream_is_kept_as_long_as_is_set_and_by_itself_as_declared(centre: Instance) -> None:
    settings = settings_of(centre, "admin")
    room = {"nats_storage": broker_storage(centre.data) or settings.nats_storage}

    async def kept(**changed: Any) -> dict[str, float]:
        """Stream -> days, once the streams are made as set."""
        async with bus.connected(settings, "test") as client:
            js = client.jetstream()
            await streams.ensure_streams(js, settings.model_copy(update=room | changed))
            found = [(await js.stream_info(one.name)).config for one in STREAMS]
        return {str(one.name): (one.max_age or 0) / 86400 for one in found}

    declared = {one.name: one.max_age.days for one in STREAMS}
    assert asyncio.run(kept(stream_days={"QUARANTINE": 30})) == declared | {"QUARANTINE": 30}
    assert asyncio.run(kept()) == declared


def test_what_the_house_tells_of_alarms_has_ids_that_nobody_else_can_say(centre: Instance) -> None:
    def ids(user: str) -> str:
        return bus.private_id(settings_of(centre, "cli").model_copy(update={"user": user}), "alarm-step-1")

    assert ids("notifier") == ids("notifier") != ids("board") != ids("cli")
    acks = [
        publish(centre, user, f"ioc.alerts.{subject}", b"{}", **{"Nats-Msg-Id": ids(user)})
        for user, subject in (("board", "audit.login"), ("notifier", "field.raised"), ("notifier", "field.raised"))
    ]
    assert [bool(ack.duplicate) for ack in acks] == [False, False, True]
    assert acks[0].stream == ALERTS.name

    async def take_away() -> None:
        """What is no entry of the audit would be one for other tests of this centre."""
        async with bus.connected(settings_of(centre, "admin"), "test") as client:
            for ack in acks[:2]:
                assert await client.jetstream().delete_msg(ALERTS.name, ack.seq)

    asyncio.run(take_away())


def overdue_dossier() -> tuple[str, Event]:
    code = f"H99.97-261102-{next(NUMBERS) + 7000:04}"
    at = clock.now() - timedelta(days=30)
    data = DossierAccepted(code=code, promised_at=clock.now() - timedelta(days=9))
    return code, make(data, source="/test/once", id=f"{code}/1", time=at, unit=UNIT)


def overdue_report() -> tuple[str, Event]:
    code, at = f"PA-ONCE-{next(NUMBERS)}", clock.now() - timedelta(days=60)
    data = ReportReceived(code=code, channel="app", category="road")
    return code, make(data, source="/test/once", id=f"{code}/1", time=at, unit=UNIT)


def steal(notice: Event, user: str, type: str, data: dict[str, Any]) -> tuple[str, str, bytes]:
    """What an enemy says under the source and id of a notice that is to come."""
    body = json.loads(notice.to_json()) | {"type": type, "data": data}
    system = "field" if "report" in type else "procedures"
    return (
        user,
        f"ioc.events.{UNIT}.{system}.{type.removeprefix('vn.ioc.').removesuffix('.v1')}",
        json.dumps(body).encode(),
    )


def test_an_emitter_cannot_keep_back_what_is_overdue(running: Instance) -> None:
    from schemas.procedures import DossierOverdue
    from services.deadlines.notices import SOURCE

    code, told = overdue_dossier()
    assert isinstance(told.data, DossierAccepted)
    due = told.data.promised_at
    id = f"{code}/{due.astimezone(UTC).isoformat()}/overdue"
    notice = make(DossierOverdue(code=code, promised_at=due), source=SOURCE, id=id, time=due, unit=UNIT)
    for user, subject, raw in (
        steal(
            notice, "emitter_procedures", "vn.ioc.dossier.withdrawn.v1", {"code": f"H99.97-261103-{next(NUMBERS):04}"}
        ),
        steal(
            notice,
            "emitter_field",
            "vn.ioc.report.received.v1",
            {"code": f"PA-KEY-{next(NUMBERS)}", "channel": "app", "category": "road"},
        ),
        ("emitter_field", REPORTS, b"rubbish"),
    ):
        publish(running, user, subject, raw, **{"Nats-Msg-Id": notice.message_id})
    report, received = overdue_report()
    for event in (told, received):
        publish(running, "cli", event.subject, event.to_json())
    wait_for_log(running, f"{code}/%/overdue")
    wait_for_log(running, f"{report}/%/resolve")


def test_what_was_said_and_is_still_owed_is_said_again(running: Instance) -> None:
    """No notice is folded meanwhile: deadlines believes the fold alone."""
    running.stop_process("deadlines")
    code, told = overdue_dossier()
    publish(running, "cli", told.subject, told.to_json())
    wait_for_log(running, told.id)
    running.stop_process("aggregator")
    assert asyncio.run(_said(running, code)) == [1, 1, 2, 2, 3]


async def _said(centre: Instance, code: str) -> list[int]:
    """How many notices about the dossier lie in the stream after looks at these seconds."""
    now = [0.0]
    said, found = Said(lambda: now[0]), []
    settings = settings_of(centre, "cli").model_copy(update={"user": "deadlines"})
    async with store.pool(settings, "deadlines") as pool, bus.connected(settings, "test") as client:
        for seconds in (0, AGAIN_SECONDS - 1, AGAIN_SECONDS, 3 * AGAIN_SECONDS - 1, 3 * AGAIN_SECONDS):
            now[0] = seconds
            await poll(pool, client.jetstream(), said, datetime.now(UTC))
            found.append(await _notices(centre, code))
    return found


async def _notices(centre: Instance, code: str) -> int:
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        js, bodies, seq = client.jetstream(), [], 1
        with suppress(NotFoundError):  # there is no further one
            while True:
                message = await js.get_msg(EVENTS.name, seq, subject=OVERDUE, next=True)
                bodies.append(message.data or b"")
                seq = (message.seq or seq) + 1
    return sum(code.encode() in body for body in bodies)
