"""The tables that a report can have, each by the name that a file of texts calls it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from schemas import units
from schemas.calendar import WORKING_DAY
from schemas.codes import masked_case
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.label_texts import MEASURED, label_text
from schemas.registry import SYSTEMS
from schemas.text import dates
from schemas.text.numbers import exact, grouped
from services.readings import Period, Reading
from services.readings import findings as all_findings
from services.readings.finding import Finding, Handling
from services.readings.overdue import overdue_dossiers
from services.readings.read import round_half_up
from services.reports.content import Cell, Column, Figure, Table
from services.reports.figures import Figures, exactly, figure, year_so_far
from services.reports.index766_tables import index766, index766_groups

NUMBER, NAME = Column("STT", 9, "center"), Column("Đơn vị", 40, "left")
SYSTEM = "system_"
"""How the codes of the systems' tables begin."""
MOST_OVERDUE = 500
"""Rows of the list of overdue dossiers; how many more there are is said below."""
EVIDENCE, LONGEST_ID = 3, 30
"""So many cases are named of a finding, with so many letters of each: a cell is narrow."""


class UnitColumn(NamedTuple):
    """A column of a table by unit: its figure, or (`met`) whether that reaches its target; `total`: what stands in the
    last row, by itself the same figure of all units."""

    code: str
    column: Column
    met: bool = False
    total: str | None = None


def by_unit(
    figures: Figures, period: Period, code: str, title: str, heads: Sequence[UnitColumn], last: str = "Tổng số"
) -> Iterator[Table]:
    """A row for each unit below the one asked for that has any of the figures, in the order of the table of units; no
    table where none has."""
    place = {unit.code: number for number, unit in enumerate(units.every())}
    found = figures.by(dict.fromkeys(c.code for c in heads), period, "unit")
    rows: list[tuple[Cell, ...]] = [
        (str(number), units.on(unit, period.last).name_vi, *(_cell(found[unit][c.code], c) for c in heads))
        for number, unit in enumerate(sorted(found, key=lambda unit: (place.get(unit, len(place)), unit)), start=1)
    ]
    columns = (NUMBER, NAME, *(c.column for c in heads))
    if rows:
        yield Table(code, title, columns, tuple(rows), _total(figures, period, heads, last))


def _cell(reading: Reading, head: UnitColumn) -> Cell:
    return verdict(reading) if head.met else figure(reading)


def _total(figures: Figures, period: Period, heads: Sequence[UnitColumn], last: str) -> tuple[Cell, ...]:
    codes = [c.code if c.total is None else c.total for c in heads]
    return (
        "",
        last,
        *("" if c.met or not code else figure(figures.one(code, period)) for c, code in zip(heads, codes, strict=True)),
    )


def verdict(reading: Reading) -> str:
    """Whether a target is reached, in words."""
    return "" if reading.met is None else "Đạt" if reading.met else "Chưa đạt"


# --- II.06 ---

_II06 = (
    ("03", "Tổng số", "Số hồ sơ nhận giải quyết", (3, 4, 5)),
    ("04", "Trực tuyến", "Số hồ sơ nhận giải quyết", ()),
    ("05", "Trực tiếp, bưu chính", "Số hồ sơ nhận giải quyết", ()),
    ("06", "Kỳ trước chuyển sang", "Số hồ sơ nhận giải quyết", ()),
    ("07", "Tổng số", "Số hồ sơ đã giải quyết", (7, 8, 9)),
    ("08", "Trước hạn", "Số hồ sơ đã giải quyết", ()),
    ("09", "Đúng hạn", "Số hồ sơ đã giải quyết", ()),
    ("10", "Quá hạn", "Số hồ sơ đã giải quyết", ()),
    ("11", "Tổng số", "Số hồ sơ đang giải quyết", (11, 12)),
    ("12", "Trong hạn", "Số hồ sơ đang giải quyết", ()),
    ("13", "Quá hạn", "Số hồ sơ đang giải quyết", ()),
)  # fmt: skip
_II06_HEADS = tuple(
    UnitColumn(f"ii06_{number}", Column(head, 11.8, "right", group, f"({int(number)})", parts))
    for number, head, group, parts in _II06
)


