"""Who runs a command, as it is kept beside what they did."""

from __future__ import annotations

import getpass
from collections.abc import Collection

import click


def login() -> str:
    """The login name; `click.UsageError` in a container, where all have the same."""
    from infra.docker.centre import NAME

    if (click.get_current_context().find_root().obj or {}).get("instance") == NAME:
        raise click.UsageError(
            "who does this is kept, and in a container all have the same login name: add --user NAME"
        )
    return getpass.getuser()


def impersonal(option: str, text: str, allowed: Collection[str] = ()) -> str:
    """What is kept of a command; `click.UsageError` where it holds personal data."""
    from schemas.envelope import Invalid, refuse_personal

    try:
        refuse_personal(option, text, allowed)
    except Invalid as invalid:
        raise click.UsageError(invalid.reason) from None
    return text


def _of_staff(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    from schemas.personal import OF_STAFF

    return None if name is None else impersonal("--user", name, OF_STAFF)


USER_OF_DEED = click.option(
    "--user", callback=_of_staff, help="Who does it; your login name when not said, if not in a container."
)
"""Of a command that may do nothing: who it is asked for only where something is done."""
USER = click.option(
    "--user",
    default=login,
    callback=_of_staff,
    help="Who does it; your login name when not said, if not in a container.",
)
