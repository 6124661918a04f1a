"""The way of most requests: what FastAPI does for each takes longer than to read, validate and answer an event.

It tells of the same endpoints in OpenAPI, and answers for all that does not come here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi.security import HTTPAuthorizationCredentials
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.router import BEARER

Endpoint = Callable[[Request, HTTPAuthorizationCredentials | None], Awaitable[Response]]


class FastPath:
    """Posts to these paths go straight to their endpoints."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint]) -> None:
        self._app, self._endpoints = app, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self._endpoints:
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        response = await self._endpoints[scope["path"]](request, await BEARER(request))
        await response(scope, receive, send)
