"""A report as PDF: tagged, PDF/A-2a, in one embedded font, set by Typst from `report.typ`."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import typst

from schemas.calendar import local_day
from services.reports import drawing, layout
from services.reports.content import Block, Chart, HeadCell, Paragraph, Report, Section, Table, text_of

FONT = "Liberation Serif"


def write(report: Report, fonts: Path) -> bytes:
    """The same report and font give the same bytes. `fonts`: the folder with Liberation Serif."""
    content: bytes = _set(report, fonts, format="pdf", pdf_standards="a-2a")
    return content


def pictures(report: Report, fonts: Path, ppi: float = 80) -> list[bytes]:
    """Its pages as PNG, to be looked at."""
    pages = _set(report, fonts, format="png", ppi=ppi)
    return pages if isinstance(pages, list) else [pages]


def _set(report: Report, fonts: Path, **options: Any) -> Any:
    source = resources.files(__package__).joinpath("report.typ").read_bytes()
    own = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)])
    said = {"report": json.dumps(_values(report), ensure_ascii=False)}
    return typst.compile(source, font_paths=own, sys_inputs=said, **options)


def _values(report: Report) -> dict[str, Any]:
    """What the template sets, every number in the words of the tree."""
    head, day = report.head, local_day(report.as_of)
    return {
        "title": f"{head.title} {head.subject}",
        "date": [day.year, day.month, day.day],
        "superior": head.superior.splitlines(), "issuer": head.issuer.splitlines(),
        "number": head.numbered, "dated": head.dated, "kind": head.title, "subject": head.subject,
        "nation": layout.NATION, "motto": layout.MOTTO, "note": report.data_note,
        "sections": [_section(title, section) for title, section in report.headed],
        "office": report.signature.office, "signer": report.signature.name,
        "recipients": report.signature.recipients,
        "layout": {
            "top": layout.TOP, "bottom": layout.BOTTOM, "left": layout.LEFT, "right": layout.RIGHT,
            "text": layout.TEXT, "indent": layout.INDENT, "font": FONT, "issuer": layout.HEAD[0],
            "issuer_rule": layout.issuer_rule(head.issuer), "motto_rule": layout.motto_rule(14),
            "subject_rule": layout.subject_rule(head.subject),
        },
    }  # fmt: skip


def _section(title: str, section: Section) -> dict[str, Any]:
    return {"title": title, "annex": section.annex, "blocks": [_block(block) for block in section.blocks]}


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text):
            return {"kind": "p", "text": text}
        case Chart():
            return {
                "kind": "chart", "title": block.name, "spoken": block.spoken, "legend": block.legend,
                "svg": drawing.of_report(block), "width": layout.CHART,
            }  # fmt: skip
    return _table(block)


def chart_pictures(report: Report) -> list[bytes]:
    """Its charts as PNG, for a document; in the font that the compiler brings, so they are alike everywhere."""
    if not report.charts:
        return []
    source = resources.files(__package__).joinpath("charts.typ").read_bytes()
    own = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    said = {"charts": json.dumps([drawing.of_report(chart) for chart in report.charts], ensure_ascii=False)}
    found = typst.compile(source, font_paths=own, sys_inputs=said, format="png", ppi=200.0)
    return found if isinstance(found, list) else [found]


def _table(table: Table) -> dict[str, Any]:
    heads, numbered = table.head_rows, any(column.number for column in table.columns)
    return {
        "kind": "table", "title": table.title, "notes": table.notes, "total": bool(table.total),
        "widths": layout.widths(table), "size": layout.size(table), "inset": layout.inset(table),
        "aligns": [column.align for column in table.columns],
        "heads": [[_head(cell, row is not heads[-1] or not numbered) for cell in row] for row in heads],
        "rows": [[text_of(cell) for cell in row] for row in table.all_rows],
    }  # fmt: skip


def _head(cell: HeadCell, bold: bool) -> dict[str, Any]:
    return {**cell._asdict(), "bold": bold}
