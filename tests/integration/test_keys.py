"""Those who have a key, as they meet the centre: over HTTP and over NATS, within their bounds and beyond them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import nats
import nats.errors
import psycopg
import pytest
from holders import ONE, Holder, denied, holding, is_stored, refused_for, signature, unheard
from nats.aio.client import Client
from support import command, output_of, serving, wait_until_idle

from infra.local.servers import Instance
from schemas import contracts, registry
from schemas.registry import SYSTEMS
from services.centre.prepare import settings_of
from services.ingest.callout import MOST_OF_A_USER
from services.kit import clock

WARD, OTHER = "phuong_chon_thanh", "phuong_binh_long"
NUMBERS = count(1)
BATCH = "application/cloudevents-batch+json"


def visits(own: str, **changed: Any) -> dict[str, Any]:
    """A day's visits, as a clinic tells them."""
    number = next(NUMBERS)
    event = {
        "specversion": "1.0",
        "id": f"v-{number}",
        "source": own,
        "type": "vn.ioc.visits.reported.v1",
        "time": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "unit": WARD,
        "data": {"facility": f"tram_{number}", "day": "2026-11-20", "visits": 41, "insured": 38},
    }
    return event | changed


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, "aggregator", "emitters"):
        yield centre


@pytest.fixture(scope="module")
def clinic(running: Instance) -> Iterator[Holder]:
    """Reports health in one ward."""
    with holding(running, "--system", "health", "--units", WARD, "--rate", "500") as holder:
        yield holder


# --- over HTTP ---


def test_an_event_is_accepted_once_and_known_again(running: Instance, clinic: Holder) -> None:
    event = visits(clinic.source)
    first, again = clinic.send(event), clinic.send(event)
    assert (first.status_code, again.status_code) == (202, 202), first.text
    assert (first.json()["known"], again.json()["known"]) == (False, True)
    assert is_stored(running, event)


def test_in_binary_form_attributes_are_headers(running: Instance, clinic: Holder) -> None:
    event = visits(clinic.source + "/tr%E1%BA%A1m")
    headers = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    headers["ce-source"] = event["source"].replace("%", "%25")
    answer = clinic.send(event["data"], "application/json; charset=utf-8", **headers)
    assert answer.status_code == 202, answer.text
    assert is_stored(running, event)


def test_each_event_of_a_batch_is_answered_alone(running: Instance, clinic: Holder) -> None:
    good, wrong = visits(clinic.source), visits(clinic.source)
    wrong["data"]["visits"] = -1
    alien, last = visits(clinic.source, unit=OTHER), visits(clinic.source)
    answer = clinic.send([good, wrong, alien, last], BATCH)
    said = answer.json()
    assert [item["status"] for item in said["items"]] == [202, 422, 403, 202]
    assert (answer.status_code, said["accepted"], said["refused"]) == (422, 2, 2)
    assert said["items"][1]["reasons"][0].startswith("data.visits")
    assert is_stored(running, good) and is_stored(running, last)
    assert [item["known"] for item in clinic.send([good, last], BATCH).json()["items"]] == [True, True]


def test_lines_are_taken_however_many_there_are(running: Instance, clinic: Holder) -> None:
    events = [visits(clinic.source) for _ in range(3000)]
    lines = [json.dumps(event) for event in events]
    lines[1000] = '{"specversion": "1.0"'
    answer = clinic.send("\n".join(lines).encode(), "application/x-ndjson")
    said = answer.json()
    assert (said["accepted"], said["refused"], said["through"]) == (2999, 1, 3000)
    assert [(item["at"], item["status"]) for item in said["items"]] == [(1001, 422)]
    assert is_stored(running, events[-1])


