"""The worklist on a real centre: what is overdue stands there, is worked off by who may, and seen by all who look."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from alarms import event, eventually, now, post, query, send, wait_until_told
from openpyxl import load_workbook
from visitors import Browser, add_account

from infra.local.servers import Instance
from schemas.calendar import VN, WorkCalendar, local_day
from schemas.procedures import DossierAccepted
from services.board.access import Role
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of

WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
FIRST, SECOND, THIRD, FOREIGN = (f"H98.76-260101-{number}" for number in (7001, 7002, 7003, 7004))
PEOPLE: tuple[tuple[str, Role, tuple[str, ...]], ...] = (
    ("work-viewer", "viewer", ()),
    ("work-operator", "operator", (WARD,)),
    ("work-supervisor", "supervisor", ()),
)


class Session(Browser):
    """Somebody who is logged in, without a screen."""

    def __init__(self, home: str, name: str) -> None:
        super().__init__(home)
        assert self.log_in(name).status_code == 303
        self.token = self.csrf()

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def do(self, path: str, *items: str, **fields: str) -> httpx.Response:
        body = urlencode([("csrf", self.token), *(("item", item) for item in items), *fields.items()])
        return self.http.post(path, content=body, headers={"content-type": "application/x-www-form-urlencoded"})

    def hears(self, path: str, act: Callable[[], Any], words: str, seconds: float = 20) -> bool:
        """Whether an open page is sent these words after something was done elsewhere."""
        with self.socket(self.page(path)) as page:
            act()
            end = now() + timedelta(seconds=seconds)
            while (left := (end - now()).total_seconds()) > 0:
                if words in str(page.recv(left)):
                    return True
        return False


@pytest.fixture(scope="module")
def home(centre: Instance) -> Iterator[str]:
    """The board of the centre with its alarms; four dossiers of two wards are overdue."""
    services = ["aggregator", "deadlines", "notifier", "board"]
    try:
        centre.start_services(services)
        wait_until_told(centre)
        late = {"promised_at": now() - timedelta(days=2), "field": "justice", "procedure": "2.000815"}
        for code, unit in ((FIRST, WARD), (SECOND, WARD), (THIRD, WARD), (FOREIGN, OTHER)):
            send(centre, event(DossierAccepted(code=code, **late), unit, now() - timedelta(days=9)))
        for name, role, units in PEOPLE:
            add_account(centre, name, role, units=units)
        eventually(lambda: len(alarms_about(centre)), 4)
        yield f"http://127.0.0.1:{centre.ports['board']}"
    finally:
        for service in reversed(services):
            centre.stop_process(service)


@pytest.fixture(scope="module")
def operator(home: str) -> Session:
    return Session(home, "work-operator")


@pytest.fixture(scope="module")
def supervisor(home: str) -> Session:
    return Session(home, "work-supervisor")


def alarms_about(centre: Instance, code: str = "H98.76-260101-%") -> list[Any]:
    sql = "SELECT id, acknowledged_by, assignee, deadline, cleared_at FROM alarm WHERE entity LIKE %s ORDER BY id"
    found: list[Any] = query(centre, sql, code)
    return found


def traces(centre: Instance) -> tuple[Any, ...]:
    """What every deed leaves behind."""
    steps = query(centre, "SELECT count(*) FROM alarm_step WHERE by LIKE 'work-%%'")
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        noted = conn.execute("SELECT count(*) FROM audit WHERE by LIKE 'work-%' AND action <> 'login'").fetchone()
    return steps[0][0], noted


def codes(text: str) -> set[str]:
    return set(re.findall(r"H98\.76-260101-\d{4}", text))


def test_each_sees_the_cases_of_their_units_alone(operator: Session, supervisor: Session) -> None:
    assert codes(supervisor.text("/worklist?stage=overdue&text=H98.76")) == {FIRST, SECOND, THIRD, FOREIGN}
    assert codes(operator.text("/worklist?stage=overdue&text=H98.76")) == {FIRST, SECOND, THIRD}
    assert codes(supervisor.text(f"/worklist?unit={OTHER}&text=H98.76")) == {FOREIGN}
    assert codes(supervisor.text("/worklist?stage=today&text=H98.76")) == set()
    assert operator.http.get(f"/worklist/dossier/{FOREIGN}").status_code == 404
    assert "tư pháp - hộ tịch" in operator.text(f"/worklist?text={FIRST}")


def test_a_list_opened_for_another_moment_says_that_it_is_of_now(operator: Session) -> None:
    moment, said = "as_of=2026-11-20T09:00:00", WORDS["list_is_of_now"][0].format("20/11/2026 09:00")
    worklist = operator.text(f"/worklist?unit={WARD}&{moment}")
    assert said in worklist and f"/figure/dossiers_open_overdue/cases?unit={WARD}&amp;as_of=2026-11-20T" in worklist
    assert said in operator.text(f"/alarms?{moment}")
    assert said not in operator.text("/worklist") + operator.text("/alarms")


def test_an_alarm_about_a_figure_shows_its_course_its_threshold_and_the_cases(
    centre: Instance, operator: Session, supervisor: Session
) -> None:
    labels = {"alertname": "DossiersOverdue", "severity": "warning", "system": "procedures", "period": "now"}
    alert = {"status": "firing", "labels": labels | {"unit": WARD}, "annotations": {"summary_vi": "hồ sơ quá hạn"}}
    post(centre, "/alertmanager", {"version": "4", "alerts": [alert]})
    number = "SELECT max(id) FROM alarm WHERE type = 'DossiersOverdue' AND unit = %s"
    eventually(lambda: query(centre, number, WARD)[0][0] is not None, True)
    path = f"/alarms/{query(centre, number, WARD)[0][0]}"
    for session in (operator, supervisor):
        page = session.text(path)
        assert WORDS["alarm_course"][0] in page and 'class="aim"' in page
        assert WORDS["alarm_above"][0].format("0") in page
        assert re.search(re.escape(WORDS["alarm_cases_all"][0]).replace(r"\{\}", r"[1-9]\d*"), page)
        assert f"/figure/dossiers_open_overdue/cases?unit={WARD}" in page
        assert "/worklist/dossier/" in page and FOREIGN not in page
    owner = re.search(rf"{WORDS['suggested_owner'][0]}</th><td[^>]*>Người ([\w.-]+) \(\1\)", supervisor.text(path))
    assert owner and f'name="assignee" maxlength="80" required="" value="{owner[1]}"' in supervisor.text(path)
    assert WORDS["suggested_owner"][0] not in operator.text(path), "who may give nobody anything is told nobody"
    post(centre, "/alertmanager", {"version": "4", "alerts": [alert | {"status": "resolved"}]})


def test_what_one_acknowledges_another_sees(centre: Instance, operator: Session, supervisor: Session) -> None:
    def acknowledge() -> None:
        answer = operator.do("/worklist/do/acknowledge", f"dossier:{FIRST}", f"dossier:{SECOND}", note="đang gọi")
        assert [row["done"] for row in answer.json()["rows"]] == [True, True]

    assert supervisor.hears(f"/worklist?text={FIRST}", acknowledge, "badge acknowledged")
    assert [by for _, by, *_ in alarms_about(centre, FIRST)] == ["work-operator"]
    story = supervisor.text(f"/worklist/dossier/{FIRST}")
    assert "work-operator" in story
    assert "đang gọi" in story


def test_a_supervisor_assigns_with_a_deadline(centre: Instance, operator: Session, supervisor: Session) -> None:
    until = (now() + timedelta(days=1)).astimezone(VN).replace(second=0, microsecond=0)
    told = {"assignee": "work-operator", "deadline": f"{until:%Y-%m-%dT%H:%M}"}
    assert operator.do("/worklist/do/assign", f"dossier:{SECOND}", **told).status_code == 403
    wrong = supervisor.do("/worklist/do/assign", f"dossier:{SECOND}", assignee="A", deadline="2020-01-01T00:00")
    assert wrong.status_code == 422
    assert alarms_about(centre, SECOND)[0][2] is None
    assert supervisor.do("/worklist/do/assign", f"dossier:{SECOND}", **told).json()["rows"][0]["done"]
    assert alarms_about(centre, SECOND)[0][2:4] == ("work-operator", until)


def test_rows_are_taken_away_as_files(operator: Session) -> None:
    query = "text=H98.76-260101-7002"

    def table() -> list[list[str]]:
        text = operator.http.get(f"/worklist/export.csv?{query}").content.decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text)))

    eventually(lambda: "work-operator" in table()[-1], True)  # lists are read once a second for all
    rows = table()
    sheet = load_workbook(io.BytesIO(operator.http.get(f"/worklist/export.xlsx?{query}").content)).active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    written = [
        [f"{v:%d/%m/%Y %H:%M}" if isinstance(v, datetime) else str(v) if v is not None else "" for v in row]
        for row in cells
    ]
    assert written == rows
    due, days, working = (cells[1][rows[0].index(WORDS[w][0])] for w in ("due", "late_days", "late_working_days"))
    assert isinstance(due, datetime) and 0 <= working <= days and days > 0
    assert rows[0][:2] == ["Loại", "Mã"]
    assert len(rows) == 2
    assert {SECOND, "Phường Chơn Thành", "work-operator", "quá hạn"} <= set(rows[1])
    assert FOREIGN not in operator.http.get("/worklist/export.csv").text


def test_an_apology_gives_a_new_date_once(centre: Instance, operator: Session) -> None:
    day = WorkCalendar.base().add_working_days(local_day(now()), 8)
    off = next(d for d in _days_after(day) if not WorkCalendar.base().is_working_day(d))

    def extend(when: date, reason: str = "Chờ ý kiến cơ quan phối hợp") -> Any:
        return operator.do("/worklist/do/extend", f"dossier:{THIRD}", day=when.isoformat(), note=reason)

    assert extend(day, "gọi 0912345678").status_code == 422
    assert extend(local_day(now())).status_code == 422
    assert not extend(off).json()["rows"][0]["done"]
    told = extend(day).json()
    assert told["rows"][0]["done"]
    letter = operator.text(told["print"])
    assert THIRD in letter
    assert f"ngày {day:%d} tháng {day:%m} năm {day.year}" in letter
    assert "Chờ ý kiến cơ quan phối hợp" in letter
    eventually(lambda: _due(centre, THIRD), datetime(day.year, day.month, day.day, 17, tzinfo=VN))
    eventually(lambda: codes(operator.text("/worklist?text=H98.76")), {FIRST, SECOND})
    eventually(lambda: alarms_about(centre, THIRD)[0][4] is not None, True)
    assert extend(day).json()["rows"][0]["said"] == "đã hẹn lại một lần, không được hẹn thêm"
    assert query(centre, "SELECT count(*) FROM event WHERE source = '/board' AND id = %s", f"{THIRD}/extended") == [
        (1,)
    ]
    story = operator.text(f"/worklist/dossier/{THIRD}")
    assert "work-operator" in story
    assert f"/worklist/apology?code={THIRD}" in story


def test_who_may_not_changes_nothing(centre: Instance, home: str, operator: Session) -> None:
    viewer, before = Session(home, "work-viewer"), traces(centre)
    for deed in ("acknowledge", "assign", "comment", "extend"):
        fields = {"note": "x y z", "assignee": "A", "day": "2030-01-02"}
        assert viewer.do(f"/worklist/do/{deed}", f"dossier:{FIRST}", **fields).status_code == 403
    foreign = alarms_about(centre, FOREIGN)[0][0]
    for target in (f"dossier:{FOREIGN}", "dossier:H98.76-260101-9999", "incident:X"):
        assert operator.do("/worklist/do/acknowledge", f"dossier:{FIRST}", target).status_code == 404
    assert operator.do("/worklist/do/extend", f"dossier:{FOREIGN}", note="lý do", day="2030-01-02").status_code == 404
    assert operator.do("/alarms/do/acknowledge", f"alarm:{foreign}").status_code == 404
    assert operator.http.get(f"/alarms/{foreign}").status_code == 404
    assert operator.http.get(f"/worklist/apology?code={FOREIGN}").status_code == 404
    without = operator.http.post("/worklist/do/comment", data={"item": f"dossier:{FIRST}", "note": "x"})
    assert without.status_code == 403
    assert traces(centre) == before


def test_an_alarm_is_closed_with_a_word(centre: Instance, operator: Session, supervisor: Session) -> None:
    foreign = alarms_about(centre, FOREIGN)[0][0]
    assert FOREIGN in supervisor.text("/alarms?text=H98.76")
    assert FOREIGN not in operator.text("/alarms?text=H98.76")
    assert operator.do("/alarms/do/close", f"alarm:{foreign}", note="xong").status_code == 403
    assert supervisor.do("/alarms/do/close", f"alarm:{foreign}", note="").status_code == 422
    assert supervisor.do("/alarms/do/close", f"alarm:{foreign}", note="đã trả kết quả").json()["rows"][0]["done"]
    assert alarms_about(centre, FOREIGN)[0][4] is not None
    assert "đã trả kết quả" in supervisor.text(f"/alarms/{foreign}")


def test_a_filter_is_put_aside_and_taken_away(operator: Session, supervisor: Session) -> None:
    asked = "kind=dossier&stage=overdue&nonsense=1"
    answer = operator.do("/worklist/saved", name="Hồ sơ quá hạn", query=asked)
    assert answer.headers["location"] == "/worklist?kind=dossier&stage=overdue"
    assert "Hồ sơ quá hạn" in operator.text("/worklist")
    assert "Hồ sơ quá hạn" not in supervisor.text("/worklist")
    operator.do("/worklist/saved/remove", name="Hồ sơ quá hạn")
    assert "Hồ sơ quá hạn" not in operator.text("/worklist")


def test_while_the_notifier_is_away_nothing_is_done(centre: Instance, operator: Session) -> None:
    before = traces(centre)
    centre.stop_process("notifier")
    rows = operator.do("/worklist/do/comment", f"dossier:{FIRST}", f"dossier:{SECOND}", note="đã nhắc").json()["rows"]
    assert [row["done"] for row in rows] == [False, False]
    assert rows[0]["said"].startswith("dịch vụ cảnh báo không trả lời")
    assert traces(centre) == before


def _days_after(day: date) -> Iterator[date]:
    return (day + timedelta(days=n) for n in range(1, 15))


def _due(centre: Instance, code: str) -> datetime:
    due: datetime = query(centre, "SELECT due_at FROM entity WHERE kind = 'dossier' AND id = %s", code)[0][0]
    return due
