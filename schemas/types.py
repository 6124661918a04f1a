"""Field types shared by all systems' events: each allows exactly what the field is meant for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from schemas.text.letters import has_ink, one_line


def _to_utc(t: datetime) -> datetime:
    try:
        return t.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such moment in UTC") from None


# One spelling per instant, so that equal events have equal digests.
Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]

Day = Annotated[date, Field(ge=date(2000, 1, 1))]
"""A local day."""


@dataclass(frozen=True)
class NamesUnit:
    """Marks a text that names a unit: it must be a known one, and `existing` on the day of the event; of one of these
    `levels`, where any are named."""

    existing: bool = True
    levels: tuple[str, ...] = ()


_UNIT = StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")
UnitCode = Annotated[str, _UNIT, NamesUnit()]
Ward = Annotated[
    str,
    _UNIT,
    NamesUnit(levels=("ward", "commune", "township", "district")),
    Field(description="code of the ward or commune it concerns"),
]
"""Where it happened: no department and no whole province, which figures by ward would show beside the wards."""
OfficeCode = Annotated[str, _UNIT, NamesUnit(existing=False)]
"""The unit that gave a number, which it keeps when the unit is no more."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Reason = Annotated[Slug, Field(description="why, in one word")]
REGISTER = r"[A-Z]{2,8}-"
REFERENCE = re.compile(rf"^{REGISTER}[A-Z0-9][A-Z0-9_.\-]{{0,60}}$")
Reference = Annotated[str, StringConstraints(pattern=REFERENCE.pattern)]
"""A number in a register, always behind the register's letters: `TXN-…`, `PA-…`."""
JOINS = Field(description="code that joins all events of the same thing")
Code = Annotated[Reference, JOINS]

DOSSIER = r"(?:[A-Z]\d{2}(?:\.\d{1,3}){0,3}|\d{3}(?:\.\d{2}){1,3}\.[A-Z]\d{2})-\d{6}-\d{4,8}"
"""The unit, the day of receipt, a running number."""
DossierCode = Annotated[str, StringConstraints(pattern=f"^{DOSSIER}$")]
ProcedureCode = Annotated[
    str,
    StringConstraints(pattern=r"^\d\.\d{6}(?:\.\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2})?$"),
    Field(description="code of the procedure (mã thủ tục)"),
]


def _as_kept(text: object) -> object:
    if not isinstance(text, str):
        return text
    if not has_ink(kept := one_line(text)):
        raise ValueError("there is nothing to read in it")
    return kept


# One spelling per text too: a Mac parts its accents, a cell of a workbook breaks its lines.
Place = Annotated[str, StringConstraints(min_length=1, max_length=120), BeforeValidator(_as_kept)]
"""A public place in words (a road, a school): no home address."""
Note = Annotated[str, StringConstraints(min_length=1, max_length=400), BeforeValidator(_as_kept)]
Latitude = Annotated[
    float, Field(ge=6.0, le=24.0, description="degrees north, WGS 84; together with the longitude, or neither")
]
Longitude = Annotated[
    float, Field(ge=102.0, le=118.0, description="degrees east, WGS 84; together with the latitude, or neither")
]
"""The bounds take in Vietnam with Hoàng Sa and Trường Sa, and catch swapped coordinates."""

Dong = Annotated[int, Field(ge=0, le=10**13, description="whole đồng")]
Count = Annotated[int, Field(ge=0, le=10**8)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=9, decimal_places=6)]
Number = Annotated[Decimal, Field(ge=-(10**15), le=10**15, max_digits=22, decimal_places=6)]
Revision = Annotated[int, Field(ge=0, le=1000, description="0 at first, higher for a correction; the highest counts")]
Score = Annotated[int, Field(ge=1, le=5, description="1 (worst) to 5")]

Channel = Literal["counter", "online", "post"]
Priority = Literal["urgent", "normal"]
Severity = Literal["low", "medium", "high", "critical"]
HowBad = Annotated[Severity, Field(description="how bad it is")]
