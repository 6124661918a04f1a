"""What dashboards are put together from: queries, the looks of figures, and a board that places and names panels."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from grafana_foundation_sdk.builders import bargauge, geomap, prometheus, stat, table, text, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.texts import CLASSES, LANGUAGE_LINK, NO_DATA, OVERVIEW, REACHED, Language, Text, Words, aim, clock_of
from schemas.indicators.formula import describe
from schemas.indicators.indicator import Indicator
from schemas.indicators.metric import WINDOWS, periods, scale

PROMETHEUS = model.DataSourceRef("prometheus", "ioc-prometheus")
TIMESCALEDB = model.DataSourceRef("grafana-postgresql-datasource", "ioc-timescaledb")
GOOD, BAD, PLAIN = "blue", "orange", "text"
"""Told apart by colour-blind people too; where it matters a word says the same."""
WIDTH = 24
CLOCK = "time:HH:mm DD/MM/YYYY"

Panel: TypeAlias = stat.Panel | table.Panel | timeseries.Panel | bargauge.Panel | geomap.Panel | text.Panel
Query: TypeAlias = builder.Builder[variants.Dataquery]
Json: TypeAlias = dict[str, object]
Property = model.DynamicConfigValue


class SqlQuery(variants.Dataquery):
    """A query of Grafana's PostgreSQL data source, for which the library has no model."""

    def __init__(self, sql: str, ref: str, form: str) -> None:
        self.sql, self.ref, self.form = sql, ref, form

    def to_json(self) -> Json:
        """As Grafana's own editor writes it."""
        return {
            "refId": self.ref,
            "datasource": TIMESCALEDB,
            "editorMode": "code",
            "format": self.form,
            "rawQuery": True,
            "rawSql": self.sql,
        }


class _Sql(builder.Builder[variants.Dataquery]):
    def __init__(self, query: SqlQuery) -> None:
        self.query = query

    def build(self) -> SqlQuery:
        return self.query


def sql(text: str, ref: str = "A", form: Literal["table", "time_series"] = "table") -> Query:
    """A query of TimescaleDB."""
    return _Sql(SqlQuery(text, ref, form))


def now(expr: str, ref: str = "A", legend: str = "") -> prometheus.Dataquery:
    """A query of Prometheus for this moment alone: a figure that has vanished is not shown as it was."""
    query = prometheus.Dataquery().expr(expr).ref_id(ref).instant().datasource(PROMETHEUS)
    return query.legend_format(legend) if legend else query


def rows(expr: str, ref: str = "A") -> prometheus.Dataquery:
    """A query of Prometheus for this moment, as a table with a column for each label."""
    return now(expr, ref).format(PromQueryFormat.TABLE)


def course(expr: str, ref: str = "A", legend: str = "") -> prometheus.Dataquery:
    """A query of Prometheus over the dashboard's time range."""
    return prometheus.Dataquery().expr(expr).ref_id(ref).range().datasource(PROMETHEUS).legend_format(legend)


@dataclass(frozen=True)
class ValueStyle:
    """How values are shown: unit of Grafana's, decimals, (from, colour) from the lowest up, words for some values."""

    unit: str = "locale"
    decimals: int | None = None
    steps: tuple[tuple[float | None, str], ...] = ((None, PLAIN),)
    words: Words = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)


def switch(words: Words, good: str) -> ValueStyle:
    """For 0 and 1 (or a few states), said in words; `good` is the value that needs no attention."""
    return ValueStyle(words=words, colours={value: GOOD if value == good else BAD for value in words})


def style_of(indicator: Indicator) -> ValueStyle:
    """A figure as the catalogue has it. Whether the target is reached is told by the printed value."""
    if indicator.unit == "yes/no":
        return switch(REACHED, "1")
    return ValueStyle("percentunit" if indicator.unit == "%" else "locale", indicator.decimals, _steps(indicator))


def edge(indicator: Indicator) -> Decimal:
    """In base units, the least value that is printed as the target (better higher), or as more than it (lower)."""
    assert indicator.target is not None
    half = Decimal("0.5").scaleb(-indicator.decimals)
    return (indicator.target + (half if indicator.better == "lower" else -half)) * scale(indicator)


