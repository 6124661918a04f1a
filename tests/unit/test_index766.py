"""Index 766: rule sets as data, the scorer, and the command over files as offices send them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from chance import examples
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from schemas.index766 import rules as tables
from schemas.index766.counts import read
from schemas.index766.rules import NoRules, RuleSet, rule_set, rule_sets
from schemas.index766.scoring import CountPair, IndexScore, half_up, mean, points, ranks, score
from schemas.indicators import CATALOGUE, SHEETS
from schemas.indicators.formula import Ratio, Score
from schemas.indicators.index766 import POINTS, REPORTED
from schemas.text import files
from services.cli import output
from services.cli.app import main

DAY = date(2026, 11, 30)
PORTAL, DECREE = rule_set("portal", DAY), rule_set("decree", DAY)
METRICS = list(PORTAL.components)
PUBLICATION = ["PUBLISH_ON_TIME", "PUBLIC_UPDATE_ON_TIME", "PUBLIC_CONTENT_FULL"]


def of(numerator: object, denominator: object) -> CountPair:
    return CountPair(Decimal(str(numerator)), Decimal(str(denominator)))


def given_of(metric: str, numerator: object, denominator: object, rules: RuleSet = PORTAL) -> Decimal:
    return points(rules.components[metric], of(numerator, denominator))


# --- the tables ---


def test_the_components_are_21_in_six_groups_of_100_points() -> None:
    for rules in (PORTAL, DECREE):
        assert len(rules.components) == 21
        by_group = {
            g.code: sum(c.maximum for c in rules.components.values() if c.group == g.code) for g in rules.groups
        }
        assert list(by_group.values()) == [18, 20, 12, 10, 22, 18]
    assert METRICS[0] == "PUBLISH_ON_TIME" and METRICS[-1] == "DOSSIER_RECEIVING_SATISFACTION"
    assert [c.metric for c in PORTAL.components.values() if c.from_province] == PUBLICATION


def test_every_component_says_what_it_counts_in_both_languages() -> None:
    for rules in rule_sets():
        for component in rules.components.values():
            assert all(getattr(component, name) for name in component.__slots__ if name.endswith(("vi", "en")))
            assert 0 < component.target <= 1
        assert rules.grades[-1].points == 0
        assert [grade.points for grade in rules.grades] == sorted((g.points for g in rules.grades), reverse=True)


def test_portal_and_decree_differ_in_one_component() -> None:
    differ = [m for m in METRICS if PORTAL.components[m] != DECREE.components[m]]
    assert differ == ["SO_HOA_GIAY_TO_GIAI_QUYET"]
    assert [r.components[differ[0]].formula for r in (PORTAL, DECREE)] == ["4r", "min(4, 4r/0.80)"]


def test_components_that_events_count_name_two_figures_of_the_catalogue() -> None:
    pairs = {m: (c.numerator_indicator, c.denominator_indicator) for m, c in PORTAL.components.items()}
    counted = {metric: pair for metric, pair in pairs.items() if metric not in REPORTED}
    assert counted.keys() == {
        "DOSSIER_SYNC", "ON_TIME", "ONLINE_OFFERED_FULL", "ONLINE_SERVICES_WITH_DOSSIERS", "ONLINE_DOSSIERS",
        "PAYMENT_PROCEDURES_OFFERED", "PAYMENT_PROCEDURES_USED", "PAYMENT_DOSSIERS_ONLINE",
        "ORIGINAL_RESULT_AVAILABLE", "REUSED_DIGITIZED_DATA", "SYNCED_WITH_DVCQG_PERSONAL_STORAGE",
        "CITIZEN_DATA_CONNECTED_DOSSIER", "DOSSIER_RECEIVING_SATISFACTION",
    }  # fmt: skip
    for metric, (value, total) in pairs.items():
        parts = [getattr(CATALOGUE[code].formula, "part", "counted") for code in (value, total)]
        assert parts == (["value", "total"] if metric in REPORTED else ["counted", "counted"]), metric
    for pair in counted.values():
        numerator, denominator = (CATALOGUE[code] for code in pair)
        assert numerator.system == denominator.system == "procedures"
        assert numerator.unit == denominator.unit and numerator.decimals == denominator.decimals == 0


@pytest.mark.parametrize(
    ("metric", "share"),
    [
        ("DOSSIER_SYNC", "synchronised_share"),
        ("ONLINE_SERVICES_WITH_DOSSIERS", "online_service_share"),
        ("PAYMENT_DOSSIERS_ONLINE", "paid_online_share"),
        ("ORIGINAL_RESULT_AVAILABLE", "electronic_result_share"),
        ("REUSED_DIGITIZED_DATA", "reused_share"),
    ],
)
def test_a_share_of_the_catalogue_is_made_of_the_same_two_figures(metric: str, share: str) -> None:
    component = PORTAL.components[metric]
    pair = (CATALOGUE[code].formula for code in (component.numerator_indicator, component.denominator_indicator))
    assert CATALOGUE[share].formula == Ratio(*pair)


def test_the_catalogue_has_the_total_and_each_group_and_what_the_decree_reads_otherwise() -> None:
    groups = [f"index766_{group.code}" for group in PORTAL.groups]
    codes = [POINTS, *groups, f"{POINTS}_decree", "index766_digitisation_decree"]
    assert list(SHEETS["index766"]) == codes
    formulas = {code: CATALOGUE[code].formula for code in codes}
    scored = {code: list(of.counts) for code, of in formulas.items() if isinstance(of, Score)}
    assert scored[POINTS] == scored[f"{POINTS}_decree"] == METRICS
    assert [metric for code in groups for metric in scored[code]] == METRICS


def test_a_rule_set_is_valid_from_its_day_on() -> None:
    assert rule_set("decree", date(2022, 6, 23)).code == "decree"
    with pytest.raises(
        NoRules, match=r"no rules 'decree' on 22/06/2022; there are: portal from 23/06/2022, decree from"
    ):
        rule_set("decree", date(2022, 6, 22))
    with pytest.raises(NoRules, match="no rules 'own'"):
        rule_set("own", DAY)


def test_a_rule_set_that_ended_is_followed_by_the_next_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = replace(DECREE, valid_to=date(2026, 12, 31))
    following = replace(DECREE, valid_from=date(2027, 1, 1))
    monkeypatch.setattr(tables, "rule_sets", lambda: (ended, following))
    assert tables.rule_set("decree", date(2026, 12, 31)) is ended
    assert tables.rule_set("decree", date(2027, 1, 1)) is following


# --- points ---

VECTORS = [
    ("PUBLISH_ON_TIME", 48, 50, "5.76"),
    ("PUBLIC_UPDATE_ON_TIME", 1950, 2000, "3.90"),
    ("PUBLIC_CONTENT_FULL", 1999, 2000, "2.00"),
    ("DOSSIER_SYNC", 1, 3, "2.00"),
    ("ON_TIME", 5000, 5119, "19.54"),
    ("ONLINE_OFFERED_FULL", 60, 100, "1.50"),
    ("ONLINE_OFFERED_FULL", 80, 100, "2.00"),
    ("ONLINE_OFFERED_FULL", 97, 100, "2.00"),
    ("ONLINE_SERVICES_WITH_DOSSIERS", 60, 100, "2.40"),
    ("ONLINE_DOSSIERS", 25, 100, "3.00"),
    ("ONLINE_DOSSIERS", 50, 100, "6.00"),
    ("ONLINE_DOSSIERS", 73, 100, "6.00"),
    ("PAYMENT_PROCEDURES_OFFERED", 1, 7, "0.36"),
    ("PAYMENT_PROCEDURES_USED", 79, 100, "1.98"),
    ("PAYMENT_PROCEDURES_OFFERED", 80, 100, "2.00"),
    ("PAYMENT_PROCEDURES_USED", 81, 100, "2.00"),
    ("PAYMENT_DOSSIERS_ONLINE", 45, 100, "2.70"),
    ("ORIGINAL_RESULT_AVAILABLE", 999, 1000, "5.99"),
    ("REUSED_DIGITIZED_DATA", 40, 100, "1.00"),
    ("REUSED_DIGITIZED_DATA", 797, 1000, "1.99"),  # 1.9925
    ("REUSED_DIGITIZED_DATA", 798, 1000, "2.00"),  # 1.995, half of a hundredth below the cap
    ("REUSED_DIGITIZED_DATA", 801, 1000, "2.00"),
    ("SYNCED_WITH_DVCQG_PERSONAL_STORAGE", 1, 8, "0.50"),
    ("CITIZEN_DATA_CONNECTED_FORMALITY", 1, 3, "0.67"),
    ("CITIZEN_DATA_CONNECTED_DOSSIER", 2, 3, "1.33"),
    ("ELECTRONIC_CERTIFIED_COPY", 95, 95, "2.00"),
    ("PETITION_PROCESSING_ON_TIME", 7, 8, "5.25"),
    ("PETITION_HANDLING_SATISFACTION", 7, 8, "5.25"),
    ("DOSSIER_RECEIVING_SATISFACTION", 81, 100, "5.40"),
    ("DOSSIER_RECEIVING_SATISFACTION", 90, 100, "6.00"),
    ("DOSSIER_RECEIVING_SATISFACTION", "89.9", 100, "5.99"),
]


@pytest.mark.parametrize(("metric", "numerator", "denominator", "expected"), VECTORS)
def test_points_by_each_formula(metric: str, numerator: object, denominator: object, expected: str) -> None:
    assert str(given_of(metric, numerator, denominator)) == expected


@pytest.mark.parametrize(
    ("numerator", "portal", "decree"), [(60, "2.40", "3.00"), (80, "3.20", "4.00"), (100, "4.00", "4.00")]
)
def test_digitised_papers_by_the_portal_and_by_the_decree(numerator: int, portal: str, decree: str) -> None:
    metric = "SO_HOA_GIAY_TO_GIAI_QUYET"
    assert str(given_of(metric, numerator, 100)) == portal
    assert str(given_of(metric, numerator, 100, DECREE)) == decree


@pytest.mark.parametrize(
    ("metric", "numerator", "denominator", "expected"),
    [
        ("CITIZEN_DATA_CONNECTED_DOSSIER", 1, 400, "0.01"),  # 0.005: a float of 2 * 1 / 400 may fall below
        ("DOSSIER_SYNC", 2009, 2400, "5.02"),  # 5.0225
        ("ON_TIME", 4003, 4000, "20.00"),
        ("ON_TIME", 1999, 4000, "10.00"),  # 9.995
        ("PUBLISH_ON_TIME", 1, 1200, "0.01"),  # 0.005
        ("PUBLISH_ON_TIME", 999999, 1200 * 10**6, "0.00"),  # 0.004999995
        ("ON_TIME", 201, 4000, "1.01"),  # 1.005, which a float keeps as 1.00499…
    ],
)
def test_half_of_a_hundredth_is_rounded_up(metric: str, numerator: int, denominator: int, expected: str) -> None:
    assert str(given_of(metric, numerator, denominator)) == expected


def test_without_a_base_petitions_have_their_points_and_nothing_else_has() -> None:
    scored = score(PORTAL, {metric: of(0, 0) for metric in METRICS})
    petitions = {"PETITION_PROCESSING_ON_TIME", "PETITION_HANDLING_SATISFACTION"}
    assert {one.component.metric for one in scored.components if one.points} == petitions
    assert scored.total == 12
    assert all(one.flags == ("no_base",) and one.share is None for one in scored.components)


@pytest.mark.parametrize(("metric", "maximum"), [("ON_TIME", 20), ("ONLINE_DOSSIERS", 6), ("DOSSIER_SYNC", 6)])
def test_more_than_all_is_the_maximum_and_flagged(metric: str, maximum: int) -> None:
    (one,) = (one for one in score(PORTAL, {metric: of(12, 10)}).components if one.count)
    assert (one.points, one.flags) == (maximum, ("impossible",))


def test_something_of_nothing_is_flagged_as_both() -> None:
    (one,) = (one for one in score(PORTAL, {"ON_TIME": of(1, 0)}).components if one.count)
    assert (one.points, one.flags) == (0, ("no_base", "impossible"))


@pytest.mark.parametrize("wrong", ["-1", "NaN", "Infinity"])
def test_a_count_is_a_number_from_0_on(wrong: str) -> None:
    with pytest.raises(ValueError, match="numerator is"):
        of(wrong, 5)
    with pytest.raises(ValueError, match="denominator is"):
        of(1, wrong)


def test_a_metric_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError, match="ON_TIMES"):
        score(PORTAL, {"ON_TIMES": of(1, 1)})


PUBLISHED = {
    "PUBLISH_ON_TIME": (0, 54), "PUBLIC_UPDATE_ON_TIME": (0, 68), "PUBLIC_CONTENT_FULL": (87, 89),
    "DOSSIER_SYNC": (339_457, 339_457), "ON_TIME": (403_016, 464_494), "ONLINE_OFFERED_FULL": (31 + 21, 89),
    "ONLINE_SERVICES_WITH_DOSSIERS": (449, 1_884), "ONLINE_DOSSIERS": (435_258, 440_558),
    "PAYMENT_PROCEDURES_OFFERED": (66, 311), "PAYMENT_PROCEDURES_USED": (115, 311),
    "PAYMENT_DOSSIERS_ONLINE": (233_203, 268_066), "ORIGINAL_RESULT_AVAILABLE": (334_358, 464_494),
    "SO_HOA_GIAY_TO_GIAI_QUYET": (83_994, 464_494), "REUSED_DIGITIZED_DATA": (64_382, 464_494),
    "SYNCED_WITH_DVCQG_PERSONAL_STORAGE": (0, 464_494), "CITIZEN_DATA_CONNECTED_FORMALITY": (342, 1_300),
    "CITIZEN_DATA_CONNECTED_DOSSIER": (192_191, 464_494), "ELECTRONIC_CERTIFIED_COPY": (100, 100),
    "PETITION_PROCESSING_ON_TIME": (300, 499), "PETITION_HANDLING_SATISFACTION": (238, 499),
    "DOSSIER_RECEIVING_SATISFACTION": (402_886, 464_494),
}  # fmt: skip
"""The national portal's counts of Phú Thọ for the third quarter of 2026; of certified copies it shows a share alone."""


