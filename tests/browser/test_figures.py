"""The board shows the same figures as `ioc query`: on the pages of all systems, for the locality and for a unit."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import psycopg
import pytest
from playwright.sync_api import Page, expect

from infra.local.servers import Instance
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.label_texts import label_text, labels
from schemas.indicators.programmes import PROGRAMMES, SHARE, WHOLE
from schemas.registry import MEASURES, SYSTEMS
from services.board.ui.words import WORDS, duration
from services.centre.prepare import settings_of
from services.kit import clock
from services.readings import Period, read
from services.readings.evaluate import NotBrokenDown
from services.readings.read import round_half_up

Visit = Callable[..., Page]
Command = Callable[..., str]
Figures = dict[str, tuple[Decimal, str] | None]
"""code -> the number that is printed, and its scale (`%`, `tỷ đ`); None where there is no figure."""
WARD = "phuong_chon_thanh"
SHORTENED = {"tỷ đ": (Decimal(10) ** 9, 2), "triệu đ": (Decimal(10) ** 6, 1), "đ": (Decimal(1), 0)}
ROWS = """() => {
  document.querySelectorAll("details.group").forEach(group => { group.open = true; });
  return [...document.querySelectorAll("main tr")].filter(row => row.querySelector("a.how")).map(row =>
    [new URL(row.querySelector("a.how").href).pathname.split("/").pop(),
     [...row.querySelectorAll("td")].map(cell => cell.innerText)]);
}"""

UNITS_OPENED = "links => links.map(link => new URL(link.href).searchParams.get('unit'))"


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
    if indicator.unit == "minute":
        return printed(duration(round_half_up(Decimal(value), indicator.decimals), indicator.working, "vi"))
    if indicator.unit != "VND":
        return round_half_up(Decimal(value), indicator.decimals), "%" if indicator.unit == "%" else ""
    whole = round_half_up(Decimal(value), 0)
    after, (size, decimals) = next((a, s) for a, s in SHORTENED.items() if whole >= s[0] or a == "đ")
    return round_half_up(whole / size, decimals), after


def query(command: Command, name: str, *options: str) -> Figures:
    """What the page should print of an indicator, or of each of a system."""
    answer = json.loads(command("query", name, "--format", "json", *options))
    return {r["indicator"]: expected(CATALOGUE[r["indicator"]], r["exact"]) for r in answer["readings"]}


def shown_of(page: Page, slug: str) -> Figures:
    """What the page of a system shows of each indicator. A row of what programmes state has the whole and the share
    beside the part; of what nobody has stated the names stand below those rows, and nothing else."""
    rows = {code: [printed(text) for text in cells] for code, cells in page.evaluate(ROWS)}
    shown, unstated = {code: cells[0] for code, cells in rows.items()}, []
    for row in PROGRAMMES.get(slug, ()):
        codes = (row.code, row.code + WHOLE, row.code + SHARE) if row.whole else (row.code,)
        shown |= dict(zip(codes, rows.get(row.code, [None] * 3), strict=False))
        unstated += [] if row.code in rows else [row.vi]
    below = page.locator(".panel", has_text=WORDS["programmes"][0]).locator("table + p, h2 + p")
    assert below.all_inner_texts() == ([f"{WORDS['not_stated'][0]}: {', '.join(unstated)}"] if unstated else [])
    return shown


def test_all_figures_are_those_of_ioc_query(visit: Visit, command: Command) -> None:
    page, compared = visit("/", "truc.le"), [0, 0]
    for slug, unit in (*((slug, None) for slug in SYSTEMS), ("procedures", WARD), ("field", WARD)):
        before = clock.now()
        page.goto(f"/system/{slug}" + (f"?unit={unit}" if unit else ""))
        expect(page.locator("main table").first).to_be_visible()
        shown = shown_of(page, slug)
        assert set(page.locator("a.how").evaluate_all(UNITS_OPENED)) == {unit}
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
    for slug, code in (
        ("procedures", "dossiers_open_overdue"),
        ("field", "reports_received"),
        ("education", "attendance_share"),
    ):
        main = wall.locator(f'.tile[href="/system/{slug}"] [data-figure="{code}"]')
        expect(main).to_have_text(re.compile(r"\d"))
        (value,) = query(command, code).values()
        assert printed(main.inner_text()) == value
        opened = visit(f"/figure/{code}", "truc.le")
        assert printed(opened.locator(".huge").inner_text()) == value


def test_a_figure_is_broken_down_as_ioc_query_does_and_beside_the_compared_period(
    visit: Visit, command: Command
) -> None:
    page = visit("/system/procedures?ranked=dossiers_received&span=week", "truc.le")
    panel = page.locator(".panel", has_text="Số liệu phân tổ")
    chart = page.locator(".charts").get_by_role("figure", name=CATALOGUE["dossiers_received"].vi, exact=True)
    legend = chart.locator(".legend")
    expect(legend).to_contain_text("so với")
    expect(chart.locator("rect.then").last).to_be_attached()
    page.get_by_role("link", name="So với cùng kỳ năm trước").click()
    expect(page.get_by_role("link", name="So với cùng kỳ năm trước")).to_have_attribute("aria-current", "true")
    expect(legend).not_to_contain_text("so với")  # nothing is known of last year
    expect(page.locator("main .uncovered")).to_have_count(0)
    page.get_by_role("link", name="So với kỳ trước").click()
    expect(page.locator("main .uncovered").first).to_contain_text(WORDS["not_covered"][0] + " (từ")
    page.get_by_role("link", name="So với cùng kỳ năm trước").click()
    page.get_by_role("link", name="Tháng này", exact=True).click()
    panel.get_by_role("link", name="Theo lĩnh vực").click()
    expect(panel.get_by_role("link", name="Theo lĩnh vực")).to_have_attribute("aria-current", "true")
    assert "by=field" in page.url and "against=year" in page.url
    before = clock.now()
    page.reload()
    expect(panel.locator("tbody tr").first).to_be_visible()
    rows = panel.locator("tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].slice(0, 2).map(c => c.innerText))"
    )
    shown = {name: printed(value) for name, value in rows}
    assert shown in (by_field(command, before), by_field(command, clock.now()))
    assert len(shown) >= 5 and all(shown.values())


def test_what_was_published_stands_first_beside_what_is_counted(visit: Visit) -> None:
    page = visit("/system/field", "truc.le")
    card = page.locator("main .title + .live > .published, main .title + .panel")
    expect(card.locator("strong")).to_have_text(f"✓ {WORDS['published_all'][0].format(5, 5)}", timeout=60_000)
    rows = card.locator("tbody tr").evaluate_all("rows => rows.map(r => [...r.cells].slice(2).map(c => c.innerText))")
    assert ["290", "290", f"✓ {WORDS['published_alike'][0].format(1, 1)}"] in rows and len(rows) == 5
    expect(card.locator(".findings li").first).to_contain_text("1022")
    card.locator("tbody a").first.click()
    expect(page.locator("main .huge")).to_have_text("290")


def test_a_figure_leads_to_its_units_to_their_cases_and_to_how_late_one_is(visit: Visit) -> None:
    page = visit("/figure/dossiers_open_overdue", "truc.le")
    told = page.locator("main .huge").inner_text()
    expect(page.locator(".said-figure")).to_contain_text(told.removeprefix("● "))
    row = page.locator("main .panel tbody tr").first
    unit, number = row.locator("th").inner_text(), row.locator("td").first.inner_text().removeprefix("● ")
    row.get_by_role("link", name=WORDS["cases_of_unit"][0]).click()
    expect(page.locator("main .pager")).to_contain_text(f"{number} dòng")
    assert "unit=" in page.url and set(page.locator("tbody td:nth-child(2)").all_inner_texts()) == {unit}
    with page.expect_download() as file:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(file.value.path().read_text("utf-8-sig").splitlines()))
    assert len(rows) == int(number) + 1 and all(row[rows[0].index(WORDS["late_days"][0])] for row in rows[1:])
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text(WORDS["late"][0])
    expect(page.locator("main h2", has_text=WORDS["others_late"][0].partition(" (")[0])).to_be_visible()


def by_field(command: Command, as_of: datetime) -> dict[str, tuple[Decimal, str] | None]:
    """What the page should print of the dossiers received, by the names of the fields."""
    told = command("query", "dossiers_received", "--by", "field", "--format", "json", "--as-of", as_of.isoformat())
    indicator = CATALOGUE["dossiers_received"]
    return {
        label_text("field", r["field"], "vi"): expected(indicator, r["exact"]) for r in json.loads(told)["readings"]
    }


def test_what_can_be_chosen_is_what_readings_can_break_down(watched: Instance) -> None:
    every = {label for measure in MEASURES.values() for label in measure.labels}
    with psycopg.connect(settings_of(watched, "cli").database("reader"), autocommit=True) as conn:
        today = Period.of(clock.now())
        for indicator in CATALOGUE.values():
            refused = every - set(labels(indicator.formula))
            for label in labels(indicator.formula):
                read(conn, indicator, None, today, label)
            for label in refused:
                with pytest.raises(NotBrokenDown):
                    read(conn, indicator, None, today, label)
