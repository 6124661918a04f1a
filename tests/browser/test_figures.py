"""The board shows the same figures as `ioc query`: on the pages of all systems, for the locality and for a unit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal

from playwright.sync_api import Page, expect

from schemas.indicators import CATALOGUE, Indicator
from schemas.registry import SYSTEMS
from services.kit import clock
from services.readings.read import round_half_up

Visit = Callable[..., Page]
Command = Callable[..., str]
Figures = dict[str, tuple[Decimal, str] | None]
"""code -> the number that is printed, and its scale (`%`, `tỷ đ`); None where there is no figure."""
WARD = "phuong_chon_thanh"
SHORTENED = {"tỷ đ": (Decimal(10) ** 9, 2), "triệu đ": (Decimal(10) ** 6, 1), "đ": (Decimal(1), 0)}
ROWS = """() => [...document.querySelectorAll("main tr")].filter(row => row.querySelector("a.how")).map(row =>
  [new URL(row.querySelector("a.how").href).pathname.split("/").pop(), row.querySelector("td").innerText])"""


def printed(text: str) -> tuple[Decimal, str] | None:
    """What a page shows, `▲ 1.234,5 %`, as a number and its scale; None for no figure."""
    found = re.fullmatch(r"(?:[✓▲●] )?(-?[\d.]+(?:,\d+)?) ?(.*)", text)
    if not found:
        return None
    after = found[2].strip()
    return Decimal(found[1].replace(".", "").replace(",", ".")), after if after in ("%", *SHORTENED) else ""


def expected(indicator: Indicator, value: str | None) -> tuple[Decimal, str] | None:
    """The same of a value that `ioc query` gives, in its full precision."""
    if value is None:
        return None
    if indicator.unit != "VND":
        return round_half_up(Decimal(value), indicator.decimals), "%" if indicator.unit == "%" else ""
    whole = round_half_up(Decimal(value), 0)
    after, (size, decimals) = next((a, s) for a, s in SHORTENED.items() if whole >= s[0] or a == "đ")
    return round_half_up(whole / size, decimals), after


def query(command: Command, name: str, *options: str) -> Figures:
    """What the page should print of an indicator, or of each of a system."""
    answer = json.loads(command("query", name, "--format", "json", *options))
    return {r["indicator"]: expected(CATALOGUE[r["indicator"]], r["exact"]) for r in answer["readings"]}


def test_all_figures_are_those_of_ioc_query(visit: Visit, command: Command) -> None:
    page, compared = visit("/", "truc.le"), [0, 0]
    for slug, unit in (*((slug, None) for slug in SYSTEMS), ("procedures", WARD), ("field", WARD)):
        before = clock.now()
        page.goto(f"/system/{slug}" + (f"?unit={unit}" if unit else ""))
        expect(page.locator("main table").first).to_be_visible()
        shown = {code: printed(text) for code, text in page.evaluate(ROWS)}
        options = ("--unit", unit) if unit else ()
        told = query(command, slug, *options, "--as-of", clock.now().isoformat())
        if told != shown:  # time alone makes dossiers overdue: each is as it was before the page was read, or after
            earlier = query(command, slug, *options, "--as-of", before.isoformat())
            told = {code: value if value == shown.get(code) else earlier[code] for code, value in told.items()}
        assert shown == told, (slug, unit)
        compared = [compared[0] + len(shown), compared[1] + sum(value is not None for value in shown.values())]
    print("{} figures compared, {} of them with a value".format(*compared))
    assert compared[0] >= 250 and compared[1] >= 150


def test_the_wall_and_the_explanation_show_the_same(visit: Visit, command: Command) -> None:
    wall = visit("/", "truc.le")
    for slug, code in (("procedures", "dossiers_received"), ("health", "visits"), ("social", "mentions")):
        main = wall.locator(f'.tile[href="/system/{slug}"] .main')
        expect(main).to_have_text(re.compile(r"\d"))
        (value,) = query(command, code).values()
        assert printed(main.inner_text()) == value
        opened = visit(f"/figure/{code}", "truc.le")
        assert printed(opened.locator(".huge").inner_text()) == value