def test_a_province_has_the_points_that_the_portal_published() -> None:
    scored = score(PORTAL, {metric: of(*pair) for metric, pair in PUBLISHED.items()})
    assert [str(group.points) for group in scored.groups] == ["7.96", "17.35", "8.41", "6.67", "8.75", "12.25"]
    shown = {one.component.metric: str(one.points) for one in scored.components}
    published = {
        "PUBLIC_CONTENT_FULL": "1.96", "DOSSIER_SYNC": "6.00", "ORIGINAL_RESULT_AVAILABLE": "4.32",
        "SO_HOA_GIAY_TO_GIAI_QUYET": "0.72", "REUSED_DIGITIZED_DATA": "0.35",
        "CITIZEN_DATA_CONNECTED_FORMALITY": "0.53", "CITIZEN_DATA_CONNECTED_DOSSIER": "0.83",
        "ELECTRONIC_CERTIFIED_COPY": "2.00", "PETITION_PROCESSING_ON_TIME": "3.61",
        "PETITION_HANDLING_SATISFACTION": "2.86", "DOSSIER_RECEIVING_SATISFACTION": "5.78",
    }  # fmt: skip
    assert shown.items() >= published.items()
    assert (str(scored.total), scored.grade and scored.grade.vi) == ("61.39", "Trung bình")


