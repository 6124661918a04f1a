"""`ioc quarantine`: what could not be understood lies here with its reason; mend it and send it on, or discard it.

Whatever is taken out is noted in the stream of alarms first: who, when, why, and the digest of what it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import click

from services.cli.chosen import as_messages, chosen_settings, connected, explained
from services.cli.options import LIMIT, form_option
from services.cli.user_option import USER, impersonal

if TYPE_CHECKING:
    from nats.js import JetStreamContext

T = TypeVar("T")


@click.group()
def quarantine() -> None:
    """What could not be understood: list, show, resubmit, discard."""


@quarantine.command("list", epilog="\b\nExample:\n  ioc quarantine list --code wrong_unit")
@click.option("--code", help="Only those with this reason code.")
@LIMIT
@form_option()
def list_(code: str | None, limit: int, form: str) -> None:
    """List what lies in the quarantine, the latest last."""
    from services.cli.output import answer
    from services.kit import quarantine

    matching = [lying for lying in _run(quarantine.listed) if code in (None, lying.code)]
    shown = matching[max(len(matching) - limit, 0) :]
    lines = [f"{one.seq:>8}  {one.recorded[:19]}  {one.code:<16} {one.reason}" for one in shown]
    answer(form, [one._asdict() for one in shown], lambda: lines)
    if form == "table":  # a program hears of what it asked, also where no database answers
        click.echo(f"{len(shown)} of {len(matching)}" if matching else "nothing lies in the quarantine", err=True)
        _tell_of_outside()


def _tell_of_outside() -> None:
    """How many wait outside; nothing where there are none."""
    with connected() as conn:
        waiting = conn.execute("SELECT code, count(*) FROM refused GROUP BY code ORDER BY 2 DESC, 1").fetchall()
    if waiting:
        total, codes = sum(n for _, n in waiting), ", ".join(f"{code} {n:,}" for code, n in waiting)
        click.echo(
            f"{total:,} more wait outside, since the quarantine takes nothing ({codes}); none is lost, and they "
            "come in by themselves as soon as you discard or resubmit what lies there, or give the broker more room",
            err=True,
        )


@quarantine.command(epilog="\b\nExample:\n  ioc quarantine show 17")
@click.argument("seq", type=int)
def show(seq: int) -> None:
    """Show one message: its reason, and its body as it came."""
    from services.kit import quarantine

    _, body = _run(lambda js: quarantine.get(js, seq))
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
    from schemas.envelope import Invalid
    from services.kit import quarantine

    body = _text(mended) if mended else None

    async def each(js: JetStreamContext) -> list[str]:
        problems = []
        for seq in [lying.seq for lying in await quarantine.listed(js)] if everything else seqs:
            try:
                click.echo(f"{seq} resubmitted as {await quarantine.resubmit(js, seq, body, user)}")
            except Invalid as invalid:
                problems.append(f"{seq} stays: {invalid.code}: {invalid.reason}")
        return problems

    if problems := _run(each):
        click.echo("\n".join(problems), err=True)
        raise SystemExit(1)


@quarantine.command(epilog="\b\nExample:\n  ioc quarantine discard 17 18 --reason 'test data of the supplier'")
@click.argument("seqs", metavar="SEQ…", type=int, nargs=-1, required=True)
@click.option("--reason", required=True, help="Why it is not needed; it is kept with your name.")
@USER
def discard(seqs: tuple[int, ...], reason: str, user: str) -> None:
    """Take messages out for good. Who did it, when and why is kept."""
    from services.kit import quarantine

    impersonal("--reason", reason)

    async def each(js: JetStreamContext) -> None:
        for seq in seqs:
            await quarantine.discard(js, seq, reason, user)
            click.echo(f"{seq} discarded")

    _run(each)


def _text(file: BinaryIO) -> bytes:
    """The bytes of a text file as they are validated: UTF-8 without a mark."""
    from schemas.text import files

    with as_messages(files.Unreadable):
        return files.decode(file.read(), file.name).encode()


def _run(work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """Do the work on the broker of the chosen centre; what goes wrong there becomes a message."""
    import asyncio

    from nats.errors import Error

    from services.kit import bus
    from services.kit.quarantine import NothingThere

    async def on_broker() -> T:
        async with bus.connected(chosen_settings(), "quarantine") as client:
            return await work(client.jetstream())

    try:
        with explained(), as_messages(Error):
            return asyncio.run(on_broker())
    except NothingThere as problem:
        raise click.ClickException(f"{problem}; see `ioc quarantine list`") from None
