"""Texts without marks, however they were typed; and without what cannot be seen."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contracts import samples
from schemas.envelope import Invalid
from schemas.registry import parse
from schemas.text.letters import bare, has_ink, one_line, slug, visible
from services.kit.quarantine import Body

NOW = datetime(2026, 6, 1, tzinfo=UTC)


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


BRIDGE = "Cầu Nha Bích"
WRITTEN = (
    unicodedata.normalize("NFD", BRIDGE), f" {BRIDGE}\t", f"\ufeff{BRIDGE}", f"\u202e{BRIDGE}\u202c",
    "Cầu\u200b Nha Bích", "Cầu Nha \xadBích", "Cầu\nNha Bích", "Cầu\xa0Nha\u2028Bích", "\u2066Cầu Nha Bích\u2069\x07",
    "Câ\u0300u Nha Bi\u0301ch",
)  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_what_cannot_be_seen_makes_no_other_text_and_no_other_event(text: str) -> None:
    """An event that comes again from a machine that parts its accents is known, and no name hides or turns another."""
    sample = next(iter(samples()["vn.ioc.feature.upserted.v1"].values()))
    one, other = (
        parse(json.dumps({**json.loads(sample), "data": {**json.loads(sample)["data"], "name": name}}).encode(), NOW)
        for name in (unicodedata.normalize("NFC", BRIDGE), text)
    )
    assert (other.fields["name"], other.digest) == (one.fields["name"], one.digest)


@pytest.mark.parametrize(
    "text", ["", "  ", "\u200b", "\u0301", "\u3164", "\U000e0041", "\ue000", "\x1b\x07", "\u2800\u200d"]
)
def test_a_text_with_nothing_to_read_is_none(text: str) -> None:
    assert not has_ink(one_line(text))
    sample = json.loads(next(iter(samples()["vn.ioc.report.received.v1"].values())))
    with pytest.raises(Invalid, match=r"data\.place: "):
        parse(json.dumps({**sample, "data": {**sample["data"], "place": text}}).encode(), NOW)


@pytest.mark.parametrize(
    "text", ["Trường THCS Minh Hưng", "Nhà văn hóa số 5 – KP. 2", "🏫 Trường", "Đ", "QL.13/2", "日本"]
)
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert one_line(text) == visible(text) == text and has_ink(text)


@pytest.mark.parametrize("sign", ["\x1b[2J", "\x9b2J", "\u202e", "\u200b", "\x7f", "\n", "\U000e0041"])
def test_nothing_that_steers_a_terminal_reaches_one(sign: str) -> None:
    assert visible(f"a{sign}b").isprintable() and visible(f"a{sign}b") != f"a{sign}b"
    sample = json.loads(next(iter(samples()["vn.ioc.report.received.v1"].values())))
    with pytest.raises(Invalid) as refused:
        parse(json.dumps({**sample, "data": {**sample["data"], f"x{sign}y": 1}}).encode(), NOW)
    assert refused.value.reason.isprintable()
    laid = json.dumps({**sample, "id": f"a{sign}b"}, ensure_ascii=False)
    for body in (laid, laid[1:]):
        shown = Body({}, body.encode()).pretty()
        assert all(line.isprintable() for line in shown.split("\n"))
    assert json.loads(Body({}, laid.encode()).pretty()) == json.loads(laid)
