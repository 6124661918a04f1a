"""Findings: where published or counted figures do not agree with each other, and what looks wrong in the data. They
are shown, never repaired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL

from schemas import units
from schemas.calendar import local_day
from schemas.codes import masked
from schemas.economy import Stated
from schemas.indicators import CATALOGUE, CHECKS
from schemas.indicators.as_reported import PREFIX
from schemas.indicators.checks import Check
from schemas.indicators.formula import Statement, Sum, leaves
from schemas.indicators.formula_text import statistic
from schemas.text.dates import day
from schemas.text.numbers import exact
from services.readings import data_checks, noted, series_query, statements
from services.readings.coverage import span
from services.readings.evaluate import evaluate_all
from services.readings.finding import SEVERITIES, UNSEEN, Finding, resting_on
from services.readings.finding_steps import handled
from services.readings.leaves import ALL, Scope
from services.readings.memo import memoised, snapshot
from services.readings.period import Period
from services.readings.unread import unread


def findings(conn: Connection, as_of: datetime, first: date | None = None, last: date | None = None) -> list[Finding]:
    """All that was known at `as_of`, the gravest first, each with what had become of it by then; measured figures over
    the given days, by default over all there are: the days that somebody published last, and those before and after.

    Both sides are read from one snapshot: what is stored meanwhile is in neither.
    """
    with snapshot(conn):
        conn = memoised(conn)
        found = [f for check in CHECKS for f in _checked(conn, check, as_of, first, last)]
        found += [*_contradictions(conn, as_of), *_unread(conn, as_of), *noted.findings(conn, as_of)]
        found += [*_noticed(conn, as_of), *data_checks.data_checks(conn, as_of)]
        became = handled(conn, as_of)
    known = (replace(f, handling=became.get(f.key, UNSEEN)) for f in found)
    return sorted(known, key=lambda f: SEVERITIES.index(f.severity))


def _checked(
    conn: Connection, check: Check, as_of: datetime, first: date | None, last: date | None
) -> Iterator[Finding]:
    stated = [leaf for leaf in leaves(check.left) if isinstance(leaf, Statement)]
    scopes = _stated_places(conn, stated[0], as_of) if stated else _measured_places(conn, check, as_of, first, last)
    for unit, start, end in scopes:
        # A statement is looked up by its last day, so that it is the one of this period and not of a longer one.
        scope = Scope.of(unit, Period(end if stated else start, end, as_of))
        left, right = (values[ALL].value for values in evaluate_all(conn, [check.left, check.right], scope))
        if left is not None and right is not None and left != right:
            figures, evidence = resting_on(check.compared), _evidence(conn, check, scope)
            compared = (leaf for leaf in check.compared if isinstance(leaf, Statement))
            found = [s for leaf in compared for s in statements.current(conn, leaf, scope.units, scope.period).values()]
            vi, en = _by_document(conn, found, check.vi, check.en)
            yield Finding(check.code, vi, en, unit, start, end, left, right, check.what, figures, evidence)


Place = tuple[str | None, date, date]


def _stated_places(conn: Connection, statement: Statement, as_of: datetime) -> list[Place]:
    known = statements.stated_up_to(conn, statement.indicator, "statistic", None, as_of)
    return sorted({(s.unit, s.first, s.last) for s in known if s.basis == "table"})


def _measured_places(
    conn: Connection, check: Check, as_of: datetime, first: date | None, last: date | None
) -> list[Place]:
    measures = {leaf.measure for leaf in leaves(check.left) if not isinstance(leaf, Statement)}
    if (reported := span(conn, measures, None, as_of)) is None:
        return []
    start, end = first or reported[0], last or min(reported[1] + timedelta(days=1), local_day(as_of))
    parts = [(start, end)]
    if first is None and last is None and (days := _published(conn, check, as_of)):
        parts = [(start, min(end, days[0] - _DAY)), days, (max(start, days[1] + _DAY), end)]
    return [(None, begin, until) for begin, until in parts if begin <= until]


_DAY = timedelta(days=1)


_REPORTED = [(PREFIX + code, counted) for code, counted in CATALOGUE.items() if PREFIX + code in CATALOGUE]


def _published(conn: Connection, check: Check, as_of: datetime) -> tuple[date, date] | None:
    """The days of the latest table in which somebody published what is compared."""
    codes = [code for code, counted in _REPORTED if all(leaf in check.compared for leaf in leaves(counted.formula))]
    stated = (s for code in codes for s in statements.stated_up_to(conn, code, "statistic", None, as_of))
    return max(((s.first, s.last) for s in stated if s.basis == "table"), key=lambda days: days[::-1], default=None)


def _evidence(conn: Connection, check: Check, scope: Scope) -> tuple[str, ...]:
    """Ids of the events to look at."""
    if check.evidence is None:
        return ()
    condition, values = series_query.Selection(check.evidence.measure, scope.units, check.evidence.where).condition()
    values |= {"start": scope.period.start, "stop": scope.period.stop}
    return tuple(row[0] for row in conn.execute(_EVIDENCE.format(condition=condition), values).fetchall())


def _by_document(conn: Connection, found: Iterable[Stated], vi: str, en: str) -> tuple[str, str]:
    """A finding's words with the documents that say what it is about, where any is named."""
    rows = conn.execute(_DOCUMENTS, [[s.key for s in found]]).fetchall()
    named = ", ".join(document for (document,) in rows)
    return (f"{vi} (văn bản {named})", f"{en} (document {named})") if named else (vi, en)


