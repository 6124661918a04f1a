"""What system 1 counts and sums: the measures that the folds of dossiers, payments and services add to."""

from __future__ import annotations

from schemas.fold import Measure

_DOSSIER = ("channel", "field", "level", "portal")
_SIGNS = ("dossiers_received", "dossiers_ended")
MEASURES = (
    Measure("dossiers_received", "dossier", _DOSSIER, "Hồ sơ tiếp nhận", "Dossiers received", covered_by=_SIGNS),
    Measure("dossiers_ended", "dossier", (*_DOSSIER, "outcome", "result"), "Hồ sơ kết thúc", "Dossiers ended", covered_by=_SIGNS),
    Measure("dossiers_pressing", "dossier", (*_DOSSIER, "stage"), "Hồ sơ sắp, đến hoặc quá hạn", "Open dossiers due soon, today or overdue (steps)", covered_by=_SIGNS),
    Measure("dossiers_processed", "dossier", ("field",), "Hồ sơ kết thúc sau khi tiếp nhận", "Dossiers ended after acceptance", covered_by=_SIGNS),
    Measure("processing_minutes", "minute", ("field",), "Thời gian xử lý", "Working time from acceptance to end", covered_by=_SIGNS),
    Measure("supplements_requested", "request", ("field",), "Lượt yêu cầu bổ sung", "Requests for supplements", covered_by=_SIGNS),
    Measure("dossiers_asked_again", "dossier", ("field", "state"), "Hồ sơ yêu cầu bổ sung quá một lần, chưa có kết quả", "Dossiers asked for supplements more than once, without a result (steps)", covered_by=_SIGNS),
    Measure("dossiers_disliked", "dossier", ("field",), "Hồ sơ không quá hạn bị đánh giá không hài lòng", "Dossiers disliked that were not overdue", covered_by=_SIGNS),
    Measure("procedure_fees", "dossier", ("paid", "procedure"), "Hồ sơ có nghĩa vụ tài chính theo thủ tục", "Dossiers with a financial obligation, by procedure", covered_by=_SIGNS),
    Measure("dossiers_extended", "dossier", ("field",), "Lượt gia hạn, xin lỗi", "Extensions with apology", covered_by=_SIGNS),
    Measure("dossiers_repromised", "dossier", ("field",), "Lượt hẹn lại không có thư xin lỗi", "Dates promised again without an extension", covered_by=_SIGNS),
    Measure("dossiers_with_fee", "dossier", ("field",), "Hồ sơ có nghĩa vụ tài chính", "Dossiers with a financial obligation", covered_by=_SIGNS),
    Measure("dossiers_paid_online", "dossier", ("field",), "Hồ sơ thanh toán trực tuyến", "Dossiers paid online", covered_by=_SIGNS),
    Measure("results_issued", "dossier", ("electronic", "field"), "Kết quả đã cấp", "Dossiers ending in a paper", covered_by=_SIGNS),
    Measure("dossiers_digitised", "dossier", ("field",), "Hồ sơ số hóa", "Dossiers digitised and with electronic result", covered_by=_SIGNS),
    Measure("dossiers_reusing", "dossier", ("field",), "Hồ sơ tái sử dụng dữ liệu", "Dossiers with a reused component", covered_by=_SIGNS),
    Measure("dossiers_from_store", "dossier", ("field",), "Hồ sơ dùng kho dữ liệu cá nhân", "Dossiers with a component from the store", covered_by=_SIGNS),
    Measure("dossiers_identified", "dossier", ("field",), "Hồ sơ xác thực dân cư", "Dossiers authenticated by population data", covered_by=_SIGNS),
    Measure("dossiers_synchronised", "dossier", ("field",), "Hồ sơ đồng bộ", "Dossiers synchronised to the national portal", covered_by=("dossiers_synchronised",)),
    Measure("dossier_ratings", "point", ("verdict",), "Điểm hài lòng", "Ratings, 1 to 5", covered_by=_SIGNS),
    Measure("service_dossiers", "dossier", ("procedure",), "Hồ sơ trực tuyến theo thủ tục", "Online dossiers by procedure", covered_by=_SIGNS),
    Measure("services_offered", "procedure", ("fee", "level"), "Thủ tục cung cấp", "Procedures on offer (steps)", covered_by=("services_offered",)),
    Measure("procedures_published", "procedure", ("complete", "in_time"), "Thủ tục công khai", "Publications of procedures", covered_by=("services_offered",)),
    Measure("payments", "VND", ("kind", "method"), "Thanh toán", "Payments: count and đồng", covered_by=("payments",)),
    Measure("refunds", "VND", ("kind",), "Hoàn trả", "Refunds: count and đồng", covered_by=("payments",)),
)  # fmt: skip
