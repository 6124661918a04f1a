"""Issues of a report on a real centre: kept, verified, corrected, and kept by themselves at their time, once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from functools import partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from support import command, output_of

from infra.local.servers import Instance
from schemas.indicators import CATALOGUE
from schemas.indicators.checks import Check
from schemas.indicators.formula import Combine, Sum
from schemas.registry import parse
from services.aggregator import staging
from services.aggregator.event_store import EventStore, Incoming
from services.board.pages.reports import schedule
from services.board.pages.reports.maker import Maker
from services.board.pages.reports.schedule import Schedule, keep_due
from services.centre.prepare import settings_of
from services.kit import clock, store

OFFICE = Path(__file__).parents[2] / "services/reports/report.toml"

ISSUED = ("08/2025", "--unit", "xa_nghia_trung")
"""A month of which no other test knows."""


def pay(centre: Instance, id: str, amount: int, unit: str = "xa_nghia_trung") -> None:
    """A payment of that month becomes known now."""
    raw = {
        "specversion": "1.0", "id": id, "source": "/late", "type": "vn.ioc.payment.made.v1",
        "time": "2025-08-05T03:00:00Z", "unit": unit,
        "data": {"transaction": id, "kind": "fee", "amount": amount, "method": "qr_code"},
    }  # fmt: skip
    now = datetime.now(UTC)
    event = parse(json.dumps(raw).encode(), now)

    async def run() -> None:
        async with store.pool(settings_of(centre, "cli"), "aggregator", size=3, configure=staging.make) as pool:
            await EventStore(pool).store([Incoming(event, now)])

    asyncio.run(run())


def test_an_issue_is_verified_and_a_corrected_one_says_what_changed(
    centre: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = partial(command, centre, "report")
    pay(centre, "TXN-LATE-1", 5_000)
    first = ask(*ISSUED, "--store", "--user", "van-thu", "-o", str(tmp_path / "a.json"))
    assert first.exit_code == 0, first.output
    issue = re.findall(r"issue (\d+), ([0-9a-f]{64})", first.output)[0]
    assert issue[1] == sha256((tmp_path / "a.json").read_bytes()).hexdigest()
    again = ask(*ISSUED, "--store", "--user", "van-thu", "-o", str(tmp_path / "b.json"))
    assert f"issue {issue[0]}, {issue[1]}" in again.output, "the same content is the same issue"
    office = tmp_path / "office.toml"
    office.write_text(OFFICE.read_text(encoding="utf-8").replace('name = ""', 'name = "Người Ký"'), encoding="utf-8")
    monkeypatch.setenv("IOC_REPORT_TEXTS", str(office))  # other words of today do not matter
    assert f"issue {issue[0]} holds, of the same events" in ask("--verify", issue[0]).output
    monkeypatch.delenv("IOC_REPORT_TEXTS")

    pay(centre, "TXN-LATE-2", 7_000)
    pay(centre, "TXN-LATE-3", 1_000, "xa_bom_bo")
    failed = ask("--verify", issue[0])
    assert failed.exit_code == 1 and "would be another today" in failed.output
    assert "5.000 -> 12.000" in failed.output and "1 of vn.ioc.payment.made.v1 from /late, TXN-LATE-2" in failed.output
    assert "recorded since: 1 of other units" in failed.output and "TXN-LATE-3" not in failed.output
    second = ask(*ISSUED, "--store", "--user", "van-thu", "-o", str(tmp_path / "c.json"))
    assert f"it corrects issue {issue[0]}" in second.output and "5.000 -> 12.000" in second.output
    listed = output_of(centre, "report", "--list").splitlines()
    assert len(listed) == 3 and "Xã Nghĩa Trung" in listed[1] and "van-thu" in listed[1]
    for form in ("json", "html", "xlsx", "docx", "pdf"):
        files = [tmp_path / f"{n}.{form}" for n in (1, 2)]
        for file in files:
            assert ask("--issue", issue[0], "-o", str(file)).exit_code == 0
        assert files[0].read_bytes() == files[1].read_bytes()
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "a.json").read_bytes()
    assert "there is no issue 999" in ask("--issue", "999").output
    assert "one of PERIOD" in ask().output


def test_other_forms_are_kept_each_by_itself(centre: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole report, form II.06 and one of an office's own, of the same unit and days."""
    ask, user = partial(command, centre, "report"), ("--store", "--user", "van-thu")
    office = tmp_path / "office.toml"
    own = '[forms.fees]\nname = "Phí, lệ phí"\nsubject = "Phí {period}"\n[[forms.fees.sections]]\n'
    own += 'title = "Phí"\ntext = ["Có {payments_online_count} giao dịch."]\ntables = ["payments"]\n'
    office.write_text(OFFICE.read_text(encoding="utf-8") + own, encoding="utf-8")
    pay(centre, "TXN-FORM-1", 5_000, "xa_phuoc_son")
    asked = ("08/2025", "--unit", "xa_phuoc_son")
    monkeypatch.setenv("IOC_REPORT_TEXTS", str(office))
    kept = dict[str, str]()
    for kind in ("", "fees", "ii06", "fees"):
        said = ask(*asked, *(("--as", kind) if kind else ()), *user, "-o", str(tmp_path / f"{kind or 'whole'}.json"))
        assert said.exit_code == 0 and "it corrects" not in said.output, said.output
        number = said.output.split()[1].strip(",")
        assert kept.setdefault(kind, number) == number, "what says the same is the same issue"
    assert len(set(kept.values())) == 3
    monkeypatch.delenv("IOC_REPORT_TEXTS")  # today there is no such form
    assert all(f"issue {number} holds" in ask("--verify", number).output for number in kept.values())

    pay(centre, "TXN-FORM-2", 7_000, "xa_phuoc_son")
    assert "holds, though other events" in ask("--verify", kept["ii06"]).output, "no payment stands in it"
    assert "5.000 -> 12.000" in ask("--verify", kept["fees"]).output
    monkeypatch.setenv("IOC_REPORT_TEXTS", str(office))
    second = ask(*asked, "--as", "fees", *user, "-o", str(tmp_path / "second.json"))
    assert f"it corrects issue {kept['fees']}" in second.output and "5.000 -> 12.000" in second.output
    rows = output_of(centre, "report", "--list").splitlines()[1:]
    assert [row.split()[1] for row in rows] == ["fees", "ii06", "fees", "report"]


