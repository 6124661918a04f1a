"""The forms are data: each can be read, gives events that exist, and states what the catalogue shows."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from infra.local.paths import CHECKOUT
from schemas.registry import DATA_TYPES
from services.cli.app import main
from services.ingest.spreadsheets import blank, reading, workbook
from services.ingest.spreadsheets.form import Said
from services.ingest.spreadsheets.names import stated
from services.ingest.spreadsheets.template import Template, read, templates

EVENTS = {data.event: data for data in DATA_TYPES.values()}
STATED = {code for _, code in stated()}


@pytest.fixture(params=templates())
def template(request: pytest.FixtureRequest) -> Template:
    return templates()[request.param]


def test_its_events_have_the_fields_that_it_fills(template: Template) -> None:
    assert template.events and template.title
    for spec in template.events:
        kind = EVENTS[spec.event]
        filled = {*spec.data, "day", "period_start", "period_end"}
        assert set(spec.data) <= kind.model_fields.keys()
        assert [name for name, field in kind.model_fields.items() if field.is_required() and name not in filled] == []
        assert template.figures(spec), "an event without a figure says nothing"


def test_what_it_states_is_shown_by_the_catalogue(template: Template) -> None:
    named = {spec.data.get("indicator", "$") for spec in template.events}
    assert {code for code in named if not code.startswith("$")} <= STATED
    assert set(template.called.values()) <= STATED


def test_each_column_is_read_for_something(template: Template) -> None:
    used = {name for spec in template.events for name in spec.columns()}
    beside = {column.name for column in template.columns if column.kind in ("unit", "measure", "date", "period")}
    assert {column.name for column in template.columns} <= used | beside


def test_the_page_of_workbooks_names_it(template: Template) -> None:
    page = (CHECKOUT / "docs/spreadsheets.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{template.name}` \|.*\|$", page, re.MULTILINE)
    assert all(spec.event in row for spec in template.events)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vi = 'a'", "template x: 'columns'"),
        ("nonsense", "template x:"),
        ("COLUMNS = 1", "COLUMNS: no such word of a template"),
        ("sums = [{ total = 'a', parts = ['b'] }]", "a, b: no such column"),
    ],
)
def test_what_is_wrong_in_a_form_is_said(text: str, said: str) -> None:
    whole = "vi = 'a'\nen = 'a'\ntitle = []\ncolumns = [{ name = 'c', kind = 'count' }]\nevents = []\n"
    text = text if text.startswith(("vi", "nonsense")) else f"{text}\n{whole}"
    with pytest.raises(ValueError, match=re.escape(said)):
        read("x", text)
    assert read("x", whole).column("c").kind == "count"


# --- empty workbooks ---

FILLED = {
    "unit": "Phường Chơn Thành", "count": 5, "money": 20000, "share": 97.5, "number": 3.5, "date": date(2025, 10, 31),
    "yes_no": "Đạt", "code": "Trạm y tế", "measure": "", "choice": "Tiểu học", "indicator": "",
}  # fmt: skip


def test_an_empty_workbook_filled_in_is_read_without_a_question(template: Template, tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    blank.write(template, file, date(2025, 11, 15))
    book = load_workbook(file)
    sheet = book.worksheets[0]
    assert book.sheetnames == ["Biểu", "Đơn vị"]
    sheet["C2"] = "Ngày 31/10/2025" if template.of == "day" else "Tháng 10 năm 2025"
    columns = [
        column for column in template.columns if not column.implied and (column.required or column.kind != "unit")
    ]
    names = iter(template.called)
    for place, column in enumerate(columns, start=1):
        value = FILLED[column.kind]
        if column.kind == "indicator":
            value = next(names, "Doanh nghiệp thành lập mới")
        sheet.cell(sheet.max_row if place > 1 else sheet.max_row + 1, place, value)
    book.save(file)
    sheets = reading.modern(workbook.read_file(file))
    form = reading.read(sheets, reading.recognise(sheets, "a"), Said(unit="phuong_chon_thanh"), "a")
    assert (form.template, form.questions) == (template, [])
    assert len(form.rows) == 1 and form.rows[0].unit == "phuong_chon_thanh"
    figures = [value for value in form.rows[0].values.values() if isinstance(value, Decimal)]
    assert len(figures) == sum(column.kind in ("count", "money", "share", "number") for column in columns)


def test_its_cells_take_only_what_they_mean_and_its_units_are_those_of_the_day(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    blank.write(templates()["online_payment"], file, date(2025, 11, 15))
    book = load_workbook(file)
    rules = {
        str(rule.sqref): (rule.type, rule.operator, rule.formula1)
        for rule in book["Biểu"].data_validations.dataValidation
    }
    units_listed = [row[0].value for row in book["Đơn vị"].iter_rows()]
    assert "Phường Chơn Thành" in units_listed and "Thị xã Chơn Thành" not in units_listed
    assert rules["A6:A205"] == ("list", None, f"'Đơn vị'!$A$1:$A${len(units_listed)}")
    assert rules["B6:B205 D6:D205" if "B6:B205 D6:D205" in rules else "B6:B205"][0] == "whole"


def test_the_command_lists_the_forms_and_never_writes_over_a_file(tmp_path: Path) -> None:
    listed = CliRunner().invoke(main, ["template"]).stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(templates())
    file = tmp_path / "a.xlsx"
    assert CliRunner().invoke(main, ["template", "ii06", str(file)]).exit_code == 0
    again = CliRunner().invoke(main, ["template", "ii06", str(file)])
    assert again.exit_code == 1 and "is there already: name another file" in again.stderr
    assert "no template 'x'; there are:" in CliRunner().invoke(main, ["template", "x"]).stderr
