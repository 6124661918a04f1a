"""What an alert is, and the expressions it is written in: figures by their code, never by the name of a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from schemas.indicators import Indicator, find
from schemas.indicators.metric import TARGET, class_metric, metric, periods, scale

PLATFORM = "platform"
"""The ninth system, which has no events of its own: the centre itself."""
REMEMBERED = "6h"
"""For so long a figure that can no longer be read counts as it was: a dead exporter must not end an alarm. Figures of
today are not remembered, or they would be told again after midnight."""
UNITS, WHOLE = 'unit!="all"', 'unit="all"'
"""Each administrative unit; the whole locality."""

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Alert:
    """One rule of Prometheus, and what it tells people.

    `vi`, `en`: what is the matter; `do_vi`, `do_en`: what to do first. Tokens in them: `<unit>` its name, `<count>`,
    `<percent>`, `<for>` the value as a number, a share, a length of time; `<target>` what the figure `aimed` has to reach;
    any other, as `<source>`, a label.
    `hold`: how long it must be so before it is said; `keep`: how long it must be over before it is taken back.
    `by_unit`: the expression gives the label `unit`; otherwise it is about the whole locality, `all`.
    `family`: its critical alert silences its warning; families `overdue_…` are silent while their source is.
    One name may stand for several rules that differ by their `labels`, one for each figure or system.
    """

    name: str
    system: str
    severity: Severity
    expr: str
    vi: str
    en: str
    do_vi: str
    do_en: str
    hold: str = "0s"
    keep: str = "0s"
    by_unit: bool = field(default=False, kw_only=True)
    family: str = field(default="", kw_only=True)
    aimed: str = field(default="", kw_only=True)
    labels: Mapping[str, str] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class Record:
    """A recording rule, named level:metric:operation: an expression that alerts and boards share."""

    name: str
    system: str
    expr: str
    vi: str
    en: str


def figure(code: str, which: str = UNITS, period: str = "") -> str:
    """The figure of that code for the units `which`, in its own period or another that is watched.

    Raises `UnknownIndicator`, or `ValueError` where the figure has no such period.
    """
    return _of_figure(code, metric(find(code)[0]), which, period)


def by_class(code: str, period: str = "") -> str:
    """The figure of that code by its classes, for the whole locality."""
    return _of_figure(code, class_metric(find(code)[0]), "", period)


def _of_figure(code: str, name: str, which: str, period: str) -> str:
    known = periods(find(code)[0])
    if period and period not in known:
        raise ValueError(f"{code} is not watched for {period!r}, only for {', '.join(known)}: add it to its windows")
    matchers = ",".join(part for part in (which, f'period="{period or known[0]}"') if part)
    selected = f"{name}{{{matchers}}}"
    return selected if period == "today" else remembered(selected)


def remembered(selected: str) -> str:
    """The series as they are, or where they cannot be read as they last were, for `REMEMBERED`."""
    return f"last_over_time({selected}[{REMEMBERED}])"


def printed(code: str, expr: str) -> str:
    """The expression rounded as the figure is printed: by that, tables say whether a target is reached."""
    indicator = find(code)[0]
    return f"round({expr}, {number(scale(indicator) / 10**indicator.decimals)})"


def missed(indicator: Indicator, which: str) -> str:
    """Where the figure misses the target that is in force, among the units `which`. The indicator has `better`."""
    sign = "<" if indicator.better == "higher" else ">"
    value = printed(indicator.code, figure(indicator.code, which))
    return f"{value} {sign} on (unit) group_left () {_in_force(indicator.code, which)}"


def _in_force(code: str, which: str) -> str:
    """The targets of a figure; remembered only while none can be read: one that was taken back holds no more."""
    selected = f'{TARGET}{{indicator="{code}",{which}}}'
    return f"({selected} or ({remembered(selected)} unless on () ioc_database_up == 1))"


def number(value: Decimal) -> str:
    """A number as PromQL reads it: 0.005, 1, 10000."""
    return f"{value.normalize():f}"
