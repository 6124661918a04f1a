"""What the running simulator meant, held against what the centre's readings say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from infra.local.paths import SetupError
from infra.local.servers import Instance
from services.centre.demo import wait_stored
from services.centre.prepare import settings_of
from services.centre.reporter import Reporter
from services.kit import store
from services.simulator import progress
from services.simulator.district import truth
from services.simulator.district.truth import Line, Truth
from services.simulator.progress import Progress


class Comparison(NamedTuple):
    """What was meant, figure by figure beside what was read, and how many simulated events the log holds."""

    expected: Truth
    lines: list[Line]
    stored: int

    @property
    def holds(self) -> bool:
        """Whether all of it is as it was meant."""
        return self.stored == self.expected.events and all(line.same for line in self.lines)


def compare(instance: Instance, reporter: Reporter) -> Comparison:
    """Halt the simulator, wait until all it sent is stored, and compare. SetupError where none has run."""
    settings = settings_of(instance, "cli")
    with _halted(instance, reporter) as said:
        wait_stored(settings, reporter.bar)
        expected = truth.expected(said.plan, said.until)
        with store.connect(settings, "reader") as conn:
            return Comparison(expected, truth.comparison(conn, expected), truth.stored(conn))


@contextmanager
def _halted(instance: Instance, reporter: Reporter) -> Iterator[Progress]:
    """The progress of the running simulator, which says nothing meanwhile."""
    if progress.load(instance.data) is None:
        raise SetupError(f"no simulator has run in {instance.data}; `ioc demo` starts one")
    running = instance.is_running() and instance.pid("simulator") is not None
    if running:
        reporter.say("halting the simulator")
        instance.stop_process("simulator")
    try:
        stored = progress.load(instance.data)
        assert stored is not None
        yield stored
    finally:
        if running:
            instance.start_process("simulator")
