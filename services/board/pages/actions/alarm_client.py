"""What people do about alarms from the board, row by row, each with its outcome: the notifier alone writes alarms.

Each deed is noted in the audit before it is done, in a transaction that ends with it. What the notifier refused, or did
not hear, is not noted; where it may have heard and did not answer, the note says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import quote

import httpx
from psycopg import Rollback
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.envelope import Invalid, refuse_personal
from schemas.instance import HEADER
from schemas.personal import OF_STAFF
from schemas.text import moments
from services.board.access import Account
from services.board.auth import audit
from services.kit import clock, store
from services.kit.errors import refusal
from services.kit.settings import Settings

ActionName = Literal["acknowledge", "assign", "comment", "close"]
DEEDS: tuple[ActionName, ...] = get_args(ActionName)
DOSSIER = "dossier:"
"""How the key of a dossier's row begins: one that no alarm is about can be given to somebody all the same."""
WITHIN_SECONDS = 10.0
LONGEST_NOTE = 400
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""What no form sends, and neither the database nor an office program takes."""
ENOUGH = frozenset({"notifier_away", "store_away", "unknown"})
"""After such an outcome nothing more is tried."""


class Alarm(NamedTuple):
    """An alarm about a row, and who has acknowledged it."""

    id: int
    holder: str | None


class Target(NamedTuple):
    """A row that something is done about: the `key` it is called by, the unit it belongs to, the alarms about it."""

    key: str
    unit: str
    alarms: Sequence[Alarm]


class Answer(NamedTuple):
    """What the notifier made of one alarm. `away`: it was never asked; `unknown`: it was, and did not say."""

    state: Literal["done", "refused", "away", "unknown"]
    why: str = ""


class Outcome(NamedTuple):
    """What became of a row; `said` is a word of the board, `detail` what the notifier had to say."""

    key: str
    done: bool
    said: str
    detail: str = ""


class OnCall(BaseModel):
    """Who is on call by a rota until when, and who after that."""

    rota: str
    person: str
    until: datetime
    then: str


_ON_CALL = TypeAdapter(list[OnCall])


class InvalidInput(ValueError):
    """What was typed cannot be used; `key` is the word that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class AlarmClient:
    """The notifier's door, as the board uses it."""

    def __init__(self, settings: Settings, pool: AsyncConnectionPool) -> None:
        address = settings.notifier_door or f"http://127.0.0.1:{settings.notifier_port}"
        self._token, self._instance = settings.password, settings.instance
        self._pool = pool
        self._client = httpx.AsyncClient(base_url=address, timeout=WITHIN_SECONDS, trust_env=False)

    async def do(
        self, deed: ActionName, targets: Sequence[Target], fields: Mapping[str, str], by: Account
    ) -> list[Outcome]:
        """Do it to one row after another. Once somebody does not answer nothing more is tried. Raises `Wrong`."""
        body = body_of(deed, fields, by, clock.now())
        outcomes: list[Outcome] = []
        for target in targets:
            outcomes.append(await self._one(deed, target, body, by))
            if outcomes[-1].said in ENOUGH:
                break
        return outcomes + not_tried(target.key for target in targets[len(outcomes) :])

    async def _one(self, deed: ActionName, target: Target, body: Mapping[str, Any], by: Account) -> Outcome:
        alarms = aimed(deed, target.alarms)
        paths = [f"/alarms/{alarm}/{deed}" for alarm in alarms]
        if not target.alarms and deed == "assign" and target.key.startswith(DOSSIER):
            paths = [f"/dossiers/{quote(target.key.removeprefix(DOSSIER), safe='')}/assign"]
        if not paths:
            holders = dict.fromkeys(a.holder for a in target.alarms if a.holder)
            return Outcome(target.key, False, "held_already" if holders else "no_alarm", ", ".join(holders))
        answers: list[Answer] = []
        fields = {k: v for k, v in body.items() if k != "user"} | {"alarms": alarms, "unit": target.unit}
        try:
            async with self._pool.connection() as conn, conn.transaction():
                await audit.note(conn, by, f"alarm.{deed}", target.key, fields)
                await self._ask(paths, body, answers)
                outcome = outcome_of(deed, target.key, answers)
                if not {"done", "unknown"} & {answer.state for answer in answers}:
                    raise Rollback
                if not all(answer.state == "done" for answer in answers):
                    part = {**_in_part(alarms or [target.key], answers), "unit": target.unit}
                    await audit.note(conn, by, f"alarm.{deed}", target.key, part)
        except store.OUTAGE:
            return Outcome(target.key, False, "unknown" if answers else "store_away")
        return outcome

    async def _ask(self, paths: Sequence[str], body: Mapping[str, Any], answers: list[Answer]) -> None:
        for path in paths:
            answers.append(await self._post(path, body))
            if answers[-1].state in ("away", "unknown"):
                break

    async def on_call(self) -> list[OnCall] | None:
        """Who is on call now, by each rota; None while the notifier does not tell."""
        try:
            answer = await self._client.get("/on_call", headers=self._head())
            answer.raise_for_status()
            return _ON_CALL.validate_json(answer.content) if self._is_ours(answer) else None
        except (httpx.HTTPError, ValidationError):
            return None

    def _head(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token('alarms') or ''}"}

    def _is_ours(self, answer: httpx.Response) -> bool:
        return not self._instance or answer.headers.get(HEADER) == self._instance.id

    async def _post(self, path: str, body: Mapping[str, Any]) -> Answer:
        try:
            answer = await self._client.post(path, json=body, headers=self._head())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Answer("away", str(error))
        except httpx.HTTPError as error:
            return Answer("unknown", str(error))
        if not self._is_ours(answer):
            return Answer("away", "another program answers in the notifier's place")
        if answer.status_code >= 500:
            return Answer("unknown", answer.text)
        return (
            Answer("refused", refusal(answer) or f"{answer.status_code}")
            if answer.status_code >= 400
            else Answer("done")
        )


