"""The month's report as a tree of content, of any unit and period, as of any moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from psycopg import Connection

from schemas import units
from schemas.calendar import local_day
from schemas.text.dates import day_and_time
from services.readings import Period
from services.readings.memo import snapshot
from services.reports.charts import chart_of
from services.reports.content import Block, Head, Paragraph, Report, Section, Signature
from services.reports.figures import Figures, closing, in_words
from services.reports.tables import TABLES
from services.reports.texts import SectionTexts, Texts

NOTHING = "Kỳ này chưa có số liệu."
BLANK = "……"
"""Stands where a hand will write."""
ORIGINS = {"simulated": "số liệu mô phỏng", "shifted": "số liệu đã chuyển ngày"}
_COMMITTEE = "ỦY BAN NHÂN DÂN"


def report(conn: Connection, texts: Texts, unit: str | None, period: Period, number: str = "") -> Report:
    """The report of a unit (None: the whole locality). `number`: that of the document, if it has one already.

    All of it is read from one snapshot, so the same question gives the same tree.
    """
    with snapshot(conn):
        figures = Figures(conn, unit, texts)
        sections = tuple(_section(figures, section, period) for section in texts.sections)
        head, origins = _head(figures, texts, period, number), figures.origins
        office = texts.signature.office or body_of(figures.root(period), local_day(period.as_of)).office
    signature = Signature(office, texts.signature.name, texts.signature.recipients)
    said = tuple(ORIGINS[origin] for origin in sorted(origins) if origin in ORIGINS)
    return Report(unit, period.first, period.last, period.as_of, head, sections, signature, said)


def _section(figures: Figures, texts: SectionTexts, period: Period) -> Section:
    own = closing(period, texts.closes)
    return Section(texts.title, tuple(_blocks(figures, texts, own)) or (Paragraph(NOTHING),), texts.annex)


def _blocks(figures: Figures, texts: SectionTexts, period: Period) -> Iterator[Block]:
    for sentence in texts.text:
        if (text := figures.sentence(sentence, period)) is not None:
            yield Paragraph(text)
    for name in texts.tables:
        for table in TABLES[name](figures, period):
            yield table
            if texts.charts and (chart := chart_of(figures, period, table.code)):
                yield chart


def _head(figures: Figures, texts: Texts, period: Period, number: str) -> Head:
    head, day = texts.head, local_day(period.as_of)
    root = figures.root(period)
    body = body_of(root, day)
    subject = figures.sentence(head.subject, period) or in_words(period)
    if root and body.unit != root:
        subject += f" của {units.on(root, period.last).name_vi}"
    if not period.is_over:
        subject += f" (số liệu đến {day_and_time(period.as_of)})"
    symbol = f"{number or '      '}/{head.symbol or f'BC-{body.symbol}'}"
    superior, issuer = head.superior or body.superior, head.issuer or body.issuer
    return Head(superior, issuer, symbol, head.place or body.place, day, subject, head.title)


class Body(NamedTuple):
    """Who issues a report: the body above, its own name and place, its letters in a document's symbol, who signs."""

    unit: str | None
    superior: str
    issuer: str
    place: str
    symbol: str = "UBND"
    office: tuple[str, ...] = ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH")


def body_of(unit: str | None, day: date) -> Body:
    """The body that reports on a unit, by its name of that day: the people's committee, or the department itself; of a
    unit that has neither or is no more, that of who answers for it."""
    if unit is None:
        return Body(None, "", BLANK, BLANK)
    own = units.on(units.heir(unit, day), day)
    if own.level in ("quarter", "hamlet") and own.parent:
        return body_of(own.parent, day)
    if own.level != "department":
        return Body(own.code, "", f"{_COMMITTEE}\n{own.name_vi.upper()}", units.place_of(own))
    above = body_of(own.parent, day)
    head = "GIÁM ĐỐC" if own.name_vi.startswith("Sở ") else "THỦ TRƯỞNG CƠ QUAN"
    return Body(own.code, above.issuer if own.parent else "", own.name_vi.upper(), above.place, _initials(own), (head,))


def _initials(unit: units.Unit) -> str:
    """`STTTT` of Sở Thông tin và Truyền thông, as offices write it in the symbols of their documents."""
    words = (word for word in re.findall(r"\w+", unit.name_vi) if word != "và")
    return "".join(word if word.isupper() else word[0].upper() for word in words)
