"""A report as DOCX, to be edited before it is signed: the layout of decree 30/2020, header rows that repeat."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import UTC

from docx import Document
from docx.document import Document as Docx
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import Table as DocxTable
from docx.table import _Cell, _Row
from docx.text.paragraph import Paragraph as DocxParagraph

from services.reports import layout
from services.reports.archive import repacked
from services.reports.as_pdf import chart_pictures
from services.reports.content import BLANK_LINE, Chart, Paragraph, Report, Section, Table, text_of

FONT = "Times New Roman"
_CELL_SIDES = 3.8
"""Millimetres of a cell that its text leaves free, left and right, by the library's own style."""
_ALIGN = {"left": ALIGN.LEFT, "center": ALIGN.CENTER, "right": ALIGN.RIGHT}


def write(report: Report) -> bytes:
    """The same report gives the same bytes."""
    document = Document()
    _prepare(document, report)
    _head(document, report)
    pictures = {c.code: png for c, png in zip(report.charts, chart_pictures(report), strict=True)}
    for title, section in report.headed:
        if not section.annex:
            _section(document, title, section, pictures)
    _signature(document, report)
    for title, section in report.headed:
        if section.annex:
            _line(document, "").add_run().add_break(WD_BREAK.PAGE)
            _section(document, title, section, pictures)
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())


# --- the page ---


def _prepare(document: Docx, report: Report) -> None:
    page, normal = document.sections[0], document.styles["Normal"]
    page.page_width, page.page_height = (Mm(side) for side in layout.PAGE)
    page.top_margin, page.bottom_margin = Mm(layout.TOP), Mm(layout.BOTTOM)
    page.left_margin, page.right_margin = Mm(layout.LEFT), Mm(layout.RIGHT)
    page.header_distance = Mm(10)
    page.different_first_page_header_footer = True
    _page_number(page.header.paragraphs[0])
    normal.font.name, normal.font.size = FONT, Pt(layout.TEXT)
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(script), FONT)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "vi-VN")
    normal.element.get_or_add_rPr().append(language)
    core, made = document.core_properties, report.as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    core.title, core.author, core.comments = f"{report.head.title} {report.head.subject}", "", ""
    core.created = core.modified = made
    core.last_modified_by, core.revision, core.language = "", 1, "vi-VN"


def _page_number(paragraph: DocxParagraph) -> None:
    """Arabic, centred above, from page 2 on: the first page has a header of its own, which is empty."""
    paragraph.alignment = ALIGN.CENTER
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        run = paragraph.add_run()
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = text
        run._r.append(mark)


# --- the parts ---


def _head(document: Docx, report: Report) -> None:
    head = report.head
    table = _bare_table(document, layout.HEAD)
    left, right = table.rows[0].cells
    for line in head.superior.splitlines():
        _in_cell(left, line, size=13)
    for line in head.issuer.splitlines():
        _in_cell(left, line, size=13, bold=True)
    _rule(_in_cell(left, " ", size=2), layout.issuer_rule(head.issuer), layout.HEAD[0] - _CELL_SIDES)
    _in_cell(left, head.numbered, size=13)
    _in_cell(right, layout.NATION, size=12, bold=True)
    _in_cell(right, layout.MOTTO, size=13, bold=True)
    _rule(_in_cell(right, " ", size=2), layout.motto_rule(13), layout.HEAD[1] - _CELL_SIDES)
    _in_cell(right, head.dated, size=13, italic=True)
    _line(document, "")
    _line(document, head.title, bold=True, size=14)
    _line(document, head.subject, bold=True, size=14)
    _rule(_line(document, " ", size=2), layout.subject_rule(head.subject), layout.WIDTH)
    if report.origins:
        _line(document, report.data_note, italic=True)
    _line(document, "")


def _section(document: Docx, title: str, section: Section, pictures: Mapping[str, bytes]) -> None:
    heading = _line(document, title, bold=True, align=ALIGN.LEFT)
    heading.paragraph_format.keep_with_next = True
    heading.paragraph_format.first_line_indent = Mm(layout.INDENT)
    heading.paragraph_format.space_before = Pt(6)
    for block in section.blocks:
        if isinstance(block, Paragraph):
            paragraph = _line(document, block.text, align=ALIGN.JUSTIFY)
            paragraph.paragraph_format.first_line_indent = Mm(layout.INDENT)
            paragraph.paragraph_format.space_after = Pt(6)
        elif isinstance(block, Chart):
            _chart(document, block, pictures[block.code])
        else:
            _table(document, block)


