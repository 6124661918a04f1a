"""Pictures of dashboards, from answers made here: well-formed, nothing left out, and what is missing is never a 0."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from dashboards.generate import files
from services.cli.picture import ask, courses, draw, fields, frames, tables
from services.cli.picture.frames import Frame
from services.cli.picture.page import page

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SPAN = (NOW - timedelta(hours=24), NOW)
SVG = "{http://www.w3.org/2000/svg}"
DASHBOARDS = {path.removeprefix("dashboards/"): json.loads(text) for path, text in files().items()}


def _answer(panel: dict[str, Any], value: float) -> Sequence[Frame]:
    """Something for every query of a panel: a row, a series, a place."""
    found = []
    for target in panel["targets"]:
        if panel["type"] == "timeseries":
            times = [SPAN[0] + timedelta(hours=h) for h in range(24)]
            rows: list[tuple[object, ...]] = [(t, value if h % 5 else None) for h, t in enumerate(times)]
            found.append(frames.of_rows(target["refId"], ["time", "value"], rows))
        elif panel["type"] == "geomap":
            names = ["latitude", "longitude", "late"]
            found.append(frames.of_rows(target["refId"], names, [(11.4, 106.6, 1), (11.5, 106.7, 0)]))
        else:
            found.append(frames.of_rows(target["refId"], ["Time", "value"], [(NOW, value)]))
    return found


def _drawn(dashboard: dict[str, Any], answers: dict[int, Sequence[Frame] | str], language: str = "vi") -> list[str]:
    """The texts of a picture; fails where it is not well-formed or loads something."""
    text = page(dashboard, answers, SPAN, language, "Toàn địa bàn")
    assert not re.search(r"(href|src|url)\s*[=(]\s*[\"']?(?!#|&apos;#)[^#\"')]", text)
    root = ElementTree.fromstring(text)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("path", DASHBOARDS)
def test_every_dashboard_is_drawn_with_all_titles_and_says_what_it_is(path: str) -> None:
    dashboard, language = DASHBOARDS[path], path[:2]
    answers: dict[int, Sequence[Frame] | str] = {p["id"]: _answer(p, 0.42) for p in dashboard["panels"]}
    texts = _drawn(dashboard, answers, language)
    assert dashboard["title"] in texts
    for panel in dashboard["panels"]:
        title = panel["title"]
        assert any(text == title or (text.endswith("…") and title.startswith(text[:-1])) for text in texts), title
    said = "không phải ảnh chụp màn hình Grafana" if language == "vi" else "not a screenshot of Grafana"
    assert said in texts[-1] and "10:00 20/11/2026" in texts[-1]


def test_without_answers_every_panel_says_that_nothing_is_known() -> None:
    for dashboard in DASHBOARDS.values():
        language = "vi" if "vi" in dashboard["tags"] else "en"
        texts = _drawn(dashboard, {}, language)
        missing = "không có dữ liệu" if language == "vi" else "no data"
        assert texts.count(missing) >= len(dashboard["panels"])
        shown = [t for t in texts if re.fullmatch(r"[\d.,]+( ?[%a-zđ/]+)?", t)]
        assert shown == []


def test_a_query_that_failed_says_why_in_its_panel() -> None:
    dashboard = DASHBOARDS["vi/ioc-overview.json"]
    first = dashboard["panels"][0]["id"]
    assert "no such <thing> & more" in _drawn(dashboard, {first: "no such <thing> & more"})


def test_values_are_written_as_their_language_and_unit_want() -> None:
    cases = [
        (1234567.0, {"unit": "locale"}, "1.234.567", "1,234,567"),
        (0.12345, {"unit": "percentunit", "decimals": 1}, "12,3%", "12.3%"),
        (0.0, {"unit": "s"}, "0 giây", "0 s"),
        (5400.0, {"unit": "s"}, "1,5 giờ", "1.5 h"),
        (3 * 2**30, {"unit": "bytes"}, "3 GiB", "3 GiB"),
        (2.25, {"unit": "cps", "decimals": 1}, "2,2/s", "2.2/s"),
        (NOW.timestamp() * 1000, {"unit": "time:HH:mm DD/MM/YYYY"}, "10:00 20/11/2026", "10:00 20/11/2026"),
    ]
    for value, said, vi, en in cases:
        assert (fields.figure(value, said, "vi"), fields.figure(value, said, "en")) == (vi, en)


def test_missing_is_said_and_differs_from_zero() -> None:
    said = {"noValue": "không có dữ liệu", "decimals": 0}
    assert fields.shown(None, said, "vi") == fields.Shown("không có dữ liệu", fields.MUTED, missing=True)
    assert fields.shown(0.0, said, "vi").text == "0"
    assert frames.number("NaN") is None and frames.number("0") == 0.0


def test_thresholds_words_and_overrides_make_colour_and_sign() -> None:
    steps = [{"value": None, "color": "blue"}, {"value": 0.005, "color": "orange"}]
    words = [{"type": "value", "options": {"1": {"text": "đạt", "color": "blue"}}}]
    override = {"matcher": {"id": "byFrameRefID", "options": "B"}, "properties": [{"id": "mappings", "value": words}]}
    panel = {"fieldConfig": {"defaults": {"thresholds": {"steps": steps}}, "overrides": [override]}}
    plain, worded = (fields.properties(panel, ref, "value") for ref in "AB")
    assert [fields.shown(v, plain, "vi").sign for v in (0.004, 0.005)] == ["calm", "alert"]
    assert fields.shown(1.0, worded, "vi") == fields.Shown("đạt", fields.COLOURS["blue"])


def test_rows_of_several_queries_become_one_table() -> None:
    def vector(ref: str, values: dict[str, float]) -> list[Frame]:
        found = [{"metric": {"unit": u}, "value": [NOW.timestamp(), str(v)]} for u, v in values.items()]
        return frames.of_vector({"refId": ref}, {"result": found}, several=True)

    organize = {"excludeByName": {"Time": True}, "indexByName": {"unit": 0, "Value #A": 1, "Value #B": 2}}
    both = [*vector("A", {"x": 1, "y": 2}), *vector("B", {"y": 3})]
    (table,) = frames.transformed(both, [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}])
    assert table.rows() == [
        {"unit": "x", "Value #A": 1.0, "Value #B": None},
        {"unit": "y", "Value #A": 2.0, "Value #B": 3.0},
    ]


def test_a_line_breaks_where_a_value_is_missing() -> None:
    points = [(NOW, 1.0), (NOW, None), (NOW, 2.0), (NOW, 3.0)]
    assert [len(stretch) for stretch in courses.stretches(points)] == [1, 2]


@pytest.mark.parametrize("values", [[0.0], [5.0], [0.0, 7.3], [97.1, 99.4], [-3.0, 4.0], [0.0, 250.0]])
def test_a_scale_holds_its_values_and_has_round_ticks(values: list[float]) -> None:
    low, high, ticks = courses.scale(values, whole=False)
    assert low <= min(values) and high >= max(values) and low < high
    assert 2 <= len(ticks) <= 7 and ticks[0] == low and ticks[-1] == pytest.approx(high)
    assert len({f"{tick:.6g}" for tick in ticks}) == len(ticks)


def test_texts_are_cut_and_columns_fill_their_room() -> None:
    assert draw.cut("Tỷ lệ", 100, 12) == "Tỷ lệ"
    short = draw.cut("Tỷ lệ hồ sơ giải quyết trước và đúng hạn", 120, 12)
    assert short.endswith("…") and draw.width(short, 12) <= 120
    assert draw.halves("a bb ccc dddd") == ["a bb ccc", "dddd"]
    widths = tables.rooms([300, 80, 90], [True, False, False], 320)
    assert widths == [150, 80, 90]
    assert sum(tables.rooms([300, 300, 300], [False] * 3, 320)) == pytest.approx(320)
    assert sum(tables.rooms([10, 20], [True, False], 100)) == pytest.approx(100)


def test_moments_of_a_range() -> None:
    assert ask.moment_of("now", NOW) == NOW
    assert ask.moment_of("now-6h", NOW) == NOW - timedelta(hours=6)
    assert ask.moment_of("now-29d/d", NOW).isoformat() == "2026-10-22T00:00:00+07:00"
    with pytest.raises(ValueError, match="yesterday"):
        ask.moment_of("yesterday", NOW)
