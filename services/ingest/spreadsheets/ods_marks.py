"""What an ODS says beside its values, as `marks` tells it of XLSX."""

from __future__ import annotations

from services.ingest.spreadsheets.box import ERROR, Box, Marks, check_area, parse
from services.ingest.spreadsheets.limits import MOST_COLUMNS, MOST_ROWS, TooLarge


def read(box: Box) -> dict[str, Marks]:
    """Sheet -> its marks."""
    found: dict[str, Marks] = {}
    at = {"row": 0, "column": 0, "rows": 1, "widest": 0, "columns": 0}
    marks, name = Marks(), ""
    raised, style = set[str](), ""
    wrong, says = list[tuple[int, int]](), ""
    """The cells of an error that is told just now, and its text so far."""

    def start(tag: str, has: dict[str, str]) -> None:
        nonlocal marks, name, style
        if any(key.endswith(":value-type") and value == "error" for key, value in has.items()):
            has = {**has, "value-type": "error"}
        has = {key.rpartition(":")[2]: value for key, value in has.items()}
        if tag == "table":
            name = has.get("name", "")
            marks = found.setdefault(name, Marks())
            at.update(row=0, widest=0, columns=0)
        elif tag == "table-column":
            repeated = int(has.get("number-columns-repeated", 1))
            if has.get("visibility", "visible") != "visible":
                marks.hidden_columns.update(range(at["columns"], min(at["columns"] + repeated, MOST_COLUMNS)))
            at["columns"] += repeated
        elif tag == "style":
            style = has.get("name", "")
        elif tag == "text-properties" and has.get("text-position", "").startswith("super"):
            raised.add(style)
        elif tag == "span" and has.get("style-name") in raised:
            marks.raised.add((at["row"], at["column"] - 1))
        elif tag == "table-row":
            at.update(column=0, rows=int(has.get("number-rows-repeated", 1)))
            if has.get("visibility", "visible") != "visible" and at["rows"] <= MOST_ROWS:
                marks.hidden_rows.update(range(at["row"], at["row"] + at["rows"]))
        elif tag in ("table-cell", "covered-table-cell"):
            cell(has)

    def cell(has: dict[str, str]) -> None:
        nonlocal wrong, says
        width = int(has.get("number-columns-repeated", 1))
        if "value-type" in has and (at["row"] + at["rows"] > MOST_ROWS or at["column"] + width > MOST_COLUMNS):
            raise TooLarge(at["row"] + at["rows"])
        if "value-type" in has:
            at["widest"] = max(at["widest"], at["column"] + width)
            check_area(at["row"] + at["rows"], at["widest"], name)
        rows = range(at["row"], at["row"] + (at["rows"] if "value-type" in has else 1))
        places = [(row, at["column"] + step) for row in rows for step in range(min(width, MOST_COLUMNS))]
        if has.get("value-type") == "percentage":
            marks.percent.update(places)
        elif has.get("value-type") == "error":
            wrong, says = places, ""
        if (high := int(has.get("number-rows-spanned", 1))) > 1:
            corner = at["row"] + high - 1, at["column"] + int(has.get("number-columns-spanned", 1)) - 1
            marks.merged.append(((at["row"], at["column"]), corner))
        if "formula" in has and not has.get("value-type"):
            marks.unstored.update(places)
        at["column"] += width

    def text(part: str) -> None:
        nonlocal says
        if wrong:
            says += part

    def end(tag: str) -> None:
        nonlocal wrong
        if tag == "table-row":
            at["row"] += at["rows"]
        elif wrong and tag == "table-cell":
            marks.errors.update(dict.fromkeys(wrong, says.strip() or ERROR))
            wrong = []

    parse(box, "content.xml", start, end, text)
    return found
