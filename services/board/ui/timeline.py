"""The history of alarms: who did what when, as the notifier has written it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from schemas import units
from schemas.offices import number_of
from schemas.text.dates import day_and_time
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, tag
from services.board.ui.phrases import read, translated
from services.board.ui.words import WORDS, unit_name

OURSELVES = "notifier"
"""What stands in the table for steps that nobody took by hand."""
AT_THE_MACHINE = "cli:"
"""How the names begin of those who work by the command."""


class Step(NamedTuple):
    """One step: of which alarm, when, what, by whom."""

    alarm: int
    at: datetime
    step: str
    by: str
    note: str
    stage: str | None = None
    """What the alarm is about, of a case with several."""


def timeline_of_case(conn: Connection, kind: str, entity: str, others: Sequence[str] = ()) -> list[Step]:
    """All that was done about the alarms of a case, the newest first."""
    about = {"kind": kind, "number": number_of(entity), "entity": entity, "others": list(others)}
    with conn.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(_OF_CASE, about).fetchall()


def timeline_of_alarm(conn: Connection, alarm: int) -> list[Step]:
    """All that was done about one alarm, the newest first."""
    with conn.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(_OF_ALARM, [alarm]).fetchall()


def author(context: PageContext, by: str) -> str:
    """Who took a step: a person's name, the centre itself, or somebody at the machine by the command."""
    if by.startswith(AT_THE_MACHINE):
        return context.word("by_command").format(by.removeprefix(AT_THE_MACHINE))
    return context.word("by_centre") if by == OURSELVES else by


def history(context: PageContext, found: Sequence[Step]) -> Html:
    """The steps as a list."""
    if not found:
        return tag("p", context.word("nothing_done"), class_="none")
    rows = (
        tag(
            "li", tag("span", day_and_time(s.at), class_="small"), " ", tag("strong", author(context, s.by)), " ",
            context.word(f"step_{s.step}"), *_about(context, s), f": {_noted(context, s)}" if s.note else "",
        )
        for s in found
    )  # fmt: skip
    return tag("ol", *rows, class_="history")


def _about(context: PageContext, step: Step) -> list[str]:
    key = f"stage_{step.stage}"
    return [f" ({context.word(key)})"] if key in WORDS else []


def _noted(context: PageContext, step: Step) -> str:
    """What the notifier noted, in the reader's language; what a person wrote is left as it is."""
    if step.by != OURSELVES and step.step != "assigned":
        return step.note
    dated = _MOMENT.sub(lambda at: day_and_time(datetime.fromisoformat(at[0])), step.note)
    named = _CODE.sub(lambda code: _name(context, code[0]), dated) if step.by == OURSELVES else dated
    return translated(named, _NOTES) if context.language == "vi" else named


def _name(context: PageContext, code: str) -> str:
    """A unit or a severity by its name."""
    if code in _UNITS:
        return unit_name(code, context.language)
    return context.word(f"severity_{code}") if f"severity_{code}" in WORDS else code


_NOTES = read(Path(__file__).with_name("notes.toml"))
_UNITS = frozenset(unit.code for unit in units.every())
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")
_CODE = re.compile(r"(?<![\w.-])[a-z]\w+(?![\w.-])")
_OF_CASE = """
SELECT s.alarm, s.at, s.step, s.by, s.note, a.stage FROM alarm a JOIN alarm_step s ON s.alarm = a.id
WHERE a.kind = %(kind)s AND a.entity = %(number)s AND %(entity)s = CASE
    WHEN concat_ws('@', a.entity, a.office) IN (%(entity)s) OR concat_ws('@', a.entity, a.office) = ANY (%(others)s)
        THEN concat_ws('@', a.entity, a.office)
    ELSE a.entity END
ORDER BY s.id DESC
"""
_OF_ALARM = "SELECT alarm, at, step, by, note FROM alarm_step WHERE alarm = %s ORDER BY id DESC"
