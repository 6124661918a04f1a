"""Whether the road of alerts is open: the Watchdog always fires, so its silence means that others may be lost too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SILENT = timedelta(minutes=5)
"""Alertmanager repeats the Watchdog about every minute."""


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

    def end(self) -> None:
        """Alertmanager calls even this one over: Prometheus is dead, and the ends of all others mean nothing."""
        self.unbroken = None

    def is_silent(self, now: datetime) -> bool:
        """Whether it should have been heard by now."""
        return now - (self.heard or self.started) > SILENT

    def believed(self, settling: timedelta) -> datetime | None:
        """An end told up to that moment is believed: what goes on after all had so long to come back, on an open road.
        None: no end is."""
        if self.heard is None or self.unbroken is None or self.heard - self.unbroken < settling:
            return None
        return self.heard - settling
