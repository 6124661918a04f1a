"""Retention's plain parts: the setting, local midnights, and that all that is stored is told how long it is kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from infra.timescaledb.migrate import MIGRATIONS
from schemas.registry import FOLDS
from schemas.streams import STREAMS
from services.kit.settings import Settings
from services.readings.period import next_midnight
from services.upkeep.retention import kept_days
from services.upkeep.retention_rules import LEAST_DAYS, STATE_KINDS, retention_rules


def test_retention_is_at_least_what_the_broker_may_send_again() -> None:
    assert kept_days(LEAST_DAYS) == timedelta(days=LEAST_DAYS)
    assert timedelta(days=LEAST_DAYS) > max(stream.max_age for stream in STREAMS)
    with pytest.raises(ValueError, match=f"IOC_RETENTION_DAYS is 100; set it to {LEAST_DAYS} or more"):
        kept_days(100)


@pytest.mark.parametrize("wrong", ['{"QUARANTINE": 401}', '{"EVENTS": 0}', '{"ORDERS": 30}', "30"])
def test_a_stream_is_kept_no_longer_than_the_log_allows(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_STREAM_DAYS", wrong)
    with pytest.raises((ValidationError, SettingsError), match="stream_days"):
        Settings()


def test_the_database_holds_the_same_limit() -> None:
    text = (MIGRATIONS / "0002_retention.sql").read_text()
    assert re.findall(r"interval '(\d+) days'", text) == [str(max(stream.max_age.days for stream in STREAMS))]


@pytest.mark.parametrize(
    ("moment", "midnight"),
    [
        (datetime(2024, 11, 1, tzinfo=UTC), datetime(2024, 11, 1, 17, tzinfo=UTC)),
        (datetime(2024, 11, 1, 17, tzinfo=UTC), datetime(2024, 11, 1, 17, tzinfo=UTC)),
        (datetime(2024, 11, 1, 17, 0, 0, 1, tzinfo=UTC), datetime(2024, 11, 2, 17, tzinfo=UTC)),
    ],
)
def test_the_horizon_is_a_local_midnight(moment: datetime, midnight: datetime) -> None:
    assert next_midnight(moment) == midnight


def test_every_table_and_stream_says_how_long_it_is_kept() -> None:
    later = " ".join(file.read_text() for file in sorted(MIGRATIONS.glob("*.sql"))[1:])
    gone = re.findall(r"DROP TABLE (\w+)", later)
    made = re.findall(r"CREATE TABLE (\w+)", (MIGRATIONS / "0001_log_state_series.sql").read_text())
    named = " ".join(row.what for row in retention_rules())
    bookkeeping = {"calendar_version", "fold_version", "position", *gone}
    assert [table for table in made if table not in bookkeeping and not re.search(rf"\b{table}\b", named)] == []
    assert [stream.name for stream in STREAMS if f"stream {stream.name}" not in named] == []


def test_kinds_that_are_kept_exist() -> None:
    assert set(STATE_KINDS) < set(FOLDS)
