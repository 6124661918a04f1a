"""The dossiers of one unit as they would go if time did not end: what is filed, promised, paid, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Literal

from schemas.calendar import VN, WORKING_DAY, WorkCalendar
from schemas.types import Channel
from services.simulator.november_2024 import moments, tables
from services.simulator.november_2024.moments import CLOSE
from services.simulator.november_2024.offers import Cell, Obligation, Offer, Profile, cells, offers, seeded
from services.simulator.november_2024.splits import amounts

End = Literal["resolved", "refused", "withdrawn", "stopped"]
CALENDAR = WorkCalendar.base()
NOVEMBER = datetime.combine(moments.FIRST_DAY, time(7), VN)

# Shares in percent, where no table says more.
PAID_ONLINE = 72  # of the obligations in districts; those of departments are paid at the counter: 68% together
OBLIGED_IN_DEPARTMENTS = 8
BY_POST = 6
SUPPLEMENTS = 16  # of the dossiers that take five days or more: about 4 of all


@dataclass(slots=True)
class Due:
    """A tax or fee of a dossier; `paid` is None where it is not paid online."""

    kind: Obligation
    amount: int
    requested: datetime
    paid: datetime | None = None


@dataclass(slots=True)
class Dossier:
    """One dossier's course. Times are local and may lie after the scenario's end; what does has not happened."""

    channel: Channel
    submitted: datetime
    offer: Offer
    end: End
    ended: datetime
    accepted: datetime | None = None
    promised: datetime | None = None
    supplement: tuple[datetime, datetime] | None = None
    due: Due | None = None

    def worked(self) -> timedelta:
        """Working time between acceptance and the end, or the scenario's end; zero where it was not accepted."""
        return CALENDAR.working_time_between(self.accepted, min(self.ended, CLOSE)) if self.accepted else timedelta()


def dossiers(profile: Profile, overdue: int) -> tuple[list[Dossier], Random]:
    """A unit's dossiers by time of filing, exactly `overdue` of them late; and the source of all further chance."""
    rng = seeded(profile.unit)
    planned = list(_planned(profile, rng))
    _delay(planned, overdue, rng)
    _oblige(profile, planned, rng)
    _ask_for_supplements(planned, rng)
    return sorted(planned, key=lambda d: d.submitted), rng


