"""Twenty personal numbers are sent in by every door of a whole centre; afterwards no file of it holds one of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import httpx2
import paho.mqtt.client as mqtt
import pytest
from alarms import eventually
from holders import Holder
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from on_disk import back_up, files, found_in
from paho.mqtt.enums import CallbackAPIVersion
from sheets import Page, xlsx
from support import home_in, output_of, wait_until_idle
from visitors import Browser, admin_of

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.ingest.cloudevents import BATCH, LINES
from services.kit import bus, clock, quarantine

SERVICES = ("aggregator", "deadlines", "emitters", "exporter", "upkeep", "notifier", "board")
NUMBERS = (
    "0912734561", "0983 127 465", "(0356) 718-294", "+84 778 215 936", "84567193842", "0867/241/935", "0707.318.264",
    "079304517283", "038 094 617 253", "0010 9951 7382", "060-201-738-264", "０９３５７２８１４６", "٠٩٤٧٢٨١٣٦٥",
    "mai.tran.7261@example.vn", "hoa7182 @ example . vn", "binh5521(at)example.vn", "51A-738.26", "93P1-274.83",
    "CMND 285 617 394", "0\u200b9\u200b6\u200b1728354",
)  # fmt: skip
UNIT = "phuong_chon_thanh"
PLACE = "ioc.events.phuong_chon_thanh.field.report.received"


@pytest.fixture(scope="module")
def whole(open_folder: Path, new_centre: Callable[[Path], Instance]) -> Iterator[Instance]:
    """A centre of its own with all services, Prometheus, and the gateway for devices."""
    folder = home_in(open_folder, "private")
    own = new_centre(folder / "main")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IOC_MQTT", "true")
            own.start(["nats", "timescaledb", "alertmanager", "prometheus"])
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


def by_events(centre: Instance) -> None:
    """With a key: structured, in headers, in a batch, in lines."""
    holder = Holder(centre, "--system", "field", "--units", UNIT, "--rate", "500")
    data = {"code": "PA-PRIVACY-Y", "channel": "app", "category": "road"}
    for number in NUMBERS:
        told = [
            event(number, source=holder.source, **changed)
            for changed in (
                {"data": data | {"place": f"gọi {number}"}}, {"data": data | {number: number}}, {"id": number},
                {"subject": number}, {"type": f"vn.ioc.{number}.v1"}, {"unit": number}, {"time": number},
                {"caller": number},
            )
        ]  # fmt: skip
        kinds = {
            BATCH: b"[" + b",".join(told) + b"]",
            LINES: b"\n".join(told),
            "application/json": number.encode(),
            f"text/plain; name={quote(number)}": number.encode(),
        }
        answers = [holder.send(body) for body in told] + [holder.send(body, kind) for kind, body in kinds.items()]
        head = {f"ce-{name}": str(value) for name, value in json.loads(event(number)).items() if name != "data"}
        for name in ("id", "source", "type", "subject", "unit", "time", "caller"):
            own = head | {"ce-source": holder.source} | {f"ce-{name}": quote(number)}
            answers.append(holder.send(data, "application/json", **own))
        for answer in answers:
            assert answer.status_code in (400, 403, 415, 422), answer.text
            assert number not in answer.text and quote(number) not in answer.text
    holder.door.close()


def by_open311(centre: Instance) -> None:
    holder = Holder(centre, "--system", "field", "--units", UNIT, "--rate", "500")
    sound = {"service_code": "lighting", "lat": "11.4123", "long": "106.6543"}
    texts = (
        "description",
        "address_string",
        "address_id",
        "media_url",
        "email",
        "device_id",
        "account_id",
        "first_name",
        "phone",
    )
    for number in NUMBERS:
        for said in (dict.fromkeys(texts, number), {"media_url": f"https://anh.example.org/{quote(number)}"}):
            kept = holder.door.post("/open311/v2/requests.json", data=sound | said)
            assert kept.status_code == 200 and number not in kept.text
        for field in ("service_code", "lat", "jurisdiction_id", "attribute[priority]", "attribute[channel]",
                      "service_request_id", "api_key", number):  # fmt: skip
            answer = holder.door.post("/open311/v2/requests.json", data=sound | {field: number})
            assert answer.status_code >= 400 and number not in answer.text, field
        marked = holder.door.post("/open311/v2/requests.json", data=sound | {"attribute[client_id]": number})
        assert number not in marked.text
        for ending in ("json", "xml"):
            for field in ("service_request_id", "service_code", "status", "start_date", "jurisdiction_id", "locale"):
                answer = holder.door.get(f"/open311/v2/requests.{ending}", params={field: number})
                assert number not in answer.text, field
            holder.door.get(f"/open311/v2/requests/{quote(number, safe='')}.{ending}")
            holder.door.get(f"/open311/v2/services/{quote(number, safe='')}.{ending}")
    holder.door.close()


def by_onestop(centre: Instance) -> None:
    holder = Holder(centre, "--system", "procedures", "--units", UNIT, "--rate", "500")
    for place, number in enumerate(NUMBERS):
        at = clock.now() - timedelta(days=9)
        dossier = {
            "MaHoSo": f"H19.98-{at:%y%m%d}-{place:04}", "MaTTHC": "2.000815", "TenLinhVuc": "Chứng thực",
            "KenhThucHien": 2, "NgayTiepNhan": f"{at:%d/%m/%Y %H:%M}", "TrangThaiHoSo": 4, "DonViXuLy": UNIT,
        }  # fmt: skip
        people = dict.fromkeys(("ChuHoSo", "SoCMND", "DiaChi", "GhiChu", f"Cột {number}"), number)
        kept = holder.door.post("/onestop/dossiers", json=dossier | people)
        assert kept.status_code == 202 and number not in kept.text, kept.text
        for column in dossier:
            answer = holder.door.post("/onestop/dossiers", json=[dossier | {column: number}])
            assert number not in answer.text, column
    holder.door.close()


def by_mqtt(centre: Instance) -> None:
    holder = Holder(centre, "--system", "gis", "--units", UNIT, "--rate", "500")
    for number in NUMBERS:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, number if number.isalnum() else "", protocol=mqtt.MQTTv311)
        client.username_pw_set(holder.name, holder.secret)
        client.connect("127.0.0.1", centre.ports["mqtt"])
        client.loop_start()
        eventually(client.is_connected, True)
        for said in ({"state": number}, {"kind": number}, {"at": number}, {"counter": number}, {"who": number}):
            body = json.dumps({"kind": "camera", "state": "online", **said}, ensure_ascii=False)
            client.publish(f"ioc/devices/{UNIT}/CAM-1/{holder.name}", body, qos=1).wait_for_publish(20)
        if number.isalnum():
            body = json.dumps({"kind": "camera", "state": "online"})
            client.publish(f"ioc/devices/{UNIT}/{number}/{holder.name}", body, qos=1).wait_for_publish(20)
        client.disconnect()
        client.loop_stop()
    holder.door.close()


def by_imports(centre: Instance) -> None:
    """A workbook that bears a number, and has them in columns of its own; one that has them for figures and answers."""
    browser = admin_of(centre, f"http://127.0.0.1:{centre.ports['board']}")
    head = ["Đơn vị", "Số giao dịch NVTC", "Số tiền NVTC", "Số giao dịch phí, lệ phí", "Số tiền phí, lệ phí"]
    more = [*(f"Cột {place}" for place in range(len(NUMBERS))), NUMBERS[0]]

    def uploaded(number: str, *figures: object) -> str:
        row = ["Huyện Bù Đốp", *figures, *NUMBERS, number]
        book = xlsx(Page([[f"Thanh toán trực tuyến tháng 7 năm 2024, {number}"], head + more, row]))
        sent = {"params": {"name": f"{number}.xlsx"}, "headers": {"x-csrf": browser.csrf()}, "content": book}
        return str(browser.http.post("/imports/file", **sent).json()["next"])

    sent = browser.post(f"{uploaded(NUMBERS[0], 1, 1000, 1, 1000)}/send", csrf=browser.csrf())
    assert sent.headers["location"] == "/imports/1"
    browser.post("/imports/1/take-back", csrf=browser.csrf(), sure=NUMBERS[0])
    draft = uploaded(NUMBERS[1], NUMBERS[0], 1000, NUMBERS[2], f"gọi {NUMBERS[3]}")
    fields = ("other_0", "answer_1", "at_1", "again_0", "template", "period", "unit", "published")
    for step in ("read", "send", "drop"):
        browser.post(f"{draft}/{step}", csrf=browser.csrf(), at_0="Sheet1!B3", **dict.fromkeys(fields, NUMBERS[1]))


def by_programs(centre: Instance) -> None:
    """The read API and the tools of the Model Context Protocol."""
    home = f"http://127.0.0.1:{centre.ports['board']}"
    token, other = (
        output_of(centre, "people", "token", "add", "admin", name, "--user", "test").split()[-1]
        for name in ("privacy", "privacy-too")
    )  # each has questions of its own, so many a second

    async def ask_tools() -> None:
        async with (
            httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=30) as http,
            Client(streamable_http_client(f"{home}/mcp", http_client=http)) as client,
        ):
            for number in NUMBERS:
                await client.call_tool("find_indicator", {"question": f"hồ sơ của {number}"})
                for name in ("indicator", "unit", "from_day"):
                    with suppress(MCPError):
                        await client.call_tool("figure", {"indicator": "dossiers_received"} | {name: number})

    asyncio.run(ask_tools())
    with httpx.Client(base_url=home, headers={"authorization": f"Bearer {other}"}, timeout=30) as http:
        for number in NUMBERS:
            http.get(f"/api/figures/{quote(number, safe='')}")
            http.get("/api/explain/dossiers_received", params=dict.fromkeys(("unit", "from", "as_of", number), number))
            http.get("/api/findings", params={"code": number})
            http.post("/mcp", json={"jsonrpc": "2.0", "id": number, "method": number, "params": {number: number}})


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


def test_no_file_of_a_centre_holds_what_was_sent_in_by_every_door(whole: Instance) -> None:
    sent = asyncio.run(by_the_broker(whole))
    for way in (by_http, by_events, by_open311, by_onestop, by_mqtt, by_alarms, by_the_board, by_imports, by_programs,
                by_commands):  # fmt: skip
        way(whole)
    asyncio.run(set_aside(whole, sent))
    wait_until_idle(whole)
    back_up(whole)
    whole.stop()
    assert found_in(whole.data, NUMBERS) == []
    assert b"[phone]" in b"".join(raw for path, raw in files(whole.data) if "QUARANTINE" in str(path))
