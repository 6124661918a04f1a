"""What is erased on request is nowhere any more, and no figure has moved; also where the erasing is killed, where the
same comes again, and where an older backup brings it back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import command, hanging, home_in, output_of, wait_until_idle

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from infra.timescaledb.backup import present
from schemas.envelope import Event
from schemas.registry import parse
from services.aggregator import rebuild
from services.centre.prepare import settings_of
from services.kit import bus, clock

REPORT, TWIN, PLACE = "PA-24.7731", "PA-24.7732", "Hẻm sau nhà ông Tư Lành"
DOSSIER, PAYMENT = "H57.25-261102-0917", "BL-26.5540"
WHY = "asked for by letter 12/2026"
START = clock.now() - timedelta(days=9)
SUBJECT = "ioc.events.phuong_chon_thanh.field.report.received"
FIGURES = """
SELECT 'point', s.measure, s.unit, p.time, p.key::text, p.value FROM point p JOIN series s ON s.id = p.series
UNION ALL SELECT 'day', s.measure, s.unit, r.bucket, r.count::text, r.sum
FROM rollup_day r JOIN series s ON s.id = r.series
UNION ALL SELECT 'month', s.measure, s.unit, r.bucket, r.count::text, r.sum
FROM rollup_month r JOIN series s ON s.id = r.series ORDER BY 1, 2, 3, 4, 5, 6
"""


def event(name: str, hours: float, unit: str = "phuong_chon_thanh", **data: Any) -> Event:
    number = data.get("code") or data["transaction"]
    body = {
        "specversion": "1.0", "id": f"{number}.{name}", "source": "/test/erase", "type": f"vn.ioc.{name}.v1",
        "time": (START + timedelta(hours=hours)).isoformat(), "unit": unit, "data": data,
    }  # fmt: skip
    return parse(json.dumps(body).encode(), clock.now())


def events() -> list[Event]:
    """A report with one that repeats it, and a dossier that was paid for; all are over."""
    received = {"channel": "app", "category": "road", "place": PLACE, "latitude": 11.5312, "longitude": 106.6177}
    submitted = {"procedure": "1.004227", "field": "land", "channel": "online", "online_level": "full"}
    due = {"promised_at": (START + timedelta(days=5)).isoformat()}
    return [
        event("report.received", 0, code=REPORT, **received),
        event("report.received", 1, code=TWIN, channel="app", category="road"),
        event("report.verified", 2, code=REPORT),
        event("report.refused", 3, code=TWIN, reason="duplicate", duplicate_of=REPORT),
        event("report.routed", 4, code=REPORT, to_unit="xa_nha_bich"),
        event("report.accepted", 5, unit="xa_nha_bich", code=REPORT),
        event("report.resolved", 30, unit="xa_nha_bich", code=REPORT, handling="handled"),
        event("report.rated", 50, code=REPORT, score=2),
        event("dossier.submitted", 0, code=DOSSIER, **submitted),
        event("dossier.accepted", 1, code=DOSSIER, **submitted, **due),
        event("payment.made", 2, transaction=PAYMENT, kind="fee", amount=50_000, method="qr_code", dossier=DOSSIER),
        event("dossier.resolved", 40, code=DOSSIER, paper_result=True),
    ]


@pytest.fixture(scope="module")
def own(open_folder: Path, new_centre: Callable[[Path], Instance]) -> Iterator[Instance]:
    """A centre of its own with these events; some came twice, one came otherwise, and one could not be understood."""
    folder = home_in(open_folder, "erase")
    running = new_centre(folder / "main")
    try:
        running.start(["nats", "timescaledb"])
        running.start_services(["aggregator"])
        told = events()
        otherwise = told[0].to_json().replace(b"road", b"waste")
        publish(running, [(e.subject, e.to_json()) for e in (*told, told[0], told[9])])
        publish(running, [(told[0].subject, otherwise), (SUBJECT, f"về {REPORT}: không rõ".encode())])
        wait_until_idle(running)
        assert len(in_streams(running, REPORT)) >= 12  # 7 events, one twice, and two that are in the quarantine too
        yield running
    finally:
        running.stop()


def publish(centre: Instance, messages: list[tuple[str, bytes]]) -> None:
    async def send() -> None:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            await bus.publish_raw(client.jetstream(), (bus.Outgoing(*message) for message in messages))

    asyncio.run(send())


def in_streams(centre: Instance, *words: str) -> list[tuple[str, int]]:
    """Where in the broker one of the words stands."""

    async def read() -> list[tuple[str, int]]:
        found = []
        async with bus.connected(settings_of(centre, "admin"), "test") as client:
            js = client.jetstream()
            for stream in ("EVENTS", "QUARANTINE", "ALERTS"):
                reader = await js.pull_subscribe(">", stream=stream, config=None)
                left = (await js.stream_info(stream)).state.messages
                while left:
                    for message in await reader.fetch(500, timeout=5):
                        left = message.metadata.num_pending
                        text = message.data.decode(errors="replace") + str(message.headers)
                        if any(word in text for word in words):
                            found.append((stream, message.metadata.sequence.stream))
        return found

    return asyncio.run(read())


def in_database(centre: Instance, *words: str) -> list[str]:
    """The tables in which one of the words stands."""
    with psycopg.connect(settings_of(centre, "admin").database("owner")) as conn:
        query = "SELECT count(*) FROM {} t WHERE t::text LIKE ANY (%s)"
        patterns = [f"%{word}%" for word in words]
        rows = {table: conn.execute(query.format(table).encode(), [patterns]).fetchone() for table in present(conn)}
    return [table for table, row in rows.items() if row and row[0]]


def figures(centre: Instance) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings_of(centre, "cli").database("reader")) as conn:
        return conn.execute(FIGURES).fetchall()


def disagreements(centre: Instance) -> list[Any]:
    return rebuild.check(settings_of(centre, "cli").database("owner"), lambda *_: None)


def test_a_case_is_erased_everywhere_and_no_figure_moves(own: Instance) -> None:
    folder = own.data.parent / "before"
    output_of(own, "backup", str(folder))
    before, lying = figures(own), in_streams(own, REPORT)
    shown = output_of(own, "erase", "case", "report", REPORT, "--reason", WHY)
    assert "7 events would be erased" in shown and f"report {TWIN}" in shown
    assert in_streams(own, REPORT) == lying and figures(own) == before, "a dry run changes nothing"

    output_of(own, "erase", "case", "report", REPORT, "--reason", WHY, "--yes", "--user", "lan")
    assert in_database(own, REPORT, PLACE, "11.5312") == []
    assert in_streams(own, REPORT, PLACE, "11.5312") == []
    assert figures(own) == before and disagreements(own) == []
    assert "entity" in in_database(own, TWIN), "the report that repeats it stays"
    first, last = (f"{START + timedelta(days=days):%Y-%m-%d}" for days in (-1, 2))
    opened = output_of(own, "explain", "reports_received", "--from", first, "--to", last)
    assert f"erased on {clock.now():%Y}" in opened and f"by cli:lan because {WHY}" in opened
    noted = output_of(own, "erase", "list")
    assert "PA-ERASED." in noted and WHY in noted and "not finished" not in noted
    assert {"audit", "outbox"} <= set(in_database(own, "data.erased")), "the audit is told to others"


def test_what_was_erased_is_not_stored_again(own: Instance) -> None:
    before = figures(own)
    told = [e for e in events() if REPORT in e.to_json().decode()]
    publish(
        own,
        [(e.subject, e.to_json()) for e in told] + [(told[0].subject, told[0].to_json().replace(b"road", b"water"))],
    )
    wait_until_idle(own)
    assert in_streams(own, REPORT, PLACE) == [] and in_database(own, REPORT, PLACE) == []
    assert figures(own) == before


def test_one_event_a_refused_message_and_what_cannot_be_erased(own: Instance) -> None:
    """An event's own words go and its case goes on; what was refused goes with its copy."""
    before, body = figures(own), {"code": "PA-24.8800", "channel": "app", "category": "road", "place": "cổng chùa Bà"}
    publish(own, [(e.subject, e.to_json()) for e in [event("report.received", 60, **body)]])
    publish(own, [(SUBJECT, b"{cong chua Ba")])
    wait_until_idle(own)
    ((_, refused),) = [found for found in in_streams(own, "{cong chua") if found[0] == "QUARANTINE"]
    for arguments, why in {
        ("case", "report", "PA-24.8800"): "is not over",
        ("case", "report", REPORT): "or it was erased",
        ("case", "roster", "x"): "bears no number",
        ("event", "/test/erase", "nothing"): "no such event",
        ("message", "EVENTS", "1"): "nothing lies in EVENTS",
    }.items():
        done = command(own, "erase", *arguments, "--reason", WHY, "--yes")
        assert done.exit_code == 1 and why in done.output, done.output
    named = command(own, "erase", "event", "/test/erase", "x", "--reason", "gọi 0912345678", "--yes")
    assert named.exit_code == 2 and "phone" in named.output
    output_of(own, "erase", "event", "/test/erase", "PA-24.8800.report.received", "--reason", WHY, "--yes")
    output_of(own, "erase", "message", "QUARANTINE", str(refused), "--reason", WHY, "--yes")
    assert in_streams(own, "chùa Bà", "cong chua") == [] and in_database(own, "chùa Bà") == []
    assert "entity" in in_database(own, "PA-24.8800") and len(figures(own)) > len(before) and disagreements(own) == []


