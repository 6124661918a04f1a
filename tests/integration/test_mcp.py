"""The figures as tools of the Model Context Protocol, asked by the official package's own client."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import psycopg
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from support import board_beside, output_of
from visitors import add_account

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.centre.prepare import settings_of

WARD = "phuong_minh_hung"
NOVEMBER = {"from_day": "2024-11-01", "to_day": "2024-11-30"}
TOOLS = {"find_indicator", "figure", "explain", "findings", "freshness"}
Asked = Callable[[Client], Awaitable[Any]]


@pytest.fixture(scope="module")
def home(published: Instance) -> Iterator[str]:
    add_account(published, "mcp-viewer", "viewer")
    add_account(published, "mcp-ward", "viewer", units=(WARD,))
    with board_beside(published) as address:
        yield address


@pytest.fixture(scope="module")
def token(published: Instance, home: str) -> str:
    return output_of(published, "people", "token", "add", "mcp-viewer", "mcp", "--user", "test").split()[-1]


@pytest.fixture(scope="module")
def wards(published: Instance, home: str) -> str:
    return output_of(published, "people", "token", "add", "mcp-ward", "mcp", "--user", "test").split()[-1]


@asynccontextmanager
async def over_http(home: str, token: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=20) as http,
        Client(streamable_http_client(f"{home}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(published: Instance) -> AsyncIterator[Client]:
    env = {**os.environ, "IOC_HOME": str(published.data.parent), "IOC_INSTANCE": "main"}
    command = ["-m", "services.cli", "mcp", "--user", "test-stdio"]
    async with Client(StdioServerParameters(command=sys.executable, args=command, env=env, cwd=CHECKOUT)) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0])


async def tried(client: Client) -> dict[str, Any]:
    """Each tool once."""
    found = await call(client, "find_indicator", question="HS tiếp nhận của TP Đồng Xoài tháng 11/2024")
    named = {name: found[name] for name in ("indicator", "unit", "from_day", "to_day")}
    return {
        "listed": {tool.name: tool for tool in (await client.list_tools()).tools},
        "find_indicator": found,
        "figure": await call(client, "figure", **named),
        "explain": await call(client, "explain", indicator="payments_fee_amount", unit="dong_xoai", **NOVEMBER),
        "findings": await call(client, "findings", as_of="2024-11-30"),
        "freshness": await call(client, "freshness"),
    }


def test_the_packages_client_lists_and_calls_the_tools_over_both_ways(
    published: Instance, home: str, token: str
) -> None:
    async def both() -> list[dict[str, Any]]:
        async with over_http(home, token) as one, over_stdio(published) as other:
            return [await tried(one), await tried(other)]

    expected = output_of(published, "query", "dossiers_received", "--unit", "dong_xoai", "--from", "2024-11-01", "--to",
                   "2024-11-30", "--format", "json")  # fmt: skip
    reading = json.loads(expected)["readings"][0]
    for found in asyncio.run(both()):
        assert found["listed"].keys() == TOOLS
        for tool in found["listed"].values():
            assert tool.annotations.read_only_hint and tool.description and tool.output_schema
        read = found["find_indicator"]
        assert (read["indicator"], read["unit"], read["from_day"], read["to_day"]) == (
            "dossiers_received", "dong_xoai", "2024-11-01", "2024-11-30"
        )  # fmt: skip
        assert "Hồ sơ tiếp nhận · Thành phố Đồng Xoài · 01/11/2024" in read["reading"]
        (figure,) = found["figure"]["figures"]
        assert {name: figure[name] for name in reading} == reading and figure["status"] == "final"
        (explained,) = found["explain"]["explanations"]
        assert explained["events"] > 1000 and explained["sample"] == [] and explained["parts"]
        assert found["findings"]["findings"] and not [f for f in found["findings"]["findings"] if f["evidence"]]
        assert {source["source"] for source in found["freshness"]["sources"]} >= {"/deadlines"}


def test_a_wards_token_hears_of_no_other_unit_and_why(home: str, wards: str) -> None:
    async def asked() -> list[str]:
        async with over_http(home, wards) as client:
            own = await call(client, "figure", indicator="dossiers_received", unit=WARD, **NOVEMBER)
            assert own["unit"] == WARD
            return [
                await refused(client, "figure", indicator="dossiers_received", unit="dong_xoai", **NOVEMBER),
                await refused(client, "explain", indicator="dossiers_received"),
                await refused(client, "figure", indicator="dosiers_received", unit=WARD),
                await refused(client, "figure", indicator="dossiers_received", unit=WARD, by="colour"),
            ]

    told = asyncio.run(asked())
    assert all(WARD in one for one in told[:2])
    assert "dossiers_received" in told[2] and "no label" in told[3]


def test_without_a_token_nothing_is_spoken(home: str, token: str) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = httpx2.post(f"{home}/mcp", json=hello, headers={"accept": "application/json, text/event-stream"})
    assert answer.status_code == 401 and answer.headers["content-type"] == "application/problem+json"
    listening = httpx2.get(f"{home}/mcp", headers={"authorization": f"Bearer {token}", "accept": "text/event-stream"})
    assert (listening.status_code, listening.headers["allow"]) == (405, "POST"), "no connection is kept for nothing"


def test_each_call_is_noted_without_the_question(published: Instance, home: str, wards: str) -> None:
    async def asked() -> None:
        async with over_http(home, wards) as client:
            await call(client, "find_indicator", question="Ông Nguyễn Văn Kín hỏi hồ sơ quá hạn phường Minh Hưng")
            await call(client, "figure", indicator="dossiers_overdue", unit=WARD, **NOVEMBER)
            await refused(client, "figure", indicator="dossiers_overdue", unit="dong_xoai")

    asyncio.run(asked())
    with psycopg.connect(settings_of(published, "cli").database("owner")) as conn:
        noted = conn.execute(
            "SELECT subject, detail, address, to_jsonb(audit)::text FROM audit WHERE by = 'mcp-ward' "
            "ORDER BY id DESC LIMIT 3"
        ).fetchall()
        sent = conn.execute(
            "SELECT count(*) FROM audit WHERE by = 'cli:test-stdio' AND action = 'mcp.called'"
        ).fetchone()
    assert [row[0] for row in noted] == ["figure", "figure", "find_indicator"]
    assert noted[0][1]["refused"] == 403 and noted[1][1] == {
        "about": "dossiers_overdue", "unit": WARD, "first": "2024-11-01", "last": "2024-11-30"
    }  # fmt: skip
    assert noted[2][1]["about"] == "dossiers_overdue" and {row[2] for row in noted} == {"127.0.0.1"}
    assert not [row for row in noted if "Kín" in row[3]]
    assert sent and sent[0] == 5
