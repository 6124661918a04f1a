"""What the ticker tells to whom: cases to those whose units they are of, and to passers-by nothing about a few people
and no word that is not the catalogue's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from schemas.alerts import ALERTS, Alert
from schemas.indicators import CATALOGUE
from schemas.indicators.metric import metric
from services.board.access import PUBLIC, Account, is_sensitive
from services.board.live.active_alarms import ActiveAlarm, ActiveAlarms, is_of_people

NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)
WARD = "phuong_chon_thanh"
OPERATOR = Account("an", "", "operator", (WARD,))
TOKENS = {
    "unit",
    "count",
    "percent",
    "decimal",
    "target",
    "for",
    "disease",
    "service",
    "source",
    "stream",
    "consumer",
    "folder",
    "check",
    "slot",
    "user",  # a credential of the broker, no person
}
"""What texts of the catalogue are filled in with: numbers, places, illnesses and parts of the centre, no person."""


def bell(type: str, system: str, unit: str = WARD, way: str = "rule", about: str = "") -> ActiveAlarm:
    return ActiveAlarm(1, "critical", unit, "", "", about, "real", NOW, way, type, system)


def heard(one: ActiveAlarm, account: Account = PUBLIC) -> bool:
    return ActiveAlarms(1, (one,)).seen_by(account) == [one]


def test_a_case_is_told_to_those_of_its_unit() -> None:
    case = bell("DossierOverdue", "procedures", way="event", about="dossier:H1-26••••")
    assert heard(case, OPERATOR)
    assert not heard(case._replace(unit="phuong_minh_hung"), OPERATOR)
    assert not heard(case)


def test_the_ticker_tells_what_the_list_of_alarms_shows() -> None:
    rule = bell("DossiersOverdue", "procedures")
    assert heard(rule, OPERATOR) and heard(rule._replace(unit="all"), OPERATOR)
    assert not heard(rule._replace(unit="phuong_minh_hung"), OPERATOR)
    assert not heard(rule._replace(unit="all", about="dossier:H1-26••••"), OPERATOR)
    assert heard(rule._replace(unit="phuong_minh_hung"), Account("binh", "", "viewer"))


def test_critical_alarms_are_counted_for_whom_they_wait() -> None:
    assert ActiveAlarms(5, (), {WARD: 2, "phuong_minh_hung": 3, "all": 1}).critical_for(OPERATOR) == 3


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: f"{a.name}-{'-'.join([a.system, *a.labels.values()])}")
def test_no_alert_tells_passers_by_how_many_people_are_ill_or_complained(alert: Alert) -> None:
    counted = [i for i in CATALOGUE.values() if metric(i) in alert.expr and is_sensitive(i)]
    assert bool(counted) is is_of_people(alert)
    hidden = any(is_of_people(a) for a in ALERTS if (a.name, a.system) == (alert.name, alert.system))
    assert heard(bell(alert.name, alert.system)) is heard(bell(alert.name, alert.system, "all")) is not hidden
    assert set(re.findall(r"<(\w+)>", alert.vi + alert.en)) <= TOKENS


@pytest.mark.parametrize(
    ("type", "way"), [("NotificationFailing", "own"), ("OurOwnRule", "rule"), ("SourceStale", "event")]
)
def test_words_that_are_not_the_catalogues_may_name_somebody(type: str, way: str) -> None:
    one = bell(type, "platform", "all", way)
    assert heard(one, OPERATOR)
    assert not heard(one)
