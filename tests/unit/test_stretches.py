"""A period is cut into months, days and moments so that every instant of it counts once, and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.readings.period import last_midnight, last_month
from services.readings.series_query import stretches

BEGIN = datetime(2023, 12, 20, tzinfo=UTC)
moments = st.integers(0, 500 * 24).map(lambda hours: BEGIN + timedelta(hours=hours)) | st.datetimes(
    BEGIN.replace(tzinfo=None), datetime(2025, 6, 1), timezones=st.just(UTC)
)


@given(moments, moments, moments)
def test_every_instant_counts_once(start: datetime, stop: datetime, instant: datetime) -> None:
    start, stop = min(start, stop), max(start, stop)
    parts = stretches(start, stop)
    counted = sum((1 if part.sign == "+" else -1) for part in parts if part.since <= instant < part.until)
    assert counted == (start <= instant < stop)


@given(moments, moments)
def test_rollups_are_read_in_whole_buckets(start: datetime, stop: datetime) -> None:
    for part in stretches(min(start, stop), max(start, stop)):
        edge = {"rollup_month": last_month, "rollup_day": last_midnight}.get(part.table, lambda t: t)
        assert part.since < part.until
        assert (edge(part.since), edge(part.until)) == (part.since, part.until)


def test_a_year_until_now_is_some_months_less_what_is_to_come() -> None:
    year = stretches(datetime(2024, 6, 30, 17, tzinfo=UTC), datetime(2025, 6, 30, 8, tzinfo=UTC))
    assert [(part.table, part.sign) for part in year] == [
        ("rollup_month", "+"), ("rollup_month", "+"), ("point", "-"),
    ]  # fmt: skip
