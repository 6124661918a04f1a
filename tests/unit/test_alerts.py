"""The tables of alerts are whole: names, texts, runbooks, metrics that exist, and a test for each in which it fires
and one in which it stays silent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import yaml

from schemas.alerts import ALERTS, NAMES, PLATFORM, RECORDS, sources
from schemas.alerts.watched import watched
from schemas.indicators import CATALOGUE, find
from schemas.registry import MEASURES, SYSTEMS
from services.cli.app import COMMANDS
from services.exporter import catalogue
from services.kit import metrics
from services.notifier.alarm import RUNBOOKS as OWN_RUNBOOKS

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
IN_PYTHON = {"IndicatorBelowTarget", "UnitBelowTarget"}
"""Alerts with a rule for each target, which tests/integration/test_rules.py tries one by one."""


def known_metrics() -> set[str]:
    """Every metric there is: the exporter's, the services', those of Prometheus itself, and what rules record."""
    ours = {m.name for m in catalogue.metrics()}
    of_services = {
        sample.name + ("_total" if sample.type == "counter" else "")
        for collector in vars(metrics).values()
        if isinstance(collector, prometheus_client.metrics.MetricWrapperBase)
        for sample in collector.describe()
    }
    return ours | of_services | {record.name for record in RECORDS} | {"up"}


def used_metrics(expr: str) -> set[str]:
    """The names of metrics in an expression: what stands before `{`, `[` or alone and is neither function nor word."""
    bare = re.sub(r'"[^"]*"', "", expr)
    return set(re.findall(r"(?<![\w:])(?:[a-z]+:)?ioc_[a-z0-9_]+(?::[a-z0-9]+)?|\bup(?={)", bare))


def cases() -> Iterator[dict[str, Any]]:
    """Every assertion about an alert in the files for promtool."""
    for file in (ROOT / "tests" / "prometheus").glob("*.yml"):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            yield from group["alert_rule_test"]


def test_there_are_alerts_of_every_system() -> None:
    assert len(NAMES) >= 25
    assert {alert.system for alert in ALERTS} == {*SYSTEMS, PLATFORM}


def test_no_two_rules_are_the_same_alert() -> None:
    marks = [(a.name, a.system, tuple(a.labels.items())) for a in ALERTS]
    assert len(marks) == len(set(marks))
    assert all(re.fullmatch(r"([A-Z][a-z]+)+", name) for name in NAMES)


def test_an_alert_speaks_both_languages() -> None:
    def tokens(text: str) -> set[str]:
        return set(re.findall(r"<\w+>", text))

    assert [a.name for a in ALERTS if not (a.vi and a.do_vi and a.en and a.do_en)] == []
    assert [a.name for a in ALERTS if a.vi == a.en or a.do_vi == a.do_en] == []
    assert [a.name for a in ALERTS if tokens(a.vi) != tokens(a.en)] == []
    assert [a.name for a in ALERTS if ("<unit>" in a.vi) != a.by_unit] == []


def test_a_silent_source_is_said_before_the_overdue_that_it_silences() -> None:
    """Rules of a group are evaluated and sent in their order; who comes first finds nothing that silences it."""
    for alert in sources.ALERTS:
        assert alert.hold == "0s" or alert.name != "SourceStale"
    for system in SYSTEMS:
        rules = [a for a in ALERTS if a.system == system]
        overdue = [i for i, a in enumerate(rules) if a.family.startswith("overdue_")]
        assert [i for i, a in enumerate(rules) if a.name == "SourceStale"] < [min(overdue, default=len(rules))]


def test_every_metric_in_a_rule_exists() -> None:
    known = known_metrics()
    for row in (*ALERTS, *RECORDS):
        used = used_metrics(row.expr)
        assert used or row.name == "Watchdog", row.name
        assert used <= known, f"{row.name} uses {used - known}"


def test_no_figure_is_made_zero_where_it_is_missing() -> None:
    assert [alert.name for alert in ALERTS if re.search(r"or\s+(on\(\)\s+)?vector\(", alert.expr)] == []


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert sorted(file.stem for file in RUNBOOKS.glob("*.md") if file.stem != "README") == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_what_to_do_in_both_languages(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    vi, en = text.split("\n---\n")
    for part in (vi, en):
        assert len(re.findall(r"^\*\*.+?\*\*", part, re.MULTILINE)) == 1
        assert part.count("\n- ") >= 3


def test_runbooks_name_only_what_exists() -> None:
    known, codes = known_metrics(), set()
    for file in RUNBOOKS.glob("*.md"):
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"\./ioc (?:--instance \w+ )?([a-z]+)", text)) <= set(COMMANDS), file.name
        assert used_metrics(text.replace('"', "'")) <= known, file.name
        assert set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", text)) <= {*NAMES, *OWN_RUNBOOKS}, file.name
        codes |= set(re.findall(r"\./ioc (query|explain) ([a-z]\w+)([^`]*)", text))
    for _, code, options in codes:
        for label in re.findall(r"--by (\w+)", options):
            assert label == "unit" or label in labels_of(code), f"{code} --by {label}"


def labels_of(code: str) -> set[str]:
    """The labels by which every part of a figure can be broken down."""
    from schemas.indicators.formula import leaves

    return set.intersection(*(set(MEASURES[leaf.measure].labels) for leaf in leaves(find(code)[0].formula)))


def test_every_alert_is_seen_to_fire_and_to_stay_silent() -> None:
    fires = {case["alertname"] for case in cases() if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases() if not case["exp_alerts"]}
    assert set(NAMES) - IN_PYTHON - fires == set()
    assert set(NAMES) - IN_PYTHON - silent == {"Watchdog"}


def test_what_fires_is_told_whole() -> None:
    said = {"summary_vi", "summary_en", "action_vi", "action_en", "dashboard_url", "runbook_url"}
    for case in cases():
        for alert in case["exp_alerts"]:
            assert alert["exp_annotations"].keys() == said, case["alertname"]
            assert {"severity", "system", "unit"} <= alert["exp_labels"].keys(), case["alertname"]


def test_an_alert_of_a_system_says_which_figure_it_watches_and_from_where_on() -> None:
    about = {(a.name, *a.labels.values()): (a, watched(a.name, a.labels)) for a in ALERTS if a.system != PLATFORM}
    silent = {"SourceStale", "PaymentPlatformSilent"}
    assert {key[0] for key, (_, found) in about.items() if found is None} == silent
    for alert, found in about.values():
        if found:
            assert found.indicator.system == alert.system and (found.threshold is None) == bool(alert.aimed)
            assert not alert.aimed or found.indicator.code == alert.aimed
    assert watched("OverdueShareCritical", {}) == (CATALOGUE["overdue_share"], "month", ">", Decimal("3.9"), "")
    assert watched("DiseaseCasesRising", {}) == (CATALOGUE["disease_cases"], "week", ">=", 5, "disease")
    assert watched("ServiceDown", {}) is None and watched("Whatever", {}) is None
