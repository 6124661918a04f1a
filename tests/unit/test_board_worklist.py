"""The worklist's pure parts: stages, filters and order, what a form may ask for, files without formulas."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Hashable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from openpyxl import load_workbook

from schemas.calendar import DayChange, WorkCalendar
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact
from schemas.registry import FOLDS
from services.board.access import Account
from services.board.live.change_cache import ChangeCache
from services.board.live.poller import Poller
from services.board.pages.alarms import alarms
from services.board.pages.alarms.alarms_data import MOST
from services.board.pages.alarms.alarms_data import Row as AlarmRow
from services.board.pages.figures.system import _change
from services.board.pages.figures.system_data import Figures
from services.board.pages.worklist.worklist import LISTING, visible
from services.board.pages.worklist.worklist_data import AlarmOf, Item, Row, _item
from services.board.pages.worklist.worklist_rows import handling
from services.board.ui import exports
from services.board.ui.live_page import PageContext
from services.board.ui.pagination import PAGE, page_of
from services.board.ui.periods import SO_FAR
from services.kit.settings import Settings
from services.readings import Period, Reading

NOW = datetime(2026, 3, 11, 3, tzinfo=UTC)  # Wednesday, 10:00 in Viet Nam
OPERATOR = Account("an", "An", "operator", ("phuong_chon_thanh",))


def item(id: str, unit: str = "phuong_chon_thanh", days: int = 1, **other: Any) -> Item:
    told: dict[str, Any] = {
        "kind": "dossier", "origin": "real", "status": "accepted", "stage": "overdue", "opened": NOW, "procedure": "",
        "group": "land", "channel": "online", "waiting": False, "extended": False, "alarms": (),
    }  # fmt: skip
    return Item(id=id, unit=unit, due=NOW - timedelta(days=days), **{**told, **other})


def alarm(id: int, by: str | None = None, assignee: str | None = None) -> AlarmOf:
    at = NOW if by else None
    return AlarmOf(id, "dossier", "X", None, "DossierOverdue", "warning", NOW, at, by, assignee, None)


def row(kind: str, life: Sequence[tuple[str, timedelta, dict[str, Any]]], *changes: DayChange) -> Row:
    """A case as it is stored after the events of its life, each so long before NOW."""
    facts = [
        Fact(NOW - before, str(n), f"{kind}.{event}", "phuong_chon_thanh", "real", data)
        for n, (event, before, data) in enumerate(life)
    ]
    id = "H10-260301-0001" if kind == "dossier" else "PA-1"
    stored = FOLDS[kind](id, facts, CalendarHistory(changes))
    assert stored.opened_at
    return Row(
        kind, id, stored.unit, stored.origin, stored.status, stored.opened_at, stored.due_at, stored.state, False
    )


def dossier(due: datetime, *changes: DayChange, asked: timedelta | None = None) -> Row:
    """One accepted nine days ago; papers were `asked` for so long ago."""
    life: list[tuple[str, timedelta, dict[str, Any]]] = [
        ("accepted", timedelta(days=9), {"promised_at": due.isoformat()})
    ]
    return row("dossier", [*life, ("supplement_requested", asked, {})] if asked else life, *changes)


def day_of(days: int) -> datetime:
    return NOW + timedelta(days=days, hours=2)


@pytest.mark.parametrize(
    ("days", "stage"), [(-1, "overdue"), (0, "today"), (1, "soon"), (2, "soon"), (5, "soon"), (6, None)]
)
def test_a_dossier_waits_from_three_working_days_before_it_is_due(days: int, stage: str | None) -> None:
    found = _item(dossier(day_of(days)), NOW, WorkCalendar.base(), ())
    assert (found.stage if found else None) == stage


def test_an_announced_day_off_makes_a_dossier_due_soon_earlier() -> None:
    off = DayChange(date(2026, 3, 13), False, "nghỉ bù", NOW - timedelta(days=20))
    found = _item(dossier(day_of(6), off), NOW, WorkCalendar.base(), ())
    assert found
    assert found.stage == "soon"


def test_a_wait_for_papers_stops_the_clock_unless_it_was_late_before() -> None:
    asked = timedelta(days=2)
    assert _item(dossier(day_of(-1), asked=asked), NOW, WorkCalendar.base(), ()) is None
    late = _item(dossier(day_of(-4), asked=asked), NOW, WorkCalendar.base(), ())
    assert late
    assert late.stage == "overdue"


def test_a_report_stands_at_the_last_level_it_did_not_keep() -> None:
    def report(hours: float, *events: str) -> Item | None:
        received = {"code": "PA-1", "category": "road", "priority": "urgent", "channel": "app"}
        life = [
            ("received", received),
            *((event, {"code": "PA-1", "to_unit": "phuong_chon_thanh"}) for event in events),
        ]
        return _item(
            row("report", [(event, timedelta(hours=hours), data) for event, data in life]), NOW, WorkCalendar.base(), ()
        )

    assert report(0.1) is None
    stages = [found.stage for hours in (0.5, 1.5, 3) if (found := report(hours))]
    assert stages == ["route", "accept", "resolve"]
    routed = report(0.5, "routed")
    assert routed is None
    assert report(30, "routed", "accepted", "resolved") is None


def test_handling_is_that_of_the_alarm_that_most_needs_somebody() -> None:
    assert item("A").handling == "quiet"
    assert item("A", alarms=(alarm(1, "an"), alarm(2))).handling == "open"
    assert item("A", alarms=(alarm(1, "an"),)).handling == "acknowledged"
    assert item("A", alarms=(alarm(1, "an", "Phòng A"),)).handling == "assigned"


def test_whoever_has_one_of_its_alarms_is_named() -> None:
    several = item("A", alarms=(alarm(1, "an"), alarm(2), alarm(3, "binh", "Phòng A"), alarm(4, "an")))
    told = handling(PageContext(OPERATOR, "vi", Poller(Settings(), SO_FAR.before)), several)
    assert [told.count(who) for who in (">an<", ">Phòng A<")] == [1, 1]
    assert several.assignees == ("Phòng A",)


def test_rows_of_other_units_are_not_there() -> None:
    rows = [item("A"), item("B", "phuong_minh_hung"), item("C", "not_known")]
    assert [row.id for row in visible(rows, OPERATOR)] == ["A"]
    assert [row.id for row in visible(rows, Account("an", "An", "viewer"))] == ["A", "B", "C"]


def test_an_address_says_all_that_was_asked() -> None:
    params = {"stage": "overdue", "text": " 26 ", "sort": "-due", "page": "3", "nonsense": "x", "unit": ""}
    asked = LISTING.parse("/worklist", params)
    assert asked.page == 3
    again = LISTING.parse("/worklist", dict(parse_qsl(asked.query(page="3"))))
    assert again == asked
    assert asked.address("/worklist/export.csv", stage="") == "/worklist/export.csv?text=26&sort=-due"
    assert LISTING.parse("/worklist", {"sort": "id; DROP", "page": "-1"}).query() == ""
    assert LISTING.parse("/worklist", {"page": "²"}).page == 1


def test_rows_are_filtered_and_ordered_by_any_column() -> None:
    rows = [
        item("H-1", days=1),
        item("H-2", "phuong_minh_hung", days=3, stage="today"),
        item("H-3", days=2, channel="post"),
    ]

    def ids(**params: str) -> list[str]:
        return [row.id for row in LISTING.select(rows, LISTING.parse("/worklist", params))]

    assert ids() == ["H-1", "H-2", "H-3"]
    assert ids(unit="phuong_chon_thanh", sort="due") == ["H-3", "H-1"]
    assert ids(sort="-code") == ["H-3", "H-2", "H-1"]
    assert ids(text="h-2") == ["H-2"]
    assert ids(channel="post", stage="overdue") == ["H-3"]
    for column in LISTING.orders:
        assert sorted(ids(sort=column)) == ["H-1", "H-2", "H-3"]


def test_a_unit_asked_for_holds_all_that_its_figures_hold() -> None:
    before, after = item("H-1", "chon_thanh_minh_long"), item("H-2", "phuong_chon_thanh")

    def ids(unit: str) -> list[str]:
        rows = LISTING.select([before, after], LISTING.parse("/worklist", {"unit": unit}))
        return [row.id for row in rows]

    assert ids("chon_thanh") == ["H-1"]
    assert ids("dong_nai") == ["H-1", "H-2"]
    assert ids("chon_thanh_minh_long") == ids("phuong_minh_hung") == ["H-1"]
    assert ids("not_known") == []


def test_a_page_beyond_the_last_is_the_last() -> None:
    rows = list(range(PAGE + 3))
    assert page_of(rows, LISTING.parse("", {"page": "2"})) == rows[PAGE:]
    assert page_of(rows, LISTING.parse("", {"page": "99"})) == rows[PAGE:]
    assert page_of([], LISTING.parse("", {})) == []


def test_files_hold_no_formulas() -> None:
    heads, rows = ["Mã", "Số"], [["=1+1", 5], ["+84", 0], ["-1", 1], ["@x", 2], ["Nhà Bích", 3]]
    raw = exports.as_csv(heads, rows)
    assert raw.startswith(b"\xef\xbb\xbf")
    told = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [row[0] for row in told] == ["Mã", "'=1+1", "'+84", "'-1", "'@x", "Nhà Bích"]
    sheet = load_workbook(io.BytesIO(exports.as_xlsx("Việc", heads, rows))).active
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == ["=1+1", "+84", "-1", "@x", "Nhà Bích"]
    assert {cell.data_type for cell in cells} == {"s"}
    assert sheet.cell(2, 2).value == 5


def test_an_odd_character_does_not_cost_the_file() -> None:
    rows = [["Phòng\x0b A", 1], ["=\x1b1", 2]]
    sheet = load_workbook(io.BytesIO(exports.as_xlsx("Việc", ["Mã", "Số"], rows))).active
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == ["Phòng A", "=1"]


def test_a_list_of_alarms_that_was_cut_says_so() -> None:
    told: dict[str, Any] = dict.fromkeys(AlarmRow._fields) | {
        "id": 1, "status": "active", "severity": "info", "system": "field", "unit": "phuong_chon_thanh", "type": "T",
        "originator": "report:x", "origin": "real", "vi": "Chậm", "en": "Late", "raised_at": NOW,
    }  # fmt: skip
    look, one = PageContext(OPERATOR, "vi", Poller(Settings(), SO_FAR.before)), AlarmRow(**told)
    asked = alarms.LISTING.parse("/alarms", {})
    assert "20.000" in alarms._whole(look, asked, [one] * (MOST + 1))
    assert "20.000 cảnh báo" not in alarms._whole(look, asked, [one] * MOST)


def test_a_shared_list_is_read_again_only_when_it_has_changed() -> None:
    marks: list[Hashable] = [1]
    asked: list[Hashable] = []

    async def ask() -> Hashable:
        asked.append(marks[-1])
        return marks[-1]

    async def look() -> None:
        newest = ChangeCache(ask, lambda: marks[-1])
        assert await asyncio.gather(*(newest.get() for _ in range(5))) == [1] * 5
        marks.append(2)
        assert newest.fresh() is None
        assert await newest.at_hand() == 1
        newest.forget()
        assert await newest.at_hand() == 2
        assert newest.fresh() == 2

    asyncio.run(look())
    assert asked == [1, 2]


def test_a_change_says_whether_it_is_good() -> None:
    from decimal import Decimal

    from schemas.indicators import CATALOGUE

    def change(code: str, now: str, then: str) -> str:
        def reading(value: str) -> Reading:
            return Reading(CATALOGUE[code], "", Decimal(value), None, frozenset())

        period = Period(date(2026, 10, 1), date(2026, 10, 22), NOW)
        compared = Figures(period, (), (), {code: since})
        return re.sub("<.+?>", "", str(_change(reading(now), reading(then), compared, "vi")))

    since: date | None = date(2026, 10, 1)
    lower = next(i.code for i in CATALOGUE.values() if i.better == "lower" and i.unit == "%")
    higher = next(i.code for i in CATALOGUE.values() if i.better == "higher" and i.unit == "%")
    assert "↓ 1,50 điểm tốt hơn" in change(lower, "2", "3.5")
    assert "↑ 1,50 điểm tốt hơn" in change(higher, "3.5", "2")
    assert "kém hơn" in change(lower, "3.5", "2")
    plain = next(i.code for i in CATALOGUE.values() if i.better is None and i.unit == "dossier")
    assert change(plain, "120", "100") == "↑ 20,0 %"
    assert change(plain, "12", "10") == "↑ 2", "of ten cases two are not a fifth"
    assert change(plain, "12000", "0") == "↑ 12.000"
    since = date(2026, 10, 2)
    assert change(plain, "120", "100") == "kỳ trước chưa đủ dữ liệu (từ 02/10/2026)"
    since = None
    assert change(plain, "120", "100") == "kỳ trước chưa đủ dữ liệu"
