"""A real browser before the board of the small demo: each visit is watched for errors and for requests that leave the
machine."""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from support import board_beside, output_of

from infra.local.paths import home
from infra.local.provision import provide
from infra.local.servers import Instance

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREEN = {"width": 1920, "height": 1080}
WARD, OTHER_WARD = "phuong_chon_thanh", "phuong_minh_hung"
PEOPLE = {
    "lan.tran": ("viewer", ("--units", WARD)),
    "truc.le": ("operator", ()),
    "minh.vo": ("supervisor", ()),
}
PASSWORD = "mot-mat-khau-de-thu"
expect.set_options(timeout=15_000)  # what must come sooner says so; a busy machine may take its time with the rest
Command = Callable[..., str]
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def command(watched: Instance) -> Command:
    """Runs the `ioc` command as an operator would, without the start of a process; returns what it prints."""

    return partial(output_of, watched)


@pytest.fixture(scope="session")
def people(command: Command, watched: Instance) -> dict[str, str]:
    """Accounts of all roles; returns name -> password."""
    known = command("people", "list")
    for name, (role, units) in PEOPLE.items():
        if name not in known:
            command("people", "add", name, "--role", role, *units, input=PASSWORD)
    return {**dict.fromkeys(PEOPLE, PASSWORD), "admin": watched.password("board_admin")}


@pytest.fixture(scope="session")
def address(watched: Instance) -> str:
    """Where the board is."""
    return f"http://127.0.0.1:{watched.ports['board']}"


@pytest.fixture(scope="session")
def sessions(address: str, people: dict[str, str]) -> dict[str, str]:
    """name -> the token of a session of theirs."""

    def enter(name: str) -> str:
        form = {"name": name, "password": people[name]}
        answer = httpx.post(f"{address}/login", data=form, headers={"origin": address}, trust_env=False)
        assert answer.status_code == 303, answer.text
        return answer.cookies["ioc_session"]

    return {name: enter(name) for name in people}


@pytest.fixture(scope="session")
def public_address(watched: Instance) -> Iterator[str]:
    """A board that shows figures without login."""
    with board_beside(watched, IOC_BOARD_PUBLIC="true") as address:
        yield address


# Of a module, not of the session: while it is open no other test of this thread can run asyncio.
@pytest.fixture(scope="module")
def browser(people: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium: the machine's own, else fetched; without one the tests fail. It leaves nothing in the home folder."""
    runtime = (home() / "runtime").resolve()
    program = provide(runtime, {"chromium"}, print)["chromium"]
    fetched = {"FONTCONFIG_SYSROOT": str(runtime / "chromium")} if program.is_relative_to(runtime) else {}
    folder = str(tmp_path_factory.mktemp("chromium"))
    own = {"XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder, "NO_PROXY": "127.0.0.1"}
    with libatomic(runtime / "chromium"), sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS), env={**os.environ, **fetched, **own}
        )
        yield opened
        opened.close()


@contextmanager
def libatomic(chromium: Path) -> Iterator[None]:
    """Playwright's own driver needs this library, which a bare machine lacks and a fetched Chromium brings: that one
    file alone is shown to it, since others beside it fit the fetched programs only."""
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        file = next(chromium.glob("usr/lib/*-linux-gnu*/libatomic.so.1"))
    else:
        yield
        return
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        (Path(folder) / file.name).symlink_to(file.resolve())
        patch.setenv("LD_LIBRARY_PATH", folder, prepend=os.pathsep)
        yield


@dataclass
class Watched:
    """What the browser said and asked for during a test; `expected`: patterns of errors that belong to it."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        """Listen to all pages of a context."""
        context.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        context.on("weberror", lambda e: self.errors.append(str(e.error)))
        context.on("request", lambda r: self.requests.append(r.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self.requests.append(socket.url)))

    def check(self) -> None:
        """No error that was not expected, and no request to another machine."""
        assert [e for e in self.errors if not any(re.search(each, e) for each in self.expected)] == []
        away = [url for url in self.requests if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:|about:", url)]
        assert away == []


@pytest.fixture
def heard() -> Watched:
    """What the browser says in this test."""
    return Watched()


@pytest.fixture
def visit(browser: Browser, address: str, sessions: dict[str, str], heard: Watched) -> Iterator[Visit]:
    """Opens a page in a browser of one's own: `visit("/map", "lan.tran")`; without a name nobody is logged in."""
    contexts: list[BrowserContext] = []

    def open(path: str, name: str = "", at: str = address, **options: Any) -> Page:
        context = browser.new_context(**{"base_url": at, "viewport": SCREEN, **options})
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.set_default_navigation_timeout(60_000)  # a board that has just begun, beside two busy centres
        heard.follow(context)
        if name:
            context.add_cookies([{"name": "ioc_session", "value": sessions[name], "url": at}])
        page = context.new_page()
        page.goto(path)
        return page

    yield open
    for context in contexts:
        context.close()
    heard.check()
