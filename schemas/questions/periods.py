"""Which days are meant, as officials say them: `tháng 11/2024`, `quý III/2024`, `6 tháng đầu năm`, `tháng trước`."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple

from schemas.questions.words import Token, plain
from schemas.text import dates
from schemas.text.moments import NoMoment

ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


class Days(NamedTuple):
    """Local days, both included. `until`: the figure is asked as of the end of the last one."""

    first: date
    last: date
    until: bool = False


Parts = dict[str, str]
Rule = tuple[str, Callable[[Parts, date], Days]]


def take(words: list[Token], today: date) -> tuple[list[Token], Days | None]:
    """The words without those of the period, and the period; none: no period is named. `NoMoment` for one that there
    is not (31/2, quarter 5) or that could be another (a year of two digits)."""
    rest, days = _found(words, today)
    if wrong := _NO_PERIOD.search(plain(words)) or _LEFT.search(plain(rest)):
        raise NoMoment(wrong[0], "is no period, or one too many")
    if days and days.last < days.first:
        raise NoMoment(dates.days(days.first, days.last), "ends before it begins")
    return rest, days


def _found(words: list[Token], today: date) -> tuple[list[Token], Days | None]:
    text = plain(words)
    for form, days in RULES:
        if found := re.search(rf"(?<!\S)(?:trong |vao |cua |in )?{form}(?!\S)", text):
            try:
                period_days = days({name: part for name, part in found.groupdict().items() if part}, today)
            except ValueError:
                continue
            return _without(words, *found.span()), period_days
    return words, None


_NO_PERIOD = re.compile(r"(?<!\S)quy (?:[05-9]|[0-9]{2,}|vi{0,3}|ix|x)(?:[/-]| nam )[0-9]{4}(?!\S)")
"""What would be read as a month."""
_LEFT = re.compile(
    r"(?<!\S)(?:[0-9]{1,4}(?P<mark>[/.-])[0-9]{1,2}(?P=mark)[0-9]{1,4}|[0-9]{1,2}[/-][0-9]{4}|20[0-9]{6}"
    r"|(?:ngay|thang) [0-9]{1,2}[/.-][0-9]{1,2}|thang [0-9]{1,2})(?!\S)"
)
"""What is meant as a date."""


def take_one(words: list[Token], rules: Iterable[tuple[str, str]]) -> tuple[list[Token], str | None]:
    """The words without those of the first rule that is met, and its name."""
    for name, form in rules:
        if found := re.search(rf"(?<!\S)(?:{form})(?!\S)", plain(words)):
            return _without(words, *found.span()), name
    return words, None


def _without(words: list[Token], start: int, stop: int) -> list[Token]:
    kept, at = [], 0
    for word in words:
        if not start <= at < stop:
            kept.append(word)
        at += len(word.plain) + 1
    return kept


def _day(of: Parts, today: date, end: str = "") -> date:
    """A day; without a month or year the one of the other end, else this year's, or the last one that has been."""
    year = of.get(f"y{end}") or of.get("y2") or of.get("y")
    month = int(of.get(f"m{end}") or of.get("m2") or of.get("m") or today.month)
    found = date(int(year) if year else today.year, month, int(of[f"d{end}"]))
    return found if year or found <= today else found.replace(year=found.year - 1)


