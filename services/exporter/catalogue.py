"""Every metric that the exporter gives out, in one table: the catalogue's figures, then what tells of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.metric import TARGET, class_metric, metric

_UNITS = {"%": "0-1", "minute": "seconds", "VND": "đồng"}
"""What a figure is given in where that is not its own unit."""


Kind = Literal["gauge", "counter"]


class Metric(NamedTuple):
    """A metric: its name, its kind, the names of its labels in order, and what it says."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str


def metrics() -> list[Metric]:
    """All of them."""
    return [*_figures(), *(Metric(name, _kind(name), labels, meaning) for name, labels, meaning in _PLATFORM)]


def _kind(name: str) -> Kind:
    return "counter" if name.endswith("_total") else "gauge"


def _figures() -> Iterator[Metric]:
    for indicator in CATALOGUE.values():
        yield Metric(metric(indicator), "gauge", ("unit", "period"), _meaning(indicator))
        if indicator.classes:
            yield Metric(class_metric(indicator), "gauge", (indicator.classes, "period"), _meaning(indicator))


def _meaning(indicator: Indicator) -> str:
    return f"{indicator.vi} / {indicator.en} ({_UNITS.get(indicator.unit, indicator.unit)})"


_UNIT = ("unit", "name_vi", "name_en", "level", "parent")
_SOURCE, _CONSUMER = ("system", "source", "origin"), ("stream", "consumer")
_PLATFORM: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("ioc_unit_info", _UNIT, "1 for every unit of the table"),
    ("ioc_system_origin", ("system", "origin"), "1 for every origin (real, shifted, simulated) of a system's events"),
    ("ioc_exporter_last_success_timestamp_seconds", (), "When the database was last read; 0: not since the start"),
    ("ioc_exporter_round_seconds", (), "How long reading all figures took last"),
    ("ioc_events_total", ("system", "source"), "Events ever stored; the database counts, so no restart resets it"),
    ("ioc_source_last_event_timestamp_seconds", _SOURCE, "When the newest event of a source happened"),
    ("ioc_source_last_recorded_timestamp_seconds", _SOURCE, "When an event of a source was last recorded"),
    ("ioc_source_stale", _SOURCE, "1: silent for longer than its rhythm allows"),
    ("ioc_source_awaited", _SOURCE, "1: its silence would mean something: it has a rhythm and has not ended"),
    ("ioc_nats_up", (), "1: the broker answers"),
    ("ioc_nats_writable", (), "0: its health check fails, as after a full disk: it takes nothing until started anew"),
    ("ioc_nats_stream_messages", ("stream",), "Messages in a stream"),
    ("ioc_nats_stream_bytes", ("stream",), "Bytes in a stream"),
    ("ioc_nats_stream_limit_bytes", ("stream",), "Bytes that a stream may hold; then it refuses"),
    ("ioc_nats_stream_stored_total", ("stream",), "Messages ever stored in a stream"),
    ("ioc_nats_consumer_pending_messages", _CONSUMER, "Messages that a consumer was not given yet"),
    ("ioc_nats_consumer_unacknowledged_messages", _CONSUMER, "Messages in a consumer's hands"),
    ("ioc_nats_consumer_redelivered_messages", _CONSUMER, "Messages in a consumer's hands not for the first time"),
    ("ioc_nats_consumer_behind_seconds", _CONSUMER, "Age of the oldest message not acknowledged; 0: there is none"),
    ("ioc_nats_user_connections", ("user",), "Connections that a credential holds at the broker"),
    ("ioc_nats_user_messages_total", ("user",), "Messages that the open connections of a credential have sent"),
    ("ioc_nats_connections_limit", (), "Connections that the broker takes in all"),
    ("ioc_quarantine_outside_messages", (), "Refused messages that wait, as the quarantine takes nothing"),
    ("ioc_database_up", (), "1: the database answered when last asked"),
    ("ioc_disk_free_bytes", ("folder",), "Free on the disk of the centre's data"),
    ("ioc_disk_size_bytes", ("folder",), "Size of the disk of the centre's data"),
    ("ioc_backup_last_success_timestamp_seconds", (), "When the last complete backup was made; absent: never"),
    ("ioc_rebuild_check_timestamp_seconds", (), "When `ioc rebuild --check` was last done; absent: never"),
    ("ioc_rebuild_check_differences", (), "Rows that differed then between what lives and the fold of the log"),
    (TARGET, ("indicator", "unit"), "The target in force today, of a unit or of all, in the figure's own unit"),
    ("ioc_findings", ("check",), "Disagreements that a check has found"),
    ("ioc_findings_critical", (), "Critical findings that nobody has resolved"),
)
