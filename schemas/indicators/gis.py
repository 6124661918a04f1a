"""System 5: the layers of the map, the devices that work, and the land data behind them."""

from __future__ import annotations

from schemas.indicators.formula import Ratio, Stock
from schemas.indicators.indicator import Indicator, rows
from schemas.indicators.programmes import stated

SYSTEM = "gis"
_DOWN = {"state": ("offline", "faulty")}
_CAMERA = {"kind": ("camera",)}

INDICATORS = rows(
    SYSTEM,
    Indicator("map_features", "Đối tượng trên bản đồ", "Features on the map", Stock("map_features"), "feature", headline=True, classes="layer"),
    Indicator("map_cameras", "Camera giám sát", "Cameras on the map", Stock("map_features", {"layer": ("camera",)}), "feature", headline=True),
    Indicator("map_loudspeakers", "Loa truyền thanh trên bản đồ", "Loudspeakers on the map", Stock("map_features", {"layer": ("loudspeaker",)}), "feature", headline=True),
    Indicator("devices_down", "Thiết bị không hoạt động", "Devices not working", Stock("devices", _DOWN), "device", better="lower"),
    Indicator("cameras_working", "Tỷ lệ camera hoạt động", "Cameras that work", Ratio(Stock("devices", _CAMERA | {"state": ("online",)}), Stock("devices", _CAMERA)), "%", 2, better="higher"),
    *stated(SYSTEM),
)  # fmt: skip
