"""The few forms a figure can take. Measures are named in the systems' modules; statements are statistics that others compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Where = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sum:
    """Sum (or number) of a measure's points in the period, of the series whose labels have one of the given values."""

    measure: str
    where: Where = field(default_factory=dict)
    of: Literal["sum", "count"] = "sum"


@dataclass(frozen=True)
class Stock:
    """What has come in less what has gone out: a measure's points from the beginning to the end of the period (or to its start)."""

    measure: str
    where: Where = field(default_factory=dict)
    at: Literal["end", "start"] = "end"


@dataclass(frozen=True)
class Last:
    """The level last reported in the period, of each series, summed: for things reported as a whole, not as they change."""

    measure: str
    where: Where = field(default_factory=dict)


@dataclass(frozen=True)
class Distinct:
    """How many different values a label has among the series with points in the period."""

    measure: str
    label: str
    where: Where = field(default_factory=dict)


@dataclass(frozen=True)
class Median:
    """The middle one of a measure's points in the period (of an even number the mean of the two); what a correction took
    back counts no more."""

    measure: str
    where: Where = field(default_factory=dict)


@dataclass(frozen=True)
class Combine:
    """Plus some terms, minus others."""

    plus: tuple[Formula, ...]
    minus: tuple[Formula, ...] = ()


@dataclass(frozen=True)
class Ratio:
    """Numerator / denominator × scale; never an average of ratios."""

    numerator: Formula
    denominator: Formula
    scale: int = 100


@dataclass(frozen=True)
class UnitMean:
    """The unweighted mean of the units' own figures: only where a published figure is computed so."""

    of: Formula


@dataclass(frozen=True)
class Statement:
    """A statistic as reported: the latest period known, by the table of the report.

    `part`: the value, the whole it is a part of, their ratio in percent, the reporter's own judgement that the target is
    reached (1 or 0), or the target set. `over_units` says how statements of several units become one; without it they don't.
    """

    indicator: str
    part: Literal["value", "total", "ratio", "reached", "target"] = "value"
    over_units: Literal["sum", "mean"] | None = None


@dataclass(frozen=True)
class Score:
    """Points of index 766 by the rule set of that code: of its components named here, each with its numerator and
    denominator. Rounding, caps and bases without anything are `schemas.index766.scoring`'s."""

    rules: str
    counts: Mapping[str, tuple[Formula, Formula]]


Leaf: TypeAlias = Sum | Stock | Last | Distinct | Median | Statement
Formula: TypeAlias = Leaf | Combine | Ratio | UnitMean | Score


def children(formula: Formula) -> tuple[Formula, ...]:
    """The formulas a formula is made of."""
    match formula:
        case Combine(plus, minus):
            return (*plus, *minus)
        case Ratio(numerator, denominator):
            return (numerator, denominator)
        case UnitMean(of):
            return (of,)
        case Score(_, counts):
            return tuple({repr(part): part for pair in counts.values() for part in pair}.values())
    return ()


def leaves(formula: Formula) -> Iterator[Leaf]:
    """The measures and statements a formula rests on."""
    if isinstance(formula, Combine | Ratio | UnitMean | Score):
        for part in children(formula):
            yield from leaves(part)
    else:
        yield formula


def describe(formula: Formula) -> str:
    """A formula in one line, as mathematicians and clerks can both read it."""
    match formula:
        case Sum(measure, where, of):
            return f"{'Σ' if of == 'sum' else 'n'} {measure}{_labels(where)}"
        case Stock(measure, where, at):
            return f"stock of {measure}{_labels(where)} at the {at}"
        case Last(measure, where):
            return f"last {measure}{_labels(where)}"
        case Distinct(measure, label, where):
            return f"number of different {label} in {measure}{_labels(where)}"
        case Median(measure, where):
            return f"median of {measure}{_labels(where)}"
        case Combine(plus, minus):
            return " + ".join(map(describe, plus)) + "".join(f" − {describe(term)}" for term in minus)
        case Ratio(numerator, denominator, scale):
            return f"({describe(numerator)}) / ({describe(denominator)})" + (f" × {scale}" if scale != 1 else "")
        case UnitMean(of):
            return f"unweighted mean over units of [{describe(of)}]"
        case Statement(indicator, part, over_units):
            over = f", {over_units} over units" if over_units else ""
            return f"{part} of {indicator} as reported{over}"
        case Score(rules, counts):
            return f"points of index 766 by the rules {rules}: {' + '.join(counts)}"
    raise TypeError(formula)


def _labels(where: Where) -> str:
    return "{" + ", ".join(f"{k}={'|'.join(v)}" for k, v in sorted(where.items())) + "}" if where else ""
