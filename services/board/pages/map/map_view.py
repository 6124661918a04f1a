"""The map: what is asked for in the address, the page around the drawing, and the answers that feed the drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args
from urllib.parse import quote

from schemas import units
from schemas.codes import masked
from schemas.field import Category
from schemas.gis import Layer
from schemas.indicators import Indicator
from schemas.indicators.label_texts import label_text
from schemas.offices import number_of
from schemas.text import collation
from schemas.text.dates import day_and_time
from services.board.access import Account, coarse
from services.board.pages.map import choropleth
from services.board.pages.map.map_query import (
    HIDDEN_LAYERS,
    NEAREST,
    Bounds,
    Cluster,
    Kind,
    MapFilter,
    MapItem,
    chosen,
    clusters,
    within,
)
from services.board.pages.map.overlays import Folder, section
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.redaction import count_for
from services.board.ui.words import Language, ago, capital, count, unit_name

DAYS_BACK = 30
ROWS = 100
IN_CARD = 8
SIGNS: dict[str, str] = {
    "unit": "ĐV", "one_stop": "MC", "school": "TH", "clinic": "YT", "police": "CA", "camera": "Cam",
    "loudspeaker": "Loa", "wifi": "Wi", "sensor": "Qt", "market": "Ch", "park": "Cv", "heritage": "DT", "other": "•",
}  # fmt: skip
"""What stands in a feature's mark: layers are told apart without colours."""
STATUSES = ("received", "verified", "routed", "accepted", "reopened")


def filter_of(
    params: Mapping[str, str], layers: Iterable[str], account: Account, now: datetime, as_of: datetime | None = None
) -> MapFilter:
    """What an address asks for; what it should not say is passed over. Passers-by choose layers alone: by comparing
    finer choices one could single out a report."""
    known = frozenset(layers) & {"reports", *get_args(Layer)}
    if account.role == "public":
        return MapFilter(known)
    hours = params.get("ago", "0")
    back = min(int(hours), DAYS_BACK * 24) if hours.isdecimal() and len(hours) < 5 else 0
    unit = params.get("unit", "")
    return MapFilter(
        layers=known,
        category=_one_of(params.get("category"), get_args(Category)),
        status=_one_of(params.get("status"), STATUSES),
        overdue=params.get("overdue") == "1",
        unit=_one_of(unit, {u.code for u in units.every()}) if account.sees(unit) or not account.units else "",
        at=now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=back - 1) if back else as_of,
    )


def _one_of(value: str | None, allowed: Iterable[str]) -> str:
    return value if value and value in allowed else ""


def bounds_of(params: Mapping[str, str]) -> Bounds | None:
    """The part of the map in view, if the address tells it."""
    try:
        return Bounds(*(float(params[side]) for side in ("w", "s", "e", "n")))
    except (KeyError, ValueError):
        return None


def zoom_of(params: Mapping[str, str]) -> int:
    """The zoom in view."""
    zoom_text = params.get("z", "")
    return min(max(int(zoom_text), 0), NEAREST) if zoom_text.isdecimal() and len(zoom_text) < 3 else 10


def answer(
    context: PageContext,
    items: Sequence[MapItem],
    map_filter: MapFilter,
    params: Mapping[str, str],
    now: datetime,
    unread: int = 0,
) -> dict[str, Any]:
    """What the drawing needs: marks in view, the box around all, and, where asked for, the list and what it tells.
    `unread`: how many more stand there than are given as `spots`."""
    moment, public = map_filter.at or now, context.account.role == "public"
    found = list(chosen(items, map_filter, context.account, moment))
    zoom, seen = zoom_of(params), bounds_of(params)
    gathered = clusters(found, zoom, moment, public)
    zoom_text: dict[str, Any] = {
        "live": map_filter.at is None,
        "marks": [_mark(context, c, zoom, moment) for c in gathered if seen is None or within(c, seen)],
        "box": _box(gathered),
    }
    if params.get("list"):
        zoom_text |= {
            "said": _summary(context, found, map_filter, moment, unread),
            "list": list_items(context, found, moment),
        }
    return zoom_text


def _box(gathered: Iterable[Cluster]) -> Sequence[float] | None:
    """West, south, east, north of nearly all: what lies far away does not make the rest small."""
    places = [(c.longitude, c.latitude) for c in gathered]
    if not places:
        return None
    (west, east), (south, north) = (_most(sorted(axis)) for axis in zip(*places, strict=True))
    return [round(d, 3) for d in (west, south, east, north)]


def _most(values: list[float]) -> tuple[float, float]:
    cut = len(values) // 50
    return values[cut], values[-1 - cut]


