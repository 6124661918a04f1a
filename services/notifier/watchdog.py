"""Whether the road of alerts is open: the Watchdog always fires, so its silence means that others may be lost too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SILENT = timedelta(minutes=5)
"""Alertmanager repeats the Watchdog about every minute."""
UNHEARD = timedelta(minutes=15)
"""Alertmanager repeats what fires every few minutes; what it does not, while it speaks, is over."""


@dataclass
class Watchdog:
    """When it was heard last, and since when without a break. `started`: when this process began to listen."""

    started: datetime
    heard: datetime | None = None
    unbroken: datetime | None = None

    def hear(self, now: datetime) -> None:
        """It was heard just now."""
        if self.unbroken is None or self.is_silent(now):
            self.unbroken = now
        self.heard = now

    def is_silent(self, now: datetime) -> bool:
        """Whether it should have been heard by now."""
        return now - (self.heard or self.started) > SILENT

    def over_before(self, now: datetime) -> datetime | None:
        """Alerts not repeated since are over; None while nothing can be said, as alerts themselves may not come."""
        if self.unbroken is None or self.is_silent(now) or now - self.unbroken < UNHEARD:
            return None
        return now - UNHEARD
