"""Reports of one and the same matter: those that lie near one another, and joining one to another, published as
`report.refused` with the reason `duplicate`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import Event
from schemas.field import ReportRefused
from schemas.offices import SEPARATOR, number_of
from schemas.report import ALIKE_DAYS, ALIKE_METRES
from services.board.access import Account
from services.board.auth import audit
from services.board.live.query_pool import QueryPool
from services.board.pages.actions.alarm_client import ENOUGH, InvalidInput, Outcome, not_tried, plain
from services.board.pages.actions.decisions import Decision, event_about, lay_down
from services.kit import clock
from services.kit.facts import unpack

DEED = "report.joined"
MOST = 20
"""So many reports nearby are looked at."""


class Alike(NamedTuple):
    """An open report that may be the same matter as another, so many metres away."""

    id: str
    unit: str
    status: str
    opened_at: datetime
    duplicates: int
    metres: float


class Report(NamedTuple):
    """A report as it is folded, as far as joining depends on it. `cases`: further ones of its number."""

    id: str
    unit: str
    origin: str
    ended_at: datetime | None
    state: dict[str, Any]
    facts: list[list[Any]]
    cases: list[str] | None

    @property
    def of_many(self) -> bool:
        """Whether other offices gave its number too."""
        return bool(self.cases) or SEPARATOR in self.id


def alike(conn: Connection, id: str) -> list[Alike]:
    """The open reports that may be the same matter as this one, the nearest first; none of one without a place."""
    asked = {"id": id, "days": ALIKE_DAYS, "metres": ALIKE_METRES, "most": MOST}
    with conn.cursor(row_factory=class_row(Alike)) as cursor:
        return cursor.execute(_ALIKE, asked).fetchall()


def refusal(report: Report | None, other: Report | None, by: Account) -> str | None:
    """Why a report cannot be joined to another, as a word of the board; None: it can."""
    if report is None or report.ended_at is not None:
        return "report_not_open"
    if other is None or not by.sees(other.unit):
        return "join_unknown"
    if other.id == report.id:
        return "join_itself"
    if report.origin != other.origin:
        return "join_other_origin"
    if other.state.get("duplicate_of"):
        return "join_chain"
    if report.state.get("duplicates"):
        return "join_has_others"
    if report.of_many and report.state.get("office") != report.unit:
        return "join_ambiguous"
    return None


def event_of(report: Report, other: Report, now: datetime) -> Event:
    """The event that says so."""
    said = ReportRefused(code=number_of(report.id), reason="duplicate", duplicate_of=number_of(other.id))
    return event_about(report, said, f"{report.id}/joined/{now.isoformat()}", now)


class Joining:
    """Joins reports to another, one by one."""

    def __init__(self, pool: AsyncConnectionPool, reading: QueryPool) -> None:
        self._pool, self._reading = pool, reading

    async def do(self, ids: Sequence[str], into: str, by: Account, sent: bool) -> list[Outcome]:
        """What became of each report. `into`: the number of the one that they are joined to; `sent`: the broker
        answers, so the events go out at once. Raises `InvalidInput`."""
        if not (number := plain(into)):
            raise InvalidInput("join_unknown")
        pairs = await self._reading(lambda conn: [_pair(conn, id, number) for id in ids])
        outcomes: list[Outcome] = []
        for id, (report, other) in zip(ids, pairs, strict=True):
            why = refusal(report, other, by)
            if why or report is None or other is None:
                outcomes.append(Outcome(f"report:{id}", False, why or "report_not_open"))
            else:
                outcomes.append(await self._one(report, other, by, sent))
            if outcomes[-1].said in ENOUGH:
                break
        return outcomes + not_tried(f"report:{id}" for id in ids[len(outcomes) :])

    async def _one(self, report: Report, other: Report, by: Account, sent: bool) -> Outcome:
        event = event_of(report, other, clock.now())
        known = {unpack(fact).key for fact in report.facts}

        async def barred(conn: AsyncConnection) -> str | None:
            last = next((deed for deed in await audit.latest(conn, report.id) if deed.action == DEED), None)
            return "joined_before" if last and last.detail["event"] not in known else None

        key, into = f"report:{report.id}", number_of(other.id)
        done = Outcome(key, True, "done_join" if sent else "done_join_later", into)
        detail = {"unit": report.unit, "into": into, "event": event.key.hex}
        return await lay_down(self._pool, by, Decision(key, DEED, report.id, detail, event, done), barred)


def _pair(conn: Connection, id: str, number: str) -> tuple[Report | None, Report | None]:
    with conn.cursor(row_factory=class_row(Report)) as cursor:
        report = cursor.execute(_REPORT, [id]).fetchone()
        other = f"{number_of(number)}{SEPARATOR}{report.unit}" if report else number
        return report, cursor.execute(_REPORT, [other]).fetchone()


_REPORT = """
SELECT id, unit, origin, ended_at, state, facts, cases FROM case_row('report', %s) WHERE opened_at IS NOT NULL
"""
# Of a number that several offices gave, the one that a step told by this report's unit would be about.
_ALIKE = """
SELECT o.id, o.unit, o.status, o.opened_at, coalesce((o.state ->> 'duplicates')::int, 0) AS duplicates, d.metres
FROM entity r JOIN entity o ON o.kind = 'report' AND o.id <> r.id AND o.ended_at IS NULL AND o.origin = r.origin
        AND o.opened_at BETWEEN r.opened_at - %(days)s AND r.opened_at + %(days)s
        AND o.state ->> 'category' = r.state ->> 'category'
        AND (o.cases IS NULL AND strpos(o.id, '@') = 0 OR o.state ->> 'office' = r.unit),
    metres_between((o.state ->> 'latitude')::float8, (o.state ->> 'longitude')::float8,
        (r.state ->> 'latitude')::float8, (r.state ->> 'longitude')::float8) d(metres)
WHERE r.kind = 'report' AND r.id = %(id)s AND r.ended_at IS NULL AND d.metres <= %(metres)s
ORDER BY d.metres, o.opened_at, o.id LIMIT %(most)s
"""