def test_a_key_that_signs_opens_http_by_its_signature_alone(running: Instance) -> None:
    """Its secret is made anew by the emitters; while it is rotated both sign."""
    name = "ky-tung-lan"
    first = output_of(running, "keys", "create", name, "--system", "health", "--units", WARD, "--signed").strip()
    url, event = f"http://127.0.0.1:{running.ports['emitters']}/events", visits(f"/{name}")

    def sent(secret: str, told: dict[str, Any]) -> int:
        body = json.dumps(told).encode()
        return httpx.post(url, content=body, headers=signature(secret, name, body), timeout=60).status_code

    def until_accepted(secret: str, told: dict[str, Any]) -> None:
        end = time.monotonic() + 30  # the door looks every two seconds
        while (status := sent(secret, told)) != 202:
            assert status == 401 and time.monotonic() < end
            time.sleep(0.2)

    until_accepted(first, event)
    assert is_stored(running, event)
    second = output_of(running, "keys", "rotate", name).strip()
    until_accepted(second, visits(f"/{name}"))
    assert sent(first, visits(f"/{name}")) == 202 and sent("iock_" + "x" * 43, visits(f"/{name}")) == 401
    opened = httpx.post(url, json=event, headers={"Authorization": f"Bearer {second}", "Content-Type": ONE})
    assert opened.status_code == 401
    (listed,) = (line for line in output_of(running, "keys", "list").splitlines() if line.startswith(name))
    assert "rotating, signs" in listed
    with pytest.raises(nats.errors.Error):
        address = f"nats://127.0.0.1:{running.ports['nats']}"
        asyncio.run(nats.connect(address, user=name, password=second, allow_reconnect=False, max_reconnect_attempts=0))
    output_of(running, "keys", "revoke", name)


@pytest.mark.parametrize(
    ("changed", "status", "names"),
    [
        ({"unit": OTHER}, 403, "unit:"),
        ({"type": "vn.ioc.payment.made.v1", "data": {}}, 422, "data."),
        ({"type": "vn.ioc.attendance.reported.v1"}, 422, "data."),
        ({"source": "/payments/x"}, 422, "source: /payments is not yours"),
        ({"source": "/onestop"}, 422, "source: /onestop is not yours"),
        ({"source": "/spreadsheets/health"}, 403, "source:"),
        ({"source": "/simulator/x"}, 403, "source:"),
        ({"source": "/somebody-else"}, 403, "source:"),
        ({"unit": "nowhere_at_all"}, 422, "unit"),
        ({"data": {"facility": "x", "day": "2026-11-20", "visits": 1, "insured": 2}}, 422, "insured"),
        ({"time": "2031-01-01T00:00:00+07:00"}, 422, "time"),
        ({"data": {"facility": "0912345678", "day": "2026-11-20", "visits": 1, "insured": 0}}, 422, "data"),
    ],
)
def test_what_is_beyond_a_key_is_refused_with_its_reason(
    clinic: Holder, changed: dict[str, Any], status: int, names: str
) -> None:
    answer = clinic.send(visits(clinic.source, **changed))
    assert answer.status_code == status, answer.text
    assert any(names in reason for reason in answer.json()["reasons"]), answer.text
    assert "0912345678" not in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 415),
        (b"{}", ONE, 422),
        (b"[", BATCH, 400),
        (b"{}", BATCH, 400),
        (b"[" * 5000, BATCH, 400),
        (b"[" + b"0," * 1000 + b"0]", BATCH, 413),
        (b"x" * (300 * 1024), ONE, 413),
        (b"{}", ONE + "; charset=utf-16", 415),
        (b"[]", BATCH, 202),
        (b"\xef\xbb\xbf [ ] ", BATCH, 202),
        (b"[{}", BATCH, 400),
        (b"[{},]", BATCH, 422),
        (b"[{}] x]", BATCH, 422),
        (b"[" + b"[" * 5000 + b"]" * 5000 + b"]", BATCH, 422),
        (b"\xff\xfe{}", ONE, 400),
    ],
)
def test_a_body_that_is_no_event_is_told_so(clinic: Holder, body: bytes, kind: str, status: int) -> None:
    answer = clinic.send(body, kind)
    assert answer.status_code == status, answer.text


def test_who_has_no_key_is_told_how_to_get_one(running: Instance) -> None:
    for token in ("", "Bearer iock_" + "x" * 43, "Bearer rubbish", f"Bearer {running.password('emitter_field')}"):
        answer = httpx.post(
            f"http://127.0.0.1:{running.ports['emitters']}/events",
            json=visits("/x"),
            headers={"Content-Type": ONE, "Authorization": token},
        )
        assert answer.status_code == 401
        assert "ioc keys" in answer.json()["reasons"][0]


