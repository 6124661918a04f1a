"""The published tables as they were printed: one list of rows per file in `tables/`."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `tables/<name>.csv`: column -> text, empty where nothing is printed."""
    text = files(__package__).joinpath("tables", f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


class Paid(NamedTuple):
    """The payments of one kind made online in a district, and their sum (đồng)."""

    payments: int
    total: int


@cache
def payments() -> dict[str, dict[str, Paid]]:
    """District -> kind (`tax`, `fee`) -> what was paid in November 2024."""
    return {
        row["unit_code"]: {
            kind: Paid(int(row[f"{kind}_txn_month"]), int(row[f"{kind}_vnd_month"])) for kind in ("tax", "fee")
        }
        for row in rows("online_payment_by_district")
    }


@cache
def online_permille() -> dict[str, int]:
    """Unit -> share of its dossiers that are filed online, in thousandths (printed with one decimal of a percent)."""
    return {
        row["unit_code"]: round(float(row["pct_dossiers_handled_online"]) * 10)
        for row in rows("online_services_by_unit")
    }


def period(row: dict[str, str]) -> tuple[date, date]:
    """The first and last day that a row is about."""
    return date.fromisoformat(row["period_start"]), date.fromisoformat(row["period_end"])
