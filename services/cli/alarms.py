"""`ioc alarms`: what people are warned of, and what they do about it. Lists come from the database, so they work while
the notifier is down; what changes something goes through the notifier, which alone may."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from services.cli.chosen import as_messages, chosen_instance, connected, explained
from services.cli.options import FILE, LIMIT, form_option
from services.cli.user_option import login
from services.kit.clock import now

USER = click.option(
    "--user",
    default=lambda: f"cli:{login()}",
    help="Who does it: an account of the board or a person of the routes; else whoever is at this machine.",
)


@click.group(epilog="\b\nExamples:\n  ioc alarms list\n  ioc alarms ack 12 --note 'đã gọi bộ phận Một cửa'")
def alarms() -> None:
    """Who is warned of what: list, acknowledge, assign, comment, close; test a way to a person."""


@alarms.command(
    "list",
    epilog="\b\nExamples:\n  ioc alarms list --severity critical\n  ioc alarms list --unit phuong_chon_thanh --all",
)
@click.option("--all", "everything", is_flag=True, help="Those that are over too.")
@click.option("--unit", help="This unit with everything below it: a code or a name.")
@click.option("--system", help="Only this system: procedures, field, platform …")
@click.option("--severity", type=click.Choice(["critical", "warning", "info"]), help="Only of this severity.")
@LIMIT
@form_option()
def list_(everything: bool, unit: str | None, system: str | None, severity: str | None, limit: int, form: str) -> None:
    """List the alarms, the gravest first, of these the newest."""
    from services.cli.output import answer
    from services.notifier import alarm_list

    units = _scope(unit)
    with connected() as conn:
        rows, total = alarm_list.alarms(conn, limit, everything, units, system, severity)
    answer(form, rows, lambda: [_line(row, now()) for row in rows])
    if form == "table":
        shown = f"{len(rows):,} of " if len(rows) < total else ""
        click.echo(f"{shown}{total:,} alarms" if rows else "no alarms", err=True)


@alarms.command(epilog="\b\nExample:\n  ioc alarms show 12")
@click.argument("id", type=int)
def show(id: int) -> None:
    """Show one alarm with all that was done about it."""
    from services.notifier import alarm_list

    with connected() as conn:
        alarm, steps = alarm_list.alarm(conn, id), alarm_list.steps(conn, id)
    if alarm is None:
        raise click.ClickException(f"there is no alarm {id}; `ioc alarms list --all` shows them")
    for name, value in alarm.items():
        if value not in (None, "") and name not in ("id", "since", "next_at"):
            click.echo(f"{name:<16} {_shown(value)}")
    click.echo()
    for row in steps:
        click.echo(f"{_shown(row['at'])}  {row['step']:<16} {row['by']}" + (f": {row['note']}" if row["note"] else ""))


@alarms.command(epilog="\b\nExample:\n  ioc alarms ack 12 13 --note 'đang xử lý'")
@click.argument("ids", metavar="ID…", type=int, nargs=-1, required=True)
@click.option("--note", default="", help="A word about it; it is kept with your name.")
@USER
def ack(ids: tuple[int, ...], note: str, user: str) -> None:
    """Acknowledge alarms: you have taken notice, and the escalation stops."""
    for id in ids:
        _post(f"/alarms/{id}/acknowledge", user=user, note=note)
        click.echo(f"{id} acknowledged by {user}")


@alarms.command(
    epilog="\b\nExamples:\n  ioc alarms assign 12 --to lan --deadline 4h\n"
    "  ioc alarms assign 12 --to 'Trần Thị Lan' --deadline '2026-03-02 17:00'"
)
@click.argument("id", type=int)
@click.option("--to", "assignee", required=True, help="Who has to see to it: an account or a person of the routes.")
@click.option("--deadline", help="Until when: 90m, 4h, 2d, a time or a day. After it the escalation goes on.")
@click.option("--note", default="", help="A word about it.")
@USER
def assign(id: int, assignee: str, deadline: str | None, note: str, user: str) -> None:
    """Give an alarm to someone, with a deadline."""
    until = _deadline(deadline) if deadline else None
    _post(f"/alarms/{id}/assign", user=user, note=note, assignee=assignee, deadline=until and until.isoformat())
    click.echo(f"{id} assigned to {assignee}" + (f" until {_shown(until)}" if until else ""))


@alarms.command(epilog="\b\nExample:\n  ioc alarms comment 12 'nhà cung cấp hẹn 15 giờ'")
@click.argument("id", type=int)
@click.argument("note")
@USER
def comment(id: int, note: str, user: str) -> None:
    """Add a word to an alarm's history."""
    _post(f"/alarms/{id}/comment", user=user, note=note)


