"""The answers of the read API as models, of which its OpenAPI is made, and how each is made of readings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from psycopg import Connection
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas import units
from schemas.codes import HIDDEN, masked_id, masked_text
from schemas.indicators import Indicator
from schemas.indicators.formula import describe
from schemas.text import moments
from schemas.units import LEVELS, Unit
from services.board.access import FEW, Account
from services.board.api.questions import Question
from services.board.ui.redaction import findings_for, shown_to
from services.readings import Period, Reading, explain, findings, sheet, values
from services.readings.finding import Handling, Severity
from services.readings.period import midnight
from services.readings.reasons import Reason
from services.readings.sources import sources

Status = Literal["final", "incomplete", "no_data", "suppressed"]
Number = Annotated[str | None, Field(description="a decimal number as text, so that none of its digits is lost")]
LASTING = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class Answer(BaseModel):
    """What all answers have in common."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class AnswerScope(Answer):
    """Of which unit, which local days, as of when the answer is."""

    unit: str | None = Field(description="the unit's code; null: the whole locality", examples=["dong_xoai"])
    unit_name: str | None = Field(description="its Vietnamese name at that time", examples=["Thành phố Đồng Xoài"])
    first: date = Field(alias="from", examples=["2024-11-01"])
    last: date = Field(alias="to", examples=["2024-11-30"])
    as_of: datetime = Field(description="what was so then, by event time")


class Figure(Answer):
    """A figure of an indicator, for the whole question or for one of its groups."""

    indicator: str = Field(examples=["payments_fee_count"])
    vi: str
    en: str
    group: str | None = Field(description="a unit's code, `2024-11-05T07`, `2024-11-05`, `2024-11` or a class")
    group_name: str | None = Field(description="a unit's Vietnamese name")
    value: Number = Field(description="rounded half up as printed", examples=["2024"])
    exact: Number
    measured_in: str = Field(examples=["payment"])
    status: Status = Field(
        description="`final`: its period is over (what is told late may still correct it); `incomplete`: it goes on; "
        "`no_data`: see `reason`; `suppressed`: too few people to be told"
    )
    reason: str | None
    reason_vi: str | None
    target: Number
    met: bool | None = Field(description="whether the target is met")
    origins: list[str] = Field(description="`real`, `shifted` or `simulated`")
    link: str = Field(description="where the board opens it")


