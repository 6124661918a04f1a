"""Whatever is thrown at the doors of a whole centre, each answers with a reason, nothing falls, no number of a person
lies anywhere on its disk, and whatever was taken is found again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import paho.mqtt.client as mqtt
import psycopg
import pytest
from alarms import eventually
from chance import examples
from holders import ONE, Holder
from hypothesis import HealthCheck, given
from hypothesis.strategies import SearchStrategy
from on_disk import back_up, found_in
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import ValidationError
from shown import unexplained
from support import home_in, wait_until_idle
from thrown import DOSSIER, DRAWN, EVENTS, NAME, REPORT, WARD, answered, changed, several, texts, written

from infra.local.servers import Instance
from schemas import personal
from schemas.envelope import Invalid
from schemas.keys import subject_by
from schemas.registry import DATA_TYPES, SYSTEMS, parse
from schemas.sources import OWN_ALONE
from services.centre.prepare import settings_of
from services.emit import Emitter
from services.ingest.app import EMITTERS
from services.ingest.cloudevents import BATCH, LINES
from services.ingest.examples import example
from services.kit import bus, clock, quarantine

FORM, OPEN311 = "application/x-www-form-urlencoded", "/open311/v2/requests.json"
HEARTBEAT = {"kind": "camera", "state": "online", "counter": 17, "at": "2026-11-20T08:00:00+07:00"}


@pytest.fixture(scope="module")
def whole(open_folder: Path, new_centre: Callable[[Path], Instance]) -> Iterator[Instance]:
    folder = home_in(open_folder, "fuzzed")
    own = new_centre(folder / "main")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IOC_MQTT", "true")
            own.start(["nats", "timescaledb"])
            own.start_services(["aggregator", "deadlines", "emitters"])
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="module")
def holder(whole: Instance) -> Iterator[Holder]:
    systems = (f"--system={name}" for name in SYSTEMS)
    made = Holder(whole, *systems, "--source", f"/{NAME}", "--rate", "5000")
    yield made
    made.door.close()


@pytest.fixture(scope="module", autouse=True)
def kept(whole: Instance, holder: Holder) -> Iterator[None]:
    """After all of it: what was taken is stored, moves a figure or is a finding, and nobody's number lies on disk."""
    before = asyncio.run(last(whole))
    yield
    wait_until_idle(whole)
    assert asyncio.run(lost(whole, before)) == []
    with psycopg.connect(settings_of(whole, "cli").database("reader"), autocommit=True) as conn:
        assert unexplained(conn) == [], "each moves a figure, is shown, or is a finding"
    back_up(whole)
    whole.stop()
    assert found_in(whole.data, DRAWN) == []


async def last(centre: Instance) -> int:
    """The number of the last event in the stream."""
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        return (await client.jetstream().stream_info("EVENTS")).state.last_seq


async def lost(centre: Instance, since: int) -> list[int]:
    """The numbers, after this one, of messages that are neither in the log nor set aside."""
    with psycopg.connect(settings_of(centre, "cli").database("reader"), autocommit=True) as conn:
        stored = {digest for (digest,) in conn.execute("SELECT digest FROM event_key").fetchall()}
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        js = client.jetstream()
        aside = [(await js.get_msg("QUARANTINE", one.seq)).headers or {} for one in await quarantine.listed(js)]
        set_aside = {int(head["Ioc-Sequence"]) for head in aside}
        numbers = [number for number in range(since + 1, await last(centre) + 1) if number not in set_aside]
        sent = {number: (await js.get_msg("EVENTS", number)).data or b"" for number in numbers}
    return [number for number, raw in sent.items() if parse(raw, clock.now()).digest not in stored]


def throw(bodies: SearchStrategy[Any], once: Callable[[Any], None], number: int = 15) -> None:
    """Give a door whatever is drawn: in the long run 10,000 of it."""

    @examples(number, long=10_000, suppress_health_check=list(HealthCheck))
    @given(body=bodies)
    def thrown(body: Any) -> None:
        once(body)

    thrown()


def of_nobody(said: Any) -> None:
    assert [text for text in texts(said) if personal.find(text)] == []


# --- over HTTP, with a key ---


def as_form(said: dict[str, Any]) -> bytes:
    return urlencode(said, errors="replace").encode()


IN_BATCH, DOSSIERS = (several(base, b",").map(lambda inner: b"[" + inner + b"]") for base in (EVENTS, [DOSSIER]))
BY_HTTP: dict[str, tuple[str, str, SearchStrategy[bytes]]] = {
    "one": ("/events", ONE, written(EVENTS)),
    "a batch": ("/events", BATCH, IN_BATCH),
    "lines": ("/events", LINES, several(EVENTS, b"\n")),
    "a dossier": ("/onestop/dossiers", "application/json", written([DOSSIER])),
    "dossiers": ("/onestop/dossiers", "application/json", DOSSIERS),
    "a report as a form": (OPEN311, FORM, changed([REPORT]).map(as_form)),
    "a report in JSON": (OPEN311, "application/json", written([REPORT])),
}  # fmt: skip


