"""The morning brief, from the table of routes to a person's hand, on real NATS and TimescaleDB: once a day, whatever is
killed at the worst moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from subprocess import CompletedProcess
from typing import Any

import pytest
from alarms import event, eventually, notifying, now, query, send
from receiver import Receiver, receiving
from support import wait_until_idle

from infra.local.servers import Instance
from schemas.calendar import VN
from schemas.procedures import DossierAccepted, DossierResolved
from services.centre.prepare import settings_of
from services.kit import store
from services.reports import brief
from services.reports.brief_data import BriefData, brief_data

HERE = "phuong_an_loc"
Ioc = Callable[..., CompletedProcess[str]]


def routes(port: int) -> str:
    """A brief whose time has just come."""
    return f"""
[people]
chu_tich = {{ name = "Chủ tịch", channels = [{{ url = "json://127.0.0.1:{port}/chu_tich" }}] }}
pho = {{ name = "Phó", channels = [{{ url = "json://127.0.0.1:{port}/pho" }}] }}

[[briefs]]
name = "lanh_dao"
at = "{now().astimezone(VN):%H:%M}"
unit = "{HERE}"
to = ["chu_tich"]

[[briefs]]
name = "deputy"
at = "{now().astimezone(VN):%H:%M}"
unit = "{HERE}"
to = ["pho"]
language = "en"

[sending]
pauses = ["1s"]
per_minute = 1200
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_a_brief_comes_once_though_the_notifier_is_killed_while_it_is_sent(
    centre: Instance, receiver: Receiver, ioc: Ioc
) -> None:
    yesterday = now() - timedelta(days=1)
    codes = [f"H99.96-261128-{number:04}" for number in range(3)]
    accepted = (event(DossierAccepted(code=code, promised_at=now() + timedelta(days=9)), HERE, yesterday)
                for code in codes)  # fmt: skip
    send(centre, *accepted, event(DossierResolved(code=codes[0]), HERE, yesterday + timedelta(seconds=1)))
    centre.start_services(["aggregator"])
    wait_until_idle(centre)
    receiver.mood = "holds"  # it takes the brief, and its answer never comes
    with notifying(centre, routes(receiver.port)):
        receiver.wait("/chu_tich", "BẢN TIN SÁNG")
        receiver.wait("/pho", "MORNING BRIEF")
        assert query(centre, "SELECT DISTINCT state FROM brief") == [("sending",)]
        centre.kill("notifier")
        receiver.mood = "takes"
        receiver.released.set()
        centre.wait_ready("notifier", 30)
        first, again = receiver.wait("/chu_tich", "BẢN TIN SÁNG", 2)
        eventually(lambda: query(centre, "SELECT DISTINCT state FROM brief"), [("sent",)])
        assert "[Gửi lại / Repeat]" in again and "Gửi lại" not in first
        numbers = [re.findall(r"Bản tin số / Brief: (\d+)", text) for text in (first, again)]
        assert numbers[0] == numbers[1] != []
        assert first.split("\n", 1)[1] in again, "the same words"
        assert "Hôm qua tiếp nhận 3 hồ sơ, giải quyết 1" in first and "(chưa chốt)" in first

        centre.kill("notifier")
        centre.wait_ready("notifier", 30)
        eventually(lambda: query(centre, "SELECT count(*) FROM brief"), [(2,)])
        assert len(receiver.texts("/chu_tich")) == 2, "what was sent is not sent again"
    told = ioc("brief", "--unit", HERE)
    assert told.returncode == 0 and told.stdout.strip() in first.replace("\n\nBản tin số", "\nBản tin số")
    with_routes = query(centre, "SELECT person, length(title || body) < 1200 FROM brief ORDER BY person")
    assert with_routes == [("chu_tich", True), ("pho", True)]


def test_all_of_a_brief_is_of_one_moment(centre: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where more is stored between its index and its sentences."""
    texts = brief.read_texts(None)

    def then_more(*asked: Any) -> BriefData:
        data = brief_data(*asked)
        more = DossierAccepted(code="H99.96-261128-0009", promised_at=now() + timedelta(days=9))
        send(centre, event(more, HERE, now() - timedelta(days=1)))
        wait_until_idle(centre)
        return data

    def told() -> str:
        with store.connect(settings_of(centre, "cli"), "reader") as conn:
            return brief.brief(conn, texts, HERE, now(), "vi").text

    centre.start_services(["aggregator"])
    try:
        before = told()
        with monkeypatch.context() as patch:
            patch.setattr(brief, "brief_data", then_more)
            assert told() == before
        assert told() != before
    finally:
        centre.stop_process("aggregator")