# --- groups, totals, grades ---


def whole(numerator: int = 1, denominator: int = 1, **others: CountPair) -> Mapping[str, CountPair]:
    return {**{metric: of(numerator, denominator) for metric in METRICS}, **others}


def test_a_whole_score_is_the_sum_of_its_groups() -> None:
    scored = score(PORTAL, whole(1, 3))
    assert [str(group.points) for group in scored.groups] == [
        "6.00",  # 2.00 + 1.33 + 0.67 + 2.00
        "6.67",
        "6.16",  # 0.83 + 1.33 + 4.00
        "3.66",  # 0.83 + 0.83 + 2.00
        "7.50",  # 2.00 + 1.33 + 0.83 + 1.33 + 0.67 + 0.67 + 0.67
        "6.22",  # 2.00 + 2.00 + 2.22
    ]
    assert (str(scored.total), scored.grade and scored.grade.code) == ("36.21", "weak")
    assert score(PORTAL, whole()).total == score(DECREE, whole()).total == 100


def test_what_was_not_given_is_missing_and_not_0() -> None:
    counts = {metric: count for metric, count in whole().items() if metric not in ("DOSSIER_SYNC", "ON_TIME")}
    scored = score(PORTAL, counts)
    assert scored.missing == ("DOSSIER_SYNC", "ON_TIME")
    assert (scored.total, scored.grade) == (None, None)
    assert (scored.points, scored.scored) == (74, 74)
    assert [group.complete for group in scored.groups] == [False, False, True, True, True, True]
    assert (scored.groups[0].points, scored.groups[0].scored) == (12, 12)
    (missing,) = (one for one in scored.components if one.component.metric == "ON_TIME")
    assert (missing.points, missing.flags) == (None, ("missing",))


