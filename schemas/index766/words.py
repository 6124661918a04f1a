"""Scores of index 766 in words, for who asks at a terminal: verdicts, remarks, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from schemas.index766.rules import RuleSet, flags
from schemas.index766.scoring import ComponentScore, GroupScore, IndexScore
from schemas.index766.unit_scores import ScoredUnit
from schemas.text.dates import day

NONE = "–"


def component_lines(rules: RuleSet) -> Iterator[str]:
    """The components by group: points, names, and what numerator and denominator count."""
    yield f"{rules.vi} · {rules.en} ({rules.code}, {validity(rules)}); r = numerator / denominator"
    for group in rules.groups:
        own = [c for c in rules.components.values() if c.group == group.code]
        yield f"\n{group.vi} · {group.en} ({sum(c.maximum for c in own)})"
        for c in own:
            base = f"; {c.without_base} if there are none" if c.without_base else ""
            province = "; of the province for a unit below it" if c.from_province else ""
            yield f"  {c.metric}  {c.formula}{base}{province}"
            yield f"    {c.vi} = {c.numerator_vi} / {c.denominator_vi}"
            yield f"    {c.en} = {c.numerator_en} / {c.denominator_en}"
            if c.numerator_indicator:
                yield f"    from events: {c.numerator_indicator} / {c.denominator_indicator} (`ioc query`)"


def validity(rules: RuleSet) -> str:
    """From when to when rules are valid."""
    return f"from {day(rules.valid_from)}" + (f" to {day(rules.valid_to)}" if rules.valid_to else "")


def remark(unit: ScoredUnit, one: ComponentScore) -> str:
    """What has to be said of a component: its flags, and where its counts come from."""
    stated = unit.stated(one.component.metric)
    report = f"theo báo cáo · reported by {stated.unit} up to {day(stated.last)}" if stated else ""
    return "; ".join(filter(None, [_flag_words(one), report]))


def _flag_words(one: ComponentScore) -> str:
    return "; ".join(" · ".join(flags()[flag]) for flag in one.flags)


def number(value: Decimal | None) -> str:
    """A number, or a dash."""
    return NONE if value is None else f"{value:,}"


def points(group: GroupScore) -> str:
    """The points of a group; a dash while one of its components is missing."""
    return number(group.points if group.complete else None)


def given(group: GroupScore) -> str:
    """How much of a group is known, where not all of it is."""
    if group.complete:
        return ""
    return f"incomplete: {known(group)} given" if group.scored else "nothing given"


def known(s: GroupScore | IndexScore) -> str:
    """The points of what was given, and of how many: never 0 of 0."""
    return f"{s.points} of {s.scored}" if s.scored else "nothing"


def verdict(s: IndexScore) -> str:
    """The grade, or that there is none yet."""
    if s.grade:
        return f"{s.grade.vi} · {s.grade.en}"
    if not s.scored:
        return "chưa có số liệu · nothing given"
    return f"chưa đủ số liệu · incomplete: {known(s)} given"


def remarks(s: IndexScore) -> str:
    """The verdict of a unit, and what has to be said of its components, in few words."""
    times = Counter(flag for one in s.components for flag in one.flags if flag not in ("missing", "from_province"))
    return "; ".join([verdict(s), *(f"{number} {flag}" for flag, number in times.items())])


def lacking_lines(scored: Sequence[ScoredUnit]) -> Iterator[str]:
    """What is missing of how many units, in a line for each component."""
    times = Counter(metric for unit in scored for metric in unit.score.missing)
    yield from (f"{metric}: missing of {number} of {len(scored)} units" for metric, number in times.most_common())


def advice_lines(scored: Sequence[ScoredUnit]) -> Iterator[str]:
    """What is missing, and where units below the province get the province's own from."""
    lacking = [unit for unit in scored if unit.score.missing]
    for metric, reason in ((m, r) for unit in lacking for m, r in unit.reasons.items()):
        yield f"{metric}: {reason}"
    for unit in lacking:
        who = f"{unit.unit}: " if unit.unit else "all together: " if not unit.score.components else ""
        yield f"{who}{len(unit.score.missing)} missing: {', '.join(unit.score.missing)}"
    lent = {c.metric for unit in scored for c in unit.score.rules.components.values() if c.from_province}
    if any(lent.intersection(unit.score.missing) and unit.level != "province" for unit in lacking):
        yield f"a unit below the province has its province's own {', '.join(sorted(lent))}: --province FILE"
