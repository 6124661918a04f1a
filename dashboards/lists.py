"""The lists that figures open to, and the maps: codes are masked and places rounded by the views themselves."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, geomap, table
from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model

from dashboards.panels import BAD, GOOD, Board, Property, ValueStyle, sql
from dashboards.sql import in_order
from dashboards.texts import CATEGORIES, CHANNELS, LAYERS, ORIGINS, SEVERITIES, STATUSES, TITLES, WHOLE, Text

MOST = 200
MINE = "unit IN (SELECT unit FROM unit_scope WHERE root = ${unit:sqlstring})"
BLANK = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
"""A tile of nothing: a map of ours asks no server on the internet."""

COLUMNS: dict[str, Text] = {
    "code": Text("Mã số (đã che)", "Code (masked)"),
    "unit": Text("Đơn vị", "Unit"),
    "procedure": Text("Thủ tục", "Procedure"),
    "field": Text("Lĩnh vực", "Field"),
    "channel": Text("Hình thức", "Channel"),
    "category": Text("Lĩnh vực", "Category"),
    "status": Text("Trạng thái", "Status"),
    "opened_at": Text("Tiếp nhận", "Received"),
    "due_at": Text("Hẹn trả", "Due"),
    "days_overdue": Text("Quá hạn (ngày)", "Days overdue"),
    "late": Text("Trễ hạn", "Late"),
    "layer": Text("Lớp", "Layer"),
    "name": Text("Tên", "Name"),
    "origin": Text("Nguồn gốc", "Origin"),
    "severity": Text("Mức độ", "Severity"),
    "system": Text("Hệ thống", "System"),
    "what": Text("Nội dung", "What"),
    "raised_at": Text("Phát sinh", "Raised"),
    "assignee": Text("Người xử lý", "Assigned to"),
    "times": Text("Số lần", "Times"),
}
WORDS = {
    "channel": CHANNELS,
    "category": CATEGORIES,
    "layer": LAYERS,
    "origin": ORIGINS,
    "severity": SEVERITIES,
    "status": STATUSES,
    "system": TITLES,
    "late": {"0": Text("trong hạn", "in time"), "1": Text("trễ", "late")},
}
COLOURS = {
    "severity": {"critical": BAD, "warning": "yellow", "info": GOOD},
    "status": {"active": BAD, "acknowledged": "yellow", "assigned": GOOD},
    "late": {"0": GOOD, "1": BAD},
}
LIVE = Text(
    "chưa có hồ sơ, phản ánh hay đối tượng nào như vậy trong đơn vị đã chọn",
    "the chosen unit has no such dossier, report or feature now",
)


def listed(board: Board, *columns: str) -> table.Panel:
    """A table of the named columns, in words."""
    panel = table.Panel().cell_height(options.TableCellHeight.SM).filterable(True)
    for column in columns:
        how = ValueStyle(words=WORDS[column], colours=COLOURS.get(column, {})) if column in WORDS else None
        coloured = [Property("custom.cellOptions", {"type": "color-text"})] if column in COLOURS else []
        board.column(panel, column, COLUMNS[column], *coloured, how=how)
    return panel


def _dossiers(board: Board, key: str, title: Text, what: Text, stages: str, *columns: str) -> None:
    shown = ("code", "unit", "procedure", "channel", "opened_at", "due_at", *columns)
    chosen = ", ".join(f"unit_{board.language} AS unit" if c == "unit" else c for c in shown)
    query = f"SELECT {chosen} FROM dossier_list WHERE stage IN ({stages}) AND {MINE} ORDER BY due_at LIMIT {MOST}"
    board.add(key, listed(board, *shown), title, what, (12, 10), [sql(query)], LIVE)


def overdue_dossiers(board: Board) -> None:
    """Open dossiers past their promised date, the oldest promise first."""
    title = Text("Hồ sơ đang giải quyết quá hạn", "Open dossiers overdue")
    what = Text(
        f"Tối đa {MOST} hồ sơ của đơn vị đã chọn, hẹn trả sớm nhất trước; mã số đã che.",
        f"At most {MOST} dossiers of the chosen unit, the oldest promise first; codes are masked.",
    )
    _dossiers(board, "overdue", title, what, "'overdue'", "days_overdue")


def due_dossiers(board: Board) -> None:
    """Open dossiers due today or within three working days."""
    title = Text("Hồ sơ đến hạn hôm nay và trong 3 ngày làm việc", "Dossiers due today and in 3 working days")
    what = Text(
        f"Tối đa {MOST} hồ sơ của đơn vị đã chọn, hẹn trả sớm nhất trước; mã số đã che.",
        f"At most {MOST} dossiers of the chosen unit, the nearest promise first; codes are masked.",
    )
    _dossiers(board, "due", title, what, "'today', 'soon'")


def reports(board: Board) -> None:
    """Reports not done yet, late ones first."""
    shown = ("code", "unit", "category", "channel", "opened_at", "due_at", "late")
    chosen = ", ".join({"unit": f"unit_{board.language} AS unit", "late": f"{_LATE} AS late"}.get(c, c) for c in shown)
    query = (
        f"SELECT {chosen} FROM report_list WHERE ended_at IS NULL AND {MINE} ORDER BY late DESC, due_at LIMIT {MOST}"
    )
    title = Text("Phản ánh chưa xử lý xong", "Reports not done yet")
    what = Text(
        f"Tối đa {MOST} phản ánh của đơn vị đã chọn, trễ hạn trước; mã số đã che, người gửi không được lưu.",
        f"At most {MOST} reports of the chosen unit, late ones first; codes are masked, senders not kept.",
    )
    board.add("reports", listed(board, *shown), title, what, (12, 12), [sql(query)], LIVE)


_LATE = "(cardinality(late_stages) > 0)::int"
_REPORTS = (
    f"SELECT latitude, longitude, category, code, opened_at, {_LATE} AS late FROM report_list "
    f"WHERE ended_at IS NULL AND latitude IS NOT NULL AND {MINE} LIMIT 1000"
)


def reports_map(board: Board) -> None:
    """Where reports that are not done yet come from."""
    title = Text("Bản đồ phản ánh chưa xử lý xong", "Map of reports not done yet")
    what = Text(
        "Vị trí làm tròn đến 3 chữ số thập phân (khoảng 100 m). Cam: trễ hạn; xanh: trong hạn.",
        "Places rounded to 3 decimals (about 100 m). Orange: late; blue: in time.",
    )
    panel = _map(board, [_markers(board, title, "A", {"field": "late", "fixed": GOOD})])
    board.add("reports_map", panel, title, what, (12, 12), [sql(_REPORTS)], LIVE)


def features_map(board: Board) -> None:
    """The layers of the map, and the reports that are not done yet above them."""
    named = ", ".join(("latitude", "longitude", "layer", "name", f"unit_{board.language} AS unit"))
    features = f"SELECT {named} FROM feature_list WHERE {MINE} LIMIT 5000"
    title = Text("Bản đồ các lớp dữ liệu và phản ánh", "Map of layers and reports")
    what = Text(
        "Xanh: đối tượng của các lớp; cam: phản ánh chưa xử lý xong (vị trí làm tròn).",
        "Blue: features of the layers; orange: reports not done yet (places rounded).",
    )
    layers: list[builder.Builder[options.MapLayerOptions]] = [
        _markers(board, Text("Các lớp dữ liệu", "Layers"), "A", {"fixed": GOOD}),
        _markers(board, Text("Phản ánh", "Reports"), "B", {"fixed": BAD}),
    ]
    board.add("features_map", _map(board, layers), title, what, (14, 14), [sql(features), sql(_REPORTS, "B")], LIVE)


def features(board: Board) -> None:
    """What is on the map, by name."""
    shown = ("layer", "name", "unit", "origin")
    chosen = ", ".join(f"unit_{board.language} AS unit" if c == "unit" else c for c in shown)
    query = f"SELECT {chosen} FROM feature_list WHERE {MINE} ORDER BY layer, {in_order('name')} LIMIT 1000"
    title = Text("Đối tượng trên bản đồ", "Features on the map")
    what = Text("Tối đa 1.000 đối tượng của đơn vị đã chọn.", "At most 1,000 features of the chosen unit.")
    board.add("features", listed(board, *shown), title, what, (10, 14), [sql(query)], LIVE)


def _map(board: Board, layers: list[builder.Builder[options.MapLayerOptions]]) -> geomap.Panel:
    empty = common.MapLayerOptions().type("xyz").name("nền" if board.language == "vi" else "ground")
    panel = (
        geomap.Panel()
        .basemap(empty.config({"url": BLANK, "attribution": ""}))
        .layers(layers)
        .view(geomap.MapViewConfig().id("fit").lat(0).lon(0).zoom(15).all_layers(True).padding(5))
        .controls(geomap.ControlsOptions().show_zoom(True).show_scale(True).mouse_wheel_zoom(True))
    )
    board.apply_style(panel, ValueStyle("locale", steps=((None, GOOD), (1, BAD))))
    for column in ("layer", "category", "late"):
        panel.override_by_name(column, board.properties(ValueStyle(words=WORDS[column]), COLUMNS[column]))
    return panel


def _markers(board: Board, title: Text, ref: str, colour: dict[str, object]) -> common.MapLayerOptions:
    style = {
        "color": colour,
        "opacity": 0.8,
        "size": {"fixed": 6},
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
    }
    place = common.FrameGeometrySource().mode(options.FrameGeometrySourceMode.COORDS)
    return (
        common.MapLayerOptions()
        .type("markers")
        .name(board.say(title))
        .config({"showLegend": True, "style": style})
        .location(place.latitude("latitude").longitude("longitude"))
        .filter_data(model.MatcherConfig(id_val="byRefId", options=ref))
        .tooltip(True)
    )


def alarms(board: Board, size: tuple[int, int]) -> None:
    """What is the matter now: alarms that are not over, the gravest first, each a link to its system's dashboard."""
    shown = ("severity", "status", "system", "unit", "what", "raised_at", "assignee", "times")
    unit = f"coalesce(u.name_{board.language}, '{board.say(WHOLE)}') AS unit"
    query = (
        f"SELECT a.severity, a.status, a.system, {unit}, a.{board.language} AS what, a.raised_at, a.assignee, a.times, "
        "a.system AS slug, a.unit AS scope FROM alarm_list a LEFT JOIN unit u ON u.code = a.unit "
        "WHERE a.status <> 'cleared' AND (a.unit = ${unit:sqlstring} OR ${unit:sqlstring} = 'all') "
        "ORDER BY array_position('{critical,warning,info}'::text[], a.severity), a.raised_at DESC LIMIT 100"
    )
    panel = listed(board, *shown)
    # A link takes what a cell shows, and codes are shown as words: so the codes come once more, unseen.
    url = board.url("${__data.fields.slug}", "${__data.fields.scope}")
    panel.override_by_name("what", [board.data_link(Text("Mở hệ thống", "Open the system"), url)])
    for column in ("slug", "scope"):
        panel.override_by_name(column, [Property("custom.hidden", True)])
    title = Text("Cảnh báo đang diễn ra", "Alarms going on")
    what = Text(
        "Cảnh báo chưa kết thúc, nghiêm trọng nhất trước; `ioc alarms` để tiếp nhận, phân công, đóng.",
        "Alarms that are not over, the gravest first; `ioc alarms` acknowledges, assigns and closes.",
    )
    quiet = Text("không có cảnh báo nào", "there is no alarm")
    board.add("alarms", panel, title, what, size, [sql(query)], quiet)
