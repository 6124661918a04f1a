"""Whatever is thrown at a door, it answers: taken, or refused with a reason. No number of a person stays anywhere."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

import httpx
import pytest
from chance import examples
from click.testing import CliRunner
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from nats.aio.msg import Msg
from psycopg_pool import AsyncConnectionPool
from sheets import Page, ods, text_table, xls, xlsx
from thrown import (
    DOSSIER,
    EVENTS,
    NAME,
    REPORT,
    VALUES,
    WARD,
    answered,
    changed,
    numbers,
    several,
    spoiled,
    texts,
    written,
)  # fmt: skip

from schemas import personal
from schemas.envelope import Event, Invalid
from schemas.keys import Bounds, Owners, subject_by
from schemas.masking import masked
from schemas.registry import DATA_TYPES, SYSTEMS, parse
from schemas.text import files
from services.aggregator.validate import admit
from services.cli.app import main
from services.ingest import cloudevents
from services.ingest.app import EMITTERS
from services.ingest.devices import Devices
from services.ingest.examples import example
from services.ingest.keyring import Keyring
from services.ingest.limits import Limits
from services.ingest.onestop import door as onestop
from services.ingest.onestop import rows as onestop_rows
from services.ingest.open311 import router as open311
from services.ingest.open311.reports import Reports
from services.ingest.router import Refused, Stored, router
from services.ingest.spreadsheets.answering import answer
from services.ingest.stream import Counts
from services.kit import clock
from services.kit.keys import Key, digest

SECRET = "iock_" + "x" * 43
FUZZED = {"suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow], "long": 10_000}


class Doors:
    """All doors in this process, opened by one secret. What they publish is kept here; there is no database."""

    def __init__(self, name: str = NAME) -> None:
        self.published: list[Event] = []
        self._runner = asyncio.Runner()
        pool = AsyncConnectionPool("host=127.0.0.1 port=9", open=False)
        keyring, now = Keyring(pool, 1e15), clock.now()
        self._name, bounds = name, Bounds(name, f"/{name}", tuple(SYSTEMS))
        until = now + timedelta(days=400)
        keyring.know([Key(bounds, 1e12, now, until, None, None, {digest(SECRET): until})])
        self.keyring = keyring
        self.app = app = FastAPI()
        app.include_router(cloudevents.router(cloudevents.endpoint(keyring, self._publish)))
        app.include_router(onestop.router(keyring, self._publish))
        app.include_router(open311.router(keyring, Reports(pool), self._publish, public=False))
        for emitter in EMITTERS.values():
            app.include_router(router(emitter, SECRET, self._publish, Limits(1e12, 1e15)))
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://doors")

    async def _publish(self, event: Event, by: str | None = None) -> Stored:
        assert by in (self._name, None)
        self.published.append(event)
        return Stored(len(self.published), known=False)

    def post(self, path: str, body: bytes, kind: str, **headers: str) -> httpx.Response:
        """What is answered; what goes wrong within a door is raised here."""
        said = {"Authorization": f"Bearer {SECRET}", "Content-Type": kind, **headers}
        return self._runner.run(self._client.post(path, content=body, headers=said))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    opened = Doors()
    yield opened
    opened.close()


# --- what must be true ---


def check(doors: Doors, answer: httpx.Response, caplog: pytest.LogCaptureFixture, source: str = f"/{NAME}") -> None:
    """It is an answer of those that are documented, with a reason for each refusal, and nobody's number."""
    said = answered(answer)
    events, doors.published = doors.published, []
    for event in events:
        assert parse(event.to_json(), clock.now()).digest == event.digest
        assert event.source.startswith(source)
    kept = [json.loads(event.to_json()) for event in events]
    assert [text for text in texts([said, kept, caplog.text]) if personal.find(text)] == []
    caplog.clear()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    caplog.set_level(logging.WARNING, "httpx")  # who asks, and writes down the address
    return caplog


@examples(60, **FUZZED)
@given(body=written(EVENTS))
def test_one_event(doors: Doors, logged: pytest.LogCaptureFixture, body: bytes) -> None:
    check(doors, doors.post("/events", body, cloudevents.ONE), logged)


