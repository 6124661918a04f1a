"""What looks like personal data in a text: citizen numbers, phones, addresses, plates, accounts, however written.

A cheap look comes first, since nearly every event passes by it. Only a text with nine digits near each other, or a sign
of one of the others, is folded (digits of every script, no accents, nothing invisible) and read number by number.
docs/privacy.md says what is looked for, and what is not.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote

from schemas.named_numbers import ACCOUNTS, DOCUMENTS, GAP, LABEL, PHONES, PLATES, WIDEST, YEAR
from schemas.text.letters import BARE


class Found(NamedTuple):
    """A stretch of a text that looks personal: `text[start:end]`, and what it looks like."""

    start: int
    end: int
    what: str


CITIZEN = "a citizen number"
PHONE = "a phone number"
EMAIL = "an e-mail address"
PLATE = "a licence plate"
DOCUMENT = "the number of a personal document"
ACCOUNT = "the number of a bank account or card"
OF_STAFF = frozenset({EMAIL})
"""What the name of an account may be."""
MASKS = {
    CITIZEN: "[citizen number]",
    PHONE: "[phone]",
    EMAIL: "[e-mail]",
    PLATE: "[plate]",
    DOCUMENT: "[document]",
    ACCOUNT: "[account]",
}
"""What stands in a masked text instead."""

_YYMMDD = r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
"""As it stands in the code of a dossier."""
# Each begins with a letter or a set of them, for which the engine looks fast; together they cost 3 µs an event.
_CARD = r"(?:(?<=9)704\d{12}(?:\d{3})?|(?:(?<=9)704|(?<=[45])\d{3})(?:[ \-]\d{4}){3})(?!\d)"
"""Behind its first digit: of the banks here in one run too, of others in groups of four."""
_FOREIGN_PLATE = r"[1-9](?<![0-9A-Za-z]\d)\d-\d{3}-(?:NG|QT|NN|CV)-\d\d(?!\d)"
_LETTER_FOR_ZERO = rf"[Oo](?<![0-9A-Za-z][Oo]){GAP}[35789](?:{GAP}\d){{8}}(?!\d)"
_SIGNS = (
    re.compile(rf"0(?<!\d0)(?!\d-{_YYMMDD}-\d{{4}}){GAP}+(?:[1-9]|0{GAP}+[1-9])(?:{GAP}+\d){{8}}"),
    re.compile(rf"8(?<!\d8){GAP}+4(?:{GAP}+\d){{9}}"),
    re.compile(
        rf"[1-9](?<!\d\d)(?:\d\d(?:\d{{9}}|(?:[\W_]{{1,{WIDEST}}}+\d{{3}}){{3}})(?!\d)|{_CARD}"
        r"|(?<![A-Za-z]\d)\d[\W_]{0,3}+[A-Za-z]\w?[\W_]{0,3}+\d{3}[\W_]?\d\d(?!\d))"
    ),
    re.compile(r"-(?:NG|QT|NN|CV)-\d"),
    re.compile(_LETTER_FOR_ZERO),
    re.compile(
        r"[@\[({<%&\\](?:(?<=@)|\s*(?:at|@|a cong)\s*[\])}>]|(?<=%)[0-9A-F]{2}|(?<=&)(?:#|\w{2,6};)|(?<=\\)[nrtu])",
        re.IGNORECASE,
    ),
)
_SPELLED = re.compile(rf"a cong| at |\d(?:{GAP}(?:[^\W_]{GAP})?\d){{3}}")
_BEYOND = re.compile("[^\x00-\u036f]")
"""Beyond the letters and accents that Vietnamese is made of."""
_NEXT = "%[89ABab][0-9A-Fa-f]"
_NAMED = (
    "nbsp|shy|zwnj|zwj|lrm|rlm|ensp|emsp|thinsp|ndash|mdash|dash|hyphen|minus|middot|bull|commat|period|comma|colon|semi"
    "|sol|bsol|lpar|rpar|plus|num|percnt|lowbar|amp"
)
_ESCAPE = (
    rf"%[0-7][0-9A-Fa-f]|%[CDcd][0-9A-Fa-f]{_NEXT}|%[Ee][0-9A-Fa-f](?:{_NEXT}){{2}}|%[Ff][0-4](?:{_NEXT}){{3}}"
    rf"|&#(?:[xX][0-9A-Fa-f]{{1,6}}|[0-9]{{1,7}});|&(?:{_NAMED});|\\[nrt]"
    r"|\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}"
)
"""A character as URLs, HTML and JSON write it."""
_STILL_ESCAPED = re.compile(_ESCAPE)
_ESCAPED = re.compile(rf"[^\x00-\x7f]|{_ESCAPE}")
_ESCAPED_IN_ESCAPES = 3
"""So often a text may be escaped anew."""


def find(text: str, allowed: Collection[str] = ()) -> list[Found]:
    """Everything in a text that looks personal, from left to right, none within another; but what is `allowed`."""
    if not suspicious(text):
        return []
    folded, origin = _fold(text)
    found: list[Found] = []
    for one in sorted(_read(folded), key=lambda one: (one.start, -one.end)):
        if one.what not in allowed and (not found or one.start >= found[-1].end):
            found.append(one)
    return [Found(origin[start], origin[end], what) for start, end, what in found]


def mask(text: str, allowed: Collection[str] = ()) -> str:
    """The text with a word in place of whatever looks personal and is not of an `allowed` kind."""
    parts: list[str] = []
    done = 0
    for start, end, what in find(text, allowed):
        parts += (text[done:start], MASKS[what])
        done = end
    return "".join((*parts, text[done:]))


def suspicious(text: str) -> bool:
    """Whether a closer look is worth while: cheap, and True for all that `find` finds."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        if _BEYOND.search(text):
            return True
        text = text.translate(BARE).encode("ascii", "ignore").decode()
    for sign in _SIGNS:
        if sign.search(text):
            return True
    lower = text.lower()
    return LABEL.search(lower) is not None and _SPELLED.search(lower) is not None