def aimed(deed: ActionName, alarms: Sequence[Alarm]) -> list[int]:
    """The alarms of a row that a deed is about: acknowledged are those that nobody has, a comment is written once."""
    free = [alarm.id for alarm in alarms if alarm.holder is None]
    taken = [alarm.id for alarm in alarms if alarm.holder is not None]
    return free if deed == "acknowledge" else (free + taken)[: 1 if deed == "comment" else None]


def outcome_of(deed: ActionName, key: str, answers: Sequence[Answer]) -> Outcome:
    """What became of a row whose alarms were answered so."""
    states = {answer.state for answer in answers}
    why = "; ".join(answer.why for answer in answers if answer.state == "refused")
    if "unknown" in states:
        return Outcome(key, False, "unknown")
    if "done" in states:
        return Outcome(key, True, f"done_{deed}" if states == {"done"} else "done_in_part", why)
    return Outcome(key, False, "not_done" if "refused" in states else "notifier_away", why)


def _in_part(alarms: Sequence[int | str], answers: Sequence[Answer]) -> dict[str, Any]:
    """What the audit is told where not all was done: what became of each alarm."""
    states = [answer.state for answer in answers]
    missing = ["not_tried"] * (len(alarms) - len(states))
    return {"outcome": dict(zip(map(str, alarms), [*states, *missing], strict=True))}


def not_tried(keys: Iterable[str]) -> list[Outcome]:
    """The outcome of rows that were not reached."""
    return [Outcome(key, False, "not_tried") for key in keys]


def body_of(deed: ActionName, fields: Mapping[str, str], by: Account, now: datetime) -> dict[str, Any]:
    """What the notifier is sent for a form; raises `Wrong`."""
    note = plain(fields.get("note", ""))
    if len(note) > LONGEST_NOTE:
        raise InvalidInput("note_too_long")
    impersonal("note", note)
    if deed in ("comment", "close") and not note:
        raise InvalidInput("note_empty")
    body: dict[str, Any] = {"user": by.name, "note": note}
    if deed == "assign":
        assignee = plain(fields.get("assignee", ""))
        if not 1 <= len(assignee) <= 80:
            raise InvalidInput("assignee_missing")
        body["assignee"] = _of_staff(assignee)
        if moment := moment_of(fields.get("deadline", "")):
            if moment <= now:
                raise InvalidInput("deadline_past")
            body["deadline"] = moment.isoformat()
    return body


def _of_staff(name: str) -> str:
    """An account's name may be an e-mail address, and nothing else that is personal."""
    impersonal("assignee", name, OF_STAFF)
    return name


def impersonal(where: str, text: str, allowed: Collection[str] = ()) -> None:
    """Raises `InvalidInput` where a text holds what is of a person."""
    try:
        refuse_personal(where, text, allowed)
    except Invalid:
        raise InvalidInput("note_personal") from None


def plain(text: str) -> str:
    """A line as typed, without spaces around it; raises `Wrong` where it holds what nobody can see."""
    if _CONTROL.search(text := text.strip()):
        raise InvalidInput("odd_characters")
    return text


def moment_of(text: str) -> datetime | None:
    """A local moment as a form sends it (`2026-11-23T17:00`), or the end of a day; None for nothing; raises `Wrong`."""
    if not text.strip():
        return None
    try:
        return moments.read(text).end
    except moments.NoMoment:
        raise InvalidInput("bad_moment") from None


def summary(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """(done, not done)."""
    done = [outcome.done for outcome in outcomes]
    return sum(done), len(done) - sum(done)