def _month(year: int, month: int) -> Days:
    return Days(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _named_month(of: Parts, today: date, end: str = "") -> Days:
    month, year = int(of[f"m{end}"]), of.get(f"y{end}") or of.get("y2")
    if not 1 <= month <= 12:
        raise ValueError(month)
    return _month(int(year) if year else today.year - (month > today.month), month)


def _months(year: int, first: int, last: int) -> Days:
    return Days(date(year, first, 1), _month(year, last).last)


def _quarter(of: Parts, today: date) -> Days:
    number = ROMAN.get(of["q"]) or int(of["q"])
    year = int(of["y"]) if "y" in of else today.year - (3 * number - 2 > today.month)
    return _months(year, 3 * number - 2, 3 * number)


def _half(of: Parts, today: date) -> Days:
    number, year = int(of["n"]), int(of.get("y") or today.year)
    return _months(year, 1, number) if of["e"] == "dau" else _months(year, 13 - number, 12)


def _weeks_ago(today: date, weeks: int) -> Days:
    monday = today - timedelta(days=today.weekday() + 7 * weeks)
    return Days(monday, today if not weeks else monday + timedelta(days=6))


def _month_before(today: date) -> Days:
    last = today.replace(day=1) - timedelta(days=1)
    return Days(last.replace(day=1), last)


def _quarter_ago(today: date, back: int) -> Days:
    index = today.year * 4 + (today.month - 1) // 3 - back
    year, quarter = divmod(index, 4)
    found = _months(year, 3 * quarter + 1, 3 * quarter + 3)
    return found if back else Days(found.first, today)


def _only(day: date) -> Days:
    return Days(day, day)


def _since(first: date, today: date) -> Days:
    return Days(first, today)


_DAY = r"(?:ngay )?(?:{y}[/-]{m}[/-]{d}|{d}[/.-]{m}(?:[/.-]{y})?|{d} thang {m}(?:(?: nam |/){y})?)"
_MONTH = r"(?:thang |t)?{m}[/.-]{y}|thang {m} nam {y}|t{m}|thang {m}"


def _form(form: str, end: str = "") -> str:
    """The form with its groups; where a part stands in it twice, either may be met."""
    seen: dict[str, int] = {}
    made = form
    for letter, digits in (("d", "{1,2}"), ("m", "{1,2}"), ("y", "{4}")):
        while f"{{{letter}}}" in made:
            seen[letter] = seen.get(letter, 0) + 1
            name = f"{letter}{end}" if seen[letter] == 1 else f"{letter}{end}_{seen[letter]}"
            made = made.replace(f"{{{letter}}}", f"(?P<{name}>[0-9]{digits})", 1)
    return f"(?:{made})"


def _one(rule: Callable[[Parts, date], Days]) -> Callable[[Parts, date], Days]:
    """Parts that stand twice in a form, under one name."""
    return lambda of, today: rule({name.partition("_")[0]: part for name, part in of.items()}, today)


RULES: tuple[Rule, ...] = tuple(
    (form, _one(rule))
    for form, rule in (
        (
            rf"(?:tu )(?:ngay )?(?:{_form(_DAY)}|(?P<d_9>[0-9]{{1,2}})) (?:den|toi)(?: het)? {_form(_DAY, '2')}",
            lambda of, today: Days(_day(of, today), _day(of, today, "2")),
        ),
        (
            rf"tu {_form(_MONTH)} (?:den|toi)(?: het)? {_form(_MONTH, '2')}",
            lambda of, today: Days(_named_month(of, today).first, _named_month(of, today, "2").last),
        ),
        (
            r"(?:luy ke )?(?:tu )?dau nam(?: (?P<y>[0-9]{4}))? (?:den|toi) (?:nay|hien nay|hom nay|gio)"
            r"|luy ke tu dau nam|year to date",
            lambda of, today: _since(date(int(of.get("y") or today.year), 1, 1), today),
        ),
        (
            rf"(?:luy ke |tinh )?(?:tu dau nam )?(?:den|toi)(?: het)? {_form(_DAY)}",
            lambda of, today: Days(_day(of, today).replace(day=1), _day(of, today), True),
        ),
        (r"(?:tu )?dau thang(?: nay)? (?:den|toi) nay", lambda of, today: _since(today.replace(day=1), today)),
        (_form(_DAY), lambda of, today: _only(_day(of, today))),
        (r"(?P<y>20[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})", lambda of, today: _only(_day(of, today))),
        (r"(?P<y>20[0-9]{2})-(?P<m>[0-9]{2})", _named_month),
        (r"(?P<n>[369]|1[0-2]) thang (?P<e>dau|cuoi) nam(?: (?P<y>[0-9]{4})| nay)?", _half),
        (r"quy (?P<q>iv|i{1,3}|[1-4])(?:[/-]| nam | )(?P<y>[0-9]{4})|q(?P<q_2>[1-4])[/-](?P<y_2>[0-9]{4})", _quarter),
        (r"quy (?:nay|hien tai)|this quarter", lambda of, today: _quarter_ago(today, 0)),
        (r"quy (?:truoc|vua roi|vua qua)|last quarter", lambda of, today: _quarter_ago(today, 1)),
        (r"quy (?P<q>iv|i{1,3}|[1-4])", _quarter),
        (_form(_MONTH), _named_month),
        (r"thang (?:nay|hien tai)|this month", lambda of, today: _since(today.replace(day=1), today)),
        (r"thang (?:truoc|qua|vua qua|vua roi|roi)|last month", lambda of, today: _month_before(today)),
        (r"tuan (?:nay|hien tai)|this week", lambda of, today: _weeks_ago(today, 0)),
        (r"tuan (?:truoc|qua|vua qua|vua roi|roi)|last week", lambda of, today: _weeks_ago(today, 1)),
        (
            r"(?P<n>[0-9]{1,3}) ngay (?:qua|gan day|gan nhat|vua qua|tro lai day)|last (?P<n_2>[0-9]{1,3}) days",
            lambda of, today: _since(today - timedelta(days=int(of["n"]) - 1), today),
        ),
        (r"hom nay|trong ngay|today", lambda of, today: _since(today, today)),
        (r"hom qua|ngay hom qua|yesterday", lambda of, today: _only(today - timedelta(days=1))),
        (r"nam (?:nay|hien tai)|this year", lambda of, today: _since(date(today.year, 1, 1), today)),
        (r"nam (?:ngoai|truoc|vua qua|vua roi)|last year", lambda of, today: _months(today.year - 1, 1, 12)),
        (r"(?:nam |ca nam )?(?P<y>20[0-9]{2})", lambda of, today: _months(int(of["y"]), 1, 12)),
    )
)
"""How a period is said -> its days; the longer forms first."""