def _mark(context: PageContext, cluster: Cluster, zoom: int, moment: datetime) -> list[Any]:
    """[kind, latitude, longitude, number, overdue, what stands in it, what it is called, its card or nothing]."""
    kind, latitude, longitude, count, overdue, items = cluster
    alone = items[0] if count == 1 and items else None
    if alone is None:
        sign, name = str(count), context.word(f"map_{kind}s_n").format(count)
        name += f", {context.word('map_overdue_n').format(overdue)}" if overdue else ""
    else:
        sign, name = SIGNS[alone.group] if kind == "feature" else "", _called(alone, context.language)
    card = cards(context, items, moment) if alone or (zoom >= NEAREST and items) else ""
    return [kind, round(latitude, 6), round(longitude, 6), count, overdue, sign, name, card]


def _called(item: MapItem, language: Language) -> str:
    if item.kind == "report":
        return _group("category", item.group, language)
    return item.name or _group("layer", item.group, language)


def _group(label: str, value: str, language: Language) -> str:
    """A category or a layer as the head of a line."""
    return capital(label_text(label, value, language))


def cards(context: PageContext, items: Sequence[MapItem], moment: datetime) -> Html:
    """What is told of the spots under a mark."""
    rest = len(items) - IN_CARD
    more = [tag("p", context.word("and_more").format(rest), class_="small")] if rest > 0 else []
    return Html("".join([*(_card(context, s, moment) for s in items[:IN_CARD]), *more]))


def _card(context: PageContext, item: MapItem, moment: datetime) -> Html:
    rows = [
        (context.word("unit"), unit_name(item.unit, context.language)),
        (context.word("map_since"), day_and_time(item.since)),
    ]
    if item.kind == "feature":
        rows = [(context.word("map_layer"), _group("layer", item.group, context.language)), *rows]
        return tag("section", tag("h3", _called(item, context.language)), _pairs(rows))
    rows = [
        (context.word("map_status"), context.word(f"report_{item.status}")),
        *rows,
        (context.word("map_due"), _due(context, item, moment)),
        (context.word("id"), masked(item.id)),
    ]
    way = link(f"/worklist/report/{quote(item.id)}", context.word("map_to_case"))
    return tag("section", tag("h3", _called(item, context.language)), _pairs(rows), tag("p", way))


def _pairs(rows: Iterable[tuple[str, object]]) -> Html:
    return tag("dl", *(Html(tag("dt", name) + tag("dd", value)) for name, value in rows))


def _due(context: PageContext, item: MapItem, moment: datetime) -> Html:
    if item.due is None:
        return Html("")
    late = item.overdue(moment)
    said = f"▲ {day_and_time(item.due)} ({context.word('map_overdue')})" if late else day_and_time(item.due)
    return tag("span", said, class_="state-bad" if late else None)


def _summary(
    context: PageContext, items: Sequence[MapItem], map_filter: MapFilter, moment: datetime, unread: int
) -> str:
    """One line: the moment, how many of each, how many reports have no place, and how many more there are."""
    reports = [s for s in items if s.kind == "report"]
    when = context.word("map_now") if map_filter.at is None else context.word("map_then").format(day_and_time(moment))
    parts = [when, context.word("map_reports_n").format(count_for(context.account, len(reports), context.language))]
    if context.account.role != "public":
        parts.append(
            context.word("map_overdue_n").format(count(sum(s.overdue(moment) for s in reports), context.language))
        )
        if nowhere := sum(s.latitude is None for s in reports):
            parts.append(context.word("map_nowhere_n").format(count(nowhere, context.language)))
    parts.append(context.word("map_features_n").format(count(len(items) - len(reports), context.language)))
    if unread:
        parts.append(context.word("map_unread_n").format(count_for(context.account, unread, context.language)))
    return " · ".join(parts)


def list_items(context: PageContext, items: Sequence[MapItem], moment: datetime) -> Html:
    """The same as the drawing as a table; for passers-by, counts by category and layer."""
    if context.account.role == "public":
        return _counts(context, items)
    heads = [context.word(w) for w in ("map_what", "unit", "map_status", "map_since", "map_due", "id")]
    ordered = sorted(items, key=lambda s: (s.kind != "report", not s.overdue(moment), s.due or s.since, s.id))
    more = [tag("p", context.word("and_more").format(len(items) - ROWS), class_="small")] if len(items) > ROWS else []
    return Html(table(heads, (_row(context, s, moment) for s in ordered[:ROWS])) + "".join(more))


def _row(context: PageContext, item: MapItem, moment: datetime) -> list[object]:
    called, report = _called(item, context.language), item.kind == "report"
    kind = context.word("map_report") if report else _group("layer", item.group, context.language)
    status = context.word(f"report_{item.status}") if report else ""
    since = tag("span", ago(item.since, moment, context.language), title=day_and_time(item.since))
    code = masked(item.id) if report else number_of(item.id)
    return [
        f"{kind}: {called}",
        unit_name(item.unit, context.language),
        status,
        since,
        _due(context, item, moment),
        code,
    ]


