"""Findings about single events: what was told twice, otherwise, too late or of nobody knows whose case, and what does
not add up, as the folds have noted it; and steps whose beginning has never come. Of one kind and unit they are one
finding, with their number and some of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import Connection

from schemas.fold import instant
from schemas.indicators.formula import Sum
from schemas.text.dates import day_and_time
from services.readings.finding import Finding, resting_on


class Kind(NamedTuple):
    """What the entities of a kind are called, and the measures that count them."""

    vi: str
    en: str
    measures: tuple[str, ...] = ()


KINDS = {
    "dossier": Kind("hồ sơ", "dossiers", ("dossiers_received", "dossiers_ended")),
    "payment": Kind("giao dịch thanh toán", "payments", ("payments", "refunds")),
    "service": Kind("thủ tục cung cấp", "services on offer", ("services_offered",)),
    "calendar": Kind("ngày làm việc thay đổi", "changed working days"),
    "statistic": Kind("chỉ tiêu thống kê", "statistics"),
    "target": Kind("mục tiêu", "targets"),
    "attendance": Kind("báo cáo chuyên cần", "reports of attendance", ("pupils_present",)),
    "roster": Kind("báo cáo quy mô trường lớp", "rosters of schools", ("pupils",)),
    "exam": Kind("kết quả kỳ thi", "results of examinations", ("exam_candidates",)),
    "school_fee": Kind("báo cáo học phí", "reports of school fees", ("school_fees",)),
    "visits": Kind("báo cáo lượt khám", "reports of visits", ("visits",)),
    "beds": Kind("báo cáo giường bệnh", "reports of beds", ("beds",)),
    "disease": Kind("ca bệnh", "cases of disease", ("disease_cases", "disease_cases_closed")),
    "outbreak": Kind("ổ dịch", "outbreaks", ("outbreaks_declared", "outbreaks_closed")),
    "health_record": Kind("báo cáo sổ sức khỏe", "reports of health records", ("health_records_linked",)),
    "feature": Kind("đối tượng bản đồ", "map features", ("map_features",)),
    "device": Kind("thiết bị", "devices", ("devices",)),
    "alert": Kind("cảnh báo an toàn thông tin", "security alerts", ("security_alerts", "security_alerts_closed")),
    "antivirus": Kind("báo cáo diệt vi-rút", "reports of antivirus", ("antivirus_installs",)),
    "outage": Kind("lượt gián đoạn dịch vụ", "outages", ("service_outages", "outage_minutes")),
    "incident": Kind("sự cố an toàn thông tin", "security incidents", ("security_incidents",)),
    "report": Kind("phản ánh", "field reports", ("reports_received", "reports_resolved")),
    "mention": Kind("lượt đề cập", "counts of mentions", ("mentions",)),
    "spike": Kind("chủ đề tăng đột biến", "sudden rises", ("topics_spiked",)),
    "crisis": Kind("khủng hoảng truyền thông", "crises", ("crises_opened", "crises_closed")),
}
CODES = {
    "repeated": (
        "Gửi lại cùng nội dung, chỉ tính một lần",
        "Sent again with the same content under another id, counted once",
    ),
    "contradicted": (
        "Cùng một số nhưng nội dung khác nhau, chỉ tính một nội dung",
        "Another content under the same number, of which only one counts",
    ),
    "ambiguous": (
        "Nhiều đơn vị dùng cùng một số, không rõ thuộc đơn vị nào nên chưa tính",
        "Several units use one number and it is not known whose this is, so it does not count",
    ),
    "superseded": (
        "Đến khi đã kết thúc, đã được đính chính hoặc chưa bắt đầu nên không làm thay đổi gì",
        "Told of what was over, corrected or not begun at that time, so nothing changed",
    ),
    "over_refunded": ("Hoàn trả nhiều hơn số đã nộp", "More was refunded than had been paid"),
    "refunded_before": ("Hoàn trả trước khi nộp", "Refunded before it was paid"),
    "refunded_elsewhere": ("Đơn vị hoàn trả khác đơn vị thu", "Refunded by another unit than it was paid to"),
    "paid_in_vain": (
        "Nộp tiền cho hồ sơ đã bị từ chối, rút hoặc dừng",
        "Paid for a dossier that had been refused, withdrawn or stopped",
    ),
    "changes_missed": (
        "Thiết bị đã đổi trạng thái nhiều lần hơn số lần nhận được",
        "The device has counted more changes of its state than were told",
    ),
}
"""What the folds note of an event, in both languages."""
FIELDS = {
    "amount": ("số tiền", "amount"),
    "enrolled": ("sĩ số", "enrolled"),
    "limit_days": ("số ngày giải quyết", "days allowed"),
    "limit_hours": ("số giờ giải quyết", "hours allowed"),
    "present": ("có mặt", "present"),
    "promised_at": ("hạn trả", "promised for"),
    "score": ("điểm đánh giá", "rating"),
    "value": ("giá trị", "value"),
}
"""What fields of events are called in an example; of others none is given."""
CHECKS = (*CODES, *(f"orphan_{kind}" for kind in KINDS))
"""The codes of all findings that this module makes."""


def findings(conn: Connection, as_of: datetime) -> Iterator[Finding]:
    """What was noted of events up to a moment, and what waits for its beginning then."""
    for row in conn.execute(_NOTED, (as_of,)).fetchall():
        yield _noted(*row)
    for kind, unit, number, ids in conn.execute(_NOT_BEGUN, (as_of,)).fetchall():
        words = KINDS[kind]
        vi = f"Có bước xử lý nhưng chưa có sự kiện tiếp nhận: {number} {words.vi}"
        en = f"Steps but no beginning: {number} {words.en}"
        yield _finding(f"orphan_{kind}", vi, en, unit, number, kind, ids)


def _noted(kind: str, code: str, unit: str, number: int, said: dict[str, list[Any]] | None, ids: list[str]) -> Finding:
    (vi, en), words = CODES[code], KINDS[kind]
    vi, en = f"{vi}: {number} sự kiện về {words.vi}", f"{en}: {number} of {words.en}"
    if known := [
        (FIELDS[name], *map(_value, values)) for name, values in sorted((said or {}).items()) if name in FIELDS
    ]:
        vi = f"{vi} (ví dụ: {', '.join(f'{field[0]} {one} ≠ {other}' for field, one, other in known)})"
        en = f"{en} (for example {', '.join(f'{field[1]} {one} ≠ {other}' for field, one, other in known)})"
    return _finding(code, vi, en, unit, number, kind, ids)


def _finding(code: str, vi: str, en: str, unit: str, number: int, kind: str, ids: list[str]) -> Finding:
    counted = tuple(Sum(measure) for measure in KINDS[kind].measures)
    left = Decimal(number)
    return Finding(code, vi, en, unit, None, None, left, Decimal(0), kind, resting_on(counted), tuple(ids), number)


def _value(value: Any) -> str:
    """A value that differs: a moment as people write it, and no text in words, which is not for every eye."""
    text = "–" if value is None else str(value)
    if _MOMENT.match(text):
        return day_and_time(instant(text), seconds=True)
    return text if len(text) <= 40 and " " not in text else "…"


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_NOTED = """
SELECT n.kind, n.code, n.unit, n.number, n.said, ARRAY(
    SELECT e.id FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time WHERE k.key = ANY (n.keys)
    ORDER BY e.time, e.id)
FROM (
    SELECT e.kind, note ->> 'code' AS code, note ->> 'unit' AS unit, count(*) AS number,
        (array_agg(note -> 'said' ORDER BY note ->> 'time', note ->> 'key')
            FILTER (WHERE note ? 'said'))[1] AS said,
        (array_agg((note ->> 'key')::uuid ORDER BY note ->> 'time', note ->> 'key'))[1:20] AS keys
    FROM entity e, jsonb_array_elements(e.notes) note
    WHERE e.notes IS NOT NULL AND (note ->> 'time')::timestamptz <= %s AND note ->> 'code' <> 'retracted'
    GROUP BY 1, 2, 3
) n ORDER BY 1, 2, 3
"""
_NOT_BEGUN = """
SELECT kind, unit, count(*), (array_agg(id ORDER BY id))[1:20] FROM entity
WHERE opened_at IS NULL AND status NOT IN ('ambiguous', 'retracted') AND (facts -> 0 ->> 0)::timestamptz <= %s
GROUP BY kind, unit ORDER BY kind, unit
"""