def _ii06_columns(name: str) -> tuple[Column, ...]:
    first = Column("STT", 9, "center", number="(1)"), Column(name, 30, "left", number="(2)")
    return (*first, *(head.column for head in _II06_HEADS))


def ii06_by_unit(figures: Figures, period: Period) -> Iterator[Table]:
    """Report II.06 with its thirteen columns, by unit."""
    title = "Tình hình, kết quả giải quyết thủ tục hành chính theo đơn vị (biểu II.06)"
    for table in by_unit(figures, period, "ii06_by_unit", title, _II06_HEADS):
        yield explained(replace(table, columns=_ii06_columns("Đơn vị")))


def ii06_by_field(figures: Figures, period: Period) -> Iterator[Table]:
    """The same by field."""
    found = figures.by([c.code for c in _II06_HEADS], period, "field")
    names = {field: _capital(label_text("field", field, "vi")) for field in found}
    rows: list[tuple[Cell, ...]] = [
        (str(number), names[field], *(_cell(found[field][c.code], c) for c in _II06_HEADS))
        for number, field in enumerate(sorted(found, key=lambda field: units.order(names[field])), start=1)
    ]
    title = "Tình hình, kết quả giải quyết thủ tục hành chính theo lĩnh vực (biểu II.06)"
    if rows:
        total = _total(figures, period, _II06_HEADS, "Tổng số")
        yield explained(Table("ii06_by_field", title, _ii06_columns("Lĩnh vực"), tuple(rows), total))


def explained(table: Table) -> Table:
    """The table, with a note where a column of what came or ended in the period is below 0: what an earlier period had
    counted was corrected in this one."""
    cells = (cell.value for row in table.all_rows for cell in row if isinstance(cell, Figure))
    return replace(table, notes=(CORRECTED,)) if any(value is not None and value < 0 for value in cells) else table


CORRECTED = (
    "Số âm là phần điều chỉnh trong kỳ: hồ sơ kỳ trước đã tính cho đơn vị này nay do đơn vị khác tiếp nhận, hoặc đã "
    "tính là kết thúc (dừng giải quyết) nay được giải quyết tiếp với kết quả khác; số của kỳ trước giữ nguyên."
)


# --- the tables of report no. 10/BC-STTTT ---


def online_services(figures: Figures, period: Period) -> Iterator[Table]:
    """Shares of online services with dossiers and of dossiers online, with their flags; below the means of units."""
    heads = [
        UnitColumn(code, column, met, total)
        for code, group in (
            ("online_service_share", "DVC trực tuyến có phát sinh hồ sơ"),
            ("online_dossier_share", "Hồ sơ xử lý trực tuyến"),
        )
        for column, met, total in (
            (Column("Tỷ lệ (%)", 26, "right", group), False, f"{code}_mean"),
            (Column(f"So với chỉ tiêu{_aim(figures.one(code, period))}", 30, "center", group), True, None),
        )
    ]
    title = "Kết quả cung cấp dịch vụ công trực tuyến theo đơn vị"
    yield from by_unit(figures, period, "online_services", title, heads, "Bình quân các đơn vị")


def _aim(reading: Reading) -> str:
    """The target of the unit that the report is of."""
    bound, aim = reading.indicator.bound, reading.target
    return "" if aim is None else f" ({bound}\u00a0{exact(aim)}{'%' if reading.indicator.unit == '%' else ''})"


def _payment_heads() -> list[UnitColumn]:
    groups = (("tax", "Nghĩa vụ tài chính", ()), ("fee", "Phí, lệ phí", ()), ("", "Tổng cộng", (2, 4)))
    return [
        UnitColumn(f"payments_online_{kind}_{what}".replace("__", "_"), Column(head, width, "right", group, "", moved))
        for kind, group, parts in groups
        for what, head, width, moved in (
            ("count", "Số giao dịch", 14, parts),
            ("amount", "Số tiền (đồng)", 26, tuple(part + 1 for part in parts)),
        )
    ]


def payments(figures: Figures, period: Period) -> Iterator[Table]:
    """Payments online by unit in the period."""
    yield from by_unit(figures, period, "payments", "Thanh toán trực tuyến theo đơn vị trong kỳ", _payment_heads())


