"""System 5: the layers of the map, and the land data behind them."""

from __future__ import annotations

from schemas.indicators.formula import Statement, Stock
from schemas.indicators.indicator import Indicator, rows

SYSTEM = "gis"

INDICATORS = rows(
    SYSTEM,
    Indicator("map_features", "Đối tượng trên bản đồ", "Features on the map", Stock("map_features"), "feature", headline=True, classes="layer"),
    Indicator("map_cameras", "Camera giám sát", "Cameras on the map", Stock("map_features", {"layer": ("camera",)}), "feature", headline=True),
    Indicator("map_loudspeakers", "Loa truyền thanh trên bản đồ", "Loudspeakers on the map", Stock("map_features", {"layer": ("loudspeaker",)}), "feature", headline=True),
    Indicator("land_parcels_digitised", "Thửa đất đã số hoá", "Land parcels digitised", Statement("land_parcels_digitised"), "parcel"),
    Indicator("land_parcels_digitised_pct", "Thửa đất đã số hoá, tỷ lệ", "Land parcels digitised, share", Statement("land_parcels_digitised", "ratio"), "%", 2, better="higher", headline=True),
    Indicator("land_districts_spatial_done", "Huyện hoàn thành CSDL không gian đất đai", "Districts with spatial land data", Statement("land_districts_spatial_done"), "district"),
    Indicator("land_districts_attribute_done", "Huyện hoàn thành CSDL thuộc tính đất đai", "Districts with attribute land data", Statement("land_districts_attribute_done"), "district"),
    Indicator("broadcast_loudspeaker_clusters", "Cụm loa truyền thanh thông minh", "Smart loudspeaker clusters", Statement("broadcast_loudspeaker_clusters"), "cluster"),
    Indicator("broadcast_loudspeakers", "Loa truyền thanh thông minh", "Smart loudspeakers", Statement("broadcast_loudspeakers"), "device"),
)  # fmt: skip
