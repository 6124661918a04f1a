"""A figure that is opened goes on being told, and whoever reads it by keyboard keeps their place."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import timedelta

from browser.deeds import count, emit_report, vietnamese
from playwright.sync_api import Page, WebSocketRoute, expect

from infra.local.servers import Instance
from services.board.ui.words import WORDS

Visit = Callable[..., Page]


def test_an_opened_figure_rises_under_the_keyboard(visit: Visit, watched: Instance) -> None:
    page = visit("/figure/reports_received?span=day", "truc.le")
    figure, link = page.locator("main .huge"), page.locator("main .title a").first
    emit_report(watched)  # soon after midnight the day has no report yet, nor what a page says of one
    expect(figure).to_have_text(re.compile(r"\d"), timeout=60_000)
    before = count(figure.inner_text())
    link.focus()
    page.evaluate("document.activeElement.known = true")
    emit_report(watched)
    expect(figure).not_to_have_text(vietnamese(before), timeout=60_000)
    assert count(figure.inner_text()) > before
    expect(link).to_be_focused()
    assert page.evaluate("document.activeElement.known"), "what has not changed is the same element"


def test_a_copied_link_shows_the_same_number_whatever_comes_and_the_period_goes_along(
    visit: Visit, watched: Instance
) -> None:
    page = visit("/figure/reports_received?span=week", "truc.le")
    page.get_by_role("link", name=WORDS["this_figure"][0]).click()
    expect(page.locator("main .title strong")).to_be_visible()
    address, told = page.url, count(page.locator("main .huge").inner_text())
    emit_report(watched)
    now = visit("/figure/reports_received?span=week", "truc.le")
    expect(now.locator("main .huge")).not_to_have_text(vietnamese(told))
    emit_report(watched, late=timedelta(hours=1))
    page.goto(address)
    told_now = WORDS["figure_since"][0].format(vietnamese(told + 1))
    expect(page.locator("main")).to_contain_text(told_now, timeout=60_000)
    assert count(page.locator("main .huge").inner_text()) == told
    page.goto(address.replace(f"shown={told}", f"shown={told + 1000}"))
    assert count(page.locator("main .huge").inner_text()) == told + 1, "what nobody sealed is not shown"
    page.goto(address)
    page.locator(".period summary").click()
    page.locator("[name=first]").fill("2026-01-05")
    page.locator("[name=last]").fill("2026-02-04")
    page.get_by_role("button", name=WORDS["period_show"][0]).click()
    expect(page.locator("main .title")).to_contain_text("05/01/2026 – 04/02/2026")
    for go in (lambda: page.get_by_role("link", name=WORDS["back"][0]).click(), lambda: page.keyboard.press("0")):
        with page.expect_navigation():  # a key that is pressed before the page has loaded is nobody's
            go()
        assert all(part in page.url for part in ("first=2026-01-05", "last=2026-02-04", "as_of="))
    expect(page.locator(".bar .over")).to_contain_text("05/01/2026 – 04/02/2026")
    page.locator(".bar .over > summary").click()
    with page.expect_navigation():
        page.get_by_role("link", name=WORDS["period_this_month"][0], exact=True).click()
    assert "first" not in page.url and "as_of=" in page.url
    page.locator(".bar .over > summary").click()
    page.get_by_role("link", name=WORDS["period_now"][0]).click()
    expect(page).to_have_url(re.compile("/$"))


PARTS = ("<li>{}</li>", "<li class='{0}'>{0}</li>", "<li><b>{}</b> <i>x</i></li>", "{}", "<li id='{}'><input></li>")
BOTH = """html => {
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  return [document.getElementById("list").innerHTML, fresh.innerHTML];
}"""


def test_a_place_becomes_what_it_is_sent_whatever_stood_there(visit: Visit) -> None:
    chance, sent = random.Random(7), list[WebSocketRoute]()
    page = visit("/login", "truc.le")
    page.route_web_socket(re.compile("/sources"), lambda route: sent.append(route))
    page.goto("/sources")
    for _ in range(150):
        parts = [chance.choice(PARTS).format(chance.randrange(6)) for _ in range(chance.randrange(8))]
        html = f"<ul>{''.join(parts)}</ul><p>{chance.random()}</p>"
        sent[-1].send(json.dumps({"list": html}))
        page.wait_for_function("words => document.getElementById('list').textContent.endsWith(words)", arg=html[-20:-4])
        shown, meant = page.evaluate(BOTH, html)
        assert shown == meant
