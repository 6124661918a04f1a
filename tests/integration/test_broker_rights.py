"""Each credential of the broker against every subject and every call of its interface: what is not its job is refused.

What each may say is written here once more, by hand: the table that the product renders is held against it.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import nats
import pytest
from holders import denied

from infra.nats import users
from infra.nats.cluster import Node, render
from schemas.registry import DATA_TYPES

U = "phuong_chon_thanh"
DOSSIER = (
    "submitted accepted refused processing_started supplement_requested supplement_received payment_requested "
    "withdrawn stopped extended resolved returned rated synchronised"
)
REPORT = "received verified refused routed accepted resolved reopened rated"
NOTICES = ("procedures.dossier.due_soon", "procedures.dossier.overdue", "field.report.overdue")
RETRACTED = (
    "economy.indicator.retracted",
    "economy.indicator.target_retracted",
    "education.roster.retracted",
    "health.visits.retracted",
    "health.beds.retracted",
    "health.health_record.retracted",
    "security.antivirus.retracted",
)
EVENTS = {f"{data.system}.{data.event}" for data in DATA_TYPES.values()}
STREAMS = ("EVENTS", "QUARANTINE", "ALERTS", "OTHER")
CONSUMERS = ("aggregator", "notifier", "other")
BARE = ("INFO", "STREAM.LIST", "STREAM.NAMES", "ACCOUNT.PURGE.x", "META.LEADER.STEPDOWN", "SERVER.REMOVE")
OF_STREAM = [
    "STREAM.INFO",
    "STREAM.CREATE",
    "STREAM.UPDATE",
    "STREAM.DELETE",
    "STREAM.PURGE",
    "STREAM.SNAPSHOT",
    "STREAM.RESTORE",
    "STREAM.MSG.GET",
    "STREAM.MSG.DELETE",
    "STREAM.LEADER.STEPDOWN",
    "STREAM.PEER.REMOVE",
    "DIRECT.GET",
    "CONSUMER.CREATE",
    "CONSUMER.LIST",
    "CONSUMER.NAMES",
]
OF_CONSUMER = [
    "CONSUMER.INFO",
    "CONSUMER.CREATE",
    "CONSUMER.DURABLE.CREATE",
    "CONSUMER.DELETE",
    "CONSUMER.MSG.NEXT",
    "CONSUMER.PAUSE",
    "CONSUMER.LEADER.STEPDOWN",
    "CONSUMER.UNPIN",
]
ALARM_SYSTEMS = ["procedures", "economy", "education", "health", "gis", "security", "field", "social", "platform"]


def calls(*names: str, stream: str = "", consumer: str = "") -> set[str]:
    tail = "".join(f".{part}" for part in (stream, consumer) if part)
    return {f"$JS.API.{name}{tail}" for name in names}


SUBJECTS = (
    {f"ioc.events.{U}.{event}" for event in EVENTS}
    | {
        f"ioc.events.{U}",
        f"ioc.events.{U}.procedures.dossier.unknown",
        f"ioc.events.{U}.procedures.dossier.overdue.more",
    }
    | {f"ioc.events.{U}.{event}.{by}" for event in EVENTS for by in ("some-key", "_centre")}
    | {f"ioc.quarantine.{name}" for name in ("procedures", "unknown", "never.published")}
    | {f"ioc.alerts.{name}.raised" for name in ALARM_SYSTEMS}
    | {
        f"ioc.alerts.{name}"
        for name in ("audit.login", "audit.account.created", "quarantine.discarded", "quarantine.x")
    }
    | calls(*BARE)
    | {subject for stream in STREAMS for subject in calls(*OF_STREAM, stream=stream)}
    | {s for stream in STREAMS for c in CONSUMERS for s in calls(*OF_CONSUMER, stream=stream, consumer=c)}
    | {f"$JS.ACK.{stream}.{c}.1.2.3.4.5" for stream in STREAMS for c in CONSUMERS}
    | {f"$JS.ACK.QUARANTINE.{c}.1.2.3.4.5" for c in CONSUMERS}
    | {"$JS.SNAPSHOT.ACK.x", "$JS.FC.EVENTS.x", "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO", "$KV.x", "anything"}
    | {"$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.NODE.KICK", "$SYS.REQ.SERVER.NODE.RELOAD", "$SYS.REQ.USER.AUTH"}
    | {f"_INBOX_{user}.x" for user in users.USERS}
    | {s for stream in ("$MQTT_rmsgs", "$MQTT_sess") for s in calls("STREAM.PURGE", "DIRECT.GET", stream=stream)}
    | {"$MQTT.sess.Hw5Tq0aB", f"ioc.devices.{U}.CAM-1.some-key"}
)


def events(*names: str) -> set[str]:
    return {f"ioc.events.{U}.{name}" for name in names}


def named(prefix: str, words: str) -> set[str]:
    return events(*(f"{prefix}.{word}" for word in words.split()))


def reading(consumer: str) -> set[str]:
    """What a service needs that reads the stream of events by a consumer of its own."""
    return (
        calls("STREAM.INFO", stream="EVENTS")
        | calls(
            *("CONSUMER.INFO", "CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE", "CONSUMER.MSG.NEXT"),
            stream="EVENTS",
            consumer=consumer,
        )
        | {f"$JS.ACK.EVENTS.{consumer}.1.2.3.4.5"}
    )


INFO = (
    calls("INFO", "STREAM.NAMES")
    | {s for stream in STREAMS for s in calls("STREAM.INFO", stream=stream)}
    | {s for stream in STREAMS for c in CONSUMERS for s in calls("CONSUMER.INFO", stream=stream, consumer=c)}
)
MENDING = (
    calls("STREAM.MSG.DELETE", "DIRECT.GET", "CONSUMER.CREATE", stream="QUARANTINE")
    | {s for c in CONSUMERS for s in calls("CONSUMER.CREATE", "CONSUMER.MSG.NEXT", stream="QUARANTINE", consumer=c)}
    | {"ioc.alerts.quarantine.discarded"}
)
LISTING = calls("STREAM.LIST") | {
    s for stream in STREAMS for s in calls("CONSUMER.LIST", "CONSUMER.NAMES", stream=stream)
}
ALL_EVENTS = events(*EVENTS)
BY_KEY = {f"{subject}.some-key" for subject in ALL_EVENTS - events(*NOTICES, *RETRACTED)}
BY_CENTRE = {
    f"{subject}._centre"
    for subject in (ALL_EVENTS - events(*NOTICES, *RETRACTED)) | events("economy.indicator.target_retracted")
}
WHATEVER = {subject for subject in SUBJECTS if subject.startswith("ioc.events.")}
MAY: dict[str, set[str]] = {
    "emitter_procedures": named("procedures.dossier", DOSSIER) | events("procedures.procedure.published"),
    "emitter_payments": events("procedures.payment.made", "procedures.payment.refunded"),
    "emitter_field": named("field.report", REPORT),
    "emitter_keys": BY_KEY | calls("STREAM.PURGE", stream="$MQTT_rmsgs") | calls("STREAM.PURGE", stream="$MQTT_sess"),
    "keys": set(),
    "keys_system": {"$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.NODE.KICK"},
    "deadlines": events(*NOTICES),
    "simulator": ALL_EVENTS - events(*NOTICES, *RETRACTED),
    "aggregator": reading("aggregator")
    | calls("STREAM.MSG.DELETE", stream="EVENTS")
    | calls("STREAM.MSG.GET", stream="EVENTS")
    | {"ioc.quarantine.procedures", "ioc.quarantine.unknown"},
    "notifier": reading("notifier") | {f"ioc.alerts.{name}.raised" for name in ALARM_SYSTEMS},
    "board": INFO
    | MENDING
    | ALL_EVENTS
    | BY_KEY
    | BY_CENTRE
    | {"ioc.alerts.audit.login", "ioc.alerts.audit.account.created"},
    "cli": INFO
    | MENDING
    | WHATEVER
    | calls("STREAM.MSG.GET", stream="QUARANTINE")
    | {s for c in CONSUMERS for s in calls("CONSUMER.DELETE", stream="QUARANTINE", consumer=c)}
    | {f"$JS.ACK.QUARANTINE.{c}.1.2.3.4.5" for c in CONSUMERS},
    "monitor": INFO | LISTING,
    "exporter": INFO | calls("DIRECT.GET", stream="EVENTS"),
    "admin": INFO
    | LISTING
    | {
        subject
        for stream in STREAMS
        for subject in calls(
            *["STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.SNAPSHOT", "STREAM.RESTORE", "STREAM.MSG.GET"],
            *["CONSUMER.CREATE", "STREAM.MSG.DELETE"],
            stream=stream,
        )
    }
    | {
        subject
        for stream in STREAMS
        for c in CONSUMERS
        for subject in calls(
            *("CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE", "CONSUMER.DELETE", "CONSUMER.MSG.NEXT"),
            stream=stream,
            consumer=c,
        )
    }
    | {"$JS.SNAPSHOT.ACK.x"},
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The configuration of a centre on a broker without streams: nobody answers, so nothing can be broken by asking."""
    folder = tmp_path_factory.mktemp("rights")
    with socket.socket() as free, socket.socket() as other:
        for one in (free, other):
            one.bind(("127.0.0.1", 0))
        node = Node(port=free.getsockname()[1], monitor=other.getsockname()[1])
    text = render(node, folder / "streams", 2**20, lambda user: f"{user}-password")
    before, _, rest = text.partition("jetstream {")
    (folder / "server.conf").write_text(before + rest.partition("\n}\n")[2])
    server = Path(sysconfig.get_path("scripts")) / "nats-server"
    broker = subprocess.Popen([server, "-c", folder / "server.conf"], stderr=subprocess.DEVNULL)
    try:
        yield f"nats://127.0.0.1:{node.port}"
    finally:
        broker.terminate()
        broker.wait(20)


