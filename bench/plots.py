"""The benchmarks drawn, from their results alone: cost against load, one plot each, as PNG and SVG.

The only module that needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

INK, GREY, MET = "#222222", "#8a8f98", "#b8443a"
COLOURS = ("#1f5a94", "#5b9bd5", "#d98e2b", "#3f8f5f", "#7b5ea7", "#8a8f98")
STYLE = {
    "figure.figsize": (7.2, 4.0),
    "figure.dpi": 150,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": pyplot.cycler(color=COLOURS),
    "grid.color": "#e4e6ea",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "legend.frameon": False,
    "svg.hashsalt": "ioc",  # the same result, the same file
}
Result = Mapping[str, Any]


def draw(name: str, result: Result, folder: Path) -> None:
    """Write `<name>.png` and `<name>.svg` into the folder."""
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(layout="constrained")
        _DRAWN.get(name, _held)(axes, result)
        figure.savefig(folder / f"{name}.png")
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)


def _ingest(axes: Any, result: Result) -> None:
    named = {
        "naive": "handler per message", "rate": "one aggregator", "two": "two aggregators", "pipe": "bare pipe",
    }  # fmt: skip
    rounds = [result["rounds_of"][name] for name in named]
    middle = [result[key] for key in ("naive_rate", "rate", "two_rate", "pipe_rate")]
    axes.barh(list(named.values()), middle, color=[GREY, COLOURS[0], COLOURS[0], GREY], height=0.6)
    for place, (rates, value) in enumerate(zip(rounds, middle, strict=True)):
        axes.plot(rates, [place] * len(rates), "|", color=INK, markersize=10)
        axes.annotate(f"  {value:,}", (max(rates), place), va="center")
    axes.set(title="A full stream read to its end", xlabel="events/s (bar: median, strokes: rounds)")
    axes.set_xlim(right=1.15 * max(max(rates) for rates in rounds))
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter("{x:,.0f}")


def _intake(axes: Any, result: Result) -> None:
    named = {"one_rate": "one by one", "batch_rate": "in batches", "broker_rate": "straight to the broker"}
    axes.barh(list(named.values()), [result[key] for key in named], color=[COLOURS[0], COLOURS[0], GREY], height=0.6)
    for place, key in enumerate(named):
        axes.plot(result["rounds_of"][key], [place] * len(result["rounds_of"][key]), "|", color=INK, markersize=10)
    axes.set(title="Events that the doors take", xlabel="events/s (bar: median, strokes: rounds)")
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter("{x:,.0f}")


def _latency(axes: Any, result: Result) -> None:
    rates = [step["rate"] for step in result["steps"]]
    for name in ("p50", "p95", "p99", "max"):
        axes.plot(rates, [step[name] for step in result["steps"]], "o-", label=name)
    _limit(axes, 150, "target at 500 events/s")
    _limit(axes, 3000, "target at 80 % of sustained")
    axes.set(xscale="log", yscale="log", xlabel="events/s sent", ylabel="ms", title="From sent to readable")
    _plain(axes, rates)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(top=12_000)
    axes.legend(loc="upper left", ncols=4)


def _growth(axes: Any, result: Result) -> None:
    sizes = [step["events"] for step in result["steps"]]
    axes.plot(sizes, [step["us"] for step in result["steps"]], "o-")
    _limit(axes, 1.15 * result["steps"][0]["us"], "target: 1.15 × the smallest")
    axes.set(xscale="log", xlabel="events stored", ylabel="µs of a core", title="Processor time of an event")
    _plain(axes, sizes)
    axes.set_ylim(bottom=0)


def _query(axes: Any, result: Result) -> None:
    sizes = [step["events"] for step in result["steps"]]
    for name in result["steps"][0]["figures"]:
        axes.plot(sizes, [step["figures"][name]["p95"] for step in result["steps"]], "o-", label=name)
    _limit(axes, 50, "target")
    axes.set(
        xscale="log", yscale="log", xlabel="events stored", ylabel="ms, p95", title="A headline figure over a year"
    )
    _plain(axes, sizes)
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside the lines, not on them


def _nation(axes: Any, result: Result) -> None:
    figures = result["figures"]
    axes.barh(list(figures), [one["p95"] for one in figures.values()], height=0.6, label="p95")
    axes.plot([one["p50"] for one in figures.values()], list(figures), "|", color=INK, markersize=14, label="p50")
    axes.axvline(100, color=MET, linestyle=":", linewidth=1.2, label="target")
    title = f"{result['communes']:,} communes, {result['events']:,} events of a year"
    axes.set(title=title, xlabel="ms")
    axes.grid(axis="y", visible=False)
    axes.legend()


def _deadlines(axes: Any, result: Result) -> None:
    delays = result["delays"]
    axes.step(delays, [100 * (n + 1) / len(delays) for n in range(len(delays))], where="post")
    axes.axvline(2, color=MET, linestyle=":", linewidth=1.2, label="target")
    axes.set(
        xlabel="s after its moment", ylabel="% of them told", title=f"Overdue among {result['open']:,} open dossiers"
    )
    axes.set_xlim(left=0)
    axes.legend(loc="lower right")


def _memory(axes: Any, result: Result) -> None:
    axes.plot([sample[1] for sample in result["looks"]], [sample[2] for sample in result["looks"]])
    _limit(axes, 220, "target")
    title = f"The aggregator before {result['events']:,} waiting events"
    axes.set(xlabel="events handled", ylabel="MiB resident", title=title)
    axes.set_ylim(0, 280)
    axes.xaxis.set_major_formatter("{x:,.0f}")


def _panels(axes: Any, result: Result) -> None:
    boards = {name.removeprefix("ioc-"): one for name, one in result["dashboards"].items()}
    axes.barh(list(boards), [one["p95"] for one in boards.values()], height=0.6, label="p95")
    axes.plot([one["p50"] for one in boards.values()], list(boards), "|", color=INK, markersize=14, label="p50")
    axes.axvline(200, color=MET, linestyle=":", linewidth=1.2, label="target of each query")
    axes.set(title=f"{result['queries']:,} queries of the dashboards, {result['events']:,} events", xlabel="ms")
    axes.grid(axis="y", visible=False)
    axes.legend()


def _board(axes: Any, result: Result) -> None:
    axes.plot(result["percentiles"], range(101))
    axes.axvline(1500, color=MET, linestyle=":", linewidth=1.2)
    axes.axhline(95, color=MET, linestyle=":", linewidth=1.2)
    title = f"From an event to the wall: {result['pages']} walls, {result['sent']:,} events at 100/s"
    axes.set(title=title, xlabel="ms from when the event was due", ylabel="% of looks")
    axes.set_xlim(0)


def _held(axes: Any, result: Result) -> None:
    """Each figure that has a target, as a share of it: what has no plot of its own."""
    bounds = {key: float(one["target"].lstrip("≥≤ ").replace(",", "")) for key, one in result["targets"].items()}
    held = [(key, result["targets"][key], bound) for key, bound in bounds.items() if bound]
    shares = [100 * one["value"] / bound for _, one, bound in held]
    colours = [COLOURS[0] if one["met"] else MET for _, one, _ in held]
    axes.barh([f"{key} {one['target']}" for key, one, _ in held], shares, color=colours, height=0.6)
    axes.axvline(100, color=MET, linestyle=":", linewidth=1.2)
    axes.set(title=f"{result['bench']}: figures as shares of their targets", xlabel="% of the target")
    axes.grid(axis="y", visible=False)


def _limit(axes: Any, value: float, text: str) -> None:
    axes.axhline(value, color=MET, linestyle=":", linewidth=1.2)
    axes.annotate(text, (1, value), xycoords=("axes fraction", "data"), ha="right", va="bottom", color=MET, fontsize=8)


def _plain(axes: Any, ticks: Sequence[float]) -> None:
    """The measured places as the marks of a logarithmic axis."""
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.minorticks_off()


_DRAWN: dict[str, Callable[[Any, Result], None]] = {
    "ingest": _ingest,
    "intake": _intake,
    "latency": _latency,
    "growth": _growth,
    "query": _query,
    "nation": _nation,
    "deadlines": _deadlines,
    "memory": _memory,
    "panels": _panels,
    "board": _board,
}
