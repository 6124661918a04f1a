"""The tools over HTTP, made when they are first asked for: their package takes as long to load as a third of the board,
and most boards are never asked."""

from __future__ import annotations

import asyncio
from importlib import import_module

from psycopg_pool import AsyncConnectionPool
from starlette.types import ASGIApp, Receive, Scope, Send

from services.board.live.query_pool import QueryPool

PATH = "/mcp"


class McpApp:
    """An ASGI application that waits for its first request; `run` lives as long as the board."""

    def __init__(self, reading: QueryPool, pool: AsyncConnectionPool, home: str) -> None:
        self._reading, self._pool, self._home = reading, pool, home
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; the first request waits until there is something that answers."""
        self._wanted.set()
        await self._ready.wait()
        await self._app(scope, receive, send)

    async def run(self) -> None:
        """Load and serve, from the first request until cancelled."""
        await self._wanted.wait()
        tools = await asyncio.to_thread(import_module, "services.board.api.tools")
        server = tools.build(self._reading, self._pool, self._home)
        self._app = tools.over_http(server)
        async with server.session_manager.run():
            self._ready.set()
            await asyncio.Event().wait()
