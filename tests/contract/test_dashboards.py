"""The dashboards keep their rules: fresh, complete, in one language each, not edited in place, every metric known."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from prometheus_client import REGISTRY

from dashboards import generate, queries
from dashboards.lists import WORDS
from dashboards.panels import panel_id
from dashboards.texts import CLASSES, LANGUAGES, TITLES, Language, name
from infra.local.paths import CHECKOUT
from schemas import education, field, gis, health, procedures, social, types
from schemas.indicators import CATALOGUE
from schemas.indicators.metric import metric
from schemas.registry import SYSTEMS
from services.exporter.catalogue import metrics
from services.kit import metrics as kit

Json = dict[str, Any]
FILES = generate.files()
DASHBOARDS: dict[str, Json] = {json.loads(text)["uid"]: json.loads(text) for text in FILES.values()}
GENERAL = {"text", "table", "geomap"}
"""Panels whose values have units of their own, column by column, or none."""
PROPER = ("Tiếng Việt",)
VIETNAMESE = re.compile(r"[ăâđêôơưáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.IGNORECASE)
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
every = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)


def test_the_files_are_fresh() -> None:
    stale = [path for path, text in FILES.items() if (CHECKOUT / path).read_text(encoding="utf-8") != text]
    assert stale == [], "run `ioc generate`"


def test_there_are_ten_in_each_language() -> None:
    assert set(DASHBOARDS) == {f"ioc-{slug}{end}" for slug in TITLES for end in ("", "-en")}
    assert len(TITLES) == 10
    assert sum(len(text.encode()) for text in FILES.values()) < 2_000_000


@every
def test_nobody_edits_in_place(dashboard: Json) -> None:
    assert dashboard["editable"] is False
    assert dashboard["timezone"] == "Asia/Ho_Chi_Minh"
    assert "ioc generate" in next(iter(dashboard.values()))
    assert dashboard["refresh"] == ("15s" if "overview" in dashboard["uid"] else "1m")


@every
def test_panels_are_told_apart_and_described(dashboard: Json) -> None:
    panels = dashboard["panels"]
    assert [number for number, times in Counter(p["id"] for p in panels).items() if times > 1] == []
    assert [p["id"] for p in panels if not (p.get("title", "").strip() and p.get("description", "").strip())] == []
    with_unit = [p for p in panels if p["type"] not in GENERAL]
    assert [p["title"] for p in with_unit if not p["fieldConfig"]["defaults"].get("unit")] == []
    assert [p["title"] for p in panels if p.get("targets") and not p["fieldConfig"]["defaults"].get("noValue")] == []


def test_a_panel_has_the_same_number_in_both_languages_and_for_ever() -> None:
    for slug in TITLES:
        vi, en = ([p["id"] for p in DASHBOARDS[f"ioc-{slug}{end}"]["panels"]] for end in ("", "-en"))
        assert vi == en
    assert panel_id("procedures/overdue") == 15344  # links that people keep lead to it


@every
def test_panels_do_not_overlap_and_fit(dashboard: Json) -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for place in (panel["gridPos"] for panel in dashboard["panels"]):
        cells = [(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])]
        taken.update(cells)
    assert [cell for cell, times in taken.items() if times > 1 or cell[0] >= 24] == []


@pytest.mark.parametrize("uid", ["ioc-overview", "ioc-overview-en"])
def test_the_wall_fits_on_one_screen(uid: str) -> None:
    """In kiosk mode a row of the grid is 30 pixels and its gap 8, of 1,080 pixels less the bar of variables."""
    rows = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in DASHBOARDS[uid]["panels"])
    assert rows * (30 + 8) <= 1080 - 50


@every
def test_every_source_is_provisioned(dashboard: Json) -> None:
    template = yaml.safe_load((CHECKOUT / "infra/grafana/datasources.yml").read_text())
    provisioned = {source["uid"] for source in template["datasources"]}
    assert provisioned == {queries.PROMETHEUS, queries.TIMESCALEDB}
    asked = {query.source for query in (*queries.panels(dashboard), *queries.mark_queries(dashboard))}
    assert asked and asked <= provisioned
    types = {s["uid"]: s["type"] for s in template["datasources"]}
    named = {(s["uid"], s["type"]) for s in _values(dashboard, "datasource")}
    assert named <= set(types.items())


@every
def test_rates_follow_the_range(dashboard: Json) -> None:
    wrong = [q.query for q in _promql(dashboard) for window in re.findall(r"\w+\([^()]*\[([^\]]+)\]", q.query)
             if window != "$__rate_interval"]  # fmt: skip
    assert wrong == []


@every
def test_every_metric_is_in_a_catalogue(dashboard: Json) -> None:
    known = _known_metrics()
    unknown = {name for q in _promql(dashboard) for name in _metric_names(q.query)} - known
    assert unknown == set()


@every
def test_links_lead_somewhere(dashboard: Json) -> None:
    uids = [uid for url in _values(dashboard, "url") if isinstance(url, str) for uid in re.findall(r"^/d/([^?]+)", url)]
    plain = {uid for uid in uids if "$" not in uid}
    assert plain <= set(DASHBOARDS)
    other = dashboard["uid"].removesuffix("-en") if dashboard["uid"].endswith("-en") else f"{dashboard['uid']}-en"
    assert f"/d/{other}" in _values({"links": dashboard["links"]}, "url")
    same = dashboard["uid"].endswith("-en")
    inner = {uid for uid in plain if uid != other}
    assert all(uid.endswith("-en") == same for uid in inner), "a link inside leaves the language"
    views = [(url, int(n)) for url in _values(dashboard, "url") for n in re.findall(r"viewPanel=(\d+)", str(url))]
    assert all(any(p["id"] == n for p in DASHBOARDS[str(url)[3:].partition("?")[0]]["panels"]) for url, n in views)


@every
def test_variables_are_defined_and_used(dashboard: Json) -> None:
    defined = set(queries.defaults(dashboard))
    used = {
        name
        for text in _texts(dashboard)
        for name in re.findall(r"\$\{?([a-z]\w*)", text)
    }  # fmt: skip
    assert used - defined == set()
    assert defined - used <= {"unit"}, "a choice that changes nothing"


@pytest.mark.parametrize("uid", [uid for uid in DASHBOARDS if uid.endswith("-en")])
def test_english_dashboards_are_in_english(uid: str) -> None:
    said = [text for text in _said(DASHBOARDS[uid]) if VIETNAMESE.search(text) and text not in PROPER]
    assert said == []


def test_vietnamese_dashboards_are_in_vietnamese() -> None:
    names = {panel["title"] for uid, d in DASHBOARDS.items() if not uid.endswith("-en") for panel in d["panels"]}
    assert {name for name in names if not VIETNAMESE.search(name)} <= {"NATS", "TimescaleDB", "Camera giám sát"}


@pytest.mark.parametrize("slug", SYSTEMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_indicator_is_on_its_systems_dashboard(slug: str, language: Language) -> None:
    dashboard = DASHBOARDS[f"ioc-{slug}{'' if language == 'vi' else '-en'}"]
    asked = {name for q in _promql(dashboard) for name in _metric_names(q.query)}
    said = set(_said(dashboard))
    members = [i for i in CATALOGUE.values() if i.system == slug]
    assert {metric(i) for i in members} <= asked
    assert {name(i).said(language) for i in members} <= said


@pytest.mark.parametrize(("label", "values"), [
    ("channel", types.Channel), ("kind", procedures.PaymentMade.model_fields["kind"].annotation),
    ("level", education.Level), ("disease", health.Disease), ("layer", gis.Layer), ("severity", types.Severity),
    ("category", field.Category), ("tone", social.MentionAggregated.model_fields["tone"].annotation),
])  # fmt: skip
def test_every_class_has_words(label: str, values: Any) -> None:
    assert set(CLASSES[label]) == set(get_args(values))
    assert {i.classes for i in CATALOGUE.values()} - {""} <= set(CLASSES)
    assert WORDS["channel"].keys() >= set(get_args(types.Channel))


def test_reasons_for_empty_panels_name_panels_that_are_there() -> None:
    there = {(uid, panel["id"]): panel["description"] for uid, d in DASHBOARDS.items() for panel in d["panels"]}
    reasons = generate.empty_by_design()
    assert set(reasons) <= set(there)
    assert all(reason in there[key] for key, reason in reasons.items())


# --- reading dashboards ---


def _promql(dashboard: Json) -> Iterator[queries.Panel]:
    for query in (*queries.panels(dashboard), *queries.mark_queries(dashboard)):
        if query.source == queries.PROMETHEUS:
            yield query


def _metric_names(expr: str) -> set[str]:
    """The metrics an expression names, those that it finds by a pattern of names too."""
    patterns = re.findall(r'__name__=~"([^"]+)"', expr)
    bare = re.sub(r'"[^"]*"', "", expr)
    labels = re.sub(r"\{[^}]*\}|\b(by|on|ignoring|group_left|without)\s*\([^)]*\)|\[[^\]]*\]", "", bare)
    return {name for name in NAME.findall(labels) if name.startswith(("ioc_", "ioc:")) or name in ("up", "ALERTS")} | {
        name for pattern in patterns for name in pattern.split("|")
    }


def _known_metrics() -> set[str]:
    ours = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    declared = {m._name for m in vars(kit).values() if hasattr(m, "_name")}
    suffixed = {f"{name}{end}" for name in declared for end in ("", "_total", "_bucket", "_sum", "_count")}
    rules = [yaml.safe_load(file.read_text()) for file in (CHECKOUT / "infra/prometheus/rules").glob("*.yml")]
    records = {
        rule["record"] for file in rules for group in file["groups"] for rule in group["rules"] if "record" in rule
    }
    return (
        {m.name for m in metrics()} | {n for n in ours | suffixed if n.startswith("ioc_")} | records | {"up", "ALERTS"}
    )


def _values(node: Any, key: str) -> list[Any]:
    if isinstance(node, dict):
        mine = [node[key]] if key in node else []
        return mine + [value for child in node.values() for value in _values(child, key)]
    return [value for child in node for value in _values(child, key)] if isinstance(node, list) else []


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _texts(child)


def _said(dashboard: Json) -> Iterator[str]:
    """What a reader sees: titles, descriptions, names of series and columns, words for values."""
    for key in ("title", "description", "displayName", "text", "label", "noValue", "name", "legendFormat", "tooltip"):
        yield from (value for value in _values(dashboard, key) if isinstance(value, str))
    for prop in _values(dashboard, "properties"):
        yield from (str(one["value"]) for one in prop if one["id"] == "displayName")
