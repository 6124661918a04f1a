"""System 8: what is said of the locality in public."""

from __future__ import annotations

from schemas.indicators.formula import Combine, Ratio, Stock, Sum
from schemas.indicators.indicator import Indicator, rows

SYSTEM = "social"
_NEGATIVE = Sum("mentions", {"tone": ("negative",)})

INDICATORS = rows(
    SYSTEM,
    Indicator("mentions", "Lượt đề cập", "Mentions", Sum("mentions"), "mention", headline=True, classes="tone", windows=("today",)),
    Indicator("mentions_negative", "Lượt đề cập tiêu cực", "Negative mentions", _NEGATIVE, "mention", better="lower", windows=("today", "week")),
    Indicator("mentions_negative_share", "Tỷ lệ đề cập tiêu cực", "Share of negative mentions", Ratio(_NEGATIVE, Sum("mentions")), "%", 2, better="lower", headline=True),
    Indicator("topics_spiked", "Chủ đề tăng đột biến", "Sudden rises of a topic", Sum("topics_spiked"), "spike", headline=True),
    Indicator("crises_open", "Khủng hoảng truyền thông đang xử lý", "Crises going on", Combine((Stock("crises_opened"),), (Stock("crises_closed"),)), "crisis", better="lower", headline=True),
)  # fmt: skip