def test_a_key_sends_no_more_than_it_may(running: Instance) -> None:
    slow = Holder(running, "--system", "health", "--rate", "0.02")
    first, second = (slow.send(visits(slow.source)) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 429)
    assert 1 <= int(second.headers["Retry-After"]) <= 50
    slow.said("revoke", slow.name)


# --- over NATS ---


async def publish(holder: Holder, subject: str, event: dict[str, Any]) -> None:
    client = await holder.connected()
    await client.jetstream().publish(f"{subject}.{holder.name}", json.dumps(event).encode())
    await client.close()


def test_a_key_publishes_its_own_subjects_and_nothing_else(running: Instance, clinic: Holder) -> None:
    event = visits(clinic.source)
    asyncio.run(publish(clinic, f"ioc.events.{WARD}.health.visits.reported", event))
    subjects = {
        f"ioc.events.{WARD}.health.visits.reported",
        f"ioc.events.{WARD}.health.visits.reported.another-key",
        f"ioc.events.{WARD}.health.visits.retracted.{clinic.name}",
        f"ioc.events.{OTHER}.health.visits.reported.{clinic.name}",
        f"ioc.events.{WARD}.procedures.payment.made.{clinic.name}",
        f"ioc.events.{WARD}.procedures.dossier.overdue.{clinic.name}",
        "ioc.alerts.health.raised",
        "ioc.quarantine.health",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.CONSUMER.CREATE.EVENTS",
        "$JS.API.STREAM.NAMES",
        "$SYS.REQ.USER.AUTH",
    }
    assert subjects - asyncio.run(denied(clinic.connected, subjects)) == set()
    assert is_stored(running, event)


def test_a_key_hears_nobody_else(clinic: Holder) -> None:
    own = f"_INBOX_{clinic.name}.>"
    subjects = {"ioc.>", "_INBOX.>", "_INBOX_cli.>", "$SYS.>", ">", own}
    assert subjects - asyncio.run(denied(clinic.connected, subjects, listen=True)) == {own}


def test_a_key_of_the_whole_province_enters_the_broker(running: Instance) -> None:
    """However many units and systems it has; what nobody outside may say it does not say either."""
    province = Holder(running, *(f"--system={name}" for name in SYSTEMS), "--units", "dong_nai")
    event = visits(province.source)
    asyncio.run(publish(province, f"ioc.events.{WARD}.health.visits.reported", event))
    subjects = {
        f"ioc.events.{WARD}.procedures.dossier.overdue.{province.name}",
        f"ioc.events.{WARD}.health.visits.reported.another-key",
        f"ioc.events.nowhere.health.visits.reported.{province.name}",
    }
    assert subjects - asyncio.run(denied(province.connected, subjects)) == set()
    assert is_stored(running, event)
    province.said("revoke", province.name)


def test_a_wrong_secret_does_not_enter_the_broker(clinic: Holder) -> None:
    for secret in ("iock_" + "x" * 43, "rubbish"):
        with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
            asyncio.run(clinic.connected(secret))


@pytest.mark.parametrize("who", ["a key of the same unit", "the operator's command"])
def test_under_the_source_of_a_key_nobody_else_says_anything(
    running: Instance, clinic: Holder, who: str, tmp_path: Path
) -> None:
    """An insider cannot take the ids of a key, not even of the same unit and system."""
    event = visits(clinic.source)
    if who == "the operator's command":
        (tmp_path / "events.json").write_text(json.dumps(event))
        output_of(running, "emit", str(tmp_path / "events.json"))
    else:
        insider = Holder(running, "--system", "health", "--units", WARD)
        asyncio.run(publish(insider, f"ioc.events.{WARD}.health.visits.reported", event))
        insider.said("revoke", insider.name)
    assert refused_for(running, event) == "not_yours"
    assert clinic.send(event).status_code == 202
    assert is_stored(running, event)


def test_the_operator_sends_a_file_in_the_name_of_a_key(running: Instance, clinic: Holder, tmp_path: Path) -> None:
    own, alien = visits(clinic.source), visits("/somebody-else")
    (tmp_path / "events.jsonl").write_text(f"{json.dumps(own)}\n{json.dumps(alien)}\n")
    done = command(running, "emit", "--key", clinic.name, str(tmp_path / "events.jsonl"))
    assert (done.exit_code, done.stdout) == (1, "read 2, sent 1, rejected 1\n"), done.stderr
    assert f"{alien['id']}: not_yours: source: the key {clinic.name} speaks as {clinic.source}" in done.stderr
    assert is_stored(running, own)
    nobody = command(running, "emit", "--key", "no-such-key", str(tmp_path / "events.jsonl"))
    assert nobody.exit_code == 1 and "ioc keys list" in nobody.stderr


