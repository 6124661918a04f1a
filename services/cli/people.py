"""`ioc people`: the accounts of the board, from the machine it runs on. Every change is noted in the audit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from services.cli.board_database import in_transaction, operator, run, unit_codes
from services.cli.chosen import as_messages
from services.cli.output import print_table
from services.cli.times import today
from services.cli.user_option import USER

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from services.board.access import Account, Role
    from services.board.auth.accounts import Row

ROLES = ("viewer", "operator", "supervisor", "admin")
ROLE = click.Choice(ROLES)
UNITS_HELP = "A unit by code or name, with all below it; may be repeated. None: the whole locality."
GENERATE_HELP = "Make up a password and print it, once."


@click.group(
    epilog="\b\nExample:\n  ioc people add lan --full-name 'Trần Thị Lan' --role operator --units 'Phường Chơn Thành'"
)
def people() -> None:
    """Who may enter the board, and what they may do there: viewer < operator < supervisor < admin."""


@people.command("list", epilog="\b\nExample:\n  ioc people list")
def list_() -> None:
    """All accounts with their role, units, way in, and when they were last there."""
    from schemas import units
    from schemas.text.dates import day_and_time
    from services.board.auth import accounts

    rows = []
    for row in run(accounts.all_accounts):
        places = "; ".join(units.on(code, today()).name_vi for code in row.units) or "all"
        seen = day_and_time(row.seen_at) if row.seen_at else "never"
        state = "disabled" if row.disabled else "active"
        rows.append((row.name, row.full_name, row.role, places, _way(row), seen, state))
    print_table(("account", "full name", "role", "units", "enters by", "last seen", "state"), rows)


def _way(row: Row) -> str:
    if row.by_groups:
        return "OpenID, by groups"
    return "OpenID" if row.subject else "password" if row.has_password else "nothing yet"


@people.command(
    epilog="\b\nExamples:\n  ioc people add lan --role operator --units 'Phường Chơn Thành'\n"
    "  ioc people add ban-giam-sat --role viewer --generate\n"
    "  ioc people add minh --role admin --subject 'https://id.example.vn 248289761001'"
)
@click.argument("name")
@click.option("--full-name", default="", help="As the board shows it.")
@click.option("--role", type=ROLE, default="viewer", show_default=True)
@click.option("--units", "places", multiple=True, metavar="UNIT", help=UNITS_HELP)
@click.option("--generate", is_flag=True, help=GENERATE_HELP)
@click.option(
    "--subject", help="Enters as this identity at the OpenID provider instead: its issuer, a space, its `sub`."
)
@USER
def add(
    name: str, full_name: str, role: Role, places: tuple[str, ...], generate: bool, subject: str | None, user: str
) -> None:
    """Make an account. Its password is asked for, or read from a pipe."""
    from services.board.access import Account
    from services.board.auth import accounts

    name = accounts.plain(name)
    new = Account(name, full_name, role, unit_codes(places))
    password = None if subject else _password(generate)
    run(lambda conn: accounts.add(conn, operator(user), new, password, subject or ""))
    _tell(name, "added", password if generate else None)


@people.command(epilog="\b\nExamples:\n  ioc people password lan\n  ioc people password admin --generate")
@click.argument("name")
@click.option("--generate", is_flag=True, help=GENERATE_HELP)
@USER
def password(name: str, generate: bool, user: str) -> None:
    """Give an account another password, asked for or read from a pipe. It is logged out everywhere."""
    from services.board.auth import accounts

    chosen = _password(generate)
    run(lambda conn: accounts.set_password(conn, operator(user), name, chosen))
    _tell(name, "has a new password", chosen if generate else None)


@people.command(epilog="\b\nExample:\n  ioc people role lan supervisor")
@click.argument("name")
@click.argument("role", type=ROLE)
@USER
def role(name: str, role: Role, user: str) -> None:
    """Give an account another role. It is logged out everywhere."""
    from dataclasses import replace

    remaining = _change(user, name, lambda account: replace(account, role=role))
    _tell(name, f"is {role}")
    _tell_alarms(name, remaining)


@people.command(
    epilog="\b\nExamples:\n  ioc people units lan 'Phường Chơn Thành' xa_nha_bich\n  ioc people units lan --all"
)
@click.argument("name")
@click.argument("places", metavar="[UNIT]…", nargs=-1)
@click.option("--all", "everywhere", is_flag=True, help="The whole locality.")
@USER
def units(name: str, places: tuple[str, ...], everywhere: bool, user: str) -> None:
    """Bound an account to units, with all below them. It is logged out everywhere."""
    from dataclasses import replace

    if bool(places) == everywhere:
        raise click.UsageError("name the units, or say --all")
    codes = unit_codes(places)
    remaining = _change(user, name, lambda account: replace(account, units=codes))
    _tell(name, f"sees {', '.join(codes) or 'the whole locality'}")
    _tell_alarms(name, remaining)


@people.command(epilog="\b\nExample:\n  ioc people disable lan")
@click.argument("name")
@USER
def disable(name: str, user: str) -> None:
    """Shut an account out: its open pages end within seconds. What it did stays."""
    from services.board.auth import accounts

    async def shut_out(conn: AsyncConnection) -> list[int]:
        await accounts.set_disabled(conn, operator(user), name, True)
        return await accounts.held_by(conn, name)

    remaining = in_transaction(shut_out)  # what the account holds is read before anybody can take it back
    _tell(name, "is disabled")
    _tell_alarms(name, remaining)


@people.command(epilog="\b\nExample:\n  ioc people enable lan")
@click.argument("name")
@USER
def enable(name: str, user: str) -> None:
    """Let a disabled account in again."""
    from services.board.auth import accounts

    run(lambda conn: accounts.set_disabled(conn, operator(user), name, False))
    _tell(name, "is enabled")


@people.group(epilog="\b\nExample:\n  ioc people token add lan bao-cao-thang --days 90 --units 'Phường Chơn Thành'")
def token() -> None:
    """Tokens by which programs read in the name of an account, over /api and /mcp: add, list, revoke."""


@token.command("add", epilog="\b\nExamples:\n  ioc people token add lan bao-cao-thang\n"
                             "  ioc people token add lan cong-du-lieu-mo --role public")  # fmt: skip
@click.argument("account")
@click.argument("name")
@click.option("--role", type=click.Choice(["public", *ROLES]), default="viewer", show_default=True,
              help="At most the account's own; public: without small counts of people.")  # fmt: skip
@click.option("--units", "places", multiple=True, metavar="UNIT", help="Of the account's units; none: all of them.")
@click.option("--days", default=90, show_default=True, help="How long it lasts, 400 at most.")
@USER
def token_add(account: str, name: str, role: Role, places: tuple[str, ...], days: int, user: str) -> None:
    """Make a token and print it, once."""
    from services.board.auth import accounts, tokens

    of, units = accounts.plain(account), unit_codes(places)
    made = run(lambda conn: tokens.add(conn, operator(user), of, accounts.plain(name), role, units, days))
    _tell(of, f"has the token {accounts.plain(name)} for {days} days", made)


@token.command("list", epilog="\b\nExample:\n  ioc people token list")
def token_list() -> None:
    """All tokens: whose, what they may, until when, and when each was last shown."""
    from schemas.text.dates import day_and_time
    from services.board.auth import tokens
    from services.kit import clock

    rows = []
    for row in run(tokens.all_tokens):
        until = day_and_time(row.expires_at) if row.expires_at > clock.now() else "expired"
        seen = day_and_time(row.seen_at) if row.seen_at else "never"
        rows.append((row.account, row.name, row.role, "; ".join(row.units) or "the account's", until, seen))
    print_table(("account", "token", "role", "units", "until", "last use"), rows)


@token.command("revoke", epilog="\b\nExample:\n  ioc people token revoke lan bao-cao-thang")
@click.argument("account")
@click.argument("name")
@USER
def token_revoke(account: str, name: str, user: str) -> None:
    """Take a token back: it opens nothing from now on."""
    from services.board.auth import accounts, tokens

    of, called = accounts.plain(account), accounts.plain(name)
    run(lambda conn: tokens.revoke(conn, operator(user), of, called))
    _tell(of, f"has the token {called} no more")


def _change(user: str, name: str, to: Callable[[Account], Account]) -> list[int]:
    """The alarms that it has and can see to no more."""
    from services.board.auth import accounts

    async def change(conn: AsyncConnection) -> list[int]:
        await accounts.change(conn, operator(user), to(await accounts.get(conn, name)))
        return await accounts.held_by(conn, name)

    return in_transaction(change)


def _tell_alarms(name: str, remaining: list[int]) -> None:
    if remaining:
        numbers = ", ".join(map(str, remaining))
        click.echo(
            f"{name} has {len(remaining)} alarms, which escalate now: {numbers}; `ioc alarms assign` gives them away"
        )


def _password(generate: bool) -> str:
    from services.board.auth import accounts

    if generate:
        return accounts.generated()
    if not sys.stdin.isatty():
        return _piped(sys.stdin.buffer.readline())
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _piped(line: bytes) -> str:
    from schemas.text import files

    with as_messages(files.Unreadable):
        return files.decode(line, "the password").rstrip("\n")


def _tell(name: str, what: str, password: str | None = None) -> None:
    click.echo(f"{name} {what}", err=bool(password))
    if password:
        click.echo(password)
