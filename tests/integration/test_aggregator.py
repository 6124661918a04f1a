"""The aggregator on real servers: duplicates, disorder, two at once, SIGKILL at random moments, poison, conflicts,
outages."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from nats.js import JetStreamContext
from support import wait_until_idle

from infra.local.servers import Instance
from schemas.calendar_history import CalendarHistory
from schemas.contracts import samples
from schemas.envelope import EntityRef, Event
from schemas.fold import Fact
from schemas.registry import parse
from schemas.streams import AGGREGATOR
from services.aggregator import rebuild
from services.aggregator.folding import facts_of, fold
from services.aggregator.validate import head
from services.centre.prepare import prepare, settings_of
from services.kit import bus, position, store, streams
from services.kit.facts import pack
from services.simulator.november_2024 import events as scenario

SUBJECT = "ioc.events.chon_thanh.procedures.dossier.submitted"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def centre(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    """A centre of this module's own: its servers are killed and its streams filled with bad things."""
    running = new_centre(open_folder / "aggregator")
    try:
        running.start(["nats", "timescaledb"])
        yield running
    finally:
        running.stop()


def sample(name: str) -> dict[str, Any]:
    """A fresh copy of the golden sample of an event, e.g. `dossier.submitted`."""
    text = samples()[f"vn.ioc.{name}.v1"][f"samples/{name}.v1.json"]
    body: dict[str, Any] = json.loads(text)
    return body


def event_of(body: dict[str, Any]) -> Event:
    return parse(json.dumps(body).encode(), NOW)


