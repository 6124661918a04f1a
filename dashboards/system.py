"""One function for the dashboards of all eight systems, from the catalogue, and a table of what each has besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.models import common as options

from dashboards import lists, marks, pieces, variables
from dashboards import sql as figures
from dashboards.panels import (
    BAD,
    CLOCK,
    GOOD,
    Board,
    Property,
    ValueStyle,
    class_words,
    now,
    rows,
    sql,
    style_of,
    switch,
    tidy,
)
from dashboards.pieces import COLOURED, EACH, HERE, OWN, REFS, aimed, chosen, own, verdict
from dashboards.texts import (
    AIM,
    CLASS_TITLES,
    HOURS,
    REACHED,
    STALE,
    TITLES,
    WORKING_DAYS,
    Language,
    Text,
    Words,
    clock_of,
    name,
    shown_as,
)
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.formula import Ratio, Score, Statement, leaves
from schemas.indicators.label_texts import CHANNELS_OF_SOURCES, source_name
from schemas.indicators.metric import WINDOWS, class_metric, metric, periods

EXTRAS: dict[str, tuple[Callable[[Board], None], ...]] = {
    "procedures": (lists.overdue_dossiers, lists.due_dossiers),
    "gis": (lists.features_map, lists.features),
    "field": (lists.reports_map, lists.reports),
}
"""What a system's dashboard has besides what the catalogue says."""

LISTED = {"dossiers_open_overdue": "overdue", "dossiers_due_today": "due", "reports_overdue": "reports"}
"""Figures that open to a list on their dashboard."""

GROUPS: tuple[tuple[str, Text, Callable[[Indicator], bool], ValueStyle], ...] = (
    ("shares", Text("Các tỷ lệ", "Shares"), lambda i: i.unit == "%", ValueStyle("percentunit", 2)),
    (
        "counts",
        Text("Số lượng", "Counts"),
        lambda i: i.unit not in ("%", "VND", "minute", "yes/no") and not isinstance(i.formula, Score),
        ValueStyle(decimals=0),
    ),
    ("points", Text("Điểm", "Points"), lambda i: isinstance(i.formula, Score), ValueStyle(decimals=2)),
    ("money", Text("Số tiền (đ)", "Money (VND)"), lambda i: i.unit == "VND", ValueStyle(decimals=0)),
    (
        "working_days",
        Text("Thời gian làm việc", "Working time"),
        lambda i: clock_of(i) == WORKING_DAYS,
        ValueStyle(decimals=1),
    ),
    ("hours", Text("Thời gian", "Times"), lambda i: clock_of(i) == HOURS, ValueStyle(decimals=1)),
    ("goals", Text("Đạt mục tiêu", "Targets reached"), lambda i: i.unit == "yes/no", switch(REACHED, "1")),
)
"""The catalogue in tables, one for each unit of measurement: a column has one."""


def system(slug: str, language: Language) -> Board:
    """The dashboard of a system in a language."""
    members = [i for i in CATALOGUE.values() if i.system == slug]
    headline = [i for i in members if i.headline]
    title = TITLES[slug]
    about = Text(
        f"{title.vi}: số liệu hiện nay, so sánh kỳ, diễn biến, xếp hạng đơn vị, danh sách.",
        f"{title.en}: figures now, comparison of periods, course, ranking of units, lists.",
    )
    board = Board(slug, title, about, language)
    board.dashboard.time("now-29d/d", "now")
    board.dashboard.variables(
        [variables.unit(board), *variables.period(board, members), variables.compare(board)]
    ).annotations([marks.alarms(board), *marks.findings(board)])
    which = f'{{system="{slug}"}}'
    pieces.origin(board, (8, 4), which)
    pieces.last_update(board, (4, 4), which)
    _sources(board)
    for place, indicator in enumerate(headline):
        _now(board, indicator, _width(place, len(headline)))
    for indicator in headline:
        _comparison(board, indicator)
        _history(board, indicator)
    _units(board, headline)
    _ranking(board, next((i for i in headline if i.target is not None), headline[0]))
    for indicator in (i for i in members if i.classes):
        _classes(board, indicator)
    for extra in EXTRAS.get(slug, ()):
        extra(board)
    for key, words, belongs, how in GROUPS:
        if group := [i for i in members if belongs(i)]:
            _catalogue(board, key, words, group, how)
    return board


