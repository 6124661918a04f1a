"""What the board keeps of people and keys, as commands on its machine change it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from services.board.access import Account

T = TypeVar("T")


def operator(user: str) -> Account:
    """Who acts, as the audit names them: nobody is above them on this machine."""
    from services.board.access import Account

    return Account(f"cli:{user}", "", "admin")


def unit_codes(places: tuple[str, ...]) -> tuple[str, ...]:
    """The codes of units that were named by code or name."""
    from schemas import units as known

    try:
        return tuple(known.find(place).code for place in places)
    except (known.UnknownUnit, known.AmbiguousUnit) as wrong:
        raise click.ClickException(str(wrong)) from None


def run(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Do the work in the database of the chosen centre; what goes wrong there becomes a message."""
    from psycopg import AsyncConnection, OperationalError

    from services.board.auth import accounts, keys
    from services.centre.prepare import settings_of
    from services.cli.chosen import chosen_instance, explained, no_database

    with explained():
        settings = settings_of(chosen_instance(), "cli")

    async def connected() -> T:
        async with await AsyncConnection.connect(
            settings.database("board"), autocommit=True, connect_timeout=5, application_name="ioc cli"
        ) as conn:
            return await work(conn)

    try:
        return asyncio.run(connected())
    except (accounts.Refused, keys.Refused) as refused:
        raise click.ClickException(str(refused)) from None
    except OperationalError as error:
        raise no_database(settings, error) from None
