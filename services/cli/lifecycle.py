"""Starting, stopping and watching a centre on this machine: `ioc up`, `down`, `status`, `logs`, `doctor`.

Heavy modules are imported inside the commands, so `ioc --help` answers at once.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from services.cli.chosen import chosen_instance, explained
from services.cli.output import console, print_table, write_json
from services.cli.terminal import say

if TYPE_CHECKING:
    from infra.local.servers import Instance
    from services.centre.status import CentreStatus

VERDICTS = {"good": "green", "warn": "yellow", "bad": "red"}


@click.command(
    epilog="\b\nExamples:\n  ioc up            until Ctrl-C\n  ioc up --detach   in the background, until `ioc down`"
)
@click.option("--detach", is_flag=True, help="Return as soon as everything is healthy and leave it running.")
@click.option("--replica", is_flag=True, help="With a second database for readers, which follows the first.")
def up(detach: bool, replica: bool) -> None:
    """Start the centre: servers, database, streams, services.

    What is missing is fetched into a private folder first (once, about a minute). Running it again is harmless.
    Without --detach it stays, tells of every change, and stops everything on Ctrl-C.
    """
    from services.centre.start import bring_up
    from services.centre.status import status_of
    from services.centre.stop import stopping_on_failure

    with explained():
        instance = chosen_instance()
        with stopping_on_failure(instance, say):
            bring_up(instance, say, replica)
            _print_status(instance, status_of(instance))
            if not detach:
                say("running; Ctrl-C stops everything")
                _report_changes(instance)


@click.command(epilog="\b\nExample:\n  ioc --instance demo down")
def down() -> None:
    """Stop everything that `ioc up` or `ioc demo` started, and nothing else. Data is kept."""
    from services.centre.stop import stop

    with explained():
        instance = chosen_instance()
        if not instance.is_running():
            say(f"nothing runs in {instance.data}; clearing up what a crash may have left")
        stop(instance, say)


@click.command(epilog="\b\nExamples:\n  ioc status\n  ioc status --json | jq '.processes[] | select(.ready | not)'")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, for scripts and monitoring.")
def status(as_json: bool) -> None:
    """Show every process: state, port, health, how far readers are behind; and every source: how much it sends and how
    fresh that is.

    Exits with 0 only when everything runs and is healthy.
    """
    from services.centre.status import status_of, values

    with explained():
        instance = chosen_instance()
        seen = status_of(instance)
        if as_json:
            write_json(values(instance, seen))
        else:
            _print_status(instance, seen)
    if not seen.states or not all(state.ready for state in seen.states):
        raise SystemExit(1)


@click.command(epilog="\b\nExamples:\n  ioc logs\n  ioc logs aggregator -f\n  ioc logs timescaledb -n 200")
@click.argument("service", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("-n", "--lines", default=20, show_default=True, help="How many of the last lines.")
def logs(service: str | None, follow: bool, lines: int) -> None:
    """Show the last lines of one process's log, or of all."""
    from services.centre.log_files import follow as follow_files
    from services.centre.log_files import log_files

    with explained():
        instance = chosen_instance()
    files = log_files(instance.data)
    if service and service not in files:
        raise click.ClickException(f"no log of {service!r}; there are: {', '.join(files) or 'none yet'}")
    shown = {service: files[service]} if service else files
    for name in shown:
        for line in instance.log_tail(name, lines).splitlines():
            _print_line(name, line, alone=bool(service))
    if follow:
        with suppress(KeyboardInterrupt):
            for name, line in follow_files(shown):
                _print_line(name, line, alone=len(shown) == 1)


@click.command(epilog="\b\nExample:\n  ioc doctor")
def doctor() -> None:
    """Look at what this machine has and lacks, and say how to get what is missing."""
    from infra.local.doctor import examine

    with explained():
        findings = examine(chosen_instance())
    rows = (
        (f"[{VERDICTS[f.verdict]}]{f.verdict}[/]", f.subject, f.found, "" if f.verdict == "good" else f.advice)
        for f in findings
    )
    print_table(("", "subject", "found", "what to do"), rows)
    if any(finding.verdict == "bad" for finding in findings):
        raise SystemExit(1)


def _report_changes(instance: Instance) -> None:
    """Tell of every change of a process until interrupted, or until the centre was stopped by another command."""
    from services.centre.status import changes

    for state in changes(instance):
        ready = "" if state.ready else f", not ready{': ' * bool(state.problem)}{state.problem}"
        say(f"{time.strftime('%H:%M:%S')} {state.name}: {state.state}{ready}")


def _print_status(instance: Instance, seen: CentreStatus) -> None:
    from services.centre.status import LOOK_SECONDS
    from services.cli.sources import print_sources

    if seen.states == []:
        console().print(f"nothing runs in {instance.data}; start it with `ioc up`")
        return
    rows = []
    for state in seen.states or ():
        colour = "green" if state.ready else "red"
        word = "healthy" if state.ready else f"not ready, {state.problem or f'see `ioc logs {state.name}`'}"
        age, port = _duration(state.uptime), str(state.port)
        rows.append((state.name, state.state, str(state.pid or ""), age, port, f"[{colour}]{word}[/]"))
    print_table(("process", "state", "pid", "up", "port", "health"), rows)
    for who in seen.unanswered():
        console().print(f"[red]{who} did not answer within {LOOK_SECONDS:.0f} s[/]")
    for lag in seen.lags or ():
        console().print(f"{lag['stream']} → {lag['consumer']}: {lag['pending']} waiting, {lag['in_hand']} in hand")
    if seen.sources:
        console().print()
        print_sources(seen.sources, seen.now)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _print_line(name: str, line: str, alone: bool) -> None:
    click.echo(line if alone else f"{click.style(f'{name:>12}', fg='cyan')} │ {line}")
