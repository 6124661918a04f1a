"""`ioc erase`: a person's data is erased on request; figures stay as they are."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, TextIO, TypeVar

import click

from services.cli.chosen import as_messages, chosen_settings, explained, no_database
from services.cli.options import form_option
from services.cli.user_option import USER_OF_DEED, login

if TYPE_CHECKING:
    from services.aggregator.erasure import Target

T = TypeVar("T")
REASON = click.option("--reason", required=True, help="Why; kept with your name. What is erased is not named in it.")
YES = click.option("--yes", is_flag=True, help="Do it. Without it what would be erased is shown, and nothing is done.")


@click.group(
    epilog="\b\nExamples:\n  ioc erase case report PA-24.0001 --reason 'asked for, letter 12/2026'\n"
    "  ioc erase case report PA-24.0001 --reason 'asked for, letter 12/2026' --yes\n  ioc erase list"
)
def erase() -> None:
    """Erase a person's data on request: what people wrote, where it was, and the number that leads to the person.

    It goes from the log, the state, the broker's streams, the quarantine and what waits to be sent; every figure stays.
    Backups hold it until they are deleted: see docs/privacy.md. Cut short, it is run again with the same words.
    """


@erase.command(epilog="\b\nExample:\n  ioc erase case dossier H57.25-241105-0001 --reason 'letter 12/2026' --yes")
@click.argument("kind")
@click.argument("number")
@REASON
@YES
@USER_OF_DEED
def case(kind: str, number: str, reason: str, yes: bool, user: str | None) -> None:
    """Erase a case that is over (KIND: report, dossier, payment, disease …): all its events, and its NUMBER."""
    from services.aggregator.erasure import Target

    _erase(Target(kind, number), reason, yes, user)


@erase.command(
    epilog="\b\nExample:\n  ioc erase event /emitters/field PA-24.0001.received --reason 'letter 12/2026' --yes"
)
@click.argument("source")
@click.argument("id")
@REASON
@YES
@USER_OF_DEED
def event(source: str, id: str, reason: str, yes: bool, user: str | None) -> None:
    """Erase what people wrote in one event, and where it was; the case that it is about keeps its number."""
    from schemas.envelope import event_key
    from services.aggregator.erasure import Target

    _erase(Target(None, event_key(source, id).hex), reason, yes, user)


@erase.command(epilog="\b\nExample:\n  ioc erase message QUARANTINE 17 --reason 'letter 12/2026' --yes")
@click.argument("stream", type=click.Choice(["EVENTS", "QUARANTINE"]))
@click.argument("seq", type=int)
@REASON
@YES
@USER_OF_DEED
def message(stream: str, seq: int, reason: str, yes: bool, user: str | None) -> None:
    """Erase a message that was refused, by its number in a stream: as it came, and as it lies in the quarantine."""
    from services.centre import erase as erasing
    from services.cli.board_database import operator

    settings, by = chosen_settings("admin"), operator(user or login()) if yes else operator("")
    what = _run(erasing.erase_refused(settings, stream, seq, by, reason, yes))
    click.echo(f"{'erased' if yes else 'would be erased, add --yes'}: message {seq} of {stream}, digest {what}")


@erase.command("list", epilog="\b\nExamples:\n  ioc erase list\n  ioc erase list --format json > erasures.json")
@form_option()
def list_(form: str) -> None:
    """What was erased: when, by whom, why, and what stands for it. As JSON it can be applied elsewhere, see `again`."""
    from services.centre import erase as erasing
    from services.cli.output import answer, print_table

    found = _run(erasing.carried(chosen_settings("admin")))
    headers, rows = ("at", "by", "kind", "alias", "events", "because", ""), [one.row() for one in found]
    answer(form, [one._asdict() for one in found], lambda: print_table(headers, rows))


@erase.command(epilog="\b\nExamples:\n  ioc erase again\n  ioc erase again erasures.json")
@click.argument("file", type=click.File("r"), required=False)
def again(file: TextIO | None) -> None:
    """Finish what was cut short; with a FILE of `ioc erase list --format json`: erase all that in this centre too.

    `ioc restore` does so by itself with what the centre had erased that it replaces. Where that is lost, for instance
    on a new machine, apply the list that you kept beside the backups.
    """
    import json

    from services.centre import erase as erasing

    if file is None:
        click.echo(f"finished {_run(erasing.resume(chosen_settings('admin')))} that had been cut short")
        return
    try:
        erasures = [erasing.Carried(**one) for one in json.load(file)]
    except (ValueError, TypeError):
        raise click.UsageError(f"{file.name} is no list of `ioc erase list --format json`") from None
    click.echo(f"{_run(erasing.apply(chosen_settings('admin'), erasures))} of {len(erasures)} were new to this centre")


def _erase(target: Target, reason: str, yes: bool, user: str | None) -> None:
    from schemas.text.dates import day_and_time
    from services.centre import erase as erasing
    from services.cli.board_database import operator

    settings = chosen_settings("admin")
    if not yes:
        found = _run(erasing.look(settings, target))
        for e in found.events:
            click.echo(f"  {day_and_time(e['time'])}  {e['unit']}  {e['type'].removeprefix('vn.ioc.')}  {e['id']}")
        for ref in found.others:
            click.echo(f"  also told of: {ref.kind} {ref.id}, which stays")
        click.echo(f"{len(found.keys)} events would be erased and no figure moves; add --yes to do it")
        return
    done = _run(erasing.erase(settings, target, operator(user or login()), reason))
    click.echo(f"erased{f'; {done.kind} {done.alias} stands for it' if done.kind else ''}")
    click.echo("backups that were made before hold it until they are deleted: `ioc backup` makes a new one", err=True)


def _run(work: Awaitable[T]) -> T:
    """Do the work; what goes wrong becomes a message."""
    import asyncio

    import psycopg
    from nats.errors import Error

    from schemas.envelope import Invalid
    from services.aggregator.erasure import NotErasable

    async def waited() -> T:
        return await work

    try:
        with explained(), as_messages(NotErasable, Error):
            return asyncio.run(waited())
    except Invalid as invalid:
        raise click.UsageError(invalid.reason) from None
    except psycopg.OperationalError as error:
        raise no_database(chosen_settings("admin"), error) from None