def _counts(context: PageContext, items: Sequence[MapItem]) -> Html:
    """How many of each, of reports by coarse counts: in their order too, and a category with few is not named."""
    counted: list[tuple[Kind, str, int]] = [
        (kind, group, zoom_text)
        for (kind, group), number in Counter((s.kind, s.group) for s in items).items()
        if (zoom_text := coarse(number) if kind == "report" else number)
    ]
    counted.sort(key=lambda each: (each[0] != "report", -each[2], each[1]))
    names = {"report": "category", "feature": "layer"}
    rows = ([_group(names[kind], group, context.language), count(n, context.language)] for kind, group, n in counted)
    return table([context.word("map_what"), context.word("map_count")], rows, (1,))


def page(context: PageContext, map_filter: MapFilter, figure: Indicator | None, folder: Folder) -> Html:
    """The page around the drawing, which the script fills. `figure`: what the units are coloured by."""
    buttons = (("in", "+", "map_in"), ("out", "−", "map_out"), ("all", "⤢", "map_all"))
    drawing = tag(
        "div",
        tag("div", *(_button(context, *b) for b in buttons), class_="map-buttons"),
        tag("div", class_="map-card", tabindex="-1", role="region", aria_label=context.word("map_card"), hidden=""),
        id="map",
        class_="map",
        data_label=context.word("map_label"),
        data_close=context.word("close"),
    )
    keys = tag("p", context.word("map_keys"), class_="small")
    return tag(
        "main",
        tag(
            "div",
            tag("h1", context.word("map")),
            tag("p", class_="small", id="map-said", role="status"),
            class_="title",
        ),
        _form(context, map_filter, figure),
        tag("section", drawing, tag("p", id="map-legend", role="status"), keys, class_="panel wide"),
        tag("section", tag("h2", context.word("map_list")), tag("div", id="map-list"), class_="panel wide"),
        section(context, folder) if context.account.name else Html(""),
        class_="page",
    )


def _button(context: PageContext, do: str, sign: str, name: str) -> Html:
    return tag("button", sign, type="button", data_map=do, aria_label=context.word(name))


def _form(context: PageContext, map_filter: MapFilter, figure: Indicator | None) -> Html:
    public = context.account.role == "public"
    layers = ["reports", *(layer for layer in get_args(Layer) if not (public and layer in HIDDEN_LAYERS))]
    boxes = [_box_of(context, layer, not map_filter.layers or layer in map_filter.layers) for layer in layers]
    parts = [
        tag("details", tag("summary", context.word("map_layers")), tag("fieldset", *boxes), class_="layers"),
        *choropleth.choice(context, figure),
    ]
    if not public:
        categories = {value: _group("category", value, context.language) for value in get_args(Category)}
        statuses = {value: context.word(f"report_{value}") for value in STATUSES}
        parts += [
            _select(context, "category", "map_category", categories, map_filter.category),
            _select(context, "status", "map_status", statuses, map_filter.status),
            _select(context, "unit", "unit", _units(context), map_filter.unit),
            tag("label", _input("checkbox", "overdue", "1", map_filter.overdue), " ", context.word("map_only_overdue")),
            _slider(context),
        ]
    lang = tag("input", type="hidden", name="lang", value=context.language)
    without_script = tag("noscript", tag("p", context.word("needs_script")))
    return tag("form", *parts, lang, without_script, id="map-form", class_="filters wide")


def _box_of(context: PageContext, layer: str, on: bool) -> Html:
    sign = tag("b", SIGNS.get(layer, "●"), aria_hidden="true", class_="sign report" if layer == "reports" else "sign")
    name = context.word("map_reports") if layer == "reports" else _group("layer", layer, context.language)
    return tag("label", _input("checkbox", "layer", layer, on), " ", sign, " ", name)


def _input(kind: str, name: str, value: str, on: bool) -> Html:
    return tag("input", type=kind, name=name, value=value, checked="" if on else None)


def _select(context: PageContext, name: str, label: str, options: Mapping[str, str], now: str) -> Html:
    every = {"": context.word("map_any"), **options}
    shown = (tag("option", text, value=v, selected="" if v == now else None) for v, text in every.items())
    return tag("label", context.word(label), tag("select", *shown, name=name))


def _units(context: PageContext) -> dict[str, str]:
    """The units that exist today and that the account may know the cases of."""
    today = (u for u in units.every() if u.valid_to is None and context.account.sees(u.code))
    names = {u.code: unit_name(u.code, context.language) for u in today if u.level != "department"}
    return dict(sorted(names.items(), key=lambda pair: collation.key(pair[1])))


def _slider(context: PageContext) -> Html:
    what = {"type": "range", "name": "ago", "min": 0, "max": DAYS_BACK * 24, "value": 0, "class_": "back"}
    zoom_text = tag("output", context.word("map_now"), id="map-moment")
    hint = tag("span", context.word("map_slider_means"), class_="small")
    return tag("label", context.word("map_slider"), " ", zoom_text, tag("input", **what), hint, class_="slider")
