"""A row of a one-stop system's export read as a snapshot of a dossier; pure.

Columns are allow-listed: whatever else a row has (names, numbers, addresses, free text) is dropped here and counted.
What is wrong is told by column and never repeated, as a cell may hold anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from schemas import units
from schemas.calendar import VN, local_day
from schemas.envelope import EARLIEST, FUTURE_TOLERANCE, Invalid
from schemas.procedures import LONGEST_PROMISE, OnlineLevel
from schemas.procedures.portals import Portal
from schemas.text import moments, numbers
from schemas.text.letters import slug
from schemas.types import DOSSIER, Channel, ProcedureCode
from services.ingest.procedures import CHANNELS, STATUSES

COLUMNS = (
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "KenhThucHien", "NgayTiepNhan", "NgayHenTra",
    "TrangThaiHoSo", "ThoiDiemXuLy", "NgayYeuCauBoSung", "NgayCongDanBoSung", "NgayTuChoi", "NgayKetThucXuLy",
    "NgayTra", "HinhThucTra", "DonViXuLy", "MucDo", "CongTiepNhan",
)  # fmt: skip
NEEDED = ("MaHoSo", "TrangThaiHoSo", "NgayTiepNhan")
MOMENTS = tuple(name for name in COLUMNS if name.startswith(("Ngay", "ThoiDiem")))
PERSONAL = (
    "ChuHoSo", "HoTen", "SoCMND", "CCCD", "SoCCCD", "SoDienThoai", "Email", "DiaChi", "LoaiDoiTuong", "MaDoiTuong",
    "NoiDung", "TrichYeu", "TrichYeuHoSo", "GhiChu",
)  # fmt: skip
"""Columns that are dropped under their own name; of others the name is not repeated either."""
OTHERS = "others"
IN_PROGRESS = (1, 2, 4, 5, 6)
_MOST_FAULTS = 5
_PORTAL = re.compile(r"[A-Z]\d{2}(?:\.\d{1,3}){0,3}|\d{3}(?:\.\d{2}){1,3}\.[A-Z]\d{2}")
_WAYS = {"tructiep": 1, "tructuyen": 2, "buuchinh": 3, "buuchinhcongich": 3}
_STATUSES = {
    "moidangky": 1, "duoctiepnhan": 2, "khongduoctiepnhan": 3, "dangxuly": 4, "yeucaubosunggiayto": 5,
    "yeucauthuchiennghiavutaichinh": 6, "congdanyeucauruthoso": 7, "dungxuly": 8, "daxulyxong": 9, "datraketqua": 10,
}  # fmt: skip
"""As the portal names them; some systems export the name, or both: `4 - Đang xử lý`."""
_LEVELS: dict[str, Literal["none", "partial", "full"]] = {
    "1": "none", "2": "none", "3": "partial", "4": "full",
    "cungcapthongtin": "none", "motphan": "partial", "toantrinh": "full",
}  # fmt: skip
_PORTALS: dict[str, Portal] = {
    "quocgia": "national", "dvcqg": "national", "congdvcqg": "national", "congdvcquocgia": "national",
    "congdichvucongquocgia": "national",
    "tinh": "provincial", "captinh": "provincial", "congdvctinh": "provincial", "congdvccaptinh": "provincial",
    "congdichvucongtinh": "provincial", "congdichvucongcaptinh": "provincial",
    "motcua": "own", "donvi": "own", "phanmemmotcua": "own", "phanmemdonvi": "own",
    "bonganh": "ministry", "bocongthuong": "ministry_industry_trade", "bogiaoducvadaotao": "ministry_education",
    "bonoivu": "ministry_home_affairs", "bonongnghiepvamoitruong": "ministry_agriculture",
    "botuphap": "ministry_justice", "bovanhoathethaovadulich": "ministry_culture",
    "boxaydung": "ministry_construction", "boyte": "ministry_health",
}  # fmt: skip
_PROCEDURE: TypeAdapter[str] = TypeAdapter(ProcedureCode)


@dataclass(frozen=True)
class Snapshot:
    """What a one-stop system says of a dossier at some time. Moments are aware; None where it says nothing.

    `reached`: when it came to its status; `asked` and `answered`: the last request for papers and what came of it.
    """

    code: str
    unit: str
    status: int
    received: datetime
    promised: datetime | None = None
    reached: datetime | None = None
    asked: datetime | None = None
    answered: datetime | None = None
    refused: datetime | None = None
    ended: datetime | None = None
    returned: datetime | None = None
    procedure: str | None = None
    field: str | None = None
    channel: Channel | None = None
    returned_by: Channel = "counter"
    level: OnlineLevel | None = None
    portal: Portal | None = None


def plain(text: str) -> str:
    """A heading or a word without case, accents, spaces and marks: `Mã hồ sơ` is `MaHoSo`."""
    return slug(text, "")


_BY_NAME = {plain(name): name for name in COLUMNS}
_HEADED = {plain(heading): name for name, headings in {
    "MaHoSo": ("Số hồ sơ", "Mã số hồ sơ"),
    "MaTTHC": ("Mã thủ tục", "Mã thủ tục hành chính"),
    "TenLinhVuc": ("Lĩnh vực",),
    "KenhThucHien": ("Kênh tiếp nhận", "Hình thức tiếp nhận", "Hình thức nộp", "Hình thức nộp hồ sơ"),
    "NgayTiepNhan": ("Ngày tiếp nhận hồ sơ", "Ngày nhận", "Ngày nhận hồ sơ", "Thời gian tiếp nhận"),
    "NgayHenTra": ("Ngày hẹn", "Ngày hẹn trả kết quả", "Thời gian hẹn trả", "Hạn trả kết quả", "Hạn xử lý"),
    "TrangThaiHoSo": ("Trạng thái", "Tình trạng", "Tình trạng hồ sơ"),
    "NgayKetThucXuLy": ("Ngày kết thúc", "Ngày xử lý xong", "Ngày hoàn thành", "Ngày có kết quả"),
    "NgayTra": ("Ngày trả kết quả", "Thời gian trả kết quả"),
    "HinhThucTra": ("Hình thức trả kết quả",),
    "DonViXuLy": ("Cơ quan xử lý", "Đơn vị giải quyết", "Cơ quan giải quyết"),
    "MucDo": ("Mức độ DVC", "Mức độ dịch vụ công"),
}.items() for heading in headings}  # fmt: skip
"""How exports head them besides: taken where no column bears the very name."""
_PERSONAL = {plain(name): name for name in PERSONAL}


def column(heading: str) -> str | None:
    """The column of the allow-list that a heading means."""
    return _BY_NAME.get(plain(heading)) or _HEADED.get(plain(heading))


def allowed(row: Iterable[tuple[str, Any]]) -> tuple[dict[str, Any], Counter[str]]:
    """The cells of allow-listed columns, and how many others were dropped by the names of their columns. `Invalid`
    where a column is there twice."""
    cells: dict[str, Any] = {}
    dropped = Counter[str]()
    row = list(row)
    named = {_BY_NAME.get(plain(heading)) for heading, _ in row}
    for heading, value in row:
        name = column(heading)
        if name is None or (name in named and plain(heading) not in _BY_NAME):
            if value is not None and value != "":
                dropped[_PERSONAL.get(plain(heading), OTHERS)] += 1
        elif name in cells:
            raise Invalid("bad_value", f"{name}: is given twice; send it once")
        else:
            cells[name] = value
    return cells, dropped


def read(cells: Mapping[str, Any], now: datetime) -> Snapshot:
    """The snapshot in allow-listed cells: texts, or dates as a spreadsheet has them. `Invalid` with all that is
    wrong."""
    reader = _Reader(cells, now)
    snapshot = reader.snapshot()
    if reader.faults or snapshot is None:
        code = reader.faults[0][0]
        reasons = list(dict.fromkeys(why for _, why in reader.faults))
        raise Invalid(code, "; ".join(reasons[:_MOST_FAULTS]))
    return snapshot


class _Reader:
    """Reads cell by cell and gathers what is wrong."""

    def __init__(self, cells: Mapping[str, Any], now: datetime) -> None:
        self._cells, self._now = cells, now
        self.faults: list[tuple[str, str]] = []

    def snapshot(self) -> Snapshot | None:
        """The snapshot, as far as nothing is wrong."""
        code, status, received = self._code(), self._status(), self._moment("NgayTiepNhan")
        if received is None and not self._text("NgayTiepNhan"):
            self._fault("missing_field", "NgayTiepNhan", "is missing; it is the day and time of receipt")
        if code is None or status is None or received is None:
            return None
        ended = self._after(received, "NgayKetThucXuLy")
        snapshot = Snapshot(
            code=code,
            unit=self._unit(code, local_day(received)),
            status=status,
            received=received,
            promised=self._promise(received),
            reached=self._after(received, "ThoiDiemXuLy"),
            asked=self._after(received, "NgayYeuCauBoSung"),
            answered=self._after(received, "NgayCongDanBoSung"),
            refused=self._after(received, "NgayTuChoi"),
            ended=ended,
            returned=self._after(ended or received, "NgayTra", of="NgayKetThucXuLy" if ended else "NgayTiepNhan"),
            procedure=self._procedure(),
            field=self._field(),
            channel=self._way("KenhThucHien"),
            returned_by=self._way("HinhThucTra") or "counter",
            level=self._level(),
            portal=self._portal(),
        )
        self._check(snapshot)
        return snapshot

    def _check(self, it: Snapshot) -> None:
        for name, end in (("NgayKetThucXuLy", it.ended), ("NgayTra", it.returned)):
            if it.status in IN_PROGRESS and end and not (it.reached and it.reached > end):
                why = f"is given while TrangThaiHoSo is {it.status}"
                self._fault("bad_value", name, f"{why}; leave it empty, or say in ThoiDiemXuLy when it went back")
        if it.status in (1, 3) or it.promised is None:
            if not it.procedure and not self._text("MaTTHC"):
                self._fault("missing_field", "MaTTHC", "is missing; a filing and a dossier without NgayHenTra need it")
            if not it.field:
                self._fault("missing_field", "TenLinhVuc", "is missing, and MaLinhVuc too; one of them is needed")

    def _fault(self, code: str, name: str, why: str) -> None:
        self.faults.append((code, f"{name}: {why}"))

    def _text(self, name: str) -> str:
        value = self._cells.get(name)
        if isinstance(value, (list, dict, bool)):
            self._fault("bad_value", name, "is no text, number or date")
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # as a spreadsheet has every number
        return "" if value is None else " ".join(str(value).split())

    def _code(self) -> str | None:
        text = self._text("MaHoSo").upper()
        if re.fullmatch(DOSSIER, text):
            return text
        why = "is no dossier's code; it is written as H10.12-261120-0001" if text else "is missing"
        self._fault("bad_value" if text else "missing_field", "MaHoSo", why)
        return None

    def _status(self) -> int | None:
        text = plain(self._text("TrangThaiHoSo"))
        name = text.lstrip("0123456789")
        status = _STATUSES.get(name) if name else self._number("TrangThaiHoSo")
        if status in STATUSES and (not name or text.removesuffix(name) in ("", str(status))):
            return status
        why = "is none of the portal's statuses 1 to 10" if self._text("TrangThaiHoSo") else "is missing"
        self._fault("bad_value" if self._text("TrangThaiHoSo") else "missing_field", "TrangThaiHoSo", why)
        return None

    def _number(self, name: str) -> int | None:
        try:
            return int(numbers.read(self._text(name), whole=True))
        except numbers.NoNumber:
            return None

    def _moment(self, name: str, last: bool = False) -> datetime | None:
        """When it was; a day alone, which many write as its midnight, is its first moment, or its `last`."""
        found = self._read_moment(name)
        if found is None:
            return None
        if not last and found > self._now + FUTURE_TOLERANCE:
            self._fault("impossible_time", name, "lies in the future; put it right")
        if found < EARLIEST:
            self._fault("impossible_time", name, f"lies before {EARLIEST.year}; put it right")
        return found + timedelta(days=1) - moments.TICK if last and _is_day(found) else found

    def _read_moment(self, name: str) -> datetime | None:
        value = self._cells.get(name)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=VN)
        text = value.isoformat() if isinstance(value, date) else self._text(name)
        if not text:
            return None
        if re.fullmatch(r"[0-9]{14}", text):
            text = f"{text[:8]} {text[8:]}"
        try:
            written = moments.read(text)
        except moments.NoMoment as wrong:
            self._fault("bad_value", name, f"{wrong.why}; write 20/11/2026 14:30, 2026-11-20T14:30 or 20261120143000")
            return None
        if written.kind == "month":
            self._fault("bad_value", name, "is a month; write the day, 20/11/2026 14:30")
            return None
        return written.first

    def _after(self, begin: datetime, name: str, of: str = "NgayTiepNhan") -> datetime | None:
        """A moment that is not before another; a day alone is no earlier than that within its day."""
        found = self._moment(name)
        if found is None or found >= begin:
            return found
        if _is_day(found) and local_day(found) == local_day(begin):
            return begin
        self._fault("impossible_time", name, f"lies before {of}; put one of them right")
        return None

    def _promise(self, received: datetime) -> datetime | None:
        promised = self._moment("NgayHenTra", last=True)
        if promised is None or received <= promised <= received + LONGEST_PROMISE:
            return promised
        where = "before NgayTiepNhan" if promised < received else "more than a year after NgayTiepNhan"
        self._fault("impossible_time", "NgayHenTra", f"lies {where}; put one of them right")
        return None

    def _procedure(self) -> str | None:
        text = self._text("MaTTHC")
        try:
            return _PROCEDURE.validate_python(text.upper()) if text else None
        except ValidationError:
            self._fault("bad_value", "MaTTHC", "is no procedure's code; it is written as 2.000815")
            return None

    def _field(self) -> str | None:
        """The field of work as one word: of its name, else of its code."""
        for name in ("TenLinhVuc", "MaLinhVuc"):
            if word := slug(self._text(name), "_").lstrip("0123456789_")[:60].rstrip("_"):
                return word
        return None

    def _way(self, name: str) -> Channel | None:
        text = self._text(name)
        if not text:
            return None
        found: Channel | None = CHANNELS.get(_WAYS.get(plain(text)) or self._number(name) or 0)
        if found is None:
            self._fault("bad_value", name, "is none of 1 (or empty, counter), 2 (online), 3 (post)")
        return found

    def _level(self) -> OnlineLevel | None:
        text = self._text("MucDo")
        level = _LEVELS.get(plain(text).removeprefix("dvctt").removeprefix("mucdo"))
        if text and level is None:
            self._fault("bad_value", "MucDo", "is none of 1 to 4, toàn trình, một phần, cung cấp thông tin")
        return level

    def _portal(self) -> Portal | None:
        text = self._text("CongTiepNhan")
        portal = _PORTALS.get(plain(text))
        if text and portal is None:
            self._fault("bad_value", "CongTiepNhan", "is none of quốc gia, tỉnh, một cửa, bộ ngành, a ministry's name")
        return portal

    def _unit(self, code: str, day: date) -> str:
        """The unit that handles it, in the centre's own code."""
        part, stated = code.partition("-")[0], self._text("DonViXuLy")
        own, named = _found(part, day), _found(stated, day)
        if (stated and _strange(part, stated)) or (own and named and not _akin(own, named)):
            self._fault("wrong_unit", "DonViXuLy", f"is another office than the code's, {part}; put one of them right")
        elif unit := named or (None if stated else own):
            return unit.code
        elif stated:
            why = "is no unit's name or code, or that of several; `ioc units` lists them, IOC_UNITS adds spellings"
            self._fault("wrong_unit", "DonViXuLy", why)
        else:
            why = f"is missing, and no unit has the spelling {part} (IOC_UNITS adds it)"
            self._fault("missing_field", "DonViXuLy", why)
        return ""


def _is_day(moment: datetime) -> bool:
    return moment.astimezone(VN).time() == time()


def _found(text: str, day: date) -> units.Unit | None:
    try:
        return units.find(text, day) if text else None
    except units.UnknownUnit:
        return None


def _akin(one: units.Unit, other: units.Unit) -> bool:
    """Whether one unit lies below the other, or follows upon it."""
    pairs = ((one.code, other.code), (other.code, one.code))
    return any(b in units.scope(a) or units.succeeds(a, b) for a, b in pairs)


def _strange(part: str, stated: str) -> bool:
    """Whether two codes of the portal are of different offices, none above the other."""
    if not _PORTAL.fullmatch(stated.upper()):
        return False
    one, other = _steps(part), _steps(stated.upper())
    shared = min(len(one), len(other))
    return one[:shared] != other[:shared]


def _steps(portal: str) -> list[str]:
    """From the top down: of `H10.12` and of the older `000.00.12.H10` the same."""
    steps = portal.split(".")
    return steps if portal[0].isalpha() else [step for step in reversed(steps) if step.strip("0")]