@pytest.mark.parametrize(
    ("total", "code", "vi"),
    [("100", "excellent", "Xuất sắc"), ("90", "excellent", "Xuất sắc"), ("89.99", "good", "Tốt"), ("80", "good", "Tốt"),
     ("79.99", "fair", "Khá"), ("70", "fair", "Khá"), ("69.99", "average", "Trung bình"),
     ("50", "average", "Trung bình"), ("49.99", "weak", "Yếu"), ("0", "weak", "Yếu")],
)  # fmt: skip
def test_grades(total: str, code: str, vi: str) -> None:
    grade = PORTAL.grade(Decimal(total))
    assert (grade.code, grade.vi) == (code, vi)


def test_a_unit_below_the_province_has_the_publication_of_its_province() -> None:
    own = {metric: count for metric, count in whole().items() if metric not in PUBLICATION}
    assert score(PORTAL, own).missing == tuple(PUBLICATION)
    scored = score(PORTAL, own, whole(1, 2))
    assert (scored.total, str(scored.groups[0].points)) == (94, "12.00")
    lent = [one.component.metric for one in scored.components if "from_province" in one.flags]
    assert lent == PUBLICATION
    assert score(PORTAL, whole(), whole(1, 2)).total == 94
    assert score(PORTAL, whole(), {}).missing == tuple(PUBLICATION)


# --- several units ---


def test_a_group_of_provinces_is_the_mean_of_each_group_then_added() -> None:
    first, second = score(PORTAL, whole(1, 3)), score(PORTAL, whole(2, 3, ON_TIME=of(1, 400)))
    together = mean([first, second])
    assert str(first.groups[1].points), str(second.groups[1].points) == ("6.67", "0.05")
    assert str(together.groups[1].points) == "3.36"
    assert together.total == sum(group.points for group in together.groups)
    assert mean([first]).total == first.total


