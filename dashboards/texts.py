"""Words in both languages: what panels are called, what class values and states mean."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from schemas.calendar import WORKING_DAY
from schemas.indicators.indicator import Indicator
from schemas.indicators.label_texts import CATEGORIES as CATEGORIES
from schemas.indicators.label_texts import CHANNELS as CHANNELS
from schemas.indicators.label_texts import CLASS_TITLES as CLASS_TITLES
from schemas.indicators.label_texts import CLASSES as CLASSES
from schemas.indicators.label_texts import LAYERS as LAYERS
from schemas.indicators.label_texts import Language as Language
from schemas.indicators.label_texts import Text as Text
from schemas.indicators.label_texts import Words as Words
from schemas.registry import SYSTEMS

LANGUAGES: tuple[Language, ...] = ("vi", "en")


FOLDERS = Text("Trung tâm điều hành", "Operations centre")
NO_DATA = Text("không có dữ liệu", "no data")
WHOLE = Text("Toàn địa bàn", "Whole locality")
LANGUAGE_LINK = Text("English", "Tiếng Việt")
"""The link to the other language, in that language."""
OVERVIEW = Text("Toàn cảnh điều hành", "Overview")
PLATFORM = Text("Sức khỏe nền tảng", "Platform health")

TITLES: Words = {
    "overview": OVERVIEW,
    **{slug: Text(vi, en) for slug, (_, vi, en) in SYSTEMS.items()},
    "platform": PLATFORM,
}
"""The ten dashboards, in the order of the menu."""

ORIGINS: Words = {
    "real": Text("Số liệu thật", "Real data"),
    "shifted": Text("SHIFTED: số liệu thật, chuyển ngày", "SHIFTED: real data moved in time"),
    "simulated": Text("SIMULATED: số liệu mô phỏng", "SIMULATED: simulated data"),
}
COMPARE: Words = {
    "previous": Text("Kỳ trước liền kề", "Period just before"),
    "year": Text("Cùng kỳ năm trước", "Same period last year"),
}
SEVERITIES: Words = {
    "critical": Text("nghiêm trọng", "critical"),
    "warning": Text("cảnh báo", "warning"),
    "info": Text("thông tin", "info"),
}
STATUSES: Words = {
    "active": Text("chưa tiếp nhận", "not acknowledged"),
    "acknowledged": Text("đã tiếp nhận", "acknowledged"),
    "assigned": Text("đã phân công", "assigned"),
    "cleared": Text("đã kết thúc", "over"),
}
SERVICES: Words = {
    "aggregator": Text("Bộ tổng hợp", "Aggregator"),
    "board": Text("Bảng điều hành", "Board"),
    "deadlines": Text("Theo dõi thời hạn", "Deadlines"),
    "emitters": Text("Cổng tiếp nhận", "Ingest"),
    "exporter": Text("Bộ đọc số liệu", "Exporter"),
    "ingest": Text("Cổng tiếp nhận", "Ingest"),
    "notifier": Text("Báo tin", "Notifier"),
    "simulator": Text("Bộ mô phỏng", "Simulator"),
    "upkeep": Text("Bảo trì", "Upkeep"),
}
AIM = Text("Mục tiêu", "Target")
REACHED: Words = {"1": Text("đạt", "reached"), "0": Text("chưa đạt", "not reached")}
STALE: Words = {"0": Text("đúng nhịp", "in rhythm"), "1": Text("im lặng quá lâu", "silent too long")}
UP: Words = {"1": Text("đang chạy", "up"), "0": Text("không trả lời", "down")}
WRITABLE: Words = {"1": Text("nhận tin", "takes messages"), "0": Text("ngừng nhận tin", "takes no more")}


MONEY = Text("đ", "VND")


class Clock(NamedTuple):
    """In what durations are shown: the unit's name and length."""

    name: Text
    length: timedelta


HOURS = Clock(Text("giờ", "hours"), timedelta(hours=1))
WORKING_DAYS = Clock(Text("ngày làm việc", "working days"), WORKING_DAY)


def clock_of(indicator: Indicator) -> Clock | None:
    """In what a figure's durations are shown; None for a figure that is no duration."""
    if indicator.unit != "minute":
        return None
    return WORKING_DAYS if indicator.working else HOURS


def shown_as(indicator: Indicator, expression: str, base: timedelta = timedelta(seconds=1)) -> str:
    """A query's expression of a figure (durations in units of `base`) as it is shown."""
    clock = clock_of(indicator)
    return f"({expression}) / {clock.length // base}" if clock else expression


def name(indicator: Indicator) -> Text:
    """What a figure is called; money says its currency and a duration its unit, since a suffix would cost the grouping
    of its digits."""
    measured = MONEY if indicator.unit == "VND" else clock.name if (clock := clock_of(indicator)) else None
    return (
        Text(f"{indicator.vi} ({measured.vi})", f"{indicator.en} ({measured.en})")
        if measured
        else Text(indicator.vi, indicator.en)
    )


def aim(indicator: Indicator) -> Text:
    """The target as it is printed, with the decimal sign of each language: `≤ 0,5%`; empty without one."""
    if indicator.target is None:
        return Text("", "")
    text = f"{indicator.bound} {indicator.target.normalize():f}{'%' if indicator.unit == '%' else ''}"
    return Text(text.replace(".", ","), text)
