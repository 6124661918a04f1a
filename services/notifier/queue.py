"""What is waiting to be sent: which rows make the next message to each person, when a failed one is tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.notifier import alarm_repository
from services.notifier.alarm import OURSELVES, Alarm, Happened
from services.notifier.escalation import occasion_of
from services.notifier.templates import About

TOGETHER = 5
"""Of more matters than that waiting at once, a person gets one message that joins them."""
LATER = timedelta(minutes=5)
LATEST = timedelta(hours=1)
"""Pauses once all channels have failed: doubling from the first to the last."""
AT_ONCE = 500
"""So many of a person's new rows are looked at in a round."""


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
    def number(self) -> int:
        """The number of its message, or of the one that it begins."""
        return self.message or self.id


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
    if len({_matter(row) for row in plain}) > TOGETHER:
        return plain
    if plain:
        return [row for row in plain if _matter(row) == _matter(plain[0])]
    return fresh or _together([row for row in rows if row.message is not None and row.try_at <= now])


def _matter(row: Row) -> tuple[object, ...]:
    """What is said in one message: one alarm, or all that wait about a unit's cases of one kind."""
    alarm = row.alarm
    cases = alarm.kind in ("dossier", "report")
    return (alarm.unit, alarm.type, alarm.vi, alarm.origin) if cases else (alarm.id,)


def _together(rows: list[Row]) -> list[Row]:
    """The rows of the oldest message among them."""
    oldest = min((row.message for row in rows if row.message is not None), default=None)
    return [row for row in rows if row.message == oldest]


async def waiting(conn: AsyncConnection, now: datetime, busy: Sequence[str] = (), at_once: int = AT_ONCE) -> list[Row]:
    """All that `choose` needs to know of each person but the busy ones, however much waits for another: what is new and
    due, and of what was tried before the first message that is due and the first that will be, each whole."""
    values = {"now": now, "busy": list(busy), "at_once": at_once}
    found = await (await conn.execute(_WAITING, values)).fetchall()
    return await _planned(conn, [id for (id,) in found])


async def _planned(conn: AsyncConnection, ids: Sequence[int]) -> list[Row]:
    """Those of the rows that are still to be said, with their alarms as they are now."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        found = await (await cursor.execute(_PLANNED, (list(ids),))).fetchall()
    return [_row(columns) for columns in found]


def _row(columns: dict[str, Any]) -> Row:
    own = {name: columns.pop(f"n_{name}") for name in Row._fields if name != "alarm"}
    return Row(**own, alarm=Alarm(**columns))


async def claim(conn: AsyncConnection, rows: Sequence[Row]) -> list[Row]:
    """From now on a message may have been received; gives the rows that it is made of, with its number. What became
    moot since it was chosen is not among them: no alarm changes between this look and the commit."""
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (alarm_repository.WRITING,))
        still = await _planned(conn, [row.id for row in rows])
        number = still[0].number if still else None
        sql = "UPDATE notification SET state = 'sending', message = %s, tries = tries + 1 WHERE id = ANY(%s)"
        await conn.execute(sql, (number, [row.id for row in still]))
    return [row._replace(message=number) for row in still]


async def sent(conn: AsyncConnection, rows: Sequence[Row], who: str, now: datetime) -> None:
    """A message was taken by its receiver."""
    sql = "UPDATE notification SET state = 'sent', sent_at = %s WHERE id = ANY(%s)"
    await conn.execute(sql, (now, [row.id for row in rows]))
    await alarm_repository.note(conn, now, [Happened(row.alarm.id, "notified", OURSELVES, who) for row in rows])


async def failed(conn: AsyncConnection, rows: Sequence[Row], again: datetime, repeat: bool, now: datetime) -> None:
    """A message was not taken, or nobody knows (`repeat`); it is tried again."""
    sql = """
    UPDATE notification SET state = 'planned', try_at = %s, repeat = repeat OR %s, failed_at = coalesce(failed_at, %s)
    WHERE id = ANY(%s)
    """
    await conn.execute(sql, (again, repeat, now, [row.id for row in rows]))


async def drop(conn: AsyncConnection, rows: Sequence[Row]) -> None:
    """What nobody is there to be told of is not said."""
    sql = "UPDATE notification SET state = 'dropped' WHERE id = ANY(%s)"
    await conn.execute(sql, ([row.id for row in rows],))


async def drop_moot(conn: AsyncConnection) -> None:
    """What need not be said any more is not said: it is over, or somebody has taken it."""
    await conn.execute(_DROP_MOOT)


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
    return dict(await (await conn.execute(_TRIES)).fetchall())


async def oldest(conn: AsyncConnection, now: datetime) -> datetime | None:
    """Since when the oldest message that should be sent is due."""
    sql = "SELECT min(due_at) FROM notification WHERE state IN ('planned', 'sending') AND due_at <= %s"
    row = await (await conn.execute(sql, (now,))).fetchone()
    return row[0] if row else None


_TRIES = """
SELECT person, max(tries) FROM (
    SELECT person, tries FROM notification WHERE state IN ('planned', 'sending')
    UNION ALL SELECT person, tries FROM brief WHERE state IN ('planned', 'sending')
) AS n GROUP BY person
"""
_WAITING = """
SELECT id FROM (
    SELECT id, message, rank() OVER (
        PARTITION BY person, message IS NULL, try_at <= %(now)s ORDER BY tries, digest, coalesce(message, id)
    ) AS place
    FROM notification WHERE state = 'planned' AND (try_at <= %(now)s OR message IS NOT NULL)
        AND NOT person = ANY(%(busy)s)
) AS n
WHERE place <= CASE WHEN message IS NULL THEN %(at_once)s ELSE 1 END
"""
"""The rows of a message were tried as often, so they share its place; what is not given up comes before what is."""
_MOOT = """(n.occasion <> 'cleared'
    AND (a.cleared_at IS NOT NULL OR (a.acknowledged_at IS NOT NULL AND NOT n.digest)))"""
_PLANNED = f"""
SELECT a.*, n.id AS n_id, n.occasion AS n_occasion, n.person AS n_person, n.digest AS n_digest, n.try_at AS n_try_at,
       n.message AS n_message, n.tries AS n_tries, n.repeat AS n_repeat
FROM notification n JOIN alarm a ON a.id = n.alarm
WHERE n.state = 'planned' AND n.id = ANY(%s) AND NOT {_MOOT} ORDER BY n.id
"""  # noqa: S608
_DROP_MOOT = f"""
UPDATE notification n SET state = 'dropped' FROM alarm a WHERE a.id = n.alarm AND n.state = 'planned' AND {_MOOT}
"""  # noqa: S608