@examples(25, **FUZZED)
@given(event=changed(EVENTS))
def test_one_event_in_binary_form(doors: Doors, logged: pytest.LogCaptureFixture, event: dict[str, Any]) -> None:
    names = {name: value for name, value in event.items() if name.isascii() and name.isalnum() and name != "data"}
    headers = {f"ce-{name}": quote(str(value)[:2000], safe="") for name, value in names.items()}
    body = json.dumps(event.get("data")).encode()
    check(doors, doors.post("/events", body, "application/json", **headers), logged)


@examples(30, **FUZZED)
@given(body=several(EVENTS, b",").map(lambda inner: b"[" + inner + b"]").flatmap(spoiled))
def test_a_batch(doors: Doors, logged: pytest.LogCaptureFixture, body: bytes) -> None:
    check(doors, doors.post("/events", body, cloudevents.BATCH), logged)


@examples(30, **FUZZED)
@given(body=several(EVENTS, b"\n"))
def test_lines(doors: Doors, logged: pytest.LogCaptureFixture, body: bytes) -> None:
    check(doors, doors.post("/events", body, cloudevents.LINES), logged)


@examples(40, **FUZZED)
@given(body=written([DOSSIER]) | several([DOSSIER], b",").map(lambda inner: b"[" + inner + b"]").flatmap(spoiled))
def test_dossiers_of_a_onestop_system(doors: Doors, logged: pytest.LogCaptureFixture, body: bytes) -> None:
    check(doors, doors.post(onestop.PATH, body, "application/json"), logged)


@st.composite
def exports(draw: st.DrawFn) -> bytes:
    """A file of dossiers: JSON, or a table in one of four formats, with a column of persons."""
    if draw(st.booleans()):
        return draw(several([DOSSIER], b"\n"))
    rows = draw(st.lists(changed([DOSSIER]), min_size=1, max_size=3))
    heads = [*DOSSIER, "Chủ hồ sơ"]
    cells = [[_cell(row.get(head, draw(VALUES))) for head in heads] for row in rows]
    return draw(st.just(_saved(draw, Page([["Danh sách hồ sơ"], heads, *cells]))).flatmap(spoiled))


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else str(value)


def _saved(draw: st.DrawFn, page: Page) -> bytes:
    """A page in one of the formats; as XLS seldom, as another process opens each of them."""
    kind = draw(st.sampled_from(["csv"] * 12 + ["xlsx"] * 4 + ["ods"] * 4 + ["xls"]))
    texts = [[str(value).encode(errors="replace").decode().replace("\0", "") for value in row] for row in page.rows]
    if kind == "csv":
        encoding = draw(st.sampled_from(["utf-8-sig", "utf-8", "utf-16"]))
        return text_table(Page(texts), draw(st.sampled_from([";", ",", "\t"])), encoding)
    return {"xlsx": xlsx, "ods": ods, "xls": xls}[kind](Page(texts))


@examples(40, **FUZZED)
@given(raw=exports())
def test_files_of_a_onestop_system(logged: pytest.LogCaptureFixture, raw: bytes) -> None:
    told, counts, dropped = list[str](), Counts(), Counter[str]()
    try:
        found = list(onestop_rows.events(raw, "ho-so", f"/{NAME}", clock.now(), counts, told.append, dropped))
    except files.Unreadable as wrong:
        found, told = [], [str(wrong)]
        assert len(told[0]) > 10
    else:
        assert counts.read == len(found) + counts.rejected and len(told) >= counts.rejected
    for event in found:
        assert parse(event.to_json(), clock.now()).digest == event.digest
    kept = [json.loads(event.to_json()) for event in found]
    assert [text for text in texts([told, kept, dict(dropped), logged.text]) if personal.find(text)] == []


@examples(40, **FUZZED)
@given(said=changed([REPORT]), form=st.sampled_from(["json", "json", "xml", "html"]), data=st.data())
def test_reports_by_open311(
    doors: Doors, logged: pytest.LogCaptureFixture, said: dict[str, Any], form: str, data: st.DataObject
) -> None:
    body = data.draw(spoiled(urlencode(said, errors="replace").encode()))
    kind = data.draw(st.sampled_from(["application/x-www-form-urlencoded"] * 3 + ["application/json"]))
    check(doors, doors.post(f"{open311.V2}/requests.{form}", body, kind), logged)


