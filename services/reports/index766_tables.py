"""The tables of index 766: its components with their counts, and its groups by both readings with grade and rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from schemas.index766 import scoring
from schemas.index766.rules import NoRules, flags, rule_set
from schemas.index766.scoring import IndexScore, ranked_as
from schemas.text.numbers import grouped, plain
from services.readings import Period
from services.readings.index766 import UnitIndex, score_of, unit_index, unit_indices
from services.reports.content import Cell, Column, Figure, Table
from services.reports.figures import Figures, exactly

NUMBER = Column("STT", 9, "center")


def index766(figures: Figures, period: Period) -> Iterator[Table]:
    """Index 766 by the portal's rules, from events and what is reported; while a component is missing, the total is.
    There is none of days before the decision."""
    try:
        score = unit_index(figures.conn, "portal", figures.unit, period).score
    except NoRules:
        return
    if len(score.missing) == len(score.components):
        return
    rows: list[tuple[Cell, ...]] = []
    for group in score.groups:
        points = Figure(group.points if group.scored else None, 2)
        rows.append(("", f"{group.group.vi.upper()}{_of_given(group)}", "", "", points, Figure(group.maximum)))
        for number, one in enumerate((c for c in score.components if c.component.group == group.group.code), start=1):
            maximum = Figure(one.component.maximum)
            rows.append((str(number), one.component.vi, *_sides(one), Figure(one.points, 2), maximum))
    columns = (
        NUMBER, Column("Nhóm, thành phần", 72, "left"), Column("Tử số", 22), Column("Mẫu số", 22), Column("Điểm", 19),
        Column("Điểm tối đa", 19),
    )  # fmt: skip
    most = Figure(sum((g.maximum for g in score.groups), Decimal(0)))
    total = ("", f"Tổng số{_of_given(score)}", "", "", Figure(score.points, 2), most)
    notes = (score.rules.vi, *_incomplete(score))
    yield Table("index766", "Điểm theo Bộ chỉ số 766", columns, tuple(rows), total, notes)


def _sides(one: scoring.ComponentScore) -> tuple[Figure, Figure]:
    if one.count is None:
        return Figure(None), Figure(None)
    return exactly(one.count.numerator), exactly(one.count.denominator)


def _of_given(score: scoring.GroupScore | scoring.IndexScore) -> str:
    """Of how many points the sum is, where something of it is missing: it is not to be read as one of all."""
    complete = score.complete if isinstance(score, scoring.GroupScore) else not score.missing
    return "" if complete or not score.scored else f" (của {plain(score.scored)} điểm có số liệu)"


def _incomplete(score: scoring.IndexScore) -> Iterator[str]:
    if score.missing:
        yield (
            f"{len(score.missing)} thành phần chưa có số liệu (–) nên tổng điểm chưa đầy đủ: "
            f"{grouped(score.points, 2)} trên {plain(score.scored)} điểm có thể đạt."
        )


def index766_groups(figures: Figures, period: Period) -> Iterator[Table]:
    """The six groups and the total by both readings, the grade, the rank, and what has to be said of components."""
    try:
        own = unit_index(figures.conn, "portal", figures.unit, period)
        decree = score_of(rule_set("decree", period.last), own.unit, own.counts)
    except NoRules:
        return
    if len(own.score.missing) == len(own.score.components):
        return
    figures.origins.update(own.origins)
    yield groups_table(own, decree, _rank(figures, own, period))


def groups_table(own: UnitIndex, decree: IndexScore, rank: str = "") -> Table:
    """`own` is scored as the portal computes, `decree` is the same counts by the words of the decision."""
    pairs = list(zip(own.score.groups, decree.groups, strict=True))
    rows: list[tuple[Cell, ...]] = [
        (str(number), f"{portal.group.vi}{_of_given(portal)}", *_points(portal, words), Figure(portal.maximum))
        for number, (portal, words) in enumerate(pairs, start=1)
    ]
    columns = (
        NUMBER, Column("Nhóm", 57, "left"), Column("Cách tính của Cổng", 34), Column("Theo lời văn Quyết định", 42),
        Column("Điểm tối đa", 23),
    )  # fmt: skip
    most = Figure(sum((g.maximum for g in own.score.groups), Decimal(0)))
    total: tuple[Cell, ...] = ("", f"Tổng số{_of_given(own.score)}", *_points(own.score, decree), most)
    notes = (
        *_grades(own.score, decree),
        rank,
        *_incomplete(own.score),
        *_reported(own),
        *_flagged(own.score.components),
    )
    title = "Điểm các nhóm theo Bộ chỉ số 766"
    return Table("index766_groups", title, columns, tuple(rows), total, tuple(filter(None, notes)))


def _points(*scores: scoring.GroupScore | IndexScore) -> Iterator[Figure]:
    return (Figure(score.points if score.scored else None, 2) for score in scores)


def _rank(figures: Figures, own: UnitIndex, period: Period) -> str:
    """The place of a unit whose total is known among those of its level."""
    if not own.unit or own.score.total is None:
        return ""
    every = [u for u in unit_indices(figures.conn, "portal", None, period) if u.rank]
    peers = sum(ranked_as(u.level) == ranked_as(own.level) for u in every)
    return next(
        (f"Xếp hạng {u.rank} trong {peers} đơn vị cùng cấp đủ số liệu." for u in every if u.unit == own.unit), ""
    )


def _grades(portal: IndexScore, decree: IndexScore) -> Iterator[str]:
    if portal.grade and decree.grade:
        other = "" if portal.grade == decree.grade else f"; theo lời văn Quyết định: {decree.grade.vi}"
        yield f"Xếp loại: {portal.grade.vi}{other}."


def _reported(own: UnitIndex) -> Iterator[str]:
    """The components of which no event gives the counts."""
    if names := [one.component.vi for one in own.score.components if own.basis(one.component.metric) == "reported"]:
        yield f"Theo báo cáo, không tính từ sự kiện: {'; '.join(names)}."


def _flagged(components: Sequence[scoring.ComponentScore]) -> Iterator[str]:
    """Each remark with the components that it is about; of what is missing the rows tell."""
    marked = ((flag, one.component.vi) for one in components for flag in one.flags if flag != "missing")
    for flag, some in groupby(sorted(marked, key=lambda pair: pair[0]), lambda pair: pair[0]):
        words, _ = flags()[flag]
        yield f"{words[:1].upper()}{words[1:]}: {'; '.join(name for _, name in some)}."
