"""Every alert, once: Prometheus's rules, the runbooks' index, boards and the notifier read them from here."""

from __future__ import annotations

from schemas.alerts import platform, sources, systems, targets
from schemas.alerts.alert import PLATFORM, Alert, Record, Severity

__all__ = ["ALERTS", "NAMES", "PLATFORM", "RECORDS", "Alert", "Record", "Severity"]

# A group's rules are sent in their order: a silent source stands before the "overdue" that it silences.
ALERTS: tuple[Alert, ...] = (*sources.ALERTS, *systems.ALERTS, *targets.ALERTS, *platform.ALERTS)
RECORDS: tuple[Record, ...] = platform.RECORDS
NAMES: tuple[str, ...] = tuple(dict.fromkeys(alert.name for alert in ALERTS))
"""The names, each once, in the order of the tables; each has its runbook `docs/runbooks/<Name>.md`."""
