"""What people read."""

from __future__ import annotations

from test_notifier_plan import MONDAY, alarm

from services.notifier.templates import About, Links, message, unit_name

LINKS = Links("http://grafana", "http://notifier")
CODE = "H99.1-260301-0001"


def test_a_message_says_what_where_since_when_what_to_do_and_where_to_look() -> None:
    one = alarm(id=12, severity="critical", origin="shifted", do_vi="Xử lý ngay.", do_en="Act now.", due_at=MONDAY)
    found = message(34, [About(one, "raised")], LINKS)
    assert found.title == "[NGHIÊM TRỌNG] [SỐ LIỆU CHUYỂN NGÀY] Phường Chơn Thành: Quá hạn"
    for part in (
        "SỐ LIỆU CHUYỂN NGÀY / SHIFTED",
        "Việc cần làm: Xử lý ngay.", "What to do: Act now.", "Từ lúc: 02/03/2026 09:00",
        "Hạn: 02/03/2026 09:00", "http://grafana/d/x", "http://notifier/runbooks/DossiersOverdue", "ioc alarms ack 12",
        "Critical. Administrative procedures. Chon Thanh Ward.", "Message: 34", "dossier:H99.1-26••••-••••",
    ):  # fmt: skip
        assert part in found.body, part
    assert CODE not in found.title + found.body
    assert CODE in message(34, [About(one, "raised")], LINKS, inside=True).body


def test_a_repeat_says_so_and_keeps_its_number() -> None:
    first, again = (message(7, [About(alarm(), "raised")], LINKS, repeat) for repeat in (False, True))
    assert again.title == f"[Gửi lại / Repeat] {first.title}"
    assert again.body.endswith("Message: 7") and "may have received" in again.body


def test_what_is_over_asks_for_nothing() -> None:
    found = message(1, [About(alarm(do_vi="Xử lý."), "cleared")], LINKS)
    assert found.title.startswith("[ĐÃ KẾT THÚC]")
    assert "Việc cần làm" not in found.body and "alarms ack" not in found.body


def test_many_are_joined_by_unit_the_gravest_first_and_the_rest_is_counted() -> None:
    alike = [About(alarm(id=number), "raised") for number in range(1, 8)]
    grave = About(alarm(id=8, severity="critical", origin="simulated", unit="all", vi="Mất kết nối"), "raised")
    over = About(alarm(id=9), "cleared")
    found = message(1, [*alike, over, grave], LINKS)
    assert found.title == "[NGHIÊM TRỌNG] [MÔ PHỎNG] 9 cảnh báo / alarms"
    lines = [line for line in found.body.splitlines() if line.startswith("•")]
    assert lines == [
        "• [MÔ PHỎNG] Toàn địa bàn: Mất kết nối (mới phát sinh)",
        "• Phường Chơn Thành: Quá hạn: 7 (mới phát sinh)",
        "• Phường Chơn Thành: Quá hạn (đã kết thúc)",
    ]
    assert "1, 2, 3, 4, 5, …" in found.body
    many = [About(alarm(id=number, vi=f"Việc {number:03}"), "raised") for number in range(100)]
    assert "… và 70 cảnh báo khác / and 70 more" in message(1, many, LINKS).body


def test_an_unknown_unit_is_called_by_its_code() -> None:
    assert unit_name("no_such_unit") == ("no_such_unit", "no_such_unit")


def test_alike_cases_are_counted_and_listed_and_masked_for_who_is_outside() -> None:
    cases = [About(alarm(id=n, kind="dossier", entity=f"H99.1-260301-{n:04}"), "raised") for n in range(1, 13)]
    inside = message(1, cases, LINKS, inside=True).body
    assert "• Phường Chơn Thành: Quá hạn: 12 (mới phát sinh)" in inside
    assert "H99.1-260301-0001, H99.1-260301-0002" in inside and "(+2)" in inside
    outside = message(1, cases, LINKS).body
    assert "260301-0001" not in outside and "H99.1-26••••-••••" in outside
