"""A screen without login before a real centre: figures, and nothing that leads to a case or tells exactly of people."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from alarms import eventually, post, query
from support import board_beside, wait_until_idle
from visitors import Browser, add_account, admin_of

from infra.local.servers import Instance
from services.board.access import SMALL

Ioc = Callable[..., subprocess.CompletedProcess[str]]
WARD, OTHER = "xa_tan_khai", "xa_dong_phu"
QUIET = "phuong_minh_hung"
"""A unit without a case of a disease."""
CODE = "H99.77-261101-00042"


@pytest.fixture(scope="module")
def public(centre: Instance) -> Iterator[str]:
    """A board that shows figures without login, beside the services that fill it."""
    add_account(centre, "lan", "viewer")
    services = ["aggregator", "notifier"]
    centre.start_services(services)
    with board_beside(centre, IOC_BOARD_PUBLIC="true") as address:
        yield address
    for service in services:
        centre.stop_process(service)


@pytest.fixture(scope="module")
def admin(centre: Instance, public: str) -> Browser:
    return admin_of(centre, public)


@pytest.fixture(scope="module")
def data(centre: Instance, public: str, ioc: Ioc) -> None:
    """One dossier, three cases of a disease in a ward, and seven in another."""
    now = datetime.now(UTC) - timedelta(minutes=5)

    def event(type: str, id: str, unit: str, **data: Any) -> dict[str, Any]:
        return {"specversion": "1.0", "id": id, "source": "/test/public", "type": f"vn.ioc.{type}.v1",
                "time": now.isoformat(), "unit": unit, "data": data}  # fmt: skip

    cases = [(WARD, i) for i in range(3)] + [(OTHER, i) for i in range(3, 10)]
    events = [event("disease.notified", f"CB-77.{i:04}", unit, case=f"CB-77.{i:04}", disease="mpox", ward=unit)
              for unit, i in cases]  # fmt: skip
    events.append(
        event("dossier.submitted", CODE, WARD, code=CODE, procedure="2.000815", field="land", channel="online")
    )
    sent = ioc("emit", "-", input="\n".join(map(json.dumps, events)))
    assert sent.returncode == 0, sent.stdout + sent.stderr
    wait_until_idle(centre)


def test_a_screen_without_log_in_shows_figures_and_nothing_that_leads_to_a_case(
    data: None, admin: Browser, public: str
) -> None:
    screen = Browser(public)
    asked = [f"/system/{slug}{unit}" for slug in ("procedures", "health", "field") for unit in ("", f"?unit={WARD}")]
    asked += [f"/figure/{code}{unit}" for code in ("disease_cases", "dossiers_received", "reports_received")
              for unit in ("", f"?unit={WARD}", f"?unit={OTHER}")]  # fmt: skip
    for path in ("/", "/map", "/sources", *asked):
        text = screen.get(path).text
        assert "CB-77" not in text, path
        assert "H99.77" not in text, path
        assert not re.search(r"\b(Người lan|Quản trị)\b", text), path
    for path in ("/people", "/worklist", "/alarms", "/quality"):
        assert screen.get(path).headers["location"].startswith("/login"), path
    assert screen.post("/people/add", name="x").status_code == 401
    own = admin.page("/people")
    assert not screen.is_served(own)
    assert screen.is_served(screen.page("/sources"))
    assert "CB-" in admin.get(f"/figure/disease_cases?unit={WARD}").text  # for those who may see cases, masked


def text_of(browser: Browser, path: str) -> str:
    """A page as its reader gets it, the quotes of its markup plain."""
    return unescape(browser.get(path).text.replace('\\"', '"'))


def figure_of(browser: Browser, unit: str, query: str = "") -> str:
    """What the page of a figure says in large letters."""
    found = re.search(r'class="huge[^>]*>([^<]*)<', text_of(browser, f"/figure/disease_cases?unit={unit}{query}"))
    assert found
    return found[1].strip(" ●▲✓")


def test_a_screen_without_log_in_shows_no_exact_count_of_people(data: None, admin: Browser, public: str) -> None:
    screen = Browser(public)
    assert (figure_of(admin, WARD), figure_of(admin, OTHER)) == ("3", "7")
    for span in ("", "&span=week", "&span=year"):
        assert (figure_of(screen, WARD, span), figure_of(screen, OTHER, span)) == ("dưới 5", "5")
    assert figure_of(screen, QUIET) in ("dưới 5", "–") and figure_of(screen, WARD, "&lang=en") == "fewer than 5"
    whole = int(figure_of(admin, ""))
    assert whole >= 10 and figure_of(screen, "") == str(whole - whole % SMALL)
    for path in ("", f"&unit={WARD}", f"&unit={OTHER}", "&span=day", "&by=disease", "&by=ward"):
        table = text_of(screen, f"/system/health?ranked=disease_cases{path}")
        rows = re.findall(r"<tr><th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", table)
        told = {re.sub("<[^>]*>", "", name): re.sub("<[^>]*>", "", value) for name, value in rows}
        cases = {name: value for name, value in told.items() if re.search(r"[Cc]a bệnh|mpox|^Xã|^Phường", name)}
        assert cases and all(re.search(r"dưới 5|–|\d*[05]( |$)", value) for value in cases.values()), (path, cases)


def test_sources_are_told_of_alike_on_all_pages(data: None, admin: Browser, public: str) -> None:
    def numbers(browser: Browser, path: str) -> set[str]:
        rows = re.findall(r"<tr>(.*?)</tr>", text_of(browser, path))
        return {n for row in rows if "/test/public" in row for n in re.findall(r'<td class="n"[^>]*>([^<]+)</td>', row)}

    screen, figure = Browser(public), f"/figure/disease_cases?unit={OTHER}"
    assert numbers(admin, figure) == {"10", "1"} and numbers(screen, figure) == {"10", "dưới 5"}
    assert numbers(admin, figure) <= numbers(admin, "/sources")
    assert numbers(screen, figure) <= numbers(screen, "/sources") and "1" not in numbers(screen, "/sources")
    assert "/test/public" not in text_of(screen, f"/figure/disease_cases?unit={WARD}"), "it would be more than none"


def rings(name: str, system: str, unit: str, vi: str) -> dict[str, Any]:
    """An alert as Alertmanager posts it."""
    labels = {"alertname": name, "severity": "critical", "system": system, "unit": unit, "test": "public"}
    return {"status": "firing", "labels": labels, "annotations": {"summary_vi": vi, "summary_en": vi}}


TOLD = (
    rings("DossiersOverdue", "procedures", WARD, "Xã Tân Khai: 2 hồ sơ đang giải quyết đã quá hạn"),
    rings("IndicatorBelowTarget", "procedures", "all", "Tỷ lệ hồ sơ trả đúng hạn 61%"),
)
KEPT = (
    rings("DiseaseCasesRising", "health", "all", "Số ca mpox trong 7 ngày qua là 10"),
    rings("UnitBelowTarget", "field", "all", "Tỷ lệ phản ánh xử lý đúng hạn 67%"),
    rings("OutbreakOpen", "health", WARD, "Xã Tân Khai: 1 ổ dịch đang hoạt động"),
    rings("ReportsOverdue", "field", WARD, "Xã Tân Khai: 3 phản ánh quá hạn chưa xử lý xong"),
    rings("OurOwnRule", "health", "all", "Ông Nguyễn Văn A mắc mpox"),
)


@pytest.fixture
def alarms(centre: Instance, public: str) -> Iterator[None]:
    """Alarms of figures, some of them about people."""
    assert post(centre, "/alertmanager", {"version": "4", "alerts": [*TOLD, *KEPT]}).json() == {"raised": 7}
    yield
    left = "SELECT id FROM alarm WHERE originator LIKE %s AND cleared_at IS NULL"
    for (id,) in query(centre, left, "%test=public%"):
        assert post(centre, f"/alarms/{id}/close", {"user": "cli:test", "note": "over"}).status_code == 200


def test_the_ticker_tells_passers_by_of_no_number_of_people(alarms: None, admin: Browser, public: str) -> None:
    def told(browser: Browser) -> set[str]:
        text = browser.get("/").text
        return {vi for alert in (*TOLD, *KEPT) if (vi := alert["annotations"]["summary_vi"]) in text}

    open_to_all = {alert["annotations"]["summary_vi"] for alert in TOLD}
    eventually(lambda: told(admin), open_to_all | {alert["annotations"]["summary_vi"] for alert in KEPT})
    assert told(Browser(public)) == open_to_all
