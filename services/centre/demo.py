"""What makes a centre the demo: the scenario moved to now, its accounts, a past that is waited for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import timedelta

from psycopg import AsyncConnection

from infra.local import secrets
from infra.local.servers import Instance
from schemas.calendar import local_day
from schemas.streams import AGGREGATOR
from schemas.text.dates import day
from services.board.access import Account, Role
from services.board.auth import accounts
from services.board.pages.contacts.contacts_data import put_contacts
from services.board.pages.map.overlays import Folder
from services.centre.prepare import settings_of
from services.centre.reporter import SILENT, Bar, Reporter
from services.centre.scenario import load_scenario, weeks_for
from services.kit import bus, clock, streams
from services.kit.settings import Settings
from services.simulator import SCENARIOS, progress
from services.simulator.district.geography import outlines
from services.simulator.progress import LOADED

SCENARIO = "november-2024"
JUDGES = ("deadlines", "notifier")
"""They go by what is known: while a past is still coming in they would call overdue what was done long ago."""
NOT_YET = ("prometheus", "alertmanager", "emitters", "exporter", "upkeep", "grafana", *JUDGES)
"""They come when the past is in: until then the board is filled without them, and sooner."""
LIVED = timedelta(seconds=30)
ACCOUNTS: dict[str, tuple[str, Role, tuple[str, ...]]] = {
    "truc_ban": ("Trực ban Trung tâm", "operator", ()),
    "lanh_dao_van_phong": ("Lãnh đạo Văn phòng", "supervisor", ()),
    "lanh_dao": ("Lãnh đạo phường Chơn Thành", "viewer", ("phuong_chon_thanh",)),
}
"""account -> (full name, role, units): one for each way of working with the board."""
CONTACTS = """
binh_phuoc; Đầu mối của tỉnh (thử nghiệm); 0271 3000 001
dong_nai; Đầu mối của thành phố (thử nghiệm); 0251 3000 001
"""
"""Whom to call about their late cases: made up, and so for all units below."""


def make_accounts(instance: Instance) -> None:
    """The demo's accounts of the board, beside `admin`, and whom to call; the password of each account is the secret
    `board_<account>`."""
    secrets.ensure(instance.secrets, [f"board_{name}" for name in ACCOUNTS])
    asyncio.run(_make_accounts(settings_of(instance, "cli"), instance.password))


async def _make_accounts(settings: Settings, password_of: Callable[[str], str]) -> None:
    async with await AsyncConnection.connect(settings.database("board"), autocommit=True) as conn:
        known = {row.name for row in await accounts.all_accounts(conn)}
        if known.isdisjoint(ACCOUNTS):
            await put_contacts(conn, Account("cli:demo", "", "admin"), CONTACTS)
        for name, (full_name, role, units) in ACCOUNTS.items():
            if name not in known:
                by, new = Account("cli:demo", "", "admin"), Account(name, full_name, role, units)
                await accounts.add(conn, by, new, password_of(f"board_{name}"))


def lay_outlines(instance: Instance) -> None:
    """Schematic outlines of the demo's units, for the map; an administrator may take them away."""
    laid = instance.data / "outlines.laid"
    if not laid.exists():
        Folder(instance.data).put("so-do-phuong-xa.geojson", json.dumps(outlines()).encode())
        laid.touch()


def load_once(instance: Instance, reporter: Reporter = SILENT) -> int:
    """Load the scenario unless it was loaded before; returns the weeks it is shifted by."""
    loaded = instance.data / LOADED
    if loaded.exists():
        return int(loaded.read_text())
    started = instance.data / "scenario.weeks"
    scenario = SCENARIOS[SCENARIO]
    # The shift is kept from the first try on: an interrupted load is finished, not begun again with other dates.
    if not started.exists():
        started.write_text(str(weeks_for(scenario, "now", local_day(clock.now()))))
    weeks = int(started.read_text())
    reporter.say(f"loading {SCENARIO}, {weeks} weeks later")
    with reporter.bar("events sent", scenario.count_estimate()) as advance:
        load_scenario(settings_of(instance, "cli"), SCENARIO, weeks, advance, reporter.say)
    loaded.write_text(str(weeks))
    return weeks


