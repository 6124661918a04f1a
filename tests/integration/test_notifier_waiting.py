"""What waits to be sent, in a real database: nobody waits for another's dead channel, and what is over is not told as
new. All of it is undone at the end of each test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from alarms import NUMBERS, now
from psycopg import AsyncConnection

from infra.local.servers import Instance
from schemas.calendar import WorkCalendar
from services.centre.prepare import settings_of
from services.notifier import alarm_repository, queue
from services.notifier.alarm import Raise
from services.notifier.escalation import PlannedNotification, plan
from services.notifier.queue import Row
from services.notifier.routes import Routes

HERE = "xa_thuan_loi"
AT_ONCE = 3
LATER = timedelta(minutes=5)
Work = Callable[[AsyncConnection], Awaitable[None]]


def undone(centre: Instance, work: Work) -> None:
    """Do it as the notifier, and leave nothing of it."""

    async def do() -> None:
        conninfo = settings_of(centre, "test").database("notifier")
        async with await AsyncConnection.connect(conninfo) as conn, conn.transaction(force_rollback=True):
            await work(conn)

    asyncio.run(do())


async def raised(conn: AsyncConnection, count: int, person: str) -> list[int]:
    """Alarms of which a person is to be told now; gives their numbers."""
    about = [f"queue:{next(NUMBERS)}" for _ in range(count)]
    texts = ("Có sự cố", "Trouble", "", "", "/d/x")
    await alarm_repository.raise_all(
        conn, [Raise("event", a, "Test", "warning", "platform", HERE, "real", *texts) for a in about], now()
    )
    sql = "SELECT id FROM alarm WHERE originator = ANY(%s) ORDER BY id"
    ids = [id for (id,) in await (await conn.execute(sql, (about,))).fetchall()]
    await alarm_repository.enter(conn, [PlannedNotification(id, "raised:r/0", person, False, now()) for id in ids])
    return ids


async def waiting(conn: AsyncConnection, person: str) -> list[Row]:
    return [row for row in await queue.waiting(conn, now(), at_once=AT_ONCE) if row.person == person]


async def lose(conn: AsyncConnection, rows: list[Row], pause: timedelta = timedelta()) -> list[Row]:
    """Send them as one message whose answer is lost."""
    claimed = await queue.claim(conn, rows)
    await queue.failed(conn, claimed, now() + pause, True, now())
    return claimed


def alarms(rows: list[Row]) -> list[int]:
    return [row.alarm.id for row in rows]


def fresh(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.message is None]


def test_who_cannot_be_reached_keeps_nobody_else_waiting(centre: Instance) -> None:
    async def work(conn: AsyncConnection) -> None:
        await raised(conn, 4 * AT_ONCE, "dead")
        while rows := fresh(await waiting(conn, "dead")):
            await lose(conn, rows, LATER)
        more = await raised(conn, 2 * AT_ONCE, "dead")
        [told] = await raised(conn, 1, "well")
        assert alarms(await waiting(conn, "well")) == [told]
        assert alarms(fresh(await waiting(conn, "dead"))) == more[:AT_ONCE]  # nor do the person's own next ones wait
        found = await queue.waiting(conn, now(), ["dead"])
        assert "well" in {row.person for row in found} and "dead" not in {row.person for row in found}

    undone(centre, work)


def test_of_what_was_tried_whole_messages_are_looked_at_and_none_hides_what_others_wait_for(centre: Instance) -> None:
    async def work(conn: AsyncConnection) -> None:
        given_up = await raised(conn, AT_ONCE + 1, "tester")
        rows = await queue.waiting(conn, now())
        for _ in range(2):
            rows = await lose(conn, [row for row in rows if row.alarm.id in given_up])
        assert alarms(await waiting(conn, "tester")) == given_up
        begun = await raised(conn, 2, "tester")
        await lose(conn, fresh(await waiting(conn, "tester")), LATER)
        new = await raised(conn, AT_ONCE + 1, "tester")
        assert alarms(await waiting(conn, "tester")) == given_up + begun + new[:AT_ONCE]
        later = await raised(conn, 2, "tester")
        await lose(conn, [row for row in await queue.waiting(conn, now()) if row.alarm.id in later])
        assert alarms(await waiting(conn, "tester")) == begun + new[:AT_ONCE] + later

    undone(centre, work)


def test_what_is_over_or_taken_is_not_sent_even_if_it_was_chosen_before(centre: Instance) -> None:
    async def work(conn: AsyncConnection) -> None:
        over, taken, open_ = await raised(conn, 3, "tester")
        await alarm_repository.enter(conn, [PlannedNotification(taken, "raised:digest/0", "tester", True, now())])
        chosen = fresh([row for row in await queue.waiting(conn, now()) if row.alarm.id in (over, taken, open_)])
        await alarm_repository.clear(conn, [over], now(), "tester", "")
        await alarm_repository.enter(conn, [PlannedNotification(over, "cleared", "tester", False, now())])
        await alarm_repository.update(conn, taken, acknowledged_at=now(), acknowledged_by="tester")
        claimed = await queue.claim(conn, [row for row in chosen if not row.digest])
        assert [(row.alarm.id, row.message) for row in claimed] == [(open_, claimed[0].id)]
        assert await queue.claim(conn, claimed) == []  # it is on its way
        await queue.drop_moot(conn)
        left = [(row.alarm.id, row.occasion) for row in await waiting(conn, "tester")]
        assert left == [(taken, "raised:digest/0"), (over, "cleared")]
        sql = "SELECT alarm, occasion FROM notification WHERE state = 'dropped' AND alarm = ANY(%s) ORDER BY id"
        dropped = await (await conn.execute(sql, ([over, taken, open_],))).fetchall()
        assert dropped == [(over, "raised:r/0"), (taken, "raised:r/0")]

    undone(centre, work)


def test_who_perhaps_received_it_hears_that_it_is_over(centre: Instance) -> None:
    async def farewells(conn: AsyncConnection, id: int) -> list[str]:
        [(alarm, told)] = [(a, t) for a, t in await alarm_repository.due(conn, now()) if a.id == id]
        return [row.person for row in plan(alarm, told, Routes(), WorkCalendar.base(), now()).planned]

    async def work(conn: AsyncConnection) -> None:
        lost, untried = await raised(conn, 2, "tester")
        await lose(conn, [row for row in await waiting(conn, "tester") if row.alarm.id == lost])
        await alarm_repository.clear(conn, [lost, untried], now(), "tester", "")
        await queue.drop_moot(conn)
        assert (await farewells(conn, lost), await farewells(conn, untried)) == (["tester"], [])

    undone(centre, work)
