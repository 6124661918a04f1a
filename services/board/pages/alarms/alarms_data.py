"""Alarms as they stand in the table, and which of them an account may see."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from psycopg import Connection
from psycopg.rows import class_row

from schemas.calendar import VN
from schemas.offices import case_id
from services.board.access import Account
from services.board.ui.timeline import Step, timeline_of_alarm

SEVERITIES = ("critical", "warning", "info")
MOST = 20_000
"""So many alarms are listed at most: those that most need somebody."""
PLAIN = frozenset({"unit", "period", "instance", "job", "service", "family"})
"""Labels of an alert that its text tells already, or that only say who measured or what it belongs to."""


class Row(NamedTuple):
    """An alarm. `unit` is a code or `all`; `kind` and `entity`: the case that it is about, None for others;
    `orphan`: its holder can see to it no more."""

    id: int
    status: str
    severity: str
    system: str
    unit: str
    type: str
    originator: str
    origin: str
    vi: str
    en: str
    do_vi: str
    do_en: str
    kind: str | None
    entity: str | None
    due_at: datetime | None
    raised_at: datetime
    times: int
    acknowledged_by: str | None
    assignee: str | None
    deadline: datetime | None
    cleared_at: datetime | None
    cleared_by: str | None
    orphan: bool = False
    office: str | None = None

    def seen_by(self, account: Account) -> bool:
        """Whether an account may see it."""
        return account.hears(self.unit, of_case=self.entity is not None)

    @property
    def about(self) -> str:
        """What it is about besides its unit: a case's code, or labels such as a source or a folder."""
        labels = self.originator.split(",") if "=" in self.originator else []
        return self.entity or ", ".join(label for label in labels if label.partition("=")[0] not in PLAIN)

    @property
    def case(self) -> str | None:
        """Where the case that it is about is shown."""
        if not self.entity or self.kind not in ("dossier", "report"):
            return None
        return f"/worklist/{self.kind}/{quote(case_id(self.entity, self.office) if self.office else self.entity)}"


def rows(conn: Connection, now: datetime, most: int = MOST) -> list[Row]:
    """All that is not cleared, and what was cleared today; the gravest first, then the newest. Of more than `most` one
    more is given, which says that there are more; cleared ones are left out first, then those that somebody has."""
    midnight = now.astimezone(VN).replace(hour=0, minute=0, second=0, microsecond=0)
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        found = cursor.execute(_ROWS, {"midnight": midnight, "most": most + 1}).fetchall()
    listed = sorted(found[:most], key=lambda r: (r.raised_at, r.id), reverse=True)
    listed.sort(key=lambda r: (r.status == "cleared", SEVERITIES.index(r.severity)))
    return [*listed, *found[most:]]


def one(conn: Connection, id: int) -> tuple[Row, list[Step]] | None:
    """An alarm and its history."""
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        row = cursor.execute(_ONE, {"id": id}).fetchone()
    return (row, timeline_of_alarm(conn, id)) if row else None


def held(conn: Connection) -> dict[str, int]:
    """How many active alarms each person has."""
    return dict(conn.execute(_HELD).fetchall())


_HELD = """
SELECT coalesce(assignee, acknowledged_by), count(*) FROM alarm
WHERE cleared_at IS NULL AND acknowledged_at IS NOT NULL GROUP BY 1
"""
_COLUMNS = """
SELECT a.id, l.status, a.severity, a.system, a.unit, a.type, l.originator, a.origin, a.vi, a.en, a.do_vi, a.do_en,
    a.kind, a.entity, a.due_at, a.raised_at, a.times, a.acknowledged_by, a.assignee, a.deadline, a.cleared_at,
    a.cleared_by, a.id IN (SELECT alarm FROM alarm_orphan) AS orphan, a.office
FROM alarm a JOIN alarm_list l USING (id)
"""
_ROWS = f"""{_COLUMNS} WHERE a.cleared_at IS NULL OR a.cleared_at >= %(midnight)s
ORDER BY a.cleared_at IS NOT NULL, a.acknowledged_at IS NOT NULL,
    array_position('{{critical,warning,info}}', a.severity), a.raised_at DESC, a.id DESC LIMIT %(most)s
"""
_ONE = f"{_COLUMNS} WHERE a.id = %(id)s"