def test_the_mean_of_groups_is_not_the_mean_of_totals() -> None:
    """Six groups of which each mean ends in half of a hundredth are rounded six times."""
    better = {"DOSSIER_SYNC": of(599, 600), "ON_TIME": of(1999, 2000), "ONLINE_DOSSIERS": of(599, 1200),
              "PAYMENT_DOSSIERS_ONLINE": of(599, 600), "ORIGINAL_RESULT_AVAILABLE": of(599, 600),
              "PETITION_PROCESSING_ON_TIME": of(599, 600)}  # fmt: skip
    one, other = score(PORTAL, whole()), score(PORTAL, whole(**better))
    assert (one.total, str(other.total)) == (100, "99.94")
    assert half_up(Fraction(one.total + (other.total or 0)) / 2) == Decimal("99.97")
    assert mean([one, other]).total == 100


def test_a_group_lacks_what_one_of_its_units_lacks() -> None:
    lacking = {metric: count for metric, count in whole().items() if metric != "ON_TIME"}
    together = mean([score(PORTAL, whole()), score(PORTAL, lacking)])
    assert (together.missing, together.total, together.grade) == (("ON_TIME",), None, None)
    assert [group.complete for group in together.groups] == [True, False, True, True, True, True]
    for scores in ([], [score(PORTAL, whole()), score(DECREE, whole())]):
        with pytest.raises(ValueError, match="same rules"):
            mean(scores)


def test_ranks_are_1_2_2_4_within_a_level() -> None:
    totals = {"a": "90", "b": "80", "c": "80.00", "d": "70", "x": "95", "y": "60", "late": None}
    numbers = {unit: Decimal(total) if total else None for unit, total in totals.items()}
    levels = {"a": "ward", "b": "commune", "c": "ward", "d": "commune", "x": "department", "y": "department"}
    assert ranks(numbers, levels) == {"a": 1, "b": 2, "c": 2, "d": 4, "x": 1, "y": 2}
    assert ranks(numbers, {}) == {"x": 1, "a": 2, "b": 3, "c": 3, "d": 5, "y": 6}


COUNTS = st.builds(of, st.integers(0, 400), st.integers(0, 400))


@examples(50)
@given(st.dictionaries(st.sampled_from(METRICS), COUNTS), st.sampled_from(rule_sets()), st.randoms())
def test_any_counts_give_points_within_bounds_that_add_up(
    counts: dict[str, CountPair], rules: RuleSet, chance: Any
) -> None:
    scored = score(rules, counts)
    for one in scored.components:
        if one.points is not None:
            assert 0 <= one.points <= one.component.maximum
            assert one.points == one.points.quantize(Decimal("0.01"))
    assert scored.points == sum(group.points for group in scored.groups)
    assert scored.points == sum(one.points for one in scored.components if one.points is not None)
    assert (scored.total is None) == (len(counts) < 21)
    shuffled = list(counts.items())
    chance.shuffle(shuffled)
    assert score(rules, dict(shuffled)) == scored


@examples(30)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 300)), min_size=21, max_size=21), st.randoms())
def test_the_order_of_rows_changes_nothing(pairs: list[tuple[int, int]], chance: Any) -> None:
    rows = [f"{metric};{n};{d}" for metric, (n, d) in zip(METRICS, pairs, strict=True)]
    first = scored_rows(rows)
    chance.shuffle(rows)
    assert scored_rows(rows) == first
    assert all(a <= b for a, b in [(first.points, first.scored)])


def scored_rows(rows: list[str]) -> IndexScore:
    (unit,) = read(["metric;numerator;denominator", *rows], "x.csv", PORTAL.components).values()
    return score(PORTAL, unit.counts)


# --- files ---


def counts_of(text: str | bytes) -> dict[str, dict[str, tuple[str, str]]]:
    raw = text.encode() if isinstance(text, str) else text
    units = read(files.lines(files.decode(raw, "x.csv")), "x.csv", PORTAL.components)
    return {
        name: {metric: (f"{c.numerator:f}", f"{c.denominator:f}") for metric, c in unit.counts.items()}
        for name, unit in units.items()
    }


def test_a_file_as_offices_send_it() -> None:
    head = '\ufeff"Metric";"Numerator"; denominator ;note'
    lines = [head, "", 'on_time; 5119 ;"1.234.567,0";x', '"DOSSIER_SYNC";1 234;1.234', ""]
    assert counts_of("\r\n".join(lines)) == {"": {"ON_TIME": ("5119", "1234567.0"), "DOSSIER_SYNC": ("1234", "1234")}}
    assert counts_of("metric\tnumerator\tdenominator\nON_TIME\t1\t2\n") == {"": {"ON_TIME": ("1", "2")}}


def test_two_empty_cells_are_a_component_that_is_missing() -> None:
    assert counts_of("metric,numerator,denominator\nON_TIME,,\nDOSSIER_SYNC,1,2") == {"": {"DOSSIER_SYNC": ("1", "2")}}


