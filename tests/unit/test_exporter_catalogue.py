"""The exporter's table of metrics, and what a scrape is given of what was read."""

from __future__ import annotations

import re

from prometheus_client import CollectorRegistry, generate_latest

from schemas.indicators import CATALOGUE
from schemas.indicators.metric import class_metric, metric
from services.exporter.catalogue import metrics
from services.exporter.snapshot import Snapshot

OPEN = "ioc_procedures_dossiers_open_overdue"


def scraped(snapshot: Snapshot) -> list[str]:
    registry = CollectorRegistry()
    registry.register(snapshot)
    return generate_latest(registry).decode().splitlines()


def test_every_figure_is_in_the_table_once_with_both_names_and_its_unit() -> None:
    table = {m.name: m for m in metrics()}
    assert len(table) == len(metrics())
    assert {metric(i) for i in CATALOGUE.values()} <= table.keys()
    assert {class_metric(i) for i in CATALOGUE.values() if i.classes} <= table.keys()
    assert table[OPEN].meaning == "Hồ sơ đang giải quyết quá hạn / Open dossiers overdue (dossier)"
    assert table["ioc_procedures_overdue_ratio"].meaning.endswith(" (0-1)")
    assert table["ioc_health_disease_cases_by_disease"].labels == ("disease", "period")


def test_names_kinds_and_meanings_follow_the_conventions() -> None:
    for name, kind, labels, meaning in metrics():
        assert re.fullmatch(r"ioc_[a-z0-9_]+", name), name
        assert (kind == "counter") == name.endswith("_total"), name
        assert len(set(labels)) == len(labels) and meaning, name


def test_a_scrape_shows_what_was_read_with_help_and_type() -> None:
    snapshot = Snapshot()
    snapshot.put("figures", {OPEN: {("all", "now"): 3.0, ("chon_thanh", "now"): 1.0}})
    snapshot.put("sources", {"ioc_events_total": {("field", "/field/x"): 7.0}})
    lines = scraped(snapshot)
    assert f'{OPEN}{{period="now",unit="all"}} 3.0' in lines
    assert f'{OPEN}{{period="now",unit="chon_thanh"}} 1.0' in lines
    assert f"# HELP {OPEN} Hồ sơ đang giải quyết quá hạn / Open dossiers overdue (dossier)" in lines
    assert "# TYPE ioc_events_total counter" in lines
    assert 'ioc_events_total{source="/field/x",system="field"} 7.0' in lines
    assert not [line for line in lines if "_created" in line]


def test_a_metric_without_samples_is_not_mentioned() -> None:
    snapshot = Snapshot()
    snapshot.put("figures", {OPEN: {}})
    assert scraped(snapshot) == []


def test_what_is_not_read_again_in_time_vanishes_and_what_is_kept_stays() -> None:
    time = [100.0]
    snapshot = Snapshot(lambda: time[0])
    snapshot.put("success", {"ioc_exporter_last_success_timestamp_seconds": {(): 1.0}})
    snapshot.put("figures", {OPEN: {("all", "now"): 3.0}}, keep=30)
    time[0] = 129.9
    assert set(snapshot.samples()) == {OPEN, "ioc_exporter_last_success_timestamp_seconds"}
    time[0] = 130.0
    assert set(snapshot.samples()) == {"ioc_exporter_last_success_timestamp_seconds"}
    snapshot.put("figures", {OPEN: {("all", "now"): 4.0}}, keep=30)
    assert snapshot.samples()[OPEN] == {("all", "now"): 4.0}
