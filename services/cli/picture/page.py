"""A whole dashboard on one page: its title, its panels on Grafana's grid of 24 columns, and what the picture is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.cli.picture import courses, figures, maps, tables
from services.cli.picture.draw import EDGE, FONT, GROUND, TEXT, Box, framed, nothing, rect, rule, width, write
from services.cli.picture.fields import MUTED, moment
from services.cli.picture.frames import Frame, Json

COLUMNS = 24
ROW, GAP, MARGIN, HEAD, FOOT = 38.0, 8.0, 14.0, 52.0, 34.0
TITLE = 30.0
DRAWN = {
    "stat": figures.stat,
    "bargauge": figures.bars,
    "barchart": figures.bars,
    "text": figures.words,
    "table": tables.table,
    "geomap": maps.places,
}
MADE = {
    "vi": "Hình do dự án này vẽ từ định nghĩa bảng điều khiển và số liệu của trung tâm đang chạy, lúc {}; không phải "
    "ảnh chụp màn hình Grafana.",
    "en": "Drawn by this project from the dashboard's definition and the answers of the running centre, at {}; not a "
    "screenshot of Grafana.",
}


def page(
    dashboard: Json,
    answers: Mapping[int, Sequence[Frame] | str],
    span: tuple[datetime, datetime],
    language: str,
    unit: str,
    rows: int | None = None,
    wide: int = 1600,
) -> str:
    """The dashboard as SVG, `wide` pixels wide.

    `answers`: panel id -> its frames, or why its queries failed. `rows`: panels that end below so many rows of the
    grid are left out.
    """
    panels = [p for p in dashboard["panels"] if rows is None or p["gridPos"]["y"] + p["gridPos"]["h"] <= rows]
    below = max((p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels), default=0)
    tall = HEAD + below * ROW + FOOT
    body = "".join(_panel(panel, answers.get(panel["id"], ()), _box(panel, wide), language, span) for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall:.0f}" viewBox="0 0 {wide} {tall:.0f}" '
        f'font-family="{FONT}" style="font-variant-numeric: tabular-nums">\n'
        f"{rect(Box(0, 0, wide, tall), GROUND)}{_head(dashboard, wide, span, unit)}\n{body}"
        f"{_foot(wide, tall, span, language)}</svg>\n"
    )


def _box(panel: Json, wide: float) -> Box:
    place = panel["gridPos"]
    column = (wide - 2 * MARGIN + GAP) / COLUMNS
    return Box(MARGIN + place["x"] * column, HEAD + place["y"] * ROW, place["w"] * column - GAP, place["h"] * ROW - GAP)


def _panel(panel: Json, answer: Sequence[Frame] | str, box: Box, language: str, span: tuple[datetime, datetime]) -> str:
    low = box.h < 2.2 * ROW
    inner = Box(box.x, box.y + (26 if low else TITLE), box.w, box.h - (26 if low else TITLE))
    if isinstance(answer, str):
        body = nothing(inner, answer)
    elif panel["type"] == "timeseries":
        body = courses.course(panel, answer, inner, language, span)
    elif draw := DRAWN.get(panel["type"]):
        body = draw(panel, answer, inner, language)
    else:
        raise ValueError(f"a picture knows no panel of the type {panel['type']!r}")
    return framed(panel["id"], box, panel["title"], body)


def _head(dashboard: Json, wide: float, span: tuple[datetime, datetime], unit: str) -> str:
    when = f"{moment(span[0])} – {moment(span[1])}"
    title = write(MARGIN + 4, 33, dashboard["title"], 21, TEXT, bold=True)
    chip = Box(MARGIN + 20 + width(dashboard["title"], 21, bold=True), 15, width(unit, 13) + 24, 24)
    chosen = rect(chip, "none", EDGE, 12) + write(chip.x + chip.w / 2, chip.y + 16.5, unit, 13, TEXT, "middle")
    return title + chosen + write(wide - MARGIN - 4, 32, when, 13, MUTED, "end")


def _foot(wide: float, tall: float, span: tuple[datetime, datetime], language: str) -> str:
    said = MADE[language].format(moment(span[1]))
    y = tall - FOOT
    return rule(MARGIN, y + 2, wide - MARGIN, y + 2, EDGE) + write(MARGIN + 4, y + 22, said, 12, MUTED)
