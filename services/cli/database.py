"""How a command reaches the database of the chosen centre."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection


@contextmanager
def connected(role: str = "reader") -> Iterator[Connection]:
    """A connection as a role; what an operator can mend becomes a message."""
    import psycopg

    from services.cli.lifecycle import chosen_instance, explained, no_database
    from services.cli.prepare import settings_of
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
