"""How offices save texts: in fonts from before Unicode, and tables in any encoding."""

from __future__ import annotations

import csv
import unicodedata

import pytest

from infra.local.paths import CHECKOUT
from schemas import units
from schemas.indicators import CATALOGUE
from schemas.text import files, old_fonts

ALL = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ"
TCVN3 = "aµ¶·¸¹¨»¼½¾Æ©ÇÈÉÊËeÌÎÏÐÑªÒÓÔÕÖi×ØÜÝÞoßáâãä«åæçèé¬êëìíîuïñòóô\xadõö÷øùyúûüýþ®"
VNI = (  # noqa: SIM905 - read as a table
    "a aø aû aõ aù aï aê aè aú aü aé aë aâ aà aå aã aá aä e eø eû eõ eù eï eâ eà eå eã eá eä i ì æ ó í ò "
    "o oø oû oõ où oï oâ oà oå oã oá oä ô ôø ôû ôõ ôù ôï u uø uû uõ uù uï ö öø öû öõ öù öï y yø yû yõ yù î ñ"
).split()


def test_each_letter_of_tcvn3_and_vni_has_its_own() -> None:
    assert len(ALL) == len(TCVN3) == len(VNI) == 73 == len(set(ALL))
    assert old_fonts.tcvn3(TCVN3) == ALL
    assert [old_fonts.vni(letters) for letters in VNI] == list(ALL)
    assert [old_fonts.vni(letters.upper()) for letters in VNI] == list(ALL.upper())


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("Chøng thùc", "Chứng thực"),
        ("Chöùng thöïc", "Chứng thực"),
        ("UBND x· Léc Ninh", "UBND xã Lộc Ninh"),
        ("Së GD&§T", "Sở GD&ĐT"),
        ("Së T\xad ph¸p", "Sở Tư pháp"),
        ("Thò xaõ Bình Long", "Thị xã Bình Long"),
        ("Sôû Coâng Thöông", "Sở Công Thương"),
        ("TOÅNG COÄNG", "TỔNG CỘNG"),
        ("Tæng céng", "Tổng cộng"),
        (unicodedata.normalize("NFD", "Thị xã Bình Long"), "Thị xã Bình Long"),
        ("© 2024, 10 µg, 20 °C", "© 2024, 10 µg, 20 °C"),
        ("café, Krông Pắc, quí, hoà, xoong", "café, Krông Pắc, quí, hoà, xoong"),
        ("Thùc", "Thực"),
    ],
)
def test_old_fonts_are_read_and_what_is_unicode_stays(typed: str, text: str) -> None:
    assert old_fonts.modern(typed) == text


def test_no_text_of_the_house_is_taken_for_an_old_font() -> None:
    names = [name for unit in units.every() for name in (unit.name_vi, *unit.spellings)]
    names += [indicator.vi for indicator in CATALOGUE.values()]
    tables = (CHECKOUT / "services/simulator/november_2024/tables").glob("*.csv")
    names += [cell for table in tables for row in csv.reader(table.read_text("utf-8").splitlines()) for cell in row]
    words = {word for name in names for word in (name, *name.split())}
    assert len(words) > 800
    assert [word for word in words if old_fonts.modern(word) != word] == []


def test_names_of_units_come_back_from_both_fonts() -> None:
    back = {"TCVN3": dict(zip(ALL, TCVN3, strict=True)), "VNI": dict(zip(ALL, VNI, strict=True))}
    for unit in units.every():
        name = unit.name_vi.lower()
        for table in back.values():
            assert old_fonts.modern("".join(table.get(letter, letter) for letter in name)) == name


def test_a_quote_that_never_ends_and_damaged_bytes_are_named() -> None:
    with pytest.raises(files.Unreadable, match="never ends"):
        files.cells('a;"b\n1;2\n', "a.csv")
    with pytest.raises(files.Unreadable, match="it begins as UTF-16 and is none"):
        files.decode_any(b"\xff\xfea", "a.csv")


def test_the_hint_of_the_separator_keeps_its_line_so_that_rows_have_their_numbers() -> None:
    assert files.cells("sep=;\na;b\n1,5;2\n", "a.csv") == [[], ["a", "b"], ["1,5", "2"]]
