"""Figures worked out the slow way, from the events alone: a reference that knows nothing of folds, series and rollups.

Everything rests on `tally`: what a unit had done and had in hand at a moment, by those who know only what had happened
until then. A figure of a period is the difference between two moments.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from schemas import units
from schemas.calendar import Limit, WorkCalendar
from schemas.envelope import Event

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
OFFICE = WorkCalendar.base()
URGENT, NORMAL = timedelta(hours=2), Limit(days=5)


def local_day(t: datetime) -> date:
    return (t.astimezone(UTC) + timedelta(hours=7)).date()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=7)


class Question(NamedTuple):
    """Of which unit (None: all), which local days, as of when."""

    unit: str | None
    first: date
    last: date
    as_of: datetime

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The last moments before the period and within it."""
        return midnight(self.first) - TICK, min(midnight(self.last + DAY) - TICK, self.as_of)

    def covers(self, unit: str) -> bool:
        """Whether a unit's events belong to the unit asked for: below it, or below what was merged into it alone."""
        return self.unit is None or self.unit in _heirs(unit)


def _heirs(unit: str) -> set[str]:
    found, ahead = set[str](), [unit]
    while ahead:
        one = units.get(ahead.pop())
        found.add(one.code)
        ahead += [one.parent] if one.parent else []
        ahead += one.successors if len(one.successors) == 1 else ()
    return found


class Dossier(NamedTuple):
    """A dossier as known at a moment."""

    unit: str
    told_by: str
    channel: str
    outcome: str | None
    result: str | None
    stage: str | None
    asked_again: bool = False


def dossier(life: Iterable[Event], t: datetime) -> Dossier | None:
    """None until it was filed or accepted."""
    told = sorted((e for e in life if e.time <= t), key=lambda e: e.time)
    first: dict[str, Event] = {}
    for e in told:
        first.setdefault(e.data.event.removeprefix("dossier."), e)
    came = first.get("submitted") or first.get("accepted")
    if came is None:
        return None
    stops = [e for e in told if e.data.event == "dossier.stopped"]
    last = max((e.time for e in told if e.data.event == "dossier.processing_started"), default=None)
    first.pop("stopped", None)
    if left := [e for e in stops if last is None or e.time >= last]:
        first["stopped"] = left[0]
    ends = [first.get("resolved"), first.get("returned")]
    others = [first[n] for n in ("stopped", "refused", "withdrawn") if n in first]
    ends.append(min(others, key=_time, default=None))
    end = next((e for e in ends if e), None)
    due, paused = _promise([e for e in told if not end or e.time <= end.time], last)
    if end and due is None and "accepted" in first:
        due = _promised(first["accepted"])  # told as later than the end, it still names the date
    channel = came.fields.get("channel", "counter")
    unit = next((e.unit for e in reversed(told) if e.data.event == "dossier.accepted"), came.unit)
    requests = [e for e in told if e.data.event == "dossier.supplement_requested" and (not end or e.time <= end.time)]
    asked_again = len(requests) > 1
    if end is None:
        return Dossier(unit, came.id, channel, None, None, _stage(due, paused, local_day(t)), asked_again)
    if due and paused and local_day(paused) <= local_day(due):
        due = _later(due, paused, end.time)
    days = (local_day(end.time), local_day(due or end.time))
    outcome = "early" if days[0] < days[1] else "on_time" if days[0] == days[1] else "overdue"
    result = end.data.event.removeprefix("dossier.")
    result = "resolved" if result == "returned" else result
    return Dossier(unit, came.id, channel, outcome, result, None, asked_again and result != "resolved")


def _time(e: Event) -> datetime:
    return e.time


def _promise(told: Iterable[Event], last_start: datetime | None) -> tuple[datetime | None, datetime | None]:
    """When it is due, and since when that is suspended. Nothing is paid ahead here, and all are fees."""
    due, paused, accepted = None, None, False
    waits = set[str]()
    for e in told:
        step = e.data.event.removeprefix("dossier.")
        named = step == "extended" or (step == "accepted" and not accepted)
        accepted = accepted or step == "accepted"
        match step:
            case "supplement_requested" | "payment_requested":
                waits.add(step)
            case "stopped" if last_start and e.time < last_start:
                waits.add(step)
            case "supplement_received":
                waits.discard("supplement_requested")
            case "payment.made":
                waits.discard("payment_requested")
            case "processing_started":
                waits &= {"supplement_requested"} if waits != {"supplement_requested"} else set()
        if named:
            waits = waits if step == "extended" else set()
            due, paused = _promised(e), e.time if waits else None
        elif due and bool(waits) != bool(paused):
            due, paused = (due, e.time) if waits else (_over(due, paused or e.time, e.time), None)
    return due, paused