def payments_year(figures: Figures, period: Period) -> Iterator[Table]:
    """The same in the year so far; where the data begin within it, that is said."""
    year = year_so_far(period)
    title = f"Thanh toán trực tuyến theo đơn vị, lũy kế từ đầu năm {year.last.year}"
    since = figures.since("payments_online_amount", year)
    notes = (f"Số liệu chỉ có từ ngày {dates.day(since)}.",) if since and since > year.first else ()
    for table in by_unit(figures, year, "payments_year", title, _payment_heads()):
        yield replace(table, notes=notes)


def software(figures: Figures, period: Period) -> Iterator[Table]:
    """What units report of shared software and antivirus; below sums, and means of shares."""
    heads = [
        UnitColumn("paperless_meetings", Column("Trong kỳ", 16, "right", "Phòng họp không giấy (cuộc)")),
        UnitColumn("paperless_meetings_total", Column("Lũy kế", 16, "right", "Phòng họp không giấy (cuộc)")),
        UnitColumn("documents_signed_pct", Column("Văn bản ký số (%)", 19)),
        UnitColumn("documents_online_pct", Column("Văn bản xử lý trên môi trường mạng (%)", 23)),
        UnitColumn("antivirus_installs", Column("Máy cài phần mềm diệt vi-rút", 20)),
        UnitColumn("official_email_pct", Column("Cán bộ dùng thư điện tử công vụ (%)", 20)),
    ]
    title = "Tình hình sử dụng phần mềm dùng chung theo đơn vị"
    yield from by_unit(figures, period, "software", title, heads, "Tổng số (bình quân với tỷ lệ)")


def _list(
    figures: Figures, period: Period, code: str, title: str, rows: Sequence[tuple[str, str]], unit: str
) -> Iterator[Table]:
    """A table of single figures: what it is, how many."""
    found = [(name, figures.one(indicator, period)) for indicator, name in rows]
    if any(reading.value is not None for _, reading in found):
        cells = tuple((str(n), name, figure(reading)) for n, (name, reading) in enumerate(found, start=1))
        yield Table(code, title, (NUMBER, Column("Nội dung", 110, "left"), Column(unit, 40)), cells)


def hotline(figures: Figures, period: Period) -> Iterator[Table]:
    """Hotline 1022 in the columns of its monthly summary."""
    rows = (
        ("hotline_received", "Tiếp nhận"), ("hotline_processed", "Đã xử lý"), ("hotline_in_progress", "Đang xử lý"),
        ("hotline_answered", "Trả lời trực tiếp"), ("hotline_forwarded", "Chuyển cơ quan xử lý"),
    )  # fmt: skip
    yield from _list(figures, period, "hotline", f"Tổng đài 1022 ({period.written})", rows, "Số tin")


def certified_copies(figures: Figures, period: Period) -> Iterator[Table]:
    """Certified e-copies as reported."""
    rows = (
        ("ecert_received", "Tổng số tiếp nhận"), ("ecert_carried_over", "Kỳ trước chuyển sang"),
        ("ecert_new", "Tiếp nhận mới"), ("ecert_resolved", "Tổng số đã giải quyết"),
        ("ecert_on_time_or_early", "Giải quyết trước hạn, đúng hạn"), ("ecert_overdue", "Giải quyết quá hạn"),
        ("ecert_in_progress", "Tổng số đang giải quyết"), ("ecert_not_due", "Đang giải quyết, chưa đến hạn"),
        ("ecert_in_progress_overdue", "Đang giải quyết, quá hạn"),
    )  # fmt: skip
    yield from _list(figures, period, "certified_copies", "Chứng thực bản sao điện tử", rows, "Số hồ sơ")


