"""The board shows the same figures as `ioc query`: on the pages of all systems, for the locality and for a unit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

import psycopg
from playwright.sync_api import Page, expect

from infra.local.servers import Instance
from schemas.indicators import CATALOGUE, Indicator
from schemas.registry import SYSTEMS
from services.cli.prepare import settings_of
from services.kit import clock
from services.readings import Period, sheet
from services.readings.read import round_half_up

Visit = Callable[..., Page]
Command = Callable[..., str]
WARD = "phuong_chon_thanh"
SHORTENED = {"tỷ đ": (Decimal(10) ** 9, 2), "triệu đ": (Decimal(10) ** 6, 1), "đ": (Decimal(1), 0)}
ROWS = """() => [...document.querySelectorAll("main tr")].filter(row => row.querySelector("a.how")).map(row =>
  [new URL(row.querySelector("a.how").href).pathname.split("/").pop(), row.querySelector("td").innerText])"""


def printed(text: str) -> tuple[Decimal, str] | None:
    """What a page shows, `▲ 1.234,5 %`, as a number and what stands after it; None for no figure."""
    found = re.fullmatch(r"(?:[✓▲●] )?(-?[\d.]+(?:,\d+)?) ?(.*)", text)
    return (Decimal(found[1].replace(".", "").replace(",", ".")), found[2]) if found else None


def expected(indicator: Indicator, value: str | None) -> tuple[Decimal, str] | None:
    """The same of a value that `ioc query` gives, in its full precision."""
    if value is None:
        return None
    if indicator.unit != "VND":
        return round_half_up(Decimal(value), indicator.decimals), "%" if indicator.unit == "%" else ""
    whole = round_half_up(Decimal(value), 0)
    after, (size, decimals) = next((a, s) for a, s in SHORTENED.items() if whole >= s[0] or a == "đ")
    return round_half_up(whole / size, decimals), after


def query(command: Command, indicator: str, *options: str) -> str | None:
    """The exact value, as text."""
    answer = json.loads(command("query", indicator, "--format", "json", *options))
    value: str | None = answer["readings"][0]["exact"]
    return value


def shown_by(page: Page, path: str) -> tuple[dict[str, str], tuple[datetime, datetime]]:
    """The figures of a system's page as they stand there, by code; and the moments before and after it was read."""
    before = clock.now()
    page.goto(path)
    expect(page.locator("main table").first).to_be_visible()
    return dict(page.evaluate(ROWS)), (clock.now(), before)


def test_forty_figures_are_those_of_ioc_query(visit: Visit, command: Command) -> None:
    page, compared = visit("/", "truc"), 0
    for slug in SYSTEMS:
        shown, moments = shown_by(page, f"/system/{slug}")
        valued = [code for code, text in shown.items() if printed(text)]
        for code in valued[:6]:
            told = (query(command, code, "--as-of", moment.isoformat()) for moment in moments)
            assert any(printed(shown[code]) == expected(CATALOGUE[code], value) for value in told), code
            compared += 1
    assert compared >= 40


def test_all_figures_are_those_of_readings(visit: Visit, watched: Instance) -> None:
    page, counts = visit("/", "truc"), []
    with psycopg.connect(settings_of(watched, "cli").database("reader")) as conn:
        for slug, unit in (*((slug, None) for slug in SYSTEMS), ("procedures", WARD), ("field", WARD)):
            shown, moments = shown_by(page, f"/system/{slug}" + (f"?unit={unit}" if unit else ""))
            told = [read_all(conn, shown, unit, moment) for moment in moments]
            for code, text in shown.items():
                assert printed(text) in [values[code] for values in told], (code, unit)
            counts += [printed(text) is not None for text in shown.values()]
            conn.rollback()
    print(f"{len(counts)} figures compared, {sum(counts)} of them with a value")
    assert len(counts) >= 250 and sum(counts) >= 150


def read_all(
    conn: psycopg.Connection, codes: Iterable[str], unit: str | None, moment: datetime
) -> dict[str, tuple[Decimal, str] | None]:
    """code -> what a page should print, as of a moment: time alone makes dossiers overdue."""
    found = sheet(conn, [CATALOGUE[code] for code in codes], unit, Period.of(moment))
    return {r.indicator.code: expected(r.indicator, None if r.value is None else str(r.value)) for (r,) in found}


def test_the_wall_and_the_explanation_show_the_same(visit: Visit, command: Command) -> None:
    wall = visit("/", "truc")
    for slug, code in (("procedures", "dossiers_received"), ("health", "visits"), ("social", "mentions")):
        main = wall.locator(f'.tile[href="/system/{slug}"] .main')
        expect(main).to_have_text(re.compile(r"\d"))
        value = query(command, code)
        assert printed(main.inner_text()) == expected(CATALOGUE[code], value)
        opened = visit(f"/figure/{code}", "truc")
        assert printed(opened.locator(".huge").inner_text()) == expected(CATALOGUE[code], value)