def test_a_key_that_was_made_a_moment_ago_is_known(running: Instance) -> None:
    """The door may have seen it before the aggregator did."""
    for _ in range(3):
        holder = Holder(running, "--system", "health")
        event = visits(holder.source)
        assert holder.send(event).status_code == 202
        assert is_stored(running, event)
        holder.said("revoke", holder.name)


def test_what_a_key_sent_wrong_is_mended_and_goes_on_in_its_name(
    running: Instance, clinic: Holder, tmp_path: Path
) -> None:
    event = visits(clinic.source)
    wrong = event | {"data": event["data"] | {"visits": -1}}

    asyncio.run(publish(clinic, f"ioc.events.{WARD}.health.visits.reported", wrong))
    assert refused_for(running, wrong) == "bad_value"
    number = command(running, "quarantine", "list").stdout.splitlines()[-1].split()[0]
    (tmp_path / "mended.json").write_text(json.dumps(event))
    done = command(running, "quarantine", "resubmit", number, "--with", str(tmp_path / "mended.json"))
    assert done.exit_code == 0, done.stderr
    assert is_stored(running, event)


# --- the same bounds by every road ---


def by_http(holder: Holder, event: dict[str, Any], _: Path) -> bool:
    return holder.send(event).status_code == 403


def in_a_batch(holder: Holder, event: dict[str, Any], _: Path) -> bool:
    return [item["status"] for item in holder.send([event], BATCH).json()["items"]] == [403]


def in_lines(holder: Holder, event: dict[str, Any], _: Path) -> bool:
    said = holder.send(json.dumps(event).encode(), "application/x-ndjson").json()
    return [item["status"] for item in said["items"]] == [403]


def from_a_file(holder: Holder, event: dict[str, Any], folder: Path) -> bool:
    (folder / "events.jsonl").write_text(json.dumps(event))
    done = command(holder.running, "emit", "--key", holder.name, str(folder / "events.jsonl"))
    return done.exit_code == 1 and "not_yours" in done.stderr


def over_nats(holder: Holder, event: dict[str, Any], _: Path) -> bool:
    """Refused by the broker; and in a subject of the key's own that is not the event's, by the aggregator."""
    asyncio.run(publish(holder, f"ioc.events.{WARD}.health.visits.reported", event))
    subject = f"{registry.parse(json.dumps(event).encode(), clock.now()).subject}.{holder.name}"
    return bool(asyncio.run(denied(holder.connected, {subject}))) and refused_for(holder.running, event) is not None


@pytest.mark.parametrize("road", [by_http, in_a_batch, in_lines, from_a_file, over_nats])
@pytest.mark.parametrize("what", ["another system", "another unit"])
def test_what_is_valid_but_not_the_keys_to_say_is_stored_by_no_road(
    running: Instance, clinic: Holder, road: Callable[..., bool], what: str, tmp_path: Path
) -> None:
    event = visits(clinic.source, unit=OTHER)
    if what == "another system":
        dossier = json.loads(next(iter(contracts.samples()["vn.ioc.dossier.submitted.v1"].values())))
        event |= {"type": dossier["type"], "unit": WARD, "data": dossier["data"]}
    registry.parse(json.dumps(event).encode(), clock.now())
    before = stored_of(running, clinic)
    assert road(clinic, event, tmp_path)
    wait_until_idle(running)
    assert stored_of(running, clinic) == before


def stored_of(running: Instance, holder: Holder) -> int:
    """How many events the log has of a key."""
    with psycopg.connect(settings_of(running, "cli").database("reader"), autocommit=True) as conn:
        row = conn.execute("SELECT count(*) FROM event WHERE starts_with(source, %s)", [holder.source]).fetchone()
    return int(row[0]) if row else 0


