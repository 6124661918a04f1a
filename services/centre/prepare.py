"""What a centre needs between its servers' start and its services': database, roles, migrations, streams.

Nearly every command asks this module for its settings, so what only a start needs is imported there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from infra.local.configure import broker_storage
from infra.local.paths import SetupError
from infra.local.processes import external
from infra.local.servers import Instance
from services.kit.settings import Settings

FIRST_ACCOUNT = "board_admin"
"""The credential that is the password of the board's first account, `admin`."""
RESTORING = "restoring.json"
"""The journal of a restore in the data folder: while it is there, the centre is neither the old nor the new one."""


def settings_of(instance: Instance, user: str) -> Settings:
    """The settings of a process of this centre that acts as the credential `user`."""
    return Settings(
        user=user,
        nats_url=instance.nats_url,
        nats_certificate=instance.nats_certificate,
        database_url=instance.database_url,
        secrets=instance.secrets,
        reader_url=instance.reader_url,
    )


def broker_settings(instance: Instance) -> Settings:
    """The settings of `admin`, with the room that this centre's broker has for streams."""
    settings = settings_of(instance, "admin")
    return settings.model_copy(update={"nats_storage": broker_storage(instance.data) or settings.nats_storage})


def prepare(instance: Instance, say: Callable[[str], None] = lambda text: None) -> None:
    """Make or repair what is missing; harmless when repeated.

    In a database of the operator's own there are no roles of ours: the user of its address does everything.
    """
    from infra.timescaledb import sums, units
    from infra.timescaledb.migrate import migrate
    from infra.timescaledb.roles import ensure_database_and_roles, grant_rights
    from services.aggregator.rebuild import bring_up_to_date

    if (journal := instance.data / RESTORING).exists():
        raise SetupError(f"a restore was cut short: run it again, or give it up by deleting {journal}")
    own = not external("timescaledb")
    if own:
        ensure_database_and_roles(instance.superuser_conninfo, instance.password)
    settings = settings_of(instance, "admin")
    migrate(settings.database("owner"))
    units.fill(settings.database("owner"))
    sums.fill(settings.database("owner"))
    if own:
        grant_rights(settings.database("owner"))
    asyncio.run(_first_account(settings, lambda: instance.password(FIRST_ACCOUNT), say))
    bring_up_to_date(
        settings.database("owner"),
        lambda: _stop_aggregator(instance),
        lambda what, done, of: say(f"{what}: {done:,} of {of:,}"),
    )
    asyncio.run(_streams(broker_settings(instance), _positions(settings)))


def _stop_aggregator(instance: Instance) -> None:
    """It would go on with the folds of before, on top of today's. The start of the services starts it again."""
    if "aggregator" in instance.running():
        instance.stop_process("aggregator")


async def _first_account(settings: Settings, password: Callable[[], str], say: Callable[[str], None]) -> None:
    """Where nobody can enter the board yet, `admin` can."""
    from psycopg import AsyncConnection

    from services.board.access import Account
    from services.board.auth import accounts

    async with await AsyncConnection.connect(settings.database("owner"), autocommit=True) as conn:
        if await accounts.all_accounts(conn):
            return
        # Of two starts at once one makes it, and the other finds it made.
        with suppress(accounts.Refused):
            await accounts.add(
                conn, Account("cli:prepare", "", "admin"), Account("admin", "Quản trị", "admin"), password()
            )
            say(f"account admin made for the board; its password is the secret {FIRST_ACCOUNT}")


def _positions(settings: Settings) -> dict[str, int]:
    """How far each consumer has come."""
    from services.kit import store

    with store.connect(settings, "reader") as conn:
        return dict(conn.execute("SELECT consumer, seq FROM position").fetchall())


async def _streams(settings: Settings, positions: dict[str, int]) -> None:
    from services.kit import bus, streams

    async with bus.connected(settings, "prepare") as client:
        await streams.ensure_streams(client.jetstream(), settings, positions=positions)
