"""What is recognised as personal, however it is disguised, what is not, and what is left of a message that holds it."""

from __future__ import annotations

import json
import time
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import contracts, masking, personal, registry
from schemas.envelope import Invalid, refuse_personal

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DISGUISED = (
    "0912345678", "(0912) 345-678", "0912.345.678", "0912/345/678", "+84 912 345 678", "84912345678",
    "+84 (0) 912 345 678", "0084912345678", "PA-0912345678", "HS_0912345678", "x.0912345678",
    "gọi 0 9 1 2 3 4 5 6 7 8", "0912 \u2013 345 \u2014 678",
    "\uff10\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
    "\u0660\u0669\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    "\U0001d7ce\U0001d7d7\U0001d7cf\U0001d7d0\U0001d7d1\U0001d7d2\U0001d7d3\U0001d7d4\U0001d7d5\U0001d7d6",
    "09\u200b12\u200d34\xad5678", "0\u03009\u03001\u03002\u03003\u03004\u03005\u03006\u03007\u03008\u0300",
    "\u24ea\u2468\u2460\u2461\u2462\u2463\u2464\u2465\u2466\u2467",
    "\u24ff\u277e\u2776\u2777\u2778\u2779\u277a\u277b\u277c\u277d",
    "0\ufe0f\u20e39\ufe0f\u20e31\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e34\ufe0f\u20e35\ufe0f\u20e36\ufe0f\u20e37\ufe0f\u20e38\ufe0f\u20e3",
    "\u2070\u2079\xb9\xb2\xb3\u2074\u2075\u2076\u2077\u2078", "0912\xa0345\u2009678", "0912_345_678", "0912:345:678",
    "[0912] [345] [678]", "0912\n345\n678", "0912\t345\t678", "079304001234", "079 304 001 234", "0793 0400 1234",
    "079-304-001-234", "079.304.001.234", "079304 001234", "07 93 04 00 12 34", "0 7 9 3 0 4 0 0 1 2 3 4",
    "079/304/001/234", "(079) 304 [001] 234", "079 3 04 001234", "a038094012345", "123456789012", "038 094 012 345",
    "Liên hệ 038 094 012 345 trước 17 giờ", "CMND 123456789", "CMND số: 123 456 789", "số căn cước 285.123.456.7",
    "an.nguyen@example.vn", "a @ b . vn", "an\uff20example.vn", "an(at)example.vn", "an [at] example [dot] vn",
    "an at example dot vn", "nguyen@tên-miền.vn", "an a còng gmail chấm com", "an%40example.vn", "%30912345678",
    "an&#64;example.vn", "an@example\u3002vn", "an\u200b@exa\u200bmple.vn", "51A-123.45", "93P1-123.45", "60A 12345",
    "93-P1 123.45", "xe 51a-123.45", "biển số 60A 1234", "biển kiểm soát: TM 12-34", "0912\u2026345\u2026678",
    "0251 3822 123", "024 3733 1234", "SĐT: 912 345 678", "84.912.345.678", "hotline,0912345678",
    "0912345678,0913345678", "0912 345 678, 0913 345 678",
    "\u0660\u0667\u0669 \u0663\u0660\u0664 \u0660\u0660\u0661 \u0662\u0663\u0664", "0912\u2011345\u2011678",
    "0912\u2212345\u2212678", "0912\u30fb345\u30fb678", "09-12-34-56-78", "09.12.34.56.78", "09:12:34:56:78",
    "0912  345  678", "0168 123 4567", "hộ chiếu B1234567",
    "\u0966\u096f\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e", "\u202e0912345678\u202c",
    "0912&nbsp;345&nbsp;678", "0912&shy;345&#8203;678", "an&commat;example&period;vn", "&amp;#48;912345678",
    "0912%C2%A0345%C2%A0678", "0912%E2%80%8B345678", "%EF%BC%90%EF%BC%99%EF%BC%91%EF%BC%92345678", "an%2540example.vn",
    "%2530%2539123456%2537%2538", r"0912\n345\t678", "60A \u2014 123.45", "93P1\u2011123.45",
    "\u3007\u4e5d\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b",
    "0912 ... ... 345678", "0912 ... ... 345 ... ... 678", "0912 (- - - -) 345678", "0912\n\n        345678",
    "0793 \u2026 \u2026 0400 1234", "CMND 285 . . . . . 617 394", "09:12 ... ... 345678", "84 . . . . 912 345 678",
    "0912, 345, 678", "0912; 345; 678", "091, 234, 5678", "0912, 345678", "0793, 0400, 1234", "079, 304, 001, 234",
    "0251, 3822, 123", "0912 345, 678", "84 28 3829 1234", "84.28.3829.1234", "84-251-3822123", "84 251 382 2123",
    "(84) 28 3829 1234", "84 283 829 1234", "84 24 37 33 12 34", "84 2838291234", "0084 28 3829 1234",
    "scan_CMND_285123456_truoc.jpg", "cmnd285123456.pdf", "HoChieu_C1234567.pdf", "passport-N1234567",
    "Chứng  minh\n285123456",
    "\u0421\u041cND 285123456", "51\u0410-123.45", "\u041e912345678", "O 912 345 678", "o912.345.678", "41-291-NG-01",
    "80-123-QT-45", "MST 8123456789", "Mã số thuế cá nhân: 8123 456 789", "mst_8123456789-001", "tax code 8123456789",
    "bảo hiểm xã hội 7912345678", "thẻ bảo hiểm y tế: GD4797912345678", "STK 0071001234567", "STK:19012345678901",
    "số tài khoản 1903 4567 8901 23", "Số TK 1903-4567-8901-23", "tài khoản ngân hàng: 0011004123456",
    "TK_ngan_hang_0011004123456",
    "account no. 19012345678901", "9704360012345678", "9704360012345678901", "9704-3612-3456-7890",
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
)  # fmt: skip
INNOCENT = (
    "H10.12-241120-0001", "H10.12.02-241120-0001", "000.12.34.H10-241120-0001", "H19.01-241120-0001234",
    "H10-241120-000123", "2.000815", "1.010708.000.00.00.H56", "1.020708.000.00.00.H56", "2024-11-20T07:30:00Z",
    "2024-11-20T07:30:00.123456+07:00", "20/11/2024 09:15", "01/11/2024 09:15", "08:00 01/11/2024",
    "từ 07:30 đến 11:30, 13:30 đến 17:00", "9f86d081884c7d659a2feaa0c55ad015", "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "16.850.363.253 đ", "116.850.363.253 đồng", "84.123.456.789 đ", "123.456.789.012", "11.43125, 106.65431",
    "106.0654312 11.0543123", "PA-2024-000123", "PA-20241120-0012", "PA-0012-20241120", "các tổ 05, 07, 08, 09, 12",
    "0.345678912", "192.168.100.100", "hotline-0000012345", "1732087800123", "1732087800123456789",
    "sync-202411200730", "Đường ĐT 741, km 12", "Quốc lộ 13", "QĐ 766/QĐ-TTg", "số 12/BC-UBND ngày 20/11/2024",
    "CAM-60A1", "lớp 12A 2024-2025", "24h 12.345 lượt", "2023-2024-2025", "a@b", "giá 5 @ 3.000", "30/2020/NĐ-CP",
    "căn cước cho 12.345.678 người", "/november-2024", "x/2024/11/20/07", "11.4321 106.7654",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV", "trường cao đẳng nghề, khu phố 3", "2024-11-20", "PA-01-241120-0012",
    "tăng 100%", "A&B; C", "giảm 12%25", "C:\\new\\table", "R&amp;D", "2024\u201311\u201320", "07:30\u201311:30",
    "ngõ 12/34/56", "cong dan tot chấm công 12", "https://ioc.vn/api/v1", "1900 1022", "1022",
    "các tổ 0012, 0034, 0056", "phòng 0101, 0102, 0103", "mã 001, 002, 003, 004", "hồ sơ 0998, 0999, 1000",
    "843, 2345, 6789 hồ sơ", "84, 283, 829, 1234", "84 2838 2912 34", "84 2 8 38 29 12 34", "84.283.829.123 đ",
    "912, 345, 678", "0,912, 345, 678", "0.5, 12.345, 678.901", "05, 07, 2024, 2025", "12, 0912, 34, 56, 78",
    "H10.12-241120-0001, H10.12-241120-0002", "0001, 0002, 2345", "84 28 3829", "07:30 ..... ..... 11:30",
    "28 3829 1234", "01/11/2024, 20/11/2024, 30/11/2024", "tháng 01, 02, 03, 04, 05, 06", "84 28 3829 1234 đồng",
    "H57.25-241120-0012, 0013, 0114", "4 . . . . . . . . 12 . . . . . . . . 345", "123, 456, 789, 012",
    "cấp CCCD năm 2024: 185.642 thẻ", "12.345.678 tài khoản", "tài khoản năm 2024: 185.642", "tài khoản: 12.345.678",
    "MST 3801234567", "mã số thuế doanh nghiệp 3800123456", "tài khoản kho bạc 3713.0.1058761",
    "thu thuế 8.123.456.789 đ",
    "bảo hiểm y tế năm 2024: 123456 lượt", "bảo hiểm 1.234.567.890 đồng", "4567 2024 2025 2026", "Lô O 3 5 7",
    "lô O3, O5",
    "số tài khoản 6530", "mức 2: 12345678 tài khoản", "thuế thu nhập 8123456789", "1234-NG-12",
)  # fmt: skip
SAMPLES = {name: json.loads(next(iter(texts.values()))) for name, texts in contracts.samples().items()}


