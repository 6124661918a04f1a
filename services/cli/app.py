"""The `ioc` command: one table of all sub-commands. A command's module is imported only when it is run."""

from __future__ import annotations

import gc
import os
from importlib import import_module
from types import ModuleType
from typing import Any

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (".demo:demo", "See it live: a centre of its own on the published figures of November 2024."),
    "up": (".lifecycle:up", "Start the centre: broker, database, Prometheus, Alertmanager, services."),
    "down": (".lifecycle:down", "Stop all that was started, and nothing else."),
    "status": (".lifecycle:status", "What runs, whether it is healthy, what waits."),
    "logs": (".lifecycle:logs", "What the processes say."),
    "doctor": (".lifecycle:doctor", "What this machine lacks, and how to get it."),
    "emit": (".emit:emit", "Send events from a file or a pipe: validated, published, counted."),
    "import": (".import_:import_", "Read a workbook as an office sends it, ask what is unclear, send what it says."),
    "imports": (".imports:imports", "Who imported which workbook: list, take back as a whole."),
    "template": (".template:template", "An empty workbook of a form, to be filled in and imported."),
    "load": (".load:load", "Load a scenario's events in bulk."),
    "simulate": (".simulate:simulate", "Send what a simulated district would; check the readings against its truth."),
    "query": (".figures:query", "Ask for a figure: any indicator, unit, period, as of any moment."),
    "explain": (".figures:explain", "Open a figure to its formula, sources and events."),
    "indicators": (".figures:indicators", "The catalogue of figures."),
    "units": (".catalogue_lists:units", "The administrative units at a date."),
    "events": (".catalogue_lists:events", "The event types and their contracts."),
    "findings": (".figures:findings", "Figures that should agree and do not."),
    "index766": (
        ".index766:index766",
        "Index 766: of a file, or live of all units; what ending dossiers would bring; the month's end.",
    ),
    "targets": (".targets:targets", "What is to be reached: targets of figures by unit and days."),
    "brief": (".brief:brief", "The morning brief: how index 766 stands, in at most 1,200 characters."),
    "report": (".report:report", "The month's report, as a document to be signed."),
    "mcp": (".mcp:mcp", "The figures as tools of the Model Context Protocol, over stdin and stdout."),
    "alarms": (".alarms:alarms", "Who is warned of what: list, acknowledge, assign, close, test a way to a person."),
    "sources": (".sources:sources", "Who sends, and how fresh that is; say that a source has ended for good."),
    "people": (".people:people", "Who may enter the board: list, add, password, role, units, token, disable, enable."),
    "keys": (".keys:keys", "Who may send events from outside: create, list, rotate, revoke."),
    "quarantine": (".quarantine:quarantine", "What could not be understood: list, show, resubmit, discard."),
    "erase": (".erase:erase", "A person's data is erased on request, figures stay: case, event, message, list, again."),
    "rebuild": (".rebuild:rebuild", "Fold the log anew, to check or to replace what lives."),
    "bench": ("bench:bench", "How fast it is on this machine, beside its baselines."),
    "backup": (".backup:backup", "Save database and broker into a folder, while everything goes on working."),
    "restore": (".restore:restore", "Bring a backup back: nothing lost, nothing twice."),
    "contracts": ("generate.contracts:contracts", "Check that the published contracts keep their promises."),
    "generate": (
        "generate:generate",
        "Write what follows from the code: contracts, reference, rules, dashboards, licences.",
    ),
    "compose": (
        ".compose:compose",
        "What Docker Compose runs beside the services: passwords, configuration, database.",
    ),
    "test": (".test:test", "Run the project's tests on real servers."),
}
"""name -> (module:attribute, what it is for); a module with a dot is one of this package. Benchmarks and generators
lie in a checkout alone."""


class Table(click.Group):
    """A group that knows its commands' names and purposes without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command that is about to run."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what its operator can mend about files and disks is said in words."""
        from services.centre.trouble import advice

        try:
            return super().invoke(ctx)
        except OSError as problem:
            if (message := advice(problem)) is None:
                raise
            raise click.ClickException(message) from problem

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and purposes, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in COMMANDS.items()])


@click.group(
    cls=Table,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `ioc demo`; `ioc COMMAND --help` explains one, with examples.",
)
@click.option(
    "--instance", envvar="IOC_INSTANCE", help="Which centre: main, demo …; the one started last when not said."
)
@click.pass_context
def main(context: click.Context, instance: str | None) -> None:
    """The operations centre of a district: its events, figures and services."""
    _start_fast()
    context.obj = {"instance": instance}
    if {"IOC_UNITS", "IOC_INDICATORS"} & os.environ.keys():
        _know_own_tables()


def _start_fast() -> None:
    """Most of a short command's time are its imports, a fifth of which went into walking the same objects again and
    again for garbage, and into the search of every installed package for plugins of pydantic, of which there are none.
    """
    gc.set_threshold(50_000, 20, 100)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def _module(name: str) -> ModuleType:
    try:
        return import_module(name, __package__)
    except ModuleNotFoundError as missing:
        if missing.name != name:
            raise
        raise click.ClickException(f"this installation has no {name}: run `./ioc` in a checkout") from None


def _know_own_tables() -> None:
    from pydantic import ValidationError

    from services.kit.settings import Settings

    try:
        Settings()
    except (OSError, ValidationError) as wrong:
        raise click.ClickException(f"IOC_UNITS, IOC_INDICATORS: {wrong}") from None
