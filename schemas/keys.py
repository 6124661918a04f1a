"""What a key lets its holder say: the events of some systems, of some units, under a source of its own. Pure.

The rules are asked by every road: HTTP asks before an event is published, the broker by the subjects that a key may
publish to, and the aggregator of whatever comes. A key's subjects end with its name, which nobody else can publish to:
so the aggregator knows whose an event is, though the broker tells nobody who sent it. So do the subjects of what the
centre's own programs alone may say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from schemas import personal, units
from schemas.envelope import SUBJECT_PREFIX, Event
from schemas.gis import DeviceStateChanged
from schemas.registry import DATA_TYPES, SYSTEMS
from schemas.sources import CENTRE_ALONE, OF_ALL, OWN_ALONE, OWNED, owner_of

NAME = re.compile(r"[a-z][a-z0-9-]{2,39}")
SOURCE = re.compile(r"(?!/+$)[!-~]{2,120}")
MOST_REMEMBERED = 10_000
DEVICES = "ioc.devices."
"""How a device's subject begins: `ioc.devices.<unit>.<device>.<key>`, by MQTT `ioc/devices/<unit>/<device>/<key>`."""
EVERY_DEVICE = f"{DEVICES}>"
CENTRE = "_centre"
"""In place of a key's name, which never begins so: the centre's own programs, which speak of `CENTRE_ALONE`."""
FALLBACK_RATE = 50.0
"""Events per second of a key for which none was named."""


@dataclass(frozen=True)
class Bounds:
    """What a key may say. `units`: with all below them and all that they followed upon; empty: every unit."""

    name: str
    source: str
    systems: tuple[str, ...]
    units: tuple[str, ...] = ()

    @cached_property
    def scope(self) -> frozenset[str]:
        """The codes of all units that it may speak for; empty: all."""
        return frozenset().union(*(units.scope(root) for root in self.units))

    def owns(self, source: str) -> bool:
        """Whether a source is the key's own, or lies below it."""
        return source == self.source or source.startswith(self.source.rstrip("/") + "/")

    def refusal(self, event: Event) -> str | None:
        """Why an event is not this key's to say, or None."""
        if not self.owns(event.source):
            return f"source: the key {self.name} speaks as {self.source}, or below it"
        return self.trespass(event)

    def trespass(self, event: Event) -> str | None:
        """Why an event of this key's source lies beyond its bounds, or None."""
        if event.data.system not in self.systems or event.data.event in OWN_ALONE:
            return f"type: the key {self.name} of {self.source} reports {', '.join(self.systems)} alone"
        if self.units and event.data.event in OF_ALL:
            return f"type: {event.data.event} holds for every unit, and the key {self.name} reports some alone"
        if self.units and event.unit not in self.scope:
            return f"unit: the key {self.name} of {self.source} reports {', '.join(self.units)} and what lies below"
        return None

    def subjects(self) -> list[str]:
        """The broker's subjects of all that it may say, but for what is `withheld`: one for each unit and system, since
        all of them must fit into one message to the broker."""
        systems = ["*"] if {*self.systems} == {*SYSTEMS} else self.systems
        own = (f"{SUBJECT_PREFIX}{place}.{system}.*.*" for place in self._places for system in systems)
        return [subject_by(subject, self.name) for subject in own]

    def withheld(self) -> list[str]:
        """The broker's subjects among these of what it may not."""
        others = OWN_ALONE | OF_ALL if self.units else OWN_ALONE
        said = (data for data in DATA_TYPES.values() if data.system in self.systems and data.event in others)
        return [subject_by(f"{SUBJECT_PREFIX}*.{data.system}.{data.event}", self.name) for data in said]

    def devices(self) -> list[str]:
        """The broker's subjects on which its devices tell their state; none where devices are not its to report."""
        return [
            f"{DEVICES}{place}.*.{self.name}" for place in self._places if DeviceStateChanged.system in self.systems
        ]

    @property
    def _places(self) -> list[str]:
        return sorted(self.scope) if self.units else ["*"]


