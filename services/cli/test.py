"""`ioc test`: the project's own tests, on real servers of their own; `--long`: an hour of faults; `--clients`: programs
in other languages."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

LANGUAGES = {
    "go": ("go", "Go 1.26 or newer"),
    "node": ("npm", "Node.js 18 or newer with npm"),
    "java": ("java", "a JDK, 17 or newer (default-jdk-headless)"),
}
"""Language of a program in docs/clients -> the command that this machine must have, and what brings it."""


def clients(text: str) -> list[str]:
    """The languages that were named; ClickException where there is no such one, or none of its tools on this
    machine."""
    named = text.split(",")
    if strangers := [name for name in named if name not in LANGUAGES]:
        raise click.ClickException(
            f"docs/clients has no program in {', '.join(strangers)}; there are {', '.join(LANGUAGES)}"
        )
    if missing := [name for name in named if not shutil.which(LANGUAGES[name][0])]:
        wanted = "; ".join(f"{name} ({LANGUAGES[name][1]})" for name in missing)
        there = ",".join(name for name in LANGUAGES if name not in missing) or "…"
        raise click.ClickException(
            f"this machine lacks {wanted}: install it, or name others: ioc test --clients {there}"
        )
    return named


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    epilog="\b\nExamples:\n  ioc test\n  ioc test tests/unit -k calendar\n  ioc test -x --durations 10\n"
    "  ioc test --long\n  ioc test --long --minutes 10 -k kill\n  ioc test --clients\n  ioc test --clients go,node"
    "\n  ioc test tests/unit --hypothesis-profile long\n  ioc test tests/unit --now 2026-12-31T23:59",
)
@click.option(
    "--long",
    is_flag=True,
    help="The faults, in their full length, for --minutes; what else is named, with many examples.",
)
@click.option("--minutes", default=60.0, show_default=True, help="How long --long goes on.")
@click.option(
    "--clients",
    "languages",
    metavar="[LANGUAGES]",
    is_flag=False,
    flag_value=",".join(LANGUAGES),
    help="The programs of docs/clients on a real centre, in all their languages or in those named.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(long: bool, minutes: float, languages: str | None, arguments: tuple[str, ...]) -> None:
    """Run the tests; ARGUMENTS go to pytest. Without any, all tests, several at a time."""
    root = Path(__file__).resolve().parents[2]
    os.chdir(root)
    # The tests bring their own servers; those of the operator stay untouched.
    for name in ("IOC_NATS_URL", "IOC_DATABASE_URL", "IOC_INSTANCE", "IOC_SECRETS", "IOC_USER", "IOC_DATA"):
        os.environ.pop(name, None)
    # Some hundred processes are started: what one has compiled the others need not, wherever that is not the custom.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if languages:
        os.environ["CLIENTS"] = ",".join(clients(languages))
        arguments = ("tests/clients", *arguments)
    if long:
        os.environ["CHAOS_MINUTES"] = str(minutes)
        arguments = ("--hypothesis-profile=long", "tests/chaos", *arguments)
    if not arguments:
        # A third of a test is waiting for servers: one more at a time than there are cores. Those that share a centre
        # are in one hand.
        workers = min((os.cpu_count() or 1) + 1, 4)
        arguments = ("-n", str(workers), "--dist", "loadscope", "--no-loadscope-reorder")
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606