def resolution_02(figures: Figures, period: Period) -> Iterator[Table]:
    """Resolution 02: target, result of the year so far, and whether it is reached."""
    year, rows = year_so_far(period), list[tuple[Cell, ...]]()
    for indicator in figures.indicators:
        code = indicator.code
        if f"{code}_target" not in CATALOGUE or not code.startswith("nq02_"):
            continue
        target, value, reached = (figures.one(f"{code}{what}", year) for what in ("_target", "", "_reached"))
        if not (target.value is None and value.value is None and reached.value is None):
            told = "" if reached.value is None else "Đạt" if reached.value else "Chưa đạt"
            name = indicator.vi.removesuffix(" (NQ 02/NQ-CP)")
            rows.append((str(len(rows) + 1), name, figure(target), figure(value), told))
    if rows:
        columns = (
            NUMBER, Column("Chỉ tiêu", 75, "left"), Column(f"Chỉ tiêu năm {year.last.year} (%)", 26),
            Column("Kết quả (%)", 26), Column("Đánh giá", 26, "center"),
        )  # fmt: skip
        yield Table("resolution_02", "Kết quả thực hiện Nghị quyết số 02/NQ-CP", columns, tuple(rows))


# --- the eight systems ---

_TABLED = ("ii06_", "ecert_", "nq02_", "hotline_", "index766")
"""Figures that have a table of their own."""


def systems(figures: Figures, period: Period) -> Iterator[Table]:
    """Every indicator that has a value, system by system, held against the period before where data covered it."""
    for slug, (_, name, _) in SYSTEMS.items():
        chosen = [i for i in figures.indicators if i.system == slug and not i.code.startswith(_TABLED)]
        for table in _held_against(figures, period, f"{SYSTEM}{slug}", name, chosen):
            silent = len(chosen) - len(table.rows)
            notes = (f"{silent} chỉ số khác chưa có số liệu trong kỳ.",) if silent else ()
            yield replace(table, notes=notes)


def headlines(figures: Figures, period: Period) -> Iterator[Table]:
    """The figures that stand on the wall, of all systems."""
    chosen = [i for i in figures.indicators if i.headline]
    yield from _held_against(figures, period, "headlines", "Các chỉ số chính của các hệ thống", chosen)


def _held_against(
    figures: Figures, period: Period, code: str, title: str, chosen: Sequence[Indicator]
) -> Iterator[Table]:
    readings = ((indicator, figures.one(indicator.code, period)) for indicator in chosen)
    known = [_compared(figures, period, i, reading) for i, reading in readings if reading.value is not None]
    rows = tuple((str(number), *row) for number, row in enumerate(known, start=1))
    columns = (
        NUMBER, Column("Chỉ số", 62, "left"), Column("Đơn vị tính", 18, "center"), Column("Kỳ này", 24),
        Column("Kỳ trước", 24), Column("Tăng, giảm", 20), Column("So mục tiêu", 14, "center"),
    )  # fmt: skip
    if rows:
        yield Table(code, title, columns, rows)


def _compared(figures: Figures, period: Period, indicator: Indicator, reading: Reading) -> tuple[Cell, ...]:
    before = figures.before(indicator.code, period)
    now, then = _measured(reading), _measured(before) if before else Figure(None)
    change = None if now.value is None or then.value is None else now.value - then.value
    return indicator.vi, measured_in(indicator), now, then, Figure(change, now.decimals), verdict(reading)


def _measured(reading: Reading) -> Figure:
    """As it is printed; minutes as hours or working days."""
    if reading.indicator.unit != "minute" or reading.value is None:
        return figure(reading)
    return Figure(round_half_up(reading.value / _MINUTES[reading.indicator.working][0], 1), 1)


