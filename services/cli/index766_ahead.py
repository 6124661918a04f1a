"""`ioc index766 whatif`, `shortest`, `forecast`: what ending dossiers would bring, and where the month will end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schemas.text.dates import day as written_day
from schemas.text.dates import day_and_time
from services.cli import output
from services.cli.figures import reading, unit_of
from services.cli.index766_output import rule_options
from services.cli.times import Day

if TYPE_CHECKING:
    from services.readings.forecast import Forecast
    from services.readings.whatif import Shortest, WhatIf

UNIT = click.option("--unit", metavar="U", help="A unit with all below it, code or name; else the whole locality.")
UNTIL = click.option(
    "--until", metavar="D", type=Day("last"), help="Scored at the end of that day; else of the last day's month."
)
PAPER = click.option("--paper", is_flag=True, help="Their results are papers; else they are signed files.")


@click.command(
    epilog="\b\nExamples:\n  ioc index766 whatif --unit phuong_chon_thanh --due 30/11/2026\n"
    "  ioc index766 whatif H19.01-261102-0007 H19.01-261102-0011 --on 27/11/2026 --unit phuong_chon_thanh\n"
    "  ioc index766 shortest --unit phuong_chon_thanh --format csv > list.csv\n"
    "  ioc index766 whatif --unit phuong_chon_thanh --file list.csv"
)
@click.argument("dossiers", nargs=-1)
@UNIT
@click.option("--due", metavar="D", type=Day("last"), help="All open dossiers due from today to that day.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A table with the columns dossier and day, as `shortest --format csv` writes it.",
)
@click.option("--on", metavar="D", type=Day(), help="They end on that day; else each on the day it is due, or today.")
@UNTIL
@PAPER
@rule_options
def whatif(
    dossiers: tuple[str, ...],
    unit: str | None,
    due: date | None,
    file: Path | None,
    on: date | None,
    until: date | None,
    paper: bool,
    code: str,
    form: str,
) -> None:
    """The score of a unit after DOSSIERS end on given days, beside the score if nobody does anything.

    Both are scores of the month as of the end of --until: due dates pass, and nothing else happens. So a dossier gains
    by being done before it is overdue, by its result as a signed file, or by ending after more than one request for
    supplements. Nothing is stored.
    """
    from services.readings import whatif as ahead

    with reading() as conn:
        now = _now()
        where = _unit(unit)
        try:
            ends = _ends(dossiers, due, file, on, conn, where, now)
            period = ahead.until(until or _month_end(max(ends.values(), default=now)))
            found = ahead.what_if(conn, code, where, ends, period, electronic=not paper)
        except ValueError as wrong:
            raise click.ClickException(str(wrong)) from None
    if form == "json":
        _json({**_what_if_values(found), "dossiers": list(_rows(found, [None] * len(found.ended)))})
    elif form == "csv":
        output.write_csv(list(_rows(found, [None] * len(found.ended))))
    else:
        click.echo("\n".join(_what_if_lines(found)))


@click.command(
    epilog="\b\nExamples:\n  ioc index766 shortest\n  ioc index766 shortest --unit phuong_chon_thanh --format csv\n"
    "  ioc index766 shortest --gain 2 --until 30/11/2026"
)
@UNIT
@click.option("--below", is_flag=True, help="A list for each unit below --unit; without --unit it is so anyway.")
@click.option("--gain", "gains", multiple=True, type=Decimal, help="So many points; else 0.1, 0.5 and 1.")
@UNTIL
@PAPER
@rule_options
def shortest(
    unit: str | None,
    below: bool,
    gains: tuple[Decimal, ...],
    until: date | None,
    paper: bool,
    code: str,
    form: str,
) -> None:
    """The shortest list of open dossiers whose end gains the next 0.1, 0.5 and 1 point, by unit.

    Each is to end on its day: the day it is due, or the last day of the period where that has passed. The dossier that
    gains most next comes first; of equal ones the one due soonest. See `whatif` for what a gain is.
    """
    from services.readings import whatif as ahead

    if any(gain <= 0 for gain in gains):
        raise click.UsageError("a gain is more than 0 points")
    with reading() as conn:
        now, where = _now(), _unit(unit)
        period = ahead.until(until or _month_end(now))
        wanted = sorted(gains) or ahead.NEXT_POINTS
        if where is None or below:
            found = ahead.shortest_by_unit(conn, code, where, period, now, wanted, electronic=not paper)
        else:
            found = [ahead.shortest(conn, code, where, period, now, wanted, electronic=not paper)]
    if form == "json":
        _json({"units": [_shortest_values(one) for one in found]})
    elif form == "csv":
        output.write_csv([row for one in found for row in _rows(one.what_if, one.gained)])
    else:
        click.echo("\n".join(line for one in found for line in _shortest_lines(one)) or "no unit has events")


@click.command(epilog="\b\nExample:\n  ioc index766 forecast --unit phuong_chon_thanh")
@UNIT
@rule_options
def forecast(unit: str | None, code: str, form: str) -> None:
    """Where the counted components will stand at the month's end, with an interval and how wrong it was before.

    From the points of now, and what the last six months still gained or lost from as far before their end: expected is
    the median of that, the interval its least and greatest (from three months on). The same, put to each of those
    months with the months before it, gives the past errors. Reported components are taken to stay as they are.
    """
    from services.readings.forecast import forecast as look_ahead

    with reading() as conn:
        try:
            found = look_ahead(conn, code, _unit(unit), _now())
        except ValueError as wrong:
            raise click.ClickException(str(wrong)) from None
    if form == "json":
        _json(_forecast_values(found))
    elif form == "csv":
        output.write_csv([_past_values(month) for month in _forecast_values(found)["past"]])
    else:
        click.echo("\n".join(_forecast_lines(found)))


def _now() -> datetime:
    from services.kit import clock

    return clock.now()


def _unit(text: str | None) -> str | None:
    from services.readings import Period

    return unit_of(text, Period.of(_now()))


def _month_end(moment: datetime) -> date:
    from schemas.calendar import local_day, month_end

    return month_end(local_day(moment))


def _ends(
    dossiers: Iterable[str],
    due: date | None,
    file: Path | None,
    on: date | None,
    conn: Any,
    unit: str | None,
    now: datetime,
) -> dict[str, datetime]:
    """Dossier -> when it ends; ValueError says what is missing or cannot be."""
    from schemas.calendar import local_day
    from services.readings import whatif as ahead

    ends = {code: ahead.closing(on) if on else None for code in dossiers}
    if file:
        ends |= {code: ahead.closing(day) for code, day in _listed(file)}
    if due:
        for d in ahead.open_dossiers(conn, unit):
            if d.due and local_day(now) <= local_day(d.due) <= due:
                ends[d.id] = ahead.closing(on) if on else None
    if not ends:
        raise ValueError("no dossier is named: name some, or say --due D or --file FILE")
    open_ones = {d.id: d for d in ahead.open_dossiers(conn, unit, list(ends))}
    found = {}
    for code, at in ends.items():
        promised = open_ones[code].due if code in open_ones else None
        day = local_day(at) if at else max(local_day(promised or now), local_day(now))
        if day < local_day(now):
            raise ValueError(f"{code}: {written_day(day)} is over; what was done then is told by an event")
        found[code] = max(ahead.closing(day), now)
    return found


def _listed(file: Path) -> Iterator[tuple[str, date]]:
    from schemas.text import files, moments

    for number, row in files.rows(files.lines(files.read(file)), str(file), ("dossier", "day")):
        try:
            yield row["dossier"], moments.read(row["day"]).day()
        except moments.NoMoment as wrong:
            raise ValueError(f"{file}, row {number}, column day: {wrong}") from None


# --- how it looks ---


def _what_if_values(found: WhatIf) -> dict[str, Any]:
    before, after = found.before.score, found.after.score
    moved = [
        {"metric": b.component.metric, "numerator": [_count(b, "numerator"), _count(a, "numerator")],
         "denominator": [_count(b, "denominator"), _count(a, "denominator")], "points": [str(b.points), str(a.points)]}
        for b, a in zip(before.components, after.components, strict=True) if b.count != a.count
    ]  # fmt: skip
    return {
        "unit": found.before.unit or None,
        "from": found.period.first.isoformat(),
        "to": found.period.last.isoformat(),
        "rules": before.rules.code,
        "before": str(before.points),
        "after": str(after.points),
        "gain": str(found.gain),
        "given_maximum": str(before.scored),
        "missing": list(before.missing),
        "components": moved,
    }


def _count(score: Any, name: str) -> str | None:
    return None if score.count is None else str(getattr(score.count, name))


def _shortest_values(one: Shortest) -> dict[str, Any]:
    enough = {str(points): number for points, number in one.enough.items()}
    return {**_what_if_values(one.what_if), "enough": enough, "dossiers": list(_rows(one.what_if, one.gained))}


def _rows(found: WhatIf, gained: Iterable[Decimal | None]) -> Iterator[dict[str, Any]]:
    from schemas.calendar import local_day

    for place, (one, points) in enumerate(zip(found.ended, gained, strict=True), 1):
        yield {
            "unit": one.dossier.unit,
            "place": place,
            "dossier": one.dossier.id,
            "day": local_day(one.at).isoformat(),
            "due": one.dossier.due.isoformat() if one.dossier.due else "",
            "gained": "" if points is None else str(points),
            "moves": ";".join(sorted(one.moves)),
        }


def _what_if_lines(found: WhatIf) -> Iterator[str]:
    score = found.before.score
    yield (
        f"{_name(found)}, {found.period.written}, at its end: {score.points} of {score.scored} if nobody acts, "
        f"{found.after.score.points} after {_so_many(len(found.ended))}: {_signed(found.gain)}"
    )
    for before, after in zip(score.components, found.after.score.components, strict=True):
        if before.count and after.count and before.count != after.count:
            yield (
                f"  {before.component.metric}: {before.count.numerator}/{before.count.denominator} → "
                f"{after.count.numerator}/{after.count.denominator}, {before.points} → {after.points}"
            )
    if score.missing:
        yield f"  not known, so in neither: {', '.join(score.missing)}"


def _shortest_lines(one: Shortest) -> Iterator[str]:
    found = one.what_if
    yield f"{_name(found)}, {found.period.written}: {found.before.score.points} of {found.before.score.scored}"
    for points, number in one.enough.items():
        best = max(one.gained, default=Decimal(0))
        yield f"  +{points}: {_so_many(number) if number else f'not to be had: all of them bring {_signed(best)}'}"
    for place, (ended, gained) in enumerate(zip(found.ended, one.gained, strict=True), 1):
        due = day_and_time(ended.dossier.due) if ended.dossier.due else "no date"
        yield f"  {place:4} {ended.dossier.id}  by {written_day(ended.at)}  (due {due})  {_signed(gained)}"


def _name(found: WhatIf) -> str:
    from schemas import units

    return units.on(found.before.unit, found.period.last).name_vi if found.before.unit else "all"


def _so_many(number: int) -> str:
    return f"{number} dossier{'s' * (number != 1)}"


def _signed(points: Decimal) -> str:
    return f"{points:+}"


def _forecast_values(found: Forecast) -> dict[str, Any]:
    values = {name: _text(getattr(found, name)) for name in ("now", "maximum", "expected", "low", "high")}
    past = [
        {"month": f"{m.month:%Y-%m}", "so_far": str(m.so_far), "final": str(m.final),
         "forecast": _text(m.forecast), "error": _text(m.error)}
        for m in found.past
    ]  # fmt: skip
    return {"month": f"{found.period.first:%Y-%m}", "as_of": found.period.as_of.isoformat(), **values, "past": past}


def _text(points: Decimal | None) -> str | None:
    return None if points is None else str(points)


def _past_values(month: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in month.items()}


def _forecast_lines(found: Forecast) -> Iterator[str]:
    known = f"{found.now} of {found.maximum} as of {day_and_time(found.period.as_of)}"
    yield f"{found.period.written}, counted components: {known}"
    if found.expected is None:
        yield "no forecast: of no earlier month are the same components known"
    else:
        interval = f"between {found.low} and {found.high}" if found.low is not None else "too few months for a range"
        yield f"at the month's end: {found.expected}, {interval}"
    for m in found.past:
        told = f"forecast {m.forecast}, error {_signed(m.error)}" if m.error is not None else "nothing to forecast from"
        yield f"  {m.month:%m/%Y}: {m.so_far} as far before its end, {m.final} at its end; {told}"


def _json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
