"""Data quality, sources and the words of formulas and reasons, without a database."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest

from schemas.calendar import VN, Limit
from schemas.envelope import REASONS as REFUSALS
from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Combine, Ratio, Statement, Sum, leaves
from schemas.indicators.formula_text import formula_text, statistic
from schemas.registry import MEASURES
from services.board.access import PUBLIC, Account
from services.board.live.poller import Poller
from services.board.pages import sources
from services.board.pages.quality import quality, quarantine_page
from services.board.pages.quality.quality import Delayed, End, Quality, Record
from services.board.pages.sources import HOURS, SORTS, Late, Strips
from services.board.ui.live_page import PageContext
from services.board.ui.words import WORDS, Language
from services.kit.quarantine import Body, Lying
from services.readings.finding import Finding
from services.readings.reasons import REASONS, Reason
from services.readings.sources import Ended, Source

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=VN)
WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
BOUNDED = Account("binh", "Bình", "supervisor", (WARD,))
EVERYBODY = Account("an", "An", "viewer")


def look(account: Account, language: Language = "vi") -> PageContext:
    return PageContext(account, language, cast(Poller, None))


# --- formulas and reasons in words ---


def test_a_formula_is_told_by_the_names_of_its_measures() -> None:
    ended = Sum("dossiers_ended", {"outcome": ("early", "on_time")})
    share = Ratio(ended, Combine((Sum("dossiers_ended"),), (Sum("payments", {"kind": ("fee",)}, "count"),)))
    assert formula_text(share, "vi") == (
        "(Hồ sơ kết thúc [trước hạn hoặc đúng hạn]) / (Hồ sơ kết thúc − số lượt thanh toán [phí, lệ phí]) × 100"
    )
    assert formula_text(ended, "en") == "Dossiers ended [early or on time]"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_formula_of_the_catalogue_shows_a_name_of_the_code(language: Language) -> None:
    codes = {m for m in MEASURES if "_" in m}
    codes |= {leaf.indicator for i in CATALOGUE.values() for leaf in leaves(i.formula) if isinstance(leaf, Statement)}
    told = {i.code: formula_text(i.formula, language) for i in CATALOGUE.values()}
    assert [code for code, text in told.items() if codes & set(text.replace("]", " ").split())] == []
    assert statistic("nobody_states_this", language) == "nobody_states_this"


def test_a_reason_is_english_text_and_knows_its_vietnamese() -> None:
    inner = Reason("before", "05/11/2024")
    outer = Reason("denominator", inner)
    assert outer == "denominator: no data before 05/11/2024" and isinstance(outer, str)
    assert (outer.code, outer.vi) == ("denominator", "mẫu số: chưa có số liệu trước ngày 05/11/2024")
    assert all(vi.count("{}") == en.count("{}") and vi != en for vi, en in REASONS.values())


def test_every_reason_of_the_quarantine_has_its_words() -> None:
    assert [code for code in REFUSALS if f"refused_{code}" not in WORDS] == []


# --- findings, late records ---


def quality_of_all() -> Quality:
    def finding(unit: str | None) -> Finding:
        return Finding(
            "c",
            "vi",
            "en",
            unit,
            date(2026, 11, 1),
            None,
            Decimal(5),
            Decimal(3),
            "dossier",
            frozenset(),
            ("PA-1022.9",),
        )

    def end(unit: str) -> End:
        return End("H99.95-261101-00012", unit, NOW, NOW, NOW + timedelta(days=3))

    return Quality(
        NOW,
        [finding(None), finding(WARD), finding(OTHER)],
        [Delayed("/a", WARD, 2, timedelta(days=2)), Delayed("/a", OTHER, 1, timedelta(days=1))],
        [Record("/a", OTHER, "vn.ioc.dossier.rated.v1", "H99.95-261101-00012-x", NOW, NOW + timedelta(days=2))],
        [end(WARD), end(OTHER)],
    )


def test_a_bounded_account_sees_its_own_units_and_no_events_of_the_whole() -> None:
    shown = quality_of_all().seen_by(BOUNDED)
    assert [(f.unit, f.evidence) for f in shown.findings] == [(None, ()), (WARD, ("PA-1022.9",))]
    assert ([d.unit for d in shown.late or ()], shown.last, [e.unit for e in shown.ends or ()]) == ([WARD], [], [WARD])


def test_the_panels_mask_every_code() -> None:
    shown = quality_of_all().seen_by(EVERYBODY)
    told = quality.panels(look(EVERYBODY), shown)
    assert "H99.95-26••••-••••" in told and "00012" not in told
    assert "Kết thúc đúng hạn, báo sau hạn (2)" in told and "Ghi nhận muộn (3)" in told


def test_where_there_are_no_events_to_look_at_the_cell_is_empty() -> None:
    """So that a narrow screen, where each cell has its name before it, leaves it out."""
    shown = quality_of_all()
    bare = replace(shown, findings=[replace(f, evidence=()) for f in shown.findings])
    filled, empty = (
        re.findall(r'<td data-head="Sự kiện cần xem">(.*?)</td>', quality.panels(look(EVERYBODY), one))
        for one in (shown, bare)
    )
    assert len(filled) == len(empty) and all(filled) and not any(empty)


def test_what_is_shown_says_of_which_moment_it_is() -> None:
    assert "Số liệu bên dưới tính đến 20/11/2026 10:30" in quality.panels(look(EVERYBODY), quality_of_all())


def test_of_many_rows_of_counts_the_first_are_shown_and_all_counted() -> None:
    late = [Delayed(f"/s{n}", WARD, 2, timedelta(days=2)) for n in range(quality.ROWS + 50)]
    told = quality.panels(look(EVERYBODY), Quality(NOW, [], late, (), []))
    assert f"Ghi nhận muộn ({2 * len(late)})" in told and "và 50 mục khác" in told and "/s249" not in told


def test_too_much_to_count_is_said_and_is_not_none() -> None:
    told = quality.panels(look(EVERYBODY), Quality(NOW, [], None, (), None))
    assert told.count("chưa đếm được") == 2 and "(0)" not in told.partition("Ghi nhận muộn")[2]


@pytest.mark.parametrize(
    ("span", "said"),
    [(timedelta(seconds=90), "90 giây"), (timedelta(hours=47), "47 giờ"), (timedelta(days=9), "9 ngày")],
)
def test_delays_are_told_in_one_unit(span: timedelta, said: str) -> None:
    assert quality.delay(look(EVERYBODY), span) == said


def test_findings_of_the_same_words_stand_under_one_sentence_that_opens_to_their_units() -> None:
    def noted(unit: str, number: int) -> Finding:
        return Finding("superseded", f"Đã kết thúc: {number} sự kiện", "", unit, None, None, Decimal(number),
                       Decimal(), "dossier", events=number)  # fmt: skip

    told = quality.panels(look(EVERYBODY), Quality(NOW, [noted(WARD, 2), noted(OTHER, 40)], [], (), []))
    assert told.count('<details class="group">') == told.count("<summary>Đã kết thúc: 42 sự kiện: ") == 1
    assert told.index("Đã kết thúc: 40 sự kiện<") < told.index("Đã kết thúc: 2 sự kiện<")


def test_what_does_not_fit_together_stands_before_what_was_refused() -> None:
    told = quarantine_page.render(look(EVERYBODY), quality_of_all(), [lying(WARD)], "")
    places = [told.index(f"<h2>{name}") for name in ("Số liệu chưa khớp", "Bản tin lỗi chờ xử lý", "Ghi nhận muộn")]
    assert places == sorted(places)


# --- the quarantine ---


def lying(unit: str, code: str = "wrong_unit") -> Lying:
    return Lying(7, NOW.isoformat(), code, "unit: x is <b>no</b> unit", f"ioc.events.{unit}.field.report.rated", 99)


def test_messages_are_seen_by_those_whose_unit_they_came_for() -> None:
    every = [lying(WARD), lying(OTHER), lying("nowhere"), lying(WARD)._replace(subject="")]
    assert [one.unit for one in quarantine_page.seen(every, BOUNDED) or ()] == [WARD]
    assert len(quarantine_page.seen(every, EVERYBODY) or ()) == 4
    assert quarantine_page.seen(None, EVERYBODY) is None


def test_raw_content_is_text_and_only_for_those_whose_unit_it_is() -> None:
    body = Body({}, b'{"data": "</textarea><script>alert(1)</script>"}')
    told = quarantine_page.one(look(BOUNDED), lying(WARD), body, None)
    assert "<script" not in told and "&lt;script&gt;" in told and 'name="csrf"' in told
    assert "script" not in quarantine_page.one(look(BOUNDED), lying(OTHER), body, None)


@pytest.mark.parametrize(
    ("raw", "may"),
    [
        (b'{"unit": "phuong_chon_thanh", "data": {"to_unit": "phuong_minh_hung"}}', True),
        (b'{"unit": "phuong_minh_hung", "data": {}}', False),
        (b'{"unit": "phuong_minh_hu\\u006eg"}', False),
        (b'{"unit": "phuong_minh_hung", broken', False),
        (b'{"unit": "phuong_chon_than"}', True),
        (b"\xff\xfe", True),
    ],
)
def test_content_of_another_unit_is_closed_whatever_it_was_sent_as(raw: bytes, may: bool) -> None:
    body = Body({}, raw)
    told = quarantine_page.one(look(BOUNDED), lying(WARD), body, None)
    assert quarantine_page.opens(BOUNDED, lying(WARD), body) is ("textarea" in told) is may
    assert quarantine_page.opens(EVERYBODY, lying(WARD), body)
    assert not quarantine_page.opens(BOUNDED, lying(OTHER), body)


def test_of_many_messages_some_are_listed_and_of_a_reason_all_in_words() -> None:
    many = [lying(WARD)._replace(seq=n) for n in range(30)]
    some, every = (quarantine_page.render(look(EVERYBODY), Quality(NOW, [], [], (), []), many, code)
                   for code in ("", "wrong_unit"))  # fmt: skip
    assert some.count('title="unit: x') == 20 and "và 10 bản tin khác" in some
    assert every.count('title="unit: x') == 30 and "bản tin khác" not in every
    assert "&lt;b&gt;no" not in (shown := re.sub('title="[^"]*"', "", every)) and "unit" not in re.sub(
        "<[^>]*>", "", shown
    )


def test_viewers_have_the_list_without_the_way_to_the_content() -> None:
    shown = Quality(NOW, [], [], (), [])
    told = quarantine_page.render(look(EVERYBODY), shown, [lying(WARD)], "")
    assert "đơn vị không có hoặc không còn hiệu lực" in told and "/quality/quarantine/7" not in told
    assert "/quality/quarantine/7" in quarantine_page.render(look(BOUNDED), shown, [lying(WARD)], "")
    assert "Chưa kết nối được" in quarantine_page.render(look(BOUNDED), shown, None, "")


# --- sources ---


def source(name: str, **changed: object) -> Source:
    told = Source("field", name, "real", 1200, 2.0, NOW - timedelta(hours=2), NOW, timedelta(hours=12), False)
    return replace(told, **changed)  # type: ignore[arg-type]


def test_silent_sources_stand_first_and_are_told_by_a_sign() -> None:
    every = [source("/a"), source("/b", stale=True, allowed=Limit(days=2))]
    told = sources.render(look(EVERYBODY), every, Strips({}, {}), "silent", NOW)
    assert told.index("/b") < told.index("/a") and "▲ Nguồn im lặng" in told and "1 nguồn im lặng" in told


def test_a_source_that_has_ended_says_so_and_by_whom_to_those_who_have_logged_in() -> None:
    ended = source("/a", allowed=None, ended=Ended(NOW, "lan", "đã thay phần mềm"))
    told = {
        account.role + language: sources.render(look(account, language), [ended], Strips({}, {}), "silent", NOW)
        for account in (PUBLIC, EVERYBODY)
        for language in ("vi", "en")
    }
    assert all(("đã ngừng hẳn" if who.endswith("vi") else "ended for good") in page for who, page in told.items())
    assert not [page for page in told.values() if "chỉ gửi khi có việc" in page or "sends only when" in page]
    named = {who for who, page in told.items() if "lan" in page and "đã thay phần mềm" in page}
    assert named == {f"{EVERYBODY.role}vi", f"{EVERYBODY.role}en"}


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_puts_every_source_once(sort: str) -> None:
    late = {("field", "/a"): Late(timedelta(minutes=3), timedelta(hours=5))}
    told = sources.render(look(EVERYBODY, "en"), [source("/a"), source("/b")], Strips({}, late), sort, NOW)
    assert told.count("/a") == told.count("/b") == 1 and "3 min" in told and "5 h" in told


def test_the_strip_has_a_box_for_every_hour_with_events_and_says_how_many_have_none() -> None:
    strips = Strips({("field", "/a"): frozenset({0, 5, HOURS - 1})}, {})
    told = sources.render(look(EVERYBODY), [source("/a"), source("/b")], strips, "system", NOW)
    assert told.count("<rect") == 3 and f"{HOURS - 3} trong {HOURS} giờ" in told and told.count("<path") == 7
    assert "không có trong 7 ngày" in told


def test_what_cannot_be_counted_of_any_source_is_said_once_and_has_no_column() -> None:
    every = [source(f"/{n}") for n in range(9)]
    for context, said in ((look(EVERYBODY), "quá nhiều sự kiện"), (look(EVERYBODY, "en"), "too many events")):
        told = sources.render(context, every, Strips(None, {}), "system", NOW)
        assert told.count(said) == 1 and told.count('<th scope="col"') + told.count('<th class="n" scope') == 7
        assert all(row.count("<td") == 6 for row in told.split("<tr>")[2:])


def test_passers_by_are_told_of_few_events_neither_how_many_nor_how_often() -> None:
    def page(account: Account, *numbers: int) -> str:
        every = [source(f"/{n}", events=n, per_minute=n / 5) for n in numbers]
        hours = {(s.system, s.source): frozenset(range(s.events)) for s in every}
        return sources.render(look(account), every, Strips(hours, {}), "events", NOW)

    few, some, own = page(PUBLIC, 3), page(PUBLIC, 7, 9), page(EVERYBODY, 3)
    assert "dưới 5" in few and "0,6" not in few and "<svg" not in few
    assert some.count(">5<") == 2 and some.count(">1,0<") == 2 and not re.search(">[79]<|1,4|1,8", some)
    assert some.index("/7") < some.index("/9"), "nor do they stand in the order of their numbers"
    assert ">3<" in own and "0,6" in own and "<svg" in own
