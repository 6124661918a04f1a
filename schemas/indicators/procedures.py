"""System 1: dossiers, online services, payments, digitisation, the report II.06, and what Resolution 02 and Project 06 follow."""

from __future__ import annotations

from decimal import Decimal

from schemas.indicators import index766
from schemas.indicators.as_reported import as_reported
from schemas.indicators.formula import Combine, Distinct, Median, Ratio, Statement, Stock, Sum, UnitMean
from schemas.indicators.indicator import Indicator, rows
from schemas.indicators.programmes import stated

SYSTEM = "procedures"
ONLINE = {"channel": ("online",)}
PAID_ONLINE = {"method": ("bank_transfer", "card", "portal", "qr_code")}
"""Every method but cash at the counter."""
OFFERED = {"level": ("partial", "full")}
_RECEIVED, _ENDED = Sum("dossiers_received"), Sum("dossiers_ended")
_OPEN = Combine((Stock("dossiers_received"),), (Stock("dossiers_ended"),))
_CARRIED = Combine((Stock("dossiers_received", at="start"),), (Stock("dossiers_ended", at="start"),))
_ONLINE_DOSSIERS = Ratio(Sum("dossiers_received", {**ONLINE, **OFFERED}), Sum("dossiers_received", OFFERED))
_USED_SERVICES = Ratio(Distinct("service_dossiers", "procedure"), Stock("services_offered", OFFERED))
_OVERDUE = Stock("dossiers_pressing", {"stage": ("overdue",)})
_ASKED_AGAIN = (
    Stock("dossiers_asked_again", {"state": ("open",)}),
    Sum("dossiers_asked_again", {"state": ("ended",)}),
)


def _ended(*outcomes: str) -> Sum:
    return Sum("dossiers_ended", {"outcome": outcomes})


def _resolution(code: str, vi: str, en: str) -> tuple[Indicator, Indicator, Indicator]:
    value = Statement(f"nq02_{code}")
    return (
        Indicator(f"nq02_{code}", f"{vi} (NQ 02/NQ-CP)", f"{en} (Resolution 02)", value, "%", 2, better="higher"),
        Indicator(
            f"nq02_{code}_target", f"{vi}: chỉ tiêu", f"{en}: target", Statement(f"nq02_{code}", "target"), "%", 2
        ),
        Indicator(
            f"nq02_{code}_reached",
            f"{vi}: đạt chỉ tiêu",
            f"{en}: target reached",
            Statement(f"nq02_{code}", "reached"),
            "yes/no",
        ),
    )


def _certified(code: str, vi: str, en: str) -> Indicator:
    return Indicator(
        f"ecert_{code}",
        f"Chứng thực bản sao điện tử: {vi}",
        f"Certified e-copies: {en}",
        Statement(f"ecert_{code}"),
        "dossier",
    )


