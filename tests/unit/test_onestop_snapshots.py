"""Snapshots of a one-stop system become the events that they prove, in whatever order and however often they come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st
from sheets import Page, xlsx
from thrown import DOSSIER

from schemas import units
from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event, Invalid
from schemas.fold import Fact, Folded, in_order
from schemas.procedures.noted import noted_dossier
from schemas.text.files import Unreadable
from services.ingest.onestop.events import Told, told
from services.ingest.onestop.rows import events as file_events
from services.ingest.onestop.snapshot import allowed, read
from services.ingest.stream import Counts

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
ROW = DOSSIER
CODE: str = ROW["MaHoSo"]


def tell(**changed: Any) -> Told:
    return told(read(allowed((ROW | changed).items())[0], NOW), "/onestop", NOW)


def events(**changed: Any) -> list[Event]:
    return tell(**changed).events


def steps(**changed: Any) -> list[tuple[str, str]]:
    """Each event's name, and its local day and time."""
    return [(e.data.event.removeprefix("dossier."), f"{e.time.astimezone(VN):%d %H:%M}") for e in events(**changed)]


def refusal(**changed: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        tell(**changed)
    return caught.value


def fold(told: Iterable[Event]) -> Folded:
    """The dossier as the centre comes to know it: what it has by key it has once."""
    by_key = {e.key: e for e in told}
    assert len({(e.key, e.digest) for e in told}) == len(by_key), "a conflict"
    facts = [Fact(e.time, e.key.hex, e.data.event, e.unit, e.origin, json.loads(e.data_json)) for e in by_key.values()]
    return noted_dossier(CODE, in_order(facts), CalendarHistory())


def codes(folded: Folded) -> list[str]:
    return [code for code, _, _ in folded.state.get("findings", [])]


# --- what a snapshot proves ---


ACCEPTED, FILED = ("accepted", "09 09:00"), ("submitted", "09 09:00")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"TrangThaiHoSo": 1}, [FILED]),
        ({"TrangThaiHoSo": "2"}, [ACCEPTED]),
        ({"TrangThaiHoSo": "2", "NgayHenTra": ""}, [FILED]),
        ({"TrangThaiHoSo": 3, "NgayTuChoi": "10/11/2026 08:00"}, [FILED, ("refused", "10 08:00")]),
        ({"TrangThaiHoSo": 3, "NgayKetThucXuLy": "10/11/2026 08:00"}, [FILED, ("refused", "10 08:00")]),
        ({"TrangThaiHoSo": 4}, [ACCEPTED]),
        ({"ThoiDiemXuLy": "10/11/2026 08:00"}, [ACCEPTED, ("processing_started", "10 08:00")]),
        (
            {"TrangThaiHoSo": 5, "ThoiDiemXuLy": "10/11/2026 08:00"},
            [ACCEPTED, ("supplement_requested", "10 08:00")],
        ),
        (
            {"TrangThaiHoSo": 5, "NgayYeuCauBoSung": "10/11/2026 07:30", "ThoiDiemXuLy": "10/11/2026 08:00"},
            [ACCEPTED, ("supplement_requested", "10 07:30")],
        ),
        (
            {"NgayYeuCauBoSung": "10/11/2026 08:00", "NgayCongDanBoSung": "11/11/2026 08:00"},
            [ACCEPTED, ("supplement_requested", "10 08:00"), ("supplement_received", "11 08:00")],
        ),
        ({"TrangThaiHoSo": 6, "ThoiDiemXuLy": "10/11/2026 08:00"}, [ACCEPTED, ("payment_requested", "10 08:00")]),
        ({"TrangThaiHoSo": 7, "NgayKetThucXuLy": "10/11/2026 08:00"}, [ACCEPTED, ("withdrawn", "10 08:00")]),
        ({"TrangThaiHoSo": 8, "ThoiDiemXuLy": "10/11/2026 08:00"}, [ACCEPTED, ("stopped", "10 08:00")]),
        ({"TrangThaiHoSo": 9, "NgayKetThucXuLy": "12/11/2026 10:00"}, [ACCEPTED, ("resolved", "12 10:00")]),
        ({"TrangThaiHoSo": 9, "ThoiDiemXuLy": "12/11/2026 10:00"}, [ACCEPTED, ("resolved", "12 10:00")]),
        (
            {"TrangThaiHoSo": 10, "NgayKetThucXuLy": "12/11/2026 10:00", "NgayTra": "13/11/2026 10:00"},
            [ACCEPTED, ("resolved", "12 10:00"), ("returned", "13 10:00")],
        ),
        ({"TrangThaiHoSo": 10, "NgayTra": "13/11/2026 10:00"}, [ACCEPTED, ("returned", "13 10:00")]),
        ({"TrangThaiHoSo": 10, "NgayKetThucXuLy": "12/11/2026 10:00"}, [ACCEPTED, ("resolved", "12 10:00")]),
        (
            {"NgayKetThucXuLy": "12/11/2026 10:00", "ThoiDiemXuLy": "13/11/2026 10:00"},
            [ACCEPTED, ("resolved", "12 10:00"), ("processing_started", "13 10:00")],
        ),
    ],
)
def test_each_status_is_told_by_the_snapshots_own_dates(
    changed: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert steps(**changed) == expected


@pytest.mark.parametrize("status", range(3, 11))
def test_a_status_without_a_date_is_not_made_up_but_said(status: int) -> None:
    snapshot = tell(TrangThaiHoSo=status)
    assert len(snapshot.events) == 1
    assert (
        snapshot.undated
        and snapshot.undated.startswith(f"TrangThaiHoSo {status}: no date")
        and "ThoiDiemXuLy" in (snapshot.undated)
    )


@pytest.mark.parametrize("status", [2, 5, 7, 8, 9, 10])
def test_a_refusal_beside_another_status_is_said_and_no_end(status: int) -> None:
    dated = {"TrangThaiHoSo": status, "ThoiDiemXuLy": "12/11/2026 10:00"}
    found, without = tell(**dated, NgayTuChoi="10/11/2026 10:00"), tell(**dated)
    assert [event.id for event in found.events] == [event.id for event in without.events]
    assert without.undated is None
    assert found.undated == (
        f"NgayTuChoi: is not told while TrangThaiHoSo is {status}, as only 3 is a refusal; leave it empty"
    )


@pytest.mark.parametrize(
    ("column", "statuses"), [("NgayTra", {3, 7, 8}), ("NgayHenTra", {1, 3}), ("NgayTuChoi", {*range(1, 11)} - {3})]
)
def test_a_date_that_makes_no_event_beside_its_status_is_said(column: str, statuses: set[int]) -> None:
    for status in range(1, 11):
        dates = {"ThoiDiemXuLy": "16/11/2026 10:00", "NgayHenTra": ""}
        found = tell(TrangThaiHoSo=status, **{**dates, column: "13/11/2026 10:00"})
        without = tell(TrangThaiHoSo=status, **{**dates, column: ""})
        changed = [event.id for event in found.events] != [event.id for event in without.events]
        said = bool(
            found.undated and found.undated.startswith(f"{column}: is not told while TrangThaiHoSo is {status},")
        )
        assert (changed, said) == (status not in statuses, status in statuses), status


def test_what_is_told_of_an_acceptance() -> None:
    [event] = events(TrangThaiHoSo=2, MucDo="Toàn trình")
    assert event.unit == "phuong_chon_thanh"
    assert event.fields.items() >= {
        ("procedure", "2.000815"), ("field", "chung_thuc"), ("channel", "online"), ("online_level", "full"),
        ("promised_at", "2026-11-12T10:00:00Z"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-09T09:00", "2026-11-09T09:00:00+07:00", "2026-11-09T02:00:00Z", "20261109090000",
        "09/11/2026 09:00:00", "09/11/2026 09:00", datetime(2026, 11, 9, 9), datetime(2026, 11, 9, 9, tzinfo=VN),
    ],
)  # fmt: skip
def test_one_moment_however_it_is_written_makes_one_event(moment: Any) -> None:
    assert events(NgayTiepNhan=moment)[0].digest == events()[0].digest


@pytest.mark.parametrize(
    ("portal", "meant"),
    [
        ("Cổng DVC Quốc gia", "national"),
        ("CỔNG DỊCH VỤ CÔNG TỈNH", "provincial"),
        ("Một cửa", "own"),
        ("Bộ, ngành", "ministry"),
        ("Bộ Tư pháp", "ministry_justice"),
        ("", None),
    ],
)
def test_the_portal_of_origin_is_told_where_the_system_says_it(portal: str, meant: str | None) -> None:
    for status in (1, 4):
        assert events(TrangThaiHoSo=status, CongTiepNhan=portal)[0].fields.get("portal") == meant
    column = "Cổng tiếp nhận"
    assert read(allowed((ROW | {column: portal}).items())[0], NOW).portal == meant


def test_without_a_portal_an_event_is_what_it_was_before_there_was_one() -> None:
    (filed,) = events(TrangThaiHoSo=1)
    accepted, returned = events(TrangThaiHoSo=10, NgayTra="13/11/2026 10:00")
    ids = [event.id.rpartition("/")[2] for event in (filed, accepted, returned)]
    assert ids == ["iohebajbhi", "kgppeepipp", "aeipcmckgm"]
    assert accepted.digest.hex == "01cc1047d130e9ab2824fe368a4c8868"


def test_a_system_that_begins_to_name_the_portal_adds_to_what_it_told() -> None:
    folded = fold([*events(), *events(CongTiepNhan="Cổng DVC Quốc gia")])
    received = [dict(p.labels)["portal"] for p in folded.points if p.measure == "dossiers_received"]
    assert (received, folded.state["portal"], folded.state["portal_by"]) == (["national"], "national", "stated")


def test_days_without_a_time_lie_within_each_other() -> None:
    days = {"NgayTiepNhan": "09/11/2026", "NgayHenTra": "09/11/2026", "TrangThaiHoSo": 9}
    assert steps(**days, NgayKetThucXuLy=date(2026, 11, 9)) == [("accepted", "09 00:00"), ("resolved", "09 00:00")]
    assert steps(NgayTiepNhan="09/11/2026 09:00", TrangThaiHoSo=9, NgayKetThucXuLy="2026-11-09")[1][1] == "09 09:00"
    assert fold(events(**days, NgayKetThucXuLy="09/11/2026")).ended_at


@pytest.mark.parametrize(
    ("way", "meant"), [("", None), (1, "counter"), ("2", "online"), (3, "post"), ("Bưu chính", "post")]
)
def test_ways_in_are_those_of_the_portal(way: Any, meant: str | None) -> None:
    assert events(KenhThucHien=way)[0].fields.get("channel") == meant


# --- what is refused, and what is dropped ---


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"MaHoSo": ""}, "missing_field", "MaHoSo: is missing"),
        ({"MaHoSo": "0912345678"}, "bad_value", "MaHoSo: is no dossier's code"),
        ({"TrangThaiHoSo": 11}, "bad_value", "TrangThaiHoSo: is none of the portal's statuses"),
        ({"TrangThaiHoSo": "Nguyễn Văn An"}, "bad_value", "TrangThaiHoSo: is none of"),
        ({"TrangThaiHoSo": ""}, "missing_field", "TrangThaiHoSo: is missing"),
        ({"NgayTiepNhan": ""}, "missing_field", "NgayTiepNhan: is missing"),
        ({"NgayTiepNhan": "31/11/2026"}, "bad_value", "NgayTiepNhan: is no date: month 11/2026 has no day 31"),
        ({"NgayTiepNhan": "11/13/2026"}, "bad_value", "no month 13"),
        ({"NgayTiepNhan": "11/2026"}, "bad_value", "NgayTiepNhan: is a month"),
        ({"NgayTiepNhan": "01/12/2026"}, "impossible_time", "NgayTiepNhan: lies in the future"),
        ({"NgayTiepNhan": "0912345678"}, "bad_value", "NgayTiepNhan: is no date"),
        ({"NgayHenTra": "08/11/2026"}, "impossible_time", "NgayHenTra: lies before NgayTiepNhan"),
        ({"NgayHenTra": "12/11/2036"}, "impossible_time", "NgayHenTra: lies more than a year"),
        ({"NgayKetThucXuLy": "08/11/2026", "TrangThaiHoSo": 9}, "impossible_time", "NgayKetThucXuLy: lies before Ngay"),
        (
            {"NgayKetThucXuLy": "12/11/2026", "NgayTra": "11/11/2026", "TrangThaiHoSo": 10},
            "impossible_time", "NgayTra: lies before NgayKetThucXuLy",
        ),
        ({"NgayKetThucXuLy": "12/11/2026"}, "bad_value", "NgayKetThucXuLy: is given while TrangThaiHoSo is 4"),
        ({"DonViXuLy": "Nguyễn Văn An"}, "wrong_unit", "DonViXuLy: is no unit's name"),
        ({"DonViXuLy": ""}, "missing_field", "DonViXuLy: is missing, and no unit has the spelling H19.99"),
        ({"DonViXuLy": "H19.98"}, "wrong_unit", "DonViXuLy: is another office than the code's, H19.99"),
        ({"DonViXuLy": "000.00.98.H19"}, "wrong_unit", "DonViXuLy: is another office"),
        ({"KenhThucHien": 7}, "bad_value", "KenhThucHien: is none of"),
        ({"CongTiepNhan": "0912345678"}, "bad_value", "CongTiepNhan: is none of"),
        ({"MucDo": "0912345678"}, "bad_value", "MucDo: is none of"),
        ({"MaTTHC": "0912345678"}, "bad_value", "MaTTHC: is no procedure's code"),
        ({"MaTTHC": "", "TrangThaiHoSo": 1}, "missing_field", "MaTTHC: is missing"),
        ({"TenLinhVuc": "", "TrangThaiHoSo": 1}, "missing_field", "TenLinhVuc: is missing"),
        ({"TenLinhVuc": "Nguyễn Văn An 0912345678"}, "personal_data", "data.field"),
        ({"NgayTra": ["Nguyễn Văn An"]}, "bad_value", "NgayTra: is no text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_column_and_never_repeated(changed: dict[str, Any], code: str, said: str) -> None:
    invalid = refusal(**changed)
    assert (invalid.code, said in invalid.reason) == (code, True), invalid.reason
    assert "0912345678" not in invalid.reason and "An" not in invalid.reason


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    reason = refusal(KenhThucHien=9, MucDo="?", NgayHenTra="?").reason
    assert all(name in reason for name in ("KenhThucHien", "MucDo", "NgayHenTra"))


def test_an_office_that_the_code_names_by_its_spelling_is_held_against_the_unit(tmp_path: Path) -> None:
    """In a process of its own: units that are added are known for good."""
    table = tmp_path / "units.csv"
    table.write_text(
        "code,level,name_vi,name_en,parent,valid_from,valid_to,successors,spellings\n"
        "phuong_chon_thanh,ward,Phường Chơn Thành,Chon Thanh Ward,dong_nai,2025-07-01,,,H19.99\n",
        encoding="utf-8",
    )
    program = (
        "from services.kit.settings import Settings; Settings()\n"
        "from test_onestop_snapshots import Invalid, events\n"
        "for unit in ('', 'Phường Chơn Thành', 'Tỉnh Đồng Nai', 'Phường Bình Long'):\n"
        "    try: print(events(DonViXuLy=unit)[0].unit)\n"
        "    except Invalid as invalid: print(invalid.reason)\n"
    )
    env = os.environ | {"IOC_UNITS": str(table), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60)
    *found, refused = done.stdout.splitlines()
    assert found == ["phuong_chon_thanh", "phuong_chon_thanh", "dong_nai"], done.stderr
    assert refused == "DonViXuLy: is another office than the code's, H19.99; put one of them right"


def test_columns_that_are_not_on_the_list_are_dropped_and_counted() -> None:
    more = {
        "ChuHoSo": "Nguyễn Văn An",
        "Số điện thoại": "0912345678",
        "LyDo": "nhà ở tổ 3",
        "Email": "",
        "GhiChu": None,
    }
    cells, dropped = allowed((ROW | more).items())
    assert dropped == {"ChuHoSo": 1, "SoDienThoai": 1, "others": 1}
    assert cells == ROW
    with pytest.raises(Invalid, match="MaHoSo: is given twice"):
        allowed([("MaHoSo", CODE), ("Mã hồ sơ", CODE)])


def test_columns_are_known_as_exports_head_them_where_none_bears_the_very_name() -> None:
    heads = {"MaHoSo": "Số hồ sơ", "NgayHenTra": "Ngày hẹn trả kết quả", "TrangThaiHoSo": "Trạng thái"}
    heads |= {"TenLinhVuc": "Lĩnh vực", "NgayTiepNhan": "Ngày tiếp nhận hồ sơ", "DonViXuLy": "Cơ quan xử lý"}
    assert allowed((heads.get(name, name), value) for name, value in ROW.items()) == (ROW, Counter())
    cells, dropped = allowed([("Trạng thái", "mới"), *ROW.items(), ("Ngày hẹn", "sớm")])
    assert cells == ROW and dropped == {"others": 2}


def test_a_result_that_was_handed_over_is_told_though_the_status_lags_or_refused_while_it_is_open() -> None:
    dates = {"NgayKetThucXuLy": "10/11/2026 10:00", "NgayTra": "11/11/2026 10:00"}
    assert ("returned", "11 10:00") in steps(TrangThaiHoSo=9, **dates)
    assert steps(TrangThaiHoSo=8, **dates)[1:] == [("stopped", "10 10:00")], "its papers were given back"
    open_ = {"TrangThaiHoSo": 4, "NgayTra": "11/11/2026 10:00"}
    assert "NgayTra: is given while TrangThaiHoSo is 4" in refusal(**open_).reason
    back = steps(**open_, ThoiDiemXuLy="12/11/2026 10:00")
    assert back[1:] == [("returned", "11 10:00"), ("processing_started", "12 10:00")]


# --- lives, in whatever order they are told ---

MOMENTS = [f"{day:02}/11/2026 {hour:02}:00" for day in range(10, 21) for hour in (8, 16)]
LATER = st.integers(min_value=1, max_value=4)


@st.composite
def lives(draw: st.DrawFn, dated: bool) -> list[dict[str, Any]]:
    """Snapshots of one dossier as it goes on; `dated`: each status has a column of its date, and no promise moves."""
    columns: dict[str, Any] = {"NgayHenTra": "12/11/2026 17:00"}
    at, life = 0, [{"TrangThaiHoSo": 2, **columns}] if draw(st.booleans()) else []
    status = 4
    for status in draw(st.lists(st.sampled_from([4, 5] if dated else [4, 5, 6, 8]), max_size=3)):
        at += draw(LATER)
        if status == 5 and "NgayYeuCauBoSung" not in columns:
            columns["NgayYeuCauBoSung"] = MOMENTS[at]
        elif status == 4 and "NgayYeuCauBoSung" in columns:
            columns.setdefault("NgayCongDanBoSung", MOMENTS[at])
        elif dated:
            continue
        if not dated and draw(st.booleans()):
            columns["NgayHenTra"] = MOMENTS[draw(st.integers(8, 20))]
        life.append({**columns, "TrangThaiHoSo": status, **({} if dated else {"ThoiDiemXuLy": MOMENTS[at]})})
    end = draw(st.sampled_from([7, 9, 10]))
    columns["NgayKetThucXuLy"] = MOMENTS[at + draw(LATER)]
    if end == 10:
        life.append({**columns, "TrangThaiHoSo": 9})
        columns["NgayTra"] = columns["NgayKetThucXuLy"]
    if not dated and draw(st.booleans()):
        life.append({**columns, "TrangThaiHoSo": 9, "NgayKetThucXuLy": MOMENTS[at + 1], "NgayTra": ""})
    return [*life, {**columns, "TrangThaiHoSo": end}]


def all_events(life: Sequence[dict[str, Any]]) -> list[Event]:
    return [event for snapshot in life for event in events(**snapshot)]


def figures(folded: Folded) -> tuple[Any, ...]:
    counted = Counter[Any]()
    for point in folded.points:
        counted[point.measure, point.labels, point.time] += point.value
    whole = folded.status, folded.unit, folded.opened_at, folded.due_at, folded.ended_at
    return (*whole, {place: value for place, value in counted.items() if value})


@examples(25)
@given(lives(dated=False), st.randoms(use_true_random=False))
def test_snapshots_in_any_order_and_again_give_the_same_dossier(life: list[dict[str, Any]], chance: Any) -> None:
    mixed = [*life, *chance.choices(life, k=3)]
    chance.shuffle(mixed)
    assert fold(all_events(mixed)) == fold(all_events(life))


@examples(25)
@given(lives(dated=True), st.randoms(use_true_random=False))
def test_the_last_snapshot_alone_gives_the_figures_of_all(life: list[dict[str, Any]], chance: Any) -> None:
    mixed = [*life, *chance.choices(life, k=3)]
    chance.shuffle(mixed)
    assert figures(fold(all_events(mixed))) == figures(fold(events(**life[-1])))


# --- going back ---


def test_a_promise_that_was_moved_is_judged_by_the_first_and_shown() -> None:
    moved = [*events(TrangThaiHoSo=2), *events(NgayHenTra="20/11/2026 17:00")]
    for order in (moved, moved[::-1]):
        folded = fold(order)
        assert folded.due_at == datetime(2026, 11, 12, 10, tzinfo=UTC)
        assert codes(folded) == ["repromised"]
        assert folded.notes == []


def test_a_promise_that_a_wait_moved_is_no_finding() -> None:
    waited = {"NgayYeuCauBoSung": "10/11/2026 13:30", "NgayCongDanBoSung": "13/11/2026 13:30"}
    life = [*events(), *events(**waited), *events(**waited, NgayHenTra="17/11/2026 17:00")]
    folded = fold(life)
    assert folded.due_at == datetime(2026, 11, 17, 10, tzinfo=UTC)
    assert codes(folded) == [] and folded.notes == [] and "promised" not in folded.state


@pytest.mark.parametrize(("status", "column"), [(9, "NgayKetThucXuLy"), (7, "NgayKetThucXuLy"), (10, "NgayTra")])
def test_an_end_that_was_moved_is_shown_with_both_dates(status: int, column: str) -> None:
    late, early = ({"TrangThaiHoSo": status, column: f"{day}/11/2026 10:00"} for day in (13, 12))
    folded = fold([*events(**late), *events(**early)])
    assert codes(folded) == ["ended_again"]


def test_a_status_that_returns_after_the_end_is_shown() -> None:
    back = events(NgayKetThucXuLy="12/11/2026 10:00", ThoiDiemXuLy="13/11/2026 10:00")
    assert codes(fold(back)) == ["went_back"]
    again = [*events(TrangThaiHoSo=9, NgayKetThucXuLy="12/11/2026 10:00"), *events(ThoiDiemXuLy="13/11/2026 10:00")]
    assert codes(fold(again)) == ["went_back"]


def test_a_payment_that_is_awaited_stops_the_clock_though_no_sum_is_known() -> None:
    folded = fold(events(TrangThaiHoSo=6, ThoiDiemXuLy="10/11/2026 13:30"))
    assert folded.state["waiting"]
    paused = events(TrangThaiHoSo=8, ThoiDiemXuLy="10/11/2026 13:30")
    goes_on = [*paused, *events(TrangThaiHoSo=4, ThoiDiemXuLy="11/11/2026 13:30")]
    assert (fold(paused).status, fold(goes_on).ended_at) == ("stopped", None)
    assert fold(goes_on).due_at == datetime(2026, 11, 13, 10, tzinfo=UTC)


# --- files ---


def from_file(text: str | bytes) -> tuple[list[Event], list[str], Counter[str]]:
    said, dropped, counts = list[str](), Counter[str](), Counts()
    raw = text if isinstance(text, bytes) else text.encode()
    found = list(file_events(raw, "ho-so", "/onestop", NOW, counts, said.append, dropped))
    assert counts.read == len(found) + counts.rejected
    return found, said, dropped


def test_a_table_and_json_tell_the_same_and_the_wrong_row_alone_is_refused() -> None:
    good, wrong = ROW | {"ChuHoSo": "Nguyễn Văn An"}, ROW | {"MaHoSo": "Nguyễn Văn An", "ChuHoSo": "0912345678"}
    csv = "\n".join(";".join(f'"{cell}"' for cell in line) for line in (ROW, ROW.values(), wrong.values()))
    csv = csv.replace('"DonViXuLy"', '"DonViXuLy";"Chủ hồ sơ"', 1)
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in (good, wrong))
    for text in (csv, lines, json.dumps([good, wrong], ensure_ascii=False, indent=1)):
        found, said, dropped = from_file(text)
        assert [event.digest for event in found] == [event.digest for event in events()]
        assert "bad_value: MaHoSo: is no dossier's code" in said[0] and said[0].startswith("row ")
        assert said[1:] == [f"1 rows with {tell().undated}"]
        assert dropped["ChuHoSo"] >= 1
        assert not {"An", "0912345678"}.intersection(" ".join(said).replace(",", " ").split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("MaHoSo,HoTen\nH19.99-261109-0001,An\n", "names the columns MaHoSo, TrangThaiHoSo, NgayTiepNhan"),
        ("PK\x03\x04", "ho-so"),
    ],
)
def test_a_file_that_is_no_export_is_told_so(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        from_file(text)


def test_a_record_that_is_no_object_is_refused_alone() -> None:
    found, said, _ = from_file("[1, {broken}, " + json.dumps(ROW) + "]")
    assert len(found) == 1
    assert [line.partition(": ")[2].partition(":")[0] for line in said[:2]] == ["not_json", "not_json"]


def test_a_workbook_tells_the_same_with_real_dates_below_a_title() -> None:
    real = {"NgayTiepNhan": date(2026, 11, 9), "NgayHenTra": date(2026, 11, 12), "TrangThaiHoSo": 4, "KenhThucHien": 2}
    row = ROW | real | {"Họ tên": "Nguyễn Văn An"}
    page = Page([["DANH SÁCH HỒ SƠ"], [], list(row), list(row.values())])
    found, said, dropped = from_file(xlsx(page))
    days = events(NgayTiepNhan="09/11/2026", NgayHenTra="12/11/2026 00:00:00")
    assert [event.digest for event in found] == [event.digest for event in days]
    assert (said, dropped) == ([f"1 rows with {tell().undated}"], {"HoTen": 1})


def test_every_sheet_with_the_columns_is_read_and_a_hidden_one_is_named() -> None:
    def page(name: str, code: str, invisible: bool = False) -> Page:
        row = ROW | {"MaHoSo": code, "TrangThaiHoSo": 2}
        return Page([list(row), list(row.values()), ["tổng"]], name=name, invisible=invisible)

    pages = (page("Tháng 10", CODE), Page([["ghi chú"]], name="Bìa"), page("Tháng 11", "H19.99-261109-0002"),
             page("Nháp", "H19.99-261109-0003", invisible=True))  # fmt: skip
    found, said, _ = from_file(xlsx(*pages))
    assert [event.data.code for event in found] == [CODE, "H19.99-261109-0002"]
    assert [line.partition(":")[0] for line in said] == [
        "Tháng 10, row 3",
        "Tháng 11, row 3",
        "the sheet 'Nháp' is hidden",
    ]


@pytest.mark.parametrize("since_1904", [False, True])
def test_a_moment_that_a_workbook_counts_in_days_is_what_it_shows(since_1904: bool) -> None:
    days = 46335.375 - (1462 if since_1904 else 0)
    page = Page([list(ROW), list((ROW | {"NgayTiepNhan": days}).values())])
    found, _, _ = from_file(xlsx(page, date_1904=since_1904))
    assert [event.digest for event in found] == [event.digest for event in events()]


@pytest.mark.parametrize("status", ["Đang xử lý", "4 - Đang xử lý", "4. ĐANG XỬ LÝ", "04"])
def test_a_status_may_be_named_as_the_portal_names_it(status: str) -> None:
    at = {"ThoiDiemXuLy": "10/11/2026 08:00"}
    assert steps(TrangThaiHoSo=status, **at) == steps(**at)
    assert refusal(TrangThaiHoSo="5 - Đang xử lý").code == "bad_value"


@pytest.mark.parametrize("first", ["Phường Chơn Thành", "Phường Minh Hưng"])
@pytest.mark.parametrize("serial", range(4))
def test_a_dossier_that_another_unit_goes_on_with_is_that_units(first: str, serial: int) -> None:
    """Both snapshots tell the acceptance, at one moment; who handles it is not left to chance."""
    second = {"Phường Chơn Thành": "Phường Minh Hưng", "Phường Minh Hưng": "Phường Chơn Thành"}[first]
    code, later = f"H19.99-261109-000{serial}", {"TrangThaiHoSo": 4, "ThoiDiemXuLy": "10/11/2026 08:00"}
    begun = fold(events(MaHoSo=code, TrangThaiHoSo=2, DonViXuLy=first))
    went_on = fold(
        [*events(MaHoSo=code, TrangThaiHoSo=2, DonViXuLy=first), *events(MaHoSo=code, DonViXuLy=second, **later)]
    )
    assert (begun.unit, went_on.unit) == (units.find(first).code, units.find(second).code)
    overdue = [p.unit for p in went_on.points if ("stage", "overdue") in p.labels and p.value == 1]
    assert overdue == [went_on.unit]
