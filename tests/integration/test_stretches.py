"""A period is cut into months, days and moments so that every instant of it counts once, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.servers import Instance
from schemas.zone import VN
from services.centre.prepare import settings_of
from services.kit import store
from services.readings.period import last_midnight, midnight

BEGIN = datetime(2023, 12, 20, tzinfo=UTC)
moments = st.integers(0, 500 * 24).map(lambda hours: BEGIN + timedelta(hours=hours)) | st.datetimes(
    BEGIN.replace(tzinfo=None), datetime(2025, 6, 1), timezones=st.just(UTC)
)


class Stretch(NamedTuple):
    """A part of a period: what it is read from, [since, until), and how it counts."""

    source: str
    sign: int
    since: datetime
    until: datetime


@pytest.fixture(scope="module")
def reader(centre: Instance) -> Iterator[psycopg.Connection]:
    with store.connect(settings_of(centre, "cli"), "reader") as conn:
        conn.autocommit = True
        yield conn


def last_month(t: datetime) -> datetime:
    return midnight(t.astimezone(VN).date().replace(day=1))


def stretches(reader: psycopg.Connection, start: datetime, stop: datetime) -> list[Stretch]:
    return [Stretch(*row) for row in reader.execute("SELECT * FROM figure_stretches(%s, %s, 'whole')", (start, stop))]


@given(start=moments, stop=moments, instant=moments)
def test_every_instant_counts_once(
    reader: psycopg.Connection, start: datetime, stop: datetime, instant: datetime
) -> None:
    start, stop = min(start, stop), max(start, stop)
    counted = sum(part.sign for part in stretches(reader, start, stop) if part.since <= instant < part.until)
    assert counted == (start <= instant < stop)


@given(start=moments, stop=moments)
def test_rollups_are_read_in_whole_buckets(reader: psycopg.Connection, start: datetime, stop: datetime) -> None:
    for part in stretches(reader, min(start, stop), max(start, stop)):
        edge = {"month": last_month, "day": last_midnight}.get(part.source, lambda t: t)
        assert part.since < part.until
        assert (edge(part.since), edge(part.until)) == (part.since, part.until)


def test_a_year_until_now_is_some_months_less_what_is_to_come(reader: psycopg.Connection) -> None:
    year = stretches(reader, datetime(2024, 6, 30, 17, tzinfo=UTC), datetime(2025, 6, 30, 8, tzinfo=UTC))
    assert [(part.source, part.sign) for part in year] == [("month", 1), ("month", 1), ("point", -1)]
