"""What could not be understood lies in the quarantine with its reason: listing it, sending it on, taking it out.

Whatever is taken out is noted in the stream of alarms first: who, when, why, and the digest of what it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from schemas.envelope import SUBJECT_PREFIX, Event, Invalid, refuse_personal
from schemas.keys import parted
from schemas.masking import is_masked
from schemas.registry import parse
from schemas.streams import QUARANTINE
from schemas.text.letters import visible
from services.kit import bus, clock

PAGE = 500


class Lying(NamedTuple):
    """A message in the quarantine without its body: where it lies, since when, why, and the subject it came by."""

    seq: int
    recorded: str
    code: str
    reason: str
    subject: str
    size: int

    @property
    def unit(self) -> str:
        """The unit in the subject it came by; empty where there is none."""
        return self.subject.removeprefix(SUBJECT_PREFIX).partition(".")[0] if "." in self.subject else ""


class Body(NamedTuple):
    """One message with its headers and its body as it came."""

    headers: dict[str, str]
    data: bytes

    def pretty(self) -> str:
        """The body for people: indented where it is JSON; what is no text or cannot be seen is escaped."""
        try:
            text = json.dumps(json.loads(self.data), ensure_ascii=False, indent=2)
        except ValueError:
            text = self.data.decode(errors="backslashreplace")
        return "\n".join(map(visible, text.split("\n")))


class NothingThere(LookupError):
    """Nothing lies in the quarantine under this number."""


async def mark(js: JetStreamContext) -> tuple[int, int]:
    """What differs as soon as anything was laid there or taken out."""
    state = (await js.stream_info(QUARANTINE.name)).state
    return state.last_seq, state.messages


async def listed(js: JetStreamContext, latest: int | None = None) -> list[Lying]:
    """What lies there, in the order of arrival, all of it or of the `latest` numbers; bodies stay where they are."""
    state = (await js.stream_info(QUARANTINE.name)).state
    if not state.messages:
        return []
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, headers_only=True, inactive_threshold=30)
    if latest is not None:
        config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
        config.opt_start_seq = max(state.first_seq, state.last_seq - latest + 1)
    reader = await js.pull_subscribe("ioc.quarantine.>", stream=QUARANTINE.name, config=config)
    found: list[Lying] = []
    try:
        pending = (await reader.consumer_info()).num_pending or 0
        while pending:
            for message in await reader.fetch(PAGE, timeout=5):
                meta = message.metadata
                found.append(_lying(meta.sequence.stream, meta.timestamp.isoformat(), message.headers or {}))
                pending = meta.num_pending
    finally:
        # The server forgets its consumer by itself; the client would keep the subscription as long as it is connected.
        await reader.unsubscribe()
    return found


def _lying(seq: int, laid: str, headers: Mapping[str, str]) -> Lying:
    return Lying(
        seq=seq,
        recorded=headers.get("Ioc-Recorded") or laid,
        code=headers.get("Ioc-Code", "unknown"),
        reason=_unescaped(headers.get("Ioc-Reason", "")),
        subject=headers.get("Ioc-Subject", ""),
        size=int(headers.get("Nats-Msg-Size", 0)),
    )


async def get(js: JetStreamContext, seq: int) -> tuple[Lying, Body]:
    """One message as listed, and as it came; `NothingThere` if it was taken out already."""
    try:
        message = await js.get_msg(QUARANTINE.name, seq, direct=True)
    except NotFoundError:
        raise NothingThere(f"nothing lies in the quarantine under {seq}") from None
    headers, data = message.headers or {}, message.data or b""
    lying = _lying(seq, "", headers)._replace(size=len(data))
    return lying, Body({name: _unescaped(value) for name, value in headers.items()}, data)


def event_of(body: Body, mended: bytes | None) -> Event:
    """The event that a message is, as it was or `mended`; raises `Invalid`, also where a mask still stands in it."""
    if is_masked(body.data if mended is None else mended):
        raise Invalid("personal_data", "what stands in [brackets] was personal data; mend it and send it without")
    return parse(body.data if mended is None else mended, clock.now())


async def resubmit(js: JetStreamContext, seq: int, mended: bytes | None, who: str) -> str:
    """Publish one message, as it was or `mended`, under its own subject and take it out; returns the event's id.

    Raises `envelope.Invalid` where it is still invalid: then it stays.
    """
    _, body = await get(js, seq)
    event = event_of(body, mended)
    _, by = parted(body.headers.get("Ioc-Subject", ""))
    await bus.publish(js, event, by=by)
    await _take_out(js, seq, body, "resubmitted", f"{'as it was' if mended is None else 'mended'}: {event.id}", who)
    return event.id


async def discard(js: JetStreamContext, seq: int, reason: str, who: str) -> None:
    """Take a message out for good. Raises `envelope.Invalid` where the reason holds personal data."""
    refuse_personal("reason", reason)
    _, body = await get(js, seq)
    await _take_out(js, seq, body, "discarded", reason, who)


async def _take_out(js: JetStreamContext, seq: int, body: Body, deed: str, reason: str, who: str) -> None:
    note = {
        "seq": seq,
        "deed": deed,
        "who": who,
        "time": clock.now().isoformat(),
        "reason": reason,
        "code": body.headers.get("Ioc-Code"),
        "subject": body.headers.get("Ioc-Subject"),
        "digest": blake2b(body.data, digest_size=16).hexdigest(),
        "bytes": len(body.data),
    }
    text = json.dumps(note, ensure_ascii=False).encode()
    await js.publish(f"ioc.alerts.quarantine.{deed}", text, timeout=5)
    await js.delete_msg(QUARANTINE.name, seq)


def _unescaped(header: str) -> str:
    """The text of a header, which travels in ASCII; what cannot be seen stays as it is written there."""
    return visible(_ESCAPED.sub(lambda code: chr(int(code[1] or code[2], 16)), header))


_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")
