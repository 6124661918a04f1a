"""The working calendar: every day of 2024-2027, due dates worked out by hand, and laws that hold for any moment."""

import csv
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.calendar import VN, DayChange, Limit, WorkCalendar, local_day, read_overrides

BASE = WorkCalendar.base()
TABLE = list(
    csv.DictReader(
        Path(__file__).with_name("data").joinpath("work_calendar.csv").read_text(encoding="utf-8").splitlines()
    )
)
ANNOUNCED = datetime(2024, 1, 1, tzinfo=VN)

moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 6, 30), timezones=st.sampled_from([VN, UTC]))
spans = st.timedeltas(timedelta(), timedelta(days=60))
some_spans = st.timedeltas(timedelta(microseconds=1), timedelta(days=60))
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
calendars = st.lists(st.tuples(days, st.booleans()), max_size=40).map(
    lambda told: BASE.with_changes(DayChange(day, working, "thử", ANNOUNCED) for day, working in told)
)


def at(text: str) -> datetime:
    """A local moment written '2024-11-04 09:00'."""
    return datetime.fromisoformat(text).replace(tzinfo=VN)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def every_day(first: int, last: int) -> list[date]:
    start = date(first, 1, 1)
    return [start + timedelta(days=n) for n in range((date(last + 1, 1, 1) - start).days)]


# --- days


def test_every_day_of_2024_to_2027_is_as_announced() -> None:
    kinds = {date.fromisoformat(row["date"]): row["kind"] for row in TABLE}
    expected = {day: kinds[day] == "swap_work" if day in kinds else day.weekday() < 5 for day in every_day(2024, 2027)}
    assert {day: BASE.is_working_day(day) for day in expected} == expected


def test_the_special_days_and_how_sure_they_are_match_the_table() -> None:
    expected = {date.fromisoformat(row["date"]): row["status"] for row in TABLE}
    found = {day: special.status for day in every_day(2024, 2027) if (special := BASE.special(day))}
    unlisted = date(2025, 2, 1)  # the fourth day of Tết, a Saturday: off either way
    assert found == expected | {unlisted: "official"}
    assert not BASE.is_working_day(unlisted)
    assert all(BASE.name_of(day) for day in expected)


def test_an_override_says_what_the_library_does_not() -> None:
    import holidays

    text = Path(sys.modules["schemas.calendar"].__file__ or "").with_name("overrides.csv").read_text(encoding="utf-8")
    for day, special in read_overrides(text.splitlines()).items():
        library = holidays.country_holidays("VN", years=day.year)
        assert library.is_working_day(day) != special.working or special.status != "official"


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2024-02-10", "Tết Nguyên Đán"),
        ("2025-01-29", "Tết Nguyên Đán"),
        ("2026-02-17", "Tết Nguyên Đán"),
        ("2024-05-04", "Ngày làm bù"),
        ("2026-01-02", "Nghỉ hoán đổi (làm bù ngày 10/01/2026)"),
        ("2026-01-10", "Làm bù cho ngày 02/01/2026"),
        ("2024-11-04", None),
        ("2024-11-09", None),
    ],
)
def test_a_special_day_has_its_name(day: str, name: str | None) -> None:
    assert BASE.name_of(date.fromisoformat(day)) == name


@pytest.mark.parametrize(
    ("day", "n", "result"),
    [
        ("2024-02-07", 1, "2024-02-15"),  # seven days of Tết
        ("2025-01-24", 1, "2025-02-03"),  # a Friday; five days of Tết between two weekends
        ("2026-02-13", 1, "2026-02-23"),
        ("2025-12-31", 1, "2026-01-05"),  # 1 January, the swapped Friday, a weekend
        ("2026-01-09", 1, "2026-01-10"),  # the Saturday worked for it
        ("2026-01-10", 1, "2026-01-12"),
        ("2024-02-12", -1, "2024-02-07"),
        ("2024-02-12", 0, "2024-02-12"),
        ("2024-11-04", 5, "2024-11-11"),
        ("2024-11-11", -5, "2024-11-04"),
        ("2024-12-31", 250, "2025-12-31"),
        ("2020-01-02", -1, "2019-12-31"),
    ],
)
def test_adding_working_days(day: str, n: int, result: str) -> None:
    assert BASE.add_working_days(date.fromisoformat(day), n) == date.fromisoformat(result)


@given(day=days, n=st.integers(-300, 300), calendar=calendars)
def test_working_days_added_are_the_working_days_between(day: date, n: int, calendar: WorkCalendar) -> None:
    assume(date(2020, 1, 1) <= day + timedelta(days=2 * n) <= date(2035, 12, 31))
    result = calendar.add_working_days(day, n)
    assert calendar.working_days_between(day, result) == n
    assert n == 0 or calendar.is_working_day(result)


@given(start=days, length=st.integers(0, 120), calendar=calendars)
def test_working_days_between_counts_them(start: date, length: int, calendar: WorkCalendar) -> None:
    end = start + timedelta(days=length)
    count = sum(calendar.is_working_day(start + timedelta(days=n)) for n in range(1, length + 1))
    assert calendar.working_days_between(start, end) == count


