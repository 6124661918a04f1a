"""A report as one HTML page that loads nothing from elsewhere, to be looked at and printed."""

from __future__ import annotations

from itertools import chain
from xml.etree.ElementTree import Element, SubElement, tostring

from services.reports.content import BLANK_LINE, Block, Cell, Chart, Figure, Paragraph, Report, Table, text_of
from services.reports.drawing import of_chart
from services.reports.layout import MOTTO, NATION

STYLE = """
@page { size: A4; margin: 20mm 15mm 20mm 30mm }
body { font: 14pt/1.3 "Times New Roman", "Liberation Serif", Tinos, serif; color: #000; max-width: 165mm;
  margin: 2em auto; padding: 0 1em }
header { display: flex; justify-content: space-between; gap: 1em; text-align: center; font-size: 13pt }
header p { margin: 0 } h1, h1 + p, h1 + p + p { text-align: center; margin: .2em 0 } h1 { font-size: 14pt }
h1 + p { font-weight: bold; margin-bottom: 1em } .dated { font-style: italic; margin-top: .4em }
h2 { font-size: 14pt; margin: 1em 0 .3em } section > p { text-align: justify; text-indent: 1cm; margin: .3em 0 }
table { border-collapse: collapse; width: 100%; font-size: 11pt; margin: .5em 0 } caption { font-weight: bold }
th, td { border: 1px solid #000; padding: .15em .3em } td.right { text-align: right; white-space: nowrap }
td.center { text-align: center } thead { display: table-header-group } tr { break-inside: avoid }
figure { margin: .5em 0 0; break-inside: avoid }
figcaption { font-weight: bold; font-size: 12pt; text-align: center }
.total { font-weight: bold } section > p.note { font-size: 11pt; font-style: italic; text-indent: 0 }
footer { display: flex; justify-content: space-between; margin-top: 2em } footer div { white-space: pre-line }
.to { font-size: 11pt } .to b { font-size: 12pt; font-style: italic } .by { text-align: center; font-weight: bold }
"""


def write(report: Report) -> bytes:
    """The same report gives the same bytes."""
    page = Element("html", lang="vi")
    head, body = SubElement(page, "head"), SubElement(page, "body")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "title").text = f"{report.head.title} {report.head.subject}"
    SubElement(head, "style").text = STYLE
    _head(body, report)
    for title, section in report.headed:
        if not section.annex:
            _section(body, title, section.blocks)
    _signature(body, report)
    for title, section in report.headed:
        if section.annex:
            _section(body, title, section.blocks)
    return b"<!doctype html>\n" + tostring(page, encoding="unicode", method="html").encode() + b"\n"


def _head(body: Element, report: Report) -> None:
    head, top = report.head, SubElement(body, "header")
    left, right = SubElement(top, "div"), SubElement(top, "div")
    for line in head.superior.splitlines():
        SubElement(left, "p").text = line
    for line in head.issuer.splitlines():
        SubElement(SubElement(left, "p"), "b").text = line
    SubElement(left, "p").text = head.numbered
    SubElement(SubElement(right, "p"), "b").text = NATION
    SubElement(SubElement(right, "p"), "b").text = MOTTO
    SubElement(right, "p", {"class": "dated"}).text = head.dated
    SubElement(body, "h1").text = head.title
    SubElement(body, "p").text = head.subject
    if report.origins:
        SubElement(body, "p").text = report.data_note


def _section(body: Element, title: str, blocks: tuple[Block, ...]) -> None:
    section = SubElement(body, "section")
    SubElement(section, "h2").text = title
    for block in blocks:
        if isinstance(block, Paragraph):
            SubElement(section, "p").text = block.text
        elif isinstance(block, Chart):
            figure = SubElement(section, "figure", id=block.code)
            SubElement(figure, "figcaption").text = block.name
            figure.append(of_chart(block))
            SubElement(section, "p", {"class": "note"}).text = block.legend
        else:
            _table(section, block)


def _table(section: Element, table: Table) -> None:
    element = SubElement(section, "table", id=table.code)
    SubElement(element, "caption").text = table.title
    heads = SubElement(element, "thead")
    for names in table.head_rows:
        line = SubElement(heads, "tr")
        for head in names:
            spans = {"colspan": str(head.across), "rowspan": str(head.down)}
            SubElement(line, "th", {k: v for k, v in spans.items() if v != "1"}).text = head.text
    rows = SubElement(element, "tbody")
    for row in table.all_rows:
        line = SubElement(rows, "tr", {"class": "total"} if row is table.total else {})
        for column, cell in zip(table.columns, row, strict=True):
            _cell(line, column.align, cell)
    for note in table.notes:
        SubElement(section, "p", {"class": "note"}).text = note


def _cell(line: Element, align: str, cell: Cell) -> None:
    why = {"title": cell.reason} if isinstance(cell, Figure) and cell.reason else {}
    SubElement(line, "td", {"class": align} | why).text = text_of(cell)


def _signature(body: Element, report: Report) -> None:
    signed, foot = report.signature, SubElement(body, "footer")
    to, by = SubElement(foot, "div", {"class": "to"}), SubElement(foot, "div", {"class": "by"})
    SubElement(to, "b").text = "Nơi nhận:"
    SubElement(to, "span").text = "".join(f"\n{line}" for line in signed.recipients)
    by.text = "\n".join(chain(signed.office, BLANK_LINE, [signed.name]))
