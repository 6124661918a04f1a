"""The domain's own alarms: which events raise one, and when the thing they are about is over. All of it is pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from schemas import cases
from schemas.envelope import Event
from schemas.field import REACHED
from schemas.fold import Fact, instant
from schemas.indicators.label_texts import label_text
from schemas.registry import FOLDS
from services.notifier.alarm import Raise, Severity, dashboard

FORGOTTEN = timedelta(days=1)
"""What is not folded so long after its event is known no more: the horizon has passed over it."""


class Kind(NamedTuple):
    """How an event becomes an alarm. Texts are filled with `words`; `due` names the field with the time not kept."""

    type: str
    vi: str
    en: str
    do_vi: str
    do_en: str
    severity: Callable[[Mapping[str, Any]], Severity]
    due: str = ""


class State(NamedTuple):
    """An entity as it is folded now; `facts` only where the kind needs them."""

    version: int
    ended_at: datetime | None
    due_at: datetime | None
    state: dict[str, Any]
    facts: list[Fact]


def _warning(_: Mapping[str, Any]) -> Severity:
    return "warning"


def _by_level(data: Mapping[str, Any]) -> Severity:
    levels: dict[str, Severity] = {"low": "info", "medium": "warning", "high": "critical", "critical": "critical"}
    return levels[data["severity"]]


KINDS: dict[str, Kind] = {
    "dossier.overdue": Kind(
        "DossierOverdue",
        "Hồ sơ quá hạn trả kết quả",
        "Dossier overdue",
        "Giải quyết ngay; gửi thư xin lỗi, hẹn lại ngày trả cho người dân, doanh nghiệp.",
        "Finish it now; send the applicant an apology with a new date.",
        _warning,
        "promised_at",
    ),
    "report.overdue": Kind(
        "ReportOverdue",
        "Phản ánh hiện trường quá hạn {vi}",
        "Field report overdue: un{en}",
        "Mở phản ánh, {vi} ngay và trả lời người phản ánh.",
        "Open the report, have it {en} now and answer the citizen.",
        _warning,
        "due_at",
    ),
    "incident.opened": Kind(
        "IncidentOpened",
        "Sự cố an toàn thông tin: {vi}",
        "Security incident: {en}",
        "Kích hoạt phương án ứng cứu, cô lập hệ thống bị ảnh hưởng, báo cáo lãnh đạo.",
        "Start the response plan, isolate what is affected, report to the leadership.",
        _by_level,
    ),
    "crisis.opened": Kind(
        "CrisisOpened",
        "Khủng hoảng truyền thông: {vi}",
        "Crisis in social media: {en}",
        "Xác minh thông tin, thống nhất người phát ngôn và nội dung trả lời.",
        "Verify what is said, agree on who speaks and what is answered.",
        _by_level,
    ),
}
"""Event -> the alarm that it raises."""
_STAGES = {
    "route": ("chuyển xử lý", "routed"),
    "accept": ("tiếp nhận xử lý", "accepted"),
    "resolve": ("trả kết quả", "resolved"),
}
_THREATS = {
    "malware": ("mã độc", "malware"),
    "intrusion": ("xâm nhập trái phép", "intrusion"),
    "phishing": ("lừa đảo trực tuyến", "phishing"),
    "denial_of_service": ("tấn công từ chối dịch vụ", "denial of service"),
    "defacement": ("thay đổi giao diện", "defacement"),
    "data_leak": ("lộ lọt dữ liệu", "data leak"),
    "vulnerability": ("lỗ hổng bảo mật", "vulnerability"),
    "misuse": ("sử dụng sai quy định", "misuse"),
    "other": ("khác", "other"),
}


WORK = "work"
"""The stage of an alarm about a dossier that was given to somebody before it is overdue."""


def work(id: str, unit: str, origin: str, now: datetime) -> Raise:
    """The alarm by which an open dossier without one is given as work: it is over when the dossier ends."""
    return Raise(
        way="event",
        originator=f"dossier:{id}/{WORK}",
        type="DossierAssigned",
        severity="info",
        system="procedures",
        unit=unit,
        origin=origin,
        vi="Hồ sơ được giao giải quyết",
        en="Dossier given as work",
        do_vi="Giải quyết trước ngày được giao, cập nhật kết quả điện tử.",
        do_en="Finish it before the day that was named, with its result as a signed file.",
        dashboard=dashboard("procedures", unit),
        kind="dossier",
        entity=id,
        stage=WORK,
        due_at=now,
    )


def to_raise(event: Event) -> Raise | None:
    """The alarm that an event raises; None for one that raises none."""
    kind = KINDS.get(event.data.event)
    if kind is None:
        return None
    data = event.fields
    entity, stage = event.touches[0], data.get("stage")
    vi, en = _words(data)
    return Raise(
        way="event",
        originator=f"{entity.kind}:{entity.id}" + (f"/{event.unit}" if stage else ""),
        type=kind.type,
        severity=kind.severity(data),
        system=event.data.system,
        unit=event.unit,
        origin=event.origin,
        vi=kind.vi.format(vi=vi),
        en=kind.en.format(en=en),
        do_vi=kind.do_vi.format(vi=vi),
        do_en=kind.do_en.format(en=en),
        dashboard=dashboard(event.data.system, event.unit),
        kind=entity.kind,
        entity=entity.id,
        stage=stage,
        due_at=instant(data[kind.due]) if kind.due else event.time,
        office=_office(event, entity.kind),
        level=data["severity"] if kind.severity is _by_level else None,
    )


def _office(event: Event, kind: str) -> str | None:
    """Whose case it is about: named by the event, or whoever begins it, as another office may give the same number."""
    named: str | None = event.fields.get("office")
    begins = getattr(FOLDS[kind], "opens", None) == event.data.event
    return named or (event.unit if begins else None)


def _words(data: Mapping[str, Any]) -> tuple[str, str]:
    """What the alarm is about, in both languages."""
    if stage := data.get("stage"):
        return _STAGES[stage]
    if category := data.get("category"):
        return _THREATS[category]
    topic = str(data.get("topic", ""))
    return label_text("topic", topic, "vi"), label_text("topic", topic, "en")


def is_over(kind: str, stage: str | None, due_at: datetime, found: State, now: datetime) -> bool:
    """Whether the thing that raised an alarm about `due_at` needs nobody any more, by its folded state."""
    if found.ended_at is not None and kind != "report":
        return True
    if kind == "dossier":
        return stage != WORK and _is_kept(found, now)
    return kind == "report" and (_is_reached(stage or "", due_at, found.facts) or _has_passed_on(due_at, found))


def _is_kept(dossier: State, now: datetime) -> bool:
    """The promise was moved, or the clock stood before it was broken."""
    return dossier.due_at is not None and "overdue" not in dict(cases.reached(dossier.state, now))


def _has_passed_on(due_at: datetime, report: State) -> bool:
    """Another unit has the report by now, with a clock of its own."""
    ahead = report.state.get(cases.STATE)
    return ahead is not None and all(instant(due) != due_at for _, due in ahead)


def _is_reached(stage: str, due_at: datetime, facts: list[Fact]) -> bool:
    """Whether the stage was reached in the stretch (since receipt, or since a reopening) in which it was due."""
    starts = [f.time for f in facts if f.event in ("report.received", "report.reopened") and f.time <= due_at]
    return any(f.event in REACHED[stage] and f.time >= max(starts, default=f.time) for f in facts)
