"""Files that are no workbook, or one that cannot be read: each is named, with what to do. And how much is too much."""

from __future__ import annotations

import io
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from sheets import Page, ods, text_table, xls, xlsx

from bench import workbooks
from services.ingest.spreadsheets import limits, workbook


def refused(raw: bytes) -> str:
    with pytest.raises(workbook.NoWorkbook) as refusal:
        workbook.read(raw, "a.xlsx")
    return str(refusal.value)


def packed(**files: str) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return box.getvalue()


def with_file(raw: bytes, name: str, text: bytes) -> bytes:
    box = io.BytesIO(raw)
    with zipfile.ZipFile(box, "a") as archive:
        archive.writestr(name, text)
    return box.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "a.xlsx is empty"),
        (b"\xef\xbb\xbf\r\n", "a.xlsx is empty"),
        (b"%PDF-1.7", "a.xlsx is a PDF and no workbook"),
        (b"\x89PNG\r\n", "a.xlsx is a picture and no workbook"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "is a page of HTML or XML under the name of a workbook"),
        (b"PK\x03\x04 cut short", "a.xlsx is damaged or no workbook"),
        (xlsx(Page([["a"]]))[:-400], "a.xlsx is damaged or no workbook"),
        (packed(a="text"), "a.xlsx is a ZIP file without sheets and no workbook"),
        (packed(word__document="x", **{"word__document.xml": "<a/>"}), "a.xlsx is a Word document and no workbook"),
        (packed(**{"xl__workbook.bin": "x"}), "a.xlsx is an XLSB; open it in Excel or LibreOffice and save it as XLSX"),
        (with_file(xlsx(Page([["a"]])), "xl/vbaProject.bin", b"x"), "a.xlsx carries macros: save it as XLSX without"),
        (OLE + "_VBA_PROJECT_CUR".encode("utf-16-le"), "a.xlsx carries macros: save it as XLSX without"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.xlsx is locked with a password: save it without one"),
        (OLE + "WordDocument".encode("utf-16-le"), "a.xlsx is a Word document and no workbook"),
        (OLE, "a.xlsx is damaged or no workbook"),
        (xlsx(Page([])), "a.xlsx has no cell with anything in it"),
        (b";;\r\n;;\r\n", "a.xlsx has no cell with anything in it"),
        (b'"a;b\n', 'a quote (") begins and never ends'),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_named_with_what_to_do(raw: bytes, said: str) -> None:
    assert said in refused(raw)


def test_a_locked_ods_is_named() -> None:
    raw = with_file(ods(Page([["a"]])), "x", b"")
    box = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(box, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(
                name, text.replace(b"</manifest:manifest>", b"<manifest:encryption-data/></manifest:manifest>")
            )
    assert refused(box.getvalue()) == "a.xlsx is locked with a password: save it without one, then import it"


def test_more_rows_than_are_read_are_named() -> None:
    lines = text_table(Page([["a", "b"], *([n, n] for n in range(limits.MOST_ROWS))]))
    assert refused(lines) == "a.xlsx: the table reaches to row 100,001; at most 100,000 are read: send it in parts"
    box = io.BytesIO()
    with xlsxwriter.Workbook(box) as book:
        sheet = book.add_worksheet("Xa")
        sheet.write(0, 0, "a")
        sheet.write(1_000_000, 0, "a cell far below, for which a reader would make a million rows")
    assert "the sheet 'Xa' reaches to row 1,000,001" in refused(box.getvalue())
    box = io.BytesIO()
    with xlsxwriter.Workbook(box) as book:
        book.add_worksheet("Xa").write(0, 16_000, "a")
    assert "has a cell in column 16001 of the sheet 'Xa': delete what is there" in refused(box.getvalue())


def far(rows: int, columns: int) -> bytes:
    """A sheet with one cell in its first row and one far away."""
    box = io.BytesIO()
    with xlsxwriter.Workbook(box) as book:
        sheet = book.add_worksheet("Xa")
        sheet.write(0, columns - 1, "a")
        sheet.write(rows - 1, 0, "a")
    return box.getvalue()


def repeated(rows: int, columns: int) -> bytes:
    """The same as an ODS that says a cell once for so many."""
    said = {b"<table:table-row>": b"rows", b"<table:table-cell ": b"columns"}
    with zipfile.ZipFile(io.BytesIO(ods(Page([["a"]])))) as box:
        parts = {name: box.read(name) for name in box.namelist()}
    for (begin, what), number in zip(said.items(), (rows, columns), strict=True):
        more = b' table:number-%s-repeated="%d"' % (what, number)
        parts["content.xml"] = parts["content.xml"].replace(begin, begin.rstrip(b" >") + more + begin[-1:], 1)
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return box.getvalue()


@pytest.mark.parametrize("made", [far, repeated])
def test_a_few_bytes_that_ask_for_millions_of_cells_are_refused(made: Callable[[int, int], bytes]) -> None:
    assert "reaches to row 90,000 and column 290 in the sheet" in refused(made(90_000, 290))
    assert workbook.read(made(4, 290), "a.xlsx")[0].rows


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"a;" + b"b" * 200_000 + b"\nc;d\n", "a.xlsx is no table: field larger than field limit"),
        (b"a\n" * 1_000_001, "the table reaches to row 1,000,001"),
        (b"a\r" * 1_000_001, "the table reaches to row 1,000,001"),
    ],
)
def test_a_csv_that_is_none_or_endless_is_refused_before_it_is_taken_apart(raw: bytes, why: str) -> None:
    assert why in refused(raw)


