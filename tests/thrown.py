"""What is thrown at the doors by chance: events, dossiers and reports with a few things changed, among them whatever is
of a person in any spelling; and what must be true of each answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import httpx
from hypothesis import strategies as st

from schemas import contracts, personal

NAME, WARD = "fuzzed", "phuong_chon_thanh"
EVENTS = [
    {**json.loads(text), "source": f"/{NAME}/x"} for texts in contracts.samples().values() for text in texts.values()
]
DOSSIER: dict[str, Any] = {
    "MaHoSo": "H19.99-261109-0001",
    "MaTTHC": "2.000815",
    "TenLinhVuc": "Chứng thực",
    "KenhThucHien": "2",
    "NgayTiepNhan": "09/11/2026 09:00",
    "NgayHenTra": "12/11/2026 17:00",
    "TrangThaiHoSo": "4",
    "DonViXuLy": "Phường Chơn Thành",
}
REPORT = {
    "service_code": "lighting",
    "lat": "11.4123",
    "long": "106.6543",
    "jurisdiction_id": WARD,
    "address_string": "Công viên Chơn Thành",
    "description": "Đèn tắt",
    "phone": "x",
    "attribute[priority]": "urgent",
    "attribute[client_id]": "7",
}

SCRIPTS = st.sampled_from([0x30, 0x660, 0x966, 0xFF10, 0x1D7CE])
GAPS = st.sampled_from(["", " ", ".", "-", " . ", "\u2009", "\u200b", "/"])

DRAWN: set[str] = set()
"""All numbers of a person that were drawn."""


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """What is of a person, as people write it, in any script."""
    number = draw(st.sampled_from(["0912345678", "84912345678", "079304001234", "an.nguyen@example.vn", "51A-123.45"]))
    size, script, gap = draw(st.sampled_from([2, 3, 4, 12])), draw(SCRIPTS), draw(GAPS)
    if number.isdecimal():
        number = gap.join(number[i : i + size] for i in range(0, len(number), size))
        number = "".join(chr(script + int(char)) if "0" <= char <= "9" else char for char in number)
    text = draw(st.sampled_from(["{}", "Liên hệ {} trước 17 giờ", "PA-{}", "x/{}"])).format(number)
    number, text = (number, text) if personal.find(text) else ("0912345678", "0912345678")
    DRAWN.add(number)
    return text


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**40), 10**40), st.floats(), st.text(max_size=30),
    st.sampled_from(["", "0", "-1", "1e400", "NaN", "2026-02-30", "31/02/2026 25:61", "\x00", "\ud7ff", "x" * 5000]),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)),
)  # fmt: skip
VALUES = st.one_of(numbers(), JUNK)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every object or array in a value, with each of its keys but a payment's number, a bank's own, which no door looks
    into."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    keys = [key for key in keys if key != "transaction"]
    return [place for key in keys for place in ((value, key), *places(value[key]))]


@st.composite
def changed(draw: st.DrawFn, base: list[dict[str, Any]]) -> dict[str, Any]:
    """One of these with a few things changed, taken away or added."""
    value = deepcopy(draw(st.sampled_from(base)))
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(places(value) or [(value, "x")]))
        match draw(st.sampled_from(["set", "set", "drop", "add"])):
            case "drop" if key in holder or isinstance(holder, list):
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(st.one_of(numbers(), st.text(max_size=10)))] = draw(VALUES)
            case _:
                holder[key] = draw(VALUES)
    return value


@st.composite
def spoiled(draw: st.DrawFn, whole: bytes) -> bytes:
    """As it is, or with bytes cut, put in or twisted."""
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at, end = sorted((draw(st.integers(0, len(whole))), draw(st.integers(0, len(whole)))))
        whole = draw(st.sampled_from([
            whole[:at] + whole[end:], whole[:at], whole[:end] + whole[at:],
            whole[:at] + draw(st.binary(max_size=4)) + whole[at:],
        ]))  # fmt: skip
    return whole


@st.composite
def written(draw: st.DrawFn, base: list[dict[str, Any]]) -> bytes:
    """One of these, changed, as JSON."""
    text = json.dumps(draw(changed(base)), ensure_ascii=draw(st.booleans()))
    return draw(spoiled(text.encode(errors="surrogatepass")))


def several(base: list[dict[str, Any]], between: bytes) -> st.SearchStrategy[bytes]:
    return st.lists(written(base), max_size=5).map(between.join)


# --- what must be true ---


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for part in pair for text in texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in texts(part))


def answered(answer: httpx.Response) -> Any:
    """What is answered: a status that is documented, with a reason for each refusal."""
    said = answer.json() if "json" in answer.headers["content-type"] else answer.text
    assert answer.status_code in (200, 202, 400, 403, 404, 413, 415, 422), answer.text
    items = [said] if not isinstance(said, dict) else [*said.get("items", []), *([] if "items" in said else [said])]
    for item in (one for one in items if isinstance(one, dict) and one.get("status", answer.status_code) >= 400):
        assert item["code"] and all(item["reasons"]) and item["reasons"], answer.text
    if answer.status_code >= 400 and isinstance(said, str | list):
        assert "description" in answer.text
    return said