def _fold(text: str) -> tuple[str, list[int]]:
    """A text in plain digits and bare letters, with nothing invisible, and where each of its characters came from."""
    folded, origin = _folded_once(text)
    for _ in range(_ESCAPED_IN_ESCAPES):
        if not _STILL_ESCAPED.search(folded):
            break
        folded, within = _folded_once(folded)
        origin = [origin[place] for place in within]
    return folded, origin


def _folded_once(text: str) -> tuple[str, list[int]]:
    folded: list[str] = []
    origin: list[int] = []
    done = 0
    for escaped in _ESCAPED.finditer(text):
        start, end = escaped.span()
        folded.append(text[done:start])
        origin.extend(range(done, start))
        for char in _plain(_unescape(escaped.group())):
            folded.append(char)
            origin.append(start)
        done = end
    folded.append(text[done:])
    origin.extend(range(done, len(text) + 1))
    return "".join(folded), origin


def _unescape(text: str) -> str:
    """The character that is written so; a space where there is none."""
    if len(text) == 1:
        return text
    if text[0] == "\\":
        return str(json.loads(f'"{text}"'))
    found = unquote(text) if text[0] == "%" else html.unescape(text)
    return found if len(found) == 1 else " "


def _plain(char: str) -> str:
    """One character without accents, its digits in ASCII; nothing if it cannot be seen."""
    if (digit := _digit(char)) is not None:
        return digit
    parts = (_bare(part) for part in unicodedata.normalize("NFKD", char))
    return "".join(parts)


def _digit(char: str) -> str | None:
    """A digit of any script, also of one that writes numbers by characters (〇, 一, 二)."""
    number = unicodedata.numeric(char, -1)
    return str(int(number)) if 0 <= number <= 9 and number == int(number) else None


def _bare(char: str) -> str:
    if (digit := _digit(char)) is not None:
        return digit
    if ord(char) in BARE:
        return char.translate(BARE)
    if ord(char) in _LIKE_LATIN:
        return char.translate(_LIKE_LATIN)
    if char in _DOTS:
        return "."
    kind = unicodedata.category(char)
    if kind in ("Mn", "Me", "Cf") or char in _FILLERS:
        return ""
    if kind == "Pd" or char == "−":
        return "-"
    return " " if kind[0] in "ZC" else char


_DOTS = "。．｡․·"
_LIKE_LATIN = str.maketrans("АВЕКМНОРСТХасеорхіѕуΑΒΕΗΙΚΜΝΟΡΤΥΧοα", "ABEKMHOPCTXaceopxisyABEHIKMNOPTYXoa")
"""Letters of other alphabets that look like these."""
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"


def _read(folded: str) -> Iterator[Found]:
    for address in _ADDRESS.finditer(folded):
        yield Found(*address.span(), EMAIL)
    if not _RUN.search(folded):
        return
    bare = _INNOCENT.sub(lambda innocent: "x" * len(innocent.group()), folded)
    for what, form in _FORMS:
        for found in form.finditer(bare):
            yield Found(*found.span(form.groups), what)
    for card in _CARDS.finditer(bare):
        if card[0].startswith("9704") or _is_luhn(card[0]):
            yield Found(*card.span(), ACCOUNT)
    yield from _numbers(bare)


