"""What people do about alarms from the board, row by row, each with its outcome: the notifier alone writes alarms.

Each deed is noted in the audit together with being done; what the notifier refuses, or does not hear, is not noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

import httpx
from psycopg_pool import AsyncConnectionPool

from schemas.calendar import VN
from schemas.envelope import Invalid, refuse_personal
from services.board import audit
from services.board.access import Account
from services.kit import clock
from services.kit.settings import Settings

Deed = Literal["acknowledge", "assign", "comment", "close"]
DEEDS: tuple[Deed, ...] = get_args(Deed)
WITHIN_SECONDS = 10.0
LONGEST_NOTE = 400


class Target(NamedTuple):
    """A row that something is done about: the `key` it is called by, the unit it belongs to, the alarms about it."""

    key: str
    unit: str
    alarms: Sequence[int]


class Outcome(NamedTuple):
    """What became of a row; `said` is a word of the board, `detail` what the notifier had to say."""

    key: str
    done: bool
    said: str
    detail: str = ""


class Wrong(ValueError):
    """What was typed cannot be used; `key` is the word that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Away(Exception):
    """The notifier does not answer."""


class Refused(Exception):
    """The notifier does not do it; the message says why."""


class Desk:
    """The notifier's door, as the board uses it."""

    def __init__(self, settings: Settings, pool: AsyncConnectionPool) -> None:
        address = settings.notifier_door or f"http://127.0.0.1:{settings.notifier_port}"
        self._token = settings.password
        self._pool = pool
        self._client = httpx.AsyncClient(base_url=address, timeout=WITHIN_SECONDS, trust_env=False)

    async def do(self, deed: Deed, targets: Sequence[Target], told: Mapping[str, str], by: Account) -> list[Outcome]:
        """Do it to one row after another. Once the notifier is away nothing more is tried. Raises `Wrong`."""
        body = body_of(deed, told, by, clock.now())
        outcomes: list[Outcome] = []
        for target in targets:
            outcome = await self._one(deed, target, body, by)
            outcomes.append(outcome)
            if outcome.said == "notifier_away":
                break
        return outcomes + [Outcome(t.key, False, "not_tried") for t in targets[len(outcomes) :]]

    async def _one(self, deed: Deed, target: Target, body: Mapping[str, Any], by: Account) -> Outcome:
        if not target.alarms:
            return Outcome(target.key, False, "no_alarm")
        try:
            async with self._pool.connection() as conn, conn.transaction():
                await audit.note(conn, by, f"alarm.{deed}", target.key, {k: v for k, v in body.items() if k != "user"})
                for alarm in target.alarms:
                    await self._post(f"/alarms/{alarm}/{deed}", body)
        except Refused as refused:
            return Outcome(target.key, False, "not_done", str(refused))
        except Away:
            return Outcome(target.key, False, "notifier_away")
        return Outcome(target.key, True, f"done_{deed}")

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        head = {"Authorization": f"Bearer {self._token('alarms') or ''}"}
        try:
            answer = await self._client.post(path, json=body, headers=head)
        except httpx.HTTPError as error:
            raise Away(str(error)) from None
        if answer.status_code >= 500:
            raise Away(answer.text)
        if answer.status_code >= 400:
            raise Refused(_reason(answer))


def body_of(deed: Deed, told: Mapping[str, str], by: Account, now: datetime) -> dict[str, Any]:
    """What the notifier is sent for a form; raises `Wrong`."""
    note = told.get("note", "").strip()
    if len(note) > LONGEST_NOTE:
        raise Wrong("note_too_long")
    try:
        refuse_personal("note", note)
    except Invalid:
        raise Wrong("note_personal") from None
    if deed in ("comment", "close") and not note:
        raise Wrong("note_empty")
    body: dict[str, Any] = {"user": by.name, "note": note}
    if deed == "assign":
        assignee = told.get("assignee", "").strip()
        if not 1 <= len(assignee) <= 80:
            raise Wrong("assignee_missing")
        body["assignee"] = assignee
        if moment := moment_of(told.get("deadline", "")):
            if moment <= now:
                raise Wrong("deadline_past")
            body["deadline"] = moment.isoformat()
    return body


def moment_of(text: str) -> datetime | None:
    """A local moment as a form sends it (`2026-11-23T17:00`); None for nothing; raises `Wrong`."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=VN)
    except ValueError:
        raise Wrong("bad_moment") from None


def summary(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """(done, not done)."""
    done = [outcome.done for outcome in outcomes]
    return sum(done), len(done) - sum(done)


def _reason(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}"
    if isinstance(detail, list):
        return "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in detail)
    return str(detail)