def wait_lived(instance: Instance, bar: Bar = SILENT.bar) -> None:
    """Until the district has sent its past, and that is stored."""
    settings = settings_of(instance, "cli")
    while not (begun := progress.load(instance.data)):
        time.sleep(0.3)
    hours = timedelta(hours=1)
    with bar("hours lived by the district", (clock.now() - begun.until) // hours) as advance:
        while clock.now() - (saved_progress := progress.load(instance.data) or begun).until > LIVED:
            advance((saved_progress.until - begun.until) // hours)
            time.sleep(0.3)
    wait_stored(settings, bar)


def wait_stored(settings: Settings, bar: Bar = SILENT.bar) -> None:
    """Until the aggregator has nothing left to do."""
    asyncio.run(_wait_stored(settings, bar))


async def _wait_stored(settings: Settings, bar: Bar) -> None:
    async with bus.connected(settings, "demo") as client:
        js = client.jetstream()
        whole = left = await streams.unacknowledged(js, AGGREGATOR)
        with bar("events stored", whole) as advance:
            while left:
                advance(whole - left)
                await asyncio.sleep(0.3)
                left = await streams.unacknowledged(js, AGGREGATOR)


def first_sight(instance: Instance) -> str:
    """What can be looked at while the past still comes in."""
    return f"""
The board answers already, and fills while the past comes in; the centre is complete in a few minutes.
  http://127.0.0.1:{instance.ports["board"]}                 log in as truc_ban
  head {instance.secrets / "board_truc_ban"}   its password
"""


def welcome(instance: Instance, weeks: int) -> str:
    """What the demo holds, `weeks` after it happened, and what to try with it."""
    last = SCENARIOS[SCENARIO].END
    start, end = (day + timedelta(weeks=weeks) for day in (last.replace(day=1), last))
    period = f"--from {start} --to {end}"
    token = instance.secrets / "emitter_procedures"
    ports = instance.ports
    return f"""
The centre is running. Its data is the province's November 2024, SHIFTED by {weeks} weeks:
{day(start)} to {day(end)}. The province (binh_phuoc) in that month has the published figures.
Since its end its units go on at its pace, SIMULATED: they finish what was open, and take in new dossiers.
Beside them a SIMULATED district has lived since Monday: the wards around Chơn Thành, all eight systems.

Ask for figures
  ./ioc query payments_fee_amount --by unit {period}
  ./ioc query online_dossier_share --by unit {period}
  ./ioc query ii06 {period}
  ./ioc query payments_amount --unit binh_phuoc {period}
  ./ioc explain overdue_share --unit binh_phuoc {period}
  ./ioc findings
  ./ioc query field --unit phuong_chon_thanh

Watch the board
  http://127.0.0.1:{ports["board"]}                 log in as truc_ban, lanh_dao_van_phong, lanh_dao or admin
  head {instance.secrets}/board_*   the password of each
  http://127.0.0.1:{ports["board"]}/figure/overdue_share?unit=binh_phuoc&first={start}&last={end}   the published 0.5 %
  ./ioc people list                     who may enter, with which role, in which units

Look
  ./ioc status                          processes, health, what waits, who sends and how fresh it is
  ./ioc simulate --check                do the readings say what the simulated district meant?
  http://127.0.0.1:{ports["prometheus"]}                 Prometheus
  http://127.0.0.1:{ports["alertmanager"]}                 Alertmanager

Send an event
  ./ioc events dossier.submitted        its contract, and a sample to send with `./ioc emit`
  curl -s http://127.0.0.1:{ports["emitters"]}/openapi.json  the emitters' doors (token: {token})

Stop
  ./ioc down
"""
