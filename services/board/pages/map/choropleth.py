"""Units of the map coloured by a figure: in five steps from the least to the most, each with what it is in words."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.indicators import CATALOGUE, Indicator
from schemas.registry import SYSTEMS
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, tag
from services.board.ui.period_control import period_fields
from services.board.ui.periods import SO_FAR, SPANS
from services.board.ui.words import aim, figure, name_of, signed, state_of, system_name, unit_name
from services.kit import clock
from services.readings import Reading

STEPS = 5


def figure_of(params: Mapping[str, str]) -> Indicator | None:
    """By which figure an address colours the map; None: by none."""
    return CATALOGUE.get(params.get("figure", ""))


def shades(context: PageContext, readings: Iterable[Reading]) -> dict[str, Any]:
    """`units`: unit -> [step from 0 to 4, whether it misses its target, what it is in words]; `legend`: what the steps
    mean. Units of one value have one step; those without a value have none."""
    known = sorted((value, r.group, r) for r in readings if (value := r.printed) is not None)
    if not known:
        return {"units": {}, "legend": context.word("map_figure_none")}
    values = [value for value, _, _ in known]
    units, by_step = {}, dict[int, list[Reading]]()
    for value, unit, r in known:
        step = bisect_left(values, value) * STEPS // len(values)
        said = f"{unit_name(unit, context.language)}: {signed(r, context.language)}"
        units[unit] = [step, state_of(r) == "bad", said]
        by_step.setdefault(step, []).append(r)
    return {"units": units, "legend": _legend(context, by_step)}


def _legend(context: PageContext, by_step: Mapping[int, Sequence[Reading]]) -> Html:
    language, (first, *_) = context.language, next(iter(by_step.values()))
    target = f" ({aim(first, language)})" if first.target is not None else ""
    rows = (_step(step, *(figure(r, language) for r in (of[0], of[-1]))) for step, of in by_step.items())
    return Html(tag("b", name_of(first.indicator, language) + target) + "".join(rows))


def _step(step: int, least: str, most: str) -> Html:
    return tag("span", tag("i", class_=f"step step-{step}"), least if least == most else f"{least} – {most}")


def choice(context: PageContext, chosen: Indicator | None) -> list[Html]:
    """The fields by which a reader colours the map: figure, those that are shown first before the others, and span, or
    any month, days and moment."""
    groups = (
        tag("optgroup", *(_option(i.code, name_of(i, context.language), i == chosen)
                          for i in sorted(CATALOGUE.values(), key=lambda i: not i.headline) if i.system == slug),
            label=system_name(slug, context.language))
        for slug in SYSTEMS
    )  # fmt: skip
    none = _option("", context.word("map_figure_off"), chosen is None)
    period = context.chosen
    spans = (_option(span, context.word(f"span_{span}"), span == period.span) for span in SPANS)
    other = tag(
        "summary",
        context.word("period_other"),
        aria_current="true" if replace(period, span="month") != SO_FAR else None,
    )
    fields = period_fields(context, period.as_of or clock.now())
    return [
        tag("label", context.word("map_figure"), tag("select", none, *groups, name="figure")),
        tag("label", context.word("map_figure_of"), tag("select", *spans, name="span")),
        tag("details", other, *fields, tag("p", context.word("period_means"), class_="small"), class_="layers"),
    ]


def _option(value: str, text: str, chosen: bool) -> Html:
    return tag("option", text, value=value, selected="" if chosen else None)
