"""Issues of a report: kept as they were made, made again to be verified, and held against each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from schemas import units
from services.reports import as_json
from services.reports.content import Report, Table, text_of
from services.reports.texts import Texts

SHOWN = 40
"""Changes that are told one by one; how many more there are is said."""
KEEPING = 7_101_027
"""The right to keep an issue, one at a time."""


@dataclass(frozen=True)
class Issue:
    """A report as it was issued. `form`: which of the forms of its words, "" the whole report; `corrects`: the issue of
    the same form, unit and days before it."""

    id: int
    unit: str | None
    first: date
    last: date
    as_of: datetime
    made_at: datetime
    made_by: str
    inputs: str
    hash: str
    content: str
    texts: str
    corrects: int | None
    form: str

    @property
    def report(self) -> Report:
        """What it said."""
        return as_json.read(self.content.encode())

    @property
    def words(self) -> Texts:
        """The words that it was made with."""
        return Texts.model_validate_json(self.texts)

    @property
    def number(self) -> str:
        """The document's number, if it was given one."""
        return self.report.head.number.partition("/")[0].strip()


class Change(NamedTuple):
    """Something that two issues say differently, with the place where it stands; "" where one says nothing there."""

    place: str
    before: str
    after: str


class LateEvents(NamedTuple):
    """Events of one type and source that were recorded after an issue, of before its moment; some of their ids."""

    type: str
    source: str
    number: int
    ids: list[str]


class Late(NamedTuple):
    """What was recorded after an issue: events of its unit, of those below and above it, and how many of others."""

    own: list[LateEvents]
    others: int


class NoIssue(ValueError):
    """There is no issue of this number."""


def digest(content: str) -> str:
    """What tells contents apart."""
    return hashlib.sha256(content.encode()).hexdigest()


def inputs_of(conn: Connection, as_of: datetime) -> str:
    """The fingerprint of all events that had happened by a moment, as far as they are known now."""
    ((number, keys),) = conn.execute(_INPUTS, {"as_of": as_of}).fetchall()
    return digest(f"{number} {keys}")


class Kept(NamedTuple):
    """The issue that says what was to be kept, and whether it was made for that: where the last one of the same form,
    unit and days says the same, that is the issue."""

    issue: Issue
    new: bool