def _width(place: int, count: int) -> int:
    """Lines of at most four, each filled: 3 -> 8 8 8, 5 -> 8 8 8 12 12, 8 -> 6 … 6."""
    lines = -(-count // 4)
    longer, least = count % lines, count // lines
    in_long_lines = longer * (least + 1)
    return 24 // (least + 1 if place < in_long_lines else least)


def _sources(board: Board) -> None:
    """Each source of the system: when it last spoke, and whether that is too long ago."""
    panel = table.Panel().cell_height(options.TableCellHeight.SM)
    board.column(panel, "source", Text("Nguồn", "Source"), how=ValueStyle(words=_source_words(board.slug)))
    board.column(panel, "Value #A", Text("Ghi nhận lần cuối", "Last recorded"), how=ValueStyle(CLOCK))
    board.column(panel, "Value #B", Text("Nhịp gửi", "Rhythm"), COLOURED, how=switch(STALE, "0"))
    panel.transformations(tidy("Time", order=("source", "Value #A", "Value #B")))
    which = f'{{system="{board.slug}"}}'
    title = Text("Độ mới của từng nguồn", "Freshness of each source")
    what = Text(
        "Lúc nguồn gửi lần cuối; im lặng quá lâu: hơn mức nhịp của nguồn cho phép (theo giờ làm việc nếu cần).",
        "When a source last sent; silent too long: longer than its rhythm allows (in working time where needed).",
    )
    recorded = f"max by (source) (ioc_source_last_recorded_timestamp_seconds{which}) * 1000"
    stale = f"max by (source) (ioc_source_stale{which})"
    board.add("sources", panel, title, what, (12, 4), [rows(recorded), rows(stale, "B")])


def _source_words(slug: str) -> Words:
    """What the sources that our own programs make are called; another is called by its path."""
    steps = (f"/simulator/{slug}/{step}" for step in CHANNELS_OF_SOURCES)
    named = ("/deadlines", "/board", f"/scenario/november-2024/{slug}", *steps)
    return {source: Text(source_name(source, "vi"), source_name(source, "en")) for source in named}


def _now(board: Board, indicator: Indicator, width: int) -> None:
    """A headline figure of now, or of the chosen period."""
    panel = stat.Panel().graph_mode(options.BigValueGraphMode.NONE)
    panel.text_mode(options.BigValueTextMode.VALUE_AND_NAME)
    pieces.last(panel)
    board.apply_style(panel, style_of(indicator))
    board.name_series(panel, {window: Text(*WINDOWS[window]) for window in periods(indicator)})
    if key := LISTED.get(indicator.code):
        panel.links([board.link(Text("Danh sách", "List"), board.url(board.slug, view=key))])
    figure = chosen(indicator, metric(indicator), HERE)
    queries = [now(figure, legend="{{period}}")]
    if indicator.settable:
        queries = pieces.by_verdict(panel, indicator, figure, "ABC")
    board.add(f"now/{indicator.code}", panel, name(indicator), board.meaning(indicator), (width, 4), queries)


def _comparison(board: Board, indicator: Indicator) -> None:
    """The dashboard's time range beside the period that it is compared with."""
    panel = stat.Panel().graph_mode(options.BigValueGraphMode.NONE).orientation(options.VizOrientation.HORIZONTAL)
    panel.text_mode(options.BigValueTextMode.VALUE_AND_NAME)
    pieces.last(panel)
    board.apply_style(panel, style_of(indicator))
    for ref, words in (("A", Text("kỳ đang xem", "this range")), ("B", Text("kỳ so sánh", "compared"))):
        panel.override_by_query(ref, [Property("displayName", board.say(words))])
    if indicator.settable:
        panel.override_by_query("C", [Property("displayName", board.say(AIM))])
    called = name(indicator)
    title = Text(f"{called.vi}: so sánh", f"{called.en}: compared")
    more = Text(
        "Khoảng thời gian đang xem, và kỳ so sánh đã chọn; tính theo ngày tròn, hôm nay đến lúc này.",
        "The range on display and the period chosen to compare with, in whole days, today up to now.",
    )
    queries = [sql(figures.total(indicator)), sql(figures.before(indicator), "B")]
    queries += [sql(figures.aim(indicator), "C")] if indicator.settable else []
    board.add(f"compare/{indicator.code}", panel, title, board.meaning(indicator, more), (4, 6), queries)


def _history(board: Board, indicator: Indicator) -> None:
    """Day by day: bars for what adds up, a line for levels and shares."""
    leaf_kinds = {type(leaf) for leaf in leaves(indicator.formula)}
    adds_up = periods(indicator)[0] == "month" and not isinstance(indicator.formula, Ratio)
    style = options.GraphDrawStyle.BARS if adds_up else options.GraphDrawStyle.LINE
    panel = timeseries.Panel().draw_style(style).fill_opacity(60 if adds_up else 5).line_width(1 if adds_up else 2)
    panel.line_interpolation(
        options.LineInterpolation.STEP_AFTER if Statement in leaf_kinds else options.LineInterpolation.LINEAR
    )
    panel.legend(common.VizLegendOptions().show_legend(False)).show_points(options.VisibilityMode.AUTO)
    board.apply_style(panel, style_of(indicator))
    panel.override_by_name("value", [Property("color", {"mode": "fixed", "fixedColor": GOOD})])
    if indicator.settable:
        dashed = {"fill": "dash", "dash": [6, 6]}
        line = (("drawStyle", "line"), ("lineStyle", dashed), ("lineInterpolation", "stepAfter"), ("fillOpacity", 0))
        drawn = [Property(f"custom.{name}", value) for name, value in line]
        colour = Property("color", {"mode": "fixed", "fixedColor": BAD})
        panel.override_by_name("aim", [Property("displayName", board.say(AIM)), colour, *drawn])
    panel.override_by_name("value", [Property("displayName", board.say(name(indicator)))])
    called = name(indicator)
    title = Text(f"{called.vi}: theo ngày", f"{called.en}: by day")
    more = Text(
        "Mỗi điểm là một ngày; ngày không có số liệu để trống.", "Each point is a day; a day without data is a gap."
    )
    queries = [sql(figures.history(indicator), form="time_series")]
    queries += [sql(figures.aim_by_day(indicator), "B", "time_series")] if indicator.settable else []
    board.add(f"history/{indicator.code}", panel, title, board.meaning(indicator, more), (8, 6), queries)


def _units(board: Board, headline: Sequence[Indicator]) -> None:
    """The headline figures of every unit, side by side."""
    panel = table.Panel().filterable(True).cell_height(options.TableCellHeight.SM)
    label = f"name_{board.language}"
    board.column(
        panel, label, Text("Đơn vị", "Unit"), board.data_link(_OPEN, board.url(board.slug, "${__data.fields.unit}"))
    )
    panel.override_by_name("unit", [Property("custom.hidden", True)])
    for ref, indicator in zip(REFS, headline, strict=False):
        board.column(panel, f"Value #{ref}", name(indicator), how=style_of(indicator))
    panel.transformations(tidy("Time", order=(label, *(f"Value #{ref}" for ref in REFS[: len(headline)]), "unit")))
    queries = [
        rows(
            f"max by (unit, {label}) "
            f"({shown_as(i, f'{metric(i)}{{{EACH},{own(i)}}}')} * on (unit) group_left ({label}) ioc_unit_info)",
            ref,
        )
        for ref, i in zip(REFS, headline, strict=False)
    ]
    title = Text("Các đơn vị hiện nay", "All units now")
    what = Text(
        "Các số liệu chính của từng đơn vị; bấm tên đơn vị để xem riêng, với mục tiêu của đơn vị đó.",
        "The headline figures of every unit; its name opens it alone, with the targets that it has.",
    )
    board.add("units", panel, title, what, (16, 12), queries)


_OPEN = Text("Xem đơn vị này", "Open this unit")


def _ranking(board: Board, indicator: Indicator) -> None:
    """The units below the chosen one, the worst first, over the dashboard's time range."""
    panel = table.Panel().cell_height(options.TableCellHeight.SM)
    url = board.url(board.slug, "${__data.fields.unit}")
    board.column(panel, "name", Text("Đơn vị", "Unit"), board.data_link(_OPEN, url))
    panel.override_by_name("unit", [Property("custom.hidden", True)])
    bar = Property("custom.cellOptions", {"type": "gauge", "mode": "basic"})
    board.column(panel, "value", name(indicator), bar, how=style_of(indicator))
    title = Text(f"Xếp hạng đơn vị: {indicator.vi}", f"Units ranked: {indicator.en}")
    more = Text(
        "Các đơn vị trực thuộc đơn vị đã chọn, kém nhất trước, trong khoảng thời gian đang xem.",
        "The units below the chosen one, the worst first, over the range on display.",
    )
    query = sql(figures.ranked(indicator, board.language))
    board.add("ranking", panel, title, board.meaning(indicator, more), (8, 12), [query])


def _classes(board: Board, indicator: Indicator) -> None:
    """A figure of the whole locality by its classes."""
    label = indicator.classes
    panel = (
        bargauge.Panel().orientation(options.VizOrientation.HORIZONTAL).display_mode(options.BarGaugeDisplayMode.BASIC)
    )
    pieces.last(panel)
    board.apply_style(panel, ValueStyle(decimals=indicator.decimals, steps=((None, GOOD),)))
    board.name_series(panel, class_words(label))
    expr = f"sort_desc(sum by ({label}) ({chosen(indicator, class_metric(indicator))}))"
    by = CLASS_TITLES[label]
    called = name(indicator)
    title = Text(f"{called.vi} {by.vi}", f"{called.en} {by.en}")
    more = Text("Toàn địa bàn, không theo đơn vị đã chọn.", "Of the whole locality, whatever the chosen unit.")
    query = now(expr, legend=f"{{{{{label}}}}}")
    board.add(f"by/{indicator.code}", panel, title, board.meaning(indicator, more), (12, 8), [query])


def _catalogue(board: Board, key: str, words: Text, group: Sequence[Indicator], how: ValueStyle) -> None:
    """All figures of one kind: value, target, and whether it is reached. A new indicator appears by itself."""
    goals = [i for i in group if i.settable]
    panel = table.Panel().filterable(True).cell_height(options.TableCellHeight.SM)
    board.column(
        panel, "indicator", Text("Chỉ số", "Indicator"), how=ValueStyle(words={metric(i): name(i) for i in group})
    )
    value = [Property("displayName", board.say(Text("Giá trị", "Value"))), *board.properties(how)]
    panel.override_by_regexp("/^Value( #A)?$/", value)
    queries = [rows(f"sum by (indicator) ({_all_of(group)})")]
    if goals:
        board.column(panel, "Value #B", AIM, how=how)
        board.column(panel, "Value #C", Text("Kết quả", "Result"), COLOURED, how=switch(REACHED, "1"))
        queries.append(rows(" or ".join(map(_aim, goals)), "B"))
        queries.append(rows(" or ".join(map(_reached, goals)), "C"))
    panel.transformations(tidy("Time", order=("indicator", "Value", "Value #A", "Value #B", "Value #C")))
    what = Text(
        f"Mọi chỉ số loại này ({len(group)}) của đơn vị đã chọn, hiện tại hoặc từ đầu tháng; chưa có số liệu thì vắng.",
        f"All figures of this kind ({len(group)}) of the chosen unit, now or this month so far; one without is absent.",
    )
    height = min(4 + len(group), 16)
    board.add(f"all/{key}", panel, words, what, (12, height), queries)


def _all_of(group: Sequence[Indicator]) -> str:
    names = "|".join(metric(i) for i in group)
    found = f'label_replace({{__name__=~"{names}",{HERE},{OWN}}}, "indicator", "$1", "__name__", "(.+)")'
    return shown_as(group[0], found)


def _aim(indicator: Indicator) -> str:
    """The target in force, as its figure is shown."""
    return _named(indicator, shown_as(indicator, aimed(indicator)))


def _reached(indicator: Indicator) -> str:
    """1 where the printed value reaches the target in force, else 0."""
    figure = shown_as(indicator, f"{metric(indicator)}{{{HERE},{own(indicator)}}}")
    return _named(indicator, verdict(indicator, figure, True, "bool"))


def _named(indicator: Indicator, expression: str) -> str:
    return f'sum by (indicator) (label_replace({expression}, "indicator", "{metric(indicator)}", "", ""))'