def _over(due: datetime, since: datetime, until: datetime) -> datetime:
    later = _later(due, since, until)
    return due if local_day(due) < local_day(since) and local_day(later) >= local_day(until) else later


def _promised(e: Event) -> datetime:
    if text := e.fields.get("promised_at"):
        return datetime.fromisoformat(text)
    return OFFICE.due_at(e.time, Limit(e.fields.get("limit_days", 0), e.fields.get("limit_hours", 0)))


def _later(due: datetime, since: datetime, until: datetime) -> datetime:
    waited = OFFICE.working_time_between(since, until)
    return OFFICE.add_working_time(due, waited) if waited else due


def _stage(due: datetime | None, paused: datetime | None, today: date) -> str | None:
    if due is None:
        return None
    day = local_day(due)
    if paused:
        return "overdue" if local_day(paused) > day else None
    if today >= day:
        return "today" if today == day else "overdue"
    return (
        "soon" if OFFICE.working_days_between(today, day) <= 3 and today >= OFFICE.add_working_days(day, -3) else None
    )


class Report(NamedTuple):
    """A report as known at a moment; `done`, `refused` and `reopened` count."""

    unit: str
    done: int
    refused: int
    in_time: int
    reopened: int
    open: bool
    waiting: bool
    late: bool


def report(life: Iterable[Event], t: datetime) -> Report | None:
    """None until it came."""
    told = sorted((e for e in life if e.time <= t), key=_time)
    if not told:
        return None
    urgent, due = told[0].fields["priority"] == "urgent", None
    done = refused = in_time = reopened = 0
    waiting = False
    for e in told:
        step = e.data.event.removeprefix("report.")
        if step == "received" or (step == "reopened" and due is None):
            due, waiting = e.time + URGENT if urgent else OFFICE.due_at(e.time, NORMAL), True
            reopened += step == "reopened"
        elif due and step in ("routed", "accepted", "resolved", "refused"):
            waiting = False
            if step == "resolved":
                done, in_time = done + 1, in_time + (e.time <= due)
            if step in ("resolved", "refused"):
                refused, due = refused + (step == "refused"), None
    return Report(
        told[0].unit, done, refused, in_time, reopened, due is not None, waiting, due is not None and due <= t
    )


