"""`ioc quarantine`: what could not be understood lies here with its reason; mend it and send it on, or discard it.

Whatever is taken out is noted in the stream of alarms first: who, when, why, and the digest of what it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import click

from services.cli.user_option import USER, impersonal

if TYPE_CHECKING:
    from nats.js import JetStreamContext

    from services.kit.quarantine import Body, Lying

T = TypeVar("T")


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
    _tell_of_outside()


def _tell_of_outside() -> None:
    """How many wait outside; nothing where there are none."""
    from services.cli.chosen import connected

    with connected() as conn:
        found = conn.execute("SELECT code, count(*) FROM refused GROUP BY code ORDER BY 2 DESC, 1").fetchall()
    if found:
        total, codes = sum(n for _, n in found), ", ".join(f"{code} {n:,}" for code, n in found)
        click.echo(
            f"{total:,} more wait outside, since the quarantine takes nothing ({codes}); none is lost, and they "
            "come in by themselves as soon as you discard or resubmit what lies there, or give the broker more room",
            err=True,
        )


@quarantine.command(epilog="\b\nExample:\n  ioc quarantine show 17")
@click.argument("seq", type=int)
def show(seq: int) -> None:
    """Show one message: its reason, and its body as it came."""
    body = _run(lambda js: _body(js, seq))
    for name, value in body.headers.items():
        click.echo(f"{name}: {value}")
    click.echo()
    click.echo(body.pretty())


@quarantine.command(
    epilog="\b\nExamples:\n  ioc quarantine resubmit 17 --with mended.json\n  ioc quarantine resubmit --all"
)
@click.argument("seqs", metavar="SEQ…", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that lies there; what is still invalid stays.")
@click.option("--with", "mended", type=click.File("rb"), help="A file with the mended event, for one SEQ.")
@USER
def resubmit(seqs: tuple[int, ...], everything: bool, mended: BinaryIO | None, user: str) -> None:
    """Send messages through the same door again and take them out. What is still invalid stays, and the status is 1."""
    if bool(seqs) == everything or (mended and len(seqs) != 1):
        raise click.UsageError("name the messages or say --all; --with goes with one SEQ")
    body = _text(mended) if mended else None

    async def each(js: JetStreamContext) -> list[str]:
        chosen = [lying.seq for lying in await _all(js)] if everything else seqs
        return [problem for seq in chosen if (problem := await _resubmit(js, seq, body, user))]

    if problems := _run(each):
        click.echo("\n".join(problems), err=True)
        raise SystemExit(1)


@quarantine.command(epilog="\b\nExample:\n  ioc quarantine discard 17 18 --reason 'test data of the supplier'")
@click.argument("seqs", metavar="SEQ…", type=int, nargs=-1, required=True)
@click.option("--reason", required=True, help="Why it is not needed; it is kept with your name.")
@USER
def discard(seqs: tuple[int, ...], reason: str, user: str) -> None:
    """Take messages out for good. Who did it, when and why is kept."""

    impersonal("--reason", reason)

    async def each(js: JetStreamContext) -> None:
        for seq in seqs:
            await _discard(js, seq, reason, user)

    _run(each)


def _text(file: BinaryIO) -> bytes:
    """The bytes of a text file as the door takes them: UTF-8 without a mark."""
    from schemas.text import files

    try:
        return files.decode(file.read(), file.name).encode()
    except files.Unreadable as wrong:
        raise click.ClickException(str(wrong)) from None


async def _resubmit(js: JetStreamContext, seq: int, mended: bytes | None, user: str) -> str | None:
    """Send one message on and take it out; the reason where it is still invalid."""
    from schemas.envelope import Invalid
    from services.kit import quarantine

    try:
        id = await quarantine.resubmit(js, seq, mended, user)
    except Invalid as invalid:
        return f"{seq} stays: {invalid.code}: {invalid.reason}"
    click.echo(f"{seq} resubmitted as {id}")
    return None


async def _all(js: JetStreamContext) -> list[Lying]:
    from services.kit import quarantine

    return await quarantine.listed(js)


async def _discard(js: JetStreamContext, seq: int, reason: str, user: str) -> None:
    from services.kit import quarantine

    await quarantine.discard(js, seq, reason, user)
    click.echo(f"{seq} discarded")


async def _body(js: JetStreamContext, seq: int) -> Body:
    from services.kit import quarantine

    return (await quarantine.get(js, seq))[1]


def _run(work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """Do the work on the broker of the chosen centre; what goes wrong there becomes a message."""
    from nats.errors import Error

    from services.centre.prepare import settings_of
    from services.cli.chosen import chosen_instance, explained
    from services.kit import bus
    from services.kit.errors import Unavailable
    from services.kit.quarantine import NothingThere

    async def connected() -> T:
        async with bus.connected(settings_of(chosen_instance(), "cli"), "quarantine") as client:
            return await work(client.jetstream())

    try:
        with explained():
            return asyncio.run(connected())
    except NothingThere as problem:
        raise click.ClickException(f"{problem}; see `ioc quarantine list`") from None
    except (Unavailable, Error) as problem:
        raise click.ClickException(str(problem)) from None
