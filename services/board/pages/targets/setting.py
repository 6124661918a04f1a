"""Setting a target and taking one back, for the page and for `ioc targets`: an event, laid down with its audit."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from psycopg import AsyncConnection

from schemas import units
from schemas.calendar import local_day
from schemas.economy import IndicatorTargetRetracted, IndicatorTargetSet
from schemas.envelope import Event, Invalid, check_event
from schemas.indicators import CATALOGUE
from schemas.keys import subject_of
from schemas.registry import make
from schemas.retraction import in_letters
from services.board.access import Account
from services.board.auth import audit
from services.board.live import outbox
from services.readings.targets import Target, settable

SOURCE = "/board"


class Refused(ValueError):
    """A target cannot be set so; the message is a word of the board."""


class Wish(NamedTuple):
    """What somebody wants to be reached: of which figure, by which unit and those below it, on which days."""

    indicator: str
    unit: str
    first: date
    last: date
    value: Decimal


def checked(account: Account, wish: Wish, now: datetime) -> Wish:
    """The wish, if it can be had; raises `Refused`."""
    if wish.indicator not in settable():
        raise Refused("target_no_figure")
    if not account.may("target") or not account.sees(wish.unit):
        raise Refused("forbidden")
    if wish.last < wish.first:
        raise Refused("target_bad_days")
    most = 100 if CATALOGUE[wish.indicator].unit == "%" else Decimal(10) ** 15
    if not 0 <= wish.value <= most:
        raise Refused("target_bad_value")
    if not units.valid_at(wish.unit, local_day(now)):
        raise Refused("target_no_unit")
    return wish


async def put(conn: AsyncConnection, account: Account, wish: Wish, standing: list[Target], now: datetime) -> None:
    """Lay the target down to be sent; one of the same figure, unit and days that stands is taken back before. Raises
    `Refused`."""
    checked(account, wish, now)
    same = [t for t in standing if t[:4] == wish[:4]]
    if any(t.value == wish.value for t in same):
        return
    direction = "at_most" if CATALOGUE[wish.indicator].better == "lower" else "at_least"
    data = IndicatorTargetSet(
        indicator=wish.indicator, period_start=wish.first, period_end=wish.last, target=wish.value,
        direction=direction,  # type: ignore[arg-type]
    )  # fmt: skip
    event = make(data, source=SOURCE, id=f"target.set/{_letters(wish, now)}", time=now, unit=wish.unit)
    async with conn.transaction():
        for one in same:
            await _lay(conn, _back(one, now), now)
        await _lay(conn, event, now)
        await audit.note(conn, account, "target.set", _named(wish), {"unit": wish.unit, "value": str(wish.value)})


async def take_back(conn: AsyncConnection, account: Account, target: Target, now: datetime) -> None:
    """Lay down that a target counts no more; what was in force before it is so again. Raises `Refused`."""
    if not account.may("target") or not account.sees(target.unit):
        raise Refused("forbidden")
    async with conn.transaction():
        await _lay(conn, _back(target, now), now)
        await audit.note(conn, account, "target.taken_back", _named(target), {"unit": target.unit})


def _named(one: Wish | Target) -> str:
    return f"{one.indicator}/{one.unit}/{one.first}/{one.last}"


def _back(one: Target, now: datetime) -> Event:
    data = IndicatorTargetRetracted(
        indicator=one.indicator, period_start=one.first, period_end=one.last, of_unit=one.unit,
        report=in_letters(one.key),
    )  # fmt: skip
    return make(data, source=SOURCE, id=f"target.back/{in_letters(one.key)}", time=now, unit=one.unit)


def _letters(wish: Wish, now: datetime) -> str:
    """What makes an id its own; digits could look like somebody's number."""
    return in_letters(blake2b(f"{_named(wish)} {now.isoformat()}".encode(), digest_size=12).hexdigest())


async def _lay(conn: AsyncConnection, event: Event, now: datetime) -> None:
    try:
        check_event(event, now)
    except Invalid as invalid:
        raise Refused(invalid.reason) from None
    await outbox.put(conn, subject_of(event), event.to_json(), event.message_id)
