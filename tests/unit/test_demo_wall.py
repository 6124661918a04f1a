"""What the demo's wall says of dossiers and alarms, at moments that an operator may start it: folded from the events
that the demo sends, without servers. The scenario's own ended dossiers are counted from its plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from random import Random
from typing import NamedTuple

import pytest

from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event
from schemas.fold import Fact
from schemas.procedures.dossier import fold_dossier
from services.centre.scenario import weeks_for
from services.kit.settings import Settings
from services.simulator import SCENARIOS, november_2024
from services.simulator.app import begun
from services.simulator.district.expected_totals import Books
from services.simulator.november_2024.dossiers import Dossier, dossiers
from services.simulator.november_2024.life import life, overdue_counts
from services.simulator.november_2024.offers import PROFILES
from services.simulator.november_2024.shift import Shift

MOMENTS = {
    "Monday 07:30": "2026-11-30T07:30",
    "Saturday 22:00": "2026-11-28T22:00",
    "the 1st of a month 00:30": "2026-12-01T00:30",
    "in Tết": "2027-02-09T10:00",
    "31 December 23:59": "2026-12-31T23:59",
}
CRITICAL_SHARE = 3.9
CRITICAL = (
    "outbreaks_open", "security_incidents_open", "services_down", "crises_open", "security_alerts_critical_open",
)  # fmt: skip
CALENDARS = CalendarHistory()


class Planned(NamedTuple):
    """A dossier of the scenario, with the numbers in its code."""

    unit: str
    number: int
    serial: int
    dossier: Dossier


class Wall(NamedTuple):
    """By unit, "" for all: dossiers ended this month, of them overdue; open, of them overdue. Other critical alarms."""

    ended: Counter[str]
    late: Counter[str]
    open: Counter[str]
    overdue: Counter[str]
    critical: int

    def share(self, unit: str = "") -> float:
        """Overdue dossiers in percent, as the wall prints them."""
        whole = self.ended[unit] + self.open[unit]
        return round(100 * (self.late[unit] + self.overdue[unit]) / whole, 2) if whole else 0.0


@cache
def planned() -> tuple[Planned, ...]:
    """The dossiers of the scenario."""
    each = enumerate(zip(PROFILES, overdue_counts(), strict=True), start=1)
    return tuple(
        Planned(profile.unit, number, serial, dossier)
        for number, (profile, overdue) in each
        for serial, dossier in enumerate(dossiers(profile, overdue)[0], start=1)
    )


def open_at_the_end(weeks: int) -> dict[str, list[Event]]:
    """Code -> the scenario's events of each dossier that it leaves open, as far as folds look."""
    shift, found = Shift(weeks), {}
    for unit, number, serial, dossier in planned():
        if dossier.ended >= november_2024.CLOSE:
            code = shift.dossier_code(number, dossier.submitted.date(), serial)
            whole = life(code, f"TXN-{code}", dossier, shift.days, Random(1))
            steps = takewhile(lambda s: s[1] < november_2024.CLOSE, whole)
            found[code] = [shift.event(data, id=f"{code}-{n}", time=at, unit=unit) for n, at, data in steps]
    return found


def wall(now: datetime) -> Wall:
    weeks = weeks_for(SCENARIOS["november-2024"], "now", now.date())
    close, month = november_2024.CLOSE + timedelta(weeks=weeks), now.replace(day=1, hour=0, minute=0)
    facts: dict[str, list[Event]] = defaultdict(list)
    facts |= open_at_the_end(weeks)
    books = Books()
    for event in sent(now, weeks):
        for code in (event.fields.get("code"), event.fields.get("dossier")):
            if code and event.data.event.startswith(("dossier.", "payment.made")):
                facts[code].append(event)
        if event.source.startswith("/simulator/"):
            books.tell(event)
    found = Wall(Counter(), Counter(), Counter(), Counter(), 0)
    for unit, _, _, dossier in planned():
        if month <= dossier.ended + timedelta(weeks=weeks) < close:
            late = dossier.promised is not None and dossier.ended.date() > dossier.promised.date()
            add(found, unit, ended=1, late=int(late))
    for code, events in facts.items():
        count(found, code, events, month, now)
    figures = books.figures(now)
    units = {unit for _, unit in figures if unit}
    critical = sum(figures.get((i, u), 0) > 0 for i in CRITICAL for u in units)
    return found._replace(critical=critical + sum(found.share(u) > CRITICAL_SHARE for u in found.open))


def sent(now: datetime, weeks: int) -> Iterator[Event]:
    """All that the demo's simulator sends by `now`."""
    held = begun(Settings(), now, weeks)
    yield from (s.event for s in held.plan.sendings(now) if s.event and s.kind == "meant")
    yield from takewhile(lambda e: e.time < now, november_2024.continued(weeks, held.until))


def add(to: Wall, unit: str, **numbers: int) -> None:
    for name, number in numbers.items():
        for group in ("", unit):
            getattr(to, name)[group] += number


def count(to: Wall, code: str, events: list[Event], month: datetime, now: datetime) -> None:
    """Add the points of a dossier's fold as a reading does: ended within the month, open as of now."""
    facts = [Fact(e.time, e.key.hex, e.data.event, e.unit, e.origin, e.fields, e.shiftdays) for e in events]
    for p in fold_dossier(code, sorted(facts), CALENDARS).points:
        if p.time > now:
            continue
        labels = dict(p.labels)
        match p.measure:
            case "dossiers_received":
                add(to, p.unit, open=int(p.value))
            case "dossiers_ended":
                recent = int(p.time >= month) * int(p.value)
                add(to, p.unit, open=-int(p.value), ended=recent, late=recent * (labels["outcome"] == "overdue"))
            case "dossiers_pressing" if labels["stage"] == "overdue":
                add(to, p.unit, overdue=int(p.value))


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_the_wall_is_believable_whenever_the_demo_is_started(moment: str) -> None:
    found = wall(datetime.fromisoformat(moment).replace(tzinfo=VN))
    print(found.share(), found.overdue[""], found.open[""], found.ended[""], found.critical)
    assert 0.4 <= found.share() <= 1.0
    assert 30 <= found.overdue[""] <= 80
    assert found.critical < 10
