"""The board's words in both languages, and numbers, moments and units as each language writes them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from schemas import units
from schemas.calendar import WORKING_DAY, local_day
from schemas.indicators import Indicator
from schemas.registry import SYSTEMS
from schemas.text import numbers
from schemas.text.durations import coarse
from services.board.access import is_few
from services.kit import clock
from services.readings import Reading
from services.readings.comparison import Change
from services.readings.read import round_half_up
from services.readings.reasons import Reason

Language = Literal["vi", "en"]


def read_words() -> Iterator[tuple[str, tuple[str, str]]]:
    """(key, its texts) as words.toml and the files beside the pages have them, a section for each page."""
    folder = Path(__file__).parent
    for file in (folder / "words.toml", *sorted((folder.parent / "pages").glob("*.toml"))):
        for page in tomllib.loads(file.read_text(encoding="utf-8")).values():
            yield from ((key, (vi, en)) for key, (vi, en) in page.items())


WORDS: Mapping[str, tuple[str, str]] = dict(read_words())
"""key -> its text in Vietnamese and English."""
SIGNS = {"good": "✓", "bad": "▲", "watch": "●", "neutral": "", "missing": "–"}
"""A state is told by a sign as well as a colour: not everybody sees colours."""
_MONEY = ((Decimal(10) ** 9, "billion", 2), (Decimal(10) ** 6, "million", 1))
_TIMES = ((Decimal(60), "time_hours"), (Decimal(1), "time_minutes"))
_DAY = Decimal(WORKING_DAY // timedelta(minutes=1))
_WORKING_TIMES = (
    (_DAY, "time_working_days"),
    (Decimal(60), "time_working_hours"),
    (Decimal(1), "time_working_minutes"),
)


def word(key: str, language: Language) -> str:
    """A text of the board."""
    vi, en = WORDS[key]
    return vi if language == "vi" else en


def system_name(slug: str, language: Language) -> str:
    """A system's name."""
    _, vi, en = SYSTEMS[slug]
    return vi if language == "vi" else en


def unit_name(code: str | None, language: Language, day: date | None = None) -> str:
    """A unit's name on a local day, by default today; None is the whole locality."""
    if code is None:
        return word("whole", language)
    unit = units.on(code, day or local_day(clock.now()))
    return unit.name_vi if language == "vi" else unit.name_en


def name_of(indicator: Indicator, language: Language) -> str:
    """An indicator's name."""
    return indicator.vi if language == "vi" else indicator.en


def why(reason: Reason | None, language: Language) -> str:
    """Why there is no figure; empty where there is one."""
    return "" if reason is None else reason.vi if language == "vi" else reason


def state_of(r: Reading) -> str:
    """`good` or `bad` against the target; `watch` where there should be none and there is some, or where a share cannot
    be so; else `neutral`."""
    if r.printed is None:
        return "neutral" if is_few(r) else "missing"
    if not r.indicator.is_possible(r.printed):
        return "watch"
    if r.met is not None:
        return "good" if r.met else "bad"
    counts = r.indicator.unit not in ("%", "minute", "VND")
    return "watch" if r.indicator.better == "lower" and counts and r.printed > 0 else "neutral"


def number(value: Decimal, decimals: int, language: Language) -> str:
    """1234.5 -> `1.234,5` in Vietnamese, `1,234.5` in English; rounded as clerks round, as all figures are."""
    return numbers.grouped(round_half_up(value, decimals), decimals, language)


def capital(text: str) -> str:
    """A text as the head of a line."""
    return text[:1].upper() + text[1:]


def count(value: int, language: Language) -> str:
    """1234 -> `1.234` in Vietnamese, `1,234` in English."""
    return number(Decimal(value), 0, language)


def aim(r: Reading, language: Language) -> str:
    """What a figure has to reach, with all its digits; empty without a target."""
    if r.target is None:
        return ""
    return f"{r.indicator.bound} {numbers.exact(r.target, language)}"


def figure(r: Reading, language: Language) -> str:
    """A reading as the wall shows it: rounded as published, large amounts of money shortened."""
    if r.printed is None:
        return word("few", language) if is_few(r) and r.indicator.unit not in ("%", "minute") else "–"
    if r.indicator.unit == "VND":
        for size, name, decimals in _MONEY:
            if r.printed >= size:
                return f"{number(r.printed / size, decimals, language)} {word(name, language)}"
        return f"{number(r.printed, 0, language)} đ"
    if r.indicator.unit == "minute":
        return duration(r.printed, r.indicator.working, language)
    text = number(r.printed, r.indicator.decimals, language)
    return f"{text} %" if r.indicator.unit == "%" else text


def duration(minutes: Decimal, working: bool, language: Language) -> str:
    """1,303 minutes of working time -> `2,7 ngày làm việc`, 14,641 minutes of any -> `244 giờ`."""
    sizes = _WORKING_TIMES if working else _TIMES
    size, key = next((each for each in sizes if abs(minutes) >= each[0]), sizes[-1])
    value = minutes / size
    shown = round_half_up(value, 0 if abs(value) >= 100 else 1)
    return word(key, language).format(number(shown, 0 if shown == shown.to_integral_value() else 1, language))


def axis(indicator: Indicator, values: Iterable[Decimal | None], language: Language) -> tuple[Decimal, str]:
    """By what values are divided to stand at an axis, and what they then count; empty where they count what the
    indicator does."""
    largest = max((abs(v) for v in values if v is not None), default=Decimal(0))
    if indicator.unit == "minute":
        sizes = _WORKING_TIMES if indicator.working else _TIMES
        size, key = next((each for each in sizes if largest >= each[0]), sizes[-1])
        return size, word(key, language).format("").strip()
    sign = "đ" if indicator.unit == "VND" else "%" if indicator.unit == "%" else ""
    for exponent, key in ((9, "axis_billion"), (6, "axis_million"), (4, "axis_thousand")):
        if largest >= 10**exponent:
            return Decimal(10) ** (exponent // 3 * 3), f"{word(key, language)} {sign}".strip()
    return Decimal(1), sign


def signed(r: Reading, language: Language) -> str:
    """A reading with the sign of its state before it."""
    sign = SIGNS[state_of(r)]
    return f"{sign} {figure(r, language)}" if sign and r.printed is not None else figure(r, language)


def moved(r: Reading, found: Change, language: Language) -> str:
    """By how much a figure moved: shares in points, what had a base in per cent, the rest as it is written itself."""
    if not found.by:
        return f"→ {word('unchanged', language)}"
    size, arrow = abs(found.by), "↑" if found.by > 0 else "↓"
    if found.kind == "points":
        return f"{arrow} {number(size, 2, language)} {word('points', language)}"
    if found.kind == "percent":
        return f"{arrow} {number(size, 1, language)} %"
    return f"{arrow} {figure(replace(r, value=size), language)}"


def ago(then: datetime | None, now: datetime, language: Language) -> str:
    """How long ago, in one unit."""
    if then is None:
        return word("never", language)
    count, unit = coarse(now - then)
    return word(f"ago_{unit}", language).format(count)
