"""What looks wrong in the data themselves, beside the sums that must agree: reports that differ from what is counted,
rows that look copied, shares that cannot be, silent sources, gaps in what they sent, ends told after the due date,
promises dated before those that were told earlier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from psycopg import Connection

from schemas import units
from schemas.calendar import local_day
from schemas.envelope import TYPE_PREFIX
from schemas.freshness import is_stale
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.formula import Last, Ratio, Statement, Stock, Sum
from schemas.indicators.label_texts import source_name
from schemas.text.dates import day, day_and_time
from schemas.text.numbers import exact
from services.kit.facts import stored_calendars
from services.readings import statements
from services.readings.evaluate import ALL, Scope, evaluate_all
from services.readings.finding import Finding, resting_on
from services.readings.period import Period
from services.readings.read import round_half_up
from services.readings.sources import REGULAR, sources

REPORTED = "reported_"
LOOKED_BACK = timedelta(days=400)
"""Reports of days before that are not held against counts any more."""
COPIED = 5
"""So many different numbers in a row of a report are not alike by chance."""
LATE_DAYS = timedelta(days=30)
GAP_DAYS, GAP_LEAST = timedelta(days=14), timedelta(hours=1)
LATE = timedelta(hours=24)
"""How much later than it happened a real event may be recorded: offices send what they did at the end of their day. No
office is late with what is simulated or shifted: a past that a centre is filled with happened to nobody."""
ENDS = tuple(f"{TYPE_PREFIX}dossier.{step}.v1" for step in ("resolved", "returned", "stopped", "refused", "withdrawn"))
CODES = (
    "reported_differs",
    "impossible_share",
    "copied_row",
    "silent_source",
    "gap",
    "back_dated_end",
    "back_dated_promise",
)
"""The codes of all findings that this module makes."""


def data_checks(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """All of them as of a moment, within the caller's snapshot. What is told of recording is as of what was recorded by
    then, so that it stays true."""
    stated = _reported(conn, as_of)
    yield from _differing(conn, stated, as_of)
    yield from _impossible(conn, as_of)
    yield from _copied(stated)
    yield from _silent(conn, as_of)
    yield from _gaps(conn, as_of)
    yield from _back_dated(conn, as_of)


Place = tuple[str, date, date]
Reported = dict[Place, dict[str, Decimal]]
"""(unit, first day, last day) -> what is counted -> what was reported of it."""


def _reported(conn: Connection, as_of: datetime) -> Reported:
    since = local_day(as_of - LOOKED_BACK)
    found: Reported = defaultdict(dict)
    for code, indicator in CATALOGUE.items():
        counted, formula = code.removeprefix(REPORTED), indicator.formula
        if counted != code and counted in CATALOGUE and isinstance(formula, Statement):
            for one in statements.stated_up_to(conn, formula.indicator, "statistic", None, as_of):
                if one.basis == "table" and one.last >= since and (said := one.part(formula.part)) is not None:
                    found[one.unit, one.first, one.last][counted] = said
    return found


def _differing(conn: Connection, reported: Reported, as_of: datetime) -> Iterator[Finding]:
    """A unit reports another number than the centre counts of the same days; of days that are over alone."""
    for (unit, first, last), row in reported.items():
        if last >= local_day(as_of):
            continue
        scope = Scope.of(unit, Period(first, last, as_of))
        values = evaluate_all(conn, [CATALOGUE[code].formula for code in row], scope)
        for (code, said), found in zip(row.items(), values, strict=True):
            if (counted := found[ALL].value) is None or (counted := as_rounded(counted, said)) == said:
                continue
            indicator = CATALOGUE[code]
            vi = f"{indicator.vi}: đơn vị báo cáo {exact(said)}, hệ thống đếm được {exact(counted)}"
            en = f"{indicator.en}: reported {exact(said, 'en')}, counted {exact(counted, 'en')}"
            concerned = frozenset({code, REPORTED + code})
            yield Finding("reported_differs", vi, en, unit, first, last, said, counted, code, concerned)


def as_rounded(counted: Decimal, said: Decimal) -> Decimal:
    """A counted share with as many decimals as the reported one has: a report is rounded."""
    exponent = said.as_tuple().exponent
    return counted.quantize(Decimal(1).scaleb(min(int(exponent), 0)), "ROUND_HALF_UP")


def _impossible(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """A share below 0 or above 100 per cent: as it is stated, and as it is counted of what there is at the moment. Of
    what happens in a period and what becomes of it later a small unit's share may be so for a while."""
    counted = list[Indicator]()
    for indicator in CATALOGUE.values():
        match indicator.formula:
            case Statement(statistic, "value" | "ratio" as part):
                for one in statements.stated_up_to(conn, statistic, "statistic", None, as_of):
                    if (said := one.part(part)) is not None and not indicator.is_possible(said):
                        yield _no_share(indicator, said, one.unit, one.first, one.last)
            case Ratio(_, Stock() | Last()) if indicator.unit == "%":
                counted.append(indicator)
    scope = Scope.of(None, Period.of(as_of), "unit")
    for indicator, values in zip(counted, evaluate_all(conn, [i.formula for i in counted], scope), strict=True):
        for unit, found in values.items():
            if found.value is not None and not indicator.is_possible(found.value):
                yield _no_share(indicator, found.value, unit)