class Figures(AnswerScope):
    """The figures of an indicator or a sheet."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "unit": "dong_xoai",
                "unit_name": "Thành phố Đồng Xoài",
                "from": "2024-11-01",
                "to": "2024-11-30",
                "as_of": "2024-11-30T16:59:59.999999Z",
                "by": None,
                "figures": [
                    {
                        "indicator": "payments_fee_count",
                        "vi": "Nộp phí, lệ phí, mọi hình thức: số giao dịch",
                        "en": "Fee payments by any method",
                        "group": None,
                        "group_name": None,
                        "value": "2050",
                        "exact": "2050",
                        "measured_in": "transaction",
                        "status": "final",
                        "reason": None,
                        "reason_vi": None,
                        "target": None,
                        "met": None,
                        "origins": ["real"],
                        "link": "http://127.0.0.1:8020/figure/payments_fee_count?unit=dong_xoai&first=2024-11-01"
                        "&last=2024-11-30&as_of=2024-11-30T16%3A59%3A59.999999%2B00%3A00",
                    }
                ],
            }
        }
    )
    by: str | None
    figures: list[Figure]


class FormulaPart(Answer):
    """A part of a formula with its value."""

    depth: int
    role: str
    formula: str
    value: Number
    reason: str | None


class FigureSource(Answer):
    """A source that the figure rests on."""

    source: str
    system: str
    events: int
    last_time: datetime
    last_recorded: datetime


class Event(Answer):
    """An event behind the figure; its id is masked."""

    source: str
    id: str
    type: str
    unit: str
    time: datetime
    erased: str | None


class Explained(AnswerScope):
    """A figure opened: formula, parts, sources, events."""

    figure: Figure
    formula: str
    parts: list[FormulaPart]
    sources: list[FigureSource]
    events: int
    history: bool = Field(description="whether the events are all that ever moved it")
    sample: list[Event]


class Explanations(Answer):
    """One for each indicator that was asked for."""

    explanations: list[Explained]


class Disagreement(Answer):
    """Two figures that should agree and do not, or events that are odd."""

    code: str
    vi: str
    en: str
    unit: str | None
    first: date | None = Field(alias="from")
    last: date | None = Field(alias="to")
    left: Number
    right: Number
    missing: Number
    what: str
    figures: list[str] = Field(description="the indicators that rest on it")
    evidence: list[str] = Field(description="ids of events, masked")
    events: int | None
    severity: Severity = Field(description="how grave it is")
    first_seen: datetime | None = Field(description="since when the board knows it; null: it has not looked since")
    taken_by: str | None = Field(description="the account that looks after it")
    taken_at: datetime | None
    resolved_by: str | None = Field(description="the account that said it is settled; other numbers open it anew")
    resolved_at: datetime | None
    note: str | None = Field(description="what they wrote about it")


class Disagreements(Answer):
    """All that is known at a moment."""

    as_of: datetime
    findings: list[Disagreement]


class Entry(Answer):
    """An indicator of the catalogue."""

    code: str = Field(examples=["online_dossier_share"])
    system: str
    vi: str
    en: str
    measured_in: str
    decimals: int
    target: Number
    better: Literal["higher", "lower"] | None
    formula: str


class Catalogue(Answer):
    """The catalogue of indicators."""

    indicators: list[Entry]


class Place(Answer):
    """An administrative unit as it was called on a day."""

    code: str = Field(examples=["phuong_chon_thanh"])
    level: str
    name_vi: str
    name_en: str
    parent: str | None
    valid_from: date | None
    valid_to: date | None
    successors: Annotated[list[str], BeforeValidator(list)]


class Places(Answer):
    """The units of a day."""

    date: date
    units: list[Place]


class Freshness(Answer):
    """A source, and how long it has been silent."""

    system: str
    source: str
    origin: str
    events: int
    last_time: datetime
    last_recorded: datetime
    stale: bool = Field(description="silent for longer than it should be")
    ended: bool = Field(description="said to have ended for good")


class Sources(Answer):
    """Every source that ever sent."""

    as_of: datetime
    sources: list[Freshness]


def figures(conn: Connection, account: Account, question: Question, home: str) -> Figures:
    """The figures as `ioc query` gives them; `home`: the board's address."""
    found = sheet(conn, question.indicators, question.unit, question.period, question.by, aligned=True)
    shown = shown_to(account, [reading for some in found for reading in some], question.whole)
    return Figures(**_scope_of(question), by=question.by, figures=[_figure(r, question, home) for r in shown])


def _scope_of(question: Question) -> dict[str, Any]:
    name = units.on(question.unit, question.period.last).name_vi if question.unit else None
    period = question.period
    return {
        "unit": question.unit, "unit_name": name, "first": period.first, "last": period.last, "as_of": period.as_of
    }  # fmt: skip


def _figure(r: Reading, question: Question, home: str) -> Figure:
    shown_values = values.reading_values(r, None)
    group = r.group if question.by else None
    name = units.on(r.group, question.period.last).name_vi if question.by == "unit" else None
    reason_vi = r.reason.vi if isinstance(r.reason, Reason) else None
    about = {"vi": r.indicator.vi, "en": r.indicator.en, "group": group, "group_name": name, "reason_vi": reason_vi}
    return Figure(**shown_values, **about, status=_status(r, question), link=_link(r, question, home))


def _status(r: Reading, question: Question) -> Status:
    if r.value is None:
        return "suppressed" if r.reason == FEW else "no_data"
    first, last = _days(r, question)
    if question.by == "hour":
        end = midnight(first) + timedelta(hours=int(r.group[-2:]) + 1)
    else:
        end = midnight(last + timedelta(days=1))
    return "final" if end <= question.period.as_of + timedelta(microseconds=1) else "incomplete"


def _days(r: Reading, question: Question) -> tuple[date, date]:
    """The days that a figure is of."""
    period: Period = question.period
    if question.by not in ("hour", "day", "month"):
        return period.first, period.last
    first, last = moments.read(r.group.partition("T")[0]).days()
    return max(first, period.first), min(last, period.last)


