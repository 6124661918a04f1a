"""Index 766 in a report: both readings beside each other, the grade, and what has to be said of components."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from schemas.economy import Stated
from schemas.index766.rules import rule_set
from schemas.index766.scoring import CountPair
from services.readings.evaluate import ComponentCount
from services.readings.index766 import UnitIndex, score_of
from services.reports.content import Figure, Table, text_of
from services.reports.index766_tables import groups_table

UNIT, DAY = "phuong_chon_thanh", date(2026, 11, 30)
PORTAL, DECREE = rule_set("portal", DAY), rule_set("decree", DAY)


def shown(without: str = "", **counts: tuple[int, int]) -> Table:
    """The groups of a unit that has all of everything but for some counts."""
    pairs = {**{metric: (1, 1) for metric in PORTAL.components if metric != without}, **counts}
    found = {m: ComponentCount(CountPair(Decimal(n), Decimal(d)), None, frozenset()) for m, (n, d) in pairs.items()}
    own = UnitIndex(UNIT, "ward", score_of(PORTAL, UNIT, found), found)
    return groups_table(own, score_of(DECREE, UNIT, found), "Xếp hạng 1 trong 2 đơn vị cùng cấp đủ số liệu.")


def test_what_is_reported_and_not_counted_is_named() -> None:
    stated = Stated("dong_nai", date(2026, 11, 1), DAY, "table", "real", "key", {"value": 48, "total": 50})
    counts = {
        "PUBLISH_ON_TIME": ComponentCount(CountPair(Decimal(48), Decimal(50)), None, frozenset(), stated),
        "ON_TIME": ComponentCount(CountPair(Decimal(9), Decimal(10)), None, frozenset()),
    }
    own = UnitIndex(UNIT, "ward", score_of(PORTAL, UNIT, counts), counts)
    notes = groups_table(own, score_of(DECREE, UNIT, counts)).notes
    assert notes[1:] == (
        "Theo báo cáo, không tính từ sự kiện: Công bố TTHC đúng hạn.", "Của tỉnh: Công bố TTHC đúng hạn.",
    )  # fmt: skip


def texts(table: Table) -> dict[str, tuple[str, ...]]:
    return {text_of(row[1]): tuple(text_of(cell) for cell in row[2:]) for row in table.all_rows}


def test_both_readings_and_their_grades_stand_beside_each_other() -> None:
    papers = shown(SO_HOA_GIAY_TO_GIAI_QUYET=(60, 100), ON_TIME=(58, 100))
    assert texts(papers)["Số hóa hồ sơ"] == ("20,40", "21,00", "22")
    assert texts(papers)["Tiến độ giải quyết"] == ("11,60", "11,60", "20")
    assert texts(papers)["Tổng số"] == ("90,00", "90,60", "100") and len(papers.all_rows) == 7
    assert papers.notes[:2] == ("Xếp loại: Xuất sắc.", "Xếp hạng 1 trong 2 đơn vị cùng cấp đủ số liệu.")
    apart = shown(SO_HOA_GIAY_TO_GIAI_QUYET=(60, 100), ON_TIME=(57, 100))
    assert apart.notes[0] == "Xếp loại: Tốt; theo lời văn Quyết định: Xuất sắc."
    column = [row[2].value for row in papers.all_rows if isinstance(row[2], Figure)]
    assert sum(value or 0 for value in column[:-1]) == column[-1], "the sum is one of the rows"


def test_what_has_no_base_or_more_than_all_is_named() -> None:
    table = shown(PETITION_PROCESSING_ON_TIME=(0, 0), PETITION_HANDLING_SATISFACTION=(0, 0), DOSSIER_SYNC=(3, 2))
    assert table.notes[2:] == (
        "Vượt mẫu số: Đồng bộ hồ sơ lên Cổng DVCQG.",
        "Mẫu số bằng 0: Xử lý phản ánh, kiến nghị đúng hạn; Hài lòng về xử lý phản ánh, kiến nghị.",
    )


def test_while_a_component_is_missing_there_is_no_grade() -> None:
    table = shown(without="ON_TIME")
    assert texts(table)["Tiến độ giải quyết"] == ("–", "–", "20")
    assert texts(table)["Tổng số (của 80 điểm có số liệu)"] == ("80,00", "80,00", "100")
    assert not any("Xếp loại" in note for note in table.notes)
