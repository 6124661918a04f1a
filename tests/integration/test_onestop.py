"""A one-stop system's snapshots against a real centre: pushed with a key, sent as a file, kept once, changes shown."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
import psycopg
import pytest
from holders import Holder
from support import serving

from infra.local.servers import Instance
from schemas.calendar import VN
from schemas.codes import masked
from services.centre.prepare import settings_of

Ioc = Callable[..., subprocess.CompletedProcess[str]]
NAME, NUMBER = "Nguyễn Văn Không", "079304001234"
NUMBERS = count(1)
BEGIN = datetime.now(VN).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=20)


def day(number: int) -> str:
    """So many days after the receipt, as an export has it."""
    return f"{BEGIN + timedelta(days=number):%d/%m/%Y %H:%M}"


def dossier(**changed: Any) -> dict[str, Any]:
    return {
        "MaHoSo": f"H19.97-{BEGIN:%y%m%d}-{next(NUMBERS):04}",
        "MaTTHC": "2.000815",
        "TenLinhVuc": "Chứng thực",
        "KenhThucHien": 2,
        "NgayTiepNhan": day(0),
        "NgayHenTra": day(3),
        "TrangThaiHoSo": 4,
        "DonViXuLy": "Phường Chơn Thành",
        "ChuHoSo": NAME,
        "SoCMND": NUMBER,
        **changed,
    }


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, "aggregator", "emitters"):
        yield centre


class OneStop(Holder):
    """A one-stop system with a key."""

    def push(self, body: Any, kind: str = "application/json") -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.door.post("/onestop/dossiers", content=content, headers={"Content-Type": kind})

    def events(self) -> list[tuple[str, str]]:
        """Code and name of what the log has of this system."""
        with psycopg.connect(settings_of(self.running, "cli").database("reader")) as conn:
            sql = "SELECT data ->> 'code', type FROM event WHERE source = %s ORDER BY time"
            found = conn.execute(sql, [self.source]).fetchall()
        return [(code, type_.removeprefix("vn.ioc.dossier.").removesuffix(".v1")) for code, type_ in found]

    def until_stored(self, code: str, number: int) -> list[str]:
        """What happened to a dossier, once so much of it is stored."""
        end = time.monotonic() + 60
        while len(found := [name for of, name in self.events() if of == code]) < number and time.monotonic() < end:
            time.sleep(0.2)
        return found


@pytest.fixture(scope="module")
def onestop(running: Instance) -> Iterator[OneStop]:
    """Reports the dossiers of one ward."""
    system = OneStop(running, "--system", "procedures", "--units", "phuong_chon_thanh", "--rate", "500")
    yield system
    system.door.close()
    system.said("revoke", system.name)


def test_each_snapshot_is_answered_alone_and_no_person_is_kept(running: Instance, onestop: OneStop) -> None:
    good = dossier(TrangThaiHoSo=10, NgayKetThucXuLy=day(2), NgayTra=day(3))
    wrong = dossier(TrangThaiHoSo=NUMBER, NgayHenTra=NAME)
    alien, silent = dossier(DonViXuLy="Phường Bình Long"), dossier()
    answer = onestop.push([good, wrong, 7, alien, silent])
    said = answer.json()
    assert (answer.status_code, said["accepted"], said["refused"]) == (422, 2, 3), answer.text
    assert [item["status"] for item in said["items"]] == [202, 422, 422, 403, 202]
    assert said["items"][0] == {"at": 0, "status": 202, "known": False, "events": 3, "reasons": []}
    assert said["items"][1]["reasons"][0].startswith("TrangThaiHoSo: is none of")
    assert said["items"][4]["undated"].startswith("TrangThaiHoSo 4: no date says when")
    assert said["dropped"] == {"ChuHoSo": 4, "SoCMND": 4}
    assert onestop.until_stored(good["MaHoSo"], 3) == ["accepted", "resolved", "returned"]
    with psycopg.connect(settings_of(running, "cli").database("reader")) as conn:
        (texts,) = conn.execute("SELECT string_agg(e::text, '') FROM event e").fetchone() or ("",)
    for kept in (answer.text, texts, running.log_tail("emitters", 500)):
        assert NAME not in kept and NUMBER not in kept
    told = httpx.get(f"http://127.0.0.1:{running.ports['health_emitters']}/metrics").text
    assert 'ioc_emitter_dropped_total{emitter="onestop",field="ChuHoSo"}' in told


def test_the_same_again_by_any_road_counts_once(onestop: OneStop, ioc: Ioc) -> None:
    done = dossier(TrangThaiHoSo=9, NgayKetThucXuLy=day(2))
    first, again = onestop.push(done), onestop.push([done])
    assert (first.status_code, again.status_code) == (202, 202), first.text
    assert [answer.json()["items"][0]["known"] for answer in (first, again)] == [False, True]
    other = dossier(TrangThaiHoSo="?", NgayHenTra=NUMBER)
    table = "\n".join(";".join(map(str, cells)) for cells in (done, done.values(), other.values()))
    before = ioc("quarantine", "list").stdout.count("not_yours")
    sent = ioc("emit", "--as", "onestop", "--key", onestop.name, "-", input=table)
    assert sent.stdout == "read 3, sent 2, rejected 1\ndropped unread: ChuHoSo 2, SoCMND 2\n", sent.stderr
    assert sent.stderr.startswith("row 3: bad_value: TrangThaiHoSo: is none of") and sent.returncode == 1
    assert NAME not in sent.stderr and NUMBER not in sent.stderr
    assert ioc("quarantine", "list").stdout.count("not_yours") == before
    last = dossier()
    onestop.push(last)
    assert onestop.until_stored(last["MaHoSo"], 1) == ["accepted"]
    assert onestop.until_stored(done["MaHoSo"], 2) == ["accepted", "resolved"]


def test_figures_are_split_by_the_portal_of_origin(onestop: OneStop, ioc: Ioc) -> None:
    def by_portal() -> dict[str, int]:
        days = ("--from", f"{BEGIN:%Y-%m-%d}", "--to", f"{datetime.now(VN):%Y-%m-%d}", "--unit", "phuong_chon_thanh")
        query = ioc("query", "dossiers_received", "--by", "portal", *days, "--format", "json")
        return {one["portal"]: int(one["value"] or 0) for one in json.loads(query.stdout)["readings"]}

    before = by_portal()
    national, silent = dossier(CongTiepNhan="Cổng DVC quốc gia"), dossier()
    assert onestop.push([national, silent]).json()["accepted"] == 2
    for told in (national, silent):
        assert onestop.until_stored(told["MaHoSo"], 1) == ["accepted"]
    more = Counter(by_portal())
    more.subtract(before)
    assert {name: number for name, number in more.items() if number} == {"national": 1, "provincial": 1}


def test_what_was_moved_is_kept_and_is_a_finding(onestop: OneStop, ioc: Ioc) -> None:
    late = dossier(TrangThaiHoSo=9, NgayKetThucXuLy=day(5))
    code = late["MaHoSo"]
    onestop.push([late | {"NgayHenTra": day(6)}, late, late | {"NgayKetThucXuLy": day(2)}])
    back = late | {"TrangThaiHoSo": 4, "NgayKetThucXuLy": "", "ThoiDiemXuLy": day(7)}
    assert onestop.push(back).status_code == 202
    assert sorted(onestop.until_stored(code, 5)) == [
        "accepted", "accepted", "processing_started", "resolved", "resolved",
    ]  # fmt: skip
    found = json.loads(ioc("findings", "--format", "json").stdout)
    assert {"repromised", "ended_again", "went_back"} <= {
        one["code"] for one in found if masked(code) in json.dumps(one, ensure_ascii=False)
    }


def test_what_no_key_may_say_is_refused_as_a_whole(running: Instance, onestop: OneStop) -> None:
    assert onestop.push([dossier()] * 1001).status_code == 413
    assert [onestop.push(body).status_code for body in (b"[", b"{", b"7", b"[{]", b"[]")] == [400, 422, 400, 422, 202]
    assert onestop.push(dossier(), "text/csv").status_code == 415
    url = f"http://127.0.0.1:{running.ports['emitters']}/onestop/dossiers"
    assert httpx.post(url, json=dossier()).status_code == 401
    health = OneStop(running, "--system", "health")
    answer = health.push(dossier())
    assert (answer.status_code, answer.json()["items"][0]["code"]) == (403, "not_yours")
    health.said("revoke", health.name)
