"""What the board keeps of people and keys, as commands on its machine change it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

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
    from schemas import units
    from services.cli.chosen import as_messages

    with as_messages(units.UnknownUnit):
        return tuple(units.find(place).code for place in places)


def in_transaction(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """As `run`, with all of it or nothing."""

    async def whole(conn: AsyncConnection) -> T:
        async with conn.transaction():
            return await work(conn)

    return run(whole)


def run(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Do the work in the database of the chosen centre; what goes wrong there becomes a message."""
    from psycopg import AsyncConnection, OperationalError

    from services.board.auth import accounts, keys
    from services.cli.chosen import as_messages, chosen_settings, no_database

    settings = chosen_settings()

    async def connected() -> T:
        async with await AsyncConnection.connect(
            settings.database("board"), autocommit=True, connect_timeout=5, application_name="ioc cli"
        ) as conn:
            return await work(conn)

    try:
        with as_messages(accounts.Refused, keys.Refused):
            return asyncio.run(connected())
    except OperationalError as error:
        raise no_database(settings, error) from None
