"""What a stock is made of: the dossiers, reports, … that are open and still count in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Composable, Placeholder

from schemas.indicators.formula import Combine, Formula, Stock, children
from schemas.registry import MEASURE_SYSTEM, SYSTEMS
from services.readings.evaluate import evaluate_all
from services.readings.leaves import ALL, Scope
from services.readings.period import Period
from services.readings.series_query import Selection

Signed = tuple[Stock, int]


def until(stock: Stock, period: Period) -> datetime:
    """Up to which moment a stock's points count."""
    return period.stop if stock.at == "end" else period.start


def stocks_of(formula: Formula) -> Iterator[list[Signed]]:
    """A formula's stocks, with their signs; together those that are added to and taken from each other."""
    terms = list(signed_terms(formula))
    if together := [(term, sign) for term, sign in terms if isinstance(term, Stock)]:
        yield together
    for term, _ in terms:
        for part in children(term):
            yield from stocks_of(part)


def signed_terms(formula: Formula, sign: int = 1) -> Iterator[tuple[Formula, int]]:
    """What a formula adds and takes away; what is no sum of others is its own only term."""
    if isinstance(formula, Combine):
        for terms, its_sign in ((formula.plus, sign), (formula.minus, -sign)):
            for term in terms:
                yield from signed_terms(term, its_sign)
    else:
        yield formula, sign


def counted_keys(conn: Connection, stocks: list[Signed], scope: Scope, most: int) -> list[UUID] | None:
    """The keys of the points of all that still counts in these stocks: dossiers, reports, … that are open now and
    whose points do not cancel out. None where these do not make up the stocks' value: it is one of the past, when
    others were open, or more than `most` are."""
    system, _, _ = SYSTEMS[MEASURE_SYSTEM[stocks[0][0].measure]]
    values: dict[str, Any] = {"kinds": list(system.FOLDS), "most": most}
    values["units"] = None if scope.units is None else sorted(scope.units)
    moves: list[Composable] = []
    found = evaluate_all(conn, [stock for stock, _ in stocks], scope)
    value = sum((sign * (v[ALL].value or 0) for v, (_, sign) in zip(found, stocks, strict=True)), Decimal(0))
    for number, (stock, sign) in enumerate(stocks):
        what, end = Selection(stock.measure, scope.units, stock.where), until(stock, scope.period)
        condition, its_values = what.condition(f"s{number}_")
        values |= its_values | {f"until{number}": end}
        moves.append(_MOVES.format(SQL("+" if sign > 0 else "-"), condition, Placeholder(f"until{number}")))
    ((net, keys),) = conn.execute(_STANDING.format(SQL(" UNION ALL ").join(moves)), values).fetchall()
    return keys if net == value else None


_MOVES = SQL("""
SELECT key, NULL, {}value FROM point WHERE series = ANY(ARRAY(SELECT id FROM series s WHERE {}))
    AND time >= (SELECT min(opened_at) FROM held) AND time < {}
""")
# Facts and points meet by grouping: a join would be planned by statistics, which may be stale.
_STANDING = SQL("""
WITH held AS MATERIALIZED (
    SELECT kind || ' ' || id AS name, opened_at, facts FROM entity
    WHERE kind = ANY(%(kinds)s) AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) AND ended_at IS NULL
    LIMIT %(most)s
), said(key, name, value) AS (
    SELECT (fact ->> 1)::uuid, name, NULL::numeric FROM held, jsonb_array_elements(facts) fact UNION ALL {}
), step AS (
    SELECT key, max(name) AS name, sum(value) AS value FROM said GROUP BY key
    HAVING count(name) > 0 AND count(value) > 0
), standing AS (
    SELECT key, value, sum(value) OVER (PARTITION BY name) AS net FROM step
)
SELECT coalesce(sum(value), 0), coalesce(array_agg(key), '{{}}') FROM standing WHERE net <> 0
""")
