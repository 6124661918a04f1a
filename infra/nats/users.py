"""Who may say and hear what on the broker: one row per credential, with the least rights it needs.

Each user hears answers on an inbox prefix of its own, `_INBOX_<user>`, so no one can listen to another's.
"""

import json
from collections.abc import Callable

from schemas.broker_tokens import ASKED, SYSTEM_USER, USER, signer
from schemas.keys import CENTRE, EVERY_DEVICE, subject_by
from schemas.registry import DATA_TYPES, SYSTEMS
from schemas.sources import EMITTERS, KEYS, OWN_ALONE, may_say
from schemas.streams import CONSUMERS, RETAINED, SESSION, SESSIONS

API = "$JS.API"
INFO = (f"{API}.INFO", f"{API}.STREAM.INFO.*", f"{API}.STREAM.NAMES", f"{API}.CONSUMER.INFO.*.*")


def _stream(stream: str, *calls: str) -> tuple[str, ...]:
    return tuple(f"{API}.{call.format(stream)}" for call in calls)


def _events(may: Callable[[str], bool]) -> tuple[str, ...]:
    """The subjects of the events that a credential may publish, of every unit."""
    return tuple(f"ioc.events.*.{data.system}.{data.event}" for data in DATA_TYPES.values() if may(data.event))


def _by_key(may: Callable[[str], bool]) -> tuple[str, ...]:
    """The same in the name of any key."""
    return tuple(subject_by(subject, "*") for subject in _events(may))


def _own(owner: str) -> tuple[str, ...]:
    return _events(lambda event: may_say(owner, event))


def _centre(may: Callable[[str], bool]) -> tuple[str, ...]:
    """The same as the centre's own programs alone may."""
    return tuple(subject_by(subject, CENTRE) for subject in _events(may))


HEARD = {USER: (ASKED, SESSION), f"emitter_{KEYS}": (EVERY_DEVICE,)}
"""user -> what it hears beside its own inbox."""
WITHHELD = {f"emitter_{KEYS}": subject_by("ioc.events.*.*.*.*", CENTRE)}
"""user -> what it may not publish of what it may."""
RESOLVED = ("ioc.alerts.quarantine.resubmitted", "ioc.alerts.quarantine.discarded")
PLATFORM = "platform"
"""What the alarms about the centre itself have in place of a system."""

# To list what lies in the quarantine, to look at it and to take it out.
MENDING = (
    *_stream("QUARANTINE", "STREAM.MSG.DELETE.{}", "DIRECT.GET.{}", "DIRECT.GET.{}.>"),
    *_stream("QUARANTINE", "CONSUMER.CREATE.{}", "CONSUMER.CREATE.{}.>", "CONSUMER.MSG.NEXT.{}.*"),
)

