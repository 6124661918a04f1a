"""`ioc sources`: who sends and how fresh that is, as `ioc status` shows it too; and who has ended for good."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from schemas.personal import mask
from services.cli.chosen import connected
from services.cli.user_option import USER, impersonal

if TYPE_CHECKING:
    from rich.table import Table

    from schemas.freshness import Allowed
    from services.readings.sources import Source


@click.group(epilog="\b\nExample:\n  ioc sources end /procedures/chon_thanh --why 'đã thay phần mềm Một cửa'")
def sources() -> None:
    """Who sends: list, with how fresh each is; say that one has ended for good."""


@sources.command("list", epilog="\b\nExample:\n  ioc sources list")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_(form: str) -> None:
    """List every source that ever sent, with its freshness; and when, why and by whom it was said to have ended."""
    from rich.console import Console

    from services.cli.output import WIDE
    from services.kit import clock
    from services.readings.sources import sources as read

    now = clock.now()
    with connected() as conn:
        found = read(conn, now)
    if form == "json":
        click.echo(json.dumps([plain(source) for source in found], ensure_ascii=False, indent=2))
        return
    console = Console()
    Console(width=None if console.is_terminal else WIDE).print(table(found, now))


@sources.command(epilog="\b\nExample:\n  ioc sources end /procedures/chon_thanh --why 'đã thay phần mềm Một cửa'")
@click.argument("source")
@click.option("--why", required=True, help="Why nothing comes of it any more; it is kept with your name.")
@USER
def end(source: str, why: str, user: str) -> None:
    """Say that SOURCE has ended for good: its silence is no alarm any more, and keeps back no "overdue".

    That holds until something more of it is recorded.
    """
    from services.kit import clock

    impersonal("--why", why)
    with connected("owner") as conn:
        ended = conn.execute(_END, {"source": source, "at": clock.now(), "by": user, "why": why}).rowcount
    if not ended:
        raise click.ClickException(f"nothing ever came of a source {mask(source)!r}; `ioc sources list` shows all")
    click.echo(f"{source} has ended")


@sources.command(epilog="\b\nExample:\n  ioc sources resume /procedures/chon_thanh")
@click.argument("source")
def resume(source: str) -> None:
    """Take back that SOURCE has ended: it is waited for again."""
    with connected("owner") as conn:
        taken_back = conn.execute("DELETE FROM source_end WHERE source = %s", [source]).rowcount
    if not taken_back:
        raise click.ClickException(f"{source!r} was not said to have ended; `ioc sources list` shows all")
    click.echo(f"{source} is waited for again")


def table(found: list[Source], now: datetime) -> Table:
    """The sources for people, marked where they are not real and where they are silent for too long."""
    from rich.table import Table

    from services.cli.output import ORIGINS

    shown = Table("system", "source", "", "events", "per minute", "last event", "", box=None, pad_edge=False)
    for number in (3, 4, 5):
        shown.columns[number].justify = "right"
    for s in found:
        age = _age(now - s.last_time)
        origin = ORIGINS.get(s.origin, "")
        shown.add_row(s.system, s.source, origin, f"{s.events:,}", f"{s.per_minute:,.1f}", age, _state(s))
    return shown


def _state(source: Source) -> str:
    from rich.markup import escape

    from schemas.calendar import VN

    if ended := source.ended:
        return escape(f"ended, says {ended.by} on {ended.at.astimezone(VN):%Y-%m-%d}: {ended.why}")
    return f"[red]STALE: silent for more than {silence(source.allowed)}[/]" if source.stale else ""


def plain(source: Source) -> dict[str, Any]:
    """A source for programs."""
    times = {name: getattr(source, name).isoformat() for name in ("last_time", "last_recorded")}
    ended = source.ended and asdict(source.ended) | {"at": source.ended.at.isoformat()}
    return asdict(source) | times | {"allowed": silence(source.allowed) or None, "ended": ended}


def silence(allowed: Allowed) -> str:
    """`3 working days`, `6 working hours`, `36 h`; empty where silence means nothing."""
    if allowed is None or isinstance(allowed, timedelta):
        return f"{allowed // timedelta(hours=1)} h" if allowed else ""
    parts = ((allowed.days, "working days"), (allowed.hours, "working hours"))
    return " ".join(f"{number} {name}" for number, name in parts if number)


def _age(passed: timedelta) -> str:
    seconds = max(int(passed.total_seconds()), 0)
    for name, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {name} ago"
    return f"{seconds} s ago"


_END = """
INSERT INTO source_end (source, at, by, why)
SELECT DISTINCT source, %(at)s::timestamptz, %(by)s, %(why)s FROM source WHERE source = %(source)s
ON CONFLICT (source) DO UPDATE SET at = excluded.at, by = excluded.by, why = excluded.why
"""
