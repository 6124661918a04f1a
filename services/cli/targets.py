"""`ioc targets`: what is to be reached, by unit and for which days."""

from __future__ import annotations

from datetime import date
from functools import partial

import click

from schemas.text.columns import aligned
from services.cli import board_database
from services.cli.chosen import as_messages, reading
from services.cli.times import Day
from services.cli.user_option import USER


@click.group(epilog="""\b
Examples:
  ioc targets list
  ioc targets set overdue_share 2 --unit phuong_chon_thanh --from 1/2027 --to 12/2027""")  # fmt: skip
def targets() -> None:
    """The targets of figures: list them, set one for a unit and those below it, take one back."""


@targets.command("list", epilog="\b\nExample:\n  ioc targets list")
def list_() -> None:
    """List the targets that were set; figures without one have the catalogue's own (`ioc indicators`)."""
    from services.board.pages.targets.targets_page import standing

    with reading() as conn:
        rows = [[t.indicator, t.unit, str(t.value), str(t.first), str(t.last)] for t in standing(conn)]
    click.echo(aligned([["figure", "unit", "target", "first", "last"], *rows]) if rows else "none was set")


@targets.command(
    "set", epilog="\b\nExample:\n  ioc targets set on_time_share 98,5 --unit dong_nai --from 1/2027 --to 12/2027"
)
@click.argument("figure")
@click.argument("value")
@click.option("--unit", required=True, metavar="U", help="A unit, code or name; it holds for those below it too.")
@click.option("--from", "first", required=True, metavar="D", type=Day("first"), help="First day or month.")
@click.option("--to", "last", required=True, metavar="D", type=Day("last"), help="Last day or month, included.")
@USER
def set_(figure: str, value: str, unit: str, first: date, last: date, user: str) -> None:
    """Set the target VALUE of a FIGURE; one of the same unit and days is replaced. The board sends it."""
    from schemas.text import numbers
    from services.board.pages.targets.setting import Refused, Wish, put
    from services.board.pages.targets.targets_page import standing
    from services.board.ui.words import WORDS
    from services.kit import clock

    (code,) = board_database.unit_codes((unit,))
    with as_messages(numbers.NoNumber):
        wish = Wish(figure, code, first, last, numbers.read(value))
    with reading() as conn:
        found = standing(conn)
    try:
        board_database.run(lambda conn: put(conn, board_database.operator(user), wish, found, clock.now()))
    except Refused as refused:
        raise click.ClickException(WORDS.get(str(refused), ("", str(refused)))[1]) from None
    click.echo(f"{figure} of {code}: {wish.value} from {first} to {last}", err=True)


@targets.command(epilog="\b\nExample:\n  ioc targets back overdue_share --unit phuong_chon_thanh --from 01/01/2027")
@click.argument("figure")
@click.option("--unit", required=True, metavar="U", help="The unit that it was set for.")
@click.option("--from", "first", required=True, metavar="D", type=Day("first"), help="The first of its days.")
@USER
def back(figure: str, unit: str, first: date, user: str) -> None:
    """Take a target back: what was in force before it is so again."""
    from services.board.pages.targets.setting import take_back
    from services.board.pages.targets.targets_page import standing
    from services.kit import clock

    (code,) = board_database.unit_codes((unit,))
    with reading() as conn:
        found = [t for t in standing(conn) if t[:3] == (figure, code, first)]
    if not found:
        raise click.ClickException(f"no target of {figure} was set for {code} from {first} on; `ioc targets list`")
    by = board_database.operator(user)
    for one in found:
        board_database.run(partial(take_back, account=by, target=one, now=clock.now()))