def _steps(indicator: Indicator) -> tuple[tuple[float | None, str], ...]:
    if indicator.target is None:
        return ((None, PLAIN),)
    low, high = (GOOD, BAD) if indicator.better == "lower" else (BAD, GOOD)
    clock = clock_of(indicator)
    return ((None, low), (float(edge(indicator)) / (clock.length.total_seconds() if clock else 1), high))


def panel_id(key: str) -> int:
    """The same number for a panel in every generation and in both languages."""
    return zlib.crc32(key.encode()) % 1_000_000


class Board:
    """One dashboard in one language while it is put together: panels flow from left to right, line by line.

    `uid` is that of the Vietnamese one. `empty`: (uid, panel id) -> why a panel may rightly have no data.
    """

    def __init__(self, slug: str, title: Text, about: Text, language: Language, refresh: str = "1m") -> None:
        self.slug, self.language = slug, language
        self.uid = self.uid_of(slug)
        self.empty: dict[tuple[str, int], str] = {}
        self._x = self._y = self._height = 0
        made = Text("Tệp do `ioc generate` sinh ra, không sửa tay.", "Generated by `ioc generate`, not edited by hand.")
        self.dashboard = (
            build.Dashboard(title.said(language))
            .uid(self.uid)
            .description(f"{about.said(language)} {made.said(language)}")
            .tags(["ioc", language])
            .timezone("Asia/Ho_Chi_Minh")
            .week_start("monday")
            .refresh(refresh)
            .readonly()
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
        )
        self._links()

    def uid_of(self, slug: str, other: bool = False) -> str:
        """The uid of a dashboard in this language, or in the other."""
        english = (self.language == "en") != other
        return f"ioc-{slug}{'-en' if english else ''}"

    def say(self, words: Text) -> str:
        """The words in the board's language."""
        return words.said(self.language)

    def url(self, slug: str, unit: str = "${unit}", view: str = "") -> str:
        """A dashboard of the same language, for a unit, perhaps one panel of it alone.

        The time range is kept on the same dashboard; others open with their own: a day on the wall is no history.
        """
        range = "&${__url_time_range}" if slug == self.slug else ""
        alone = f"&viewPanel={panel_id(f'{slug}/{view}')}" if view else ""
        return f"/d/{self.uid_of(slug)}?var-unit={unit}{range}{alone}"

    def link(self, title: Text, url: str) -> build.DashboardLink:
        """A link in a panel's corner."""
        return build.DashboardLink(self.say(title)).type(model.DashboardLinkType.LINK).url(url)

    def data_link(self, title: Text, url: str) -> Property:
        """A link on the values of a field."""
        return Property("links", [{"title": self.say(title), "url": url}])

    def _links(self) -> None:
        menu = build.DashboardLink(self.say(Text("Các hệ thống", "Systems"))).type(model.DashboardLinkType.DASHBOARDS)
        other = self.link(LANGUAGE_LINK, f"/d/{self.uid_of(self.slug, other=True)}").include_vars(True).keep_time(True)
        self.dashboard.link(menu.tags(["ioc", self.language]).as_dropdown(True).include_vars(True))
        if self.slug != "overview":
            self.dashboard.link(self.link(OVERVIEW, f"/d/{self.uid_of('overview')}").include_vars(True))
        self.dashboard.link(other)

    # --- panels ---

    def add(
        self,
        key: str,
        panel: Panel,
        title: Text,
        what: Text,
        size: tuple[int, int],
        queries: Sequence[Query] = (),
        empty: Text | None = None,
    ) -> None:
        """Name a panel, give it its queries, and put it in the next free place. `size`: width (of 24) and height.

        `empty`: why it may rightly show nothing; the description says it too.
        """
        said = self.say(what)
        number = panel_id(f"{self.slug}/{key}")
        if empty:
            said += self.say(Text("\n\nCó thể trống: ", "\n\nMay be empty: ")) + self.say(empty)
            self.empty[self.uid, number] = self.say(empty)
        panel.id(number).title(self.say(title)).description(said).grid_pos(self._place(*size))
        for query in queries:
            panel.with_target(query)
        if queries:
            panel.datasource(TIMESCALEDB if isinstance(queries[0], _Sql) else PROMETHEUS)
            panel.no_value(self.say(NO_DATA))
        self.dashboard.with_panel(panel)

    def _place(self, width: int, height: int) -> model.GridPos:
        if self._x + width > WIDTH:
            self._x, self._y, self._height = 0, self._y + self._height, 0
        place = model.GridPos(h=height, w=width, x=self._x, y=self._y)
        self._x, self._height = self._x + width, max(self._height, height)
        return place

    def apply_style(self, panel: Panel, how: ValueStyle) -> None:
        """Give all of a panel's values this look."""
        panel.unit(how.unit).thresholds(_thresholds(how)).mappings(self._mappings(how))
        panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        if how.decimals is not None:
            panel.decimals(how.decimals)

    def properties(self, how: ValueStyle, title: Text | None = None) -> list[Property]:
        """The look (and a name) for some of a panel's values."""
        given = [Property("unit", how.unit), Property("thresholds", _thresholds(how).build())]
        given += [Property("decimals", how.decimals)] if how.decimals is not None else []
        given += [Property("mappings", self._mappings(how))] if how.words else []
        return given + ([Property("displayName", self.say(title))] if title else [])

    def name_series(self, panel: Panel, words: Words, colours: Mapping[str, str] | None = None) -> None:
        """Call series that bear a code by its words."""
        for code, called in words.items():
            given = [Property("displayName", self.say(called))]
            if colour := (colours or {}).get(code):
                given.append(Property("color", {"mode": "fixed", "fixedColor": colour}))
            panel.override_by_name(code, given)

    def column(
        self, panel: table.Panel, field: str, title: Text, *given: Property, how: ValueStyle | None = None
    ) -> None:
        """Name a column of a table, and say how it looks."""
        style = self.properties(how) if how else []
        panel.override_by_name(field, [Property("displayName", self.say(title)), *style, *given])

    def _mappings(self, how: ValueStyle) -> list[model.ValueMapping]:
        if not how.words:
            return []
        return [
            model.ValueMap(
                {
                    value: model.ValueMappingResult(text=self.say(words), color=how.colours.get(value), index=place)
                    for place, (value, words) in enumerate(how.words.items())
                }
            )
        ]

    def meaning(self, indicator: Indicator, more: Text | None = None) -> Text:
        """What a figure is: its name, formula, period and target."""
        period, target = WINDOWS[periods(indicator)[0]], aim(indicator)
        vi = [f"{indicator.vi} ({indicator.code}), {period[0]}.", f"Công thức: {describe(indicator.formula)}."]
        en = [f"{indicator.en} ({indicator.code}), {period[1]}.", f"Formula: {describe(indicator.formula)}."]
        if target.vi:
            vi.append(f"Mục tiêu: {target.vi}; cam: chưa đạt, xanh: đạt.")
            en.append(f"Target: {target.en}; orange: missed, blue: reached.")
        if more:
            vi.append(more.vi)
            en.append(more.en)
        return Text(" ".join(vi), " ".join(en))


def _thresholds(how: ValueStyle) -> build.ThresholdsConfig:
    steps = [model.Threshold(value=value, color=colour) for value, colour in how.steps]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def by_name() -> build.FieldColor:
    """A colour for each series."""
    return build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def tidy(*hidden: str, order: Iterable[str] = ()) -> list[model.DataTransformerConfig]:
    """Rows of several queries side by side, without the columns `hidden`, the others in an order."""
    organize = {"excludeByName": dict.fromkeys(hidden, True), "indexByName": {n: i for i, n in enumerate(order)}}
    return [
        model.DataTransformerConfig(id_val="merge", options={}),
        model.DataTransformerConfig(id_val="organize", options=organize),
    ]


def class_words(label: str) -> Words:
    """The values of a label by which figures are broken down."""
    return CLASSES[label]