_MINUTES = {True: (Decimal(WORKING_DAY // timedelta(minutes=1)), "ngày làm việc"), False: (Decimal(60), "giờ")}


def measured_in(indicator: Indicator) -> str:
    """What its values count, as it is printed."""
    if indicator.unit == "minute":
        return _MINUTES[indicator.working][1]
    words = MEASURED.get(indicator.unit)
    return words.vi if words else {"VND": "đồng"}.get(indicator.unit, indicator.unit)


# --- what has to be looked at ---


def findings(figures: Figures, period: Period) -> Iterator[Table]:
    """Figures that should agree and do not, of the unit and those below it."""
    scope = units.scope(figures.unit) if figures.unit else None
    found = all_findings(figures.conn, period.as_of, period.first, period.last)
    own = [f for f in found if f.code in figures.findings and (scope is None or f.unit in scope) and _is_of(f, period)]
    rows = tuple((str(number), *_finding(f, period)) for number, f in enumerate(own, start=1))
    if rows:
        columns = (
            NUMBER, Column("Nội dung", 76, "left"), Column("Đơn vị", 28, "left"), Column("Số thứ nhất", 18),
            Column("Số thứ hai", 18), Column("Mức độ", 21, "left"), Column("Xử lý", 29, "left"),
        )  # fmt: skip
        yield Table("findings", "Số liệu chưa khớp với nhau, giữ nguyên như báo cáo", columns, rows)


def _is_of(f: Finding, period: Period) -> bool:
    """Whether it is about days of the period, or about none."""
    return (f.last is None or f.last >= period.first) and (f.first is None or f.first <= period.last)


def _finding(f: Finding, period: Period) -> tuple[Cell, ...]:
    where = units.on(f.unit, period.last).name_vi if f.unit else "Toàn địa bàn"
    days = f" ({dates.days(f.first, f.last)})" if f.first and f.last else ""
    sides = (Figure(f.left), "") if f.events is not None else (exactly(f.left), exactly(f.right))
    return f"{f.vi}{days}{_evidence(f)}", where, *sides, _SEVERITY[f.severity], _handling(f.handling)


def _evidence(f: Finding) -> str:
    """Some of the events to look at by their cases, masked and cut short; those that read alike are named once."""
    cases = (case if len(case) <= LONGEST_ID else f"{case[:LONGEST_ID]}…" for case in map(masked_case, f.evidence))
    named = Counter(cases).most_common(EVIDENCE)
    texts = [case if number == 1 else f"{case} ({number} sự kiện)" for case, number in named]
    more = len(f.evidence) - sum(number for _, number in named)
    return f" [{', '.join(texts)}{f' và {more} sự kiện khác' if more > 0 else ''}]" if f.evidence else ""


def _handling(h: Handling) -> str:
    """Since when it is seen, who has it, who resolved it."""
    said = (("phát hiện", h.first_seen, ""), ("nhận kiểm tra", h.taken_at, h.taken_by),
            ("đã xử lý", h.resolved_at, h.resolved_by))  # fmt: skip
    return "; ".join(f"{what} {dates.day(at)}{f' ({by})' if by else ''}" for what, at, by in said if at)


_SEVERITY = {"critical": "Nghiêm trọng", "warning": "Cảnh báo", "info": "Thông tin"}


def overdue(figures: Figures, period: Period) -> Iterator[Table]:
    """The dossiers that were overdue at the end, the longest first: masked numbers, no names."""
    moment = min(period.as_of, period.stop)
    found = overdue_dossiers(figures.conn, figures.unit, moment, MOST_OVERDUE)
    every = figures.one("ii06_13", period).value or Decimal(0)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(number), d.code, units.on(d.unit, period.last).name_vi, _capital(label_text("field", d.field, "vi")),
            dates.day(d.promised), Figure(Decimal(d.days)),
        )
        for number, d in enumerate(found, start=1)
    )  # fmt: skip
    more = every - len(rows)
    notes = (f"Còn {grouped(more, 0)} hồ sơ khác, không liệt kê.",) if more > 0 else ()
    columns = (
        NUMBER, Column("Mã hồ sơ", 42, "left"), Column("Đơn vị", 44, "left"), Column("Lĩnh vực", 30, "left"),
        Column("Ngày hẹn trả", 22, "center"), Column("Số ngày quá hạn", 16),
    )  # fmt: skip
    if rows:
        yield Table(
            "overdue", f"Hồ sơ quá hạn chưa giải quyết xong đến {dates.day_and_time(moment)}", columns, rows, (), notes
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


Build = Callable[[Figures, Period], Iterator[Table]]
TABLES: dict[str, Build] = {
    build.__name__: build
    for build in (
        ii06_by_unit, ii06_by_field, online_services, payments, payments_year, hotline, software, certified_copies,
        resolution_02, index766, index766_groups, systems, headlines, findings, overdue,
    )
}  # fmt: skip
"""name -> what makes it; it yields nothing where there is nothing to show."""
