"""What pages' connections may say: text in the form that NiceGUI's script sends. Anything else ends a connection or is
left lying, and is no news in the log: it is a client's doing."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import core
from starlette.types import Message

log = logging.getLogger("board.sockets")
BINARY = ("5", "6")
"""Socket.IO's packets with attachments. No page sends any, and attachments to come would be waited for in memory."""
_SENSIBLE = re.compile(r"1|[23](?:probe)?|[56]|4[0-4]")
"""How Engine.IO's packets begin that its client sends: its library ends in a traceback on others."""
_COMPLAINTS = ("post request handler error", "Unknown receive error", "message async handler error", "further occurr")
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
Handler = Callable[..., Any]


def harden() -> None:
    """Put this between the connections and NiceGUI, once in a process."""
    handlers, take = core.sio.handlers["/"], core.sio._handle_eio_message

    async def take_text(eio_sid: str, data: object) -> None:
        if isinstance(data, str) and not data.startswith(BINARY):
            await take(eio_sid, data)

    logging.getLogger("engineio.server").addFilter(_is_news)
    core.sio.eio.on("message", _tolerant(take_text))
    for name in ("handshake", "event", "javascript_response", "ack"):
        handlers[name] = _tolerant(handlers[name])
    handlers["log"] = _not_logged


def _is_news(record: logging.LogRecord) -> bool:
    said = record.getMessage()
    return not any(complaint in said for complaint in _COMPLAINTS)


def sensible(message: Message) -> Message:
    """What a WebSocket received; what no page would send counts as its end."""
    if message["type"] == "websocket.receive" and not _SENSIBLE.match(message.get("text") or ""):
        return {"type": "websocket.disconnect", "code": 1003}
    return message


def _tolerant(handler: Handler) -> Callable[..., Awaitable[Any]]:
    async def handle(*words: Any) -> Any:
        try:
            answer = handler(*words)
            return await answer if inspect.isawaitable(answer) else answer
        except MALFORMED as error:
            log.debug("a page said what cannot be understood: %s", type(error).__name__)
            return None

    return handle


async def _not_logged(*words: Any) -> None:
    """What a page's script complains of belongs in its browser's console, and no stranger's text in the log."""
