"""Moving the scenario by whole weeks: every time and day goes through a `Shift`, and every event is made by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from schemas.envelope import Event, EventData, Origin
from schemas.registry import make

SOURCE = "/scenario/november-2024/"


@dataclass(frozen=True)
class Shift:
    """A shift by whole weeks, so that weekdays stay; `weeks` may be negative, 0 leaves everything as it was."""

    weeks: int = 0

    @cached_property
    def days(self) -> timedelta:
        """The distance."""
        return timedelta(weeks=self.weeks)

    @cached_property
    def tag(self) -> str:
        """The end of every id that holds no shifted date; it keeps the events of different shifts apart."""
        return f"W{self.weeks}"

    @cached_property
    def origin(self) -> Origin:
        """Of the events it makes."""
        return "shifted" if self.weeks else "real"

    def event(self, data: EventData, *, id: str, time: datetime, unit: str) -> Event:
        """The event of `data` (whose days are shifted already) at the unshifted `time`."""
        return make(
            data,
            source=SOURCE + data.system,
            id=id,
            time=time + self.days,
            unit=unit,
            origin=self.origin,
            shiftdays=7 * self.weeks,
        )

    def dossier_code(self, unit_number: int, received: date, serial: int) -> str:
        """A code of a second level that no authority has; `serial` counts a unit's dossiers over the whole scenario."""
        return f"H99.{unit_number:02d}-{received + self.days:%y%m%d}-{serial:04d}"


class Continuation(Shift):
    """What happens after the scenario's end: shifted with it, since its units are those of then, but made up."""

    @cached_property
    def origin(self) -> Origin:
        """Nothing of it was published."""
        return "simulated"


UNSHIFTED = Shift()