FORM = "application/x-www-form-urlencoded"
VISITS = {**cloudevents.EXAMPLE, "source": f"/{NAME}"}
ATTRIBUTES = {f"ce-{name}": str(value) for name, value in VISITS.items() if name != "data"}
BODIES: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "one event": ("/events", json.dumps(VISITS), cloudevents.ONE, {}),
    "binary form": ("/events", json.dumps(VISITS["data"]), "application/json", ATTRIBUTES),
    "a batch": ("/events", json.dumps([VISITS, VISITS]), cloudevents.BATCH, {}),
    "lines": ("/events", json.dumps(VISITS) + "\n", cloudevents.LINES, {}),
    "a dossier": (onestop.PATH, json.dumps(DOSSIER), "application/json", {}),
    "dossiers": (onestop.PATH, json.dumps([DOSSIER]), "application/json", {}),
    "a report": (f"{open311.V2}/requests.json", urlencode(REPORT), FORM, {"Idempotency-Key": "7"}),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_byte_order_mark_is_passed_over_and_another_encoding_is_named(doors: Doors, what: str) -> None:
    path, body, kind, headers = BODIES[what]
    plain = doors.post(path, body.encode(), kind, **headers)
    published, doors.published = doors.published, []
    assert plain.status_code in (200, 202) and published, plain.text
    marked = doors.post(path, body.encode("utf-8-sig"), kind, **headers)
    assert marked.status_code == plain.status_code, marked.text
    assert [event.data for event in doors.published] == [event.data for event in published]
    doors.published = []
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        wide = doors.post(path, body.encode(encoding), kind, **headers)
        assert wide.status_code == 400 and "UTF-16" in wide.text and not doors.published, wide.text


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_is_packed_is_refused_as_such(doors: Doors, what: str) -> None:
    path, body, kind, headers = BODIES[what]
    for coding in ("gzip", "GZIP", "br"):
        packed = doors.post(path, gzip.compress(body.encode()), kind, **headers, **{"Content-Encoding": coding})
        assert packed.status_code == 400 and "Content-Encoding" in packed.text, packed.text
    plain = doors.post(path, body.encode(), kind, **headers, **{"Content-Encoding": "identity"})
    assert plain.status_code in (200, 202) and doors.published
    doors.published = []


# --- the words of source systems, what devices say, and what comes by the broker ---

SHOWN = [(name, post, one) for name, emitter in EMITTERS.items() for post in emitter.posts
         if (one := example(post.path, post.words, post.event))]  # fmt: skip
STEP = numbers().filter(lambda text: "/" not in text) | st.sampled_from(["PA-1", "%", "..%2f", "x" * 300, "\u200b"])


@examples(40, **FUZZED)
@given(post=st.sampled_from(SHOWN), data=st.data())
def test_words_of_a_source_system(
    doors: Doors, logged: pytest.LogCaptureFixture, post: Any, data: st.DataObject
) -> None:
    name, door, shown = post
    parameters = {
        known: value if known == "transaction" else data.draw(st.just(value) | STEP)
        for known, value in shown.parameters.items()
    }
    path = door.path.format(**{known: quote(value, safe="") for known, value in parameters.items()})
    check(doors, doors.post(path, data.draw(written([shown.body])), "application/json"), logged, f"/{name}/")


HEARTBEAT = {"kind": "camera", "state": "online", "counter": 17, "at": "2026-11-20T08:00:00+07:00"}
UNITS = st.sampled_from([WARD, WARD, "phuong_binh_long", "nowhere", "0912345678"])
DEVICES = st.just("CAM-1") | numbers().map(lambda text: "".join(text.split()).replace(".", "//"))


@examples(60, **FUZZED)
@given(body=written([HEARTBEAT]), unit=UNITS, device=DEVICES, name=st.sampled_from([NAME, NAME, NAME, "another"]))
def test_what_a_device_says(
    doors: Doors, logged: pytest.LogCaptureFixture, body: bytes, unit: str, device: str, name: str
) -> None:
    hearing = Devices(doors.keyring, cast(Any, None), cast(Any, None))
    said: list[Any] = []
    try:
        event, by = hearing.understood(f"ioc.devices.{unit}.{device}.{name}", body, clock.now())
    except Refused as refused:
        assert refused.problem.code and all(refused.problem.reasons) and refused.problem.reasons
        said = [refused.problem.code, *refused.problem.reasons]
    else:
        assert by == NAME and parse(event.to_json(), clock.now()).digest == event.digest
        said = [json.loads(event.to_json())]
    assert [text for text in texts([said, logged.text]) if personal.find(text)] == []


