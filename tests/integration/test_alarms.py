"""Alarms on real servers: raised once, told once, taken by name, cleared when it is over, and nothing of it lost."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from alarms import alarm, closed, event, eventually, notifying, now, opened, post, query, send, steps, watchdog
from receiver import Receiver, receiving

from infra.local.secrets import write_private
from infra.local.servers import Instance
from schemas.procedures import DossierAccepted
from services.board.access import GIVEN, Account
from services.centre.prepare import settings_of
from services.kit import bus, store
from services.notifier import alarm_repository
from services.notifier.alarm import Raise
from services.notifier.delivery import SENDING
from services.notifier.escalation import PlannedNotification

HERE, STEPPED, CHAINED, DIGESTED, ZALO, QUIET = (
    "xa_da_kia",
    "xa_bu_gia_map",
    "xa_dak_o",
    "phuong_phuoc_binh",
    "phuong_phuoc_long",
    "xa_thuan_loi",
)
CHOSEN = """
SELECT count(*) FROM pg_locks sends JOIN pg_locks waits USING (pid)
WHERE sends.objid = %s AND sends.granted AND waits.objid = %s AND NOT waits.granted
"""
"""Whether the one who may send waits to be the one who may write."""
ROUTES = """
[people]
an = {{ name = "An", channels = [{{ url = "json://127.0.0.1:{port}/an", inside = true }}] }}
binh = {{ name = "Bình", channels = [{{ url = "json://127.0.0.1:{port}/binh", inside = true }}] }}
chi = {{ name = "Chi", channels = [
    {{ url = "json://127.0.0.1:{bad}/chi", inside = true }}, {{ url_file = "chi", inside = true }}] }}
dung = {{ name = "Dung", channels = [{{ url = "json://127.0.0.1:{port}/dung" }}] }}
giang = {{ name = "Giang", channels = [{{ url = "zalooa://777?tokens=zalo_oa&api={own}&oauth={own}" }}] }}

[[routes]]
name = "here"
units = ["xa_da_kia"]
steps = [{{ to = ["an"] }}]

[[routes]]
name = "stepped"
units = ["xa_bu_gia_map"]
steps = [{{ to = ["an"] }}, {{ after = "2s", to = ["binh"] }}]

[[routes]]
name = "chained"
units = ["xa_dak_o"]
steps = [{{ to = ["chi"] }}]

[[routes]]
name = "digested"
units = ["phuong_phuoc_binh"]
digest = "3s"
steps = [{{ to = ["dung"] }}]

[[routes]]
name = "zalo"
units = ["phuong_phuoc_long"]
steps = [{{ to = ["giang"] }}]

