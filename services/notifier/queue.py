"""What is waiting to be sent: which rows make the next message to each person, when a failed one is tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.notifier import ledger
from services.notifier.alarm import OURSELVES, Alarm, Happened
from services.notifier.plan import occasion_of
from services.notifier.texts import About

TOGETHER = 5
"""Of more alarms than that waiting at once, a person gets one message that joins them."""
LATER = timedelta(minutes=5)
LATEST = timedelta(hours=1)
"""Pauses once all channels have failed: doubling from the first to the last."""
AT_ONCE = 5000


class Row(NamedTuple):
    """A row of the table `notification` with its alarm. `message`: the number it was or is being sent under."""

    id: int
    occasion: str
    person: str
    digest: bool
    try_at: datetime
    message: int | None
    tries: int
    repeat: bool
    alarm: Alarm

    @property
    def about(self) -> About:
        """The alarm, and why the person is told of it."""
        return About(self.alarm, occasion_of(self.occasion))

    @property
    def is_moot(self) -> bool:
        """What was to be said need not be said any more: it is over, or somebody has taken it."""
        if occasion_of(self.occasion) == "cleared":
            return False
        return self.alarm.cleared_at is not None or (self.alarm.acknowledged_at is not None and not self.digest)


class Attempt(NamedTuple):
    """Which of a person's channels is next, after so many tries, and how long to wait before."""

    channel: int
    pause: timedelta


def attempt(tries: int, channels: int, pauses: Sequence[timedelta]) -> Attempt:
    """Each channel is tried with pauses, then the next one at once; when all have failed, all again, later."""
    on_one = len(pauses) + 1
    channel, number = divmod(tries, on_one)
    rounds, channel = divmod(channel, channels)
    if number:
        return Attempt(channel, pauses[number - 1])
    if channel or not rounds:
        return Attempt(channel, timedelta())
    return Attempt(channel, min(LATER * 2 ** min(rounds - 1, 10), LATEST))


def all_failed(tries: int, channels: int, pauses: Sequence[timedelta]) -> bool:
    """Whether every channel was tried as often as it should be."""
    return tries >= channels * (len(pauses) + 1)


def choose(rows: Iterable[Row], now: datetime, given_up: Callable[[Row], bool]) -> list[list[Row]]:
    """The rows of the next message to each person; a message keeps its rows until it is sent.

    While one is being tried the others wait behind it, unless all channels have failed: then it waits behind them.
    """
    ordered = sorted(rows, key=lambda row: (row.person, row.id))
    found = (_next(list(own), now, given_up) for _, own in groupby(ordered, key=lambda row: row.person))
    return [message for message in found if message]


def _next(rows: list[Row], now: datetime, given_up: Callable[[Row], bool]) -> list[Row]:
    begun = [row for row in rows if row.message is not None and not given_up(row)]
    if begun:
        return _together([row for row in begun if row.try_at <= now])
    fresh = [row for row in rows if row.message is None and row.try_at <= now]
    plain = [row for row in fresh if not row.digest]
    if len({row.alarm.id for row in plain}) > TOGETHER:
        return plain
    if plain:
        return [row for row in plain if row.alarm.id == plain[0].alarm.id]
    return fresh or _together([row for row in rows if row.message is not None and row.try_at <= now])


def _together(rows: list[Row]) -> list[Row]:
    """The rows of the oldest message among them."""
    oldest = min((row.message for row in rows if row.message is not None), default=None)
    return [row for row in rows if row.message == oldest]


async def waiting(conn: AsyncConnection, now: datetime) -> list[Row]:
    """What is due to be sent, and what was tried and will be again."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        found = await (await cursor.execute(_WAITING, {"now": now, "limit": AT_ONCE})).fetchall()
    return [_row(columns) for columns in found]


def _row(columns: dict[str, Any]) -> Row:
    own = {name: columns.pop(f"n_{name}") for name in Row._fields if name != "alarm"}
    return Row(**own, alarm=Alarm(**columns))


async def claim(conn: AsyncConnection, rows: Sequence[Row]) -> int:
    """From now on a message with these rows may have been received; gives its number."""
    number = rows[0].message or rows[0].id
    sql = "UPDATE notification SET state = 'sending', message = %s, tries = tries + 1 WHERE id = ANY(%s)"
    await conn.execute(sql, (number, [row.id for row in rows]))
    return number


async def sent(conn: AsyncConnection, rows: Sequence[Row], who: str, now: datetime) -> None:
    """A message was taken by its receiver."""
    sql = "UPDATE notification SET state = 'sent', sent_at = %s WHERE id = ANY(%s)"
    await conn.execute(sql, (now, [row.id for row in rows]))
    await ledger.note(conn, now, [Happened(row.alarm.id, "notified", OURSELVES, who) for row in rows])


async def failed(conn: AsyncConnection, rows: Sequence[Row], again: datetime, repeat: bool) -> None:
    """A message was not taken, or nobody knows (`repeat`); it is tried again."""
    sql = "UPDATE notification SET state = 'planned', try_at = %s, repeat = repeat OR %s WHERE id = ANY(%s)"
    await conn.execute(sql, (again, repeat, [row.id for row in rows]))


async def drop(conn: AsyncConnection, rows: Sequence[Row]) -> None:
    """What need not be said any more is not said."""
    sql = "UPDATE notification SET state = 'dropped' WHERE id = ANY(%s)"
    await conn.execute(sql, ([row.id for row in rows],))


async def recover(conn: AsyncConnection, in_hand: Sequence[int], unsent: Sequence[int]) -> int:
    """Rows found in sending whose message's fate nobody knows: sent once more, and marked; gives their number.

    `in_hand`: what this process is still sending. `unsent`: what it claimed and surely did not send.
    """
    sql = """
    UPDATE notification SET state = 'planned', try_at = now(), repeat = repeat OR NOT id = ANY(%(unsent)s)
    WHERE state = 'sending' AND NOT id = ANY(%(in_hand)s)
    """
    cursor = await conn.execute(sql, {"in_hand": list(in_hand), "unsent": list(unsent)})
    return cursor.rowcount


async def open_tries(conn: AsyncConnection) -> dict[str, int]:
    """Person -> tries of what was tried most often and is not sent yet."""
    sql = "SELECT person, max(tries) FROM notification WHERE state IN ('planned', 'sending') GROUP BY person"
    return dict(await (await conn.execute(sql)).fetchall())


async def oldest(conn: AsyncConnection, now: datetime) -> datetime | None:
    """Since when the oldest message that should be sent is due."""
    sql = "SELECT min(due_at) FROM notification WHERE state IN ('planned', 'sending') AND due_at <= %s"
    row = await (await conn.execute(sql, (now,))).fetchone()
    return row[0] if row else None


_WAITING = """
SELECT a.*, n.id AS n_id, n.occasion AS n_occasion, n.person AS n_person, n.digest AS n_digest, n.try_at AS n_try_at,
       n.message AS n_message, n.tries AS n_tries, n.repeat AS n_repeat
FROM notification n JOIN alarm a ON a.id = n.alarm
WHERE n.state = 'planned' AND (n.try_at <= %(now)s OR n.message IS NOT NULL) ORDER BY n.id LIMIT %(limit)s
"""