OWNERS = Owners([Bounds(NAME, f"/{NAME}", tuple(SYSTEMS))])


@examples(60, **FUZZED)
@given(body=written(EVENTS), unit=UNITS, by=st.sampled_from([NAME, NAME, "another", None]), data=st.data())
def test_what_comes_by_the_broker(
    logged: pytest.LogCaptureFixture, body: bytes, unit: str, by: str | None, data: st.DataObject
) -> None:
    about = data.draw(st.sampled_from(list(DATA_TYPES.values())))
    subject = subject_by(f"ioc.events.{unit}.{about.system}.{about.event}", by)
    with suppress(Invalid):  # its own subject, where it has one
        subject = subject_by(parse(body, clock.now()).subject, by)
    at = "$JS.ACK.EVENTS.aggregator.1.7.7.1796000000000000000.0"
    accepted, refused = admit([Msg(cast(Any, None), subject, at, body)], clock.now(), OWNERS)
    assert len(accepted) + len(refused) == 1
    for _, incoming in accepted:
        assert by == NAME and incoming.event.source.startswith(f"/{NAME}")
        assert [text for text in texts(json.loads(incoming.event.to_json())) if personal.find(text)] == []
    for one in refused:
        assert one.invalid.code and one.invalid.reason and not personal.find(one.invalid.reason)
        kept = (masked(body) or body).decode(errors="replace")
        assert not personal.find(kept), "what lies in the quarantine"


# --- workbooks ---

HEAD = ["Đến ngày", "Đơn vị", "Cơ sở", "Lượt khám", "Lượt khám BHYT", "Giường bệnh", "Giường đang sử dụng"]
GOOD = ["20/11/2026", "Phường Chơn Thành", "Trạm y tế", "41", "38", "20", "11"]
CELLS = st.one_of(
    st.sampled_from([*GOOD, "", "-", "1.234", "2,05", "1e5", "98%", "20/13/2026", "Tổng cộng", "0,98", "x" * 300]),
    numbers(), st.text(max_size=20).filter(lambda text: "\x00" not in text),
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, min_size=7, max_size=8) | st.just(GOOD), max_size=4)
BOOKS = [write(Page([["Khám chữa bệnh"], HEAD, GOOD])) for write in (xlsx, xls, ods)]


@st.composite
def books(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        return draw(st.sampled_from(BOOKS).flatmap(spoiled))
    title = ["Khám chữa bệnh", draw(CELLS)]
    head = [draw(CELLS) if draw(st.integers(0, 9)) == 0 else name for name in HEAD]
    extra = [draw(st.sampled_from(["Họ và tên", "Điện thoại", "Ghi chú"]))]
    page = Page([title, head + extra, *draw(ROWS)])
    return draw(spoiled(_saved(draw, page)))


def on_the_board(file: Path, options: list[str]) -> dict[str, Any]:
    """What the board is told of the file, for an account of no unit: nothing is asked of a database."""
    asked: dict[str, Any] = {"file": str(file), "name": file.name, "digest": "", "scope": []}
    asked |= {"template": "health" if options else None, "period": options[3] if len(options) > 2 else None}
    return answer(asked)


@examples(25, **FUZZED)
@given(raw=books(), options=st.sampled_from([[], ["--as", "health"], ["--as", "health", "--period", "20/11/2026"]]))
def test_workbooks(tmp_path: Path, logged: pytest.LogCaptureFixture, raw: bytes, options: list[str]) -> None:
    file = tmp_path / "kham.xlsx"
    file.write_bytes(raw)
    env = {"IOC_HOME": str(tmp_path / "home")}
    done = CliRunner().invoke(main, ["import", str(file), "--dry-run", "--format", "json", *options], env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    found = json.loads(done.stdout) if done.stdout else {}
    if done.exit_code:
        assert found.get("questions") or len(done.stderr) > 20
    shown = on_the_board(file, options) if found.get("events") else {}
    assert not shown or shown["open"] == len(found["questions"])
    assert [text for text in texts([found, shown, done.stderr, logged.text]) if personal.find(text)] == []


def test_what_is_thrown_is_seen_to_be_of_a_person() -> None:
    """The tests above would find it."""
    assert all(personal.find(text) for text in ("PA-0912345678", "x/079304001234", "Liên hệ 51A-123.45"))
