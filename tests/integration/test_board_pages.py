"""Map, sources and data quality on a real centre: what was emitted is on the map at every moment, what was refused is
mended from the board, and each only by whoever may."""

from __future__ import annotations

import asyncio
import html
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import psycopg
import pytest
from support import wait_until_idle
from visitors import add_account, csrf, entered, shut_out

from infra.local.servers import Instance
from services.board.access import Account, Role
from services.board.pages.quality.quarantine_page import ActionFailed, PreparedAction, carry_out
from services.board.ui.words import WORDS
from services.centre.prepare import settings_of
from services.kit import bus, store

Ioc = Callable[..., subprocess.CompletedProcess[str]]
WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
PEOPLE: tuple[tuple[str, Role, tuple[str, ...]], ...] = (
    ("map-viewer", "viewer", (WARD,)),
    ("map-supervisor", "supervisor", ()),
    ("map-bounded", "supervisor", (OTHER,)),
    ("map-admin", "admin", ()),
)
OURS = ("Report: Construction", "Schools: Trường Thử")
"""No other module that shares the centre has such things."""
NOW = datetime.now(UTC)
SAID_RESENT = "Đã gửi lại bản tin."
SHAPE = {"type": "Polygon", "coordinates": [[[106.6, 11.4], [106.7, 11.4], [106.7, 11.5], [106.6, 11.4]]]}


def event(id: str, type: str, hours: float, unit: str = WARD, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": id, "source": "/test/pages", "type": f"vn.ioc.{type}.v1",
        "time": (NOW - timedelta(hours=hours)).isoformat(), "unit": unit, "data": data,
    }  # fmt: skip


def received(code: str, hours: float, unit: str = WARD) -> dict[str, Any]:
    place = {"latitude": 11.43, "longitude": 106.66}
    data = {"code": code, "channel": "app", "category": "construction", "priority": "urgent", **place}
    return event(f"{code}-received", "report.received", hours, unit, **data)


LIVES = (
    received("PA-90001", 30),
    event("PA-90001-resolved", "report.resolved", 10, code="PA-90001"),
    event("PA-90001-reopened", "report.reopened", 4, code="PA-90001"),
    received("PA-90002", 3, OTHER),
    event("DT-90003", "feature.upserted", 20, feature="DT-90003", layer="school", name="Trường Thử", latitude=11.44,
          longitude=106.67),
    event("DT-90003-off", "feature.retired", 2, feature="DT-90003"),
)  # fmt: skip


@pytest.fixture(scope="module")
def home(centre: Instance, ioc: Ioc) -> Iterator[str]:
    """The board of a centre with two reports, one of them reopened, and a school that is no longer there."""
    try:
        centre.start_services(["aggregator", "board"])
        sent = ioc("emit", "-", input="\n".join(map(json.dumps, LIVES)))
        assert sent.returncode == 0, sent.stderr
        wait_until_idle(centre)
        for name, role, bounds in PEOPLE:
            add_account(centre, name, role, units=bounds)
        yield f"http://127.0.0.1:{centre.ports['board']}"
        shut_out(centre, "map-admin")
    finally:
        centre.stop_process("board")
        centre.stop_process("aggregator")


@pytest.fixture(scope="module")
def enter(home: str) -> Enter:
    return lambda name: entered(home, name).http


def on_map(client: httpx.Client, **params: Any) -> list[str]:
    """The rows of the map's list that are about this module's spots, as `what, status`."""
    told = client.get("/map/data", params={"list": 1, "z": 18, "lang": "en", **params}).json()["list"]
    rows = [
        [re.sub("<[^>]+>", "", cell) for cell in re.findall("<t[hd].*?</t[hd]>", row)] for row in told.split("<tr>")
    ]
    return sorted(f"{r[0]}, {r[2]}" for r in rows if len(r) > 5 and r[0] in OURS)


Enter = Callable[[str], httpx.Client]


class Lie(Protocol):
    def __call__(self, raw: bytes, unit: str = WARD) -> int: ...


