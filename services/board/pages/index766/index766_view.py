"""How the page of index 766 looks: points, what costs them, the shortest list, units, and the last days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal
from urllib.parse import quote, urlencode

from schemas import units
from schemas.codes import masked
from schemas.index766.rules import Component, ComponentGroup, Grade, flags
from schemas.index766.scoring import ComponentScore, GroupScore, IndexScore
from schemas.text.dates import day as written_day
from schemas.text.dates import day_and_time
from services.board.access import Action
from services.board.pages.index766.index766_data import DAYS, PATH, Choice, Course, Stand, may_see
from services.board.ui.charts import Step, bars
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import unreal
from services.board.ui.pagination import PAGE, ListQuery, pager
from services.board.ui.period_control import period_control
from services.board.ui.words import count, number, unit_name, why
from services.readings.forecast import Forecast
from services.readings.index766 import UnitIndex, total_of
from services.readings.index766_dossiers import CostlyDossiers, of_dossiers
from services.readings.whatif import Shortest

WORK = "/worklist"
ACTIONS: tuple[Action, ...] = ("assign",)


def render(context: PageContext, choice: Choice, shown: Stand) -> Html:
    """All but the course: where the unit stands, what gains most, the components weakest first, the units."""
    parts = [_head(context, choice, shown)]
    if shown.gains:
        parts.append(_gains(context, shown.gains))
    if shown.costly is not None:
        component = shown.own.score.rules.components[choice.component]
        parts.append(_costly(context, choice, component, shown.costly))
    rest = [_components(context, choice, shown.own)]
    if shown.below:
        rest.append(_units(context, choice, shown.below))
    return Html("".join([*parts, *(rest if choice.unit else reversed(rest))]))


def _panel(context: PageContext, name: str, *inside: object) -> Html:
    return tag("section", tag("h2", name), *inside, class_="panel wide", aria_label=name, tabindex=0)


def _head(context: PageContext, choice: Choice, shown: Stand) -> Html:
    score, language = shown.own.score, context.language
    verdict = _name(context, score.grade) if score.grade else _missing(context, shown.own)
    rank = context.word("index766_ranked").format(shown.own.rank, shown.peers) if shown.own.rank else ""
    open = [context.word("index766_open")] if choice.ongoing(shown.period.as_of) else []
    as_of = " · ".join([f"{context.word('as_of')} {day_and_time(shown.period.as_of)}", *open])
    name = unit_name(choice.unit or None, language)
    origin = unreal(context, shown.own.origins)
    return tag(
        "div",
        tag("h1", f"{context.word('index766')}: {name}"),
        tag("p", _points(context, score.points), tag("span", f" / {score.scored}", class_="small"), class_="huge")
        if score.scored
        else tag("p", "–", class_="huge"),
        tag("p", " · ".join(filter(None, [verdict, rank]))),
        tag("p", tag("span", origin, class_="origin")) if origin else "",
        tag("p", f"{shown.period.written} · {as_of}", class_="small"),
        _choices(context, choice),
        class_="title",
    )


def _missing(context: PageContext, own: UnitIndex) -> str:
    return context.word("index766_incomplete").format(len(own.score.missing), len(own.counts))


def _choices(context: PageContext, choice: Choice) -> Html:
    rules = (
        link(choice.path(rules=None if code == "portal" else code), context.word(f"rules_{code}"),
             aria_current="true" if code == choice.rules else None)
        for code in ("portal", "decree")
    )  # fmt: skip
    back = [link(choice.path(unit=""), context.word("whole"))] if choice.unit else []
    control = period_control(context, PATH, **choice.others)
    return tag("div", *back, control, tag("span", *rules, class_="choice"), class_="choices")


def _gains(context: PageContext, gains: Shortest) -> Html:
    """The shortest list, to be chosen from and assigned."""
    language, before = context.language, gains.what_if.before.score
    best = max(gains.gained, default=Decimal(0))
    steps = [
        context.word("index766_enough").format(_points(context, points, 1), count(needed, language))
        if needed
        else context.word("index766_not_enough").format(_points(context, points, 1), _points(context, best))
        for points, needed in gains.enough.items()
    ]
    end = context.word("index766_if_nobody").format(written_day(gains.what_if.period.last), _of(context, before))
    lines = tag("ul", *(tag("li", step) for step in steps))
    if not gains.what_if.ended:
        nothing = tag("p", context.word("index766_no_gain"), class_="none")
        return _panel(context, context.word("index766_gain"), tag("p", end), nothing)
    heads = [context.word(w) for w in ("case", "index766_by", "due", "index766_gained", "index766_why")]
    every_row = tag("label", tag("input", type="checkbox", data_all=""), " ", context.word("all_rows"), class_="small")
    file = link(f"{PATH}/list.csv?{urlencode({'unit': gains.what_if.before.unit, 'rules': before.rules.code})}", "CSV",
                download="")  # fmt: skip
    listed = table(heads, (_gain(context, gains, place) for place in range(len(gains.gained))), (3,))
    choose = tag("p", every_row if context.account.may("assign") else "", " ", file, class_="small")
    return _panel(context, context.word("index766_gain"), tag("p", end), lines, choose, listed)


def _gain(context: PageContext, gains: Shortest, place: int) -> list[object]:
    one = gains.what_if.ended[place]
    code, key = masked(one.dossier.id), f"dossier:{one.dossier.id}"
    box = tag("input", type="checkbox", name="item", value=key, id=f"c-{key}", aria_label=code)
    chosen = Html(box + " ") if context.account.may("assign") else Html("")
    components = gains.what_if.before.score.rules.components
    names = [_name(context, components[m]) for m in one.moves]
    return [
        Html(chosen + link(f"{WORK}/dossier/{quote(one.dossier.id)}", code)),
        written_day(one.at),
        day_and_time(one.dossier.due) if one.dossier.due else "–",
        f"+{_points(context, gains.gained[place])}",
        ", ".join(names),
    ]


def _components(context: PageContext, choice: Choice, own: UnitIndex) -> Html:
    """The six groups, each with its components; in each the ones that cost most first."""
    heads = _words(
        context, "index766_component index766_counts index766_share index766_points index766_lost index766_basis"
    )
    groups = sorted(own.score.groups, key=lambda g: g.points - g.scored)
    return Html("".join(
        _panel(context, _group_name(context, group),
               table(heads, (_component(context, choice, own, one) for one in _weakest(own, group)), (1, 2, 3, 4)))
        for group in groups
    ))  # fmt: skip


def _group_name(context: PageContext, group: GroupScore) -> str:
    name = _name(context, group.group)
    of = "" if group.complete else f" ({context.word('index766_of_group').format(group.maximum)})"
    return f"{name}: {_of(context, group)}{of}"


def _weakest(own: UnitIndex, group: GroupScore) -> Sequence[ComponentScore]:
    some = [one for one in own.score.components if one.component.group == group.group.code]
    return sorted(some, key=lambda one: one.points - one.component.maximum if one.points is not None else Decimal(1))


def _component(context: PageContext, choice: Choice, own: UnitIndex, one: ComponentScore) -> list[object]:
    c, language = one.component, context.language
    name = _name(context, c)
    said = flags()
    remarks = [said[flag][language == "en"] for flag in one.flags if flag != "missing"]
    if one.count is None or one.points is None:
        return [name, "–", "–", f"– / {c.maximum}", "", _basis(context, own, c.metric)]
    share = "–" if one.share is None else f"{number(Decimal(float(one.share) * 100), 2, language)} %"
    lost = c.maximum - one.points
    marked = tag("span", f"−{_points(context, lost)}" if lost else "✓", class_="state-bad" if lost else "state-good")
    counts = Html(" / ").join(
        link(choice.period.address(f"/figure/{code}", unit=choice.unit), _count(value, language))
        for code, value in (
            (c.numerator_indicator, one.count.numerator), (c.denominator_indicator, one.count.denominator),
        )
    )  # fmt: skip
    by_dossier = bool(lost) and of_dossiers(total_of(choice.rules).counts[c.metric])
    more = ""
    if by_dossier and may_see(context.account, choice.unit):
        more = link(choice.path(component=c.metric), context.word("index766_dossiers"), class_="small")
    basis = " · ".join([_basis(context, own, c.metric), *remarks])
    points = f"{_points(context, one.points)} / {c.maximum}"
    return [Html(tag("span", name) + " " + more), Html(counts), share, points, marked, basis]


def _basis(context: PageContext, own: UnitIndex, metric: str) -> str:
    counted = own.counts[metric]
    if counted.stated:
        by = unit_name(counted.stated.unit, context.language)
        return context.word("index766_reported").format(by, written_day(counted.stated.last))
    if counted.count is None:
        return f"{context.word('index766_missing')}: {why(counted.reason, context.language)}"
    return context.word("index766_counted")


def _costly(context: PageContext, choice: Choice, component: Component, found: CostlyDossiers) -> Html:
    """The dossiers behind a component that was opened."""
    language = context.language
    name = _name(context, component)
    title = context.word("index766_behind").format(name, count(found.number, language))
    heads = [context.word(w) for w in ("case", "due", "ended", "unit")]
    rows = (
        [link(f"{WORK}/dossier/{quote(d.id)}", masked(d.id)), day_and_time(d.due) if d.due else "–",
         day_and_time(d.ended) if d.ended else context.word("index766_still_open"), unit_name(d.unit, language)]
        for d in found.listed
    )  # fmt: skip
    others = {"unit": choice.unit, "rules": choice.rules, "component": choice.component, **choice.period.params}
    pages = pager(context, ListQuery(PATH, others, page=choice.page), found.number) if found.number > PAGE else ""
    content = table(heads, rows) if found.listed else tag("p", context.word("index766_none_behind"), class_="none")
    return _panel(context, title, content, pages, tag("p", link(choice.path(), context.word("shut")), class_="small"))


def _units(context: PageContext, choice: Choice, below: Sequence[UnitIndex]) -> Html:
    """The units below, the weakest first."""
    language = context.language
    groups = [_name(context, g.group) for g in below[0].score.groups]
    ranks = [context.word("index766_rank")] if any(u.rank for u in below) else []
    heads = [context.word("unit"), context.word("index766_points"), *ranks, *groups]
    weakest = sorted(below, key=lambda u: (u.score.points - u.score.scored, units.order(u.unit)))
    rows = (
        [
            link(choice.path(unit=u.unit), unit_name(u.unit, language)),
            _of(context, u.score),
            *([str(u.rank) if u.rank else "–"] if ranks else []),
            *(_points(context, g.points) if g.scored else "–" for g in u.score.groups),
        ]
        for u in weakest
    )
    title = context.word("index766_units").format(count(len(below), language))
    return _panel(context, title, table(heads, rows, range(1, len(heads)), class_="by-unit"))


def course_of_days(context: PageContext, found: Course | None) -> Html:
    """The last days as a line, then the month's end with how it was found and how wrong that was."""
    if found is None:
        return tag("p", context.word("index766_reading"), class_="small")
    language = context.language
    days = [(written_day(d.day), d.points) for d in found.days]
    steps = [Step(day[:5], points, None, f"{day}: {_known(context, points)}") for day, points in days]
    named = context.word("index766_course").format(DAYS)
    drawing = bars(steps, named, language, joined=True)
    chart = tag("div", drawing, class_="course") if drawing else tag("p", context.word("no_data"), class_="none")
    panel = _panel(context, named, chart, tag("p", context.word("index766_course_means"), class_="small"))
    if found.ahead is None:
        return panel
    return Html(panel + _panel(context, context.word("index766_forecast"), *_forecast(context, found.ahead)))


