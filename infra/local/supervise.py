"""The supervisor of one instance: its generated configuration and the calls that steer it.

It listens on loopback with a random password: a socket file's path may have 108 characters at most, which a
checkout in a deep folder exceeds.
"""

import http.client
import os
import pwd
import re
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import listeners, orphans, secrets
from infra.local.paths import SetupError
from infra.local.ports import LOOPBACK

CALL_SECONDS = 10.0
UNKNOWN_SECONDS = 70.0
"""For a process of an earlier version to stop: more than any row of the table was ever given."""
NO_SUCH_NAME, NOT_RUNNING, ALREADY_STARTED = 10, 70, 60
NO_ANSWER = (OSError, xmlrpc.client.Error, http.client.HTTPException)
RUNNING_STATES = ("STARTING", "RUNNING", "BACKOFF", "STOPPING")


@dataclass(frozen=True)
class Program:
    """What the supervisor must know of one process."""

    name: str
    rank: int  # stopped from the highest to the lowest
    command: tuple[str, ...]
    folder: Path  # it works in
    environment: Mapping[str, str]
    stop_signal: str
    stop_seconds: int
    account: pwd.struct_passwd | None  # None: the supervisor's own


class _Transport(xmlrpc.client.Transport):
    """HTTP with a time limit, so a stopped supervisor can't hang its client."""

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = CALL_SECONDS
        return connection


