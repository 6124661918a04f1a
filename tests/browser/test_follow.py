"""A figure that is opened goes on being told, and whoever reads it by keyboard keeps their place."""

from __future__ import annotations

from collections.abc import Callable

from browser.deeds import count, emit_report
from playwright.sync_api import Page, expect

from infra.local.servers import Instance

Visit = Callable[..., Page]


def test_an_opened_figure_rises_under_the_keyboard(visit: Visit, watched: Instance) -> None:
    page = visit("/figure/reports_received?span=day", "truc.le")
    figure, link = page.locator("main .huge"), page.locator("main .title a").first
    told = figure.inner_text()
    before = 0 if told == "–" else count(told)  # soon after midnight the day has no report yet
    link.focus()
    page.evaluate("document.querySelector('main .huge').known = true")
    emit_report(watched)
    expect(figure).to_have_text(f"{before + 1}", timeout=15_000)
    assert page.evaluate("!document.querySelector('main .huge').known"), "it was made anew"
    expect(link).to_be_focused()
