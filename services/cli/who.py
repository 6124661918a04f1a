"""Who runs a command, as it is kept beside what they did."""

from __future__ import annotations

import getpass

import click


def login() -> str:
    """The login name; `click.UsageError` in a container, where all have the same."""
    from infra.docker.centre import NAME

    if (click.get_current_context().find_root().obj or {}).get("instance") == NAME:
        raise click.UsageError(
            "who does this is kept, and in a container all have the same login name: add --user NAME"
        )
    return getpass.getuser()


USER = click.option("--user", default=login, help="Who does it; your login name when not said, if not in a container.")
