"""From what happens to a person's hand, on real NATS, TimescaleDB, Prometheus and Alertmanager: in time, once, whatever
is killed meanwhile."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from alarms import alarm, event, eventually, notifying, now, opened, query, send, steps
from receiver import Receiver, receiving

from infra.local import configure
from infra.local.servers import Instance
from schemas.procedures import DossierAccepted, DossierResolved

HERE = "phuong_dong_xoai"
ROUTES = """
[people]
an = {{ name = "An", channels = [{{ url = "json://127.0.0.1:{port}/an", inside = true }}] }}
binh = {{ name = "Bình", channels = [{{ url = "json://127.0.0.1:{port}/binh", inside = true }}] }}

[[routes]]
name = "here"
units = ["phuong_dong_xoai"]
steps = [{{ to = ["an"] }}, {{ after = "15s", to = ["binh"] }}]

[sending]
pauses = ["1s"]
per_minute = 1200
"""
RULES = f"""
groups:
  - name: test
    rules:
      - alert: TestTrouble
        expr: max by (what) (test_trouble) == 1
        labels: {{severity: critical, system: platform, unit: {HERE}}}
        annotations: {{summary_vi: "Có sự cố {{{{ $labels.what }}}}", summary_en: "Trouble {{{{ $labels.what }}}}"}}
      - {{alert: Watchdog, expr: vector(1), labels: {{severity: info, system: platform}}}}
