"""What must be true after a fault: the log holds what was meant and nothing else, state and rollups are its fold, and
the quarantine holds what had to be refused; each exactly once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import astuple, dataclass

import psycopg
from chaos.stage import PATIENCE, Stage

from services.aggregator import rebuild
from services.deadlines.notices import SOURCE
from services.kit import bus
from services.simulator.district import truth


@dataclass(frozen=True)
class Row:
    """The counts of one fault. `sent` counts every handing over to the broker, tries after a failure included;
    `duplicates` those that were handed over once more and those that it had to deliver to an aggregator once more."""

    fault: str
    sent: int
    stored: int
    duplicates: int
    quarantined: int
    lost: int
    twice: int
    seconds: float


HEAD = ("fault", "sent", "stored", "duplicates met", "quarantined", "lost", "twice", "seconds")
_FORM = "{:<34}{:>8}{:>8}{:>16}{:>13}{:>6}{:>7}{:>9}"


def line(row: Row | None = None) -> str:
    """A row as text; none: the heads of the columns."""
    return _FORM.format(*(HEAD if row is None else (*astuple(row)[:-1], f"{row.seconds:.1f}")))


def prove(stage: Stage, fault: str, began: float) -> tuple[Row, list[str]]:
    """Wait until all is done, then compare; the counts, and what is wrong in words. `began` is of the monotonic
    clock."""
    stage.load.finish()
    stage.wait_until_idle()
    stage.wait_for(lambda: not stage.sql(_OWED), PATIENCE, "a notice is owed and does not come")
    stage.wait_until_idle()
    stage.wait_for(lambda: not stage.sql(_OUTSIDE), PATIENCE, "what was refused does not come into the quarantine")
    log = Counter(dict[tuple[str, str], int]({(s, i): n for s, i, n in stage.sql(_LOG)}))
    reasons = quarantined(stage)
    aside = Counter({body: len(why) for body, why in reasons.items()})
    meant, refused = Counter(stage.load.meant), stage.load.refused
    twice_aside = aside - refused - stage.load.repeated
    strange = [name for name in log - meant if name not in meant and name[0] != SOURCE]
    row = Row(
        fault=fault,
        sent=stage.load.sent,
        stored=sum(log.values()),
        duplicates=stage.load.retries + stage.redelivered(),
        quarantined=sum(aside.values()),
        lost=(meant - log).total() + (refused - aside).total(),
        twice=sum(n - 1 for n in log.values()) + twice_aside.total(),
        seconds=time.monotonic() - began,
    )
    wrong = [f"lost: {name}" for name in [*(meant - log), *(refused - aside)][:5]]
    wrong += [f"in the quarantine, {reasons[body]}: {body[:300]!r}" for body in list(twice_aside)[:5]]
    wrong += [f"nobody meant {name}" for name in strange[:5]]
    wrong += [str(difference) for difference in rebuild.check(stage.settings("cli").database("owner"), lambda *_: None)]
    wrong += _misread(stage)
    return row, wrong + ["twice in the log"] * (row.twice > 0)


def _misread(stage: Stage) -> list[str]:
    """Figures that are not what the simulator meant."""
    with psycopg.connect(stage.settings("cli").database("reader")) as conn:
        return truth.differences(conn, truth.expected(stage.load.plan, stage.load.until))[:5]


_LOG = "SELECT source, id, count(*) FROM event GROUP BY source, id"
_OUTSIDE = "SELECT seq FROM refused LIMIT 1"
_OWED = "SELECT kind, id, notice_at FROM entity WHERE notice_at <= now() LIMIT 1"


def quarantined(stage: Stage) -> dict[bytes, list[str]]:
    """The bodies that lie in the quarantine, each with why, as often as it lies there."""

    async def read() -> dict[bytes, list[str]]:
        async with bus.connected(stage.settings("cli"), "chaos") as client:
            js = client.jetstream()
            state = (await js.stream_info("QUARANTINE")).state
            found = defaultdict[bytes, list[str]](list)
            for seq in range(state.first_seq, state.last_seq + 1) if state.messages else ():
                message = await js.get_msg("QUARANTINE", seq)
                headers = message.headers or {}
                found[message.data or b""].append(f"{headers.get('Ioc-Code')}: {headers.get('Ioc-Reason')}")
            return found

    return asyncio.run(read())