def _link(r: Reading, question: Question, home: str) -> str:
    first, last = _days(r, question)
    query = {
        "unit": r.group if question.by == "unit" else question.unit,
        "first": None if question.period.open_start and question.by not in ("hour", "day", "month") else first,
        "last": last,
        "as_of": question.period.as_of.isoformat() if question.lasting else None,
    }
    shown_values = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{home}/figure/{r.indicator.code}?{shown_values}"


def explanations(conn: Connection, account: Account, question: Question, home: str) -> Explanations:
    """Figures opened, as `ioc explain` does; of events of other units and of cases only what an account may see."""
    return Explanations(explanations=[_explained(conn, account, question, one, home) for one in question.indicators])


def _explained(conn: Connection, account: Account, question: Question, indicator: Indicator, home: str) -> Explained:
    shown = shown_to(account, explain(conn, indicator, question.unit, question.period), question.whole)
    shown_values = values.explanation_values(shown)
    hidden = {"id": HIDDEN, "erased": None}
    sample = [{**vars(e), **({"id": masked_id(e.id)} if account.sees(e.unit) else hidden)} for e in shown.sample]
    parts = {name: shown_values[name] for name in ("formula", "parts", "sources", "events", "history")}
    return Explained(**_scope_of(question), **parts, figure=_figure(shown.reading, question, home), sample=sample)


def disagreements(
    conn: Connection, account: Account, unit: str | None, as_of: datetime, first: date | None, last: date | None
) -> Disagreements:
    """What `ioc findings` gives, as far as it is about the account's units."""
    scope = units.scope(unit) if unit else None
    found = findings_for(account, findings(conn, as_of, first, last))
    shown_values = (values.finding_values(f) for f in found if scope is None or f.unit in scope)
    return Disagreements(
        as_of=as_of,
        findings=[Disagreement(**{**f, "evidence": [masked_id(id) for id in f["evidence"]]}) for f in shown_values],
    )


def without_events(found: Explanations) -> Explanations:
    """Explanations without a single event."""
    return Explanations(explanations=[one.model_copy(update={"sample": []}) for one in found.explanations])


def without_cases(found: Disagreements) -> Disagreements:
    """Disagreements without a case: those about one are counted by kind and unit, and no event is named, nor what
    people wrote about it."""
    cases = Counter((f.code, f.unit) for f in found.findings if f.what == "case")
    shown_values = [f.model_copy(update=_masked(f)) for f in found.findings if f.what != "case"]
    for (code, unit), number in cases.items():
        one = next(f for f in found.findings if (f.what, f.code, f.unit) == ("case", code, unit))
        many: dict[str, Any] = dict.fromkeys(Handling.__dataclass_fields__)
        many |= {"vi": f"{number} hồ sơ, phản ánh: {code}", "en": f"{number} cases: {code}", "evidence": []}
        shown_values.append(
            one.model_copy(update={**many, "left": str(number), "missing": str(number), "events": number})
        )
    return Disagreements(as_of=found.as_of, findings=shown_values)


def _masked(f: Disagreement) -> dict[str, Any]:
    return {"vi": masked_text(f.vi), "en": masked_text(f.en), "evidence": [], "note": None}


def catalogue(known: Iterable[Indicator]) -> Catalogue:
    """What can be asked for."""
    names = ("code", "system", "vi", "en", "decimals", "better")
    return Catalogue(
        indicators=[
            Entry(
                **{name: getattr(i, name) for name in names},
                measured_in=i.unit,
                target=None if i.target is None else str(i.target),
                formula=describe(i.formula),
            )
            for i in known
        ]
    )


def unit_rows(account: Account, day: date) -> Places:
    """The units of a day, as far as the account is bounded to some."""
    scope = account.scope()

    def order(unit: Unit) -> tuple[int, Any]:
        return LEVELS.index(unit.level), units.order(unit.code)

    there = sorted((u for u in units.at(day) if not scope or u.code in scope), key=order)
    return Places(date=day, units=[Place.model_validate(u, from_attributes=True) for u in there])


def freshness(conn: Connection, account: Account, now: datetime) -> Sources:
    """Every source with its silence; what a person wrote of it stays inside."""
    shown = shown_to(account, sources(conn, now), whole=True)
    return Sources(
        as_of=now,
        sources=[Freshness.model_validate({**vars(s), "ended": s.ended is not None}) for s in shown],
    )
