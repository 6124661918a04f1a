"""Every text of every page is there to be read: none is cut or lies over another, and no column is too narrow for a
word, at the sizes of screens that people have and in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from browser.test_accessibility import PAGES, opened, shown
from browser.test_layouts import TINY
from playwright.sync_api import Page

from infra.local.paths import CHECKOUT
from schemas.registry import DATA_TYPES

Visit = Callable[..., Page]
SIZES = {"phone": (390, 844), "laptop": (1366, 768), "full HD": (1920, 1080), "4K": (3840, 2160)}
LARGE = ("full HD", "4K")
"""Where letters have to grow with the screen."""
SMALLEST = 8
"""Pixels of a letter at full HD."""
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
COLUMN = 8
"""Characters of which each column that has as many holds a line."""
ILLEGIBLE = """most => {
  const seen = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const clipped = (e) => e && (getComputedStyle(e).clipPath !== "none" || clipped(e.parentElement));
  const apart = "script, option, textarea, dialog, .ticker, .tools, #map svg";  // what rolls, floats or moves
  const found = [], lines = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode());) {
    const e = text.parentElement, said = text.data.trim().slice(0, 40);
    if (!said || e.closest(apart) || !seen(e) || clipped(e)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const r of range.getClientRects()) {
      if (r.width < 2 || r.height < 2) continue;
      for (let p = e; p !== document.body; p = p.parentElement) {
        const {overflowX} = getComputedStyle(p), box = p.getBoundingClientRect();
        if (overflowX === "visible" || p.localName === "svg") continue;
        if (r.right > box.right + 2 || r.left < box.left - 2 || r.bottom > box.bottom + 3) found.push(["cut", said]);
      }
      lines.push([r, e, said]);
    }
  }
  lines.sort(([a], [b]) => a.top - b.top);
  lines.forEach(([r, e, said], n) => {
    for (let m = n + 1; m < lines.length && lines[m][0].top < r.bottom - 4; m++) {
      const [s, other, over] = lines[m];
      const high = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
      const wide = Math.min(r.right, s.right) - Math.max(r.left, s.left);
      if (e !== other && wide > 3 && high > 0.4 * Math.min(r.height, s.height)) found.push(["over", said, over]);
    }
  });
  const pen = document.createElement("canvas").getContext("2d");
  for (const cell of document.querySelectorAll("main :is(td, th)")) {
    const style = getComputedStyle(cell), inside = document.createRange();
    const unseen = [...cell.querySelectorAll(".unseen")].map(e => e.innerText);
    const said = unseen.reduce((text, part) => text.replace(part, ""), cell.innerText).trim();
    inside.selectNodeContents(cell);
    const folds = inside.getBoundingClientRect().height > 1.9 * parseFloat(style.lineHeight);
    if (!seen(cell) || clipped(cell) || style.display !== "table-cell" || said.length <= most || !folds) continue;
    pen.font = style.font;
    const room = cell.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (room < pen.measureText("0".repeat(most)).width - 1) found.push(["narrow", said.slice(0, 40), Math.round(room)]);
  }
  const out = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return out > 0 ? [...found, ["out", out]] : found;
}"""


ALERTS = sorted((CHECKOUT / "docs" / "runbooks").glob("*[a-z].md"))
RAW = {
    "type of an event": re.compile(rf"vn\.ioc\.|\b(?:{'|'.join(re.escape(type[7:-3]) for type in DATA_TYPES)})\b"),
    "path of a source": re.compile(r"(?<![\w/])/(?:simulator|emitters|devices|imports|published|deadlines)/?[\w/-]*"),
    "name of an alert": re.compile(rf"\b(?:{'|'.join(file.stem for file in ALERTS)})\b"),
    "name of a service": re.compile(r"\b(?:nats|timescaledb|aggregator|exporter|upkeep|notifier)\b"),
    "code": re.compile(r"\b[a-z]+(?:_[a-z\d]+)+\b"),
    "stage of an alarm": re.compile(r"/(?:route|accept|resolve|soon|today)\b"),
    "moment": re.compile(r"\b\d{4}-\d\d-\d\dT\d\d"),
}
"""What is for programs; codes of units and figures among it."""


WORDS = """() => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), texts = [];
  for (let text; (text = walker.nextNode());) {
    const e = text.parentElement;
    if (!e.closest("script, style") && e.checkVisibility({visibilityProperty: true})) texts.push(text.data);
  }
  return texts.join("\\n");
}"""
"""All that stands on a page once all of it is open, as it was written."""


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_text_is_there_to_be_read_and_is_for_people(visit: Visit, language: str) -> None:
    """A page is opened once, and given one size after the other, as a window is."""
    page, problems = visit(f"/login?lang={language}", "admin"), {}
    for path in (*PAGES, *opened(page)):
        shown(page, path)
        found = {size: hidden for size in SIZES if (hidden := illegible(page, path, size))}
        text = page.evaluate(WORDS)
        found |= {what: [hit[0]] for what, pattern in RAW.items() if (hit := pattern.search(text))}
        if found:
            problems[path] = found
    assert problems == {}


def illegible(page: Page, path: str, size: str) -> list[Any]:
    """What cannot be read of an open page at a size of the screen."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(DRAWN)
    if path == "/map" and size in LARGE:
        page.wait_for_selector(".mark")
    tiny = page.evaluate(TINY, SMALLEST * height / SIZES["full HD"][1]) if size in LARGE else []
    return [*page.evaluate(ILLEGIBLE, COLUMN), *tiny][:4]
