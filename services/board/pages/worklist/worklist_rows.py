"""One case of the worklist as people read it: a line of the table, and a line of a file."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from schemas.cases import Lateness
from schemas.indicators.label_texts import label_text
from schemas.text.dates import day_and_time
from services.board.pages.worklist.worklist_data import AlarmOf, Item
from services.board.ui import exports
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, tag
from services.board.ui.words import SIGNS, Language, unit_name

PATH = "/worklist"
SIGN = {"overdue": "bad", "today": "watch", "soon": "neutral", "resolve": "bad", "accept": "bad", "route": "bad"}
HEADS = (
    "case_kind", "case", "case_procedure", "case_procedure_name", "case_stage", "received_at", "due", "late_days",
    "late_working_days", "unit", "case_group", "case_channel", "case_handling", "assignee", "origin",
)  # fmt: skip


def group_name(i: Item, language: Language) -> str:
    """Its field or category in words."""
    return label_text("field" if i.kind == "dossier" else "category", i.group, language)


def channel_name(i: Item, language: Language) -> str:
    """The way it came in, in words."""
    return label_text("channel", i.channel, language)


def late_by(context: PageContext, late: Lateness | None) -> str:
    """`trễ 5 ngày (3 ngày làm việc)`; empty where it is not late."""
    if late is None:
        return ""
    return context.word("late_by").format(late.days, late.working) if late.days else context.word("late_today")


def row_of(context: PageContext, i: Item) -> Html:
    """One row of the table."""
    language = context.language
    box = tag("input", type="checkbox", name="item", value=i.key, id=f"c-{i.key}", aria_label=i.number)
    origin = "" if i.origin == "real" else tag("span", context.word(i.origin), class_="origin")
    sign = SIGNS[SIGN[i.stage]]
    cells = (
        Html(
            link(f"{PATH}/{i.kind}/{quote(i.id)}", i.number)
            + tag("div", context.word(i.kind), " ", origin, class_="small")
        ),
        tag("span", f"{sign} {context.word(f'stage_{i.stage}')}".strip(), class_=f"state-{SIGN[i.stage]}"),
        Html(day_and_time(i.due) + tag("div", late_by(context, i.late), class_="small")),
        unit_name(i.unit, language),
        Html(tag("span", group_name(i, language)) + tag("div", i.procedure_name or i.procedure, class_="small")),
        channel_name(i, language),
        handling(context, i),
    )
    return tag("tr", tag("td", box), *(tag("td", cell) for cell in cells))


def handling(context: PageContext, i: Item) -> Html:
    """How its alarms stand, and who has each of them."""
    parts = [tag("span", context.word(f"handling_{i.handling}"), class_=f"badge {i.handling}")]
    if i.extended:
        parts.append(tag("span", context.word("extended"), class_="badge"))
    holders = dict.fromkeys(_holder(context, alarm) for alarm in i.alarms)
    return Html("".join([*parts, *(tag("div", who, class_="small") for who in holders if who)]))


def _holder(context: PageContext, alarm: AlarmOf) -> str:
    until = f"{context.word('until')} {day_and_time(alarm.deadline)}" if alarm.deadline else ""
    return " · ".join(part for part in (alarm.assignee or alarm.acknowledged_by, until) if part)


def file_of(kind: str, context: PageContext, rows: Sequence[Item]) -> bytes:
    """The rows as `csv` or `xlsx`."""
    heads = [context.word(name) for name in HEADS]
    cells = (_cells(context, row) for row in rows)
    return exports.as_file(kind, context.word("worklist"), heads, cells)


def _cells(context: PageContext, i: Item) -> list[exports.Cell]:
    language = context.language
    origin = "" if i.origin == "real" else context.word(i.origin)
    return [
        context.word(i.kind), i.number, i.procedure, i.procedure_name, context.word(f"stage_{i.stage}"), i.opened,
        i.due, i.late.days if i.late else "", i.late.working if i.late else "",
        unit_name(i.unit, language), group_name(i, language), channel_name(i, language),
        context.word(f"handling_{i.handling}"), ", ".join(i.assignees), origin,
    ]  # fmt: skip
