"""The figures that units and the province state themselves: software, certified copies, Resolution 02, programmes; and
those of the printed tables that the events behind them give back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from schemas.calendar import VN
from schemas.economy import IndicatorReported, IndicatorTargetSet
from schemas.envelope import Event
from schemas.indicators.as_reported import PREFIX
from schemas.security import AntivirusReported
from services.simulator.november_2024.moments import END
from services.simulator.november_2024.shift import UNSHIFTED, Shift
from services.simulator.november_2024.tables import period, rows

PROVINCE = "binh_phuoc"
REPORT = "10/BC-STTTT"
PUBLISHED = datetime.combine(END, time(10), VN)
SOFTWARE_PERIOD = (date(2024, 10, 23), date(2024, 11, 23))

_SOFTWARE = {
    "paperless_meetings": "paperless_meetings_period",
    "paperless_meetings_total": "paperless_meetings_cumulative",
    "documents_signed_pct": "pct_documents_digitally_signed",
    "documents_online_pct": "pct_documents_handled_online",
    "official_email_pct": "pct_staff_using_official_email",
}
_SAID_IN_TEXT = {"dong_xoai": 1733, "vpubnd_tinh": 1674}
"""Paperless meetings so far, as the running text has them; the table next to it has others."""
_E_CERTIFICATION = {
    "ecert_received": "received_total",
    "ecert_carried_over": "carried_over",
    "ecert_new": "newly_received",
    "ecert_resolved": "resolved_total",
    "ecert_on_time_or_early": "resolved_on_time_or_early",
    "ecert_overdue": "resolved_overdue",
    "ecert_in_progress": "in_progress_total",
    "ecert_not_due": "in_progress_not_due",
    "ecert_in_progress_overdue": "in_progress_overdue",
}


_NOVEMBER = (date(2024, 11, 1), END)
_PRINTED = {
    "online_payment_by_district": {
        f"payments_online_{kind}_{what}": f"{kind}_{column}_month"
        for kind in ("tax", "fee")
        for what, column in (("count", "txn"), ("amount", "vnd"))
    },
    "online_services_by_unit": {
        "online_service_share": "pct_online_services_with_dossiers",
        "online_dossier_share": "pct_dossiers_handled_online",
    },
    "hotline_1022_period": {
        "hotline_received": "received",
        "hotline_processed": "processed",
        "hotline_in_progress": "in_progress",
        "hotline_answered": "answered_directly",
        "hotline_forwarded": "forwarded_to_agencies",
    },
}
"""Table -> figure that the centre counts -> its printed column."""


class Said(NamedTuple):
    """One statement: an indicator of a unit for a period, its value and total as printed (None: nothing is)."""

    indicator: str
    unit: str
    period: tuple[date, date]
    at: datetime
    value: str | None = None
    total: str | None = None
    reached: bool | None = None
    basis: Literal["table", "text"] = "table"
    document: str | None = None


def statement_events(shift: Shift) -> Iterator[Event]:
    """All that is stated, not counted."""
    for said in (*_software(), *_e_certification(), *_resolution_02(), *_programmes(), *_printed()):
        yield _reported(said, UNSHIFTED if said.period[1] > END else shift)
    yield from _antivirus(shift)
    # Targets of the year go with the shifted months and with the year's result, which is not shifted.
    for each in dict.fromkeys((shift, UNSHIFTED)):
        yield from _targets(each)


def _reported(said: Said, shift: Shift) -> Event:
    start, end = (day + shift.days for day in said.period)
    data = IndicatorReported(
        indicator=said.indicator,
        period_start=start,
        period_end=end,
        value=_decimal(said.value),
        total=_decimal(said.total),
        reached=said.reached,
        basis=said.basis,
        document=said.document,
    )
    return shift.event(data, id=_id(said.indicator, said.unit, said.basis, end, shift), time=said.at, unit=said.unit)


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _id(indicator: str, unit: str, kind: str, day: date, shift: Shift) -> str:
    return f"{indicator}-{unit}-{kind}-{day:%Y%m%d}-{shift.tag}"


def _software() -> Iterator[Said]:
    common: dict[str, Any] = {"period": SOFTWARE_PERIOD, "at": PUBLISHED, "document": REPORT}
    for row in rows("egov_software_usage_by_unit"):
        for indicator, column in _SOFTWARE.items():
            yield Said(indicator, row["unit_code"], value=row[column], **common)
    for unit, meetings in _SAID_IN_TEXT.items():
        yield Said("paperless_meetings_total", unit, value=str(meetings), basis="text", **common)


def _e_certification() -> Iterator[Said]:
    (row,) = rows("e_certification_summary")
    for indicator, column in _E_CERTIFICATION.items():
        yield Said(indicator, PROVINCE, period(row), PUBLISHED, row[column], document=REPORT)


def _resolution_02() -> Iterator[Said]:
    ten_months, year = (date(2024, 1, 1), date(2024, 10, 31)), (date(2024, 1, 1), date(2024, 12, 31))
    for row in rows("nq02_2024_targets"):
        indicator = f"nq02_{row['indicator_code']}"
        reached, value = row["reached_at_10m"] == "1", row["achieved_10m2024_pct"]
        yield Said(indicator, PROVINCE, ten_months, PUBLISHED, value, reached=reached)
        if value := row["achieved_year2024_pct"]:
            yield Said(indicator, PROVINCE, year, datetime(2025, 1, 10, 10, tzinfo=VN), value)


def _targets(shift: Shift) -> Iterator[Event]:
    start, end = date(2024, 1, 1) + shift.days, date(2024, 12, 31) + shift.days
    for row in rows("nq02_2024_targets"):
        if target := _decimal(row["target_2024_pct"]):
            indicator = f"nq02_{row['indicator_code']}"
            data = IndicatorTargetSet(indicator=indicator, period_start=start, period_end=end, target=target)
            time = datetime(2024, 1, 10, 10, tzinfo=VN)
            yield shift.event(data, id=_id(indicator, PROVINCE, "target", end, shift), time=time, unit=PROVINCE)


def _programmes() -> Iterator[Said]:
    for row in (*rows("programme_figures"), *rows("document_figures")):
        day = date.fromisoformat(row["period_end"])
        at = datetime.combine(day, time(17), VN)
        yield Said(f"{row['programme']}_{row['indicator_code']}", PROVINCE, (day, day), at, row["value"], row["total"])


def _printed() -> Iterator[Said]:
    """A row without a unit is the province's, one without days is of November."""
    for table, columns in _PRINTED.items():
        for row in rows(table):
            days = period(row) if "period_start" in row else _NOVEMBER
            for indicator, column in columns.items():
                unit = row.get("unit_code", PROVINCE)
                yield Said(PREFIX + indicator, unit, days, PUBLISHED, row[column], document=REPORT)


def _antivirus(shift: Shift) -> Iterator[Event]:
    """A blank cell is not a zero: nothing is reported for it."""
    day = SOFTWARE_PERIOD[1] + shift.days
    for row in rows("egov_software_usage_by_unit"):
        if row["antivirus_installs"]:
            data, unit = AntivirusReported(day=day, installs=int(row["antivirus_installs"])), row["unit_code"]
            yield shift.event(data, id=_id("antivirus", unit, "table", day, shift), time=PUBLISHED, unit=unit)
