"""`ioc rebuild`: fold the log anew, to check what lives or to replace it."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  ioc rebuild --check     nothing is changed; exit 1 where live rows and log disagree
  ioc rebuild             replace state, series and rollups"""
)
@click.option("--check", "only_check", is_flag=True, help="Compare only.")
def rebuild(only_check: bool) -> None:
    """Fold all stored events anew: the same rows must come out as live in the tables."""
    import psycopg

    from services.aggregator import rebuild as folding
    from services.cli.chosen import chosen_settings, no_database
    from services.cli.terminal import bar

    settings = chosen_settings()
    try:
        with bar("folding the log", 100) as advance:

            def progress(what: str, done: int, total: int) -> None:
                half = 0 if what == "reading the log" else 50
                advance(half + (50 * done // total if total else 50))

            if not only_check:
                folding.rebuild(settings.database("owner"), progress)
                differences = []
            else:
                differences = folding.check(settings.database("owner"), progress)
            folding.note(settings.database("owner"), differences)
    except (psycopg.OperationalError, FileNotFoundError) as error:
        raise no_database(settings, error) from None
    for d in differences:
        click.secho(
            f"{d.table}: {d.only_live:,} rows only live, {d.only_folded:,} only in the fold of the log",
            fg="red",
            err=True,
        )
        for example in d.examples:
            click.echo(f"  {example}", err=True)
    if differences:
        raise click.ClickException("live rows and log disagree; `ioc rebuild` makes them agree")
    click.echo("live rows and log agree" if only_check else "state, series and rollups are the fold of the log")