_AT = r"(?:@|[\[({<]\s*(?:at|@|a cong)\s*[\])}>])"
_DOT = r"(?:\s*(?:\.|[\[({<]\s*(?:dot|cham|\.)\s*[\])}>])\s*|\s+(?:dot|cham)\s+)"
_SPELLED_DOT = r"\s+(?:dot|cham)\s+"
_NAME = r"(?<![\w.+%'\-])[\w.+%'\-]++"
_ADDRESS = re.compile(
    rf"{_NAME}\s{{0,3}}{_AT}\s{{0,3}}[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,63}}){{0,3}}{_DOT}[^\W\d_][\w\-]{{1,62}}"
    r"|(?<![^\s@\"<>])[^\s@\"<>]++@[^\s@\"<>]{1,63}\.[^\s@\"<>]{1,63}"
    rf"|{_NAME}\s{{1,3}}(?:at|a cong)\s{{1,3}}[\w\-]{{1,63}}(?:{_SPELLED_DOT}[\w\-]{{1,63}})+"
    rf"|{_NAME}\s{{1,3}}a cong\s{{1,3}}[\w\-]{{1,63}}(?:\.[\w\-]{{1,63}})+",
    re.IGNORECASE,
)

_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]?\d|2[0-3])[:hg][0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?"
_ALONE = "".join(rf"(?<!\d[\W_]{{{gap}}})" for gap in range(1, WIDEST + 1))
_ZONE = r"(?:Z|[+\-]\d\d:?\d\d)?"
_DATE = rf"(?:{YEAR}(?P<a>[\-/.]){_MONTH}(?P=a){_DAY}|{_DAY}(?P<b>[\-/.]){_MONTH}(?P=b){YEAR})"
_LATITUDE, _LONGITUDE = r"(?:[6-9]|1\d|2[0-4])\.\d{3,}", r"1[01]\d\.\d{3,}"
_INNOCENT = re.compile(
    # Hashes and UUIDs; codes of dossiers and procedures; moments, days and times of day; places on the map; a fraction.
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?:[A-Z]\d\d(?:\.\d{1,3}){0,3}|\d{3}(?:\.\d\d){1,3}\.[A-Z]\d\d)"
    rf"-{_YYMMDD}-(?!0[35789]\d{{6}})\d{{4,8}}(?!\d)"
    r"|(?<![\d.])\d\.\d{6}(?:\.\d{3}\.\d\d\.\d\d\.[A-Z]\d\d)?(?![\d.])"
    rf"|(?<!\d)(?<!\d[\-/.:]){_DATE}(?:(?:T|,?\s{{1,3}}){_CLOCK}{_ZONE})?(?![\-/.:]?\d)"
    rf"|(?<!\d){_ALONE}{_CLOCK}(?:[\W_]{{1,3}}{_CLOCK})*(?!{GAP}\d)"
    rf"|(?<![\d.]){_LATITUDE}[\W_]{{1,3}}{_LONGITUDE}(?![\d.])|(?<![\d.]){_LONGITUDE}[\W_]{{1,3}}{_LATITUDE}(?![\d.])"
    r"|(?<![\d.,])0[.,]\d{9}(?![\W_]?\d)"
)

_PLATE = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d[\-. _]{0,3}[A-HK-NPR-Z][A-Z\d]?[\-. _]{0,3}\d{3}[. \-]?\d\d(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])[1-9]\d[\- ]?[a-z][a-z\d]?[\- ]{0,3}(?:\d{3}\.\d\d|(?<=[\-])\d{5})(?![0-9A-Za-z])"
)
_CARDS = re.compile(rf"[459](?<!\d\d){_CARD}")
_FORMS = (
    *((PLATE, form) for form in (_PLATE, re.compile(_FOREIGN_PLATE), *PLATES)),
    *((DOCUMENT, form) for form in DOCUMENTS),
    *((ACCOUNT, form) for form in ACCOUNTS),
    *((PHONE, form) for form in (re.compile(_LETTER_FOR_ZERO), *PHONES)),
)
"""What each looks like; of one that has a name before it the group is the number alone."""

_RUN = re.compile(r"\d+")
_JOINT = re.compile(rf"[\W_]{{1,{WIDEST}}}")
"""What may stand between two parts of one number."""
_NEXT_OF_A_LIST = re.compile(r"[,;]\s")
"""After a comma and a space comes another number, if `_is_list`."""
_MONEY = re.compile(r"\s{0,2}(?:d|dong|vnd|trieu|ty)\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")
_MOMENT = re.compile(rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d")
_COMPACT_DATE = re.compile(
    rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){YEAR}"
)
_LONGEST = 14


