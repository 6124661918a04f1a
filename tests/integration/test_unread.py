"""A statistic that no figure reads is kept and told; a code with a year in it is read as the one without."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from support import wait_until_idle

from infra.local.servers import Instance
from schemas.economy import IndicatorReported, IndicatorRetracted, IndicatorTargetSet
from schemas.envelope import EventData, event_key
from schemas.registry import make
from schemas.retraction import in_letters

Ioc = Callable[..., subprocess.CompletedProcess[str]]
NUMBERS = count(1)
DAY = date(2026, 10, 31)


def said(data: EventData) -> dict[str, Any]:
    time = datetime(2026, 11, 1, 9, tzinfo=UTC) + timedelta(seconds=next(NUMBERS))
    event = make(data, source="/test/unread", id=f"unread-{next(NUMBERS)}", time=time, unit="phuong_chon_thanh")
    found: dict[str, Any] = json.loads(event.to_json())
    return found


def store(centre: Instance, ioc: Ioc, events: Sequence[object]) -> None:
    assert ioc("emit", input="\n".join(map(json.dumps, events))).returncode == 0
    centre.start_services(["aggregator"])
    try:
        wait_until_idle(centre)
    finally:
        centre.stop_process("aggregator")


def taken_back(event: dict[str, Any]) -> dict[str, Any]:
    fields = {name: event["data"][name] for name in ("indicator", "period_start", "period_end", "basis")}
    report = in_letters(event_key(event["source"], event["id"]).hex)
    return said(IndicatorRetracted.model_validate({**fields, "of_unit": event["unit"], "report": report}, strict=False))


def test_what_no_figure_reads_is_a_finding_until_it_is_read(centre: Instance, ioc: Ioc) -> None:
    period = {"period_start": DAY.replace(day=1), "period_end": DAY}
    events = [
        said(IndicatorReported(indicator="hoa_lan_xuat_khau", value=Decimal(12), **period)),
        said(IndicatorTargetSet(indicator="hoa_lan_xuat_khau", target=Decimal(20), **period)),
        said(IndicatorReported(indicator="dti_2024_departments_good", value=Decimal(7), **period)),
    ]
    store(centre, ioc, events)
    found = [f for f in json.loads(ioc("findings", "--format", "json").stdout) if "hoa_lan_xuat_khau" in f["en"]]
    assert [f["code"] for f in found] == ["unread_statistic", "unread_target"]
    statistic = found[0]
    assert "hoa_lan_xuat_khau" in statistic["en"]
    assert "/test/unread" in statistic["en"]
    assert statistic["evidence"] == [events[0]["id"]]
    for code in ("dti_departments_good", "dti_2024_departments_good"):
        asked = ioc("query", code, "--unit", "phuong_chon_thanh", "--to", "31/10/2026", "--format", "json")
        assert json.loads(asked.stdout)["readings"][0]["value"] == "7"


def test_a_part_that_no_figure_reads_is_a_finding_too_and_what_is_read_is_none(centre: Instance, ioc: Ioc) -> None:
    """Of days on which no other test looks."""
    period = {"period_start": date(2026, 9, 1), "period_end": date(2026, 9, 30)}
    before = {**period, "period_start": date(2026, 9, 2)}
    two = IndicatorReported(indicator="grdp", value=Decimal(12), total=Decimal(20), **period)
    judged = IndicatorReported(indicator="grdp", reached=True, **before)
    text = IndicatorReported(indicator="budget_revenue", value=Decimal(7), basis="text", **before)
    both = [
        IndicatorReported(indicator="budget_revenue", value=Decimal(7), basis=b, **period) for b in ("text", "table")
    ]
    plain = IndicatorReported(indicator="nq02_e_results", value=Decimal(7), reached=False, **period)
    share = IndicatorReported(indicator="coverage_mobile_villages", value=Decimal(7), total=Decimal(9), **period)
    events = [said(data) for data in (two, judged, text, *both, plain, share)]
    store(centre, ioc, events)
    ours = {event["id"]: event for event in events}
    found = [f for f in json.loads(ioc("findings", "--format", "json").stdout) if ours.keys() & set(f["evidence"])]
    assert {(f["code"], *f["what"].split()): ours.keys() & set(f["evidence"]) for f in found} == {
        ("unread_statistic", "grdp", "total", "table"): {events[0]["id"]},
        ("unread_statistic", "grdp", "reached", "table"): {events[1]["id"]},
        ("unread_statistic", "budget_revenue", "value", "text"): {events[2]["id"]},
    }
    assert len({f["key"] for f in found if "key" in f}) in (0, len(found))
    assert all(f["vi"] and "total" not in f["vi"] for f in found)
    store(centre, ioc, [taken_back(event) for event in events])
    left = json.loads(ioc("findings", "--format", "json").stdout)
    assert not [f for f in left if ours.keys() & set(f["evidence"])]
