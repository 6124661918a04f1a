"""The published figures: results kept as JSON, and from them the generated part of docs/benchmarks.md and the plots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any

import click

from bench import BENCHES, module, table
from bench.result import RESULTS

PAGE = RESULTS.parents[1] / "benchmarks.md"
BEGIN = "<!-- figures: written by `ioc bench report`; do not edit -->"
END = "<!-- end of figures -->"
Results = Mapping[str, Mapping[str, Any]]


def saved_results() -> dict[str, dict[str, Any]]:
    """The kept results by benchmark."""
    found: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return found


def save(results: Results) -> None:
    """Keep these results, each in the place of an older one, and write the page."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    kept = saved_results() | dict(results)
    ordered = {name: kept[name] for name in BENCHES if name in kept}
    RESULTS.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write()


def write() -> None:
    """Fill the generated part of the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), saved_results()), encoding="utf-8")


def filled(page: str, results: Results) -> str:
    """The page with the figures of these results. ValueError where it has no place for them."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} must hold the lines {BEGIN} and {END}")
    return head + begin + "\n\n" + "\n".join(_figures(results)) + "\n" + end + tail


def _figures(results: Results) -> Iterator[str]:
    for name, purpose in BENCHES.items():
        if result := results.get(name):
            yield f"**{name}.** {purpose}\n"
            yield from table.markdown(module(name).ROWS, result)
            if (RESULTS.parent / f"{name}.svg").exists():
                yield f"\n![{purpose}](benchmarks/{name}.svg)"
            yield f"\n{fill(table.where(result), 120, break_on_hyphens=False)}\n"


def plot(results: Results) -> None:
    """Draw each result as docs/benchmarks/<name>.png and .svg; ClickException without matplotlib."""
    try:
        from bench import plots
    except ModuleNotFoundError as missing:
        raise click.ClickException(f"a plot needs {missing.name}: .venv/bin/pip install {missing.name}") from None
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for name, result in results.items():
        plots.draw(name, result, RESULTS.parent)
