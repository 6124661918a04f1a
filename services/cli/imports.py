"""`ioc imports`: who imported which workbook, and how one is taken back as a whole."""

from __future__ import annotations

import click

from services.cli.board_database import in_transaction, operator, run
from services.cli.options import LIMIT, form_option
from services.cli.user_option import USER


@click.group(epilog="\b\nExamples:\n  ioc imports list\n  ioc imports take-back 17")
def imports() -> None:
    """Workbooks that were imported: who sent which, and taking one back."""


@imports.command("list", epilog="\b\nExamples:\n  ioc imports list\n  ioc imports list --format json | jq '.[0]'")
@LIMIT
@form_option()
def list_(limit: int, form: str) -> None:
    """List imports, the latest first: who, when, which file and form, and how many figures it added and corrected."""
    from schemas.text.dates import day_and_time
    from services.cli.output import print_table, write_json
    from services.kit import imports

    latest = run(lambda conn: imports.listed(conn, limit))
    if form == "json":
        write_json([one._asdict() for one in latest], str)
        return
    rows = []
    for one in latest:
        back = f"{day_and_time(one.taken_back_at)} {one.taken_back_by}" if one.taken_back_at else ""
        counts = (f"{number:,}" for number in (one.new, one.revised, one.known))
        rows.append((str(one.id), day_and_time(one.at), one.by, one.file, one.template, *counts, back))
    print_table(("import", "at", "by", "file", "form", "new", "corrected", "known", "taken back"), rows)


@imports.command("take-back", epilog="\b\nExample:\n  ioc imports take-back 17")
@click.argument("number", metavar="IMPORT", type=int)
@USER
def take_back(number: int, user: str) -> None:
    """Take all that an import sent back: figures are as if it had never been.

    A figure that another import states too stays. Figures as of a moment before still show what was known then. What
    was cut short is finished by the same command; the file can be imported again.
    """
    import asyncio

    from psycopg import AsyncConnection

    from services.board.auth import audit
    from services.cli.chosen import chosen_settings, connected, explained
    from services.ingest.spreadsheets import publish
    from services.ingest.stream import Counts
    from services.kit import clock, imports

    by = operator(user)

    async def noted(conn: AsyncConnection) -> imports.Import | None:
        await audit.import_taken_back(conn, by, number, clock.now())
        return await imports.get(conn, number)

    counts = Counts()
    with explained():
        asyncio.run(publish.settled(chosen_settings("monitor")))
        taken = in_transaction(noted)
        if taken is None or taken.taken_back_at is None:
            raise click.ClickException(f"there is no import {number}; `ioc imports list` shows them")
        with connected("owner") as conn:  # of the primary: a replica may not know yet what was imported
            conn.read_only = True
            undoing = imports.undoing(conn, taken, taken.taken_back_at)
        publish.publish(chosen_settings(), undoing.events, counts, lambda text: click.echo(text, err=True))
    stay = [f"{undoing.shared:,} stay, for another import states them too"] if undoing.shared else []
    stay += [f"{undoing.past:,} stay, for their days lie behind the horizon"] if undoing.past else []
    click.echo("; ".join([f"{counts.sent:,} figures of {taken.file} were taken back", *stay]), err=True)
    if counts.rejected:
        raise SystemExit(1)
