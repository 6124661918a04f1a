"""`ioc test`: the project's own tests, on real servers of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    epilog="\b\nExamples:\n  ioc test\n  ioc test tests/unit -k calendar\n  ioc test -x --durations 10",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests; ARGUMENTS go to pytest."""
    root = Path(__file__).resolve().parents[2]
    os.chdir(root)
    # The tests bring their own servers; those of the operator stay untouched.
    for name in ("IOC_NATS_URL", "IOC_DATABASE_URL", "IOC_INSTANCE", "IOC_SECRETS", "IOC_USER", "IOC_DATA"):
        os.environ.pop(name, None)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606