def a_month(dossiers: int) -> list[Event]:
    """The whole lives of some of the scenario's dossiers with their payments, its other events thinned out, all
    golden samples."""
    everything = list(scenario())
    lives = {ref for e in everything[:: len(everything) // dossiers] for ref in e.touches}
    chosen = [e for e in everything if lives & set(e.touches)]
    golden = [event_of(json.loads(text)) for variants in samples().values() for text in variants.values()]
    return list({e.key: e for e in [*chosen, *golden]}.values())


async def _publish(centre: Instance, messages: list[tuple[str, bytes]]) -> None:
    """Put bytes into the stream as they are, without the ids by which the broker would drop repetitions."""
    async with bus.connected(settings_of(centre, "cli"), "test") as client:
        await bus.publish_raw(client.jetstream(), (bus.Outgoing(*message) for message in messages))


def publish(centre: Instance, messages: list[tuple[str, bytes]]) -> None:
    asyncio.run(_publish(centre, messages))


def wire(events: list[Event]) -> list[tuple[str, bytes]]:
    return [(e.subject, e.to_json()) for e in events]


def quarantined(centre: Instance) -> list[tuple[str, str, bytes]]:
    """(code, reason, body) of all that lies in the quarantine."""

    async def read() -> list[tuple[str, str, bytes]]:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            js = client.jetstream()
            state = (await js.stream_info("QUARANTINE")).state
            found = []
            for seq in range(state.first_seq, state.last_seq + 1) if state.messages else ():
                message = await js.get_msg("QUARANTINE", seq)
                head = message.headers or {}
                found.append((head["Ioc-Code"], head["Ioc-Reason"], message.data or b""))
            return found

    return asyncio.run(read())


def sql(centre: Instance, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings_of(centre, "cli").database("reader")) as conn:
        return conn.execute(query, values).fetchall()  # type: ignore[arg-type]


def disagreements(centre: Instance) -> list[Any]:
    return rebuild.check(settings_of(centre, "cli").database("owner"), lambda *_: None)


def second_aggregator(centre: Instance) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **centre.env("aggregator")}
    environment.pop("IOC_HEALTH_PORT", None)
    log = (centre.data / "logs" / "aggregator-2.log").open("ab")
    return subprocess.Popen([sys.executable, "-m", "services.aggregator"], env=environment, stdout=log, stderr=log)


def reference(events: list[Event]) -> tuple[dict[EntityRef, tuple[Any, ...]], dict[tuple[Any, ...], Any]]:
    """What the log means, computed in one go without a database: entities, and the sum of every series by day."""
    by_entity: dict[EntityRef, list[Fact]] = defaultdict(list)
    for event in events:
        for ref, fact in facts_of(event).items():
            by_entity[ref].append(fact)
    entities, days = {}, defaultdict(int)
    for ref, facts in by_entity.items():
        folded = fold(ref, facts, CalendarHistory())
        entities[ref] = (
            folded.status,
            folded.due_at,
            folded.ended_at,
            folded.state,
            {json.dumps(pack(f), sort_keys=True) for f in facts},
        )
        for p in folded.points:
            day = (p.time + timedelta(hours=7)).date()
            days[p.measure, p.unit, p.origin, tuple(sorted(p.labels)), day] += p.value
    return entities, {place: total for place, total in days.items() if total}


def live(centre: Instance) -> tuple[dict[EntityRef, tuple[Any, ...]], dict[tuple[Any, ...], Any]]:
    rows = sql(centre, "SELECT kind, id, status, due_at, ended_at, state, facts FROM entity")
    entities = {
        EntityRef(kind, id): (status, due, ended, state, {json.dumps(f, sort_keys=True) for f in facts})
        for kind, id, status, due, ended, state, facts in rows
    }
    days = sql(
        centre,
        "SELECT measure, unit, origin, labels, (bucket + interval '7 hours')::date, sum"
        " FROM rollup_day JOIN series ON id = series",
    )
    return entities, {(m, u, o, tuple(sorted(x.items())), day): total for m, u, o, x, day, total in days if total}


def test_twice_shuffled_two_aggregators_and_sigkill_give_the_reference_fold(centre: Instance) -> None:
    """Everything sent twice in random order; two aggregators; one of them killed again and again in the middle of a
    batch."""
    random.seed(7)
    events = [e for e in a_month(1200) if e.data.event != "calendar.changed"]
    messages = wire(events) * 2
    random.shuffle(messages)
    publish(centre, messages)
    centre.start_services(["aggregator"])
    other = second_aggregator(centre)
    try:
        for _ in range(4):
            time.sleep(random.uniform(0.3, 1.2))
            centre.kill("aggregator", signal.SIGKILL)
            centre.wait_ready("aggregator", 30)
        other.kill()
        other.wait()
        wait_until_idle(centre)
    finally:
        other.kill()
    entities, days = reference(events)
    live_entities, live_days = live(centre)
    assert {row[0].hex for row in sql(centre, "SELECT key FROM event")} == {e.key.hex for e in events}
    assert sql(centre, "SELECT count(*) FROM event")[0][0] == len(events)
    assert live_entities == entities
    assert live_days == days
    assert disagreements(centre) == []
    assert not quarantined(centre)


def test_a_check_notices_a_row_that_is_not_from_the_log(centre: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether one process folds the log or several: what one of these mends the other agrees to."""
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        conn.execute(
            "UPDATE rollup_day SET sum = sum + 1"
            " WHERE (series, bucket) = (SELECT series, bucket FROM rollup_day LIMIT 1)"
        )
        assert [d.table for d in disagreements(centre)] == ["rollup_day"]
    monkeypatch.setattr(rebuild, "MANY", 0)
    assert [d.table for d in disagreements(centre)] == ["rollup_day"]
    rebuild.rebuild(settings_of(centre, "cli").database("owner"), lambda *_: None)
    monkeypatch.undo()
    assert disagreements(centre) == []


BAD: dict[str, bytes] = {
    "not_json": b'{"specversion": "1.0", ',
    "not_utf8": b'{"id": "\xff\xfe"}',
    "unknown_type": b'{"type": "vn.ioc.dossier.submitted.v9"}',
    "missing_field": b'{"specversion": "1.0"}',
    "too_large": b"[" + b" " * (300 * 2**10) + b"]",
}


def changed(event: Event, **changes: Any) -> bytes:
    """The event's JSON with attributes, or (data__x) fields, changed."""
    body = json.loads(event.to_json())
    for name, value in changes.items():
        head, _, tail = name.partition("__")
        (body[head] if tail else body)[tail or head] = value
    return json.dumps(body).encode()


def dossiers(prefix: str, count: int) -> list[Event]:
    """Filed dossiers with codes of their own."""
    template = event_of(sample("dossier.submitted"))
    uses = ("batch", "after", "conflict", "forged", "outage", "outage2", "vanished", "broker", "broker2")
    serial = uses.index(prefix)
    return [
        parse(changed(template, id=f"{prefix}/{i}", data__code=f"H99.77-241105-{serial}{i:04}"), NOW)
        for i in range(count)
    ]


def test_ten_bad_messages_of_a_thousand_are_set_aside_with_their_reasons(centre: Instance) -> None:
    centre.stop_process("aggregator")
    good = dossiers("batch", 990)
    template = good[0]
    bad = {
        **BAD,
        "extra_field": changed(template, data__colour="red"),
        "bad_value": changed(template, data__channel="fax"),
        "wrong_unit": changed(template, unit="atlantis"),
        "impossible_time": changed(template, time="2034-01-01T00:00:00Z"),
        "personal_data": changed(template, id="079123456789"),
    }
    messages = [*wire(good), *((SUBJECT, body) for body in bad.values())]
    random.Random(3).shuffle(messages)
    before = sql(centre, "SELECT count(*) FROM event")[0][0]
    publish(centre, messages)
    centre.start_process("aggregator")
    wait_until_idle(centre)
    assert sql(centre, "SELECT count(*) FROM event")[0][0] - before == 990
    found = quarantined(centre)
    assert {code for code, _, _ in found} == set(bad)
    kept = {code: body for code, _, body in found}
    assert json.loads(kept["personal_data"]) == json.loads(bad["personal_data"]) | {"id": "[citizen number]"}
    assert {code: body for code, body in kept.items() if code != "personal_data"} == {
        code: head(body) if code == "too_large" else body for code, body in bad.items() if code != "personal_data"
    }
    reasons = {code: reason for code, reason, _ in found}
    assert "data.colour" in reasons["extra_field"]
    assert "atlantis" in reasons["wrong_unit"]
    assert "307,202 bytes" in reasons["too_large"]
    assert "no version v9" in reasons["unknown_type"]
    publish(centre, wire(dossiers("after", 1)))
    wait_until_idle(centre)
    assert sql(centre, "SELECT count(*) FROM event WHERE id = 'after/0'") == [(1,)]


def test_same_id_with_other_content_is_quarantined_not_ignored(centre: Instance) -> None:
    first, second = dossiers("conflict", 2)
    liar = parse(changed(first, data__field="land", time="2024-11-06T01:00:00Z"), NOW)
    publish(centre, [*wire([first]), *wire([second])])
    wait_until_idle(centre)
    publish(centre, [*wire([liar]), *wire([first])])
    wait_until_idle(centre)
    assert [body for code, _, body in quarantined(centre) if code == "conflict"] == [liar.to_json()]
    assert sql(centre, "SELECT count(*) FROM event WHERE id = %s", first.id) == [(1,)]


def test_a_forged_subject_is_refused(centre: Instance) -> None:
    event = dossiers("forged", 1)[0]
    publish(centre, [("ioc.events.chon_thanh.procedures.payment.made", event.to_json())])
    wait_until_idle(centre)
    assert "wrong_subject" in {code for code, _, _ in quarantined(centre)}
    assert sql(centre, "SELECT count(*) FROM event WHERE id = %s", event.id) == [(0,)]


def test_a_killed_database_only_delays(centre: Instance) -> None:
    publish(centre, wire(dossiers("outage", 300)))
    centre.kill("timescaledb", signal.SIGKILL)
    publish(centre, wire(dossiers("outage2", 300)))
    centre.wait_ready("timescaledb", 60)
    wait_until_idle(centre)
    assert sql(centre, "SELECT count(*) FROM event WHERE id LIKE 'outage%%/%%'") == [(600,)]
    assert disagreements(centre) == []


def test_a_killed_broker_only_delays(centre: Instance) -> None:
    publish(centre, wire(dossiers("broker", 600)))
    centre.kill("nats", signal.SIGKILL)
    centre.wait_ready("nats", 60)
    publish(centre, wire(dossiers("broker2", 300)))
    wait_until_idle(centre)
    assert sql(centre, "SELECT count(*) FROM event WHERE id LIKE 'broker%%/%%'") == [(900,)]
    assert disagreements(centre) == []


def test_a_vanished_consumer_is_made_anew_and_nothing_counts_twice(centre: Instance) -> None:
    async def delete() -> None:
        async with bus.connected(settings_of(centre, "admin"), "test") as client:
            await client.jetstream().delete_consumer(AGGREGATOR.stream, AGGREGATOR.name)

    count = sql(centre, "SELECT count(*) FROM event")[0][0]
    asyncio.run(delete())
    publish(centre, wire(dossiers("vanished", 5)))
    end = time.monotonic() + 30
    while sql(centre, "SELECT count(*) FROM event")[0][0] < count + 5:
        assert time.monotonic() < end, centre.log_tail("aggregator", 20)
        time.sleep(0.2)
    wait_until_idle(centre)
    assert sql(centre, "SELECT count(*) FROM event")[0][0] == count + 5
    assert disagreements(centre) == []


async def _consumer(centre: Instance, work: Callable[[JetStreamContext], Awaitable[Any]]) -> Any:
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        return await work(client.jetstream())


def noted(centre: Instance) -> int:
    return int(sql(centre, f"SELECT seq FROM position WHERE consumer = '{AGGREGATOR.name}'")[0][0])


@pytest.mark.parametrize("starts", ["the aggregator", "the centre"])
def test_a_consumer_that_was_deleted_while_nobody_read_begins_where_it_was(centre: Instance, starts: str) -> None:
    """It would read the whole stream again while new events wait, and the position would fall back."""
    last = asyncio.run(_consumer(centre, lambda js: js.stream_info(AGGREGATOR.stream))).state.last_seq
    end = time.monotonic() + 60
    while noted(centre) < last:
        assert time.monotonic() < end
        time.sleep(0.2)
    centre.stop_process("aggregator")
    asyncio.run(_consumer(centre, lambda js: js.delete_consumer(AGGREGATOR.stream, AGGREGATOR.name)))
    if starts == "the centre":
        prepare(centre)
    event = parse(changed(dossiers("vanished", 1)[0], id=f"restart/{starts.replace(' ', '-')}"), NOW)
    publish(centre, wire([event]))
    centre.start_process("aggregator")
    end = time.monotonic() + 90
    while sql(centre, f"SELECT count(*) FROM event WHERE id = '{event.id}'") != [(1,)]:
        assert time.monotonic() < end, centre.log_tail("aggregator", 20)
        time.sleep(0.2)
    wait_until_idle(centre)
    info = asyncio.run(_consumer(centre, lambda js: js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)))
    assert (info.config.opt_start_seq, info.delivered.consumer_seq) == (last + 1, 1)
    assert noted(centre) >= last


def test_a_position_never_falls_but_on_a_stream_that_was_made_anew(centre: Instance) -> None:
    async def after(seq: int) -> int:
        settings = settings_of(centre, "cli").model_copy(update={"user": "aggregator"})
        async with store.pool(settings, "aggregator") as pool, bus.connected(settings, "test") as client:
            async with pool.connection() as conn:
                await conn.execute("UPDATE position SET seq = %s WHERE consumer = %s", (seq, AGGREGATOR.name))
            await position.note(client.jetstream(), pool, AGGREGATOR)
            return await position.last_done(pool, AGGREGATOR)

    wait_until_idle(centre)
    info = asyncio.run(_consumer(centre, lambda js: js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)))
    floor = info.ack_floor.stream_seq
    behind = streams.consumer_config(AGGREGATOR, floor - 10)
    centre.stop_process("aggregator")
    asyncio.run(_consumer(centre, lambda js: js.delete_consumer(AGGREGATOR.stream, AGGREGATOR.name)))
    asyncio.run(_consumer(centre, lambda js: js.add_consumer(AGGREGATOR.stream, behind)))
    try:
        assert asyncio.run(after(floor - 20)) == floor - 10
        assert asyncio.run(after(floor)) == floor
        assert asyncio.run(after(10**9)) == floor - 10
        anew = streams.consumer_config(AGGREGATOR)
        asyncio.run(_consumer(centre, lambda js: js.delete_consumer(AGGREGATOR.stream, AGGREGATOR.name)))
        asyncio.run(_consumer(centre, lambda js: js.add_consumer(AGGREGATOR.stream, anew)))
        assert asyncio.run(after(10**9)) == 0
        assert sql(centre, f"SELECT FROM position WHERE consumer = '{AGGREGATOR.name}'") == []  # none says 0
    finally:
        asyncio.run(_consumer(centre, lambda js: js.delete_consumer(AGGREGATOR.stream, AGGREGATOR.name)))
        asyncio.run(_consumer(centre, lambda js: js.add_consumer(AGGREGATOR.stream, behind)))
        centre.start_process("aggregator")
    wait_until_idle(centre)
    assert disagreements(centre) == []


