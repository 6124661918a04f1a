"""The sources and their freshness as `ioc status` shows them, to people and to programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from schemas.freshness import Allowed
    from services.readings.sources import Source


def table(found: list[Source], now: datetime) -> Table:
    """The sources for people, marked where they are not real and where they are silent for too long."""
    from rich.table import Table

    from services.cli.show import ORIGINS

    shown = Table("system", "source", "", "events", "per minute", "last event", "", box=None, pad_edge=False)
    for number in (3, 4, 5):
        shown.columns[number].justify = "right"
    for s in found:
        age = _age(now - s.last_time)
        stale = f"[red]STALE: silent for more than {silence(s.allowed)}[/]" if s.stale else ""
        origin = ORIGINS.get(s.origin, "")
        shown.add_row(s.system, s.source, origin, f"{s.events:,}", f"{s.per_minute:,.1f}", age, stale)
    return shown


def plain(source: Source) -> dict[str, Any]:
    """A source for programs."""
    times = {name: getattr(source, name).isoformat() for name in ("last_time", "last_recorded")}
    return asdict(source) | times | {"allowed": silence(source.allowed) or None}


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