def digits_left(text: str) -> str:
    return "".join(c for c in text.replace("17", "") if unicodedata.digit(c, None) is not None)


@pytest.mark.parametrize("text", DISGUISED)
def test_personal_data_is_seen_through_every_disguise_and_masked(text: str) -> None:
    with pytest.raises(Invalid, match="personal_data"):
        refuse_personal("note", text)
    assert digits_left(personal.mask(text)) == ""
    around = f"Liên hệ {text} trước 17 giờ"
    assert digits_left(personal.mask(around)) == "" and personal.mask(around).startswith("Liên hệ ")


@pytest.mark.parametrize("text", INNOCENT)
def test_what_real_events_hold_is_no_personal_data(text: str) -> None:
    assert personal.find(text) == []
    assert personal.find(f"Theo {text}, phường báo cáo") == []


NUMBERS = st.sampled_from(["0912345678", "84912345678", "079304001234", "001099012345", "0987654321"])
SEEN, UNSEEN = " .-/_:()[]\u00a0\u2009\u3000\u2013\u2212\u00b7", "\u200b\u00ad\u0301\u202e"
GAPS = st.tuples(
    st.sampled_from(list(SEEN)), st.lists(st.sampled_from(list(SEEN + UNSEEN)), max_size=3).map("".join)
).map("".join)
SCRIPTS = st.sampled_from([0x30, 0x660, 0x6F0, 0x966, 0xE50, 0xFF10, 0x1D7CE, 0x1D7F6])