def _no_share(of: Indicator, said: Decimal, unit: str, first: date | None = None, last: date | None = None) -> Finding:
    printed = said if said.as_tuple().exponent in (0, -1, -2) else round_half_up(said, 2)
    vi, en = f"{of.vi}: tỷ lệ {exact(printed)}%", f"{of.en}: a share of {exact(printed, 'en')}%"
    bound = Decimal(0 if said < 0 else 100)
    return Finding("impossible_share", vi, en, unit, first, last, printed, bound, of.code, frozenset({of.code}))


def _copied(reported: Reported) -> Iterator[Finding]:
    """A unit reports exactly what another reported, or itself of other days: many different numbers, all alike."""
    alike: dict[frozenset[tuple[str, Decimal]], list[Place]] = defaultdict(list)
    for place, row in reported.items():
        if len({value for value in row.values() if value not in (0, 100)}) >= COPIED:
            alike[frozenset(row.items())].append(place)
    for same in alike.values():
        (unit, _, last), *others = sorted(same, key=lambda place: (place[2], place[0]))
        for other, start, end in others:
            whose = units.on(unit, last)
            vi = f"Báo cáo giống hệt báo cáo của {whose.name_vi} đến ngày {day(last)}, có thể sao chép"
            en = f"The report says exactly what that of {whose.name_en} up to {day(last)} says: copied?"
            yield Finding("copied_row", vi, en, other, start, end, Decimal(1), Decimal(0), "row", events=1)


