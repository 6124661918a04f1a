"""Panels of places: dots on a net of degrees, since a map's ground would be loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.cli.picture.draw import GROUND, Box, circle, nothing, rect, rule, width, write
from services.cli.picture.fields import MUTED, colour, properties, shown
from services.cli.picture.frames import Frame, Json

NET = "#1d242e"
LEAST = 0.01
"""Degrees: places closer together than this are not drawn further apart."""
KILOMETRES = 111.2
"""In one degree of latitude."""


@dataclass(frozen=True)
class _Place:
    longitude: float
    latitude: float
    colour: str


def places(panel: Json, frames: Sequence[Frame], box: Box, language: str) -> str:
    """Dots where the rows lie, on a net of degrees; a layer for each query, counted below."""
    layers = [(layer["name"], list(_places(panel, layer, frames))) for layer in panel["options"]["layers"]]
    every = [place for _, found in layers for place in found]
    if not every:
        return nothing(box, shown(None, properties(panel, "A", ""), language).text)
    plot = box.inner(6, 4, 6, 26)
    fit = _fit(plot, every)
    parts = [rect(plot, GROUND), *_net(fit)]
    for _, found in layers:
        parts += [circle(*fit.at(place.longitude, place.latitude), 4, place.colour, 0.75) for place in found]
    x = box.x + 14
    for name, found in layers:
        parts.append(circle(x + 4, box.bottom - 12, 4, found[0].colour if found else MUTED))
        label = f"{name}: {len(found)}"
        parts.append(write(x + 14, box.bottom - 8, label, 11, MUTED))
        x += width(label, 11) + 40
    return "".join(parts)


def _places(panel: Json, layer: Json, frames: Sequence[Frame]) -> Iterator[_Place]:
    how = layer["config"]["style"]["color"]
    wanted = (layer.get("filterData") or {}).get("options", "A")
    for frame in (frame for frame in frames if frame.ref == wanted):
        for row in frame.rows():
            longitude, latitude = row.get("longitude"), row.get("latitude")
            value = row.get(how.get("field", ""))
            if isinstance(longitude, float) and isinstance(latitude, float):
                said = {k: v for k, v in properties(panel, frame.ref, str(how.get("field"))).items() if k != "color"}
                fixed = colour(how.get("fixed", "blue"))
                yield _Place(longitude, latitude, shown(value, said, "vi").colour if value is not None else fixed)


@dataclass(frozen=True)
class _Fit:
    """Degrees to pixels: a kilometre as long in both directions, all places in the plot with a margin."""

    plot: Box
    longitude: float
    latitude: float
    zoom: float

    @property
    def squeeze(self) -> float:
        return math.cos(math.radians(self.latitude))

    def at(self, longitude: float, latitude: float) -> tuple[float, float]:
        x = self.plot.x + self.plot.w / 2 + (longitude - self.longitude) * self.squeeze * self.zoom
        return x, self.plot.y + self.plot.h / 2 - (latitude - self.latitude) * self.zoom


def _fit(plot: Box, every: Sequence[_Place]) -> _Fit:
    west, east = min(p.longitude for p in every), max(p.longitude for p in every)
    south, north = min(p.latitude for p in every), max(p.latitude for p in every)
    middle = (south + north) / 2
    across = max((east - west) * math.cos(math.radians(middle)), LEAST)
    zoom = min((plot.w - 40) / across, (plot.h - 40) / max(north - south, LEAST))
    return _Fit(plot, (west + east) / 2, middle, zoom)


def _net(fit: _Fit) -> Iterator[str]:
    """Lines of round degrees, and how long a kilometre is."""
    plot = fit.plot
    apart = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 45) if step * fit.zoom > 90)
    reach = plot.w / 2 / (fit.squeeze * fit.zoom), plot.h / 2 / fit.zoom
    for n in range(math.ceil((fit.longitude - reach[0]) / apart), math.floor((fit.longitude + reach[0]) / apart) + 1):
        x, _ = fit.at(n * apart, fit.latitude)
        yield rule(x, plot.y, x, plot.bottom, NET) + write(x + 4, plot.bottom - 6, f"{n * apart:g}°", 9.5, MUTED)
    for n in range(math.ceil((fit.latitude - reach[1]) / apart), math.floor((fit.latitude + reach[1]) / apart) + 1):
        _, y = fit.at(fit.longitude, n * apart)
        yield rule(plot.x, y, plot.right, y, NET) + write(plot.x + 4, y - 4, f"{n * apart:g}°", 9.5, MUTED)
    length = 1 / KILOMETRES * fit.zoom * (5 if fit.zoom < 4000 else 1)
    yield rule(plot.right - 14 - length, plot.bottom - 14, plot.right - 14, plot.bottom - 14, MUTED)
    yield write(plot.right - 14, plot.bottom - 19, f"{5 if fit.zoom < 4000 else 1} km", 9.5, MUTED, "end")
