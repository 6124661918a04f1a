"""A statistic that no figure reads is kept and told; a code with a year in it is read as the one without."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

from support import wait_until_idle

from infra.local.servers import Instance
from schemas.economy import IndicatorReported, IndicatorTargetSet
from schemas.envelope import EventData
from schemas.registry import make

Ioc = Callable[..., subprocess.CompletedProcess[str]]
NUMBERS = count(1)
DAY = date(2026, 10, 31)


def said(data: EventData) -> dict[str, object]:
    time = datetime(2026, 11, 1, 9, tzinfo=UTC) + timedelta(seconds=next(NUMBERS))
    event = make(data, source="/test/unread", id=f"unread-{next(NUMBERS)}", time=time, unit="phuong_chon_thanh")
    found: dict[str, object] = json.loads(event.to_json())
    return found


def test_what_no_figure_reads_is_a_finding_until_it_is_read(centre: Instance, ioc: Ioc) -> None:
    period = {"period_start": DAY.replace(day=1), "period_end": DAY}
    events = [
        said(IndicatorReported(indicator="hoa_lan_xuat_khau", value=Decimal(12), **period)),
        said(IndicatorTargetSet(indicator="hoa_lan_xuat_khau", target=Decimal(20), **period)),
        said(IndicatorReported(indicator="dti_2024_departments_good", value=Decimal(7), **period)),
    ]
    assert ioc("emit", input="\n".join(map(json.dumps, events))).returncode == 0
    centre.start_services(["aggregator"])
    try:
        wait_until_idle(centre)
    finally:
        centre.stop_process("aggregator")
    told = {f["code"]: f for f in json.loads(ioc("findings", "--format", "json").stdout)}
    assert {"unread_statistic", "unread_target"} <= told.keys()
    statistic = told["unread_statistic"]
    assert "hoa_lan_xuat_khau" in statistic["en"]
    assert "/test/unread" in statistic["en"]
    assert statistic["evidence"] == [events[0]["id"]]
    for code in ("dti_departments_good", "dti_2024_departments_good"):
        asked = ioc("query", code, "--unit", "phuong_chon_thanh", "--to", "31/10/2026", "--format", "json")
        assert json.loads(asked.stdout)["readings"][0]["value"] == "7"
