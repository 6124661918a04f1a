"""A centre's start in its order: servers, then what they need, then services."""

from __future__ import annotations

from collections.abc import Container

from infra.local.doctor import require_room
from infra.local.paths import usual_modes
from infra.local.processes import BY_NAME, SERVERS, SERVICES
from infra.local.servers import Instance
from services.centre.instance_selection import remember
from services.centre.prepare import prepare
from services.centre.reporter import SILENT, Say


def bring_up(instance: Instance, say: Say = SILENT.say, replica: bool = False, later: Container[str] = ()) -> None:
    """Start the servers, prepare database and streams, start the services, all but those for `later`; return when all
    are ready."""
    with usual_modes():
        require_room(instance)
        remember(instance)
    with instance.starting():
        ran = instance.running()
        servers = dict.fromkeys((*SERVERS, *(name for name in ran if BY_NAME[name].kind == "server")))
        instance.start([name for name in servers if name not in later], say)
        say("preparing database and streams")
        prepare(instance, say)
        if replica:
            instance.start_replica(say)
        services = dict.fromkeys((*SERVICES, *(name for name in ran if BY_NAME[name].kind == "service")))
        instance.start_services([name for name in services if name not in later], say)
        if "grafana" not in later:
            instance.start_grafana(say)
