"""Statistics and targets that were accepted and that no figure of the catalogue reads: kept, and told as findings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from schemas.indicators import CATALOGUE, CHECKS
from schemas.indicators.formula import Statement, leaves
from services.readings.targets import settable


class Unread(NamedTuple):
    """What is stated of an indicator that no figure reads. `kind`: statistic or target; `ids`: events, at most 20."""

    kind: str
    indicator: str
    number: Decimal
    sources: tuple[str, ...]
    ids: tuple[str, ...]

    def both_languages(self) -> tuple[str, str]:
        """The finding in Vietnamese and English."""
        vi, en = {"statistic": ("Số liệu", "Statistic"), "target": ("Mục tiêu", "Target")}[self.kind]
        where = ", ".join(self.sources)
        return (
            f"{vi} «{self.indicator}» chưa thuộc chỉ số nào trong danh mục: {self.number} lần công bố, nguồn {where}",
            f"{en} “{self.indicator}” is read by no figure of the catalogue: stated {self.number} times, by {where}",
        )


def unread(conn: Connection, as_of: datetime) -> Iterator[Unread]:
    """All of them that were stated up to `as_of`."""
    for kind, indicator, count, sources, ids in conn.execute(_UNREAD, {"read": _read(), "as_of": as_of}).fetchall():
        yield Unread(kind, indicator, Decimal(count), tuple(sources), tuple(ids))


def _read() -> list[str]:
    """`statistic:…` and `target:…` that a figure or a check reads."""
    formulas = [*(i.formula for i in CATALOGUE.values()), *(side for c in CHECKS for side in (c.left, c.right))]
    aimed = (f"target:{code}" for code in settable())
    stated = (leaf for formula in formulas for leaf in leaves(formula) if isinstance(leaf, Statement))
    return sorted(
        {*aimed} | {f"{'target' if leaf.part == 'target' else 'statistic'}:{leaf.indicator}" for leaf in stated}
    )


_UNREAD = """
SELECT s.kind, s.state ->> 'indicator' AS indicator, count(*),
    coalesce(array_agg(DISTINCT e.source) FILTER (WHERE e.source IS NOT NULL), '{}'),
    coalesce((array_agg(e.id ORDER BY v.time DESC) FILTER (WHERE e.id IS NOT NULL))[1:20], '{}')
FROM entity s, jsonb_to_recordset(s.state -> 'vintages') v(time timestamptz, until timestamptz, key uuid)
LEFT JOIN event e ON e.key = v.key AND e.time = v.time
WHERE s.kind IN ('statistic', 'target') AND v.time <= %(as_of)s AND (v.until > %(as_of)s) IS NOT FALSE
    AND NOT s.kind || ':' || (s.state ->> 'indicator') = ANY(%(read)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""
