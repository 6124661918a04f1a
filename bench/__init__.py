"""`ioc bench`: how fast it is on this machine, beside its baselines; one table of benchmarks."""

from __future__ import annotations

import asyncio
import json
import time
from importlib import import_module
from types import ModuleType
from typing import Any

import click

from bench.options import Options

BENCHES: dict[str, str] = {
    "ingest": "A full stream read to its end, beside the bare pipe and a handler per message.",
    "intake": "What the doors take of those who have a key: batches, one by one; a large workbook read.",
    "latency": "From an event sent to the same event readable, against load.",
    "growth": "The processor time of an event, as ever more events are stored.",
    "rebuild": "The published month brought in live, folded anew, saved and brought back; its log and disk.",
    "idle": "A centre left alone, empty and as the demo: processor and memory of all its processes.",
    "query": "A figure over a year, against the number of stored events.",
    "nation": "A year of a whole country's dossiers: figures by commune, and the disk they take.",
    "reports": "The report of a month and of a year of a province: how long each takes, and its memory.",
    "deadlines": "A million open dossiers, and how soon the one that turns overdue is told.",
    "memory": "The aggregator's memory while a million events wait.",
    "panels": "Every query of every dashboard, as Grafana asks it.",
    "board": "From an event to the wall, with fifty walls open: latency, and what the board takes.",
    "pages": "How long pages of the board take, alone and while four processes burn the cores.",
}
"""name -> what it measures. The module of that name in this package has `ROWS` (its figures and targets), `run` and,
for the plot, `draw`."""


@click.group(
    epilog="\b\nExamples:\n  ioc bench ingest\n  ioc bench latency --json\n  ioc bench all --plot --save"
    "\n\nEach starts servers of its own and removes them; a running centre is not touched, only slowed."
)
def bench() -> None:
    """Measure: figures beside the baselines of the same run, with machine, versions and targets."""


def _options(command: Any) -> Any:
    for option in reversed((
        click.option("--events", type=click.IntRange(min=2000), help="The size of the load; else the benchmark's own."),
        click.option("--minutes", type=click.FloatRange(min=0.1), help="How long, for what goes on for a time."),
        click.option("--quick", is_flag=True, help="Small and once: to see it work, not for figures."),
        click.option("--json", "as_json", is_flag=True, help="The result as JSON."),
        click.option("--plot", is_flag=True, help="Draw it into docs/benchmarks; needs matplotlib."),
        click.option("--save", is_flag=True, help="Keep the result and write it into docs/benchmarks.md."),
    )):  # fmt: skip
        command = option(command)
    return command


def _command(name: str, purpose: str, names: list[str]) -> click.Command:
    @_options
    def run(events: int | None, minutes: float | None, quick: bool, as_json: bool, plot: bool, save: bool) -> None:
        from services.cli.chosen import explained

        with explained():
            results = {one: measure(one, Options(events, quick, minutes)) for one in names}
        if as_json:
            click.echo(json.dumps(results if len(names) > 1 else results[name], ensure_ascii=False, indent=2))
        _keep(results, plot=plot, save=save, as_json=as_json)

    return click.command(name, help=purpose, short_help=purpose)(run)


def module(name: str) -> ModuleType:
    """The benchmark of that name."""
    return import_module(f"bench.{name}")


def measure(name: str, options: Options) -> dict[str, Any]:
    """Run one benchmark on servers of its own: its figures with targets, machine, versions, moment and duration."""
    from bench.centre import fresh_centre
    from bench.machine import machine, versions
    from bench.result import targets
    from services.cli.terminal import say
    from services.kit.clock import now

    began = time.monotonic()
    with fresh_centre(say) as instance:
        figures = module(name).run(instance, options, say)
        about = {"machine": machine(), "versions": asyncio.run(versions(instance))}
    taken = {"taken_at": now().isoformat(timespec="seconds"), "seconds": round(time.monotonic() - began)}
    return {"bench": name, **figures, "targets": targets(module(name).ROWS, figures), **about, **taken}


def _keep(results: dict[str, dict[str, Any]], *, plot: bool, save: bool, as_json: bool) -> None:
    from bench import report, table

    if not as_json:
        for name, result in results.items():
            table.print_result(name, module(name).ROWS, result)
    if plot:
        report.plot(results)
    if save:
        report.save(results)


for _name, _purpose in BENCHES.items():
    bench.add_command(_command(_name, _purpose, [_name]))
bench.add_command(_command("all", "All of them, one after the other.", list(BENCHES)))


@bench.command("report")
@click.option("--plot", is_flag=True, help="Draw the plots again too.")
def write_report(plot: bool) -> None:
    """Write the saved results into docs/benchmarks.md."""
    from bench import report

    if plot:
        report.plot(report.saved_results())
    report.write()
