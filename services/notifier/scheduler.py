"""What is done again and again: clear what is over, mind ourselves, plan who is told, publish the history, count."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from nats.js import JetStreamContext
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas.calendar_history import CalendarHistory
from services.kit import bus, metrics
from services.kit.facts import read_calendars
from services.notifier import alarm_repository, domain, queue
from services.notifier.alarm import OURSELVES, SEVERITIES, Alarm, Happened, Key, Raise, own
from services.notifier.escalation import NotificationPlan, occasion_of, plan
from services.notifier.queue import all_failed
from services.notifier.routes import Routes
from services.notifier.watchdog import Watchdog

log = logging.getLogger("notifier")
CALENDAR_EVERY = timedelta(minutes=1)
_SILENT = (
    "Không nhận được cảnh báo từ Prometheus và Alertmanager",
    "Prometheus and Alertmanager send no alerts any more",
    "Chạy `./ioc status`, xem nhật ký của prometheus và alertmanager; trong khi chờ, cử người trực màn hình.",
    "Run `./ioc status`, see the logs of prometheus and alertmanager; until then somebody watches the screens.",
)
_FAILING = (
    "Không gửi được tin cho {name}: mọi kênh đều lỗi",
    "Nothing reaches {name}: all channels fail",
    "Chạy `./ioc alarms test {person}` để biết kênh nào lỗi; kiểm tra địa chỉ, mật khẩu và đường mạng.",
    "Run `./ioc alarms test {person}` to see which channel fails and why; check address, password and network.",
)


class Rounds:
    """The state of the work between two rounds. What it holds is lost by a restart without harm."""

    def __init__(self, pool: AsyncConnectionPool, routes: Routes, watchdog: Watchdog) -> None:
        self._pool, self._routes, self._watchdog = pool, routes, watchdog
        self._looked: dict[int, int | None] = {}
        self._calendars = CalendarHistory()
        self._calendars_at: datetime | None = None
        self._first = True

    async def run_once(self, now: datetime) -> None:
        """One round, all or nothing; raises what `store.OUTAGE` lists."""
        async with alarm_repository.writing(self._pool) as conn:
            if self._first:
                await alarm_repository.look_at_all(conn, now)
            looked = await self._follow_cases(conn, now)
            await self._mind_ourselves(conn, now)
            gone = await alarm_repository.orphans(conn)
            await alarm_repository.reopen(conn, list(gone.items()), now)
            await self._plan(conn, now)
            await self._count(conn, now)
        self._looked, self._first = looked, False

    async def _follow_cases(self, conn: AsyncConnection, now: datetime) -> dict[int, int | None]:
        """Clear what is over and hand on what another unit has now, of the entities that were folded anew; gives the
        version of each that was looked at."""
        rows = await alarm_repository.watched(conn)
        changed = [row for row in rows if row.version is not None and self._looked.get(row.id) != row.version]
        states = await alarm_repository.states(conn, {(row.kind, row.entity) for row in changed})
        over = [
            row.id
            for row in changed
            if (state := states.get((row.kind, row.entity)))
            and domain.is_over(row.kind, row.stage, row.due_at, state, now)
        ]
        await alarm_repository.clear(conn, over, now, OURSELVES, "what it was about is done")
        # A report's stages have a unit and a due time of their own; whoever accepted a dossier last has all of it.
        moved = [row for row in changed if row.kind == "dossier" and row.handler != row.unit and row.id not in over]
        await alarm_repository.hand_on(conn, moved, now)
        forgotten = [row.id for row in rows if row.version is None and row.refreshed_at < now - domain.FORGOTTEN]
        await alarm_repository.clear(conn, forgotten, now, OURSELVES, "what it was about is not known any more")
        return {row.id: row.version for row in rows}

    async def _mind_ourselves(self, conn: AsyncConnection, now: datetime) -> None:
        """Alarms about the road to people itself."""
        wanted = {alarm.key: alarm for alarm in await self._own_alarms(conn, now)}
        active = await alarm_repository.active_own(conn)
        await alarm_repository.raise_all(conn, [alarm for key, alarm in wanted.items() if key not in active], now)
        for key, (id, raised_at) in active.items():
            if key not in wanted and (why := await self._why_over(conn, key, raised_at)):
                await alarm_repository.clear(conn, [id], now, OURSELVES, why)

    async def _own_alarms(self, conn: AsyncConnection, now: datetime) -> list[Raise]:
        found = [own("AlertingSilent", "alertmanager", "critical", _SILENT)] if self._watchdog.is_silent(now) else []
        for person, tries in (await queue.open_tries(conn)).items():
            known = self._routes.people.get(person)
            if known and all_failed(tries, len(known.channels), self._routes.sending.pauses):
                vi, en, do_vi, do_en = (text.format(name=known.name, person=person) for text in _FAILING)
                found.append(own("NotificationFailing", f"person:{person}", "warning", (vi, en, do_vi, do_en)))
        return found

    async def _why_over(self, conn: AsyncConnection, key: Key, raised_at: datetime) -> str:
        """Why an alarm about ourselves is over; empty: nothing has shown yet that it is."""
        person = key.originator.removeprefix("person:")
        if key.type == "AlertingSilent":
            works = self._watchdog.heard is not None
        elif person in self._routes.people:
            works = await alarm_repository.was_told(conn, person, raised_at)
        else:
            return "nobody of that name is told any more"
        return "it works again" if works else ""

    async def _plan(self, conn: AsyncConnection, now: datetime) -> None:
        """Until nothing is left to be looked at."""
        await self._know_calendar(conn, now)
        while found := await alarm_repository.due(conn, now):
            plans = [(a, plan(a, sent, self._routes, self._calendars.at(now), now)) for a, sent in found]
            await alarm_repository.look_again(conn, {a.id: p.next_at for a, p in plans})
            await alarm_repository.enter(conn, [row for _, p in plans for row in p.planned])
            await alarm_repository.note(conn, now, [step for a, p in plans for step in self._steps(a, p)])
            for alarm in (a for a, p in plans if p.passed):
                await alarm_repository.update(
                    conn, alarm.id, acknowledged_at=None, acknowledged_by=None, since=alarm.deadline
                )

    def _steps(self, alarm: Alarm, plan: NotificationPlan) -> list[Happened]:
        names = [row.person for row in plan.planned if occasion_of(row.occasion) == "escalated"]
        steps = [Happened(alarm.id, "escalated", OURSELVES, f"to {', '.join(names)}")] if names else []
        if plan.passed:
            steps.append(Happened(alarm.id, "deadline_passed", OURSELVES, f"set for {alarm.assignee}"))
        return steps

    async def _know_calendar(self, conn: AsyncConnection, now: datetime) -> None:
        if self._calendars_at is None or now - self._calendars_at > CALENDAR_EVERY:
            self._calendars, self._calendars_at = await read_calendars(conn), now

    async def _count(self, conn: AsyncConnection, now: datetime) -> None:
        found = {(system, severity): number for system, severity, number in await alarm_repository.counts(conn)}
        systems = {system for system, _ in found}
        metrics.ALARMS_ACTIVE.clear()
        for system in systems:
            for severity in SEVERITIES:
                metrics.ALARMS_ACTIVE.labels(system, severity).set(found.get((system, severity), 0))
        since = await queue.oldest(conn, now)
        metrics.OLDEST_UNSENT.set((now - since).total_seconds() if since else 0)


async def publish(pool: AsyncConnectionPool, js: JetStreamContext, private: Callable[[str], str]) -> None:
    """Publish the steps that the broker does not have yet, in their order, each under a `private` id; raises
    `Unavailable` and outages."""
    while True:
        async with pool.connection() as conn:
            steps = await alarm_repository.unpublished(conn)
        if not steps:
            return
        messages = [
            bus.Outgoing(f"ioc.alerts.{s['system']}.{s['step']}", _json(s), private(f"alarm-step-{s['id']}-{s['at']}"))
            for s in steps
        ]
        await bus.publish_raw(js, messages, within=bus.PUBLISH_TIMEOUT)
        async with pool.connection() as conn:
            await alarm_repository.published(conn, steps[-1]["id"])


def _json(step: dict[str, object]) -> bytes:
    return json.dumps(step, ensure_ascii=False).encode()
