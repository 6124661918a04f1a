"""Keys on the broker: who connects as a key with its secret may publish that key's subjects, and nothing else.

The broker asks about every user that its own table does not know. What is answered here holds as long as the secret;
where it ends early the key's connections are ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator
from math import ceil
from typing import Any, NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.broker_tokens import ASKED, Signer, claims
from schemas.sources import KEYS
from schemas.streams import SESSION
from services.ingest.broker_pace import CLOSED, MQTT, OPEN, BrokerPace, connections, surplus
from services.ingest.keyring import Keyring
from services.kit import clock, metrics
from services.kit.errors import Unavailable
from services.kit.keys import Key

log = logging.getLogger(__name__)
CONNECTIONS = "$SYS.REQ.SERVER.PING.CONNZ"
ACCOUNT = "$G"
MOST_CONNECTIONS, MOST_DEVICES, MOST_SUBSCRIPTIONS = 10, 200, 20
"""Of one key: connections, those by MQTT besides, subscriptions of each; the broker has 200, and 1,000, for all."""
MOST_OF_A_USER = 60
"""Connections of any user, on one node; those of the centre's own programs have a few each."""
MOST_SESSIONS = 500
"""Of one key: ids of clients whose sessions the broker keeps, each in memory until its next start."""
MOST_REMEMBERED = 10_000
"""So many clients that were let in last are remembered, until it is seen whether their sessions are kept."""
ANSWER_SECONDS, CONNECT_SECONDS = 2.0, 0.2
PACE_SECONDS, IDLE_SECONDS = 1.0, 5.0
"""How often the broker is asked what keys do, and where there are no keys."""


class Visitor(NamedTuple):
    """Who asks to enter the broker: the keys that the answer is for, and what was shown. `client`: a device's id."""

    server: str
    nkey: str
    name: str
    secret: str
    by: str = "nats"
    client: str = ""