def test_units_are_told_apart_by_name_however_composed() -> None:
    text = "unit,metric,numerator,denominator\nXã A,ON_TIME,1,2\nXa\u0303 A,DOSSIER_SYNC,1,2\nXã B,ON_TIME,1,1"
    assert {name: list(counts) for name, counts in counts_of(text).items()} == {
        "Xã A": ["ON_TIME", "DOSSIER_SYNC"],
        "Xã B": ["ON_TIME"],
    }


HEAD = "metric,numerator,denominator"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "x.csv is empty; its first row names the columns metric, numerator, denominator"),
        ("\ufeff\r\n", "x.csv is empty"),
        (HEAD, "x.csv has no rows below its first"),
        ("ON_TIME,1,2\n", "row 1: the column metric, numerator, denominator is missing; the row has on_time, 1, 2"),
        (f"{HEAD},numerator\nON_TIME,1,2,3", "row 1: the column numerator is there twice"),
        (f"{HEAD}\nON_TIME,1,2,3", "row 2: 4 cells under 3 columns"),
        (f'{HEAD}\nON_TIME,1,"2', "row 2: a quote"),
        (f"{HEAD}\nDOSSIER_SYNC,1,2\nON_TIMES,1,2", "row 3, column metric: 'ON_TIMES' is no component.*mean ON_TIME"),
        (f"{HEAD}\n,1,2", "row 2, column metric: '' is no component.*`ioc index766 components` lists all"),
        (f"{HEAD}\nON_TIME,1,2\n\nON_TIME,1,2", "row 4, column metric: ON_TIME stands in row 2 already"),
        (f"{HEAD}\nON_TIME,,\nON_TIME,1,2", "row 3, column metric: ON_TIME stands in row 2 already"),
        (f"{HEAD}\nON_TIME,,2", "row 2, column numerator: nothing stands there"),
        (f"{HEAD}\nON_TIME,1,", "row 2, column denominator: nothing stands there"),
        (f"{HEAD}\nON_TIME,-1,2", "row 2, column numerator: '-1' is negative"),
        (f"{HEAD}\nON_TIME,1,−2", "row 2, column denominator: '−2' is negative"),
        (f"{HEAD}\nON_TIME,many,2", "row 2, column numerator: 'many' is no number"),
        (f"{HEAD}\nON_TIME,NaN,2", "row 2, column numerator: 'NaN' is no number"),
        (f"{HEAD}\nON_TIME,1e3,2", "row 2, column numerator: '1e3' is no number"),
        (f"{HEAD}\nON_TIME,98%,100%", "row 2, column numerator: '98%' is no number"),
        (f"{HEAD}\nON_TIME,-,2", "row 2, column numerator: does '-' mean 0 or no figure"),
        (f"{HEAD}\nON_TIME,1.5,2", "row 2, column numerator: '1.5' is no whole number"),
        (f"{HEAD}\nON_TIME,1.000,2", r"row 2, column numerator: '1.000' can be read in two ways, as 1 or as 1000"),
        (f"{HEAD}\nDOSSIER_RECEIVING_SATISFACTION,1.234,2", "column numerator: '1.234' can be read in two ways"),
        (f"unit,{HEAD}\nA,ON_TIME,1,2\n,DOSSIER_SYNC,1,2", "row 3, column unit: nothing stands there"),
        (f"unit,{HEAD}\nA,ON_TIME,1,2\nA,ON_TIME,1,2", "row 3, column metric: ON_TIME stands in row 2 already for A"),
        (f"level,{HEAD}\nxã,ON_TIME,1,2", "row 2, column level: 'xã' is none of province, department"),
        (f"level,{HEAD}\nward,ON_TIME,1,2\ncommune,DOSSIER_SYNC,1,2", "row 3, column level: 'commune', and 'ward'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_row_and_column(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        counts_of(text)


def test_another_encoding_is_named() -> None:
    with pytest.raises(files.Unreadable, match="saved as UTF-16"):
        counts_of(f"{HEAD}\nON_TIME,1,2".encode("utf-16"))


# --- the command ---


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["index766", *map(str, arguments)])


