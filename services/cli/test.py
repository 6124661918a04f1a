"""`ioc test`: the project's own tests, on real servers of their own; `--long`: an hour of faults."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    epilog="\b\nExamples:\n  ioc test\n  ioc test tests/unit -k calendar\n  ioc test -x --durations 10\n"
    "  ioc test --long\n  ioc test --long --minutes 10 -k kill"
    "\n  ioc test tests/unit --hypothesis-profile long\n  ioc test tests/unit --now 2026-12-31T23:59",
)
@click.option(
    "--long",
    is_flag=True,
    help="The faults, in their full length, for --minutes; what else is named, with many examples.",
)
@click.option("--minutes", default=60.0, show_default=True, help="How long --long goes on.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(long: bool, minutes: float, arguments: tuple[str, ...]) -> None:
    """Run the tests; ARGUMENTS go to pytest. Without any, all tests, several at a time."""
    root = Path(__file__).resolve().parents[2]
    os.chdir(root)
    # The tests bring their own servers; those of the operator stay untouched.
    for name in ("IOC_NATS_URL", "IOC_DATABASE_URL", "IOC_INSTANCE", "IOC_SECRETS", "IOC_USER", "IOC_DATA"):
        os.environ.pop(name, None)
    if long:
        os.environ["CHAOS_MINUTES"] = str(minutes)
        arguments = ("--hypothesis-profile=long", "tests/chaos", *arguments)
    if not arguments:
        # Much of a test is waiting for servers: several at a time, those that share a centre in one hand.
        arguments = ("-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadscope", "--no-loadscope-reorder")
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606
