"""The charts of a system's page: each headline figure step by step, beside the compared period; and which have none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest

from services.board.access import is_few
from services.board.pages.figures.figure_groups import is_level
from services.board.pages.figures.system_data import Content
from services.board.ui.charts import Step, bars, sample
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, tag
from services.board.ui.words import Language, axis, capital, figure, name_of
from services.readings import Reading


def charts(context: PageContext, shown: Content) -> Iterator[Html]:
    """Each headline figure step by step, beside the same steps of the compared period as far as that is known."""
    for now, then in _steps(shown):
        if not _any((*now, *then)):
            continue
        indicator = now[0].indicator
        size, measured = axis(indicator, (r.printed for r in (*now, *then)), context.language)
        steps = [_step(a, b, size, context.language) for a, b in zip_longest(now, then)]
        name = f"{name_of(indicator, context.language)}{measured and f' ({measured})'}"
        aim = None if now[0].target is None else now[0].target / size
        level = is_level(indicator)
        drawing = bars(steps, name, context.language, aim, level)
        legend = [
            *([tag("span", sample("now", level), shown.now.period.written)] if _any(now) else []),
            *(
                [
                    tag(
                        "span",
                        sample("then", level),
                        f"{context.word('compared')} {shown.then.period.written}",
                    )
                ]
                if then
                else []
            ),
        ]
        yield tag("figure", tag("figcaption", name), drawing, tag("p", *legend, class_="legend") if legend else "")


def _steps(shown: Content) -> Iterator[tuple[Sequence[Reading], Sequence[Reading]]]:
    """The steps of each headline figure, with as many of the compared period; with none where nothing is known of
    those."""
    for now, before in zip(shown.now.steps, shown.then.steps, strict=True):
        then = before[: len(now)]
        yield now, then if _any(then) else ()


def without(context: PageContext, shown: Content) -> Iterator[Html]:
    """The headline figures that have nothing to draw, in one line for each reason."""
    empty = [now for now, then in _steps(shown) if not _any((*now, *then))]
    for word in ("few_alone", "no_data"):
        names = [name_of(now[0].indicator, context.language) for now in empty if _reason(now) == word]
        if names:
            yield tag("p", f"{capital(context.word(word))}: {', '.join(names)}", class_="none wide")


def _reason(readings: Iterable[Reading]) -> str:
    """The word for there being none, or none that is told."""
    return "few_alone" if any(map(is_few, readings)) else "no_data"


def nothing(context: PageContext, readings: Iterable[Reading]) -> Html:
    return tag("p", context.word(_reason(readings)), class_="none")


def _any(readings: Sequence[Reading]) -> bool:
    """Whether anything is known."""
    return any(r.value is not None for r in readings)


def _step(now: Reading, then: Reading | None, size: Decimal, language: Language) -> Step:
    text = " · ".join(f"{moment(r.group)}: {figure(r, language)}" for r in (now, then) if r)
    current, before = (None if r is None or r.printed is None else r.printed / size for r in (now, then))
    return Step(now.group[-2:], current, before, text)


def moment(group: str) -> str:
    """An hour, a day or a month of a reading as written in Viet Nam: `2026-11-05T07` -> `05/11/2026 07:00`."""
    day, _, hour = group.partition("T")
    written = "/".join(reversed(day.split("-")))
    return f"{written} {hour}:00" if hour else written
