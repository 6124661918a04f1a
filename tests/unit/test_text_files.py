"""Text files as people's machines write them."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from infra.local.paths import CHECKOUT
from schemas import calendar, units
from schemas.text import files
from services.cli.people import _piped
from services.cli.quarantine import _text
from services.ingest.event_files import Splitter
from services.kit.settings import Settings
from services.notifier import routes

TEXT = "tên,số\nĐồng Xoài,1\n"
TABLE = "code;level;name_vi;name_en;parent;valid_from;valid_to;successors;spellings"
ROUTES = '[people.an]\nname = "An"\nchannels = [{ url = "json://localhost" }]\n'


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode("utf-8-sig"),
        TEXT.replace("\n", "\r").encode(),
        TEXT.encode() + b"\x1a",
        TEXT.encode() + b"\x1a\r\n",
        TEXT.encode() + b"\0\0\0",
        TEXT.encode("utf-8-sig").replace(b"\n", b"\n\xef\xbb\xbf", 1),
        files.BOM * 2 + TEXT.encode().replace(b",", b"," + files.BOM),
    ],
)
def test_marks_and_line_ends_of_other_systems_are_no_text(raw: bytes) -> None:
    assert files.decode(raw, "a.csv") == TEXT


@pytest.mark.parametrize("raw", [b"", b"\xef\xbb\xbf", b"\x1a", b"\r\n"])
def test_an_empty_file_is_empty(raw: bytes) -> None:
    assert not files.decode(raw, "a.csv")
    with pytest.raises(files.Unreadable, match=r"a\.csv is empty"):
        list(files.rows(files.decode(raw, "a.csv").splitlines(), "a.csv", ("code",)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_named_with_what_to_do(encoding: str) -> None:
    with pytest.raises(files.Unreadable, match=r"a\.csv is saved as UTF-(16|32); save it as UTF-8"):
        files.decode(TEXT.encode(encoding), "a.csv")
    assert files.wide_encoding('{"specversion": "1.0"}'.encode(encoding))


@pytest.mark.parametrize(("page", "text"), [("1258", "Đường Ngô Quyền"), ("1252", "café £5")])
def test_a_code_page_is_named_with_its_line(page: str, text: str) -> None:
    raw = b"first\nsecond " + _bytes(text, f"cp{page}") + b"\n"
    with pytest.raises(files.Unreadable, match=rf"a\.toml, line 2: the byte 0x.. is no UTF-8.*code page {page}"):
        files.decode(raw, "a.toml")


def _bytes(text: str, page: str) -> bytes:
    """Windows writes tones as letters of their own in code page 1258."""
    import unicodedata

    loose = unicodedata.normalize("NFD", text)
    for base in ("a\u0306", "a\u0302", "e\u0302", "o\u0302", "o\u031b", "u\u031b"):
        loose = loose.replace(base, unicodedata.normalize("NFC", base))
    return (loose if page == "cp1258" else text).encode(page)


def test_a_nul_in_the_midst_is_named() -> None:
    with pytest.raises(files.Unreadable, match="line 2: a NUL byte"):
        files.decode(b"abcdef\nab\0cd\nefgh\n", "a.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("before", ["", "sep=X\n", "\n"])
def test_a_table_is_read_by_the_names_of_its_columns(separator: str, before: str) -> None:
    text = before.replace("X", separator) + f'"Code"X Name VI X"x"\n\na X "b{separator}c" X\n'.replace("X", separator)
    (found,) = files.rows(text.splitlines(), "a.csv", ("code", "name_vi"))
    assert found[1] == {"code": "a", "name_vi": f"b{separator}c", "x": ""}
    assert found[0] == text.count("\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("code,level\na,b,c\n", "row 2: 3 cells under 2 columns"),
        ("code\na\n", "row 1: the column level is missing; the row has code"),
        ("code,Level,LEVEL\n", "the column level is there twice"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_row(text: str, why: str) -> None:
    with pytest.raises(files.Unreadable, match=why):
        list(files.rows(text.splitlines(), "a.csv", ("code", "level")))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_cell_with_a_line_break_is_one_line_and_other_marks_break_none(end: str) -> None:
    text = f'code;name{end}a;"Phường{end}An Lộc"{end}b;x\u2028y{end}c;z\x0b{end}'
    found = list(files.rows(files.lines(files.decode(text.encode(), "a.csv")), "a.csv", ("code", "name")))
    assert found == [
        (3, {"code": "a", "name": "Phường An Lộc"}), (4, {"code": "b", "name": "x y"}), (5, {"code": "c", "name": "z"})
    ]  # fmt: skip


def test_a_quote_without_its_other_half_swallows_no_rows() -> None:
    with pytest.raises(files.Unreadable, match=r"row 3: a quote \(\"\) begins there and never ends"):
        list(files.rows(files.lines('code,name\nz,y\na,"x\nb,y\n'), "a.csv", ("code", "name")))


@pytest.mark.parametrize(
    ("begin", "kind"), [(b"PK\x03\x04", "XLSX"), (b"\xd0\xcf\x11\xe0", "XLS"), (b"\x1f\x8b", "GZIP")]
)
def test_what_is_no_text_is_named(begin: bytes, kind: str) -> None:
    with pytest.raises(files.Unreadable, match=rf"a\.csv is an? {kind}"):
        files.decode(begin + bytes(range(256)), "a.csv")


def test_units_of_a_spreadsheet_are_read() -> None:
    rows = [TABLE.upper(), 'xa_thu;commune;Xã Thử;Thu Commune;;01/07/2025;;"a;b";']
    (unit,) = units.read_units(rows)
    assert (unit.valid_from, unit.successors) == (units.get("dong_nai").valid_from, ("a", "b"))


def test_days_of_a_spreadsheet_are_read() -> None:
    assert calendar.read_overrides(["Day;Working;Name_VI;Status", "02/01/2026;0;Nghỉ;official"])


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_routes_secrets_and_addresses_may_have_a_mark(tmp_path: Path, mark: bytes) -> None:
    table, secret = tmp_path / "routes.toml", tmp_path / "cli"
    table.write_bytes(mark + ROUTES.replace("\n", "\r\n").encode())
    secret.write_bytes(mark + b"word\r\n")
    assert list(routes.load(table).people) == ["an"]
    assert Settings(secrets=tmp_path).password("cli") == "word"
    assert routes.Channel(url_file="cli").address(tmp_path) == "word"


def test_routes_in_another_encoding_are_named(tmp_path: Path) -> None:
    table = tmp_path / "routes.toml"
    table.write_bytes(ROUTES.encode("utf-16"))
    with pytest.raises(routes.BadRoutes, match="UTF-16"):
        routes.load(table)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("text", [b'{"a":1}\r\n{"b":2}\r\n', b'[{"a":1},\r\n{"b":2}]'])
def test_events_of_windows_are_records(text: bytes, size: int) -> None:
    splitter, raw = Splitter(100), files.BOM + text + b"\x1a"
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    found = [r.raw.strip() for chunk in chunks for r in splitter.feed(chunk)]
    assert [*found, *(r.raw for r in splitter.close())] == [b'{"a":1}', b'{"b":2}']


def test_files_that_were_appended_to_each_other_are_records() -> None:
    splitter = Splitter(100)
    found = [*splitter.feed(files.BOM + b"{}\n\x1a" + files.BOM + b"[{}]\n\x1a"), *splitter.close()]
    assert [record.raw for record in found] == [b"{}", b"{}"]


def test_no_code_but_the_reader_reads_texts_of_people() -> None:
    reads = re.compile(r"csv\.(DictReader|reader)|tomllib\.loads\([a-z_]+\.read_text")
    sources = [file for room in ("services", "schemas") for file in (CHECKOUT / room).rglob("*.py")]
    found = {str(file.relative_to(CHECKOUT)) for file in sources if reads.search(file.read_text("utf-8"))}
    assert found <= {
        "schemas/text/files.py", "services/simulator/november_2024/tables.py", "services/board/ui/words.py",
        "services/board/ui/phrases.py",
    }  # fmt: skip


def test_a_password_from_a_pipe_of_windows_is_the_password() -> None:
    assert _piped(files.BOM + "mật khẩu dài\r\n".encode()) == "mật khẩu dài"
    with pytest.raises(click.ClickException, match="UTF-16"):
        _piped("mật khẩu dài\r\n".encode("utf-16"))


def test_a_mended_event_of_windows_is_read(tmp_path: Path) -> None:
    mended = tmp_path / "mended.json"
    mended.write_bytes(files.BOM + b'{"a": 1}\r\n\x1a')
    with mended.open("rb") as file:
        assert _text(file) == b'{"a": 1}\n'
