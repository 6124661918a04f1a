"""`ioc keys`: who may send events from outside, on the machine of the centre. Every change is noted in the audit."""

from __future__ import annotations

from datetime import timedelta

import click

from schemas.keys import FALLBACK_RATE
from services.cli.board_database import operator, run, unit_codes
from services.cli.output import print_table
from services.cli.user_option import USER


@click.group(epilog="\b\nExample:\n  ioc keys create benh-vien --system health --units 'Phường Chơn Thành'")
def keys() -> None:
    """Keys for those who send events: each opens its own systems and units under a source of its own, nothing else.

    A key's secret is the token over HTTP and the password over NATS, where its name is the user.
    """


@keys.command(
    epilog="\b\nExamples:\n  ioc keys create benh-vien --system health --units 'Phường Chơn Thành'\n"
    "  ioc keys create mot-cua --system procedures --source https://motcua.example.vn --rate 200 --days 730"
)
@click.argument("name")
@click.option("--system", "systems", multiple=True, required=True, help="A system it reports; may be repeated.")
@click.option("--units", "places", multiple=True, metavar="UNIT",
              help="A unit by code or name, with all below it; may be repeated. None: every unit.")  # fmt: skip
@click.option("--source", help="Whose events these are, the CloudEvents `source`; by itself /NAME.")
@click.option("--rate", default=FALLBACK_RATE, show_default=True, help="Events per second, ten seconds' at once.")
@click.option("--days", default=365, show_default=True, help="How long it lasts.")
@click.option("--signed", is_flag=True, help="Its secret is never sent: each request over HTTP is signed with it.")
@USER
def create(
    name: str, systems: tuple[str, ...], places: tuple[str, ...], source: str | None, rate: float, days: int,
    signed: bool, user: str,
) -> None:  # fmt: skip
    """Make a key and print its secret, once: it is kept nowhere.

    A --signed key opens POST /events alone, by HTTP Message Signatures (RFC 9421, hmac-sha256): docs/keys.md.
    """
    from schemas.keys import Bounds
    from services.board.auth import keys as secrets

    bounds = Bounds(name, source or f"/{name}", systems, unit_codes(places))
    master = _master() if signed else None
    if signed and not master:
        raise click.ClickException("the secrets folder has no file `signing`; the next `ioc up` makes it")
    secret = run(lambda conn: secrets.create(conn, operator(user), bounds, rate, days, master))
    click.echo(f"{name} reports {', '.join(systems)} as {bounds.source} for {days} days; its secret:", err=True)
    click.echo(secret)


@keys.command("list", epilog="\b\nExample:\n  ioc keys list")
def list_() -> None:
    """All keys: what each may say, until when, and when it was last shown."""
    from schemas.text.dates import day_and_time
    from services.kit import clock
    from services.kit.keys import all_keys

    rows = []
    for key in run(all_keys):
        bounds, seen = key.bounds, day_and_time(key.seen_at) if key.seen_at else "never"
        may = bounds.source, ", ".join(bounds.systems), ", ".join(bounds.units) or "all"
        state = key.state(clock.now()) + (", signs" if key.signed else "")
        rows.append((bounds.name, state, *may, f"{key.rate:g}", day_and_time(key.expires_at), seen))
    print_table(("key", "state", "source", "systems", "units", "a second", "until", "last use"), rows)


@keys.command(epilog="\b\nExamples:\n  ioc keys rotate benh-vien\n  ioc keys rotate benh-vien --overlap-hours 0")
@click.argument("name")
@click.option("--overlap-hours", default=24.0, show_default=True, help="How long the secret of before goes on.")
@USER
def rotate(name: str, overlap_hours: float, user: str) -> None:
    """Give a key another secret and print it, once; meanwhile both open it."""
    from services.board.auth import keys as secrets

    secret = run(lambda conn: secrets.rotate(conn, operator(user), name, timedelta(hours=overlap_hours), _master()))
    click.echo(f"{name} has another secret; that of before goes on for {overlap_hours:g} hours:", err=True)
    click.echo(secret)


@keys.command(epilog="\b\nExample:\n  ioc keys revoke benh-vien")
@click.argument("name")
@USER
def revoke(name: str, user: str) -> None:
    """Take a key back: within seconds it opens nothing, and its connections to the broker end."""
    from services.board.auth import keys as secrets

    run(lambda conn: secrets.revoke(conn, operator(user), name))
    click.echo(f"{name} opens nothing any more")


def _master() -> str | None:
    """What the secrets of keys that sign are made of; None in a centre that has no such secret yet."""
    from services.cli.chosen import chosen_settings
    from services.kit.keys import SIGNING

    return chosen_settings().credential(SIGNING)
