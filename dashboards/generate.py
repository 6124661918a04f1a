"""All dashboards as files: ten of them in two languages, written by `ioc generate` and provisioned into Grafana."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.overview import overview
from dashboards.panels import Board
from dashboards.platform import platform
from dashboards.system import system
from dashboards.texts import LANGUAGES
from schemas.registry import SYSTEMS

LINE = 120


@cache
def boards() -> tuple[Board, ...]:
    """Every dashboard in every language."""
    return tuple(_boards())


def _boards() -> Iterator[Board]:
    for language in LANGUAGES:
        yield overview(language)
        yield from (system(slug, language) for slug in SYSTEMS)
        yield platform(language)


def files() -> dict[str, str]:
    """Path below the checkout -> JSON, the same at every call."""
    return {f"dashboards/{board.language}/ioc-{board.slug}.json": _text(board) for board in boards()}


def empty_by_design() -> dict[tuple[str, int], str]:
    """(uid of a dashboard, id of a panel) -> why that panel may rightly have no data."""
    return {key: reason for board in boards() for key, reason in board.empty.items()}


def _text(board: Board) -> str:
    built = json.loads(json.dumps(board.dashboard.build(), cls=JSONEncoder))
    # JSON has no comments: the first line says where the file comes from.
    ordered = {"description": built.pop("description"), **built}
    return _pretty(ordered) + "\n"


def _pretty(value: Any, depth: int = 0) -> str:
    """JSON to be reviewed: what fits stands on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if depth and (len(line) <= LINE - depth or not isinstance(value, dict | list)):
        return line
    pad = "\n" + " " * (depth + 1)
    if isinstance(value, dict):
        inner = [f"{json.dumps(key)}: {_pretty(one, depth + 1)}" for key, one in value.items()]
        return "{" + pad + ("," + pad).join(inner) + pad[:-1] + "}"
    return "[" + pad + ("," + pad).join(_pretty(one, depth + 1) for one in value) + pad[:-1] + "]"
