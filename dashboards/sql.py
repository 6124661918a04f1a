"""Figures as SQL for Grafana's PostgreSQL data source, generated from the catalogue's formulas.

The leaves of a formula are SQL functions of `infra/timescaledb/definitions.sql`, which hold to the rules of
`services.readings`; here they are put together. Missing is NULL: it makes the whole missing, and is never 0. Values are
in base units (`schemas.indicators.metric.scale`), durations in hours or working days. Grafana fills in the time range,
`$unit` and `$compare`; see `dashboards.queries.fill`.

A period is the local days from the range's first to its last, the present day up to now. Of levels (`metric.periods`
begins with `now`) a single value is the one in force at the range's end, however old; histories show what each day or
month brought.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from dashboards.texts import clock_of, shown_as
from schemas.indicators.formula import (
    Combine,
    Distinct,
    Formula,
    Last,
    Median,
    Ratio,
    Score,
    Statement,
    Stock,
    Sum,
    UnitMean,
    Where,
)
from schemas.indicators.indicator import Indicator
from schemas.indicators.metric import periods, scale
from schemas.registry import covering

Bucket = Literal["day", "month"]
Language = Literal["vi", "en"]


def has_sql(indicator: Indicator) -> bool:
    """Points of index 766 have none: they are scored in one place, and Grafana has them from Prometheus."""
    return not isinstance(indicator.formula, Score)


def history(indicator: Indicator, bucket: Bucket = "day") -> str:
    """Rows (time, value): each local day or month of the range that has begun; value NULL where missing."""
    return _query(indicator, f"'{bucket}'", "", "start AS time, {value} AS value", "ORDER BY time")


def total(indicator: Indicator) -> str:
    """One row (value) for the whole range; no row where the range has not begun."""
    return _query(indicator, _whole(indicator), "", "{value} AS value")


def before(indicator: Indicator) -> str:
    """As `total`, for the period that `$compare` names: `previous`, as many days just before, or `year`, the same
    days a year earlier; where the range holds the present day, up to the same moment of its day. Otherwise no row."""
    return _query(indicator, _whole(indicator), "", "{value} AS value", compare="${compare:sqlstring}")


def ranked(indicator: Indicator, language: Language = "vi") -> str:
    """Rows (unit, name, value): code and name of each row below `$unit`, the worst first, those without data last."""
    order = "ASC" if indicator.better == "higher" else "DESC"
    return _query(
        indicator,
        _whole(indicator),
        "unit",
        f"u.code AS unit, u.name_{language} AS name, {{value}} AS value",
        f"ORDER BY value {order} NULLS LAST, u.code",
        join=" JOIN unit u ON u.code = grp",
    )


def by_class(indicator: Indicator) -> str:
    """Rows (<label>, value), the greatest first: one for each value of the label `indicator.classes`.

    ValueError where the figure has no classes.
    """
    if not indicator.classes:
        raise ValueError(f"{indicator.code} has no classes to break it down by")
    what = f'grp AS "{indicator.classes}", {{value}} AS value'
    return _query(indicator, _whole(indicator), indicator.classes, what, "ORDER BY value DESC NULLS LAST, grp")


def _whole(indicator: Indicator) -> str:
    return "'level'" if periods(indicator)[0] == "now" else "'whole'"


def _query(
    indicator: Indicator, bucket: str, by: str, columns: str, end: str = "", join: str = "", compare: str = "'none'"
) -> str:
    parts = _Parts(bucket, by)
    value = parts.value(indicator.formula)
    factor = Decimal(1) if clock_of(indicator) else scale(indicator)
    number = shown_as(indicator, value if factor == 1 else f"{value} * {factor}", timedelta(minutes=1))
    request = f"asked AS (SELECT * FROM figure_asked(${{unit:sqlstring}}, $__timeFrom(), $__timeTo(), {compare}))"
    lines = [
        f"WITH {request},\n{parts.text}",
        f"SELECT {columns.format(value=f'({number})::float8')}",
        f"FROM {parts.joined}{join}",
        end,
    ]
    return "\n".join(line for line in lines if line)


class _Parts:
    """The common table expressions of one query, each once: leaves, rows (start, grp, value), and what they need."""

    def __init__(self, bucket: str, by: str) -> None:
        self.bucket, self.by = bucket, by
        self._names: dict[str, str] = {}

    @property
    def text(self) -> str:
        """All of them, as they stand after WITH."""
        return ",\n".join(f"{name} AS ({text})" for text, name in self._names.items())

    @property
    def joined(self) -> str:
        """The leaves side by side."""
        first, *rest = [name for name in self._names.values() if name.startswith("f")]
        return first + "".join(f" FULL JOIN {name} USING (start, grp)" for name in rest)

    def value(self, formula: Formula) -> str:
        """The formula as an expression over its leaves, which are added."""
        match formula:
            case Combine(plus, minus):
                signed = [("+", term) for term in plus] + [("-", term) for term in minus]
                terms = " ".join(f"{sign} {self.value(term)}" for sign, term in signed)
                return f"({terms.removeprefix('+ ')})"
            case Ratio(numerator, denominator, factor):
                times = f"{factor} * " if factor != 1 else ""
                return f"{times}{self.value(numerator)} / nullif({self.value(denominator)}, 0)"
            case UnitMean(of):
                return self._leaf(_mean(of, self.bucket)) if not self.by else self.value(of)
            case Statement(indicator, part, over):
                return self._leaf(self._call("figure_stated", indicator, part, over or "none"))
            case Sum(measure, where, of):
                return self._measured("sum", measure, where, of)
            case Stock(measure, where, at):
                return self._measured("stock", measure, where, at)
            case Last(measure, where):
                return self._measured("last", measure, where, "")
            case Distinct(measure, label, where):
                return self._measured("distinct", measure, where, label)
            case Median(measure, where):
                return self._measured("median", measure, where, "")
        raise TypeError(formula)

    def _measured(self, form: str, measure: str, where: Where, detail: str) -> str:
        chosen = json.dumps(where, sort_keys=True)
        if self.by not in ("", "unit"):
            # By label, a group that a part lacks has none of it; a unit that it lacks was never heard of.
            called = self._leaf(self._call("figure_measured", form, measure, chosen, detail, last="NULL"))
            return called if form == "median" else f"coalesce({called}, 0)"
        covered = _quoted("{" + ",".join(covering(measure)) + "}")
        name = self._named(
            "s", f"SELECT figure_reported(root, {_quoted(self.by)}, {covered}, known) AS spans FROM asked"
        )
        return self._leaf(
            self._call("figure_measured", form, measure, chosen, detail, last=f"{name}.spans", besides=name)
        )

    def _call(self, function: str, *texts: str, last: str = "", besides: str = "") -> str:
        arguments = [self.bucket, *map(_quoted, (self.by, *texts)), *([last] if last else [])]
        sources = ", ".join(["asked", *([besides] if besides else [])])
        return f"SELECT f.* FROM {sources}, {function}(root, first, last, known, {', '.join(arguments)}) f"

    def _leaf(self, text: str) -> str:
        return f"{self._named('f', text)}.value"

    def _named(self, letter: str, text: str) -> str:
        return self._names.setdefault(text, f"{letter}{len(self._names) + 1}")


def _mean(of: Formula, bucket: str) -> str:
    """The unweighted mean of the units' own figures, of those that have one."""
    parts = _Parts(bucket, "unit")
    value = parts.value(of)
    return (
        f"WITH {parts.text}\nSELECT start, '' AS grp, avg({value}) AS value FROM asked, "
        f"figure_periods(first, last, known, {bucket}) p LEFT JOIN ({parts.joined}) USING (start) GROUP BY start"
    )


def in_order(name: str) -> str:
    """What to sort by a column of names, as `schemas.text.collation` does."""
    return f"string_to_array(lower({name}), ' ') COLLATE vietnamese, {name}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
