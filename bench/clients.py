"""Open walls that take down what they show: pages in a real Chromium, and clients that speak the pages' protocol."""

from __future__ import annotations

import ast
import asyncio
import html
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import socketio  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from playwright.async_api import Page

TILE = "/system/field"
PATIENCE_SECONDS = 60.0
ACK_SECONDS = 3.0
"""How often a page says what it has, as NiceGUI's own script does."""
Shown = tuple[float, int]
"""(moment in seconds, figure), rising."""
_QUERY = re.compile(r"query: (\{.*?\}),\n")
_ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)
_NOTES = """tile => {
  const seen = document.querySelector(`.tile[href="${tile}"] .main`);
  window.notes = [];
  const note = () => window.notes.push([Date.now() / 1000, seen.innerText]);
  new MutationObserver(note).observe(seen, {subtree: true, childList: true, characterData: true});
  note();
}"""


def figure_of(text: str) -> int:
    """`<span …>● 1.234</span>` -> 1234."""
    return int(re.sub(r"<[^>]*>|\D", "", text) or 0)


class Client:
    """One wall without a browser: it connects as a page does and takes in what a page is sent."""

    def __init__(self, address: str, cookies: httpx.Cookies) -> None:
        self._address, self._cookies = address, cookies
        self._socket = socketio.AsyncClient(reconnection=False)
        self._query: dict[str, Any] = {}
        self._main = ""
        self._next = 0
        self.shown: list[Shown] = []

    async def open(self) -> None:
        """Load the page and connect."""
        async with httpx.AsyncClient(cookies=self._cookies, trust_env=False, timeout=60) as client:
            page = (await client.get(self._address)).raise_for_status().text
        query, elements = _QUERY.search(page), _ELEMENTS.search(page)
        assert query and elements, "the page is not as NiceGUI 3.18 makes it"
        self._query = ast.literal_eval(query[1])
        self._next = self._query["next_message_id"]
        self._find(json.loads(html.unescape(elements[1])))
        self._socket.on("*", self._hear)
        names = {"document_id": str(uuid4()), "tab_id": str(uuid4())}
        sent = {key: str(value).lower() if isinstance(value, bool) else value for key, value in self._query.items()}
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        await self._socket.connect(
            f"{self._address}?{urlencode({**sent, **names})}",
            headers={"Cookie": cookie, "Origin": self._address},
            transports=["websocket"],
            socketio_path="/_nicegui_ws/socket.io",
        )

    def _find(self, elements: dict[str, dict[str, Any]]) -> None:
        tile = next(e for e in elements.values() if e.get("props", {}).get("href") == TILE)
        self._main = next(str(id) for id in tile["children"] if "main" in elements[str(id)].get("class", ()))
        self._take(elements[self._main])

    async def _hear(self, kind: str, data: dict[str, Any]) -> None:
        self._next = data["_id"] + 1
        if kind == "update" and self._main in data:
            self._take(data[self._main])

    def _take(self, element: dict[str, Any]) -> None:
        self.shown.append((time.time(), figure_of(element["props"]["innerHTML"])))

    async def acknowledge(self) -> None:
        """Say what has come, so that the board keeps no more of it."""
        await self._socket.emit("ack", {"client_id": self._query["client_id"], "next_message_id": self._next})

    async def close(self) -> None:
        """Hang up."""
        await self._socket.disconnect()


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
    """`count` walls, `real` of them in a browser, in the account `admin`; they acknowledge until they are closed."""
    from playwright.async_api import async_playwright

    cookies = await _enter(address, password)
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
        acknowledging = asyncio.create_task(_acknowledge(clients))
        stack.callback(acknowledging.cancel)
        yield Walls(pages, clients)


async def _enter(address: str, password: str) -> httpx.Cookies:
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
    await page.wait_for_selector(f'.tile[href="{TILE}"] .main')
    await page.evaluate(_NOTES, TILE)
    return page


async def _acknowledge(clients: list[Client]) -> None:
    while True:
        await asyncio.sleep(ACK_SECONDS)
        for client in clients:
            await client.acknowledge()
