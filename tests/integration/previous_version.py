"""Makes `data/version_0001`: a small centre that lived on the code of revision 943f97c, saved as a backup.

    mkdir OLD && git archive 943f97c | tar -x -C OLD
    python tests/integration/previous_version.py OLD tests/integration/data/version_0001

The old code runs the centre (golden samples, some dossiers, statements and hotline messages of November 2024, one
message that cannot be understood), says its figures, and stops its aggregator before some last events. Today's code
saves what is then in the database and, with its consumer, in the broker.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.servers import Instance
    from schemas.envelope import Event

UNITS = (None, "chon_thanh", "binh_phuoc")
LIVED, LEFT = 250, 50
"""How many events of dossiers were stored by the old version, and how many it left in the stream."""


def dossiers(start: int, stop: int) -> list[Event]:
    """Events of the scenario's first dossiers, by number."""
    from services.simulator.november_2024.life import dossier_events
    from services.simulator.november_2024.shift import Shift

    return list(islice(dossier_events(Shift(0)), start, stop))


def figures(conninfo: str) -> dict[str, str | None]:
    """Every figure of the catalogue in November 2024, as of its end, for some units: "indicator unit" -> value."""
    import psycopg

    from schemas.indicators import CATALOGUE
    from services.readings import Period, read

    period = Period(date(2024, 11, 1), date(2024, 11, 30), datetime(2024, 11, 30, 16, 59, tzinfo=UTC))
    with psycopg.connect(conninfo, options="-c timezone=GMT") as conn:
        found = {
            f"{code} {unit or ''}": read(conn, indicator, unit, period)[0].value
            for code, indicator in CATALOGUE.items()
            for unit in UNITS
        }
    return {name: None if value is None else f"{value.normalize():f}" for name, value in found.items()}


def publish(instance: Instance, events: list[Event], raw: tuple[bytes, ...] = ()) -> None:
    """Send events, and bytes as they are."""
    from services.centre.prepare import settings_of
    from services.kit import bus

    async def send() -> None:
        async with bus.connected(settings_of(instance, "cli"), "test") as client:
            await bus.publish_many(client.jetstream(), events)
            for body in raw:
                await client.jetstream().publish("ioc.events.x.health.beds.reported", body)

    asyncio.run(send())


def live(data: Path) -> None:
    """The old version's life; it leaves its servers running."""
    from support import wait_until_idle

    from infra.local import ports
    from infra.local.processes import DEFAULT_PORTS
    from infra.local.servers import Instance
    from schemas.contracts import samples
    from schemas.registry import parse
    from services.centre.prepare import prepare, settings_of
    from services.simulator.november_2024.hotline import hotline_events
    from services.simulator.november_2024.shift import Shift
    from services.simulator.november_2024.statements import statement_events

    base = random.randrange(12000, 30000)
    ports.save(data / "ports.json", {name: base + n for n, name in enumerate(DEFAULT_PORTS)})
    instance = Instance(data)
    instance.start(["nats", "timescaledb"])
    prepare(instance)
    instance.start_services(["aggregator"])
    golden = [parse(text.encode(), datetime.now(UTC)) for kinds in samples().values() for text in kinds.values()]
    others = chain(islice(statement_events(Shift(0)), 60), islice(hotline_events(Shift(0)), 60))
    events = {event.key: event for event in (*golden, *others, *dossiers(0, LIVED))}
    publish(instance, list(events.values()), (b'{"beds": "many"}',))
    wait_until_idle(instance)
    time.sleep(5)  # its position is noted every other second
    instance.stop_process("aggregator")
    told = figures(settings_of(instance, "cli").database("reader"))
    (data / "figures.json").write_text(json.dumps(told, indent=0) + "\n")
    publish(instance, dossiers(LIVED, LIVED + LEFT))


def save(data: Path, folder: Path) -> None:
    """What the old version left, by today's code."""
    from infra import backups
    from infra.local.servers import Instance
    from infra.nats import backup as broker
    from infra.timescaledb import backup as database
    from schemas.streams import STREAMS
    from services.centre.prepare import settings_of
    from services.kit import bus, clock

    instance = Instance(data)
    settings = settings_of(instance, "admin")

    async def streams(draft: backups.BackupWriter) -> dict[str, Any]:
        found = {}
        async with bus.connected(settings, "fixture") as client:
            for stream in STREAMS:
                with draft.file(f"{stream.name}.stream") as file:
                    answer = await broker.snapshot(client, stream.name, file, lambda done: None, consumers=True)
                found[stream.name] = backups.Stream(file=f"{stream.name}.stream", **answer)
        return found

    try:
        with backups.drafting(folder) as draft:
            saved = database.dump(settings.database("owner"), draft, lambda *_: None)
            found = asyncio.run(streams(draft))
            draft.finish(
                backups.Manifest(taken_at=clock.now(), database=saved, marks={}, streams=found, files=draft.files)
            )
        shutil.copy(data / "figures.json", folder)
    finally:
        instance.stop()


def main() -> None:
    """`OLD FOLDER` makes the fixture; `live DATA` is the part that the old code runs."""
    if sys.argv[1] == "live":
        live(Path(sys.argv[2]))
        return
    old, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    here = Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory(prefix="ioc-previous-") as place:
        Path(place).chmod(0o755)
        data = Path(place) / "centre"
        data.mkdir()
        paths = os.pathsep.join((str(old), str(here.parent)))
        subprocess.run(
            [sys.executable, __file__, "live", data], cwd=old, env=os.environ | {"PYTHONPATH": paths}, check=True
        )
        save(data, folder)


if __name__ == "__main__":
    main()
