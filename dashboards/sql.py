"""Figures as SQL for Grafana's PostgreSQL data source, generated from the catalogue's formulas.

The leaves of a formula are asked of the SQL function `figure_leaves`, as `services.readings` asks them; here they are
put together. Missing is NULL: it makes the whole missing, and is never 0. Values are
in base units (`schemas.indicators.metric.scale`), durations in hours or working days. Grafana fills in the time range,
`$unit` and `$compare`; see `dashboards.queries.fill`.

A period is the local days from the range's first to its last, the present day up to now. Of levels (`metric.periods`
begins with `now`) a single value is the one in force at the range's end, however old; histories show what each day or
month brought.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from dashboards.texts import clock_of, shown_as
from schemas.indicators.formula import Combine, Formula, Ratio, Score, UnitMean
from schemas.indicators.indicator import Indicator
from schemas.indicators.metric import periods, scale
from schemas.indicators.plan import wanted, wanted_all

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


def aim_by_day(indicator: Indicator) -> str:
    """Rows (time, aim): on each local day of the range that has begun the target that was in force for `$unit`, as it
    was set, else the catalogue's own; no row where there is none."""
    return _aimed(
        indicator, "p.start AS time, {aim} AS aim", "figure_periods(first, last, known, 'day') p", "p.last", "time"
    )


def aim(indicator: Indicator) -> str:
    """One row (aim): the target in force for `$unit` on the last day of the range, as it was set, else the
    catalogue's own; none where there is none."""
    return _aimed(indicator, "{aim} AS aim", "LATERAL (SELECT least(last, local_day(known))) p(last)", "p.last")


def _aimed(indicator: Indicator, columns: str, days: str, day: str, order: str = "") -> str:
    factor = Decimal(1) if clock_of(indicator) else scale(indicator)
    own = "NULL" if indicator.target is None else f"{indicator.target.normalize():f}"
    number = shown_as(indicator, f"coalesce(t.target, {own}) * {factor}", timedelta(minutes=1))
    lines = [
        "WITH asked AS (SELECT * FROM figure_asked(${unit:sqlstring}, $__timeFrom(), $__timeTo(), 'none'))",
        f"SELECT {columns.format(aim=f'({number})::float8')}",
        f"FROM asked, {days} LEFT JOIN LATERAL",
        f"    figure_targets(ARRAY[{_quoted(indicator.code)}], ARRAY[${{unit:sqlstring}}], ARRAY[{day}], now()) t",
        "    ON true",
        "" if indicator.target is not None else "WHERE t.target IS NOT NULL",
        f"ORDER BY {order}" if order else "",
    ]
    return "\n".join(line for line in lines if line)


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
    what = f'f.grp AS "{indicator.classes}", {{value}} AS value'
    return _query(indicator, _whole(indicator), indicator.classes, what, "ORDER BY value DESC NULLS LAST, f.grp")


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
    """The common table expressions of one query: the leaves asked for, in rows (start, grp, f1, f2, …)."""

    def __init__(self, bucket: str, by: str, prefix: str = "f") -> None:
        self.bucket, self.by, self.prefix = bucket, by, prefix
        self._leaves: dict[str, None] = {}
        self._means: dict[str, str] = {}

    @property
    def text(self) -> str:
        """All of them, as they stand after WITH."""
        return ",\n".join(f"{name} AS ({text})" for name, text in self._tables().items())

    @property
    def joined(self) -> str:
        """The leaves side by side."""
        if self.by not in ("", "unit"):
            return "f JOIN f rest ON rest.start = f.start AND rest.grp IS NULL AND f.grp IS NOT NULL"
        first, *rest = self._tables()
        return first + "".join(f" FULL JOIN {name} USING (start, grp)" for name in rest)

    def _tables(self) -> dict[str, str]:
        return ({self.prefix: self._asked()} if self._leaves else {}) | {
            name: text for text, name in self._means.items()
        }

    def _asked(self) -> str:
        columns = ", ".join(
            f"max(value) FILTER (WHERE leaf = {n}) AS {self.prefix}{n}" for n in range(1, len(self._leaves) + 1)
        )
        arguments = ", ".join((self.bucket, *map(_quoted, (self.by, wanted_all(self._leaves)))))
        return (
            f"SELECT start, grp, {columns}\nFROM asked, figure_leaves(root, first, last, known, {arguments})\n"
            "WHERE first <= local_day(known) GROUP BY start, grp"
        )

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
                return self.value(of) if self.by else self._mean(of)
            case Score():
                raise TypeError(formula)
        place = list(self._leaves | {wanted(formula): None}).index(wanted(formula)) + 1
        self._leaves[wanted(formula)] = None
        # By label, a group that a part has no row of has what the part says of all others.
        column = f"{self.prefix}{place}"
        return column if self.by in ("", "unit") else f"coalesce(f.{column}, rest.{column})"

    def _mean(self, of: Formula) -> str:
        """The unweighted mean of the units' own figures, of those that have one."""
        name = f"m{len(self._means) + 1}"
        parts = _Parts(self.bucket, "unit")
        value = parts.value(of)
        text = (
            f"WITH {parts.text}\nSELECT start, '' AS grp, avg({value}) AS value FROM asked, "
            f"figure_periods(first, last, known, {self.bucket}) p LEFT JOIN {parts.joined} USING (start) "
            "GROUP BY start"
        )
        return f"{self._means.setdefault(text, name)}.value"


def in_order(name: str) -> str:
    """What to sort by a column of names, as `schemas.text.collation` does."""
    return f"string_to_array(lower({name}), ' ') COLLATE vietnamese, {name}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