@pytest.mark.parametrize(
    ("ago", "seen"),
    [
        (0, ["Report: Construction, received", "Report: Construction, reopened"]),
        (7, ["Schools: Trường Thử, "]),
        (13, ["Report: Construction, received", "Schools: Trường Thử, "]),
        (25, ["Report: Construction, received"]),
        (40, []),
    ],
)
def test_the_map_shows_what_was_so_at_each_moment(enter: Enter, ago: int, seen: list[str]) -> None:
    assert on_map(enter("map-supervisor"), ago=ago) == seen


def test_a_bounded_account_finds_its_own_reports_alone_whatever_it_asks_for(enter: Enter) -> None:
    viewer = enter("map-viewer")
    assert on_map(viewer) == ["Report: Construction, reopened"]
    assert on_map(viewer, unit=OTHER) == ["Report: Construction, reopened"]  # a unit that is not its own is passed over
    assert on_map(viewer, overdue=1) == ["Report: Construction, reopened"]


def test_a_new_report_comes_onto_the_map(enter: Enter, ioc: Ioc) -> None:
    client, before = enter("map-supervisor"), len(on_map(enter("map-supervisor")))
    assert ioc("emit", "-", input=json.dumps(received("PA-90004", 0.1))).returncode == 0
    end = time.monotonic() + 15
    while len(on_map(client)) == before:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_shapes_are_put_and_taken_away_by_administrators_alone(centre: Instance, enter: Enter) -> None:
    admin, raw = enter("map-admin"), json.dumps(SHAPE)
    supervisor = enter("map-supervisor")
    refused = supervisor.post("/map/outlines?name=a", content=raw, headers={"x-csrf": csrf(supervisor)})
    assert refused.status_code == 403
    assert admin.post("/map/outlines?name=a", content=raw).status_code == 403  # without the page's token
    head = {"x-csrf": csrf(admin)}
    assert admin.post("/map/outlines?name=Ranh+gioi.json", content=raw, headers=head).status_code == 200
    assert admin.post("/map/outlines?name=b", content="{", headers=head).json()["said"].startswith("Tệp không phải")
    assert [f["geometry"] for f in supervisor.get("/map/outlines").json()["features"]] == [SHAPE]
    assert (centre.data / "layers" / "ranh-gioi.geojson").exists()
    gone = admin.post("/map/outlines/remove", data={"name": "ranh-gioi", "csrf": csrf(admin)})
    assert gone.status_code == 303 and supervisor.get("/map/outlines").json()["features"] == []
    assert deeds(centre, "map.%") == ["map.outline_put ranh-gioi", "map.outline_removed ranh-gioi"]


def deeds(centre: Instance, action: str) -> list[str]:
    with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
        query = "SELECT concat_ws(' ', action, subject, detail->>'unit') FROM audit WHERE action LIKE %s ORDER BY id"
        return [row[0] for row in conn.execute(query, [action]).fetchall()]


def test_sources_and_late_records_are_shown(enter: Enter) -> None:
    client = enter("map-supervisor")
    assert "/test/pages" in client.get("/sources?sort=rate").text
    assert client.get("/sources?sort=nonsense").status_code == 200
    assert "/test/pages" in client.get("/quality").text  # what happened 30 hours ago was recorded now
    then = datetime.now(UTC) - timedelta(hours=3)
    before = client.get(f"/quality?as_of={quote(then.isoformat(timespec='seconds'))}").text
    assert "/test/pages" not in before and WORDS["quality_as_of"][0] in before, "nobody knew of it"
    assert "/quality/quarantine/" not in before and "/quality/findings/" not in before, "what can be done is of now"


@pytest.fixture
def lie(centre: Instance) -> Lie:
    """Publishes bytes past every check, as of a unit; the number under which they lie in the quarantine."""

    async def publish(raw: bytes, unit: str) -> int:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            js = client.jetstream()
            before = (await js.stream_info("QUARANTINE")).state.last_seq
            await js.publish(f"ioc.events.{unit}.field.report.received", raw)
            for _ in range(100):
                if (last := (await js.stream_info("QUARANTINE")).state.last_seq) > before:
                    return int(last)
                await asyncio.sleep(0.1)
        raise AssertionError("nothing came into the quarantine")

    return lambda raw, unit=WARD: asyncio.run(publish(raw, unit))


