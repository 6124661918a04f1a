"""Findings are told in sentences: what is alike once, with the total and where; what disagrees with both its sides."""

from __future__ import annotations

import html
import re
from datetime import date
from decimal import Decimal

import pytest

from services.board.access import Account
from services.board.live.poller import Poller
from services.board.pages.figures.said_findings import sentences
from services.board.ui.live_page import PageContext
from services.board.ui.periods import SO_FAR
from services.board.ui.words import Language
from services.kit.settings import Settings
from services.readings import noted
from services.readings.finding import Finding

WARDS = ("phuong_chon_thanh", "phuong_minh_hung", "xa_nha_bich", "xa_tan_khai", "phuong_an_loc")
DAYS = date(2026, 11, 1), date(2026, 11, 28)


def of_events(code: str, unit: str, number: int, vi: str, en: str) -> Finding:
    return Finding(code, vi, en, unit, None, None, Decimal(number), Decimal(), "dossier", events=number)


def told(language: Language, *found: Finding) -> list[str]:
    context = PageContext(Account("an", "", "viewer"), language, Poller(Settings(), SO_FAR.before))
    return [html.unescape(line) for line in re.findall("<li>(.*?)</li>", sentences(context, found))]


def test_what_is_alike_is_told_once_with_its_total_and_the_units_with_the_most() -> None:
    late = [
        of_events("back_dated_end", unit, n, f"{n} hồ sơ được ghi nhận muộn", f"{n} dossiers were told late")
        for unit, n in zip(WARDS, (77, 900, 259, 60, 4), strict=True)
    ]
    odd = [
        of_events("noted", unit, n, f"Đã kết thúc: {n} sự kiện về hồ sơ (ví dụ: a {n}, b)", f"Ended: {n} of dossiers")
        for unit, n in zip(WARDS[:2], (60, 1), strict=True)
    ]
    assert told("vi", *odd, *late) == [
        "1.300 hồ sơ được ghi nhận muộn: Phường Minh Hưng 900; Xã Nha Bích 259; Phường Chơn Thành 77; 2 đơn vị khác.",
        "Đã kết thúc: 61 sự kiện về hồ sơ: Phường Chơn Thành 60; Phường Minh Hưng 1.",
    ]
    assert told("en", *late)[0].startswith("1,300 dossiers were told late: Minh Hung Ward 900; ")


@pytest.mark.parametrize(("language", "unit"), [("vi", "Phường Chơn Thành"), ("en", "Chon Thanh Ward")])
def test_what_disagrees_names_its_unit_and_both_sides_and_comes_first(language: Language, unit: str) -> None:
    apart = Finding(
        "balance", "Phải bằng nhau", "Must be equal", WARDS[0], *DAYS, Decimal(5122), Decimal(5121), "dossier"
    )
    events = of_events("noted", WARDS[1], 3, "3 sự kiện", "3 events")
    first, second = told(language, events, apart)
    assert first.startswith(f"{unit}: ") and re.search(r"5[.,]122.*5[.,]121", first)
    assert second.startswith("3 ")


def test_an_example_is_in_words_and_of_a_field_without_words_there_is_none() -> None:
    said = {"promised_at": ["2026-12-01T01:40:23.838000Z", "2026-12-01T02:20:42Z"], "secret_field": ["a", "b"]}
    found = noted._noted("dossier", "contradicted", WARDS[0], 5, said, [])
    assert found.vi.endswith("(ví dụ: hạn trả 01/12/2026 08:40:23 ≠ 01/12/2026 09:20:42)")
    assert found.en.endswith("(for example promised for 01/12/2026 08:40:23 ≠ 01/12/2026 09:20:42)")
    assert "ví dụ" not in noted._noted("dossier", "contradicted", WARDS[0], 5, {"secret_field": ["a", "b"]}, []).vi
