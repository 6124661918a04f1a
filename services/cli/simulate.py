"""`ioc simulate`: a simulated district by hand, for load; and the readings held against the running one's truth."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from schemas.text.dates import day_and_time
from services.cli.chosen import as_messages, chosen_instance, chosen_settings, explained
from services.cli.output import print_table
from services.cli.times import Moment, Span

if TYPE_CHECKING:
    from services.centre.simulated import Comparison
    from services.simulator.district.truth import Line


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
    from services.centre.simulated import compare
    from services.cli.terminal import TERMINAL, bar, say
    from services.kit.clock import now
    from services.simulator.by_hand import as_it_happens, send
    from services.simulator.by_hand import paced as evenly
    from services.simulator.district import Plan

    if check:
        with explained():
            comparison = compare(chosen_instance(), TERMINAL)
        _print_comparison(comparison)
        if not comparison.holds:
            raise SystemExit(1)
        return
    count = int(rate * span.total_seconds())
    with explained(), as_messages(ValueError), bar("messages sent", count) as advance:
        messages = evenly(seed, start, rate, count) if paced else as_it_happens(Plan(seed, start or now(), rate), span)
        sent, took = asyncio.run(send(chosen_settings("simulator"), messages, advance, say))
    click.echo(f"sent {sent:,} messages in {took:.1f} s ({sent / took:,.0f} per second); all of them SIMULATED")


def _print_comparison(comparison: Comparison) -> None:
    from schemas.calendar import VN

    expected, lines, stored = comparison
    start, until = expected.plan.start.astimezone(VN), expected.until.astimezone(VN)
    title = f"SIMULATED since {day_and_time(start)}, as of {day_and_time(until, seconds=True)}"
    codes = dict.fromkeys(line.indicator for line in lines)
    rows = [tuple(_row(code, [line for line in lines if line.indicator == code])) for code in codes]
    print_table(("figure", "", "meant", "read", "wards", ""), rows, (2, 3), title)
    alike = sum(line.same for line in lines)
    click.echo(
        f"{alike} of {len(lines)} figures alike; events meant {expected.events:,}, in the log {stored:,}; "
        f"sent again {expected.repeats:,}; for the quarantine {expected.refused:,}"
    )
    if stored != expected.events:
        click.secho(
            f"the log holds {stored:,} simulated events instead of {expected.events:,}: "
            "was another district simulated too?",
            fg="red",
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