def stored(centre: Instance, id: str) -> int:
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        row = conn.execute("SELECT count(*) FROM event WHERE source = '/test/pages' AND id = %s", (id,)).fetchone()
    return int(row[0]) if row else 0


def test_a_supervisor_mends_what_lies_in_the_quarantine(centre: Instance, enter: Enter, lie: Lie) -> None:
    client, told = enter("map-supervisor"), received("PA-90005", 1)
    seq = lie(json.dumps(told | {"unit": "chon_thanh"}).encode())
    at, token = f"/quality/quarantine/{seq}", csrf(client)
    assert f"/quality/quarantine/{seq}" in client.get("/quality?code=wrong_unit").text
    again = client.post(f"{at}/resubmit", data={"event": json.dumps(told | {"unit": "nowhere"}), "csrf": token})
    assert again.headers["location"] == at
    page = client.get(at).text
    assert "Vẫn chưa hợp lệ" in page and "nowhere" in page  # what was written is still there
    done = client.post(f"{at}/resubmit", data={"event": json.dumps(told), "csrf": token})
    assert done.headers["location"] == "/quality"
    assert [SAID_RESENT in client.get(way).text for way in ("/quality", "/quality", "/quality?said=resubmit")] == [
        True, False, False,
    ]  # fmt: skip
    wait_until_idle(centre)
    assert stored(centre, told["id"]) == 1
    assert "Bản tin lỗi này không còn chờ xử lý" in client.get(at).text
    assert deeds(centre, "quarantine.resubmit")[-1] == f"quarantine.resubmit {seq} {WARD}"


def test_to_discard_takes_a_reason_and_nobody_else_may_do_any_of_it(centre: Instance, enter: Enter, lie: Lie) -> None:
    seq, client = lie(b'{"not": "an event"}'), enter("map-supervisor")
    at, data = f"/quality/quarantine/{seq}", {"reason": "thử", "event": json.dumps(received("PA-90006", 1))}
    for name in ("map-viewer", "map-bounded"):
        other = enter(name)
        assert "an event" not in other.get(at).text
        for deed in ("resubmit", "discard"):
            assert other.post(f"{at}/{deed}", data={**data, "csrf": csrf(other)}).status_code == 403
    assert client.post(f"{at}/discard", data=data).status_code == 403  # without the page's token
    token = csrf(client)
    assert client.post(f"{at}/discard", data={"reason": " ", "csrf": token}).headers["location"] == at
    assert client.post(f"{at}/burn", data={"csrf": token}).status_code == 403
    assert client.post(f"{at}/discard", data={"reason": "thử", "csrf": token}).headers["location"] == "/quality"
    assert deeds(centre, "quarantine.discard")[-1] == f"quarantine.discard {seq} {WARD}"


def test_a_bounded_supervisor_cannot_mend_an_event_into_another_unit(enter: Enter, lie: Lie, centre: Instance) -> None:
    told, seq, bounded = received("PA-90007", 1), lie(b"{", OTHER), enter("map-bounded")
    data = {"event": json.dumps(told), "csrf": csrf(bounded)}
    assert bounded.post(f"/quality/quarantine/{seq}/resubmit", data=data).headers["location"].endswith(f"/{seq}")
    assert "ngoài phạm vi" in bounded.get(f"/quality/quarantine/{seq}").text
    wait_until_idle(centre)
    assert stored(centre, told["id"]) == 0


@contextmanager
def unnoted(centre: Instance) -> Iterator[None]:
    """While the board can write nothing into the audit."""
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        conn.execute("REVOKE INSERT ON audit FROM ioc_board")
        try:
            yield
        finally:
            conn.execute("GRANT INSERT ON audit TO ioc_board")


