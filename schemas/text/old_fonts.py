"""Vietnamese typed in the fonts from before Unicode, TCVN3 (`.VnTime`) and VNI (`VNI-Times`), which reads as rubbish
elsewhere: "Chøng thùc" is "Chứng thực". Which it is, is seen by the syllables: a text is converted only where that
makes fewer of them impossible.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from schemas.text.collation import LETTERS, TONES

_TCVN3 = str.maketrans(
    "µ¶·¸¹¨»¼½¾Æ©ÇÈÉÊË®ÌÎÏÐÑªÒÓÔÕÖ×ØÜÝÞßáâãä«åæçèé¬êëìíîïñòóô\xadõö÷øùúûüýþ¡¢£¤¥¦§",
    "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵĂÂÊÔƠƯĐ",
)
_VNI_ALONE = str.maketrans("æóòôöîñÆÓÒÔÖÎÑ", "ỉĩịơưỵđỈĨỊƠƯỴĐ")
"""Letters of their own; `ô` and `ö` may have a tone behind them."""
_GRAVE, _HOOK, _TILDE, _ACUTE, _DOT = tuple(TONES)
_ROOF, _BREVE = "\u0302", "\u0306"
_VNI_MARKS = {
    "ù": _ACUTE, "ø": _GRAVE, "û": _HOOK, "õ": _TILDE, "ï": _DOT,
    "â": _ROOF, "á": _ROOF + _ACUTE, "à": _ROOF + _GRAVE, "å": _ROOF + _HOOK, "ã": _ROOF + _TILDE, "ä": _ROOF + _DOT,
    "ê": _BREVE, "é": _BREVE + _ACUTE, "è": _BREVE + _GRAVE, "ú": _BREVE + _HOOK, "ü": _BREVE + _TILDE,
    "ë": _BREVE + _DOT,
}  # fmt: skip
"""What stands behind a vowel in VNI, as Unicode's loose marks."""
_VNI_PAIR = re.compile(f"([aeouyôö])([{''.join(_VNI_MARKS)}])", re.IGNORECASE)

_ONSET = "ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx]"
_OPEN = (
    "[aeêioôơuưy]|[ao]i|[ôơuư]i|ao|eo|[âêiư]?u|au|[aâ]y|ia|ya|ua|ưa|uôi|ươi|ươu|yêu|iêu"
    "|o(?:a|e|ai|ay|ao|eo)|u(?:ê|y|ơ|ây|ya|yu|êu|a)"
)
_CLOSED = (
    "(?:[aêiy]|oa|uê|uy)(?:ch|nh)|(?:[aăâeoôuư]|iê|yê|uô|ươ|oa|oă|oe|oo|uâ)(?:ng|c)"
    "|(?:[aăâeêioôơuưy]|iê|yê|uô|ươ|oa|oă|oe|uâ|uê|uy|uyê)[mnpt]"
)
_SYLLABLE = re.compile(f"(?:{_ONSET})?(?:{_OPEN}|{_CLOSED})|gi")
_STOPPED = re.compile("(?:ch|[cpt])$")
_MISPLACED = re.compile(f"(?<![qg])(?:[ae][{_ROOF}{_BREVE}]?[oiuy]|o[{_ROOF}\u031b]?[iuy]|iu|oo|u\u031b?[iu])[{TONES}]")
"""A tone on the second of two vowels that bear it on the first, if at all: `xaõ`, `coõng`."""
_BETWEEN = re.compile(r"[\s\d!-/:-@\[-`{-~–—“”…]+")


@lru_cache(maxsize=4096)
def modern(text: str) -> str:
    """A text in Unicode (NFC), whichever font it was typed in."""
    text = unicodedata.normalize("NFC", text)
    if text.isascii() or any(ord(letter) > 0xFF for letter in text):
        return text
    readings = [text, *(convert(text) for convert in CONVERSIONS.values())]
    return min(readings, key=impossible)


def tcvn3(text: str) -> str:
    """A text typed in TCVN3. Its fonts for capitals have the codes of small letters, and small letters they become."""
    return text.translate(_TCVN3)


def vni(text: str) -> str:
    """A text typed in VNI."""
    paired = _VNI_PAIR.sub(lambda pair: pair[1].translate(_VNI_ALONE) + _VNI_MARKS[pair[2].lower()], text)
    return unicodedata.normalize("NFC", "".join(_alone(letter) for letter in paired))


def _alone(letter: str) -> str:
    return letter if letter in "ơưƠƯ" else letter.translate(_VNI_ALONE)


CONVERSIONS: dict[str, Callable[[str], str]] = {"TCVN3": tcvn3, "VNI": vni}


def impossible(text: str) -> int:
    """How many words with other than plain letters cannot be Vietnamese: no syllable, and no abbreviation."""
    words = (word for word in _BETWEEN.split(text) if not word.isascii())
    return sum(not _is_possible(word) for word in words if re.search("[A-Za-z]", _loose(word)))


def _is_possible(word: str) -> bool:
    loose = _loose(word.lower())
    tones = [mark for mark in loose if mark in TONES]
    base = unicodedata.normalize("NFC", "".join(mark for mark in loose if mark not in TONES))
    if word.isupper() and len(word) > 1 and not tones and set(base) <= set(LETTERS):
        return True
    if len(tones) > 1 or _MISPLACED.search(loose) or (_STOPPED.search(base) and tones not in ([_ACUTE], [_DOT])):
        return False
    return _SYLLABLE.fullmatch(base) is not None


def _loose(text: str) -> str:
    return unicodedata.normalize("NFD", text)
