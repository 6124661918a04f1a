"""Any period and any moment stand in an address, and each is compared with as much of the one before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from services.board.ui.periods import Against, BadPeriod, PeriodChoice, Span, period_of, step_of
from services.readings.period import midnight

NOON = datetime(2026, 11, 22, 5, tzinfo=UTC)
TODAY = date(2026, 11, 22)
OCTOBER = date(2026, 10, 1), date(2026, 10, 31)
ADDRESSES = {
    "": (date(2026, 11, 1), TODAY, True, "day"),
    "span=day": (TODAY, TODAY, False, "hour"),
    "span=year": (date(2026, 1, 1), TODAY, False, "month"),
    "month=2026-10": (*OCTOBER, True, "day"),
    "month=10/2026&span=week": (*OCTOBER, True, "day"),
    "first=2026-10-23&last=2026-11-21": (date(2026, 10, 23), date(2026, 11, 21), False, "day"),
    "first=21/11/2026&last=23/10/2026&month=2026-09": (date(2026, 10, 23), date(2026, 11, 21), False, "day"),
    "first=2026-11-10": (date(2026, 11, 10), TODAY, False, "day"),
    "last=2026-10-15": (date(2026, 10, 1), date(2026, 10, 15), False, "day"),
    "as_of=2026-10-05T14:30": (date(2026, 10, 1), date(2026, 10, 5), True, "day"),
    "as_of=2026-10-05&span=week": (date(2026, 9, 29), date(2026, 10, 5), False, "day"),
}


def chosen(query: str) -> PeriodChoice:
    return PeriodChoice.parse(dict(parse_qsl(query)), TODAY)


def test_an_address_names_a_period_and_is_written_from_it_again() -> None:
    for query, (first, last, open_start, step) in ADDRESSES.items():
        choice = chosen(query)
        period = choice.period(NOON)
        assert (period.first, period.last, period.open_start, step_of(period)) == (first, last, open_start, step), query
        assert chosen(urlsplit(choice.address("/", unit="x")).query) == choice, query
        assert choice.whole == (first < last), query


BAD = "span=decade", "month=2026-13", "first=31/2/2026", "as_of=noon", "first=2026-11-01T10:00"


def test_what_cannot_be_read_is_refused() -> None:
    for query in BAD:
        with pytest.raises(BadPeriod):
            chosen(query)


def test_a_link_keeps_the_moment_at_which_it_was_copied() -> None:
    copied = chosen("span=week").as_seen(NOON)
    later = chosen(urlsplit(copied.address("/figure/visits")).query).period(datetime(2027, 3, 1, tzinfo=UTC))
    assert later == chosen("span=week").period(NOON)
    assert copied.as_seen(datetime(2027, 3, 1, tzinfo=UTC)) == copied, "once chosen the moment stays"


@pytest.mark.parametrize(
    ("span", "against", "first", "last"),
    [
        ("day", "previous", date(2026, 11, 21), date(2026, 11, 21)),
        ("week", "previous", date(2026, 11, 9), date(2026, 11, 15)),
        ("month", "previous", date(2026, 10, 1), date(2026, 10, 22)),
        ("year", "previous", date(2025, 1, 1), date(2025, 11, 22)),
        ("day", "year", date(2025, 11, 22), date(2025, 11, 22)),
        ("month", "year", date(2025, 11, 1), date(2025, 11, 22)),
    ],
)
def test_as_much_is_compared_as_is_over(span: Span, against: Against, first: date, last: date) -> None:
    period = period_of(span, TODAY, NOON)
    earlier = PeriodChoice(span).before(period, against)
    assert (earlier.first, earlier.last) == (first, last)
    assert earlier.stop - midnight(earlier.last) == period.stop - midnight(period.last), "noon against noon"
    assert len(list(earlier.hours())) - 24 * (len(list(earlier.days())) - 1) == 13


WHOLE = {
    "month=2026-10": (date(2026, 9, 1), date(2026, 9, 30)),
    "month=2026-03": (date(2026, 2, 1), date(2026, 2, 28)),
    "month=2026-11": (date(2026, 10, 1), date(2026, 10, 22)),
    "first=2026-10-01&last=2026-10-31": (date(2026, 9, 1), date(2026, 9, 30)),
    "first=2026-10-23&last=2026-11-21": (date(2026, 9, 23), date(2026, 10, 22)),
    "first=2026-11-22&last=2026-12-31": (date(2026, 11, 21), date(2026, 11, 21)),
}


def test_whole_months_go_before_months_and_days_before_days() -> None:
    for query, (first, last) in WHOLE.items():
        choice = chosen(query)
        earlier = choice.before(choice.period(NOON))
        assert (earlier.first, earlier.last) == (first, last), query
    for day, against, expected in (
        (date(2027, 3, 31), "previous", date(2027, 2, 28)),
        (date(2028, 2, 29), "year", date(2027, 2, 28)),
    ):
        period = period_of("month", day, datetime(day.year, day.month, day.day, 5, tzinfo=UTC))
        assert PeriodChoice().before(period, against).last == expected  # type: ignore[arg-type]
