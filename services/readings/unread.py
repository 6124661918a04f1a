"""Statistics and targets, or parts of them, that were accepted and that no figure of the catalogue reads: kept, and
told as findings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from schemas.indicators import CATALOGUE, CHECKS
from schemas.indicators.formula import Statement, leaves
from services.readings.targets import settable

MOST = 20


class Unread(NamedTuple):
    """What is stated of an indicator that no figure reads. `kind`: statistic or target; `part`: that of it which is not
    read, as in `formula.Statement`, empty where nothing of it is; `ids`: events, at most 20."""

    kind: str
    indicator: str
    part: str
    basis: str
    number: Decimal
    sources: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tells it from others of its kind."""
        return " ".join((self.indicator, self.part, self.basis)) if self.part else self.indicator

    def both_languages(self) -> tuple[str, str]:
        """The finding in Vietnamese and English."""
        vi, en = {"statistic": ("Số liệu", "Statistic"), "target": ("Mục tiêu", "Target")}[self.kind]
        vi, en, where = f"{vi} «{self.indicator}»", f"{en} “{self.indicator}”", ", ".join(self.sources)
        if not self.part:
            return (
                f"{vi} chưa thuộc chỉ số nào trong danh mục: {self.number} lần công bố, nguồn {where}",
                f"{en} is read by no figure of the catalogue: stated {self.number} times, by {where}",
            )
        part_vi, part_en = _PARTS[self.part]
        by_vi, by_en = _BASES[self.basis]
        return (
            f"{vi}: {part_vi}{by_vi} chưa được chỉ số nào dùng: {self.number} lần công bố, nguồn {where}",
            f"{en}: its {part_en}{by_en} is read by no figure: stated {self.number} times, by {where}",
        )


_PARTS = {
    "value": ("giá trị", "value"),
    "total": ("tổng số", "total"),
    "reached": ("đánh giá đạt hay không đạt", "judgement whether the target is met"),
}
_RATIO = {"ratio": ("value", "total")}
_BASES = {
    "table": ("", ""),
    "text": (" ghi trong lời văn báo cáo", ", as the text of a report has it,"),
}


def unread(conn: Connection, as_of: datetime) -> Iterator[Unread]:
    """All of them that were stated up to `as_of`."""
    values = {"read": _read(), "as_of": as_of}
    for kind, indicator, part, basis, count, sources, ids in conn.execute(_UNREAD, values).fetchall():
        yield Unread(kind, indicator, part, basis, Decimal(count), tuple(sources), tuple(dict.fromkeys(ids))[:MOST])


def _read() -> list[str]:
    """The parts of statistics and targets that a figure or a check reads: `statistic:grdp:value`."""
    formulas = [*(i.formula for i in CATALOGUE.values()), *(side for c in CHECKS for side in (c.left, c.right))]
    stated = (leaf for formula in formulas for leaf in leaves(formula) if isinstance(leaf, Statement))
    parts = {f"{leaf.indicator}:{part}" for leaf in stated for part in _RATIO.get(leaf.part, (leaf.part,))}
    kinds = {f"{'target' if part.endswith(':target') else 'statistic'}:{part}" for part in parts}
    return sorted(kinds | {f"target:{code}:target" for code in settable()})


_UNREAD = """
WITH said AS (
    SELECT s.kind, s.state ->> 'indicator' AS indicator, s.unit, s.state ->> 'period_start' AS first,
        s.state ->> 'period_end' AS last, coalesce(s.state ->> 'basis', 'table') AS basis, p.part, v.time, v.key
    FROM entity s, jsonb_to_recordset(s.state -> 'vintages')
            v(time timestamptz, until timestamptz, key uuid, value jsonb, total jsonb, reached jsonb, target jsonb),
        LATERAL (VALUES ('value', v.value), ('total', v.total), ('reached', v.reached), ('target', v.target))
            p(part, given)
    WHERE s.kind IN ('statistic', 'target') AND v.time <= %(as_of)s AND (v.until > %(as_of)s) IS NOT FALSE
        AND p.given <> 'null'
), found AS (
    SELECT *, EXISTS (SELECT FROM unnest(%(read)s::text[]) r(part)
        WHERE starts_with(r.part, concat(kind, ':', indicator, ':'))) AS known
    FROM said
    WHERE NOT concat(kind, ':', indicator, ':', part) = ANY(%(read)s)
        -- What the text of a report says is held against its table, and read by nothing else.
        OR basis = 'text' AND NOT (part = 'value' AND EXISTS (SELECT FROM said t WHERE t.basis = 'table'
            AND t.part = 'value' AND (t.kind, t.indicator, t.unit, t.first, t.last)
                = (said.kind, said.indicator, said.unit, said.first, said.last)))
)
SELECT f.kind, f.indicator, CASE WHEN known THEN part ELSE '' END, CASE WHEN known THEN basis ELSE '' END,
    count(DISTINCT f.key),
    coalesce(array_agg(DISTINCT e.source) FILTER (WHERE e.source IS NOT NULL), '{}'),
    coalesce((array_agg(e.id ORDER BY f.time DESC) FILTER (WHERE e.id IS NOT NULL))[1:60], '{}')
FROM found f LEFT JOIN event e ON e.key = f.key AND e.time = f.time
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
