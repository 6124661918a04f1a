"""A benchmark's result for people: a table of figures and targets, and the same as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.result import Row
from services.cli.output import console, print_table

VERDICT = {True: "met", False: "not met", None: ""}
COLOUR = {True: "green", False: "red", None: ""}


def number(value: float) -> str:
    """Three telling digits, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def lines(rows: Sequence[Row], result: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool | None]]:
    """(what, value with unit, target, met) of each figure that was measured."""
    for row in rows:
        if (value := result.get(row.key)) is not None:
            yield row.what, f"{number(value)} {row.unit}".strip(), row.target, row.met(value)


def print_result(name: str, rows: Sequence[Row], result: Mapping[str, Any]) -> None:
    """The table, then machine and versions."""
    cells = (
        (what, value, target, f"[{COLOUR[met]}]{VERDICT[met]}[/]" if target else "")
        for what, value, target, met in lines(rows, result)
    )
    print_table(("figure", "value", "target", ""), cells, (1, 2), f"ioc bench {name}", framed=True)
    console().print(where(result), style="dim", highlight=False)


def where(result: Mapping[str, Any]) -> str:
    """The machine, the versions, the moment and the duration, in two sentences."""
    m = result["machine"]
    machine = f"{m['cores']} cores ({m['processor']}), {m['memory_gib']:g} GiB, Linux {m['kernel']}, {m['system']}"
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return f"{machine}. {versions}. Taken {result['taken_at'][:16]} UTC in {result['seconds']:,} s."


def markdown(rows: Sequence[Row], result: Mapping[str, Any]) -> Iterator[str]:
    """The table as Markdown lines."""
    yield "| figure | value | target | |"
    yield "|---|---:|---:|---|"
    for what, value, target, met in lines(rows, result):
        yield f"| {what} | {value} | {target} | {f'**{VERDICT[met]}**' if met is False else VERDICT[met]} |"
