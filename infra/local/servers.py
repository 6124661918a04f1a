"""One running centre: its servers and services, started, watched and stopped together.

    instance = Instance(data)                       # a folder of this centre's own
    instance.start(["nats", "timescaledb"], print)  # fetched, configured, started, ready; idempotent
    instance.start_services(["aggregator"])
    instance.env("cli")                             # variables for a process that acts as the credential `cli`
    instance.pid("nats"), instance.kill("nats", signal.SIGKILL), instance.wait_ready("nats", 30)
    instance.stop_process("nats"), instance.start_process("nats")
    instance.processes()                            # state of each
    instance.stop()                                 # all of it, and nothing else

The data folder holds ports.json, secrets/ (one file per credential), logs/, run/ and a folder per server. Anything
that goes wrong raises `SetupError` (the machine lacks something), `NotReady` (a process does not come up, with the
end of its log) or `KeyError` (no such process).
"""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import executable
from typing import Any

from infra.local import (
    cluster,
    configure,
    fonts,
    listeners,
    orphans,
    paths,
    ports,
    provision,
    readiness,
    renew,
    replica,
    secrets,
)
from infra.local.endpoints import Endpoints
from infra.local.processes import (
    BY_NAME,
    DEFAULT_PORTS,
    PROCESSES,
    Process,
    ProcessState,
    external,
    known_names,
    open_ports,
)
from infra.local.supervise import RUNNING_STATES, Program, Supervisor
from infra.nats.users import USERS
from infra.timescaledb.roles import REPLICATION, ROLES
from schemas import instance

READY_SECONDS, ANSWER_SECONDS, LOOK_SECONDS = 90.0, 3.0, 0.1
FOLDER_OF_LOGS, LOG = 0o750, 0o640
WATCHERS = ("prometheus", "alertmanager")
DISPLACED_SECONDS, TRIES = 3.0, 3
"""How long another program must hold a port to be believed, and how often other ports are tried."""
DOORS = ("alarms", "alertmanager")
"""The keys of the notifier's door: for what people do about alarms, and for Alertmanager's webhook."""
CREDENTIALS = (
    "supervisor",
    "grafana_admin",
    "grafana_key",
    "board_admin",
    "signing",
    *DOORS,
    cluster.SUPERUSER,
    REPLICATION,
    *ROLES,
    *USERS,
)
Progress = Callable[[str], None]


class NotReady(Exception):
    """A process does not come up; the message holds the end of its log."""


class Displaced(NotReady):
    """Another program listens on a port of the process; the message names it."""


def _silent(_: str) -> None: ...


def _stranger(port: int) -> str:
    return listeners.stranger(None, port) or "another centre that is being started"


