"""`ioc generate`: everything that follows from the tables of the code, written into files that are checked in.

Of a checkout alone: what runs needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@click.command(
    epilog="\b\nExamples:\n  ioc generate           after a change of an event, an indicator, an alert, a setting\n"
    "  ioc generate --check   what is missing, and which files are stale?"
)
@click.option("--check", is_flag=True, help="Write nothing; name what is missing or stale, and exit with 1 if any is.")
@click.option("--force", is_flag=True, help="Write contracts that break a promise; for types that nobody uses yet.")
def generate(check: bool, force: bool) -> None:
    """Write what follows from the code: contracts, the reference, licences, rules, runbooks' index, dashboards.

    Where a table of the code lacks something, it says what, where and what to do, and writes nothing. Needs what the
    tests need (`./ioc test` installs it).
    """
    from generate import files

    with _placed(files.place):
        from generate.omissions import omissions

        _fail_if(omissions(), "missing")
        wanted = files.generated()
        stale = files.stale(wanted)
    if check and stale:
        raise click.ClickException("stale: " + ", ".join(stale) + "; run `ioc generate`")
    if not force:
        lines = files.broken(wanted)
        _fail_if(lines, "broken: give the changed type a new version, or use --force where nobody uses it")
    for path in stale:
        files.write(path, wanted.get(path))
        click.echo(f"{'written' if path in wanted else 'removed'} {path}")
    click.echo(f"{len(wanted)} files up to date", err=True)


@contextmanager
def _placed(place: Callable[[Exception], str]) -> Iterator[None]:
    """A mistake in a table of the code is told by its place and in one line, not by a trace."""
    try:
        yield
    except click.ClickException:
        raise
    except Exception as error:
        text = str(error) if isinstance(error, ValueError | LookupError) else f"{type(error).__name__}: {error}"
        raise click.ClickException(f"{place(error)}: {text}\nMend it there, then run `ioc generate` again.") from error


def _fail_if(lines: list[str], what: str) -> None:
    if lines:
        raise click.ClickException(f"{len(lines)} {what}; nothing written\n" + "\n".join(f"  {line}" for line in lines))
