"""`ioc template`: an empty workbook of a form, which `ioc import` reads once it is filled in."""

from __future__ import annotations

from pathlib import Path

import click

from services.cli.times import today


@click.command(
    epilog="\b\nExamples:\n  ioc template                         the forms there are\n"
    "  ioc template online_payment          writes online_payment.xlsx\n"
    "  ioc template ii06 bieu-ii06.xlsx\n\n"
    "docs/spreadsheets.md says how cells are read."
)
@click.argument("name", required=False)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def template(name: str | None, file: Path | None) -> None:
    """Write an empty workbook of the form NAME into FILE, with its headers, the units of today to choose from, and
    cells that take only what they mean. Without a name: list the forms.
    """
    from services.cli.import_ import template_of
    from services.ingest.spreadsheets import blank
    from services.ingest.spreadsheets.template import templates

    if name is None:
        for one in templates().values():
            click.echo(f"{one.name:<16} {one.vi} — {one.en}")
        return
    form, target = template_of(name), file or Path(f"{name}.xlsx")
    if target.exists():
        raise click.ClickException(f"{target} is there already: name another file")
    blank.write(form, target, today())
    click.echo(f"{target}: {form.vi}; write the period beside {blank.PERIOD!r}")