def visitor(data: bytes) -> Visitor:
    """What the broker asks. ValueError for anything else."""
    try:
        asked = claims(data)["nats"]
        shown, told = asked["connect_opts"], asked.get("client_info", {})
        by, client = told.get("type", "nats"), told.get("mqtt_id", "")
        server, nkey = asked["server_id"]["id"], asked["user_nkey"]
        return Visitor(server, nkey, shown.get("user", ""), shown.get("pass", ""), by, client)
    except (KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(f"not a question about a user: {wrong!r}") from None


class Sessions:
    """The clients of each key whose sessions the broker keeps, as far as they came since this process began."""

    def __init__(self) -> None:
        self._entered: OrderedDict[str, str] = OrderedDict()
        self._kept: defaultdict[str, set[str]] = defaultdict(set)

    def enter(self, key: str, client: str) -> None:
        """Let a key's client in. `Refused` where it is a new one, and the key has as many as it may."""
        kept = self._kept[key]
        if len(kept) >= MOST_SESSIONS and client not in kept:
            raise Refused(f"the key {key} has {MOST_SESSIONS:,} sessions already; ask for clean ones")
        self._entered[client] = key
        if len(self._entered) > MOST_REMEMBERED:
            self._entered.popitem(last=False)

    async def see(self, message: Msg) -> None:
        """A session that the broker has written down."""
        try:
            told = json.loads(message.data)
            client, clean = str(told["id"]), bool(told.get("clean"))
        except (ValueError, TypeError, KeyError):
            return
        if (key := self._entered.pop(client, None)) and not clean:
            self._kept[key].add(client)


class Callout:
    """Answers the broker. `system` is a connection to its own account, where connections are counted and ended."""

    def __init__(self, signer: Signer, keyring: Keyring, client: Client, system: Client) -> None:
        self._signer, self._keyring, self._client, self._system = signer, keyring, client, system
        self._sessions, self._pace = Sessions(), BrokerPace(keyring)

    async def serve(self) -> None:
        """Answer from now on, however often the connection heals."""
        while not self._client.is_connected:  # noqa: ASYNC110 - it comes up by itself
            await asyncio.sleep(CONNECT_SECONDS)
        await self._client.subscribe(SESSION, cb=self._sessions.see)
        await self._client.subscribe(ASKED, queue="keys", cb=self._answer)

    async def watch(self) -> None:
        """For ever: end what a user has of connections beyond its share, the newest, and those of keys that send more
        than they may; they may come back when it is paid."""
        while True:
            await asyncio.sleep(IDLE_SECONDS if self._keyring.is_empty else PACE_SECONDS)
            try:
                told = [node.data async for node in self._nodes(_json(OPEN))]
                for server, number in [one for answer in told for one in surplus(answer, MOST_OF_A_USER)]:
                    await self._kick(server, number)
                if self._keyring.is_empty:
                    continue
                told += [node.data async for node in self._nodes(_json(CLOSED))]
                for name in self._pace.over(told):
                    log.warning("key %s: it sends more than it may, its connections are ended", name)
                    metrics.REFUSED.labels(KEYS, "too_many").inc()
                    await self.end(name)
            except (nats.errors.Error, TimeoutError, Unavailable) as error:
                log.warning("what users do on the broker is not known now: %r", error)

    async def end(self, name: str) -> None:
        """End a key's connections; they may come back if they still can. `Unavailable` where no broker answers."""
        try:
            nodes = [answer async for answer in self._nodes(_about(name))]
            for server, one in (connection for node in nodes for connection in connections(node.data)):
                await self._kick(server, one["cid"])
        except (nats.errors.Error, TimeoutError) as error:
            raise Unavailable(f"the broker does not answer: {error!r}") from None
        if not nodes:
            raise Unavailable("no broker tells its connections")
        log.info("key %s: its connections were ended", name)

    async def _kick(self, server: str, number: int) -> None:
        # Who wants no answer is not listened to.
        await self._system.request(f"$SYS.REQ.SERVER.{server}.KICK", _json({"cid": number}))

    async def _nodes(self, asked: bytes) -> AsyncIterator[Msg]:
        """What each node of the broker tells of connections; nobody says how many nodes there are."""
        inbox = self._system.new_inbox()
        answers = await self._system.subscribe(inbox)
        try:
            await self._system.publish(CONNECTIONS, asked, reply=inbox)
            while True:
                yield await answers.next_msg(timeout=ANSWER_SECONDS)
        except nats.errors.TimeoutError:
            return
        finally:
            await answers.unsubscribe()

    async def _answer(self, message: Msg) -> None:
        try:
            who = visitor(message.data)
        except ValueError as wrong:
            log.warning("%s", wrong)
            return
        try:
            answer = self._said(who, jwt=await self._permit(who))
            if len(answer) > self._client.max_payload:
                log.error("key %s: its rights are %s bytes, more than a message may have", who.name, len(answer))
                raise Refused("its rights are more than a message may have")
        except (Refused, Unavailable) as refused:
            answer = self._said(who, error=str(refused))
        await message.respond(answer)

    def _said(self, who: Visitor, **said: str) -> bytes:
        """An answer to the broker: a token with the rights, or an error."""
        told = {"type": "authorization_response", "version": 2, **said}
        at = int(clock.now().timestamp())
        return self._signer.token({"aud": who.server, "sub": who.nkey, "nats": told}, at).encode()

    async def _permit(self, who: Visitor) -> str:
        found = self._keyring.holder(who.secret)
        if found is None or found[0].bounds.name != who.name:
            raise Refused("no such key")
        key, until = found
        rights = device_permissions(key) if who.by == MQTT else permissions(key)
        most = MOST_DEVICES if who.by == MQTT else MOST_CONNECTIONS
        if who.by != MQTT and (seconds := ceil(self._pace.wait(who.name))):
            raise Refused(f"the key {who.name} has sent more than it may; it enters again in {seconds} s")
        if await self._number(who) >= most:
            raise Refused(f"the key {who.name} has {most} connections already")
        if who.by == MQTT:
            if who.client and await self._is_anothers(who):
                raise Refused("a device of another key is connected by that client id")
            self._sessions.enter(who.name, who.client)
        told = {"aud": ACCOUNT, "sub": who.nkey, "name": who.name, "exp": int(until.timestamp()), "nats": rights}
        return self._signer.token(told, int(clock.now().timestamp()))

    async def _number(self, who: Visitor) -> int:
        """How many such connections a key has on the node that answers first."""
        found = await self._told(_about(who.name))
        return sum((one.get("type") == MQTT) == (who.by == MQTT) for _, one in connections(found.data))

    async def _is_anothers(self, who: Visitor) -> bool:
        """Whether who bears its client's id is connected in another name: the broker would end that connection."""
        found = await self._told(_json({"auth": True, "mqtt_client": who.client, "acc": ACCOUNT}))
        return any(one.get("authorized_user") != who.name for _, one in connections(found.data))

    async def _told(self, asked: bytes) -> Msg:
        try:
            return await self._system.request(CONNECTIONS, asked, timeout=ANSWER_SECONDS)
        except (nats.errors.Error, TimeoutError) as error:
            raise Unavailable(f"the broker does not tell its connections: {error!r}") from None


def _about(name: str) -> bytes:
    return _json({"auth": True, "user": name, "acc": ACCOUNT})


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


class Refused(Exception):
    """A visitor who does not enter."""


def permissions(key: Key) -> dict[str, Any]:
    """What a key may on the broker, in its words: its own subjects, and the answers to what it published."""
    says = {"allow": key.bounds.subjects(), "deny": key.bounds.withheld()}
    return _rights(says, {"allow": [f"_INBOX_{key.bounds.name}.>"]})


def device_permissions(key: Key) -> dict[str, Any]:
    """What a key's devices may by MQTT: tell their state, and hear nothing. `Refused` where it has no devices."""
    subjects = key.bounds.devices()
    if not subjects:
        raise Refused(f"the key {key.bounds.name} reports no devices")
    return _rights({"allow": subjects}, {"deny": [">"]})  # an empty list of what is allowed would allow all


def _rights(says: dict[str, list[str]], hears: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "pub": says,
        "sub": hears,
        "subs": MOST_SUBSCRIPTIONS,
        "data": -1,
        "payload": -1,
        "type": "user",
        "version": 2,
    }
