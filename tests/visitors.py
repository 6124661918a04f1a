"""What the tests of the board's doors share: a browser without a screen, and accounts for it to enter with."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import httpx
from psycopg import AsyncConnection
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from infra.local.servers import Instance
from services.board.access import Account, Role
from services.board.auth import accounts
from services.centre.prepare import settings_of

PASSWORD = "mot-mat-khau-du-dai"
HTML = {"accept": "text/html"}
BUSY = b'class="busy"'
PATIENCE_SECONDS = 30.0
T = TypeVar("T")


class OpenedPage(NamedTuple):
    """A page as its script knows it: its path, and what it shows to have its connection taken."""

    path: str
    protocols: list[str]


class Patient(httpx.Client):
    """Who asks again for a page that says it is busy, as a person does."""

    def get(self, url: httpx.URL | str, **options: Any) -> httpx.Response:
        """What is there once the page is whole; after a while, what there is."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = super().get(url, **options)
            if BUSY not in answer.content or time.monotonic() > end:
                return answer


class Browser:
    """A browser without a screen: its cookies, its Origin."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.http = Patient(base_url=home, headers={**HTML, "origin": home}, timeout=20)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data=fields)

    def log_in(self, name: str, password: str = PASSWORD, target: str = "/") -> httpx.Response:
        return self.post("/login", name=name, password=password, next=target)

    def csrf(self) -> str:
        return csrf(self.http)

    def page(self, path: str = "/") -> OpenedPage:
        """Open a page."""
        text = self.get(path).text
        protocol, session = (re.search(f'data-{name}="([^"]*)"', text) for name in ("protocol", "session"))
        assert protocol and session
        return OpenedPage(path, [protocol[1], *([session[1]] if session[1] else [])])

    @contextmanager
    def socket(self, page: OpenedPage, origin: str | None = None) -> Iterator[ClientConnection]:
        """The connection of a page, as its script makes it."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        with connect(
            f"{self.home.replace('http', 'ws', 1)}{page.path}",
            origin=Origin(origin or self.home),
            subprotocols=[Subprotocol(each) for each in page.protocols],
            additional_headers={"Cookie": cookies},
            open_timeout=20,
        ) as made:
            yield made

    def is_served(self, page: OpenedPage) -> bool:
        """Whether the connection of a page is taken."""
        try:
            with self.socket(page) as made:
                return isinstance(json.loads(made.recv(20)), dict)
        except InvalidStatus as refused:
            assert refused.response.status_code == 403
            return False

    def is_in(self) -> bool:
        """Whether it has a session."""
        return self.get("/").status_code == 200


def csrf(http: httpx.Client) -> str:
    """The token that the forms of a session carry."""
    found = re.search(r'name="csrf" value="([\w-]+)', http.get("/sources").text)
    assert found
    return found[1]


def entered(home: str, name: str, password: str = PASSWORD) -> Browser:
    """A browser that is logged in."""
    browser = Browser(home)
    assert browser.log_in(name, password).status_code == 303
    return browser


@contextmanager
def board(centre: Instance) -> Iterator[str]:
    """The board of a centre while it runs; gives its address."""
    centre.start_services(["board"])
    try:
        yield f"http://127.0.0.1:{centre.ports['board']}"
    finally:
        centre.stop_process("board")


def admin_of(centre: Instance, home: str) -> Browser:
    """A browser in which the administrator that every centre has is logged in."""
    return entered(home, "admin", centre.password("board_admin"))


def add_account(centre: Instance, name: str, role: Role, subject: str = "", units: tuple[str, ...] = ()) -> None:
    """An account that enters with `PASSWORD`, or as a subject of the provider's; other modules may have made the same
    one, and no other of its name."""
    new = Account(name, f"Người {name}", role, units)

    async def add(conn: AsyncConnection) -> None:
        known = {row.name: row for row in await accounts.all_accounts(conn)}
        if name not in known:
            await accounts.add(conn, TESTER, new, None if subject else PASSWORD, subject)
        else:
            assert (known[name].account, known[name].disabled) == (new, False)

    on_board(centre, add)


def shut_out(centre: Instance, name: str) -> None:
    """Disable an account, so that it is none of the centre's administrators any more."""
    on_board(centre, lambda conn: accounts.set_disabled(conn, TESTER, name, True))


def on_board(centre: Instance, do: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Do it in the centre's database, with the board's rights."""

    async def connected() -> T:
        url = settings_of(centre, "cli").database("board")
        async with await AsyncConnection.connect(url, autocommit=True) as conn:
            return await do(conn)

    return asyncio.run(connected())


TESTER = Account("cli:test", "", "admin")