def _contradictions(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """A report's running text and its table that give different values for one thing."""
    for (indicator,) in conn.execute(_IN_WORDS).fetchall():
        stated = list(statements.stated_up_to(conn, indicator, "statistic", None, as_of))
        tables = {s[:3]: s for s in stated if s.basis == "table"}
        for said in sorted((s for s in stated if s.basis == "text"), key=lambda s: s[:3]):
            place = said[:3]
            table, text = tables[place].part("value") if place in tables else None, said.part("value")
            if table is None or text is None or table == text:
                continue
            vi, en = _by_document(conn, (tables[place], said), *_twice(indicator, table, text))
            yield Finding("contradiction", vi, en, *place, table, text, indicator, resting_on([Statement(indicator)]))


def _twice(indicator: str, table: Decimal, text: Decimal) -> tuple[str, str]:
    vi, en = statistic(indicator, "vi"), statistic(indicator, "en")
    return (
        f"Báo cáo tự mâu thuẫn về «{vi}»: bảng ghi {exact(table)}, lời văn ghi {exact(text)}",
        f"The report contradicts itself on “{en}”: its table says {exact(table, 'en')}, its text {exact(text, 'en')}",
    )


def _noticed(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """What the folds of dossiers and reports noticed, one finding a case; its code is masked, its event is named."""
    for code, case, unit, details, id in conn.execute(_NOTICED, (list(NOTICED), as_of)).fetchall():
        vi, en, figures = NOTICED[code]
        words = {"case": masked(case), **_dates(details)}
        concerned = resting_on([Sum(measure) for measure in figures])
        evidence = (id,) if id else ()
        named = units.get(details["unit"])
        text = vi.format(**words, unit=named.name_vi), en.format(**words, unit=named.name_en)
        yield Finding(code, *text, unit, None, None, Decimal(1), Decimal(0), "case", concerned, evidence)


def _dates(details: Mapping[str, Any]) -> dict[str, str]:
    """The moments of a finding as local dates."""
    moments = {name: datetime.fromisoformat(details[name]) for name in ("old", "new") if name in details}
    return {name: day(moment) for name, moment in moments.items()}


NOTICED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "repromised": (
        "Hồ sơ {case}: hẹn lại từ ngày {old} sang ngày {new}, không có thư xin lỗi ({unit})",
        "Dossier {case}: promised again, from {old} to {new}, without a letter of apology ({unit})",
        ("dossiers_repromised", "dossiers_pressing", "dossiers_ended"),
    ),
    "extended_again": (
        "Hồ sơ {case}: gia hạn thêm lần nữa, đến ngày {new}; quy định chỉ được một lần ({unit})",
        "Dossier {case}: extended once more, to {new}; the rule is once ({unit})",
        ("dossiers_extended", "dossiers_pressing", "dossiers_ended"),
    ),
    "ended_again": (
        "Hồ sơ {case}: ngày xử lý xong được báo lại, {old} rồi {new} ({unit})",
        "Dossier {case}: its end was told twice, {old} and {new} ({unit})",
        ("dossiers_ended",),
    ),
    "went_back": (
        "Hồ sơ {case}: đã kết thúc mà vẫn báo đang xử lý ({unit})",
        "Dossier {case}: told to be in progress after its end ({unit})",
        ("dossiers_ended",),
    ),
    "accepted_elsewhere": (
        "Hồ sơ {case}: thêm một đơn vị tiếp nhận mà không thấy bàn giao, mã không nêu cơ quan hoặc hai đơn vị "
        "tiếp nhận cùng một lúc; có thể là hai hồ sơ ({unit})",
        "Dossier {case}: another unit accepted it that nothing joins to the first, while its code names no office or "
        "at the very same moment; these may be two dossiers ({unit})",
        ("dossiers_received", "dossiers_pressing", "dossiers_ended"),
    ),
    "told_elsewhere": (
        "Hồ sơ {case}: kết thúc, gia hạn hoặc dừng tính hạn do đơn vị chưa từng thụ lý báo ({unit})",
        "Dossier {case}: its end, another date or a wait was told by a unit that has never had it ({unit})",
        ("dossiers_pressing", "dossiers_ended"),
    ),
    "duplicate_of_duplicate": (
        "Phản ánh {case} có phản ánh trùng nhưng chính nó cũng trùng phản ánh khác; cần nối với phản ánh gốc ({unit})",
        "Report {case} is repeated by others and repeats one itself; they belong to the first ({unit})",
        ("reports_duplicates",),
    ),
}
"""What a fold may notice: its words in Vietnamese and English, and the measures that it is about."""
CODES = (
    *(check.code for check in CHECKS), "contradiction", "unread_statistic", "unread_target", *noted.CHECKS, *NOTICED,
    *data_checks.CODES,
)  # fmt: skip
"""The codes of all findings that there may be."""


def _unread(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """What is stated of indicators that no figure reads."""
    for one in unread(conn, as_of):
        vi, en = one.both_languages()
        code = f"unread_{one.kind}"
        yield Finding(code, vi, en, None, None, None, one.number, Decimal(0), one.name, evidence=one.ids)


_EVIDENCE = SQL("""
SELECT e.id FROM point p JOIN series s ON s.id = p.series JOIN event_key k ON k.key = p.key
JOIN event e ON e.key = k.key AND e.time = k.time
WHERE {condition} AND p.time >= %(start)s AND p.time < %(stop)s ORDER BY e.time, e.id LIMIT 20
""")
_DOCUMENTS = """
SELECT DISTINCT e.data ->> 'document' FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
WHERE k.key = ANY(%s::uuid[]) AND e.data ? 'document' ORDER BY 1
"""
_IN_WORDS = """
SELECT DISTINCT state ->> 'indicator' FROM entity WHERE kind = 'statistic' AND state ->> 'basis' = 'text' ORDER BY 1
"""
_NOTICED = """
SELECT n.said ->> 0, e.id, e.unit, n.said -> 2, v.id
FROM entity e CROSS JOIN LATERAL jsonb_array_elements(e.state -> 'findings') n(said)
    LEFT JOIN event_key k ON k.key = (n.said ->> 1)::uuid LEFT JOIN event v ON v.key = k.key AND v.time = k.time
WHERE e.state ? 'findings' AND n.said ->> 0 = ANY(%s) AND (k.time IS NULL OR k.time <= %s)
ORDER BY k.time DESC NULLS LAST, e.id LIMIT 1000
"""