def test_a_file_that_unpacks_to_more_than_a_workbook_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = packed(**{"xl__workbook.xml": "0" * 3 * 2**20})
    monkeypatch.setattr("services.ingest.spreadsheets.marks.MOST_UNPACKED", 2 * 2**20)
    assert "unpacks to 3 MB" in refused(raw)
    monkeypatch.setattr("services.ingest.spreadsheets.workbook.MOST_BYTES", 10)
    assert "is larger than" in refused(raw)


def test_a_file_whose_bytes_are_twisted_is_damaged_wherever_that_is() -> None:
    """Found by thrown bytes: the place of a part lies before the file's beginning."""
    raw = xlsx(Page([["a"]]))
    part = raw.index(b"xl/_rels/workbook.xml.rels") - 30  # its head lies before its name
    assert "is damaged" in refused(raw[:2] + raw[part + 3 :])


@pytest.mark.parametrize("twisted", [{1722: 255}, {760: 0, 3613: 53}])
def test_an_old_workbook_that_would_end_its_reader_is_damaged(twisted: dict[int, int]) -> None:
    """Found by thrown bytes: a table of 680 GB, which ends the process, and a place in nothing, which panics."""
    head, row = ["Đến ngày", "Đơn vị", "Cơ sở", "Lượt khám"], ["20/11/2026", "Phường Chơn Thành", "Trạm y tế", "41"]
    raw = bytearray(xls(Page([["Khám chữa bệnh"], head, row])))
    for place, byte in twisted.items():
        raw[place] = byte
    assert "is damaged or no workbook" in refused(bytes(raw))


def test_an_old_workbook_that_asks_for_more_without_end_is_damaged_before_it_has_all() -> None:
    """Found by thrown bytes: a chain of sectors that leads to itself, in six kilobytes."""
    raw = xls(Page([["a"]]))
    assert "is damaged or no workbook" in refused(raw[:512] + bytes(16) + raw[512:])
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert most < 2 * limits.OPENED_MEMORY


def test_entities_that_grow_without_end_are_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    ) + "]><workbook>&j;</workbook>"  # fmt: skip
    assert "is damaged or no workbook" in refused(packed(**{"xl__workbook.xml": bomb}))


def test_sheets_keep_their_names_and_places() -> None:
    pages = (Page([[], ["", "x"]], name="Trang 1"), Page([["y"]], name="Trang 2"))
    for write in (xlsx, xls, ods):
        sheets = workbook.read(write(*pages), "a")
        assert [sheet.name for sheet in sheets] == ["Trang 1", "Trang 2"]
        assert sheets[0].value(workbook.Cell(1, 1)) == "x" and sheets[0].value(workbook.Cell(9, 9)) == ""
    assert [workbook.letters(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
    assert workbook.Cell(6, 3).name == "D7"


def test_fifty_thousand_rows_are_read_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "kham.xlsx"
    workbooks.write(file, 50_000)
    took = workbooks.dry_run(file)
    assert "50,000 rows" in took.said and "100,000 events" in took.said
    assert took.mib < 300