class World:
    """All events there are, by what they are about."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list(events)
        self._by: dict[str, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
        for e in self.events:
            for kind, id in e.touches:
                self._by[kind][id].append(e)

    def tally(self, q: Question, t: datetime) -> Counter[str]:
        """Everything countable at a moment, in the unit asked for."""
        found: Counter[str] = Counter()
        for life in self._by["dossier"].values():
            if (d := dossier(life, t)) and q.covers(d.unit):
                state = [f"in hand {d.stage}"] if d.outcome is None else ["ended", f"ended {d.outcome}", d.result or ""]
                late = "overdue" in (d.outcome, d.stage)
                again = (
                    [f"asked again {'open' if d.outcome is None else 'ended'}"] if d.asked_again and not late else []
                )
                found.update(["received", f"received {d.channel}", *state, *again])
        for life in self._by["report"].values():
            if (r := report(life, t)) and q.covers(r.unit):
                numbers = {"reports": 1, "done": r.done, "done in time": r.in_time, "reopened": r.reopened}
                found.update(numbers | {"open": r.open, "waiting": r.waiting, "late": r.late})
        for e in self.events:
            if e.time <= t and e.data.event.startswith("payment.") and q.covers(e.unit):
                what = e.fields["kind"] if e.data.event == "payment.made" else "refund"
                found.update({f"{what} count": 1, f"{what} amount": e.fields["amount"]})
        return found

    def signs(self, q: Question, family: str) -> list[datetime]:
        """The local midnights of the days on which the unit is known to have been at work."""
        return sorted({midnight(local_day(t)) for t in self._signs(q, family) if t <= q.as_of})

    def _signs(self, q: Question, family: str) -> Iterator[datetime]:
        if family == "payment":
            yield from (e.time for e in self.events if e.data.event == "payment.made" and q.covers(e.unit))
            return
        at: Callable[[list[Event], datetime], Any] = _signs_of_dossier if family == "dossier" else _signs_of_report
        for life in self._by[family].values():
            for e in life:
                before, after = at(life, e.time - TICK), at(life, e.time)
                if before != after and any(q.covers(known[0]) for known in (before, after) if known):
                    yield e.time


def _signs_of_dossier(life: list[Event], t: datetime) -> Any:
    known = dossier(life, t)
    return known and known[:5]


def _signs_of_report(life: list[Event], t: datetime) -> Any:
    known = report(life, t)
    return known and known[:3]


Part = tuple[str, tuple[str, ...]]
"""The family whose signs of life tell 0 from unknown, and what is counted, added up."""
_HAND = ("in hand None", "in hand soon", "in hand today", "in hand overdue")
FLOWS: dict[str, Part] = {
    "dossiers_received": ("dossier", ("received",)),
    "dossiers_received_online": ("dossier", ("received online",)),
    "dossiers_ended": ("dossier", ("ended",)),
    "dossiers_stopped": ("dossier", ("stopped",)),
    "dossiers_refused": ("dossier", ("refused",)),
    "ii06_04": ("dossier", ("received online",)),
    "ii06_05": ("dossier", ("received counter", "received post")),
    "ii06_07": ("dossier", ("ended",)),
    "ii06_08": ("dossier", ("ended early",)),
    "ii06_09": ("dossier", ("ended on_time",)),
    "ii06_10": ("dossier", ("ended overdue",)),
    "reports_received": ("report", ("reports",)),
    "reports_resolved": ("report", ("done",)),
    "reports_reopened": ("report", ("reopened",)),
    "payments_tax_count": ("payment", ("tax count",)),
    "payments_tax_amount": ("payment", ("tax amount",)),
    "payments_fee_count": ("payment", ("fee count",)),
    "payments_fee_amount": ("payment", ("fee amount",)),
    "payments_count": ("payment", ("tax count", "fee count")),
    "payments_amount": ("payment", ("tax amount", "fee amount")),
    "refunds_amount": ("payment", ("refund amount",)),
}
STOCKS: dict[str, Part] = {
    "dossiers_in_progress": ("dossier", _HAND),
    "dossiers_open_overdue": ("dossier", ("in hand overdue",)),
    "dossiers_due_today": ("dossier", ("in hand today",)),
    "dossiers_due_soon": ("dossier", ("in hand soon", "in hand today")),
    "ii06_11": ("dossier", _HAND),
    "ii06_12": ("dossier", _HAND[:3]),
    "ii06_13": ("dossier", ("in hand overdue",)),
    "reports_in_progress": ("report", ("open",)),
    "reports_waiting": ("report", ("waiting",)),
    "reports_overdue": ("report", ("late",)),
}
SHARES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "on_time_share": ("dossier", ("ended early", "ended on_time"), ("ended",)),
    "reports_in_time_share": ("report", ("done in time",), ("done",)),
}
OF_766 = ("dossiers_handled", "dossiers_in_time", "dossiers_asked_again")
CODES = (*FLOWS, *STOCKS, *SHARES, *OF_766, "ii06_03", "ii06_06", "overdue_share")
Figures = dict[str, Decimal | None]


def figures(world: World, q: Question) -> Figures:
    """All of `CODES`; None is unknown."""
    before, after = (world.tally(q, t) for t in q.moments)
    signs = {family: world.signs(q, family) for family in ("dossier", "report", "payment")}

    def flow(family: str, parts: tuple[str, ...]) -> Decimal | None:
        if midnight(q.first) > q.as_of:
            return None
        known = signs[family] and signs[family][0] <= q.moments[1] and signs[family][-1] + DAY > midnight(q.first)
        number = sum(after[p] - before[p] for p in parts)
        return Decimal(number) if number or known else None

    def stock(at: Counter[str], family: str, parts: tuple[str, ...]) -> Decimal | None:
        known = midnight(q.first) <= q.as_of and signs[family] and signs[family][0] <= q.moments[1]
        return Decimal(sum(at[p] for p in parts)) if known else None

    found: Figures = {code: flow(*part) for code, part in FLOWS.items()}
    found |= {code: stock(after, *part) for code, part in STOCKS.items()}
    found |= {code: ratio(flow(f, above), flow(f, below)) for code, (f, above, below) in SHARES.items()}
    found["ii06_06"] = stock(before, "dossier", _HAND)
    found["ii06_03"] = plus(found["dossiers_received"], found["ii06_06"])
    again = plus(stock(after, "dossier", ("asked again open",)), flow("dossier", ("asked again ended",)))
    in_time = plus(flow("dossier", ("ended early", "ended on_time")), stock(after, "dossier", _HAND[:3]))
    found["dossiers_handled"] = plus(found["ii06_07"], found["ii06_11"])
    found["dossiers_asked_again"] = again
    found["dossiers_in_time"] = None if in_time is None or again is None else in_time - again
    late, all_of_them = plus(found["ii06_10"], found["ii06_13"]), plus(found["ii06_07"], found["ii06_11"])
    return found | {"overdue_share": ratio(late, all_of_them)}


def plus(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    return None if a is None or b is None else a + b


def ratio(above: Decimal | None, below: Decimal | None) -> Decimal | None:
    return None if above is None or not below else above / below * 100
