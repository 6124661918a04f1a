"""The `ioc` command: all its sub-commands under one name."""

import click

from services.cli import lifecycle


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--instance", envvar="IOC_INSTANCE", help="Which centre: main, demo …; the one started last when not said."
)
@click.pass_context
def main(context: click.Context, instance: str | None) -> None:
    """The operations centre of a district: its events, figures and services."""
    context.obj = {"instance": instance}


for command in lifecycle.COMMANDS:
    main.add_command(command)
