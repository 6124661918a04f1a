"""The wall: eight systems at a glance on one screen, how fresh they are, and what is the matter now."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, stat, table, timeseries
from grafana_foundation_sdk.models import common as options

from dashboards import lists, marks, variables
from dashboards.panels import CLOCK, GOOD, Board, Property, Query, ValueStyle, course, now, rows, style_of, switch, tidy
from dashboards.pieces import COLOURED, HERE, REFS, by_verdict, last, last_update, origin, own
from dashboards.texts import OVERVIEW, STALE, TITLES, Language, Text, name, shown_as
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.metric import metric
from schemas.registry import SYSTEMS

MOST = 6
"""So many headline figures fit on a tile."""
TILE = (6, 6)
SPARK = (6, 3)


def overview(language: Language) -> Board:
    """The overview in a language; 1920 × 1080 shows it whole: 27 rows of Grafana's grid."""
    about = Text(
        "Tám hệ thống trên một màn hình, độ mới của số liệu và các cảnh báo đang diễn ra.",
        "Eight systems on one screen, how fresh the data is, and the alarms going on.",
    )
    board = Board("overview", OVERVIEW, about, language, refresh="15s")
    board.dashboard.time("now-24h", "now").variables([variables.unit(board)]).annotations([marks.alarms(board)])
    origin(board, (18, 2))
    last_update(board, (6, 2))
    slugs = list(SYSTEMS)
    for line in (slugs[:4], slugs[4:]):
        for slug in line:
            _tile(board, slug)
        for slug in line:
            _spark(board, slug)
    lists.alarms(board, (14, 7))
    _freshness(board)
    return board


def _headline(slug: str) -> list[Indicator]:
    return [i for i in CATALOGUE.values() if i.system == slug and i.headline][:MOST]


def _tile(board: Board, slug: str) -> None:
    """A system's headline figures of now, each in its colour, leading to its dashboard."""
    panel = stat.Panel().graph_mode(options.BigValueGraphMode.NONE).color_mode(options.BigValueColorMode.VALUE)
    panel.text_mode(options.BigValueTextMode.VALUE_AND_NAME).orientation(options.VizOrientation.AUTO)
    last(panel)
    headline = _headline(slug)
    board.apply_style(panel, ValueStyle())
    opened = board.data_link(Text("Mở hệ thống", "Open the system"), board.url(slug))
    queries: list[Query] = []
    for indicator in headline:
        figure = shown_as(indicator, f"{metric(indicator)}{{{HERE},{own(indicator)}}}")
        given, free = [*board.properties(style_of(indicator), name(indicator)), opened], REFS[len(queries) :]
        if indicator.settable:
            queries += by_verdict(panel, indicator, figure, free[:3], *given)
        else:
            panel.override_by_query(free[0], given)
            queries.append(now(figure, free[0]))
    panel.links([board.link(TITLES[slug], board.url(slug))])
    meanings = [board.meaning(i) for i in headline]
    what = Text("\n\n".join(m.vi for m in meanings), "\n\n".join(m.en for m in meanings))
    board.add(f"tile/{slug}", panel, TITLES[slug], what, TILE, queries)


def _spark(board: Board, slug: str) -> None:
    """The course of a system's first figure."""
    first = _headline(slug)[0]
    panel = timeseries.Panel().fill_opacity(15).line_width(1).axis_placement(options.AxisPlacement.HIDDEN)
    panel.legend(common.VizLegendOptions().show_legend(False)).show_points(options.VisibilityMode.NEVER)
    board.apply_style(panel, style_of(first))
    panel.override_by_query("A", [Property("color", {"mode": "fixed", "fixedColor": GOOD})])
    query = course(shown_as(first, f"{metric(first)}{{{HERE},{own(first)}}}"), legend=board.say(name(first)))
    board.add(f"spark/{slug}", panel, name(first), board.meaning(first), SPARK, [query])


def _freshness(board: Board) -> None:
    """When each system was heard of last, and whether one of its sources is silent."""
    panel = table.Panel().cell_height(options.TableCellHeight.SM)
    url = board.url("${__data.fields.slug}")
    opened = board.data_link(Text("Mở hệ thống", "Open the system"), url)
    board.column(panel, "system", Text("Hệ thống", "System"), opened, how=ValueStyle(words=TITLES))
    panel.override_by_name("slug", [Property("custom.hidden", True)])
    board.column(panel, "Value #A", Text("Ghi nhận lần cuối", "Last recorded"), how=ValueStyle(CLOCK))
    board.column(panel, "Value #B", Text("Nguồn", "Sources"), COLOURED, how=switch(STALE, "0"))
    panel.transformations(tidy("Time", order=("system", "Value #A", "Value #B", "slug")))
    title = Text("Độ mới của số liệu", "Freshness of the data")
    what = Text(
        "Lúc mỗi hệ thống có sự kiện được ghi nhận gần nhất; có nguồn nào im lặng lâu hơn nhịp của nó không.",
        "When an event of each system was last recorded; whether a source is silent for longer than its rhythm.",
    )
    recorded = "max by (system) (ioc_source_last_recorded_timestamp_seconds) * 1000"
    queries = [
        rows(f'label_replace({expr}, "slug", "$1", "system", "(.+)")', ref)
        for ref, expr in (("A", recorded), ("B", "max by (system) (ioc_source_stale)"))
    ]
    board.add("freshness", panel, title, what, (10, 7), queries)