def test_killed_between_database_and_broker_it_is_finished_later(own: Instance) -> None:
    """The broker hangs while the database is done; then the command is killed."""
    before = figures(own)
    arguments = ("erase", "case", "dossier", DOSSIER, "--reason", WHY, "--yes", "--user", "lan")
    env = {**os.environ, "IOC_HOME": str(own.data.parent), "IOC_INSTANCE": own.data.name}
    owner = settings_of(own, "admin").database("owner")
    with psycopg.connect(owner, autocommit=True) as seeing, psycopg.connect(owner) as blocking:
        blocking.execute("LOCK TABLE outbox")  # it waits here, in its transaction; the broker was asked before
        erasing = subprocess.Popen([sys.executable, "-m", "services.cli", *arguments], env=env, cwd=CHECKOUT)
        until(lambda: seeing.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount)
        with hanging(own.pid("nats") or 0):
            blocking.commit()
            until(lambda: seeing.execute("SELECT FROM erasure WHERE kind = 'dossier'").rowcount)
            erasing.send_signal(signal.SIGKILL)
            erasing.wait()
    assert len(in_streams(own, DOSSIER)) >= 5 and "not finished" in output_of(own, "erase", "list")
    assert "finished 1" in output_of(own, "erase", "again")
    assert in_streams(own, DOSSIER) == [] and in_database(own, DOSSIER) == []
    assert figures(own) == before and disagreements(own) == [] and "entity" in in_database(own, PAYMENT)