def test_the_key_of_a_unit_that_was_split_reports_its_own_past(running: Instance) -> None:
    town = Holder(running, "--system", "health", "--units", "chon_thanh")
    data = {"facility": "tram_y_te", "day": "2025-03-03", "visits": 3, "insured": 1}
    own = visits(town.source, time="2025-03-03T10:00:00+07:00", unit="chon_thanh", data=data)
    assert town.send(own).status_code == 202
    assert town.send(visits(town.source)).status_code == 403, "what came after it is not its own"
    assert is_stored(running, own)
    town.said("revoke", town.name)


# --- a key's life ---


def test_a_key_that_floods_the_broker_is_out_until_that_is_paid(running: Instance, clinic: Holder) -> None:
    flooding = Holder(running, "--system", "health", "--units", WARD, "--rate", "20")
    subject = f"ioc.events.{WARD}.health.visits.reported.{flooding.name}"

    async def flood() -> None:
        client, ended = await flooding.connected(), time.monotonic() + 60
        while not client.is_closed:
            assert time.monotonic() < ended, "it goes on"
            with suppress(nats.errors.Error):
                for _ in range(100):
                    await client.publish(subject, b"{")
                await client.flush()
            await asyncio.sleep(0.2)

    asyncio.run(flood())
    with pytest.raises(nats.errors.Error, match=r"[Aa]uthorization"):
        asyncio.run(flooding.connected())
    assert flooding.send(visits(flooding.source)).status_code == 429, "by every road"
    assert clinic.send(visits(clinic.source)).status_code == 202
    asyncio.run(closed(clinic))
    assert f"key {flooding.name}: it sends more than it may" in running.log_tail("emitters", 400)
    flooding.said("revoke", flooding.name)


