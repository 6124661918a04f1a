"""Dates as people write them: one reading, or a refusal that says why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click
import pytest

from schemas.text import moments
from schemas.text.moments import NoMoment
from services.board.pages.actions.alarm_client import moment_of
from services.cli.app import main
from services.cli.times import Day, Days, Moment
from services.kit.settings import Settings
from services.notifier.actions import Assign

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20",
        "20261120",
        "2026/11/20",
        "20/11/2026",
        "20.11.2026",
        "20-11-2026",
        " 20/11/2026 ",
        "20/11",
        "ngày 20/11/2026",
        "ngày 20 tháng 11 năm 2026",
        "20 tháng 11/2026",
        "nga\u0300y 20 tha\u0301ng 11 na\u0306m 2026",
    ],
)
def test_every_way_to_write_a_day_is_that_day(text: str) -> None:
    found = moments.read(text, TODAY)
    assert found.day() == date(2026, 11, 20)
    assert (found.first.isoformat(), found.end.isoformat()) == (
        "2026-11-20T00:00:00+07:00",
        "2026-11-20T23:59:59.999999+07:00",
    )


@pytest.mark.parametrize("text", ["11/2026", "2026-11", "2026/11", "11-2026", "tháng 11/2026", "Tháng 11 năm 2026"])
def test_a_month_is_all_its_days(text: str) -> None:
    assert moments.read(text).days() == (date(2026, 11, 1), date(2026, 11, 30))


def test_december_ends_with_the_year() -> None:
    assert moments.read("12/2026").days() == (date(2026, 12, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T14:30",
        "2026-11-20 14:30",
        "2026-11-20t14:30:00",
        "20261120T1430",
        "20261120T143000",
        "20/11/2026 14:30",
        "20/11/2026, 14:30",
        "14:30 20/11/2026",
        "14h30 ngày 20/11/2026",
        "20/11 14:30",
        "2026-11-20T07:30Z",
        "2026-11-20T07:30+00:00",
        "2026-11-20T09:30:00.000+0200",
        "2026-11-20T07:30:00.000000000Z",
        "2026-11-20 14:30:00+07",
        "2026-11-20 03:00:00-0430",
        "20/11/2026 14h30",
    ],
)
def test_every_way_to_write_a_moment_is_that_moment(text: str) -> None:
    found = moments.read(text, TODAY)
    assert found.first == found.end == datetime.fromisoformat("2026-11-20T14:30:00+07:00")


def test_what_datetime_writes_is_read_to_the_microsecond() -> None:
    text = "2026-11-28T17:15:01.123456+00:00"
    assert moments.read(text).first == datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("11/13/2026", "no month 13"),
        ("31/02/2026", "no day 31"),
        ("29/2/2025", "no day 29"),
        ("2026-02-30", "no day 30"),
        ("00/11/2026", "no day 0"),
        ("2026-00-10", "no month 0"),
        ("13/2026", "no month 13"),
        ("20261320", "no month 13"),
        ("12026-11-20", "four digits"),
        ("20/11/12026", "four digits"),
        ("20/11/26", "four digits"),
        ("202611", "four digits"),
        ("0001-01-01", "not within"),
        ("9999-12-31", "not within"),
        ("20/11/2026 24:00", "24:00"),
        ("2026-11-20T25:10", "23:59"),
        ("20/11/2026 14:60", "no such minute"),
        ("2026-11-20T14:30+15:00", "no such minute"),
        ("2026-11-20T14:30 ICT", "+07:00"),
        ("2026-11-20 14:30 Asia/Ho_Chi_Minh", "offset"),
        ("2026-11-20 2:30 PM", "23:59"),
        ("٢٠/١١/٢٠٢٦", "0-9"),
        ("２０２６-11-20", "0-9"),
        ("2026-W47-5", "weeks"),
        ("2026-324", "numbered"),
        ("20-11/2026", "no date"),
        ("2026-11-20x14:30", "no date"),
        ("14:30", "needs its day"),
        ("", "no date"),
        ("tomorrow", "no date"),
        ("2026-11-20+07:00", "no date"),
        ("20 11 2026", "no date"),
    ],
)
def test_what_could_mean_another_day_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(NoMoment, match=why.replace("+", r"\+")) as refused:
        moments.read(text, TODAY)
    assert "28/11/2026" in str(refused.value)


def test_a_day_without_a_year_needs_a_today() -> None:
    with pytest.raises(NoMoment, match="year is missing"):
        moments.read("20/11")


def test_a_day_is_asked_for_as_a_day() -> None:
    with pytest.raises(NoMoment, match="a day is needed"):
        moments.read("11/2026").day()
    with pytest.raises(NoMoment, match="day or month"):
        moments.read("2026-11-20T10:00").days()


@pytest.mark.parametrize("text", ["20261120", "2026-11-20", "20/11/2026"])
def test_a_command_takes_every_way_to_write_a_day_for_the_same_moment(text: str) -> None:
    assert Moment("last")(text) == datetime.fromisoformat("2026-11-20T23:59:59.999999+07:00")
    assert Moment("first")(text) == datetime.fromisoformat("2026-11-20T00:00:00+07:00")
    assert Day()(text) == Day("first")(text) == Day("last")(text) == date(2026, 11, 20)


def test_from_and_to_take_months() -> None:
    assert (Day("first")("11/2026"), Day("last")("11/2026")) == (date(2026, 11, 1), date(2026, 11, 30))


def test_a_command_says_what_is_wrong_with_a_date() -> None:
    with pytest.raises(click.BadParameter, match="no month 13"):
        Moment("last")("11/13/2026")


@pytest.mark.parametrize("text", ["20261120", "2026-11-20", "20/11/2026 23:59:59.999999"])
def test_the_notifier_and_the_board_read_a_deadline_alike(text: str) -> None:
    end = datetime.fromisoformat("2026-11-20T23:59:59.999999+07:00")
    assert Assign.model_validate({"user": "an", "assignee": "binh", "deadline": text}).deadline == end
    assert moment_of(text) == end


def test_no_option_of_a_command_reads_dates_in_another_way() -> None:
    found: dict[str | None, click.ParamType[Any]] = {}

    def visit(command: click.Command, context: click.Context) -> None:
        found.update({option.name: option.type for option in command.params})
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below
                visit(below, context)

    visit(main, click.Context(main))
    assert not [name for name, kind in found.items() if isinstance(kind, click.DateTime)]
    assert {name for name, kind in found.items() if isinstance(kind, Day | Moment)} >= {
        *("first", "last", "as_of", "start", "day"),
    }


@pytest.mark.parametrize("text", ["20261120", "2026-11-20", "20/11/2026", "2026-11-20T00:00+07:00"])
def test_a_setting_reads_a_moment_alike(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_SIMULATOR_START", text)
    assert Settings().simulator_start == datetime.fromisoformat("2026-11-20T00:00:00+07:00")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("11/2024", date(2024, 11, 1), date(2024, 11, 30)),
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("15/11/2024", date(2024, 11, 15), date(2024, 11, 15)),
        ("23/10/2024..23/11/2024", date(2024, 10, 23), date(2024, 11, 23)),
        ("9/2024..11/2024", date(2024, 9, 1), date(2024, 11, 30)),
        ("Q4/2024", date(2024, 10, 1), date(2024, 12, 31)),
        ("quý IV/2024", date(2024, 10, 1), date(2024, 12, 31)),
        ("6 tháng đầu năm 2024", date(2024, 1, 1), date(2024, 6, 30)),
    ],
)
def test_the_period_of_a_report_is_written_as_officials_say_it(text: str, first: date, last: date) -> None:
    assert Days().read(text) == (first, last)


@pytest.mark.parametrize("text", ["13/2024", "quý 5/2024", "đến 15/11/2024", "11/2024 của xã", "11/2024..", "tháng"])
def test_what_is_no_period_of_a_report_is_refused(text: str) -> None:
    with pytest.raises(NoMoment, match="is no date"):
        Days().read(text)


@pytest.mark.parametrize("text", ["a" * 30_000, "1" * 30_000, "2024-11-05 " * 3000, "15/11/2024 " + "\u0301" * 20_000])
def test_a_text_that_is_longer_than_any_date_is_not_looked_at(text: str) -> None:
    """An address of a page may have 32 KB: where each letter is looked at anew from each, nobody else is answered."""
    with pytest.raises(NoMoment, match="has more than 80 letters") as caught:
        moments.read(text)
    assert len(str(caught.value)) < 300


def test_spaces_around_a_date_do_not_count() -> None:
    assert moments.read(" " * 500 + "28/11/2026" + "\n" * 500).day() == date(2026, 11, 28)