# --- hours


@pytest.mark.parametrize(
    ("t", "opening"),
    [
        ("2024-11-04 06:59", "2024-11-04 07:00"),
        ("2024-11-04 07:00", "2024-11-04 07:00"),
        ("2024-11-04 11:29", "2024-11-04 11:29"),
        ("2024-11-04 11:30", "2024-11-04 13:30"),
        ("2024-11-04 13:30", "2024-11-04 13:30"),
        ("2024-11-04 17:00", "2024-11-05 07:00"),
        ("2024-11-08 17:01", "2024-11-11 07:00"),
        ("2024-02-07 17:00", "2024-02-15 07:00"),
        ("2025-12-31 23:59", "2026-01-05 07:00"),
        ("2026-01-09 18:00", "2026-01-10 07:00"),
        ("2026-01-10 18:00", "2026-01-12 07:00"),
    ],
)
def test_the_next_opening(t: str, opening: str) -> None:
    assert BASE.next_opening(at(t)) == at(opening)


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        ("2024-11-04 09:00", Limit(days=1), "2024-11-05 09:00"),
        ("2024-11-04 09:00", Limit(hours=2), "2024-11-04 11:00"),
        ("2024-11-04 09:00", Limit(hours=3), "2024-11-04 14:00"),
        ("2024-11-04 07:00", Limit(hours=4), "2024-11-04 11:00"),
        ("2024-11-04 07:00", Limit(days=1), "2024-11-04 17:00"),
        ("2024-11-04 17:30", Limit(days=1), "2024-11-05 17:00"),
        ("2024-11-04 12:00", Limit(hours=1), "2024-11-04 14:30"),
        ("2024-11-04 10:30", Limit(hours=1), "2024-11-04 11:30"),
        ("2024-11-08 16:00", Limit(days=2, hours=4), "2024-11-13 10:00"),
        ("2024-02-07 15:00", Limit(days=3), "2024-02-19 15:00"),  # Tết 2024: 8-14 February off
        ("2025-01-24 10:00", Limit(days=1), "2025-02-03 10:00"),  # Tết 2025: 25 January - 2 February
        ("2026-02-13 10:00", Limit(days=5), "2026-02-27 10:00"),  # Tết 2026: 14-22 February
        ("2025-12-31 14:00", Limit(days=1), "2026-01-05 14:00"),  # Friday 2 January off
        ("2026-01-08 14:00", Limit(days=3), "2026-01-12 14:00"),  # Saturday 10 January worked
    ],
)
def test_due_dates_worked_out_by_hand(received: str, limit: Limit, due: str) -> None:
    assert BASE.due_at(at(received), limit) == at(due)
    assert BASE.due_at(at(received).astimezone(UTC), limit).utcoffset() == timedelta(hours=7)


def test_no_span_at_all_gives_the_next_opening() -> None:
    assert BASE.add_working_time(at("2024-11-04 12:00"), timedelta()) == at("2024-11-04 13:30")


@given(t=moments, span=some_spans, calendar=calendars)
def test_what_was_added_is_what_lies_between(t: datetime, span: timedelta, calendar: WorkCalendar) -> None:
    assert calendar.working_time_between(t, calendar.add_working_time(t, span)) == span


@given(t=moments, span=some_spans, calendar=calendars)
def test_the_result_lies_in_a_session_or_at_its_end(t: datetime, span: timedelta, calendar: WorkCalendar) -> None:
    result = calendar.add_working_time(t, span)
    assert calendar.is_working_day(result.date())
    assert time(7) < result.time() <= time(11, 30) or time(13, 30) < result.time() <= time(17)


@given(t=moments, first=spans, second=some_spans, calendar=calendars)
def test_adding_twice_is_adding_the_sum(
    t: datetime, first: timedelta, second: timedelta, calendar: WorkCalendar
) -> None:
    assert calendar.add_working_time(calendar.add_working_time(t, first), second) == calendar.add_working_time(
        t, first + second
    )


@given(t=moments, later=spans, span=spans, longer=spans, calendar=calendars)
def test_later_or_longer_never_ends_earlier(
    t: datetime, later: timedelta, span: timedelta, longer: timedelta, calendar: WorkCalendar
) -> None:
    assert calendar.add_working_time(t, span) <= calendar.add_working_time(t + later, span + longer)


@given(a=moments, lengths=st.tuples(spans, spans), calendar=calendars)
def test_time_between_adds_up_and_never_runs_backwards(
    a: datetime, lengths: tuple[timedelta, timedelta], calendar: WorkCalendar
) -> None:
    b, c = a + lengths[0], a + lengths[0] + lengths[1]
    between = calendar.working_time_between
    assert between(a, c) == between(a, b) + between(b, c)
    assert timedelta() <= between(a, b) <= b - a
    assert between(b, a) == timedelta()


@given(t=moments, calendar=calendars)
def test_nothing_is_worked_until_the_next_opening(t: datetime, calendar: WorkCalendar) -> None:
    opening = calendar.next_opening(t)
    assert t <= opening == calendar.next_opening(opening)
    assert calendar.working_time_between(t, opening) == timedelta()
    assert calendar.working_time_between(opening, opening + timedelta(minutes=1)) > timedelta()


