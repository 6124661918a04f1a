"""A report as a program posts it: what an event may hold of it is taken, the rest is refused or dropped."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import pytest

from schemas import personal
from schemas.codes import OPEN311, masked
from schemas.keys import Bounds
from schemas.types import REFERENCE
from services.ingest.open311 import submissions
from services.ingest.open311.submissions import Submission
from services.ingest.router import Refused

WARD = "phuong_chon_thanh"
KEY = Bounds("app-phan-anh", "/app-phan-anh", ("field",), (WARD,))
GOOD = {"service_code": "lighting", "lat": "11.412345678", "long": "106.65"}


def read(mark: str = "", bounds: Bounds = KEY, **said: str) -> Submission:
    return submissions.read({name: value for name, value in (GOOD | said).items() if value}, bounds, mark)


def refusal(bounds: Bounds = KEY, **said: str) -> Refused:
    with pytest.raises(Refused) as caught:
        read(bounds=bounds, **said)
    return caught.value


def test_a_report_becomes_the_fields_of_the_event() -> None:
    report = read(**{"attribute[priority]": "urgent", "address_string": "Công viên Chơn Thành"})
    assert report.unit == WARD and not report.notices and not report.dropped
    assert report.data == {
        "channel": "app",
        "category": "lighting",
        "priority": "urgent",
        "place": "Công viên Chơn Thành",
        "latitude": 11.41235,
        "longitude": 106.65,
    }


def test_what_is_of_a_person_is_dropped_and_nothing_of_it_is_left() -> None:
    said = {"first_name": "Nguyễn", "phone": "0912345678", "email": "an@example.vn", "description": "gọi 0912 345 678"}
    report = read(**said)
    assert set(report.dropped) == {"first_name", "phone", "email"}
    assert report.notices == (submissions.NOT_KEPT, submissions.IT_WAS_PERSONAL, submissions.PERSON_DROPPED)
    assert not [value for value in said.values() if value in repr(report)]


@pytest.mark.parametrize(
    ("place", "public"),
    [
        ("Công viên Chơn Thành", True),
        ("Quốc lộ 13", True),
        ("Đường số 7, khu phố 3", True),
        ("Cột đèn số 15, đường Nguyễn Huệ", False),
        ("Cột số 15, đường Nguyễn Huệ", True),
        ("Hẻm 5, đường Phùng Hưng", True),
        ("Nhà văn hóa ấp 2", True),
        ("12/3A Nguyễn Huệ", False),
        ("12 Nguyễn Huệ", False),
        ("Phường Chơn Thành, 12 Nguyễn Huệ", False),
        ("số nhà 5", False),
        ("Số 5 Nguyễn Huệ", False),
        ("trước nhà ông Nam", False),
        ("căn hộ B2", False),
        ("gọi 0912 345 678", False),
        ("a" * 121, False),
        ("", False),
    ],
)
def test_only_a_public_place_is_kept(place: str, public: bool) -> None:
    assert submissions.public_place(place) == (place if public else None)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://anh.example.org/2026/a.jpg", True),
        ("https://anh.example.org:8443/a?id=x-17", True),
        ("http://anh.example.org/a.jpg", False),
        ("javascript:alert(1)", False),
        ("https://anh.example.org/a b.jpg", False),
        ("https://an:mat-khau@example.org/a.jpg", False),
        ("https://anh.example.org/0912345678.jpg", False),
        ("https://anh.example.org/" + "a" * 500, False),
        ("ảnh chụp tối qua", False),
    ],
)
def test_of_a_photo_an_address_that_everybody_may_read_is_kept_and_the_report_stands(address: str, kept: bool) -> None:
    report = read(media_url=address)
    assert report.photo == (address if kept else None)
    assert (submissions.PHOTO_DROPPED in report.notices) is not kept


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"lat": ""}, "long:"),
        ({"lat": "11,4"}, "lat:"),
        ({"lat": "nan"}, "lat:"),
        ({"lat": "", "long": ""}, "lat and long"),
        ({"lat": "", "long": "", "address_string": "12 Nguyễn Huệ"}, "public place"),
        ({"service_code": ""}, "service_code"),
        ({"attribute[priority]": "now"}, "attribute[priority]: there are urgent, normal"),
        ({"attribute[colour]": "red"}, "attribute[colour]: is not expected"),
        ({"full_name": "Nguyễn"}, "full_name: is not expected"),
        ({"attribute[client_id]": "x" * 201}, "client_id"),
    ],
)
def test_what_no_event_can_hold_is_refused_with_its_name(said: dict[str, str], names: str) -> None:
    refused = refusal(**said)
    assert refused.status == 400 and names in refused.problem.reasons[0]
    assert "Nguyễn" not in str(refused.problem)


def test_an_unknown_service_or_unit_is_not_found() -> None:
    assert refusal(service_code="dragons").status == 404
    assert refusal(jurisdiction_id="nowhere").status == 404


def test_the_unit_is_the_one_that_is_named_or_the_only_one_of_the_key() -> None:
    both = Bounds("k", "/k", ("field",), (WARD, "phuong_binh_long"))
    assert read(bounds=both, jurisdiction_id="phuong_binh_long").unit == "phuong_binh_long"
    for bounds in (both, Bounds("k", "/k", ("field",))):
        refused = refusal(bounds=bounds)
        assert refused.status == 400 and "jurisdiction_id" in refused.problem.reasons[0]


@pytest.mark.parametrize(
    "body", [b"\xff=1", b"lat=%ff", b"lat", b"lat=1&lat=2", urlencode([(f"f{n}", "1") for n in range(101)]).encode()]
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        submissions.fields(body)
    assert caught.value.status == 400


def test_a_form_is_read_and_what_is_empty_left_out() -> None:
    said = {"service_code": "road", "address_string": "Chợ Chơn Thành", "phone": ""}
    assert submissions.fields(urlencode(said).encode()) == {"service_code": "road", "address_string": "Chợ Chơn Thành"}
    assert submissions.fields(b"") == {}


def test_the_same_with_the_same_mark_has_one_number_and_anything_else_another() -> None:
    day = date(2026, 11, 25)
    one = submissions.number(day, read("m-1").seed("k"))
    assert one == submissions.number(day, read(**{"attribute[client_id]": "m-1"}).seed("k"))
    others = {
        submissions.number(day, seed)
        for seed in (read("m-2").seed("k"), read("m-1").seed("j"), read("m-1", lat="11.5").seed("k"), read().seed("k"),
                     read().seed("k"))
    }  # fmt: skip
    assert len(others - {one}) == 5


def test_a_number_is_the_register_s_and_nobody_s_phone() -> None:
    for _ in range(200):
        code = submissions.number(date(2026, 11, 25), read().seed("k"))
        assert OPEN311.fullmatch(code) and REFERENCE.match(code) and not personal.find(code)
        assert masked(code) == "PA-••••"
