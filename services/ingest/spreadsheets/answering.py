"""A workbook read in a process of its own, for a service that must neither wait nor grow: `{"file": …}` on stdin gives
what the dry run says on stdout, and in the file `plan` what would be sent, an event or a key a line.

The process sets its own limits of memory and time; who started it sees to it that it ends.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from schemas import units
from schemas.economy import IndicatorReported, IndicatorRevised
from schemas.envelope import Invalid
from services.ingest.spreadsheets import dry_run, publish, workbook
from services.ingest.spreadsheets.form import Form, NoForm, Question
from services.ingest.spreadsheets.template import Template, templates
from services.kit import clock, imports, store
from services.kit.errors import Unavailable
from services.kit.settings import Settings

MOST_MEMORY, MOST_SECONDS = 2048 * 2**20, 60
"""Of address space, several times what 50,000 rows take, and of the processor."""
SHOWN = 200
"""Questions, changes and places that are told one by one; of all there is the number."""
Answer = dict[str, Any]


def answer(asked: Answer) -> Answer:
    """What the dry run of a workbook says, as JSON values; `problem` where it cannot be read."""
    said: Answer = {"forms": list(templates())}
    try:
        _read(asked, said)
    except (workbook.NoWorkbook, NoForm, Invalid, units.UnknownUnit, ValueError) as wrong:
        said["problem"] = wrong.reason if isinstance(wrong, Invalid) else str(wrong)
    except Unavailable as wrong:
        said["problem"] = str(wrong)
    except store.OUTAGE:
        said["problem"] = "the database does not answer"
    except MemoryError:
        said["problem"] = "it takes more memory than a workbook of tables needs: send it in parts"
    return said


def _read(asked: Answer, said: Answer) -> None:
    """Put into `said` what is found, as far as one comes."""
    answers = {(sheet, cell): text for sheet, cell, text in asked.get("answers", ())}
    by_hand = replace(dry_run.said(answers, asked.get("period"), asked.get("unit")), columns=asked.get("columns", {}))
    published = date.fromisoformat(asked["published"]) if asked.get("published") else None
    run = dry_run.dry_run(Path(asked["file"]), asked["name"], asked.get("template"), by_hand, published)
    said |= _form(run.form, run.questions)
    scope = None if asked.get("scope") is None else frozenset(asked["scope"])
    if scope is not None and (outside := sorted({draft.unit for draft in run.drafts} - scope)):
        said["outside"] = outside
        return
    settings = Settings()
    if asked.get("settled"):
        asyncio.run(publish.settled(settings))
    with store.connect(settings, "reader") as conn:
        plan = imports.plan(conn, (draft.event() for draft in run.drafts), clock.now(), asked["digest"])
    if asked.get("plan"):
        _write(Path(asked["plan"]), plan)
    changes = [change for one in plan.stated if not one.known for change in _changes(one, run.form.template)]
    changes.sort(key=lambda change: change["before"] is None)
    said |= {"summary": plan.summary._asdict(), "changes": changes[:SHOWN], "more_changes": len(changes) - SHOWN}
    said["outdated"] = plan.outdated


def _form(form: Form, questions: list[Question]) -> Answer:
    def tabs() -> Iterator[Answer]:
        for tab in form.tabs:
            days = [day.isoformat() for day in tab.span] if tab.span else None
            yield {"name": tab.sheet.name, "rows": sum(row.tab is tab for row in form.rows), "days": days}

    skipped: dict[tuple[str, str], list[int]] = {}
    for one in form.skipped:
        skipped.setdefault((one.sheet, one.why), []).append(one.row)
    return {
        "template": form.template.name,
        "answered": form.columns,
        "columns": {column.name: next(iter(column.headers), column.name) for column in form.template.columns},
        "sheets": list(tabs()),
        "questions": [vars(question) for question in questions[:SHOWN]],
        "open": len(questions),
        "skipped": [
            {"sheet": sheet, "why": why, "rows": rows[:20], "number": len(rows)}
            for (sheet, why), rows in skipped.items()
        ],
        "dropped": [vars(dropped) for dropped in form.dropped],
        "warnings": [f"{check.sheet}: {check.warning}" for check in form.totals if check.warning][:SHOWN],
    }


def _changes(one: imports.Stated, template: Template) -> Iterator[Answer]:
    """What an event says otherwise than what was in force before, figure by figure."""
    data, before = one.event.fields, one.before.data if one.before else {}
    reported = IndicatorReported.event if isinstance(one.event.data, IndicatorRevised) else one.event.data.event
    figures = {
        name: spec.data[name][1:]
        for spec in template.events
        if spec.event == reported
        for name in template.figures(spec)
    }
    for name, column in figures.items():
        if imports.as_number(data.get(name)) != imports.as_number(before.get(name)):
            yield {
                "unit": one.event.unit,
                "indicator": data.get("indicator"),
                "column": next(iter(template.column(column).headers), name),
                "of": data.get("level") or data.get("facility"),
                "days": [data.get("period_start") or data.get("day"), data.get("period_end") or data.get("day")],
                "before": _shown(before.get(name)),
                "now": _shown(data.get(name)),
            }


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


def _write(file: Path, plan: imports.Plan) -> None:
    with file.open("w", encoding="utf-8") as lines:
        for line, one in zip(plan.lines(), plan.stated, strict=True):
            sent = [one.event.subject, one.event.to_json().decode()] if line.sent else []
            lines.write(json.dumps([*line, *sent], ensure_ascii=False) + "\n")


def main() -> None:
    """Read what is asked from stdin, within the limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    json.dump(answer(json.load(sys.stdin)), sys.stdout, ensure_ascii=False)
