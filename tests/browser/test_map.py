"""The map before a reader: what the demo holds is drawn, chosen from, opened and looked at as it was; a file of one's
own stays with its reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from infra.local.servers import Instance
from schemas import units
from schemas.calendar import VN
from schemas.indicators import CATALOGUE
from services.board.pages.map.geojson import LARGEST
from services.board.ui.words import WORDS
from services.centre.demo import lay_outlines
from services.kit import clock
from services.simulator.district.geography import WARDS

Visit = Callable[..., Page]
AREA = {"type": "Polygon", "coordinates": [[[106.6, 11.4], [106.7, 11.4], [106.7, 11.5], [106.6, 11.4]]]}
POINT = {"type": "Point", "coordinates": [106.65, 11.45]}
SWAPPED = {"type": "Point", "coordinates": [11.45, 106.65]}
NAMES = "Vùng ngập úng thử", "Trạm bơm thử"


def shape(geometry: dict[str, Any], name: str) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"name": name, "owner": "Nguyễn Văn A"}}


def file(name: str, told: object) -> FilePayload:
    return {"name": name, "mimeType": "application/geo+json", "buffer": json.dumps(told).encode()}


OWN = file(
    "Ngập úng.geojson", {"features": [shape(AREA, NAMES[0]), shape(POINT, NAMES[1])], "type": "FeatureCollection"}
)


def the_map(visit: Visit, name: str = "truc.le", **options: Any) -> Page:
    """The page with its marks drawn."""
    page = visit("/map", name, **options)
    expect(page.locator(".mark").first).to_be_visible()
    return page


def counted(page: Page, word: str) -> int:
    """How many the line above the map counts: `{} phản ánh đang mở`."""
    pattern = WORDS[word][0].replace("{}", r"([\d.]+)")
    expect(page.locator("#map-said")).to_have_text(re.compile(pattern))
    found = re.search(pattern, page.locator("#map-said").inner_text())
    assert found
    return int(found[1].replace(".", ""))


def put(page: Page, chosen: FilePayload) -> Locator:
    """Choose a file for oneself; returns where the page tells what came of it."""
    page.locator("[data-outlines='/map/outlines/check']").set_input_files(chosen)
    return page.locator("#map-told")


def test_marks_are_as_many_as_are_told_and_a_filter_changes_them(visit: Visit) -> None:
    page = the_map(visit)
    reports, features = counted(page, "map_reports_n"), counted(page, "map_features_n")
    expect(page.locator(".mark.feature").first).to_be_visible()
    shown = page.locator(".mark").evaluate_all(
        "marks => marks.map(m => [m.classList[1], m.querySelector('text').textContent])"
    )
    by_kind = {kind: sum(int(sign) if sign.isdigit() else 1 for k, sign in shown if k == kind) for kind, _ in shown}
    nowhere = counted(page, "map_nowhere_n")
    assert reports > 100 and features > 100
    assert 0 < by_kind["feature"] <= features and 0 < by_kind["report"] <= reports - nowhere
    page.locator("[name=overdue]").check()
    expect(page.locator(".mark.feature")).to_have_count(0)
    assert 0 < counted(page, "map_reports_n") < reports
    assert counted(page, "map_overdue_n") == counted(page, "map_reports_n")
    expect(page).to_have_url(re.compile("overdue=1"))
    page.get_by_role("link", name=WORDS["other_language"][0]).click()
    expect(page).to_have_url(re.compile("lang=en"))
    expect(page.locator("[name=overdue]")).to_be_checked()


def test_a_cluster_opens_by_keyboard_down_to_a_card(visit: Visit) -> None:
    page = the_map(visit)
    page.locator("[name=layer]").evaluate_all("boxes => boxes.forEach(b => { b.checked = b.value === 'reports' })")
    page.locator("[name=overdue]").check()
    expect(page.locator(".mark.feature")).to_have_count(0)
    card = page.locator(".map-card")
    for _ in range(8):  # each opening goes two zooms nearer
        page.locator("svg[role=group]").focus()
        page.keyboard.press("Tab")
        held = page.evaluate("document.activeElement.getAttribute('transform')")
        assert held, "Tab leads to a mark"
        page.keyboard.press("Enter")
        page.wait_for_function(
            "held => !document.querySelector('.map-card').hidden"
            " || !document.querySelector(`.mark[transform='${held}']`) && document.querySelector('.mark')",
            arg=held,
        )
        if card.is_visible():
            break
    expect(card).to_contain_text(WORDS["map_due"][0])
    expect(card).to_be_focused()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(page.locator(".mark:focus")).to_have_count(1)


def test_a_turned_screen_shows_all_again_until_somebody_looks_elsewhere(visit: Visit) -> None:
    page, zoom = the_map(visit), "JSON.parse(sessionStorage.getItem('ioc-map')).zoom"
    near = page.evaluate(zoom)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(f"near => {zoom} < near", arg=near)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_function(f"near => {zoom} === near", arg=near)
    page.locator("[data-map=in]").click()
    page.wait_for_function(f"near => {zoom} === near + 1", arg=near)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("#map svg").first).to_have_js_property(
        "clientWidth", page.locator("#map").evaluate("e => e.clientWidth")
    )
    assert page.evaluate(zoom) == near + 1


def test_the_slider_changes_the_moment_that_is_told(visit: Visit) -> None:
    page = the_map(visit)
    now = counted(page, "map_reports_n")
    expect(page.locator("#map-moment")).to_have_text(WORDS["map_now"][0])
    page.locator("[name=ago]").focus()
    page.keyboard.press("End")
    expect(page.locator("#map-moment")).to_have_text(re.compile(r"^\d\d/\d\d/\d{4} \d\d:00$"))
    expect(page.locator("#map-said")).to_contain_text(page.locator("#map-moment").inner_text())
    assert counted(page, "map_reports_n") != now


def test_a_file_of_ones_own_is_drawn_kept_in_this_browser_and_taken_away(visit: Visit, address: str) -> None:
    page = the_map(visit)
    expect(put(page, OWN)).to_have_text(WORDS["outline_kept"][0].format("ngap-ung"))
    for _ in range(2):
        expect(page.locator(".shapes .area.mine")).to_have_count(1)
        expect(page.locator(".names text", has_text=NAMES[0])).to_be_visible()
        point = page.get_by_role("button", name=NAMES[1])
        expect(point.locator("title")).to_have_text(NAMES[1])
        point.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".map-card")).to_contain_text(NAMES[1])
        page.keyboard.press("Escape")
        expect(point).to_be_focused()
        page.reload()
        expect(page.locator(".mark").first).to_be_visible()
    assert "Nguyễn" not in page.evaluate("JSON.stringify(localStorage)")
    assert NAMES[0] not in page.request.get("/map/outlines").text()
    other = the_map(visit)
    expect(other.locator("#map-mine li")).to_have_count(0)
    expect(other.locator(".map .mine")).to_have_count(0)
    page.locator("#map-mine button").click()
    expect(page.locator(".map .mine")).to_have_count(0)
    page.reload()
    expect(page.locator(".mark").first).to_be_visible()
    expect(page.locator(".map .mine")).to_have_count(0)


def test_another_account_in_the_same_browser_does_not_see_it(
    visit: Visit, sessions: dict[str, str], address: str
) -> None:
    page = the_map(visit)
    put(page, OWN)
    expect(page.locator(".map .mine")).to_have_count(2)
    page.context.add_cookies([{"name": "ioc_session", "value": sessions["minh.vo"], "url": address}])
    page.reload()
    expect(page.locator(".mark").first).to_be_visible()
    expect(page.locator(".map .mine")).to_have_count(0)


BAD = (
    ("no shape", "outline_no_geojson", "not a JSON object"),
    (SWAPPED, "outline_outside", "feature 1: coordinates 11.45, 106.65"),
    (
        shape(POINT, "gọi 0912 345 678"),
        "outline_personal",
        "feature 1: properties.name: holds a phone number; remove it and send again",
    ),
)
LARGE = """(input, size) => {
  const held = new DataTransfer();
  held.items.add(new File([new Uint8Array(size)], "large.json"));
  input.files = held.files;
  input.dispatchEvent(new Event("change", {bubbles: true}));
}"""


def test_a_bad_file_tells_its_reason(visit: Visit, heard: Any) -> None:
    heard.expected.append("422")
    page = the_map(visit)
    for told, key, reason in BAD:
        expect(put(page, file("a.json", told))).to_have_text(WORDS[key][0].format(reason))
    page.locator("[data-outlines]").evaluate(LARGE, LARGEST + 2**20)
    expect(page.locator("#map-told")).to_have_text(WORDS["outline_large"][0].format("> 8 MB"))
    expect(page.locator(".map .mine")).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_screen_without_login_has_none_and_may_not_ask(visit: Visit, public_address: str, address: str) -> None:
    page = visit("/map", at=public_address)
    expect(page.locator("#map-list table")).to_be_visible()
    expect(page.locator("input[type=file]")).to_have_count(0)
    raw = OWN["buffer"]
    for door, expected in ((public_address, 401), (address, 401)):
        answer = httpx.post(f"{door}/map/outlines/check?name=a", content=raw, headers={"origin": door}, trust_env=False)
        assert answer.status_code == expected


def test_a_file_needs_the_token_of_its_page(address: str, sessions: dict[str, str]) -> None:
    ask = httpx.Client(base_url=address, cookies={"ioc_session": sessions["truc.le"]}, trust_env=False)
    with ask as client:
        answer = client.post("/map/outlines/check?name=a", content=OWN["buffer"], headers={"origin": address})
        assert answer.status_code == 403


@pytest.fixture
def outlined(watched: Instance) -> Iterator[Instance]:
    """The small demo with the schematic outlines of its units."""
    lay_outlines(watched)
    try:
        yield watched
    finally:
        for file in (watched.data / "outlines.laid", *(watched.data / "layers").glob("so-do*")):
            file.unlink()


def test_units_are_coloured_by_a_figure_and_the_address_keeps_it(
    visit: Visit, outlined: Instance, command: Callable[..., str]
) -> None:
    page = the_map(visit)
    areas, legend = page.locator(".map .area"), page.locator("#map-legend")
    expect(areas).to_have_count(len(WARDS) + 1)  # and what says that they are schematic
    expect(legend).to_have_text("")
    page.locator("[name=figure]").select_option("dossiers_received")
    expect(legend).to_contain_text(CATALOGUE["dossiers_received"].vi)
    page.reload()
    expect(page.locator("[name=figure]")).to_have_value("dossiers_received")
    expect(page.locator(".map .area.step-4").first).to_be_visible()
    told = json.loads(command("query", "dossiers_received", "--by", "unit", "--format", "json"))["readings"]
    counts = {units.get(r["unit"]).name_vi: int(r["value"]) for r in told if r["value"]}
    titles = page.locator(".map .area[class*=step] title").evaluate_all("all => all.map(e => e.textContent)")
    shown = {name: int(value.replace(".", "")) for name, _, value in (title.partition(": ") for title in titles)}
    assert shown.keys() <= counts.keys() and len(shown) > 5
    assert all(abs(counts[name] - number) <= 2 for name, number in shown.items()), "but for what came meanwhile"
    page.locator("[name=figure]").select_option("")
    expect(page.locator(".map .area[class*=step]")).to_have_count(0)
    expect(legend).to_have_text("")


def test_outlines_lie_where_they_are_before_any_mark_has_come(visit: Visit, outlined: Instance) -> None:
    page = the_map(visit)
    page.locator("[data-map=in]").click()  # so that it is known where to look
    page.route("**/map/data?*", lambda route: None)  # a busy board
    page.reload()
    expect(page.locator(".map .shapes")).to_have_attribute("transform", re.compile(r"translate.* scale"))
    page.evaluate("sessionStorage.clear()")
    page.reload()
    expect(page.locator(".map .area").first).to_be_attached()
    expect(page.locator(".map .area").first).to_be_hidden()
    page.unroute_all(behavior="ignoreErrors")


def test_any_figure_of_any_days_and_moment_colours_the_units(
    visit: Visit, outlined: Instance, command: Callable[..., str]
) -> None:
    (code,) = {"reports_resolved"} - {i.code for i in CATALOGUE.values() if i.headline}
    first, last, moment = (clock.now().astimezone(VN) - timedelta(days=n) for n in (4, 1, 0.5))
    days = f"first={first:%Y-%m-%d}&last={last:%Y-%m-%d}&as_of={moment:%Y-%m-%dT%H:%M:%S}"
    page = visit(f"/figure/{code}?{days}", "truc.le")
    page.get_by_role("link", name=WORDS["figure_on_map"][0]).click()
    expect(page.locator(".map .area.step-4").first).to_be_visible()
    expect(page.locator("#map-said")).to_contain_text(f"{moment:%d/%m/%Y %H:%M}")
    for part in ("first=", "last=", "as_of=", f"figure={code}"):
        expect(page).to_have_url(re.compile(part))
    asked = ("--from", f"{first:%Y-%m-%d}", "--to", f"{last:%Y-%m-%d}", "--as-of", moment.isoformat())
    told = json.loads(command("query", code, "--by", "unit", "--format", "json", *asked))["readings"]
    counts = {units.get(r["unit"]).name_vi: int(r["value"]) for r in told if r["value"]}
    titles = page.locator(".map .area[class*=step] title").evaluate_all("all => all.map(e => e.textContent)")
    shown = {name: int(value.replace(".", "")) for name, _, value in (title.partition(": ") for title in titles)}
    assert len(shown) > 5 and shown.items() <= counts.items()
    page.locator("[name=span]").select_option("year")
    expect(page).not_to_have_url(re.compile("first="))
    expect(page).to_have_url(re.compile("span=year"))
