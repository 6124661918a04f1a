"""`ioc index766`: index 766 of units from the numerators and denominators in a file, and what its components count."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.cli import index766_output as shown
from services.cli import output
from services.cli.figures import period_of, period_options, reading, unit_of
from services.cli.index766_ahead import forecast, shortest, whatif
from services.cli.index766_output import ScoredUnit, rule_options
from services.cli.times import Day

if TYPE_CHECKING:
    from schemas.index766.counts import UnitCounts
    from schemas.index766.rules import RuleSet
    from schemas.index766.scoring import CountPair
    from services.readings.index766 import UnitIndex

TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


DATE = click.option("--date", "day", metavar="D", type=Day("last"), help="By the rules valid then; else today.")
PROVINCE = click.option(
    "--province",
    type=TABLE,
    metavar="FILE",
    help="The province's own file: units below it have its three of publication.",
)


@click.group()
def index766() -> None:
    """Index 766 (decision 766/QĐ-TTg): 21 components in six groups, 100 points."""


for command in (whatif, shortest, forecast):
    index766.add_command(command)


@index766.command(
    epilog="\b\nExamples:\n  ioc index766 score xa.csv\n"
    "  ioc index766 score xa.csv --rules decree --province tinh.csv\n"
    "  ioc index766 score provinces.csv --group --format csv > scores.csv\n\n"
    "`ioc index766 components` says what each numerator and denominator counts; docs/index766.md says more."
)
@click.argument("file", type=TABLE)
@rule_options
@DATE
@PROVINCE
@click.option(
    "--group", is_flag=True, help="Besides the units all of them together: the mean of each group, then added."
)
def score(file: Path, code: str, day: date | None, form: str, province: Path | None, group: bool) -> None:
    """Score the numerators and denominators in FILE.

    \b
    FILE is a table with commas, semicolons or tabs:
      metric,numerator,denominator
      PUBLISH_ON_TIME,48,50
      PETITION_PROCESSING_ON_TIME,0,0

    Each component is rounded half up to 2 decimals; a group is the sum of its components, the total that of the groups.

    A column `unit`, a name or code in each row, lets one file have many units. They are ranked 1-2-2-4, wards and
    communes apart from departments and from provinces: by a column `level` (`ioc units` has the words), else by the
    table of units.

    The numerator is always the good part, as the portal publishes it: in PETITION_HANDLING_SATISFACTION the petitions
    less those disliked, repeated or overdue; in DOSSIER_RECEIVING_SATISFACTION the dossiers less those overdue and
    those disliked. Whoever has the bad ones writes the denominator less them. Where the portal shows a share alone, as
    of ELECTRONIC_CERTIFIED_COPY, write it of 100; these last two may have decimals (95,7 of 100).

    A component that is not in the file, or has two empty cells, is missing: group and total are incomplete then, and
    there is no grade. Without a base (a denominator of 0) petitions give their 6 points, everything else none. A
    numerator above its denominator gives the maximum. Each of these is flagged.

    Numbers are written as 1234, 1.234, 1 234 or 2.050,0; what can be read in two ways (15,000) is refused, and then
    nothing is scored.
    """
    try:
        rules = _rules(code, day)
        units = _read(file, rules)
        lent = _publication(province, rules) if province else None
        scored = _scored(rules, units, lent, day)
        if group:
            scored.append(_together(scored, str(file)))
    except ValueError as wrong:
        raise click.ClickException(str(wrong)) from None
    if form == "table":
        shown.print_units(rules, scored)
    else:
        _answer(form, shown.score_values(rules, scored), scored)


@index766.command(
    epilog="\b\nExamples:\n  ioc index766 live\n  ioc index766 live --unit phuong_chon_thanh\n"
    "  ioc index766 live --from 7/2026 --to 9/2026 --as-of 30/09/2026 --rules decree --format csv\n"
    "  ioc index766 live --unit phuong_chon_thanh --from 10/2026 --to 10/2026 --with rest.csv --province tinh.csv\n\n"
    "`ioc query index766 --by unit` has total and groups as figures, `ioc explain index766_points` opens them."
)
@period_options
@rule_options
@click.option("--below", is_flag=True, help="All units below --unit, ranked; without --unit it is so anyway.")
@click.option("--with", "file", type=TABLE, metavar="FILE", help="What is neither counted nor reported of --unit.")
@PROVINCE
def live(
    unit: str | None,
    first: date | None,
    last: date | None,
    as_of: datetime | None,
    code: str,
    form: str,
    below: bool,
    file: Path | None,
    province: Path | None,
) -> None:
    """Score units from the events: this month so far, or a month, quarter or year, as of any moment.

    Without --unit all units are scored and ranked 1-2-2-4, wards and communes apart from the other levels.

    Thirteen components are counted from events (`ioc index766 components` says from what), the others come by
    `indicator.reported` of days from the period's first day on; each row says whether it is counted, reported (by whose
    statement, up to which day) or missing. A unit below the province has what its province reported of publication. For
    one unit a file may give what is missing; what events count is not taken from a file.
    """
    from services.readings import values
    from services.readings.index766 import unit_index, unit_indices

    if (file or province) and (unit is None or below):
        raise click.UsageError("--with and --province are about one unit: --unit U")
    with reading() as conn:
        period = period_of(first, last, as_of)
        where = unit_of(unit, period)
        try:
            rules = _rules(code, period.last)
            rest = _rest(file, rules) if file else {}
            lent = _publication(province, rules) if province else None
        except ValueError as wrong:
            raise click.ClickException(str(wrong)) from None
        if where is None or below:
            scored = [shown.of_events(found) for found in unit_indices(conn, code, where, period)]
        else:
            found = unit_index(conn, code, where, period)
            scored = [shown.of_events(found if not (rest or lent) else with_rest(found, rest, lent))]
    if not scored:
        raise click.ClickException("no unit has events or reports of that period")
    if form == "json":
        _answer(form, {**values.period_values(period), **shown.score_values(rules, scored)}, scored)
    elif form == "csv":
        _answer(form, {}, scored)
    elif where is None or below:
        shown.print_units(rules, scored, period)
    else:
        shown.print_live(scored[0], period)


def with_rest(found: UnitIndex, rest: Mapping[str, CountPair], lent: Mapping[str, CountPair] | None) -> UnitIndex:
    """A unit's index with what a file gives of it, and with what another gives of its province."""
    from schemas.index766 import scoring

    counts = {m: c.count for m, c in found.counts.items() if c.count is not None}
    of_province = None if found.level == "province" else lent
    return replace(found, score=scoring.score(found.score.rules, {**rest, **counts}, of_province))