def table(file: Path, units: Mapping[str, Mapping[str, tuple[int, int]]], **levels: str) -> Path:
    lines = ["unit,level,metric,numerator,denominator"]
    for unit, counts in units.items():
        lines += [f"{unit},{levels.get(unit, '')},{metric},{n},{d}" for metric, (n, d) in counts.items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


FULL = dict.fromkeys(METRICS, (1, 1))


@pytest.fixture
def one(tmp_path: Path) -> Path:
    file = tmp_path / "one.csv"
    file.write_text("\n".join([HEAD, *(f"{metric},1,3" for metric in METRICS)]), encoding="utf-8")
    return file


def test_a_file_of_one_unit_is_shown_with_every_component(one: Path) -> None:
    shown = run("score", one)
    assert shown.exit_code == 0, shown.output
    assert all(metric in shown.stdout for metric in METRICS)
    assert "36.21" in shown.stdout and "Yếu · Weak" in shown.stdout and "portal, from 23/06/2022" in shown.stdout


def test_json_keeps_counts_rules_and_flags_beside_the_points(one: Path) -> None:
    answer = json.loads(run("score", one, "--format", "json").stdout)
    assert (answer["rules"]["code"], answer["rules"]["valid_from"], answer["group"]) == ("portal", "2022-06-23", None)
    (unit,) = answer["units"]
    assert (unit["total"], unit["complete"], unit["missing"], unit["grade"]["vi"]) == ("36.21", True, [], "Yếu")
    assert [group["points"] for group in unit["groups"]] == ["6.00", "6.67", "6.16", "3.66", "7.50", "6.22"]
    papers = next(c for c in unit["components"] if c["metric"] == "SO_HOA_GIAY_TO_GIAI_QUYET")
    assert (papers["numerator"], papers["denominator"], papers["share"], papers["points"]) == (
        "1",
        "3",
        "33.33",
        "1.33",
    )
    decree = json.loads(run("score", one, "--format", "json", "--rules", "decree").stdout)["units"][0]
    assert decree["total"] == "36.55"


def test_csv_has_a_row_for_each_component_group_and_total(one: Path) -> None:
    rows = list(csv.DictReader(StringIO(run("score", one, "--format", "csv").stdout)))
    assert [sum(row["row"] == kind for row in rows) for kind in ("component", "group", "total")] == [21, 6, 1]
    assert {row["rules"] for row in rows} == {"portal"}
    assert (rows[-1]["metric"], rows[-1]["points"], rows[-1]["maximum"], rows[-1]["grade"]) == (
        "total",
        "36.21",
        "100",
        "weak",
    )


HOSTILE = ('=HYPERLINK("//x.example")', "+84", "-1+1", "@SUM(A1)", "＝1+1", "Xã -1")


def test_csv_has_no_formula_of_what_a_unit_is_called(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("unit", *HEAD.split(",")), *((name, "ON_TIME", 1, 2) for name in HOSTILE)])
    rows = list(csv.DictReader(StringIO(run("score", file, "--format", "csv").stdout)))
    assert list(dict.fromkeys(row["unit"] for row in rows)) == [*(f"'{name}" for name in HOSTILE[:-1]), HOSTILE[-1]]
    assert [unit["unit"] for unit in json.loads(run("score", file, "--format", "json").stdout)["units"]] == [*HOSTILE]


def test_a_number_below_0_stays_one_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    output.write_csv([{"gain": "-0.50", "points": Decimal(-3), "codes": ["=a", "b"], "none": None}])
    assert capsys.readouterr().out == "gain,points,codes,none\n-0.50,-3,'=a b,\n"


def test_an_incomplete_total_says_so_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text(f"{HEAD}\nON_TIME,9,10\nPETITION_PROCESSING_ON_TIME,0,0\nDOSSIER_SYNC,3,2", encoding="utf-8")
    shown = run("score", file).stdout
    assert "incomplete: 30.00 of 32 given" in " ".join(shown.replace("│", " ").split())
    assert "18 missing: PUBLISH_ON_TIME, " in shown and "--province FILE" in shown
    assert "mẫu số bằng 0 · no base" in shown and "vượt mẫu số · more than all" in shown
    (unit,) = json.loads(run("score", file, "--format", "json").stdout)["units"]
    assert (unit["total"], unit["grade"], unit["given_points"], unit["given_maximum"]) == (None, None, "30.00", "32")
    flags = {c["metric"]: c["flags"] for c in unit["components"]}
    assert flags["PETITION_PROCESSING_ON_TIME"] == ["no_base"]
    assert flags["DOSSIER_SYNC"] == ["impossible"]
    assert flags["PAYMENT_DOSSIERS_ONLINE"] == ["missing"]
    total = list(csv.DictReader(StringIO(run("score", file, "--format", "csv").stdout)))[-1]
    assert (total["points"], total["flags"], total["grade"]) == ("", "incomplete", "")


def test_units_are_ranked_within_their_level(tmp_path: Path) -> None:
    worse = {**FULL, "ON_TIME": (1, 2)}
    units = {"P1": worse, "X1": FULL, "X2": worse, "X3": {**FULL, "ON_TIME": (0, 1)}, "Sở Y tế": worse, "some": {}}
    units["some"] = {"ON_TIME": (1, 1)}
    levels = {"P1": "ward", "X1": "commune", "X2": "commune", "X3": "commune", "Sở Y tế": "department", "some": "ward"}
    file = table(tmp_path / "units.csv", units, **levels)
    answer = json.loads(run("score", file, "--format", "json").stdout)
    assert {unit["unit"]: unit["rank"] for unit in answer["units"]} == {
        "P1": 2, "X1": 1, "X2": 2, "X3": 4, "Sở Y tế": 1, "some": None,
    }  # fmt: skip
    shown = run("score", file).stdout
    assert "6 units" in shown and "some: 20 missing" in shown
    assert shown.index("X1") < shown.index("P1") < shown.index("X3") < shown.index("Sở Y tế")


