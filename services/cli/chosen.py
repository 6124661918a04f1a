"""The centre that a command speaks of, and what its operator is told where that cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from psycopg import Connection

    from infra.local.servers import Instance
    from services.kit.settings import Settings


def chosen_instance() -> Instance:
    """The instance that `--instance` or IOC_INSTANCE names, else the one started last."""
    from services.centre.instance_selection import open_instance

    return open_instance((click.get_current_context().find_root().obj or {}).get("instance"))


@contextmanager
def as_messages(*kinds: type[Exception]) -> Iterator[None]:
    """Show errors of these kinds as messages instead of a trace: they say what is wrong and what to do."""
    try:
        yield
    except kinds as wrong:
        raise click.ClickException(str(wrong)) from wrong


@contextmanager
def explained() -> Iterator[None]:
    """Turn what an operator can mend into a message instead of a trace."""
    from infra.local.paths import SetupError
    from infra.local.servers import NotReady
    from infra.timescaledb.migrate import Blocked, NoTimescale
    from services.kit.errors import Unavailable

    with as_messages(SetupError, NotReady, NoTimescale, Blocked, Unavailable, TimeoutError):
        yield


def chosen_settings(service: str = "cli") -> Settings:
    """The settings of a service of the chosen centre; what an operator can mend becomes a message."""
    from services.centre.prepare import settings_of

    with explained():
        return settings_of(chosen_instance(), service)


def no_database(settings: Settings, error: Exception) -> click.ClickException:
    """What to say where a command finds no database."""
    return click.ClickException(
        f"no database answers at {settings.database_url} ({error}); start with `ioc demo` or `ioc up`"
    )


@contextmanager
def connected(role: str = "reader") -> Iterator[Connection]:
    """A connection as a role; what an operator can mend becomes a message."""
    import psycopg

    from services.kit import store

    settings = chosen_settings()
    try:
        opened = store.connect(settings, role)
    except PermissionError:
        raise  # of the password's file
    except (psycopg.OperationalError, OSError) as error:
        raise no_database(settings, error) from None
    try:
        with opened as conn:
            yield conn
    except psycopg.OperationalError as error:
        raise no_database(settings, error) from None


@contextmanager
def reading() -> Iterator[Connection]:
    """A read-only connection to the chosen centre; what an operator can mend becomes a message."""
    import psycopg

    from schemas.indicators import UnknownIndicator
    from schemas.text.dates import day_and_time
    from schemas.units import UnknownUnit
    from services.kit import store
    from services.readings.evaluate import NotBrokenDown

    with as_messages(UnknownIndicator, UnknownUnit, NotBrokenDown), connected() as conn:
        conn.read_only = True
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        if since := store.cut_off_since(conn):
            click.secho(
                f"read from a replica that hears of no change since {day_and_time(since, seconds=True)}", err=True
            )
        yield conn