@index766.command(
    epilog="\b\nExamples:\n  ioc index766 components\n  ioc index766 components --rules decree --format csv"
)
@rule_options
@DATE
def components(code: str, day: date | None, form: str) -> None:
    """What the components are called, count, and give in points."""
    try:
        rules = _rules(code, day)
    except ValueError as wrong:
        raise click.ClickException(str(wrong)) from None
    rows = [shown.component_values(component) for component in rules.components.values()]
    if form == "json":
        click.echo(json.dumps({"rules": shown.rules_values(rules), "components": rows}, ensure_ascii=False, indent=2))
    elif form == "csv":
        output.write_csv(rows)
    else:
        click.echo("\n".join(shown.component_lines(rules)))


def _answer(form: str, values: dict[str, Any], scored: Sequence[ScoredUnit]) -> None:
    if form == "json":
        click.echo(json.dumps(values, ensure_ascii=False, indent=2))
    else:
        output.write_csv([row for unit in scored for row in shown.score_rows(unit)])


def _rules(code: str, day: date | None) -> RuleSet:
    from schemas.index766.rules import rule_set

    return rule_set(code, day or _today())


def _today() -> date:
    from schemas.calendar import local_day
    from services.kit import clock

    return local_day(clock.now())


def _publication(file: Path, rules: RuleSet) -> Mapping[str, CountPair]:
    """The province's own counts, of which those of publication are its units'."""
    counts = _only(file, rules)
    if missing := [m for m, c in rules.components.items() if c.from_province and m not in counts]:
        raise ValueError(f"{file} lacks {', '.join(missing)}, which units below the province have of it")
    return counts


def _rest(file: Path, rules: RuleSet) -> Mapping[str, CountPair]:
    """What the events do not count."""
    from schemas.indicators.index766 import REPORTED

    counts = _only(file, rules)
    if both := [metric for metric in rules.components if metric not in REPORTED and metric in counts]:
        raise ValueError(f"{file} has {', '.join(both)}, which the events count; leave it out, or use `score`")
    return counts


def _only(file: Path, rules: RuleSet) -> Mapping[str, CountPair]:
    """The counts of a file of one unit."""
    units = _read(file, rules)
    if len(units) > 1:
        raise ValueError(f"{file} has {len(units)} units, {', '.join(units)}; one is needed here")
    (only,) = units.values()
    return only.counts


def _read(file: Path, rules: RuleSet) -> dict[str, UnitCounts]:
    from schemas.index766.counts import read
    from schemas.text import files

    return read(files.lines(files.read(file)), str(file), rules.components)


def _scored(
    rules: RuleSet, units: Mapping[str, UnitCounts], province: Mapping[str, CountPair] | None, day: date | None
) -> list[ScoredUnit]:
    """Each unit with its rank, in the order of the file."""
    from schemas.index766 import scoring

    levels = {name: unit.level or _level(name, day) for name, unit in units.items()}
    scores = {
        name: scoring.score(rules, unit.counts, None if levels[name] == "province" else province)
        for name, unit in units.items()
    }
    ranks = scoring.ranks({name: one.total for name, one in scores.items()}, levels) if len(units) > 1 else {}
    return [ScoredUnit(name, levels[name], one, ranks.get(name)) for name, one in scores.items()]


def _level(name: str, day: date | None) -> str:
    """The level by the table of units; "" for a unit that it does not know."""
    from schemas import units

    day = day or _today()
    try:
        return units.find(name, day).on(day).level if name else ""
    except units.UnknownUnit:
        return ""


def _together(scored: Sequence[ScoredUnit], file: str) -> ScoredUnit:
    from schemas.index766.scoring import mean, ranked_as

    if len(scored) == 1:
        raise ValueError(f"{file} has one unit; a group has several, named in a column `unit`")
    if len(kinds := dict.fromkeys(ranked_as(unit.level) for unit in scored)) > 1:
        kinds_named = ", ".join(kind or "unknown" for kind in kinds)
        raise ValueError(f"{file} has units of several levels ({kinds_named}); a mean is taken over units of one")
    return ScoredUnit("", "group", mean([unit.score for unit in scored]), None)
