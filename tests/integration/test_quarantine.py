"""`ioc quarantine` on real servers: what the aggregator set aside is found, mended, sent on or discarded."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats.js.errors import NotFoundError
from support import wait_until_idle

from infra.local.servers import Instance
from schemas.registry import parse
from schemas.streams import AGGREGATOR, CONSUMERS, QUARANTINE
from services.aggregator import validate
from services.centre.prepare import settings_of
from services.kit import bus, quarantine, store

Ioc = Callable[..., subprocess.CompletedProcess[str]]
SUBJECT = "ioc.events.phuong_chon_thanh.procedures.dossier.withdrawn"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    centre.start_services(["aggregator"])
    wait_until_idle(centre)  # what other tests left in the stream is done with first
    yield centre
    centre.stop_process("aggregator")


def event(**changed: Any) -> dict[str, Any]:
    code = f"H99.95-261101-{next(NUMBERS):05}"
    return {
        "specversion": "1.0",
        "id": code,
        "source": "/test/quarantine",
        "type": "vn.ioc.dossier.withdrawn.v1",
        "time": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
        "unit": "phuong_chon_thanh",
        "data": {"code": code},
        **changed,
    }


def lay(centre: Instance, ioc: Ioc, *bodies: bytes) -> list[dict[str, Any]]:
    """Publish bodies past every check, as any program can; returns them as listed once they lie in the quarantine."""

    return set_aside(centre, ioc, *((SUBJECT, body) for body in bodies))


def set_aside(centre: Instance, ioc: Ioc, *messages: tuple[str, bytes]) -> list[dict[str, Any]]:
    """The same, each under a subject of its own."""

    async def publish() -> None:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            for subject, body in messages:
                await client.jetstream().publish(subject, body)

    before = len(listed(ioc))
    asyncio.run(publish())
    deadline = time.monotonic() + 30
    while len(found := listed(ioc)) < before + len(messages) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(found) == before + len(messages)
    return found[before:]


def listed(ioc: Ioc, *options: str) -> list[dict[str, Any]]:
    done = ioc("quarantine", "list", "--format", "json", "--limit", "10000", *options)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def stored(centre: Instance, id: str) -> int:
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        row = conn.execute("SELECT count(*) FROM event WHERE source = '/test/quarantine' AND id = %s", (id,)).fetchone()
    return int(row[0]) if row else 0


def noted(centre: Instance, deed: str) -> int:
    """How many deeds of a kind the stream of alarms holds."""

    async def ask() -> int:
        async with bus.connected(settings_of(centre, "monitor"), "test") as client:
            info = await client.jetstream().stream_info("ALERTS", subjects_filter=f"ioc.alerts.quarantine.{deed}")
            return sum((info.state.subjects or {}).values())

    return asyncio.run(ask())


def test_what_lies_there_is_listed_with_its_reason_and_shown_as_it_came(running: Instance, ioc: Ioc) -> None:
    wrong, broken = lay(running, ioc, json.dumps(event(unit="chon_thanh")).encode(), b"\xff{ Ch\xe1")
    assert (wrong["code"], broken["code"]) == ("wrong_unit", "not_utf8")
    assert wrong["reason"].startswith("unit: chon_thanh is not valid on 20")
    assert (wrong["subject"], broken["size"]) == (SUBJECT, 6)
    assert listed(ioc, "--code", "wrong_unit")[-1] == wrong
    table = ioc("quarantine", "list", "--limit", "1").stdout
    assert str(broken["seq"]) in table and "not_utf8" in table and "wrong_unit" not in table
    shown = ioc("quarantine", "show", str(wrong["seq"])).stdout
    assert "Ioc-Code: wrong_unit\n" in shown and '\n  "unit": "chon_thanh",\n' in shown
    assert ioc("quarantine", "show", str(broken["seq"])).stdout.endswith("\\xff{ Ch\\xe1\n")


def test_a_reason_in_vietnamese_is_read_as_it_was_written(running: Instance, ioc: Ioc) -> None:
    (lying,) = lay(running, ioc, json.dumps(event(unit="phuong_chon_than"), ensure_ascii=False).encode())
    assert "(Phường Chơn Thành)" in lying["reason"]


def test_a_mended_event_goes_through_the_same_door_and_is_taken_out(
    running: Instance, ioc: Ioc, tmp_path: Path
) -> None:
    mended = event()
    (lying,) = lay(running, ioc, json.dumps(mended | {"unit": "chon_thanh"}).encode())
    seq, notes, file = str(lying["seq"]), noted(running, "resubmitted"), tmp_path / "mended.json"
    again = ioc("quarantine", "resubmit", seq)
    assert again.returncode == 1 and f"{seq} stays: wrong_unit: unit: chon_thanh" in again.stderr
    file.write_text(json.dumps(mended))
    done = ioc("quarantine", "resubmit", seq, "--with", str(file))
    assert (done.returncode, done.stdout) == (0, f"{seq} resubmitted as {mended['id']}\n")
    assert lying not in listed(ioc)
    deadline = time.monotonic() + 30
    while not stored(running, mended["id"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert stored(running, mended["id"]) == 1
    assert noted(running, "resubmitted") == notes + 1


def test_all_that_has_become_valid_is_sent_on(running: Instance, ioc: Ioc) -> None:
    """An event under a wrong subject is valid by itself."""
    stray = event()
    told = parse(json.dumps(stray).encode(), datetime.now(UTC)).to_json()
    elsewhere = SUBJECT.replace("withdrawn", "resolved")
    _, bad = set_aside(running, ioc, (elsewhere, told), (SUBJECT, b"{"))
    done = ioc("quarantine", "resubmit", "--all")
    assert done.returncode == 1 and f"{bad['seq']} stays: not_json" in done.stderr
    assert f"resubmitted as {stray['id']}\n" in done.stdout
    deadline = time.monotonic() + 30
    while not stored(running, stray["id"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert stored(running, stray["id"]) == 1
    assert bad in listed(ioc)


def test_what_is_discarded_leaves_a_note_of_who_did_it_and_why(running: Instance, ioc: Ioc) -> None:
    first, second = lay(running, ioc, b"[1]", b"[2]")
    notes = noted(running, "discarded")
    assert ioc("quarantine", "discard", str(first["seq"])).returncode == 2  # no reason given
    done = ioc("quarantine", "discard", str(first["seq"]), str(second["seq"]), "--reason", "dữ liệu thử")
    assert done.stdout == f"{first['seq']} discarded\n{second['seq']} discarded\n"
    assert first not in listed(ioc) and second not in listed(ioc)
    assert noted(running, "discarded") == notes + 2
    gone = ioc("quarantine", "discard", str(first["seq"]), "--reason", "again")
    assert gone.returncode == 1 and f"nothing lies in the quarantine under {first['seq']}" in gone.stderr
    assert noted(running, "discarded") == notes + 2


def test_looking_again_and_again_leaves_nothing_behind(running: Instance, ioc: Ioc) -> None:
    """A board looks for as long as it is up, on one connection."""
    lay(running, ioc, b"[3]")

    async def subscriptions() -> list[int]:
        async with bus.connected(settings_of(running, "cli"), "test") as client:
            monitor, found = f"http://127.0.0.1:{running.ports['nats_monitor']}/connz?cid={client.client_id}", []
            for _ in range(3):
                assert await quarantine.listed(client.jetstream(), 300)
                await client.flush()
                [connection] = (await asyncio.to_thread(httpx.get, monitor)).json()["connections"]
                found.append(connection["subscriptions"])
            return found

    first, *later = asyncio.run(subscriptions())
    assert later == [first, first]


@pytest.mark.parametrize("arguments", [[], ["1", "--all"], ["1", "2", "--with", "/dev/null"]])
def test_what_to_resubmit_must_be_clear(running: Instance, ioc: Ioc, arguments: list[str]) -> None:
    assert ioc("quarantine", "resubmit", *arguments).returncode == 2


PHONE, CITIZEN = "0912 345 678", "079304001234"


def stored_message(centre: Instance, lying: dict[str, Any]) -> Any:
    """The message as it came, from the stream of events; None once it is erased."""

    async def ask() -> Any:
        async with bus.connected(settings_of(centre, "admin"), "test") as client:
            js = client.jetstream()
            kept = await js.get_msg("QUARANTINE", lying["seq"])
            try:
                return await js.get_msg("EVENTS", int((kept.headers or {})["Ioc-Sequence"]))
            except NotFoundError:
                return None

    return asyncio.run(ask())


def test_what_is_personal_is_masked_erased_from_the_events_and_mended_by_hand(
    running: Instance, ioc: Ioc, tmp_path: Path
) -> None:
    sound = event()
    bad = [
        json.dumps(sound | {"id": f"x.{PHONE}".replace(" ", "")}).encode(),
        json.dumps(sound | {"unit": "chon_thanh", "data": sound["data"] | {f"cccd {CITIZEN}": CITIZEN}}).encode(),
        f"gọi {PHONE}".encode(),
    ]
    lying = lay(running, ioc, *bad)
    assert [one["code"] for one in lying] == ["personal_data", "extra_field", "not_json"]
    for one in lying:
        shown = ioc("quarantine", "show", str(one["seq"])).stdout
        assert "Ioc-Masked: true\n" in shown
        assert not any(number in shown + json.dumps(one) for number in (PHONE, "0912345678", CITIZEN))
        assert stored_message(running, one) is None
        again = ioc("quarantine", "resubmit", str(one["seq"]))
        assert again.returncode == 1 and "was personal data; mend it" in again.stderr
    file = tmp_path / "mended.json"
    file.write_text(json.dumps(sound))
    assert ioc("quarantine", "resubmit", str(lying[0]["seq"]), "--with", str(file)).returncode == 0
    refused = ioc("quarantine", "discard", str(lying[1]["seq"]), "--reason", f"gọi {PHONE}")
    assert refused.returncode == 2 and "reason: holds a phone number" in refused.stderr and PHONE not in refused.stderr
    assert ioc("quarantine", "discard", *(str(one["seq"]) for one in lying[1:]), "--reason", "thử").returncode == 0


def test_a_subject_or_a_header_is_looked_at_like_the_body(running: Instance, ioc: Ioc) -> None:
    plain = event()

    async def publish() -> None:
        async with bus.connected(settings_of(running, "cli"), "test") as client:
            js, body = client.jetstream(), json.dumps(plain).encode()
            await js.publish(SUBJECT, body, headers={"X-Caller": PHONE})
            await js.publish("ioc.events.phuong_chon_thanh.procedures.0912345678", body)

    before = len(listed(ioc))
    asyncio.run(publish())
    deadline = time.monotonic() + 60
    while len(found := listed(ioc)[before:]) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [one["code"] for one in found] == ["personal_data", "wrong_subject"]
    assert "12345678" not in json.dumps(found) and all(stored_message(running, one) is None for one in found)
    assert found[1]["subject"] == "ioc.events.phuong_chon_thanh.procedures.[phone]"
    assert ioc("quarantine", "resubmit", str(found[0]["seq"])).returncode == 0  # the event itself is sound
    assert ioc("quarantine", "discard", str(found[1]["seq"]), "--reason", "thử").returncode == 0


def test_a_message_that_was_erased_before_a_crash_is_erased(running: Instance) -> None:
    async def twice() -> None:
        async with bus.connected(settings_of(running, "admin"), "test") as client:
            seq = (await client.jetstream().stream_info("EVENTS")).state.last_seq
        async with bus.connected(settings_of(running, "aggregator"), "test") as client:
            for _ in range(2):
                await validate.erase_message(client.jetstream(), "EVENTS", seq)
        async with bus.connected(settings_of(running, "admin"), "test") as client:
            with pytest.raises(NotFoundError):
                await client.jetstream().get_msg("EVENTS", seq)

    asyncio.run(twice())


def test_what_is_refused_for_another_reason_and_holds_nothing_personal_stays_where_it_is(
    running: Instance, ioc: Ioc
) -> None:
    (one,) = lay(running, ioc, json.dumps(event(unit="chon_thanh")).encode())
    assert stored_message(running, one) is not None
    assert ioc("quarantine", "discard", str(one["seq"]), "--reason", "thử").returncode == 0


def test_who_lists_the_quarantine_is_no_reader_that_a_status_tells_of(running: Instance, ioc: Ioc) -> None:
    (one,) = lay(running, ioc, json.dumps(event(unit="chon_thanh")).encode())
    listed(ioc)

    async def consumers() -> list[str]:
        async with bus.connected(settings_of(running, "admin"), "test") as client:
            return [str(one.name) for one in await client.jetstream().consumers_info(QUARANTINE.name)]

    assert asyncio.run(consumers()), "what listed it is there for half a minute"
    told = {one["consumer"] for one in json.loads(ioc("status", "--json").stdout)["consumers"]}
    assert AGGREGATOR.name in told and told <= {consumer.name for consumer in CONSUMERS}
    assert ioc("quarantine", "discard", str(one["seq"]), "--reason", "thử").returncode == 0
