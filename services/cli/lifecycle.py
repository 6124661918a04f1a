"""Starting, stopping and watching a centre on this machine: `ioc up`, `down`, `status`, `logs`, `doctor`.

Heavy modules are imported inside the commands, so `ioc --help` answers at once.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from services.cli.chosen import chosen_instance, explained
from services.cli.terminal import say

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.servers import Instance
    from services.centre.status import CentreStatus

WATCH_SECONDS = 2.0
FOLLOW_SECONDS = 0.3
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

    with explained():
        instance = chosen_instance()
        with stopping_on_failure(instance):
            bring_up(instance, say, replica)
            _print_status(instance, status_of(instance))
            if not detach:
                say("running; Ctrl-C stops everything")
                _report_changes(instance)


@contextmanager
def stopping_on_failure(instance: Instance) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the centre; so does a failure, unless it was running before."""
    was_running = instance.is_running()
    try:
        with _stoppable():
            yield
    except KeyboardInterrupt:
        _stop(instance)
        raise SystemExit(130) from None
    except BaseException:
        if not was_running:
            _stop(instance)
        raise


@click.command(epilog="\b\nExample:\n  ioc --instance demo down")
def down() -> None:
    """Stop everything that `ioc up` or `ioc demo` started, and nothing else. Data is kept."""
    with explained():
        instance = chosen_instance()
        if not instance.is_running():
            say(f"nothing runs in {instance.data}; clearing up what a crash may have left")
        _stop(instance)


@click.command(epilog="\b\nExamples:\n  ioc status\n  ioc status --json | jq '.processes[] | select(.ready | not)'")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, for scripts and monitoring.")
def status(as_json: bool) -> None:
    """Show every process: state, port, health, how far readers are behind; and every source: how much it sends and how
    fresh that is.

    Exits with 0 only when everything runs and is healthy.
    """
    from services.centre.status import status_of

    with explained():
        instance = chosen_instance()
        seen = status_of(instance)
        if as_json:
            click.echo(json.dumps(_report(instance, seen), indent=2))
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
    with explained():
        instance = chosen_instance()
    files = {file.stem: file for file in sorted((instance.data / "logs").glob("*.log"))}
    if service and service not in files:
        raise click.ClickException(f"no log of {service!r}; there are: {', '.join(files) or 'none yet'}")
    shown = {service: files[service]} if service else files
    for name in shown:
        for line in instance.log_tail(name, lines).splitlines():
            _print_line(name, line, alone=bool(service))
    if follow:
        _follow(shown)


@click.command(epilog="\b\nExample:\n  ioc doctor")
def doctor() -> None:
    """Look at what this machine has and lacks, and say how to get what is missing."""
    from rich.console import Console
    from rich.table import Table

    from infra.local.doctor import examine

    with explained():
        findings = examine(chosen_instance())
    table = Table("", "subject", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        mark = f"[{VERDICTS[finding.verdict]}]{finding.verdict}[/]"
        table.add_row(mark, finding.subject, finding.found, "" if finding.verdict == "good" else finding.advice)
    Console().print(table)
    if any(finding.verdict == "bad" for finding in findings):
        raise SystemExit(1)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends `ioc up` as Ctrl-C does."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(instance: Instance) -> None:
    say("stopping everything")
    # A second Ctrl-C must not leave half of it running.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        instance.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    say("stopped")


def _report_changes(instance: Instance) -> None:
    """Tell of every change of a process until interrupted, or until the centre was stopped by another command."""
    known: dict[str, tuple[str, bool]] = {state.name: (state.state, state.ready) for state in instance.processes()}
    while instance.is_running():
        time.sleep(WATCH_SECONDS)
        for state in instance.processes():
            now = (state.state, state.ready)
            if known.get(state.name) != now:
                known[state.name] = now
                ready = "" if state.ready else f", not ready{': ' * bool(state.problem)}{state.problem}"
                say(f"{time.strftime('%H:%M:%S')} {state.name}: {state.state}{ready}")


def _print_status(instance: Instance, seen: CentreStatus) -> None:
    from rich.console import Console
    from rich.table import Table

    from services.centre.status import LOOK_SECONDS
    from services.cli import sources
    from services.cli.output import WIDE

    console = Console()
    if seen.states == []:
        console.print(f"nothing runs in {instance.data}; start it with `ioc up`")
        return
    table = Table("process", "state", "pid", "up", "port", "health", box=None, pad_edge=False)
    for state in seen.states or ():
        colour = "green" if state.ready else "red"
        word = "healthy" if state.ready else f"not ready, {state.problem or f'see `ioc logs {state.name}`'}"
        pid = str(state.pid or "")
        table.add_row(state.name, state.state, pid, _duration(state.uptime), str(state.port), f"[{colour}]{word}[/]")
    console.print(table)
    for who in seen.unanswered():
        console.print(f"[red]{who} did not answer within {LOOK_SECONDS:.0f} s[/]")
    for lag in seen.lags or ():
        console.print(f"{lag['stream']} → {lag['consumer']}: {lag['pending']} waiting, {lag['in_hand']} in hand")
    if seen.sources:
        console.print()
        Console(width=None if console.is_terminal else WIDE).print(sources.table(seen.sources, seen.now))


def _report(instance: Instance, seen: CentreStatus) -> dict[str, Any]:
    from services.cli.sources import plain

    fields = ("name", "kind", "state", "ready", "pid", "uptime", "port", "health", "problem")
    rows = [{field: getattr(state, field) for field in fields} | {"log": str(state.log)} for state in seen.states or ()]
    return {
        "instance": instance.data.name,
        "data": str(instance.data),
        "processes": rows,
        "consumers": seen.lags or [],
        "sources": [plain(source) for source in seen.sources or ()],
        "unanswered": seen.unanswered(),
    }


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _print_line(name: str, line: str, alone: bool) -> None:
    click.echo(line if alone else f"{click.style(f'{name:>12}', fg='cyan')} │ {line}")


def _follow(files: dict[str, Path]) -> None:
    positions = {name: file.stat().st_size for name, file in files.items()}
    try:
        while True:
            for name, file in files.items():
                positions[name] = _print_new(name, file, positions[name], alone=len(files) == 1)
            time.sleep(FOLLOW_SECONDS)
    except KeyboardInterrupt:
        return


def _print_new(name: str, file: Path, position: int, alone: bool) -> int:
    size = file.stat().st_size if file.exists() else 0
    # A file shorter than before was rotated: go on from its beginning.
    position = position if position <= size else 0
    if size == position:
        return position
    with file.open("rb") as stream:
        stream.seek(position)
        complete = stream.read().rpartition(b"\n")[0]
    for line in complete.decode(errors="replace").splitlines() if complete else []:
        _print_line(name, line, alone)
    return position + len(complete) + 1 if complete else position
