"""The month's report as a tree of content, of any unit and period, as of any moment."""

from __future__ import annotations

from collections.abc import Iterator

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
    signature = Signature(texts.signature.office, texts.signature.name, texts.signature.recipients)
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
    superior, issuer, place = _bodies(units.on(root, day)) if root else ("", BLANK, BLANK)
    subject = figures.sentence(head.subject, period) or in_words(period)
    if not period.is_over:
        subject += f" (số liệu đến {day_and_time(period.as_of)})"
    symbol = f"{number or '      '}/{head.symbol}"
    return Head(head.superior or superior, head.issuer or issuer, symbol, head.place or place, day, subject)


def _bodies(unit: units.Unit) -> tuple[str, str, str]:
    """The body above, the body that reports, and its place, by the unit's name of that day."""
    if unit.level != "department":
        return "", f"{_COMMITTEE}\n{unit.name_vi.upper()}", units.place_of(unit)
    above = units.get(unit.parent) if unit.parent else None
    over = (f"{_COMMITTEE}\n{above.name_vi.upper()}", units.place_of(above)) if above else ("", BLANK)
    return over[0], unit.name_vi.upper(), over[1]