"""
WAITING = """
SELECT count(*) FROM notification n JOIN alarm a ON a.id = alarm WHERE state IN ('planned', 'sending') AND a.unit = %s
"""
NOTIFIED = """
SELECT s.note FROM alarm_step s JOIN alarm a ON a.id = alarm WHERE originator = %s AND step = 'notified' ORDER BY s.id
"""
NAME = "unit=phuong_dong_xoai,what="
SOON_SECONDS = 15
"""Five are promised, to a machine that does nothing else."""
Ioc = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def probe() -> Iterator[Receiver]:
    """A service whose metrics tell of the troubles that `trouble` sets."""
    with receiving() as probe:
        yield probe


@pytest.fixture(scope="module")
def running(centre: Instance, receiver: Receiver, probe: Receiver) -> Iterator[Instance]:
    try:
        watch(centre, probe)
        with notifying(centre, ROUTES.format(port=receiver.port)):
            yield centre
    finally:
        for server in ("alertmanager", "prometheus"):
            centre.stop_process(server)


def watch(centre: Instance, probe: Receiver) -> None:
    """Prometheus looks at the probe every second and Alertmanager tells at once."""
    centre.start(["prometheus", "alertmanager"])
    rules = centre.data / "prometheus" / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "test.yml").write_text(RULES)
    ports = centre.ports | {"probe": probe.port}
    text = configure.prometheus_text(ports, {"probe": "probe"}, rules, interval="1s")
    (centre.data / "prometheus" / "prometheus.yml").write_text(text)
    configure.alertmanager(centre.data, centre.ports, interval="1s", repeat="2s")
    told = centre.data / "alertmanager" / "alertmanager.yml"
    told.write_text(re.sub("interval: [25]0s", "interval: 1s", told.read_text()))  # the Watchdog, too
    for server in ("prometheus", "alertmanager"):
        centre.kill(server, signal.SIGHUP)


def trouble(probe: Receiver, *what: str) -> None:
    """These troubles are there too from now on."""
    probe.page += "".join(f'test_trouble{{what="{one}"}} 1\n' for one in what)


def test_from_the_date_that_passes_to_the_hand_that_takes_it(
    running: Instance, receiver: Receiver, probe: Receiver, ioc: Ioc
) -> None:
    codes = [f"H99.95-261101-{number:04}" for number in range(2)]
    promise, start = now() - timedelta(days=9), now() - timedelta(days=30)
    began = time.monotonic()
    trouble(probe, "taken", "ignored")
    send(running, *(event(DossierAccepted(code=code, promised_at=promise), HERE, start) for code in codes))
    for word in (*codes, "Trouble taken", "Trouble ignored"):
        receiver.wait("/an", word)
        [came] = [one.at for one in receiver.got if one.path == "/an" and word in one.text]
        print(f"{word}: {came - began:.2f} s")
        assert came - began <= SOON_SECONDS
    for originator in (f"dossier:{codes[0]}", f"{NAME}taken"):
        assert ioc("alarms", "ack", str(alarm(running, originator)), "--user", "an").returncode == 0
    for word in (codes[1], "Trouble ignored"):
        receiver.wait("/binh", word)
    refreshed = f"SELECT times > 2 FROM alarm WHERE originator = '{NAME}taken'"
    eventually(lambda: query(running, refreshed), [(True,)])  # told again by Alertmanager, not by us
    probe.page = ""
    send(running, *(event(DossierResolved(code=code), HERE, now()) for code in codes))
    for word in (*codes, "Trouble taken", "Trouble ignored"):
        receiver.wait("/an", word, 2)
    taken = ["raised", "notified", "acknowledged", "cleared", "notified"]
    ignored = ["raised", "notified", "escalated", "notified", "cleared", "notified", "notified"]
    for name, history in ((f"dossier:{codes[0]}", taken), (f"{NAME}taken", taken)):
        eventually(lambda name=name: steps(running, name), history)
    for name in (f"dossier:{codes[1]}", f"{NAME}ignored"):
        eventually(lambda name=name: steps(running, name), ignored)
    assert [len(receiver.texts("/an", word)) for word in (*codes, "Trouble taken", "Trouble ignored")] == [2, 2, 2, 2]
    assert [len(receiver.texts("/binh", word)) for word in (*codes, "Trouble taken", "Trouble ignored")] == [0, 2, 0, 2]
    assert not [one.text for one in receiver.got if "Gửi lại" in one.text]


@pytest.mark.parametrize(
    "victims", [("notifier",), ("alertmanager",), ("timescaledb",), ("notifier", "alertmanager", "timescaledb")]
)
def test_whatever_is_killed_a_person_is_told_once(
    running: Instance, receiver: Receiver, probe: Receiver, victims: tuple[str, ...]
) -> None:
    chance = random.Random("".join(victims))
    name = "".join(victim[0] for victim in victims).upper()
    before, after = f"SC-B{name}", f"SC-A{name}"
    trouble(probe, f"{name}before")
    send(running, opened(before, HERE))
    time.sleep(chance.uniform(0, 1))  # somewhere on the way
    for victim in victims:
        running.kill(victim)
    trouble(probe, f"{name}after")  # and none ends: more than a few at once would be joined in one message
    send(running, opened(after, HERE))
    words = [f"incident:{before}\n", f"incident:{after}\n", f"Trouble {name}before", f"Trouble {name}after"]
    for word in words:
        receiver.wait("/an", word, within=40)
    for victim in victims:
        running.wait_ready(victim, 30)
    eventually(lambda: query(running, WAITING, HERE), [(0,)])
    for word in words:
        first, *more = receiver.texts("/an", word)
        assert "Gửi lại" not in first
        assert all("Gửi lại" in text and number(text) == number(first) for text in more), (first, more)
        assert len(more) <= 1


def test_a_message_whose_answer_was_lost_comes_once_more_and_says_so(running: Instance, receiver: Receiver) -> None:
    receiver.mood = "holds"
    send(running, opened("SC-HELD", HERE))
    receiver.wait("/an", "incident:SC-HELD")
    running.kill("notifier")
    receiver.mood = "takes"
    receiver.released.set()
    first, second = receiver.wait("/an", "incident:SC-HELD", 2)
    assert "Gửi lại" not in first and "Gửi lại" in second and number(first) == number(second)
    eventually(lambda: query(running, NOTIFIED, "incident:SC-HELD")[:1], [("An, json (repeat)",)])


def test_what_was_taken_while_the_database_was_down_is_not_sent_again(running: Instance, receiver: Receiver) -> None:
    receiver.mood = "slow"
    receiver.released.clear()
    send(running, opened("SC-SLOW", HERE))
    receiver.wait("/an", "incident:SC-SLOW")
    running.kill("timescaledb")
    receiver.released.set()
    receiver.mood = "takes"
    running.wait_ready("timescaledb", 30)
    eventually(lambda: query(running, NOTIFIED, "incident:SC-SLOW")[:1], [("An, json",)])
    assert len(receiver.texts("/an", "incident:SC-SLOW")) == 1


def number(text: str) -> str:
    """The message's number, by which its receiver knows a repeat."""
    return text.rpartition("Message: ")[2]
