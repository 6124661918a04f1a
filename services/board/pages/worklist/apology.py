"""The apology for a result that is late: form 04 with a new date, printed, and published as `dossier.extended`.

What is decided is the record in the audit, written together with the event as it will be sent: the letter is printed
from that record, and the event is sent when the broker takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from schemas.calendar import AFTERNOON, VN, local_day
from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event, Invalid, refuse_personal
from schemas.procedures import LONGEST_PROMISE, DossierExtended
from schemas.text import dates, moments
from services.board.access import Account
from services.board.auth import audit
from services.board.auth.audit import AuditRow
from services.board.live.query_pool import QueryPool
from services.board.pages.actions.alarm_client import ENOUGH, LONGEST_NOTE, InvalidInput, Outcome, not_tried, plain
from services.board.pages.actions.decisions import Decision, event_about, lay_down
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, tag
from services.board.ui.words import unit_name, word
from services.kit import clock
from services.kit.facts import stored_calendars

DEED = "dossier.extended"


class Dossier(NamedTuple):
    """A dossier as it is folded, as far as a new date depends on it."""

    id: str
    unit: str
    origin: str
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    state: dict[str, Any]
    extended: bool


class Apology(NamedTuple):
    """What stands on the form. `promised`: the date that was not kept; `reason`: as typed, free of personal data."""

    code: str
    unit: str
    procedure: str
    received: date
    promised: date
    day: date
    reason: str
    signed: date
    origin: str


def wish(day: str, reason: str, now: datetime) -> tuple[date, str]:
    """The new day and the reason as typed; raises `Wrong`."""
    try:
        wanted = moments.read(day).day()
    except moments.NoMoment:
        raise InvalidInput("bad_day") from None
    reason = " ".join(plain(reason).split())
    if not 3 <= len(reason) <= LONGEST_NOTE:
        raise InvalidInput("reason_missing")
    try:
        refuse_personal("reason", reason)
    except Invalid:
        raise InvalidInput("note_personal") from None
    if wanted <= local_day(now):
        raise InvalidInput("day_past")
    return wanted, reason


def promise_of(day: date) -> datetime:
    """A promise for a day is kept until the office closes."""
    return datetime.combine(day, AFTERNOON[1], VN)


def refusal(dossier: Dossier | None, day: date, now: datetime, calendars: CalendarHistory) -> str | None:
    """Why this dossier cannot be promised anew for that day, as a word of the board; None: it can."""
    if dossier is None or dossier.ended_at is not None:
        return "not_open"
    if dossier.due_at is None:
        return "no_promise"
    if dossier.extended:
        return "extended_before"
    if dossier.state.get("waiting"):
        return "awaits_papers"
    if promise_of(day) > now + LONGEST_PROMISE:
        return "day_too_far"
    if not calendars.at(now).is_working_day(day):
        return "no_working_day"
    return "day_not_later" if promise_of(day) <= dossier.due_at else None


def event_of(dossier: Dossier, day: date, now: datetime) -> Event:
    """The event that gives the new date, under the one id of a dossier's extension."""
    said = DossierExtended(code=dossier.id, promised_at=promise_of(day))
    return event_about(dossier, said, f"{dossier.id}/extended", now)


class Extending:
    """Gives dossiers a new date, one by one: record and event are laid down together or not at all."""

    def __init__(self, pool: AsyncConnectionPool, reading: QueryPool) -> None:
        self._pool, self._reading = pool, reading

    async def do(self, codes: Sequence[str], day: date, reason: str, by: Account, sent: bool) -> list[Outcome]:
        """What became of each dossier. `sent`: the broker answers, so the events go out at once."""
        calendars, found = await self._reading(
            lambda conn: (stored_calendars(conn), [_dossier(conn, code) for code in codes])
        )
        outcomes: list[Outcome] = []
        for code, dossier in zip(codes, found, strict=True):
            now = clock.now()
            why = refusal(dossier, day, now, calendars)
            refused = Outcome(_key(code), False, why or "not_open")
            outcomes.append(refused if why or dossier is None else await self._one(dossier, day, reason, now, by, sent))
            if outcomes[-1].said in ENOUGH:
                break
        return outcomes + not_tried(map(_key, codes[len(outcomes) :]))

    async def _one(self, dossier: Dossier, day: date, reason: str, now: datetime, by: Account, sent: bool) -> Outcome:
        async def barred(conn: AsyncConnection) -> str | None:
            return "extended_before" if await _apology(conn, dossier.id) else None

        key, event = _key(dossier.id), event_of(dossier, day, now)
        done = Outcome(key, True, "done_extend" if sent else "done_extend_later", dates.day(day))
        decided = Decision(key, DEED, dossier.id, _detail(dossier, day, reason), event, done)
        return await lay_down(self._pool, by, decided, barred)