def _numbers(text: str) -> Iterator[Found]:
    """Citizen numbers and phones among the runs of digits, alone or several in a row."""
    runs = [run.span() for run in _RUN.finditer(text)]
    joined = [False, *(_JOINT.fullmatch(text, a[1], b[0]) is not None for a, b in pairwise(runs))]
    listed = [False, *(_NEXT_OF_A_LIST.match(text, a[1]) is not None for a, b in pairwise(runs))]
    parts = [text[slice(*run)] for run in runs]
    for first, part in enumerate(parts):
        if part[0] not in "08" and len(part) not in (3, 12):
            continue
        digits, last = part, first
        while len(digits) <= _LONGEST:
            own = parts[first : last + 1]
            if (
                len(digits) >= 10
                and (what := _what(digits, own, text, runs[first][0], runs[last][1]))
                and not (any(listed[first + 1 : last + 1]) and _is_list(own))
            ):
                yield Found(runs[first][0], runs[last][1], what)
            last += 1
            if last == len(runs) or not joined[last] or (listed[last] and len(digits) >= 10):
                break
            digits += parts[last]


def _is_luhn(number: str) -> bool:
    """Whether the last digit of a card is the check of the others."""
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    return sum(digits[::2] + [digit * 2 // 10 + digit * 2 % 10 for digit in digits[1::2]]) % 10 == 0


def _is_list(parts: list[str]) -> bool:
    """Whether what stands between commas are figures or codes: no figure has a zero in front; of codes all have, or
    they are as long as each other and in order."""
    sizes = set(map(len, parts))
    in_order = len(sizes) == 1 and len(parts) > 2 and parts == sorted(parts)
    return parts[0][0] != "0" or min(sizes) < 3 or in_order or all(part[0] == "0" for part in parts)


def _what(digits: str, parts: list[str], text: str, start: int, end: int) -> str | None:
    plus = text[max(start - 2, 0) : start].lstrip("(").endswith(("+", "+("))
    what = None
    if _is_phone(digits, parts, plus):
        what = PHONE
    elif len(digits) == 12 and _is_citizen(digits, parts, text[start:end]):
        what = CITIZEN
    return None if what and digits[0] != "0" and not plus and _is_amount(text, start, end) else what


def _is_amount(text: str, start: int, end: int) -> bool:
    if _MONEY.match(text, end):
        return True
    # In thousands a number is money or a count, but for 84 before the nine digits of a phone.
    return text[start:end][:2] != "84" and bool(_THOUSANDS.fullmatch(text, start, end))


_PHONE_ALONE = re.compile(r"0[1-9]\d{8}|02\d{9}|01[2689]\d{8}|(?:00)?84(?:[35789]\d{8}|2\d{8,9}|0[35789]\d{8})")
_PHONE_IN_PARTS = re.compile(r"0[235789]\d{8}|02\d{9}|01[2689]\d{8}|(?:00)?840?[35789]\d{8}|00842\d{9}")
_LANDLINE_IN_PARTS = re.compile(r"84 (?:2\d{9}|(?=(?: ?\d){10}$)(?:2[48]|2\d\d)(?: \d{2,8})+)")
"""84, the place, and the rest: with other parts they are figures in a row."""
_PHONE_ABROAD = re.compile(r"84\d{9,10}|840\d{9}")


def _is_phone(digits: str, parts: list[str], plus: bool) -> bool:
    if plus and _PHONE_ABROAD.fullmatch(digits):
        return True
    if len(parts) == 1:
        return bool(_PHONE_ALONE.fullmatch(digits))
    return bool(_PHONE_IN_PARTS.fullmatch(digits) or _LANDLINE_IN_PARTS.fullmatch(" ".join(parts)))


def _is_citizen(digits: str, parts: list[str], text: str) -> bool:
    """Twelve digits, of which the first three are a province; in one run any that are no moment."""
    sizes = [len(part) for part in parts]
    if sizes == [12]:
        return digits[:3] != "000" and not _MOMENT.fullmatch(digits)
    if sizes == [3, 3, 3, 3] and not re.search(r"[.,]", text):
        return True
    province = 1 <= int(digits[:3]) <= 96
    return province and (len(set(sizes)) == 1 or not any(map(_is_date, parts)))


def _is_date(part: str) -> bool:
    """Eight digits that are a day, or six that may be one."""
    return bool(re.fullmatch(_YYMMDD, part) or _COMPACT_DATE.fullmatch(part))
