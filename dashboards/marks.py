"""Marks on the time axis of a system's charts: its alarms while they lasted, and sums that do not agree."""

from __future__ import annotations

from functools import cache

from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.models import dashboard as model

from dashboards.panels import BAD, PROMETHEUS, TIMESCALEDB, Board, Json, SqlQuery
from dashboards.texts import Text
from schemas.indicators import CATALOGUE, CHECKS
from schemas.indicators.formula import Statement, leaves
from schemas.registry import MEASURE_SYSTEM

MINE = "(unit = ${unit:sqlstring} OR ${unit:sqlstring} = 'all')"


class _AnnotationModel(model.AnnotationQuery):
    """An annotation with what the library's model leaves out."""

    more: Json

    def to_json(self) -> Json:
        return super().to_json() | self.more


class Annotation(builder.Builder[model.AnnotationQuery]):
    """A kind of marks; `more` are the fields of the data source's own."""

    def __init__(
        self, name: str, source: model.DataSourceRef, colour: str, more: Json, expr: str | None = None
    ) -> None:
        self.mark = _AnnotationModel(name=name, datasource=source, enable=True, icon_color=colour, expr=expr)
        self.mark.more = more

    def build(self) -> model.AnnotationQuery:
        """The annotation."""
        return self.mark


def alarms(board: Board) -> Annotation:
    """The alarms of the board's system (the overview: of all) and unit, from raised to cleared."""
    mine = MINE if board.slug == "overview" else f"system = '{board.slug}' AND {MINE}"
    text = (
        f"SELECT raised_at AS time, coalesce(cleared_at, now()) AS timeend, {board.language} AS text, severity AS tags "
        f"FROM alarm_list WHERE {mine} "
        "AND raised_at <= $__timeTo() AND coalesce(cleared_at, now()) >= $__timeFrom() ORDER BY raised_at LIMIT 500"
    )
    return Annotation(
        board.say(Text("Cảnh báo", "Alarms")), TIMESCALEDB, BAD, {"target": SqlQuery(text, "Anno", "table")}
    )


def findings(board: Board) -> list[Annotation]:
    """When sums of the system that must agree did not; none for a system whose sums nobody checks."""
    codes = "|".join(code for code, system in systems_of_checks().items() if system == board.slug)
    expr = f'ioc_findings{{check=~"{codes}"}} > 0'
    title = board.say(Text("Số liệu không khớp", "Figures that do not agree"))
    more: Json = {"titleFormat": title, "textFormat": "{{check}}", "step": "60s"}
    return [Annotation(title, PROMETHEUS, "purple", more, expr)] if codes else []


@cache
def systems_of_checks() -> dict[str, str]:
    """Code of a check -> the system whose figures it is about."""
    found = {}
    for check in CHECKS:
        leaf = next(leaves(check.left))
        found[check.code] = (
            CATALOGUE[leaf.indicator].system if isinstance(leaf, Statement) else MEASURE_SYSTEM[leaf.measure]
        )
    return found
