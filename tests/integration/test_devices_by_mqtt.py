"""Devices by MQTT, by a client that nobody here wrote, on the broker's own gateway: what they may say, what becomes of
it, and that the switch opens it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import paho.mqtt.client as mqtt
import psycopg
import pytest
from holders import Holder
from paho.mqtt.enums import CallbackAPIVersion
from support import output_of, serving, wait_until_idle

from infra.local.ports import is_free
from infra.local.servers import Instance
from schemas.streams import RETAINED, SESSIONS
from services.centre.prepare import settings_of
from services.ingest import devices
from services.ingest.callout import MOST_SESSIONS as MOST_OF_A_KEY
from services.ingest.devices import Devices
from services.ingest.keyring import Keyring
from services.kit import bus, clock, store

WARD, OTHER = "phuong_chon_thanh", "phuong_binh_long"
NUMBERS = count(1)
SECONDS = 20


class Device:
    """A connection by MQTT with a key's name and secret."""

    def __init__(self, holder: Holder, secret: str = "", client: str = "") -> None:
        self.holder, self.number, self.answers = holder, f"CAM-{next(NUMBERS):04}", dict[str, Any]()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client, protocol=mqtt.MQTTv311)
        self.client.username_pw_set(holder.name, secret or holder.secret)
        self.client.on_connect = lambda *said: self.answers.setdefault("connected", said[3])
        self.client.on_subscribe = lambda *said: self.answers.setdefault(f"heard {said[2]}", said[3])
        self.client.connect("127.0.0.1", holder.running.ports["mqtt"])
        self.client.loop_start()
        self.wait("connected")

    def wait(self, what: str) -> Any:
        end = time.monotonic() + SECONDS
        while what not in self.answers:
            assert time.monotonic() < end, f"{what}: {self.answers}"
            time.sleep(0.02)
        return self.answers[what]

    def topic(self, number: str = "", unit: str = WARD, key: str = "") -> str:
        return f"ioc/devices/{unit}/{number or self.number}/{key or self.holder.name}"

    def say(self, topic: str = "", retain: bool = False, **said: Any) -> None:
        body = json.dumps({"kind": "camera"} | said)
        self.client.publish(topic or self.topic(), body, qos=1, retain=retain).wait_for_publish(SECONDS)

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    """With the gateway, which was not there before and is not afterwards."""
    assert is_free(centre.ports["mqtt"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IOC_MQTT", "true")
        centre.start(["nats"])
        with serving(centre, "aggregator", "emitters"):
            yield centre
    centre.start(["nats"])
    assert is_free(centre.ports["mqtt"])


@pytest.fixture(scope="module")
def watch(running: Instance) -> Iterator[Holder]:
    """Reports the devices of one ward."""
    holder = Holder(running, "--system", "gis", "--units", WARD, "--rate", "500")
    first, end = Device(holder), time.monotonic() + SECONDS
    while not events(running, holder.source):  # as devices do: until somebody listens
        assert time.monotonic() < end, running.log_tail("emitters")
        first.say(state="retired")
        time.sleep(0.2)
    first.end()
    yield holder
    holder.said("revoke", holder.name)


@pytest.fixture
def camera(watch: Holder) -> Iterator[Device]:
    device = Device(watch)
    yield device
    device.end()


def events(running: Instance, source: str, device: str = "") -> list[dict[str, Any]]:
    """What the log has of a key, in the order of its times."""
    with psycopg.connect(settings_of(running, "cli").database("reader"), autocommit=True) as conn:
        rows = conn.execute("SELECT data FROM event WHERE source = %s ORDER BY time, id", [source]).fetchall()
    return [data for (data,) in rows if not device or data["device"] == device]


def until(running: Instance, number: int, source: str, device: str = "") -> list[dict[str, Any]]:
    """The events, once there are so many."""
    end = time.monotonic() + SECONDS
    while len(found := events(running, source, device)) < number:
        assert time.monotonic() < end, f"{len(found)} of {number}; {running.log_tail('emitters')}"
        time.sleep(0.1)
    return found


def down(running: Instance) -> int:
    wait_until_idle(running)
    said = json.loads(output_of(running, "query", "devices_down", "--unit", WARD, "--format", "json"))
    return int(said["readings"][0]["value"] or 0)


def test_a_change_is_one_event_and_a_figure_and_a_repetition_none(running: Instance, camera: Device) -> None:
    for counter, state in ((1, "online"), (1, "online"), (2, "offline"), (2, "offline"), (2, "offline")):
        camera.say(state=state, counter=counter)
    found = until(running, 2, camera.holder.source, camera.number)
    assert [(data["state"], data["counter"]) for data in found] == [("online", 1), ("offline", 2)]
    before = down(running)
    camera.say(state="online", counter=5)
    until(running, 3, camera.holder.source, camera.number)
    assert (before, down(running)) == (1, 0)
    assert len(events(running, camera.holder.source, camera.number)) == 3
    assert "changes_missed" in output_of(running, "findings", "--unit", WARD, "--format", "json")


def test_a_device_says_nothing_beyond_its_key_and_hears_nothing(running: Instance, camera: Device) -> None:
    for topic in (
        camera.topic(unit=OTHER),
        camera.topic(key="another-key"),
        f"ioc/events/{WARD}/gis/device/state_changed/{camera.holder.name}",
        "ioc/quarantine/gis",
        "$JS/API/STREAM/PURGE/EVENTS",
    ):
        camera.say(topic, state="offline")
    for number, topic in enumerate(("#", "ioc/#", "$SYS/#", "_INBOX_cli/#", camera.topic()), start=1):
        _, mid = camera.client.subscribe(topic, qos=number % 2)
        assert all(code.is_failure for code in camera.wait(f"heard {mid}")), topic
    camera.say(state="online")
    until(running, 1, camera.holder.source, camera.number)
    log = running.log_tail("nats", 200)
    assert f'Publish Violation - Subject "ioc.devices.{OTHER}.{camera.number}' in log
    assert f'.{camera.number}.another-key"' in log


def test_who_reports_no_devices_or_has_no_secret_does_not_enter(running: Instance, watch: Holder) -> None:
    clinic = Holder(running, "--system", "health", "--units", WARD)
    for device in (Device(clinic), Device(watch, "iock_" + "x" * 43)):
        assert device.wait("connected").is_failure
        device.end()
    clinic.said("revoke", clinic.name)


def test_what_is_too_large_or_wrong_is_refused_and_the_rest_goes_on(running: Instance, camera: Device) -> None:
    camera.say(state="online", owner="somebody")
    camera.say(camera.topic("CAM-0912345678"), state="online")
    camera.client.publish(camera.topic(), b"x" * 100_000, qos=1).wait_for_publish(SECONDS)
    camera.say(state="faulty")
    assert [data["state"] for data in until(running, 1, camera.holder.source, camera.number)] == ["faulty"]
    log = running.log_tail("emitters", 200)
    assert {"bad_words", "personal_data", "too_large"} <= set(log.split()) | set(log.replace('"', " ").split())
    assert "0912345678" not in log and "somebody" not in log


def test_what_is_to_be_retained_is_thrown_away(running: Instance, camera: Device) -> None:
    camera.say(retain=True, state="online")
    until(running, 1, camera.holder.source, camera.number)

    async def kept() -> int:
        async with bus.connected(settings_of(running, "monitor"), "test") as client:
            return int((await client.jetstream().stream_info(RETAINED)).state.messages)

    end = time.monotonic() + SECONDS
    while asyncio.run(kept()):
        assert time.monotonic() < end
        time.sleep(0.3)


def enters(holder: Holder, client: str, clean: bool = False) -> bool:
    """Whether the broker takes a connection, which is ended at once; a session that is not clean stays behind."""
    words = (client, holder.name, holder.secret)
    body = (
        b"\0\4MQTT\4" + bytes([0xC0 | 2 * clean]) + b"\0\x3c" + b"".join(len(w).to_bytes(2) + w.encode() for w in words)
    )
    assert len(body) < 128
    with socket.create_connection(("127.0.0.1", holder.running.ports["mqtt"]), timeout=SECONDS) as line:
        line.sendall(b"\x10" + bytes([len(body)]) + body)
        answer = line.recv(4)
        line.sendall(b"\xe0\0")
    return answer[:2] + answer[3:] == b"\x20\2\0"


async def _sessions(running: Instance) -> int:
    async with bus.connected(settings_of(running, "monitor"), "test") as client:
        return int((await client.jetstream().stream_info(SESSIONS)).state.messages)


def test_a_key_leaves_only_so_many_sessions_behind(running: Instance, watch: Holder) -> None:
    greedy = Holder(running, "--system", "gis", "--units", WARD)
    entered = 0
    while entered < 2 * MOST_OF_A_KEY and enters(greedy, f"new-{entered}"):
        entered += 1
    assert MOST_OF_A_KEY <= entered < MOST_OF_A_KEY + 50
    assert enters(greedy, "new-0") and not enters(greedy, "other", clean=True)
    assert enters(watch, "a-camera", clean=True) and enters(watch, "a-camera")
    greedy.said("revoke", greedy.name)


def test_of_all_sessions_the_latest_are_kept_and_others_come_back(
    running: Instance, watch: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        assert enters(watch, f"kept-{n}")
    monkeypatch.setattr(devices, "MOST_SESSIONS", 4)
    assert asyncio.run(_sessions(running)) > 4
    asyncio.run(_forget(running))
    assert asyncio.run(_sessions(running)) == 4
    assert enters(watch, "kept-5")
    # Whose session was thrown away is put off once.
    assert [enters(watch, "kept-0") for _ in range(3)] == [False, True, True]


async def _forget(running: Instance) -> None:
    settings = settings_of(running, "emitter_keys")
    async with bus.connected(settings, "test") as client, store.pool(settings, "emitters", 1) as pool:
        await Devices(Keyring(pool, 2**20), pool, lambda: client)._forget(client)


def test_a_client_id_in_use_is_not_taken_over_by_another_key(running: Instance, watch: Holder) -> None:
    thief, camera = Holder(running, "--system", "gis", "--units", WARD), Device(watch, client="gate-7")
    assert not enters(thief, "gate-7", clean=True)
    camera.say(state="online")
    until(running, 1, watch.source, camera.number)
    assert enters(watch, "gate-7", clean=True), "its own key may, as a device does that lost its connection"
    camera.end()
    thief.said("revoke", thief.name)


def test_what_was_taken_when_the_process_died_counts_once(running: Instance, camera: Device) -> None:
    numbers = [f"{camera.number}-{n}" for n in range(20)]
    for number in numbers:
        camera.say(camera.topic(number), state="online", counter=1)
    running.kill("emitters")
    asyncio.run(_taken_and_not_sent(running, camera))
    running.wait_ready("emitters")
    end = time.monotonic() + SECONDS
    while len(told := _devices_of(running, camera)) < 21 or time.monotonic() < end - SECONDS + 3:
        assert time.monotonic() < end, f"{len(told)} of 21; {running.log_tail('emitters')}"
        for number in numbers:
            camera.say(camera.topic(number), state="online", counter=1)
        camera.say(state="offline")
        time.sleep(0.5)
    wait_until_idle(running)
    assert sorted(_devices_of(running, camera)) == sorted([camera.number, *numbers])


def _devices_of(running: Instance, camera: Device) -> list[str]:
    return [data["device"] for data in events(running, camera.holder.source) if camera.number in data["device"]]


async def _taken_and_not_sent(running: Instance, camera: Device) -> None:
    """As a process does that dies the moment after."""
    settings = settings_of(running, "cli")
    async with store.pool(settings, "emitters", 1) as pool:
        hears = Devices(keyring := Keyring(pool, 2**20), pool, lambda: pytest.fail("nothing is sent"))
        await keyring._look()
        subject = camera.topic().replace("/", ".")
        event, by = hears.understood(subject, b'{"kind": "camera", "state": "offline"}', clock.now())
        assert [await hears._lay_down(event, by) for _ in range(2)] == [True, False]


def test_a_key_says_no_more_than_it_may(running: Instance) -> None:
    slow = Holder(running, "--system", "gis", "--units", WARD, "--rate", "0.3")
    device = Device(slow)
    for n in range(8):
        device.say(device.topic(f"{device.number}-{n}"), state="online")
    time.sleep(1)
    wait_until_idle(running)
    assert 1 <= len(events(running, slow.source)) <= 4
    device.end()
    slow.said("revoke", slow.name)