def obligations(profile: Profile) -> dict[Obligation, int]:
    """How many dossiers of a unit have a tax or fee to pay: in districts as many as fit the payments made online."""
    paid = tables.payments().get(profile.unit)
    if paid:
        return {"tax": paid["tax"].payments * 100 // PAID_ONLINE, "fee": paid["fee"].payments * 100 // PAID_ONLINE}
    kinds = {offer.obligation for offer in offers(profile) if offer.obligation}
    return dict.fromkeys(sorted(kinds), profile.dossiers * OBLIGED_IN_DEPARTMENTS // 100)


def _planned(profile: Profile, rng: Random) -> Iterator[Dossier]:
    used = offers(profile)[: profile.used]
    wanted = weights(used, profile)
    october, to_23rd, rest = cells(profile)
    long = [(offer, weight) for offer, weight in zip(used, wanted, strict=True) if offer.limit >= 10]
    for channel, filed in _filings(moments.OCTOBER, october, rng):
        yield _carried_over(channel, filed, rng.choices(*zip(*long, strict=True))[0], rng)
    # Every service in use has at least one online dossier by the 23rd: the report's first percentage.
    waiting = rng.sample(used, len(used))
    for span, cell in ((moments.TO_23RD, to_23rd), (moments.REST, rest)):
        filings = list(_filings(span, cell, rng))
        for (channel, filed), offer in zip(filings, rng.choices(used, wanted, k=len(filings)), strict=True):
            requested = waiting.pop() if waiting and channel == "online" else offer
            yield course(channel, filed, requested, rng)


def weights(used: Sequence[Offer], profile: Profile) -> list[float]:
    """Some procedures are asked for much more than others; those that cost something often enough for the payments."""
    obliged: dict[Obligation | None, float] = {
        kind: (1.25 * count + 50) / profile.dossiers for kind, count in obligations(profile).items()
    }
    wanted = {**obliged, None: 1 - sum(obliged.values())}
    groups: dict[Obligation | None, list[Offer]] = {}
    for offer in used:
        groups.setdefault(offer.obligation, []).append(offer)
    total = {kind: sum(1 / (rank + 2) for rank in range(len(group))) for kind, group in groups.items()}
    return [wanted[o.obligation] / (groups[o.obligation].index(o) + 2) / total[o.obligation] for o in used]


def _filings(span: tuple[date, date], cell: Cell, rng: Random) -> Iterator[tuple[Channel, datetime]]:
    for filed in moments.filings(span, cell.online, "online", rng):
        yield "online", filed
    for filed in moments.filings(span, cell.received - cell.online, "counter", rng):
        yield "post" if rng.randrange(100) < BY_POST else "counter", filed


def _accepted(channel: Channel, filed: datetime, rng: Random) -> datetime:
    """At the counter within minutes; what comes online or by post waits for its turn, within a working day."""
    seconds = rng.randrange(180, 1200) if channel == "counter" else rng.randrange(600, 27000)
    return after(filed, seconds)


def after(t: datetime, seconds: float) -> datetime:
    """The moment after so many seconds of working time."""
    return CALENDAR.add_working_time(t, timedelta(seconds=int(seconds)))


def course(channel: Channel, filed: datetime, offer: Offer, rng: Random) -> Dossier:
    """How a dossier filed then would go, in time."""
    fate = rng.randrange(1000)
    accepted = _accepted(channel, filed, rng)
    if fate < 7:
        return Dossier(channel, filed, offer, "refused", accepted)
    end: End = "withdrawn" if fate < 11 else "stopped" if fate < 14 else "resolved"
    # One in four is done on the last day, most long before; nobody withdraws at the last moment.
    percent = (
        rng.randrange(10, 60)
        if end != "resolved"
        else rng.randrange(92, 101)
        if fate % 4 == 0
        else rng.randrange(25, 88)
    )
    limit = offer.limit * WORKING_DAY
    ended = CALENDAR.add_working_time(accepted, limit * percent / 100)
    promised = CALENDAR.add_working_time(accepted, limit)
    return Dossier(channel, filed, offer, end, ended.replace(microsecond=0), accepted, promised)


def _carried_over(channel: Channel, filed: datetime, offer: Offer, rng: Random) -> Dossier:
    """A dossier of October that is still open when November begins, and will end in time."""
    accepted = _accepted(channel, filed, rng)
    promised = CALENDAR.add_working_time(accepted, offer.limit * WORKING_DAY)
    opening = max(accepted, NOVEMBER)
    left = CALENDAR.working_time_between(opening, promised).total_seconds()
    ended = after(opening, left * rng.randrange(20, 101) / 100)
    return Dossier(channel, filed, offer, "resolved", ended, accepted, promised)


def _is_late(dossier: Dossier) -> bool:
    return dossier.promised is not None and dossier.ended.date() > dossier.promised.date()


def _delay(planned: Iterable[Dossier], overdue: int, rng: Random) -> None:
    """Let exactly `overdue` dossiers pass their promised day before the scenario ends."""
    candidates = [d for d in planned if d.end == "resolved" and d.promised and d.promised.date() < moments.END]
    for dossier in rng.sample(candidates, overdue):
        assert dossier.promised is not None
        dossier.ended = CALENDAR.add_working_time(dossier.promised, rng.randint(1, 6) * WORKING_DAY)


def _oblige(profile: Profile, planned: Sequence[Dossier], rng: Random) -> None:
    """Give dossiers of November their tax or fee, and let as many pay online as the table says, to the đồng."""
    paid = tables.payments().get(profile.unit, {})
    for kind, count in obligations(profile).items():
        able = [d for d in planned if d.offer.obligation == kind and d.end == "resolved" and _can_pay(d)]
        sums = amounts(paid[kind].total, paid[kind].payments, rng) if kind in paid else []
        for i, dossier in enumerate(rng.sample(able, count)):
            amount = sums[i] if i < len(sums) else rng.choice(sums or (20_000, 50_000, 100_000, 150_000))
            dossier.due = _without_wait(dossier, _due(kind, amount, dossier, i < len(sums), rng))


def _without_wait(dossier: Dossier, due: Due) -> Due | None:
    """Who waits for a payment is not late meanwhile: a late dossier was paid at once, or had nothing to pay."""
    if not _is_late(dossier):
        return due
    return replace(due, paid=due.requested) if due.paid else None


def _can_pay(dossier: Dossier) -> bool:
    return dossier.submitted >= NOVEMBER and dossier.worked() >= timedelta(minutes=30)


def _due(kind: Obligation, amount: int, dossier: Dossier, online: bool, rng: Random) -> Due:
    assert dossier.accepted is not None
    span = dossier.worked().total_seconds()
    requested = after(dossier.accepted, span * rng.randrange(5, 40) / 100)
    if not online:
        return Due(kind, amount, requested)
    paid = after(requested, span * rng.randrange(5, 50) / 100)
    evening = moments.moment(requested.date(), "weekend", rng)
    # Some pay at home on the evening of the request, where the dossier waits for it.
    at_home = rng.randrange(8) == 0 and requested < evening < min(dossier.ended, CLOSE)
    return Due(kind, amount, requested, evening if at_home else paid)


def _ask_for_supplements(planned: Iterable[Dossier], rng: Random) -> None:
    """Let some wait for papers, and end before the promised day as it was at first: in time on any calendar."""
    for dossier in planned:
        long = dossier.offer.limit >= 5 and dossier.end == "resolved" and not dossier.due
        if long and not _is_late(dossier) and rng.randrange(100) < SUPPLEMENTS:
            assert dossier.accepted is not None
            span = CALENDAR.working_time_between(dossier.accepted, dossier.ended).total_seconds()
            requested = after(dossier.accepted, span * rng.randrange(10, 30) / 100)
            dossier.supplement = requested, after(requested, span * rng.randrange(20, 45) / 100)
