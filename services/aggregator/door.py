"""The door for messages from the bus: each is validated alone, and what cannot be accepted is laid into the
quarantine with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.js import JetStreamContext

from schemas.envelope import SUBJECT_PREFIX, Invalid
from schemas.registry import SYSTEMS, parse
from services.aggregator.ledger import Incoming
from services.kit import metrics

QUARANTINE_PREFIX = "ioc.quarantine."


class Refused(NamedTuple):
    """A message that cannot be accepted, and why."""

    message: Msg
    invalid: Invalid


def admit(messages: list[Msg], now: datetime) -> tuple[list[tuple[Msg, Incoming]], list[Refused]]:
    """Split a batch into accepted and refused messages, each in its order."""
    accepted: list[tuple[Msg, Incoming]] = []
    refused: list[Refused] = []
    for message in messages:
        try:
            event = parse(message.data, now, message.subject)
        except Invalid as invalid:
            refused.append(Refused(message, invalid))
        else:
            accepted.append((message, Incoming(event, message.metadata.timestamp)))
    return accepted, refused


async def quarantine(js: JetStreamContext, refused: Refused) -> None:
    """Lay a message into the quarantine as it came, once however often this is tried; raises what NATS raises."""
    message, invalid = refused
    meta = message.metadata
    headers = {
        "Nats-Msg-Id": f"{meta.stream}-{meta.sequence.stream}-{int(meta.timestamp.timestamp())}",
        "Ioc-Code": invalid.code,
        "Ioc-Reason": _ascii(invalid.reason),
        "Ioc-Subject": _ascii(message.subject),
        "Ioc-Sequence": str(meta.sequence.stream),
        "Ioc-Recorded": meta.timestamp.isoformat(),
    }
    await js.publish(f"{QUARANTINE_PREFIX}{_system(message.subject)}", message.data, timeout=10, headers=headers)
    metrics.EVENTS_QUARANTINED.labels(invalid.code).inc()


def _system(subject: str) -> str:
    steps = subject.removeprefix(SUBJECT_PREFIX).split(".")
    return steps[1] if len(steps) > 1 and steps[1] in SYSTEMS else "unknown"


def _ascii(text: str) -> str:
    """Headers are read by clients in any language: ASCII, one line, and not endless."""
    return text.encode("ascii", "backslashreplace").decode().replace("\r", " ").replace("\n", " ")[:1000]
