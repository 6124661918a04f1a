"""Formulas told to people: measures, labels and statistics by their names in either language, not by their codes."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from schemas.index766.rules import rule_sets
from schemas.indicators import CATALOGUE
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
from schemas.indicators.label_texts import words_for
from schemas.registry import MEASURES

Language = Literal["vi", "en"]

LABELS: dict[tuple[str, str], tuple[str, str]] = {
    ("channel", "counter"): ("tại quầy", "at the counter"),
    ("channel", "hotline_1022"): ("qua tổng đài 1022", "by hotline 1022"),
    ("channel", "post"): ("qua bưu chính", "by post"),
    ("electronic", "yes"): ("bản điện tử", "electronic"),
    ("kind", "fee"): ("phí, lệ phí", "fees"),
    ("kind", "tax"): ("thuế", "taxes"),
    ("fee", "yes"): ("có nghĩa vụ tài chính", "with a fee"),
    ("level", "full"): ("toàn trình", "full service"),
    ("level", "partial"): ("một phần", "partial service"),
    ("paid", "any"): ("mọi hồ sơ", "all"),
    ("paid", "online"): ("thanh toán trực tuyến", "paid online"),
    ("stage", "accept"): ("khâu nhận xử lý", "acceptance"),
    ("stage", "resolve"): ("khâu giải quyết", "resolution"),
    ("stage", "route"): ("khâu chuyển xử lý", "routing"),
    ("state", "ended"): ("đã kết thúc", "ended"),
    ("state", "open"): ("đang giải quyết", "open"),
}
"""(label, value) -> its words (vi, en), where a formula says it otherwise than a break-down does."""
DIFFERENT = {"procedure": ("thủ tục", "procedures")}
"""What is counted by its different values."""
TEXTS: dict[str, tuple[str, str]] = {
    "count": ("số lượt {}", "number of {}"),
    "end": ("{}, tính đến cuối kỳ", "{}, up to the end of the period"),
    "start": ("{}, tính đến đầu kỳ", "{}, up to the start of the period"),
    "last": ("{}, theo lần báo cáo gần nhất", "{}, as last reported"),
    "different": ("số {} khác nhau trong {}", "number of different {} in {}"),
    "score": ("cộng điểm các thành phần: {}", "points of these components, added: {}"),
    "median": ("trung vị của {}", "median of {}"),
    "mean_of_units": ("bình quân giản đơn các đơn vị của {}", "plain mean over units of {}"),
    "value": ("{} (theo báo cáo)", "{} (as reported)"),
    "total": ("tổng thể của {} (theo báo cáo)", "the whole of {} (as reported)"),
    "ratio": ("tỷ lệ {} (theo báo cáo)", "share of {} (as reported)"),
    "reached": ("tự đánh giá đạt chỉ tiêu {} (theo báo cáo)", "{}: target reached by their own account (as reported)"),
    "target": ("chỉ tiêu giao: {}", "{}: target set"),
    "sum": ("{}, cộng các đơn vị", "{}, sum over units"),
    "mean": ("{}, bình quân các đơn vị", "{}, mean over units"),
}


def formula_text(formula: Formula, language: Language) -> str:
    """A formula in one line, as a clerk would read it aloud; `formula.describe` gives it with the names of the code."""
    match formula:
        case Sum(measure, where, of):
            name = _measure(measure, where, language)
            return name if of == "sum" else _text("count", language, _lower(name))
        case Stock(measure, where, at):
            return _text(at, language, _measure(measure, where, language))
        case Last(measure, where):
            return _text("last", language, _measure(measure, where, language))
        case Distinct(measure, label, where):
            return _text(
                "different", language, _of(DIFFERENT[label], language), _lower(_measure(measure, where, language))
            )
        case Median(measure, where):
            return _text("median", language, _lower(_measure(measure, where, language)))
        case Combine(plus, minus):
            added = " + ".join(formula_text(term, language) for term in plus)
            return added + "".join(f" − {_closed(term, language)}" for term in minus)
        case Ratio(numerator, denominator, scale):
            ratio = f"({formula_text(numerator, language)}) / ({formula_text(denominator, language)})"
            return ratio + (f" × {scale}" if scale != 1 else "")
        case UnitMean(of):
            return _text("mean_of_units", language, f"[{formula_text(of, language)}]")
        case Statement(indicator, part, over_units):
            values = _text(part, language, statistic(indicator, language))
            return _text(over_units, language, values) if over_units else values
        case Score():
            return _text("score", language, "; ".join(_of(names, language) for names in component_names(formula)))
    raise TypeError(formula)


def component_names(formula: Score) -> list[tuple[str, str]]:
    """What the components of a score are called, in both languages."""
    every = next(rules for rules in rule_sets() if rules.code == formula.rules).components
    return [(every[metric].vi, every[metric].en) for metric in formula.counts]


def _closed(formula: Formula, language: Language) -> str:
    text = formula_text(formula, language)
    return f"({text})" if isinstance(formula, Combine) else text


def _measure(name: str, where: Where, language: Language) -> str:
    values = [" hoặc ".join(v) if language == "vi" else " or ".join(v) for v in _labels(where, language)]
    return _plain(_of((MEASURES[name].vi, MEASURES[name].en), language)) + (f" [{', '.join(values)}]" if values else "")


def _labels(where: Where, language: Language) -> list[list[str]]:
    return [[_of(_label(label, value), language) for value in values] for label, values in sorted(where.items())]


def _label(label: str, value: str) -> tuple[str, str]:
    words = LABELS.get((label, value)) or words_for(label, value)
    if words is None:
        raise KeyError((label, value))
    return words


def statistic(code: str, language: Language) -> str:
    """The name of a statistic; its code where the catalogue shows it nowhere by itself."""
    names = _statistics().get(code)
    return _of(names, language) if names else code


@cache
def _statistics() -> dict[str, tuple[str, str]]:
    """What a statistic is called: as the indicator that shows its value, or else its share."""
    stated = [(i, i.formula) for i in CATALOGUE.values() if isinstance(i.formula, Statement)]
    shares = {f.indicator: (i.vi, i.en) for i, f in stated if f.part == "ratio"}
    return shares | {f.indicator: (i.vi, i.en) for i, f in stated if f.part == "value"}


def _plain(name: str) -> str:
    """A measure's name without what it explains: `Open reports (steps)` -> `Open reports`."""
    return re.split(r" \(|: ", name)[0]


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _text(key: str, language: Language, *values: str) -> str:
    return _of(TEXTS[key], language).format(*values)


def _of(texts: tuple[str, str], language: Language) -> str:
    return texts[0] if language == "vi" else texts[1]
