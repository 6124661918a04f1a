"""A figure that is opened goes on being told, and whoever reads it by keyboard keeps their place."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

from browser.deeds import count, emit_report
from playwright.sync_api import Page, WebSocketRoute, expect

from infra.local.servers import Instance

Visit = Callable[..., Page]


def test_an_opened_figure_rises_under_the_keyboard(visit: Visit, watched: Instance) -> None:
    page = visit("/figure/reports_received?span=day", "truc.le")
    figure, link = page.locator("main .huge"), page.locator("main .title a").first
    told = figure.inner_text()
    before = 0 if told == "–" else count(told)  # soon after midnight the day has no report yet
    link.focus()
    page.evaluate("document.activeElement.known = true")
    emit_report(watched)
    expect(figure).to_have_text(f"{before + 1}", timeout=15_000)
    expect(link).to_be_focused()
    assert page.evaluate("document.activeElement.known"), "what has not changed is the same element"


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
