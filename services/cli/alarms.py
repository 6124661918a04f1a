"""`ioc alarms`: what people are warned of, and what they do about it. Lists come from the database, so they work while
the notifier is down; what changes something goes through the notifier, which alone may."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from services.cli.chosen import connected
from services.cli.user_option import login

if TYPE_CHECKING:
    from infra.local.servers import Instance

WITHIN_SECONDS = 40
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
@click.option("--limit", default=50, show_default=True, help="How many, the latest.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_(everything: bool, unit: str | None, system: str | None, severity: str | None, limit: int, form: str) -> None:
    """List the alarms, the latest last."""
    from services.kit.clock import now

    values = {"all": everything, "units": _scope(unit), "system": system, "severity": severity, "limit": limit}
    found = _read(_LIST, values)[::-1]
    if form == "json":
        click.echo(json.dumps(found, default=datetime.isoformat, ensure_ascii=False, indent=2))
        return
    for row in found:
        click.echo(_line(row, now()))
    click.echo(f"{len(found)} alarms" if found else "no alarms", err=True)


@alarms.command(epilog="\b\nExample:\n  ioc alarms show 12")
@click.argument("id", type=int)
def show(id: int) -> None:
    """Show one alarm with all that was done about it."""
    found = _read("SELECT * FROM alarm WHERE id = %(id)s", {"id": id})
    if not found:
        raise click.ClickException(f"there is no alarm {id}; `ioc alarms list --all` shows them")
    for name, value in found[0].items():
        if value not in (None, "") and name not in ("id", "since", "next_at"):
            click.echo(f"{name:<16} {_shown(value)}")
    click.echo()
    for row in _read("SELECT at, step, by, note FROM alarm_step WHERE alarm = %(id)s ORDER BY id", {"id": id}):
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
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
def routes(file: str | None) -> None:
    """Check the table of routes, the centre's own or FILE, and say who is told of what. The notifier reads it when it
    starts."""
    import os
    from pathlib import Path

    from services.cli.chosen import chosen_instance
    from services.notifier.routes import BadRoutes, load

    own = Path(os.environ.get("IOC_ROUTES") or chosen_instance().data / "routes.toml")
    if file is None and not own.exists():
        click.echo(f"nobody is told: there is no {own}; begin with services/notifier/routes.example.toml")
        return
    try:
        table = load(Path(file) if file else own)
    except BadRoutes as bad:
        raise click.ClickException(str(bad)) from None
    for route in table.routes:
        steps = "; ".join(
            f"after {step.after}{f' ({step.when})' if step.when else ''}: {', '.join(step.to)}" for step in route.steps
        )
        click.echo(f"{route.name} ({route.when}{', digest' if route.digest else ''}): {steps}")
    click.echo(
        f"{len(table.people)} people, {len(table.rotas)} rotas, {len(table.routes)} routes: all in order", err=True
    )


def _scope(unit: str | None) -> list[str] | None:
    from schemas import units

    try:
        return sorted(units.scope(units.find(unit).code)) if unit else None
    except units.UnknownUnit as unknown:
        raise click.ClickException(str(unknown)) from None


def _deadline(text: str) -> datetime:
    """A length of time from now, a local time, or a day (its end)."""
    from schemas.calendar import local_day
    from schemas.text import moments
    from services.kit.clock import now
    from services.notifier.routes import duration

    try:
        return now() + duration(text)
    except ValueError:
        pass
    try:
        return moments.read(text, local_day(now())).end
    except moments.NoMoment as wrong:
        raise click.ClickException(f"--deadline {wrong}, a length as 90m, 4h or 2d") from None


def _line(row: dict[str, Any], now: datetime) -> str:
    colour = {"critical": "red", "warning": "yellow"}.get(row["severity"])
    who = row["assignee"] or row["acknowledged_by"] or ""
    since = _age(now - row["raised_at"])
    about = f"{row['unit']:<20} {row['vi']} [{row['originator']}]"
    mark = "" if row["origin"] == "real" else f" {row['origin'].upper()}"
    head = f"{row['id']:>6}  {row['status']:<12} {click.style(row['severity'].ljust(8), fg=colour)}"
    gone = " (disabled)" if row["orphan"] else ""
    return f"{head} {since:>8}  {about}{mark}" + (f"  ← {who}{gone}" if who else "")


def _age(passed: timedelta) -> str:
    seconds = max(int(passed.total_seconds()), 0)
    units = (("d", 86_400), ("h", 3600), ("min", 60))
    return next((f"{seconds // length} {name}" for name, length in units if seconds >= 2 * length), f"{seconds} s")


def _shown(value: Any) -> str:
    from schemas.text.dates import day_and_time

    return day_and_time(value, seconds=True) if isinstance(value, datetime) else str(value)


def _read(sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with connected() as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql, values).fetchall()


def _post(path: str, **body: Any) -> Any:
    """What the notifier answers; its refusals become messages."""
    from services.cli.chosen import chosen_instance, explained

    with explained():
        instance = chosen_instance()
        request = _request(instance, path, body)
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=WITHIN_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise click.ClickException(_reason(refusal)) from None
    except OSError as error:
        why = getattr(error, "reason", error)
        raise click.ClickException(
            f"the notifier does not answer at {request.host} ({why}); `ioc status` shows what runs, `ioc up` starts it"
        ) from None


def _request(instance: Instance, path: str, body: dict[str, Any]) -> urllib.request.Request:
    head = {"Authorization": f"Bearer {instance.password('alarms')}", "Content-Type": "application/json"}
    door = os.environ.get("IOC_NOTIFIER_DOOR")
    if not door and (stranger := instance.displaced("notifier")):
        raise click.ClickException(f"the notifier cannot be asked: {stranger}; `ioc up` gives it another port")
    door = door or f"http://127.0.0.1:{instance.ports['notifier']}"
    return urllib.request.Request(door + path, json.dumps(body).encode(), head, method="POST")  # noqa: S310


def _reason(refusal: urllib.error.HTTPError) -> str:
    try:
        detail = json.load(refusal)["detail"]
    except (ValueError, KeyError, TypeError):
        return f"the notifier answers {refusal.code} {refusal.reason}"
    if isinstance(detail, list):  # fields that FastAPI found wrong
        return "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in detail)
    return str(detail)


_LIST = """
SELECT *, EXISTS (SELECT FROM alarm_orphan WHERE alarm = id) AS orphan FROM alarm_list
WHERE (%(all)s OR status <> 'cleared')
AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) AND (%(system)s::text IS NULL OR system = %(system)s)
AND (%(severity)s::text IS NULL OR severity = %(severity)s) ORDER BY id DESC LIMIT %(limit)s
"""
