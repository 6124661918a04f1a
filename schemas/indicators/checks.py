"""Sums that must agree. Where they don't, that is a finding: shown with both sides, never repaired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.indicators.formula import Combine, Formula, Leaf, Statement, Stock, Sum, leaves

HOTLINE = {"channel": ("hotline_1022",)}


@dataclass(frozen=True)
class Check:
    """`left` must equal `right` in every unit and period. `evidence`: the points to look at when it does not."""

    code: str
    vi: str
    en: str
    left: Formula
    right: Formula
    what: str
    evidence: Sum | None = None

    @property
    def compared(self) -> tuple[Leaf, ...]:
        """The measures and statements of both sides, and what to look at."""
        return (*leaves(self.left), *leaves(self.right), *((self.evidence,) if self.evidence else ()))


def rests_on(formula: Formula, compared: Iterable[Leaf]) -> bool:
    """Whether a figure is made of anything of what was compared, so that a disagreement there is one about the figure."""
    return any(_meet(own, other) for own in leaves(formula) for other in compared)


def _meet(one: Leaf, other: Leaf) -> bool:
    """Whether two leaves can count the same thing: the same statement, or points that fit the labels of both."""
    if isinstance(one, Statement) or isinstance(other, Statement):
        return isinstance(one, Statement) and isinstance(other, Statement) and one.indicator == other.indicator
    both = one.where.keys() & other.where.keys()
    return one.measure == other.measure and all(set(one.where[label]) & set(other.where[label]) for label in both)


def _stated(*codes: str) -> Formula:
    return Combine(tuple(Statement(code) for code in codes))


def _came(left_over: str, *more: Formula) -> Formula:
    """What there was to be done: received and reopened in the period, and left over from before."""
    return Combine(
        (Sum("reports_received", HOTLINE), Sum("reports_reopened", HOTLINE), Stock(left_over, HOTLINE, "start"), *more)
    )


def _of_ii06(code: str, whole: int, *parts: int) -> Check:
    """Columns of report II.06 as a unit reports it."""
    added = " + ".join(map(str, parts))
    return Check(
        f"ii06_{code}",
        f"Báo cáo II.06 của đơn vị: cột {whole} phải bằng {added}",
        f"Report II.06 of the unit: column {whole} must equal {added}",
        _stated(f"reported_ii06_{whole:02}"),
        _stated(*(f"reported_ii06_{part:02}" for part in parts)),
        "dossier",
    )


CHECKS = (
    _of_ii06("received", 3, 4, 5, 6),
    _of_ii06("resolved", 7, 8, 9, 10),
    _of_ii06("open", 11, 12, 13),
    _of_ii06("balance", 3, 7, 11),
    Check(
        "ecert_balance",
        "Chứng thực bản sao điện tử: kỳ trước chuyển sang + tiếp nhận mới phải bằng đã giải quyết + đang giải quyết",
        "Certified e-copies: carried over + newly received must equal resolved + in progress",
        _stated("ecert_carried_over", "ecert_new"),
        _stated("ecert_resolved", "ecert_in_progress"),
        "dossier",
    ),
    Check(
        "ecert_received",
        "Chứng thực bản sao điện tử: tổng tiếp nhận phải bằng kỳ trước chuyển sang + tiếp nhận mới",
        "Certified e-copies: received must equal carried over + newly received",
        _stated("ecert_received"),
        _stated("ecert_carried_over", "ecert_new"),
        "dossier",
    ),
    Check(
        "ecert_outcomes",
        "Chứng thực bản sao điện tử: đã giải quyết phải bằng trước, đúng hạn + quá hạn",
        "Certified e-copies: resolved must equal in time + overdue",
        _stated("ecert_resolved"),
        _stated("ecert_on_time_or_early", "ecert_overdue"),
        "dossier",
    ),
    Check(
        "hotline_groups",
        "Tổng đài 1022: tin kỳ trước chuyển sang, tiếp nhận và mở lại phải bằng trả lời trực tiếp + chuyển cơ quan + chờ phân loại + từ chối",
        "Hotline 1022: messages carried over, received and reopened must equal answered directly + forwarded + waiting + refused",
        _came("reports_waiting"),
        Combine((
            Sum("reports_answered", HOTLINE),
            Sum("reports_routed", HOTLINE),
            Stock("reports_waiting", HOTLINE),
            Sum("reports_resolved", {**HOTLINE, "handling": ("duplicate", "refused")}),
        )),
        "message",
        Sum("reports_resolved", {**HOTLINE, "handling": ("none",)}),
    ),
    Check(
        "hotline_balance",
        "Tổng đài 1022: tin kỳ trước chuyển sang, tiếp nhận và mở lại phải bằng đã xử lý + đang xử lý",
        "Hotline 1022: messages carried over, received and reopened must equal processed + in progress",
        _came("reports_open", Sum("reports_handed", HOTLINE)),
        Combine((Sum("reports_resolved", HOTLINE), Stock("reports_open", HOTLINE))),
        "message",
    ),
)  # fmt: skip
