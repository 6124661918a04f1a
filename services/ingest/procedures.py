"""The administrative-procedures system: a dossier moves through the ten statuses of the national portal."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Literal

from schemas.envelope import Event, EventData, Invalid
from schemas.procedures import (
    DossierAccepted,
    DossierExtended,
    DossierPaymentRequested,
    DossierProcessing,
    DossierRated,
    DossierRefused,
    DossierResolved,
    DossierReturned,
    DossierStopped,
    DossierSubmitted,
    DossierSupplementReceived,
    DossierSupplementRequested,
    DossierSynchronised,
    DossierWithdrawn,
    OnlineLevel,
    ProcedurePublished,
)
from schemas.procedures.portals import Portal
from schemas.retraction import in_letters
from schemas.types import Channel, DossierCode, Instant, ProcedureCode, Slug, UnitCode
from services.ingest.router import Emitter, Post, Words, compose

NAME = "procedures"

STATUSES: dict[int, type[EventData]] = {
    1: DossierSubmitted,  # Mới đăng ký
    2: DossierAccepted,  # Được tiếp nhận
    3: DossierRefused,  # Không được tiếp nhận
    4: DossierProcessing,  # Đang xử lý
    5: DossierSupplementRequested,  # Yêu cầu bổ sung giấy tờ
    6: DossierPaymentRequested,  # Yêu cầu thực hiện nghĩa vụ tài chính
    7: DossierWithdrawn,  # Công dân yêu cầu rút hồ sơ
    8: DossierStopped,  # Dừng xử lý
    9: DossierResolved,  # Đã xử lý xong
    10: DossierReturned,  # Đã trả kết quả
}
CHANNELS: dict[int, Channel] = {1: "counter", 2: "online", 3: "post"}


class DossierStatus(Words):
    """A dossier has reached a status. Beyond the first four fields each status takes only its own, as its event does.

    Status 4 ends a pause (8) and the wait for a payment (6), or else that for papers (5); with `resumes` the papers
    came, whatever else is awaited. `channel`: 1 or empty counter, 2 online, 3 post. Status 2 needs
    exactly one of `promised_at`, `limit_days` and `limit_hours`. `amount` is in đồng.
    """

    code: DossierCode
    status: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    at: Instant
    unit: UnitCode
    resumes: bool = False
    channel: Literal[1, 2, 3, ""] | None = None
    procedure: ProcedureCode | None = None
    field: Slug | None = None
    online_level: OnlineLevel | None = None
    portal: Portal | None = None
    promised_at: Instant | None = None
    limit_days: int | None = None
    limit_hours: int | None = None
    components: int | None = None
    digitised_components: int | None = None
    reused_components: int | None = None
    store_components: int | None = None
    identity_verified: bool | None = None
    reason: Slug | None = None
    kind: Literal["tax", "fee"] | None = None
    amount: int | None = None
    paper_result: bool | None = None
    electronic_result: bool | None = None


class Extension(Words):
    """A letter of apology (form 04) names a new date."""

    at: Instant
    unit: UnitCode
    promised_at: Instant
    reason: Slug = "apology"


class Rating(Words):
    """The citizen's verdict, 1 (worst) to 5."""

    at: Instant
    unit: UnitCode
    score: int


class Synchronisation(Words):
    """The national portal has the dossier."""

    at: Instant
    unit: UnitCode


class Publication(Words):
    """A unit offers a procedure from now on, offers it differently, or (`offered` false) no more."""

    procedure: ProcedureCode
    at: Instant
    unit: UnitCode
    field: Slug
    online_level: OnlineLevel
    offered: bool = True
    has_fee: bool = False
    in_time: bool = True
    complete: bool = True


def dossier_status(words: DossierStatus) -> Event:
    """A dossier has reached one of the ten statuses."""
    if words.resumes and words.status != 4:
        raise Invalid("extra_field", "resumes: only status 4 can resume")
    data = DossierSupplementReceived if words.resumes else STATUSES[words.status]
    fields = words.model_dump(exclude={"status", "at", "unit", "resumes", "channel"}, exclude_none=True)
    if words.channel or words.status == 1:
        fields["channel"] = CHANNELS[words.channel or 1]
    promise = _promise(words.promised_at, words.limit_days, words.limit_hours)
    # A tax and a fee may be asked for at once, and an acceptance told anew with the date as it is by then.
    id = f"{words.code}/{words.status}{'/tax' if words.kind == 'tax' else ''}/{words.at.isoformat()}{promise}"
    return compose(NAME, id, words.at, words.unit, data(**fields))


def _promise(*said: datetime | int | None) -> str:
    """What an id says of a promised date, or of a limit: in letters, as digits beside a moment look like a telephone's.
    Nothing where none is promised, so such ids are what they were."""
    if not any(said):
        return ""
    words = " ".join(str(one) for one in said)
    return "/" + in_letters(blake2b(words.encode(), digest_size=6).hexdigest())


def extension(words: Extension, code: str) -> Event:
    """The promised date of a dossier is moved, with apologies."""
    data = DossierExtended(code=code, promised_at=words.promised_at, reason=words.reason)
    id = f"{code}/extension/{words.at.isoformat()}{_promise(words.promised_at)}"
    return compose(NAME, id, words.at, words.unit, data)


def rating(words: Rating, code: str) -> Event:
    """The citizen rated the handling of a dossier."""
    data = DossierRated(code=code, score=words.score)
    return compose(NAME, f"{code}/rating/{words.at.isoformat()}", words.at, words.unit, data)


def synchronisation(words: Synchronisation, code: str) -> Event:
    """A dossier was synchronised to the national portal."""
    return compose(NAME, f"{code}/synchronised", words.at, words.unit, DossierSynchronised(code=code))


def publication(words: Publication) -> Event:
    """A procedure was published, changed or taken off by a unit."""
    data = ProcedurePublished(**words.model_dump(exclude={"at", "unit"}))
    return compose(NAME, f"{words.procedure}/{words.at.isoformat()}", words.at, words.unit, data)


EMITTER = Emitter(
    NAME,
    (
        Post("/procedures/dossiers", DossierStatus, dossier_status),
        Post("/procedures/dossiers/{code}/extension", Extension, extension),
        Post("/procedures/dossiers/{code}/rating", Rating, rating),
        Post("/procedures/dossiers/{code}/synchronisation", Synchronisation, synchronisation),
        Post("/procedures/procedures", Publication, publication),
    ),
)