def test_an_issue_holds_years_later_on_a_centre_that_tells_more(
    centre: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A figure that came later, one that is called otherwise now, and a finding that nobody looked for then."""
    ask = partial(command, centre, "report")
    pay(centre, "TXN-YEARS", 9_000, "xa_bom_bo")
    kept = ask("08/2025", "--store", "--user", "van-thu", "-o", str(tmp_path / "kept.json"))
    assert kept.exit_code == 0, kept.output
    number = kept.output.split()[1].strip(",")

    later = datetime(2031, 12, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: later)
    paid = CATALOGUE["payments_online_count"]
    monkeypatch.setitem(CATALOGUE, paid.code, replace(paid, vi="Tên gọi mới"))
    monkeypatch.setitem(CATALOGUE, "added", replace(paid, code="added", vi="Chỉ số mới"))
    added = Check("added", "Đối chiếu mới", "A new check", Sum("payments"), Combine((), (Sum("payments"),)), "VND")
    findings = import_module("services.readings.findings")
    monkeypatch.setattr(findings, "CHECKS", (*findings.CHECKS, added))
    verified = ask("--verify", number)
    assert f"issue {number} holds, of the same events" in verified.output, verified.output
    today = output_of(centre, "report", "08/2025", "--format", "json")
    assert "Tên gọi mới" in today and "Chỉ số mới" in today


@pytest.fixture(autouse=True)
def cleared(centre: Instance) -> Iterator[None]:
    """No issue is left for other tests."""
    yield
    with psycopg.connect(settings_of(centre, "cli").database("owner"), autocommit=True) as conn:
        conn.execute("DELETE FROM report_issue")


def test_the_months_report_is_kept_once_though_two_keep_it_and_one_is_ended(
    centre: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in centre.env("board").items():
        monkeypatch.setenv(name, value)
    now = clock.now()
    planned = Schedule(1, time(0), ("xa_nghia_trung", None))

    async def run() -> None:
        async with store.pool(settings_of(centre, "board"), "board", size=4) as pool:
            maker = Maker()
            ended = asyncio.create_task(keep_due(planned, "xa_nghia_trung", pool, maker))
            await asyncio.sleep(0.5)
            ended.cancel()  # as a board is that stops while a report is made
            await asyncio.gather(ended, return_exceptions=True)
            for _ in range(2):
                await asyncio.gather(*(keep_due(planned, unit, pool, maker) for unit in (*planned.units, None)))

    asyncio.run(run())
    rows = output_of(centre, "report", "--list").splitlines()[1:]
    assert len(rows) == 2 and all("schedule" in row for row in rows)
    month = planned.due(now)
    assert month and all(f"{month[0]:%d/%m/%Y} – {month[1]:%d/%m/%Y}" in row for row in rows)
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        sql = "SELECT count(*) FROM audit WHERE action = 'report.issued' AND by = 'schedule'"
        assert conn.execute(sql).fetchone() == (2,)


def test_a_schedule_is_read_and_due_from_its_hour_on(centre: Instance) -> None:
    settings = settings_of(centre, "board").model_copy(
        update={"report_schedule": "3 07:00", "report_units": "Phường Chơn Thành, dong_nai"}
    )
    planned = schedule.read(settings)
    assert planned and planned.units == ("phuong_chon_thanh", "dong_nai")
    before, at = datetime(2026, 11, 2, 23, 59, tzinfo=UTC), datetime(2026, 11, 3, 0, 0, tzinfo=UTC)
    assert planned.due(before) is None and str(planned.due(at)) == str(planned.due(datetime(2026, 11, 30, tzinfo=UTC)))
    assert [day.isoformat() for day in planned.due(at) or ()] == ["2026-10-01", "2026-10-31"]
    for update, said in (({"report_schedule": "31 07:00"}, "3 07:00"), ({"report_units": "nowhere"}, "nowhere")):
        with pytest.raises(schedule.BadSchedule, match=said):
            schedule.read(settings.model_copy(update=update))