@pytest.mark.parametrize("what", BY_HTTP)
def test_what_is_posted_with_a_key(holder: Holder, what: str) -> None:
    path, kind, bodies = BY_HTTP[what]
    head = {"Content-Type": kind}
    throw(bodies, lambda body: of_nobody(answered(holder.door.post(path, content=body, headers=head))))


def test_what_is_posted_in_binary_form(holder: Holder) -> None:
    def once(event: dict[str, Any]) -> None:
        names = {name: value for name, value in event.items() if name.isascii() and name.isalnum() and name != "data"}
        head = {f"ce-{name}": quote(str(value)[:2000], safe="") for name, value in names.items()}
        of_nobody(answered(holder.send(event.get("data"), "application/json", **head)))

    throw(changed(EVENTS), once)


def test_what_source_systems_post(whole: Instance, holder: Holder) -> None:
    shown = [
        (name, post.path.format(**{known: quote(value, safe="") for known, value in one.parameters.items()}), one.body)
        for name, emitter in EMITTERS.items() for post in emitter.posts
        if (one := example(post.path, post.words, post.event))
    ]  # fmt: skip
    heads = {name: {"Authorization": f"Bearer {whole.password(f'emitter_{name}')}"} for name in EMITTERS}
    bodies = [{"at": number, "words": body} for number, (_, _, body) in enumerate(shown)]

    def once(body: dict[str, Any]) -> None:
        at = body.get("at")
        name, path, _ = shown[at % len(shown) if isinstance(at, int) else 0]
        head = heads[name] | {"Content-Type": "application/json"}
        raw = json.dumps(body.get("words")).encode(errors="surrogatepass")
        of_nobody(answered(holder.door.post(path, content=raw, headers=head)))

    throw(changed(bodies), once)


# --- over the broker, with a key ---


def test_what_is_published_with_a_key(whole: Instance, holder: Holder) -> None:
    """Any body under a subject of the key's own; what is no event lies in the quarantine, masked. What is the centre's
    own to say the broker does not take."""
    runner, heard = asyncio.Runner(), asyncio.Queue[Exception]()
    client = runner.run(holder.connected(error_cb=heard.put))
    js = client.jetstream(timeout=60)

    async def told(subject: str, body: bytes) -> str:
        """What the broker says of it where nobody waits for its answer; that may come after the answer to a flush."""
        await client.publish(subject, body)
        return str(await asyncio.wait_for(heard.get(), 60))

    def once(body: bytes) -> None:
        subject, own = f"ioc.events.{WARD}.field.report.received", False
        try:
            event = parse(body, clock.now())
            subject, own = event.subject, event.data.event in OWN_ALONE
        except Invalid as invalid:
            assert invalid.code and invalid.reason and not personal.find(invalid.reason)
        subject = subject_by(subject, holder.name)
        if own:
            assert "permissions violation" in runner.run(told(subject, body))
        else:
            assert runner.run(js.publish(subject, body)).stream == "EVENTS"
        assert heard.empty()

    throw(written(EVENTS), once)
    runner.run(client.close())
    runner.close()


def test_what_devices_say(whole: Instance, holder: Holder) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "", protocol=mqtt.MQTTv311)
    client.username_pw_set(holder.name, holder.secret)
    client.connect("127.0.0.1", whole.ports["mqtt"])
    client.loop_start()
    eventually(client.is_connected, True)

    def once(body: bytes) -> None:
        client.publish(f"ioc/devices/{WARD}/CAM-1/{holder.name}", body, qos=1).wait_for_publish(20)

    throw(written([HEARTBEAT]), once)
    assert client.is_connected()
    client.disconnect()
    client.loop_stop()


# --- by the emitter for programs ---


def test_what_programs_emit(whole: Instance, holder: Holder, tmp_path: Path) -> None:
    """What the emitter keeps on its own disk is what the centre takes, all of it."""
    address, refused = f"http://127.0.0.1:{whole.ports['emitters']}", list[Any]()
    known = [event for event in EVENTS if event["type"] in DATA_TYPES]
    with Emitter(address, holder.secret, f"/{NAME}/sdk", tmp_path / "outbox.sqlite", on_refused=refused.append) as sdk:

        def once(event: dict[str, Any]) -> None:
            kind = DATA_TYPES.get(str(event.get("type")))
            try:
                if kind is not None:
                    sdk.emit(kind.model_validate_json(json.dumps(event.get("data"))), event.get("unit", WARD))
            except Invalid as invalid:
                assert invalid.code and invalid.reason and not personal.find(invalid.reason)
            except (ValidationError, ValueError) as wrong:
                assert str(wrong)

        throw(changed(known), once)
        assert sdk.flush(600)
    assert [one.why for one in refused if not one.why or personal.find(one.why)] == []
    assert found_in(tmp_path, DRAWN) == []
