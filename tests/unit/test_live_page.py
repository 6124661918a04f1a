"""A page as a document and over its connection: whole when it comes, brought up to date by what has changed alone."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from services.board.access import PUBLIC
from services.board.live.connections import Connections
from services.board.live.poller import Poller
from services.board.live.query_pool import TooMuch
from services.board.ui.live_page import (
    ENDED,
    Asked,
    Live,
    LivePage,
    Pages,
    Places,
    belongs,
    context_of,
    protocol,
)
from services.board.ui.markup import Html, tag
from services.board.ui.page_layout import busy_page
from services.board.ui.periods import SO_FAR
from services.board.ui.words import WORDS
from services.kit.settings import Settings

Answer = Callable[[], Any]


class Board:
    """A board of one page, on which a place asks for what a test answers; `troubles`: what it is not made for, each
    once; `let_in` stands for the doors."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.connections, self.drawn, self.bodies = answer, Connections(), 0, 0
        self.app, self.troubles = FastAPI(), list[Exception]()
        pages = Pages(self.app, Poller(Settings(), SO_FAR.before), self.connections, busy_page)

        async def ask() -> Any:
            given = self.answer()
            if isinstance(given, Exception):
                raise given
            return given

        def draw(given: Any) -> Html:
            self.drawn += 1
            return tag("b", given)

        @pages.page("/one/{name}")
        async def one(asked: HTTPConnection, name: str) -> LivePage:
            if self.troubles:
                raise self.troubles.pop()

            async def body(at: Places) -> Html:
                self.bodies += 1
                return Html(tag("h1", name) + at["asked"] + at["clock"])

            context = context_of(asked, pages.poller)
            clock = Live("clock", lambda view, now: tag("i", f"{now:%Y}"))
            return LivePage(context, body, [clock], [Asked("asked", ask, draw, 0.01, title="own")])

    @contextmanager
    def opened(self, path: str = "/one/x") -> Iterator[WebSocketTestSession]:
        """The page's connection. Whoever hangs up cancels what the other side still has to do."""
        with (
            suppress(CancelledError),
            self.client() as client,
            client.websocket_connect(path, subprotocols=[protocol()]) as socket,
        ):
            yield socket

    def client(self) -> TestClient:
        """Somebody without an account."""

        async def let_in(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "lifespan":
                scope["state"] = {"account": PUBLIC, "session": "s", "csrf": ""}
            sent: list[Any] = []

            async def sending(message: Any) -> None:
                sent.append(message)
                await send(message)

            await self.app(scope, receive, sending)
            if not sent and scope["type"] == "websocket":
                await send({"type": "websocket.close"})

        return TestClient(let_in)


def hears(socket: WebSocketTestSession, words: str) -> str:
    """What a place is sent with these words in it."""
    for _ in range(200):
        for html in json.loads(socket.receive_text()).values():
            if words in html:
                return str(html)
    raise AssertionError(f"{words} was not said")


def test_the_document_is_whole_and_the_connection_brings_what_has_changed() -> None:
    given = ["one"]
    board = Board(lambda: given[0])
    text = board.client().get("/one/x").text
    assert re.search(r'<h1>x</h1><div id="asked" class="live"><b>one</b></div><div id="clock" class="live"><i>', text)
    assert f'data-protocol="{protocol()}"' in text and "<script src=" in text and "<script>" not in text
    with board.opened() as socket:
        hears(socket, "one")
        given[0] = "two <3"
        assert hears(socket, "two") == "<b>two &lt;3</b>"
    assert board.bodies == 1, "what stands around the places is made for the document alone"


def test_what_does_not_come_in_time_is_said_to_be_busy_and_comes_later() -> None:
    given: list[Any] = [psycopg.OperationalError("away")]
    board, told = Board(lambda: given[0]), WORDS["busy"][0]
    answer = board.client().get("/one/x")
    assert answer.status_code == 200 and told in answer.text and WORDS["try_again"][0] in answer.text
    assert "<h1>x</h1>" in answer.text and "<h1>own</h1>" in answer.text, "a page whose content has its heading"
    with board.opened() as socket:
        given[0] = "two"
        assert "own" not in hears(socket, "two")


@pytest.mark.parametrize("error", [psycopg.OperationalError("away"), TooMuch("much"), TimeoutError()])
def test_a_page_that_cannot_be_made_has_another_stand_in_for_it(error: Exception) -> None:
    board = Board(lambda: "one")
    board.troubles = [error]
    text = board.client().get("/one/x").text
    assert "data-busy" in text and WORDS["busy"][0] in text and "<nav" in text
    board.troubles = [error]
    with pytest.raises(WebSocketDisconnect), board.opened() as socket:
        hears(socket, "nothing of the page that stands in: it is asked for again")
    assert "<h1>x</h1>" in board.client().get("/one/x").text


def test_what_is_the_same_answer_is_drawn_once() -> None:
    same, looks = "the same", 0

    def answer() -> str:
        nonlocal looks
        looks += 1
        return same

    board = Board(answer)
    with board.opened() as socket:
        hears(socket, same)
        while looks < 20:
            socket.receive_text()
    assert board.drawn == 1


def test_what_is_too_much_is_said_above_what_stood_there_and_goes_again() -> None:
    given: list[Any] = ["one"]
    board, told = Board(lambda: given[0]), WORDS["too_much"][0]
    with board.opened() as socket:
        hears(socket, "one")
        given[0] = TooMuch("much")
        assert hears(socket, told).endswith("<b>one</b>")
        given[0] = "two"
        assert told not in hears(socket, "two")
    given[0] = TooMuch("much")
    assert told in board.client().get("/one/x").text


@pytest.mark.parametrize(
    ("error", "logged"),
    [(psycopg.OperationalError("away"), False), (TooMuch("much"), False), (KeyError("a mistake"), True)],
)
def test_an_outage_that_every_open_page_meets_fills_no_log(
    caplog: pytest.LogCaptureFixture, error: Exception, logged: bool
) -> None:
    given: list[Any] = ["one"]
    board = Board(lambda: given[0])
    with caplog.at_level(logging.ERROR), board.opened() as socket:
        hears(socket, "one")
        given[0] = error
        if logged:
            with pytest.raises(WebSocketDisconnect):
                hears(socket, "never")
        else:
            socket.receive_text()
            given[0] = "two"
            hears(socket, "two")
    assert bool(caplog.records) is logged


def test_a_session_that_ends_ends_its_pages() -> None:
    board = Board(lambda: "one")
    with board.opened() as socket:
        hears(socket, "one")
        assert board.connections.sessions() == {"s"}
        board.connections.end({"another"})
        socket.receive_text()
        socket.portal.call(board.connections.end, {"s"})
        with pytest.raises(WebSocketDisconnect) as ended:
            hears(socket, "never")
    assert ended.value.code == ENDED
    assert board.connections.sessions() == set()


def test_a_page_that_says_something_is_cut_off() -> None:
    board = Board(lambda: "one")
    with board.opened() as socket:
        socket.send_text("{}")
        with pytest.raises(WebSocketDisconnect):
            hears(socket, "never")


def test_a_connection_belongs_to_a_page_of_this_board_and_session() -> None:
    assert belongs([protocol(), "token"], "token") and belongs([protocol()], "")
    assert not any(
        belongs(offered, "token")
        for offered in ([protocol()], [protocol(), "other"], ["ioc.other", "token"], [], [protocol(), "token", "x"])
    )
    assert not belongs([protocol(), "token"], "")


def test_the_light_and_the_language_are_the_readers() -> None:
    client = Board(lambda: "one").client()
    client.cookies.update({"ioc_theme": "light", "ioc_lang": "en"})
    text = client.get("/one/x").text
    assert '<html lang="en">' in text and '<body class="light"' in text
    assert '<html lang="vi">' in client.get("/one/x?lang=vi").text
