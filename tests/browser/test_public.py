"""A screen without login leaks nothing: searched for in its pages, in what its scripts fetch, and in the traffic that
keeps it up to date."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
import psycopg
import pytest
from browser.deeds import emit
from playwright.sync_api import Browser, Page, Response, WebSocket, expect

from infra.local.servers import Instance
from schemas.indicators import CATALOGUE
from schemas.registry import SYSTEMS
from services.board.access import SMALL
from services.board.ui.page_layout import navigation_entries
from services.centre.prepare import settings_of
from services.kit import clock
from services.readings import Period, read

WARD, QUIET = "phuong_chon_thanh", "phuong_phuoc_long"
"""A ward of the district, and one of another from which nothing comes."""
Visit = Callable[..., Page]
OPENED = ("dossiers_open_overdue", "reports_in_progress", "disease_cases")
RANKED = (("health", "disease_cases"), ("field", "reports_in_progress"), ("procedures", "dossiers_open_overdue"))
PATHS = (
    "/",
    *(f"/system/{slug}" for slug in SYSTEMS),
    *(f"/system/{slug}?ranked={code}&unit={WARD}&span=week" for slug, code in RANKED),
    *(f"/figure/{code}{query}" for code in OPENED for query in ("", f"?unit={WARD}&span=day")),
    "/map",
    "/sources",
)
CASES = ("dossier", "report", "disease")
TOKEN = re.compile(r"[\w][\w./:-]{4,}")


@dataclass
class Traffic:
    """All that reached a browser from the board, but for the program's own scripts."""

    texts: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    frames: int = 0

    def follow(self, page: Page) -> None:
        """Listen to what the page is sent."""
        page.on("response", lambda answer: self.answers.append(answer))
        page.on("websocket", self._socket)

    def keep(self, page: Page) -> None:
        """Take down what the page has, before the browser forgets it."""
        for answer in self.answers:
            kind = answer.headers.get("content-type", "")
            if answer.ok and "html" in kind:
                self.texts.append(answer.text())
            elif answer.ok and "json" in kind:  # the browser may have let go of what a script fetched
                self.texts.append(page.request.get(answer.url).text())
        self.answers.clear()
        self.texts.append(page.content())

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._frame)

    def _frame(self, payload: str | bytes) -> None:
        self.frames += 1
        self.texts.append(payload if isinstance(payload, str) else payload.decode("utf-8", "replace"))


@pytest.fixture(scope="module")
def traffic(browser: Browser, public_address: str) -> Iterator[Traffic]:
    """What somebody without an account gets to see who opens everything there is."""
    heard = Traffic()
    context = browser.new_context(base_url=public_address, viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    heard.follow(page)
    for path in PATHS:
        page.goto(path)
        expect(page.locator("main")).to_be_visible()
        heard.keep(page)
    page.goto("/")
    page.wait_for_timeout(1500)  # the wall lives: a second of what it is told
    heard.keep(page)
    yield heard
    context.close()


def test_no_case_and_nobody_is_named(traffic: Traffic, watched: Instance) -> None:
    with psycopg.connect(settings_of(watched, "cli").database("owner")) as conn:
        cases = {
            code for (code,) in conn.execute("SELECT id FROM entity WHERE kind IN ('dossier', 'report', 'disease')")
        }
        events = {id for (id,) in conn.execute("SELECT id FROM event WHERE source NOT LIKE '/test%%' LIMIT 20000")}
        names = {name for (name,) in conn.execute("SELECT name FROM account WHERE name <> 'admin'")}
    assert len(cases) > 1000 and len(events) > 1000 and len(names) >= 3
    assert traffic.frames > 20, "the traffic was heard"
    tokens = {token for text in traffic.texts for token in TOKEN.findall(text)}
    assert tokens & cases == set()
    assert tokens & events == set()
    assert [name for name in names if any(name in text for text in traffic.texts)] == []
    shapes = {re.sub(r"\d", "9", code) for code in cases}
    assert [token for token in tokens if re.sub(r"\d", "9", token) in shapes] == [], "nor one that is none of ours"


FEW = {
    "disease_cases": ("disease.notified", {"key": "case", "disease": "dengue"}),
    "reports_in_progress": ("report.received", {"channel": "app", "category": "road", "priority": "normal"}),
}


@pytest.mark.parametrize("code", FEW)
def test_counts_of_people_in_a_unit_are_rounded(
    visit: Visit, public_address: str, watched: Instance, code: str
) -> None:
    kind, data = FEW[code]
    emit(watched, kind, QUIET, **data)
    with psycopg.connect(settings_of(watched, "cli").database("reader"), autocommit=True) as conn:
        true: dict[str, Decimal | None] = {}
        while not true.get(QUIET):
            true = {r.group: r.value for r in read(conn, CATALOGUE[code], None, Period.of(clock.now()), "unit")}
    small = {unit for unit, value in true.items() if value is not None and value < SMALL}
    page = visit(f"/system/{CATALOGUE[code].system}?ranked={code}", at=public_address)
    rows = page.locator('main tr:has(a[href*="unit="])').evaluate_all(
        "rows => rows.map(r => [new URL(r.querySelector('a').href).searchParams.get('unit'), r.cells[1].innerText])"
    )
    shown = {unit: text.split("\n")[0] for unit, text in rows}
    assert QUIET in small and set(shown) == set(true)
    assert {shown[unit] for unit in small} <= {"dưới 5", "fewer than 5"}
    told = ["".join(re.findall(r"\d", text)) for unit, text in shown.items() if unit not in small]
    assert any(told) and all(not number or int(number) % SMALL == 0 for number in told)


def test_the_map_tells_the_same_rounded_counts_at_every_zoom(public_address: str) -> None:
    def reports(zoom: int) -> tuple[list[object], set[int], str]:
        told = httpx.get(
            f"{public_address}/map/data", params={"z": zoom, "list": 1, "layer": "reports"}, trust_env=False
        )
        found = told.json()
        numbers = re.findall(r">([\d.]+)</td>", found["list"]) + re.findall(r"([\d.]+) phản ánh", found["said"])
        marks = [mark[1:] for mark in found["marks"]]
        return marks, {int(number.replace(".", "")) for number in numbers} | {mark[2] for mark in marks}, found["list"]

    seen = [reports(zoom) for zoom in (18, 8, 12, 13)]
    assert seen[0][0] and all(each == seen[0] for each in seen)
    assert all(number and number % SMALL == 0 for number in seen[0][1])


def test_cases_and_accounts_stay_behind_the_log_in(public_address: str) -> None:
    with httpx.Client(base_url=public_address, trust_env=False, headers={"origin": public_address}) as client:
        for _, path, action in navigation_entries():
            answer = client.get(path, headers={"accept": "text/html"})
            assert answer.status_code == (303 if action else 200), path
        assert client.post("/people/add", data={"name": "x"}).status_code == 401
