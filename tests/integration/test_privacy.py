"""Twenty personal numbers are sent in by every door of a whole centre; afterwards no file of it holds one of them."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import home_in, wait_until_idle
from visitors import Browser, admin_of

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.centre.prepare import prepare, settings_of
from services.kit import bus, clock, quarantine

SERVICES = ("aggregator", "deadlines", "emitters", "exporter", "upkeep", "notifier", "board")
NUMBERS = (
    "0912734561", "0983 127 465", "(0356) 718-294", "+84 778 215 936", "84567193842", "0867/241/935", "0707.318.264",
    "079304517283", "038 094 617 253", "0010 9951 7382", "060-201-738-264", "０９３５７２８１４６", "٠٩٤٧٢٨١٣٦٥",
    "mai.tran.7261@example.vn", "hoa7182 @ example . vn", "binh5521(at)example.vn", "51A-738.26", "93P1-274.83",
    "CMND 285 617 394", "0\u200b9\u200b6\u200b1728354",
)  # fmt: skip
PLACE = "ioc.events.phuong_chon_thanh.field.report.received"


@pytest.fixture(scope="module")
def whole(open_folder: Path, new_instance: Callable[[Path], Instance]) -> Iterator[Instance]:
    """A centre of its own with all services and Prometheus."""
    folder = home_in(open_folder, "private")
    own = new_instance(folder / "main")
    try:
        own.start(["nats", "timescaledb", "alertmanager", "prometheus"])
        prepare(own)
        own.start_services(SERVICES)
        yield own
    finally:
        own.stop()


def event(number: str, **changed: Any) -> bytes:
    body = {
        "specversion": "1.0",
        "id": f"privacy-{NUMBERS.index(number)}",
        "source": "/test/privacy",
        "type": "vn.ioc.report.received.v1",
        "time": clock.now().isoformat(),
        "unit": "phuong_chon_thanh",
        "data": {"code": f"PA-PRIVACY-{NUMBERS.index(number)}", "channel": "app", "category": "road"},
        **changed,
    }
    return json.dumps(body, ensure_ascii=NUMBERS.index(number) % 2 == 0).encode()


def raw_messages(number: str) -> list[bytes]:
    """What any program can publish: personal in a field, a name of a field, an id, a list; and no event at all."""
    data = {"code": "PA-PRIVACY-X", "channel": "app", "category": "road"}
    return [
        event(number, data=data | {"place": f"gọi {number}"}),
        event(number, data=data | {f"x {number}": [number, {"y": number}]}),
        event(number, subject=number),
        event(number, type=f"vn.ioc.{number}.v1"),
        event(number, unit="chon_thanh", source=f"/{number}"),
        f"không phải JSON: {number}".encode(),
        b"\xff" + number.encode(),
        ("[" * 3 + json.dumps(number)).encode(),
    ]


async def by_the_broker(centre: Instance) -> int:
    sent = 0
    async with bus.connected(settings_of(centre, "cli"), "test") as client:
        js = client.jetstream()
        for number in NUMBERS:
            for body in raw_messages(number):
                await js.publish(PLACE, body)
                sent += 1
            if number.isascii():
                await js.publish(PLACE, event(number), headers={"Nats-Msg-Id": number, "X-Caller": number})
                token = number.replace(" ", "_").replace(".", "_")
                await js.publish(f"ioc.events.phuong_chon_thanh.field.{token}", event(number))
                sent += 2
    return sent


def by_http(centre: Instance) -> None:
    address = f"http://127.0.0.1:{centre.ports['emitters']}"
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as http:
        for number in NUMBERS:
            for path, credential in (("/field/reports", "field"), ("/payments", "payments")):
                head = {"Authorization": f"Bearer {centre.password(f'emitter_{credential}')}"}
                for body in ({"code": number, "place": number, number: 1}, number, [number]):
                    answer = http.post(path, json=body, headers=head)
                    assert answer.status_code in (400, 422) and number not in answer.text
                http.post(f"{path}?caller={number}", content=number.encode(), headers=head)
            head = {"Authorization": f"Bearer {centre.password('emitter_field')}"}
            http.post(f"/field/reports/{number}/rating", json={"rating": number}, headers=head)


def by_alarms(centre: Instance) -> None:
    address = f"http://127.0.0.1:{centre.ports['notifier']}"
    head = {"Authorization": f"Bearer {centre.password('alarms')}"}
    hook = {"Authorization": f"Bearer {centre.password('alertmanager')}"}
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as http:
        for number in NUMBERS:
            texts = {"summary": number, "action_vi": number, "description": number}
            alert = {"status": "firing", "labels": {"alertname": "Odd", "caller": number}, "annotations": texts}
            assert http.post("/alertmanager", json={"version": "4", "alerts": [alert]}, headers=hook).status_code == 200
            for deed in ("acknowledge", "assign", "comment", "close"):
                body = {"user": "an", "note": number} | ({"assignee": "binh"} if deed == "assign" else {})
                answer = http.post(f"/alarms/1/{deed}", json=body, headers=head)
                assert answer.status_code == 422 and number not in answer.text
            http.post(f"/people/{number}/test", headers=head)
            http.post("/alarms/1/comment", content=number.encode(), headers=head)


def by_the_board(centre: Instance) -> None:
    address = f"http://127.0.0.1:{centre.ports['board']}"
    browser = admin_of(centre, address)
    token, stranger = browser.csrf(), Browser(address)
    for number in NUMBERS:
        for path in ("/worklist", "/alarms", "/quality", f"/figure/{number}"):
            browser.http.get(path, params={"text": number, "code": number, "unit": number})
        for list_ in ("/worklist", "/alarms"):
            browser.post(f"{list_}/saved", csrf=token, name=number, query="")
            browser.post(f"{list_}/saved", csrf=token, name="x", query=f"text={number}")
        browser.post("/alarms/do/comment", csrf=token, note=number, row="1", rows="1")
        browser.post("/alarms/do/assign", csrf=token, assignee=number, row="1", rows="1")
        browser.post("/quality/quarantine/1/discard", csrf=token, reason=number)
        browser.post("/quality/quarantine/1/resubmit", csrf=token, event=number)
        browser.post("/people/add", csrf=token, name=number, full_name=number, role="viewer", password="x" * 14)
        for name, within in ((f"{number}.geojson", None), ("x", number)):
            place = {"type": "Point", "coordinates": [106.65, 11.43]}
            shape = {"type": "Feature", "properties": {"name": within}, "geometry": place}
            refused = browser.http.post("/map/outlines", params={"name": name}, json=shape, headers={"x-csrf": token})
            assert refused.status_code == 422 and number not in refused.text
        browser.post("/reports/make", csrf=token, month="2024-11", number=number)
    for number in NUMBERS[:4]:
        stranger.log_in(number, number)


def by_commands(centre: Instance) -> None:
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}

    def ioc(*words: str, input: bytes = b"") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *words], env=env, cwd=CHECKOUT, input=input, capture_output=True
        )
        assert done.returncode != 0
        return (done.stdout + done.stderr).decode()

    lines = [event(number, data={"code": number, "place": number}).replace(b"\n", b"") for number in NUMBERS]
    told = ioc("emit", input=b"\n".join(lines))
    told += ioc("sources", "end", "/test/privacy", "--why", f"gọi {NUMBERS[0]}")
    told += ioc("quarantine", "discard", "1", "--reason", f"gọi {NUMBERS[1]}")
    told += ioc("alarms", "comment", "1", f"gọi {NUMBERS[2]}")
    told += ioc("report", "11/2024", "--store", "--number", NUMBERS[0])
    told += ioc("people", "add", "so", "--full-name", f"An {NUMBERS[3]}", "--generate")
    assert not any(number in told for number in NUMBERS)


async def set_aside(centre: Instance, sent: int) -> None:
    """Until all of it lies in the quarantine."""
    end = time.monotonic() + 120
    async with bus.connected(settings_of(centre, "cli"), "test") as client:
        while len(await quarantine.listed(client.jetstream())) < sent:
            assert time.monotonic() < end, centre.log_tail("aggregator", 20)
            await asyncio.sleep(0.5)


def needles() -> dict[str, set[bytes]]:
    """Each number as it was sent, as JSON escapes it, and as its bare digits."""
    found = {}
    for number in NUMBERS:
        bare = "".join(c for c in number if c.isalnum())
        spelled = {number, json.dumps(number)[1:-1], *([bare] if len(bare) > 8 else [])}
        found[number] = {text.encode(way) for text in spelled for way in ("utf-8", "utf-16-le")}
    return found


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            raw = path.read_bytes()
            yield path, gzip.decompress(raw) if path.suffix == ".gz" else raw


def test_no_file_of_a_centre_holds_what_was_sent_in_by_every_door(whole: Instance) -> None:
    sent = asyncio.run(by_the_broker(whole))
    for way in (by_http, by_alarms, by_the_board, by_commands):
        way(whole)
    asyncio.run(set_aside(whole, sent))
    wait_until_idle(whole)
    env = {**os.environ, "IOC_HOME": str(whole.data.parent), "IOC_INSTANCE": whole.data.name}
    subprocess.run([sys.executable, "-m", "services.cli", "backup"], env=env, cwd=CHECKOUT, check=True)
    whole.stop()
    looked, told = needles(), []
    for path, raw in files(whole.data):
        told += [
            f"{path.relative_to(whole.data)}: {n}" for n, ways in looked.items() if any(way in raw for way in ways)
        ]
    assert told == []
    assert b"[phone]" in b"".join(raw for path, raw in files(whole.data) if "QUARANTINE" in str(path))
