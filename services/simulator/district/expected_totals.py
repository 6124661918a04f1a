"""The simulator's own books of what it has sent: plain counts, and for what has a life, its last state. No fold, no
reading; so the figures that come of it are a second opinion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from schemas.calendar import VN, Limit, local_day
from schemas.envelope import Event
from services.simulator.district.hours import CALENDAR

AREA = ""
"""The name of the whole district among the units."""
Figures = dict[tuple[str, str], Decimal]
Row = tuple[str, str, Decimal | int]
"""(indicator, unit, amount)"""

HOTLINE = "hotline_1022"
# event -> (what is counted, how much of it one event is; None: this one is not)
_COUNTED: dict[str, tuple[tuple[str, Callable[[Any], int | None]], ...]] = {
    "dossier.submitted": (
        ("dossiers_received", lambda d: 1),
        ("dossiers_received_online", lambda d: int(d.channel == "online")),
        ("dossiers_received_counter", lambda d: int(d.channel == "counter")),
    ),
    "dossier.supplement_requested": (("supplements_requested", lambda d: 1),),
    "dossier.extended": (("dossiers_extended", lambda d: 1),),
    "dossier.refused": (("dossiers_refused", lambda d: 1),),
    "dossier.withdrawn": (("dossiers_withdrawn", lambda d: 1),),
    "dossier.stopped": (("dossiers_stopped", lambda d: 1),),
    "payment.made": (
        ("payments_count", lambda d: 1),
        ("payments_amount", lambda d: d.amount),
        ("payments_tax_amount", lambda d: d.amount if d.kind == "tax" else None),
        ("payments_fee_amount", lambda d: d.amount if d.kind == "fee" else None),
    ),
    "payment.refunded": (("refunds_amount", lambda d: d.amount),),
    "report.received": (
        ("reports_received", lambda d: 1),
        ("hotline_received", lambda d: int(d.channel == HOTLINE)),
    ),
    "report.reopened": (("reports_reopened", lambda d: 1),),
}
_ENDS = {"dossier.resolved", "dossier.refused", "dossier.withdrawn", "dossier.stopped"}
_OF_OTHER_DOORS = {"dossier.rated", "dossier.synchronised", "report.rated"}
"""They may come before what they are about, and no figure here rests on them."""
_TOUCHED = {"report.routed", "report.accepted", "report.resolved", "report.refused"}


@dataclass(slots=True)
class Dossier:
    """What is known of one dossier."""

    unit: str
    due: datetime | None = None
    waiting: datetime | None = None
    requested: datetime | None = None
    ended: datetime | None = None


@dataclass(slots=True)
class Report:
    """What is known of one field report, since it was received or last reopened."""

    unit: str
    hotline: bool
    urgent: bool
    since: datetime
    touched: bool = False
    ended: bool = False


@dataclass
class Books:
    """Told every meant event once, in the order of sending; `figures` gives what should be read as of a moment."""

    counts: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    dossiers: dict[str, Dossier] = field(default_factory=dict)
    paid: dict[str, datetime] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    latest: dict[tuple[Any, ...], tuple[tuple[Any, ...], Any]] = field(default_factory=dict)
    opened: dict[tuple[str, str], Event] = field(default_factory=dict)
    steps: dict[tuple[str, str], Event] = field(default_factory=dict)

    def tell(self, event: Event) -> None:
        """Enter one event."""
        name, data = event.data.event, event.data
        for figure, amount in _COUNTED.get(name, ()):
            if value := amount(data):
                self.counts[figure, event.unit] += value
        kind = name.partition(".")[0]
        if kind == "dossier":
            self._dossier(event, data)
        elif kind == "report":
            self._report(event, data)
        elif name == "payment.made":
            self._paid(event, data)
        elif name in LIFECYCLE:
            (self.opened if name in OPENINGS else self.steps)[name, getattr(data, LIFECYCLE[name])] = event
        elif name in REPLACING:
            self._replace(name, event, data)

    def _dossier(self, event: Event, data: Any) -> None:
        if data.event == "dossier.submitted":
            self.dossiers[data.code] = Dossier(event.unit)
            return
        if data.event in _OF_OTHER_DOORS:
            return
        dossier, at = self.dossiers[data.code], event.time
        match data.event:
            case "dossier.accepted":
                limit = data.limit_days and CALENDAR.due_at(at, Limit(days=data.limit_days))
                dossier.due = data.promised_at or limit
            case "dossier.extended":
                dossier.due = data.promised_at
            case "dossier.supplement_requested":
                dossier.waiting = at
            case "dossier.payment_requested":
                dossier.requested = at
            case "dossier.supplement_received":
                dossier.due, dossier.waiting = _moved(dossier, at), None
            case name if name in _ENDS:
                dossier.ended = at

    def _paid(self, event: Event, data: Any) -> None:
        """Money comes by a door of its own, maybe before or after all that is told of its dossier."""
        if data.dossier:
            self.paid[data.dossier] = event.time

    def _report(self, event: Event, data: Any) -> None:
        name = data.event
        if name == "report.received":
            urgent, hotline = data.priority == "urgent", data.channel == HOTLINE
            self.reports[data.code] = Report(event.unit, hotline, urgent, event.time)
            return
        if name in _OF_OTHER_DOORS:
            return
        report = self.reports[data.code]
        if name == "report.reopened":
            report.since, report.touched, report.ended = event.time, False, False
        report.touched |= name in _TOUCHED
        if name == "report.routed" and report.hotline:
            self.counts["hotline_forwarded", report.unit] += 1
        if name in ("report.resolved", "report.refused"):
            report.ended = True
            self.counts["reports_resolved", report.unit] += name == "report.resolved"
            self.counts["reports_refused", report.unit] += name == "report.refused"
            self.counts["hotline_processed", report.unit] += report.hotline
            self.counts["hotline_answered", report.unit] += report.hotline and data.handling == "answered"

    def _replace(self, name: str, event: Event, data: Any) -> None:
        """Keep the last word on one thing: the highest revision, then the latest."""
        family, fields = REPLACING[name]
        key = (family, event.unit, *(getattr(data, f) for f in fields))
        rank = (getattr(data, "revision", 0), event.time)
        if key not in self.latest or rank > self.latest[key][0]:
            self.latest[key] = rank, data

    def latest_of(self, family: str) -> Iterator[tuple[str, Any]]:
        """(unit, the last word) on each thing of a family."""
        return ((key[1], data) for key, (_, data) in self.latest.items() if key[0] == family)

    def figures(self, until: datetime) -> Figures:
        """All figures of each unit and of the `AREA`, as of a moment."""
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for rows in (self._counted(), self._open(until), self._lived(), self._reported(), self._stated()):
            for indicator, unit, amount in rows:
                found[indicator, unit] += Decimal(amount)
                found[indicator, AREA] += Decimal(amount)
        return dict(found) | dict(self._attendance())

    def _counted(self) -> Iterator[Row]:
        return ((figure, unit, amount) for (figure, unit), amount in self.counts.items())

    def _open(self, until: datetime) -> Iterator[Row]:
        for code, dossier in self.dossiers.items():
            known = _as_paid(dossier, self.paid.get(code), until)
            if dossier.ended:
                yield "dossiers_ended", dossier.unit, 1
                yield f"dossiers_ended_{_outcome(known, dossier.ended)}", dossier.unit, 1
            else:
                yield "dossiers_in_progress", dossier.unit, 1
                yield "dossiers_open_overdue", dossier.unit, int(_is_overdue(known, until))
        for report in self.reports.values():
            if not report.ended:
                yield "reports_in_progress", report.unit, 1
                yield "hotline_in_progress", report.unit, int(report.hotline)
                yield "reports_waiting", report.unit, int(not report.touched)
                yield "reports_overdue", report.unit, int(_is_late(report, until))

    def _lived(self) -> Iterator[Row]:
        """What opens and closes; a close whose opening was not heard of does not count yet."""
        for (name, id), start in self.opened.items():
            total, still_open, closing = OPENINGS[name]
            end = self.steps.get((closing, id))
            if total:
                yield total, start.unit, 1
            yield still_open, start.unit, int(end is None)
            if end and name == "service.down":
                yield "outage_time", start.unit, int((end.time - start.time).total_seconds()) // 60
            if ("disease.confirmed", id) in self.steps:
                yield "disease_cases_confirmed", start.unit, 1

    def _reported(self) -> Iterator[Row]:
        for family, rows in SUMMED.items():
            for unit, data in self.latest_of(family):
                for indicator, amount in rows:
                    yield indicator, unit, amount(data)
        for family, (label, rows) in LEVELS.items():
            last: dict[tuple[str, Any], Any] = {}
            for unit, data in sorted(self.latest_of(family), key=lambda known: known[1].day):
                last[unit, getattr(data, label) if label else None] = data
            for (unit, _), data in last.items():
                for indicator, amount in rows:
                    yield indicator, unit, amount(data)

    def _stated(self) -> Iterator[Row]:
        """The statement on the latest period, target or value."""
        for family, part, suffix in (("statement", "value", ""), ("target", "target", "_plan")):
            last: dict[tuple[str, str], Any] = {}
            for unit, data in sorted(
                self.latest_of(family), key=lambda known: (known[1].period_end, known[1].period_start)
            ):
                last[unit, data.indicator] = data
            for (unit, indicator), data in last.items():
                yield f"{indicator}{suffix}", unit, getattr(data, part)

    def _attendance(self) -> Iterator[tuple[tuple[str, str], Decimal]]:
        present: defaultdict[str, int] = defaultdict(int)
        enrolled: defaultdict[str, int] = defaultdict(int)
        for unit, data in self.latest_of("attendance"):
            for group in (unit, AREA):
                present[group] += data.present
                enrolled[group] += data.enrolled
        return ((("attendance_share", g), Decimal(present[g]) / enrolled[g] * 100) for g in enrolled if enrolled[g])


def _as_paid(dossier: Dossier, paid: datetime | None, until: datetime) -> Dossier:
    """The dossier, waiting for its payment until that has come."""
    if dossier.requested is None:
        return dossier
    waits = replace(dossier, waiting=dossier.requested)
    if paid is None or paid > (dossier.ended or until):
        return waits
    return replace(waits, due=_moved(waits, max(paid, dossier.requested)), waiting=None)


def _outcome(dossier: Dossier, ended: datetime) -> str:
    due = _moved(dossier, ended)
    end, promised = local_day(ended), local_day(due or ended)
    return "early" if end < promised else "on_time" if end == promised else "overdue"


def _moved(dossier: Dossier, at: datetime) -> datetime | None:
    """The due date, later by the working time that was waited."""
    if dossier.due is None or dossier.waiting is None:
        return dossier.due
    waited = CALENDAR.working_time_between(dossier.waiting, at)
    return CALENDAR.add_working_time(dossier.due, waited) if waited and dossier.due > dossier.waiting else dossier.due


def _is_overdue(dossier: Dossier, until: datetime) -> bool:
    """From the midnight after the promised day; who waits is not overdue unless it was so before."""
    if dossier.due is None:
        return False
    lapsed = _midnight(local_day(dossier.due) + timedelta(days=1))
    return lapsed <= until and not (dossier.waiting and lapsed > dossier.waiting)


def _is_late(report: Report, until: datetime) -> bool:
    """The levels agreed with the units: two hours for what is urgent, else five working days."""
    due = report.since + timedelta(hours=2) if report.urgent else CALENDAR.due_at(report.since, Limit(days=5))
    return due <= until


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), VN)


# opening -> (figure of all, if there is one; figure of those still open; what closes it)
OPENINGS: dict[str, tuple[str, str, str]] = {
    "disease.notified": ("disease_cases", "disease_cases_open", "disease.closed"),
    "outbreak.declared": ("", "outbreaks_open", "outbreak.closed"),
    "alert.raised": ("security_alerts", "security_alerts_open", "alert.closed"),
    "service.down": ("service_outages", "services_down", "service.up"),
    "incident.opened": ("", "security_incidents_open", "incident.closed"),
    "crisis.opened": ("", "crises_open", "crisis.closed"),
}
# every event of what opens and closes -> the field that names it
LIFECYCLE: dict[str, str] = {
    "disease.notified": "case", "disease.confirmed": "case", "disease.closed": "case",
    "outbreak.declared": "outbreak", "outbreak.closed": "outbreak",
    "alert.raised": "code", "alert.closed": "code", "service.down": "outage", "service.up": "outage",
    "incident.opened": "code", "incident.closed": "code", "crisis.opened": "crisis", "crisis.closed": "crisis",
}  # fmt: skip
# event -> (family, the fields that with the unit name the thing it is the last word on)
REPLACING: dict[str, tuple[str, tuple[str, ...]]] = {
    "procedure.published": ("service", ("procedure",)),
    "indicator.reported": ("statement", ("indicator", "period_start", "period_end")),
    "indicator.revised": ("statement", ("indicator", "period_start", "period_end")),
    "indicator.target_set": ("target", ("indicator", "period_start", "period_end")),
    "attendance.reported": ("attendance", ("school", "level", "day")),
    "roster.reported": ("roster", ("level", "day")),
    "school_fee.reported": ("fee", ("level", "day")),
    "visits.reported": ("visits", ("facility", "day")),
    "beds.reported": ("beds", ("facility", "day")),
    "health_record.linked": ("record", ("facility", "day")),
    "feature.upserted": ("feature", ("feature",)),
    "feature.retired": ("feature", ("feature",)),
    "antivirus.reported": ("antivirus", ("day",)),
    "mention.aggregated": ("mention", ("day", "hour", "source", "topic", "tone")),
    "topic.spiked": ("spike", ("day", "hour", "topic")),
}
Amounts = tuple[tuple[str, Callable[[Any], int]], ...]
# family -> what each of its things adds
SUMMED: dict[str, Amounts] = {
    "service": (("services_online", lambda d: int(d.offered and d.online_level != "none")),),
    "fee": (("school_fees_amount", lambda d: d.amount),),
    "visits": (("visits", lambda d: d.visits),),
    "record": (("health_records_linked", lambda d: d.linked),),
    "mention": (("mentions", lambda d: d.count), ("mentions_negative", lambda d: d.count * (d.tone == "negative"))),
    "spike": (("topics_spiked", lambda d: 1),),
    "feature": (
        ("map_features", lambda d: int(d.event == "feature.upserted")),
        ("map_cameras", lambda d: int(getattr(d, "layer", "") == "camera")),
    ),
}
# family -> (the label of its series, what the last day of each adds)
LEVELS: dict[str, tuple[str, Amounts]] = {
    "roster": (
        "level",
        (
            ("schools", lambda d: d.schools),
            ("classes", lambda d: d.classes),
            ("pupils", lambda d: d.pupils),
            ("teachers", lambda d: d.teachers),
        ),
    ),
    "beds": ("facility", (("beds", lambda d: d.beds), ("beds_free", lambda d: d.beds - d.occupied))),
    "antivirus": ("", (("antivirus_installs", lambda d: d.installs),)),
}
