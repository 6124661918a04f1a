"""What an alarm about a figure rests on: how its value went, from where on it is raised, and the cases behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection

from schemas.alerts.watched import Watched, watched
from schemas.calendar import WorkCalendar, local_day
from schemas.indicators.label_texts import label_text
from schemas.indicators.metric import ALL, WINDOWS
from schemas.text.dates import day_and_time, day_of_year
from services.board.access import Account
from services.board.pages.alarms.alarms_data import Row
from services.board.pages.figures.figure_cases import case_table
from services.board.pages.figures.figure_groups import is_level
from services.board.ui.charts import Step, bars
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, tag
from services.board.ui.periods import PeriodChoice, Span
from services.board.ui.words import axis, capital, figure, name_of
from services.kit.facts import stored_calendars
from services.readings import Reading, read
from services.readings.cases_behind import CaseBehind, cases_behind, has_cases
from services.readings.period import last_moment, window

DAYS, NAMED = 14, 10
"""So many days the course has, and so many cases are named; the others are a click away."""
SPANS: dict[str, Span] = {"today": "day", "week": "week"}
"""The span of the page on which a figure stands as the alert sees it, where that is not the month so far."""


class Course(NamedTuple):
    """A figure as the alert saw it at each day's end, up to the alarm's own or now, and the first cases behind it."""

    watched: Watched
    at: datetime
    steps: Sequence[tuple[datetime, Reading]]
    cases: Sequence[CaseBehind]
    calendar: WorkCalendar

    @property
    def threshold(self) -> Reading:
        """The last value's figure at the value from which on the alarm is raised; without a target in force of none."""
        last = self.steps[-1][1]
        return replace(last, value=last.target if self.watched.threshold is None else self.watched.threshold)


def course_of(conn: Connection, row: Row, account: Account, now: datetime) -> Course | None:
    """What the alarm rests on; None where it is about no figure."""
    labels = dict(part.split("=", 1) for part in row.originator.split(",") if "=" in part)
    if row.entity or (about := watched(row.type, labels)) is None:
        return None
    at, unit = row.cleared_at or now, None if row.unit == ALL else row.unit
    ends = [last_moment(local_day(at) - timedelta(days=n)) for n in range(DAYS - 1, 0, -1)]
    steps = [(end, reading) for end in (*ends, at) if (reading := _seen(conn, about, labels, unit, end))]
    if not steps:
        return None
    cases: list[CaseBehind] = []
    if has_cases(about.indicator) and account.may("cases"):
        seen = account.scope() or None
        cases = cases_behind(conn, about.indicator, unit, window(about.window, at), seen, NAMED)
    return Course(about, at, steps, cases, stored_calendars(conn).at(at))


def _seen(conn: Connection, about: Watched, labels: dict[str, str], unit: str | None, at: datetime) -> Reading | None:
    """The figure as the alert saw it at a moment; None where it had no such class."""
    found = read(conn, about.indicator, unit, window(about.window, at), about.by or None)
    return next((r for r in found if not about.by or r.group == labels.get(about.by)), None)


def panel(context: PageContext, row: Row, course: Course | None) -> Html:
    """The course as a drawing with the threshold in it, the way to the figure, and the cases."""
    if course is None:
        return Html("")
    indicator, language = course.watched.indicator, context.language
    last, threshold = course.steps[-1][1], course.threshold
    size, measured = axis(indicator, (r.printed for r in (*(r for _, r in course.steps), threshold)), language)
    name = f"{_name(course, context)}{measured and f' ({measured})'}"
    steps = [
        Step(
            day_of_year(at), r.printed / size if r.printed is not None else None, None,
            f"{day_and_time(at)}: {figure(r, language)}",
        )
        for at, r in course.steps
    ]  # fmt: skip
    limit = threshold.value / size if threshold.value is not None else None
    when = capital(WINDOWS[course.watched.window][language == "en"])
    said = f"{when}: {figure(last, language)} · {_limit(context, course)}"
    chosen = PeriodChoice(SPANS.get(course.watched.window, "month"), as_of=row.cleared_at)
    unit = None if row.unit == ALL else row.unit
    opened = link(chosen.address(f"/figure/{indicator.code}", unit=unit), context.word("how"))
    drawn = tag(
        "figure", tag("figcaption", name), bars(steps, name, language, limit, is_level(indicator)), class_="course"
    )
    section = tag(
        "section", tag("h2", context.word("alarm_course")), tag("p", said, " · ", opened), drawn, class_="panel"
    )
    if not course.cases:
        return section
    every = link(
        chosen.address(f"/figure/{indicator.code}/cases", unit=unit),
        context.word("alarm_cases_all").format(course.cases[0].number),
    )
    listed = case_table(context, course.cases, course.calendar)
    cases = tag("section", tag("h2", context.word("cases_behind")), listed, tag("p", every), class_="panel")
    return Html(section + cases)


def _name(course: Course, context: PageContext) -> str:
    """The figure, of a class with its name."""
    name, by = name_of(course.watched.indicator, context.language), course.watched.by
    return f"{name}: {label_text(by, course.steps[-1][1].group, context.language)}" if by else name


def _limit(context: PageContext, course: Course) -> str:
    """From which value on the alarm is raised, in words."""
    threshold = course.threshold
    if threshold.value is None:
        return context.word("alarm_no_threshold")
    return context.word(SIGN_WORDS[course.watched.sign]).format(figure(threshold, context.language))


SIGN_WORDS = {">": "alarm_above", ">=": "alarm_from", "<": "alarm_below"}