def _table(document: Docx, table: Table) -> None:
    title = _line(document, table.title, bold=True, size=12)
    title.paragraph_format.keep_with_next = True
    title.paragraph_format.space_before = Pt(6)
    heads, rows = table.head_rows, table.all_rows
    widths, size, numbered = layout.widths(table), layout.size(table), any(c.number for c in table.columns)
    grid = document.add_table(rows=len(heads) + len(rows), cols=len(table.columns), style="Table Grid")
    grid.alignment, grid.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    _inset(grid, layout.inset(table))
    lines = list(grid.rows)
    cells = [_cells(line) for line in lines]
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = Mm(width)
    for number, names in enumerate(heads):
        for head in names:
            cell = cells[number][head.column]
            if head.across > 1 or head.down > 1:
                cell = cell.merge(cells[number + head.down - 1][head.column + head.across - 1])
            _fill(cell, head.text, ALIGN.CENTER, size, bold=names is not heads[-1] or not numbered)
        _mark(lines[number], "w:tblHeader")
    for texts, row in zip(cells[len(heads) :], rows, strict=True):
        for cell, column, value in zip(texts, table.columns, row, strict=True):
            _fill(cell, text_of(value), _ALIGN[column.align], size, bold=row is table.total)
    for line, own in zip(lines, cells, strict=True):
        _mark(line, "w:cantSplit")
        for cell, width in zip(own, widths, strict=True):
            cell.width = Mm(width)
    for note in table.notes:
        _line(document, note, italic=True, size=11, align=ALIGN.LEFT)
    _line(document, "", size=6)


def _chart(document: Docx, chart: Chart, png: bytes) -> None:
    title = _line(document, chart.name, bold=True, size=12)
    title.paragraph_format.space_before = Pt(6)
    line = _line(document, "")
    picture = line.add_run().add_picture(io.BytesIO(png), width=Mm(layout.CHART))
    picture._inline.docPr.set("descr", chart.spoken)
    picture._inline.docPr.set("name", chart.code)
    for paragraph in (title, line):
        paragraph.paragraph_format.keep_with_next = True
    _line(document, chart.legend, italic=True, size=11, align=ALIGN.LEFT)


def _signature(document: Docx, report: Report) -> None:
    signed = report.signature
    _line(document, "")
    left, right = _bare_table(document, (80, layout.WIDTH - 80)).rows[0].cells
    _in_cell(left, "Nơi nhận:", size=12, bold=True, italic=True, align=ALIGN.LEFT)
    for line in signed.recipients:
        _in_cell(left, line, size=11, align=ALIGN.LEFT)
    for line in (*signed.office, *BLANK_LINE, signed.name):
        _in_cell(right, line, size=13, bold=True)


# --- in python-docx's words ---


def _line(
    document: Docx, text: str, *, bold: bool = False, italic: bool = False, size: float = layout.TEXT,
    align: ALIGN = ALIGN.CENTER,
) -> DocxParagraph:  # fmt: skip
    return _set(document.add_paragraph(), text, bold, italic, size, align)


def _in_cell(
    cell: _Cell, text: str, *, size: float, bold: bool = False, italic: bool = False, align: ALIGN = ALIGN.CENTER
) -> DocxParagraph:
    """A further line of a cell; its first paragraph is there already."""
    first = cell.paragraphs[0]
    fresh = len(cell.paragraphs) == 1 and not first.text
    return _set(first if fresh else cell.add_paragraph(), text, bold, italic, size, align)


def _set(paragraph: DocxParagraph, text: str, bold: bool, italic: bool, size: float, align: ALIGN) -> DocxParagraph:
    run = paragraph.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(0)
    return paragraph


def _fill(cell: _Cell, text: str, align: ALIGN, size: float, bold: bool) -> None:
    for spare in cell.paragraphs[1:]:  # of the cells that were merged
        spare._p.getparent().remove(spare._p)
    _set(cell.paragraphs[0], text, bold, False, size, align)


def _rule(paragraph: DocxParagraph, length: float, width: float) -> None:
    """A line below lines of the head, where so much room is: the lower border of a narrow empty paragraph."""
    side = Mm((width - length) / 2)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = side
    borders, bottom = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    paragraph._p.get_or_add_pPr().append(borders)


def _bare_table(document: Docx, widths: Iterable[float]) -> DocxTable:
    sizes = list(widths)
    table: DocxTable = document.add_table(rows=1, cols=len(sizes))
    table.autofit = False
    for column, width in zip(table.columns, sizes, strict=True):
        column.width = column.cells[0].width = Mm(width)
    return table


def _inset(table: DocxTable, width: float) -> None:
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(Mm(width).twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tblPr.append(margins)


def _cells(row: _Row) -> list[_Cell]:
    """Its cells, read once: the library looks for merged ones again at each call."""
    return [_Cell(cell, row.table) for cell in row._tr.tc_lst]


def _mark(row: _Row, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))
