"""Days and moments are written in one way, wherever a person reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.text import dates, moments

AT = datetime(2026, 11, 28, 18, 5, 9, tzinfo=UTC)


def test_they_are_local_and_the_day_comes_first() -> None:
    assert dates.day(AT) == dates.day(date(2026, 11, 29)) == "29/11/2026"
    assert dates.clock_time(AT) == "01:05:09"
    assert dates.day_and_time(AT) == "29/11/2026 01:05"
    assert dates.day_and_time(AT, seconds=True) == "29/11/2026 01:05:09"
    assert dates.days(date(2026, 11, 1), date(2026, 11, 29)) == "01/11/2026 – 29/11/2026"
    assert dates.days(date(2026, 11, 1), date(2026, 11, 1)) == "01/11/2026"


@pytest.mark.parametrize("written", [dates.day(AT), dates.day_and_time(AT), dates.day_and_time(AT, seconds=True)])
def test_what_is_written_is_read(written: str) -> None:
    read = moments.read(written)
    assert read.first <= AT < read.end + timedelta(minutes=1)


def test_nobody_writes_them_in_another_way() -> None:
    from tree import ROOT

    files = [f for room in ("schemas", "services", "infra", "dashboards") for f in (ROOT / room).rglob("*.py")]
    own = re.compile(r"%d/%m|%m/%d|%H:%M %d|%Y-%m-%d %H")
    left = {"schemas/text/dates.py", *(str(f.relative_to(ROOT)) for f in files if "simulator" in f.parts)}
    wrong = [str(f.relative_to(ROOT)) for f in files if own.search(f.read_text("utf-8"))]
    assert [path for path in wrong if path not in left] == []
