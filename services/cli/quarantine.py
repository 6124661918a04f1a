"""`ioc quarantine`: what could not be understood lies here with its reason; mend it and send it on, or discard it.

Whatever is taken out is noted in the stream of alarms first: who, when, why, and the digest of what it was.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from nats.js import JetStreamContext

STREAM = "QUARANTINE"
PAGE = 500
T = TypeVar("T")


class Lying(NamedTuple):
    """A message in the quarantine without its body: where it lies, since when, why, and the subject it came by."""

    seq: int
    recorded: str
    code: str
    reason: str
    subject: str
    size: int


class Body(NamedTuple):
    """One message with its headers and its body as it came."""

    headers: dict[str, str]
    data: bytes


@click.group()
def quarantine() -> None:
    """What could not be understood: list, show, resubmit, discard."""


@quarantine.command("list", epilog="\b\nExample:\n  ioc quarantine list --code wrong_unit")
@click.option("--code", help="Only those with this reason code.")
@click.option("--limit", default=50, show_default=True, help="How many, the latest.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_(code: str | None, limit: int, form: str) -> None:
    """List what lies in the quarantine, the latest last."""
    found = [lying for lying in _run(_all) if code in (None, lying.code)]
    shown = found[max(len(found) - limit, 0) :]
    if form == "json":
        click.echo(json.dumps([lying._asdict() for lying in shown], indent=2))
        return
    for lying in shown:
        click.echo(f"{lying.seq:>8}  {lying.recorded[:19]}  {lying.code:<16} {lying.reason}")
    click.echo(f"{len(shown)} of {len(found)}" if found else "nothing lies in the quarantine", err=True)


@quarantine.command(epilog="\b\nExample:\n  ioc quarantine show 17")
@click.argument("seq", type=int)
def show(seq: int) -> None:
    """Show one message: its reason, and its body as it came."""
    body = _run(lambda js: _get(js, seq))
    for name, value in body.headers.items():
        click.echo(f"{name}: {value}")
    click.echo()
    click.echo(_pretty(body.data))


@quarantine.command(
    epilog="\b\nExamples:\n  ioc quarantine resubmit 17 --with mended.json\n  ioc quarantine resubmit --all"
)
@click.argument("seqs", metavar="SEQ…", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that lies there; what is still invalid stays.")
@click.option("--with", "mended", type=click.File("rb"), help="A file with the mended event, for one SEQ.")
def resubmit(seqs: tuple[int, ...], everything: bool, mended: BinaryIO | None) -> None:
    """Send messages through the same door again and take them out. What is still invalid stays, and the status is 1."""
    if bool(seqs) == everything or (mended and len(seqs) != 1):
        raise click.UsageError("name the messages or say --all; --with goes with one SEQ")
    body = mended.read() if mended else None

    async def each(js: JetStreamContext) -> list[str]:
        chosen = [lying.seq for lying in await _all(js)] if everything else seqs
        return [problem for seq in chosen if (problem := await _resubmit(js, seq, body))]

    if problems := _run(each):
        click.echo("\n".join(problems), err=True)
        raise SystemExit(1)


@quarantine.command(epilog="\b\nExample:\n  ioc quarantine discard 17 18 --reason 'test data of the supplier'")
@click.argument("seqs", metavar="SEQ…", type=int, nargs=-1, required=True)
@click.option("--reason", required=True, help="Why it is not needed; it is kept with your name.")
def discard(seqs: tuple[int, ...], reason: str) -> None:
    """Take messages out for good. Who did it, when and why is kept."""

    async def each(js: JetStreamContext) -> None:
        for seq in seqs:
            await _take_out(js, seq, await _get(js, seq), "discarded", reason)
            click.echo(f"{seq} discarded")

    _run(each)


async def _resubmit(js: JetStreamContext, seq: int, mended: bytes | None) -> str | None:
    """Publish one message under its own subject and take it out; the reason where it is still invalid."""
    from schemas.envelope import Invalid
    from schemas.registry import parse
    from services.kit import bus, clock

    body = await _get(js, seq)
    try:
        event = parse(body.data if mended is None else mended, clock.now())
    except Invalid as invalid:
        return f"{seq} stays: {invalid.code}: {invalid.reason}"
    # The broker may remember the same content from minutes ago; it must be delivered all the same.
    await bus.publish(js, event, message_id=f"{event.message_id}-{seq}")
    await _take_out(js, seq, body, "resubmitted", f"{'as it was' if mended is None else 'mended'}: {event.id}")
    click.echo(f"{seq} resubmitted as {event.id}")
    return None


async def _take_out(js: JetStreamContext, seq: int, body: Body, deed: str, reason: str) -> None:
    from hashlib import blake2b

    from services.kit import clock

    note = {
        "seq": seq,
        "deed": deed,
        "who": getpass.getuser(),
        "time": clock.now().isoformat(),
        "reason": reason,
        "code": body.headers.get("Ioc-Code"),
        "subject": body.headers.get("Ioc-Subject"),
        "digest": blake2b(body.data, digest_size=16).hexdigest(),
        "bytes": len(body.data),
    }
    once = {"Nats-Msg-Id": f"quarantine-{deed}-{seq}-{note['digest']}"}
    text = json.dumps(note, ensure_ascii=False).encode()
    await js.publish(f"ioc.alerts.quarantine.{deed}", text, timeout=5, headers=once)
    await js.delete_msg(STREAM, seq)


async def _all(js: JetStreamContext) -> list[Lying]:
    """All that lies there, in the order of arrival; bodies stay where they are."""
    from nats.js.api import AckPolicy, ConsumerConfig

    if not (await js.stream_info(STREAM)).state.messages:
        return []
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, headers_only=True, inactive_threshold=30)
    reader = await js.pull_subscribe("ioc.quarantine.>", stream=STREAM, config=config)
    found: list[Lying] = []
    pending = 1
    while pending:
        for message in await reader.fetch(PAGE, timeout=5):
            meta = message.metadata
            found.append(_lying(meta.sequence.stream, meta.timestamp, message.headers or {}))
            pending = meta.num_pending
    return found


def _lying(seq: int, laid: datetime, headers: dict[str, str]) -> Lying:
    return Lying(
        seq=seq,
        recorded=headers.get("Ioc-Recorded") or laid.isoformat(),
        code=headers.get("Ioc-Code", "unknown"),
        reason=_unescaped(headers.get("Ioc-Reason", "")),
        subject=headers.get("Ioc-Subject", ""),
        size=int(headers.get("Nats-Msg-Size", 0)),
    )


async def _get(js: JetStreamContext, seq: int) -> Body:
    from nats.js.errors import NotFoundError

    try:
        message = await js.get_msg(STREAM, seq, direct=True)
    except NotFoundError:
        raise click.ClickException(f"nothing lies in the quarantine under {seq}; see `ioc quarantine list`") from None
    return Body({name: _unescaped(value) for name, value in (message.headers or {}).items()}, message.data or b"")


def _unescaped(header: str) -> str:
    """The text of a header, which travels in ASCII."""
    return _ESCAPED.sub(lambda code: chr(int(code[1] or code[2], 16)), header)


_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")


def _pretty(data: bytes) -> str:
    try:
        return json.dumps(json.loads(data), ensure_ascii=False, indent=2)
    except ValueError:
        return data.decode(errors="backslashreplace")


def _run(work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """Do the work on the broker of the chosen centre; what goes wrong there becomes a message."""
    from nats.errors import Error

    from services.cli.lifecycle import chosen_instance, explained
    from services.cli.prepare import settings_of
    from services.kit import bus
    from services.kit.errors import Unavailable

    async def connected() -> T:
        async with bus.connected(settings_of(chosen_instance(), "cli"), "quarantine") as client:
            return await work(client.jetstream())

    try:
        with explained():
            return asyncio.run(connected())
    except (Unavailable, Error) as problem:
        raise click.ClickException(str(problem)) from None
