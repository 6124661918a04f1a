"""Open walls that take down what they show: pages in a real Chromium, and clients that speak the pages' protocol."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

if TYPE_CHECKING:
    from playwright.async_api import Page

FIGURE, PLACE = "reports_received", "tile-field"
PATIENCE_SECONDS = 60.0
Shown = tuple[float, int]
"""(moment in seconds, figure), rising."""
_SHOWN = re.compile(rf'<span[^>]*data-figure="{FIGURE}"[^>]*>(.*?)</span>', re.DOTALL)
_NOTES = """([place, figure]) => {
  window.notes = [];
  const seen = () => document.querySelector(`.tile [data-figure="${figure}"]`).textContent;
  const note = () => window.notes.push([Date.now() / 1000, seen()]);
  new MutationObserver(note).observe(document.getElementById(place), {subtree: true, childList: true});
  note();
}"""


def figure_of(text: str) -> int:
    """`<span …>● 1.234</span>` -> 1234."""
    return int(re.sub(r"<[^>]*>|\D", "", text) or 0)


class Client:
    """One wall without a browser: it connects as a page does and takes in what a page is sent."""

    def __init__(self, address: str, cookies: httpx.Cookies) -> None:
        self._address, self._cookies = address, cookies
        self._socket: ClientConnection | None = None
        self._hearing: asyncio.Task[None] | None = None
        self.shown: list[Shown] = []

    async def open(self) -> None:
        """Load the page and connect."""
        async with httpx.AsyncClient(cookies=self._cookies, trust_env=False, timeout=60) as client:
            page = (await client.get(self._address)).raise_for_status().text
        self._take(page)
        shown = [found[1] for name in ("protocol", "session") if (found := re.search(f'data-{name}="([^"]+)"', page))]
        self._socket = await connect(
            self._address.replace("http", "ws", 1),
            origin=Origin(self._address),
            subprotocols=[Subprotocol(each) for each in shown],
            additional_headers={"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())},
        )
        self._hearing = asyncio.create_task(self._hear(self._socket))

    async def _hear(self, socket: ClientConnection) -> None:
        async for said in socket:
            if tile := json.loads(said).get(PLACE):
                self._take(tile)

    def _take(self, html: str) -> None:
        if shown := _SHOWN.search(html):
            self.shown.append((time.time(), figure_of(shown[1])))

    async def close(self) -> None:
        """Hang up."""
        if self._socket and self._hearing:
            self._hearing.cancel()
            await self._socket.close()


class Walls:
    """All open walls, real ones and others."""

    def __init__(self, pages: list[Page], clients: list[Client]) -> None:
        self._pages, self._clients = pages, clients
        self._noted: list[list[Shown]] = [[] for _ in pages]

    async def settled(self) -> int:
        """Wait until the figure has stood still for some seconds on all walls; returns it."""
        known, since = -1, time.monotonic()
        while time.monotonic() - since < 3:
            latest = await self._latest()
            if len(latest) > 1 or latest != {known}:
                known, since = max(latest), time.monotonic()
            await asyncio.sleep(0.2)
        return known

    async def reach(self, goal: int) -> None:
        """Wait until all walls show that figure; TimeoutError if they do not."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (latest := await self._latest()) != {goal}:
            if time.monotonic() > until:
                raise TimeoutError(f"walls show {sorted(latest)}, not {goal}")
            await asyncio.sleep(0.1)

    async def _latest(self) -> set[int]:
        for noted, page in zip(self._noted, self._pages, strict=True):
            new = await page.evaluate("window.notes.splice(0)")
            noted += [(at, figure_of(text)) for at, text in new]
        return {shown[-1][1] for shown in self.shown().values() if shown}

    def shown(self) -> dict[str, list[Shown]]:
        """wall -> what it showed when; what it shows but the figure is not in it."""
        real = {f"real {n}": noted for n, noted in enumerate(self._noted)}
        return real | {f"client {n}": client.shown for n, client in enumerate(self._clients)}


@asynccontextmanager
async def opened(address: str, password: str, chromium: Path, count: int, real: int) -> AsyncIterator[Walls]:
    """`count` walls, `real` of them in a browser, in the account `admin`."""
    from playwright.async_api import async_playwright

    cookies = await enter(address, password)
    async with AsyncExitStack() as stack:
        browser = await (await stack.enter_async_context(async_playwright())).chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        stack.push_async_callback(browser.close)
        clients = [Client(address, cookies) for _ in range(count - real)]
        for client in clients:
            await client.open()
            stack.push_async_callback(client.close)
        pages = [await _page(browser, address, cookies) for _ in range(real)]
        yield Walls(pages, clients)


async def enter(address: str, password: str) -> httpx.Cookies:
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
        form = {"name": "admin", "password": password}
        answer = await client.post("/login", data=form, headers={"origin": address})
        assert answer.status_code == 303, answer.text
        return client.cookies


async def _page(browser: Any, address: str, cookies: httpx.Cookies) -> Page:
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    await context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    page: Page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector(f'.tile [data-figure="{FIGURE}"]')
    await page.evaluate(_NOTES, [PLACE, FIGURE])
    return page