def test_a_level_that_is_not_said_is_that_of_the_table_of_units(tmp_path: Path) -> None:
    file = table(tmp_path / "units.csv", {"phuong_chon_thanh": FULL, "Sở Y tế": FULL, "Nowhere [x]": FULL})
    answer = json.loads(run("score", file, "--format", "json", "--date", "30/11/2026").stdout)
    assert [unit["level"] for unit in answer["units"]] == ["ward", "department", None]
    assert "Nowhere [x]" in run("score", file).stdout


def test_a_group_of_provinces_by_the_command(tmp_path: Path) -> None:
    units = {"H19": FULL, "H10": {**FULL, "ON_TIME": (1999, 2000), "DOSSIER_SYNC": (599, 600)}}
    file = table(tmp_path / "provinces.csv", units, H19="province", H10="province")
    answer = json.loads(run("score", file, "--group", "--format", "json").stdout)
    assert (answer["units"][1]["total"], answer["group"]["total"], answer["group"]["unit"]) == ("99.98", "100.00", None)
    shown = run("score", file, "--group").stdout
    assert "all 2" in shown and "2 units" in shown
    rows = list(csv.DictReader(StringIO(run("score", file, "--group", "--format", "csv").stdout)))
    assert [(row["unit"], row["level"], row["points"]) for row in rows if row["row"] == "total"] == [
        ("H19", "province", "100.00"), ("H10", "province", "99.98"), ("", "group", "100.00"),
    ]  # fmt: skip


def test_a_group_is_of_several_units_of_one_level(one: Path, tmp_path: Path) -> None:
    assert "has one unit; a group has several" in run("score", one, "--group").output
    mixed = table(tmp_path / "mixed.csv", {"A": FULL, "B": FULL}, A="ward", B="department")
    refused = run("score", mixed, "--group")
    assert refused.exit_code == 1 and "several levels (commune, department)" in refused.output


def test_the_province_lends_its_publication_to_units_below_it(tmp_path: Path) -> None:
    own = {metric: (1, 1) for metric in METRICS if metric not in PUBLICATION}
    units = table(tmp_path / "units.csv", {"X1": own, "H19": FULL}, X1="commune", H19="province")
    province = tmp_path / "province.csv"
    province.write_text("\n".join([HEAD, *(f"{metric},1,2" for metric in PUBLICATION)]), encoding="utf-8")
    answer = json.loads(run("score", units, "--province", province, "--format", "json").stdout)
    assert [unit["total"] for unit in answer["units"]] == ["94.00", "100.00"]
    lent = [c["metric"] for c in answer["units"][0]["components"] if c["flags"] == ["from_province"]]
    assert lent == PUBLICATION
    province.write_text(f"{HEAD}\nPUBLISH_ON_TIME,1,2", encoding="utf-8")
    refused = run("score", units, "--province", province)
    assert refused.exit_code == 1 and "province.csv lacks PUBLIC_UPDATE_ON_TIME, PUBLIC_CONTENT_FULL" in refused.output
    assert "one is needed here" in run("score", units, "--province", units).output


def test_what_is_wrong_scores_nothing(one: Path, tmp_path: Path) -> None:
    one.write_text(one.read_text(encoding="utf-8") + "\nON_TIME,1,2", encoding="utf-8")
    refused = run("score", one, "--format", "csv")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"{one}, row 23, column metric: ON_TIME stands in row 6 already" in refused.stderr
    assert run("score", tmp_path / "none.csv").exit_code == 2
    assert run("score", one, "--rules", "own").exit_code == 2
    early = run("score", one, "--date", "2022-06-22")
    assert early.exit_code == 1 and "no rules 'portal' on 22/06/2022" in early.output


def test_components_are_listed_with_what_they_count() -> None:
    shown = run("components", "--rules", "decree").stdout
    assert all(metric in shown for metric in METRICS)
    assert "from events: dossiers_synchronised / dossiers_received (`ioc query`)" in shown
    assert "SO_HOA_GIAY_TO_GIAI_QUYET  min(4, 4r/0.80)" in shown and "6r; 6 if there are none" in shown
    rows = list(csv.DictReader(StringIO(run("components", "--format", "csv").stdout)))
    assert [row["metric"] for row in rows] == METRICS
    listed = json.loads(run("components", "--format", "json").stdout)
    handling = next(c for c in listed["components"] if c["metric"] == "PETITION_HANDLING_SATISFACTION")
    assert "the good ones, not the bad" in handling["numerator_en"]