@given(st.data())
def test_no_grouping_script_or_separator_hides_a_number(data: st.DataObject) -> None:
    number = data.draw(NUMBERS)
    size = data.draw(st.sampled_from([1, 2, 3, 4, len(number)]))
    groups = [number[i : i + size] for i in range(0, len(number), size)]
    script = data.draw(SCRIPTS)
    written = ["".join(chr(script + int(digit)) for digit in group) for group in groups]
    text = "".join(part + data.draw(GAPS) for part in written)
    assert personal.find(text), ascii(text)
    assert digits_left(personal.mask(f"x {text}")) == ""


@given(st.text(max_size=60))
def test_masking_ends_and_leaves_nothing_to_mask(text: str) -> None:
    once = personal.mask(text)
    assert personal.mask(once) == once or len(personal.find(text)) > 0
    assert (once == text) == (not personal.find(text))


@pytest.mark.parametrize("part", ["01-", "84 ", "@a.", "a@", "1/1/", "[at", "a at ", "cccd ", "51A "])
def test_no_text_keeps_the_door_for_long(part: str) -> None:
    started = time.process_time()
    personal.mask(part * (60_000 // len(part)))
    assert time.process_time() - started < 20


def put(event: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    return {**event, "data": {**event["data"], field: value}}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("vn.ioc.report.received.v1", "code", "PA-0912345678"),
        ("vn.ioc.report.received.v1", "code", "PA-0912.345.678"),
        ("vn.ioc.report.received.v1", "code", "PA-079304001234"),
        ("vn.ioc.report.received.v1", "place", "(0912) 345-678"),
        ("vn.ioc.report.received.v1", "place", "0793 0400 1234"),
        ("vn.ioc.report.received.v1", "place", "xe 93P1-123.45"),
        ("vn.ioc.indicator.reported.v1", "value", "0912345678"),
        ("vn.ioc.indicator.reported.v1", "value", "+84912345678"),
    ],
)
def test_the_door_looks_into_codes_texts_and_numbers_written_as_texts(name: str, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        registry.parse(json.dumps(put(SAMPLES[name], field, value)).encode(), NOW)
    assert refused.value.code in ("personal_data", "bad_value")
    assert digits_left(refused.value.reason.replace(NOW.isoformat(), "")) == ""


@pytest.mark.parametrize(
    "body",
    [
        {"type": "vn.ioc.0912345678.v1"},
        {"type": "vn.ioc.dossier.submitted.v0912345678"},
        {**SAMPLES["vn.ioc.report.received.v1"], "unit": "p0912345678"},
        {**SAMPLES["vn.ioc.report.received.v1"], "0912345678": 1},
        put(SAMPLES["vn.ioc.report.received.v1"], "cccd 070304001234", 1),
        put(SAMPLES["vn.ioc.report.received.v1"], "an@example.vn", {"0912345678": 1}),
        put(SAMPLES["vn.ioc.report.received.v1"], "channel", "0912345678"),
        {**SAMPLES["vn.ioc.report.received.v1"], "time": "0912345678"},
    ],
)
def test_no_reason_repeats_a_value(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        registry.parse(json.dumps(body).encode(), NOW, "ioc.events.x.0912345678")
    assert not any(part in f"{refused.value} {refused.value.reason}" for part in ("12345678", "304001234", "an@"))


def test_a_message_keeps_all_but_what_is_personal() -> None:
    sample = json.dumps(put(SAMPLES["vn.ioc.report.received.v1"], "place", "gọi 0912 345 678")).encode()
    hidden = masking.masked(sample)
    assert hidden is not None and masking.is_masked(hidden) and not masking.is_masked(sample)
    assert json.loads(hidden) == put(SAMPLES["vn.ioc.report.received.v1"], "place", "gọi [phone]")


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ('{"cccd": 79304001234, "a": 1}', '{"cccd":"[hidden]","a":1}'),
        ('{"x": 79304001234}', '{"x":"[citizen number]"}'),
        ('{"x": 84912345678, "amount": 84912345678}', '{"x":"[phone]","amount":84912345678}'),
        ('{"0912345678": [["a@b.vn"]]}', '{"[phone]":[["[e-mail]"]]}'),
        ('{"l": ["0912", "345", "678"]}', '{"l":["[hidden]"]}'),
        ('{"a": 1000, "a": "0912345678"}', '{"a":1000,"a":"[phone]"}'),
        ('{"ho_ten": "Nguyễn Văn A", "Họ tên": "B"}', '{"ho_ten":"[hidden]","Họ tên":"[hidden]"}'),
        ('{"\u00d0\u1ecba ch\u1ec9": "12 Lê Lợi"}', '{"\u00d0\u1ecba ch\u1ec9":"[hidden]"}'),
        ('{"s": "\u00d0T: 912345678"}', '{"s":"\u00d0T: [phone]"}'),
        ('{"MST": 8123456789, "Số tài khoản": "711A-1", "so_bhxh": "x"}',
         '{"MST":"[hidden]","Số tài khoản":"[hidden]","so_bhxh":"[hidden]"}'),
        ('{"data_base64": "MDkxMjM0NTY3OA=="}', '{"data_base64":"[hidden]"}'),
        ('{"s": "\\u0030\\u0039\\u00312345678"}', '{"s":"[phone]"}'),
        ('{"s": "\\u0030912345678"', '{"s": "[phone]"'),
        ('{"s": "\\uff10\\uff19\\uff11\\uff12345678"', '{"s": "[phone]"'),
        ('{"s": "0\\u200b912\\u200b345678"', '{"s": "[phone]"'),
        ('{"s": "\\ud835\\udfce\\ud835\\udfd712345678"', '{"s": "[phone]"'),
        ("not json 0912 345 678", "not json [phone]"),
        ("&#x110000;0912345678&#9999999;", "&#x110000;[phone]&#9999999;"),
        ('{"data": {"transaction": "TXN-0912345678"}, "id": "TXN-0912345678-0912345678"}',
         '{"data":{"transaction":"TXN-0912345678"},"id":"TXN-0912345678-[phone]"}'),
        ("[" * 5000 + '"0912345678"', "[" * 5000 + '"[phone]"'),
    ],
)  # fmt: skip
def test_what_is_left_of_a_message(raw: str, left: str) -> None:
    assert masking.masked(raw.encode()) == left.encode()


def test_bytes_of_any_kind_are_masked_and_otherwise_kept() -> None:
    assert masking.masked(b"\xff0912345678\xfe") == b"\xff[phone]\xfe"
    assert b"9\x001" not in (masking.masked("gọi 0912345678".encode("utf-16")) or b"9\x001")
    assert masking.masked(b"\xff\x00{") is None


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sound_message_is_left_as_it_is(name: str) -> None:
    assert masking.masked(json.dumps(SAMPLES[name]).encode()) is None


@pytest.mark.parametrize("field", ["place", "code", "source", "unit", "x"])
@pytest.mark.parametrize("number", [912345678, 84912345678, 79304001234, 100000000000])
def test_a_number_that_stands_where_no_event_has_one_is_masked(field: str, number: int) -> None:
    left = masking.masked(json.dumps({"data": {"value": number, field: number}}).encode())
    assert left is not None
    data = json.loads(left)["data"]
    assert data["value"] == number and data[field] in personal.MASKS.values()