def problem(name: str, source: str, systems: Collection[str]) -> tuple[str, str] | None:
    """What is wrong with the words of a new key, in Vietnamese and English, or None."""
    if not NAME.fullmatch(name):
        return (
            "tên khóa gồm 3 đến 40 chữ thường không dấu, chữ số và dấu gạch nối, bắt đầu bằng một chữ",
            "a key's name is 3 to 40 small letters, digits and hyphens, and begins with a letter",
        )
    if not SOURCE.fullmatch(source):
        return (
            "nguồn là một URI hoặc đường dẫn, 2 đến 120 ký tự ASCII không có dấu cách, không chỉ gồm dấu gạch chéo",
            "a source is a URI or a path, 2 to 120 characters of ASCII without spaces, and not slashes alone",
        )
    if personal.find(name) or personal.find(source):
        return (
            "tên khóa hoặc nguồn giống một số cá nhân; hãy đặt theo tên cơ quan",
            "the key's name or source looks like a number of a person; name the office",
        )
    if source.lstrip("/").partition("/")[0] in OWNED:
        owned = ", ".join(f"/{owner}" for owner in OWNED)
        return f"nguồn {owned} là của chính trung tâm", f"the sources {owned} are the centre's own"
    strangers = ", ".join(system for system in systems if system not in SYSTEMS)
    if strangers or not systems:
        known = ", ".join(SYSTEMS)
        return f"không có hệ thống {strangers!r}; có: {known}", f"there is no system {strangers!r}; there are {known}"
    return None


def subject_by(subject: str, name: str | None) -> str:
    """Where an event of this subject is published by a key; None: by one of the centre's own credentials."""
    return f"{subject}.{name}" if name else subject


def subject_of(event: Event, by: str | None = None) -> str:
    """Where an event is published, by the key `by` if of one."""
    if owner_of(event.source) in CENTRE_ALONE:
        return subject_by(event.subject, CENTRE)
    return subject_by(event.subject, None if by == CENTRE else by)


def parted(subject: str) -> tuple[str, str | None]:
    """An event's own subject, and the key that published there; see `subject_by`."""
    steps = subject.split(".")
    return (".".join(steps[:-1]), steps[-1]) if len(steps) == _STEPS + 1 else (subject, None)


_STEPS = 6
"""`ioc.events.<unit>.<system>.<entity>.<event>`"""


class Owners:
    """Whose source is whose. `names`: all keys that are known; `since`: what was recorded before came from a version
    whose own programs said all where any credential may."""

    def __init__(self, keys: Iterable[Bounds] = (), since: datetime | None = None) -> None:
        self._keys, self._since = tuple(keys), since
        self._known: dict[str, Bounds | None] = {}
        self.names = frozenset(key.name for key in self._keys)

    def trespass(self, event: Event, by: str | None, recorded: datetime | None = None) -> str | None:
        """Why an event cannot be what the key `by` says (None: what the centre's own credentials say), or None."""
        if (is_centres := owner_of(event.source) in CENTRE_ALONE) or by == CENTRE:
            is_earlier = by is None and recorded and self._since and recorded < self._since
            alone = " and ".join(f"/{name}" for name in CENTRE_ALONE)
            is_theirs = is_earlier or (is_centres and by == CENTRE)
            return None if is_theirs else f"source: the centre's own programs alone speak as {alone}"
        owner = self._of(event.source) if self._keys else None
        if by is None:
            return f"source: {owner.source} belongs to the key {owner.name}, and is its alone" if owner else None
        if owner is None or owner.name != by:
            return f"source: the key {by} speaks as its own source alone"
        return owner.trespass(event)

    def _of(self, source: str) -> Bounds | None:
        if source not in self._known:
            if len(self._known) > MOST_REMEMBERED:
                self._known.clear()
            self._known[source] = next((key for key in self._keys if key.owns(source)), None)
        return self._known[source]
