"""What was read last, as Prometheus is given it: the scrape itself asks nobody, and what could not be read again in
time vanishes rather than grow old."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.exporter.catalogue import metrics

Samples: TypeAlias = dict[str, dict[tuple[str, ...], float]]
"""Name of a metric -> values of its labels, in the catalogue's order -> value."""
_FAMILY = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}


class Snapshot(Collector):
    """Parts that are read apart from each other, each with a time (seconds) for which it may be shown."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._parts: dict[str, tuple[float, Samples]] = {}

    def put(self, part: str, samples: Samples, keep: float = math.inf) -> None:
        """Show these samples in place of the part's earlier ones, for `keep` seconds."""
        self._parts[part] = self._clock() + keep, samples

    def samples(self) -> Samples:
        """All that may still be shown."""
        now = self._clock()
        shown: Samples = {}
        for until, samples in tuple(self._parts.values()):
            if now < until:
                shown |= samples
        return shown

    def collect(self) -> Iterator[Metric]:
        """The samples in the form of the client library."""
        shown = self.samples()
        for name, kind, labels, meaning in metrics():
            if rows := shown.get(name):
                family = _FAMILY[kind](name, meaning, labels=labels)
                for values, value in rows.items():
                    family.add_metric(values, value)
                yield family

    def describe(self) -> list[Metric]:
        """Nothing to ask for at registration: names are the catalogue's own."""
        return []