def _key(code: str) -> str:
    return f"dossier:{code}"


def _detail(dossier: Dossier, day: date, reason: str) -> dict[str, str]:
    assert dossier.due_at is not None
    days = {"received": local_day(dossier.opened_at), "promised": local_day(dossier.due_at), "day": day}
    detail = {"unit": dossier.unit, "origin": dossier.origin, "reason": reason}
    detail["procedure"] = str(dossier.state.get("procedure", ""))
    return detail | {name: when.isoformat() for name, when in days.items()}


def _dossier(conn: Connection, code: str) -> Dossier | None:
    with conn.cursor(row_factory=class_row(Dossier)) as cursor:
        return cursor.execute(_DOSSIER, [code]).fetchone()


async def _apology(conn: AsyncConnection, code: str) -> AuditRow | None:
    return next((deed for deed in await audit.latest(conn, code) if deed.action == DEED), None)


async def given(conn: AsyncConnection, code: str) -> Apology | None:
    """The apology that was made for a dossier; None: none was."""
    deed = await _apology(conn, code)
    if deed is None:
        return None
    detail = deed.detail
    received, promised, day = (date.fromisoformat(detail[name]) for name in ("received", "promised", "day"))
    return Apology(
        code, detail["unit"], detail["procedure"], received, promised, day, detail["reason"], local_day(deed.at),
        detail.get("origin", "real"),
    )  # fmt: skip


def sheet(context: PageContext, apologies: Sequence[Apology]) -> Html:
    """The forms, one on a page."""
    back = tag("p", tag("button", context.word("print"), type="button", class_="plain", data_print=""), class_="tools")
    return tag("main", back, *(_form(apology) for apology in apologies), class_="letters")


def _form(a: Apology) -> Html:
    """Form 04, in Vietnamese whoever prints it; the applicant's name is written by hand."""
    unit = unit_name(a.unit, "vi", a.signed)
    return tag(
        "article",
        "" if a.origin == "real" else _unreal(a.origin),
        tag("p", "Mẫu số 04", class_="number"),
        tag(
            "div",
            tag("p", tag("strong", unit.upper()), tag("br"), "BỘ PHẬN TIẾP NHẬN VÀ TRẢ KẾT QUẢ"),
            tag(
                "p", tag("strong", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), tag("br"),
                tag("strong", "Độc lập - Tự do - Hạnh phúc", class_="motto"),
            ),
            class_="letterhead",
        ),
        tag("p", f"………………, {_written(a.signed)}", class_="place"),
        tag("h1", "PHIẾU XIN LỖI VÀ HẸN LẠI NGÀY TRẢ KẾT QUẢ"),
        tag("p", "Kính gửi: ", tag("span", class_="blank"), class_="to"),
        tag(
            "p",
            f"{_written(a.received).capitalize()}, {unit} tiếp nhận giải quyết hồ sơ của Ông/Bà/Tổ chức, mã hồ sơ: ",
            tag("strong", a.code), f"; thủ tục hành chính: {a.procedure or '………………'}.",
        ),
        tag("p", "Thời gian hẹn trả kết quả giải quyết hồ sơ: ", tag("strong", _written(a.promised)), "."),
        tag(
            "p",
            f"Tuy nhiên đến nay, {unit} chưa trả kết quả giải quyết hồ sơ của Ông/Bà/Tổ chức đúng thời hạn quy định. "
            f"Lý do: {a.reason}{'' if a.reason.endswith('.') else '.'}",
        ),
        tag(
            "p",
            f"{unit} xin lỗi Ông/Bà/Tổ chức và sẽ trả kết quả giải quyết hồ sơ vào ",
            tag("strong", _written(a.day)), ".",
        ),
        tag(
            "p",
            "Sự chậm trễ này đã gây phiền hà, tốn kém chi phí, công sức của Ông/Bà/Tổ chức. "
            f"{unit} mong nhận được sự thông cảm của Ông/Bà/Tổ chức.",
        ),
        tag(
            "div", tag("p", tag("strong", "THỦ TRƯỞNG ĐƠN VỊ"), tag("br"), tag("em", "(Ký, ghi rõ họ tên, đóng dấu)")),
            class_="signature",
        ),
        lang="vi",
    )  # fmt: skip


def _unreal(origin: str) -> Html:
    return tag("p", tag("span", word(origin, "vi"), " – KHÔNG CÓ GIÁ TRỊ PHÁP LÝ", class_="origin"))


def _written(day: date) -> str:
    return f"ngày {day:%d} tháng {day:%m} năm {day.year}"


_DOSSIER = """
SELECT id, unit, origin, opened_at, due_at, ended_at, state,
    jsonb_path_exists(facts, 'strict $[*] ? (@[2] == "dossier.extended")') AS extended
FROM entity WHERE kind = 'dossier' AND id = %s AND opened_at IS NOT NULL
"""