def test_no_credential_holds_all_connections_of_the_broker(running: Instance) -> None:
    address, name = f"nats://127.0.0.1:{running.ports['nats']}", "emitter_payments"

    async def enter(user: str) -> Client:
        own = {"user": user, "password": running.password(user), "inbox_prefix": f"_INBOX_{user}".encode()}
        return await nats.connect(address, **own, allow_reconnect=False, error_cb=unheard, connect_timeout=5)

    async def hold() -> int:
        """How many the credential has once others come in again."""
        held, ended = list[Client](), time.monotonic() + 60
        with suppress(nats.errors.Error, OSError):
            while len(held) < 300:
                held.append(await enter(name))
        assert len(held) > MOST_OF_A_USER
        while sum(client.is_connected for client in held) > MOST_OF_A_USER:
            assert time.monotonic() < ended, "it keeps them all"
            await asyncio.sleep(0.2)
        await (await enter("monitor")).close()
        left = sum(client.is_connected for client in held)
        assert all(client.is_connected for client in held[: MOST_OF_A_USER // 2]), "the newest go"
        for client in held:
            await client.close()
        return left

    assert 0 < asyncio.run(hold()) <= MOST_OF_A_USER
    answer = httpx.post(
        f"http://127.0.0.1:{running.ports['emitters']}/payments",
        json={"transaction": f"TXN-HELD-{next(NUMBERS)}", "kind": "fee", "amount": 1, "method": "cash", "unit": WARD,
              "paid_at": clock.now().isoformat()},
        headers={"Authorization": f"Bearer {running.password(name)}"},
    )  # fmt: skip
    assert answer.status_code == 202, "the emitter of that name goes on"


async def closed(holder: Holder) -> None:
    """Another key still comes in, and goes."""
    await (await holder.connected()).close()


def test_both_secrets_open_while_a_key_is_rotated(running: Instance) -> None:
    holder = Holder(running, "--system", "health")
    old = holder.secret
    new = holder.said("rotate", holder.name, "--overlap-hours", "1")
    holder.door.headers["Authorization"] = f"Bearer {new}"
    holder.until_opened()
    for secret in (old, new):
        holder.door.headers["Authorization"] = f"Bearer {secret}"
        assert holder.send(visits(holder.source)).status_code == 202
    assert "rotating" in listed(holder)
    holder.said("rotate", holder.name, "--overlap-hours", "0")
    until_shut_out(holder)
    holder.said("revoke", holder.name)


def until_shut_out(holder: Holder) -> None:
    end = time.monotonic() + 20
    while holder.send(visits(holder.source)).status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_key_that_is_taken_back_is_shut_out_and_its_connections_end(running: Instance) -> None:
    holder = Holder(running, "--system", "health")

    async def work() -> bool:
        client = await holder.connected()
        await asyncio.to_thread(holder.said, "revoke", holder.name)
        end = time.monotonic() + 20
        while not client.is_closed and time.monotonic() < end:  # noqa: ASYNC110 - ended from outside
            await asyncio.sleep(0.1)
        return client.is_closed

    assert asyncio.run(work()), running.log_tail("emitters")
    assert holder.send(visits(holder.source)).status_code == 401
    again = command(running, "keys", "create", holder.name, "--system", "health")
    assert again.exit_code != 0 and "or was one" in again.stderr


def test_every_change_of_rights_is_in_the_audit(running: Instance) -> None:
    holder = Holder(running, "--system", "field")
    holder.said("rotate", holder.name)
    holder.said("revoke", holder.name)
    with psycopg.connect(settings_of(running, "cli").database("board"), autocommit=True) as conn:
        rows = conn.execute("SELECT action, by FROM audit WHERE subject = %s ORDER BY id", [holder.name]).fetchall()
        noted = conn.execute("SELECT to_jsonb(a)::text FROM audit a WHERE subject = %s", [holder.name]).fetchall()
    assert [action for action, _ in rows] == ["key.created", "key.rotated", "key.revoked"]
    assert all(by.startswith("cli:") for _, by in rows)
    assert holder.secret not in str(noted)


def listed(holder: Holder) -> str:
    """What `ioc keys list` says of a key."""
    return next(line for line in holder.said("list").splitlines() if line.startswith(holder.name))


def test_an_expired_key_opens_nothing_and_its_connections_end(running: Instance) -> None:
    holder = Holder(running, "--system", "health")

    async def closed(client: Client) -> bool:
        end = time.monotonic() + 60
        while not client.is_closed and time.monotonic() < end:  # noqa: ASYNC110 - ended from outside
            await asyncio.sleep(0.1)
        return client.is_closed

    async def work() -> None:
        before = await holder.connected()
        with psycopg.connect(settings_of(running, "cli").database("owner"), autocommit=True) as conn:
            conn.execute("UPDATE emitter_key SET expires_at = now() + '30 s' WHERE name = %s", [holder.name])
        assert await closed(before), "it was let in for longer than the key lives now"
        again = await holder.connected()
        assert holder.send(visits(holder.source)).status_code == 202
        assert await closed(again), "the broker ends it with the key"

    asyncio.run(work())
    until_shut_out(holder)
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        asyncio.run(holder.connected())
    assert "expired" in listed(holder)
    holder.said("revoke", holder.name)


def test_when_a_key_was_used_last_is_listed(running: Instance, clinic: Holder) -> None:
    """The emitters note it twice a minute, of those that were used alone."""
    output_of(running, "keys", "create", "chua-dung", "--system", "health")
    assert clinic.send(visits(clinic.source)).status_code == 202
    end = time.monotonic() + 90
    while " never" in listed(clinic):
        assert time.monotonic() < end
        time.sleep(0.5)
    unused = next(line for line in output_of(running, "keys", "list").splitlines() if line.startswith("chua-dung"))
    assert " never" in unused
    output_of(running, "keys", "revoke", "chua-dung")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["A B", "--system", "health"], "small letters"),
        (["so-0912345678", "--system", "health"], "number of a person"),
        (["x-y-z", "--system", "moon"], "there is no system 'moon'"),
        (["x-y-z", "--system", "health", "--source", "/payments"], "the centre's own"),
        (["x-y-z", "--system", "health", "--units", "Phường Trên Mây"], "Trên Mây"),
        (["x-y-z", "--system", "health", "--days", "0"], "1 to 800 days"),
        (["x-y-z", "--system", "health", "--rate", "0"], "5,000 events"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_the_reason(centre: Instance, options: list[str], says: str) -> None:
    done = command(centre, "keys", "create", *options)
    assert done.exit_code != 0
    assert says in " ".join(done.stderr.split())


def test_a_source_that_lies_within_anothers_is_refused(centre: Instance, clinic: Holder) -> None:
    done = command(centre, "keys", "create", "x-y-z", "--system", "health", "--source", clinic.source + "/below")
    assert done.exit_code != 0
    assert clinic.name in done.stderr
