"""The words of a report: a file of an office, and the periods that sentences speak of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.indicators import CATALOGUE
from services.board.pages.reports.reports_page import around
from services.readings import Period
from services.readings.finding import Finding
from services.reports import texts
from services.reports.content import Head, roman
from services.reports.figures import closing, in_words, period_before, year_so_far
from services.reports.making import period_of
from services.reports.monthly import body_of
from services.reports.tables import TABLES, _evidence

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def period(first: date, last: date, as_of: datetime = LATER) -> Period:
    return Period(first, last, as_of)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = (Path(texts.__file__).parent / "report.toml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "office.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_the_houses_own_words_use_every_table() -> None:
    own = texts.read(None, TABLES)
    sections = (*own.sections, *(section for form in own.forms.values() for section in form.sections))
    assert {table for section in sections for table in section.tables} == set(TABLES)
    assert set(TABLES) - {table for section in own.sections for table in section.tables} == {"headlines"}


def test_an_offices_words_are_taken(tmp_path: Path) -> None:
    file = changed(tmp_path, 'name = ""', 'name = "Người Ký"')
    assert texts.read(file, TABLES).signature.name == "Người Ký"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{ii06_03}", "{ii06_3}", "no indicator 'ii06_3'; did you mean ii06_13, ii06_03"),
        ("{dossiers_received:change}", "{dossiers_received:moved}", "known: before, change, year"),
        ("{ii06_03}", "{ii06_03", "Kết quả giải quyết thủ tục hành chính"),
        ('"ii06_by_field"', '"ii06_by_feld"', "there is no table 'ii06_by_feld'"),
        ("annex = true", "anex = true", "sections.9.anex"),
        ("annex = true", "closes = 31", "sections.9.closes"),
        ("chuyển đổi số {period}", "chuyển đổi số {priod}", "head.subject"),
        ("họp giao ban {period}", "họp giao ban {perod}", "forms.meeting.subject"),
        ("chuyển đổi số {period}", "chuyển đổi số {period:year}", "{period:year}: period is no figure"),
        ("{ii06_03}", "{ii06_03!r}", "{ii06_03!r}: nothing stands behind"),
        ("[head]", "[head", "is no TOML"),
        (
            "[head]",
            '[figures]\ndosiers_received = "Hồ sơ"\n[head]',
            "figures: no indicator 'dosiers_received'; did you mean",
        ),
        ("[head]", 'findings = ["gab"]\n[head]', "findings: there are none called 'gab'; there are: "),
    ],
)
def test_what_no_report_can_be_made_of_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(texts.WrongTexts) as wrong:
        texts.read(changed(tmp_path, old, new), TABLES)
    assert said in str(wrong.value) and "office.toml" in str(wrong.value)


@pytest.mark.parametrize(
    ("first", "last", "before", "words"),
    [
        (date(2024, 3, 1), date(2024, 3, 31), (date(2024, 2, 1), date(2024, 2, 29)), "tháng 3 năm 2024"),
        (date(2025, 1, 1), date(2025, 1, 31), (date(2024, 12, 1), date(2024, 12, 31)), "tháng 01 năm 2025"),
        (date(2025, 1, 1), date(2025, 12, 31), (date(2024, 1, 1), date(2024, 12, 31)), "năm 2025"),
        (date(2024, 10, 23), date(2024, 11, 23), (date(2024, 9, 23), date(2024, 10, 23)),
         "từ ngày 23/10/2024 đến ngày 23/11/2024"),
        (date(2024, 11, 4), date(2024, 11, 10), (date(2024, 10, 28), date(2024, 11, 3)),
         "từ ngày 04/11/2024 đến ngày 10/11/2024"),
        (date(2024, 11, 15), date(2024, 11, 15), (date(2024, 11, 14), date(2024, 11, 14)), "ngày 15/11/2024"),
        (date(2024, 9, 23), date(2024, 11, 23), (date(2024, 7, 23), date(2024, 9, 22)),
         "từ ngày 23/09/2024 đến ngày 23/11/2024"),
        (date(2026, 1, 1), date(2026, 3, 31), (date(2025, 10, 1), date(2025, 12, 31)), "quý I năm 2026"),
        (date(2024, 10, 1), date(2024, 12, 31), (date(2024, 7, 1), date(2024, 9, 30)), "quý IV năm 2024"),
        (date(2024, 1, 1), date(2024, 6, 30), (date(2023, 7, 1), date(2023, 12, 31)), "6 tháng đầu năm 2024"),
        (date(2024, 7, 1), date(2024, 12, 31), (date(2024, 1, 1), date(2024, 6, 30)), "6 tháng cuối năm 2024"),
        (date(2024, 1, 1), date(2024, 9, 30), (date(2023, 4, 1), date(2023, 12, 31)), "9 tháng đầu năm 2024"),
        (date(2024, 2, 1), date(2024, 3, 31), (date(2023, 12, 1), date(2024, 1, 31)),
         "từ ngày 01/02/2024 đến ngày 31/03/2024"),
    ],
)  # fmt: skip
def test_a_period_is_held_against_the_one_before(
    first: date, last: date, before: tuple[date, date], words: str
) -> None:
    earlier = period_before(period(first, last))
    assert (earlier.first, earlier.last) == before
    assert in_words(period(first, last)) == words
    assert year_so_far(period(first, last)).first == date(last.year, 1, 1)


@pytest.mark.parametrize(
    ("months", "first", "last"),
    [
        (1, date(2026, 2, 1), date(2026, 2, 28)),
        (3, date(2026, 1, 1), date(2026, 3, 31)),
        (6, date(2026, 1, 1), date(2026, 6, 30)),
        (12, date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_board_makes_the_report_of_the_period_that_a_month_is_in(months: int, first: date, last: date) -> None:
    assert around(date(2026, 2, 1), months) == (first, last)
    assert around(date(2026, 12, 1), 6) == (date(2026, 7, 1), date(2026, 12, 31))


def test_a_month_closes_on_an_offices_own_day() -> None:
    november = period(date(2024, 11, 1), date(2024, 11, 30))
    own = closing(november, 23)
    assert (own.first, own.last) == (date(2024, 10, 23), date(2024, 11, 23))
    assert closing(november, None) == november
    week = period(date(2024, 11, 4), date(2024, 11, 10))
    assert closing(week, 23) == week


def test_a_period_is_over_with_its_last_day() -> None:
    first, last = date(2024, 11, 1), date(2024, 11, 30)
    assert period(first, last, datetime(2024, 11, 30, 16, 59, 59, 999999, UTC)).is_over
    assert not period(first, last, datetime(2024, 11, 30, 16, 59, tzinfo=UTC)).is_over


def test_of_days_that_have_not_begun_there_is_no_report() -> None:
    first, last, eve = date(2024, 11, 1), date(2024, 11, 30), datetime(2024, 10, 31, 16, 59, tzinfo=UTC)
    with pytest.raises(ValueError, match="begins on 01/11/2024, after 31/10/2024 23:59"):
        period_of(first, last, eve)
    assert period_of(first, last, datetime(2024, 10, 31, 17, tzinfo=UTC)).last == last


def test_a_document_is_dated_as_the_decree_says() -> None:
    def dated(day: date) -> str:
        return Head("", "", "", "Chơn Thành", day, "").dated

    assert dated(date(2026, 2, 5)) == "Chơn Thành, ngày 05 tháng 02 năm 2026"
    assert dated(date(2026, 3, 15)) == "Chơn Thành, ngày 15 tháng 3 năm 2026"
    assert [roman(number) for number in (1, 4, 9, 14)] == ["I", "IV", "IX", "XIV"]


@pytest.mark.parametrize(
    ("unit", "day", "superior", "issuer", "symbol", "signs"),
    [
        ("chon_thanh", date(2024, 11, 30), "", "THỊ XÃ CHƠN THÀNH", "UBND", "CHỦ TỊCH"),
        ("so_tttt", date(2024, 11, 30), "TỈNH BÌNH PHƯỚC", "SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "STTTT", "GIÁM ĐỐC"),
        ("xa_loc_ninh", date(2026, 4, 29), "", "XÃ LỘC NINH", "UBND", "CHỦ TỊCH"),
        ("xa_loc_ninh", date(2026, 4, 30), "", "PHƯỜNG LỘC NINH", "UBND", "CHỦ TỊCH"),
        ("chon_thanh_hung_long", date(2026, 1, 5), "", "PHƯỜNG CHƠN THÀNH", "UBND", "CHỦ TỊCH"),
        ("so_tttt", date(2026, 1, 5), "", "TỈNH ĐỒNG NAI", "UBND", "CHỦ TỊCH"),
    ],
)
def test_who_reports_is_who_is_there_on_the_reports_day(
    unit: str, day: date, superior: str, issuer: str, symbol: str, signs: str
) -> None:
    body = body_of(unit, day)
    said = (body.superior.removeprefix("ỦY BAN NHÂN DÂN\n"), body.issuer.removeprefix("ỦY BAN NHÂN DÂN\n"))
    assert said == (superior, issuer) and (body.symbol, body.office[-1]) == (symbol, signs)


def test_another_form_is_under_the_head_and_signature_of_the_office(tmp_path: Path) -> None:
    file = changed(tmp_path, 'superior = ""', 'superior = "TỈNH ĐỒNG NAI"')
    text = file.read_text(encoding="utf-8").partition("[forms.ii06]")[0]
    file.write_text(text + '[forms.own]\nsubject = "Riêng {period}"\nsections = []\n', encoding="utf-8")
    every = texts.read(file, TABLES)
    assert set(every.forms) == {"ii06", "meeting", "own"}, "the house lends its own"
    assert [s.tables for s in every.of("ii06").sections] == [("ii06_by_field",)]
    assert every.of("ii06").head.superior == "TỈNH ĐỒNG NAI" and "II.06a" in every.of("ii06").head.subject
    assert every.of("meeting").head.title == "BÁO CÁO NHANH" and every.head.title == "BÁO CÁO"
    with pytest.raises(texts.WrongTexts, match="no form 'ii6'; there are: ii06, meeting, own"):
        every.of("ii6")


def test_an_office_chooses_the_figures_of_the_systems(tmp_path: Path) -> None:
    own = texts.read(None, TABLES)
    assert own.figures["dossiers_received"] == CATALOGUE["dossiers_received"].vi and set(own.figures) == set(CATALOGUE)
    file = changed(tmp_path, "[head]", 'findings = ["gap"]\n[figures]\ndossiers_received = "Hồ sơ đến"\n[head]')
    chosen = texts.read(file, TABLES)
    assert chosen.figures == {"dossiers_received": "Hồ sơ đến"} and chosen.findings == ("gap",)


def test_cases_of_a_finding_that_read_alike_are_named_once() -> None:
    def said(*ids: str) -> str:
        return _evidence(Finding("x", "", "", None, None, None, Decimal(1), Decimal(), "case", evidence=ids))

    assert said() == ""
    assert said("PA-1022.17-route", "PA-1022.18-accept", "H57.25-241107-0001.accepted") == (
        " [PA-•••• (2 sự kiện), H57.25-24••••-••••]"
    )
    assert said(*(f"H{n}.1-241107-0001" for n in range(20, 30))).endswith("-•••• và 7 sự kiện khác]")
