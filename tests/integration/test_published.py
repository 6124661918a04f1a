"""The published tables, cell by cell, asked for with the `ioc` command of a centre that was fed over the real road."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import output_of

from infra.local.servers import Instance
from schemas.indicators import CATALOGUE
from services.centre.prepare import settings_of
from services.simulator import november_2024

TABLES = Path(november_2024.__file__).parent / "tables"
NOVEMBER = ("--from", "2024-11-01", "--to", "2024-11-30")
REPORT = ("--from", "2024-10-23", "--to", "2024-11-23", "--as-of", "2024-11-30")
STATE = ("--from", "2024-11-01", "--to", "2024-11-23", "--as-of", "2024-11-23")
Ioc = Callable[..., str]


@pytest.fixture(scope="module")
def ioc(published: Instance) -> Ioc:
    """Runs the command as an operator would, without the start of a process; returns what it prints."""

    return partial(output_of, published)


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def column(ioc: Ioc, indicator: str, *options: str) -> dict[str, dict[str, str]]:
    """unit -> its row of `ioc query INDICATOR --by unit`."""
    text = ioc("query", indicator, "--by", "unit", "--format", "csv", *options)
    return {row["unit"]: row for row in csv.DictReader(io.StringIO(text))}


def value(ioc: Ioc, indicator: str, *options: str) -> Decimal | None:
    answer = json.loads(ioc("query", indicator, "--format", "json", *options))["readings"][0]["value"]
    return None if answer is None else Decimal(answer)


PAYMENTS = {
    "tax_txn_month": "payments_tax_count",
    "tax_vnd_month": "payments_tax_amount",
    "fee_txn_month": "payments_fee_count",
    "fee_vnd_month": "payments_fee_amount",
}


def test_payments_in_all_44_cells_and_their_totals(ioc: Ioc) -> None:
    rows = table("online_payment_by_district")
    compared = 0
    for printed, indicator in PAYMENTS.items():
        found = column(ioc, indicator, *NOVEMBER)
        assert set(found) == {row["unit_code"] for row in rows}
        for row in rows:
            assert found[row["unit_code"]]["value"] == row[printed], (row["unit_code"], printed)
            compared += 1
        assert value(ioc, indicator, *NOVEMBER) == sum(int(row[printed]) for row in rows)
    assert compared == 44
    assert value(ioc, "payments_count", *NOVEMBER) == 15_097
    assert value(ioc, "payments_amount", *NOVEMBER) == 16_850_363_253
    online = [
        value(ioc, f"payments_online_{what}", *NOVEMBER)
        for what in ("tax_count", "tax_amount", "fee_count", "fee_amount")
    ]
    assert online == [4_884, 14_937_656_323, 10_213, 1_912_706_930]


@pytest.mark.parametrize("options", [STATE, NOVEMBER], ids=["state on 23/11", "whole month"])
def test_online_services_of_27_units_with_54_flags(ioc: Ioc, options: tuple[str, ...]) -> None:
    rows = table("online_services_by_unit")
    services, dossiers = column(ioc, "online_service_share", *options), column(ioc, "online_dossier_share", *options)
    assert len(rows) == 27
    for row in rows:
        unit = row["unit_code"]
        assert Decimal(services[unit]["value"]) == Decimal(row["pct_online_services_with_dossiers"]), unit
        assert Decimal(dossiers[unit]["value"]) == Decimal(row["pct_dossiers_handled_online"]), unit
        assert services[unit]["met"] == str(row["meets_target_80"] == "1"), unit
        assert dossiers[unit]["met"] == str(row["meets_target_50"] == "1"), unit
    assert value(ioc, "online_service_share_mean", *options) == Decimal("98.61")
    assert value(ioc, "online_dossier_share_mean", *options) == Decimal("80.78")


SOFTWARE = {
    "paperless_meetings_period": "paperless_meetings",
    "paperless_meetings_cumulative": "paperless_meetings_total",
    "pct_documents_digitally_signed": "documents_signed_pct",
    "pct_documents_handled_online": "documents_online_pct",
    "antivirus_installs": "antivirus_installs",
    "pct_staff_using_official_email": "official_email_pct",
}


def test_software_usage_of_33_units_with_sums_and_means(ioc: Ioc) -> None:
    rows = table("egov_software_usage_by_unit")
    for printed, indicator in SOFTWARE.items():
        found = column(ioc, indicator, *REPORT)
        for row in rows:
            if row[printed] == "":
                assert row["unit_code"] not in found or found[row["unit_code"]]["value"] == "", (
                    "a blank cell is not a zero"
                )
            else:
                assert Decimal(found[row["unit_code"]]["value"]) == Decimal(row[printed]), (row["unit_code"], printed)
    totals = {indicator: value(ioc, indicator, *REPORT) for indicator in SOFTWARE.values()}
    assert totals == {
        "paperless_meetings": 92,
        "paperless_meetings_total": 4849,
        "documents_signed_pct": Decimal("90.85"),
        "documents_online_pct": 100,
        "antivirus_installs": 4760,
        "official_email_pct": Decimal("86.76"),
    }


def test_certified_copies_and_hotline_as_printed(ioc: Ioc) -> None:
    row = table("e_certification_summary")[0]
    names = {
        "received_total": "received", "carried_over": "carried_over", "newly_received": "new",
        "resolved_total": "resolved",
        "resolved_on_time_or_early": "on_time_or_early", "resolved_overdue": "overdue",
        "in_progress_total": "in_progress",
        "in_progress_not_due": "not_due", "in_progress_overdue": "in_progress_overdue",
    }  # fmt: skip
    for printed, code in names.items():
        assert value(ioc, f"ecert_{code}", *REPORT) == int(row[printed]), printed
    row = table("hotline_1022_period")[0]
    period = ("--from", "2024-10-23", "--to", "2024-11-23")
    names = {
        "received": "received", "processed": "processed", "in_progress": "in_progress",
        "answered_directly": "answered", "forwarded_to_agencies": "forwarded",
    }  # fmt: skip
    for printed, code in names.items():
        assert value(ioc, f"hotline_{code}", *period) == int(row[printed]), printed


def test_programme_figures(ioc: Ioc) -> None:
    rows = [*table("programme_figures"), *table("document_figures")]
    assert len(rows) == 33 + 20
    for row in rows:
        code = f"{row['programme']}_{row['indicator_code']}"
        answer = json.loads(ioc("explain", code, "--format", "json", "--to", row["period_end"]))
        assert Decimal(answer["value"]) == Decimal(row["value"]), code
        assert answer["events"] == 1
        if row["total"]:
            assert value(ioc, f"{code}_whole", "--to", row["period_end"]) == Decimal(row["total"]), code
            share = value(ioc, f"{code}_pct", "--to", row["period_end"])
            assert share == round(Decimal(row["value"]) / Decimal(row["total"]) * 100, 2), code


def test_resolution_02(ioc: Ioc) -> None:
    for row in table("nq02_2024_targets"):
        code = f"nq02_{row['indicator_code']}"
        for printed, indicator, last in (
            ("achieved_10m2024_pct", code, "2024-10-31"),
            ("achieved_year2024_pct", code, "2024-12-31"),
            ("target_2024_pct", f"{code}_target", "2024-12-31"),
            ("reached_at_10m", f"{code}_reached", "2024-10-31"),
        ):
            found = value(ioc, indicator, "--from", "2024-01-01", "--to", last)
            if row[printed]:
                assert found == Decimal(row[printed]), (indicator, last)
            elif printed != "achieved_year2024_pct":
                assert found is None, (indicator, last)


def test_about_57_000_dossiers_half_a_percent_overdue(ioc: Ioc) -> None:
    received = value(ioc, "dossiers_received", *NOVEMBER)
    assert received is not None and abs(received - 57_000) < 1_000
    assert value(ioc, "overdue_share", "--from", "2024-10-23", "--to", "2024-11-30") == Decimal("0.50")
    sheet = json.loads(ioc("query", "ii06", "--format", "json", "--from", "2024-11-04", "--to", "2024-11-20"))[
        "readings"
    ]
    c = {int(r["indicator"][-2:]): int(r["value"]) for r in sheet}
    assert sorted(c) == list(range(3, 14))
    assert c[3] == c[4] + c[5] + c[6] == c[7] + c[11]
    assert c[7] == c[8] + c[9] + c[10]
    assert c[11] == c[12] + c[13]


def test_findings_name_what_is_missing(ioc: Ioc) -> None:
    found = {f["code"]: f for f in json.loads(ioc("findings", "--format", "json"))}
    assert (found["ecert_balance"]["left"], found["ecert_balance"]["right"], found["ecert_balance"]["missing"]) == (
        "5122",
        "5121",
        "1",
    )
    assert (found["hotline_groups"]["left"], found["hotline_groups"]["right"], found["hotline_groups"]["missing"]) == (
        "290",
        "288",
        "2",
    )
    assert len(found["hotline_groups"]["evidence"]) == 2
    assert all("10/BC-STTTT" in found[code]["vi"] for code in ("ecert_balance", "contradiction")), "in which document"
    texts = [f for f in json.loads(ioc("findings", "--format", "json")) if f["code"] == "contradiction"]
    assert {(f["unit"], f["left"], f["right"]) for f in texts} == {
        ("dong_xoai", "1674", "1733"),
        ("vpubnd_tinh", "1377", "1674"),
    }
    assert set(found) == {"ecert_balance", "hotline_groups", "contradiction"}


def test_explain_opens_a_cell_to_its_events(ioc: Ioc) -> None:
    answer = json.loads(ioc("explain", "payments_fee_amount", "--unit", "bu_gia_map", "--format", "json", *NOVEMBER))
    assert (answer["value"], answer["events"]) == ("2438000", 103)
    assert all(e["unit"] == "bu_gia_map" and e["type"] == "vn.ioc.payment.made.v1" for e in answer["sample"])
    assert answer["sources"][0]["source"].startswith("/scenario/november-2024/")
    assert "2,438,000 VND" in ioc("explain", "payments_fee_amount", "--unit", "Huyện Bù Gia Mập", *NOVEMBER)
    for code, history in (("ii06_11", False), ("ii06_06", True)):  # at its end, still so; at its beginning
        stock = json.loads(ioc("explain", code, "--format", "json", *NOVEMBER))
        assert (str(stock["events"]), stock["history"]) == (stock["value"], history)


def test_tables_for_people_show_the_same(ioc: Ioc) -> None:
    one = ioc("query", "payments_fee_amount", *NOVEMBER)
    assert "Nộp phí, lệ phí, mọi hình thức: số tiền" in one and "1,912,706,930" in one and "SHIFTED" not in one
    by_unit = ioc("query", "online_dossier_share", "--by", "unit", *NOVEMBER)
    assert "Thị xã Bình Long" in by_unit and "37.0" in by_unit and "✗ chưa đạt (≥ 50)" in by_unit
    sheet = ioc("query", "ii06", "--by", "unit", *NOVEMBER)
    assert all(f"ii06_{n:02}" in sheet for n in range(3, 14)) and "Thị xã Chơn Thành" in sheet
    assert "no data" in ioc(
        "query", "payments_count", "--unit", "chon_thanh", "--from", "2023-01-01", "--to", "2023-01-31"
    )
    assert "2 messages missing" in ioc("findings")
    assert "ecert_balance" in ioc("findings", "--as-of", "2024-12-31")
    assert len(ioc("indicators").splitlines()) == len(CATALOGUE) + 2


def test_every_indicator_of_the_catalogue_opens(published: Instance) -> None:
    """Each gives a value or a reason, and its explanation agrees with its reading."""
    from services.kit import store
    from services.readings import Period, explain, sheet

    period = Period.of(datetime(2024, 11, 30, 16, 59, tzinfo=UTC), datetime(2024, 11, 1).date())
    assert len(CATALOGUE) >= 60
    with store.connect(settings_of(published, "cli"), "reader") as conn:
        for (reading,) in sheet(conn, CATALOGUE.values(), None, period):
            indicator = reading.indicator
            assert (reading.value is None) == bool(reading.reason), indicator.code
            assert explain(conn, indicator, None, period).parts[0].value == reading.value, indicator.code


def test_rebuild_agrees(ioc: Ioc) -> None:
    assert "agree" in ioc("rebuild", "--check")


def _post(published: Instance, emitter: str, path: str, body: dict[str, Any]) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{published.ports['emitters']}{path}",
        json=body,
        headers={"Authorization": f"Bearer {published.password(f'emitter_{emitter}')}"},
    )
    assert answer.status_code == 202, answer.text


def test_what_is_posted_is_read_back(published: Instance, ioc: Ioc) -> None:
    now = datetime.now(UTC) - timedelta(seconds=2)
    today = (now + timedelta(hours=7)).date().isoformat()
    unit, at = "phuong_chon_thanh", now.isoformat()
    words: list[tuple[str, str, dict[str, Any], str]] = [
        ("procedures", "/procedures/dossiers", {
            "code": "H99.98-261101-700001", "status": 1, "at": at,
            "unit": unit, "procedure": "2.000815", "field": "justice",
        }, "dossiers_received"),
        ("payments", "/payments", {
            "transaction": "TXN-READBACK-1", "kind": "fee", "amount": 5000, "method": "qr_code",
            "unit": unit, "paid_at": at,
        }, "payments_fee_amount"),
        ("field", "/field/reports", {
            "code": "PA-READBACK-1", "channel": "app", "category": "road", "unit": unit, "reported_at": at,
        }, "reports_received"),
    ]  # fmt: skip
    for emitter, path, body, indicator in words:
        _post(published, emitter, path, body)
        wanted, end = (5000 if emitter == "payments" else 1), time.monotonic() + 15
        while (found := value(ioc, indicator, "--unit", unit, "--from", today, "--to", today)) != wanted:
            assert time.monotonic() < end, (indicator, found)


def test_an_unknown_name_says_what_is_near(published: Instance) -> None:
    environment = {**os.environ, "IOC_HOME": str(published.data.parent), "IOC_INSTANCE": "main"}
    for arguments, hint in (
        (["payments_fee_ammount"], "payments_fee_amount"),
        (["payments_count", "--unit", "chon_than"], "chon_thanh"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", "query", *arguments], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert hint in done.stderr