_IN_TIME = Combine((_ended("early", "on_time"), _OPEN), (_OVERDUE, *_ASKED_AGAIN))
INDICATORS = rows(
    SYSTEM,
    Indicator("dossiers_received", "Hồ sơ tiếp nhận", "Dossiers received", _RECEIVED, "dossier", headline=True, classes="channel", windows=("today",)),
    Indicator("dossiers_received_online", "Hồ sơ nộp trực tuyến", "Dossiers filed online", Sum("dossiers_received", ONLINE), "dossier"),
    Indicator("dossiers_received_counter", "Hồ sơ nộp trực tiếp", "Dossiers filed at the counter", Sum("dossiers_received", {"channel": ("counter",)}), "dossier"),
    Indicator("dossiers_received_post", "Hồ sơ nộp qua bưu chính", "Dossiers filed by post", Sum("dossiers_received", {"channel": ("post",)}), "dossier"),
    Indicator("dossiers_ended", "Hồ sơ đã giải quyết", "Dossiers ended", _ENDED, "dossier"),
    Indicator("dossiers_in_progress", "Hồ sơ đang giải quyết", "Dossiers in progress", _OPEN, "dossier", headline=True),
    Indicator("dossiers_ended_early", "Hồ sơ giải quyết trước hạn", "Dossiers ended early", _ended("early"), "dossier"),
    Indicator("dossiers_ended_on_time", "Hồ sơ giải quyết đúng hạn", "Dossiers ended on the promised day", _ended("on_time"), "dossier"),
    Indicator("dossiers_ended_overdue", "Hồ sơ giải quyết quá hạn", "Dossiers ended overdue", _ended("overdue"), "dossier"),
    Indicator("dossiers_open_overdue", "Hồ sơ đang giải quyết quá hạn", "Open dossiers overdue", _OVERDUE, "dossier", better="lower", headline=True),
    Indicator("dossiers_due_today", "Hồ sơ đến hạn hôm nay", "Dossiers due today", Stock("dossiers_pressing", {"stage": ("today",)}), "dossier", headline=True),
    Indicator("dossiers_due_soon", "Hồ sơ đến hạn trong 3 ngày làm việc", "Dossiers due in 3 working days, today included", Stock("dossiers_pressing", {"stage": ("soon", "today")}), "dossier"),
    Indicator("dossiers_overdue", "Hồ sơ quá hạn (đã và đang giải quyết)", "Dossiers overdue, ended or open", Combine((_ended("overdue"), _OVERDUE)), "dossier", better="lower"),
    Indicator("overdue_share", "Tỷ lệ hồ sơ quá hạn", "Share of dossiers overdue", Ratio(Combine((_ended("overdue"), _OVERDUE)), Combine((_ENDED, _OPEN))), "%", 2, Decimal("0.5"), "lower", headline=True),
    Indicator("on_time_share", "Tỷ lệ hồ sơ giải quyết trước và đúng hạn", "Share of dossiers ended in time", Ratio(_ended("early", "on_time"), _ENDED), "%", 2, Decimal(98), "higher", headline=True),
    Indicator("processing_time_mean", "Thời gian giải quyết bình quân", "Mean working time to the end", Ratio(Sum("processing_minutes"), Sum("dossiers_processed"), 1), "minute", 1, better="lower", working=True),
    Indicator("processing_time_median", "Thời gian giải quyết, trung vị", "Median working time to the end", Median("processing_minutes"), "minute", 1, better="lower", working=True),
    Indicator("supplements_requested", "Lượt yêu cầu bổ sung giấy tờ", "Requests for supplements", Sum("supplements_requested"), "request"),
    Indicator("dossiers_extended", "Lượt xin lỗi, hẹn lại", "Extensions with apology", Sum("dossiers_extended"), "dossier"),
    Indicator("dossiers_repromised", "Lượt hẹn lại không có thư xin lỗi", "Dates promised again without an extension", Sum("dossiers_repromised"), "dossier", better="lower"),
    Indicator("dossiers_refused", "Hồ sơ không được tiếp nhận", "Dossiers refused", Sum("dossiers_ended", {"result": ("refused",)}), "dossier"),
    Indicator("dossiers_withdrawn", "Hồ sơ công dân rút", "Dossiers withdrawn", Sum("dossiers_ended", {"result": ("withdrawn",)}), "dossier"),
    Indicator("dossiers_stopped", "Hồ sơ dừng xử lý", "Dossiers stopped", Sum("dossiers_ended", {"result": ("stopped",)}), "dossier"),
    # Online services. For the whole province the report prints the unweighted mean of its units.
    Indicator("online_dossier_share", "Tỷ lệ hồ sơ xử lý trực tuyến", "Share of dossiers handled online", _ONLINE_DOSSIERS, "%", 1, Decimal(50), "higher", headline=True),
    Indicator("online_dossier_share_mean", "Tỷ lệ hồ sơ xử lý trực tuyến, bình quân các đơn vị", "Share of dossiers handled online, mean of units", UnitMean(_ONLINE_DOSSIERS), "%", 2, Decimal(50), "higher"),
    Indicator("online_service_share", "Tỷ lệ DVC trực tuyến có phát sinh hồ sơ", "Share of online services with dossiers", _USED_SERVICES, "%", 1, Decimal(80), "higher"),
    Indicator("online_service_share_mean", "Tỷ lệ DVC trực tuyến có phát sinh hồ sơ, bình quân các đơn vị", "Share of online services with dossiers, mean of units", UnitMean(_USED_SERVICES), "%", 2, Decimal(80), "higher"),
    Indicator("services_online", "Thủ tục cung cấp DVC trực tuyến", "Procedures offered online", Stock("services_offered", OFFERED), "procedure"),
    Indicator("services_online_full", "DVC trực tuyến toàn trình", "Procedures offered fully online", Stock("services_offered", {"level": ("full",)}), "procedure"),
    Indicator("services_online_used", "DVC trực tuyến có phát sinh hồ sơ", "Online services with dossiers", Distinct("service_dossiers", "procedure"), "procedure"),
    # Payments by any method, cash included; and in the columns of the monthly table, which counts those made online.
    Indicator("payments_tax_count", "Nộp nghĩa vụ tài chính, mọi hình thức: số giao dịch", "Tax payments by any method", Sum("payments", {"kind": ("tax",)}, "count"), "transaction"),
    Indicator("payments_tax_amount", "Nộp nghĩa vụ tài chính, mọi hình thức: số tiền", "Tax paid by any method", Sum("payments", {"kind": ("tax",)}), "VND"),
    Indicator("payments_fee_count", "Nộp phí, lệ phí, mọi hình thức: số giao dịch", "Fee payments by any method", Sum("payments", {"kind": ("fee",)}, "count"), "transaction"),
    Indicator("payments_fee_amount", "Nộp phí, lệ phí, mọi hình thức: số tiền", "Fees paid by any method", Sum("payments", {"kind": ("fee",)}), "VND"),
    Indicator("payments_count", "Tổng số giao dịch thanh toán, mọi hình thức", "Payments by any method", Sum("payments", of="count"), "transaction", classes="kind", windows=("today",)),
    Indicator("payments_amount", "Tổng số tiền thanh toán, mọi hình thức", "Amount paid by any method", Sum("payments"), "VND", headline=True),
    Indicator("payments_online_tax_count", "Thanh toán trực tuyến NVTC: số giao dịch", "Tax payments online", Sum("payments", {"kind": ("tax",), **PAID_ONLINE}, "count"), "transaction"),
    Indicator("payments_online_tax_amount", "Thanh toán trực tuyến NVTC: số tiền", "Tax paid online", Sum("payments", {"kind": ("tax",), **PAID_ONLINE}), "VND"),
    Indicator("payments_online_fee_count", "Thanh toán trực tuyến phí, lệ phí: số giao dịch", "Fee payments online", Sum("payments", {"kind": ("fee",), **PAID_ONLINE}, "count"), "transaction"),
    Indicator("payments_online_fee_amount", "Thanh toán trực tuyến phí, lệ phí: số tiền", "Fees paid online", Sum("payments", {"kind": ("fee",), **PAID_ONLINE}), "VND"),
    Indicator("payments_online_count", "Thanh toán trực tuyến: tổng số giao dịch", "Payments online", Sum("payments", PAID_ONLINE, "count"), "transaction"),
    Indicator("payments_online_amount", "Thanh toán trực tuyến: tổng số tiền", "Amount paid online", Sum("payments", PAID_ONLINE), "VND"),
    Indicator("refunds_amount", "Số tiền hoàn trả", "Amount refunded", Sum("refunds"), "VND"),
    Indicator("paid_online_share", "Tỷ lệ hồ sơ thanh toán trực tuyến", "Share of dossiers with an obligation paid online", Ratio(Sum("dossiers_paid_online"), Sum("dossiers_with_fee")), "%", 2, Decimal(45), "higher"),
    # Digitisation and satisfaction.
    Indicator("electronic_result_share", "Tỷ lệ kết quả điện tử", "Share of results issued electronically", Ratio(Sum("results_issued", {"electronic": ("yes",)}), Sum("results_issued")), "%", 2, Decimal(100), "higher"),
    Indicator("digitised_share", "Tỷ lệ số hóa hồ sơ", "Share of dossiers digitised, with electronic result", Ratio(Sum("dossiers_digitised"), Sum("results_issued")), "%", 2, Decimal(80), "higher"),
    Indicator("reused_share", "Tỷ lệ tái sử dụng dữ liệu", "Share of dossiers with a reused component", Ratio(Sum("dossiers_reusing"), _RECEIVED), "%", 2, Decimal(50), "higher"),
    Indicator("synchronised_share", "Tỷ lệ hồ sơ đồng bộ lên Cổng DVCQG", "Share of dossiers synchronised", Ratio(Sum("dossiers_synchronised"), _RECEIVED), "%", 2, Decimal(100), "higher"),
    Indicator("satisfaction_share", "Tỷ lệ hài lòng", "Share of satisfied ratings", Ratio(Sum("dossier_ratings", {"verdict": ("satisfied",)}, "count"), Sum("dossier_ratings", of="count")), "%", 2, Decimal(90), "higher"),
    # Numerators and denominators of index 766 that no figure above is (`schemas/index766/components.csv`).
    Indicator("dossiers_synchronised", "Hồ sơ đã đồng bộ lên Cổng DVCQG", "Dossiers synchronised", Sum("dossiers_synchronised"), "dossier"),
    Indicator("services_offered", "Thủ tục cung cấp, trực tuyến hay không", "Procedures on offer, online or not", Stock("services_offered"), "procedure"),
    Indicator("dossiers_with_fee", "Hồ sơ có nghĩa vụ tài chính", "Dossiers with a financial obligation", Sum("dossiers_with_fee"), "dossier"),
    Indicator("dossiers_paid_online", "Hồ sơ thanh toán trực tuyến", "Dossiers paid online", Sum("dossiers_paid_online"), "dossier"),
    Indicator("results_issued", "Hồ sơ có kết quả là giấy tờ", "Dossiers ending in a paper", Sum("results_issued"), "dossier"),
    Indicator("results_issued_electronic", "Hồ sơ có kết quả điện tử", "Dossiers with an electronic result", Sum("results_issued", {"electronic": ("yes",)}), "dossier"),
    Indicator("dossiers_reusing", "Hồ sơ tái sử dụng dữ liệu", "Dossiers with a reused component", Sum("dossiers_reusing"), "dossier"),
    Indicator("dossiers_from_store", "Hồ sơ dùng kho dữ liệu cá nhân", "Dossiers with a component from the personal store", Sum("dossiers_from_store"), "dossier"),
    Indicator("dossiers_identified", "Hồ sơ xác thực bằng dữ liệu dân cư", "Dossiers authenticated by population data", Sum("dossiers_identified"), "dossier"),
    Indicator("dossiers_handled", "Hồ sơ tiếp nhận hoặc giải quyết trong kỳ", "Dossiers received or handled in the period", Combine((_ENDED, _OPEN)), "dossier"),
    Indicator("dossiers_in_time", "Hồ sơ đúng hạn theo Bộ chỉ số 766", "Dossiers in time, as index 766 counts", _IN_TIME, "dossier"),
    Indicator("dossiers_asked_again", "Hồ sơ yêu cầu bổ sung quá một lần, chưa có kết quả", "Dossiers asked for supplements more than once, without a result", Combine(_ASKED_AGAIN), "dossier", better="lower"),
    Indicator("dossiers_disliked", "Hồ sơ không quá hạn bị đánh giá không hài lòng", "Dossiers disliked that were not overdue", Sum("dossiers_disliked"), "dossier", better="lower"),
    Indicator("dossiers_satisfying", "Hồ sơ đúng hạn, không bị đánh giá không hài lòng", "Dossiers in time and not disliked", Combine((_IN_TIME,), (Sum("dossiers_disliked"),)), "dossier"),
    Indicator("fee_procedures", "TTHC có nghĩa vụ tài chính", "Procedures with a fee", Stock("services_offered", {"fee": ("yes",)}), "procedure"),
    Indicator("fee_procedures_with_dossiers", "TTHC phát sinh hồ sơ có nghĩa vụ tài chính", "Procedures with dossiers that owe a fee", Distinct("procedure_fees", "procedure", {"paid": ("any",)}), "procedure"),
    Indicator("fee_procedures_paid_online", "TTHC có giao dịch thanh toán trực tuyến", "Procedures with an online payment", Distinct("procedure_fees", "procedure", {"paid": ("online",)}), "procedure"),
    *index766.reported(),
    # Report II.06: columns 1 and 2 are the row's number and field (`--by field`).
    Indicator("ii06_03", "II.06 (3) Tổng số tiếp nhận", "II.06 (3) received, all", Combine((_RECEIVED, _CARRIED)), "dossier"),
    Indicator("ii06_04", "II.06 (4) Trực tuyến trong kỳ", "II.06 (4) online, in the period", Sum("dossiers_received", ONLINE), "dossier"),
    Indicator("ii06_05", "II.06 (5) Trực tiếp, bưu chính trong kỳ", "II.06 (5) counter and post, in the period", Sum("dossiers_received", {"channel": ("counter", "post")}), "dossier"),
    Indicator("ii06_06", "II.06 (6) Kỳ trước chuyển sang", "II.06 (6) carried over", _CARRIED, "dossier"),
    Indicator("ii06_07", "II.06 (7) Đã giải quyết", "II.06 (7) resolved, all", _ENDED, "dossier"),
    Indicator("ii06_08", "II.06 (8) Giải quyết trước hạn", "II.06 (8) resolved early", _ended("early"), "dossier"),
    Indicator("ii06_09", "II.06 (9) Giải quyết đúng hạn", "II.06 (9) resolved on time", _ended("on_time"), "dossier"),
    Indicator("ii06_10", "II.06 (10) Giải quyết quá hạn", "II.06 (10) resolved overdue", _ended("overdue"), "dossier"),
    Indicator("ii06_11", "II.06 (11) Đang giải quyết", "II.06 (11) in progress, all", _OPEN, "dossier"),
    Indicator("ii06_12", "II.06 (12) Đang giải quyết trong hạn", "II.06 (12) in progress, within the promise", Combine((_OPEN,), (_OVERDUE,)), "dossier"),
    Indicator("ii06_13", "II.06 (13) Đang giải quyết quá hạn", "II.06 (13) in progress, overdue", _OVERDUE, "dossier"),
    # Certified e-copies, as the report states them.
    _certified("received", "tổng tiếp nhận", "received, all"),
    _certified("carried_over", "kỳ trước chuyển sang", "carried over"),
    _certified("new", "tiếp nhận mới", "newly received"),
    _certified("resolved", "đã giải quyết", "resolved"),
    _certified("on_time_or_early", "trước và đúng hạn", "resolved in time"),
    _certified("overdue", "giải quyết quá hạn", "resolved overdue"),
    _certified("in_progress", "đang giải quyết", "in progress"),
    _certified("not_due", "đang giải quyết, chưa đến hạn", "in progress, not due"),
    _certified("in_progress_overdue", "đang giải quyết, quá hạn", "in progress, overdue"),
    # Resolution 02.
    *(indicator for code, vi, en in (
        ("data_reuse", "Khai thác, sử dụng lại dữ liệu", "Data reused"),
        ("online_payment", "Thanh toán trực tuyến", "Online payment"),
        ("online_dossiers", "Hồ sơ trực tuyến", "Online dossiers"),
        ("dossier_digitisation", "Số hóa hồ sơ", "Dossiers digitised"),
        ("e_results", "Cấp kết quả điện tử", "Electronic results"),
        ("publication", "Công bố, công khai TTHC", "Publication of procedures"),
        ("full_online_services", "DVC trực tuyến toàn trình", "Fully online services"),
        ("certified_copies", "Chứng thực bản sao điện tử", "Certified e-copies"),
        ("petitions", "Xử lý phản ánh, kiến nghị", "Petitions handled"),
        ("dossier_sync", "Đồng bộ hồ sơ lên Cổng DVCQG", "Dossiers synchronised"),
        ("satisfaction", "Mức độ hài lòng", "Satisfaction"),
    ) for indicator in _resolution(code, vi, en)),
    *stated(SYSTEM),
)  # fmt: skip
INDICATORS += as_reported(
    INDICATORS,
    "online_service_share",
    "online_dossier_share",
    *(f"payments_online_{kind}_{what}" for kind in ("tax", "fee") for what in ("count", "amount")),
    *(f"ii06_{column:02}" for column in range(3, 14)),
)
INDICATORS += rows(SYSTEM, *index766.scores(INDICATORS))
