"""The door for messages from the bus: each is validated alone, and what cannot be accepted is laid into the
quarantine with its reason, and without what looks personal in it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

from schemas.envelope import SUBJECT_PREFIX, Invalid, refuse_personal
from schemas.masking import masked
from schemas.personal import find, mask
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
            _check_headers(message)
        except Invalid as invalid:
            refused.append(Refused(message, invalid))
        else:
            accepted.append((message, Incoming(event, message.metadata.timestamp)))
    return accepted, refused


def _check_headers(message: Msg) -> None:
    for name, value in (message.headers or {}).items():
        if not _OF_CONTENT.fullmatch(value):
            refuse_personal("headers", f"{name}: {value}")


_OF_CONTENT = re.compile(r"[0-9a-f]{32}(?:-\d{1,19})?|application/cloudevents\+json")
"""What our own publishers write into headers."""


async def quarantine(js: JetStreamContext, refused: Refused) -> None:
    """Lay a message into the quarantine, once however often this is tried; raises what NATS raises.

    What looks personal is masked first, and the message then erased from the stream that it came by. Cut short between
    the two, both are tried again.
    """
    message, invalid = refused
    meta = message.metadata
    body = masked(message.data)
    headers = {
        "Nats-Msg-Id": f"{meta.stream}-{meta.sequence.stream}-{int(meta.timestamp.timestamp())}",
        "Ioc-Code": invalid.code,
        "Ioc-Reason": _ascii(invalid.reason),
        "Ioc-Subject": _ascii(mask(message.subject)),
        "Ioc-Sequence": str(meta.sequence.stream),
        "Ioc-Recorded": meta.timestamp.isoformat(),
    }
    if body is not None:
        headers["Ioc-Masked"] = "true"
    lies = message.data if body is None else body
    await js.publish(f"{QUARANTINE_PREFIX}{_system(message.subject)}", lies, timeout=10, headers=headers)
    if body is not None or invalid.code == "personal_data" or find(message.subject) or _in_headers(message):
        await _erase(js, meta.stream, meta.sequence.stream)
    metrics.EVENTS_QUARANTINED.labels(invalid.code).inc()


def _in_headers(message: Msg) -> bool:
    try:
        _check_headers(message)
    except Invalid:
        return True
    return False


async def _erase(js: JetStreamContext, stream: str, seq: int) -> None:
    """Overwrite a message where it lies on the broker's disk; one that is gone already is erased."""
    try:
        await js.delete_msg(stream, seq)
    except APIError as refusal:
        if refusal.err_code not in _GONE:
            raise


_GONE = (10037, 10043)
"""The broker's codes for a message and a sequence that are not there."""


def _system(subject: str) -> str:
    steps = subject.removeprefix(SUBJECT_PREFIX).split(".")
    return steps[1] if len(steps) > 1 and steps[1] in SYSTEMS else "unknown"


def _ascii(text: str) -> str:
    """Headers are read by clients in any language: ASCII, one line, and not endless."""
    return text.encode("ascii", "backslashreplace").decode().replace("\r", " ").replace("\n", " ")[:1000]
