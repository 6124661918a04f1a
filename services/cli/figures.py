"""Asking for figures: `ioc query`, `explain`, `indicators`, `findings`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from schemas.calendar import VN

if TYPE_CHECKING:
    from psycopg import Connection

    from schemas.indicators import Indicator
    from services.readings import Period, Reading
    from services.readings.explain import Explanation
    from services.readings.findings import Finding

DAY = click.DateTime(["%Y-%m-%d"])
FORMS = click.Choice(["table", "json", "csv"])
ORIGINS = {"simulated": "SIMULATED", "shifted": "SHIFTED in time"}


class Moment(click.ParamType[datetime]):
    """An instant: a local day (its end), or an ISO time; without an offset it is local."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """ISO text -> aware instant."""
        if isinstance(value, datetime):
            return value
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day (2024-11-23) and no time (2024-11-23T17:00)", param, ctx)
        if len(value) == 10:
            parsed += timedelta(days=1, microseconds=-1)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=VN)).astimezone(UTC)


def period_options(command: Any) -> Any:
    """The options that say of which unit, which days, and as of when."""
    for option in reversed((
        click.option("--unit", metavar="U", help="A unit with all below it, code or name; else the whole locality."),
        click.option("--from", "first", metavar="D", type=DAY, help="First day; else the first of the month."),
        click.option("--to", "last", metavar="D", type=DAY, help="Last day, included; else that of --as-of."),
        click.option("--as-of", metavar="T", type=Moment(), help="What was so then, by event time; else now."),
    )):  # fmt: skip
        command = option(command)
    return command


@contextmanager
def reading(role: str = "reader") -> Iterator[Connection]:
    """A read-only connection to the chosen centre; what an operator can mend becomes a message."""
    import psycopg

    from schemas.indicators import UnknownIndicator
    from schemas.units import UnknownUnit
    from services.cli.lifecycle import chosen_instance
    from services.cli.prepare import settings_of
    from services.kit import store
    from services.readings.evaluate import NotBrokenDown

    settings = settings_of(chosen_instance(), "cli")
    try:
        with store.connect(settings, role) as conn:
            conn.read_only = True
            yield conn
    except (psycopg.OperationalError, FileNotFoundError) as error:
        raise click.ClickException(
            f"no database answers at {settings.database_url} ({error}); start with `ioc demo` or `ioc up`"
        ) from None
    except (UnknownIndicator, UnknownUnit, NotBrokenDown) as error:
        raise click.ClickException(str(error)) from None


def period_of(first: datetime | None, last: datetime | None, as_of: datetime | None) -> Period:
    """The period that the options name."""
    from services.kit import clock
    from services.readings import Period

    try:
        return Period.of(as_of or clock.now(), _day(first), _day(last))
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def unit_of(text: str | None, period: Period) -> str | None:
    """The code of a unit named by code or name."""
    from schemas import units

    return None if text is None else units.find(text, period.last).code


def _day(t: datetime | None) -> date | None:
    return t.date() if t else None


@click.command(epilog="""\b
Examples:
  ioc query payments_fee_count --unit chon_thanh --from 2024-11-01 --to 2024-11-30
  ioc query dossiers_in_progress --as-of 2024-11-15T10:30 --by field
  ioc query ii06 --by unit --format csv        a sheet: several indicators side by side