[sending]
pauses = ["1s"]
per_minute = 1200
"""
Ioc = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def bad() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def running(centre: Instance, receiver: Receiver, bad: Receiver) -> Iterator[Instance]:
    tokens = {"app_id": "1", "secret_key": "s3cret", "access_token": "old", "refresh_token": "first"}
    own_secrets = {"chi": f"json://127.0.0.1:{receiver.port}/chi\n", "zalo_oa": json.dumps(tokens)}
    for name, text in own_secrets.items():
        write_private(centre.secrets / name, text)
    own = f"http://127.0.0.1:{receiver.port}"
    try:
        centre.start(["alertmanager"])
        with notifying(centre, ROUTES.format(port=receiver.port, bad=bad.port, own=own)):
            yield centre
    finally:
        centre.stop_process("alertmanager")
        for name in own_secrets:
            (centre.secrets / name).unlink()


def firing(unit: str, severity: str = "warning", status: str = "firing", **labels: str) -> dict[str, Any]:
    """A payload as Alertmanager posts it."""
    shared = {"alertname": "TestAlert", "severity": severity, "system": "platform", "unit": unit}
    texts = {
        "summary_vi": "Đĩa sắp đầy",
        "summary_en": "Disk almost full",
        "action_vi": "Dọn đĩa",
        "action_en": "Clean",
    }
    one = {"status": status, "labels": shared | labels, "annotations": texts, "startsAt": now().isoformat()}
    return {"version": "4", "status": status, "receiver": "notifier", "alerts": [one]}


def test_an_alert_is_one_alarm_until_its_end_is_believed(running: Instance, receiver: Receiver) -> None:
    about = f"folder=/a,unit={HERE}"
    for severity in ("warning", "warning", "critical"):
        assert post(running, "/alertmanager", firing(HERE, severity, folder="/a")).status_code == 200
        eventually(lambda: "notified" in steps(running, about), True)
    assert query(running, "SELECT times, severity FROM alarm WHERE originator = %s", about) == [(3, "critical")]
    post(running, "/alertmanager", firing(HERE, "warning", "resolved", folder="/a"))
    ended = "SELECT ended_at IS NOT NULL FROM alarm WHERE originator = %s"
    assert query(running, ended, about) == [(False,)]  # the critical one goes on
    post(running, "/alertmanager", firing(HERE, "critical", "resolved", folder="/a"))
    assert query(running, ended, about) == [(True,)] and "cleared" not in steps(running, about)
    post(running, "/alertmanager", watchdog())
    receiver.wait("/an", "ĐÃ KẾT THÚC")
    eventually(lambda: steps(running, about), ["raised", "notified", "refreshed", "cleared", "notified"])
    assert len(receiver.texts("/an", "Đĩa sắp đầy")) == 2
    post(running, "/alertmanager", firing(HERE, folder="/a"))
    eventually(lambda: len(receiver.texts("/an", "Đĩa sắp đầy")), 3)  # a new one, as it came anew


def test_the_door_is_locked_and_says_what_is_wrong(running: Instance) -> None:
    assert post(running, "/alertmanager", firing(HERE), "wrong").status_code == 401
    assert post(running, "/alertmanager", {"version": "3"}).status_code == 422
    assert post(running, "/alarms/999999/acknowledge", {"user": "an"}).status_code == 404
    assert post(running, "/alarms/999999/acknowledge", {"user": ""}).status_code == 422
    door = f"http://127.0.0.1:{running.ports['notifier']}"
    assert httpx.get(f"{door}/runbooks/Watchdog").text.startswith("# Watchdog")
    assert "there are" in httpx.get(f"{door}/runbooks/Nothing").json()["detail"]
    assert "/alarms/{id}/acknowledge" in httpx.get(f"{door}/openapi.json").json()["paths"]
    assert "no person" in post(running, "/people/nobody/test", {}).json()["detail"]


def test_an_incident_is_told_and_cleared_and_one_that_is_over_is_not_told(
    running: Instance, receiver: Receiver
) -> None:
    send(running, opened("SC-OVER1", HERE), closed("SC-OVER1", HERE))
    eventually(lambda: query(running, "SELECT ended_at IS NULL FROM entity WHERE id = 'SC-OVER1'"), [(False,)])
    send(running, opened("SC-1", HERE, "critical", origin="simulated"))
    [text] = receiver.wait("/an", "incident:SC-1")
    assert "[NGHIÊM TRỌNG] [MÔ PHỎNG] Xã Đa Kia: Sự cố an toàn thông tin: xâm nhập trái phép" in text
    assert (
        "SIMULATED" in text
        and "/d/ioc-security?var-unit=xa_da_kia" in text
        and "/runbooks/SecurityIncidentOpen" in text
    )
    send(running, closed("SC-1", HERE))
    receiver.wait("/an", "Đã kết thúc: Sự cố")
    eventually(
        lambda: query(running, "SELECT count(*) FROM alarm WHERE entity LIKE 'SC-OVER1' AND cleared_at IS NULL"), [(0,)]
    )
    again = opened("SC-1", HERE, at=now() - timedelta(minutes=1))  # told late, of what is over
    send(running, again)
    eventually(lambda: query(running, "SELECT count(*) FROM event WHERE id = %s", again.id), [(1,)])
    eventually(lambda: steps(running, "incident:SC-1"), ["raised", "notified", "cleared", "notified"])


def test_ignored_it_is_escalated_and_taken_it_is_not(running: Instance, receiver: Receiver, ioc: Ioc) -> None:
    send(running, opened("SC-TAKEN", STEPPED))
    id = alarm(running, "incident:SC-TAKEN")
    taken = post(running, f"/alarms/{id}/acknowledge", {"user": "an", "note": "đang xử lý"})
    assert taken.status_code == 200  # a command takes longer to start than the escalation waits
    send(running, opened("SC-IGNORED", STEPPED))
    receiver.wait("/binh", "incident:SC-IGNORED")
    assert receiver.texts("/binh", "incident:SC-TAKEN") == []
    eventually(lambda: steps(running, "incident:SC-IGNORED"), ["raised", "notified", "escalated", "notified"])
    other = ioc("alarms", "ack", str(id), "--user", "bình")
    assert other.returncode == 1 and "was acknowledged by an" in other.stderr


def test_a_rise_above_what_was_acknowledged_begins_anew(running: Instance, receiver: Receiver) -> None:
    about = f"folder=/rise,unit={HERE}"

    def alert(severity: str) -> None:
        assert post(running, "/alertmanager", firing(HERE, severity, folder="/rise")).status_code == 200

    def acknowledge() -> None:
        answer = post(running, f"/alarms/{alarm(running, about)}/acknowledge", {"user": "an"})
        assert answer.status_code == 200, answer.text

    def reopened() -> int:
        return steps(running, about).count("reopened")

    alert("info")
    acknowledge()
    alert("info")
    assert reopened() == 0
    alert("warning")
    assert reopened() == 1
    eventually(lambda: len(receiver.texts("/an", "Cần tiếp nhận lại")) >= 1, True)
    acknowledge()
    alert("info")  # a fall, and a rise back to what was acknowledged
    alert("warning")
    assert reopened() == 1
    assert (
        post(running, f"/alarms/{alarm(running, about)}/assign", {"user": "an", "assignee": "binh"}).status_code == 200
    )
    alert("critical")
    assert reopened() == 2
    state = "SELECT severity, assignee, acknowledged_by FROM alarm WHERE originator = %s"
    assert query(running, state, about) == [("critical", "binh", None)]
    why = "SELECT note FROM alarm_step s JOIN alarm a ON a.id = s.alarm WHERE originator = %s AND step = 'reopened'"
    assert query(running, why, about)[1] == ("critical is above warning, which an had acknowledged",)
    assert post(running, f"/alarms/{alarm(running, about)}/close", {"user": "an", "note": "xong"}).status_code == 200


@pytest.mark.parametrize(
    ("first", "then", "rises"),
    [
        ("medium", "critical", "warning → critical"), ("high", "critical", "high → critical"),
        ("low", "high", "info → critical"), ("critical", "high", None), ("high", "high", None),
    ],
)  # fmt: skip
def test_an_incident_that_becomes_worse_begins_anew_in_whatever_order(
    running: Instance, first: str, then: str, rises: str | None
) -> None:
    code = f"SC-{first}-{then}".upper()
    begun = opened(code, QUIET, first)
    send(running, begun)
    id = alarm(running, f"incident:{code}")
    assert post(running, f"/alarms/{id}/acknowledge", {"user": "an"}).status_code == 200
    later = opened(code, QUIET, then, at=begun.time)
    last = opened(f"{code}-AFTER", QUIET)
    send(running, later, last)
    alarm(running, f"incident:{last.data.code}")  # by then the one before it was heard too
    more = ["refreshed", "reopened"] if rises else []
    eventually(lambda: steps(running, f"incident:{code}"), ["raised", "acknowledged", *more])
    noted = query(running, "SELECT note FROM alarm_step WHERE alarm = %s AND step = 'refreshed'", id)
    assert noted == ([(rises,)] if rises else [])
    state = "active" if rises else "acknowledged"
    assert query(running, "SELECT status FROM alarm_list WHERE id = %s", id) == [(state,)]
    if rises:  # acknowledged at its worst it stays so, whatever is told of it again
        assert post(running, f"/alarms/{id}/acknowledge", {"user": "an"}).status_code == 200
        assert query(running, "SELECT level FROM alarm WHERE id = %s", id) == [(then,)]


def test_nobody_acts_or_is_given_an_alarm_who_is_no_person(running: Instance, ioc: Ioc) -> None:
    for name, role, units in (
        ("t3.lan", "operator", ()), ("t3.xem", "viewer", ()), ("t3.xa", "operator", ("--units", "xa_nha_bich")),
    ):  # fmt: skip
        made = ioc(
            "people", "add", name, "--full-name", f"Tên {name}", "--role", role, *units, "--generate", "--user", "x"
        )
        assert made.returncode == 0, made.stderr
    send(running, opened("SC-WHO", QUIET))
    id = alarm(running, "incident:SC-WHO")
    for name in ("ghost", "t3.xem", "t3.xa", "cli:root", "on_call"):
        given = post(running, f"/alarms/{id}/assign", {"user": "an", "assignee": name})
        assert given.status_code == 422, name
        assert name in given.json()["detail"]
    for twice, where in (
        (b'{"user": "an", "assignee": "binh", "assignee": "t3.lan"}', "assignee"),
        (b'{"user": "an", "user": "an", "assignee": "binh"}', "user"),
        (b'{"user": "an", "assignee": "binh", "\\u0061ssignee": "t3.lan"}', "assignee"),
    ):
        given = post(running, f"/alarms/{id}/assign", twice)
        assert (given.status_code, given.json()["detail"][: len(where) + 1]) == (422, f"{where}:")
    for deed in ("acknowledge", "comment", "close", "assign"):
        body = {"user": "ghost", "note": "x"} | ({"assignee": "an"} if deed == "assign" else {})
        assert post(running, f"/alarms/{id}/{deed}", body).status_code == 422
    assert steps(running, "incident:SC-WHO") == ["raised"]
    refused = ioc("alarms", "ack", str(id), "--user", "ghost")
    assert refused.returncode == 1
    assert "no person 'ghost'" in refused.stderr
    for name in ("T3.LAN", "Te\u0302n t3.lan", "Bình"):
        assert post(running, f"/alarms/{id}/assign", {"user": "an", "assignee": name}).status_code == 200, name
    assert ioc("alarms", "comment", str(id), "ở máy chủ").returncode == 0


def test_what_a_disabled_person_holds_escalates_and_is_listed(running: Instance, ioc: Ioc) -> None:
    assert ioc("people", "add", "t3.mai", "--role", "operator", "--generate", "--user", "x").returncode == 0
    for code in ("SC-HELD", "SC-GIVEN"):
        send(running, opened(code, QUIET))
    held, given = alarm(running, "incident:SC-HELD"), alarm(running, "incident:SC-GIVEN")
    assert post(running, f"/alarms/{held}/acknowledge", {"user": "t3.mai"}).status_code == 200
    assert post(running, f"/alarms/{given}/assign", {"user": "an", "assignee": "t3.mai"}).status_code == 200
    told = ioc("people", "disable", "t3.mai", "--user", "x").stdout
    assert f"t3.mai has 2 alarms, which escalate now: {held}, {given}" in told
    eventually(lambda: [steps(running, f"incident:SC-{code}")[-1] for code in ("HELD", "GIVEN")], ["reopened"] * 2)
    assert "t3.mai (can see to it no more)" in ioc("alarms", "list").stdout
    assert post(running, f"/alarms/{given}/acknowledge", {"user": "t3.mai"}).status_code == 422
    assert post(running, f"/alarms/{given}/acknowledge", {"user": "binh"}).status_code == 200
    time.sleep(2)
    assert query(running, "SELECT assignee, acknowledged_by FROM alarm WHERE id = %s", given) == [(None, "binh")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("role", "viewer"), "is a viewer and acts on no alarms"),
        (("units", "xa_nha_bich"), "sees xa_nha_bich alone, and it is about {unit}"),
    ],
)
@pytest.mark.parametrize("called", ["{name}", "TÊN  {name}"])
def test_what_somebody_has_who_may_not_any_more_escalates(
    running: Instance, ioc: Ioc, change: tuple[str, str], why: str, called: str
) -> None:
    what, value = change
    name, code = f"t3.{what}.{len(called)}", f"SC-{what.upper()}-{len(called)}"
    words = ("--full-name", f"Tên {name}", "--role", "operator", "--units", QUIET, "--generate", "--user", "x")
    assert ioc("people", "add", name, *words).returncode == 0
    send(running, opened(code, QUIET))
    id = alarm(running, f"incident:{code}")
    given = post(running, f"/alarms/{id}/assign", {"user": "an", "assignee": called.format(name=name)})
    assert given.status_code == 200, given.text
    assert query(running, "SELECT count(*) FROM alarm_orphan WHERE alarm = %s", id) == [(0,)]
    told = ioc("people", what, name, value, "--user", "x").stdout
    assert f"{name} has 1 alarms, which escalate now: {id}" in told
    eventually(lambda: steps(running, f"incident:{code}")[-1], "reopened")
    noted = "SELECT note FROM alarm_step WHERE alarm = %s AND step = 'reopened'"
    assert query(running, noted, id) == [(f"{name}, who had it, {why.format(unit=QUIET)}",)]
    again = post(running, f"/alarms/{id}/acknowledge", {"user": name})
    assert again.status_code == 422 and why.format(unit=QUIET) in again.json()["detail"]
    assert post(running, f"/alarms/{id}/acknowledge", {"user": "binh"}).status_code == 200
    assert query(running, "SELECT count(*) FROM alarm_orphan WHERE alarm = %s", id) == [(0,)]


def test_two_of_one_name_hold_an_alarm_while_one_of_them_may(running: Instance, ioc: Ioc) -> None:
    for name in ("t3.hai1", "t3.hai2"):
        words = ("--full-name", "Hai Người", "--role", "operator", "--generate", "--user", "x")
        assert ioc("people", "add", name, *words).returncode == 0
    send(running, opened("SC-BOTH", QUIET))
    id = alarm(running, "incident:SC-BOTH")
    assert post(running, f"/alarms/{id}/assign", {"user": "an", "assignee": "Hai Người"}).status_code == 200
    assert ioc("people", "disable", "t3.hai1", "--user", "x").returncode == 0
    assert query(running, "SELECT count(*) FROM alarm_orphan WHERE alarm = %s", id) == [(0,)]
    assert ioc("people", "role", "t3.hai2", "viewer", "--user", "x").returncode == 0
    assert query(running, "SELECT person FROM alarm_orphan WHERE alarm = %s ORDER BY 1", id) == [
        ("t3.hai1",), ("t3.hai2",),
    ]  # fmt: skip
    eventually(lambda: steps(running, "incident:SC-BOTH")[-1], "reopened")


def test_the_roles_that_may_hold_an_alarm_are_those_that_may_acknowledge_one(running: Instance) -> None:
    asked = "SELECT why_no_holder(false, %s, '{}', '{}', 'x') IS NULL"
    for role in GIVEN:
        assert query(running, asked, role) == [(Account("a", "", role).may("acknowledge"),)]


def test_a_deadline_that_passes_begins_the_escalation_again(running: Instance, receiver: Receiver, ioc: Ioc) -> None:
    send(running, opened("SC-LATE", STEPPED))
    id = alarm(running, "incident:SC-LATE")
    receiver.wait("/an", "incident:SC-LATE")
    assert ioc("alarms", "assign", str(id), "--to", "Chi", "--deadline", "5s").returncode == 0
    sql = "SELECT status, assignee FROM alarm_list WHERE id = %s"
    assert query(running, sql, id) == [("assigned", "Chi")]
    receiver.wait("/an", "Quá hạn xử lý đã giao")
    assert ioc("alarms", "comment", str(id), "gọi rồi", "--user", "an").returncode == 0
    assert ioc("alarms", "close", str(id), "--note", "diễn tập", "--user", "an").returncode == 0
    assert "was cleared by an" in ioc("alarms", "ack", str(id)).stderr
    shown = ioc("alarms", "show", str(id)).stdout
    for word in ("raised", "assigned", "deadline_passed", "commented", "gọi rồi", "cleared", "diễn tập"):
        assert word in shown


def test_a_failing_channel_is_tried_again_then_the_next_one_and_a_lost_answer_is_marked(
    running: Instance, receiver: Receiver, bad: Receiver
) -> None:
    bad.mood = "refuses"
    send(running, opened("SC-REFUSED", CHAINED))
    [text] = receiver.wait("/chi", "incident:SC-REFUSED")
    assert "Gửi lại" not in text  # who said no has it for certain not
    assert len(bad.texts("/chi", "incident:SC-REFUSED")) == 2
    eventually(lambda: steps(running, "incident:SC-REFUSED"), ["raised", "failed", "failed", "notified"])
    bad.mood = "loses"
    send(running, opened("SC-LOST", CHAINED))
    [text] = receiver.wait("/chi", "incident:SC-LOST")
    first, second = bad.texts("/chi", "incident:SC-LOST")
    assert "Gửi lại" not in first and "Gửi lại" in second and "Gửi lại" in text
    assert len({one.rpartition("Message: ")[2] for one in (first, second, text)}) == 1


def test_when_all_channels_fail_that_is_an_alarm_and_what_waits_is_sent_later(
    running: Instance, receiver: Receiver, bad: Receiver
) -> None:
    bad.mood = receiver.mood = "refuses"
    send(running, opened("SC-NOWHERE", CHAINED))
    failing = "SELECT cleared_at IS NULL FROM alarm WHERE type = 'NotificationFailing' AND originator = 'person:chi'"
    eventually(lambda: query(running, failing), [(True,)])
    bad.mood = receiver.mood = "takes"
    with psycopg.connect(settings_of(running, "test").database("owner")) as conn:  # nobody waits five minutes here
        conn.execute("UPDATE notification SET try_at = now() WHERE state = 'planned' AND person = 'chi'")
    bad.wait("/chi", "incident:SC-NOWHERE", 3)
    eventually(lambda: query(running, failing), [(False,)])


def test_many_at_once_are_joined_and_small_ones_wait_for_the_digest(running: Instance, receiver: Receiver) -> None:
    codes = [f"SC-M{number:03}" for number in range(60)]
    send(running, *(opened(code, HERE, "medium") for code in codes))
    told = (
        "SELECT count(*), count(DISTINCT message) FROM notification JOIN alarm a ON a.id = alarm "
        "WHERE a.entity LIKE %s AND state = 'sent'"
    )
    eventually(lambda: query(running, told, "SC-M%")[0][0], 60)
    assert query(running, told, "SC-M%")[0][1] <= 10
    send(running, *(opened(f"SC-D{number}", DIGESTED, "low") for number in range(3)))
    eventually(lambda: query(running, told, "SC-D%")[0][0], 3)
    assert len(receiver.texts("/dung")) == query(running, told, "SC-D%")[0][1] <= 2
    assert receiver.texts("/dung", "SC-••••") == receiver.texts("/dung") and not receiver.texts("/dung", "SC-D")
    start, promise = now() - timedelta(days=30), now() - timedelta(days=9)
    codes = [f"H99.96-261101-{number:04}" for number in range(3)]
    dossiers = [event(DossierAccepted(code=code, promised_at=promise), DIGESTED, start) for code in codes]
    send(running, *dossiers)
    receiver.wait("/dung", "Hồ sơ quá hạn")
    overdue = "FROM alarm_list WHERE type = 'DossierOverdue' AND unit = %s"
    eventually(lambda: query(running, f"SELECT count(*) {overdue}", DIGESTED), [(3,)])
    assert all("H99.96-2611" not in text for text in receiver.texts("/dung"))
    listed = query(running, f"SELECT DISTINCT originator {overdue}", DIGESTED)
    assert listed == [("dossier:H99.96-26••••-••••",)]


def test_an_alarm_goes_with_the_case_to_the_unit_that_accepts_it(
    running: Instance, receiver: Receiver, ioc: Ioc
) -> None:
    code, start = "H99.96-261102-0001", now() - timedelta(days=30)
    send(running, event(DossierAccepted(code=code, promised_at=now() - timedelta(days=9)), QUIET, start))
    id = alarm(running, f"dossier:{code}")
    assert ioc("alarms", "ack", str(id), "--user", "an").returncode == 0
    send(running, event(DossierAccepted(code=code, promised_at=now() + timedelta(days=5)), STEPPED, now()))
    found = "SELECT unit, acknowledged_by, dashboard LIKE '%%=' || unit FROM alarm WHERE id = %s"
    eventually(lambda: query(running, found, id), [(STEPPED, None, True)])
    told = query(running, "SELECT note FROM alarm_step WHERE alarm = %s AND step = 'reopened'", id)
    assert told == [(f"handed on: {QUIET} → {STEPPED}",)]


def test_what_is_over_before_it_is_on_its_way_is_not_told(running: Instance, receiver: Receiver) -> None:
    """While a test alone may write, the notifier has chosen what to send and cannot begin. Where it was about to write
    something else, that waits instead: then once more."""

    async def work(originator: str) -> bool:
        conninfo = settings_of(running, "test").database("owner")
        alone, other = [await psycopg.AsyncConnection.connect(conninfo, autocommit=True) for _ in range(2)]
        async with alone, other, alone.transaction():
            await alone.execute("SELECT pg_advisory_xact_lock(%s)", (alarm_repository.WRITING,))
            texts = ("Có sự cố", "Trouble", "", "", "/d/x")
            raised = Raise("event", originator, "Test", "warning", "platform", QUIET, "real", *texts)
            await alarm_repository.raise_all(other, [raised], now())
            [(id,)] = await (await other.execute("SELECT id FROM alarm WHERE originator = %s", [originator])).fetchall()
            await alarm_repository.enter(other, [PlannedNotification(id, "raised:here/0", "an", False, now())])
            chosen = lambda: query(running, CHOSEN, SENDING, alarm_repository.WRITING)  # noqa: E731
            try:
                await asyncio.to_thread(eventually, chosen, [(1,)], 10)
            except AssertionError:
                await other.execute("DELETE FROM notification WHERE alarm = %s", [id])
                return False
            await alarm_repository.clear(alone, [id], now(), "an", "")
        eventually(lambda: query(running, "SELECT state FROM notification WHERE alarm = %s", id), [("dropped",)])
        return True

    assert any(asyncio.run(work(f"test:over {number}")) for number in range(3)), "it was never about to send"
    assert receiver.texts("/an", "Trouble") == []


def test_zalo_is_a_channel_whose_tokens_are_renewed(running: Instance, receiver: Receiver) -> None:
    receiver.answers = {
        "/v3.0/oa/message/cs": [
            {"error": -216, "message": "Access token is invalid"},
            {"error": 0, "message": "Success"},
        ],
        "/v4/oa/access_token": [{"access_token": "new", "refresh_token": "second", "expires_in": "90000"}],
    }
    send(running, opened("SC-Z", ZALO))
    asked = lambda: [r for r in receiver.got if r.path.startswith("/v")]  # noqa: E731
    eventually(lambda: len(asked()), 3)
    first, renewal, second = asked()
    assert (first.headers["access_token"], second.headers["access_token"]) == ("old", "new")
    assert second.body["recipient"] == {"user_id": "777"} and "incident:SC-••••" in second.body["message"]["text"]
    assert renewal.headers["secret_key"] == "s3cret" and "refresh_token=first" in renewal.body
    eventually(lambda: steps(running, "incident:SC-Z"), ["raised", "notified"])
    file = running.secrets / "zalo_oa"
    assert json.loads(file.read_text())["refresh_token"] == "second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_way_to_a_person_can_be_tried(running: Instance, receiver: Receiver, bad: Receiver, ioc: Ioc) -> None:
    bad.mood = "refuses"
    tried = ioc("alarms", "test", "chi")
    assert (
        tried.returncode == 0
        and tried.stdout.splitlines()[0].startswith("json: not sent")
        and "json: sent" in tried.stdout
    )
    receiver.wait("/chi", "[THỬ / TEST]")
    bad.mood = "takes"
    assert "there are an, binh" in ioc("alarms", "test", "x").stderr
    assert "5 people, 0 rotas, 5 routes" in ioc("alarms", "routes").stderr


def test_every_step_is_an_event_once_and_the_history_cannot_be_changed(running: Instance) -> None:
    last = "SELECT max(id) FROM alarm_step"
    eventually(lambda: query(running, "SELECT step FROM alarm_published") == query(running, last), True)
    told = asyncio.run(published(running))
    steps_until = f"SELECT id FROM alarm_step WHERE id <= {told[-1]['id']} ORDER BY id"  # another may have come by now
    assert [step["id"] for step in told] == [id for (id,) in query(running, steps_until)]
    assert {"alarm", "at", "step", "by", "note", "system", "unit", "type", "originator"} <= told[0].keys()
    for change in ("DELETE FROM alarm_step", "UPDATE alarm_step SET by = 'x'"):
        with (
            store.connect(settings_of(running, "test"), "notifier") as conn,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            conn.execute(change)


async def published(centre: Instance) -> list[dict[str, Any]]:
    """The steps of alarms in the stream, by subject and in order."""
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        js = client.jetstream()
        found = []
        state = (await js.stream_info("ALERTS")).state
        for seq in range(state.first_seq, state.last_seq + 1):
            message = await js.get_msg("ALERTS", seq)
            if not str(message.subject).startswith(("ioc.alerts.quarantine.", "ioc.alerts.audit.")):
                step = json.loads(message.data or b"")
                assert message.subject == f"ioc.alerts.{step['system']}.{step['step']}"
                found.append(step)
        return found


def test_the_list_works_while_the_notifier_is_down_and_the_rest_says_so(running: Instance, ioc: Ioc) -> None:
    running.stop_process("notifier")
    listed = ioc("alarms", "list", "--unit", "Xã Đăk Ơ", "--format", "json")
    assert {row["unit"] for row in json.loads(listed.stdout)} == {CHAINED}
    assert "no alarms" in ioc("alarms", "list", "--system", "gis").stderr
    every = json.loads(ioc("alarms", "list", "--all", "--limit", "9999", "--format", "json").stdout)
    newest = sorted(every, key=lambda row: datetime.fromisoformat(row["raised_at"]), reverse=True)
    place = ["critical", "warning", "info"].index
    assert every == sorted(newest, key=lambda row: (row["status"] == "cleared", place(row["severity"])))
    assert len(every) > 3 and f"1 of {len(every):,} alarms" in ioc("alarms", "list", "--all", "--limit", "1").stderr
    refused = ioc("alarms", "ack", "1")
    assert refused.returncode == 1 and "the notifier does not answer" in refused.stderr