@given(
    start=st.datetimes(datetime(2024, 1, 20), datetime(2027, 9, 30)),
    length=st.integers(0, 12 * 24 * 60),
    calendar=calendars,
)
def test_counting_minute_by_minute_gives_the_same(start: datetime, length: int, calendar: WorkCalendar) -> None:
    start = start.replace(second=0, microsecond=0, tzinfo=VN)
    steps = [start + timedelta(minutes=n) for n in range(length)]
    open_days = {day: calendar.is_working_day(day) for day in {step.date() for step in steps}}
    worked = [
        step
        for step in steps
        if open_days[step.date()] and (time(7) <= step.time() < time(11, 30) or time(13, 30) <= step.time() < time(17))
    ]
    span = timedelta(minutes=len(worked))
    assert calendar.working_time_between(start, start + timedelta(minutes=length)) == span
    if worked:
        assert calendar.next_opening(start) == worked[0]
        assert calendar.add_working_time(start, span) == worked[-1] + timedelta(minutes=1)


# --- changes


@given(t=moments, span=some_spans)
def test_a_working_day_taken_off_costs_a_day_and_one_added_gives_one(t: datetime, span: timedelta) -> None:
    due = BASE.add_working_time(t, span)
    off = next(day for n in range(1, 30) if BASE.is_working_day(day := local_day(t) + timedelta(days=n)))
    assume(off < due.date())
    later = BASE.with_changes([DayChange(off, False, "Nghỉ", ANNOUNCED)])
    assert later.add_working_time(t, span) == BASE.add_working_time(due, hours(8))
    assert later.with_changes([DayChange(off, True, "Làm", ANNOUNCED + hours(1))]).add_working_time(t, span) == due


def test_an_announced_swap_moves_open_due_dates_both_ways() -> None:
    swap = BASE.with_changes(
        [
            DayChange(date(2024, 11, 8), False, "Nghỉ hoán đổi", ANNOUNCED),
            DayChange(date(2024, 11, 16), True, "Làm bù", ANNOUNCED),
        ]
    )
    assert swap.due_at(at("2024-11-07 09:00"), Limit(days=1)) == at("2024-11-11 09:00")
    assert swap.due_at(at("2024-11-07 09:00"), Limit(days=7)) == at("2024-11-18 09:00")
    assert BASE.due_at(at("2024-11-07 09:00"), Limit(days=7)) == at("2024-11-18 09:00")
    assert swap.name_of(date(2024, 11, 16)) == "Làm bù"
    assert BASE.is_working_day(date(2024, 11, 8)) and not swap.is_working_day(date(2024, 11, 8))


@given(st.permutations([(date(2024, 11, 8), n, bool(n % 2)) for n in range(6)]), st.integers(0, 6))
def test_the_last_announced_change_holds_in_whatever_order(told: list[tuple[date, int, bool]], cut: int) -> None:
    changes = [DayChange(day, working, f"lần {n}", ANNOUNCED + hours(n)) for day, n, working in told]
    calendar = BASE.with_changes(changes[:cut]).with_changes(changes[cut:])
    assert calendar.is_working_day(date(2024, 11, 8)) and calendar.name_of(date(2024, 11, 8)) == "lần 5"
    assert calendar == BASE.with_changes(changes) and hash(calendar) == hash(BASE.with_changes(changes))
    assert calendar != BASE


# --- refusals


def test_a_moment_without_a_zone_is_refused() -> None:
    naive, aware = datetime(2024, 11, 4, 9), at("2024-11-04 09:00")
    for ask in (
        lambda: BASE.next_opening(naive),
        lambda: BASE.add_working_time(naive, hours(1)),
        lambda: BASE.working_time_between(naive, aware),
        lambda: BASE.working_time_between(aware, naive),
        lambda: BASE.due_at(naive, Limit(days=1)),
        lambda: local_day(naive),
        lambda: DayChange(date(2024, 11, 8), False, "Nghỉ", naive),
    ):
        with pytest.raises(ValueError, match="2024-11-04T09:00:00 has no time zone"):
            ask()


def test_years_without_a_calendar_negative_spans_and_empty_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="no working calendar for the year 2100"):
        BASE.is_working_day(date(2100, 1, 1))
    with pytest.raises(ValueError, match="only be added forward"):
        BASE.add_working_time(at("2024-11-04 09:00"), -hours(1))
    for empty in ({}, {"days": -1}, {"days": 1, "hours": -1}):
        with pytest.raises(ValueError, match="a limit needs"):
            Limit(**empty)


@pytest.mark.parametrize("row", ["2026-13-01,0,x,official", "2026-01-01,2,x,official", "2026-01-01,0,x,sure", "a"])
def test_a_broken_override_is_refused_with_its_row(row: str) -> None:
    with pytest.raises(ValueError, match=r"overrides.csv, row 2"):
        read_overrides(["day,working,name_vi,status", row])


def test_the_library_is_loaded_only_when_a_day_is_asked_for() -> None:
    code = "import sys, schemas.calendar as c; c.WorkCalendar.base(); assert 'holidays' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
