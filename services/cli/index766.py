"""`ioc index766`: index 766 of units from the numerators and denominators in a file, and what its components count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.cli import output
from services.cli.chosen import as_messages, reading
from services.cli.index766_ahead import forecast, shortest, whatif
from services.cli.options import FILE, period_of, period_options, rule_options, unit_of
from services.cli.times import Day, today

if TYPE_CHECKING:
    from schemas.index766.unit_scores import ScoredUnit
    from services.readings.tables import Table

DATE = click.option("--date", "day", metavar="D", type=Day("last"), help="By the rules valid then; else today.")
PROVINCE = click.option(
    "--province",
    type=FILE,
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
@click.argument("file", type=FILE)
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
    from schemas.index766 import unit_scores, values, words
    from schemas.index766.rules import rule_set
    from services.readings.tables import scores_table

    day = day or today()
    with as_messages(ValueError):
        rules = rule_set(code, day)
        units = unit_scores.read_units(file, rules)
        lent = unit_scores.read_province(province, rules) if province else None
        scored = unit_scores.scored(rules, units, lent, day)
        if group:
            scored.append(unit_scores.together(scored, str(file)))
    table = partial(scores_table, rules, scored)
    _answer(form, values.score_values(rules, scored), scored, table, words.advice_lines(scored))


@index766.command(
    epilog="\b\nExamples:\n  ioc index766 live\n  ioc index766 live --unit phuong_chon_thanh\n"
    "  ioc index766 live --from 7/2026 --to 9/2026 --as-of 30/09/2026 --rules decree --format csv\n"
    "  ioc index766 live --unit phuong_chon_thanh --from 10/2026 --to 10/2026 --with rest.csv --province tinh.csv\n\n"
    "`ioc query index766 --by unit` has total and groups as figures, `ioc explain index766_points` opens them."
)
@period_options
@rule_options
@click.option("--below", is_flag=True, help="All units below --unit, ranked; without --unit it is so anyway.")
@click.option("--with", "file", type=FILE, metavar="FILE", help="What is neither counted nor reported of --unit.")
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
    from schemas.index766 import words
    from schemas.index766.rules import rule_set
    from schemas.index766.unit_scores import read_province
    from schemas.index766.values import score_values
    from services.readings import values
    from services.readings.index766 import read_rest, unit_index, unit_indices, with_rest
    from services.readings.tables import scores_table

    if (file or province) and (unit is None or below):
        raise click.UsageError("--with and --province are about one unit: --unit U")
    with reading() as conn:
        period = period_of(first, last, as_of)
        where = unit_of(unit, period)
        with as_messages(ValueError):
            rules = rule_set(code, period.last)
            rest = read_rest(file, rules) if file else {}
            lent = read_province(province, rules) if province else None
        scored: Sequence[ScoredUnit]
        if where is None or below:
            scored = unit_indices(conn, code, where, period)
        else:
            own = unit_index(conn, code, where, period)
            scored = [with_rest(own, rest, lent) if rest or lent else own]
    if not scored:
        raise click.ClickException("no unit has events or reports of that period")
    notes = words.advice_lines(scored) if len(scored) == 1 else words.lacking_lines(scored)
    value = {**values.period_values(period), **score_values(rules, scored)}
    _answer(form, value, scored, partial(scores_table, rules, scored, period), notes)


@index766.command(
    epilog="\b\nExamples:\n  ioc index766 components\n  ioc index766 components --rules decree --format csv"
)
@rule_options
@DATE
def components(code: str, day: date | None, form: str) -> None:
    """What the components are called, count, and give in points."""
    from schemas.index766 import values, words
    from schemas.index766.rules import rule_set

    with as_messages(ValueError):
        rules = rule_set(code, day or today())
    rows = [values.component_values(component) for component in rules.components.values()]
    value = {"rules": values.rules_values(rules), "components": rows}
    output.answer(form, value, lambda: words.component_lines(rules), rows)


def _answer(
    form: str, value: dict[str, Any], scored: Sequence[ScoredUnit], table: Callable[[], Table], notes: Iterable[str]
) -> None:
    from schemas.index766.values import score_rows

    def text() -> Iterable[str]:
        output.show(table())
        return notes

    output.answer(form, value, text, [row for unit in scored for row in score_rows(unit)])
