"""System 5: the layers of the map, and the land data behind them."""

from __future__ import annotations

from schemas.indicators.formula import Stock
from schemas.indicators.indicator import Indicator, rows
from schemas.indicators.programmes import stated

SYSTEM = "gis"

INDICATORS = rows(
    SYSTEM,
    Indicator("map_features", "Đối tượng trên bản đồ", "Features on the map", Stock("map_features"), "feature", headline=True, classes="layer"),
    Indicator("map_cameras", "Camera giám sát", "Cameras on the map", Stock("map_features", {"layer": ("camera",)}), "feature", headline=True),
    Indicator("map_loudspeakers", "Loa truyền thanh trên bản đồ", "Loudspeakers on the map", Stock("map_features", {"layer": ("loudspeaker",)}), "feature", headline=True),
    *stated(SYSTEM),
)  # fmt: skip
