"""A meaning has one place: it is changed there, and whoever shows it shows the change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from support import output_of

from dashboards import sql
from dashboards.queries import fill
from infra.local.servers import Instance
from infra.timescaledb import definitions
from schemas import codes
from schemas.calendar import WorkCalendar
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded
from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Sum
from schemas.indicators.metric import metric
from schemas.procedures.clock import _Waiting
from schemas.procedures.dossier import fold_dossier
from services.board.access import Account
from services.board.api import answers
from services.board.api.questions import FigureQuery, question_of
from services.board.pages.figures.system_data import Choice, read_figures
from services.board.pages.worklist.worklist_data import Row, _item
from services.centre.prepare import settings_of
from services.deadlines.notices import Owed, notices
from services.exporter import figures as exported
from services.kit import clock, store
from services.notifier.domain import State, is_over
from services.readings import Period
from services.readings.period import midnight

CODE = "payments_fee_count"
FIRST, LAST = date(2024, 11, 1), date(2024, 11, 30)
END = midnight(date(2024, 12, 1)) - timedelta(microseconds=1)
FEES, TAXES = 10_213, 4_884
"""What the published table adds up to."""


# --- a formula ---


def everywhere(centre: Instance) -> dict[str, int]:
    """Who shows the figure -> what it is in November 2024."""
    settings, period = settings_of(centre, "cli"), Period.of(END, FIRST, LAST)
    with store.connect(settings, "reader") as conn:
        asked = question_of(VIEWER, CODE, FigureQuery(**{"from": str(FIRST), "to": str(LAST)}))
        answer = answers.figures(conn, VIEWER, asked, "http://board")
        page = read_figures(conn, Choice("procedures"), period)
        samples = exported.figures(conn, END)[metric(CATALOGUE[CODE])]
    with store.connect(settings, "grafana") as conn:
        panel = fill(sql.total(CATALOGUE[CODE]), midnight(FIRST), midnight(LAST), unit="all", compare="none")
        shown = conn.execute(panel.encode()).fetchone()
    assert shown and answer.figures[0].value
    return {
        "ioc query": int(asked_by(centre, "query")["readings"][0]["value"]),
        "ioc explain": int(asked_by(centre, "explain")["value"]),
        "read API": int(answer.figures[0].value),
        "board": next(int(r.value or 0) for r in page.values if r.indicator.code == CODE),
        "Prometheus": int(samples["all", "month"]),
        "Grafana": int(shown[0]),
    }


VIEWER = Account("viewer", "", "viewer")


def asked_by(centre: Instance, command: str) -> Any:
    days = ("--from", str(FIRST), "--to", str(LAST), "--format", "json")
    return json.loads(output_of(centre, command, CODE, *days))


def test_a_changed_formula_changes_every_way_to_its_figure(
    published: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported, "CATALOGUE", {CODE: CATALOGUE[CODE]})  # the others take a minute
    assert set(everywhere(published).values()) == {FEES}
    changed = replace(CATALOGUE[CODE], formula=Sum("payments", {"kind": ("tax",)}, "count"))
    monkeypatch.setitem(CATALOGUE, CODE, changed)
    monkeypatch.setitem(exported.CATALOGUE, CODE, changed)
    found = everywhere(published)
    assert len(found) == 6
    assert set(found.values()) == {TAXES}, found


# --- what stops a dossier's clock ---

NOW = clock.now()
DUE = NOW - timedelta(days=2)
LIFE = [
    Fact(NOW - timedelta(days=before), str(before), f"dossier.{event}", "phuong_chon_thanh", "real", data)
    for before, event, data in (
        (20, "accepted", {"promised_at": DUE.isoformat()}),
        (10, "supplement_requested", {}),
    )
]
"""Papers were asked for before the day that was promised, and have not come."""


def late_for(case: Folded, database: psycopg.Connection) -> dict[str, bool]:
    """Who deals with a dossier -> whether they take it for overdue."""
    assert case.opened_at and case.due_at
    row = Row("dossier", "D", case.unit, case.origin, case.status, case.opened_at, case.due_at, case.state, False)
    owed = Owed("dossier", "H99.99-260302-0001", case.unit, case.origin, NOW, case.due_at, case.state)
    item, stored = _item(row, NOW, WorkCalendar.base(), ()), State(1, None, case.due_at, case.state, list(LIFE))
    listed = database.execute("SELECT stages_reached(%s)", [Jsonb(case.state)]).fetchone()
    pressing = [p for p in case.points if p.measure == "dossiers_pressing" and p.time <= NOW]
    return {
        "worklist": bool(item and item.stage == "overdue"),
        "notices": "dossier.overdue" in [event.data.event for event in notices(owed, NOW)],
        "alarms": not is_over("dossier", None, case.due_at, stored, NOW),
        "Grafana's list": bool(listed and "overdue" in listed[0]),
        "figures": sum(p.value for p in pressing if ("stage", "overdue") in p.labels) > 0,
    }


def test_what_stops_the_clock_is_one_rule_for_everybody(centre: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(settings_of(centre, "admin").database("owner")) as database:
        paused = late_for(fold_dossier("D", LIFE, CalendarHistory()), database)
        assert len(paused) == 5
        assert not any(paused.values()), paused
        monkeypatch.setattr(_Waiting, "_begin", lambda *_: None)
        going = late_for(fold_dossier("D", LIFE, CalendarHistory()), database)
        assert all(going.values()), going


# --- what is left of a number ---


def test_what_hides_a_number_is_one_rule_for_everybody(centre: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    number = "H99.99-260302-0001"
    before = hidden(number, centre)
    assert set(before.values()) == {codes.masked(number)}
    monkeypatch.setattr(codes, "HIDDEN", "####")
    monkeypatch.setattr(definitions, "HIDDEN", codes.HIDDEN)
    after = hidden(number, centre)
    assert len(after) == 4
    assert set(after.values()) == {"H99.99-26####-####"}, after


def hidden(number: str, centre: Instance) -> dict[str, str]:
    """Who shows a number to those who may not open it -> how."""
    with psycopg.connect(settings_of(centre, "admin").database("owner")) as database:
        definitions.apply(database)
        row = database.execute("SELECT masked(%s)", [number]).fetchone()
        database.rollback()
    assert row
    return {
        "pages": codes.masked(number),
        "texts": codes.masked_text(number),
        "ids of events": codes.masked_id(number),
        "Grafana's lists": row[0],
    }