def test_what_cannot_be_noted_is_not_done(centre: Instance, enter: Enter, lie: Lie) -> None:
    told, client, admin = received("PA-90008", 1), enter("map-supervisor"), enter("map-admin")
    seq, token = lie(json.dumps(told | {"unit": "chon_thanh"}).encode()), csrf(client)
    fields, head = {"event": json.dumps(told), "reason": "thử", "csrf": token}, {"x-csrf": csrf(admin)}
    client.headers["connection"] = admin.headers["connection"] = "close"  # as the server does after such an answer
    with unnoted(centre):
        for deed in ("resubmit", "discard"):
            assert client.post(f"/quality/quarantine/{seq}/{deed}", data=fields).status_code >= 500
        assert admin.post("/map/outlines?name=unnoted", content=json.dumps(SHAPE), headers=head).status_code >= 500
    assert "PA-90008" in client.get(f"/quality/quarantine/{seq}").text
    assert admin.get("/map/outlines").json()["features"] == []
    wait_until_idle(centre)
    assert stored(centre, told["id"]) == 0


def test_what_may_have_been_done_is_noted_as_that(centre: Instance, home: str) -> None:
    """The broker may have taken what it did not acknowledge in time."""

    async def silent() -> None:
        raise TimeoutError

    async def act() -> None:
        async with store.pool(settings_of(centre, "board"), "board") as pool:
            await carry_out(pool, Account("lan", "", "supervisor"), "quarantine.discard", 4711, meant)

    meant = PreparedAction({"reason": "thử"}, silent)
    with pytest.raises(ActionFailed, match="quarantine_unknown"):
        asyncio.run(act())
    with psycopg.connect(settings_of(centre, "cli").database("board")) as conn:
        found = conn.execute("SELECT by, detail FROM audit WHERE subject = '4711'").fetchall()
    assert found == [("lan", {"reason": "thử", "outcome": "unknown"})]


def test_no_link_says_that_something_was_done(enter: Enter) -> None:
    admin = enter("map-admin")
    refused, saved = WORDS["bad_name"][0], WORDS["saved"][0]
    way = admin.post("/people/add", data={"name": "?", "role": "viewer", "csrf": csrf(admin)}).headers["location"]
    assert [refused in admin.get(way).text for _ in range(2)] == [True, False]
    assert saved not in admin.get("/people?said=saved").text


def test_content_is_closed_to_those_of_another_unit_than_it_says(enter: Enter, lie: Lie) -> None:
    told, bounded = received("PA-90009", 1), enter("map-bounded")
    seq = lie(json.dumps(told).encode(), OTHER)
    at, data = f"/quality/quarantine/{seq}", {"event": "{}", "reason": "thử", "csrf": csrf(bounded)}
    assert at in bounded.get("/quality").text
    assert "PA-90009" not in bounded.get(at).text and "PA-90009" in enter("map-supervisor").get(at).text
    assert [bounded.post(f"{at}/{deed}", data=data).status_code for deed in ("resubmit", "discard")] == [403, 403]


def test_the_open_page_of_quality_follows_the_quarantine(home: str, enter: Enter, lie: Lie) -> None:
    browser = entered(home, "map-supervisor")
    with browser.socket(browser.page("/quality")) as page:
        seq = lie(b"[]")
        end = time.monotonic() + 10
        while f"/quality/quarantine/{seq}" not in str(page.recv(10)):
            assert time.monotonic() < end


def test_a_figure_tells_of_the_disagreement_that_it_rests_on(centre: Instance, enter: Enter, ioc: Ioc) -> None:
    stray = event("PA-90010-resolved", "report.resolved", 1, code="PA-90010")
    assert ioc("emit", "-", input=json.dumps(stray)).returncode == 0
    wait_until_idle(centre)
    told, client = "chưa có sự kiện tiếp nhận: 1 phản ánh", enter("map-viewer")
    assert told in client.get("/figure/reports_received").text
    assert told not in client.get("/figure/dossiers_received").text


@pytest.mark.parametrize(
    "here",
    [
        "/search?text=school", f"/map?unit={WARD}&state=open", "/quality?code=wrong_type", "/quality/quarantine/1",
        "/index766?rules=decree&component=ON_TIME&page=2", "/figure/overdue_share?span=week", "/worklist?kind=report",
        "/alarms?severity=critical", f"/system/field?unit={WARD}",
    ],
)  # fmt: skip
def test_who_changes_the_language_stays_where_they_are(home: str, here: str) -> None:
    found = re.search(r'href="([^"]*lang=en)"', entered(home, "map-admin").http.get(here).text)
    assert found
    assert html.unescape(found[1]) == f"{here}{'&' if '?' in here else '?'}lang=en"
