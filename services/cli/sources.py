"""`ioc sources`: who sends and how fresh that is, as `ioc status` shows it too; and who has ended for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from schemas.personal import mask
from schemas.text.origins import ORIGINS
from services.cli.chosen import connected
from services.cli.options import form_option
from services.cli.output import answer, print_table
from services.cli.user_option import USER, impersonal
from services.kit import clock

if TYPE_CHECKING:
    from services.readings.sources import Source


@click.group(epilog="\b\nExample:\n  ioc sources end /procedures/chon_thanh --why 'đã thay phần mềm Một cửa'")
def sources() -> None:
    """Who sends: list, with how fresh each is; say that one has ended for good."""


@sources.command("list", epilog="\b\nExample:\n  ioc sources list")
@form_option()
def list_(form: str) -> None:
    """List every source that ever sent, with its freshness; and when, why and by whom it was said to have ended."""
    from services.readings import sources

    now = clock.now()
    with connected() as conn:
        every = sources.sources(conn, now)
    answer(form, [sources.values(source) for source in every], lambda: print_sources(every, now))


@sources.command(epilog="\b\nExample:\n  ioc sources end /procedures/chon_thanh --why 'đã thay phần mềm Một cửa'")
@click.argument("source")
@click.option("--why", required=True, help="Why nothing comes of it any more; it is kept with your name.")
@USER
def end(source: str, why: str, user: str) -> None:
    """Say that SOURCE has ended for good: its silence is no alarm any more, and keeps back no "overdue".

    That holds until something more of it is recorded.
    """
    from services.readings import sources

    impersonal("--why", why)
    with connected("owner") as conn:
        ended = sources.end(conn, source, clock.now(), user, why)
    if not ended:
        raise click.ClickException(f"nothing ever came of a source {mask(source)!r}; `ioc sources list` shows all")
    click.echo(f"{source} has ended")


@sources.command(epilog="\b\nExample:\n  ioc sources resume /procedures/chon_thanh")
@click.argument("source")
def resume(source: str) -> None:
    """Take back that SOURCE has ended: it is waited for again."""
    from services.readings import sources

    with connected("owner") as conn:
        taken_back = sources.resume(conn, source)
    if not taken_back:
        raise click.ClickException(f"{source!r} was not said to have ended; `ioc sources list` shows all")
    click.echo(f"{source} is waited for again")


def print_sources(every: Sequence[Source], now: datetime) -> None:
    """The sources for people, marked where they are not real and where they are silent for too long."""
    headers = ("system", "source", "", "events", "per minute", "last event", "")
    print_table(headers, (_cells(source, now) for source in every), right=(3, 4, 5))


def _cells(s: Source, now: datetime) -> tuple[str, ...]:
    counts = f"{s.events:,}", f"{s.per_minute:,.1f}"
    return s.system, s.source, ORIGINS.get(s.origin, ""), *counts, _age(s, now), _state(s)


def _state(source: Source) -> str:
    from rich.markup import escape

    from schemas.calendar import VN
    from services.readings.sources import silence

    if ended := source.ended:
        return escape(f"ended, says {ended.by} on {ended.at.astimezone(VN):%Y-%m-%d}: {ended.why}")
    return f"[red]STALE: silent for more than {silence(source.allowed)}[/]" if source.stale else ""


def _age(source: Source, now: datetime) -> str:
    from schemas.text.durations import coarse

    count, unit = coarse(now - source.last_time)
    return f"{count} {'days' if unit == 'd' else unit} ago"
