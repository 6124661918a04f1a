"""Whose words are whose: the sources that belong to one of our own services, and which events each of them can make.

Nobody else can take a service's ids by saying them first, and no credential may publish what is not its job.
"""

NOTICES = ("dossier.due_soon", "dossier.overdue", "report.overdue")
"""What follows from the clock; no system outside can know it better."""
EMITTERS: dict[str, tuple[str, ...]] = {
    "procedures": ("dossier.", "procedure."),
    "payments": ("payment.",),
    "field": ("report.",),
}
"""A source system that has an emitter of ours -> how the events begin that it can make. Its credential on the broker,
its token over HTTP and its line in docker-compose.yml follow from this row."""
KEYS = "keys"
"""As an emitter: the door of those who have a key, who each speak as a source of their own."""
IMPORTED = ("indicator.", "roster.", "visits.", "beds.", "health_record.", "antivirus.")
"""How the events begin that the forms of workbooks state, and those that take it back."""
RETRACTIONS = tuple(f"{report}retracted" for report in (*IMPORTED, "indicator.target_"))
"""What takes a report back, which only the centre's own imports do: it may be anybody's report."""
OWN_ALONE = frozenset({*NOTICES, *RETRACTIONS})
"""What nobody outside may say."""
OF_ALL = frozenset({"calendar.changed"})
"""What holds for every unit, so that no key of some units may say it."""
OWNED: dict[str, tuple[str, ...]] = {
    "deadlines": NOTICES,
    **EMITTERS,
    "board": ("dossier.extended", "report.refused", "indicator.target_"),
    "spreadsheets": IMPORTED,
    "onestop": ("dossier.",),
    "simulator": ("",),
    "scenario": ("",),
}
"""The first step of a source's path, for an emitter also its name -> how the events begin that it can make: what is
made by chance may be any event, and no key may take its source."""
CENTRE_ALONE = ("board", "onestop")
"""The owners whose kinds of events an emitter's credential may say too: what bears their source is published where the
centre's own programs alone may, see `schemas.keys.CENTRE`."""


def owner_of(source: str) -> str:
    """The first step of a source's path; empty where it is none."""
    return source.lstrip("/").partition("/")[0] if source.startswith("/") else ""


def may_say(owner: str, event: str) -> bool:
    """Whether an event (`entity.event`) is its owner's to say."""
    return event.startswith(OWNED[owner]) and (owner == "deadlines" or event not in NOTICES)


def trespass(source: str, event: str) -> str | None:
    """Why an event cannot come from a source, or None."""
    owner = owner_of(source)
    if owner not in OWNED or may_say(owner, event):
        return None
    return f"source: /{owner} is not yours: it says {', '.join(OWNED[owner])} alone; name your own system"