def test_an_announced_day_off_moves_what_is_open(centre: Instance) -> None:
    """The dossier open at the announcement gets a later date; the one that had ended keeps its own. The log agrees."""
    events = []
    for code in ("H99.76-241105-00001", "H99.76-241105-00002"):
        for name, day, data in (
            ("dossier.submitted", "2024-11-05T01:00:00Z", sample("dossier.submitted")["data"]),
            ("dossier.accepted", "2024-11-05T02:00:00Z", {"promised_at": "2024-11-14T04:00:00Z"}),
        ):
            body = sample(name) | {
                "id": f"{code}/{name}",
                "time": day,
                "unit": "chon_thanh",
                "data": data | {"code": code},
            }
            events.append(event_of(body))
    ended = sample("dossier.resolved") | {"id": "ended", "time": "2024-11-07T02:00:00Z", "unit": "chon_thanh"}
    ended["data"] |= {"code": "H99.76-241105-00002"}
    swap = sample("calendar.changed") | {"id": "swap", "time": "2024-11-08T02:00:00Z", "unit": "chon_thanh"}
    swap["data"] = {"day": "2024-11-12", "working": False, "name": "Nghỉ bão"}
    publish(centre, wire([*events, event_of(ended)]))
    wait_until_idle(centre)
    publish(centre, wire([event_of(swap)]))
    wait_until_idle(centre)
    due = dict(sql(centre, "SELECT id, due_at FROM entity WHERE id LIKE 'H99.76-%%'"))
    assert due["H99.76-241105-00001"] == datetime(2024, 11, 15, 4, tzinfo=UTC)
    assert due["H99.76-241105-00002"] == datetime(2024, 11, 14, 4, tzinfo=UTC)
    assert disagreements(centre) == []


def test_after_an_upgrade_of_the_folds_the_log_is_folded_anew(centre: Instance) -> None:
    """What other folds made is replaced before any service starts, and an aggregator that goes on with those of before
    is stopped first; the same version changes nothing."""
    owner = settings_of(centre, "cli").database("owner")
    centre.start_services(["aggregator"])
    with psycopg.connect(owner, autocommit=True) as conn:
        conn.execute("UPDATE fold_version SET version = 'of the year before'")
        conn.execute("DELETE FROM point WHERE time < '2024-11-10'")
    assert disagreements(centre) != []
    prepare(centre)
    assert centre.pid("aggregator") is None
    assert disagreements(centre) == []
    assert not rebuild.bring_up_to_date(owner, pytest.fail, lambda *_: None)
    centre.start_process("aggregator")
    prepare(centre)
    assert centre.pid("aggregator")
