"""`ioc demo`: a centre of its own, on the published figures of November 2024, with a simulated district that lives
on."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  ioc demo\n  ioc status\n  ioc down")
def demo() -> None:
    """Start a centre in a data folder of its own, load the scenario, moved by whole weeks so that it ends now, let it
    go on, and wake the simulated district, which has lived since Monday. The board answers while all that comes in."""
    from services.centre import demo as content
    from services.centre.instance_selection import open_instance
    from services.centre.start import bring_up
    from services.centre.stop import stopping_on_failure
    from services.cli.chosen import explained
    from services.cli.terminal import TERMINAL, bar, say

    instance = open_instance("demo")
    with explained(), stopping_on_failure(instance, say):
        bring_up(instance, say, later=content.NOT_YET)
        content.make_accounts(instance)
        content.lay_outlines(instance)
        click.echo(content.first_sight(instance))
        weeks = content.load_once(instance, TERMINAL)
        say("waking the simulated district")
        instance.start_services(["simulator"], say)
        content.wait_lived(instance, bar)
        bring_up(instance, say, later=content.JUDGES)
        instance.start_services(content.JUDGES, say)
    click.echo(content.welcome(instance, weeks))
