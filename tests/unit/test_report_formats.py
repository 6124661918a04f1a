"""A report in its formats: the same numbers, the same bytes each time, and the layout of decree 30/2020 read back."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from pypdf import PageObject, PdfReader
from read_back import MM, W, hold_content, hold_layout, placed, words

from infra.local import fonts
from infra.local.paths import home
from services.reports import as_docx, as_html, as_json, as_pdf, as_xlsx, layout
from services.reports.content import (
    Bar,
    Chart,
    Column,
    Figure,
    Head,
    Paragraph,
    Report,
    Section,
    Signature,
    Table,
    text_of,
)
from services.reports.issues import Change, changes
from services.reports.layout import MOTTO, NATION
from services.reports.tables import CORRECTED, _ii06_columns, explained

LETTERS = "aáàảãạ ăắằẳẵặ âấầẩẫậ eéèẻẽẹ êếềểễệ iíìỉĩị oóòỏõọ ôốồổỗộ ơớờởỡợ uúùủũụ ưứừửữự yýỳỷỹỵ đ"


def ii06(rows: int) -> Table:
    """A table over several pages whose numbers are all different."""
    body = []
    for n in range(1, rows + 1):
        parts = (1000 * n, 7 * n, n, 600 * n, 5 * n, n, 400 * n, 2 * n)
        whole = (sum(parts[:3]), sum(parts[3:6]), sum(parts[6:]))
        numbers = (whole[0], *parts[:3], whole[1], *parts[3:6], whole[2], *parts[6:])
        body.append((str(n), f"Phường số {n}", *(Figure(Decimal(number)) for number in numbers)))
    total = (Figure(sum(row[place].value for row in body)) for place in range(2, 13))
    return Table(
        "ii06_by_unit", "Biểu II.06", _ii06_columns("Đơn vị"), tuple(body), ("", "Tổng số", *total), ("Ghi chú.",)
    )


OTHER = Table(
    "other",
    "Bảng khác",
    (Column("STT", 9, "center"), Column("Nội dung", 60, "left"), Column("Tỷ lệ (%)", 30), Column("Tiền", 40)),
    (
        ("1", "- a = b* #x $y$ _z_ <q> & 'c'", Figure(Decimal("98.61"), 2), Figure(Decimal(16_850_363_253))),
        ("2", "=1+1", Figure(None, 2, "chưa có"), Figure(Decimal(-12))),
        ("3", "@a //b", Figure(Decimal("12.34"), 2), Figure(Decimal(0))),
    ),
    ("", "Bình quân", Figure(Decimal("55.48"), 2), Figure(Decimal(16_850_363_241))),
)
CHART = Chart(
    "chart_procedures", "Hồ sơ tiếp nhận", "hồ sơ", "tháng 01 năm 2025", "tháng 12 năm 2024",
    tuple(Bar(f"{n:02}/01", Decimal(1_230 + 37 * n) if n % 7 else None, Decimal(1_900 - 21 * n)) for n in range(1, 32)),
    0, Decimal(2000),
)  # fmt: skip
REPORT = Report(
    None, date(2025, 1, 1), date(2025, 1, 31), datetime(2025, 2, 5, 3, tzinfo=UTC),
    Head("", "ỦY BAN NHÂN DÂN\nTỈNH BÌNH PHƯỚC", "12/BC-UBND", "Bình Phước", date(2025, 2, 5), "Kết quả tháng 01"),
    (
        Section("Thủ tục", (Paragraph(f"Có 64.123 hồ sơ. {LETTERS} {LETTERS.upper()}"), ii06(60))),
        Section("Khác", (OTHER, CHART)),
        Section("Danh sách", (replace(OTHER, code="annex", title="Phụ lục của bảng"),), annex=True),
    ),
    Signature(("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"), "Người Ký", ("- Như trên;", "- Lưu: VT.")),
    ("số liệu mô phỏng",),
)  # fmt: skip


@pytest.fixture(scope="module")
def font() -> Path:
    return fonts.provide(home() / "runtime", print)


@pytest.fixture(scope="module")
def pages(font: Path) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(as_pdf.write(REPORT, font))).pages)


def cells(report: Report) -> list[str]:
    return [text_of(cell) for table in report.tables for row in table.all_rows for cell in row]


def test_a_tree_comes_back_from_json() -> None:
    assert as_json.read(as_json.write(REPORT)) == REPORT


def test_the_same_report_is_the_same_bytes_in_every_format(font: Path) -> None:
    def written() -> dict[str, bytes]:
        return {
            "json": as_json.write(REPORT), "html": as_html.write(REPORT), "xlsx": as_xlsx.write(REPORT),
            "docx": as_docx.write(REPORT), "pdf": as_pdf.write(REPORT, font),
        }  # fmt: skip

    first = written()
    time.sleep(2.1)  # archives tell times in steps of two seconds
    assert written() == first
    for form in ("xlsx", "docx"):
        with zipfile.ZipFile(io.BytesIO(first[form])) as archive:
            assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_whole_head_and_signature_stand_in_every_format(font: Path) -> None:
    """Also of a department, which stands below its province."""
    head = replace(REPORT.head, superior="ỦY BAN NHÂN DÂN\nTỈNH BÌNH PHƯỚC", issuer="SỞ NỘI VỤ", number="12/BC-SNV")
    own = replace(REPORT, head=head)
    said = [*head.superior.splitlines(), head.issuer, head.numbered, head.dated, head.title, head.subject]
    said += [*own.signature.office, own.signature.name, *own.signature.recipients, "Nơi nhận:"]
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx.write(own))).worksheets[0]
    document = zipfile.ZipFile(io.BytesIO(as_docx.write(own)))
    texts = {
        "xlsx": " ".join(str(cell.value) for (cell,) in book.iter_rows()),
        "docx": "".join(t.text or "" for t in part(document, "document").iter(f"{W}t")),
        "html": as_html.write(own).decode(),
        "pdf": "".join(page.extract_text() for page in PdfReader(io.BytesIO(as_pdf.write(own, font))).pages),
    }
    for form, text in texts.items():
        assert [line for line in said if words(line) not in words(text)] == [], form


def test_every_format_has_all_rows_in_their_order(font: Path) -> None:
    hold_content(REPORT, font)


def test_html_has_every_cell() -> None:
    page = as_html.write(REPORT).decode().partition("\n")[2].replace('<meta charset="utf-8">', "")
    root = ElementTree.fromstring(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    assert [cell.text or "" for cell in root.iter("td")] == cells(REPORT)
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page and "src=" not in page and "http" not in page


def test_two_reports_are_told_apart_cell_by_cell() -> None:
    table = REPORT.tables[1]
    row = (*table.rows[0][:3], Figure(Decimal(16_850_363_254)))
    other = replace(table, rows=(row, *table.rows[1:]), notes=("Mới.",))
    text = Section("Thủ tục", (Paragraph("Có 64.124 hồ sơ."), REPORT.tables[0]))
    after = replace(REPORT, sections=(text, Section("Khác", (other, CHART))))
    assert list(changes(REPORT, REPORT)) == []
    found = list(changes(REPORT, after))
    assert Change("Bảng khác | - a = b* #x $y$ _z_ <q> & 'c' | Tiền", "16.850.363.253", "16.850.363.254") in found
    assert Change("Bảng khác", "", "Mới.") in found
    assert [c.after for c in found if c.place == ""] == ["Có 64.124 hồ sơ."]
    assert {c.place.partition(" | ")[0] for c in found} == {"", "Bảng khác", "Phụ lục của bảng"}


def test_a_column_below_0_is_explained() -> None:
    table = replace(ii06(3), notes=())
    below = (*table.rows[0][:9], Figure(Decimal(-1)), *table.rows[0][10:])
    assert explained(table) == table
    assert explained(replace(table, rows=(below, *table.rows[1:]))).notes == (CORRECTED,)


# --- XLSX ---


def test_a_workbook_has_every_number_and_formulas_for_its_sums() -> None:
    raw = io.BytesIO(as_xlsx.write(REPORT))
    values, formulas = openpyxl.load_workbook(raw, data_only=True), openpyxl.load_workbook(raw)
    assert values.sheetnames[len(REPORT.tables) + 1 :] == ["Biểu đồ"]
    for table, sheet in zip(REPORT.tables, values.worksheets[1:-1], strict=True):
        first = 2 + len(table.head_rows)
        for number, row in enumerate(table.all_rows, start=first):
            for place, cell in enumerate(row, start=1):
                found = sheet.cell(number, place).value
                if isinstance(cell, Figure) and cell.value is not None:
                    assert Decimal(repr(found)) == cell.value, (table.code, number, place)
                else:
                    assert (found or "") == text_of(cell)
    book = formulas.worksheets[1]
    assert book["C6"].value == "=D6+E6+F6" and book["C5"].value == "=D5+E5+F5" and book["K5"].value == "=L5+M5"
    assert book["D65"].value == "=SUM(D5:D64)"
    other = formulas.worksheets[2]
    assert other["C6"].value == "=ROUND(AVERAGE(C3:C5),2)" and other["D6"].value == "=SUM(D3:D5)"
    assert other["B4"].data_type == "s" and other["B4"].value == "=1+1", "a text is no formula"


def test_a_workbooks_formulas_give_the_stored_values() -> None:
    raw = io.BytesIO(as_xlsx.write(REPORT))
    values, formulas = openpyxl.load_workbook(raw, data_only=True), openpyxl.load_workbook(raw)
    tried = 0
    for stored, sheet in zip(values.worksheets, formulas.worksheets, strict=True):
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            tried += 1
            assert worked_out(str(cell.value), stored) == Decimal(repr(stored[cell.coordinate].value)), cell.value
    assert tried > 100


def worked_out(formula: str, sheet: Any) -> Decimal:
    """What a program of tables makes of it: empty cells and words are passed over, and halves go away from 0."""
    form = re.fullmatch(r"=(?:ROUND\(AVERAGE\((\w+:\w+)\),(\d)\)|SUM\((\w+:\w+)\)|(\w+(?:\+\w+)*))", formula)
    assert form, formula
    cells = [sheet[name] for name in form[4].split("+")] if form[4] else [c for (c,) in sheet[form[1] or form[3]]]
    numbers = [Decimal(repr(c.value)) for c in cells if isinstance(c.value, int | float)]
    whole = sum(numbers, Decimal(0))
    return (whole / len(numbers)).quantize(Decimal(1).scaleb(-int(form[2])), "ROUND_HALF_UP") if form[1] else whole


# --- DOCX ---


@pytest.fixture(scope="module")
def docx() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(as_docx.write(REPORT)))


def part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(f"word/{name}.xml"))


def test_a_document_has_every_cell(docx: zipfile.ZipFile) -> None:
    tables = part(docx, "document").findall(f"{W}body/{W}tbl")
    text = "".join(t.text or "" for t in part(docx, "document").iter(f"{W}t"))
    assert "Có 64.123 hồ sơ" in text and LETTERS in text and "(số liệu mô phỏng)" in text
    own = [tables[1], tables[2], tables[4]]  # beside those of the head and the signature
    for table, found in zip(REPORT.tables, own, strict=True):
        rows = [
            ["".join(t.text or "" for t in cell.iter(f"{W}t")) for cell in row.findall(f"{W}tc")]
            for row in found.findall(f"{W}tr")
        ]
        assert rows[len(table.head_rows) :] == [[text_of(cell) for cell in row] for row in table.all_rows]


def test_a_document_has_the_layout_of_the_decree(docx: zipfile.ZipFile) -> None:
    page = next(part(docx, "document").iter(f"{W}sectPr"))
    size, margin = page.find(f"{W}pgSz"), page.find(f"{W}pgMar")
    assert size is not None and margin is not None
    twips = {side: int(margin.get(f"{W}{side}", 0)) * 25.4 / 1440 for side in ("top", "bottom", "left", "right")}
    assert [round(int(size.get(f"{W}{side}", 0)) * 25.4 / 1440) for side in ("w", "h")] == [210, 297]
    assert 20 <= round(twips["top"]) <= 25 and 20 <= round(twips["bottom"]) <= 25
    assert 30 <= round(twips["left"]) <= 35 and 15 <= round(twips["right"]) <= 20
    assert page.find(f"{W}titlePg") is not None, "the first page has no number"
    headers = [part(docx, name[5:-4]) for name in docx.namelist() if re.match(r"word/header\d", name)]
    assert [mark.text for header in headers for mark in header.iter(f"{W}instrText")] == ["PAGE"]
    assert [mark.get(f"{W}val") for mark in part(docx, "document").iter(f"{W}tblHeader")] == [None] * 5
    fonts = {mark.get(f"{W}ascii") for mark in part(docx, "document").iter(f"{W}rFonts")}
    assert fonts <= {"Times New Roman"}
    normal = next(s for s in part(docx, "styles").iter(f"{W}style") if s.get(f"{W}styleId") == "Normal")
    properties = {mark.tag.removeprefix(W): mark for mark in normal.iter()}
    assert properties["rFonts"].get(f"{W}ascii") == "Times New Roman" and properties["sz"].get(f"{W}val") == "26"
    core = docx.read("docProps/core.xml").decode()
    assert re.findall(r"20\d\d-\d\d-\d\dT[0-9:]+Z", core) == ["2025-02-05T03:00:00Z"] * 2


# --- charts ---


def test_a_chart_says_what_it_shows_in_every_format(font: Path, docx: zipfile.ZipFile, pages: list[PageObject]) -> None:
    spoken = CHART.spoken
    assert "27 cột, thấp nhất 1.267 (01/01), cao nhất 2.377 (31/01)" in spoken and "mục tiêu 2.000" in spoken
    html = as_html.write(REPORT).decode()
    assert html.count('class="now"') == 27 and html.count('class="then"') == 31 and spoken.replace("&", "&amp;") in html
    (drawn,) = part(docx, "document").iter(
        "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
    )
    (png,) = [name for name in docx.namelist() if name.startswith("word/media/")]
    assert drawn.get("descr") == spoken and docx.read(png).startswith(b"\x89PNG")
    alts = [str(one["/Alt"]) for one in structure(pages[0].pdf.trailer["/Root"]["/StructTreeRoot"]) if "/Alt" in one]
    assert alts == [spoken]


def structure(node: Any) -> Iterator[Any]:
    """The elements of a tagged PDF."""
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            yield from structure(one)
    elif isinstance(node, dict):
        yield node
        yield from structure(node["/K"]) if "/K" in node else ()


def test_a_workbooks_chart_is_drawn_of_its_cells() -> None:
    raw = as_xlsx.write(REPORT)
    sheet = openpyxl.load_workbook(io.BytesIO(raw))["Biểu đồ"]
    (chart,) = sheet._charts
    first, second = (series.val.numRef.f for series in chart.series)
    assert (first, second) == ("'Biểu đồ'!$B$3:$B$33", "'Biểu đồ'!$C$3:$C$33")
    values = [(row[0].value, row[1].value, row[2].value) for row in sheet["A3:C33"]]
    assert values == [(b.label, "–" if b.now is None else b.now, b.before) for b in CHART.bars]


def test_what_a_chart_shows_otherwise_is_a_change() -> None:
    bars = (CHART.bars[0]._replace(now=Decimal(7)), *CHART.bars[1:])
    sections = (REPORT.sections[0], Section("Khác", (OTHER, replace(CHART, bars=bars))), REPORT.sections[2])
    (one,) = changes(REPORT, replace(REPORT, sections=sections))
    assert one == Change(f"{CHART.name} | 01/01 | tháng 01 năm 2025", "1.267", "7")


# --- PDF ---


def test_a_pdf_has_every_cell_and_every_letter(pages: list[PageObject]) -> None:
    text = words("".join(page.extract_text() for page in pages))
    assert [cell for cell in cells(REPORT) if words(cell) not in text] == []
    assert words(LETTERS) in text and words(LETTERS.upper()) in text
    assert "ngày05tháng02năm2025" in text and words("- a = b* #x $y$ _z_ <q> & 'c'") in text


def test_a_number_stays_within_its_column_and_takes_the_room_of_the_longest_text(font: Path) -> None:
    number, texts = Figure(Decimal(-123_456_789_012_345)), (Column("Tên", 110, "left"), Column("Đơn vị", 18, "left"))
    wide = Table("wide", "Bảng", (*texts, Column("Kỳ này", 24), Column("Kỳ trước", 24)), (("a", "b", number, number),))
    own = replace(REPORT, sections=(Section("Số", (wide,)),))
    (page,) = PdfReader(io.BytesIO(as_pdf.write(own, font))).pages
    widths = layout.widths(wide)
    begins = sorted(one.x for one in placed(page) if words(one.text) == words(number.text))
    assert len(begins) == 2 and begins[0] > (30 + sum(widths[:2])) * MM and begins[1] > (30 + sum(widths[:3])) * MM
    assert sum(widths) == pytest.approx(165, abs=0.05) and widths[1] > 16


def test_seven_digits_stay_within_each_of_thirteen_columns(font: Path) -> None:
    numbers = [Figure(Decimal(1_234_567 + 1_111_111 * n // 2)) for n in range(11)]
    table = replace(ii06(1), rows=(("1", "Phường Chơn Thành", *numbers),), total=())
    own = replace(REPORT, sections=(Section("Số", (table,)),))
    (page,) = PdfReader(io.BytesIO(as_pdf.write(own, font))).pages
    widths = layout.widths(table)
    begins = {words(one.text): one.x for one in placed(page)}
    edges = [(30 + sum(widths[: place + 2])) * MM for place in range(11)]
    outside = [n.text for n, edge in zip(numbers, edges, strict=True) if begins[words(n.text)] < edge]
    assert outside == [] and sum(widths) == pytest.approx(165, abs=0.05) and layout.size(table) >= 7
    assert layout.size(ii06(1)) == 9, "where numbers are short the letters are as they were"


def test_a_pdf_is_of_one_font_tagged_and_archivable(pages: list[PageObject]) -> None:
    found = {str(font["/BaseFont"]) for page in pages for font in fonts_of(page)}
    assert {name.partition("+")[2] for name in found} == {
        "LiberationSerif", "LiberationSerif-Bold", "LiberationSerif-Italic", "LiberationSerif-BoldItalic",
    }  # fmt: skip
    root = pages[0].pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value and root["/Lang"].startswith("vi")
    assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in root["/Metadata"].get_data()


def fonts_of(page: PageObject) -> list[dict[str, object]]:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


def test_a_pdf_has_the_margins_and_page_numbers_of_the_decree(pages: list[PageObject]) -> None:
    assert len(pages) >= 3
    hold_layout(pages)


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        ("ỦY BAN NHÂN DÂN\nTỈNH BÌNH PHƯỚC", "Kết quả tháng 01"),
        ("ỦY BAN NHÂN DÂN\nPHƯỜNG CHƠN THÀNH", "Phục vụ họp giao ban tháng 11 năm 2026 của Phường Chơn Thành"),
        ("SỞ NỘI VỤ", "Kết quả giải quyết thủ tục hành chính, cung cấp dịch vụ công trực tuyến và chuyển đổi số"),
        ("SỞ GIÁO DỤC VÀ ĐÀO TẠO", "Tình hình"),
        ("SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "Tình hình, kết quả giải quyết thủ tục hành chính quý IV năm 2026"),
    ],
)
def test_the_rules_of_the_head_are_as_long_as_the_decree_says(font: Path, issuer: str, subject: str) -> None:
    """Below the issuing body and the subject a third to a half of their width, below the motto as wide as it is."""
    own = replace(REPORT, head=replace(REPORT.head, issuer=issuer, subject=subject), sections=())
    (page,) = PdfReader(io.BytesIO(as_pdf.write(own, font))).pages
    left, right = (30 + 70 / 2) * MM, (30 + 70 + 95 / 2) * MM  # the middles of the two halves
    pieces = [one for one in placed(page) if one.y > 220 * MM]
    body = max(2 * (left - one.x) for one in pieces if words(one.text) in words(issuer))
    (motto,) = (2 * (right - one.x) for one in pieces if one.text == MOTTO)
    assert [one.size for one in pieces if one.text == NATION] == [12], "on one line"
    rules = rules_of(page)
    line = max(2 * ((30 + 165 / 2) * MM - one.x) for one in pieces if words(one.text) in words(subject))
    assert len(rules) == 3 and rules[1] == pytest.approx(motto, rel=0.03)
    assert 1 / 3 <= rules[0] / body <= 1 / 2 and 1 / 3 <= rules[2] / line <= 1 / 2
    document = part(zipfile.ZipFile(io.BytesIO(as_docx.write(own))), "document")
    cells = next(document.iter(f"{W}tbl")).iter(f"{W}tc")
    below, under = (docx_rule(cell, room - 216 / 20) for cell, room in zip(cells, (70 * MM, 95 * MM), strict=True))
    assert 1 / 3 <= below / body <= 1 / 2 and under == pytest.approx(motto * 13 / 14, rel=0.03)
    assert 1 / 3 <= docx_rule(document.find(f"{W}body"), 165 * MM) / line <= 1 / 2


def rules_of(page: PageObject) -> list[float]:
    """The lengths of the lines that are drawn on a page, in points."""
    found: list[float] = []

    def visit(operator: bytes, operands: list[Any], cm: object, tm: object) -> None:
        if operator == b"l":
            found.append(float(operands[0]))

    page.extract_text(visitor_operand_before=visit)
    return found


def docx_rule(within: ElementTree.Element | None, room: float) -> float:
    """The length in points of the only border of a paragraph that stands here, where so much room is."""
    assert within is not None
    (own,) = (p for p in within.findall(f"{W}p/{W}pPr") if p.find(f"{W}pBdr") is not None)
    indent = own.find(f"{W}ind")
    return (
        room - sum(int(indent.get(f"{W}{side}", 0)) for side in ("left", "right")) / 20 if indent is not None else room
    )


def test_the_head_of_a_table_stands_on_every_page_and_no_row_over_another(pages: list[PageObject]) -> None:
    rows = [words(page.extract_text()) for page in pages]
    spread = [text for text in rows if re.search(r"Phườngsố\d", text)]
    assert len(spread) >= 2 and all("(1)(2)(3)" in text for text in spread)
    for page in pages:
        names = sorted(one.y for one in placed(page) if one.text.startswith("Phường"))
        assert all(above - below > 9 for below, above in pairwise(names))


def test_version_1_of_the_font_which_lacks_letters_is_not_taken(font: Path, tmp_path: Path) -> None:
    for face in fonts.FACES:
        (tmp_path / face).write_bytes((font / face).read_bytes())
    assert fonts.is_whole(tmp_path)
    raw = bytearray((tmp_path / fonts.FACES[0]).read_bytes())
    place = raw.index(b"head")
    offset = int.from_bytes(raw[place + 8 : place + 12], "big")
    raw[offset + 4 : offset + 8] = (1 << 16).to_bytes(4, "big")
    (tmp_path / fonts.FACES[0]).write_bytes(raw)
    assert not fonts.is_whole(tmp_path)
