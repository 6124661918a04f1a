"""What people read: Vietnamese first, then English. Pure; for who is outside the number of every case is masked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from schemas import units
from schemas.codes import masked, masked_text
from schemas.text.dates import day_and_time
from services.notifier.alarm import NAMES, RANKS, RUNBOOKS, SEVERITIES, Alarm, Severity
from services.notifier.escalation import Occasion

CASES = 10
"""So many cases of one line are named; the rest is counted."""
LONGEST = 30
"""Lines of a message that joins many alarms; the rest is counted."""
_TEXTS = ("originator", "unit", "vi", "en", "do_vi", "do_en", "dashboard")
"""What of an alarm is written into a message and may name a case."""
_ORIGINS = {"simulated": ("MÔ PHỎNG", "SIMULATED"), "shifted": ("SỐ LIỆU CHUYỂN NGÀY", "SHIFTED")}
_OCCASIONS: dict[Occasion, tuple[str, str]] = {
    "raised": ("Mới phát sinh", "New"),
    "escalated": ("Chưa có người tiếp nhận", "Not acknowledged yet"),
    "deadline": ("Quá hạn xử lý đã giao", "The deadline set for it has passed"),
    "reopened": ("Cần tiếp nhận lại", "To be acknowledged anew"),
    "cleared": ("Đã kết thúc", "Over"),
}
_REPEAT = (
    "Gửi lại: có thể anh/chị đã nhận được thông báo này.",
    "Sent again: you may have received this message before.",
)


class About(NamedTuple):
    """An alarm, and why a person is told of it now."""

    alarm: Alarm
    occasion: Occasion


class Links(NamedTuple):
    """Where people reach Grafana and the notifier, without a slash at the end."""

    grafana: str
    notifier: str


class Message(NamedTuple):
    """A message as it is sent."""

    title: str
    body: str
    severity: Severity


def message(number: int, abouts: Sequence[About], links: Links, repeat: bool = False, inside: bool = False) -> Message:
    """The message about one alarm or many. `number` is the same whenever it is sent again. `inside`: for who may
    open the cases."""
    if not inside:
        abouts = [about._replace(alarm=_outside(about.alarm)) for about in abouts]
    severity = max((about.alarm.severity for about in abouts), key=RANKS.__getitem__)
    title, lines = _single(abouts[0], links) if len(abouts) == 1 else _joined(abouts, links)
    if repeat:
        title, lines = repeated(title, lines)
    body = "\n".join([*lines, "", f"Thông báo số / Message: {number}"])
    return Message(title, body, severity)


def repeated(title: str, lines: Sequence[str]) -> tuple[str, list[str]]:
    """A message's title and lines, marked as sent again."""
    return f"[Gửi lại / Repeat] {title}", [*_REPEAT, "", *lines]


def _outside(alarm: Alarm) -> Alarm:
    """The alarm without what opens a case: its own number, whatever that looks like, and those that its texts name."""
    own = alarm.entity
    hidden: dict[str, Any] = {"entity": masked(own) if own else None}
    for name in _TEXTS:
        text: str = getattr(alarm, name)
        hidden[name] = masked_text(text.replace(own, hidden["entity"]) if own else text)
    return alarm._replace(**hidden)


def unit_name(code: str) -> tuple[str, str]:
    """A unit's name in both languages; the whole locality's for `all`, the code itself where it is unknown."""
    if code == "all":
        return "Toàn địa bàn", "Whole locality"
    try:
        unit = units.get(code)
    except units.UnknownUnit:
        return code, code
    return unit.name_vi, unit.name_en


def _single(about: About, links: Links) -> tuple[str, list[str]]:
    alarm, occasion = about
    severity, system, unit = SEVERITIES[alarm.severity], NAMES[alarm.system], unit_name(alarm.unit)
    state, origin = _OCCASIONS[occasion], _ORIGINS.get(alarm.origin)
    over = occasion == "cleared"
    head = "ĐÃ KẾT THÚC" if over else severity[0].upper()
    title = " ".join([f"[{head}]", *([f"[{origin[0]}]"] if origin else []), f"{unit[0]}: {alarm.vi}"])
    subject = alarm.originator if alarm.way == "event" else ""
    lines = [
        *([" / ".join(origin)] if origin else []),
        f"{state[0]}: {alarm.vi}",
        f"Mức độ: {severity[0]}. Hệ thống: {system[0]}. Đơn vị: {unit[0]}.",
        *([f"Đối tượng: {subject}"] if subject else []),
        f"Từ lúc: {day_and_time(alarm.raised_at)}" + (f". Hạn: {day_and_time(alarm.due_at)}" if alarm.due_at else ""),
        *([f"Việc cần làm: {alarm.do_vi}"] if alarm.do_vi and not over else []),
        "",
        f"{state[1]}: {alarm.en}",
        f"{severity[1]}. {system[1]}. {unit[1]}.",
        *([f"What to do: {alarm.do_en}"] if alarm.do_en and not over else []),
        "",
        f"Biểu đồ / Dashboard: {links.grafana}{alarm.dashboard}",
        f"Hướng dẫn / Runbook: {links.notifier}/runbooks/{RUNBOOKS.get(alarm.type, alarm.type)}",
    ]
    return title, lines if over else [*lines, f"Tiếp nhận / Acknowledge: ioc alarms ack {alarm.id}"]


def _joined(abouts: Sequence[About], links: Links) -> tuple[str, list[str]]:
    """Many alarms in one message: alike ones of a unit on one line, the gravest first."""
    ordered = sorted(abouts, key=_order)
    groups = [(key, list(members)) for key, members in groupby(ordered, key=_order)]
    shown = [line for _, members in groups[:LONGEST] for line in _line(members)]
    rest = sum(len(members) for _, members in groups[LONGEST:])
    severity = max((about.alarm.severity for about in abouts), key=RANKS.__getitem__)
    marks = [f"[{_ORIGINS[o][0]}]" for o in sorted({a.alarm.origin for a in abouts} & _ORIGINS.keys())]
    title = " ".join([f"[{SEVERITIES[severity][0].upper()}]", *marks, f"{len(abouts)} cảnh báo / alarms"])
    more = [f"… và {rest} cảnh báo khác / and {rest} more"] if rest else []
    return title, [*shown, *more, "", "Danh sách / List: ioc alarms list", f"{links.grafana}/d/ioc-overview"]


def _order(about: About) -> tuple[bool, int, str, str, str, str, str]:
    alarm = about.alarm
    over = about.occasion == "cleared"
    return over, -RANKS[alarm.severity], alarm.system, alarm.unit, alarm.origin, about.occasion, alarm.vi


def _line(members: Sequence[About]) -> list[str]:
    alarm, occasion = members[0]
    state, unit, origin = _OCCASIONS[occasion], unit_name(alarm.unit), _ORIGINS.get(alarm.origin, ("", ""))
    count = f": {len(members)}" if len(members) > 1 else ""
    numbers = ", ".join(str(about.alarm.id) for about in members[:5]) + (", …" if len(members) > 5 else "")
    vi = f"• {' '.join([*([f'[{origin[0]}]'] if origin[0] else []), unit[0]])}: {alarm.vi}{count} ({state[0].lower()})"
    en = f"  {unit[1]}: {alarm.en}{count} ({state[1].lower()}) — số / no. {numbers}"
    cases = list(dict.fromkeys(about.alarm.entity for about in members if about.alarm.entity))
    named = "  " + ", ".join(cases[:CASES]) + (f", … (+{len(cases) - CASES})" if len(cases) > CASES else "")
    return [vi, en, named] if cases else [vi, en]
