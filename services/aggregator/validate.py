"""The door for messages from the bus: each is validated alone, and what cannot be accepted is laid into the
quarantine with its reason, and without what looks personal in it."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

from schemas.envelope import SUBJECT_PREFIX, Invalid
from schemas.keys import Owners
from schemas.masking import masked
from schemas.personal import find, mask
from schemas.registry import SYSTEMS
from schemas.text.letters import visible
from services.aggregator.event_store import Incoming
from services.kit import metrics, pull
from services.kit.ownership import check_headers, event_of

QUARANTINE_PREFIX = "ioc.quarantine."
HEAD_BYTES = 4096
ANSWER_SECONDS = 2.0


class Refused(NamedTuple):
    """A message that cannot be accepted, and why."""

    message: Msg
    invalid: Invalid


def admit(messages: list[Msg], now: datetime, owners: Owners) -> tuple[list[tuple[Msg, Incoming]], list[Refused]]:
    """Split a batch into accepted and refused messages, each in its order. `owners`: whose source is whose."""
    accepted: list[tuple[Msg, Incoming]] = []
    refused: list[Refused] = []
    for message in messages:
        try:
            event = event_of(message, now, owners)
        except Invalid as invalid:
            # Without its traceback, which holds frames, and through them the body, until cycles are looked for.
            refused.append(Refused(message, Invalid(invalid.code, invalid.reason)))
        else:
            accepted.append((message, Incoming(event, pull.recorded(message))))
    return accepted, refused


class Kept(NamedTuple):
    """What is laid into the quarantine of a refused message, and whether its original is erased."""

    message: Msg
    code: str
    body: bytes
    headers: dict[str, str]
    erased: bool


def kept(refused: Refused) -> Kept:
    """What looks personal is masked; of what is too large the head is kept, with its size, its digest and its number.

    All of the message is read, which takes a second for the largest of the worst.
    """
    message, invalid = refused
    meta = message.metadata
    hidden = masked(message.data)
    body = message.data if hidden is None else hidden
    headers = {
        "Nats-Msg-Id": f"{meta.stream}-{meta.sequence.stream}-{int(meta.timestamp.timestamp())}",
        "Ioc-Code": invalid.code,
        "Ioc-Reason": _ascii(invalid.reason),
        "Ioc-Subject": _ascii(mask(message.subject)),
        "Ioc-Sequence": str(meta.sequence.stream),
        "Ioc-Recorded": meta.timestamp.isoformat(),
    }
    if hidden is not None:
        headers["Ioc-Masked"] = "true"
    if invalid.code == "too_large":
        body = head(body)
        headers |= {"Ioc-Size": str(len(message.data)), "Ioc-Digest": digest(message.data)}
    personal = hidden is not None or invalid.code == "personal_data" or bool(find(message.subject))
    return Kept(message, invalid.code, body, headers, personal or _in_headers(message))


async def quarantine(js: JetStreamContext, one: Kept) -> None:
    """Lay a message into the quarantine, once however often this is tried; raises what NATS raises.

    What looks personal is erased from the stream that it came by after that. Cut short between the two, both are tried
    again.
    """
    subject = f"{QUARANTINE_PREFIX}{_system(one.message.subject)}"
    await js.publish(subject, one.body, timeout=ANSWER_SECONDS, headers=one.headers)
    if one.erased:
        await erase(js, one.message)
    metrics.EVENTS_QUARANTINED.labels(one.code).inc()


def _in_headers(message: Msg) -> bool:
    try:
        check_headers(message)
    except Invalid:
        return True
    return False


async def erase(js: JetStreamContext, message: Msg) -> None:
    """Erase a message that is at hand from the stream that it came by."""
    await erase_message(js, message.metadata.stream, message.metadata.sequence.stream)


async def erase_message(js: JetStreamContext, stream: str, seq: int) -> None:
    """Overwrite a message where it lies on the broker's disk; one that is gone already is erased."""
    try:
        await js.delete_msg(stream, seq)
    except APIError as refusal:
        if refusal.err_code not in _GONE:
            raise


_GONE = (10037, 10043)
"""The broker's codes for a message and a sequence that are not there."""


def head(data: bytes) -> bytes:
    """The beginning of what is too large to be kept twice, cut between two characters."""
    end = min(HEAD_BYTES, len(data))
    while HEAD_BYTES - 4 < end < len(data) and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end]


def digest(data: bytes) -> str:
    """What tells one body from another without keeping it: BLAKE2b, 16 bytes in hexadecimal."""
    return blake2b(data, digest_size=16).hexdigest()


def _system(subject: str) -> str:
    steps = subject.removeprefix(SUBJECT_PREFIX).split(".")
    return steps[1] if len(steps) > 1 and steps[1] in SYSTEMS else "unknown"


def _ascii(text: str) -> str:
    """Headers are read by clients in any language: ASCII, one line, and not endless."""
    return visible(text).encode("ascii", "backslashreplace").decode()[:1000]