async def refused(address: str, user: str, subjects: set[str], listen: bool = False) -> set[str]:
    """Which of the subjects the broker does not let the user publish, or hear."""
    own = {"user": user, "password": f"{user}-password", "inbox_prefix": b"_INBOX_" + user.encode()}
    return await denied(partial(nats.connect, address, **own), subjects, listen)


def test_every_credential_stands_in_the_table() -> None:
    assert set(MAY) == set(users.USERS)
    assert all(may <= SUBJECTS for may in MAY.values())


@pytest.mark.parametrize("user", sorted(MAY))
def test_a_credential_says_what_is_its_job_and_nothing_else(address: str, user: str) -> None:
    assert SUBJECTS - asyncio.run(refused(address, user, SUBJECTS)) == MAY[user]


@pytest.mark.parametrize("user", sorted(MAY))
def test_a_credential_hears_its_own_answers_and_nothing_else(address: str, user: str) -> None:
    subjects = {f"_INBOX_{other}.>" for other in users.USERS} | {"ioc.>", "$JS.API.>", "$JS.EVENT.>", ">", "_INBOX.>"}
    subjects |= {"$SYS.>", "$SYS.REQ.USER.AUTH", "ioc.devices.>"}
    further = {"keys": {"$SYS.REQ.USER.AUTH"}, "emitter_keys": {"ioc.devices.>"}}
    hears = {f"_INBOX_{user}.>"} | further.get(user, set())
    assert subjects - asyncio.run(refused(address, user, subjects, listen=True)) == hears
