"""Texts without marks, however they were typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text.letters import bare, slug


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
@pytest.mark.parametrize("text", ["ĐỒNG XOÀI", "Đồng Xoài", "Ðồng xoài", "dong xoai", "Ｄồng Xoài"])
def test_a_name_is_one_however_it_is_typed(text: str, form: str) -> None:
    assert bare(unicodedata.normalize(form, text)) == "dong xoai"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "between", "found"),
    [
        ("Mã hồ sơ", "", "mahoso"),
        ("Tư pháp - Hộ tịch", "_", "tu_phap_ho_tich"),
        ("../Ấp 3.geo", "-", "ap-3-geo"),
        ("…", "-", ""),
    ],
)
def test_words_for_names_and_codes(text: str, between: str, found: str) -> None:
    assert slug(text, between) == found


@given(st.text())
def test_what_is_bare_stays_as_it_is(text: str) -> None:
    once = bare(text)
    assert bare(once) == once
    assert not any(map(unicodedata.combining, once))
