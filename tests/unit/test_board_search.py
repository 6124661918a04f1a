"""What is found by a few letters without marks, and by whom."""

from __future__ import annotations

from services.board.access import PUBLIC, Account
from services.board.live.poller import Poller
from services.board.pages.search import fits, hits, pages_called
from services.board.ui.live_page import PageContext
from services.board.ui.periods import SO_FAR
from services.kit.settings import Settings

WARD = "phuong_chon_thanh"
FOUND = {
    "chon thanh": ("Phường Chơn Thành", f"/system/procedures?unit={WARD}"),
    "ty le qua han": ("Tỷ lệ hồ sơ quá hạn", "/figure/overdue_share"),
    "overdue_share": ("Tỷ lệ hồ sơ quá hạn", "/figure/overdue_share"),
    "chat luong": ("Chất lượng dữ liệu", "/quality"),
    "PHẢN ÁNH HIỆN": ("Phản ánh hiện trường", "/system/field"),
}


def found(account: Account, text: str) -> set[tuple[str, str]]:
    context = PageContext(account, "vi", Poller(Settings(), SO_FAR.before))
    return {(hit.name, hit.path) for hit in hits(context, text)}


def test_names_are_found_by_the_beginnings_of_their_words_without_marks() -> None:
    admin = Account("admin", "", "admin")
    assert [text for text, hit in FOUND.items() if hit not in found(admin, text)] == []
    assert found(admin, "") == found(admin, "khong co gi nhu vay") == set()
    assert fits("dong xoai", "Thành phố Đồng Xoài") and not fits("oai", "Thành phố Đồng Xoài")


def test_where_nothing_is_looked_for_all_pages_that_one_may_open_are_shown() -> None:
    for account, more in ((Account("admin", "", "admin"), {"/quality", "/people"}), (PUBLIC, set())):
        context = PageContext(account, "vi", Poller(Settings(), SO_FAR.before))
        paths = {hit.path for hit in pages_called(context, "")}
        assert paths >= {"/", "/map", "/system/health"} and paths & {"/quality", "/people"} == more


def test_who_may_not_open_a_page_does_not_find_it() -> None:
    assert FOUND["chat luong"] not in found(PUBLIC, "chat luong")
    assert FOUND["ty le qua han"] in found(PUBLIC, "ty le qua han")


def test_a_unit_is_told_from_others_of_its_name_by_what_it_lies_in_and_not_by_its_code() -> None:
    context = PageContext(Account("admin", "", "admin"), "vi", Poller(Settings(), SO_FAR.before))
    more = {hit.name: hit.more for hit in hits(context, "chon thanh") if hit.kind == "unit"}
    assert more["Phường Minh Thành"] == "Thị xã Chơn Thành" and not [text for text in more.values() if "_" in text]