def _forecast(context: PageContext, ahead: Forecast) -> Iterator[Html]:
    if ahead.expected is None:
        yield tag("p", context.word("index766_no_forecast"), class_="none")
        return
    said = context.word("index766_expected").format(_points(context, ahead.expected), str(ahead.maximum))
    if ahead.low is not None and ahead.high is not None:
        ends = (_points(context, ahead.low), _points(context, ahead.high))
        said += " " + context.word("index766_between").format(*ends)
    yield tag("p", said)
    yield tag("p", context.word("index766_method"), class_="small")
    heads = _words(context, "span_month index766_so_far index766_final index766_foretold index766_error")
    rows = (
        [
            f"{m.month:%m/%Y}",
            *(_known(context, p) for p in (m.so_far, m.final, m.forecast, m.error)),
        ]
        for m in ahead.past
    )
    yield table(heads, rows, (1, 2, 3, 4))


def _name(context: PageContext, named: Component | ComponentGroup | Grade) -> str:
    return named.vi if context.language == "vi" else named.en


def _of(context: PageContext, score: GroupScore | IndexScore) -> str:
    """The points of what was given, of how many; that there are none is no 0 of 0."""
    return f"{_points(context, score.points)} / {score.scored}" if score.scored else context.word("index766_missing")


def _points(context: PageContext, value: Decimal, decimals: int = 2) -> str:
    return number(value, decimals, context.language)


def _known(context: PageContext, value: Decimal | None) -> str:
    return "–" if value is None else _points(context, value)


def _words(context: PageContext, names: str) -> list[str]:
    return [context.word(name) for name in names.split()]


def _count(value: Decimal, language: Literal["vi", "en"]) -> str:
    return number(value, 0 if value == value.to_integral_value() else 2, language)