# user -> the subjects it may publish to
PUBLISH: dict[str, tuple[str, ...]] = {
    # Declares streams and consumers, and saves and restores streams: to replace one is to delete it first. Finds and
    # erases what is erased on request.
    "admin": (
        *INFO,
        *_stream("*", "STREAM.CREATE.{}", "STREAM.UPDATE.{}", "STREAM.SNAPSHOT.{}", "STREAM.RESTORE.{}"),
        *_stream("*", "STREAM.DELETE.{}", "STREAM.MSG.GET.{}"),
        *_stream("*", "CONSUMER.CREATE.{}", "CONSUMER.CREATE.{}.>", "CONSUMER.DURABLE.CREATE.{}.*"),
        *_stream("*", "CONSUMER.DELETE.{}.*", "CONSUMER.LIST.{}", "CONSUMER.NAMES.{}"),
        *_stream("*", "CONSUMER.MSG.NEXT.{}.*", "STREAM.MSG.DELETE.{}"),
        f"{API}.STREAM.LIST",
        "$JS.SNAPSHOT.>",
    ),
    "aggregator": (
        *_stream("EVENTS", "STREAM.INFO.{}", "CONSUMER.INFO.{}.aggregator", "CONSUMER.MSG.NEXT.{}.aggregator"),
        *_stream("EVENTS", "CONSUMER.CREATE.{}.aggregator", "CONSUMER.CREATE.{}.aggregator.>"),
        *_stream("EVENTS", "CONSUMER.DURABLE.CREATE.{}.aggregator"),
        # Erases a message that holds personal data, once it lies masked in the quarantine.
        *_stream("EVENTS", "STREAM.MSG.DELETE.{}"),
        # What was refused while the quarantine took nothing is brought in later.
        *_stream("EVENTS", "STREAM.MSG.GET.{}"),
        "$JS.ACK.EVENTS.aggregator.>",
        "ioc.quarantine.*",
    ),
    "deadlines": _own("deadlines"),
    # Hears what raises an alarm, and tells every step of each alarm.
    "notifier": (
        *_stream("EVENTS", "STREAM.INFO.{}", "CONSUMER.INFO.{}.notifier", "CONSUMER.MSG.NEXT.{}.notifier"),
        *_stream("EVENTS", "CONSUMER.CREATE.{}.notifier", "CONSUMER.CREATE.{}.notifier.>"),
        *_stream("EVENTS", "CONSUMER.DURABLE.CREATE.{}.notifier"),
        "$JS.ACK.EVENTS.notifier.>",
        *(f"ioc.alerts.{system}.*" for system in (*SYSTEMS, PLATFORM)),
    ),
    # A district of the imagination; like every emitter it can say, and hear nothing.
    "simulator": _events(lambda event: event not in OWN_ALONE),
    **{f"emitter_{name}": _own(name) for name in EMITTERS},
    # The doors of those who have a key: they have looked at the key's bounds. What devices ask to be retained by MQTT
    # nobody has looked at, so it is thrown away, and so are the sessions that are too many.
    f"emitter_{KEYS}": (
        *_by_key(lambda event: event not in OWN_ALONE),
        *_stream(RETAINED, "STREAM.PURGE.{}"),
        *_stream(SESSIONS, "STREAM.PURGE.{}"),
    ),
    # Tells the broker who a key's holder is and what they may say; sees whose devices have sessions kept.
    USER: (),
    # Sees the connections of a key that was taken back, and ends them.
    SYSTEM_USER: ("$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.*.KICK"),
    # The operator's hand: emits events, and lists, mends and discards what lies in the quarantine.
    "cli": (
        *INFO,
        *MENDING,
        *_stream("QUARANTINE", "STREAM.MSG.GET.{}", "CONSUMER.DELETE.{}.*"),
        "$JS.ACK.QUARANTINE.>",
        "ioc.events.>",
        *RESOLVED,
    ),
    # People's actions: a dossier's new date with apology, what they mend in the quarantine, which may be any event, and
    # the audit of all that is done.
    "board": (
        *INFO,
        *MENDING,
        *_events(lambda event: True),
        *_by_key(lambda event: event not in OWN_ALONE),
        *_centre(lambda event: may_say("board", event)),
        *RESOLVED,
        "ioc.alerts.audit.>",
    ),
    "monitor": (*INFO, *_stream("*", "CONSUMER.LIST.{}", "CONSUMER.NAMES.{}"), f"{API}.STREAM.LIST"),
    # Asks how full and how far behind everything is: also when the oldest message came that a consumer still has to do.
    "exporter": (*INFO, *sorted({f"{API}.DIRECT.GET.{consumer.stream}" for consumer in CONSUMERS})),
}

USERS = tuple(PUBLISH)


def render(password_of: Callable[[str], str]) -> str:
    """The users' part of the server's configuration. `password_of` gives a user's password."""
    return "\n".join(f"    {{{_user(user, password_of(user))}}}" for user in PUBLISH if user != SYSTEM_USER)


def _user(user: str, password: str) -> str:
    # JSON strings are valid strings of the server's configuration language.
    publish = json.dumps(PUBLISH[user]) if PUBLISH[user] else '{deny: ">"}'
    if user in WITHHELD:
        publish = f"{{allow: {publish}, deny: {json.dumps(WITHHELD[user])}}}"
    subscribe = json.dumps([f"_INBOX_{user}.>", *HEARD.get(user, ())])
    answers = ", allow_responses: true" if user == USER else ""
    rights = f"publish: {publish}, subscribe: {subscribe}{answers}"
    return f"user: {user}, password: {json.dumps(password)}, permissions: {{{rights}}}"


def callout(password_of: Callable[[str], str]) -> str:
    """Who is asked about users that are not in the table, and who is never asked about."""
    return f"issuer: {signer(password_of(USER)).public}, auth_users: {json.dumps(list(PUBLISH))}"


def system_user(password_of: Callable[[str], str]) -> str:
    """The user of the broker's own account."""
    return _user(SYSTEM_USER, password_of(SYSTEM_USER))
