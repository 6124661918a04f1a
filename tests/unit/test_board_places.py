"""The map without a browser: who sees what, clusters, cards, and what a GeoJSON file may bring in."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.gis import Layer
from services.board.access import PUBLIC, SMALL, Account
from services.board.live.poller import Poller
from services.board.pages.map.geojson import LARGEST, MOST_SHAPES, Unfit, mended, read
from services.board.pages.map.map_query import (
    CELL,
    PUBLIC_ZOOM,
    Kind,
    MapFilter,
    MapItem,
    chosen,
    clusters,
    degrees,
    pixels,
)
from services.board.pages.map.map_view import answer, filter_of
from services.board.pages.map.overlays import Folder, plain
from services.board.ui.live_page import PageContext
from services.board.ui.words import word
from services.simulator.district.geography import WARDS, outlines

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
EVERYBODY = Account("an", "An", "operator")
BOUNDED = Account("binh", "Bình", "viewer", (WARD,))


def spot(number: int = 1, kind: Kind = "report", **changed: Any) -> MapItem:
    told: dict[str, Any] = {
        "kind": kind,
        "id": f"PA-1022.{number:04}-W103",
        "group": "road" if kind == "report" else "school",
        "name": "" if kind == "report" else f"Trường {number}",
        "unit": WARD,
        "status": "routed" if kind == "report" else "present",
        "since": NOW - timedelta(hours=3),
        "due": NOW + timedelta(hours=1) if kind == "report" else None,
        "latitude": 11.43,
        "longitude": 106.66,
    }
    return MapItem(**{**told, **changed})


def scattered(count: int, kind: Kind = "report") -> list[MapItem]:
    chance = random.Random(3)
    return [
        spot(n, kind, latitude=11.4 + chance.random() / 3, longitude=106.5 + chance.random() / 3) for n in range(count)
    ]


def look(account: Account) -> PageContext:
    return PageContext(account, "vi", cast(Poller, None))


def test_a_place_comes_back_from_the_map() -> None:
    assert degrees(*pixels(11.43, 106.66, 14), 14) == pytest.approx((11.43, 106.66))


@pytest.mark.parametrize("zoom", [8, 12, 18])
def test_clusters_hold_every_spot_once_and_lie_among_their_own(zoom: int) -> None:
    spots = scattered(500)
    found = clusters(spots, zoom, NOW)
    assert sorted(s.id for c in found for s in c.items) == sorted(s.id for s in spots)
    for cluster in found:
        x, y = pixels(cluster.latitude, cluster.longitude, zoom)
        for inside in cluster.items:
            px, py = pixels(inside.latitude or 0, inside.longitude or 0, zoom)
            assert abs(px - x) < CELL and abs(py - y) < CELL
    assert clusters(reversed(spots), zoom, NOW)[0].number in {c.number for c in found}


def test_reports_and_features_never_share_a_cluster_and_what_has_no_place_is_in_none() -> None:
    found = clusters([spot(1), spot(2, "feature"), spot(3, latitude=None, longitude=None)], 12, NOW)
    assert [(c.kind, c.number) for c in found] == [("feature", 1), ("report", 1)], "what is looked for lies above"


def test_passers_by_see_the_same_wide_cells_and_coarse_counts_at_every_zoom() -> None:
    few = [spot(n) for n in range(SMALL - 1)]
    assert clusters(few, 8, NOW, public=True) == []
    many = [*few, spot(7), spot(8, due=NOW - timedelta(days=1))]
    (cell,) = clusters(many, PUBLIC_ZOOM, NOW, public=True)
    assert (cell.number, cell.overdue, cell.items) == (SMALL, 0, ())
    assert (cell.latitude, cell.longitude) != pytest.approx((11.43, 106.66), abs=1e-4)
    spread = scattered(400)
    assert len({tuple(clusters(spread, zoom, NOW, public=True)) for zoom in range(19)}) == 1


def test_what_passers_by_are_given_names_no_report_whatever_they_ask_for() -> None:
    school, camera = spot(8, "feature", latitude=11.9), spot(9, "feature", group="camera", latitude=11.9)
    spots = [*(spot(n, group="health") for n in range(7)), school, camera]
    params = {"unit": WARD, "category": "health", "overdue": "1", "ago": "5", "z": "18", "list": "1"}
    asked = filter_of(params, [], PUBLIC, NOW)
    assert asked == MapFilter()
    told = json.dumps(answer(look(PUBLIC), spots, asked, params, NOW), ensure_ascii=False)
    assert "Trường 8" in told and "5 phản ánh" in told and "7 phản ánh" not in told
    assert not any(word in told for word in ("PA-", "1022", "Trường 9", "W103", "11.43,", "đã chuyển"))


def counts(*numbers: int) -> list[str]:
    """How many reports of each category passers-by are told of, and of all, where there are so many of each."""
    names = ("road", "waste", "lighting", "health")
    spots = [spot(n, group=name) for name, number in zip(names, numbers, strict=False) for n in range(number)]
    told = answer(look(PUBLIC), spots, MapFilter(), {"list": "1"}, NOW)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", told["list"])
    return [*cells, told["said"].split(" · ")[1]]


def test_no_count_of_reports_can_be_worked_out_from_the_others() -> None:
    assert counts(9, 7) == ["5", "5", "15 phản ánh đang mở"]
    assert counts(8, 1, 1) == ["5", "10 phản ánh đang mở"], "where a category is named it has more than none"
    assert counts(7, 12, 3) == ["10", "5", "20 phản ánh đang mở"]
    assert counts(3) == counts() == ["dưới 5 phản ánh đang mở"]
    told = answer(look(PUBLIC), [spot(1)], MapFilter(), {"list": "1"}, NOW, unread=1207)
    assert "còn 1.205 mục" in told["said"]


def test_what_was_not_read_is_said() -> None:
    told = answer(look(EVERYBODY), [spot(1)], MapFilter(), {"list": "1"}, NOW, unread=1200)
    assert "còn 1.200 mục" in told["said"]
    assert "mục" not in answer(look(EVERYBODY), [spot(1)], MapFilter(), {"list": "1"}, NOW)["said"]


def test_an_account_sees_its_own_units_reports_and_all_features() -> None:
    spots = [spot(1), spot(2, unit=OTHER), spot(3, "feature", unit=OTHER)]
    assert [s.id[8:12] for s in chosen(spots, MapFilter(), BOUNDED, NOW)] == ["0001", "0003"]
    assert [s.id[8:12] for s in chosen(spots, MapFilter(unit=OTHER), BOUNDED, NOW)] == ["0003"]
    assert len(list(chosen(spots, MapFilter(), EVERYBODY, NOW))) == 3


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (MapFilter(layers=frozenset({"reports"})), ["0001", "0002"]),
        (MapFilter(layers=frozenset({"school"})), ["0003"]),
        (MapFilter(layers=frozenset({"clinic"})), []),
        (MapFilter(overdue=True), ["0002"]),
        (MapFilter(category="waste"), ["0002"]),
        (MapFilter(status="accepted"), ["0001"]),
        (MapFilter(category="waste", status="accepted"), []),
    ],
)
def test_filters(asked: MapFilter, seen: list[str]) -> None:
    spots = [
        spot(1, status="accepted"),
        spot(2, group="waste", due=NOW - timedelta(minutes=1)),
        spot(3, "feature"),
    ]
    assert [s.id[8:12] for s in chosen(spots, asked, EVERYBODY, NOW)] == seen


def test_nonsense_in_an_address_is_passed_over() -> None:
    params = {"category": "<script>", "status": "resolved", "unit": "nowhere", "ago": "-5", "overdue": "x"}
    assert filter_of(params, ["roads", "' OR 1"], EVERYBODY, NOW) == MapFilter()
    assert filter_of({"ago": "99999999999999999"}, [], EVERYBODY, NOW).at is None
    assert filter_of({"ago": "2"}, [], EVERYBODY, NOW + timedelta(minutes=50)).at == NOW - timedelta(hours=1)
    assert filter_of({"unit": OTHER}, [], BOUNDED, NOW).unit == ""


def test_a_card_masks_the_code_and_what_a_name_holds_is_text() -> None:
    spots = [spot(1), spot(2, "feature", name="<img src=x onerror=alert(1)>", latitude=11.5)]
    told = answer(look(EVERYBODY), spots, MapFilter(), {"z": "18", "list": "1"}, NOW)
    cards = [mark[-1] for mark in told["marks"]]
    assert any(">PA-••••<" in card for card in cards) and "<img" not in "".join(cards) + told["list"]
    assert ">PA-1022.0001-W103<" not in "".join(cards) + told["list"]
    assert 'href="/worklist/report/PA-1022.0001-W103"' in "".join(cards)


def test_a_mark_says_how_many_are_overdue() -> None:
    late = [spot(n, due=NOW - timedelta(hours=n)) for n in (1, 2)]
    (mark,) = answer(look(EVERYBODY), [*late, spot(3)], MapFilter(), {"z": "12"}, NOW)["marks"]
    assert mark[3:7] == [3, 2, "3", "3 phản ánh đang mở, 2 quá hạn"]


def test_marks_out_of_view_are_not_sent_but_the_box_holds_them() -> None:
    spots = [spot(1), spot(2, latitude=11.7, longitude=106.5)]
    told = answer(
        look(EVERYBODY), spots, MapFilter(), {"z": "12", "w": "106.6", "s": "11.4", "e": "106.7", "n": "11.5"}, NOW
    )
    assert len(told["marks"]) == 1 and told["box"] == [106.5, 11.43, 106.66, 11.7]


# --- shapes of one's own ---

SQUARE = [[[106.6, 11.4], [106.7, 11.4], [106.7, 11.5], [106.6, 11.4]]]


def collection(properties: dict[str, Any] | None = None, **geometry: Any) -> bytes:
    shape = {"type": "Polygon", "coordinates": SQUARE, **geometry}
    feature = {"type": "Feature", "geometry": shape, "properties": properties}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def test_of_a_file_shapes_names_and_units_are_kept_and_nothing_else() -> None:
    told = {"name": " Phường\u0000 Chơn Thành ", "unit": WARD, "owner": "Nguyễn Văn A", "onclick": "alert(1)"}
    (feature,) = mended(collection(told))["features"]
    assert feature["properties"] == {"name": "Phường Chơn Thành", "unit": WARD}
    assert feature["geometry"] == {"type": "Polygon", "coordinates": SQUARE}
    assert mended(collection({"unit": "nowhere"}))["features"][0]["properties"] == {}


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Point", [106.6, 11.4]),
        ("MultiPoint", [[106.6, 11.4], [106.7, 11.5]]),
        ("LineString", SQUARE[0]),
        ("MultiLineString", SQUARE),
        ("MultiPolygon", [SQUARE]),
    ],
)
def test_every_kind_of_shape_is_taken_and_rounded(kind: str, coordinates: list[Any]) -> None:
    raw = collection(type=kind, coordinates=coordinates).replace(b"106.6", b"106.6000001")
    (feature,) = mended(raw)["features"]
    assert feature["geometry"] == {"type": kind, "coordinates": coordinates}


def test_a_file_may_hold_as_many_points_as_a_browser_draws() -> None:
    most = [[106.6, 11.4]] * MOST_SHAPES
    assert len(mended(collection(type="MultiPoint", coordinates=most))["features"]) == 1
    with pytest.raises(Unfit, match=f"> {MOST_SHAPES} "):
        mended(collection(type="MultiPoint", coordinates=[*most, most[0]]))


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b"{", "outline_no_geojson"),
        (b"[" * 100_000, "outline_no_geojson"),
        (b'{"type": "FeatureCollection", "features": []}', "outline_empty"),
        (b'{"type": "Topology"}', "outline_shape"),
        (collection(type="GeometryCollection"), "outline_shape"),
        (collection(coordinates=[]), "outline_shape"),
        (collection(type="Point", coordinates=SQUARE[0]), "outline_outside"),
        (collection(type="MultiPoint", coordinates=[106.6, 11.4]), "outline_shape"),
        (collection(coordinates=[[[11.4, 106.6]]]), "outline_outside"),
        (collection(coordinates=[[["106.6", 11.4]]]), "outline_outside"),
        (collection(coordinates=[[[1e999, 11.4]]]), "outline_outside"),
        (collection({"name": "gọi 0912 345 678"}), "outline_personal"),
        (b" " * (LARGEST + 1), "outline_large"),
        (collection(coordinates=[[[106.6, 11.4]] * 200_001]), "outline_large"),
    ],
    ids=lambda told: told if isinstance(told, str) else "",
)
def test_a_file_that_is_unfit_says_why(raw: bytes, key: str) -> None:
    with pytest.raises(Unfit) as unfit:
        mended(raw)
    assert unfit.value.key == key


def features(*told: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": told}).encode()


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


POINT = {"type": "Point", "coordinates": [106.6, 11.4]}
RING = SQUARE[0]


def test_what_can_be_left_out_of_a_file_is_left_out_and_said() -> None:
    found = read(features(feature(POINT), feature(None), feature(POINT, unit="nơi khác"), {"type": "Feature"}))
    assert [one["geometry"] for one in found.features] == [POINT, POINT]
    assert found.left_out == "feature 2: geometry null; feature 3: properties.unit; feature 4: geometry null"
    with pytest.raises(Unfit) as unfit:
        mended(features(*[feature(None)] * 7))
    assert unfit.value.key == "outline_empty" and unfit.value.where.endswith("feature 5: geometry null; +2")


@pytest.mark.parametrize(
    ("raw", "key", "where"),
    [
        (features(feature({**POINT, "type": ["Point"]})), "outline_shape", "feature 1: geometry.type"),
        (features(feature(POINT), feature({**POINT, "type": {}})), "outline_shape", "feature 2: geometry.type"),
        (features(feature({**POINT, "type": None})), "outline_shape", "feature 1: geometry.type"),
        (features(feature([POINT])), "outline_shape", "feature 1: geometry.type"),
        (features(feature("Point")), "outline_shape", "feature 1: geometry.type"),
        (features(feature({"type": "Point"})), "outline_shape", "feature 1: coordinates"),
        (features(feature({"type": "Point", "coordinates": {}})), "outline_shape", "feature 1: coordinates"),
        (
            features(feature({"type": "Point", "coordinates": [106.6]})),
            "outline_outside",
            "feature 1: coordinates 106.6",
        ),
        (features(feature({"type": "Point", "coordinates": [True, 11.4]})), "outline_outside", "coordinates ?, 11.4"),
        (
            features(feature({"type": "Point", "coordinates": [106.6, 11.4, "x"]})),
            "outline_outside",
            "coordinates 106.6",
        ),
        (features(feature({"type": "Point", "coordinates": [11.4, 106.6]})), "outline_outside", "11.4, 106.6"),
        (features(feature({"type": "Point", "coordinates": [-179.9, 11.4]})), "outline_outside", "-179.9, 11.4"),
        (features(feature({"type": "Point", "coordinates": [float("nan"), 11.4]})), "outline_outside", "nan, 11.4"),
        (features(feature({"type": "Point", "coordinates": [10**400, 11.4]})), "outline_outside", "?, 11.4"),
        (features(feature({"type": "Point", "coordinates": ["0912345678", 11.4]})), "outline_outside", "?, 11.4"),
        (features(feature({"type": "LineString", "coordinates": RING[:1]})), "outline_shape", "feature 1: coordinates"),
        (features(feature({"type": "Polygon", "coordinates": [RING[:3]]})), "outline_ring", "coordinates[0]"),
        (features(feature({"type": "Polygon", "coordinates": [RING, RING[:2]]})), "outline_ring", "coordinates[1]"),
        (
            features(feature({"type": "MultiPolygon", "coordinates": [[RING], [[*RING, [106.9, 11.4]]]]})),
            "outline_ring",
            "coordinates[1][0]",
        ),
        (
            features(feature({"type": "GeometryCollection", "geometries": [POINT]})),
            "outline_shape",
            "GeometryCollection",
        ),
        (features(feature(POINT, unit={})), "outline_property", "feature 1: properties.unit"),
        (features(feature(POINT, unit=["x"])), "outline_property", "feature 1: properties.unit"),
        (features(feature(POINT, name={"vi": "x"})), "outline_property", "feature 1: properties.name"),
        (
            features({"type": "Feature", "geometry": POINT, "properties": []}),
            "outline_property",
            "feature 1: properties",
        ),
        (
            features({"type": "Feature", "geometry": POINT, "properties": "x"}),
            "outline_property",
            "feature 1: properties",
        ),
        (features(None), "outline_shape", "feature 1"),
        (features(POINT), "outline_shape", "feature 1"),
        (features([[1]]), "outline_shape", "feature 1"),
        (b'{"type": "FeatureCollection", "features": {}}', "outline_shape", "features"),
        (b'{"type": "FeatureCollection"}', "outline_shape", "features"),
        (b"[]", "outline_no_geojson", "not a JSON object"),
        (b"null", "outline_no_geojson", "not a JSON object"),
        (b'{"a": 1,\n "b" 2}', "outline_no_geojson", "line 2, column 6"),
        (b'{"a": "\xff"}', "outline_no_geojson", "byte 8: UTF-8"),
        (b'{"type": "FeatureCollection", "features": [], "type": "Point"}', "outline_twice", "type"),
        (b'\xef\xbb\xbf{"features": [{"properties": {"name": 1, "n\\u0061me": 2}}]}', "outline_twice", "name"),
        (
            b'{"features": [{}, {"geometry": {"type": "Point", "type": "Point"}}]}',
            "outline_twice",
            "features.1.geometry",
        ),
        (collection().decode().encode("utf-16"), "outline_no_geojson", "UTF-16"),
        (b'{"a": ' + b"9" * 5000 + b"}", "outline_no_geojson", "digits"),
        (features(feature({"type": "\ud800", "coordinates": []})), "outline_shape", "?"),
        (features(feature({"type": "0912345678", "coordinates": []})), "outline_shape", "[phone]"),
    ],
    ids=lambda told: told if isinstance(told, str) else "",
)
def test_a_wrong_type_is_named_with_its_place(raw: bytes, key: str, where: str) -> None:
    with pytest.raises(Unfit) as unfit:
        mended(raw)
    assert unfit.value.key == key and where in unfit.value.where
    assert unfit.value.where.encode() and "345678" not in unfit.value.where


def test_a_mark_at_the_beginning_heights_and_holes_are_no_harm() -> None:
    hole = [[106.62, 11.42], [106.65, 11.42], [106.65, 11.45], [106.62, 11.42]]
    told = feature({"type": "Polygon", "coordinates": [[[*place, 12.5] for place in RING], hole]}, name=12)
    (kept,) = mended(b"\xef\xbb\xbf" + features(told))["features"]
    assert kept["geometry"]["coordinates"] == [RING, hole] and kept["properties"] == {"name": "12"}


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Point", "Polygon", "Feature", "FeatureCollection", 106.6, 11.4, [106.6, 11.4], RING, SQUARE]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "features", "geometry", "coordinates", "properties", "name", "unit"])
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
SHAPES = st.fixed_dictionaries(
    {"type": st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon"]) | ANYTHING, "coordinates": ANYTHING}
)
NEARLY = (
    st.fixed_dictionaries({"type": st.just("Feature"), "geometry": SHAPES | ANYTHING, "properties": ANYTHING})
    | ANYTHING
)


@examples(80)
@given(st.lists(NEARLY, max_size=3) | ANYTHING)
def test_whatever_a_file_holds_is_taken_or_refused_with_a_word_of_the_board(told: Any) -> None:
    raw = json.dumps({"type": "FeatureCollection", "features": told}).encode()
    try:
        found = read(raw)
    except Unfit as unfit:
        assert word(unfit.key, "vi").format(unfit.where).encode()
    else:
        assert found.features and json.dumps(found.collection, allow_nan=False, ensure_ascii=False).encode()


def test_files_are_kept_under_plain_names_and_taken_away(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.put("../../etc/Ranh giới Phường.geojson", collection()) == "ranh-gioi-phuong"
    assert [p.name for p in (tmp_path / "layers").iterdir()] == ["ranh-gioi-phuong.geojson"]
    (tmp_path / "layers" / "bad.geojson").write_text("{")
    assert len(folder.shapes()["features"]) == 1  # what somebody laid there by hand is looked at too
    assert not folder.remove("../layers/bad") and folder.remove("ranh-gioi-phuong")
    assert folder.names() == ["bad"] and folder.shapes()["features"] == []
    with pytest.raises(Unfit):
        Folder(None).put("a", collection())


def test_names_lead_nowhere_else() -> None:
    assert [plain(name) for name in ("..", "/etc/passwd", "Đường số 1.json", "\x00")] == [
        "layer", "passwd", "duong-so-1", "layer",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["0912345678.geojson", "Nhà 0912 345 678.json", "079304001234", "an@example.vn.geojson", "xe 51A-738.26",
     "0912 ------- 345678", "0\u200b912345678.geojson"],
)  # fmt: skip
def test_no_file_is_kept_under_a_personal_name_and_the_refusal_does_not_repeat_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unfit) as refused:
        Folder(tmp_path).put(name, collection())
    assert refused.value.key == "outline_personal" and not any(c.isdigit() for c in refused.value.where)
    assert not (tmp_path / "layers").exists()


def test_every_layer_has_its_sign_and_words() -> None:
    features = [spot(n, "feature", group=layer, latitude=11.0 + n / 10) for n, layer in enumerate(Layer.__args__)]  # type: ignore[attr-defined]
    marks = answer(look(EVERYBODY), features, MapFilter(), {"z": "18", "list": "1"}, NOW)["marks"]
    assert len({mark[5] for mark in marks}) == len(features)


def test_the_demos_outlines_divide_the_ground_and_each_unit_lies_in_its_own() -> None:
    """The areas add up to that of the whole, so that none covers another; each is taken as a file of one's own is."""
    overlay = read(json.dumps(outlines()).encode())
    *divided, said = overlay.features
    assert "không phải địa giới" in said["properties"]["name"]
    rings = {f["properties"]["unit"]: f["geometry"]["coordinates"][0] for f in divided}
    assert not overlay.skipped and rings.keys() == {ward.unit for ward in WARDS}
    for ward in WARDS:
        assert [unit for unit, ring in rings.items() if surrounds(ring, ward.longitude, ward.latitude)] == [ward.unit]
    west, east = (pick(x for ring in rings.values() for x, _ in ring) for pick in (min, max))
    south, north = (pick(y for ring in rings.values() for _, y in ring) for pick in (min, max))
    cut = (east - west) / 6
    whole = (east - west) * (north - south) - 2 * cut**2
    assert sum(map(area, rings.values())) == pytest.approx(whole, rel=1e-3)


def area(ring: list[list[float]]) -> float:
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring))) / 2


def surrounds(ring: list[list[float]], x: float, y: float) -> bool:
    """Whether a place lies within a convex ring."""
    sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0 for (ax, ay), (bx, by) in pairwise(ring)]
    return len(set(sides)) == 1
