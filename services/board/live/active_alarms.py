"""What rings now: the newest alarms that nobody has yet, for the wall and for the head of every page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row

from schemas.alerts import ALERTS, NAMES, Alert
from schemas.indicators import CATALOGUE
from schemas.indicators.metric import class_metric, metric
from services.board.access import Account, is_sensitive

EACH = 40
"""So many alarms of cases are read of every unit, and of all else: whoever sees few units finds theirs however many
others ring, and some are not for every eye."""
_PEOPLE = {name(i) for i in CATALOGUE.values() if is_sensitive(i) for name in (metric, class_metric)}


def is_of_people(alert: Alert) -> bool:
    """Whether an alert tells of the ill or of those who complained."""
    return not _PEOPLE.isdisjoint(re.findall(r"\w+", alert.expr))


OF_PEOPLE = frozenset((alert.name, alert.system) for alert in ALERTS if is_of_people(alert))
"""(type, system) of alarms that tell how many people are ill or complained."""


class ActiveAlarm(NamedTuple):
    """An alarm as the ticker tells it; `about` is masked and empty where it is about no case. Of all alarms about a
    unit's cases of one matter there is one, the gravest and of these the newest; `number` is that of the cases."""

    id: int
    severity: str
    unit: str
    vi: str
    en: str
    about: str
    origin: str
    raised_at: datetime
    way: str
    type: str
    system: str
    number: int = 1

    @property
    def is_public(self) -> bool:
        """Whether passers-by may hear of it: in words of the catalogue (others may name somebody), and nothing of the
        ill and the complaining, since it tells how many they are."""
        ours = self.way == "rule" and self.type in NAMES and not self.about
        return ours and (self.type, self.system) not in OF_PEOPLE


@dataclass(frozen=True)
class ActiveAlarms:
    """`step`: the last thing that happened to any alarm. `critical`: unit -> critical alarms that nobody has."""

    step: int = 0
    newest: tuple[ActiveAlarm, ...] = ()
    critical: Mapping[str, int] = field(default_factory=dict)

    def seen_by(self, account: Account) -> list[ActiveAlarm]:
        """Those that this account may hear of, as the list of alarms shows them; a screen without login, what is
        public."""
        if not account.may("cases"):
            return [bell for bell in self.newest if bell.is_public]
        return [bell for bell in self.newest if account.hears(bell.unit, of_case=bool(bell.about))]

    def critical_for(self, account: Account) -> int:
        """How many critical alarms wait for somebody, of those that are this account's to see."""
        return sum(n for unit, n in self.critical.items() if unit == "all" or account.sees(unit))


def last_step(conn: Connection) -> int:
    """What grows with whatever happens to any alarm."""
    row = conn.execute("SELECT coalesce(max(id), 0) FROM alarm_step").fetchone()
    return int(row[0]) if row else 0


def active_alarms(conn: Connection, step: int) -> ActiveAlarms:
    """What rings now."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_NEWEST, {"each": EACH}).fetchall()
    newest = (ActiveAlarm(vi=shared_words(r.pop("all_vi")), en=shared_words(r.pop("all_en")), **r) for r in rows)
    critical = {unit: int(number) for unit, number in conn.execute(_CRITICAL).fetchall()}
    return ActiveAlarms(step, tuple(newest), critical)


def shared_words(texts: Sequence[str]) -> str:
    """The words that texts begin with alike; the first text where there are none."""
    columns = zip(*(text.split() for text in texts), strict=False)
    alike = takewhile(lambda words: len(set(words)) == 1, columns)
    return " ".join(words[0] for words in alike).rstrip(":") or texts[0]


_NEWEST = """
WITH waiting AS (
    SELECT *, CASE WHEN kind IN ('dossier', 'report') THEN 0 ELSE id END AS apart
    FROM alarm WHERE cleared_at IS NULL AND acknowledged_at IS NULL AND severity <> 'info'
), cases AS (
    SELECT DISTINCT ON (unit, type, origin, kind, entity, office, apart) * FROM waiting
    ORDER BY unit, type, origin, kind, entity, office, apart, severity, raised_at DESC, id DESC
), matters AS (
    SELECT *, row_number() OVER (matter ORDER BY severity, raised_at DESC, id DESC) AS nth,
        count(*) OVER matter AS number,
        ARRAY[min(vi COLLATE "C") OVER matter, max(vi COLLATE "C") OVER matter] AS all_vi,
        ARRAY[min(en COLLATE "C") OVER matter, max(en COLLATE "C") OVER matter] AS all_en
    FROM cases WINDOW matter AS (PARTITION BY unit, type, origin, apart)
), ringing AS (
    SELECT *, row_number() OVER (
        PARTITION BY unit, entity IS NULL ORDER BY severity, raised_at DESC, id DESC
    ) AS place
    FROM matters WHERE nth = 1
)
SELECT n.id, n.severity, n.unit, n.all_vi, n.all_en,
    CASE WHEN n.entity IS NULL THEN '' ELSE regexp_replace(l.originator, '/' || coalesce(n.stage, '') || '$', '') END
        AS about,
    n.origin, n.raised_at, n.way, n.type, n.system, n.number
FROM ringing n JOIN alarm_list l USING (id) WHERE n.place <= %(each)s ORDER BY n.severity, n.raised_at DESC, n.id DESC
"""  # 'critical' < 'warning'; what the first and the last of texts in order begin with, all do
_CRITICAL = """
SELECT unit, count(*) FROM alarm WHERE cleared_at IS NULL AND acknowledged_at IS NULL AND severity = 'critical'
GROUP BY unit
"""
