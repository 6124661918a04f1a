"""`ioc demo`: a centre of its own, on the published figures of November 2024, with a simulated district that lives
on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from schemas.text.dates import day

if TYPE_CHECKING:
    from infra.local.servers import Instance


@click.command(epilog="\b\nExample:\n  ioc demo\n  ioc status\n  ioc down")
def demo() -> None:
    """Start a centre in a data folder of its own, load the scenario, moved by whole weeks so that it ends now, let it
    go on, and wake the simulated district, which has lived since Monday. The board answers while all that comes in."""
    from services.centre.demo import JUDGES, NOT_YET, load_once, make_accounts, wait_lived
    from services.centre.instance_selection import open_instance
    from services.centre.start import bring_up
    from services.cli.chosen import explained
    from services.cli.lifecycle import stopping_on_failure
    from services.cli.terminal import TERMINAL, bar, say

    instance = open_instance("demo")
    with explained(), stopping_on_failure(instance):
        bring_up(instance, say, later=NOT_YET)
        make_accounts(instance)
        click.echo(_first_sight(instance))
        weeks = load_once(instance, TERMINAL)
        say("waking the simulated district")
        instance.start_services(["simulator"], say)
        wait_lived(instance, bar)
        bring_up(instance, say, later=JUDGES)
        instance.start_services(JUDGES, say)
    click.echo(_welcome(instance, weeks))


def _first_sight(instance: Instance) -> str:
    return f"""
The board answers already, and fills while the past comes in; the centre is complete in a few minutes.
  http://127.0.0.1:{instance.ports["board"]}                 log in as truc_ban
  head {instance.secrets / "board_truc_ban"}   its password
"""


def _welcome(instance: Instance, weeks: int) -> str:
    from services.centre.demo import SCENARIO
    from services.simulator import SCENARIOS

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
