"""`ioc mcp`: the figures as tools for a program on this machine."""

from __future__ import annotations

import click

from services.cli.user_option import USER


@click.command(
    epilog="""\b
Example, as a client's configuration:
  {"mcpServers": {"ioc": {"command": "/path/to/ioc", "args": ["mcp"]}}}
Over HTTP the board serves the same at /mcp, with a token of `ioc people token add`; see docs/api.md."""
)
@USER
def mcp(user: str) -> None:
    """Speak the Model Context Protocol (MCP) over stdin and stdout: find_indicator, figure, explain, findings,
    freshness.

    It reads as an operator of this machine does, tells no case, changes nothing, and notes each call in the audit.
    """
    import asyncio
    import logging

    from services.board.access import Account
    from services.board.api import tools
    from services.board.live.query_pool import QueryPool
    from services.cli.chosen import chosen_instance, chosen_settings, connected
    from services.kit import store

    with connected("board"):
        instance, settings = chosen_instance(), chosen_settings()
    logging.basicConfig(level=logging.WARNING)  # to stderr: stdout is the protocol's

    async def speak() -> None:
        async with store.pool(settings, "board", give_up=1) as pool:
            home = settings.board_url or f"http://127.0.0.1:{instance.ports['board']}"
            local = Account(f"cli:{user}", "", "admin")
            await tools.build(QueryPool(settings), pool, home, local).run_stdio_async()

    asyncio.run(speak())