`ioc indicators` lists the names; `ioc explain` opens any figure to its source.""")  # fmt: skip
@click.argument("indicator")
@period_options
@click.option("--by", metavar="unit|day|month|LABEL", help="One row for each.")
@click.option("--format", "form", type=FORMS, default="table", show_default=True)
def query(
    indicator: str,
    unit: str | None,
    first: datetime | None,
    last: datetime | None,
    as_of: datetime | None,
    by: str | None,
    form: str,
) -> None:
    """Ask for a figure: an INDICATOR (or a sheet of them), of a unit, over a period, as of a moment."""
    from schemas.indicators import find
    from services.readings import read

    with reading() as conn:
        period = period_of(first, last, as_of)
        code, indicators = unit_of(unit, period), find(indicator)
        found = [(i, read(conn, i, code, period, by)) for i in indicators]
        rows = [_plain(r, by) for _, readings in found for r in readings]
        if form == "json":
            click.echo(
                json.dumps({"unit": code, **_period(period), "by": by, "readings": rows}, ensure_ascii=False, indent=2)
            )
        elif form == "csv":
            _csv(rows)
        else:
            _print_readings(found, code, period, by)


def _period(period: Period) -> dict[str, str]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat(), "as_of": period.as_of.isoformat()}


def _plain(r: Reading, by: str | None) -> dict[str, Any]:
    head = {"indicator": r.indicator.code, **({by: r.group} if by else {})}
    exact = (
        None
        if r.value is None
        else str(r.value.normalize() if r.value != r.value.to_integral() else r.value.quantize(Decimal(1)))
    )
    target = None if r.indicator.target is None else str(r.indicator.target)
    value = None if r.printed is None else str(r.printed)
    return {
        **head, "value": value, "measured_in": r.indicator.unit, "exact": exact, "reason": r.reason,
        "target": target, "met": r.met, "origins": sorted(r.origins),
    }  # fmt: skip


def _csv(rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: " ".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows)


def _print_readings(
    found: list[tuple[Indicator, list[Reading]]], unit: str | None, period: Period, by: str | None
) -> None:
    from rich.console import Console
    from rich.table import Table

    groups = sorted({r.group for _, readings in found for r in readings})
    one = len(found) == 1
    table = Table(
        title=_title(found, unit, period), title_justify="left", caption=_caption(found), caption_justify="left"
    )
    table.add_column(by or "indicator")
    for i, _ in found if by else found[:1]:
        table.add_column((i.code if not one else f"{i.code} ({i.unit})") if by else "value", justify="right")
    if by:
        table.add_column("" if not one else "target", justify="left")
        cells = {(r.indicator.code, r.group): r for _, readings in found for r in readings}
        for group in groups:
            some = [cells.get((i.code, group)) for i, _ in found]
            table.add_row(_group_name(by, group), *(_cell(r) for r in some), _verdict(some[0]) if one else "")
    else:
        table.add_column("unit")
        table.add_column("")
        for i, readings in found:
            table.add_row(
                f"{i.code}  {i.vi}", _cell(readings[0]), i.unit, _verdict(readings[0]) or readings[0].reason or ""
            )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _group_name(by: str, group: str) -> str:
    from schemas import units

    return f"{group}  {units.get(group).name_vi}" if by == "unit" else group


def _title(found: list[tuple[Indicator, list[Reading]]], unit: str | None, period: Period) -> str:
    from schemas import units

    what = f"{found[0][0].vi} — {found[0][0].en}" if len(found) == 1 else f"{len(found)} indicators"
    where = units.get(unit).name_vi if unit else "Toàn địa bàn"
    as_of = period.as_of.astimezone(VN)
    return f"{what}\n{where}, {period.first:%d/%m/%Y} - {period.last:%d/%m/%Y}, as of {as_of:%d/%m/%Y %H:%M}"


def _caption(found: list[tuple[Indicator, list[Reading]]]) -> str | None:
    origins = {o for _, readings in found for r in readings for o in r.origins}
    notes = [text for origin, text in ORIGINS.items() if origin in origins]
    return f"Data: {', '.join(notes)}" if notes else None


def _cell(r: Reading | None) -> str:
    if r is None or r.printed is None:
        return "–" if r is None else f"– ({r.reason})"
    return f"{r.printed:,}"


def _verdict(r: Reading | None) -> str:
    if r is None or r.met is None:
        return ""
    sign = "≤" if r.indicator.better == "lower" else "≥"
    return f"{'✓ đạt' if r.met else '✗ chưa đạt'} ({sign} {r.indicator.target})"


@click.command(epilog="""\b
Example:
  ioc explain payments_fee_amount --unit dong_xoai --from 2024-11-01 --to 2024-11-30""")  # fmt: skip
@click.argument("indicator")
@period_options
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def explain(
    indicator: str, unit: str | None, first: datetime | None, last: datetime | None, as_of: datetime | None, form: str
) -> None:
    """Open a figure: formula, parts, period, sources with their freshness, the events behind it."""
    from schemas.indicators import find
    from services.readings import explain as open_figure

    with reading() as conn:
        period = period_of(first, last, as_of)
        code = unit_of(unit, period)
        for one in find(indicator):
            explanation = open_figure(conn, one, code, period)
            if form == "json":
                click.echo(json.dumps(explained(explanation), ensure_ascii=False, indent=2))
            else:
                click.echo("\n".join(_lines(explanation)) + "\n")


def explained(e: Explanation) -> dict[str, Any]:
    """An explanation as JSON values."""
    return {
        **_plain(e.reading, None),
        "vi": e.reading.indicator.vi, "en": e.reading.indicator.en, "unit": e.unit,
        **_period(e.period), "formula": e.formula,
        "parts": [{**vars(p), "value": None if p.value is None else str(p.value)} for p in e.parts],
        "sources": [
            {**vars(s), "last_time": s.last_time.isoformat(), "last_recorded": s.last_recorded.isoformat()}
            for s in e.sources
        ],
        "events": e.events,
        "sample": [{**vars(x), "time": x.time.isoformat()} for x in e.sample],
    }  # fmt: skip


def _lines(e: Explanation) -> Iterator[str]:
    r, i = e.reading, e.reading.indicator
    yield click.style(f"{i.vi} — {i.en}", bold=True) + f"   [{i.system}/{i.code}]"
    yield f"  value    {'none: ' + str(r.reason) if r.printed is None else f'{r.printed:,} {i.unit}'}   {_verdict(r)}"
    yield f"  unit     {e.unit or 'whole locality'}"
    yield f"  period   {e.period.first} to {e.period.last} (local days), as of {_local(e.period.as_of)}"
    yield f"  formula  {e.formula}"
    for p in e.parts[1:]:
        shown = f"{p.value.normalize():f}" if p.value is not None else f"none: {p.reason}"
        yield f"           {'  ' * (p.depth - 1)}{p.role}: {p.formula} = {shown}"
    if r.origins - {"real"}:
        yield f"  data     {', '.join(ORIGINS.get(o, o) for o in sorted(r.origins))}"
    yield "  sources"
    for s in e.sources:
        yield f"    {s.source:<40} {s.events:>9,} events,"
        yield f"{'':>46}last {_local(s.last_time)}, recorded {_local(s.last_recorded)}"
    yield f"  events   {e.events:,}, among them"
    for x in e.sample:
        yield f"    {_local(x.time)}  {x.unit}  {x.type.removeprefix('vn.ioc.')}  {x.id}"


def _local(t: datetime) -> str:
    return f"{t.astimezone(VN):%Y-%m-%d %H:%M}"


@click.command(epilog="\b\nExamples:\n  ioc indicators\n  ioc indicators --system field --format json")
@click.option("--system", help="Only those of this system.")
@click.option("--format", "form", type=FORMS, default="table", show_default=True)
def indicators(system: str | None, form: str) -> None:
    """List the catalogue: every figure, with its name, formula, unit and target."""
    from schemas.indicators import CATALOGUE
    from schemas.indicators.formula import describe

    rows = [
        {"system": i.system, "code": i.code, "vi": i.vi, "en": i.en, "unit": i.unit,
         "target": None if i.target is None else str(i.target), "formula": describe(i.formula)}
        for i in CATALOGUE.values() if system in (None, i.system)
    ]  # fmt: skip
    if not rows:
        raise click.ClickException(
            f"no system {system!r}; known: {', '.join(dict.fromkeys(i.system for i in CATALOGUE.values()))}"
        )
    _emit(rows, form, ("system", "code", "vi", "en", "unit", "target"))


@click.command(epilog="\b\nExample:\n  ioc findings --from 2024-10-23 --to 2024-11-23")
@click.option(
    "--from",
    "first",
    metavar="D",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First day for counted figures; all there is when not said.",
)
@click.option("--to", "last", metavar="D", type=click.DateTime(["%Y-%m-%d"]), help="Last day, included.")
@click.option("--as-of", "as_of", metavar="T", type=Moment(), help="What was known at that moment; now when not said.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def findings(first: datetime | None, last: datetime | None, as_of: datetime | None, form: str) -> None:
    """Figures that should agree and do not: shown with both sides, never repaired."""
    from services.kit import clock
    from services.readings import findings as find_all

    with reading() as conn:
        found = find_all(conn, as_of or clock.now(), _day(first), _day(last))
    if form == "json":
        click.echo(json.dumps([_finding(f) for f in found], ensure_ascii=False, indent=2))
        return
    for f in found:
        where = f"{f.unit or 'toàn địa bàn'}, {f.first} - {f.last}" if f.first else "toàn địa bàn"
        click.secho(f"{f.code}: {_difference(f)}", bold=True)
        click.echo(f"  {f.vi}\n  {f.en}\n  {where}: {f.left:f} ≠ {f.right:f}")
        if f.evidence:
            click.echo(f"  see: {', '.join(f.evidence)}")
    click.echo(f"{len(found)} finding{'s' * (len(found) != 1)}")


def _difference(f: Finding) -> str:
    if f.code == "contradiction":
        return f"{f.what} stated twice, {abs(f.missing):f} apart"
    plural = "s" * (abs(f.missing) != 1)
    return f"{abs(f.missing):f} {f.what}{plural} {'missing' if f.missing > 0 else 'too many'}"


def _finding(f: Finding) -> dict[str, Any]:
    return {
        "code": f.code, "vi": f.vi, "en": f.en, "unit": f.unit,
        "from": f.first and f.first.isoformat(), "to": f.last and f.last.isoformat(),
        "left": str(f.left), "right": str(f.right), "missing": str(f.missing), "what": f.what,
        "evidence": list(f.evidence),
    }  # fmt: skip


def _emit(rows: list[dict[str, Any]], form: str, shown: Iterable[str]) -> None:
    from services.cli.listing import aligned

    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif form == "csv":
        _csv(rows)
    else:
        columns = list(shown)
        click.echo("\n".join(aligned([columns, *([str(row[c] or "") for c in columns] for row in rows)])))
        click.echo(f"{len(rows)} indicators; `ioc explain CODE` shows the formula of one")