def _silent(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """A source that has sent nothing for longer than its rhythm allows."""
    for one in sources(conn, as_of):
        if one.stale:
            since = day_and_time(one.last_recorded)
            vi = f"{source_name(one.source, 'vi')}: chưa gửi dữ liệu từ {since}"
            en = f"{source_name(one.source, 'en')}: silent since {since}"
            what = f"{one.system}{one.source}"
            days = local_day(one.last_recorded), local_day(as_of)
            yield Finding("silent_source", vi, en, None, *days, Decimal(1), Decimal(0), what, events=1)


def _gaps(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """The stretches of the last days in which nothing happened at a source, longer than its rhythm allows."""
    calendars = stored_calendars(conn)
    systems = {one.source: one.system for one in sources(conn, as_of) if one.events >= REGULAR and not one.ended}
    values = {"since": as_of - GAP_DAYS, "now": as_of, "least": GAP_LEAST, "sources": sorted(systems)}
    for source, before, after in conn.execute(_GAPS, values).fetchall():
        if is_stale(source, systems[source], before, after, calendars):
            first, last = day_and_time(before), day_and_time(after)
            vi = f"{source_name(source, 'vi')}: không có dữ liệu từ {first} đến {last}"
            en = f"{source_name(source, 'en')}: nothing from {first} to {last}"
            what = f"{systems[source]}{source}"
            yield Finding("gap", vi, en, None, local_day(before), local_day(after), Decimal(1), Decimal(0), what,
                          events=1)  # fmt: skip


def _back_dated(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """Dossiers of the last days whose end lies within their time, and was recorded after it; and those judged by a
    promise that was recorded late, after the one that it now comes before, or by a letter after they were overdue."""
    values = {"since": as_of - LATE_DAYS, "now": as_of, "late": LATE, "ends": list(ENDS)}
    values |= {step: f"{TYPE_PREFIX}dossier.{step}.v1" for step in ("extended", "overdue")}
    figures = resting_on([Sum("dossiers_ended")])
    for unit, number, ids in conn.execute(_ENDS, values).fetchall():
        vi = f"{number} hồ sơ được ghi nhận kết thúc trước hạn sau khi hạn đã qua"
        en = f"{number} dossiers were told to have ended in time after their time was over"
        yield Finding("back_dated_end", vi, en, unit, None, None, Decimal(number), Decimal(0), "dossier", figures,
                      tuple(ids), number)  # fmt: skip
    figures = resting_on([Sum(measure) for measure in ("dossiers_repromised", "dossiers_pressing", "dossiers_ended")])
    for unit, number, ids in conn.execute(_PROMISES, values).fetchall():
        vi = f"{number} hồ sơ: ngày hẹn hoặc thư xin lỗi được báo muộn, ghi thời điểm trước lần hẹn hay quá hạn đã báo"
        en = f"{number} dossiers: a promise or letter was told late, dated before another date or delay that was told"
        yield Finding("back_dated_promise", vi, en, unit, None, None, Decimal(number), Decimal(0), "dossier", figures,
                      tuple(ids), number)  # fmt: skip


_GAPS = """
SELECT source, before, time FROM (
    SELECT source, time, lag(time) OVER (PARTITION BY source ORDER BY time) AS before FROM event
    WHERE time >= %(since)s AND time <= %(now)s AND origin <> 'shifted' AND source = ANY(%(sources)s)
) e WHERE time - before > %(least)s ORDER BY source, time
"""
_ENDS = """
SELECT d.unit, count(*), (array_agg(e.id ORDER BY e.recorded DESC))[1:20]
FROM (
    SELECT id, time, recorded, data ->> 'code' AS code FROM event
    WHERE time >= %(since)s AND time <= %(now)s AND recorded <= %(now)s AND origin = 'real'
        AND recorded - time > %(late)s AND type = ANY(%(ends)s)
) e JOIN entity d ON d.kind = 'dossier' AND d.id = e.code AND d.ended_at = e.time
WHERE d.ended_at <= d.due_at AND e.recorded > d.due_at
GROUP BY d.unit ORDER BY 2 DESC, 1
"""
_PROMISES = """
SELECT unit, count(DISTINCT dossier), (array_agg(DISTINCT id))[1:20]
FROM (
    SELECT d.unit, d.id AS dossier, e.id
    FROM entity d CROSS JOIN LATERAL jsonb_array_elements(d.state -> 'findings') n(said)
        JOIN event_key f ON f.key = (n.said -> 2 ->> 'named_by')::uuid JOIN event e ON e.key = f.key AND e.time = f.time
        JOIN event_key l ON l.key = (n.said ->> 1)::uuid JOIN event later ON later.key = l.key AND later.time = l.time
    WHERE d.kind = 'dossier' AND d.state ? 'findings' AND n.said ->> 0 = 'repromised'
        AND e.time >= %(since)s AND e.time <= %(now)s AND e.recorded <= %(now)s AND e.origin = 'real'
        AND e.recorded - e.time > %(late)s AND later.recorded < e.recorded
    UNION ALL
    SELECT d.unit, d.id, e.id FROM event e
        JOIN event o ON o.type = %(overdue)s AND o.data ->> 'code' = e.data ->> 'code'
        JOIN entity d ON d.kind = 'dossier' AND d.id = e.data ->> 'code'
    WHERE e.type = %(extended)s AND e.time >= %(since)s AND e.time <= %(now)s AND e.recorded <= %(now)s
        AND e.origin = 'real' AND e.recorded - e.time > %(late)s
        AND o.time >= %(since)s AND o.time > e.time AND o.time < e.recorded
) found
GROUP BY unit ORDER BY 2 DESC, 1
"""