def test_a_backup_of_before_brings_back_figures_and_no_person(own: Instance) -> None:
    """The database alone, whose stream lacks what came after the backup and was erased; then both; then by a list."""
    late = [event("report.received", 70, code="PA-24.9900", channel="web", category="waste", place="ngõ nhà bà Sáu")]
    late += [event("report.resolved", 71, code="PA-24.9900", handling="answered")]
    publish(own, [(e.subject, e.to_json()) for e in late])
    wait_until_idle(own)
    output_of(own, "erase", "case", "report", "PA-24.9900", "--reason", WHY, "--yes")
    words, before = (REPORT, DOSSIER, PLACE, "PA-24.9900", "bà Sáu"), figures(own)
    listed = output_of(own, "erase", "list", "--format", "json")
    for parts in (["--only", "database"], []):
        output_of(own, "restore", str(own.data.parent / "before"), "--replace", *parts)
        wait_until_idle(own)
        assert in_database(own, *words) == [] and in_streams(own, *words) == []
        assert disagreements(own) == []
        assert output_of(own, "erase", "list", "--format", "json").count(WHY) == listed.count(WHY)
        assert figures(own) == before
    (own.data.parent / "erasures.json").write_text(listed)
    assert "0 of 4 were new" in output_of(own, "erase", "again", str(own.data.parent / "erasures.json"))


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
