"""What ends an open page whose session has ended, tried on NiceGUI's own pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from fastapi import Request
from nicegui import Client, background_tasks, core
from nicegui.page import page

from services.board.auth.sessions import send_away, way_of

LEFT_SECONDS = 0.01
"""So soon after it left NiceGUI deletes a page in these tests."""


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """What went wrong in NiceGUI."""
    found: list[Exception] = []
    monkeypatch.setattr(core.app, "_exception_handlers", [lambda error: found.append(error)])
    monkeypatch.setattr(core, "loop", None)
    yield found
    Client.instances.clear()


def with_a_page(try_out: Callable[[Client], Awaitable[Any]]) -> None:
    """Try something out on a page that is open in a browser."""

    async def run() -> None:
        core.loop = asyncio.get_running_loop()
        asked = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/sources",
            "query_string": b"",
            "headers": [],
        }
        client = Client(page("/sources", reconnect_timeout=LEFT_SECONDS), request=Request(asked))
        await client.handle_handshake("socket", "tab", None, "document", None)
        await try_out(client)

    asyncio.run(run())


def test_a_page_without_a_session_is_told_and_then_cut_off(errors: list[Exception]) -> None:
    async def stays(client: Client) -> None:
        send_away([client.id], notified=())
        [(_, kind, said)] = client.outbox.messages
        assert (kind, said["path"]) == ("open", "/login?next=%2Fsources")
        assert not client.is_deleted
        send_away([client.id], notified=[client.id])
        assert client.is_deleted and client.id not in Client.instances
        send_away([client.id], notified=[client.id])

    with_a_page(stays)
    assert errors == []


def test_a_page_that_went_to_the_log_in_is_not_deleted_twice(errors: list[Exception]) -> None:
    async def goes(client: Client) -> None:
        send_away([client.id], notified=())
        client.handle_disconnect("socket")
        [deletes] = [task for task in background_tasks.running_tasks if task.get_name().startswith("delete content")]
        send_away([client.id], notified=[client.id])
        await asyncio.wait([deletes])
        assert client.is_deleted

    with_a_page(goes)
    assert errors == []


def test_a_session_knows_by_which_way_it_came() -> None:
    assert (way_of("oidc.abc-_1"), way_of("password.oidc")) == ("oidc", "password")
    assert way_of("a token of before") != "oidc"