async def keep(
    conn: AsyncConnection, report: Report, texts: Texts, inputs: str, made_at: datetime, made_by: str
) -> Kept:
    """Keep a report as an issue, within the caller's transaction; whoever else keeps one waits for its end."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (KEEPING,))
    content = as_json.write(report).decode()
    last = await of_days(conn, report.unit, report.first, report.last, texts.form)
    if last and last.report == report:
        return Kept(last, False)
    values = {
        "unit": report.unit, "first": report.first, "last": report.last, "as_of": report.as_of, "made_at": made_at,
        "made_by": made_by, "inputs": inputs, "hash": digest(content), "content": content,
        "texts": texts.model_dump_json(), "corrects": last.id if last else None, "form": texts.form,
    }  # fmt: skip
    async with conn.cursor(row_factory=class_row(Issue)) as cursor:
        kept = await (await cursor.execute(_KEEP, values)).fetchone()
    assert kept is not None
    return Kept(kept, True)


async def of_days(conn: AsyncConnection, unit: str | None, first: date, last: date, form: str = "") -> Issue | None:
    """The last issue of a form, unit and days, if there is one."""
    values = {"unit": unit, "first": first, "last": last, "form": form}
    async with conn.cursor(row_factory=class_row(Issue)) as cursor:
        return await (await cursor.execute(_LAST, values)).fetchone()


def get(conn: Connection, id: int) -> Issue:
    """The issue of a number; `NoIssue`."""
    with conn.cursor(row_factory=class_row(Issue)) as cursor:
        if found := cursor.execute("SELECT * FROM report_issue WHERE id = %s", (id,)).fetchone():
            return found
    raise NoIssue(f"there is no issue {id}; `ioc report --list` names those that there are")


def all_issues(conn: Connection) -> list[Issue]:
    """Every issue, the newest first; what it said and its words are left out."""
    with conn.cursor(row_factory=class_row(Issue)) as cursor:
        return cursor.execute(_ALL).fetchall()


def difference_lines(conn: Connection, before: Issue, after: Report) -> Iterator[str]:
    """What a report says otherwise than an issue, at most `SHOWN` of it, and the events recorded since."""
    every = list(changes(before.report, after))
    for place, old, new in every[:SHOWN]:
        yield f"{f'{place}: ' if place else ''}{old or '–'} -> {new or '–'}"
    if len(every) > SHOWN:
        yield f"and {len(every) - SHOWN} more"
    late = recorded_since(conn, before)
    for type, source, count, ids in late.own:
        yield f"recorded since: {count:,} of {type} from {source}, {', '.join(ids)}"
    if late.others:
        yield f"recorded since: {late.others:,} of other units"


def recorded_since(conn: Connection, issue: Issue) -> Late:
    """Events of before its moment that were recorded after it was made: what a later report has besides."""
    near = issue.unit and [*units.scope(issue.unit), *(above.code for above in units.ancestors(issue.unit))]
    values = {"as_of": issue.as_of, "made_at": issue.made_at, "units": near}
    found = conn.execute(_SINCE, values).fetchall()
    return Late([LateEvents(*row) for *row, own in found if own], sum(row[2] for row in found if not row[-1]))


def changes(before: Report, after: Report) -> Iterator[Change]:
    """What two reports say differently: sentence by sentence, and cell by cell of rows of one name."""
    yield from _of_texts("", _lines(before), _lines(after))
    tables = {table.code: table for table in _tables(after)}
    for table in _tables(before):
        yield from _of_tables(table, tables.pop(table.code, None))
    for table in tables.values():
        yield from (Change(f"{table.title} | {name}", "", " | ".join(cells)) for name, cells in _rows(table).items())


def _tables(report: Report) -> tuple[Table, ...]:
    """Its tables, and the values of its charts."""
    return (*report.tables, *(chart.table for chart in report.charts))


def _lines(report: Report) -> list[str]:
    head, signed = report.head, report.signature
    own = [head.superior, head.issuer, head.numbered, head.dated, head.subject, *signed.office, signed.name]
    texts = [b.text for section in report.sections for b in section.blocks if b.kind == "paragraph"]
    return [*own, *texts]


def _of_texts(place: str, before: list[str], after: list[str]) -> Iterator[Change]:
    gone, come = [t for t in before if t not in after], [t for t in after if t not in before]
    yield from (Change(place, old, new) for old, new in zip_longest(gone, come, fillvalue=""))


def _of_tables(before: Table, after: Table | None) -> Iterator[Change]:
    old, new = _rows(before), _rows(after) if after else {}
    heads = [" ".join((c.group, c.head)).strip() for c in before.columns[2:]]
    for name in dict.fromkeys((*old, *new)):
        for head, left, right in zip_longest(heads, old.get(name, ()), new.get(name, ()), fillvalue=""):
            if left != right:
                yield Change(f"{before.title} | {name} | {head}", left, right)
    yield from _of_texts(before.title, list(before.notes), list(after.notes) if after else [])


def _rows(table: Table) -> dict[str, tuple[str, ...]]:
    """A row's name, which is in its second column, -> the cells behind it; of one name all but the first are told
    apart."""
    found: dict[str, tuple[str, ...]] = {}
    for row in table.all_rows:
        name, number = text_of(row[1]), 1
        while (key := f"{name} ({number})" if number > 1 else name) in found:
            number += 1
        found[key] = tuple(map(text_of, row[2:]))
    return found


_INPUTS = """
SELECT count(*), coalesce(bit_xor(('x' || right(key::text, 12))::bit(48)::bigint), 0)
FROM event_key WHERE time <= %(as_of)s
"""
_LAST = """
SELECT * FROM report_issue
WHERE unit IS NOT DISTINCT FROM %(unit)s AND first = %(first)s AND last = %(last)s AND form = %(form)s
ORDER BY id DESC LIMIT 1
"""
_ALL = """
SELECT id, unit, first, last, as_of, made_at, made_by, inputs, hash, '' AS content, '' AS texts, corrects, form
FROM report_issue ORDER BY id DESC
"""
_KEEP = """
INSERT INTO report_issue (unit, first, last, as_of, made_at, made_by, inputs, hash, content, texts, corrects, form)
VALUES (%(unit)s, %(first)s, %(last)s, %(as_of)s, %(made_at)s, %(made_by)s, %(inputs)s, %(hash)s, %(content)s,
    %(texts)s, %(corrects)s, %(form)s)
RETURNING *
"""
_SINCE = """
SELECT type, source, count(*), (array_agg(id ORDER BY time, id))[1:5], own
FROM event CROSS JOIN LATERAL (SELECT coalesce(unit = ANY (%(units)s::text[]), true)) near(own)
WHERE time <= %(as_of)s AND recorded > %(made_at)s GROUP BY own, type, source ORDER BY type, source
"""