@alarms.command(epilog="\b\nExample:\n  ioc alarms close 12 --note 'diễn tập'")
@click.argument("id", type=int)
@click.option("--note", required=True, help="Why it needs nobody; it is kept with your name.")
@USER
def close(id: int, note: str, user: str) -> None:
    """Clear an alarm by hand. An alert that goes on firing raises a new one."""
    _post(f"/alarms/{id}/close", user=user, note=note)
    click.echo(f"{id} closed by {user}")


@alarms.command(epilog="\b\nExample:\n  ioc alarms test an")
@click.argument("person")
def test(person: str) -> None:
    """Send PERSON of the table of routes a test message, by one channel after another until one takes it."""
    from urllib.parse import quote

    tried = _post(f"/people/{quote(person, safe='')}/test")
    for one in tried:
        click.echo(f"{one['channel']}: {'sent' if one['sent'] else 'not sent: ' + one['why']}")
    if not tried[-1]["sent"]:
        raise SystemExit(1)


@alarms.command(epilog="\b\nExamples:\n  ioc alarms routes\n  ioc alarms routes my-routes.toml")
@click.argument("file", required=False, type=FILE)
def routes(file: Path | None) -> None:
    """Check the table of routes, the centre's own or FILE, and say who is told of what. The notifier reads it when it
    starts."""
    import os

    from services.notifier.routes import BadRoutes, load

    own = Path(os.environ.get("IOC_ROUTES") or chosen_instance().data / "routes.toml")
    if file is None and not own.exists():
        click.echo(f"nobody is told: there is no {own}; begin with services/notifier/routes.example.toml")
        return
    with as_messages(BadRoutes):
        table = load(file or own)
    for route in table.routes:
        steps = "; ".join(
            f"after {step.after}{f' ({step.when})' if step.when else ''}: {', '.join(step.to)}" for step in route.steps
        )
        click.echo(f"{route.name} ({route.when}{', digest' if route.digest else ''}): {steps}")
    for name, rota in table.rotas.items():
        turn = rota.turn(now())
        click.echo(f"{name}: {turn.person} until {_shown(turn.until)}, then {turn.then}")
    click.echo(
        f"{len(table.people)} people, {len(table.rotas)} rotas, {len(table.routes)} routes: all in order", err=True
    )


def _scope(unit: str | None) -> list[str] | None:
    from schemas import units

    with as_messages(units.UnknownUnit):
        return sorted(units.scope(units.find(unit).code)) if unit else None


def _deadline(text: str) -> datetime:
    """A length of time from now, a local time, or a day (its end)."""
    from schemas.calendar import local_day
    from schemas.text import durations, moments

    with suppress(ValueError):
        return now() + durations.read(text)
    try:
        return moments.read(text, local_day(now())).end
    except moments.NoMoment as wrong:
        raise click.ClickException(f"--deadline {wrong}, a length as 90m, 4h or 2d") from None


def _line(row: dict[str, Any], now: datetime) -> str:
    from schemas.text.durations import coarse

    colour = {"critical": "red", "warning": "yellow"}.get(row["severity"])
    who = row["assignee"] or row["acknowledged_by"] or ""
    since = " ".join(map(str, coarse(now - row["raised_at"])))
    about = f"{row['unit']:<20} {row['vi']} [{row['originator']}]"
    mark = "" if row["origin"] == "real" else f" {row['origin'].upper()}"
    head = f"{row['id']:>6}  {row['status']:<12} {click.style(row['severity'].ljust(8), fg=colour)}"
    gone = " (can see to it no more)" if row["orphan"] else ""
    return f"{head} {since:>8}  {about}{mark}" + (f"  ← {who}{gone}" if who else "")


def _shown(value: Any) -> str:
    from schemas.text.dates import day_and_time

    return day_and_time(value, seconds=True) if isinstance(value, datetime) else str(value)


def _post(path: str, **body: Any) -> Any:
    """What the notifier answers; its refusals become messages."""
    from services.centre import notifier

    with explained(), as_messages(notifier.Refused):
        return notifier.post(chosen_instance(), path, **body)