class Supervisor:
    """The supervisor daemon of the instance in `data`, whether it runs or not."""

    def __init__(self, data: Path, port: int, password: str) -> None:
        self.data = data
        self.file = data / "run" / "supervisord.conf"
        self.command = (sys.executable, "-m", "supervisor.supervisord", "-c", str(self.file))
        self._port, self._password = port, password
        transport = _Transport()
        address = f"http://ioc:{password}@{LOOPBACK}:{port}/RPC2"
        self._rpc: Any = xmlrpc.client.ServerProxy(address, transport=transport).supervisor

    def is_running(self) -> bool:
        """Whether this instance's supervisor answers. No other program on its port is told the password."""
        if not listeners.holds(self._pid(), self._port):
            return False
        try:
            return int(self._rpc.getState()["statecode"]) == 1
        except NO_ANSWER:
            return False

    def _pid(self) -> int | None:
        try:
            return int((self.data / "run" / "supervisord.pid").read_text())
        except (OSError, ValueError):
            return None

    def launch(self, programs: Iterable[Program]) -> None:
        """Start the daemon, detached from this terminal, with all programs stopped."""
        self._write(programs)
        (self.data / "logs" / "supervisor.log").touch(mode=0o640)
        done = subprocess.run(
            self.command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        deadline = time.monotonic() + CALL_SECONDS
        while not self.is_running():
            if done.returncode or time.monotonic() > deadline:
                log = self.data / "logs" / "supervisor.log"
                raise SetupError(f"the supervisor did not start: {(done.stderr or done.stdout).strip()} (see {log})")
            time.sleep(0.05)

    def reload(self, programs: Iterable[Program], gone: Container[str] = ()) -> None:
        """Take over these programs beside those known before, without those in `gone`; running ones whose line changed
        are restarted, the first of the list first."""
        before = {state["name"] for state in self.states() if state["statename"] in RUNNING_STATES}
        given = {item.name: item for item in programs}
        self._write(
            given.values(), [section for name, section in self._listed() if name not in given and name not in gone]
        )
        [[added, changed, removed]] = self._rpc.reloadConfig()
        for name in (*removed, *(name for name in reversed(given) if name in changed)):
            self.stop(name, given[name].stop_seconds + 10 if name in given else UNKNOWN_SECONDS)
            self._rpc.removeProcessGroup(name)
        for name in (*added, *changed):
            self._rpc.addProcessGroup(name)
        for name in given:
            if name in changed and name in before:
                self.start(name)

    def _listed(self) -> list[tuple[str, str]]:
        """(name, section) of each program that the configuration lists now."""
        return re.findall(r"^(?=\[program:(.+?)\]$)((?:.+\n)+)", self.file.read_text(), re.MULTILINE)

    def states(self) -> list[dict[str, Any]]:
        """What the supervisor knows of each program: name, statename, pid, start, now, spawnerr. None while it does
        not run."""
        if not listeners.holds(self._pid(), self._port):
            return []
        try:
            return list(self._rpc.getAllProcessInfo())
        except NO_ANSWER:
            return []

    def start(self, name: str) -> None:
        """Start a program, without waiting for it."""
        self._tolerate(ALREADY_STARTED, self._rpc.startProcess, name, False)

    def stop(self, name: str, seconds: float) -> None:
        """Stop a program and wait until it has stopped."""
        self._ask_to_stop(name)
        deadline = time.monotonic() + seconds
        while self._rpc.getProcessInfo(name)["statename"] in RUNNING_STATES:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} did not stop within {seconds:.0f} s")
            time.sleep(0.05)

    def _ask_to_stop(self, name: str) -> None:
        self._tolerate(NOT_RUNNING, self._rpc.stopProcess, name, False)

    def shutdown(self, first: Container[str], seconds: float) -> bool:
        """Stop the programs `first`, together, then the others, one after the other, then the daemon; whether it was
        gone in time."""
        pid = int(self._rpc.getPID())
        for state in self.states():
            if state["name"] in first and state["statename"] in RUNNING_STATES:
                self._ask_to_stop(state["name"])
        self._rpc.shutdown()
        return orphans.wait_gone(pid, seconds)

    def _tolerate(self, code: int, call: Any, *arguments: Any) -> None:
        try:
            call(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != code:
                raise SetupError(f"the supervisor refused: {fault.faultString}") from fault

    def _write(self, programs: Iterable[Program], kept: Iterable[str] = ()) -> None:
        sections = {
            "supervisord": self._daemon(),
            "inet_http_server": {"port": f"{LOOPBACK}:{self._port}", "username": "ioc", "password": self._password},
            "rpcinterface:supervisor": {
                "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
            },
        }
        sections |= {f"program:{item.name}": self._program(item) for item in programs}
        secrets.write_private(self.file, "\n".join([*(_section(*section) for section in sections.items()), *kept]))

    def _daemon(self) -> dict[str, str]:
        lines = {
            "logfile": f"{self.data}/logs/supervisor.log",
            "logfile_maxbytes": "5MB",
            "logfile_backups": "2",
            "pidfile": f"{self.data}/run/supervisord.pid",
            "childlogdir": f"{self.data}/logs",
            "nocleanup": "true",
            "umask": "027",  # of logs, and of what else is made: for owner and group alone
        }
        # Said outright, or the supervisor warns at every start.
        return lines | ({"user": "root"} if os.geteuid() == 0 else {})

    def _program(self, program: Program) -> dict[str, str]:
        lines = {
            "command": " ".join(f'"{_quoted(part)}"' for part in program.command),
            "directory": str(program.folder),
            "environment": ",".join(f'{key}="{_quoted(value)}"' for key, value in program.environment.items()),
            # Stopped from the last to the first: services may finish their work while the servers still run.
            "priority": str(program.rank),
            "autostart": "false",
            "autorestart": "true",
            # A server that waits for another's sockets or files to be released needs more than the usual three tries.
            "startretries": "10",
            "startsecs": "1",
            "stopsignal": program.stop_signal,
            "stopwaitsecs": str(program.stop_seconds),
            "redirect_stderr": "true",
            "stdout_logfile": f"{self.data}/logs/{program.name}.log",
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "5",
        }
        return lines | ({"user": program.account.pw_name} if program.account else {})


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _section(name: str, lines: Mapping[str, str]) -> str:
    # The supervisor expands %(…)s in every value, so a plain % is doubled.
    body = "".join(f"{key}={value.replace('%', '%%')}\n" for key, value in lines.items())
    return f"[{name}]\n{body}"
