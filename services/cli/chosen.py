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
def explained() -> Iterator[None]:
    """Turn what an operator can mend into a message instead of a trace."""
    from infra.local.paths import SetupError
    from infra.local.servers import NotReady
    from infra.timescaledb.migrate import Blocked, NoTimescale
    from services.kit.errors import Unavailable

    try:
        yield
    except (SetupError, NotReady, NoTimescale, Blocked, Unavailable, TimeoutError) as problem:
        raise click.ClickException(str(problem)) from problem


def no_database(settings: Settings, error: Exception) -> click.ClickException:
    """What to say where a command finds no database."""
    return click.ClickException(
        f"no database answers at {settings.database_url} ({error}); start with `ioc demo` or `ioc up`"
    )


@contextmanager
def connected(role: str = "reader") -> Iterator[Connection]:
    """A connection as a role; what an operator can mend becomes a message."""
    import psycopg

    from services.centre.prepare import settings_of
    from services.kit import store

    with explained():
        settings = settings_of(chosen_instance(), "cli")
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
