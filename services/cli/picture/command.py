"""`ioc picture`: a dashboard of Grafana's, drawn from its definition and the centre's answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

FOLDER = Path(__file__).resolve().parents[3] / "dashboards"


@click.command(
    epilog="\b\nExamples:\n  ioc picture overview --out overview.svg\n"
    "  ioc picture procedures --lang en --unit phuong_chon_thanh --rows 36"
)
@click.argument("dashboard")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; by default NAME.svg, here.")
@click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True, help="The dashboard's language."
)
@click.option("--unit", default="all", show_default=True, help="A unit's code or name; `all`: the whole locality.")
@click.option("--since", metavar="MOMENT", help="Another begin of the time range: now-1h, now-7d/d …")
@click.option("--rows", type=click.IntRange(1), help="Only panels within so many rows of the grid.")
def picture(dashboard: str, out: Path | None, lang: str, unit: str, since: str | None, rows: int | None) -> None:
    """Draw DASHBOARD (overview, procedures … platform) as an SVG: every panel with the answer to its own queries.

    It is a rendering of the dashboard's definition, and says so; what Grafana draws looks different. Prometheus and the
    database of the centre must run.
    """
    import psycopg

    from dashboards.queries import defaults
    from services.centre.prepare import settings_of
    from services.cli.chosen import chosen_instance, explained, no_database
    from services.cli.picture.ask import Centre, span_of
    from services.cli.picture.page import page
    from services.kit import store
    from services.kit.clock import now

    said = _definition(dashboard, lang)
    code, called = _unit(unit, lang)
    with explained():
        instance = chosen_instance()
        settings = settings_of(instance, "cli")
    try:
        span = span_of(said, since, now())
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    try:
        with store.connect(settings, "grafana") as database:
            database.autocommit = True
            prometheus = f"http://127.0.0.1:{instance.ports['prometheus']}"
            centre = Centre(prometheus, database, span, defaults(said) | {"unit": code})
            answers = {panel["id"]: centre.answer(panel) for panel in said["panels"]}
    except (psycopg.OperationalError, FileNotFoundError) as error:
        raise no_database(settings, error) from None
    target = out or Path(f"{dashboard}.svg")
    target.write_text(page(said, answers, span, lang, called, rows), encoding="utf-8")
    failed = sum(isinstance(answer, str) for answer in answers.values())
    click.echo(f"{target}: {len(answers)} panels" + (f", {failed} of them failed" if failed else ""))


def _definition(name: str, language: str) -> dict[str, Any]:
    folder = FOLDER / language
    file = folder / f"ioc-{name}.json"
    if not file.exists():
        known = ", ".join(sorted(path.stem.removeprefix("ioc-") for path in folder.glob("ioc-*.json")))
        raise click.UsageError(f"no dashboard {name!r}; there are: {known or 'none, run `ioc generate`'}")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _unit(text: str, language: str) -> tuple[str, str]:
    """A unit's code, and its name for people."""
    from dashboards.texts import WHOLE
    from schemas import units
    from schemas.indicators.metric import ALL

    if text == ALL:
        return ALL, WHOLE.said("en" if language == "en" else "vi")
    try:
        unit = units.find(text)
    except units.UnknownUnit as unknown:
        raise click.UsageError(str(unknown)) from None
    return unit.code, unit.name_en if language == "en" else unit.name_vi