class Instance(Endpoints):
    """The centre whose state lies in `data`; `runtime` is where fetched programs are kept."""

    def __init__(self, data: Path, runtime: Path | None = None) -> None:
        super().__init__(data)
        self.runtime = (runtime or paths.home() / "runtime").resolve()
        self._account = paths.run_as()
        self._programs: dict[str, Path] = {}
        self._claims = ports.Claims()

    def is_running(self) -> bool:
        """Whether this instance's supervisor runs, and with it what was started and not stopped by hand."""
        return self._supervisor().is_running()

    def programs(self, names: Iterable[str], progress: Progress = _silent) -> dict[str, Path]:
        """The programs that come with these processes (`psql` with timescaledb …), fetched if need be."""
        bundles = {BY_NAME[name].bundle for name in known_names(names)}
        self._programs |= provision.provide(self.runtime, bundles, progress)
        return dict(self._programs)

    def running(self) -> list[str]:
        """The processes that run, in the table's order."""
        return [process.name for process in PROCESSES if process.name in self._running()]

    # --- starting and stopping ---

    def start(self, names: Iterable[str], progress: Progress = _silent) -> None:
        """Start servers in the table's order and wait until each really serves.

        Servers that the operator named addresses for (IOC_NATS_URL, IOC_DATABASE_URL) are left out.
        """
        rows = [process for process in PROCESSES if process.name in known_names(names)]
        for process in rows:
            if external(process.name):
                progress(f"{process.name}: not started, {process.external} names another")
        with paths.usual_modes():
            self._make_folders()
        with paths.usual_modes(), self._alone(), self._claims.locked():
            self._start_on_own_ports([process for process in rows if not external(process.name)], progress)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Keep the ports of all that is to be started until the end of this, however many steps it takes."""
        with self._claims.locked():
            yield

    def start_services(self, names: Iterable[str], progress: Progress = _silent) -> None:
        """Start our own services and wait until each says it is ready."""
        self.start(names, progress)

    def start_replica(self, progress: Progress = _silent) -> None:
        """Start the replica for readers beside the running database, copied anew where it can follow no more."""
        if self.pid(replica.NAME) and replica.is_lost(self.superuser_conninfo):
            self.stop_process(replica.NAME)
        self.start([replica.NAME], progress)

    def start_grafana(self, progress: Progress = _silent) -> None:
        """Start Grafana where one is installed; where not, say how to get it: a centre does without it."""
        bundle = next(bundle for bundle in provision.BUNDLES if bundle.name == "grafana")
        if provision.locate(self.runtime, bundle):
            self.start(["grafana"], progress)
        else:
            progress(f"no Grafana is installed, so no dashboards: {provision.ADVICE['grafana']}")

    def _start_on_own_ports(self, rows: list[Process], progress: Progress) -> None:
        """Start them; where another program was faster at a port, once more on another one."""
        for _ in range(TRIES):
            self._stop_displaced(rows, progress)
            try:
                return self._start(rows, progress)
            except Displaced as displaced:
                progress(str(displaced))
        raise NotReady(f"other programs took the ports of {', '.join(row.name for row in rows)}, {TRIES} times")

    def _stop_displaced(self, rows: list[Process], progress: Progress) -> None:
        running = self._running()
        for process in rows:
            if process.name in running and (problem := self.displaced(process.name)):
                progress(f"{process.name}: {problem}")
                self.stop_process(process.name)

    def _start(self, rows: list[Process], progress: Progress) -> None:
        self.programs([process.name for process in rows], progress)
        supervisor = self._supervisor()
        if not supervisor.is_running():
            self._end_orphans(progress)
        pids = {state["name"]: state["pid"] for state in self._states() if state["statename"] in RUNNING_STATES}
        idle = [process for process in rows if process.name not in pids]
        moved = self._settle_ports(idle, progress)
        # What knows the ports of others by its configuration is told of them.
        informed = [BY_NAME[name] for name in WATCHERS if moved and name in pids and BY_NAME[name] not in rows]
        for process in (*rows, *informed):
            programs = self.programs([process.name])
            configure.write(process.name, self.data, self.ports, programs, self.password, progress)
        self._supervise(rows)
        for process in idle:
            progress(f"starting {process.name}")
            self._supervisor().start(process.name)
        for process in (*rows, *informed):
            self._take_over(process, pids.get(process.name), progress)
        for process in rows:
            self.wait_ready(process.name, READY_SECONDS)

    def _take_over(self, process: Process, ran: int | None, progress: Progress) -> None:
        """Have a process that ran before go on with the configuration, code and settings of now."""
        if not ran:
            return
        if self.pid(process.name) != ran:  # it may be between two tries, as long as a server is started anew
            progress(f"{process.name} has changed: started anew")
        elif not self._reload(process.name, ran):
            progress(f"{process.name} is started anew for its changed configuration")
            self.stop_process(process.name)
            self.start_process(process.name)

    def _reload(self, name: str, pid: int) -> bool:
        match name:
            case "nats":
                return renew.broker(pid, self.ports["nats_monitor"])
            case "timescaledb" | replica.NAME:
                return renew.database(self._superuser_at(name))
            case "prometheus" | "alertmanager":
                return renew.monitoring(pid)
        return True

    def stop(self) -> None:
        """Stop everything this instance started, also what a crashed supervisor left behind, and nothing else."""
        if not (self.data / "run").exists():
            return
        with self._alone():
            supervisor = self._supervisor()
            if supervisor.is_running():
                services = [process.name for process in PROCESSES if process.kind == "service"]
                supervisor.shutdown(services, sum(process.stop_seconds for process in PROCESSES))
            self._end_orphans(_silent)

    def start_process(self, name: str) -> None:
        """Start one process that was started before, without waiting for it."""
        self._supervisor().start(name)

    def stop_process(self, name: str) -> None:
        """Stop one process and wait until it has stopped; it stays down until started again."""
        self._supervisor().stop(name, BY_NAME[name].stop_seconds + 10)

    def pid(self, name: str) -> int | None:
        """The process id, or None when the process does not run."""
        return next((state["pid"] or None for state in self._states() if state["name"] == name), None)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a process and return its id; raises `NotReady` when it does not run."""
        pid = self.pid(name)
        if pid is None:
            raise NotReady(f"{name} does not run")
        os.kill(pid, number)
        return pid

    # --- looking ---

    def is_ready(self, name: str) -> bool:
        """Whether the process, and no other in its place, answers in its own protocol."""
        return self._serves(BY_NAME[name], self.pid(name))

    def displaced(self, name: str) -> str | None:
        """Which port of the process another program holds, in words; None: none of them."""
        return self._displaced(BY_NAME[name], self.pid(name))

    def _serves(self, process: Process, pid: int | None) -> bool:
        if not all(listeners.holds(pid, self.ports[port]) for port in open_ports(process)):
            return False
        if process.ready == "postgresql":
            return readiness.serves_queries(self._superuser_at(process.name))
        return readiness.answers(self._fill(process.ready))

    def _displaced(self, process: Process, pid: int | None) -> str | None:
        for port in (self.ports[port] for port in open_ports(process)):
            if (stranger := listeners.stranger(pid, port)) is not None:
                return f"its port {port} is held by {stranger}"
        return None

    def wait_ready(self, name: str, timeout: float = READY_SECONDS) -> None:
        """Wait until the process is ready; raises `NotReady` when it gives up or the time (seconds) is over, and
        `Displaced` when another program has its port. Time in which it waits for a busy processor does not count."""
        process, began, displaced = BY_NAME[name], time.monotonic(), 0.0
        while True:
            reported = next((state for state in self._states() if state["name"] == name), None)
            state, pid = (reported["statename"], reported["pid"] or None) if reported else ("UNKNOWN", None)
            if pid and self._serves(process, pid):
                return
            problem, now = self._displaced(process, pid), time.monotonic()
            deadline = began + timeout + readiness.starved(pid)
            displaced = displaced or now if problem else 0.0
            if problem and (state == "FATAL" or now > min(displaced + DISPLACED_SECONDS, deadline)):
                raise Displaced(f"{name} is not ready: {problem}")
            if state == "FATAL" or now > deadline:
                raise NotReady(
                    f"{name} is not ready ({state.lower()}); the end of {self.log(name)}:\n{self.log_tail(name)}"
                )
            time.sleep(LOOK_SECONDS)

    def processes(self) -> list[ProcessState]:
        """The state of each process that was started since the supervisor runs, in the table's order."""
        states = {state["name"]: state for state in self._states()}
        rows = [process for process in PROCESSES if process.name in states]

        def state(process: Process) -> ProcessState:
            return self._state(process, states[process.name], self.is_ready(process.name))

        def silent(process: Process) -> ProcessState:
            return self._state(process, states[process.name], False)

        return readiness.at_once(state, rows, ANSWER_SECONDS, silent)

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.data / "logs" / f"{name}.log"

    def log_tail(self, name: str, lines: int = 20) -> str:
        """The last lines of a process's log."""
        log = self.log(name)
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log yet)"

    def _state(self, process: Process, reported: dict[str, Any], answers: bool) -> ProcessState:
        # The supervisor calls a process "starting" for a second, however soon it serves.
        runs = reported["statename"] in ("STARTING", "RUNNING")
        ready = runs and answers
        problem = None if ready else self.displaced(process.name)
        return ProcessState(
            name=process.name,
            kind=process.kind,
            state="running" if ready else reported["statename"].lower(),
            ready=ready,
            pid=reported["pid"] or None,
            uptime=reported["now"] - reported["start"] if runs else None,
            port=self.ports[list(process.ports)[-1 if process.kind == "service" else 0]],
            health="" if process.ready == "postgresql" else self._fill(process.ready),
            log=self.log(process.name),
            problem=problem or "",
        )

    # --- inside ---

    def _states(self) -> list[dict[str, Any]]:
        return self._supervisor().states()

    def _running(self) -> set[str]:
        return {state["name"] for state in self._states() if state["statename"] in RUNNING_STATES}

    def _supervisor(self) -> Supervisor:
        made = (self.secrets / "supervisor").exists()
        return Supervisor(self.data, self.ports["supervisor"], self.password("supervisor") if made else "")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two commands from starting or stopping this instance at the same time."""
        with (self.data / "run" / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_folders(self) -> None:
        for folder in (self.data, self.data / "logs", self.data / "run"):
            folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            paths.open_way(self.data)
        (self.data / "logs").chmod(FOLDER_OF_LOGS)
        for log in (self.data / "logs").iterdir():
            log.chmod(LOG)
        paths.require_reachable(self.data)
        secrets.ensure(self.secrets, (*CREDENTIALS, instance.CREDENTIAL))

    def _settle_ports(self, idle: list[Process], progress: Progress) -> bool:
        """Give all that does not run its ports, also what is started later: others are told of them now.

        Returns whether any is another than before.
        """
        running, informed = self._running(), {name for process in idle for name in open_ports(process)}
        kept = ports.load(self.data / "ports.json")
        wanted = {
            name: port
            for row in PROCESSES
            for name, port in row.ports.items()
            if row.name not in running or name not in kept
        }
        if not self._supervisor().is_running():
            wanted["supervisor"] = DEFAULT_PORTS["supervisor"]
        settled, moved = ports.settle(kept, wanted, self._claims)
        ports.save(self.data / "ports.json", settled)
        for name, (taken, given) in moved.items():
            if name in informed | {"supervisor"}:
                progress(f"port {taken} is taken by {_stranger(taken)}: {name} is on {given}")
        return settled != kept

    def _supervise(self, rows: list[Process]) -> None:
        """Have the supervisor know these programs beside those that it knows, and none that exist no more."""
        gone = {state["name"] for state in self._states()} - set(BY_NAME)
        self.programs([process.name for process in rows])
        programs = [self._program(process) for process in rows]
        supervisor = self._supervisor()
        supervisor.reload(programs, gone) if supervisor.is_running() else supervisor.launch(programs)

    def _program(self, process: Process) -> Program:
        return Program(
            name=process.name,
            rank=PROCESSES.index(process) + 1,
            command=self._command(process),
            # Fetched servers find their files relative to the prefix they were unpacked to, services their modules.
            folder=paths.CHECKOUT if process.kind == "service" else Path(self._command(process)[0]).parents[1],
            environment=self._environment(process),
            stop_signal=process.stop_signal,
            stop_seconds=process.stop_seconds,
            account=self._account if process.unprivileged and os.geteuid() == 0 else None,
        )

    def _environment(self, process: Process) -> dict[str, str]:
        """With digests of what is read at a start alone: another one, and the supervisor starts the process anew."""
        own = {key: self._fill(value) for key, value in process.environment.items()}
        if process.kind == "service":
            found = {"IOC_REPORT_FONTS": str(fonts.place(self.runtime))}
            return found | renew.settings() | self.env(process.user) | own | {"CODE_DIGEST": renew.code()}
        files = [self.data / name for name in process.read_once]
        return own | ({"CONFIGURATION_DIGEST": renew.digest(files)} if files else {})

    def _command(self, process: Process) -> tuple[str, ...]:
        return tuple(self._fill(part) for part in process.command)

    def _fill(self, text: str) -> str:
        numbers = {f"port_{name}": port for name, port in self.ports.items()}
        names = {name: Path(name) for name in ("nats-server", "postgres", "prometheus", "alertmanager", "grafana")}
        programs = names | self._programs
        places = {"data": self.data, "python": executable, "grafana_home": programs["grafana"].resolve().parent.parent}
        return text.format_map(programs | numbers | places)

    def _end_orphans(self, progress: Progress) -> None:
        """End what a killed supervisor left running: the supervisor first, so that it restarts nothing."""
        accounts = {os.geteuid(), self._account.pw_uid}
        mine: list[tuple[str, tuple[str, ...], str, int]] = [("supervisor", self._supervisor().command, "TERM", 5)]
        mine += [(row.name, self._command(row), row.stop_signal, row.stop_seconds) for row in reversed(PROCESSES)]
        for name, command, stop_signal, seconds in mine:
            for pid in orphans.find(command, self.data, accounts):
                progress(f"ending {name} (process {pid}), left over from an earlier start")
                orphans.end(pid, stop_signal, seconds)
