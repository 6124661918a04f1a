"""Sources that fall silent: one rule for each system, since "overdue" means little while the books do not arrive."""

from __future__ import annotations

from schemas.alerts.alert import Alert, remembered
from schemas.registry import SYSTEMS
from schemas.sources import EMITTERS

PAYMENTS = "/payments/.+|/simulator/procedures/payments"
"""What the payment platform calls itself as a source."""
OURS = "|".join(EMITTERS)
LIVING = 'origin!="shifted"'
"""A scenario of the past has been told to its end and is not expected to go on."""


def stale(system: str, more: str) -> str:
    """The silent sources of a system. An emitter's source for one unit, as `/procedures/chon_thanh`, is that unit's."""
    silent = remembered(f'ioc_source_stale{{system="{system}",{LIVING},{more}}}') + " == 1"
    unit = f'label_replace({silent}, "unit", "all", "", "")'
    return f'label_replace({unit}, "unit", "$1", "source", "/(?:{OURS})/(.+)")'


ALERTS = (
    Alert(
        "PaymentPlatformSilent", "procedures", "critical", stale("procedures", f'source=~"{PAYMENTS}"'),
        "<unit>: nền tảng thanh toán không gửi dữ liệu lâu hơn mức bình thường (nguồn <source>)",
        "<unit>: the payment platform has been silent for longer than it ever is (source <source>)",
        "Gọi đầu mối của nền tảng thanh toán; trong khi chờ, hướng dẫn người dân nộp phí tại quầy.",
        "Call the payment platform's contact; meanwhile let citizens pay at the counter.",
        hold="5m", keep="5m", by_unit=True,
    ),
    # Told at once, though it took hours to come about: where "overdue" comes earlier, after a new start, it is not silent.
    *(Alert(
        "SourceStale", system, "warning", stale(system, f'source!~"{PAYMENTS}"'),
        f"<unit>: nguồn <source> của hệ thống {vi} không gửi dữ liệu lâu hơn mức bình thường; số liệu có thể đã cũ",
        f"<unit>: source <source> of {en} has been silent for longer than it ever is; figures may be old",
        "Kiểm tra đường truyền và phần mềm nguồn; báo người dùng rằng số liệu của nguồn này đang chờ cập nhật.",
        "Check the line and the source system; tell readers that this source's figures wait for news.",
        keep="1m", by_unit=True,
    ) for system, (_, vi, en) in SYSTEMS.items()),
)  # fmt: skip
