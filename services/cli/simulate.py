"""`ioc simulate`: a simulated district by hand, for load; and the readings held against the running one's truth."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from schemas.text.dates import day_and_time
from services.cli import output
from services.cli.times import Moment

if TYPE_CHECKING:
    from infra.local.servers import Instance
    from services.kit.settings import Settings
    from services.simulator.district import Plan
    from services.simulator.district.truth import Line, Truth
    from services.simulator.progress import Progress

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Span(click.ParamType[timedelta]):
    """A span of time: a number and s, m, h or d."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """`90s` -> timedelta."""
        found = re.fullmatch(r"(\d+)([smhd])", str(value))
        if not found:
            self.fail(f"{value!r} is no span like 60s, 10m, 2h or 3d", param, ctx)
        return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


@click.command(epilog="""\b
Examples:
  ioc simulate --rate 5 --for 1h                         as it happens, from now on
  ioc simulate --rate 2 --for 2d --start 2026-02-16      two days around Tết, at once
  ioc simulate --rate 500 --for 60s --paced              load: 30,000 messages, 500 in every second
  ioc simulate --check                                   do the readings say what was meant?""")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0.05, 5000), default=5.0, show_default=True, help="Events per second.")
@click.option("--for", "span", type=Span(), default="60s", show_default=True, metavar="SPAN", help="How long.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another district.")
@click.option("--start", type=Moment("first"), metavar="T", help="The first moment; else now (paced: days ago).")
@click.option("--paced", is_flag=True, help="Exactly RATE messages in every second, whenever they are meant for.")
@click.option(
    "--check", is_flag=True, help="Send nothing: hold the readings against the truth of the running simulator."
)
def simulate(rate: float, span: timedelta, seed: int, start: datetime | None, paced: bool, check: bool) -> None:
    """Send what a simulated district would send: all eight systems, with their hours, delays, repetitions and errors.

    Every event says that it is simulated. What is meant for the past is sent at once, the rest when its time comes. The
    running simulator is a process of its own (`ioc demo` starts it); --check halts it for a moment.
    """
    from services.centre.prepare import settings_of
    from services.cli.chosen import chosen_instance, explained
    from services.simulator.district import Plan

    with explained():
        instance = chosen_instance()
        if check:
            _check(instance)
            return
        settings = settings_of(instance, "simulator")
        try:
            if paced:
                _paced(settings, seed, start, rate, span)
            else:
                from services.kit.clock import now

                _as_it_happens(settings, Plan(seed, start or now(), rate), span)
        except ValueError as problem:
            raise click.ClickException(str(problem)) from None


def _as_it_happens(settings: Settings, plan: Plan, span: timedelta) -> None:
    from services.cli.terminal import bar, say
    from services.simulator.by_hand import as_it_happens, send

    with bar("messages sent", int(plan.rate * span.total_seconds())) as advance:
        _tell(*asyncio.run(send(settings, as_it_happens(plan, span), advance, say)))


def _paced(settings: Settings, seed: int, start: datetime | None, rate: float, span: timedelta) -> None:
    from services.cli.terminal import bar, say
    from services.simulator.by_hand import paced, send

    count = int(rate * span.total_seconds())
    with bar("messages sent", count) as advance:
        _tell(*asyncio.run(send(settings, paced(seed, start, rate, count), advance, say)))


def _tell(sent: int, took: float) -> None:
    click.echo(f"sent {sent:,} messages in {took:.1f} s ({sent / took:,.0f} per second); all of them SIMULATED")


def _check(instance: Instance) -> None:
    """Print meant and read side by side; exit status 1 where they differ."""
    from services.centre.demo import wait_stored
    from services.centre.prepare import settings_of
    from services.cli.terminal import bar
    from services.kit import store
    from services.simulator.district import truth

    with _halted(instance) as progress:
        wait_stored(settings_of(instance, "cli"), bar)
        expected = truth.expected(progress.plan, progress.until)
        with store.connect(settings_of(instance, "cli"), "reader") as conn:
            lines, stored = truth.comparison(conn, expected), truth.stored(conn)
    _print_comparison(expected, lines, stored)
    if stored != expected.events:
        click.secho(
            f"the log holds {stored:,} simulated events instead of {expected.events:,}: "
            "was another district simulated too?",
            fg="red",
        )
    if stored != expected.events or not all(line.same for line in lines):
        raise SystemExit(1)


@contextmanager
def _halted(instance: Instance) -> Iterator[Progress]:
    """The progress of the running simulator, which says nothing meanwhile."""
    from services.cli.terminal import say
    from services.simulator import progress

    if progress.load(instance.data) is None:
        raise click.ClickException(f"no simulator has run in {instance.data}; `ioc demo` starts one")
    running = instance.is_running() and instance.pid("simulator") is not None
    if running:
        say("halting the simulator")
        instance.stop_process("simulator")
    try:
        stored = progress.load(instance.data)
        assert stored is not None
        yield stored
    finally:
        if running:
            instance.start_process("simulator")


def _print_comparison(expected: Truth, lines: list[Line], stored: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from schemas.calendar import VN

    start, until = expected.plan.start.astimezone(VN), expected.until.astimezone(VN)
    table = Table("figure", "", "meant", "read", "wards", "", box=None, pad_edge=False)
    table.columns[2].justify = table.columns[3].justify = "right"
    table.title = f"SIMULATED since {day_and_time(start)}, as of {day_and_time(until, seconds=True)}"
    table.title_justify = "left"
    for code in dict.fromkeys(line.indicator for line in lines):
        table.add_row(*_row(code, [line for line in lines if line.indicator == code]))
    Console(width=None if sys.stdout.isatty() else output.WIDE).print(table)
    alike = sum(line.same for line in lines)
    click.echo(
        f"{alike} of {len(lines)} figures alike; events meant {expected.events:,}, in the log {stored:,}; "
        f"sent again {expected.repeats:,}; for the quarantine {expected.refused:,}"
    )


def _row(code: str, lines: list[Line]) -> Iterator[str]:
    """The whole district where nothing else is counted in, else its wards added."""
    from schemas.indicators import CATALOGUE

    wards = [line for line in lines if line.unit]
    summed = [line for line in lines if not line.unit] or wards
    colour = "green" if all(line.same for line in lines) else "red"
    yield code
    yield CATALOGUE[code].vi
    yield _shown(code, sum((line.expected for line in summed), Decimal(0)))
    yield _shown(code, sum((line.read for line in summed), Decimal(0)))
    yield f"[{colour}]{sum(line.same for line in wards)} of {len(wards)} alike[/]"
    yield "wards only: other data lies in the whole" if summed is wards else ""


def _shown(code: str, value: Decimal) -> str:
    from schemas.indicators import CATALOGUE
    from services.readings.read import round_half_up

    return f"{round_half_up(value, CATALOGUE[code].decimals):,}"
